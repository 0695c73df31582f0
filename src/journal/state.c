#include "journal/state.h"
#include "journal/table.h"

static int64_t mono_ms(const struct state *s)
{
    return s->io->mono_us(s->io->ctx) / 1000;
}

void state_init(struct state *s, const struct jio *io, void (*pin)(void *, enum state_pin, int, uint32_t, uint32_t), void *ctx)
{
    *s = (struct state){ .io = io, .first_free = NONE, .next_id = 1, .pin = pin, .pin_ctx = ctx };
    names_init(&s->lane_names);
    names_init(&s->keys);
    names_init(&s->puts);
}

void state_done(struct state *s)
{
    for (uint32_t i = 0; i < s->n_pages; i++)
        free(s->pages[i]);
    free(s->pages);
    free(s->index);
    free(s->lanes);
    free(s->key_heads);
    free(s->put_at);
    free(s->dues);
    free(s->ready);
    names_done(&s->lane_names);
    names_done(&s->keys);
    names_done(&s->puts);
}

slice state_lane(const struct state *s, const struct entry *e)
{
    return names_text(&s->lane_names, e->lane);
}

/* ---- what may be offered ------------------------------------------------------------------------ */

static void ready_put(struct state *s, uint32_t number)
{
    struct entry *e = state_entry(s, number);
    if (e->flags & ENTRY_OFFERED)
        return;
    e->flags |= ENTRY_OFFERED;
    if (s->n_ready == s->cap_ready && s->ready_from * 2 > s->cap_ready) {
        memmove(s->ready, s->ready + s->ready_from, (s->n_ready - s->ready_from) * sizeof(*s->ready));
        s->n_ready -= s->ready_from;
        s->ready_from = 0;
    } else if (s->n_ready == s->cap_ready) {
        s->cap_ready = s->cap_ready ? s->cap_ready * 2 : 16;
        s->ready = must_realloc(s->ready, s->cap_ready * sizeof(*s->ready));
    }
    s->ready[s->n_ready++] = (struct ready){ e->id, number };
}

struct entry *state_next(struct state *s)
{
    while (s->ready_from < s->n_ready) {
        struct ready r = s->ready[s->ready_from++];
        struct entry *e = state_entry(s, r.entry);
        /* In the meantime it may have been settled by an operator, or put off. */
        if (e->id == r.id && e->state == J_WAITING && e->flags & ENTRY_OFFERED)
            return e;
    }
    s->ready_from = s->n_ready = 0;
    return NULL;
}

static void lane_poke(struct state *s, uint32_t lane)
{
    uint32_t head = s->lanes[lane].head;
    if (head != NONE && state_entry(s, head)->due == NONE)
        ready_put(s, head);
}

static void entry_poke(struct state *s, struct entry *e)
{
    if (e->flags & ENTRY_DETACHED)
        ready_put(s, entry_number(s, e));
    else
        lane_poke(s, e->lane);
}

/* ---- lanes -------------------------------------------------------------------------------------- */

static void lane_enter(struct state *s, struct entry *e, slice lane)
{
    uint32_t n = names_add(&s->lane_names, lane);
    if (n >= s->n_lanes) {
        s->lanes = must_realloc(s->lanes, names_room(&s->lane_names) * sizeof(*s->lanes));
        for (; s->n_lanes < names_room(&s->lane_names); s->n_lanes++)
            s->lanes[s->n_lanes] = (struct lane){ NONE, NONE, 0, 0 };
    }
    e->lane = n;
    s->lanes[n].users++;
}

static void lane_leave(struct state *s, struct entry *e)
{
    if (--s->lanes[e->lane].users == 0)
        names_drop(&s->lane_names, e->lane);
    e->lane = NONE;
}

static void count_waiting(struct state *s, struct entry *e, int by)
{
    struct lane *l = &s->lanes[e->lane];
    uint32_t before = l->waiting;
    l->waiting += (uint32_t)by;
    s->lanes_waiting += (uint32_t)((l->waiting != 0) - (before != 0));
}

static void queue_append(struct state *s, struct entry *e, uint32_t number)
{
    struct lane *l = &s->lanes[e->lane];
    e->prev = l->tail;
    e->next = NONE;
    if (l->tail == NONE)
        l->head = number;
    else
        state_entry(s, l->tail)->next = number;
    l->tail = number;
    count_waiting(s, e, 1);
}

static void queue_remove(struct state *s, struct entry *e)
{
    struct lane *l = &s->lanes[e->lane];
    count_waiting(s, e, -1);
    if (e->flags & ENTRY_DETACHED)
        return;
    if (e->prev == NONE)
        l->head = e->next;
    else
        state_entry(s, e->prev)->next = e->next;
    if (e->next == NONE)
        l->tail = e->prev;
    else
        state_entry(s, e->next)->prev = e->prev;
    e->next = e->prev = NONE;
}

/* ---- parked ones, by the key they wait for: a chain a key, the oldest first ---------------------- */

static void key_enter(struct state *s, struct entry *e, uint32_t number, slice key)
{
    uint32_t k = names_add(&s->keys, key);
    if (k >= s->n_key_heads) {
        s->key_heads = must_realloc(s->key_heads, names_room(&s->keys) * sizeof(*s->key_heads));
        for (; s->n_key_heads < names_room(&s->keys); s->n_key_heads++)
            s->key_heads[s->n_key_heads] = NONE;
    }
    e->wait_key = k;
    e->next = e->prev = NONE;
    if (s->key_heads[k] == NONE) {
        s->key_heads[k] = number;
        return;
    }
    uint32_t last = s->key_heads[k];
    while (state_entry(s, last)->next != NONE)
        last = state_entry(s, last)->next;
    state_entry(s, last)->next = number;
    e->prev = last;
}

static void key_leave(struct state *s, struct entry *e)
{
    if (e->wait_key == NONE)
        return;
    if (e->next != NONE)
        state_entry(s, e->next)->prev = e->prev;
    if (e->prev != NONE)
        state_entry(s, e->prev)->next = e->next;
    else if ((s->key_heads[e->wait_key] = e->next) == NONE)
        names_drop(&s->keys, e->wait_key);
    e->wait_key = e->next = e->prev = NONE;
}

uint32_t state_parked(const struct state *s, slice wait_key)
{
    uint32_t k = names_find(&s->keys, wait_key);
    uint32_t n = k == NAME_NONE ? NONE : s->key_heads[k];
    while (n != NONE && state_entry(s, n)->flags & ENTRY_RESUMING)
        n = state_entry(s, n)->next;
    return n;
}

/* ---- time --------------------------------------------------------------------------------------- */

void state_wait(struct state *s, struct entry *e, int64_t delay_ms, int64_t until_wall_ms)
{
    if (delay_ms > 0)
        due_set(s, entry_number(s, e), mono_ms(s) + delay_ms, until_wall_ms);
    else
        due_clear(s, e);
}

/* Recorded at at_ms: put off until until_ms. A clock that jumped since cannot make it longer than was asked for. */
static void wait_until(struct state *s, struct entry *e, int64_t at_ms, int64_t until_ms)
{
    int64_t asked, left;
    if (until_ms <= 0 || __builtin_sub_overflow(until_ms, at_ms, &asked) ||
        __builtin_sub_overflow(until_ms, s->io->wall_ms(s->io->ctx), &left))
        asked = left = 0;
    state_wait(s, e, MIN(MIN(asked, left), TIME_MAX_MS), until_ms);
}

struct entry *state_due(struct state *s, int64_t now_ms)
{
    if (!s->n_dues || s->dues[0].mono_ms > now_ms)
        return NULL;
    struct entry *e = state_entry(s, s->dues[0].entry);
    due_clear(s, e);
    if (e->state == J_WAITING)
        entry_poke(s, e);
    return e;
}

/* ---- the operations ----------------------------------------------------------------------------- */

static void move(struct state *s, struct entry *e, enum jstate to)
{
    s->counts[e->state]--;
    s->counts[to]++;
    e->state = (uint8_t)to;
}

static bool is_live(const struct entry *e)
{
    return e->state == J_WAITING || e->state == J_PARKED;
}

/* Out of its lane's order, or of its key; its lane stays known. The lane then goes on. */
static void detach(struct state *s, struct entry *e)
{
    uint32_t lane = e->lane;
    due_clear(s, e);
    if (e->state == J_WAITING)
        queue_remove(s, e);
    else
        key_leave(s, e);
    e->flags = 0;
    lane_poke(s, lane);
}

static void finish(struct state *s, struct entry *e, enum jstate final)
{
    if (is_live(e)) {
        detach(s, e);
        lane_leave(s, e);
        s->pin(s->pin_ctx, PIN_LIVE, -1, e->seg, e->len);
        if (final == J_DEAD || final == J_UNKNOWN)
            s->pin(s->pin_ctx, PIN_DEAD, 1, e->seg, e->len);
    }
    move(s, e, final);
    if (final != J_DEAD && final != J_UNKNOWN)
        entry_free(s, e);
}

static void apply_accept(struct state *s, const struct rec *r, uint32_t seg, uint32_t off, uint32_t len)
{
    s->next_id = MAX(s->next_id, r->id + 1);
    if (!r->id || r->id == UINT64_MAX || state_find(s, r->id))
        return;
    if (r->state != J_WAITING) {
        s->counts[r->state]++;
        return;
    }
    s->counts[J_WAITING]++;
    uint32_t number;
    struct entry *e = entry_new(s, r->id, &number);
    e->accepted_ms = (uint64_t)r->at_ms & ((UINT64_C(1) << 48) - 1);
    e->seg = seg, e->off = off, e->len = len;
    s->pin(s->pin_ctx, PIN_LIVE, 1, seg, len);
    lane_enter(s, e, REC_TEXT(r, REC_LANE));
    queue_append(s, e, number);
    if (REC_NUMBER(r, REC_NOT_BEFORE))
        wait_until(s, e, r->at_ms, REC_NUMBER(r, REC_NOT_BEFORE));
    lane_poke(s, e->lane);
}

static void apply_retry(struct state *s, struct entry *e, const struct rec *r)
{
    e->attempts = (uint16_t)MIN(e->attempts + 1, UINT16_MAX);
    e->flags &= ENTRY_DETACHED;
    wait_until(s, e, r->at_ms, REC_NUMBER(r, REC_NOT_BEFORE));
    if (e->due == NONE)
        entry_poke(s, e);
}

static void apply_park(struct state *s, struct entry *e, const struct rec *r)
{
    detach(s, e);
    move(s, e, J_PARKED);
    if (REC_TEXT(r, REC_KEY).p)
        key_enter(s, e, entry_number(s, e), REC_TEXT(r, REC_KEY));
    wait_until(s, e, r->at_ms, REC_NUMBER(r, REC_NOT_BEFORE));
    /* A time that is over already must still resume it. */
    if (REC_NUMBER(r, REC_NOT_BEFORE) && e->due == NONE)
        due_set(s, entry_number(s, e), mono_ms(s), REC_NUMBER(r, REC_NOT_BEFORE));
}

static void apply_resume(struct state *s, struct entry *e)
{
    detach(s, e);
    move(s, e, J_WAITING);
    e->flags = ENTRY_DETACHED;
    count_waiting(s, e, 1);
    entry_poke(s, e);
}

static void apply_replay(struct state *s, struct entry *e, slice lane)
{
    move(s, e, J_WAITING);
    e->flags = 0;
    e->attempts = 0;
    s->pin(s->pin_ctx, PIN_DEAD, -1, e->seg, e->len);
    s->pin(s->pin_ctx, PIN_LIVE, 1, e->seg, e->len);
    lane_enter(s, e, lane);
    queue_append(s, e, entry_number(s, e));
    lane_poke(s, e->lane);
}

static void put_drop(struct state *s, uint32_t n)
{
    s->pin(s->pin_ctx, PIN_PUT, -1, s->put_at[n].seg, s->put_at[n].len);
    names_drop(&s->puts, n);
    s->put_at[n].position = 0;
}

void state_restore_put(struct state *s, slice key, const struct put *at)
{
    uint32_t n = names_add(&s->puts, key);
    if (n >= s->n_put_at) {
        s->put_at = must_realloc(s->put_at, names_room(&s->puts) * sizeof(*s->put_at));
        for (; s->n_put_at < names_room(&s->puts); s->n_put_at++)
            s->put_at[s->n_put_at] = (struct put){ 0 };
    }
    if (s->put_at[n].position)
        s->pin(s->pin_ctx, PIN_PUT, -1, s->put_at[n].seg, s->put_at[n].len);
    s->put_at[n] = *at;
    s->pin(s->pin_ctx, PIN_PUT, 1, at->seg, at->len);
    s->put_position = MAX(s->put_position, at->position);
}

static void apply_flushed(struct state *s, uint64_t upto)
{
    for (uint32_t n = 0; n < s->n_put_at; n++)
        if (s->put_at[n].position && s->put_at[n].position <= upto)
            put_drop(s, n);
    s->put_position = MAX(s->put_position, upto == UINT64_MAX ? 0 : upto);
}

void state_apply(struct state *s, const struct rec *r, uint32_t seg, uint32_t off, uint32_t len)
{
    if (r->op == JOP_ACCEPT) {
        apply_accept(s, r, seg, off, len);
        return;
    }
    if (r->op == JOP_PUT) {
        if (r->id && r->id != UINT64_MAX)
            state_restore_put(s, REC_TEXT(r, REC_KEY), &(struct put){ r->id, seg, off, len });
        return;
    }
    if (r->op == OP_FLUSHED) {
        apply_flushed(s, r->id);
        return;
    }
    struct entry *e = state_find(s, r->id);
    if (!e)
        return;
    bool live = is_live(e);
    switch (r->op) {
    case JOP_SETTLE:
        if (live && r->state != J_WAITING && r->state != J_PARKED)
            finish(s, e, r->state);
        break;
    case JOP_ATTEMPT:
        if (e->state == J_WAITING)
            e->flags |= ENTRY_ATTEMPT;
        break;
    case JOP_RETRY:
        if (e->state == J_WAITING)
            apply_retry(s, e, r);
        break;
    case JOP_PARK:
        if (live)
            apply_park(s, e, r);
        break;
    case JOP_RESUME:
        if (e->state == J_PARKED)
            apply_resume(s, e);
        break;
    case JOP_REPLAY:
        if (!live)
            apply_replay(s, e, REC_TEXT(r, REC_LANE));
        break;
    case JOP_DISCARD:
        finish(s, e, J_DEAD);
        break;
    case OP_COPY:
        state_relocate(s, r, seg, off, len);
        break;
    default: /* notes are for the trace only */
        break;
    }
}

void state_relocate(struct state *s, const struct rec *r, uint32_t seg, uint32_t off, uint32_t len)
{
    if (r->op == JOP_PUT) {
        uint32_t n = names_find(&s->puts, REC_TEXT(r, REC_KEY));
        if (n != NAME_NONE && s->put_at[n].position == r->id)
            state_restore_put(s, REC_TEXT(r, REC_KEY), &(struct put){ r->id, seg, off, len });
        return;
    }
    struct entry *e = r->op == JOP_ACCEPT || r->op == OP_COPY ? state_find(s, r->id) : NULL;
    if (!e)
        return;
    enum state_pin pin = is_live(e) ? PIN_LIVE : PIN_DEAD;
    s->pin(s->pin_ctx, pin, -1, e->seg, e->len);
    e->seg = seg, e->off = off, e->len = len;
    s->pin(s->pin_ctx, pin, 1, e->seg, e->len);
}

void state_started(struct state *s)
{
    for (uint32_t i = 0; i < state_numbers(s); i++) {
        struct entry *e = state_entry(s, i);
        if (!e->id || e->state != J_WAITING)
            continue;
        if (e->flags & ENTRY_ATTEMPT)
            e->flags |= ENTRY_INTERRUPTED;
        e->flags |= ENTRY_OLD;
        if (e->due == NONE)
            entry_poke(s, e);
    }
}

void state_forget_segment(struct state *s, uint32_t seg)
{
    for (uint32_t i = 0; i < state_numbers(s); i++) {
        struct entry *e = state_entry(s, i);
        if (e->id && e->seg == seg && !is_live(e))
            entry_free(s, e);
    }
}

bool state_replays_of(const struct state *s, uint32_t seg)
{
    for (uint32_t i = 0; i < state_numbers(s); i++) {
        const struct entry *e = state_entry(s, i);
        if (e->id && e->seg == seg && !is_live(e) && e->flags & ENTRY_RESUMING)
            return true;
    }
    return false;
}

struct entry *state_restore(struct state *s, const struct entry *from, slice lane, slice wait_key)
{
    uint32_t number;
    struct entry *e = entry_new(s, from->id, &number);
    e->accepted_ms = from->accepted_ms;
    e->attempts = from->attempts;
    e->seg = from->seg, e->off = from->off, e->len = from->len;
    e->state = from->state;
    e->flags = from->flags & (ENTRY_ATTEMPT | ENTRY_DETACHED);
    s->pin(s->pin_ctx, is_live(e) ? PIN_LIVE : PIN_DEAD, 1, e->seg, e->len);
    if (!is_live(e))
        return e;
    lane_enter(s, e, lane);
    if (e->state == J_PARKED && wait_key.p)
        key_enter(s, e, number, wait_key);
    else if (e->state == J_WAITING && e->flags & ENTRY_DETACHED)
        count_waiting(s, e, 1);
    else if (e->state == J_WAITING)
        queue_append(s, e, number);
    return e;
}
