/* upload.h - a file that one of our own pages sent, whole, into a storage, and its row into the store, so that it is deleted one day (media.h does it for what is fetched).
 *
 *   up = (struct upload){ .hub = h, .a = a, .file = { … }, .account = …, .audience = STORAGE_FOR_DESK, .body = bytes, .done = done, .arg = arg };
 *   storage_id(up.id); upload_start(&up, storages_choose(actor));      done(arg, NULL): up.md is the media
 *
 * Where the storage does not take it, the local disk stands in (hub_limits.storage_instead). A file whose row cannot be stored is deleted again: nobody ever would.
 *
 * Ownership  up, a and all slices live until done, which comes once, later.
 * Errors     "too_large"; "not_stored" (the row, or the hub stops: try again); else the storage's own.
 * Threads    loop thread.
 */
#ifndef HUB_UPLOAD_H
#define HUB_UPLOAD_H
#include "hub/message.h"
#include "hub/storage.h"

struct hub;
struct upload {
    struct hub *hub;
    struct arena *a;
    char id[STORAGE_ID_BYTES];
    slice tenant;       /* slug */
    slice account, conversation; /* whose it is, in the row */
    slice name, type, body;
    enum storage_audience audience;
    int64_t unused_ms; /* unless somebody takes it over, it goes away after so long; 0: with its conversation */
    void (*done)(void *arg, const struct fault *f);
    void *arg;
    struct media md; /* what became of it */
    struct storage *storage;
};
void upload_start(struct upload *up, struct storage *to);
/* In done, or behind it: nobody wants it any more. */
void upload_drop(struct upload *up);
#endif
