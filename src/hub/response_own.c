/* The hub's own canned responses: in the store, and all of them in memory. */
#include "hub/responses-private.h"
#include "store/store.h"
#include "wire/url.h"

#define STORE_PREFIX "response:"

struct own_item {
    struct own_response o; /* first: callers see it */
    struct arena *a;
    bool busy; /* a change of it is being stored */
};

size_t responses_own(const struct hub *h, const struct own_response *const **ret)
{
    *ret = (const struct own_response *const *)(const void *)h->responses->own;
    return h->responses->n_own;
}

const struct own_response *response_own(const struct hub *h, slice name)
{
    const struct responses *rs = h->responses;
    for (size_t i = 0; rs && i < rs->n_own; i++)
        if (slice_eq_nocase(rs->own[i]->o.r.name, name))
            return &rs->own[i]->o;
    return NULL;
}

bool response_is_of(const struct own_response *o, const struct tenant *t)
{
    for (size_t i = 0; i < o->tenants.n; i++) {
        slice word = *LIST_AT(o->tenants, slice, i);
        if (slice_eq(word, t->id) || slice_eq(word, t->slug) || slice_eq(word, t->name))
            return true;
    }
    return o->tenants.n == 0;
}

/* ---- documents ---------------------------------------------------------------------------------------------------------- */

void own_response_write(struct jw *w, const struct own_response *o)
{
    response_write(w, &o->r);
    jw_open(w, "tenants", '[');
    for (size_t i = 0; i < o->tenants.n; i++)
        jw_str(w, NULL, *LIST_AT(o->tenants, slice, i));
    jw_close(w, ']');
}

/* clang-format off */
static const struct js_field own_fields[] = {
    JS_FIELD(struct own_response, tenants,    "tenants", JS_STRLIST, 0),
};
static const struct js_field kept_fields[] = {
    JS_FIELD(struct own_response, by,         "by",      JS_STR,     0),
    JS_FIELD(struct own_response, rev,        "rev",     JS_I64,     0),
    JS_FIELD(struct own_response, changed_ms, "changed", JS_I64,     0),
};
/* clang-format on */

/* As somebody says it: who changed it when is not read, they may send back what they were shown. */
static bool read_own(struct arena *a, const struct js *doc, struct own_response *ret, struct fault *f)
{
    *ret = (struct own_response){ 0 };
    if (!js_read(a, doc, own_fields, COUNT(own_fields), ret, f) || !response_read(a, doc, &ret->r, f))
        return false;
    return ret->tenants.n <= RESPONSE_TENANTS || fault(f, "out_of_range", "tenants", "at most %d", RESPONSE_TENANTS);
}

static slice print_own(struct arena *a, const struct own_response *o)
{
    struct jw w = jw_new(a, STORE_VALUE_MAX);
    jw_open(&w, NULL, '{');
    own_response_write(&w, o);
    jw_str(&w, "by", o->by);
    jw_int(&w, "rev", o->rev);
    jw_int(&w, "changed", o->changed_ms);
    jw_close(&w, '}');
    return jw_done(&w);
}

/* ---- the list ------------------------------------------------------------------------------------------------------------- */

static size_t place_of(const struct responses *rs, const struct own_response *o)
{
    for (size_t i = 0; i < rs->n_own; i++)
        if (&rs->own[i]->o == o)
            return i;
    return SIZE_MAX;
}

static void insert(struct responses *rs, struct own_item *it)
{
    size_t at = 0;
    if (rs->n_own == rs->cap_own) {
        rs->cap_own = rs->cap_own ? rs->cap_own * 2 : 16;
        rs->own = must_realloc(rs->own, rs->cap_own * sizeof(rs->own[0]));
    }
    while (at < rs->n_own && slice_cmp(rs->own[at]->o.r.name, it->o.r.name) < 0)
        at++;
    memmove(&rs->own[at + 1], &rs->own[at], (rs->n_own - at) * sizeof(rs->own[0]));
    rs->own[at] = it;
    rs->n_own++;
}

static void item_free(struct own_item *it)
{
    arena_free(it->a);
    free(it);
}

static void take_out(struct responses *rs, size_t at)
{
    item_free(rs->own[at]);
    memmove(&rs->own[at], &rs->own[at + 1], (rs->n_own - at - 1) * sizeof(rs->own[0]));
    rs->n_own--;
}

static void loaded(void *arg, slice key, slice value)
{
    struct hub *h = arg;
    struct own_item *it = must_calloc(1, sizeof(*it));
    struct fault f = { 0 };
    it->a = arena_new();
    const struct js *doc = js_parse(it->a, arena_dup(it->a, value), &f);
    if (doc && read_own(it->a, doc, &it->o, &f) && js_read(it->a, doc, kept_fields, COUNT(kept_fields), &it->o, &f)) {
        insert(h->responses, it);
        return;
    }
    struct log_line *l = log_begin_fault(h->log, LEVEL_ERROR, &f, "A stored canned response cannot be read");
    log_str(l, "response", slice_from(key, sizeof(STORE_PREFIX) - 1));
    log_end(l);
    item_free(it);
}

void responses_new(struct hub *h)
{
    h->responses = must_calloc(1, sizeof(*h->responses));
    h->responses->cached = responses_cached_new(h);
    store_walk(h->store, SL(STORE_PREFIX), 0, loaded, NULL, h);
}

void responses_stop(struct hub *h)
{
    struct responses *rs = h->responses;
    if (!rs)
        return;
    responses_cached_free(rs->cached);
    while (rs->n_own)
        take_out(rs, rs->n_own - 1);
    free(rs->own);
    free(rs);
    h->responses = NULL;
}

/* ---- changes -------------------------------------------------------------------------------------------------------------- */

struct change {
    struct hub *hub;
    struct own_item *old, *to; /* old NULL: made; to NULL: removed */
    response_done done;
    void *arg;
};

/* A name is one whatever its capitals: so is its key. */
static slice key_of(struct arena *a, slice name)
{
    return arena_join(a, SL(STORE_PREFIX), arena_lower(a, name), SLICE_NONE);
}

static void stored(void *arg, const struct fault *f)
{
    struct change *c = arg;
    struct responses *rs = c->hub->responses;
    struct own_item *to = c->to;
    if (c->old)
        c->old->busy = false;
    if (f || !rs) {
        struct fault down;
        fault(&down, "store_failed", "", "the hub is going down");
        if (to)
            item_free(to);
        c->done(c->arg, NULL, f ? f : &down);
    } else {
        const struct own_response *before = to && !c->old ? response_own(c->hub, to->o.r.name) : c->old ? &c->old->o : NULL;
        if (before) /* or one of this name that was made meanwhile: the store has the later one */
            take_out(rs, place_of(rs, before));
        if (to)
            insert(rs, to);
        c->done(c->arg, to ? &to->o : NULL, NULL);
    }
    free(c);
}

static struct own_item *item_of(struct hub *h, const struct own_response *o)
{
    size_t at = o ? place_of(h->responses, o) : SIZE_MAX;
    return at == SIZE_MAX ? NULL : h->responses->own[at];
}

static void commit(struct hub *h, struct own_item *old, struct own_item *to, response_done done, void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct change *c = must_calloc(1, sizeof(*c));
    *c = (struct change){ h, old, to, done, arg };
    if (old)
        old->busy = true;
    struct store_pair pairs[2] = { { key_of(a, to ? to->o.r.name : old->o.r.name), to ? print_own(a, &to->o) : SLICE_NONE } };
    size_t n = 1;
    if (old && to && !slice_eq_nocase(old->o.r.name, to->o.r.name))
        pairs[n++] = (struct store_pair){ key_of(a, old->o.r.name), SLICE_NONE };
    store_put(h->store, pairs, n, stored, c);
}

/* Checked where one is made: what is stored already goes on as it is. */
static bool good_names(const struct canned_response *r, struct fault *f)
{
    if (url_is_dots(r->name))
        return fault(f, "out_of_range", "name", "must not be . or .., which no address can end with");
    for (size_t i = 0; i < r->substitutions.n; i++) {
        char field[64];
        snprintf(field, sizeof(field), "substitutions[%zu].id", i);
        if (template_keyword(LIST_AT(r->substitutions, struct substitution, i)->id))
            return fault(f, "out_of_range", field, "is a word of the templates' own");
    }
    return true;
}

/* doc in the place of before (NULL: made), read in a. False: *f. */
static bool read_change(struct hub *h, struct arena *a, const struct own_item *before, const struct js *doc, struct own_response *ret, struct fault *f)
{
    if (!js_is_object(doc))
        return fault(f, "bad_json", "", "must be an object");
    if (!read_own(a, doc, ret, f))
        return false;
    const struct own_response *same = response_own(h, ret->r.name);
    if (!before && h->responses->n_own >= RESPONSES_OWN)
        return fault(f, "too_many", "", "at most %d canned responses", RESPONSES_OWN);
    if (!good_names(&ret->r, f))
        return false;
    if (same && (!before || same != &before->o))
        return fault(f, "conflict", "name", "there is a canned response of this name");
    return !before || !before->busy || fault(f, "changed", "", "another change of it is being stored");
}

bool response_check(struct hub *h, const struct own_response *old, const struct js *doc, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct own_response read;
    return read_change(h, a, item_of(h, old), doc, &read, f);
}

void response_put(struct hub *h, const struct own_response *old, const struct js *doc, slice by, response_done done, void *arg)
{
    struct own_item *it = must_calloc(1, sizeof(*it)), *before = item_of(h, old);
    struct fault f = { 0 };
    struct own_response read;
    it->a = arena_new();
    if (!read_change(h, it->a, before, doc, &read, &f)) {
        item_free(it);
        done(arg, NULL, &f);
        return;
    }
    it->o.r = *response_copy(it->a, &read.r); /* doc may be gone before it */
    slice *tenants = ARENA_ARRAY(it->a, slice, read.tenants.n + 1);
    for (size_t i = 0; i < read.tenants.n; i++)
        tenants[i] = arena_dup(it->a, *LIST_AT(read.tenants, slice, i));
    it->o.tenants = (struct js_list){ tenants, read.tenants.n };
    it->o.by = arena_dup(it->a, by);
    it->o.rev = before ? before->o.rev + 1 : 1;
    it->o.changed_ms = time_now_ms();
    commit(h, before, it, done, arg);
}

void response_remove(struct hub *h, const struct own_response *o, response_done done, void *arg)
{
    struct own_item *it = item_of(h, o);
    if (it && !it->busy) {
        commit(h, it, NULL, done, arg);
        return;
    }
    struct fault f;
    fault(&f, "changed", "", "another change of it is being stored");
    done(arg, NULL, &f);
}
