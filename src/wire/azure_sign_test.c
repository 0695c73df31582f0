#include "tests/harness/test.h"
#include "wire/azure_sign.h"
#include "wire/base64.h"
#include "wire/url.h"

static const int64_t now_ms = INT64_C(1773567930000); /* 2026-03-15T09:45:30Z */
static const char date[] = "Sun, 15 Mar 2026 09:45:30 GMT";

static struct azure_key key_of(struct arena *a)
{
    return (struct azure_key){ SL("hubaccount"),
                               base64_decode(a, SL("aHViLXRlc3QtYWNjb3VudC1rZXktMzItYnl0ZXMtbG9uZyEhMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYg==")) };
}

TEST(azure_shared_key_signatures)
{
    static const struct {
        const char *method, *query;
        struct azure_header headers[6];
        int64_t length;
        const char *signature;
    } rows[] = {
        { "PUT", NULL,
          { { SLI("Content-Type"), SLI("image/jpeg") }, { SLI("x-ms-blob-type"), SLI("BlockBlob") }, { SLI("X-Ms-Meta-Chat"), SLI(" 42 ") },
            { SLI("x-ms-blob-content-disposition"), SLI("inline; filename=\"a b.jpg\"") } },
          17, "Hdkj2xwy9vXP//NjaSHr0uKm1G//cIcAK0Y36LeME2I=" },
        { "PUT", "comp=block&blockid=YmxvY2stMDAwMDAx", { { SLICE_NONE, SLICE_NONE } }, 8388608, "59tbqFuD/O63GRhy2RJ730uVRWtPfLhMF7RmheLTBhs=" },
        { "DELETE", NULL, { { SLI("x-ms-delete-snapshots"), SLI("include") } }, 0, "fqzSYIkqG6H3IdTvwBRFos4IIYdjZNwPDO1tpydIBqs=" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct azure_key key = key_of(a);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct azure_header headers[8];
        size_t n = 0;
        for (; rows[i].headers[n].name.n; n++)
            headers[n] = rows[i].headers[n];
        headers[n++] = (struct azure_header){ SL("x-ms-version"), SL(AZURE_VERSION) };
        headers[n++] = (struct azure_header){ SL("x-ms-date"), slice_of(date) };
        struct azure_request rq = { rows[i].method, SL("/attachments/t/42/a%20b%2B%C3%A9.jpg"), slice_of(rows[i].query), headers, n, rows[i].length };
        CHECK_SLICE(azure_authorization(a, &key, &rq), arena_printf(a, "SharedKey hubaccount:%s", rows[i].signature));
    }
    struct azure_header md5 = { SL("Content-MD5"), SL("abc=") };
    struct azure_request rq = { "GET", SL("/c/b"), SL("B=2&a=x%20y&b=1"), &md5, 1, 0 };
    CHECK_SLICE(azure_string_to_sign(a, &key, &rq), SL("GET\n\n\n\nabc=\n\n\n\n\n\n\n\n/hubaccount/c/b\na:x y\nb:1,2"));
}

TEST(azure_sas_links)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct azure_key key = key_of(a);
    struct azure_sas sas = { .container = SL("attachments"), .blob = SL("t/42/a b+\xc3\xa9.jpg"), .permissions = SL("r"), .from_ms = now_ms - 900000,
                             .until_ms = now_ms + 900000, .https_only = true, .disposition = SL("attachment; filename=\"a b.jpg\"") };
    slice q = azure_sas(a, &key, &sas);
    CHECK_SLICE(form_get(a, q, SL("sig")), SL("KJkNYnY0pU+OsCkbwUU/pkPU5TblPCgpRCSGY7G8QRg="));
    CHECK_SLICE(form_get(a, q, SL("st")), SL("2026-03-15T09:30:30Z"));
    CHECK_SLICE(form_get(a, q, SL("rscd")), SL("attachment; filename=\"a b.jpg\""));
    sas = (struct azure_sas){ .container = sas.container, .blob = sas.blob, .permissions = SL("r"), .until_ms = sas.until_ms };
    q = azure_sas(a, &key, &sas);
    CHECK_SLICE(q, SL("sp=r&se=2026-03-15T10%3A00%3A30Z&sv=2021-12-02&sr=b&sig=msh%2BEhI4WBk0OQ3Tt%2FniYrmvKG5Yjozz%2B0ac1oVM%2FDc%3D"));
}
