/* router.c - routes by pattern, faults around every vendor call, and answers. */
#include "sim/router.h"
#include "sim/faults.h"
#include "web/page.h"

/* What the router knows of a call; lives in the exchange's arena. */
struct pending {
    struct sim_call call;
    struct router *router;
    const char *pattern;
    struct fault_plan plan;
    struct loop_timer timer;      /* a late answer, or the end of an answer that never comes */
    struct pending *next, **here; /* those that wait for their timer */
    struct response response;
};

struct table {
    const struct sim_route *t;
    size_t n;
    void *ctx;
};
enum { TABLES_MAX = 12 };

struct router {
    struct sim_env *env;
    struct table tables[TABLES_MAX];
    size_t n;
    sim_handler unknown;
    void *unknown_ctx;
    struct pending *waiting;
};

static struct pending *pending_of(const struct sim_call *c)
{
    return c->impl;
}

/* ---- answering -------------------------------------------------------------------------------------------------------------- */

static void wait_for(struct pending *p, int64_t ms, void (*fn)(void *))
{
    p->next = p->router->waiting;
    p->here = &p->router->waiting;
    if (p->next)
        p->next->here = &p->next;
    p->router->waiting = p;
    loop_timer_start(p->router->env->loop, &p->timer, ms, fn, p);
}

static void waited(struct pending *p)
{
    *p->here = p->next;
    if (p->next)
        p->next->here = p->here;
    loop_timer_done(&p->timer);
}

static void answer_now(struct pending *p)
{
    exchange_answer(p->call.x, &p->response);
}

static void answer_late(void *arg)
{
    struct pending *p = arg;
    waited(p);
    answer_now(p);
}

static void never_answer(void *arg)
{
    struct pending *p = arg;
    waited(p);
    exchange_abort(p->call.x);
}

void sim_header(struct sim_call *c, const char *name, slice value)
{
    assert(c->n_headers < SIM_HEADERS_MAX);
    c->headers[c->n_headers++] = (struct header){ slice_of(name), value };
}

void sim_answer(struct sim_call *c, int status, slice type, slice body)
{
    struct pending *p = pending_of(c);
    p->response = (struct response){
        .status = status, .type = type, .body = body, .headers = c->headers, .n_headers = c->n_headers };
    if (p->plan.act == FAULT_RESET_AFTER)
        exchange_abort(c->x);
    else if (p->plan.act == FAULT_TIMEOUT)
        wait_for(p, p->plan.timeout_ms, never_answer);
    else if (p->plan.slow_ms > 0)
        wait_for(p, p->plan.slow_ms, answer_late);
    else
        answer_now(p);
}

void sim_json(struct sim_call *c, int status, slice body)
{
    sim_answer(c, status, SL("application/json"), body);
}

void sim_fault(struct sim_call *c, int status, const struct fault *f)
{
    struct jw w = jw_new(c->x->a, 8 << 10);
    jw_open(&w, NULL, '{');
    jw_str(&w, "code", slice_of(f->code));
    jw_str(&w, "message", slice_of(f->text));
    jw_str(&w, "field", slice_of(f->field));
    jw_close(&w, '}');
    sim_json(c, status, jw_done(&w));
}

void sim_refuse(struct sim_call *c, int status, const char *code, const char *field, const char *text)
{
    struct fault f = { 0 };
    fault(&f, code, field, "%s", text);
    sim_fault(c, status, &f);
}

const struct js *sim_object(struct sim_call *c)
{
    struct fault f = { 0 };
    const struct js *doc = js_parse(c->x->a, c->x->body.n ? c->x->body : SL("{}"), &f);
    if (js_is_object(doc))
        return doc;
    if (doc)
        fault(&f, "wrong_type", "", "an object");
    sim_fault(c, 400, &f);
    return NULL;
}

slice sim_text(const struct js *object, const char *name, const char *otherwise)
{
    slice s = js_text(js_at(object, name));
    return s.p ? s : slice_of(otherwise);
}

void sim_page(struct sim_call *c, const char *name)
{
    const struct page *page = page_find(slice_of(name));
    if (!page) {
        sim_answer(c, 404, SL("text/plain; charset=utf-8"), SL("This build holds no pages.\n"));
        return;
    }
    /* The page names the hashes of its own script and style; framing can only be refused here. */
    sim_header(c, "Content-Security-Policy", SL("frame-ancestors 'none'"));
    sim_header(c, "X-Content-Type-Options", SL("nosniff"));
    sim_header(c, "Referrer-Policy", SL("no-referrer"));
    sim_header(c, "Cache-Control", SL("no-cache"));
    sim_answer(c, 200, SL("text/html; charset=utf-8"), slice_mem(page->bytes, page->n));
}

const char *sim_pattern(const struct sim_call *c)
{
    return pending_of(c)->pattern;
}

struct events *sim_events(struct sim_call *c, void (*gone)(void *), void *arg)
{
    return exchange_events(c->x, gone, arg);
}

void sim_abort(struct sim_call *c)
{
    exchange_abort(c->x);
}

/* ---- routing ---------------------------------------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A broken escape stays as it is. */
static slice percent_decode(struct arena *a, slice s)
{
    if (slice_find_char(s, '%') == SIZE_MAX)
        return s;
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0) {
            p[n++] = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
            i += 2;
        } else {
            p[n++] = s.p[i];
        }
    }
    p[n] = 0;
    return slice_mem(p, n);
}

static bool pattern_takes(struct arena *a, slice pattern, slice path, slice *params)
{
    size_t n = 0;
    while (pattern.n) {
        slice want, got;
        if (slice_eq(pattern, SL("*"))) {
            assert(n < SIM_PARAMS_MAX);
            params[n] = path;
            return true;
        }
        if (!path.n || path.p[0] != pattern.p[0]) /* both begin with '/' */
            return false;
        pattern = slice_from(pattern, 1);
        path = slice_from(path, 1);
        want = slice_sub(pattern, 0, MIN(slice_find_char(pattern, '/'), pattern.n));
        if (slice_eq(want, SL("*")))
            continue;
        got = slice_sub(path, 0, MIN(slice_find_char(path, '/'), path.n));
        if (want.n && want.p[0] == ':') {
            assert(n < SIM_PARAMS_MAX);
            if (!got.n)
                return false;
            params[n++] = percent_decode(a, got);
        } else if (!slice_eq(want, got)) {
            return false;
        }
        pattern = slice_from(pattern, want.n);
        path = slice_from(path, got.n);
    }
    return path.n == 0;
}

static const struct sim_route *route_find(struct router *r, struct pending *p, void **ret_ctx)
{
    const struct exchange *x = p->call.x;
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->tables[i].n; k++) {
            const struct sim_route *route = &r->tables[i].t[k];
            if (strcmp(route->method, "*") != 0 && !slice_eq(slice_of(route->method), x->method))
                continue;
            if (!pattern_takes(x->a, slice_of(route->pattern), x->path, p->call.params))
                continue;
            *ret_ctx = r->tables[i].ctx;
            return route;
        }
    memset(p->call.params, 0, sizeof(p->call.params));
    return NULL;
}

/* A status asked for by a rule, in the vendor's words. */
static void refuse(struct pending *p)
{
    struct sim_call *c = &p->call;
    const struct sim *sim = c->env->sim;
    if (p->plan.retry_after_s)
        sim_header(c, "Retry-After", arena_printf(c->x->a, "%lld", (long long)p->plan.retry_after_s));
    if (sim->refuse)
        sim->refuse(c, p->plan.status);
    else
        sim_answer(c, p->plan.status, SLICE_NONE, SLICE_NONE);
}

static void take(struct exchange *x, void *ctx)
{
    struct router *r = ctx;
    struct pending *p = ARENA_NEW(x->a, struct pending);
    p->router = r;
    p->call = (struct sim_call){ .x = x, .env = r->env, .impl = p };

    void *route_ctx = r->unknown_ctx;
    const struct sim_route *route = route_find(r, p, &route_ctx);
    p->pattern = route ? route->pattern : "";
    if (!route || !(route->flags & SIM_CONTROL))
        p->plan = faults_plan(r->env->faults, x->method, x->path);

    if (p->plan.act == FAULT_DOWN || p->plan.act == FAULT_RESET_BEFORE)
        exchange_abort(x);
    else if (p->plan.act == FAULT_STATUS)
        refuse(p);
    else if (route)
        route->fn(&p->call, route_ctx);
    else if (r->unknown)
        r->unknown(&p->call, r->unknown_ctx);
    else
        sim_answer(&p->call, 404, SLICE_NONE, SLICE_NONE);
}

void sim_routes(struct sim_env *env, const struct sim_route *t, size_t n, void *ctx, sim_handler unknown)
{
    struct router *r = env->router;
    assert(r->n < TABLES_MAX);
    r->tables[r->n++] = (struct table){ t, n, ctx };
    if (unknown) {
        r->unknown = unknown;
        r->unknown_ctx = ctx;
    }
}

struct router *router_new(struct sim_env *env)
{
    struct router *r = must_calloc(1, sizeof(*r));
    r->env = env;
    server_route(env->server, "*", "/*", SIM_BODY_MAX, take, r);
    return r;
}

void router_abort(struct router *r)
{
    while (r->waiting)
        never_answer(r->waiting);
}

void router_free(struct router *r)
{
    assert(!r || !r->waiting);
    free(r);
}
