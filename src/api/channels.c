/* channels.c - the accounts at work. */
#include "api/audit.h"
#include "api/call.h"
#include "api/connectors.h"
#include "hub/refused.h"
#include "hub/work.h"
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
    connector_manifest(c, w, acc->type, acc);
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
    struct api_page page;
    if (!api_page(c, &page, 0))
        return;
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (size_t i = 0; i < c->hub->n_actors; i++) {
        const struct actor *actor = c->hub->actors[i];
        bool wanted = !actor->retired && (!tenant.n || (of && actor->tenant == of->tenant));
        if (!api_page_has(&page, actor->account.id, wanted))
            continue;
        jw_open(&w, NULL, '{');
        write_channel(c, &w, actor);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    if (api_page_end(&page, &w))
        api_answer(c, &w);
}

void api_channels_get(struct api_call *c)
{
    const struct actor *actor = hub_actor(c->hub, c->params[0]);
    if (!actor) {
        api_not_found(c, "channel", c->params[0]);
        return;
    }
    struct jw w = api_json(c);
    write_channel(c, &w, actor);
    api_answer(c, &w);
}

/* ---- the signature doctor -------------------------------------------------------------------------------------------- */

static bool concerns(const struct refused *r, const struct actor *actor)
{
    return r->type == actor->account.type && (!r->path.n || slice_eq(r->path, actor->account.id));
}

static void write_refused(struct api_call *c, struct jw *w, const struct refused *r, struct actor *actor)
{
    struct refused_finding found;
    refused_look(c->hub, c->a, r, actor, &found);
    jw_int(w, "id", (int64_t)r->number);
    jw_time(w, "at", r->at_ms);
    jw_str(w, "remote", r->remote);
    jw_str(w, "method", r->method);
    jw_str(w, "path", arena_printf(c->a, "%s%s" SLF, r->type->hook.path, r->path.n ? "/" : "", SLA(r->path)));
    jw_str(w, "result", r->result);
    jw_str(w, "code", slice_of(r->fault.code));
    jw_str(w, "said", slice_of(r->fault.text));
    jw_int(w, "body_bytes", (int64_t)r->body_bytes);
    jw_open(w, "headers", '[');
    for (size_t i = 0; i < r->n_headers; i++)
        jw_str(w, NULL, r->headers[i].name); /* names only: values may be secrets */
    jw_close(w, ']');
    jw_open(w, "now", '{');
    jw_bool(w, "good", found.part == REFUSED_GOOD);
    jw_str(w, "part", slice_of(refused_parts[found.part]));
    jw_str(w, "text", found.text);
    if (found.other)
        jw_str(w, "other", found.other->account.id);
    jw_close(w, '}');
}

void api_channels_refused(struct api_call *c)
{
    struct actor *actor = hub_actor(c->hub, c->params[0]);
    if (!actor) {
        api_not_found(c, "channel", c->params[0]);
        return;
    }
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (const struct refused *r = c->hub->refused ? refused_first(c->hub->refused) : NULL; r; r = r->next) {
        if (!concerns(r, actor))
            continue;
        jw_open(&w, NULL, '{');
        write_refused(c, &w, r, actor);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    api_answer(c, &w);
}

/* Ask the vendor again who we are, and tell it what it must know. */
void api_channels_setup(struct api_call *c)
{
    struct actor *actor = hub_actor(c->hub, c->params[0]);
    if (!actor) {
        api_not_found(c, "channel", c->params[0]);
        return;
    }
    audit_note(c, "channel.setup", actor->account.id, SLICE_NONE);
    actor_restart(actor);
    struct jw w = api_json(c);
    write_channel(c, &w, actor);
    api_answer(c, &w);
}
