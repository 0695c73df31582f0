#include "hub/refused.h"
#include "hub/keys.h"
#include "hub/verify.h"
#include "wire/base64.h"
#include "wire/hex.h"

struct refusals {
    struct refused *first;
    uint64_t numbers;
};
const char *const refused_parts[REFUSED_PARTS] = { "good", "header", "clock", "secret", "body", "account", "content" };

struct refusals *refusals_new(void)
{
    return must_calloc(1, sizeof(struct refusals));
}

void refusals_free(struct refusals *rs)
{
    if (!rs)
        return;
    for (struct refused *r = rs->first, *next; r; r = next) {
        next = r->next;
        arena_free(r->a); /* it lives in it */
    }
    free(rs);
}

const struct refused *refused_first(const struct refusals *rs)
{
    return rs->first;
}

/* ---- keeping --------------------------------------------------------------------------------------------------------------- */

/* Cookies and the like are nobody's business; what connectors verify by begins with x-, or is one of these. */
static bool is_kept(slice name)
{
    static const slice kept[] = { SLI("Content-Type"), SLI("Content-Encoding"), SLI("User-Agent"), SLI("Date"), SLI("Authorization") };
    if (name.n > 2 && slice_eq_nocase(slice_sub(name, 0, 2), SL("x-")))
        return true;
    for (size_t i = 0; i < COUNT(kept); i++)
        if (slice_eq_nocase(kept[i], name))
            return true;
    return false;
}

static void make_room(struct refusals *rs, const struct connector *type)
{
    size_t n = 0;
    for (struct refused **at = &rs->first; *at;) {
        struct refused *r = *at;
        if (r->type != type || ++n < REFUSED_OF_TYPE) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        arena_free(r->a);
    }
}

void refused_note(struct refusals *rs, const struct connector *type, const struct request *rq, slice remote, const char *result, const struct fault *f)
{
    enum { HEADER_MAX = 2048 };
    make_room(rs, type);
    struct arena *a = arena_new();
    struct refused *r = ARENA_NEW(a, struct refused);
    struct header *headers = ARENA_ARRAY(a, struct header, rq->n_headers + 1);
    *r = (struct refused){ .next = rs->first, .a = a, .type = type, .number = ++rs->numbers, .at_ms = time_now_ms(), .remote = arena_dup(a, remote),
                           .method = arena_dup(a, rq->method), .path = arena_dup(a, slice_starts(rq->path, SL("/")) ? slice_from(rq->path, 1) : rq->path), .query = arena_dup(a, rq->query),
                           .body = arena_dup(a, slice_sub(rq->body, 0, REFUSED_BODY_MAX)), .body_bytes = rq->body.n, .headers = headers,
                           .result = slice_of(result), .fault = *f };
    for (size_t i = 0; i < rq->n_headers; i++)
        if (is_kept(rq->headers[i].name) && rq->headers[i].value.n <= HEADER_MAX)
            headers[r->n_headers++] = (struct header){ arena_dup(a, rq->headers[i].name), arena_dup(a, rq->headers[i].value) };
    rs->first = r;
}

/* ---- looking at it again --------------------------------------------------------------------------------------------------- */

static bool verifies(struct arena *a, const struct refused *r, struct actor *actor, slice body, int64_t now_ms, struct fault *f)
{
    struct request rq = { .method = r->method, .path = r->path, .query = r->query, .body = body, .headers = r->headers, .n_headers = r->n_headers };
    struct call c;
    slice seen;
    *f = (struct fault){ 0 };
    actor_call(actor, &c, a, NULL, f);
    c.now_ms = now_ms;
    c.keys = r->type->hook.how == VERIFY_JWT ? keys_have(actor->hub->keys, r->type->hook.keys.url(&c)) : NULL;
    return hook_verify(&c, &rq, &seen, f);
}

/* Whose secret fits it as it came? */
static struct actor *signed_by(struct hub *h, struct arena *a, const struct refused *r, const struct actor *but)
{
    struct fault f;
    for (size_t i = 0; i < h->n_actors; i++) {
        struct actor *actor = h->actors[i];
        if (actor != but && !actor->retired && actor->account.type == r->type && verifies(a, r, actor, r->body, r->at_ms, &f))
            return actor;
    }
    return NULL;
}

/* What proxies and tools like to do to a body on its way; NULL: none of it explains the signature. */
static const char *altered_how(struct arena *a, const struct refused *r, struct actor *actor)
{
    struct fault f;
    const struct js *doc = js_parse(a, r->body, NULL);
    const struct {
        slice body;
        const char *how;
    } ways[] = {
        { arena_printf(a, SLF "\n", SLA(r->body)), "a line end at its end was taken away" },
        { slice_trim(r->body), "white space was added at its ends" },
        { doc ? js_print(a, doc) : SLICE_NONE, "its JSON was written anew (other white space or escapes)" },
    };
    for (size_t i = 0; i < COUNT(ways); i++)
        if (ways[i].body.p && !slice_eq(ways[i].body, r->body) && verifies(a, r, actor, ways[i].body, r->at_ms, &f))
            return ways[i].how;
    return NULL;
}

/* Is the signature at least of the right form? */
static bool well_formed(struct arena *a, const struct refused *r)
{
    enum { SHA256_BYTES = 32 };
    const struct hook *hook = &r->type->hook;
    struct request rq = { .headers = r->headers, .n_headers = r->n_headers };
    slice given = hook->header ? request_header(&rq, hook->header) : SLICE_NONE;
    given = slice_from(given, hook->prefix ? strlen(hook->prefix) : 0);
    if (hook->how == VERIFY_HMAC_SHA256_BASE64)
        return base64_decode(a, given).n == SHA256_BYTES;
    if (hook->how == VERIFY_HMAC_SHA256_HEX)
        return hex_decode(a, given).n == SHA256_BYTES;
    return true;
}

static bool about_clock(const struct refused *r, const struct fault *f)
{
    return (r->type->hook.stamp && strcmp(f->field, r->type->hook.stamp) == 0) || strcmp(f->code, "bad_clock") == 0 || strcmp(f->code, "too_old") == 0 ||
           strcmp(f->code, "expired") == 0 || strcmp(f->code, "not_yet_valid") == 0;
}

static bool has_secret(const struct account *acc)
{
    const struct hook *hook = &acc->type->hook;
    for (unsigned i = 0; i < hook->n_secrets; i++)
        if (acc->settings[hook->secrets[i]].n)
            return true;
    return hook->n_secrets == 0;
}

/* A token says itself what is wrong with it. */
static void look_at_token(const struct refused *r, const struct fault *f, struct arena *a, struct refused_finding *ret)
{
    bool account = strcmp(f->code, "wrong_audience") == 0 || strcmp(f->code, "unknown_account") == 0;
    bool lost = r->body_bytes > r->body.n;
    ret->part = account ? REFUSED_ACCOUNT : lost ? REFUSED_BODY : REFUSED_HEADER;
    ret->text = lost ? arena_printf(a, "The body was larger than the %d bytes that are kept: it cannot be looked at again", REFUSED_BODY_MAX)
                     : arena_printf(a, "The token in %s is refused: %s", r->type->hook.header, f->text);
}

static void look_at_signature(struct hub *h, struct arena *a, const struct refused *r, struct actor *actor, const struct fault *f,
                              struct refused_finding *ret)
{
    const struct hook *hook = &r->type->hook;
    ret->other = signed_by(h, a, r, actor);
    const char *how = ret->other ? NULL : altered_how(a, r, actor);
    if (ret->other) {
        ret->part = REFUSED_SECRET;
        ret->text = arena_printf(a, "It is signed with the secret of " SLF " (tenant " SLF "): the webhook address or the secret was mixed up", SLA(ret->other->account.id),
                                 SLA(ret->other->tenant->name));
    } else if (how) {
        ret->part = REFUSED_BODY;
        ret->text = arena_printf(a, "The body was changed on its way: %s. A proxy in between must pass it on as it is", how);
    } else if (!has_secret(&actor->account)) {
        ret->part = REFUSED_SECRET;
        ret->text = SL("This account has no secret to check signatures with");
    } else if (!well_formed(a, r)) {
        ret->part = REFUSED_HEADER;
        ret->text = arena_printf(a, "The header %s is no signature of %s: it is too short, too long or not in the right letters", hook->header ? hook->header : "", r->type->title);
    } else if (r->body_bytes > r->body.n) {
        ret->part = REFUSED_BODY;
        ret->text = arena_printf(a, "The body was larger than the %d bytes that are kept: it cannot be looked at again", REFUSED_BODY_MAX);
    } else {
        ret->part = REFUSED_SECRET;
        ret->text = arena_printf(a, "The signature fits none of the secrets here: enter the one that %s shows now, or see whether something in between changes the body (%s)",
                                 r->type->title, f->text);
    }
}

void refused_look(struct hub *h, struct arena *a, const struct refused *r, struct actor *actor, struct refused_finding *ret)
{
    struct fault f;
    *ret = (struct refused_finding){ .part = REFUSED_GOOD };
    if (verifies(a, r, actor, r->body, r->at_ms, &f)) {
        bool then = slice_eq(r->result, SL("malformed"));
        ret->part = then ? REFUSED_CONTENT : REFUSED_GOOD;
        ret->text = then ? arena_printf(a, "The signature is good; the content was refused: %s", r->fault.text) : SL("With the settings of now it would be taken");
        bool named = r->path.n > 0, ours = slice_eq(r->path, actor->account.id);
        if (!then && slice_eq(r->result, SL("unknown")) && !ours) {
            ret->part = REFUSED_ACCOUNT;
            ret->text = named ? SL("The signature is this account's, but the address names another one") : slice_of(r->fault.text);
        }
        return;
    }
    if (!f.code)
        fault(&f, "bad_signature", "", "it does not verify");
    if (strcmp(f.code, "no_signature") == 0) {
        ret->part = REFUSED_HEADER;
        ret->text = arena_printf(a, "%s: it does not come from %s, or something in between takes headers away", f.text, r->type->title);
    } else if (about_clock(r, &f)) {
        ret->part = REFUSED_CLOCK;
        ret->text = arena_printf(a, "%s: the clock of this machine is wrong, or it is an old request sent again", f.text);
    } else if (r->type->hook.how == VERIFY_JWT) {
        look_at_token(r, &f, a, ret);
    } else {
        look_at_signature(h, a, r, actor, &f, ret);
    }
}
