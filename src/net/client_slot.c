#include "net/client-private.h"
#include "net/guard.h"
#include <sys/socket.h>
#include <unistd.h>

enum {
    ANSWER_HEAD_BYTES = 64 << 10,
    ANSWER_FIELDS = 200,
    SINK_BUFFER_BYTES = 64 << 10, /* a download takes so much from the socket at once */
    KEPT_IDLE_S = 30, /* many servers hang up on a silent connection after 60 s; ours goes first */
    SPARE_HANDLES = 256,
};

/* ---- callbacks of one call ---------------------------------------------------------------------- */

bool client_guarded(const struct client_run *r)
{
    return (r->call->guard || (r->call->guard_away && r->hop.away)) && !r->client->lim.guard_off;
}

const char client_not_public[] = "the address is not a public one";

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct client_slot *slot = arg;
    struct client_run *r = slot->run;
    (void)purpose;
    if (r && client_guarded(r) && !slot->client->lim.proxy && !guard_address_ok(&to->addr)) {
        r->stopped = client_not_public;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Called each time a request is about to be sent, on a new or a kept connection. libcurl by itself repeats any request whose
 * kept connection broke before the first byte of an answer; only a reader's request may be repeated, for the peer may have acted. */
static int on_request(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct client_run *r = ((struct client_slot *)arg)->run;
    (void)local, (void)peer_port, (void)local_port;
    if (r->sent_times++ && !r->may_repeat) {
        r->stopped = "the connection broke before an answer came";
        return CURL_PREREQFUNC_ABORT;
    }
    /* A kept connection may have been opened by a call that is trusted. */
    if (client_guarded(r) && !r->client->lim.proxy && !guard_host_ok(slice_of(peer))) {
        r->stopped = client_not_public;
        r->sent_times--; /* not begun */
        return CURL_PREREQFUNC_ABORT;
    }
    return CURL_PREREQFUNC_OK;
}

size_t client_answer_max(const struct client_run *r)
{
    return r->call->answer_bytes ? r->call->answer_bytes : r->client->lim.answer_bytes;
}

void client_show_head(struct client_run *r)
{
    r->answer.headers = r->headers;
    r->answer.n_headers = r->n_headers;
    r->answer.type = answer_header(&r->answer, "Content-Type");
    r->answer.final_url = r->hop.url;
}

static const char unwanted[] = "the answer was not wanted any more";

static bool tell_head(struct client_run *r)
{
    client_show_head(r);
    r->in_callback = true;
    bool go_on = r->call->head(r->call->io_arg, &r->answer);
    r->in_callback = false;
    if (!go_on && !r->cancelled)
        r->stopped = unwanted;
    return go_on && !r->cancelled;
}

static size_t on_field(char *p, size_t size, size_t n, void *arg)
{
    struct client_run *r = ((struct client_slot *)arg)->run;
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
    struct client_run *r = ((struct client_slot *)arg)->run;
    struct client_call *call = r->call;
    n *= size;
    if (r->taken + n > client_answer_max(r)) {
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
    client_show_head(r);
    r->in_callback = true;
    bool go_on = call->sink(call->io_arg, &r->answer, p, n);
    r->in_callback = false;
    if (!go_on && !r->cancelled)
        r->stopped = unwanted;
    return go_on && !r->cancelled ? n : n + 1;
}

static size_t on_source(char *p, size_t size, size_t n, void *arg)
{
    struct client_run *r = ((struct client_slot *)arg)->run;
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

static struct client_slot *slot_new(struct client *c)
{
    struct client_slot *s = must_calloc(1, sizeof(*s));
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
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, client_on_close);
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

void client_slot_free(struct client_slot *s)
{
    curl_easy_cleanup(s->easy);
    curl_url_cleanup(s->url);
    free(s);
}

void client_slot_put(struct client_slot *s)
{
    struct client *c = s->client;
    s->run = NULL;
    if (c->n_spare >= SPARE_HANDLES || c->closing) {
        client_slot_free(s);
        return;
    }
    s->next = c->spare;
    c->spare = s;
    c->n_spare++;
}

struct client_slot *client_slot_get(struct client *c)
{
    struct client_slot *s = c->spare;
    if (!s)
        return slot_new(c);
    c->spare = s->next;
    c->n_spare--;
    return s;
}

/* ---- a request ---------------------------------------------------------------------------------- */

bool client_is_clean(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == 0)
            return false;
    return true;
}

/* libcurl reads the list where it lies, so it needs no allocation of its own. */
static void add_field(struct client_run *r, struct curl_slist ***at, slice text)
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

bool client_make_fields(struct client_run *r, bool chunked)
{
    struct curl_slist **at = &r->fields;
    r->fields = NULL;
    bool typed = !sends_body(&r->hop), named = false, accepts = !r->call->as_it_is;
    for (size_t i = 0; i < r->hop.n_headers; i++) {
        const struct header *h = &r->hop.headers[i];
        if (!client_is_clean(h->name) || !client_is_clean(h->value) || !h->name.n)
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

void client_set_request(struct client_run *r)
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
