#include "journal/log.h"
#include "journal/record.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEG_MAGIC UINT64_C(0x31676f6c6e677264) /* "drgnlog1" */
enum { READ_AHEAD = 128 << 10 };

static void file_name(char buf[32], uint32_t no)
{
    snprintf(buf, 32, "%08u.log", no);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

uint32_t *log_list(int dirfd, size_t *ret_n)
{
    size_t n = 0, cap = 16;
    uint32_t *list = must_malloc(cap * sizeof(*list));
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        slice name = slice_of(e->d_name);
        int64_t no;
        if (!slice_ends(name, SL(".log")) || !slice_int(slice_sub(name, 0, name.n - 4), &no) || no <= 0 || no >= UINT32_MAX)
            continue;
        if (n == cap)
            list = must_realloc(list, (cap *= 2) * sizeof(*list));
        list[n++] = (uint32_t)no;
    }
    if (dir)
        closedir(dir);
    qsort(list, n, sizeof(*list), by_number);
    *ret_n = n;
    return list;
}

static struct segment *segment_add(struct log *l, uint32_t no)
{
    if (l->n_segs == l->cap_segs) {
        l->cap_segs = l->cap_segs ? l->cap_segs * 2 : 16;
        l->segs = must_realloc(l->segs, l->cap_segs * sizeof(*l->segs));
    }
    l->segs[l->n_segs] = (struct segment){ .no = no };
    return &l->segs[l->n_segs++];
}

bool log_open(struct log *l, int dirfd, const struct jio *io, size_t segment_bytes, struct fault *f)
{
    *l = (struct log){ .dirfd = dirfd, .io = io, .segment_bytes = segment_bytes, .fd = -1, .next_no = 1, .seq = 1 };
    for (size_t i = 0; i < LOG_READ_FDS; i++)
        l->reading[i] = (struct log_fd){ 0, -1 };
    size_t n;
    uint32_t *list = log_list(dirfd, &n);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        char name[32];
        struct stat st;
        file_name(name, list[i]);
        if (fstatat(dirfd, name, &st, 0) != 0) {
            ok = fault(f, "io", "journal", "%s: %s", name, strerror(errno));
        } else {
            struct segment *s = segment_add(l, list[i]);
            s->bytes = (uint32_t)MIN(st.st_size, (off_t)UINT32_MAX);
            s->last_ms = (int64_t)st.st_mtime * 1000;
            l->next_no = list[i] + 1;
        }
    }
    free(list);
    return ok;
}

void log_done(struct log *l)
{
    for (size_t i = 0; i < LOG_READ_FDS; i++)
        if (l->reading[i].fd >= 0)
            close(l->reading[i].fd);
    if (l->fd >= 0)
        close(l->fd);
    free(l->segs);
}

struct segment *log_segment(struct log *l, uint32_t no)
{
    size_t low = 0, high = l->n_segs;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (l->segs[mid].no < no)
            low = mid + 1;
        else
            high = mid;
    }
    return low < l->n_segs && l->segs[low].no == no ? &l->segs[low] : NULL;
}

void log_delete(struct log *l, uint32_t no)
{
    struct segment *s = log_segment(l, no);
    assert(s && s != &l->segs[l->n_segs - 1]);
    char name[32];
    file_name(name, no);
    unlinkat(l->dirfd, name, 0);
    if (l->io->removed)
        l->io->removed(l->io->ctx, name);
    for (size_t i = 0; i < LOG_READ_FDS; i++)
        if (l->reading[i].fd >= 0 && l->reading[i].no == no) {
            close(l->reading[i].fd);
            l->reading[i] = (struct log_fd){ 0, -1 };
        }
    size_t after = (size_t)(l->segs + l->n_segs - (s + 1));
    memmove(s, s + 1, after * sizeof(*s));
    l->n_segs--;
}

static int reading_fd(struct log *l, uint32_t no)
{
    if (l->fd >= 0 && l->n_segs && l->segs[l->n_segs - 1].no == no)
        return l->fd;
    for (size_t i = 0; i < LOG_READ_FDS; i++)
        if (l->reading[i].fd >= 0 && l->reading[i].no == no)
            return l->reading[i].fd;
    char name[32];
    file_name(name, no);
    int fd = openat(l->dirfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct log_fd *to = &l->reading[l->next_reading++ % LOG_READ_FDS];
    if (to->fd >= 0)
        close(to->fd);
    *to = (struct log_fd){ no, fd };
    return fd;
}

bool log_has(struct log *l, uint32_t no, uint32_t off, size_t n)
{
    const struct segment *s = log_segment(l, no);
    return s && n <= s->bytes && off <= s->bytes - n;
}

bool log_read(struct log *l, uint32_t no, uint32_t off, void *p, size_t n)
{
    int fd = reading_fd(l, no);
    return fd >= 0 && jio_read(fd, p, n, off) == n;
}

/* ---- writing ------------------------------------------------------------------------------------ */

void log_continue(struct log *l, uint32_t no, uint32_t off, uint32_t crc, uint64_t next_seq)
{
    l->seq = next_seq;
    if (l->io->opened) {
        l->fresh = true;
        return;
    }
    char name[32];
    struct stat st;
    file_name(name, no);
    l->fd = openat(l->dirfd, name, O_RDWR | O_CLOEXEC);
    if (l->fd < 0 || fstat(l->fd, &st) != 0) {
        l->fresh = true;
        return;
    }
    l->off = off;
    l->crc = crc;
    l->size = (uint32_t)MIN(st.st_size, (off_t)UINT32_MAX);
}

void log_plan(const struct log *l, size_t group_bytes, struct place *ret)
{
    *ret = (struct place){ .log = l, .fd = l->fd, .old_fd = -1, .off = l->off, .size = l->size, .crc = l->crc, .seq = l->seq };
    ret->no = l->n_segs ? l->segs[l->n_segs - 1].no : 0;
    if (group_bytes == GROUP_HEAD || (!l->fresh && l->fd >= 0 && group_bytes <= l->size - MIN(l->off, l->size)))
        return;
    ret->begin = true;
    ret->no = l->next_no;
    ret->old_fd = l->fd;
    ret->old_bytes = l->off;
    ret->fd = -1;
    ret->off = SEG_HEAD;
    ret->size = (uint32_t)MAX(l->segment_bytes, SEG_HEAD + group_bytes);
}

static void segment_head(struct place *p, char head[SEG_HEAD])
{
    uint64_t salt;
    random_bytes(&salt, sizeof(salt));
    memset(head, 0, SEG_HEAD);
    put32(put64(head, SEG_MAGIC), p->no);
    put64(put64(put64(head + 16, salt), p->seq), (uint64_t)p->log->io->wall_ms(p->log->io->ctx));
    p->crc = crc32c(0, head, SEG_HEAD - 4);
    put32(head + SEG_HEAD - 4, p->crc);
}

static uint32_t group_crc(uint32_t seed, const char *group, size_t n)
{
    uint32_t c = crc32c(seed, group, 4);
    return crc32c(c, group + 8, n - 8);
}

static int begin_segment(struct place *p, const char *name, char temp[40])
{
    const struct jio *io = p->log->io;
    char head[SEG_HEAD];
    snprintf(temp, 40, "%08u.tmp", p->no);
    p->fd = openat(p->log->dirfd, temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (p->fd < 0)
        return errno;
    if (io->opened)
        io->opened(io->ctx, p->fd, name);
    int e = io->allocate(io->ctx, p->fd, p->size);
    segment_head(p, head);
    return e ? e : io->write(io->ctx, p->fd, head, SEG_HEAD, 0);
}

/* On the disk thread. Every early return leaves the log as it was: a new segment counts from its rename on. */
void log_write(struct place *p, char *group, size_t n, bool sync)
{
    const struct jio *io = p->log->io;
    char temp[40] = "", name[32];
    if (n == GROUP_HEAD) {
        p->error = p->fd < 0 ? 0 : io->sync(io->ctx, p->fd);
        p->in_doubt = p->error != 0;
        return;
    }
    if (p->old_fd >= 0 && !p->log->fresh && (p->error = io->sync(io->ctx, p->old_fd)) != 0) {
        p->in_doubt = true; /* what was written there without a sync must not be missing in front of a synced group */
        return;
    }
    file_name(name, p->no);
    if (p->begin)
        p->error = begin_segment(p, name, temp);
    if (!p->error) {
        put64(put32(group, (uint32_t)(n - GROUP_HEAD)) + 4, p->seq);
        p->crc = group_crc(p->crc, group, n);
        put32(group + 4, p->crc);
        p->error = io->write(io->ctx, p->fd, group, n, p->off);
    }
    if (!p->error && (sync || p->begin)) {
        p->error = io->sync(io->ctx, p->fd);
        p->in_doubt = p->error != 0 && !p->begin;
        static const char zeros[GROUP_HEAD];
        if (p->in_doubt && io->write(io->ctx, p->fd, zeros, GROUP_HEAD, p->off) != 0)
            p->in_doubt = true; /* as well as can be done: the next segment says that this group does not count */
    }
    if (!p->begin)
        return;
    if (!p->error && (renameat(p->log->dirfd, temp, p->log->dirfd, name) != 0 || (!io->opened && fsync(p->log->dirfd) != 0)))
        p->error = errno;
    if (p->error) {
        if (p->fd >= 0)
            close(p->fd);
        unlinkat(p->log->dirfd, temp, 0);
        unlinkat(p->log->dirfd, name, 0);
        if (io->removed)
            io->removed(io->ctx, name);
        return;
    }
    /* Nothing is written to the old one any more. Failing to give its unused end back costs space only. */
    if (p->old_fd >= 0 && ftruncate(p->old_fd, p->old_bytes) != 0)
        return;
}

void log_landed(struct log *l, const struct place *p, size_t n)
{
    if (n == GROUP_HEAD)
        return;
    if (p->begin) {
        if (l->n_segs)
            l->segs[l->n_segs - 1].bytes = l->fd >= 0 ? l->off : l->segs[l->n_segs - 1].bytes;
        if (l->fd >= 0)
            close(l->fd);
        segment_add(l, p->no)->bytes = p->size;
        l->fd = p->fd;
        l->size = p->size;
        l->next_no = p->no + 1;
        l->fresh = false;
    }
    l->off = p->off + (uint32_t)n;
    l->crc = p->crc;
    l->seq = p->seq + 1;
    l->segs[l->n_segs - 1].last_ms = l->io->wall_ms(l->io->ctx);
}

/* ---- reading ------------------------------------------------------------------------------------ */

bool reader_open(struct reader *r, int dirfd, uint32_t no)
{
    *r = (struct reader){ .fd = -1, .no = no };
    char name[32], head[SEG_HEAD];
    file_name(name, no);
    r->fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return false;
    uint32_t crc = jio_read(r->fd, head, SEG_HEAD, 0) == SEG_HEAD ? crc32c(0, head, SEG_HEAD - 4) : 0;
    if (get64(head) != SEG_MAGIC || get32(head + 8) != no || get32(head + SEG_HEAD - 4) != crc) {
        reader_close(r);
        return false;
    }
    r->first_seq = get64(head + 24);
    reader_seek(r, SEG_HEAD, crc, r->first_seq);
    return true;
}

void reader_close(struct reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    free(r->buf);
    r->buf = NULL;
}

void reader_seek(struct reader *r, uint32_t off, uint32_t crc, uint64_t seq)
{
    r->off = off;
    r->crc = crc;
    r->seq = seq;
    r->from = r->n = 0;
    r->at = off;
}

/* At least `want` bytes in buf[from..n)? */
static bool read_ahead(struct reader *r, size_t want)
{
    if (r->n - r->from >= want)
        return true;
    if (r->from)
        memmove(r->buf, r->buf + r->from, r->n - r->from);
    r->n -= r->from;
    r->from = 0;
    if (r->cap < want || !r->buf) {
        struct stat st; /* a length that the file cannot hold must not become an allocation */
        if (fstat(r->fd, &st) != 0 || st.st_size < r->at || (uint64_t)(st.st_size - r->at) < want - r->n)
            return false;
        r->cap = MAX(want, (size_t)READ_AHEAD);
        r->buf = must_realloc(r->buf, r->cap);
    }
    size_t got = jio_read(r->fd, r->buf + r->n, r->cap - r->n, r->at);
    r->n += got;
    r->at += (off_t)got;
    return r->n >= want;
}

bool reader_next(struct reader *r, uint64_t seq_limit, slice *ret_records, uint32_t *ret_off)
{
    if (r->seq >= seq_limit || !read_ahead(r, GROUP_HEAD))
        return false;
    size_t n = get32(r->buf + r->from);
    if (n == 0 || n > GROUP_MAX || get64(r->buf + r->from + 8) != r->seq || !read_ahead(r, GROUP_HEAD + n))
        return false;
    const char *group = r->buf + r->from;
    uint32_t crc = group_crc(r->crc, group, GROUP_HEAD + n);
    if (crc != get32(group + 4))
        return false;
    *ret_records = slice_mem(group + GROUP_HEAD, n);
    *ret_off = r->off + GROUP_HEAD;
    r->from += GROUP_HEAD + n;
    r->off += (uint32_t)(GROUP_HEAD + n);
    r->crc = crc;
    r->seq++;
    return true;
}
