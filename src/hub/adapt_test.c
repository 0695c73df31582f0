#include "hub/adapt.h"
#include "hub/hub.h"
#include "tests/harness/test.h"

enum { PREFIX, N_SETTINGS };
static const struct setting settings[N_SETTINGS] = { { .name = "prefix_agent_name" } };
static const struct media_rule rules[] = { { "image/jpeg", 1000 }, { "image/*", 500 }, { "application/pdf", 0 } };
#define ALL_KINDS 0xffffffffu
#define TEXT CAN(KIND_TEXT)
#define SIDE(name_, ...) static const struct connector name_ = { .name = #name_, .title = #name_, .settings = settings, .n_settings = N_SETTINGS, .caps = { __VA_ARGS__ } }
SIDE(plain, .kinds = TEXT, .text_max = 20, .text_unit = UNIT_CHARS);
SIDE(wordy, .kinds = TEXT);
SIDE(pictures, .kinds = TEXT | CAN(KIND_IMAGE) | CAN(KIND_FILE), .media = MEDIA_LINK, .media_rules = rules, .n_media_rules = COUNT(rules));
SIDE(captions, .kinds = ALL_KINDS & ~CAN(KIND_VIDEO), .media = MEDIA_UPLOAD, .caption = true, .text_max = 30, .choices_max = 3, .choice_label_max = 4,
     .cards_max = 2, .card_choices_max = 2, .location_needs_title = true, .sticker_needs_own_id = true);
SIDE(named, .kinds = TEXT, .agent_name = true);

struct cut {
    struct arena *a;
    struct adapted got;
    enum reason reason;
    struct fault f;
    bool ok;
};

static void adapt(struct cut *c, const struct connector *to, const char *prefix, const struct message *m)
{
    slice *values = ARENA_ARRAY(c->a, slice, N_SETTINGS);
    values[PREFIX] = slice_of(prefix);
    struct account *acc = ARENA_NEW(c->a, struct account);
    *acc = (struct account){ .type = to, .settings = values };
    struct conversation *conv = ARENA_NEW(c->a, struct conversation);
    conv->agent_name = SL("Maria");
    c->ok = adapt_message(c->a, &(struct adapt_to){ acc, conv }, m, &c->got, &c->reason, &c->f);
}

/* "kind:text|kind:text": what arrives. */
static slice shown(const struct cut *c)
{
    struct text t = text_new(c->a, 1 << 20);
    for (size_t i = 0; c->ok && i < c->got.n; i++) {
        const struct message *p = &c->got.parts[i];
        text_add(&t, "%s%s:" SLF, i ? "|" : "", kind_names[p->kind], SLA(p->text));
    }
    return text_slice(&t);
}

static struct message file(struct arena *a, enum kind kind, const char *type, int64_t size, const char *caption)
{
    struct message m = { .kind = (int)kind, .text = slice_of(caption) };
    *LIST_ADD(a, &m.media, struct media) = (struct media){ .url = SL("http://h/f"), .type = slice_of(type), .name = SL("f.bin"), .size = size };
    return m;
}

static struct message choices(struct arena *a, const char *prompt, size_t n, const char *url)
{
    struct message m = { .kind = KIND_CHOICES, .text = slice_of(prompt) };
    for (size_t i = 0; i < n; i++)
        *LIST_ADD(a, &m.choices, struct choice) = (struct choice){ .label = arena_printf(a, "Choice%zu", i + 1),
                                                                  .payload = arena_printf(a, "p%zu", i + 1), .url = slice_of(i ? NULL : url) };
    return m;
}

static struct message where(const char *title, const char *address)
{
    return (struct message){ .kind = KIND_LOCATION, .location = { 35.5, -120.25, slice_of(title), slice_of(address), true } };
}

#define EXPECT(c, want, note_)                     \
    do {                                           \
        CHECK_SLICE(shown(&(c)), slice_of(want));  \
        CHECK_SLICE((c).got.note, slice_of(note_)); \
    } while (0)

/* ---- text ------------------------------------------------------------------------------------------------------------- */

TEST(text_split_cuts_at_the_limit_of_each_unit)
{
    /* A: 1 char, 1 unit, 1 byte; あ: 1, 1, 3; 😀: 1, 2, 4 */
    static const struct {
        const char *text;
        size_t max;
        enum text_unit unit;
        const char *want;
    } rows[] = {
        { "", 5, UNIT_CHARS, "" },
        { "AAAAA", 5, UNIT_CHARS, "AAAAA" },
        { "AAAAAA", 5, UNIT_CHARS, "AAAAA|A" },
        { "AAAAAA", 0, UNIT_CHARS, "AAAAAA" },
        { "\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82", 2, UNIT_CHARS, "\xe3\x81\x82\xe3\x81\x82|\xe3\x81\x82" },
        { "\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82", 2, UNIT_UTF16, "\xe3\x81\x82\xe3\x81\x82|\xe3\x81\x82" },
        { "\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82", 7, UNIT_BYTES, "\xe3\x81\x82\xe3\x81\x82|\xe3\x81\x82" },
        { "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 1, UNIT_CHARS, "\xf0\x9f\x98\x80|\xf0\x9f\x98\x80" },
        { "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 3, UNIT_UTF16, "\xf0\x9f\x98\x80|\xf0\x9f\x98\x80" },
        { "A\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 4, UNIT_UTF16, "A\xf0\x9f\x98\x80|\xf0\x9f\x98\x80" },
        { "\xf0\x9f\x98\x80", 1, UNIT_UTF16, "\xf0\x9f\x98\x80" }, /* one character over the limit is not cut */
        { "one two three", 8, UNIT_CHARS, "one two |three" },
        { "one. two three", 11, UNIT_CHARS, "one. two |three" },   /* a sentence's end in the first half is too early */
        { "one two. three", 11, UNIT_CHARS, "one two. |three" },
        { "one two\nthree. f", 15, UNIT_CHARS, "one two\n|three. f" }, /* a line's end before a sentence's */
        { "line one\ntwo x", 12, UNIT_CHARS, "line one\n|two x" },
        { "\xe3\x81\x82\xe3\x80\x82\xe3\x81\x82\xe3\x81\x82", 3, UNIT_CHARS, "\xe3\x81\x82\xe3\x80\x82|\xe3\x81\x82\xe3\x81\x82" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice got[20];
        size_t n = text_split(slice_of(rows[i].text), rows[i].max, rows[i].unit, got, COUNT(got));
        struct text t = text_new(a, 1000);
        for (size_t k = 0; k < n; k++)
            text_add(&t, "%s" SLF, k ? "|" : "", SLA(got[k]));
        if (!slice_eq(text_slice(&t), slice_of(rows[i].want)))
            test_fail(__FILE__, __LINE__, "row %zu: \"" SLF "\"", i, SLA(text_slice(&t)));
    }
}

TEST(text_split_loses_nothing_and_keeps_the_limit)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const char *const words[] = { "a", "bcd ", ".\n", "\xe3\x81\x82\xe3\x80\x82", "\xf0\x9f\x98\x80", ". ", "longerword" };
    uint32_t seed = 1;
    for (int round = 0; round < 300; round++) {
        struct text t = text_new(a, 10000);
        for (int i = 0; i < 40; i++)
            text_put(&t, slice_of(words[(seed = seed * 1103515245 + 12345) / 65536 % COUNT(words)]));
        slice text = text_slice(&t), pieces[300];
        enum text_unit unit = (enum text_unit)(round % 3);
        size_t max = 4 + (size_t)round % 40, n = text_split(text, max, unit, pieces, COUNT(pieces));
        const char *at = text.p;
        for (size_t i = 0; i < n; i++) {
            size_t units = unit == UNIT_BYTES ? pieces[i].n : unit == UNIT_UTF16 ? utf16_len(pieces[i]) : utf8_len(pieces[i]);
            CHECK_ROW(round, pieces[i].p == at && pieces[i].n && units <= max && utf8_valid(pieces[i]));
            at += pieces[i].n;
        }
        CHECK_ROW(round, at == text.p + text.n);
    }
}

TEST(adapt_texts)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct cut c = { .a = a };
    adapt(&c, &plain, NULL, &(struct message){ .kind = KIND_TEXT, .text = SL("hello") });
    EXPECT(c, "text:hello", "");
    adapt(&c, &plain, NULL, &(struct message){ .kind = KIND_TEXT, .text = SL("hello wide world of texts") });
    EXPECT(c, "text:hello wide world of |text:texts", "split");
    adapt(&c, &plain, NULL, &(struct message){ .kind = KIND_TEXT, .text = SL(" \n") });
    CHECK(!c.ok && c.reason == REASON_INVALID && strcmp(c.f.code, "empty") == 0);

    char *big = arena_alloc(a, 20 * ADAPT_PARTS_MAX + 1);
    memset(big, 'x', 20 * ADAPT_PARTS_MAX + 1);
    adapt(&c, &plain, NULL, &(struct message){ .kind = KIND_TEXT, .text = slice_mem(big, 20 * ADAPT_PARTS_MAX) });
    CHECK(c.ok && c.got.n == ADAPT_PARTS_MAX);
    CHECK_SLICE(c.got.note, SL("split"));
    adapt(&c, &plain, NULL, &(struct message){ .kind = KIND_TEXT, .text = slice_mem(big, 20 * ADAPT_PARTS_MAX + 1) });
    CHECK(c.ok && c.got.n == ADAPT_PARTS_MAX);
    CHECK_SLICE(c.got.note, SL("split cut"));
}

TEST(adapt_puts_the_agents_name_before_the_text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct cut c = { .a = a };
    struct message m = { .kind = KIND_TEXT, .text = SL("hello"), .origin = ORIGIN_AGENT };
    adapt(&c, &plain, "true", &m);
    EXPECT(c, "text:Maria: hello", "prefix-agent");
    adapt(&c, &plain, "false", &m);
    EXPECT(c, "text:hello", "");
    adapt(&c, &named, "true", &m);
    EXPECT(c, "text:hello", "");
    static const int others[] = { ORIGIN_BOT, ORIGIN_HUB }; /* Maria did not write it */
    for (size_t i = 0; i < COUNT(others); i++) {
        m.origin = others[i];
        adapt(&c, &plain, "true", &m);
        EXPECT(c, "text:hello", "");
    }
    m.origin = ORIGIN_AGENT;
    m.from.name = SL("Jo");
    adapt(&c, &plain, "true", &m);
    EXPECT(c, "text:Jo: hello", "prefix-agent");
    m.text = SL("exactly twenty chars"); /* fits without the name, not with it */
    adapt(&c, &plain, "true", &m);
    EXPECT(c, "text:Jo: exactly twenty |text:chars", "prefix-agent split");
    m.origin = ORIGIN_GUEST;
    adapt(&c, &plain, "true", &m);
    EXPECT(c, "text:exactly twenty chars", "");
    struct message p = file(a, KIND_IMAGE, "image/jpeg", 10, "look");
    p.origin = ORIGIN_AGENT;
    adapt(&c, &captions, "true", &p);
    EXPECT(c, "image:Maria: look", "prefix-agent");
    p.text = SL("twenty-five characters so");
    adapt(&c, &captions, "true", &p);
    EXPECT(c, "text:Maria: twenty-five characters |text:so|image:", "prefix-agent caption-apart split");
    struct message ch = choices(a, "Pick", 2, NULL);
    ch.origin = ORIGIN_AGENT;
    adapt(&c, &captions, "true", &ch);
    EXPECT(c, "choices:Maria: Pick", "prefix-agent short-label");
}

/* ---- media ------------------------------------------------------------------------------------------------------------ */

TEST(adapt_media)
{
    static const struct {
        const struct connector *to;
        enum kind kind;
        const char *type;
        int64_t size;
        const char *caption, *want, *note;
    } rows[] = {
        { &pictures, KIND_IMAGE, "image/jpeg", 1000, NULL, "image:", "" },
        { &pictures, KIND_IMAGE, "image/jpeg", 1001, NULL, "text:f.bin\nhttp://h/f", "link" },       /* too large */
        { &pictures, KIND_IMAGE, "image/png", 500, NULL, "image:", "" },
        { &pictures, KIND_IMAGE, "image/png", 501, NULL, "text:f.bin\nhttp://h/f", "link" },
        { &pictures, KIND_VIDEO, "video/mp4", 1, NULL, "text:f.bin\nhttp://h/f", "link" },           /* no such kind */
        { &pictures, KIND_FILE, "application/pdf", 1 << 30, NULL, "file:", "" },
        { &pictures, KIND_FILE, "text/x-sh", 1, NULL, "text:f.bin\nhttp://h/f", "link" },            /* no such type */
        { &pictures, KIND_FILE, "image/jpeg", 1, NULL, "image:", "" },                               /* the type counts, not the word */
        { &pictures, KIND_IMAGE, "image/jpeg", 1, "look", "text:look|image:", "caption-apart" },
        { &captions, KIND_IMAGE, "image/jpeg", 1, "look", "image:look", "" },
        { &captions, KIND_IMAGE, "image/jpeg", 1, "a caption of over thirty chars.", "text:a caption of over thirty |text:chars.|image:", "caption-apart split" },
        { &captions, KIND_VIDEO, "video/mp4", 1, "look", "file:look", "" },                          /* as a file, where files are carried */
        { &wordy, KIND_IMAGE, "image/jpeg", 1, "look", "text:look|text:f.bin\nhttp://h/f", "caption-apart link" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cut c = { .a = a };
        struct message m = file(a, rows[i].kind, rows[i].type, rows[i].size, rows[i].caption);
        adapt(&c, rows[i].to, NULL, &m);
        if (!slice_eq(shown(&c), slice_of(rows[i].want)) || !slice_eq(c.got.note, slice_of(rows[i].note)))
            test_fail(__FILE__, __LINE__, "row %zu: " SLF " (" SLF ")", i, SLA(shown(&c)), SLA(c.got.note));
    }
}

TEST(adapt_media_that_was_lost_says_so_and_keeps_its_caption)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct cut c = { .a = a };
    struct message m = file(a, KIND_IMAGE, "image/jpeg", 1, "look");
    LIST_AT(m.media, struct media, 0)->error = SL("its sender answered 404");
    LIST_AT(m.media, struct media, 0)->url = SLICE_NONE;
    adapt(&c, &captions, NULL, &m);
    CHECK_SLICE(c.got.note, SL("media-lost split"));
    adapt(&c, &wordy, NULL, &m);
    EXPECT(c, "text:look|text:[f.bin: its sender answered 404]", "caption-apart media-lost");
    adapt(&c, &wordy, NULL, &(struct message){ .kind = KIND_IMAGE, .text = SL("only words") });
    EXPECT(c, "text:only words", "media-lost");
}

/* ---- places, stickers -------------------------------------------------------------------------------------------------- */

TEST(adapt_places)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct cut c = { .a = a };
    struct message m = where("Home", NULL);
    adapt(&c, &wordy, NULL, &m);
    EXPECT(c, "text:Home\nhttps://www.google.com/maps/search/?api=1&query=35.5%2C-120.25", "location-text");
    *LIST_ADD(a, &m.media, struct media) = (struct media){ .url = SL("http://h/map"), .type = SL("image/png"), .name = SL("map.png") };
    adapt(&c, &pictures, NULL, &m);
    EXPECT(c, "text:Home\nhttps://www.google.com/maps/search/?api=1&query=35.5%2C-120.25|image:", "location-picture caption-apart");
    m = where(NULL, NULL);
    adapt(&c, &captions, NULL, &m);
    EXPECT(c, "location:", "location-title");
    CHECK_SLICE(c.got.parts[0].location.title, SL("35.5, -120.25"));
    CHECK_SLICE(c.got.parts[0].location.address, SL("35.5, -120.25"));
    m = where(NULL, "Street 1");
    adapt(&c, &captions, NULL, &m);
    CHECK_SLICE(c.got.parts[0].location.title, SL("Street 1"));
    m = where("Home", "Street 1");
    adapt(&c, &captions, NULL, &m);
    EXPECT(c, "location:", "");
}

TEST(adapt_stickers)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct cut c = { .a = a };
    struct message m = { .kind = KIND_STICKER, .sticker = { .package = SL("1"), .id = SL("2"), .title = SL("Bear") } };
    adapt(&c, &captions, NULL, &m);
    EXPECT(c, "sticker:", "");
    m.sticker.package = SLICE_NONE; /* of another network */
    adapt(&c, &captions, NULL, &m);
    EXPECT(c, "text:[Bear]", "sticker-text");
    *LIST_ADD(a, &m.media, struct media) = (struct media){ .url = SL("http://h/s"), .type = SL("image/png") };
    adapt(&c, &captions, NULL, &m);
    EXPECT(c, "image:Bear", "sticker-picture");
    m.sticker.title = SLICE_NONE;
    adapt(&c, &wordy, NULL, &m);
    EXPECT(c, "text:[sticker]", "sticker-text");
}

/* ---- choices, cards, pickers ------------------------------------------------------------------------------------------- */

TEST(adapt_choices)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct cut c = { .a = a };
    struct message m = choices(a, "Pick", 3, NULL);
    adapt(&c, &captions, NULL, &m);
    EXPECT(c, "choices:Pick", "short-label");
    CHECK_SLICE(LIST_AT(c.got.parts[0].choices, struct choice, 0)->label, SL("Choi")); /* at most 4 characters */
    CHECK_SLICE(LIST_AT(c.got.parts[0].choices, struct choice, 0)->payload, SL("p1"));
    m = choices(a, "Pick", 4, NULL); /* too many to tap */
    adapt(&c, &captions, NULL, &m);
    CHECK(slice_starts(c.got.note, SL("numbered")));
    m = choices(a, "Pick", 2, "http://x"); /* a link cannot be tapped here */
    adapt(&c, &wordy, NULL, &m);
    EXPECT(c, "text:Pick\nChoice1\nhttp://x\n1. Choice2", "numbered");
    CHECK_SLICE(c.got.list, SL("[[\"Choice2\",\"p2\"]]"));
    m = choices(a, "A prompt that is longer than thirty characters", 2, NULL);
    adapt(&c, &captions, NULL, &m);
    EXPECT(c, "text:A prompt that is longer than |choices:thirty characters", "split short-label");
    m = choices(a, "Pick", LIST_CHOICES_MAX + 1, NULL);
    adapt(&c, &wordy, NULL, &m);
    CHECK_SLICE(c.got.note, SL("numbered cut"));
}

TEST(adapt_cards)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct cut c = { .a = a };
    struct message m = { .kind = KIND_CARDS, .text = SL("See") };
    for (int i = 0; i < 2; i++) {
        struct card *card = LIST_ADD(a, &m.cards, struct card);
        *card = (struct card){ .title = arena_printf(a, "Card%d", i), .text = SL("about"), .image = SL("http://i") };
        *LIST_ADD(a, &card->choices, struct choice) = (struct choice){ .label = arena_printf(a, "Buy%d", i) };
    }
    adapt(&c, &captions, NULL, &m);
    EXPECT(c, "text:See|cards:", "");
    adapt(&c, &wordy, NULL, &m);
    EXPECT(c, "text:See\n\nCard0\nabout\nhttp://i\n1. Buy0\n\nCard1\nabout\nhttp://i\n2. Buy1", "cards-text");
    CHECK_SLICE(c.got.list, SL("[[\"Buy0\",\"Buy0\"],[\"Buy1\",\"Buy1\"]]"));
}

TEST(adapt_pickers)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct cut c = { .a = a };
    struct message m = { .kind = KIND_PICKER, .picker = { .title = SL("When?"), .text = SL("Choose") } };
    *LIST_ADD(a, &m.picker.slots, struct time_slot) = (struct time_slot){ 1700000000000, 1800 };
    adapt(&c, &captions, NULL, &m);
    EXPECT(c, "picker:", "");
    adapt(&c, &wordy, NULL, &m);
    EXPECT(c, "text:When?\nChoose\n1. 2023-11-14 22:13 UTC", "picker-choices numbered");
    CHECK_SLICE(c.got.list, SL("[[\"2023-11-14 22:13 UTC\",\"2023-11-14T22:13:20.000Z\"]]"));
}

TEST(adapt_the_rest)
{
    static const struct {
        struct message m;
        const struct connector *to;
        const char *want, *note;
    } rows[] = {
        { { .kind = KIND_ANSWER, .text = SLI("Yes"), .payload = SLI("y") }, &wordy, "text:Yes", "answer-text" },
        { { .kind = KIND_ANSWER, .payload = SLI("y") }, &wordy, "text:y", "answer-text" },
        { { .kind = KIND_ANSWER, .text = SLI("Yes") }, &captions, "answer:Yes", "" },
        { { .kind = KIND_NATIVE, .text = SLI("alt"), .native_for = SLI("other") }, &captions, "text:alt", "text-only" },
        { { .kind = KIND_NATIVE, .text = SLI("alt"), .native_for = SLI("captions") }, &captions, "native:alt", "" },
        { { .kind = KIND_NATIVE, .native_for = SLI("other") }, &captions, NULL, NULL },
        { { .kind = KIND_FORM, .text = SLI("form") }, &wordy, "text:form", "text-only" },
        { { .kind = KIND_PAYMENT }, &wordy, NULL, NULL },
        { { .kind = KIND_EVENT, .event = EVENT_JOINED, .text = SLI("Jo joined") }, &wordy, "text:Jo joined", "" },
        { { .kind = KIND_TYPING }, &captions, "typing:", "" },
        { { .kind = KIND_STATUS, .status = STATUS_READ }, &captions, "status:", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct cut c = { .a = a };
        adapt(&c, rows[i].to, NULL, &rows[i].m);
        CHECK_ROW(i, c.ok == (rows[i].want != NULL));
        if (!c.ok)
            CHECK_ROW(i, c.reason == REASON_UNSUPPORTED && strcmp(c.f.code, "unsupported") == 0);
        else if (!slice_eq(shown(&c), slice_of(rows[i].want)) || !slice_eq(c.got.note, slice_of(rows[i].note)))
            test_fail(__FILE__, __LINE__, "row %zu: " SLF " (" SLF ")", i, SLA(shown(&c)), SLA(c.got.note));
    }
}

TEST(answer_of_list_reads_numbers_and_labels)
{
    static const struct {
        const char *said, *payload; /* NULL: not an answer */
    } rows[] = {
        { "1", "y" }, { " 2 ", "No" }, { "yes", "y" }, { "NO", "No" }, { "0", NULL }, { "3", NULL }, { "-1", NULL }, { "maybe", NULL },
        { "1.", NULL }, { "yes please", NULL }, { "99999999999999999999", NULL },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice list = SL("[[\"Yes\",\"y\"],[\"No\",\"No\"]]");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message m = { .kind = KIND_TEXT, .text = slice_of(rows[i].said) };
        CHECK_ROW(i, answer_of_list(a, list, &m) == (rows[i].payload != NULL));
        CHECK_ROW(i, m.kind == (rows[i].payload ? KIND_ANSWER : KIND_TEXT) && slice_eq(m.payload, slice_of(rows[i].payload)));
    }
    struct message m = { .kind = KIND_IMAGE, .text = SL("1") };
    CHECK(!answer_of_list(a, list, &m));
    m.kind = KIND_TEXT;
    slice labels = SL("[[\"Four\",\"4\",false],[\"Six\",\"6\",false]]");
    CHECK(!answer_of_list(a, labels, &m));
    m.text = SL("six");
    CHECK(answer_of_list(a, labels, &m) && slice_eq(m.payload, SL("6")));
    m = (struct message){ .kind = KIND_TEXT, .text = SL("1") };
    CHECK(!answer_of_list(a, SLICE_NONE, &m) && !answer_of_list(a, SL("broken"), &m));
}

TEST(adapt_tells_what_choices_lose)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct cut c = { .a = a };
    struct message m = choices(a, "?", 2, NULL);
    LIST_AT(m.choices, struct choice, 0)->image = SL("https://x.example/i.png");
    adapt(&c, &captions, NULL, &m);
    CHECK_SLICE(c.got.note, SL("short-label choice-picture"));
}

TEST(answer_label_finds_what_was_shown)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct message offered[2] = { { .kind = KIND_TEXT, .text = SL("x") }, { .kind = KIND_CARDS } };
    struct card *card = LIST_ADD(a, &offered[1].cards, struct card);
    *LIST_ADD(a, &card->choices, struct choice) = (struct choice){ .label = SL("Buy tea"), .payload = SL("buy-tea") };
    *LIST_ADD(a, &card->choices, struct choice) = (struct choice){ .label = SL("More"), .url = SL("https://x") };
    *LIST_ADD(a, &card->choices, struct choice) = (struct choice){ .label = SL("Same"), .payload = SL("Same") };
    slice offer = offer_of_parts(a, offered, 2);
    CHECK_SLICE(offer, SL("[[\"Buy tea\",\"buy-tea\"]]"));
    CHECK(!offer_of_parts(a, offered, 1).p);
    struct message m = { .kind = KIND_ANSWER, .payload = SL("buy-tea"), .text = SL("buy-tea") };
    answer_label(a, offer, &m);
    CHECK_SLICE(m.text, SL("Buy tea"));
    m.text = SL("What the guest saw");
    answer_label(a, offer, &m);
    CHECK_SLICE(m.text, SL("What the guest saw"));
    m = (struct message){ .kind = KIND_ANSWER, .payload = SL("other") };
    answer_label(a, offer, &m);
    answer_label(a, SLICE_NONE, &m);
    CHECK(!m.text.n);
}
