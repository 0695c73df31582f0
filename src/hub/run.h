/* run.h - one function of a connector being carried out: its steps, and the calls between them.
 *
 * The same for deliver, setup, lookup, poll and token: the function says "make this call", the run waits for a rate, writes the mark of a call that must
 * not be repeated, adds the token, makes the call (once more with a new token after a 401), and comes back with the answer, until a step says how it ended.
 *
 * Ownership  a run lives in its own arena; whoever started it frees it, in ended() or later.
 * Memory     what the function remembered is stored before ended() is called, except for deliveries (.id set), whose outcome is
 *            committed together with it by deliver.c.
 */
#ifndef HUB_RUN_H
#define HUB_RUN_H
#include "hub/hub.h"
#include "net/client.h"

enum { RUN_CALLS_MAX = 250, RUN_HOPS_MAX = 32, RUN_KEEP_MAX = 4096 };

struct hop { /* one call, for the trace */
    int64_t at_ms, took_us;
    int status;
    bool written;
    slice what;   /* method, host and path: no query, no secrets */
    slice answer; /* vendor's request id or error text */
};
struct run {
    struct run *next, *prev; /* of the hub's */
    struct hub *hub;
    struct actor *actor;
    struct conv *conv; /* NULL: none; held by the run */
    struct arena *a;
    struct fault fault;
    struct delivery d;
    enum outcome (*step)(struct call *c, struct delivery *d);
    void (*ended)(struct run *r, enum outcome end);
    void *arg;
    uint64_t id;      /* the journal's id of a delivery; 0: none */
    slice trace_id;   /* X-B3-TraceId passed on */
    bool no_wait;     /* rather end with OUT_RETRY than wait for a rate */
    int64_t total_ms; /* of all its calls together; 0: each has the client's */
    int64_t began_ms; /* monotonic */
    struct hop hops[RUN_HOPS_MAX];
    size_t n_hops, n_calls;
    /* run.c's own */
    struct client_call call;
    struct header headers[CALL_HEADERS_MAX + 6];
    struct token_wait token_wait;
    slice token;
    slice token_name; /* of the last call, and … */
    slice last_token; /* … what it carried */
    struct storage *upload_from;
    struct aes_ctr *upload_cipher; /* NULL: it goes out as it is */
    struct storage_get *upload; /* the body that is read from the storage while it is sent, and … */
    size_t upload_head, upload_tail; /* … how much of what frames it is sent */
    bool upload_ended;               /* the file itself is */
    struct answer last;
    struct loop_timer timer;
    bool replayed, paced; /* paced: this call's place in its conversation's rate is taken */
    bool saved; /* progress is stored: "d:" */
    size_t saved_part;
    int saved_step;
    slice saved_keep;
};

/* conv may be NULL; it is held until run_free. */
struct run *run_new(struct actor *actor, struct conv *conv, enum outcome (*step)(struct call *, struct delivery *),
                    void (*ended)(struct run *, enum outcome), void *arg) MUST_USE;
void run_start(struct run *r);
void run_free(struct run *r);
void runs_free(struct hub *h); /* all that are open (stop, after the client and the journal are closed) */
/* How far a delivery that is not at its end has come: also when that was stored before, because that batch may have failed. */
void run_keep_progress(struct run *r, struct jbatch *b);
/* {"end":…,"hops":[…],"reason":…,"text":…,"note":…}: the trace of this run. */
slice run_note(struct run *r, enum outcome end, slice note) MUST_USE;
extern const char *const outcome_names[];
/* Stores what is dirty of the actor's memory in the batch. */
void actor_save(struct actor *actor, struct jbatch *b);
#endif
