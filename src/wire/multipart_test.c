#include "tests/harness/test.h"
#include "wire/multipart.h"

#define TYPE "multipart/form-data; boundary=XyZ"

TEST(multipart_gives_fields_and_files)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct multipart mp;
    slice body = SL("--XyZ\r\nContent-Disposition: form-data; name=\"business\"\r\n\r\nACME\r\n--Xy\r\n"
                    "--XyZ\r\nContent-Disposition: form-data; name=\"icon\"; filename=\"a \\\"b\\\".png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\0\r\n\r\n"
                    "--XyZ\r\ncontent-disposition: FORM-DATA; name=empty; filename=\"\"\r\n\r\n\r\n--XyZ--\r\n");
    CHECK(multipart_parse(a, SL(TYPE), body, &mp, &f));
    CHECK_INT(mp.n, 3);
    CHECK_SLICE(multipart_value(&mp, SL("business")), SL("ACME\r\n--Xy"));
    CHECK_SLICE(multipart_part(&mp, SL("icon"))->filename, SL("a \"b\".png"));
    CHECK_SLICE(multipart_part(&mp, SL("icon"))->type, SL("image/png"));
    CHECK_SLICE(multipart_part(&mp, SL("icon"))->body, SL("\x89PNG\0\r\n"));
    CHECK(multipart_part(&mp, SL("empty"))->filename.p && multipart_part(&mp, SL("empty"))->body.n == 0);
    CHECK(!multipart_part(&mp, SL("none")));
    CHECK(multipart_parse(a, SL("Multipart/Form-Data; charset=utf-8; boundary=\"XyZ\""), SL("preamble\r\n--XyZ--"), &mp, &f) && mp.n == 0);
}

TEST(multipart_refuses_what_is_cut_short_or_malformed)
{
    static const struct { const char *type, *body; } rows[] = {
        { TYPE, "" },
        { TYPE, "no boundary" },
        { TYPE, "--XyZ" },
        { TYPE, "--XyZ\r\n" },
        { TYPE, "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue" },
        { TYPE, "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n--XyZ" },
        { TYPE, "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\n\nvalue\r\n--XyZ--" },
        { TYPE, "--XyZ\r\nContent-Disposition: form-data\r\n\r\nvalue\r\n--XyZ--" },
        { TYPE, "--XyZ\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nvalue\r\n--XyZ--" },
        { TYPE, "--XyZ\r\n\r\nvalue\r\n--XyZ--" },
        { TYPE, "--XyZ\r\nnonsense\r\n\r\nvalue\r\n--XyZ--" },
        { "multipart/form-data", "--\r\n\r\n----" },
        { "multipart/mixed; boundary=XyZ", "--XyZ--" },
        { "multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901", "" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        struct multipart mp;
        CHECK_ROW(i, !multipart_parse(a, slice_of(rows[i].type), slice_of(rows[i].body), &mp, &f) && f.code);
    }
    struct text t = text_new(a, 1 << 16);
    for (int i = 0; i <= MULTIPART_PARTS_MAX; i++)
        text_add(&t, "--XyZ\r\nContent-Disposition: form-data; name=\"a%d\"\r\n\r\n\r\n", i);
    text_put(&t, SL("--XyZ--"));
    struct fault f = { 0 };
    struct multipart mp;
    CHECK(!multipart_parse(a, SL(TYPE), text_slice(&t), &mp, &f));
}
