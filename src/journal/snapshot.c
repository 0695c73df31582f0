/* The state at one place of the log, as a file: magic, CRC-32C of the rest, place, counts, entries in the order of lanes and keys, puts, dedupe keys
 * that only memory holds. A start loads it and replays the log from that place on. */
#include "journal/journal-private.h"
#include <fcntl.h>
#include <unistd.h>

#define SNAPSHOT_MAGIC UINT64_C(0x31706e73676e7264) /* "drngsnp1" */
enum { SNAPSHOT_HEAD = 16, SNAPSHOT_MAX = 1 << 30 };

struct writer {
    char *p;
    size_t n, cap;
};

static char *room(struct writer *w, size_t n)
{
    if (w->cap - w->n < n) {
        w->cap = MAX(w->cap * 2, w->n + n + 4096);
        w->p = must_realloc(w->p, w->cap);
    }
    w->n += n;
    return w->p + w->n - n;
}

static void w32(struct writer *w, uint32_t v)
{
    put32(room(w, 4), v);
}

static void w64(struct writer *w, uint64_t v)
{
    put64(room(w, 8), v);
}

static void wtext(struct writer *w, slice s)
{
    w32(w, (uint32_t)s.n);
    if (s.n)
        memcpy(room(w, s.n), s.p, s.n);
}

static void entry_write(struct writer *w, const struct state *s, const struct entry *e, int64_t mono_ms)
{
    const struct due *d = e->due == NONE ? NULL : &s->dues[e->due];
    w64(w, e->id);
    w64(w, e->accepted_ms | (uint64_t)e->attempts << 48);
    w32(w, e->seg), w32(w, e->off), w32(w, e->len);
    w32(w, e->state | (uint32_t)e->flags << 8 | (e->lane != NONE ? 1u << 16 : 0) | (e->wait_key != NONE ? 1u << 17 : 0) |
               (d ? 1u << 18 : 0));
    if (e->lane != NONE)
        wtext(w, state_lane(s, e));
    if (e->wait_key != NONE)
        wtext(w, names_text(&s->keys, e->wait_key));
    if (d) {
        w64(w, (uint64_t)d->wall_ms);
        w64(w, (uint64_t)MAX(d->mono_ms - mono_ms, 0));
    }
}

static void key_write(void *arg, struct dkey k, uint32_t ends_h)
{
    struct writer *w = arg;
    w64(w, k.h[0]), w64(w, k.h[1]);
    w32(w, ends_h);
}

slice snapshot_make(const struct journal *j)
{
    const struct state *s = &j->state;
    struct writer w = { 0 };
    int64_t now = j->io->mono_us(j->io->ctx) / 1000;
    room(&w, SNAPSHOT_HEAD);
    w32(&w, j->log.n_segs ? j->log.segs[j->log.n_segs - 1].no : 0);
    w32(&w, j->log.off), w32(&w, j->log.crc);
    w64(&w, j->log.seq);
    for (int i = 0; i < J_STATES; i++)
        w64(&w, (uint64_t)s->counts[i]);
    w64(&w, s->next_id), w64(&w, s->put_position);
    w32(&w, s->n_entries);
    for (uint32_t l = 0; l < s->n_lanes; l++)
        for (uint32_t e = s->lanes[l].users ? s->lanes[l].head : NONE; e != NONE; e = state_entry(s, e)->next)
            entry_write(&w, s, state_entry(s, e), now);
    for (uint32_t k = 0; k < s->n_key_heads; k++)
        for (uint32_t e = s->key_heads[k]; e != NONE; e = state_entry(s, e)->next)
            entry_write(&w, s, state_entry(s, e), now);
    for (uint32_t i = 0; i < state_numbers(s); i++) {
        const struct entry *e = state_entry(s, i);
        if (e->id && e->wait_key == NONE && (e->state != J_WAITING || e->flags & ENTRY_DETACHED))
            entry_write(&w, s, e, now);
    }
    w32(&w, s->puts.used);
    for (uint32_t n = 0; n < s->n_put_at; n++) {
        const struct put *p = &s->put_at[n];
        if (!p->position)
            continue;
        wtext(&w, names_text(&s->puts, n));
        w64(&w, p->position);
        w32(&w, p->seg), w32(&w, p->off), w32(&w, p->len);
    }
    w32(&w, (uint32_t)dedupe_in_memory(j->dedupe));
    dedupe_each(j->dedupe, key_write, &w);
    put64(put64(w.p, SNAPSHOT_MAGIC), crc32c(0, w.p + SNAPSHOT_HEAD, w.n - SNAPSHOT_HEAD));
    return slice_mem(w.p, w.n);
}

/* ---- reading: a length that runs over the end makes everything behind it 0 and empty --------------- */

static uint32_t r32(slice *in)
{
    uint32_t v = in->n >= 4 ? get32(in->p) : 0;
    *in = slice_from(*in, 4);
    return v;
}

static uint64_t r64(slice *in)
{
    uint64_t v = in->n >= 8 ? get64(in->p) : 0;
    *in = slice_from(*in, 8);
    return v;
}

static slice rtext(slice *in)
{
    uint32_t n = r32(in);
    slice s = slice_sub(*in, 0, n);
    *in = slice_from(*in, n);
    return s;
}

static bool entry_read(struct state *s, slice *in)
{
    struct entry e = { .id = r64(in) };
    uint64_t accepted = r64(in);
    e.accepted_ms = accepted & ((UINT64_C(1) << 48) - 1);
    e.attempts = (uint16_t)(accepted >> 48);
    e.seg = r32(in), e.off = r32(in), e.len = r32(in);
    uint32_t what = r32(in);
    e.state = what & 0xff;
    e.flags = what >> 8 & 0xff;
    slice lane = what & 1u << 16 ? rtext(in) : SLICE_NONE, key = what & 1u << 17 ? rtext(in) : SLICE_NONE;
    bool live = e.state == J_WAITING || e.state == J_PARKED;
    if (!e.id || e.id == UINT64_MAX || state_find(s, e.id) || (live != (lane.p != NULL)) ||
        (!live && e.state != J_DEAD && e.state != J_UNKNOWN))
        return false;
    struct entry *to = state_restore(s, &e, lane, key);
    if (what & 1u << 18) {
        int64_t wall = (int64_t)r64(in), left = (int64_t)r64(in), by_wall;
        if (__builtin_sub_overflow(wall, s->io->wall_ms(s->io->ctx), &by_wall))
            by_wall = 0;
        /* At least a moment, so that a time that passed while nobody ran still comes up as due. */
        state_wait(s, to, MAX(1, MIN(MIN(by_wall, left), TIME_MAX_MS)), wall);
    }
    return true;
}

static bool parse(struct journal *j, slice in, struct snapshot_at *at)
{
    struct state *s = &j->state;
    at->no = r32(&in), at->off = r32(&in), at->crc = r32(&in);
    at->seq = r64(&in);
    for (int i = 0; i < J_STATES; i++)
        s->counts[i] = (int64_t)r64(&in);
    s->next_id = r64(&in);
    s->put_position = r64(&in);
    for (uint32_t n = r32(&in); n; n--)
        if (!entry_read(s, &in))
            return false;
    for (uint32_t n = r32(&in); n && in.n; n--) {
        slice key = rtext(&in);
        struct put p = { .position = r64(&in) };
        p.seg = r32(&in), p.off = r32(&in), p.len = r32(&in);
        if (!p.position)
            return false;
        state_restore_put(s, key, &p);
    }
    uint32_t now_h = journal_hour(j);
    uint32_t n = r32(&in);
    if (in.n != (size_t)n * 20)
        return false;
    for (; n; n--) {
        struct dkey k;
        k.h[0] = r64(&in), k.h[1] = r64(&in);
        uint32_t ends_h = r32(&in);
        if (ends_h > now_h && (k.h[0] | k.h[1]))
            dedupe_add(j->dedupe, k, ends_h);
    }
    return s->next_id != 0;
}

bool snapshot_load(struct journal *j, struct snapshot_at *ret, bool *ret_damaged)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice s = jio_load(j->dirfd, "snapshot", SNAPSHOT_MAX, a);
    *ret_damaged = !s.p && faccessat(j->dirfd, "snapshot", F_OK, 0) == 0;
    if (!s.p)
        return false;
    if (s.n >= SNAPSHOT_HEAD && get64(s.p) == SNAPSHOT_MAGIC &&
        get64(s.p + 8) == crc32c(0, s.p + SNAPSHOT_HEAD, s.n - SNAPSHOT_HEAD) &&
        parse(j, slice_from(s, SNAPSHOT_HEAD), ret))
        return true;
    *ret_damaged = true;
    return false;
}
