#include "hub/verify.h"
#include "tests/harness/test.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum { OLD_SECRET, NEW_SECRET, OWN_KEY, N_SETTINGS };
static const struct setting settings[N_SETTINGS] = { { .name = "old" }, { .name = "new" }, { .name = "key" } };

static slice key_of_body(struct arena *a, const struct request *rq)
{
    (void)a;
    size_t at = slice_find(rq->body, SL("to="));
    return at == SIZE_MAX ? SLICE_NONE : slice_from(rq->body, at + 3);
}
static slice own_key(struct call *c)
{
    return setting(c, OWN_KEY);
}
static bool own_verify(struct call *c, const struct request *rq, slice *ret_body)
{
    *ret_body = SL("decrypted");
    return slice_eq(rq->body, setting(c, OLD_SECRET)) || fault(c->f, "bad_signature", "body", "not ours");
}
static bool is_rest(struct call *c)
{
    return !setting(c, NEW_SECRET).n;
}
#define HMAC_HOOK(how_, prefix_) { .path = "/t", .how = how_, .header = "X-Sig", .prefix = prefix_, .secrets = { OLD_SECRET, NEW_SECRET }, .n_secrets = 2 }
#define TYPE(name_, ...) static const struct connector name_ = { .name = #name_, .title = "T", .settings = settings, .n_settings = N_SETTINGS, __VA_ARGS__ }
TYPE(t_base64, .hook = HMAC_HOOK(VERIFY_HMAC_SHA256_BASE64, "sha256="), .route_key = key_of_body, .route_own = own_key);
TYPE(t_hex, .hook = HMAC_HOOK(VERIFY_HMAC_SHA256_HEX, NULL));
TYPE(t_equal, .hook = HMAC_HOOK(VERIFY_HEADER_EQUAL, NULL));
TYPE(t_rest, .hook = HMAC_HOOK(VERIFY_HEADER_EQUAL, NULL), .route_key = key_of_body, .route_own = own_key, .route_rest = is_rest);
TYPE(t_none, .hook = { .path = "/t", .how = VERIFY_NONE });
TYPE(t_own, .hook = { .path = "/t", .how = VERIFY_OWN }, .verify = own_verify);

static slice signature(struct arena *a, const struct connector *type, slice secret, slice body)
{
    struct sha256 mac = hmac_sha256(secret, body);
    slice bytes = slice_mem(mac.b, sizeof(mac.b));
    if (type->hook.how == VERIFY_HEADER_EQUAL)
        return secret;
    return type->hook.how == VERIFY_HMAC_SHA256_HEX ? hex_encode(a, bytes) : arena_printf(a, "sha256=" SLF, SLA(base64_encode(a, bytes)));
}

struct world {
    struct hub h;
    struct actor actors[4];
    struct actor *list[4];
    slice values[4][N_SETTINGS];
};

static void add(struct world *w, const struct connector *type, const char *id, const char *old, const char *new, const char *key)
{
    size_t i = w->h.n_actors++;
    w->values[i][OLD_SECRET] = slice_of(old);
    w->values[i][NEW_SECRET] = slice_of(new);
    w->values[i][OWN_KEY] = slice_of(key);
    w->actors[i] = (struct actor){ .hub = &w->h, .account = { .id = slice_of(id), .type = type, .settings = w->values[i] } };
    w->list[i] = &w->actors[i];
    w->h.actors = w->list;
}

/* Who is found: the account's id, "none" or "bad". */
static const char *found(struct world *w, struct arena *a, const struct connector *type, const char *path, slice body, slice sig, struct fault *f)
{
    struct header h = { SL("x-sig"), sig };
    struct request rq = { .method = SL("POST"), .path = slice_of(path), .body = body, .headers = &h, .n_headers = sig.p ? 1 : 0 };
    struct actor *who = NULL;
    switch (find_verified(&w->h, type, a, &rq, &who, f)) {
    case FOUND: return who->account.id.p;
    case FOUND_NONE: return "none";
    case FOUND_BAD: return "bad";
    }
    return "";
}

TEST(verify_tries_every_live_secret_over_the_raw_bytes)
{
    static const struct connector *const types[] = { &t_base64, &t_hex, &t_equal };
    static const struct {
        const char *old, *new, *signed_with;
        bool ok;
    } rows[] = {
        { "s1", "s2", "s1", true },  { "s1", "s2", "s2", true },  { "s1", NULL, "s1", true }, { NULL, "s2", "s2", true },
        { "s1", "s2", "s3", false }, { "s1", NULL, "s2", false }, { NULL, NULL, "", false },  { "", "", "", false },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct world w = { 0 };
            struct fault f = { 0 };
            add(&w, types[t], "a/t", rows[i].old, rows[i].new, NULL);
            slice body = SL("{\"x\": 1}"), sig = signature(a, types[t], slice_of(rows[i].signed_with), body);
            CHECK_ROW(i, strcmp(found(&w, a, types[t], "", body, sig, &f), rows[i].ok ? "a/t" : "bad") == 0);
            CHECK_ROW(i, rows[i].ok ? !f.code : f.code != NULL);
            if (rows[i].ok && types[t] != &t_equal)
                CHECK_ROW(i, strcmp(found(&w, a, types[t], "", SL("{\"x\":1}"), sig, &f), "bad") == 0);
            CHECK_ROW(i, strcmp(found(&w, a, types[t], "", body, SLICE_NONE, &f), "bad") == 0 && strcmp(f.code, "no_signature") == 0);
            if (types[t] == &t_base64) /* without the prefix */
                CHECK_ROW(i, strcmp(found(&w, a, types[t], "", body, slice_from(sig, 7), &f), "bad") == 0);
        }
}

TEST(verify_finds_the_account_by_what_the_body_says_then_by_secret)
{
    static const struct {
        const char *body, *secret, *want;
    } rows[] = {
        { "to=K1", "one", "a/1" },
        { "to=K2", "two", "a/2" },
        { "to=K1", "two", "bad" },    /* known by its key, and wrongly signed */
        { "to=K3", "three", "a/3" },  /* has not learned its key yet: the secret tells */
        { "to=K9", "three", "a/3" },
        { "to=K9", "one", "bad" },    /* a/1 knows its key: it is not meant, whatever its secret says */
        { "nothing", "two", "a/2" },  /* the body does not say: everyone is a candidate */
        { "nothing", "nobody", "bad" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w = { 0 };
    add(&w, &t_base64, "a/1", "one", NULL, "K1");
    add(&w, &t_base64, "a/2", "two", NULL, "K2");
    add(&w, &t_base64, "a/3", "three", NULL, NULL);
    add(&w, &t_hex, "a/4", "three", NULL, "K9");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        slice body = slice_of(rows[i].body);
        slice sig = signature(a, &t_base64, slice_of(rows[i].secret), body);
        const char *got = found(&w, a, &t_base64, "", body, sig, &f);
        CHECK_ROW(i, strcmp(got, rows[i].want) == 0);
    }
    struct world only_known = { 0 };
    struct fault f = { 0 };
    add(&only_known, &t_base64, "a/1", "one", NULL, "K1");
    CHECK(strcmp(found(&only_known, a, &t_base64, "", SL("to=K9"), SL("sha256=x"), &f), "none") == 0);
    CHECK(strcmp(f.code, "unknown_account") == 0);
}

TEST(verify_asks_who_takes_what_is_left_behind_the_others)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w = { 0 };
    struct fault f = { 0 };
    add(&w, &t_rest, "a/rest", "any", NULL, "K");
    add(&w, &t_rest, "a/one", "one", "any", "K");
    CHECK_SLICE(slice_of(found(&w, a, &t_rest, "", SL("to=K"), SL("any"), &f)), SL("a/one"));
    w.actors[1].retired = true;
    CHECK_SLICE(slice_of(found(&w, a, &t_rest, "", SL("to=K"), SL("any"), &f)), SL("a/rest"));
    CHECK_SLICE(slice_of(found(&w, a, &t_rest, "", SL("to=K2"), SL("any"), &f)), SL("none"));
}

TEST(verify_takes_the_account_that_the_path_names)
{
    static const struct {
        const char *path, *secret, *want;
    } rows[] = {
        { "/a/2", "two", "a/2" }, { "/a/2", "one", "bad" }, { "/a/9", "two", "none" }, { "/a/4", "three", "none" }, { "/a", "two", "none" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w = { 0 };
    add(&w, &t_base64, "a/1", "one", NULL, "K1");
    add(&w, &t_base64, "a/2", "two", NULL, "K2");
    add(&w, &t_hex, "a/4", "three", NULL, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        slice body = SL("to=elsewhere"); /* the path counts */
        slice sig = signature(a, &t_base64, slice_of(rows[i].secret), body);
        CHECK_ROW(i, strcmp(found(&w, a, &t_base64, rows[i].path, body, sig, &f), rows[i].want) == 0);
    }
}

TEST(verify_of_the_connectors_own_may_change_the_body)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct world w = { 0 };
    add(&w, &t_own, "a/o", "knock", NULL, NULL);
    add(&w, &t_none, "a/n", NULL, NULL, NULL);
    struct request rq = { .method = SL("POST"), .body = SL("knock") };
    struct actor *who = NULL;
    struct fault f = { 0 };
    CHECK(find_verified(&w.h, &t_own, a, &rq, &who, &f) == FOUND && who == &w.actors[0]);
    CHECK_SLICE(rq.body, SL("decrypted"));
    rq.body = SL("else");
    CHECK(find_verified(&w.h, &t_own, a, &rq, &who, &f) == FOUND_BAD && strcmp(f.code, "bad_signature") == 0);
    CHECK(find_verified(&w.h, &t_none, a, &rq, &who, &f) == FOUND && who == &w.actors[1]);
}
