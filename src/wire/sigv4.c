#include "wire/sigv4.h"
#include "wire/hex.h"
#include "wire/pairs.h"
#include "wire/url.h"

/* What differs between Amazon and Google. */
/* clang-format off */
static const struct flavour {
    const char *algorithm, *seed, *last, *query;
} flavours[] = {
    [SIGV4_AWS]       = { "AWS4-HMAC-SHA256",  "AWS4",  "aws4_request", "X-Amz-" },
    [SIGV4_GOOG_RSA]  = { "GOOG4-RSA-SHA256",  NULL,    "goog4_request", "X-Goog-" },
    [SIGV4_GOOG_HMAC] = { "GOOG4-HMAC-SHA256", "GOOG4", "goog4_request", "X-Goog-" },
};
/* clang-format on */

void sigv4_time(int64_t ms, char ret[SIGV4_TIME_BYTES])
{
    char at[TIME_RFC3339_BYTES]; /* 2026-03-15T09:45:30.000Z */
    time_rfc3339_buf(ms, at);
    snprintf(ret, SIGV4_TIME_BYTES, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", at, at + 5, at + 8, at + 11, at + 14, at + 17);
}

static slice hex_sha256(struct arena *a, slice s)
{
    struct sha256 sum = sha256(s);
    return hex_encode(a, slice_mem(sum.b, sizeof(sum.b)));
}

/* date/region/service/aws4_request */
static slice scope_of(struct arena *a, const struct sigv4_key *key, const char *time)
{
    return arena_printf(a, "%.8s/" SLF "/" SLF "/%s", time, SLA(key->region), SLA(key->service), flavours[key->kind].last);
}

/* ---- the canonical request --------------------------------------------------------------------------------------- */

/* Escaped anew, so that "+", "%7e" and plain letters of other scripts have one form. */
static slice encoded(struct arena *a, slice s)
{
    slice plain = url_decode(a, s);
    return url_encode(a, plain.p ? plain : s);
}

static bool put_query(struct arena *a, struct text *t, slice query)
{
    struct pair *pairs = ARENA_ARRAY(a, struct pair, SIGV4_PAIRS_MAX);
    size_t n = 0;
    while (query.n) {
        slice value = slice_cut(&query, '&'), name = slice_cut(&value, '=');
        if (n == SIGV4_PAIRS_MAX)
            return false;
        pairs[n++] = (struct pair){ encoded(a, name), encoded(a, value) };
    }
    pairs_sort(pairs, n);
    for (size_t i = 0; i < n; i++)
        text_add(t, "%s" SLF "=" SLF, i ? "&" : "", SLA(pairs[i].name), SLA(pairs[i].value));
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Trimmed, inner runs of white space as one space. */
static slice collapsed(struct arena *a, slice s)
{
    s = slice_trim(s);
    char *to = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (!is_space(s.p[i]))
            to[n++] = s.p[i];
        else if (!is_space(s.p[i - 1])) /* the first byte is none */
            to[n++] = ' ';
    return slice_mem(to, n);
}

/* Sorted by name; values of one name stay in their order and are joined. */
static size_t headers_sort(struct arena *a, const struct sigv4_request *rq, struct pair *to)
{
    size_t n = 0;
    for (size_t i = 0; i < rq->n_headers; i++) {
        struct pair h = { arena_lower(a, rq->headers[i].name), collapsed(a, rq->headers[i].value) };
        size_t at = n;
        while (at && slice_cmp(to[at - 1].name, h.name) > 0)
            at--;
        if (at && slice_eq(to[at - 1].name, h.name)) {
            to[at - 1].value = arena_printf(a, SLF "," SLF, SLA(to[at - 1].value), SLA(h.value));
            continue;
        }
        memmove(to + at + 1, to + at, (n - at) * sizeof(*to));
        to[at] = h;
        n++;
    }
    return n;
}

slice sigv4_canonical(struct arena *a, const struct sigv4_request *rq, slice *ret_signed_headers)
{
    struct text t = text_new(a, SIGV4_TEXT_MAX), names = text_new(a, SIGV4_TEXT_MAX);
    struct pair headers[SIGV4_HEADERS_MAX];
    if (rq->n_headers > SIGV4_HEADERS_MAX)
        return SLICE_NONE;
    text_add(&t, "%s\n" SLF "\n", rq->method, SLA(slice_or(rq->path, SL("/"))));
    if (!put_query(a, &t, rq->query))
        return SLICE_NONE;
    text_char(&t, '\n');
    size_t n = headers_sort(a, rq, headers);
    for (size_t i = 0; i < n; i++) {
        text_add(&t, SLF ":" SLF "\n", SLA(headers[i].name), SLA(headers[i].value));
        text_add(&names, "%s" SLF, i ? ";" : "", SLA(headers[i].name));
    }
    text_add(&t, "\n" SLF "\n" SLF, SLA(text_slice(&names)), SLA(slice_or(rq->payload, SIGV4_UNSIGNED)));
    *ret_signed_headers = text_slice(&names);
    return t.over || names.over ? SLICE_NONE : text_slice(&t);
}

/* ---- signing ----------------------------------------------------------------------------------------------------- */

static slice mac(struct arena *a, slice key, slice text)
{
    struct sha256 m = hmac_sha256(key, text);
    return arena_dup(a, slice_mem(m.b, sizeof(m.b)));
}

static slice sign(struct arena *a, const struct sigv4_key *key, const char *time, slice text)
{
    const struct flavour *fl = &flavours[key->kind];
    if (key->kind == SIGV4_GOOG_RSA) {
        slice sig = jwt_key_sign(a, key->rsa, text);
        return sig.p ? hex_encode(a, sig) : SLICE_NONE;
    }
    slice k = mac(a, arena_printf(a, "%s" SLF, fl->seed, SLA(key->secret)), slice_mem(time, 8));
    k = mac(a, mac(a, mac(a, k, key->region), key->service), slice_of(fl->last));
    return hex_encode(a, mac(a, k, text));
}

slice sigv4_signature(struct arena *a, const struct sigv4_key *key, slice canonical, int64_t now_ms)
{
    char time[SIGV4_TIME_BYTES];
    sigv4_time(now_ms, time);
    return sign(a, key, time,
                arena_printf(a, "%s\n%s\n" SLF "\n" SLF, flavours[key->kind].algorithm, time, SLA(scope_of(a, key, time)),
                             SLA(hex_sha256(a, canonical))));
}

slice sigv4_authorization(struct arena *a, const struct sigv4_key *key, const struct sigv4_request *rq, int64_t now_ms)
{
    slice names, canonical = sigv4_canonical(a, rq, &names);
    char time[SIGV4_TIME_BYTES];
    sigv4_time(now_ms, time);
    slice signature = canonical.p ? sigv4_signature(a, key, canonical, now_ms) : SLICE_NONE;
    if (!signature.p)
        return SLICE_NONE;
    return arena_printf(a, "%s Credential=" SLF "/" SLF ", SignedHeaders=" SLF ", Signature=" SLF, flavours[key->kind].algorithm, SLA(key->id),
                        SLA(scope_of(a, key, time)), SLA(names), SLA(signature));
}

slice sigv4_presign(struct arena *a, const struct sigv4_key *key, const struct sigv4_request *rq, int64_t now_ms, int64_t expires_s)
{
    const struct flavour *fl = &flavours[key->kind];
    char time[SIGV4_TIME_BYTES];
    sigv4_time(now_ms, time);
    struct sigv4_request signed_rq = *rq;
    slice names;
    if (!sigv4_canonical(a, rq, &names).p)
        return SLICE_NONE;
    struct text q = text_new(a, SIGV4_TEXT_MAX);
    slice credential = url_encode(a, arena_printf(a, SLF "/" SLF, SLA(key->id), SLA(scope_of(a, key, time))));
    text_add(&q, "%sAlgorithm=%s&%sCredential=" SLF "&%sDate=%s&%sExpires=%lld&%sSignedHeaders=" SLF, fl->query, fl->algorithm, fl->query,
             SLA(credential), fl->query, time, fl->query, (long long)expires_s, fl->query, SLA(url_encode(a, names)));
    if (key->token.n)
        text_add(&q, "&%sSecurity-Token=" SLF, fl->query, SLA(url_encode(a, key->token)));
    if (rq->query.n)
        text_add(&q, "&" SLF, SLA(rq->query));
    signed_rq.query = text_slice(&q);
    slice canonical = q.over ? SLICE_NONE : sigv4_canonical(a, &signed_rq, &names);
    slice signature = canonical.p ? sigv4_signature(a, key, canonical, now_ms) : SLICE_NONE;
    if (!signature.p)
        return SLICE_NONE;
    return arena_printf(a, SLF "&%sSignature=" SLF, SLA(signed_rq.query), fl->query, SLA(signature));
}

slice sigv4_chunk(struct arena *a, const struct sigv4_key *key, slice before, slice chunk, int64_t now_ms)
{
    char time[SIGV4_TIME_BYTES];
    sigv4_time(now_ms, time);
    return sign(a, key, time,
                arena_printf(a, "AWS4-HMAC-SHA256-PAYLOAD\n%s\n" SLF "\n" SLF "\n" SLF "\n" SLF, time, SLA(scope_of(a, key, time)), SLA(before),
                             SLA(SIGV4_EMPTY), SLA(hex_sha256(a, chunk))));
}
