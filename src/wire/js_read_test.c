#include "tests/harness/test.h"
#include "wire/js.h"

struct point {
    double lat_deg, lon_deg;
};
struct choice {
    slice label;
    int64_t rank;
};
enum colour { RED, BLUE = 2 };
struct everything {
    slice id, number, raw, text;
    int64_t count, at_ms, on_ms;
    double ratio;
    bool live;
    int colour;
    const struct js *any;
    struct point where;
    struct js_list choices, tags, attributes;
};
static const char *const colours[] = { [RED] = "red", [BLUE] = "blue" };
static const struct js_field point_fields[] = {
    JS_FIELD(struct point, lat_deg, "lat", JS_F64, JS_REQ),
    JS_FIELD(struct point, lon_deg, "lon", JS_F64, JS_REQ),
};
static const struct js_field choice_fields[] = {
    JS_FIELD(struct choice, label, "label", JS_STR, JS_REQ),
    JS_FIELD(struct choice, rank, "rank", JS_I64, 0),
};
static const struct js_field fields[] = {
    JS_FIELD(struct everything, id, "id", JS_STR, JS_REQ),
    JS_FIELD(struct everything, number, "number", JS_TEXTNUM, 0),
    JS_FIELD(struct everything, raw, "raw", JS_RAW, 0),
    JS_FIELD(struct everything, text, "text", JS_STR, JS_STRICT),
    JS_FIELD(struct everything, count, "count", JS_I64, 0),
    JS_FIELD(struct everything, at_ms, "at", JS_SECS, 0),
    JS_FIELD(struct everything, on_ms, "on", JS_TIME, 0),
    JS_FIELD(struct everything, ratio, "ratio", JS_F64, 0),
    JS_FIELD(struct everything, live, "live", JS_BOOL, 0),
    JS_FIELD_ENUM(struct everything, colour, "colour", colours, 0),
    JS_FIELD(struct everything, any, "any", JS_ANY, 0),
    JS_FIELD_OBJ(struct everything, where, "where", point_fields, 0),
    JS_FIELD_LIST(struct everything, choices, "choices", struct choice, choice_fields, 0),
    JS_FIELD(struct everything, tags, "tags", JS_STRLIST, 0),
    JS_FIELD(struct everything, attributes, "attributes", JS_PAIRS, 0),
};

static bool read(struct arena *a, slice text, struct everything *e, struct fault *f)
{
    const struct js *v = js_parse(a, text, f);
    return v && js_read(a, v, fields, COUNT(fields), e, f);
}

static const slice whole = SLI(
    "{\"id\":\"i1\",\"number\":42,\"raw\":{ \"a\":[1, 2] },\"text\":\"\",\"count\":-7,\"at\":1772600767,"
    "\"on\":\"2026-03-04T05:06:07.890Z\",\"ratio\":0.25,\"live\":true,\"colour\":\"blue\",\"any\":[1],"
    "\"where\":{\"lat\":35,\"lon\":139.7454},\"choices\":[{\"label\":\"A\",\"rank\":3},{\"label\":\"B\"}],"
    "\"tags\":[\"x\",\"y\"],\"attributes\":{\"k\":\"v\",\"n\":null,\"l\":\"w\"},\"unknown\":1}");

TEST(js_read_fills_every_type)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct everything e = { 0 };
    CHECK(read(a, whole, &e, NULL));
    CHECK_SLICE(e.id, SL("i1"));
    CHECK_SLICE(e.number, SL("42"));
    CHECK_SLICE(e.raw, SL("{\"a\":[1,2]}"));
    CHECK(e.text.p && e.text.n == 0);
    CHECK_INT(e.count, -7);
    CHECK_INT(e.at_ms, 1772600767000);
    CHECK_INT(e.on_ms, 1772600767890);
    CHECK(e.ratio >= 0.25 && e.ratio <= 0.25);
    CHECK(e.live);
    CHECK_INT(e.colour, BLUE);
    CHECK_INT(js_len(e.any), 1);
    CHECK(e.where.lat_deg >= 35 && e.where.lat_deg <= 35 && e.where.lon_deg > 139.74);
    CHECK_INT(e.choices.n, 2);
    const struct choice *choices = e.choices.items;
    CHECK_SLICE(choices[0].label, SL("A"));
    CHECK_INT(choices[0].rank, 3);
    CHECK_SLICE(choices[1].label, SL("B"));
    CHECK_INT(choices[1].rank, 0);
    CHECK_INT(e.tags.n, 2);
    CHECK_SLICE(((const slice *)e.tags.items)[1], SL("y"));
    CHECK_INT(e.attributes.n, 2);
    CHECK_SLICE(((const struct js_pair *)e.attributes.items)[1].key, SL("l"));
    CHECK_SLICE(((const struct js_pair *)e.attributes.items)[1].value, SL("w"));
}

TEST(js_read_leaves_absent_members_alone)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct everything e = { .count = 9, .number = SL("before"), .live = true };
    CHECK(read(a, SL("{\"id\":\"x\",\"count\":null,\"live\":false}"), &e, NULL));
    CHECK_INT(e.count, 9);
    CHECK_SLICE(e.number, SL("before"));
    CHECK(!e.live && !e.text.p);
}

TEST(js_read_names_what_is_wrong)
{
    static const struct { slice in; const char *code, *field; } rows[] = {
        { SLI("{}"), "missing_field", "id" },
        { SLI("{\"id\":null}"), "missing_field", "id" },
        { SLI("{\"id\":1}"), "wrong_type", "id" },
        { SLI("[]"), "wrong_type", "" },
        { SLI("{\"id\":\"x\",\"number\":1.5}"), "wrong_type", "number" },
        { SLI("{\"id\":\"x\",\"text\":null}"), "wrong_type", "text" },
        { SLI("{\"id\":\"x\",\"count\":1.5}"), "wrong_type", "count" },
        { SLI("{\"id\":\"x\",\"count\":1e30}"), "out_of_range", "count" },
        { SLI("{\"id\":\"x\",\"at\":-1}"), "out_of_range", "at" },
        { SLI("{\"id\":\"x\",\"at\":9223372036854775807}"), "out_of_range", "at" },
        { SLI("{\"id\":\"x\",\"at\":253402300800}"), "out_of_range", "at" },
        { SLI("{\"id\":\"x\",\"at\":\"1\"}"), "wrong_type", "at" },
        { SLI("{\"id\":\"x\",\"on\":\"1969-12-31T23:59:59Z\"}"), "out_of_range", "on" },
        { SLI("{\"id\":\"x\",\"on\":5}"), "wrong_type", "on" },
        { SLI("{\"id\":\"x\",\"ratio\":\"5\"}"), "wrong_type", "ratio" },
        { SLI("{\"id\":\"x\",\"live\":1}"), "wrong_type", "live" },
        { SLI("{\"id\":\"x\",\"colour\":\"green\"}"), "out_of_range", "colour" },
        { SLI("{\"id\":\"x\",\"where\":{\"lat\":1}}"), "missing_field", "where.lon" },
        { SLI("{\"id\":\"x\",\"where\":[]}"), "wrong_type", "where" },
        { SLI("{\"id\":\"x\",\"choices\":{}}"), "wrong_type", "choices" },
        { SLI("{\"id\":\"x\",\"choices\":[{\"label\":\"A\"},{\"label\":5}]}"), "wrong_type", "choices[1].label" },
        { SLI("{\"id\":\"x\",\"choices\":[null]}"), "wrong_type", "choices[0]" },
        { SLI("{\"id\":\"x\",\"tags\":[\"a\",\"b\",7]}"), "wrong_type", "tags[2]" },
        { SLI("{\"id\":\"x\",\"attributes\":{\"k\":7}}"), "wrong_type", "attributes.k" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        struct everything e = { 0 };
        CHECK_ROW(i, !read(a, rows[i].in, &e, &f));
        CHECK_SLICE(slice_of(f.code), slice_of(rows[i].code));
        CHECK_SLICE(slice_of(f.field), slice_of(rows[i].field));
        CHECK_ROW(i, f.text[0] && !read(a, rows[i].in, &e, NULL));
    }
    struct fault f = { 0 };
    struct everything e = { 0 };
    CHECK(!read(a, SL("{\"id\":\"x\",\"colour\":\"green\"}"), &e, &f));
    CHECK_SLICE(slice_of(f.text), SL("must be one of red, blue"));
    CHECK(!js_read(a, NULL, fields, COUNT(fields), &e, &f));
    CHECK_SLICE(slice_of(f.code), SL("missing_field"));
}

TEST(js_read_reports_paths_through_lists_and_dots)
{
    struct event { slice text; };
    struct doc { struct js_list events; };
    static const struct js_field event_fields[] = { JS_FIELD(struct event, text, "message.text", JS_STR, JS_REQ) };
    static const struct js_field doc_fields[] = { JS_FIELD_LIST(struct doc, events, "events", struct event, event_fields, JS_REQ) };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct doc d = { 0 };
    const struct js *v = js_parse(a, SL("{\"events\":[{\"message\":{\"text\":\"a\"}},{\"message\":{\"text\":\"b\"}},{\"message\":{\"text\":1}}]}"), &f);
    CHECK(v && !js_read(a, v, doc_fields, COUNT(doc_fields), &d, &f));
    CHECK_SLICE(slice_of(f.field), SL("events[2].message.text"));
    v = js_parse(a, SL("{\"events\":[{\"message\":\"a\"}]}"), &f);
    CHECK(v && !js_read(a, v, doc_fields, COUNT(doc_fields), &d, &f));
    CHECK_SLICE(slice_of(f.field), SL("events[0].message.text"));
    CHECK_SLICE(slice_of(f.code), SL("missing_field"));
}

TEST(js_seconds_may_have_a_fraction)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct everything e = { 0 };
    CHECK(read(a, SL("{\"id\":\"x\",\"at\":1772600767.89}"), &e, NULL));
    CHECK_INT(e.at_ms, 1772600767890);
    CHECK(read(a, SL("{\"id\":\"x\",\"at\":253402300799.9999}"), &e, NULL));
    CHECK_INT(e.at_ms, TIME_MAX_MS);
}

TEST(jw_fields_writes_what_js_read_reads)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct everything e = { 0 };
    CHECK(read(a, whole, &e, NULL));
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_fields(&w, fields, COUNT(fields), &e);
    jw_close(&w, '}');
    CHECK_SLICE(jw_done(&w),
                SL("{\"id\":\"i1\",\"number\":\"42\",\"raw\":{\"a\":[1,2]},\"text\":\"\",\"count\":-7,\"at\":1772600767,"
                   "\"on\":\"2026-03-04T05:06:07.890Z\",\"ratio\":0.25,\"live\":true,\"colour\":\"blue\",\"any\":[1],"
                   "\"where\":{\"lat\":35,\"lon\":139.7454},\"choices\":[{\"label\":\"A\",\"rank\":3},{\"label\":\"B\"}],"
                   "\"tags\":[\"x\",\"y\"],\"attributes\":{\"k\":\"v\",\"l\":\"w\"}}"));
}

TEST(jw_fields_leaves_out_nothings_unless_told)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct everything e = { .colour = 1 };
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "first", SL("1"));
    jw_fields(&w, fields, COUNT(fields), &e);
    jw_str(&w, "last", SL("2"));
    jw_close(&w, '}');
    CHECK_SLICE(jw_done(&w), SL("{\"first\":\"1\",\"last\":\"2\"}"));

    struct js_field all[COUNT(fields)];
    memcpy(all, fields, sizeof(all));
    for (size_t i = 0; i < COUNT(all); i++)
        all[i].flags = JS_ZERO;
    w = jw_new(a, 4096);
    e.colour = RED;
    jw_open(&w, NULL, '{');
    jw_fields(&w, all, COUNT(all), &e);
    jw_close(&w, '}');
    CHECK_SLICE(jw_done(&w), SL("{\"id\":\"\",\"number\":\"\",\"raw\":null,\"text\":\"\",\"count\":0,\"at\":0,"
                                "\"on\":\"1970-01-01T00:00:00.000Z\",\"ratio\":0,\"live\":false,\"colour\":\"red\",\"any\":null,"
                                "\"where\":{},\"choices\":[],\"tags\":[],\"attributes\":{}}"));
}
