/* teams_hook.c - activities on their way to the hub, each with a token of its own; sent again when the hub is not there. */
#include "sim/feed.h"
#include "sim/teams.h"
#include "sim/webhook.h"

struct stm_flight {
    struct stm_flight *next, *prev;
    struct stm_chat *chat;
    enum stm_kind kind;
    char *body, *forge; /* forge NULL: the token is right */
    int tries;
    struct loop_timer timer;
};

static void flight_free(struct stm_flight *fl)
{
    *(fl->prev ? &fl->prev->next : &fl->chat->sim->flights) = fl->next;
    if (fl->next)
        fl->next->prev = fl->prev;
    loop_timer_done(&fl->timer);
    free(fl->body);
    free(fl->forge);
    free(fl);
}

static void send(void *arg);

/* What the client shows of an invoke: its answer, or "Something went wrong". */
static void keep_answer(struct stm_chat *chat, const struct webhook_result *r)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 1 << 20);
    const struct js *doc = r->body.n ? js_parse(a, r->body, NULL) : NULL;
    jw_open(&w, NULL, '{');
    jw_int(&w, "status", r->status);
    if (doc)
        jw_value(&w, "body", doc);
    jw_close(&w, '}');
    free(chat->invoke);
    chat->invoke = stm_copy(jw_done(&w));
    stm_changed(chat->sim);
}

static void sent(void *arg, const struct webhook_result *r)
{
    struct stm_flight *fl = arg;
    struct stm *s = fl->chat->sim;
    bool good = r->status >= 200 && r->status < 300;
    char told[80];
    snprintf(told, sizeof(told), "{\"status\":%d,\"took_ms\":%lld}", r->status, (long long)r->took_ms);
    feed_send(s->env->feed, "activity", slice_of(told));
    *(good ? &s->taken : &s->refused) += 1;
    if (fl->kind == STM_INVOKE)
        keep_answer(fl->chat, r);
    bool again = fl->kind == STM_MESSAGE && (r->status == 0 || r->status >= 500) && fl->tries < s->tries && !s->env->stopping;
    if (again)
        loop_timer_start(s->env->loop, &fl->timer, s->retry_ms, send, fl);
    else
        flight_free(fl);
}

static void send(void *arg)
{
    struct stm_flight *fl = arg;
    struct stm *s = fl->chat->sim;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct header headers[] = {
        { SL("Authorization"), stm_bearer(s, a, fl->forge) },
        { SL("Content-Type"), SL("application/json; charset=utf-8") },
        { SL("User-Agent"), SL("Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)") },
    };
    fl->tries++;
    webhook_send(s->env, &(struct webhook){ .lane = slice_of(fl->chat->conversation), .url = arena_printf(a, SLF "/teams", SLA(s->env->hub)),
                                            .headers = headers, .n_headers = COUNT(headers), .signature = 0, .body = slice_of(fl->body),
                                            .timeout_ms = fl->kind == STM_INVOKE ? STM_INVOKE_MS : STM_WEBHOOK_MS, .attempt = fl->tries,
                                            .done = sent, .arg = fl });
}

void stm_activity_send(struct stm_chat *chat, slice json, enum stm_kind kind, const char *forge)
{
    struct stm *s = chat->sim;
    if (!s->env->hub.n || s->env->stopping)
        return;
    struct stm_flight *fl = must_calloc(1, sizeof(*fl));
    *fl = (struct stm_flight){ .chat = chat, .kind = kind, .body = stm_copy(json), .forge = forge ? stm_copy(slice_of(forge)) : NULL, .next = s->flights };
    if (fl->next)
        fl->next->prev = fl;
    s->flights = fl;
    s->activities++;
    send(fl);
}

void stm_flights_done(struct stm *s)
{
    while (s->flights)
        flight_free(s->flights);
}
