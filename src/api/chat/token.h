/* token.h - what a page shows to speak for its guest: a JWT (HS256) with exactly three claims, each a UUID.
 *
 * It has no end of its own: the session has. The page takes sessionId and participantId out of it, so the payload holds nothing that base64url and
 * base64 write differently.
 * Facts  docs/wire/webchat.md "Client token"
 */
#ifndef API_CHAT_TOKEN_H
#define API_CHAT_TOKEN_H
#include "wire/jwt.h"

struct chat_token {
    slice session, transport, participant;
};
slice chat_token_sign(struct arena *a, const struct jwt_key *key, const struct chat_token *t) MUST_USE;
bool chat_token_read(struct arena *a, const struct jwt_key *key, slice token, struct chat_token *ret) MUST_USE;
#endif
