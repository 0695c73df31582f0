/* telegram_hook.c - updates on their way: section "Webhook". One at a time for each chat; what fails is sent again and holds back those
 * behind it: at once, then after 2, 4, 8 … s. */
#include "sim/feed.h"
#include "sim/telegram.h"
#include "sim/webhook.h"

static void next_update(struct stg_chat *chat);

static void on_time(void *arg)
{
    next_update(arg);
}

static void update_free_first(struct stg_chat *chat)
{
    struct stg_update *u = chat->waiting;
    chat->waiting = u->next;
    chat->n_waiting--;
    free(u);
}

/* HTTP 410 for 23 hours on end takes the webhook away. */
static void note_gone(struct stg *s, int status)
{
    int64_t now_ms = time_mono_ms();
    if (status != 410)
        s->gone_since_ms = 0;
    else if (!s->gone_since_ms)
        s->gone_since_ms = now_ms;
    else if (now_ms - s->gone_since_ms > STG_GONE_MS) {
        free(s->url);
        s->url = NULL;
    }
}

static void sent(void *arg, const struct webhook_result *r)
{
    struct stg_chat *chat = arg;
    struct stg *s = chat->sim;
    struct stg_update *u = chat->waiting;
    bool good = r->status >= 200 && r->status < 300;
    char told[64];
    chat->sending = false;
    note_gone(s, r->status);
    snprintf(told, sizeof(told), "{\"status\":%d,\"took_ms\":%lld}", r->status, (long long)r->took_ms);
    feed_send(s->env->feed, "update", slice_of(told));
    if (good) {
        s->taken++;
        update_free_first(chat);
        if (r->body.n)
            stg_api_reply(s, r->body);
        next_update(chat);
        return;
    }
    s->refused++;
    free(s->last_error);
    snprintf(told, sizeof(told), r->status ? "Wrong response from the webhook: %d" : "Connection failed", r->status);
    s->last_error = stg_copy(slice_of(told));
    int64_t wait_ms = u->attempt == 1 ? 1 : s->retry_ms << MIN(u->attempt - 2, 10u);
    loop_timer_start(s->env->loop, &chat->timer, MIN(wait_ms, (int64_t)STG_RETRY_MOST_MS), on_time, chat);
}

enum { HEADERS = 2 };

/* headers: room for HEADERS of them. */
static struct webhook signed_webhook(const struct stg *s, struct header *headers, slice lane, slice body)
{
    bool secret = s->secret && *s->secret;
    headers[0] = (struct header){ SL("Content-Type"), SL("application/json") };
    headers[1] = (struct header){ SL("X-Telegram-Bot-Api-Secret-Token"), slice_of(s->secret ? s->secret : "") };
    return (struct webhook){ .lane = lane, .url = slice_of(s->url), .headers = headers, .n_headers = secret ? HEADERS : HEADERS - 1,
                             .signature = secret ? HEADERS - 1 : -1, .body = body, .timeout_ms = STG_WEBHOOK_MS };
}

bool stg_webhook(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f)
{
    struct stg *s = env->state;
    const struct js *doc = js_parse(a, body, f);
    if (!doc)
        return false;
    if (!s->url)
        return fault(f, "no_webhook", "", "no webhook URL is set");
    slice lane = slice_or(js_raw(body, "message.chat.id"), js_raw(body, "callback_query.from.id"));
    *ret = signed_webhook(s, ARENA_ARRAY(a, struct header, HEADERS), lane, body);
    return true;
}

static void next_update(struct stg_chat *chat)
{
    struct stg *s = chat->sim;
    struct stg_update *u = chat->waiting;
    if (!u || chat->sending || !s->url || s->env->stopping)
        return;
    char lane[32];
    struct header headers[HEADERS];
    snprintf(lane, sizeof(lane), "%lld", (long long)chat->id);
    u->attempt++;
    chat->sending = true;
    struct webhook w = signed_webhook(s, headers, slice_of(lane), slice_mem(u->body, u->n));
    w.attempt = (int)u->attempt;
    w.done = sent;
    w.arg = chat;
    webhook_send(s->env, &w);
}

void stg_update_again(struct stg_chat *chat, slice body)
{
    struct stg *s = chat->sim;
    if (chat->n_waiting >= STG_UPDATES_KEPT)
        return;
    struct stg_update *u = must_calloc(1, sizeof(*u) + body.n);
    u->n = body.n;
    memcpy(u->body, body.p, body.n);
    *(chat->waiting ? chat->waiting_last : &chat->waiting) = u;
    chat->waiting_last = &u->next;
    chat->n_waiting++;
    s->updates++;
    next_update(chat);
}

static bool is_allowed(const struct stg *s, const char *type)
{
    if (!s->allowed)
        return strcmp(type, "chat_member") != 0 && strcmp(type, "message_reaction") != 0;
    char quoted[64];
    snprintf(quoted, sizeof(quoted), "\"%s\"", type);
    return strstr(s->allowed, quoted) != NULL;
}

void stg_update_send(struct stg_chat *chat, const char *type, slice json)
{
    struct stg *s = chat->sim;
    if (!is_allowed(s, type))
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_int(&w, "update_id", s->next_update++);
    jw_raw(&w, type, json);
    jw_close(&w, '}');
    slice body = jw_done(&w);
    free(s->last_update);
    s->last_update = stg_copy(body);
    s->last_chat = chat;
    stg_update_again(chat, body);
}

void stg_updates_done(struct stg *s)
{
    for (size_t i = 0; i < s->n_chats; i++) {
        loop_timer_done(&s->chats[i].timer);
        while (s->chats[i].waiting)
            update_free_first(&s->chats[i]);
    }
}
