/* engine.h - what a store's engine does: blocking calls, made by one thread at a time. Private to store/.
 *
 * Between begin and commit or rollback every call belongs to one transaction; reads outside one are fine. Slices handed to callbacks
 * are valid during the callback. Every function that returns bool fills *f when it returns false. An engine may find only at the commit that a write
 * cannot be done; "store_lost" means that the whole transaction can be done again.
 */
#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H
#include "store/store.h"

typedef void (*engine_pair)(void *arg, slice key, slice value);
typedef void (*engine_attachment)(void *arg, const struct attachment *a);

struct engine_links { /* connections; made: the first one not counted */
    int64_t made, lost;
};
struct store_engine {
    const char *name;
    void *(*open)(const char *where, int64_t turn, struct fault *f);
    void (*close)(void *e);
    bool (*begin)(void *e, struct fault *f);
    bool (*commit)(void *e, struct fault *f);
    void (*rollback)(void *e);
    bool (*put)(void *e, slice key, slice value, struct fault *f);
    bool (*remove)(void *e, slice key, struct fault *f);
    bool (*remove_prefix)(void *e, slice prefix, struct fault *f);
    bool (*get)(void *e, slice key, engine_pair each, void *arg, struct fault *f);
    bool (*scan)(void *e, slice prefix, slice from, size_t limit, engine_pair each, void *arg, struct fault *f);
    bool (*attachment_put)(void *e, const struct attachment *a, struct fault *f);
    bool (*attachment_get)(void *e, slice id, engine_attachment each, void *arg, struct fault *f);
    bool (*attachment_in)(void *e, slice storage, engine_attachment each, void *arg, struct fault *f); /* any one */
    bool (*attachments_of)(void *e, slice conversation, engine_attachment each, void *arg, struct fault *f);
    bool (*attachments_purge)(void *e, slice conversation, slice storage, int64_t at_ms, struct fault *f);
    bool (*attachments_due)(void *e, int64_t now_ms, int64_t retry_ms, size_t limit, engine_attachment each, void *arg,
                            struct fault *f);
    bool (*attachment_delete)(void *e, slice id, struct fault *f);
    struct engine_links (*links)(void *e); /* NULL: nothing to connect to */
};
extern const struct store_engine store_sqlite;
/* The first key behind all that begin with prefix, in to; absent: there is no end. */
slice engine_prefix_end(slice prefix, char to[STORE_KEY_MAX]) MUST_USE;
#endif
