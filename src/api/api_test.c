/* The parts of the API that can be tried without a hub: routing, shapes, guessing, passwords, passphrases, sessions, differences, the document. */
#include "api/attempts.h"
#include "api/call.h"
#include "api/changes.h"
#include "api/connectors.h"
#include "api/passphrase.h"
#include "api/password.h"
#include "api/session.h"
#include "hub/language.h"
#include "hub/storage.h"
#include "hub/notifier.h"
#include "hub/storage.h"
#include "net/loop.h"
#include "store/store.h"
#include "tests/harness/test.h"
#include <sys/resource.h>

/* ---- a program with two connectors ----------------------------------------------------------------------------------- */

/* clang-format off */
enum { N_URL, N_SECRET, N_COUNT, N_HOW, N_GROUP_ONE, N_GROUP_SECRET, N_PAIRS, N_SETTINGS };
static const char *const hows[] = { "fast", "slow", NULL };
static const struct setting n_rows[N_SETTINGS] = {
    [N_URL] = { .name = "url", .label = "Address", .type = SETTING_URL, .required = true, .help = "Where it is" },
    [N_SECRET] = { .name = "secret", .label = "Secret", .required = true, .secret = true, .min = 4, .max = 40 },
    [N_COUNT] = { .name = "count", .label = "Count", .type = SETTING_NUMBER, .otherwise = "3", .min = 1, .max = 9 },
    [N_HOW] = { .name = "how", .label = "How", .type = SETTING_CHOICE, .otherwise = "fast", .choices = hows },
    [N_GROUP_ONE] = { .name = "group.one", .label = "One", .required = true },
    [N_GROUP_SECRET] = { .name = "group.secret", .label = "Its secret", .secret = true },
    [N_PAIRS] = { .name = "extra", .label = "Extra", .type = SETTING_PAIRS },
};
static const struct connector test_network = { .name = "test-net", .title = "Test", .settings = n_rows, .n_settings = N_SETTINGS, .hook = { .path = "/test-net" } };
static const struct connector test_desk = { .name = "test-desk", .title = "Test desk", .desk = true };
/* clang-format on */
const struct connector *const connectors[] = { &test_network, &test_desk };
const size_t n_connectors = COUNT(connectors);
const struct connector *connector_find(slice name)
{
    return slice_eq(name, SL("test-net")) ? &test_network : slice_eq(name, SL("test-desk")) ? &test_desk : NULL;
}
const struct language *const languages[] = { NULL }; /* none stands behind the commands here */
const size_t n_languages = 0;
const struct language *language_find(slice name)
{
    (void)name;
    return NULL;
}
const struct notifier *const notifiers[] = { NULL };
const size_t n_notifiers = 0;
const struct notifier *notifier_find(slice name)
{
    (void)name;
    return NULL;
}

const struct storage_type *const storage_types[] = { NULL };
const size_t n_storage_types = 0;
const struct storage_type *storage_type_find(slice name)
{
    (void)name;
    return NULL;
}

/* ---- operations ------------------------------------------------------------------------------------------------------ */

TEST(api_a_path_finds_its_operation)
{
    static const struct {
        const char *method, *path, *id, *param, *allow;
    } rows[] = {
        { "POST", "/auth/login", "auth_login", NULL, NULL },
        { "GET", "/tenants", "tenants_list", NULL, NULL },
        { "HEAD", "/tenants", "tenants_list", NULL, NULL },
        { "POST", "/tenants/check", "tenants_check", NULL, NULL },
        { "GET", "/tenants/check", "tenants_get", "check", NULL },
        { "PUT", "/tenants/a%2Fb%20c", "tenants_put", "a/b c", NULL },
        { "GET", "/channels/acme%2Fline/refused", "channels_refused", "acme/line", NULL },
        { "POST", "/users/+819012345678/switch", "users_switch", "+819012345678", NULL },
        { "PATCH", "/tenants", NULL, NULL, "GET, POST" },
        { "GET", "/tenants/", NULL, NULL, NULL },
        { "GET", "/tenants//export", NULL, NULL, NULL },
        { "GET", "/tenants/%zz", NULL, NULL, NULL },
        { "GET", "", NULL, NULL, NULL },
        { "GET", "/tenants/a/b/c", NULL, NULL, NULL },
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct operation *op;
        slice params[OPERATION_PARAMS_MAX] = { SLICE_NONE }, allow;
        enum found_operation found = operation_find(a, slice_of(rows[i].method), slice_of(rows[i].path), &op, params, &allow);
        CHECK_ROW(i, (found == OPERATION_FOUND) == (rows[i].id != NULL));
        CHECK_ROW(i, !rows[i].id || strcmp(op->id, rows[i].id) == 0);
        CHECK_ROW(i, !rows[i].param || slice_eq(params[0], slice_of(rows[i].param)));
        CHECK_ROW(i, !rows[i].allow || (found == OPERATION_NO_METHOD && slice_eq(allow, slice_of(rows[i].allow))));
    }
    arena_free(a);
}

static bool is_own(const char *name)
{
    static const char *const own[] = { "Tenant", "TenantDocument", "Desk", "Channel", "NotifierSettings", "StorageSettings", "CommanderDefault" };
    for (size_t i = 0; i < COUNT(own); i++)
        if (strcmp(own[i], name) == 0)
            return true;
    return false;
}

TEST(api_tables_name_only_what_there_is)
{
    for (size_t i = 0; i < n_operations; i++) {
        const struct operation *op = &operations[i];
        bool patch = op->request && strncmp(op->request, "Patch:", 6) == 0;
        CHECK_ROW(i, !op->request || patch || schema_find(op->request) || is_own(op->request));
        CHECK_ROW(i, !op->answer || strchr(op->answer, '/') || schema_find(op->answer) || is_own(op->answer));
        CHECK_ROW(i, op->status == 204 ? !op->answer : op->answer != NULL);
        for (slice rest = slice_of(op->query); rest.p;) {
            slice name = slice_cut(&rest, ',');
            if (!query_declared(name))
                test_fail(__FILE__, __LINE__, "%s: query_params lacks " SLF, op->id, SLA(name));
        }
        for (size_t k = 0; k < i; k++) /* ids and addresses are unique */
            CHECK_ROW(i, strcmp(op->id, operations[k].id) != 0 && (strcmp(op->path, operations[k].path) != 0 || strcmp(op->method, operations[k].method) != 0));
        bool reads = strcmp(op->method, "GET") == 0 || strcmp(op->id, "preview") == 0 || strcmp(op->id, "responses_render") == 0; /* they only show */
        CHECK_ROW(i, reads || op->may == MAY_ALL || op->may & MAY_TENANT || op->may == MAY_ANY || op->may == MAY_ADMIN || strcmp(op->tag, "desk") == 0); /* a supervisor changes nothing, but at the desk */
    }
    for (size_t i = 0; i < n_schemas; i++) {
        for (size_t k = 0; k < schemas[i].n; k++) {
            const struct member *m = &schemas[i].members[k];
            bool list = m->type == S_OBJECT || m->type == S_LIST;
            CHECK_ROW(i, list ? schema_find(m->of) != NULL : !m->of || is_own(m->of));
        }
        for (size_t k = 0; k < i; k++)
            CHECK_ROW(i, strcmp(schemas[i].name, schemas[k].name) != 0);
    }
}

/* ---- shapes ---------------------------------------------------------------------------------------------------------- */

TEST(api_bodies_are_checked_by_their_table)
{
    static const struct {
        const char *schema, *body, *field, *text;
    } rows[] = {
        { "LoginRequest", "{\"user\":\"a\",\"password\":\"b\",\"cookie\":true}", NULL, NULL },
        { "LoginRequest", "{\"user\":\"a\"}", "password", "is missing" },
        { "LoginRequest", "{\"user\":\"\",\"password\":\"b\"}", "user", "must not be empty" },
        { "LoginRequest", "{\"user\":7,\"password\":\"b\"}", "user", "must be a text" },
        { "LoginRequest", "{\"user\":null,\"password\":\"b\"}", "user", "must be a text" },
        { "LoginRequest", "{\"user\":\"a\",\"password\":\"b\",\"cookie\":1}", "cookie", "must be true or false" },
        { "LoginRequest", "{\"user\":\"a\",\"password\":\"b\",\"x\":1}", "x", "there is no such member" },
        { "LoginRequest", "[]", "", "must be an object" },
        { "LoginNew", "{\"user\":\"a\",\"role\":\"king\",\"password\":\"b\"}", "role", "must be one of: administrator, supervisor, agent" },
        { "InteractionReason", "{\"reason\":\"日本語\"}", NULL, NULL },
        { "InteractionReason", "{\"reason\":\"a\\u0000\"}", "reason", "must not hold the character U+0000" },
        { "ContactChange", "{\"attributes\":{\"a\":\"\\u0000\"}}", "attributes", "must be an object of texts, without the character U+0000" },
        { "InteractionTarget", "{\"user\":\"語語語語語語語語語語語語語語語語語語語語語語\"}", "user", "must have 0 to 64 bytes" },
        { "UserCapacity", "{\"chat\":101}", "chat", "must be between 0 and 100" },
        { "JournalDecision", "{\"ids\":[1,2]}", NULL, NULL },
        { "JournalDecision", "{\"ids\":[1,\"2\"]}", "ids[1]", "must be a whole number" },
        { "JournalDecision", "{\"ids\":7}", "ids", "must be a list" },
        { "JournalDecision", "{\"query\":{\"reason\":\"x\",\"no\":1}}", "query.no", "there is no such member" },
        { "SettingsDocument", "{\"proxy\":null,\"notifiers\":[]}", NULL, NULL },
        { "Me", "{\"user\":\"a\",\"role\":\"agent\",\"expires\":\"soon\",\"version\":\"1\"}", "expires", "must be a time such as 2026-03-04T05:06:07Z" },
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct problems p = { .a = a };
        struct fault f;
        bool ok = schema_check(schema_find(rows[i].schema), js_parse(a, slice_of(rows[i].body), &f), SLICE_NONE, &p);
        CHECK_ROW(i, ok == !rows[i].text && ok == (p.n == 0));
        CHECK_ROW(i, ok || (slice_eq(p.items[0].field, slice_of(rows[i].field)) && slice_eq(p.items[0].message, slice_of(rows[i].text))));
    }
    arena_free(a);
}

static const struct js *form_of(struct arena *a, enum settings_use use, const struct connector *type)
{
    struct jw w = jw_new(a, 1 << 20);
    jw_open(&w, NULL, '{');
    settings_schema(&w, "s", n_rows, N_SETTINGS, type, use);
    jw_close(&w, '}');
    struct fault f;
    const struct js *doc = js_parse(a, jw_done(&w), &f);
    CHECK(doc);
    return js_get(doc, SL("s"));
}

TEST(api_settings_become_a_schema)
{
    struct arena *a = arena_new();
    const struct js *form = form_of(a, SETTINGS_FORM, NULL);
    int64_t n;
    CHECK_SLICE(js_text(js_at(form, "properties.url.format")), SL("uri"));
    CHECK(js_true(js_at(form, "properties.secret.writeOnly")) && js_true(js_at(form, "properties.secret.x-secret")));
    CHECK(js_int(js_at(form, "properties.count.default"), &n) && n == 3);
    CHECK(js_int(js_at(form, "properties.count.maximum"), &n) && n == 9);
    CHECK_SLICE(js_text(js_at(form, "properties.how.enum.1")), SL("slow"));
    CHECK_SLICE(js_text(js_at(form, "properties.group.properties.one.title")), SL("One"));
    CHECK_SLICE(js_text(js_at(form, "properties.group.title")), SL("Group"));
    CHECK_SLICE(js_print(a, js_at(form, "required")), SL("[\"url\",\"secret\",\"group\"]"));
    CHECK_SLICE(js_print(a, js_at(form, "properties.group.required")), SL("[\"one\"]"));
    CHECK_SLICE(js_text(js_at(form, "properties.extra.additionalProperties.type")), SL("string"));
    const struct js *document = form_of(a, SETTINGS_DOCUMENT, &test_network);
    CHECK_SLICE(js_text(js_at(document, "properties.type.const")), SL("test-net"));
    CHECK_SLICE(js_text(js_at(document, "properties.secret.anyOf.1.$ref")), SL("#/components/schemas/SecretState"));
    CHECK_SLICE(settings_schema_name(a, &test_network), SL("Settings_test_net"));
    arena_free(a);
}

/* ---- guessing -------------------------------------------------------------------------------------------------------- */

TEST(api_guessing_takes_longer_each_time)
{
    struct attempts *t = attempts_new();
    int64_t now_ms = 1000000, waited = 0;
    for (int i = 0; i < ATTEMPTS_LOGIN; i++) {
        CHECK_INT(attempts_wait(t, SL("u:admin"), now_ms), 0);
        attempts_failed(t, SL("u:admin"), ATTEMPTS_LOGIN, now_ms);
    }
    for (int i = 0; i < 12; i++) {
        int64_t wait_s = attempts_wait(t, SL("u:admin"), now_ms);
        CHECK_ROW(i, wait_s > waited || wait_s == 15 * 60);
        CHECK_INT(attempts_wait(t, SL("u:other"), now_ms), 0);
        waited = wait_s;
        now_ms += wait_s * 1000;
        CHECK_INT(attempts_wait(t, SL("u:admin"), now_ms), 0);
        attempts_failed(t, SL("u:admin"), ATTEMPTS_LOGIN, now_ms);
    }
    CHECK(!attempts_known(t, SL("u:admin")));
    attempts_passed(t, SL("u:admin"), now_ms);
    CHECK(attempts_known(t, SL("u:admin")) && !attempts_known(t, SL("u:other")));
    CHECK_INT(attempts_wait(t, SL("u:admin"), now_ms), 0);
    attempts_free(t);
}

TEST(api_guessing_is_forgotten_after_an_hour_and_needs_no_more_room)
{
    struct attempts *t = attempts_new();
    struct arena *a = arena_new();
    attempts_passed(t, SL("u:here"), 1);
    for (int i = 0; i < ATTEMPTS_LOGIN - 1; i++)
        attempts_failed(t, SL("u:slow"), ATTEMPTS_LOGIN, 1000);
    attempts_failed(t, SL("u:slow"), ATTEMPTS_LOGIN, 1000 + 2 * 3600000);
    CHECK_INT(attempts_wait(t, SL("u:slow"), 1000 + 2 * 3600000), 0);
    /* far more names than there is room for: the newest is remembered */
    for (int i = 0; i < 4 * ATTEMPTS_MAX; i++) {
        slice key = arena_printf(a, "u:%d", i);
        for (int k = 0; k < ATTEMPTS_LOGIN; k++)
            attempts_failed(t, key, ATTEMPTS_LOGIN, 100000000 + i);
    }
    CHECK(attempts_wait(t, arena_printf(a, "u:%d", 4 * ATTEMPTS_MAX - 1), 100000000 + 4 * ATTEMPTS_MAX - 1) > 0);
    CHECK(attempts_known(t, SL("u:here")));
    arena_free(a);
    attempts_free(t);
}

/* ---- passwords ------------------------------------------------------------------------------------------------------- */

TEST(api_weak_passwords_are_told_why)
{
    static const struct {
        const char *password;
        bool good;
    } rows[] = {
        { "", false },       { "password", false },     { "s3cr3t", false }, { "P@ssw0rd", false },     { "qwertyuiop", false },
        { "aaaaaaaaaaaa", false }, { "20260101", false }, { "administrator", false }, { "dragoman1", false }, { "seven quiet herons", true },
        { "correct horse battery", true }, { "x7#Kp2!qLw9", true },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        CHECK_ROW(i, password_good(slice_of(rows[i].password), SL("administrator"), &f) == rows[i].good);
        CHECK_ROW(i, rows[i].good || (strcmp(f.code, "weak_password") == 0 && (!rows[i].password[0] || !strstr(f.text, rows[i].password))));
    }
    struct arena *a = arena_new();
    struct fault f;
    char longest[PASSWORD_MAX + 2];
    memset(longest, 'x', sizeof(longest));
    CHECK(!password_good(slice_mem(longest, sizeof(longest)), SL("u"), &f));
    CHECK(!password_good(slice_mem("ab\0cd seven quiet herons", 24), SL("u"), &f));
    for (int i = 0; i < 20; i++)
        CHECK(password_good(password_make(a), SL("admin"), &f));
    arena_free(a);
}

struct hashing {
    struct loop *loop;
    struct arena *a;
    slice hash;
    int checks, same, waiting;
};

static void hashed(void *arg, slice hash)
{
    struct hashing *h = arg;
    h->hash = arena_dup(h->a, hash);
    loop_stop(h->loop);
}

static slice hash_of(void *arg)
{
    return ((struct hashing *)arg)->hash;
}

static slice no_hash(void *arg)
{
    (void)arg;
    return SLICE_NONE;
}

static void checked(void *arg, bool same)
{
    struct hashing *h = arg;
    h->checks++;
    h->same += same;
    if (--h->waiting == 0)
        loop_stop(h->loop);
}

/* Of the processor's time, whatever else the machine does. */
static int64_t check_us(struct hashing *h, struct passwords *p, slice hash)
{
    struct rusage before, after;
    h->hash = hash;
    h->waiting = 1;
    getrusage(RUSAGE_SELF, &before);
    CHECK(passwords_check(p, SL("seven quiet herons"), hash_of, checked, h));
    loop_run(h->loop);
    getrusage(RUSAGE_SELF, &after);
    return (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec - before.ru_utime.tv_usec;
}

TEST(api_a_login_that_has_no_password_is_checked_as_long_as_one_that_is_not_there)
{
    struct hashing h = { loop_new(), arena_new(), SLICE_NONE, 0, 0, 0 };
    struct passwords *p = passwords_new(h.loop);
    CHECK(check_us(&h, p, SL("oidc")) > check_us(&h, p, SLICE_NONE) / 8);
    CHECK_INT(h.same, 0);
    loop_free(h.loop);
    passwords_free(p);
    arena_free(h.a);
}

TEST(api_passwords_are_hashed_beside_the_loop_one_at_a_time)
{
    struct hashing h = { loop_new(), arena_new(), SLICE_NONE, 0, 0, 3 };
    struct passwords *p = passwords_new(h.loop);
    CHECK(passwords_hash(p, SL("seven quiet herons"), hashed, &h));
    loop_run(h.loop);
    CHECK(slice_starts(h.hash, SL("$argon2id$v=19$m=19456,t=2,p=1$")));
    CHECK(passwords_check(p, SL("seven quiet herons"), hash_of, checked, &h));
    CHECK(passwords_check(p, SL("seven quiet heron"), hash_of, checked, &h));
    CHECK(passwords_check(p, SL("seven quiet herons"), no_hash, checked, &h));
    loop_run(h.loop);
    CHECK_INT(h.checks, 3);
    CHECK_INT(h.same, 1);
    h.waiting = 1;
    CHECK(passwords_check(p, SL("seven quiet herons"), hash_of, checked, &h));
    h.hash = SL("$argon2id$v=19$of another password"); /* while it is being checked */
    loop_run(h.loop);
    CHECK_INT(h.checks, 4);
    CHECK_INT(h.same, 1);
    size_t taken = 0;
    h.waiting = 1000;
    while (passwords_check(p, SL("x"), no_hash, checked, &h))
        taken++;
    CHECK_INT((int64_t)taken, PASSWORDS_WAITING);
    h.waiting = (int)taken;
    loop_run(h.loop);
    loop_free(h.loop);
    passwords_free(p);
    arena_free(h.a);
}

/* ---- passphrases ----------------------------------------------------------------------------------------------------- */

struct sealing {
    struct loop *loop;
    struct arena *a;
    slice text;
    bool there;
};

static void sealed(void *arg, slice text)
{
    struct sealing *s = arg;
    s->there = text.p != NULL;
    s->text = arena_dup(s->a, text);
    loop_stop(s->loop);
}

TEST(api_a_passphrase_opens_what_it_closed)
{
    struct sealing s = { .loop = loop_new(), .a = arena_new() };
    passphrase_close(s.loop, SL("open sesame"), SL("{\"secret\":1}"), sealed, &s);
    loop_run(s.loop);
    slice text = s.text;
    CHECK(passphrase_is_closed(text) && slice_find(text, SL("secret")) == SIZE_MAX);
    passphrase_open(s.loop, SL("open sesame"), text, sealed, &s);
    loop_run(s.loop);
    CHECK_SLICE(s.text, SL("{\"secret\":1}"));
    char *damaged = arena_cstr(s.a, text);
    damaged[text.n - 6] = damaged[text.n - 6] == 'A' ? 'B' : 'A';
    const slice bad[][2] = { { SL("open sesam"), text }, { SL("open sesame"), { damaged, text.n } }, { SL("open sesame"), slice_sub(text, 0, 40) }, { SL("open sesame"), SL("x") } };
    for (size_t i = 0; i < COUNT(bad); i++) {
        passphrase_open(s.loop, bad[i][0], bad[i][1], sealed, &s);
        loop_run(s.loop);
        CHECK_ROW(i, !s.there);
    }
    loop_free(s.loop);
    arena_free(s.a);
}

/* ---- sessions -------------------------------------------------------------------------------------------------------- */

static void begun(void *arg, const struct fault *f)
{
    CHECK(!f);
    ++*(int *)arg;
}

static void find_token(void *arg, slice key, slice value)
{
    slice token = *(slice *)arg;
    CHECK(slice_find(key, token) == SIZE_MAX && slice_find(value, token) == SIZE_MAX);
}

TEST(api_sessions_end_and_outlive_a_restart)
{
    struct arena *a = arena_new();
    struct fault f = { 0 };
    struct loop *loop = loop_new();
    struct store *store = store_open(arena_printf(a, "%s/store.db", test_dir()).p, &f);
    CHECK(store);
    struct hub h = { .loop = loop, .store = store };
    struct sessions *ss = sessions_new(&h, 3600000, 600000);
    int stored = 0;
    slice one = session_begin(ss, a, SL("ann"), begun, &stored), two = session_begin(ss, a, SL("bob"), begun, &stored);
    CHECK_INT(stored, 2);
    CHECK(!slice_eq(one, two) && one.n == 43);
    CHECK(session_find(ss, one) && slice_eq(slice_of(session_find(ss, one)->user), SL("ann")));
    CHECK(!session_find(ss, SL("nonsense")) && !session_find(ss, SLICE_NONE));
    store_scan(store, SL("session:"), 0, find_token, NULL, &one);
    sessions_stop(ss);
    sessions_free(ss);

    ss = sessions_new(&h, 3600000, 600000); /* another process */
    CHECK(session_find(ss, one) && session_find(ss, two));
    sessions_end(ss, SL("bob"));
    CHECK(session_find(ss, one) && !session_find(ss, two));
    uint8_t hash[SESSION_HASH_BYTES];
    memcpy(hash, session_find(ss, one)->hash, sizeof(hash));
    CHECK(session_alive(ss, hash));
    session_end(ss, session_find(ss, one));
    CHECK(!session_find(ss, one) && !session_alive(ss, hash));

    slice first = session_begin(ss, a, SL("cat"), NULL, NULL), last = first;
    for (int i = 0; i < SESSIONS_OF_LOGIN; i++)
        last = session_begin(ss, a, SL("cat"), NULL, NULL);
    CHECK(!session_find(ss, first) && session_find(ss, last));
    sessions_stop(ss);
    sessions_free(ss);

    ss = sessions_new(&h, 3600000, -1); /* idle for longer than they may */
    CHECK(!session_find(ss, last));
    sessions_stop(ss);
    sessions_free(ss);
    store_close(store);
    loop_free(loop);
    arena_free(a);
}

/* ---- differences ----------------------------------------------------------------------------------------------------- */

static const struct config_tenant *tenant(struct arena *a, const char *json)
{
    struct fault f = { 0 };
    struct config_problems p = { .a = a };
    const struct config_tenant *t = config_tenant_read(a, yaml_of_js(a, js_parse(a, slice_of(json), &f)), SL("acme"), SL("http://hub"), NULL, connector_find, &p);
    if (!t)
        test_fail(__FILE__, __LINE__, SLF ": " SLF, SLA(p.items[0].path), SLA(p.items[0].text));
    return t;
}

TEST(api_differences_tell_no_secret)
{
    static const char before[] = "{\"name\":\"ACME\",\"desk\":{\"type\":\"test-desk\"},\"channels\":[{\"type\":\"test-net\",\"name\":\"one\",\"url\":\"http://a\",\"secret\":\"old-secret\","
                                 "\"group\":{\"one\":\"1\"}},{\"type\":\"test-net\",\"name\":\"two\",\"url\":\"http://b\",\"secret\":\"two-secret\",\"group\":{\"one\":\"1\"}}]}";
    static const char after[] = "{\"name\":\"ACME\",\"subscription\":\"S\",\"desk\":{\"type\":\"test-desk\"},\"channels\":[{\"type\":\"test-net\",\"name\":\"new\",\"url\":\"http://c\",\"secret\":\"new-secret\","
                                "\"group\":{\"one\":\"2\"}},{\"type\":\"test-net\",\"name\":\"one\",\"url\":\"http://a\",\"secret\":\"other-secret\",\"count\":5,\"group\":{\"one\":\"1\",\"secret\":\"g-secret\"}}]}";
    struct arena *a = arena_new();
    struct jw w = jw_new(a, 1 << 16);
    jw_open(&w, NULL, '[');
    size_t n = changes_write(&w, a, tenant(a, before), tenant(a, after));
    jw_close(&w, ']');
    slice text = jw_done(&w);
    static const char *const there[] = {
        "{\"path\":\"subscription\",\"to\":\"S\"}", "{\"path\":\"channels[1].secret\",\"secret\":true}", "{\"path\":\"channels[1].count\",\"to\":5}",
        "{\"path\":\"channels[1].group.secret\",\"secret\":true}", "{\"path\":\"channels[0].name\",\"to\":\"new\"}", "{\"path\":\"channels[two].url\",\"from\":\"http://b\"}",
    };
    for (size_t i = 0; i < COUNT(there); i++)
        CHECK_ROW(i, slice_find(text, slice_of(there[i])) != SIZE_MAX);
    static const char *const secrets[] = { "old-secret", "two-secret", "new-secret", "other-secret", "g-secret" };
    for (size_t i = 0; i < COUNT(secrets); i++)
        CHECK_ROW(i, slice_find(text, slice_of(secrets[i])) == SIZE_MAX);
    CHECK(slice_find(text, SL("channels[1].url")) == SIZE_MAX);
    CHECK(n > COUNT(there));
    struct jw same = jw_new(a, 1024);
    jw_open(&same, NULL, '[');
    CHECK_INT((int64_t)changes_write(&same, a, tenant(a, before), tenant(a, before)), 0);
    arena_free(a);
}
