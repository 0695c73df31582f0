#include "storages/local/local.h"
#include "net/loop.h"
#include "storages/local/disk.h"
#include "tests/harness/test.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a loop, a storage, and what its callbacks said --------------------------------------------------------------------------- */

static struct loop *loop;
static struct storage *st;
static char root[128];
static const char secret[] = "local-disk-signing-key-0001";

static struct {
    int more, done;
    char handle[256], sha256[65], code[32];
    int64_t size;
    enum storage_end end;
} seen;

static void stop(void *l)
{
    loop_stop(l);
}
static void too_late(void *arg)
{
    (void)arg;
    test_fail(__FILE__, __LINE__, "nothing happened for too long");
}
static void run(void)
{
    struct loop_timer guard = { 0 };
    loop_timer_start(loop, &guard, 20000, too_late, NULL);
    loop_run(loop);
    loop_timer_done(&guard);
}
static void on_more(void *arg)
{
    (void)arg;
    seen.more++;
    loop_stop(loop);
}
static void on_done(void *arg, const struct storage_stored *s, const struct fault *f)
{
    (void)arg;
    seen.done++;
    seen.code[0] = 0;
    if (s) {
        snprintf(seen.handle, sizeof(seen.handle), SLF, SLA(s->handle));
        snprintf(seen.sha256, sizeof(seen.sha256), SLF, SLA(s->sha256));
        seen.size = s->size;
    } else {
        snprintf(seen.code, sizeof(seen.code), "%s", f->code);
    }
    loop_stop(loop);
}
static void on_deleted(void *arg, enum storage_end end, const struct fault *f)
{
    (void)arg, (void)f;
    seen.done++;
    seen.end = end;
    loop_stop(loop);
}

static void open_all(void)
{
    memset(&seen, 0, sizeof(seen));
    loop = loop_new();
    snprintf(root, sizeof(root), "%s/attachments", test_dir());
    struct local_setup setup = { root, slice_of(secret), SL("https://hub.example.com"), loop };
    struct fault f;
    st = local_open(&setup, &f);
    CHECK(st);
}
static void close_all(void)
{
    storage_close(st);
    loop_free(loop);
}

static struct storage_put *begin(const char *id, const char *name, const char *type, int64_t length, int64_t max)
{
    struct storage_file file = { SL("t42"), SL("c9"), slice_of(id), slice_of(name), slice_of(type), length, max };
    struct storage_put_events to = { on_more, on_done, NULL };
    return storage_put(st, &file, &to);
}
/* Stores text; returns its handle. */
static slice store(const char *id, const char *name, const char *type, slice text)
{
    struct storage_put *p = begin(id, name, type, (int64_t)text.n, 1 << 20);
    CHECK(storage_put_write(st, p, text));
    storage_put_end(st, p);
    run();
    CHECK_INT(seen.code[0], 0);
    return slice_of(seen.handle);
}
static bool exists(const char *path)
{
    char whole[512];
    struct stat s;
    snprintf(whole, sizeof(whole), "%s/%s", root, path);
    return lstat(whole, &s) == 0;
}
static int entries(const char *path)
{
    char whole[512];
    snprintf(whole, sizeof(whole), "%s/%s", root, path);
    DIR *d = opendir(whole);
    int n = -2;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

/* ---- putting, getting, deleting -------------------------------------------------------------------------------------------------- */

TEST(local_signature_is_the_published_one)
{
    char sig[65];
    local_sign(slice_of(secret), SL("t42/c9/0190a1b2-abcd.jpg"), SL("1773568830"), sig);
    CHECK_SLICE(slice_of(sig), SL("c9da2844e9c782b902c533eba1ed4e00fc4e44bda94483b47818ff2a35669505"));
}

TEST(local_file_is_stored_whole_with_its_sidecar)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    open_all();
    slice handle = store("id1", "あ b.png", "image/png", SL("hello attachment\n"));
    CHECK_SLICE(handle, SL("{\"relpath\":\"t42/c9/id1\"}"));
    CHECK_SLICE(slice_of(seen.sha256), SL("2852d7262f1fd6339a426560101d5840edf5b8999b90eb6b2eea86c8b9f7e298"));
    CHECK_INT(seen.size, 17);
    CHECK_INT(entries("t42/c9"), 2);
    struct stat s;
    CHECK(stat(root, &s) == 0 && (s.st_mode & 0777) == 0700);
    struct disk_path path;
    CHECK(disk_path_parse(SL("t42/c9/id1"), &path));
    int dir = open(root, O_RDONLY | O_DIRECTORY);
    slice sidecar;
    int fd = disk_open(dir, &path, a, &sidecar);
    CHECK(fd >= 0 && fstat(fd, &s) == 0 && s.st_size == 17 && (s.st_mode & 0777) == 0600);
    close(fd), close(dir);
    CHECK(slice_starts(sidecar, SL("{\"type\":\"image/png\",\"name\":\"あ b.png\",\"size\":17,\"sha256\":\"2852d726")));

    storage_delete(st, handle, on_deleted, NULL);
    run();
    CHECK_INT(seen.end, STORAGE_OK);
    CHECK(!exists("t42/c9") && exists("t42"));
    storage_delete(st, SL("{\"relpath\":\"t42/c9/id1\"}"), on_deleted, NULL);
    run();
    CHECK_INT(seen.end, STORAGE_GONE);
    storage_delete(st, SL("{\"relpath\":\"../../etc/passwd\"}"), on_deleted, NULL);
    run();
    CHECK_INT(seen.end, STORAGE_FAILED);
    close_all();
}

static void on_ready(void *arg)
{
    (void)arg;
    loop_stop(loop);
}
/* Pulls all of it in odd pieces; returns the SHA-256. */
static struct sha256 pull(slice handle, int64_t from, int64_t n, size_t *ret_n)
{
    struct storage_get *g = storage_get(st, handle, from, n, on_ready, NULL);
    struct sha256_stream *sum = sha256_new();
    char buf[1777];
    *ret_n = 0;
    for (;;) {
        ssize_t got = storage_get_read(st, g, buf, sizeof(buf));
        if (got == STORAGE_WAIT) {
            run();
            continue;
        }
        CHECK(got >= 0);
        if (got == 0)
            break;
        sha256_update(sum, slice_mem(buf, (size_t)got));
        *ret_n += (size_t)got;
    }
    storage_get_close(st, g);
    struct sha256 s = sha256_final(sum);
    sha256_free(sum);
    return s;
}

TEST(local_large_file_streams_in_and_out)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    open_all();
    enum { SIZE = 3 * 1024 * 1024 + 123 };
    char *data = arena_alloc(a, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    slice rest = { data, SIZE };
    struct storage_put *p = begin("big", "film.mp4", "video/mp4", SIZE, SIZE);
    int waits = 0;
    while (rest.n) {
        slice piece = slice_sub(rest, 0, 16000);
        rest = slice_from(rest, piece.n);
        if (!storage_put_write(st, p, piece)) {
            int before = seen.more;
            waits++;
            run();
            CHECK_INT(seen.more, before + 1);
        }
    }
    storage_put_end(st, p);
    run();
    CHECK_INT(seen.size, SIZE);
    CHECK(waits > 0);
    struct sha256 want = sha256((slice){ data, SIZE });
    CHECK_SLICE(slice_of(seen.sha256), hex_encode(a, slice_mem(want.b, 32)));
    size_t n;
    struct sha256 got = pull(slice_of(seen.handle), 0, -1, &n);
    CHECK(n == SIZE && memcmp(got.b, want.b, 32) == 0);
    want = sha256((slice){ data + 70000, 100001 });
    got = pull(slice_of(seen.handle), 70000, 100001, &n);
    CHECK(n == 100001 && memcmp(got.b, want.b, 32) == 0);

    struct storage_get *g = storage_get(st, slice_of(seen.handle), 0, -1, on_ready, NULL);
    char buf[10];
    CHECK_INT(storage_get_read(st, g, buf, sizeof(buf)), STORAGE_WAIT);
    storage_get_close(st, g); /* while the helper reads */
    g = storage_get(st, SL("{\"relpath\":\"t42/c9/none\"}"), 0, -1, on_ready, NULL);
    CHECK_INT(storage_get_read(st, g, buf, sizeof(buf)), STORAGE_WAIT);
    run();
    CHECK_INT(storage_get_read(st, g, buf, sizeof(buf)), -1);
    storage_get_close(st, g);
    close_all();
}

TEST(local_too_large_or_aborted_leaves_nothing)
{
    static char block[200000];
    static const struct {
        int64_t length, max;
        size_t pieces[3];
    } rows[] = { { 11, 10, { 5 } }, { -1, 10, { 11 } }, { -1, 10, { 10, 1 } }, { -1, 100000, { 70000, 20000, 20000 } }, { -1, 150000, { 200000 } } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        open_all();
        struct storage_put *p = begin("big", "x", "y/z", rows[i].length, rows[i].max);
        bool go_on = true;
        for (size_t k = 0; k < 3 && rows[i].pieces[k] && go_on; k++)
            go_on = storage_put_write(st, p, (slice){ block, rows[i].pieces[k] });
        CHECK_ROW(i, !go_on);
        run();
        CHECK_ROW(i, seen.done == 1 && strcmp(seen.code, "too_large") == 0);
        CHECK_ROW(i, entries("t42/c9") <= 0);
        close_all();
    }
    for (size_t pieces = 0; pieces < 4; pieces++) {
        open_all();
        struct storage_put *p = begin("big", "x", "y/z", -1, 1 << 20);
        for (size_t k = 0; k < pieces; k++)
            (void)storage_put_write(st, p, (slice){ block, 70000 });
        if (pieces == 3)
            storage_put_end(st, p);
        storage_put_abort(st, p);
        struct loop_timer t = { 0 };
        loop_timer_start(loop, &t, 200, stop, loop);
        loop_run(loop);
        loop_timer_done(&t);
        CHECK_ROW(pieces, seen.done == 0 && entries("t42/c9") <= 0);
        close_all();
    }
}

static void on_probe(void *arg, const struct fault *f)
{
    (void)arg;
    seen.done = f ? -1 : 1;
    loop_stop(loop);
}

static bool folder_goes;

static void *take_folder_away(void *arg)
{
    while (__atomic_load_n(&folder_goes, __ATOMIC_RELAXED))
        unlinkat(*(int *)arg, "t42/c9", AT_REMOVEDIR);
    return NULL;
}

/* The last file of a conversation may be deleted while its next one comes: the folder is made once more, and nothing was wrong. */
TEST(local_folder_that_goes_in_between_is_no_fault)
{
    int at = open(test_dir(), O_RDONLY | O_DIRECTORY);
    struct disk_path path;
    pthread_t thread;
    CHECK(at >= 0 && disk_path_parse(SL("t42/c9/a1"), &path));
    folder_goes = true;
    CHECK(pthread_create(&thread, NULL, take_folder_away, &at) == 0);
    for (int i = 0; i < 300; i++) {
        struct disk_writer w;
        struct fault f = { 0 };
        bool ok = disk_begin(&w, at, &path, &f);
        CHECK(ok == !f.code);
        disk_drop(&w);
    }
    __atomic_store_n(&folder_goes, false, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    close(at);
}

TEST(local_same_id_replaces_and_probe_works)
{
    open_all();
    (void)store("id1", "a.txt", "text/plain", SL("one"));
    (void)store("id1", "a.txt", "text/plain", SL("two!"));
    CHECK_INT(seen.size, 4);
    CHECK_INT(entries("t42/c9"), 2);
    storage_probe(st, NULL, on_probe, NULL);
    run();
    CHECK_INT(seen.done, 1);
    CHECK(!exists("probe/probe"));
    close_all();
}

/* ---- serving ------------------------------------------------------------------------------------------------------------------------ */

static struct server *server;
static char answer[8192];
static slice request;

static void *talk(void *arg)
{
    (void)arg;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)server_port(server)) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size_t n = 0;
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 && send(fd, request.p, request.n, MSG_NOSIGNAL) > 0)
        for (ssize_t got; n < sizeof(answer) - 1 && (got = recv(fd, answer + n, sizeof(answer) - 1 - n, 0)) > 0;)
            n += (size_t)got;
    answer[n] = 0;
    close(fd);
    loop_post(loop, stop, loop);
    return NULL;
}
static slice ask(struct arena *a, const char *method, slice path, const char *more)
{
    request = arena_printf(a, "%s " SLF " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method, SLA(path), more);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, talk, NULL) == 0);
    run();
    pthread_join(thread, NULL);
    return slice_of(answer);
}
static bool has(slice text, const char *what)
{
    return slice_find(text, slice_of(what)) != SIZE_MAX;
}

TEST(local_links_are_served_and_refused)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    open_all();
    struct server_limits limits;
    server_limits_default(&limits);
    struct fault f;
    server = server_new(loop, "127.0.0.1:0", NULL, &limits, &f);
    CHECK(server);
    server_route(server, "GET", LOCAL_ROUTE "*", 0, local_serve, st);
    server_route(server, "HEAD", LOCAL_ROUTE "*", 0, local_serve, st);
    char id[STORAGE_ID_BYTES];
    storage_id(id);
    slice handle = arena_dup(a, store(id, "猫.png", "image/png", SL("hello attachment\n")));
    slice html = arena_dup(a, store("page", "x.html", "text/html", SL("<script>")));
    struct storage_link link = { .name = SL("猫.png") }, late = link, soon = link;
    late.expires_s = 1;
    soon.expires_s = time_now_ms() / 1000 + 100;
    slice base = SL("https://hub.example.com");
    slice url = storage_url(st, a, handle, &soon);
    CHECK(slice_starts(url, arena_printf(a, SLF "/attachments/t42/c9/%s/file.png?exp=", SLA(base), id)));
    slice path = slice_from(url, base.n), always = slice_from(storage_url(st, a, handle, &link), base.n);

    slice got = ask(a, "GET", path, "");
    CHECK(slice_starts(got, SL("HTTP/1.1 200 ")) && slice_ends(got, SL("\r\n\r\nhello attachment\n")));
    CHECK(has(got, "Content-Type: image/png\r\n") && has(got, "X-Content-Type-Options: nosniff\r\n"));
    CHECK(has(got, "Content-Security-Policy: sandbox; default-src 'none'\r\n") && has(got, "Cache-Control: private, max-age=300\r\n"));
    CHECK(has(got, "Content-Disposition: inline; filename=\"file.png\"; filename*=UTF-8''%E7%8C%AB.png\r\n"));
    CHECK(has(got, "Accept-Ranges: bytes\r\n") && has(got, "ETag: \"2852d7262f1fd6339a426560101d5840edf5b8999b90eb6b2eea86c8b9f7e298\"\r\n"));
    got = ask(a, "GET", always, "Range: bytes=6-9\r\n");
    CHECK(slice_starts(got, SL("HTTP/1.1 206 ")) && has(got, "Content-Range: bytes 6-9/17\r\n") && slice_ends(got, SL("\r\n\r\natta")));
    CHECK(slice_starts(ask(a, "GET", always, "Range: bytes=99-\r\n"), SL("HTTP/1.1 416 ")));
    got = ask(a, "HEAD", always, "");
    CHECK(slice_starts(got, SL("HTTP/1.1 200 ")) && has(got, "Content-Length: 17\r\n") && slice_ends(got, SL("\r\n\r\n")));
    got = ask(a, "GET", slice_from(storage_url(st, a, html, &link), base.n), "");
    CHECK(has(got, "Content-Type: application/octet-stream\r\n") && has(got, "Content-Disposition: attachment; filename="));

    slice changed = arena_dup(a, path);
    ((char *)(uintptr_t)changed.p)[changed.n - 1] ^= 1;
    slice expired = slice_from(storage_url(st, a, handle, &late), base.n);
    struct {
        slice path;
        const char *want;
    } rows[] = {
        { changed, "HTTP/1.1 403 " },
        { slice_sub(path, 0, path.n - 1), "HTTP/1.1 403 " },
        { SL("/attachments/t42/c9/unknown/x.png?exp=0&sig=00"), "HTTP/1.1 403 " },
        { expired, "HTTP/1.1 410 " },
        { SL("/attachments/t42/c9/x.png?exp=0&sig=00"), "HTTP/1.1 404 " },
        { SL("/attachments/t42/../etc/passwd?exp=0&sig=00"), "HTTP/1.1 4" },
        { SL("/attachments/t42/c9/%2e%2e/x?exp=0&sig=00"), "HTTP/1.1 4" },
        { arena_printf(a, "/attachments/t42/c9/%s/x.png", id), "HTTP/1.1 404 " },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, slice_starts(ask(a, "GET", rows[i].path, ""), slice_of(rows[i].want)));

    storage_delete(st, handle, on_deleted, NULL);
    run();
    CHECK(slice_starts(ask(a, "GET", always, ""), SL("HTTP/1.1 410 ")));
    /* A link planted in the folder is not followed. */
    char from[256], to[256];
    snprintf(from, sizeof(from), "%s/t42/c9/page.json", root), snprintf(to, sizeof(to), "%s/t42/c9/link.json", root);
    CHECK(rename(from, to) == 0);
    snprintf(to, sizeof(to), "%s/t42/c9/link", root);
    CHECK(symlink("/etc/passwd", to) == 0);
    got = ask(a, "GET", slice_from(storage_url(st, a, SL("{\"relpath\":\"t42/c9/link\"}"), &link), base.n), "");
    CHECK(slice_starts(got, SL("HTTP/1.1 500 ")) && !has(got, "root:"));
    server_free(server);
    close_all();
}

/* ---- names ------------------------------------------------------------------------------------------------------------------------------ */

TEST(storage_names_are_safe)
{
    static const struct {
        const char *name, *type, *safe, *disposition;
    } rows[] = {
        { "photo.jpg", "image/jpeg", "photo.jpg", "inline; filename=\"photo.jpg\"" },
        { "a b+é~.jpg", "image/jpeg", "a_b_.jpg", "inline; filename=\"a_b_.jpg\"; filename*=UTF-8''a%20b+%C3%A9~.jpg" },
        { "../../etc/passwd", "text/plain", "_.._etc_passwd.txt", NULL },
        { "...", "image/png", "file.png", NULL },
        { "", "application/pdf; x=y", "file.pdf", "inline; filename=\"file.pdf\"" },
        { "日本", "video/mp4", "file.mp4", NULL },
        { "x\"y\r\nz.html", "text/html", "x_y_z.html", "attachment; filename=\"x_y_z.html\"; filename*=UTF-8''x%22y%0D%0Az.html" },
        { "noext", "no/such", "noext.bin", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice name = slice_of(rows[i].name), type = slice_of(rows[i].type);
        CHECK_SLICE(storage_safe_name(a, name, type), slice_of(rows[i].safe));
        if (rows[i].disposition)
            CHECK_SLICE(storage_disposition(a, name, type), slice_of(rows[i].disposition));
    }
    static const char *const scripts[] = { "text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "TEXT/JavaScript", "nonsense",
                                           "image/png\r\nX: y" };
    for (size_t i = 0; i < COUNT(scripts); i++)
        CHECK_ROW(i, slice_eq(storage_serve_type(slice_of(scripts[i])), SL("application/octet-stream")));
    CHECK_SLICE(storage_serve_type(SL("audio/mpeg")), SL("audio/mpeg"));
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(storage_word(a, SL("ok-word_1")), SL("ok-word_1"));
    slice word = storage_word(a, SL("acme/line:U123"));
    CHECK(storage_word_ok(word) && word.n == 32 && !slice_eq(word, storage_word(a, SL("acme/line:U124"))));
    char big[400];
    memset(big, 'x', sizeof(big));
    CHECK(storage_safe_name(a, (slice){ big, sizeof(big) }, SL("image/png")).n == STORAGE_NAME_MAX);
    CHECK(storage_shown_name(a, (slice){ big, sizeof(big) }, SL("image/png")).n == STORAGE_NAME_MAX);
}

TEST(storage_names_are_shown_as_they_are)
{
    static const struct {
        const char *name, *shown;
    } rows[] = {
        { "my bill.pdf", "my bill.pdf" }, { "領収書.pdf", "領収書.pdf" }, { "../../etc/passwd", NULL }, { "a\r\nb\x7f.pdf", "ab.pdf" },
        { "\xe2\x80\xae" "fdp.exe", "fdp.exe" }, { "\xe2\x81\xa6x\xe2\x81\xa9 \xe2\x80\x9cy\xe2\x80\x9d.pdf", "x \xe2\x80\x9cy\xe2\x80\x9d.pdf" },
        { "  ", "file.pdf" }, { "", "file.pdf" }, { ".htaccess", NULL }, { "C:\\x\\y.pdf", "C:_x_y.pdf" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice shown = storage_shown_name(a, slice_of(rows[i].name), SL("application/pdf"));
        CHECK_ROW(i, rows[i].shown ? slice_eq(shown, slice_of(rows[i].shown)) : shown.n && shown.p[0] != '.');
    }
}

/* A hub that stops closes its storages while helpers still write, read and delete; what they began ends with the loop. */
TEST(local_closed_while_helpers_work)
{
    open_all();
    slice handle = store("kept", "a", "text/plain", SL("words"));
    static char big[1 << 17];
    struct storage_put *left = begin("left", "b", "text/plain", -1, 1 << 20), *whole = begin("whole", "c", "text/plain", -1, 1 << 20);
    (void)storage_put_write(st, left, slice_mem(big, sizeof(big)));
    storage_put_abort(st, left);
    (void)storage_put_write(st, whole, slice_mem(big, sizeof(big)));
    storage_put_end(st, whole);
    struct storage_get *get = storage_get(st, handle, 0, -1, stop, loop);
    char bytes[16];
    CHECK_INT(storage_get_read(st, get, bytes, sizeof(bytes)), STORAGE_WAIT);
    storage_get_close(st, get);
    storage_delete(st, handle, on_deleted, NULL);
    seen.done = 0;
    close_all();
    CHECK_INT(seen.done, 2);
    CHECK_INT(seen.size, sizeof(big));
    CHECK_INT(seen.end, STORAGE_OK);
    CHECK(exists("t42/c9/whole") && !exists("t42/c9/left") && !exists("t42/c9/kept"));
}
