/* slack_admin.c - what Slack and a workspace's administrators do: checks of the hub's address, removal of the app, tokens at their end. */
#include "sim/sign.h"
#include "sim/slack.h"
#include "sim/webhook.h"

/* What an administrator's Retry does; the answer shows what the hub said. */
struct verifying {
    struct sim_call *c;
    slice challenge;
};

static void verified(void *arg, const struct webhook_result *r)
{
    struct verifying *v = arg;
    struct jw w = jw_new(v->c->x->a, 65536);
    jw_open(&w, NULL, '{');
    jw_int(&w, "status", r->status);
    jw_str(&w, "body", r->body);
    slice said = slice_starts(r->body, SL("{")) ? js_text(js_at(js_parse(v->c->x->a, r->body, NULL), "challenge")) : r->body; /* Slack reads both */
    jw_bool(&w, "good", r->status == 200 && slice_eq(said, v->challenge));
    jw_close(&w, '}');
    sim_json(v->c, 200, jw_done(&w));
}

static void send_plain(struct sim_call *c, struct ssk *s, slice type, slice body, slice challenge, bool sign)
{
    struct arena *a = c->x->a;
    struct verifying *v = ARENA_NEW(a, struct verifying);
    slice stamp = arena_printf(a, "%lld", (long long)(time_now_ms() / 1000));
    slice base = arena_printf(a, "v0:" SLF ":" SLF, SLA(stamp), SLA(body));
    const struct header headers[] = { { SL("Content-Type"), type },
                                      { SL("X-Slack-Request-Timestamp"), stamp },
                                      { SL("X-Slack-Signature"), arena_printf(a, "v0=" SLF, SLA(sign_hmac_sha256_hex(a, s->signing_secret, base))) } };
    *v = (struct verifying){ c, challenge };
    if (!s->env->hub.n) {
        sim_refuse(c, 409, "no_hub", "", "started without --hub");
        return;
    }
    webhook_send(s->env, &(struct webhook){ .url = arena_printf(a, SLF "/slack", SLA(s->env->hub)), .headers = headers, .n_headers = sign ? 3 : 1,
                                            .signature = sign ? 2 : -1, .body = body, .timeout_ms = SSK_HOOK_MS, .done = verified, .arg = v });
}

static void post_verify(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    slice challenge = sim_random_hex(&s->env->random, c->x->a, 40);
    send_plain(c, s, SL("application/json"),
               arena_printf(c->x->a, "{\"token\":\"x\",\"challenge\":\"" SLF "\",\"type\":\"url_verification\"}", SLA(challenge)), challenge, true);
}

static void post_probe(struct sim_call *c, void *ctx)
{
    send_plain(c, ctx, SL("application/x-www-form-urlencoded"), SL("ssl_check=1&token=x"), SL(""), false);
}

static void post_limited(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    ssk_raw_send(s, SLICE_NONE, SL("application/json"),
                 arena_printf(c->x->a, "{\"token\":\"x\",\"type\":\"app_rate_limited\",\"team_id\":\"%s\",\"minute_rate_limited\":%lld,\"api_app_id\":\"" SLF "\"}",
                              s->spaces[0].id, (long long)(time_now_ms() / 60000 * 60), SLA(s->app)), false);
    sim_json(c, 200, SL("{}"));
}

static struct ssk_space *space_of(struct sim_call *c, struct ssk *s)
{
    for (size_t i = 0; i < SSK_WORKSPACES; i++)
        if (slice_eq(c->params[0], slice_of(s->spaces[i].id)))
            return &s->spaces[i];
    sim_refuse(c, 404, "not_found", "", "no such workspace");
    return NULL;
}

static void post_uninstall(struct sim_call *c, void *ctx)
{
    struct ssk_space *space = space_of(c, ctx);
    if (!space)
        return;
    ssk_event_send(space, NULL, arena_printf(c->x->a, "{\"type\":\"tokens_revoked\",\"tokens\":{\"oauth\":[],\"bot\":[\"%s\"]}}", space->bot_user));
    ssk_event_send(space, NULL, SL("{\"type\":\"app_uninstalled\"}"));
    ssk_set(&space->token, SLICE_NONE);
    ssk_set(&space->refresh, SLICE_NONE);
    sim_json(c, 200, SL("{}"));
}

static void post_expire(struct sim_call *c, void *ctx)
{
    struct ssk_space *space = space_of(c, ctx);
    if (!space)
        return;
    space->until_ms = 1;
    sim_json(c, 200, SL("{}"));
}

static void get_counters(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    sim_json(c, 200, arena_printf(c->x->a, "{\"calls\":%lld,\"events\":%lld,\"taken\":%lld,\"refused\":%lld,\"retried\":%lld,\"rotations\":%lld,\"misused\":%lld,\"webhooks\":" SLF "}", (long long)s->calls,
                                  (long long)s->events, (long long)s->taken, (long long)s->refused, (long long)s->retried, (long long)s->rotations, (long long)s->misused, SLA(webhooks_show(s->env->webhooks, c->x->a))));
}

static const struct sim_route routes[] = {
    { "POST", "/sim/verify", post_verify, SIM_CONTROL },
    { "POST", "/sim/probe", post_probe, SIM_CONTROL },
    { "POST", "/sim/rate-limited", post_limited, SIM_CONTROL },
    { "POST", "/sim/workspaces/:id/uninstall", post_uninstall, SIM_CONTROL },
    { "POST", "/sim/workspaces/:id/expire", post_expire, SIM_CONTROL },
    { "GET", "/sim/counters", get_counters, SIM_CONTROL },
};

void ssk_admin_routes(struct ssk *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
