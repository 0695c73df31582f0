#include "cache/cache.h"
#include "hub/config_reader.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

const struct setting config_settings[CFG_MAX] = {
#define X(e, name, type, otherwise, min, max, secret, help) \
    [e] = { name, name, SETTING_##type, false, secret, otherwise, help, NULL, min, max },
#include "hub/config.def"
#undef X
};

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

static void override(struct config_reader *r, enum config_id id, const char *from, slice value)
{
    struct fault f = { 0 };
    if (!setting_value(r->a, &config_settings[id], value, &r->c->values[id], &f))
        reader_problem(r, NULL, slice_of(from), "%s", f.text);
}

static void read_overrides(struct config_reader *r, const struct config_flag *flags, size_t n_flags)
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

static void check_listen(struct config_reader *r, const struct yaml *at)
{
    slice listen = r->c->values[CFG_LISTEN];
    size_t colon = slice_find_last(listen, ':');
    int64_t port;
    if (listen.n && (colon == SIZE_MAX || colon == 0 || !slice_int(slice_from(listen, colon + 1), &port) || port < 0 || port > 65535))
        reader_problem(r, at, SL("listen"), "must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080");
}

static void check_store(struct config_reader *r, const struct yaml *at)
{
    slice store = r->c->values[CFG_STORE];
    if (store.n && !slice_starts(store, SL("postgresql://")) && !slice_starts(store, SL("postgres://")))
        reader_problem(r, at, SL("store"), "must be a place in PostgreSQL, such as postgresql://dragoman@db.example.com/dragoman?sslmode=verify-full");
}

static void check_cache(struct config_reader *r, const struct yaml *at)
{
    struct fault f;
    slice cache = r->c->values[CFG_CACHE];
    if (cache.n && !cache_where_good(cache, &f))
        reader_problem(r, at, SL("cache"), "%s", f.text);
}

static void read_hub(struct config_reader *r, const struct yaml *root, const struct config_flag *flags, size_t n_flags)
{
    static const char *const known[] = { "tenants", "notifiers", "storages", "commander", NULL };
    struct config *c = r->c;
    struct reader_table t = { config_settings, CFG_MAX, known, c->values };
    reader_members(r, &t, root, SLICE_NONE, SLICE_NONE);
    read_overrides(r, flags, n_flags);
    reader_complete(r, &t, root, SLICE_NONE);
    check_listen(r, yaml_get(root, SL("listen")));
    check_store(r, yaml_get(root, SL("store")));
    check_cache(r, yaml_get(root, SL("cache")));
    if (!c->values[CFG_TLS_CERT].n != !c->values[CFG_TLS_KEY].n)
        reader_problem(r, yaml_get(root, SL("tls")), SL("tls"), "needs both cert and key");
    if (!c->values[CFG_PUBLIC_URL].n)
        c->values[CFG_PUBLIC_URL] = arena_printf(r->a, "http%s://" SLF, c->values[CFG_TLS_CERT].n ? "s" : "", SLA(c->values[CFG_LISTEN]));
}

/* ---- all of it --------------------------------------------------------------------------------------------------------------------------------- */

const struct config *config_read(struct arena *a, slice file, slice text, config_env env, const struct config_flag *flags, size_t n_flags,
                                 config_find find, struct config_problems *p)
{
    struct config_reader r = { .a = a, .env = env, .find = find, .c = ARENA_NEW(a, struct config), .p = p };
    struct yaml where = { 0 };
    struct fault f = { 0 };
    p->file = file;
    const struct yaml *root = yaml_parse(a, text, &f, &where.line, &where.column);
    if (!root) {
        reader_problem(&r, &where, SLICE_NONE, "%s", f.text);
        return NULL;
    }
    static const struct yaml empty = { .kind = YAML_MAP, .line = 1, .column = 1 };
    if (root->kind == YAML_NULL)
        root = &empty;
    if (root->kind != YAML_MAP) {
        reader_problem(&r, root, SLICE_NONE, "the file must be a group of settings, such as \"listen: 127.0.0.1:8080\"");
        return NULL;
    }
    read_hub(&r, root, flags, n_flags);
    reader_storages(&r, root);
    reader_commander(&r, yaml_get(root, SL("commander")), SL("commander"), COMMANDER_OF_ALL, &r.c->commander);
    reader_tenants(&r, root);
    reader_notifiers(&r, root);
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
        struct config_reader r = { .a = a, .p = p };
        p->file = slice_of(path);
        reader_problem(&r, NULL, SLICE_NONE, "cannot be read: %s", why);
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
