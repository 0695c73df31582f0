/* A storage in memory for the rig: what is put on it outlives the hub, as files do. */
#include "hub/rig_test.h"
#include "net/loop.h"
#include "wire/crypto.h"
#include "wire/hex.h"

struct storage_put {
    struct rig *r;
    struct storage_put_events to;
    struct arena *a;
    struct text bytes;
    slice id, name, type;
    int64_t max_bytes;
    bool ended, full;
};
struct deletion {
    struct rig *r;
    slice handle;
    void (*done)(void *arg, enum storage_end end, const struct fault *f);
    void *arg;
};

static struct rig *rig_of(struct storage *s)
{
    return CONTAINER_OF(s, struct rig, storage);
}

static void more(void *arg)
{
    struct storage_put *p = arg;
    p->to.more(p->to.arg);
}

static void put_gone(struct storage_put *p)
{
    loop_defer_cancel(p->r->loop, more, p);
    arena_free(p->a);
}

static void put_done(void *arg)
{
    struct storage_put *p = arg;
    struct rig *r = p->r;
    struct fault f = { 0 };
    if (r->put_faults) {
        r->put_faults--;
        fault(&f, r->put_fault, "", "the shelf cannot take it");
        p->to.done(p->to.arg, NULL, &f);
        put_gone(p);
        return;
    }
    CHECK(r->n_shelved < SHELVED_MAX);
    struct shelved *s = &r->shelved[r->n_shelved++];
    *s = (struct shelved){ .id = arena_dup(r->a, p->id), .name = arena_dup(r->a, p->name), .type = arena_dup(r->a, p->type),
                           .bytes = arena_dup(r->a, text_slice(&p->bytes)), .there = true };
    struct sha256 sum = sha256(s->bytes);
    struct storage_stored stored = { .handle = s->id, .sha256 = hex_encode(p->a, slice_mem(sum.b, sizeof(sum.b))), .size = (int64_t)s->bytes.n };
    p->to.done(p->to.arg, &stored, NULL);
    put_gone(p);
}

static struct storage_put *shelf_put(struct storage *st, const struct storage_file *file, const struct storage_put_events *to)
{
    struct arena *a = arena_new();
    struct storage_put *p = ARENA_NEW(a, struct storage_put);
    *p = (struct storage_put){ .r = rig_of(st), .to = *to, .a = a, .bytes = text_new(a, 4 << 20), .id = arena_dup(a, file->id),
                               .name = arena_dup(a, file->name), .type = arena_dup(a, file->type), .max_bytes = file->max_bytes };
    p->r->puts_open++;
    p->r->puts_most = MAX(p->r->puts_most, p->r->puts_open);
    return p;
}

/* Asks for a pause after each write, as a busy one does. */
static bool shelf_put_write(struct storage_put *p, slice bytes)
{
    text_put(&p->bytes, bytes);
    CHECK((int64_t)p->bytes.n <= p->max_bytes);
    loop_defer(p->r->loop, more, p);
    return false;
}

static void shelf_put_end(struct storage_put *p)
{
    p->r->puts_open--;
    loop_defer(p->r->loop, put_done, p);
}

static void shelf_put_abort(struct storage_put *p)
{
    p->r->puts_open--;
    p->r->n_aborted++;
    put_gone(p);
}

static slice shelf_url(struct storage *st, struct arena *a, slice handle, const struct storage_link *link)
{
    (void)st;
    return arena_printf(a, "http://shelf/%s/" SLF, link->audience == STORAGE_FOR_DESK ? "desk" : "guest", SLA(handle));
}

static void deleted(void *arg)
{
    struct deletion *d = arg;
    struct rig *r = d->r;
    struct fault f = { 0 };
    r->n_deletes++;
    if (r->delete_end == STORAGE_OK) {
        for (size_t i = 0; i < r->n_shelved; i++)
            if (slice_eq(r->shelved[i].id, d->handle))
                r->shelved[i].there = false;
    } else {
        fault(&f, "storage_failed", "", "the shelf is locked");
    }
    d->done(d->arg, r->delete_end, f.code ? &f : NULL);
}

static void shelf_del(struct storage *st, slice handle, void (*done)(void *arg, enum storage_end end, const struct fault *f), void *arg)
{
    struct rig *r = rig_of(st);
    struct deletion *d = ARENA_NEW(r->a, struct deletion);
    *d = (struct deletion){ r, arena_dup(r->a, handle), done, arg };
    loop_defer(r->loop, deleted, d);
}

static const struct storage_type shelf_type = {
    .name = "shelf", .title = "Shelf", .put = shelf_put, .put_write = shelf_put_write, .put_end = shelf_put_end, .put_abort = shelf_put_abort,
    .url = shelf_url, .del = shelf_del,
};

void rig_shelf(struct rig *r)
{
    r->storage = (struct storage){ .type = &shelf_type, .name = SL("shelf") };
}

size_t rig_shelved(const struct rig *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_shelved; i++)
        n += r->shelved[i].there;
    return n;
}
