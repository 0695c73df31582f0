#include "hub/dry.h"
#include "languages/dialogflow/wire.h"
#include "tests/harness/test.h"
#include "wire/jwt.h"
#include "wire/jwt_test_keys.h"

extern const struct language language_dialogflow_es, language_dialogflow_cx;
#define NOW_MS INT64_C(1787443200000) /* 2026-08-23T00:00:00Z */

struct desk {
    struct arena *a;
    const struct language *l;
    struct account account;
    struct call c;
    struct delivery d;
    struct fault f;
    struct language_answer got;
    struct answer answer;
    enum outcome end;
    const char *zone; /* the commander's */
};

static void begin(struct desk *k, const struct language *l, const char *settings)
{
    k->l = l;
    k->f = (struct fault){ 0 };
    const struct js *own = js_parse(k->a, slice_of(settings), NULL);
    CHECK(own != NULL);
    k->account = (struct account){ .id = SL("commander"), .type = &l->type, .settings = dry_settings(k->a, &l->type, own, NULL) };
    k->c = (struct call){ .a = k->a, .account = &k->account, .now_ms = NOW_MS, .f = &k->f };
}

/* Asks; the vendor answers so. */
static slice ask(struct desk *k, const char *text, int status, const char *body)
{
    const struct language_ask asked = { slice_of(text), SL("00112233445566778899aabbccddeeff0011"), SL("acme"), slice_of(k->zone ? k->zone : "") };
    k->d = (struct delivery){ .key = SL("dg-1") };
    k->f = (struct fault){ 0 };
    k->got = (struct language_answer){ 0 };
    delivery_begin_step(&k->d, NULL);
    CHECK(k->l->ask(&k->c, &k->d, &asked, &k->got) == OUT_CALL);
    slice sent = arena_printf(k->a, SLF " " SLF, SLA(k->d.call.url), SLA(k->d.call.body));
    CHECK(k->d.call.repeatable && !k->d.call.no_token && k->d.call.total_ms == DIALOGFLOW_TOTAL_MS);
    k->answer = (struct answer){ .status = status, .written = true, .body = slice_of(body), .error = SL("time-out") };
    delivery_begin_step(&k->d, &k->answer);
    k->end = k->l->ask(&k->c, &k->d, &asked, &k->got);
    return sent;
}

#define GOOD_ES "\"project_id\":\"p1\",\"client_email\":\"a@b\",\"private_key\":\"x\""
#define GOOD_CX GOOD_ES ",\"agent\":\"5b1c0000-0000-4000-8000-000000000001\""

TEST(dialogflow_names_host_and_path_of_one_region)
{
    static const struct { bool cx; const char *settings, *url; } rows[] = {
        { false, "{" GOOD_ES "}", "https://dialogflow.googleapis.com/v2/projects/p1/agent/sessions/S:detectIntent" },
        { false, "{" GOOD_ES ",\"environment\":\"live\"}", "https://dialogflow.googleapis.com/v2/projects/p1/agent/environments/live/users/-/sessions/S:detectIntent" },
        { false, "{" GOOD_ES ",\"location\":\"global\"}", "https://global-dialogflow.googleapis.com/v2/projects/p1/locations/global/agent/sessions/S:detectIntent" },
        { false, "{" GOOD_ES ",\"location\":\"asia-northeast1\",\"environment\":\"a b\"}",
          "https://asia-northeast1-dialogflow.googleapis.com/v2/projects/p1/locations/asia-northeast1/agent/environments/a%20b/users/-/sessions/S:detectIntent" },
        { false, "{" GOOD_ES ",\"base_url\":\"http://127.0.0.1:9\"}", "http://127.0.0.1:9/v2/projects/p1/agent/sessions/S:detectIntent" },
        { true, "{" GOOD_CX "}", "https://dialogflow.googleapis.com/v3/projects/p1/locations/global/agents/5b1c0000-0000-4000-8000-000000000001/sessions/S:detectIntent" },
        { true, "{" GOOD_CX ",\"location\":\"europe-west1\",\"environment\":\"e1\"}",
          "https://europe-west1-dialogflow.googleapis.com/v3/projects/p1/locations/europe-west1/agents/5b1c0000-0000-4000-8000-000000000001/environments/e1/sessions/S:detectIntent" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct desk k = { .a = a };
        begin(&k, rows[i].cx ? &language_dialogflow_cx : &language_dialogflow_es, rows[i].settings);
        slice sent = ask(&k, "x", 0, ""), url = slice_cut(&sent, ' ');
        slice want = slice_of(rows[i].url);
        size_t at = slice_find(want, SL("/S:"));
        want = arena_printf(a, SLF "/00112233445566778899aabbccddeeff0011" SLF, SLA(slice_sub(want, 0, at)), SLA(slice_from(want, at + 2)));
        CHECK_SLICE(url, want);
        CHECK_INT(k.end, OUT_RETRY);
    }
}

TEST(dialogflow_asks_in_their_two_forms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct desk k = { .a = a };
    begin(&k, &language_dialogflow_es, "{" GOOD_ES ",\"time_zone\":\"Asia/Tokyo\",\"language\":\"ja\"}");
    slice sent = ask(&k, "continue tomorrow", 0, "");
    CHECK_SLICE(slice_from(sent, slice_find(sent, SL(" ")) + 1),
                SL("{\"queryInput\":{\"text\":{\"text\":\"continue tomorrow\",\"languageCode\":\"ja\"}},\"queryParams\":{\"timeZone\":\"Asia/Tokyo\",\"payload\":{\"tenant\":\"acme\"}}}"));
    begin(&k, &language_dialogflow_cx, "{" GOOD_CX "}");
    sent = ask(&k, "continue tomorrow", 0, "");
    CHECK_SLICE(slice_from(sent, slice_find(sent, SL(" ")) + 1),
                SL("{\"queryInput\":{\"text\":{\"text\":\"continue tomorrow\"},\"languageCode\":\"en\"},\"queryParams\":{\"parameters\":{\"tenant\":\"acme\"}}}"));
    static const struct { const char *zone, *sent; } zones[] = {
        { "Europe/Paris", "\"timeZone\":\"Europe/Paris\"" }, { "+09:00", "\"timeZone\":\"Etc/GMT-9\"" }, { "-03:00", "\"timeZone\":\"Etc/GMT+3\"" }, { "+05:30", NULL }, { "", NULL },
    };
    for (size_t i = 0; i < COUNT(zones); i++) { /* the commander's, where the language has none of its own */
        k.zone = zones[i].zone;
        sent = ask(&k, "continue tomorrow", 0, "");
        CHECK_ROW(i, (slice_find(sent, SL("timeZone")) != SIZE_MAX) == (zones[i].sent != NULL));
        CHECK_ROW(i, !zones[i].sent || slice_find(sent, slice_of(zones[i].sent)) != SIZE_MAX);
    }
    ask(&k, "x", 200, "{\"queryResult\":{\"match\":{\"matchType\":\"INTENT\",\"confidence\":1,\"intent\":{\"displayName\":\"c\"}},\"parameters\":{\"when\":{\"year\":2026,\"month\":8,\"day\":23,\"hours\":9}}}}");
    CHECK_INT(k.got.when_ms, NOW_MS + 9 * 3600000);
    k.zone = "+09:00";
    ask(&k, "x", 200, "{\"queryResult\":{\"match\":{\"matchType\":\"INTENT\",\"confidence\":1,\"intent\":{\"displayName\":\"c\"}},\"parameters\":{\"when\":{\"year\":2026,\"month\":8,\"day\":23,\"hours\":9}}}}");
    CHECK_INT(k.got.when_ms, NOW_MS);
    k.zone = NULL;
    char longer[400];
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = 0;
    sent = ask(&k, longer, 0, "");
    CHECK(slice_find(sent, slice_mem(longer, LANGUAGE_TEXT_CHARS)) != SIZE_MAX && slice_find(sent, slice_mem(longer, LANGUAGE_TEXT_CHARS + 1)) == SIZE_MAX);
}

/* "command complete when say | name=value …"; "-" when it was not understood. */
static slice shown(struct desk *k)
{
    struct text t = text_new(k->a, 4096);
    const struct language_answer *g = &k->got;
    text_add(&t, "%s" SLF "%s", g->understood ? "" : "-", SLA(g->command), g->complete ? "" : "?");
    if (g->when_ms)
        text_add(&t, " %.16s", time_rfc3339(k->a, g->when_ms).p);
    if (g->say.n)
        text_add(&t, " \"" SLF "\"", SLA(g->say));
    for (size_t i = 0; i < g->values.n; i++)
        text_add(&t, " " SLF "=" SLF, SLA(LIST_AT(g->values, struct js_pair, i)->key), SLA(LIST_AT(g->values, struct js_pair, i)->value));
    return text_slice(&t);
}

#define ES(params, rest) "{\"queryResult\":{\"action\":\"continue\",\"intentDetectionConfidence\":0.98,\"allRequiredParamsPresent\":true,\"intent\":{\"displayName\":\"Continue\"},\"parameters\":" params rest "}}"
#define CX(params, rest) "{\"queryResult\":{\"match\":{\"matchType\":\"INTENT\",\"confidence\":0.9,\"intent\":{\"displayName\":\"Continue\"}},\"parameters\":" params rest "}}"

TEST(dialogflow_reads_what_was_understood)
{
    static const struct { bool cx; const char *body, *want; } rows[] = {
        { false, ES("{\"when\":\"2026-08-23T10:00:00+09:00\"}", ",\"fulfillmentText\":\"Then.\""), "continue 2026-08-23T01:00 \"Then.\" when=2026-08-23T10:00:00+09:00" },
        { false, ES("{\"when\":{\"date_time\":\"2026-08-23T10:00:00+09:00\"}}", ""), "continue 2026-08-23T01:00 when=2026-08-23T01:00:00.000Z" },
        { false, ES("{\"x\":{\"startDateTime\":\"2026-08-23T12:00:00Z\",\"endDateTime\":\"2026-08-23T13:00:00Z\"}}", ""), "continue 2026-08-23T12:00 x=2026-08-23T12:00:00.000Z" },
        { false, ES("{\"x\":[{\"startDate\":\"2026-08-23T12:00:00Z\",\"endDate\":\"2026-08-24T12:00:00Z\"}],\"n\":3,\"none\":\"\",\"null\":null}", ""),
          "continue 2026-08-23T12:00 x=2026-08-23T12:00:00.000Z n=3" },
        { false, ES("{\"other\":\"2027-01-01T00:00:00Z\",\"date-time\":\"2026-08-24T00:00:00Z\"}", ""),
          "continue 2026-08-24T00:00 other=2027-01-01T00:00:00Z date-time=2026-08-24T00:00:00Z" },
        { false, ES("{}", ",\"fulfillmentMessages\":[{\"platform\":\"SKYPE\",\"text\":{\"text\":[\"no\"]}},{\"text\":{\"text\":[\"One\",\"\"]}},"
                    "{\"quickReplies\":{\"title\":\"Pick\",\"quickReplies\":[\"a\",\"b\"]}},{\"card\":{\"title\":\"T\",\"buttons\":[{\"text\":\"B\"}]}},{\"payload\":{\"x\":1}}],\"fulfillmentText\":\"old\""),
          "continue \"One\nPick\n- a\n- b\nT\n- B\"" },
        { false, "{\"queryResult\":{\"action\":\"continue\",\"intentDetectionConfidence\":1,\"fulfillmentText\":\"When?\",\"parameters\":{\"when\":\"\"},\"intent\":{\"displayName\":\"c\"}}}", "continue? \"When?\"" },
        { false, "{\"queryResult\":{\"action\":\"input.unknown\",\"intentDetectionConfidence\":1,\"allRequiredParamsPresent\":true,\"intent\":{\"displayName\":\"Default\",\"isFallback\":true}}}", "-input.unknown" },
        { false, "{\"queryResult\":{\"action\":\"continue\",\"intentDetectionConfidence\":0.4,\"allRequiredParamsPresent\":true}}", "-continue" },
        { false, "{\"queryResult\":{\"allRequiredParamsPresent\":true,\"intentDetectionConfidence\":0.5,\"intent\":{\"displayName\":\"Send Later\"}}}", "send later" },
        { false, "{\"queryResult\":{}}", "-?" },
        { true, CX("{\"when\":{\"year\":2026,\"month\":8,\"day\":23,\"hours\":10,\"minutes\":30,\"seconds\":0,\"nanos\":0}}", ",\"responseMessages\":[{\"text\":{\"text\":[\"Then.\"]}}]"),
          "continue 2026-08-23T01:30 \"Then.\" when=2026-08-23T01:30:00.000Z" }, /* in Tokyo */
        { true, CX("{\"when\":{\"startDateTime\":{\"year\":2026,\"month\":2,\"day\":1},\"endDateTime\":{\"year\":2026,\"month\":2,\"day\":2}},\"command\":\"Later\"}", ""),
          "later 2026-01-31T15:00 when=2026-01-31T15:00:00.000Z command=Later" },
        { true, CX("{}", ",\"responseMessages\":[{\"responseType\":\"PARAMETER_PROMPT\",\"text\":{\"text\":[\"When?\"]}}]"), "continue? \"When?\"" },
        { true, "{\"queryResult\":{\"match\":{\"matchType\":\"NO_MATCH\",\"confidence\":1},\"currentPage\":{\"displayName\":\"Start Page\"},\"responseMessages\":[{\"text\":{\"text\":[\"What?\"]}}]}}", "-start page \"What?\"" },
        { true, "{\"queryResult\":{\"match\":{\"matchType\":\"PARAMETER_FILLING\",\"confidence\":1},\"currentPage\":{\"displayName\":\"Continue\"},\"parameters\":{\"when\":{\"year\":2026,\"month\":13,\"day\":1}}}}",
          "continue when={\"year\":2026,\"month\":13,\"day\":1}" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct desk k = { .a = a };
        begin(&k, rows[i].cx ? &language_dialogflow_cx : &language_dialogflow_es, rows[i].cx ? "{" GOOD_CX ",\"time_zone\":\"+09:00\"}" : "{" GOOD_ES "}");
        ask(&k, "x", 200, rows[i].body);
        if (k.end != OUT_DELIVERED || !slice_eq(shown(&k), slice_of(rows[i].want)))
            test_fail(__FILE__, __LINE__, "row %zu: ended %d with " SLF, i, k.end, SLA(shown(&k)));
    }
}

TEST(dialogflow_tells_the_agent_why_not)
{
    static const struct { int status; const char *body; enum outcome end; const char *text; } rows[] = {
        { 400, "{\"error\":{\"code\":400,\"message\":\"Input text exceeds 256 characters.\",\"status\":\"INVALID_ARGUMENT\"}}", OUT_REFUSED, "Input text exceeds" },
        { 400, "no json", OUT_REFUSED, "not good" },
        { 401, "{}", OUT_REFUSED, "access token" },
        { 403, "{\"error\":{\"status\":\"PERMISSION_DENIED\"}}", OUT_REFUSED, "Dialogflow API Client" },
        { 404, "", OUT_REFUSED, "no such agent" },
        { 429, "{}", OUT_RETRY, "429" }, { 500, "", OUT_RETRY, "500" }, { 503, "<html>", OUT_RETRY, "503" }, { 0, "", OUT_RETRY, "no answer" },
        { 200, "[]", OUT_REFUSED, "cannot be read" }, { 200, "{\"queryResult\":[]}", OUT_REFUSED, "cannot be read" }, { 200, "x", OUT_REFUSED, "cannot be read" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int cx = 0; cx < 2; cx++) {
            struct desk k = { .a = a };
            begin(&k, cx ? &language_dialogflow_cx : &language_dialogflow_es, "{" GOOD_CX "}");
            ask(&k, "secret words", rows[i].status, rows[i].body);
            CHECK_ROW(i, k.end == rows[i].end && strstr(k.f.text, rows[i].text) && !strstr(k.f.text, "secret words"));
        }
    }
}

TEST(dialogflow_checks_its_settings)
{
    static const struct { const char *settings, *field; } rows[] = {
        { "{\"project_id\":\"p\",\"client_email\":\"a@b\",\"private_key\":\"KEY\"}", NULL },
        { "{\"service_account\":\"{\\\"client_email\\\":\\\"a@b\\\",\\\"private_key\\\":\\\"KEY\\\",\\\"project_id\\\":\\\"p\\\"}\"}", NULL },
        { "{\"service_account\":\"{}\"}", "service_account" }, { "{\"service_account\":\"no\"}", "service_account" },
        { "{\"project_id\":\"p\",\"client_email\":\"a@b\",\"private_key\":\"no\"}", "private_key" },
        { "{\"project_id\":\"p\",\"private_key\":\"KEY\"}", "client_email" }, { "{\"client_email\":\"a@b\",\"private_key\":\"KEY\"}", "project_id" },
        { "{\"location\":\"evil.example.com\"}", "location" }, { "{\"location\":\"-x\"}", "location" }, { "{\"time_zone\":\"Nowhere/Town\"}", "time_zone" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text pem = text_new(a, 8192);
    for (const char *p = pem_private; *p; p++)
        *p == '\n' ? text_put(&pem, SL("\\\\n")) : text_char(&pem, *p); /* pasted with \n as two signs */
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice s = slice_of(rows[i].settings);
        size_t at = slice_find(s, SL("KEY"));
        bool file = slice_starts(s, SL("{\"service_account"));
        if (at != SIZE_MAX) {
            slice key = text_slice(&pem);
            if (file) { /* a text within a text: \n is real there */
                struct text twice = text_new(a, 8192);
                for (const char *p = pem_private; *p; p++)
                    *p == '\n' ? text_put(&twice, SL("\\\\n")) : text_char(&twice, *p);
                key = text_slice(&twice);
            }
            s = arena_printf(a, SLF SLF SLF, SLA(slice_sub(s, 0, at)), SLA(key), SLA(slice_from(s, at + 3)));
        }
        struct desk k = { .a = a };
        begin(&k, &language_dialogflow_es, s.p);
        bool good = language_dialogflow_es.type.check(&k.c);
        if (good != !rows[i].field || (rows[i].field && strcmp(k.f.field, rows[i].field) != 0))
            test_fail(__FILE__, __LINE__, "row %zu: %d %s %s", i, good, k.f.field, k.f.text);
    }
}

TEST(dialogflow_asks_for_a_token)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 8192);
    jw_open(&w, NULL, '{');
    jw_str(&w, "project_id", SL("demo"));
    jw_str(&w, "client_email", SL("sim@demo.iam.gserviceaccount.com"));
    jw_str(&w, "private_key_id", SL("k1"));
    jw_str(&w, "private_key", slice_of(pem_private));
    jw_close(&w, '}');
    struct desk k = { .a = a };
    begin(&k, &language_dialogflow_cx, arena_cstr(a, jw_done(&w)));
    struct http_call call = { 0 };
    CHECK(language_dialogflow_cx.type.auth.token_call(&k.c, &call));
    CHECK_SLICE(call.url, SL("https://oauth2.googleapis.com/token"));
    CHECK(slice_starts(call.body, SL("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey")));
    CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_pem(slice_of(pem_private), &k.f);
    struct jwt_rules rules = { .now_ms = NOW_MS, .iss = SL("sim@demo.iam.gserviceaccount.com"), .aud = SL("https://oauth2.googleapis.com/token") };
    slice assertion = slice_from(call.body, slice_find(call.body, SL("assertion=")) + 10);
    const struct js *claims = jwt_verify(a, key, assertion, &rules, &k.f);
    CHECK(claims && slice_eq(js_text(js_at(claims, "scope")), SL("https://www.googleapis.com/auth/dialogflow")) && slice_eq(jwt_kid(a, assertion), SL("k1")));
}

TEST(dialogflow_archive_is_a_zip_of_good_files)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice zip = dialogflow_archive(a, SL("ja")), again = dialogflow_archive(a, SL("ja"));
    CHECK(slice_starts(zip, SL("PK\3\4")) && slice_eq(zip, again) && !slice_eq(zip, dialogflow_archive(a, SL("en"))));
    CHECK(slice_find(zip, SL("intents/continue_usersays_zh-cn.json")) != SIZE_MAX && slice_find(zip, SL("\"language\":\"ja\"")) != SIZE_MAX);
}
