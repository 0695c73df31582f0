/* line_burst.c - many guests at once: POST /sim/burst {"count","guests","rate","text"}, GET /sim/burst. */
#include "sim/line.h"

enum { TICK_MS = 5, COUNT_MAX = 1000000, RATE_MAX = 20000, SLOWEST_MS = 5000 };

struct burst {
    struct line *line;
    struct loop_timer timer;
    int64_t count, guests, rate, sent, answered, ok;
    int64_t started_ms, ended_ms;
    char text[256];
    int64_t took[SLOWEST_MS + 1]; /* how many answers took so many ms */
};

static void answered(void *arg, int status, int64_t took_ms)
{
    struct burst *b = arg;
    b->answered++;
    b->ok += status >= 200 && status < 300;
    b->took[MIN(MAX(took_ms, 0), SLOWEST_MS)]++;
    if (b->answered == b->count)
        b->ended_ms = time_mono_ms();
}

static void send_one(struct burst *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct chat *c = line_person(b->line, (size_t)(b->sent % b->guests));
    struct jw w = jw_new(a, 4096);
    struct fault f;
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", SL("text"));
    jw_str(&w, "text", arena_printf(a, "%s %lld", b->text, (long long)b->sent + 1));
    jw_close(&w, '}');
    struct line_batch *batch = line_batch_new(b->line);
    const struct js *what = js_parse(a, jw_done(&w), &f);
    b->sent++;
    if (c && what && line_guest_does(batch, c, what, &f) && batch->n) {
        line_batch_send(batch, answered, b);
        return;
    }
    arena_free(batch->a);
    answered(b, 0, 0);
}

static void tick(void *arg)
{
    struct burst *b = arg;
    int64_t due = MIN(b->count, (time_mono_ms() - b->started_ms + TICK_MS) * b->rate / 1000);
    while (b->sent < due)
        send_one(b);
    if (b->sent < b->count)
        loop_timer_start(b->line->env->loop, &b->timer, TICK_MS, tick, b);
}

static bool read_number(const struct js *doc, const char *name, int64_t max, int64_t *n, struct fault *f)
{
    const struct js *v = js_at(doc, name);
    if (v && (!js_int(v, n) || *n < 1 || *n > max))
        return fault(f, "out_of_range", name, "from 1 to %lld", (long long)max);
    return true;
}

static void show(struct sim_call *c, const struct burst *b)
{
    static const struct { const char *name; int share; } rows[] = { { "p50_ms", 500 }, { "p99_ms", 990 }, { "p999_ms", 999 }, { "max_ms", 1000 } };
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_int(&w, "count", b->count);
    jw_int(&w, "sent", b->sent);
    jw_int(&w, "answered", b->answered);
    jw_int(&w, "ok", b->ok);
    jw_bool(&w, "done", b->answered == b->count);
    jw_int(&w, "elapsed_ms", (b->ended_ms ? b->ended_ms : time_mono_ms()) - b->started_ms);
    for (size_t i = 0; i < COUNT(rows) && b->answered; i++) {
        int64_t want = (b->answered * rows[i].share + 999) / 1000, seen = 0;
        int64_t ms = 0;
        while (ms < SLOWEST_MS && (seen += b->took[ms]) < want)
            ms++;
        jw_int(&w, rows[i].name, ms);
    }
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void post_burst(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    struct fault f = { 0 };
    const struct js *doc = js_parse(c->x->a, c->x->body, &f);
    int64_t count = 100, guests = 10, rate = 100;
    bool busy = doc && l->burst && l->burst->answered < l->burst->count;
    if (busy)
        fault(&f, "busy", "", "a burst is running");
    if (busy || !doc || !read_number(doc, "count", COUNT_MAX, &count, &f) || !read_number(doc, "guests", LINE_GUESTS_MAX, &guests, &f) ||
        !read_number(doc, "rate", RATE_MAX, &rate, &f)) {
        sim_fault(c, 400, &f);
        return;
    }
    line_people(l, (size_t)guests);
    if (!l->burst)
        l->burst = must_malloc(sizeof(*l->burst));
    else
        loop_timer_done(&l->burst->timer);
    *l->burst = (struct burst){ .line = l, .count = count, .guests = guests, .rate = rate, .started_ms = time_mono_ms() };
    snprintf(l->burst->text, sizeof(l->burst->text), SLF,
             SLA(utf8_cut_bytes(slice_or(js_text(js_at(doc, "text")), SL("burst")), sizeof(l->burst->text) - 1)));
    tick(l->burst);
    show(c, l->burst);
}

static void get_burst(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    if (l->burst)
        show(c, l->burst);
    else
        sim_json(c, 200, SL("{\"count\":0,\"done\":true}"));
}

static const struct sim_route routes[] = {
    { "POST", "/sim/burst", post_burst, SIM_CONTROL },
    { "GET", "/sim/burst", get_burst, SIM_CONTROL },
};

void line_burst_routes(struct line *l)
{
    sim_routes(l->env, routes, COUNT(routes), l, NULL);
}

void line_burst_done(struct line *l)
{
    if (l->burst)
        loop_timer_done(&l->burst->timer);
    free(l->burst);
}
