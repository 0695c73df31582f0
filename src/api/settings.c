#include "api/settings.h"
#include "api/audit.h"
#include "api/call.h"
#include "api/connectors.h"
#include "api/tenants.h"
#include "hub/notice.h"
#include "hub/storage_set.h"
#include "net/client.h"
#include "store/seal.h"
#include "store/store.h"

#define STORE_KEY SL("settings")
enum { DOC_MAX = 512 << 10 };

/* What is at work; a change makes a new one. */
struct set {
    struct arena *a;
    slice proxy, by, default_storage; /* absent: the configuration file's */
    const struct notice_target *notifiers;
    size_t n;
    const struct config_storage *storages;
    size_t n_storages;
    struct config_commander commander;
    bool own_commander; /* else the configuration file's is the default */
    int64_t rev, changed_ms;
};
struct settings {
    struct api *api;
    struct set now;
    bool busy; /* a change is being stored */
    const struct config *file;
    struct config merged; /* the file's with our storages: what tenants may name */
};

/* ---- documents ------------------------------------------------------------------------------------------------------- */

static void write_notifier(struct jw *w, const struct notice_target *t, enum doc_secrets secrets)
{
    jw_open(w, NULL, '{');
    jw_str(w, "type", slice_of(t->type->name));
    jw_str(w, "name", t->name);
    jw_open(w, "topics", '[');
    for (size_t i = 0; i < NOTICE_TOPICS; i++)
        if (t->topics[i])
            jw_str(w, NULL, slice_of(notice_topics[i]));
    jw_close(w, ']');
    settings_doc_write(w, t->type->settings, t->type->n_settings, t->settings, secrets);
    jw_close(w, '}');
}

void storage_document(struct jw *w, const struct config_storage *st, enum doc_secrets secrets)
{
    jw_str(w, "type", slice_of(st->type->name));
    jw_str(w, "name", st->name);
    jw_int(w, "purge_delay_seconds", st->purge_ms / 1000);
    settings_doc_write(w, st->type->settings, st->type->n_settings, st->settings, secrets);
}

static void write_set(struct jw *w, const struct set *s, enum doc_secrets secrets)
{
    if (s->proxy.n)
        jw_str(w, "proxy", s->proxy);
    else
        jw_null(w, "proxy");
    if (s->default_storage.n)
        jw_str(w, "default_storage", s->default_storage);
    else
        jw_null(w, "default_storage");
    jw_open(w, "notifiers", '[');
    for (size_t i = 0; i < s->n; i++)
        write_notifier(w, &s->notifiers[i], secrets);
    jw_close(w, ']');
    jw_open(w, "storages", '[');
    for (size_t i = 0; i < s->n_storages; i++) {
        jw_open(w, NULL, '{');
        storage_document(w, &s->storages[i], secrets);
        jw_close(w, '}');
    }
    jw_close(w, ']');
    if (s->own_commander) {
        size_t before = w->t.n;
        commander_doc_write(w, "commander", &s->commander, COMMANDER_OF_ALL, secrets);
        if (w->t.n == before) { /* there is one, and nothing is said in it */
            jw_open(w, "commander", '{');
            jw_close(w, '}');
        }
    }
}

/* A destination that keeps its name and type keeps its secrets, too. */
static void keep_secrets(struct arena *a, struct yaml *list, const struct set *old)
{
    for (struct yaml *v = list && list->kind == YAML_LIST ? list->first : NULL; v; v = v->next) {
        const struct yaml *name = yaml_get(v, SL("name")), *type = yaml_get(v, SL("type"));
        const struct notifier *kind = type ? notifier_find(type->text) : NULL;
        const slice *before = NULL;
        for (size_t i = 0; kind && i < old->n; i++)
            if (old->notifiers[i].type == kind && slice_eq(old->notifiers[i].name, name ? name->text : type->text))
                before = old->notifiers[i].settings;
        if (kind)
            settings_doc_complete(a, v, kind->settings, kind->n_settings, before);
    }
}

static void keep_storage_secrets(struct arena *a, struct yaml *list, const struct set *old)
{
    for (struct yaml *v = list && list->kind == YAML_LIST ? list->first : NULL; v; v = v->next) {
        const struct yaml *name = yaml_get(v, SL("name")), *type = yaml_get(v, SL("type"));
        const struct storage_type *kind = type ? storage_type_find(type->text) : NULL;
        const slice *before = NULL;
        for (size_t i = 0; kind && name && i < old->n_storages; i++)
            if (old->storages[i].type == kind && slice_eq(old->storages[i].name, name->text))
                before = old->storages[i].settings;
        if (kind)
            settings_doc_complete(a, v, kind->settings, kind->n_settings, before);
    }
}

static bool read_proxy(struct arena *a, const struct js *v, slice *ret, struct config_problems *p)
{
    static const struct setting row = { .name = "proxy", .type = SETTING_URL };
    struct fault f = { 0 };
    *ret = SLICE_NONE;
    if (!v || js_is_null(v) || !js_text(v).n || setting_value(a, &row, js_text(v), ret, &f))
        return true;
    p->items[p->n++] = (struct config_problem){ .path = SL("proxy"), .text = arena_printf(p->a, "%s", f.text) };
    return false;
}

/* null: the file's again. */
static bool read_commander(const struct js *v, const struct set *old, struct set *ret, struct config_problems *p)
{
    if (!v || js_is_null(v))
        return true;
    struct yaml *map = yaml_of_js(ret->a, v);
    commander_doc_complete(ret->a, map, old->own_commander ? &old->commander : NULL);
    ret->own_commander = true;
    return config_commander_read(ret->a, map, &ret->commander, p);
}

/* doc over old: what it does not have stays. In ret->a. */
static bool read_set(const struct api *api, const struct js *doc, const struct set *old, struct set *ret, struct config_problems *p)
{
    const struct js *proxy = js_get(doc, SL("proxy")), *given = js_get(doc, SL("notifiers")), *places = js_get(doc, SL("storages"));
    struct jw w = jw_new(ret->a, DOC_MAX);
    struct fault f;
    jw_open(&w, NULL, '{');
    write_set(&w, old, DOC_SECRETS_HIDDEN);
    jw_close(&w, '}');
    const struct js *before = js_parse(ret->a, jw_done(&w), &f);
    bool ok = read_proxy(ret->a, proxy ? proxy : js_get(before, SL("proxy")), &ret->proxy, p);
    struct yaml *list = yaml_of_js(ret->a, given ? given : js_get(before, SL("notifiers")));
    keep_secrets(ret->a, list, old);
    ret->notifiers = config_notifiers_read(ret->a, list, api->setup.notifiers, api->setup.n_notifiers, &ret->n, p);
    struct yaml *stores = yaml_of_js(ret->a, places ? places : js_get(before, SL("storages")));
    keep_storage_secrets(ret->a, stores, old);
    ret->storages = config_storages_read(ret->a, stores, api->settings->file, &ret->n_storages, p);
    const struct js *standard = js_get(doc, SL("default_storage"));
    ret->default_storage = arena_dup(ret->a, js_text(standard ? standard : js_get(before, SL("default_storage"))));
    const struct js *commander = js_get(doc, SL("commander"));
    ok = read_commander(commander ? commander : js_get(before, SL("commander")), old, ret, p) && ok;
    return ok && ret->notifiers && ret->storages;
}

/* ---- at work --------------------------------------------------------------------------------------------------------- */

static slice proxy_in_use(const struct api *api)
{
    return slice_or(api->settings->now.proxy, api->setup.proxy);
}

/* Storages are referred to for as long as the hub runs: their texts go into its own arena. */
static const struct config_storage *storages_keep(struct arena *a, const struct set *s, const struct config *file, size_t *ret_n)
{
    struct config_storage *all = ARENA_ARRAY(a, struct config_storage, file->n_storages + s->n_storages + 1);
    size_t n = 0;
    for (size_t i = 0; i < file->n_storages; i++)
        all[n++] = file->storages[i];
    for (size_t i = 0; i < s->n_storages; i++) {
        const struct config_storage *from = &s->storages[i];
        slice *values = ARENA_ARRAY(a, slice, from->type->n_settings + 1);
        for (size_t k = 0; k < from->type->n_settings; k++)
            values[k] = arena_dup(a, from->settings[k]);
        all[n++] = (struct config_storage){ from->type, arena_dup(a, from->name), values, from->purge_ms };
    }
    *ret_n = n;
    return all;
}

/* Asked for as long as the hub runs, like storages. */
static struct config_commander commander_keep(struct arena *a, const struct config_commander *c)
{
    struct config_commander to = { .language = c->language };
    for (size_t i = 0; i < COMMANDER_SETTINGS; i++)
        to.values[i] = arena_dup(a, c->values[i]);
    slice *values = ARENA_ARRAY(a, slice, (c->language ? c->language->type.n_settings : 0) + 1);
    for (size_t i = 0; c->language && i < c->language->type.n_settings; i++)
        values[i] = arena_dup(a, c->settings[i]);
    to.settings = values;
    return to;
}

static bool is_storage(const struct config *file, const struct set *s, slice name)
{
    bool there = slice_eq(name, SL(STORAGE_LOCAL));
    for (size_t i = 0; i < file->n_storages; i++)
        there |= slice_eq(name, file->storages[i].name);
    for (size_t i = 0; i < s->n_storages; i++)
        there |= slice_eq(name, s->storages[i].name);
    return there;
}

static void merge_config(struct settings *st)
{
    size_t n;
    const struct config_storage *all = storages_keep(st->api->a, &st->now, st->file, &n);
    st->merged = *st->file;
    st->merged.storages = ARENA_ARRAY(st->api->a, struct config_storage, n + 1);
    memcpy(st->merged.storages, all, n * sizeof(all[0]));
    st->merged.n_storages = n;
    if (is_storage(st->file, &st->now, st->now.default_storage))
        st->merged.values[CFG_STORAGE] = arena_dup(st->api->a, st->now.default_storage);
    if (st->now.own_commander)
        st->merged.commander = commander_keep(st->api->a, &st->now.commander);
    st->api->hub->config = &st->merged;
}

void api_settings(struct api *api)
{
    struct fault f = { 0 };
    const struct config *c = &api->settings->merged;
    if (api->hub->storages && !storages_configure(api->hub, c->storages, c->n_storages, &f))
        log_end(log_begin_fault(api->hub->log, LEVEL_ERROR, &f, "A storage cannot be opened; those of before go on"));
    const struct set *s = &api->settings->now;
    struct notice_target all[NOTICE_TARGETS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < api->setup.n_notifiers; i++)
        all[n++] = api->setup.notifiers[i];
    for (size_t i = 0; i < s->n && n < NOTICE_TARGETS_MAX; i++)
        all[n++] = s->notifiers[i];
    if (api->hub->notices)
        notices_configure(api->hub->notices, all, n);
    client_set_proxy(api->hub->client, proxy_in_use(api));
}

/* The parent of "storages[0].name" is "storages[0]", whose parent is "storages"; empty: it has none. */
static slice parent_of(slice path)
{
    size_t dot = slice_find_last(path, '.'), item = slice_find_last(path, '[');
    size_t at = dot == SIZE_MAX ? item : item == SIZE_MAX ? dot : MAX(dot, item);
    return at == SIZE_MAX ? SLICE_NONE : slice_sub(path, 0, at);
}

/* v, which stands at `at`, without what stands at `gone`. */
static void write_without(struct jw *w, struct arena *a, const struct js *v, slice at, slice gone)
{
    bool list = js_is_array(v);
    if (!slice_starts(gone, at) || !(list || js_is_object(v))) {
        jw_value(w, NULL, v);
        return;
    }
    jw_open(w, NULL, list ? '[' : '{');
    for (size_t i = 0; list && i < js_len(v); i++) {
        slice item = arena_printf(a, SLF "[%zu]", SLA(at), i);
        if (!slice_eq(item, gone))
            write_without(w, a, js_item(v, i), item, gone);
    }
    for (void *it = list ? NULL : js_first(v); it; it = js_next(v, it)) {
        slice member = at.n ? arena_printf(a, SLF "." SLF, SLA(at), SLA(js_key(v, it))) : js_key(v, it);
        if (slice_eq(member, gone))
            continue;
        jw_key(w, js_key(v, it));
        write_without(w, a, js_value(it), member, gone);
    }
    jw_close(w, list ? ']' : '}');
}

static const struct js *without(struct arena *a, const struct js *doc, slice gone)
{
    struct jw w = jw_new(a, DOC_MAX);
    write_without(&w, a, doc, SL(""), gone);
    return js_parse(a, jw_done(&w), NULL);
}

/* What was good when it was stored may be so no longer: rules grow, and the configuration file takes names. What is wrong is left out, and as little of it as will do. */
static bool read_stored(struct api *api, const struct js *doc, const struct set *old, struct set *ret, struct config_problems *p)
{
    struct arena *a = ret->a;
    while (!read_set(api, doc, old, ret, p)) {
        if (!p->n)
            return false;
        struct fault f;
        slice gone = p->items[0].path;
        const struct js *less = without(a, doc, gone);
        while (gone.n && (!less || js_equal(less, doc))) { /* what is missing, for one */
            gone = parent_of(gone);
            less = gone.n ? without(a, doc, gone) : NULL;
        }
        if (!less)
            return false;
        fault(&f, "invalid", "", SLF " " SLF, SLA(p->items[0].path), SLA(p->items[0].text));
        log_end(log_begin_fault(api->hub->log, LEVEL_ERROR, &f, "A part of the stored settings is not valid any more: without it"));
        doc = less;
        *ret = (struct set){ .a = a, .rev = ret->rev, .changed_ms = ret->changed_ms };
        *p = (struct config_problems){ .a = a };
    }
    return true;
}

static void got(void *arg, slice value, const struct fault *f)
{
    struct settings *st = arg;
    struct fault why = { 0 };
    struct secret json = { 0 };
    if (f || !value.p)
        return;
    struct set s = { .a = arena_new() };
    struct config_problems p = { .a = s.a };
    const struct js *doc = NULL;
    if (seal_reveal(st->api->hub->seal, STORE_KEY, value, &json, &why))
        doc = js_parse(s.a, arena_dup(s.a, secret_reveal(&json)), &why);
    secret_wipe(&json);
    bool ok = doc && js_int(js_get(doc, SL("rev")), &s.rev) && js_int(js_get(doc, SL("changed")), &s.changed_ms) && read_stored(st->api, doc, &st->now, &s, &p);
    s.by = js_text(js_get(doc, SL("by")));
    if (ok) {
        arena_free(st->now.a);
        st->now = s;
        return; /* settings_new puts it together */
    }
    if (p.n)
        fault(&why, "invalid", "", SLF " " SLF, SLA(p.items[0].path), SLA(p.items[0].text));
    log_end(log_begin_fault(st->api->hub->log, LEVEL_ERROR, &why, "The stored settings cannot be read: without them"));
    arena_free(s.a);
}

struct settings *settings_new(struct api *api)
{
    struct settings *st = must_calloc(1, sizeof(*st));
    st->api = api;
    st->now.a = arena_new();
    st->file = api->hub->config ? api->hub->config : ARENA_NEW(api->a, struct config);
    api->settings = st;
    store_get(api->hub->store, STORE_KEY, got, st);
    merge_config(st);
    return st;
}

void settings_free(struct settings *st)
{
    if (!st)
        return;
    arena_free(st->now.a);
    free(st);
}

/* ---- the calls ------------------------------------------------------------------------------------------------------- */

struct showing {
    struct api_call *c;
    struct jw *w;
};

static bool is_of_file(const struct api *api, slice name)
{
    for (size_t i = 0; i < api->setup.n_notifiers; i++)
        if (slice_eq(api->setup.notifiers[i].name, name))
            return true;
    return false;
}

static void show_standing(void *arg, const struct notice_standing *s)
{
    struct showing *sh = arg;
    struct jw *w = sh->w;
    jw_open(w, NULL, '{');
    notice_standing_write(w, s);
    jw_bool(w, "read_only", is_of_file(sh->c->api, s->name));
    jw_close(w, '}');
}

static void answer(struct api_call *c)
{
    const struct set *s = &c->api->settings->now;
    slice proxy = proxy_in_use(c->api);
    if (!api_etag(c, s->rev))
        return;
    struct jw w = api_json(c);
    jw_int(&w, "rev", s->rev);
    if (s->changed_ms) {
        jw_time(&w, "changed", s->changed_ms);
        jw_str(&w, "changed_by", s->by);
    }
    if (proxy.n)
        jw_str(&w, "proxy_in_use", proxy);
    else
        jw_null(&w, "proxy_in_use");
    jw_str(&w, "default_storage_in_use", settings_default_storage(c->api));
    if (!s->own_commander)
        commander_doc_write(&w, "commander_of_file", &c->api->settings->file->commander, COMMANDER_OF_ALL, DOC_SECRETS_HIDDEN);
    write_set(&w, s, DOC_SECRETS_HIDDEN);
    jw_open(&w, "standing", '[');
    if (c->hub->notices)
        notices_each(c->hub->notices, show_standing, &(struct showing){ c, &w });
    jw_close(&w, ']');
    api_answer(c, &w);
}

void api_settings_get(struct api_call *c)
{
    answer(c);
}

struct change {
    struct api_call *c;
    struct settings *st;
    struct set to;
    slice detail;
    struct config_problems *p;
    size_t looked; /* so many of those storages that were there are known to stay, or to be empty */
    void (*done)(void *arg, const struct fault *f);
    void *arg;
};

/* For the audit trail: which members differ, never their values. */
static slice changed_members(struct arena *a, const struct set *old, const struct set *to)
{
    const struct set *const sets[] = { old, to };
    const struct js *docs[COUNT(sets)];
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct jw w = jw_new(a, DOC_MAX);
        jw_open(&w, NULL, '{');
        write_set(&w, sets[i], DOC_SECRETS_SHOWN);
        jw_close(&w, '}');
        docs[i] = js_parse(a, jw_done(&w), NULL);
    }
    struct jw w = jw_new(a, 1024);
    jw_open(&w, NULL, '{');
    jw_open(&w, "members", '[');
    for (size_t i = 0; i < COUNT(sets); i++) {
        for (void *it = js_first(docs[i]); it; it = js_next(docs[i], it)) {
            const struct js *other = js_get(docs[1 - i], js_key(docs[i], it));
            if (i == 0 ? !other : !other || !js_equal(other, js_value(it)))
                jw_str(&w, NULL, js_key(docs[i], it));
        }
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    return jw_done(&w);
}

static void stored(void *arg, const struct fault *f)
{
    struct change *ch = arg;
    struct settings *st = ch->st;
    st->busy = false;
    if (f || ch->c->api->stopped) {
        struct fault down;
        fault(&down, "store_failed", "", "the hub is going down");
        arena_free(ch->to.a);
        ch->done(ch->arg, f ? f : &down);
        return;
    }
    arena_free(st->now.a); /* notices and the client have copies of their own */
    st->now = ch->to;
    merge_config(st);
    api_settings(ch->c->api);
    if (ch->c->hub->storages)
        storages_check(ch->c->hub);
    audit_note(ch->c, "settings.change", SL(""), ch->detail);
    ch->done(ch->arg, NULL);
}

/* Which tenant keeps its attachments in a storage that is to go? NULL: none. */
static const struct registry_entry *user_of(const struct hub *h, slice storage)
{
    for (size_t i = 0; i < registry_count(h); i++) {
        const struct registry_entry *e = registry_at(h, i);
        const struct config_tenant *t = e->removed ? NULL : e->config;
        bool uses = t && (slice_eq(t->values[TENANT_STORAGE], storage) || slice_eq(t->desk->own_storage, storage));
        for (size_t k = 0; t && k < t->n_channels; k++)
            uses |= slice_eq(t->channels[k].own_storage, storage);
        if (uses)
            return e;
    }
    return NULL;
}

static bool stays(const struct set *to, slice storage)
{
    for (size_t k = 0; k < to->n_storages; k++)
        if (slice_eq(to->storages[k].name, storage))
            return true;
    return false;
}

static bool default_is_there(const struct config *file, const struct set *to, struct config_problems *p)
{
    if (!to->default_storage.n || is_storage(file, to, to->default_storage))
        return true;
    p->items[p->n++] = (struct config_problem){ .path = SL("default_storage"), .text = SL("there is no storage of this name") };
    return false;
}

static bool may_go(const struct hub *h, const struct set *old, const struct set *to, struct config_problems *p)
{
    for (size_t i = 0; i < old->n_storages; i++) {
        bool goes = !stays(to, old->storages[i].name);
        const struct registry_entry *e = goes ? user_of(h, old->storages[i].name) : NULL;
        bool standard = goes && slice_eq(old->storages[i].name, to->default_storage);
        if (!e && !standard)
            continue;
        slice text = e ? arena_printf(p->a, "the tenant " SLF " keeps its attachments in " SLF, SLA(e->name), SLA(old->storages[i].name))
                       : arena_printf(p->a, SLF " is the default storage", SLA(old->storages[i].name));
        p->items[p->n++] = (struct config_problem){ .path = SL("storages"), .text = text };
        return false;
    }
    return true;
}

static void put_set(struct change *ch)
{
    struct api_call *c = ch->c;
    struct jw w = jw_new(c->a, DOC_MAX);
    jw_open(&w, NULL, '{');
    jw_int(&w, "rev", ch->to.rev);
    jw_int(&w, "changed", ch->to.changed_ms);
    jw_str(&w, "by", ch->to.by);
    write_set(&w, &ch->to, DOC_SECRETS_SHOWN);
    jw_close(&w, '}');
    store_put(c->hub->store, &(struct store_pair){ STORE_KEY, seal_close(c->hub->seal, c->a, STORE_KEY, jw_done(&w)) }, 1, stored, ch);
}

static void look_into(struct change *ch);

static void looked_into(void *arg, const struct attachment *a, const struct fault *why)
{
    struct change *ch = arg;
    struct fault f;
    if (why || ch->c->api->stopped) {
        stored(ch, why);
        return;
    }
    if (!a) {
        ch->looked++;
        look_into(ch);
        return;
    }
    ch->p->items[ch->p->n++] = (struct config_problem){
        .path = SL("storages"),
        .text = arena_printf(ch->p->a, SLF " still has attachments: it can go once they are purged, after their conversations closed", SLA(a->storage))
    };
    fault(&f, "in_use", "", "the settings are not valid");
    stored(ch, &f);
}

/* A storage does not go while it has attachments: nobody could read or purge them any more. */
static void look_into(struct change *ch)
{
    const struct set *old = &ch->st->now;
    while (ch->looked < old->n_storages && stays(&ch->to, old->storages[ch->looked].name))
        ch->looked++;
    if (ch->looked < old->n_storages)
        store_attachment_in(ch->c->hub->store, old->storages[ch->looked].name, looked_into, ch);
    else
        put_set(ch);
}

void settings_change(struct api_call *c, const struct js *doc, struct config_problems *p, void (*done)(void *arg, const struct fault *f), void *arg)
{
    struct settings *st = c->api->settings;
    struct set to = { .a = arena_new(), .rev = st->now.rev + 1, .changed_ms = time_now_ms() };
    struct fault f;
    to.by = arena_dup(to.a, c->user);
    const char *wrong = st->busy ? "changed" : !read_set(c->api, doc, &st->now, &to, p) ? "invalid" : !may_go(c->hub, &st->now, &to, p) ? "in_use" :
                        !default_is_there(st->file, &to, p) ? "invalid" : NULL;
    if (wrong) {
        fault(&f, wrong, "", st->busy ? "another change of the settings is being stored" : "the settings are not valid");
        arena_free(to.a);
        done(arg, &f);
        return;
    }
    struct change *ch = ARENA_NEW(c->a, struct change);
    *ch = (struct change){ .c = c, .st = st, .to = to, .detail = changed_members(c->a, &st->now, &to), .p = p, .done = done, .arg = arg };
    st->busy = true;
    look_into(ch);
}

bool settings_check(const struct api *api, const struct js *doc, struct config_problems *p)
{
    struct set to = { .a = arena_new() };
    bool good = read_set(api, doc, &api->settings->now, &to, p) && default_is_there(api->settings->file, &to, p);
    arena_free(to.a);
    return good;
}

int64_t settings_rev(const struct api *api)
{
    return api->settings->now.rev;
}

slice settings_default_storage(const struct api *api)
{
    return slice_or(config_text(&api->settings->merged, CFG_STORAGE), SL(STORAGE_LOCAL));
}

size_t settings_storages(const struct api *api, const struct config_storage **ret)
{
    *ret = api->settings->now.storages;
    return api->settings->now.n_storages;
}

void settings_document(const struct api *api, struct jw *w, enum doc_secrets secrets)
{
    write_set(w, &api->settings->now, secrets);
}

struct putting {
    struct api_call *c;
    struct config_problems problems;
};

static void was_put(void *arg, const struct fault *f)
{
    struct putting *pu = arg;
    if (f)
        tenant_fault(pu->c, &pu->problems, f);
    else
        answer(pu->c);
}

void api_settings_put(struct api_call *c)
{
    struct settings *st = c->api->settings;
    struct putting *pu = ARENA_NEW(c->a, struct putting);
    int64_t rev;
    *pu = (struct putting){ c, { .a = c->a } };
    if (!api_if_match(c, &rev))
        return;
    if (rev >= 0 && rev != st->now.rev)
        api_problem(c, 412, "changed", NULL, "the settings were changed meanwhile (they are at revision %lld): read them again", (long long)st->now.rev);
    else
        settings_change(c, c->body, &pu->problems, was_put, pu);
}

void api_notifiers_list(struct api_call *c)
{
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < n_notifiers; i++) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "name", slice_of(notifiers[i]->name));
        jw_str(&w, "title", slice_of(notifiers[i]->title));
        settings_schema(&w, "schema", notifiers[i]->settings, notifiers[i]->n_settings, NULL, SETTINGS_FORM);
        jw_open(&w, "topics", '[');
        for (size_t k = 0; k < NOTICE_TOPICS; k++)
            jw_str(&w, NULL, slice_of(notice_topics[k]));
        jw_close(&w, ']');
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    api_answer(c, &w);
}

static void tested(void *arg, const struct notice_tested *t)
{
    struct api_call *c = arg;
    struct jw w = api_json(c);
    jw_bool(&w, "taken", !*t->why);
    jw_int(&w, "status", t->status);
    jw_str(&w, "answer", t->answer);
    jw_opt(&w, "why", slice_of(t->why));
    jw_int(&w, "took_ms", t->took_us / 1000);
    api_answer(c, &w);
}

void api_notifiers_test(struct api_call *c)
{
    if (!c->hub->notices || !notices_test(c->hub->notices, c->params[0], tested, c))
        api_not_found(c, "notifier", c->params[0]);
}
