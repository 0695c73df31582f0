#include "hub/pages.h"
#include "hub/meters.h"
#include "hub/state.h"
#include "net/server.h"
#include "store/seal.h"

struct served { /* a page at its path */
    struct served *next;
    struct hub *hub;
    const struct connector *type;
    const struct page *page;
    struct bucket *writes; /* one for all pages of the connector */
};
struct visit { /* one request */
    const struct served *at;
    struct exchange *x;
    struct request rq;
    struct page_call call;
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
    const struct page_call *p = &v->call;
    exchange_answer(v->x, &(struct response){ .status = p->status ? p->status : 200, .type = p->type, .body = p->body,
                                              .headers = p->headers, .n_headers = p->n_headers });
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
    slice name = slice_of(v->at->type->name), own = v->call.key;
    if (v->call.move) {
        assert(v->call.to.n && !v->call.to_taken);
        for (size_t i = 0; i < PAGE_PARTS; i++)
            state_put(h->state, b, part_key(v->x->a, name, own, i), SLICE_NONE);
        own = v->call.to;
    }
    for (size_t i = 0; i < PAGE_PARTS; i++) {
        slice key = part_key(v->x->a, name, own, i), part = v->call.record[i];
        assert(part.n <= PAGE_PART_MAX);
        state_put(h->state, b, key, part.n ? seal_close(h->seal, v->x->a, key, part) : SLICE_NONE);
    }
    jbatch_commit(b, JOURNAL_DURABLE, kept, v);
}

static void serve(struct visit *v)
{
    struct hub *h = v->at->hub;
    struct page_call *p = &v->call;
    struct fault ignored = { 0 };
    struct call *calls = ARENA_ARRAY(p->a, struct call, h->n_actors + 1);
    for (size_t i = 0; i < h->n_actors; i++)
        if (h->actors[i]->account.type == v->at->type && !h->actors[i]->retired)
            actor_call(h->actors[i], &calls[p->n_accounts++], p->a, NULL, &ignored);
    p->accounts = calls;
    random_bytes(p->random, sizeof(p->random));
    v->at->page->serve(p, &v->rq);
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
    v->call.record[v->part] = part_open(v->at->hub, a, part_key(a, slice_of(v->at->type->name), v->call.key, v->part), value);
    v->part++;
    load(v);
}

static void to_loaded(void *arg, slice value)
{
    struct visit *v = arg;
    v->call.to_taken = value.p != NULL;
    serve(v);
}

static slice to_of(struct visit *v)
{
    const struct page *page = v->at->page;
    slice to = page->moves_to ? page->moves_to(v->x->a, &v->rq) : SLICE_NONE;
    return to.n > PAGE_KEY_MAX || slice_eq(to, v->call.key) ? SLICE_NONE : to;
}

static void load(struct visit *v)
{
    if (v->part == PAGE_PARTS && (v->call.to = to_of(v)).n)
        state_get(v->at->hub->state, part_key(v->x->a, slice_of(v->at->type->name), v->call.to, 0), to_loaded, v);
    else if (v->part == PAGE_PARTS || !v->call.key.n)
        serve(v);
    else
        state_get(v->at->hub->state, part_key(v->x->a, slice_of(v->at->type->name), v->call.key, v->part), loaded, v);
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
    v->call = (struct page_call){ .a = x->a, .public_url = at->hub->public_url, .now_ms = time_now_ms() };
    v->call.key = at->page->key(x->a, &v->rq);
    if (v->call.key.n > PAGE_KEY_MAX)
        v->call.key = SLICE_NONE;
    load(v);
}

/* ---- routes ------------------------------------------------------------------------------------------------------------ */

bool pages_are_named(const struct connector *type, slice list)
{
    while (list.p) {
        slice word = slice_cut(&list, ',');
        while (word.p)
            if (slice_eq(slice_trim(slice_cut(&word, ' ')), slice_of(type->name)))
                return type->n_pages > 0;
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
    for (size_t k = 0; k < type->n_pages; k++) {
        struct served *at = ARENA_NEW(h->a, struct served);
        *at = (struct served){ h->pages, h, type, &type->pages[k], writes };
        h->pages = at;
        server_route(s, type->pages[k].method, type->pages[k].path, type->pages[k].body_max, on_page, at);
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
    if (key.n > PAGE_KEY_MAX) {
        done(arg, SLICE_NONE);
        return;
    }
    struct arena *a = arena_new();
    struct asking *q = ARENA_NEW(a, struct asking);
    *q = (struct asking){ h, part_key(a, connector, key, 0), a, done, arg };
    state_get(h->state, q->key, record_loaded, q);
}
