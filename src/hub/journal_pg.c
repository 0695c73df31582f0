/* The io: what the journal writes becomes rows when it is synced. */
#include "hub/journal_pg-private.h"
#include <errno.h>
#include <unistd.h>

enum { KEPT_BYTES = 1 << 20 }; /* of a gathering buffer that was emptied */

/* ---- gathering ------------------------------------------------------------------------------------------------------------------- */

static struct pg_file *file_of(const struct journal_pg *p, int fd)
{
    for (size_t i = 0; i < p->n_open; i++)
        if (p->open[i]->fd == fd)
            return p->open[i];
    return NULL;
}

void pg_file_free(struct pg_file *file)
{
    free(file->buf);
    free(file->pieces);
    free(file);
}

static void emptied(struct pg_file *file)
{
    file->n = file->n_pieces = 0;
    if (file->cap <= KEPT_BYTES)
        return;
    free(file->buf);
    file->buf = NULL;
    file->cap = 0;
}

static void copy_opened(void *ctx, int fd, const char *name)
{
    struct journal_pg *p = ctx;
    struct pg_file *file = file_of(p, fd);
    if (!file) {
        p->open = must_realloc(p->open, (p->n_open + 1) * sizeof(struct pg_file *));
        file = p->open[p->n_open++] = must_calloc(1, sizeof(*file));
    }
    emptied(file);
    file->fd = fd;
    file->broken = false;
    snprintf(file->name.text, sizeof(file->name.text), "%s", name);
}

static void gather(struct pg_file *file, const void *from, size_t n, int64_t at)
{
    struct pg_piece *last = file->n_pieces ? &file->pieces[file->n_pieces - 1] : NULL;
    if (file->cap - file->n < n) {
        file->cap = MAX(file->cap * 2, file->n + n);
        file->buf = must_realloc(file->buf, file->cap);
    }
    memcpy(file->buf + file->n, from, n);
    if (last && last->at + (int64_t)last->n == at) {
        last->n += n;
    } else {
        if (file->n_pieces == file->cap_pieces) {
            file->cap_pieces = file->cap_pieces ? file->cap_pieces * 2 : 4;
            file->pieces = must_realloc(file->pieces, file->cap_pieces * sizeof(*file->pieces));
        }
        file->pieces[file->n_pieces++] = (struct pg_piece){ at, file->n, n };
    }
    file->n += n;
}

/* To a descriptor that nobody opened as a segment it writes here only, and a sync of that one fails. */
static int copy_write(void *ctx, int fd, const void *from, size_t n, off_t at)
{
    struct pg_file *file = file_of(ctx, fd);
    int e = jio_system.write(NULL, fd, from, n, at);
    if (!e && n && file && !file->broken)
        gather(file, from, n, at);
    return e;
}

static int copy_allocate(void *ctx, int fd, off_t size)
{
    (void)ctx;
    return ftruncate(fd, size) == 0 ? 0 : errno;
}

static void copy_removed(void *ctx, const char *name)
{
    struct journal_pg *p = ctx;
    pthread_mutex_lock(&p->lock);
    if (p->n_removed == p->cap_removed) {
        p->cap_removed = p->cap_removed ? p->cap_removed * 2 : 8;
        p->removed = must_realloc(p->removed, p->cap_removed * sizeof(*p->removed));
    }
    snprintf(p->removed[p->n_removed++].text, PG_FILE_NAME_MAX, "%s", name);
    pthread_mutex_unlock(&p->lock);
}

/* ---- the fence ------------------------------------------------------------------------------------------------------------------- */

static void tell_lost(void *arg)
{
    struct journal_pg *p = arg;
    p->told(p->told_arg);
}

static bool is_fenced(struct journal_pg *p)
{
    pthread_mutex_lock(&p->lock);
    bool is = p->numbers.fenced;
    pthread_mutex_unlock(&p->lock);
    return is;
}

static void fenced(struct journal_pg *p)
{
    pthread_mutex_lock(&p->lock);
    bool first = !p->numbers.fenced;
    p->numbers.fenced = true;
    if (first && p->loop)
        loop_post(p->loop, tell_lost, p);
    pthread_mutex_unlock(&p->lock);
}

struct looked {
    int64_t epoch;
};

static void see_epoch(void *arg, const struct pg_row *row)
{
    ((struct looked *)arg)->epoch = pg_number(row, 0);
}

/* The line is locked. False: the server does not answer, and nobody knows. */
static bool look(struct journal_pg *p, struct pg_line *line, struct fault *f)
{
    struct looked seen = { -1 };
    struct pg_args args = { 0 };
    pg_int(&args, p->shard);
    if (!pg_read(line->pg, JST_LOOK, &args, see_epoch, &seen, f))
        return false;
    if (seen.epoch != p->epoch)
        fenced(p);
    return true;
}

/* The line is locked. */
static void asked(struct journal_pg *p, struct pg_line *line, bool answered)
{
    pthread_mutex_lock(&p->lock);
    p->numbers.reachable = answered;
    pg_links(line->pg, &line->made, &line->lost);
    p->numbers.made = p->segments.made + p->files.made;
    p->numbers.lost = p->segments.lost + p->files.lost;
    pthread_mutex_unlock(&p->lock);
}

static void look_work(struct job *job)
{
    struct journal_pg *p = CONTAINER_OF(job, struct journal_pg, look_job);
    struct fault f = { 0 };
    pthread_mutex_lock(&p->files.lock);
    asked(p, &p->files, look(p, &p->files, &f));
    pthread_mutex_unlock(&p->files.lock);
}

static void look_due(void *arg)
{
    struct journal_pg *p = arg;
    if (!is_fenced(p))
        disk_submit(p->look, &p->look_job);
}

static void look_done(struct job *job)
{
    struct journal_pg *p = CONTAINER_OF(job, struct journal_pg, look_job);
    if (p->looking)
        loop_timer_start(p->loop, &p->look_timer, JOURNAL_PG_LOOK_MS, look_due, p);
}

void journal_pg_watch(struct journal_pg *p, struct loop *loop, void (*lost)(void *arg), void *arg)
{
    assert(!p->loop);
    pthread_mutex_lock(&p->lock);
    p->loop = loop;
    p->told = lost;
    p->told_arg = arg;
    if (p->numbers.fenced)
        loop_post(loop, tell_lost, p);
    pthread_mutex_unlock(&p->lock);
    p->look = disk_new(loop);
    p->look_job = (struct job){ .work = look_work, .done = look_done };
    p->looking = p->look != NULL; /* without a thread every sync still finds out */
    if (p->looking)
        loop_timer_start(loop, &p->look_timer, JOURNAL_PG_LOOK_MS, look_due, p);
}

/* ---- commits --------------------------------------------------------------------------------------------------------------------- */

struct commit {
    struct journal_pg *p;
    struct pg *pg;
    struct fault f;
    uint64_t rows, bytes;
};

static bool remove_file(struct commit *co, const char *name)
{
    struct pg_args args = { 0 };
    pg_int(&args, co->p->shard);
    pg_bytes(&args, slice_of(name));
    return pg_write(co->pg, JST_REMOVE, &args, &co->f);
}

static int64_t now_ms(const struct journal_pg *p)
{
    return p->io.wall_ms(p->io.ctx);
}

static bool put_parts(struct commit *co, const char *name, int64_t at, slice bytes, int64_t at_ms)
{
    for (size_t from = 0; from < bytes.n; from += PG_PART_BYTES) {
        struct pg_args args = { 0 };
        slice part = slice_sub(bytes, from, PG_PART_BYTES);
        pg_int(&args, co->p->shard);
        pg_bytes(&args, slice_of(name));
        pg_int(&args, at + (int64_t)from);
        pg_int(&args, at_ms);
        pg_bytes(&args, part);
        if (!pg_write(co->pg, JST_PART, &args, &co->f))
            return false;
        co->rows++;
        co->bytes += part.n;
    }
    return true;
}

/* What was removed a moment ago may be back: where a commit before this one was given up for lost and came through after all, while our rows waited for its own.
 * A statement sees what was committed before it began, so this one comes last. */
static bool cut_file(struct commit *co, const char *name, int64_t at)
{
    struct pg_args args = { 0 };
    pg_int(&args, co->p->shard);
    pg_bytes(&args, slice_of(name));
    pg_int(&args, at);
    return pg_write(co->pg, JST_CUT, &args, &co->f);
}

static bool hold_fence(struct commit *co)
{
    struct pg_args args = { 0 };
    pg_int(&args, co->p->shard);
    pg_int(&args, co->p->epoch);
    return pg_write(co->pg, JST_FENCE, &args, &co->f);
}

static bool was_cut(const struct fault *f)
{
    return f->code && (strcmp(f->code, "store_lost") == 0 || strcmp(f->code, "store_unknown") == 0);
}

static void count(struct journal_pg *p, const struct commit *co, bool ok, int64_t us)
{
    pthread_mutex_lock(&p->lock);
    struct journal_pg_numbers *n = &p->numbers;
    n->syncs += ok;
    n->failed += !ok;
    n->rows += ok ? co->rows : 0;
    n->bytes += ok ? co->bytes : 0;
    n->last_us = us;
    n->sync_us += us;
    p->fault = ok ? (struct fault){ 0 } : co->f;
    pthread_mutex_unlock(&p->lock);
}

/* One transaction of what write writes, done again when the connection is lost: the rows are the same ones. 0 or an errno. */
static int commit(struct journal_pg *p, struct pg_line *line, bool (*write)(struct commit *co, void *arg), void *arg)
{
    int64_t begun_us = time_mono_us(), until_ms = time_mono_ms() + JOURNAL_PG_PATIENCE_MS;
    struct commit co;
    bool ok = false;
    if (is_fenced(p))
        return ESTALE;
    pthread_mutex_lock(&line->lock);
    do {
        co = (struct commit){ .p = p, .pg = line->pg };
        ok = pg_begin(line->pg, &co.f) && hold_fence(&co) && write(&co, arg) && pg_commit(line->pg, &co.f);
        if (!ok)
            pg_rollback(line->pg);
    } while (!ok && was_cut(&co.f) && time_mono_ms() < until_ms);
    struct fault unseen = { 0 };
    asked(p, line, ok || look(p, line, &unseen));
    pthread_mutex_unlock(&line->lock);
    count(p, &co, ok, time_mono_us() - begun_us);
    return ok ? 0 : is_fenced(p) ? ESTALE : EIO;
}

/* ---- segments -------------------------------------------------------------------------------------------------------------------- */

struct segment_write {
    struct pg_file *file; /* NULL: only what is to be removed */
    struct pg_file_name *removed;
    size_t n_removed;
};

/* What was removed goes first: a segment whose begin failed, and may be there all the same, is begun again under the same name. */
static bool write_segment(struct commit *co, void *arg)
{
    const struct segment_write *w = arg;
    bool ok = true;
    for (size_t i = 0; ok && i < w->n_removed; i++)
        ok = remove_file(co, w->removed[i].text);
    const struct pg_file *file = w->file;
    if (!file)
        return ok;
    for (size_t i = 0; ok && i < file->n_pieces; i++)
        ok = put_parts(co, file->name.text, file->pieces[i].at, slice_mem(file->buf + file->pieces[i].from, file->pieces[i].n), now_ms(co->p));
    const struct pg_piece *first = file->pieces, *last = first + file->n_pieces - 1;
    return ok && (first->at != 0 || cut_file(co, file->name.text, last->at + (int64_t)last->n)); /* it is being begun */
}

static int commit_segment(struct journal_pg *p, struct pg_file *file)
{
    struct segment_write w = { .file = file };
    pthread_mutex_lock(&p->lock);
    w.removed = p->removed;
    w.n_removed = p->n_removed;
    p->removed = NULL;
    p->n_removed = p->cap_removed = 0;
    pthread_mutex_unlock(&p->lock);
    int e = commit(p, &p->segments, write_segment, &w);
    for (size_t i = 0; e && i < w.n_removed; i++) /* it may have come through; twice is not wrong */
        copy_removed(p, w.removed[i].text);
    free(w.removed);
    return e;
}

static int copy_sync(void *ctx, int fd)
{
    struct journal_pg *p = ctx;
    struct pg_file *file = file_of(p, fd);
    if (!file || file->broken)
        return EIO;
    if (!file->n)
        return is_fenced(p) ? ESTALE : 0;
    int e = commit_segment(p, file);
    emptied(file);
    file->broken = e != 0;
    return e;
}

/* ---- whole files ----------------------------------------------------------------------------------------------------------------- */

struct file_write {
    const char *name;
    slice content;
    int64_t at_ms;
};

static bool write_file(struct commit *co, void *arg)
{
    const struct file_write *w = arg;
    return remove_file(co, w->name) && put_parts(co, w->name, 0, w->content, w->at_ms) && cut_file(co, w->name, (int64_t)w->content.n);
}

int journal_pg_put(struct journal_pg *p, const char *name, slice content, int64_t at_ms)
{
    return commit(p, &p->files, write_file, &(struct file_write){ name, content, at_ms });
}

static int copy_replaced(void *ctx, const char *name, slice content)
{
    struct journal_pg *p = ctx;
    return journal_pg_put(p, name, content, now_ms(p));
}

static bool write_clear(struct commit *co, void *arg)
{
    struct pg_args args = { 0 };
    (void)arg;
    pg_int(&args, co->p->shard);
    return pg_write(co->pg, JST_CLEAR, &args, &co->f);
}

int journal_pg_clear(struct journal_pg *p)
{
    return commit(p, &p->files, write_clear, NULL);
}

/* ---- questions and the end --------------------------------------------------------------------------------------------------------- */

void journal_pg_init_io(struct journal_pg *p)
{
    p->io = jio_system;
    p->io.write = copy_write;
    p->io.sync = copy_sync;
    p->io.allocate = copy_allocate;
    p->io.opened = copy_opened;
    p->io.replaced = copy_replaced;
    p->io.removed = copy_removed;
    p->io.ctx = p;
}

const struct jio *journal_pg_io(struct journal_pg *p)
{
    return &p->io;
}

struct journal_pg_numbers journal_pg_numbers(struct journal_pg *p)
{
    pthread_mutex_lock(&p->lock);
    struct journal_pg_numbers n = p->numbers;
    pthread_mutex_unlock(&p->lock);
    return n;
}

void journal_pg_fault(struct journal_pg *p, struct fault *ret)
{
    pthread_mutex_lock(&p->lock);
    *ret = p->fault;
    pthread_mutex_unlock(&p->lock);
}

static bool write_leave(struct commit *co, void *arg)
{
    struct pg_args args = { 0 };
    pg_int(&args, co->p->shard);
    pg_bytes(&args, slice_of(co->p->leave));
    return write_segment(co, arg) && pg_write(co->pg, JST_LEAVE, &args, &co->f);
}

void journal_pg_leave(struct journal_pg *p, const char *holder)
{
    snprintf(p->leave, sizeof(p->leave), "%s", holder);
}

void journal_pg_close(struct journal_pg *p)
{
    if (!p)
        return;
    if (p->look) {
        p->looking = false;
        loop_timer_done(&p->look_timer);
        disk_free(p->look);
    }
    if (!is_fenced(p)) {
        struct segment_write w = { .removed = p->removed, .n_removed = p->n_removed };
        (void)commit(p, &p->segments, write_leave, &w); /* what is not removed now takes room only */
    }
    if (p->loop)
        loop_post_cancel(p->loop, tell_lost, p);
    pg_close(p->segments.pg);
    pg_close(p->files.pg);
    for (size_t i = 0; i < p->n_open; i++)
        pg_file_free(p->open[i]);
    free(p->open);
    free(p->removed);
    pthread_mutex_destroy(&p->segments.lock);
    pthread_mutex_destroy(&p->files.lock);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
