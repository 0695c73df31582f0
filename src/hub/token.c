#include "hub/token.h"
#include "hub/hub.h"
#include "hub/notice.h"
#include "hub/run.h"
#include "hub/state.h"
#include "hub/token_share.h"

enum { TOKEN_LIFE_S = 3600, TOKEN_MARGIN_MS = 60000, TOKEN_HEADER_MAX = 8192 };

static void token_answer(struct actor *actor, const struct fault *f)
{
    struct token *t = &actor->token;
    struct token_wait *w = t->waiting;
    t->waiting = NULL;
    slice header = t->header ? slice_of(t->header) : SLICE_NONE;
    for (struct token_wait *next; w; w = next) {
        next = w->next;
        w->done(w->arg, header, f);
    }
}

static void header_set(struct token *t, const char *scheme, slice value)
{
    token_drop(CONTAINER_OF(t, struct actor, token), t->header ? slice_of(t->header) : SLICE_NONE);
    size_t n = strlen(scheme) + 1 + value.n + 1;
    t->header = must_malloc(n);
    snprintf(t->header, n, "%s " SLF, scheme, SLA(value));
}

static const char *scheme_of(const struct actor *actor)
{
    return actor->account.type->auth.scheme ? actor->account.type->auth.scheme : "Bearer";
}

/* The one step of asking: the call, then what came of it. */
static enum outcome token_step(struct call *c, struct delivery *d)
{
    if (!d->last) {
        d->call.repeatable = true;
        if (!c->account->type->auth.token_call(c, &d->call))
            return refuse(c, d, REASON_CREDENTIALS, "no token can be asked for: %.160s", c->f->text);
        d->call.no_token = true;
        return OUT_CALL;
    }
    if (d->last->status != 200)
        return answer_outcome(c, d, "token request");
    struct answer_token {
        slice access, refresh;
        int64_t life_s;
    } got = { .life_s = TOKEN_LIFE_S };
    const struct js *doc = js_parse(c->a, d->last->body, c->f);
    got.access = js_text(js_at(doc, "access_token"));
    got.refresh = js_text(js_at(doc, "refresh_token"));
    const struct js *life = js_at(doc, "expires_in");
    if (!js_int(life, &got.life_s) && !slice_int(js_text(life), &got.life_s))
        got.life_s = TOKEN_LIFE_S;
    if (!got.access.n || got.access.n > TOKEN_HEADER_MAX || got.life_s <= 0)
        return refuse(c, d, REASON_CREDENTIALS, "the token answer holds no usable access_token");
    d->vendor_id = got.access;
    d->retry_ms = MIN(got.life_s, INT64_C(365) * 86400) * 1000;
    if (got.refresh.n)
        memory_set(c->memory, "refresh_token", got.refresh, 0);
    return OUT_DELIVERED;
}

static void token_ask(struct actor *actor);

static void life_set(struct token *t, int64_t life_ms)
{
    t->expires_ms = time_mono_ms() + life_ms;
    t->refresh_ms = t->expires_ms - MIN(MAX(TOKEN_MARGIN_MS, life_ms / 5), life_ms / 2);
}

/* What was asked for is for settings that are gone: once more with those of now. */
static void ask_anew(struct actor *actor)
{
    actor->token.stale = false;
    if (actor->token.waiting)
        token_ask(actor);
}

static void token_ended(struct run *r, enum outcome end)
{
    struct actor *actor = r->actor;
    struct token *t = &actor->token;
    t->asking = false;
    if (t->stale) {
        token_share_give_up(actor);
        run_free(r);
        ask_anew(actor);
        return;
    }
    struct fault f = r->fault;
    METRIC_ADD(actor->hub->metrics, METRIC_TOKENS, 1, slice_of(actor->account.type->name), slice_of(outcome_names[end]));
    if (end == OUT_DELIVERED) {
        int64_t life_ms = r->d.retry_ms;
        header_set(t, scheme_of(actor), r->d.vendor_id);
        life_set(t, life_ms);
        token_share_put(actor, slice_of(t->header), life_ms);
        f.code = NULL;
    } else if (!f.code) {
        fault(&f, "no_token", "", "no access token");
    }
    token_share_give_up(actor);
    run_free(r);
    hub_notice_token(actor, SLICE_NONE, t->header ? t->expires_ms - time_mono_ms() : 0, end, &f);
    token_answer(actor, f.code ? &f : NULL);
}

static void token_ask_now(struct actor *actor)
{
    run_start(run_new(actor, NULL, token_step, token_ended, NULL));
}

static void token_ask(struct actor *actor)
{
    actor->token.asking = true;
    token_share_find(actor, token_ask_now);
}

void token_shared(struct actor *actor, slice header, int64_t life_ms)
{
    struct token *t = &actor->token;
    t->asking = false;
    if (t->stale) {
        ask_anew(actor);
        return;
    }
    slice scheme = header;
    header_set(t, scheme_of(actor), (slice_cut(&scheme, ' '), scheme));
    life_set(t, life_ms);
    hub_notice_token(actor, SLICE_NONE, 0, OUT_DELIVERED, NULL); /* whoever got it, it is there */
    token_answer(actor, NULL);
}

void token_not_now(struct actor *actor, const struct fault *f)
{
    struct token *t = &actor->token;
    t->asking = false;
    if (t->stale)
        ask_anew(actor);
    else
        token_answer(actor, f);
}

void token_get(struct actor *actor, struct token_wait *w)
{
    const struct connector *type = actor->account.type;
    struct token *t = &actor->token;
    int64_t now_ms = time_mono_ms();
    if (type->auth.kind == AUTH_NAMED) {
        token_named_get(actor, w);
        return;
    }
    if (type->auth.kind == AUTH_STATIC && !t->header) {
        header_set(t, scheme_of(actor), actor->account.settings[type->auth.secret]);
        t->refresh_ms = t->expires_ms = INT64_MAX;
    }
    bool fresh = t->header && now_ms < t->expires_ms;
    bool ask = type->auth.kind == AUTH_REQUEST && !t->asking && (!fresh || now_ms >= t->refresh_ms);
    if (!fresh) {
        w->next = NULL;
        *(t->waiting ? t->waiting_last : &t->waiting) = w;
        t->waiting_last = &w->next;
    }
    if (ask)
        token_ask(actor);
    if (fresh) /* while an early refresh is under way the old one still serves */
        w->done(w->arg, slice_of(t->header), NULL);
}

void token_drop(struct actor *actor, slice header)
{
    struct token *t = &actor->token;
    if (!t->header || !slice_eq(slice_of(t->header), header) || actor->account.type->auth.kind == AUTH_NONE)
        return;
    if (actor->account.type->auth.kind == AUTH_REQUEST)
        token_share_refused(actor, header);
    bytes_wipe(t->header, strlen(t->header));
    free(t->header);
    t->header = NULL;
}

void token_reset(struct actor *actor)
{
    struct token *t = &actor->token;
    token_drop(actor, t->header ? slice_of(t->header) : SLICE_NONE);
    t->refresh_ms = t->expires_ms = 0;
    t->stale = t->asking;
    token_share_forget(actor);
    token_named_reset(actor);
}

void token_done(struct token *t)
{
    if (t->header)
        bytes_wipe(t->header, strlen(t->header));
    free(t->header);
    t->header = NULL;
    token_share_free(t->share);
    t->share = NULL;
}
