/* load.c - sends signed webhooks and measures how long their 200 takes.
 *
 *   bench-load --port 8080 --kind line  --count 10000 --guests 5000 --connections 32 --seconds 5 --out sent.i64
 *   bench-load --port 8080 --kind image …      one image a webhook
 *   bench-load --port 8080 --kind reply …      an agent's replies, as Genesys Cloud's outbound webhooks
 *   bench-load --port 8080 --idle 10000        opens so many connections, makes one request on each, then holds them until SIGTERM
 *
 * Schedule   message i is due at i * seconds / count; seconds 0: at once. A guest's message waits for the 200 of the one before it.
 *            A connection carries one request at a time and is kept.
 * Times      "answer" counts from when a message was due, so that a slow hub cannot hide by making us late; "service" from when it was sent.
 * Result     one JSON object on stdout; --out FILE: for every message the µs (monotonic clock) when it was sent, 0 when it was not
 *            accepted, as 64-bit integers.
 */
#include "bench/http.h"
#include "bench/work.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

enum kind { LOAD_LINE, LOAD_IMAGE, LOAD_REPLY, LOAD_KINDS };
static const char *const kind_names[LOAD_KINDS] = { "line", "image", "reply" };
static const char *const kind_paths[LOAD_KINDS] = { "/line", "/line", "/openmessaging" };
enum { READ_BYTES = 16384, EVENTS = 256, DOWN_PAUSE_US = 20000, SILENCE_US = 30 * 1000 * 1000 };

struct times {
    int64_t due_us, sent_us, done_us;
    int status; /* 0: no answer */
};
struct conn {
    int fd;
    SSL *tls;
    struct buffer in, out;
    size_t out_at;
    bool busy, writing;
    size_t message;
};
struct load {
    enum kind kind;
    unsigned port;
    const char *path;
    size_t count, guests, n_conns, first;
    double seconds;
    SSL_CTX *tls;
    int epoll;
    struct conn *conns;
    struct conn **free;
    size_t n_free, next, finished;
    struct times *times;
    struct buffer body;
    int64_t began_us, heard_us;
    size_t reconnects;
};

static volatile sig_atomic_t stop_asked;

static void on_stop(int signum)
{
    (void)signum;
    stop_asked = 1;
}

/* ---- messages -------------------------------------------------------------------------------------------------------- */

static void line_body(struct load *l, size_t i)
{
    unsigned n = (unsigned)(l->first + i), guest = (unsigned)(i % l->guests), k = (unsigned)(i / l->guests);
    long long now_ms = (long long)time_now_ms();
    buffer_printf(&l->body, "{\"destination\":\"" WORK_BOT_USER "\",\"events\":[{\"type\":\"message\",\"message\":{");
    if (l->kind == LOAD_IMAGE)
        buffer_printf(&l->body, "\"type\":\"image\",\"id\":\"%u\",\"quoteToken\":\"q3Plxr4AgKd\",\"contentProvider\":{\"type\":\"line\"}", n);
    else
        buffer_printf(&l->body, "\"type\":\"text\",\"id\":\"5251772960%08u\",\"quoteToken\":\"q3Plxr4AgKd\",\"text\":\"" WORK_TEXT_FORMAT
                      "Good morning! \xe4\xbb\x8a\xe6\x97\xa5\xe3\x81\xaf where is my order 4711?\"", n, n, guest, k);
    buffer_printf(&l->body, "},\"webhookEventId\":\"01J8%014uBENCH%03x\",\"deliveryContext\":{\"isRedelivery\":false},\"timestamp\":%lld,"
                  "\"source\":{\"type\":\"user\",\"userId\":\"" WORK_GUEST_FORMAT "\"},\"replyToken\":\"b0a7c0ffee%022x\",\"mode\":\"active\"}]}",
                  n, n & 0xfff, now_ms, guest, n);
}

static void reply_body(struct load *l, size_t i)
{
    unsigned n = (unsigned)(l->first + i), guest = (unsigned)(i % l->guests), k = (unsigned)(i / l->guests);
    char now[TIME_RFC3339_BYTES];
    time_rfc3339_buf(time_now_ms(), now);
    buffer_printf(&l->body,
                  "{\"id\":\"%032x\",\"channel\":{\"id\":\"" WORK_INTEGRATION "\",\"platform\":\"Open\",\"type\":\"Private\",\"messageId\":\"%032x\","
                  "\"to\":{\"id\":\"" WORK_GUEST_FORMAT "@line\",\"idType\":\"Opaque\"},"
                  "\"from\":{\"nickname\":\"Bench\",\"id\":\"" WORK_INTEGRATION "\",\"idType\":\"Opaque\"},\"time\":\"%s\"},"
                  "\"type\":\"Text\",\"text\":\"" WORK_TEXT_FORMAT "Your order is on its way. \xe3\x81\x82\xe3\x82\x8a\xe3\x81\x8c\xe3\x81\xa8\xe3\x81\x86\","
                  "\"originatingEntity\":\"Human\",\"direction\":\"Outbound\",\"conversationId\":\"c0000000-0000-4000-8000-%012x\"}",
                  n, n, guest, now, n, guest, k, guest);
}

/* Head, signature and body of message i behind what is to be written. */
static void request_add(struct load *l, size_t i, struct buffer *out)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bool reply = l->kind == LOAD_REPLY;
    l->body.n = 0;
    if (reply)
        reply_body(l, i);
    else
        line_body(l, i);
    struct sha256 mac = hmac_sha256(reply ? SL(WORK_DESK_SECRET) : SL(WORK_CHANNEL_SECRET), buffer_slice(&l->body));
    slice signature = base64_encode(a, slice_mem(mac.b, sizeof(mac.b)));
    buffer_printf(out, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json; charset=utf-8\r\n"
                  "User-Agent: %s\r\n%s: %s" SLF "\r\nContent-Length: %zu\r\n\r\n",
                  l->path, l->port, reply ? "Genesys" : "LineBotWebhook/2.0", reply ? "X-Hub-Signature-256" : "X-Line-Signature",
                  reply ? "sha256=" : "", SLA(signature), l->body.n);
    buffer_add(out, buffer_slice(&l->body));
}

/* ---- connections ----------------------------------------------------------------------------------------------------- */

static void watch(struct load *l, struct conn *c, int op, bool writing)
{
    struct epoll_event e = { .events = EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0), .data.ptr = c };
    c->writing = writing;
    if (epoll_ctl(l->epoll, op, c->fd, &e) != 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void tls_begin(struct load *l, struct conn *c)
{
    c->tls = SSL_new(l->tls);
    SSL_set_fd(c->tls, c->fd);
    SSL_set_connect_state(c->tls); /* the handshake is made with the first write */
}

static bool conn_open(struct load *l, struct conn *c)
{
    c->fd = http_connect(l->port);
    if (c->fd < 0)
        return false;
    c->in.n = c->out.n = c->out_at = 0;
    if (l->tls)
        tls_begin(l, c);
    watch(l, c, EPOLL_CTL_ADD, false);
    return true;
}

static void finish(struct load *l, struct conn *c, int status)
{
    struct times *t = &l->times[c->message];
    t->done_us = time_mono_us();
    t->status = status;
    c->busy = false;
    l->finished++;
    l->heard_us = t->done_us;
}

static void conn_close(struct load *l, struct conn *c)
{
    SSL_free(c->tls);
    c->tls = NULL;
    close(c->fd);
    c->fd = -1;
    if (c->busy) {
        finish(l, c, 0);
        l->free[l->n_free++] = c;
    }
}

/* Like read and write: -1 with errno EAGAIN when it would have to wait. */
static ssize_t conn_read(struct conn *c, char *p, size_t n)
{
    if (!c->tls)
        return read(c->fd, p, n);
    int got = SSL_read(c->tls, p, (int)n);
    if (got > 0)
        return got;
    int why = SSL_get_error(c->tls, got);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static ssize_t conn_write(struct conn *c, const char *p, size_t n)
{
    if (!c->tls)
        return write(c->fd, p, n);
    int put = SSL_write(c->tls, p, (int)n);
    if (put > 0)
        return put;
    int why = SSL_get_error(c->tls, put);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
}

static void conn_flush(struct load *l, struct conn *c)
{
    while (c->out_at < c->out.n) {
        ssize_t n = conn_write(c, c->out.p + c->out_at, c->out.n - c->out_at);
        if (n < 0 && errno == EAGAIN) {
            bool wait = !c->tls || !SSL_want_read(c->tls);
            if (wait != c->writing)
                watch(l, c, EPOLL_CTL_MOD, wait);
            return;
        }
        if (n <= 0) {
            conn_close(l, c);
            return;
        }
        c->out_at += (size_t)n;
    }
    c->out.n = c->out_at = 0;
    if (c->writing)
        watch(l, c, EPOLL_CTL_MOD, false);
}

static void conn_readable(struct load *l, struct conn *c)
{
    struct http_message m;
    ssize_t n = 0;
    for (;;) {
        n = conn_read(c, buffer_room(&c->in, READ_BYTES), READ_BYTES);
        if (n <= 0)
            break;
        c->in.n += (size_t)n;
        if (!c->tls && n < READ_BYTES)
            break;
    }
    bool gone = n == 0 || (n < 0 && errno != EAGAIN);
    while (http_read(buffer_slice(&c->in), &m)) {
        bool close_asked = slice_eq_nocase(http_header(&m, "connection"), SL("close"));
        if (c->busy) {
            finish(l, c, http_status(&m));
            l->free[l->n_free++] = c;
        }
        buffer_drop(&c->in, m.size);
        gone = gone || close_asked;
    }
    if (gone)
        conn_close(l, c);
    else if (c->out_at < c->out.n)
        conn_flush(l, c);
}

/* ---- schedule -------------------------------------------------------------------------------------------------------- */

static int64_t due_us(const struct load *l, size_t i)
{
    return l->began_us + (int64_t)(l->seconds * 1e6 * (double)i / (double)l->count);
}

/* The message before it of the same guest has its answer. */
static bool allowed(const struct load *l, size_t i)
{
    return i < l->guests || l->times[i - l->guests].done_us;
}

static void send_due(struct load *l)
{
    while (l->next < l->count && l->n_free && allowed(l, l->next)) {
        int64_t now_us = time_mono_us(), due = due_us(l, l->next);
        if (due > now_us)
            return;
        struct conn *c = l->free[--l->n_free];
        if (c->fd < 0) {
            l->reconnects++;
            if (!conn_open(l, c)) {
                l->free[l->n_free++] = c;
                if (now_us - l->heard_us > SILENCE_US)
                    die("nothing listens on port %u", l->port);
                usleep(DOWN_PAUSE_US);
                return;
            }
        }
        size_t i = l->next++;
        c->busy = true;
        c->message = i;
        l->times[i].due_us = due;
        l->times[i].sent_us = now_us;
        request_add(l, i, &c->out);
        conn_flush(l, c);
    }
}

static void wait_and_read(struct load *l)
{
    struct epoll_event events[EVENTS];
    struct timespec wait = { .tv_sec = 1 };
    if (l->next < l->count && l->n_free && allowed(l, l->next)) {
        int64_t us = MIN(MAX(due_us(l, l->next) - time_mono_us(), 0), 1000000);
        wait = (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
    }
    int n = epoll_pwait2(l->epoll, events, EVENTS, &wait, NULL);
    for (int i = 0; i < n; i++) {
        struct conn *c = events[i].data.ptr;
        if (c->fd >= 0 && c->out_at < c->out.n && (events[i].events & EPOLLOUT))
            conn_flush(l, c);
        if (c->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
            conn_readable(l, c);
    }
}

/* ---- result ---------------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void percentiles(const char *name, int64_t *us, size_t n)
{
    qsort(us, n, sizeof(*us), by_value);
    double none = 0;
    printf(",\"%s_p50_ms\":%.3f,\"%s_p99_ms\":%.3f,\"%s_max_ms\":%.3f", name, n ? (double)us[n / 2] / 1e3 : none, name,
           n ? (double)us[MIN(n - 1, n * 99 / 100)] / 1e3 : none, name, n ? (double)us[n - 1] / 1e3 : none);
}

static void report(const struct load *l, const char *out)
{
    size_t accepted = 0, refused = 0, unanswered = 0, others = 0;
    int64_t *answer = must_calloc(l->count, sizeof(*answer)), *service = must_calloc(l->count, sizeof(*service));
    int64_t *sent = must_calloc(l->count, sizeof(*sent)), last_us = l->began_us;
    int odd = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct times *t = &l->times[i];
        last_us = MAX(last_us, t->done_us);
        if (t->status == 200) {
            answer[accepted] = t->done_us - t->due_us;
            service[accepted++] = t->done_us - t->sent_us;
            sent[i] = t->sent_us;
        } else if (t->status == 0) {
            unanswered++;
        } else {
            refused++;
            others += t->status != 503 && t->status != 429;
            odd = t->status;
        }
    }
    double wall_s = (double)(last_us - l->began_us) / 1e6;
    printf("{\"count\":%zu,\"accepted\":%zu,\"refused\":%zu,\"odd_refusals\":%zu,\"last_refusal\":%d,\"unanswered\":%zu,\"reconnects\":%zu,"
           "\"wall_s\":%.4f,\"per_second\":%.0f,\"began_us\":%lld",
           l->count, accepted, refused, others, odd, unanswered, l->reconnects, wall_s, (double)accepted / wall_s, (long long)l->began_us);
    percentiles("answer", answer, accepted);
    percentiles("service", service, accepted);
    puts("}");
    if (out) {
        FILE *f = fopen(out, "wb");
        if (!f || fwrite(sent, sizeof(*sent), l->count, f) != l->count || fclose(f) != 0)
            die("cannot write %s: %s", out, strerror(errno));
    }
    free(answer);
    free(service);
    free(sent);
}

/* ---- idle connections ------------------------------------------------------------------------------------------------ */

static void hold_idle(struct load *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int fd = http_connect(l->port);
        static const char ask[] = "GET /healthz/liveness HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
        char answer[512];
        if (fd < 0 || write(fd, ask, sizeof(ask) - 1) != (ssize_t)sizeof(ask) - 1)
            die("connection %zu: %s", i, strerror(errno));
        ssize_t got = -1;
        for (int tries = 0; tries < 5000 && (got = read(fd, answer, sizeof(answer))) < 0 && errno == EAGAIN; tries++)
            usleep(1000);
        if (got <= 0)
            die("connection %zu got no answer", i);
    }
    printf("{\"idle\":%zu}\n", n);
    fflush(stdout);
    while (!stop_asked)
        pause();
}

int main(int argc, char **argv)
{
    static struct load l;
    const char *kind = option(argc, argv, "kind", "line");
    while (l.kind < LOAD_KINDS && strcmp(kind_names[l.kind], kind) != 0)
        l.kind++;
    if (l.kind == LOAD_KINDS)
        die("--kind: line, image or reply");
    l.port = (unsigned)option_int(argc, argv, "port", 8080);
    l.path = option(argc, argv, "path", kind_paths[l.kind]);
    l.count = (size_t)option_int(argc, argv, "count", 10000);
    l.guests = (size_t)option_int(argc, argv, "guests", 5000);
    l.first = (size_t)option_int(argc, argv, "first", 0);
    l.n_conns = (size_t)option_int(argc, argv, "connections", 32);
    l.seconds = option_double(argc, argv, "seconds", 5);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_stop);
    signal(SIGINT, on_stop);
    files_max();
    size_t idle = (size_t)option_int(argc, argv, "idle", 0);
    if (idle) {
        hold_idle(&l, idle);
        return 0;
    }
    if (option_int(argc, argv, "tls", 0)) {
        l.tls = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_min_proto_version(l.tls, TLS1_3_VERSION);
        SSL_CTX_set_mode(l.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    l.times = must_calloc(l.count, sizeof(*l.times));
    l.conns = must_calloc(l.n_conns, sizeof(*l.conns));
    l.free = must_calloc(l.n_conns, sizeof(struct conn *));
    for (size_t i = 0; i < l.n_conns; i++) {
        if (!conn_open(&l, &l.conns[i]))
            die("nothing listens on port %u", l.port);
        l.free[l.n_free++] = &l.conns[l.n_conns - 1 - i];
    }
    l.began_us = l.heard_us = time_mono_us();
    while (l.finished < l.count && !stop_asked) {
        send_due(&l);
        wait_and_read(&l);
        if (time_mono_us() - l.heard_us > SILENCE_US && l.n_free < l.n_conns)
            break; /* what is still open counts as unanswered */
    }
    report(&l, option(argc, argv, "out", NULL));
    return 0;
}
