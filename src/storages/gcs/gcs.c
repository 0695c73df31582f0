/* Google Cloud Storage. Facts: docs/wire/storage.md "Google Cloud Storage". */
#include "storages/cloud.h"
#include "wire/base64.h"
#include "wire/js.h"
#include "wire/service_account.h"
#include "wire/sigv4.h"
#include "wire/url.h"

enum {
    GCS_PART_BYTES = 8 << 20, /* "Uploads": a multiple of 256 KiB */
    GCS_LINK_MAX_S = 604800,  /* "Links": seven days */
    HANDLE_MAX = 4096,
};
#define GCS_HOST "https://storage.googleapis.com"
#define GCS_SCOPE "https://www.googleapis.com/auth/devstorage.read_write"

enum { SET_FILE, SET_PROJECT, SET_CLIENT, SET_EMAIL, SET_KEY_ID, SET_KEY, SET_BUCKET, SET_PUBLIC, SET_PREFIX, SET_ENDPOINT, SET_TOKEN_URL };
/* clang-format off */
static const struct setting gcs_settings[] = {
    [SET_FILE]     = { .name = "service_account", .label = "Service Account (JSON)", .type = SETTING_TEXT, .secret = true, .max = 16384,
                       .help = "The content of the key file: Google Cloud console, IAM & Admin, Service Accounts, Keys, Add key, JSON" },
    [SET_PROJECT]  = { .name = "project_id", .label = "Project Identifier", .type = SETTING_TEXT, .max = 100,
                       .help = "This and the four below: the members of the key file, where it is not given as a whole" },
    [SET_CLIENT]   = { .name = "client_id", .label = "Client Identifier", .type = SETTING_TEXT, .max = 100 },
    [SET_EMAIL]    = { .name = "client_email", .label = "Client Email", .type = SETTING_TEXT, .max = 300 },
    [SET_KEY_ID]   = { .name = "private_key_id", .label = "Private Key Identifier", .type = SETTING_TEXT, .max = 100 },
    [SET_KEY]      = { .name = "private_key", .label = "Private Key", .type = SETTING_TEXT, .secret = true, .max = 16384,
                       .help = "PEM; line ends may be written \\n, as in the key file" },
    [SET_BUCKET]   = { .name = "bucket", .label = "Bucket", .type = SETTING_TEXT, .required = true, .min = 3, .max = 222,
                       .help = "Its name; it must exist" },
    [SET_PUBLIC]   = { .name = "public", .label = "Public", .type = SETTING_BOOL, .otherwise = "false",
                       .help = "Everyone may read the bucket's objects: links are not signed. Sets publicRead on each, unless the bucket has uniform access" },
    [SET_PREFIX]   = { .name = "prefix", .label = "Folder", .type = SETTING_TEXT, .max = 200,
                       .help = "In front of every object's name" },
    [SET_ENDPOINT] = { .name = "endpoint", .label = "Endpoint", .type = SETTING_URL, .otherwise = GCS_HOST,
                       .help = "Only for tests and private endpoints" },
    [SET_TOKEN_URL] = { .name = "token_url", .label = "Token URL", .type = SETTING_URL, .otherwise = SERVICE_ACCOUNT_TOKEN_URL,
                       .help = "Where access tokens are asked for, unless the key file says otherwise (token_uri)" },
};
/* clang-format on */

struct gcs {
    struct cloud cloud;
    slice email, key_id, token_url;
    struct jwt_key *key;
    slice endpoint, sign_host; /* sign_host: without a port, as it is signed */
    bool no_acl;               /* the bucket has uniform access */
};
static struct gcs *gcs_of(struct cloud *c)
{
    return CONTAINER_OF(c, struct gcs, cloud);
}

/* ---- settings ---------------------------------------------------------------------------------------------------------------- */

static bool who_is(struct arena *a, const slice *settings, struct service_account *w, struct fault *f)
{
    struct fault why = { 0 };
    *w = (struct service_account){ .email = settings[SET_EMAIL], .key_id = settings[SET_KEY_ID], .key = settings[SET_KEY] };
    if (settings[SET_FILE].n && !service_account_read(a, settings[SET_FILE], w, &why))
        return fault(f, "wrong_type", "service_account", "is no key file of a service account: %s%s%s", why.field, why.field[0] ? ": " : "", why.text);
    w->token_url = slice_or(w->token_url, settings[SET_TOKEN_URL]);
    if (!w->email.n)
        return fault(f, "missing_field", "client_email", "is missing: give service_account, or the members of the key file one by one");
    CLEANUP(jwt_key_freep) struct jwt_key *key = service_account_key(a, w, &why);
    return key || fault(f, "wrong_type", settings[SET_FILE].n ? "service_account" : "private_key", "the private key cannot be used: %s", why.text);
}

static bool gcs_check(const slice *settings, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct service_account w;
    for (size_t i = 0; i < settings[SET_BUCKET].n; i++)
        if (settings[SET_BUCKET].p[i] == '/' || settings[SET_BUCKET].p[i] == ':')
            return fault(f, "wrong_type", "bucket", "must be the name alone, without gs://");
    return who_is(a, settings, &w, f);
}

static void gcs_done(struct cloud *c)
{
    jwt_key_free(gcs_of(c)->key);
}

extern const struct storage_type storage_type_gcs;
static const struct cloud_type gcs_cloud;

static struct storage *gcs_open(const struct storage_setup *setup, struct fault *f)
{
    struct gcs *g = cloud_new(setup, &storage_type_gcs, &gcs_cloud, sizeof(*g));
    struct cloud *c = &g->cloud;
    struct service_account w;
    struct url u;
    c->done = gcs_done;
    g->endpoint = cloud_setting(c, SET_ENDPOINT);
    if (!who_is(c->a, setup->settings, &w, f) || !url_parse(c->a, g->endpoint, &u, f) || !(g->key = service_account_key(c->a, &w, f))) {
        cloud_close(&c->base);
        return NULL;
    }
    g->email = arena_dup(c->a, w.email);
    g->key_id = arena_dup(c->a, w.key_id);
    g->token_url = arena_dup(c->a, w.token_url);
    g->sign_host = u.host;
    c->prefix = cloud_folder(cloud_setting(c, SET_PREFIX));
    if (!slice_eq(cloud_setting(c, SET_PUBLIC), SL("true")))
        c->base.link_max_s = GCS_LINK_MAX_S;
    return &c->base;
}

/* ---- errors ------------------------------------------------------------------------------------------------------------------- */

#define ROLE "the service account needs the role Storage Object Admin on the bucket"
/* clang-format off */
static const struct cloud_advice gcs_advice[] = { /* "Errors" */
    { "invalid_grant",      0, CLOUD_FAILED, "the key of the service account is not accepted; it was deleted or revoked" },
    { "invalid_client",     0, CLOUD_FAILED, "there is no such service account" },
    { "invalid_scope",      0, CLOUD_FAILED, "the service account may not use storage" },
    { "notFound",           0, CLOUD_FAILED, "there is no such bucket" },
    { "authError",          0, CLOUD_FAILED, "the access token is not accepted" },
    { "required",         401, CLOUD_FAILED, "the access token is not accepted" },
    { "forbidden",          0, CLOUD_FAILED, ROLE },
    { "insufficientPermissions", 0, CLOUD_FAILED, ROLE },
    { "accountDisabled",    0, CLOUD_FAILED, "the project's billing is off" },
    { "retentionPolicyNotMet", 0, CLOUD_FAILED, "the bucket keeps its objects (retention policy)" },
    { "objectUnderActiveHold", 0, CLOUD_FAILED, "the object is on hold" },
    { "rateLimitExceeded",  0, CLOUD_AGAIN,  "it is asked too much at once" },
    { "userRateLimitExceeded", 0, CLOUD_AGAIN, "it is asked too much at once" },
    { "backendError",       0, CLOUD_AGAIN,  "it has a trouble of its own" },
    { NULL,               401, CLOUD_FAILED, "the access token is not accepted" },
    { NULL,               403, CLOUD_FAILED, ROLE },
    { NULL,               404, CLOUD_FAILED, "there is no such bucket" },
};
/* clang-format on */

static enum cloud_end gcs_error(struct cloud_op *op)
{
    const struct js *doc = op->last->body.n ? js_parse(op->a, op->last->body, NULL) : NULL;
    slice reason = js_text(js_at(doc, "error.errors.0.reason"));
    return cloud_error(op, slice_or(reason, js_text(js_at(doc, "error"))), gcs_advice, COUNT(gcs_advice));
}

/* ---- token ------------------------------------------------------------------------------------------------------------------------ */

static enum cloud_end gcs_token(struct cloud_op *op)
{
    struct gcs *g = gcs_of(op->c);
    if (!op->last) {
        const struct service_account who = { .email = g->email, .key_id = g->key_id, .token_url = g->token_url };
        op->call.method = "POST";
        op->call.url = g->token_url;
        op->call.body = service_account_form(op->a, &who, g->key, SL(GCS_SCOPE), cloud_now_ms(op->c), &op->f);
        cloud_header(&op->call, "Content-Type", SL("application/x-www-form-urlencoded"));
        return CLOUD_CALL;
    }
    const struct js *doc = op->last->status == 200 ? js_parse(op->a, op->last->body, NULL) : NULL;
    slice token = js_text(js_at(doc, "access_token"));
    if (!token.n)
        return op->last->status == 400 && cloud_learn_clock(op->c, op->last) ? CLOUD_AGAIN : gcs_error(op); /* "Errors": a clock that is off looks the same */
    op->token = arena_printf(op->a, "Bearer " SLF, SLA(token));
    if (!js_int(js_at(doc, "expires_in"), &op->token_s))
        op->token_s = SERVICE_ACCOUNT_TOKEN_S;
    return CLOUD_DONE;
}

/* ---- put ---------------------------------------------------------------------------------------------------------------------------- */

static bool is_public(const struct cloud *c)
{
    return slice_eq(cloud_setting(c, SET_PUBLIC), SL("true"));
}

static slice upload_url(struct cloud_op *op, const char *type)
{
    struct gcs *g = gcs_of(op->c);
    return arena_printf(op->a, SLF "/upload/storage/v1/b/" SLF "/o?uploadType=%s&name=" SLF "%s", SLA(g->endpoint), SLA(cloud_setting(op->c, SET_BUCKET)),
                        type, SLA(url_encode(op->a, op->key)), is_public(op->c) && !g->no_acl ? "&predefinedAcl=publicRead" : "");
}

static slice crc_of(struct cloud_op *op)
{
    return base64_encode(op->a, slice_mem(op->whole_sum.b, op->whole_sum.n));
}

static slice object_json(struct cloud_op *op)
{
    struct jw w = jw_new(op->a, 65536);
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", op->key);
    jw_str(&w, "contentType", op->type);
    jw_str(&w, "contentDisposition", op->disposition);
    jw_str(&w, "cacheControl", op->cache_control);
    if (op->job == CLOUD_WHOLE)
        jw_str(&w, "crc32c", crc_of(op)); /* other bytes than these are refused */
    jw_close(&w, '}');
    return jw_done(&w);
}

/* The object as Google says it is stored; is it what was sent? */
static enum cloud_end stored(struct cloud_op *op, slice object)
{
    const struct js *doc = js_parse(op->a, object, NULL);
    int64_t size = -1;
    if (!doc || !slice_eq(js_text(js_at(doc, "crc32c")), crc_of(op)) || !slice_int(js_text(js_at(doc, "size")), &size) || size != op->size)
        return cloud_corrupt(op);
    struct jw w = jw_new(op->a, HANDLE_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "bucket", cloud_setting(op->c, SET_BUCKET));
    jw_str(&w, "object", op->key);
    jw_opt(&w, "generation", js_text(js_at(doc, "generation")));
    jw_close(&w, '}');
    op->handle = jw_done(&w);
    return CLOUD_DONE;
}

/* "Uploads": a bucket with uniform access refuses every ACL; then everyone's right to read is the bucket's. */
static enum cloud_end put_error(struct cloud_op *op)
{
    struct gcs *g = gcs_of(op->c);
    if (op->last->status == 400 && is_public(op->c) && !g->no_acl && slice_find(op->last->body, SL("uniform bucket-level access")) != SIZE_MAX) {
        g->no_acl = true;
        (void)gcs_error(op);
        return CLOUD_AGAIN;
    }
    return gcs_error(op);
}

static enum cloud_end gcs_whole(struct cloud_op *op)
{
    struct cloud_call *call = &op->call;
    if (!op->last) {
        slice boundary = slice_sub(op->sha256, 0, 32); /* what is in the file cannot hold its own hash */
        call->method = "POST";
        call->url = upload_url(op, "multipart");
        cloud_header(call, "Content-Type", arena_printf(op->a, "multipart/related; boundary=" SLF, SLA(boundary)));
        call->part_body = true;
        call->before = arena_printf(op->a, "--" SLF "\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n" SLF "\r\n--" SLF "\r\nContent-Type: " SLF "\r\n\r\n",
                                    SLA(boundary), SLA(object_json(op)), SLA(boundary), SLA(op->type));
        call->behind = arena_printf(op->a, "\r\n--" SLF "--\r\n", SLA(boundary));
        return CLOUD_CALL;
    }
    return op->last->status == 200 ? stored(op, op->last->body) : put_error(op);
}

static enum cloud_end gcs_begin(struct cloud_op *op)
{
    if (!op->last) {
        op->call.method = "POST";
        op->call.url = upload_url(op, "resumable");
        op->call.body = object_json(op);
        cloud_header(&op->call, "Content-Type", SL("application/json; charset=UTF-8"));
        cloud_header(&op->call, "X-Upload-Content-Type", op->type);
        return CLOUD_CALL;
    }
    op->session = op->last->status == 200 ? answer_header(op->last, "Location") : SLICE_NONE;
    return op->session.n ? CLOUD_DONE : put_error(op);
}

/* The session's address is itself the right to write there: no token is sent. */
static enum cloud_end send_range(struct cloud_op *op, slice range)
{
    op->call.method = "PUT";
    op->call.url = op->session;
    op->call.no_token = true;
    cloud_header(&op->call, "Content-Range", range);
    return CLOUD_CALL;
}

static slice total_of(struct cloud_op *op, bool known)
{
    return known ? arena_printf(op->a, "%lld", (long long)op->size) : SL("*");
}

/* The part, but for what is there already. */
static enum cloud_end send_rest(struct cloud_op *op, int64_t have)
{
    op->call.part_body = true;
    op->call.skip = have - op->from;
    return send_range(op, arena_printf(op->a, "bytes %lld-%lld/" SLF, (long long)have, (long long)(op->from + op->bytes - 1),
                                       SLA(total_of(op, op->last_part))));
}

/* "Uploads": 308 is no redirect here. Its Range says how many bytes are there, which may be fewer than were sent. */
static enum cloud_end gcs_part(struct cloud_op *op)
{
    enum { SEND, ASK };
    const struct answer *r = op->last;
    if (!r && op->attempt == 0)
        return send_rest(op, op->from);
    if (!r) { /* how far did the try before come? */
        op->step = ASK;
        return send_range(op, arena_printf(op->a, "bytes */" SLF, SLA(total_of(op, op->last_part))));
    }
    if (r->status == 200 || r->status == 201) {
        op->mark = r->body;
        return CLOUD_DONE;
    }
    if (r->status == 404 || r->status == 410)
        return (void)fault(&op->f, "storage_failed", "", "%s gave the upload up (%d)", op->c->service, r->status), CLOUD_FAILED;
    if (r->status != 308)
        return gcs_error(op);
    slice range = answer_header(r, "Range");
    int64_t have = 0;
    size_t dash = slice_find_char(range, '-');
    if (dash != SIZE_MAX && slice_int(slice_from(range, dash + 1), &have))
        have++;
    if (have >= op->from + op->bytes)
        return CLOUD_DONE;
    if (have < op->from)
        return (void)fault(&op->f, "storage_failed", "", "%s lost what was sent before", op->c->service), CLOUD_FAILED;
    if (op->step == SEND && have == op->from) { /* nothing of it: not at once again */
        fault(&op->f, "storage_failed", "", "%s takes none of the bytes", op->c->service);
        return CLOUD_AGAIN;
    }
    op->step = SEND;
    return send_rest(op, have);
}

static enum cloud_end gcs_finish(struct cloud_op *op)
{
    if (op->n_marks && op->marks[op->n_marks - 1].n) { /* the last part was known to be it */
        enum cloud_end end = stored(op, op->marks[op->n_marks - 1]);
        return end == CLOUD_AGAIN ? CLOUD_FAILED : end; /* to be sent anew, from its beginning */
    }
    if (!op->last)
        return send_range(op, arena_printf(op->a, "bytes */%lld", (long long)op->size));
    return op->last->status == 200 || op->last->status == 201 ? stored(op, op->last->body) : gcs_error(op);
}

static enum cloud_end gcs_abort(struct cloud_op *op)
{
    if (op->last)
        return CLOUD_DONE; /* 499 is its yes; and it forgets by itself, after a week */
    op->call.method = "DELETE";
    op->call.url = op->session;
    op->call.no_token = true;
    return CLOUD_CALL;
}

/* ---- get, delete, link ---------------------------------------------------------------------------------------------------------------- */

static bool handle_parse(struct arena *a, slice handle, slice *ret_bucket, slice *ret_object)
{
    const struct js *doc = handle.n <= HANDLE_MAX ? js_parse(a, handle, NULL) : NULL;
    *ret_bucket = js_text(js_at(doc, "bucket"));
    *ret_object = js_text(js_at(doc, "object"));
    return ret_bucket->n && ret_object->n;
}

static enum cloud_end send_for_handle(struct cloud_op *op, const char *method, const char *query)
{
    slice bucket, object;
    if (!handle_parse(op->a, op->handle, &bucket, &object))
        return (void)fault(&op->f, "storage_refused", "", "this is no handle of Google Cloud Storage"), CLOUD_FAILED;
    op->call.method = method;
    op->call.url = arena_printf(op->a, SLF "/storage/v1/b/" SLF "/o/" SLF "%s", SLA(gcs_of(op->c)->endpoint), SLA(bucket), SLA(url_encode(op->a, object)), query);
    return CLOUD_CALL;
}

static enum cloud_end gcs_get(struct cloud_op *op)
{
    if (!op->last) {
        cloud_header(&op->call, "Range", cloud_range(op));
        return send_for_handle(op, "GET", "?alt=media");
    }
    if (op->last->status == 404)
        return CLOUD_GONE;
    return op->last->status == 200 || op->last->status == 206 ? CLOUD_DONE : gcs_error(op);
}

static enum cloud_end gcs_delete(struct cloud_op *op)
{
    if (!op->last)
        return send_for_handle(op, "DELETE", "");
    if (op->last->status == 404)
        return CLOUD_GONE;
    return op->last->status == 204 || op->last->status == 200 ? CLOUD_DONE : gcs_error(op);
}

static slice gcs_url(struct storage *st, struct arena *a, slice handle, const struct storage_link *link)
{
    struct gcs *g = gcs_of(CONTAINER_OF(st, struct cloud, base));
    slice bucket, object;
    if (!handle_parse(a, handle, &bucket, &object))
        return SLICE_NONE;
    slice path = arena_printf(a, "/" SLF "/" SLF, SLA(bucket), SLA(url_encode_path(a, object)));
    if (!st->link_max_s)
        return arena_printf(a, SLF SLF, SLA(g->endpoint), SLA(path));
    struct sigv4_key key = { .kind = SIGV4_GOOG_RSA, .id = g->email, .rsa = g->key, .region = SL("auto"), .service = SL("storage") };
    struct sigv4_header host = { SL("host"), g->sign_host };
    struct sigv4_request rq = { link->head ? "HEAD" : "GET", path, SLICE_NONE, &host, 1, SLICE_NONE };
    int64_t now_ms = cloud_now_ms(&g->cloud), life_s = link->expires_s ? link->expires_s - now_ms / 1000 : GCS_LINK_MAX_S;
    life_s = MIN(MAX(life_s, INT64_C(1)), (int64_t)GCS_LINK_MAX_S);
    return arena_printf(a, SLF SLF "?" SLF, SLA(g->endpoint), SLA(path), SLA(sigv4_presign(a, &key, &rq, now_ms, life_s)));
}

static const char *gcs_link_hint(struct storage *st, int status)
{
    if (!st->link_max_s)
        return "not everyone may read the bucket (allUsers, Storage Object Viewer); change that, or set public to false";
    return status == 403 ? ROLE : NULL;
}

static enum cloud_end gcs_step(struct cloud_op *op)
{
    switch (op->job) {
    case CLOUD_TOKEN: return gcs_token(op);
    case CLOUD_WHOLE: return gcs_whole(op);
    case CLOUD_BEGIN: return gcs_begin(op);
    case CLOUD_PART: return gcs_part(op);
    case CLOUD_FINISH: return gcs_finish(op);
    case CLOUD_ABORT: return gcs_abort(op);
    case CLOUD_GET: return gcs_get(op);
    case CLOUD_DELETE: return gcs_delete(op);
    case CLOUD_LINK: break; /* not declared */
    }
    return CLOUD_FAILED;
}

static const struct cloud_type gcs_cloud = { .step = gcs_step, .single_bytes = GCS_PART_BYTES, .part_bytes = GCS_PART_BYTES, .token = true,
                                             .sums_whole = true, .whole_sum = DIGEST_CRC32C };
const struct storage_type storage_type_gcs = {
    .name = "gcs",
    .title = "Google Cloud Storage",
    .settings = gcs_settings,
    .n_settings = COUNT(gcs_settings),
    .check = gcs_check,
    .open = gcs_open,
    CLOUD_STORAGE,
    .url = gcs_url,
    .link_hint = gcs_link_hint,
};
