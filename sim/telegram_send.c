/* telegram_send.c - the methods that put a message on a screen: sections "Sending", "Files out", "Groups". What is answered is the Message as a bot gets
 * it; what the phone shows has the reply keyboard beside it. */
#include "sim/feed.h"
#include "sim/shelf.h"
#include "sim/telegram.h"

/* clang-format off */
static const struct sending { const char *method, *need, *need_too; bool file; } sendings[] = { /* need: a parameter that must be there */
    { "sendMessage",   "text",         NULL,         false },
    { "sendPhoto",     "photo",        NULL,         true },
    { "sendVideo",     "video",        NULL,         true },
    { "sendAnimation", "animation",    NULL,         true },
    { "sendAudio",     "audio",        NULL,         true },
    { "sendVoice",     "voice",        NULL,         true },
    { "sendDocument",  "document",     NULL,         true },
    { "sendSticker",   "sticker",      NULL,         true },
    { "sendVenue",     "title",        "address",    false },
    { "sendLocation",  "latitude",     "longitude",  false },
    { "sendContact",   "phone_number", "first_name", false },
    { "sendPoll",      "question",     "options",    false },
};
/* clang-format on */

static bool is(const struct sending *k, const char *need)
{
    return strcmp(k->need, need) == 0;
}

/* ---- chats ------------------------------------------------------------------------------------------------------------------- */

struct stg_chat *stg_call_chat(struct stg_call *q)
{
    struct stg *s = q->s;
    slice id = stg_call_text(q, "chat_id");
    int64_t n = 0;
    struct stg_chat *chat = NULL;
    if (slice_int(id, &n))
        for (size_t i = 0; i < s->n_chats; i++)
            if (s->chats[i].id == n || (n && s->chats[i].moved_from == n))
                chat = &s->chats[i];
    if (!chat)
        stg_call_refuse(q, 400, id.n ? "Bad Request: chat not found" : "Bad Request: chat_id is empty");
    else if (chat->id != n)
        stg_answer_moved(q, chat->id);
    else if (chat->blocked)
        stg_call_refuse(q, 403, "Forbidden: bot was blocked by the user");
    else
        return chat;
    return NULL;
}

static bool over_rate(struct stg_call *q, struct stg_chat *chat)
{
    int64_t now_s = time_mono_ms() / 1000;
    if (chat->window_s != now_s)
        chat->in_window = 0;
    chat->window_s = now_s;
    if (!q->s->per_chat || ++chat->in_window <= q->s->per_chat)
        return false;
    if (q->c)
        stg_answer_error(q->c, 429, "Too Many Requests: retry after 1", 1);
    return true;
}

static const char *bad_markup(const struct js *markup)
{
    enum { DATA_MAX = 64 };
    const struct js *rows = js_at(markup, "inline_keyboard");
    for (size_t i = 0; i < js_len(rows); i++)
        for (size_t k = 0; k < js_len(js_item(rows, i)); k++) {
            const struct js *b = js_item(js_item(rows, i), k);
            slice data = js_text(js_at(b, "callback_data"));
            if (!js_text(js_at(b, "text")).n)
                return "Bad Request: can't parse inline keyboard button: Field \"text\" must be of type String";
            if (!data.n && !js_text(js_at(b, "url")).n)
                return "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard";
            if (data.n > DATA_MAX)
                return "Bad Request: BUTTON_DATA_INVALID";
        }
    return NULL;
}

/* ---- the message ------------------------------------------------------------------------------------------------------------- */

struct content { /* what a message shows */
    slice kind;  /* its member: "photo" … */
    slice file_id;
    const struct stg_file *file;
    slice caption, album;
};

static void put_number(struct jw *w, const char *name, slice text)
{
    double v;
    if (slice_double(text, &v))
        jw_double(w, name, v);
}

static void put_place(struct stg_call *q, struct jw *w)
{
    jw_open(w, "location", '{');
    put_number(w, "latitude", stg_call_text(q, "latitude"));
    put_number(w, "longitude", stg_call_text(q, "longitude"));
    jw_close(w, '}');
}

static void put_file(struct jw *w, const struct content *t, const char *key)
{
    stg_file_write(w, key, slice_of(key ? key : "photo"), t->file_id, t->file);
    jw_close(w, '}');
}

static void put_poll(struct stg_call *q, struct jw *w)
{
    const struct js *options = stg_call_value(q, "options");
    jw_open(w, "poll", '{');
    jw_str(w, "id", sim_random_hex(&q->s->env->random, q->a, 16));
    jw_str(w, "question", stg_call_text(q, "question"));
    jw_open(w, "options", '[');
    for (size_t i = 0; i < js_len(options); i++) {
        jw_open(w, NULL, '{');
        jw_str(w, "text", slice_or(js_text(js_at(js_item(options, i), "text")), js_text(js_item(options, i))));
        jw_str(w, "persistent_id", arena_printf(q->a, "%zu", i));
        jw_int(w, "voter_count", 0);
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_int(w, "total_voter_count", 0);
    jw_bool(w, "is_closed", false);
    static const char *const not[] = { "allows_multiple_answers", "allows_revoting", "members_only" };
    for (size_t i = 0; i < COUNT(not); i++)
        jw_bool(w, not[i], false);
    jw_bool(w, "is_anonymous", true);
    jw_str(w, "type", SL("regular"));
    jw_close(w, '}');
}

static void put_content(struct stg_call *q, struct jw *w, const struct content *t)
{
    if (t->file_id.n) {
        bool photo = slice_eq(t->kind, SL("photo"));
        if (photo)
            jw_open(w, "photo", '[');
        put_file(w, t, photo ? NULL : arena_printf(q->a, SLF, SLA(t->kind)).p);
        if (photo)
            jw_close(w, ']');
        if (slice_eq(t->kind, SL("animation")))
            put_file(w, t, "document");
        jw_opt(w, "caption", t->caption);
    } else if (slice_eq(t->kind, SL("text"))) {
        jw_str(w, "text", stg_call_text(q, "text"));
    } else if (slice_eq(t->kind, SL("latitude"))) {
        put_place(q, w);
    } else if (slice_eq(t->kind, SL("title"))) {
        put_place(q, w);
        jw_open(w, "venue", '{');
        put_place(q, w);
        jw_str(w, "title", stg_call_text(q, "title"));
        jw_str(w, "address", stg_call_text(q, "address"));
        jw_close(w, '}');
    } else if (slice_eq(t->kind, SL("phone_number"))) {
        jw_open(w, "contact", '{');
        jw_str(w, "phone_number", stg_call_text(q, "phone_number"));
        jw_str(w, "first_name", stg_call_text(q, "first_name"));
        jw_close(w, '}');
    } else {
        put_poll(q, w);
    }
}

/* The message that is answered to, without what it answers itself. */
static void put_replied(struct stg_call *q, struct jw *w, const struct stg_chat *chat)
{
    int64_t id = 0;
    if (!js_int(js_at(stg_call_value(q, "reply_parameters"), "message_id"), &id))
        return;
    const struct stg_message *m = stg_message_find(chat, id);
    if (m)
        jw_raw(w, "reply_to_message", stg_without(q->a, js_parse(q->a, slice_of(m->json), NULL), "reply_to_message"));
}

static slice message_made(struct stg_call *q, struct stg_chat *chat, int64_t id, const struct content *t)
{
    struct jw w = jw_new(q->a, 1 << 20);
    slice rest = q->s->token, bot = slice_cut(&rest, ':');
    int64_t thread = 0;
    jw_open(&w, NULL, '{');
    jw_int(&w, "message_id", id);
    jw_int(&w, "date", time_now_ms() / 1000);
    jw_raw(&w, "from", arena_printf(q->a, "{\"id\":" SLF ",\"is_bot\":true,\"first_name\":\"Dragoman\",\"username\":\"" SLF "\"}",
                                    SLA(bot), SLA(q->s->username)));
    stg_chat_write(&w, chat);
    if (slice_int(stg_call_text(q, "message_thread_id"), &thread))
        jw_int(&w, "message_thread_id", thread);
    jw_opt(&w, "business_connection_id", stg_call_text(q, "business_connection_id"));
    jw_opt(&w, "media_group_id", t->album);
    put_replied(q, &w, chat);
    put_content(q, &w, t);
    if (js_is_object(stg_call_value(q, "reply_markup")))
        jw_value(&w, "reply_markup", stg_call_value(q, "reply_markup"));
    jw_close(&w, '}');
    return jw_done(&w);
}

/* Puts it on the screen; what a bot is answered. */
static slice put(struct stg_call *q, struct stg_chat *chat, const struct content *t, slice media)
{
    int64_t id = q->s->next_id++;
    slice json = message_made(q, chat, id, t);
    chat->typing_until_ms = 0;
    stg_message_add(chat, false, id, json, media);
    const struct js *doc = js_parse(q->a, json, NULL);
    return js_at(doc, "reply_markup.inline_keyboard") ? json : stg_without(q->a, doc, "reply_markup");
}

/* ---- files ------------------------------------------------------------------------------------------------------------------- */

static bool is_link(slice s)
{
    return slice_starts(s, SL("https://")) || slice_starts(s, SL("http://"));
}

static void keep(struct stg_call *q, struct content *t, slice bytes, slice type, slice name)
{
    t->file_id = arena_printf(q->a, "BQAC" SLF, SLA(sim_random_hex(&q->s->env->random, q->a, 16)));
    t->file = stg_file_put(q->s, t->file_id, bytes, type, name);
}

static slice media_shown(struct stg_call *q, slice bytes, slice type, bool uploaded)
{
    struct jw w = jw_new(q->a, 4096);
    jw_open(&w, NULL, '{');
    jw_int(&w, "bytes", (int64_t)bytes.n);
    jw_str(&w, "type", type);
    if (uploaded)
        jw_bool(&w, "uploaded", true);
    jw_close(&w, '}');
    return jw_done(&w);
}

struct fetching {
    struct stg_call q;
    struct stg_chat *chat;
    struct content t;
    struct client_call call;
};

static void fetched(void *arg, const struct answer *r)
{
    struct fetching *f = arg;
    bool photo = slice_eq(f->t.kind, SL("photo"));
    if (r->status != 200 || r->body.n > (size_t)(photo ? STG_PHOTO_BYTES_MAX : STG_FILE_BYTES_MAX) || !r->body.n) {
        stg_call_refuse(&f->q, 400, "Bad Request: failed to get HTTP URL content");
        return;
    }
    bool document = slice_eq(f->t.kind, SL("document")), zip = slice_eq(r->type, SL("application/pdf")) || slice_eq(r->type, SL("application/zip"));
    if ((photo && !slice_starts(r->type, SL("image/"))) || (document && !zip && !slice_eq(r->type, SL("image/gif")))) {
        stg_call_refuse(&f->q, 400, "Bad Request: wrong type of the web page content");
        return;
    }
    keep(&f->q, &f->t, r->body, r->type, SLICE_NONE);
    stg_call_result(&f->q, put(&f->q, f->chat, &f->t, media_shown(&f->q, r->body, r->type, false)));
}

static void fetch(struct stg_call *q, struct stg_chat *chat, const struct content *t, slice url)
{
    struct fetching *f = ARENA_NEW(q->a, struct fetching);
    enum { FETCH_MS = 10000, REDIRECTS = 5 };
    f->q = *q;
    f->chat = chat;
    f->t = *t;
    f->call = (struct client_call){ .a = q->a, .method = "GET", .url = url, .answer_bytes = STG_FILE_BYTES_MAX + 1, .total_ms = FETCH_MS,
                                    .max_redirects = REDIRECTS, .done = fetched, .arg = f };
    client_send(q->s->env->client, &f->call);
}

/* The file a parameter means; NULL: it is in t, or is a link. Else what is wrong with it. */
static const char *file_of(struct stg_call *q, const char *name, slice value, struct content *t)
{
    const struct multipart_part *part = stg_call_part(q, name, value);
    bool photo = slice_eq(t->kind, SL("photo"));
    if (part) {
        if (!part->body.n)
            return "Bad Request: file must be non-empty";
        if ((int64_t)part->body.n > (photo ? STG_PHOTO_UPLOAD_MAX : STG_UPLOAD_MAX))
            return photo ? "Bad Request: file is too big for a photo" : "Request Entity Too Large";
        keep(q, t, part->body, slice_or(part->type, SL("application/octet-stream")), part->filename);
        return NULL;
    }
    if (is_link(value))
        return q->s->allow_http || slice_starts(value, SL("https://")) ? NULL : "Bad Request: invalid file HTTP URL specified: URL must be HTTPS";
    t->file = shelf_get(q->s->files, value);
    t->file_id = value;
    return t->file ? NULL : "Bad Request: wrong file_id or the file is temporarily unavailable";
}

/* ---- the methods ------------------------------------------------------------------------------------------------------------- */

static void send_one(struct stg_call *q, const struct sending *k)
{
    enum { TEXT_UNITS = 4096, CAPTION_UNITS = 1024 };
    struct stg_chat *chat = stg_call_chat(q);
    if (!chat || over_rate(q, chat))
        return;
    slice need = stg_call_text(q, k->need);
    struct content t = { .kind = slice_of(k->need), .caption = stg_call_text(q, "caption") };
    const char *bad = bad_markup(stg_call_value(q, "reply_markup"));
    if (k->file && !bad && need.n)
        bad = file_of(q, k->need, need, &t);
    if (!need.n)
        bad = is(k, "text") ? "Bad Request: message text is empty" : "Bad Request: there is no content in the request";
    if (k->need_too && !stg_call_text(q, k->need_too).n)
        bad = "Bad Request: a required parameter is missing";
    if (is(k, "text") && utf16_len(need) > TEXT_UNITS)
        bad = "Bad Request: message is too long";
    if (utf16_len(t.caption) > CAPTION_UNITS)
        bad = "Bad Request: message caption is too long";
    if (bad) {
        stg_call_refuse(q, strcmp(bad, "Request Entity Too Large") == 0 ? 413 : 400, bad);
        return;
    }
    if (k->file && !t.file_id.n && q->s->fetch_fails) {
        stg_call_refuse(q, 400, "Bad Request: failed to get HTTP URL content");
        return;
    }
    if (k->file && !t.file_id.n && q->s->fetch_media && q->c) {
        fetch(q, chat, &t, need);
        return;
    }
    bool uploaded = k->file && t.file && stg_call_part(q, k->need, need);
    if (k->file && !t.file_id.n)
        keep(q, &t, need, SL("text/uri-list"), SLICE_NONE); /* every link is taken, and stands for itself */
    stg_call_result(q, put(q, chat, &t, uploaded ? media_shown(q, t.file->bytes, t.file->type, true) : SLICE_NONE));
}

bool stg_send(struct stg_call *q, slice method)
{
    for (size_t i = 0; i < COUNT(sendings); i++)
        if (slice_eq_nocase(method, slice_of(sendings[i].method))) {
            send_one(q, &sendings[i]);
            return true;
        }
    return false;
}

void stg_send_group(struct stg_call *q)
{
    enum { LEAST = 2, MOST = 10 };
    struct stg_chat *chat = stg_call_chat(q);
    const struct js *media = chat ? stg_call_value(q, "media") : NULL;
    struct content *all = ARENA_ARRAY(q->a, struct content, MOST);
    const char *bad = NULL;
    if (!chat || over_rate(q, chat))
        return;
    if (js_len(media) < LEAST || js_len(media) > MOST)
        bad = "Bad Request: there must be 2-10 messages in the album";
    slice album = arena_printf(q->a, "%lld", (long long)q->s->next_id);
    for (size_t i = 0; i < js_len(media) && !bad; i++) {
        const struct js *one = js_item(media, i);
        slice where = js_text(js_at(one, "media"));
        all[i] = (struct content){ .kind = js_text(js_at(one, "type")), .caption = js_text(js_at(one, "caption")), .album = album };
        if (!slice_eq(all[i].kind, SL("photo")) && !slice_eq(all[i].kind, SL("video")) && !slice_eq(all[i].kind, SL("document")) && !slice_eq(all[i].kind, SL("audio")))
            bad = "Bad Request: can't parse InputMedia: type must be one of photo, video, document, audio";
        else if (!(bad = file_of(q, "", where, &all[i])) && !all[i].file_id.n)
            keep(q, &all[i], where, SL("text/uri-list"), SLICE_NONE);
    }
    if (bad) {
        stg_call_refuse(q, 400, bad);
        return;
    }
    struct text made = text_new(q->a, 1 << 20);
    for (size_t i = 0; i < js_len(media); i++)
        text_add(&made, "%s" SLF, i ? "," : "[", SLA(put(q, chat, &all[i], SLICE_NONE)));
    text_char(&made, ']');
    stg_call_result(q, text_slice(&made));
}

void stg_send_action(struct stg_call *q)
{
    enum { SHOWN_MS = 5000 };
    struct stg_chat *chat = stg_call_chat(q);
    if (!chat)
        return;
    if (!stg_call_text(q, "action").n) {
        stg_call_refuse(q, 400, "Bad Request: wrong parameter action in request");
        return;
    }
    chat->typing_until_ms = time_mono_ms() + SHOWN_MS;
    feed_send(q->s->env->feed, "typing", arena_printf(q->a, "{\"chat\":%lld}", (long long)chat->id));
    stg_call_result(q, SL("true"));
}
