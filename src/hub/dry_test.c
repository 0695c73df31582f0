#include "hub/dry.h"
#include "tests/harness/test.h"

enum { NAME, TOKEN, KEY, N_SETTINGS };
static const struct setting rows[N_SETTINGS] = {
    { .name = "name", .otherwise = "nobody" }, { .name = "token", .secret = true, .required = true }, { .name = "key", .secret = true },
};

/* A file is asked for first; two calls for a text, the second with what the first brought. "round" never ends; "no" is refused. */
static enum outcome town_deliver(struct call *c, struct delivery *d)
{
    const struct message *p = &d->parts[0];
    slice id = d->last ? js_text(js_at(js_parse(c->a, d->last->body, NULL), "id")) : SLICE_NONE;
    if (slice_eq(p->text, SL("no")))
        return refuse(c, d, REASON_INVALID, "no is no answer");
    d->call.method = "POST";
    if (d->step++ == 0) {
        d->call.url = arena_printf(c->a, "https://town.example/" SLF "/" SLF "/" SLF, SLA(setting(c, NAME)), SLA(setting(c, TOKEN)),
                                   SLA(memory_get(c->guest_memory, "door", c->now_ms)));
        return OUT_CALL;
    }
    if (slice_eq(p->text, SL("round")) || d->step == 2) {
        d->call.url = arena_printf(c->a, "https://town.example/next/" SLF, SLA(id));
        return OUT_CALL;
    }
    memory_set(c->guest_memory, "door", SL("shut"), 0);
    return OUT_DELIVERED;
}

static const struct connector town = {
    .name = "town", .title = "Town", .settings = rows, .n_settings = N_SETTINGS, .caps = { .kinds = CAN(KIND_TEXT) }, .deliver = town_deliver,
    .dry = { .guest = "g1", .guest_memory = "{\"door\":[\"open\",0]}", .answer = "{\"id\":\"7\"}" },
};

static slice calls_of(struct arena *a, struct dry *dry, const char *text)
{
    struct message m = { .kind = KIND_TEXT, .text = slice_of(text) };
    struct text t = text_new(a, 1 << 16);
    dry_run(a, dry, &m);
    for (size_t i = 0; i < dry->calls.n; i++)
        text_add(&t, "%s" SLF, i ? " " : "", SLA(LIST_AT(dry->calls, struct http_call, i)->url));
    return text_slice(&t);
}

TEST(dry_run_steps_as_if_all_went_well)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct dry dry = { .type = &town, .now_ms = 1 };
    for (int i = 0; i < 2; i++) { /* nothing is remembered */
        CHECK_SLICE(calls_of(a, &dry, "hi"), SL("https://town.example/nobody/***/open https://town.example/next/7"));
        CHECK_INT(dry.end, OUT_DELIVERED);
    }
}

TEST(dry_run_uses_settings_but_no_secret)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const slice values[N_SETTINGS] = { SL("anna"), SL("s3cret"), SL("k3y") };
    const struct account acc = { .id = SL("acme/town"), .name = SL("town"), .tenant = SL("acme"), .type = &town, .settings = values };
    struct dry dry = { .type = &town, .account = &acc, .now_ms = 1 };
    CHECK_SLICE(calls_of(a, &dry, "hi"), SL("https://town.example/anna/***/open https://town.example/next/7"));
    CHECK_SLICE(values[TOKEN], SL("s3cret"));
}

TEST(dry_run_says_why_not)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct dry dry = { .type = &town, .now_ms = 1 };
    CHECK_SLICE(calls_of(a, &dry, "no"), SL(""));
    CHECK(dry.end == OUT_REFUSED && dry.reason == REASON_INVALID);
    CHECK_SLICE(slice_of(dry.fault.text), SL("no is no answer"));
    CHECK_SLICE(calls_of(a, &dry, " "), SL(""));
    CHECK(dry.end == OUT_REFUSED && dry.reason == REASON_INVALID && dry.adapted.n == 0);
    calls_of(a, &dry, "round");
    CHECK_INT(dry.calls.n, DRY_CALLS_MAX);
    CHECK(dry.end == OUT_REFUSED && strcmp(dry.fault.code, "too_many_calls") == 0);
}

TEST(dry_run_tells_the_rules)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct dry dry = { .type = &town, .now_ms = 1 };
    struct message m = { .kind = KIND_CHOICES, .text = SL("?") };
    *LIST_ADD(a, &m.choices, struct choice) = (struct choice){ .label = SL("Yes") };
    dry_run(a, &dry, &m);
    CHECK_SLICE(dry.adapted.note, SL("numbered"));
    CHECK(adapt_rule_find(dry.adapted.note) && !adapt_rule_find(dry.adapted.note)->loses && !adapt_rule_find(SL("none such")));
}
