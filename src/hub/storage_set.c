#include "hub/storage_set.h"
#include "hub/notice.h"
#include "hub/storage.h"

struct storage_set {
    struct storage **all;
    size_t n;
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
    return !h->storages && h->storage && slice_eq(h->storage->name, name) ? h->storage : NULL;
}

struct storage *storages_choose(const struct actor *from)
{
    const struct hub *h = from->hub;
    struct storage *s = storages_find(h, from->account.storage);
    if (!s || (s->trouble.code && h->limits.storage_instead))
        return h->storage;
    return s;
}

bool storages_open(struct hub *h, const struct config *c, struct storage *local, struct fault *f)
{
    struct storage_set *set = ARENA_NEW(h->a, struct storage_set);
    set->all = ARENA_ARRAY(h->a, struct storage *, c->n_storages + 1);
    set->all[set->n++] = local;
    h->storages = set;
    h->storage = local;
    local->purge_ms = h->limits.purge_ms;
    for (size_t i = 0; i < c->n_storages; i++) {
        const struct config_storage *cs = &c->storages[i];
        struct storage_setup setup = { .name = cs->name, .settings = cs->settings, .loop = h->loop, .client = &h->client,
                                       .data = config_text(c, CFG_DATA).p };
        struct storage *s = cs->type->open(&setup, f);
        if (!s)
            return false;
        s->purge_ms = cs->purge_ms;
        set->all[set->n++] = s;
    }
    return true;
}

void storages_close(struct hub *h)
{
    struct storage_set *set = h->storages;
    if (!set)
        return;
    for (size_t i = 0; i < set->n; i++)
        storage_close(set->all[i]);
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
    METRIC_SET(h->metrics, METRIC_STORAGE_UP, why == NULL, s->name);
    hub_notice_part(h, why ? NOTICE_STORAGE_FAILS : NOTICE_STORAGE_WORKS, s->name, why ? slice_of(why->text) : SLICE_NONE);
    if (!changed)
        return;
    const char *instead = h->limits.storage_instead && s != h->storage ? "; what it should keep goes to the local disk" : "";
    struct log_line *l = why ? log_begin_fault(h->log, LEVEL_WARN, why, "The storage " SLF " does not work%s", SLA(s->name), instead)
                             : log_begin(h->log, LEVEL_INFO, "The storage " SLF " works", SLA(s->name));
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
