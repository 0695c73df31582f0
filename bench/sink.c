/* sink.c - the desk (Genesys Cloud) and the network (LINE) for benches: answers at a small fraction of the hub's cost, and keeps count.
 *
 *   bench-sink [--delay-ms 50] [--share-429 0.1] [--retry-after 1] [--share-503 0.01] [--share-reset 0.005]
 *
 * Prints {"desk":PORT,"line":PORT} and serves until SIGTERM. Both ports serve everything; only the desk's can be switched off.
 *
 *   GET  /result             JSON: conservation of both directions, calls by kind, most content downloads at once
 *   GET  /arrivals/desk      first arrivals by message number, µs of the monotonic clock, 64-bit integers; /arrivals/line likewise
 *   GET  /links              "number url sha256" of each attachment the desk was given
 *   POST /down, /up          the desk's port: connections closed and refused, until up
 *   POST /clear              forgets what arrived
 *
 * Faults     only for messages to the desk, from a fixed seed: 429 and 503 are not taken; a reset is taken, then the connection is reset.
 */
#include "bench/http.h"
#include "bench/record.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 16384, EVENTS = 256, URL_MAX = 400 };

struct conn {
    int fd;
    bool desk, writing;
    struct buffer in, out;
    size_t out_at;
    bool sends_content;
    struct conn *next, **at; /* all of them, in a list */
};
struct late {
    int64_t due_us;
    struct conn *c; /* NULL: closed meanwhile */
    struct buffer answer;
};
struct image {
    char url[URL_MAX], sha256[72];
};
struct sink {
    int epoll;
    unsigned desk_port, line_port;
    int desk_fd, line_fd;
    struct conn *conns;
    double share_429, share_503, share_reset;
    int64_t delay_us, retry_after;
    uint64_t dice;
    struct late *late; /* a ring: the delay is the same for all, so the order is that of arrival */
    size_t late_at, late_n, late_room;
    struct record desk, line;
    struct image *images;
    size_t images_room, n_images;
    unsigned integrations, messages;
    size_t tokens, profiles, details, polls, events, receipts, contents, contents_now, contents_max, bad_tokens, unknown;
    size_t said_429, said_503, said_reset, replies, pushes;
    char *content;
};
static volatile sig_atomic_t stop_asked;

static void on_stop(int signum)
{
    (void)signum;
    stop_asked = 1;
}

/* ---- small common things --------------------------------------------------------------------------------------------- */

/* The text that follows `before` up to the next quote. */
static slice between(slice s, const char *before)
{
    size_t n = strlen(before);
    const char *p = s.n >= n ? memmem(s.p, s.n, before, n) : NULL;
    if (!p)
        return SLICE_NONE;
    slice rest = slice_from(s, (size_t)(p - s.p) + n);
    return slice_cut(&rest, '"');
}

static bool has(slice s, const char *what)
{
    return memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static uint64_t hash_add(uint64_t h, slice s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    return h;
}
#define HASH_FIRST UINT64_C(14695981039346656037)

static uint64_t hash_end(uint64_t h)
{
    h ^= h >> 29;
    return (h * UINT64_C(0xbf58476d1ce4e5b9)) | 1; /* never 0: that is a free slot */
}

static double chance(struct sink *s)
{
    s->dice ^= s->dice << 13;
    s->dice ^= s->dice >> 7;
    s->dice ^= s->dice << 17;
    return (double)(s->dice >> 11) / (double)(UINT64_C(1) << 53);
}

static void respond(struct buffer *out, const char *status, const char *more, slice body)
{
    buffer_printf(out, "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n", status, more, body.n);
    buffer_add(out, body);
}

static void respond_printf(struct buffer *out, const char *status, const char *fmt, ...) PRINTF(3, 4);
static void respond_printf(struct buffer *out, const char *status, const char *fmt, ...)
{
    char body[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(body, sizeof(body), fmt, ap);
    va_end(ap);
    assert(n >= 0 && n < (int)sizeof(body));
    respond(out, status, "", (slice){ body, (size_t)n });
}

/* ---- connections ------------------------------------------------------------------------------------------------------ */

static void watch(struct sink *s, int op, int fd, void *what, bool writing)
{
    struct epoll_event e = { .events = EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0), .data.ptr = what };
    if (epoll_ctl(s->epoll, op, fd, &e) != 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void conn_close(struct sink *s, struct conn *c, bool reset)
{
    if (reset) {
        struct linger hard = { .l_onoff = 1, .l_linger = 0 };
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }
    close(c->fd);
    s->contents_now -= c->sends_content;
    for (size_t i = 0; i < s->late_n; i++) { /* nobody waits for these any more */
        struct late *l = &s->late[(s->late_at + i) % s->late_room];
        if (l->c == c)
            l->c = NULL;
    }
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    buffer_done(&c->in);
    buffer_done(&c->out);
    free(c);
}

/* False: it was closed. */
static bool conn_flush(struct sink *s, struct conn *c)
{
    while (c->out_at < c->out.n) {
        ssize_t n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!c->writing)
                watch(s, EPOLL_CTL_MOD, c->fd, c, true);
            c->writing = true;
            return true;
        }
        if (n <= 0) {
            conn_close(s, c, false);
            return false;
        }
        c->out_at += (size_t)n;
    }
    c->out.n = c->out_at = 0;
    s->contents_now -= c->sends_content;
    c->sends_content = false;
    if (c->writing)
        watch(s, EPOLL_CTL_MOD, c->fd, c, false);
    c->writing = false;
    return true;
}

static void accept_all(struct sink *s, int listener)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *c = must_calloc(1, sizeof(*c));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        *c = (struct conn){ .fd = fd, .desk = listener == s->desk_fd, .next = s->conns, .at = &s->conns };
        if (s->conns)
            s->conns->at = &c->next;
        s->conns = c;
        watch(s, EPOLL_CTL_ADD, fd, c, false);
    }
}

static void desk_down(struct sink *s)
{
    if (s->desk_fd < 0)
        return;
    close(s->desk_fd);
    s->desk_fd = -1;
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (c->desk)
            conn_close(s, c, true);
    }
}

static void desk_up(struct sink *s)
{
    if (s->desk_fd >= 0)
        return;
    s->desk_fd = http_listen(s->desk_port, &s->desk_port);
    watch(s, EPOLL_CTL_ADD, s->desk_fd, &s->desk_fd, false);
}

/* ---- answers that wait ------------------------------------------------------------------------------------------------- */

/* Takes the answer over. */
static void late_add(struct sink *s, struct conn *c, struct buffer answer)
{
    if (s->late_n == s->late_room) {
        size_t room = MAX(s->late_room * 2, (size_t)1024);
        struct late *ring = must_calloc(room, sizeof(*ring));
        for (size_t i = 0; i < s->late_n; i++)
            ring[i] = s->late[(s->late_at + i) % s->late_room];
        free(s->late);
        s->late = ring;
        s->late_at = 0;
        s->late_room = room;
    }
    struct late *l = &s->late[(s->late_at + s->late_n++) % s->late_room];
    *l = (struct late){ time_mono_us() + s->delay_us, c, answer };
}

static void late_send(struct sink *s)
{
    while (s->late_n && s->late[s->late_at].due_us <= time_mono_us()) {
        struct late l = s->late[s->late_at];
        s->late_at = (s->late_at + 1) % s->late_room;
        s->late_n--;
        if (l.c) {
            buffer_add(&l.c->out, buffer_slice(&l.answer));
            conn_flush(s, l.c);
        }
        buffer_done(&l.answer);
    }
}

/* ---- the desk ---------------------------------------------------------------------------------------------------------- */

static void image_note(struct sink *s, unsigned n, slice url, slice sum)
{
    if (n >= s->images_room) {
        size_t room = MAX(s->images_room * 2, (size_t)n + 1024);
        s->images = must_realloc(s->images, room * sizeof(*s->images));
        memset(s->images + s->images_room, 0, (room - s->images_room) * sizeof(*s->images));
        s->images_room = room;
    }
    s->n_images += !s->images[n].url[0];
    snprintf(s->images[n].url, URL_MAX, SLF, SLA(url));
    snprintf(s->images[n].sha256, sizeof(s->images[n].sha256), SLF, SLA(sum));
}

/* The guest's number out of its address, for messages without a text. */
static bool guest_number(slice body, unsigned *ret)
{
    slice from = between(body, "\"from\":{\"id\":\"");
    char copy[9] = { 0 };
    if (from.n < WORK_GUEST_CHARS)
        return false;
    memcpy(copy, from.p + WORK_GUEST_CHARS - 8, 8);
    return sscanf(copy, "%x", ret) == 1;
}

static bool desk_take(struct sink *s, slice body)
{
    slice id = between(body, "\"messageId\":\""), at = between(body, "\"time\":\"");
    slice url = between(body, "\"url\":\"");
    struct work_text t;
    if (!id.n || !at.n)
        return false;
    if (url.n && guest_number(body, &t.guest)) { /* one image of each guest: its number names it */
        t.n = t.guest;
        t.k = 0;
        image_note(s, t.n, url, between(body, "\"sha256\":\""));
    } else if (!work_text_find(body, &t)) {
        return false;
    }
    record_add(&s->desk, &t, hash_end(hash_add(hash_add(HASH_FIRST, id), at)));
    return true;
}

/* False: taken, and the connection is to be reset. */
static bool desk_message(struct sink *s, const struct http_message *m, slice url, struct buffer *out)
{
    double dice = s->share_429 + s->share_503 + s->share_reset > 0 ? chance(s) : 1;
    unsigned guest = 0;
    if ((dice -= s->share_429) < 0) {
        char more[64];
        snprintf(more, sizeof(more), "Retry-After: %lld\r\n", (long long)s->retry_after);
        s->said_429++;
        respond(out, "429 Too Many Requests", more, SL("{\"message\":\"rate limit\",\"code\":\"too.many.requests\",\"status\":429}"));
    } else if ((dice -= s->share_503) < 0) {
        s->said_503++;
        respond(out, "503 Service Unavailable", "", SL("{\"message\":\"try later\",\"code\":\"service.unavailable\",\"status\":503}"));
    } else if (!desk_take(s, m->body)) {
        s->unknown++;
        respond(out, "400 Bad Request", "", SL("{\"message\":\"no message\",\"code\":\"bad.request\",\"status\":400}"));
    } else if ((dice -= s->share_reset) < 0) {
        s->said_reset++;
        return false;
    } else if (has(url, "prefetchConversationId=true") && guest_number(m->body, &guest)) {
        respond_printf(out, "200 OK", "{\"id\":\"%08x-0000-4000-8000-000000000000\",\"conversationId\":\"c0000000-0000-4000-8000-%012x\"}", ++s->messages,
                       guest);
    } else {
        respond_printf(out, "200 OK", "{\"id\":\"%08x-0000-4000-8000-000000000000\"}", ++s->messages);
    }
    return true;
}

#define NO_ENTITIES "{\"entities\":[],\"pageSize\":100,\"pageNumber\":1,\"pageCount\":1,\"total\":0}"

static void desk_setup(struct sink *s, const struct http_message *m, slice method, slice path, struct buffer *out)
{
    if (slice_eq(method, SL("GET"))) {
        respond(out, "200 OK", "", SL(NO_ENTITIES));
        return;
    }
    slice rest = slice_from(path, slice_find_last(path, '/') + 1);
    unsigned n = 0;
    if (slice_eq(method, SL("POST")))
        n = has(path, "/integrations/open") ? ++s->integrations : 1000 + ++s->messages;
    else if (rest.n == 36)
        sscanf(rest.p + 24, "%12x", &n);
    slice name = between(m->body, "\"name\":\""), hook = between(m->body, "\"outboundNotificationWebhookUrl\":\"");
    respond_printf(out, "200 OK", "{\"id\":\"00000000-0000-4000-8000-%012x\",\"name\":\"" SLF "\",\"outboundNotificationWebhookUrl\":\"" SLF
                   "\",\"createStatus\":\"Completed\"}", n, SLA(name), SLA(hook));
}

/* ---- the network ------------------------------------------------------------------------------------------------------- */

static void line_send(struct sink *s, const struct http_message *m, bool push, struct buffer *out)
{
    struct work_text t;
    slice key = http_header(m, "x-line-retry-key");
    if (!key.n)
        key = between(m->body, "\"replyToken\":\"");
    s->pushes += push;
    s->replies += !push;
    if (!key.n || !work_text_find(m->body, &t)) {
        s->unknown++;
        respond(out, "400 Bad Request", "", SL("{\"message\":\"no message\"}"));
        return;
    }
    record_add(&s->line, &t, hash_end(hash_add(HASH_FIRST, key)));
    respond_printf(out, "200 OK", "{\"sentMessages\":[{\"id\":\"4612300%08u\",\"quoteToken\":\"yHAz4Ua2wx7\"}]}", ++s->messages);
}

/* 1 MiB whose bytes tell which image it is: a JPEG's first bytes, its number, then a pattern. */
static void line_content(struct sink *s, const struct http_message *m, unsigned n, struct conn *c)
{
    if (!slice_eq(http_header(m, "authorization"), SL("Bearer " WORK_LINE_TOKEN))) {
        s->bad_tokens++;
        respond(&c->out, "401 Unauthorized", "", SL("{\"message\":\"invalid token\"}"));
        return;
    }
    char number[9];
    snprintf(number, sizeof(number), "%08u", n);
    memcpy(s->content + 4, number, 8);
    s->contents++;
    c->sends_content = true;
    s->contents_max = MAX(s->contents_max, ++s->contents_now);
    buffer_printf(&c->out, "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", WORK_IMAGE_BYTES);
    buffer_add(&c->out, (slice){ s->content, WORK_IMAGE_BYTES });
}

static void profile(struct sink *s, slice path, struct buffer *out)
{
    slice id = slice_from(path, slice_find_last(path, '/') + 1);
    s->profiles++;
    respond_printf(out, "200 OK", "{\"userId\":\"" SLF "\",\"displayName\":\"Guest " SLF "\",\"language\":\"ja\","
                   "\"pictureUrl\":\"https://profile.line-scdn.net/abcdefghijklmn\"}", SLA(id), SLA(slice_from(id, WORK_GUEST_CHARS - 8)));
}

/* ---- control ----------------------------------------------------------------------------------------------------------- */

static void result(struct sink *s, struct buffer *out)
{
    struct buffer b = { 0 };
    buffer_printf(&b, "{");
    record_print(&s->desk, "desk", &b);
    buffer_printf(&b, ",");
    record_print(&s->line, "line", &b);
    buffer_printf(&b, ",\"integrations\":%u,\"tokens\":%zu,\"profiles\":%zu,\"details\":%zu,\"polls\":%zu,\"events\":%zu,\"receipts\":%zu,\"contents\":%zu,"
                  "\"contents_max\":%zu,\"images\":%zu,\"bad_tokens\":%zu,\"unknown_calls\":%zu,\"said_429\":%zu,\"said_503\":%zu,\"said_reset\":%zu,"
                  "\"pushes\":%zu,\"replies\":%zu}\n",
                  s->integrations, s->tokens, s->profiles, s->details, s->polls, s->events, s->receipts, s->contents, s->contents_max, s->n_images,
                  s->bad_tokens, s->unknown, s->said_429, s->said_503, s->said_reset, s->pushes, s->replies);
    respond(out, "200 OK", "", buffer_slice(&b));
    buffer_done(&b);
}

static void links(struct sink *s, struct buffer *out)
{
    struct buffer b = { 0 };
    for (size_t n = 0; n < s->images_room; n++)
        if (s->images[n].url[0])
            buffer_printf(&b, "%zu %s %s\n", n, s->images[n].url, s->images[n].sha256[0] ? s->images[n].sha256 : "-");
    respond(out, "200 OK", "", buffer_slice(&b));
    buffer_done(&b);
}

static void clear(struct sink *s)
{
    record_clear(&s->desk);
    record_clear(&s->line);
    s->tokens = s->profiles = s->details = s->polls = s->events = s->receipts = s->contents = s->contents_max = s->unknown = s->bad_tokens = 0;
    s->said_429 = s->said_503 = s->said_reset = s->pushes = s->replies = 0;
}

static bool control(struct sink *s, slice path, struct buffer *out)
{
    if (slice_eq(path, SL("/result")))
        return result(s, out), true;
    if (slice_eq(path, SL("/links")))
        return links(s, out), true;
    if (slice_starts(path, SL("/arrivals/"))) {
        const struct record *r = slice_ends(path, SL("line")) ? &s->line : &s->desk;
        return respond(out, "200 OK", "", slice_mem(r->at_us, r->room * sizeof(*r->at_us))), true;
    }
    bool known = true;
    if (slice_eq(path, SL("/down")))
        desk_down(s);
    else if (slice_eq(path, SL("/up")))
        desk_up(s);
    else if (slice_eq(path, SL("/clear")))
        clear(s);
    else
        known = false;
    if (known)
        respond(out, "200 OK", "", SL("{}"));
    return known;
}

/* ---- every request ------------------------------------------------------------------------------------------------------ */

/* /api/v2/… */
static bool desk_request(struct sink *s, struct conn *c, const struct http_message *m, slice method, slice path, slice url)
{
    if (!slice_eq(http_header(m, "authorization"), SL("Bearer " WORK_DESK_TOKEN))) {
        s->bad_tokens++;
        respond(&c->out, "401 Unauthorized", "", SL("{\"message\":\"No authentication bearer token specified\",\"status\":401}"));
        return true;
    }
    if (slice_ends(path, SL("/inbound/open/message"))) {
        struct buffer answer = { 0 };
        bool answers = desk_message(s, m, url, s->delay_us ? &answer : &c->out);
        if (answers && s->delay_us)
            late_add(s, c, answer);
        return answers;
    }
    s->events += slice_ends(path, SL("/inbound/open/event"));
    s->receipts += slice_ends(path, SL("/inbound/open/receipt"));
    if (has(path, "/conversations/messaging/")) {
        desk_setup(s, m, method, path, &c->out);
    } else if (slice_ends(path, SL("/details"))) {
        s->details++;
        respond(&c->out, "200 OK", "", SL("{\"createdBy\":{\"id\":\"a0000000-0000-4000-8000-000000000001\",\"name\":\"Hanako\"}}"));
    } else if (has(path, "/inbound/open/")) {
        respond_printf(&c->out, "200 OK", "{\"id\":\"%08x-0000-4000-8000-000000000000\",\"status\":\"Published\"}", ++s->messages);
    } else if (has(path, "/users/")) {
        respond(&c->out, "200 OK", "", SL("{\"id\":\"a0000000-0000-4000-8000-000000000001\",\"name\":\"Hanako\"}"));
    } else { /* /conversations/ID: still open */
        slice id = slice_from(path, slice_find_last(path, '/') + 1);
        s->polls++;
        respond_printf(&c->out, "200 OK", "{\"id\":\"" SLF "\",\"participants\":[{\"purpose\":\"customer\",\"messages\":[{\"state\":\"connected\"}]}]}", SLA(id));
    }
    return true;
}

static void line_request(struct sink *s, struct conn *c, const struct http_message *m, slice path)
{
    unsigned n;
    if (slice_starts(path, SL("/v2/bot/message/p")) || slice_starts(path, SL("/v2/bot/message/r")))
        line_send(s, m, slice_ends(path, SL("/push")), &c->out);
    else if (slice_ends(path, SL("/content")) && sscanf(path.p, "/v2/bot/message/%u/content", &n) == 1)
        line_content(s, m, n, c);
    else if (slice_starts(path, SL("/v2/bot/profile/")))
        profile(s, path, &c->out);
    else if (slice_eq(path, SL("/v2/bot/info")))
        respond(&c->out, "200 OK", "", SL("{\"userId\":\"" WORK_BOT_USER "\",\"basicId\":\"@bench\",\"displayName\":\"Bench\",\"chatMode\":\"bot\","
                                          "\"markAsReadMode\":\"auto\"}"));
    else
        respond(&c->out, "200 OK", "", SL("{}"));
}

/* False: the connection is to be reset. */
static bool request(struct sink *s, struct conn *c, const struct http_message *m)
{
    slice rest = m->start, method = slice_cut(&rest, ' '), url = slice_cut(&rest, ' '), query = url, path = slice_cut(&query, '?');
    if (slice_starts(path, SL("/api/v2/")))
        return desk_request(s, c, m, method, path, url);
    if (slice_starts(path, SL("/oauth"))) {
        bool desk = slice_eq(path, SL("/oauth/token"));
        s->tokens++;
        respond_printf(&c->out, "200 OK", "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%d}",
                       desk ? WORK_DESK_TOKEN : WORK_LINE_TOKEN, desk ? 86400 : 900);
    } else if (slice_starts(path, SL("/v2/bot/"))) {
        line_request(s, c, m, path);
    } else if (!control(s, path, &c->out)) {
        s->unknown++;
        respond(&c->out, "404 Not Found", "", SL("{}"));
    }
    return true;
}

static void conn_readable(struct sink *s, struct conn *c)
{
    ssize_t n = recv(c->fd, buffer_room(&c->in, READ_BYTES), READ_BYTES, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            conn_close(s, c, false);
        return;
    }
    c->in.n += (size_t)n;
    size_t used = 0;
    struct http_message m;
    while (http_read(slice_from(buffer_slice(&c->in), used), &m)) {
        if (!request(s, c, &m)) {
            conn_close(s, c, true);
            return;
        }
        used += m.size;
    }
    buffer_drop(&c->in, used);
    conn_flush(s, c);
}

static void wait_and_serve(struct sink *s)
{
    struct epoll_event events[EVENTS];
    int64_t us = s->late_n ? MAX(s->late[s->late_at].due_us - time_mono_us(), 0) : 1000000;
    struct timespec wait = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
    int n = epoll_pwait2(s->epoll, events, EVENTS, &wait, NULL);
    for (int i = 0; i < n; i++) {
        void *what = events[i].data.ptr;
        int before = s->desk_fd;
        if (what == &s->desk_fd)
            accept_all(s, s->desk_fd);
        else if (what == &s->line_fd)
            accept_all(s, s->line_fd);
        else if (events[i].events & EPOLLIN)
            conn_readable(s, what);
        else if (events[i].events & EPOLLOUT)
            conn_flush(s, what);
        else
            conn_close(s, what, false);
        if (before != s->desk_fd)
            break; /* the rest of the events may be of connections that were just closed; epoll tells again */
    }
    late_send(s);
}

int main(int argc, char **argv)
{
    static struct sink s;
    s.delay_us = option_int(argc, argv, "delay-ms", 0) * 1000;
    s.share_429 = option_double(argc, argv, "share-429", 0);
    s.share_503 = option_double(argc, argv, "share-503", 0);
    s.share_reset = option_double(argc, argv, "share-reset", 0);
    s.retry_after = option_int(argc, argv, "retry-after", 1);
    s.dice = (uint64_t)option_int(argc, argv, "seed", 1) * UINT64_C(0x9e3779b97f4a7c15);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_stop);
    signal(SIGINT, on_stop);
    files_max();
    s.content = must_malloc(WORK_IMAGE_BYTES);
    for (size_t i = 0; i < WORK_IMAGE_BYTES; i++)
        s.content[i] = (char)(i * 2654435761u >> 13);
    memcpy(s.content, "\xff\xd8\xff\xe0", 4);
    s.epoll = epoll_create1(EPOLL_CLOEXEC);
    s.desk_fd = http_listen(0, &s.desk_port);
    s.line_fd = http_listen(0, &s.line_port);
    watch(&s, EPOLL_CTL_ADD, s.desk_fd, &s.desk_fd, false);
    watch(&s, EPOLL_CTL_ADD, s.line_fd, &s.line_fd, false);
    printf("{\"desk\":%u,\"line\":%u}\n", s.desk_port, s.line_port);
    fflush(stdout);
    while (!stop_asked)
        wait_and_serve(&s);
    return 0;
}
