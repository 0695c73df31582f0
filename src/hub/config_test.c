#include "hub/config.h"
#include "hub/yaml_tree.h"
#include "tests/harness/test.h"
#include <unistd.h>

/* ---- YAML -------------------------------------------------------------------------------------------------------------------- */

TEST(yaml_tree_knows_its_lines)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    int line, column;
    const struct yaml *root = yaml_parse(a, SL("# comment\na: 1\nb:\n  - {c: \"null\", d: ~}\n  - no\ne:\n"), &f, &line, &column);
    CHECK(root && root->kind == YAML_MAP && root->n == 3);
    CHECK_SLICE(yaml_get(root, SL("a"))->text, SL("1"));
    const struct yaml *b = yaml_get(root, SL("b"));
    CHECK(b->kind == YAML_LIST && b->n == 2);
    const struct yaml *c = yaml_get(b->first, SL("c"));
    CHECK_SLICE(c->text, SL("null"));
    CHECK_INT(c->line, 4);
    CHECK_INT(c->column, 9);
    CHECK(yaml_get(b->first, SL("d"))->kind == YAML_NULL && yaml_get(root, SL("e"))->kind == YAML_NULL);
    CHECK_SLICE(b->first->next->text, SL("no"));
    CHECK(!yaml_get(root, SL("z")) && !yaml_get(NULL, SL("z")) && !yaml_get(b, SL("z")));
    root = yaml_parse(a, SL("\xef\xbb\xbf" "a: 1\r\nb: 2\r\n"), &f, &line, &column);
    CHECK(root && slice_eq(yaml_get(root, SL("a"))->text, SL("1")) && slice_eq(yaml_get(root, SL("b"))->text, SL("2")));
    root = yaml_parse(a, SL(""), &f, &line, &column);
    CHECK(root && root->kind == YAML_MAP && root->n == 0);
}

TEST(yaml_refuses_what_a_configuration_does_not_need)
{
    static const struct {
        const char *text, *want;
        int line;
    } rows[] = {
        { "a: &x 1\nb: *x\n", "anchors", 1 },
        { "b: *x\n", "anchors", 1 },
        { "a: 1\nb: {c: 1, c: 2}\n", "there twice", 2 },
        { "a: 1\n---\nb: 2\n", "only one document", 2 },
        { "a: !!int 1\n", "tags", 1 },
        { "{[a]: 1}\n", "a key must be", 1 },
        { "? {a: 1}\n: 2\n", "a key must be", 1 },
        { "a: [1\nb: 2\n", "", 2 },
        { "a: 1\n\tb: 2\n", "", 2 },
        { "a: \"\xff\xfe\"\n", "", 1 },
        { "a: 1\nb: \x01\n", "control characters", 2 },
        { "a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", "too deeply", 1 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        int line = 0, column = 0;
        CHECK_ROW(i, !yaml_parse(a, slice_of(rows[i].text), &f, &line, &column));
        CHECK_ROW(i, f.text[0] && slice_find(slice_of(f.text), slice_of(rows[i].want)) != SIZE_MAX);
        CHECK_ROW(i, line >= rows[i].line && line <= rows[i].line + 1 && column >= 1);
    }
}

TEST(yaml_size_is_bounded)
{
    static const struct {
        const char *unit;
        size_t times;
    } rows[] = { { "- x\n", YAML_MEMBERS_MAX + 1 }, { "[[1,1,1,1,1,1],[1,1,1,1,1,1]],", 1900 }, { "# padding\n", YAML_BYTES_MAX / 10 + 1 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct text t = text_new(a, 4 << 20);
        text_put(&t, rows[i].unit[0] == '[' ? SL("[") : SL(""));
        for (size_t k = 0; k < rows[i].times; k++)
            text_put(&t, slice_of(rows[i].unit));
        struct fault f = { 0 };
        int line, column;
        CHECK_ROW(i, !yaml_parse(a, text_slice(&t), &f, &line, &column));
        CHECK_ROW(i, slice_starts(slice_of(f.text), SL("too many")) || slice_starts(slice_of(f.text), SL("the ")));
    }
}

/* ---- settings --------------------------------------------------------------------------------------------------------------------- */

TEST(setting_values_are_checked_and_brought_to_one_form)
{
    static const char *const colours[] = { "red", "green", NULL };
    static const struct setting text = { .name = "t", .type = SETTING_TEXT, .min = 3, .max = 5 }, url = { .name = "u", .type = SETTING_URL, .max = 30 },
                                number = { .name = "n", .type = SETTING_NUMBER, .min = 10, .max = 1 << 21 },
                                yes = { .name = "b", .type = SETTING_BOOL },
                                choice = { .name = "c", .type = SETTING_CHOICE, .choices = colours };
    static const struct {
        const struct setting *s;
        const char *in, *out; /* out NULL: refused */
    } rows[] = {
        { &text, "abc", "abc" },
        { &text, "ab", NULL },
        { &text, "abcdef", NULL },
        { &text, "a\xff""c", NULL },
        { &text, "日本語文字", "日本語文字" }, /* characters count, as the form's schema counts them */
        { &text, "日本語文字列", NULL },
        { &text, "日本", NULL },
        { &url, "https://api.example.com/", "https://api.example.com" },
        { &url, "http://127.0.0.1:9001/x/", "http://127.0.0.1:9001/x" },
        { &url, "http://[::1]:80", "http://[::1]:80" },
        { &url, "http://[::1]", "http://[::1]" },
        { &url, "ftp://x", NULL },
        { &url, "http://127.0.0.1:9001/x-and-more", NULL },
        { &url, "https://", NULL },
        { &url, "https:///x", NULL },
        { &url, "https://x:0", NULL },
        { &url, "https://x:99999/", NULL },
        { &url, "https://x y", NULL },
        { &url, "https://x/#top", NULL },
        { &url, "https://\xc3\xa9", NULL },
        { &number, "17", "17" },
        { &number, " 1 MiB", "1048576" },
        { &number, "2KiB", "2048" },
        { &number, "9", NULL },
        { &number, "3MiB", NULL },
        { &number, "99999999999GiB", NULL },
        { &number, "1.5", NULL },
        { &number, "", NULL },
        { &yes, "Yes", "true" },
        { &yes, "off", "false" },
        { &yes, "maybe", NULL },
        { &choice, "green", "green" },
        { &choice, "Green", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        slice out = SLICE_NONE;
        bool ok = setting_value(a, rows[i].s, slice_of(rows[i].in), &out, &f);
        CHECK_ROW(i, ok == (rows[i].out != NULL) && (!ok || slice_eq(out, slice_of(rows[i].out))) && (ok || f.text[0]));
    }
}

TEST(setting_nearest_finds_typing_errors_only)
{
    static const struct setting rows[] = { { .name = "channel_id" }, { .name = "channel_secret" }, { .name = "bot_id" } };
    static const struct {
        const char *typed, *want;
    } tries[] = { { "chanel_secret", "channel_secret" }, { "channelid", "channel_id" }, { "botid", "bot_id" }, { "region", NULL }, { "x", NULL } };
    for (size_t i = 0; i < COUNT(tries); i++) {
        const char *near = setting_nearest(rows, COUNT(rows), slice_of(tries[i].typed));
        CHECK_ROW(i, tries[i].want ? near && strcmp(near, tries[i].want) == 0 : !near);
    }
}

/* ---- the whole file --------------------------------------------------------------------------------------------------------------------- */

static bool net_check(struct call *c)
{
    if (slice_eq(setting(c, 1), SL("0000000000000000")))
        return fault(c->f, "refused", "secret", "is not a secret");
    return true;
}
static const struct setting net_settings[] = {
    { .name = "id", .label = "Id", .type = SETTING_TEXT, .required = true, .help = "the number on the vendor's page", .max = 100 },
    { .name = "secret", .label = "Secret", .type = SETTING_TEXT, .required = true, .secret = true, .min = 4 },
    { .name = "base_url", .label = "API", .type = SETTING_URL, .otherwise = "https://api.example.com" },
    { .name = "polls", .label = "Polls", .type = SETTING_NUMBER, .min = 1, .max = 9 },
    { .name = "app", .label = "App", .type = SETTING_TEXT, .max = 100 },
};
static const struct setting desk_settings[] = {
    { .name = "region", .label = "Region", .type = SETTING_TEXT, .required = true },
    { .name = "integration.name", .label = "Integration", .type = SETTING_TEXT, .required = true },
    { .name = "integration.token", .label = "Token", .type = SETTING_TEXT, .required = true, .secret = true, .min = 16 },
    { .name = "extra", .label = "Extra", .type = SETTING_PAIRS },
};
static const struct connector net_connector = { .name = "net", .title = "Net", .settings = net_settings, .n_settings = COUNT(net_settings), .once = "app",
                                                .hook = { .path = "/net" }, .check = net_check };
static const struct connector desk_connector = { .name = "a-desk", .title = "A Desk", .desk = true, .settings = desk_settings,
                                                 .n_settings = COUNT(desk_settings), .hook = { .path = "/a-desk" } };
static const struct connector once_connector = { .name = "once-desk", .title = "A Desk That Is Somebody's", .desk = true, .settings = desk_settings, .n_settings = COUNT(desk_settings),
                                                 .once = "region", .once_with = "integration.name", .hook = { .path = "/once-desk" } };
static const struct connector *find(slice name)
{
    return slice_eq(name, SL("net")) ? &net_connector : slice_eq(name, SL("a-desk")) ? &desk_connector : slice_eq(name, SL("once-desk")) ? &once_connector : NULL;
}
static const struct setting shed_settings[] = {
    { .name = "key", .label = "Key", .type = SETTING_TEXT, .required = true, .secret = true },
    { .name = "region", .label = "Region", .type = SETTING_TEXT, .otherwise = "here" },
};
static bool shed_check(const slice *settings, struct fault *f)
{
    return !slice_eq(settings[1], SL("nowhere")) || fault(f, "out_of_range", "region", "must be somewhere");
}
static const struct storage_type shed = { .name = "shed", .title = "A Shed", .settings = shed_settings, .n_settings = COUNT(shed_settings),
                                          .check = shed_check };
const struct storage_type *storage_type_find(slice name) /* the hub's tests have this one */
{
    return slice_eq(name, SL("shed")) ? &shed : NULL;
}
static char *env(const char *name)
{
    static char secret[] = "from the environment", body[] = "64 KiB", head[] = "many";
    return strcmp(name, "NET_SECRET") == 0           ? secret
           : strcmp(name, "DRAGOMAN_BODY_MAX") == 0 ? body
           : strcmp(name, "BAD_HEAD") == 0          ? head
                                                    : NULL;
}

#define DESK "    desk: {type: a-desk, region: r, integration: {name: n, token: 0123456789abcdef}}\n"
#define ONCE_DESK(integration) "    desk: {type: once-desk, region: r, integration: {name: " integration ", token: 0123456789abcdef}}\n    channels: [{type: net, id: 1, secret: abcd}]\n"
#define TWO_DESKS(x, y) "tenants:\n  - name: a\n" ONCE_DESK(x) "  - name: b\n" ONCE_DESK(y)

TEST(config_good_file_becomes_accounts)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct config_problems p = { .a = a };
    slice text = SL("listen: 127.0.0.1:0\npublic_url: https://hub.example.com/\nlimits: {media_bytes: 1 MiB}\n"
                    "journal.window_us: 5\nguard: off\n"
                    "tenants:\n"
                    "  - name: ACME and LINE\n"
                    "    desk: {type: a-desk, region: r, integration: {name: n, token: 0123456789abcdef}, extra: {a: \"1\", b: \"x\\\"y\"}}\n"
                    "    channels:\n"
                    "      - {type: net, id: 0123, secret: \"${NET_SECRET}!$${x}\"}\n"
                    "      - {type: net, id: b, secret: abcd, base_url: \"http://127.0.0.1:9/\"}\n"
                    "      - {type: net, name: net-2, id: c, secret: abcd, polls: ~}\n"
                    "    custom_data: {colour: red, size: 7}\n"
                    "  - name: 日本\n" DESK "    channels: [{type: net, id: d, secret: abcd}]\n");
    struct config_flag flags[] = { { CFG_HEAD_MAX, SL("8192") } };
    const struct config *c = config_read(a, SL("hub.yaml"), text, env, flags, 1, find, &p);
    config_problems_print(stderr, &p);
    CHECK(c && c->n_tenants == 2);
    CHECK_SLICE(config_text(c, CFG_PUBLIC_URL), SL("https://hub.example.com"));
    CHECK_INT(config_number(c, CFG_MEDIA_BYTES), 1 << 20);
    CHECK_INT(config_number(c, CFG_BODY_MAX), 65536);
    CHECK_INT(config_number(c, CFG_HEAD_MAX), 8192);
    CHECK_INT(config_number(c, CFG_WINDOW_US), 5);
    CHECK_INT(config_number(c, CFG_PURGE_DELAY), 300);
    CHECK(!config_true(c, CFG_GUARD));
    CHECK(!config_text(c, CFG_TLS_CERT).p);

    const struct config_tenant *t = &c->tenants[0];
    CHECK_SLICE(t->slug, SL("acme-and-line"));
    CHECK_SLICE(t->desk->id, SL("acme-and-line/a-desk"));
    CHECK_SLICE(t->desk->settings[1], SL("n"));
    CHECK_SLICE(t->desk->settings[3], SL("{\"a\":\"1\",\"b\":\"x\\\"y\"}"));
    CHECK_SLICE(t->desk->hook_url, SL("https://hub.example.com/a-desk"));
    CHECK_INT(t->n_channels, 3);
    CHECK_SLICE(t->channels[0].id, SL("acme-and-line/net"));
    CHECK_SLICE(t->channels[1].id, SL("acme-and-line/net-3"));
    CHECK_SLICE(t->channels[2].id, SL("acme-and-line/net-2"));
    CHECK_SLICE(t->channels[0].tenant, SL("ACME and LINE"));
    CHECK_SLICE(t->channels[0].settings[0], SL("0123"));
    CHECK_SLICE(t->channels[0].settings[1], SL("from the environment!${x}"));
    CHECK_SLICE(t->channels[0].settings[2], SL("https://api.example.com"));
    CHECK_SLICE(t->channels[1].settings[2], SL("http://127.0.0.1:9"));
    CHECK(!t->channels[2].settings[3].p);
    CHECK_INT(t->custom_data.n, 2);
    CHECK_SLICE(((const struct js_pair *)t->custom_data.items)[1].value, SL("7"));
    CHECK(slice_starts(c->tenants[1].slug, SL("t-")));

    FILE *out = tmpfile();
    config_print(out, c);
    rewind(out);
    char printed[4096];
    size_t n = fread(printed, 1, sizeof(printed), out);
    fclose(out);
    slice report = { printed, n };
    CHECK(slice_find(report, SL("channel acme-and-line/net (Net), webhook https://hub.example.com/net\n")) != SIZE_MAX);
    CHECK(slice_find(report, SL("secret: (secret)\n")) != SIZE_MAX && slice_find(report, SL("from the environment")) == SIZE_MAX);
}

TEST(config_every_problem_names_its_place_and_what_to_do)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "lisen: x\n", "f.yaml:1:8: lisen: there is no such setting: did you mean \"listen\"?" },
        { "listen: nowhere\n", "f.yaml:1:9: listen: must be an address and a port" },
        { "head_max: ${BAD_HEAD}\n", "f.yaml:1:11: head_max: must be a whole number" },
        { "head_max: ${NOT_SET}\n", "f.yaml:1:11: head_max: the environment variable NOT_SET is not set" },
        { "data: a${b\n", "f.yaml:1:7: data: \"${\" must be followed" },
        { "head_max: [1]\n", "head_max: must be one value, not a list" },
        { "head_max: 1\n", "head_max: must be between 4096 and 1048576" },
        { "limits: 3\n", "limits: must be a group of settings" },
        { "limits: {media_byte: 3}\n", "limits.media_byte: there is no such setting: did you mean \"limits.media_bytes\"?" },
        { "limits.calls: 3\nlimits: {calls: 4}\n", "f.yaml:2:17: limits.calls: is given twice" },
        { "tls: {cert: x}\n", "tls: needs both cert and key" },
        { "guard: perhaps\n", "guard: must be true or false" },
        { "- a\n", "the file must be a group of settings" },
        { "a: [\n", "f.yaml:" },
        { "tenants: 5\n", "tenants: must be a list" },
        { "tenants: [5]\n", "tenants[0]: must be a group" },
        { "tenants:\n  - name: a\n    desk: {type: a-desk, region: r, integration: {name: n, token: short}}\n    channels: [{type: net, id: d, secret: abcd}]\n",
          "f.yaml:3:67: tenants[0].desk.integration.token: must have at least 16 characters" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, secret: abcd}]\n",
          "f.yaml:4:16: tenants[0].channels[0].id: is missing: the number on the vendor's page" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: \"\", secret: abcd}]\n", "channels[0].id: must not be empty" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: 1, sekret: abcd}]\n",
          "tenants[0].channels[0].sekret: there is no such setting: did you mean \"secret\"?" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: 1, secret: \"0000000000000000\"}]\n",
          "f.yaml:4:43: tenants[0].channels[0].secret: is not a secret" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: nat, id: 1}]\n", "channels[0].type: there is no connector of this name" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: a-desk}]\n", "A Desk is a desk: it belongs under desk" },
        { "tenants:\n  - name: a\n    desk: {type: net}\n    channels: []\n", "Net is a network: it belongs under channels" },
        { "tenants:\n  - name: a\n    channels: [{type: net, id: 1, secret: abcd}]\n", "tenants[0].desk: is missing" },
        { "tenants:\n  - name: a\n" DESK, "tenants[0].channels: is missing" },
        { "tenants:\n  - name: a\n" DESK "    channels: []\n", "tenants[0].channels: must be a list with at least one" },
        { "tenants:\n  - name: a\n    chanels: 1\n" DESK "    channels: [{type: net, id: 1, secret: abcd}]\n", "tenants[0].chanels: there is no such setting" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: 1, secret: abcd, name: X}]\n", "channels[0].name: must be small letters" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: 1, secret: abcd, dedupe_hours: 0}]\n", "channels[0].dedupe_hours: must be" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: 1, secret: abcd, name: x}, {type: net, id: 1, secret: abcd, name: x}]\n",
          "channels[1].name: another account of this tenant has this name" },
        { "tenants:\n  - name: a b\n" DESK "    channels: [{type: net, id: 1, secret: abcd}]\n  - name: A-B\n" DESK
          "    channels: [{type: net, id: 1, secret: abcd}]\n",
          "tenants[1].name: another tenant has this name" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: 1, secret: abcd, app: x}, {type: net, id: 2, secret: abcd, app: y}, {type: net, id: 3, secret: abcd, app: x}]\n",
          "f.yaml:4:138: tenants[0].channels[2].app: another account has the same" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: 1, secret: abcd, app: x}]\n  - name: b\n" DESK
          "    channels: [{type: net, id: 1, secret: abcd, app: x}]\n",
          "tenants[1].channels[0].app: another account has the same" },
        { TWO_DESKS("n", "n"), "f.yaml:6:37: tenants[1].desk.region: another account has the same" },
        { "tenants:\n  - {}\n", "tenants[0].name: is missing" },
        { "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: 1, secret: abcd, polls: 10}]\n", "polls: must be between 1 and 9" },
        { "tenants:\n  - name: a\n" DESK "    custom_data: [1]\n    channels: [{type: net, id: 1, secret: abcd}]\n", "custom_data: must be an object" },
        { "storages: {}\n", "storages: must be a list" },
        { "storages: [{type: shed, key: k}]\n", "storages[0].name: is missing" },
        { "storages: [{name: x, key: k}]\n", "storages[0].type: is missing" },
        { "storages: [{name: x, type: attic}]\n", "storages[0].type: there is no kind of storage" },
        { "storages: [{name: x, type: shed}]\n", "storages[0].key: is missing" },
        { "storages: [{name: x, type: shed, key: k, regoin: r}]\n", "did you mean \"region\"" },
        { "storages: [{name: x, type: shed, key: k, region: nowhere}]\n", "f.yaml:1:50: storages[0].region: must be somewhere" },
        { "storages: [{name: x, type: shed, key: k, purge_delay_seconds: -1}]\n", "purge_delay_seconds: must be between" },
        { "storages: [{name: local, type: shed, key: k}]\n", "storages[0].name: another storage" },
        { "storages: [{name: X, type: shed, key: k}]\n", "storages[0].name: must be small letters" },
        { "default_storage: x\n", "default_storage: there is no storage" },
        { "tenants:\n  - name: a\n    storage: x\n" DESK "    channels: [{type: net, id: 1, secret: abcd, storage: y}]\n",
          "tenants[0].storage: there is no storage" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct config_problems p = { .a = a };
        CHECK_ROW(i, !config_read(a, SL("f.yaml"), slice_of(rows[i].text), env, NULL, 0, find, &p));
        FILE *out = tmpfile();
        config_problems_print(out, &p);
        rewind(out);
        char printed[4096];
        slice got = { printed, fread(printed, 1, sizeof(printed), out) };
        fclose(out);
        if (slice_find(got, slice_of(rows[i].want)) == SIZE_MAX)
            test_fail(__FILE__, __LINE__, "row %zu: printed " SLF "want %s", i, SLA(got), rows[i].want);
    }
}

TEST(config_two_desks_of_one_region_differ_in_their_integration)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct config_problems p = { .a = a };
    CHECK(config_read(a, SL("f.yaml"), SL(TWO_DESKS("n", "m")), env, NULL, 0, find, &p) != NULL);
}

TEST(config_what_is_given_but_wrong_is_not_missing_as_well)
{
    static const char *const values[] = { "${NOT_SET}", "[1]", "{a: b}" };
    for (size_t i = 0; i < COUNT(values); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct config_problems p = { .a = a };
        slice text = arena_printf(a, "tenants:\n  - name: a\n" DESK "    channels:\n      - type: net\n        id: 1\n        secret: %s\n", values[i]);
        CHECK_ROW(i, !config_read(a, SL("f.yaml"), text, env, NULL, 0, find, &p) && p.n == 1 && p.items[0].line == 7);
    }
}

TEST(config_storages_are_named_by_tenants_and_their_sides)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct config_problems p = { .a = a };
    slice text = SL("purge_delay_seconds: 60\ndefault_storage: one\n"
                    "storages:\n  - {name: one, type: shed, key: \"${NET_SECRET}\"}\n  - {name: two, type: shed, key: k, region: there, purge_delay_seconds: 5400}\n"
                    "tenants:\n  - name: a\n" DESK "    channels: [{type: net, id: 1, secret: abcd}]\n"
                    "  - name: b\n    storage: two\n"
                    "    desk: {type: a-desk, region: r, storage: local, integration: {name: n, token: 0123456789abcdef}}\n"
                    "    channels: [{type: net, id: 1, secret: abcd}, {type: net, id: 1, secret: abcd, storage: one}]\n");
    const struct config *c = config_read(a, SL("f"), text, env, NULL, 0, find, &p);
    config_problems_print(stderr, &p);
    CHECK(c && c->n_storages == 2);
    CHECK_SLICE(c->storages[0].settings[0], SL("from the environment"));
    CHECK_SLICE(c->storages[0].settings[1], SL("here"));
    CHECK_INT(c->storages[0].purge_ms, 60000);
    CHECK_INT(c->storages[1].purge_ms, 5400000);
    CHECK_SLICE(c->tenants[0].desk->storage, SL("one"));
    CHECK_SLICE(c->tenants[0].channels[0].storage, SL("one"));
    CHECK_SLICE(c->tenants[1].desk->storage, SL("local"));
    CHECK_SLICE(c->tenants[1].channels[0].storage, SL("two"));
    CHECK_SLICE(c->tenants[1].channels[1].storage, SL("one"));
    FILE *out = tmpfile();
    config_print(out, c);
    rewind(out);
    char printed[4096];
    slice got = { printed, fread(printed, 1, sizeof(printed), out) };
    fclose(out);
    CHECK(slice_find(got, SL("from the environment")) == SIZE_MAX);
    CHECK(slice_find(got, SL("storage one (A Shed), purge_delay_seconds: 60 (1 minute)\n    key: (secret)\n")) != SIZE_MAX);
    CHECK(slice_find(got, SL("storage two (A Shed), purge_delay_seconds: 5400 (about 2 hours)\n    key: (secret)\n    region: there\n")) != SIZE_MAX);
}

TEST(config_tenant_read_alone_may_name_the_storages_of_the_hub)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct config_problems p = { .a = a }, none = { .a = a };
    struct fault f = { 0 };
    int line, column;
    const struct config *c = config_read(a, SL("f"), SL("default_storage: one\nstorages: [{name: one, type: shed, key: k}, {name: two, type: shed, key: k}]\n"), env,
                                         NULL, 0, find, &p);
    const struct yaml *doc = yaml_parse(a, SL("name: a\ndesk: {type: a-desk, region: r, storage: two, integration: {name: n, token: 0123456789abcdef}}\n"
                                              "channels: [{type: net, id: 1, secret: abcd}]\n"),
                                        &f, &line, &column);
    CHECK(c && doc);
    const struct config_tenant *t = config_tenant_read(a, doc, SLICE_NONE, SL("http://x"), c, find, &p);
    CHECK(t);
    CHECK_SLICE(t->desk->storage, SL("two"));
    CHECK_SLICE(t->channels[0].storage, SL("one"));
    CHECK(!config_tenant_read(a, doc, SLICE_NONE, SL("http://x"), NULL, find, &none));
    CHECK_SLICE(none.items[0].path, SL("desk.storage"));
}

TEST(config_reports_all_problems_up_to_its_limit)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct config_problems p = { .a = a };
    struct text t = text_new(a, 4096);
    for (int i = 0; i < CONFIG_PROBLEMS_MAX + 5; i++)
        text_add(&t, "unknown_setting_%d: 1\n", i);
    CHECK(!config_read(a, SL("f"), text_slice(&t), env, NULL, 0, find, &p));
    CHECK_INT(p.n, CONFIG_PROBLEMS_MAX);
    CHECK_INT(p.more, 5);
    CHECK_INT(p.items[7].line, 8);
}

TEST(config_flags_and_files)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char *argv[] = { (char[]){ "--listen=1.2.3.4:5" }, (char[]){ "--journal-window-us" }, (char[]){ "9" }, (char[]){ "--guard" },
                     (char[]){ "--other" }, (char[]){ "--data" } };
    struct config_flag flag;
    CHECK_INT(config_flag_parse(6, argv, 0, &flag), 1);
    CHECK(flag.id == CFG_LISTEN && slice_eq(flag.value, SL("1.2.3.4:5")));
    CHECK_INT(config_flag_parse(6, argv, 1, &flag), 2);
    CHECK(flag.id == CFG_WINDOW_US && slice_eq(flag.value, SL("9")));
    CHECK_INT(config_flag_parse(6, argv, 3, &flag), 1);
    CHECK(flag.id == CFG_GUARD && slice_eq(flag.value, SL("true")));
    CHECK_INT(config_flag_parse(6, argv, 4, &flag), 0);
    CHECK_INT(config_flag_parse(6, argv, 5, &flag), -1);

    struct config_problems p = { .a = a };
    CHECK(!config_load(a, "/nowhere/hub.yaml", env, NULL, 0, find, &p) && p.n == 1);
    CHECK(slice_find(p.items[0].text, SL("No such file")) != SIZE_MAX);
    p = (struct config_problems){ .a = a };
    CHECK(config_load(a, NULL, env, NULL, 0, find, &p));
    struct config_flag wrong = { CFG_HEAD_MAX, SL("x") };
    CHECK(!config_load(a, NULL, env, &wrong, 1, find, &p));
    CHECK_SLICE(p.items[0].path, SL("--head-max"));
    char path[128];
    snprintf(path, sizeof(path), "%s/hub.yaml", test_dir());
    FILE *out = fopen(path, "we");
    fputs("listen: 127.0.0.1:1\n", out);
    fclose(out);
    p = (struct config_problems){ .a = a };
    const struct config *c = config_load(a, path, env, NULL, 0, find, &p);
    CHECK(c && slice_eq(config_text(c, CFG_LISTEN), SL("127.0.0.1:1")));
    CHECK_SLICE(config_text(c, CFG_PUBLIC_URL), SL("http://127.0.0.1:1"));
}
