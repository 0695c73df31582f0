/* The server as its handlers and its peers see it. */
#include "net/client.h"
#include "net/net_test.h"
#include "net/server.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

struct site {
    struct loop *l;
    struct server *s;
    struct arena *a;
    struct exchange *kept;
    struct loop_timer timer;
    struct events *page;
    void (*then)(void *site); /* NULL: nothing happens to a page that came */
    struct fault observed_why;
    int reached, gone, observed, observed_status, drained;
    size_t observed_bytes;
    char file[256];
    uint64_t file_size;
};

static void echo(struct exchange *x, void *ctx)
{
    ((struct site *)ctx)->reached++;
    exchange_text(x, 200, arena_printf(x->a, SLF " " SLF " q=" SLF " rest=" SLF " id=" SLF " trace=" SLF " span=" SLF " body=" SLF,
                                       SLA(x->method), SLA(x->path), SLA(exchange_query(x, "q")), SLA(x->rest), SLA(x->request_id),
                                       SLA(x->trace_id), SLA(x->span_id), SLA(x->body)));
}

static void later_now(void *arg)
{
    struct site *t = arg;
    exchange_json(TAKE(t->kept), 201, SL("{}"));
}

static void later(struct exchange *x, void *ctx)
{
    struct site *t = ctx;
    t->reached++;
    t->kept = x;
    loop_timer_start(t->l, &t->timer, 20, later_now, t);
}

static void observe(void *ctx, const struct exchange *x, int status, size_t written, int64_t took_us)
{
    struct site *t = ctx;
    t->observed++;
    t->observed_why = exchange_refusal(x) ? *exchange_refusal(x) : (struct fault){ 0 };
    t->observed_status = status;
    t->observed_bytes = written;
    CHECK(took_us >= 0 && x->remote.n > 10);
}

static void page_gone(void *arg)
{
    ((struct site *)arg)->gone++;
    ((struct site *)arg)->page = NULL;
}

static void page(struct exchange *x, void *ctx)
{
    struct site *t = ctx;
    t->page = exchange_events(x, page_gone, t);
    if (t->then)
        loop_timer_start(t->l, &t->timer, 1, t->then, t);
}

static void file(struct exchange *x, void *ctx)
{
    struct site *t = ctx;
    struct header h[] = { { SL("Cache-Control"), SL("private") } };
    exchange_file(x, &(struct file_answer){ .fd = open(t->file, O_RDONLY | O_CLOEXEC), .size = t->file_size, .type = SL("text/x"),
                                            .etag = SL("v1"), .headers = h, .n_headers = 1 });
}

static struct site *site_new(void)
{
    struct site *t = must_calloc(1, sizeof(*t));
    t->l = loop_new();
    t->a = arena_new();
    t->s = server_new(t->l, "127.0.0.1:0", NULL, NULL, NULL);
    CHECK(t->s);
    server_observe(t->s, observe, t);
    server_route(t->s, "GET", "/echo", 0, echo, t);
    server_route(t->s, "POST", "/echo", 5000, echo, t);
    server_route(t->s, "*", "/tree/*", 0, echo, t);
    server_route(t->s, "GET", "/tree/leaf", 0, later, t);
    server_route(t->s, "POST", "/later", 0, later, t);
    server_route(t->s, "GET", "/page", 0, page, t);
    server_route(t->s, "GET", "/file", 0, file, t);
    return t;
}

static void site_free(struct site *t)
{
    server_free(t->s);
    loop_timer_done(&t->timer);
    loop_free(t->l);
    arena_free(t->a);
    free(t);
}

static struct peer *talk(struct site *t, struct peer *p)
{
    p->loop = t->l;
    p->port = server_port(t->s);
    if (!p->wait_ms)
        p->wait_ms = 60;
    peer_talk(p);
    return p;
}

static bool has(const struct peer *p, const char *text)
{
    return slice_find(peer_text(p), slice_of(text)) != SIZE_MAX;
}

/* ---- requests ----------------------------------------------------------------------------------- */

TEST(server_tells_handlers_what_came)
{
    struct site *t = site_new();
    static const struct {
        slice raw;
        const char *want;
    } rows[] = {
        { SLI("GET /echo?q=a%20b+c&r HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /echo q=a b c rest= " },
        { SLI("GET /echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\n\r\n"), " id=r-1 " },
        { SLI("GET /echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\n\r\n"), "X-Request-Id: r-1\r\n" },
        { SLI("GET /echo HTTP/1.1\r\nHost: a\r\nX-B3-TraceId: 463ac35c9f6413ad48485a3953bb6124\r\nX-B3-SpanId: a2fb4a1d1a96d312\r\n\r\n"),
          "trace=463ac35c9f6413ad48485a3953bb6124 span=a2fb4a1d1a96d312 " },
        { SLI("GET /tree/a/b%2Fc HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /tree/a/b%2Fc q= rest=a/b%2Fc " },
        { SLI("GET /tree/leaf HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 201" },
        { SLI("PUT /tree/leaf HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), "PUT /tree/leaf q= rest=leaf " },
        { SLI("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), "body=hello" },
        { SLI("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), "body=hello" },
        { SLI("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy"), "HTTP/1.1 201" },
        { SLI("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n"), "Allow: GET, POST\r\n" },
        { SLI("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"), "{\"code\":\"not_found\",\"message\":\"" },
        { SLI("GET /echo HTTP/1.1\r\nHost: a\r\n\r\nGET /echo?q=2 HTTP/1.1\r\nHost: a\r\n\r\n"), " q=2 " }, /* pipelined */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct peer p = { .send = rows[i].raw, .bytewise = i % 2 };
        if (!has(talk(t, &p), rows[i].want))
            test_fail(__FILE__, __LINE__, "row %zu: no \"%s\" in\n%s", i, rows[i].want, p.got);
    }
    site_free(t);
}

TEST(server_makes_identifiers_where_they_are_missing_or_bad)
{
    struct site *t = site_new();
    struct peer p = { .send = SL("GET /echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: a b\r\nX-B3-TraceId: 12\r\nX-B3-SpanId: "
                                 "zzzzzzzzzzzzzzzz\r\n\r\n") };
    talk(t, &p);
    CHECK(!has(&p, "id=a b") && !has(&p, "trace=12 ") && !has(&p, "zzz"));
    size_t id = slice_find(peer_text(&p), SL(" id=")), trace = slice_find(peer_text(&p), SL(" trace="));
    CHECK_INT(trace - id, 4 + 36);
    CHECK_INT(slice_find(peer_text(&p), SL(" span=")) - trace, 7 + 32);
    CHECK_INT(slice_find(peer_text(&p), SL(" body=")) - slice_find(peer_text(&p), SL(" span=")), 6 + 16);
    site_free(t);
}

TEST(server_expect_continue)
{
    struct site *t = site_new();
    struct peer good = { .send = SL("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi") };
    talk(t, &good);
    CHECK_INT(good.status, 100);
    CHECK(has(&good, "HTTP/1.1 200") && has(&good, "body=hi"));
    struct peer bad = { .send = SL("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5001\r\n\r\n") };
    talk(t, &bad);
    CHECK_INT(bad.status, 413); /* told before the body is sent */
    CHECK(bad.closed);
    site_free(t);
}

static slice gzipped(struct arena *a, size_t n, size_t *ret_packed)
{
    z_stream z = { 0 };
    CHECK(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    char *plain = arena_alloc(a, n), *out = arena_alloc(a, n + 1000);
    memset(plain, 'z', n);
    z.next_in = (Bytef *)plain;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)(n + 1000);
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    *ret_packed = z.total_out;
    deflateEnd(&z);
    return (slice){ out, *ret_packed };
}

TEST(server_unpacks_gzip_within_the_limit)
{
    struct site *t = site_new();
    const struct {
        size_t plain, cut;
        int times, status;
    } rows[] = { { 5000, 0, 1, 200 }, { 0, 0, 1, 200 }, { 5001, 0, 1, 413 }, { 50000000, 0, 1, 413 }, { 4000, 3, 1, 400 },
                 { 2500, 0, 2, 200 }, { 2501, 0, 2, 413 }, { 0, 0, 200, 200 }, { 0, 0, 300, 413 } /* nothing in it, without end */ };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        size_t n;
        slice body = gzipped(a, rows[i].plain, &n);
        body.n -= rows[i].cut;
        struct text raw = text_new(a, 1 << 20);
        text_add(&raw, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int k = 0; k < rows[i].times; k++) {
            text_add(&raw, "%zx\r\n", body.n);
            text_put(&raw, body);
            text_put(&raw, SL("\r\n"));
        }
        text_put(&raw, SL("0\r\n\r\n"));
        struct peer p = { .send = text_slice(&raw), .bytewise = rows[i].plain < 10000 };
        struct rusage before, after;
        getrusage(RUSAGE_SELF, &before);
        talk(t, &p);
        getrusage(RUSAGE_SELF, &after);
        CHECK_ROW(i, p.status == rows[i].status);
        CHECK_ROW(i, rows[i].status != 200 || rows[i].plain == 0 || has(&p, "body=zzz"));
        CHECK_ROW(i, after.ru_maxrss - before.ru_maxrss < 4096); /* KiB: a bomb costs nothing */
        arena_free(a);
    }
    site_free(t);
}

TEST(server_observes_and_survives_a_peer_that_leaves)
{
    struct site *t = site_new();
    struct peer ok = { .send = SL("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n") };
    talk(t, &ok);
    CHECK_INT(t->observed, 1);
    CHECK_INT(t->observed_status, 200);
    CHECK(t->observed_bytes > 10);
    struct peer left = { .send = SL("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy"), .hang_up = true };
    talk(t, &left);
    for (int i = 0; i < 500 && (t->reached < 2 || t->kept || t->observed < 2 || server_connections(t->s)); i++)
        run_for(t->l, 10);
    CHECK_INT(t->reached, 2);
    CHECK(t->kept == NULL);
    CHECK_INT(t->observed, 2);
    CHECK_INT(server_connections(t->s), 0);
    struct peer cut = { .send = SL("POST /later HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n") };
    talk(t, &cut); /* refused by the library itself in the middle of the body */
    CHECK_INT(t->observed, 3);
    CHECK_INT(t->observed_status, 400);
    CHECK(!t->observed_why.code);
    struct peer large = { .send = SL("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n") };
    talk(t, &large);
    CHECK_INT(t->observed_status, 413);
    CHECK_SLICE(slice_of(t->observed_why.code), SL("too_large"));
    CHECK_SLICE(slice_of(t->observed_why.field), SL("body"));
    site_free(t);
}

static void abort_now(void *arg)
{
    struct site *t = arg;
    exchange_abort(TAKE(t->kept));
}

static void abort_later(struct exchange *x, void *ctx)
{
    struct site *t = ctx;
    t->kept = x;
    loop_timer_start(t->l, &t->timer, 10, abort_now, t);
}

static void abort_at_once(struct exchange *x, void *ctx)
{
    (void)ctx;
    exchange_abort(x);
}

TEST(server_abort_resets_the_connection)
{
    struct site *t = site_new();
    server_route(t->s, "GET", "/abort/now", 0, abort_at_once, t);
    server_route(t->s, "GET", "/abort/later", 0, abort_later, t);
    static const slice raw[] = { SLI("GET /abort/now HTTP/1.1\r\nHost: a\r\n\r\n"),
                                 SLI("GET /abort/later HTTP/1.1\r\nHost: a\r\n\r\n") };
    for (size_t i = 0; i < COUNT(raw); i++) {
        struct peer p = { .send = raw[i] };
        talk(t, &p);
        CHECK_ROW(i, p.n == 0 && p.closed);
    }
    for (int i = 0; i < 500 && (server_connections(t->s) || t->observed < 2); i++)
        run_for(t->l, 10);
    CHECK_INT(server_connections(t->s), 0);
    CHECK_INT(t->observed, 2);
    site_free(t);
}

TEST(server_says_why_it_cannot_listen)
{
    struct loop *l = loop_new();
    struct fault f = { 0 };
    static const char *const bad[] = { "nonsense", "127.0.0.1:99999", "127.0.0.1:", "203.0.113.1:0", "" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK_ROW(i, !server_new(l, bad[i], NULL, NULL, &f));
        CHECK_ROW(i, f.code && f.text[0]);
    }
    struct server *s = server_new(l, "127.0.0.1:0", NULL, NULL, &f);
    char taken[32];
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", server_port(s));
    CHECK(!server_new(l, taken, NULL, NULL, &f));
    CHECK(slice_find(slice_of(f.text), SL("in use")) != SIZE_MAX);
    server_free(s);
    struct server_tls tls = { "/nonexistent.pem", "/nonexistent.key" };
    CHECK(!server_new(l, "127.0.0.1:0", &tls, NULL, &f));
    loop_free(l);
}

static long switches(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_nvcsw;
}

TEST(server_sleeps_while_nobody_asks)
{
    struct site *t = site_new();
    struct peer p = { .send = SL("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n") };
    talk(t, &p);
    run_for(t->l, 20);
    long before = switches();
    run_for(t->l, 300);
    CHECK(switches() - before <= 5);
    site_free(t);
}

TEST(server_drops_a_peer_that_drips)
{
    struct site *t = site_new();
    struct server_limits lim;
    server_limits_default(&lim);
    lim.idle_s = 1;
    struct server *s = server_new(t->l, "127.0.0.1:0", NULL, &lim, NULL);
    server_route(s, "GET", "/echo", 0, echo, t);
    struct peer p = { .loop = t->l, .port = server_port(s), .bytewise = true, .drip_ms = 100, .wait_ms = 100,
                      .send = SL("GET /echo HTTP/1.1\r\nHost: a\r\nX-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n\r\n") };
    peer_talk(&p);
    CHECK_INT(p.status, 0);
    CHECK(p.closed && p.sent < p.send.n && p.sent > 15);
    CHECK_INT(t->reached, 0);
    server_free(s);
    site_free(t);
}

/* ---- TLS ---------------------------------------------------------------------------------------- */

/* A certificate for 127.0.0.1 that signs itself, and its key, as two files. */
static void make_certificate(const char *cert_file, const char *key_file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"dragoman test", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(cert, san, -1);
    X509_add_ext(cert, ca, -1);
    CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *c = fopen(cert_file, "w"), *k = fopen(key_file, "w");
    CHECK(PEM_write_X509(c, cert) && PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL));
    fclose(c);
    fclose(k);
    X509_EXTENSION_free(san);
    X509_EXTENSION_free(ca);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void got_answer(void *arg, const struct answer *r)
{
    struct site *t = arg;
    t->observed_status = r->status;
    t->drained = (int)r->body.n;
    loop_stop(t->l);
}

TEST(server_and_client_over_tls)
{
    struct site *t = site_new();
    const char *dir = test_dir();
    slice cert = arena_printf(t->a, "%s/cert.pem", dir), key = arena_printf(t->a, "%s/key.pem", dir);
    make_certificate(cert.p, key.p);
    struct fault f = { 0 };
    struct server_tls wrong = { cert.p, cert.p };
    CHECK(!server_new(t->l, "127.0.0.1:0", &wrong, NULL, &f));
    CHECK(f.code);
    struct server_tls tls = { cert.p, key.p };
    struct server *s = server_new(t->l, "127.0.0.1:0", &tls, NULL, &f);
    CHECK(s);
    server_route(s, "POST", "/later", 1 << 20, later, t);
    for (int trusted = 0; trusted < 2; trusted++) {
        struct client_limits lim;
        client_limits_default(&lim);
        lim.ca_file = trusted ? cert.p : NULL;
        struct client *c = client_new(t->l, &lim, NULL);
        for (int i = 0; i < 3; i++) {
            size_t n = 200000;
            struct client_call call = { .a = t->a, .method = "POST", .body = slice_mem(arena_zalloc(t->a, n), n),
                                        .url = arena_printf(t->a, "https://127.0.0.1:%u/later", server_port(s)),
                                        .done = got_answer, .arg = t };
            client_send(c, &call);
            loop_run(t->l);
            CHECK_INT(t->observed_status, trusted ? 201 : 0);
        }
        if (trusted)
            CHECK_INT(server_connections(s), 1);
        client_free(c);
    }
    CHECK_INT(t->reached, 3);
    server_free(s);
    site_free(t);
}

/* ---- no room ------------------------------------------------------------------------------------ */

static int connected(unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    CHECK(fd >= 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* Asks, and has so long to be answered: true, or not. */
static bool answered(struct site *t, int fd, int64_t ms)
{
    slice ask = SL("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_INT(send(fd, ask.p, ask.n, MSG_NOSIGNAL), ask.n);
    char got[4096];
    for (int64_t until_ms = time_mono_ms() + ms; time_mono_ms() < until_ms;) {
        run_for(t->l, 10);
        if (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
            return true;
    }
    return false;
}

TEST(server_takes_who_waits_when_there_are_files_again)
{
    struct site *t = site_new();
    struct rlimit all, none;
    int early = connected(server_port(t->s)), late = -1;
    CHECK(answered(t, early, 5000));
    late = connected(server_port(t->s));
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &all), 0);
    none = (struct rlimit){ .rlim_cur = (rlim_t)early, .rlim_max = all.rlim_max }; /* all below are open */
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool served = answered(t, late, 100);
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &all), 0);
    CHECK(!served);
    CHECK(answered(t, late, 5000)); /* although the early one stays */
    close(early);
    close(late);
    site_free(t);
}

TEST(server_takes_who_waits_when_another_leaves)
{
    struct site *t = site_new();
    struct server_limits lim;
    struct fault f;
    server_limits_default(&lim);
    lim.connections = 2;
    struct server *s = server_new(t->l, "127.0.0.1:0", NULL, &lim, &f);
    CHECK(s);
    server_route(s, "GET", "/echo", 0, echo, t);
    int fd[3];
    for (size_t i = 0; i < COUNT(fd); i++)
        fd[i] = connected(server_port(s));
    CHECK(answered(t, fd[0], 5000));
    CHECK(answered(t, fd[1], 5000));
    CHECK(!answered(t, fd[2], 50));
    CHECK_INT(server_connections(s), 2);
    close(fd[0]);
    run_for(t->l, 100);
    CHECK(answered(t, fd[2], 5000));
    close(fd[1]);
    close(fd[2]);
    server_free(s);
    site_free(t);
}

/* ---- a socket in the file system ---------------------------------------------------------------- */

static int ask_socket(struct site *t, const char *path)
{
    struct client_limits lim;
    client_limits_default(&lim);
    lim.unix_socket = path;
    struct client *c = client_new(t->l, &lim, NULL);
    CHECK(c);
    struct client_call call = { .a = t->a, .method = "GET", .url = SL("http://local/echo"), .done = got_answer, .arg = t };
    client_send(c, &call);
    loop_run(t->l);
    client_free(c);
    return t->observed_status;
}

TEST(server_on_a_socket_for_its_owner_alone)
{
    struct site *t = site_new();
    struct fault f = { 0 };
    slice folder = arena_dup(t->a, slice_of(test_dir()));
    for (int i = 0; i < 4; i++) { /* a path that no address of a socket has room for */
        folder = arena_printf(t->a, SLF "/a-folder-with-a-name-of-forty-characters", SLA(folder));
        CHECK(mkdir(folder.p, 0755) == 0);
    }
    const char *path = arena_printf(t->a, SLF "/control.sock", SLA(folder)).p;
    const char *listen = arena_printf(t->a, "unix:%s", path).p;
    struct stat st;
    for (int again = 0; again < 2; again++) {
        mode_t before = umask(0);
        struct server *s = server_new(t->l, listen, NULL, NULL, &f);
        umask(before);
        CHECK(s);
        CHECK(stat(path, &st) == 0 && S_ISSOCK(st.st_mode));
        CHECK_INT(st.st_mode & 0777, 0600);
        server_route(s, "GET", "/echo", 0, echo, t);
        CHECK_INT(ask_socket(t, path), 200);
        server_free(s);
        CHECK(stat(path, &st) != 0);
        int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); /* as a killed process leaves it */
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        CHECK(chdir(folder.p) == 0);
        strncpy(at.sun_path, "control.sock", sizeof(at.sun_path) - 1);
        CHECK(bind(left, (struct sockaddr *)&at, sizeof(at)) == 0);
        CHECK(chdir("/") == 0);
        close(left);
        CHECK_INT(ask_socket(t, path), 0);
    }
    CHECK(unlink(path) == 0);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* somebody's file is not taken away */
    CHECK(fd >= 0);
    close(fd);
    CHECK(!server_new(t->l, listen, NULL, NULL, &f));
    CHECK(stat(path, &st) == 0 && S_ISREG(st.st_mode));
    CHECK(!server_new(t->l, "unix:/nonexistent/control.sock", NULL, NULL, &f));
    struct client_limits lim;
    client_limits_default(&lim);
    lim.unix_socket = "/nonexistent/control.sock";
    CHECK(!client_new(t->l, &lim, &f));
    site_free(t);
}

/* ---- drain -------------------------------------------------------------------------------------- */

static void drained(void *arg)
{
    struct site *t = arg;
    t->drained++;
}

static void drain_soon(void *arg)
{
    struct site *t = arg;
    server_drain(t->s, 5000, drained, t);
}

/* The request goes on when the server drains already. */
static void later_while_it_drains(struct exchange *x, void *ctx)
{
    struct site *t = ctx;
    later(x, t);
    loop_defer(t->l, drain_soon, t);
}

static void kept(struct exchange *x, void *ctx)
{
    ((struct site *)ctx)->kept = x;
}

enum { TURN_MS = 5, TURNS = 1000 };

TEST(server_drain_finishes_what_it_took)
{
    struct site *t = site_new();
    server_route(t->s, "POST", "/drains", 0, later_while_it_drains, t);
    struct peer p = { .send = SL("POST /drains HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy"), .wait_ms = 5000 };
    talk(t, &p);
    CHECK_INT(p.status, 201);
    CHECK(p.closed && has(&p, "Connection: close"));
    for (int i = 0; i < TURNS && !t->drained; i++)
        run_for(t->l, TURN_MS);
    CHECK_INT(t->drained, 1);
    struct peer late = { .send = SL("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n") };
    CHECK_INT(talk(t, &late)->status, 0);
    site_free(t);
}

TEST(server_drain_gives_up_after_its_grace)
{
    struct site *t = site_new();
    server_route(t->s, "POST", "/kept", 0, kept, t);
    struct peer p = { .send = SL("POST /kept HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxy"), .hang_up = true };
    talk(t, &p);
    for (int i = 0; i < TURNS && !t->kept; i++)
        run_for(t->l, TURN_MS);
    CHECK(t->kept);
    server_drain(t->s, 20, drained, t);
    for (int i = 0; i < TURNS && !t->drained; i++)
        run_for(t->l, TURN_MS);
    CHECK_INT(t->drained, 1);
    server_free(t->s);
    later_now(t); /* its handler answers after the end */
    t->s = NULL;
    site_free(t);
}

/* ---- events and files --------------------------------------------------------------------------- */

static void send_some(void *arg)
{
    struct site *t = arg;
    CHECK(t->page);
    events_send(t->page, "note", SL("one\ntwo"));
    events_send(t->page, NULL, SL("{}"));
    events_close(TAKE(t->page));
}

TEST(events_reach_the_page_in_order)
{
    struct site *t = site_new();
    t->then = send_some;
    struct peer p = { .send = SL("GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), .wait_ms = 5000 };
    talk(t, &p);
    CHECK_INT(p.status, 200);
    CHECK(has(&p, "Content-Type: text/event-stream\r\n") && has(&p, "Cache-Control: no-cache\r\n"));
    CHECK(has(&p, "retry: 3000\n\n") && has(&p, "event: note\ndata: one\ndata: two\n\ndata: {}\n\n") && has(&p, "\r\n0\r\n"));
    CHECK_INT(t->gone, 0); /* its owner closed it */
    site_free(t);
}

TEST(events_owner_hears_that_the_page_left)
{
    struct site *t = site_new();
    struct peer p = { .send = SL("GET /page HTTP/1.1\r\nHost: a\r\n\r\n"), .stop_after = 100 };
    talk(t, &p);
    for (int i = 0; i < TURNS && !t->gone; i++) /* no keep-alive is needed to find out */
        run_for(t->l, TURN_MS);
    CHECK_INT(t->gone, 1);
    CHECK(!t->page);
    struct peer again = { .send = SL("GET /page HTTP/1.1\r\nHost: a\r\n\r\n"), .stop_after = 100 };
    talk(t, &again);
    site_free(t); /* gone() for those still there */
}

static void flood(void *arg)
{
    struct site *t = arg;
    char *big = arena_zalloc(t->a, 20001);
    memset(big, 'x', 20000);
    for (int i = 0; i < 100; i++) /* 2 MB into a queue of 256 KiB, before the page can read any */
        events_send(t->page, "big", slice_mem(big, 20000));
    events_send(t->page, "last", SL("."));
    events_close(TAKE(t->page));
}

TEST(events_queue_is_bounded_and_tells_what_it_lost)
{
    struct site *t = site_new();
    t->then = flood;
    struct client *c = client_new(t->l, NULL, NULL);
    struct peer p = { .send = SL("GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), .wait_ms = 5000 };
    talk(t, &p); /* keeps the first 64 KiB */
    CHECK(has(&p, "event: lost\ndata: ") && p.n > 60000);
    client_free(c);
    site_free(t);
}

TEST(files_in_ranges)
{
    struct site *t = site_new();
    snprintf(t->file, sizeof(t->file), "%s/f", test_dir());
    int fd = open(t->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(write(fd, "0123456789", 10) == 10);
    close(fd);
    t->file_size = 10;
    static const struct {
        const char *method, *field;
        int status;
        const char *body, *has;
    } rows[] = {
        { "GET", "", 200, "0123456789", "Content-Length: 10\r\n" },
        { "GET", "", 200, "0123456789", "ETag: \"v1\"\r\n" },
        { "GET", "", 200, "0123456789", "Cache-Control: private\r\n" },
        { "HEAD", "", 200, "", "Content-Length: 10\r\n" },
        { "GET", "Range: bytes=2-4\r\n", 206, "234", "Content-Range: bytes 2-4/10\r\n" },
        { "GET", "Range: bytes=7-\r\n", 206, "789", "Content-Range: bytes 7-9/10\r\n" },
        { "GET", "Range: bytes=-3\r\n", 206, "789", "Content-Range: bytes 7-9/10\r\n" },
        { "GET", "Range: bytes=-30\r\n", 206, "0123456789", "Content-Range: bytes 0-9/10\r\n" },
        { "GET", "Range: bytes=5-100\r\n", 206, "56789", "Content-Range: bytes 5-9/10\r\n" },
        { "GET", "Range: bytes=10-\r\n", 416, "", "Content-Range: bytes */10\r\n" },
        { "GET", "Range: bytes=-0\r\n", 416, "", "Content-Range: bytes */10\r\n" },
        { "GET", "Range: bytes=4-2\r\n", 200, "0123456789", "Accept-Ranges: bytes\r\n" },
        { "GET", "Range: bytes=0-1,3-4\r\n", 200, "0123456789", "" },
        { "GET", "Range: lines=0-1\r\n", 200, "0123456789", "" },
        { "GET", "Range: bytes=0-1\r\nIf-Range: \"v1\"\r\n", 206, "01", "" },
        { "GET", "Range: bytes=0-1\r\nIf-Range: \"v0\"\r\n", 200, "0123456789", "" },
        { "GET", "If-None-Match: \"v1\"\r\n", 304, "", "ETag: \"v1\"\r\n" },
        { "GET", "If-None-Match: \"v0\", W/\"v1\"\r\n", 304, "", "" },
        { "GET", "If-None-Match: *\r\n", 304, "", "" },
        { "GET", "If-None-Match: \"v2\"\r\n", 200, "0123456789", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct peer p = { .send = arena_printf(t->a, "%s /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", rows[i].method,
                                               rows[i].field) };
        talk(t, &p);
        slice body = slice_from(peer_text(&p), slice_find(peer_text(&p), SL("\r\n\r\n")) + 4);
        if (p.status != rows[i].status || !slice_eq(body, slice_of(rows[i].body)) || !has(&p, rows[i].has))
            test_fail(__FILE__, __LINE__, "row %zu: status %d\n%s", i, p.status, p.got);
    }
    site_free(t);
}
