/* Taking a shard: tables, fence, and the folder filled with what the shard's files are. */
#include "hub/journal_pg-private.h"
#include "base/durable.h"
#include "journal/journal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTS_AT_ONCE = 512, PATH_BYTES = 4096 };
#define HASTE "2s" /* so long a taker waits for the fence's row before he sends away who holds it */

/* Texts are bytea, as in the store. What is written is sealed or compressed nowhere, and is read once in a life: it is stored as it is, without a try to compress it. */
static const char *const migrations[] = {
    "CREATE TABLE log_shard(no bigint PRIMARY KEY, holder bytea NOT NULL, epoch bigint NOT NULL, changed_ms bigint NOT NULL);"
    "CREATE TABLE log_part(shard bigint NOT NULL, file bytea NOT NULL, at bigint NOT NULL, at_ms bigint NOT NULL, bytes bytea NOT NULL, PRIMARY KEY(shard,file,at));"
    "ALTER TABLE log_part ALTER COLUMN bytes SET STORAGE EXTERNAL;",
};

#define MOVES(row) "(substr(" row ".holder,1,13)='dragoman move'::bytea)"
#define NOW_MS "(extract(epoch from clock_timestamp())*1000)::bigint"
/* clang-format off */
static const char *const statements[JST_MAX] = {
    /* An error when the epoch is not ours, so that nothing of the transaction happens. */
    [JST_FENCE]  = "SELECT 1/count(*) FROM (SELECT 1 FROM log_shard WHERE no=$1::bigint AND epoch=$2::bigint FOR SHARE) AS ours",
    [JST_PART]   = "INSERT INTO log_part(shard,file,at,at_ms,bytes) VALUES($1::bigint,$2::bytea,$3::bigint,$4::bigint,$5::bytea)"
                   " ON CONFLICT(shard,file,at) DO UPDATE SET at_ms=excluded.at_ms,bytes=excluded.bytes",
    [JST_CUT]    = "DELETE FROM log_part WHERE shard=$1::bigint AND file=$2::bytea AND at>=$3::bigint",
    [JST_REMOVE] = "DELETE FROM log_part WHERE shard=$1::bigint AND file=$2::bytea",
    [JST_TAKE]   = "INSERT INTO log_shard(no,holder,epoch,changed_ms) VALUES($1::bigint,$2::bytea,1," NOW_MS ") ON CONFLICT(no) DO UPDATE"
                   " SET holder=excluded.holder,epoch=log_shard.epoch+1,changed_ms=excluded.changed_ms"
                   " WHERE NOT " MOVES("log_shard") " OR " MOVES("excluded") " RETURNING epoch",
    [JST_LEAVE]  = "UPDATE log_shard SET holder=$2::bytea,changed_ms=" NOW_MS " WHERE no=$1::bigint",
    [JST_LOOK]   = "SELECT epoch,holder FROM log_shard WHERE no=$1::bigint",
    [JST_FILES]  = "SELECT file,max(at_ms) FROM log_part WHERE shard=$1::bigint GROUP BY file ORDER BY file",
    [JST_PARTS]  = "SELECT at,bytes FROM log_part WHERE shard=$1::bigint AND file=$2::bytea AND at>=$3::bigint ORDER BY at LIMIT $4::bigint",
    [JST_COUNT]  = "SELECT count(*) FROM log_part WHERE shard=$1::bigint",
    [JST_CLEAR]  = "DELETE FROM log_part WHERE shard=$1::bigint",
    [JST_HASTE]  = "SELECT set_config('lock_timeout','" HASTE "',true)",
    /* Among the claims: whose they all are. */
    [JST_OURS]   = "INSERT INTO dragoman_claim(name,writer,n) VALUES('installation',convert_from($1::bytea,'UTF8'),0) ON CONFLICT(name) DO UPDATE SET n=0"
                   " RETURNING (writer=convert_from($1::bytea,'UTF8'))::int::bigint",
    /* Sessions with a transaction that wrote, or held the fence to write; but for those that wait themselves. */
    [JST_SEND_AWAY] = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT DISTINCT pid FROM pg_locks WHERE locktype='relation' AND relation='log_shard'::regclass"
                   " AND database=(SELECT oid FROM pg_database WHERE datname=current_database()) AND mode IN ('RowShareLock','RowExclusiveLock') AND granted"
                   " AND pid<>pg_backend_pid() AND pid NOT IN (SELECT pid FROM pg_locks WHERE NOT granted)) AS holding",
};
/* clang-format on */
const struct pg_tables journal_pg_tables = { .name = "log", .migrations = migrations, .n_migrations = COUNT(migrations), .statements = statements, .n_statements = JST_MAX, .shared = true };

/* ---- the folder ------------------------------------------------------------------------------------------------------------------ */

bool journal_pg_is_file(const char *name)
{
    slice s = slice_of(name);
    return slice_ends(s, SL(".log")) || slice_ends(s, SL(".tmp")) || slice_ends(s, SL(".new")) || slice_starts(s, SL("dedupe-")) ||
           slice_eq(s, SL("snapshot")) || slice_eq(s, SL("key"));
}

/* Nothing that the database says becomes a path. */
static bool is_plain(slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] != '-' && name.p[i] != '.' && !(name.p[i] >= '0' && name.p[i] <= '9') && !(name.p[i] >= 'a' && name.p[i] <= 'z'))
            return false;
    return name.n && name.n < PG_FILE_NAME_MAX && name.p[0] != '.';
}

/* Calls each for the journal's files; it returns false to stop, and so does this. */
static bool files_of(int dirfd, bool (*each)(int dirfd, const char *name))
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    bool more = dir != NULL;
    for (struct dirent *e; more && (e = readdir(dir));)
        if (journal_pg_is_file(e->d_name))
            more = each(dirfd, e->d_name);
    if (dir)
        closedir(dir);
    return more;
}

static bool none(int dirfd, const char *name)
{
    (void)dirfd, (void)name;
    return false;
}

static bool remove_it(int dirfd, const char *name)
{
    return unlinkat(dirfd, name, 0) == 0 || errno == ENOENT;
}

struct folder {
    char path[PATH_BYTES];
    int dirfd, lockfd;
};

static void folder_close(struct folder *d)
{
    if (d->lockfd >= 0)
        close(d->lockfd);
    if (d->dirfd >= 0)
        close(d->dirfd);
}

static bool io_fault(struct fault *f, const struct folder *d, const char *name, int e)
{
    return fault(f, "io", "data", "%.150s/%s: %s", d->path, name, strerror(e));
}

/* Held by us until it is filled; a journal that is open there, or is there in its own right, is nobody's copy. */
static bool folder_open(struct folder *d, const char *dir, struct fault *f)
{
    *d = (struct folder){ .dirfd = -1, .lockfd = -1 };
    int n = snprintf(d->path, sizeof(d->path), "%s/journal", dir);
    if (n < 0 || (size_t)n >= sizeof(d->path))
        return fault(f, "io", "data", "the name of the folder is too long");
    int e = durable_folder(dir);
    e = e ? e : durable_folder(d->path);
    if (!e && (d->dirfd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        e = errno;
    if (e)
        return io_fault(f, d, "", e);
    d->lockfd = openat(d->dirfd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lockfd < 0)
        return io_fault(f, d, "lock", errno);
    if (flock(d->lockfd, LOCK_EX | LOCK_NB) != 0)
        return fault(f, "in_use", "data", "%.150s is used by another process", d->path);
    if (faccessat(d->dirfd, JOURNAL_COPY_MARK, F_OK, 0) != 0 && !files_of(d->dirfd, none))
        return fault(f, "in_use", "data", "%.120s is a journal of its own: `dragoman move` brings it into the database", d->path);
    int mark = openat(d->dirfd, JOURNAL_COPY_MARK, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (mark < 0)
        return io_fault(f, d, JOURNAL_COPY_MARK, errno);
    close(mark);
    return true;
}

/* ---- filling it ------------------------------------------------------------------------------------------------------------------ */

struct filling {
    struct journal_pg *p;
    const struct folder *folder;
    struct arena *a;
    struct pg_stored {
        struct pg_stored *next;
        char name[PG_FILE_NAME_MAX];
        int64_t at_ms;
    } *first, **last;
    bool odd;    /* a name that is none of ours */
    int fd, error;
    int64_t next; /* place behind the last part */
    size_t parts;
};

static void note_file(void *arg, const struct pg_row *row)
{
    struct filling *fi = arg;
    slice name = pg_text(row, 0);
    if (!is_plain(name)) {
        fi->odd = true;
        return;
    }
    struct pg_stored *s = arena_alloc(fi->a, sizeof(*s));
    *s = (struct pg_stored){ 0 };
    memcpy(s->name, name.p, name.n);
    s->at_ms = pg_number(row, 1);
    *fi->last = s;
    fi->last = &s->next;
}

static void write_part(void *arg, const struct pg_row *row)
{
    struct filling *fi = arg;
    int64_t at = pg_number(row, 0);
    slice bytes = pg_text(row, 1);
    if (!fi->error)
        fi->error = jio_system.write(NULL, fi->fd, bytes.p, bytes.n, at);
    fi->next = at + 1;
    fi->parts++;
}

static bool fill_file(struct filling *fi, const struct pg_stored *s, struct fault *f)
{
    fi->fd = openat(fi->folder->dirfd, s->name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fi->fd < 0)
        return io_fault(f, fi->folder, s->name, errno);
    bool ok = true;
    fi->next = 0;
    do {
        struct pg_args args = { 0 };
        pg_int(&args, fi->p->shard);
        pg_bytes(&args, slice_of(s->name));
        pg_int(&args, fi->next);
        pg_int(&args, PARTS_AT_ONCE);
        fi->parts = 0;
        ok = pg_read(fi->p->files.pg, JST_PARTS, &args, write_part, fi, f) && (!fi->error || io_fault(f, fi->folder, s->name, fi->error));
    } while (ok && fi->parts == PARTS_AT_ONCE);
    /* When it was written decides how long it is kept. */
    const struct timespec at = { s->at_ms / 1000, s->at_ms % 1000 * 1000000 };
    if (ok && futimens(fi->fd, (const struct timespec[]){ at, at }) != 0)
        ok = io_fault(f, fi->folder, s->name, errno);
    close(fi->fd);
    return ok;
}

static bool fill(struct journal_pg *p, const struct folder *folder, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct filling fi = { .p = p, .folder = folder, .a = a, .last = NULL };
    fi.last = &fi.first;
    struct pg_args args = { 0 };
    pg_int(&args, p->shard);
    if (!files_of(folder->dirfd, remove_it))
        return io_fault(f, folder, "", errno);
    if (!pg_read(p->files.pg, JST_FILES, &args, note_file, &fi, f))
        return false;
    if (fi.odd)
        return fault(f, "store_failed", "", "the log in PostgreSQL has a file whose name is none of the journal's");
    for (const struct pg_stored *s = fi.first; s; s = s->next)
        if (!fill_file(&fi, s, f))
            return false;
    return true;
}

/* ---- the fence ------------------------------------------------------------------------------------------------------------------- */

static void note_number(void *arg, const struct pg_row *row)
{
    *(int64_t *)arg = pg_number(row, 0);
}

static bool take_once(struct journal_pg *p, const struct pg_args *args, struct fault *f)
{
    struct pg_args none_needed = { 0 };
    return pg_begin(p->segments.pg, f) && pg_write(p->segments.pg, JST_HASTE, &none_needed, f) &&
           pg_read(p->segments.pg, JST_TAKE, args, note_number, &p->epoch, f) && pg_commit(p->segments.pg, f);
}

/* Whoever is stopped in the middle of what he writes, or whose machine is gone, holds the row until his session ends; the server may not notice for hours. */
static void send_away(struct journal_pg *p)
{
    struct pg_args none_needed = { 0 };
    struct fault f = { 0 };
    int64_t sent = 0;
    (void)pg_read(p->segments.pg, JST_SEND_AWAY, &none_needed, note_number, &sent, &f); /* without the right to do so his own time-out is waited for */
}

/* Once more when nobody knows whether it was taken: a higher epoch is as good. */
static bool take_fence(struct journal_pg *p, slice holder, struct fault *f)
{
    int64_t until_ms = time_mono_ms() + JOURNAL_PG_TAKE_MS;
    for (;;) {
        struct pg_args args = { 0 };
        pg_int(&args, p->shard);
        pg_bytes(&args, holder);
        *f = (struct fault){ 0 };
        p->epoch = 0;
        if (take_once(p, &args, f))
            return p->epoch || fault(f, "in_use", "", "a move into this database was not finished, or what it holds was moved out: `dragoman move`");
        pg_rollback(p->segments.pg);
        if (time_mono_ms() >= until_ms)
            return false;
        send_away(p);
        (void)poll(NULL, 0, PG_AGAIN_MS);
    }
}

static void line_init(struct pg_line *line)
{
    pthread_mutex_init(&line->lock, NULL);
}

struct journal_pg *journal_pg_take(const char *where, unsigned shard, slice holder, const char *dir, struct fault *f)
{
    struct folder folder;
    struct journal_pg *p = must_calloc(1, sizeof(*p));
    p->shard = shard;
    line_init(&p->segments);
    line_init(&p->files);
    pthread_mutex_init(&p->lock, NULL);
    journal_pg_init_io(p);
    bool ok = folder_open(&folder, dir, f) && (p->segments.pg = pg_open(where, &journal_pg_tables, f)) &&
              (p->files.pg = pg_open(where, &journal_pg_tables, f)) && take_fence(p, holder, f) && fill(p, &folder, f);
    folder_close(&folder); /* journal_open locks it again */
    p->numbers.fenced = !ok; /* nothing is said to the database at the end of what did not begin */
    p->numbers.reachable = ok;
    p->numbers.epoch = (uint64_t)p->epoch;
    if (ok)
        return p;
    journal_pg_close(p);
    return NULL;
}

bool journal_pg_fill(struct journal_pg *p, const char *dir, struct fault *f)
{
    struct folder folder;
    bool ok = folder_open(&folder, dir, f) && fill(p, &folder, f);
    folder_close(&folder);
    return ok;
}

bool journal_pg_ours(const char *where, slice mark, struct fault *f)
{
    struct pg *pg = pg_open(where, &journal_pg_tables, f);
    struct pg_args args = { 0 };
    int64_t ours = 0;
    pg_bytes(&args, mark);
    bool ok = pg && pg_read(pg, JST_OURS, &args, note_number, &ours, f);
    pg_close(pg);
    return ok && (ours || fault(f, "other_installation", "store", "this database (or schema) is another installation's: secret_key or broker.name of its replicas is another one"));
}

/* ---- asking ------------------------------------------------------------------------------------------------------------------------ */

bool journal_pg_parts(const char *where, unsigned shard, int64_t *ret, struct fault *f)
{
    struct pg *pg = pg_open(where, &journal_pg_tables, f);
    struct pg_args args = { 0 };
    pg_int(&args, shard);
    bool ok = pg && pg_read(pg, JST_COUNT, &args, note_number, ret, f);
    pg_close(pg);
    return ok;
}

struct held {
    struct arena *a;
    slice holder;
};

static void note_holder(void *arg, const struct pg_row *row)
{
    struct held *he = arg;
    slice holder = pg_text(row, 1);
    he->holder = holder.n ? arena_dup(he->a, holder) : SLICE_NONE;
}

bool journal_pg_holder(const char *where, unsigned shard, struct arena *a, slice *ret_holder, struct fault *f)
{
    struct pg *pg = pg_open(where, &journal_pg_tables, f);
    struct held he = { .a = a };
    struct pg_args args = { 0 };
    pg_int(&args, shard);
    bool ok = pg && pg_read(pg, JST_LOOK, &args, note_holder, &he, f);
    pg_close(pg);
    if (ok)
        *ret_holder = he.holder;
    return ok;
}
