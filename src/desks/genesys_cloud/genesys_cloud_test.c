/* What the cases cannot say: vectors of single functions, and what the table promises. */
#include "desks/genesys_cloud/genesys_cloud.h"
#include "desks/genesys_cloud/maps.h"
#include "desks/genesys_cloud/wire.h"
#include "hub/inbox.h"
#include "tests/harness/test.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/url.h"

struct world {
    struct arena *a;
    struct account account;
    slice settings[GC_SETTINGS];
    struct fault f;
    struct call c;
};

static void world_init(struct world *w, struct arena *a)
{
    *w = (struct world){ .a = a };
    const struct connector *type = &connector_genesys_cloud;
    for (size_t i = 0; i < type->n_settings; i++)
        w->settings[i] = slice_of(type->settings[i].otherwise);
    w->account = (struct account){ .id = SL("acme/desk"), .type = type, .settings = w->settings };
    w->c = (struct call){ .a = a, .account = &w->account, .now_ms = INT64_C(1772600767890), .f = &w->f };
}

TEST(genesys_cloud_has_a_row_for_every_setting)
{
    CHECK_INT(connector_genesys_cloud.n_settings, GC_SETTINGS);
    for (size_t i = 0; i < connector_genesys_cloud.n_settings; i++) {
        const struct setting *s = &connector_genesys_cloud.settings[i];
        CHECK_ROW(i, s->name && s->label && s->help);
        CHECK_ROW(i, !s->secret || !s->otherwise);
    }
}

TEST(genesys_cloud_regions_lead_to_hosts)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w;
    world_init(&w, a);
    w.settings[GC_REGION] = SL("mypurecloud.jp");
    CHECK_SLICE(gc_host_url(&w.c, GC_HOST_API), SL("https://api.mypurecloud.jp"));
    CHECK_SLICE(gc_host_url(&w.c, GC_HOST_LOGIN), SL("https://login.mypurecloud.jp"));
    w.settings[GC_BASE_URL] = SL("http://127.0.0.1:9001/");
    CHECK_SLICE(gc_host_url(&w.c, GC_HOST_API), SL("http://127.0.0.1:9001"));
    CHECK_SLICE(gc_host_url(&w.c, GC_HOST_LOGIN), SL("http://127.0.0.1:9001"));
    CHECK_SLICE(gc_url(&w.c, "/users/" SLF, SLA(gc_part(&w.c, SL("a/b")))), SL("http://127.0.0.1:9001/api/v2/users/a%2Fb"));
}

TEST(genesys_cloud_token_stays_within_the_domain)
{
    static const struct { slice base, url; bool may; } rows[] = {
        { { 0 }, SLI("https://api-downloads.usw2.pure.cloud/x"), true },
        { { 0 }, SLI("https://API-Downloads.USW2.pure.cloud:443/x"), true },
        { { 0 }, SLI("http://api-downloads.usw2.pure.cloud/x"), false }, /* anybody on the way could read it */
        { { 0 }, SLI("https://usw2.pure.cloud.example.com/x"), false },
        { { 0 }, SLI("https://xusw2.pure.cloud/x"), false },
        { { 0 }, SLI("https://api.mypurecloud.com/x"), false },
        { SLI("http://127.0.0.1:9001"), SLI("http://127.0.0.1:9001/x"), true },
        { SLI("http://127.0.0.1:9001"), SLI("http://127.0.0.2:9001/x"), false },
        { SLI("http://127.0.0.1:9001"), SLI("https://api.usw2.pure.cloud/x"), false },
        { SLI("https://proxy.example.com/gc"), SLI("https://proxy.example.com/x"), true },
        { SLI("https://proxy.example.com/gc"), SLI("http://proxy.example.com/x"), false },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w;
    world_init(&w, a);
    w.settings[GC_REGION] = SL("usw2.pure.cloud");
    for (size_t i = 0; i < COUNT(rows); i++) {
        w.settings[GC_BASE_URL] = rows[i].base;
        struct url u;
        CHECK_ROW(i, url_parse(a, rows[i].url, &u, NULL) && gc_token_host(&w.c, &u) == rows[i].may);
    }
}

TEST(genesys_cloud_asks_for_a_token_with_basic)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w;
    world_init(&w, a);
    w.settings[GC_CLIENT_ID] = SL("id");
    w.settings[GC_CLIENT_SECRET] = SL("secret");
    struct http_call call = { 0 };
    CHECK(gc_token_call(&w.c, &call));
    CHECK_SLICE(slice_of(call.method), SL("POST"));
    CHECK_SLICE(call.url, SL("https://login.mypurecloud.com/oauth/token"));
    CHECK_SLICE(call.type, SL("application/x-www-form-urlencoded"));
    CHECK_SLICE(call.body, SL("grant_type=client_credentials"));
    CHECK_SLICE(call.headers[0].value, SL("Basic aWQ6c2VjcmV0"));
}

TEST(genesys_cloud_refuses_short_tokens)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w;
    world_init(&w, a);
    w.settings[GC_INTEGRATION_TOKEN] = SL("sup3r s3cr3t 15"); /* 15 characters */
    CHECK(!connector_genesys_cloud.check(&w.c));
    CHECK_SLICE(slice_of(w.f.field), SL("integration.token"));
    CHECK(slice_find(slice_of(w.f.text), SL("longer than 15")) != SIZE_MAX);
    w.settings[GC_INTEGRATION_TOKEN] = SL("sup3r s3cr3t 016");
    CHECK(connector_genesys_cloud.check(&w.c));
}

/* A message that was cut: every part has a name and a time of its own, the same again when the last call's answer was lost. */
TEST(genesys_cloud_parts_go_one_by_one)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w;
    world_init(&w, a);
    struct memory *memory = memory_new();
    memory_set(memory, "integration_id", SL("5c1f"), 0);
    struct conversation guest = { .address = SL("g@line"), .desk_conversation = SL("b2a7"), .open = true };
    w.c.memory = memory;
    w.c.conversation = &guest;
    struct message parts[] = { { .kind = KIND_TEXT, .text = SL("one") }, { .kind = KIND_TEXT, .text = SL("") }, { .kind = KIND_TEXT, .text = SL("three") } };
    struct delivery d = { .m = parts, .parts = parts, .n_parts = COUNT(parts), .key = SL("dg-1"), .accepted_ms = w.c.now_ms };
    struct answer taken = { .status = 200, .written = true, .body = SL("{\"id\":\"8e6d\"}") }, lost = { .written = true };
    static const struct { bool lost; const char *id, *time; } rows[] = {
        { false, "\"messageId\":\"dg-1\"", "\"time\":\"2026-03-04T05:06:07.890Z\"" },
        { true, "\"messageId\":\"dg-1-3\"", "\"time\":\"2026-03-04T05:06:07.892Z\"" },
        { false, "\"messageId\":\"dg-1-3\"", "\"time\":\"2026-03-04T05:06:07.892Z\"" },
    };
    const struct answer *last = NULL;
    for (size_t i = 0; i < COUNT(rows); i++) {
        delivery_begin_step(&d, last);
        CHECK_ROW(i, gc_deliver(&w.c, &d) == OUT_CALL);
        CHECK_ROW(i, slice_find(d.call.body, slice_of(rows[i].id)) != SIZE_MAX);
        CHECK_ROW(i, slice_find(d.call.body, slice_of(rows[i].time)) != SIZE_MAX);
        last = rows[i].lost ? &lost : &taken;
        if (!rows[i].lost)
            continue;
        delivery_begin_step(&d, last);
        CHECK_ROW(i, gc_deliver(&w.c, &d) == OUT_RETRY);
        last = NULL; /* another attempt */
    }
    delivery_begin_step(&d, last);
    CHECK_INT(gc_deliver(&w.c, &d), OUT_DELIVERED);
    CHECK_SLICE(d.vendor_id, SL("8e6d"));
    memory_free(memory);
}

/* ---- offers --------------------------------------------------------------------------------------------------------------- */

/* As accept does it with what was received. */
static void offer(struct world *w, struct memory *guest, size_t n)
{
    struct inbox in;
    inbox_init(&in, w->a);
    slice body = arena_printf(w->a, "{\"id\":\"%032zx\",\"channel\":{\"to\":{\"id\":\"g@line\"},\"time\":\"2026-03-04T05:06:07.890Z\"},\"type\":\"Structured\",\"text\":\"?\","
                                    "\"content\":[{\"contentType\":\"QuickReply\",\"quickReply\":{\"text\":\"Yes\",\"payload\":\"yes-%zu\"}}]}", n, n);
    struct request rq = { .method = SL("POST"), .body = body };
    CHECK(gc_receive(&w->c, &rq, &in) && in.n == 1 && in.first->remember.n == 1);
    const struct remembered *rm = LIST_AT(in.first->remember, struct remembered, 0);
    memory_set(guest, remembered_key(rm, guest, w->c.now_ms), rm->value, rm->until_ms);
}

static bool is_offered(struct world *w, size_t n)
{
    struct message tap = { .kind = KIND_ANSWER, .text = SL("Yes"), .payload = arena_printf(w->a, "yes-%zu", n) };
    struct gc_offer found = { 0 };
    struct choice choice = { 0 };
    return gc_offer_find(&w->c, &tap, &found, &choice) && slice_eq(found.id, arena_printf(w->a, "%032zx", n)) && slice_eq(choice.payload, tap.payload);
}

TEST(genesys_cloud_newest_offers_are_kept)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w;
    world_init(&w, a);
    struct memory *guest = memory_new();
    w.c.guest_memory = guest;
    memory_set(guest, "offer.0", SL("what an older version wrote"), 0);
    for (size_t i = 0; i < GC_OFFERS; i++)
        offer(&w, guest, i);
    offer(&w, guest, GC_OFFERS - 1); /* the same again takes no place */
    for (size_t i = 0; i < GC_OFFERS; i++)
        CHECK_ROW(i, is_offered(&w, i));
    for (size_t n = GC_OFFERS; n < 3 * (size_t)GC_OFFERS; n++) {
        offer(&w, guest, n);
        for (size_t i = 0; i <= n; i++)
            CHECK_ROW(n * 100 + i, is_offered(&w, i) == (i + GC_OFFERS > n));
        struct memory *again = memory_new(); /* another process goes on */
        CHECK(memory_load(again, memory_print(a, guest, w.c.now_ms), NULL));
        memory_free(guest);
        w.c.guest_memory = guest = again;
    }
    memory_free(guest);
}

/* The vector of docs/wire/genesys-cloud.md 8.1. */
TEST(genesys_cloud_signature_vector)
{
    slice body = SL("{\"id\":\"0f3c7d2e5b6a49188c1d2e3f4a5b6c7d\",\"channel\":{\"id\":\"5c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22\",\"platform\":\"Open\","
                    "\"type\":\"Private\",\"messageId\":\"0f3c7d2e5b6a49188c1d2e3f4a5b6c7d\",\"to\":{\"id\":\"guest-42@line\",\"idType\":\"Opaque\"},"
                    "\"from\":{\"nickname\":\"HUB-TEST\",\"id\":\"5c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22\",\"idType\":\"Opaque\"},"
                    "\"time\":\"2026-03-04T05:06:07.890Z\"},\"type\":\"Text\",\"text\":\"Hello こんにちは\",\"direction\":\"Outbound\","
                    "\"originatingEntity\":\"Human\",\"conversationId\":\"b2a7c8d9-1e2f-4a3b-8c4d-5e6f70819203\"}");
    CHECK_INT(body.n, 504);
    struct sha256 mac = hmac_sha256(SL("hub-signature-token-0001"), body);
    CHECK(mac_is_base64(slice_mem(mac.b, sizeof(mac.b)), SL("a9+r0s9uqoiV2onejRUukqb8NvwbXauoWPaFvnngtXY=")));
    CHECK_SLICE(slice_of(connector_genesys_cloud.hook.prefix), SL("sha256="));
}

TEST(maps_signatures_match_the_published_vectors)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(gc_maps_sign(a, SL("/maps/api/staticmap?center=40.714%2C+-73.998&client=myclient&size=400x400&zoom=12"), SL("bXlrZXk=")),
                SL("C1UG9w-v41q7i1lISpZsw1xzOV8="));
    CHECK(!gc_maps_sign(a, SL("/x"), SL("not base64!")).p);

    struct world w;
    world_init(&w, a);
    struct location tower = { .lat_deg = 35.6586, .lon_deg = 139.7454, .present = true };
    CHECK(!gc_location_picture(&w.c, &tower).p); /* no key, no picture */
    w.settings[GC_MAPS_KEY] = SL("AIzaTESTKEY0000000000000000000000000000");
    w.settings[GC_MAPS_LANGUAGE] = SL("ja");
    slice plain = SL("https://maps.googleapis.com/maps/api/staticmap?center=35.6586%2C139.7454&zoom=15&size=640x480&scale=1&language=ja"
                     "&markers=35.6586%2C139.7454&key=AIzaTESTKEY0000000000000000000000000000");
    CHECK_SLICE(gc_location_picture(&w.c, &tower), plain);
    w.settings[GC_MAPS_SECRET] = SL("aHViLXN0YXRpYy1tYXAtc2VjcmV0LTE=");
    CHECK_SLICE(gc_location_picture(&w.c, &tower), arena_printf(a, SLF "&signature=RNZk_rem_BUaXMpZUfW0-5DgkQY=", SLA(plain)));
    tower.lat_deg = 91;
    CHECK(!gc_location_picture(&w.c, &tower).p);
}

TEST(degrees_are_short_and_exact)
{
    static const struct { double deg; slice text; } rows[] = {
        { 35.6586, SLI("35.6586") }, { -0.5, SLI("-0.5") }, { 0, SLI("0") }, { 139, SLI("139") }, { -73.9980004, SLI("-73.998") },
        { 1e-7, SLI("0") }, { 100, SLI("100") },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SLICE(gc_degrees(a, rows[i].deg), rows[i].text);
}

TEST(reasons_have_codes_both_ways)
{
    for (int r = REASON_BLOCKED; r < REASON_MAX; r++) {
        slice code = gc_reason_code((enum reason)r);
        CHECK_ROW(r, code.n);
        if (r != REASON_CREDENTIALS) /* our own business: told as GeneralError */
            CHECK_INT(gc_reason_of(code), r);
    }
    CHECK_INT(gc_reason_of(SL("SomethingNew")), REASON_GENERAL);
}

/* Whatever the bytes are: no crash, and what is taken has an id and a guest. */
TEST(hostile_bodies_are_refused_or_read)
{
    static const slice rows[] = {
        SLI(""), SLI("null"), SLI("[]"), SLI("{}"), SLI("{\"type\":\"Text\"}"), SLI("{\"type\":7,\"id\":\"x\"}"),
        SLI("{\"type\":\"Text\",\"id\":\"x\",\"channel\":[]}"), SLI("{\"type\":\"Text\",\"id\":\"x\",\"channel\":{\"to\":{\"id\":\"g\"},\"time\":\"late\"}}"),
        SLI("{\"type\":\"Structured\",\"id\":\"x\",\"channel\":{\"to\":{\"id\":\"g\"}},\"content\":{\"a\":1}}"),
        SLI("{\"type\":\"Structured\",\"id\":\"x\",\"channel\":{\"to\":{\"id\":\"g\"}},\"content\":[null,7,\"x\",[],{\"contentType\":\"Card\",\"card\":7},"
            "{\"contentType\":\"Notification\",\"template\":{\"body\":{\"text\":\"{{{{}}}}{{\"}}}]}"),
        SLI("{\"type\":\"Event\",\"channel\":{\"to\":{\"id\":\"g\"}},\"events\":[{\"eventType\":\"Typing\",\"typing\":{\"duration\":-9223372036854775807}}]}"),
        SLI("{\"type\":\"Receipt\",\"id\":\"x\",\"status\":\"Failed\",\"channel\":{\"to\":{\"id\":\"g\"}},\"reasons\":{\"code\":1}}"),
        SLI("{\"type\":\"Text\",\"id\":\"x\",\"channel\":{\"to\":{\"id\":\"g\"}},\"text\":\"{\\\"genesys_quick_replies\\\":[{\\\"text\\\":\\\"a\\\"},7]}\"}"),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct world w;
        struct inbox in;
        world_init(&w, a);
        inbox_init(&in, a);
        struct request rq = { .method = SL("POST"), .body = rows[i] };
        (void)gc_route_key(a, &rq);
        if (!gc_receive(&w.c, &rq, &in)) {
            CHECK_ROW(i, w.f.code);
            continue;
        }
        for (const struct inbox_item *it = in.first; it; it = it->next)
            CHECK_ROW(i, it->m.id.n && slice_eq(it->m.guest, SL("g")));
    }
}

TEST(sample_flow_carries_the_queue)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w;
    struct inbox in;
    world_init(&w, a);
    inbox_init(&in, a);
    struct request rq = { .method = SL("GET"), .query = SL("queue=Tea%20%22House%22") };
    CHECK(connector_genesys_cloud.routes[0].receive(&w.c, &rq, &in));
    CHECK_INT(in.status, 200);
    CHECK(slice_starts(in.body, SL("# Inbound message flow")));
    CHECK(slice_find(in.body, SL("name: \"Tea \\\"House\\\"\"\n")) != SIZE_MAX);
}
