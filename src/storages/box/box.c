/* Box. Facts: docs/wire/storage.md "Box". */
#include "storages/box/box.h"
#include "wire/url.h"

enum {
    ASSERTION_LIFE_S = 45, /* a minute at most */
    TOKEN_LIFE_S = 3600,   /* where the answer does not say */
    DOWNLOAD_REDIRECTS = 3,
};
#define BOX_API "https://api.box.com"
#define BOX_UPLOAD "https://upload.box.com"
#define BOX_AUDIENCE "https://api.box.com/oauth2/token" /* wherever it is really asked for */

static const char *const link_kinds[] = { "shared", "temporary", NULL };
/* clang-format off */
static const struct setting box_settings[] = {
    [BOX_SET_CONFIG]     = { .name = "config", .label = "App Settings (JSON)", .type = SETTING_TEXT, .secret = true, .max = 16384,
                             .help = "The content of the file that Box makes with a key pair: developer console, the app, Configuration, Generate a Public/Private Keypair" },
    [BOX_SET_CLIENT]     = { .name = "client_id", .label = "Client Identifier", .type = SETTING_TEXT, .max = 100,
                             .help = "This and those below: where the file is not given. Alone with the secret: client credentials" },
    [BOX_SET_SECRET]     = { .name = "client_secret", .label = "Client Secret", .type = SETTING_TEXT, .secret = true, .max = 200 },
    [BOX_SET_ENTERPRISE] = { .name = "enterprise_id", .label = "Enterprise Identifier", .type = SETTING_TEXT, .max = 40,
                             .help = "Then the app's service account stores the files" },
    [BOX_SET_USER]       = { .name = "user_id", .label = "User Identifier", .type = SETTING_TEXT, .max = 40,
                             .help = "If given, this user stores the files, not the service account" },
    [BOX_SET_KEY_ID]     = { .name = "public_key_id", .label = "Public Key Identifier", .type = SETTING_TEXT, .max = 40 },
    [BOX_SET_KEY]        = { .name = "private_key", .label = "Private Key", .type = SETTING_TEXT, .secret = true, .max = 16384,
                             .help = "PEM; line ends may be written \\n. Without it the app asks by client credentials" },
    [BOX_SET_PASSPHRASE] = { .name = "passphrase", .label = "Passphrase", .type = SETTING_TEXT, .secret = true, .max = 500,
                             .help = "Of the private key" },
    [BOX_SET_FOLDER]     = { .name = "folder_id", .label = "Folder Identifier", .type = SETTING_TEXT, .otherwise = "0", .max = 40,
                             .help = "Where the tenants' folders are made: the number at the end of the folder's address; 0 is all the account has" },
    [BOX_SET_LINKS]      = { .name = "links", .label = "Links", .type = SETTING_CHOICE, .otherwise = "shared", .choices = link_kinds,
                             .help = "shared: each file gets a link that everyone may open until it is purged; temporary: links of the hub, which ask Box for a short one at each click" },
    [BOX_SET_ENDPOINT]   = { .name = "endpoint", .label = "Endpoint", .type = SETTING_URL, .otherwise = BOX_API,
                             .help = "Only for tests" },
    [BOX_SET_UPLOAD]     = { .name = "upload_endpoint", .label = "Upload Endpoint", .type = SETTING_URL, .otherwise = BOX_UPLOAD,
                             .help = "Only for tests: where files go" },
};
/* clang-format on */

/* ---- settings ---------------------------------------------------------------------------------------------------------------- */

struct who {
    slice client, secret, enterprise, key_id, key, passphrase;
};
static const struct js_field who_fields[] = {
    JS_FIELD(struct who, client, "boxAppSettings.clientID", JS_STR, JS_REQ),
    JS_FIELD(struct who, secret, "boxAppSettings.clientSecret", JS_STR, JS_REQ),
    JS_FIELD(struct who, key_id, "boxAppSettings.appAuth.publicKeyID", JS_STR, 0),
    JS_FIELD(struct who, key, "boxAppSettings.appAuth.privateKey", JS_STR, 0),
    JS_FIELD(struct who, passphrase, "boxAppSettings.appAuth.passphrase", JS_STR, 0),
    JS_FIELD(struct who, enterprise, "enterpriseID", JS_TEXTNUM, 0),
};

/* key: NULL by client credentials; the caller's. */
static bool who_is(struct arena *a, const slice *settings, struct who *w, struct jwt_key **ret_key, struct fault *f)
{
    struct fault why = { 0 };
    *ret_key = NULL;
    *w = (struct who){ settings[BOX_SET_CLIENT], settings[BOX_SET_SECRET],     settings[BOX_SET_ENTERPRISE], settings[BOX_SET_KEY_ID],
                       settings[BOX_SET_KEY],    settings[BOX_SET_PASSPHRASE] };
    if (settings[BOX_SET_CONFIG].n) {
        const struct js *doc = js_parse(a, settings[BOX_SET_CONFIG], &why);
        if (!doc || !js_read(a, doc, who_fields, COUNT(who_fields), w, &why))
            return fault(f, "wrong_type", "config", "is no settings file of a Box app: %s%s%s", why.field, why.field[0] ? ": " : "", why.text);
    }
    if (!w->client.n || !w->secret.n)
        return fault(f, "missing_field", w->client.n ? "client_secret" : "client_id", "is missing: give config, or client_id and client_secret");
    if (!w->enterprise.n && !settings[BOX_SET_USER].n)
        return fault(f, "missing_field", "enterprise_id", "is missing: whose files are they? enterprise_id or user_id says it");
    if (!w->key.n)
        return true;
    struct jwt_key *key = jwt_key_pem_locked(pem_lines(a, w->key), w->passphrase, &why);
    if (key && jwt_key_can_sign(key)) {
        *ret_key = key;
        return true;
    }
    fault(f, "wrong_type", settings[BOX_SET_CONFIG].n ? "config" : "private_key", "the private key cannot be used: %s", key ? "it is a public key" : why.text);
    jwt_key_free(key);
    return false;
}

static bool box_check(const slice *settings, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(jwt_key_freep) struct jwt_key *key = NULL;
    struct who w;
    return who_is(a, settings, &w, &key, f);
}

static void box_done(struct cloud *c)
{
    jwt_key_free(box_of(c)->key);
}

extern const struct storage_type storage_type_box;
static const struct cloud_type box_cloud;

static struct storage *box_open(const struct storage_setup *setup, struct fault *f)
{
    struct box *b = cloud_new(setup, &storage_type_box, &box_cloud, sizeof(*b));
    struct cloud *c = &b->cloud;
    struct who w;
    c->done = box_done;
    if (!who_is(c->a, setup->settings, &w, &b->key, f)) {
        cloud_close(&c->base);
        return NULL;
    }
    b->client_id = arena_dup(c->a, w.client);
    b->secret = arena_dup(c->a, w.secret);
    b->enterprise = arena_dup(c->a, w.enterprise);
    b->user = cloud_setting(c, BOX_SET_USER);
    b->key_id = arena_dup(c->a, w.key_id);
    return &c->base;
}

bool box_links_are_shared(const struct cloud *c)
{
    return slice_eq(cloud_setting(c, BOX_SET_LINKS), SL("shared"));
}

/* ---- calls, errors ------------------------------------------------------------------------------------------------------------- */

enum cloud_end box_call(struct cloud_op *op, const char *method, slice path, struct jw *body)
{
    op->call.method = method;
    op->call.url = arena_printf(op->a, SLF SLF, SLA(cloud_setting(op->c, BOX_SET_ENDPOINT)), SLA(path));
    if (body) {
        op->call.body = jw_done(body);
        cloud_header(&op->call, "Content-Type", SL("application/json"));
    }
    return CLOUD_CALL;
}

#define WRITE_SCOPE "the app needs the scope Write all files and folders stored in Box, and the account the right to edit the folder"
/* clang-format off */
static const struct cloud_advice box_advice[] = { /* "Box" */
    { "invalid_client",      0, CLOUD_FAILED, "client_id and client_secret do not belong together" },
    { "invalid_grant",       0, CLOUD_FAILED, "the app is not authorised by the enterprise, or its key was removed (admin console, Integrations, Platform Apps Manager)" },
    { "unauthorized_client", 0, CLOUD_FAILED, "the app is not authorised by the enterprise (admin console, Integrations, Platform Apps Manager)" },
    { "unauthorized",        0, CLOUD_FAILED, "the access token is not accepted" },
    { "insufficient_scope",  0, CLOUD_FAILED, WRITE_SCOPE },
    { "access_denied_insufficient_permissions", 0, CLOUD_FAILED, WRITE_SCOPE },
    { "forbidden_by_policy", 0, CLOUD_FAILED, "the enterprise's policy forbids it" },
    { "storage_limit_exceeded",   0, CLOUD_FAILED, "the account has no space left" },
    { "file_size_limit_exceeded", 0, CLOUD_FAILED, "the account takes no files so long" },
    { "rate_limit_exceeded", 0, CLOUD_AGAIN,  "it is asked too much at once" },
    { "operation_blocked_temporary", 0, CLOUD_AGAIN, "it is busy with this folder" },
    { "name_temporarily_reserved",   0, CLOUD_AGAIN, "it is busy with this file" },
    { "bad_digest",          0, CLOUD_AGAIN,  "it received other bytes than were sent" },
    { NULL,                401, CLOUD_FAILED, "the access token is not accepted" },
    { NULL,                403, CLOUD_FAILED, WRITE_SCOPE },
    { NULL,                404, CLOUD_FAILED, "there is no such folder, or the account does not see it: share it with the app's account as an editor" },
};
/* clang-format on */

const struct js *box_body(struct cloud_op *op)
{
    return op->last->body.n ? js_parse(op->a, op->last->body, NULL) : NULL;
}

static slice code_of(struct cloud_op *op)
{
    const struct js *doc = box_body(op);
    return slice_or(js_text(js_at(doc, "code")), js_text(js_at(doc, "error")));
}

bool box_failed_with(struct cloud_op *op, int status, const char *code)
{
    return op->last->status == status && slice_eq(code_of(op), slice_of(code));
}

enum cloud_end box_error(struct cloud_op *op)
{
    slice code = code_of(op);
    enum cloud_end end = cloud_error(op, code, box_advice, COUNT(box_advice));
    if (slice_eq(code, SL("storage_limit_exceeded")))
        op->f.code = "storage_full";
    return end;
}

/* ---- token ------------------------------------------------------------------------------------------------------------------------ */

static slice assertion(struct cloud_op *op)
{
    struct box *b = box_of(op->c);
    char jti[STORAGE_ID_BYTES]; /* never the same twice, not even for a new try */
    storage_id(jti);
    struct jw w = jw_new(op->a, JWT_BYTES_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "iss", b->client_id);
    jw_str(&w, "sub", slice_or(b->user, b->enterprise));
    jw_str(&w, "box_sub_type", b->user.n ? SL("user") : SL("enterprise"));
    jw_str(&w, "aud", SL(BOX_AUDIENCE));
    jw_str(&w, "jti", slice_of(jti));
    jw_int(&w, "exp", cloud_now_ms(op->c) / 1000 + ASSERTION_LIFE_S);
    jw_close(&w, '}');
    return jwt_sign(op->a, b->key, b->key_id, jw_done(&w), &op->f);
}

static enum cloud_end token_ask(struct cloud_op *op)
{
    struct box *b = box_of(op->c);
    struct text t = text_new(op->a, JWT_BYTES_MAX * 2);
    form_add(&t, SL("client_id"), b->client_id);
    form_add(&t, SL("client_secret"), b->secret);
    if (b->key) {
        form_add(&t, SL("grant_type"), SL("urn:ietf:params:oauth:grant-type:jwt-bearer"));
        form_add(&t, SL("assertion"), assertion(op));
    } else {
        form_add(&t, SL("grant_type"), SL("client_credentials"));
        form_add(&t, SL("box_subject_type"), b->user.n ? SL("user") : SL("enterprise"));
        form_add(&t, SL("box_subject_id"), slice_or(b->user, b->enterprise));
    }
    op->call.method = "POST";
    op->call.url = arena_printf(op->a, SLF "/oauth2/token", SLA(cloud_setting(op->c, BOX_SET_ENDPOINT)));
    op->call.body = text_slice(&t);
    cloud_header(&op->call, "Content-Type", SL("application/x-www-form-urlencoded"));
    return CLOUD_CALL;
}

static enum cloud_end box_token(struct cloud_op *op)
{
    if (!op->last)
        return token_ask(op);
    const struct js *doc = op->last->status == 200 ? box_body(op) : NULL;
    slice token = js_text(js_at(doc, "access_token"));
    if (!token.n) /* "Box": a clock that is off is invalid_grant, too */
        return op->last->status == 400 && cloud_learn_clock(op->c, op->last) ? CLOUD_AGAIN : box_error(op);
    op->token = arena_printf(op->a, "Bearer " SLF, SLA(token));
    if (!js_int(js_at(doc, "expires_in"), &op->token_s))
        op->token_s = TOKEN_LIFE_S;
    return CLOUD_DONE;
}

/* ---- get, delete, link ---------------------------------------------------------------------------------------------------------------- */

struct handle {
    slice id, link;
};
static const struct js_field handle_fields[] = {
    JS_FIELD(struct handle, id, "file_id", JS_STR, JS_REQ),
    JS_FIELD(struct handle, link, "shared_link", JS_STR, 0),
};

static bool handle_parse(struct arena *a, slice handle, struct handle *ret)
{
    *ret = (struct handle){ 0 };
    const struct js *doc = handle.n <= BOX_HANDLE_MAX ? js_parse(a, handle, NULL) : NULL;
    return doc && js_read(a, doc, handle_fields, COUNT(handle_fields), ret, NULL) && storage_word_ok(ret->id);
}

static enum cloud_end file_call(struct cloud_op *op, const char *method, const char *behind)
{
    struct handle h;
    if (handle_parse(op->a, op->handle, &h))
        return box_call(op, method, arena_printf(op->a, "/2.0/files/" SLF "%s", SLA(h.id), behind), NULL);
    fault(&op->f, "storage_refused", "", "this is no handle of Box");
    return CLOUD_FAILED;
}

/* A file that was stored just now may have to be waited for: 202, Retry-After. */
static enum cloud_end not_ready(struct cloud_op *op)
{
    op->retry_ms = op->last->retry_after_ms;
    fault(&op->f, "storage_failed", "", "%s has the file not ready yet", op->c->service);
    return op->job == CLOUD_LINK ? CLOUD_AGAIN : CLOUD_NOT_YET; /* who clicked does not wait for long */
}

static enum cloud_end box_get(struct cloud_op *op)
{
    if (!op->last) {
        cloud_header(&op->call, "Range", cloud_range(op));
        op->call.max_redirects = DOWNLOAD_REDIRECTS;
        return file_call(op, "GET", "/content");
    }
    if (op->last->status == 200 || op->last->status == 206)
        return CLOUD_DONE;
    return op->last->status == 202 ? not_ready(op) : op->last->status == 404 ? CLOUD_GONE : box_error(op);
}

/* "Box": what is deleted goes to the trash, and from there for good. */
static enum cloud_end box_delete(struct cloud_op *op)
{
    enum { FILE_TOO, TRASH, TRASH_ALONE };
    if (!op->last)
        return file_call(op, "DELETE", "");
    bool there = op->last->status == 204, gone = op->last->status == 404;
    if (!there && !gone)
        return box_error(op);
    if (op->step == FILE_TOO) {
        op->step = there ? TRASH : TRASH_ALONE;
        return file_call(op, "DELETE", "/trash");
    }
    return there || op->step == TRASH ? CLOUD_DONE : CLOUD_GONE;
}

static slice box_url(struct storage *st, struct arena *a, slice handle, const struct storage_link *link)
{
    struct handle h;
    (void)st, (void)link;
    return handle_parse(a, handle, &h) ? h.link : SLICE_NONE;
}

static enum cloud_end box_link(struct cloud_op *op)
{
    struct handle h;
    if (!op->last) {
        if (!handle_parse(op->a, op->handle, &h) || !h.link.n)
            return file_call(op, "GET", "/content"); /* not followed: where it leads is the link */
        op->url = h.link;
        return CLOUD_DONE;
    }
    if (op->last->status != 302)
        return op->last->status == 202 ? not_ready(op) : op->last->status == 404 ? CLOUD_GONE : box_error(op);
    op->url = answer_header(op->last, "Location");
    return op->url.n ? CLOUD_DONE : box_error(op);
}

static const char *box_link_hint(struct storage *st, int status)
{
    (void)status;
    return box_links_are_shared(CONTAINER_OF(st, struct cloud, base)) ? BOX_LINKS_FORBIDDEN : NULL;
}

static enum cloud_end box_step(struct cloud_op *op)
{
    switch (op->job) {
    case CLOUD_TOKEN: return box_token(op);
    case CLOUD_WHOLE: return box_whole(op);
    case CLOUD_BEGIN: return box_begin(op);
    case CLOUD_PART: return box_part(op);
    case CLOUD_FINISH: return box_finish(op);
    case CLOUD_ABORT: return box_abort(op);
    case CLOUD_GET: return box_get(op);
    case CLOUD_DELETE: return box_delete(op);
    case CLOUD_LINK: return box_link(op);
    }
    return CLOUD_FAILED;
}

static const struct cloud_type box_cloud = { .step = box_step, .single_bytes = BOX_SINGLE_BYTES, .part_bytes = 8 << 20, .length_first = true, .token = true,
                                             .sums_parts = true, .part_sum = DIGEST_SHA1, .sums_whole = true, .whole_sum = DIGEST_SHA1 };
const struct storage_type storage_type_box = {
    .name = "box",
    .title = "Box",
    .settings = box_settings,
    .n_settings = COUNT(box_settings),
    .check = box_check,
    .open = box_open,
    CLOUD_STORAGE,
    .url = box_url,
    .ask = cloud_ask,
    .link_hint = box_link_hint,
};
