#include "main/remote.h"
#include "base/log.h"
#include "net/client.h"
#include "net/loop.h"

enum { ANSWER_MAX = 64 << 20, CONNECT_MS = 10000, TOTAL_MS = 120000 };

struct remote {
    struct arena *a;
    const struct log *log;
    struct loop *loop;
    struct client *client;
    slice base, token;
    struct remote_answer *into;
    slice error;
};

static void answered(void *arg, const struct answer *got)
{
    struct remote *r = arg;
    r->into->status = got->status;
    r->into->body = got->body;
    r->error = got->error;
    loop_stop(r->loop);
}

/* What the hub said against it, as a fault for people. */
static bool refused(struct remote_answer *got, const char *method, const char *path, struct fault *f)
{
    slice code = js_text(js_get(got->json, SL("code"))), detail = js_text(js_get(got->json, SL("detail")));
    if (!detail.n)
        detail = js_text(js_get(got->json, SL("message")));
    if (detail.n)
        return fault(f, "refused", "", SLF " (%d " SLF ")", SLA(utf8_cut_bytes(detail, 200)), got->status, SLA(code));
    return fault(f, "refused", "", "%s %s was answered %d, and not by this program's API", method, path, got->status);
}

bool remote_ask(struct remote *r, const char *method, const char *path, slice body, struct remote_answer *ret, struct fault *f)
{
    return remote_change(r, method, path, body, -1, ret, f);
}

bool remote_change(struct remote *r, const char *method, const char *path, slice body, int64_t rev, struct remote_answer *ret, struct fault *f)
{
    struct header headers[3];
    size_t n = 0;
    if (r->token.n)
        headers[n++] = (struct header){ SL("Authorization"), arena_printf(r->a, "Bearer " SLF, SLA(r->token)) };
    if (body.p)
        headers[n++] = (struct header){ SL("Content-Type"), SL("application/json") };
    if (rev >= 0)
        headers[n++] = (struct header){ SL("If-Match"), arena_printf(r->a, "\"%lld\"", (long long)rev) };
    struct client_call call = { .a = r->a, .method = method, .url = arena_printf(r->a, SLF "/api/v1%s", SLA(r->base), path), .headers = headers,
                                .n_headers = n, .body = body, .done = answered, .arg = r };
    *ret = (struct remote_answer){ 0 };
    r->into = ret;
    client_send(r->client, &call);
    loop_run(r->loop);
    if (r->log) {
        struct log_line *l = log_begin(r->log, LEVEL_DEBUG, "%s %s", method, path);
        log_int(l, "http_status", ret->status);
        log_int(l, "bytes", (int64_t)ret->body.n);
        log_end(l);
    }
    if (ret->status == 0)
        return fault(f, "no_answer", "", SLF " does not answer: " SLF, SLA(utf8_cut_bytes(r->base, 200)), SLA(r->error)); /* with its http or https: the wrong one is a common slip */
    ret->json = ret->body.n ? js_parse(r->a, ret->body, NULL) : NULL;
    return (ret->status >= 200 && ret->status < 300) || refused(ret, method, path, f);
}

static bool log_in(struct remote *r, const struct remote_where *where, struct fault *f)
{
    struct remote_answer got;
    struct jw w = jw_new(r->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "user", slice_of(where->user));
    jw_str(&w, "password", slice_of(where->password));
    jw_close(&w, '}');
    if (!remote_ask(r, "POST", "/auth/login", jw_done(&w), &got, f))
        return false;
    r->token = js_text(js_get(got.json, SL("token")));
    return r->token.n || fault(f, "refused", "", "the hub gave no token");
}

struct remote *remote_open(struct arena *a, const struct remote_where *where, struct fault *f)
{
    struct client_limits limits;
    client_limits_default(&limits);
    limits.guard_off = true; /* the operator says where to go */
    limits.answer_bytes = ANSWER_MAX;
    limits.connect_ms = CONNECT_MS;
    limits.total_ms = TOTAL_MS;
    limits.ca_file = where->ca;
    slice host = slice_of(where->host);
    struct remote *r = ARENA_NEW(a, struct remote);
    r->a = a;
    r->log = where->log;
    r->base = slice_find(host, SL("://")) == SIZE_MAX ? arena_printf(a, "https://" SLF, SLA(host)) : host;
    while (slice_ends(r->base, SL("/")))
        r->base.n--;
    r->loop = loop_new();
    r->client = client_new(r->loop, &limits, f);
    if (r->client && log_in(r, where, f))
        return r;
    remote_close(r);
    return NULL;
}

void remote_close(struct remote *r)
{
    struct remote_answer got;
    struct fault f;
    if (!r)
        return;
    if (r->token.n && !remote_ask(r, "POST", "/auth/logout", SLICE_NONE, &got, &f))
        r->token = SLICE_NONE; /* it ends by itself, too */
    if (r->client)
        client_free(r->client);
    loop_free(r->loop);
}
