#include "hub/conversation.h"
#include "hub/media.h"
#include "hub/state.h"
#include "hub/storage_set.h"
#include "hub/storage.h"
#include "store/store.h"

enum {
    PURGE_AT_ONCE = 32,
    PURGE_LEAST_MS = 1000, /* between two looks */
    DUE_BYTES = 256,
    ALARM_MS = 3 * 24 * 3600 * 1000, /* failing for so long: someone must look */
};
#define PURGE_MEMORY "hub.purge"

/* ---- when ------------------------------------------------------------------------------------------------------------------------- */

/* A conversation that closed, goes on, or is erased. It stands in the journal beside what said so (state "u:"), until the store has noted when its files go. */
struct purge_due {
    struct purge_due *next;
    struct hub *hub;
    struct arena *a;
    slice conversation;
    int64_t closed_ms; /* 0: it goes on */
    bool now;          /* erased: without a delay */
    unsigned asked;    /* what the store has not answered yet */
    bool failed;       /* to be noted again */
    bool outdated;     /* something newer is noted in its place */
};
/* clang-format off */
static const struct js_field due_fields[] = {
    JS_FIELD(struct purge_due, closed_ms, "closed", JS_I64,  JS_REQ),
    JS_FIELD(struct purge_due, now,       "now",    JS_BOOL, 0),
};
/* clang-format on */

static slice due_key(struct arena *a, slice conversation)
{
    return arena_join(a, SL("u:"), conversation, SLICE_NONE);
}

static void due_free(struct purge_due *d)
{
    struct purge_due **at = &d->hub->purges;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    arena_free(d->a); /* d lives in it */
}

static void due_noted(struct purge_due *d)
{
    struct hub *h = d->hub;
    if (--d->asked || h->stopped)
        return;
    if (d->failed && !d->outdated)
        return; /* once more with the next look */
    if (!d->outdated) {
        struct jbatch *b = jbatch_new(h->journal);
        state_put(h->state, b, due_key(d->a, d->conversation), SLICE_NONE);
        jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
    }
    due_free(d);
}

static void due_written(void *arg, const struct fault *why)
{
    struct purge_due *d = arg;
    d->failed |= why != NULL;
    if (why)
        log_end(log_begin_fault(d->hub->log, LEVEL_ERROR, why, "The purge of attachments could not be noted; it will be tried again"));
    due_noted(d);
}

static void due_ask(struct purge_due *d, slice storage, int64_t purge_ms)
{
    d->asked++;
    store_attachments_purge(d->hub->store, d->conversation, storage, d->closed_ms ? d->closed_ms + (d->now ? 0 : purge_ms) : 0, due_written, d);
}

static void due_note(struct purge_due *d)
{
    struct hub *h = d->hub;
    d->failed = false;
    d->asked = 1;
    due_ask(d, SLICE_NONE, h->limits.purge_ms);
    for (size_t i = 0; d->closed_ms && !d->now && i < storages_count(h); i++) {
        const struct storage *s = storages_at(h, i);
        if (s->purge_ms != h->limits.purge_ms)
            due_ask(d, s->name, s->purge_ms);
    }
    due_noted(d);
}

static struct purge_due *due_new(struct hub *h, slice conversation)
{
    struct arena *a = arena_new();
    struct purge_due *d = ARENA_NEW(a, struct purge_due);
    for (struct purge_due *old = h->purges, *next; old; old = next) {
        next = old->next;
        if (!slice_eq(old->conversation, conversation))
            continue;
        old->outdated = true;
        if (!old->asked)
            due_free(old);
    }
    *d = (struct purge_due){ .next = h->purges, .hub = h, .a = a, .conversation = arena_dup(a, conversation) };
    h->purges = d;
    return d;
}

static void due_begin(struct hub *h, slice conversation, int64_t closed_ms, bool now, struct jbatch *b)
{
    struct purge_due *d = due_new(h, conversation);
    struct jw w = jw_new(d->a, DUE_BYTES);
    d->closed_ms = closed_ms;
    d->now = now;
    jw_open(&w, NULL, '{');
    jw_fields(&w, due_fields, COUNT(due_fields), d);
    jw_close(&w, '}');
    state_put(h->state, b, due_key(d->a, d->conversation), jw_done(&w));
    media_closed(h, conversation, closed_ms);
    due_note(d);
}

static void closes(struct hub *h, struct conv *conv, int64_t at_ms, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    memory_set(conv->memory, PURGE_MEMORY, arena_printf(a, "%lld", (long long)at_ms), 0);
    due_begin(h, conv->pub.id, at_ms, false, b);
}

void media_purge_later(struct hub *h, struct conv *conv, struct jbatch *b)
{
    closes(h, conv, time_now_ms(), b);
}

void media_purge_given_up(struct hub *h, struct conv *conv, struct jbatch *b)
{
    if (!conv->pub.open && !media_purge_since(conv))
        closes(h, conv, time_now_ms() + h->limits.dead_ms, b);
}

int64_t media_purge_since(const struct conv *conv)
{
    int64_t now_ms = time_now_ms(), closed_ms;
    slice since = memory_get(conv->memory, PURGE_MEMORY, now_ms);
    if (!slice_int(since, &closed_ms))
        return 0;
    return closed_ms > 1 ? closed_ms : now_ms; /* 1: written by versions that did not note when */
}

void media_purge_cancel(struct hub *h, struct conv *conv, struct jbatch *b)
{
    if (!media_purge_since(conv))
        return;
    memory_set(conv->memory, PURGE_MEMORY, SLICE_NONE, 0);
    due_begin(h, conv->pub.id, 0, false, b);
}

static void due_loaded(void *arg, slice key, slice value)
{
    struct purge_due *d = due_new(arg, slice_from(key, 2));
    const struct js *doc = js_parse(d->a, arena_dup(d->a, value), NULL);
    d->failed = true; /* so that the first look notes it */
    if (!doc || !js_read(d->a, doc, due_fields, COUNT(due_fields), d, NULL))
        due_free(d);
}

void media_purge_load(struct hub *h)
{
    state_each(h->state, SL("u:"), due_loaded, h);
}

/* ---- the sweep -------------------------------------------------------------------------------------------------------------------- */

static void written(void *arg, const struct fault *why)
{
    struct hub *h = arg;
    if (why)
        log_end(log_begin_fault(h->log, LEVEL_ERROR, why, "The purge of attachments could not be noted"));
}

struct purging { /* one attachment; lives in its arena */
    struct hub *hub;
    struct arena *a;
    struct attachment row;
};

/* 1, 5, 30 minutes, 2, 12 hours, a day */
static int64_t wait_ms(const struct hub *h, int64_t attempts)
{
    static const int64_t times[] = { 1, 5, 30, 120, 720, 1440 };
    return h->limits.purge_again_ms * times[MIN((size_t)MAX(attempts, INT64_C(1)), COUNT(times)) - 1];
}

static void purge_failed(struct purging *p, const struct fault *why)
{
    struct hub *h = p->hub;
    int64_t in_ms = wait_ms(h, p->row.attempts), waited_ms = 0;
    for (int64_t i = 1; i < p->row.attempts && waited_ms < ALARM_MS; i++)
        waited_ms += wait_ms(h, i);
    enum level level = waited_ms < ALARM_MS ? LEVEL_WARN : LEVEL_ERROR;
    struct log_line *l = log_begin_fault(h->log, level, why, "An attachment could not be deleted; it will be tried again");
    log_str(l, "storage", p->row.storage);
    log_str(l, "attachment", p->row.id);
    log_str(l, "conversation", p->row.conversation);
    log_int(l, "attempts", p->row.attempts);
    log_int(l, "again_ms", in_ms);
    log_end(l);
    p->row.purge_at_ms = time_now_ms() + in_ms;
    store_attachment_put(h->store, &p->row, written, h);
}

static void purge_turn(void *arg);

/* A look that found as many as it takes at once left others. */
static void purge_soon(struct hub *h)
{
    if (h->purge_more && !h->purging)
        loop_timer_start(h->loop, &h->purge_timer, 0, purge_turn, h);
}

static void purged(void *arg, enum storage_end end, const struct fault *why)
{
    struct purging *p = arg;
    struct hub *h = p->hub;
    bool gone = end == STORAGE_OK || end == STORAGE_GONE;
    h->purging--;
    if (!h->stopped) { /* else it is due again after the next start */
        METRIC_ADD(h->metrics, METRIC_PURGED, 1, p->row.storage, gone ? SL("deleted") : SL("failed"));
        if (gone)
            store_attachment_delete(h->store, p->row.id, written, h);
        else
            purge_failed(p, why);
        purge_soon(h);
    }
    arena_free(p->a);
}

static void purge_due(void *arg, const struct attachment *at)
{
    struct hub *h = arg;
    struct arena *a = arena_new();
    struct purging *p = ARENA_NEW(a, struct purging);
    *p = (struct purging){ .hub = h, .a = a, .row = *at };
    h->purging++;
    h->purge_found++;
    slice *const texts[] = { &p->row.id,  &p->row.account, &p->row.conversation, &p->row.storage, &p->row.handle,
                             &p->row.url, &p->row.sha256,  &p->row.type,         &p->row.name };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(a, *texts[i]);
    struct storage *s = storages_find(h, p->row.storage);
    if (s) {
        storage_delete(s, p->row.handle, purged, p);
        return;
    }
    struct fault f;
    fault(&f, "storage_refused", "", "there is no storage \"" SLF "\" in the configuration any more", SLA(p->row.storage));
    purged(p, STORAGE_FAILED, &f);
}

static void purge_looked(void *arg, const struct fault *why)
{
    struct hub *h = arg;
    int64_t least_ms = h->limits.purge_ms;
    written(h, why);
    for (size_t i = 0; i < storages_count(h); i++)
        least_ms = MIN(least_ms, storages_at(h, i)->purge_ms);
    h->purge_more = h->purge_found >= PURGE_AT_ONCE;
    h->purge_found = 0;
    loop_timer_start(h->loop, &h->purge_timer, MIN(h->limits.purge_every_ms, MAX(least_ms, PURGE_LEAST_MS)), purge_turn, h);
    purge_soon(h);
}

static void purge_turn(void *arg)
{
    struct hub *h = arg;
    int64_t now_ms = time_now_ms();
    for (struct purge_due *d = h->purges, *next; d; d = next) {
        next = d->next;
        if (d->failed && !d->asked)
            due_note(d);
    }
    store_attachments_due(h->store, now_ms, now_ms + h->limits.purge_again_ms, PURGE_AT_ONCE, purge_due, purge_looked, h);
}

void media_purge_now(struct hub *h, slice conversation)
{
    struct jbatch *b = jbatch_new(h->journal);
    due_begin(h, conversation, time_now_ms(), true, b);
    jbatch_commit(b, JOURNAL_DURABLE, NULL, NULL);
    loop_timer_start(h->loop, &h->purge_timer, 0, purge_turn, h);
}

void media_purge_start(struct hub *h)
{
    purge_turn(h);
}

void media_purge_stop(struct hub *h)
{
    loop_timer_done(&h->purge_timer);
    while (h->purges)
        due_free(h->purges);
}
