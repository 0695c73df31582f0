#include "storages/cloud.h"
#include "storages/cloud_private.h"
#include "wire/http_date.h"
#include "wire/url.h"

enum {
    AGAIN_MS = 500,
    AGAIN_MOST_MS = 32000,
    AFTER_MOST_MS = 60000,    /* of what Retry-After may ask for */
    TOKEN_MARGIN_S = 300,     /* a token is renewed before its end */
    TOKEN_MOST_S = 365 * 86400, /* longer ones are renewed all the same */
    CLOCK_LEAST_MS = 30000,   /* a difference that matters */
};

/* ---- an op ---------------------------------------------------------------------------------------------------------------- */

static void op_try(struct running *r);
static void op_step(struct running *r);

struct running *op_new(struct cloud *c, enum cloud_job job, void (*done)(void *owner, struct running *r, enum cloud_end end), void *owner)
{
    struct arena *a = arena_new();
    struct running *r = ARENA_NEW(a, struct running);
    r->op = (struct cloud_op){ .c = c, .job = job, .a = a, .size = -1, .bytes = -1 };
    r->done = done;
    r->owner = owner;
    r->next = c->state->ops;
    r->here = &c->state->ops;
    if (r->next)
        r->next->here = &r->next;
    c->state->ops = r;
    return r;
}

static void op_free(struct running *r)
{
    *r->here = r->next;
    if (r->next)
        r->next->here = r->here;
    loop_timer_done(&r->timer);
    arena_free(r->op.a); /* r lives in it */
}

static void op_end(struct running *r, enum cloud_end end)
{
    r->done(r->owner, r, end);
    op_free(r);
}

static void op_try_now(void *arg)
{
    op_try(arg);
}

static void op_later(struct running *r)
{
    uint32_t random;
    random_bytes(&random, sizeof(random));
    int64_t most_ms = MIN((int64_t)AGAIN_MS << MIN(r->op.attempt, 10u), AGAIN_MOST_MS);
    int64_t in_ms = MAX(1 + (int64_t)(random % (uint32_t)most_ms), MIN(r->op.retry_ms, AFTER_MOST_MS));
    r->op.attempt++;
    loop_timer_start(r->op.c->loop, &r->timer, in_ms, op_try_now, r);
}

static void op_ended(struct running *r, enum cloud_end end)
{
    if (end == CLOUD_NOT_YET) {
        if (r->waited++ < CLOUD_WAITS)
            r->op.attempt = 0;
        r->op.retry_ms = MAX(r->op.retry_ms, (int64_t)CLOUD_WAIT_MS);
        end = CLOUD_AGAIN;
    }
    if (end == CLOUD_AGAIN && r->op.attempt + 1 < CLOUD_TRIES && !r->op.c->state->closing)
        op_later(r);
    else
        op_end(r, end);
}

/* ---- the token -------------------------------------------------------------------------------------------------------------- */

static void token_forget(struct cloud_state *st)
{
    if (st->token)
        bytes_wipe(st->token, strlen(st->token));
    free(st->token);
    st->token = NULL;
}

static void op_send(struct running *r);

static void token_done(void *owner, struct running *t, enum cloud_end end)
{
    struct cloud *c = owner;
    struct cloud_state *st = c->state;
    st->token_asked = false;
    if (end == CLOUD_DONE) {
        token_forget(st);
        st->token = must_malloc(t->op.token.n + 1);
        memcpy(st->token, t->op.token.p, t->op.token.n);
        st->token[t->op.token.n] = 0;
        int64_t life_s = MIN(MAX(t->op.token_s, INT64_C(0)), (int64_t)TOKEN_MOST_S);
        st->token_until_ms = time_mono_ms() + MAX(life_s - TOKEN_MARGIN_S, life_s / 2) * 1000;
    }
    struct running *r = st->token_waiting;
    st->token_waiting = NULL;
    for (struct running *next; r; r = next) {
        next = r->waiting;
        r->waits = false;
        if (end == CLOUD_DONE) {
            op_send(r);
            continue;
        }
        r->op.f = t->op.f;
        op_end(r, end == CLOUD_AGAIN ? CLOUD_AGAIN : CLOUD_FAILED); /* the token was tried often enough */
    }
}

static void token_ask(struct running *r)
{
    struct cloud *c = r->op.c;
    struct cloud_state *st = c->state;
    r->waits = true;
    r->waiting = st->token_waiting;
    st->token_waiting = r;
    if (st->token_asked)
        return;
    st->token_asked = true;
    op_start(op_new(c, CLOUD_TOKEN, token_done, c));
}

/* ---- its calls -------------------------------------------------------------------------------------------------------------- */

static ssize_t source(void *arg, char *buf, size_t n)
{
    struct running *r = arg;
    const struct cloud_call *call = &r->op.call;
    int64_t middle = r->op.bytes - call->skip, at = r->sent;
    slice fixed = SLICE_NONE;
    if (at < (int64_t)call->before.n)
        fixed = slice_from(call->before, (size_t)at);
    else if (at >= (int64_t)call->before.n + middle)
        fixed = slice_from(call->behind, (size_t)(at - (int64_t)call->before.n - middle));
    if (fixed.p) {
        n = MIN(n, fixed.n);
        memcpy(buf, fixed.p, n);
        r->sent += (int64_t)n;
        return (ssize_t)n;
    }
    at -= (int64_t)call->before.n;
    if (at >= middle)
        return 0;
    ssize_t got = r->read(r->owner, r->op.from + call->skip + at, buf, (size_t)MIN((int64_t)n, middle - at));
    if (got > 0)
        r->sent += got;
    return got > 0 ? got : -1;
}

static bool sink(void *arg, const struct answer *head, const char *p, size_t n)
{
    struct running *r = arg;
    return r->sink(r->owner, head, p, n);
}

static void answered(void *arg, const struct answer *answer)
{
    struct running *r = arg;
    struct cloud_state *st = r->op.c->state;
    r->calling = false;
    r->op.last = answer;
    if (answer->status == 401 && r->op.token.n && !r->token_dropped && r->op.job != CLOUD_TOKEN) {
        r->token_dropped = true;
        if (st->token && slice_eq(slice_of(st->token), r->op.token))
            token_forget(st);
        op_try(r);
        return;
    }
    op_step(r);
}

static void op_send(struct running *r)
{
    struct cloud *c = r->op.c;
    struct cloud_call *call = &r->op.call;
    if (!*c->client) { /* the hub stops */
        fault(&r->op.f, "storage_failed", "", "the hub is stopping");
        op_end(r, CLOUD_AGAIN);
        return;
    }
    if (c->type->token && !call->no_token && r->op.job != CLOUD_TOKEN) {
        r->op.token = arena_dup(r->op.a, slice_of(c->state->token));
        cloud_header(call, "Authorization", r->op.token);
    }
    int64_t body = call->part_body ? (int64_t)call->before.n + r->op.bytes - call->skip + (int64_t)call->behind.n : (int64_t)call->body.n;
    r->sent = 0;
    r->asked_from = r->op.from;
    r->http = (struct client_call){
        .a = r->op.a,
        .method = call->method,
        .url = call->url,
        .headers = call->headers,
        .n_headers = call->n_headers,
        .body = call->body,
        .source = call->part_body && body > 0 ? source : NULL,
        .source_bytes = body,
        .sink = r->sink ? sink : NULL,
        .answer_bytes = r->sink ? SIZE_MAX / 2 : 0,
        .io_arg = r,
        .total_ms = r->sink ? CLOUD_GET_MS : CLOUD_CALL_MS + body / CLOUD_SLOWEST_BYTES_S * 1000,
        .max_redirects = call->max_redirects,
        .done = answered,
        .arg = r,
    };
    r->calling = true;
    client_send(*c->client, &r->http);
}

static void op_step(struct running *r)
{
    struct cloud *c = r->op.c;
    r->op.call = (struct cloud_call){ 0 };
    enum cloud_end end = c->type->step(&r->op);
    if (end != CLOUD_CALL) {
        op_ended(r, end);
        return;
    }
    r->op.f.code = NULL;
    bool token = c->type->token && !r->op.call.no_token && r->op.job != CLOUD_TOKEN;
    if (token && (!c->state->token || time_mono_ms() >= c->state->token_until_ms))
        token_ask(r);
    else
        op_send(r);
}

static void op_try(struct running *r)
{
    r->op.step = 0;
    r->op.last = NULL;
    r->op.retry_ms = 0;
    if (r->op.job == CLOUD_GET && r->op.bytes == 0) { /* all that was wanted is here; the connection broke behind it */
        op_end(r, CLOUD_DONE);
        return;
    }
    op_step(r);
}

void op_start(struct running *r)
{
    loop_timer_start(r->op.c->loop, &r->timer, 0, op_try_now, r); /* never ends within the call that began it */
}

void op_cancel(struct running *r)
{
    if (!r)
        return;
    if (r->calling)
        client_cancel(&r->http);
    struct running **at = &r->op.c->state->token_waiting;
    while (r->waits && *at && *at != r)
        at = &(*at)->waiting;
    if (r->waits && *at)
        *at = r->waiting;
    op_free(r);
}

void op_pause(struct running *r)
{
    client_pause(&r->http);
}

void op_resume(struct running *r)
{
    if (r->calling)
        client_resume(&r->http);
}

/* ---- delete, link ---------------------------------------------------------------------------------------------------------------- */

struct small { /* who asked for a delete or a link; lives in the op's arena */
    void (*deleted)(void *arg, enum storage_end end, const struct fault *f);
    void (*linked)(void *arg, slice url, const struct fault *f);
    void *arg;
};

static void small_done(void *owner, struct running *r, enum cloud_end end)
{
    struct small *s = owner;
    const struct fault *f = end == CLOUD_DONE ? NULL : &r->op.f;
    if (end == CLOUD_GONE && !r->op.f.code)
        fault(&r->op.f, "gone", "", "%s does not have this file any more", r->op.c->service);
    if (s->linked)
        s->linked(s->arg, end == CLOUD_DONE ? r->op.url : SLICE_NONE, f);
    else
        s->deleted(s->arg, end == CLOUD_DONE ? STORAGE_OK : end == CLOUD_GONE ? STORAGE_GONE : end == CLOUD_AGAIN ? STORAGE_LATER : STORAGE_FAILED, f);
}

static struct small *small_start(struct cloud *c, enum cloud_job job, slice handle, const struct storage_link *link)
{
    struct running *r = op_new(c, job, small_done, NULL);
    struct small *s = ARENA_NEW(r->op.a, struct small);
    r->owner = s;
    r->op.handle = arena_dup(r->op.a, handle);
    if (link) {
        r->op.link = *link;
        r->op.link.name = arena_dup(r->op.a, link->name);
        r->op.link.type = arena_dup(r->op.a, link->type);
    }
    op_start(r);
    return s;
}

void cloud_delete(struct storage *s, slice handle, void (*done)(void *arg, enum storage_end end, const struct fault *f), void *arg)
{
    *small_start(cloud_of(s), CLOUD_DELETE, handle, NULL) = (struct small){ .deleted = done, .arg = arg };
}

void cloud_ask(struct storage *s, slice handle, const struct storage_link *link, void (*done)(void *arg, slice url, const struct fault *f), void *arg)
{
    *small_start(cloud_of(s), CLOUD_LINK, handle, link) = (struct small){ .linked = done, .arg = arg };
}

/* ---- what steps need --------------------------------------------------------------------------------------------------------------- */

void cloud_header(struct cloud_call *call, const char *name, slice value)
{
    if (!value.n)
        return;
    assert(call->n_headers < CLOUD_HEADERS_MAX);
    call->headers[call->n_headers++] = (struct header){ slice_of(name), value };
}

slice cloud_range(struct cloud_op *op)
{
    if (op->bytes >= 0)
        return arena_printf(op->a, "bytes=%lld-%lld", (long long)op->from, (long long)(op->from + op->bytes - 1));
    return op->from > 0 ? arena_printf(op->a, "bytes=%lld-", (long long)op->from) : SLICE_NONE;
}

slice cloud_folder(slice s)
{
    while (s.n && s.p[0] == '/')
        s = slice_from(s, 1);
    while (s.n && s.p[s.n - 1] == '/')
        s.n--;
    return s;
}

bool cloud_cdn_good(slice url, const char *setting, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct url u;
    if (!url_parse(a, url, &u, f) || u.query.n)
        return fault(f, "wrong_type", setting, "must not have a query");
    bool here = slice_eq(u.host, SL("127.0.0.1")) || slice_eq(u.host, SL("localhost")) || slice_eq(u.host, SL("::1"));
    return here || slice_eq(u.scheme, SL("https")) || fault(f, "wrong_type", setting, "must begin with https://: whoever sees a link can read the file");
}

int64_t cloud_now_ms(const struct cloud *c)
{
    return time_now_ms() + c->clock_ms;
}

bool cloud_learn_clock(struct cloud *c, const struct answer *r)
{
    int64_t there_ms;
    if (!http_date_parse(answer_header(r, "Date"), &there_ms))
        return false;
    int64_t off_ms = there_ms - cloud_now_ms(c);
    if (off_ms > -CLOCK_LEAST_MS && off_ms < CLOCK_LEAST_MS)
        return false;
    c->clock_ms += off_ms;
    return true;
}

enum cloud_end cloud_error(struct cloud_op *op, slice code, const struct cloud_advice *rows, size_t n)
{
    const struct answer *r = op->last;
    const char *service = op->c->service;
    if (r->status == 0) {
        fault(&op->f, "storage_failed", "", "%s does not answer: " SLF, service, SLA(r->error));
        return CLOUD_AGAIN;
    }
    bool wait = r->status == 408 || r->status == 425 || r->status == 429 || r->status >= 500;
    enum cloud_end end = wait ? CLOUD_AGAIN : CLOUD_FAILED;
    const char *text = wait ? "it asks to try again later" : NULL;
    for (size_t i = 0; i < n; i++) {
        bool same = (!rows[i].code || slice_eq(code, slice_of(rows[i].code))) && (!rows[i].status || rows[i].status == r->status);
        if (!same)
            continue;
        end = rows[i].end;
        text = rows[i].text;
        break;
    }
    op->retry_ms = r->retry_after_ms;
    slice shown = utf8_cut_bytes(code, 64); /* words of another's: no more of them than a code has */
    fault(&op->f, end == CLOUD_AGAIN ? "storage_failed" : "storage_refused", "", "%s answers %d%s" SLF "%s%s", service, r->status, shown.n ? " " : "",
          SLA(shown), text ? ": " : "", text ? text : "");
    return end;
}

enum cloud_end cloud_corrupt(struct cloud_op *op)
{
    fault(&op->f, "storage_failed", "", "%s has other bytes than were sent", op->c->service);
    return CLOUD_AGAIN;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

void *cloud_new(const struct storage_setup *setup, const struct storage_type *st, const struct cloud_type *type, size_t size)
{
    struct arena *a = arena_new();
    struct cloud *c = arena_zalloc(a, size);
    c->base.type = st;
    c->base.name = arena_dup(a, setup->name);
    c->type = type;
    c->loop = setup->loop;
    c->client = setup->client;
    c->settings = setup->settings;
    c->data = arena_cstr(a, slice_of(setup->data));
    c->a = a;
    c->service = st->title;
    c->state = ARENA_NEW(a, struct cloud_state);
    return c;
}

void cloud_close(struct storage *s)
{
    struct cloud *c = cloud_of(s);
    struct cloud_state *st = c->state;
    st->closing = true;
    uploads_close(c);
    downloads_close(c);
    while (st->ops) { /* deletes, links and aborts: whoever waits is told */
        struct running *r = st->ops;
        if (r->calling)
            client_cancel(&r->http);
        fault(&r->op.f, "storage_failed", "", "the hub is stopping");
        if (r->op.job == CLOUD_TOKEN)
            st->token_waiting = NULL; /* they are in the list, too */
        op_end(r, CLOUD_AGAIN);
    }
    token_forget(st);
    if (c->done)
        c->done(c);
    arena_free(c->a); /* c lives in it */
}
