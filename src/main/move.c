#include "main/move.h"
#include "base/durable.h"
#include "store/store.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TREE_FDS = 16, BLOCK_BYTES = 64 << 10 };

void move_init(struct move *m, struct arena *a, const char *data, const char *store, const char *work, slice key_file, slice key)
{
    *m = (struct move){ .a = a, .data = data, .store = store, .work = arena_printf(a, "%s/%s", data, work).p, .key_file = key_file, .key = key, .lockfd = -1 };
}

void move_close_tables(struct move *m)
{
    for (size_t s = 0; s < TABLE_SETS; s++) {
        tables_close(m->here[s]);
        tables_close(m->there[s]);
        m->here[s] = m->there[s] = NULL;
    }
}

void move_close(struct move *m)
{
    move_close_tables(m);
    journal_pg_close(m->journal);
    m->journal = NULL;
}

void move_done(struct move *m)
{
    move_close(m);
    if (m->lockfd >= 0)
        close(m->lockfd);
    m->lockfd = -1;
}

/* ---- telling --------------------------------------------------------------------------------------------------------------------------- */

void move_say(struct move *m, const char *what)
{
    (void)m;
    fprintf(stderr, "%s …\n", what);
}

static bool is_time(struct move *m)
{
    int64_t now_ms = time_mono_ms();
    if (!m->said_ms)
        m->said_ms = now_ms;
    if (now_ms - m->said_ms < MOVE_SAY_MS)
        return false;
    m->said_ms = now_ms;
    return true;
}

void move_told(void *move, const char *name, int64_t rows)
{
    if (is_time(move))
        fprintf(stderr, "%s: %lld …\n", name, (long long)rows);
}

void move_told_bytes(void *move, int64_t bytes)
{
    struct move *m = move;
    m->journal_bytes = bytes;
    if (is_time(m))
        fprintf(stderr, "journal: %lld KiB …\n", (long long)bytes / 1024);
}

void move_report(const struct move *m)
{
    int64_t accepted = 0;
    for (size_t i = 0; i < J_STATES; i++)
        accepted += m->counts[i];
    printf("journal: %lld accepted =", (long long)accepted);
    for (size_t i = 0; i < J_STATES; i++)
        printf(" %s%lld %s", i ? "+ " : "", (long long)m->counts[i], jstate_names[i]);
    printf(", the same on both sides\n");
    for (size_t s = 0; s < TABLE_SETS; s++)
        for (size_t i = 0; i < MOVE_TABLES_MAX && m->names[s][i]; i++)
            printf("%s: %lld, the same on both sides\n", m->names[s][i], (long long)m->sums[s][i].rows);
}

/* ---- folders ----------------------------------------------------------------------------------------------------------------------------- */

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static const char *in_data(const struct move *m, const char *name)
{
    return arena_printf(m->a, "%s/%s", m->data, name).p;
}

static bool io_fault(struct fault *f, const char *path, int e)
{
    return fault(f, "io", "data", "%.180s: %s", path, strerror(e));
}

bool move_lock(struct move *m, struct fault *f)
{
    const char *path = in_data(m, "journal/lock");
    m->lockfd = open(path, O_RDWR | O_CLOEXEC);
    if (m->lockfd < 0)
        return errno == ENOENT || io_fault(f, path, errno);
    return flock(m->lockfd, LOCK_EX | LOCK_NB) == 0 || fault(f, "in_use", "data", "a hub is running on %.150s: it must be stopped", m->data);
}

bool move_is_installation(struct move *m, struct fault *f)
{
    if (!exists(in_data(m, "journal/key")))
        return fault(f, "not_found", "data", "there is no journal in %.150s", m->data);
    return !exists(in_data(m, "journal/" JOURNAL_COPY_MARK)) ||
           fault(f, "not_found", "data", "the journal in %.150s is a copy of the database's: there is nothing to move", m->data);
}

/* What an interrupted way out has put in its place already is ours to replace. */
bool move_is_free(struct move *m, struct fault *f)
{
    if (exists(m->work))
        return true;
    for (size_t s = 0; s < TABLE_SETS; s++)
        if (exists(in_data(m, table_set_files[s])))
            return fault(f, "in_use", "data", "%.150s is not empty: there is a %s", m->data, table_set_files[s]);
    if (exists(in_data(m, "journal/key")) && !exists(in_data(m, "journal/" JOURNAL_COPY_MARK)))
        return fault(f, "in_use", "data", "%.150s is not empty: there is a journal", m->data);
    return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

bool move_remove_tree(const char *path, struct fault *f)
{
    return nftw(path, remove_one, TREE_FDS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT || io_fault(f, path, errno);
}

bool move_work_new(struct move *m, struct fault *f)
{
    int e = durable_folder(m->data);
    if (!e && !move_remove_tree(m->work, f))
        return false;
    e = e ? e : durable_folder(m->work);
    return e == 0 || io_fault(f, m->work, e);
}

bool move_aside(struct move *m, const char *name, struct fault *f)
{
    const char *from = in_data(m, name);
    slice to = arena_printf(m->a, "%s.moved", from);
    if (!exists(from))
        return true;
    for (int n = 2; exists(to.p); n++)
        to = arena_printf(m->a, "%s.moved-%d", from, n);
    return rename(from, to.p) == 0 || io_fault(f, from, errno);
}

bool move_sync(struct move *m, struct fault *f)
{
    int e = durable_name(in_data(m, "journal"));
    return e == 0 || io_fault(f, m->data, e);
}

/* ---- the key ----------------------------------------------------------------------------------------------------------------------------- */

bool move_key(struct move *m, struct fault *f)
{
    const char *to = in_data(m, "secret.key");
    char block[4096];
    if (exists(to))
        return true;
    slice key = m->key.n ? arena_printf(m->a, SLF "\n", SLA(m->key)) : SLICE_NONE;
    if (!key.p && m->key_file.n) {
        int fd = open(m->key_file.p, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, block, sizeof(block));
        int e = errno;
        if (fd >= 0)
            close(fd);
        if (n <= 0)
            return io_fault(f, m->key_file.p, e);
        key = slice_mem(block, (size_t)n);
    }
    if (!key.p) {
        fprintf(stderr, "There is no secret.key in %s: without the key of the installation nothing that is sealed can be read.\n", m->data);
        return true;
    }
    int e = durable_new_file(to, key);
    bytes_wipe(block, sizeof(block));
    return e == 0 || io_fault(f, to, e);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------------------------ */

bool move_open(struct move *m, bool out, struct fault *f)
{
    for (enum table_set s = 0; s < TABLE_SETS; s++) {
        const char *own = in_data(m, table_set_files[s]), *made = arena_printf(m->a, "%s/%s", m->work, table_set_files[s]).p;
        m->there[s] = tables_open(s, m->store, f);
        if (!m->there[s])
            return false;
        for (size_t i = 0; i < tables_n(m->there[s]); i++)
            m->names[s][i] = tables_name(m->there[s], i);
        if (!out && !exists(own))
            continue;
        m->here[s] = tables_open(s, out ? made : own, f);
        if (!m->here[s])
            return false;
    }
    return true;
}

bool move_compare(struct move *m, struct tables *const side[TABLE_SETS], struct fault *f)
{
    for (size_t s = 0; s < TABLE_SETS; s++)
        for (size_t i = 0; side[s] && i < tables_n(side[s]); i++) {
            struct table_sum sum;
            const struct table_sum *want = &m->sums[s][i];
            if (!tables_sum(side[s], i, &sum, f))
                return false;
            if (!table_sum_same(&sum, want))
                return fault(f, "differs", "", "%s are not the same on both sides: %lld, and %lld%s", tables_name(side[s], i), (long long)want->rows, (long long)sum.rows,
                             want->rows == sum.rows ? " of another check sum" : "");
        }
    return true;
}

/* ---- journals ---------------------------------------------------------------------------------------------------------------------------- */

/* The file in `whole` may be longer: a segment is made as long as it may become. */
static bool same_file(int whole, int part, const char *name, struct fault *f)
{
    char *a = must_malloc(BLOCK_BYTES), *b = must_malloc(BLOCK_BYTES);
    int x = openat(whole, name, O_RDONLY | O_CLOEXEC), y = openat(part, name, O_RDONLY | O_CLOEXEC);
    bool same = x >= 0 && y >= 0;
    for (ssize_t n; same && (n = read(y, b, BLOCK_BYTES)) != 0;)
        for (ssize_t at = 0; same && at < n;) {
            ssize_t did = read(x, a, (size_t)(n - at));
            same = n > 0 && did > 0 && memcmp(a, b + at, (size_t)did) == 0;
            at += did;
        }
    if (x >= 0)
        close(x);
    if (y >= 0)
        close(y);
    free(a);
    free(b);
    return same || fault(f, "differs", "", "the journal's file %s is not the same on both sides", name);
}

/* Each file of `names` is in both. */
static bool same_files(const char *names, const char *whole, const char *part, struct fault *f)
{
    DIR *d = opendir(names);
    int x = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC), y = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool same = (d && x >= 0 && y >= 0) || io_fault(f, names, errno);
    for (struct dirent *e; same && (e = readdir(d));) {
        slice name = slice_of(e->d_name);
        if (e->d_name[0] != '.' && !slice_eq(name, SL("lock")) && !slice_eq(name, SL(JOURNAL_COPY_MARK)) && !slice_ends(name, SL(".tmp")) &&
            !slice_ends(name, SL(".new")))
            same = same_file(x, y, e->d_name, f);
    }
    if (d)
        closedir(d);
    if (x >= 0)
        close(x);
    if (y >= 0)
        close(y);
    return same;
}

bool move_count(struct move *m, const char *dir, struct fault *f)
{
    if (!journal_count(dir, m->counts, f))
        return false;
    if (f->code)
        fprintf(stderr, "%s: it stays so\n", f->text);
    *f = (struct fault){ 0 };
    return true;
}

bool move_compare_journals(struct move *m, const char *dir, struct fault *f)
{
    const char *again = arena_printf(m->a, "%s/again", m->work).p;
    const char *mine = arena_printf(m->a, "%s/journal", dir).p, *its = arena_printf(m->a, "%s/journal", again).p;
    int64_t counts[J_STATES];
    move_say(m, "comparing");
    if (!journal_pg_fill(m->journal, again, f) || !same_files(mine, mine, its, f) || !same_files(its, mine, its, f) || !journal_count(again, counts, f))
        return false;
    *f = (struct fault){ 0 }; /* damaged, as it was */
    for (size_t i = 0; i < J_STATES; i++)
        if (counts[i] != m->counts[i])
            return fault(f, "differs", "", "messages that are %s are not the same on both sides: %lld, and %lld", jstate_names[i], (long long)m->counts[i],
                         (long long)counts[i]);
    return true;
}
