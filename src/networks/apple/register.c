/* Where Apple's register sends the owner of a business that chose this provider: "Registration". Nothing is signed, so that all it does is to keep what was said, under the
 * business ID, for the operator, who adds the channel. What was sent once cannot be changed by whoever knows the ID. */
#include "networks/apple/wire.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/url.h"

enum { HTML_BYTES = 32 << 10, FIELD_CHARS = 200, NOTE_CHARS = 1000, ID_MIN = 8, ID_MAX = 64 };

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#1d1d1f;background:#f5f5f7;margin:0}"
    "main{max-width:36rem;margin:2rem auto;background:#fff;padding:1.5rem 2rem;border-radius:.8rem}"
    "h1{font-size:1.4rem}label{display:block;margin:.8rem 0 .2rem;font-weight:600}"
    "input,textarea{font:inherit;width:100%;box-sizing:border-box;padding:.45rem;border:1px solid #6e6e73;border-radius:.4rem}"
    "button{margin-top:1.2rem;font:inherit;background:#0066cc;color:#fff;border:0;border-radius:.4rem;padding:.6rem 1.2rem}"
    ".problem{background:#fdf3f4;color:#8a1218;padding:.6rem .8rem;border-radius:.4rem}"
    ":focus-visible{outline:3px solid #b4642a;outline-offset:2px}";

static slice good_id(slice id)
{
    static const char chars[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
    if (id.n < ID_MIN || id.n > ID_MAX)
        return SLICE_NONE;
    for (size_t i = 0; i < id.n; i++)
        if (!id.p[i] || !strchr(chars, id.p[i]))
            return SLICE_NONE;
    return id;
}

static bool is_post(const struct request *rq)
{
    return slice_eq(rq->method, SL("POST"));
}

static slice field_of(struct arena *a, const struct request *rq, const char *name)
{
    return slice_trim(is_post(rq) ? form_get(a, rq->body, slice_of(name)) : request_query(a, rq, name));
}

slice apple_page_key(struct arena *a, const struct request *rq)
{
    return good_id(field_of(a, rq, "id"));
}

/* ---- HTML ------------------------------------------------------------------------------------------------------------- */

static void put_escaped(struct text *t, slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&': text_put(t, SL("&amp;")); break;
        case '<': text_put(t, SL("&lt;")); break;
        case '>': text_put(t, SL("&gt;")); break;
        case '"': text_put(t, SL("&quot;")); break;
        case '\'': text_put(t, SL("&#39;")); break;
        default: text_char(t, s.p[i]);
        }
    }
}

static struct text page_begin(struct page_call *p)
{
    struct text t = text_new(p->a, HTML_BYTES);
    text_add(&t, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                 "<title>Apple Messages for Business</title><style>%s</style></head><body><main><h1>Apple Messages for Business</h1>", style);
    return t;
}

static void page_end(struct page_call *p, struct text *t, int status)
{
    struct sha256 sum = sha256(slice_of(style));
    text_put(t, SL("</main></body></html>"));
    p->status = status;
    p->type = SL("text/html; charset=utf-8");
    p->body = text_slice(t);
    page_header(p, "Content-Security-Policy",
                arena_printf(p->a, "default-src 'none'; style-src 'sha256-" SLF "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                             SLA(base64_encode(p->a, slice_mem(sum.b, sizeof(sum.b))))));
    page_header(p, "X-Content-Type-Options", SL("nosniff"));
    page_header(p, "Referrer-Policy", SL("no-referrer"));
    page_header(p, "Cache-Control", SL("no-store"));
}

static void say(struct page_call *p, int status, const char *text)
{
    struct text t = page_begin(p);
    text_add(&t, "<p%s>%s</p>", status >= 400 ? " class=\"problem\"" : "", text);
    page_end(p, &t, status);
}

/* clang-format off */
static const struct box {
    const char *name, *label, *type;
    bool required;
} boxes[] = {
    { "name",         "Business name", "text", true },
    { "email",        "Contact e-mail", "email", true },
    { "organisation", "Organisation of the contact centre", "text", false },
};
/* clang-format on */

static void form(struct page_call *p, const struct request *rq, int status, const char *problem)
{
    struct text t = page_begin(p);
    if (problem)
        text_add(&t, "<p class=\"problem\" role=\"alert\">%s</p>", problem);
    text_put(&t, SL("<p>Connect this business to the contact centre. An operator looks at what you send and answers by e-mail.</p>"
                    "<form method=\"post\" action=\"/amb/register\"><input type=\"hidden\" name=\"id\" value=\""));
    put_escaped(&t, p->key);
    text_put(&t, SL("\"><input type=\"hidden\" name=\"logo\" value=\""));
    put_escaped(&t, utf8_cut(field_of(p->a, rq, "logo"), FIELD_CHARS));
    text_put(&t, SL("\">"));
    for (size_t i = 0; i < COUNT(boxes); i++) {
        const struct box *b = &boxes[i];
        text_add(&t, "<label for=\"%s\">%s</label><input id=\"%s\" name=\"%s\" type=\"%s\" maxlength=\"%d\"%s value=\"", b->name, b->label, b->name, b->name,
                 b->type, FIELD_CHARS, b->required ? " required" : "");
        put_escaped(&t, utf8_cut(field_of(p->a, rq, b->name), FIELD_CHARS));
        text_put(&t, SL("\">"));
    }
    text_put(&t, SL("<label for=\"note\">Anything else</label><textarea id=\"note\" name=\"note\" rows=\"3\"></textarea><button>Send</button></form>"));
    page_end(p, &t, status);
}

/* ---- the page ----------------------------------------------------------------------------------------------------------- */

static bool has_account(const struct page_call *p)
{
    for (size_t i = 0; i < p->n_accounts; i++)
        if (slice_eq(setting(&p->accounts[i], APPLE_BUSINESS_ID), p->key))
            return true;
    return false;
}

static void keep(struct page_call *p, const struct request *rq)
{
    struct jw w = jw_new(p->a, PAGE_PART_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", p->key);
    jw_opt(&w, "logo", utf8_cut(field_of(p->a, rq, "logo"), FIELD_CHARS));
    for (size_t i = 0; i < COUNT(boxes); i++)
        jw_opt(&w, boxes[i].name, utf8_cut(utf8_repair(p->a, field_of(p->a, rq, boxes[i].name)), FIELD_CHARS));
    jw_opt(&w, "note", utf8_cut(utf8_repair(p->a, field_of(p->a, rq, "note")), NOTE_CHARS));
    jw_time(&w, "at", p->now_ms);
    jw_close(&w, '}');
    p->record[0] = jw_done(&w);
    p->keep = true;
    p->note = "asks to be registered";
}

void apple_register(struct page_call *p, const struct request *rq)
{
    if (!p->key.n) {
        say(p, 400, "The address does not name a business. Begin in Apple's register, at the business's Messaging Service Provider.");
        return;
    }
    if (has_account(p)) {
        say(p, 200, "This business is already registered.");
        return;
    }
    if (p->record[0].n) {
        say(p, 200, "This business has been sent for registration. The operator will answer by e-mail.");
        return;
    }
    if (!is_post(rq)) {
        form(p, rq, 200, NULL);
        return;
    }
    slice email = field_of(p->a, rq, "email");
    if (!field_of(p->a, rq, "name").n || slice_find_char(email, '@') == SIZE_MAX) {
        form(p, rq, 422, "A business name and an e-mail address are needed.");
        return;
    }
    keep(p, rq);
    say(p, 200, "Thank you. The operator will answer by e-mail.");
}
