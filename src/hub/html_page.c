#include "hub/html_page.h"
#include "hub/inbox.h"
#include "wire/base64.h"
#include "wire/crypto.h"

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#1d1c1d;background:#f3f3f3;margin:0}"
    "main{max-width:34rem;margin:4rem auto;padding:2rem;background:#fff;border-radius:.6rem;border:1px solid #ccc}"
    "h1{font-size:1.4rem;margin:0 0 1rem}label{display:block;font-weight:600;margin:1rem 0 .3rem}"
    "small{display:block;font-weight:400;color:#4d4d4d}code{overflow-wrap:anywhere}input[type=color]{height:2.6rem;padding:.1rem}"
    "input,textarea{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #767676;border-radius:.3rem}"
    "button,.go{display:inline-block;font:inherit;font-weight:600;margin-top:1rem;padding:.6rem 1.2rem;border:0;border-radius:.3rem;"
    "background:#24577a;color:#fff;text-decoration:none;cursor:pointer}"
    ".bad,.problem{color:#a11;font-weight:600}:focus-visible{outline:3px solid #e08a00;outline-offset:2px}";

slice html_escape(struct arena *a, slice s)
{
    static const struct {
        char c;
        slice wire;
    } all[] = { { '&', SLI("&amp;") }, { '<', SLI("&lt;") }, { '>', SLI("&gt;") }, { '"', SLI("&quot;") }, { '\'', SLI("&#39;") } };
    struct text t = text_new(a, s.n * 6 + 1);
    for (size_t i = 0; i < s.n; i++) {
        size_t k = 0;
        while (k < COUNT(all) && all[k].c != s.p[i])
            k++;
        if (k < COUNT(all))
            text_put(&t, all[k].wire);
        else
            text_char(&t, s.p[i]);
    }
    return utf8_repair(a, text_slice(&t));
}

struct text html_begin(struct arena *a, slice title)
{
    struct text t = text_new(a, HTML_BYTES);
    slice shown = html_escape(a, title);
    text_add(&t,
             "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
             "<link rel=\"icon\" href=\"data:,\">"
             "<title>" SLF "</title><style>%s</style></head><body><main><h1>" SLF "</h1>",
             SLA(shown), style, SLA(shown));
    return t;
}

void html_answer(struct inbox *in, int status, struct text *t)
{
    struct sha256 sum = sha256(slice_of(style));
    slice hash = base64_encode(in->a, slice_mem(sum.b, sizeof(sum.b)));
    text_put(t, SL("</main></body></html>"));
    inbox_answer(in, status, SL("text/html; charset=utf-8"), text_slice(t));
    inbox_header(in, "Content-Security-Policy",
                 arena_printf(in->a, "default-src 'none'; img-src data:; style-src 'sha256-" SLF "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", SLA(hash)));
    inbox_header(in, "Cache-Control", SL("no-store"));
    inbox_header(in, "Referrer-Policy", SL("no-referrer"));
    inbox_header(in, "X-Content-Type-Options", SL("nosniff"));
}

slice request_cookie(const struct request *rq, const char *name)
{
    slice all = request_header(rq, "cookie");
    while (all.n) {
        slice one = slice_trim(slice_cut(&all, ';')), key = slice_cut(&one, '=');
        if (slice_eq(key, slice_of(name)) && one.p)
            return one;
    }
    return SLICE_NONE;
}
