#include "hub/pages.h"
#include "hub/inbox.h"
#include "hub/meters.h"
#include "hub/state.h"
#include "net/server.h"
#include "store/seal.h"

struct served { /* a page at its path */
    struct served *next;
    struct hub *hub;
    const struct connector *type;
    const struct route_extra *page;
    struct bucket *writes; /* one for all pages of the connector */
};
struct visit { /* one request */
    const struct served *at;
    struct exchange *x;
    struct request rq;
    struct call call;
    struct record record;
    struct fault fault;
    struct inbox in;
    size_t part; /* being loaded */
};

static slice part_key(struct arena *a, slice connector, slice key, size_t part)
{
    return arena_printf(a, "p:" SLF ":" SLF ":%zu", SLA(connector), SLA(key), part);
}

static slice part_open(struct hub *h, struct arena *a, slice key, slice sealed)
{
    struct secret plain = { 0 };
    struct fault f = { 0 };
    slice found = SLICE_NONE;
    if (sealed.p && seal_reveal(h->seal, key, sealed, &plain, &f))
        found = arena_dup(a, secret_reveal(&plain));
    secret_wipe(&plain);
    if (f.code)
        log_end(log_begin_fault(h->log, LEVEL_ERROR, &f, "A registration cannot be read"));
    return found;
}

/* ---- answering -------------------------------------------------------------------------------------------------------- */

static void answer(struct visit *v)
{
    struct response r = inbox_response(&v->in);
    exchange_answer(v->x, &r);
}

static void kept(void *arg, bool ok)
{
    struct visit *v = arg;
    struct fault f;
    if (ok) {
        answer(v);
        return;
    }
    fault(&f, "not_stored", "", "it could not be stored; send it again");
    exchange_fault(v->x, 503, &f);
}

static void keep(struct visit *v)
{
    struct hub *h = v->at->hub;
    struct jbatch *b = jbatch_new(h->journal);
    slice name = slice_of(v->at->type->name), own = v->record.key;
    if (v->record.move) {
        assert(v->record.to.n && !v->record.to_taken);
        for (size_t i = 0; i < RECORD_PARTS; i++)
            state_put(h->state, b, part_key(v->x->a, name, own, i), SLICE_NONE);
        own = v->record.to;
    }
    for (size_t i = 0; i < RECORD_PARTS; i++) {
        slice key = part_key(v->x->a, name, own, i), part = v->record.part[i];
        assert(part.n <= RECORD_PART_MAX);
        state_put(h->state, b, key, part.n ? seal_close(h->seal, v->x->a, key, part) : SLICE_NONE);
    }
    jbatch_commit(b, JOURNAL_DURABLE, kept, v);
}

static void serve(struct visit *v)
{
    struct hub *h = v->at->hub;
    struct record *p = &v->record;
    struct fault ignored = { 0 };
    struct call *calls = ARENA_ARRAY(v->x->a, struct call, h->n_actors + 1);
    for (size_t i = 0; i < h->n_actors; i++)
        if (h->actors[i]->account.type == v->at->type && !h->actors[i]->retired)
            actor_call(h->actors[i], &calls[p->n_accounts++], v->x->a, NULL, &ignored);
    p->accounts = calls;
    inbox_init(&v->in, v->x->a);
    if (!v->at->page->receive(&v->call, &v->rq, &v->in)) {
        exchange_fault(v->x, 400, &v->fault);
        return;
    }
    assert(!v->in.n && !v->in.ask && !v->in.resumed.n);
    if (p->note) {
        struct log_line *l = log_begin(h->log, LEVEL_WARN, "%s: a customer %s", v->at->type->title, p->note);
        log_str(l, "connector", slice_of(v->at->type->name));
        log_str(l, "key", p->key);
        log_end(l);
    }
    if (p->keep && p->key.n)
        keep(v);
    else
        answer(v);
}

static void load(struct visit *v);

static void loaded(void *arg, slice value)
{
    struct visit *v = arg;
    struct arena *a = v->x->a;
    v->record.part[v->part] = part_open(v->at->hub, a, part_key(a, slice_of(v->at->type->name), v->record.key, v->part), value);
    v->part++;
    load(v);
}

static void to_loaded(void *arg, slice value)
{
    struct visit *v = arg;
    v->record.to_taken = value.p != NULL;
    serve(v);
}

static slice to_of(struct visit *v)
{
    const struct record_of *of = v->at->page->record;
    slice to = of->moves_to ? of->moves_to(v->x->a, &v->rq) : SLICE_NONE;
    return to.n > RECORD_KEY_MAX || slice_eq(to, v->record.key) ? SLICE_NONE : to;
}

static void load(struct visit *v)
{
    if (v->part == RECORD_PARTS && (v->record.to = to_of(v)).n)
        state_get(v->at->hub->state, part_key(v->x->a, slice_of(v->at->type->name), v->record.to, 0), to_loaded, v);
    else if (v->part == RECORD_PARTS || !v->record.key.n)
        serve(v);
    else
        state_get(v->at->hub->state, part_key(v->x->a, slice_of(v->at->type->name), v->record.key, v->part), loaded, v);
}

static void on_page(struct exchange *x, void *ctx)
{
    struct served *at = ctx;
    struct fault f;
    bool writes = !slice_eq(x->method, SL("GET")) && !slice_eq(x->method, SL("HEAD"));
    if (writes && bucket_take(at->writes, time_mono_us())) {
        fault(&f, "rate_limited", "", "too many requests; try again later");
        exchange_fault(x, 429, &f);
        return;
    }
    struct visit *v = ARENA_NEW(x->a, struct visit);
    *v = (struct visit){ .at = at, .x = x };
    v->rq = (struct request){ .method = x->method, .path = x->rest, .query = x->query, .body = x->body, .headers = x->headers,
                              .n_headers = x->n_headers };
    v->call = (struct call){ .a = x->a, .now_ms = time_now_ms(), .f = &v->fault, .record = &v->record };
    random_bytes(v->call.random, sizeof(v->call.random));
    v->record = (struct record){ .public_url = at->hub->public_url, .key = at->page->record->key(x->a, &v->rq) };
    if (v->record.key.n > RECORD_KEY_MAX)
        v->record.key = SLICE_NONE;
    load(v);
}

/* ---- routes ------------------------------------------------------------------------------------------------------------ */

static bool has_pages(const struct connector *type)
{
    for (size_t k = 0; k < type->n_routes; k++)
        if (type->routes[k].record)
            return true;
    return false;
}

bool pages_are_named(const struct connector *type, slice list)
{
    while (list.p) {
        slice word = slice_cut(&list, ',');
        while (word.p)
            if (slice_eq(slice_trim(slice_cut(&word, ' ')), slice_of(type->name)))
                return has_pages(type);
    }
    return false;
}

void pages_routes(struct hub *h, struct server *s, const struct connector *type)
{
    for (const struct served *at = h->pages; at; at = at->next)
        if (at->type == type)
            return;
    struct bucket *writes = ARENA_NEW(h->a, struct bucket);
    bucket_init(writes, PAGE_WRITES, PAGE_WRITES_MS);
    writes->burst = writes->tokens = PAGE_BURST;
    for (size_t k = 0; k < type->n_routes; k++) {
        const struct route_extra *page = &type->routes[k];
        if (!page->record)
            continue;
        struct served *at = ARENA_NEW(h->a, struct served);
        *at = (struct served){ h->pages, h, type, page, writes };
        h->pages = at;
        server_route(s, page->method, page->path, page->body_max, on_page, at);
    }
}

struct asking {
    struct hub *hub;
    slice key;
    struct arena *a;
    void (*done)(void *arg, slice part);
    void *arg;
};

static void record_loaded(void *arg, slice value)
{
    struct asking *q = arg;
    q->done(q->arg, part_open(q->hub, q->a, q->key, value));
    arena_free(q->a);
}

void pages_record(struct hub *h, slice connector, slice key, void (*done)(void *arg, slice part), void *arg)
{
    if (key.n > RECORD_KEY_MAX) {
        done(arg, SLICE_NONE);
        return;
    }
    struct arena *a = arena_new();
    struct asking *q = ARENA_NEW(a, struct asking);
    *q = (struct asking){ h, part_key(a, connector, key, 0), a, done, arg };
    state_get(h->state, q->key, record_loaded, q);
}
