/* Who the tenants are, and who the worker is: what a door reads of the store. */
#include "broker/broker.h"
#include "hub/registry.h"
#include "main/door-private.h"
#include "main/replica.h"
#include "store/store.h"

enum { LOOK_MS = 1000 }; /* between two looks at who is the worker, and whether the tenants changed */

/* The tenants of the file, and from now on those of the store. */
static void era_begin(struct door *d)
{
    struct hub *h = &d->hub;
    struct era *e = must_calloc(1, sizeof(*e));
    e->a = arena_new();
    e->next = d->eras;
    d->eras = e;
    registry_free(h);
    h->a = e->a;
    h->actors = NULL;
    h->tenants = NULL;
    h->n_actors = h->n_tenants = 0;
    registry_new(h, connector_find);
    for (size_t i = 0; i < d->config->n_tenants; i++)
        registry_file(h, &d->config->tenants[i]);
}

/* All tenants are there. What accounts remember is the worker's; here nobody remembers anything. */
static void era_complete(struct door *d)
{
    struct era *e = d->eras;
    e->actors = d->hub.actors;
    e->n_actors = d->hub.n_actors;
    for (size_t i = 0; i < e->n_actors; i++)
        e->actors[i]->memory = memory_new();
}

static void era_free(struct era *e)
{
    for (size_t i = 0; i < e->n_actors; i++)
        memory_free(e->actors[i]->memory);
    arena_free(e->a);
    free(e);
}

static void eras_trim(struct door *d)
{
    while (d->open == 0 && d->eras && d->eras->next) {
        struct era *old = d->eras->next;
        d->eras->next = old->next;
        era_free(old);
    }
}

static void stored_tenant(void *arg, slice key, slice value)
{
    struct door *d = arg;
    registry_stored(&d->hub, key, value);
}

void door_tenants_read(struct door *d)
{
    era_begin(d);
    store_walk(d->hub.store, SL("t:"), 0, stored_tenant, NULL, d);
    era_complete(d);
}

struct gathered {
    struct door *d;
    struct arena *a;
    struct js_list pairs; /* struct store_pair */
    slice tenants;        /* the number of the change they belong to, or of one before */
};

static void gather(void *arg, slice key, slice value)
{
    struct gathered *g = arg;
    *LIST_ADD(g->a, &g->pairs, struct store_pair) = (struct store_pair){ arena_dup(g->a, key), arena_dup(g->a, value) };
}

static void tenants_gathered(void *arg, const struct fault *f)
{
    struct gathered *g = arg;
    struct door *d = g->d;
    d->looking--;
    if (!f) {
        era_begin(d);
        for (size_t i = 0; i < g->pairs.n; i++)
            stored_tenant(d, LIST_AT(g->pairs, struct store_pair, i)->key, LIST_AT(g->pairs, struct store_pair, i)->value);
        era_complete(d);
        d->tenants = arena_dup(d->seen, g->tenants);
        log_note(&d->log, LEVEL_INFO, "The tenants were read again");
    }
    arena_free(g->a);
}

static void tenants_told(void *arg, slice value, const struct fault *f)
{
    struct door *d = arg;
    d->looking--;
    if (f || slice_eq(value, d->tenants))
        return;
    struct arena *a = arena_new();
    struct gathered *g = ARENA_NEW(a, struct gathered);
    *g = (struct gathered){ .d = d, .a = a, .tenants = arena_dup(a, value) };
    d->looking++;
    store_scan(d->hub.store, SL("t:"), 0, gather, tenants_gathered, g);
}

static void worker_told(void *arg, slice value, const struct fault *f)
{
    struct door *d = arg;
    d->looking--;
    if (f || slice_eq(value, d->worker))
        return;
    struct arena *before = d->seen;
    d->seen = arena_new();
    d->worker = arena_dup(d->seen, value);
    d->tenants = arena_dup(d->seen, d->tenants);
    arena_free(before);
    struct log_line *l = log_begin(&d->log, LEVEL_INFO, "The worker is known");
    log_str(l, "url", d->worker);
    log_end(l);
}

/* Senders are told 503; why, is for the operator, also while nobody sends. */
static void look_at_broker(struct door *d)
{
    struct broker_state bs = broker_state(d->broker);
    bool well = bs.publishing && !bs.blocked;
    if (!well && *bs.why && strcmp(bs.why, d->broker_why) != 0) {
        snprintf(d->broker_why, sizeof(d->broker_why), "%s", bs.why);
        log_note(&d->log, LEVEL_ERROR, "The broker takes nothing: %s", bs.why);
    } else if (well && d->broker_why[0]) {
        d->broker_why[0] = 0;
        log_note(&d->log, LEVEL_INFO, "The broker takes webhooks again");
    }
}

static void on_look(void *arg)
{
    door_look(arg);
}

void door_look(struct door *d)
{
    eras_trim(d);
    look_at_broker(d);
    if (!d->looking) {
        d->looking = 2;
        store_get(d->hub.store, SL(KEY_WORKER), worker_told, d);
        store_get(d->hub.store, SL(REGISTRY_CHANGED), tenants_told, d);
    }
    loop_timer_start(d->hub.loop, &d->look, LOOK_MS, on_look, d);
}

void door_tenants_free(struct door *d)
{
    registry_free(&d->hub);
    for (struct era *e = d->eras, *next; e; e = next) {
        next = e->next;
        era_free(e);
    }
    arena_free(d->seen);
}
