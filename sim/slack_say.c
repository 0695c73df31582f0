/* slack_say.c - what members say and do in a conversation, and the event each of it makes. */
#include "sim/draw.h"
#include "sim/shelf.h"
#include "sim/sign.h"
#include "sim/slack.h"

static const char *type_of(const struct ssk_chat *chat)
{
    return chat->guest ? "im" : "channel";
}

struct ssk_message *ssk_newest(const struct ssk_deed *t, bool own)
{
    struct ssk_message *found = NULL;
    slice ts = js_text(js_at(t->what, "ts"));
    for (struct ssk_message *m = t->chat->first; m; m = m->next)
        if (ts.n ? slice_eq(slice_of(m->ts), ts) : !own || !m->from_bot)
            found = m;
    return found;
}

/* ---- messages ------------------------------------------------------------------------------------------------------------------- */

/* "thread": a ts, or "last": that of the newest message. */
static slice thread_of(const struct ssk_deed *t)
{
    slice thread = js_text(js_at(t->what, "thread"));
    if (!slice_eq(thread, SL("last")))
        return thread;
    const struct ssk_message *m = t->chat->first, *last = m;
    for (; m; m = m->next)
        last = m;
    return !last ? SLICE_NONE : slice_of(last->thread[0] ? last->thread : last->ts);
}

static slice with_mention(const struct ssk_deed *t, slice text)
{
    size_t at = slice_find(text, SL("@app"));
    if (at == SIZE_MAX)
        return text;
    return arena_printf(t->a, SLF "<@%s>" SLF, SLA(slice_sub(text, 0, at)), t->who->space->bot_user, SLA(slice_from(text, at + 4)));
}

static struct jw message_open(struct ssk_deed *t, slice thread)
{
    struct jw w = jw_new(t->a, SSK_JSON_MAX);
    t->ts = ssk_ts(t->s, t->a);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", SL("message"));
    jw_str(&w, "user", slice_of(t->who->id));
    jw_str(&w, "ts", t->ts);
    jw_str(&w, "client_msg_id", sim_random_uuid(&t->s->env->random, t->a));
    jw_str(&w, "team", slice_of(t->who->space->id));
    if (thread.n) {
        jw_str(&w, "thread_ts", thread);
        jw_str(&w, "parent_user_id", slice_of(t->who->id));
    }
    return w;
}

/* A message event is the message, and where it happened. */
static slice event_of(struct ssk_deed *t, slice json)
{
    return arena_printf(t->a, SLF ",\"channel\":\"%s\",\"channel_type\":\"%s\",\"event_ts\":\"" SLF "\"}", SLA(slice_sub(json, 0, json.n - 1)), t->chat->id,
                        type_of(t->chat), SLA(t->ts));
}

static bool message_close(struct ssk_deed *t, struct jw *w, slice thread)
{
    jw_close(w, '}');
    slice json = jw_done(w);
    ssk_message_add(t->chat, t->ts, thread, false, json);
    ssk_event_send(t->who->space, t->chat, event_of(t, json));
    return true;
}

bool ssk_do_text(struct ssk_deed *t)
{
    enum { TEXT_MAX = 12000 };
    slice text = with_mention(t, js_text(js_at(t->what, "text"))), thread = thread_of(t);
    if (!text.n || utf8_len(text) > TEXT_MAX)
        return fault(t->f, "out_of_range", "text", "a text of 1 to %d characters", TEXT_MAX);
    struct jw w = message_open(t, thread);
    jw_str(&w, "text", text);
    jw_raw(&w, "blocks", SL("[{\"type\":\"rich_text\",\"block_id\":\"x\",\"elements\":[]}]"));
    message_close(t, &w, thread);
    bool mention = !t->chat->guest && slice_find(text, arena_printf(t->a, "<@%s>", t->who->space->bot_user)) != SIZE_MAX;
    if (mention) { /* the same once more, as another event */
        struct jw m = jw_new(t->a, SSK_JSON_MAX);
        jw_open(&m, NULL, '{');
        jw_str(&m, "type", SL("app_mention"));
        jw_str(&m, "user", slice_of(t->who->id));
        jw_str(&m, "ts", t->ts);
        jw_str(&m, "text", text);
        jw_str(&m, "channel", slice_of(t->chat->id));
        jw_str(&m, "event_ts", t->ts);
        jw_opt(&m, "thread_ts", thread);
        jw_close(&m, '}');
        ssk_event_send(t->who->space, t->chat, jw_done(&m));
    }
    return true;
}

bool ssk_do_file(struct ssk_deed *t)
{
    slice base64 = js_text(js_at(t->what, "base64")), type = sim_text(t->what, "contentType", base64.p ? "application/octet-stream" : "image/png");
    slice bytes = base64.p ? sign_unbase64(t->a, base64) : draw_scene(t->a, 640, 480, 1), thread = thread_of(t);
    if (!bytes.p)
        return fault(t->f, "wrong_type", "base64", "the bytes as Base64");
    struct ssk_file *f = must_calloc(1, sizeof(*f));
    snprintf(f->id, sizeof(f->id), SLF, SLA(ssk_id(t->s, t->a, "F0")));
    snprintf(f->name, sizeof(f->name), SLF, SLA(utf8_cut_bytes(sim_text(t->what, "name", "picture.png"), sizeof(f->name) - 1)));
    snprintf(f->type, sizeof(f->type), SLF, SLA(utf8_cut_bytes(type, sizeof(f->type) - 1)));
    snprintf(f->space, sizeof(f->space), "%s", t->who->space->id);
    f->bytes = ssk_copy(bytes);
    f->size = (int64_t)bytes.n;
    f->external = slice_eq(sim_text(t->what, "mode", ""), SL("external"));
    f->uploaded = f->shared = true;
    shelf_put(t->s->files, slice_of(f->id), f, 0);
    struct jw w = message_open(t, thread);
    jw_str(&w, "subtype", SL("file_share"));
    jw_str(&w, "text", sim_text(t->what, "text", ""));
    jw_open(&w, "files", '[');
    slice access = sim_text(t->what, "file_access", "");
    if (access.n) { /* of a shared channel: nothing but the id */
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", slice_of(f->id));
        jw_str(&w, "mode", SL("file_access"));
        jw_str(&w, "file_access", access);
        jw_close(&w, '}');
    } else {
        ssk_put_file(&w, t->s, f, slice_of(t->who->id));
    }
    jw_close(&w, ']');
    jw_bool(&w, "upload", false);
    return message_close(t, &w, thread);
}

/* message_changed and message_deleted name the message they are about, and have a time of their own. */
static void change(struct ssk_deed *t, const char *subtype, slice message, slice previous)
{
    struct jw w = jw_new(t->a, SSK_JSON_MAX);
    slice own = ssk_ts(t->s, t->a);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", SL("message"));
    jw_str(&w, "subtype", slice_of(subtype));
    jw_bool(&w, "hidden", true);
    jw_str(&w, "channel", slice_of(t->chat->id));
    jw_str(&w, "channel_type", slice_of(type_of(t->chat)));
    jw_str(&w, "ts", own);
    jw_str(&w, "event_ts", own);
    if (message.n)
        jw_raw(&w, "message", message);
    else
        jw_str(&w, "deleted_ts", t->ts);
    jw_raw(&w, "previous_message", previous);
    jw_close(&w, '}');
    ssk_event_send(t->who->space, t->chat, jw_done(&w));
}

static slice rewritten(struct ssk_deed *t, const struct ssk_message *m, slice text, bool edited)
{
    const struct js *was = js_parse(t->a, slice_of(m->json), NULL);
    struct jw w = jw_new(t->a, SSK_JSON_MAX);
    jw_open(&w, NULL, '{');
    for (void *it = js_first(was); it; it = js_next(was, it)) {
        slice key = js_key(was, it);
        if (slice_eq(key, SL("text")) || slice_eq(key, SL("edited")))
            continue;
        jw_key(&w, key);
        jw_value(&w, NULL, js_value(it));
    }
    jw_str(&w, "text", text.p ? text : js_text(js_at(was, "text")));
    if (edited)
        jw_raw(&w, "edited", arena_printf(t->a, "{\"user\":\"%s\",\"ts\":\"" SLF "\"}", t->who->id, SLA(ssk_ts(t->s, t->a))));
    else
        jw_raw(&w, "attachments", SL("[{\"from_url\":\"https://example.com\",\"fallback\":\"Example\"}]"));
    jw_close(&w, '}');
    return jw_done(&w);
}

bool ssk_do_edit(struct ssk_deed *t)
{
    struct ssk_message *m = ssk_newest(t, true);
    bool edited = slice_eq(sim_text(t->what, "type", ""), SL("edit"));
    if (!m)
        return fault(t->f, "not_found", "ts", "no message of the guest's");
    slice previous = arena_dup(t->a, slice_of(m->json)), now = rewritten(t, m, edited ? sim_text(t->what, "text", "edited") : SLICE_NONE, edited);
    t->ts = slice_of(m->ts);
    ssk_message_replace(m, now);
    ssk_changed(t->s);
    change(t, "message_changed", now, previous);
    return true;
}

bool ssk_do_delete(struct ssk_deed *t)
{
    struct ssk_message *m = ssk_newest(t, true);
    if (!m)
        return fault(t->f, "not_found", "ts", "no message of the guest's");
    slice previous = arena_dup(t->a, slice_of(m->json));
    t->ts = arena_dup(t->a, slice_of(m->ts));
    ssk_message_remove(t->chat, t->ts);
    ssk_changed(t->s);
    change(t, "message_deleted", SLICE_NONE, previous);
    return true;
}

bool ssk_do_react(struct ssk_deed *t)
{
    struct ssk_message *m = ssk_newest(t, false);
    if (!m)
        return fault(t->f, "not_found", "ts", "no message");
    t->ts = slice_of(m->ts);
    ssk_event_send(t->who->space, t->chat,
                   arena_printf(t->a, "{\"type\":\"reaction_added\",\"user\":\"%s\",\"reaction\":\"" SLF "\",\"item\":{\"type\":\"message\",\"channel\":\"%s\",\"ts\":\"%s\"},"
                                      "\"event_ts\":\"" SLF "\"}", t->who->id, SLA(sim_text(t->what, "reaction", "thumbsup")), t->chat->id, m->ts, SLA(ssk_ts(t->s, t->a))));
    return true;
}

bool ssk_do_home(struct ssk_deed *t)
{
    t->ts = ssk_ts(t->s, t->a);
    ssk_event_send(t->who->space, t->chat, arena_printf(t->a, "{\"type\":\"app_home_opened\",\"user\":\"%s\",\"channel\":\"%s\",\"tab\":\"messages\",\"event_ts\":\"" SLF "\"}",
                                                        t->who->id, t->who->chat.id, SLA(t->ts)));
    return true;
}

/* A thread of the assistant is a message of ours to begin with. */
bool ssk_do_assistant(struct ssk_deed *t)
{
    t->ts = ssk_ts(t->s, t->a);
    ssk_message_add(&t->who->chat, t->ts, SLICE_NONE, true,
                    arena_printf(t->a, "{\"type\":\"message\",\"ts\":\"" SLF "\",\"text\":\"New assistant thread\"}", SLA(t->ts)));
    ssk_event_send(t->who->space, t->chat,
                   arena_printf(t->a, "{\"type\":\"assistant_thread_started\",\"assistant_thread\":{\"user_id\":\"%s\",\"context\":{},\"channel_id\":\"%s\",\"thread_ts\":\"" SLF
                                      "\"},\"event_ts\":\"" SLF "\"}", t->who->id, t->who->chat.id, SLA(t->ts), SLA(t->ts)));
    return true;
}

bool ssk_do_join(struct ssk_deed *t)
{
    t->ts = ssk_ts(t->s, t->a);
    ssk_event_send(t->who->space, t->chat, arena_printf(t->a, "{\"type\":\"member_joined_channel\",\"user\":\"%s\",\"channel\":\"%s\",\"channel_type\":\"C\",\"team\":\"%s\",\"event_ts\":\"" SLF "\"}",
                                                        t->who->id, t->who->space->channel.id, t->who->space->id, SLA(t->ts)));
    return true;
}

bool ssk_do_event(struct ssk_deed *t)
{
    const struct js *event = js_at(t->what, "event");
    if (!js_is_object(event))
        return fault(t->f, "missing_field", "event", "an object");
    ssk_event_send(t->who->space, t->chat, js_print(t->a, event));
    return true;
}
