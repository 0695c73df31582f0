/* The ways in: a request is signed, verified, routed and received as accept does it. */
#include "hub/verify.h"
#include "tests/cases/run.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/jwks.h"
#include "wire/jwt_test_keys.h"

struct js_list run_headers(struct run *r, slice *rest)
{
    struct js_list headers = { 0 };
    while (rest->p && rest->n) {
        slice line = slice_cut(rest, '\n');
        if (!line.n)
            break;
        slice name = slice_trim(slice_cut(&line, ':'));
        *LIST_ADD(r->a, &headers, struct header) =
            (struct header){ name, line.p ? slice_trim(line) : SL("") };
    }
    return headers;
}

/* What a sender that holds the secret would put into the header. */
static slice signature(struct arena *a, const struct hook *h, slice secret, slice body)
{
    slice text = SLICE_NONE;
    struct sha256 mac = hmac_sha256(secret, body);
    slice bytes = slice_mem(mac.b, sizeof(mac.b));
    if (h->how == VERIFY_HEADER_EQUAL)
        text = secret;
    else if (h->how == VERIFY_HMAC_SHA256_BASE64)
        text = base64_encode(a, bytes);
    else if (h->how == VERIFY_HMAC_SHA256_HEX)
        text = hex_encode(a, bytes);
    return text.p ? arena_printf(a, "%s" SLF, h->prefix ? h->prefix : "", SLA(text)) : SLICE_NONE;
}

/* What is signed where the time in a header is signed, too. */
static slice stamped(struct run *r, const struct js_list *headers, slice body)
{
    const struct hook *hook = &r->k->hook;
    for (size_t i = 0; hook->stamp && i < headers->n; i++) {
        const struct header *h = LIST_AT(*headers, struct header, i);
        if (slice_eq_nocase(h->name, slice_of(hook->stamp)))
            return arena_printf(r->a, "%s" SLF ":" SLF, hook->stamp_before, SLA(h->value), SLA(body));
    }
    return body;
}

/* VERIFY_JWT: the key of RFC 7515 A.2, published as "test" unless the case says otherwise in section "keys"; section "claims" is what is signed,
 * section "kid" whose key it says it is. */
static bool sign_token(struct run *r, struct header *h)
{
    struct fault f = { 0 };
    CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_pem(slice_of(pem_private), &f);
    slice kid = slice_or(casefile_text(r->cf, "kid"), SL("test")), claims = slice_or(casefile_text(r->cf, "claims"), r->claims);
    slice token = key ? jwt_sign(r->a, key, kid, claims, &f) : SLICE_NONE;
    h->value = arena_printf(r->a, "%s" SLF, r->k->hook.prefix ? r->k->hook.prefix : "", SLA(token));
    return token.p ? true : case_fail(r, "claims: %s", f.text);
}

static bool publish_keys(struct run *r)
{
    struct fault f = { 0 };
    slice keys = slice_or(casefile_text(r->cf, "keys"),
                          SL("{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"test\",\"n\":\"" RFC7515_N "\",\"e\":\"AQAB\",\"endorsements\":[\"msteams\"]}]}"));
    r->keys = jwks_parse(keys, &f);
    r->call.keys = r->keys;
    return r->keys ? true : case_fail(r, "section \"keys\": %s", f.text);
}

static bool sign(struct run *r, struct header *h, slice body)
{
    if (!slice_starts(h->value, SL("@sign")))
        return true;
    if (r->k->hook.how == VERIFY_JWT)
        return sign_token(r, h);
    int64_t which = 0;
    slice number = slice_trim(slice_from(h->value, 5));
    if ((number.n && !slice_int(number, &which)) || which < 0 || which >= (int64_t)r->k->hook.n_secrets)
        return case_fail(r, SLF ": no such secret: " SLF, SLA(h->name), SLA(h->value));
    h->value = signature(r->a, &r->k->hook, r->account.settings[r->k->hook.secrets[which]], body);
    return h->value.p ? true : case_fail(r, "%s has no signature the runner could make", r->k->name);
}

/* The part of path behind the hook's own path (or that with the account's id); false: another path. */
static bool below(struct run *r, slice path, const char *of, slice *ret)
{
    slice own = slice_of(of);
    if (!of || !slice_starts(path, own))
        return false;
    slice rest = slice_from(path, own.n);
    slice with_id = arena_printf(r->a, "/" SLF, SLA(r->account.id));
    if (slice_starts(rest, with_id))
        rest = slice_from(rest, with_id.n);
    if (rest.n && rest.p[0] != '/')
        return false;
    *ret = rest;
    return true;
}

static bool refused(struct run *r, slice want)
{
    struct fault *f = &r->fault;
    if (!f->code)
        return case_fail(r, "refused without saying why");
    if (!want.p && !r->update)
        return case_fail(r, "refused: %s %s: %s", f->code, f->field, f->text);
    return expect_text(r, "fault", run_fault(r), SLICE_NONE);
}

static bool is_route_case(struct run *r, slice want, const struct request *rq, bool *ret)
{
    *ret = slice_starts(want, SL("route"));
    if (!*ret)
        return true;
    slice key = r->k->route_key ? r->k->route_key(r->a, rq) : SLICE_NONE;
    slice got = key.p ? arena_printf(r->a, "route " SLF, SLA(key)) : SL("route");
    return expect_text(r, "fault", got, SLICE_NONE);
}

static bool received(struct run *r, struct inbox *in)
{
    return (!in->ask || run_ask(r, in)) && expect_inbox(r, in) && expect_memories(r);
}

/* A page with a record: "record" is its first part before, "kept" afterwards. */
static bool run_page(struct run *r, const struct route_extra *page, struct call *c, const struct request *rq)
{
    struct inbox in;
    slice before = casefile_text(r->cf, "record");
    struct record record = { .public_url = r->account.public_url, .accounts = &r->call, .n_accounts = 1, .key = page->record->key(r->a, rq), .part = { before } };
    inbox_init(&in, r->a);
    record.to = page->record->moves_to ? page->record->moves_to(r->a, rq) : SLICE_NONE;
    memcpy(c->random, r->call.random, sizeof(c->random));
    c->record = &record;
    if (!page->receive(c, rq, &in))
        return refused(r, casefile_text(r->cf, "fault"));
    return expect_inbox(r, &in) && expect_text(r, "kept", record.keep ? record.part[0] : SLICE_NONE, SLICE_NONE);
}

bool run_receive(struct run *r)
{
    slice rest = casefile_text(r->cf, "request");
    slice first = slice_cut(&rest, '\n');
    struct js_list headers = run_headers(r, &rest);
    slice target = first;
    struct request rq = { .method = slice_cut(&target, ' '), .body = rest.p ? rest : SL("") };
    slice query = slice_trim(target);
    slice path = slice_cut(&query, '?');
    rq.query = query;
    for (size_t i = 0; i < headers.n; i++)
        if (!sign(r, LIST_AT(headers, struct header, i), stamped(r, &headers, rq.body)))
            return false;
    rq.headers = headers.items;
    rq.n_headers = headers.n;

    slice want = casefile_text(r->cf, "fault");
    struct inbox in;
    inbox_init(&in, r->a);
    for (size_t i = 0; i < r->k->n_routes; i++) {
        const struct route_extra *page = &r->k->routes[i];
        if (!below(r, path, page->path, &rq.path) || !slice_eq(rq.method, slice_of(page->method)))
            continue;
        struct call nobodys = { .a = r->a, .now_ms = r->call.now_ms, .f = &r->fault };
        if (page->record)
            return run_page(r, page, &nobodys, &rq);
        bool mine = !page->mine || page->mine(&r->call, &rq);
        if (!page->receive(mine ? &r->call : &nobodys, &rq, &in))
            return refused(r, want);
        return want.p ? case_fail(r, "was not refused") : received(r, &in);
    }
    if (!below(r, path, r->k->hook.path, &rq.path))
        return case_fail(r, "%s serves no path " SLF, r->k->name, SLA(path));

    if (r->k->probe && r->k->probe(r->a, &rq))
        return want.p ? case_fail(r, "was not refused") : expect_inbox(r, &in);
    bool route_only = false;
    if (r->k->hook.how == VERIFY_JWT && !publish_keys(r))
        return false;
    if (!is_route_case(r, want, &rq, &route_only) || route_only)
        return !r->why.p;
    bool good = hook_verify(&r->call, &rq, &rq.body, &r->fault);
    if (slice_eq(want, SL("signature")))
        return good ? case_fail(r, "the signature was taken for good") : true;
    if (!good)
        return case_fail(r, "signature: %s", r->fault.text);
    if (!r->k->receive(&r->call, &rq, &in))
        return refused(r, want);
    if (want.p)
        return case_fail(r, "was not refused, want " SLF, SLA(want));
    return received(r, &in);
}
