/* dropbox_files.c - files: upload in one call and in sessions, download, look, delete. */
#include "sim/dropbox.h"
#include "wire/digest.h"
#include "wire/hex.h"

static char *copy(slice s)
{
    char *p = must_malloc(s.n + 1);
    memcpy(p, s.n ? s.p : "", s.n);
    p[s.n] = 0;
    return p;
}

/* Written down without src/wire's digest of blocks: this is the side that checks it. */
static slice content_hash(struct arena *a, slice bytes)
{
    CLEANUP(digest_freep) struct digest_stream *block = digest_new(DIGEST_SHA256), *all = digest_new(DIGEST_SHA256);
    while (bytes.n) {
        slice now = slice_sub(bytes, 0, 4194304);
        digest_reset(block);
        digest_update(block, now);
        struct digest d = digest_now(block);
        digest_update(all, slice_mem(d.b, d.n));
        bytes = slice_from(bytes, now.n);
    }
    struct digest d = digest_now(all);
    return hex_encode(a, slice_mem(d.b, d.n));
}

static slice name_of(slice path)
{
    size_t at = path.n;
    while (at && path.p[at - 1] != '/')
        at--;
    return slice_from(path, at);
}

void sdrop_file_json(struct jw *w, const char *key, const struct sdrop_file *f, const char *tag)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice path = slice_of(f->path);
    char *lower = copy(path);
    for (char *p = lower; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 'a' - 'A');
    jw_open(w, key, '{');
    if (tag)
        jw_str(w, ".tag", slice_of(tag));
    jw_str(w, "name", name_of(path));
    jw_str(w, "id", slice_of(f->id));
    jw_str(w, "path_lower", slice_of(lower));
    jw_str(w, "path_display", path);
    jw_str(w, "rev", slice_of(f->rev));
    jw_int(w, "size", (int64_t)f->n);
    jw_str(w, "content_hash", content_hash(a, slice_mem(f->bytes, f->n)));
    jw_time(w, "client_modified", f->at_ms);
    jw_time(w, "server_modified", f->at_ms);
    jw_bool(w, "is_downloadable", true);
    if (!tag && !key)
        jw_bool(w, "shared", f->key[0] != 0);
    jw_close(w, '}');
    free(lower);
}

/* ---- what there is ---------------------------------------------------------------------------------------------------------------- */

static struct sdrop_file **file_at(struct sdrop *d, slice path)
{
    struct sdrop_file **at = &d->files;
    bool id = slice_starts(path, SL("id:"));
    while (*at && !(id ? slice_eq(slice_of((*at)->id), path) : slice_eq_nocase(slice_of((*at)->path), path)))
        at = &(*at)->next;
    return at;
}

struct sdrop_file *sdrop_find(struct sdrop *d, slice path)
{
    return *file_at(d, path);
}

static void drop(struct sdrop_file **at)
{
    struct sdrop_file *old = *at;
    *at = old->next;
    free(old->path);
    free(old->bytes);
    free(old);
}

static bool inside(slice path, slice folder)
{
    return path.n > folder.n && path.p[folder.n] == '/' && slice_eq_nocase(slice_sub(path, 0, folder.n), folder);
}

static struct sdrop_session **session_at(struct sdrop *d, slice id)
{
    struct sdrop_session **at = &d->sessions;
    while (*at && !slice_eq(slice_of((*at)->id), id))
        at = &(*at)->next;
    return at;
}

static void session_drop(struct sdrop_session **at)
{
    struct sdrop_session *old = *at;
    *at = old->next;
    free(old->bytes);
    free(old);
}

void sdrop_files_free(struct sdrop *d)
{
    while (d->files)
        drop(&d->files);
    while (d->sessions)
        session_drop(&d->sessions);
}

/* ---- arguments ---------------------------------------------------------------------------------------------------------------------- */

/* NULL: answered. */
static const struct js *header_arg(struct sim_call *c)
{
    slice arg = exchange_header(c->x, "Dropbox-API-Arg");
    for (size_t i = 0; i < arg.n; i++) {
        if ((unsigned char)arg.p[i] >= 0x7f) {
            sdrop_malformed(c, "HTTP header \"Dropbox-API-Arg\": could not decode input as JSON (it has to be ASCII)");
            return NULL;
        }
    }
    const struct js *doc = arg.n ? js_parse(c->x->a, arg, NULL) : NULL;
    if (!js_is_object(doc)) {
        sdrop_malformed(c, "HTTP header \"Dropbox-API-Arg\": could not decode input as JSON");
        return NULL;
    }
    return doc;
}

static const struct js *upload_arg(struct sdrop *d, struct sim_call *c)
{
    if (!sdrop_may(d, c, false))
        return NULL;
    if (!slice_starts(exchange_header(c->x, "Content-Type"), SL("application/octet-stream"))) {
        sdrop_malformed(c, "Bad HTTP \"Content-Type\" header. Expecting one of \"application/octet-stream\"");
        return NULL;
    }
    const struct js *arg = header_arg(c);
    slice want = js_text(js_at(arg, "content_hash"));
    if (arg && want.n && !slice_eq(want, content_hash(c->x->a, c->x->body))) {
        sdrop_tags(c, 409, "content_hash_mismatch");
        return NULL;
    }
    return arg;
}

static const struct js *body_arg(struct sdrop *d, struct sim_call *c, slice *ret_path)
{
    if (!sdrop_may(d, c, false))
        return NULL;
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    *ret_path = js_text(js_at(doc, "path"));
    if (!slice_starts(exchange_header(c->x, "Content-Type"), SL("application/json")) || !ret_path->n) {
        sdrop_malformed(c, "request body: could not decode input as JSON");
        return NULL;
    }
    return doc;
}

/* ---- upload --------------------------------------------------------------------------------------------------------------------------- */

static bool path_good(slice path)
{
    return slice_starts(path, SL("/")) && !slice_ends(path, SL("/")) && slice_find(path, SL("//")) == SIZE_MAX;
}

/* Takes the bytes over when it stores them. */
static bool commit(struct sim_call *c, struct sdrop *d, const struct js *about, char *bytes, size_t n, const char *in)
{
    struct arena *a = c->x->a;
    slice path = js_text(js_at(about, "path")), mode = js_text(js_at(about, "mode"));
    mode = slice_or(mode, slice_or(js_text(js_get(js_at(about, "mode"), SL(".tag"))), SL("add")));
    struct sdrop_file **there = file_at(d, path);
    const char *why = !path_good(path)                                                              ? "malformed_path"
                      : d->full                                                                     ? "insufficient_space"
                      : *there && slice_eq(mode, SL("add")) && !js_true(js_at(about, "autorename")) ? "conflict/file"
                                                                                                    : NULL;
    if (why) {
        sdrop_tags(c, 409, arena_printf(a, "%s%s", in, why).p);
        return false;
    }
    struct sdrop_file *f = must_calloc(1, sizeof(*f));
    f->path = copy(path);
    f->bytes = bytes;
    f->n = n;
    f->at_ms = time_now_ms();
    snprintf(f->id, sizeof(f->id), "id:%.22s", sim_random_hex(&d->env->random, a, 22).p);
    snprintf(f->rev, sizeof(f->rev), "%.17s", sim_random_hex(&d->env->random, a, 17).p);
    if (*there) { /* the same file with another content: its id and links stay */
        memcpy(f->id, (*there)->id, sizeof(f->id));
        memcpy(f->key, (*there)->key, sizeof(f->key));
        memcpy(f->rlkey, (*there)->rlkey, sizeof(f->rlkey));
        drop(there);
    }
    f->next = d->files;
    d->files = f;
    d->puts++;
    struct jw w = jw_new(a, SDROP_JSON_MAX);
    sdrop_file_json(&w, NULL, f, NULL);
    sim_json(c, 200, jw_done(&w));
    return true;
}

static void upload(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    const struct js *arg = upload_arg(d, c);
    if (!arg)
        return;
    char *bytes = copy(c->x->body);
    if (!commit(c, d, arg, bytes, c->x->body.n, "path/"))
        free(bytes);
}

static void grow(struct sdrop_session *s, slice bytes)
{
    if (s->n + bytes.n + 1 > s->cap) {
        s->cap = MAX(s->cap * 2, s->n + bytes.n + 1);
        s->bytes = must_realloc(s->bytes, s->cap);
    }
    memcpy(s->bytes + s->n, bytes.n ? bytes.p : "", bytes.n);
    s->n += bytes.n;
}

static void session_start(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    const struct js *arg = upload_arg(d, c);
    if (!arg)
        return;
    struct sdrop_session *s = must_calloc(1, sizeof(*s));
    memcpy(s->id, sim_random_hex(&d->env->random, c->x->a, 32).p, 32);
    s->closed = js_true(js_at(arg, "close"));
    grow(s, c->x->body);
    s->next = d->sessions;
    d->sessions = s;
    sim_json(c, 200, arena_printf(c->x->a, "{\"session_id\":\"%s\"}", s->id));
}

/* The session of the cursor, whose offset is right; NULL: answered, in: what the error stands in. */
static struct sdrop_session *session_of(struct sim_call *c, struct sdrop *d, const struct js *arg, bool finish)
{
    struct arena *a = c->x->a;
    int64_t offset = -1;
    struct sdrop_session *s = *session_at(d, js_text(js_at(arg, "cursor.session_id")));
    const char *in = finish ? "lookup_failed/" : "";
    if (!s) {
        sdrop_tags(c, 409, arena_printf(a, "%snot_found", in).p);
    } else if (s->closed && !finish) {
        sdrop_tags(c, 409, "closed");
    } else if (!js_int(js_at(arg, "cursor.offset"), &offset) || offset != (int64_t)s->n) {
        slice error = arena_printf(a, "{\".tag\":\"incorrect_offset\",\"correct_offset\":%zu}", s->n);
        sdrop_error(c, 409, arena_printf(a, "%sincorrect_offset", in).p,
                    finish ? arena_printf(a, "{\".tag\":\"lookup_failed\",\"lookup_failed\":" SLF "}", SLA(error)) : error);
    } else {
        return s;
    }
    return NULL;
}

static void session_append(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    const struct js *arg = upload_arg(d, c);
    struct sdrop_session *s = arg ? session_of(c, d, arg, false) : NULL;
    if (!s)
        return;
    d->appends++;
    grow(s, c->x->body);
    s->closed = js_true(js_at(arg, "close"));
    sim_json(c, 200, SL("null"));
}

static void session_finish(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    const struct js *arg = upload_arg(d, c);
    struct sdrop_session *s = arg ? session_of(c, d, arg, true) : NULL;
    if (!s)
        return;
    grow(s, c->x->body);
    if (!commit(c, d, js_at(arg, "commit"), s->bytes, s->n, "path/"))
        return;
    s->bytes = NULL;
    session_drop(session_at(d, slice_of(s->id)));
}

/* ---- download, look, delete --------------------------------------------------------------------------------------------------------------- */

void sdrop_send_file(struct sim_call *c, const struct sdrop_file *f, int whole, slice type)
{
    struct arena *a = c->x->a;
    slice range = exchange_header(c->x, "Range"), rest = slice_from(range, 6), first = slice_cut(&rest, '-');
    int64_t from = 0, to = (int64_t)f->n - 1;
    if (range.n) {
        if (!slice_starts(range, SL("bytes=")) || !slice_int(first, &from) || (rest.n && !slice_int(rest, &to)) || from > to || from >= (int64_t)f->n) {
            sim_answer(c, 416, SL("text/plain"), SL("Requested range not satisfiable"));
            return;
        }
        to = MIN(to, (int64_t)f->n - 1);
        sim_header(c, "Content-Range", arena_printf(a, "bytes %lld-%lld/%zu", (long long)from, (long long)to, f->n));
    }
    sim_answer(c, range.n ? 206 : whole, type, arena_dup(a, slice_mem(f->bytes + from, (size_t)(to - from + 1))));
}

static void download(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    const struct js *arg = sdrop_may(d, c, false) ? header_arg(c) : NULL;
    if (!arg)
        return;
    const struct sdrop_file *f = sdrop_find(d, js_text(js_at(arg, "path")));
    if (!f) {
        sdrop_tags(c, 409, "path/not_found");
        return;
    }
    struct jw w = jw_new(c->x->a, SDROP_JSON_MAX);
    sdrop_file_json(&w, NULL, f, NULL);
    slice about = jw_done(&w);
    bool ascii = true;
    for (size_t i = 0; i < about.n; i++)
        ascii &= (unsigned char)about.p[i] < 0x7f;
    if (ascii) /* a name beyond would come escaped; nobody here reads it */
        sim_header(c, "Dropbox-API-Result", about);
    else
        sim_header(c, "Dropbox-API-Result", arena_printf(c->x->a, "{\"id\":\"%s\",\"rev\":\"%s\",\"size\":%zu}", f->id, f->rev, f->n));
    sdrop_send_file(c, f, 200, SL("application/octet-stream"));
}

static void metadata(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    slice path;
    if (!body_arg(d, c, &path))
        return;
    const struct sdrop_file *f = sdrop_find(d, path);
    if (!f) {
        sdrop_tags(c, 409, "path/not_found");
        return;
    }
    struct jw w = jw_new(c->x->a, SDROP_JSON_MAX);
    sdrop_file_json(&w, NULL, f, "file");
    sim_json(c, 200, jw_done(&w));
}

static void list_folder(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    struct jw w = jw_new(c->x->a, 4 << 20);
    slice folder = js_text(js_at(js_parse(c->x->a, c->x->body, NULL), "path"));
    if (!sdrop_may(d, c, false))
        return;
    jw_open(&w, NULL, '{');
    jw_open(&w, "entries", '[');
    for (const struct sdrop_file *f = d->files; f; f = f->next)
        if (inside(slice_of(f->path), folder))
            sdrop_file_json(&w, NULL, f, "file");
    jw_close(&w, ']');
    jw_str(&w, "cursor", SL("end"));
    jw_bool(&w, "has_more", false);
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void delete (struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    slice path;
    if (!body_arg(d, c, &path))
        return;
    struct jw w = jw_new(c->x->a, SDROP_JSON_MAX);
    size_t n = 0;
    jw_open(&w, NULL, '{');
    for (struct sdrop_file **at = &d->files; *at;) {
        bool itself = slice_eq_nocase(slice_of((*at)->path), path) || slice_eq(slice_of((*at)->id), path);
        if (!itself && !inside(slice_of((*at)->path), path)) {
            at = &(*at)->next;
            continue;
        }
        if (n++ == 0 && itself)
            sdrop_file_json(&w, "metadata", *at, "file");
        else if (n == 1)
            jw_raw(&w, "metadata", arena_printf(c->x->a, "{\".tag\":\"folder\",\"name\":\"" SLF "\",\"id\":\"id:folder\"}", SLA(name_of(path))));
        drop(at);
    }
    jw_close(&w, '}');
    if (n == 0)
        sdrop_tags(c, 409, "path_lookup/not_found");
    else
        sim_json(c, 200, jw_done(&w));
}

static void account(struct sim_call *c, void *ctx)
{
    if (sdrop_may(ctx, c, false))
        sim_json(c, 200, SL("{\"account_id\":\"dbid:sim\",\"name\":{\"display_name\":\"Attachments\"},\"email\":\"attachments@example.com\",\"email_verified\":true,\"disabled\":false}"));
}

/* clang-format off */
static const struct sim_route file_routes[] = {
    { "POST", "/2/files/upload",                   upload,         0 },
    { "POST", "/2/files/upload_session/start",     session_start,  0 },
    { "POST", "/2/files/upload_session/append_v2", session_append, 0 },
    { "POST", "/2/files/upload_session/finish",    session_finish, 0 },
    { "POST", "/2/files/download",                 download,       0 },
    { "POST", "/2/files/get_metadata",             metadata,       0 },
    { "POST", "/2/files/list_folder",              list_folder,    0 },
    { "POST", "/2/files/delete_v2",                delete,         0 },
    { "POST", "/2/users/get_current_account",      account,        0 },
};
/* clang-format on */

void sdrop_files_routes(struct sdrop *d)
{
    sim_routes(d->env, file_routes, COUNT(file_routes), d, NULL);
}
