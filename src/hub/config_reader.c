#include "hub/config_reader.h"

void reader_problem(struct config_reader *r, const struct yaml *at, slice path, const char *fmt, ...)
{
    struct config_problems *p = r->p;
    if (p->n == CONFIG_PROBLEMS_MAX) {
        p->more++;
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    p->items[p->n++] = (struct config_problem){ at ? at->line : 0, at ? at->column : 0, arena_dup(p->a, path), arena_vprintf(p->a, fmt, ap) };
    va_end(ap);
}

slice reader_path(struct config_reader *r, slice parent, slice key)
{
    key = utf8_cut_bytes(key, CONFIG_NAME_MAX);
    return parent.n ? arena_printf(r->a, SLF "." SLF, SLA(parent), SLA(key)) : key;
}

/* ---- one value ------------------------------------------------------------------------------------------------------------------- */

/* ${NAME} -> the environment's NAME, $${ -> ${. False: a problem was reported. */
static bool expand(struct config_reader *r, const struct yaml *at, slice path, slice text, slice *ret)
{
    enum { EXPANDED_MAX = 1 << 20, NAME_MAX_BYTES = 200 };
    if (!r->env || slice_find(text, SL("${")) == SIZE_MAX) {
        *ret = text;
        return true;
    }
    struct text t = text_new(r->a, EXPANDED_MAX);
    while (text.n) {
        size_t start = slice_find(text, SL("${"));
        if (start == SIZE_MAX)
            break;
        if (start && text.p[start - 1] == '$') {
            text_put(&t, slice_sub(text, 0, start - 1));
            text_put(&t, SL("${"));
            text = slice_from(text, start + 2);
            continue;
        }
        text_put(&t, slice_sub(text, 0, start));
        text = slice_from(text, start + 2);
        size_t end = slice_find_char(text, '}');
        if (end == SIZE_MAX || end == 0 || end > NAME_MAX_BYTES) {
            reader_problem(r, at, path, "\"${\" must be followed by the name of an environment variable and \"}\"; write \"$${\" for the characters themselves");
            return false;
        }
        const char *name = arena_cstr(r->a, slice_sub(text, 0, end));
        const char *value = r->env(name);
        if (!value) {
            reader_problem(r, at, path, "the environment variable %s is not set", name);
            return false;
        }
        text_put(&t, slice_of(value));
        text = slice_from(text, end + 1);
    }
    text_put(&t, text);
    if (t.over)
        reader_problem(r, at, path, "is too long");
    *ret = text_slice(&t);
    return !t.over;
}

/* {name: value} as JSON text, or as pairs. */
bool reader_pairs(struct config_reader *r, const struct yaml *map, slice path, struct js_list *ret)
{
    if (map->kind != YAML_MAP) {
        reader_problem(r, map, path, "must be an object of names and values");
        return false;
    }
    struct js_pair *pairs = ARENA_ARRAY(r->a, struct js_pair, map->n);
    size_t n = 0;
    bool ok = true;
    for (const struct yaml *m = map->first; m; m = m->next) {
        slice value;
        if (m->kind != YAML_SCALAR && m->kind != YAML_NULL) {
            reader_problem(r, m, reader_path(r, path, m->key), "must be a plain value");
            ok = false;
        } else if (!expand(r, m, reader_path(r, path, m->key), m->text.p ? m->text : SL(""), &value)) {
            ok = false;
        } else {
            pairs[n++] = (struct js_pair){ m->key, value };
        }
    }
    *ret = (struct js_list){ pairs, n };
    return ok;
}

static slice pairs_json(struct config_reader *r, const struct js_list *list)
{
    struct jw w = jw_new(r->a, YAML_BYTES_MAX * 2);
    jw_open(&w, NULL, '{');
    for (size_t i = 0; i < list->n; i++) {
        const struct js_pair *p = &((const struct js_pair *)list->items)[i];
        jw_key(&w, p->key);
        jw_str(&w, NULL, p->value);
    }
    jw_close(&w, '}');
    return jw_done(&w);
}

void reader_setting(struct config_reader *r, const struct setting *s, const struct yaml *v, slice path, slice *ret)
{
    struct fault f = { 0 };
    struct js_list pairs;
    slice text;
    if (v->kind == YAML_NULL)
        return;
    *ret = SL(""); /* given, though perhaps wrong: not missing as well */
    if (s->type == SETTING_PAIRS) {
        if (reader_pairs(r, v, path, &pairs))
            *ret = pairs_json(r, &pairs);
    } else if (v->kind != YAML_SCALAR) {
        reader_problem(r, v, path, "must be one value, not a %s", v->kind == YAML_LIST ? "list" : "group of settings");
    } else if (expand(r, v, path, v->text, &text) && !setting_value(r->a, s, text, ret, &f)) {
        reader_problem(r, v, path, "%s", f.text);
        *ret = SL("");
    }
}

/* ---- a table of settings ------------------------------------------------------------------------------------------------------------ */

static bool is_group(const struct reader_table *t, slice name)
{
    for (size_t i = 0; i < t->n; i++) {
        slice row = slice_of(t->rows[i].name);
        if (row.n > name.n && row.p[name.n] == '.' && slice_starts(row, name))
            return true;
    }
    return false;
}

static bool is_known(const struct reader_table *t, slice name)
{
    for (const char *const *k = t->known; *k; k++)
        if (slice_eq(slice_of(*k), name))
            return true;
    return false;
}

void reader_members(struct config_reader *r, const struct reader_table *t, const struct yaml *map, slice prefix, slice path)
{
    for (const struct yaml *m = map->first; m; m = m->next) {
        slice name = arena_printf(r->a, SLF SLF, SLA(prefix), SLA(m->key));
        slice at = reader_path(r, path, m->key);
        int i = setting_find(t->rows, t->n, name);
        if (prefix.n == 0 && is_known(t, name))
            continue;
        if (i >= 0 && t->values[i].p) {
            reader_problem(r, m, at, "is given twice");
        } else if (i >= 0) {
            reader_setting(r, &t->rows[i], m, at, &t->values[i]);
        } else if (is_group(t, name) && m->kind == YAML_MAP) {
            reader_members(r, t, m, arena_printf(r->a, SLF ".", SLA(name)), at);
        } else if (is_group(t, name)) {
            reader_problem(r, m, at, "must be a group of settings");
        } else {
            const char *near = setting_nearest(t->rows, t->n, name);
            reader_problem(r, m, at, "there is no such setting%s%s%s", near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
    }
}

void reader_complete(struct config_reader *r, const struct reader_table *t, const struct yaml *at, slice path)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct setting *s = &t->rows[i];
        if (t->values[i].p)
            continue;
        if (s->required && !s->otherwise)
            reader_problem(r, at, reader_path(r, path, slice_of(s->name)), "is missing: %s", s->help ? s->help : s->label);
        t->values[i] = slice_of(s->otherwise);
    }
}

const struct yaml *reader_find(const struct yaml *map, slice name)
{
    const struct yaml *whole = yaml_get(map, name);
    slice rest = name, group = slice_cut(&rest, '.');
    return whole || !rest.p ? whole : reader_find(yaml_get(map, group), rest);
}

/* ---- names ------------------------------------------------------------------------------------------------------------------------------------ */

bool reader_name_ok(slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9');
        if (!letter && (i == 0 || !strchr("-_.", s.p[i]) || !s.p[i]))
            return false;
    }
    return s.n > 0 && s.n <= CONFIG_NAME_MAX;
}

slice reader_word(struct config_reader *r, const struct yaml *map, slice key, slice path, bool required)
{
    const struct yaml *v = yaml_get(map, key);
    slice text = SLICE_NONE;
    if (v && v->kind != YAML_SCALAR && v->kind != YAML_NULL)
        reader_problem(r, v, reader_path(r, path, key), "must be a text");
    else if (v && v->kind == YAML_SCALAR && expand(r, v, reader_path(r, path, key), v->text, &text) && text.n)
        return text;
    else if (required && (!v || v->kind == YAML_NULL || text.p))
        reader_problem(r, v ? v : map, reader_path(r, path, key), "is missing");
    return SLICE_NONE;
}
