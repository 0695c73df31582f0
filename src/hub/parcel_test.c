#include "hub/parcel.h"
#include "tests/harness/test.h"

static slice filled(struct arena *a, size_t n, char c)
{
    char *p = arena_alloc(a, n);
    memset(p, c, n);
    return slice_mem(p, n);
}

TEST(parcel_comes_out_as_it_went_in)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct header headers[] = { { SL("X-Signature"), SL("a\"b\\c") }, { SL("content-type"), SL("application/json") } };
    const struct parcel in = { .account = SL("acme/line"), .trace_id = SL("463ac35c9f6413ad"), .at_ms = 1772600767890,
                               .rq = { .method = SL("POST"), .path = SL("/acme/line"), .query = SL("a=1&b=%20"), .body = SL("line 1\nline 2\0x"),
                                       .headers = headers, .n_headers = COUNT(headers) } };
    struct parcel out;
    struct fault f = { 0 };
    CHECK(parcel_read(a, parcel_print(a, &in), &out, &f));
    CHECK_SLICE(out.account, in.account);
    CHECK_SLICE(out.trace_id, in.trace_id);
    CHECK_INT(out.at_ms, in.at_ms);
    CHECK_SLICE(out.rq.method, in.rq.method);
    CHECK_SLICE(out.rq.path, in.rq.path);
    CHECK_SLICE(out.rq.query, in.rq.query);
    CHECK_SLICE(out.rq.body, in.rq.body);
    CHECK_INT(out.rq.n_headers, 2);
    CHECK_SLICE(out.rq.headers[0].value, headers[0].value);
}

/* What is published is answered 200: it must be one that the worker can read, or none. */
TEST(parcel_that_could_not_be_read_is_not_made)
{
    static const size_t lengths[] = { 0, 100, 1000, 3000, 16000, 60000, 130000, 300000, 1 << 20 };
    static const char bytes[] = { 'x', '"', '\x01', '\xff' };
    for (size_t i = 0; i < COUNT(lengths) * COUNT(bytes) * 4; i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        size_t n = lengths[i / 4 / COUNT(bytes)];
        slice filler = filled(a, n + 1, bytes[i / 4 % COUNT(bytes)]), some = SL("x");
        const struct header header = { i % 4 == 0 ? filler : some, i % 4 == 1 ? filler : some };
        struct parcel out, in = { .account = SL("acme/line"),
                                  .rq = { .method = SL("POST"), .path = i % 4 == 2 ? filler : some, .query = i % 4 == 3 ? filler : some,
                                          .body = SL("{}"), .headers = &header, .n_headers = 1 } };
        struct fault f = { 0 };
        slice printed = parcel_print(a, &in);
        CHECK_ROW(i, printed.n || n > 16000); /* of the length that heads have when nobody says otherwise, all are made */
        CHECK_ROW(i, !printed.n || (parcel_read(a, printed, &out, &f) && slice_eq(out.rq.body, in.rq.body)));
    }
}
