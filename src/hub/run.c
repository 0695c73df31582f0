#include "hub/run.h"
#include "hub/conversation.h"
#include "hub/meters.h"
#include "hub/state.h"
#include "hub/storage_set.h"
#include "store/seal.h"
#include "wire/aes_ctr.h"
#include "wire/url.h"

const char *const outcome_names[] = {
    [OUT_CALL] = "call",       [OUT_DELIVERED] = "delivered", [OUT_RETRY] = "retry",
    [OUT_REFUSED] = "refused", [OUT_UNKNOWN] = "unknown",     [OUT_PARKED] = "parked",
};

/* Sealed it must still be a value of the journal. */
enum { MEMORY_JSON_MAX = JOURNAL_VALUE_MAX * 3 / 4 - 256 };

static void run_step(struct run *r, const struct answer *last);
static void run_send(struct run *r);

struct run *run_new(struct actor *actor, struct conv *conv, enum outcome (*step)(struct call *, struct delivery *),
                    void (*ended)(struct run *, enum outcome), void *arg)
{
    struct arena *a = arena_new();
    struct run *r = ARENA_NEW(a, struct run);
    r->hub = actor->hub;
    r->actor = actor;
    r->conv = conv ? conv_hold(conv) : NULL;
    r->a = a;
    r->step = step;
    r->ended = ended;
    r->arg = arg;
    r->began_ms = time_mono_ms();
    r->next = r->hub->runs;
    if (r->next)
        r->next->prev = r;
    r->hub->runs = r;
    r->hub->open_runs++;
    return r;
}

static void upload_close(struct run *r)
{
    if (r->upload)
        storage_get_close(r->upload_from, r->upload);
    r->upload = NULL;
    r->upload_cipher = aes_ctr_free(r->upload_cipher);
}

void run_free(struct run *r)
{
    *(r->prev ? &r->prev->next : &r->hub->runs) = r->next;
    if (r->next)
        r->next->prev = r->prev;
    r->hub->open_runs--;
    loop_timer_done(&r->timer);
    upload_close(r);
    if (r->conv)
        conv_release(r->conv);
    arena_free(r->a);
}

void runs_free(struct hub *h)
{
    while (h->runs)
        run_free(h->runs);
}

void actor_save(struct actor *actor, struct jbatch *b)
{
    if (!memory_dirty(actor->memory))
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = actor_memory_key(a, actor);
    slice json = memory_fit(a, actor->memory, time_now_ms(), MEMORY_JSON_MAX);
    state_put(actor->hub->state, b, key, seal_close(actor->hub->seal, a, key, json));
    memory_clean(actor->memory);
}

/* ---- ending ----------------------------------------------------------------------------------------------------- */

struct ending {
    struct run *r;
    enum outcome end;
};

static void run_saved(void *arg, bool ok)
{
    struct ending *e = arg;
    struct run *r = e->r;
    if (!ok) {
        memory_soil(r->actor->memory);
        if (r->conv)
            conv_soil(r->conv);
    }
    if (!ok && e->end == OUT_DELIVERED) { /* what was learned is not safe: as if it had not been said */
        fault(&r->fault, "storage", "", "the journal could not store what was learned");
        e->end = OUT_RETRY;
    }
    r->ended(r, e->end);
}

static void run_end(struct run *r, enum outcome end)
{
    bool dirty = memory_dirty(r->actor->memory) || (r->conv && (r->conv->dirty || memory_dirty(r->conv->memory)));
    if (r->id || !dirty) {
        r->ended(r, end);
        return;
    }
    struct jbatch *b = jbatch_new(r->hub->journal);
    actor_save(r->actor, b);
    if (r->conv)
        conv_save(r->conv, b);
    struct ending *e = ARENA_NEW(r->a, struct ending);
    *e = (struct ending){ r, end };
    jbatch_commit(b, JOURNAL_DURABLE, run_saved, e);
}

/* ---- the call --------------------------------------------------------------------------------------------------- */

/* Secrets of the account that stand in it are left out: some vendors want them in the path. */
static slice without_secrets(struct run *r, slice url)
{
    const struct account *acc = &r->actor->account;
    for (size_t i = 0; i < acc->type->n_settings; i++) {
        slice secret = acc->type->settings[i].secret ? acc->settings[i] : SLICE_NONE;
        size_t at = secret.n ? slice_find(url, secret) : SIZE_MAX;
        if (at != SIZE_MAX)
            url = arena_printf(r->a, SLF "***" SLF, SLA(slice_sub(url, 0, at)), SLA(slice_from(url, at + secret.n)));
    }
    return url;
}

/* "POST host/path": what may be shown. */
static slice call_shown(struct run *r)
{
    slice url = without_secrets(r, r->d.call.url);
    size_t query = slice_find_char(url, '?');
    if (query != SIZE_MAX)
        url = slice_sub(url, 0, query);
    size_t scheme = slice_find(url, SL("://"));
    return arena_join(r->a, slice_of(r->d.call.method), SL(" "), scheme == SIZE_MAX ? url : slice_from(url, scheme + 3));
}

static const char *const request_ids[] = { "x-line-request-id", "inin-correlation-id", "genesys-correlation-id", "x-request-id" };

static void run_hop(struct run *r, const struct answer *got)
{
    if (r->n_hops == RUN_HOPS_MAX) /* keep the first ones and the newest */
        r->n_hops--;
    struct hop *hop = &r->hops[r->n_hops++];
    *hop = (struct hop){ .at_ms = time_now_ms() - got->took_us / 1000, .took_us = got->took_us, .status = got->status,
                         .written = got->written, .what = call_shown(r), .answer = got->error };
    for (size_t i = 0; i < COUNT(request_ids) && !hop->answer.n; i++)
        hop->answer = answer_header(got, request_ids[i]);
}

static void token_refused(struct run *r, slice token)
{
    if (r->actor->account.type->auth.kind == AUTH_NAMED)
        token_drop_named(r->actor, r->token_name, token);
    else
        token_drop(r->actor, token);
}

static void run_answered(void *arg, const struct answer *got)
{
    struct run *r = arg;
    upload_close(r);
    run_hop(r, got);
    meter_call(r->actor, got->status, got->took_us);
    if (got->status == 401 && r->token.n && !r->replayed) {
        token_refused(r, r->token);
        r->replayed = true;
        run_send(r);
        return;
    }
    r->last = *got;
    run_step(r, &r->last);
}

/* ---- a stored file as the body -------------------------------------------------------------------------------------- */

static void upload_more(void *arg)
{
    struct run *r = arg;
    client_resume(&r->call);
}

static ssize_t upload_frame(slice frame, size_t *at, char *buf, size_t n)
{
    size_t now = MIN(n, frame.n - *at);
    if (now)
        memcpy(buf, frame.p + *at, now);
    *at += now;
    return (ssize_t)now;
}

static ssize_t upload_read(void *arg, char *buf, size_t n)
{
    static_assert((int)STORAGE_WAIT == (int)CLIENT_PAUSE, "one and the same word for later");
    struct run *r = arg;
    if (r->upload_head < r->d.call.media_head.n)
        return upload_frame(r->d.call.media_head, &r->upload_head, buf, n);
    if (!r->upload_ended) {
        ssize_t got = storage_get_read(r->upload_from, r->upload, buf, n);
        if (got > 0 && r->upload_cipher)
            aes_ctr_run(r->upload_cipher, buf, (size_t)got, buf);
        if (got != 0)
            return got;
        r->upload_ended = true;
    }
    return upload_frame(r->d.call.media_tail, &r->upload_tail, buf, n);
}

static bool upload_open(struct run *r, const struct media *md)
{
    const struct http_call *h = &r->d.call;
    struct storage *from = storages_find(r->hub, slice_or(md->storage, SL(STORAGE_LOCAL)));
    if (!md->handle.n || !from || md->size <= 0 || h->media_from < 0 || h->media_from >= md->size)
        return fault(&r->fault, "no_file", "", "the file to upload is not stored here");
    int64_t bytes = h->media_bytes ? MIN(h->media_bytes, md->size - h->media_from) : md->size - h->media_from;
    upload_close(r);
    if (h->media_key.n && !(r->upload_cipher = aes_ctr_new(h->media_key, h->media_from)))
        return fault(&r->fault, "no_key", "", "the key of the file to upload is none");
    r->upload_from = from;
    r->upload = storage_get(from, md->handle, h->media_from, bytes, upload_more, r);
    if (!r->upload)
        return fault(&r->fault, "no_file", "", "the stored file cannot be read");
    r->call.source = upload_read;
    r->upload_head = r->upload_tail = 0;
    r->upload_ended = false;
    r->call.source_bytes = (int64_t)h->media_head.n + bytes + (int64_t)h->media_tail.n;
    r->call.io_arg = r;
    return true;
}

static void run_call(struct run *r)
{
    if (r->d.call.media_body && !upload_open(r, r->d.call.media_body)) {
        r->d.reason = REASON_MEDIA_TYPE;
        run_end(r, OUT_REFUSED);
        return;
    }
    if (!r->hub->stopped) {
        client_send(r->hub->client, &r->call);
        return;
    }
    fault(&r->fault, "stopping", "", "the hub stops; the call was not made");
    run_end(r, OUT_RETRY);
}

static void run_token(void *arg, slice header, const struct fault *f)
{
    struct run *r = arg;
    if (!header.n) {
        r->fault = *f;
        r->d.reason = REASON_CREDENTIALS;
        r->d.retry_ms = 0;
        run_end(r, OUT_RETRY); /* an operator can mend credentials; the message waits */
        return;
    }
    r->token = arena_dup(r->a, header);
    size_t n = r->call.n_headers++;
    r->headers[n] = (struct header){ SL("Authorization"), r->token };
    run_call(r);
}

static void run_send(struct run *r)
{
    const struct http_call *h = &r->d.call;
    int64_t left_ms = r->began_ms + r->total_ms - time_mono_ms();
    size_t n = 0;
    if (h->type.p)
        r->headers[n++] = (struct header){ SL("Content-Type"), h->type };
    for (size_t i = 0; i < h->n_headers; i++)
        r->headers[n++] = h->headers[i];
    if (r->trace_id.n) {
        uint64_t span;
        random_bytes(&span, sizeof(span));
        r->headers[n++] = (struct header){ SL("X-B3-TraceId"), r->trace_id };
        r->headers[n++] = (struct header){ SL("X-B3-SpanId"), arena_printf(r->a, "%016llx", (unsigned long long)span) };
    }
    r->call = (struct client_call){
        .a = r->a,
        .method = h->method,
        .url = h->url,
        .headers = r->headers,
        .n_headers = n,
        .body = h->body,
        .total_ms = h->total_ms ? h->total_ms : r->total_ms ? MAX(left_ms, 1) : h->media_body ? r->hub->limits.media_ms : 0,
        .guard = h->guarded,
        .tls_cert = h->tls_cert,
        .tls_key = h->tls_key,
        .done = run_answered,
        .arg = r,
    };
    r->last_token = r->token;
    r->token = SLICE_NONE;
    if (h->new_token && r->last_token.n)
        token_refused(r, r->last_token);
    if (r->actor->account.type->auth.kind == AUTH_NONE || h->no_token) {
        run_call(r);
        return;
    }
    r->token_name = arena_dup(r->a, h->token);
    r->token_wait = (struct token_wait){ .name = r->token_name, .done = run_token, .arg = r };
    token_get(r->actor, &r->token_wait);
}

/* ---- what is written before a call -------------------------------------------------------------------------------- */

static slice progress_print(struct run *r)
{
    struct jw w = jw_new(r->a, RUN_KEEP_MAX * 6 + 256);
    jw_open(&w, NULL, '{');
    jw_int(&w, "part", (int64_t)r->d.part);
    jw_int(&w, "step", r->d.step);
    jw_opt(&w, "keep", r->d.keep);
    jw_close(&w, '}');
    return jw_done(&w);
}

static bool run_progressed(const struct run *r)
{
    return r->id && (r->d.part != r->saved_part || r->d.step != r->saved_step || !slice_eq(r->d.keep, r->saved_keep));
}

static void save_progress(struct run *r, struct jbatch *b)
{
    r->saved = true;
    r->saved_part = r->d.part;
    r->saved_step = r->d.step;
    r->saved_keep = arena_dup(r->a, r->d.keep);
    state_put(r->hub->state, b, state_message_key(r->a, 'd', r->id), progress_print(r));
}

void run_keep_progress(struct run *r, struct jbatch *b)
{
    if (r->saved || run_progressed(r))
        save_progress(r, b);
}

static slice mark_note(struct run *r)
{
    struct jw w = jw_new(r->a, 8192);
    jw_open(&w, NULL, '{');
    jw_str(&w, "call", call_shown(r));
    jw_close(&w, '}');
    return jw_done(&w);
}

static void run_marked(void *arg, bool ok)
{
    struct run *r = arg;
    if (!ok) { /* without the mark the call must not be made */
        fault(&r->fault, "storage", "", "the journal could not store the mark of this attempt");
        run_end(r, OUT_RETRY);
        return;
    }
    run_send(r);
}

/* 0: the call may be made now; else ms to wait. */
static int64_t rate_take(struct run *r)
{
    const struct connector *type = r->actor->account.type;
    unsigned rate = r->d.call.rate;
    if (type->rates[rate].per_token) {
        struct bucket *own = token_named_bucket(r->actor, r->d.call.token, rate);
        return own ? bucket_take(own, time_mono_us()) : 0;
    }
    if (!type->rates[rate].per_conversation)
        return bucket_take(&r->actor->buckets[rate], time_mono_us());
    if (r->conv && !r->paced) {
        if (r->conv->pace_rate != rate) {
            bucket_init(&r->conv->pace, type->rates[rate].calls, type->rates[rate].per_ms);
            r->conv->pace_rate = rate;
        }
        int64_t wait_ms = bucket_take(&r->conv->pace, time_mono_us());
        if (wait_ms)
            return wait_ms;
        r->paced = true;
    }
    return bucket_take(&r->actor->buckets[0], time_mono_us());
}

static void run_rated(void *arg)
{
    struct run *r = arg;
    struct actor *actor = r->actor;
    const struct http_call *h = &r->d.call;
    if (h->rate < actor->account.type->n_rates) {
        int64_t wait_ms = rate_take(r);
        if (wait_ms && r->no_wait) {
            fault(&r->fault, "rate_limited", "", "no call to spare");
            run_end(r, OUT_RETRY);
            return;
        }
        if (wait_ms) {
            loop_timer_start(r->hub->loop, &r->timer, wait_ms, run_rated, r);
            return;
        }
    }
    bool progress = run_progressed(r), mark = r->id && !h->repeatable;
    if (!mark && !progress) {
        run_send(r);
        return;
    }
    struct jbatch *b = jbatch_new(r->hub->journal);
    if (progress)
        save_progress(r, b);
    if (mark)
        jbatch_attempt(b, r->id, mark_note(r));
    jbatch_commit(b, mark ? JOURNAL_DURABLE : JOURNAL_LAZY, mark ? run_marked : NULL, r);
    if (!mark)
        run_send(r);
}

static void run_step(struct run *r, const struct answer *last)
{
    struct call c;
    delivery_begin_step(&r->d, last);
    r->d.last_old_token = last && r->token.n && r->actor->account.type->auth.kind == AUTH_NAMED && token_named_is_old(r->actor, r->token_name, r->token);
    actor_call(r->actor, &c, r->a, r->conv, &r->fault);
    enum outcome end = r->step(&c, &r->d);
    if (end != OUT_CALL) {
        run_end(r, end);
        return;
    }
    assert(r->d.call.method && r->d.call.url.n && (!r->id || r->d.keep.n <= RUN_KEEP_MAX));
    assert(!r->d.call.guarded || r->d.call.no_token);
    if (++r->n_calls > RUN_CALLS_MAX) {
        fault(&r->fault, "too_many_calls", "", "more than %d calls for one message", RUN_CALLS_MAX);
        run_end(r, OUT_REFUSED);
        return;
    }
    r->replayed = r->paced = false;
    run_rated(r);
}

void run_start(struct run *r)
{
    run_step(r, NULL);
}

/* ---- trace ------------------------------------------------------------------------------------------------------ */

slice run_note(struct run *r, enum outcome end, slice note)
{
    enum { NOTE_BYTES = 16384 };
    struct jw w = jw_new(r->a, NOTE_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "end", slice_of(outcome_names[end]));
    if (r->d.attempt)
        jw_int(&w, "attempt", r->d.attempt);
    if (r->n_hops)
        jw_open(&w, "hops", '[');
    for (size_t i = 0; i < r->n_hops; i++) {
        const struct hop *hop = &r->hops[i];
        jw_open(&w, NULL, '{');
        jw_time(&w, "at", hop->at_ms);
        jw_str(&w, "call", hop->what);
        jw_int(&w, "status", hop->status);
        jw_int(&w, "us", hop->took_us);
        jw_opt(&w, "answer", hop->answer);
        jw_close(&w, '}');
    }
    if (r->n_hops)
        jw_close(&w, ']');
    if (end == OUT_DELIVERED) {
        jw_opt(&w, "vendor_id", r->d.vendor_id);
    } else {
        if (r->d.reason != REASON_NONE)
            jw_str(&w, "reason", slice_of(reason_names[r->d.reason]));
        if (r->fault.code)
            jw_str(&w, "text", slice_of(r->fault.text));
    }
    jw_opt(&w, "note", note);
    jw_close(&w, '}');
    return jw_done(&w);
}
