#include "hub/storage_set.h"
#include "hub/notice.h"
#include "hub/storage.h"

struct storage_set {
    struct storage **all;
    const struct config_storage **of; /* of each; NULL: the local disk */
    size_t n;
    struct storage **gone; /* take no more */
    size_t n_gone;
    const char *data;
    struct loop_timer timer;
    unsigned checking;
};
struct checking {
    struct hub *hub;
    struct storage *s;
};

size_t storages_count(const struct hub *h)
{
    return h->storages ? h->storages->n : 0;
}

struct storage *storages_at(const struct hub *h, size_t i)
{
    return h->storages->all[i];
}

struct storage *storages_find(const struct hub *h, slice name)
{
    for (size_t i = 0; h->storages && i < h->storages->n; i++)
        if (slice_eq(h->storages->all[i]->name, name))
            return h->storages->all[i];
    for (size_t i = h->storages ? h->storages->n_gone : 0; i-- > 0;)
        if (slice_eq(h->storages->gone[i]->name, name))
            return h->storages->gone[i];
    return !h->storages && h->storage && slice_eq(h->storage->name, name) ? h->storage : NULL;
}

struct storage *storages_choose(const struct actor *from)
{
    const struct hub *h = from->hub;
    bool standard = from->account.storage_is_default && h->config;
    struct storage *s = storages_find(h, standard ? config_text(h->config, CFG_STORAGE) : from->account.storage);
    if (!s || (s->trouble.code && h->limits.storage_instead))
        return h->storage;
    return s;
}

bool storages_open(struct hub *h, const struct config *c, struct storage *local, struct fault *f)
{
    struct storage_set *set = ARENA_NEW(h->a, struct storage_set);
    set->all = ARENA_ARRAY(h->a, struct storage *, CONFIG_STORAGES_MAX + 1);
    set->of = ARENA_ARRAY(h->a, const struct config_storage *, CONFIG_STORAGES_MAX + 1);
    set->all[set->n++] = local;
    set->data = config_text(c, CFG_DATA).p;
    h->storages = set;
    h->storage = local;
    local->purge_ms = h->limits.purge_ms;
    return storages_configure(h, c->storages, c->n_storages, f);
}

static bool same(const struct config_storage *x, const struct config_storage *y)
{
    if (x->type != y->type || !slice_eq(x->name, y->name))
        return false;
    for (size_t i = 0; i < x->type->n_settings; i++)
        if (!slice_eq(x->settings[i], y->settings[i]))
            return false;
    return true;
}

static struct storage *open_one(struct hub *h, const struct config_storage *cs, struct fault *f)
{
    struct storage_setup setup = { .name = cs->name, .settings = cs->settings, .loop = h->loop, .client = &h->client, .data = h->storages->data };
    return cs->type->open(&setup, f);
}

/* The one at work that is as cs wants it; NULL: there is none. */
static struct storage *at_work(const struct storage_set *set, const struct config_storage *cs)
{
    for (size_t i = 1; i < set->n; i++)
        if (same(set->of[i], cs))
            return set->all[i];
    return NULL;
}

static bool at_work_now(const struct storage_set *set, const struct storage *s)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->all[i] == s)
            return true;
    return false;
}

static void retire(struct hub *h, struct storage *s)
{
    struct storage_set *set = h->storages;
    struct storage **more = ARENA_ARRAY(h->a, struct storage *, set->n_gone + 1);
    if (set->n_gone)
        memcpy(more, set->gone, set->n_gone * sizeof(more[0]));
    more[set->n_gone++] = s;
    set->gone = more;
}

bool storages_configure(struct hub *h, const struct config_storage *list, size_t n, struct fault *f)
{
    struct storage_set *set = h->storages;
    struct storage *fresh[CONFIG_STORAGES_MAX];
    bool made[CONFIG_STORAGES_MAX];
    assert(n <= CONFIG_STORAGES_MAX);
    for (size_t i = 0; i < n; i++) {
        fresh[i] = at_work(set, &list[i]);
        made[i] = !fresh[i];
        if (fresh[i] || (fresh[i] = open_one(h, &list[i], f)))
            continue;
        while (i-- > 0)
            if (made[i])
                storage_close(fresh[i]);
        return false;
    }
    for (size_t i = 1; i < set->n; i++) {
        bool stays = false, named = false;
        for (size_t k = 0; k < n; k++) {
            stays |= fresh[k] == set->all[i];
            named |= slice_eq(fresh[k]->name, set->all[i]->name);
        }
        if (!stays)
            retire(h, set->all[i]);
        if (!named) /* nobody else would say that its trouble is over */
            hub_notice_part(h, NOTICE_STORAGE_WORKS, set->all[i]->name, SLICE_NONE);
    }
    for (size_t i = 0; i < n; i++) {
        fresh[i]->purge_ms = list[i].purge_ms;
        set->all[i + 1] = fresh[i];
        set->of[i + 1] = &list[i];
    }
    set->n = n + 1;
    return true;
}

void storages_close(struct hub *h)
{
    struct storage_set *set = h->storages;
    if (!set)
        return;
    for (size_t i = 0; i < set->n; i++)
        storage_close(set->all[i]);
    for (size_t i = 0; i < set->n_gone; i++)
        storage_close(set->gone[i]);
    loop_timer_done(&set->timer);
    h->storages = NULL;
    h->storage = NULL;
}

/* ---- checks --------------------------------------------------------------------------------------------------------------------- */

static void note(struct hub *h, struct storage *s, const struct fault *why)
{
    bool changed = !s->checked || (why != NULL) != (s->trouble.code != NULL) || (why && strcmp(why->text, s->trouble.text) != 0);
    s->checked = true;
    s->trouble = why ? *why : (struct fault){ 0 };
    if (h->storages && !at_work_now(h->storages, s)) /* what became of it says nothing about the one that has its name now */
        return;
    METRIC_SET(h->metrics, METRIC_STORAGE_UP, why == NULL, s->name);
    hub_notice_part(h, why ? NOTICE_STORAGE_FAILS : NOTICE_STORAGE_WORKS, s->name, why ? slice_of(why->text) : SLICE_NONE);
    if (!changed)
        return;
    const char *instead = h->limits.storage_instead && s != h->storage ? "; what it should keep goes to the local disk" : "";
    struct log_line *l = why ? log_begin_fault(h->log, LEVEL_WARN, why, "The storage " SLF " does not work%s", SLA(s->name), instead)
                             : log_begin(h->log, LEVEL_INFO, "The storage " SLF " works", SLA(s->name));
    log_str(l, "storage", s->name);
    log_end(l);
    if (why || !s->remark)
        return;
    l = log_begin(h->log, LEVEL_WARN, "The storage " SLF ": %s", SLA(s->name), s->remark);
    log_str(l, "storage", s->name);
    log_end(l);
}

static void check_turn(void *arg)
{
    storages_check(arg);
}

static void check_done(void *arg, const struct fault *why)
{
    struct checking *ch = arg;
    struct hub *h = ch->hub;
    struct storage_set *set = h->storages;
    if (!h->stopped) {
        note(h, ch->s, why);
        if (--set->checking == 0)
            loop_timer_start(h->loop, &set->timer, STORAGE_CHECK_MS, check_turn, h);
    }
    free(ch);
}

void storages_check(struct hub *h)
{
    struct storage_set *set = h->storages;
    set->checking++; /* so that an end that comes at once does not begin the next turn */
    for (size_t i = 0; i < set->n; i++) {
        struct storage *s = set->all[i];
        if (s == h->storage || (s->checked && !s->trouble.code))
            continue;
        struct checking *ch = must_malloc(sizeof(*ch));
        *ch = (struct checking){ h, s };
        set->checking++;
        storage_probe(s, h->client, check_done, ch);
    }
    if (--set->checking == 0 && set->n > 1)
        loop_timer_start(h->loop, &set->timer, STORAGE_CHECK_MS, check_turn, h);
}

void storage_trouble(struct hub *h, struct storage *s, const struct fault *why)
{
    note(h, s, why);
}

void storage_works(struct hub *h, struct storage *s)
{
    if (s->trouble.code)
        note(h, s, NULL);
    else
        hub_notice_part(h, NOTICE_STORAGE_WORKS, s->name, SLICE_NONE);
}

struct unkept { /* lives in its arena */
    struct hub *hub;
    struct arena *a;
    slice storage, handle;
};

static void unkept_gone(void *arg, enum storage_end end, const struct fault *why)
{
    struct unkept *u = arg;
    if (end != STORAGE_OK && end != STORAGE_GONE && !u->hub->stopped) {
        struct log_line *l = log_begin_fault(u->hub->log, LEVEL_WARN, why, "A stored attachment is not noted, and could not be deleted: it stays where it is");
        log_str(l, "storage", u->storage);
        log_str(l, "handle", u->handle);
        log_end(l);
    }
    arena_free(u->a);
}

void storage_unkept(struct hub *h, struct storage *s, slice handle)
{
    struct arena *a = arena_new();
    struct unkept *u = ARENA_NEW(a, struct unkept);
    *u = (struct unkept){ h, a, s->name, arena_dup(a, handle) };
    storage_delete(s, u->handle, unkept_gone, u);
}
