/* apple_hook.c - what guests do, on its way to the hub: section "Messages in". One at a time for each guest; what is refused is sent again. */
#include "sim/apple.h"
#include "sim/sign.h"
#include "sim/webhook.h"
#include "wire/gzip.h"

enum { HEADERS = 8, SIGNATURE = 0 };

static void next_event(struct sam_chat *chat);

static void on_time(void *arg)
{
    next_event(arg);
}

static void event_free_first(struct sam_chat *chat)
{
    struct sam_event *e = chat->waiting;
    chat->waiting = e->next;
    free(e->id);
    free(e->caps);
    free(e->body);
    free(e);
}

static void sent(void *arg, const struct webhook_result *r)
{
    struct sam_chat *chat = arg;
    struct sam *s = chat->sim;
    chat->sending = false;
    if (r->status == 200) {
        s->taken++;
        event_free_first(chat);
        next_event(chat);
        return;
    }
    s->refused++;
    loop_timer_start(s->env->loop, &chat->timer, MIN(s->retry_ms << MIN(chat->waiting->attempt - 1, 10u), (int64_t)SAM_RETRY_MOST_MS), on_time, chat);
}

static slice token(const struct sam *s, struct arena *a)
{
    slice claims = arena_printf(a, "{\"aud\":\"" SLF "\",\"iat\":%lld}", SLA(s->msp_id), (long long)(time_now_ms() / 1000));
    slice text = arena_printf(a, SLF "." SLF, SLA(sign_base64url(a, SL("{\"alg\":\"HS256\"}"))), SLA(sign_base64url(a, claims)));
    slice mac = sign_unbase64(a, sign_hmac_sha256_base64(a, s->secret, text));
    return arena_printf(a, "Bearer " SLF "." SLF, SLA(text), SLA(sign_base64url(a, mac)));
}

/* headers: room for HEADERS of them. */
static struct webhook packed(const struct sam *s, struct arena *a, struct header *headers, slice guest, slice id, slice caps, slice body)
{
    const struct header all[HEADERS] = {
        [SIGNATURE] = { SL("authorization"), token(s, a) },
        { SL("content-type"), SL("application/json") },
        { SL("content-encoding"), SL("gzip") },
        { SL("id"), id },
        { SL("source-id"), guest },
        { SL("destination-id"), s->business },
        { SL("capability-list"), caps },
        { SL("device-agent"), SL("iPhone OS") },
    };
    memcpy(headers, all, sizeof(all));
    return (struct webhook){ .lane = guest, .url = arena_printf(a, SLF "/amb/message", SLA(s->env->hub)), .headers = headers, .n_headers = HEADERS,
                             .signature = SIGNATURE, .body = gzip_pack(a, body), .timeout_ms = SAM_WEBHOOK_MS };
}

bool sam_webhook(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f)
{
    struct sam *s = env->state;
    const struct js *doc = js_parse(a, body, f);
    slice guest = js_text(js_at(doc, "sourceId")), id = js_text(js_at(doc, "id"));
    if (!doc)
        return false;
    if (!guest.n || !id.n)
        return fault(f, "missing_field", guest.n ? "id" : "sourceId", "who, and which message");
    body = webhook_put(a, body, "destinationId", s->business);
    *ret = packed(s, a, ARENA_ARRAY(a, struct header, HEADERS), guest, id, s->caps, body);
    return true;
}

static void next_event(struct sam_chat *chat)
{
    struct sam *s = chat->sim;
    struct sam_event *e = chat->waiting;
    if (!e || chat->sending || !s->env->hub.n || s->env->stopping)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct header headers[HEADERS];
    e->attempt++;
    chat->sending = true;
    struct webhook w = packed(s, a, headers, slice_of(chat->id), slice_of(e->id), slice_of(e->caps), slice_of(e->body));
    w.attempt = (int)e->attempt;
    w.done = sent;
    w.arg = chat;
    webhook_send(s->env, &w);
}

void sam_event_send(struct sam_chat *chat, slice id, slice caps, slice body)
{
    struct sam *s = chat->sim;
    struct sam_event *e = must_calloc(1, sizeof(*e));
    *e = (struct sam_event){ .id = sam_copy(id), .caps = sam_copy(caps), .body = sam_copy(body) };
    *(chat->waiting ? chat->waiting_last : &chat->waiting) = e;
    chat->waiting_last = &e->next;
    char *last_id = sam_copy(id), *last_body = sam_copy(body); /* they may be the old ones, sent again */
    free(s->last_id);
    free(s->last_body);
    s->last_id = last_id;
    s->last_body = last_body;
    s->last_chat = chat;
    next_event(chat);
}

void sam_events_done(struct sam *s)
{
    for (size_t i = 0; i < s->n_chats; i++) {
        loop_timer_done(&s->chats[i].timer);
        while (s->chats[i].waiting)
            event_free_first(&s->chats[i]);
    }
}
