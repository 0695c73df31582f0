/* notifiers_test.c - what the simulated services take and refuse, over HTTP: one loop holds the simulator and a client. */
#include "sim/notifiers.h"
#include "tests/harness/test.h"

#define SLACK   "/services/T0000/B0000/abcdefghijklmnopqrstuvwx"
#define DISCORD "/api/webhooks/123456789012345678/discord-token-0123456789"
#define GENESYS "/webhooks/api/v1/webhook/6b9a1f4e-0000-4000-8000-1234567890ab"
#define KEY     "\"routing_key\":\"0123456789abcdef0123456789abcdef\""
enum { WAIT_MS = 8000, OPTIONS_MAX = 4 };

struct world {
    struct arena *a;
    struct loop *loop;
    struct sim_run *run;
    struct client *client;
};
struct got {
    struct world *w;
    int status;
    slice body;
    const struct js *json;
    slice remaining, reset_after, retry_after;
    bool done;
};

static void answered(void *arg, const struct answer *r)
{
    struct got *g = arg;
    struct arena *a = g->w->a;
    g->status = r->status;
    g->body = arena_dup(a, r->body);
    g->json = r->body.n ? js_parse(a, g->body, NULL) : NULL;
    g->remaining = arena_dup(a, answer_header(r, "X-RateLimit-Remaining"));
    g->reset_after = arena_dup(a, answer_header(r, "X-RateLimit-Reset-After"));
    g->retry_after = arena_dup(a, answer_header(r, "Retry-After"));
    g->done = true;
    loop_stop(g->w->loop);
}

static struct got call(struct world *w, const char *method, const char *path, slice body, const char *agent)
{
    struct got g = { .w = w };
    const struct header headers[] = { { SL("Content-Type"), SL("application/json") }, { SL("User-Agent"), slice_of(agent) } };
    struct client_call c = { .a = w->a, .method = method, .url = arena_printf(w->a, "http://127.0.0.1:%u%s", sim_port(w->run), path), .headers = headers,
                             .n_headers = COUNT(headers), .body = body, .total_ms = WAIT_MS, .done = answered, .arg = &g };
    client_send(w->client, &c);
    while (!g.done)
        loop_run(w->loop);
    return g;
}

static struct got post(struct world *w, const char *path, const char *body)
{
    return call(w, "POST", path, slice_of(body), "DiscordBot (https://hub.example.com, 1)");
}

static void open_world(struct world *w, const char *const *options)
{
    *w = (struct world){ .a = arena_new(), .loop = loop_new() };
    struct fault f = { 0 };
    struct client_limits limits;
    client_limits_default(&limits);
    limits.guard_off = true;
    w->client = client_new(w->loop, &limits, &f);
    char *argv[OPTIONS_MAX + 1] = { arena_cstr(w->a, SL("notifiers")) };
    int argc = 1;
    for (; options && options[argc - 1]; argc++)
        argv[argc] = arena_cstr(w->a, slice_of(options[argc - 1]));
    w->run = sim_open(w->loop, argc, argv, &f);
    if (!w->run)
        test_fail(__FILE__, __LINE__, "%s %s", f.field, f.text);
}

static void close_world(struct world *w)
{
    sim_close(w->run);
    client_free(w->client);
    loop_free(w->loop);
    arena_free(w->a);
}

static slice many(struct world *w, const char *before, const char *unit, size_t n, const char *after)
{
    struct text t = text_new(w->a, 1 << 20);
    text_put(&t, slice_of(before));
    for (size_t i = 0; i < n; i++)
        text_put(&t, slice_of(unit));
    text_put(&t, slice_of(after));
    return text_slice(&t);
}

static const char *const no_limits[] = { "--slack-limit=0", "--discord-limit=0", "--pagerduty-limit=0", NULL };

TEST(each_service_refuses_in_its_own_words)
{
    static const struct {
        const char *path, *body;
        int status;
        const char *answer; /* a part of it */
    } rows[] = {
        { SLACK, "{\"text\":\"hi\"}", 200, "ok" },
        { SLACK, "{}", 400, "no_text" },
        { SLACK, "text", 400, "invalid_payload" },
        { SLACK, "[]", 400, "invalid_payload" },
        { SLACK, "{\"text\":\"hi\",\"blocks\":[{\"type\":\"secton\"}]}", 400, "invalid_blocks" },
        { SLACK, "{\"text\":\"hi\",\"attachments\":[{\"blocks\":[{\"type\":\"section\"}]}]}", 400, "invalid_blocks" },
        { SLACK, "{\"text\":\"hi\",\"attachments\":[{\"blocks\":[{\"type\":\"section\",\"text\":{\"type\":\"markdown\",\"text\":\"x\"}}]}]}", 400, "invalid_blocks" },
        { SLACK, "{\"text\":\"hi\",\"attachments\":[{\"blocks\":[{\"type\":\"section\",\"fields\":[{\"type\":\"mrkdwn\",\"text\":\"\"}]}]}]}", 400, "invalid_blocks" },
        { SLACK, "{\"text\":\"hi\",\"attachments\":[{\"blocks\":[{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"x\"}]}]}]}", 200, "ok" },
        { "/services/T0000/B0000/another", "{\"text\":\"hi\"}", 404, "no_service" },
        { DISCORD, "{\"content\":\"hi\"}", 204, "" },
        { DISCORD "?wait=true", "{\"content\":\"hi\"}", 200, "\"webhook_id\":\"123456789012345678\"" },
        { DISCORD, "{}", 400, "50006" },
        { DISCORD, "{\"embeds\":[]}", 400, "50006" },
        { DISCORD, "{", 400, "50109" },
        { DISCORD, "{\"content\":\"hi\",\"username\":\"My Discord\"}", 400, "\"errors\":{\"username\":{\"_errors\":[" },
        { DISCORD, "{\"embeds\":[{\"color\":\"#2eb67d\"}]}", 400, "\"errors\":{\"embeds\":{\"0\":{\"color\":{\"_errors\":[" },
        { DISCORD, "{\"embeds\":[{\"color\":16777216}]}", 400, "50035" },
        { DISCORD, "{\"embeds\":[{\"timestamp\":\"yesterday\"}]}", 400, "50035" },
        { DISCORD, "{\"embeds\":[{\"fields\":[{\"name\":\"x\",\"value\":\"\"}]}]}", 400, "50035" },
        { "/api/webhooks/1/x", "{\"content\":\"hi\"}", 404, "10015" },
        { "/api/webhooks/123456789012345678/x", "{\"content\":\"hi\"}", 401, "50027" },
        { "/v2/enqueue", "{" KEY ",\"event_action\":\"trigger\",\"payload\":{\"summary\":\"s\",\"source\":\"h\",\"severity\":\"error\"}}", 202, "\"dedup_key\":\"" },
        { "/v2/enqueue", "{" KEY ",\"event_action\":\"trigger\",\"payload\":{\"summary\":\"s\",\"source\":\"h\",\"severity\":\"warn\"}}", 400, "severity" },
        { "/v2/enqueue", "{" KEY ",\"event_action\":\"trigger\",\"payload\":{\"source\":\"h\",\"severity\":\"error\"}}", 400, "summary" },
        { "/v2/enqueue", "{" KEY ",\"event_action\":\"trigger\",\"payload\":{\"summary\":\"s\",\"severity\":\"error\"}}", 400, "source" },
        { "/v2/enqueue", "{" KEY ",\"event_action\":\"resolve\"}", 400, "dedup_key" },
        { "/v2/enqueue", "{" KEY ",\"event_action\":\"solve\",\"dedup_key\":\"k\"}", 400, "event_action" },
        { "/v2/enqueue", "{" KEY ",\"event_action\":\"resolve\",\"dedup_key\":\"k\"}", 202, "\"dedup_key\":\"k\"" },
        { "/v2/enqueue", "{\"routing_key\":\"x\",\"event_action\":\"resolve\",\"dedup_key\":\"k\"}", 400, "routing_key" },
        { "/v2/change/enqueue", "{" KEY ",\"payload\":{\"summary\":\"s\"}}", 202, "Change event processed" },
        { "/v2/change/enqueue", "{" KEY ",\"payload\":{\"summary\":\"s\",\"timestamp\":\"now\"}}", 400, "timestamp" },
        { "/v2/change/enqueue", "{" KEY "}", 400, "summary" },
        { GENESYS, "{\"message\":\"m\",\"metadata\":\"universal-messaging\"}", 200, "{}" },
        { GENESYS, "{\"metadata\":\"universal-messaging\"}", 400, "message is required" },
        { GENESYS, "{\"message\":\"m\",\"metadata\":{}}", 400, "" },
        { "/webhooks/api/v1/webhook/x", "{\"message\":\"m\"}", 404, "not found" },
    };
    struct world w;
    open_world(&w, no_limits);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got g = post(&w, rows[i].path, rows[i].body);
        CHECK_ROW(i, g.status == rows[i].status && slice_find(g.body, slice_of(rows[i].answer)) != SIZE_MAX);
    }
    close_world(&w);
}

TEST(sizes_are_counted_in_characters)
{
    struct world w;
    open_world(&w, no_limits);
    static const struct {
        const char *path, *before, *unit, *after;
        size_t most;
        int good;
    } rows[] = {
        { SLACK, "{\"text\":\"t\",\"blocks\":[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"", "é", "\"}}]}", SNO_SLACK_TEXT_MAX, 200 },
        { SLACK, "{\"text\":\"t\",\"blocks\":[{\"type\":\"section\",\"fields\":[{\"type\":\"mrkdwn\",\"text\":\"", "é", "\"}]}]}", SNO_SLACK_FIELD_MAX, 200 },
        { SLACK, "{\"text\":\"t\",\"blocks\":[{\"type\":\"divider\"}", ",{\"type\":\"divider\"}", "]}", SNO_SLACK_BLOCKS_MAX - 1, 200 },
        { SLACK, "{\"text\":\"t\",\"attachments\":[{}", ",{}", "]}", SNO_SLACK_ATTACHMENTS_MAX - 1, 200 },
        { DISCORD, "{\"content\":\"", "é", "\"}", SNO_DISCORD_CONTENT_MAX, 204 },
        { DISCORD, "{\"embeds\":[{\"title\":\"", "é", "\"}]}", 256, 204 },
        { DISCORD, "{\"embeds\":[{\"description\":\"", "é", "\"}]}", 4096, 204 },
        { DISCORD, "{\"embeds\":[{\"fields\":[{\"name\":\"n\",\"value\":\"", "é", "\"}]}]}", 1024, 204 },
        { DISCORD, "{\"embeds\":[{\"title\":\"t\"}", ",{\"title\":\"t\"}", "]}", SNO_DISCORD_EMBEDS_MAX - 1, 204 },
        { "/v2/change/enqueue", "{" KEY ",\"payload\":{\"summary\":\"", "é", "\"}}", SNO_DUTY_SUMMARY_MAX, 202 },
        { "/v2/enqueue", "{" KEY ",\"event_action\":\"resolve\",\"dedup_key\":\"", "k", "\"}", SNO_DUTY_KEY_MAX, 202 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice fits = many(&w, rows[i].before, rows[i].unit, rows[i].most, rows[i].after), over = many(&w, rows[i].before, rows[i].unit, rows[i].most + 1, rows[i].after);
        CHECK_ROW(i, call(&w, "POST", rows[i].path, fits, "DiscordBot (x, 1)").status == rows[i].good);
        CHECK_ROW(i, call(&w, "POST", rows[i].path, over, "DiscordBot (x, 1)").status == 400);
    }
    close_world(&w);
}

TEST(discord_turns_other_agents_away)
{
    struct world w;
    open_world(&w, NULL);
    CHECK_INT(call(&w, "POST", DISCORD, SL("{\"content\":\"hi\"}"), "curl/8").status, 403);
    close_world(&w);
}

TEST(limits_are_told_as_each_service_tells_them)
{
    struct world w;
    const char *const options[] = { "--slack-limit=1", "--discord-limit=2", "--pagerduty-limit=1", NULL };
    open_world(&w, options);
    CHECK_INT(post(&w, SLACK, "{\"text\":\"1\"}").status, 200);
    struct got g = post(&w, SLACK, "{\"text\":\"2\"}");
    CHECK(g.status == 429 && g.retry_after.n);
    g = post(&w, DISCORD, "{\"content\":\"1\"}");
    CHECK(g.status == 204 && slice_eq(g.remaining, SL("1")));
    g = post(&w, DISCORD, "{\"content\":\"2\"}");
    CHECK(g.status == 204 && slice_eq(g.remaining, SL("0")) && g.reset_after.n);
    g = post(&w, DISCORD, "{\"content\":\"3\"}");
    double retry_s = 0;
    CHECK(g.status == 429 && g.retry_after.n && js_double(js_at(g.json, "retry_after"), &retry_s) && retry_s > 0 && retry_s <= 2);
    CHECK_INT(post(&w, "/v2/change/enqueue", "{" KEY ",\"payload\":{\"summary\":\"s\"}}").status, 202);
    g = post(&w, "/v2/change/enqueue", "{" KEY ",\"payload\":{\"summary\":\"s\"}}");
    CHECK(g.status == 429 && !g.body.n && !g.retry_after.n);
    close_world(&w);
}

#define TRIGGER "{" KEY ",\"event_action\":\"trigger\",\"dedup_key\":\"k\",\"payload\":{\"summary\":\"s\",\"source\":\"h\",\"severity\":\"error\"}}"
#define RESOLVE "{" KEY ",\"event_action\":\"resolve\",\"dedup_key\":\"k\"}"

TEST(alerts_open_join_and_end_by_their_key)
{
    struct world w;
    open_world(&w, NULL);
    const char *const events[] = { RESOLVE, TRIGGER, TRIGGER, RESOLVE, TRIGGER };
    for (size_t i = 0; i < COUNT(events); i++)
        CHECK_INT(post(&w, "/v2/enqueue", events[i]).status, 202);
    const struct js *alert = js_at(call(&w, "GET", "/sim/notices", SLICE_NONE, "x").json, "alerts.0");
    int64_t triggers, opened, resolves;
    CHECK(js_int(js_at(alert, "triggers"), &triggers) && js_int(js_at(alert, "opened"), &opened) && js_int(js_at(alert, "resolves"), &resolves));
    CHECK_INT(triggers, 3);
    CHECK_INT(opened, 2);
    CHECK_INT(resolves, 2);
    CHECK(js_true(js_at(alert, "open")));
    close_world(&w);
}

TEST(what_arrived_is_shown_and_bounded)
{
    struct world w;
    open_world(&w, no_limits);
    post(&w, GENESYS, "{\"message\":\"nobody sees me\"}");
    const struct js *all = call(&w, "GET", "/sim/notices", SLICE_NONE, "x").json;
    CHECK(js_true(js_at(all, "notices.0.hidden")) && slice_eq(js_text(js_at(all, "notices.0.body.message")), SL("nobody sees me")));
    for (int i = 0; i < SNO_KEPT + 20; i++)
        CHECK_INT(post(&w, SLACK, "{\"text\":\"hi\"}").status, 200);
    all = call(&w, "GET", "/sim/notices", SLICE_NONE, "x").json;
    CHECK_INT(js_len(js_at(all, "notices")), SNO_KEPT);
    CHECK_INT(call(&w, "DELETE", "/sim/notices", SLICE_NONE, "x").status, 200);
    all = call(&w, "GET", "/sim/notices", SLICE_NONE, "x").json;
    CHECK_INT(js_len(js_at(all, "notices")), 0);
    int64_t taken;
    CHECK(js_int(js_at(call(&w, "GET", "/sim/counters", SLICE_NONE, "x").json, "slack.taken"), &taken));
    CHECK_INT(taken, SNO_KEPT + 20);
    close_world(&w);
}
