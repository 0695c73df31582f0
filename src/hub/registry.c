#include "hub/registry.h"
#include "hub/conversation.h"
#include "hub/deliver.h"
#include "hub/media.h"
#include "hub/notice.h"
#include "hub/work.h"
#include "store/seal.h"
#include "store/store.h"
#include "wire/uuid.h"

enum { DOC_MAX = 1 << 20 };

struct registry {
    struct hub *hub;
    config_find find;
    struct registry_entry **entries;
    size_t n, cap;
    struct arena **old; /* texts that something under way may still use */
    size_t n_old, cap_old;
    struct change *changes; /* under way */
    void (*appeared)(void *arg, struct actor *actor);
    void *appeared_arg;
    bool running; /* accounts that appear are started at once */
};

/* One change of a tenant: under way until it is stored, and what its accounts remember is read. */
struct change {
    struct change *next;
    struct registry *r;
    struct registry_entry *e;
    const struct config_tenant *config; /* NULL: it is removed */
    struct arena *a;                    /* of the config; becomes the entry's: NULL */
    slice by;
    int64_t rev, changed_ms;
    bool made;
    registry_done done;
    void *arg;
};

static void change_free(struct change *c)
{
    for (struct change **at = &c->r->changes; *at; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    arena_free(c->a);
    free(c);
}

void registry_new(struct hub *h, config_find find)
{
    h->registry = must_calloc(1, sizeof(*h->registry));
    h->registry->hub = h;
    h->registry->find = find;
}

void registry_on_account(struct hub *h, void (*appeared)(void *, struct actor *), void *arg)
{
    struct registry *r = h->registry;
    r->appeared = appeared;
    r->appeared_arg = arg;
    r->running = true;
    for (size_t i = 0; i < h->n_actors && appeared; i++)
        appeared(arg, h->actors[i]);
}

void registry_free(struct hub *h)
{
    struct registry *r = h->registry;
    if (!r)
        return;
    while (r->changes)
        change_free(r->changes); /* nobody is told any more */
    for (size_t i = 0; i < r->n; i++) {
        arena_free(r->entries[i]->a);
        free(r->entries[i]);
    }
    for (size_t i = 0; i < r->n_old; i++)
        arena_free(r->old[i]);
    free(r->old);
    free(r->entries);
    free(r);
    h->registry = NULL;
}

/* ---- texts that were replaced ------------------------------------------------------------------------------------------------- */

static bool hub_is_idle(const struct hub *h)
{
    return h->open_runs == 0 && !h->accepting && !h->deliveries && media_idle(h);
}

static void retire_texts(struct registry *r, struct arena *a)
{
    if (r->n_old && hub_is_idle(r->hub)) {
        for (size_t i = 0; i < r->n_old; i++)
            arena_free(r->old[i]);
        r->n_old = 0;
    }
    if (!a)
        return;
    if (r->n_old == r->cap_old) {
        r->cap_old = r->cap_old ? r->cap_old * 2 : 8;
        r->old = must_realloc(r->old, r->cap_old * sizeof(r->old[0]));
    }
    r->old[r->n_old++] = a;
}

/* ---- entries ------------------------------------------------------------------------------------------------------------------ */

size_t registry_count(const struct hub *h)
{
    return h->registry->n;
}

const struct registry_entry *registry_at(const struct hub *h, size_t i)
{
    return h->registry->entries[i];
}

const struct registry_entry *registry_find(const struct hub *h, slice word)
{
    const struct registry *r = h->registry;
    for (size_t i = 0; i < r->n; i++)
        if (!r->entries[i]->removed && slice_eq(r->entries[i]->id, word))
            return r->entries[i];
    for (size_t i = 0; i < r->n; i++)
        if (!r->entries[i]->removed && (slice_eq(r->entries[i]->slug, word) || slice_eq(r->entries[i]->name, word)))
            return r->entries[i];
    return NULL;
}

static struct registry_entry *entry_new(struct registry *r)
{
    if (r->n == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 16;
        r->entries = must_realloc(r->entries, r->cap * sizeof(r->entries[0]));
    }
    return r->entries[r->n++] = must_calloc(1, sizeof(struct registry_entry));
}

static struct registry_entry *own(const struct hub *h, const struct registry_entry *e)
{
    for (size_t i = 0; i < h->registry->n; i++)
        if (h->registry->entries[i] == e)
            return h->registry->entries[i];
    return NULL;
}

/* ---- accounts ----------------------------------------------------------------------------------------------------------------- */

static struct actor *actor_any(const struct hub *h, slice id)
{
    for (size_t i = 0; i < h->n_actors; i++)
        if (slice_eq(h->actors[i]->account.id, id))
            return h->actors[i];
    return NULL;
}

static bool same_settings(const struct account *x, const struct account *y)
{
    for (size_t i = 0; i < x->type->n_settings; i++)
        if (!slice_eq(x->settings[i], y->settings[i]))
            return false;
    return slice_eq(x->hook_url, y->hook_url);
}

/* What it is called stays in the hub's own arena: conversations and runs point at it for as long as the hub runs. */
static void account_set(struct actor *actor, const struct account *to)
{
    slice id = actor->account.id, name = actor->account.name;
    actor->account = *to;
    actor->account.id = id.p ? id : arena_dup(actor->hub->a, to->id);
    actor->account.name = name.p ? name : arena_dup(actor->hub->a, to->name);
}

static struct actor *actor_make(struct hub *h, struct tenant *t, const struct account *account)
{
    struct actor *actor = ARENA_NEW(h->a, struct actor);
    actor->hub = h;
    actor->tenant = t;
    account_set(actor, account);
    struct actor **more = ARENA_ARRAY(h->a, struct actor *, h->n_actors + 1);
    if (h->n_actors)
        memcpy(more, h->actors, h->n_actors * sizeof(more[0]));
    more[h->n_actors] = actor;
    h->actors = more;
    h->n_actors++;
    return actor;
}

/* again: it was here before, perhaps with other settings, and messages of then may wait for it. */
static void appear(struct registry *r, struct actor *actor, bool again)
{
    actor->retired = false;
    if (r->appeared)
        r->appeared(r->appeared_arg, actor);
    if (r->running && again)
        actor_restart(actor);
    else if (r->running)
        actor_start(actor);
}

static void changes_go_on(struct registry *r);

static void remembered(void *arg)
{
    struct actor *actor = arg;
    appear(actor->hub->registry, actor, false);
    deliver_homeless(actor->hub);
    changes_go_on(actor->hub->registry);
}

/* The account of the tenant as it shall be: one that is at work already goes on with its new settings. */
static struct actor *actor_of(struct registry *r, struct tenant *t, const struct account *account)
{
    struct hub *h = r->hub;
    struct actor *actor = actor_any(h, account->id);
    if (!actor) {
        actor = actor_make(h, t, account);
        actor->retired = r->running;
        if (r->running)
            actor_init_later(actor, remembered);
        return actor;
    }
    bool as_it_was = !actor->retired && actor->account.type == account->type && same_settings(&actor->account, account);
    account_set(actor, account);
    actor->tenant = t;
    if (actor->retired && !actor->learning)
        appear(r, actor, true);
    else if (!as_it_was && !actor->learning)
        actor_restart(actor);
    return actor;
}

static void actor_retire(struct actor *actor)
{
    hub_notice_gone(actor);
    actor->retired = true;
    actor_stop(actor);
    deliver_orphaned(actor);
}

static bool is_of(const struct tenant *t, const struct actor *actor)
{
    for (size_t i = 0; i < t->n_channels; i++)
        if (t->channels[i] == actor)
            return true;
    return t->desk == actor;
}

/* Puts a configuration to work: in place of the one before. */
static void apply(struct registry *r, struct registry_entry *e)
{
    struct hub *h = r->hub;
    const struct config_tenant *ct = e->config;
    struct tenant *t = e->tenant;
    struct actor *old_desk = t ? t->desk : NULL, **old_channels = t ? t->channels : NULL;
    size_t n_old = t ? t->n_channels : 0;
    if (!t) {
        t = e->tenant = ARENA_NEW(h->a, struct tenant);
        struct tenant **more = ARENA_ARRAY(h->a, struct tenant *, h->n_tenants + 1);
        if (h->n_tenants)
            memcpy(more, h->tenants, h->n_tenants * sizeof(more[0]));
        more[h->n_tenants] = t;
        h->tenants = more;
        h->n_tenants++;
    }
    t->retired = false;
    t->id = ct->id;
    t->slug = ct->slug;
    t->name = ct->name;
    t->data = ct->custom_data;
    t->config = ct;
    struct actor *desk = actor_of(r, t, ct->desk);
    struct actor **channels = ARENA_ARRAY(e->a, struct actor *, ct->n_channels + 1);
    if (old_desk && old_desk != desk)
        conversations_leave_desk(h, old_desk);
    t->desk = desk;
    for (size_t i = 0; i < ct->n_channels; i++)
        channels[i] = actor_of(r, t, &ct->channels[i]);
    t->channels = channels;
    t->n_channels = ct->n_channels;
    if (old_desk && !is_of(t, old_desk))
        actor_retire(old_desk);
    for (size_t i = 0; i < n_old; i++)
        if (!is_of(t, old_channels[i]))
            actor_retire(old_channels[i]);
    if (r->running)
        deliver_homeless(h);
}

static void withdraw(struct registry_entry *e)
{
    struct tenant *t = e->tenant;
    if (!t)
        return;
    t->retired = true;
    actor_retire(t->desk);
    for (size_t i = 0; i < t->n_channels; i++)
        actor_retire(t->channels[i]);
}

/* ---- at start ----------------------------------------------------------------------------------------------------------------- */

void registry_file(struct hub *h, const struct config_tenant *t)
{
    struct registry_entry *e = entry_new(h->registry);
    e->a = arena_new();
    e->config = t;
    e->origin = TENANT_OF_FILE;
    e->id = t->id;
    e->slug = t->slug;
    e->name = t->name;
    e->rev = 1;
    e->changed_ms = time_now_ms();
    e->by = SL("file");
    apply(h->registry, e);
}

struct stored {
    slice slug, by;
    int64_t rev, changed_ms;
    const struct js *doc;
};
/* clang-format off */
static const struct js_field stored_fields[] = {
    JS_FIELD(struct stored, slug,       "slug",    JS_STR, JS_REQ),
    JS_FIELD(struct stored, by,         "by",      JS_STR, 0),
    JS_FIELD(struct stored, rev,        "rev",     JS_I64, JS_REQ),
    JS_FIELD(struct stored, changed_ms, "changed", JS_I64, JS_REQ),
    JS_FIELD(struct stored, doc,        "doc",     JS_ANY, JS_REQ),
};
/* clang-format on */

static slice store_key(struct arena *a, slice id)
{
    return arena_printf(a, "t:" SLF, SLA(id));
}

static void problems_fault(struct fault *f, const struct config_problems *p)
{
    const struct config_problem *q = &p->items[0];
    fault(f, "invalid", "", SLF "%s" SLF, SLA(q->path), q->path.n ? " " : "", SLA(q->text));
    snprintf(f->field, sizeof(f->field), SLF, SLA(utf8_cut_bytes(q->path, sizeof(f->field) - 1)));
}

static bool read_stored(struct registry *r, struct registry_entry *e, slice json, struct fault *f)
{
    struct stored st = { 0 };
    const struct js *doc = js_parse(e->a, json, f);
    if (!doc || !js_read(e->a, doc, stored_fields, COUNT(stored_fields), &st, f))
        return false;
    e->slug = st.slug;
    e->rev = st.rev;
    e->changed_ms = st.changed_ms;
    e->by = st.by;
    e->name = js_text(js_at(st.doc, "name"));
    for (size_t i = 0; i < r->n; i++) {
        const struct registry_entry *other = r->entries[i];
        if (other != e && other->config && (slice_eq(other->slug, e->slug) || slice_eq(other->id, e->id)))
            return fault(f, "name_taken", "name", "a tenant of the configuration file has the same name or id");
    }
    struct config_problems p = { .a = e->a };
    struct yaml *tree = yaml_of_js(e->a, st.doc);
    e->config = tree ? config_tenant_read(e->a, tree, e->slug, r->hub->public_url, r->hub->config, r->find, &p) : NULL;
    if (!e->config)
        problems_fault(f, &p);
    return e->config != NULL;
}

static void loaded(void *arg, slice key, slice value)
{
    struct registry *r = arg;
    struct registry_entry *e = entry_new(r);
    struct secret json = { 0 };
    e->a = arena_new();
    e->origin = TENANT_OF_STORE;
    e->id = arena_dup(e->a, slice_from(key, 2));
    if (seal_reveal(r->hub->seal, key, value, &json, &e->fault))
        (void)read_stored(r, e, arena_dup(e->a, secret_reveal(&json)), &e->fault);
    secret_wipe(&json);
    if (e->config)
        return;
    struct log_line *l = log_begin_fault(r->hub->log, LEVEL_ERROR, &e->fault, "A stored tenant is not at work");
    log_str(l, "tenant", slice_or(e->name, e->id));
    log_end(l);
}

void registry_load(struct hub *h)
{
    struct registry *r = h->registry;
    size_t before = r->n;
    store_walk(h->store, SL("t:"), 0, loaded, NULL, r);
    for (size_t i = before; i < r->n; i++)
        if (r->entries[i]->config)
            apply(r, r->entries[i]);
}

void registry_stored(struct hub *h, slice key, slice value)
{
    struct registry *r = h->registry;
    loaded(r, key, value);
    if (r->entries[r->n - 1]->config)
        apply(r, r->entries[r->n - 1]);
}

/* ---- changes ------------------------------------------------------------------------------------------------------------------ */

static slice free_slug(struct registry *r, struct arena *a, slice name)
{
    slice base = config_slug(a, name), slug = base;
    for (int i = 2;; i++) {
        bool taken = false;
        for (size_t k = 0; k < r->n && !taken; k++)
            taken = !r->entries[k]->removed && slice_eq(r->entries[k]->slug, slug);
        if (!taken)
            return slug;
        slug = arena_printf(a, SLF "-%d", SLA(utf8_cut_bytes(base, CONFIG_NAME_MAX - 8)), i);
    }
}

static void add_problem(struct config_problems *p, const char *path, const char *text)
{
    if (p->n < CONFIG_PROBLEMS_MAX)
        p->items[p->n++] = (struct config_problem){ .path = slice_of(path), .text = slice_of(text) };
    else
        p->more++;
}

/* An account that keeps its name must keep its kind: what is remembered and what waits for it belong to that kind. */
static void check_kinds(struct hub *h, const struct config_tenant *t, struct config_problems *p)
{
    for (size_t i = 0; i <= t->n_channels; i++) {
        const struct account *acc = i == t->n_channels ? t->desk : &t->channels[i];
        const struct actor *at_work = actor_any(h, acc->id);
        if (at_work && at_work->account.type != acc->type)
            add_problem(p, i == t->n_channels ? "desk.name" : arena_printf(p->a, "channels[%zu].name", i).p,
                        "an account of another kind has or had this name: choose another name");
    }
}

/* Of `with`: t itself, or another tenant. */
static void check_clashes(const struct config_tenant *t, const struct config_tenant *with, struct config_problems *p)
{
    for (size_t i = 0; i < t->n_channels + CONFIG_DESKS; i++) {
        slice at = config_clash(p->a, t, i, with);
        if (at.n)
            add_problem(p, at.p, CONFIG_CLASH);
    }
}

/* When a tenant is put to work, and not before: a plan may have it that the other one goes first. */
static bool clashes(const struct registry *r, const struct config_tenant *t, const struct registry_entry *old, struct config_problems *p)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct registry_entry *other = r->entries[i];
        if (!other->removed && other != old && other->config)
            check_clashes(t, other->config, p);
        if (other != old && other->coming && !p->n)
            check_clashes(t, other->coming, p);
    }
    return p->n > 0;
}

static const struct config_tenant *check(struct registry *r, struct arena *a, slice text, const struct registry_entry *old, slice slug,
                                         struct config_problems *p)
{
    struct fault f = { 0 };
    const struct js *doc = text.n <= DOC_MAX ? js_parse(a, text, &f) : NULL;
    struct yaml *tree = doc ? yaml_of_js(a, doc) : NULL;
    if (!tree) {
        add_problem(p, "", doc || text.n > DOC_MAX ? "the document is too large" : arena_cstr(a, slice_of(f.text)));
        return NULL;
    }
    tenant_doc_complete(a, tree, old ? old->config : NULL, r->find);
    for (struct yaml **m = &tree->first; *m;) /* an id is given once, when it is made */
        if (old && slice_eq((*m)->key, SL("id")))
            *m = (*m)->next;
        else
            m = &(*m)->next;
    struct config_tenant *t = NULL;
    const struct config_tenant *read = config_tenant_read(a, tree, slug, r->hub->public_url, r->hub->config, r->find, p);
    if (read) {
        t = ARENA_NEW(a, struct config_tenant);
        *t = *read;
    }
    slice name = js_text(js_at(doc, "name"));
    for (size_t i = 0; i < r->n; i++) {
        const struct registry_entry *other = r->entries[i];
        if (other->removed || other == old)
            continue;
        if (name.n && slice_eq_nocase(other->name, name))
            add_problem(p, "name", "another tenant has this name");
        if (t && !old && js_text(js_at(doc, "id")).n && slice_eq_nocase(other->id, t->id))
            add_problem(p, "id", "another tenant has this id");
    }
    if (t) {
        check_kinds(r->hub, t, p);
        check_clashes(t, t, p);
    }
    if (!t || p->n)
        return NULL;
    if (old)
        t->id = arena_dup(a, old->id); /* its own texts go when they are replaced */
    else if (!js_text(js_at(doc, "id")).n)
        t->id = uuid_make(a);
    return t;
}

const struct config_tenant *registry_check(struct hub *h, struct arena *a, slice doc, const struct registry_entry *old,
                                           struct config_problems *p)
{
    slice name = SLICE_NONE;
    const struct js *js = js_parse(a, doc, NULL);
    if (js)
        name = js_text(js_at(js, "name"));
    return check(h->registry, a, doc, old, old ? arena_dup(a, old->slug) : free_slug(h->registry, a, name), p);
}

static bool is_known(const struct tenant *t)
{
    for (size_t i = 0; i < t->n_channels; i++)
        if (t->channels[i]->learning)
            return false;
    return !t->desk->learning;
}

static void change_ended(struct change *c, const struct registry_entry *e, const struct fault *f)
{
    registry_done done = c->done;
    void *arg = c->arg;
    c->e->busy = false;
    change_free(c);
    done(arg, e, f);
}

static bool change_waits(const struct change *c)
{
    return c->a || (c->config && !is_known(c->e->tenant));
}

/* Those whose accounts are at work now. Who is told may begin the next one. */
static void changes_go_on(struct registry *r)
{
    for (struct change *c = r->changes; c;) {
        if (change_waits(c)) {
            c = c->next;
            continue;
        }
        change_ended(c, c->e, NULL);
        c = r->changes;
    }
}

static void change_stored(void *arg, const struct fault *f)
{
    struct change *c = arg;
    struct registry_entry *e = c->e;
    e->coming = NULL;
    if (f) {
        e->removed |= c->made; /* it never was */
        change_ended(c, NULL, f);
        return;
    }
    struct arena *before = e->a;
    e->a = c->a;
    e->rev = c->rev;
    e->changed_ms = c->changed_ms;
    e->by = c->by;
    e->fault.code = NULL;
    e->config = c->config;
    if (c->config) {
        e->id = c->config->id;
        e->slug = c->config->slug;
        e->name = c->config->name;
        apply(c->r, e);
    } else {
        e->id = arena_dup(e->a, e->id);
        e->slug = arena_dup(e->a, e->slug);
        e->name = arena_dup(e->a, e->name);
        e->removed = true;
        withdraw(e);
    }
    retire_texts(c->r, before);
    struct log_line *l = log_begin(c->r->hub->log, LEVEL_INFO, "Tenant %s", !c->config ? "removed" : c->made ? "made" : "changed");
    log_str(l, "tenant", e->name);
    log_str(l, "by", e->by);
    log_int(l, "rev", e->rev);
    log_end(l);
    c->a = NULL;
    changes_go_on(c->r);
}

static void change_store(struct change *c, slice id, slice json)
{
    struct hub *h = c->r->hub;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = store_key(a, id);
    struct store_pair pairs[] = { { key, json.p ? seal_close(h->seal, a, key, json) : SLICE_NONE }, { SL(REGISTRY_CHANGED), uuid_make(a) } };
    c->next = c->r->changes;
    c->r->changes = c;
    c->e->busy = true;
    c->e->coming = c->config;
    store_put(h->store, pairs, COUNT(pairs), change_stored, c);
}

static bool may_change(struct hub *h, const struct registry_entry *e, int64_t if_rev, struct fault *f)
{
    const struct registry_entry *mine = own(h, e);
    if (!mine || mine->removed)
        return fault(f, "changed", "", "the tenant was removed meanwhile");
    if (mine->origin == TENANT_OF_FILE)
        return fault(f, "read_only", "", "this tenant stands in the configuration file: change it there and restart the hub");
    if (mine->busy)
        return fault(f, "changed", "", "another change of this tenant is under way");
    if (if_rev >= 0 && mine->rev != if_rev)
        return fault(f, "changed", "", "the tenant was changed meanwhile (it is at revision %lld): read it again", (long long)mine->rev);
    return true;
}

void registry_put(struct hub *h, const struct registry_entry *old, int64_t if_rev, slice doc, slice by, struct config_problems *p,
                  registry_done done, void *arg)
{
    struct registry *r = h->registry;
    struct fault f = { 0 };
    if (old && !may_change(h, old, if_rev, &f)) {
        done(arg, NULL, &f);
        return;
    }
    if (!old && h->n_tenants >= CONFIG_TENANTS_MAX) {
        fault(&f, "too_many", "", "there are %d tenants already", CONFIG_TENANTS_MAX);
        done(arg, NULL, &f);
        return;
    }
    struct arena *a = arena_new();
    struct config_problems own_problems = { .a = a };
    const struct config_tenant *t = registry_check(h, a, doc, old, &own_problems);
    if (!t || clashes(r, t, old, &own_problems)) {
        problems_fault(&f, &own_problems);
        for (size_t i = 0; p && i < own_problems.n; i++) {
            const struct config_problem *q = &own_problems.items[i];
            p->items[p->n++] = (struct config_problem){ q->line, q->column, arena_dup(p->a, q->path), arena_dup(p->a, q->text) };
        }
        done(arg, NULL, &f);
        arena_free(a);
        return;
    }
    struct change *c = must_calloc(1, sizeof(*c));
    *c = (struct change){ .r = r, .e = old ? own(h, old) : entry_new(r), .config = t, .a = a, .by = arena_dup(a, by), .made = !old,
                          .rev = old ? old->rev + 1 : 1, .changed_ms = time_now_ms(), .done = done, .arg = arg };
    if (!old) { /* the name is taken from now on */
        c->e->a = arena_new();
        c->e->origin = TENANT_OF_STORE;
        c->e->id = arena_dup(c->e->a, t->id);
        c->e->slug = arena_dup(c->e->a, t->slug);
        c->e->name = arena_dup(c->e->a, t->name);
    }
    struct jw w = jw_new(a, DOC_MAX * 2);
    jw_open(&w, NULL, '{');
    jw_str(&w, "slug", t->slug);
    jw_str(&w, "by", by);
    jw_int(&w, "rev", c->rev);
    jw_int(&w, "changed", c->changed_ms);
    jw_open(&w, "doc", '{');
    jw_str(&w, "id", t->id);
    tenant_doc_write(&w, t, DOC_SECRETS_SHOWN);
    jw_close(&w, '}');
    jw_close(&w, '}');
    change_store(c, t->id, jw_done(&w));
}

void registry_remove(struct hub *h, const struct registry_entry *e, int64_t if_rev, slice by, registry_done done, void *arg)
{
    struct fault f = { 0 };
    if (!may_change(h, e, if_rev, &f)) {
        done(arg, NULL, &f);
        return;
    }
    struct change *c = must_calloc(1, sizeof(*c));
    struct arena *a = arena_new();
    *c = (struct change){ .r = h->registry, .e = own(h, e), .a = a, .by = arena_dup(a, by), .rev = e->rev + 1, .changed_ms = time_now_ms(),
                          .done = done, .arg = arg };
    change_store(c, e->id, SLICE_NONE);
}
