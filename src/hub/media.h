/* media.h - attachments: fetched at once, streamed into the storage, handed over by our own link, purged after the conversation.
 *
 * A fetch begins when its message is on disk, at most hub_limits.media_parallel at a time; vendors' links expire, so it does not wait for the
 * message's turn. What came of it is remembered (state "m:<id>") and survives a restart; a message whose media are not settled waits with its delivery.
 * Failure is not silent: the part then carries media.error, which becomes a visible line; its caption is kept.
 */
#ifndef HUB_MEDIA_H
#define HUB_MEDIA_H
#include "hub/hub.h"

struct media_jobs *media_new(struct hub *h) MUST_USE;
void media_free(struct media_jobs *jobs);
bool media_idle(const struct hub *h); /* nothing is being fetched or looked up */
/* The message `id` was accepted from this account. */
void media_begin(struct actor *from, uint64_t id, const struct message *m);
/* It is waiting since before the start: what is not stored yet is fetched. */
void media_resume(struct actor *from, uint64_t id, slice body);
/* Calls done(arg) when every attachment of message id is settled, and m's media (in a) say how: now, or later. */
void media_settle(struct actor *from, uint64_t id, struct arena *a, struct message *m, void (*done)(void *arg), void *arg);
/* The message is final: its "m:" entry can go, and what is still fetched for it leaves none. */
void media_forget(struct hub *h, uint64_t id, const struct message *m, struct jbatch *b);
void media_abandon(struct hub *h, uint64_t id); /* the latter alone */

/* What became of a message's attachments, as stored (the history has it), into its media. False: unreadable. */
bool media_result_read(struct arena *a, slice json, struct message *m) MUST_USE;

/* What is still being fetched for this conversation is purged with the rest: it closed at at_ms; 0: it goes on. (What a later process fetches for it learns that
 * from the conversation.) */
void media_closed(struct hub *h, slice conversation, int64_t at_ms);

/* ---- purge: media_purge.c. Each attachment is deleted from the storage that has it, its own delay after the conversation closed, once, also when the
 * hub was restarted meanwhile. What cannot be deleted stays in the store and is tried again after 1, 5 and 30 minutes, 2 and 12 hours, then daily. */
void media_purge_later(struct hub *h, struct conv *conv, struct jbatch *b);  /* the conversation closed, as b says */
/* A message of it ended as dead or unknown, as b says: where it is not open nobody tells its end, and its files stay while that message can be sent again. */
void media_purge_given_up(struct hub *h, struct conv *conv, struct jbatch *b);
void media_purge_cancel(struct hub *h, struct conv *conv, struct jbatch *b); /* it goes on: the guest writes, or it is open at its desk again */
int64_t media_purge_since(const struct conv *conv); /* when it closed; 0: it goes on */
/* The conversation is erased: at once, whether it is open or not. */
void media_purge_now(struct hub *h, slice conversation);
void media_purge_load(struct hub *h);                      /* what the store was not yet told; before the loop runs */
void media_purge_start(struct hub *h);                     /* the sweep, from now on */
void media_purge_stop(struct hub *h);
#endif
