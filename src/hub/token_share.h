/* token_share.h - one token for all processes of an installation: who asks for it, and how the others get it (through the cache).
 *
 *   token_share_find(actor, asks);        ends with exactly one of: asks(actor), token_shared(actor, …), token_not_now(actor, …)
 *   token_share_put(actor, …)             behind asks: it was given; the others may have it
 *   token_share_give_up(actor)            behind asks: it was not
 *
 * Lock       who asks holds "token-lock:{ACCOUNT}" for TOKEN_LOCK_MS, and prolongs it every TOKEN_KEEP_MS until he has his answer, however long a call may
 *            take; the others look for what he got every TOKEN_LOOK_MS. He that dies meanwhile is followed by another when the lock ends.
 * Single use a refresh token that came with an answer is given to the others as well, who keep it, and taken from there before the next one asks. While the
 *            cache is lost nobody asks for a token with such a one: two who use it would lose it for good. Tokens without are asked for as if alone.
 * Safety     what is in the cache is sealed with the installation's key.
 * Threads    loop thread.
 */
#ifndef HUB_TOKEN_SHARE_H
#define HUB_TOKEN_SHARE_H
#include "base/base.h"

enum { TOKEN_LOCK_MS = 30000, TOKEN_KEEP_MS = 5000, TOKEN_LOOK_MS = 200, TOKEN_PATIENCE_MS = 60000 };
struct actor;
struct token_share;
void token_share_find(struct actor *actor, void (*asks)(struct actor *actor));
void token_share_put(struct actor *actor, slice header, int64_t life_ms);
void token_share_give_up(struct actor *actor);
/* The other side refused this header: what the cache has of it is no answer. */
void token_share_refused(struct actor *actor, slice header);
/* The account's settings changed: the token in the cache may be one of the old ones. */
void token_share_forget(struct actor *actor);
void token_share_free(struct token_share *ts); /* NULL is fine */

/* token.c */
void token_shared(struct actor *actor, slice header, int64_t life_ms);
void token_not_now(struct actor *actor, const struct fault *f);
#endif
