#include "hub/media-private.h"
#include "hub/conversation.h"
#include "hub/media_link.h"
#include "hub/notice.h"
#include "hub/storage_set.h"
#include "store/store.h"
#include "wire/aes_ctr.h"
#include "wire/hex.h"
#include "wire/mime.h"
#include "wire/url.h"

enum {
    MEDIA_TRIES = 6,           /* of one fetch, before it is given up */
    MEDIA_WAIT_MOST_MS = 60000, /* of what a Retry-After may ask for */
    MEDIA_PREPARING_TRIES = 60, /* 202: the vendor still prepares it */
    MEDIA_REDIRECTS = 5,
    MEDIA_OVER_BYTES = 1 << 20, /* that may come with what is one byte too much: the sink says so, not the client */
};

static void fetch_begin(struct media_fetch *f);

void media_fetch_add(struct media_jobs *jobs, struct media_fetch *f)
{
    f->next = NULL;
    *(jobs->queue ? jobs->queue_last : &jobs->queue) = f;
    jobs->queue_last = &f->next;
}

void media_fetch_next(struct media_jobs *jobs)
{
    while (jobs->queue && jobs->running < jobs->hub->limits.media_parallel && !jobs->hub->draining) {
        struct media_fetch *f = jobs->queue;
        jobs->queue = f->next;
        jobs->running++;
        fetch_begin(f);
    }
}

void media_fetch_end(struct media_fetch *f, const char *result)
{
    struct media_job *job = f->job;
    struct hub *h = job->hub;
    f->a = arena_free(f->a);
    f->cipher = aes_ctr_free(f->cipher);
    h->media->running--;
    METRIC_ADD(h->metrics, METRIC_MEDIA, 1, slice_of(job->from->account.type->name), slice_of(result));
    METRIC_SET(h->metrics, METRIC_MEDIA_OPEN, h->media->running);
    if (--job->left == 0)
        media_job_end(job);
    media_fetch_next(h->media);
}

static void fetch_failed(struct media_fetch *f, const char *result, slice why)
{
    struct media_job *job = f->job;
    f->md->error = arena_dup(job->a, why);
    f->md->url = SLICE_NONE; /* the vendor's address would not open for the other side either */
    struct log_line *l = log_begin(job->hub->log, LEVEL_WARN, "Attachment not stored");
    log_str(l, "account", job->from->account.id);
    log_int(l, "message", (int64_t)job->id);
    log_str(l, "why", why);
    log_end(l);
    media_fetch_end(f, result);
}

static void fetch_again(void *arg)
{
    struct media_fetch *f = arg;
    media_fetch_add(f->job->hub->media, f);
    media_fetch_next(f->job->hub->media);
}

/* Before the next try; asked_ms: what its sender wants, 0: nothing. */
static int64_t fetch_wait_ms(const struct media_fetch *f, int64_t asked_ms)
{
    return MIN(MAX(asked_ms, f->job->hub->limits.media_wait_ms << (f->tries - 1)), MEDIA_WAIT_MOST_MS);
}

/* Others are fetched meanwhile. */
static void fetch_later(struct media_fetch *f, int64_t in_ms)
{
    struct hub *h = f->job->hub;
    f->a = arena_free(f->a);
    f->cipher = aes_ctr_free(f->cipher);
    h->media->running--;
    loop_timer_start(h->loop, &f->timer, in_ms, fetch_again, f);
    media_fetch_next(h->media);
}

/* ---- storing ---------------------------------------------------------------------------------------------------------------- */

/* A link whose file nobody would ever delete is not given away. */
static void not_kept(struct media_fetch *f)
{
    struct media *md = f->md;
    storage_unkept(f->job->hub, f->storage, md->handle);
    md->handle = md->storage = md->sha256 = SLICE_NONE;
}

static void row_stored(void *arg, const struct fault *why)
{
    struct media_fetch *f = arg;
    if (why) {
        not_kept(f);
        fetch_failed(f, "failed", slice_of(why->text));
        return;
    }
    METRIC_ADD(f->job->hub->metrics, METRIC_MEDIA_BYTES, f->md->size, slice_of(f->job->from->account.type->name));
    media_fetch_end(f, "stored");
}

/* The row knows when its conversation closed: whoever noted that for the others came before it, perhaps in an earlier process. */
static void row_put(struct media_fetch *f, int64_t closed_ms)
{
    const struct media_job *job = f->job;
    const struct media *md = f->md;
    struct attachment row = { .id = slice_of(f->id), .account = job->from->account.id, .conversation = job->conversation,
                              .storage = f->storage->name, .handle = md->handle, .url = md->url, .sha256 = md->sha256, .type = md->type,
                              .name = md->name, .size = md->size, .created_ms = time_now_ms(), .state = ATTACHMENT_STORED,
                              .purge_at_ms = closed_ms ? closed_ms + f->storage->purge_ms : 0 };
    store_attachment_put(job->hub->store, &row, row_stored, f);
}

static void row_of(void *arg, struct conv *conv)
{
    struct media_fetch *f = arg;
    int64_t since_ms = media_purge_since(conv);
    row_put(f, f->job->closed_ms ? f->job->closed_ms : since_ms);
    conv_release(conv);
}

static void put_failed(struct media_fetch *f, const struct fault *why)
{
    struct hub *h = f->job->hub;
    bool too_large = strcmp(why->code, "too_large") == 0, refused = too_large || strcmp(why->code, "storage_refused") == 0;
    METRIC_ADD(h->metrics, METRIC_STORED, 1, f->storage->name, refused ? SL("refused") : SL("failed"));
    if (!too_large)
        hub_notice_part(h, NOTICE_STORAGE_FAILS, f->storage->name, slice_of(why->text));
    if (!refused && ++f->tries < MEDIA_TRIES) {
        fetch_later(f, fetch_wait_ms(f, 0));
        return;
    }
    if (!too_large)
        storage_trouble(h, f->storage, why);
    if (!too_large && f->storage != h->storage && h->limits.storage_instead) { /* the next try goes to the local disk */
        f->tries = 0;
        fetch_later(f, 1);
        return;
    }
    fetch_failed(f, refused ? "refused" : "failed", slice_of(why->text));
}

static void put_done(void *arg, const struct storage_stored *st, const struct fault *why)
{
    struct media_fetch *f = arg;
    struct media_job *job = f->job;
    struct hub *h = job->hub;
    f->put = NULL;
    if (f->open) { /* the storage gave up first */
        f->open = false;
        client_cancel(&f->call);
    }
    if (!st) {
        put_failed(f, why);
        return;
    }
    METRIC_ADD(h->metrics, METRIC_STORED, 1, f->storage->name, SL("stored"));
    storage_works(h, f->storage);
    struct media *md = f->md;
    md->handle = arena_dup(job->a, st->handle);
    md->storage = f->storage->name;
    md->sha256 = arena_dup(job->a, st->sha256);
    md->size = st->size;
    struct storage_link link = { .audience = job->from->account.type->desk ? STORAGE_FOR_GUEST : STORAGE_FOR_DESK, .name = md->name, .type = md->type,
                                 .expires_s = h->limits.link_ms ? (time_now_ms() + h->limits.link_ms) / 1000 : 0 };
    md->url = arena_dup(job->a, media_link(h, f->a, f->storage, slice_of(f->id), md->handle, &link));
    if (job->channel)
        conv_get(h, job->channel, job->guest, row_of, f);
    else
        row_put(f, job->closed_ms);
}

static void put_more(void *arg)
{
    struct media_fetch *f = arg;
    if (f->open)
        client_resume(&f->call);
}

/* ---- fetching ----------------------------------------------------------------------------------------------------------------- */

/* False: the storage wants to catch up first. */
static bool store_bytes(struct media_fetch *f, const char *p, size_t n)
{
    char plain[16 << 10];
    bool more = true;
    if (!f->cipher)
        return storage_put_write(f->storage, f->put, slice_mem(p, n));
    while (n && f->put) {
        size_t piece = MIN(n, sizeof(plain));
        aes_ctr_run(f->cipher, p, piece, plain);
        more = storage_put_write(f->storage, f->put, slice_mem(plain, piece));
        p += piece;
        n -= piece;
    }
    return more;
}

static bool sink(void *arg, const struct answer *head, const char *p, size_t n)
{
    struct media_fetch *f = arg;
    struct media_job *job = f->job;
    struct hub *h = job->hub;
    if (head->status != 200)
        return head->status < 300; /* 202: still prepared; its body does not matter */
    int64_t length = -1;
    if (!slice_int(answer_header(head, "content-length"), &length))
        length = -1;
    f->bytes += (int64_t)n;
    f->too_large = MAX(length, f->bytes) > h->limits.media_bytes;
    if (f->too_large)
        return false;
    if (!f->put) {
        slice type = head->type;
        slice bare = slice_trim(slice_cut(&type, ';'));
        f->page = f->md->exact && slice_eq_nocase(bare, SL("text/html")) && !slice_eq_nocase(f->md->type, SL("text/html"));
        if (f->page)
            return false;
        f->md->type = arena_dup(job->a, slice_or(mime_settle(f->md->type, bare, f->md->name, f->cipher ? SLICE_NONE : slice_mem(p, n)), SL("application/octet-stream")));
        f->unwanted = h->limits.media_types.n && !mime_among(f->md->type, h->limits.media_types);
        if (f->unwanted)
            return false;
        storage_id(f->id);
        struct storage_file file = { .tenant = job->from->tenant->slug, .conversation = job->conversation, .id = slice_of(f->id),
                                     .name = f->md->name, .type = f->md->type, .length = length, .max_bytes = h->limits.media_bytes };
        struct storage_put_events to = { put_more, put_done, f };
        f->storage = storages_choose(job->from);
        f->put = storage_put(f->storage, &file, &to);
    }
    if (!store_bytes(f, p, n))
        client_pause(&f->call);
    return true;
}

/* Only to hosts the connector says belong to its vendor; where it names none, only to addresses that it says want the token. */
static bool token_allowed(struct media_fetch *f)
{
    const struct connector *type = f->job->from->account.type;
    struct url u;
    if (!f->with_token || type->auth.kind == AUTH_NONE || !url_parse(f->a, slice_or(f->found, f->md->url), &u, NULL))
        return false;
    struct call c;
    struct fault why;
    actor_call(f->job->from, &c, f->a, NULL, &why);
    return type->auth.token_host ? type->auth.token_host(&c, &u) : f->md->token;
}

static void fetched(void *arg, const struct answer *r)
{
    struct media_fetch *f = arg;
    struct hub *h = f->job->hub;
    f->open = false;
    f->page |= r->status == 200 && f->put && f->md->exact && f->md->size > 0 && f->md->size != f->bytes;
    if (r->status == 200 && f->put && !f->page) {
        storage_put_end(f->storage, f->put);
        return;
    }
    if (f->put)
        storage_put_abort(f->storage, f->put);
    f->put = NULL;
    if (r->status == 202 && f->preparing++ < MEDIA_PREPARING_TRIES) {
        fetch_later(f, h->limits.media_wait_ms);
        return;
    }
    if ((r->status == 401 || r->status == 403) && !f->with_token && f->md->token_maybe) {
        f->with_token = true;
        if (token_allowed(f)) {
            fetch_later(f, 1);
            return;
        }
    }
    if (r->status == 401 && f->token.n && f->tries == 0 && f->md->token_name.n)
        token_drop_named(f->job->from, f->md->token_name, f->token);
    else if (r->status == 401 && f->token.n && f->tries == 0)
        token_drop(f->job->from, f->token);
    bool again = (r->status == 0 && !f->too_large && !f->unwanted && !r->refused) || (r->status == 401 && f->token.n) || r->status == 408 || r->status == 429 ||
                 r->status >= 500;
    if (again && ++f->tries < MEDIA_TRIES) {
        fetch_later(f, fetch_wait_ms(f, r->retry_after_ms));
        return;
    }
    struct arena *a = f->job->a;
    slice why = f->page            ? SL("its sender sent something else than the file")
                : f->too_large     ? arena_printf(a, "it has more than %lld bytes", (long long)f->job->hub->limits.media_bytes)
                : f->unwanted  ? arena_printf(a, "files of the kind " SLF " are not taken here", SLA(f->md->type))
                : r->status == 200 ? SL("the file is empty")
                : r->status ? arena_printf(a, "its sender answered %d", r->status)
                            : arena_printf(a, "its sender did not answer: " SLF, SLA(r->error));
    fetch_failed(f, again ? "failed" : "refused", why);
}

static void fetch_send(struct media_fetch *f)
{
    struct hub *h = f->job->hub;
    f->page = f->too_large = f->unwanted = false;
    f->cipher = aes_ctr_free(f->cipher);
    if (f->md->key.n && !(f->cipher = aes_ctr_new(hex_decode(f->a, f->md->key), 0))) {
        fetch_failed(f, "refused", SL("its sender's key is none"));
        return;
    }
    f->bytes = 0;
    f->call = (struct client_call){
        .a = f->a,
        .method = "GET",
        .url = slice_or(f->found, f->md->url),
        .headers = f->headers,
        .n_headers = f->token.n ? 1 : 0,
        .sink = sink,
        .io_arg = f,
        .answer_bytes = (size_t)h->limits.media_bytes + MEDIA_OVER_BYTES,
        .total_ms = h->limits.media_ms,
        .max_redirects = MEDIA_REDIRECTS,
        .guard = f->guarded,
        .guard_away = f->foreign || f->with_token,
        .done = fetched,
        .arg = f,
    };
    f->headers[0] = (struct header){ SL("Authorization"), f->token };
    if (h->stopped)
        return; /* begun again at the next start */
    f->open = true;
    client_send(h->client, &f->call);
}

static void fetch_token(void *arg, slice header, const struct fault *why)
{
    struct media_fetch *f = arg;
    if (header.n) {
        f->token = arena_dup(f->a, header);
        fetch_send(f);
        return;
    }
    if (++f->tries < MEDIA_TRIES)
        fetch_later(f, fetch_wait_ms(f, 0));
    else
        fetch_failed(f, "failed", slice_of(why->text));
}

static void fetch_with_token(struct media_fetch *f)
{
    if (!token_allowed(f)) {
        f->guarded |= f->foreign || f->with_token;
        fetch_send(f);
        return;
    }
    f->token_wait = (struct token_wait){ .name = f->md->token_name, .done = fetch_token, .arg = f };
    token_get(f->job->from, &f->token_wait);
}

static void fetch_found(struct run *r, enum outcome end)
{
    struct media_fetch *f = r->arg;
    bool again = end == OUT_RETRY || end == OUT_UNKNOWN;
    int64_t asked_ms = r->d.retry_ms;
    struct fault why = r->fault;
    f->finding = NULL;
    f->found = arena_dup(f->a, r->d.media_url);
    run_free(r);
    if (f->job->hub->stopped)
        return; /* begun again at the next start */
    if (end == OUT_DELIVERED && f->found.n)
        fetch_with_token(f);
    else if (again && ++f->tries < MEDIA_TRIES)
        fetch_later(f, fetch_wait_ms(f, asked_ms));
    else
        fetch_failed(f, again ? "failed" : "refused", why.code ? slice_of(why.text) : SL("its sender does not say where it is"));
}

static void fetch_begin(struct media_fetch *f)
{
    const struct connector *type = f->job->from->account.type;
    f->a = arena_new();
    f->token = f->found = SLICE_NONE;
    if (f->md->url.n || !type->media_find) {
        fetch_with_token(f);
        return;
    }
    f->finding = run_new(f->job->from, NULL, type->media_find, fetch_found, f);
    f->finding->d.media = f->md;
    run_start(f->finding);
}

void media_fetch_stop(struct media_fetch *f)
{
    loop_timer_done(&f->timer);
    if (f->put)
        storage_put_abort(f->storage, f->put);
    f->cipher = aes_ctr_free(f->cipher);
    f->a = arena_free(f->a);
}
