/* teams_files.c - pictures at the connector (with the bot's token), files in SharePoint and OneDrive (without it): "Files in", "Files out". */
#include "sim/shelf.h"
#include "sim/sign.h"
#include "sim/teams.h"

slice stm_file_put(struct stm *s, struct arena *a, slice type, slice name, slice bytes)
{
    slice id = arena_printf(a, "0-weu-d1-" SLF, SLA(sim_random_hex(&s->env->random, a, 16)));
    struct stm_file *file = must_malloc(sizeof(*file) + type.n + name.n + bytes.n);
    char *p = (char *)(file + 1);
    memcpy(p, bytes.n ? bytes.p : "", bytes.n);
    memcpy(p + bytes.n, type.n ? type.p : "", type.n);
    memcpy(p + bytes.n + type.n, name.n ? name.p : "", name.n);
    *file = (struct stm_file){ .bytes = slice_mem(p, bytes.n), .type = slice_mem(p + bytes.n, type.n), .name = slice_mem(p + bytes.n + type.n, name.n) };
    shelf_put(s->files, id, file, 0);
    return id;
}

static void answer_file(struct stm *s, struct sim_call *c, slice id)
{
    const struct stm_file *file = shelf_get(s->files, id);
    if (file)
        sim_answer(c, 200, arena_dup(c->x->a, file->type), arena_dup(c->x->a, file->bytes));
    else
        stm_error(c, 404, "NotFound", "Attachment not found.");
}

static void get_view(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    s->calls++;
    if (stm_token_ok(s, c))
        answer_file(s, c, c->params[0]);
}

static void get_attachment(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    s->calls++;
    if (!stm_token_ok(s, c))
        return;
    const struct stm_file *file = shelf_get(s->files, c->params[0]);
    if (!file) {
        stm_error(c, 404, "NotFound", "Attachment not found.");
        return;
    }
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", file->name);
    jw_str(&w, "type", file->type);
    jw_open(&w, "views", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "viewId", SL("original"));
    jw_int(&w, "size", (int64_t)file->bytes.n);
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

/* SharePoint's pre-signed address. Whoever shows it the bot's token has given that away. */
static bool shows_token(struct stm *s, struct sim_call *c)
{
    if (!exchange_header(c->x, "Authorization").p)
        return false;
    s->leaks++;
    sim_answer(c, 401, SLICE_NONE, SLICE_NONE);
    return true;
}

static void get_download(struct sim_call *c, void *ctx)
{
    if (!shows_token(ctx, c))
        answer_file(ctx, c, c->params[0]);
}

/* ---- upload sessions --------------------------------------------------------------------------------------------------------------- */

slice stm_upload_open(struct stm *s, struct arena *a, slice name, int64_t size)
{
    slice id = sim_random_hex(&s->env->random, a, 20);
    struct stm_upload *u = must_calloc(1, sizeof(*u));
    *u = (struct stm_upload){ .size = size, .bytes = must_malloc((size_t)size + 1) };
    snprintf(u->id, sizeof(u->id), SLF, SLA(id));
    snprintf(u->name, sizeof(u->name), SLF, SLA(name));
    shelf_put(s->uploads, id, u, 0);
    return id;
}

slice stm_upload_shown(struct stm *s, struct arena *a, slice id)
{
    struct stm_upload *u = shelf_get(s->uploads, id);
    if (!u)
        return SLICE_NONE;
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", slice_of(u->name));
    jw_int(&w, "bytes", u->got);
    jw_int(&w, "of", u->size);
    jw_str(&w, "sha256", sign_sha256_hex(a, slice_mem(u->bytes, (size_t)u->got)));
    jw_close(&w, '}');
    return jw_done(&w);
}

static void answer_session(struct sim_call *c, const struct stm_upload *u, int status)
{
    sim_json(c, status, arena_printf(c->x->a, "{\"expirationDateTime\":\"2099-01-01T00:00:00Z\",\"nextExpectedRanges\":[\"%lld-\"]}", (long long)u->got));
}

static void get_upload(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    const struct stm_upload *u = shelf_get(s->uploads, c->params[0]);
    if (shows_token(s, c))
        return;
    if (u)
        answer_session(c, u, 200);
    else
        stm_error(c, 404, "itemNotFound", "The upload session was not found.");
}

/* "bytes 0-9/10" */
static bool read_range(slice text, int64_t *from, int64_t *to, int64_t *size)
{
    slice rest = slice_from(text, 6);
    slice first = slice_cut(&rest, '-'), last = slice_cut(&rest, '/');
    return slice_starts(text, SL("bytes ")) && slice_int(first, from) && slice_int(last, to) && slice_int(rest, size);
}

static void put_upload(struct sim_call *c, void *ctx)
{
    enum { PIECE = 320 << 10 };
    struct stm *s = ctx;
    struct stm_upload *u = shelf_get(s->uploads, c->params[0]);
    int64_t from = 0, to = 0, size = 0;
    if (shows_token(s, c))
        return;
    if (!u) {
        stm_error(c, 404, "itemNotFound", "The upload session was not found.");
        return;
    }
    bool last = read_range(exchange_header(c->x, "Content-Range"), &from, &to, &size) && to + 1 == size;
    if (size != u->size || from < 0 || to - from + 1 != (int64_t)c->x->body.n || to >= size || (!last && (to - from + 1) % PIECE != 0)) {
        stm_error(c, 400, "invalidRequest", "Invalid Content-Range header value");
        return;
    }
    if (from != u->got) {
        stm_error(c, 416, "invalidRange", "The uploaded fragment overlaps with data that has already been received.");
        return;
    }
    memcpy(u->bytes + from, c->x->body.p, c->x->body.n);
    u->got = to + 1;
    if (u->got < u->size)
        answer_session(c, u, 202);
    else
        sim_json(c, 201, arena_printf(c->x->a, "{\"id\":\"%s\",\"size\":%lld}", u->id, (long long)u->size));
}

/* The bytes of what a guest sent, for the page. */
static void get_shown(struct sim_call *c, void *ctx)
{
    answer_file(ctx, c, c->params[0]);
}

static const struct sim_route routes[] = {
    { "GET", STM_SERVICE "/v3/attachments/:id", get_attachment, 0 },
    { "GET", STM_SERVICE "/v3/attachments/:id/views/:view", get_view, 0 },
    { "GET", "/onedrive/download/:id", get_download, 0 },
    { "GET", "/onedrive/upload/:id", get_upload, 0 },
    { "PUT", "/onedrive/upload/:id", put_upload, 0 },
    { "GET", "/sim/files/:id", get_shown, SIM_CONTROL },
};

void stm_file_routes(struct stm *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
