#include "hub/setting.h"
#include "hub/adapt.h"
#include "api/connectors.h"
#include "api/call.h"

enum { CONFIG_MEMBER_MAX = 64 };

/* ---- settings as JSON Schema ----------------------------------------------------------------------------------------- */

static const char *const json_types[] = {
    [SETTING_TEXT] = "string", [SETTING_URL] = "string",    [SETTING_NUMBER] = "integer",
    [SETTING_BOOL] = "boolean", [SETTING_CHOICE] = "string", [SETTING_PAIRS] = "object",
};

static void write_default(struct jw *w, const struct setting *s)
{
    if (!s->otherwise)
        return;
    if (s->type == SETTING_NUMBER || s->type == SETTING_BOOL || s->type == SETTING_PAIRS)
        jw_raw(w, "default", slice_of(s->otherwise));
    else
        jw_str(w, "default", slice_of(s->otherwise));
}

static void write_limits(struct jw *w, const struct setting *s)
{
    bool text = s->type == SETTING_TEXT || s->type == SETTING_URL;
    if (s->type == SETTING_NUMBER && (s->min || s->max)) {
        jw_int(w, "minimum", s->min);
        jw_int(w, "maximum", s->max);
    }
    if (text && (s->min || s->required))
        jw_int(w, "minLength", MAX(s->min, 1));
    if (text && s->max)
        jw_int(w, "maxLength", s->max);
    if (s->type == SETTING_URL)
        jw_str(w, "format", SL("uri"));
    if (s->type == SETTING_CHOICE) {
        jw_open(w, "enum", '[');
        for (const char *const *c = s->choices; c && *c; c++)
            jw_str(w, NULL, slice_of(*c));
        jw_close(w, ']');
    }
    if (s->type == SETTING_PAIRS) {
        jw_open(w, "additionalProperties", '{');
        jw_str(w, "type", SL("string"));
        jw_close(w, '}');
    }
}

static void write_value(struct jw *w, const struct setting *s)
{
    jw_str(w, "type", slice_of(json_types[s->type]));
    write_limits(w, s);
    write_default(w, s);
}

static void write_setting(struct jw *w, const char *key, const struct setting *s, size_t order, enum settings_use use)
{
    jw_open(w, key, '{');
    jw_str(w, "title", slice_of(s->label ? s->label : s->name));
    jw_opt(w, "description", slice_of(s->help));
    if (s->secret && use == SETTINGS_DOCUMENT) {
        jw_open(w, "anyOf", '[');
        jw_open(w, NULL, '{');
        write_value(w, s);
        jw_close(w, '}');
        jw_open(w, NULL, '{');
        jw_str(w, "$ref", SL("#/components/schemas/SecretState"));
        jw_close(w, '}');
        jw_close(w, ']');
    } else {
        write_value(w, s);
        if (s->secret)
            jw_bool(w, "writeOnly", true);
    }
    if (s->secret)
        jw_bool(w, "x-secret", true);
    jw_int(w, "x-order", (int64_t)order);
    jw_close(w, '}');
}

/* "integration" of "integration.token" when that row is the first of its group behind prefix; {NULL,0}: a plain row, or not the first. */
static slice group_of(const struct setting *rows, size_t i, slice prefix, bool *ret_first)
{
    slice rest = slice_from(slice_of(rows[i].name), prefix.n);
    size_t dot = slice_find_char(rest, '.');
    if (dot == SIZE_MAX)
        return SLICE_NONE;
    slice whole = slice_sub(slice_of(rows[i].name), 0, prefix.n + dot + 1);
    *ret_first = true;
    for (size_t k = 0; k < i; k++)
        *ret_first &= !slice_starts(slice_of(rows[k].name), whole);
    return whole;
}

/* Defaults are filled in, so only what has none must be there. */
static bool is_needed(const struct setting *s)
{
    return s->required && !s->otherwise;
}

static bool group_is_needed(const struct setting *rows, size_t n, slice prefix)
{
    for (size_t i = 0; i < n; i++)
        if (slice_starts(slice_of(rows[i].name), prefix) && is_needed(&rows[i]))
            return true;
    return false;
}

struct group {
    const struct setting *rows;
    size_t n;
    const struct connector *type;
    enum settings_use use;
};

static void write_group(struct jw *w, const char *key, const struct group *g, slice prefix, size_t order);

static void write_properties(struct jw *w, const struct group *g, slice prefix)
{
    for (size_t i = 0; i < g->n; i++) {
        slice name = slice_of(g->rows[i].name);
        bool first = false;
        if (!slice_starts(name, prefix))
            continue;
        slice group = group_of(g->rows, i, prefix, &first);
        if (!group.p) {
            write_setting(w, g->rows[i].name + prefix.n, &g->rows[i], i, g->use);
        } else if (first) {
            char member[CONFIG_MEMBER_MAX];
            snprintf(member, sizeof(member), SLF, SLA(slice_sub(group, prefix.n, group.n - prefix.n - 1)));
            write_group(w, member, g, group, i);
        }
    }
}

static void write_required(struct jw *w, const struct group *g, slice prefix)
{
    bool any = g->type && !prefix.n;
    for (size_t i = 0; i < g->n && !any; i++)
        any = slice_starts(slice_of(g->rows[i].name), prefix) && is_needed(&g->rows[i]);
    if (!any)
        return;
    jw_open(w, "required", '[');
    if (g->type && !prefix.n)
        jw_str(w, NULL, SL("type"));
    for (size_t i = 0; i < g->n; i++) {
        slice name = slice_of(g->rows[i].name);
        bool first = false;
        if (!slice_starts(name, prefix))
            continue;
        slice group = group_of(g->rows, i, prefix, &first);
        if (!group.p && is_needed(&g->rows[i]))
            jw_str(w, NULL, slice_from(name, prefix.n));
        else if (group.p && first && group_is_needed(g->rows, g->n, group))
            jw_str(w, NULL, slice_sub(group, prefix.n, group.n - prefix.n - 1));
    }
    jw_close(w, ']');
}

static void write_type(struct jw *w, const struct connector *type)
{
    jw_open(w, "type", '{');
    jw_str(w, "type", SL("string"));
    jw_str(w, "const", slice_of(type->name));
    jw_close(w, '}');
    jw_open(w, "name", '{');
    jw_str(w, "type", SL("string"));
    jw_str(w, "title", SL("Name"));
    jw_str(w, "description", SL("Of the account within its tenant; the connector's own name when left out"));
    jw_str(w, "pattern", SL("^[a-z0-9][a-z0-9._-]*$"));
    jw_int(w, "maxLength", 64);
    jw_close(w, '}');
    jw_open(w, "storage", '{');
    jw_str(w, "type", SL("string"));
    jw_str(w, "title", SL("Storage"));
    jw_str(w, "description", SL("Where attachments that it sends are kept: a name of /storages; the tenant's when left out"));
    jw_int(w, "maxLength", 64);
    jw_close(w, '}');
    jw_open(w, setting_dedupe.name, '{');
    jw_str(w, "type", SL("integer"));
    jw_str(w, "title", slice_of(setting_dedupe.label));
    jw_str(w, "description", slice_of(setting_dedupe.help));
    jw_int(w, "minimum", setting_dedupe.min);
    jw_int(w, "maximum", setting_dedupe.max);
    jw_close(w, '}');
}

/* "integration." -> Integration; names of their own as their owners write them. */
static slice group_title(slice prefix, char to[CONFIG_MEMBER_MAX])
{
    static const struct { const char *group, *title; } names[] = { { "google_maps", "Google Maps" }, { "oauth", "OAuth" } };
    slice path = slice_sub(prefix, 0, prefix.n - 1), name = slice_from(path, slice_find_last(path, '.') + 1);
    for (size_t i = 0; i < COUNT(names); i++)
        if (slice_eq(name, slice_of(names[i].group)))
            return slice_of(names[i].title);
    snprintf(to, CONFIG_MEMBER_MAX, SLF, SLA(name));
    if (to[0] >= 'a' && to[0] <= 'z')
        to[0] = (char)(to[0] - 32);
    for (char *c = to; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    return slice_of(to);
}

static void write_group(struct jw *w, const char *key, const struct group *g, slice prefix, size_t order)
{
    jw_open(w, key, '{');
    jw_str(w, "type", SL("object"));
    if (prefix.n) {
        char title[CONFIG_MEMBER_MAX];
        jw_str(w, "title", group_title(prefix, title));
        jw_int(w, "x-order", (int64_t)order);
    } else if (g->type) {
        jw_str(w, "title", slice_of(g->type->title));
    }
    jw_open(w, "properties", '{');
    if (g->type && !prefix.n)
        write_type(w, g->type);
    write_properties(w, g, prefix);
    jw_close(w, '}');
    write_required(w, g, prefix);
    if (g->type || prefix.n || g->use == SETTINGS_FORM) /* else it is part of something larger */
        jw_bool(w, "additionalProperties", false);
    jw_close(w, '}');
}

void settings_schema(struct jw *w, const char *key, const struct setting *rows, size_t n, const struct connector *type, enum settings_use use)
{
    struct group g = { rows, n, type, use };
    write_group(w, key, &g, SL(""), 0);
}

slice settings_schema_name(struct arena *a, const struct connector *type)
{
    slice s = arena_printf(a, "Settings_%s", type->name);
    char *p = arena_cstr(a, s);
    for (size_t i = 0; i < s.n; i++)
        if (p[i] == '-')
            p[i] = '_';
    return (slice){ p, s.n };
}

/* ---- capabilities ---------------------------------------------------------------------------------------------------- */

static void write_bits(struct jw *w, const char *key, unsigned bits, const char *const *names, size_t n)
{
    jw_open(w, key, '[');
    for (size_t i = 0; i < n; i++)
        if ((bits & (1u << i)) && names[i])
            jw_str(w, NULL, slice_of(names[i]));
    jw_close(w, ']');
}

void media_rules_write(struct jw *w, const char *key, const struct caps *caps)
{
    jw_open(w, key, '[');
    for (size_t i = 0; caps->media != MEDIA_NONE && i < caps->n_media_rules; i++) {
        jw_open(w, NULL, '{');
        jw_str(w, "type", slice_of(caps->media_rules[i].type));
        jw_int(w, "max_bytes", caps->media_rules[i].max_bytes);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void write_caps(struct jw *w, const struct connector *type)
{
    const struct caps *caps = &type->caps;
    static const char *const units[] = { [UNIT_CHARS] = "characters", [UNIT_UTF16] = "utf16", [UNIT_BYTES] = "bytes" };
    static const char *const ways[] = { [MEDIA_NONE] = "none", [MEDIA_LINK] = "link", [MEDIA_UPLOAD] = "upload" };
    jw_open(w, "capabilities", '{');
    write_bits(w, "kinds", caps->kinds, kind_names, KIND_MAX);
    write_bits(w, "events", caps->events, event_names, EVENT_MAX);
    write_bits(w, "statuses", caps->statuses, status_names, STATUS_MAX);
    jw_int(w, "text_max", (int64_t)caps->text_max);
    jw_str(w, "text_unit", slice_of(units[caps->text_unit]));
    jw_bool(w, "caption", caps->caption);
    jw_str(w, "media", slice_of(ways[caps->media]));
    jw_int(w, "media_per_message", MAX(caps->media_per_message, 1u));
    media_rules_write(w, "media_rules", caps);
    jw_int(w, "choices_max", (int64_t)caps->choices_max);
    jw_int(w, "choice_label_max", (int64_t)caps->choice_label_max);
    jw_int(w, "cards_max", (int64_t)caps->cards_max);
    jw_int(w, "card_choices_max", (int64_t)caps->card_choices_max);
    jw_bool(w, "choice_urls", caps->choice_urls);
    jw_bool(w, "location_needs_title", caps->location_needs_title);
    jw_bool(w, "sticker_needs_own_id", caps->sticker_needs_own_id);
    jw_bool(w, "choice_pictures", caps->choice_pictures);
    jw_bool(w, "agent_name", caps->agent_name);
    jw_int(w, "reply_window_ms", caps->reply_window_ms);
    if (caps->reply_window_setting)
        jw_str(w, "reply_window_setting", slice_of(type->settings[caps->reply_window_setting].name));
    jw_close(w, '}');
}

/* ---- the calls ------------------------------------------------------------------------------------------------------- */

void connector_manifest(struct api_call *c, struct jw *w, const struct connector *type, const struct account *of)
{
    if (!type->manifest)
        return;
    slice *values = ARENA_ARRAY(c->a, slice, type->n_settings);
    for (size_t i = 0; i < type->n_settings; i++)
        values[i] = slice_of(type->settings[i].otherwise);
    struct account fresh = { .type = type, .settings = values, .public_url = c->hub->public_url,
                             .hook_url = arena_printf(c->a, SLF "%s", SLA(c->hub->public_url), type->hook.path ? type->hook.path : "") };
    struct fault f = { 0 };
    struct call call = { .a = c->a, .account = of ? of : &fresh, .now_ms = time_now_ms(), .f = &f };
    jw_opt(w, "manifest", type->manifest(&call));
}

static void write_connector(struct api_call *c, struct jw *w, const struct connector *type)
{
    jw_str(w, "name", slice_of(type->name));
    jw_str(w, "title", slice_of(type->title));
    jw_str(w, "side", type->desk ? SL("desk") : SL("network"));
    settings_schema(w, "schema", type->settings, type->n_settings, NULL, SETTINGS_FORM);
    write_caps(w, type);
    if (type->hook.path)
        jw_str(w, "webhook", arena_printf(c->a, SLF "%s", SLA(c->hub->public_url), type->hook.path));
    else
        jw_null(w, "webhook");
    connector_manifest(c, w, type, NULL);
}

void api_connectors_list(struct api_call *c)
{
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < n_connectors; i++) {
        jw_open(&w, NULL, '{');
        write_connector(c, &w, connectors[i]);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    api_answer(c, &w);
}

void api_connectors_get(struct api_call *c)
{
    const struct connector *type = connector_find(c->params[0]);
    if (!type) {
        api_not_found(c, "connector", c->params[0]);
        return;
    }
    struct jw w = api_json(c);
    write_connector(c, &w, type);
    api_answer(c, &w);
}

void api_capabilities(struct api_call *c)
{
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < n_connectors; i++) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "name", slice_of(connectors[i]->name));
        jw_str(&w, "title", slice_of(connectors[i]->title));
        jw_str(&w, "side", connectors[i]->desk ? SL("desk") : SL("network"));
        write_caps(&w, connectors[i]);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_open(&w, "rules", '[');
    const struct adapt_rule *rule;
    for (size_t i = 0; (rule = adapt_rule_at(i)); i++) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "name", slice_of(rule->name));
        jw_str(&w, "text", slice_of(rule->text));
        jw_bool(&w, "loses", rule->loses);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    api_answer(c, &w);
}
