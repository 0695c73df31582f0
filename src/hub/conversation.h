/* conversation.h - the conversations in memory: one guest on one channel each.
 *
 *   conv_get(h, channel, guest, done, arg)   done(arg, conv): loaded from the state where it is not in memory; never NULL
 *   conv_touch …                             change conv->pub, then conv_save in the batch that belongs to the change
 *
 * The least recently used are dropped when there are more than hub_limits.conversations and nobody holds them.
 */
#ifndef HUB_CONVERSATION_H
#define HUB_CONVERSATION_H
#include "hub/hub.h"

struct conv_wait;
struct accept_turn;
struct conv {
    struct conversation pub; /* strings belong to the conv: set them with conv_set */
    struct memory *memory;
    struct actor *channel;
    int64_t person_until_ms, agent_until_ms; /* wall clock: ask the lookup again from then on */
    int64_t poll_ms;                         /* monotonic: last poll */
    bool polling;                            /* its answer is not committed yet */
    struct bucket pace;                      /* of the rate per conversation its calls count for … */
    unsigned pace_rate;                      /* … which is this row of connector.rates; 0: none yet */
    unsigned holds;
    bool loaded, dirty, open_dirty;          /* open_dirty: whether it is open may not be stored as it is */
    struct conv_wait *waiting, **waiting_last;
    struct accept_turn *turns, **turns_last; /* requests with messages of it that are not committed yet, in the order they came: accept.c */
    struct conv *hash_next;
    struct conv *older, *newer;          /* by use */
    struct actor *open_at;
    struct conv *open_prev, *open_next;  /* ring of the desk's open ones (polls) */
};
struct conversations;

struct conversations *conversations_new(struct hub *h) MUST_USE;
void conversations_free(struct conversations *cs);
/* Holds it: conv_release when done with it. */
void conv_get(struct hub *h, struct actor *channel, slice guest, void (*done)(void *arg, struct conv *conv), void *arg);
struct conv *conv_hold(struct conv *conv);
void conv_release(struct conv *conv);
/* Replaces a string member of conv->pub by a copy; true when it changed (then the conv is dirty). */
bool conv_set(struct conv *conv, slice *member, slice value);
void conv_person(struct conv *conv, const struct person *p); /* only the members that p has */
bool conv_other_person(const struct conv *conv, const struct person *p); /* certainly not who is known: someone else writes in the same thread */
void conv_person_forget(struct conv *conv);              /* it is someone else: nothing is known, and the lookup is asked again */
void conv_agent(struct conv *conv, slice name);         /* who speaks for the desk; cut where it is very long */
void conv_desk(struct conv *conv, slice id);            /* what the desk calls it; one that is longer than any is none of a desk's */
void conv_open(struct conv *conv, bool open, struct jbatch *b); /* open: then its attachments stay */
void conv_soil(struct conv *conv); /* what was saved last was not stored: the next conv_save puts all of it again */
/* Into the batch, when it or its memory changed. */
void conv_save(struct conv *conv, struct jbatch *b);
/* Nothing of the guest is remembered any more: person, agent, what connectors keep. A conversation that is open at its desk goes on as one of somebody
 * who is not known; else its place in the state is given up. done(arg, ok): it is on disk; also puts what `also` (may be NULL) adds to the batch. */
void conv_erase(struct hub *h, slice id, void (*also)(void *arg, struct jbatch *b), void (*done)(void *arg, bool ok), void *arg);
/* The tenant gets another desk: what is open at this one goes on as a new conversation there. */
void conversations_leave_desk(struct hub *h, struct actor *desk);
/* At start: the conversations that were open at their desks, so that polls go on. */
void conversations_load_open(struct hub *h);
size_t conversations_open(const struct hub *h);
size_t conversations_in_memory(const struct hub *h);
#endif
