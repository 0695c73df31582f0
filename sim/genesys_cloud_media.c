#include "sim/genesys_cloud.h"

/* ---- files ------------------------------------------------------------------------------------------------------------------- */

slice sgc_kind_of(slice mime)
{
    return slice_starts(mime, SL("image/"))   ? SL("Image")
           : slice_starts(mime, SL("video/")) ? SL("Video")
           : slice_starts(mime, SL("audio/")) ? SL("Audio")
                                              : SL("File");
}

struct sgc_media *sgc_media_new(struct sgc *g, slice name, slice mime, slice kind)
{
    struct sgc_media *f = ARENA_NEW(g->a, struct sgc_media);
    f->id = sgc_uuid(g->a);
    f->name = arena_dup(g->a, name);
    f->mime = arena_dup(g->a, mime);
    f->kind = arena_dup(g->a, kind);
    f->state = SGC_FETCHING;
    sgc_list_add(&g->media, f);
    sgc_map_put(&g->media_map, f->id, f);
    return f;
}

/* The oldest bytes go when there are too many; what is known of their files stays. */
static void make_room(struct sgc *g)
{
    for (; g->media_bytes > SGC_MEDIA_KEPT_BYTES && g->media_evicted < g->media.n; g->media_evicted++) {
        struct sgc_media *f = g->media.items[g->media_evicted];
        if (f->bytes)
            g->media_bytes -= f->size;
        free(f->bytes);
        f->bytes = NULL;
    }
}

/* Takes bytes over (malloc'd). */
static void fill(struct sgc *g, struct sgc_media *f, char *bytes, size_t n)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    f->bytes = bytes;
    f->size = n;
    f->sha256 = arena_dup(g->a, sgc_sha256_hex(a, slice_mem(bytes, n)));
    f->state = SGC_KEPT;
    g->media_bytes += n;
    make_room(g);
}

void sgc_media_fill(struct sgc *g, struct sgc_media *f, slice bytes)
{
    char *copy = must_malloc(bytes.n);
    memcpy(copy, bytes.n ? bytes.p : "", bytes.n);
    fill(g, f, copy, bytes.n);
}

slice sgc_media_content(struct sgc *g, const struct sgc_media *f)
{
    struct jw w = jw_new(g->a, 1 << 16);
    jw_open(&w, NULL, '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "contentType", SL("Attachment"));
    jw_open(&w, "attachment", '{');
    jw_str(&w, "id", f->id);
    jw_str(&w, "mediaType", f->kind);
    jw_str(&w, "url", f->url);
    jw_str(&w, "mime", f->mime);
    jw_opt(&w, "filename", f->name);
    jw_int(&w, "contentSizeBytes", (int64_t)f->size);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, ']');
    return jw_done(&w);
}

/* ---- fetched from the hub: "GC fetches url itself" ------------------------------------------------------------------------------ */

struct fetch {
    struct sgc *g;
    struct sgc_message *message;
    struct client_call call;
    struct arena *a;
    char *bytes;
    size_t n, cap;
    bool too_large;
};

enum { FETCH_MS = 30000, FETCH_REDIRECTS = 3 };

static void fetch_free(struct fetch *fe)
{
    arena_free(fe->a);
    free(fe->bytes);
    free(fe);
}

static bool fetch_bytes(void *arg, const struct answer *head, const char *p, size_t n)
{
    (void)head;
    struct fetch *fe = arg;
    if (fe->n + n > SGC_ATTACHMENT_MAX) {
        fe->too_large = true;
        return false;
    }
    if (fe->n + n > fe->cap) {
        fe->cap = MAX(MAX(fe->cap * 2, fe->n + n), (size_t)1 << 16);
        fe->bytes = must_realloc(fe->bytes, fe->cap);
    }
    memcpy(fe->bytes + fe->n, p, n);
    fe->n += n;
    return true;
}

static bool fetch_failed(struct sgc_media *f, const char *code, const char *text, slice *ret_code)
{
    f->state = SGC_BROKEN;
    f->error = slice_of(text);
    *ret_code = slice_of(code);
    return false;
}

/* "correct Content-Type and Content-Length" */
static bool fetch_judge(const struct fetch *fe, const struct answer *r, slice *ret_code)
{
    struct sgc_media *f = fe->message->media;
    int64_t length = -1;
    if (fe->too_large)
        return fetch_failed(f, "InvalidMediaContentLength", "The attachment is larger than 25 MB.", ret_code);
    if (r->status == 0)
        return fetch_failed(f, "GeneralError", "The attachment could not be fetched.", ret_code);
    if (r->status < 200 || r->status > 299)
        return fetch_failed(f, "GeneralError", "The attachment's URL was refused.", ret_code);
    if (!slice_int(answer_header(r, "content-length"), &length) || (size_t)length != fe->n)
        return fetch_failed(f, "InvalidMediaContentLength", "The attachment has no right Content-Length.",
                            ret_code);
    if (slice_empty(r->type))
        return fetch_failed(f, "MediaTypeNotAllowed", "The attachment has no Content-Type.", ret_code);
    return true;
}

static void fetched(void *arg, const struct answer *r)
{
    struct fetch *fe = arg;
    struct sgc *g = fe->g;
    if (g->env->stopping) /* sgc_media_free takes it */
        return;
    struct sgc_message *m = fe->message;
    slice code;
    sgc_list_remove(&g->fetches, fe);
    bool good = fetch_judge(fe, r, &code);
    g->n.fetched += good;
    g->n.fetch_failed += !good;
    if (good)
        fill(g, m->media, TAKE(fe->bytes), fe->n);
    if (g->receipts)
        sgc_hook_receipt(g, m, good, good ? SLICE_NONE : code, m->media->error, NULL);
    sgc_tell_message(g, m);
    fetch_free(fe);
}

void sgc_media_fetch(struct sgc *g, struct sgc_message *m)
{
    struct fetch *fe = must_calloc(1, sizeof(*fe));
    fe->g = g;
    fe->message = m;
    fe->a = arena_new();
    fe->call = (struct client_call){
        .a = fe->a,
        .method = "GET",
        .url = m->media->url,
        .sink = fetch_bytes,
        .io_arg = fe,
        .answer_bytes = SGC_ATTACHMENT_MAX + 1,
        .total_ms = FETCH_MS,
        .max_redirects = FETCH_REDIRECTS,
        .done = fetched,
        .arg = fe,
    };
    sgc_list_add(&g->fetches, fe);
    client_send(g->env->client, &fe->call);
}

void sgc_media_free(struct sgc *g)
{
    for (size_t i = 0; i < g->fetches.n; i++)
        fetch_free(g->fetches.items[i]);
    sgc_list_done(&g->fetches);
    for (size_t i = 0; i < g->media.n; i++)
        free(((struct sgc_media *)g->media.items[i])->bytes);
    sgc_list_done(&g->media);
}

/* ---- offered to the hub: "Fetching an attachment" -------------------------------------------------------------------------------- */

static slice storage_url(struct sgc *g, struct arena *a, const struct sgc_media *f)
{
    int64_t until = time_now_ms() / 1000 + SGC_DOWNLOAD_LIFE_S;
    slice what = arena_printf(a, SLF ":%lld", SLA(f->id), (long long)until);
    return arena_printf(a, SLF "/storage/files/" SLF "?expires=%lld&signature=" SLF, SLA(g->base), SLA(f->id),
                        (long long)until, SLA(sgc_hmac_hex(a, g->signing_key, what)));
}

static void download(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    slice authorization = exchange_header(c->x, "authorization");
    if ((g->download_auth || authorization.n) && !sgc_token_alive(g, authorization)) {
        g->n.unauthorised++;
        sgc_error(c, 401, authorization.n ? "bad.credentials" : "authentication.required",
                  authorization.n ? "Invalid login credentials."
                                  : "No authentication bearer token specified in authorization header.");
        return;
    }
    const struct sgc_media *f = sgc_map_get(&g->media_map, c->params[0]);
    if (!f || !f->bytes) {
        sgc_not_found(c, "download", c->params[0]);
        return;
    }
    g->n.redirects++;
    slice url = storage_url(g, c->x->a, f);
    if (slice_eq(exchange_query(c->x, "issueRedirect"), SL("false"))) {
        struct jw w = sgc_writer(c);
        jw_open(&w, NULL, '{');
        jw_str(&w, "url", url);
        jw_close(&w, '}');
        sgc_json(c, 200, jw_done(&w));
        return;
    }
    sgc_correlate(c);
    sim_header(c, "Location", url);
    sim_answer(c, 303, SLICE_NONE, SLICE_NONE);
}

static void storage_refused(struct sim_call *c, int status, slice code)
{
    sim_answer(
        c, status, SL("application/xml"),
        arena_printf(c->x->a, "<?xml version=\"1.0\"?><Error><Code>" SLF "</Code></Error>", SLA(code)));
}

/* A foreign storage: it knows signed links only and refuses a second kind of credentials, as the real one does. */
static void storage_get(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    slice expires = exchange_query(c->x, "expires");
    slice what = arena_printf(c->x->a, SLF ":" SLF, SLA(c->params[0]), SLA(expires));
    int64_t until;
    const struct sgc_media *f = sgc_map_get(&g->media_map, c->params[0]);
    if (exchange_header(c->x, "authorization").n)
        storage_refused(c, 400, SL("InvalidArgument"));
    else if (!slice_int(expires, &until) || until < time_now_ms() / 1000)
        storage_refused(c, 403, SL("AccessDenied"));
    else if (!bytes_equal_secret(exchange_query(c->x, "signature"),
                                 sgc_hmac_hex(c->x->a, g->signing_key, what)))
        storage_refused(c, 403, SL("SignatureDoesNotMatch"));
    else if (!f || !f->bytes)
        storage_refused(c, 404, SL("NoSuchKey"));
    else {
        g->n.downloads++;
        sim_answer(c, 200, f->mime, slice_mem(f->bytes, f->size));
    }
}

/* ---- uploads of agents: "8.5 Agent side" ---------------------------------------------------------------------------------------- */

static slice upload_url(struct sgc *g, struct arena *a, const struct sgc_media *f)
{
    return arena_printf(a, SLF "/uploads/v4/" SLF "?signature=" SLF, SLA(g->base), SLA(f->id),
                        SLA(sgc_hmac_hex(a, g->signing_key, f->id)));
}

static void upload_new(struct sgc *g, struct sim_call *c)
{
    const struct js *doc = sgc_body(c);
    if (!doc)
        return;
    slice name = js_text(js_at(doc, "fileName"));
    int64_t length;
    if (!name.n || !js_int(js_at(doc, "contentLengthBytes"), &length) || length < 1 ||
        length > SGC_ATTACHMENT_MAX) {
        sgc_error(c, 400, "constraint.validation",
                  "fileName and contentLengthBytes (at most 25 MB) are required.");
        return;
    }
    struct sgc_media *f = sgc_media_new(g, name, SLICE_NONE, SLICE_NONE);
    f->state = SGC_WAITING;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", f->id);
    jw_str(&w, "uploadUrl", upload_url(g, c->x->a, f));
    jw_open(&w, "uploadHeaders", '{');
    jw_close(&w, '}');
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

static void upload_old(struct sgc *g, struct sim_call *c)
{
    struct sgc_media *f = sgc_media_new(g, SLICE_NONE, SLICE_NONE, SLICE_NONE);
    f->state = SGC_WAITING;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", f->id);
    jw_str(&w, "uploadUrl", upload_url(g, c->x->a, f));
    jw_str(&w, "status", SL("uploading"));
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

/* The one file of a multipart body: what stands between the first part's head and the next boundary. False: no such body. */
static bool multipart_file(struct sim_call *c, slice *ret_bytes, slice *ret_type, slice *ret_name)
{
    slice type = exchange_header(c->x, "content-type");
    size_t at = slice_find(type, SL("boundary="));
    if (!slice_starts(type, SL("multipart/form-data")) || at == SIZE_MAX)
        return false;
    slice boundary = slice_from(type, at + strlen("boundary="));
    boundary = slice_cut(&boundary, ';');
    if (boundary.n >= 2 && boundary.p[0] == '"')
        boundary = slice_sub(boundary, 1, boundary.n - 2);
    slice line = arena_printf(c->x->a, "\r\n--" SLF, SLA(boundary)), body = c->x->body;
    size_t head_end = slice_find(body, SL("\r\n\r\n"));
    if (!slice_starts(body, slice_from(line, 2)) || head_end == SIZE_MAX)
        return false;
    slice head = slice_sub(body, 0, head_end), rest = slice_from(body, head_end + 4);
    size_t length = slice_find(rest, line);
    if (length == SIZE_MAX)
        return false;
    *ret_bytes = slice_sub(rest, 0, length);
    while (head.n) {
        slice value = slice_trim(slice_cut(&head, '\n')), name = slice_cut(&value, ':');
        size_t from = slice_find(value, SL("filename=\""));
        if (slice_eq_nocase(name, SL("Content-Type")))
            *ret_type = slice_trim(value);
        else if (slice_eq_nocase(name, SL("Content-Disposition")) && from != SIZE_MAX) {
            slice rest_of_line = slice_from(value, from + strlen("filename=\""));
            *ret_name = slice_cut(&rest_of_line, '"');
        }
    }
    return true;
}

static void upload_put(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    struct sgc_media *f = sgc_map_get(&g->media_map, c->params[0]);
    if (!f || f->state != SGC_WAITING ||
        !bytes_equal_secret(exchange_query(c->x, "signature"),
                            sgc_hmac_hex(c->x->a, g->signing_key, c->params[0]))) {
        storage_refused(c, 403, SL("AccessDenied"));
        return;
    }
    slice bytes = c->x->body, type = exchange_header(c->x, "content-type"), name = SLICE_NONE;
    if (slice_eq(c->x->method, SL("POST")) && !multipart_file(c, &bytes, &type, &name)) {
        storage_refused(c, 400, SL("MalformedPOSTRequest"));
        return;
    }
    f->mime = arena_dup(g->a, slice_or(type, SL("application/octet-stream")));
    f->name = f->name.n ? f->name : arena_dup(g->a, name);
    f->kind = sgc_kind_of(f->mime);
    f->url = arena_printf(g->a, SLF "/api/v2/downloads/" SLF, SLA(g->base), SLA(f->id));
    sgc_media_fill(g, f, bytes);
    sim_answer(c, 200, SLICE_NONE, SLICE_NONE);
}

static void upload_get(struct sgc *g, struct sim_call *c)
{
    const struct sgc_media *f = sgc_map_get(&g->media_map, c->params[2]);
    if (!f) {
        sgc_not_found(c, "media", c->params[2]);
        return;
    }
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", f->id);
    jw_opt(&w, "name", f->name);
    jw_opt(&w, "mediaType", f->mime);
    jw_opt(&w, "url", f->url);
    jw_int(&w, "contentLengthBytes", (int64_t)f->size);
    jw_str(&w, "status",
           f->state == SGC_WAITING ? SL("uploading")
           : f->state == SGC_KEPT  ? SL("valid")
                                   : SL("invalid"));
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

#define MEDIA "/api/v2/conversations/messages/:conversation/communications/:communication/messages/media"
/* clang-format off */
const struct sgc_route sgc_media_routes[] = {
    { "POST", MEDIA "/uploads", "conversation:message:create", upload_new },
    { "POST", MEDIA,            "conversation:message:create", upload_old },
    { "GET",  MEDIA "/:id",     "conversation:message:view",   upload_get },
};
const size_t sgc_media_n = COUNT(sgc_media_routes);
const struct sim_route sgc_file_routes[] = { /* without a token, or with one of their own checking */
    { "GET",  "/api/v2/downloads/:id",   download,       0 },
    { "GET",  "/storage/files/:id",      storage_get,    0 },
    { "PUT",  "/storage/flows/:id",      sgc_job_put,     0 },
    { "PUT",  "/uploads/v4/:id",         upload_put,     0 },
    { "POST", "/uploads/v4/:id",         upload_put,     0 },
};
/* clang-format on */
const size_t sgc_file_n = COUNT(sgc_file_routes);
