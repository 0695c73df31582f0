#include "hub/media.h"
#include "hub/conversation.h"
#include "hub/notice.h"
#include "hub/run.h"
#include "hub/media_link.h"
#include "hub/state.h"
#include "hub/storage_set.h"
#include "net/client.h"
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
    RESULT_BYTES = 60000,
};

struct media_job;
struct fetch {
    struct fetch *next; /* in the queue */
    struct media_job *job;
    struct media *md;   /* of the job's copy */
    struct arena *a;    /* of one try */
    struct client_call call;
    struct header headers[2];
    struct token_wait token_wait;
    slice token;
    struct run *finding; /* asks the vendor where it is */
    slice found;         /* … there; of one try */
    struct storage *storage;
    struct storage_put *put;
    struct aes_ctr *cipher; /* of this try; NULL: it comes as it is */
    struct loop_timer timer;
    unsigned tries, preparing;
    bool with_token, open, guarded, too_large, unwanted; /* unwanted: media_types */
    bool page;     /* something else came than the file: md.exact */
    int64_t bytes; /* of this try */
    char id[STORAGE_ID_BYTES];
    int64_t started_ms;
};
struct waiter {
    struct waiter *next;
    struct arena *a;
    struct message *m;
    void (*done)(void *arg);
    void *arg;
};
struct media_job {
    struct media_job *next; /* hash */
    struct hub *hub;
    struct actor *from;
    uint64_t id;
    struct arena *a;
    slice conversation;
    int64_t closed_ms;    /* its conversation was closed meanwhile; 0: it was not */
    struct js_list media; /* struct media: the job's own copy; becomes the result */
    struct fetch *fetches;
    size_t n_fetches, left;
    bool settled;
    bool forgotten; /* nobody will ask for the result */
    struct waiter *waiters;
};
struct media_jobs {
    struct hub *hub;
    struct media_job *buckets[256];
    struct fetch *queue, **queue_last;
    unsigned running;
    struct resuming *resuming; /* the state is being asked */
};
struct resuming {
    struct resuming *next, *prev;
    struct actor *from;
    uint64_t id;
    struct arena *a;
    struct message m;
};

static void fetch_begin(struct fetch *f);

struct media_jobs *media_new(struct hub *h)
{
    struct media_jobs *jobs = must_calloc(1, sizeof(*jobs));
    jobs->hub = h;
    return jobs;
}

static struct media_job **job_at(struct media_jobs *jobs, uint64_t id)
{
    struct media_job **at = &jobs->buckets[id % COUNT(jobs->buckets)];
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

/* ---- the stored result -------------------------------------------------------------------------------------------------- */

struct result {
    struct js_list media;
};
/* clang-format off */
static const struct js_field item_fields[] = {
    JS_FIELD(struct media, url,    "url",    JS_STR, 0),
    JS_FIELD(struct media, type,   "type",   JS_STR, 0),
    JS_FIELD(struct media, name,   "name",   JS_STR, 0),
    JS_FIELD(struct media, sha256, "sha256", JS_STR, 0),
    JS_FIELD(struct media, handle, "handle", JS_STR, 0),
    JS_FIELD(struct media, storage, "storage", JS_STR, 0),
    JS_FIELD(struct media, error,  "error",  JS_STR, 0),
    JS_FIELD(struct media, preview_url, "preview_url", JS_STR, 0),
    JS_FIELD(struct media, size,        "size",        JS_I64, 0),
    JS_FIELD(struct media, duration_ms, "duration_ms", JS_I64, 0),
    JS_FIELD(struct media, width,       "width",       JS_I64, 0),
    JS_FIELD(struct media, height,      "height",      JS_I64, 0),
};
static const struct js_field result_fields[] = {
    JS_FIELD_LIST(struct result, media, "media", struct media, item_fields, 0),
};
/* clang-format on */

bool media_result_read(struct arena *a, slice json, struct message *m)
{
    struct result r = { 0 };
    const struct js *doc = js_parse(a, arena_dup(a, json), NULL);
    if (!doc || !js_read(a, doc, result_fields, COUNT(result_fields), &r, NULL))
        return false;
    m->media = r.media;
    return true;
}

static slice result_print(struct arena *a, const struct media_job *job)
{
    struct result r = { job->media };
    struct jw w = jw_new(a, RESULT_BYTES);
    jw_open(&w, NULL, '{');
    jw_fields(&w, result_fields, COUNT(result_fields), &r);
    jw_close(&w, '}');
    return jw_done(&w);
}

/* ---- the end of a job ----------------------------------------------------------------------------------------------------- */

static void job_stored(void *arg, bool ok)
{
    struct media_job *job = arg;
    (void)ok; /* not stored: fetched again after a restart; now it is at hand */
    job->settled = true;
    slice json = result_print(job->a, job);
    struct waiter *w = job->waiters;
    struct media_job **at = job_at(job->hub->media, job->id);
    *at = job->next;
    for (struct waiter *next; w; w = next) {
        next = w->next;
        if (!media_result_read(w->a, json, w->m))
            w->m->media.n = 0;
        w->done(w->arg);
        free(w);
    }
    for (size_t i = 0; i < job->n_fetches; i++)
        loop_timer_done(&job->fetches[i].timer);
    arena_free(job->a);
}

static void queue_add(struct media_jobs *jobs, struct fetch *f)
{
    f->next = NULL;
    *(jobs->queue ? jobs->queue_last : &jobs->queue) = f;
    jobs->queue_last = &f->next;
}

static void fetch_next(struct media_jobs *jobs)
{
    while (jobs->queue && jobs->running < jobs->hub->limits.media_parallel && !jobs->hub->draining) {
        struct fetch *f = jobs->queue;
        jobs->queue = f->next;
        jobs->running++;
        fetch_begin(f);
    }
}

static void fetch_end(struct fetch *f, const char *result)
{
    struct media_job *job = f->job;
    struct hub *h = job->hub;
    f->a = arena_free(f->a);
    f->cipher = aes_ctr_free(f->cipher);
    h->media->running--;
    METRIC_ADD(h->metrics, METRIC_MEDIA, 1, slice_of(job->from->account.type->name), slice_of(result));
    METRIC_SET(h->metrics, METRIC_MEDIA_OPEN, h->media->running);
    if (--job->left == 0) {
        struct jbatch *b = jbatch_new(h->journal);
        if (!job->forgotten)
            state_put(h->state, b, state_message_key(job->a, 'm', job->id), result_print(job->a, job));
        jbatch_commit(b, JOURNAL_DURABLE, job_stored, job);
    }
    fetch_next(h->media);
}

static void fetch_failed(struct fetch *f, const char *result, slice why)
{
    struct media_job *job = f->job;
    f->md->error = arena_dup(job->a, why);
    f->md->url = SLICE_NONE; /* the vendor's address would not open for the other side either */
    struct log_line *l = log_begin(job->hub->log, LEVEL_WARN, "Attachment not stored");
    log_str(l, "account", job->from->account.id);
    log_int(l, "message", (int64_t)job->id);
    log_str(l, "why", why);
    log_end(l);
    fetch_end(f, result);
}

static void fetch_again(void *arg)
{
    struct fetch *f = arg;
    queue_add(f->job->hub->media, f);
    fetch_next(f->job->hub->media);
}

/* Before the next try; asked_ms: what its sender wants, 0: nothing. */
static int64_t fetch_wait_ms(const struct fetch *f, int64_t asked_ms)
{
    return MIN(MAX(asked_ms, f->job->hub->limits.media_wait_ms << (f->tries - 1)), MEDIA_WAIT_MOST_MS);
}

/* Others are fetched meanwhile. */
static void fetch_later(struct fetch *f, int64_t in_ms)
{
    struct hub *h = f->job->hub;
    f->a = arena_free(f->a);
    f->cipher = aes_ctr_free(f->cipher);
    h->media->running--;
    loop_timer_start(h->loop, &f->timer, in_ms, fetch_again, f);
    fetch_next(h->media);
}

/* ---- storing ---------------------------------------------------------------------------------------------------------------- */

static void row_stored(void *arg, const struct fault *why)
{
    struct fetch *f = arg;
    if (why) { /* a link whose file nobody would ever delete is not given away */
        fetch_failed(f, "failed", slice_of(why->text));
        return;
    }
    METRIC_ADD(f->job->hub->metrics, METRIC_MEDIA_BYTES, f->md->size, slice_of(f->job->from->account.type->name));
    fetch_end(f, "stored");
}

static void put_failed(struct fetch *f, const struct fault *why)
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
    struct fetch *f = arg;
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
    struct attachment row = { .id = slice_of(f->id), .account = job->from->account.id, .conversation = job->conversation,
                              .storage = f->storage->name, .handle = md->handle, .url = md->url, .sha256 = md->sha256, .type = md->type,
                              .name = md->name, .size = md->size, .created_ms = time_now_ms(), .state = ATTACHMENT_STORED,
                              .purge_at_ms = job->closed_ms ? job->closed_ms + f->storage->purge_ms : 0 };
    store_attachment_put(h->store, &row, row_stored, f);
}

static void put_more(void *arg)
{
    struct fetch *f = arg;
    if (f->open)
        client_resume(&f->call);
}

/* ---- fetching ----------------------------------------------------------------------------------------------------------------- */

/* False: the storage wants to catch up first. */
static bool store_bytes(struct fetch *f, const char *p, size_t n)
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
    struct fetch *f = arg;
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
        struct storage_file file = { .tenant = job->from->tenant->name, .conversation = job->conversation, .id = slice_of(f->id),
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
static bool token_allowed(struct fetch *f)
{
    const struct connector *type = f->job->from->account.type;
    struct url u;
    if (!f->with_token || type->auth.kind == AUTH_NONE || !url_parse(f->a, slice_or(f->found, f->md->url), &u, NULL))
        return false;
    struct call c;
    struct fault why;
    actor_call(f->job->from, &c, f->a, NULL, &why);
    return type->auth.token_host ? type->auth.token_host(&c, u.host) : f->md->token;
}

static void fetched(void *arg, const struct answer *r)
{
    struct fetch *f = arg;
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

static void fetch_send(struct fetch *f)
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
    struct fetch *f = arg;
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

static void fetch_with_token(struct fetch *f)
{
    if (!token_allowed(f)) {
        fetch_send(f);
        return;
    }
    f->token_wait = (struct token_wait){ .name = f->md->token_name, .done = fetch_token, .arg = f };
    token_get(f->job->from, &f->token_wait);
}

static void fetch_found(struct run *r, enum outcome end)
{
    struct fetch *f = r->arg;
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

static void fetch_begin(struct fetch *f)
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

/* ---- the face -------------------------------------------------------------------------------------------------------------------- */

static bool to_fetch(const struct media *md)
{
    return !md->public_url && !md->handle.n && !md->error.n && (md->url.n || md->id.n);
}

static slice map_picture(struct actor *from, struct arena *a, const struct message *m)
{
    struct actor *desk = from->tenant->desk;
    if (!m->location.present || from == desk || !desk->account.type->location_picture)
        return SLICE_NONE;
    struct call c;
    struct fault why;
    actor_call(desk, &c, a, NULL, &why);
    return desk->account.type->location_picture(&c, &m->location);
}

/* Does this message have something to fetch? Then the list with an entry for a map's picture. */
static bool wanted(struct actor *from, struct arena *a, const struct message *m, struct js_list *ret)
{
    *ret = (struct js_list){ 0 };
    bool any = false;
    for (size_t i = 0; i < m->media.n; i++) {
        const struct media *md = LIST_AT(m->media, struct media, i);
        *LIST_ADD(a, ret, struct media) = *md;
        any |= to_fetch(md);
    }
    slice picture = m->media.n ? SLICE_NONE : map_picture(from, a, m);
    if (picture.n) {
        *LIST_ADD(a, ret, struct media) = (struct media){ .url = picture, .type = SL("image/png"), .name = SL("map.png") };
        any = true;
    }
    return any;
}

static void media_copy(struct arena *a, struct media *md)
{
    slice *const all[] = { &md->url,    &md->id,      &md->type,  &md->name, &md->sha256, &md->preview_url,
                           &md->handle, &md->storage, &md->error, &md->token_name, &md->key };
    for (size_t i = 0; i < COUNT(all); i++)
        *all[i] = arena_dup(a, *all[i]);
}

static struct media_job *job_make(struct actor *from, uint64_t id, const struct message *m)
{
    struct hub *h = from->hub;
    struct arena *a = arena_new();
    struct media_job *job = ARENA_NEW(a, struct media_job);
    *job = (struct media_job){ .hub = h, .from = from, .id = id, .a = a };
    if (!wanted(from, a, m, &job->media)) {
        arena_free(a);
        return NULL;
    }
    slice guest = m->guest;
    struct actor *channel = from->account.type->desk ? tenant_channel(from->tenant, m->guest, &guest) : from;
    job->conversation = arena_printf(a, SLF ":" SLF, SLA(channel ? channel->account.id : from->account.id), SLA(guest));
    job->fetches = ARENA_ARRAY(a, struct fetch, job->media.n);
    job->n_fetches = job->media.n;
    for (size_t i = 0; i < job->media.n; i++) {
        struct media *md = LIST_AT(job->media, struct media, i);
        media_copy(a, md);
        if (!to_fetch(md))
            continue;
        struct fetch *f = &job->fetches[i];
        f->job = job;
        f->md = md;
        f->with_token = md->token;
        f->guarded = md->url.n != 0 && !md->token;
        struct call c;
        struct fault why;
        actor_call(from, &c, a, NULL, &why);
        if (!md->url.n && from->account.type->media_url)
            md->url = from->account.type->media_url(&c, md);
        if (!md->url.n && !from->account.type->media_find) {
            md->error = SL("its sender does not say where it is");
            continue;
        }
        job->left++;
        queue_add(h->media, f);
    }
    struct media_job **at = job_at(h->media, id);
    job->next = *at;
    *at = job;
    return job;
}

static struct media_job *job_start(struct actor *from, uint64_t id, const struct message *m)
{
    struct media_job *job = job_make(from, id, m);
    if (job && job->left == 0) { /* nothing that can be fetched: only errors to tell */
        job->left = 1;
        job->hub->media->running++;
        struct fetch *f = &job->fetches[0];
        f->job = job;
        f->md = LIST_AT(job->media, struct media, 0);
        fetch_end(f, "refused");
        return job;
    }
    fetch_next(from->hub->media);
    return job;
}

void media_begin(struct actor *from, uint64_t id, const struct message *m)
{
    if ((m->media.n || m->location.present) && !*job_at(from->hub->media, id))
        (void)job_start(from, id, m);
}

static void resuming_free(struct resuming *rs)
{
    struct media_jobs *jobs = rs->from->hub->media;
    *(rs->prev ? &rs->prev->next : &jobs->resuming) = rs->next;
    if (rs->next)
        rs->next->prev = rs->prev;
    arena_free(rs->a);
}

static void resume_found(void *arg, slice value)
{
    struct resuming *rs = arg;
    if (!value.p)
        media_begin(rs->from, rs->id, &rs->m);
    resuming_free(rs);
}

void media_resume(struct actor *from, uint64_t id, slice body)
{
    struct media_jobs *jobs = from->hub->media;
    struct arena *a = arena_new();
    struct resuming *rs = ARENA_NEW(a, struct resuming);
    *rs = (struct resuming){ .next = jobs->resuming, .from = from, .id = id, .a = a };
    const struct js *doc = js_parse(a, arena_dup(a, body), NULL);
    if (!doc || !message_read(a, doc, &rs->m, NULL)) { /* its delivery will say so */
        arena_free(a);
        return;
    }
    if (rs->next)
        rs->next->prev = rs;
    jobs->resuming = rs;
    state_get(from->hub->state, state_message_key(a, 'm', id), resume_found, rs);
}

struct settling {
    struct actor *from;
    uint64_t id;
    struct waiter *w;
};

static void settle_found(void *arg, slice value)
{
    struct settling *st = arg;
    struct waiter *w = st->w;
    struct media_job *job = NULL;
    if (value.p && media_result_read(w->a, value, w->m)) {
        w->done(w->arg);
        free(w);
        return;
    }
    job = *job_at(st->from->hub->media, st->id);
    if (!job)
        job = job_start(st->from, st->id, w->m);
    w->next = job->waiters;
    job->waiters = w;
}

void media_settle(struct actor *from, uint64_t id, struct arena *a, struct message *m, void (*done)(void *arg), void *arg)
{
    struct js_list list;
    if ((!m->media.n && !m->location.present) || !wanted(from, a, m, &list)) {
        done(arg);
        return;
    }
    struct waiter *w = must_calloc(1, sizeof(*w));
    *w = (struct waiter){ .a = a, .m = m, .done = done, .arg = arg };
    struct media_job *job = *job_at(from->hub->media, id);
    if (job) {
        w->next = job->waiters;
        job->waiters = w;
        return;
    }
    struct settling *st = ARENA_NEW(a, struct settling);
    *st = (struct settling){ from, id, w };
    state_get(from->hub->state, state_message_key(a, 'm', id), settle_found, st);
}

void media_forget(struct hub *h, uint64_t id, const struct message *m, struct jbatch *b)
{
    if (!m->media.n && !m->location.present)
        return;
    media_abandon(h, id);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    state_put(h->state, b, state_message_key(a, 'm', id), SLICE_NONE);
}

void media_abandon(struct hub *h, uint64_t id)
{
    struct media_job *job = *job_at(h->media, id);
    if (job)
        job->forgotten = true;
}

bool media_idle(const struct hub *h)
{
    return !h->media || (!h->media->running && !h->media->queue && !h->media->resuming);
}

void media_closed(struct hub *h, slice conversation, int64_t at_ms)
{
    for (size_t i = 0; i < COUNT(h->media->buckets); i++)
        for (struct media_job *job = h->media->buckets[i]; job; job = job->next)
            if (slice_eq(job->conversation, conversation))
                job->closed_ms = at_ms;
}

void media_free(struct media_jobs *jobs)
{
    if (!jobs)
        return;
    while (jobs->resuming)
        resuming_free(jobs->resuming);
    for (size_t i = 0; i < COUNT(jobs->buckets); i++) {
        for (struct media_job *job = jobs->buckets[i], *next; job; job = next) {
            next = job->next;
            for (size_t k = 0; k < job->n_fetches; k++) {
                struct fetch *f = &job->fetches[k];
                loop_timer_done(&f->timer);
                if (f->put)
                    storage_put_abort(f->storage, f->put);
                f->cipher = aes_ctr_free(f->cipher);
                f->a = arena_free(f->a);
            }
            for (struct waiter *w = job->waiters, *nw; w; w = nw) {
                nw = w->next;
                free(w);
            }
            arena_free(job->a);
        }
    }
    free(jobs);
}
