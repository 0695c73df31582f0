#include "hub/registry.h"
#include "hub/rig_test.h"

struct outcome_seen {
    struct rig *r;
    bool done, at_work;
    const struct registry_entry *e;
    struct fault f;
};

static bool accounts_are_known(const struct rig *r)
{
    for (size_t i = 0; i < r->hub.n_actors; i++)
        if (r->hub.actors[i]->learning)
            return false;
    return true;
}

static void ended(void *arg, const struct registry_entry *e, const struct fault *f)
{
    struct outcome_seen *o = arg;
    o->done = true;
    o->at_work = accounts_are_known(o->r);
    o->e = e;
    if (f)
        o->f = *f;
}

static slice document(struct rig *r, const char *name, const char *desk, const char *secret, const char *more)
{
    const char *address = arena_printf(r->a, "http://127.0.0.1:%u", server_port(r->vendor)).p;
    return arena_printf(r->a,
                        "{\"name\":\"%s\",\"desk\":{\"type\":\"%s\",\"secret\":\"desk\",\"base_url\":\"%s\"},"
                        "\"channels\":[{\"type\":\"tnet\",\"base_url\":\"%s\"%s%s%s%s}]}",
                        name, desk, address, address, secret ? ",\"secret\":\"" : "", secret ? secret : "", secret ? "\"" : "", more);
}

static const struct registry_entry *put(struct rig *r, const struct registry_entry *old, int64_t if_rev, slice doc, const char *code)
{
    struct outcome_seen o = { .r = r };
    registry_put(&r->hub, old, if_rev, doc, SL("tester"), NULL, ended, &o);
    UNTIL(r, o.done);
    if (!code && !o.e)
        test_fail(__FILE__, __LINE__, "%s: %s", o.f.code, o.f.text);
    if (code)
        CHECK_SLICE(slice_of(o.f.code), slice_of(code));
    CHECK(o.at_work); /* when it was told */
    return o.e;
}

static slice shown(struct rig *r, const struct registry_entry *e, enum doc_secrets secrets)
{
    struct jw w = jw_new(r->a, 65536);
    jw_open(&w, NULL, '{');
    tenant_doc_write(&w, e->config, secrets);
    jw_close(&w, '}');
    return jw_done(&w);
}

static int hook(struct rig *r, const char *secret, const char *path, const char *id, const char *text)
{
    r->secret = slice_of(secret);
    return rig_hook(r, path, arena_printf(r->a, "{\"events\":[{\"id\":\"%s\",\"guest\":\"U1%s\",\"text\":\"%s\"}]}", id, strstr(path, "desk") ? "@tnet" : "", text).p);
}

TEST(registry_a_tenant_made_while_the_hub_runs_works_and_stays)
{
    struct rig *r = rig_new();
    const struct registry_entry *e = put(r, NULL, -1, document(r, "ACME Inn", "tdesk", "acme-secret", ""), NULL);
    CHECK_SLICE(e->slug, SL("acme-inn"));
    CHECK_INT(e->rev, 1);
    CHECK(registry_find(&r->hub, e->id) == e && registry_find(&r->hub, SL("ACME Inn")) == e && registry_find(&r->hub, SL("acme-inn")) == e);
    CHECK_INT(hook(r, "acme-secret", "/tnet", "1", "hello"), 200);
    CHECK_INT(hook(r, "desk", "/tdesk", "2", "hi"), 200);
    UNTIL(r, rig_seen(r, "hello") == 1 && rig_seen(r, "hi") == 1);
    CHECK(!rig_on_disk(r, "acme-secret")); /* sealed */
    slice id = arena_dup(r->a, e->id);
    rig_stop(r);
    rig_start(r);
    CHECK((e = registry_find(&r->hub, id)) != NULL);
    CHECK_SLICE(e->by, SL("tester"));
    CHECK_INT(hook(r, "acme-secret", "/tnet/acme-inn/tnet", "3", "again"), 200);
    UNTIL(r, rig_seen(r, "again") == 1);
    rig_free(r);
}

TEST(registry_a_change_takes_effect_at_once_and_keeps_the_secrets_that_are_not_given)
{
    struct rig *r = rig_new();
    const struct registry_entry *e = put(r, NULL, -1, document(r, "ACME", "tdesk", "first", ""), NULL);
    CHECK_INT(hook(r, "first", "/tnet", "1", "one"), 200);
    put(r, e, 1, document(r, "ACME", "tdesk", "second", ""), NULL);
    CHECK_INT(e->rev, 2);
    CHECK_INT(hook(r, "first", "/tnet", "2", "two"), 403);
    CHECK_INT(hook(r, "second", "/tnet", "3", "three"), 200);
    put(r, e, 1, document(r, "ACME", "tdesk", "third", ""), "changed");
    CHECK_INT(hook(r, "second", "/tnet", "4", "four"), 200);

    put(r, e, 2, document(r, "Renamed", "tdesk", NULL, ",\"key\":\"k\",\"dedupe_hours\":2"), NULL); /* without the secret */
    CHECK_SLICE(e->slug, SL("acme"));
    CHECK_SLICE(e->tenant->name, SL("Renamed"));
    CHECK_INT(hub_actor(&r->hub, SL("acme/tnet"))->account.dedupe_ms, 7200000);
    CHECK_INT(hook(r, "second", "/tnet", "5", "five"), 200);
    UNTIL(r, rig_seen(r, "five") == 1);
    CHECK(slice_find(shown(r, e, DOC_SECRETS_HIDDEN), SL("second")) == SIZE_MAX);
    CHECK(slice_find(shown(r, e, DOC_SECRETS_HIDDEN), SL("\"secret\":{\"set\":true}")) != SIZE_MAX);
    put(r, e, -1, shown(r, e, DOC_SECRETS_HIDDEN), NULL); /* as it was read */
    CHECK(slice_find(shown(r, e, DOC_SECRETS_SHOWN), SL("\"secret\":\"second\"")) != SIZE_MAX);
    put(r, e, -1, document(r, "Renamed", "tdesk", NULL, ",\"secret\":null"), "invalid");
    rig_free(r);
}

TEST(registry_says_what_is_wrong_and_where)
{
    struct rig *r = rig_new();
    put(r, NULL, -1, document(r, "ACME", "tdesk", "s", ""), NULL);
    static const struct {
        const char *doc, *path, *text;
    } rows[] = {
        { "{", "", "'" },
        { "[]", "", "must be a group" },
        { "{\"name\":\"N\",\"desk\":{\"type\":\"tdesk\",\"base_url\":\"u\"},\"channels\":[]}", "desk.secret", "is missing" },
        { "{\"name\":\"N\",\"desk\":{\"type\":\"tdesk\",\"secret\":\"x\",\"base_url\":\"u\"},\"channels\":[]}", "channels", "at least one" },
        { "{\"name\":\"N\",\"desk\":{\"type\":\"tnet\"},\"channels\":[]}", "desk.type", "belongs under channels" },
        { "{\"name\":\"acme\"}", "name", "another tenant" },
        { "{\"name\":\"N\",\"desk\":{\"type\":\"tdesk\",\"secret\":\"${HOME}\",\"base_url\":\"u\"},\"channels\":[{\"type\":\"tnet\",\"secret\":{\"set\":true}}]}",
          "channels[0].secret", "is missing" },
        { "{\"name\":\"N\",\"api\":{\"auth\":\"basic\"}}", "api", "needs user and password" },
        { "{\"name\":\"N\",\"id\":\"7\"}", "id", "UUID" },
        { "{\"name\":\"N\",\"desks\":1}", "desks", "no such setting" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct config_problems p = { .a = r->a };
        CHECK_ROW(i, !registry_check(&r->hub, r->a, slice_of(rows[i].doc), NULL, &p));
        bool told = false;
        for (size_t k = 0; k < p.n; k++)
            told |= slice_eq(p.items[k].path, slice_of(rows[i].path)) && slice_find(p.items[k].text, slice_of(rows[i].text)) != SIZE_MAX;
        CHECK_ROW(i, told);
    }
    rig_free(r);
}

TEST(registry_what_only_one_channel_can_have_is_refused_to_another)
{
    struct rig *r = rig_new();
    slice other = document(r, "Inn", "tdesk", "t", ",\"key\":\"k1\"");
    const struct registry_entry *e = put(r, NULL, -1, document(r, "ACME", "tdesk", "s", ",\"key\":\"k1\""), NULL);
    struct config_problems p = { .a = r->a };
    CHECK(registry_check(&r->hub, r->a, other, NULL, &p) && !p.n); /* a plan: the other one may go first */
    put(r, NULL, -1, other, "invalid");
    e = put(r, e, -1, document(r, "ACME", "tdesk", "s2", ",\"key\":\"k1\""), NULL); /* its own */
    put(r, e, -1, document(r, "ACME", "tdesk", "s2", ",\"key\":\"k2\""), NULL);
    put(r, NULL, -1, other, NULL);
    struct outcome_seen one = { .r = r }, two = { .r = r }; /* at once */
    registry_put(&r->hub, NULL, -1, document(r, "Three", "tdesk", "u", ",\"key\":\"k4\""), SL("tester"), NULL, ended, &one);
    registry_put(&r->hub, NULL, -1, document(r, "Four", "tdesk", "v", ",\"key\":\"k4\""), SL("tester"), NULL, ended, &two);
    UNTIL(r, one.done && two.done);
    CHECK(one.e && !two.e);
    CHECK_SLICE(slice_of(two.f.code), SL("invalid"));
    slice twice = document(r, "Two", "tdesk", "t", ",\"key\":\"k3\"},{\"type\":\"tnet\",\"name\":\"more\",\"secret\":\"m\",\"base_url\":\"http://127.0.0.1:9\",\"key\":\"k3\"");
    CHECK(!registry_check(&r->hub, r->a, twice, NULL, &p));
    CHECK(p.n == 1 && slice_eq(p.items[0].path, SL("channels[1].key")));
    rig_free(r);
}

TEST(registry_a_removed_tenant_is_unknown_and_its_messages_wait_until_it_is_back)
{
    struct rig *r = rig_new();
    slice doc = document(r, "ACME", "tdesk", "s", "");
    const struct registry_entry *e = put(r, NULL, -1, doc, NULL);
    struct actor *desk = hub_actor(&r->hub, SL("acme/tdesk"));
    desk->set_up = false; /* the messages wait */
    CHECK_INT(hook(r, "s", "/tnet", "1", "one"), 200);
    CHECK_INT(hook(r, "s", "/tnet", "2", "two"), 200);
    struct outcome_seen o = { .r = r };
    registry_remove(&r->hub, e, 1, SL("tester"), ended, &o);
    UNTIL(r, o.done);
    CHECK(o.e && registry_find(&r->hub, SL("ACME")) == NULL && !hub_actor(&r->hub, SL("acme/tdesk")));
    CHECK_INT(hook(r, "s", "/tnet", "3", "three"), 403);
    CHECK_INT(hook(r, "s", "/tnet/acme/tnet", "3", "three"), 404);
    CHECK_INT(rig_count(r, J_WAITING), 2);
    rig_stop(r);
    rig_start(r);
    CHECK(registry_find(&r->hub, SL("ACME")) == NULL);
    rig_turn(r, 50);
    CHECK_INT(r->n_seen, 0);
    put(r, NULL, -1, doc, NULL);
    UNTIL(r, rig_seen(r, "one") == 1 && rig_seen(r, "two") == 1);
    UNTIL(r, rig_count(r, J_WAITING) == 0); /* the desk has seen them; a moment later they are settled */
    rig_free(r);
}

TEST(registry_what_waited_for_a_removed_account_goes_on_when_it_is_back_in_the_same_process)
{
    struct rig *r = rig_new();
    slice doc = document(r, "ACME", "tdesk", "s", "");
    const struct registry_entry *e = put(r, NULL, -1, doc, NULL);
    struct actor *desk = hub_actor(&r->hub, SL("acme/tdesk"));
    desk->set_up = false; /* the messages wait at the account itself */
    CHECK_INT(hook(r, "s", "/tnet", "1", "one"), 200);
    UNTIL(r, desk->n_ready == 1);
    struct outcome_seen o = { .r = r };
    registry_remove(&r->hub, e, 1, SL("tester"), ended, &o);
    UNTIL(r, o.done);
    CHECK_INT(rig_count(r, J_WAITING), 1);
    desk->breaker.failures = 2; /* of another time, like its token */
    put(r, NULL, -1, doc, NULL);
    UNTIL(r, rig_seen(r, "one") == 1);
    CHECK_INT(desk->breaker.failures, 0);
    rig_free(r);
}

/* Its settings, and the name of its tenant, may be gone with it. */
TEST(registry_what_came_from_a_removed_account_waits_until_it_is_back)
{
    struct rig *r = rig_new();
    const char *second = "},{\"type\":\"tnet\",\"name\":\"more\",\"secret\":\"m\",\"base_url\":\"http://127.0.0.1:9\"";
    const struct registry_entry *e = put(r, NULL, -1, document(r, "ACME", "tdesk", "s", second), NULL);
    struct actor *desk = hub_actor(&r->hub, SL("acme/tdesk"));
    desk->set_up = false;
    CHECK_INT(hook(r, "m", "/tnet", "1", "whose"), 200);
    UNTIL(r, desk->n_ready == 1);
    e = put(r, e, -1, document(r, "ACME", "tdesk", "s", ""), NULL);
    CHECK_INT(desk->n_ready, 0);
    desk->set_up = true;
    put(r, e, -1, document(r, "ACME", "tdesk", "s", second), NULL);
    UNTIL(r, rig_seen(r, "of ACME") == 1);
    UNTIL(r, rig_count(r, J_WAITING) == 0);

    desk->set_up = false;
    CHECK_INT(hook(r, "s", "/tnet", "2", "whose"), 200);
    UNTIL(r, desk->n_ready == 1);
    struct outcome_seen o = { .r = r };
    registry_remove(&r->hub, e, -1, SL("tester"), ended, &o);
    UNTIL(r, o.done);
    put(r, NULL, -1, document(r, "Another", "tdesk", "x", ""), NULL); /* with this the texts of the other one go */
    put(r, NULL, -1, document(r, "Acme", "tdesk", "s", ""), NULL);
    UNTIL(r, rig_seen(r, "of Acme") == 1);
    rig_free(r);
}

TEST(registry_another_desk_begins_the_conversation_anew)
{
    struct rig *r = rig_new();
    const struct registry_entry *e = put(r, NULL, -1, document(r, "ACME", "tdesk", "s", ""), NULL);
    CHECK_INT(hook(r, "s", "/tnet", "1", "one"), 200);
    UNTIL(r, rig_seen(r, "one") == 1);
    put(r, e, -1, document(r, "ACME", "tdesk2", "s", ""), NULL);
    CHECK_INT(hook(r, "s", "/tnet", "2", "two"), 200);
    UNTIL(r, rig_seen(r, "two") == 1);
    CHECK_SLICE(r->seen[r->n_seen - 1].path, SL("/vendor/tdesk2"));
    CHECK_INT(hook(r, "desk", "/tdesk/acme/tdesk", "3", "old desk"), 404);
    CHECK_INT(hook(r, "desk", "/tdesk2", "4", "new desk"), 200);
    UNTIL(r, rig_seen(r, "new desk") == 1);
    rig_free(r);
}

TEST(registry_an_account_keeps_its_kind)
{
    struct rig *r = rig_new();
    const struct registry_entry *e = put(r, NULL, -1, document(r, "ACME", "tdesk", "s", ",\"name\":\"one\""), NULL);
    slice doc = document(r, "ACME", "tdesk", "s", ",\"name\":\"one\"");
    struct text t = text_new(r->a, 4096);
    size_t at = slice_find(doc, SL("\"tnet\""));
    text_put(&t, slice_sub(doc, 0, at));
    text_put(&t, SL("\"tother\""));
    text_put(&t, slice_from(doc, at + 6));
    put(r, e, -1, text_slice(&t), "invalid");
    CHECK_INT(e->rev, 1);
    rig_free(r);
}


TEST(registry_what_cannot_be_stored_is_not_at_work)
{
    struct rig *r = rig_new();
    rig_disk_full(true);
    const struct registry_entry *e = put(r, NULL, -1, document(r, "ACME", "tdesk", "s", ""), "store_failed");
    rig_disk_full(false);
    CHECK(!e && !registry_find(&r->hub, SL("ACME")));
    CHECK(put(r, NULL, -1, document(r, "ACME", "tdesk", "s", ""), NULL) != NULL);
    rig_free(r);
}

struct own_seen {
    size_t n_take, n_taken;
    slice text, conversation;
    struct rig *r;
};

static void take(void *arg, const struct own_delivery *d, struct jbatch *b)
{
    struct own_seen *s = arg;
    s->n_take++;
    s->text = arena_dup(s->r->a, d->parts[0].text);
    jbatch_put(b, SL("z:own"), d->m->text);
}

static void taken(void *arg, const struct own_delivery *d)
{
    struct own_seen *s = arg;
    CHECK_INT(s->n_take, ++s->n_taken);
    s->conversation = arena_dup(s->r->a, d->conv->pub.id);
}

TEST(own_end_is_told_what_arrives_when_it_is_stored)
{
    struct rig *r = rig_new();
    struct own_seen s = { .r = r };
    hub_own_end(&r->hub, &rig_own_desk, &(struct own_end){ take, taken, &s });
    put(r, NULL, -1, document(r, "ACME", "towndesk", "s", ""), NULL);
    CHECK_INT(hook(r, "s", "/tnet", "1", "hello there"), 200);
    UNTIL(r, s.n_taken == 1);
    CHECK_SLICE(s.text, SL("hello there"));
    CHECK_SLICE(s.conversation, SL("acme/tnet:U1"));
    CHECK_INT(rig_count(r, J_DELIVERED), 1);
    rig_disk_full(true); /* it is accepted when there is room again, and taken once */
    int status;
    r->secret = SL("s");
    rig_hook_later(r, "/tnet", "{\"events\":[{\"id\":\"2\",\"guest\":\"U1\",\"text\":\"two\"}]}", &status);
    UNTIL(r, status != 0);
    CHECK_INT(status, 503);
    rig_disk_full(false);
    CHECK_INT(hook(r, "s", "/tnet", "2", "two"), 200);
    UNTIL(r, s.n_taken == 2);
    rig_free(r);
}
