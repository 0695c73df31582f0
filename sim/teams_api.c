/* teams_api.c - the Bot Connector: sections "Sending", "Cards", "Files out", "Profiles", "Errors". */
#include "sim/shelf.h"
#include "sim/teams.h"
#include "wire/url.h"

void stm_error(struct sim_call *c, int status, const char *code, const char *text)
{
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_open(&w, "error", '{');
    jw_str(&w, "code", slice_of(code));
    jw_str(&w, "message", slice_of(text));
    jw_close(&w, '}');
    jw_close(&w, '}');
    sim_json(c, status, jw_done(&w));
}

/* clang-format off */
static const struct { int status; const char *code, *text; } refusals[] = {
    { 400, "BadSyntax",            "Bad format of activity" },
    { 401, "BotNotRegistered",     "No registration found for this bot." },
    { 403, "ConversationBlockedByUser", "User blocked the conversation with the bot." },
    { 404, "ConversationNotFound", "Conversation not found." },
    { 412, "PreconditionFailed",   "Precondition failed, please try again." },
    { 413, "MessageSizeTooBig",    "Message size too large." },
    { 429, "Throttled",            "Too many requests." },
    { 500, "ServiceError",         "Unknown" },
    { 502, "ServiceError",         "Bad gateway" },
    { 503, "ServiceUnavailable",   "Service unavailable" },
};
/* clang-format on */

void stm_refuse(struct sim_call *c, int status)
{
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (refusals[i].status == status) {
            stm_error(c, status, refusals[i].code, refusals[i].text);
            return;
        }
    sim_answer(c, status, SLICE_NONE, SLICE_NONE);
}

/* ---- what an activity may hold --------------------------------------------------------------------------------------------------- */

static bool is_url(slice s)
{
    return slice_starts(s, SL("https://")) || slice_starts(s, SL("http://")) || slice_starts(s, SL("data:image/"));
}

static const char *bad_hero(const struct js *content)
{
    enum { BUTTONS = 6 };
    static const slice kinds[] = { SLI("imBack"), SLI("messageBack"), SLI("openUrl"), SLI("invoke"), SLI("signin") };
    const struct js *buttons = js_at(content, "buttons"), *images = js_at(content, "images");
    if (js_len(buttons) > BUTTONS)
        return "A card has at most 6 buttons";
    for (size_t i = 0; i < js_len(buttons); i++) {
        const struct js *b = js_item(buttons, i);
        bool known = false;
        for (size_t k = 0; k < COUNT(kinds); k++)
            known |= slice_eq(js_text(js_at(b, "type")), kinds[k]);
        if (!known || !js_text(js_at(b, "title")).n || !js_at(b, "value"))
            return "A button needs type, title and value";
    }
    for (size_t i = 0; i < js_len(images); i++)
        if (!is_url(js_text(js_at(js_item(images, i), "url"))))
            return "An image needs a url";
    return NULL;
}

static const char *bad_adaptive(const struct js *card)
{
    if (!slice_eq(js_text(js_at(card, "type")), SL("AdaptiveCard")) || !js_text(js_at(card, "version")).n)
        return "An Adaptive Card needs type and version";
    return js_at(card, "body") || js_at(card, "actions") ? NULL : "An Adaptive Card needs a body";
}

static const char *bad_consent(const struct js *content)
{
    int64_t size = 0;
    if (!js_int(js_at(content, "sizeInBytes"), &size) || size <= 0)
        return "A file consent card needs sizeInBytes";
    return js_at(content, "acceptContext") ? NULL : "A file consent card needs acceptContext";
}

static const char *bad_attachment(const struct js *att, bool room)
{
    slice type = js_text(js_at(att, "contentType")), url = js_text(js_at(att, "contentUrl"));
    const struct js *content = js_at(att, "content");
    if (slice_starts(type, SL("image/")))
        return is_url(url) ? NULL : "An image needs a contentUrl";
    if (slice_eq(type, SL("application/vnd.microsoft.card.hero")) || slice_eq(type, SL("application/vnd.microsoft.card.thumbnail")))
        return bad_hero(content);
    if (slice_eq(type, SL("application/vnd.microsoft.card.adaptive")))
        return bad_adaptive(content);
    if (slice_eq(type, SL("application/vnd.microsoft.teams.card.file.consent")))
        return room ? "File consent is for personal chats only" : js_text(js_at(att, "name")).n ? bad_consent(content) : "A file needs a name";
    if (slice_eq(type, SL("application/vnd.microsoft.teams.card.file.info")))
        return js_text(js_at(content, "uniqueId")).n && url.n ? NULL : "A file info card needs uniqueId and contentUrl";
    if (slice_eq(type, SL("application/vnd.microsoft.card.receipt")) || slice_eq(type, SL("application/vnd.microsoft.teams.card.list")))
        return NULL;
    return "Unknown attachment type";
}

static const char *bad_activity(const struct js *doc, bool room)
{
    enum { SUGGESTED = 3 };
    const struct js *attachments = js_at(doc, "attachments"), *suggested = js_at(doc, "suggestedActions.actions");
    slice format = js_text(js_at(doc, "textFormat"));
    if (!slice_eq(js_text(js_at(doc, "type")), SL("message")))
        return "Unknown activity type";
    if (!js_text(js_at(doc, "text")).n && !js_len(attachments))
        return "The bot's message has no text and no attachment";
    if (format.n && !slice_eq(format, SL("plain")) && !slice_eq(format, SL("markdown")) && !slice_eq(format, SL("xml")))
        return "Unknown textFormat";
    if (js_len(suggested) > SUGGESTED || (js_len(suggested) && room))
        return "Suggested actions: at most 3, in personal chats";
    for (size_t i = 0; i < js_len(attachments); i++) {
        const char *why = bad_attachment(js_item(attachments, i), room);
        if (why)
            return why;
    }
    return NULL;
}

/* ---- sending ------------------------------------------------------------------------------------------------------------------------ */

struct sending {
    struct stm *s;
    struct sim_call *c;
    struct stm_chat *chat;
    slice thread, body;
    struct client_call call;
};

/* NULL: answered. */
static struct stm_chat *chat_for(struct stm *s, struct sim_call *c, slice *ret_thread)
{
    s->calls++;
    if (!stm_token_ok(s, c))
        return NULL;
    struct stm_chat *chat = stm_chat_at(s, c->params[0], ret_thread);
    if (!chat)
        stm_error(c, 404, "ConversationNotFound", "Conversation not found.");
    else if (chat->removed)
        stm_error(c, 403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.");
    else
        return chat;
    return NULL;
}

static bool over_rate(struct stm *s, struct sim_call *c, struct stm_chat *chat)
{
    int64_t now_s = time_mono_ms() / 1000;
    if (chat->window_s != now_s)
        chat->in_window = 0;
    chat->window_s = now_s;
    if (!s->per_conversation || ++chat->in_window <= s->per_conversation)
        return false;
    sim_header(c, "Retry-After", SL("1"));
    stm_error(c, 429, "Throttled", "Too many requests.");
    return true;
}

static void put(struct sending *sd, slice media)
{
    struct stm *s = sd->s;
    slice id = stm_new_id(s, sd->c->x->a);
    sd->chat->typing_until_ms = 0;
    stm_message_add(sd->chat, 0, id, sd->thread, sd->body, media);
    sim_json(sd->c, 201, arena_printf(sd->c->x->a, "{\"id\":\"" SLF "\"}", SLA(id)));
}

static void picture_fetched(void *arg, const struct answer *r)
{
    struct sending *sd = arg;
    struct jw w = jw_new(sd->c->x->a, 4096);
    if (r->status != 200 || !r->body.n || r->body.n > STM_IMAGE_BYTES_MAX || !slice_starts(r->type, SL("image/"))) {
        stm_error(sd->c, 400, "BadArgument", "The image could not be fetched, is too large, or is none");
        return;
    }
    jw_open(&w, NULL, '{');
    jw_int(&w, "bytes", (int64_t)r->body.n);
    jw_str(&w, "type", r->type);
    jw_str(&w, "file", stm_file_put(sd->s, sd->c->x->a, r->type, SL("picture"), r->body)); /* for the page */
    jw_close(&w, '}');
    put(sd, jw_done(&w));
}

static void post_activity(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    slice thread;
    struct stm_chat *chat = chat_for(s, c, &thread);
    if (!chat || over_rate(s, c, chat))
        return;
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    if (doc && slice_eq(js_text(js_at(doc, "type")), SL("typing"))) {
        chat->typing_until_ms = time_mono_ms() + STM_TYPING_MS;
        stm_changed(s);
        sim_json(c, 201, arena_printf(c->x->a, "{\"id\":\"" SLF "\"}", SLA(stm_new_id(s, c->x->a))));
        return;
    }
    const char *bad = doc ? bad_activity(doc, chat->number == 0) : "Bad format of activity";
    if (bad) {
        stm_error(c, 400, "BadSyntax", bad);
        return;
    }
    if (utf16_len(c->x->body) > STM_ACTIVITY_UNITS) {
        stm_refuse(c, 413);
        return;
    }
    struct sending *sd = ARENA_NEW(c->x->a, struct sending);
    *sd = (struct sending){ .s = s, .c = c, .chat = chat, .thread = thread, .body = c->x->body };
    const struct js *att = js_at(doc, "attachments.0");
    slice type = js_text(js_at(att, "contentType")), url = js_text(js_at(att, "contentUrl"));
    if (slice_eq(type, SL("application/vnd.microsoft.teams.card.file.info"))) {
        put(sd, stm_upload_shown(s, c->x->a, js_text(js_at(att, "content.uniqueId"))));
    } else if (s->fetch_media && slice_starts(type, SL("image/")) && slice_starts(url, SL("http"))) {
        enum { FETCH_MS = 10000 };
        sd->call = (struct client_call){ .a = c->x->a, .method = "GET", .url = url, .answer_bytes = STM_IMAGE_BYTES_MAX + 1, .total_ms = FETCH_MS,
                                         .done = picture_fetched, .arg = sd }; /* no redirects */
        client_send(s->env->client, &sd->call);
    } else {
        put(sd, SLICE_NONE);
    }
}

/* The bot's own message; NULL: answered. */
static struct stm_message *own_message(struct stm *s, struct sim_call *c, struct stm_chat **ret)
{
    slice thread;
    struct stm_message *m = NULL;
    if ((*ret = chat_for(s, c, &thread)) && (!(m = stm_message_find(*ret, c->params[1])) || m->who)) {
        stm_error(c, 404, "ActivityNotFoundInConversation", "Activity not found.");
        m = NULL;
    }
    return m;
}

static void put_activity(struct sim_call *c, void *ctx)
{
    struct stm_chat *chat;
    struct stm_message *m = own_message(ctx, c, &chat);
    const struct js *doc = m ? js_parse(c->x->a, c->x->body, NULL) : NULL;
    const char *bad = doc ? bad_activity(doc, chat->number == 0) : "Bad format of activity";
    if (!m)
        return;
    if (bad) {
        stm_error(c, 400, "BadSyntax", bad);
        return;
    }
    stm_message_replace(m, c->x->body);
    stm_changed(ctx);
    sim_json(c, 200, arena_printf(c->x->a, "{\"id\":\"%s\"}", m->id));
}

static void delete_activity(struct sim_call *c, void *ctx)
{
    struct stm_chat *chat;
    struct stm_message *m = own_message(ctx, c, &chat);
    if (!m)
        return;
    stm_message_drop(chat, m);
    sim_answer(c, 200, SLICE_NONE, SLICE_NONE);
}

/* ---- conversations and members -------------------------------------------------------------------------------------------------------- */

static void post_conversation(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    s->calls++;
    if (!stm_token_ok(s, c))
        return;
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    slice user = js_text(js_at(doc, "members.0.id")), bot = js_text(js_at(doc, "bot.id")), tenant = js_text(js_at(doc, "tenantId"));
    if (!slice_eq(bot, arena_printf(c->x->a, "28:" SLF, SLA(s->bot_id))) || !slice_eq_nocase(tenant, s->tenant)) {
        stm_error(c, 400, "BadArgument", "bot.id and tenantId are wrong");
        return;
    }
    for (size_t i = 0; i + 1 < s->n_chats; i++) {
        struct stm_chat *chat = &s->chats[i];
        if (!slice_eq(user, slice_of(chat->user)))
            continue;
        if (chat->removed)
            stm_error(c, 403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.");
        else
            sim_json(c, 201, arena_printf(c->x->a, "{\"id\":\"%s\",\"serviceUrl\":\"" SLF "\"}", chat->conversation, SLA(stm_service_url(s, c->x->a))));
        return;
    }
    stm_error(c, 400, "BadArgument", "Failed to decrypt pairwise id");
}

static void put_member(struct jw *w, struct arena *a, const struct stm *s, const struct stm_chat *chat)
{
    slice last = slice_of(chat->name), first = slice_cut(&last, ' ');
    jw_open(w, NULL, '{');
    jw_str(w, "id", slice_of(chat->user));
    jw_str(w, "objectId", slice_of(chat->aad));
    jw_str(w, "name", slice_of(chat->name));
    jw_str(w, "givenName", first);
    jw_str(w, "surname", slice_or(last, SL("")));
    jw_str(w, "email", arena_printf(a, "guest%d@acme.example", chat->number));
    jw_str(w, "userPrincipalName", arena_printf(a, "guest%d@acme.example", chat->number));
    jw_str(w, "tenantId", s->tenant);
    jw_str(w, "userRole", SL("user"));
    jw_close(w, '}');
}

static void get_member(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    slice thread;
    if (!chat_for(s, c, &thread))
        return;
    for (size_t i = 0; i + 1 < s->n_chats; i++) {
        if (!slice_eq(c->params[1], slice_of(s->chats[i].user)) && !slice_eq(c->params[1], slice_of(s->chats[i].aad)))
            continue;
        struct jw w = jw_new(c->x->a, 4096);
        put_member(&w, c->x->a, s, &s->chats[i]);
        sim_json(c, 200, jw_done(&w));
        return;
    }
    stm_error(c, 404, "MemberNotFoundInConversation", "Member not found in conversation.");
}

static void get_members(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    slice thread;
    struct stm_chat *chat = chat_for(s, c, &thread);
    if (!chat)
        return;
    struct jw w = jw_new(c->x->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "members", '[');
    for (size_t i = 0; i + 1 < s->n_chats; i++)
        if (chat->number == 0 || chat == &s->chats[i])
            put_member(&w, c->x->a, s, &s->chats[i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void unknown(struct sim_call *c, void *ctx)
{
    (void)ctx;
    stm_error(c, 404, "NotFound", "No HTTP resource was found that matches the request URI.");
}

#define V3 STM_SERVICE "/v3"
static const struct sim_route routes[] = {
    { "POST", V3 "/conversations", post_conversation, 0 },
    { "POST", V3 "/conversations/:conversation/activities", post_activity, 0 },
    { "POST", V3 "/conversations/:conversation/activities/:activity", post_activity, 0 },
    { "PUT", V3 "/conversations/:conversation/activities/:activity", put_activity, 0 },
    { "DELETE", V3 "/conversations/:conversation/activities/:activity", delete_activity, 0 },
    { "GET", V3 "/conversations/:conversation/pagedmembers", get_members, 0 },
    { "GET", V3 "/conversations/:conversation/members/:member", get_member, 0 },
};

void stm_api_routes(struct stm *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, unknown);
}
