#include "hub/verify.h"
#include "hub/keys.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/jwks.h"

static bool secret_verifies(const struct hook *hook, slice secret, slice given, slice body)
{
    switch (hook->how) {
    case VERIFY_HMAC_SHA256_BASE64:
    case VERIFY_HMAC_SHA256_HEX: {
        struct sha256 mac = hmac_sha256(secret, body);
        slice bytes = slice_mem(mac.b, sizeof(mac.b));
        return hook->how == VERIFY_HMAC_SHA256_HEX ? mac_is_hex(bytes, given) : mac_is_base64(bytes, given);
    }
    case VERIFY_HEADER_EQUAL: return bytes_equal_secret(given, secret);
    case VERIFY_NONE:
    case VERIFY_JWT:
    case VERIFY_OWN: break;
    }
    return false;
}

static slice stamp_join(struct arena *a, const struct hook *hook, slice stamp, slice body)
{
    struct text t = text_new(a, body.n + stamp.n + 64);
    text_add(&t, "%s" SLF ":", hook->stamp_before ? hook->stamp_before : "", SLA(stamp));
    text_put(&t, body);
    return text_slice(&t);
}

/* What is signed where the time is signed, too; a time outside the window is somebody's recording. */
static bool stamped(struct call *c, const struct request *rq, slice *ret, struct fault *f)
{
    const struct hook *hook = &c->account->type->hook;
    slice stamp = request_header(rq, hook->stamp);
    int64_t at_s = 0, now_s = c->now_ms / 1000, window_s = hook->window_ms / 1000;
    if (!stamp.p)
        return fault(f, "no_signature", hook->stamp, "the header %s is missing", hook->stamp);
    if (!slice_int(stamp, &at_s) || at_s < 0 || at_s > TIME_MAX_MS / 1000)
        return fault(f, "bad_signature", hook->stamp, "%s is no time", hook->stamp);
    if (at_s < now_s - window_s || at_s > now_s + window_s)
        return fault(f, "bad_signature", hook->stamp, "%s is %lld s away from now", hook->stamp, (long long)(at_s - now_s));
    *ret = stamp_join(c->a, hook, stamp, rq->body);
    return true;
}

static bool token_verifies(struct call *c, const struct request *rq, slice token, struct fault *f)
{
    const struct connector *type = c->account->type;
    const struct jwk *key = jwks_find(c->keys, jwt_kid(c->a, token));
    if (!key)
        return fault(f, "bad_signature", type->hook.header, "the token was signed with none of the %zu keys its sender publishes", jwks_count(c->keys));
    struct jwt_rules rules = { .now_ms = c->now_ms, .leeway_ms = type->hook.keys.leeway_ms };
    const struct js *claims = jwt_verify(c->a, key->key, token, &rules, f);
    return claims && type->token_ok(c, rq, key->doc, claims);
}

bool hook_token(const struct hook *hook, const struct request *rq, slice *ret, struct fault *f)
{
    slice given = request_header(rq, hook->header);
    slice prefix = slice_of(hook->prefix);
    if (!given.p)
        return fault(f, "no_signature", hook->header, "the header %s is missing", hook->header);
    if (!slice_starts(given, prefix))
        return fault(f, "bad_signature", hook->header, "%s does not begin with \"%s\"", hook->header, hook->prefix);
    *ret = slice_from(given, prefix.n);
    return true;
}

bool hook_verify(struct call *c, const struct request *rq, slice *ret_body, struct fault *f)
{
    const struct connector *type = c->account->type;
    const struct hook *hook = &type->hook;
    *ret_body = rq->body;
    if (hook->how == VERIFY_NONE)
        return true;
    if (hook->how == VERIFY_OWN)
        return type->verify(c, rq, ret_body);
    slice given, signed_bytes = rq->body;
    if (!hook_token(hook, rq, &given, f))
        return false;
    if (hook->how == VERIFY_JWT)
        return token_verifies(c, rq, given, f);
    if (hook->stamp && !stamped(c, rq, &signed_bytes, f))
        return false;
    for (unsigned i = 0; i < hook->n_secrets; i++) {
        slice secret = setting(c, hook->secrets[i]);
        if (secret.n && secret_verifies(hook, secret, given, signed_bytes))
            return true;
    }
    slice made = type->hook_secret ? type->hook_secret(c) : SLICE_NONE;
    if (made.n && secret_verifies(hook, made, given, signed_bytes))
        return true;
    return fault(f, "bad_signature", hook->header, "%s does not fit the %zu bytes of the body and the secret of the account", hook->header,
                 rq->body.n);
}

bool hook_sign(const struct account *acc, struct arena *a, slice body, int64_t now_ms, struct header *ret, struct header *ret_stamp, struct fault *f)
{
    const struct hook *hook = &acc->type->hook;
    slice secret = SLICE_NONE, value;
    *ret = *ret_stamp = (struct header){ SLICE_NONE, SLICE_NONE };
    if (hook->how == VERIFY_NONE)
        return true;
    if (hook->how == VERIFY_OWN || hook->how == VERIFY_JWT)
        return fault(f, "not_signed", "", "%s signs in a way of its own, which cannot be repeated here", acc->type->title);
    for (unsigned i = 0; i < hook->n_secrets && !secret.n; i++)
        secret = acc->settings[hook->secrets[i]];
    if (!secret.n)
        return fault(f, "missing_field", hook->header, "the account has no secret to sign with");
    if (hook->stamp) {
        *ret_stamp = (struct header){ slice_of(hook->stamp), arena_printf(a, "%lld", (long long)(now_ms / 1000)) };
        body = stamp_join(a, hook, ret_stamp->value, body);
    }
    struct sha256 mac = hmac_sha256(secret, body);
    slice bytes = slice_mem(mac.b, sizeof(mac.b));
    if (hook->how == VERIFY_HEADER_EQUAL)
        value = secret;
    else
        value = hook->how == VERIFY_HMAC_SHA256_HEX ? hex_encode(a, bytes) : base64_encode(a, bytes);
    *ret = (struct header){ slice_of(hook->header), arena_printf(a, "%s" SLF, hook->prefix ? hook->prefix : "", SLA(value)) };
    return true;
}

struct actor *find_by_path(struct hub *h, const struct connector *type, slice rest, struct fault *f)
{
    struct actor *only = NULL;
    size_t n = 0;
    if (slice_starts(rest, SL("/")))
        rest = slice_from(rest, 1);
    for (size_t i = 0; i < h->n_actors; i++) {
        struct actor *ac = h->actors[i];
        if (ac->account.type != type || ac->retired)
            continue;
        if (rest.n && slice_eq(ac->account.id, rest))
            return ac;
        only = ac;
        n++;
    }
    if (!rest.n && n == 1)
        return only;
    fault(f, "unknown_account", "path", "the path names no account of %s here", type->title);
    return NULL;
}

bool knows_its_key(const struct connector *type, struct arena *a, const struct request *rq, struct actor *actor)
{
    struct call c;
    struct fault f = { 0 };
    if (rq->path.n || !type->route_key || !type->route_own || !type->route_key(a, rq).p)
        return true;
    actor_call(actor, &c, a, NULL, &f);
    return type->route_own(&c).p != NULL;
}

/* In which round an account is asked: those who know their key, then those of them who take what is left, then those who have not learned it yet. */
enum { ROUND_OWN, ROUND_REST, ROUND_UNKNOWN, ROUNDS };
static int round_of(struct call *c, const struct connector *type, slice key, slice own)
{
    return !key.p || !own.p ? ROUND_UNKNOWN : type->route_rest && type->route_rest(c) ? ROUND_REST : ROUND_OWN;
}

enum found find_verified(struct hub *h, const struct connector *type, struct arena *a, struct request *rq, struct actor **ret_actor,
                         struct fault *f)
{
    struct actor *named = NULL;
    if (rq->path.n && !(named = find_by_path(h, type, rq->path, f)))
        return FOUND_NONE;
    slice key = !named && type->route_key ? type->route_key(a, rq) : SLICE_NONE;
    bool tried = false;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < h->n_actors; i++) {
            struct actor *ac = h->actors[i];
            if (ac->account.type != type || ac->retired || (named && ac != named))
                continue;
            struct call c;
            actor_call(ac, &c, a, NULL, f);
            c.keys = type->hook.how == VERIFY_JWT ? keys_have(h->keys, type->hook.keys.url(&c)) : NULL;
            slice own = key.p && type->route_own ? type->route_own(&c) : SLICE_NONE;
            if (round_of(&c, type, key, own) != round || (own.p && !slice_eq(own, key)))
                continue;
            tried = true;
            slice body;
            if (!hook_verify(&c, rq, &body, f))
                continue;
            f->code = NULL; /* what an earlier candidate's secret had against it */
            rq->body = body;
            *ret_actor = ac;
            return FOUND;
        }
    }
    if (tried)
        return FOUND_BAD;
    fault(f, "unknown_account", "", "the body is addressed to \"" SLF "\", which no account of %s here has", SLA(utf8_cut(key, 64)),
          type->title);
    return FOUND_NONE;
}
