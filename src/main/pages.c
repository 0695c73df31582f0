#include "main/pages.h"
#include "web/page.h"
#include "wire/gzip.h"

enum { PAGE_BYTES_MAX = 16 << 20 };

static bool takes_gzip(const struct exchange *x)
{
    slice rest = exchange_header(x, "Accept-Encoding");
    while (rest.p) {
        slice coding = slice_cut(&rest, ',');
        slice quality = coding;
        coding = slice_trim(slice_cut(&quality, ';'));
        if (slice_eq_nocase(coding, SL("gzip")))
            return !slice_eq(slice_trim(quality), SL("q=0"));
    }
    return false;
}

static void on_page(struct exchange *x, void *ctx)
{
    const struct page *page = ctx;
    slice body = slice_mem(page->bytes, page->n);
    bool script = slice_ends(slice_of(page->name), SL(".js"));
    struct header headers[5] = { { SL("Cache-Control"), SL("no-cache") }, { SL("X-Content-Type-Options"), SL("nosniff") },
                                 { SL("X-Frame-Options"), SL("DENY") } };
    size_t n = 3;
    if (page->gzipped && takes_gzip(x)) {
        headers[n++] = (struct header){ SL("Content-Encoding"), SL("gzip") };
    } else if (page->gzipped) {
        enum gzip end = gzip_unpack(x->a, body, PAGE_BYTES_MAX, &body);
        assert(end == GZIP_OK); /* packed when this program was built */
    }
    if (script) /* for pages of others */
        headers[n++] = (struct header){ SL("Cross-Origin-Resource-Policy"), SL("cross-origin") };
    exchange_answer(x, &(struct response){ .status = 200, .type = script ? SL("text/javascript; charset=utf-8") : SL("text/html; charset=utf-8"), .body = body, .headers = headers, .n_headers = n });
}

bool page_serve(struct server *s, const char *path, const char *name)
{
    const struct page *page = page_find(slice_of(name));
    if (page)
        server_route(s, "GET", path, 0, on_page, (void *)(uintptr_t)page); /* only ever read */
    return page != NULL;
}
