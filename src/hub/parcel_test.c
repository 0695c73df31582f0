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

/* Doors of all versions have to find the same one. */
TEST(parcel_shard_is_what_it_was)
{
    static const struct connector type = { .name = "line" };
    static const struct {
        const char *account, *guest;
        unsigned of_4, of_64;
    } rows[] = { { "acme/line", "U1", 1, 9 }, { "acme/line", "U2", 0, 20 }, { "acme/line", "", 2, 46 }, { "acme/telegram", "U1", 2, 46 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct account account = { .id = slice_of(rows[i].account), .type = &type };
        const struct message m = { .guest = slice_of(rows[i].guest) };
        CHECK_INT(parcel_shard(&account, &m, 1), 0);
        CHECK_INT(parcel_shard(&account, &m, 4), rows[i].of_4);
        CHECK_INT(parcel_shard(&account, &m, 64), rows[i].of_64);
    }
    unsigned found[4] = { 0 };
    for (int i = 0; i < 4000; i++) {
        char guest[16];
        snprintf(guest, sizeof(guest), "U%d", i);
        found[parcel_shard(&(struct account){ .id = SL("acme/line") }, &(struct message){ .guest = slice_of(guest) }, 4)]++;
    }
    for (size_t i = 0; i < COUNT(found); i++)
        CHECK_ROW(i, found[i] > 850 && found[i] < 1150);
}

static slice left(struct arena *a, const char *shards, unsigned own, size_t *ret_others)
{
    struct inbox in;
    inbox_init(&in, a);
    for (int i = 0; i < 4; i++) {
        struct inbox_item *it = ARENA_NEW(a, struct inbox_item);
        it->m.guest = arena_printf(a, "%d", i);
        *in.last = it;
        in.last = &it->next;
        in.n++;
    }
    *LIST_ADD(a, &in.ignored, struct inbox_ignored) = (struct inbox_ignored){ "some-rule", SL("1") };
    *LIST_ADD(a, &in.resumed, struct inbox_resumed) = (struct inbox_resumed){ SL("k"), SL("v") };
    const struct parcel before = { .account = SL("acme/line"), .rq = { .method = SL("POST"), .body = SL("{}") }, .shard = own, .shards = slice_of(shards) };
    struct parcel p;
    struct fault f = { 0 };
    CHECK(parcel_read(a, parcel_print(a, &before), &p, &f));
    parcel_narrow(&p, &in);
    slice seen = SL("");
    size_t n = 0;
    for (struct inbox_item *it = in.first; it; it = it->next, n++)
        seen = arena_join(a, seen, it->m.guest, SLICE_NONE);
    CHECK_INT(in.n, n);
    CHECK(!*in.last);
    *ret_others = in.ignored.n + in.resumed.n;
    return seen;
}

TEST(parcel_stands_for_the_messages_of_its_shard)
{
    static const struct {
        const char *shards;
        unsigned own;
        const char *left;
        size_t others;
    } rows[] = { { "", 3, "0123", 2 },       { "7,2,7,5", 7, "02", 0 }, { "7,2,7,5", 2, "1", 2 }, { "7,2,7,5", 5, "3", 0 }, { "7,2,7,5", 4, "", 0 },
                 { "7,2,7", 7, "0123", 2 }, /* this version finds one more: all of them, from each copy */
                 { "7,2,7,5,5", 2, "0123", 2 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        size_t others;
        CHECK_SLICE(left(a, rows[i].shards, rows[i].own, &others), slice_of(rows[i].left));
        CHECK_INT((int64_t)others, (int64_t)rows[i].others);
    }
}
