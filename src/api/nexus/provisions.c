#include "api/nexus/provisions.h"
#include "store/seal.h"
#include "wire/js.h"

#define PROVISION_PREFIX "provision:"
enum { SLOTS = 1024 };

struct provisions {
    struct hub *hub;
    struct provision *slots[SLOTS];
    size_t n;
};
struct stored {
    slice by, json;
    int64_t changed_ms;
};
/* clang-format off */
static const struct js_field stored_fields[] = {
    JS_FIELD(struct stored, by,         "by",      JS_STR, 0),
    JS_FIELD(struct stored, changed_ms, "changed", JS_I64, 0),
    JS_FIELD(struct stored, json,       "doc",     JS_RAW, JS_REQ),
};
/* clang-format on */

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

static struct provision **place(struct provisions *ps, slice ccid, slice name)
{
    struct provision **at = &ps->slots[slice_hash(ccid) % SLOTS];
    while (*at && !(slice_eq((*at)->ccid, ccid) && slice_eq((*at)->name, name)))
        at = &(*at)->next;
    return at;
}

const struct provision *provisions_find(const struct provisions *ps, slice ccid, slice name)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice id = arena_lower(a, ccid);
    for (const struct provision *p = ps->slots[slice_hash(id) % SLOTS]; p; p = p->next)
        if (slice_eq(p->ccid, id) && slice_eq(p->name, name))
            return p;
    return NULL;
}

size_t provisions_count(const struct provisions *ps)
{
    return ps->n;
}

static int by_place(const void *a, const void *b)
{
    const struct provision *x = *(const struct provision *const *)a, *y = *(const struct provision *const *)b;
    int how = slice_cmp(x->ccid, y->ccid);
    return how ? how : slice_cmp(x->name, y->name);
}

const struct provision *const *provisions_list(const struct provisions *ps, slice ccid, struct arena *a, size_t *ret_n)
{
    const struct provision **all = ARENA_ARRAY(a, const struct provision *, ps->n + 1);
    slice id = arena_lower(a, ccid);
    size_t n = 0;
    for (size_t i = 0; i < SLOTS; i++)
        for (const struct provision *p = ps->slots[i]; p; p = p->next)
            if (!ccid.n || slice_eq(p->ccid, id))
                all[n++] = p;
    qsort(all, n, sizeof(all[0]), by_place);
    *ret_n = n;
    return all;
}

static void drop(struct provisions *ps, struct provision **at)
{
    struct provision *p = *at;
    if (!p)
        return;
    *at = p->next;
    ps->n--;
    arena_free(p->a);
}

static void put_in(struct provisions *ps, slice ccid, slice name, const struct stored *st)
{
    struct arena *a = arena_new();
    struct provision *p = ARENA_NEW(a, struct provision), **at;
    *p = (struct provision){ .ccid = arena_dup(a, ccid), .name = arena_dup(a, name), .json = arena_dup(a, st->json), .by = arena_dup(a, st->by),
                             .changed_ms = st->changed_ms, .a = a };
    at = place(ps, p->ccid, p->name);
    drop(ps, at);
    p->next = *at;
    *at = p;
    ps->n++;
}

/* ---- changing --------------------------------------------------------------------------------------------------------------- */

static slice stored_key(struct arena *a, slice ccid, slice name)
{
    return arena_printf(a, PROVISION_PREFIX SLF ":" SLF, SLA(ccid), SLA(name));
}

void provisions_put(struct provisions *ps, slice ccid, slice name, slice json, slice by, store_done done, void *arg)
{
    enum { ROOM = 4096 };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice id = arena_lower(a, ccid), key = stored_key(a, id, name);
    struct stored st = { by, json, time_now_ms() };
    struct jw w = jw_new(a, PROVISION_BYTES_MAX + ROOM);
    jw_open(&w, NULL, '{');
    jw_fields(&w, stored_fields, COUNT(stored_fields), &st);
    jw_close(&w, '}');
    slice text = jw_done(&w);
    assert(text.p); /* its callers bound it */
    put_in(ps, id, name, &st);
    store_put(ps->hub->store, &(struct store_pair){ key, seal_close(ps->hub->seal, a, key, text) }, 1, done, arg);
}

void provisions_remove(struct provisions *ps, const struct provision *p, store_done done, void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = stored_key(a, p->ccid, p->name);
    drop(ps, place(ps, p->ccid, p->name));
    store_put(ps->hub->store, &(struct store_pair){ key, SLICE_NONE }, 1, done, arg);
}

/* ---- life --------------------------------------------------------------------------------------------------------------------- */

static void read_one(void *arg, slice key, slice value)
{
    struct provisions *ps = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct secret plain = { 0 };
    struct stored st = { 0 };
    struct fault f = { 0 };
    slice name = slice_from(key, sizeof(PROVISION_PREFIX) - 1), ccid = slice_cut(&name, ':');
    if (seal_reveal(ps->hub->seal, key, value, &plain, &f)) {
        const struct js *doc = js_parse(a, secret_reveal(&plain), &f);
        if (doc && name.n && js_read(a, doc, stored_fields, COUNT(stored_fields), &st, &f))
            put_in(ps, ccid, name, &st);
    }
    secret_wipe(&plain);
    if (!f.code)
        return;
    struct log_line *l = log_begin_fault(ps->hub->log, LEVEL_ERROR, &f, "Something provisioned cannot be read: provision it again");
    log_str(l, "tenant", ccid);
    log_str(l, "service", name);
    log_end(l);
}

struct provisions *provisions_new(struct hub *h)
{
    struct provisions *ps = must_calloc(1, sizeof(*ps));
    ps->hub = h;
    store_scan(h->store, SL(PROVISION_PREFIX), PROVISIONS_MAX, read_one, NULL, ps);
    return ps;
}

void provisions_free(struct provisions *ps)
{
    if (!ps)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        while (ps->slots[i])
            drop(ps, &ps->slots[i]);
    free(ps);
}
