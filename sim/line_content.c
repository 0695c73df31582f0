/* line_content.c - pictures, films and files: what guests sent (section "Content download"), and what the account's messages point to. */
#include "sim/draw.h"
#include "sim/line.h"

enum { IMAGE_BYTES_MAX = 10 << 20, PREVIEW_BYTES_MAX = 1 << 20, FETCH_MS = 10000 };

void line_content_put(struct line *l, slice message_id, slice type, slice bytes, int64_t ready_ms, bool failed)
{
    struct content *k = must_malloc(sizeof(*k) + type.n + bytes.n + 1);
    char *p = (char *)(k + 1);
    memcpy(p, type.p, type.n);
    memcpy(p + type.n, bytes.n ? bytes.p : "", bytes.n);
    *k = (struct content){ .type = { p, type.n }, .bytes = { p + type.n, bytes.n }, .ready_ms = ready_ms, .failed = failed };
    shelf_put(l->contents, message_id, k, 0);
}

static const struct content *content_of(struct line_call *q, struct sim_call *c)
{
    const struct content *k = shelf_get(q->line->contents, c->params[0]);
    if (!k)
        line_message(q, 404, "Not found");
    return k;
}

static void send_bytes(struct line_call *q, slice type, slice bytes)
{
    /* Ours may be thrown away while a slow answer waits. */
    sim_header(q->c, "x-line-request-id", q->request_id);
    sim_answer(q->c, 200, arena_dup(q->a, type), arena_dup(q->a, bytes));
}

static void get_content(struct sim_call *c, void *ctx)
{
    struct line_call q;
    const struct content *k;
    if (!line_enter(&q, c, ctx, 0) || !(k = content_of(&q, c)))
        return;
    if (k->failed)
        line_message(&q, 410, "The content is gone");
    else if (k->ready_ms > time_now_ms())
        line_answer(&q, 202, SLICE_NONE);
    else
        send_bytes(&q, k->type, k->bytes);
}

static void get_transcoding(struct sim_call *c, void *ctx)
{
    struct line_call q;
    const struct content *k;
    if (!line_enter(&q, c, ctx, 0) || !(k = content_of(&q, c)))
        return;
    bool ready = k->ready_ms <= time_now_ms();
    line_answer(&q, 200,
                !ready ? SL("{\"status\":\"processing\"}") : k->failed ? SL("{\"status\":\"failed\"}") : SL("{\"status\":\"succeeded\"}"));
}

static void get_preview(struct sim_call *c, void *ctx)
{
    struct line_call q;
    const struct content *k;
    if (!line_enter(&q, c, ctx, 0) || !(k = content_of(&q, c)))
        return;
    if (slice_starts(k->type, SL("image/")))
        send_bytes(&q, k->type, k->bytes);
    else if (slice_starts(k->type, SL("video/")))
        send_bytes(&q, SL("image/png"), draw_scene(q.a, 320, 180, 7));
    else
        line_message(&q, 404, "Not found");
}

/* ---- our own pictures ------------------------------------------------------------------------------------------------------------------- */

static slice png_number(slice name)
{
    return slice_ends(name, SL(".png")) ? slice_sub(name, 0, name.n - 4) : name;
}

static void get_face(struct sim_call *c, void *ctx)
{
    int64_t number;
    (void)ctx;
    if (!slice_int(png_number(c->params[0]), &number) || number < 0 || number > LINE_GUESTS_MAX)
        sim_answer(c, 404, SLICE_NONE, SLICE_NONE);
    else
        sim_answer(c, 200, SL("image/png"), draw_face(c->x->a, 256, (unsigned)number));
}

static void get_sticker(struct sim_call *c, void *ctx)
{
    int64_t number;
    (void)ctx;
    if (!slice_int(c->params[0], &number) || number < 0)
        sim_answer(c, 404, SLICE_NONE, SLICE_NONE);
    else
        sim_answer(c, 200, SL("image/png"), draw_sticker(c->x->a, 240, (unsigned)(number % 1000003)));
}

static void get_sample(struct sim_call *c, void *ctx)
{
    (void)ctx;
    sim_answer(c, 200, SL("image/png"), draw_scene(c->x->a, 640, 480, 1));
}

/* What a guest sent, for our own page. */
static void get_sent(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    const struct content *k = shelf_get(l->contents, c->params[0]);
    if (k)
        sim_answer(c, 200, arena_dup(c->x->a, k->type), arena_dup(c->x->a, k->bytes));
    else
        sim_answer(c, 404, SLICE_NONE, SLICE_NONE);
}

/* ---- what the account's messages point to ------------------------------------------------------------------------------------------------ */

struct fetch { /* of the pictures of one bubble, one after the other */
    struct line *line;
    struct arena *a;
    char chat[LINE_ID_CHARS + 1], bubble[24];
    slice urls[2], names[2];
    size_t n, i;
    struct client_call call;
    struct jw w;
};

static void fetch_next(struct fetch *f);

static const char *problem_of(const struct fetch *f, const struct answer *r)
{
    bool preview = slice_eq(f->names[f->i], SL("previewImageUrl"));
    bool picture = slice_starts(r->type, SL("image/jpeg")) || slice_starts(r->type, SL("image/png"));
    if (r->status == 0)
        return "no answer";
    if (r->status != 200)
        return "not 200";
    if (preview && !picture)
        return "the preview is neither JPEG nor PNG";
    if (slice_starts(r->type, SL("image/")) && !picture)
        return "the picture is neither JPEG nor PNG";
    if (r->body.n > (preview ? (size_t)PREVIEW_BYTES_MAX : (size_t)IMAGE_BYTES_MAX) && picture)
        return "too large";
    return r->body.n ? NULL : "empty";
}

static void fetched(void *arg, const struct answer *r)
{
    struct fetch *f = arg;
    const char *problem = problem_of(f, r);
    jw_open(&f->w, arena_cstr(f->a, f->names[f->i]), '{');
    jw_int(&f->w, "status", r->status);
    jw_opt(&f->w, "type", r->type);
    jw_int(&f->w, "bytes", (int64_t)r->body.n);
    if (problem)
        jw_str(&f->w, "problem", slice_of(problem));
    jw_close(&f->w, '}');
    f->i++;
    fetch_next(f);
}

static void fetch_done(struct fetch *f)
{
    jw_close(&f->w, '}');
    slice json = jw_done(&f->w);
    struct chat *c = line_chat(f->line, slice_of(f->chat));
    struct bubble *b = c ? line_bubble_find(c, slice_of(f->bubble)) : NULL;
    if (b && !f->line->env->stopping) {
        line_bubble_media(b, json);
        line_bubble_told(c, b);
    }
    arena_free(f->a);
}

static void fetch_next(struct fetch *f)
{
    if (f->i == f->n || f->line->env->stopping) {
        fetch_done(f);
        return;
    }
    f->call = (struct client_call){ .a = f->a, .method = "GET", .url = f->urls[f->i], .total_ms = FETCH_MS, .done = fetched, .arg = f };
    client_send(f->line->env->client, &f->call);
}

/* LINE's own servers and phones fetch what a picture, film or sound message names; nothing here carries the token, redirects are not
 * followed. Only what has such an address is fetched. */
void line_media_fetch(struct chat *c, const struct bubble *b)
{
    static const char *const names[] = { "originalContentUrl", "previewImageUrl" };
    struct arena *a = arena_new();
    struct fault fault_;
    struct fetch *f = ARENA_NEW(a, struct fetch);
    *f = (struct fetch){ .line = c->line, .a = a, .w = jw_new(a, 4096) };
    const struct js *m = js_parse(a, b->json, &fault_);
    for (size_t i = 0; i < COUNT(names); i++) {
        slice url = js_text(js_at(m, names[i]));
        if (!url.n)
            continue;
        f->urls[f->n] = arena_dup(a, url);
        f->names[f->n++] = slice_of(names[i]);
    }
    if (f->n == 0) {
        arena_free(a);
        return;
    }
    snprintf(f->chat, sizeof(f->chat), "%s", c->id);
    snprintf(f->bubble, sizeof(f->bubble), "%s", b->id);
    jw_open(&f->w, NULL, '{');
    fetch_next(f);
}

/* For our page, whose policy lets it load nothing from elsewhere: a picture of an account's message. Only addresses that stand in
 * the message are fetched, so this is no open relay. */
struct relay {
    struct sim_call *c;
    struct client_call call;
};

static void relayed(void *arg, const struct answer *r)
{
    struct relay *y = arg;
    bool media = slice_starts(r->type, SL("image/")) || slice_starts(r->type, SL("video/")) || slice_starts(r->type, SL("audio/"));
    sim_header(y->c, "X-Content-Type-Options", SL("nosniff"));
    sim_header(y->c, "Content-Security-Policy", SL("sandbox"));
    if (r->status == 200 && media)
        sim_answer(y->c, 200, r->type, r->body);
    else
        sim_answer(y->c, 404, SLICE_NONE, SLICE_NONE);
}

static bool holds_url(const struct js *v, slice url, int depth)
{
    if (js_is_string(v))
        return slice_eq(js_text(v), url);
    if (depth > JS_DEPTH_MAX)
        return false;
    if (js_is_object(v))
        for (void *it = js_first(v); it; it = js_next(v, it))
            if (holds_url(js_value(it), url, depth + 1))
                return true;
    for (size_t i = 0; js_is_array(v) && i < js_len(v); i++)
        if (holds_url(js_item(v, i), url, depth + 1))
            return true;
    return false;
}

static void get_media(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    struct chat *chat = line_chat(l, c->params[0]);
    struct bubble *b = chat ? line_bubble_find(chat, c->params[1]) : NULL;
    slice url = exchange_query(c->x, "url");
    struct fault f;
    const struct js *m = b ? js_parse(c->x->a, b->json, &f) : NULL;
    bool http = slice_starts(url, SL("https://")) || slice_starts(url, SL("http://"));
    if (!m || !http || !holds_url(m, url, 0) || l->env->stopping) {
        sim_answer(c, 404, SLICE_NONE, SLICE_NONE);
        return;
    }
    struct relay *y = ARENA_NEW(c->x->a, struct relay);
    y->c = c;
    y->call = (struct client_call){
        .a = c->x->a, .method = "GET", .url = url, .total_ms = FETCH_MS, .max_redirects = 3, .done = relayed, .arg = y };
    client_send(l->env->client, &y->call);
}

static const struct sim_route routes[] = {
    { "GET", "/v2/bot/message/:messageId/content", get_content, 0 },
    { "GET", "/v2/bot/message/:messageId/content/transcoding", get_transcoding, 0 },
    { "GET", "/v2/bot/message/:messageId/content/preview", get_preview, 0 },
    { "GET", "/stickershop/v1/sticker/:stickerId/*", get_sticker, SIM_CONTROL },
    { "GET", "/sim/faces/:number", get_face, SIM_CONTROL },
    { "GET", "/sim/sample.png", get_sample, SIM_CONTROL },
    { "GET", "/sim/contents/:messageId", get_sent, SIM_CONTROL },
    { "GET", "/sim/guests/:chat/media/:messageId", get_media, SIM_CONTROL },
};

void line_content_routes(struct line *l)
{
    sim_routes(l->env, routes, COUNT(routes), l, NULL);
}
