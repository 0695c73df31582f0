/* box_upload.c - uploads: in one call, as a new file or a version, and in parts. */
#include "sim/box.h"
#include "wire/base64.h"
#include "wire/digest.h"
#include "wire/multipart.h"

/* ---- in one call ------------------------------------------------------------------------------------------------------------------- */

/* The file's part; NULL: answered. */
static const struct multipart_part *parts_read(struct sim_call *c, struct multipart *mp, const struct js **ret_about)
{
    struct fault f;
    if (!multipart_parse(c->x->a, exchange_header(c->x, "Content-Type"), c->x->body, mp, &f)) {
        sbox_error(c, 400, "bad_request", "Malformed multipart body");
        return NULL;
    }
    const struct multipart_part *about = multipart_part(mp, SL("attributes")), *file = multipart_part(mp, SL("file"));
    if (about && file && file < about) {
        sbox_error(c, 400, "metadata_after_file_contents", "Metadata after file contents");
        return NULL;
    }
    *ret_about = about ? js_parse(c->x->a, about->body, NULL) : NULL;
    if (!*ret_about || !file) {
        sbox_error(c, 400, "bad_request", "API attributes are missing or not valid JSON");
        return NULL;
    }
    char sha1[41];
    slice want = exchange_header(c->x, "content-md5");
    sbox_sha1(file->body, sha1);
    if (want.n && !slice_eq(want, slice_of(sha1))) {
        sbox_error(c, 400, "bad_digest", "The specified content-md5 did not match what we received");
        return NULL;
    }
    return file;
}

static bool no_room(struct sbox *b, struct sim_call *c)
{
    if (b->full)
        sbox_error(c, 403, "storage_limit_exceeded", "Account storage limit reached");
    return b->full;
}

static void upload(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct multipart mp;
    const struct js *about;
    const struct multipart_part *file = sbox_may(b, c) ? parts_read(c, &mp, &about) : NULL;
    if (!file)
        return;
    slice parent = js_text(js_at(about, "parent.id")), name = js_text(js_at(about, "name"));
    if (no_room(b, c) || !sbox_name_good(b, c, parent, name))
        return;
    struct sbox_item *f = sbox_new(b, parent, name, false);
    sbox_fill(f, sbox_copy(file->body), file->body.n);
    b->puts++;
    sbox_collection(c, b, f);
}

static void upload_version(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct multipart mp;
    const struct js *about;
    const struct multipart_part *file = sbox_may(b, c) ? parts_read(c, &mp, &about) : NULL;
    struct sbox_item *f = file ? sbox_find(b, c->params[0], false) : NULL;
    if (!file)
        return;
    if (!f) {
        sbox_error(c, 404, "not_found", "Not Found");
        return;
    }
    if (no_room(b, c))
        return;
    sbox_fill(f, sbox_copy(file->body), file->body.n);
    b->puts++;
    sbox_collection(c, b, f);
}

/* ---- sessions ------------------------------------------------------------------------------------------------------------------------- */

static struct sbox_session **session_at(struct sbox *b, slice id)
{
    struct sbox_session **at = &b->sessions;
    while (*at && !slice_eq(slice_of((*at)->id), id))
        at = &(*at)->next;
    return at;
}

static void session_drop(struct sbox_session **at)
{
    struct sbox_session *s = *at;
    *at = s->next;
    for (struct sbox_part *p = s->parts, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    free(s->name);
    free(s->bytes);
    free(s);
}

void sbox_sessions_free(struct sbox *b)
{
    while (b->sessions)
        session_drop(&b->sessions);
}

/* NULL: answered. */
static struct sbox_session *session_wanted(struct sbox *b, struct sim_call *c)
{
    if (!sbox_may(b, c))
        return NULL;
    struct sbox_session *s = *session_at(b, c->params[0]);
    if (!s)
        sbox_error(c, 404, "not_found", "Not Found");
    return s;
}

static size_t parts_there(const struct sbox_session *s)
{
    size_t n = 0;
    for (const struct sbox_part *p = s->parts; p; p = p->next)
        n++;
    return n;
}

static void session_answer(struct sim_call *c, const struct sbox *b, int status, const struct sbox_session *s)
{
    static const struct { const char *name, *behind; } ends[] = { { "upload_part", "" }, { "commit", "/commit" }, { "abort", "" }, { "list_parts", "/parts" },
                                                                  { "status", "" }, { "log_event", "/log" } };
    struct arena *a = c->x->a;
    struct jw w = jw_new(a, SBOX_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", slice_of(s->id));
    jw_str(&w, "type", SL("upload_session"));
    jw_time(&w, "session_expires_at", time_now_ms() / 1000 * 1000 + INT64_C(604800000));
    jw_int(&w, "part_size", b->part_bytes);
    jw_int(&w, "total_parts", (s->size + b->part_bytes - 1) / b->part_bytes);
    jw_int(&w, "num_parts_processed", (int64_t)parts_there(s));
    jw_open(&w, "session_endpoints", '{');
    for (size_t i = 0; i < COUNT(ends); i++)
        jw_str(&w, ends[i].name, arena_printf(a, SLF "/api/2.0/files/upload_sessions/%s%s", SLA(b->env->base_url), s->id, ends[i].behind));
    jw_close(&w, '}');
    jw_close(&w, '}');
    sim_json(c, status, jw_done(&w));
}

static void session_begin(struct sim_call *c, struct sbox *b, slice parent, slice name, slice file, int64_t size)
{
    enum { MOST = 256 << 20 };
    if (size < SBOX_CHUNKED_LEAST) {
        sbox_error(c, 400, "file_size_too_small", "The file is too small for a chunked upload");
        return;
    }
    if (size > MOST) {
        sbox_error(c, 403, "file_size_limit_exceeded", "File size exceeds the folder owner's file size limit");
        return;
    }
    if (no_room(b, c))
        return;
    struct sbox_session *s = must_calloc(1, sizeof(*s));
    memcpy(s->id, sim_random_hex(&b->env->random, c->x->a, 32).p, 32);
    snprintf(s->parent, sizeof(s->parent), SLF, SLA(parent));
    snprintf(s->file, sizeof(s->file), SLF, SLA(file));
    s->name = sbox_copy(name);
    s->bytes = must_malloc((size_t)size);
    s->size = size;
    s->next = b->sessions;
    b->sessions = s;
    session_answer(c, b, 201, s);
}

static void session_post(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    int64_t size = 0;
    if (!sbox_may(b, c))
        return;
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    slice parent = js_text(js_at(doc, "folder_id")), name = js_text(js_at(doc, "file_name"));
    if (js_int(js_at(doc, "file_size"), &size) && sbox_name_good(b, c, parent, name))
        session_begin(c, b, parent, name, SLICE_NONE, size);
    else if (!size)
        sbox_error(c, 400, "bad_request", "file_size is missing");
}

static void session_of_version(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    int64_t size = 0;
    if (!sbox_may(b, c))
        return;
    const struct sbox_item *f = sbox_find(b, c->params[0], false);
    if (!f)
        sbox_error(c, 404, "not_found", "Not Found");
    else if (!js_int(js_at(js_parse(c->x->a, c->x->body, NULL), "file_size"), &size))
        sbox_error(c, 400, "bad_request", "file_size is missing");
    else
        session_begin(c, b, slice_of(f->parent), slice_of(f->name), slice_of(f->id), size);
}

static void session_get(struct sim_call *c, void *ctx)
{
    const struct sbox_session *s = session_wanted(ctx, c);
    if (s)
        session_answer(c, ctx, 200, s);
}

static void session_delete(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    if (!session_wanted(b, c))
        return;
    session_drop(session_at(b, c->params[0]));
    sim_answer(c, 204, SLICE_NONE, SLICE_NONE);
}

/* ---- parts ------------------------------------------------------------------------------------------------------------------------------ */

static void part_json(struct jw *w, const char *key, const struct sbox_part *p)
{
    jw_open(w, key, '{');
    jw_str(w, "part_id", slice_of(p->id));
    jw_int(w, "offset", p->offset);
    jw_int(w, "size", p->size);
    jw_str(w, "sha1", slice_of(p->sha1));
    jw_close(w, '}');
}

/* "bytes 0-99/200" */
static bool range_read(slice s, int64_t *ret_from, int64_t *ret_to, int64_t *ret_total)
{
    slice rest = slice_from(s, 6), first = slice_cut(&rest, '-'), last = slice_cut(&rest, '/');
    return slice_starts(s, SL("bytes ")) && slice_int(first, ret_from) && slice_int(last, ret_to) && slice_int(rest, ret_total);
}

static slice sha1_field(struct arena *a, slice bytes)
{
    CLEANUP(digest_freep) struct digest_stream *s = digest_new(DIGEST_SHA1);
    digest_update(s, bytes);
    struct digest d = digest_now(s);
    return arena_printf(a, "sha=" SLF, SLA(base64_encode(a, slice_mem(d.b, d.n))));
}

static void part_put(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    int64_t from, to, total;
    struct sbox_session *s = session_wanted(b, c);
    slice bytes = c->x->body;
    if (!s)
        return;
    if (!range_read(exchange_header(c->x, "content-range"), &from, &to, &total) || total != s->size || to >= total || from % b->part_bytes ||
        to - from + 1 != (int64_t)bytes.n || (to + 1 != total && (int64_t)bytes.n != b->part_bytes) || (int64_t)bytes.n > b->part_bytes) {
        sbox_error(c, 416, "range_not_satisfiable", "The range of this part is not one of the session");
        return;
    }
    if (!slice_eq(exchange_header(c->x, "digest"), sha1_field(c->x->a, bytes))) {
        sbox_error(c, 412, "sha1_mismatch", "Part SHA1 did not match");
        return;
    }
    for (const struct sbox_part *p = s->parts; p; p = p->next) {
        if (p->offset == from) {
            sbox_error(c, 409, "range_overlaps_existing_range", "A part of this range is there already");
            return;
        }
    }
    struct sbox_part *p = must_calloc(1, sizeof(*p));
    memcpy(s->bytes + from, bytes.p, bytes.n);
    memcpy(p->id, sim_random_hex(&b->env->random, c->x->a, 16).p, 16);
    sbox_sha1(bytes, p->sha1);
    p->offset = from;
    p->size = (int64_t)bytes.n;
    p->next = s->parts;
    s->parts = p;
    b->parts++;
    struct jw w = jw_new(c->x->a, SBOX_JSON_MAX);
    jw_open(&w, NULL, '{');
    part_json(&w, "part", p);
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void parts_get(struct sim_call *c, void *ctx)
{
    const struct sbox_session *s = session_wanted(ctx, c);
    int64_t skip = 0, most = 1000, n = 0;
    if (!s)
        return;
    if (!slice_int(exchange_query(c->x, "offset"), &skip))
        skip = 0;
    if (!slice_int(exchange_query(c->x, "limit"), &most))
        most = 1000;
    struct jw w = jw_new(c->x->a, 4 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "entries", '[');
    for (const struct sbox_part *p = s->parts; p; p = p->next, n++)
        if (n >= skip && n < skip + most)
            part_json(&w, NULL, p);
    jw_close(&w, ']');
    jw_int(&w, "offset", skip);
    jw_int(&w, "limit", most);
    jw_int(&w, "total_count", n);
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static bool parts_match(const struct sbox_session *s, const struct js *list)
{
    int64_t at = 0, offset;
    for (size_t i = 0; i < js_len(list); i++) {
        const struct js *said = js_item(list, i);
        const struct sbox_part *p = s->parts;
        while (p && !slice_eq(slice_of(p->id), js_text(js_at(said, "part_id"))))
            p = p->next;
        if (!p || p->offset != at || !js_int(js_at(said, "offset"), &offset) || offset != at)
            return false;
        at += p->size;
    }
    return at == s->size;
}

static void session_commit(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct sbox_session *s = session_wanted(b, c);
    if (!s)
        return;
    if (b->slow && !s->asked_once) {
        s->asked_once = true;
        sim_header(c, "Retry-After", SL("1"));
        sim_answer(c, 202, SLICE_NONE, SLICE_NONE);
        return;
    }
    if (!parts_match(s, js_at(js_parse(c->x->a, c->x->body, NULL), "parts"))) {
        sbox_error(c, 400, "parts_mismatch", "The parts are not all the parts of the file");
        return;
    }
    if (!slice_eq(exchange_header(c->x, "digest"), sha1_field(c->x->a, slice_mem(s->bytes, (size_t)s->size)))) {
        sbox_error(c, 412, "sha1_mismatch", "File SHA1 did not match");
        return;
    }
    struct sbox_item *f = s->file[0] ? sbox_find(b, slice_of(s->file), false) : NULL;
    if (!f && !sbox_name_good(b, c, slice_of(s->parent), slice_of(s->name)))
        return;
    if (!f)
        f = sbox_new(b, slice_of(s->parent), slice_of(s->name), false);
    sbox_fill(f, s->bytes, (size_t)s->size);
    s->bytes = NULL;
    session_drop(session_at(b, slice_of(s->id)));
    b->puts++;
    sbox_collection(c, b, f);
}

/* clang-format off */
static const struct sim_route upload_routes[] = {
    { "POST",   "/api/2.0/files/content",                    upload,             0 },
    { "POST",   "/api/2.0/files/upload_sessions",            session_post,       0 },
    { "GET",    "/api/2.0/files/upload_sessions/:id",        session_get,        0 },
    { "PUT",    "/api/2.0/files/upload_sessions/:id",        part_put,           0 },
    { "DELETE", "/api/2.0/files/upload_sessions/:id",        session_delete,     0 },
    { "GET",    "/api/2.0/files/upload_sessions/:id/parts",  parts_get,          0 },
    { "POST",   "/api/2.0/files/upload_sessions/:id/commit", session_commit,     0 },
    { "POST",   "/api/2.0/files/:id/content",                upload_version,     0 },
    { "POST",   "/api/2.0/files/:id/upload_sessions",        session_of_version, 0 },
};
/* clang-format on */

void sbox_upload_routes(struct sbox *b)
{
    sim_routes(b->env, upload_routes, COUNT(upload_routes), b, NULL);
}
