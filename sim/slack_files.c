/* slack_files.c - files: sections "Files in", "Files out". Upload in three steps; downloads want the token, and without it a page to sign in is shown with 200. */
#include "sim/draw.h"
#include "sim/shelf.h"
#include "sim/slack.h"

void ssk_put_file(struct jw *w, const struct ssk *s, const struct ssk_file *f, slice user)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    jw_open(w, NULL, '{');
    jw_str(w, "id", slice_of(f->id));
    jw_str(w, "name", slice_of(f->name));
    jw_str(w, "title", slice_of(f->name));
    jw_str(w, "mimetype", slice_of(f->type));
    jw_str(w, "filetype", SL("binary"));
    jw_str(w, "mode", f->external ? SL("external") : SL("hosted"));
    jw_str(w, "user", user);
    jw_int(w, "size", f->size);
    jw_bool(w, "is_external", f->external);
    jw_str(w, "url_private", arena_printf(a, SLF "/files-pri/%s/%s", SLA(s->env->base_url), f->id, "file"));
    if (!f->external)
        jw_str(w, "url_private_download", arena_printf(a, SLF "/files-pri/%s/download/%s", SLA(s->env->base_url), f->id, "file"));
    jw_str(w, "file_access", SL("visible"));
    jw_close(w, '}');
}

void ssk_get_upload_url(struct ssk_call *q)
{
    int64_t length = 0;
    slice name = ssk_param(q, "filename");
    if (!name.n || !slice_int(ssk_param(q, "length"), &length) || length <= 0) {
        ssk_error(q, "invalid_arguments");
        return;
    }
    struct ssk_file *f = must_calloc(1, sizeof(*f));
    snprintf(f->id, sizeof(f->id), SLF, SLA(ssk_id(q->s, q->a, "F0")));
    snprintf(f->ticket, sizeof(f->ticket), SLF, SLA(sim_random_hex(&q->s->env->random, q->a, 24)));
    snprintf(f->name, sizeof(f->name), SLF, SLA(utf8_cut_bytes(name, sizeof(f->name) - 1)));
    snprintf(f->space, sizeof(f->space), "%s", q->space->id);
    f->said = length;
    shelf_put(q->s->files, slice_of(f->id), f, 0);
    ssk_ok(q, arena_printf(q->a, "\"upload_url\":\"" SLF "/upload/v1/%s.%s\",\"file_id\":\"%s\"", SLA(q->s->env->base_url), f->id, f->ticket, f->id));
}

/* The type is what the bytes are. */
static slice sniff(slice bytes)
{
    if (slice_starts(bytes, SL("\x89PNG")))
        return SL("image/png");
    if (slice_starts(bytes, SL("\xff\xd8\xff")))
        return SL("image/jpeg");
    return slice_starts(bytes, SL("%PDF")) ? SL("application/pdf") : SL("application/octet-stream");
}

/* The bytes may also come as the one part of a form. */
static slice bytes_of(struct sim_call *c)
{
    slice type = exchange_header(c->x, "content-type"), body = c->x->body;
    size_t at = slice_find(type, SL("boundary=")), head = slice_find(body, SL("\r\n\r\n"));
    if (!slice_starts(type, SL("multipart/form-data")) || at == SIZE_MAX || head == SIZE_MAX)
        return body;
    slice boundary = slice_from(type, at + 9), bytes = slice_from(body, head + 4);
    if (slice_starts(boundary, SL("\"")))
        boundary = slice_sub(boundary, 1, boundary.n - 2);
    size_t end = slice_find(bytes, arena_printf(c->x->a, "\r\n--" SLF, SLA(boundary)));
    return slice_sub(bytes, 0, end);
}

static void upload(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    slice ticket = c->params[0], id = slice_cut(&ticket, '.'), body = bytes_of(c);
    struct ssk_file *f = shelf_get(s->files, id);
    if (!f || !slice_eq(ticket, slice_of(f->ticket)) || f->shared) {
        sim_answer(c, 404, SL("text/plain"), SL("Not Found"));
        return;
    }
    if ((int64_t)body.n != f->said) {
        sim_answer(c, 400, SL("text/plain"), SL("length does not match"));
        return;
    }
    free(f->bytes);
    f->bytes = ssk_copy(body);
    f->size = (int64_t)body.n;
    f->uploaded = true;
    snprintf(f->type, sizeof(f->type), SLF, SLA(sniff(body)));
    sim_answer(c, 200, SL("text/plain"), arena_printf(c->x->a, "OK - %zu", body.n));
}

void ssk_complete_upload(struct ssk_call *q)
{
    const struct js *files = ssk_param_json(q, "files");
    slice thread = ssk_param(q, "thread_ts"), name = ssk_param(q, "username"), channel = ssk_param(q, "channel_id");
    struct ssk_chat *chat = slice_starts(channel, SL("U")) ? NULL : ssk_chat_of(q->s, channel);
    struct jw w = jw_new(q->a, SSK_JSON_MAX), out = jw_new(q->a, SSK_JSON_MAX);
    if (!js_len(files) || !chat || chat->space != q->space) {
        ssk_error(q, js_len(files) ? "channel_not_found" : "invalid_arguments");
        return;
    }
    jw_open(&w, NULL, '{');
    jw_str(&w, "text", ssk_param(q, "initial_comment"));
    jw_str(&w, "subtype", SL("file_share"));
    jw_opt(&w, "username", name);
    jw_open(&w, "files", '[');
    jw_open(&out, "files", '[');
    for (size_t i = 0; i < js_len(files); i++) {
        struct ssk_file *f = shelf_get(q->s->files, js_text(js_at(js_item(files, i), "id")));
        if (!f || !f->uploaded || f->shared || !slice_eq(slice_of(f->space), slice_of(q->space->id))) {
            ssk_error(q, "file_not_found");
            return;
        }
        f->shared = true;
        ssk_put_file(&w, q->s, f, slice_of(q->space->bot_user));
        jw_open(&out, NULL, '{');
        jw_str(&out, "id", slice_of(f->id));
        jw_str(&out, "title", js_text(js_at(js_item(files, i), "title")));
        jw_close(&out, '}');
    }
    jw_close(&w, ']');
    jw_close(&out, ']');
    ssk_bot_message(q, chat, thread, slice_from(jw_done(&w), 1));
    ssk_ok(q, jw_done(&out));
}

void ssk_files_info(struct ssk_call *q)
{
    const struct ssk_file *f = shelf_get(q->s->files, ssk_param(q, "file"));
    if (!f) {
        ssk_error(q, "file_not_found");
        return;
    }
    struct jw w = jw_new(q->a, 16384);
    ssk_put_file(&w, q->s, f, SL("U0SOMEBODY"));
    ssk_ok(q, arena_printf(q->a, "\"file\":" SLF, SLA(jw_done(&w))));
}

static void answer_file(struct sim_call *c, const struct ssk_file *f)
{
    sim_answer(c, 200, slice_of(f->type), arena_dup(c->x->a, slice_mem(f->bytes ? f->bytes : "", (size_t)f->size)));
}

static void download(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    slice id = slice_cut(&c->params[0], '/'), header = exchange_header(c->x, "authorization");
    const struct ssk_file *f = shelf_get(s->files, id);
    bool known = false;
    for (size_t i = 0; i < SSK_WORKSPACES; i++)
        known |= s->spaces[i].token && slice_eq(header, arena_printf(c->x->a, "Bearer %s", s->spaces[i].token));
    if (!f || !known) /* with 200, as there */
        sim_answer(c, 200, SL("text/html; charset=utf-8"), SL("<!doctype html><title>Sign in to Slack</title>"));
    else
        answer_file(c, f);
}

static void face(struct sim_call *c, void *ctx)
{
    int64_t n = 1;
    enum { SIZE = 192 };
    (void)ctx;
    if (!slice_int(c->params[0], &n))
        n = 1;
    sim_answer(c, 200, SL("image/png"), draw_face(c->x->a, SIZE, (unsigned)n));
}

/* For the page. */
static void show_file(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    const struct ssk_file *f = shelf_get(s->files, c->params[0]);
    if (f)
        answer_file(c, f);
    else
        sim_answer(c, 404, SL("text/plain"), SL("no such file"));
}

static const struct sim_route routes[] = {
    { "POST", "/upload/v1/:ticket", upload, 0 },
    { "GET", "/files-pri/*", download, 0 },
    { "GET", "/faces/:number", face, 0 },
    { "GET", "/sim/files/:id", show_file, SIM_CONTROL },
};

void ssk_file_routes(struct ssk *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
