#include "api/changes.h"

enum { DOC_MAX = 2 << 20 };

struct side { /* a document twice: as it is, and with its secrets hidden */
    const struct js *shown, *hidden;
};
struct comparing {
    struct jw *w;
    struct arena *a;
    size_t n;
};

static const struct js *document(struct arena *a, const struct config_tenant *t, enum doc_secrets secrets)
{
    struct jw w = jw_new(a, DOC_MAX);
    if (!t)
        return NULL;
    jw_open(&w, NULL, '{');
    tenant_doc_write(&w, t, secrets);
    jw_close(&w, '}');
    return js_parse(a, jw_done(&w), NULL);
}

static struct side member(struct side s, slice key)
{
    return (struct side){ js_get(s.shown, key), js_get(s.hidden, key) };
}

/* Hidden it is {"set":true}, shown it is a text, or absent. */
static bool is_secret(struct side s)
{
    return js_is_object(s.hidden) && js_len(s.hidden) == 1 && js_is_bool(js_get(s.hidden, SL("set"))) && !js_is_object(s.shown);
}

static void tell(struct comparing *co, slice path, struct side old, struct side fresh)
{
    co->n++;
    jw_open(co->w, NULL, '{');
    jw_str(co->w, "path", path);
    if (is_secret(old) || is_secret(fresh)) {
        jw_bool(co->w, "secret", true);
    } else {
        if (old.hidden)
            jw_value(co->w, "from", old.hidden);
        if (fresh.hidden)
            jw_value(co->w, "to", fresh.hidden);
    }
    jw_close(co->w, '}');
}

static slice path_of(struct arena *a, slice path, slice key)
{
    return path.n ? arena_printf(a, SLF "." SLF, SLA(path), SLA(key)) : key;
}

static void compare(struct comparing *co, slice path, struct side old, struct side fresh);

static bool both(struct side old, struct side fresh, bool (*is)(const struct js *))
{
    return (!old.hidden || is(old.hidden)) && (!fresh.hidden || is(fresh.hidden));
}

static struct side named(struct side list, slice name)
{
    for (size_t i = 0; i < js_len(list.hidden); i++)
        if (slice_eq(js_text(js_get(js_item(list.hidden, i), SL("name"))), name))
            return (struct side){ js_item(list.shown, i), js_item(list.hidden, i) };
    return (struct side){ NULL, NULL };
}

/* Channels: each has a name. Paths are those of the new list; of one that is gone, its name. */
static void compare_lists(struct comparing *co, slice path, struct side old, struct side fresh)
{
    for (size_t i = 0; i < js_len(fresh.hidden); i++) {
        struct side one = { js_item(fresh.shown, i), js_item(fresh.hidden, i) };
        compare(co, arena_printf(co->a, SLF "[%zu]", SLA(path), i), named(old, js_text(js_get(one.hidden, SL("name")))), one);
    }
    for (size_t i = 0; i < js_len(old.hidden); i++) {
        slice name = js_text(js_get(js_item(old.hidden, i), SL("name")));
        if (!named(fresh, name).hidden)
            compare(co, arena_printf(co->a, SLF "[" SLF "]", SLA(path), SLA(name)), (struct side){ js_item(old.shown, i), js_item(old.hidden, i) },
                    (struct side){ NULL, NULL });
    }
}

static void compare_objects(struct comparing *co, slice path, struct side old, struct side fresh)
{
    for (void *it = js_first(fresh.hidden); it; it = js_next(fresh.hidden, it)) {
        slice key = js_key(fresh.hidden, it);
        compare(co, path_of(co->a, path, key), member(old, key), member(fresh, key));
    }
    for (void *it = js_first(old.hidden); it; it = js_next(old.hidden, it)) {
        slice key = js_key(old.hidden, it);
        if (!js_get(fresh.hidden, key))
            compare(co, path_of(co->a, path, key), member(old, key), member(fresh, key));
    }
}

static void compare(struct comparing *co, slice path, struct side old, struct side fresh)
{
    if (is_secret(old) || is_secret(fresh)) {
        bool same = js_text(old.shown).n == js_text(fresh.shown).n && slice_eq(js_text(old.shown), js_text(fresh.shown));
        if (!same)
            tell(co, path, old, fresh);
    } else if (both(old, fresh, js_is_object)) {
        compare_objects(co, path, old, fresh);
    } else if (both(old, fresh, js_is_array)) {
        compare_lists(co, path, old, fresh);
    } else if (!old.hidden || !fresh.hidden || !js_equal(old.hidden, fresh.hidden)) {
        tell(co, path, old, fresh);
    }
}

size_t changes_write(struct jw *w, struct arena *a, const struct config_tenant *old, const struct config_tenant *fresh)
{
    struct comparing co = { .w = w, .a = a };
    struct side before = { document(a, old, DOC_SECRETS_SHOWN), document(a, old, DOC_SECRETS_HIDDEN) };
    struct side after = { document(a, fresh, DOC_SECRETS_SHOWN), document(a, fresh, DOC_SECRETS_HIDDEN) };
    compare_objects(&co, SL(""), before, after);
    return co.n;
}
