#include "api/chat/say.h"

struct jw say_begin(struct arena *a, int64_t place, const char *type, const struct say_who *who)
{
    struct jw w = jw_new(a, SAY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "index", place_index(a, place));
    jw_str(&w, "type", slice_of(type));
    jw_int(&w, "utcTime", place_ms(place));
    jw_open(&w, "from", '{');
    jw_str(&w, "participantId", who->id);
    jw_str(&w, "nickname", who->nickname);
    jw_str(&w, "type", slice_of(who->type));
    jw_close(&w, '}');
    return w;
}

slice say_done(struct jw *w)
{
    jw_close(w, '}');
    return jw_done(w);
}

struct say_who say_guest(struct arena *a, const struct chat_session *s)
{
    const struct js *profile = s->profile.n ? js_parse(a, bytes_slice(&s->profile), NULL) : NULL;
    return (struct say_who){ arena_dup(a, slice_of(s->participant)), slice_or(js_text(js_get(profile, SL("nickname"))), SL("Guest")), "Customer" };
}

struct say_who say_agent(struct arena *a, const struct chat_session *s, slice name, enum origin origin)
{
    bool person = origin != ORIGIN_BOT && origin != ORIGIN_HUB;
    slice id = uuid_named(a, arena_printf(a, "%s %s " SLF, s->id, person ? "agent" : "bot", SLA(name)));
    return (struct say_who){ id, name, person ? "Agent" : "External" };
}

bool say_url_ok(slice url)
{
    static const slice schemes[] = { SLI("https://"), SLI("http://"), SLI("mailto:"), SLI("tel:") };
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (url.n > schemes[i].n && slice_eq_nocase(slice_sub(url, 0, schemes[i].n), schemes[i]))
            return true;
    return false;
}

static void url_opt(struct jw *w, const char *key, slice url)
{
    if (say_url_ok(url))
        jw_str(w, key, url);
}

/* ---- files ------------------------------------------------------------------------------------------------------------------ */

static void keep_file(struct jw *files, const struct media *md)
{
    jw_open(files, NULL, '{');
    jw_str(files, "handle", md->handle);
    jw_opt(files, "storage", md->storage);
    jw_opt(files, "type", md->type);
    jw_opt(files, "name", md->name);
    jw_int(files, "size", md->size);
    jw_close(files, '}');
}

bool say_file(struct arena *a, slice files, size_t n, struct media *ret)
{
    const struct js *doc = files.n ? js_parse(a, arena_dup(a, files), NULL) : NULL;
    const struct js *one = n < js_len(doc) ? js_item(doc, n) : NULL;
    *ret = (struct media){ .handle = js_text(js_get(one, SL("handle"))), .storage = js_text(js_get(one, SL("storage"))), .type = js_text(js_get(one, SL("type"))), .name = js_text(js_get(one, SL("name"))) };
    return ret->handle.n && js_int(js_get(one, SL("size")), &ret->size);
}

/* Shown in place by a page: relative to the chat's root without "/sessions", and fetched with both headers. */
static slice own_url(struct arena *a, const struct chat_session *s, const char *what, int64_t place, size_t n)
{
    return arena_printf(a, "/sessions/%s/%s/" SLF "-%zu", s->id, what, SLA(place_index(a, place)), n);
}

static bool in_place(const struct message *part, const struct media *md)
{
    return part->kind == KIND_IMAGE && md->handle.n && md->size > 0 && md->size <= SAY_IMAGE_MAX && slice_starts(md->type, SL("image/")) &&
           !slice_starts(md->type, SL("image/svg"));
}

static void say_media(struct arena *a, const struct chat_session *s, int64_t place, struct jw *w, const struct message *part, slice *ret_files)
{
    struct jw files = jw_new(a, JOURNAL_VALUE_MAX / 4);
    struct text text = text_new(a, SAY_BYTES / 2);
    size_t kept = 0;
    text_put(&text, part->text);
    jw_open(&files, NULL, '[');
    jw_open(w, "content", '[');
    for (size_t i = 0; i < part->media.n; i++) {
        const struct media *md = LIST_AT(part->media, struct media, i);
        jw_open(w, NULL, '{');
        if (in_place(part, md)) {
            jw_str(w, "type", SL("image"));
            jw_str(w, "mime", md->type);
            jw_str(w, "url", own_url(a, s, "images", place, kept++));
            jw_opt(w, "name", md->name);
            keep_file(&files, md);
        } else { /* an absolute link, and in the text for pages that know no attachments */
            jw_str(w, "type", part->kind == KIND_IMAGE ? SL("image") : SL("attachment"));
            jw_str(w, "id", arena_printf(a, SLF "-%zu", SLA(place_index(a, place)), i));
            url_opt(w, "url", md->url);
            jw_opt(w, "name", md->name);
            jw_opt(w, "mediaType", md->type);
            if (md->size)
                jw_int(w, "size", md->size);
            if (part->kind != KIND_IMAGE && say_url_ok(md->url))
                text_add(&text, "%s" SLF "%s" SLF, text.n ? "\n" : "", SLA(md->name), md->name.n ? ": " : "", SLA(md->url));
        }
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_close(&files, ']');
    jw_str(w, "text", text_slice(&text));
    *ret_files = kept ? jw_done(&files) : SLICE_NONE;
}

/* Not by a link that others could open, too: anybody may write in a chat. */
static void say_own_file(struct arena *a, const struct chat_session *s, int64_t place, struct jw *w, const struct media *md, slice *ret_files)
{
    struct jw files = jw_new(a, JOURNAL_VALUE_MAX / 4);
    jw_open(&files, NULL, '[');
    keep_file(&files, md);
    jw_close(&files, ']');
    *ret_files = jw_done(&files);
    jw_open(w, "content", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("file"));
    jw_str(w, "mime", md->type);
    jw_str(w, "url", own_url(a, s, "files", place, 0));
    jw_opt(w, "name", md->name);
    jw_int(w, "size", md->size);
    jw_close(w, '}');
    jw_close(w, ']');
    jw_str(w, "text", md->name);
}

slice say_upload(struct arena *a, const struct chat_session *s, int64_t place, const struct media *md, slice *ret_files)
{
    struct say_who who = say_guest(a, s);
    struct jw w = say_begin(a, place, "Text", &who);
    struct message m = { .kind = KIND_IMAGE, .media = { (void *)(uintptr_t)md, 1 } }; /* only ever read */
    if (in_place(&m, md))
        say_media(a, s, place, &w, &m, ret_files);
    else
        say_own_file(a, s, place, &w, md, ret_files);
    return say_done(&w);
}

/* ---- things to tap ------------------------------------------------------------------------------------------------------------ */

static void say_action(struct jw *w, slice textback)
{
    jw_open(w, "actions", '{');
    jw_str(w, "textback", textback);
    jw_close(w, '}');
}

/* A button answers, a link opens. */
static void say_component(struct jw *w, size_t n, const struct choice *ch, slice title, struct offers *o)
{
    jw_open(w, NULL, '{');
    jw_str(w, "id", arena_printf(o->a, "b%zu", n));
    jw_str(w, "type", ch->url.n ? SL("link") : SL("button"));
    jw_str(w, "text", slice_or(ch->label, slice_or(ch->payload, ch->url)));
    if (ch->url.n)
        url_opt(w, "url", ch->url);
    else
        say_action(w, offer_text(o, ch, title));
    jw_close(w, '}');
}

static void say_quick_replies(struct jw *w, const struct message *part, struct offers *o)
{
    jw_str(w, "contentType", SL("quick-replies"));
    jw_open(w, "content", '[');
    for (size_t i = 0; i < part->choices.n; i++) {
        const struct choice *ch = LIST_AT(part->choices, struct choice, i);
        slice text = offer_text(o, ch, SLICE_NONE);
        jw_open(w, NULL, '{');
        jw_str(w, "id", arena_printf(o->a, "q%zu", i + 1));
        jw_str(w, "type", SL("quick-reply"));
        jw_str(w, "text", text);
        url_opt(w, "image", ch->image);
        say_action(w, text);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void say_card(struct jw *w, size_t n, const struct card *card, size_t *number, struct offers *o)
{
    jw_open(w, NULL, '{');
    jw_str(w, "id", arena_printf(o->a, "c%zu", n + 1));
    jw_str(w, "type", SL("generic"));
    jw_str(w, "title", card->title);
    jw_opt(w, "desc", card->text);
    url_opt(w, "image", card->image);
    if (say_url_ok(card->image))
        jw_str(w, "imageText", card->title);
    if (say_url_ok(card->url)) {
        jw_open(w, "actions", '{');
        jw_str(w, "url", card->url);
        jw_str(w, "urlTarget", SL("_blank"));
        jw_close(w, '}');
    }
    jw_open(w, "components", '[');
    for (size_t i = 0; i < card->choices.n; i++)
        say_component(w, ++*number, LIST_AT(card->choices, struct choice, i), card->title, o);
    jw_close(w, ']');
    jw_close(w, '}');
}

static void say_cards(struct jw *w, const struct js_list *cards, struct offers *o)
{
    size_t number = 0;
    jw_str(w, "contentType", SL("generic"));
    jw_open(w, "content", '[');
    for (size_t i = 0; i < cards->n; i++)
        say_card(w, i, LIST_AT(*cards, struct card, i), &number, o);
    jw_close(w, ']');
}

static void say_item(struct jw *w, size_t n, slice title, slice at, const struct choice *ch, struct offers *o)
{
    jw_open(w, NULL, '{');
    jw_str(w, "id", arena_printf(o->a, "i%zu", n));
    jw_str(w, "type", SL("list-item"));
    jw_str(w, "title", title);
    jw_opt(w, "at", at); /* a page may show it in the guest's own time */
    url_opt(w, "image", ch->image);
    say_action(w, offer_text(o, ch, SLICE_NONE));
    jw_close(w, '}');
}

static void say_picker(struct jw *w, const struct picker *p, struct offers *o)
{
    size_t n = 0;
    jw_str(w, "contentType", SL("single-selection-list"));
    jw_open(w, "content", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "id", SL("l1"));
    jw_str(w, "type", SL("list"));
    jw_str(w, "title", p->title);
    jw_opt(w, "desc", p->text);
    url_opt(w, "image", p->image);
    jw_open(w, "components", '[');
    for (size_t i = 0; i < p->slots.n; i++) {
        slice at = time_rfc3339(o->a, LIST_AT(p->slots, struct time_slot, i)->at_ms);
        struct choice ch = { .label = arena_printf(o->a, "%.10s %.5s UTC", at.p, at.p + 11), .payload = at };
        say_item(w, ++n, ch.label, at, &ch, o);
    }
    for (size_t i = 0; i < p->choices.n; i++) {
        const struct choice *ch = LIST_AT(p->choices, struct choice, i);
        say_item(w, ++n, slice_or(ch->label, ch->payload), SLICE_NONE, ch, o);
    }
    jw_close(w, ']');
    jw_close(w, '}');
    jw_close(w, ']');
}

static bool has_links(const struct js_list *choices)
{
    for (size_t i = 0; i < choices->n; i++)
        if (LIST_AT(*choices, struct choice, i)->url.n)
            return true;
    return false;
}

/* As browsers read an address: tabs and line ends are not there, and large letters are small ones. */
static bool is_script(struct arena *a, slice text)
{
    static const slice schemes[] = { SLI("javascript:"), SLI("vbscript:") };
    char *p = arena_alloc(a, text.n + 1);
    slice plain = { p, 0 };
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\t' && text.p[i] != '\n' && text.p[i] != '\r')
            p[plain.n++] = text.p[i];
    for (size_t k = 0; k < COUNT(schemes); k++)
        for (size_t i = 0; i + schemes[k].n <= plain.n; i++)
            if (slice_eq_nocase(slice_sub(plain, i, schemes[k].n), schemes[k]))
                return true;
    return false;
}

static bool holds_script(struct arena *a, const struct js *v)
{
    for (void *it = js_is_object(v) ? js_first(v) : NULL; it; it = js_next(v, it))
        if (holds_script(a, js_value(it)))
            return true;
    for (size_t i = 0; js_is_array(v) && i < js_len(v); i++)
        if (holds_script(a, js_item(v, i)))
            return true;
    return js_is_string(v) && is_script(a, js_text(v));
}

/* Structured content of the desk's own, where it has the shape that pages know. */
static bool say_native(struct arena *a, struct jw *w, const struct message *part)
{
    const struct js *doc = js_parse(a, part->native_json, NULL), *content = js_get(doc, SL("content"));
    slice type = js_text(js_get(doc, SL("contentType")));
    if (!type.n || !js_is_array(content) || holds_script(a, content))
        return false;
    jw_str(w, "contentType", type);
    jw_str(w, "text", slice_or(part->text, js_text(js_get(doc, SL("text")))));
    jw_value(w, "content", content);
    return true;
}

slice say_part(struct arena *a, const struct chat_session *s, int64_t place, const struct say_who *who, const struct message *part, struct offers *o,
               slice *ret_files)
{
    bool rich = part->kind == KIND_CHOICES || part->kind == KIND_CARDS || part->kind == KIND_PICKER || part->kind == KIND_NATIVE;
    struct jw w = say_begin(a, place, rich ? "Structured" : "Text", who);
    *ret_files = SLICE_NONE;
    if (kind_is_media((enum kind)part->kind)) {
        say_media(a, s, place, &w, part, ret_files);
    } else if (part->kind == KIND_CHOICES && has_links(&part->choices)) { /* quick replies cannot open anything */
        struct card card = { .title = part->text, .choices = part->choices };
        say_cards(&w, &(struct js_list){ &card, 1 }, o);
        jw_str(&w, "text", part->text);
    } else if (part->kind == KIND_CHOICES) {
        say_quick_replies(&w, part, o);
        jw_str(&w, "text", part->text);
    } else if (part->kind == KIND_CARDS) {
        say_cards(&w, &part->cards, o);
        jw_str(&w, "text", part->cards.n ? LIST_AT(part->cards, struct card, 0)->title : SL(""));
    } else if (part->kind == KIND_PICKER) {
        say_picker(&w, &part->picker, o);
        jw_str(&w, "text", slice_or(part->text, part->picker.title));
    } else if (part->kind != KIND_NATIVE || !say_native(a, &w, part)) {
        jw_str(&w, "text", part->text);
    }
    return say_done(&w);
}
