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

static void answer(struct exchange *x, const struct page *page, slice frames)
{
    slice body = slice_mem(page->bytes, page->n);
    bool script = slice_ends(slice_of(page->name), SL(".js"));
    struct header headers[5] = { { SL("Cache-Control"), SL("no-cache") }, { SL("X-Content-Type-Options"), SL("nosniff") },
                                 frames.p ? (struct header){ SL("Content-Security-Policy"), frames } : (struct header){ SL("X-Frame-Options"), SL("DENY") } };
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

static void on_page(struct exchange *x, void *ctx)
{
    answer(x, ctx, SLICE_NONE);
}

bool page_serve(struct server *s, const char *path, const char *name)
{
    const struct page *page = page_find(slice_of(name));
    if (page)
        server_route(s, "GET", path, 0, on_page, (void *)(uintptr_t)page); /* only ever read */
    return page != NULL;
}

/* ---- in frames of others --------------------------------------------------------------------------------------------- */

struct framed {
    const struct page *page;
    slice frames;
};

static void on_framed(struct exchange *x, void *ctx)
{
    const struct framed *fr = ctx;
    answer(x, fr->page, fr->frames);
}

bool page_serve_framed(struct server *s, struct arena *a, const char *path, const char *name, slice frames)
{
    struct framed *fr = ARENA_NEW(a, struct framed);
    *fr = (struct framed){ page_find(slice_of(name)), frames };
    if (fr->page)
        server_route(s, "GET", path, 0, on_framed, fr);
    return fr->page != NULL;
}

/* What stands in a header and decides who may frame us: a scheme, a host (perhaps with *. before it), a port, no more. */
static bool is_origin(slice o)
{
    slice host = slice_starts(o, SL("https://")) ? slice_from(o, 8) : slice_starts(o, SL("http://")) ? slice_from(o, 7) : SLICE_NONE;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool usual = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
        if (!usual && !(c == '*' && i == 0))
            return false;
    }
    return host.n > 0;
}

bool page_frames(struct arena *a, slice origins, slice *ret, struct fault *f)
{
    slice policy = SLICE_NONE;
    while (origins.p) {
        slice words = slice_cut(&origins, ',');
        while (words.p) {
            slice o = slice_trim(slice_cut(&words, ' '));
            if (!o.n)
                continue;
            if (!is_origin(o))
                return fault(f, "invalid", "frame_origins", "frame_origins must hold origins such as https://desk.example.com, and \"" SLF "\" is none", SLA(o));
            policy = arena_printf(a, SLF " " SLF, SLA(policy.p ? policy : SL("frame-ancestors")), SLA(o));
        }
    }
    *ret = policy;
    return true;
}
