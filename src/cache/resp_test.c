#include "cache/redis_url.h"
#include "cache/resp.h"
#include "cache/slots.h"
#include "tests/harness/test.h"

TEST(resp_values_are_read_as_redis_writes_them)
{
    static const struct {
        slice in;
        enum resp_end end;
        enum resp_kind kind;
        slice text;
        int64_t number;
        size_t used;
    } rows[] = {
        { SLI("+OK\r\n+more"), RESP_DONE, RESP_STATUS, SLI("OK"), 0, 5 },
        { SLI("-ERR no\r\n"), RESP_DONE, RESP_ERROR, SLI("ERR no"), 0, 9 },
        { SLI(":-12\r\n"), RESP_DONE, RESP_INT, { NULL, 0 }, -12, 6 },
        { SLI("$3\r\na\r\n\r\n"), RESP_DONE, RESP_TEXT, SLI("a\r\n"), 0, 9 },
        { SLI("$0\r\n\r\n"), RESP_DONE, RESP_TEXT, SLI(""), 0, 6 },
        { SLI("$-1\r\n"), RESP_DONE, RESP_NIL, { NULL, 0 }, 0, 5 },
        { SLI("*-1\r\n"), RESP_DONE, RESP_NIL, { NULL, 0 }, 0, 5 },
        { SLI("$3\r\nab"), RESP_MORE, RESP_NIL, { NULL, 0 }, 0, 0 },
        { SLI("+OK\r"), RESP_MORE, RESP_NIL, { NULL, 0 }, 0, 0 },
        { SLI(""), RESP_MORE, RESP_NIL, { NULL, 0 }, 0, 0 },
        { SLI("*1000000\r\n+a\r\n"), RESP_MORE, RESP_NIL, { NULL, 0 }, 0, 0 },
        { SLI("$3\r\nabcd\r\n"), RESP_BAD, RESP_NIL, { NULL, 0 }, 0, 0 },
        { SLI("$-2\r\n"), RESP_BAD, RESP_NIL, { NULL, 0 }, 0, 0 },
        { SLI("$1048577\r\n"), RESP_BAD, RESP_NIL, { NULL, 0 }, 0, 0 },
        { SLI(":1x\r\n"), RESP_BAD, RESP_NIL, { NULL, 0 }, 0, 0 },
        { SLI("HTTP/1.1 400 Bad Request\r\n"), RESP_BAD, RESP_NIL, { NULL, 0 }, 0, 0 },
        { SLI("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n+x\r\n"), RESP_BAD, RESP_NIL, { NULL, 0 }, 0, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct resp r;
        size_t used;
        enum resp_end end = resp_read(a, rows[i].in, &r, &used);
        CHECK_ROW(i, end == rows[i].end);
        if (end == RESP_DONE)
            CHECK_ROW(i, r.kind == rows[i].kind && slice_eq(r.text, rows[i].text) && r.number == rows[i].number && used == rows[i].used);
    }
}

TEST(resp_arrays_hold_their_items)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct resp r;
    size_t used;
    slice in = SL("*3\r\n$7\r\nmessage\r\n*2\r\n:1\r\n$-1\r\n*0\r\n");
    CHECK(resp_read(a, in, &r, &used) == RESP_DONE && used == in.n && r.kind == RESP_ARRAY && r.n == 3);
    CHECK_SLICE(r.items[0].text, SL("message"));
    CHECK(r.items[1].n == 2 && r.items[1].items[0].number == 1 && r.items[1].items[1].kind == RESP_NIL && r.items[2].n == 0);
    for (size_t n = 0; n < in.n; n++)
        CHECK_ROW(n, resp_read(a, slice_sub(in, 0, n), &r, &used) == RESP_MORE);
}

TEST(cache_slots_are_those_of_redis)
{
    static const struct {
        slice key;
        unsigned slot;
    } rows[] = { { SLI("123456789"), 0x31c3 % CACHE_SLOTS }, { SLI("foo"), 12182 }, { SLI("{foo}bar"), 12182 }, { SLI("a{foo}b{bar}"), 12182 }, { SLI(""), 0 } };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, cache_slot(rows[i].key) == rows[i].slot);
    CHECK(cache_slot(SL("{}foo")) != cache_slot(SL("{}bar"))); /* nothing between them: the whole key counts */
}

TEST(redis_urls_are_taken_apart)
{
    static const struct {
        slice in;
        bool good, tls, cluster;
        slice user, password, host;
        unsigned port, db;
        size_t n;
    } rows[] = {
        { SLI("redis://127.0.0.1"), true, false, false, { NULL, 0 }, { NULL, 0 }, SLI("127.0.0.1"), 6379, 0, 1 },
        { SLI("rediss://me:a%40b:c@cache.example.com:6380/3"), true, true, false, SLI("me"), SLI("a@b:c"), SLI("cache.example.com"), 6380, 3, 1 },
        { SLI("redis://:pw@[::1]:7000/"), true, false, false, { NULL, 0 }, SLI("pw"), SLI("::1"), 7000, 0, 1 },
        { SLI("redis+cluster://a,b:7001,c"), true, false, true, { NULL, 0 }, { NULL, 0 }, SLI("a"), 6379, 0, 3 },
        { SLI("rediss+cluster://u:p@a"), true, true, true, SLI("u"), SLI("p"), SLI("a"), 6379, 0, 1 },
        { SLI("redis://a,b"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI("redis+cluster://a/1"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI("redis://a/16"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI("redis://a:0"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI("redis://a:x"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI("redis://pw@a"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI("redis://:p%zz@a"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI("redis://[::1"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI("redis://"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI("http://a"), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
        { SLI(""), false, false, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, 0, 0, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct redis_url u;
        struct fault f = { 0 };
        bool good = redis_url_parse(a, rows[i].in, &u, &f);
        CHECK_ROW(i, good == rows[i].good);
        if (good)
            CHECK_ROW(i, u.tls == rows[i].tls && u.cluster == rows[i].cluster && slice_eq(u.user, rows[i].user) && slice_eq(u.password, rows[i].password) &&
                             slice_eq(u.hosts[0].name, rows[i].host) && u.hosts[0].port == rows[i].port && u.db == rows[i].db && u.n_hosts == rows[i].n);
        else
            CHECK_ROW(i, strcmp(f.code, "bad_url") == 0);
    }
}
