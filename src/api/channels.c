/* channels.c - the accounts at work. */
#include "api/call.h"
#include "hub/registry.h"

static slice hook_of(struct api_call *c, const struct account *acc, bool own)
{
    if (!acc->type->hook.path)
        return SLICE_NONE;
    return own ? arena_printf(c->a, SLF "/" SLF, SLA(acc->hook_url), SLA(acc->id)) : acc->hook_url;
}

static void write_channel(struct api_call *c, struct jw *w, const struct actor *actor)
{
    const struct account *acc = &actor->account;
    int64_t now_ms = time_mono_ms();
    jw_str(w, "id", acc->id);
    jw_str(w, "name", acc->name);
    jw_str(w, "tenant", actor->tenant->name);
    jw_str(w, "tenant_id", actor->tenant->id);
    jw_str(w, "type", slice_of(acc->type->name));
    jw_str(w, "title", slice_of(acc->type->title));
    jw_str(w, "side", acc->type->desk ? SL("desk") : SL("network"));
    if (acc->type->hook.path) {
        jw_str(w, "webhook", hook_of(c, acc, false));
        jw_str(w, "webhook_own", hook_of(c, acc, true));
    } else {
        jw_null(w, "webhook");
        jw_null(w, "webhook_own");
    }
    jw_bool(w, "set_up", actor->set_up);
    jw_bool(w, "refused", actor->set_up_refused);
    if (!actor->set_up && actor->setup_fault.code)
        jw_str(w, "why", slice_of(actor->setup_fault.text));
    jw_bool(w, "paused", actor->breaker.until_ms > now_ms);
    jw_int(w, "failures", actor->breaker.failures);
    jw_int(w, "waiting", actor->n_ready);
    jw_int(w, "in_flight", actor->in_flight);
    if (actor->token.header)
        jw_time(w, "token_expires", time_now_ms() + (actor->token.expires_ms - now_ms));
}

void api_channels_list(struct api_call *c)
{
    slice tenant = api_query(c, "tenant");
    const struct registry_entry *of = tenant.n ? registry_find(c->hub, tenant) : NULL;
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < c->hub->n_actors; i++) {
        const struct actor *actor = c->hub->actors[i];
        if (actor->retired || (tenant.n && (!of || actor->tenant != of->tenant)))
            continue;
        jw_open(&w, NULL, '{');
        write_channel(c, &w, actor);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    api_answer(c, &w);
}
