#include "wire/bracket.h"
#include "wire/url.h"

enum { GROWTH = 8, ROOM = 4096 }; /* a byte of the form becomes at most so many of JSON */

struct node {
    struct node *next, *first, **last;
    slice key, value; /* value absent: it has members */
    size_t n;
};

static struct node *node_new(struct arena *a, slice key)
{
    struct node *n = ARENA_NEW(a, struct node);
    n->key = key;
    n->last = &n->first;
    return n;
}

static struct node *member(struct arena *a, struct node *in, slice key)
{
    in->value = SLICE_NONE;
    if (!key.n)
        key = arena_printf(a, "%zu", in->n);
    for (struct node *n = in->first; n; n = n->next)
        if (slice_eq(n->key, key))
            return n;
    struct node *n = node_new(a, key);
    *in->last = n;
    in->last = &n->next;
    in->n++;
    return n;
}

/* The names in "[b][c]"; SIZE_MAX: the brackets do not pair. */
static size_t names_of(slice rest, slice ret[BRACKET_DEPTH_MAX])
{
    size_t n = 0;
    while (rest.n) {
        size_t end = slice_find_char(rest, ']');
        if (rest.p[0] != '[' || end == SIZE_MAX)
            return SIZE_MAX;
        if (n < BRACKET_DEPTH_MAX)
            ret[n] = slice_sub(rest, 1, end - 1);
        n++;
        rest = slice_from(rest, end + 1);
    }
    return n;
}

static bool put(struct arena *a, struct node *root, const struct form_pair *pair, struct fault *f)
{
    slice names[BRACKET_DEPTH_MAX];
    size_t at = slice_find_char(pair->key, '['), n = 0;
    slice name = pair->key;
    if (at != SIZE_MAX && at > 0 && (n = names_of(slice_from(pair->key, at), names)) != SIZE_MAX)
        name = slice_sub(pair->key, 0, at);
    if (n == SIZE_MAX)
        n = 0;
    if (n >= BRACKET_DEPTH_MAX)
        return fault(f, "bad_form", "", "deeper than %d brackets", BRACKET_DEPTH_MAX);
    if (!name.n)
        return true; /* "=value" */
    struct node *to = member(a, root, name);
    for (size_t i = 0; i < n; i++)
        to = member(a, to, names[i]);
    to->first = NULL;
    to->last = &to->first;
    to->n = 0;
    to->value = pair->value;
    return true;
}

static bool is_list(const struct node *of)
{
    int64_t i = 0, number;
    for (const struct node *n = of->first; n; n = n->next, i++)
        if (!slice_int(n->key, &number) || number != i || (n->key.n > 1 && n->key.p[0] == '0') || n->key.p[0] == '-')
            return false;
    return of->n > 0;
}

static void print(struct jw *w, const struct node *of, bool root)
{
    if (of->value.p) {
        jw_str(w, NULL, of->value);
        return;
    }
    bool list = !root && is_list(of);
    jw_open(w, NULL, list ? '[' : '{');
    for (const struct node *n = of->first; n; n = n->next) {
        if (!list)
            jw_key(w, n->key);
        print(w, n, false);
    }
    jw_close(w, list ? ']' : '}');
}

const struct js *bracket_parse(struct arena *a, slice text, struct fault *f)
{
    struct form form;
    struct node *root = node_new(a, SLICE_NONE);
    if (!form_parse(a, text, &form, f))
        return NULL;
    for (size_t i = 0; i < form.n; i++) {
        if (!utf8_valid(form.pairs[i].key) || !utf8_valid(form.pairs[i].value)) {
            fault(f, "bad_form", "", "is not UTF-8");
            return NULL;
        }
        if (!put(a, root, &form.pairs[i], f))
            return NULL;
    }
    struct jw w = jw_new(a, text.n * GROWTH + ROOM);
    print(&w, root, true);
    slice json = jw_done(&w);
    if (!json.p) {
        fault(f, "bad_form", "", "is too long");
        return NULL;
    }
    return js_parse(a, json, f);
}
