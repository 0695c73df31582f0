/* custom.c - plays an application with people in it, of which the hub makes a network (docs/wire/custom.md).
 *
 *   dragoman sim custom --listen 127.0.0.1:9008 --hub http://127.0.0.1:8080
 *
 * Set in the hub: secret as given here (or left at its standard), url: http://127.0.0.1:9008/messages.
 *
 * Control API. "guest" is a number, 1 to --guests.
 *
 *   POST   /sim/guests/{guest}/send       {"type":"text","text":"Hi"…}: any message of "From the application"; id and guest are added. Answer {"id"}
 *   GET    /sim/guests/{guest}/messages   {"messages":[{"from":"guest"|"agent","message":{…}}]}
 *   GET    /sim/counters                  {"taken","refused","repeats","webhooks"}
 */
#include "sim/shelf.h"
#include "sim/sign.h"
#include "sim/sim.h"
#include "sim/webhook.h"

enum { GUESTS_MAX = 100, IDS_KEPT = 10000, LOG_BYTES = 4 << 20, WEBHOOK_MS = 10000, HEADERS = 2 };

struct sapp {
    struct sim_env *env;
    slice secret;
    int64_t guests, taken, refused, repeats;
    char *logs[GUESTS_MAX]; /* JSON of what was said, without the brackets; NULL: nothing yet */
    struct shelf *seen;
};

/* clang-format off */
static const struct sim_option options[] = {
    { "secret", "TEXT", "a-secret-of-sixteen-characters", "that both sides sign with" },
    { "guests", "N",    "3", "people" },
};
/* clang-format on */

static slice signature(const struct sapp *s, struct arena *a, slice body)
{
    return arena_printf(a, "sha256=" SLF, SLA(sign_hmac_sha256_hex(a, s->secret, body)));
}

/* 0: there is none. */
static int64_t guest_number(const struct sapp *s, slice guest)
{
    int64_t n = 0;
    if (slice_starts(guest, SL("guest-")))
        guest = slice_from(guest, 6);
    return slice_int(guest, &n) && n >= 1 && n <= s->guests ? n : 0;
}

static void keep(struct sapp *s, int64_t guest, const char *from, slice json)
{
    char **log = &s->logs[guest - 1];
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice all = arena_printf(a, "%s%s{\"from\":\"%s\",\"message\":" SLF "}", *log ? *log : "", *log ? "," : "", from, SLA(json));
    if (all.n > LOG_BYTES)
        return;
    free(*log);
    *log = must_malloc(all.n + 1);
    memcpy(*log, all.p, all.n + 1);
}

/* ---- what agents answer: "To the application" ---------------------------------------------------------------------------- */

static void post_messages(struct sim_call *c, void *ctx)
{
    struct sapp *s = ctx;
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    slice id = js_text(js_at(doc, "id"));
    int64_t guest = guest_number(s, js_text(js_at(doc, "guest")));
    bool signed_well = slice_eq(exchange_header(c->x, "x-dragoman-signature"), signature(s, c->x->a, c->x->body));
    int status = !signed_well ? 403 : !id.n || !js_text(js_at(doc, "type")).n ? 400 : !guest ? 404 : 200;
    if (status == 200 && shelf_get(s->seen, id)) {
        s->repeats++;
    } else if (status == 200) {
        shelf_put(s->seen, id, s, time_mono_ms());
        keep(s, guest, "agent", c->x->body);
    }
    sim_answer(c, status, SLICE_NONE, SLICE_NONE);
}

static void refuse(struct sim_call *c, int status)
{
    sim_answer(c, status, SLICE_NONE, SLICE_NONE);
}

/* ---- what people say: "From the application" ------------------------------------------------------------------------------ */

static struct webhook signed_webhook(struct sim_env *env, struct arena *a, slice lane, slice body)
{
    struct header *h = ARENA_ARRAY(a, struct header, HEADERS);
    h[0] = (struct header){ SL("X-Dragoman-Signature"), signature(env->state, a, body) };
    h[1] = (struct header){ SL("Content-Type"), SL("application/json") };
    return (struct webhook){ .lane = lane, .url = arena_printf(a, SLF "/custom", SLA(env->hub)), .headers = h, .n_headers = HEADERS, .signature = 0, .body = body,
                             .timeout_ms = WEBHOOK_MS };
}

static bool sapp_webhook(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f)
{
    const struct js *doc = js_parse(a, body, f);
    if (!doc)
        return false;
    *ret = signed_webhook(env, a, js_text(js_at(doc, "guest")), body);
    return true;
}

static void heard(void *arg, const struct webhook_result *r)
{
    struct sapp *s = arg;
    *(r->status == 200 ? &s->taken : &s->refused) += 1;
}

static void post_send(struct sim_call *c, void *ctx)
{
    struct sapp *s = ctx;
    struct arena *a = c->x->a;
    int64_t guest = guest_number(s, c->params[0]);
    if (!guest) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    const struct js *what = sim_object(c);
    if (!what)
        return;
    slice id = sim_text(what, "id", NULL);
    if (!id.n)
        id = sim_random_uuid(&s->env->random, a);
    struct jw w = jw_new(a, LOG_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", id);
    jw_str(&w, "guest", arena_printf(a, "guest-%lld", (long long)guest));
    for (void *it = js_first(what); it; it = js_next(what, it))
        if (!slice_eq(js_key(what, it), SL("id"))) {
            jw_key(&w, js_key(what, it));
            jw_value(&w, NULL, js_value(it));
        }
    jw_close(&w, '}');
    slice body = jw_done(&w);
    keep(s, guest, "guest", body);
    struct webhook hook = signed_webhook(s->env, a, c->params[0], body);
    hook.done = heard;
    hook.arg = s;
    webhook_send(s->env, &hook);
    sim_json(c, 200, arena_printf(a, "{\"id\":\"" SLF "\"}", SLA(id)));
}

static void get_messages(struct sim_call *c, void *ctx)
{
    const struct sapp *s = ctx;
    int64_t guest = guest_number(s, c->params[0]);
    if (guest)
        sim_json(c, 200, arena_printf(c->x->a, "{\"messages\":[%s]}", s->logs[guest - 1] ? s->logs[guest - 1] : ""));
    else
        sim_refuse(c, 404, "not_found", "", "no such guest");
}

static void get_counters(struct sim_call *c, void *ctx)
{
    const struct sapp *s = ctx;
    sim_json(c, 200, arena_printf(c->x->a, "{\"taken\":%lld,\"refused\":%lld,\"repeats\":%lld,\"webhooks\":" SLF "}", (long long)s->taken, (long long)s->refused,
                                  (long long)s->repeats, SLA(webhooks_show(s->env->webhooks, c->x->a))));
}

static const struct sim_route routes[] = {
    { "POST", "/messages", post_messages, 0 },
    { "POST", "/sim/guests/:guest/send", post_send, SIM_CONTROL },
    { "GET", "/sim/guests/:guest/messages", get_messages, SIM_CONTROL },
    { "GET", "/sim/counters", get_counters, SIM_CONTROL },
};

static void *sapp_start(struct sim_env *env, struct fault *f)
{
    struct sapp *s = must_calloc(1, sizeof(*s));
    *s = (struct sapp){ .env = env, .secret = sim_option(env, "secret"), .seen = shelf_new(IDS_KEPT, 0, NULL) };
    env->state = s;
    if (!sim_option_int(env, "guests", 1, GUESTS_MAX, &s->guests, f))
        return NULL;
    sim_routes(env, routes, COUNT(routes), s, NULL);
    return s;
}

static void sapp_stop(void *state)
{
    struct sapp *s = state;
    for (size_t i = 0; i < GUESTS_MAX; i++)
        free(s->logs[i]);
    shelf_free(s->seen);
    free(s);
}

const struct sim sim_custom = {
    .name = "custom",
    .title = "an application of one's own",
    .options = options,
    .n_options = COUNT(options),
    .start = sapp_start,
    .stop = sapp_stop,
    .refuse = refuse,
    .webhook = sapp_webhook,
};
