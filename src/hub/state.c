#include "hub/state.h"
#include "hub/hub.h"
#include "hub/known.h"
#include "store/store.h"

struct entry {
    struct entry *hash_next;
    struct entry *list_next; /* order of the last flush list */
    char *value;             /* NULL: removed */
    size_t n_value;
    uint64_t version;        /* grows with each put: tells whether a flushed value is still the newest */
    size_t n_key;
    char key[];
};
struct flushing {
    struct state *s;
    uint64_t position; /* of the journal, when this flush was gathered */
    uint64_t version;  /* entries up to this one are in it */
};
struct state {
    struct hub *hub;
    struct entry **buckets;
    size_t n_buckets, n;
    uint64_t version;
    struct loop_timer timer;
    struct flushing *flushing; /* NULL: none is under way */
    struct getting *gets;      /* the store is being asked */
    struct known *known;       /* conversations that may be in the store; NULL: they are too many to know */
    bool knows;                /* those of earlier starts are in it, too */
};
enum { STATE_BUCKETS = 8192, STATE_RETRY_MS = 5000, STATE_READ_AGAIN_MS = 1000 };

struct getting {
    struct getting *next, *prev;
    void (*done)(void *arg, slice value);
    void *arg;
    struct state *s;
    struct loop_timer again;
    size_t n_key;
    char key[];
};

struct state *state_new(struct hub *h)
{
    struct state *s = must_calloc(1, sizeof(*s));
    s->hub = h;
    s->n_buckets = STATE_BUCKETS;
    s->buckets = must_calloc(s->n_buckets, sizeof(struct entry *));
    s->known = known_new();
    return s;
}

static void entry_free(struct entry *e)
{
    if (e->value)
        bytes_wipe(e->value, e->n_value);
    free(e->value);
    free(e);
}

static void getting_free(struct getting *g)
{
    *(g->prev ? &g->prev->next : &g->s->gets) = g->next;
    if (g->next)
        g->next->prev = g->prev;
    loop_timer_done(&g->again);
    free(g);
}

void state_free(struct state *s)
{
    if (!s)
        return;
    loop_timer_done(&s->timer);
    while (s->gets)
        getting_free(s->gets);
    free(s->flushing);
    known_free(s->known);
    for (size_t i = 0; i < s->n_buckets; i++)
        for (struct entry *e = s->buckets[i], *next; e; e = next) {
            next = e->hash_next;
            entry_free(e);
        }
    free(s->buckets);
    free(s);
}

static struct entry **entry_at(struct state *s, slice key)
{
    struct entry **at = &s->buckets[slice_hash(key) % s->n_buckets];
    while (*at && !slice_eq(slice_mem((*at)->key, (*at)->n_key), key))
        at = &(*at)->hash_next;
    return at;
}

static bool is_conversation(slice key)
{
    return slice_starts(key, SL("c:"));
}

static void entry_put(struct state *s, slice key, slice value)
{
    struct entry **at = entry_at(s, key);
    struct entry *e = *at;
    if (!e) {
        e = *at = must_calloc(1, sizeof(*e) + key.n);
        memcpy(e->key, key.p, key.n);
        e->n_key = key.n;
        s->n++;
        if (s->known && is_conversation(key))
            known_add(s->known, key);
    }
    char *copy = NULL;
    if (value.p) {
        copy = must_malloc(value.n);
        memcpy(copy, value.p, value.n);
    }
    if (e->value)
        bytes_wipe(e->value, e->n_value);
    free(e->value);
    e->value = copy;
    e->n_value = value.n;
    e->version = ++s->version;
}

/* ---- flushing ----------------------------------------------------------------------------------------------------- */

static void flush(void *arg);

static void flush_later(struct state *s, int64_t in_ms)
{
    if (!s->timer.active && s->n)
        loop_timer_start(s->hub->loop, &s->timer, in_ms, flush, s);
}

static void flushed(void *arg, const struct fault *f)
{
    struct flushing *fl = arg;
    struct state *s = fl->s;
    s->flushing = NULL;
    if (f) {
        log_end(log_begin_fault(s->hub->log, LEVEL_ERROR, f, "The store does not take what is remembered; it stays in the journal"));
        flush_later(s, STATE_RETRY_MS);
        free(fl);
        return;
    }
    for (size_t i = 0; i < s->n_buckets; i++) {
        for (struct entry **at = &s->buckets[i]; *at;) {
            struct entry *e = *at;
            if (e->version > fl->version) {
                at = &e->hash_next;
                continue;
            }
            *at = e->hash_next;
            entry_free(e);
            s->n--;
        }
    }
    journal_puts_flushed(s->hub->journal, fl->position);
    free(fl);
    flush_later(s, STATE_FLUSH_MS);
}

static size_t gather(struct state *s, struct store_pair **ret)
{
    struct store_pair *pairs = *ret = must_calloc(s->n, sizeof(*pairs));
    size_t n = 0;
    for (size_t i = 0; i < s->n_buckets; i++)
        for (struct entry *e = s->buckets[i]; e; e = e->hash_next)
            pairs[n++] = (struct store_pair){ slice_mem(e->key, e->n_key), e->value ? slice_mem(e->value, e->n_value) : SLICE_NONE };
    return n;
}

static void flush_now(struct state *s)
{
    struct store_pair *pairs;
    size_t n = gather(s, &pairs);
    struct flushing *fl = must_calloc(1, sizeof(*fl));
    *fl = (struct flushing){ s, journal_position(s->hub->journal), s->version };
    s->flushing = fl;
    store_put(s->hub->store, pairs, n, flushed, fl);
    free(pairs);
}

static void flush(void *arg)
{
    struct state *s = arg;
    if (!s->flushing && s->n)
        flush_now(s);
}

void state_flush_all(struct state *s)
{
    loop_timer_stop(&s->timer);
    if (!s->n)
        return;
    struct store_pair *pairs;
    size_t n = gather(s, &pairs);
    store_put(s->hub->store, pairs, n, NULL, NULL);
    free(pairs);
}

/* ---- the face ------------------------------------------------------------------------------------------------------ */

void state_replay(struct state *s, slice key, slice value)
{
    entry_put(s, key, value);
}

void state_put(struct state *s, struct jbatch *b, slice key, slice value)
{
    jbatch_put(b, key, value);
    entry_put(s, key, value);
    if (s->n >= STATE_FLUSH_KEYS)
        flush(s);
    flush_later(s, STATE_FLUSH_MS);
}

slice state_message_key(struct arena *a, char letter, uint64_t id)
{
    return arena_printf(a, "%c:%llu", letter, (unsigned long long)id);
}

void state_forget_message(struct state *s, struct jbatch *b, uint64_t id)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (const char *letter = STATE_OF_MESSAGE; *letter; letter++)
        state_put(s, b, state_message_key(a, *letter, id), SLICE_NONE);
}

static void ask(void *arg);

static void got(void *arg, slice value, const struct fault *f)
{
    struct getting *g = arg;
    struct entry *e = *entry_at(g->s, slice_mem(g->key, g->n_key)); /* put while the store was asked: newer */
    if (e)
        value = e->value ? slice_mem(e->value, e->n_value) : SLICE_NONE;
    if (f && !e) { /* to go on with nothing would write nothing over what is there */
        log_end(log_begin_fault(g->s->hub->log, LEVEL_ERROR, f, "The store cannot be read; it is asked again"));
        loop_timer_start(g->s->hub->loop, &g->again, STATE_READ_AGAIN_MS, ask, g);
        return;
    }
    g->done(g->arg, value);
    getting_free(g);
}

static void ask(void *arg)
{
    struct getting *g = arg;
    store_get(g->s->hub->store, slice_mem(g->key, g->n_key), got, g);
}

void state_get(struct state *s, slice key, void (*done)(void *arg, slice value), void *arg)
{
    struct entry *e = *entry_at(s, key);
    if (e) {
        done(arg, e->value ? slice_mem(e->value, e->n_value) : SLICE_NONE);
        return;
    }
    if (s->knows && is_conversation(key) && !known_may(s->known, key)) {
        done(arg, SLICE_NONE);
        return;
    }
    struct getting *g = must_calloc(1, sizeof(*g) + key.n);
    *g = (struct getting){ .next = s->gets, .done = done, .arg = arg, .s = s, .n_key = key.n };
    memcpy(g->key, key.p, key.n);
    if (g->next)
        g->next->prev = g;
    s->gets = g;
    ask(g);
}

struct learning {
    struct state *s;
    size_t n;
};

static void learn(void *arg, slice key, slice value)
{
    struct learning *l = arg;
    (void)value;
    l->n++;
    known_add(l->s->known, key);
}

static void learned(void *arg, const struct fault *f)
{
    struct learning *l = arg;
    l->s->knows = !f && l->n <= KNOWN_KEYS;
    if (l->s->knows)
        return;
    known_free(l->s->known);
    l->s->known = NULL;
}

void state_learn(struct state *s)
{
    struct learning l = { s, 0 };
    store_walk(s->hub->store, SL("c:"), KNOWN_KEYS + 1, learn, learned, &l);
}

struct scanning {
    struct state *s;
    void (*each)(void *arg, slice key, slice value);
    void *arg;
};

static void scanned(void *arg, slice key, slice value)
{
    struct scanning *sc = arg;
    if (!*entry_at(sc->s, key)) /* what is here is newer */
        sc->each(sc->arg, key, value);
}

void state_each(struct state *s, slice prefix, void (*each)(void *arg, slice key, slice value), void *arg)
{
    struct scanning sc = { s, each, arg };
    store_scan(s->hub->store, prefix, 0, scanned, NULL, &sc);
    for (size_t i = 0; i < s->n_buckets; i++)
        for (struct entry *e = s->buckets[i]; e; e = e->hash_next)
            if (e->value && slice_starts(slice_mem(e->key, e->n_key), prefix))
                each(arg, slice_mem(e->key, e->n_key), slice_mem(e->value, e->n_value));
}
