/* line_api.c - what every call of the Messaging API has in common, and the calls that only read: sections "Profiles", "Errors". */
#include "sim/line.h"

/* clang-format off */
static const struct { const char *pattern; int64_t per_second; } slow_routes[] = {   /* "Errors and rate limits" */
    { "/v2/bot/message/multicast",  200 },
    { "/v2/bot/chat/loading/start", 100 },
};
/* clang-format on */

static struct line_stat *stat_of(struct line *l, const struct sim_call *c)
{
    const char *pattern = sim_pattern(c);
    for (size_t i = 0; i < l->n_stats; i++)
        if (l->stats[i].pattern == pattern && slice_eq(slice_of(l->stats[i].method), c->x->method))
            return &l->stats[i];
    assert(l->n_stats < COUNT(l->stats));
    static const char *const methods[] = { "GET", "POST", "PUT", "DELETE" };
    struct line_stat *s = &l->stats[l->n_stats++];
    *s = (struct line_stat){ .method = "?", .pattern = pattern };
    for (size_t i = 0; i < COUNT(methods); i++)
        if (slice_eq(slice_of(methods[i]), c->x->method))
            s->method = methods[i];
    return s;
}

static void count(struct line *l, const struct sim_call *c, int status)
{
    struct line_stat *s = stat_of(l, c);
    for (size_t i = 0; i < COUNT(s->by); i++)
        if (s->by[i].status == status || s->by[i].status == 0) {
            s->by[i].status = status;
            s->by[i].n++;
            return;
        }
}

void line_stats_write(struct jw *w, const struct line *l)
{
    jw_open(w, "calls", '{');
    for (size_t i = 0; i < l->n_stats; i++) {
        const struct line_stat *s = &l->stats[i];
        char name[160], status[8];
        snprintf(name, sizeof(name), "%s %s", s->method, *s->pattern ? s->pattern : "(unknown)");
        jw_open(w, name, '{');
        for (size_t k = 0; k < COUNT(s->by) && s->by[k].status; k++) {
            snprintf(status, sizeof(status), "%d", s->by[k].status);
            jw_int(w, status, s->by[k].n);
        }
        jw_close(w, '}');
    }
    jw_close(w, '}');
}

/* ---- answers ------------------------------------------------------------------------------------------------------------------------ */

void line_answer(struct line_call *q, int status, slice json)
{
    count(q->line, q->c, status);
    sim_header(q->c, "x-line-request-id", q->request_id);
    if (json.p)
        sim_json(q->c, status, json);
    else
        sim_answer(q->c, status, SLICE_NONE, SLICE_NONE);
}

void line_message(struct line_call *q, int status, const char *message)
{
    struct jw w = jw_new(q->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "message", slice_of(message));
    jw_close(&w, '}');
    line_answer(q, status, jw_done(&w));
}

void line_errors_answer(struct line_call *q, const struct line_errors *e)
{
    struct jw w = jw_new(q->a, 64 << 10);
    jw_open(&w, NULL, '{');
    jw_str(&w, "message", arena_printf(q->a, "The request body has %zu error(s)", e->n));
    jw_open(&w, "details", '[');
    for (size_t i = 0; i < e->n; i++) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "message", e->list[i].message);
        jw_str(&w, "property", e->list[i].property);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    line_answer(q, 400, jw_done(&w));
}

static void begin(struct line_call *q, struct sim_call *c, struct line *l)
{
    *q = (struct line_call){ .line = l, .c = c, .a = c->x->a, .request_id = sim_random_uuid(&l->env->random, c->x->a) };
}

static const char *const too_many = "The API rate limit has been exceeded. Try again later.";

/* clang-format off */
static const struct { int status; const char *message; } refusals[] = {
    { 400, "The request body has 1 error(s)" },
    { 401, "Authentication failed due to the following reason: invalid token. Confirm that the access token in the authorization header is valid." },
    { 403, "Access to this API is not available for your account" },
    { 404, "Not found" },
    { 409, "The retry key is already accepted" },
    { 422, "Failed to send messages" },
    { 500, "Internal server error" },
    { 503, "Service unavailable" },
};
/* clang-format on */

static struct line *state_of(struct sim_call *c);

void line_refuse(struct sim_call *c, int status)
{
    struct line_call q;
    begin(&q, c, state_of(c));
    const char *message = status == 429 ? too_many : "Refused";
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (refusals[i].status == status)
            message = refusals[i].message;
    line_message(&q, status, message);
}

/* ---- entering ----------------------------------------------------------------------------------------------------------------------- */

static bool over_rate(struct line *l, const struct sim_call *c)
{
    if (l->rate_limit == 0)
        return false;
    struct line_stat *s = stat_of(l, c);
    int64_t now_s = time_mono_ms() / 1000, limit = l->rate_limit;
    for (size_t i = 0; i < COUNT(slow_routes); i++)
        if (strcmp(slow_routes[i].pattern, s->pattern) == 0)
            limit = MIN(limit, slow_routes[i].per_second);
    if (s->window_s != now_s) {
        s->window_s = now_s;
        s->in_window = 0;
    }
    return ++s->in_window > limit;
}

static bool bearer_ok(struct line_call *q)
{
    slice header = exchange_header(q->c->x, "Authorization");
    bool bearer = slice_eq_nocase(slice_sub(header, 0, 7), SL("Bearer "));
    if (bearer && line_token_ok(q->line, slice_trim(slice_from(header, 7))))
        return true;
    sim_header(q->c, "WWW-Authenticate", SL("Bearer error=\"invalid_token\", error_description=\"invalid token\""));
    line_message(q, 401,
                 bearer ? "Authentication failed due to the following reason: invalid token. Confirm that the access token in the "
                          "authorization header is valid."
                        : "Authentication failed due to the following reason: missing access token. Confirm that the access token in "
                          "the authorization header is valid.");
    return false;
}

static bool body_ok(struct line_call *q)
{
    const struct exchange *x = q->c->x;
    slice type = exchange_header(x, "Content-Type"), name = type;
    name = slice_trim(slice_cut(&name, ';'));
    if (!slice_eq_nocase(name, SL("application/json"))) {
        line_message(q, 415, arena_printf(q->a, "The content type, " SLF ", is not supported", SLA(slice_or(name, SL("(none)")))).p);
        return false;
    }
    struct fault f = { 0 };
    q->doc = js_parse(q->a, x->body, &f);
    if (q->doc && js_is_object(q->doc))
        return true;
    int line = 1, column = 1;
    if (!q->doc && sscanf(f.text, "line %d, column %d", &line, &column) != 2)
        line = column = 1;
    line_message(q, 400,
                 arena_printf(q->a, "The request body could not be parsed as JSON (line: %d, column: %d)", line, column).p);
    return false;
}

bool line_enter(struct line_call *q, struct sim_call *c, struct line *l, unsigned what)
{
    begin(q, c, l);
    if (!(what & LINE_NO_AUTH) && !bearer_ok(q))
        return false;
    if (over_rate(l, c)) {
        line_message(q, 429, too_many);
        return false;
    }
    if (c->x->body.n > LINE_BODY_MAX) {
        line_message(q, 413, "The request body is larger than 2 MB");
        return false;
    }
    return !(what & LINE_JSON) || body_ok(q);
}

static void unknown(struct sim_call *c, void *ctx)
{
    struct line_call q;
    begin(&q, c, ctx);
    line_message(&q, 404, "Not found");
}

/* ---- bot, profiles, groups ---------------------------------------------------------------------------------------------------------- */

static void get_info(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, 0))
        return;
    const struct line *l = q.line;
    struct jw w = jw_new(q.a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "userId", l->destination);
    jw_str(&w, "basicId", l->bot_id);
    jw_str(&w, "displayName", l->bot_name);
    jw_str(&w, "pictureUrl", arena_printf(q.a, SLF "/sim/faces/0.png", SLA(l->env->base_url)));
    jw_str(&w, "chatMode", l->chat_mode ? SL("chat") : SL("bot"));
    jw_str(&w, "markAsReadMode", l->chat_mode ? SL("manual") : SL("auto"));
    jw_close(&w, '}');
    line_answer(&q, 200, jw_done(&w));
}

static void profile(struct line_call *q, const struct chat *u, bool whole)
{
    struct jw w = jw_new(q->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "displayName", slice_of(u->name));
    jw_str(&w, "userId", slice_of(u->id));
    jw_str(&w, "pictureUrl", arena_printf(q->a, SLF "/sim/faces/%zu.png", SLA(q->line->env->base_url), u->number));
    if (whole) {
        jw_opt(&w, "statusMessage", slice_of(u->status));
        jw_opt(&w, "language", slice_of(u->language));
    }
    jw_close(&w, '}');
    line_answer(q, 200, jw_done(&w));
}

static void get_profile(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, 0))
        return;
    const struct chat *u = c->params[0].n == LINE_ID_CHARS ? line_chat(q.line, c->params[0]) : NULL;
    if (!u || u->kind != CHAT_USER || !u->friend)
        line_message(&q, 404, "Not found");
    else
        profile(&q, u, true);
}

/* The group or room of the path, whichever the route is about; answered when there is none. */
static struct chat *group_of(struct line_call *q, const struct sim_call *c)
{
    bool room = slice_starts(c->x->path, SL("/v2/bot/room/"));
    struct chat *g = c->params[0].n == LINE_ID_CHARS ? line_chat(q->line, c->params[0]) : NULL;
    if (g && !g->left && g->kind == (room ? CHAT_ROOM : CHAT_GROUP))
        return g;
    line_message(q, 404, "Not found");
    return NULL;
}

static void get_member(struct sim_call *c, void *ctx)
{
    struct line_call q;
    const struct chat *g;
    if (!line_enter(&q, c, ctx, 0) || !(g = group_of(&q, c)))
        return;
    const struct chat *u = line_chat(q.line, c->params[1]);
    if (!u || !line_chat_has(q.line, g, u))
        line_message(&q, 404, "Not found");
    else
        profile(&q, u, false);
}

static void get_summary(struct sim_call *c, void *ctx)
{
    struct line_call q;
    const struct chat *g;
    if (!line_enter(&q, c, ctx, 0) || !(g = group_of(&q, c)))
        return;
    struct jw w = jw_new(q.a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "groupId", slice_of(g->id));
    jw_str(&w, "groupName", slice_of(g->name));
    jw_str(&w, "pictureUrl", arena_printf(q.a, SLF "/sim/faces/%zu.png", SLA(q.line->env->base_url), g->number));
    jw_close(&w, '}');
    line_answer(&q, 200, jw_done(&w));
}

static void list_people(struct line_call *q, const char *member, const struct chat *g, size_t start, size_t limit)
{
    struct jw w = jw_new(q->a, LINE_BODY_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, member, '[');
    size_t i = start, n = 0;
    for (; i < q->line->n_chats && n < limit; i++) {
        const struct chat *u = q->line->chats[i];
        if (u->kind != CHAT_USER || !u->friend || (g && !line_chat_has(q->line, g, u)))
            continue;
        jw_str(&w, NULL, slice_of(u->id));
        n++;
    }
    jw_close(&w, ']');
    if (!g && i < q->line->n_chats)
        jw_str(&w, "next", arena_printf(q->a, "%zu", i));
    jw_close(&w, '}');
    line_answer(q, 200, jw_done(&w));
}

static void get_members(struct sim_call *c, void *ctx)
{
    struct line_call q;
    const struct chat *g;
    if (line_enter(&q, c, ctx, 0) && (g = group_of(&q, c)))
        list_people(&q, "memberIds", g, 0, SIZE_MAX);
}

static void get_member_count(struct sim_call *c, void *ctx)
{
    struct line_call q;
    const struct chat *g;
    if (!line_enter(&q, c, ctx, 0) || !(g = group_of(&q, c)))
        return;
    int n = 0;
    for (size_t i = 0; i < q.line->n_chats; i++)
        n += line_chat_has(q.line, g, q.line->chats[i]);
    line_answer(&q, 200, arena_printf(q.a, "{\"count\":%d}", n));
}

static void post_leave(struct sim_call *c, void *ctx)
{
    struct line_call q;
    struct chat *g;
    if (!line_enter(&q, c, ctx, 0) || !(g = group_of(&q, c)))
        return;
    g->left = true;
    line_answer(&q, 200, SL("{}"));
}

static void get_followers(struct sim_call *c, void *ctx)
{
    enum { FOLLOWERS_MAX = 1000, FOLLOWERS_STANDARD = 300 };
    struct line_call q;
    if (!line_enter(&q, c, ctx, 0))
        return;
    int64_t start = 0, limit = FOLLOWERS_STANDARD;
    slice s = exchange_query(c->x, "start"), n = exchange_query(c->x, "limit");
    if ((s.p && (!slice_int(s, &start) || start < 0)) || (n.p && (!slice_int(n, &limit) || limit < 1 || limit > FOLLOWERS_MAX)))
        line_message(&q, 400, "Invalid start param");
    else
        list_people(&q, "userIds", NULL, (size_t)start, (size_t)limit);
}

/* ---- webhook settings, quota ---------------------------------------------------------------------------------------------------------- */

static bool url_ok(const struct line *l, slice url)
{
    enum { WEBHOOK_URL_MAX = 500 };
    bool secure = slice_starts(url, SL("https://")) || (l->allow_http && slice_starts(url, SL("http://")));
    return secure && url.n > 10 && url.n <= WEBHOOK_URL_MAX;
}

static void put_endpoint(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, LINE_JSON))
        return;
    slice url = js_text(js_at(q.doc, "endpoint"));
    if (!url_ok(q.line, url)) {
        line_message(&q, 400, "Invalid webhook endpoint URL");
        return;
    }
    free(q.line->webhook_url);
    q.line->webhook_url = must_malloc(url.n + 1);
    memcpy(q.line->webhook_url, url.p, url.n);
    q.line->webhook_url[url.n] = 0;
    line_answer(&q, 200, SL("{}"));
}

static void get_endpoint(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, 0))
        return;
    if (!q.line->webhook_url) {
        line_message(&q, 404, "Not found");
        return;
    }
    struct jw w = jw_new(q.a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "endpoint", slice_of(q.line->webhook_url));
    jw_bool(&w, "active", true);
    jw_close(&w, '}');
    line_answer(&q, 200, jw_done(&w));
}

struct test_call {
    struct line_call q;
};

static void tested(void *arg, int status, int64_t took_ms)
{
    struct test_call *t = arg;
    struct line_call *q = &t->q;
    bool good = status >= 200 && status < 300;
    const char *reason = good ? "OK" : status ? "ERROR_STATUS_CODE" : took_ms >= LINE_WEBHOOK_MS - 1 ? "REQUEST_TIMEOUT" : "COULD_NOT_CONNECT";
    struct jw w = jw_new(q->a, 4096);
    jw_open(&w, NULL, '{');
    jw_bool(&w, "success", good);
    jw_time(&w, "timestamp", time_now_ms());
    jw_int(&w, "statusCode", status);
    jw_str(&w, "reason", slice_of(reason));
    jw_str(&w, "detail", status ? arena_printf(q->a, "%d", status) : slice_of(reason));
    jw_close(&w, '}');
    line_answer(q, 200, jw_done(&w));
}

static void test_endpoint(struct sim_call *c, void *ctx)
{
    struct test_call *t = ARENA_NEW(c->x->a, struct test_call);
    if (!line_enter(&t->q, c, ctx, c->x->body.n ? LINE_JSON : 0))
        return;
    struct line *l = t->q.line;
    slice url = js_text(js_at(t->q.doc, "endpoint"));
    if (url.p ? !url_ok(l, url) : !l->webhook_url) {
        line_message(&t->q, 400, "Invalid webhook endpoint URL");
        return;
    }
    struct line_batch *b = line_batch_new(l);
    b->url = url;
    line_batch_send(b, tested, t);
}

static void get_quota(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, 0))
        return;
    line_answer(&q, 200, q.line->quota ? arena_printf(q.a, "{\"type\":\"limited\",\"value\":%lld}", (long long)q.line->quota)
                                       : SL("{\"type\":\"none\"}"));
}

static void get_consumption(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (line_enter(&q, c, ctx, 0))
        line_answer(&q, 200, arena_printf(q.a, "{\"totalUsage\":%lld}", (long long)q.line->used));
}

static void get_pnp_count(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, 0))
        return;
    int64_t day;
    slice date = exchange_query(c->x, "date");
    if (date.n != 8 || !slice_int(date, &day))
        line_message(&q, 400, "The value for the 'date' parameter is invalid");
    else
        line_answer(&q, 200, arena_printf(q.a, "{\"status\":\"ready\",\"success\":%lld}", (long long)q.line->pnp_sent));
}

static const struct sim_route routes[] = {
    { "GET", "/v2/bot/info", get_info, 0 },
    { "GET", "/v2/bot/profile/:userId", get_profile, 0 },
    { "GET", "/v2/bot/followers/ids", get_followers, 0 },
    { "GET", "/v2/bot/group/:groupId/summary", get_summary, 0 },
    { "GET", "/v2/bot/group/:groupId/members/ids", get_members, 0 },
    { "GET", "/v2/bot/group/:groupId/members/count", get_member_count, 0 },
    { "GET", "/v2/bot/group/:groupId/member/:userId", get_member, 0 },
    { "POST", "/v2/bot/group/:groupId/leave", post_leave, 0 },
    { "GET", "/v2/bot/room/:roomId/members/ids", get_members, 0 },
    { "GET", "/v2/bot/room/:roomId/members/count", get_member_count, 0 },
    { "GET", "/v2/bot/room/:roomId/member/:userId", get_member, 0 },
    { "POST", "/v2/bot/room/:roomId/leave", post_leave, 0 },
    { "PUT", "/v2/bot/channel/webhook/endpoint", put_endpoint, 0 },
    { "GET", "/v2/bot/channel/webhook/endpoint", get_endpoint, 0 },
    { "POST", "/v2/bot/channel/webhook/test", test_endpoint, 0 },
    { "GET", "/v2/bot/message/quota", get_quota, 0 },
    { "GET", "/v2/bot/message/quota/consumption", get_consumption, 0 },
    { "GET", "/v2/bot/message/delivery/pnp", get_pnp_count, 0 },
};

static struct line *state_of(struct sim_call *c)
{
    return c->env->state;
}

void line_api_routes(struct line *l)
{
    sim_routes(l->env, routes, COUNT(routes), l, unknown);
}
