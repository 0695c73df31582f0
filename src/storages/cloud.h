/* cloud.h - what the storages behind HTTP have in common, so that each provider is only: how a request is made, how its answer is read.
 *
 * A provider is one pure function, step, in the shape of a connector's deliver: it fills op->call and returns CLOUD_CALL; it is asked again with the answer in
 * op->last, until it says how the op ended. The framework does the rest:
 *
 *   put      Bytes are pushed in by the fetch, hashed and spooled to a file without a name on a helper thread, 64 KiB at a time. A file up to single_bytes is
 *            one CLOUD_WHOLE when it is complete (up to 64 KiB it never touches the disk); a longer one is CLOUD_BEGIN, CLOUD_PART for each part as
 *            soon as the part is there, CLOUD_FINISH. A part that fails is sent again from the spool, without asking the sender; what is stored already
 *            leaves the spool. When the spool is `ahead` of the upload, the fetch is paused. On failure: CLOUD_ABORT.
 *   get      CLOUD_GET, streamed with a pause when 64 KiB wait to be read; a connection that breaks is resumed with a range.
 *   tries    An op that ends with CLOUD_AGAIN is begun anew (step 0, last NULL), CLOUD_TRIES times, after 0.5 s, doubling to 32 s, with jitter, or
 *            when Retry-After says; waits after CLOUD_NOT_YET are not counted among them. Each try is signed anew. Every op must therefore be harmless when
 *            repeated.
 *   token    type->token: CLOUD_TOKEN is run when there is none, one at a time, its result is shared and dropped after a 401.
 *   clock    cloud_now_ms is this machine's clock, moved by what cloud_learn_clock learned: providers refuse requests signed minutes off.
 *
 * Adding a provider
 *   1. src/storages/NAME/NAME.c: settings, struct cloud_type, step, url; CLOUD_STORAGE in its struct storage_type. One exported symbol, storage_type_NAME.
 *   2. STORAGE(NAME) in storages.def, its file in storages/meson.build, docs/storages/NAME.md, facts in docs/wire/storage.md.
 *   3. tests/conformance: against the real service's stand-in, and its SDK.
 *
 * Memory   two blocks of 64 KiB a put, one a get, and what a request takes: no matter how long the file is.
 * Threads  loop thread; hashing and writing the spool on helper threads. The spool is read on the loop: its pages were written moments ago.
 */
#ifndef STORAGES_CLOUD_H
#define STORAGES_CLOUD_H
#include "hub/storage.h"
#include "net/client.h"
#include "wire/digest.h"

enum {
    CLOUD_BLOCK = 65536,
    CLOUD_TRIES = 5,
    CLOUD_WAITS = 600,              /* for what takes its time … */
    CLOUD_WAIT_MS = 500,            /* … each so long, or as Retry-After says */
    CLOUD_HEADERS_MAX = 20,
    CLOUD_PARTS_MAX = 10000,        /* Amazon's limit, the smallest */
    CLOUD_PARTS_STEP = 1000,        /* after so many parts they are twice as long: a TiB fits into CLOUD_PARTS_MAX of 8 MiB and more */
    CLOUD_CALL_MS = 30000,          /* longest wait for an answer … */
    CLOUD_SLOWEST_BYTES_S = 65536,  /* … and how slow a body may go besides */
    CLOUD_GET_MS = 900000,          /* a reader may be slow */
    CLOUD_CACHE_MOST_S = 3600,      /* caches may keep a file so long, or as long as its purge delay */
};

enum cloud_job { CLOUD_TOKEN, CLOUD_WHOLE, CLOUD_BEGIN, CLOUD_PART, CLOUD_FINISH, CLOUD_ABORT, CLOUD_GET, CLOUD_DELETE, CLOUD_LINK };
enum cloud_end {
    CLOUD_CALL,    /* make op->call, step again */
    CLOUD_DONE,    /* what the job wants to have set is set */
    CLOUD_AGAIN,   /* not now; op->f says why, op->retry_ms when at the earliest */
    CLOUD_NOT_YET, /* the same, but nothing is wrong: what was asked for takes its time */
    CLOUD_GONE,    /* GET, DELETE, LINK: there is no such file */
    CLOUD_FAILED,  /* never; op->f says why */
};

struct cloud_call {
    const char *method;
    slice url;
    struct header headers[CLOUD_HEADERS_MAX];
    size_t n_headers;
    slice body;
    bool part_body;          /* the body is the part's bytes (of CLOUD_WHOLE: the file's), streamed from the spool … */
    int64_t skip;            /* … but for its first bytes, which are stored already … */
    slice before, behind;    /* … between these */
    bool no_token;
    unsigned max_redirects;
};
struct cloud_op {
    struct cloud *c;
    enum cloud_job job;
    struct arena *a; /* lives as long as the op */
    int step;        /* 0 at the beginning of each try */
    unsigned attempt;
    const struct answer *last; /* NULL at the beginning of each try */
    struct cloud_call call;
    struct fault f;
    int64_t retry_ms;
    slice token;     /* the header "Authorization", if type->token; CLOUD_TOKEN sets it … */
    int64_t token_s; /* … and how long it works */

    /* Of a put: what it is, … */
    slice key;         /* PREFIX/TENANT/CONVERSATION/ID/NAME, each a safe word; unique, not to be guessed */
    slice type, disposition, cache_control; /* to be served with */
    slice name;        /* as the sender said */
    int64_t size;      /* of the file; -1: not known yet (BEGIN, PART) */
    struct digest whole_sum; /* of the file, by type->whole_sum; WHOLE and FINISH */
    slice sha256;      /* of the file, hex; WHOLE and FINISH */
    unsigned part;     /* 1, 2 … */
    int64_t from, bytes; /* of this part; of CLOUD_WHOLE: the file */
    bool last_part;
    struct digest part_sum; /* by type->part_sum */
    slice session;     /* CLOUD_BEGIN sets it, for the ops behind it … */
    int64_t part_bytes; /* … and may set this, where the provider says how long each part but the last must be; 0: as type->part_bytes says */
    slice mark;        /* CLOUD_PART may set it … */
    const slice *marks; /* … CLOUD_FINISH has all of them */
    size_t n_marks;
    /* … and of a stored file. WHOLE and FINISH set handle (JSON text). GET: from is where to read on, bytes how many or -1. */
    slice handle;
    struct storage_link link;
    slice url; /* CLOUD_LINK sets it */
};

struct cloud_type {
    enum cloud_end (*step)(struct cloud_op *op);
    int64_t single_bytes;  /* longest file that is one CLOUD_WHOLE */
    int64_t part_bytes;    /* of the first parts */
    bool length_first;     /* CLOUD_BEGIN must know the file's size: all is spooled before */
    bool token;
    bool sums_parts, sums_whole; /* are the two that follow wanted? */
    enum digest_kind part_sum, whole_sum;
};

struct cloud { /* the first member of each provider's own struct */
    struct storage base;
    const struct cloud_type *type;
    struct loop *loop;
    struct client *const *client;
    const slice *settings;
    const char *data;
    struct arena *a; /* lives as long as the storage; holds it */
    slice prefix;    /* of keys; without slashes at its ends; may be empty */
    const char *service; /* for people: "Amazon S3" */
    int64_t clock_ms;
    void (*done)(struct cloud *c); /* frees what the provider's own struct holds outside the arena; NULL: nothing */
    struct cloud_state *state;
};
/* A provider's own struct of this size, zeroed but for its struct cloud, which is its first member. */
void *cloud_new(const struct storage_setup *setup, const struct storage_type *st, const struct cloud_type *type, size_t size) MUST_USE;

/* The members of struct storage_type that are the same for all. */
#define CLOUD_STORAGE                                                                                                                         \
    .close = cloud_close, .put = cloud_put, .put_write = cloud_put_write, .put_end = cloud_put_end, .put_abort = cloud_put_abort, .get = cloud_get, \
    .get_read = cloud_get_read, .get_close = cloud_get_close, .del = cloud_delete
void cloud_close(struct storage *s);
struct storage_put *cloud_put(struct storage *s, const struct storage_file *file, const struct storage_put_events *to);
bool cloud_put_write(struct storage_put *p, slice bytes);
void cloud_put_end(struct storage_put *p);
void cloud_put_abort(struct storage_put *p);
struct storage_get *cloud_get(struct storage *s, slice handle, int64_t from, int64_t n, void (*ready)(void *arg), void *arg);
ssize_t cloud_get_read(struct storage_get *g, char *buf, size_t n);
void cloud_get_close(struct storage_get *g);
void cloud_delete(struct storage *s, slice handle, void (*done)(void *arg, enum storage_end end, const struct fault *f), void *arg);
/* For providers whose links take a call: .ask = cloud_ask runs CLOUD_LINK. */
void cloud_ask(struct storage *s, slice handle, const struct storage_link *link, void (*done)(void *arg, slice url, const struct fault *f), void *arg);

/* ---- what steps need ------------------------------------------------------------------------------------------------------ */

static inline slice cloud_setting(const struct cloud *c, unsigned i)
{
    return c->settings[i];
}
void cloud_header(struct cloud_call *call, const char *name, slice value); /* nothing when value is empty */
/* Value of the field Range for a GET; absent: all of it is wanted. */
slice cloud_range(struct cloud_op *op) MUST_USE;
/* A folder's name without slashes at its ends. */
slice cloud_folder(slice s);
/* An address that people fetch files below, in place of the provider's own: by https, because such a link is the only secret; on this machine also without. */
bool cloud_cdn_good(slice url, const char *setting, struct fault *f) MUST_USE;
int64_t cloud_now_ms(const struct cloud *c);
/* The answer says the request was signed too early or too late: true when its Date taught something new, so that it can be signed again. */
bool cloud_learn_clock(struct cloud *c, const struct answer *r);

/* What a provider's error codes mean to an operator. */
struct cloud_advice {
    const char *code;   /* as in the answer; NULL: any */
    int status;         /* 0: any */
    enum cloud_end end; /* CLOUD_AGAIN, CLOUD_FAILED or CLOUD_GONE */
    const char *text;   /* what to do; completes "Amazon S3 answers 403 AccessDenied: …" */
};
/* Fills op->f from op->last and the first row that matches, and says how to go on. Without a row: no answer, 408, 425, 429 and 5xx are CLOUD_AGAIN; others
 * CLOUD_FAILED. code may be empty. */
enum cloud_end cloud_error(struct cloud_op *op, slice code, const struct cloud_advice *rows, size_t n);
/* The bytes the other side has are not those that were sent. */
enum cloud_end cloud_corrupt(struct cloud_op *op);
#endif
