/* Azure Blob Storage. Facts: docs/wire/storage.md "Azure Blob Storage". */
#include "storages/cloud.h"
#include "wire/azure_sign.h"
#include "wire/base64.h"
#include "wire/http_date.h"
#include "wire/js.h"
#include "wire/url.h"
#include "wire/xml_text.h"

enum {
    AZURE_PART_BYTES = 8 << 20, /* "Limits": up to 4,000 MiB each, 50,000 of them */
    SAS_EARLY_MS = 900000,      /* links begin to work a little before they are made: clocks differ */
    HANDLE_MAX = 4096,
    LIST_XML_MAX = 4 << 20,
};

enum { SET_ACCOUNT, SET_KEY, SET_CONNECTION, SET_CONTAINER, SET_CDN, SET_PUBLIC, SET_PREFIX, SET_ENDPOINT };
/* clang-format off */
static const struct setting azure_settings[] = {
    [SET_ACCOUNT]    = { .name = "account", .label = "Storage Account", .type = SETTING_TEXT, .max = 24,
                         .help = "Its name; not needed with a connection string" },
    [SET_KEY]        = { .name = "account_key", .label = "Account Key", .type = SETTING_TEXT, .secret = true, .max = 200,
                         .help = "Azure portal, the storage account, Access keys; not needed with a connection string" },
    [SET_CONNECTION] = { .name = "connection_string", .label = "Connection String", .type = SETTING_TEXT, .secret = true, .max = 2000,
                         .help = "Instead of account, key and endpoint: as the portal shows it under Access keys" },
    [SET_CONTAINER]  = { .name = "container", .label = "Container", .type = SETTING_TEXT, .required = true, .min = 3, .max = 63,
                         .help = "Its name; it must exist" },
    [SET_CDN]        = { .name = "cdn_url", .label = "CDN URL", .type = SETTING_URL,
                         .help = "If given, people receive attachments from there: the address that stands for the container" },
    [SET_PUBLIC]     = { .name = "public", .label = "Public", .type = SETTING_BOOL, .otherwise = "false",
                         .help = "The container allows anonymous reads of blobs: links are not signed" },
    [SET_PREFIX]     = { .name = "prefix", .label = "Folder", .type = SETTING_TEXT, .max = 200,
                         .help = "In front of every blob's name" },
    [SET_ENDPOINT]   = { .name = "endpoint", .label = "Endpoint", .type = SETTING_URL,
                         .help = "Of the blob service; https://ACCOUNT.blob.core.windows.net when left out. An emulator's ends with the account" },
};
/* clang-format on */

struct azure {
    struct cloud cloud;
    struct azure_key key;
    slice origin; /* "https://account.blob.core.windows.net" */
    slice root;   /* path in front of the container: "", an emulator's "/account" */
};
static struct azure *azure_of(struct cloud *c)
{
    return CONTAINER_OF(c, struct azure, cloud);
}

/* ---- settings ---------------------------------------------------------------------------------------------------------------- */

struct who {
    slice account, key, endpoint;
};

/* "AccountName=…;AccountKey=…;EndpointSuffix=…": the value may hold '='. */
static slice connection_part(slice text, const char *name)
{
    while (text.n) {
        slice value = slice_cut(&text, ';'), key = slice_cut(&value, '=');
        if (slice_eq_nocase(slice_trim(key), slice_of(name)))
            return slice_trim(value);
    }
    return SLICE_NONE;
}

static struct who who_is(struct arena *a, const slice *settings)
{
    slice text = settings[SET_CONNECTION];
    struct who w = { slice_or(settings[SET_ACCOUNT], connection_part(text, "AccountName")),
                     slice_or(settings[SET_KEY], connection_part(text, "AccountKey")),
                     slice_or(settings[SET_ENDPOINT], connection_part(text, "BlobEndpoint")) };
    slice suffix = slice_or(connection_part(text, "EndpointSuffix"), SL("core.windows.net"));
    slice scheme = slice_or(connection_part(text, "DefaultEndpointsProtocol"), SL("https"));
    if (!w.endpoint.n)
        w.endpoint = arena_printf(a, SLF "://" SLF ".blob." SLF, SLA(scheme), SLA(w.account), SLA(suffix));
    while (w.endpoint.n && w.endpoint.p[w.endpoint.n - 1] == '/')
        w.endpoint.n--;
    return w;
}

static bool name_ok(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
            return false;
    return s.n > 0;
}

static bool azure_check(const slice *settings, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct who w = who_is(a, settings);
    struct url u;
    const char *key = settings[SET_KEY].n || !settings[SET_CONNECTION].n ? "account_key" : "connection_string";
    if (!name_ok(w.account))
        return fault(f, "missing_field", "account", "is missing: small letters and digits, or in a connection string AccountName=");
    if (!base64_decode(a, w.key).n)
        return fault(f, "wrong_type", key, "is no account key: the portal shows it in base64, with == at its end");
    if (!name_ok(settings[SET_CONTAINER]))
        return fault(f, "wrong_type", "container", "has small letters, digits and dashes");
    if (settings[SET_CDN].n && !cloud_cdn_good(settings[SET_CDN], "cdn_url", f))
        return false;
    return url_parse(a, w.endpoint, &u, NULL) || fault(f, "wrong_type", settings[SET_ENDPOINT].n ? "endpoint" : "connection_string", "holds no good address");
}

extern const struct storage_type storage_type_azure;
static const struct cloud_type azure_cloud;

static struct storage *azure_open(const struct storage_setup *setup, struct fault *f)
{
    struct azure *z = cloud_new(setup, &storage_type_azure, &azure_cloud, sizeof(*z));
    struct cloud *c = &z->cloud;
    struct who w = who_is(c->a, setup->settings);
    struct url u;
    if (!url_parse(c->a, w.endpoint, &u, f)) {
        cloud_close(&c->base);
        return NULL;
    }
    z->key = (struct azure_key){ arena_dup(c->a, w.account), base64_decode(c->a, w.key) };
    z->origin = url_origin(c->a, &u);
    z->root = slice_eq(u.path, SL("/")) ? SL("") : u.path;
    c->prefix = cloud_folder(cloud_setting(c, SET_PREFIX));
    return &c->base;
}

/* ---- by whom ------------------------------------------------------------------------------------------------------------------------ */

static slice path_of(const struct azure *z, struct arena *a, slice container, slice blob)
{
    return arena_printf(a, SLF "/" SLF "/" SLF, SLA(z->root), SLA(container), SLA(url_encode_path(a, blob)));
}

/* Signs the call as it stands. */
static enum cloud_end send_signed(struct cloud_op *op, const char *method, slice container, slice blob, slice query)
{
    struct azure *z = azure_of(op->c);
    struct cloud_call *call = &op->call;
    char date[HTTP_DATE_BYTES];
    http_date(cloud_now_ms(op->c), date);
    cloud_header(call, "x-ms-date", arena_dup(op->a, slice_of(date)));
    cloud_header(call, "x-ms-version", SL(AZURE_VERSION));
    struct azure_header headers[CLOUD_HEADERS_MAX];
    for (size_t i = 0; i < call->n_headers; i++)
        headers[i] = (struct azure_header){ call->headers[i].name, call->headers[i].value };
    slice path = path_of(z, op->a, container, blob);
    struct azure_request rq = { method, path, query, headers, call->n_headers, call->part_body ? op->bytes : (int64_t)call->body.n };
    cloud_header(call, "Authorization", azure_authorization(op->a, &z->key, &rq));
    call->method = method;
    call->url = arena_printf(op->a, SLF SLF "%s" SLF, SLA(z->origin), SLA(path), query.n ? "?" : "", SLA(query));
    return CLOUD_CALL;
}

static enum cloud_end send_for_put(struct cloud_op *op, slice query)
{
    return send_signed(op, "PUT", cloud_setting(op->c, SET_CONTAINER), op->key, query);
}

/* ---- errors --------------------------------------------------------------------------------------------------------------------------- */

#define WRONG_KEY "the account key is wrong, or was renewed"
/* clang-format off */
static const struct cloud_advice azure_advice[] = { /* "Errors" */
    { "AuthenticationFailed",   0, CLOUD_FAILED, WRONG_KEY "; or the clock of this machine is" },
    { "AuthorizationFailure",   0, CLOUD_FAILED, WRONG_KEY ", or the account's network rules keep this machine out" },
    { "AuthorizationPermissionMismatch", 0, CLOUD_FAILED, "the key may not do this" },
    { "KeyBasedAuthenticationNotPermitted", 0, CLOUD_FAILED, "the account does not allow account keys (Allow storage account key access)" },
    { "InvalidAuthenticationInfo", 0, CLOUD_FAILED, WRONG_KEY },
    { "AccountIsDisabled",      0, CLOUD_FAILED, "the storage account is disabled" },
    { "ContainerNotFound",      0, CLOUD_FAILED, "there is no such container" },
    { "ResourceNotFound",       0, CLOUD_FAILED, "there is no such container" },
    { "InvalidResourceName",    0, CLOUD_FAILED, "this is no name of a container" },
    { "ContainerBeingDeleted",  0, CLOUD_FAILED, "the container is being deleted" },
    { "PublicAccessNotPermitted", 0, CLOUD_FAILED, "the account does not allow public access; set public to false" },
    { "BlobNotFound",           0, CLOUD_GONE,   "there is no such blob" },
    { "BlobImmutableDueToPolicy", 0, CLOUD_FAILED, "the container keeps its blobs (immutability policy)" },
    { "LeaseIdMissing",         0, CLOUD_AGAIN,  "someone holds a lease on it" },
    { "Md5Mismatch",            0, CLOUD_AGAIN,  "the bytes changed on the way" },
    { "InvalidBlockList",       0, CLOUD_AGAIN,  "a part is missing" },
    { "ServerBusy",             0, CLOUD_AGAIN,  "it is asked too much at once" },
    { "OperationTimedOut",      0, CLOUD_AGAIN,  "it took too long" },
    { NULL,                   403, CLOUD_FAILED, WRONG_KEY },
};
/* clang-format on */

static enum cloud_end azure_error(struct cloud_op *op)
{
    slice code = slice_or(answer_header(op->last, "x-ms-error-code"), xml_text(op->a, op->last->body, "Code"));
    enum cloud_end end = cloud_error(op, code, azure_advice, COUNT(azure_advice));
    return op->last->status == 403 && cloud_learn_clock(op->c, op->last) ? CLOUD_AGAIN : end;
}

/* ---- put --------------------------------------------------------------------------------------------------------------------------------- */

static enum cloud_end stored(struct cloud_op *op)
{
    struct jw w = jw_new(op->a, HANDLE_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "container", cloud_setting(op->c, SET_CONTAINER));
    jw_str(&w, "blob", op->key);
    jw_close(&w, '}');
    op->handle = jw_done(&w);
    return CLOUD_DONE;
}

static void blob_headers(struct cloud_op *op)
{
    struct cloud_call *call = &op->call;
    cloud_header(call, "x-ms-blob-content-type", op->type);
    cloud_header(call, "x-ms-blob-content-disposition", op->disposition);
    cloud_header(call, "x-ms-blob-cache-control", op->cache_control);
}

static void part_md5(struct cloud_op *op)
{
    op->call.part_body = true;
    cloud_header(&op->call, "Content-MD5", base64_encode(op->a, slice_mem(op->part_sum.b, op->part_sum.n)));
}

static enum cloud_end azure_whole(struct cloud_op *op)
{
    if (!op->last) {
        blob_headers(op);
        cloud_header(&op->call, "x-ms-blob-type", SL("BlockBlob"));
        part_md5(op);
        return send_for_put(op, SLICE_NONE);
    }
    return op->last->status == 201 ? stored(op) : azure_error(op);
}

/* Blocks need no beginning; their names only have to be equally long. */
static slice block_id(struct cloud_op *op, size_t part)
{
    return base64_encode(op->a, arena_printf(op->a, "block-%06zu", part));
}

static enum cloud_end azure_part(struct cloud_op *op)
{
    if (!op->last) {
        part_md5(op);
        return send_for_put(op, arena_printf(op->a, "comp=block&blockid=" SLF, SLA(url_encode(op->a, block_id(op, op->part)))));
    }
    return op->last->status == 201 ? CLOUD_DONE : azure_error(op);
}

static enum cloud_end azure_finish(struct cloud_op *op)
{
    if (!op->last) {
        struct text t = text_new(op->a, LIST_XML_MAX);
        text_put(&t, SL("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>"));
        for (size_t i = 1; i <= op->n_marks; i++)
            text_add(&t, "<Latest>" SLF "</Latest>", SLA(block_id(op, i)));
        text_put(&t, SL("</BlockList>"));
        op->call.body = text_slice(&t);
        blob_headers(op);
        cloud_header(&op->call, "Content-Type", SL("application/xml"));
        return send_for_put(op, SL("comp=blocklist"));
    }
    return op->last->status == 201 ? stored(op) : azure_error(op);
}

/* ---- get, delete, link --------------------------------------------------------------------------------------------------------------------- */

static bool handle_parse(struct arena *a, slice handle, slice *ret_container, slice *ret_blob)
{
    const struct js *doc = handle.n <= HANDLE_MAX ? js_parse(a, handle, NULL) : NULL;
    *ret_container = js_text(js_at(doc, "container"));
    *ret_blob = js_text(js_at(doc, "blob"));
    return ret_container->n && ret_blob->n;
}

static enum cloud_end send_for_handle(struct cloud_op *op, const char *method)
{
    slice container, blob;
    if (!handle_parse(op->a, op->handle, &container, &blob))
        return (void)fault(&op->f, "storage_refused", "", "this is no handle of Azure"), CLOUD_FAILED;
    return send_signed(op, method, container, blob, SLICE_NONE);
}

static enum cloud_end azure_get(struct cloud_op *op)
{
    if (!op->last) {
        cloud_header(&op->call, "x-ms-range", cloud_range(op));
        return send_for_handle(op, "GET");
    }
    return op->last->status == 200 || op->last->status == 206 ? CLOUD_DONE : azure_error(op);
}

static enum cloud_end azure_delete(struct cloud_op *op)
{
    if (!op->last) {
        cloud_header(&op->call, "x-ms-delete-snapshots", SL("include"));
        return send_for_handle(op, "DELETE");
    }
    return op->last->status == 202 ? CLOUD_DONE : azure_error(op);
}

static slice azure_url(struct storage *st, struct arena *a, slice handle, const struct storage_link *link)
{
    struct azure *z = azure_of(CONTAINER_OF(st, struct cloud, base));
    slice container, blob, cdn = cloud_setting(&z->cloud, SET_CDN);
    if (!handle_parse(a, handle, &container, &blob))
        return SLICE_NONE;
    if (cdn.n)
        return arena_printf(a, SLF "/" SLF, SLA(cdn), SLA(url_encode_path(a, blob)));
    slice url = arena_printf(a, SLF SLF, SLA(z->origin), SLA(path_of(z, a, container, blob)));
    if (slice_eq(cloud_setting(&z->cloud, SET_PUBLIC), SL("true")))
        return url;
    static const int64_t no_end_ms = INT64_C(253370764800000); /* 9999-01-01: a SAS must end some time */
    struct azure_sas sas = { .container = container, .blob = blob, .permissions = SL("r"), .from_ms = cloud_now_ms(&z->cloud) - SAS_EARLY_MS,
                             .until_ms = link->expires_s ? link->expires_s * 1000 : no_end_ms, .https_only = slice_starts(z->origin, SL("https")) };
    return arena_printf(a, SLF "?" SLF, SLA(url), SLA(azure_sas(a, &z->key, &sas)));
}

static const char *azure_link_hint(struct storage *st, int status)
{
    struct azure *z = azure_of(CONTAINER_OF(st, struct cloud, base));
    if (cloud_setting(&z->cloud, SET_CDN).n)
        return "does cdn_url stand for this container, and may the CDN read it?";
    if (slice_eq(cloud_setting(&z->cloud, SET_PUBLIC), SL("true")))
        return "the container does not allow anonymous reads; change that, or set public to false";
    return status == 403 ? "the account's network rules keep readers out, or it has a shorter limit for links (SAS expiration policy)" : NULL;
}

static enum cloud_end azure_step(struct cloud_op *op)
{
    switch (op->job) {
    case CLOUD_WHOLE: return azure_whole(op);
    case CLOUD_PART: return azure_part(op);
    case CLOUD_FINISH: return azure_finish(op);
    case CLOUD_GET: return azure_get(op);
    case CLOUD_DELETE: return azure_delete(op);
    case CLOUD_BEGIN: /* nothing to begin; and blocks that no list names vanish by themselves, after a week */
    case CLOUD_ABORT: return CLOUD_DONE;
    case CLOUD_TOKEN:
    case CLOUD_LINK: break; /* not declared */
    }
    return CLOUD_FAILED;
}

static const struct cloud_type azure_cloud = { .step = azure_step, .single_bytes = AZURE_PART_BYTES, .part_bytes = AZURE_PART_BYTES, .sums_parts = true,
                                               .part_sum = DIGEST_MD5 };
const struct storage_type storage_type_azure = {
    .name = "azure",
    .title = "Azure Blob Storage",
    .settings = azure_settings,
    .n_settings = COUNT(azure_settings),
    .check = azure_check,
    .open = azure_open,
    CLOUD_STORAGE,
    .url = azure_url,
    .link_hint = azure_link_hint,
};
