#include "wire/jwt.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/jwt_key.h"
#include <openssl/evp.h>

/* ---- signing ----------------------------------------------------------------------------------------------------- */

static void ctx_freep(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

slice jwt_key_sign(struct arena *a, const struct jwt_key *key, slice text)
{
    if (!key->rsa) {
        struct sha256 mac = hmac_sha256(key->secret, text);
        return arena_dup(a, slice_mem(mac.b, sizeof(mac.b)));
    }
    CLEANUP(ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = (size_t)EVP_PKEY_get_size(key->rsa);
    unsigned char *out = arena_alloc(a, n);
    if (!key->can_sign || !ctx || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->rsa) != 1 ||
        EVP_DigestSign(ctx, out, &n, (const unsigned char *)text.p, text.n) != 1)
        return SLICE_NONE;
    return slice_mem(out, n);
}

static bool is_signed(struct arena *a, const struct jwt_key *key, slice text, slice by)
{
    if (!key->rsa)
        return bytes_equal_secret(jwt_key_sign(a, key, text), by);
    CLEANUP(ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    return ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->rsa) == 1 &&
           EVP_DigestVerify(ctx, (const unsigned char *)by.p, by.n, (const unsigned char *)text.p, text.n) == 1;
}

slice jws_sign(struct arena *a, const struct jwt_key *key, slice header, slice payload, struct fault *f)
{
    slice text = arena_printf(a, SLF "." SLF, SLA(base64url_encode(a, header)), SLA(base64url_encode(a, payload)));
    slice sig = jwt_key_sign(a, key, text);
    if (!sig.p)
        return (void)fault(f, "bad_key", "", "this key cannot sign: it is a public key"), SLICE_NONE;
    return arena_printf(a, SLF "." SLF, SLA(text), SLA(base64url_encode(a, sig)));
}

slice jwt_sign(struct arena *a, const struct jwt_key *key, slice kid, slice claims, struct fault *f)
{
    if (!claims.p)
        return (void)fault(f, "bad_token", "", "the claims are too long"), SLICE_NONE;
    struct jw w = jw_new(a, JWT_BYTES_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "alg", jwt_key_alg(key));
    jw_str(&w, "typ", SL("JWT"));
    jw_opt(&w, "kid", kid);
    jw_close(&w, '}');
    return jws_sign(a, key, jw_done(&w), claims, f);
}

static const struct js_field claim_fields[] = {
    JS_FIELD(struct jwt_claims, iss, "iss", JS_STR, 0),     JS_FIELD(struct jwt_claims, sub, "sub", JS_STR, 0),
    JS_FIELD(struct jwt_claims, aud, "aud", JS_STR, 0),     JS_FIELD(struct jwt_claims, jti, "jti", JS_STR, 0),
    JS_FIELD(struct jwt_claims, iat_ms, "iat", JS_SECS, 0), JS_FIELD(struct jwt_claims, nbf_ms, "nbf", JS_SECS, 0),
    JS_FIELD(struct jwt_claims, exp_ms, "exp", JS_SECS, 0),
};

void jwt_claims_write(struct jw *w, const struct jwt_claims *claims)
{
    jw_fields(w, claim_fields, COUNT(claim_fields), claims);
}

/* ---- verifying --------------------------------------------------------------------------------------------------- */

struct parts {
    slice header, payload, sig, text; /* text: what is signed */
};

static bool split(slice token, struct parts *p)
{
    slice rest = token;
    p->header = slice_cut(&rest, '.');
    p->payload = slice_cut(&rest, '.');
    p->sig = slice_cut(&rest, '.');
    p->text = slice_sub(token, 0, p->header.n + 1 + p->payload.n);
    return token.n <= JWT_BYTES_MAX && p->header.n && p->sig.n && !rest.p;
}

static const struct js *header_of(struct arena *a, const struct parts *p)
{
    slice json = base64url_decode(a, p->header);
    return json.p ? js_parse(a, json, NULL) : NULL;
}

slice jwt_kid(struct arena *a, slice token)
{
    struct parts p;
    return split(token, &p) ? js_text(js_at(header_of(a, &p), "kid")) : SLICE_NONE;
}

static bool bad(struct fault *f, const char *why)
{
    return fault(f, "bad_token", "", "%s", why);
}

/* RFC 7515 writes base64url without padding; what has it is not the text that was signed. */
static bool verify(struct arena *a, const struct jwt_key *key, slice token, slice *ret, struct fault *f)
{
    struct parts p;
    if (!split(token, &p) || slice_find_char(token, '=') != SIZE_MAX)
        return bad(f, "a token is three base64url texts with dots between them");
    const struct js *header = header_of(a, &p);
    if (!js_is_object(header))
        return bad(f, "the token's header is no JSON object");
    if (!slice_eq(js_text(js_at(header, "alg")), jwt_key_alg(key)))
        return bad(f, "the token's algorithm is not the key's");
    if (js_at(header, "crit"))
        return bad(f, "the token demands extensions we do not know");
    slice sig = base64url_decode(a, p.sig);
    if (!sig.p || !is_signed(a, key, p.text, sig))
        return bad(f, "the token's signature does not match");
    *ret = base64url_decode(a, p.payload);
    return ret->p || bad(f, "the token's payload is no base64url");
}

slice jws_verify(struct arena *a, const struct jwt_key *key, slice token, struct fault *f)
{
    slice payload = SLICE_NONE;
    return verify(a, key, token, &payload, f) ? payload : SLICE_NONE;
}

static bool aud_has(const struct js *aud, slice want)
{
    if (js_is_string(aud))
        return slice_eq(js_text(aud), want);
    for (size_t i = 0; js_is_array(aud) && i < js_len(aud); i++)
        if (js_is_string(js_item(aud, i)) && slice_eq(js_text(js_item(aud, i)), want))
            return true;
    return false;
}

static bool times_ok(struct arena *a, const struct js *claims, const struct jwt_rules *rules, struct fault *f)
{
    struct times { int64_t exp_ms, nbf_ms; } t = { 0, 0 };
    static const struct js_field fields[] = {
        JS_FIELD(struct times, exp_ms, "exp", JS_SECS, 0), JS_FIELD(struct times, nbf_ms, "nbf", JS_SECS, 0),
    };
    if (!js_read(a, claims, fields, COUNT(fields), &t, NULL))
        return bad(f, "exp and nbf are numbers of seconds");
    bool has_exp = js_at(claims, "exp") && !js_is_null(js_at(claims, "exp"));
    if (!has_exp && !rules->exp_optional)
        return bad(f, "the token does not say when it expires");
    if (has_exp && rules->now_ms >= t.exp_ms + rules->leeway_ms)
        return fault(f, "expired", "exp", "the token has expired");
    if (rules->now_ms < t.nbf_ms - rules->leeway_ms)
        return fault(f, "not_yet_valid", "nbf", "the token is not valid yet");
    return true;
}

const struct js *jwt_verify(struct arena *a, const struct jwt_key *key, slice token, const struct jwt_rules *rules,
                            struct fault *f)
{
    slice payload = jws_verify(a, key, token, f);
    if (!payload.p)
        return NULL;
    const struct js *claims = js_parse(a, payload, NULL);
    if (!js_is_object(claims))
        return (void)bad(f, "the token's payload is no JSON object"), NULL;
    if (!times_ok(a, claims, rules, f))
        return NULL;
    if (rules->iss.p && !(js_is_string(js_at(claims, "iss")) && slice_eq(js_text(js_at(claims, "iss")), rules->iss)))
        return (void)fault(f, "wrong_issuer", "iss", "the token comes from someone else"), NULL;
    if (rules->aud.p && !aud_has(js_at(claims, "aud"), rules->aud))
        return (void)fault(f, "wrong_audience", "aud", "the token is meant for someone else"), NULL;
    return claims;
}
