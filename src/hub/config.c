#include "hub/config.h"
#include "wire/uuid.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

const struct setting config_settings[CFG_MAX] = {
#define X(e, name, type, otherwise, min, max, secret, help) \
    [e] = { name, name, SETTING_##type, false, secret, otherwise, help, NULL, min, max },
#include "hub/config.def"
#undef X
};

static const char *const api_auths[] = { "off", "none", "basic", NULL };
const struct setting tenant_settings[TENANT_SETTINGS] = {
    [TENANT_SUBSCRIPTION] = { "subscription", "Subscription", SETTING_TEXT, false, false, NULL, "Its number or name, for your own books", NULL, 1, 200 },
    [TENANT_STORAGE] = { "storage", "Storage", SETTING_TEXT, false, false, NULL,
                         "Where its attachments are kept: a name of storages, or local; default_storage when left out. desk and each channel may name another", NULL, 1, 64 },
    [TENANT_API_AUTH] = { "api.auth", "Authentication", SETTING_CHOICE, false, false, "off",
                          "Who may send messages in this tenant's name over the API: nobody, anybody who knows its id, or who has the user and password",
                          api_auths, 0, 0 },
    [TENANT_API_USER] = { "api.user", "User", SETTING_TEXT, false, false, NULL, "Of basic authentication", NULL, 1, 200 },
    [TENANT_API_PASSWORD] = { "api.password", "Password", SETTING_TEXT, false, true, NULL, "Of basic authentication", NULL, 8, 200 },
};

struct reader {
    struct arena *a;
    config_env env; /* NULL: nothing is expanded */
    config_find find;
    slice slug; /* of the one tenant that is read; absent: made of its name */
    struct config *c;
    struct config_problems *p;
};

static void problem(struct reader *r, const struct yaml *at, slice path, const char *fmt, ...) PRINTF(4, 5);
static void problem(struct reader *r, const struct yaml *at, slice path, const char *fmt, ...)
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

/* parent.key, or key at the top */
static slice path_of(struct reader *r, slice parent, slice key)
{
    key = utf8_cut_bytes(key, CONFIG_NAME_MAX);
    return parent.n ? arena_printf(r->a, SLF "." SLF, SLA(parent), SLA(key)) : key;
}

/* ---- one value ------------------------------------------------------------------------------------------------------------------- */

/* ${NAME} -> the environment's NAME, $${ -> ${. False: a problem was reported. */
static bool expand(struct reader *r, const struct yaml *at, slice path, slice text, slice *ret)
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
            problem(r, at, path, "\"${\" must be followed by the name of an environment variable and \"}\"; write \"$${\" for the characters themselves");
            return false;
        }
        const char *name = arena_cstr(r->a, slice_sub(text, 0, end));
        const char *value = r->env(name);
        if (!value) {
            problem(r, at, path, "the environment variable %s is not set", name);
            return false;
        }
        text_put(&t, slice_of(value));
        text = slice_from(text, end + 1);
    }
    text_put(&t, text);
    if (t.over)
        problem(r, at, path, "is too long");
    *ret = text_slice(&t);
    return !t.over;
}

/* {name: value} as JSON text, or as pairs. */
static bool read_pairs(struct reader *r, const struct yaml *map, slice path, struct js_list *ret)
{
    if (map->kind != YAML_MAP) {
        problem(r, map, path, "must be an object of names and values");
        return false;
    }
    struct js_pair *pairs = ARENA_ARRAY(r->a, struct js_pair, map->n);
    size_t n = 0;
    bool ok = true;
    for (const struct yaml *m = map->first; m; m = m->next) {
        slice value;
        if (m->kind != YAML_SCALAR && m->kind != YAML_NULL) {
            problem(r, m, path_of(r, path, m->key), "must be a plain value");
            ok = false;
        } else if (!expand(r, m, path_of(r, path, m->key), m->text.p ? m->text : SL(""), &value)) {
            ok = false;
        } else {
            pairs[n++] = (struct js_pair){ m->key, value };
        }
    }
    *ret = (struct js_list){ pairs, n };
    return ok;
}

static slice pairs_json(struct reader *r, const struct js_list *list)
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

/* The member of the file that gives setting s. *ret stays absent for null. */
static void read_setting(struct reader *r, const struct setting *s, const struct yaml *v, slice path, slice *ret)
{
    struct fault f = { 0 };
    slice text;
    if (v->kind == YAML_NULL)
        return;
    if (s->type == SETTING_PAIRS) {
        struct js_list pairs;
        if (read_pairs(r, v, path, &pairs))
            *ret = pairs_json(r, &pairs);
        return;
    }
    if (v->kind != YAML_SCALAR) {
        problem(r, v, path, "must be one value, not a %s", v->kind == YAML_LIST ? "list" : "group of settings");
        return;
    }
    if (!expand(r, v, path, v->text, &text))
        return;
    if (!setting_value(r->a, s, text, ret, &f)) {
        problem(r, v, path, "%s", f.text);
        *ret = SL(""); /* given, though wrong: not missing as well */
    }
}

/* ---- a table of settings ------------------------------------------------------------------------------------------------------------ */

struct table {
    const struct setting *rows;
    size_t n;
    const char *const *known; /* members read elsewhere; NULL-terminated */
    slice *values;
};

static bool is_group(const struct table *t, slice name)
{
    for (size_t i = 0; i < t->n; i++) {
        slice row = slice_of(t->rows[i].name);
        if (row.n > name.n && row.p[name.n] == '.' && slice_starts(row, name))
            return true;
    }
    return false;
}

static bool is_known(const struct table *t, slice name)
{
    for (const char *const *k = t->known; *k; k++)
        if (slice_eq(slice_of(*k), name))
            return true;
    return false;
}

/* Reads the members of map; prefix is "integration." within a group, path is where map stands in the file. */
static void read_members(struct reader *r, const struct table *t, const struct yaml *map, slice prefix, slice path)
{
    for (const struct yaml *m = map->first; m; m = m->next) {
        slice name = arena_printf(r->a, SLF SLF, SLA(prefix), SLA(m->key));
        slice at = path_of(r, path, m->key);
        int i = setting_find(t->rows, t->n, name);
        if (prefix.n == 0 && is_known(t, name))
            continue;
        if (i >= 0 && t->values[i].p) {
            problem(r, m, at, "is given twice");
        } else if (i >= 0) {
            read_setting(r, &t->rows[i], m, at, &t->values[i]);
        } else if (is_group(t, name) && m->kind == YAML_MAP) {
            read_members(r, t, m, arena_printf(r->a, SLF ".", SLA(name)), at);
        } else if (is_group(t, name)) {
            problem(r, m, at, "must be a group of settings");
        } else {
            const char *near = setting_nearest(t->rows, t->n, name);
            problem(r, m, at, "there is no such setting%s%s%s", near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
    }
}

/* Defaults, and what is missing. */
static void complete(struct reader *r, const struct table *t, const struct yaml *at, slice path)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct setting *s = &t->rows[i];
        if (t->values[i].p)
            continue;
        if (s->required && !s->otherwise)
            problem(r, at, path_of(r, path, slice_of(s->name)), "is missing: %s", s->help ? s->help : s->label);
        t->values[i] = slice_of(s->otherwise);
    }
}

/* ---- the hub's own settings ----------------------------------------------------------------------------------------------------------- */

static void env_name(const char *name, char to[CONFIG_NAME_MAX])
{
    size_t n = (size_t)snprintf(to, CONFIG_NAME_MAX, "DRAGOMAN_");
    for (; *name && n + 1 < CONFIG_NAME_MAX; name++)
        to[n++] = *name == '.' ? '_' : (char)(*name >= 'a' && *name <= 'z' ? *name - 32 : *name);
    to[n] = 0;
}

static void flag_name(const char *name, char to[CONFIG_NAME_MAX])
{
    size_t n = (size_t)snprintf(to, CONFIG_NAME_MAX, "--");
    for (; *name && n + 1 < CONFIG_NAME_MAX; name++)
        to[n++] = *name == '.' || *name == '_' ? '-' : *name;
    to[n] = 0;
}

static void override(struct reader *r, enum config_id id, const char *from, slice value)
{
    struct fault f = { 0 };
    if (!setting_value(r->a, &config_settings[id], value, &r->c->values[id], &f))
        problem(r, NULL, slice_of(from), "%s", f.text);
}

static void read_overrides(struct reader *r, const struct config_flag *flags, size_t n_flags)
{
    char name[CONFIG_NAME_MAX];
    for (int id = 0; id < CFG_MAX; id++) {
        env_name(config_settings[id].name, name);
        const char *value = r->env(name);
        if (value && *value)
            override(r, (enum config_id)id, name, slice_of(value));
    }
    for (size_t i = 0; i < n_flags; i++) {
        flag_name(config_settings[flags[i].id].name, name);
        override(r, flags[i].id, name, flags[i].value);
    }
}

int config_flag_parse(int argc, char *const *argv, int i, struct config_flag *ret)
{
    slice arg = slice_of(argv[i]);
    size_t equals = slice_find_char(arg, '=');
    slice given = equals == SIZE_MAX ? arg : slice_sub(arg, 0, equals);
    char name[CONFIG_NAME_MAX];
    for (int id = 0; id < CFG_MAX; id++) {
        flag_name(config_settings[id].name, name);
        if (!slice_eq(given, slice_of(name)))
            continue;
        ret->id = (enum config_id)id;
        if (equals != SIZE_MAX) {
            ret->value = slice_from(arg, equals + 1);
            return 1;
        }
        if (config_settings[id].type == SETTING_BOOL) {
            ret->value = SL("true");
            return 1;
        }
        if (i + 1 >= argc)
            return -1;
        ret->value = slice_of(argv[i + 1]);
        return 2;
    }
    return 0;
}

static void check_listen(struct reader *r, const struct yaml *at)
{
    slice listen = r->c->values[CFG_LISTEN];
    size_t colon = slice_find_last(listen, ':');
    int64_t port;
    if (listen.n && (colon == SIZE_MAX || colon == 0 || !slice_int(slice_from(listen, colon + 1), &port) || port < 0 || port > 65535))
        problem(r, at, SL("listen"), "must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080");
}

static void read_hub(struct reader *r, const struct yaml *root, const struct config_flag *flags, size_t n_flags)
{
    static const char *const known[] = { "tenants", "notifiers", "storages", NULL };
    struct config *c = r->c;
    struct table t = { config_settings, CFG_MAX, known, c->values };
    read_members(r, &t, root, SLICE_NONE, SLICE_NONE);
    read_overrides(r, flags, n_flags);
    complete(r, &t, root, SLICE_NONE);
    check_listen(r, yaml_get(root, SL("listen")));
    if (!c->values[CFG_TLS_CERT].n != !c->values[CFG_TLS_KEY].n)
        problem(r, yaml_get(root, SL("tls")), SL("tls"), "needs both cert and key");
    if (!c->values[CFG_PUBLIC_URL].n)
        c->values[CFG_PUBLIC_URL] = arena_printf(r->a, "http%s://" SLF, c->values[CFG_TLS_CERT].n ? "s" : "", SLA(c->values[CFG_LISTEN]));
}

/* ---- names ------------------------------------------------------------------------------------------------------------------------------------ */

#define NAME_RULE "must be small letters, digits, '-', '_' and '.', at most %d, and begin with a letter or digit"
static bool name_is_good(slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9');
        if (!letter && (i == 0 || !strchr("-_.", s.p[i]) || !s.p[i]))
            return false;
    }
    return s.n > 0 && s.n <= CONFIG_NAME_MAX;
}

/* The plain text of a member that is not in a table ("type", "name"); {NULL,0}: absent, or a problem was reported. */
static slice word(struct reader *r, const struct yaml *map, slice key, slice path, bool required)
{
    const struct yaml *v = yaml_get(map, key);
    slice text = SLICE_NONE;
    if (v && v->kind != YAML_SCALAR && v->kind != YAML_NULL)
        problem(r, v, path_of(r, path, key), "must be a text");
    else if (v && v->kind == YAML_SCALAR && expand(r, v, path_of(r, path, key), v->text, &text) && text.n)
        return text;
    else if (required && (!v || v->kind == YAML_NULL || text.p))
        problem(r, v ? v : map, path_of(r, path, key), "is missing");
    return SLICE_NONE;
}

/* ---- storages ------------------------------------------------------------------------------------------------------------------------------ */

static bool storage_is_there(const struct config *c, slice name)
{
    for (size_t i = 0; i < c->n_storages; i++)
        if (slice_eq(c->storages[i].name, name))
            return true;
    return slice_eq(name, SL(STORAGE_LOCAL));
}

/* Of map's member "storage"; {NULL,0}: it has none. */
static slice storage_named(struct reader *r, const struct yaml *map, slice path)
{
    slice name = word(r, map, SL("storage"), path, false);
    if (name.p && !storage_is_there(r->c, name))
        problem(r, yaml_get(map, SL("storage")), path_of(r, path, SL("storage")), "there is no storage of this name");
    return name;
}

static void read_storage(struct reader *r, const struct yaml *map, slice path, struct config_storage *st)
{
    static const char *const known[] = { "type", "name", "purge_delay_seconds", NULL };
    const struct setting *delay = &config_settings[CFG_PURGE_DELAY];
    if (map->kind != YAML_MAP) {
        problem(r, map, path, "must be a group of settings with a name and a type");
        return;
    }
    slice name = word(r, map, SL("name"), path, true), type = word(r, map, SL("type"), path, true);
    if (name.p && !name_is_good(name))
        problem(r, yaml_get(map, SL("name")), path_of(r, path, SL("name")), NAME_RULE, CONFIG_NAME_MAX);
    else if (name.p && storage_is_there(r->c, name))
        problem(r, yaml_get(map, SL("name")), path_of(r, path, SL("name")), "another storage has this name");
    if (!type.p)
        return;
    st->type = storage_type_find(type);
    if (!st->type) {
        problem(r, yaml_get(map, SL("type")), path_of(r, path, SL("type")), "there is no kind of storage of this name");
        return;
    }
    slice *values = ARENA_ARRAY(r->a, slice, MAX(st->type->n_settings, (size_t)1));
    struct table t = { st->type->settings, st->type->n_settings, known, values };
    size_t problems_before = r->p->n + r->p->more;
    read_members(r, &t, map, SLICE_NONE, path);
    complete(r, &t, map, path);
    slice seconds = r->c->values[CFG_PURGE_DELAY];
    const struct yaml *own = yaml_get(map, slice_of(delay->name));
    if (own)
        read_setting(r, delay, own, path_of(r, path, slice_of(delay->name)), &seconds);
    if (!slice_int(seconds, &st->purge_ms))
        st->purge_ms = 0; /* a problem was reported */
    st->purge_ms *= 1000;
    st->settings = values;
    struct fault f = { 0 };
    if (r->p->n + r->p->more == problems_before && st->type->check && !st->type->check(values, &f)) {
        const struct yaml *at = yaml_get(map, slice_of(f.field));
        problem(r, at ? at : map, f.field[0] ? path_of(r, path, slice_of(f.field)) : path, "%s", f.text);
    }
    st->name = name;
}

/* Behind those that are there already, for which there is room. */
static void read_storage_list(struct reader *r, const struct yaml *list)
{
    struct config *c = r->c;
    size_t i = 0;
    for (const struct yaml *v = list ? list->first : NULL; v; v = v->next) {
        read_storage(r, v, arena_printf(r->a, "storages[%zu]", i++), &c->storages[c->n_storages]);
        c->n_storages++;
    }
}

const struct config_storage *config_storages_read(struct arena *a, const struct yaml *list, const struct config *of, size_t *ret_n,
                                                  struct config_problems *p)
{
    struct reader r = { .a = a, .c = ARENA_NEW(a, struct config), .p = p };
    size_t before = p->n + p->more, n = list && list->kind == YAML_LIST ? list->n : 0;
    r.c->values[CFG_PURGE_DELAY] = of->values[CFG_PURGE_DELAY];
    r.c->storages = ARENA_ARRAY(a, struct config_storage, of->n_storages + n + 1);
    for (; r.c->n_storages < of->n_storages; r.c->n_storages++)
        r.c->storages[r.c->n_storages] = of->storages[r.c->n_storages];
    if (n + of->n_storages > CONFIG_STORAGES_MAX)
        problem(&r, list, SL("storages"), "must be a list of at most %zu storages", (size_t)CONFIG_STORAGES_MAX - of->n_storages);
    else
        read_storage_list(&r, n ? list : NULL);
    *ret_n = r.c->n_storages - of->n_storages;
    return p->n + p->more == before ? r.c->storages + of->n_storages : NULL;
}

static void read_storages(struct reader *r, const struct yaml *root)
{
    const struct yaml *list = yaml_get(root, SL("storages"));
    struct config *c = r->c;
    if (list && list->kind != YAML_NULL && (list->kind != YAML_LIST || list->n > CONFIG_STORAGES_MAX)) {
        problem(r, list, SL("storages"), "must be a list of at most %d storages", CONFIG_STORAGES_MAX);
        return;
    }
    c->storages = ARENA_ARRAY(r->a, struct config_storage, (list ? list->n : 0) + 1);
    read_storage_list(r, list);
    if (!storage_is_there(c, c->values[CFG_STORAGE]))
        problem(r, yaml_get(root, SL("default_storage")), SL("default_storage"), "there is no storage of this name");
}

/* ---- tenants ------------------------------------------------------------------------------------------------------------------------------- */

slice config_slug(struct arena *a, slice name)
{
    char *to = arena_alloc(a, CONFIG_NAME_MAX);
    size_t n = 0;
    for (size_t i = 0; i < name.n && n + 1 < CONFIG_NAME_MAX; i++) {
        char c = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            to[n++] = c;
        else if (n && to[n - 1] != '-')
            to[n++] = '-';
    }
    while (n && to[n - 1] == '-')
        n--;
    if (n)
        return (slice){ to, n };
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a: the same at every start */
    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (unsigned char)name.p[i]) * 0x100000001b3u;
    return arena_printf(a, "t-%016llx", (unsigned long long)h);
}

static void check_account(struct reader *r, const struct account *acc, const struct yaml *map, slice path)
{
    const struct connector *type = acc->type;
    if (!type->check)
        return;
    struct fault f = { 0 };
    struct memory *memory = memory_new();
    struct call call = { .a = r->a, .account = acc, .memory = memory, .now_ms = time_now_ms(), .f = &f };
    if (!type->check(&call)) {
        const struct yaml *at = yaml_get(map, slice_of(f.field));
        problem(r, at ? at : map, f.field[0] ? path_of(r, path, slice_of(f.field)) : path, "%s", f.text);
    }
    memory_free(memory);
}

/* type and settings; the name and what is made of it come after all accounts of the tenant are known. */
static void read_account(struct reader *r, const struct yaml *map, slice path, bool desk, struct account *acc)
{
    static const char *const known[] = { "type", "name", "storage", "dedupe_hours", NULL };
    if (map->kind != YAML_MAP) {
        problem(r, map, path, "must be a group of settings with a type");
        return;
    }
    slice type = word(r, map, SL("type"), path, true);
    if (!type.p)
        return;
    acc->type = r->find(type);
    if (!acc->type) {
        problem(r, yaml_get(map, SL("type")), path_of(r, path, SL("type")), "there is no connector of this name");
        return;
    }
    if (acc->type->desk != desk) {
        problem(r, yaml_get(map, SL("type")), path_of(r, path, SL("type")), "%s is a %s: it belongs under %s", acc->type->title,
                acc->type->desk ? "desk" : "network", acc->type->desk ? "desk" : "channels");
        acc->type = NULL;
        return;
    }
    slice *values = ARENA_ARRAY(r->a, slice, MAX(acc->type->n_settings, (size_t)1));
    struct table t = { acc->type->settings, acc->type->n_settings, known, values };
    size_t problems_before = r->p->n + r->p->more;
    read_members(r, &t, map, SLICE_NONE, path);
    complete(r, &t, map, path);
    acc->settings = values;
    acc->name = word(r, map, SL("name"), path, false);
    acc->own_storage = storage_named(r, map, path);
    const struct yaml *dedupe = yaml_get(map, slice_of(setting_dedupe.name));
    slice hours = SLICE_NONE;
    int64_t n_hours = 0;
    if (dedupe)
        read_setting(r, &setting_dedupe, dedupe, path_of(r, path, slice_of(setting_dedupe.name)), &hours);
    if (slice_int(hours, &n_hours))
        acc->dedupe_ms = n_hours * 3600000;
    if (acc->name.p && !name_is_good(acc->name)) {
        problem(r, yaml_get(map, SL("name")), path_of(r, path, SL("name")), NAME_RULE, CONFIG_NAME_MAX);
    } else if (r->p->n + r->p->more == problems_before) {
        check_account(r, acc, map, path);
    }
}

static bool name_is_taken(const struct config_tenant *t, slice name)
{
    if (t->desk->name.p && slice_eq(t->desk->name, name))
        return true;
    for (size_t i = 0; i < t->n_channels; i++)
        if (t->channels[i].name.p && slice_eq(t->channels[i].name, name))
            return true;
    return false;
}

static slice free_name(struct reader *r, const struct config_tenant *t, slice type)
{
    slice name = type;
    for (int i = 2; name_is_taken(t, name); i++)
        name = arena_printf(r->a, SLF "-%d", SLA(type), i);
    return name;
}

static void finish_account(struct reader *r, const struct config_tenant *t, struct account *acc)
{
    acc->tenant = t->name;
    acc->storage = slice_or(slice_or(acc->own_storage, t->values[TENANT_STORAGE]), r->c->values[CFG_STORAGE]);
    acc->id = arena_printf(r->a, SLF "/" SLF, SLA(t->slug), SLA(acc->name));
    acc->public_url = r->c->values[CFG_PUBLIC_URL];
    if (acc->type->hook.path)
        acc->hook_url = arena_printf(r->a, SLF "%s", SLA(acc->public_url), acc->type->hook.path);
}

static void read_channels(struct reader *r, struct config_tenant *t, const struct yaml *list, slice path)
{
    if (!list || list->kind != YAML_LIST || list->n == 0) {
        problem(r, list, path, "must be a list with at least one channel");
        return;
    }
    t->channels = ARENA_ARRAY(r->a, struct account, list->n);
    for (const struct yaml *v = list->first; v; v = v->next) {
        slice at = arena_printf(r->a, SLF "[%zu]", SLA(path), t->n_channels);
        struct account acc = { 0 };
        read_account(r, v, at, false, &acc);
        if (acc.name.p && name_is_taken(t, acc.name)) {
            problem(r, yaml_get(v, SL("name")), path_of(r, at, SL("name")), "another account of this tenant has this name");
            acc.name = SLICE_NONE;
        }
        t->channels[t->n_channels++] = acc;
    }
    for (size_t i = 0; i < t->n_channels; i++) {
        struct account *acc = &t->channels[i];
        if (acc->type && !acc->name.p)
            acc->name = free_name(r, t, slice_of(acc->type->name));
        if (acc->type)
            finish_account(r, t, acc);
    }
}

/* The same at every start, so that other programs can keep it. */
static slice id_of_slug(struct arena *a, slice slug)
{
    return uuid_named(a, arena_printf(a, "dragoman tenant " SLF, SLA(slug)));
}

static void read_tenant_id(struct reader *r, const struct yaml *map, slice path, struct config_tenant *t)
{
    t->id = word(r, map, SL("id"), path, false);
    if (!t->id.n)
        t->id = id_of_slug(r->a, t->slug);
    else if (!uuid_valid(t->id))
        problem(r, yaml_get(map, SL("id")), path_of(r, path, SL("id")), "must be a UUID, such as 259bb4e2-f7e5-4b06-9a51-c528f412404b");
    for (const struct config_tenant *other = r->c->tenants; other < t; other++)
        if (slice_eq(other->id, t->id))
            problem(r, yaml_get(map, SL("id")), path_of(r, path, SL("id")), "another tenant has this id");
}

static void read_tenant(struct reader *r, const struct yaml *map, slice path, struct config_tenant *t)
{
    static const char *const members[] = { "name", "id", "desk", "channels", "custom_data", NULL };
    t->desk = ARENA_NEW(r->a, struct account);
    if (map->kind != YAML_MAP) {
        problem(r, map, path, "must be a group: name, desk, channels");
        return;
    }
    struct table table = { tenant_settings, TENANT_SETTINGS, members, t->values };
    read_members(r, &table, map, SLICE_NONE, path);
    complete(r, &table, map, path);
    if (slice_eq(t->values[TENANT_API_AUTH], SL("basic")) && (!t->values[TENANT_API_USER].n || !t->values[TENANT_API_PASSWORD].n))
        problem(r, map, path_of(r, path, SL("api")), "basic authentication needs user and password");
    if (t->values[TENANT_STORAGE].n && !storage_is_there(r->c, t->values[TENANT_STORAGE]))
        problem(r, yaml_get(map, SL("storage")), path_of(r, path, SL("storage")), "there is no storage of this name");
    t->name = word(r, map, SL("name"), path, true);
    t->slug = r->slug.n ? r->slug : config_slug(r->a, t->name);
    read_tenant_id(r, map, path, t);
    for (const struct config_tenant *other = r->c->tenants; t->name.p && other < t; other++)
        if (slice_eq(other->slug, t->slug))
            problem(r, yaml_get(map, SL("name")), path_of(r, path, SL("name")),
                    "another tenant has this name, or one that differs only in signs and capitals");

    const struct yaml *desk = yaml_get(map, SL("desk"));
    if (!desk || desk->kind == YAML_NULL)
        problem(r, desk ? desk : map, path_of(r, path, SL("desk")), "is missing: a tenant needs a desk whose agents answer");
    else
        read_account(r, desk, path_of(r, path, SL("desk")), true, t->desk);
    if (t->desk->type) {
        t->desk->name = slice_or(t->desk->name, slice_of(t->desk->type->name));
        finish_account(r, t, t->desk);
    }
    const struct yaml *channels = yaml_get(map, SL("channels"));
    if (!channels)
        problem(r, map, path_of(r, path, SL("channels")), "is missing: a list of channels");
    else
        read_channels(r, t, channels, path_of(r, path, SL("channels")));
    const struct yaml *custom = yaml_get(map, SL("custom_data"));
    if (custom && custom->kind != YAML_NULL)
        (void)read_pairs(r, custom, path_of(r, path, SL("custom_data")), &t->custom_data);
}

const struct config_tenant *config_tenant_read(struct arena *a, const struct yaml *doc, slice slug, slice public_url, const struct config *of,
                                               config_find find, struct config_problems *p)
{
    struct reader r = { .a = a, .find = find, .slug = slug, .c = ARENA_NEW(a, struct config), .p = p };
    struct config_tenant *t = ARENA_NEW(a, struct config_tenant);
    r.c->values[CFG_PUBLIC_URL] = public_url;
    r.c->values[CFG_STORAGE] = of ? of->values[CFG_STORAGE] : SL(STORAGE_LOCAL);
    r.c->storages = of ? of->storages : NULL;
    r.c->n_storages = of ? of->n_storages : 0;
    r.c->tenants = t;
    size_t before = p->n + p->more;
    read_tenant(&r, doc, SLICE_NONE, t);
    return p->n + p->more == before ? t : NULL;
}

static void read_tenants(struct reader *r, const struct yaml *root)
{
    const struct yaml *list = yaml_get(root, SL("tenants"));
    if (!list || list->kind == YAML_NULL)
        return;
    if (list->kind != YAML_LIST || list->n > CONFIG_TENANTS_MAX) {
        problem(r, list, SL("tenants"), "must be a list of at most %d tenants", CONFIG_TENANTS_MAX);
        return;
    }
    r->c->tenants = ARENA_ARRAY(r->a, struct config_tenant, MAX(list->n, (size_t)1));
    for (const struct yaml *v = list->first; v; v = v->next) {
        struct config_tenant *t = &r->c->tenants[r->c->n_tenants];
        read_tenant(r, v, arena_printf(r->a, "tenants[%zu]", r->c->n_tenants), t);
        r->c->n_tenants++;
    }
}

/* ---- notifiers ------------------------------------------------------------------------------------------------------------------------------ */

static void read_topic(struct reader *r, const struct yaml *v, slice path, struct notice_target *t)
{
    if (v->kind == YAML_SCALAR)
        for (size_t i = 0; i < NOTICE_TOPICS; i++)
            if (slice_eq(v->text, slice_of(notice_topics[i]))) {
                t->topics[i] = true;
                return;
            }
    problem(r, v, path, "must be Default or Subscriptions");
}

static void read_topics(struct reader *r, const struct yaml *v, slice path, struct notice_target *t)
{
    size_t i = 0;
    if (!v || v->kind == YAML_NULL)
        t->topics[NOTICE_DEFAULT] = true;
    else if (v->kind != YAML_LIST)
        read_topic(r, v, path, t);
    else if (v->n == 0)
        problem(r, v, path, "must name a topic: Default, Subscriptions or both");
    else
        for (const struct yaml *m = v->first; m; m = m->next)
            read_topic(r, m, arena_printf(r->a, SLF "[%zu]", SLA(path), i++), t);
}

static bool notifier_is_taken(const struct config *c, slice name)
{
    for (size_t i = 0; i < c->n_notifiers; i++)
        if (slice_eq(c->notifiers[i].name, name))
            return true;
    return false;
}

static void read_notifier_name(struct reader *r, const struct yaml *map, slice path, struct notice_target *t)
{
    slice given = word(r, map, SL("name"), path, false);
    t->name = slice_or(given, slice_of(t->type->name));
    for (int i = 2; !given.p && notifier_is_taken(r->c, t->name); i++)
        t->name = arena_printf(r->a, "%s-%d", t->type->name, i);
    if (given.p && !name_is_good(given))
        problem(r, yaml_get(map, SL("name")), path_of(r, path, SL("name")), "must be small letters, digits, '-', '_' and '.', at most %d, and begin with a letter or digit",
                CONFIG_NAME_MAX);
    else if (given.p && notifier_is_taken(r->c, given))
        problem(r, yaml_get(map, SL("name")), path_of(r, path, SL("name")), "another notifier has this name");
}

static void read_notifier(struct reader *r, const struct yaml *map, slice path, struct notice_target *t)
{
    static const char *const known[] = { "type", "name", "topics", NULL };
    if (map->kind != YAML_MAP) {
        problem(r, map, path, "must be a group of settings with a type");
        return;
    }
    slice type = word(r, map, SL("type"), path, true);
    t->type = type.p ? notifier_find(type) : NULL;
    if (type.p && !t->type)
        problem(r, yaml_get(map, SL("type")), path_of(r, path, SL("type")), "there is no notifier of this type: slack, discord, pagerduty and genesys-cloud are");
    if (!t->type)
        return;
    slice *values = ARENA_ARRAY(r->a, slice, MAX(t->type->n_settings, (size_t)1));
    struct table table = { t->type->settings, t->type->n_settings, known, values };
    size_t problems_before = r->p->n + r->p->more;
    read_members(r, &table, map, SLICE_NONE, path);
    complete(r, &table, map, path);
    t->settings = values;
    read_notifier_name(r, map, path, t);
    read_topics(r, yaml_get(map, SL("topics")), path_of(r, path, SL("topics")), t);
    struct fault f = { 0 };
    struct notice_call call = { .a = r->a, .settings = values, .f = &f };
    if (t->type->check && r->p->n + r->p->more == problems_before && !t->type->check(&call)) {
        const struct yaml *at = yaml_get(map, slice_of(f.field));
        problem(r, at ? at : map, path_of(r, path, slice_of(f.field)), "%s", f.text);
    }
}

/* Behind those that are there already. */
static void read_notifier_list(struct reader *r, const struct yaml *list)
{
    size_t room = NOTICE_TARGETS_MAX - r->c->n_notifiers, i = 0;
    if (!list || list->kind == YAML_NULL)
        return;
    if (list->kind != YAML_LIST || list->n > room) {
        problem(r, list, SL("notifiers"), "must be a list of at most %zu notifiers", room);
        return;
    }
    for (const struct yaml *v = list->first; v; v = v->next) {
        struct notice_target t = { 0 };
        read_notifier(r, v, arena_printf(r->a, "notifiers[%zu]", i++), &t);
        r->c->notifiers[r->c->n_notifiers++] = t;
    }
}

static void read_notifiers(struct reader *r, const struct yaml *root)
{
    r->c->notifiers = ARENA_ARRAY(r->a, struct notice_target, NOTICE_TARGETS_MAX);
    read_notifier_list(r, yaml_get(root, SL("notifiers")));
}

const struct notice_target *config_notifiers_read(struct arena *a, const struct yaml *list, const struct notice_target *taken, size_t n_taken,
                                                  size_t *ret_n, struct config_problems *p)
{
    struct reader r = { .a = a, .c = ARENA_NEW(a, struct config), .p = p };
    size_t before = p->n + p->more;
    assert(n_taken <= NOTICE_TARGETS_MAX);
    r.c->notifiers = ARENA_ARRAY(a, struct notice_target, NOTICE_TARGETS_MAX);
    for (; r.c->n_notifiers < n_taken; r.c->n_notifiers++)
        r.c->notifiers[r.c->n_notifiers] = taken[r.c->n_notifiers];
    read_notifier_list(&r, list);
    *ret_n = r.c->n_notifiers - n_taken;
    return p->n + p->more == before ? r.c->notifiers + n_taken : NULL;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------------------------------- */

const struct config *config_read(struct arena *a, slice file, slice text, config_env env, const struct config_flag *flags, size_t n_flags,
                                 config_find find, struct config_problems *p)
{
    struct reader r = { .a = a, .env = env, .find = find, .c = ARENA_NEW(a, struct config), .p = p };
    struct yaml where = { 0 };
    struct fault f = { 0 };
    p->file = file;
    const struct yaml *root = yaml_parse(a, text, &f, &where.line, &where.column);
    if (!root) {
        problem(&r, &where, SLICE_NONE, "%s", f.text);
        return NULL;
    }
    static const struct yaml empty = { .kind = YAML_MAP, .line = 1, .column = 1 };
    if (root->kind == YAML_NULL)
        root = &empty;
    if (root->kind != YAML_MAP) {
        problem(&r, root, SLICE_NONE, "the file must be a group of settings, such as \"listen: 127.0.0.1:8080\"");
        return NULL;
    }
    read_hub(&r, root, flags, n_flags);
    read_storages(&r, root);
    read_tenants(&r, root);
    read_notifiers(&r, root);
    return p->n ? NULL : r.c;
}

/* The whole file; absent: *why says why. */
static slice read_file(struct arena *a, const char *path, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct text t = text_new(a, YAML_BYTES_MAX + 2);
    ssize_t n = -1;
    while (fd >= 0) {
        char block[4096];
        n = read(fd, block, sizeof(block));
        if (n <= 0)
            break;
        text_put(&t, (slice){ block, (size_t)n });
    }
    *why = strerror(errno);
    if (fd >= 0)
        close(fd);
    if (n == 0 && t.over)
        *why = "it is too large";
    return n == 0 && !t.over ? text_slice(&t) : SLICE_NONE;
}

const struct config *config_load(struct arena *a, const char *path, config_env env, const struct config_flag *flags, size_t n_flags,
                                 config_find find, struct config_problems *p)
{
    slice text = SL("");
    const char *why = "";
    if (path)
        text = read_file(a, path, &why);
    if (!text.p) {
        struct reader r = { .a = a, .p = p };
        p->file = slice_of(path);
        problem(&r, NULL, SLICE_NONE, "cannot be read: %s", why);
        return NULL;
    }
    return config_read(a, slice_of(path), text, env, flags, n_flags, find, p);
}

int64_t config_number(const struct config *c, enum config_id id)
{
    int64_t v = 0;
    return slice_int(c->values[id], &v) ? v : 0;
}

bool config_true(const struct config *c, enum config_id id)
{
    return slice_eq(c->values[id], SL("true"));
}

/* ---- for people ---------------------------------------------------------------------------------------------------------------------------------- */

void config_problems_print(FILE *out, const struct config_problems *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct config_problem *q = &p->items[i];
        if (q->line)
            fprintf(out, SLF ":%d:%d: ", SLA(slice_or(p->file, SL("configuration"))), q->line, q->column);
        else if (!q->path.n)
            fprintf(out, SLF ": ", SLA(slice_or(p->file, SL("configuration"))));
        fprintf(out, SLF "%s" SLF "\n", SLA(q->path), q->path.n ? ": " : "", SLA(q->text));
    }
    if (p->more)
        fprintf(out, "… and %zu more\n", p->more);
}

static void print_storage(FILE *out, const struct config_storage *st)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    fprintf(out, "storage " SLF " (%s), purge_delay_seconds: %lld (" SLF ")\n", SLA(st->name), st->type->title, (long long)(st->purge_ms / 1000),
            SLA(seconds_in_words(a, st->purge_ms / 1000)));
    for (size_t i = 0; i < st->type->n_settings; i++) {
        const struct setting *s = &st->type->settings[i];
        if (st->settings[i].n && !slice_eq(st->settings[i], slice_of(s->otherwise)))
            fprintf(out, "    %s: " SLF "\n", s->name, SLA(s->secret ? SL("(secret)") : st->settings[i]));
    }
}

static void print_account(FILE *out, const char *side, const struct account *acc)
{
    fprintf(out, "  %s " SLF " (%s)", side, SLA(acc->id), acc->type->title);
    if (acc->hook_url.n)
        fprintf(out, ", webhook " SLF, SLA(acc->hook_url));
    if (!slice_eq(acc->storage, SL(STORAGE_LOCAL)))
        fprintf(out, ", storage " SLF, SLA(acc->storage));
    fputc('\n', out);
    for (size_t i = 0; i < acc->type->n_settings; i++) {
        const struct setting *s = &acc->type->settings[i];
        if (acc->settings[i].n && !slice_eq(acc->settings[i], slice_of(s->otherwise)))
            fprintf(out, "    %s: " SLF "\n", s->name, SLA(s->secret ? SL("(secret)") : acc->settings[i]));
    }
}

void config_print(FILE *out, const struct config *c)
{
    for (int id = 0; id < CFG_MAX; id++) {
        const struct setting *s = &config_settings[id];
        if (c->values[id].n && !slice_eq(c->values[id], slice_of(s->otherwise)))
            fprintf(out, "%s: " SLF "\n", s->name, SLA(s->secret ? SL("(secret)") : c->values[id]));
    }
    for (size_t i = 0; i < c->n_storages; i++)
        print_storage(out, &c->storages[i]);
    for (size_t i = 0; i < c->n_tenants; i++) {
        const struct config_tenant *t = &c->tenants[i];
        fprintf(out, "tenant " SLF " (" SLF ")\n", SLA(t->name), SLA(t->slug));
        print_account(out, "desk", t->desk);
        for (size_t k = 0; k < t->n_channels; k++)
            print_account(out, "channel", &t->channels[k]);
    }
    for (size_t i = 0; i < c->n_notifiers; i++) {
        const struct notice_target *t = &c->notifiers[i];
        bool both = t->topics[NOTICE_DEFAULT] && t->topics[NOTICE_SUBSCRIPTIONS];
        fprintf(out, "notifier " SLF " (%s): %s%s%s\n", SLA(t->name), t->type->title, t->topics[NOTICE_DEFAULT] ? "Default" : "", both ? ", " : "",
                t->topics[NOTICE_SUBSCRIPTIONS] ? "Subscriptions" : "");
    }
    fprintf(out, "%zu tenant%s: the configuration is good\n", c->n_tenants, c->n_tenants == 1 ? "" : "s");
}

void config_help(FILE *out)
{
    for (int id = 0; id < CFG_MAX; id++) {
        const struct setting *s = &config_settings[id];
        char flag[CONFIG_NAME_MAX], env[CONFIG_NAME_MAX];
        flag_name(s->name, flag);
        env_name(s->name, env);
        fprintf(out, "  %-26s %s%s%s%s\n  %-26s %s\n", flag, s->help, s->otherwise ? " (" : "", s->otherwise ? s->otherwise : "",
                s->otherwise ? ")" : "", "", env);
    }
}
