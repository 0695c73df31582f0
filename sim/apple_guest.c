/* apple_guest.c - the people: what they do, and the message each of it makes; apple.c is the manual. */
#include "sim/apple.h"
#include "sim/draw.h"
#include "sim/sign.h"
#include "sim/webhook.h"
#include "wire/hex.h"

enum { KEY_BYTES = 32 };

static struct jw open_message(struct sam_deed *d, slice type)
{
    struct jw w = jw_new(d->a, SAM_JSON_BYTES);
    jw_open(&w, NULL, '{');
    jw_int(&w, "v", 1);
    jw_str(&w, "id", d->id);
    jw_str(&w, "type", type);
    jw_str(&w, "sourceId", slice_of(d->chat->id));
    jw_str(&w, "destinationId", d->s->business);
    return w;
}

static bool send(struct sam_deed *d, struct jw *w, bool shown)
{
    jw_close(w, '}');
    slice json = jw_done(w);
    if (shown) {
        d->chat->closed = false;
        sam_message_add(d->chat, true, json, d->media);
    }
    sam_event_send(d->chat, d->id, sim_text(d->what, "capabilities", d->s->caps.p), json);
    return true;
}

static void put_words(struct sam_deed *d, struct jw *w)
{
    static const char *const names[] = { "intent", "group" };
    jw_str(w, "locale", sim_text(d->what, "locale", "en_US"));
    for (size_t i = 0; i < COUNT(names); i++)
        jw_opt(w, names[i], sim_text(d->what, names[i], NULL));
}

static bool do_text(struct sam_deed *d)
{
    struct jw w = open_message(d, SL("text"));
    if (!sim_text(d->what, "text", NULL).n)
        return fault(d->f, "missing_field", "text", "a text");
    jw_str(&w, "body", sim_text(d->what, "text", NULL));
    put_words(d, &w);
    return send(d, &w, true);
}

static bool do_file(struct sam_deed *d)
{
    bool picture = slice_eq(sim_text(d->what, "type", NULL), SL("picture"));
    slice base64 = js_text(js_at(d->what, "base64"));
    slice bytes = base64.p ? sign_unbase64(d->a, base64) : picture ? draw_scene(d->a, 640, 480, 2) : SL("A file of the simulator.\n");
    if (!bytes.n)
        return fault(d->f, "wrong_type", "base64", "the bytes as Base64");
    char *key = arena_alloc(d->a, KEY_BYTES);
    random_bytes(key, KEY_BYTES);
    slice url = sam_blob_url(d->s, d->a, sam_blob_put(d->s, sam_cipher(d->a, slice_mem(key, KEY_BYTES), bytes), d->a));
    const struct sam_blob *b = sam_blob_of(d->s, url);
    slice type = sim_text(d->what, "contentType", picture ? "image/png" : "text/plain");
    struct jw m = jw_new(d->a, 4096);
    jw_open(&m, NULL, '[');
    jw_open(&m, NULL, '{');
    jw_str(&m, "id", sam_file_put(d->s, d->a, bytes));
    jw_str(&m, "sha256", sign_sha256_hex(d->a, bytes));
    jw_int(&m, "bytes", (int64_t)bytes.n);
    jw_str(&m, "type", type);
    jw_close(&m, '}');
    jw_close(&m, ']');
    d->media = jw_done(&m);
    struct jw w = open_message(d, SL("text"));
    jw_str(&w, "body", arena_printf(d->a, SLF "\xef\xbf\xbc", SLA(sim_text(d->what, "text", ""))));
    put_words(d, &w);
    jw_open(&w, "attachments", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", sim_text(d->what, "name", picture ? "IMG_0001.png" : "notes.txt"));
    jw_str(&w, "mimeType", type);
    jw_str(&w, "size", arena_printf(d->a, "%zu", bytes.n));
    jw_str(&w, "key", arena_printf(d->a, "00" SLF, SLA(hex_encode(d->a, slice_mem(key, KEY_BYTES)))));
    jw_str(&w, "signature", hex_encode(d->a, b->signature));
    jw_str(&w, "url", url);
    jw_str(&w, "owner", b->owner);
    jw_close(&w, '}');
    jw_close(&w, ']');
    return send(d, &w, true);
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

static bool wanted(const struct sam_deed *d, slice title)
{
    const struct js *titles = js_at(d->what, "titles");
    for (size_t i = 0; i < js_len(titles); i++)
        if (slice_eq(js_text(js_item(titles, i)), title))
            return true;
    return false;
}

struct picked {
    struct jw w; /* an array of what was chosen */
    struct text titles;
    size_t n, index;
    slice first_id;
};

static void pick_from(struct sam_deed *d, const struct js *items, const char *title, struct picked *p)
{
    for (size_t i = 0; i < js_len(items); i++) {
        const struct js *item = js_item(items, i);
        slice label = js_text(js_at(item, title));
        if (!wanted(d, label))
            continue;
        jw_value(&p->w, NULL, item);
        text_add(&p->titles, "%s" SLF, p->n ? ", " : "", SLA(label));
        if (!p->n++) {
            p->index = i;
            p->first_id = js_text(js_at(item, "identifier"));
        }
    }
}

static void put_reply(struct jw *w, const struct js *data, struct picked *p)
{
    const struct js *quick = js_get(data, SL("quick-reply"));
    jw_open(w, "replyMessage", '{');
    jw_str(w, "title", text_slice(&p->titles));
    jw_close(w, '}');
    slice items = jw_done(&p->w);
    if (quick) {
        jw_open(w, "quick-reply", '{');
        jw_str(w, "summaryText", js_text(js_at(quick, "summaryText")));
        jw_int(w, "selectedIndex", (int64_t)p->index);
        jw_str(w, "selectedIdentifier", p->first_id);
        jw_value(w, "items", js_at(quick, "items"));
        jw_close(w, '}');
    } else if (js_at(data, "event")) {
        jw_open(w, "event", '{');
        jw_str(w, "identifier", js_text(js_at(data, "event.identifier")));
        jw_raw(w, "timeslots", items);
        jw_close(w, '}');
    } else {
        jw_open(w, "listPicker", '{');
        jw_open(w, "sections", '[');
        jw_open(w, NULL, '{');
        jw_raw(w, "items", items);
        jw_close(w, '}');
        jw_close(w, ']');
        jw_close(w, '}');
    }
}

const struct js *sam_newest(struct sam_deed *d, const char *path)
{
    const struct js *found = NULL;
    for (const struct sam_message *m = d->chat->first; m; m = m->next) {
        const struct js *doc = m->from_guest ? NULL : js_parse(d->a, slice_of(m->json), NULL), *data = js_at(doc, "interactiveData.data");
        if (data && (!*path || js_at(data, path)))
            found = data;
    }
    return found;
}

static bool do_pick(struct sam_deed *d)
{
    const struct js *data = sam_newest(d, "");
    struct picked p = { .w = jw_new(d->a, SAM_JSON_BYTES), .titles = text_new(d->a, 4096) };
    jw_open(&p.w, NULL, '[');
    const struct js *sections = js_at(data, "listPicker.sections");
    for (size_t i = 0; i < js_len(sections); i++)
        pick_from(d, js_at(js_item(sections, i), "items"), "title", &p);
    pick_from(d, js_at(js_get(data, SL("quick-reply")), "items"), "title", &p);
    pick_from(d, js_at(data, "event.timeslots"), "startTime", &p);
    jw_close(&p.w, ']');
    if (!p.n)
        return fault(d->f, "not_found", "titles", "nothing with this title is shown");
    struct jw w = open_message(d, SL("interactive")), inner = jw_new(d->a, SAM_JSON_BYTES);
    jw_open(&inner, NULL, '{');
    jw_str(&inner, "bid", SL(SAM_BID));
    jw_str(&inner, "sessionIdentifier", sim_random_uuid(&d->s->env->random, d->a));
    jw_open(&inner, "data", '{');
    jw_str(&inner, "version", SL("1.0"));
    jw_str(&inner, "requestIdentifier", js_text(js_at(data, "requestIdentifier")));
    put_reply(&inner, data, &p);
    jw_close(&inner, '}');
    jw_close(&inner, '}');
    if (js_true(js_at(d->what, "large")))
        sam_large_write(d->s, d->a, &w, SL("You answered"), arena_printf(d->a, "{\"interactiveData\":" SLF "}", SLA(jw_done(&inner))));
    else
        jw_raw(&w, "interactiveData", jw_done(&inner));
    return send(d, &w, true);
}

/* ---- the rest --------------------------------------------------------------------------------------------------------------- */

static bool do_bare(struct sam_deed *d)
{
    slice type = sim_text(d->what, "type", NULL);
    struct jw w = open_message(d, type);
    if (slice_eq(type, SL("close"))) {
        d->chat->closed = true;
        sam_changed(d->s);
    }
    return send(d, &w, false);
}

static bool do_body(struct sam_deed *d)
{
    const struct js *own = js_at(d->what, "body");
    struct jw w = open_message(d, js_text(js_at(own, "type")));
    for (void *it = js_is_object(own) ? js_first(own) : NULL; it; it = js_next(own, it))
        if (!slice_eq(js_key(own, it), SL("type"))) {
            jw_key(&w, js_key(own, it));
            jw_value(&w, NULL, js_value(it));
        }
    return send(d, &w, true);
}

/* clang-format off */
static const struct { slice type; bool (*fn)(struct sam_deed *d); } deeds[] = {
    { SLI("text"), do_text }, { SLI("picture"), do_file }, { SLI("file"), do_file }, { SLI("pick"), do_pick },
    { SLI("typing_start"), do_bare }, { SLI("typing_end"), do_bare }, { SLI("close"), do_bare }, { SLI("body"), do_body },
    { SLI("sign_in"), sam_do_sign_in }, { SLI("pay"), sam_do_pay },
};
/* clang-format on */

static bool act(struct sam_deed *d)
{
    return SIM_DO(deeds, d);
}

/* ---- control routes ---------------------------------------------------------------------------------------------------------- */

static void post_send(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    struct fault f = { 0 };
    struct arena *a = c->x->a;
    struct sam_deed d = { .s = s, .a = a, .f = &f, .chat = sam_chat_of(s, c->params[0]), .id = sim_random_uuid(&s->env->random, a) };
    if (!d.chat) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    d.what = sim_object(c);
    if (!d.what)
        return;
    if (act(&d))
        sim_json(c, 200, arena_printf(a, "{\"id\":\"" SLF "\"}", SLA(d.id)));
    else
        sim_fault(c, 400, &f);
}

static void post_again(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    if (!s->last_id) {
        sim_refuse(c, 404, "not_found", "", "nothing was sent yet");
        return;
    }
    sam_event_send(s->last_chat, slice_of(s->last_id), s->caps, slice_of(s->last_body));
    sim_json(c, 200, SL("{}"));
}

static void get_guests(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    struct jw w = jw_new(c->x->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_str(&w, "business", s->business);
    jw_open(&w, "guests", '[');
    for (size_t i = 0; i < s->n_chats; i++) {
        const struct sam_chat *chat = &s->chats[i];
        jw_open(&w, NULL, '{');
        jw_int(&w, "number", (int64_t)i + 1);
        jw_str(&w, "id", slice_of(chat->id));
        jw_str(&w, "name", slice_of(chat->name));
        jw_bool(&w, "closed", chat->closed);
        jw_bool(&w, "typing", chat->typing_ms > 0);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void get_messages(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    const struct sam_chat *chat = sam_chat_of(s, c->params[0]);
    if (!chat) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    struct jw w = jw_new(c->x->a, 64 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "messages", '[');
    for (const struct sam_message *m = chat->first; m; m = m->next)
        sam_message_write(&w, m);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void get_counters(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    sim_json(c, 200, arena_printf(c->x->a, "{\"calls\":%lld,\"repeats\":%lld,\"refs\":%lld,\"taken\":%lld,\"refused\":%lld,\"webhooks\":" SLF "}", (long long)s->calls,
                                  (long long)s->repeats, (long long)s->refs, (long long)s->taken, (long long)s->refused, SLA(webhooks_show(s->env->webhooks, c->x->a))));
}

static const struct sim_route routes[] = {
    { "GET", "/sim/guests", get_guests, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/send", post_send, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/again", post_again, SIM_CONTROL },
    { "GET", "/sim/guests/:guest/messages", get_messages, SIM_CONTROL },
    { "GET", "/sim/counters", get_counters, SIM_CONTROL },
};

void sam_guest_routes(struct sam *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
