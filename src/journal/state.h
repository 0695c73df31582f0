/* state.h - what the log says, in memory: messages that are not done, their lanes, what is put off or parked, keys put.
 *
 * The state is a function of the records of the log: state_apply takes one after the other, when it is durable, and again at the
 * next start from the last snapshot on. Nothing else changes a message's state, so what a crash restores is what was.
 *
 * Memory     56 bytes a message, about 8 of index; 24 more while it waits for a time; 20 bytes and the name a lane. Lanes
 *            exist while they have a message that is waiting or parked. DEAD and UNKNOWN messages stay known (for replay) as
 *            long as their segment is kept.
 * Offering   state_next hands out messages that may be offered now, each once: heads of lanes, and resumed ones out of order.
 * Time       waiting is measured on the monotonic clock and never longer than what was asked for when it was recorded.
 */
#ifndef JOURNAL_STATE_H
#define JOURNAL_STATE_H
#include "journal/io.h"
#include "journal/names.h"
#include "journal/record.h"

#define NONE UINT32_MAX

enum {
    ENTRY_ATTEMPT = 1,     /* about to make a call that must not be repeated */
    ENTRY_INTERRUPTED = 2, /* such a mark was the last that is known from an earlier process */
    ENTRY_OFFERED = 4,     /* handed out, or about to be */
    ENTRY_DETACHED = 8,    /* resumed: waiting, but not in its lane's order */
    ENTRY_RESUMING = 16,   /* parked, and a resume is on its way to disk; dead or unknown: a replay */
    ENTRY_OLD = 32,        /* from before this start, and not put off since */
};
struct entry {
    uint64_t id; /* 0: free, next is the next free one */
    uint64_t accepted_ms : 48, attempts : 16;
    uint32_t seg, off, len; /* of its accept record */
    uint32_t lane;          /* NONE when final */
    uint32_t next, prev;    /* in the lane when waiting, among those of the same key when parked */
    uint32_t wait_key;      /* parked: its name in keys; else NONE */
    uint32_t due;           /* place in the heap of due times; NONE */
    uint8_t state, flags;
};
struct lane {
    uint32_t head, tail;     /* waiting, in order */
    uint32_t waiting, users; /* messages waiting; waiting or parked */
};
struct due {
    int64_t mono_ms, wall_ms;
    uint32_t entry;
};
struct put {
    uint64_t position;
    uint32_t seg, off, len;
};
struct ready {
    uint64_t id;
    uint32_t entry;
};

enum state_pin { PIN_LIVE, PIN_DEAD, PIN_PUT }; /* why memory points at a record */

struct state {
    const struct jio *io;
    struct entry **pages;
    uint32_t n_pages, first_free, n_entries;
    uint32_t *index; /* of ids: entry + 1 */
    uint32_t n_index;
    struct names lane_names, keys, puts;
    struct lane *lanes; /* by number in lane_names */
    uint32_t n_lanes, lanes_waiting;
    uint32_t *key_heads; /* by number in keys */
    uint32_t n_key_heads;
    struct put *put_at; /* by number in puts */
    uint32_t n_put_at;
    struct due *dues; /* a heap */
    uint32_t n_dues, cap_dues;
    struct ready *ready;
    size_t ready_from, n_ready, cap_ready; /* ready[ready_from..n_ready) */
    int64_t counts[J_STATES];
    uint64_t next_id, put_position;
    /* A record that memory points at came to (+1) or left (-1) a segment. */
    void (*pin)(void *ctx, enum state_pin what, int by, uint32_t seg, uint32_t len);
    void *pin_ctx;
};
void state_init(struct state *s, const struct jio *io, void (*pin)(void *, enum state_pin, int, uint32_t, uint32_t), void *ctx);
void state_done(struct state *s);

/* The record stands at off of segment seg. */
void state_apply(struct state *s, const struct rec *r, uint32_t seg, uint32_t off, uint32_t len);
/* It stands somewhere else now, and nothing else changed. */
void state_relocate(struct state *s, const struct rec *r, uint32_t seg, uint32_t off, uint32_t len);
/* After the last record of an earlier process: its attempts were interrupted. */
void state_started(struct state *s);

struct entry *state_find(const struct state *s, uint64_t id); /* NULL: final and forgotten, or never was */
struct entry *state_entry(const struct state *s, uint32_t number);
uint32_t state_parked(const struct state *s, slice wait_key); /* the oldest one not being resumed; NONE */
struct entry *state_next(struct state *s);                    /* to be offered now; NULL: no more */
/* When the next message is due (monotonic ms); INT64_MAX: none. state_due takes one whose time has come, or gives NULL; a waiting
 * one becomes ready by itself, a parked one is to be resumed by the caller. */
int64_t state_next_due(const struct state *s);
struct entry *state_due(struct state *s, int64_t mono_ms);
void state_wait(struct state *s, struct entry *e, int64_t delay_ms, int64_t until_wall_ms); /* 0 and less: not at all */
void state_forget_segment(struct state *s, uint32_t seg); /* DEAD and UNKNOWN messages in it are gone */
bool state_replays_of(const struct state *s, uint32_t seg); /* is one of them on its way back into its lane? */
slice state_lane(const struct state *s, const struct entry *e);
/* Numbers below this have been used; state_entry(…)->id is 0 for free ones. */
uint32_t state_numbers(const struct state *s);

/* For snapshots: puts an entry back as it was (in its lane behind the earlier ones). */
struct entry *state_restore(struct state *s, const struct entry *e, slice lane, slice wait_key);
void state_restore_put(struct state *s, slice key, const struct put *at);
#endif
