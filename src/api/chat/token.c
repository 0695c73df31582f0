#include "api/chat/token.h"
#include "wire/uuid.h"

enum { PAYLOAD_MAX = 512, TOKEN_MAX = 1024 };

slice chat_token_sign(struct arena *a, const struct jwt_key *key, const struct chat_token *t)
{
    struct jw w = jw_new(a, PAYLOAD_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "sessionId", t->session);
    jw_str(&w, "transportId", t->transport);
    jw_str(&w, "participantId", t->participant);
    jw_close(&w, '}');
    struct fault f = { 0 };
    slice token = jws_sign(a, key, SL("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), jw_done(&w), &f);
    assert(token.p); /* the key is a secret of ours */
    return token;
}

bool chat_token_read(struct arena *a, const struct jwt_key *key, slice token, struct chat_token *ret)
{
    slice payload = token.n && token.n <= TOKEN_MAX ? jws_verify(a, key, token, NULL) : SLICE_NONE;
    const struct js *claims = payload.p ? js_parse(a, payload, NULL) : NULL;
    ret->session = js_text(js_get(claims, SL("sessionId")));
    ret->transport = js_text(js_get(claims, SL("transportId")));
    ret->participant = js_text(js_get(claims, SL("participantId")));
    return js_len(claims) == 3 && uuid_valid(ret->session) && uuid_valid(ret->transport) && uuid_valid(ret->participant);
}
