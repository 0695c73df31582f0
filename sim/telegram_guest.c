/* telegram_guest.c - the people: what they do, and the update each of it makes; telegram.c is the manual. */
#include "sim/draw.h"
#include "sim/feed.h"
#include "sim/shelf.h"
#include "sim/sign.h"
#include "sim/telegram.h"
#include "sim/webhook.h"

struct act { /* one thing done */
    struct stg *s;
    struct stg_chat *chat, *who; /* who: the person; in a private chat the same */
    struct arena *a;
    const struct js *what;
    struct fault *f;
    int64_t id;
};

static void put_user(struct jw *w, const char *key, const struct stg_chat *who)
{
    jw_open(w, key, '{');
    jw_int(w, "id", who->id);
    jw_bool(w, "is_bot", false);
    jw_str(w, "first_name", slice_of(who->name));
    jw_str(w, "username", slice_of(who->username));
    jw_str(w, "language_code", SL("en"));
    jw_close(w, '}');
}

static struct jw message_open(struct act *t)
{
    struct jw w = jw_new(t->a, 1 << 20);
    t->id = t->s->next_id++;
    jw_open(&w, NULL, '{');
    jw_int(&w, "message_id", t->id);
    put_user(&w, "from", t->who);
    stg_chat_write(&w, t->chat);
    jw_int(&w, "date", time_now_ms() / 1000);
    return w;
}

static bool message_close(struct act *t, struct jw *w)
{
    jw_close(w, '}');
    slice json = jw_done(w);
    stg_message_add(t->chat, true, t->id, json, SLICE_NONE);
    stg_update_send(t->chat, "message", json);
    return true;
}

/* ---- what a guest does --------------------------------------------------------------------------------------------------------- */

/* Commands and the bot's name are entities; others come with "entities". */
static void put_entities(struct act *t, struct jw *w, slice text)
{
    slice name = arena_printf(t->a, "@" SLF, SLA(t->s->username));
    size_t at = slice_find(text, name), end = slice_find_char(text, ' ');
    if (js_at(t->what, "entities")) {
        jw_value(w, "entities", js_at(t->what, "entities"));
        return;
    }
    bool command = slice_starts(text, SL("/"));
    if (!command && at == SIZE_MAX)
        return;
    slice before = slice_sub(text, 0, at), word = command ? slice_sub(text, 0, end) : name;
    jw_open(w, "entities", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "type", command ? SL("bot_command") : SL("mention"));
    jw_int(w, "offset", command ? 0 : (int64_t)utf16_len(before));
    jw_int(w, "length", (int64_t)utf16_len(word));
    jw_close(w, '}');
    jw_close(w, ']');
}

static bool do_text(struct act *t)
{
    enum { TEXT_UNITS = 4096 };
    slice text = js_text(js_at(t->what, "text"));
    if (!text.n || utf16_len(text) > TEXT_UNITS)
        return fault(t->f, "out_of_range", "text", "a text of 1 to %d UTF-16 units", TEXT_UNITS);
    struct jw w = message_open(t);
    jw_str(&w, "text", text);
    put_entities(t, &w, text);
    return message_close(t, &w);
}

static bool do_file(struct act *t)
{
    slice kind = sim_text(t->what, "type", ""), base64 = js_text(js_at(t->what, "base64")), type = js_text(js_at(t->what, "contentType"));
    bool photo = slice_eq(kind, SL("photo")), sticker = slice_eq(kind, SL("sticker"));
    slice bytes = base64.p ? sign_unbase64(t->a, base64) : sticker ? draw_sticker(t->a, 256, 1) : draw_scene(t->a, 640, 480, 1);
    if (!bytes.p)
        return fault(t->f, "wrong_type", "base64", "the bytes as Base64");
    slice id = arena_printf(t->a, "AgAC" SLF, SLA(sim_random_hex(&t->s->env->random, t->a, 16)));
    int64_t size = (int64_t)bytes.n;
    if (js_at(t->what, "size") && !js_int(js_at(t->what, "size"), &size))
        return fault(t->f, "wrong_type", "size", "a number");
    struct stg_file *file = stg_file_put(t->s, id, bytes, type, js_text(js_at(t->what, "name")));
    file->size = size;
    struct jw w = message_open(t);
    jw_opt(&w, "media_group_id", js_text(js_at(t->what, "media_group_id")));
    if (photo) { /* sizes, the largest last */
        jw_open(&w, "photo", '[');
        jw_open(&w, NULL, '{');
        jw_str(&w, "file_id", SL("AgACsmall"));
        jw_str(&w, "file_unique_id", SL("usmall"));
        jw_int(&w, "width", 90);
        jw_int(&w, "height", 67);
        jw_close(&w, '}');
        stg_file_write(&w, NULL, kind, id, file);
        jw_close(&w, '}');
        jw_close(&w, ']');
    } else {
        stg_file_write(&w, arena_printf(t->a, SLF, SLA(kind)).p, kind, id, file);
        if (sticker) {
            jw_str(&w, "set_name", SL("Cats"));
            jw_str(&w, "emoji", sim_text(t->what, "emoji", "👍"));
        }
        jw_close(&w, '}');
    }
    jw_opt(&w, "caption", js_text(js_at(t->what, "caption")));
    return message_close(t, &w);
}

static void put_place(struct act *t, struct jw *w)
{
    double lat = 35.6586, lon = 139.7454;
    if (!js_double(js_at(t->what, "latitude"), &lat) || !js_double(js_at(t->what, "longitude"), &lon))
        lat = 35.6586;
    jw_open(w, "location", '{');
    jw_double(w, "latitude", lat);
    jw_double(w, "longitude", lon);
    jw_close(w, '}');
}

static bool do_location(struct act *t)
{
    slice title = js_text(js_at(t->what, "title"));
    struct jw w = message_open(t);
    put_place(t, &w);
    if (title.n) { /* beside the location */
        jw_open(&w, "venue", '{');
        put_place(t, &w);
        jw_str(&w, "title", title);
        jw_str(&w, "address", sim_text(t->what, "address", ""));
        jw_close(&w, '}');
    }
    return message_close(t, &w);
}

static bool do_contact(struct act *t)
{
    struct jw w = message_open(t);
    jw_open(&w, "contact", '{');
    jw_str(&w, "phone_number", sim_text(t->what, "phone", "819012345678"));
    jw_str(&w, "first_name", slice_of(t->who->name));
    jw_int(&w, "user_id", t->who->id);
    jw_close(&w, '}');
    return message_close(t, &w);
}

static bool do_edit(struct act *t)
{
    struct stg_message *m = t->chat->first, *newest = NULL;
    for (; m; m = m->next)
        if (m->from_guest)
            newest = m;
    if (js_int(js_at(t->what, "message_id"), &t->id))
        newest = stg_message_find(t->chat, t->id);
    if (!newest)
        return fault(t->f, "not_found", "message_id", "no message of the guest's");
    t->id = newest->id;
    struct jw w = jw_new(t->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_int(&w, "message_id", t->id);
    put_user(&w, "from", t->who);
    stg_chat_write(&w, t->chat);
    jw_int(&w, "date", newest->at_ms / 1000);
    jw_int(&w, "edit_date", time_now_ms() / 1000);
    jw_str(&w, "text", sim_text(t->what, "text", "edited"));
    jw_close(&w, '}');
    slice json = jw_done(&w);
    stg_message_replace(newest, json);
    feed_send(t->s->env->feed, "reset", SL("{}"));
    stg_update_send(t->chat, "edited_message", json);
    return true;
}

/* What the bot is in the person's chat. */
static void put_member(const struct act *t, struct jw *w, const char *key, bool kicked)
{
    slice rest = t->s->token, bot = slice_cut(&rest, ':');
    jw_open(w, key, '{');
    jw_raw(w, "user", arena_printf(t->a, "{\"id\":" SLF ",\"is_bot\":true,\"first_name\":\"Dragoman\",\"username\":\"" SLF "\"}",
                                   SLA(bot), SLA(t->s->username)));
    jw_str(w, "status", kicked ? SL("kicked") : SL("member"));
    if (kicked)
        jw_int(w, "until_date", 0);
    jw_close(w, '}');
}

static bool do_block(struct act *t)
{
    bool block = slice_eq(sim_text(t->what, "type", ""), SL("block"));
    t->chat->blocked = block;
    struct jw w = jw_new(t->a, 16 << 10);
    jw_open(&w, NULL, '{');
    stg_chat_write(&w, t->chat);
    put_user(&w, "from", t->who);
    jw_int(&w, "date", time_now_ms() / 1000);
    put_member(t, &w, "old_chat_member", !block);
    put_member(t, &w, "new_chat_member", block);
    jw_close(&w, '}');
    stg_update_send(t->chat, "my_chat_member", jw_done(&w));
    return true;
}

/* The group becomes a supergroup: two service messages, one on each side, unless nobody tells ("told": false). */
static bool do_migrate(struct act *t)
{
    const struct js *told = js_at(t->what, "told");
    int64_t to = 0;
    if (!t->chat->group || t->chat->moved_from || !slice_int(SL(STG_SUPERGROUP), &to))
        return fault(t->f, "out_of_range", "type", "only the group can move, and only once");
    struct jw before = message_open(t);
    jw_int(&before, "migrate_to_chat_id", to);
    jw_close(&before, '}');
    int64_t from = t->chat->id;
    t->chat->moved_from = from;
    t->chat->id = to;
    struct jw after = message_open(t);
    jw_int(&after, "migrate_from_chat_id", from);
    jw_close(&after, '}');
    feed_send(t->s->env->feed, "reset", SL("{}"));
    if (told && !js_true(told))
        return true;
    stg_update_send(t->chat, "message", jw_done(&before));
    stg_update_send(t->chat, "message", jw_done(&after));
    return true;
}

static bool do_update(struct act *t)
{
    const struct js *update = js_at(t->what, "update");
    void *it = js_first(update);
    if (!it)
        return fault(t->f, "missing_field", "update", "an object with one member");
    stg_update_send(t->chat, arena_printf(t->a, SLF, SLA(js_key(update, it))).p, js_print(t->a, js_value(it)));
    return true;
}

/* clang-format off */
static const struct { slice type; bool (*fn)(struct act *t); } deeds[] = {
    { SLI("text"),       do_text },     { SLI("photo"),    do_file },    { SLI("video"),  do_file },
    { SLI("animation"),  do_file },     { SLI("audio"),    do_file },    { SLI("voice"),  do_file },
    { SLI("video_note"), do_file },     { SLI("document"), do_file },    { SLI("sticker"), do_file },
    { SLI("location"),   do_location }, { SLI("contact"),  do_contact }, { SLI("edit"),   do_edit },
    { SLI("block"),      do_block },    { SLI("unblock"),  do_block },   { SLI("update"), do_update },
    { SLI("migrate"),    do_migrate },
};
/* clang-format on */

static bool act(struct act *t)
{
    return SIM_DO(deeds, t);
}

/* ---- control routes ------------------------------------------------------------------------------------------------------------ */

/* False: answered. */
static bool act_of(struct sim_call *c, struct stg *s, struct act *t, struct fault *f)
{
    *t = (struct act){ .s = s, .a = c->x->a, .f = f, .chat = stg_chat_of(s, c->params[0]) };
    if (!t->chat) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return false;
    }
    t->what = sim_object(c);
    if (!t->what)
        return false;
    slice as = js_text(js_at(t->what, "as"));
    t->who = t->chat->group ? stg_chat_of(s, as.n ? as : SL("1")) : t->chat;
    if (!t->who)
        sim_refuse(c, 404, "not_found", "", "nobody of that number");
    return t->who != NULL;
}

static void post_send(struct sim_call *c, void *ctx)
{
    struct fault f = { 0 };
    struct act t;
    if (!act_of(c, ctx, &t, &f))
        return;
    if (act(&t))
        sim_json(c, 200, arena_printf(t.a, "{\"message_id\":%lld}", (long long)t.id));
    else
        sim_fault(c, 400, &f);
}

/* The button of this label in the rows of an inline keyboard or a reply keyboard. */
static const struct js *button_of(const struct js *rows, slice label)
{
    for (size_t i = 0; i < js_len(rows); i++)
        for (size_t k = 0; k < js_len(js_item(rows, i)); k++)
            if (slice_eq(js_text(js_at(js_item(js_item(rows, i), k), "text")), label))
                return js_item(js_item(rows, i), k);
    return NULL;
}

static void tap(struct act *t, const struct stg_message *m, slice data)
{
    slice id = sim_random_hex(&t->s->env->random, t->a, 18);
    struct jw w = jw_new(t->a, 1 << 20);
    shelf_put(t->s->queries, id, stg_copy(data), time_mono_ms());
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", id);
    put_user(&w, "from", t->who);
    jw_raw(&w, "message", slice_of(m->json));
    jw_str(&w, "chat_instance", SL("-5150"));
    jw_str(&w, "data", data);
    jw_close(&w, '}');
    stg_update_send(t->chat, "callback_query", jw_done(&w));
}

static void post_tap(struct sim_call *c, void *ctx)
{
    struct fault f = { 0 };
    struct act t;
    if (!act_of(c, ctx, &t, &f))
        return;
    slice label = sim_text(t.what, "label", ""), data = SLICE_NONE;
    const struct stg_message *of = NULL;
    bool keyboard = false;
    for (const struct stg_message *m = t.chat->first; m; m = m->next) {
        const struct js *doc = js_parse(t.a, slice_of(m->json), NULL);
        const struct js *b = button_of(js_at(doc, "reply_markup.inline_keyboard"), label);
        bool key = button_of(js_at(doc, "reply_markup.keyboard"), label);
        if (!b && !key)
            continue;
        of = m;
        keyboard = key;
        data = js_text(js_at(b, "callback_data"));
    }
    if (!of) {
        sim_refuse(c, 404, "not_found", "", "no button with this label is shown");
        return;
    }
    if (keyboard) { /* it says its label */
        struct jw w = jw_new(t.a, 4096);
        jw_open(&w, NULL, '{');
        jw_str(&w, "text", label);
        jw_close(&w, '}');
        t.what = js_parse(t.a, jw_done(&w), NULL);
        (void)do_text(&t);
    } else if (data.n) {
        tap(&t, of, data);
    }
    sim_json(c, 200, SL("{}"));
}

static void post_again(struct sim_call *c, void *ctx)
{
    struct stg *s = ctx;
    if (!s->last_update) {
        sim_refuse(c, 404, "not_found", "", "no update was sent yet");
        return;
    }
    stg_update_again(s->last_chat, slice_of(s->last_update));
    sim_json(c, 200, SL("{}"));
}

static void put_guest(struct jw *w, const struct stg *s, const struct stg_chat *chat)
{
    int64_t left_ms = chat->typing_until_ms - time_mono_ms();
    jw_open(w, NULL, '{');
    if (chat->group)
        jw_str(w, "number", SL("group"));
    else
        jw_int(w, "number", (int64_t)(chat - s->chats) + 1);
    jw_int(w, "id", chat->id);
    jw_str(w, "name", slice_of(chat->name));
    jw_str(w, "username", slice_of(chat->username));
    jw_bool(w, "blocked", chat->blocked);
    jw_int(w, "typing_ms", MAX(left_ms, 0));
    jw_close(w, '}');
}

static void get_guests(struct sim_call *c, void *ctx)
{
    struct stg *s = ctx;
    struct jw w = jw_new(c->x->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "bot", '{');
    jw_str(&w, "username", s->username);
    jw_close(&w, '}');
    jw_str(&w, "webhook", slice_of(s->url ? s->url : ""));
    jw_open(&w, "guests", '[');
    for (size_t i = 0; i < s->n_chats; i++)
        put_guest(&w, s, &s->chats[i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void get_messages(struct sim_call *c, void *ctx)
{
    struct stg *s = ctx;
    const struct stg_chat *chat = stg_chat_of(s, c->params[0]);
    if (!chat) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    struct jw w = jw_new(c->x->a, 32 << 20);
    jw_open(&w, NULL, '{');
    jw_key(&w, SL("guest"));
    put_guest(&w, s, chat);
    jw_open(&w, "messages", '[');
    for (const struct stg_message *m = chat->first; m; m = m->next)
        stg_message_write(&w, m);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void get_counters(struct sim_call *c, void *ctx)
{
    struct stg *s = ctx;
    sim_json(c, 200, arena_printf(c->x->a, "{\"calls\":%lld,\"updates\":%lld,\"taken\":%lld,\"refused\":%lld,\"webhooks\":" SLF "}",
                                  (long long)s->calls, (long long)s->updates, (long long)s->taken, (long long)s->refused,
                                  SLA(webhooks_show(s->env->webhooks, c->x->a))));
}

/* The bytes of what a guest sent, for the page. */
static void get_file(struct sim_call *c, void *ctx)
{
    struct stg *s = ctx;
    const struct stg_file *file = shelf_get(s->files, c->params[0]);
    if (!file)
        sim_refuse(c, 404, "not_found", "", "no such file");
    else
        sim_answer(c, 200, SL("application/octet-stream"), arena_dup(c->x->a, file->bytes));
}

static const struct sim_route routes[] = {
    { "GET", "/sim/guests", get_guests, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/send", post_send, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/tap", post_tap, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/again", post_again, SIM_CONTROL },
    { "GET", "/sim/guests/:guest/messages", get_messages, SIM_CONTROL },
    { "GET", "/sim/counters", get_counters, SIM_CONTROL },
    { "GET", "/sim/files/:id", get_file, SIM_CONTROL },
};

void stg_guest_routes(struct stg *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
