/* The tokens of an account that has several: what is remembered of each is the connector's, who asks and who waits is here. */
#include "hub/hub.h"
#include "hub/notice.h"
#include "hub/run.h"
#include "hub/token.h"

enum { TOKENS_NAMED_MAX = 1000, TOKEN_HEADER_BYTES = 8192 };

struct token_named {
    struct token_named *next;
    bool asking;
    char *refused; /* a header the other side would not take, until there is another; NULL: none */
    struct token_wait *waiting, **waiting_last;
    struct bucket buckets[RATES_MAX];
    char name[]; /* terminated */
};

static struct token_named *named_of(struct actor *actor, slice name)
{
    struct token_named **at = &actor->tokens;
    size_t n = 0;
    for (; *at; at = &(*at)->next, n++)
        if (slice_eq(slice_of((*at)->name), name))
            return *at;
    assert(n < TOKENS_NAMED_MAX); /* names are those token_known knows */
    struct token_named *t = must_calloc(1, sizeof(*t) + name.n + 1);
    memcpy(t->name, name.p, name.n);
    const struct connector *type = actor->account.type;
    for (size_t i = 0; i < type->n_rates; i++)
        if (type->rates[i].calls)
            bucket_init(&t->buckets[i], type->rates[i].calls, type->rates[i].per_ms);
    *at = t;
    return t;
}

static void refused_set(struct token_named *t, slice header)
{
    if (t->refused)
        bytes_wipe(t->refused, strlen(t->refused));
    free(t->refused);
    t->refused = NULL;
    if (!header.n)
        return;
    t->refused = must_malloc(header.n + 1);
    memcpy(t->refused, header.p, header.n);
    t->refused[header.n] = 0;
}

struct known {
    slice header; /* {NULL,0}: none */
    int64_t until_ms;
};

static struct known known_of(struct actor *actor, struct arena *a, slice name, struct fault *f)
{
    const struct connector *type = actor->account.type;
    struct known k = { SLICE_NONE, 0 };
    struct call c;
    slice token = SLICE_NONE;
    actor_call(actor, &c, a, NULL, f);
    if (type->auth.token_known(&c, name, &token, &k.until_ms) && token.n && token.n < TOKEN_HEADER_BYTES)
        k.header = arena_printf(a, "%s " SLF, type->auth.scheme ? type->auth.scheme : "Bearer", SLA(token));
    else if (!f->code)
        fault(f, "no_token", "", "no access token for " SLF, SLA(utf8_cut(name, 40)));
    return k;
}

static bool is_good(const struct token_named *t, const struct known *k)
{
    bool refused = t->refused && slice_eq(slice_of(t->refused), k->header);
    return k->header.n && !refused && (!k->until_ms || k->until_ms > time_now_ms());
}

/* ---- renewing ------------------------------------------------------------------------------------------------------- */

static slice token_now(struct call *c, slice name)
{
    struct call quiet = *c;
    struct fault none = { 0 };
    slice token = SLICE_NONE;
    int64_t until_ms = 0;
    quiet.f = &none;
    return c->account->type->auth.token_known(&quiet, name, &token, &until_ms) ? token : SLICE_NONE;
}

/* own: the token that is to be replaced. When the account has another one by the time of the answer (the workspace let it in anew), the answer, good or bad, is
 * about one that nobody uses any more. */
static enum outcome renew_step(struct call *c, struct delivery *d)
{
    const struct connector *type = c->account->type;
    slice now = token_now(c, d->keep), *before = d->own;
    if (!d->last) {
        before = d->own = ARENA_NEW(c->a, slice);
        *before = arena_dup(c->a, now);
        if (!type->auth.token_renew(c, d->keep, &d->call))
            return refuse(c, d, REASON_CREDENTIALS, "no token can be asked for: %.160s", c->f->text);
        d->call.no_token = true; /* not repeatable: the refresh token is good for one use */
        return OUT_CALL;
    }
    if (now.n && !slice_eq(now, *before))
        return OUT_DELIVERED;
    if (type->auth.token_took(c, d->keep, d->last))
        return OUT_DELIVERED;
    d->reason = REASON_CREDENTIALS;
    if (!c->f->code)
        return answer_outcome(c, d, "token request");
    return d->last->status == 200 ? OUT_REFUSED : OUT_RETRY;
}

static void renewed(struct run *r, enum outcome end)
{
    struct actor *actor = r->actor;
    struct token_named *t = r->arg;
    struct fault f = r->fault;
    METRIC_ADD(actor->hub->metrics, METRIC_TOKENS, 1, slice_of(actor->account.type->name), slice_of(outcome_names[end]));
    t->asking = false;
    struct fault none = { 0 };
    struct known k = known_of(actor, r->a, slice_of(t->name), &none);
    bool good = is_good(t, &k);
    if (end == OUT_DELIVERED)
        refused_set(t, SLICE_NONE);
    hub_notice_token(actor, slice_of(t->name), good && k.until_ms ? k.until_ms - time_now_ms() : 0, end, &f);
    struct token_wait *w = t->waiting;
    t->waiting = NULL;
    for (struct token_wait *next; w; w = next) {
        next = w->next;
        if (!good && !f.code)
            fault(&f, "no_token", "", "no access token");
        w->done(w->arg, good ? k.header : SLICE_NONE, good ? NULL : &f);
    }
    run_free(r);
}

/* A refresh token is good for one use, and the answer must be kept. So nobody asks who could not store it: with a full disk, or as a process that woke up behind its
 * successor and is not to write any more. */
static void may_ask(void *arg, bool ok)
{
    struct run *r = arg;
    if (ok) {
        run_start(r);
        return;
    }
    memory_soil(r->actor->memory);
    fault(&r->fault, "storage", "", "the journal stores nothing at the moment, so no new token is asked for");
    renewed(r, OUT_RETRY);
}

void token_named_get(struct actor *actor, struct token_wait *w)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct connector *type = actor->account.type;
    struct fault f = { 0 };
    struct known k = known_of(actor, a, w->name, &f);
    if (!k.header.n) {
        w->done(w->arg, SLICE_NONE, &f);
        return;
    }
    struct token_named *t = named_of(actor, w->name);
    bool good = is_good(t, &k), due = k.until_ms && k.until_ms - type->auth.renew_ms <= time_now_ms();
    if (good)
        w->done(w->arg, k.header, NULL); /* while it is renewed early, the old one still serves */
    if (good && !due)
        return;
    if (!good && !k.until_ms) {
        fault(&f, "no_token", "", "the access token is no longer taken, and there is no way to another");
        w->done(w->arg, SLICE_NONE, &f);
        return;
    }
    if (!good) {
        w->next = NULL;
        *(t->waiting ? t->waiting_last : &t->waiting) = w;
        t->waiting_last = &w->next;
    }
    if (t->asking)
        return;
    t->asking = true;
    struct run *r = run_new(actor, NULL, renew_step, renewed, t);
    r->d.keep = arena_dup(r->a, slice_of(t->name));
    struct jbatch *b = jbatch_new(actor->hub->journal);
    memory_soil(actor->memory);
    actor_save(actor, b);
    jbatch_commit(b, JOURNAL_DURABLE, may_ask, r);
}

bool token_named_is_old(struct actor *actor, slice name, slice header)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct known k = known_of(actor, a, name, &f);
    return k.header.n && !slice_eq(k.header, header);
}

void token_drop_named(struct actor *actor, slice name, slice header)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct known k = known_of(actor, a, name, &f);
    if (k.header.n && slice_eq(k.header, header))
        refused_set(named_of(actor, name), header);
}

struct bucket *token_named_bucket(struct actor *actor, slice name, unsigned rate)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    return known_of(actor, a, name, &f).header.n ? &named_of(actor, name)->buckets[rate] : NULL;
}

void token_named_reset(struct actor *actor)
{
    for (struct token_named *t = actor->tokens; t; t = t->next)
        refused_set(t, SLICE_NONE);
}

void token_named_done(struct actor *actor)
{
    for (struct token_named *t = actor->tokens, *next; t; t = next) {
        next = t->next;
        refused_set(t, SLICE_NONE);
        free(t);
    }
    actor->tokens = NULL;
}
