#include "hub/refused.h"
#include "hub/registry.h"
#include "hub/rig_test.h"
#include "wire/base64.h"
#include "wire/crypto.h"

static slice sign(struct arena *a, slice key, slice body)
{
    struct sha256 mac = hmac_sha256(key, body);
    return base64_encode(a, slice_mem(mac.b, sizeof(mac.b)));
}

static struct refused_finding look(struct rig *r, struct refusals *rs, slice signature, slice body, const char *path, const char *result)
{
    struct header headers[] = { { SL("X-Sig"), signature }, { SL("Cookie"), SL("private") } };
    struct request rq = { .method = SL("POST"), .path = slice_of(path), .body = body, .headers = signature.p ? headers : headers + 1, .n_headers = signature.p ? 2 : 1 };
    struct fault f = { 0 };
    fault(&f, "bad_signature", "X-Sig", "as it was");
    refused_note(rs, r->net->account.type, &rq, SL("192.0.2.1:5"), result, &f);
    CHECK(refused_first(rs)->n_headers == (signature.p ? 1u : 0u)); /* no cookie */
    struct refused_finding found;
    refused_look(&r->hub, r->a, refused_first(rs), r->net, &found);
    CHECK(found.text.n > 0);
    return found;
}

TEST(refused_webhooks_tell_which_part_is_wrong)
{
    struct rig *r = rig_new();
    struct refusals *rs = refusals_new();
    slice body = SL("{\"events\":[]}"), secret = SL("sesame"), good = sign(r->a, secret, body);
    CHECK_INT(look(r, rs, SLICE_NONE, body, "", "bad_signature").part, REFUSED_HEADER);
    CHECK_INT(look(r, rs, SL("too short"), body, "", "bad_signature").part, REFUSED_HEADER);
    CHECK_INT(look(r, rs, sign(r->a, SL("another"), body), body, "", "bad_signature").part, REFUSED_SECRET);
    CHECK_INT(look(r, rs, good, SL("{\"events\":[]}\n"), "", "bad_signature").part, REFUSED_BODY);
    CHECK_INT(look(r, rs, good, SL("{ \"events\" : [] }"), "", "bad_signature").part, REFUSED_BODY);
    CHECK_INT(look(r, rs, sign(r->a, secret, SL("{\"events\":[]}\n")), body, "", "bad_signature").part, REFUSED_BODY);
    CHECK_INT(look(r, rs, good, SL("{\"events\":[7]}"), "", "bad_signature").part, REFUSED_SECRET);
    CHECK_INT(look(r, rs, good, body, "", "bad_signature").part, REFUSED_GOOD);
    CHECK_INT(look(r, rs, good, body, "/t/tnet", "bad_signature").part, REFUSED_GOOD);
    CHECK_INT(look(r, rs, good, body, "no/such", "unknown").part, REFUSED_ACCOUNT);
    CHECK_INT(look(r, rs, good, body, "", "malformed").part, REFUSED_CONTENT);
    refusals_free(rs);
    rig_free(r);
}

TEST(refused_webhooks_are_bounded)
{
    struct rig *r = rig_new();
    struct refusals *rs = refusals_new();
    char *large = must_calloc(1, REFUSED_BODY_MAX + 10);
    memset(large, 'x', REFUSED_BODY_MAX + 10);
    for (int i = 0; i < 3 * REFUSED_OF_TYPE; i++)
        look(r, rs, sign(r->a, SL("no"), SL("x")), slice_mem(large, REFUSED_BODY_MAX + 10), "", "bad_signature");
    size_t n = 0;
    for (const struct refused *one = refused_first(rs); one; one = one->next, n++) {
        CHECK_INT((int64_t)one->number, 3 * REFUSED_OF_TYPE - (int64_t)n); /* the newest, in order */
        CHECK(one->body.n == REFUSED_BODY_MAX && one->body_bytes == REFUSED_BODY_MAX + 10);
    }
    CHECK_INT((int64_t)n, REFUSED_OF_TYPE);
    free(large);
    refusals_free(rs);
    rig_free(r);
}
