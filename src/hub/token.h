/* token.h - the access token of an account: asked for once, shared by all its calls, asked again early and after a 401.
 *
 * One request is in flight per account; everyone who asks meanwhile waits for it. A refresh token that came with the answer is
 * stored (memory "refresh_token") before the new access token is used.
 *
 * Where processes share a cache, one of them asks and the others read what it got (token_share.h).
 *
 * An account with several tokens (AUTH_NAMED) has the same for each name (token_named.c); there the connector's memory holds the tokens themselves.
 */
#ifndef HUB_TOKEN_H
#define HUB_TOKEN_H
#include "base/base.h"

struct actor;
struct token_share;
struct token_wait {
    struct token_wait *next;
    slice name; /* AUTH_NAMED: which; valid until done */
    void (*done)(void *arg, slice header, const struct fault *f); /* header: "Bearer …", or absent: see *f */
    void *arg;
};
struct token {
    char *header;        /* "Bearer …"; NULL: none */
    int64_t refresh_ms;  /* monotonic: from here on a new one is asked for */
    int64_t expires_ms;
    bool asking, stale; /* stale: what is being asked for is for settings that are gone */
    struct token_wait *waiting, **waiting_last;
    struct token_share *share; /* NULL: not needed yet */
};

/* Calls w->done now or later; *w stays the caller's until then. */
void token_get(struct actor *actor, struct token_wait *w);
/* The other side refused this one. name: AUTH_NAMED, as it was asked for. */
void token_drop(struct actor *actor, slice header);
void token_drop_named(struct actor *actor, slice name, slice header);
/* The account's settings changed: what there is serves no more. */
void token_reset(struct actor *actor);
void token_done(struct token *t);

/* token_named.c */
struct token_named;
void token_named_get(struct actor *actor, struct token_wait *w);
bool token_named_is_old(struct actor *actor, slice name, slice header); /* there is a token of this name, and it is another one */
/* What the calls with this token have left of the rate (rate.per_token). */
struct bucket;
struct bucket *token_named_bucket(struct actor *actor, slice name, unsigned rate);
void token_named_reset(struct actor *actor); /* the account's settings changed: what was refused is tried again */
void token_named_done(struct actor *actor);
#endif
