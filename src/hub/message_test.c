#include "hub/inbox.h"
#include "tests/harness/test.h"

static slice again(struct arena *a, slice json, struct message *ret)
{
    struct fault f = { 0 };
    const struct js *doc = js_parse(a, json, &f);
    if (!doc || !message_read(a, doc, ret, &f))
        test_fail(__FILE__, __LINE__, "%s: %s in " SLF, f.field, f.text, SLA(json));
    return message_print(a, ret);
}

/* One value for every member: what the table forgets does not come back. */
TEST(message_with_every_member_is_written_and_read_back)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct message m = {
        .kind = KIND_CARDS, .id = SL("id"), .peer_id = SL("peer"), .trace_id = SL("trace"), .guest = SL("g\xc3\xbc" "est"),
        .at_ms = 1700000000123, .origin = ORIGIN_BOT,
        .from = { SL("p"), SL("n"), SL("f"), SL("l"), SL("pic"), SL("ja"), SL("e@x") },
        .text = SL("text \"quoted\" \\ \n \xf0\x9f\x98\x80"), .payload = SL("pay"), .of = SL("of"), .reply_to = SL("re"),
        .location = { .lat_deg = -33.25, .lon_deg = 0, .title = SL("t"), .address = SL("ad"), .present = true },
        .sticker = { SL("pk"), SL("sid"), SL("st"), true },
        .picker = { .title = SL("pt"), .text = SL("px"), .image = SL("pi"), .multiple = true },
        .native_for = SL("line"), .native_json = SL("{\"n\":[1,2.5,9007199254740993,\"\xc3\xa9\",null]}"), .event = EVENT_EDITED, .name = SL("ev"),
        .status = STATUS_READ, .reason = REASON_WINDOW, .reason_text = SL("why"), .final = true, .typing_ms = 5000, .group = SL("gr"),
        .desk_conversation = SL("dc"), .private = true,
    };
    *LIST_ADD(a, &m.media, struct media) = (struct media){ SL("u"), SL("i"), SL("image/png"), SL("nm"), SL("sha"), SL("pre"), SL("{\"h\":1}"), SL("sto"), SL("err"),
                                                           (INT64_C(1) << 53) + 1, 2, 3, 4, true, true, SL("K1"), SL("T1"), true, true };
    (void)LIST_ADD(a, &m.media, struct media);
    *LIST_ADD(a, &m.choices, struct choice) = (struct choice){ SL("cl"), SL("cp"), SL("cu"), SL("ci") };
    struct card *card = LIST_ADD(a, &m.cards, struct card);
    *card = (struct card){ .title = SL("ct"), .text = SL("cx"), .image = SL("cim"), .url = SL("curl") };
    *LIST_ADD(a, &card->choices, struct choice) = (struct choice){ .label = SL("in a card") };
    *LIST_ADD(a, &m.picker.slots, struct time_slot) = (struct time_slot){ 1700000000000, 1800 };
    *LIST_ADD(a, &m.picker.choices, struct choice) = (struct choice){ .label = SL("pick") };
    message_data(a, &m, SL("k"), SL("v"));
    message_data(a, &m, SL("empty"), SL(""));

    struct message r;
    slice json = message_print(a, &m);
    CHECK_SLICE(again(a, json, &r), json);
    CHECK(r.kind == m.kind && r.origin == m.origin && r.event == m.event && r.status == m.status && r.reason == m.reason);
    CHECK(r.at_ms == m.at_ms && r.final && r.private && r.typing_ms == 5000 && r.data.n == 1);
    const slice got[] = { r.id, r.peer_id, r.trace_id, r.guest, r.from.id, r.from.name, r.from.first_name, r.from.last_name, r.from.picture,
                          r.from.locale, r.from.email, r.text, r.payload, r.of, r.reply_to, r.sticker.package, r.sticker.id, r.sticker.title,
                          r.picker.title, r.picker.text, r.picker.image, r.native_for, r.native_json, r.name, r.reason_text, r.group,
                          r.desk_conversation, r.location.title, r.location.address };
    const slice want[] = { m.id, m.peer_id, m.trace_id, m.guest, m.from.id, m.from.name, m.from.first_name, m.from.last_name, m.from.picture,
                           m.from.locale, m.from.email, m.text, m.payload, m.of, m.reply_to, m.sticker.package, m.sticker.id, m.sticker.title,
                           m.picker.title, m.picker.text, m.picker.image, m.native_for, m.native_json, m.name, m.reason_text, m.group,
                           m.desk_conversation, m.location.title, m.location.address };
    for (size_t i = 0; i < COUNT(got); i++)
        CHECK_ROW(i, slice_eq(got[i], want[i]));
    CHECK(r.location.present && r.location.lat_deg <= -33.25 && r.location.lat_deg >= -33.25 && r.sticker.animated && r.picker.multiple);
    CHECK(r.media.n == 2 && r.choices.n == 1 && r.cards.n == 1 && r.picker.slots.n == 1 && r.picker.choices.n == 1);
    const struct media *md = message_media(&r);
    CHECK(md->size == (INT64_C(1) << 53) + 1 && md->duration_ms == 2 && md->width == 3 && md->height == 4 && md->token && md->token_maybe && md->public_url);
    CHECK_SLICE(md->handle, SL("{\"h\":1}"));
    CHECK_SLICE(md->error, SL("err"));
    CHECK_SLICE(LIST_AT(r.choices, struct choice, 0)->image, SL("ci"));
    CHECK_SLICE(LIST_AT(LIST_AT(r.cards, struct card, 0)->choices, struct choice, 0)->label, SL("in a card"));
    CHECK_INT(LIST_AT(r.picker.slots, struct time_slot, 0)->duration_s, 1800);
}

TEST(message_of_every_kind_event_status_reason_and_origin_is_read_back)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (int k = 0; k < KIND_MAX; k++)
        for (int v = 0; v < MAX((int)EVENT_MAX, (int)REASON_MAX); v++) {
            struct message m = { .kind = k, .event = v < EVENT_MAX ? v : 0, .status = v < STATUS_MAX ? v : 0, .reason = v < REASON_MAX ? v : 0,
                                 .origin = v < ORIGIN_MAX ? v : 0 }, r;
            (void)again(a, message_print(a, &m), &r);
            CHECK_ROW(k, r.kind == k && r.event == m.event && r.status == m.status && r.reason == m.reason && r.origin == m.origin);
        }
}

TEST(message_kinds_are_content_event_or_news)
{
    for (int k = 0; k < KIND_MAX; k++) {
        bool content = k != KIND_TYPING && k != KIND_EVENT && k != KIND_STATUS;
        CHECK_ROW(k, kind_is_content((enum kind)k) == content);
        CHECK_ROW(k, kind_is_media((enum kind)k) == (k == KIND_IMAGE || k == KIND_VIDEO || k == KIND_AUDIO || k == KIND_FILE));
        CHECK_ROW(k, kind_names[k] && kind_names[k][0]);
    }
}

TEST(message_that_is_none_is_refused)
{
    static const char *const rows[] = { "{}", "[]", "{\"kind\":\"song\"}", "{\"kind\":7}", "{\"kind\":\"text\",\"text\":7}",
                                        "{\"kind\":\"location\",\"location\":{\"lat\":1}}", "{\"kind\":\"text\",\"media\":{}}" };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        struct message m;
        CHECK_ROW(i, !message_read(a, js_parse(a, slice_of(rows[i]), NULL), &m, &f) && f.code);
    }
}

TEST(inbox_collects_in_order)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct inbox in;
    inbox_init(&in, a);
    CHECK(in.n == 0 && !in.first);
    struct message *one = inbox_add(&in, KIND_TEXT), *two = inbox_add(&in, KIND_EVENT);
    one->id = SL("1");
    two->id = SL("2");
    inbox_remember(&in, one, "k", SL("v"), 7);
    inbox_remember(&in, one, "l", SL("w"), 0);
    inbox_ignore(&in, "own-echo", SL("3"));
    inbox_resume(&in, SL("key"), SL("data"));
    inbox_answer(&in, 201, SL("text/plain"), SL("hi"));
    CHECK(in.n == 2 && in.ignored.n == 1 && in.resumed.n == 1 && in.status == 201);
    CHECK(in.first->m.kind == KIND_TEXT && in.first->next->m.kind == KIND_EVENT && !in.first->next->next);
    CHECK(in.first->remember.n == 2 && in.first->next->remember.n == 0);
    CHECK_SLICE(LIST_AT(in.first->remember, struct remembered, 1)->value, SL("w"));
    CHECK_SLICE(LIST_AT(in.resumed, struct inbox_resumed, 0)->data, SL("data"));
    CHECK_SLICE(in.body, SL("hi"));
}
