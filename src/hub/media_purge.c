#include "hub/conversation.h"
#include "hub/media.h"
#include "hub/storage_set.h"
#include "hub/storage.h"
#include "store/store.h"

enum {
    PURGE_AT_ONCE = 32,
    PURGE_LEAST_MS = 1000, /* between two looks */
    ALARM_MS = 3 * 24 * 3600 * 1000, /* failing for so long: someone must look */
};
#define PURGE_MEMORY "hub.purge"

static void written(void *arg, const struct fault *why)
{
    struct hub *h = arg;
    if (why)
        log_end(log_begin_fault(h->log, LEVEL_ERROR, why, "The purge of attachments could not be noted"));
}

/* ---- when ------------------------------------------------------------------------------------------------------------------------- */

void media_purge_later(struct hub *h, struct conv *conv)
{
    int64_t now_ms = time_now_ms();
    memory_set(conv->memory, PURGE_MEMORY, SL("1"), 0);
    media_closed(h, conv->pub.id, now_ms);
    store_attachments_purge(h->store, conv->pub.id, SLICE_NONE, now_ms + h->limits.purge_ms, written, h);
    for (size_t i = 0; i < storages_count(h); i++) {
        const struct storage *s = storages_at(h, i);
        if (s->purge_ms != h->limits.purge_ms)
            store_attachments_purge(h->store, conv->pub.id, s->name, now_ms + s->purge_ms, written, h);
    }
}

void media_purge_cancel(struct hub *h, struct conv *conv)
{
    if (!memory_get(conv->memory, PURGE_MEMORY, time_now_ms()).n)
        return;
    memory_set(conv->memory, PURGE_MEMORY, SLICE_NONE, 0);
    media_closed(h, conv->pub.id, 0);
    store_attachments_purge(h->store, conv->pub.id, SLICE_NONE, 0, written, h);
}

/* ---- the sweep -------------------------------------------------------------------------------------------------------------------- */

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

static void purged(void *arg, enum storage_end end, const struct fault *why)
{
    struct purging *p = arg;
    struct hub *h = p->hub;
    bool gone = end == STORAGE_OK || end == STORAGE_GONE;
    if (!h->stopped) { /* else it is due again after the next start */
        METRIC_ADD(h->metrics, METRIC_PURGED, 1, p->row.storage, gone ? SL("deleted") : SL("failed"));
        if (gone)
            store_attachment_delete(h->store, p->row.id, written, h);
        else
            purge_failed(p, why);
    }
    arena_free(p->a);
}

static void purge_due(void *arg, const struct attachment *at)
{
    struct hub *h = arg;
    struct arena *a = arena_new();
    struct purging *p = ARENA_NEW(a, struct purging);
    *p = (struct purging){ .hub = h, .a = a, .row = *at };
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

static void purge_turn(void *arg);

static void purge_looked(void *arg, const struct fault *why)
{
    struct hub *h = arg;
    int64_t least_ms = h->limits.purge_ms;
    written(h, why);
    for (size_t i = 0; i < storages_count(h); i++)
        least_ms = MIN(least_ms, storages_at(h, i)->purge_ms);
    loop_timer_start(h->loop, &h->purge_timer, MIN(h->limits.purge_every_ms, MAX(least_ms, PURGE_LEAST_MS)), purge_turn, h);
}

static void purge_turn(void *arg)
{
    struct hub *h = arg;
    int64_t now_ms = time_now_ms();
    store_attachments_due(h->store, now_ms, now_ms + h->limits.purge_again_ms, PURGE_AT_ONCE, purge_due, purge_looked, h);
}

void media_purge_now(struct hub *h, slice conversation)
{
    int64_t now_ms = time_now_ms();
    media_closed(h, conversation, now_ms);
    store_attachments_purge(h->store, conversation, SLICE_NONE, now_ms, written, h);
    loop_timer_start(h->loop, &h->purge_timer, 0, purge_turn, h);
}

void media_purge_start(struct hub *h)
{
    purge_turn(h);
}

void media_purge_stop(struct hub *h)
{
    loop_timer_done(&h->purge_timer);
}
