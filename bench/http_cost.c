/* http_cost.c - what a request costs our server, and what a call costs our client, in CPU time.
 *
 *   build/src/net/http_cost server [seconds [port]]   serves; every request is suspended and answered at the end of the turn.
 *                                                   Drive it: wrk -t1 -c32 -d5s http://127.0.0.1:PORT/hook
 *   build/src/net/http_cost client URL [calls [at once]]
 *
 * Both print CPU microseconds (user + system) of this process per request or call.
 */
#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"
#include <sys/resource.h>

static double cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec * 1e6 + (double)u.ru_utime.tv_usec + (double)u.ru_stime.tv_sec * 1e6 +
           (double)u.ru_stime.tv_usec;
}

struct bench {
    struct loop *l;
    struct client *c;
    struct exchange *waiting[4096];
    size_t n_waiting;
    slice url;
    long requests, todo;
};

static void stop(void *arg)
{
    loop_stop(((struct bench *)arg)->l);
}

static void answer_all(void *arg)
{
    struct bench *b = arg;
    for (size_t i = 0; i < b->n_waiting; i++)
        exchange_json(b->waiting[i], 200, SL("{\"ok\":true}"));
    b->n_waiting = 0;
}

static void hook(struct exchange *x, void *ctx)
{
    struct bench *b = ctx;
    b->requests++;
    if (b->n_waiting == 0)
        loop_post(b->l, answer_all, b); /* as a commit would come back */
    assert(b->n_waiting < COUNT(b->waiting));
    b->waiting[b->n_waiting++] = x;
}

static void serve(int64_t seconds, const char *port)
{
    static struct bench b;
    char at[64];
    b.l = loop_new();
    snprintf(at, sizeof(at), "127.0.0.1:%s", port);
    struct fault f;
    struct server *s = server_new(b.l, at, NULL, NULL, &f);
    if (!s) {
        fprintf(stderr, "%s\n", f.text);
        exit(1);
    }
    server_route(s, "*", "/hook", 0, hook, &b);
    printf("port %u\n", server_port(s));
    fflush(stdout);
    struct loop_timer t = { 0 };
    double before = cpu_us();
    loop_timer_start(b.l, &t, seconds * 1000, stop, &b);
    loop_run(b.l);
    answer_all(&b);
    double used = cpu_us() - before;
    printf("server: %ld requests, %.2f us CPU each\n", b.requests, b.requests ? used / (double)b.requests : 0);
    server_free(s);
    loop_free(b.l);
}

struct one {
    struct bench *b;
    struct client_call call;
    struct header h[2];
};

static void done(void *arg, const struct answer *r);

static void call(struct bench *b)
{
    if (b->todo-- <= 0)
        return;
    struct arena *a = arena_new();
    struct one *o = ARENA_NEW(a, struct one);
    o->b = b;
    o->h[0] = (struct header){ SL("Content-Type"), SL("application/json") };
    o->h[1] = (struct header){ SL("Authorization"), SL("Bearer 0123456789abcdef0123456789abcdef") };
    o->call = (struct client_call){ .a = a, .method = "POST", .url = b->url, .headers = o->h, .n_headers = 2,
                                    .body = SL("{\"to\":\"U123\",\"messages\":[{\"type\":\"text\",\"text\":\"hello\"}]}"),
                                    .done = done, .arg = o };
    client_send(b->c, &o->call);
}

static void done(void *arg, const struct answer *r)
{
    struct one *o = arg;
    struct bench *b = o->b;
    if (r->status != 200) {
        fprintf(stderr, "status %d: " SLF "\n", r->status, SLA(r->error));
        exit(1);
    }
    b->requests++;
    arena_free(o->call.a);
    call(b);
    if (client_open(b->c) == 0)
        loop_stop(b->l);
}

static void call_all(const char *url, long calls, long at_once)
{
    static struct bench b;
    b.l = loop_new();
    b.c = client_new(b.l, NULL, NULL);
    b.url = slice_of(url);
    b.todo = calls / 10 + at_once; /* warm */
    for (long i = 0; i < at_once; i++)
        call(&b);
    loop_run(b.l);
    b.requests = 0;
    b.todo = calls;
    double before = cpu_us();
    int64_t began = time_mono_us();
    for (long i = 0; i < at_once; i++)
        call(&b);
    loop_run(b.l);
    printf("client: %ld calls, %ld at once, %.2f us CPU each, %.0f calls/s\n", b.requests, at_once,
           (cpu_us() - before) / (double)b.requests, (double)b.requests * 1e6 / (double)(time_mono_us() - began));
    client_free(b.c);
    loop_free(b.l);
}

static long number(int argc, char **argv, int i, long otherwise)
{
    int64_t v = otherwise;
    if (argc > i && !slice_int(slice_of(argv[i]), &v))
        v = otherwise;
    return (long)v;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "server") == 0)
        serve(number(argc, argv, 2, 10), argc > 3 ? argv[3] : "0");
    else if (argc > 2 && strcmp(argv[1], "client") == 0)
        call_all(argv[2], number(argc, argv, 3, 50000), number(argc, argv, 4, 16));
    else
        fprintf(stderr, "usage: http_cost server [seconds [port]] | client URL [calls [at once]]\n");
    return 0;
}
