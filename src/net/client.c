#include "net/client_redirect.h"
#include "net/guard.h"
#include "net/loop.h"
#include "net/unix_path.h"
#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum {
    PER_HOST = 32,
    TOTAL = 256,
    CONNECT_MS = 5000,
    TOTAL_MS = 10000,
    ANSWER_BYTES = 1 << 20,
    ANSWER_HEAD_BYTES = 64 << 10,
    ANSWER_FIELDS = 200,
    SINK_BUFFER_BYTES = 64 << 10, /* a download takes so much from the socket at once */
    KEPT_IDLE_S = 30, /* many servers hang up on a silent connection after 60 s; ours goes first */
    SPARE_HANDLES = 256,
};

struct run;

struct slot { /* a libcurl handle: made and set up once, used for one call at a time */
    CURL *easy;
    CURLU *url;
    struct client *client;
    struct run *run; /* NULL: spare */
    const char *proxy; /* as set in easy */
    bool identity;     /* a certificate is set in easy */
    bool target;       /* a request target is set in easy */
    struct slot *next;
};

struct sock { /* a socket libcurl watches */
    uv_poll_t poll;
    struct client *client;
    curl_socket_t fd;
    int wanted;  /* CURL_POLL_* ; 0: libcurl is not interested now */
    int watched; /* UV_* that the loop watches */
    bool in_action, closed;
    struct sock *prev, *next;
};

struct run { /* a call under way; lives in its arena */
    struct client *client;
    struct client_call *call;
    struct slot *slot;
    struct run *prev, *next;
    struct hop hop; /* the request as it is sent now */
    unsigned hops;
    int64_t began_us, deadline_us;
    struct curl_slist *fields;

    struct answer answer;
    struct header *headers;
    size_t n_headers, cap_headers, head_bytes;
    struct text body;
    uint64_t taken; /* bytes that went to the sink */

    unsigned sent_times;  /* requests begun on a connection, of this hop, the one that was not repeated counted */
    bool written_before;  /* an earlier hop left us */
    bool may_repeat;      /* GET and HEAD: libcurl may try again on a fresh connection */
    bool head_whole;
    bool in_callback;     /* libcurl's: handles must not be removed now */
    bool cancelled;       /* while in_callback */
    const char *stopped;  /* we made libcurl give up, and why */
};

struct client {
    struct loop *loop;
    struct client_limits lim;
    struct unix_path at; /* of lim.unix_socket */
    struct arena *a;
    CURLM *multi;
    struct slot *spare;
    unsigned n_spare;
    struct sock *socks;
    struct run *runs;
    unsigned n_open;
    struct loop_timer timer;
    int64_t timer_due_ms;
    bool kicked, closing;
};

void client_limits_default(struct client_limits *l)
{
    *l = (struct client_limits){ .per_host = PER_HOST, .total = TOTAL, .connect_ms = CONNECT_MS, .total_ms = TOTAL_MS,
                                 .answer_bytes = ANSWER_BYTES };
}

static void begin(struct run *r);
static void collect_done(struct client *c);

/* ---- libcurl under our loop --------------------------------------------------------------------- */

static void kick(void *arg)
{
    struct client *c = arg;
    int running;
    c->kicked = false;
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect_done(c);
}

static void on_timer(void *arg)
{
    kick(arg);
}

/* The timer is only ever moved to an earlier time: libcurl asks again after each time it fired. */
static int plan(CURLM *multi, long in_ms, void *arg)
{
    struct client *c = arg;
    (void)multi;
    if (in_ms == 0) {
        if (!c->kicked) {
            c->kicked = true;
            loop_defer(c->loop, kick, c); /* one for all calls begun in this turn */
        }
        return 0;
    }
    if (in_ms < 0)
        return 0;
    int64_t due = loop_now_ms(c->loop) + in_ms;
    if (c->timer.active && c->timer_due_ms <= due)
        return 0;
    c->timer_due_ms = due;
    loop_timer_start(c->loop, &c->timer, in_ms, on_timer, c);
    return 0;
}

static int loop_events(int wanted)
{
    return (wanted & CURL_POLL_IN ? UV_READABLE : 0) | (wanted & CURL_POLL_OUT ? UV_WRITABLE : 0);
}

static void on_socket(uv_poll_t *h, int status, int events);

static void watch(struct sock *s, int events)
{
    if (s->watched == events)
        return;
    s->watched = events;
    uv_poll_start(&s->poll, events, on_socket);
}

static void free_sock(uv_handle_t *h)
{
    free(h->data);
}

static void on_socket(uv_poll_t *h, int status, int events)
{
    struct sock *s = h->data;
    struct client *c = s->client;
    if (s->wanted == 0) { /* a kept connection speaks or closes unasked: libcurl will see it when it wants to use it */
        uv_poll_stop(h);
        s->watched = 0;
        return;
    }
    if (status < 0) { /* the descriptor has an error, and libuv stopped watching: reading and writing tell which */
        s->watched = 0;
        events = loop_events(s->wanted);
    }
    int running, what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    s->in_action = true;
    curl_multi_socket_action(c->multi, s->fd, what, &running);
    s->in_action = false;
    if (s->closed)
        uv_close((uv_handle_t *)h, free_sock);
    else if (s->wanted)
        watch(s, loop_events(s->wanted));
    collect_done(c);
}

static struct sock *find_sock(struct client *c, curl_socket_t fd)
{
    struct sock *s = c->socks;
    while (s && s->fd != fd)
        s = s->next;
    return s;
}

static void sock_close(struct client *c, struct sock *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        c->socks = s->next;
    if (s->next)
        s->next->prev = s->prev;
    uv_poll_stop(&s->poll);
    s->closed = true;
    if (!s->in_action)
        uv_close((uv_handle_t *)&s->poll, free_sock);
}

/* A socket that libcurl drops stays watched for reading: the next call on this connection then costs no change of the
 * kernel's list. sock_close ends it when libcurl closes the descriptor. */
static int on_interest(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp)
{
    struct client *c = arg;
    struct sock *s = sockp ? sockp : find_sock(c, fd);
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s)
            s->wanted = 0;
        return 0;
    }
    if (!s) {
        s = must_calloc(1, sizeof(*s));
        if (uv_poll_init(loop_uv(c->loop), &s->poll, fd) != 0) {
            free(s);
            return -1;
        }
        s->poll.data = s;
        s->client = c;
        s->fd = fd;
        s->next = c->socks;
        if (c->socks)
            c->socks->prev = s;
        c->socks = s;
    }
    if (!sockp)
        curl_multi_assign(c->multi, fd, s);
    s->wanted = what;
    watch(s, loop_events(what));
    return 0;
}

static int on_close(void *arg, curl_socket_t fd)
{
    struct client *c = arg;
    struct sock *s = find_sock(c, fd);
    if (s)
        sock_close(c, s);
    return close(fd);
}

/* ---- callbacks of one call ---------------------------------------------------------------------- */

static bool guarded(const struct run *r)
{
    return r->call->guard && !r->client->lim.guard_off;
}

static const char not_public[] = "the address is not a public one";

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct slot *slot = arg;
    struct run *r = slot->run;
    (void)purpose;
    if (r && guarded(r) && !slot->client->lim.proxy && !guard_address_ok(&to->addr)) {
        r->stopped = not_public;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Called each time a request is about to be sent, on a new or a kept connection. libcurl by itself repeats any request whose
 * kept connection broke before the first byte of an answer; only a reader's request may be repeated, for the peer may have acted. */
static int on_request(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct run *r = ((struct slot *)arg)->run;
    (void)local, (void)peer_port, (void)local_port;
    if (r->sent_times++ && !r->may_repeat) {
        r->stopped = "the connection broke before an answer came";
        return CURL_PREREQFUNC_ABORT;
    }
    /* A kept connection may have been opened by a call that is trusted. */
    if (guarded(r) && !r->client->lim.proxy && !guard_host_ok(slice_of(peer))) {
        r->stopped = not_public;
        r->sent_times--; /* not begun */
        return CURL_PREREQFUNC_ABORT;
    }
    return CURL_PREREQFUNC_OK;
}

static size_t answer_max(const struct run *r)
{
    return r->call->answer_bytes ? r->call->answer_bytes : r->client->lim.answer_bytes;
}

static void show_head(struct run *r)
{
    r->answer.headers = r->headers;
    r->answer.n_headers = r->n_headers;
    r->answer.type = answer_header(&r->answer, "Content-Type");
    r->answer.final_url = r->hop.url;
}

static const char unwanted[] = "the answer was not wanted any more";

static bool tell_head(struct run *r)
{
    show_head(r);
    r->in_callback = true;
    bool go_on = r->call->head(r->call->io_arg, &r->answer);
    r->in_callback = false;
    if (!go_on && !r->cancelled)
        r->stopped = unwanted;
    return go_on && !r->cancelled;
}

static size_t on_field(char *p, size_t size, size_t n, void *arg)
{
    struct run *r = ((struct slot *)arg)->run;
    n *= size;
    slice line = slice_trim(slice_mem(p, n));
    if (!line.n && !r->head_whole && r->answer.status >= 200) { /* not that of a 1xx */
        r->head_whole = true;
        return !r->call->head || tell_head(r) ? n : 0;
    }
    r->head_bytes += n;
    if (r->head_bytes > ANSWER_HEAD_BYTES || r->n_headers >= ANSWER_FIELDS) {
        r->stopped = "the head of the answer is too large";
        return 0;
    }
    if (slice_starts(line, SL("HTTP/"))) { /* again after a 1xx */
        int64_t status;
        slice rest = line;
        slice_cut(&rest, ' ');
        r->answer.status = slice_int(slice_sub(slice_trim(rest), 0, 3), &status) ? (int)status : 0;
        r->n_headers = 0;
        return n;
    }
    size_t colon = slice_find_char(line, ':');
    if (colon == SIZE_MAX)
        return n;
    if (r->n_headers == r->cap_headers) {
        size_t cap = r->cap_headers ? r->cap_headers * 2 : 16;
        r->headers = arena_grow(r->call->a, r->headers, r->cap_headers * sizeof(r->headers[0]), cap * sizeof(r->headers[0]));
        r->cap_headers = cap;
    }
    line = arena_dup(r->call->a, line);
    r->headers[r->n_headers++] = (struct header){ slice_sub(line, 0, colon), slice_trim(slice_from(line, colon + 1)) };
    return n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct run *r = ((struct slot *)arg)->run;
    struct client_call *call = r->call;
    n *= size;
    if (r->taken + n > answer_max(r)) {
        r->stopped = "the answer is too large";
        return n + 1; /* anything but n ends the call */
    }
    r->taken += n;
    bool wanted = call->head || (r->answer.status >= 200 && r->answer.status <= 299);
    if (!call->sink || !wanted) {
        size_t room = call->sink ? MIN(n, r->client->lim.answer_bytes - MIN(r->body.n, r->client->lim.answer_bytes)) : n;
        text_put(&r->body, slice_mem(p, room)); /* why a file cannot be had need not be told in 50 MiB */
        return n;
    }
    show_head(r);
    r->in_callback = true;
    bool go_on = call->sink(call->io_arg, &r->answer, p, n);
    r->in_callback = false;
    if (!go_on && !r->cancelled)
        r->stopped = unwanted;
    return go_on && !r->cancelled ? n : n + 1;
}

static size_t on_source(char *p, size_t size, size_t n, void *arg)
{
    struct run *r = ((struct slot *)arg)->run;
    struct client_call *call = r->call;
    if (!call->source)
        return 0;
    r->in_callback = true;
    ssize_t got = call->source(call->io_arg, p, size * n);
    r->in_callback = false;
    if (r->cancelled || got == -1) {
        r->stopped = "the upload was given up";
        return CURL_READFUNC_ABORT;
    }
    return got == CLIENT_PAUSE ? CURL_READFUNC_PAUSE : (size_t)got;
}

static int on_seek(void *arg, curl_off_t to, int origin)
{
    (void)arg, (void)to, (void)origin;
    return CURL_SEEKFUNC_FAIL; /* a source is read once */
}

/* ---- handles ------------------------------------------------------------------------------------ */

static struct slot *slot_new(struct client *c)
{
    struct slot *s = must_calloc(1, sizeof(*s));
    s->client = c;
    s->easy = curl_easy_init();
    s->url = curl_url();
    if (!s->easy || !s->url) {
        fprintf(stderr, "dragoman: out of memory for an HTTP call\n");
        abort();
    }
    CURL *e = s->easy;
    curl_easy_setopt(e, CURLOPT_PRIVATE, s);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)KEPT_IDLE_S);
    curl_easy_setopt(e, CURLOPT_PROXY, ""); /* never from the environment */
    curl_easy_setopt(e, CURLOPT_NOPROXY, "");
    curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (c->lim.ca_file)
        curl_easy_setopt(e, CURLOPT_CAINFO, c->lim.ca_file); /* beside the system's folder */
    if (c->lim.unix_socket)
        curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, c->at.text);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, s);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, c); /* the connection outlives the handle */
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, s);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_field);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, s);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, on_source);
    curl_easy_setopt(e, CURLOPT_READDATA, s);
    curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
    return s;
}

static void slot_free(struct slot *s)
{
    curl_easy_cleanup(s->easy);
    curl_url_cleanup(s->url);
    free(s);
}

static void slot_put(struct slot *s)
{
    struct client *c = s->client;
    s->run = NULL;
    if (c->n_spare >= SPARE_HANDLES || c->closing) {
        slot_free(s);
        return;
    }
    s->next = c->spare;
    c->spare = s;
    c->n_spare++;
}

static struct slot *slot_get(struct client *c)
{
    struct slot *s = c->spare;
    if (!s)
        return slot_new(c);
    c->spare = s->next;
    c->n_spare--;
    return s;
}

/* ---- a request ---------------------------------------------------------------------------------- */

static bool is_clean(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == 0)
            return false;
    return true;
}

/* libcurl reads the list where it lies, so it needs no allocation of its own. */
static void add_field(struct run *r, struct curl_slist ***at, slice text)
{
    struct curl_slist *node = ARENA_NEW(r->call->a, struct curl_slist);
    memcpy(&node->data, &text.p, sizeof(text.p)); /* ends with a 0 byte; only read */
    **at = node;
    *at = &node->next;
}

/* Methods that carry a body say so even when it is empty. */
static bool sends_body(const struct hop *h)
{
    return h->body || strcmp(h->method, "POST") == 0 || strcmp(h->method, "PUT") == 0 || strcmp(h->method, "PATCH") == 0;
}

static bool make_fields(struct run *r, bool chunked)
{
    struct curl_slist **at = &r->fields;
    r->fields = NULL;
    bool typed = !sends_body(&r->hop), named = false, accepts = !r->call->as_it_is;
    for (size_t i = 0; i < r->hop.n_headers; i++) {
        const struct header *h = &r->hop.headers[i];
        if (!is_clean(h->name) || !is_clean(h->value) || !h->name.n)
            return false;
        typed |= slice_eq_nocase(h->name, SL("Content-Type"));
        named |= slice_eq_nocase(h->name, SL("User-Agent"));
        accepts |= slice_eq_nocase(h->name, SL("Accept"));
        add_field(r, &at, h->value.n ? arena_join(r->call->a, h->name, SL(": "), h->value)
                                     : arena_join(r->call->a, h->name, SL(";"), SLICE_NONE)); /* libcurl's form of "present, empty" */
    }
    if (!accepts)
        add_field(r, &at, SL("Accept:")); /* "Name:" keeps libcurl from sending its own */
    if (!named && r->call->as_it_is)
        add_field(r, &at, SL("User-Agent:"));
    else if (!named)
        add_field(r, &at, SL("User-Agent: dragoman/" DRAGOMAN_VERSION)); /* as one of ours it is printed once, not twice */
    if (r->hop.body)
        add_field(r, &at, SL("Expect:"));
    if (!typed)
        add_field(r, &at, SL("Content-Type:"));
    if (chunked)
        add_field(r, &at, SL("Transfer-Encoding: chunked"));
    return true;
}

/* Who we are, to a server that asks for a certificate. Connections of different certificates are not shared: libcurl compares them. */
static void set_identity(CURL *e, const struct client_call *call)
{
    struct curl_blob cert = { (void *)(uintptr_t)call->tls_cert.p, call->tls_cert.n, CURL_BLOB_COPY }, key = { (void *)(uintptr_t)call->tls_key.p, call->tls_key.n, CURL_BLOB_COPY };
    curl_easy_setopt(e, CURLOPT_SSLCERT_BLOB, call->tls_cert.n ? &cert : NULL);
    curl_easy_setopt(e, CURLOPT_SSLKEY_BLOB, call->tls_key.n ? &key : NULL);
    curl_easy_setopt(e, CURLOPT_SSLCERTTYPE, call->tls_cert.n ? "PEM" : NULL);
    curl_easy_setopt(e, CURLOPT_SSLKEYTYPE, call->tls_key.n ? "PEM" : NULL);
}

static void set_request(struct run *r)
{
    struct client_call *call = r->call;
    CURL *e = r->slot->easy;
    const char *method = r->hop.method;
    bool get = strcmp(method, "GET") == 0, head = strcmp(method, "HEAD") == 0, post = strcmp(method, "POST") == 0;
    bool sends = sends_body(&r->hop);
    /* Both: from the text alone libcurl would parse it and print it again. What does not parse is left to it to refuse. */
    bool parsed = curl_url_set(r->slot->url, CURLUPART_URL, r->hop.url.p, 0) == CURLUE_OK;
    curl_easy_setopt(e, CURLOPT_URL, r->hop.url.p);
    curl_easy_setopt(e, CURLOPT_CURLU, parsed ? r->slot->url : NULL);
    if (r->slot->proxy != r->client->lim.proxy) {
        r->slot->proxy = r->client->lim.proxy;
        curl_easy_setopt(e, CURLOPT_PROXY, r->slot->proxy ? r->slot->proxy : "");
    }
    curl_easy_setopt(e, CURLOPT_NOBODY, (long)head);
    if (sends) {
        bool source = call->source && r->hop.body;
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, source ? NULL : r->hop.body ? call->body.p : "");
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(source ? call->source_bytes : r->hop.body ? (int64_t)call->body.n : 0));
    } else if (!head) {
        curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, call->sink ? (long)SINK_BUFFER_BYTES : (long)CURL_MAX_WRITE_SIZE);
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, (sends ? post : get || head) ? NULL : method);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->fields);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(call->connect_ms ? call->connect_ms : r->client->lim.connect_ms));
    if (call->tls_cert.n || r->slot->identity) {
        set_identity(e, call);
        r->slot->identity = call->tls_cert.n > 0;
    }
    if (call->target.n || r->slot->target) {
        curl_easy_setopt(e, CURLOPT_REQUEST_TARGET, call->target.n ? arena_cstr(call->a, call->target) : NULL);
        r->slot->target = call->target.n > 0;
    }
    if (r->deadline_us == INT64_MAX) {
        curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, 0L);
        return;
    }
    int64_t left_ms = (r->deadline_us - time_mono_us()) / 1000; /* a 0 would mean: for ever */
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)MAX(left_ms, 1));
}

/* ---- the end of a call -------------------------------------------------------------------------- */

static void unlink_run(struct run *r)
{
    struct client *c = r->client;
    if (r->prev)
        r->prev->next = r->next;
    else
        c->runs = r->next;
    if (r->next)
        r->next->prev = r->prev;
    c->n_open--;
    if (r->slot) {
        curl_multi_remove_handle(c->multi, r->slot->easy);
        slot_put(r->slot);
        r->slot = NULL;
    }
    r->call->impl = NULL;
}

static void begin_deferred(void *arg);
static void resume_deferred(void *arg);

static void end(struct run *r)
{
    struct client_call *call = r->call;
    loop_defer_cancel(r->client->loop, begin_deferred, r);
    loop_defer_cancel(r->client->loop, resume_deferred, r);
    unlink_run(r);
    if (r->cancelled)
        return;
    r->answer.took_us = time_mono_us() - r->began_us;
    call->done(call->arg, &r->answer);
}

static void end_without_answer(struct run *r, const char *why)
{
    bool written = r->answer.written;
    r->answer = (struct answer){ .written = written, .refused = why == not_public, .error = slice_of(why), .final_url = r->hop.url };
    end(r);
}

/* Whether the request may have reached the peer whole. False only where that is certain. */
static bool was_written(const struct run *r)
{
    long head_bytes = 0;
    curl_off_t body_bytes = 0;
    curl_easy_getinfo(r->slot->easy, CURLINFO_REQUEST_SIZE, &head_bytes);
    curl_easy_getinfo(r->slot->easy, CURLINFO_SIZE_UPLOAD_T, &body_bytes);
    if (r->sent_times == 0 || (r->sent_times == 1 && head_bytes == 0))
        return false;
    if (r->sent_times > 1 || !r->hop.body) /* begun again: the counts are of the new attempt, and say nothing of the first */
        return true;
    int64_t whole = r->call->source ? r->call->source_bytes : (int64_t)r->call->body.n;
    return whole < 0 || body_bytes >= whole;
}

static const char *reason(const struct run *r, CURLcode rc)
{
    if (r->stopped)
        return r->stopped;
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return r->sent_times ? "no answer in time" : "no connection in time";
    if (rc == CURLE_GOT_NOTHING || rc == CURLE_RECV_ERROR)
        return "the connection broke before an answer came";
    return curl_easy_strerror(rc); /* general words, nothing of the request in them */
}

static void finish(struct run *r, CURLcode rc)
{
    struct client_call *call = r->call;
    bool written_now = was_written(r);
    r->answer.written = r->written_before || (rc == CURLE_OK) || written_now;
    if (rc == CURLE_OK && !r->head_whole) /* which libcurl takes for an answer */
        rc = CURLE_RECV_ERROR;
    if (rc != CURLE_OK || r->cancelled) {
        end_without_answer(r, reason(r, rc));
        return;
    }
    show_head(r);
    if (r->answer.status >= 300 && r->answer.status <= 399 && r->hops < call->max_redirects) {
        struct hop next;
        slice to = answer_header(&r->answer, "Location");
        enum redirect way = redirect_next(call->a, &r->hop, r->answer.status, to, &next);
        if (way == REDIRECT_REFUSED) {
            end_without_answer(r, "the redirect leads from https to http");
            return;
        }
        if (way == REDIRECT_FOLLOW && !(next.body && call->source)) { /* a source cannot be read again */
            r->hops++;
            r->hop = next;
            r->written_before = true;
            curl_multi_remove_handle(r->client->multi, r->slot->easy);
            begin(r);
            return;
        }
    }
    curl_off_t retry_s = 0;
    curl_easy_getinfo(r->slot->easy, CURLINFO_RETRY_AFTER, &retry_s);
    r->answer.retry_after_ms = retry_s > 0 ? (int64_t)retry_s * 1000 : 0;
    r->answer.body = text_slice(&r->body);
    end(r);
}

static void collect_done(struct client *c)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(c->multi, &left))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct slot *s;
        CURLcode rc = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        finish(s->run, rc);
    }
}

/* ---- the beginning ------------------------------------------------------------------------------ */

static void begin(struct run *r)
{
    struct client *c = r->client;
    struct client_call *call = r->call;
    r->sent_times = 0;
    r->stopped = NULL;
    r->n_headers = 0;
    r->head_bytes = 0;
    r->taken = 0;
    r->head_whole = false;
    bool written = r->answer.written;
    r->answer = (struct answer){ .written = written };
    r->body = text_new(call->a, answer_max(r));
    r->may_repeat = strcmp(r->hop.method, "GET") == 0 || strcmp(r->hop.method, "HEAD") == 0;
    if (guarded(r)) {
        slice host = url_host(call->a, r->hop.url);
        if (!host.p) {
            end_without_answer(r, "the URL is malformed");
            return;
        }
        if (!guard_host_ok(host)) { /* with a proxy this is all we can see */
            end_without_answer(r, not_public);
            return;
        }
    }
    if (!is_clean(r->hop.url) || !make_fields(r, r->hop.body && call->source && call->source_bytes < 0)) {
        end_without_answer(r, "the request holds a character that no request can carry");
        return;
    }
    if (!r->slot) {
        r->slot = slot_get(c);
        r->slot->run = r;
    }
    set_request(r);
    curl_multi_add_handle(c->multi, r->slot->easy);
}

static void begin_deferred(void *arg)
{
    begin(arg);
}

void client_send(struct client *c, struct client_call *call)
{
    struct run *r = ARENA_NEW(call->a, struct run);
    call->impl = r;
    r->client = c;
    r->call = call;
    r->began_us = time_mono_us();
    int64_t total_ms = call->total_ms ? call->total_ms : c->lim.total_ms;
    r->deadline_us = total_ms == CLIENT_NO_END ? INT64_MAX : r->began_us + total_ms * 1000;
    r->hop = (struct hop){ .method = call->method, .url = arena_dup(call->a, call->url), .headers = call->headers,
                           .n_headers = call->n_headers, .body = call->source || call->body.n > 0 };
    r->next = c->runs;
    if (c->runs)
        c->runs->prev = r;
    c->runs = r;
    c->n_open++;
    if (c->closing)
        end_without_answer(r, "the client is closing");
    else
        loop_defer(c->loop, begin_deferred, r); /* so that done() never comes before client_send returned */
}

void client_cancel(struct client_call *call)
{
    struct run *r = call->impl;
    if (!r)
        return;
    r->cancelled = true;
    if (!r->in_callback)
        end(r);
}

void client_pause(struct client_call *call)
{
    struct run *r = call->impl;
    if (r && r->slot)
        curl_easy_pause(r->slot->easy, CURLPAUSE_RECV);
}

static void resume_deferred(void *arg)
{
    struct run *r = arg;
    if (r->slot)
        curl_easy_pause(r->slot->easy, CURLPAUSE_CONT); /* may call the sink at once */
}

void client_resume(struct client_call *call)
{
    struct run *r = call->impl;
    if (r)
        loop_defer(r->client->loop, resume_deferred, r);
}

unsigned client_open(const struct client *c)
{
    return c->n_open;
}

slice answer_header(const struct answer *r, const char *name)
{
    slice want = slice_of(name);
    for (size_t i = 0; i < r->n_headers; i++)
        if (slice_eq_nocase(r->headers[i].name, want))
            return r->headers[i].value;
    return SLICE_NONE;
}

/* ---- life --------------------------------------------------------------------------------------- */

void client_set_proxy(struct client *c, slice proxy)
{
    c->lim.proxy = proxy.n ? arena_cstr(c->a, proxy) : NULL;
}

struct client *client_new(struct loop *l, const struct client_limits *lim, struct fault *f)
{
    struct client_limits defaults;
    client_limits_default(&defaults);
    if (!lim)
        lim = &defaults;
    struct unix_path at = { .folder_fd = -1 };
    if (lim->unix_socket && !unix_path_open(&at, lim->unix_socket, f))
        return NULL;
    CURLM *multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
    if (!multi) {
        unix_path_done(&at);
        return (void)fault(f, "refused", "", "the HTTP client cannot start"), NULL;
    }
    struct client *c = must_calloc(1, sizeof(*c));
    c->loop = l;
    c->a = arena_new();
    c->lim = *lim;
    c->at = at;
    c->lim.proxy = lim->proxy && *lim->proxy ? arena_cstr(c->a, slice_of(lim->proxy)) : NULL;
    c->lim.ca_file = lim->ca_file && *lim->ca_file ? arena_cstr(c->a, slice_of(lim->ca_file)) : NULL;
    c->multi = multi;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_interest);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, plan);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)c->lim.per_host);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)c->lim.total);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)c->lim.total);
    return c;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    c->closing = true;
    while (c->runs) {
        struct run *r = c->runs;
        r->answer.written = r->written_before || (r->slot && was_written(r));
        end_without_answer(r, "the client is closing");
    }
    for (struct slot *s = c->spare, *next; s; s = next) {
        next = s->next;
        slot_free(s);
    }
    curl_multi_cleanup(c->multi);
    while (c->socks) /* none, unless libcurl closed a descriptor without telling */
        sock_close(c, c->socks);
    loop_defer_cancel(c->loop, kick, c);
    loop_timer_done(&c->timer);
    unix_path_done(&c->at);
    arena_free(c->a);
    free(c);
    curl_global_cleanup();
}
