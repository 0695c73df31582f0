#include "tests/harness/test.h"
#include "wire/hex.h"
#include "wire/sigv4.h"
#include "wire/sigv4_test_cases.h"
#include "wire/url.h"

static slice hex_sha256(struct arena *a, slice s)
{
    struct sha256 sum = sha256(s);
    return hex_encode(a, slice_mem(sum.b, sizeof(sum.b)));
}

/* ---- Amazon's suite -------------------------------------------------------------------------------------------------- */

struct request { /* the text of a case, taken apart */
    slice method, path, query, body;
    struct sigv4_header headers[SIGV4_HEADERS_MAX];
    size_t n;
};

static void parse(struct arena *a, slice text, struct request *rq)
{
    size_t blank = slice_find(text, SL("\n\n"));
    rq->body = blank == SIZE_MAX ? SL("") : slice_from(text, blank + 2);
    slice head = blank == SIZE_MAX ? text : slice_sub(text, 0, blank), line = slice_cut(&head, '\n');
    slice target = slice_sub(line, 0, slice_find_last(line, ' '));
    rq->method = slice_cut(&target, ' ');
    rq->path = slice_cut(&target, '?');
    rq->query = target;
    while (head.n) {
        slice value = slice_cut(&head, '\n');
        if (value.n && value.p[0] == ' ') { /* folded */
            rq->headers[rq->n - 1].value = arena_printf(a, SLF " " SLF, SLA(rq->headers[rq->n - 1].value), SLA(value));
            continue;
        }
        slice name = slice_cut(&value, ':');
        if (name.n)
            rq->headers[rq->n++] = (struct sigv4_header){ name, value };
    }
}

/* What services other than S3 do to a path. */
static slice normalized(struct arena *a, slice path)
{
    slice parts[32];
    size_t n = 0;
    bool folder = slice_ends(path, SL("/"));
    while (path.n) {
        slice part = slice_cut(&path, '/');
        if (slice_eq(part, SL("..")))
            n -= n > 0;
        else if (part.n && !slice_eq(part, SL(".")))
            parts[n++] = part;
    }
    struct text t = text_new(a, 1000);
    for (size_t i = 0; i < n; i++)
        text_add(&t, "/" SLF, SLA(parts[i]));
    if (folder || n == 0)
        text_char(&t, '/');
    return text_slice(&t);
}

TEST(sigv4_makes_all_header_signatures_and_links_of_amazons_suite)
{
    CHECK_INT(COUNT(aws_cases), 38);
    const int64_t now_ms = INT64_C(1440938160000); /* 2015-08-30T12:36:00Z */
    for (size_t i = 0; i < COUNT(aws_cases); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        const struct aws_case *k = &aws_cases[i];
        struct request r = { 0 };
        parse(a, slice_of(k->request), &r);
        slice path = url_encode_path(a, k->normalize ? normalized(a, r.path) : r.path);
        slice payload = hex_sha256(a, r.body);
        struct sigv4_key key = { .kind = SIGV4_AWS, .id = SL("AKIDEXAMPLE"), .secret = SL("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                                 .region = SL("us-east-1"), .service = SL("service") };
        struct sigv4_request rq = { arena_cstr(a, r.method), path, r.query, r.headers, r.n, payload };
        if (!k->omit_token) {
            key.token = slice_of(k->token);
            CHECK_ROW(i, slice_ends(sigv4_presign(a, &key, &rq, now_ms, 3600), slice_of(k->query_signature)));
        }
        r.headers[r.n++] = (struct sigv4_header){ SL("X-Amz-Date"), SL("20150830T123600Z") };
        if (k->token && !k->omit_token)
            r.headers[r.n++] = (struct sigv4_header){ SL("X-Amz-Security-Token"), slice_of(k->token) };
        if (k->sign_body)
            r.headers[r.n++] = (struct sigv4_header){ SL("x-amz-content-sha256"), payload };
        rq.n_headers = r.n;
        slice authorization = sigv4_authorization(a, &key, &rq, now_ms);
        if (!slice_ends(authorization, slice_of(k->header_signature)))
            test_fail(__FILE__, __LINE__, "%s: " SLF " want %s", k->name, SLA(authorization), k->header_signature);
    }
}

/* ---- S3's own ways ---------------------------------------------------------------------------------------------------- */

static const int64_t s3_now_ms = INT64_C(1773567930000); /* 2026-03-15T09:45:30Z */
#define S3_HOST "hub-attachments.s3.ap-northeast-1.amazonaws.com"
#define BODY_SHA "2852d7262f1fd6339a426560101d5840edf5b8999b90eb6b2eea86c8b9f7e298"
#define TIME "20260315T094530Z"
static struct sigv4_key s3_key(const char *region)
{
    return (struct sigv4_key){ .kind = SIGV4_AWS, .id = SL("AKIAHUBTEST000000001"), .secret = SL("hub+Test/Secret0123456789abcdefABCDEFGH12"),
                               .region = slice_of(region), .service = SL("s3") };
}

TEST(sigv4_signs_the_requests_of_s3)
{
    static const struct {
        const char *method, *path, *query, *payload, *region;
        struct sigv4_header headers[5];
        const char *canonical, *signature;
    } rows[] = {
        { "PUT", "/t/42/a%20b%2B%C3%A9~.jpg", "", BODY_SHA, "ap-northeast-1",
          { { SLI("x-amz-tagging"), SLI("chat=42&purge=300") }, { SLI("Content-Type"), SLI("image/jpeg") }, { SLI("Host"), SLI(S3_HOST) },
            { SLI("x-amz-acl"), SLI(" public-read ") } },
          "3042346b61a1d432ab83a87a1601cd22505ccabbe6a657c7063d46278866faf7", "560d50e7c2ab75420c9d70c272a08dcf5506e6fe7719a963c947f8a39d98304f" },
        { "DELETE", "/t/42/a%20b%2B%C3%A9~.jpg", "", NULL, "ap-northeast-1", { { SLI("host"), SLI(S3_HOST) } },
          "55551b2618a4b7caf4a15adf536b4821a38d702bd34b21957be7e83167b4c03a", "86504cb5566ccbab51d1c27325e6c0dc26ce10add3742eb2b20bfb04b1adcbf8" },
        { "PUT", "/t/42/a%20b%2B%C3%A9~.jpg", "tagging", "27e7bd72453892562d6a2e547029386964cc25e2b12f2daa94c2bd26b4971f10", "ap-northeast-1",
          { { SLI("host"), SLI(S3_HOST) }, { SLI("content-md5"), SLI("wavSIJ6JzgWfODXm2/3joA==") } },
          "ff820098edadb91e9a24f1e7377a532192570bb0df7a66343529d16da16abd37", "c5ecdf6b2396e2815309652923948638fa53ee94ff783636cf6c0f15e2e17b0b" },
        { "POST", "/t/42/a%20b%2B%C3%A9~.jpg", "uploads=", NULL, "ap-northeast-1", { { SLI("host"), SLI(S3_HOST) } },
          "3ba994d2a8e2a6c1102d8e0bccb675e56d3973820540c42b949326869735e3d1", "09c05ec53cf5135184c3b9e0f762aa01d4a813f936865e0c16681fdd14d2b800" },
        { "PUT", "/hub-attachments/t/42/x.bin", "", "UNSIGNED-PAYLOAD", "us-east-1", { { SLI("host"), SLI("127.0.0.1:9000") } },
          "44125c866c974065f7eaec3da1a52c7a3c3c2f9f7c75e5e723d597d74a4d2065", "4d4fbe1ecabfb3ca7d33068cf617d79275a4062a05b86530a2112bcd9b64e0a7" },
        { "GET", "/t/42/a%20b%2B%C3%A9~.jpg", "", NULL, "ap-northeast-1",
          { { SLI("host"), SLI(S3_HOST) }, { SLI("x-amz-security-token"), SLI("FwoGZXIvYXdzEXAMPLE//token==") } },
          "2c2249441b9941109ab296ece61edf81797d37b47d463c2a62b1601bb21d0b02", "70af65d4e44c50df3469c9244c6c1ac2ba6f3af82722295bde21e14fcc5407b2" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sigv4_header headers[7];
        size_t n = 0;
        while (rows[i].headers[n].name.p) {
            headers[n] = rows[i].headers[n];
            n++;
        }
        slice payload = rows[i].payload ? slice_of(rows[i].payload) : SIGV4_EMPTY, names;
        headers[n++] = (struct sigv4_header){ SL("x-amz-content-sha256"), payload };
        headers[n++] = (struct sigv4_header){ SL("x-amz-date"), SL(TIME) };
        struct sigv4_key key = s3_key(rows[i].region);
        struct sigv4_request rq = { rows[i].method, slice_of(rows[i].path), slice_of(rows[i].query), headers, n, payload };
        slice canonical = sigv4_canonical(a, &rq, &names);
        CHECK_SLICE(hex_sha256(a, canonical), slice_of(rows[i].canonical));
        CHECK_SLICE(sigv4_signature(a, &key, canonical, s3_now_ms), slice_of(rows[i].signature));
    }
}

TEST(sigv4_makes_links_of_s3)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct sigv4_key key = s3_key("ap-northeast-1");
    struct sigv4_header headers[] = { { SL("host"), SL(S3_HOST) }, { SL("content-type"), SL("application/pdf") } };
    struct sigv4_request get = { "GET", SL("/t/42/a%20b%2B%C3%A9~.jpg"),
                                 SL("response-content-disposition=attachment%3B%20filename%3D%22a%20b.jpg%22"), headers, 1, SLICE_NONE };
    slice link = sigv4_presign(a, &key, &get, s3_now_ms, 900);
    CHECK(slice_starts(link, SL("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAHUBTEST000000001%2F20260315%2Fap-northeast-1%2Fs3%2Faws4_request&"
                                "X-Amz-Date=20260315T094530Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&response-content-disposition=")));
    CHECK(slice_ends(link, SL("&X-Amz-Signature=8dd48356749edf47d1b540179f392abe90cec5cd74d5fa46ddaf80c029e6cf64")));
    get.query = arena_printf(a, SLF "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&x-id=GetObject", SLA(get.query));
    CHECK(slice_ends(sigv4_presign(a, &key, &get, s3_now_ms, 900), SL("=d4ab7c03499d90cd8b23a67f7e6aa8049b1981203bb1ef0aebbb14a11b48d41e")));
    struct sigv4_request put = { "PUT", SL("/t/42/up.bin"), SLICE_NONE, headers, 2, SLICE_NONE };
    CHECK(slice_ends(sigv4_presign(a, &key, &put, s3_now_ms, 300), SL("=8051ea3e39801c7bbac0764f0096f421f07e05662d107928f0c87ae9672c0d0c")));
}

TEST(sigv4_signs_a_body_chunk_by_chunk)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct sigv4_key key = s3_key("ap-northeast-1");
    const struct sigv4_header headers[] = { { SL("content-encoding"), SL("aws-chunked") }, { SL("host"), SL(S3_HOST) },
                                            { SL("x-amz-content-sha256"), SIGV4_CHUNKED }, { SL("x-amz-date"), SL(TIME) },
                                            { SL("x-amz-decoded-content-length"), SL("8202") } };
    struct sigv4_request rq = { "PUT", SL("/t/42/c.bin"), SLICE_NONE, headers, COUNT(headers), SIGV4_CHUNKED };
    slice names, seed = sigv4_signature(a, &key, sigv4_canonical(a, &rq, &names), s3_now_ms);
    CHECK_SLICE(seed, SL("5972765d4ab09ba5cfd033bc8544caee44a615c0fd4b213b05ea5160b9b2cf45"));
    char x[8192];
    memset(x, 'x', sizeof(x));
    slice one = sigv4_chunk(a, &key, seed, slice_mem(x, sizeof(x)), s3_now_ms);
    CHECK_SLICE(one, SL("3be603163740d80e2855e630b51aac0c66f29305766912c6d2e1a146b05334b9"));
    slice two = sigv4_chunk(a, &key, one, SL("0123456789"), s3_now_ms);
    CHECK_SLICE(two, SL("68762f46aa251928b1481e982d2fa453b5740cce51d4c2c835dbf12951911443"));
    CHECK_SLICE(sigv4_chunk(a, &key, two, SL(""), s3_now_ms), SL("c439eea2e3fae6a99955369e86f53c5bb66e81f8a7a4567105868ea50bde686f"));
}

/* ---- Google's suite ---------------------------------------------------------------------------------------------------- */

TEST(sigv4_makes_all_links_of_googles_suite)
{
    struct fault f = { 0 };
    CLEANUP(jwt_key_freep) struct jwt_key *rsa = jwt_key_pem(slice_of(goog_key), &f);
    CHECK(rsa);
    CHECK_INT(COUNT(goog_cases), 29);
    struct sigv4_key key = { .kind = SIGV4_GOOG_RSA, .id = SL(GOOG_EMAIL), .rsa = rsa, .region = SL("auto"), .service = SL("storage") };
    for (size_t i = 0; i < COUNT(goog_cases); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        const struct goog_case *k = &goog_cases[i];
        struct sigv4_header headers[8] = { { SL("host"), slice_of(k->host) } };
        size_t n = 1;
        slice payload = SLICE_NONE, lines = slice_of(k->headers);
        while (lines.n) {
            slice value = slice_cut(&lines, '\n'), name = slice_cut(&value, ':');
            headers[n++] = (struct sigv4_header){ name, value };
            if (slice_eq_nocase(name, SL("x-goog-content-sha256")))
                payload = slice_trim(value);
        }
        slice path = url_encode_path(a, slice_of(k->path));
        CHECK_SLICE(path, slice_of(k->url_path));
        struct sigv4_request rq = { k->method, path, slice_of(k->query), headers, n, payload };
        slice link = sigv4_presign(a, &key, &rq, k->now_ms, k->expires_s);
        if (!slice_ends(link, arena_printf(a, "&X-Goog-Signature=%s", k->signature)))
            test_fail(__FILE__, __LINE__, "%s: " SLF " want %s", k->name, SLA(link), k->signature);
    }
}

TEST(sigv4_signs_a_link_of_google_with_a_name)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    CLEANUP(jwt_key_freep) struct jwt_key *rsa = jwt_key_pem(slice_of(goog_key), &f);
    struct sigv4_key key = { .kind = SIGV4_GOOG_RSA, .id = SL(GOOG_EMAIL), .rsa = rsa, .region = SL("auto"), .service = SL("storage") };
    struct sigv4_header host = { SL("host"), SL("storage.googleapis.com") };
    struct sigv4_request rq = { "GET", url_encode_path(a, SL("/hub-attachments/t/42/a b+\xc3\xa9~.jpg")),
                                SL("response-content-disposition=attachment%3B%20filename%3D%22a%20b.jpg%22"), &host, 1, SLICE_NONE };
    slice link = sigv4_presign(a, &key, &rq, s3_now_ms, 900);
    CHECK(slice_find(link, SL("Signature=472f0e117c4387cbe67ef7ba1e059174e346a170dd70f970bd6df9c85dfe6f9eed012872567f693a")) != SIZE_MAX);
    CHECK(slice_ends(link, SL("f7513c207d6807eca31877e0eea33f6ef519baa51fefdc1591")));
    struct sigv4_key hmac = { .kind = SIGV4_GOOG_HMAC, .id = SL("GOOG1E"), .secret = SL("x"), .region = SL("auto"), .service = SL("storage") };
    link = sigv4_presign(a, &hmac, &rq, s3_now_ms, 900);
    CHECK(slice_starts(link, SL("X-Goog-Algorithm=GOOG4-HMAC-SHA256&X-Goog-Credential=GOOG1E%2F20260315%2Fauto%2Fstorage%2Fgoog4_request&")));
    CHECK(link.n > 64 && slice_find(slice_from(link, link.n - 82), SL("&X-Goog-Signature=")) == 0);
}

/* The assertions with which Google's and Box's storages are asked for tokens, signed with the same key. */
TEST(jwt_signs_the_assertions_of_google_and_box)
{
    static const struct {
        const char *header, *claims, *signature;
    } rows[] = {
        { "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"ffffffffffffffffffffffffffffffffffffffff\"}",
          "{\"iss\":\"test-iam-credentials@dummy-project-id.iam.gserviceaccount.com\",\"scope\":\"https://www.googleapis.com/auth/devstorage.read_write\","
          "\"aud\":\"https://oauth2.googleapis.com/token\",\"iat\":1773567930,\"exp\":1773571530}",
          "MhnKoIFilBIDpV4JInRvOoCC2bO7kICvvh3cdgPsWY1pRiYVtebmQXMdcO1jrtgBKsTrd6NW76PeZafd-TXhooc007e1nB-GJujNwHpKU1NPGMecrgts01xV-B7kHfKXnH1KIOmAjfByE3HrSZu76"
          "Gk0wwJR7Gkd2TcjXeT0QJfQU9vIUNh8Sh3gv42lDDiiv8GhyzlmyVXowGEZkSKDFtyakiCqeqGhpR4doW_vP3R6cVXmC5f6qJZuNcKA47ChI05zVTxHWUT6_AhUQnDCf99wObaKXlFyMkGnmKU7"
          "FwnEahEnrdfIFHOh--dVEomkVRiYd-ttCDLZEJd0ZscpAw" },
        { "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"hubkey01\"}",
          "{\"iss\":\"hubclientid\",\"sub\":\"123456\",\"box_sub_type\":\"enterprise\",\"aud\":\"https://api.box.com/oauth2/token\","
          "\"jti\":\"f0e1d2c3b4a5968778695a4b3c2d1e0f\",\"exp\":1773567960}",
          "NxAN5YlFs2L3vY_KuMpLL0ChnRS7cZhtTP18g3DCWfCY1L1PVaViZgZgXghDW-bWMx2IBAll9bKZcYi9T1gLqBx8etO_ioGcKZbxVDH6EjFTL8mXDdYDGCNkHHlK8qFmlyEHi1c3Tg9kOnpjKfry"
          "c9PLaUIU00K5CCRHOdWckeX4qHUxL6onQL2t3_X3hIz-BrxCbHt8E8rDH4px6-hViVWuAgnTIVbFQaxh2IPto0sqfijjdaBIR5ae3fNuMSVoQkUSGMRXvHvQZMlIWFgtkg72K2gUtOT50JTpm7JI"
          "Gi2xFtksjM_wF-jx9gRm9LH1Ebq4VUvFtXpDVfT1tV7x3Q" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    CLEANUP(jwt_key_freep) struct jwt_key *rsa = jwt_key_pem(slice_of(goog_key), &f);
    CHECK(rsa != NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice token = jws_sign(a, rsa, slice_of(rows[i].header), slice_of(rows[i].claims), &f);
        size_t dot = slice_find_last(token, '.');
        CHECK_ROW(i, dot != SIZE_MAX && slice_eq(slice_from(token, dot + 1), slice_of(rows[i].signature)));
    }
}

/* The examples of Amazon's documentation, "Authenticating Requests (AWS Signature Version 4)" */
TEST(sigv4_signs_the_examples_of_amazons_documentation)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const int64_t now_ms = INT64_C(1369353600000); /* 20130524T000000Z */
    struct sigv4_key key = { .kind = SIGV4_AWS, .id = SL("AKIAIOSFODNN7EXAMPLE"), .secret = SL("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                             .region = SL("us-east-1"), .service = SL("s3") };
    static const struct {
        const char *method, *path, *query, *payload;
        struct sigv4_header headers[3];
        const char *signature;
    } rows[] = {
        { "GET", "/test.txt", "", NULL, { { SLI("range"), SLI("bytes=0-9") } }, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
        { "PUT", "/test%24file.text", "", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
          { { SLI("date"), SLI("Fri, 24 May 2013 00:00:00 GMT") }, { SLI("x-amz-storage-class"), SLI("REDUCED_REDUNDANCY") } },
          "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
        { "GET", "/", "lifecycle=", NULL, { { { 0 }, { 0 } } }, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
        { "GET", "/", "max-keys=2&prefix=J", NULL, { { { 0 }, { 0 } } }, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
    };
    struct sigv4_header host = { SL("host"), SL("examplebucket.s3.amazonaws.com") };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sigv4_header headers[6] = { host };
        size_t n = 1;
        for (size_t k = 0; k < COUNT(rows[i].headers) && rows[i].headers[k].name.n; k++)
            headers[n++] = rows[i].headers[k];
        slice payload = rows[i].payload ? slice_of(rows[i].payload) : SIGV4_EMPTY;
        headers[n++] = (struct sigv4_header){ SL("x-amz-content-sha256"), payload };
        headers[n++] = (struct sigv4_header){ SL("x-amz-date"), SL("20130524T000000Z") };
        struct sigv4_request rq = { rows[i].method, slice_of(rows[i].path), slice_of(rows[i].query), headers, n, payload };
        CHECK(slice_ends(sigv4_authorization(a, &key, &rq, now_ms), slice_of(rows[i].signature)));
    }
    struct sigv4_request get = { "GET", SL("/test.txt"), SLICE_NONE, &host, 1, SLICE_NONE };
    CHECK(slice_ends(sigv4_presign(a, &key, &get, now_ms, 86400), SL("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")));
    struct sigv4_header chunked[] = { { SL("content-encoding"), SL("aws-chunked") }, { SL("content-length"), SL("66824") },
                                      { SL("host"), SL("s3.amazonaws.com") }, { SL("x-amz-content-sha256"), SIGV4_CHUNKED },
                                      { SL("x-amz-date"), SL("20130524T000000Z") }, { SL("x-amz-decoded-content-length"), SL("66560") },
                                      { SL("x-amz-storage-class"), SL("REDUCED_REDUNDANCY") } };
    struct sigv4_request put = { "PUT", SL("/examplebucket/chunkObject.txt"), SLICE_NONE, chunked, COUNT(chunked), SIGV4_CHUNKED };
    slice names, seed = sigv4_signature(a, &key, sigv4_canonical(a, &put, &names), now_ms);
    CHECK_SLICE(seed, SL("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"));
    static char letters[65536];
    memset(letters, 'a', sizeof(letters));
    slice one = sigv4_chunk(a, &key, seed, slice_mem(letters, sizeof(letters)), now_ms);
    CHECK_SLICE(one, SL("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"));
    slice two = sigv4_chunk(a, &key, one, slice_mem(letters, 1024), now_ms);
    CHECK_SLICE(two, SL("0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"));
    CHECK_SLICE(sigv4_chunk(a, &key, two, SL(""), now_ms), SL("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"));
}
