#include "hub/media-private.h"
#include "hub/conversation.h"
#include "hub/state.h"

enum { RESULT_BYTES = 60000 };

struct resuming {
    struct resuming *next, *prev;
    struct actor *from;
    uint64_t id;
    struct arena *a;
    struct message m;
};

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

/* One that would be too long to be stored loses what is long in it; what is still too much says so, file by file, instead of being left out in silence. */
static slice result_that_fits(struct media_job *job)
{
    slice json = result_print(job->a, job);
    for (size_t i = 0; !json.p && i < job->media.n; i++) {
        struct media *md = LIST_AT(job->media, struct media, i);
        md->name = storage_shown_name(job->a, md->name, md->type);
    }
    json = json.p ? json : result_print(job->a, job);
    for (size_t i = 0; !json.p && i < job->media.n; i++)
        *LIST_AT(job->media, struct media, i) = (struct media){ .error = SL("too many") };
    return json.p ? json : result_print(job->a, job);
}

/* ---- the end of a job ----------------------------------------------------------------------------------------------------- */

static void job_stored(void *arg, bool ok)
{
    struct media_job *job = arg;
    (void)ok; /* not stored: fetched again after a restart; now it is at hand */
    job->settled = true;
    slice json = result_that_fits(job);
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

void media_job_end(struct media_job *job)
{
    struct hub *h = job->hub;
    struct jbatch *b = jbatch_new(h->journal);
    if (!job->forgotten)
        state_put(h->state, b, state_message_key(job->a, 'm', job->id), result_that_fits(job));
    jbatch_commit(b, JOURNAL_DURABLE, job_stored, job);
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
    job->channel = channel;
    job->guest = arena_dup(a, guest);
    job->conversation = arena_printf(a, SLF ":" SLF, SLA(channel ? channel->account.id : from->account.id), SLA(guest));
    job->fetches = ARENA_ARRAY(a, struct media_fetch, job->media.n);
    job->n_fetches = job->media.n;
    for (size_t i = 0; i < job->media.n; i++) {
        struct media *md = LIST_AT(job->media, struct media, i);
        media_copy(a, md);
        if (!to_fetch(md))
            continue;
        struct media_fetch *f = &job->fetches[i];
        f->job = job;
        f->md = md;
        f->with_token = md->token;
        f->foreign = md->url.n != 0;
        f->guarded = f->foreign && !md->token;
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
        media_fetch_add(h->media, f);
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
        struct media_fetch *f = &job->fetches[0];
        f->job = job;
        f->md = LIST_AT(job->media, struct media, 0);
        media_fetch_end(f, "refused");
        return job;
    }
    media_fetch_next(from->hub->media);
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
            for (size_t k = 0; k < job->n_fetches; k++)
                media_fetch_stop(&job->fetches[k]);
            for (struct waiter *w = job->waiters, *nw; w; w = nw) {
                nw = w->next;
                free(w);
            }
            arena_free(job->a);
        }
    }
    free(jobs);
}
