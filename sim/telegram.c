/* telegram.c - plays Telegram: the Bot API of one bot, the people who write to it, and a group.
 *
 *   dragoman sim telegram --listen 127.0.0.1:9003
 *
 * Set in the hub: token as given here (or left at its standard), base_url: http://127.0.0.1:9003. The page at / is a phone.
 *
 * Control API. "guest" is a person's number as GET /sim/guests lists it ("1" is the first) or id, or "group".
 *
 *   GET    /sim/guests                    {"bot":{…},"webhook":"…","guests":[{"number","id","name","username","blocked","typing_ms"}]}
 *   POST   /sim/guests/{guest}/send       a guest does something; an update follows. {"type":…}:
 *            text      "text", "entities"; also "/start payload"
 *            photo, video, animation, audio, voice, video_note, document, sticker
 *                      "base64" (a sample picture for a photo or sticker), "contentType", "name", "caption", "media_group_id",
 *                      "size": what is said of it instead
 *            location  "latitude", "longitude"; with "title" and "address" a venue
 *            contact   "phone"
 *            edit      "message_id" (the guest's newest when left out), "text"
 *            block, unblock
 *            migrate   the group becomes a supergroup; "told": false: without the updates that say so
 *            update    "update":{"poll":{…}}: any other, as it is
 *          Beside them "as": who, in the group ("1"). Answer {"message_id"}
 *   POST   /sim/guests/{guest}/tap        {"label"}: a button of the newest message that has it, or of the keyboard
 *   POST   /sim/guests/{guest}/again      sends the newest update once more, with its update_id
 *   GET    /sim/guests/{guest}/messages   {"guest":{…},"messages":[{"from":"guest"|"bot","at","message":{…},"media":{…}}]}
 *   GET    /sim/events                    server-sent events: message {"chat","entry"}, typing {"chat"}, update {"status"}, reset
 *   GET    /sim/counters                  {"calls","updates","taken","refused","webhooks"}
 *   GET|POST|DELETE /sim/faults, GET /sim/webhooks   faults.h, webhook.h
 */
#include "sim/feed.h"
#include "sim/shelf.h"
#include "sim/telegram.h"
#include "wire/image_size.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "token",       "TOKEN", "123456789:AAExampleExampleExampleExampleExample", "of the bot" },
    { "username",    "NAME",  "dragoman_bot", "of the bot" },
    { "guests",      "N",     "4",    "people who know it" },
    { "allow-http",  NULL,    "yes",  "webhooks and links may be http:// and on any port; --allow-http=no is strict" },
    { "fetch-media", NULL,    "yes",  "fetches what messages point to, as Telegram does; --fetch-media=no takes every link, =fails none" },
    { "retry-ms",    "MS",    "2000", "wait before the third try of an update; doubles. The second is made at once" },
    { "per-chat",    "N",     "0",    "messages a second to one chat before 429; 0: any" },
};
/* clang-format on */

char *stg_copy(slice s)
{
    char *p = must_malloc(s.n + 1);
    memcpy(p, s.n ? s.p : "", s.n);
    p[s.n] = 0;
    return p;
}

struct stg_file *stg_file_put(struct stg *s, slice id, slice bytes, slice type, slice name)
{
    struct stg_file *file = must_malloc(sizeof(*file) + bytes.n + type.n + name.n);
    char *p = (char *)(file + 1);
    *file = (struct stg_file){ .bytes = slice_mem(p, bytes.n), .type = slice_mem(p + bytes.n, type.n),
                               .name = slice_mem(p + bytes.n + type.n, name.n), .size = (int64_t)bytes.n };
    const slice all[] = { bytes, type, name };
    for (size_t i = 0; i < COUNT(all); p += all[i++].n)
        memcpy(p, all[i].n ? all[i].p : "", all[i].n);
    shelf_put(s->files, id, file, 0);
    return file;
}

/* clang-format off */
static const struct { const char *kind; bool wide, lasts, length, type, name; } shapes[] = { /* "Messages" */
    { "photo",      true,  false, false, false, false },
    { "video",      true,  true,  false, true,  true },
    { "animation",  true,  true,  false, true,  true },
    { "audio",      false, true,  false, true,  true },
    { "voice",      false, true,  false, true,  false },
    { "video_note", false, true,  true,  false, false },
    { "document",   false, false, false, true,  true },
    { "sticker",    true,  false, false, false, false },
};
/* clang-format on */

void stg_file_write(struct jw *w, const char *key, slice kind, slice id, const struct stg_file *file)
{
    char unique[128];
    struct image_size size = { 1, 1 };
    snprintf(unique, sizeof(unique), "u" SLF, SLA(id));
    jw_open(w, key, '{');
    jw_str(w, "file_id", id);
    jw_str(w, "file_unique_id", slice_of(unique));
    jw_int(w, "file_size", file->size);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        if (!slice_eq(kind, slice_of(shapes[i].kind)))
            continue;
        if (shapes[i].wide && !image_size(file->bytes, &size))
            size = (struct image_size){ 1, 1 };
        if (shapes[i].wide) {
            jw_int(w, "width", size.width);
            jw_int(w, "height", size.height);
        }
        if (shapes[i].lasts)
            jw_int(w, "duration", 1);
        if (shapes[i].length)
            jw_int(w, "length", size.width);
        if (shapes[i].type)
            jw_opt(w, "mime_type", file->type);
        if (shapes[i].name)
            jw_opt(w, "file_name", file->name);
    }
    if (slice_eq(kind, SL("sticker"))) {
        jw_str(w, "type", SL("regular"));
        jw_bool(w, "is_animated", false);
        jw_bool(w, "is_video", false);
    }
}

slice stg_without(struct arena *a, const struct js *doc, const char *key)
{
    struct jw w = jw_new(a, 1 << 20);
    jw_open(&w, NULL, '{');
    for (void *it = js_first(doc); it; it = js_next(doc, it))
        if (!slice_eq(js_key(doc, it), slice_of(key))) {
            jw_key(&w, js_key(doc, it));
            jw_value(&w, NULL, js_value(it));
        }
    jw_close(&w, '}');
    return jw_done(&w);
}

void stg_chat_write(struct jw *w, const struct stg_chat *chat)
{
    jw_open(w, "chat", '{');
    jw_int(w, "id", chat->id);
    jw_str(w, "type", !chat->group ? SL("private") : chat->moved_from ? SL("supergroup") : SL("group"));
    jw_str(w, chat->group ? "title" : "first_name", slice_of(chat->name));
    if (!chat->group)
        jw_str(w, "username", slice_of(chat->username));
    jw_close(w, '}');
}

struct stg_chat *stg_chat_of(struct stg *s, slice id)
{
    int64_t n = 0;
    if (slice_eq(id, SL("group")))
        return &s->chats[s->n_chats - 1];
    if (!slice_int(id, &n))
        return NULL;
    if (n >= 1 && n < (int64_t)s->n_chats)
        return &s->chats[n - 1];
    for (size_t i = 0; i < s->n_chats; i++)
        if (s->chats[i].id == n)
            return &s->chats[i];
    return NULL;
}

/* ---- messages ---------------------------------------------------------------------------------------------------------------- */

void stg_message_write(struct jw *w, const struct stg_message *m)
{
    jw_open(w, NULL, '{');
    jw_str(w, "from", m->from_guest ? SL("guest") : SL("bot"));
    jw_time(w, "at", m->at_ms);
    jw_raw(w, "message", slice_of(m->json));
    if (m->media.n)
        jw_raw(w, "media", m->media);
    jw_close(w, '}');
}

static void message_told(struct stg_chat *chat, const struct stg_message *m)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_int(&w, "chat", chat->id);
    jw_key(&w, SL("entry"));
    stg_message_write(&w, m);
    jw_close(&w, '}');
    feed_send(chat->sim->env->feed, "message", jw_done(&w));
}

struct stg_message *stg_message_add(struct stg_chat *chat, bool from_guest, int64_t id, slice json, slice media)
{
    struct stg_message *m = must_calloc(1, sizeof(*m));
    char *p = must_malloc(json.n + media.n + 2);
    memcpy(p, json.p, json.n);
    p[json.n] = 0;
    memcpy(p + json.n + 1, media.n ? media.p : "", media.n);
    *m = (struct stg_message){ .id = id, .at_ms = time_now_ms(), .from_guest = from_guest, .json = p };
    if (media.n)
        m->media = slice_mem(p + json.n + 1, media.n);
    *(chat->first ? chat->last : &chat->first) = m;
    chat->last = &m->next;
    if (++chat->n_messages > STG_MESSAGES_KEPT) {
        struct stg_message *old = chat->first;
        chat->first = old->next;
        chat->n_messages--;
        free(old->json);
        free(old);
    }
    message_told(chat, m);
    return m;
}

struct stg_message *stg_message_find(const struct stg_chat *chat, int64_t id)
{
    struct stg_message *m = chat->first;
    while (m && m->id != id)
        m = m->next;
    return m;
}

void stg_message_replace(struct stg_message *m, slice json)
{
    free(m->json);
    m->json = stg_copy(json);
    m->media = SLICE_NONE;
}

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

static void stg_stop(void *state)
{
    struct stg *s = state;
    stg_updates_done(s);
    for (size_t i = 0; i < s->n_chats; i++)
        for (struct stg_message *m = s->chats[i].first, *next; m; m = next) {
            next = m->next;
            free(m->json);
            free(m);
        }
    shelf_free(s->files);
    shelf_free(s->queries);
    char *const texts[] = { s->url, s->secret, s->allowed, s->last_error, s->last_update };
    for (size_t i = 0; i < COUNT(texts); i++)
        free(texts[i]);
    free(s->chats);
    free(s);
}

static void make_people(struct stg *s, size_t n)
{
    static const char *const names[] = { "Ana", "Ben", "Chiyo", "Dmitri", "Elif", "Farid" };
    enum { FIRST_ID = 1111111 };
    s->chats = must_calloc(n + 1, sizeof(*s->chats));
    s->n_chats = n + 1;
    for (size_t i = 0; i <= n; i++) {
        struct stg_chat *chat = &s->chats[i];
        chat->sim = s;
        chat->group = i == n;
        chat->id = FIRST_ID + (int64_t)i;
        snprintf(chat->name, sizeof(chat->name), "%s", chat->group ? "Parcels" : names[i % COUNT(names)]);
        snprintf(chat->username, sizeof(chat->username), "guest_%zu", i + 1);
    }
    if (!slice_int(SL(STG_GROUP), &s->chats[n].id))
        s->chats[n].id = -1;
}

static void *stg_start(struct sim_env *env, struct fault *f)
{
    struct stg *s = must_calloc(1, sizeof(*s));
    int64_t guests;
    *s = (struct stg){ .env = env, .token = sim_option(env, "token"), .username = sim_option(env, "username"),
                       .allow_http = sim_option_on(env, "allow-http"), .fetch_media = sim_option_on(env, "fetch-media"),
                       .fetch_fails = slice_eq(sim_option(env, "fetch-media"), SL("fails")),
                       .next_id = 100, .next_update = 500000, .files = shelf_new(STG_FILES_KEPT, 0, free),
                       .queries = shelf_new(STG_FILES_KEPT, STG_CALLBACK_MS, free) };
    env->state = s;
    if (!sim_option_int(env, "guests", 1, STG_GUESTS_MAX, &guests, f) || !sim_option_int(env, "retry-ms", 1, 60000, &s->retry_ms, f) ||
        !sim_option_int(env, "per-chat", 0, 1000000, &s->per_chat, f))
        return NULL;
    make_people(s, (size_t)guests);
    stg_guest_routes(s);
    stg_api_routes(s);
    return s;
}

const struct sim sim_telegram = {
    .name = "telegram",
    .title = "Telegram (Bot API)",
    .page = true,
    .options = options,
    .n_options = COUNT(options),
    .start = stg_start,
    .stop = stg_stop,
    .refuse = stg_refuse,
    .webhook = stg_webhook,
};
