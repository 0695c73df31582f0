/* notice_send.h - destinations: queues, rates, retries. What notice.c needs; the manual is notice.h. */
#ifndef HUB_NOTICE_SEND_H
#define HUB_NOTICE_SEND_H
#include "hub/notice.h"

/* A notice that several queues share. */
struct told {
    unsigned refs;
    struct notice n;
    char bytes[];
};
struct told *told_new(const struct notice *n) MUST_USE; /* a copy, with one reference */
struct told *told_hold(struct told *t);
void told_release(struct told *t); /* accepts NULL */

struct sender;
struct sender *sender_new(struct hub *h) MUST_USE;
void sender_free(struct sender *s);
void sender_configure(struct sender *s, const struct notice_target *targets, size_t n);
bool sender_any(const struct sender *s);
/* To whom it concerns. quietly: only to those that remember problems. */
void sender_tell(struct sender *s, struct told *t, bool quietly);
void sender_farewell(struct sender *s, struct told *t);
bool sender_idle(const struct sender *s);
bool sender_test(struct sender *s, slice name, struct told *t, void (*done)(void *arg, const struct notice_tested *t), void *arg) MUST_USE;
void sender_each(const struct sender *s, void (*each)(void *arg, const struct notice_standing *s), void *arg);
#endif
