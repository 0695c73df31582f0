/* Operations become records in their batch's memory. Nothing changes here but claims, which batch_forget gives back. */
#include "journal/journal-private.h"

struct jbatch *jbatch_new(struct journal *j)
{
    struct jbatch *b = j->spare;
    if (b) {
        j->spare = b->next;
        j->n_spare--;
        *b = (struct jbatch){ .buf = b->buf, .cap = b->cap };
    } else {
        b = must_calloc(1, sizeof(*b));
    }
    b->j = j;
    b->serial = ++j->next_serial;
    b->next = j->open;
    j->open = b;
    return b;
}

bool batch_is_open(const struct journal *j, uint64_t serial)
{
    for (const struct jbatch *b = j->open; b; b = b->next)
        if (b->serial == serial)
            return true;
    return false;
}

static void batch_release(struct journal *j, struct jbatch *b)
{
    if (j->n_spare < BATCH_SPARES && b->cap <= BATCH_SPARE_BYTES) {
        b->next = j->spare;
        j->spare = b;
        j->n_spare++;
        return;
    }
    free(b->buf);
    free(b);
}

static void batch_close(struct journal *j, struct jbatch *b)
{
    struct jbatch **at = &j->open;
    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
}

void batch_free_all(struct journal *j)
{
    struct jbatch **lists[] = { &j->open, &j->held, &j->spare };
    for (size_t i = 0; i < COUNT(lists); i++)
        for (struct jbatch *b; (b = *lists[i]);) {
            *lists[i] = b->next;
            free(b->buf);
            free(b);
        }
    for (size_t i = 0; i < j->n_parks; i++)
        free(j->parks[i].key);
    free(j->parks);
}

/* ---- what is on its way to disk ------------------------------------------------------------------ */

static struct pending_park *park_find(struct journal *j, uint64_t id)
{
    for (size_t i = 0; i < j->n_parks; i++)
        if (j->parks[i].id == id)
            return &j->parks[i];
    return NULL;
}

static void park_remove(struct journal *j, struct pending_park *p)
{
    free(p->key);
    *p = j->parks[--j->n_parks];
}

void batch_park_applied(struct journal *j, uint64_t id)
{
    struct pending_park *p = park_find(j, id);
    if (!p)
        return;
    struct entry *e = state_find(&j->state, id);
    if (p->resumed && e && e->state == J_PARKED)
        e->flags |= ENTRY_RESUMING;
    park_remove(j, p);
}

void batch_forget(struct journal *j, slice records)
{
    for (struct rec r; records.n && rec_get(&records, &r);) {
        struct pending_park *p = park_find(j, r.id);
        if (r.op == JOP_ACCEPT && REC_TEXT(&r, REC_DEDUPE).p) {
            dedupe_unclaim(j->dedupe, dedupe_key(j->dedupe, REC_TEXT(&r, REC_DEDUPE)));
        } else if (r.op == JOP_PARK && p) {
            park_remove(j, p);
        } else if (r.op == JOP_RESUME) {
            struct entry *e = state_find(&j->state, r.id);
            if (p)
                p->resumed = false;
            if (!e || e->state != J_PARKED)
                continue;
            e->flags &= (uint8_t)~ENTRY_RESUMING;
            if (!REC_TEXT(&r, REC_KEY).p) /* it was time that resumed it: time must come again */
                state_wait(&j->state, e, REPAIR_MS, r.at_ms);
        } else if (r.op == JOP_REPLAY) {
            struct entry *e = state_find(&j->state, r.id);
            if (e && (e->state == J_DEAD || e->state == J_UNKNOWN))
                e->flags &= (uint8_t)~ENTRY_RESUMING;
        }
    }
    journal_changed(j);
}

/* This batch is right only if what it rests on becomes durable. */
static void rest_on(struct jbatch *b, uint64_t serial)
{
    struct journal *j = b->j;
    if (serial == b->serial)
        return;
    if (!b->depends) {
        b->depends = true;
        b->epoch = j->fail_epoch;
    }
    if (!batch_is_open(j, serial))
        return;
    for (unsigned i = 0; i < b->n_on; i++)
        if (b->on[i] == serial)
            return;
    if (b->n_on < BATCH_DEPENDS_MAX)
        b->on[b->n_on++] = serial;
    else
        b->bad = true;
}

/* ---- operations --------------------------------------------------------------------------------- */

static bool fits(struct jbatch *b, slice s, size_t max, const char *field)
{
    if (s.n <= max)
        return true;
    b->bad = true;
    return fault(&b->j->fault, "too_large", field, "%zu bytes are more than the limit of %zu", s.n, max);
}

/* What could not be printed must not be taken without its words. */
static bool has_body(struct jbatch *b, slice body)
{
    if (body.p)
        return true;
    b->bad = true;
    return fault(&b->j->fault, "too_large", "body", "there is none: it is more than the limit of %d", JOURNAL_BODY_MAX);
}

bool batch_add(struct jbatch *b, const struct rec *r)
{
    size_t n = rec_bytes(r);
    if (n > BATCH_BYTES_MAX - b->n) {
        b->bad = true;
        return fault(&b->j->fault, "too_large", "batch", "a batch holds at most %d bytes", BATCH_BYTES_MAX);
    }
    if (b->cap - b->n < n) {
        b->cap = MAX(b->cap * 2, b->n + n);
        b->buf = must_realloc(b->buf, b->cap);
    }
    rec_put(b->buf + b->n, r);
    b->n += n;
    return true;
}

static int64_t wall_ms(const struct jbatch *b)
{
    return b->j->io->wall_ms(b->j->io->ctx);
}

void jbatch_accept(struct jbatch *b, const struct jaccept *in, enum jresult *ret_result, uint64_t *ret_id)
{
    struct journal *j = b->j;
    assert(in->state == J_WAITING || in->state == J_IGNORED);
    struct rec r = { .op = JOP_ACCEPT, .state = in->state, .at_ms = wall_ms(b) };
    bool fit = has_body(b, in->body) && fits(b, in->lane, JOURNAL_LANE_MAX, "lane") && fits(b, in->body, JOURNAL_BODY_MAX, "body") &&
               fits(b, in->note, JOURNAL_VALUE_MAX, "note") && fits(b, in->dedupe, JOURNAL_VALUE_MAX, "dedupe");
    struct dkey k = { { 0, 0 } };
    bool keyed = in->dedupe.p && fit;
    if (keyed) {
        k = dedupe_key(j->dedupe, in->dedupe);
        uint64_t claimed = dedupe_claimed(j->dedupe, k);
        if (claimed || dedupe_seen(j->dedupe, k, journal_hour(j))) {
            if (claimed)
                rest_on(b, claimed);
            *ret_result = J_SEEN;
            *ret_id = 0;
            return;
        }
        REC_TEXT(&r, REC_DEDUPE) = in->dedupe;
        /* By the wall clock, too: where it was set right since we began, the next start counts from there. */
        REC_NUMBER(&r, REC_EXPIRES) = MAX(journal_clock_ms(j), r.at_ms) + MAX(in->dedupe_keep_ms, 0);
    }
    *ret_result = J_NEW;
    *ret_id = r.id = j->next_id++;
    if (!fit)
        return;
    REC_TEXT(&r, REC_LANE) = in->lane.p ? in->lane : SL("");
    REC_TEXT(&r, REC_BODY) = in->body;
    REC_TEXT(&r, REC_NOTE) = in->note;
    REC_NUMBER(&r, REC_NOT_BEFORE) = in->not_before_ms;
    if (batch_add(b, &r) && keyed) /* what is not in the batch could not give its claim back */
        dedupe_claim(j->dedupe, k, b->serial);
}

void jbatch_put(struct jbatch *b, slice key, slice value)
{
    if (!fits(b, key, JOURNAL_VALUE_MAX, "key") || !fits(b, value, JOURNAL_VALUE_MAX, "value"))
        return;
    struct rec r = { .op = JOP_PUT, .at_ms = wall_ms(b) };
    REC_TEXT(&r, REC_KEY) = key.p ? key : SL("");
    REC_TEXT(&r, REC_VALUE) = value;
    batch_add(b, &r);
    b->has_puts = true;
}

static void add_simple(struct jbatch *b, enum jop op, uint64_t id, enum jstate state, int64_t until_ms, slice key, slice note)
{
    if (!fits(b, note, JOURNAL_VALUE_MAX, "note") || !fits(b, key, JOURNAL_VALUE_MAX, "wait_key"))
        return;
    struct rec r = { .op = op, .state = state, .at_ms = wall_ms(b), .id = id };
    REC_NUMBER(&r, REC_NOT_BEFORE) = until_ms;
    REC_TEXT(&r, REC_KEY) = key;
    REC_TEXT(&r, REC_NOTE) = note;
    batch_add(b, &r);
}

void jbatch_settle(struct jbatch *b, uint64_t id, enum jstate final, slice note)
{
    assert(final == J_DELIVERED || final == J_DEAD || final == J_UNKNOWN || final == J_IGNORED);
    add_simple(b, JOP_SETTLE, id, final, 0, SLICE_NONE, note);
}

void jbatch_attempt(struct jbatch *b, uint64_t id, slice note)
{
    add_simple(b, JOP_ATTEMPT, id, J_WAITING, 0, SLICE_NONE, note);
}

void jbatch_retry(struct jbatch *b, uint64_t id, int64_t not_before_ms, slice note)
{
    add_simple(b, JOP_RETRY, id, J_WAITING, not_before_ms, SLICE_NONE, note);
}

void jbatch_note(struct jbatch *b, uint64_t id, slice note)
{
    add_simple(b, JOP_NOTE, id, J_WAITING, 0, SLICE_NONE, note);
}

void jbatch_park(struct jbatch *b, uint64_t id, slice wait_key, int64_t until_ms, slice note)
{
    struct journal *j = b->j;
    add_simple(b, JOP_PARK, id, J_PARKED, until_ms, wait_key, note);
    if (!wait_key.p || b->bad || park_find(j, id))
        return;
    if (j->n_parks == j->cap_parks) {
        j->cap_parks = j->cap_parks ? j->cap_parks * 2 : 8;
        j->parks = must_realloc(j->parks, j->cap_parks * sizeof(*j->parks));
    }
    char *key = must_malloc(wait_key.n);
    if (wait_key.n)
        memcpy(key, wait_key.p, wait_key.n);
    j->parks[j->n_parks++] = (struct pending_park){ id, b->serial, false, key, wait_key.n };
}

bool jbatch_resume(struct jbatch *b, slice wait_key, slice note, uint64_t *ret_id)
{
    struct journal *j = b->j;
    if (wait_key.n > JOURNAL_VALUE_MAX || !fits(b, note, JOURNAL_VALUE_MAX, "note"))
        return false; /* nothing can be parked under such a key */
    uint32_t n = state_parked(&j->state, wait_key);
    uint64_t id = 0;
    if (n != NONE) {
        struct entry *e = state_entry(&j->state, n);
        e->flags |= ENTRY_RESUMING;
        id = e->id;
    }
    for (size_t i = 0; !id && i < j->n_parks; i++) {
        struct pending_park *p = &j->parks[i];
        if (p->resumed || !slice_eq((slice){ p->key, p->key_n }, wait_key))
            continue;
        rest_on(b, p->batch);
        p->resumed = true;
        id = p->id;
    }
    if (!id)
        return false;
    add_simple(b, JOP_RESUME, id, J_WAITING, 0, wait_key.p ? wait_key : SL(""), note);
    *ret_id = id;
    return true;
}

bool jbatch_replay(struct jbatch *b, uint64_t id, slice note)
{
    struct entry *e = state_find(&b->j->state, id);
    if (!e || (e->state != J_DEAD && e->state != J_UNKNOWN) || !fits(b, note, JOURNAL_VALUE_MAX, "note"))
        return false;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct rec accepted;
    if (!journal_record(b->j, e, a, &accepted))
        return false;
    struct rec r = { .op = JOP_REPLAY, .state = J_WAITING, .at_ms = wall_ms(b), .id = id };
    REC_TEXT(&r, REC_LANE) = REC_TEXT(&accepted, REC_LANE);
    REC_TEXT(&r, REC_NOTE) = note;
    if (batch_add(b, &r))
        e->flags |= ENTRY_RESUMING;
    return true;
}

bool jbatch_discard(struct jbatch *b, uint64_t id, slice note)
{
    if (!state_find(&b->j->state, id))
        return false;
    add_simple(b, JOP_DISCARD, id, J_DEAD, 0, SLICE_NONE, note);
    return true;
}

/* ---- the end of a batch -------------------------------------------------------------------------- */

static void number_puts(struct journal *j, struct jbatch *b)
{
    for (size_t at = 0; at < b->n; at += get32(b->buf + at))
        if ((get32(b->buf + at + 4) & 0xff) == JOP_PUT)
            rec_set_id(b->buf + at, ++j->position);
}

/* Nothing of it is stored, nor of those that found a key claimed by it. */
static void batch_fails(struct journal *j, const struct jbatch *b)
{
    batch_forget(j, slice_mem(b->buf, b->n));
    struct jbatch *lists[] = { j->open, j->held };
    for (size_t l = 0; l < COUNT(lists); l++)
        for (struct jbatch *other = lists[l]; other; other = other->next)
            for (unsigned i = 0; i < other->n_on; i++)
                other->bad |= other->on[i] == b->serial;
}

static void append(struct journal *j, struct jbatch *b)
{
    b->bad |= b->depends && b->epoch != j->fail_epoch;
    if (b->n && j->gathering && j->gathering->n_waiters && j->gathering->n + b->n > j->limits.gather_bytes) {
        b->bad = true;
        fault(&j->fault, "busy", "journal", "%zu bytes wait for the disk already", j->gathering->n);
    }
    if (b->bad) {
        batch_fails(j, b);
        b->n = 0;
    } else if (b->has_puts) {
        number_puts(j, b);
    }
    group_append(j, b);
    batch_release(j, b);
}

static bool must_hold(const struct journal *j, const struct jbatch *b)
{
    for (unsigned i = 0; i < b->n_on; i++)
        if (batch_is_open(j, b->on[i]))
            return true;
    return false;
}

/* Batches that were held for one that is now committed or dropped. */
static void unhold(struct journal *j)
{
    for (struct jbatch **at = &j->held, *b; (b = *at);) {
        if (must_hold(j, b)) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        append(j, b);
        at = &j->held; /* append may commit nothing further, but keeps the order simple */
    }
}

void jbatch_commit(struct jbatch *b, enum jdurability how, void (*done)(void *arg, bool ok), void *arg)
{
    struct journal *j = b->j;
    b->how = how;
    b->done = done;
    b->arg = arg;
    batch_close(j, b);
    if (must_hold(j, b)) {
        struct jbatch **last = &j->held;
        while (*last)
            last = &(*last)->next;
        b->next = NULL;
        *last = b;
        return;
    }
    append(j, b);
    if (j->held)
        unhold(j);
}

void jbatch_drop(struct jbatch *b)
{
    struct journal *j = b->j;
    batch_close(j, b);
    batch_fails(j, b);
    batch_release(j, b);
    if (j->held)
        unhold(j);
}
