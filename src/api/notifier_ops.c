/* The destinations of notifications, for an operator: how they stand, and a test of one. */
#include "api/ops.h"
#include "hub/notice.h"

enum { LIST_BYTES = 128 << 10, TESTED_BYTES = 16 << 10 };

static void show(void *arg, const struct notice_standing *s)
{
    struct jw *w = arg;
    jw_open(w, NULL, '{');
    notice_standing_write(w, s);
    jw_str(w, "address", s->tail[0] ? arena_printf(w->t.a, "…%s", s->tail) : SL("…"));
    jw_close(w, '}');
}

static void list(struct exchange *x, void *ctx)
{
    const struct door *door = ctx;
    if (!ops_allowed(door, x))
        return;
    struct jw w = jw_new(x->a, LIST_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "notifiers", '[');
    if (ops_hub(door)->notices)
        notices_each(ops_hub(door)->notices, show, &w);
    jw_close(&w, ']');
    jw_close(&w, '}');
    exchange_json(x, 200, jw_done(&w));
}

static void tested(void *arg, const struct notice_tested *t)
{
    struct exchange *x = arg;
    struct jw w = jw_new(x->a, TESTED_BYTES);
    jw_open(&w, NULL, '{');
    jw_bool(&w, "taken", !*t->why);
    jw_int(&w, "status", t->status);
    jw_str(&w, "answer", t->answer);
    jw_opt(&w, "why", slice_of(t->why));
    jw_int(&w, "took_ms", t->took_us / 1000);
    jw_close(&w, '}');
    exchange_json(x, *t->why ? 502 : 200, jw_done(&w));
}

static void test(struct exchange *x, void *ctx)
{
    const struct door *door = ctx;
    struct fault f = { 0 };
    if (!ops_allowed(door, x))
        return;
    slice name = js_text(js_at(js_parse(x->a, x->body, &f), "name"));
    if (name.p && ops_hub(door)->notices && notices_test(ops_hub(door)->notices, name, tested, x))
        return;
    fault(&f, name.p ? "unknown" : "missing_field", "name", name.p ? "there is no notifier of this name" : "the name of a notifier is needed");
    exchange_fault(x, name.p ? 404 : 400, &f);
}

void notifier_ops_routes(struct door *door, struct server *s)
{
    server_route(s, "POST", "/internal/notifiers", 0, list, door);
    server_route(s, "POST", "/internal/notifiers/test", 0, test, door);
}
