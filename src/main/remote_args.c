#include "main/remote_args.h"
#include "hub/yaml_tree.h"
#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 10 };

struct option {
    const char *name, *other; /* "--host", "-H" */
    size_t off;
    bool flag;
};
/* clang-format off */
#define TEXT_OPTION(name, other, m) { name, other, offsetof(struct remote_args, m), false }
#define FLAG_OPTION(name, other, m) { name, other, offsetof(struct remote_args, m), true }
static const struct option options[] = {
    TEXT_OPTION("--host", NULL, host), TEXT_OPTION("--user", "-u", user), TEXT_OPTION("--password", "-p", password),
    TEXT_OPTION("--passphrase", NULL, passphrase), TEXT_OPTION("--ca", NULL, ca), TEXT_OPTION("--output", "-o", output),
    TEXT_OPTION("--input", "-i", input), TEXT_OPTION("--file", "-f", file), TEXT_OPTION("--log", NULL, log),
    FLAG_OPTION("--replace", NULL, replace), FLAG_OPTION("--dry-run", NULL, dry_run), FLAG_OPTION("--prune", NULL, prune),
    FLAG_OPTION("--yes", "-y", yes), FLAG_OPTION("--help", "-h", help),
};
static const struct { const char *env, *key; size_t off; } defaults[] = {
    { "DRAGOMAN_HOST",       "host",       offsetof(struct remote_args, host) },
    { "DRAGOMAN_USER",       "user",       offsetof(struct remote_args, user) },
    { "DRAGOMAN_PASSWORD",   "password",   offsetof(struct remote_args, password) },
    { "DRAGOMAN_PASSPHRASE", "passphrase", offsetof(struct remote_args, passphrase) },
    { NULL,                  "ca",         offsetof(struct remote_args, ca) },
};
/* clang-format on */

static const char **text_at(struct remote_args *ra, size_t off)
{
    return (const char **)(void *)((char *)ra + off);
}

static const struct option *option_of(const char *word, size_t n)
{
    for (size_t i = 0; i < COUNT(options); i++)
        for (const char *const *name = &options[i].name; name <= &options[i].other; name++)
            if (*name && strlen(*name) == n && memcmp(*name, word, n) == 0)
                return &options[i];
    return NULL;
}

static bool read_words(int argc, char **argv, struct remote_args *ra)
{
    for (int i = 0; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        size_t n = equals && argv[i][0] == '-' ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        const struct option *o = option_of(argv[i], n);
        if (o && o->flag && !(equals && argv[i][n] == '=')) {
            *(bool *)((char *)ra + o->off) = true;
        } else if (o && !o->flag && argv[i][n] == '=') {
            *text_at(ra, o->off) = argv[i] + n + 1;
        } else if (o && !o->flag && i + 1 < argc) {
            *text_at(ra, o->off) = argv[++i];
        } else if (!o && argv[i][0] != '-' && !ra->verb) {
            ra->verb = argv[i];
        } else {
            fprintf(stderr, o ? "%s: its value is missing\n" : "%s: there is no such option; --help lists them\n", argv[i]);
            return false;
        }
    }
    return true;
}

static void read_config(struct arena *a, const char *path, struct remote_args *ra)
{
    char *text = arena_alloc(a, FILE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC), line, column;
    ssize_t n = fd < 0 ? -1 : read(fd, text, FILE_MAX);
    struct fault f = { 0 };
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return;
    const struct yaml *doc = yaml_parse(a, slice_mem(text, (size_t)n), &f, &line, &column);
    if (!doc) {
        fprintf(stderr, "%s:%d: %s\n", path, line, f.text);
        return;
    }
    for (size_t i = 0; i < COUNT(defaults); i++) {
        const struct yaml *v = yaml_get(doc, slice_of(defaults[i].key));
        const char **to = text_at(ra, defaults[i].off);
        if (v && v->kind == YAML_SCALAR && !*to)
            *to = arena_cstr(a, v->text);
    }
}

/* The environment with another place for the log. */
static const char *log_path;
static char *env_with_log(const char *name)
{
    static char place[4096];
    if (strcmp(name, "LOG_DESTINATION") != 0)
        return getenv(name);
    snprintf(place, sizeof(place), "%s", log_path);
    return place;
}

bool remote_args(struct arena *a, int argc, char **argv, struct remote_args *ra)
{
    *ra = (struct remote_args){ 0 };
    if (!read_words(argc, argv, ra))
        return false;
    for (size_t i = 0; i < COUNT(defaults); i++) {
        const char **to = text_at(ra, defaults[i].off);
        if (!*to && defaults[i].env)
            *to = getenv(defaults[i].env);
    }
    const char *home = getenv("HOME");
    if (home) {
        read_config(a, arena_printf(a, "%s/.config/gum-cli/config", home).p, ra);
        read_config(a, arena_printf(a, "%s/.gum-cli", home).p, ra);
    }
    ra->user = ra->user ? ra->user : "admin";
    if (!ra->log)
        return true;
    struct fault f = { 0 };
    log_path = ra->log[0] == '/' || ra->log[0] == '.' ? ra->log : arena_printf(a, "./%s", ra->log).p;
    ra->logger = logger_new("gum-cli", env_with_log, &f);
    if (!ra->logger) {
        fprintf(stderr, "%s\n", f.text);
        return false;
    }
    ra->root = log_root(ra->logger);
    return true;
}

void remote_args_done(struct remote_args *ra)
{
    if (ra->logger)
        logger_free(ra->logger);
}

void remote_say(const struct remote_args *ra, enum level level, const char *fmt, ...)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    va_list ap;
    va_start(ap, fmt);
    slice text = arena_vprintf(a, fmt, ap);
    va_end(ap);
    fprintf(stderr, SLF "\n", SLA(text));
    if (ra->logger)
        log_note(&ra->root, level, SLF, SLA(text));
}

struct remote *remote_of(struct arena *a, const struct remote_args *ra)
{
    struct fault f = { 0 };
    if (!ra->host || !ra->password) {
        remote_say(ra, LEVEL_ERROR, "%s is missing: give --%s, or write it to $HOME/.config/gum-cli/config", ra->host ? "the password" : "the host",
                   ra->host ? "password" : "host");
        return NULL;
    }
    struct remote_where where = { ra->host, ra->user, ra->password, ra->ca, ra->logger ? &ra->root : NULL };
    struct remote *r = remote_open(a, &where, &f);
    if (!r)
        remote_say(ra, LEVEL_ERROR, "%s", f.text);
    return r;
}
