/* routes.c - every address that strangers can call, and how it is verified. A connector whose routes are not the rows below fails, and so does a row without a route; then
 * each is called by somebody who proves nothing. */
#include "tests/cases/routes.h"
#include "hub/dry.h"
#include "hub/inbox.h"
#include "hub/verify.h"
#include <stdio.h>

/* clang-format off */
static const struct row {
    const char *connector, *method, *path;
    const char *how; /* in words, for the list */
} rows[] = {
    { "apple", "*",    "/amb/message", "a token signed with the MSP secret (HS256), made for this MSP; ids of header and body alike" },
    { "apple", "GET",  "/amb/register", "nobody: shows a form" },
    { "apple", "POST", "/amb/register", "nobody: keeps what was said once, for the operator; 300 a day" },
    { "apple", "GET",  "/amb/oauth/callback", "the state is one that we made (HMAC with the account's own secret)" },
    { "apple", "POST", "/amb/pay", "the account's own secret in the address" },
    { "apple", "GET",  "/amb/pay", "the account's own secret in the address; shows a page" },
    { "apple", "GET",  "/.well-known/apple-developer-merchantid-domain-association", "nobody: shows a public file" },
    { "custom", "*",   "/custom", "HMAC-SHA-256 of the body with the secret, or the one before" },
    { "genesys-cloud", "*",   "/openmessaging", "HMAC-SHA-256 of the body with the integration's token" },
    { "genesys-cloud", "GET", "/openmessaging/flow", "nobody: shows a sample without secrets" },
    { "line",  "*",    "/line", "HMAC-SHA-256 of the body with the channel secret" },
    { "line",  "GET",  "/line/qr", "nobody: shows a public link as a picture" },
    { "line",  "GET",  "/line/link", "nobody: shows a public link" },
    { "line",  "GET",  "/line/film", "nobody: shows a picture, the same to all" },
    { "slack", "*",    "/slack", "HMAC-SHA-256 of time and body with the signing secret, within five minutes" },
    { "slack", "GET",  "/slack/register", "nobody: shows a form" },
    { "slack", "POST", "/slack/register", "the customer identifier names the account; shows a link to Slack" },
    { "slack", "GET",  "/slack/oauth/callback", "the state is one that we made, in the same browser (cookie), once, within ten minutes" },
    { "slack", "GET",  "/slack/manifest", "nobody: shows the app's manifest, without secrets" },
    { "teams", "*",    "/teams", "a token signed by a published key of the Bot Framework (RS256): issuer, audience, service address, endorsement" },
    { "teams", "GET",  "/teams/register", "the registration's secret in the address; without it a form" },
    { "teams", "POST", "/teams/register", "the registration's secret in the form; without it keeps a new one, for the operator; 300 a day" },
    { "teams", "GET",  "/teams/register/app", "the registration's secret in the address" },
    { "telegram", "*", "/telegram", "the secret given to Telegram when the webhook was set, in a header" },
};
/* clang-format on */

static const struct row *row_of(const struct connector *k, const char *method, const char *path)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].connector, k->name) == 0 && strcmp(rows[i].method, method) == 0 && strcmp(rows[i].path, path) == 0)
            return &rows[i];
    return NULL;
}

static bool serves(const struct connector *k, const struct row *row)
{
    if (k->hook.path && strcmp(row->path, k->hook.path) == 0)
        return true;
    for (size_t i = 0; i < k->n_routes; i++)
        if (strcmp(k->routes[i].path, row->path) == 0 && strcmp(k->routes[i].method, row->method) == 0)
            return true;
    return false;
}

struct door {
    struct arena *a;
    struct account account;
    struct memory *memory;
    struct call call;
    struct fault fault;
};

static void door_open(struct door *d, const struct connector *k, slice defaults)
{
    *d = (struct door){ .a = arena_new(), .memory = memory_new() };
    const struct js *base = js_parse(d->a, slice_or(defaults, SL("{}")), NULL);
    d->account = (struct account){ .id = arena_printf(d->a, "acme/%s", k->name), .name = slice_of(k->name), .tenant = SL("acme"), .type = k,
                                   .settings = dry_settings(d->a, k, js_parse(d->a, SL("{}"), NULL), base), .public_url = SL("https://hub.example.com"),
                                   .hook_url = SL("https://hub.example.com/hook") };
    d->call = (struct call){ .a = d->a, .account = &d->account, .memory = d->memory, .now_ms = INT64_C(1772600767890), .f = &d->fault };
}

static void door_close(struct door *d)
{
    memory_free(d->memory);
    arena_free(d->a);
}

/* Nothing, or anything but the right thing, where the proof stands. */
static bool hook_is_shut(struct door *d, const struct connector *k)
{
    static const char *const proofs[] = { NULL, "", "x", "Bearer e30.e30.e30", "sha256=", "v0=00" };
    for (size_t i = 0; i < COUNT(proofs); i++) {
        slice body = SL("{}");
        slice proof = k->hook.prefix && proofs[i] ? arena_printf(d->a, "%s%s", k->hook.prefix, proofs[i]) : slice_of(proofs[i]);
        struct header h = { slice_of(k->hook.header), proof };
        struct request rq = { .method = SL("POST"), .path = SL(""), .query = SL(""), .body = body, .headers = &h, .n_headers = proofs[i] && k->hook.header };
        if (hook_verify(&d->call, &rq, &body, &d->fault))
            return false;
    }
    return true;
}

/* A stranger gets an answer, and nothing of theirs comes further: no message, no call, nothing remembered. */
static bool route_is_guarded(struct door *d, const struct route_extra *route)
{
    static const char *const queries[] = { "", "state=x&code=y", "key=x&tenant=01234567-89ab-cdef-0123-456789abcdef&id=..%2F" };
    bool good = true;
    for (size_t i = 0; i < COUNT(queries); i++) {
        struct inbox in;
        struct request rq = { .method = slice_of(route->method), .path = i ? SL("/0123/gateway") : SL(""), .query = slice_of(queries[i]), .body = slice_of(queries[i]) };
        struct record record = { .public_url = d->account.public_url, .accounts = &d->call, .n_accounts = 1 };
        struct call nobodys = { .a = d->a, .now_ms = d->call.now_ms, .f = &d->fault, .record = route->record ? &record : NULL };
        bool mine = !route->record && (!route->mine || route->mine(&d->call, &rq));
        if (route->record)
            record.key = route->record->key(d->a, &rq);
        inbox_init(&in, d->a);
        (void)route->receive(mine ? &d->call : &nobodys, &rq, &in);
        good &= !in.n && !in.ask && !in.resumed.n && !memory_dirty(d->memory);
    }
    return good;
}

bool routes_check(const struct connector *k, slice defaults, void (*tell)(const char *name, bool good, const char *how))
{
    bool all = true;
    struct door d;
    door_open(&d, k, defaults);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].connector, k->name) == 0 && !serves(k, &rows[i])) {
            tell(arena_printf(d.a, "%s %s %s", k->name, rows[i].method, rows[i].path).p, false, "in the list, and no route");
            all = false;
        }
    if (k->hook.path) {
        const struct row *row = row_of(k, "*", k->hook.path);
        bool good = row && k->hook.how != VERIFY_NONE && hook_is_shut(&d, k);
        tell(arena_printf(d.a, "%s * %s", k->name, k->hook.path).p, good, row ? row->how : "not in the list of routes");
        all &= good;
    }
    for (size_t i = 0; i < k->n_routes; i++) {
        const struct route_extra *route = &k->routes[i];
        const struct row *row = row_of(k, route->method, route->path);
        bool good = row && route_is_guarded(&d, route);
        tell(arena_printf(d.a, "%s %s %s", k->name, route->method, route->path).p, good, row ? row->how : "not in the list of routes");
        all &= good;
    }
    door_close(&d);
    return all;
}
