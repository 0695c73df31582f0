/* gcs_upload.c - the three ways to upload: media, multipart, resumable. Section "Uploads". */
#include "sim/gcs.h"
#include "wire/base64.h"
#include "wire/digest.h"

static struct sgcs_object *object_new(struct sim_call *c, slice bucket, slice name, const struct js *about, slice type)
{
    struct sgcs_object *o = must_calloc(1, sizeof(*o));
    slice disposition = js_text(js_at(about, "contentDisposition")), cache = js_text(js_at(about, "cacheControl"));
    o->bucket = sgcs_copy(bucket);
    o->name = sgcs_copy(slice_or(name, js_text(js_at(about, "name"))));
    o->type = sgcs_copy(slice_or(slice_or(js_text(js_at(about, "contentType")), type), SL("application/octet-stream")));
    o->disposition = disposition.n ? sgcs_copy(disposition) : NULL;
    o->cache_control = cache.n ? sgcs_copy(cache) : NULL;
    o->is_public = slice_eq(exchange_query(c->x, "predefinedAcl"), SL("publicRead"));
    return o;
}

static void stored(struct sim_call *c, struct sgcs *g, struct sgcs_object *o)
{
    struct jw w = jw_new(c->x->a, SGCS_JSON_MAX);
    sgcs_keep(g, o);
    sgcs_object_json(&w, g, o);
    sim_json(c, 200, jw_done(&w));
}

static bool is_as_said(const struct js *about, slice bytes)
{
    static const struct {
        const char *name;
        enum digest_kind kind;
    } rows[] = { { "crc32c", DIGEST_CRC32C }, { "md5Hash", DIGEST_MD5 } };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice want = js_text(js_at(about, rows[i].name));
        CLEANUP(digest_freep) struct digest_stream *s = digest_new(rows[i].kind);
        digest_update(s, bytes);
        struct digest d = digest_now(s);
        if (want.n && !slice_eq(want, base64_encode(a, slice_mem(d.b, d.n))))
            return false;
    }
    return true;
}

/* ---- multipart ----------------------------------------------------------------------------------------------------------------- */

/* The body of the next part; *rest goes on behind it. */
static slice next_part(slice *rest, slice mark, slice *ret_head)
{
    size_t begin = slice_find(*rest, mark);
    if (begin == SIZE_MAX)
        return SLICE_NONE;
    slice part = slice_from(*rest, begin + mark.n);
    size_t head = slice_find(part, SL("\r\n\r\n")), end = slice_find(part, mark);
    if (head == SIZE_MAX || end == SIZE_MAX || end < head + 4)
        return SLICE_NONE;
    *ret_head = slice_sub(part, 0, head);
    *rest = slice_from(part, end);
    slice body = slice_sub(part, head + 4, end - head - 4);
    return slice_ends(body, SL("\r\n")) ? slice_sub(body, 0, body.n - 2) : SLICE_NONE;
}

static void upload_multipart(struct sim_call *c, struct sgcs *g, slice bucket, slice name)
{
    struct arena *a = c->x->a;
    slice type = exchange_header(c->x, "Content-Type"), head, rest = c->x->body;
    size_t at = slice_find(type, SL("boundary="));
    if (!slice_starts(type, SL("multipart/related")) || at == SIZE_MAX) {
        sgcs_error(c, 400, "badContent", "Multipart must have a boundary.");
        return;
    }
    slice boundary = slice_from(type, at + 9);
    boundary = slice_cut(&boundary, ';');
    if (boundary.n > 2 && boundary.p[0] == '"')
        boundary = slice_sub(boundary, 1, boundary.n - 2);
    slice mark = arena_printf(a, "--" SLF, SLA(boundary));
    const struct js *about = js_parse(a, next_part(&rest, mark, &head), NULL);
    slice bytes = about ? next_part(&rest, mark, &head) : SLICE_NONE;
    if (!bytes.p || !slice_starts(slice_from(rest, mark.n), SL("--"))) {
        sgcs_error(c, 400, "badContent", "Malformed multipart body.");
        return;
    }
    if (!is_as_said(about, bytes)) {
        sgcs_error(c, 400, "invalid", "Provided CRC32C does not match the uploaded content.");
        return;
    }
    size_t typed = slice_find(head, SL("Content-Type: "));
    slice own = typed == SIZE_MAX ? SLICE_NONE : slice_from(head, typed + 14);
    struct sgcs_object *o = object_new(c, bucket, name, about, slice_trim(slice_cut(&own, '\r')));
    if (!o->name[0]) {
        sgcs_object_free(o);
        sgcs_error(c, 400, "required", "Required object name is missing.");
        return;
    }
    o->bytes = sgcs_copy(bytes);
    o->n = bytes.n;
    stored(c, g, o);
}

/* ---- resumable ---------------------------------------------------------------------------------------------------------------------- */

static void session_begin(struct sim_call *c, struct sgcs *g, slice bucket, slice name)
{
    struct arena *a = c->x->a;
    const struct js *about = c->x->body.n ? js_parse(a, c->x->body, NULL) : NULL;
    if (c->x->body.n && !about) {
        sgcs_error(c, 400, "parseError", "Parse Error");
        return;
    }
    struct sgcs_session *s = must_calloc(1, sizeof(*s));
    s->object = object_new(c, bucket, name, about, exchange_header(c->x, "X-Upload-Content-Type"));
    slice id = sim_random_hex(&g->env->random, a, 32);
    memcpy(s->id, id.p, 32);
    s->next = g->sessions;
    g->sessions = s;
    sim_header(c, "Location", arena_printf(a, SLF "/upload/storage/v1/b/" SLF "/o?uploadType=resumable&upload_id=" SLF, SLA(g->env->base_url), SLA(bucket), SLA(id)));
    sim_answer(c, 200, SLICE_NONE, SLICE_NONE);
}

static void session_end(struct sgcs *g, struct sgcs_session *s)
{
    struct sgcs_session **at = &g->sessions;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    sgcs_object_free(s->object);
    free(s);
}

void sgcs_sessions_free(struct sgcs *g)
{
    while (g->sessions)
        session_end(g, g->sessions);
}

static void session_state(struct sim_call *c, const struct sgcs_session *s)
{
    if (s->object->n)
        sim_header(c, "Range", arena_printf(c->x->a, "bytes=0-%zu", s->object->n - 1));
    sim_answer(c, 308, SLICE_NONE, SLICE_NONE);
}

static void append(struct sgcs_session *s, slice bytes)
{
    struct sgcs_object *o = s->object;
    if (o->n + bytes.n + 1 > s->cap) {
        s->cap = MAX(s->cap * 2, o->n + bytes.n + 1);
        o->bytes = must_realloc(o->bytes, s->cap);
    }
    memcpy(o->bytes + o->n, bytes.n ? bytes.p : "", bytes.n);
    o->n += bytes.n;
}

struct content_range { /* "bytes 0-99/200", "bytes 0-99/" "*", "bytes *" "/200", "bytes 0-*" "/" "*" */
    bool asks;        /* only for the state */
    int64_t from, to; /* to -1: whatever comes */
    int64_t total;    /* -1: not known */
};

static bool range_parse(slice text, struct content_range *r)
{
    slice total = text, range = slice_cut(&total, '/');
    *r = (struct content_range){ .to = -1, .total = -1 };
    if (!slice_starts(range, SL("bytes ")) || !total.n || (!slice_eq(total, SL("*")) && !slice_int(total, &r->total)))
        return false;
    range = slice_from(range, 6);
    r->asks = slice_eq(range, SL("*"));
    if (r->asks)
        return true;
    slice first = slice_cut(&range, '-');
    return slice_int(first, &r->from) && (slice_eq(range, SL("*")) || slice_int(range, &r->to));
}

static void session_finish(struct sim_call *c, struct sgcs *g, struct sgcs_session *s)
{
    struct sgcs_object *o = s->object;
    if (!o->bytes)
        o->bytes = sgcs_copy(SLICE_NONE);
    s->object = NULL;
    session_end(g, s);
    stored(c, g, o);
}

static void session_put(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    slice id = exchange_query(c->x, "upload_id"), given = exchange_header(c->x, "Content-Range"), bytes = c->x->body;
    struct sgcs_session *s = g->sessions;
    while (s && !slice_eq(slice_of(s->id), id))
        s = s->next;
    struct content_range r = { .to = -1, .total = (int64_t)bytes.n };
    if (!s) {
        sgcs_error(c, 404, "notFound", "No such upload session.");
        return;
    }
    if (given.n && !range_parse(given, &r)) {
        sgcs_error(c, 400, "badRequest", "Failed to parse Content-Range header.");
        return;
    }
    if (r.asks) {
        if (r.total == (int64_t)s->object->n)
            session_finish(c, g, s);
        else
            session_state(c, s);
        return;
    }
    g->chunks++;
    if (r.to >= 0 && r.to - r.from + 1 != (int64_t)bytes.n) {
        sgcs_error(c, 400, "badRequest", "Content-Range does not match the number of bytes received.");
        return;
    }
    bool last = r.total >= 0 ? r.from + (int64_t)bytes.n == r.total : r.to < 0;
    if (!last && bytes.n % SGCS_CHUNK) {
        sgcs_error(c, 400, "badRequest", "Chunks but the last must be multiples of 262144 bytes.");
        return;
    }
    if (r.from != (int64_t)s->object->n) { /* what it has already, or a hole: the sender shall look */
        session_state(c, s);
        return;
    }
    if (g->take >= 0 && g->take < (int64_t)bytes.n) {
        append(s, slice_sub(bytes, 0, (size_t)g->take));
        g->take = -1;
        session_state(c, s);
        return;
    }
    append(s, bytes);
    if (last)
        session_finish(c, g, s);
    else
        session_state(c, s);
}

static void session_delete(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    struct sgcs_session *s = g->sessions;
    while (s && !slice_eq(slice_of(s->id), exchange_query(c->x, "upload_id")))
        s = s->next;
    if (s)
        session_end(g, s);
    sim_answer(c, 499, SLICE_NONE, SLICE_NONE);
}

/* ---- the beginning of all three -------------------------------------------------------------------------------------------------------- */

static void upload_post(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    slice bucket = c->params[0], how = exchange_query(c->x, "uploadType"), name = exchange_query(c->x, "name");
    if (!sgcs_may(g, c, bucket))
        return;
    if (g->uniform && exchange_query(c->x, "predefinedAcl").n) {
        sgcs_error(c, 400, "invalid", "Cannot insert legacy ACL for an object when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access");
        return;
    }
    if (slice_eq(how, SL("multipart"))) {
        upload_multipart(c, g, bucket, name);
    } else if (slice_eq(how, SL("resumable"))) {
        session_begin(c, g, bucket, name);
    } else if (slice_eq(how, SL("media")) && name.n) {
        struct sgcs_object *o = object_new(c, bucket, name, NULL, exchange_header(c->x, "Content-Type"));
        o->bytes = sgcs_copy(c->x->body);
        o->n = c->x->body.n;
        stored(c, g, o);
    } else {
        sgcs_error(c, 400, "invalid", "Invalid uploadType, or no name.");
    }
}

/* clang-format off */
static const struct sim_route upload_routes[] = {
    { "POST",   "/upload/storage/v1/b/:bucket/o", upload_post,    0 },
    { "PUT",    "/upload/storage/v1/b/:bucket/o", session_put,    0 },
    { "DELETE", "/upload/storage/v1/b/:bucket/o", session_delete, 0 },
};
/* clang-format on */

void sgcs_upload_routes(struct sgcs *g)
{
    sim_routes(g->env, upload_routes, COUNT(upload_routes), g, NULL);
}
