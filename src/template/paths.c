/* Paths with slashes, as texts: no file is looked at. */
#include "template/eval.h"
#include "template/function.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

/* down: how many parts at the end a ".." can take back. */
static slice cleaned(struct run *r, slice path)
{
    bool rooted = slice_starts(path, SL("/"));
    char *to = run_alloc(r, path.n + 2);
    size_t n = 0, down = 0, root = rooted;
    if (rooted)
        to[n++] = '/';
    for (slice rest = path; rest.p;) {
        slice part = slice_cut(&rest, '/');
        run_step(r, 1);
        if (!part.n || slice_eq(part, SL(".")))
            continue;
        bool up = slice_eq(part, SL(".."));
        if (up && down) { /* the last part goes, and the slash before it */
            while (n > root && to[n - 1] != '/')
                n--;
            n -= n > root;
            down--;
            continue;
        }
        if (up && rooted)
            continue;
        if (n > root)
            to[n++] = '/';
        memcpy(to + n, part.p, part.n);
        n += part.n;
        down += !up;
    }
    if (!n)
        to[n++] = '.';
    return (slice){ to, n };
}

static size_t behind_last_slash(slice s)
{
    size_t n = s.n;
    while (n && s.p[n - 1] != '/')
        n--;
    return n;
}

FN(f_clean)
{
    (void)n;
    return VALUE_STRING(cleaned(r, v[0].s));
}

FN(f_base)
{
    (void)r, (void)n;
    slice s = v[0].s;
    if (!s.n)
        return VALUE_STRING(SL("."));
    while (s.n && s.p[s.n - 1] == '/')
        s.n--;
    return VALUE_STRING(s.n ? slice_from(s, behind_last_slash(s)) : SL("/"));
}

FN(f_dir)
{
    (void)n;
    return VALUE_STRING(cleaned(r, slice_sub(v[0].s, 0, behind_last_slash(v[0].s))));
}

FN(f_ext)
{
    (void)r, (void)n;
    slice last = slice_from(v[0].s, behind_last_slash(v[0].s));
    for (size_t i = last.n; i > 0; i--)
        if (last.p[i - 1] == '.')
            return VALUE_STRING(slice_from(last, i - 1));
    return VALUE_STRING(SL(""));
}

FN(f_is_abs)
{
    (void)r, (void)n;
    return VALUE_TRUTH(slice_starts(v[0].s, SL("/")));
}

/* clang-format off */
static const struct function rows[] = {
    { "base", "s", f_base }, { "dir", "s", f_dir }, { "clean", "s", f_clean }, { "ext", "s", f_ext }, { "isAbs", "s", f_is_abs },
    { "osBase", "s", f_base }, { "osDir", "s", f_dir }, { "osClean", "s", f_clean }, { "osExt", "s", f_ext }, { "osIsAbs", "s", f_is_abs },
};
/* clang-format on */
const struct functions functions_path = { rows, COUNT(rows) };
