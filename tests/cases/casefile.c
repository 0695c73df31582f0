#include "tests/cases/casefile.h"

slice file_read(struct arena *a, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return SLICE_NONE;
    struct text t = text_new(a, CASE_BYTES_MAX);
    char buf[8192];
    size_t n;
    while ((n = fread(buf, 1, sizeof(buf), file)) > 0)
        text_put(&t, slice_mem(buf, n));
    bool good = !ferror(file) && !t.over;
    fclose(file);
    return good ? text_slice(&t) : SLICE_NONE;
}

static slice without_last_newline(slice s)
{
    return s.n && s.p[s.n - 1] == '\n' ? slice_sub(s, 0, s.n - 1) : s;
}

struct casefile *casefile_load(struct arena *a, const char *path, struct fault *f)
{
    struct casefile *cf = ARENA_NEW(a, struct casefile);
    cf->a = a;
    cf->path = path;
    slice text = file_read(a, path);
    if (!text.p)
        return (void)fault(f, "refused", "", "%s cannot be read", path), NULL;

    const char *from = text.p, *end = text.p + text.n;
    size_t line = 0;
    for (const char *p = text.p; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        slice one = slice_mem(p, (size_t)((newline ? newline : end) - p));
        const char *next = newline ? newline + 1 : end;
        line++;
        if (slice_starts(one, SL("--- "))) {
            slice before = slice_mem(from, (size_t)(p - from));
            if (cf->n)
                cf->sections[cf->n - 1].text = without_last_newline(before);
            else
                cf->head = before;
            if (cf->n == CASE_SECTIONS_MAX)
                return (void)fault(f, "out_of_range", "", "%s has more than %d sections", path,
                                   CASE_SECTIONS_MAX),
                       NULL;
            cf->sections[cf->n++] = (struct section){ .name = slice_trim(slice_from(one, 4)), .line = line };
            from = next;
        }
        p = next;
    }
    if (!cf->n)
        return (void)fault(f, "missing_field", "", "%s has no section", path), NULL;
    cf->sections[cf->n - 1].text = without_last_newline(slice_mem(from, (size_t)(end - from)));
    return cf;
}

struct section *casefile_next(struct casefile *cf, const char *name, size_t *at)
{
    for (size_t i = at ? *at : 0; i < cf->n; i++) {
        if (!slice_eq(cf->sections[i].name, slice_of(name)))
            continue;
        if (at)
            *at = i + 1;
        return &cf->sections[i];
    }
    return NULL;
}

slice casefile_text(struct casefile *cf, const char *name)
{
    const struct section *s = casefile_next(cf, name, NULL);
    return s ? s->text : SLICE_NONE;
}

void casefile_put(struct casefile *cf, struct section *s, const char *name, slice text)
{
    if (!s) {
        assert(cf->n < CASE_SECTIONS_MAX);
        s = &cf->sections[cf->n++];
        *s = (struct section){ .name = slice_of(name) };
    }
    s->text = arena_dup(cf->a, text);
    cf->changed = true;
}

bool casefile_save(const struct casefile *cf)
{
    if (!cf->changed)
        return true;
    FILE *file = fopen(cf->path, "wb");
    if (!file)
        return false;
    fwrite(cf->head.p, 1, cf->head.n, file);
    for (size_t i = 0; i < cf->n; i++)
        fprintf(file, "--- " SLF "\n" SLF "\n", SLA(cf->sections[i].name), SLA(cf->sections[i].text));
    return fclose(file) == 0;
}
