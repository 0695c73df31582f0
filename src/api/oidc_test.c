#include "api/oidc.h"
#include "api/operation.h"
#include "tests/harness/test.h"

TEST(oidc_a_claim_becomes_the_highest_role)
{
    static const struct {
        const char *list, *claim;
        int role;
    } rows[] = {
        { "agent=agent", "\"agent\"", ROLE_AGENT },
        { "desk=agent, leads = supervisor", "[\"desk\",\"leads\"]", ROLE_SUPERVISOR },
        { "desk=agent, leads = supervisor", "[\"leads\",7,\"desk\"]", ROLE_SUPERVISOR },
        { "it=administrator,desk=agent", "[\"desk\"]", ROLE_AGENT },
        { "desk=agent", "[\"Desk\"]", ROLE_NONE },
        { "desk=agent", "{\"desk\":\"agent\"}", ROLE_NONE },
        { "desk=agent", "7", ROLE_NONE },
        { "desk=king", "\"desk\"", ROLE_NONE },
        { "desk=none", "\"desk\"", ROLE_NONE },
        { "=agent,,", "\"\"", ROLE_NONE },
        { "desk", "\"desk\"", ROLE_NONE },
        { "", "\"desk\"", ROLE_NONE },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        int role;
        bool has = oidc_role(slice_of(rows[i].list), js_parse(a, slice_of(rows[i].claim), NULL), &role);
        CHECK_ROW(i, role == rows[i].role && has == (role != ROLE_NONE));
    }
    int role;
    CHECK(!oidc_role(SL("desk=agent"), NULL, &role));
}

TEST(oidc_leads_back_to_this_hub_only)
{
    static const struct {
        const char *path;
        bool ok;
    } rows[] = {
        { "/", true }, { "/ux/conv?iid=1", true }, { "", false }, { "ux", false }, { "//evil.example", false }, { "/\\evil.example", false }, { "/a b", false },
        { "https://evil.example", false }, { "/a\r\nSet-Cookie: x", false }, { "/\xc3\xa9", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, oidc_next_ok(slice_of(rows[i].path)) == rows[i].ok);
}
