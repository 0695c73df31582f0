/* notice.h - telling operators: what is told when, and to whom.
 *
 *   hub_notice(h, NOTICE_ACCOUNT_FAILS, actor, SL("401 invalid_client"));      wherever it is noticed, as often as it is noticed
 *   hub_notice(h, NOTICE_ACCOUNT_WORKS, actor, SLICE_NONE);                    costs one compare while there is no problem
 *
 * A problem (notices.def) is told once it lasts, told again with a count at most every again_ms while it is reported, and told once when it is
 * over. Problems that were told are remembered across restarts (state.h, "n:"), so that the end of one is told by the next process, too. More than
 * NOTICE_STARTS_MAX starts within NOTICE_STARTS_MS become one message.
 *
 * Nobody waits for any of this: a notice is put into a bounded queue for each destination, whose oldest falls out, counted, when it is full. One call
 * at a time to a destination, within its rate; tried again NOTICE_ATTEMPTS times; a destination that refuses NOTICE_REFUSALS_MAX in a row, or is
 * gone, is left alone until it is configured anew or a test of it succeeds.
 *
 * Topics     what has the topic Subscriptions goes to the destinations of that topic, or, where none of them works, to those of Default.
 * Secrets    reasons come from faults, which hold none; logs name the destination, never its address.
 * Ownership  everything is copied. Memory is bounded: NOTICE_PROBLEMS_MAX problems, NOTICE_QUEUE_MAX notices a destination.
 * Threads    loop thread.
 */
#ifndef HUB_NOTICE_H
#define HUB_NOTICE_H
#include "hub/hub.h"
#include "hub/notifier.h"

enum {
    NOTICE_PROBLEMS_MAX = 1024,
    NOTICE_QUEUE_MAX = 64,
    NOTICE_ATTEMPTS = 10,
    NOTICE_REFUSALS_MAX = 5,
    NOTICE_STARTS_MAX = 10,
    NOTICE_STARTS_MS = 300000,
    NOTICE_CONNECT_MS = 5000,
    NOTICE_TOTAL_MS = 10000,
    NOTICE_STOP_MS = 3000, /* the last words of a process that stops */
    NOTICE_REASON_CHARS = 200,
};

struct notices;
/* After the state is there and before the accounts start. environment: "prod"; may be absent. */
struct notices *notices_new(struct hub *h, slice environment) MUST_USE;
void notices_free(struct notices *ns); /* after hub_stop */
/* These are the destinations from now on; one that is as before (name, type, settings) keeps its queue. At most NOTICE_TARGETS_MAX. */
void notices_configure(struct notices *ns, const struct notice_target *targets, size_t n);
/* The process serves. */
void notices_started(struct notices *ns);
/* It stops: told at once, beside what is queued, and tried once. Then notices_idle is asked until it is true, which it is after NOTICE_STOP_MS. */
void notices_stopping(struct notices *ns, slice reason);
bool notices_idle(const struct notices *ns);

/* About an account; actor NULL with a RESOLVE: every problem of that family is over. */
void hub_notice(struct hub *h, enum notice_kind kind, const struct actor *actor, slice reason);
/* About a part of the hub. part: which one, where there are several (storages). */
void hub_notice_part(struct hub *h, enum notice_kind kind, slice part, slice reason);
/* Asking for an access token ended like this. name: which, of an account that has several; left_ms: how long the present one lives. */
void hub_notice_token(const struct actor *actor, slice name, int64_t left_ms, enum outcome end, const struct fault *f);
/* A message ended in this state (J_DEAD, J_UNKNOWN). */
void hub_notice_dead(const struct actor *target, enum jstate state, enum reason reason, slice why);
/* The account is configured no more: its problems are over. */
void hub_notice_gone(const struct actor *actor);

/* ---- for operators ------------------------------------------------------------------------------------------------------ */

struct notice_standing {
    slice name;
    const struct notifier *type;
    const bool *topics;
    char tail[5];        /* the last four characters of its secret */
    const char *state;   /* "ready", "waiting", "disabled" */
    const char *why;     /* of the last failure; "": none */
    int64_t last_ms;     /* wall clock of the last one taken; 0: none yet */
    size_t queued;
    uint64_t sent, refused, dropped;
};
/* Its members but the address, without the braces: name, type, topics, state, … */
void notice_standing_write(struct jw *w, const struct notice_standing *s);
/* Both valid during the call. */
void notices_each(const struct notices *ns, void (*each)(void *arg, const struct notice_standing *s), void *arg);
struct notice_tested {
    int status;       /* 0: no answer */
    int64_t took_us;
    slice answer;     /* its body, shortened */
    const char *why;  /* "": taken */
};
/* Sends a test to the destination, now. done comes once; false, and no done: there is none of this name. */
bool notices_test(struct notices *ns, slice name, void (*done)(void *arg, const struct notice_tested *t), void *arg) MUST_USE;
#endif
