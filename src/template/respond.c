/* Responses of the desk, and the cache of parsed templates. */
#include "template/parse.h"

struct cached {
    struct template *t;
    uint64_t hash;
    slice key;
    struct cached *newer, *older;
    size_t bytes;
    char bytes_of_key[];
};
struct template_cache {
    struct cached *newest, *oldest;
    size_t n, bytes;
};

struct template_cache *template_cache_new(void)
{
    return must_calloc(1, sizeof(struct template_cache));
}

static void unlink_one(struct template_cache *c, struct cached *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
    c->n--;
    c->bytes -= e->bytes;
}

static void link_newest(struct template_cache *c, struct cached *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
    c->n++;
    c->bytes += e->bytes;
}

static void drop(struct template_cache *c, struct cached *e)
{
    unlink_one(c, e);
    template_free(e->t);
    free(e);
}

struct template_cache *template_cache_free(struct template_cache *c)
{
    while (c && c->oldest)
        drop(c, c->oldest);
    free(c);
    return NULL;
}

const struct template *template_cached(struct template_cache *c, slice text, const slice *ids, size_t n_ids, struct template_error *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text key = text_new(a, SIZE_MAX / 4); /* ids cannot hold the mark between them: it is written with their lengths */
    for (size_t i = 0; i < n_ids; i++) {
        text_add(&key, "%zu:", ids[i].n);
        text_put(&key, ids[i]);
    }
    text_char(&key, '|');
    text_put(&key, text);
    slice k = text_slice(&key);
    uint64_t hash = slice_hash(k);
    for (struct cached *at = c->newest; at; at = at->older)
        if (at->hash == hash && slice_eq(at->key, k)) {
            unlink_one(c, at);
            link_newest(c, at);
            return at->t;
        }
    struct template *t = template_parse(text, ids, n_ids, e);
    if (!t)
        return NULL;
    struct cached *at = must_malloc(sizeof(*at) + k.n);
    memcpy(at->bytes_of_key, k.p, k.n);
    at->key = (slice){ at->bytes_of_key, k.n };
    at->t = t;
    at->hash = hash;
    at->bytes = arena_bytes(t->a) + k.n;
    link_newest(c, at);
    while (c->n > 1 && (c->n > TEMPLATE_CACHED || c->bytes > TEMPLATE_CACHED_BYTES))
        drop(c, c->oldest);
    return t;
}

struct value template_strings(struct arena *a, const struct template_pair *pairs, size_t n)
{
    struct map *m = ARENA_NEW(a, struct map);
    m->of = OF_STRING;
    m->n = m->cap = n;
    m->e = ARENA_ARRAY(a, struct entry, n + 1);
    for (size_t i = 0; i < n; i++)
        m->e[i] = (struct entry){ pairs[i].name, VALUE_STRING(pairs[i].value) };
    map_sort(a, m);
    return VALUE_MAP(m);
}

bool template_respond(struct template_cache *c, struct arena *a, slice text, const struct template_pair *arguments, size_t n_arguments,
                      const struct template_pair *defaults, size_t n_defaults, const struct template_options *o, slice *ret_out,
                      struct template_error *e)
{
    struct template_pair *all = ARENA_ARRAY(a, struct template_pair, n_arguments + n_defaults + 1);
    size_t n = 0;
    for (size_t i = 0; i < n_defaults; i++) /* of equal names the later one stays: a value wins over its default */
        all[n++] = defaults[i];
    for (size_t i = 0; i < n_arguments; i++) {
        bool replaced = false;
        for (size_t k = 0; !arguments[i].value.n && k < n_defaults; k++)
            replaced |= slice_eq(defaults[k].name, arguments[i].name);
        if (!replaced)
            all[n++] = arguments[i];
    }
    struct value data = template_strings(a, all, n);
    slice *ids = ARENA_ARRAY(a, slice, data.m->n + 1);
    for (size_t i = 0; i < data.m->n; i++)
        ids[i] = data.m->e[i].key;
    CLEANUP(template_freep) struct template *own = NULL;
    const struct template *t = c ? template_cached(c, text, ids, data.m->n, e) : (own = template_parse(text, ids, data.m->n, e));
    if (!t && data.m->n == 0) /* nothing to put in: braces in a plain text stay */
        return *ret_out = arena_dup(a, text.p ? text : SL("")), true;
    return t && template_render(t, a, data, o, ret_out, e);
}
