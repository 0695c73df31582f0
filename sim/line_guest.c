/* line_guest.c - what a guest can do, and the event each of it makes: sections "Every event kind" and "message objects". */
#include "sim/draw.h"
#include "sim/line.h"
#include "sim/sign.h"
#include "sim/webhook.h"

enum { TEXT_UNITS = 5000, TAP_LOOKS_BACK = 20 };

struct act { /* one thing done */
    struct line *line;
    struct line_batch *b;
    struct arena *a;
    struct chat *where, *who; /* the chat; who acts (in 1:1 the same) */
    const struct js *what;
    struct fault *f;
};

static int64_t number(const struct act *t, const char *name, int64_t otherwise)
{
    int64_t n = otherwise;
    return js_int(js_at(t->what, name), &n) ? n : otherwise;
}

/* Members that are passed on as they were given. */
static void pass_on(struct act *t, struct jw *w, const char *name)
{
    const struct js *v = js_at(t->what, name);
    if (v)
        jw_value(w, name, v);
}

/* Nothing reaches the hub while somebody else has the chat (the switcher). */
static bool hub_hears(const struct act *t)
{
    return !t->where->destination[0];
}

static void bubble(struct act *t, slice id, slice json)
{
    bool in_group = t->where->kind != CHAT_USER;
    struct bubble *b = line_bubble_add(t->where, true, "send", id, in_group ? slice_of(t->who->id) : SLICE_NONE, json);
    const struct content *k = shelf_get(t->line->contents, id);
    if (k)
        line_bubble_media(b, arena_printf(t->a, "{\"url\":\"/sim/contents/" SLF "\",\"bytes\":%zu}", SLA(id), k->bytes.n));
    line_bubble_told(t->where, b);
}

/* ---- messages ------------------------------------------------------------------------------------------------------------------------- */

static struct jw message_open(struct act *t, const char *type, char *id, size_t n)
{
    line_next_id(t->line, id, n);
    struct jw w = jw_new(t->a, 256 << 10);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", slice_of(id));
    jw_str(&w, "type", slice_of(type));
    return w;
}

static bool message_close(struct act *t, struct jw *w, const char *id, bool quotable)
{
    if (quotable)
        jw_str(w, "quoteToken", sim_random_hex(&t->line->env->random, t->a, 40));
    if (t->where->kind == CHAT_USER) {
        slice token = sim_random_hex(&t->line->env->random, t->a, 24), at = arena_printf(t->a, "%s %s", t->where->id, id);
        char *kept = must_malloc(at.n + 1);
        memcpy(kept, at.p, at.n + 1);
        shelf_put(t->line->read_tokens, token, kept, 0);
        jw_str(w, "markAsReadToken", token);
    }
    jw_close(w, '}');
    slice json = jw_done(w);
    bubble(t, slice_of(id), json);
    if (!hub_hears(t))
        return true;
    line_event_open(t->b, "message", t->where, t->who, true);
    jw_raw(&t->b->w, "message", json);
    line_event_close(t->b);
    return true;
}

static bool send_text(struct act *t)
{
    char id[24];
    slice text = js_text(js_at(t->what, "text"));
    if (!text.n || utf16_len(text) > TEXT_UNITS)
        return fault(t->f, "out_of_range", "text", "a text of 1 to %d UTF-16 units", TEXT_UNITS);
    struct jw w = message_open(t, "text", id, sizeof(id));
    jw_str(&w, "text", text);
    pass_on(t, &w, "emojis");
    pass_on(t, &w, "mention");
    pass_on(t, &w, "quotedMessageId");
    return message_close(t, &w, id, true);
}

/* The bytes come as "base64", or from elsewhere by "url", or are our sample picture. */
static bool content(struct act *t, const char *id, slice type, slice sample)
{
    slice base64 = js_text(js_at(t->what, "base64")), bytes = base64.p ? sign_unbase64(t->a, base64) : sample;
    if (!bytes.p)
        return fault(t->f, "missing_field", "base64", "the bytes as Base64, or an \"url\"");
    line_content_put(t->line, slice_of(id), slice_or(js_text(js_at(t->what, "contentType")), type), bytes,
                     time_now_ms() + number(t, "preparing_ms", 0), slice_eq(sim_text(t->what, "transcoding", ""), SL("failed")));
    return true;
}

static void provider(struct act *t, struct jw *w)
{
    slice url = js_text(js_at(t->what, "url"));
    jw_open(w, "contentProvider", '{');
    jw_str(w, "type", url.n ? SL("external") : SL("line"));
    jw_opt(w, "originalContentUrl", url);
    jw_opt(w, "previewImageUrl", url.n ? sim_text(t->what, "previewUrl", "") : SLICE_NONE);
    jw_close(w, '}');
}

static bool send_image(struct act *t)
{
    char id[24];
    bool external = js_text(js_at(t->what, "url")).n;
    struct jw w = message_open(t, "image", id, sizeof(id));
    if (!external && !content(t, id, SL("image/png"), draw_scene(t->a, 640, 480, 1)))
        return false;
    provider(t, &w);
    pass_on(t, &w, "imageSet");
    return message_close(t, &w, id, true);
}

static bool send_film(struct act *t, const char *type, slice mime, bool quotable)
{
    char id[24];
    bool external = js_text(js_at(t->what, "url")).n;
    struct jw w = message_open(t, type, id, sizeof(id));
    if (!external && !content(t, id, mime, SLICE_NONE))
        return false;
    jw_int(&w, "duration", number(t, "duration", 1000));
    provider(t, &w);
    return message_close(t, &w, id, quotable);
}

static bool send_video(struct act *t)
{
    return send_film(t, "video", SL("video/mp4"), true);
}

static bool send_audio(struct act *t)
{
    return send_film(t, "audio", SL("audio/x-m4a"), false);
}

static bool send_file(struct act *t)
{
    char id[24];
    struct jw w = message_open(t, "file", id, sizeof(id));
    if (!content(t, id, SL("application/octet-stream"), SL("A few words in a file.\n")))
        return false;
    const struct content *k = shelf_get(t->line->contents, slice_of(id));
    jw_str(&w, "fileName", sim_text(t->what, "fileName", "note.txt"));
    jw_int(&w, "fileSize", (int64_t)k->bytes.n);
    return message_close(t, &w, id, false);
}

static bool send_sticker(struct act *t)
{
    char id[24];
    struct jw w = message_open(t, "sticker", id, sizeof(id));
    jw_str(&w, "packageId", sim_text(t->what, "packageId", "446"));
    jw_str(&w, "stickerId", sim_text(t->what, "stickerId", "1988"));
    jw_str(&w, "stickerResourceType", sim_text(t->what, "stickerResourceType", "STATIC"));
    pass_on(t, &w, "keywords");
    pass_on(t, &w, "text");
    pass_on(t, &w, "quotedMessageId");
    return message_close(t, &w, id, true);
}

static bool send_location(struct act *t)
{
    char id[24];
    double lat = 35.6812, lon = 139.7671;
    if ((js_at(t->what, "latitude") && !js_double(js_at(t->what, "latitude"), &lat)) ||
        (js_at(t->what, "longitude") && !js_double(js_at(t->what, "longitude"), &lon)) || lat < -90 || lat > 90 || lon < -180 || lon > 180)
        return fault(t->f, "out_of_range", "latitude", "degrees");
    struct jw w = message_open(t, "location", id, sizeof(id));
    jw_opt(&w, "title", sim_text(t->what, "title", "Tokyo Station"));
    jw_opt(&w, "address", sim_text(t->what, "address", "1 Chome Marunouchi, Chiyoda City, Tokyo"));
    jw_double(&w, "latitude", lat);
    jw_double(&w, "longitude", lon);
    return message_close(t, &w, id, false);
}

/* ---- events --------------------------------------------------------------------------------------------------------------------------- */

static void note(struct act *t, const char *what)
{
    char id[24];
    line_next_id(t->line, id, sizeof(id));
    bubble(t, slice_of(id), arena_printf(t->a, "{\"type\":\"%s\"}", what));
}

static bool do_postback(struct act *t)
{
    slice data = js_text(js_at(t->what, "data")), text = js_text(js_at(t->what, "displayText"));
    if (!data.p)
        return fault(t->f, "missing_field", "data", "what the button carries");
    if (text.n) { /* shown as the guest's words, and not sent as a message */
        char id[24];
        line_next_id(t->line, id, sizeof(id));
        struct jw w = jw_new(t->a, 16 << 10);
        jw_open(&w, NULL, '{');
        jw_str(&w, "type", SL("text"));
        jw_str(&w, "text", text);
        jw_str(&w, "data", data);
        jw_close(&w, '}');
        bubble(t, slice_of(id), jw_done(&w));
    }
    if (!hub_hears(t))
        return true;
    line_event_open(t->b, "postback", t->where, t->who, true);
    jw_open(&t->b->w, "postback", '{');
    jw_str(&t->b->w, "data", data);
    pass_on(t, &t->b->w, "params");
    jw_close(&t->b->w, '}');
    line_event_close(t->b);
    return true;
}

static bool do_follow(struct act *t)
{
    bool unblocked = js_true(js_at(t->what, "isUnblocked")) || (!t->who->friend && t->who->sent > 0);
    t->who->friend = true;
    note(t, "follow");
    line_event_open(t->b, "follow", t->where, t->who, true);
    jw_open(&t->b->w, "follow", '{');
    jw_bool(&t->b->w, "isUnblocked", unblocked);
    jw_close(&t->b->w, '}');
    line_event_close(t->b);
    return true;
}

static bool do_unfollow(struct act *t)
{
    t->who->friend = false;
    note(t, "unfollow");
    line_event_open(t->b, "unfollow", t->where, t->who, false);
    line_event_close(t->b);
    return true;
}

static bool do_unsend(struct act *t)
{
    slice id = js_text(js_at(t->what, "messageId"));
    struct bubble *found = NULL;
    for (struct bubble *b = t->where->first; b; b = b->next)
        if (b->from_guest && !b->gone && (id.n ? slice_eq(slice_of(b->id), id) : true))
            found = b;
    if (!found)
        return fault(t->f, "not_found", "messageId", "no message of this guest");
    found->gone = true;
    shelf_remove(t->line->contents, slice_of(found->id));
    line_bubble_told(t->where, found);
    if (!hub_hears(t))
        return true;
    line_event_open(t->b, "unsend", t->where, t->who, false);
    jw_open(&t->b->w, "unsend", '{');
    jw_str(&t->b->w, "messageId", slice_of(found->id));
    jw_close(&t->b->w, '}');
    line_event_close(t->b);
    return true;
}

/* The chat comes back from where the account's Switcher call sent it. What the target hears then is not public; this is our guess. */
static bool do_switch_back(struct act *t)
{
    t->where->destination[0] = 0;
    note(t, "switch back");
    line_event_open(t->b, "switcher", t->where, t->who, false);
    pass_on(t, &t->b->w, "note");
    line_event_close(t->b);
    return true;
}

/* clang-format off */
static const struct { /* events that only carry something: the member and what stands in it unless given */
    const char *type, *member, *standard;
    bool reply_token, bot; /* bot: about the account, nobody acts */
} plain[] = {
    { "join",              NULL,                NULL,                                             true,  false },
    { "leave",             NULL,                NULL,                                             false, false },
    { "videoPlayComplete", "videoPlayComplete", "{\"trackingId\":\"film-1\"}",                    true,  false },
    { "beacon",            "beacon",            "{\"hwid\":\"d41d8cd98f\",\"type\":\"enter\"}",   true,  false },
    { "accountLink",       "link",              "{\"result\":\"ok\",\"nonce\":\"bm9uY2U\"}",      true,  false },
    { "membership",        "membership",        "{\"type\":\"joined\",\"membershipId\":3189}",    true,  false },
    { "module",            "module",            "{\"type\":\"attached\",\"botId\":\"U0\",\"scopes\":[\"message:send\"]}", false, true },
    { "activated",         "chatControl",       "{\"expireAt\":4102444800000}",                   false, false },
    { "deactivated",       NULL,                NULL,                                             false, false },
    { "botSuspended",      NULL,                NULL,                                             false, true },
    { "botResumed",        NULL,                NULL,                                             false, true },
    { "delivery",          "delivery",          "{\"data\":\"a-tag-of-16-chars\"}",               false, true },
};
static const struct { const char *type; bool (*fn)(struct act *t); } acts[] = {
    { "text", send_text }, { "image", send_image }, { "video", send_video }, { "audio", send_audio }, { "file", send_file },
    { "sticker", send_sticker }, { "location", send_location }, { "postback", do_postback }, { "follow", do_follow },
    { "unfollow", do_unfollow }, { "unsend", do_unsend }, { "switchBack", do_switch_back },
};
/* clang-format on */

static bool do_plain(struct act *t, size_t i)
{
    const char *name = plain[i].member;
    if (strcmp(plain[i].type, "join") == 0)
        t->where->left = false;
    if (strcmp(plain[i].type, "leave") == 0)
        t->where->left = true;
    bool token = plain[i].reply_token && !slice_eq(js_text(js_at(t->what, "link.result")), SL("failed"));
    line_event_open(t->b, plain[i].type, plain[i].bot ? NULL : t->where, NULL, token);
    if (name && js_at(t->what, name))
        pass_on(t, &t->b->w, name);
    else if (name)
        jw_raw(&t->b->w, name, slice_of(plain[i].standard));
    line_event_close(t->b);
    return true;
}

static bool do_members(struct act *t, const char *type, const char *member_name)
{
    line_event_open(t->b, type, t->where, NULL, strcmp(type, "memberJoined") == 0);
    jw_open(&t->b->w, member_name, '{');
    jw_open(&t->b->w, "members", '[');
    jw_open(&t->b->w, NULL, '{');
    jw_str(&t->b->w, "type", SL("user"));
    jw_str(&t->b->w, "userId", slice_of(t->who->id));
    jw_close(&t->b->w, '}');
    jw_close(&t->b->w, ']');
    jw_close(&t->b->w, '}');
    line_event_close(t->b);
    return true;
}

/* {"type":"event","event":{"type":"somethingNew",…}}: kinds that are not known here either. */
static bool do_raw(struct act *t)
{
    const struct js *e = js_at(t->what, "event");
    slice type = js_text(js_at(e, "type"));
    if (!type.n)
        return fault(t->f, "missing_field", "event.type", "an event has a type");
    line_event_open(t->b, arena_cstr(t->a, type), t->where, t->who, js_true(js_at(t->what, "replyToken")));
    for (void *it = js_first(e); it; it = js_next(e, it))
        if (!slice_eq(js_key(e, it), SL("type")))
            jw_value(&t->b->w, arena_cstr(t->a, js_key(e, it)), js_value(it));
    line_event_close(t->b);
    return true;
}

bool line_guest_does(struct line_batch *b, struct chat *c, const struct js *what, struct fault *f)
{
    struct act t = { .line = b->line, .b = b, .a = b->a, .where = c, .who = c, .what = what, .f = f };
    slice type = js_text(js_at(what, "type")), as = js_text(js_at(what, "as"));
    if (c->kind != CHAT_USER) { /* in a group somebody acts: the first person, or the one named by "as" */
        t.who = line_chat(b->line, slice_or(as, SL("1")));
        if (!t.who || !line_chat_has(b->line, c, t.who))
            return fault(f, "not_found", "as", "nobody of this group");
    } else if (!c->friend && !slice_eq(type, SL("follow"))) {
        return fault(f, "blocked", "type", "this guest has blocked the account; only \"follow\" is possible");
    }
    for (size_t i = 0; i < COUNT(acts); i++)
        if (slice_eq(type, slice_of(acts[i].type)))
            return acts[i].fn(&t);
    for (size_t i = 0; i < COUNT(plain); i++)
        if (slice_eq(type, slice_of(plain[i].type)))
            return do_plain(&t, i);
    if (slice_eq(type, SL("memberJoined")))
        return do_members(&t, "memberJoined", "joined");
    if (slice_eq(type, SL("memberLeft")))
        return do_members(&t, "memberLeft", "left");
    if (slice_eq(type, SL("event")))
        return do_raw(&t);
    return fault(f, "out_of_range", "type", "no such thing to do: \"" SLF "\"", SLA(type));
}

/* ---- tapping -------------------------------------------------------------------------------------------------------------------------- */

static bool is_action(const struct js *v)
{
    static const char *const types[] = { "message", "postback", "uri", "datetimepicker", "clipboard", "camera", "cameraRoll", "location" };
    slice type = js_text(js_at(v, "type"));
    for (size_t i = 0; i < COUNT(types); i++)
        if (slice_eq(type, slice_of(types[i])))
            return js_text(js_at(v, "label")).p != NULL;
    return false;
}

/* The first action with this label below v; quick replies are looked at only where they are still shown. */
static const struct js *find_action(const struct js *v, slice label, bool quick, int depth)
{
    const struct js *found = NULL;
    if (depth > JS_DEPTH_MAX)
        return NULL;
    if (js_is_object(v)) {
        if (is_action(v) && slice_eq(js_text(js_at(v, "label")), label))
            return v;
        for (void *it = js_first(v); it && !found; it = js_next(v, it))
            if (quick || !slice_eq(js_key(v, it), SL("quickReply")))
                found = find_action(js_value(it), label, quick, depth + 1);
    }
    for (size_t i = 0; js_is_array(v) && i < js_len(v) && !found; i++)
        found = find_action(js_item(v, i), label, quick, depth + 1);
    return found;
}

const struct js *line_tapped(struct chat *c, struct arena *a, slice label)
{
    const struct bubble *looked[TAP_LOOKS_BACK];
    size_t n = 0;
    for (const struct bubble *b = c->first; b; b = b->next)
        if (!b->from_guest || !b->next)
            looked[n++ % TAP_LOOKS_BACK] = b;
    for (size_t i = 0; i < MIN(n, (size_t)TAP_LOOKS_BACK); i++) {
        const struct bubble *b = looked[(n - 1 - i) % TAP_LOOKS_BACK];
        struct fault f;
        const struct js *m = b->from_guest ? NULL : js_parse(a, b->json, &f);
        const struct js *found = m ? find_action(m, label, !b->next, 0) : NULL;
        if (found)
            return found;
    }
    return NULL;
}
