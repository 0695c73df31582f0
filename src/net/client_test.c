/* Client and server against each other in one loop, and the client against peers that break off. */
#include "net/client.h"
#include "net/client_redirect.h"
#include "net/net_test.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct loop *l;
    struct server *s;
    struct client *c;
    struct arena *a;
    int reached, open;
    struct exchange *kept[8]; /* by /never */
    size_t n_kept;
    const struct answer *got;
    /* what /echo saw */
    struct arena *seen;
    /* sink and source */
    uint64_t sunk, sunk_sum;
    uint64_t left;
    int pauses;
    struct client_call *call;
    struct loop_timer timer;
};

static void answered(void *arg, const struct answer *r)
{
    struct pair *p = arg;
    p->got = r;
    if (--p->open == 0)
        loop_stop(p->l);
}

/* Says back what came: method, path, body length, and the fields a test asks about. */
static void echo(struct exchange *x, void *ctx)
{
    struct pair *p = ctx;
    p->reached++;
    struct text t = text_new(x->a, 4 << 20);
    text_add(&t, SLF " " SLF "\n", SLA(x->method), SLA(x->path));
    for (size_t i = 0; i < x->n_headers; i++)
        text_add(&t, SLF "=" SLF "\n", SLA(x->headers[i].name), SLA(x->headers[i].value));
    text_add(&t, "body(%zu)=", x->body.n);
    if (x->body.n < 1000)
        text_put(&t, x->body);
    exchange_text(x, 200, text_slice(&t));
}

static void status(struct exchange *x, void *ctx)
{
    int64_t code;
    ((struct pair *)ctx)->reached++;
    CHECK(slice_int(x->rest, &code));
    struct header h[2] = { { SL("Retry-After"), exchange_query(x, "retry") }, { SL("Location"), exchange_query(x, "to") } };
    struct header set[2];
    size_t n = 0;
    for (size_t i = 0; i < 2; i++)
        if (h[i].value.n)
            set[n++] = h[i];
    exchange_answer(x, &(struct response){ .status = (int)code, .type = SL("text/plain"), .body = SL("said so"),
                                           .headers = set, .n_headers = n });
}

static void zeros(struct exchange *x, void *ctx)
{
    int64_t n;
    ((struct pair *)ctx)->reached++;
    CHECK(slice_int(x->rest, &n));
    exchange_answer(x, &(struct response){ .status = 200, .type = SL("application/octet-stream"),
                                           .body = slice_mem(arena_zalloc(x->a, (size_t)n), (size_t)n) });
}

static void never(struct exchange *x, void *ctx)
{
    struct pair *p = ctx;
    p->reached++;
    CHECK(p->n_kept < COUNT(p->kept));
    p->kept[p->n_kept++] = x;
}

static struct pair *pair_new(const struct client_limits *lim)
{
    struct pair *p = must_calloc(1, sizeof(*p));
    struct client_limits defaults;
    client_limits_default(&defaults);
    p->l = loop_new();
    p->a = arena_new();
    p->s = server_new(p->l, "127.0.0.1:0", NULL, NULL, NULL);
    p->c = client_new(p->l, lim ? lim : &defaults, NULL);
    CHECK(p->s && p->c);
    server_route(p->s, "*", "/echo", 4 << 20, echo, p);
    server_route(p->s, "*", "/status/*", 0, status, p);
    server_route(p->s, "GET", "/zeros/*", 0, zeros, p);
    server_route(p->s, "*", "/never", 0, never, p);
    return p;
}

static void pair_free(struct pair *p)
{
    client_free(p->c);
    server_free(p->s);
    for (size_t i = 0; i < p->n_kept; i++)
        exchange_text(p->kept[i], 200, SL("too late")); /* the handler's still, though nobody listens */
    loop_timer_done(&p->timer);
    loop_free(p->l);
    arena_free(p->a);
    free(p);
}

static slice local(struct pair *p, const char *path)
{
    return arena_printf(p->a, "http://127.0.0.1:%u%s", server_port(p->s), path);
}

/* Sends *call and runs the loop until its answer is there. */
static const struct answer *ask(struct pair *p, struct client_call *call)
{
    call->a = p->a;
    call->done = answered;
    call->arg = p;
    if (!call->method)
        call->method = "GET";
    p->open++;
    p->call = call;
    client_send(p->c, call);
    CHECK_INT(client_open(p->c), p->open);
    loop_run(p->l);
    CHECK_INT(p->open, 0);
    return p->got;
}

static bool says(const struct answer *r, const char *text)
{
    return slice_find(r->body, slice_of(text)) != SIZE_MAX;
}

/* ---- peers that break off ----------------------------------------------------------------------- */

struct breaker { /* answers the first `good` requests, then reads one more and resets */
    int listener, good, requests, connections;
    unsigned port;
    bool before_body; /* resets when the head is in, the body is not */
    bool hang_up;     /* closes after each answer without having said so */
    bool stop;
    pthread_t thread;
};

static void *breaking(void *arg)
{
    struct breaker *b = arg;
    for (;;) {
        int fd = accept(b->listener, NULL, NULL);
        if (fd < 0 || __atomic_load_n(&b->stop, __ATOMIC_SEQ_CST)) {
            close(fd);
            return NULL;
        }
        b->connections++;
        char buf[65536];
        for (;;) {
            ssize_t n = recv(fd, buf, b->before_body ? 20 : sizeof(buf), 0);
            if (n <= 0)
                break;
            if (b->requests++ >= b->good) {
                struct linger hard = { 1, 0 };
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
                break;
            }
            static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            if (send(fd, ok, sizeof(ok) - 1, MSG_NOSIGNAL) < 0 || b->hang_up)
                break;
        }
        close(fd);
    }
}

static void breaker_start(struct breaker *b)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t n = sizeof(at);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    b->listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(b->listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(b->listener, 16) == 0);
    getsockname(b->listener, (struct sockaddr *)&at, &n);
    b->port = ntohs(at.sin_port);
    CHECK_INT(pthread_create(&b->thread, NULL, breaking, b), 0);
}

static void breaker_stop(struct breaker *b)
{
    __atomic_store_n(&b->stop, true, __ATOMIC_SEQ_CST);
    shutdown(b->listener, SHUT_RDWR);
    pthread_join(b->thread, NULL);
    close(b->listener);
}

TEST(client_sends_every_method_and_body)
{
    struct pair *p = pair_new(NULL);
    static const struct {
        const char *method;
        slice body;
        const char *first, *last;
    } rows[] = {
        { "GET", { NULL, 0 }, "GET /echo\n", "body(0)=" },
        { "POST", SLI("{}"), "POST /echo\n", "body(2)={}" },
        { "POST", { NULL, 0 }, "POST /echo\n", "body(0)=" },
        { "PUT", SLI("abc"), "PUT /echo\n", "body(3)=abc" },
        { "PATCH", SLI("abc"), "PATCH /echo\n", "body(3)=abc" },
        { "DELETE", { NULL, 0 }, "DELETE /echo\n", "body(0)=" },
        { "DELETE", SLI("why"), "DELETE /echo\n", "body(3)=why" },
        { "GET", { NULL, 0 }, "GET /echo\n", "body(0)=" }, /* nothing left over from those before */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client_call call = { .method = rows[i].method, .url = local(p, "/echo"), .body = rows[i].body };
        const struct answer *r = ask(p, &call);
        CHECK_ROW(i, r->status == 200 && r->written && says(r, rows[i].first) && says(r, rows[i].last));
        CHECK_ROW(i, !says(r, "Expect=") && !says(r, "x-www-form") && says(r, "User-Agent=dragoman/"));
        CHECK_ROW(i, call.impl == NULL);
    }
    struct client_call head = { .method = "HEAD", .url = local(p, "/echo") };
    const struct answer *r = ask(p, &head);
    CHECK_INT(r->status, 200);
    CHECK_INT(r->body.n, 0);
    CHECK_SLICE(r->type, SL("text/plain; charset=utf-8"));
    CHECK_INT(server_connections(p->s), 1); /* all of it over one connection */
    pair_free(p);
}

TEST(client_sends_fields_and_refuses_bad_ones)
{
    struct pair *p = pair_new(NULL);
    struct header good[] = { { SL("Authorization"), SL("Bearer abc") }, { SL("Content-Type"), SL("application/json") },
                             { SL("X-Empty"), SL("") } };
    struct client_call call = { .method = "POST", .url = local(p, "/echo"), .body = SL("{}"), .headers = good, .n_headers = 3 };
    const struct answer *r = ask(p, &call);
    CHECK(says(r, "Authorization=Bearer abc\n") && says(r, "Content-Type=application/json\n") && says(r, "X-Empty=\n"));
    int before = p->reached;
    struct header bad[] = { { SL("X-A"), SL("b\r\nX-Injected: c") } };
    call.headers = bad;
    call.n_headers = 1;
    r = ask(p, &call);
    CHECK(r->status == 0 && !r->written && r->error.n);
    static const slice urls[] = { SLI("nonsense://x"), SLI("file:///etc/passwd"), SLI("http://127.0.0.1:1/\r\nX: y"), SLI("") };
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct client_call other = { .url = urls[i] };
        r = ask(p, &other);
        CHECK_ROW(i, r->status == 0 && !r->written && r->error.n);
    }
    CHECK_INT(p->reached, before);
    pair_free(p);
}

TEST(client_reads_retry_after)
{
    struct pair *p = pair_new(NULL);
    struct client_call call = { .url = local(p, "/status/429?retry=7") };
    const struct answer *r = ask(p, &call);
    CHECK_INT(r->status, 429);
    CHECK_INT(r->retry_after_ms, 7000);
    CHECK_SLICE(r->body, SL("said so"));
    time_t soon = time(NULL) + 100;
    struct tm tm;
    char date[64];
    gmtime_r(&soon, &tm);
    strftime(date, sizeof(date), "/status/503?retry=%a,+%d+%b+%Y+%H:%M:%S+GMT", &tm);
    struct client_call dated = { .url = local(p, date) };
    r = ask(p, &dated);
    CHECK_INT(r->status, 503);
    CHECK(r->retry_after_ms > 90000 && r->retry_after_ms <= 101000);
    struct client_call none = { .url = local(p, "/status/500") };
    CHECK_INT(ask(p, &none)->retry_after_ms, 0);
    struct client_call never_again = { .url = local(p, "/status/429?retry=9223372036854775807") };
    CHECK_INT(ask(p, &never_again)->retry_after_ms, INT64_C(86400000));
    pair_free(p);
}

TEST(client_runs_many_calls_over_few_connections)
{
    struct client_limits lim;
    client_limits_default(&lim);
    lim.per_host = 4;
    struct pair *p = pair_new(&lim);
    struct client_call calls[100];
    memset(calls, 0, sizeof(calls));
    for (size_t i = 0; i < COUNT(calls); i++) {
        calls[i] = (struct client_call){ .a = p->a, .method = "POST", .url = local(p, "/echo"), .body = SL("x"),
                                         .done = answered, .arg = p };
        p->open++;
        client_send(p->c, &calls[i]);
    }
    loop_run(p->l);
    CHECK_INT(p->reached, COUNT(calls));
    CHECK(server_connections(p->s) <= 4);
    CHECK_INT(client_open(p->c), 0);
    pair_free(p);
}

TEST(client_limits_time_and_size)
{
    struct pair *p = pair_new(NULL);
    struct client_call slow = { .method = "POST", .url = local(p, "/never"), .body = SL("x"), .total_ms = 60 };
    const struct answer *r = ask(p, &slow);
    CHECK(r->status == 0 && r->written);
    CHECK_SLICE(r->error, SL("no answer in time"));
    struct client_call big = { .url = local(p, "/zeros/200000"), .answer_bytes = 100000 };
    r = ask(p, &big);
    CHECK(r->status == 0 && r->written);
    CHECK_SLICE(r->error, SL("the answer is too large"));
    struct client_call fits = { .url = local(p, "/zeros/200000"), .answer_bytes = 200000 };
    r = ask(p, &fits);
    CHECK(r->status == 200 && r->body.n == 200000);
    pair_free(p);
}

static void cancel_it(void *arg)
{
    struct pair *p = arg;
    client_cancel(p->call);
    CHECK(p->call->impl == NULL);
    CHECK_INT(client_open(p->c), 0);
    loop_stop(p->l);
}

TEST(client_cancel_and_free_end_open_calls)
{
    struct pair *p = pair_new(NULL);
    struct client_call one = { .a = p->a, .method = "GET", .url = local(p, "/never"), .done = answered, .arg = p };
    p->open = 1;
    p->call = &one;
    client_send(p->c, &one);
    loop_timer_start(p->l, &p->timer, 30, cancel_it, p);
    loop_run(p->l);
    CHECK_INT(p->open, 1); /* no done() */
    client_send(p->c, &one);
    client_cancel(&one); /* before it began */
    CHECK_INT(client_open(p->c), 0);
    client_send(p->c, &one);
    run_for(p->l, 20);
    client_free(p->c);
    CHECK_INT(p->open, 0);
    CHECK(p->got->status == 0 && p->got->written);
    client_send(p->c = client_new(p->l, NULL, NULL), &one);
    p->open = 1;
    pair_free(p); /* ends it, not yet begun: done() without a run of the loop */
}

/* ---- what strangers send is not kept without end ------------------------------------------------------------------------ */

static void keep_and_stop(struct exchange *x, void *ctx)
{
    struct pair *p = ctx;
    never(x, ctx);
    loop_stop(p->l);
}

/* room: of large bodies together; its routes take body_max. */
static struct pair *pair_with_room(size_t room, size_t body_max)
{
    struct pair *p = pair_new(NULL);
    struct server_limits lim;
    server_limits_default(&lim);
    lim.large_bytes = room;
    server_free(p->s);
    p->s = server_new(p->l, "127.0.0.1:0", NULL, &lim, NULL);
    server_route(p->s, "POST", "/echo", body_max, echo, p);
    server_route(p->s, "POST", "/keep", body_max, keep_and_stop, p);
    return p;
}

TEST(server_keeps_only_so_much_of_large_bodies_together)
{
    enum { SMALL = 64 << 10, LARGE = 1 << 20, ROOM = LARGE + LARGE / 2 };
    struct pair *p = pair_with_room(ROOM, LARGE);
    slice large = slice_mem(arena_zalloc(p->a, LARGE), LARGE), small = slice_sub(large, 0, SMALL);
    struct client_call kept = { .a = p->a, .method = "POST", .url = local(p, "/keep"), .body = large, .done = answered, .arg = p };
    struct client *other = client_new(p->l, NULL, NULL);
    client_send(other, &kept);
    loop_run(p->l);
    CHECK_INT((int64_t)p->n_kept, 1);
    for (int again = 0; again < 3; again++) {
        const struct answer *r = ask(p, &(struct client_call){ .method = "POST", .url = local(p, "/echo"), .body = large });
        CHECK_INT(r->status, 503);
        CHECK_SLICE(answer_header(r, "Retry-After"), SL("1"));
        CHECK_INT(ask(p, &(struct client_call){ .method = "POST", .url = local(p, "/echo"), .body = small })->status, 200);
    }
    p->open = 1;
    exchange_text(p->kept[--p->n_kept], 200, SL("now"));
    loop_run(p->l); /* until its answer is there */
    CHECK_INT(ask(p, &(struct client_call){ .method = "POST", .url = local(p, "/echo"), .body = large })->status, 200);
    CHECK_INT(p->reached, 5);
    client_free(other);
    pair_free(p);
}

/* However small the room was chosen: what its route takes has to fit when nothing else is under way. */
TEST(server_always_has_room_for_one_large_body)
{
    enum { LARGE = 1 << 20 };
    struct pair *p = pair_with_room(LARGE / 4, LARGE);
    CHECK_INT(ask(p, &(struct client_call){ .method = "POST", .url = local(p, "/echo"), .body = slice_mem(arena_zalloc(p->a, LARGE), LARGE) })->status, 200);
    pair_free(p);
}

/* Behind so much of it that the peer would be cut off before it reads the answer. */
TEST(server_refuses_a_large_body_without_room_before_it_comes)
{
    enum { LARGE = 16 << 20, SOME = 12 << 20 };
    struct pair *p = pair_with_room(LARGE, LARGE);
    slice large = slice_mem(arena_zalloc(p->a, LARGE), LARGE);
    struct client_call kept = { .a = p->a, .method = "POST", .url = local(p, "/keep"), .body = slice_sub(large, 0, SOME), .done = answered, .arg = p };
    struct client *other = client_new(p->l, NULL, NULL);
    client_send(other, &kept);
    loop_run(p->l);
    const struct answer *r = ask(p, &(struct client_call){ .method = "POST", .url = local(p, "/echo"), .body = large });
    CHECK_INT(r->status, 503);
    CHECK_SLICE(answer_header(r, "Retry-After"), SL("1"));
    client_free(other);
    pair_free(p);
}

static long switches_and_cpu_ms(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_nvcsw + (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

TEST(client_sleeps_while_nothing_is_asked)
{
    struct pair *p = pair_new(NULL);
    struct breaker b = { .good = 1000, .hang_up = true };
    breaker_start(&b);
    struct client_call kept = { .url = local(p, "/echo") };
    struct client_call closed = { .url = arena_printf(p->a, "http://127.0.0.1:%u/", b.port) };
    CHECK_INT(ask(p, &kept)->status, 200);
    CHECK_INT(ask(p, &closed)->status, 200); /* the peer closes the kept connection now */
    breaker_stop(&b);
    run_for(p->l, 30);
    long before = switches_and_cpu_ms();
    run_for(p->l, 300);
    CHECK(switches_and_cpu_ms() - before <= 20);
    pair_free(p);
}

/* ---- redirects, guard --------------------------------------------------------------------------- */

TEST(client_follows_redirects_without_credentials_to_others)
{
    struct pair *p = pair_new(NULL);
    struct server *other = server_new(p->l, "127.0.0.1:0", NULL, NULL, NULL);
    server_route(other, "*", "/echo", 0, echo, p);
    slice away = arena_printf(p->a, "http://127.0.0.1:%u/echo", server_port(other));
    struct header h[] = { { SL("Authorization"), SL("Bearer abc") }, { SL("X-Vendor-Token"), SL("def") },
                          { SL("Cookie"), SL("a=b") }, { SL("Content-Type"), SL("text/x") }, { SL("Accept"), SL("a/b") } };
    const struct {
        const char *method;
        int status;
        bool away;
        const char *first, *has, *has_not;
    } rows[] = {
        { "GET", 302, false, "GET /echo\n", "Authorization=Bearer abc\n", "body(1)" },
        { "GET", 302, true, "GET /echo\n", "Accept=a/b\n", "abc" },
        { "GET", 301, true, "GET /echo\n", "Accept=a/b\n", "def" },
        { "GET", 308, true, "GET /echo\n", "Accept=a/b\n", "Cookie" },
        { "POST", 301, false, "GET /echo\n", "X-Vendor-Token=def\n", "Content-Type" },
        { "POST", 302, false, "GET /echo\n", "body(0)", "body(4)" },
        { "POST", 303, false, "GET /echo\n", "body(0)", "body(4)" },
        { "PUT", 303, false, "GET /echo\n", "body(0)", "body(4)" },
        { "PUT", 302, false, "PUT /echo\n", "body(4)=data", "body(0)" },
        { "POST", 307, false, "POST /echo\n", "body(4)=data", "body(0)" },
        { "POST", 308, true, "POST /echo\n", "Content-Type=text/x", "Authorization" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice path = arena_printf(p->a, "/status/%d?to=" SLF, rows[i].status, SLA(rows[i].away ? away : SL("/echo")));
        struct client_call call = { .method = rows[i].method, .url = local(p, path.p), .headers = h, .n_headers = COUNT(h),
                                    .max_redirects = 3, .body = strcmp(rows[i].method, "GET") ? SL("data") : SLICE_NONE };
        const struct answer *r = ask(p, &call);
        CHECK_ROW(i, r->status == 200 && says(r, rows[i].first) && says(r, rows[i].has) && !says(r, rows[i].has_not));
        CHECK_SLICE(r->final_url, rows[i].away ? away : local(p, "/echo"));
    }
    struct client_call none = { .url = local(p, "/status/302?to=/echo") };
    CHECK_INT(ask(p, &none)->status, 302); /* not asked to follow */
    p->reached = 0;
    struct client_call round = { .url = local(p, "/status/302?to=/status/302%3Fto=/status/302"), .max_redirects = 2 };
    CHECK_INT(ask(p, &round)->status, 302);
    CHECK_INT(p->reached, 3);
    server_free(other);
    pair_free(p);
}

TEST(client_redirects_never_lose_encryption)
{
    struct arena *a = arena_new();
    struct hop from = { .method = "GET", .url = SL("https://a.example/x?y=z") }, to;
    CHECK_INT(redirect_next(a, &from, 302, SL("http://a.example/"), &to), REDIRECT_REFUSED);
    CHECK_INT(redirect_next(a, &from, 302, SL("ftp://a.example/"), &to), REDIRECT_NONE);
    CHECK_INT(redirect_next(a, &from, 302, SL("file:///etc/passwd"), &to), REDIRECT_NONE);
    CHECK_INT(redirect_next(a, &from, 302, SLICE_NONE, &to), REDIRECT_NONE);
    CHECK_INT(redirect_next(a, &from, 304, SL("/a"), &to), REDIRECT_NONE);
    CHECK_INT(redirect_next(a, &from, 302, SL("//b.example:444/c#frag"), &to), REDIRECT_FOLLOW);
    CHECK_SLICE(to.url, SL("https://b.example:444/c"));
    CHECK_INT(redirect_next(a, &from, 302, SL("../d"), &to), REDIRECT_FOLLOW);
    CHECK_SLICE(to.url, SL("https://a.example/d"));
    arena_free(a);
}

TEST(client_guard_refuses_private_addresses)
{
    struct pair *p = pair_new(NULL);
    struct client_call open = { .url = local(p, "/echo") };
    CHECK_INT(ask(p, &open)->status, 200); /* leaves a kept connection that the next must not use */
    static const char *const hosts[] = { "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]",
                                         "0.0.0.0" };
    p->reached = 0;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct client_call call = { .url = arena_printf(p->a, "http://%s:%u/echo", hosts[i], server_port(p->s)), .guard = true };
        const struct answer *r = ask(p, &call);
        CHECK_ROW(i, r->status == 0 && !r->written);
        CHECK_SLICE(r->error, SL("the address is not a public one"));
    }
    CHECK_INT(p->reached, 0);
    pair_free(p);
    struct client_limits lim;
    client_limits_default(&lim);
    lim.guard_off = true;
    p = pair_new(&lim);
    struct client_call call = { .url = local(p, "/echo"), .guard = true };
    CHECK_INT(ask(p, &call)->status, 200);
    pair_free(p);
}

static void as_proxy(struct exchange *x, void *ctx)
{
    ((struct pair *)ctx)->reached++;
    exchange_text(x, 200, exchange_header(x, "Host"));
}

TEST(client_goes_through_a_proxy_and_still_guards)
{
    struct loop *l = loop_new();
    struct pair p = { .l = l, .a = arena_new() };
    struct server *proxy = server_new(l, "127.0.0.1:0", NULL, NULL, NULL);
    server_route(proxy, "*", "/*", 0, as_proxy, &p);
    struct client_limits lim;
    client_limits_default(&lim);
    slice at = arena_printf(p.a, "http://127.0.0.1:%u", server_port(proxy));
    lim.proxy = at.p;
    p.c = client_new(l, &lim, NULL);
    struct client_call call = { .url = SL("http://desk.example/x"), .guard = true };
    const struct answer *r = ask(&p, &call);
    CHECK_INT(r->status, 200);
    CHECK_SLICE(r->body, SL("desk.example"));
    static const char *const hosts[] = { "10.0.0.1", "10.0.0.1.", "10.1", "10.1.", "167772161", "167772161.", "0xa.0.0.1", "0xa000001.", "012.0.0.1.", "localhost.", "[fc00::1]" };
    for (size_t i = 0; i < COUNT(hosts); i++) { /* the proxy would read them as addresses */
        struct client_call bad = { .url = arena_printf(p.a, "http://%s/x", hosts[i]), .guard = true };
        r = ask(&p, &bad);
        CHECK_ROW(i, r->status == 0 && r->refused);
    }
    CHECK_INT(p.reached, 1);
    client_free(p.c);
    server_free(proxy);
    loop_free(l);
    arena_free(p.a);
}

/* ---- streams ------------------------------------------------------------------------------------ */

static void resume(void *arg)
{
    struct pair *p = arg;
    client_resume(p->call);
}

static bool sink(void *arg, const struct answer *head, const char *bytes, size_t n)
{
    struct pair *p = arg;
    (void)bytes;
    CHECK_INT(head->status, 200);
    CHECK_SLICE(head->type, SL("application/octet-stream"));
    p->sunk += n;
    if (p->pauses > 0 && !p->timer.active) {
        p->pauses--;
        client_pause(p->call);
        loop_timer_start(p->l, &p->timer, 5, resume, p);
    }
    return p->sunk < p->left;
}

TEST(client_streams_down_with_pauses)
{
    struct pair *p = pair_new(NULL);
    p->left = UINT64_MAX;
    p->pauses = 5;
    struct client_call call = { .url = local(p, "/zeros/1000000"), .sink = sink, .io_arg = p, .answer_bytes = 1000000 };
    const struct answer *r = ask(p, &call);
    CHECK(r->status == 200 && r->body.n == 0);
    CHECK_INT(p->sunk, 1000000);
    CHECK_INT(p->pauses, 0);
    p->sunk = 0;
    p->left = 1000; /* enough then */
    struct client_call some = { .url = local(p, "/zeros/1000000"), .sink = sink, .io_arg = p };
    r = ask(p, &some);
    CHECK_INT(r->status, 0);
    p->sunk = 0;
    struct client_call refused = { .url = local(p, "/status/404"), .sink = sink, .io_arg = p };
    r = ask(p, &refused);
    CHECK_INT(r->status, 404);
    CHECK_SLICE(r->body, SL("said so")); /* the sink takes only what was asked for */
    CHECK_INT(p->sunk, 0);
    pair_free(p);
}

static ssize_t source(void *arg, char *buf, size_t n)
{
    struct pair *p = arg;
    if (p->pauses > 0 && p->left < 500000) {
        p->pauses--;
        loop_timer_start(p->l, &p->timer, 5, resume, p);
        return CLIENT_PAUSE;
    }
    n = (size_t)MIN((uint64_t)n, p->left);
    memset(buf, 'x', n);
    p->left -= n;
    return (ssize_t)n;
}

static ssize_t bad_source(void *arg, char *buf, size_t n)
{
    (void)arg, (void)buf, (void)n;
    return -1;
}

TEST(client_streams_up_with_pauses)
{
    struct pair *p = pair_new(NULL);
    for (int64_t i = 0; i < 2; i++) {
        p->left = 1000000;
        p->pauses = 3;
        struct client_call call = { .method = "POST", .url = local(p, "/echo"), .source = source, .io_arg = p,
                                    .source_bytes = i ? -1 : 1000000 };
        const struct answer *r = ask(p, &call);
        CHECK_ROW(i, r->status == 200 && r->written && says(r, "body(1000000)"));
        CHECK_ROW(i, says(r, i ? "Transfer-Encoding=chunked" : "Content-Length=1000000"));
        CHECK_ROW(i, p->pauses == 0);
    }
    p->reached = 0;
    struct client_call bad = { .method = "POST", .url = local(p, "/echo"), .source = bad_source, .source_bytes = 10 };
    const struct answer *r = ask(p, &bad);
    CHECK(r->status == 0 && !r->written);
    CHECK_INT(p->reached, 0);
    pair_free(p);
}

/* ---- peers that break off: what they may see ---------------------------------------------------- */

TEST(client_never_sends_a_post_twice)
{
    static const struct {
        const char *method;
        int good;     /* answered before, so the connection is a kept one */
        int requests; /* that the peer may see in all */
    } rows[] = {
        { "POST", 0, 1 }, { "POST", 1, 2 }, { "POST", 3, 4 }, { "PUT", 1, 2 }, { "DELETE", 1, 2 }, { "PATCH", 1, 2 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair *p = pair_new(NULL);
        struct breaker b = { .good = rows[i].good };
        breaker_start(&b);
        slice url = arena_printf(p->a, "http://127.0.0.1:%u/", b.port);
        for (int k = 0; k < rows[i].good; k++) {
            struct client_call call = { .method = rows[i].method, .url = url, .body = SL("x") };
            CHECK_ROW(i, ask(p, &call)->status == 200);
        }
        struct client_call call = { .method = rows[i].method, .url = url, .body = SL("x") };
        const struct answer *r = ask(p, &call);
        CHECK_ROW(i, r->status == 0 && r->written);
        CHECK_SLICE(r->error, SL("the connection broke before an answer came"));
        breaker_stop(&b);
        CHECK_ROW(i, b.requests == rows[i].requests && b.connections >= 1);
        pair_free(p);
    }
}

TEST(client_repeats_a_get_over_a_broken_kept_connection)
{
    struct pair *p = pair_new(NULL);
    struct breaker b = { .good = 1 };
    breaker_start(&b);
    slice url = arena_printf(p->a, "http://127.0.0.1:%u/", b.port);
    struct client_call first = { .url = url }, second = { .url = url };
    CHECK_INT(ask(p, &first)->status, 200);
    CHECK_INT(ask(p, &second)->status, 0); /* reset again on the fresh connection, then given up */
    breaker_stop(&b);
    CHECK_INT(b.requests, 3);
    pair_free(p);
}

TEST(client_knows_what_cannot_have_been_written)
{
    struct pair *p = pair_new(NULL);
    struct breaker b = { .before_body = true };
    breaker_start(&b);
    size_t n = 8 << 20; /* more than the kernel's buffers take */
    struct client_call call = { .method = "POST", .url = arena_printf(p->a, "http://127.0.0.1:%u/", b.port),
                                .body = slice_mem(arena_zalloc(p->a, n), n) };
    const struct answer *r = ask(p, &call);
    CHECK(r->status == 0 && !r->written);
    breaker_stop(&b);
    struct client_call closed = { .method = "POST", .url = call.url, .body = SL("x") };
    r = ask(p, &closed); /* nobody listens there any more */
    CHECK(r->status == 0 && !r->written);
    pair_free(p);
}
