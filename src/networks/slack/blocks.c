/* Block Kit: "Block Kit". Choices, cards, pickers, and what an agent wrote in Slack's own words. */
#include "hub/rich.h"
#include "networks/slack/wire.h"

/* The members of an object that is put together later. */
struct jw slack_members(struct call *c)
{
    struct jw w = jw_new(c->a, SLACK_BODY_BYTES);
    jw_open(&w, NULL, '{');
    return w;
}

slice slack_members_done(struct jw *w)
{
    return slice_from(jw_done(w), 1);
}

/* ---- small blocks --------------------------------------------------------------------------------------------------- */

static void text_object(struct jw *w, const char *key, slice type, slice text)
{
    jw_open(w, key, '{');
    jw_str(w, "type", type);
    jw_str(w, "text", text);
    jw_close(w, '}');
}

static void block_begin(struct jw *w, slice type)
{
    jw_open(w, NULL, '{');
    jw_str(w, "type", type);
}

/* A text of any length: as many sections as it takes. */
static void put_sections(struct jw *w, struct arena *a, slice text)
{
    while (slice_trim(text).n) {
        slice piece = slack_cut_escaped(text, SLACK_SECTION_CHARS);
        block_begin(w, SL("section"));
        text_object(w, "text", SL("mrkdwn"), slack_escape(a, piece));
        jw_close(w, '}');
        text = slice_from(text, MAX(piece.n, (size_t)1));
    }
}

static void put_image(struct jw *w, slice url, slice alt)
{
    block_begin(w, SL("image"));
    jw_str(w, "image_url", url);
    jw_str(w, "alt_text", utf8_cut(alt, SLACK_HEADER_CHARS));
    jw_close(w, '}');
}

static slice payload_of(const struct choice *ch)
{
    return slice_or(ch->payload, ch->label);
}

static slice own_id(struct arena *a, size_t i)
{
    return arena_printf(a, SLACK_OWN "%zu", i);
}

static void put_button(struct jw *w, struct arena *a, const struct choice *ch, size_t i)
{
    block_begin(w, SL("button"));
    text_object(w, "text", SL("plain_text"), utf8_cut(ch->label, SLACK_LABEL_CHARS));
    if (ch->url.n) {
        jw_str(w, "url", ch->url);
        jw_str(w, "action_id", arena_printf(a, "link:%zu", i));
    } else {
        jw_str(w, "value", payload_of(ch));
        jw_str(w, "action_id", own_id(a, i));
    }
    jw_close(w, '}');
}

static void put_option(struct jw *w, slice label, slice value)
{
    jw_open(w, NULL, '{');
    text_object(w, "text", SL("plain_text"), utf8_cut(label, SLACK_LABEL_CHARS));
    jw_str(w, "value", value);
    jw_close(w, '}');
}

static void select_begin(struct jw *w, slice type, const char *id)
{
    block_begin(w, type);
    jw_str(w, "action_id", slice_of(id));
    text_object(w, "placeholder", SL("plain_text"), SL("\xe2\x80\xa6"));
    jw_open(w, "options", '[');
}

static void select_end(struct jw *w)
{
    jw_close(w, ']');
    jw_close(w, '}');
}

/* ---- choices ------------------------------------------------------------------------------------------------------------ */

static bool fits_select(const struct js_list *choices)
{
    for (size_t i = 0; i < choices->n; i++) {
        const struct choice *ch = LIST_AT(*choices, struct choice, i);
        if (ch->url.n || utf8_len(payload_of(ch)) > SLACK_OPTION_VALUE)
            return false;
    }
    return choices->n <= SLACK_OPTIONS;
}

/* Buttons, 25 in a row; more of them are a list, unless a payload is too long for one. */
static void put_choices(struct jw *w, struct arena *a, const struct js_list *choices, size_t first_id)
{
    bool list = choices->n > SLACK_ROW_BUTTONS && fits_select(choices);
    for (size_t i = 0; i < choices->n; i++) {
        const struct choice *ch = LIST_AT(*choices, struct choice, i);
        if (i == 0 || (!list && i % SLACK_ROW_BUTTONS == 0)) {
            if (i)
                jw_close(w, ']'), jw_close(w, '}');
            block_begin(w, SL("actions"));
            jw_open(w, "elements", '[');
            if (list)
                select_begin(w, SL("static_select"), own_id(a, first_id).p);
        }
        if (list)
            put_option(w, ch->label, payload_of(ch));
        else
            put_button(w, a, ch, first_id + i);
    }
    if (!choices->n)
        return;
    if (list)
        select_end(w);
    jw_close(w, ']');
    jw_close(w, '}');
}

static bool good_choices(struct call *c, const struct js_list *choices)
{
    for (size_t i = 0; i < choices->n; i++) {
        const struct choice *ch = LIST_AT(*choices, struct choice, i);
        if (!slice_trim(ch->label).n)
            return fault(c->f, "refused", "choices", "a choice needs a label");
        if (utf8_len(payload_of(ch)) > SLACK_BUTTON_VALUE || utf8_len(ch->url) > SLACK_URL_CHARS)
            return fault(c->f, "refused", "choices", "a payload has at most %d characters, an address %d", SLACK_BUTTON_VALUE, SLACK_URL_CHARS);
    }
    return true;
}

/* What a notification shows, and a client that knows no blocks. */
static void put_fallback(struct jw *w, struct arena *a, slice text)
{
    jw_str(w, "text", slack_escape(a, slice_or(slack_cut_escaped(text, SLACK_TEXT_CHARS), SL("\xe2\x80\xa6"))));
}

slice slack_choices(struct call *c, const struct message *m)
{
    if (!good_choices(c, &m->choices))
        return SLICE_NONE;
    struct jw w = slack_members(c);
    put_fallback(&w, c->a, m->text);
    jw_open(&w, "blocks", '[');
    put_sections(&w, c->a, m->text);
    put_choices(&w, c->a, &m->choices, 0);
    jw_close(&w, ']');
    return slack_members_done(&w);
}

/* ---- cards -------------------------------------------------------------------------------------------------------------- */

static slice bold(struct arena *a, slice title)
{
    return title.n ? arena_printf(a, "*" SLF "*", SLA(slack_escape(a, title))) : SLICE_NONE;
}

static void put_card(struct jw *w, struct call *c, const struct card *card, size_t first_id)
{
    slice title = utf8_cut(card->title, SLACK_HEADER_CHARS), url = utf8_cut(card->url, SLACK_URL_CHARS);
    slice head = url.n && title.n ? arena_printf(c->a, "*<" SLF "|" SLF ">*", SLA(slack_escape(c->a, url)), SLA(slack_escape(c->a, title)))
                                  : bold(c->a, title);
    slice body = slack_escape(c->a, slack_cut_escaped(card->text, SLACK_SECTION_CHARS - head.n - 1));
    if (card->image.n)
        put_image(w, card->image, slice_or(title, SL("picture")));
    if (head.n || body.n) {
        block_begin(w, SL("section"));
        text_object(w, "text", SL("mrkdwn"), arena_printf(c->a, SLF "%s" SLF, SLA(head), head.n && body.n ? "\n" : "", SLA(body)));
        jw_close(w, '}');
    }
    put_choices(w, c->a, &card->choices, first_id);
}

slice slack_cards(struct call *c, const struct message *m)
{
    struct text said = text_new(c->a, SLACK_BODY_BYTES);
    struct jw w = slack_members(c);
    size_t id = 0;
    jw_open(&w, "blocks", '[');
    for (size_t i = 0; i < m->cards.n; i++) {
        const struct card *card = LIST_AT(m->cards, struct card, i);
        if (!good_choices(c, &card->choices))
            return SLICE_NONE;
        if (!card->image.n && !card->title.n && !card->text.n)
            return (void)fault(c->f, "refused", "cards", "a card needs a picture, a title or a text"), SLICE_NONE;
        if (utf8_len(card->image) > SLACK_URL_CHARS)
            return (void)fault(c->f, "refused", "cards", "an address has at most %d characters", SLACK_URL_CHARS), SLICE_NONE;
        if (i) {
            block_begin(&w, SL("divider"));
            jw_close(&w, '}');
        }
        put_card(&w, c, card, id);
        id += card->choices.n;
        text_add(&said, "%s" SLF, i ? "\n" : "", SLA(slice_or(card->title, card->text)));
    }
    jw_close(&w, ']');
    put_fallback(&w, c->a, text_slice(&said));
    return slack_members_done(&w);
}

/* ---- pickers -------------------------------------------------------------------------------------------------------------- */

/* A time as every guest reads it in their own zone cannot stand in a list: it says that it is UTC. */
static slice slot_label(struct arena *a, const struct time_slot *s)
{
    slice at = time_rfc3339(a, s->at_ms);
    return arena_printf(a, "%.10s %.5s UTC", at.p, at.p + 11);
}

static void put_options(struct jw *w, struct arena *a, const struct picker *p)
{
    for (size_t i = 0; i < p->slots.n; i++)
        put_option(w, slot_label(a, LIST_AT(p->slots, struct time_slot, i)), time_rfc3339(a, LIST_AT(p->slots, struct time_slot, i)->at_ms));
    for (size_t i = 0; i < p->choices.n; i++) {
        const struct choice *ch = LIST_AT(p->choices, struct choice, i);
        put_option(w, ch->label, payload_of(ch));
    }
}

slice slack_picker(struct call *c, const struct message *m)
{
    const struct picker *p = &m->picker;
    size_t n = p->slots.n + p->choices.n;
    slice title = slice_or(p->title, m->text);
    slice prompt = arena_printf(c->a, SLF "%s" SLF, SLA(title), title.n && p->text.n ? "\n" : "", SLA(p->text));
    if (!good_choices(c, &p->choices))
        return SLICE_NONE;
    if (!n || n > SLACK_OPTIONS || !fits_select(&p->choices))
        return (void)fault(c->f, "refused", "picker", "a list has 1 to %d items of at most %d characters, without links", SLACK_OPTIONS, SLACK_OPTION_VALUE),
               SLICE_NONE;
    prompt = slice_or(prompt, SL("?"));
    struct jw w = slack_members(c);
    put_fallback(&w, c->a, prompt);
    jw_open(&w, "blocks", '[');
    if (p->image.n)
        put_image(&w, p->image, slice_or(title, SL("picture")));
    if (p->multiple) { /* a list of several stands beside a text, and needs a button that says it is done */
        block_begin(&w, SL("section"));
        text_object(&w, "text", SL("mrkdwn"), slack_escape(c->a, slack_cut_escaped(prompt, SLACK_SECTION_CHARS)));
        jw_key(&w, SL("accessory"));
        select_begin(&w, SL("multi_static_select"), SLACK_OWN_MANY);
    } else {
        put_sections(&w, c->a, prompt);
        block_begin(&w, SL("actions"));
        jw_open(&w, "elements", '[');
        select_begin(&w, SL("static_select"), own_id(c->a, 0).p);
    }
    put_options(&w, c->a, p);
    select_end(&w);
    if (p->multiple) {
        jw_close(&w, '}');
        block_begin(&w, SL("actions"));
        jw_open(&w, "elements", '[');
        block_begin(&w, SL("button"));
        text_object(&w, "text", SL("plain_text"), SL("OK"));
        jw_str(&w, "action_id", SL(SLACK_OWN_DONE));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    jw_close(&w, ']');
    return slack_members_done(&w);
}

/* ---- native ---------------------------------------------------------------------------------------------------------------- */

/* What stands in the blocks' texts, for the notification. */
static void gather(struct text *t, const struct js *v, unsigned depth)
{
    enum { DEEP = 4 };
    slice text = js_text(js_at(v, "text"));
    if (text.n && t->n < SLACK_HEADER_CHARS)
        text_add(t, "%s" SLF, t->n ? " " : "", SLA(text));
    if (depth == DEEP)
        return;
    if (js_is_object(js_at(v, "text")))
        gather(t, js_at(v, "text"), depth + 1);
    for (size_t i = 0; i < js_len(js_at(v, "fields")); i++)
        gather(t, js_item(js_at(v, "fields"), i), depth + 1);
    for (size_t i = 0; !js_at(v, "type") && js_is_array(v) && i < js_len(v); i++)
        gather(t, js_item(v, i), depth + 1);
}

/* A copy with "mrkdown", which people write and Slack refuses, as "mrkdwn". */
static void put_mended(struct jw *w, const char *key, const struct js *v)
{
    if (js_is_object(v)) {
        jw_open(w, key, '{');
        for (void *it = js_first(v); it; it = js_next(v, it)) {
            bool typo = slice_eq(js_key(v, it), SL("type")) && slice_eq(js_text(js_value(it)), SL("mrkdown"));
            jw_key(w, js_key(v, it));
            if (typo)
                jw_str(w, NULL, SL("mrkdwn"));
            else
                put_mended(w, NULL, js_value(it));
        }
        jw_close(w, '}');
    } else if (js_is_array(v)) {
        jw_open(w, key, '[');
        for (size_t i = 0; i < js_len(v); i++)
            put_mended(w, NULL, js_item(v, i));
        jw_close(w, ']');
    } else {
        jw_value(w, key, v);
    }
}

static bool is_ours_to_say(slice key)
{
    static const char *const keys[] = { "channel", "thread_ts", "username", "icon_url", "icon_emoji", "token", "views", "text", "as_user" };
    for (size_t i = 0; i < COUNT(keys); i++)
        if (slice_eq(key, slice_of(keys[i])))
            return true;
    return false;
}

/* The dialogs that buttons of this message open wait in the conversation's memory. */
static bool keep_views(struct call *c, const struct js *views)
{
    for (void *it = js_first(views); it; it = js_next(views, it)) {
        const struct js *view = js_value(it);
        slice name = js_key(views, it);
        struct jw w = jw_new(c->a, SLACK_BODY_BYTES);
        put_mended(&w, NULL, view);
        slice text = jw_done(&w);
        if (!slice_eq(js_text(js_at(view, "type")), SL("modal")))
            return fault(c->f, "refused", "views", "a view is a modal");
        if (text.n > SLACK_VIEW_CHARS || name.n > SLACK_LABEL_CHARS)
            return fault(c->f, "refused", "views", "a view has at most %d bytes here", SLACK_VIEW_CHARS);
        memory_set(c->guest_memory, arena_printf(c->a, "view:" SLF, SLA(name)).p, text, c->now_ms + SLACK_VIEW_KEEP_MS);
    }
    return true;
}

const struct js *slack_dialog(struct call *c, slice name)
{
    struct fault f = { 0 };
    slice text = call_response(c, name);
    const struct js *view = text.n ? rich_json(c->a, text, &f) : NULL;
    if (!js_is_object(view) || !slice_eq(js_text(js_at(view, "type")), SL("modal")))
        return NULL;
    struct jw w = jw_new(c->a, SLACK_BODY_BYTES);
    put_mended(&w, NULL, view);
    return js_parse(c->a, jw_done(&w), NULL);
}

/* What a button of this message will open is at hand by the time somebody presses it. */
static void ask_for_dialogs(struct call *c, const struct js *v)
{
    for (void *it = js_is_object(v) ? js_first(v) : NULL; it; it = js_next(v, it)) {
        slice dialog = js_is_string(js_value(it)) ? slack_dialog_of(c, js_key(v, it), js_text(js_value(it))) : SLICE_NONE;
        if (dialog.n)
            (void)call_response(c, dialog);
        else
            ask_for_dialogs(c, js_value(it));
    }
    for (size_t i = 0; js_is_array(v) && i < js_len(v); i++)
        ask_for_dialogs(c, js_item(v, i));
}

bool slack_native(struct call *c, slice json, slice *ret_members)
{
    const struct js *doc = js_parse(c->a, json, c->f);
    if (!doc)
        return false;
    const struct js *blocks = js_is_array(doc) ? doc : js_at(doc, "blocks"), *attachments = js_is_array(doc) ? NULL : js_at(doc, "attachments");
    slice own = js_is_array(doc) ? SLICE_NONE : js_text(js_at(doc, "text"));
    if (!own.n && !js_len(blocks) && !js_len(attachments) && !js_text(js_at(doc, "markdown_text")).n)
        return fault(c->f, "refused", "native", "the object needs blocks, attachments or a text");
    if (js_len(blocks) > SLACK_BLOCKS)
        return fault(c->f, "refused", "native", "a message has at most %d blocks", SLACK_BLOCKS);
    if (js_is_object(js_at(doc, "views")) && !keep_views(c, js_at(doc, "views")))
        return false;
    ask_for_dialogs(c, doc);
    struct jw w = slack_members(c);
    if (js_is_array(doc))
        put_mended(&w, "blocks", doc);
    for (void *it = js_is_object(doc) ? js_first(doc) : NULL; it; it = js_next(doc, it)) {
        if (is_ours_to_say(js_key(doc, it)))
            continue;
        jw_key(&w, js_key(doc, it));
        put_mended(&w, NULL, js_value(it));
    }
    struct text said = text_new(c->a, SLACK_BODY_BYTES);
    gather(&said, blocks, 0);
    if (!js_text(js_at(doc, "markdown_text")).n)
        jw_str(&w, "text", slice_or(own, slice_or(text_slice(&said), slice_or(js_text(js_at(attachments, "0.fallback")), SL("\xe2\x80\xa6")))));
    *ret_members = slack_members_done(&w);
    const struct js *mended = js_parse(c->a, arena_join(c->a, SL("{"), *ret_members, SL("}")), c->f);
    return mended && slack_blocks_ok(c, mended);
}
