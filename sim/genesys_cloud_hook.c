/* genesys_cloud_hook.c - "8.1 The call" and "8.2 The body": what goes to the integration's webhook. */
#include "sim/genesys_cloud.h"
#include "sim/webhook.h"

enum { SIGNATURE = 1 /* index in headers */, HEADERS_MAX = 3 + SGC_WEBHOOK_HEADERS };

/* One call and its repetitions. */
struct hook {
    struct sgc *g;
    struct arena *a;
    struct sgc_message *message; /* NULL: nobody waits for how it ends (receipts, typing) */
    slice url, lane, body;
    struct header headers[HEADERS_MAX];
    size_t n_headers;
    struct loop_timer timer;
    int attempt;
};


static void hook_free(struct hook *h)
{
    loop_timer_done(&h->timer);
    arena_free(h->a);
    free(h);
}

void sgc_hooks_free(struct sgc *g)
{
    for (size_t i = 0; i < g->hooks.n; i++)
        hook_free(g->hooks.items[i]);
    sgc_list_done(&g->hooks);
}

static void end(struct hook *h, bool taken, int status)
{
    struct sgc *g = h->g;
    struct sgc_message *m = h->message;
    sgc_list_remove(&g->hooks, h);
    g->n.hook_given_up += !taken;
    if (m && taken) {
        if (sgc_message_state(m, SGC_SENT))
            sgc_tell_message(g, m);
    } else if (m && sgc_message_state(m, SGC_FAILED)) {
        m->reason_code = SL("GeneralError");
        m->reason_text = status ? arena_printf(g->a, "The webhook answered %d.", status)
                                : SL("The webhook did not answer.");
        sgc_tell_message(g, m);
        if (g->end_on_refusal && status) {
            sgc_conversation_end(g, m->conversation, "error", "error");
            sgc_tell_conversation(g, m->conversation);
        }
    }
    hook_free(h);
}

static void post(void *arg);

/* Time-outs, 429 and 5xx are tried up to 5 times more; any other status is final. */
static void answered(void *arg, const struct webhook_result *r)
{
    struct hook *h = arg;
    bool good = r->status >= 200 && r->status < 300;
    bool again = r->status == 0 || r->status == 429 || r->status >= 500;
    if (!good && again && h->attempt <= SGC_HOOK_RETRIES) {
        h->g->n.hook_retries++;
        loop_timer_start(h->g->env->loop, &h->timer, h->g->retry_ms, post, h);
        return;
    }
    end(h, good, r->status);
}

static void post(void *arg)
{
    struct hook *h = arg;
    h->attempt++;
    h->g->n.hooks++;
    if (h->message)
        h->message->attempts = h->attempt;
    webhook_send(
        h->g->env,
        &(struct webhook){ .lane = h->attempt == 1 ? h->lane : SLICE_NONE, /* who is late makes nobody wait */
                           .url = h->url,
                           .headers = h->headers,
                           .n_headers = h->n_headers,
                           .signature = SIGNATURE,
                           .body = h->body,
                           .timeout_ms = SGC_HOOK_TIMEOUT_MS,
                           .attempt = h->attempt,
                           .done = answered,
                           .arg = h });
}

/* to: room for HEADERS_MAX of them. */
static size_t write_headers(const struct sgc_integration *in, struct arena *a, slice body, bool bad_signature, struct header *to)
{
    slice key = bad_signature ? SL("another key than the right one") : in->secret;
    size_t n = 0;
    to[n++] = (struct header){ SL("Content-Type"), SL("application/json") };
    to[n++] = (struct header){ SL("X-Hub-Signature-256"), arena_printf(a, "sha256=" SLF, SLA(sgc_hmac_base64(a, key, body))) };
    to[n++] = (struct header){ SL("ININ-Correlation-Id"), sgc_uuid(a) };
    const struct js_pair *extra = in->headers.items;
    for (size_t i = 0; i < in->headers.n; i++)
        to[n++] = (struct header){ arena_dup(a, extra[i].key), arena_dup(a, extra[i].value) };
    return n;
}

static void hook_add(struct sgc *g, const struct sgc_integration *in, struct arena *a, slice body, slice lane,
                     struct sgc_message *m, bool bad_signature)
{
    struct hook *h = must_calloc(1, sizeof(*h));
    h->g = g;
    h->a = a;
    h->message = m;
    h->url = arena_dup(a, in->url);
    h->lane = lane;
    h->body = body;
    h->n_headers = write_headers(in, a, body, bad_signature, h->headers);
    sgc_list_add(&g->hooks, h);
    post(h);
}

/* An integration that is gone has no webhook; neither has one a test made without. */
static bool reachable(const struct sgc_integration *in)
{
    return !in->deleted && in->url.n;
}

/* It comes from the first integration that has a webhook, whatever the recording's was. */
bool sgc_webhook(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f)
{
    struct sgc *g = env->state;
    const struct sgc_integration *in = NULL;
    if (!js_parse(a, body, f))
        return false;
    for (size_t i = 0; i < g->integrations.n && !in; i++)
        if (reachable(g->integrations.items[i]))
            in = g->integrations.items[i];
    if (!in)
        return fault(f, "no_webhook", "", "no integration has a webhook");
    body = webhook_put(a, webhook_put(a, body, "channel.from.id", in->id), "channel.id", in->id);
    struct header *headers = ARENA_ARRAY(a, struct header, HEADERS_MAX);
    *ret = (struct webhook){ .lane = js_raw(body, "conversationId"), .url = arena_dup(a, in->url), .headers = headers, .signature = SIGNATURE,
                             .body = body, .timeout_ms = SGC_HOOK_TIMEOUT_MS };
    ret->n_headers = write_headers(in, a, body, false, headers);
    return true;
}

/* ---- bodies ------------------------------------------------------------------------------------------------------------------ */

static void write_channel(struct jw *w, const struct sgc_conversation *v, slice message_id, int64_t at_ms)
{
    const struct sgc_integration *in = v->integration;
    jw_open(w, "channel", '{');
    jw_str(w, "id", in->id);
    jw_str(w, "platform", SL("Open"));
    jw_str(w, "type", SL("Private"));
    jw_opt(w, "messageId", message_id);
    jw_open(w, "to", '{');
    jw_str(w, "id", v->guest);
    jw_str(w, "idType", SL("Opaque")); /* whatever the hub sent */
    jw_close(w, '}');
    jw_open(w, "from", '{');
    jw_str(w, "nickname", in->name);
    jw_str(w, "id", in->id);
    jw_str(w, "idType", SL("Opaque"));
    jw_close(w, '}');
    jw_time(w, "time", at_ms);
    jw_close(w, '}');
}

enum { COPIES_MAX = 6 };

static int copies(const struct sgc_hook_how *how)
{
    return how ? MIN(MAX(how->copies, 1), COPIES_MAX) : 1;
}

void sgc_hook_message(struct sgc *g, struct sgc_message *m, const struct sgc_hook_how *how)
{
    const struct sgc_conversation *v = m->conversation;
    if (!reachable(v->integration))
        return;
    g->n.outbound++;
    for (int i = 0; i < copies(how); i++) {
        struct arena *a = arena_new();
        struct jw w = jw_new(a, SGC_ANSWER_MAX);
        bool structured = m->content.n && !m->media;
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", m->id);
        write_channel(&w, v, m->id, m->at_ms);
        jw_str(&w, "type", structured ? SL("Structured") : SL("Text"));
        jw_opt(&w, "text", m->text);
        if (m->content.n)
            jw_raw(&w, "content", m->content);
        jw_str(&w, "direction", SL("Outbound"));
        jw_str(&w, "originatingEntity", m->by == SGC_AGENT ? SL("Human") : SL("Bot"));
        jw_str(&w, "conversationId", v->id);
        jw_close(&w, '}');
        hook_add(g, v->integration, a, jw_done(&w), v->id, m, how && how->bad_signature);
    }
}

void sgc_hook_receipt(struct sgc *g, struct sgc_message *m, bool published, slice code, slice text,
                      const struct sgc_hook_how *how)
{
    const struct sgc_conversation *v = m->conversation;
    sgc_message_state(m, published ? SGC_PUBLISHED : SGC_FAILED);
    if (!published) {
        m->reason_code = arena_dup(g->a, code);
        m->reason_text = arena_dup(g->a, text);
    }
    if (!reachable(v->integration))
        return;
    for (int i = 0; i < copies(how); i++) {
        struct arena *a = arena_new();
        struct jw w = jw_new(a, 1 << 16);
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", m->id);
        write_channel(&w, v, m->message_id, time_now_ms());
        jw_str(&w, "type", SL("Receipt"));
        jw_str(&w, "status", published ? SL("Published") : SL("Failed"));
        if (!published) {
            jw_open(&w, "reasons", '[');
            jw_open(&w, NULL, '{');
            jw_str(&w, "code", code);
            jw_str(&w, "message", text);
            jw_close(&w, '}');
            jw_close(&w, ']');
        }
        jw_bool(&w, "isFinalReceipt", true);
        jw_str(&w, "direction", SL("Outbound"));
        jw_str(&w, "conversationId", v->id);
        if (m->metadata.n)
            jw_raw(&w, "metadata", m->metadata);
        jw_close(&w, '}');
        g->n.receipts_out++;
        hook_add(g, v->integration, a, jw_done(&w), SLICE_NONE, NULL, how && how->bad_signature);
    }
}

void sgc_hook_typing(struct sgc *g, struct sgc_conversation *v, const struct sgc_hook_how *how)
{
    if (!reachable(v->integration))
        return;
    struct arena *a = arena_new();
    struct jw w = jw_new(a, 1 << 16);
    slice id = sgc_hex(a, 32);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", id);
    write_channel(&w, v, id, time_now_ms());
    jw_str(&w, "type", SL("Event"));
    jw_raw(&w, "events", SL("[{\"eventType\":\"Typing\",\"typing\":{\"type\":\"On\",\"duration\":5000}}]"));
    jw_str(&w, "direction", SL("Outbound"));
    jw_str(&w, "conversationId", v->id);
    jw_close(&w, '}');
    g->n.typing_out++;
    hook_add(g, v->integration, a, jw_done(&w), SLICE_NONE, NULL, how && how->bad_signature);
}
