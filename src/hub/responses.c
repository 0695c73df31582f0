#include "hub/command.h"
#include "hub/responses-private.h"
#include "hub/run.h"
#include "wire/js_loose.h"

struct waiting {
    struct waiting *next;
    response_found found;
    void *arg;
};
struct kept { /* what a desk said about a name */
    struct actor *desk;
    struct arena *a;
    slice name;
    struct canned_response *r; /* NULL: there is none, or see f */
    struct fault f;     /* code NULL: nothing was wrong */
    int64_t asked_ms, used_ms; /* monotonic; asked_ms 0: never answered */
    struct waiting *waiting, **waiting_last;
    bool asking, answering; /* it stays while either */
};
struct cached_responses {
    struct hub *hub;
    struct kept **entries;
    size_t n, cap;
    struct template_cache *templates;
    struct loop_timer refresh;
};

static int64_t hasty(const struct cached_responses *rs, int64_t ms)
{
    return ms / (int64_t)rs->hub->limits.response_haste;
}

static struct kept *entry_find(struct cached_responses *rs, const struct actor *desk, slice name)
{
    for (size_t i = 0; i < rs->n; i++)
        if (rs->entries[i]->desk == desk && slice_eq_nocase(rs->entries[i]->name, name))
            return rs->entries[i];
    return NULL;
}

static void entry_free(struct kept *e)
{
    for (struct waiting *w = e->waiting, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    arena_free(e->a);
    free(e);
}

/* The one used longest ago makes way. */
static void make_room(struct cached_responses *rs)
{
    size_t oldest = SIZE_MAX;
    for (size_t i = 0; rs->n >= RESPONSES_CACHED && i < rs->n; i++)
        if (!rs->entries[i]->asking && !rs->entries[i]->answering && (oldest == SIZE_MAX || rs->entries[i]->used_ms < rs->entries[oldest]->used_ms))
            oldest = i;
    if (oldest != SIZE_MAX) {
        entry_free(rs->entries[oldest]);
        rs->entries[oldest] = rs->entries[--rs->n];
    }
}

static struct kept *entry_of(struct cached_responses *rs, struct actor *desk, slice name)
{
    struct kept *e = entry_find(rs, desk, name);
    if (e)
        return e;
    make_room(rs);
    if (rs->n == rs->cap) {
        rs->cap = rs->cap ? rs->cap * 2 : 16;
        rs->entries = must_realloc(rs->entries, rs->cap * sizeof(rs->entries[0]));
    }
    e = rs->entries[rs->n++] = must_calloc(1, sizeof(*e));
    e->desk = desk;
    e->a = arena_new();
    e->name = arena_dup(e->a, name);
    return e;
}

/* ---- asking the desk -------------------------------------------------------------------------------------------------- */

static void answer(struct kept *e)
{
    struct waiting *w = e->waiting;
    e->waiting = NULL;
    e->answering = true; /* who is answered may look for another one */
    for (struct waiting *next; w; w = next) {
        next = w->next;
        w->found(w->arg, e->r, e->r ? NULL : &e->f);
        free(w);
    }
    e->answering = false;
}

static void asked(struct run *r, enum outcome end)
{
    struct kept *e = r->arg;
    int64_t now_ms = time_mono_ms();
    bool usable = e->r && now_ms - e->asked_ms < hasty(r->hub->responses->cached, RESPONSE_STALE_MS);
    e->asking = false;
    if (end == OUT_DELIVERED || end == OUT_REFUSED) {
        struct arena *a = arena_new();
        struct canned_response *found = end == OUT_DELIVERED && r->d.response.name.n ? response_copy(a, &r->d.response) : NULL;
        slice name = arena_dup(a, e->name);
        arena_free(e->a);
        e->a = a;
        e->name = name;
        e->r = found;
        e->asked_ms = now_ms;
        e->f = (struct fault){ 0 };
        if (end == OUT_REFUSED)
            fault(&e->f, "response_refused", "", "%s", r->fault.text);
    } else if (!usable) {
        e->r = NULL;
        e->asked_ms = 0;
        fault(&e->f, "response_failed", "", "the desk could not be asked: %s", r->fault.text);
    }
    run_free(r);
    answer(e);
}

static void ask(struct kept *e)
{
    const struct canned *canned = &e->desk->account.type->canned;
    if (e->asking)
        return;
    struct run *r = run_new(e->desk, NULL, canned->find, asked, e);
    e->asking = true;
    r->no_wait = true;
    r->total_ms = canned->total_ms;
    r->d.wanted = arena_dup(r->a, e->name);
    run_start(r);
}

static bool fresh(const struct cached_responses *rs, const struct kept *e, int64_t now_ms)
{
    return e->asked_ms && now_ms - e->asked_ms < hasty(rs, e->r ? RESPONSE_FRESH_MS : RESPONSE_UNKNOWN_MS);
}

static void refresh(void *arg)
{
    enum { AT_ONCE = 4 };
    struct cached_responses *rs = arg;
    int64_t now_ms = time_mono_ms();
    unsigned n = 0;
    for (size_t i = 0; i < rs->n && n < AT_ONCE && !rs->hub->draining; i++) {
        struct kept *e = rs->entries[i];
        if (!e->r || e->asking || e->desk->retired || now_ms - e->used_ms > hasty(rs, RESPONSE_WARM_MS) ||
            now_ms - e->asked_ms < hasty(rs, RESPONSE_REFRESH_MS))
            continue;
        ask(e);
        n++;
    }
    loop_timer_start(rs->hub->loop, &rs->refresh, hasty(rs, RESPONSE_REFRESH_MS / 60), refresh, rs);
}

/* ---- finding ---------------------------------------------------------------------------------------------------------- */

struct finding { /* the desk is asked; then ours are looked at */
    struct tenant *t;
    response_found found;
    void *arg;
    size_t n_name;
    char name[];
};

static void find_own(struct tenant *t, slice name, response_found found, void *arg)
{
    const struct own_response *o = response_own(t->desk->hub, name);
    if (o && response_is_of(o, t)) {
        found(arg, &o->r, NULL);
        return;
    }
    struct fault f;
    fault(&f, "no_response", "", "there is no canned response \"" SLF "\"", SLA(utf8_cut_bytes(name, 100)));
    found(arg, NULL, &f);
}

static void found_at_desk(void *arg, const struct canned_response *r, const struct fault *f)
{
    struct finding *fi = arg;
    slice name = slice_mem(fi->name, fi->n_name);
    bool failed = f && f->code;
    const struct own_response *o = failed ? response_own(fi->t->desk->hub, name) : NULL;
    if (r || (failed && !(o && response_is_of(o, fi->t))))
        fi->found(fi->arg, r, f);
    else
        find_own(fi->t, name, fi->found, fi->arg);
    free(fi);
}

void responses_find(struct tenant *t, slice name, response_found found, void *arg)
{
    struct actor *desk = t->desk;
    struct cached_responses *rs = desk->hub->responses->cached;
    if (!desk->account.type->canned.find || name.n > RESPONSE_NAME_BYTES) {
        find_own(t, name, found, arg);
        return;
    }
    int64_t now_ms = time_mono_ms();
    struct kept *e = entry_of(rs, desk, name);
    struct finding *fi = must_calloc(1, sizeof(*fi) + name.n);
    *fi = (struct finding){ .t = t, .found = found, .arg = arg, .n_name = name.n };
    memcpy(fi->name, name.p, name.n);
    e->used_ms = now_ms;
    bool now = fresh(rs, e, now_ms) || (e->r && now_ms - e->asked_ms < hasty(rs, RESPONSE_STALE_MS));
    bool again = !fresh(rs, e, now_ms);
    if (now) { /* before it is asked again, which may end at once and change it */
        found_at_desk(fi, e->r, e->r ? NULL : &e->f);
        if (again && (e = entry_find(rs, desk, name)) != NULL)
            ask(e);
        return;
    }
    struct waiting *w = must_calloc(1, sizeof(*w));
    *w = (struct waiting){ NULL, found_at_desk, fi };
    *(e->waiting ? e->waiting_last : &e->waiting) = w;
    e->waiting_last = &w->next;
    ask(e);
}

const struct canned_response *responses_peek(struct tenant *t, slice name)
{
    struct hub *h = t->desk->hub;
    struct cached_responses *rs = h->responses->cached;
    const struct own_response *o = response_own(h, name);
    struct kept *e = NULL;
    if (t->desk->account.type->canned.find && name.n <= RESPONSE_NAME_BYTES) {
        int64_t now_ms = time_mono_ms();
        e = entry_of(rs, t->desk, name);
        e->used_ms = now_ms;
        if (!fresh(rs, e, now_ms) && !h->draining) {
            ask(e); /* which may end at once */
            e = entry_find(rs, t->desk, name);
        }
    }
    return e && e->r ? e->r : o && response_is_of(o, t) ? &o->r : NULL;
}

slice responses_text(struct tenant *t, struct arena *a, slice name)
{
    struct fault f = { 0 };
    slice text = SLICE_NONE;
    const struct canned_response *r = t && t->desk && t->desk->hub->responses ? responses_peek(t, name) : NULL;
    if (!r || r->why.n)
        return SLICE_NONE;
    struct commander who;
    (void)commander_of(t, &who); /* the zone is the tenant's, whether agents may use commands or not */
    return response_render(t->desk->hub, a, r, who.zone, NULL, 0, &text, &f) ? text : SLICE_NONE;
}

/* ---- rendering -------------------------------------------------------------------------------------------------------- */

/* As it stands between the quotes of a JSON text. */
static slice escaped(struct arena *a, slice s)
{
    struct jw w = jw_new(a, s.n * 6 + 64);
    jw_str(&w, NULL, s);
    slice quoted = jw_done(&w);
    return quoted.n >= 2 ? slice_sub(quoted, 1, quoted.n - 2) : s;
}

static bool is_json(struct arena *a, slice text)
{
    slice json = js_strict(a, text, NULL);
    return json.p && js_parse(a, json, NULL);
}

bool response_render(struct hub *h, struct arena *a, const struct canned_response *r, slice zone, const struct template_pair *values, size_t n, slice *ret, struct fault *f)
{
    struct template_cache *c = h->responses->cached->templates;
    struct template_pair *given = ARENA_ARRAY(a, struct template_pair, n + 1), *defaults = ARENA_ARRAY(a, struct template_pair, r->substitutions.n + 1);
    struct template_options o = { .now_ms = time_now_ms(), .zone = zone, .novalue_empty = true };
    struct template_error e = { 0 };
    random_bytes(&o.random, sizeof(o.random));
    for (size_t i = 0; i < r->substitutions.n; i++) {
        const struct substitution *s = LIST_AT(r->substitutions, struct substitution, i);
        defaults[i] = (struct template_pair){ s->id, s->otherwise.p ? s->otherwise : SL("") };
    }
    if (!template_respond(c, a, r->text, values, n, defaults, r->substitutions.n, &o, ret, &e))
        return fault(f, "bad_template", "", "canned response \"" SLF "\": %.160s", SLA(utf8_cut_bytes(r->name, 60)), e.text);
    if (!js_is_meant(*ret) || is_json(a, *ret))
        return true;
    /* A value with quotes or line ends broke the JSON that it was put in: once more, with values as JSON writes them. */
    slice second;
    if (n)
        memcpy(given, values, n * sizeof(values[0]));
    for (size_t i = 0; i < n; i++)
        given[i].value = escaped(a, given[i].value);
    for (size_t i = 0; i < r->substitutions.n; i++)
        defaults[i].value = escaped(a, defaults[i].value);
    if (template_respond(c, a, r->text, given, n, defaults, r->substitutions.n, &o, &second, &e) && is_json(a, second))
        *ret = second;
    return true; /* else what is wrong with it is told by whoever reads it */
}

/* ---- begin and end ------------------------------------------------------------------------------------------------------ */

struct cached_responses *responses_cached_new(struct hub *h)
{
    struct cached_responses *rs = must_calloc(1, sizeof(*rs));
    rs->hub = h;
    rs->templates = template_cache_new();
    return rs;
}

void responses_start(struct hub *h)
{
    struct cached_responses *rs = h->responses->cached;
    loop_timer_start(h->loop, &rs->refresh, hasty(rs, RESPONSE_REFRESH_MS / 60), refresh, rs);
}

void responses_cached_free(struct cached_responses *rs)
{
    if (!rs)
        return;
    loop_timer_done(&rs->refresh);
    for (size_t i = 0; i < rs->n; i++) {
        for (struct waiting *w = rs->entries[i]->waiting; w; w = w->next)
            free(w->arg); /* of found_at_desk */
        entry_free(rs->entries[i]);
    }
    free(rs->entries);
    template_cache_free(rs->templates);
    free(rs);
}
