#include "net/client-private.h"
#include "net/guard.h"

enum {
    PER_HOST = 32,
    TOTAL = 256,
    CONNECT_MS = 5000,
    TOTAL_MS = 10000,
    ANSWER_BYTES = 1 << 20,
    RETRY_MOST_S = 86400,
};

void client_limits_default(struct client_limits *l)
{
    *l = (struct client_limits){ .per_host = PER_HOST, .total = TOTAL, .connect_ms = CONNECT_MS, .total_ms = TOTAL_MS,
                                 .answer_bytes = ANSWER_BYTES };
}

static void begin(struct client_run *r);

/* ---- the end of a call -------------------------------------------------------------------------- */

static void unlink_run(struct client_run *r)
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
        client_slot_put(r->slot);
        r->slot = NULL;
    }
    r->call->impl = NULL;
}

static void begin_deferred(void *arg);
static void resume_deferred(void *arg);

static void end(struct client_run *r)
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

static void end_without_answer(struct client_run *r, const char *why)
{
    bool written = r->answer.written;
    r->answer = (struct answer){ .written = written, .refused = why == client_not_public, .error = slice_of(why), .final_url = r->hop.url };
    end(r);
}

/* Whether the request may have reached the peer whole. False only where that is certain. */
static bool was_written(const struct client_run *r)
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

static const char *reason(const struct client_run *r, CURLcode rc)
{
    if (r->stopped)
        return r->stopped;
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return r->sent_times ? "no answer in time" : "no connection in time";
    if (rc == CURLE_GOT_NOTHING || rc == CURLE_RECV_ERROR)
        return "the connection broke before an answer came";
    return curl_easy_strerror(rc); /* general words, nothing of the request in them */
}

static void finish(struct client_run *r, CURLcode rc)
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
    client_show_head(r);
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
    r->answer.retry_after_ms = retry_s > 0 ? MIN((int64_t)retry_s, (int64_t)RETRY_MOST_S) * 1000 : 0;
    r->answer.body = text_slice(&r->body);
    end(r);
}

void client_collect_done(struct client *c)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(c->multi, &left))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct client_slot *s;
        CURLcode rc = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        finish(s->run, rc);
    }
}

/* ---- the beginning ------------------------------------------------------------------------------ */

static void begin(struct client_run *r)
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
    r->body = text_new(call->a, client_answer_max(r));
    r->may_repeat = strcmp(r->hop.method, "GET") == 0 || strcmp(r->hop.method, "HEAD") == 0;
    if (client_guarded(r)) {
        slice host = url_host(call->a, r->hop.url);
        if (!host.p) {
            end_without_answer(r, "the URL is malformed");
            return;
        }
        if (!guard_host_ok(host)) { /* with a proxy this is all we can see */
            end_without_answer(r, client_not_public);
            return;
        }
    }
    if (!client_is_clean(r->hop.url) || !client_make_fields(r, r->hop.body && call->source && call->source_bytes < 0)) {
        end_without_answer(r, "the request holds a character that no request can carry");
        return;
    }
    if (!r->slot) {
        r->slot = client_slot_get(c);
        r->slot->run = r;
    }
    client_set_request(r);
    curl_multi_add_handle(c->multi, r->slot->easy);
}

static void begin_deferred(void *arg)
{
    begin(arg);
}

void client_send(struct client *c, struct client_call *call)
{
    struct client_run *r = ARENA_NEW(call->a, struct client_run);
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
    struct client_run *r = call->impl;
    if (!r)
        return;
    r->cancelled = true;
    if (!r->in_callback)
        end(r);
}

void client_pause(struct client_call *call)
{
    struct client_run *r = call->impl;
    if (r && r->slot)
        curl_easy_pause(r->slot->easy, CURLPAUSE_RECV);
}

static void resume_deferred(void *arg)
{
    struct client_run *r = arg;
    if (r->slot)
        curl_easy_pause(r->slot->easy, CURLPAUSE_CONT); /* may call the sink at once */
}

void client_resume(struct client_call *call)
{
    struct client_run *r = call->impl;
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
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, client_on_interest);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, client_plan);
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
        struct client_run *r = c->runs;
        r->answer.written = r->written_before || (r->slot && was_written(r));
        end_without_answer(r, "the client is closing");
    }
    for (struct client_slot *s = c->spare, *next; s; s = next) {
        next = s->next;
        client_slot_free(s);
    }
    curl_multi_cleanup(c->multi);
    while (c->socks) /* none, unless libcurl closed a descriptor without telling */
        client_sock_close(c, c->socks);
    loop_defer_cancel(c->loop, client_kick, c);
    loop_timer_done(&c->timer);
    unix_path_done(&c->at);
    arena_free(c->a);
    free(c);
    curl_global_cleanup();
}
