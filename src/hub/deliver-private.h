/* deliver-private.h - one message under way, for the files of deliver.
 *
 *   deliver.c          offers, turns, beginning
 *   deliver_end.c      how it ended: stored, told, and what is learned from it
 *   deliver_command.c  an agent's command in the message's place
 */
#ifndef HUB_DELIVER_PRIVATE_H
#define HUB_DELIVER_PRIVATE_H
#include "hub/adapt.h"
#include "hub/deliver.h"
#include "hub/run.h"

struct asking_line; /* the language is asked about it: see deliver_command.c */
struct work {
    struct work *next;
    uint64_t id;
    struct actor *target, *channel;
    int64_t accepted_ms;
    unsigned attempts;
    bool interrupted, begun;
    bool probe; /* it is the breaker's: its end lets the next one through */
    size_t n_guest;
    char guest[];
};
/* One message under way. Lives in its own arena; the run has another. */
struct delivering {
    struct delivering *next, *prev; /* all of the hub's: for the stop */
    struct work *work;
    struct hub *h;
    struct arena *a;
    struct message m;
    struct conv *conv;
    struct actor *source;
    slice resumed;
    struct adapted adapted;
    struct fault fault;
    enum reason reason;
    struct run *run;
    size_t part;
    int step;
    slice keep;
    bool has_progress; /* "d:" is stored */
    bool unread;       /* its body is lost or malformed */
    bool discarded;    /* by an operator, meanwhile: it is final, whatever becomes of this attempt */
    bool list_used;    /* the answer was read off the list sent last */
    /* an agent's command: command.h */
    struct js_list said;   /* struct message: what goes to the guest in its place */
    struct message files;  /* their files together */
    bool has_said;         /* "x:" is stored */
    slice say;             /* a line for the agent */
    bool plan;
    int64_t later_ms;
    struct asking_line *ask; /* the language, once it is parked */
    /* how it ended: kept until it is stored */
    enum outcome end;  /* OUT_RETRY, OUT_PARKED, else settled as: */
    enum jstate state;
    int64_t until_ms;
    slice note, wait_key;
    enum status tell;  /* the desk; STATUS_NONE: nothing */
    struct loop_timer again;
};

/* deliver.c */
void deliver_lookup(void *delivering);  /* goes on with dl->m, whose files are settled; the last thing done with dl in this turn */

/* deliver_end.c. Each is the last thing done with dl in this turn, but for the last two. */
void deliver_run_ended(struct run *r, enum outcome end); /* the call that delivers it */
void deliver_end(struct delivering *dl, enum jstate state, enum outcome end); /* for good: see dl->fault */
void deliver_ignore(struct delivering *dl, const char *by); /* the other side does not want it */
void deliver_free(struct delivering *dl);
void deliver_record(void *delivering);  /* stores how it ended, and tells */
void deliver_settle(struct delivering *dl, enum jstate state, enum outcome end, slice note);
/* in_ms 0: the usual back-off. hard: the other side could not be reached at all. counts: for the breaker. */
void deliver_retry(struct delivering *dl, int64_t in_ms, bool hard, bool counts);
slice deliver_progress_key(struct delivering *dl, char letter);
bool deliver_desk_wants(const struct delivering *dl, enum status status);

/* deliver_command.c */
void deliver_command(struct delivering *dl);          /* carries it out, or goes on with what it said in an earlier attempt */
void deliver_ask(struct asking_line *ask);            /* its line is parked and stored: asks the language */
void deliver_ask_free(struct asking_line *ask);       /* it is not asked; NULL is fine */
#endif
