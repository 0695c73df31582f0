#include "sim/genesys_cloud.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* ---- answers ----------------------------------------------------------------------------------------------------------------- */

void sgc_correlate(struct sim_call *c)
{
    slice id = sgc_uuid(c->x->a);
    sim_header(c, "ININ-Correlation-Id", id);
}

static slice correlation(const struct sim_call *c)
{
    for (size_t i = 0; i < c->n_headers; i++)
        if (slice_eq(c->headers[i].name, SL("ININ-Correlation-Id")))
            return c->headers[i].value;
    return SLICE_NONE;
}

void sgc_json(struct sim_call *c, int status, slice body)
{
    if (!correlation(c).p)
        sgc_correlate(c);
    sim_json(c, status, body);
}

struct jw sgc_writer(struct sim_call *c)
{
    return jw_new(c->x->a, SGC_ANSWER_MAX);
}

/* "3. Common rules", the error body. */
static void error_body(struct sim_call *c, int status, const char *code, slice message, slice entity)
{
    if (!correlation(c).p)
        sgc_correlate(c);
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "message", message);
    jw_str(&w, "code", slice_of(code));
    jw_int(&w, "status", status);
    if (entity.p)
        jw_str(&w, "entityId", entity);
    jw_str(&w, "contextId", correlation(c));
    jw_open(&w, "details", '[');
    jw_close(&w, ']');
    jw_open(&w, "errors", '[');
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, status, jw_done(&w));
}

void sgc_error(struct sim_call *c, int status, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    slice message = arena_vprintf(c->x->a, fmt, ap);
    va_end(ap);
    error_body(c, status, code, message, SLICE_NONE);
}

void sgc_not_found(struct sim_call *c, const char *what, slice id)
{
    error_body(c, 404, "not.found",
               arena_printf(c->x->a, "Unable to find the %s with id " SLF ".", what, SLA(id)), id);
}

const struct js *sgc_body(struct sim_call *c)
{
    struct fault f = { 0 };
    const struct js *doc = js_parse(c->x->a, c->x->body, &f);
    if (doc && js_is_object(doc))
        return doc;
    sgc_error(c, 400, "bad.request",
              "The request could not be understood by the server due to malformed syntax.");
    return NULL;
}

void sgc_ref(struct jw *w, const char *key, slice id, const char *path)
{
    jw_open(w, key, '{');
    jw_str(w, "id", id);
    struct text uri = text_new(w->t.a, 512);
    text_add(&uri, "%s/" SLF, path, SLA(id));
    jw_str(w, "selfUri", text_slice(&uri));
    jw_close(w, '}');
}

/* ---- lists in pages ---------------------------------------------------------------------------------------------------------- */

enum { PAGE_STANDARD = 25, PAGE_MAX = 500 };

static int64_t query_int(const struct sim_call *c, const char *name, int64_t standard, int64_t max)
{
    int64_t n;
    return slice_int(exchange_query(c->x, name), &n) && n >= 1 ? MIN(n, max) : standard;
}

static void page_uri(struct sim_call *c, struct jw *w, const char *key, int64_t size, int64_t number)
{
    jw_str(w, key,
           arena_printf(c->x->a, SLF "?pageSize=%lld&pageNumber=%lld", SLA(c->x->path), (long long)size,
                        (long long)number));
}

void sgc_answer_list(struct sgc *g, struct sim_call *c, const struct sgc_listing *l)
{
    int64_t size = query_int(c, "pageSize", PAGE_STANDARD, PAGE_MAX);
    int64_t number = query_int(c, "pageNumber", 1, INT32_MAX), total = 0;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_open(&w, "entities", '[');
    for (size_t i = 0; i < l->list->n; i++) {
        const void *item = l->list->items[i];
        if (l->keep && !l->keep(item, l->arg))
            continue;
        if (total >= (number - 1) * size && total < number * size)
            l->item(g, &w, item);
        total++;
    }
    jw_close(&w, ']');
    int64_t pages = (total + size - 1) / size;
    jw_int(&w, "pageSize", size);
    jw_int(&w, "pageNumber", number);
    jw_int(&w, "total", total);
    jw_int(&w, "pageCount", pages);
    page_uri(c, &w, "firstUri", size, 1);
    page_uri(c, &w, "selfUri", size, number);
    if (number < pages)
        page_uri(c, &w, "nextUri", size, number + 1);
    if (number > 1)
        page_uri(c, &w, "previousUri", size, number - 1);
    page_uri(c, &w, "lastUri", size, MAX(pages, 1));
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

/* ---- digests and encodings: OpenSSL's, so that a fault of the hub's own cannot hide here --------------------------------------- */

slice sgc_base64(struct arena *a, slice bytes)
{
    assert(bytes.n < INT32_MAX / 2);
    unsigned char *p = arena_alloc(a, (bytes.n + 2) / 3 * 4 + 1);
    int n = EVP_EncodeBlock(p, (const unsigned char *)bytes.p, (int)bytes.n);
    return slice_mem(p, (size_t)n);
}

bool sgc_unbase64(struct arena *a, slice text, slice *ret)
{
    if (text.n % 4 || text.n >= INT32_MAX)
        return false;
    unsigned char *p = arena_alloc(a, text.n / 4 * 3 + 1);
    int n = EVP_DecodeBlock(p, (const unsigned char *)text.p, (int)text.n);
    if (n < 0)
        return false;
    size_t padding = slice_ends(text, SL("==")) ? 2 : slice_ends(text, SL("=")) ? 1 : 0;
    *ret = slice_mem(p, (size_t)n - padding);
    return true;
}

static slice to_hex(struct arena *a, const unsigned char *raw, size_t n)
{
    char *p = arena_alloc(a, 2 * n + 1);
    for (size_t i = 0; i < n; i++)
        snprintf(p + 2 * i, 3, "%02x", raw[i]);
    return slice_mem(p, 2 * n);
}

static size_t hmac(slice key, slice data, unsigned char mac[EVP_MAX_MD_SIZE])
{
    unsigned n = 0;
    assert(key.n < INT32_MAX);
    HMAC(EVP_sha256(), key.p ? key.p : "", (int)key.n, (const unsigned char *)data.p, data.n, mac, &n);
    return n;
}

slice sgc_hmac_base64(struct arena *a, slice key, slice data)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t n = hmac(key, data, mac);
    return sgc_base64(a, slice_mem(mac, n));
}

slice sgc_hmac_hex(struct arena *a, slice key, slice data)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t n = hmac(key, data, mac);
    return to_hex(a, mac, n);
}

slice sgc_sha256_hex(struct arena *a, slice data)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_Digest(data.p ? data.p : "", data.n, md, &n, EVP_sha256(), NULL);
    return to_hex(a, md, n);
}

static int digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch = (char)(ch | 0x20);
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

slice sgc_form(struct arena *a, slice body, const char *name)
{
    while (body.n) {
        slice value = slice_cut(&body, '&'), key = slice_cut(&value, '=');
        if (!slice_eq(key, slice_of(name)))
            continue;
        char *p = arena_alloc(a, value.n + 1);
        size_t n = 0;
        for (size_t i = 0; i < value.n; i++) {
            bool escape = value.p[i] == '%' && i + 2 < value.n && digit(value.p[i + 1]) >= 0 &&
                          digit(value.p[i + 2]) >= 0;
            p[n++] = escape              ? (char)(digit(value.p[i + 1]) * 16 + digit(value.p[i + 2]))
                     : value.p[i] == '+' ? ' '
                                         : value.p[i];
            i += escape ? 2 : 0;
        }
        return slice_mem(p, n);
    }
    return SLICE_NONE;
}
