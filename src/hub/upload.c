#include "hub/upload.h"
#include "hub/hub.h"
#include "hub/media_link.h"
#include "hub/storage_set.h"
#include "store/store.h"

static void row_stored(void *arg, const struct fault *f)
{
    struct upload *up = arg;
    struct fault failed;
    if (f) {
        storage_unkept(up->hub, up->storage, up->md.handle);
        fault(&failed, "not_stored", "", "it could not be stored; try again");
    }
    up->done(up->arg, f ? &failed : NULL);
}

static void put_failed(struct upload *up, const struct fault *f)
{
    struct hub *h = up->hub;
    bool too_large = strcmp(f->code, "too_large") == 0, refused = too_large || strcmp(f->code, "storage_refused") == 0;
    METRIC_ADD(h->metrics, METRIC_STORED, 1, up->storage->name, refused ? SL("refused") : SL("failed"));
    if (!too_large)
        storage_trouble(h, up->storage, f);
    if (!too_large && up->storage != h->storage && h->limits.storage_instead)
        upload_start(up, h->storage);
    else
        up->done(up->arg, f);
}

static void put_done(void *arg, const struct storage_stored *st, const struct fault *f)
{
    struct upload *up = arg;
    struct hub *h = up->hub;
    if (h->stopped) { /* there is no store any more that could note it, nor another storage */
        struct fault down;
        fault(&down, "not_stored", "", "the hub is going down");
        up->done(up->arg, &down);
        return;
    }
    if (!st) {
        put_failed(up, f);
        return;
    }
    METRIC_ADD(h->metrics, METRIC_STORED, 1, up->storage->name, SL("stored"));
    storage_works(h, up->storage);
    int64_t now_ms = time_now_ms();
    struct storage_link link = { .audience = up->audience, .name = up->name, .type = up->type, .expires_s = h->limits.link_ms ? (now_ms + h->limits.link_ms) / 1000 : 0 };
    struct media *md = &up->md;
    *md = (struct media){ .name = up->name, .type = up->type, .handle = arena_dup(up->a, st->handle), .sha256 = arena_dup(up->a, st->sha256), .size = st->size,
                          .storage = up->storage->name };
    md->url = arena_dup(up->a, media_link(h, up->a, up->storage, slice_of(up->id), md->handle, &link));
    struct attachment row = { .id = slice_of(up->id), .account = up->account, .conversation = up->conversation, .storage = md->storage, .handle = md->handle, .url = md->url,
                              .sha256 = md->sha256, .type = md->type, .name = md->name, .size = md->size, .created_ms = now_ms,
                              .purge_at_ms = up->unused_ms ? now_ms + up->unused_ms : 0, .state = ATTACHMENT_STORED };
    store_attachment_put(h->store, &row, row_stored, up);
}

static void more(void *arg)
{
    (void)arg; /* all bytes were taken with the first write */
}

void upload_start(struct upload *up, struct storage *to)
{
    struct storage_file file = { .tenant = up->tenant, .conversation = up->conversation, .id = slice_of(up->id), .name = up->name, .type = up->type,
                                 .length = (int64_t)up->body.n, .max_bytes = (int64_t)up->body.n };
    struct storage_put_events events = { more, put_done, up };
    up->storage = to;
    struct storage_put *p = storage_put(to, &file, &events);
    (void)storage_put_write(to, p, up->body);
    storage_put_end(to, p);
}

static void row_gone(void *arg, const struct fault *f)
{
    (void)arg, (void)f; /* one that stays leads to a file that is not there: whoever purges it finds that as good as deleted */
}

void upload_drop(struct upload *up)
{
    storage_unkept(up->hub, up->storage, up->md.handle);
    store_attachment_delete(up->hub->store, slice_of(up->id), row_gone, NULL);
}
