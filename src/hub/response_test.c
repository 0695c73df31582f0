#include "hub/response_message.h"
#include "hub/command.h"
#include "hub/responses.h"
#include "hub/rig_test.h"

static const struct connector all_of_it = { .name = "net", .title = "A Net", .caps = { .kinds = ~0u } };
static const struct connector plain = { .name = "plain", .title = "A Plain Net", .caps = { .kinds = CAN(KIND_TEXT) } };

TEST(what_a_response_says)
{
    static const struct { slice text; const char *want; } rows[] = {
        { SLI(" Hello \n"), "[{\"kind\":\"text\",\"text\":\"Hello\"}]" },
        { SLI("{not json}"), "[{\"kind\":\"text\",\"text\":\"{not json}\"}]" },
        { SLI("{\"text\":\"Hi\"}"), "[{\"kind\":\"text\",\"text\":\"Hi\"}]" },
        { SLI("{\"genesys_prompt\":\"Ok?\",\"genesys_quick_replies\":[{\"text\":\"Yes\",\"payload\":\"y\"},{\"text\":\"No\"},]}"),
          "[{\"kind\":\"choices\",\"text\":\"Ok?\",\"choices\":[{\"label\":\"Yes\",\"payload\":\"y\"},{\"label\":\"No\"}]}]" },
        { SLI("{\"type\":\"location\",\"title\":\"T\",\"address\":\"A\",\"latitude\":\"35.5\",\"longitude\":139.5}"),
          "[{\"kind\":\"location\",\"location\":{\"lat\":35.5,\"lon\":139.5,\"title\":\"T\",\"address\":\"A\"}}]" },
        { SLI("{\"type\":\"sticker\",\"title\":\"Hug\",\"stickerId\":40130}"), "[{\"kind\":\"sticker\",\"sticker\":{\"id\":\"40130\",\"title\":\"Hug\"}}]" },
        { SLI("{\"type\":\"card\",\"title\":\"C\",\"description\":\"D\",\"image\":\"https://x/y.png\",\"actions\":[{\"text\":\"Go\",\"url\":\"https://x\"}]}"),
          "[{\"kind\":\"cards\",\"cards\":[{\"title\":\"C\",\"text\":\"D\",\"image\":\"https://x/y.png\",\"choices\":[{\"label\":\"Go\",\"url\":\"https://x\"}]}]}]" },
        { SLI("{\"type\":\"carousel\",\"cards\":[{\"title\":\"1\"},{\"title\":\"2\"}]}"), "[{\"kind\":\"cards\",\"cards\":[{\"title\":\"1\"},{\"title\":\"2\"}]}]" },
        { SLI("{\"type\":\"Button\",\"name\":\"John\",\"text\":\"Less\"}"), "[{\"kind\":\"choices\",\"text\":\"Less\",\"choices\":[{\"label\":\"John\"}]}]" },
        { SLI("{\"kind\":\"text\",\"text\":\"ours\",\"id\":\"theirs\"}"), "[{\"kind\":\"text\",\"text\":\"ours\"}]" },
        { SLI("[\"one\",{\"type\":\"text\",\"text\":\"two\"}]"), "[{\"kind\":\"text\",\"text\":\"one\"},{\"kind\":\"text\",\"text\":\"two\"}]" },
        { SLI("{\"type\":\"flex\",\"altText\":\"x\" /* y */}"), "[{\"kind\":\"native\",\"native_for\":\"net\",\"native\":{\"type\":\"flex\",\"altText\":\"x\"}}]" },
        { SLI("{\"type\":\"text\",\"text\":\"x\",\"quickReply\":{}}"), "[{\"kind\":\"native\",\"native_for\":\"net\",\"native\":{\"type\":\"text\",\"text\":\"x\",\"quickReply\":{}}}]" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct js_list list, again;
        struct fault f = { 0 };
        CHECK_ROW(i, response_messages(a, rows[i].text, &all_of_it, &list, &f));
        slice json = messages_print(a, &list);
        const struct js *got = js_parse(a, json, NULL), *want = js_parse(a, slice_of(rows[i].want), NULL);
        if (!js_equal(got, want))
            fprintf(stderr, "%zu: " SLF "\n", i, SLA(json));
        CHECK_ROW(i, js_equal(got, want));
        CHECK_ROW(i, messages_read(a, json, &again) && slice_eq(messages_print(a, &again), json));
    }
}

TEST(what_a_response_cannot_say)
{
    static const struct { slice text; const char *field, *text_of; } rows[] = {
        { SLI("  "), "", "it is empty" },
        { SLI("{\"a\":1"), "", "its JSON is not valid: line 1: the text ends, and the object that began in line 1 is not closed" },
        { SLI("{\"a\":1,\"a\":2}"), "", NULL },
        { SLI("{}"), "", "the object is empty" },
        { SLI("[{}]"), "", "the object is empty" },
        { SLI("{\"type\":\"location\",\"latitude\":91,\"longitude\":0}"), "latitude", NULL },
        { SLI("{\"type\":\"sticker\"}"), "stickerId", NULL },
        { SLI("{\"type\":\"image\",\"url\":\"file:///etc/passwd\"}"), "url", NULL },
        { SLI("{\"genesys_prompt\":\"x\"}"), "genesys_quick_replies", NULL },
        { SLI("{\"type\":\"flex\"}"), "type", "A Plain Net takes no objects of its own, and this one is none that all networks have" },
        { SLI("[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\"]"), "", "more than 10 messages" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct js_list list;
        struct fault f = { 0 };
        CHECK_ROW(i, !response_messages(a, rows[i].text, &plain, &list, &f));
        CHECK_ROW(i, f.code && strcmp(f.field, rows[i].field) == 0 && (!rows[i].text_of || strcmp(f.text, rows[i].text_of) == 0));
    }
}

TEST(a_typical_response_costs_microseconds)
{
    enum { TIMES = 2000 };
    static const struct substitution subs[] = { { SLI("name"), { 0 }, SLI("you") }, { SLI("total"), { 0 }, SLI("0") } };
    const struct canned_response r = { .name = SL("r"), .text = SL("{\"genesys_prompt\":\"{{name}}, {{if gt .total 10}}you pay less{{else}}another time{{end}}\","
                                                                   "\"genesys_quick_replies\":[{\"text\":\"{{upper name}}\"},{\"text\":\"No\"}]}"),
                                       .substitutions = { (void *)(uintptr_t)subs, COUNT(subs) } };
    const struct template_pair values[] = { { SLI("name"), SLI("Ann") }, { SLI("total"), SLI("12") } };
    struct rig *rig = rig_new();
    rig_text(rig, "1", "U1", "hello");
    UNTIL(rig, rig_count(rig, J_DELIVERED) == 1);
    struct js_list list;
    struct fault f = { 0 };
    slice text;
    int64_t began_us = time_mono_us(), rendered_us = 0;
    for (int i = 0; i < TIMES; i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        int64_t at_us = time_mono_us();
        CHECK(response_render(&rig->hub, a, &r, SLICE_NONE, values, COUNT(values), &text, &f));
        rendered_us += time_mono_us() - at_us;
        CHECK(response_messages(a, text, &all_of_it, &list, &f) && list.n == 1);
    }
    printf("# rendering a typical response: %.1f us; made into messages: %.1f us\n", (double)rendered_us / TIMES, (double)(time_mono_us() - began_us) / TIMES);
    rig_free(rig);
}

/* ---- kept ---------------------------------------------------------------------------------------------------------------- */

/* A desk that keeps responses: a POST of the name; 200: its text is the vendor's answer ("v" and a number, another one each time), 404: none, 403: refused. */
static enum outcome ask_desk(struct call *c, struct delivery *d)
{
    if (!d->last) {
        d->call.method = "POST";
        d->call.url = arena_printf(c->a, SLF "/vendor/response", SLA(account_setting(c->account, "base_url")));
        d->call.body = d->wanted;
        d->call.repeatable = true;
        return OUT_CALL;
    }
    if (d->last->status == 403)
        return fault(c->f, "refused", "", "not for you"), OUT_REFUSED;
    if (d->last->status == 200)
        d->response = (struct canned_response){ .name = d->wanted, .text = arena_dup(c->a, d->last->body) };
    return d->last->status == 200 || d->last->status == 404 ? OUT_DELIVERED : OUT_RETRY;
}

static int desk_status; /* what it answers */
static int desk_answer(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_eq(s->path, SL("/vendor/response")) ? desk_status : 200;
}

static size_t asked_for(struct rig *r, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_seen; i++)
        n += slice_eq(r->seen[i].path, SL("/vendor/response")) && slice_eq(r->seen[i].body, slice_of(name));
    return n;
}

struct told { /* "TEXT", or "!code" */
    char text[200];
    unsigned times;
};
static void take(void *arg, const struct canned_response *r, const struct fault *f)
{
    struct told *to = arg;
    to->times++;
    if (r)
        snprintf(to->text, sizeof(to->text), SLF, SLA(r->text));
    else
        snprintf(to->text, sizeof(to->text), "!%s", f->code);
}

static const char *find(struct rig *r, const char *name, struct told *to)
{
    *to = (struct told){ 0 };
    responses_find(r->desk->tenant, slice_of(name), take, to);
    UNTIL(r, to->times == 1);
    return to->text;
}

static void made(void *arg, const struct own_response *o, const struct fault *f)
{
    CHECK(o && !f);
    *(bool *)arg = true;
}

TEST(responses_of_a_desk_are_kept)
{
    struct rig *r = rig_new();
    struct connector keeps = *r->desk->account.type;
    const struct connector *type = r->desk->account.type;
    struct told a, b;
    keeps.canned.find = ask_desk;
    keeps.canned.total_ms = 5000;
    r->desk->account.type = &keeps;
    r->answer = desk_answer;
    desk_status = 200;
    CHECK(!responses_peek(r->desk->tenant, SL("Hours")));
    responses_find(r->desk->tenant, SL("Hours"), take, (a = (struct told){ 0 }, &a));
    responses_find(r->desk->tenant, SL("hours"), take, (b = (struct told){ 0 }, &b));
    UNTIL(r, a.times == 1 && b.times == 1);
    CHECK(a.text[0] == 'v' && strcmp(a.text, b.text) == 0);
    find(r, "HOURS", &b);
    CHECK(asked_for(r, "Hours") == 1 && asked_for(r, "hours") == 0 && asked_for(r, "HOURS") == 0 && strcmp(a.text, b.text) == 0);
    CHECK_SLICE(responses_peek(r->desk->tenant, SL("hours"))->text, slice_of(a.text));

    desk_status = 404; /* none of the name: the hub's own then */
    CHECK(strcmp(find(r, "Place", &b), "!no_response") == 0);
    CLEANUP(arena_freep) struct arena *mem = arena_new();
    bool there = false;
    response_put(&r->hub, NULL, js_parse(mem, SL("{\"name\":\"Place\",\"text\":\"ours\"}"), NULL), SL("me"), made, &there);
    UNTIL(r, there);
    CHECK(strcmp(find(r, "Place", &b), "ours") == 0);
    CHECK_SLICE(responses_peek(r->desk->tenant, SL("place"))->text, SL("ours"));
    desk_status = 403;
    CHECK(strcmp(find(r, "Secret", &b), "!response_refused") == 0);
    desk_status = 500;
    CHECK(strcmp(find(r, "Other", &b), "!response_failed") == 0);

    /* Old ones serve while the desk is asked again, also while it is away; what is in use is asked for again by itself. */
    r->hub.limits.response_haste = 2000; /* a minute is 30 ms, a day 43 s */
    size_t before = asked_for(r, "Hours");
    rig_turn(r, 40);
    CHECK(strcmp(find(r, "Hours", &b), a.text) == 0);
    UNTIL(r, asked_for(r, "Hours") > before);
    CHECK(strcmp(find(r, "Hours", &b), a.text) == 0);
    desk_status = 200;
    responses_start(&r->hub);
    UNTIL(r, strcmp(find(r, "Hours", &b), a.text) != 0);
    before = asked_for(r, "Hours");
    UNTIL(r, asked_for(r, "Hours") > before + 2);
    r->desk->account.type = type;
    rig_free(r);
}
