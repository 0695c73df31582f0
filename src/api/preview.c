/* preview.c - what would each network get? POST /preview {"message", "networks"? or "channel"?}
 *
 * The message is made into parts and its calls are built as for a delivery (hub/dry.h); nothing is sent. For an account of a tenant its own settings
 * are used, without its secrets.
 */
#include "api/call.h"
#include "api/chat/say.h"
#include "hub/dry.h"
#include "hub/hub.h"
#include "hub/rich.h"
#include "wire/base64.h"

/* ---- the message ------------------------------------------------------------------------------------------------------ */

static bool read_one(struct api_call *c, const struct js *v, struct message *ret, struct fault *f)
{
    const struct js *doc = js_is_string(v) ? rich_json(c->a, js_text(v), f) : v;
    if (f->code)
        return fault(f, "bad_json", "", "its JSON is not valid: %s", arena_printf(c->a, "%s", f->text).p);
    if (js_is_object(doc))
        return rich_message(c->a, doc, NULL, ret, f);
    if (doc && !js_is_string(doc))
        return fault(f, "wrong_type", "", "must be a text or an object");
    *ret = (struct message){ .kind = KIND_TEXT, .text = js_text(v) };
    return slice_trim(ret->text).n || fault(f, "missing_field", "", "must be a text or an object");
}

/* False: answered. */
static bool read_message(struct api_call *c, struct message *ret)
{
    struct fault f = { 0 };
    if (read_one(c, js_get(c->body, SL("message")), ret, &f))
        return true;
    api_problem(c, 422, f.code, arena_printf(c->a, "message%s%s", f.field[0] ? "." : "", f.field).p, "%s", f.text);
    return false;
}

/* ---- the answer ------------------------------------------------------------------------------------------------------- */

static void write_body(struct api_call *c, struct jw *w, const struct http_call *call)
{
    const struct js *doc = slice_find(call->type, SL("json")) != SIZE_MAX ? js_parse(c->a, call->body, NULL) : NULL;
    if (doc)
        jw_value(w, "body", doc);
    else if (utf8_valid(call->body))
        jw_str(w, "body", call->body);
    else
        jw_str(w, "body", base64_encode(c->a, call->body));
}

static void write_call(struct api_call *c, struct jw *w, const struct http_call *call)
{
    jw_open(w, NULL, '{');
    jw_str(w, "method", slice_of(call->method));
    jw_str(w, "url", call->url);
    jw_opt(w, "type", call->type);
    jw_open(w, "headers", '{');
    for (size_t i = 0; i < call->n_headers; i++) {
        if (slice_eq_nocase(call->headers[i].name, SL("Authorization")))
            continue;
        jw_key(w, call->headers[i].name);
        jw_str(w, NULL, call->headers[i].value);
    }
    jw_close(w, '}');
    if (call->media_body)
        jw_str(w, "file", call->media_body->url);
    else if (call->body.n)
        write_body(c, w, call);
    jw_close(w, '}');
}

static void write_rules(struct jw *w, slice note)
{
    jw_open(w, "rules", '[');
    while (note.n) {
        const struct adapt_rule *rule = adapt_rule_find(slice_cut(&note, ' '));
        if (!rule)
            continue;
        jw_open(w, NULL, '{');
        jw_str(w, "name", slice_of(rule->name));
        jw_str(w, "text", slice_of(rule->text));
        jw_bool(w, "loses", rule->loses);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

/* Web chat calls nobody: its pages fetch these. */
static void write_lines(struct api_call *c, struct jw *w, const struct dry *dry)
{
    struct chat_session s = { .id = "000102030405060708090a0b0c0d0e0f" };
    struct offers o = { .a = c->a, .of = SL("preview") };
    struct say_who who = say_agent(c->a, &s, SL("Agent"), ORIGIN_AGENT);
    for (size_t i = 0; i < dry->adapted.n; i++) {
        slice files, json = say_part(c->a, &s, dry->now_ms * 16 + (int64_t)i, &who, &dry->adapted.parts[i], &o, &files);
        if (json.p)
            jw_raw(w, NULL, json);
    }
}

static void write_preview(struct api_call *c, struct jw *w, struct dry *dry, const struct account *account)
{
    jw_open(w, NULL, '{');
    jw_str(w, "network", slice_of(dry->type->name));
    jw_str(w, "title", slice_of(dry->type->title));
    if (account)
        jw_str(w, "channel", account->id);
    bool carried = dry->end == OUT_DELIVERED || dry->end == OUT_PARKED;
    jw_bool(w, "carried", carried);
    if (!carried) {
        jw_str(w, "reason", slice_of(reason_names[dry->reason ? dry->reason : REASON_GENERAL]));
        jw_str(w, "problem", slice_of(dry->fault.text));
    }
    jw_bool(w, "waits", dry->end == OUT_PARKED);
    write_rules(w, dry->adapted.note);
    jw_open(w, "parts", '[');
    for (size_t i = 0; i < dry->adapted.n; i++) {
        const struct message *p = &dry->adapted.parts[i];
        struct message shown = { .kind = p->kind, .text = p->text, .payload = p->payload, .media = p->media, .location = p->location, .sticker = p->sticker,
                                 .choices = p->choices, .cards = p->cards, .picker = p->picker, .native_json = p->native_json };
        message_write(w, NULL, &shown);
    }
    jw_close(w, ']');
    jw_open(w, "calls", '[');
    for (size_t i = 0; i < dry->calls.n; i++)
        write_call(c, w, LIST_AT(dry->calls, struct http_call, i));
    jw_close(w, ']');
    jw_open(w, "lines", '[');
    if (dry->type->own_end && slice_eq(slice_of(dry->type->name), SL("webchat")))
        write_lines(c, w, dry);
    jw_close(w, ']');
    jw_close(w, '}');
}

static void preview_one(struct api_call *c, struct jw *w, const struct connector *type, const struct account *account, const struct message *m)
{
    struct dry dry = { .type = type, .account = account, .now_ms = time_now_ms(), .public_url = c->hub->public_url };
    dry_run(c->a, &dry, m);
    write_preview(c, w, &dry, account);
}

/* ---- which networks ------------------------------------------------------------------------------------------------------ */

struct chosen {
    const struct connector **types;
    size_t n;
    const struct account *account;
};

static bool choose(struct api_call *c, struct chosen *ret)
{
    slice channel = js_text(js_get(c->body, SL("channel")));
    const struct js *names = js_get(c->body, SL("networks"));
    ret->types = ARENA_ARRAY(c->a, const struct connector *, n_connectors + js_len(names) + 1);
    if (channel.n) {
        const struct actor *actor = hub_actor(c->hub, channel);
        if (!actor || actor->account.type->desk)
            return api_problem(c, 422, "unknown", "channel", "there is no channel \"" SLF "\" at work", SLA(utf8_cut_bytes(channel, 100))), false;
        ret->account = &actor->account;
        ret->types[ret->n++] = actor->account.type;
        return true;
    }
    for (size_t i = 0; i < js_len(names); i++) {
        const struct connector *type = connector_find(js_text(js_item(names, i)));
        if (!type || type->desk)
            return api_problem(c, 422, "unknown", arena_printf(c->a, "networks[%zu]", i).p, "there is no network \"" SLF "\"",
                               SLA(utf8_cut_bytes(js_text(js_item(names, i)), 100))), false;
        ret->types[ret->n++] = type;
    }
    for (size_t i = 0; !js_len(names) && i < n_connectors; i++)
        if (!connectors[i]->desk)
            ret->types[ret->n++] = connectors[i];
    return true;
}

void api_preview(struct api_call *c)
{
    struct message m;
    struct chosen chosen = { 0 };
    if (!read_message(c, &m) || !choose(c, &chosen))
        return;
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < chosen.n; i++)
        preview_one(c, &w, chosen.types[i], chosen.account, &m);
    jw_close(&w, ']');
    api_answer(c, &w);
}
