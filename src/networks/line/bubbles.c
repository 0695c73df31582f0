/* Message objects: "Message objects", "Actions", "Flex". Parts in, bubbles out; a call carries five of them. */
#include "networks/line/wire.h"

/* ---- small common things ------------------------------------------------------------------------------------------- */

static struct jw bubble_begin(struct call *c, const char *type)
{
    struct jw w = jw_new(c->a, LINE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", slice_of(type));
    return w;
}

/* The object stays open: sender and quick replies follow when the call is put together. */
static void bubble_add(struct call *c, struct line_bubbles *b, struct jw *w)
{
    *LIST_ADD(c->a, &b->list, struct line_bubble) = (struct line_bubble){ jw_done(w), false };
}

static void add_text(struct call *c, struct line_bubbles *b, slice text, slice quote)
{
    if (!text.n)
        return;
    struct jw w = bubble_begin(c, "text");
    jw_str(&w, "text", text);
    jw_opt(&w, "quoteToken", quote);
    bubble_add(c, b, &w);
}

/* The token that quotes message `of`, if that is the newest we know of. */
static slice quote_token(struct call *c, slice of)
{
    slice kept = c->guest_memory ? memory_get(c->guest_memory, LINE_QUOTE, c->now_ms) : SLICE_NONE;
    if (!of.n || !kept.n)
        return SLICE_NONE;
    kept = arena_dup(c->a, kept);
    slice id = slice_cut(&kept, ' ');
    return slice_eq(id, of) ? kept : SLICE_NONE;
}

/* A choice without a payload answers with its whole label, of which only the beginning fits on the button. */
static bool says_itself(const struct choice *ch)
{
    return !ch->payload.n || slice_eq(ch->payload, ch->label) ||
           (utf8_len(ch->label) == LINE_LABEL_CHARS && slice_starts(ch->payload, ch->label));
}

static void put_action(struct jw *w, const char *key, const struct choice *ch)
{
    slice label = utf8_cut(ch->label, LINE_LABEL_CHARS);
    jw_open(w, key, '{');
    if (ch->url.n) {
        jw_str(w, "type", SL("uri"));
        jw_str(w, "label", label);
        jw_str(w, "uri", ch->url);
    } else if (!says_itself(ch)) {
        jw_str(w, "type", SL("postback"));
        jw_str(w, "label", label);
        jw_str(w, "data", ch->payload);
        jw_str(w, "displayText", utf8_cut_utf16(ch->label, LINE_ACTION_CHARS));
    } else {
        jw_str(w, "type", SL("message"));
        jw_str(w, "label", label);
        jw_str(w, "text", utf8_cut_utf16(slice_or(ch->payload, ch->label), LINE_ACTION_CHARS));
    }
    jw_close(w, '}');
}

static bool choice_fits(struct call *c, const struct choice *ch, enum reason *ret_reason)
{
    if (ch->label.n && utf8_len(ch->payload) <= LINE_ACTION_CHARS)
        return true;
    *ret_reason = REASON_INVALID;
    return fault(c->f, "refused", "", "a choice needs a label, and its payload at most %d characters",
                 LINE_ACTION_CHARS);
}

/* ---- one function a kind ------------------------------------------------------------------------------------------- */

typedef bool (*bubble_fn)(struct call *c, const struct message *m, struct line_bubbles *b,
                          enum reason *ret_reason);

static bool on_text(struct call *c, const struct message *m, struct line_bubbles *b, enum reason *ret_reason)
{
    (void)ret_reason;
    add_text(c, b, m->text, quote_token(c, m->reply_to));
    return true;
}

static bool on_media(struct call *c, const struct message *m, struct line_bubbles *b, enum reason *ret_reason)
{
    for (size_t i = 0; i < m->media.n; i++) {
        const struct media *md = LIST_AT(m->media, struct media, i);
        if (!md->url.n) {
            *ret_reason = REASON_MEDIA_TYPE;
            return fault(c->f, "refused", "media", "the file has no link LINE could fetch");
        }
        struct jw w = bubble_begin(c, kind_names[m->kind]);
        jw_str(&w, "originalContentUrl", md->url);
        if (m->kind == (int)KIND_AUDIO)
            jw_int(&w, "duration", md->duration_ms > 0 ? md->duration_ms : LINE_AUDIO_MS);
        else
            jw_str(&w, "previewImageUrl", slice_or(md->preview_url, m->kind == (int)KIND_VIDEO ? line_film_url(c, md->url) : md->url));
        bubble_add(c, b, &w);
    }
    return true;
}

static bool on_location(struct call *c, const struct message *m, struct line_bubbles *b,
                        enum reason *ret_reason)
{
    (void)ret_reason;
    const struct location *where = &m->location;
    slice spot =
        arena_printf(c->a, "%.6f, %.6f", where->lat_deg, where->lon_deg); /* both texts must be there */
    struct jw w = bubble_begin(c, "location");
    jw_str(&w, "title",
           utf8_cut_utf16(slice_or(slice_or(where->title, where->address), spot), LINE_PLACE_CHARS));
    jw_str(&w, "address", utf8_cut_utf16(slice_or(where->address, spot), LINE_PLACE_CHARS));
    jw_double(&w, "latitude", where->lat_deg);
    jw_double(&w, "longitude", where->lon_deg);
    bubble_add(c, b, &w);
    return true;
}

/* Packages of the public sticker list: others are refused. */
static const slice sendable_packages[] = {
    SLI("446"),  SLI("789"),  SLI("1070"), SLI("6136"), SLI("6325"),  SLI("6359"),  SLI("6362"),  SLI("6370"),
    SLI("6632"), SLI("8515"), SLI("8522"), SLI("8525"), SLI("11537"), SLI("11538"), SLI("11539"),
};

static bool on_sticker(struct call *c, const struct message *m, struct line_bubbles *b,
                       enum reason *ret_reason)
{
    for (size_t i = 0; i < COUNT(sendable_packages); i++) {
        if (!slice_eq(m->sticker.package, sendable_packages[i]) || !m->sticker.id.n)
            continue;
        struct jw w = bubble_begin(c, "sticker");
        jw_str(&w, "packageId", m->sticker.package);
        jw_str(&w, "stickerId", m->sticker.id);
        jw_opt(&w, "quoteToken", quote_token(c, m->reply_to));
        bubble_add(c, b, &w);
        return true;
    }
    const struct media *picture = message_media(m);
    if (picture && picture->url.n) {
        struct jw w = bubble_begin(c, "image");
        jw_str(&w, "originalContentUrl", picture->url);
        jw_str(&w, "previewImageUrl", slice_or(picture->preview_url, picture->url));
        bubble_add(c, b, &w);
        return true;
    }
    if (m->sticker.title.n) {
        add_text(c, b, m->sticker.title, SLICE_NONE);
        return true;
    }
    *ret_reason = REASON_UNSUPPORTED;
    return fault(c->f, "refused", "sticker",
                 "the sticker is of no package that may be sent, and has no picture");
}

static bool on_choices(struct call *c, const struct message *m, struct line_bubbles *b,
                       enum reason *ret_reason)
{
    struct jw w = jw_new(c->a, LINE_BODY_BYTES);
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < MIN(m->choices.n, (size_t)LINE_QUICK_REPLIES); i++) {
        const struct choice *ch = LIST_AT(m->choices, struct choice, i);
        if (!choice_fits(c, ch, ret_reason))
            return false;
        jw_open(&w, NULL, '{');
        jw_str(&w, "type", SL("action"));
        jw_opt(&w, "imageUrl", ch->image);
        put_action(&w, "action", ch);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    if (m->choices.n)
        b->quick_replies = jw_done(&w);
    if (!m->text.n && !m->media.n) {
        *ret_reason = REASON_INVALID;
        return fault(c->f, "refused", "text", "quick replies need a text to stand under");
    }
    add_text(c, b, m->text, quote_token(c, m->reply_to));
    return true;
}

/* ---- cards: "Flex" ------------------------------------------------------------------------------------------------- */

static void put_flex_text(struct jw *w, slice text, bool title)
{
    if (!text.n)
        return;
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("text"));
    jw_str(w, "text", text);
    jw_bool(w, "wrap", true);
    if (title) {
        jw_str(w, "weight", SL("bold"));
        jw_str(w, "size", SL("lg"));
    }
    jw_close(w, '}');
}

static void put_box(struct jw *w, const char *key)
{
    jw_open(w, key, '{');
    jw_str(w, "type", SL("box"));
    jw_str(w, "layout", SL("vertical"));
    jw_str(w, "spacing", SL("sm"));
    jw_open(w, "contents", '[');
}

static void put_card(struct jw *w, const char *key, const struct card *card)
{
    jw_open(w, key, '{');
    jw_str(w, "type", SL("bubble"));
    if (card->image.n) {
        jw_open(w, "hero", '{');
        jw_str(w, "type", SL("image"));
        jw_str(w, "url", card->image);
        jw_str(w, "size", SL("full"));
        jw_str(w, "aspectRatio", SL("20:13"));
        jw_str(w, "aspectMode", SL("cover"));
        jw_close(w, '}');
    }
    if (card->title.n || card->text.n) {
        put_box(w, "body");
        put_flex_text(w, card->title, true);
        put_flex_text(w, card->text, false);
        jw_close(w, ']');
        jw_close(w, '}');
    }
    if (card->choices.n) {
        put_box(w, "footer");
        for (size_t i = 0; i < MIN(card->choices.n, (size_t)LINE_CARD_CHOICES); i++) {
            jw_open(w, NULL, '{');
            jw_str(w, "type", SL("button"));
            jw_str(w, "style", SL("link"));
            jw_str(w, "height", SL("sm"));
            put_action(w, "action", LIST_AT(card->choices, struct choice, i));
            jw_close(w, '}');
        }
        jw_close(w, ']');
        jw_close(w, '}');
    }
    if (card->url.n) {
        jw_open(w, "action", '{');
        jw_str(w, "type", SL("uri"));
        jw_str(w, "uri", card->url);
        jw_close(w, '}');
    }
    jw_close(w, '}');
}

static bool on_cards(struct call *c, const struct message *m, struct line_bubbles *b, enum reason *ret_reason)
{
    size_t n = MIN(m->cards.n, (size_t)LINE_CARDS);
    slice alt = m->text;
    for (size_t i = 0; i < n; i++) {
        const struct card *card = LIST_AT(m->cards, struct card, i);
        alt = slice_or(alt, slice_or(card->title, card->text));
        if (!card->title.n && !card->text.n && !card->image.n && !card->choices.n) {
            *ret_reason = REASON_INVALID;
            return fault(c->f, "refused", "cards", "a card is empty");
        }
        for (size_t j = 0; j < card->choices.n; j++)
            if (!choice_fits(c, LIST_AT(card->choices, struct choice, j), ret_reason))
                return false;
    }
    if (!n) {
        *ret_reason = REASON_INVALID;
        return fault(c->f, "refused", "cards", "there is no card");
    }
    add_text(c, b, m->text, quote_token(c, m->reply_to));
    struct jw w = bubble_begin(c, "flex");
    jw_str(&w, "altText", utf8_cut_utf16(slice_or(alt, SL("...")), LINE_ALT_UNITS));
    if (n == 1) {
        put_card(&w, "contents", LIST_AT(m->cards, struct card, 0));
    } else {
        jw_open(&w, "contents", '{');
        jw_str(&w, "type", SL("carousel"));
        jw_open(&w, "contents", '[');
        for (size_t i = 0; i < n; i++)
            put_card(&w, NULL, LIST_AT(m->cards, struct card, i));
        jw_close(&w, ']');
        jw_close(&w, '}');
    }
    bubble_add(c, b, &w);
    return true;
}

/* ---- native: an object of LINE's own, untouched -------------------------------------------------------------------- */

static const slice native_types[] = {
    SLI("text"), SLI("textV2"),   SLI("sticker"),  SLI("image"),    SLI("video"),  SLI("audio"),
    SLI("flex"), SLI("location"), SLI("imagemap"), SLI("template"), SLI("coupon"),
};

static bool is_native(const struct js *v)
{
    slice type = js_text(js_get(v, SL("type")));
    for (size_t i = 0; i < COUNT(native_types); i++)
        if (slice_eq(type, native_types[i]))
            return true;
    return false;
}

static bool on_native(struct call *c, const struct message *m, struct line_bubbles *b,
                      enum reason *ret_reason)
{
    *ret_reason = REASON_INVALID;
    const struct js *doc = js_parse(c->a, m->native_json, c->f);
    if (!doc)
        return false;
    size_t n = js_is_array(doc) ? js_len(doc) : 1;
    if (n < 1 || n > LINE_CALL_BUBBLES)
        return fault(c->f, "refused", "native", "one to %d message objects can be sent at once",
                     LINE_CALL_BUBBLES);
    for (size_t i = 0; i < n; i++) {
        const struct js *one = js_is_array(doc) ? js_item(doc, i) : doc;
        if (!is_native(one))
            return fault(c->f, "refused", "native", "the type of object %zu is no message object of LINE",
                         i + 1);
        if (!line_object_ok(c, one))
            return false;
        slice json = js_is_array(doc) ? js_print(c->a, one) : m->native_json;
        *LIST_ADD(c->a, &b->list, struct line_bubble) = (struct line_bubble){ json, true };
    }
    return true;
}

/* ---- system messages ----------------------------------------------------------------------------------------------- */

static bool on_event(struct call *c, const struct message *m, struct line_bubbles *b, enum reason *ret_reason)
{
    (void)ret_reason;
    slice text = system_text(c, m);
    if (text.n)
        add_text(c, b, text, SLICE_NONE);
    return true;
}

/* ---- all of a delivery --------------------------------------------------------------------------------------------- */

static const bubble_fn kinds[KIND_MAX] = {
    [KIND_TEXT] = on_text,       [KIND_IMAGE] = on_media,       [KIND_VIDEO] = on_media,
    [KIND_AUDIO] = on_media,     [KIND_LOCATION] = on_location, [KIND_STICKER] = on_sticker,
    [KIND_CHOICES] = on_choices, [KIND_CARDS] = on_cards,       [KIND_NATIVE] = on_native,
    [KIND_EVENT] = on_event,
};

/* Whose name the bubbles show: "sender". LINE refuses names in which it finds its own; then *ret_prefix has the name, to stand before
 * the text instead. */
static slice sender_of(struct call *c, const struct delivery *d, slice *ret_prefix)
{
    *ret_prefix = SLICE_NONE;
    bool wrote = d->m->origin == (int)ORIGIN_AGENT || d->m->origin == (int)ORIGIN_BOT;
    if (!setting_true(c, LINE_PREFIX_AGENT) || !wrote)
        return SLICE_NONE;
    slice name = slice_trim(utf8_cut_utf16(slice_trim(author_name(c->conversation, d->m)), LINE_SENDER_UNITS));
    for (size_t i = 0; i + 4 <= name.n; i++) {
        if (slice_eq_nocase(slice_sub(name, i, 4), SL("LINE"))) {
            *ret_prefix = name;
            return SLICE_NONE;
        }
    }
    return name;
}

bool line_bubbles(struct call *c, const struct delivery *d, struct line_bubbles *ret, enum reason *ret_reason)
{
    slice prefix;
    *ret = (struct line_bubbles){ .sender = sender_of(c, d, &prefix) };
    for (size_t i = 0; i < d->n_parts; i++) {
        struct message m = d->parts[i];
        assert(m.kind < (int)KIND_MAX && kinds[m.kind]);
        bool says = m.kind == (int)KIND_TEXT || m.kind == (int)KIND_CHOICES;
        if (prefix.n && says && m.text.n && utf16_len(m.text) + utf16_len(prefix) + 2 <= LINE_TEXT_UNITS) {
            m.text = arena_printf(c->a, SLF ": " SLF, SLA(prefix), SLA(m.text));
            prefix = SLICE_NONE;
        }
        if (!kinds[m.kind](c, &m, ret, ret_reason))
            return false;
    }
    return true;
}

slice line_messages(struct call *c, const struct delivery *d, const struct line_bubbles *b, size_t from,
                    size_t n)
{
    slice name = b->sender;
    slice icon = slice_or(setting(c, LINE_AGENT_ICON), d->m->from.picture);
    struct jw w = jw_new(c->a, LINE_BODY_BYTES);
    jw_open(&w, NULL, '[');
    for (size_t i = from; i < from + n; i++) {
        const struct line_bubble *one = LIST_AT(b->list, struct line_bubble, i);
        if (one->native) {
            jw_raw(&w, NULL, one->json);
            continue;
        }
        struct jw more = jw_new(c->a, LINE_BODY_BYTES);
        if (name.n) {
            jw_open(&more, "sender", '{');
            jw_str(&more, "name", name);
            if (slice_starts(icon, SL("https://")))
                jw_str(&more, "iconUrl", icon);
            jw_close(&more, '}');
        }
        if (b->quick_replies.n && i + 1 == b->list.n) { /* only the last bubble shows them */
            jw_open(&more, "quickReply", '{');
            jw_raw(&more, "items", b->quick_replies);
            jw_close(&more, '}');
        }
        slice tail = jw_done(&more);
        jw_raw(&w, NULL, arena_printf(c->a, SLF "%s" SLF "}", SLA(one->json), tail.n ? "," : "", SLA(tail)));
    }
    jw_close(&w, ']');
    return jw_done(&w);
}
