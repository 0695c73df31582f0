/* What a message becomes at Telegram: "Sending", "Files out", "Buttons". Parts in, API calls out, one after the other. */
#include "hub/adapt.h"
#include "networks/telegram/wire.h"

struct making {
    struct call *c;
    const struct delivery *d;
    struct js_list *sends; /* struct telegram_send */
    slice *list;
    enum reason *reason;
    bool business, group;
};

/* The members of an object that is put together later. */
static struct jw members_begin(struct making *mk)
{
    struct jw w = jw_new(mk->c->a, TELEGRAM_BODY_BYTES);
    jw_open(&w, NULL, '{');
    return w;
}

static struct telegram_send *send_add(struct making *mk, const char *method, struct jw *w, slice instead)
{
    slice open = jw_done(w); /* "{..." without the closing brace */
    struct telegram_send *s = LIST_ADD(mk->c->a, mk->sends, struct telegram_send);
    *s = (struct telegram_send){ .method = method, .members = slice_from(open, 1), .instead = instead };
    return s;
}

static bool no(struct making *mk, enum reason reason, const char *field, const char *text)
{
    *mk->reason = reason;
    return fault(mk->c->f, "refused", field, "%s", text);
}

static void add_text(struct making *mk, slice text)
{
    if (!text.n)
        return;
    struct jw w = members_begin(mk);
    jw_str(&w, "text", text);
    send_add(mk, "sendMessage", &w, SLICE_NONE);
}

/* ---- media --------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct { slice type; const char *method, *member; } by_type[] = { /* "Files out"; first match wins */
    { SLI("image/gif"), "sendAnimation", "animation" },
    { SLI("image/"),    "sendPhoto",     "photo" },
    { SLI("video/"),    "sendVideo",     "video" },
    { SLI("audio/ogg"), "sendVoice",     "voice" },
    { SLI("audio/mpeg"), "sendAudio",    "audio" },
    { SLI("audio/mp3"), "sendAudio",     "audio" },
    { SLI("audio/mp4"), "sendAudio",     "audio" },
    { SLI("audio/m4a"), "sendAudio",     "audio" },
    { SLI("audio/x-m4a"), "sendAudio",   "audio" },
    { SLI(""),          "sendDocument",  "document" },
};
/* clang-format on */

static slice link_text(struct call *c, slice caption, const struct media *md)
{
    slice text = arena_printf(c->a, SLF "%s" SLF "\n" SLF, SLA(caption), caption.n ? "\n" : "", SLA(slice_or(md->name, SL("file"))),
                              SLA(md->url));
    return utf8_cut_utf16(text, TELEGRAM_TEXT_UNITS);
}

struct way { /* of a file to the guest */
    size_t type; /* in by_type */
    bool stored, link, upload; /* link: Telegram would take it by link; upload: it goes itself, at once */
};

static struct way way_of(const struct making *mk, const struct message *m, const struct media *md)
{
    static const slice documents[] = { SLI("application/pdf"), SLI("application/zip"), SLI("image/gif") };
    enum { DOCUMENT = COUNT(by_type) - 1 };
    struct way y = { .stored = md->handle.n && md->size > 0 && md->size <= TELEGRAM_UPLOAD_BYTES };
    while (!slice_starts(md->type, by_type[y.type].type))
        y.type++;
    bool photo = strcmp(by_type[y.type].member, "photo") == 0, known = false;
    if (m->kind == (int)KIND_FILE || (photo && y.stored && md->size > TELEGRAM_PHOTO_BYTES))
        y.type = DOCUMENT;
    for (size_t i = 0; i < COUNT(documents); i++)
        known |= slice_eq(md->type, documents[i]);
    photo &= y.type != DOCUMENT;
    y.link = md->url.n && md->size <= (photo ? TELEGRAM_LINK_PHOTO_BYTES : TELEGRAM_LINK_BYTES) && (y.type != DOCUMENT || known);
    y.upload = y.stored && (!y.link || setting_true(mk->c, TELEGRAM_UPLOAD));
    return y;
}

static bool add_media(struct making *mk, const struct message *m)
{
    const struct media *md = message_media(m);
    slice caption = m->text;
    if (!md || (!md->url.n && !md->handle.n))
        return no(mk, REASON_MEDIA_TYPE, "media", "the file has no link Telegram could fetch");
    struct way y = way_of(mk, m, md);
    if (utf16_len(caption) > TELEGRAM_CAPTION_UNITS) {
        add_text(mk, caption);
        caption = SLICE_NONE;
    }
    if (!y.link && !y.upload) {
        add_text(mk, link_text(mk->c, caption, md));
        return true;
    }
    struct jw w = members_begin(mk);
    jw_opt(&w, "caption", caption);
    struct telegram_send *s = send_add(mk, by_type[y.type].method, &w, link_text(mk->c, caption, md));
    s->file_member = by_type[y.type].member;
    s->link = md->url;
    s->file = y.stored ? md : NULL;
    s->upload = y.upload;
    return true;
}

static bool fits_album(const struct making *mk, const struct message *m)
{
    const struct media *md = message_media(m);
    struct way y = md ? way_of(mk, m, md) : (struct way){ 0 };
    return (m->kind == (int)KIND_IMAGE || m->kind == (int)KIND_VIDEO) && y.link && !y.upload && !slice_eq(md->type, SL("image/gif")) &&
           utf16_len(m->text) <= TELEGRAM_CAPTION_UNITS;
}

/* How many of the parts go as one album: no more than a text has room for, should their links have to take its place. */
static size_t album_of(const struct making *mk, const struct message *parts, size_t n_parts)
{
    size_t n = 0, units = 0;
    while (n < MIN(n_parts, (size_t)TELEGRAM_ALBUM) && fits_album(mk, &parts[n])) {
        units += utf16_len(link_text(mk->c, parts[n].text, parts[n].media.items)) + 1;
        if (units > TELEGRAM_TEXT_UNITS)
            break;
        n++;
    }
    return n;
}

static void add_album(struct making *mk, const struct message *parts, size_t n)
{
    struct jw w = members_begin(mk);
    slice instead = SLICE_NONE;
    jw_open(&w, "media", '[');
    for (size_t i = 0; i < n; i++) {
        const struct media *md = parts[i].media.items;
        jw_open(&w, NULL, '{');
        jw_str(&w, "type", parts[i].kind == (int)KIND_IMAGE ? SL("photo") : SL("video"));
        jw_str(&w, "media", md->url);
        jw_opt(&w, "caption", parts[i].text);
        jw_close(&w, '}');
        slice one = link_text(mk->c, parts[i].text, md);
        instead = arena_printf(mk->c->a, SLF "%s" SLF, SLA(instead), i ? "\n" : "", SLA(one));
    }
    jw_close(&w, ']');
    send_add(mk, "sendMediaGroup", &w, instead);
}

/* ---- places and stickers -------------------------------------------------------------------------------------------- */

static bool add_location(struct making *mk, const struct message *m)
{
    const struct location *l = &m->location;
    bool venue = l->title.n && l->address.n;
    struct jw w = members_begin(mk);
    jw_double(&w, "latitude", l->lat_deg);
    jw_double(&w, "longitude", l->lon_deg);
    if (venue) {
        jw_str(&w, "title", l->title);
        jw_str(&w, "address", l->address);
    }
    send_add(mk, venue ? "sendVenue" : "sendLocation", &w, SLICE_NONE);
    return true;
}

static bool add_sticker(struct making *mk, const struct message *m)
{
    const struct media *picture = message_media(m);
    struct jw w = members_begin(mk);
    jw_str(&w, "sticker", m->sticker.id);
    slice instead = picture && picture->url.n ? picture->url : SL("[sticker]");
    send_add(mk, "sendSticker", &w, slice_or(m->sticker.title, instead));
    return true;
}

/* ---- buttons -------------------------------------------------------------------------------------------------------- */

static slice payload_of(const struct choice *ch)
{
    return slice_or(ch->payload, ch->label);
}

static bool fits_button(const struct choice *ch)
{
    return ch->url.n || payload_of(ch).n <= TELEGRAM_PAYLOAD_BYTES;
}

static void put_inline(struct jw *w, const struct js_list *choices)
{
    jw_open(w, "reply_markup", '{');
    jw_open(w, "inline_keyboard", '[');
    for (size_t i = 0; i < choices->n; i++) {
        const struct choice *ch = LIST_AT(*choices, struct choice, i);
        jw_open(w, NULL, '[');
        jw_open(w, NULL, '{');
        jw_str(w, "text", ch->label);
        jw_str(w, ch->url.n ? "url" : "callback_data", ch->url.n ? ch->url : payload_of(ch));
        jw_close(w, '}');
        jw_close(w, ']');
    }
    jw_close(w, ']');
    jw_close(w, '}');
}

/* A tap on a reply keyboard says its label; the framework reads the payload back off the list. Links stand in the text. */
static void add_keyboard(struct making *mk, const struct message *m)
{
    struct text text = text_new(mk->c->a, TELEGRAM_BODY_BYTES);
    struct jw list = jw_new(mk->c->a, MEMORY_VALUE_MAX);
    text_put(&text, m->text);
    struct jw w = jw_new(mk->c->a, TELEGRAM_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "keyboard", '[');
    jw_open(&list, NULL, '[');
    for (size_t i = 0; i < m->choices.n; i++) {
        const struct choice *ch = LIST_AT(m->choices, struct choice, i);
        if (ch->url.n) {
            text_add(&text, "\n" SLF "\n" SLF, SLA(ch->label), SLA(ch->url));
            continue;
        }
        jw_open(&w, NULL, '[');
        jw_open(&w, NULL, '{');
        jw_str(&w, "text", ch->label);
        jw_close(&w, '}');
        jw_close(&w, ']');
        jw_open(&list, NULL, '[');
        jw_str(&list, NULL, ch->label);
        jw_str(&list, NULL, payload_of(ch));
        jw_bool(&list, NULL, false); /* no number stands beside it */
        jw_close(&list, ']');
    }
    jw_close(&w, ']');
    jw_bool(&w, "one_time_keyboard", true);
    jw_bool(&w, "resize_keyboard", true);
    jw_close(&w, '}');
    jw_close(&list, ']');
    *mk->list = jw_done(&list);
    struct jw all = members_begin(mk);
    jw_str(&all, "text", utf8_cut_utf16(text_slice(&text), TELEGRAM_TEXT_UNITS));
    jw_raw(&all, "reply_markup", jw_done(&w));
    send_add(mk, "sendMessage", &all, SLICE_NONE);
}

static bool add_choices(struct making *mk, const struct message *m)
{
    bool says_itself = true, fits = true;
    if (!m->text.n)
        return no(mk, REASON_INVALID, "text", "buttons need a text to stand under");
    for (size_t i = 0; i < m->choices.n; i++) {
        const struct choice *ch = LIST_AT(m->choices, struct choice, i);
        if (!ch->label.n)
            return no(mk, REASON_INVALID, "choices", "a choice needs a label");
        says_itself &= !ch->url.n && slice_eq(payload_of(ch), ch->label);
        fits &= fits_button(ch);
    }
    if (!mk->business && (says_itself || !fits)) {
        add_keyboard(mk, m);
        return true;
    }
    if (!fits)
        return no(mk, REASON_INVALID, "choices", "a payload has at most 64 bytes");
    struct jw w = members_begin(mk);
    jw_str(&w, "text", m->text);
    put_inline(&w, &m->choices);
    send_add(mk, "sendMessage", &w, SLICE_NONE);
    return true;
}

static bool add_card(struct making *mk, const struct card *card)
{
    for (size_t i = 0; i < card->choices.n; i++) {
        const struct choice *ch = LIST_AT(card->choices, struct choice, i);
        if (!ch->label.n || !fits_button(ch))
            return no(mk, REASON_INVALID, "cards", "a button needs a label, and its payload has at most 64 bytes");
    }
    const slice lines[] = { card->title, card->text, card->url };
    struct text t = text_new(mk->c->a, TELEGRAM_BODY_BYTES);
    for (size_t i = 0; i < COUNT(lines); i++)
        text_add(&t, "%s" SLF, lines[i].n && t.n ? "\n" : "", SLA(lines[i]));
    slice text = utf8_cut_utf16(text_slice(&t), card->image.n ? TELEGRAM_CAPTION_UNITS : TELEGRAM_TEXT_UNITS);
    if (!card->image.n && !text.n)
        return no(mk, REASON_INVALID, "cards", "a card needs a picture, a title or a text");
    struct jw w = members_begin(mk);
    if (card->image.n) {
        jw_str(&w, "photo", card->image);
        jw_opt(&w, "caption", text);
    } else {
        jw_str(&w, "text", text);
    }
    if (card->choices.n)
        put_inline(&w, &card->choices);
    send_add(mk, card->image.n ? "sendPhoto" : "sendMessage", &w, SLICE_NONE);
    return true;
}

/* ---- native and system messages ------------------------------------------------------------------------------------- */

/* Where it goes is; and in a group whom it is for. deliver.c writes it. */
static bool is_ours_to_say(const struct making *mk, slice key)
{
    static const char *const ours[] = { "method", "chat_id", "business_connection_id", "message_thread_id" };
    for (size_t i = 0; i < COUNT(ours); i++)
        if (slice_eq(key, slice_of(ours[i])))
            return true;
    return mk->group && slice_eq(key, SL("reply_parameters"));
}

/* {"method":"sendPoll", its parameters}: the chat is ours to say. */
static bool add_native(struct making *mk, const struct message *m)
{
    const struct js *doc = js_parse(mk->c->a, m->native_json, mk->c->f);
    slice method = js_text(js_at(doc, "method"));
    *mk->reason = REASON_INVALID;
    if (!doc)
        return false;
    for (size_t i = 0; i < method.n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", method.p[i]))
            method = SLICE_NONE;
    if (!slice_starts(method, SL("send")))
        return no(mk, REASON_INVALID, "native", "the object needs a method that begins with send");
    if (!telegram_call_ok(mk->c, doc))
        return false;
    struct jw w = members_begin(mk);
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        slice key = js_key(doc, it);
        if (is_ours_to_say(mk, key))
            continue;
        jw_key(&w, key);
        jw_value(&w, NULL, js_value(it));
    }
    send_add(mk, arena_printf(mk->c->a, SLF, SLA(method)).p, &w, SLICE_NONE);
    return true;
}

static bool add_event(struct making *mk, const struct message *m)
{
    slice text = system_text(mk->c, m);
    if (text.n)
        add_text(mk, text);
    return true;
}

/* ---- all of a delivery ----------------------------------------------------------------------------------------------- */

static bool add_part(struct making *mk, const struct message *m)
{
    switch ((enum kind)m->kind) {
    case KIND_TEXT: add_text(mk, m->text); return true;
    case KIND_IMAGE:
    case KIND_VIDEO:
    case KIND_AUDIO:
    case KIND_FILE: return add_media(mk, m);
    case KIND_LOCATION: return add_location(mk, m);
    case KIND_STICKER: return add_sticker(mk, m);
    case KIND_CHOICES: return add_choices(mk, m);
    case KIND_NATIVE: return add_native(mk, m);
    case KIND_EVENT: return add_event(mk, m);
    case KIND_CARDS:
        for (size_t i = 0; i < m->cards.n; i++)
            if (!add_card(mk, LIST_AT(m->cards, struct card, i)))
                return false;
        return true;
    case KIND_ANSWER:
    case KIND_PICKER:
    case KIND_FORM:
    case KIND_PAYMENT:
    case KIND_TYPING:
    case KIND_STATUS:
    case KIND_MAX: break;
    }
    return no(mk, REASON_UNSUPPORTED, "kind", "not carried by Telegram");
}

bool telegram_sends(struct call *c, const struct delivery *d, struct js_list *ret, slice *ret_list, enum reason *ret_reason)
{
    struct making mk = { .c = c, .d = d, .sends = ret, .list = ret_list, .reason = ret_reason };
    struct telegram_guest g = telegram_guest_of(c->conversation ? c->conversation->guest : SLICE_NONE);
    mk.business = g.business;
    mk.group = g.group;
    *ret = (struct js_list){ 0 };
    *ret_list = SLICE_NONE;
    for (size_t i = 0; i < d->n_parts;) {
        size_t n = album_of(&mk, &d->parts[i], d->n_parts - i);
        if (n > 1)
            add_album(&mk, &d->parts[i], n);
        else if (!add_part(&mk, &d->parts[i]))
            return false;
        i += MAX(n, (size_t)1);
    }
    return true;
}
