/* slack_hook.c - requests to the hub, signed: sections "Requests", "Retries". Events are sent again, three times at most: at once, after a minute, after five. */
#include "sim/feed.h"
#include "sim/sign.h"
#include "sim/slack.h"
#include "sim/webhook.h"
#include "wire/url.h"

struct ssk_request {
    struct ssk_request *next, *prev;
    struct ssk *s;
    char *lane, *type, *body;
    size_t n;
    unsigned tries;
    bool event; /* is sent again */
    const char *reason;
    struct loop_timer timer;
    void (*answered)(void *arg, int status, slice body);
    void *arg;
};

static void request_send(void *arg);

static void request_free(struct ssk_request *r)
{
    *(r->prev ? &r->prev->next : &r->s->requests) = r->next;
    if (r->next)
        r->next->prev = r->prev;
    loop_timer_done(&r->timer);
    free(r->lane);
    free(r->type);
    free(r->body);
    free(r);
}

void ssk_requests_done(struct ssk *s)
{
    while (s->requests)
        request_free(s->requests);
}

static void sent(void *arg, const struct webhook_result *got)
{
    struct ssk_request *r = arg;
    struct ssk *s = r->s;
    bool good = got->status >= 200 && got->status < 300;
    char told[64];
    snprintf(told, sizeof(told), "{\"status\":%d,\"took_ms\":%lld}", got->status, (long long)got->took_ms);
    feed_send(s->env->feed, "request", slice_of(told));
    *(good ? &s->taken : &s->refused) += 1;
    if (!good && r->event && r->tries < SSK_TRIES && !s->env->stopping) {
        int64_t wait_ms = r->tries == 1 ? 1 : r->tries == 2 ? s->retry_ms : s->retry_ms * 5;
        r->reason = got->timed_out ? "http_timeout" : got->status ? "http_error" : "connection_failed";
        s->retried++;
        loop_timer_start(s->env->loop, &r->timer, wait_ms, request_send, r);
        return;
    }
    if (r->answered)
        r->answered(r->arg, got->status, got->body);
    request_free(r);
}

static void request_send(void *arg)
{
    struct ssk_request *r = arg;
    struct ssk *s = r->s;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice body = slice_mem(r->body, r->n), stamp = arena_printf(a, "%lld", (long long)(time_now_ms() / 1000));
    struct text base = text_new(a, r->n + 64);
    text_add(&base, "v0:" SLF ":", SLA(stamp));
    text_put(&base, body);
    slice signature = arena_printf(a, "v0=" SLF, SLA(sign_hmac_sha256_hex(a, s->signing_secret, text_slice(&base))));
    struct header headers[] = {
        { SL("X-Slack-Signature"), signature },
        { SL("X-Slack-Request-Timestamp"), stamp },
        { SL("Content-Type"), slice_of(r->type) },
        { SL("User-Agent"), SL("Slackbot 1.0 (+https://api.slack.com/robots)") },
        { SL("X-Slack-Retry-Num"), arena_printf(a, "%u", r->tries) },
        { SL("X-Slack-Retry-Reason"), slice_of(r->reason ? r->reason : "") },
    };
    enum { PLAIN = 4 };
    r->tries++;
    webhook_send(s->env, &(struct webhook){ .lane = slice_of(r->lane), .url = arena_printf(a, SLF "/slack", SLA(s->env->hub)), .headers = headers,
                                            .n_headers = r->tries > 1 ? COUNT(headers) : PLAIN, .signature = 0, .body = body, .timeout_ms = SSK_HOOK_MS,
                                            .attempt = (int)r->tries, .done = sent, .arg = r });
}

static struct ssk_request *request_new(struct ssk *s, slice lane, slice type, slice body)
{
    struct ssk_request *r = must_calloc(1, sizeof(*r));
    r->s = s;
    r->lane = ssk_copy(lane);
    r->type = ssk_copy(type);
    r->body = ssk_copy(body);
    r->n = body.n;
    r->next = s->requests;
    if (r->next)
        r->next->prev = r;
    s->requests = r;
    return r;
}

void ssk_raw_send(struct ssk *s, slice lane, slice type, slice body, bool retry)
{
    if (!s->env->hub.n || s->env->stopping)
        return;
    struct ssk_request *r = request_new(s, lane, type, body);
    r->event = true;
    s->events++;
    if (retry) { /* as if the first had not been answered in time */
        r->tries = 1;
        r->reason = "http_timeout";
    }
    request_send(r);
}

void ssk_event_again(struct ssk *s)
{
    if (s->last_body)
        ssk_raw_send(s, SLICE_NONE, slice_of(s->last_type), slice_of(s->last_body), true);
}

void ssk_event_send(struct ssk_space *space, struct ssk_chat *chat, slice event)
{
    struct ssk *s = space->sim;
    if (!space->token)
        return; /* nobody has let the app in */
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, SSK_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "token", SL("deprecated-verification-token"));
    jw_str(&w, "team_id", slice_of(space->id));
    jw_str(&w, "context_team_id", slice_of(space->id));
    if (space->in_organisation)
        jw_str(&w, "enterprise_id", SL(SSK_ENTERPRISE));
    jw_str(&w, "api_app_id", s->app);
    jw_raw(&w, "event", event);
    jw_str(&w, "type", SL("event_callback"));
    jw_str(&w, "event_id", ssk_id(s, a, "Ev0"));
    jw_int(&w, "event_time", time_now_ms() / 1000);
    jw_open(&w, "authorizations", '[');
    jw_open(&w, NULL, '{');
    if (space->in_organisation)
        jw_str(&w, "enterprise_id", SL(SSK_ENTERPRISE));
    else
        jw_null(&w, "enterprise_id");
    if (space->whole)
        jw_null(&w, "team_id");
    else
        jw_str(&w, "team_id", slice_of(space->id));
    jw_str(&w, "user_id", slice_of(space->bot_user));
    jw_bool(&w, "is_bot", true);
    jw_bool(&w, "is_enterprise_install", space->whole);
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_bool(&w, "is_ext_shared_channel", false);
    jw_close(&w, '}');
    slice body = jw_done(&w);
    ssk_set(&s->last_body, body);
    ssk_set(&s->last_type, SL("application/json"));
    ssk_raw_send(s, chat ? slice_of(chat->id) : SLICE_NONE, SL("application/json"), body, false);
}

void ssk_payload_send(struct ssk *s, slice lane, slice payload, void (*answered)(void *arg, int status, slice body), void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text form = text_new(a, payload.n * 3 + 64);
    form_add(&form, SL("payload"), payload);
    if (!s->env->hub.n) {
        if (answered)
            answered(arg, 0, SLICE_NONE);
        return;
    }
    struct ssk_request *r = request_new(s, lane, SL("application/x-www-form-urlencoded"), text_slice(&form));
    r->answered = answered;
    r->arg = arg;
    request_send(r);
}

void ssk_form_send(struct ssk *s, slice lane, slice form)
{
    if (s->env->hub.n)
        request_send(request_new(s, lane, SL("application/x-www-form-urlencoded"), form));
}
