#include "wire/service_account.h"
#include "wire/url.h"

/* clang-format off */
static const struct js_field file_fields[] = {
    JS_FIELD(struct service_account, email,     "client_email",   JS_STR, JS_REQ),
    JS_FIELD(struct service_account, key_id,    "private_key_id", JS_STR, 0),
    JS_FIELD(struct service_account, key,       "private_key",    JS_STR, JS_REQ),
    JS_FIELD(struct service_account, token_url, "token_uri",      JS_STR, 0),
    JS_FIELD(struct service_account, project,   "project_id",     JS_STR, 0),
};
/* clang-format on */

bool service_account_read(struct arena *a, slice file, struct service_account *ret, struct fault *f)
{
    const struct js *doc = js_parse(a, file, f);
    return doc && js_read(a, doc, file_fields, COUNT(file_fields), ret, f);
}

struct jwt_key *service_account_key(struct arena *a, const struct service_account *who, struct fault *f)
{
    CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_pem(pem_lines(a, who->key), f);
    if (key && !jwt_key_can_sign(key))
        return (void)fault(f, "bad_key", "", "it is a public key"), NULL;
    return TAKE(key);
}

slice service_account_form(struct arena *a, const struct service_account *who, const struct jwt_key *key, slice scope, int64_t now_ms, struct fault *f)
{
    struct jw w = jw_new(a, JWT_BYTES_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "iss", who->email);
    jw_str(&w, "scope", scope);
    jw_str(&w, "aud", who->token_url);
    jw_int(&w, "iat", now_ms / 1000);
    jw_int(&w, "exp", now_ms / 1000 + SERVICE_ACCOUNT_TOKEN_S);
    jw_close(&w, '}');
    slice assertion = jwt_sign(a, key, who->key_id, jw_done(&w), f);
    if (!assertion.p)
        return SLICE_NONE;
    struct text t = text_new(a, JWT_BYTES_MAX * 2);
    form_add(&t, SL("grant_type"), SL("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    form_add(&t, SL("assertion"), assertion);
    return text_slice(&t);
}
