/* accept.h - from a webhook to the journal: which account, verify, receive, commit, answer.
 *
 * A 2xx means: verified and durable. 404: no account of ours is meant; 403 (or the connector's own): the signature is wrong; 400: the body is malformed;
 * 413: a message is longer than the journal takes; 503: the journal cannot store now, send it again.
 */
#ifndef HUB_ACCEPT_H
#define HUB_ACCEPT_H
#include "hub/inbox.h"
#include "hub/hub.h"
#include "net/server.h"

/* Serves the hooks and extra routes of this connector, if it does not yet. */
void accept_routes(struct hub *h, struct server *s, const struct connector *type);
/* What receive found (also from a poll) goes into the journal; done(arg, ok) when it is durable. in lives until then. */
void accept_inbox(struct actor *from, struct inbox *in, slice trace_id, void (*done)(void *arg, bool ok), void *arg);

/* Can the journal hold all of it? What it cannot is refused (413, *f), and is no door's. body_bytes: of the request. */
bool accept_fits(struct arena *a, const struct inbox *in, size_t body_bytes, struct fault *f) MUST_USE;
/* Ends, not stored, what still waits for its conversations (stop). */
void accept_stop(struct hub *h);

/* One message of our own, in the batch of what caused it. to: the account it goes to. */
void accept_own(struct actor *to, struct conv *conv, const struct message *m, struct jbatch *b);
/* What the desk's end of a conversation means for the hub: it is open no more, and its attachments are purged. For a desk that says so beside accept_inbox. */
void accept_closed(struct conv *conv, struct jbatch *b);
/* "<account>\x1f<conversation>" */
slice lane_name(struct arena *a, const struct actor *target, const struct conv *conv);
#endif
