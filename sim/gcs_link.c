/* gcs_link.c - reading by address: what is public, and signed links, whose canonical request is built here from what came in. Section "Links". */
#include "sim/gcs.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/url.h"

enum { PAIRS_MAX = 40 };

static void xml_error(struct sim_call *c, int status, const char *code, const char *message)
{
    sim_answer(c, status, SL("application/xml; charset=UTF-8"),
               arena_printf(c->x->a, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>%s</Message></Error>", code, message));
}

static int by_text(const void *p, const void *q)
{
    return slice_cmp(*(const slice *)p, *(const slice *)q);
}

/* All parameters but the signature, as they came, sorted. */
static slice canonical_query(struct arena *a, slice query)
{
    slice *pairs = ARENA_ARRAY(a, slice, PAIRS_MAX);
    size_t n = 0;
    while (query.n && n < PAIRS_MAX) {
        slice pair = slice_cut(&query, '&');
        if (!slice_starts(pair, SL("X-Goog-Signature=")))
            pairs[n++] = pair;
    }
    qsort(pairs, n, sizeof(*pairs), by_text);
    struct text t = text_new(a, SGCS_JSON_MAX);
    for (size_t i = 0; i < n; i++)
        text_add(&t, "%s" SLF, i ? "&" : "", SLA(pairs[i]));
    return text_slice(&t);
}

static slice canonical_headers(struct sim_call *c, slice names)
{
    struct text t = text_new(c->x->a, SGCS_JSON_MAX);
    while (names.n) {
        slice name = slice_cut(&names, ';'), value = exchange_header(c->x, arena_cstr(c->x->a, name));
        if (slice_eq(name, SL("host"))) /* without a port */
            value = slice_cut(&value, ':');
        text_add(&t, SLF ":" SLF "\n", SLA(name), SLA(slice_trim(value)));
    }
    return text_slice(&t);
}

static slice string_to_sign(struct sim_call *c, slice date, slice scope, slice names)
{
    struct arena *a = c->x->a;
    slice canonical = arena_printf(a, SLF "\n" SLF "\n" SLF "\n" SLF "\n" SLF "\nUNSIGNED-PAYLOAD", SLA(c->x->method), SLA(c->x->path),
                                   SLA(canonical_query(a, c->x->query)), SLA(canonical_headers(c, names)), SLA(names));
    struct sha256 sum = sha256(canonical);
    return arena_printf(a, "GOOG4-RSA-SHA256\n" SLF "\n" SLF "\n" SLF, SLA(date), SLA(scope), SLA(hex_encode(a, slice_mem(sum.b, sizeof(sum.b)))));
}

/* "20260315T094530Z" */
static bool date_read(struct arena *a, slice s, int64_t *ret_ms)
{
    return s.n == 16 && time_parse_rfc3339(arena_printf(a, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", s.p, s.p + 4, s.p + 6, s.p + 9, s.p + 11, s.p + 13), ret_ms);
}

/* False: answered. */
static bool link_good(struct sim_call *c, struct sgcs *g)
{
    struct arena *a = c->x->a;
    slice algorithm = exchange_query(c->x, "X-Goog-Algorithm"), credential = exchange_query(c->x, "X-Goog-Credential"),
          date = exchange_query(c->x, "X-Goog-Date"), names = exchange_query(c->x, "X-Goog-SignedHeaders"), scope = credential;
    int64_t from_ms, life_s;
    slice email = slice_cut(&scope, '/');
    if (!slice_eq(algorithm, SL("GOOG4-RSA-SHA256")) || !date_read(a, date, &from_ms) || !slice_int(exchange_query(c->x, "X-Goog-Expires"), &life_s) ||
        !slice_eq(scope, arena_printf(a, "%.8s/auto/storage/goog4_request", date.p)) || slice_find(names, SL("host")) == SIZE_MAX) {
        xml_error(c, 400, "AuthenticationRequired", "The query parameters of a signed URL are not valid.");
        return false;
    }
    if (life_s < 1 || life_s > SGCS_LINK_MAX_S) {
        xml_error(c, 400, "AuthorizationQueryParametersError", "X-Goog-Expires must be between 1 and 604800 seconds.");
        return false;
    }
    slice want = jwt_key_sign(a, g->account.key, string_to_sign(c, date, scope, names)); /* PKCS#1 v1.5: the same each time */
    if (!slice_eq(email, g->account.email) || g->account.revoked || !mac_is_hex(want, exchange_query(c->x, "X-Goog-Signature"))) {
        xml_error(c, 403, "SignatureDoesNotMatch", "Access denied.");
        return false;
    }
    int64_t now_ms = time_now_ms();
    if (now_ms > from_ms + life_s * 1000 || now_ms < from_ms - SIM_ACCOUNT_CLOCK_MS) {
        xml_error(c, 400, "ExpiredToken", "Invalid argument.");
        return false;
    }
    return true;
}

void sgcs_link_get(struct sim_call *c, void *ctx)
{
    struct sgcs *g = ctx;
    slice bucket = c->params[0], name = c->params[1];
    name = url_decode(c->x->a, name);
    struct sgcs_object *o = sgcs_find(g, bucket, name);
    bool is_signed = exchange_query(c->x, "X-Goog-Signature").n != 0;
    if (is_signed && !link_good(c, g))
        return;
    if (!sgcs_bucket_there(g, bucket))
        xml_error(c, 404, "NoSuchBucket", "The specified bucket does not exist.");
    else if (!is_signed && !(o && o->is_public))
        xml_error(c, 403, "AccessDenied", "Access denied.");
    else if (!o)
        xml_error(c, 404, "NoSuchKey", "The specified key does not exist.");
    else if (is_signed && g->forbidden)
        xml_error(c, 403, "AccessDenied", "Access denied.");
    else
        sgcs_send_object(c, o);
}
