/* storage.h - where attachments live: what local disk, S3, Azure Blob, Google Cloud Storage, Box and Dropbox have in common.
 *
 * A kind of storage is one const table (struct storage_type) and one line in storages.def; a storage is a configured instance of it. What those behind
 * HTTP share (parts, retries, tokens, checksums) is in storages/cloud.h: see there how one is added.
 *
 *   struct storage_put *p = storage_put(st, &file, &events);     then, from the download's sink:
 *   if (!storage_put_write(p, bytes)) client_pause(call);        events.more: client_resume(call)
 *   storage_put_end(p);                                          events.done: handle, size, SHA-256 - or why not
 *   slice url = storage_url(st, a, handle, &link);
 *
 * Streams    neither side holds a whole file. Bytes are pushed into a put, which asks for a pause; they are pulled out of a get, whose read has the
 *            shape of struct client_call's source, so that a stored file can be uploaded to a network as it is read.
 * Handle     the storage's own JSON text; kept with the attachment together with the storage's name, because tenants may move on.
 * Ids        an attachment's id has 128 random bits or more (storage_id): where links are public it is the only secret. A put
 *            with the id of an earlier one replaces it.
 * Errors     every put and delete ends with exactly one done, on the loop, never from within the call that caused it. Fault codes: "too_large" (over
 *            file.max_bytes), "storage_full", "storage_failed" (try again), "storage_refused" (credentials, settings: do not).
 * Threads    loop thread. What blocks is done elsewhere.
 */
#ifndef HUB_STORAGE_H
#define HUB_STORAGE_H
#include "hub/setting.h"

struct client;
struct loop;
struct storage;
struct storage_put;
struct storage_get;

struct storage_file {
    slice tenant;       /* slug */
    slice conversation; /* any text */
    slice id;
    slice name, type;   /* as the sender said; may be absent */
    int64_t length;     /* -1: unknown */
    int64_t max_bytes;
};
struct storage_stored {
    slice handle, sha256; /* valid during done; sha256: lower-case hex */
    int64_t size;
};
struct storage_put_events {
    void (*more)(void *arg); /* after a write returned false: go on */
    /* The put is gone, whether it was ended or not. s NULL: f says why. */
    void (*done)(void *arg, const struct storage_stored *s, const struct fault *f);
    void *arg;
};
enum storage_audience { STORAGE_FOR_GUEST, STORAGE_FOR_DESK };
struct storage_link {
    enum storage_audience audience;
    slice name;        /* file name at the link's end */
    slice type;        /* as stored: tells whether a browser may show it in place */
    int64_t expires_s; /* seconds since 1970; 0: lives until the file is deleted. Not beyond storage.link_max_s (media_link.h cares for that) */
    bool head;         /* for a HEAD request: some signatures cover the method */
};
enum storage_end { STORAGE_OK, STORAGE_GONE, STORAGE_LATER, STORAGE_FAILED }; /* of a delete; GONE is as good as OK */
enum { STORAGE_WAIT = -2 };                                                  /* = CLIENT_PAUSE */

#define STORAGE_LOCAL "local" /* the name of the local disk, which is always there */

struct storage_setup { /* what a storage is opened with */
    slice name;             /* as configured: unique, kept with each attachment */
    const slice *settings;  /* indexed like type->settings; checked, defaults filled in; {NULL,0}: absent. Live as long as the storage */
    struct loop *loop;
    struct client *const *client; /* NULL there once the hub stops */
    const char *data;       /* the hub's folder, for files that exist only while something is stored */
};
struct storage_type {
    const char *name, *title;
    const struct setting *settings;
    size_t n_settings;
    /* More than settings rows can say: is this combination good? NULL: yes. f->field may name one. */
    bool (*check)(const slice *settings, struct fault *f);
    struct storage *(*open)(const struct storage_setup *setup, struct fault *f); /* makes no calls. NULL: see *f */
    void (*close)(struct storage *s); /* when no put, get or delete is open */
    struct storage_put *(*put)(struct storage *s, const struct storage_file *file, const struct storage_put_events *to);
    bool (*put_write)(struct storage_put *p, slice bytes);
    void (*put_end)(struct storage_put *p);
    void (*put_abort)(struct storage_put *p);
    slice (*url)(struct storage *s, struct arena *a, slice handle, const struct storage_link *link);
    /* Where a link cannot be made without the network: then url is NULL, or gives none; people get a link of the hub, and each click asks. Else NULL. */
    void (*ask)(struct storage *s, slice handle, const struct storage_link *link, void (*done)(void *arg, slice url, const struct fault *f),
                void *arg);
    /* What to look at when a link of ours does not open, though the file was stored; NULL: nothing to add. */
    const char *(*link_hint)(struct storage *s, int status);
    struct storage_get *(*get)(struct storage *s, slice handle, int64_t from, int64_t n, void (*ready)(void *arg), void *arg);
    ssize_t (*get_read)(struct storage_get *g, char *buf, size_t n);
    void (*get_close)(struct storage_get *g);
    void (*del)(struct storage *s, slice handle, void (*done)(void *arg, enum storage_end end, const struct fault *f), void *arg);
};
struct storage { /* the first member of each storage's own struct */
    const struct storage_type *type;
    slice name; /* "local": kept with each attachment */
    int64_t link_max_s; /* its links live no longer than this; 0: as long as one likes */
    int64_t purge_ms;   /* its attachments live so long after their conversation closed */
    /* What the last check found: set by who probes (hub/storage_set.h). */
    bool checked;
    struct fault trouble;
    const char *remark; /* what one should know though it works; NULL: nothing */
};

static inline void storage_close(struct storage *s)
{
    if (s)
        s->type->close(s);
}
static inline struct storage_put *storage_put(struct storage *s, const struct storage_file *file, const struct storage_put_events *to)
{
    return s->type->put(s, file, to);
}
/* Takes all bytes. false: wait for more() before the next write. */
static inline bool storage_put_write(struct storage *s, struct storage_put *p, slice bytes)
{
    return s->type->put_write(p, bytes);
}
static inline void storage_put_end(struct storage *s, struct storage_put *p)
{
    s->type->put_end(p);
}
/* No event follows; nothing of it stays. */
static inline void storage_put_abort(struct storage *s, struct storage_put *p)
{
    s->type->put_abort(p);
}
/* Absolute; {NULL,0}: this is no handle of this storage, or it makes links only when asked. Made without network. */
static inline slice storage_url(struct storage *s, struct arena *a, slice handle, const struct storage_link *link)
{
    return s->type->url ? s->type->url(s, a, handle, link) : SLICE_NONE;
}
/* The same from any storage: done is called now, or later where it takes a call. url {NULL,0}: f says why. */
void storage_ask(struct storage *s, slice handle, const struct storage_link *link, void (*done)(void *arg, slice url, const struct fault *f), void *arg);
/* n bytes from `from`; n -1: to the end. */
static inline struct storage_get *storage_get(struct storage *s, slice handle, int64_t from, int64_t n, void (*ready)(void *arg), void *arg)
{
    return s->type->get(s, handle, from, n, ready, arg);
}
/* How many bytes; 0: the end; -1: failed; STORAGE_WAIT: ready(arg) will be called once, then read again. */
static inline ssize_t storage_get_read(struct storage *s, struct storage_get *g, char *buf, size_t n)
{
    return s->type->get_read(g, buf, n);
}
static inline void storage_get_close(struct storage *s, struct storage_get *g)
{
    s->type->get_close(g);
}
static inline void storage_delete(struct storage *s, slice handle, void (*done)(void *arg, enum storage_end end, const struct fault *f),
                                  void *arg)
{
    s->type->del(s, handle, done, arg);
}

/* Stores a few bytes, fetches them by their link (client NULL: does not), deletes them again. f NULL: the storage works; else what an operator
 * needs to know. */
void storage_probe(struct storage *s, struct client *client, void (*done)(void *arg, const struct fault *f), void *arg);

/* The list, from storages.def. NULL: there is no such kind. */
extern const struct storage_type *const storage_types[];
extern const size_t n_storage_types;
const struct storage_type *storage_type_find(slice name);

/* ---- what all storages need ------------------------------------------------------------------------------------------------ */

enum { STORAGE_ID_BYTES = 33, STORAGE_WORD_MAX = 64, STORAGE_NAME_MAX = 100, STORAGE_SHOWN_MAX = 200 };
void storage_id(char ret[STORAGE_ID_BYTES]); /* 32 hex digits */
/* [A-Za-z0-9_-]{1,64}: may be part of a path */
bool storage_word_ok(slice s);
/* The same word for the same text: itself where storage_word_ok, else made of it by SHA-256. */
slice storage_word(struct arena *a, slice text) MUST_USE;
/* For keys and URLs: [A-Za-z0-9._-], at most STORAGE_NAME_MAX, the extension kept; "file.jpg" by type where nothing is left. */
slice storage_safe_name(struct arena *a, slice name, slice type) MUST_USE;
/* For people, of a file that somebody uploads: its own name in whatever script, without paths, control characters and marks that turn the direction of writing
 * (which could make an ending look like another). Safe where nothing is left, or it is over STORAGE_SHOWN_MAX bytes. */
slice storage_shown_name(struct arena *a, slice name, slice type) MUST_USE;
/* May a browser show it in place? Only pictures, sound, films and PDF. */
bool storage_is_inline(slice type);
/* The type to serve it with: what could run scripts becomes application/octet-stream. */
slice storage_serve_type(slice type);
/* Content-Disposition's value: inline or attachment, with the real name (RFC 6266). */
slice storage_disposition(struct arena *a, slice name, slice type) MUST_USE;
#endif
