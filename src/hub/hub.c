#include "hub/hub.h"
#include "hub/conversation.h"
#include "hub/responses.h"

void hub_limits_default(struct hub_limits *l)
{
    *l = (struct hub_limits){
        .in_flight = 32,
        .in_flight_all = 512,
        .media_parallel = 8,
        .media_bytes = INT64_C(50) << 20,
        .media_ms = 120000,
        .media_wait_ms = 1000,
        .give_up_ms = INT64_C(24) * 3600 * 1000,
        .dedupe_ms = INT64_C(7) * 24 * 3600 * 1000,
        .dead_ms = INT64_C(7) * 24 * 3600 * 1000,
        .purge_ms = 300000,
        .purge_every_ms = 10000,
        .purge_again_ms = 60000,
        .link_ms = 0,
        .storage_instead = true,
        .parcel_wait_ms = 300000,
        .conversations = 8000,
        .notice_haste = 1,
        .response_haste = 1,
    };
}

int64_t hub_steady_ms(struct hub *h)
{
    if (!h->wall_less_mono_ms)
        h->wall_less_mono_ms = time_now_ms() - time_mono_ms();
    return h->wall_less_mono_ms + time_mono_ms();
}

void hub_own_end(struct hub *h, const struct connector *type, const struct own_end *end)
{
    assert(type->own_end && h->n_own_ends < OWN_ENDS_MAX);
    h->own_ends[h->n_own_ends].type = type;
    h->own_ends[h->n_own_ends++].end = *end;
}

const struct own_end *hub_own_end_of(const struct hub *h, const struct connector *type)
{
    for (size_t i = 0; i < h->n_own_ends; i++)
        if (h->own_ends[i].type == type)
            return &h->own_ends[i].end;
    return NULL;
}

struct actor *hub_actor(const struct hub *h, slice account_id)
{
    for (size_t i = 0; i < h->n_actors; i++)
        if (!h->actors[i]->retired && slice_eq(h->actors[i]->account.id, account_id))
            return h->actors[i];
    return NULL;
}

struct actor *tenant_channel(const struct tenant *t, slice address, slice *ret_guest)
{
    size_t at = slice_find_last(address, '@');
    if (at == SIZE_MAX)
        return NULL;
    slice name = slice_from(address, at + 1);
    for (size_t i = 0; i < t->n_channels; i++) {
        if (!slice_eq(t->channels[i]->account.name, name))
            continue;
        *ret_guest = slice_sub(address, 0, at);
        return t->channels[i];
    }
    return NULL;
}

slice account_setting(const struct account *acc, const char *name)
{
    for (size_t i = 0; i < acc->type->n_settings; i++)
        if (strcmp(acc->type->settings[i].name, name) == 0)
            return acc->settings[i];
    return SLICE_NONE;
}

static slice response_of(const struct call *c, slice name)
{
    const struct actor *actor = c->of;
    return responses_text(actor->tenant, c->a, name);
}

void actor_call(struct actor *actor, struct call *c, struct arena *a, struct conv *conv, struct fault *f)
{
    *c = (struct call){ .a = a, .account = &actor->account, .memory = actor->memory, .now_ms = time_now_ms(), .f = f, .response = response_of,
                         .of = actor };
    if (conv) {
        conv->pub.tenant = conv->channel->tenant->name; /* they may have changed since it was loaded */
        conv->pub.tenant_data = conv->channel->tenant->data;
        c->conversation = &conv->pub;
        c->guest_memory = conv->memory;
    }
    random_bytes(c->random, sizeof(c->random));
}

slice actor_memory_key(struct arena *a, const struct actor *actor)
{
    return arena_printf(a, "a:" SLF, SLA(actor->account.id));
}

/* ---- rates ------------------------------------------------------------------------------------------------------ */

void bucket_init(struct bucket *b, unsigned calls, int64_t per_ms)
{
    /* A twentieth may come at once and the refill is slower by a bit more: together never more than `calls` in any window, also as the
     * other side counts them, where calls may arrive a little bunched. */
    b->burst = MAX((double)calls / 20, 1.0);
    b->per_ms = MAX((double)calls * 0.93, 1.0) / (double)per_ms;
    b->tokens = b->burst;
    b->at_us = 0;
}

int64_t bucket_take(struct bucket *b, int64_t now_us)
{
    if (b->per_ms <= 0)
        return 0; /* no limit */
    if (b->at_us)
        b->tokens = MIN(b->burst, b->tokens + (double)(now_us - b->at_us) / 1000 * b->per_ms);
    b->at_us = now_us;
    if (b->tokens >= 1) {
        b->tokens -= 1;
        return 0;
    }
    return (int64_t)((1 - b->tokens) / b->per_ms) + 1;
}

/* ---- breaker ---------------------------------------------------------------------------------------------------- */

enum { BREAKER_SOFT = 8, BREAKER_HARD = 3 }; /* failures in a row before it opens */

int64_t backoff_ms(unsigned attempt, uint32_t random)
{
    int64_t ms = INT64_C(500) << MIN(attempt, 7u);
    ms = MIN(ms, 60000);
    return ms / 2 + (int64_t)(random % (uint32_t)ms) / 2;
}

bool breaker_lets(struct breaker *b, int64_t now_ms, int64_t *ret_wait_ms)
{
    *ret_wait_ms = 0;
    if (!b->until_ms)
        return true;
    if (now_ms < b->until_ms) {
        *ret_wait_ms = b->until_ms - now_ms;
        return false;
    }
    if (b->probing)
        return false; /* the probe's end wakes the others */
    b->probing = true;
    return true;
}

void breaker_success(struct breaker *b)
{
    *b = (struct breaker){ 0 };
}

int64_t breaker_failure(struct breaker *b, bool hard, int64_t now_ms, uint32_t random)
{
    bool open = b->until_ms && !b->probing;
    if (open) /* began before it opened: known already */
        return MAX(b->until_ms - now_ms, 0);
    b->probing = false;
    b->failures++;
    unsigned least = hard ? BREAKER_HARD : BREAKER_SOFT;
    if (b->failures < least)
        return 0;
    int64_t wait_ms = MIN(backoff_ms(b->failures - least, random), 15000);
    b->until_ms = MAX(b->until_ms, now_ms + wait_ms);
    return b->until_ms - now_ms;
}
