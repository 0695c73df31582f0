#include "hub/rig_test.h"
#include "hub/accept.h"
#include "hub/deliver.h"
#include "hub/media.h"
#include "hub/notice.h"
#include "hub/later.h"
#include "hub/registry.h"
#include "hub/responses.h"
#include "hub/state.h"
#include "hub/work.h"
#include "store/seal.h"
#include "store/store.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/url.h"
#include <arpa/inet.h>
#include "hub/language.h"
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

/* ---- the two connectors -------------------------------------------------------------------------------------------------- */

enum { T_SECRET, T_URL, T_KEY, T_PER_SECOND, T_PREFIX, T_SETUP, T_POLL, T_SETTINGS };
static const struct setting t_settings[T_SETTINGS] = {
    [T_SECRET] = { .name = "secret", .label = "Secret", .required = true, .secret = true },
    [T_URL] = { .name = "base_url", .label = "Address", .required = true },
    [T_KEY] = { .name = "key", .label = "Key" },
    [T_PER_SECOND] = { .name = "per_second", .label = "Calls a second" },
    [T_PREFIX] = { .name = "prefix_agent_name", .label = "Prefix" },
    [T_SETUP] = { .name = "setup", .label = "Setup" },
    [T_POLL] = { .name = "poll", .label = "Poll" },
};

static bool t_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    if (rq->polled && rq->status != 200)
        return true;
    const struct js *doc = js_parse(c->a, rq->body, c->f);
    if (!doc)
        return false;
    const struct js *events = js_at(doc, "events"), *ignore = js_at(doc, "ignore"), *resume = js_at(doc, "resume");
    for (size_t i = 0; i < js_len(events); i++) {
        const struct js *e = js_item(events, i);
        slice kind = js_text(js_at(e, "kind")), remember = js_text(js_at(e, "remember")), file = js_text(js_at(e, "file"));
        enum kind k = slice_eq(kind, SL("typing"))   ? KIND_TYPING
                      : slice_eq(kind, SL("status")) ? KIND_STATUS
                      : slice_eq(kind, SL("closed")) ? KIND_EVENT
                      : file.n                       ? KIND_IMAGE
                                                     : KIND_TEXT;
        struct message *m = inbox_add(in, k);
        m->id = js_text(js_at(e, "id"));
        m->guest = js_text(js_at(e, "guest"));
        m->text = js_text(js_at(e, "text"));
        m->of = js_text(js_at(e, "of"));
        m->from.name = js_text(js_at(e, "name"));
        m->at_ms = c->now_ms;
        int64_t copies;
        if (!js_int(js_at(e, "copies"), &copies))
            copies = 1;
        for (int64_t n = file.n ? copies : 0; n > 0; n--)
            *LIST_ADD(c->a, &m->media, struct media) = (struct media){ .url = slice_starts(file, SL("http")) ? file : arena_printf(c->a, SLF "/file/" SLF, SLA(setting(c, T_URL)), SLA(file)), .name = slice_or(js_text(js_at(e, "file_name")), SL("pic.png")),
                                                                       .key = slice_eq(file, SL("sealed")) ? SL(RIG_MEDIA_KEY) : slice_eq(file, SL("shut")) ? SL("0g") : SLICE_NONE,
                                                                       .token = slice_eq(js_text(js_at(e, "token")), SL("yes")),
                                                                       .token_maybe = slice_eq(js_text(js_at(e, "token")), SL("maybe")) };
        if (m->media.n && js_true(js_at(e, "find"))) { /* its vendor has to be asked where it is */
            struct media *md = LIST_AT(m->media, struct media, 0);
            md->id = md->url;
            md->url = SLICE_NONE;
        }
        if (k == KIND_EVENT)
            m->event = EVENT_CLOSED;
        if (k == KIND_STATUS) {
            m->status = slice_eq(js_text(js_at(e, "status")), SL("failed")) ? STATUS_FAILED : STATUS_DELIVERED;
            m->final = true;
        }
        if (remember.n)
            inbox_remember(in, m, "note", remember, 0);
        slice only = js_text(js_at(e, "only"));
        if (slice_eq(only, SL("open")))
            inbox_only(m, ONLY_OPEN);
        if (slice_eq(only, SL("known")))
            inbox_only(m, ONLY_KNOWN);
    }
    for (size_t i = 0; i < js_len(ignore); i++)
        inbox_ignore(in, "by-test", js_text(js_item(ignore, i)));
    if (resume)
        inbox_resume(in, js_text(js_at(resume, "key")), js_text(js_at(resume, "data")));
    slice note = js_text(js_at(doc, "note"));
    if (note.n)
        memory_set(c->memory, "note", note, 0);
    return true;
}

static enum outcome t_send(struct call *c, struct delivery *d, slice body)
{
    d->call.method = "POST";
    d->call.url = arena_printf(c->a, SLF "/vendor/%s", SLA(setting(c, T_URL)), c->account->name.p);
    d->call.type = SL("text/plain");
    d->call.body = body;
    d->call.repeatable = !slice_starts(body, SL("!"));
    call_header(&d->call, "X-Key", delivery_uuid(c->a, d, d->part));
    return OUT_CALL;
}

static enum outcome t_deliver(struct call *c, struct delivery *d)
{
    const struct message *m = d->m;
    if (d->last && d->last->status == 200) {
        d->vendor_id = d->last->body;
        d->desk_conversation = c->account->type->desk ? SL("dc-1") : SLICE_NONE;
        d->status = slice_starts(m->text, SL("~")) ? STATUS_SENT : STATUS_NONE;
        if (slice_starts(m->text, SL("?")) && !d->resumed.p) {
            d->wait_for = m->text;
            d->keep = SL("asked");
            return OUT_PARKED;
        }
        d->part++;
    } else if (d->last && d->last->status == 410) {
        d->set_up_again = true;
        return OUT_RETRY;
    } else if (d->last) {
        return answer_outcome(c, d, "send");
    }
    if (d->part == d->n_parts)
        return OUT_DELIVERED;
    if (m->kind == KIND_STATUS)
        return t_send(c, d, arena_printf(c->a, "status " SLF " %s", SLA(m->of), status_names[m->status]));
    if (m->kind == KIND_ANSWER)
        return t_send(c, d, arena_printf(c->a, "answer " SLF, SLA(m->payload)));
    if (d->parts[d->part].kind == KIND_IMAGE) {
        const struct media *md = LIST_AT(d->parts[d->part].media, struct media, 0);
        return t_send(c, d, arena_printf(c->a, "picture " SLF " " SLF " %lld", SLA(md->url), SLA(md->type), (long long)md->size));
    }
    if (slice_starts(m->text, SL("whose")))
        return t_send(c, d, arena_printf(c->a, "of " SLF, SLA(c->conversation->tenant)));
    if (d->resumed.p)
        return t_send(c, d, arena_printf(c->a, SLF " " SLF " " SLF, SLA(d->parts[d->part].text), SLA(d->keep), SLA(d->resumed)));
    return t_send(c, d, d->parts[d->part].text);
}

/* Nobody can be asked; a text that begins with "who" has a name that stands for whoever it is. */
static enum outcome t_who(struct call *c, struct delivery *d)
{
    if (slice_starts(d->m->text, SL("who")))
        d->person.name = SL("Service");
    return refuse(c, d, REASON_GENERAL, "not to be asked");
}

static enum outcome t_post(struct call *c, struct delivery *d, const char *what, slice body)
{
    d->call.method = "POST";
    d->call.url = arena_printf(c->a, SLF "/vendor/%s", SLA(setting(c, T_URL)), what);
    d->call.body = body;
    d->call.repeatable = true;
    return OUT_CALL;
}

static enum outcome t_setup(struct call *c, struct delivery *d)
{
    if (!setting(c, T_SETUP).n || (d->last && d->last->status == 200))
        return OUT_DELIVERED;
    return d->last ? answer_outcome(c, d, "setup") : t_post(c, d, "setup", SL("set me up"));
}

static enum outcome t_poll(struct call *c, struct delivery *d)
{
    return t_post(c, d, "poll", c->conversation ? c->conversation->desk_conversation : SL("anything new?"));
}

/* Where the account's token may go with a file. */
static bool t_token_host(struct call *c, const struct url *u)
{
    (void)c;
    return slice_eq(u->host, SL("127.0.0.1"));
}

static enum outcome t_media_find(struct call *c, struct delivery *d)
{
    (void)c;
    d->media_url = d->media->id;
    return OUT_DELIVERED;
}

static bool t_token(struct call *c, struct http_call *ret)
{
    slice refresh = memory_get(c->memory, "refresh_token", c->now_ms);
    ret->method = "POST";
    ret->url = arena_printf(c->a, SLF "/token", SLA(setting(c, T_URL)));
    ret->body = arena_printf(c->a, "refresh=" SLF, SLA(slice_or(refresh, SL("first"))));
    return true;
}

static const struct rate t_rates[] = { { .calls = 0, .per_ms = 1000, .setting = T_PER_SECOND } };
#define T_COMMON                                                                                                      \
    .settings = t_settings, .n_settings = T_SETTINGS, .rates = t_rates, .n_rates = 1, .receive = t_receive, .deliver = t_deliver
static const struct connector tnet = {
    .name = "tnet", .title = "Test network",
    .caps = { .kinds = CAN(KIND_TEXT), .text_max = 10 },
    .hook = { .path = "/tnet", .how = VERIFY_HMAC_SHA256_BASE64, .header = "X-Sig", .secrets = { T_SECRET }, .n_secrets = 1 },
    .once = "key",
    T_COMMON,
};
static const struct connector tother = {
    .name = "tother", .title = "Test network with tokens",
    .caps = { .kinds = CAN(KIND_TEXT) },
    .hook = { .path = "/tother", .how = VERIFY_HMAC_SHA256_BASE64, .header = "X-Sig", .secrets = { T_SECRET }, .n_secrets = 1 },
    .auth = { .kind = AUTH_REQUEST, .token_call = t_token, .token_host = t_token_host, .single_use = true },
    .setup = t_setup,
    .media_find = t_media_find,
    .poll = { .every = T_POLL, .next = t_poll },
    T_COMMON,
};
static const struct media_rule t_media[] = { { "*", 1 << 20 } };
static const struct connector tdesk = {
    .name = "tdesk", .title = "Test desk", .desk = true,
    .caps = { .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_STATUS) | CAN(KIND_ANSWER), .media = MEDIA_LINK, .media_rules = t_media, .n_media_rules = 1, .statuses = CAN(STATUS_DELIVERED) | CAN(STATUS_FAILED) },
    .poll = { .every = T_POLL, .per_conversation = true, .next = t_poll },
    .lookup = { .who = t_who, .keep_ms = 1000, .unknown_ms = 1000, .total_ms = 1000 },
    .hook = { .path = "/tdesk", .how = VERIFY_HMAC_SHA256_BASE64, .header = "X-Sig", .secrets = { T_SECRET }, .n_secrets = 1 },
    T_COMMON,
};

static const struct connector tdesk2 = {
    .name = "tdesk2", .title = "Another test desk", .desk = true,
    .caps = { .kinds = CAN(KIND_TEXT) },
    .hook = { .path = "/tdesk2", .how = VERIFY_HMAC_SHA256_BASE64, .header = "X-Sig", .secrets = { T_SECRET }, .n_secrets = 1 },
    T_COMMON,
};

static enum outcome own_deliver(struct call *c, struct delivery *d)
{
    d->desk_conversation = c->conversation->id;
    return OUT_DELIVERED;
}

const struct connector rig_own_desk = {
    .name = "towndesk", .title = "Test desk of our own", .desk = true, .own_end = true,
    .caps = { .kinds = CAN(KIND_TEXT) },
    .settings = t_settings, .n_settings = T_SETTINGS, .receive = t_receive, .deliver = own_deliver,
};

static const struct connector *find(slice name)
{
    static const struct connector *const all[] = { &tnet, &tother, &tdesk, &tdesk2, &rig_own_desk };
    for (size_t i = 0; i < COUNT(all); i++)
        if (slice_eq(slice_of(all[i]->name), name))
            return all[i];
    return NULL;
}

/* ---- the vendor ---------------------------------------------------------------------------------------------------------- */

static void answer_with(struct exchange *x, int status, size_t n)
{
    char id[32];
    snprintf(id, sizeof(id), "v%zu", n);
    exchange_text(x, status, slice_of(id));
}

static void on_vendor(struct exchange *x, void *ctx)
{
    struct rig *r = ctx;
    CHECK(r->n_seen < SEEN_MAX);
    struct seen *s = &r->seen[r->n_seen++];
    *s = (struct seen){ .path = arena_dup(r->a, x->path), .body = arena_dup(r->a, x->body), .key = arena_dup(r->a, exchange_header(x, "X-Key")),
                        .auth = arena_dup(r->a, exchange_header(x, "Authorization")), .at_ms = time_mono_ms() };
    bool asks = r->token.p && slice_ends(x->path, SL("/tother"));
    if (asks && !slice_eq(s->auth, arena_printf(r->a, "Bearer " SLF, SLA(r->token))))
        s->status = 401;
    else
        s->status = r->answer ? r->answer(r, s) : 200;
    if (s->status == ANSWER_HOLD)
        s->held = x;
    else if (s->status == ANSWER_RESET)
        exchange_abort(x);
    else if (slice_ends(x->path, SL("/poll")))
        exchange_text(x, s->status, slice_of(r->polled ? r->polled : "{}"));
    else
        answer_with(x, s->status, r->n_seen);
}

/* ---- a peer whose connection breaks in the middle of a file; the vendor sends there ------------------------------------- */

static void cutter_closed(uv_handle_t *h)
{
    free(h);
}

static void cutter_wrote(uv_write_t *w, int status)
{
    (void)status;
    uv_close((uv_handle_t *)w->handle, cutter_closed);
    free(w);
}

static void cutter_room(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
    static char into[4096]; /* nobody reads it */
    (void)h, (void)n;
    *buf = uv_buf_init(into, sizeof(into));
}

static void cutter_read(uv_stream_t *st, ssize_t n, const uv_buf_t *buf)
{
    static char half[] = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 3000\r\n\r\nbytes of";
    (void)buf;
    uv_read_stop(st);
    uv_buf_t out = uv_buf_init(half, sizeof(half) - 1);
    uv_write_t *w = must_calloc(1, sizeof(*w));
    if (n <= 0 || uv_write(w, st, &out, 1, cutter_wrote) != 0) {
        free(w);
        uv_close((uv_handle_t *)st, cutter_closed);
    }
}

static void cutter_called(uv_stream_t *server, int status)
{
    uv_tcp_t *tcp = must_calloc(1, sizeof(*tcp));
    CHECK(status == 0 && uv_tcp_init(server->loop, tcp) == 0 && uv_accept(server, (uv_stream_t *)tcp) == 0);
    CHECK(uv_read_start((uv_stream_t *)tcp, cutter_room, cutter_read) == 0);
}

static unsigned cutter_open(struct rig *r)
{
    struct sockaddr_in at;
    int n = sizeof(at);
    r->cutter = must_calloc(1, sizeof(*r->cutter));
    CHECK(uv_ip4_addr("127.0.0.1", 0, &at) == 0 && uv_tcp_init(loop_uv(r->loop), r->cutter) == 0);
    CHECK(uv_tcp_bind(r->cutter, (struct sockaddr *)&at, 0) == 0 && uv_listen((uv_stream_t *)r->cutter, 16, cutter_called) == 0);
    CHECK(uv_tcp_getsockname(r->cutter, (struct sockaddr *)&at, &n) == 0);
    return ntohs(at.sin_port);
}

static void answer_cut(struct rig *r, struct exchange *x)
{
    if (!r->cutter)
        r->cutter_port = cutter_open(r);
    struct header to = { SL("Location"), arena_printf(x->a, "http://127.0.0.1:%u/", r->cutter_port) };
    exchange_answer(x, &(struct response){ .status = 302, .headers = &to, .n_headers = 1 });
}

static void on_file(struct exchange *x, void *ctx)
{
    struct rig *r = ctx;
    r->n_files++;
    r->file_auth = arena_dup(r->a, exchange_header(x, "Authorization"));
    int status = r->file ? r->file(r, x->rest, r->n_files) : 200;
    if (status == ANSWER_CUT) {
        answer_cut(r, x);
    } else if (status == ANSWER_RESET) {
        exchange_abort(x);
    } else if (status == 200) {
        struct text t = text_new(x->a, 8 << 20);
        text_add(&t, SLF "bytes of " SLF, SLA(r->file_head), SLA(x->rest));
        for (size_t i = 0; i < r->file_bytes; i++)
            text_char(&t, (char)('a' + i % 26));
        exchange_answer(x, &(struct response){ .status = 200, .type = slice_or(r->file_type, SL("image/png")), .body = text_slice(&t) });
    } else {
        struct header more = status == 429 ? (struct header){ SL("Retry-After"), SL("1") } : (struct header){ SL("Location"), r->file_to };
        exchange_answer(x, &(struct response){ .status = status, .type = SL("text/plain"), .body = SL("no"), .headers = &more, .n_headers = status == 429 || status == 302 });
    }
}

static void on_token(struct exchange *x, void *ctx)
{
    struct rig *r = ctx;
    if (r->token_status == ANSWER_HOLD) {
        r->held_token = x;
        return;
    }
    r->n_tokens++;
    if (r->token_status) {
        exchange_text(x, r->token_status, SL("no"));
        return;
    }
    slice used = slice_from(x->body, sizeof("refresh=") - 1);
    if (r->single_use && r->refresh.n && !slice_eq(used, r->refresh)) {
        r->n_misused++;
        exchange_text(x, 400, SL("used before"));
        return;
    }
    r->refresh = arena_printf(r->a, "single-%zu", r->n_tokens);
    if (r->single_use) {
        exchange_json(x, 200, arena_printf(x->a, "{\"access_token\":\"T%zu\",\"expires_in\":%lld,\"refresh_token\":\"" SLF "\"}", r->n_tokens,
                                           (long long)r->token_life_s, SLA(r->refresh)));
        return;
    }
    slice body = arena_printf(x->a, "{\"access_token\":\"" SLF "\",\"expires_in\":%lld,\"refresh_token\":\"rotated-%zu-of-" SLF "\"}", SLA(r->token),
                              (long long)r->token_life_s, r->n_tokens, SLA(slice_from(x->body, 8)));
    exchange_json(x, 200, body);
}

/* ---- the hub ------------------------------------------------------------------------------------------------------------- */

static void on_offer(void *ctx, const struct joffer *o)
{
    deliver_offer(&((struct rig *)ctx)->hub, o);
}

static void on_put(void *ctx, slice key, slice value)
{
    state_replay(((struct rig *)ctx)->hub.state, key, value);
}

static struct actor *actor_of(struct rig *r, const struct connector *type)
{
    struct hub *h = &r->hub;
    struct actor *actor = ARENA_NEW(h->a, struct actor);
    slice *values = ARENA_ARRAY(h->a, slice, T_SETTINGS);
    values[T_SECRET] = SL("sesame");
    values[T_SETUP] = r->setup ? SL("yes") : SLICE_NONE;
    values[T_POLL] = r->polls && strcmp(r->polls, type->name) == 0 ? SL("1") : SLICE_NONE;
    values[T_URL] = arena_printf(h->a, "http://127.0.0.1:%u", server_port(r->vendor));
    actor->hub = h;
    actor->tenant = h->tenants[0];
    actor->account = (struct account){ .id = arena_printf(h->a, "t/%s", type->name), .name = slice_of(type->name), .tenant = SL("T"), .type = type, .settings = values };
    h->actors[h->n_actors++] = actor;
    return actor;
}

static void appeared(void *arg, struct actor *actor)
{
    struct rig *r = arg;
    accept_routes(&r->hub, r->server, actor->account.type);
}

int64_t rig_call_ms = 3000;

void rig_start(struct rig *r)
{
    struct hub *h = &r->hub;
    struct fault f = { 0 };
    *h = (struct hub){ .loop = r->loop, .log = &r->log, .metrics = metrics_new(), .a = arena_new(), .seal = r->seal };
    hub_limits_default(&h->limits);
    h->limits.media_wait_ms = 10;
    h->limits.purge_ms = 100;
    h->limits.purge_every_ms = 20;
    h->limits.purge_again_ms = 100;
    snprintf(h->key_prefix, sizeof(h->key_prefix), "dg-test");
    struct tenant *t = ARENA_NEW(h->a, struct tenant);
    h->tenants = ARENA_ARRAY(h->a, struct tenant *, 1);
    h->tenants[h->n_tenants++] = t;
    h->actors = ARENA_ARRAY(h->a, struct actor *, 3);
    t->name = SL("T");
    t->channels = ARENA_ARRAY(h->a, struct actor *, 2);
    t->channels[t->n_channels++] = r->net = actor_of(r, &tnet);
    r->other = NULL;
    if (!r->alone)
        t->channels[t->n_channels++] = r->other = actor_of(r, &tother);
    t->desk = r->desk = actor_of(r, &tdesk);
    h->conversations = conversations_new(h);
    h->state = state_new(h);
    struct journal_limits jl;
    journal_limits_default(&jl);
    jl.segment_bytes = 1 << 20;
    jl.keep_bytes = r->keep_bytes ? r->keep_bytes : jl.keep_bytes;
    struct joffers to = { on_offer, on_put, NULL, r };
    h->journal = journal_open(r->loop, arena_printf(h->a, "%s/journal", r->dir).p, &jl, &to, &f);
    h->store = h->journal ? store_open(arena_printf(h->a, "%s/store.db", r->dir).p, &f) : NULL;
    struct client_limits cl;
    client_limits_default(&cl);
    cl.guard_off = !r->guard;
    cl.total_ms = rig_call_ms;
    h->client = client_new(r->loop, &cl, &f);
    r->server = server_new(r->loop, "127.0.0.1:0", NULL, NULL, &f);
    if (!h->journal || !h->store || !h->client || !r->server)
        test_fail(__FILE__, __LINE__, "%s", f.text);
    h->storage = &r->storage;
    h->media = media_new(h);
    registry_new(h, find);
    registry_load(h);
    for (size_t i = 0; i < h->n_actors; i++)
        actor_init(h->actors[i]);
    conversations_load_open(h);
    responses_new(h);
    later_load(h);
    media_purge_load(h);
    h->notices = notices_new(h, SL("test"));
    store_start(h->store, r->loop);
    registry_on_account(h, appeared, r);
    for (size_t i = 0; i < h->n_actors; i++)
        actor_start(h->actors[i]);
    responses_start(h);
    later_start(h);
    r->running = true;
}

void rig_stop(struct rig *r)
{
    if (!r->running)
        return;
    r->running = false;
    server_free(r->server);
    hub_stop(&r->hub);
    notices_free(r->hub.notices);
    metrics_free(r->hub.metrics);
    arena_free(r->hub.a);
}

static const char *copy_from, *copy_to;
static size_t n_copied, n_same;

static int copy_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)ftw;
    char to[512];
    snprintf(to, sizeof(to), "%s%s", copy_to, path + strlen(copy_from));
    if (flag == FTW_D)
        return mkdir(to, 0700) != 0 && strcmp(path, copy_from) != 0;
    int in = open(path, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, st->st_mode & 0777);
    char buf[1 << 16];
    bool ok = in >= 0 && out >= 0;
    for (ssize_t n; ok && (n = read(in, buf, sizeof(buf))) > 0;)
        ok = write(out, buf, (size_t)n) == n;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    n_copied++;
    return !ok;
}

static int compare_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)ftw, (void)st;
    char to[512], x[1 << 14], y[sizeof(x)];
    snprintf(to, sizeof(to), "%s%s", copy_to, path + strlen(copy_from));
    if (flag == FTW_D)
        return 0;
    int is = open(path, O_RDONLY), was = open(to, O_RDONLY);
    bool same = is >= 0 && was >= 0;
    for (ssize_t n = 1; same && n > 0;) {
        n = read(is, x, sizeof(x));
        same = n >= 0 && read(was, y, sizeof(y)) == n && memcmp(x, y, (size_t)n) == 0;
    }
    if (is >= 0)
        close(is);
    if (was >= 0)
        close(was);
    n_same++;
    return !same;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag;
    return ftw->level ? remove(path) : 0;
}

/* What is on disk at one moment: threads may write while we copy, and half of a file with half of another is what no kill leaves. What is still the same behind
 * the last byte copied was so in the moment between. */
static bool copy_all(void)
{
    n_copied = n_same = 0;
    return nftw(copy_from, copy_one, 8, FTW_PHYS) == 0 && nftw(copy_from, compare_one, 8, FTW_PHYS) == 0 && n_same == n_copied;
}

void rig_crash(struct rig *r)
{
    int64_t end_ms = time_mono_ms() + RIG_WAIT_MS;
    copy_from = r->dir;
    copy_to = test_dir();
    while (!copy_all()) {
        CHECK(time_mono_ms() < end_ms);
        CHECK(nftw(copy_to, remove_one, 8, FTW_PHYS | FTW_DEPTH) == 0);
        usleep(1000);
    }
    rig_stop(r);
    r->dir = copy_to;
    rig_start(r);
}

static char *quiet(const char *name)
{
    (void)name;
    return NULL;
}

struct rig *rig_new(void)
{
    struct arena *a = arena_new();
    struct rig *r = ARENA_NEW(a, struct rig);
    struct fault f = { 0 };
    signal(SIGXFSZ, SIG_IGN);
    r->a = a;
    r->dir = test_dir();
    r->loop = loop_new();
    r->logger = logger_new("test", quiet, &f);
    logger_set_levels(r->logger, getenv("RIG_LOG") ? SL("debug") : SL("fatal"));
    r->log = log_root(r->logger);
    r->seal = seal_of_hex(SL("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"), &f);
    r->vendor = server_new(r->loop, "127.0.0.1:0", NULL, NULL, &f);
    struct client_limits patient;
    client_limits_default(&patient);
    patient.total_ms = patient.connect_ms = RIG_WAIT_MS; /* a machine may be busy with other things */
    r->out = client_new(r->loop, &patient, &f);
    CHECK(r->seal && r->vendor && r->out);
    r->token_life_s = 3600;
    server_route(r->vendor, "POST", "/vendor/*", 0, on_vendor, r);
    server_route(r->vendor, "POST", "/token", 0, on_token, r);
    server_route(r->vendor, "GET", "/file/*", 0, on_file, r);
    rig_shelf(r);
    rig_start(r);
    return r;
}

void rig_free(struct rig *r)
{
    rig_stop(r);
    client_free(r->out);
    for (size_t i = 0; i < r->n_seen; i++)
        if (r->seen[i].held)
            exchange_abort(r->seen[i].held);
    if (r->held_token)
        exchange_abort(r->held_token);
    server_free(r->vendor);
    if (r->cutter)
        uv_close((uv_handle_t *)r->cutter, cutter_closed);
    seal_free(r->seal);
    logger_free(r->logger);
    loop_free(r->loop);
    arena_free(r->a);
}

static void turn_over(void *arg)
{
    loop_stop(arg);
}

void rig_turn(struct rig *r, int64_t ms)
{
    struct loop_timer t = { 0 };
    loop_timer_start(r->loop, &t, ms, turn_over, r->loop);
    loop_run(r->loop);
    loop_timer_done(&t);
}

struct hooking {
    struct arena *a;
    struct client_call call;
    struct header headers[1];
    int *ret_status;
};

static void hooked(void *arg, const struct answer *r)
{
    struct hooking *hk = arg;
    *hk->ret_status = r->status ? r->status : -1;
}

void rig_hook_later(struct rig *r, const char *path, const char *body, int *ret_status)
{
    struct hooking *hk = ARENA_NEW(r->a, struct hooking);
    struct sha256 mac = hmac_sha256(slice_or(r->secret, SL("sesame")), slice_of(body));
    *ret_status = 0;
    hk->ret_status = ret_status;
    hk->headers[0] = (struct header){ SL("X-Sig"), base64_encode(r->a, slice_mem(mac.b, sizeof(mac.b))) };
    hk->call = (struct client_call){ .a = r->a, .method = "POST", .url = arena_printf(r->a, "http://127.0.0.1:%u%s", server_port(r->server), path),
                                     .headers = hk->headers, .n_headers = 1, .body = arena_dup(r->a, slice_of(body)), .done = hooked, .arg = hk };
    client_send(r->out, &hk->call);
}

int rig_hook(struct rig *r, const char *path, const char *body)
{
    int status;
    rig_hook_later(r, path, body, &status);
    UNTIL(r, status != 0);
    return status;
}

static void post_text(struct rig *r, const char *path, const char *id, const char *guest, const char *text)
{
    slice body = arena_printf(r->a, "{\"events\":[{\"id\":\"%s\",\"guest\":\"%s\",\"text\":\"%s\"}]}", id, guest, text);
    CHECK_INT(rig_hook(r, path, body.p), 200);
}

void rig_text(struct rig *r, const char *id, const char *guest, const char *text)
{
    post_text(r, "/tnet", id, guest, text);
}

void rig_say(struct rig *r, const char *id, const char *address, const char *text)
{
    post_text(r, "/tdesk", id, address, text);
}

void rig_file(struct rig *r, const char *path, const char *id, const char *guest, const char *name)
{
    slice body = arena_printf(r->a, "{\"events\":[{\"id\":\"%s\",\"guest\":\"%s\",\"file\":\"%s\"}]}", id, guest, name);
    CHECK_INT(rig_hook(r, path, body.p), 200);
}

static void count_key(void *arg, slice key, slice value)
{
    (void)key;
    *(size_t *)arg += value.p != NULL;
}

size_t rig_keys(struct rig *r, const char *prefix)
{
    size_t n = 0;
    struct fault f = { 0 };
    CHECK(!r->running);
    struct store *s = store_open(arena_printf(r->a, "%s/store.db", r->dir).p, &f);
    CHECK(s);
    store_scan(s, slice_of(prefix), 0, count_key, NULL, &n);
    store_close(s);
    return n;
}

int64_t rig_count(struct rig *r, enum jstate state)
{
    int64_t counts[J_STATES];
    journal_counts(r->hub.journal, counts);
    return counts[state];
}

size_t rig_seen(struct rig *r, const char *body)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_seen; i++)
        n += slice_eq(r->seen[i].body, slice_of(body));
    return n;
}

void rig_answer_held(struct rig *r, const char *body, int status)
{
    for (size_t i = 0; i < r->n_seen; i++)
        if (r->seen[i].held && slice_eq(r->seen[i].body, slice_of(body))) {
            struct exchange *x = r->seen[i].held;
            r->seen[i].held = NULL;
            answer_with(x, status, i + 1);
            return;
        }
    test_fail(__FILE__, __LINE__, "no call with body %s is held", body);
}

void rig_answer_token(struct rig *r)
{
    struct exchange *x = r->held_token;
    CHECK(x);
    r->token_status = 0;
    r->held_token = NULL;
    on_token(x, r);
}

static slice looked_for;
static bool was_found;

static int look_into(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)ftw;
    if (flag != FTW_F)
        return 0;
    char *p = must_malloc((size_t)st->st_size + 1);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, p, (size_t)st->st_size);
    close(fd);
    was_found |= n > 0 && slice_find(slice_mem(p, (size_t)n), looked_for) != SIZE_MAX;
    free(p);
    return 0;
}

bool rig_on_disk(struct rig *r, const char *text)
{
    looked_for = slice_of(text);
    was_found = false;
    nftw(r->dir, look_into, 8, FTW_PHYS);
    return was_found;
}

void rig_disk_full(bool full)
{
    struct rlimit l;
    CHECK(getrlimit(RLIMIT_FSIZE, &l) == 0);
    l.rlim_cur = full ? 0 : l.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &l) == 0);
}

const struct language *const languages[] = { NULL }; /* none stands behind the commands here */
const size_t n_languages = 0;
const struct language *language_find(slice name)
{
    (void)name;
    return NULL;
}
