#include "hub/tenant_doc.h"

/* ---- out ------------------------------------------------------------------------------------------------------------------ */

static void write_value(struct jw *w, const char *key, const struct setting *s, slice value, enum doc_secrets secrets)
{
    if (s->secret && secrets == DOC_SECRETS_HIDDEN) {
        jw_open(w, key, '{');
        jw_bool(w, "set", value.n > 0);
        jw_close(w, '}');
        return;
    }
    bool same = value.p && s->otherwise && slice_eq(value, slice_of(s->otherwise));
    if (!value.p || (value.n == 0 && !s->otherwise) || same)
        return;
    int64_t number;
    if (s->type == SETTING_PAIRS)
        jw_raw(w, key, value);
    else if (s->type == SETTING_BOOL)
        jw_bool(w, key, slice_eq(value, SL("true")));
    else if (s->type == SETTING_NUMBER && slice_int(value, &number))
        jw_int(w, key, number);
    else
        jw_str(w, key, value);
}

/* Rows whose names begin with prefix ("" or "integration."); those with one more dot become an object, at the place of their first. */
static void write_rows(struct jw *w, const struct setting *rows, size_t n, const slice *values, slice prefix, enum doc_secrets secrets)
{
    for (size_t i = 0; i < n; i++) {
        slice name = slice_of(rows[i].name);
        if (!slice_starts(name, prefix))
            continue;
        slice rest = slice_from(name, prefix.n);
        size_t dot = slice_find_char(rest, '.');
        if (dot == SIZE_MAX) {
            write_value(w, rest.p, &rows[i], values[i], secrets);
            continue;
        }
        slice group = slice_sub(name, 0, prefix.n + dot + 1);
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = !slice_starts(slice_of(rows[k].name), group);
        if (!first)
            continue;
        jw_key(w, slice_sub(rest, 0, dot));
        jw_open(w, NULL, '{');
        write_rows(w, rows, n, values, group, secrets);
        jw_close(w, '}');
    }
}

void settings_doc_write(struct jw *w, const struct setting *rows, size_t n, const slice *values, enum doc_secrets secrets)
{
    write_rows(w, rows, n, values, SL(""), secrets);
}

static void write_account(struct jw *w, const char *key, const struct account *acc, enum doc_secrets secrets)
{
    jw_open(w, key, '{');
    jw_str(w, "type", slice_of(acc->type->name));
    jw_str(w, "name", acc->name);
    jw_opt(w, "storage", acc->own_storage);
    if (acc->dedupe_ms)
        jw_int(w, setting_dedupe.name, acc->dedupe_ms / 3600000);
    settings_doc_write(w, acc->type->settings, acc->type->n_settings, acc->settings, secrets);
    jw_close(w, '}');
}

/* Is everything as it is when nothing is said? */
static bool commander_is_plain(const struct config_commander *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c->values[i].n && !slice_eq(c->values[i], slice_of(commander_settings[i].otherwise)))
            return false;
    return !c->language;
}

void commander_doc_write(struct jw *w, const char *key, const struct config_commander *c, size_t n, enum doc_secrets secrets)
{
    if (commander_is_plain(c, n))
        return;
    jw_open(w, key, '{');
    settings_doc_write(w, commander_settings, n, c->values, secrets);
    if (c->language) {
        jw_open(w, "language", '{');
        jw_str(w, "type", slice_of(c->language->type.name));
        settings_doc_write(w, c->language->type.settings, c->language->type.n_settings, c->settings, secrets);
        jw_close(w, '}');
    }
    jw_close(w, '}');
}

void tenant_doc_write(struct jw *w, const struct config_tenant *t, enum doc_secrets secrets)
{
    jw_str(w, "name", t->name);
    settings_doc_write(w, tenant_settings, TENANT_SETTINGS, t->values, secrets);
    write_account(w, "desk", t->desk, secrets);
    jw_open(w, "channels", '[');
    for (size_t i = 0; i < t->n_channels; i++)
        write_account(w, NULL, &t->channels[i], secrets);
    jw_close(w, ']');
    commander_doc_write(w, "commander", &t->commander, COMMANDER_SETTINGS, secrets);
    if (!t->custom_data.n)
        return;
    jw_open(w, "custom_data", '{');
    for (size_t i = 0; i < t->custom_data.n; i++) {
        const struct js_pair *p = &((const struct js_pair *)t->custom_data.items)[i];
        jw_key(w, p->key);
        jw_str(w, NULL, p->value);
    }
    jw_close(w, '}');
}

/* ---- in ------------------------------------------------------------------------------------------------------------------- */

static struct yaml *member(struct yaml *map, slice key)
{
    if (map && map->kind == YAML_MAP)
        for (struct yaml *m = map->first; m; m = m->next)
            if (slice_eq(m->key, key))
                return m;
    return NULL;
}

static struct yaml *add_member(struct arena *a, struct yaml *map, slice key, enum yaml_kind kind)
{
    struct yaml *m = ARENA_NEW(a, struct yaml), **at = &map->first;
    m->key = key;
    m->kind = kind;
    while (*at)
        at = &(*at)->next;
    *at = m;
    map->n++;
    return m;
}

static slice member_text(struct yaml *map, slice key)
{
    struct yaml *m = member(map, key);
    return m && m->kind == YAML_SCALAR ? m->text : SLICE_NONE;
}

/* Is it the sign that stands for a secret? *ret_set: of one that is there. */
static bool is_sign(struct yaml *m, bool *ret_set)
{
    slice set = member_text(m, SL("set"));
    *ret_set = slice_eq(set, SL("true"));
    return m->kind == YAML_MAP && m->n == 1 && set.p;
}

static void keep_secret(struct arena *a, struct yaml *map, slice name, slice old)
{
    size_t dot = slice_find_char(name, '.');
    struct yaml *m = member(map, dot == SIZE_MAX ? name : slice_sub(name, 0, dot));
    if (dot != SIZE_MAX) {
        if (!m && old.n)
            m = add_member(a, map, slice_sub(name, 0, dot), YAML_MAP);
        if (m && m->kind == YAML_MAP)
            keep_secret(a, m, slice_from(name, dot + 1), old);
        return;
    }
    bool set = true;
    if (m && !is_sign(m, &set))
        return;
    if (!m && !old.n)
        return;
    if (!m)
        m = add_member(a, map, name, YAML_NULL);
    m->kind = set && old.n ? YAML_SCALAR : YAML_NULL;
    m->text = set ? old : SLICE_NONE;
    m->first = NULL;
    m->n = 0;
}

void settings_doc_complete(struct arena *a, struct yaml *map, const struct setting *rows, size_t n, const slice *old)
{
    for (size_t i = 0; map->kind == YAML_MAP && i < n; i++)
        if (rows[i].secret)
            keep_secret(a, map, slice_of(rows[i].name), old ? old[i] : SLICE_NONE);
}

static const struct account *account_of(const struct config_tenant *t, const struct connector *type, slice name)
{
    if (!t)
        return NULL;
    if (t->desk->type == type && slice_eq(t->desk->name, name))
        return t->desk;
    for (size_t i = 0; i < t->n_channels; i++)
        if (t->channels[i].type == type && slice_eq(t->channels[i].name, name))
            return &t->channels[i];
    return NULL;
}

static void complete_account(struct arena *a, struct yaml *map, const struct config_tenant *old, config_find find)
{
    const struct connector *type = find(member_text(map, SL("type")));
    if (!type)
        return;
    const struct account *before = account_of(old, type, member_text(map, SL("name")));
    settings_doc_complete(a, map, type->settings, type->n_settings, before ? before->settings : NULL);
}

static bool name_is_taken(struct yaml *doc, slice name)
{
    if (slice_eq(member_text(member(doc, SL("desk")), SL("name")), name))
        return true;
    struct yaml *list = member(doc, SL("channels"));
    for (struct yaml *c = list ? list->first : NULL; c; c = c->next)
        if (slice_eq(member_text(c, SL("name")), name))
            return true;
    return false;
}

/* As config_read does. */
static void name_account(struct arena *a, struct yaml *doc, struct yaml *map)
{
    slice type = member_text(map, SL("type")), name = type;
    if (!type.n || member_text(map, SL("name")).n)
        return;
    for (int i = 2; name_is_taken(doc, name); i++)
        name = arena_printf(a, SLF "-%d", SLA(type), i);
    struct yaml *m = member(map, SL("name"));
    if (!m)
        m = add_member(a, map, SL("name"), YAML_SCALAR);
    m->kind = YAML_SCALAR;
    m->text = name;
}

void commander_doc_complete(struct arena *a, struct yaml *map, const struct config_commander *old)
{
    struct yaml *language = member(map, SL("language"));
    const struct language *l = language_find(member_text(language, SL("type")));
    if (l && language->kind == YAML_MAP)
        settings_doc_complete(a, language, l->type.settings, l->type.n_settings, old && old->language == l ? old->settings : NULL);
}

void tenant_doc_complete(struct arena *a, struct yaml *doc, const struct config_tenant *old, config_find find)
{
    struct yaml *desk = member(doc, SL("desk")), *channels = member(doc, SL("channels"));
    settings_doc_complete(a, doc, tenant_settings, TENANT_SETTINGS, old ? old->values : NULL);
    commander_doc_complete(a, member(doc, SL("commander")), old ? &old->commander : NULL);
    if (desk && desk->kind == YAML_MAP) {
        name_account(a, doc, desk);
        complete_account(a, desk, old, find);
    }
    for (struct yaml *c = channels && channels->kind == YAML_LIST ? channels->first : NULL; c; c = c->next) {
        if (c->kind != YAML_MAP)
            continue;
        name_account(a, doc, c);
        complete_account(a, c, old, find);
    }
}
