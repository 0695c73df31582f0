#include "tests/harness/test.h"
#include "wire/url.h"

TEST(url_takes_addresses_apart)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct url u;
    CHECK(url_parse(a, SL("HTTPS://Api.Example.COM:8443/a%20b/c?x=1&y=%E3%81%82#top"), &u, &f));
    CHECK_SLICE(u.scheme, SL("https"));
    CHECK_SLICE(u.host, SL("api.example.com"));
    CHECK_INT(u.port, 8443);
    CHECK_SLICE(u.path, SL("/a%20b/c"));
    CHECK_SLICE(u.query, SL("x=1&y=%E3%81%82"));
    CHECK_SLICE(u.fragment, SL("top"));
    CHECK_SLICE(url_print(a, &u), SL("https://api.example.com:8443/a%20b/c?x=1&y=%E3%81%82#top"));
    CHECK_SLICE(url_origin(a, &u), SL("https://api.example.com:8443"));

    CHECK(url_parse(a, SL("http://[2001:DB8::1]:80?"), &u, &f));
    CHECK_SLICE(u.host, SL("2001:db8::1"));
    CHECK(u.host_v6 && u.query.p && !u.query.n && !u.fragment.p);
    CHECK_INT(u.port, 80);
    CHECK_SLICE(url_print(a, &u), SL("http://[2001:db8::1]/?"));

    CHECK(url_parse(a, SL("https://example.com/\xe3\x81\x82|\"?q=<\xc3\xa9>"), &u, &f));
    CHECK_SLICE(url_print(a, &u), SL("https://example.com/%E3%81%82%7C%22?q=%3C%C3%A9%3E"));
    CHECK(url_parse(a, SL("wss://h:"), &u, &f) && u.port == 443);
    CHECK(url_parse(a, SL("x-app://h/p"), &u, &f) && u.port == 0);
    CHECK_SLICE(url_print(a, &u), SL("x-app://h/p"));
}

TEST(url_refuses_what_is_dangerous_or_broken)
{
    static const slice bad[] = {
        SLI(""), SLI("example.com/x"), SLI("//example.com"), SLI("/path"), SLI("https:/x"), SLI("https:example.com"), SLI("https://"),
        SLI("https:///x"), SLI("https://user@example.com/"), SLI("https://user:pw@example.com/"), SLI("https://a b/"),
        SLI("https://example.com/a b"), SLI("https://example.com/\n"), SLI("https://example.com\\@evil.example/"), SLI("https://h:0/"),
        SLI("https://h:65536/"), SLI("https://h:-1/"), SLI("https://h:+1/"), SLI("https://h:8a/"), SLI("https://h:1:2/"), SLI("https://[::1/"),
        SLI("https://::1/"), SLI("https://[::g]/"), SLI("https://[::1]x/"), SLI("https://h/%"), SLI("https://h/%4"), SLI("https://h/?%zz"),
        SLI("https://%65xample.com/"), SLI("https://ex\xc3\xa4mple.com/"), SLI("1https://h/"), SLI("https://h/\\"), SLI("https://[]/"),
        { "https://h\0x/", 12 }, { "https://[::1\0]/", 15 }, { "https://h/\0", 11 }, SLI("javascript:alert(1)"),
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fault f = { 0 };
        struct url u;
        CHECK_ROW(i, !url_parse(a, bad[i], &u, &f));
        CHECK_SLICE(slice_of(f.code), SL("bad_url"));
    }
    char *huge = arena_alloc(a, URL_BYTES_MAX + 1);
    memset(huge, 'a', URL_BYTES_MAX + 1);
    memcpy(huge, "http://h/", 9);
    struct url u;
    CHECK(!url_parse(a, slice_mem(huge, URL_BYTES_MAX + 1), &u, NULL) && url_parse(a, slice_mem(huge, URL_BYTES_MAX), &u, NULL));
    char name[300] = "http://";
    memset(name + 7, 'a', 254);
    CHECK(!url_parse(a, slice_mem(name, 7 + 254), &u, NULL) && url_parse(a, slice_mem(name, 7 + 253), &u, NULL));
}

/* RFC 3986 section 5.4; base http://a/b/c/d;p?q */
TEST(url_joins_the_references_of_rfc3986)
{
    static const struct { slice reference, want; } rows[] = {
        { SLI("g:h"), { NULL, 0 } }, { SLI("g"), SLI("http://a/b/c/g") }, { SLI("./g"), SLI("http://a/b/c/g") },
        { SLI("g/"), SLI("http://a/b/c/g/") }, { SLI("/g"), SLI("http://a/g") }, { SLI("//g"), SLI("http://g/") },
        { SLI("?y"), SLI("http://a/b/c/d;p?y") }, { SLI("g?y"), SLI("http://a/b/c/g?y") }, { SLI("#s"), SLI("http://a/b/c/d;p?q#s") },
        { SLI("g#s"), SLI("http://a/b/c/g#s") }, { SLI("g?y#s"), SLI("http://a/b/c/g?y#s") }, { SLI(";x"), SLI("http://a/b/c/;x") },
        { SLI("g;x"), SLI("http://a/b/c/g;x") }, { SLI("g;x?y#s"), SLI("http://a/b/c/g;x?y#s") }, { SLI(""), SLI("http://a/b/c/d;p?q") },
        { SLI("."), SLI("http://a/b/c/") }, { SLI("./"), SLI("http://a/b/c/") }, { SLI(".."), SLI("http://a/b/") },
        { SLI("../"), SLI("http://a/b/") }, { SLI("../g"), SLI("http://a/b/g") }, { SLI("../.."), SLI("http://a/") },
        { SLI("../../"), SLI("http://a/") }, { SLI("../../g"), SLI("http://a/g") }, { SLI("../../../g"), SLI("http://a/g") },
        { SLI("../../../../g"), SLI("http://a/g") }, { SLI("/./g"), SLI("http://a/g") }, { SLI("/../g"), SLI("http://a/g") },
        { SLI("g."), SLI("http://a/b/c/g.") }, { SLI(".g"), SLI("http://a/b/c/.g") }, { SLI("g.."), SLI("http://a/b/c/g..") },
        { SLI("..g"), SLI("http://a/b/c/..g") }, { SLI("./../g"), SLI("http://a/b/g") }, { SLI("./g/."), SLI("http://a/b/c/g/") },
        { SLI("g/./h"), SLI("http://a/b/c/g/h") }, { SLI("g/../h"), SLI("http://a/b/c/h") }, { SLI("g;x=1/./y"), SLI("http://a/b/c/g;x=1/y") },
        { SLI("g;x=1/../y"), SLI("http://a/b/c/y") }, { SLI("g?y/./x"), SLI("http://a/b/c/g?y/./x") },
        { SLI("g#s/../x"), SLI("http://a/b/c/g#s/../x") }, { SLI("http:g"), { NULL, 0 } },
        { SLI("https://b/x/../y"), SLI("https://b/y") }, { SLI("//u@b/"), { NULL, 0 } }, { SLI("/a b"), { NULL, 0 } },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct url base, u;
    CHECK(url_parse(a, SL("http://a/b/c/d;p?q"), &base, NULL));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        CHECK_ROW(i, url_join(a, &base, rows[i].reference, &u, &f) == !!rows[i].want.p);
        if (rows[i].want.p)
            CHECK_SLICE(url_print(a, &u), rows[i].want);
        else
            CHECK_SLICE(slice_of(f.code), SL("bad_url"));
    }
}

TEST(url_origins_and_domains)
{
    static const struct { slice a, b; bool same; } rows[] = {
        { SLI("https://h/x"), SLI("https://H:443/y?z"), true }, { SLI("https://h/"), SLI("http://h:443/"), false },
        { SLI("https://h/"), SLI("https://h:444/"), false }, { SLI("https://h/"), SLI("https://h.x/"), false },
        { SLI("https://h./"), SLI("https://h/"), true },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct url x, y;
        CHECK_ROW(i, url_parse(a, rows[i].a, &x, NULL) && url_parse(a, rows[i].b, &y, NULL));
        CHECK_ROW(i, url_same_origin(&x, &y) == rows[i].same);
        CHECK_ROW(i, url_same_host(&x, &y) == (rows[i].same || i == 2)); /* but for the port */
    }
    CHECK(host_in_domain(SL("api.pure.cloud"), SL("pure.cloud")) && host_in_domain(SL("PURE.cloud."), SL("pure.cloud")));
    CHECK(!host_in_domain(SL("notpure.cloud"), SL("pure.cloud")) && !host_in_domain(SL("pure.cloud.evil.example"), SL("pure.cloud")));
    CHECK(!host_in_domain(SL("cloud"), SL("pure.cloud")) && !host_in_domain(SL("x"), SL("")) && !host_in_domain(SL("."), SL(".")));
}

TEST(percent_escapes)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(url_encode(a, SL("aZ09-._~ /?&=+%\xe3\x81\x82")), SL("aZ09-._~%20%2F%3F%26%3D%2B%25%E3%81%82"));
    CHECK_SLICE(url_encode_path(a, SL("/a b/c")), SL("/a%20b/c"));
    CHECK_SLICE(url_encode(a, slice_mem("\0", 1)), SL("%00"));
    CHECK_SLICE(url_encode(a, SLICE_NONE), SL(""));
    CHECK_SLICE(url_decode(a, SL("a%20%e3%81%82+")), SL("a \xe3\x81\x82+"));
    CHECK(!url_decode(a, SL("%")).p && !url_decode(a, SL("%2")).p && !url_decode(a, SL("%g0")).p && !url_decode(a, SLICE_NONE).p);
    CHECK(url_decode(a, SL("")).p);
}

TEST(forms_are_written_and_read)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, 1000), q = text_new(a, 1000);
    form_add(&t, SL("grant type"), SL("a&b=c +\xe3\x81\x82*"));
    form_add(&t, SL("empty"), SL(""));
    query_add(&q, SL("x y"), SL("1 2"));
    CHECK_SLICE(text_slice(&t), SL("grant+type=a%26b%3Dc+%2B%E3%81%82%2A&empty="));
    CHECK_SLICE(text_slice(&q), SL("x%20y=1%202"));
    struct form form;
    CHECK(form_parse(a, text_slice(&t), &form, NULL));
    CHECK_INT(form.n, 2);
    CHECK_SLICE(form_value(&form, SL("grant type")), SL("a&b=c +\xe3\x81\x82*"));
    CHECK(form_value(&form, SL("empty")).p && !form_value(&form, SL("other")).p);
    CHECK(form_parse(a, SL("&a&b==c&&a=2&=x"), &form, NULL));
    CHECK_INT(form.n, 4);
    CHECK_SLICE(form_value(&form, SL("a")), SL(""));
    CHECK_SLICE(form_value(&form, SL("b")), SL("=c"));
    CHECK_SLICE(form_get(a, SL("&a&b=%3D+c&a=2"), SL("b")), SL("= c"));
    CHECK(form_get(a, SL("a"), SL("a")).p && !form_get(a, SL("a=%"), SL("a")).p && !form_get(a, SLICE_NONE, SL("a")).p);
    CHECK(form_parse(a, SLICE_NONE, &form, NULL) && form.n == 0);
    struct fault f = { 0 };
    CHECK(!form_parse(a, SL("a=%x"), &form, &f));
    CHECK_SLICE(slice_of(f.code), SL("bad_form"));
    for (int n = FORM_PAIRS_MAX; n <= FORM_PAIRS_MAX + 1; n++) {
        struct text many = text_new(a, 100000);
        for (int i = 0; i < n; i++)
            form_add(&many, SL("k"), SL("v"));
        CHECK(form_parse(a, text_slice(&many), &form, &f) == (n <= FORM_PAIRS_MAX));
    }
}

TEST(url_words_of_a_path)
{
    static const struct { const char *path, *words; } rows[] = { /* words NULL: it has none */
        { "", "" }, { "a", "a|" }, { "a/b%20c", "a|b c|" }, { "a%2Fb/c", "a/b|c|" }, { "a/b/c", "a|b|c|" }, { "a/b/c/d", NULL }, { "a//b", NULL }, { "/a", NULL }, { "a/%zz", NULL },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice words[3];
        size_t n;
        struct text t = text_new(a, 64);
        bool ok = url_words(a, slice_of(rows[i].path), words, COUNT(words), &n);
        CHECK_ROW(i, ok == (rows[i].words != NULL));
        for (size_t k = 0; ok && k < n; k++)
            text_add(&t, SLF "|", SLA(words[k]));
        CHECK_ROW(i, !ok || slice_eq(text_slice(&t), slice_of(rows[i].words)));
    }
}

TEST(url_names_that_an_address_can_hold)
{
    static const struct { const char *name; bool ok; } rows[] = {
        { "ken", true }, { "a", true }, { "...", true }, { "12345678", true }, { "\xe6\x9d\xb1\xe4\xba\xac", true },
        { "", false }, { "123456789", false }, { ".", false }, { "..", false }, { "a b", false }, { "a\x7f", false }, { "a\n", false }, { "a/b", false }, { "a:b", false }, { "\xff", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, url_name_ok(slice_of(rows[i].name), 8, "/:") == rows[i].ok);
    CHECK(url_name_ok(SL("a:b"), 8, "/") && !url_name_ok(SL("a\0b"), 8, "/"));
}
