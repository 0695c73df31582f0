/* notifiers_vendors.c - what each of the four takes and refuses, in its own words: docs/wire/notifiers.md. */
#include "sim/notifiers.h"

static const struct { int64_t ms; } windows[SNO_VENDORS] = { [SNO_SLACK] = { 10000 }, [SNO_DISCORD] = { 2000 }, [SNO_DUTY] = { 60000 }, [SNO_GENESYS] = { 60000 } };

static enum sno_vendor vendor_of(slice path)
{
    return slice_starts(path, SL("/services/")) ? SNO_SLACK : slice_starts(path, SL("/v2/")) ? SNO_DUTY : slice_starts(path, SL("/webhooks/")) ? SNO_GENESYS : SNO_DISCORD;
}

static const struct sno_said nothing = { .colour = -1 };

/* ---- limits -------------------------------------------------------------------------------------------------------------------- */

static void answer_429(struct sim_call *c, enum sno_vendor vendor, int64_t wait_ms)
{
    struct arena *a = c->x->a;
    int64_t up_s = (wait_ms + 999) / 1000;
    bool said = c->n_headers > 0; /* Retry-After, by a fault rule */
    switch (vendor) {
    case SNO_SLACK:
        if (!said)
            sim_header(c, "Retry-After", arena_printf(a, "%lld", (long long)up_s));
        sim_answer(c, 429, SL("text/plain; charset=utf-8"), SL("rate_limited"));
        return;
    case SNO_DISCORD:
        if (!said)
            sim_header(c, "Retry-After", arena_printf(a, "%lld", (long long)up_s));
        sim_header(c, "X-RateLimit-Remaining", SL("0"));
        sim_header(c, "X-RateLimit-Reset-After", arena_printf(a, "%lld.%03lld", (long long)(wait_ms / 1000), (long long)(wait_ms % 1000)));
        sim_header(c, "X-RateLimit-Scope", SL("user"));
        sim_json(c, 429, arena_printf(a, "{\"message\":\"You are being rate limited.\",\"retry_after\":%lld.%03lld,\"global\":false}", (long long)(wait_ms / 1000),
                                      (long long)(wait_ms % 1000)));
        return;
    case SNO_DUTY:
    case SNO_GENESYS:
    case SNO_VENDORS:
        break;
    }
    sim_answer(c, 429, SLICE_NONE, SLICE_NONE);
}

static int64_t window_left_ms(struct sno *s, enum sno_vendor vendor)
{
    struct sno_window *w = &s->windows[vendor];
    int64_t now_ms = time_mono_ms();
    if (!w->began_ms || now_ms - w->began_ms >= windows[vendor].ms)
        *w = (struct sno_window){ .began_ms = now_ms };
    return w->began_ms + windows[vendor].ms - now_ms;
}

bool sno_within(struct sno *s, struct sim_call *c, enum sno_vendor vendor)
{
    int64_t left_ms = window_left_ms(s, vendor);
    if (!s->limits[vendor] || ++s->windows[vendor].calls <= s->limits[vendor])
        return true;
    sno_keep(s, c, vendor, 429, &nothing);
    answer_429(c, vendor, left_ms);
    return false;
}

void sno_refuse(struct sim_call *c, int status)
{
    enum sno_vendor vendor = vendor_of(c->x->path);
    struct sno *s = c->env->state;
    sno_keep(s, c, vendor, status, &nothing);
    if (status == 429)
        answer_429(c, vendor, 1000);
    else if (vendor == SNO_SLACK)
        sim_answer(c, status, SL("text/plain; charset=utf-8"), status == 404 ? SL("no_service") : status >= 500 ? SL("rollup_error") : SL("invalid_payload"));
    else if (vendor == SNO_DISCORD && status == 404)
        sim_json(c, status, SL("{\"message\":\"Unknown Webhook\",\"code\":10015}"));
    else
        sim_answer(c, status, SLICE_NONE, SLICE_NONE);
}

/* ---- Slack ---------------------------------------------------------------------------------------------------------------------- */

static void slack_answer(struct sno *s, struct sim_call *c, int status, const char *word, const struct sno_said *said)
{
    sno_keep(s, c, SNO_SLACK, status, said);
    sim_answer(c, status, SL("text/plain; charset=utf-8"), slice_of(word));
}

static bool slack_text_good(const struct js *v, size_t max)
{
    slice type = js_text(js_at(v, "type"));
    size_t n = utf8_len(js_text(js_at(v, "text")));
    return (slice_eq(type, SL("mrkdwn")) || slice_eq(type, SL("plain_text"))) && n >= 1 && n <= max;
}

static bool slack_block_good(const struct js *b)
{
    slice type = js_text(js_at(b, "type"));
    if (slice_eq(type, SL("divider")))
        return true;
    if (slice_eq(type, SL("context"))) {
        const struct js *elements = js_at(b, "elements");
        bool good = js_len(elements) >= 1 && js_len(elements) <= SNO_SLACK_FIELDS_MAX;
        for (size_t i = 0; i < js_len(elements); i++)
            good = good && slack_text_good(js_item(elements, i), SNO_SLACK_TEXT_MAX);
        return good;
    }
    if (!slice_eq(type, SL("section")))
        return false;
    const struct js *text = js_at(b, "text"), *fields = js_at(b, "fields");
    bool good = (text || fields) && (!text || slack_text_good(text, SNO_SLACK_TEXT_MAX));
    if (fields)
        good = good && js_len(fields) >= 1 && js_len(fields) <= SNO_SLACK_FIELDS_MAX;
    for (size_t i = 0; i < js_len(fields); i++)
        good = good && slack_text_good(js_item(fields, i), SNO_SLACK_FIELD_MAX);
    return good;
}

static bool slack_blocks_good(const struct js *blocks)
{
    bool good = !blocks || (js_is_array(blocks) && js_len(blocks) <= SNO_SLACK_BLOCKS_MAX);
    for (size_t i = 0; i < js_len(blocks); i++)
        good = good && slack_block_good(js_item(blocks, i));
    return good;
}

static int64_t hex_colour(slice s)
{
    int64_t v = 0;
    if (s.n != 7 || s.p[0] != '#')
        return -1;
    for (size_t i = 1; i < s.n; i++) {
        const char *digit = strchr("0123456789abcdef", s.p[i] | 0x20);
        if (!digit || !*digit)
            return -1;
        v = v * 16 + (digit - "0123456789abcdef");
    }
    return v;
}

/* NULL: good; else Slack's word. */
static const char *slack_wrong(const struct js *doc)
{
    const struct js *attachments = js_at(doc, "attachments"), *blocks = js_at(doc, "blocks");
    if (!js_is_object(doc))
        return "invalid_payload";
    if (!js_text(js_at(doc, "text")).n && !js_len(blocks) && !js_len(attachments))
        return "no_text";
    if (js_len(attachments) > SNO_SLACK_ATTACHMENTS_MAX)
        return "too_many_attachments";
    bool good = slack_blocks_good(blocks);
    for (size_t i = 0; i < js_len(attachments); i++)
        good = good && slack_blocks_good(js_at(js_item(attachments, i), "blocks"));
    return good ? NULL : "invalid_blocks";
}

static void slack(struct sim_call *c, void *ctx)
{
    struct sno *s = ctx;
    struct arena *a = c->x->a;
    struct sno_said said = nothing;
    if (!slice_eq(arena_printf(a, SLF "/" SLF "/" SLF, SLA(c->params[0]), SLA(c->params[1]), SLA(c->params[2])), s->secrets[SNO_SLACK])) {
        slack_answer(s, c, 404, "no_service", &said);
        return;
    }
    if (!sno_within(s, c, SNO_SLACK))
        return;
    const struct js *doc = js_parse(a, c->x->body, NULL), *first = js_at(doc, "attachments.0");
    bool json = slice_starts(exchange_header(c->x, "Content-Type"), SL("application/json"));
    const char *wrong = json ? slack_wrong(doc) : "invalid_payload";
    said.title = js_text(js_at(doc, "text"));
    said.text = js_text(js_at(first, "blocks.0.text.text"));
    said.colour = hex_colour(js_text(js_at(first, "color")));
    slack_answer(s, c, wrong ? 400 : 200, wrong ? wrong : "ok", &said);
}

/* ---- Discord ---------------------------------------------------------------------------------------------------------------------- */

static void discord_answer(struct sno *s, struct sim_call *c, int status, slice body, const struct sno_said *said)
{
    struct arena *a = c->x->a;
    int64_t left_ms = window_left_ms(s, SNO_DISCORD), limit = s->limits[SNO_DISCORD];
    if (limit) {
        sim_header(c, "X-RateLimit-Limit", arena_printf(a, "%lld", (long long)limit));
        sim_header(c, "X-RateLimit-Remaining", arena_printf(a, "%lld", (long long)MAX(limit - s->windows[SNO_DISCORD].calls, INT64_C(0))));
        sim_header(c, "X-RateLimit-Reset-After", arena_printf(a, "%lld.%03lld", (long long)(left_ms / 1000), (long long)(left_ms % 1000)));
        sim_header(c, "X-RateLimit-Bucket", SL("abcd1234"));
    }
    sno_keep(s, c, SNO_DISCORD, status, said);
    if (body.p)
        sim_json(c, status, body);
    else
        sim_answer(c, status, SLICE_NONE, SLICE_NONE);
}

/* {"code":50035,…,"errors":{"embeds":{"0":{"title":{"_errors":[…]}}}}} */
static slice discord_form(struct arena *a, const char *path, const char *code, const char *message)
{
    struct text t = text_new(a, 4096);
    slice rest = slice_of(path);
    size_t depth = 0;
    text_put(&t, SL("{\"code\":50035,\"message\":\"Invalid Form Body\",\"errors\":{"));
    while (rest.n) {
        slice name = slice_cut(&rest, '.');
        text_add(&t, "\"" SLF "\":{", SLA(name));
        depth++;
    }
    text_add(&t, "\"_errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]", code, message);
    for (size_t i = 0; i < depth + 2; i++)
        text_char(&t, '}');
    return text_slice(&t);
}

#define TOO_LONG "BASE_TYPE_MAX_LENGTH"

static const char *discord_name_wrong(slice name)
{
    static const slice bad[] = { SLI("discord"), SLI("@"), SLI("#"), SLI("```") };
    for (size_t i = 0; i < COUNT(bad); i++)
        for (size_t k = 0; k + bad[i].n <= name.n; k++)
            if (slice_eq_nocase(slice_sub(name, k, bad[i].n), bad[i]))
                return "Username cannot contain this.";
    return slice_eq(name, SL("everyone")) || slice_eq(name, SL("here")) ? "Username cannot be this." : NULL;
}

/* {NULL,0}: good. *sum: characters of all embeds. */
static slice discord_embed_wrong(struct arena *a, const struct js *e, size_t *sum)
{
    static const struct {
        const char *path, *where;
        size_t max;
    } texts[] = { { "title", "embeds.0.title", 256 }, { "description", "embeds.0.description", 4096 }, { "footer.text", "embeds.0.footer.text", 2048 },
                  { "author.name", "embeds.0.author.name", 256 } };
    int64_t colour = 0, at_ms;
    const struct js *fields = js_at(e, "fields"), *at = js_at(e, "timestamp");
    for (size_t i = 0; i < COUNT(texts); i++) {
        size_t n = utf8_len(js_text(js_at(e, texts[i].path)));
        if (n > texts[i].max)
            return discord_form(a, texts[i].where, TOO_LONG, "Too long.");
        *sum += n;
    }
    if (js_at(e, "color") && (!js_int(js_at(e, "color"), &colour) || colour < 0 || colour > 0xffffff))
        return discord_form(a, "embeds.0.color", "NUMBER_TYPE_MAX", "int value should be between 0 and 16777215.");
    if (at && !time_parse_rfc3339(js_text(at), &at_ms))
        return discord_form(a, "embeds.0.timestamp", "DATE_TIME_TYPE_PARSE", "Could not parse it. Should be ISO8601.");
    if (js_len(fields) > SNO_DISCORD_FIELDS_MAX)
        return discord_form(a, "embeds.0.fields", TOO_LONG, "Must be 25 or fewer in length.");
    for (size_t i = 0; i < js_len(fields); i++) {
        size_t name = utf8_len(js_text(js_at(js_item(fields, i), "name"))), value = utf8_len(js_text(js_at(js_item(fields, i), "value")));
        if (!name || !value)
            return discord_form(a, "embeds.0.fields", "BASE_TYPE_REQUIRED", "This field is required");
        if (name > 256 || value > 1024)
            return discord_form(a, "embeds.0.fields", TOO_LONG, "Must be 1024 or fewer in length.");
        *sum += name + value;
    }
    return SLICE_NONE;
}

static slice discord_wrong(struct arena *a, const struct js *doc)
{
    const struct js *embeds = js_at(doc, "embeds");
    slice name = js_text(js_at(doc, "username"));
    size_t sum = 0;
    if (!js_is_object(doc))
        return SL("{\"message\":\"The request body contains invalid JSON.\",\"code\":50109}");
    if (!js_text(js_at(doc, "content")).n && !js_len(embeds))
        return SL("{\"message\":\"Cannot send an empty message\",\"code\":50006}");
    if (utf8_len(js_text(js_at(doc, "content"))) > SNO_DISCORD_CONTENT_MAX)
        return discord_form(a, "content", TOO_LONG, "Must be 2000 or fewer in length.");
    if (utf8_len(name) > SNO_DISCORD_NAME_MAX)
        return discord_form(a, "username", TOO_LONG, "Must be between 1 and 80 in length.");
    if (name.n && discord_name_wrong(name))
        return discord_form(a, "username", "USERNAME_INVALID_CONTAINS", discord_name_wrong(name));
    if (js_len(embeds) > SNO_DISCORD_EMBEDS_MAX)
        return discord_form(a, "embeds", TOO_LONG, "Must be 10 or fewer in length.");
    for (size_t i = 0; i < js_len(embeds); i++) {
        slice wrong = discord_embed_wrong(a, js_item(embeds, i), &sum);
        if (wrong.p)
            return wrong;
    }
    return sum > SNO_DISCORD_SUM_MAX ? discord_form(a, "embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000") : SLICE_NONE;
}

static void discord(struct sim_call *c, void *ctx)
{
    struct sno *s = ctx;
    struct arena *a = c->x->a;
    struct sno_said said = nothing;
    slice secret = s->secrets[SNO_DISCORD], id = slice_cut(&secret, '/');
    if (!slice_starts(exchange_header(c->x, "User-Agent"), SL("DiscordBot ("))) { /* its CDN turns them away */
        sno_keep(s, c, SNO_DISCORD, 403, &said);
        sim_answer(c, 403, SL("text/plain; charset=utf-8"), SL("error code: 1010"));
        return;
    }
    if (!slice_eq(c->params[0], id)) {
        discord_answer(s, c, 404, SL("{\"message\":\"Unknown Webhook\",\"code\":10015}"), &said);
        return;
    }
    if (!slice_eq(c->params[1], secret)) {
        discord_answer(s, c, 401, SL("{\"message\":\"Invalid Webhook Token\",\"code\":50027}"), &said);
        return;
    }
    if (!sno_within(s, c, SNO_DISCORD))
        return;
    const struct js *doc = js_parse(a, c->x->body, NULL), *embed = js_at(doc, "embeds.0");
    slice wrong = discord_wrong(a, doc);
    said.title = js_text(js_at(embed, "title"));
    said.text = js_text(js_at(embed, "description"));
    if (!js_int(js_at(embed, "color"), &said.colour))
        said.colour = -1;
    if (wrong.p) {
        discord_answer(s, c, 400, wrong, &said);
    } else if (slice_eq(exchange_query(c->x, "wait"), SL("true"))) {
        discord_answer(s, c, 200, arena_printf(a, "{\"id\":\"%lld\",\"type\":0,\"webhook_id\":\"" SLF "\"}", (long long)(INT64_C(1300000000000000000) + s->calls[SNO_DISCORD]), SLA(id)), &said);
    } else {
        discord_answer(s, c, 204, SLICE_NONE, &said);
    }
}

/* ---- PagerDuty -------------------------------------------------------------------------------------------------------------------- */

static struct sno_alert *alert_of(struct sno *s, slice key)
{
    for (struct sno_alert *al = s->alerts; al; al = al->next)
        if (slice_eq(slice_of(al->key), key))
            return al;
    if (s->n_alerts == SNO_ALERTS_MAX)
        return s->alerts;
    struct sno_alert *al = must_calloc(1, sizeof(*al));
    snprintf(al->key, sizeof(al->key), SLF, SLA(key));
    al->next = s->alerts;
    s->alerts = al;
    s->n_alerts++;
    return al;
}

static void duty_refuse(struct sno *s, struct sim_call *c, const char *why, const struct sno_said *said)
{
    sno_keep(s, c, SNO_DUTY, 400, said);
    sim_json(c, 400, arena_printf(c->x->a, "{\"status\":\"invalid event\",\"message\":\"Event object is invalid\",\"errors\":[\"%s\"]}", why));
}

static const char *duty_wrong(const struct sno *s, const struct js *doc, slice body, bool change)
{
    slice action = js_text(js_at(doc, "event_action")), key = js_text(js_at(doc, "dedup_key"));
    bool trigger = slice_eq(action, SL("trigger"));
    if (!js_is_object(doc) || body.n > SNO_BODY_MAX)
        return "Event object is invalid";
    if (!slice_eq(js_text(js_at(doc, "routing_key")), s->secrets[SNO_DUTY]))
        return "'routing_key' is invalid";
    if (change && slice_starts(s->secrets[SNO_DUTY], SL("R")))
        return "'routing_key' must not be of a ruleset";
    if (!change && !trigger && !slice_eq(action, SL("acknowledge")) && !slice_eq(action, SL("resolve")))
        return "'event_action' is missing or invalid";
    if (!change && !trigger && !key.n)
        return "'dedup_key' is missing or blank";
    if (key.n > SNO_DUTY_KEY_MAX)
        return "'dedup_key' is too long";
    if (!change && !trigger)
        return NULL;
    slice summary = js_text(js_at(doc, "payload.summary")), severity = js_text(js_at(doc, "payload.severity"));
    int64_t at_ms;
    if (!summary.n || utf8_len(summary) > SNO_DUTY_SUMMARY_MAX)
        return "'payload.summary' is missing or blank or too long";
    if (js_at(doc, "payload.timestamp") && !time_parse_rfc3339(js_text(js_at(doc, "payload.timestamp")), &at_ms))
        return "'payload.timestamp' is invalid";
    if (change)
        return NULL;
    if (!js_text(js_at(doc, "payload.source")).n)
        return "'payload.source' is missing or blank";
    static const char *const words[] = { "critical", "error", "warning", "info" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (slice_eq(severity, slice_of(words[i])))
            return NULL;
    return "'payload.severity' is invalid (must be one of: critical, warning, error, info)";
}

static void duty_note(struct sno *s, slice action, slice key)
{
    struct sno_alert *al = alert_of(s, key);
    if (slice_eq(action, SL("trigger"))) {
        al->triggers++;
        al->opened += !al->open;
        al->open = true;
    } else if (slice_eq(action, SL("resolve"))) { /* without an open alert: taken, and dropped */
        al->resolves++;
        al->open = false;
    }
}

static void duty_take(struct sno *s, struct sim_call *c, bool change)
{
    struct arena *a = c->x->a;
    struct sno_said said = nothing;
    if (!sno_within(s, c, SNO_DUTY))
        return;
    const struct js *doc = js_parse(a, c->x->body, NULL);
    const char *wrong = duty_wrong(s, doc, c->x->body, change);
    said.title = js_text(js_at(doc, "payload.summary"));
    said.action = change ? SL("change") : js_text(js_at(doc, "event_action"));
    said.key = js_text(js_at(doc, "dedup_key"));
    if (wrong) {
        duty_refuse(s, c, wrong, &said);
        return;
    }
    if (!change && !said.key.n)
        said.key = sim_random_hex(&s->env->random, a, 32);
    sno_keep(s, c, SNO_DUTY, 202, &said);
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "status", SL("success"));
    jw_str(&w, "message", change ? SL("Change event processed") : SL("Event processed"));
    if (!change) {
        duty_note(s, said.action, said.key);
        jw_str(&w, "dedup_key", said.key);
    }
    jw_close(&w, '}');
    sim_json(c, 202, jw_done(&w));
}

static void duty(struct sim_call *c, void *ctx)
{
    duty_take(ctx, c, false);
}

static void duty_change(struct sim_call *c, void *ctx)
{
    duty_take(ctx, c, true);
}

/* ---- Genesys Cloud ------------------------------------------------------------------------------------------------------------------ */

static void genesys(struct sim_call *c, void *ctx)
{
    struct sno *s = ctx;
    struct sno_said said = nothing;
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    bool known = slice_eq(c->params[0], s->secrets[SNO_GENESYS]);
    if (known && !sno_within(s, c, SNO_GENESYS))
        return;
    said.title = js_text(js_at(doc, "message"));
    said.hidden = slice_find(js_text(js_at(doc, "metadata")), SL("universal-messaging")) == SIZE_MAX; /* the mapping's filter */
    const struct js *metadata = js_at(doc, "metadata");
    bool good = said.title.n && (!metadata || js_is_string(metadata));
    int status = !known ? 404 : good ? 200 : 400;
    sno_keep(s, c, SNO_GENESYS, status, &said);
    sim_json(c, status, !known ? SL("{\"message\":\"Webhook not found\",\"code\":\"not.found\",\"status\":404}")
                        : good ? SL("{}")
                               : SL("{\"message\":\"message is required\",\"code\":\"bad.request\",\"status\":400}"));
}

static const struct sim_route routes[] = {
    { "POST", "/services/:team/:bot/:token", slack, 0 },
    { "POST", "/api/webhooks/:id/:token", discord, 0 },
    { "POST", "/api/v10/webhooks/:id/:token", discord, 0 },
    { "POST", "/v2/enqueue", duty, 0 },
    { "POST", "/v2/change/enqueue", duty_change, 0 },
    { "POST", "/webhooks/api/v1/webhook/:uuid", genesys, 0 },
};

void sno_vendor_routes(struct sno *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
