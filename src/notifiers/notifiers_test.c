/* notifiers_test.c - every payload, byte by byte, and every answer; the texts are those of docs/wire/notifiers.md. */
#include "hub/notifier.h"
#include "tests/harness/test.h"
#include "wire/js.h"

#define KEY       "0123456789abcdef0123456789abcdef"
#define NEW_YEAR  INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define JANUARY_4 INT64_C(1767499200000) /* 2026-01-04T04:00:00Z */
enum { VALUES_MAX = 8 };

/* The defaults of the table, and what is given: name, value, name, value, … */
static struct notice_call call_of(struct arena *a, const char *type, struct fault *f, const char *const *given)
{
    const struct notifier *t = notifier_find(slice_of(type));
    CHECK(t && t->n_settings <= VALUES_MAX);
    slice *values = ARENA_ARRAY(a, slice, VALUES_MAX);
    for (size_t i = 0; i < t->n_settings; i++) {
        values[i] = slice_of(t->settings[i].otherwise);
        for (const char *const *g = given; *g; g += 2)
            if (strcmp(g[0], t->settings[i].name) == 0)
                values[i] = slice_of(g[1]);
    }
    return (struct notice_call){ .a = a, .settings = values, .public_url = SL("https://messaging.example.com"), .f = f };
}

/* clang-format off */
static const struct notice started = { .kind = SLI("service.started"), .colour = NOTICE_GOOD, .act = NOTICE_CHANGE, .head = SLI("line-connector"), .verb = SLI("started"),
    .service = SLI("line-connector"), .version = SLI("1.4.2"), .instance = SLI("gum-line-7c9d-x2k4"), .environment = SLI("prod"), .at_ms = NEW_YEAR,
    .key = SLI("gum/prod/service/line-connector/gum-line-7c9d-x2k4") };
static const struct notice stopping = { .kind = SLI("service.stopping"), .colour = NOTICE_CALM, .act = NOTICE_CHANGE, .head = SLI("line-connector"), .verb = SLI("is stopping"),
    .service = SLI("line-connector"), .instance = SLI("gum-line-7c9d-x2k4"), .reason = SLI("SIGTERM"), .uptime_ms = 76 * 3600000, .at_ms = JANUARY_4 };
static const struct notice stopping_here = { .kind = SLI("service.stopping"), .colour = NOTICE_CALM, .act = NOTICE_CHANGE, .head = SLI("line-connector"),
    .verb = SLI("is stopping"), .service = SLI("line-connector"), .reason = SLI("SIGTERM"), .uptime_ms = 76 * 3600000, .at_ms = JANUARY_4 };
static const struct notice lost = { .kind = SLI("service.stopping"), .colour = NOTICE_BAD, .act = NOTICE_TRIGGER, .head = SLI("line-connector"), .verb = SLI("is stopping"),
    .service = SLI("line-connector"), .instance = SLI("gum-line-7c9d-x2k4"), .environment = SLI("prod"), .reason = SLI("lost database"), .detail = SLI("redis unreachable"),
    .at_ms = JANUARY_4, .key = SLI("gum/prod/service/line-connector/gum-line-7c9d-x2k4") };
static const struct notice error = { .kind = SLI("subscription.error"), .topic = NOTICE_SUBSCRIPTIONS, .colour = NOTICE_ERROR, .act = NOTICE_TRIGGER,
    .head = SLI("Subscription error"), .service = SLI("line-connector"), .environment = SLI("prod"), .tenant = SLI("ACME LINE"),
    .tenant_id = SLI("f4de9900-c131-4eef-8ead-11654bcd2520"), .network = SLI("LINE"), .party = SLI("Genesys Cloud"), .reason = SLI("401 invalid_client"),
    .since_ms = NEW_YEAR, .key = SLI("gum/prod/subscription/f4de9900-c131-4eef-8ead-11654bcd2520") };
static const struct notice error_bare = { .kind = SLI("subscription.error"), .colour = NOTICE_ERROR, .act = NOTICE_TRIGGER, .head = SLI("Subscription error"),
    .tenant = SLI("ACME LINE"), .reason = SLI("401 invalid_client"), .at_ms = NEW_YEAR };
static const struct notice error_network = { .kind = SLI("subscription.error"), .colour = NOTICE_ERROR, .act = NOTICE_TRIGGER, .head = SLI("Subscription error"),
    .service = SLI("line-connector"), .environment = SLI("prod"), .tenant = SLI("ACME LINE"), .tenant_id = SLI("f4de9900-c131-4eef-8ead-11654bcd2520"),
    .network = SLI("LINE"), .reason = SLI("401 invalid_client"), .key = SLI("gum/prod/subscription/f4de9900-c131-4eef-8ead-11654bcd2520") };
static const struct notice recovered = { .kind = SLI("subscription.recovered"), .colour = NOTICE_GOOD, .act = NOTICE_RESOLVE, .head = SLI("Subscription recovered"),
    .tenant = SLI("ACME LINE"), .at_ms = NEW_YEAR, .key = SLI("gum/prod/subscription/f4de9900-c131-4eef-8ead-11654bcd2520") };
static const struct notice storage = { .kind = SLI("storage.error"), .colour = NOTICE_ERROR, .act = NOTICE_TRIGGER, .head = SLI("Storage"), .verb = SLI("is 90% full"),
    .instance = SLI("hub-prod") };
static const struct notice evil = { .kind = SLI("subscription.error"), .colour = NOTICE_ERROR, .act = NOTICE_TRIGGER, .head = SLI("Subscription error"),
    .tenant = SLI("<!channel> & *all*"), .account = SLI("a`b"), .reason = SLI("@everyone <b>_x_</b>"), .count = 12, .key = SLI("k") };

static const char *const slack[]     = { "url", "https://hooks.slack.com/services/T0/B0/abcdefghijklmnopqrstuvwx", NULL };
static const char *const slack_old[] = { "url", "https://hooks.slack.com/services/T0/B0/abcdefghijklmnopqrstuvwx", "channel", "#ops", NULL };
static const char *const discord[]   = { "url", "https://discord.com/api/webhooks/123/abc", "username", "GUM hub", NULL };
static const char *const thread[]    = { "url", "https://discord.com/api/webhooks/123/abc", "username", "GUM hub", "thread_id", "77", NULL };
static const char *const duty[]      = { "routing_key", KEY, "client", "GUM hub", NULL };
static const char *const duty_bare[] = { "routing_key", KEY, "client", "", NULL };
static const char *const ruleset[]   = { "routing_key", "R123456789abcdef0123456789abcdef", NULL };
static const char *const genesys[]   = { "url", "https://apps.mypurecloud.jp:443/webhooks/api/v1/webhook/6b9a", NULL };

#define SLACK_URL   "https://hooks.slack.com/services/T0/B0/abcdefghijklmnopqrstuvwx"
#define DISCORD_URL "https://discord.com/api/webhooks/123/abc?wait=true"
#define DUTY_URL    "https://events.pagerduty.com/v2/enqueue"
#define CHANGE_URL  "https://events.pagerduty.com/v2/change/enqueue"
#define GENESYS_URL "https://apps.mypurecloud.jp:443/webhooks/api/v1/webhook/6b9a"
/* clang-format on */

TEST(notices_are_written_as_each_vendor_wants_them)
{
    static const struct {
        const char *type;
        const char *const *given;
        const struct notice *n;
        const char *url, *body; /* NULL: not told */
    } rows[] = {
        { "slack", slack, &started, SLACK_URL,
          "{\"text\":\"line-connector 1.4.2 started on gum-line-7c9d-x2k4 (prod)\",\"attachments\":[{\"color\":\"#2eb67d\",\"fall"
          "back\":\"line-connector started\",\"blocks\":[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"*line-con"
          "nector* started\"}},{\"type\":\"context\",\"elements\":[{\"type\":\"mrkdwn\",\"text\":\"1.4.2 | gum-line-7c9d-x2k4 | p"
          "rod | 2026-01-01T00:00:00Z\"}]}]}]}" },
        { "slack", slack, &stopping, SLACK_URL,
          "{\"text\":\"line-connector is stopping on gum-line-7c9d-x2k4 (SIGTERM)\",\"attachments\":[{\"color\":\"#ecb22e\",\"fal"
          "lback\":\"line-connector stopping\",\"blocks\":[{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"*line-c"
          "onnector* is stopping (SIGTERM), uptime 3 d 4 h\"}}]}]}" },
        { "slack", slack, &error, SLACK_URL,
          "{\"text\":\"Subscription error: tenant ACME LINE, Genesys Cloud: 401 invalid_client\",\"attachments\":[{\"color\":\"#e"
          "01e5a\",\"fallback\":\"subscription error\",\"blocks\":[{\"type\":\"section\",\"fields\":[{\"type\":\"mrkdwn\",\"text"
          "\":\"*Tenant*\\nACME LINE\"},{\"type\":\"mrkdwn\",\"text\":\"*Network*\\nLINE\"},{\"type\":\"mrkdwn\",\"text\":\"*Sinc"
          "e*\\n2026-01-01T00:00:00Z\"},{\"type\":\"mrkdwn\",\"text\":\"*Error*\\n401 invalid_client\"}]}]}]}" },
        { "discord", discord, &started, DISCORD_URL,
          "{\"username\":\"GUM hub\",\"allowed_mentions\":{\"parse\":[]},\"embeds\":[{\"title\":\"line-connector started\",\"colo"
          "r\":3061373,\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"fields\":[{\"name\":\"Version\",\"value\":\"1.4.2\",\"inline"
          "\":true},{\"name\":\"Instance\",\"value\":\"gum-line-7c9d-x2k4\",\"inline\":true},{\"name\":\"Environment\",\"value\":"
          "\"prod\",\"inline\":true}]}]}" },
        { "discord", discord, &stopping_here, DISCORD_URL,
          "{\"username\":\"GUM hub\",\"allowed_mentions\":{\"parse\":[]},\"embeds\":[{\"title\":\"line-connector is stopping\",\""
          "description\":\"SIGTERM, uptime 3 d 4 h\",\"color\":15512110,\"timestamp\":\"2026-01-04T04:00:00.000Z\"}]}" },
        { "discord", discord, &error_bare, DISCORD_URL,
          "{\"username\":\"GUM hub\",\"allowed_mentions\":{\"parse\":[]},\"embeds\":[{\"title\":\"Subscription error\",\"color\":"
          "14687834,\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"fields\":[{\"name\":\"Tenant\",\"value\":\"ACME LINE\"},{\"name"
          "\":\"Error\",\"value\":\"401 invalid_client\"}]}]}" },
        { "pagerduty", duty, &started, CHANGE_URL,
          "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"payload\":{\"summary\":\"line-connector 1.4.2 started on gum-l"
          "ine-7c9d-x2k4\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"source\":\"gum-line-7c9d-x2k4\",\"custom_details\":{\"env"
          "ironment\":\"prod\"}}}" },
        { "pagerduty", duty, &lost, DUTY_URL,
          "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"event_action\":\"trigger\",\"dedup_key\":\"gum/prod/service/li"
          "ne-connector/gum-line-7c9d-x2k4\",\"client\":\"GUM hub\",\"client_url\":\"https://messaging.example.com\",\"payload\":"
          "{\"summary\":\"line-connector is stopping: lost database\",\"source\":\"gum-line-7c9d-x2k4\",\"severity\":\"warning\","
          "\"component\":\"line-connector\",\"group\":\"prod\",\"class\":\"service.stopping\",\"timestamp\":\"2026-01-04T04:00:00"
          ".000Z\",\"custom_details\":{\"reason\":\"redis unreachable\"}}}" },
        { "pagerduty", duty_bare, &error_network, DUTY_URL,
          "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"event_action\":\"trigger\",\"dedup_key\":\"gum/prod/subscripti"
          "on/f4de9900-c131-4eef-8ead-11654bcd2520\",\"payload\":{\"summary\":\"Subscription error: ACME LINE: 401 invalid_client"
          "\",\"source\":\"line-connector\",\"severity\":\"error\",\"component\":\"ACME LINE\",\"group\":\"prod\",\"class\":\"sub"
          "scription.error\",\"custom_details\":{\"tenant\":\"f4de9900-c131-4eef-8ead-11654bcd2520\",\"network\":\"LINE\"}}}" },
        { "pagerduty", duty, &recovered, DUTY_URL,
          "{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"event_action\":\"resolve\",\"dedup_key\":\"gum/prod/subscripti"
          "on/f4de9900-c131-4eef-8ead-11654bcd2520\"}" },
        { "genesys-cloud", genesys, &storage, GENESYS_URL,
          "{\"message\":\"**Storage** is 90% full on `hub-prod`\",\"metadata\":\"universal-messaging;topic=Default\"}" },
        { "genesys-cloud", genesys, &error, GENESYS_URL,
          "{\"message\":\"**Subscription error**: tenant ACME LINE, Genesys Cloud: 401 invalid_client, since 2026-01-01T00:00:00Z"
          "\",\"metadata\":\"universal-messaging;topic=Subscriptions\"}" },
        { "genesys-cloud", genesys, &started, GENESYS_URL,
          "{\"message\":\"**line-connector** 1.4.2 started on `gum-line-7c9d-x2k4` (prod)\",\"metadata\":\"universal-messaging;to"
          "pic=Default\"}" },
        { "genesys-cloud", genesys, &evil, GENESYS_URL,
          "{\"message\":\"**Subscription error**: tenant \\\\<!channel\\\\> & \\\\*all\\\\*, account `a'b`: @everyone \\\\<b\\\\>"
          "\\\\_x\\\\_\\\\</b\\\\> (12 times)\",\"metadata\":\"universal-messaging;topic=Default\"}" },
        { "slack", slack_old, &evil, SLACK_URL,
          "{\"text\":\"Subscription error: tenant &lt;!channel&gt; &amp; *all*: @everyone &lt;b&gt;_x_&lt;/b&gt; (12 times)\",\"c"
          "hannel\":\"#ops\",\"attachments\":[{\"color\":\"#e01e5a\",\"fallback\":\"subscription error\",\"blocks\":[{\"type\":\""
          "section\",\"fields\":[{\"type\":\"mrkdwn\",\"text\":\"*Tenant*\\n&lt;!channel&gt; &amp; *all*\"},{\"type\":\"mrkdwn\","
          "\"text\":\"*Account*\\na`b\"},{\"type\":\"mrkdwn\",\"text\":\"*Error*\\n@everyone &lt;b&gt;_x_&lt;/b&gt;\"}]}]}]}" },
        { "discord", thread, &evil, DISCORD_URL "&thread_id=77",
          "{\"username\":\"GUM hub\",\"allowed_mentions\":{\"parse\":[]},\"embeds\":[{\"title\":\"Subscription error\",\"color\":"
          "14687834,\"fields\":[{\"name\":\"Tenant\",\"value\":\"<!channel\\\\> & \\\\*all\\\\*\"},{\"name\":\"Account\",\"value"
          "\":\"a\\\\`b\"},{\"name\":\"Error\",\"value\":\"@everyone <b\\\\>\\\\_x\\\\_</b\\\\>\"},{\"name\":\"Times\",\"value\":"
          "\"12\"}]}]}" },
        { "pagerduty", ruleset, &started, DUTY_URL,
          "{\"routing_key\":\"R123456789abcdef0123456789abcdef\",\"event_action\":\"resolve\",\"dedup_key\":\"gum/prod/service/li"
          "ne-connector/gum-line-7c9d-x2k4\"}" },
        { "pagerduty", ruleset, &stopping, NULL,
          NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        struct notice_call c = call_of(a, rows[i].type, &f, rows[i].given);
        struct http_call made = { 0 };
        bool told = notifier_find(slice_of(rows[i].type))->build(&c, rows[i].n, &made);
        CHECK_ROW(i, told == (rows[i].body != NULL));
        if (!told)
            continue;
        CHECK_SLICE(made.body, slice_of(rows[i].body));
        CHECK_SLICE(made.url, slice_of(rows[i].url));
        CHECK_SLICE(made.type, SL("application/json"));
        CHECK_ROW(i, strcmp(made.method, "POST") == 0);
    }
}

TEST(discord_is_told_who_asks)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct notice_call c = call_of(a, "discord", &f, discord);
    struct http_call made = { 0 };
    CHECK(notifier_find(SL("discord"))->build(&c, &started, &made));
    CHECK_INT(made.n_headers, 1);
    CHECK_SLICE(made.headers[0].name, SL("User-Agent"));
    CHECK_SLICE(made.headers[0].value, SL("DiscordBot (https://messaging.example.com, " DRAGOMAN_VERSION ")"));
}

/* The longest texts there can be still make a body that each vendor takes. */
TEST(notices_stay_within_every_limit)
{
    char full[NOTICE_TEXT_MAX];
    memset(full, '*', sizeof(full)); /* each is escaped */
    slice s = slice_mem(full, sizeof(full));
    const struct notice all[] = {
        { .kind = s, .head = s, .verb = s, .service = s, .version = s, .instance = s, .environment = s, .reason = s, .detail = s, .uptime_ms = 1, .count = 99, .key = s,
          .at_ms = 1, .act = NOTICE_TRIGGER },
        { .kind = s, .head = s, .tenant = s, .tenant_id = s, .account = s, .network = s, .party = s, .reason = s, .detail = s, .since_ms = 1, .count = 99, .key = s,
          .at_ms = 1, .act = NOTICE_TRIGGER, .service = s, .environment = s },
    };
    static const struct {
        const char *type;
        const char *const *given;
    } types[] = { { "slack", slack }, { "discord", discord }, { "pagerduty", duty }, { "genesys-cloud", genesys } };
    for (size_t i = 0; i < COUNT(types) * COUNT(all); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        struct notice_call c = call_of(a, types[i / COUNT(all)].type, &f, types[i / COUNT(all)].given);
        struct http_call made = { 0 };
        CHECK_ROW(i, notifier_find(slice_of(types[i / COUNT(all)].type))->build(&c, &all[i % COUNT(all)], &made));
        const struct js *doc = js_parse(a, made.body, &f);
        CHECK_ROW(i, doc);
        CHECK_ROW(i, utf8_len(js_text(js_at(doc, "message"))) <= 4000);
        CHECK_ROW(i, utf8_len(js_text(js_at(doc, "payload.summary"))) <= 1024);
        const struct js *embed = js_at(doc, "embeds.0");
        size_t sum = utf8_len(js_text(js_at(embed, "title"))) + utf8_len(js_text(js_at(embed, "description")));
        CHECK_ROW(i, utf8_len(js_text(js_at(embed, "title"))) <= 256 && utf8_len(js_text(js_at(embed, "description"))) <= 4096);
        for (size_t k = 0; k < js_len(js_at(embed, "fields")); k++) {
            slice value = js_text(js_at(js_item(js_at(embed, "fields"), k), "value"));
            CHECK_ROW(i, utf8_len(value) <= 1024);
            sum += utf8_len(value) + 20;
        }
        CHECK_ROW(i, sum <= 6000);
        const struct js *blocks = js_at(doc, "attachments.0.blocks.0");
        CHECK_ROW(i, utf8_len(js_text(js_at(blocks, "text.text"))) <= 3000);
        for (size_t k = 0; k < js_len(js_at(blocks, "fields")); k++)
            CHECK_ROW(i, utf8_len(js_text(js_at(js_item(js_at(blocks, "fields"), k), "text"))) <= 2000);
    }
}

TEST(answers_are_read_as_each_vendor_means_them)
{
    static const struct header discord_full[] = { { SLI("X-RateLimit-Remaining"), SLI("0") }, { SLI("X-RateLimit-Reset-After"), SLI("1.25") } };
    static const struct header discord_room[] = { { SLI("X-RateLimit-Remaining"), SLI("4") }, { SLI("X-RateLimit-Reset-After"), SLI("1.25") } };
    static const struct header discord_429[] = { { SLI("Retry-After"), SLI("0.4") } };
    static const struct {
        const char *type;
        struct answer r;
        enum notice_end end;
        int64_t wait_ms;
        bool gone;
        const char *why;
    } rows[] = {
        { "slack", { .status = 200, .body = SLI("ok") }, NOTICE_TAKEN, 0, false, "" },
        { "slack", { .status = 400, .body = SLI("invalid_payload") }, NOTICE_REFUSED, 0, false, "status 400: invalid_payload" },
        { "slack", { .status = 404, .body = SLI("no_service") }, NOTICE_REFUSED, 0, false, "status 404: no_service" },
        { "slack", { .status = 410, .body = SLI("<html>What is this?") }, NOTICE_REFUSED, 0, false, "status 410" },
        { "slack", { .status = 302 }, NOTICE_REFUSED, 0, false, "status 302" },
        { "slack", { .status = 429, .retry_after_ms = 30000 }, NOTICE_AGAIN, 30000, false, "status 429" },
        { "slack", { .status = 500, .body = SLI("rollup_error") }, NOTICE_AGAIN, 0, false, "status 500: rollup_error" },
        { "slack", { .status = 0, .error = SLI("connection refused") }, NOTICE_AGAIN, 0, false, "no answer: connection refused" },
        { "discord", { .status = 200, .body = SLI("{}"), .headers = discord_room, .n_headers = 2 }, NOTICE_TAKEN, 0, false, "" },
        { "discord", { .status = 204, .headers = discord_full, .n_headers = 2 }, NOTICE_TAKEN, 1251, false, "" },
        { "discord", { .status = 429, .body = SLI("{\"message\":\"You are being rate limited.\",\"retry_after\":0.65,\"global\":false}"), .headers = discord_429, .n_headers = 1 },
          NOTICE_AGAIN, 651, false, "status 429" },
        { "discord", { .status = 429, .body = SLI("{\"retry_after\":1e300}") }, NOTICE_AGAIN, 3600001, false, "status 429" },
        { "discord", { .status = 400, .body = SLI("{\"code\":50006,\"message\":\"Cannot send an empty message\"}") }, NOTICE_REFUSED, 0, false, "status 400, code 50006" },
        { "discord", { .status = 404, .body = SLI("{\"message\":\"Unknown Webhook\",\"code\":10015}") }, NOTICE_REFUSED, 0, true, "status 404, code 10015" },
        { "discord", { .status = 401, .body = SLI("{\"message\":\"Invalid Webhook Token\",\"code\":50027}") }, NOTICE_REFUSED, 0, true, "status 401, code 50027" },
        { "discord", { .status = 502, .body = SLI("<html>") }, NOTICE_AGAIN, 0, false, "status 502" },
        { "pagerduty", { .status = 202, .body = SLI("{\"status\":\"success\"}") }, NOTICE_TAKEN, 0, false, "" },
        { "pagerduty", { .status = 400, .body = SLI("{\"status\":\"invalid event\",\"errors\":[\"" KEY "\"]}") }, NOTICE_REFUSED, 0, false,
          "status 400: the routing key or the event is not valid" },
        { "pagerduty", { .status = 429 }, NOTICE_AGAIN, 30000, false, "status 429" },
        { "pagerduty", { .status = 500 }, NOTICE_AGAIN, 30000, false, "status 500" },
        { "genesys-cloud", { .status = 200 }, NOTICE_TAKEN, 0, false, "" },
        { "genesys-cloud", { .status = 404 }, NOTICE_REFUSED, 0, false, "status 404" },
        { "genesys-cloud", { .status = 503, .retry_after_ms = 2000 }, NOTICE_AGAIN, 2000, false, "status 503" },
    };
    static const char *const none[] = { NULL };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        struct notice_call c = call_of(a, rows[i].type, &f, none);
        struct notice_verdict v = { 0 };
        notifier_find(slice_of(rows[i].type))->judge(&c, &rows[i].r, &v);
        CHECK_ROW(i, v.end == rows[i].end && v.gone == rows[i].gone);
        CHECK_INT(v.wait_ms, rows[i].wait_ms);
        CHECK_SLICE(slice_of(f.text), slice_of(rows[i].why));
    }
}

TEST(settings_that_no_row_can_check)
{
    static const struct {
        const char *type, *name, *value;
        bool good;
    } rows[] = {
        { "discord", "username", "Dragoman", true },      { "discord", "username", "My DisCord hub", false }, { "discord", "username", "a@b", false },
        { "discord", "username", "a:b", false },          { "discord", "username", "here", false },           { "discord", "username", "x```y", false },
        { "discord", "thread_id", "1234567890", true },   { "discord", "thread_id", "12a", false },           { "pagerduty", "routing_key", KEY, true },
        { "pagerduty", "routing_key", "0123456789abcdef0123456789abcde/", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        const char *const given[] = { rows[i].name, rows[i].value, NULL };
        struct notice_call c = call_of(a, rows[i].type, &f, given);
        CHECK_ROW(i, notifier_find(slice_of(rows[i].type))->check(&c) == rows[i].good);
        CHECK_ROW(i, rows[i].good || strcmp(f.field, rows[i].name) == 0);
    }
}

TEST(every_notifier_has_one_secret_and_a_rate)
{
    CHECK_INT(n_notifiers, 4);
    for (size_t i = 0; i < n_notifiers; i++) {
        size_t secrets = 0;
        for (size_t k = 0; k < notifiers[i]->n_settings; k++)
            secrets += notifiers[i]->settings[k].secret;
        CHECK_ROW(i, secrets == 1 && notifiers[i]->rate.calls && notifiers[i]->rate.per_ms && notifiers[i]->n_settings <= VALUES_MAX);
        CHECK_ROW(i, notifier_find(slice_of(notifiers[i]->name)) == notifiers[i]);
    }
    CHECK(!notifier_find(SL("pigeon")));
}

TEST(spans_are_told_in_two_units)
{
    static const struct {
        int64_t ms;
        const char *want;
    } rows[] = { { 0, "0 s" }, { 59999, "59 s" }, { 60000, "1 min" }, { 3600000, "1 h" }, { 3660000, "1 h 1 min" }, { 86400000, "1 d" }, { 76 * 3600000, "3 d 4 h" } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        CHECK_SLICE(notice_span(a, rows[i].ms), slice_of(rows[i].want));
    }
}
