#include "hub/dry.h"
#include "tests/cases/run.h"
#include "wire/jwks.h"

static const char NOW[] = "2026-03-04T05:06:07.890Z";

bool case_fail(struct run *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!r->why.p)
        r->why = arena_vprintf(r->a, fmt, ap);
    va_end(ap);
    return false;
}

const struct js *run_json(struct run *r, const char *section, const char *otherwise)
{
    slice text = casefile_text(r->cf, section);
    struct fault f = { 0 };
    const struct js *v = js_parse(r->a, text.p ? text : slice_of(otherwise), &f);
    if (!v)
        case_fail(r, "section \"%s\": %s", section, f.text);
    return v;
}

/* ---- settings ------------------------------------------------------------------------------------------------------ */

static bool known_settings(struct run *r, const struct js *given)
{
    for (void *it = js_first(given); it; it = js_next(given, it)) {
        bool known = false;
        for (size_t i = 0; i < r->k->n_settings; i++)
            known |= slice_eq(js_key(given, it), slice_of(r->k->settings[i].name));
        if (!known)
            return case_fail(r, "%s has no setting \"" SLF "\"", r->k->name, SLA(js_key(given, it)));
    }
    return true;
}

static bool begin_settings(struct run *r, slice defaults)
{
    struct fault f = { 0 };
    const struct js *base = js_parse(r->a, slice_or(defaults, SL("{}")), &f);
    const struct js *own = run_json(r, "settings", "{}");
    if (!base)
        return case_fail(r, "defaults.json: %s", f.text);
    if (!own || !known_settings(r, base) || !known_settings(r, own))
        return false;
    r->account = (struct account){
        .id = arena_printf(r->a, "acme/%s", r->k->name),
        .name = slice_of(r->k->name),
        .tenant = SL("acme"),
        .type = r->k,
        .settings = dry_settings(r->a, r->k, own, base),
        .public_url = SL("https://hub.example.com"),
        .hook_url = arena_printf(r->a, "https://hub.example.com%s", r->k->hook.path ? r->k->hook.path : ""),
    };
    return true;
}

/* ---- memory, conversation ------------------------------------------------------------------------------------------ */

/* {"key":"value"} or {"key":["value","until"]} */
static bool fill_memory(struct run *r, struct memory *m, const char *section)
{
    const struct js *given = run_json(r, section, "{}");
    if (!given)
        return false;
    for (void *it = js_first(given); it; it = js_next(given, it)) {
        const struct js *v = js_value(it);
        slice value = js_is_array(v) ? js_text(js_item(v, 0)) : js_text(v);
        int64_t until_ms = 0;
        if (!value.p || (js_is_array(v) && !time_parse_rfc3339(js_text(js_item(v, 1)), &until_ms)))
            return case_fail(r, "section \"%s\": a value is text or [text, time]", section);
        memory_set(m, arena_cstr(r->a, js_key(given, it)), value, until_ms);
    }
    return true;
}

/* The form fill_memory reads. */
static slice memory_text(struct run *r, const struct memory *m)
{
    struct fault f = { 0 };
    const struct js *doc = js_parse(r->a, memory_print(r->a, m, r->call.now_ms), &f);
    struct jw w = jw_new(r->a, CASE_BYTES_MAX);
    jw_open(&w, NULL, '{');
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        const struct js *pair = js_value(it);
        int64_t until_ms = 0;
        jw_key(&w, js_key(doc, it));
        if (js_int(js_item(pair, 1), &until_ms) && until_ms) {
            jw_open(&w, NULL, '[');
            jw_str(&w, NULL, js_text(js_item(pair, 0)));
            jw_time(&w, NULL, until_ms);
            jw_close(&w, ']');
        } else {
            jw_str(&w, NULL, js_text(js_item(pair, 0)));
        }
    }
    jw_close(&w, '}');
    return jw_done(&w);
}

/* clang-format off */
static const struct js_field conversation_fields[] = {
    JS_FIELD(struct conversation, id,                "id",                JS_STR,   0),
    JS_FIELD(struct conversation, guest,             "guest",             JS_STR,   0),
    JS_FIELD(struct conversation, address,           "address",           JS_STR,   0),
    JS_FIELD_OBJ(struct conversation, person,        "person",            person_fields, 0),
    JS_FIELD(struct conversation, agent_name,        "agent_name",        JS_STR,   0),
    JS_FIELD(struct conversation, desk_conversation, "desk_conversation", JS_STR,   0),
    JS_FIELD(struct conversation, open,              "open",              JS_BOOL,  0),
    JS_FIELD(struct conversation, last_in_ms,        "last_in",           JS_TIME,  0),
    JS_FIELD(struct conversation, last_out_ms,       "last_out",          JS_TIME,  0),
    JS_FIELD(struct conversation, network,           "network",           JS_STR,   0),
    JS_FIELD(struct conversation, tenant_data,       "tenant_data",       JS_PAIRS, 0),
    JS_FIELD(struct conversation, tenant,            "tenant",            JS_STR,   0),
};
/* clang-format on */

static bool begin_conversation(struct run *r)
{
    const struct js *given = run_json(r, "conversation", "{}");
    struct fault f = { 0 };
    r->conversation.tenant = r->account.tenant;
    if (!given)
        return false;
    if (!js_read(r->a, given, conversation_fields, COUNT(conversation_fields), &r->conversation, &f))
        return case_fail(r, "section \"conversation\": %s %s", f.field, f.text);
    return true;
}

/* {"name":"text"} */
static slice case_response(const struct call *c, slice name)
{
    const struct js *all = run_json(c->of, "responses", "{}");
    return js_text(js_get(all, name));
}

bool run_begin(struct run *r, slice defaults)
{
    r->memory = memory_new();
    r->guest_memory = memory_new();
    r->call = (struct call){
        .a = r->a,
        .account = &r->account,
        .memory = r->memory,
        .f = &r->fault,
        .response = case_response,
        .of = r,
    };
    for (size_t i = 0; i < sizeof(r->call.random); i++)
        r->call.random[i] = (uint8_t)i;
    slice now = casefile_text(r->cf, "now");
    if (!time_parse_rfc3339(now.p ? now : slice_of(NOW), &r->call.now_ms))
        return case_fail(r, "section \"now\" is no time");
    if (!begin_settings(r, defaults) || !fill_memory(r, r->memory, "memory") ||
        !fill_memory(r, r->guest_memory, "guest_memory") || !begin_conversation(r))
        return false;
    r->memory_before = memory_text(r, r->memory);
    r->guest_memory_before = memory_text(r, r->guest_memory);
    return true;
}

void run_end(struct run *r)
{
    r->keys = jwks_free(r->keys);
    memory_free(r->memory);
    memory_free(r->guest_memory);
    r->memory = r->guest_memory = NULL;
}

bool expect_memories(struct run *r)
{
    return expect_json(r, "remembered", memory_text(r, r->memory), r->memory_before) &&
           expect_json(r, "guest_remembered", memory_text(r, r->guest_memory), r->guest_memory_before);
}
