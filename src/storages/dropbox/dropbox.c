/* Dropbox. Facts: docs/wire/storage.md "Dropbox". */
#include "storages/cloud.h"
#include "wire/hex.h"
#include "wire/js.h"
#include "wire/url.h"

enum {
    DROPBOX_PART_BYTES = 8 << 20, /* a call takes 150 MiB */
    TOKEN_LIFE_S = 14400,         /* where the answer does not say */
    ARG_MAX = 16384,
    HANDLE_MAX = 4096,
    JSON_BODY_MAX = 16384,
};
#define DROPBOX_API "https://api.dropboxapi.com"
#define DROPBOX_CONTENT "https://content.dropboxapi.com"

enum { SET_KEY, SET_SECRET, SET_REFRESH, SET_LINKS, SET_PREFIX, SET_ENDPOINT, SET_CONTENT };
static const char *const link_kinds[] = { "shared", "temporary", NULL };
/* clang-format off */
static const struct setting dropbox_settings[] = {
    [SET_KEY]      = { .name = "app_key", .label = "App Key", .type = SETTING_TEXT, .required = true, .max = 100,
                       .help = "dropbox.com/developers/apps, the app, Settings" },
    [SET_SECRET]   = { .name = "app_secret", .label = "App Secret", .type = SETTING_TEXT, .required = true, .secret = true, .max = 200,
                       .help = "Next to the key" },
    [SET_REFRESH]  = { .name = "refresh_token", .label = "Refresh Token", .type = SETTING_TEXT, .required = true, .secret = true, .max = 1000,
                       .help = "Asked for once, with token_access_type=offline; docs/storages/dropbox.md says how" },
    [SET_LINKS]    = { .name = "links", .label = "Links", .type = SETTING_CHOICE, .otherwise = "shared", .choices = link_kinds,
                       .help = "shared: each file gets a link that everyone may open until it is purged; temporary: links of the hub, which ask Dropbox for one of four hours at each click" },
    [SET_PREFIX]   = { .name = "prefix", .label = "Folder", .type = SETTING_TEXT, .max = 200,
                       .help = "In front of every path; inside the app's own folder where the app has one" },
    [SET_ENDPOINT] = { .name = "endpoint", .label = "Endpoint", .type = SETTING_URL, .otherwise = DROPBOX_API,
                       .help = "Only for tests" },
    [SET_CONTENT]  = { .name = "content_endpoint", .label = "Content Endpoint", .type = SETTING_URL, .otherwise = DROPBOX_CONTENT,
                       .help = "Only for tests: where files go" },
};
/* clang-format on */

extern const struct storage_type storage_type_dropbox;
static const struct cloud_type dropbox_cloud;

static struct storage *dropbox_open(const struct storage_setup *setup, struct fault *f)
{
    struct cloud *c = cloud_new(setup, &storage_type_dropbox, &dropbox_cloud, sizeof(*c));
    (void)f;
    c->prefix = cloud_folder(cloud_setting(c, SET_PREFIX));
    return &c->base;
}

static bool links_are_shared(const struct cloud *c)
{
    return slice_eq(cloud_setting(c, SET_LINKS), SL("shared"));
}

/* ---- calls -------------------------------------------------------------------------------------------------------------------- */

/* One code point of valid UTF-8, and how many bytes it has. */
static unsigned code_point(const char *s, size_t *ret_n)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    unsigned c = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3fu);
    *ret_n = n;
    return c;
}

/* "Dropbox": a header's JSON has ASCII only, the rest as \u with surrogate pairs. */
static slice ascii_json(struct arena *a, slice json)
{
    struct text t = text_new(a, json.n * 6 + 1);
    for (size_t i = 0, n; i < json.n; i += n) {
        unsigned char b = (unsigned char)json.p[i];
        unsigned c = b < 0x80 ? b : code_point(json.p + i, &n);
        if (b < 0x80)
            n = 1;
        if (c < 0x7f)
            text_char(&t, (char)c);
        else if (c < 0x10000)
            text_add(&t, "\\u%04x", c);
        else
            text_add(&t, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    return text_slice(&t);
}

/* Arguments and results in the body. */
static enum cloud_end rpc(struct cloud_op *op, const char *route, struct jw *arg)
{
    op->call.method = "POST";
    op->call.url = arena_printf(op->a, SLF "/2/%s", SLA(cloud_setting(op->c, SET_ENDPOINT)), route);
    op->call.body = jw_done(arg);
    cloud_header(&op->call, "Content-Type", SL("application/json"));
    return CLOUD_CALL;
}

/* Arguments in a header, the body is the file's. */
static enum cloud_end content(struct cloud_op *op, const char *route, struct jw *arg)
{
    op->call.method = "POST";
    op->call.url = arena_printf(op->a, SLF "/2/%s", SLA(cloud_setting(op->c, SET_CONTENT)), route);
    cloud_header(&op->call, "Dropbox-API-Arg", ascii_json(op->a, jw_done(arg)));
    return CLOUD_CALL;
}

static enum cloud_end upload(struct cloud_op *op, const char *route, struct jw *arg)
{
    cloud_header(&op->call, "Content-Type", SL("application/octet-stream"));
    return content(op, route, arg);
}

static struct jw arg_new(struct cloud_op *op)
{
    struct jw w = jw_new(op->a, ARG_MAX);
    jw_open(&w, NULL, '{');
    return w;
}

static slice path_of(struct cloud_op *op)
{
    return arena_printf(op->a, "/" SLF, SLA(op->key));
}

static enum cloud_end rpc_path(struct cloud_op *op, const char *route, slice path)
{
    struct jw w = arg_new(op);
    jw_str(&w, "path", path);
    jw_close(&w, '}');
    return rpc(op, route, &w);
}

/* ---- errors ------------------------------------------------------------------------------------------------------------------- */

#define SCOPES "files.content.write, files.content.read, sharing.write, sharing.read"
#define LINKS_FORBIDDEN "links that everyone may open are not allowed there; allow them, or set links to temporary"
/* clang-format off */
static const struct cloud_advice dropbox_advice[] = { /* "Dropbox" */
    { "invalid_grant",        0, CLOUD_FAILED, "the refresh token is not accepted; it was revoked, or is another app's" },
    { "invalid_client",       0, CLOUD_FAILED, "app_key and app_secret do not belong together" },
    { "invalid_client_id",    0, CLOUD_FAILED, "there is no app with this app_key" },
    { "unauthorized_client",  0, CLOUD_FAILED, "the app may not use refresh tokens" },
    { "invalid_access_token", 0, CLOUD_FAILED, "the access token is not accepted; the app was disconnected from the account" },
    { "expired_access_token", 0, CLOUD_FAILED, "the access token is not accepted" },
    { "user_suspended",       0, CLOUD_FAILED, "the account is suspended" },
    { "missing_scope",        0, CLOUD_FAILED, "the app lacks a permission (" SCOPES "); give it and ask for a new refresh token" },
    { "path/insufficient_space",   0, CLOUD_FAILED, "the account has no space left" },
    { "path/no_write_permission",  0, CLOUD_FAILED, "the account may not write into this folder" },
    { "path/disallowed_name",      0, CLOUD_FAILED, "this name is not allowed there" },
    { "path/malformed_path",       0, CLOUD_FAILED, "the folder's name is not allowed there" },
    { "settings_error/not_authorized", 0, CLOUD_FAILED, LINKS_FORBIDDEN },
    { "access_denied",        0, CLOUD_FAILED, LINKS_FORBIDDEN },
    { "email_not_verified",   0, CLOUD_FAILED, "the account's mail address must be verified before it may share" },
    { "content_hash_mismatch",     0, CLOUD_AGAIN, "it received other bytes than were sent" },
    { "too_many_write_operations", 0, CLOUD_AGAIN, "it is written to from several sides" },
    { "path/too_many_write_operations", 0, CLOUD_AGAIN, "it is written to from several sides" },
    { "path_write/too_many_write_operations", 0, CLOUD_AGAIN, "it is written to from several sides" },
    { "too_many_requests",    0, CLOUD_AGAIN, "it is asked too much at once" },
    { NULL,                 401, CLOUD_FAILED, "the access token is not accepted" },
    { NULL,                 403, CLOUD_FAILED, "the account may not do this" },
};
/* clang-format on */

/* "path/conflict/file/..": its end is dots, a random number of them. */
static slice code_of(struct cloud_op *op, const struct js *doc)
{
    slice code = js_text(js_at(doc, "error_summary"));
    while (code.n && (code.p[code.n - 1] == '.' || code.p[code.n - 1] == '/'))
        code.n--;
    slice oauth = js_text(js_at(doc, "error"));
    (void)op;
    return slice_trim(code.n ? code : slice_cut(&oauth, ':'));
}

static const struct js *body_of(struct cloud_op *op)
{
    return op->last->body.n ? js_parse(op->a, op->last->body, NULL) : NULL;
}

static bool failed_with(struct cloud_op *op, slice code)
{
    return op->last->status == 409 && slice_starts(code_of(op, body_of(op)), code);
}

static enum cloud_end dropbox_error(struct cloud_op *op)
{
    slice code = code_of(op, body_of(op));
    enum cloud_end end = cloud_error(op, code, dropbox_advice, COUNT(dropbox_advice));
    if (slice_eq(code, SL("path/insufficient_space")))
        op->f.code = "storage_full";
    return end;
}

/* ---- token ------------------------------------------------------------------------------------------------------------------------ */

/* The refresh token stays the same: nothing has to be kept. */
static enum cloud_end dropbox_token(struct cloud_op *op)
{
    if (!op->last) {
        struct text t = text_new(op->a, JSON_BODY_MAX);
        form_add(&t, SL("grant_type"), SL("refresh_token"));
        form_add(&t, SL("refresh_token"), cloud_setting(op->c, SET_REFRESH));
        form_add(&t, SL("client_id"), cloud_setting(op->c, SET_KEY));
        form_add(&t, SL("client_secret"), cloud_setting(op->c, SET_SECRET));
        op->call.method = "POST";
        op->call.url = arena_printf(op->a, SLF "/oauth2/token", SLA(cloud_setting(op->c, SET_ENDPOINT)));
        op->call.body = text_slice(&t);
        cloud_header(&op->call, "Content-Type", SL("application/x-www-form-urlencoded"));
        return CLOUD_CALL;
    }
    const struct js *doc = op->last->status == 200 ? body_of(op) : NULL;
    slice token = js_text(js_at(doc, "access_token"));
    if (!token.n)
        return dropbox_error(op);
    op->token = arena_printf(op->a, "Bearer " SLF, SLA(token));
    if (!js_int(js_at(doc, "expires_in"), &op->token_s))
        op->token_s = TOKEN_LIFE_S;
    return CLOUD_DONE;
}

/* ---- put ---------------------------------------------------------------------------------------------------------------------------- */

/* What a put goes through behind its bytes. */
enum { PUT_SEND, PUT_LOOK, PUT_SHARE, PUT_LIST, PUT_UNDO };

static slice sum_hex(struct cloud_op *op, const struct digest *d)
{
    return hex_encode(op->a, slice_mem(d->b, d->n));
}

/* The key's folder is this file's alone, as its id is in it: with it goes all that is there. */
static slice folder_of(slice path)
{
    while (path.n && path.p[path.n - 1] != '/')
        path.n--;
    return slice_sub(path, 0, path.n ? path.n - 1 : 0);
}

static enum cloud_end put_end(struct cloud_op *op, slice link)
{
    slice path = path_of(op);
    struct jw w = jw_new(op->a, HANDLE_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "path", path);
    jw_opt(&w, "id", op->mark);
    jw_str(&w, "folder", folder_of(path));
    jw_opt(&w, "shared_link", link);
    jw_close(&w, '}');
    op->handle = jw_done(&w);
    return CLOUD_DONE;
}

/* A file that cannot be shared is of no use: nobody would have its handle to delete it. */
static enum cloud_end undo(struct cloud_op *op)
{
    if (op->step != PUT_UNDO) {
        op->step = PUT_UNDO;
        return rpc_path(op, "files/delete_v2", folder_of(path_of(op)));
    }
    op->f.code = "storage_refused"; /* its text is still the one that was found first */
    return CLOUD_FAILED;
}

static enum cloud_end share(struct cloud_op *op)
{
    struct jw w = arg_new(op);
    jw_str(&w, "path", path_of(op));
    jw_open(&w, "settings", '{');
    jw_str(&w, "audience", SL("public"));
    jw_str(&w, "access", SL("viewer"));
    jw_bool(&w, "allow_download", true);
    jw_close(&w, '}');
    jw_close(&w, '}');
    op->step = PUT_SHARE;
    return rpc(op, "sharing/create_shared_link_with_settings", &w);
}

/* The file as Dropbox says it has it; is it what was sent? */
static enum cloud_end stored(struct cloud_op *op)
{
    const struct js *doc = body_of(op);
    int64_t size;
    if (!slice_eq(js_text(js_at(doc, "content_hash")), sum_hex(op, &op->whole_sum)) || !js_int(js_at(doc, "size"), &size) || size != op->size)
        return cloud_corrupt(op);
    op->mark = arena_dup(op->a, js_text(js_at(doc, "id")));
    return links_are_shared(op->c) ? share(op) : put_end(op, SLICE_NONE);
}

static enum cloud_end shared(struct cloud_op *op, const struct js *link)
{
    slice url = js_text(js_at(link, "url")), who = js_text(js_get(js_at(link, "link_permissions.resolved_visibility"), SL(".tag")));
    if (!url.n || (who.n && !slice_eq(who, SL("public")))) {
        fault(&op->f, "storage_refused", "", "%s made no link that everyone may open: %s", op->c->service, LINKS_FORBIDDEN);
        return undo(op);
    }
    return put_end(op, url);
}

/* "Dropbox": a link that is there already, from a try before, comes with the error, or has to be asked for. */
static enum cloud_end share_answered(struct cloud_op *op)
{
    const struct js *doc = body_of(op);
    if (op->last->status == 200)
        return shared(op, doc);
    if (failed_with(op, SL("shared_link_already_exists"))) {
        const struct js *there = js_at(doc, "error.shared_link_already_exists.metadata");
        if (there)
            return shared(op, there);
        struct jw w = arg_new(op);
        jw_str(&w, "path", path_of(op));
        jw_bool(&w, "direct_only", true);
        jw_close(&w, '}');
        op->step = PUT_LIST;
        return rpc(op, "sharing/list_shared_links", &w);
    }
    enum cloud_end end = dropbox_error(op);
    return end == CLOUD_FAILED ? undo(op) : end;
}

/* Behind the bytes, however they came there. */
static enum cloud_end put_go_on(struct cloud_op *op)
{
    switch (op->step) {
    case PUT_LOOK: return op->last->status == 200 ? stored(op) : dropbox_error(op);
    case PUT_SHARE: return share_answered(op);
    case PUT_LIST: return op->last->status == 200 ? shared(op, js_at(body_of(op), "links.0")) : dropbox_error(op);
    default: return undo(op);
    }
}

static void commit_write(struct cloud_op *op, struct jw *w)
{
    jw_str(w, "path", path_of(op));
    jw_str(w, "mode", SL("overwrite"));
    jw_bool(w, "autorename", false);
    jw_bool(w, "mute", true);
}

static enum cloud_end dropbox_whole(struct cloud_op *op)
{
    if (!op->last) {
        struct jw w = arg_new(op);
        commit_write(op, &w);
        jw_str(&w, "content_hash", sum_hex(op, &op->whole_sum)); /* other bytes than these are refused */
        jw_close(&w, '}');
        op->call.part_body = true;
        return upload(op, "files/upload", &w);
    }
    if (op->step != PUT_SEND)
        return put_go_on(op);
    return op->last->status == 200 ? stored(op) : dropbox_error(op);
}

static enum cloud_end dropbox_begin(struct cloud_op *op)
{
    if (!op->last) {
        struct jw w = arg_new(op);
        jw_bool(&w, "close", false);
        jw_close(&w, '}');
        return upload(op, "files/upload_session/start", &w);
    }
    op->session = op->last->status == 200 ? js_text(js_at(body_of(op), "session_id")) : SLICE_NONE;
    return op->session.n ? CLOUD_DONE : dropbox_error(op);
}

static void cursor_write(struct cloud_op *op, struct jw *w, int64_t offset)
{
    jw_open(w, "cursor", '{');
    jw_str(w, "session_id", op->session);
    jw_int(w, "offset", offset);
    jw_close(w, '}');
}

static enum cloud_end gave_up(struct cloud_op *op)
{
    fault(&op->f, "storage_failed", "", "%s gave the upload up", op->c->service);
    return CLOUD_FAILED;
}

/* The part, but for what is there already. */
static enum cloud_end append(struct cloud_op *op, int64_t have)
{
    struct jw w = arg_new(op);
    cursor_write(op, &w, have);
    jw_bool(&w, "close", false);
    if (have == op->from)
        jw_str(&w, "content_hash", sum_hex(op, &op->part_sum));
    jw_close(&w, '}');
    op->call.part_body = true;
    op->call.skip = have - op->from;
    return upload(op, "files/upload_session/append_v2", &w);
}

static enum cloud_end dropbox_part(struct cloud_op *op)
{
    int64_t have;
    if (!op->last)
        return append(op, op->from);
    if (op->last->status == 200)
        return CLOUD_DONE;
    if (failed_with(op, SL("incorrect_offset"))) { /* the answer of a try before was lost */
        if (!js_int(js_at(body_of(op), "error.correct_offset"), &have) || have < op->from || have > op->from + op->bytes || op->step++)
            return gave_up(op);
        return have == op->from + op->bytes ? CLOUD_DONE : append(op, have);
    }
    if (failed_with(op, SL("not_found")) || failed_with(op, SL("closed")))
        return gave_up(op);
    return dropbox_error(op);
}

static enum cloud_end dropbox_finish(struct cloud_op *op)
{
    if (!op->last) {
        struct jw w = arg_new(op);
        cursor_write(op, &w, op->size);
        jw_open(&w, "commit", '{');
        commit_write(op, &w);
        jw_close(&w, '}');
        jw_close(&w, '}');
        return upload(op, "files/upload_session/finish", &w);
    }
    if (op->step != PUT_SEND)
        return put_go_on(op);
    if (op->last->status == 200)
        return stored(op);
    if (failed_with(op, SL("lookup_failed")) && op->attempt > 0) { /* a try before was its end, perhaps */
        op->step = PUT_LOOK;
        return rpc_path(op, "files/get_metadata", path_of(op));
    }
    return failed_with(op, SL("lookup_failed")) ? gave_up(op) : dropbox_error(op);
}

/* ---- get, delete, link ---------------------------------------------------------------------------------------------------------------- */

struct handle {
    slice path, folder, link;
};
static const struct js_field handle_fields[] = {
    JS_FIELD(struct handle, path, "path", JS_STR, JS_REQ),
    JS_FIELD(struct handle, folder, "folder", JS_STR, 0),
    JS_FIELD(struct handle, link, "shared_link", JS_STR, 0),
};

static bool handle_parse(struct arena *a, slice handle, struct handle *ret)
{
    *ret = (struct handle){ 0 };
    const struct js *doc = handle.n <= HANDLE_MAX ? js_parse(a, handle, NULL) : NULL;
    return doc && js_read(a, doc, handle_fields, COUNT(handle_fields), ret, NULL) && slice_starts(ret->path, SL("/"));
}

static enum cloud_end no_handle(struct cloud_op *op)
{
    fault(&op->f, "storage_refused", "", "this is no handle of Dropbox");
    return CLOUD_FAILED;
}

static enum cloud_end dropbox_get(struct cloud_op *op)
{
    struct handle h;
    if (op->last) {
        if (op->last->status == 200 || op->last->status == 206)
            return CLOUD_DONE;
        return failed_with(op, SL("path/not_found")) ? CLOUD_GONE : dropbox_error(op);
    }
    if (!handle_parse(op->a, op->handle, &h))
        return no_handle(op);
    struct jw w = arg_new(op);
    jw_str(&w, "path", h.path);
    jw_close(&w, '}');
    cloud_header(&op->call, "Range", cloud_range(op));
    cloud_header(&op->call, "Content-Type", SL("application/octet-stream"));
    return content(op, "files/download", &w);
}

static enum cloud_end dropbox_delete(struct cloud_op *op)
{
    struct handle h;
    if (!op->last)
        return handle_parse(op->a, op->handle, &h) ? rpc_path(op, "files/delete_v2", slice_or(h.folder, h.path)) : no_handle(op);
    if (failed_with(op, SL("path_lookup/not_found")))
        return CLOUD_GONE;
    return op->last->status == 200 ? CLOUD_DONE : dropbox_error(op);
}

/* "Dropbox": dl=0 is a page; raw=1 shows the file, dl=1 downloads it. */
static slice direct_link(struct arena *a, slice link, slice type)
{
    const char *how = storage_is_inline(type) ? "raw=1" : "dl=1";
    size_t query = slice_find_char(link, '?'), at = slice_find(link, SL("dl=0"));
    if (query == SIZE_MAX)
        return arena_printf(a, SLF "?%s", SLA(link), how);
    if (at == SIZE_MAX || at < query)
        return arena_printf(a, SLF "&%s", SLA(link), how);
    return arena_printf(a, SLF "%s" SLF, SLA(slice_sub(link, 0, at)), how, SLA(slice_from(link, at + 4)));
}

static slice dropbox_url(struct storage *st, struct arena *a, slice handle, const struct storage_link *link)
{
    struct handle h;
    (void)st;
    return handle_parse(a, handle, &h) && h.link.n ? direct_link(a, h.link, link->type) : SLICE_NONE;
}

static enum cloud_end dropbox_link(struct cloud_op *op)
{
    struct handle h;
    if (op->last) {
        if (op->last->status != 200)
            return failed_with(op, SL("path/not_found")) ? CLOUD_GONE : dropbox_error(op);
        op->url = js_text(js_at(body_of(op), "link"));
        return op->url.n ? CLOUD_DONE : CLOUD_FAILED;
    }
    if (!handle_parse(op->a, op->handle, &h))
        return no_handle(op);
    if (!h.link.n)
        return rpc_path(op, "files/get_temporary_link", h.path);
    op->url = direct_link(op->a, h.link, op->link.type);
    return CLOUD_DONE;
}

static const char *dropbox_link_hint(struct storage *st, int status)
{
    (void)status;
    return links_are_shared(CONTAINER_OF(st, struct cloud, base)) ? LINKS_FORBIDDEN : NULL;
}

static enum cloud_end dropbox_step(struct cloud_op *op)
{
    switch (op->job) {
    case CLOUD_TOKEN: return dropbox_token(op);
    case CLOUD_WHOLE: return dropbox_whole(op);
    case CLOUD_BEGIN: return dropbox_begin(op);
    case CLOUD_PART: return dropbox_part(op);
    case CLOUD_FINISH: return dropbox_finish(op);
    case CLOUD_ABORT: return CLOUD_DONE; /* a session has no end of its own; it is forgotten after a week */
    case CLOUD_GET: return dropbox_get(op);
    case CLOUD_DELETE: return dropbox_delete(op);
    case CLOUD_LINK: return dropbox_link(op);
    }
    return CLOUD_FAILED;
}

static const struct cloud_type dropbox_cloud = { .step = dropbox_step, .single_bytes = DROPBOX_PART_BYTES, .part_bytes = DROPBOX_PART_BYTES, .token = true,
                                                 .sums_parts = true, .part_sum = DIGEST_SHA256_BLOCKS, .sums_whole = true, .whole_sum = DIGEST_SHA256_BLOCKS };
const struct storage_type storage_type_dropbox = {
    .name = "dropbox",
    .title = "Dropbox",
    .settings = dropbox_settings,
    .n_settings = COUNT(dropbox_settings),
    .open = dropbox_open,
    CLOUD_STORAGE,
    .url = dropbox_url,
    .ask = cloud_ask,
    .link_hint = dropbox_link_hint,
};
