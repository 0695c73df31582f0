#include "storages/local/local.h"
#include "base/durable.h"
#include "base/secret.h"
#include "net/loop.h"
#include "storages/local/disk.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/js.h"
#include "wire/url.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 65536, HANDLE_MAX = 1024, SIDECAR_JSON_MAX = 8192, NAME_KEPT_MAX = 1000 };

struct local {
    struct storage base;
    int root;
    struct secret secret;
    slice public_url;
    struct loop *loop;
    struct arena *a;
    size_t users; /* itself until it is closed, and each put, get and delete, whose work ends later */
};
static struct local *local_of(struct storage *s)
{
    return CONTAINER_OF(s, struct local, base);
}
static struct local *local_hold(struct storage *s)
{
    struct local *l = local_of(s);
    l->users++;
    return l;
}
static void local_release(struct local *l)
{
    if (--l->users)
        return;
    close(l->root);
    secret_wipe(&l->secret);
    arena_free(l->a); /* l lives in it */
}

/* ---- handles and links ------------------------------------------------------------------------------------------------------ */

static slice handle_make(struct arena *a, const struct disk_path *path)
{
    return arena_printf(a, "{\"relpath\":\"%s/%s/%s\"}", path->tenant, path->conversation, path->id);
}

static bool handle_parse(slice handle, struct disk_path *ret)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = handle.n <= HANDLE_MAX ? js_parse(a, handle, NULL) : NULL;
    return doc && disk_path_parse(js_text(js_at(doc, "relpath")), ret);
}

void local_sign(slice secret, slice path, slice exp, char ret[65])
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct sha256 mac = hmac_sha256(secret, arena_printf(a, "GET\n" SLF "\n" SLF, SLA(path), SLA(exp)));
    memcpy(ret, hex_encode(a, slice_mem(mac.b, sizeof(mac.b))).p, 64);
    ret[64] = 0;
}

static slice local_url(struct storage *s, struct arena *a, slice handle, const struct storage_link *link)
{
    struct local *l = local_of(s);
    struct disk_path p;
    if (!handle_parse(handle, &p))
        return SLICE_NONE;
    slice path = arena_printf(a, "%s/%s/%s", p.tenant, p.conversation, p.id);
    slice exp = arena_printf(a, "%lld", (long long)MAX(link->expires_s, INT64_C(0)));
    char sig[65];
    local_sign(secret_reveal(&l->secret), path, exp, sig);
    return arena_printf(a, SLF LOCAL_ROUTE SLF "/" SLF "?exp=" SLF "&sig=%s", SLA(l->public_url), SLA(path),
                        SLA(storage_safe_name(a, link->name, SLICE_NONE)), SLA(exp), sig);
}

/* ---- put ------------------------------------------------------------------------------------------------------------------------- */

enum put_job { PUT_WRITE, PUT_FINISH, PUT_CLEAN };
struct put { /* what the interface calls struct storage_put */
    struct local *l;
    struct arena *a;
    struct storage_put_events to;
    struct disk_path path;
    slice name, type; /* for the sidecar */
    int64_t size, max_bytes;
    /* the block being filled (loop) and the one being written (helper) */
    char *filling, *writing;
    size_t n_filling, cap_filling, n_writing, cap_writing;
    bool working, told_to_wait, ended, aborted;
    enum put_job job;
    /* the helper's, while working */
    struct disk_writer w;
    bool begun;
    struct sha256_stream *sum;
    slice sha256;
    struct fault f;
};
static struct put *put_of(struct storage_put *p)
{
    return (struct put *)(void *)p;
}

static void too_large(struct put *p)
{
    fault(&p->f, "too_large", "", "the file has more than %lld bytes", (long long)p->max_bytes);
}

static struct storage_put *local_put(struct storage *s, const struct storage_file *file, const struct storage_put_events *to)
{
    struct arena *a = arena_new();
    struct put *p = ARENA_NEW(a, struct put);
    p->l = local_hold(s);
    p->a = a;
    p->to = *to;
    p->w.folder = p->w.fd = -1;
    p->max_bytes = file->max_bytes;
    p->name = arena_dup(a, utf8_cut_bytes(utf8_repair(a, file->name), NAME_KEPT_MAX));
    p->type = arena_dup(a, utf8_cut_bytes(utf8_repair(a, file->type), NAME_KEPT_MAX));
    slice path = arena_printf(a, SLF "/" SLF "/" SLF, SLA(storage_word(a, file->tenant)), SLA(storage_word(a, file->conversation)),
                              SLA(storage_word(a, file->id)));
    bool ok = disk_path_parse(path, &p->path);
    assert(ok);
    if (file->length > file->max_bytes)
        too_large(p);
    return (struct storage_put *)(void *)p;
}

static slice sidecar_of(struct put *p)
{
    struct jw w = jw_new(p->a, SIDECAR_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", p->type);
    jw_str(&w, "name", p->name);
    jw_int(&w, "size", p->size);
    jw_str(&w, "sha256", p->sha256);
    jw_time(&w, "created", time_now_ms());
    jw_close(&w, '}');
    return jw_done(&w);
}

/* On a helper thread: one block, or the end. */
static bool put_work_steps(struct put *p)
{
    if (p->f.code)
        return false;
    if (!p->begun) {
        p->begun = true;
        p->sum = sha256_new();
        if (!disk_begin(&p->w, p->l->root, &p->path, &p->f))
            return false;
    }
    slice block = { p->writing, p->n_writing };
    sha256_update(p->sum, block);
    if (!disk_write(&p->w, block, &p->f))
        return false;
    if (p->job != PUT_FINISH)
        return true;
    struct sha256 sum = sha256_final(p->sum);
    p->sha256 = hex_encode(p->a, slice_mem(sum.b, sizeof(sum.b)));
    return disk_finish(&p->w, &p->path, sidecar_of(p), &p->f);
}

static void put_work(void *arg)
{
    struct put *p = arg;
    if (p->job == PUT_CLEAN) {
        if (p->sha256.p) /* was finished before it was aborted */
            disk_delete(p->l->root, &p->path, NULL);
        disk_drop(&p->w);
    } else if (!put_work_steps(p) || p->job == PUT_FINISH) {
        disk_drop(&p->w);
    }
}

static void put_free(struct put *p)
{
    sha256_free(p->sum);
    free(p->filling);
    free(p->writing);
    local_release(p->l);
    arena_free(p->a); /* p lives in it */
}

static void put_worked(void *arg);
static void put_start(struct put *p, enum put_job job)
{
    char *block = p->writing;
    size_t cap = p->cap_writing;
    p->writing = p->filling, p->n_writing = p->n_filling, p->cap_writing = p->cap_filling;
    p->filling = block, p->n_filling = 0, p->cap_filling = cap;
    p->working = true;
    p->job = job;
    loop_work(p->l->loop, put_work, put_worked, p);
}

/* On the loop, after each piece of work. */
static void put_worked(void *arg)
{
    struct put *p = arg;
    p->working = false;
    if (p->aborted) {
        if (p->job == PUT_CLEAN)
            put_free(p);
        else
            put_start(p, PUT_CLEAN);
        return;
    }
    if (!p->f.code && p->size > p->max_bytes) { /* found while the helper worked */
        too_large(p);
        put_start(p, PUT_WRITE); /* removes what is there */
        return;
    }
    if (p->f.code || p->job == PUT_FINISH) {
        struct storage_stored stored = { handle_make(p->a, &p->path), p->sha256, p->size };
        p->to.done(p->to.arg, p->f.code ? NULL : &stored, p->f.code ? &p->f : NULL);
        put_free(p);
        return;
    }
    if (p->ended)
        put_start(p, PUT_FINISH);
    else if (p->n_filling >= BLOCK)
        put_start(p, PUT_WRITE);
    if (p->told_to_wait && p->n_filling < BLOCK && !p->ended) {
        p->told_to_wait = false;
        p->to.more(p->to.arg);
    }
}

static bool local_put_write(struct storage_put *storage_put, slice bytes)
{
    struct put *p = put_of(storage_put);
    assert(!p->ended && !p->aborted);
    p->size += (int64_t)bytes.n;
    /* While the helper works the fault is the helper's: then the limit is seen when it is back. */
    if (p->size > p->max_bytes && !p->working && !p->f.code)
        too_large(p);
    if (p->size <= p->max_bytes) {
        if (p->cap_filling - p->n_filling < bytes.n) {
            p->cap_filling = MAX(p->n_filling + bytes.n, (size_t)BLOCK);
            p->filling = must_realloc(p->filling, p->cap_filling);
        }
        memcpy(p->filling + p->n_filling, bytes.p ? bytes.p : "", bytes.n);
        p->n_filling += bytes.n;
    }
    bool failed = !p->working && p->f.code;
    if (failed || (!p->working && p->n_filling >= BLOCK))
        put_start(p, PUT_WRITE);
    p->told_to_wait = failed || p->n_filling >= BLOCK || p->size > p->max_bytes;
    return !p->told_to_wait;
}

static void local_put_end(struct storage_put *storage_put)
{
    struct put *p = put_of(storage_put);
    assert(!p->ended);
    p->ended = true;
    if (!p->working)
        put_start(p, PUT_FINISH);
}

static void local_put_abort(struct storage_put *storage_put)
{
    struct put *p = put_of(storage_put);
    p->aborted = true;
    if (!p->working)
        put_start(p, PUT_CLEAN);
}

/* ---- get ---------------------------------------------------------------------------------------------------------------------------- */

struct get { /* what the interface calls struct storage_get */
    struct local *l;
    struct disk_path path;
    void (*ready)(void *arg);
    void *arg;
    int fd;
    bool opened, working, closed, failed, ended;
    int64_t at, left; /* left -1: to the end */
    char *block;
    size_t n, taken;
};

static struct get *get_of(struct storage_get *g)
{
    return (struct get *)(void *)g;
}

static struct storage_get *local_get(struct storage *s, slice handle, int64_t from, int64_t n, void (*ready)(void *arg), void *arg)
{
    struct get *g = must_calloc(1, sizeof(*g));
    *g = (struct get){ .l = local_hold(s), .ready = ready, .arg = arg, .fd = -1, .at = from, .left = n };
    g->failed = !handle_parse(handle, &g->path);
    return (struct storage_get *)(void *)g;
}

/* On a helper thread: the next block. */
static void get_work(void *arg)
{
    struct get *g = arg;
    if (!g->opened) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice sidecar;
        g->opened = true;
        g->fd = disk_open(g->l->root, &g->path, a, &sidecar);
        g->block = must_malloc(BLOCK);
    }
    size_t want = g->left < 0 ? BLOCK : MIN((size_t)g->left, (size_t)BLOCK);
    ssize_t n = g->fd < 0 ? -1 : want == 0 ? 0 : pread(g->fd, g->block, want, g->at);
    g->failed = n < 0;
    g->ended = n == 0;
    g->n = n > 0 ? (size_t)n : 0;
    g->taken = 0;
    g->at += (int64_t)g->n;
    g->left -= g->left < 0 ? 0 : (int64_t)g->n;
}

static void get_free(struct get *g)
{
    if (g->fd >= 0)
        close(g->fd);
    free(g->block);
    local_release(g->l);
    free(g);
}

static void get_worked(void *arg)
{
    struct get *g = arg;
    g->working = false;
    if (g->closed)
        get_free(g);
    else
        g->ready(g->arg);
}

static ssize_t local_get_read(struct storage_get *storage_get, char *buf, size_t n)
{
    struct get *g = get_of(storage_get);
    if (g->working)
        return STORAGE_WAIT;
    if (g->failed)
        return -1;
    n = MIN(n, g->n - g->taken);
    if (n) {
        memcpy(buf, g->block + g->taken, n);
        g->taken += n;
        return (ssize_t)n;
    }
    if (g->ended)
        return 0;
    g->working = true;
    loop_work(g->l->loop, get_work, get_worked, g);
    return STORAGE_WAIT;
}

static void local_get_close(struct storage_get *storage_get)
{
    struct get *g = get_of(storage_get);
    g->closed = true;
    if (!g->working)
        get_free(g);
}

/* ---- delete ------------------------------------------------------------------------------------------------------------------------- */

struct del {
    struct local *l;
    struct disk_path path;
    bool good;
    enum storage_end end;
    struct fault f;
    void (*done)(void *arg, enum storage_end end, const struct fault *f);
    void *arg;
};

static void del_work(void *arg)
{
    struct del *d = arg;
    if (d->good)
        d->end = disk_delete(d->l->root, &d->path, &d->f);
}

static void del_worked(void *arg)
{
    struct del *d = arg;
    d->done(d->arg, d->end, d->f.code ? &d->f : NULL);
    local_release(d->l);
    free(d);
}

static void local_del(struct storage *s, slice handle, void (*done)(void *arg, enum storage_end end, const struct fault *f), void *arg)
{
    struct del *d = must_calloc(1, sizeof(*d));
    d->l = local_hold(s);
    d->good = handle_parse(handle, &d->path);
    d->end = STORAGE_FAILED;
    d->done = done;
    d->arg = arg;
    if (!d->good)
        fault(&d->f, "storage_refused", "", "this is no handle of the local storage");
    loop_work(d->l->loop, del_work, del_worked, d);
}

/* ---- serving ------------------------------------------------------------------------------------------------------------------------ */

static void refuse_link(struct exchange *x, int status, const char *code, const char *text)
{
    struct fault f;
    fault(&f, code, "", "%s", text);
    exchange_fault(x, status, &f);
}

static void serve_file(struct exchange *x, int fd, slice sidecar)
{
    const struct js *doc = js_parse(x->a, sidecar, NULL);
    struct stat st;
    if (!doc || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        refuse_link(x, 500, "storage_failed", "the attachment cannot be read");
        return;
    }
    slice declared = js_text(js_at(doc, "type"));
    slice type = storage_serve_type(slice_or(declared, SL("application/octet-stream")));
    struct header headers[] = {
        { SL("X-Content-Type-Options"), SL("nosniff") },
        { SL("Content-Security-Policy"), SL("sandbox; default-src 'none'") },
        { SL("Content-Disposition"), storage_disposition(x->a, js_text(js_at(doc, "name")), type) },
        { SL("Cache-Control"), SL("private, max-age=300") },
    };
    struct file_answer answer = { fd, (uint64_t)st.st_size, type, js_text(js_at(doc, "sha256")), headers, COUNT(headers) };
    exchange_file(x, &answer);
}

void local_serve(struct exchange *x, void *ctx)
{
    struct local *l = local_of(ctx);
    slice rest = x->rest, part[3];
    for (size_t i = 0; i < COUNT(part); i++)
        part[i] = slice_cut(&rest, '/');
    slice path = arena_printf(x->a, SLF "/" SLF "/" SLF, SLA(part[0]), SLA(part[1]), SLA(part[2]));
    struct disk_path disk;
    slice exp = exchange_query(x, "exp"), sig = exchange_query(x, "sig");
    if (!disk_path_parse(path, &disk) || !rest.n || slice_find_char(rest, '/') != SIZE_MAX || !exp.n || !sig.n) {
        refuse_link(x, 404, "not_found", "there is no such attachment");
        return;
    }
    char want[65];
    int64_t exp_s;
    local_sign(secret_reveal(&l->secret), path, exp, want);
    if (!bytes_equal_secret(sig, slice_of(want)) || !slice_int(exp, &exp_s)) {
        refuse_link(x, 403, "bad_signature", "this link was not made by this hub");
        return;
    }
    slice sidecar;
    bool expired = exp_s != 0 && time_now_ms() / 1000 > exp_s;
    int fd = expired ? -1 : disk_open(l->root, &disk, x->a, &sidecar);
    if (fd >= 0)
        serve_file(x, fd, sidecar);
    else if (expired || errno == ENOENT)
        refuse_link(x, 410, "gone", "this link has expired, or the attachment was deleted");
    else
        refuse_link(x, 500, "storage_failed", "the attachment cannot be read");
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

static void local_close(struct storage *s)
{
    local_release(local_of(s));
}

static const struct storage_type local_type = {
    .name = "local",
    .title = "Local disk",
    .close = local_close,
    .put = local_put,
    .put_write = local_put_write,
    .put_end = local_put_end,
    .put_abort = local_put_abort,
    .url = local_url,
    .get = local_get,
    .get_read = local_get_read,
    .get_close = local_get_close,
    .del = local_del,
};

struct storage *local_open(const struct local_setup *setup, struct fault *f)
{
    int e = durable_folder(setup->root);
    if (e) {
        fault(f, "storage_failed", "", "cannot make the folder %s: %s", setup->root, strerror(e));
        return NULL;
    }
    int root = open(setup->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        fault(f, "storage_failed", "", "cannot open the folder %s: %s", setup->root, strerror(errno));
        return NULL;
    }
    struct arena *a = arena_new();
    struct local *l = ARENA_NEW(a, struct local);
    l->base = (struct storage){ .type = &local_type, .name = SL("local") };
    l->root = root;
    l->secret = secret_copy(setup->secret);
    l->public_url = arena_dup(a, setup->public_url);
    l->loop = setup->loop;
    l->a = a;
    l->users = 1;
    return &l->base;
}
