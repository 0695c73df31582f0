/* line_event.c - webhooks: section "Inbound webhook". */
#include "sim/line.h"
#include "sim/sign.h"
#include "sim/webhook.h"

enum { BATCH_BYTES = 1 << 20, REDELIVERIES_MAX = 8, REDELIVERY_LONGEST_MS = 60000 };

struct reply_token {
    struct chat *chat;
    int64_t made_ms, minute_ms; /* monotonic: when the event happened; when the running minute began */
    bool used;
};

/* A webhook that was sent, until the hub took it or nobody tries any more. */
struct sent {
    struct line *line;
    struct sent *next, **here; /* all of them */
    struct arena *a;
    slice url, lane, body;
    bool bad_signature;
    slice tokens[COUNT(((struct line_batch *)0)->tokens)];
    size_t n_tokens;
    int attempt;
    struct loop_timer timer;
    void (*done)(void *, int, int64_t);
    void *arg;
};

/* 48 bits of time and 80 random ones in Crockford's base 32. */
static slice ulid(struct line *l, struct arena *a, int64_t at_ms)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char *p = arena_alloc(a, 27);
    for (int i = 9; i >= 0; i--, at_ms >>= 5)
        p[i] = digits[at_ms & 31];
    for (int i = 10; i < 26; i++)
        p[i] = digits[sim_random_next(&l->env->random) >> 59];
    p[26] = 0;
    return slice_mem(p, 26);
}

struct line_batch *line_batch_new(struct line *l)
{
    struct arena *a = arena_new();
    struct line_batch *b = ARENA_NEW(a, struct line_batch);
    b->line = l;
    b->a = a;
    b->w = jw_new(a, BATCH_BYTES);
    return b;
}

static void reply_token_add(struct line *l, slice name, struct chat *c)
{
    struct reply_token *t = must_calloc(1, sizeof(*t));
    t->chat = c;
    t->made_ms = t->minute_ms = time_mono_ms();
    shelf_put(l->reply_tokens, name, t, t->made_ms);
}

static slice reply_token_new(struct line_batch *b, struct chat *c)
{
    struct line *l = b->line;
    slice name = sim_random_hex(&l->env->random, b->a, 32);
    reply_token_add(l, name, c);
    if (b->n_tokens < COUNT(b->tokens))
        b->tokens[b->n_tokens++] = name;
    return name;
}

void line_event_open(struct line_batch *b, const char *type, const struct chat *where, const struct chat *who, bool reply_token)
{
    struct jw *w = &b->w;
    int64_t now_ms = time_now_ms();
    if (b->n++ == 0) {
        jw_open(w, NULL, '{');
        jw_str(w, "destination", slice_or(b->destination, b->line->destination));
        jw_open(w, "events", '[');
    }
    b->line->events_made++;
    b->last_event_id = ulid(b->line, b->a, now_ms);
    jw_open(w, NULL, '{');
    jw_str(w, "type", slice_of(type));
    jw_str(w, "mode", b->standby ? SL("standby") : SL("active"));
    jw_int(w, "timestamp", now_ms);
    jw_str(w, "webhookEventId", b->last_event_id);
    jw_open(w, "deliveryContext", '{');
    jw_bool(w, "isRedelivery", false);
    jw_close(w, '}');
    if (where) {
        static const char *const kinds[] = { [CHAT_USER] = "user", [CHAT_GROUP] = "group", [CHAT_ROOM] = "room" };
        static const char *const ids[] = { [CHAT_USER] = "userId", [CHAT_GROUP] = "groupId", [CHAT_ROOM] = "roomId" };
        jw_open(w, "source", '{');
        jw_str(w, "type", slice_of(kinds[where->kind]));
        jw_str(w, ids[where->kind], slice_of(where->id));
        if (where->kind != CHAT_USER && who)
            jw_str(w, "userId", slice_of(who->id));
        jw_close(w, '}');
        if (!b->lane.n)
            b->lane = slice_of(where->id);
    }
    b->last_reply_token = SLICE_NONE;
    if (reply_token && where && !b->standby) {
        b->last_reply_token = reply_token_new(b, b->line->chats[where->number - 1]);
        jw_str(w, "replyToken", b->last_reply_token);
    }
}

void line_event_close(struct line_batch *b)
{
    jw_close(&b->w, '}');
}

/* ---- sending ------------------------------------------------------------------------------------------------------------------------ */

static void sent_free(struct sent *s)
{
    *s->here = s->next;
    if (s->next)
        s->next->here = s->here;
    loop_timer_done(&s->timer);
    arena_free(s->a);
}

static void post(struct sent *s);

/* The same bytes but for the flag; no text can hold these characters unescaped. */
static void mark_redelivery(struct sent *s)
{
    slice flag = SL("\"isRedelivery\":false");
    struct text t = text_new(s->a, s->body.n);
    slice rest = s->body;
    for (size_t at; (at = slice_find(rest, flag)) != SIZE_MAX; rest = slice_from(rest, at + flag.n)) {
        text_put(&t, slice_sub(rest, 0, at));
        text_put(&t, SL("\"isRedelivery\":true"));
    }
    text_put(&t, rest);
    s->body = text_slice(&t);
}

static void again(void *arg)
{
    struct sent *s = arg;
    int64_t now_ms = time_mono_ms();
    for (size_t i = 0; i < s->n_tokens; i++) {
        struct reply_token *t = shelf_get(s->line->reply_tokens, s->tokens[i]);
        if (t)
            t->minute_ms = now_ms;
    }
    post(s);
}

static void posted(void *arg, const struct webhook_result *r)
{
    struct sent *s = arg;
    struct line *l = s->line;
    bool good = r->status >= 200 && r->status < 300;
    if (s->done) {
        s->done(s->arg, r->status, r->took_ms);
        s->done = NULL;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_int(&w, "status", r->status);
    jw_int(&w, "took_ms", r->took_ms);
    jw_int(&w, "attempt", s->attempt);
    jw_bool(&w, "timed_out", r->timed_out);
    jw_opt(&w, "error", r->error);
    jw_close(&w, '}');
    feed_send(l->env->feed, "webhook", jw_done(&w));
    if (good || !l->redelivery || s->attempt > REDELIVERIES_MAX) {
        sent_free(s);
        return;
    }
    if (s->attempt == 1)
        mark_redelivery(s);
    int64_t in_ms = l->redelivery_ms << (s->attempt - 1);
    loop_timer_start(l->env->loop, &s->timer, MIN(in_ms, REDELIVERY_LONGEST_MS), again, s);
}

enum { HEADERS = 3 };

static struct webhook signed_webhook(struct arena *a, slice key, slice lane, slice url, slice body)
{
    struct header *headers = ARENA_ARRAY(a, struct header, HEADERS);
    headers[0] = (struct header){ SL("Content-Type"), SL("application/json; charset=utf-8") };
    headers[1] = (struct header){ SL("X-Line-Signature"), sign_hmac_sha256_base64(a, key, body) };
    headers[2] = (struct header){ SL("User-Agent"), SL("LineBotWebhook/2.0") };
    return (struct webhook){ .lane = lane, .url = url, .headers = headers, .n_headers = HEADERS, .signature = 1, .body = body,
                             .timeout_ms = LINE_WEBHOOK_MS };
}

static void post(struct sent *s)
{
    struct line *l = s->line;
    slice key = s->bad_signature ? SL("not the channel secret at all") : l->channel_secret;
    struct webhook w = signed_webhook(s->a, key, s->lane, s->url, s->body);
    w.attempt = ++s->attempt;
    w.done = posted;
    w.arg = s;
    webhook_send(l->env, &w);
}

bool line_webhook(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f)
{
    struct line *l = env->state;
    const struct js *doc = js_parse(a, body, f), *events = doc ? js_at(doc, "events") : NULL;
    slice lane = SLICE_NONE, url = slice_of(l->webhook_url);
    if (!doc || !js_is_array(events))
        return doc && fault(f, "missing_field", "events", "a webhook has a list of events");
    if (!url.n)
        return fault(f, "no_webhook", "", "no webhook URL is set");
    for (size_t i = 0; i < js_len(events); i++) {
        const struct js *event = js_item(events, i);
        slice token = js_text(js_at(event, "replyToken")), user = js_text(js_at(event, "source.userId"));
        struct chat *who = line_stranger(l, user);
        if (token.n && who && !shelf_get(l->reply_tokens, token))
            reply_token_add(l, token, who);
        lane = lane.n ? lane : user;
    }
    *ret = signed_webhook(a, l->channel_secret, lane, url, webhook_put(a, body, "destination", l->destination));
    return true;
}

void line_batch_send(struct line_batch *b, void (*done)(void *, int, int64_t), void *arg)
{
    struct line *l = b->line;
    if (b->n == 0) { /* the console's "Verify" */
        jw_open(&b->w, NULL, '{');
        jw_str(&b->w, "destination", slice_or(b->destination, l->destination));
        jw_open(&b->w, "events", '[');
    }
    jw_close(&b->w, ']');
    jw_close(&b->w, '}');
    slice url = slice_or(b->url, slice_of(l->webhook_url));
    if (!url.n || l->env->stopping) {
        if (done)
            done(arg, 0, 0);
        arena_free(b->a);
        return;
    }
    struct sent *s = ARENA_NEW(b->a, struct sent);
    *s = (struct sent){ .line = l, .a = b->a, .url = arena_dup(b->a, url), .lane = b->lane, .body = jw_done(&b->w),
                        .bad_signature = b->bad_signature, .n_tokens = b->n_tokens, .done = done, .arg = arg };
    memcpy(s->tokens, b->tokens, sizeof(s->tokens));
    s->next = l->redelivering;
    s->here = &l->redelivering;
    if (s->next)
        s->next->here = &s->next;
    l->redelivering = s;
    post(s);
}

void line_events_done(struct line *l)
{
    while (l->redelivering)
        sent_free(l->redelivering);
}

bool line_reply_token_use(struct line *l, slice name, struct chat **ret)
{
    struct reply_token *t = shelf_get(l->reply_tokens, name);
    int64_t now_ms = time_mono_ms();
    if (!t || t->used || now_ms - t->minute_ms > LINE_REPLY_TOKEN_MS || now_ms - t->made_ms > LINE_REPLY_TOKEN_LAST_MS)
        return false;
    t->used = true;
    l->reply_tokens_used++;
    *ret = t->chat;
    return true;
}
