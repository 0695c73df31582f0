/* test-cases [filter]: runs src/<floor>/<connector>/cases/<name>.case, prints TAP. UPDATE=1 rewrites expectations; SEEDS=folder writes
 * what the cases say as inputs of fuzz/connector.c instead of running them. */
#include "tests/cases/routes.h"
#include "tests/cases/run.h"
#include <ftw.h>
#include <unistd.h>

enum { CASES_MAX = 4096 };
static char *paths[CASES_MAX];
static size_t n_paths;

static int found(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)ftw;
    if (flag != FTW_F || !slice_ends(slice_of(path), SL(".case")) || !strstr(path, "/cases/"))
        return 0;
    assert(n_paths < CASES_MAX);
    paths[n_paths] = strdup(path);
    assert(paths[n_paths]);
    n_paths++;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "line" of …/networks/line/cases/text.case; a folder writes "-" as "_". */
static const struct connector *connector_of(struct arena *a, slice path, slice *ret_folder)
{
    slice folder = slice_sub(path, 0, slice_find_last(path, '/'));
    *ret_folder = folder;
    folder = slice_sub(folder, 0, slice_find_last(folder, '/'));
    slice name = slice_from(folder, slice_find_last(folder, '/') + 1);
    const struct connector *k = connector_find(name);
    if (k)
        return k;
    char *dashed = arena_cstr(a, name);
    for (char *p = dashed; *p; p++)
        *p = *p == '_' ? '-' : *p;
    return connector_find(slice_of(dashed));
}

static bool run_case(struct run *r)
{
    slice what = casefile_text(r->cf, "run");
    if (slice_eq(what, SL("token")))
        return run_token(r);
    if (slice_eq(what, SL("media_url")))
        return run_media_url(r);
    if (slice_eq(what, SL("check")))
        return run_check(r);
    if (casefile_text(r->cf, "request").p)
        return run_receive(r);
    return run_steps(r, slice_or(what, SL("deliver")));
}

/* The account's key after all that: section "own". */
static bool own_key_holds(struct run *r)
{
    if (!casefile_text(r->cf, "own").p)
        return true;
    slice own = r->k->route_own ? r->k->route_own(&r->call) : SLICE_NONE;
    return expect_text(r, "own", own, SLICE_NONE);
}

static bool run_file(struct arena *a, const char *path, slice *ret_why)
{
    struct fault f = { 0 };
    slice folder;
    struct run r = { .a = a, .update = getenv("UPDATE") != NULL, .cf = casefile_load(a, path, &f) };
    r.k = connector_of(a, slice_of(path), &folder);
    if (!r.cf || !r.k) {
        *ret_why = r.cf ? SL("no connector of this folder's name is in connectors.def")
                        : arena_dup(a, slice_of(f.text));
        return false;
    }
    slice defaults = file_read(a, arena_printf(a, SLF "/defaults.json", SLA(folder)).p);
    r.claims = file_read(a, arena_printf(a, SLF "/claims.json", SLA(folder)).p);
    bool good = run_begin(&r, defaults) && run_case(&r) && own_key_holds(&r);
    run_end(&r);
    if (good && !casefile_save(r.cf))
        good = case_fail(&r, "cannot be written");
    *ret_why = r.why;
    return good;
}

/* An input of fuzz/connector.c: connector, function, body or message, answers. */
static void write_seed(struct arena *a, const char *path, const char *folder)
{
    struct fault f = { 0 };
    slice own;
    struct casefile *cf = casefile_load(a, path, &f);
    const struct connector *k = connector_of(a, slice_of(path), &own);
    if (!cf || !k)
        return;
    size_t which = 0, at = 0;
    while (connectors[which] != k)
        which++;
    slice request = casefile_text(cf, "request"), what = casefile_text(cf, "run");
    slice body = casefile_text(cf, "message");
    char function = slice_eq(what, SL("setup"))    ? 4
                    : slice_eq(what, SL("lookup")) ? 5
                    : slice_eq(what, SL("poll"))   ? 1
                                                   : 6;
    if (request.p) {
        size_t blank = slice_find(request, SL("\n\n"));
        body = blank == SIZE_MAX ? SL("") : slice_from(request, blank + 2);
        function = 0;
    }
    struct text t = text_new(a, CASE_BYTES_MAX);
    text_char(&t, (char)which);
    text_char(&t, function);
    text_put(&t, body);
    for (struct section *s; (s = casefile_next(cf, "answer", &at));) {
        size_t blank = slice_find(s->text, SL("\n\n"));
        if (function != 1 && (function == 6 || t.n > 2))
            text_char(&t, 0x1e);
        if (function != 1)
            text_char(&t, slice_starts(s->text, SL("2")) ? 2 : slice_starts(s->text, SL("40")) ? 6 : 1);
        text_put(&t, blank == SIZE_MAX ? SL("") : slice_from(s->text, blank + 2));
    }
    slice all = text_slice(&t);
    slice to = arena_printf(a, "%s/%s-%s", folder, k->name, strrchr(path, '/') + 1);
    FILE *file = fopen(to.p, "wb");
    if (!file)
        return;
    fwrite(all.p, 1, all.n, file);
    fclose(file);
}

static void print_reason(slice why)
{
    while (why.p) {
        slice line = slice_cut(&why, '\n');
        printf("#   " SLF "\n", SLA(line));
    }
}

static size_t passed, failed;

static void told(const char *name, bool good, const char *how)
{
    size_t number = good ? ++passed + failed : passed + ++failed;
    printf("%s %zu - route %s: %s\n", good ? "ok" : "not ok", number, name, how);
}

/* Every address that strangers can call. */
static void check_routes(void)
{
    for (size_t i = 0; i < n_connectors; i++) {
        struct arena *a = arena_new();
        slice defaults = SLICE_NONE;
        for (size_t k = 0; k < n_paths && !defaults.p; k++) {
            slice folder;
            if (connector_of(a, slice_of(paths[k]), &folder) == connectors[i])
                defaults = file_read(a, arena_printf(a, SLF "/defaults.json", SLA(folder)).p);
        }
        (void)routes_check(connectors[i], defaults, told);
        arena_free(a);
    }
}

int main(int argc, char **argv)
{
    if (nftw(CASES_ROOT, found, 16, FTW_PHYS) != 0) {
        fprintf(stderr, "cannot walk %s\n", CASES_ROOT);
        return 2;
    }
    qsort(paths, n_paths, sizeof(paths[0]), by_name);
    for (size_t i = 0; i < n_paths; i++) {
        const char *shown = paths[i] + strlen(CASES_ROOT) + 1;
        if (argc > 1 && !strstr(paths[i], argv[1]))
            continue;
        struct arena *a = arena_new();
        slice why = SLICE_NONE;
        if (getenv("SEEDS")) {
            write_seed(a, paths[i], getenv("SEEDS"));
            arena_free(a);
            continue;
        }
        bool good = run_file(a, paths[i], &why);
        size_t number = good ? ++passed + failed : passed + ++failed;
        printf("%s %zu - %s\n", good ? "ok" : "not ok", number, shown);
        if (!good)
            print_reason(why);
        arena_free(a);
        if (arena_alive() != 0) {
            printf("Bail out! %ld arenas are still alive after %s\n", arena_alive(), shown);
            return 1;
        }
        fflush(stdout);
    }
    if (!getenv("SEEDS") && (argc < 2 || strcmp(argv[1], "routes") == 0))
        check_routes();
    for (size_t i = 0; i < n_paths; i++)
        free(paths[i]);
    if (getenv("SEEDS"))
        return 0;
    printf("1..%zu\n# %zu passed, %zu failed\n", passed + failed, passed, failed);
    return failed || !passed;
}
