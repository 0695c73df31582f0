/* responses.c - the hub's own canned responses, what one would become, and what a commander can be. */
#include "hub/responses.h"
#include "api/audit.h"
#include "api/call.h"
#include "api/connectors.h"
#include "hub/command.h"
#include "hub/command_line.h"
#include "hub/config.h"
#include "hub/registry.h"
#include "hub/response_message.h"
#include "wire/url.h"

static void write_one(struct jw *w, const struct own_response *o)
{
    own_response_write(w, o);
    jw_int(w, "rev", o->rev);
    jw_time(w, "changed", o->changed_ms);
    jw_str(w, "changed_by", o->by);
}

static bool holds(slice s, slice part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (slice_eq_nocase(slice_sub(s, i, part.n), part))
            return true;
    return part.n == 0;
}

void api_responses_list(struct api_call *c)
{
    slice q = api_query(c, "q"), tenant = api_query(c, "tenant");
    const struct registry_entry *e = tenant.n ? registry_find(c->hub, tenant) : NULL;
    if (tenant.n && (!e || !e->tenant)) {
        api_not_found(c, "tenant", tenant);
        return;
    }
    struct api_page page;
    if (!api_page(c, &page, 0))
        return;
    const struct own_response *const *all;
    size_t n = responses_own(c->hub, &all);
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < n; i++) {
        bool holds_it = holds(all[i]->r.name, q) || holds(all[i]->r.text, q) || holds(all[i]->r.library, q);
        if (!api_page_has(&page, all[i]->r.name, holds_it && (!e || response_is_of(all[i], e->tenant))))
            continue;
        jw_open(&w, NULL, '{');
        write_one(&w, all[i]);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    if (api_page_end(&page, &w))
        api_answer(c, &w);
}

static const struct connector any_network = { .name = "", .title = "This network", .caps = { .kinds = ~0u } };

static slice default_zone(const struct api_call *c)
{
    return c->hub->config ? c->hub->config->commander.values[COMMANDER_ZONE] : SLICE_NONE;
}

/* What is wrong with it as far as its defaults show; absent: nothing. */
static slice problem_of(struct api_call *c, const struct canned_response *r)
{
    struct js_list messages;
    struct fault f = { 0 };
    slice text, line;
    if (!response_render(c->hub, c->a, r, default_zone(c), NULL, 0, &text, &f))
        return arena_dup(c->a, slice_of(f.text));
    if (command_prefixed(text, SL(COMMANDER_PREFIX_OTHERWISE), &line) || response_messages(c->a, text, &any_network, &messages, &f))
        return SLICE_NONE;
    return arena_printf(c->a, "%s%s%s", f.field, f.field[0] ? ": " : "", f.text);
}

static void answer(struct api_call *c, const struct own_response *o)
{
    bool asked = slice_eq(c->x->method, SL("GET"));
    if (asked && !api_etag(c, o->rev))
        return;
    struct jw w = api_json(c);
    write_one(&w, o);
    if (!asked)
        jw_opt(&w, "problem", problem_of(c, &o->r));
    api_answer(c, &w);
}

/* NULL: answered. */
static const struct own_response *of_path(struct api_call *c)
{
    const struct own_response *o = response_own(c->hub, c->params[0]);
    if (!o)
        api_not_found(c, "canned response", c->params[0]);
    return o;
}

void api_responses_get(struct api_call *c)
{
    const struct own_response *o = of_path(c);
    if (o)
        answer(c, o);
}

static void done(void *arg, const struct own_response *o, const struct fault *f)
{
    struct api_call *c = arg;
    if (f) {
        bool busy = strcmp(f->code, "conflict") == 0 || strcmp(f->code, "changed") == 0 || strcmp(f->code, "too_many") == 0;
        api_problem(c, strcmp(f->code, "store_failed") == 0 ? 503 : busy ? 409 : 422, f->code, f->field[0] ? f->field : NULL, "%s", f->text);
        return;
    }
    audit_note(c, o ? c->op->status == 201 ? "response.create" : "response.change" : "response.delete", o ? o->r.name : c->params[0], SLICE_NONE);
    if (!o) {
        api_empty(c);
        return;
    }
    if (c->op->status == 201)
        api_header(c, "Location", arena_printf(c->a, "/api/v1/responses/" SLF, SLA(url_encode(c->a, o->r.name))));
    answer(c, o);
}

void api_responses_create(struct api_call *c)
{
    response_put(c->hub, NULL, c->body, c->user, done, c);
}

/* False: answered. */
static bool may_change(struct api_call *c, const struct own_response *o)
{
    int64_t rev;
    if (!api_if_match(c, &rev))
        return false;
    if (rev < 0 || rev == o->rev)
        return true;
    api_problem(c, 412, "changed", NULL, "it was changed meanwhile (it is at revision %lld): read it again", (long long)o->rev);
    return false;
}

void api_responses_put(struct api_call *c)
{
    const struct own_response *o = of_path(c);
    if (o && may_change(c, o))
        response_put(c->hub, o, c->body, c->user, done, c);
}

void api_responses_delete(struct api_call *c)
{
    const struct own_response *o = of_path(c);
    if (o && may_change(c, o))
        response_remove(c->hub, o, done, c);
}

/* ---- what it would become ------------------------------------------------------------------------------------------------ */

struct rendering {
    struct api_call *c;
    const struct tenant *t;           /* NULL: none */
    const struct connector *network;
    struct template_pair values[COMMAND_VALUES_MAX];
    size_t n;
};

static void write_messages(struct rendering *re, struct jw *w, slice text)
{
    struct js_list messages;
    struct fault f = { 0 };
    if (response_messages(re->c->a, text, re->network, &messages, &f))
        jw_raw(w, "messages", slice_or(messages_print(re->c->a, &messages), SL("[]")));
    else
        jw_str(w, "problem", arena_printf(re->c->a, "%s%s%s", f.field, f.field[0] ? ": " : "", f.text));
}

static void found(void *arg, const struct canned_response *r, const struct fault *why)
{
    struct rendering *re = arg;
    struct api_call *c = re->c;
    struct commander who = { .prefix = SL(COMMANDER_PREFIX_OTHERWISE), .zone = default_zone(c) };
    struct fault f = { 0 };
    slice text = SL(""), line;
    if (!r && strcmp(why->code, "no_response") == 0) {
        api_not_found(c, "canned response", c->params[0]);
        return;
    }
    if (!r) {
        api_problem(c, 502, why->code, NULL, "%s", why->text);
        return;
    }
    if (re->t)
        (void)commander_of(re->t, &who);
    bool good = !r->why.n && response_render(c->hub, c->a, r, who.zone, re->values, re->n, &text, &f);
    bool command = good && command_prefixed(text, who.prefix, &line);
    struct jw w = api_json(c);
    jw_str(&w, "name", r->name);
    jw_str(&w, "text", text);
    if (r->why.n || !good)
        jw_str(&w, "problem", r->why.n ? r->why : slice_of(f.text));
    if (command)
        jw_str(&w, "command", line);
    if (good && !command)
        write_messages(re, &w, text);
    api_answer(c, &w);
}

/* NULL: answered. */
static const struct connector *network_of(struct api_call *c)
{
    slice name = js_text(js_get(c->body, SL("network")));
    const struct connector *type = name.n ? connector_find(name) : &any_network;
    if (!type || type->desk)
        api_problem(c, 422, "unsupported", "network", "there is no network of this name");
    return type && !type->desk ? type : NULL;
}

void api_responses_render(struct api_call *c)
{
    struct rendering *re = ARENA_NEW(c->a, struct rendering);
    const struct js *values = js_get(c->body, SL("values"));
    slice tenant = js_text(js_get(c->body, SL("tenant")));
    re->c = c;
    re->network = network_of(c);
    if (!re->network)
        return;
    if (js_len(values) > COMMAND_VALUES_MAX) {
        api_problem(c, 422, "out_of_range", "values", "at most %d", COMMAND_VALUES_MAX);
        return;
    }
    for (void *it = js_first(values); it; it = js_next(values, it))
        re->values[re->n++] = (struct template_pair){ js_key(values, it), js_text(js_value(it)) };
    if (!tenant.n) {
        const struct own_response *o = of_path(c);
        if (o)
            found(re, &o->r, NULL);
        return;
    }
    const struct registry_entry *e = registry_find(c->hub, tenant);
    if (!e || !e->tenant) {
        api_not_found(c, "tenant", tenant);
        return;
    }
    re->t = e->tenant;
    responses_find(e->tenant, c->params[0], found, re);
}

/* ---- what a commander can be ------------------------------------------------------------------------------------------------ */

void api_commander_get(struct api_call *c)
{
    struct jw w = api_json(c);
    settings_schema(&w, "schema", commander_settings, COMMANDER_SETTINGS, NULL, SETTINGS_FORM);
    api_answer(c, &w);
}
