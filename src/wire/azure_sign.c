#include "wire/azure_sign.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/pairs.h"
#include "wire/url.h"

enum { SIGNED_MAX = 65536, PAIRS_MAX = 32 };

/* ---- Shared Key ---------------------------------------------------------------------------------------------------- */

static slice header(const struct azure_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_headers; i++)
        if (slice_eq_nocase(rq->headers[i].name, slice_of(name)))
            return rq->headers[i].value;
    return SLICE_NONE;
}

static bool put_headers(struct arena *a, struct text *t, const struct azure_request *rq)
{
    struct pair pairs[AZURE_HEADERS_MAX];
    size_t n = 0;
    if (rq->n_headers > AZURE_HEADERS_MAX)
        return false;
    for (size_t i = 0; i < rq->n_headers; i++) {
        slice name = arena_lower(a, rq->headers[i].name);
        if (slice_starts(name, SL("x-ms-")))
            pairs[n++] = (struct pair){ name, slice_trim(rq->headers[i].value) };
    }
    pairs_sort(pairs, n);
    for (size_t i = 0; i < n; i++)
        text_add(t, SLF ":" SLF "\n", SLA(pairs[i].name), SLA(pairs[i].value));
    return true;
}

static bool put_resource(struct arena *a, struct text *t, const struct azure_key *key, const struct azure_request *rq)
{
    struct pair pairs[PAIRS_MAX];
    size_t n = 0;
    slice query = rq->query;
    text_add(t, "/" SLF SLF, SLA(key->account), SLA(rq->path));
    while (query.n) {
        slice value = slice_cut(&query, '&'), name = slice_cut(&value, '=');
        if (n == PAIRS_MAX)
            return false;
        slice plain = url_decode(a, value);
        pairs[n++] = (struct pair){ arena_lower(a, url_decode(a, name)), plain.p ? plain : value };
    }
    pairs_sort(pairs, n);
    for (size_t i = 0; i < n; i++) {
        bool again = i && slice_eq(pairs[i].name, pairs[i - 1].name);
        text_add(t, again ? "," : "\n");
        if (!again)
            text_add(t, SLF ":", SLA(pairs[i].name));
        text_put(t, pairs[i].value);
    }
    return true;
}

slice azure_string_to_sign(struct arena *a, const struct azure_key *key, const struct azure_request *rq)
{
    static const char *const before[] = { "Content-Encoding", "Content-Language" };
    static const char *const behind[] = { "Content-MD5", "Content-Type", "Date", "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range" };
    struct text t = text_new(a, SIGNED_MAX);
    text_add(&t, "%s\n", rq->method);
    for (size_t i = 0; i < COUNT(before); i++)
        text_add(&t, SLF "\n", SLA(header(rq, before[i])));
    if (rq->length > 0)
        text_add(&t, "%lld", (long long)rq->length);
    text_char(&t, '\n');
    bool dated = header(rq, "x-ms-date").n != 0;
    for (size_t i = 0; i < COUNT(behind); i++)
        text_add(&t, SLF "\n", SLA(dated && strcmp(behind[i], "Date") == 0 ? SLICE_NONE : header(rq, behind[i])));
    bool whole = put_headers(a, &t, rq) && put_resource(a, &t, key, rq);
    return whole && !t.over ? text_slice(&t) : SLICE_NONE;
}

static slice signed_by(struct arena *a, const struct azure_key *key, slice text)
{
    struct sha256 mac = hmac_sha256(key->key, text);
    return base64_encode(a, slice_mem(mac.b, sizeof(mac.b)));
}

slice azure_authorization(struct arena *a, const struct azure_key *key, const struct azure_request *rq)
{
    slice text = azure_string_to_sign(a, key, rq);
    return text.p ? arena_printf(a, "SharedKey " SLF ":" SLF, SLA(key->account), SLA(signed_by(a, key, text))) : SLICE_NONE;
}

/* ---- SAS ------------------------------------------------------------------------------------------------------------- */

static slice sas_time(struct arena *a, int64_t ms)
{
    char at[TIME_RFC3339_BYTES];
    if (!ms)
        return SLICE_NONE;
    time_rfc3339_buf(ms, at);
    return arena_printf(a, "%.19sZ", at);
}

slice azure_sas(struct arena *a, const struct azure_key *key, const struct azure_sas *sas)
{
    const struct pair pairs[] = { /* in the order they are signed; without a name: not a parameter */
        { SL("sp"), sas->permissions },
        { SL("st"), sas_time(a, sas->from_ms) },
        { SL("se"), sas_time(a, sas->until_ms) },
        { SLICE_NONE, arena_printf(a, "/blob/" SLF "/" SLF "/" SLF, SLA(key->account), SLA(sas->container), SLA(sas->blob)) },
        { SL("si"), SLICE_NONE },
        { SL("sip"), SLICE_NONE },
        { SL("spr"), sas->https_only ? SL("https") : SLICE_NONE },
        { SL("sv"), SL(AZURE_VERSION) },
        { SL("sr"), SL("b") },
        { SLICE_NONE, SLICE_NONE }, /* snapshot */
        { SL("ses"), SLICE_NONE },
        { SL("rscc"), SLICE_NONE },
        { SL("rscd"), sas->disposition },
        { SL("rsce"), SLICE_NONE },
        { SL("rscl"), SLICE_NONE },
        { SL("rsct"), sas->type },
    };
    struct text t = text_new(a, SIGNED_MAX), q = text_new(a, SIGNED_MAX);
    for (size_t i = 0; i < COUNT(pairs); i++) {
        text_add(&t, "%s" SLF, i ? "\n" : "", SLA(pairs[i].value));
        if (pairs[i].name.n && pairs[i].value.n)
            query_add(&q, pairs[i].name, pairs[i].value);
    }
    query_add(&q, SL("sig"), signed_by(a, key, text_slice(&t)));
    return q.over || t.over ? SLICE_NONE : text_slice(&q);
}
