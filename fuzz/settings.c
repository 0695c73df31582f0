/* The configuration as it comes from the command line and the environment. Each line is an argument, or NAME=value for the environment where it
 * begins with '$'; what follows an empty line is the file. Properties: every argument is taken, missed or none of ours; a problem has a place and
 * never repeats a secret (each ends in a mark that stands nowhere else); what was accepted is within its row's bounds and is read again as the same. */
#include "fuzz/fuzz.h"
#include "hub/config.h"
#include "hub/storage.h"

enum { ARGS_MAX = 24, NAMES_MAX = 8 };

static struct {
    char *name, *value;
} environment[NAMES_MAX];
static size_t n_environment;

static char *env(const char *name)
{
    for (size_t i = 0; i < n_environment; i++)
        if (strcmp(environment[i].name, name) == 0)
            return environment[i].value;
    return NULL;
}

static const struct connector desk = { .name = "desk", .title = "Desk", .desk = true };
static const struct connector *find(slice name)
{
    return slice_eq(name, SL("desk")) ? &desk : NULL;
}

const struct language *language_find(slice name)
{
    (void)name;
    return NULL;
}
const struct storage_type *storage_type_find(slice name)
{
    (void)name;
    return NULL;
}

static void in_bounds(struct arena *a, const struct config *c)
{
    for (size_t i = 0; i < CFG_MAX; i++) {
        const struct setting *s = &config_settings[i];
        slice again;
        struct fault f = { 0 };
        int64_t n;
        if (!c->values[i].p || i == CFG_PUBLIC_URL) /* made of listen where it is not given, also of port 0 */
            continue;
        assert(setting_value(a, s, c->values[i], &again, &f) && slice_eq(again, c->values[i]));
        assert(s->type != SETTING_NUMBER || (slice_int(again, &n) && n >= s->min && (!s->max || n <= s->max)));
    }
}

/* argv ends with a NULL, as main's does. */
static size_t read_lines(struct arena *a, slice *rest, char **argv)
{
    size_t n = 0;
    n_environment = 0;
    while (rest->n && n < ARGS_MAX) {
        slice line = slice_cut(rest, '\n');
        if (!line.n)
            break;
        char *text = arena_alloc(a, line.n + 1), *equals;
        memcpy(text, line.p, line.n);
        text[line.n] = 0;
        if (text[0] == '$' && n_environment < NAMES_MAX && (equals = strchr(text, '='))) {
            *equals = 0;
            environment[n_environment].name = text + 1;
            environment[n_environment++].value = equals + 1;
        } else {
            argv[n++] = text;
        }
    }
    argv[n] = NULL;
    return n;
}

static const slice mark = SLI("~5ecr37~");

/* One argument as main takes it; a secret gets the mark. */
static int take_flag(struct arena *a, int argc, char *const *argv, int i, struct config_flag *ret)
{
    int took = config_flag_parse(argc, argv, i, ret);
    assert(took >= -1 && took <= 2 && i + took <= argc);
    if (took > 0 && config_settings[ret->id].secret)
        ret->value = arena_printf(a, SLF SLF, SLA(ret->value), SLA(mark));
    return took;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice rest = slice_mem(data, size);
    bool known = slice_find(rest, mark) != SIZE_MAX; /* then it may be said as something else */
    char *argv[ARGS_MAX + 1];
    int argc = (int)read_lines(a, &rest, argv);
    struct config_flag flags[ARGS_MAX];
    size_t n = 0;
    for (int i = 0; i < argc;) {
        int took = take_flag(a, argc, argv, i, &flags[n]);
        n += took > 0;
        i += took > 0 ? took : 1;
    }
    struct config_problems p = { .a = a };
    const struct config *c = config_read(a, SL("f"), slice_or(rest, SL("")), env, flags, n, find, &p);
    assert((c == NULL) == (p.n > 0));
    for (size_t i = 0; i < p.n; i++) {
        assert((p.items[i].path.p || p.items[i].line > 0) && p.items[i].text.n > 0);
        assert(known || slice_find(p.items[i].text, mark) == SIZE_MAX);
    }
    if (c)
        in_bounds(a, c);
    return 0;
}
