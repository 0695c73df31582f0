#include "storages/cloud_private.h"
#include "wire/hex.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { NAME_KEPT_MAX = 1000 };

/* On a helper thread, one at a time for each upload. */
enum work {
    WORK_NONE,  /* only to come back later */
    WORK_SPOOL, /* hash and keep the block */
    WORK_SUM,   /* hash the part, and drop from the spool what is stored */
};

/* What the interface calls struct storage_put. Bytes go: filling -> (helper) writing -> spool -> an op of the storage. */
struct cloud_upload {
    struct cloud *c; /* NULL: the storage is closed */
    struct cloud_upload *next, **here;
    struct arena *a;
    struct loop *loop;
    const char *folder; /* of the spool */
    struct storage_put_events to;
    slice key, name, type, disposition, cache_control;
    int64_t size, max_bytes; /* size: taken so far */
    bool ended, aborted, told_to_wait, in_memory;

    char *filling, *writing;
    size_t n_filling, cap_filling, n_writing, cap_writing;
    enum work work;
    bool working;
    int fd;         /* the spool; -1: not begun */
    int64_t kept;   /* hashed and spooled */
    struct digest_stream *sha256, *whole, *part_stream;

    struct running *op;
    bool multi, summed;
    slice session;
    int64_t part_bytes;     /* of each part, as the provider said; 0: it did not */
    unsigned part;          /* the one under way, or the last; 0: none yet */
    int64_t from, bytes;    /* of it */
    bool last_part;
    struct digest part_sum;
    struct js_list marks;   /* slices */
    struct fault f, work_f; /* work_f: the helper's while it works */
};

static struct cloud_upload *upload_of(struct storage_put *p)
{
    return (struct cloud_upload *)(void *)p;
}
static void advance(struct cloud_upload *u);

/* ---- the helper's part ------------------------------------------------------------------------------------------------------ */

/* A file without a name: gone with the process. */
static bool spool_open(struct cloud_upload *u)
{
    u->fd = open(u->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (u->fd >= 0)
        return true;
    char path[1100];
    snprintf(path, sizeof(path), "%s/.spool-XXXXXX", u->folder); /* a file system that has no such files */
    u->fd = mkostemp(path, O_CLOEXEC);
    if (u->fd >= 0)
        unlink(path);
    return u->fd >= 0;
}

static bool spool_write(struct cloud_upload *u, slice s)
{
    for (int64_t at = u->kept; s.n;) {
        ssize_t n = pwrite(u->fd, s.p, s.n, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        s = slice_from(s, (size_t)n);
    }
    return true;
}

static void spool(struct cloud_upload *u)
{
    slice block = slice_mem(u->writing, u->n_writing);
    digest_update(u->sha256, block);
    if (u->whole)
        digest_update(u->whole, block);
    if (u->in_memory)
        return;
    if ((u->fd < 0 && !spool_open(u)) || !spool_write(u, block))
        fault(&u->work_f, errno == ENOSPC || errno == EDQUOT ? "storage_full" : "storage_failed", "",
              "the file cannot be kept in %s until it is stored: %s", u->folder, strerror(errno));
}

/* Bytes from `at`; what was spooled is there. */
static ssize_t upload_read(void *owner, int64_t at, char *buf, size_t n)
{
    struct cloud_upload *u = owner;
    if (!u->in_memory)
        return pread(u->fd, buf, n, at);
    slice s = slice_sub(slice_mem(u->writing, u->n_writing), (size_t)at, n);
    memcpy(buf, s.n ? s.p : "", s.n);
    return (ssize_t)s.n;
}

static void sum(struct cloud_upload *u)
{
    char block[CLOUD_BLOCK];
    digest_reset(u->part_stream);
    for (int64_t at = 0; at < u->bytes;) {
        ssize_t n = upload_read(u, u->from + at, block, (size_t)MIN((int64_t)sizeof(block), u->bytes - at));
        if (n <= 0) {
            fault(&u->work_f, "storage_failed", "", "the spooled file cannot be read: %s", strerror(errno));
            return;
        }
        digest_update(u->part_stream, slice_mem(block, (size_t)n));
        at += n;
    }
    u->part_sum = digest_now(u->part_stream);
}

static void work(void *arg)
{
    struct cloud_upload *u = arg;
    if (u->work == WORK_SPOOL)
        spool(u);
    if (u->work != WORK_SUM)
        return;
    if (u->fd >= 0 && u->from > 0) /* a file system that cannot keeps the bytes until the end */
        (void)fallocate(u->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, u->from);
    if (u->part_stream)
        sum(u);
}

/* ---- life --------------------------------------------------------------------------------------------------------------------- */

static void upload_free(struct cloud_upload *u)
{
    if (u->c) {
        *u->here = u->next;
        if (u->next)
            u->next->here = u->here;
    }
    if (u->fd >= 0)
        close(u->fd);
    digest_free(u->sha256);
    digest_free(u->whole);
    digest_free(u->part_stream);
    free(u->filling);
    free(u->writing);
    arena_free(u->a); /* u lives in it */
}

static void abort_done(void *owner, struct running *r, enum cloud_end end)
{
    (void)owner, (void)r, (void)end; /* where the right to abort is not given, the provider drops the parts by itself */
}

static void describe(const struct cloud_upload *u, struct running *r)
{
    struct cloud_op *op = &r->op;
    op->key = arena_dup(op->a, u->key);
    op->name = arena_dup(op->a, u->name);
    op->type = arena_dup(op->a, u->type);
    op->disposition = arena_dup(op->a, u->disposition);
    op->cache_control = arena_dup(op->a, u->cache_control);
    op->session = arena_dup(op->a, u->session);
}

/* No op of it goes on; what the provider has of it goes. */
static void upload_drop(struct cloud_upload *u)
{
    op_cancel(u->op);
    u->op = NULL;
    if (u->session.n && !u->c->state->closing) {
        struct running *r = op_new(u->c, CLOUD_ABORT, abort_done, NULL);
        describe(u, r);
        op_start(r);
    }
    u->session = SLICE_NONE;
}

static slice key_of(struct arena *a, const struct cloud *c, const struct storage_file *file)
{
    return arena_printf(a, SLF "%s" SLF "/" SLF "/" SLF "/" SLF, SLA(c->prefix), c->prefix.n ? "/" : "", SLA(storage_word(a, file->tenant)),
                        SLA(storage_word(a, file->conversation)), SLA(storage_word(a, file->id)), SLA(storage_safe_name(a, file->name, file->type)));
}

static void too_large(struct cloud_upload *u)
{
    fault(&u->f, "too_large", "", "the file has more than %lld bytes", (long long)u->max_bytes);
}

struct storage_put *cloud_put(struct storage *s, const struct storage_file *file, const struct storage_put_events *to)
{
    struct cloud *c = cloud_of(s);
    struct arena *a = arena_new();
    struct cloud_upload *u = ARENA_NEW(a, struct cloud_upload);
    slice type = slice_or(file->type, SL("application/octet-stream"));
    *u = (struct cloud_upload){ .c = c, .a = a, .to = *to, .fd = -1, .max_bytes = file->max_bytes, .loop = c->loop, .next = c->state->uploads, .here = &c->state->uploads };
    if (u->next)
        u->next->here = &u->next;
    c->state->uploads = u;
    u->folder = arena_cstr(a, slice_of(c->data));
    u->key = key_of(a, c, file);
    u->name = arena_dup(a, utf8_cut_bytes(utf8_repair(a, file->name), NAME_KEPT_MAX));
    u->type = arena_dup(a, storage_serve_type(type));
    u->disposition = storage_disposition(a, file->name, u->type);
    u->cache_control = arena_printf(a, "private, max-age=%lld", (long long)MIN(c->base.purge_ms / 1000, CLOUD_CACHE_MOST_S));
    u->sha256 = digest_new(DIGEST_SHA256);
    u->whole = c->type->sums_whole ? digest_new(c->type->whole_sum) : NULL;
    u->part_stream = c->type->sums_parts ? digest_new(c->type->part_sum) : NULL;
    if (file->length > file->max_bytes)
        too_large(u);
    return (struct storage_put *)(void *)u;
}

/* ---- the upload ----------------------------------------------------------------------------------------------------------------- */

static int64_t part_bytes(const struct cloud_upload *u, unsigned number)
{
    return u->part_bytes ? u->part_bytes : u->c->type->part_bytes << MIN((number - 1) / CLOUD_PARTS_STEP, 20u);
}

static bool all_kept(const struct cloud_upload *u)
{
    return u->ended && !u->working && u->n_filling == 0 && u->kept == u->size;
}

static slice sha256_hex(const struct cloud_upload *u, struct arena *a)
{
    struct digest d = digest_now(u->sha256);
    return hex_encode(a, slice_mem(d.b, d.n));
}

static void op_done(void *owner, struct running *r, enum cloud_end end);

static void op_begin(struct cloud_upload *u, enum cloud_job job)
{
    struct running *r = op_new(u->c, job, op_done, u);
    struct cloud_op *op = &r->op;
    describe(u, r);
    op->size = all_kept(u) ? u->size : -1;
    op->part = u->part;
    op->from = u->from;
    op->bytes = u->bytes;
    op->last_part = u->last_part;
    op->part_sum = u->part_sum;
    op->marks = u->marks.items;
    op->n_marks = u->marks.n;
    if (job == CLOUD_WHOLE || job == CLOUD_FINISH) {
        op->sha256 = sha256_hex(u, op->a);
        if (u->whole)
            op->whole_sum = digest_now(u->whole);
    }
    r->read = upload_read;
    u->op = r;
    op_start(r);
}

static void worked(void *arg)
{
    struct cloud_upload *u = arg;
    u->working = false;
    if (u->work == WORK_SPOOL)
        u->kept += (int64_t)u->n_writing;
    if (!u->f.code)
        u->f = u->work_f;
    advance(u);
}

static void start_work(struct cloud_upload *u, enum work what)
{
    u->working = true;
    u->work = what;
    loop_work(u->loop, work, worked, u);
}

/* The part is chosen: its sum first, where one is wanted. */
static void part_next(struct cloud_upload *u, int64_t bytes, bool last)
{
    u->from += u->bytes;
    u->bytes = bytes;
    u->part++;
    u->last_part = last;
    u->summed = true;
    start_work(u, WORK_SUM);
}

/* What can be sent now? */
static void upload(struct cloud_upload *u)
{
    const struct cloud_type *type = u->c->type;
    bool all = all_kept(u);
    if (u->op || u->working)
        return;
    if (u->summed) { /* its sum is there */
        u->summed = false;
        op_begin(u, u->multi ? CLOUD_PART : CLOUD_WHOLE);
    } else if (!u->multi && all && u->size <= type->single_bytes) {
        u->bytes = u->size;
        if (type->sums_parts && type->part_sum != DIGEST_SHA256) {
            u->summed = true;
            start_work(u, WORK_SUM);
            return;
        }
        u->part_sum = digest_now(u->sha256);
        op_begin(u, CLOUD_WHOLE);
    } else if (!u->multi && u->kept > type->single_bytes && (all || !type->length_first)) {
        u->multi = true;
        op_begin(u, CLOUD_BEGIN);
    } else if (u->multi) {
        int64_t left = u->kept - u->from - u->bytes, want = part_bytes(u, u->part + 1);
        if (left >= want || (all && left > 0))
            part_next(u, MIN(left, want), all && left <= want);
        else if (all)
            op_begin(u, CLOUD_FINISH);
    }
}

static void upload_end(struct cloud_upload *u, const struct storage_stored *stored)
{
    struct storage_put_events to = u->to;
    if (!stored)
        upload_drop(u);
    to.done(to.arg, stored, stored ? NULL : &u->f);
    upload_free(u);
}

static void op_done(void *owner, struct running *r, enum cloud_end end)
{
    struct cloud_upload *u = owner;
    struct cloud_op *op = &r->op;
    u->op = NULL;
    if (end != CLOUD_DONE) {
        if (!op->f.code)
            fault(&op->f, "storage_failed", "", "%s does not know this file any more", u->c->service);
        u->f = op->f;
        advance(u);
        return;
    }
    if (op->job == CLOUD_WHOLE || op->job == CLOUD_FINISH) {
        struct storage_stored stored = { op->handle, op->sha256, u->size };
        u->session = SLICE_NONE;
        upload_end(u, &stored);
        return;
    }
    if (op->job == CLOUD_BEGIN) {
        u->session = arena_dup(u->a, op->session);
        u->part_bytes = op->part_bytes;
    }
    if (op->job == CLOUD_PART)
        *LIST_ADD(u->a, &u->marks, slice) = arena_dup(u->a, op->mark);
    advance(u);
}

/* ---- the bytes -------------------------------------------------------------------------------------------------------------------- */

static bool must_wait(const struct cloud_upload *u)
{
    const struct cloud_type *type = u->c->type;
    int64_t ahead = u->multi ? 2 * part_bytes(u, u->part + 1) : type->single_bytes + 2 * type->part_bytes;
    bool spool_full = !type->length_first && u->size - u->from - u->bytes >= ahead;
    return u->f.code || u->n_filling >= CLOUD_BLOCK || spool_full || u->size > u->max_bytes;
}

static void spool_next(struct cloud_upload *u)
{
    char *block = u->writing;
    size_t cap = u->cap_writing;
    u->writing = u->filling, u->n_writing = u->n_filling, u->cap_writing = u->cap_filling;
    u->filling = block, u->n_filling = 0, u->cap_filling = cap;
    u->in_memory = u->ended && u->kept == 0;
    start_work(u, WORK_SPOOL);
}

/* After each thing that happened. While the helper works nothing is begun: it comes back here. */
static void advance(struct cloud_upload *u)
{
    if (u->working)
        return;
    if (!u->c || u->aborted) {
        upload_free(u);
        return;
    }
    if (!u->f.code && u->size > u->max_bytes)
        too_large(u);
    if (u->f.code) {
        upload_end(u, NULL);
        return;
    }
    upload(u);
    if (!u->working && (u->n_filling >= CLOUD_BLOCK || (u->ended && u->n_filling)))
        spool_next(u);
    if (u->told_to_wait && !u->ended && !must_wait(u)) {
        u->told_to_wait = false;
        u->to.more(u->to.arg);
    }
}

/* After bytes, or their end. What failed is told later, not from within. */
static void arrived(struct cloud_upload *u)
{
    bool failed = u->f.code || u->size > u->max_bytes;
    if (!failed)
        advance(u);
    else if (!u->working)
        start_work(u, WORK_NONE);
}

bool cloud_put_write(struct storage_put *p, slice bytes)
{
    struct cloud_upload *u = upload_of(p);
    assert(!u->ended && !u->aborted);
    u->size += (int64_t)bytes.n;
    if (u->size <= u->max_bytes) {
        if (u->cap_filling - u->n_filling < bytes.n) {
            u->cap_filling = MAX(u->n_filling + bytes.n, (size_t)CLOUD_BLOCK);
            u->filling = must_realloc(u->filling, u->cap_filling);
        }
        memcpy(u->filling + u->n_filling, bytes.p ? bytes.p : "", bytes.n);
        u->n_filling += bytes.n;
    }
    arrived(u);
    u->told_to_wait = must_wait(u);
    return !u->told_to_wait;
}

void cloud_put_end(struct storage_put *p)
{
    struct cloud_upload *u = upload_of(p);
    assert(!u->ended);
    u->ended = true;
    arrived(u);
}

void cloud_put_abort(struct storage_put *p)
{
    struct cloud_upload *u = upload_of(p);
    u->aborted = true;
    if (u->c)
        upload_drop(u);
    if (!u->working)
        upload_free(u);
}

void uploads_close(struct cloud *c)
{
    struct cloud_upload *u = c->state->uploads;
    c->state->uploads = NULL;
    for (struct cloud_upload *next; u; u = next) {
        next = u->next;
        struct fault f;
        fault(&f, "storage_failed", "", "the hub is stopping");
        upload_drop(u);
        u->c = NULL;
        if (!u->aborted)
            u->to.done(u->to.arg, NULL, &f);
        u->aborted = true;
        if (!u->working)
            upload_free(u);
    }
}
