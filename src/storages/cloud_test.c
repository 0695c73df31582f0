#include "storages/cloud.h"
#include "net/loop.h"
#include "net/server.h"
#include "tests/harness/test.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/url.h"
#include <dirent.h>

/* ---- a service: one object, made whole or of parts ---------------------------------------------------------------------------- */

enum { SINGLE = 128 << 10, PART = 128 << 10, OBJECT_MAX = 4 << 20, LONG_RUN_MS = 120000 };

static struct loop *loop;
static struct server *server;
static struct client *client;
static struct storage *st;
static slice base;
static struct {
    char bytes[OBJECT_MAX];
    size_t n;
    bool there, open; /* open: an upload in parts */
    int parts, aborts, tokens, calls;
    int fail_status, fail_times; /* the next so many calls … */
    const char *fail_path;       /* … to what begins so */
    bool corrupt;                /* says it has other bytes */
    bool hold;                   /* does not answer the next part … */
    struct exchange *held;       /* … this one */
} service;

static void say(struct exchange *x, int status, slice body)
{
    exchange_answer(x, &(struct response){ .status = status, .type = SL("text/plain"), .body = body });
}

static void serve(struct exchange *x, void *ctx)
{
    (void)ctx;
    service.calls++;
    if (service.hold && slice_eq(x->path, SL("/part"))) {
        service.held = x;
        return;
    }
    if (service.fail_times > 0 && slice_starts(x->path, slice_of(service.fail_path))) {
        service.fail_times--;
        say(x, service.fail_status, SL("no"));
        return;
    }
    bool token = slice_eq(exchange_header(x, "Authorization"), arena_printf(x->a, "Bearer t%d", service.tokens));
    if (slice_eq(x->path, SL("/token"))) {
        service.tokens++;
        say(x, 200, arena_printf(x->a, "t%d", service.tokens));
    } else if (!token) {
        say(x, 401, SL("who?"));
    } else if (slice_eq(x->path, SL("/begin"))) {
        service.open = slice_eq(x->method, SL("POST"));
        service.aborts += !service.open;
        service.n = 0;
        say(x, 200, SL("session"));
    } else if (slice_eq(x->path, SL("/part")) || slice_eq(x->path, SL("/whole"))) {
        bool part = slice_eq(x->path, SL("/part"));
        int64_t at = 0;
        if (part && slice_int(exchange_query(x, "at"), &at))
            service.parts++;
        slice body = slice_sub(x->body, 2, x->body.n - 4); /* between "<<" and ">>" */
        memcpy(service.bytes + at, body.n ? body.p : "", body.n);
        service.n = (size_t)at + body.n;
        service.there = !part;
        struct sha1 sum = sha1(body);
        say(x, 200, service.corrupt ? SL("another") : hex_encode(x->a, slice_mem(sum.b, sizeof(sum.b))));
    } else if (slice_eq(x->path, SL("/finish"))) {
        service.there = true;
        service.open = false;
        say(x, 200, x->body);
    } else if (slice_eq(x->path, SL("/object")) && slice_eq(x->method, SL("DELETE"))) {
        say(x, service.there ? 204 : 404, SLICE_NONE);
        service.there = false;
    } else if (slice_eq(x->path, SL("/object")) && service.there) {
        slice range = slice_from(exchange_header(x, "Range"), 6), first = slice_cut(&range, '-');
        int64_t from = 0, to = (int64_t)service.n - 1;
        bool part = slice_int(first, &from) && (!range.n || slice_int(range, &to));
        say(x, part ? 206 : 200, slice_mem(service.bytes + from, (size_t)(to - from + 1)));
    } else {
        say(x, 404, SL("nothing"));
    }
}

/* ---- its provider -------------------------------------------------------------------------------------------------------------- */

static enum cloud_end ask(struct cloud_op *op, const char *method, const char *path, bool body)
{
    op->call.method = method;
    op->call.url = arena_printf(op->a, SLF "%s", SLA(base), path);
    op->call.part_body = body;
    if (body) {
        op->call.before = SL("<<");
        op->call.behind = SL(">>");
        cloud_header(&op->call, "Content-Type", SL("application/octet-stream"));
    }
    return CLOUD_CALL;
}

static enum cloud_end first_call(struct cloud_op *op)
{
    switch (op->job) {
    case CLOUD_TOKEN: return ask(op, "POST", "/token", false);
    case CLOUD_WHOLE: return ask(op, "PUT", "/whole", true);
    case CLOUD_BEGIN: return ask(op, "POST", "/begin", false);
    case CLOUD_PART: return ask(op, "PUT", arena_printf(op->a, "/part?at=%lld", (long long)op->from).p, true);
    case CLOUD_FINISH: return ask(op, "POST", "/finish", false);
    case CLOUD_ABORT: return ask(op, "DELETE", "/begin", false);
    case CLOUD_GET: cloud_header(&op->call, "Range", cloud_range(op)); return ask(op, "GET", "/object", false);
    case CLOUD_DELETE: return ask(op, "DELETE", "/object", false);
    case CLOUD_LINK: return ask(op, "GET", "/link", false);
    }
    return CLOUD_FAILED;
}

static enum cloud_end test_step(struct cloud_op *op)
{
    static const struct cloud_advice advice[] = { { NULL, 404, CLOUD_GONE, "nothing there" }, { NULL, 403, CLOUD_FAILED, "the key is wrong" } };
    if (!op->last)
        return first_call(op);
    if (op->last->status == 202)
        return (void)fault(&op->f, "storage_failed", "", "it is not ready yet"), CLOUD_NOT_YET;
    if (op->last->status < 200 || op->last->status > 299)
        return cloud_error(op, SL(""), advice, COUNT(advice));
    if (op->job == CLOUD_TOKEN) {
        op->token = arena_printf(op->a, "Bearer " SLF, SLA(op->last->body));
        op->token_s = 3600;
    }
    bool sent = op->job == CLOUD_WHOLE || op->job == CLOUD_PART;
    if (sent && !slice_eq(op->last->body, hex_encode(op->a, slice_mem(op->part_sum.b, op->part_sum.n))))
        return cloud_corrupt(op);
    op->session = op->last->body;
    op->mark = op->last->body;
    op->handle = op->key;
    return CLOUD_DONE;
}

static slice no_url(struct storage *s, struct arena *a, slice handle, const struct storage_link *link)
{
    (void)s, (void)link;
    return arena_dup(a, handle);
}

static const struct cloud_type test_cloud = { .step = test_step, .single_bytes = SINGLE, .part_bytes = PART, .token = true, .sums_parts = true,
                                              .part_sum = DIGEST_SHA1 };
static const struct storage_type test_type = { .name = "test", .title = "The test service", CLOUD_STORAGE, .url = no_url };

/* ---- what came of it ------------------------------------------------------------------------------------------------------------- */

static struct {
    int more, done, deleted;
    char sha256[65], code[32], text[240];
    int64_t size;
    enum storage_end end;
} seen;

static void too_late(void *arg)
{
    (void)arg;
    test_fail(__FILE__, __LINE__, "nothing happened for too long");
}
static void run(void)
{
    struct loop_timer guard = { 0 };
    loop_timer_start(loop, &guard, LONG_RUN_MS, too_late, NULL);
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
    snprintf(seen.code, sizeof(seen.code), "%s", s ? "" : f->code);
    snprintf(seen.text, sizeof(seen.text), "%s", s ? "" : f->text);
    snprintf(seen.sha256, sizeof(seen.sha256), SLF, SLA(s ? s->sha256 : SL("")));
    seen.size = s ? s->size : -1;
    loop_stop(loop);
}
static void on_deleted(void *arg, enum storage_end end, const struct fault *f)
{
    (void)arg;
    seen.deleted++;
    seen.end = end;
    snprintf(seen.code, sizeof(seen.code), "%s", f ? f->code : "");
    loop_stop(loop);
}
static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}
static void pass_ms(int64_t ms)
{
    struct loop_timer t = { 0 };
    loop_timer_start(loop, &t, ms, stop, NULL);
    loop_run(loop);
    loop_timer_done(&t);
}

static struct arena *all;

static void open_all(void)
{
    struct fault f = { 0 };
    memset(&seen, 0, sizeof(seen));
    service.n = 0;
    service.there = service.open = service.corrupt = service.hold = false;
    service.held = NULL;
    service.parts = service.aborts = service.tokens = service.calls = service.fail_times = 0;
    all = arena_new();
    loop = loop_new();
    struct server_limits limits;
    server_limits_default(&limits);
    server = server_new(loop, "127.0.0.1:0", NULL, &limits, &f);
    CHECK(server);
    server_route(server, "*", "/" "*", OBJECT_MAX, serve, NULL);
    base = arena_printf(all, "http://127.0.0.1:%u", server_port(server));
    client = client_new(loop, NULL, &f);
    struct storage_setup setup = { .name = SL("it"), .loop = loop, .client = &client, .data = test_dir() };
    struct cloud *c = cloud_new(&setup, &test_type, &test_cloud, sizeof(*c));
    st = &c->base;
}
static void close_all(void)
{
    client_free(client);
    client = NULL;
    storage_close(st);
    server_free(server);
    loop_free(loop);
    arena_free(all);
}

static slice bytes_of(size_t n)
{
    char *p = arena_alloc(all, n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 7 + i / 251);
    return slice_mem(p, n);
}

static struct storage_put *begin(int64_t length, int64_t max)
{
    struct storage_file file = { SL("t42"), SL("c9"), SL("id"), SL("a b.png"), SL("image/png"), length, max };
    struct storage_put_events to = { on_more, on_done, NULL };
    return storage_put(st, &file, &to);
}

/* Writes in pieces, waits when told to; false: it was over before all was written. */
static bool push(struct storage_put *p, slice s, size_t piece)
{
    for (; s.n; s = slice_from(s, piece)) {
        int more = seen.more, done = seen.done;
        if (storage_put_write(st, p, slice_sub(s, 0, piece)))
            continue;
        while (seen.more == more && seen.done == done)
            run();
        if (seen.done != done)
            return false;
    }
    return true;
}

static void store(slice s, size_t piece)
{
    struct storage_put *p = begin(-1, OBJECT_MAX);
    int done = seen.done;
    if (!push(p, s, piece))
        return;
    storage_put_end(st, p);
    while (seen.done == done)
        run();
}

static size_t files_left(void)
{
    DIR *d = opendir(test_dir());
    size_t n = 0;
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.' || e->d_name[1] == 's';
    closedir(d);
    return n;
}

/* ---- tests ------------------------------------------------------------------------------------------------------------------------- */

TEST(cloud_stores_files_of_every_length_whole_or_in_parts)
{
    static const struct {
        size_t n;
        int parts;
    } rows[] = { { 0, 0 }, { 1, 0 }, { 65536, 0 }, { 65537, 0 }, { SINGLE, 0 }, { SINGLE + 1, 2 }, { 2 * PART, 2 }, { 500000, 4 }, { 3 * PART + 1, 4 } };
    static const size_t pieces[] = { 16384, 999, 200000 };
    open_all();
    for (size_t i = 0; i < COUNT(rows) * COUNT(pieces); i++) {
        size_t n = rows[i / COUNT(pieces)].n;
        slice s = bytes_of(n);
        service.parts = 0;
        store(s, pieces[i % COUNT(pieces)]);
        CHECK_SLICE(slice_of(seen.text), SL(""));
        CHECK_ROW(i, service.there && seen.size == (int64_t)n && slice_eq(slice_mem(service.bytes, service.n), s));
        struct sha256 sum = sha256(s);
        CHECK_SLICE(slice_of(seen.sha256), hex_encode(all, slice_mem(sum.b, sizeof(sum.b))));
        CHECK_INT(service.parts, rows[i / COUNT(pieces)].parts);
    }
    CHECK_INT(service.tokens, 1);
    CHECK_INT(files_left(), 0);
    close_all();
}

TEST(cloud_tries_again_and_tells_what_stays_wrong)
{
    static const struct {
        const char *path;
        int status, times;
        const char *code, *text;
    } rows[] = {
        { "/whole", 503, 1, "", "" },
        { "/part", 500, 2, "", "" },
        { "/begin", 429, 1, "", "" },
        { "/finish", 503, 1, "", "" },
        { "/finish", 202, CLOUD_TRIES + 1, "", "" },
        { "/token", 503, 1, "", "" },
        { "/part", 401, 1, "", "" },
        { "/whole", 403, 9, "storage_refused", "The test service answers 403: the key is wrong" },
        { "/token", 403, 9, "storage_refused", "The test service answers 403: the key is wrong" },
        { "/part", 403, 9, "storage_refused", "The test service answers 403: the key is wrong" },
    };
    open_all();
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool long_one = strcmp(rows[i].path, "/whole") != 0;
        slice s = bytes_of(long_one ? 300000 : 1000);
        service.there = false;
        service.fail_path = rows[i].path;
        service.fail_status = rows[i].status;
        service.fail_times = rows[i].times;
        service.tokens++; /* the one it has is refused from now on */
        store(s, 16384);
        CHECK_SLICE(slice_of(seen.code), slice_of(rows[i].code));
        CHECK_SLICE(slice_of(seen.text), slice_of(rows[i].text));
        CHECK_ROW(i, rows[i].code[0] || slice_eq(slice_mem(service.bytes, service.n), s));
        service.fail_times = 0;
    }
    pass_ms(50);
    CHECK_INT(service.aborts, 1); /* of the parts that were refused */
    close_all();
}

TEST(cloud_does_not_take_other_bytes_for_its_own)
{
    open_all();
    service.corrupt = true;
    store(bytes_of(1000), 1000); /* CLOUD_TRIES times */
    CHECK_SLICE(slice_of(seen.code), SL("storage_failed"));
    CHECK_SLICE(slice_of(seen.text), SL("The test service has other bytes than were sent"));
    close_all();
}

TEST(cloud_refuses_what_is_too_large_at_once_and_in_the_middle)
{
    open_all();
    struct storage_put *p = begin(1001, 1000);
    (void)storage_put_write(st, p, bytes_of(10));
    CHECK_INT(seen.done, 0); /* not from within */
    run();
    CHECK_SLICE(slice_of(seen.code), SL("too_large"));
    p = begin(-1, 400000);
    CHECK(!push(p, bytes_of(500000), 16384));
    CHECK_SLICE(slice_of(seen.code), SL("too_large"));
    p = begin(-1, 1000); /* within the last write */
    (void)storage_put_write(st, p, bytes_of(1001));
    storage_put_end(st, p);
    run();
    CHECK_SLICE(slice_of(seen.code), SL("too_large"));
    CHECK_INT(seen.done, 3);
    CHECK(!service.there);
    close_all();
}

TEST(cloud_pauses_the_sender_while_the_service_does_not_answer)
{
    enum { QUIET_MS = 300 };
    open_all();
    service.hold = true;
    struct storage_put *p = begin(-1, OBJECT_MAX);
    size_t n = 0;
    slice block = bytes_of(16384);
    for (bool quiet = false; !quiet && n < OBJECT_MAX - block.n;) {
        int more = seen.more;
        n += block.n;
        if (storage_put_write(st, p, block))
            continue;
        for (int64_t until_ms = time_mono_ms() + QUIET_MS; seen.more == more && !quiet; quiet = time_mono_ms() >= until_ms)
            pass_ms(5);
    }
    CHECK(service.held);
    CHECK(n > SINGLE && n <= SINGLE + 2 * PART + 3 * CLOUD_BLOCK);
    service.hold = false;
    serve(service.held, NULL);
    storage_put_end(st, p);
    while (!seen.done)
        run();
    CHECK_SLICE(slice_of(seen.text), SL(""));
    CHECK(service.there && service.n == n);
    close_all();
}

TEST(cloud_put_given_up_at_any_moment_leaves_nothing)
{
    open_all();
    for (int ms = 0; ms < 30; ms++) {
        struct storage_put *p = begin(-1, OBJECT_MAX);
        slice s = bytes_of(300000);
        for (size_t i = 0; i < 300000; i += 16384)
            (void)storage_put_write(st, p, slice_sub(s, i, 16384));
        if (ms % 3 == 0)
            pass_ms(ms / 3 + 1);
        if (ms % 2)
            storage_put_end(st, p);
        if (!seen.done) /* else it was faster */
            storage_put_abort(st, p);
        seen.done = 0;
    }
    pass_ms(100);
    CHECK_INT(seen.done, 0);
    CHECK_INT(files_left(), 0);
    close_all();
}

TEST(cloud_closed_in_the_middle_tells_who_waits)
{
    for (int ms = 0; ms < 6; ms++) {
        open_all();
        struct storage_put *p = begin(-1, OBJECT_MAX);
        slice s = bytes_of(300000);
        for (size_t i = 0; i < 300000; i += 16384)
            (void)storage_put_write(st, p, slice_sub(s, i, 16384));
        storage_delete(st, SL("x"), on_deleted, NULL);
        if (ms)
            pass_ms(ms);
        int deleted = seen.deleted;
        close_all();
        CHECK_INT(seen.done, 1);
        CHECK_SLICE(slice_of(seen.code), deleted ? SL("storage_failed") : slice_of(seen.code));
        CHECK_INT(seen.deleted, 1);
    }
}

struct reading {
    struct storage_get *g;
    char got[OBJECT_MAX];
    size_t n;
    bool over, failed;
};
static struct reading reading;

static void on_ready(void *arg)
{
    struct reading *r = arg;
    for (;;) {
        ssize_t n = storage_get_read(st, r->g, r->got + r->n, 1000 + r->n % 5000);
        if (n == STORAGE_WAIT)
            return;
        if (n > 0) {
            r->n += (size_t)n;
            continue;
        }
        r->over = true;
        r->failed = n < 0;
        loop_stop(loop);
        return;
    }
}

static slice fetch(int64_t from, int64_t n)
{
    reading.n = 0;
    reading.over = reading.failed = false;
    reading.g = storage_get(st, SL("x"), from, n, on_ready, &reading);
    on_ready(&reading);
    while (!reading.over)
        run();
    storage_get_close(st, reading.g);
    return slice_mem(reading.got, reading.n);
}

TEST(cloud_reads_whole_files_and_pieces_and_deletes)
{
    open_all();
    slice s = bytes_of(500000);
    store(s, 16384);
    int calls = service.calls;
    CHECK(slice_eq(fetch(0, -1), s) && !reading.failed);
    CHECK_INT(service.calls - calls, 1);
    CHECK(slice_eq(fetch(1000, 70000), slice_sub(s, 1000, 70000)) && !reading.failed);
    CHECK(slice_eq(fetch(499999, -1), slice_from(s, 499999)) && !reading.failed);
    CHECK(fetch(5, 0).n == 0 && !reading.failed);
    service.fail_path = "/object";
    service.fail_status = 503;
    service.fail_times = 1;
    CHECK(slice_eq(fetch(0, -1), s) && !reading.failed);
    struct storage_get *g = storage_get(st, SL("x"), 0, -1, on_ready, &reading); /* nobody wants it any more */
    pass_ms(5);
    storage_get_close(st, g);
    static const enum storage_end ends[] = { STORAGE_OK, STORAGE_GONE };
    for (size_t i = 0; i < COUNT(ends); i++) {
        storage_delete(st, SL("x"), on_deleted, NULL);
        CHECK_INT(seen.deleted, i); /* not from within */
        run();
        CHECK_ROW(i, seen.end == ends[i]);
    }
    (void)fetch(0, -1);
    CHECK(reading.failed);
    service.fail_path = "/object";
    service.fail_status = 403;
    service.fail_times = 1;
    storage_delete(st, SL("x"), on_deleted, NULL);
    run();
    CHECK(seen.end == STORAGE_FAILED);
    CHECK_SLICE(slice_of(seen.code), SL("storage_refused"));
    close_all();
}

TEST(cloud_cdn_is_reached_by_https)
{
    static const struct { slice url; bool good; } rows[] = {
        { SLI("https://d1234.cloudfront.net"), true },
        { SLI("https://d1234.cloudfront.net/files"), true },
        { SLI("https://d1234.cloudfront.net?x=1"), false },
        { SLI("http://d1234.cloudfront.net"), false },
        { SLI("http://127.0.0.1:9000"), true }, /* tests and demonstrations */
        { SLI("http://[::1]:9000"), true },
        { SLI("http://127.0.0.1.example.com"), false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        CHECK_ROW(i, cloud_cdn_good(rows[i].url, "cloudfront_url", &f) == rows[i].good);
        CHECK_ROW(i, rows[i].good || strcmp(f.field, "cloudfront_url") == 0);
    }
}
