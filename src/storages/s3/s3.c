/* Amazon S3, and what speaks its language: Ceph, MinIO, Swift … Facts: docs/wire/storage.md "Amazon S3". */
#include "storages/cloud.h"
#include "wire/hex.h"
#include "wire/js.h"
#include "wire/sigv4.h"
#include "wire/url.h"
#include "wire/xml_text.h"

enum {
    S3_PART_BYTES = 8 << 20, /* 5 MiB is the least */
    S3_LINK_MAX_S = 604800,  /* "Presigned URL": seven days */
    HANDLE_MAX = 4096,
    FINISH_XML_MAX = 4 << 20,
};

enum { SET_KEY_ID, SET_SECRET, SET_TOKEN, SET_REGION, SET_BUCKET, SET_CLOUDFRONT, SET_PUBLIC, SET_PREFIX, SET_ENDPOINT, SET_STYLE };
static const char *const styles[] = { "auto", "path", "host", NULL };
/* clang-format off */
static const struct setting s3_settings[] = {
    [SET_KEY_ID]     = { .name = "access_key_id", .label = "Access Key Identifier", .type = SETTING_TEXT, .required = true, .max = 128,
                         .help = "AWS console, IAM, Users, Security credentials: Create access key" },
    [SET_SECRET]     = { .name = "secret_access_key", .label = "Secret Access Key", .type = SETTING_TEXT, .required = true, .secret = true, .max = 256,
                         .help = "Shown once, when the access key is made" },
    [SET_TOKEN]      = { .name = "session_token", .label = "Session Token", .type = SETTING_TEXT, .secret = true, .max = 8192,
                         .help = "Only with temporary credentials" },
    [SET_REGION]     = { .name = "region", .label = "Region", .type = SETTING_TEXT, .otherwise = "us-east-1", .max = 40,
                         .help = "Of the bucket, such as ap-northeast-1 for Asia Pacific (Tokyo); docs/storages/s3.md has the list" },
    [SET_BUCKET]     = { .name = "bucket", .label = "Bucket", .type = SETTING_TEXT, .required = true, .min = 3, .max = 63,
                         .help = "Its name" },
    [SET_CLOUDFRONT] = { .name = "cloudfront_url", .label = "CloudFront URL", .type = SETTING_URL,
                         .help = "If given, people receive attachments from Amazon CloudFront and the bucket stays private; otherwise by links of the bucket, see public_read" },
    [SET_PUBLIC]     = { .name = "public_read", .label = "Public", .type = SETTING_BOOL, .otherwise = "false",
                         .help = "Without CloudFront: true sets the ACL public-read on every attachment and hands out the bucket's public URL; false signs links, which needs no public bucket" },
    [SET_PREFIX]     = { .name = "prefix", .label = "Folder", .type = SETTING_TEXT, .max = 200,
                         .help = "In front of every key" },
    [SET_ENDPOINT]   = { .name = "endpoint", .label = "Endpoint", .type = SETTING_URL,
                         .help = "Of another service that speaks S3 (Ceph, MinIO …); Amazon's own for the region when left out" },
    [SET_STYLE]      = { .name = "addressing", .label = "Addressing", .type = SETTING_CHOICE, .otherwise = "auto", .choices = styles,
                         .help = "Bucket in the path or in the host's name; auto: the path with an endpoint, or with a dot in the bucket's name" },
};
/* clang-format on */

struct s3 {
    struct cloud cloud;
    slice region;         /* as set, until the service names another */
    slice scheme, domain; /* of the endpoint set; absent: Amazon's */
    bool in_path;
};
static struct s3 *s3_of(struct cloud *c)
{
    return CONTAINER_OF(c, struct s3, cloud);
}

/* ---- settings ---------------------------------------------------------------------------------------------------------------- */

static bool plain_word(slice s, const char *also)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && (!s.p[i] || !strchr(also, s.p[i])))
            return false;
    return true;
}

static bool s3_check(const slice *settings, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct url u;
    if (!plain_word(settings[SET_BUCKET], ".-_ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        return fault(f, "wrong_type", "bucket", "a bucket's name has letters, digits, dots and dashes; the rest of the address is not part of it");
    if (!plain_word(settings[SET_REGION], "-"))
        return fault(f, "wrong_type", "region", "is no name of a region; write ap-northeast-1, not Asia Pacific (Tokyo)");
    if (settings[SET_ENDPOINT].n && (!url_parse(a, settings[SET_ENDPOINT], &u, f) || !slice_eq(u.path, SL("/")) || u.query.n))
        return fault(f, "wrong_type", "endpoint", "must be a host alone: https://host:port");
    if (settings[SET_CLOUDFRONT].n && !cloud_cdn_good(settings[SET_CLOUDFRONT], "cloudfront_url", f))
        return false;
    if (settings[SET_CLOUDFRONT].n && slice_eq(settings[SET_PUBLIC], SL("true")))
        return fault(f, "wrong_type", "public_read", "is not needed with a CloudFront URL: the bucket stays private");
    return true;
}

extern const struct storage_type storage_type_s3;
static const struct cloud_type s3_cloud;

static struct storage *s3_open(const struct storage_setup *setup, struct fault *f)
{
    struct s3 *s = cloud_new(setup, &storage_type_s3, &s3_cloud, sizeof(*s));
    struct cloud *c = &s->cloud;
    slice endpoint = cloud_setting(c, SET_ENDPOINT), style = cloud_setting(c, SET_STYLE), bucket = cloud_setting(c, SET_BUCKET);
    struct url u;
    if (endpoint.n) {
        if (!url_parse(c->a, endpoint, &u, f)) {
            cloud_close(&c->base);
            return NULL;
        }
        bool usual = u.port == (slice_eq(u.scheme, SL("https")) ? 443 : 80);
        const char *open = u.host_v6 ? "[" : "", *close = u.host_v6 ? "]" : "";
        s->scheme = u.scheme;
        c->service = arena_cstr(c->a, arena_printf(c->a, "S3 at " SLF, SLA(u.host)));
        s->domain = usual ? arena_printf(c->a, "%s" SLF "%s", open, SLA(u.host), close)
                          : arena_printf(c->a, "%s" SLF "%s:%d", open, SLA(u.host), close, u.port); /* as the field Host will say it */
    }
    s->region = cloud_setting(c, SET_REGION);
    s->in_path = slice_eq(style, SL("path")) ||
                 (slice_eq(style, SL("auto")) && (endpoint.n || slice_find_char(bucket, '.') != SIZE_MAX)); /* a dot: no certificate fits */
    c->prefix = cloud_folder(cloud_setting(c, SET_PREFIX));
    if (!cloud_setting(c, SET_CLOUDFRONT).n && !slice_eq(cloud_setting(c, SET_PUBLIC), SL("true")))
        c->base.link_max_s = S3_LINK_MAX_S;
    return &c->base;
}

/* ---- where and by whom ---------------------------------------------------------------------------------------------------------- */

struct place {
    slice origin, host, path; /* path: percent-encoded */
};

static struct place place_of(const struct s3 *s, struct arena *a, slice bucket, slice key)
{
    struct place p;
    bool china = slice_starts(s->region, SL("cn-"));
    slice domain = s->domain.n ? s->domain : arena_printf(a, "s3." SLF ".amazonaws.com%s", SLA(s->region), china ? ".cn" : "");
    p.host = s->in_path ? domain : arena_printf(a, SLF "." SLF, SLA(bucket), SLA(domain));
    p.origin = arena_printf(a, SLF "://" SLF, SLA(slice_or(s->scheme, SL("https"))), SLA(p.host));
    slice path = url_encode_path(a, key);
    p.path = s->in_path ? arena_printf(a, "/" SLF "/" SLF, SLA(bucket), SLA(path)) : arena_printf(a, "/" SLF, SLA(path));
    return p;
}

static struct sigv4_key key_of(const struct s3 *s)
{
    const struct cloud *c = &s->cloud;
    return (struct sigv4_key){ .kind = SIGV4_AWS, .id = cloud_setting(c, SET_KEY_ID), .secret = cloud_setting(c, SET_SECRET),
                               .token = cloud_setting(c, SET_TOKEN), .region = s->region, .service = SL("s3") };
}

/* Signs the call as it stands: every field that was set, and the host. payload: SHA-256 of the body in hex. */
static enum cloud_end send_signed(struct cloud_op *op, const char *method, slice bucket, slice key, slice query, slice payload)
{
    struct s3 *s = s3_of(op->c);
    struct cloud_call *call = &op->call;
    struct place p = place_of(s, op->a, bucket, key);
    struct sigv4_key by = key_of(s);
    int64_t now_ms = cloud_now_ms(op->c);
    char time[SIGV4_TIME_BYTES];
    sigv4_time(now_ms, time);
    cloud_header(call, "x-amz-date", arena_dup(op->a, slice_of(time)));
    cloud_header(call, "x-amz-content-sha256", payload);
    cloud_header(call, "x-amz-security-token", by.token);
    struct sigv4_header headers[CLOUD_HEADERS_MAX + 1];
    for (size_t i = 0; i < call->n_headers; i++)
        headers[i] = (struct sigv4_header){ call->headers[i].name, call->headers[i].value };
    headers[call->n_headers] = (struct sigv4_header){ SL("host"), p.host };
    struct sigv4_request rq = { method, p.path, query, headers, call->n_headers + 1, payload };
    cloud_header(call, "Authorization", sigv4_authorization(op->a, &by, &rq, now_ms));
    call->method = method;
    call->url = arena_printf(op->a, SLF SLF "%s" SLF, SLA(p.origin), SLA(p.path), query.n ? "?" : "", SLA(query));
    return CLOUD_CALL;
}

static enum cloud_end send_for_put(struct cloud_op *op, const char *method, slice query, slice payload)
{
    return send_signed(op, method, cloud_setting(op->c, SET_BUCKET), op->key, query, payload);
}

/* ---- errors ------------------------------------------------------------------------------------------------------------------------ */

#define RIGHTS "the key needs s3:PutObject, s3:GetObject and s3:DeleteObject on the bucket's objects, and s3:PutObjectAcl with public_read"
/* clang-format off */
static const struct cloud_advice s3_advice[] = { /* "Errors" */
    { "InvalidAccessKeyId",    0, CLOUD_FAILED, "the access key is not known; it was deleted, or belongs to another service" },
    { "SignatureDoesNotMatch", 0, CLOUD_FAILED, "the secret access key is wrong" },
    { "ExpiredToken",          0, CLOUD_FAILED, "the session token has expired" },
    { "InvalidToken",          0, CLOUD_FAILED, "the session token is wrong, or of another access key" },
    { "RequestTimeTooSkewed",  0, CLOUD_FAILED, "the clock of this machine is wrong" },
    { "AccessControlListNotSupported", 0, CLOUD_FAILED, "the bucket has no ACLs (Object Ownership: bucket owner enforced); set public_read to false, or allow ACLs" },
    { "NoSuchBucket",          0, CLOUD_FAILED, "there is no such bucket" },
    { "InvalidBucketName",     0, CLOUD_FAILED, "this is no name of a bucket" },
    { "PermanentRedirect",     0, CLOUD_FAILED, "the bucket is in another region" },
    { "AuthorizationHeaderMalformed", 0, CLOUD_FAILED, "the region is wrong" },
    { "IllegalLocationConstraintException", 0, CLOUD_FAILED, "the bucket is in another region" },
    { "AllAccessDisabled",     0, CLOUD_FAILED, "the bucket is closed" },
    { "AccessDenied",          0, CLOUD_FAILED, RIGHTS },
    { "QuotaExceeded",         0, CLOUD_FAILED, "the bucket is full" },
    { "EntityTooLarge",        0, CLOUD_FAILED, "the file is too large for it" },
    { "NoSuchKey",             0, CLOUD_GONE,   "there is no such file" },
    { "NoSuchUpload",          0, CLOUD_FAILED, "the upload was given up" },
    { "BadDigest",             0, CLOUD_AGAIN,  "the bytes changed on the way" },
    { "XAmzContentSHA256Mismatch", 0, CLOUD_AGAIN, "the bytes changed on the way" },
    { "SlowDown",              0, CLOUD_AGAIN,  "it is asked too much at once" },
    { "RequestTimeout",        0, CLOUD_AGAIN,  "the bytes came too slowly" },
    { "OperationAborted",      0, CLOUD_AGAIN,  "something else is done to this file now" },
    { NULL,                  403, CLOUD_FAILED, RIGHTS },
};
/* clang-format on */

/* The service says where the bucket is: remembered, the next try goes there. */
static bool learn_region(struct cloud_op *op)
{
    struct s3 *s = s3_of(op->c);
    slice there = slice_or(answer_header(op->last, "x-amz-bucket-region"), xml_text(op->a, op->last->body, "Region"));
    if (!there.n || there.n > 40 || !plain_word(there, "-") || slice_eq(there, s->region))
        return false;
    s->region = arena_dup(op->c->a, there);
    return true;
}

static enum cloud_end s3_error(struct cloud_op *op)
{
    slice code = xml_text(op->a, op->last->body, "Code");
    enum cloud_end end = cloud_error(op, code, s3_advice, COUNT(s3_advice));
    bool elsewhere = op->last->status == 301 || op->last->status == 307 || slice_eq(code, SL("AuthorizationHeaderMalformed")) || slice_eq(code, SL("IllegalLocationConstraintException"));
    if (elsewhere && learn_region(op))
        return CLOUD_AGAIN;
    if (slice_eq(code, SL("RequestTimeTooSkewed")) && cloud_learn_clock(op->c, op->last))
        return CLOUD_AGAIN;
    return end;
}

/* ---- put ------------------------------------------------------------------------------------------------------------------------------ */

static slice handle_make(struct cloud_op *op)
{
    struct jw w = jw_new(op->a, HANDLE_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "bucket", cloud_setting(op->c, SET_BUCKET));
    jw_str(&w, "key", op->key);
    jw_close(&w, '}');
    return jw_done(&w);
}

static void object_headers(struct cloud_op *op)
{
    struct cloud_call *call = &op->call;
    cloud_header(call, "Content-Type", op->type);
    cloud_header(call, "Content-Disposition", op->disposition);
    cloud_header(call, "Cache-Control", op->cache_control);
    if (slice_eq(cloud_setting(op->c, SET_PUBLIC), SL("true")))
        cloud_header(call, "x-amz-acl", SL("public-read"));
}

static slice part_hex(struct cloud_op *op)
{
    return hex_encode(op->a, slice_mem(op->part_sum.b, op->part_sum.n));
}

static enum cloud_end s3_whole(struct cloud_op *op)
{
    if (!op->last) {
        object_headers(op);
        op->call.part_body = true;
        return send_for_put(op, "PUT", SLICE_NONE, part_hex(op)); /* it compares the body with the hash that is signed */
    }
    if (op->last->status != 200)
        return s3_error(op);
    op->handle = handle_make(op);
    return CLOUD_DONE;
}

static enum cloud_end s3_begin(struct cloud_op *op)
{
    if (!op->last) {
        object_headers(op);
        return send_for_put(op, "POST", SL("uploads="), SIGV4_EMPTY);
    }
    op->session = op->last->status == 200 ? xml_text(op->a, op->last->body, "UploadId") : SLICE_NONE;
    return op->session.n ? CLOUD_DONE : s3_error(op);
}

static enum cloud_end s3_part(struct cloud_op *op)
{
    if (!op->last) {
        op->call.part_body = true;
        return send_for_put(op, "PUT", arena_printf(op->a, "partNumber=%u&uploadId=" SLF, op->part, SLA(url_encode(op->a, op->session))), part_hex(op));
    }
    op->mark = op->last->status == 200 ? answer_header(op->last, "ETag") : SLICE_NONE;
    return op->mark.n ? CLOUD_DONE : s3_error(op);
}

static slice finish_xml(struct cloud_op *op)
{
    struct text t = text_new(op->a, FINISH_XML_MAX);
    text_put(&t, SL("<CompleteMultipartUpload>"));
    for (size_t i = 0; i < op->n_marks; i++)
        text_add(&t, "<Part><PartNumber>%zu</PartNumber><ETag>" SLF "</ETag></Part>", i + 1, SLA(xml_escape(op->a, op->marks[i])));
    text_put(&t, SL("</CompleteMultipartUpload>"));
    return text_slice(&t);
}

/* An answer that was lost may have been a yes; then the upload is no more, but the file is. */
static enum cloud_end s3_finish(struct cloud_op *op)
{
    enum { COMPLETE, LOOK };
    if (!op->last) {
        op->call.body = finish_xml(op);
        cloud_header(&op->call, "Content-Type", SL("application/xml"));
        struct sha256 sum = sha256(op->call.body);
        return send_for_put(op, "POST", arena_printf(op->a, "uploadId=" SLF, SLA(url_encode(op->a, op->session))),
                            hex_encode(op->a, slice_mem(sum.b, sizeof(sum.b))));
    }
    if (op->step == LOOK) {
        int64_t length = -1;
        if (op->last->status != 200)
            return s3_error(op);
        if (!slice_int(answer_header(op->last, "Content-Length"), &length) || length != op->size)
            return cloud_corrupt(op);
    } else if (op->last->status != 200 || xml_text(op->a, op->last->body, "Code").n) { /* "Errors": a 200 may hold one */
        if (op->attempt > 0 && slice_eq(xml_text(op->a, op->last->body, "Code"), SL("NoSuchUpload"))) {
            op->step = LOOK;
            return send_for_put(op, "HEAD", SLICE_NONE, SIGV4_EMPTY);
        }
        enum cloud_end end = s3_error(op);
        return end == CLOUD_FAILED && op->last->status == 200 ? CLOUD_AGAIN : end;
    }
    op->handle = handle_make(op);
    return CLOUD_DONE;
}

static enum cloud_end s3_abort(struct cloud_op *op)
{
    if (!op->last)
        return send_for_put(op, "DELETE", arena_printf(op->a, "uploadId=" SLF, SLA(url_encode(op->a, op->session))), SIGV4_EMPTY);
    return op->last->status < 300 && op->last->status ? CLOUD_DONE : s3_error(op);
}

/* ---- get, delete, link ------------------------------------------------------------------------------------------------------------------ */

static bool handle_parse(struct arena *a, slice handle, slice *ret_bucket, slice *ret_key)
{
    const struct js *doc = handle.n <= HANDLE_MAX ? js_parse(a, handle, NULL) : NULL;
    *ret_bucket = js_text(js_at(doc, "bucket"));
    *ret_key = js_text(js_at(doc, "key"));
    return ret_bucket->n && ret_key->n;
}

static enum cloud_end s3_read(struct cloud_op *op, const char *method)
{
    slice bucket, key;
    if (!handle_parse(op->a, op->handle, &bucket, &key))
        return (void)fault(&op->f, "storage_refused", "", "this is no handle of S3"), CLOUD_FAILED;
    return send_signed(op, method, bucket, key, SLICE_NONE, SIGV4_EMPTY);
}

static enum cloud_end s3_get(struct cloud_op *op)
{
    if (!op->last) {
        cloud_header(&op->call, "Range", cloud_range(op));
        return s3_read(op, "GET");
    }
    return op->last->status == 200 || op->last->status == 206 ? CLOUD_DONE : s3_error(op);
}

static enum cloud_end s3_delete(struct cloud_op *op)
{
    if (!op->last)
        return s3_read(op, "DELETE");
    if (slice_eq(answer_header(op->last, "x-amz-delete-marker"), SL("true")))
        op->c->base.remark = "the bucket keeps versions: deleted files are only hidden, until a lifecycle rule expires noncurrent versions";
    return op->last->status == 204 || op->last->status == 200 ? CLOUD_DONE : s3_error(op);
}

static slice s3_url(struct storage *st, struct arena *a, slice handle, const struct storage_link *link)
{
    struct s3 *s = s3_of(CONTAINER_OF(st, struct cloud, base));
    slice bucket, key, cdn = cloud_setting(&s->cloud, SET_CLOUDFRONT);
    if (!handle_parse(a, handle, &bucket, &key))
        return SLICE_NONE;
    if (cdn.n)
        return arena_printf(a, SLF "/" SLF, SLA(cdn), SLA(url_encode_path(a, key)));
    struct place p = place_of(s, a, bucket, key);
    if (!st->link_max_s)
        return arena_printf(a, SLF SLF, SLA(p.origin), SLA(p.path));
    struct sigv4_key by = key_of(s);
    struct sigv4_header host = { SL("host"), p.host };
    struct sigv4_request rq = { link->head ? "HEAD" : "GET", p.path, SLICE_NONE, &host, 1, SLICE_NONE };
    int64_t now_ms = cloud_now_ms(&s->cloud), life_s = link->expires_s ? link->expires_s - now_ms / 1000 : S3_LINK_MAX_S;
    life_s = MIN(MAX(life_s, INT64_C(1)), (int64_t)S3_LINK_MAX_S);
    return arena_printf(a, SLF SLF "?" SLF, SLA(p.origin), SLA(p.path), SLA(sigv4_presign(a, &by, &rq, now_ms, life_s)));
}

static const char *s3_link_hint(struct storage *st, int status)
{
    const struct s3 *s = s3_of(CONTAINER_OF(st, struct cloud, base));
    if (cloud_setting(&s->cloud, SET_CLOUDFRONT).n)
        return "does the distribution of cloudfront_url lead to this bucket, and may it read it?";
    if (!st->link_max_s)
        return "the bucket blocks public access; lift that, set public_read to false, or use CloudFront";
    return status == 403 ? "the key needs s3:GetObject" : NULL;
}

static enum cloud_end s3_step(struct cloud_op *op)
{
    switch (op->job) {
    case CLOUD_WHOLE: return s3_whole(op);
    case CLOUD_BEGIN: return s3_begin(op);
    case CLOUD_PART: return s3_part(op);
    case CLOUD_FINISH: return s3_finish(op);
    case CLOUD_ABORT: return s3_abort(op);
    case CLOUD_GET: return s3_get(op);
    case CLOUD_DELETE: return s3_delete(op);
    case CLOUD_TOKEN:
    case CLOUD_LINK: break; /* not declared */
    }
    return CLOUD_FAILED;
}

static const struct cloud_type s3_cloud = { .step = s3_step, .single_bytes = S3_PART_BYTES, .part_bytes = S3_PART_BYTES, .sums_parts = true,
                                            .part_sum = DIGEST_SHA256 };
const struct storage_type storage_type_s3 = {
    .name = "s3",
    .title = "Amazon S3",
    .settings = s3_settings,
    .n_settings = COUNT(s3_settings),
    .check = s3_check,
    .open = s3_open,
    CLOUD_STORAGE,
    .url = s3_url,
    .link_hint = s3_link_hint,
};
