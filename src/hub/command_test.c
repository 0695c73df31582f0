/* Commands on the rig: a hub with its own responses, and a language. */
#include "hub/command.h"
#include "hub/later.h"
#include "hub/responses.h"
#include "hub/rig_test.h"

static enum outcome tongue_ask(struct call *c, struct delivery *d, const struct language_ask *ask, struct language_answer *ret)
{
    if (!d->last) {
        d->call.method = "POST";
        d->call.url = arena_printf(c->a, SLF "/vendor/tongue", SLA(c->account->settings[0]));
        d->call.type = SL("text/plain");
        d->call.body = arena_join(c->a, ask->session, SL(" "), ask->text);
        d->call.repeatable = true;
        d->call.no_token = true;
        return OUT_CALL;
    }
    if (d->last->status != 200)
        return answer_outcome(c, d, "tongue");
    ret->understood = slice_starts(ask->text, SL("later"));
    ret->complete = true;
    ret->command = SL("continue");
    ret->say = ret->understood ? SL("Gladly.") : SLICE_NONE;
    ret->when_ms = c->now_ms + 3600000;
    return OUT_DELIVERED;
}
static const struct setting tongue_settings[] = { { "url", "URL", SETTING_URL, true, false, NULL, NULL, NULL, 0, 0 } };
static const struct language tongue = { .type = { .name = "tongue", .title = "A Tongue", .settings = tongue_settings, .n_settings = 1 }, .ask = tongue_ask };
static void put_done(void *arg, const struct own_response *o, const struct fault *f)
{
    *(int *)arg = o && !f ? 1 : -1;
}

static void put(struct rig *r, const char *json)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int done = 0;
    struct fault f = { 0 };
    response_put(&r->hub, NULL, js_parse(a, slice_of(json), &f), SL("test"), put_done, &done);
    UNTIL(r, done);
    CHECK_INT(done, 1);
}

static int counted(struct rig *r, const char *part)
{
    int n = 0;
    for (size_t i = 0; i < r->n_seen; i++)
        n += slice_find(r->seen[i].body, slice_of(part)) != SIZE_MAX;
    return n;
}

TEST(command_sends_a_response_in_its_place)
{
    struct rig *r = rig_new();
    put(r, "{\"name\":\"Hello\",\"text\":\"Hello {{name}}!\",\"substitutions\":[{\"id\":\"name\",\"default_value\":\"you\"}]}");
    put(r, "{\"name\":\"Two\",\"text\":\"[\\\"first\\\",\\\"second\\\"]\"}");
    put(r, "{\"name\":\"Of others\",\"text\":\"x\",\"tenants\":[\"others\"]}");
    rig_say(r, "d1", "U1@tnet", "one");
    rig_say(r, "d2", "U1@tnet", "> send hello with name=Ann");
    rig_say(r, "d3", "U1@tnet", "> send Two");
    rig_say(r, "d4", "U1@tnet", "> send 'Of others'");
    rig_say(r, "d5", "U1@tnet", "last");
    UNTIL(r, rig_seen(r, "last") == 1 && counted(r, "no canned response \"Of others\"") == 1 && rig_seen(r, "status d4 failed") == 1);
    static const char *const order[] = { "one", "Hello Ann!", "first", "second", "last" };
    size_t at = 0;
    for (size_t i = 0; i < r->n_seen; i++)
        if (slice_eq(r->seen[i].path, SL("/vendor/tnet"))) {
            CHECK(at < COUNT(order) && slice_eq(r->seen[i].body, slice_of(order[at])));
            at++;
        }
    CHECK_INT(at, COUNT(order));
    UNTIL(r, rig_count(r, J_WAITING) == 0);
    CHECK_INT(rig_count(r, J_IGNORED), 1);
    CHECK_INT(rig_count(r, J_DEAD), 0);
    rig_free(r);
}

static int not_now(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_eq(s->body, SL("as it was")) ? 503 : 200;
}

TEST(command_repeats_what_it_said_whatever_the_response_became)
{
    struct rig *r = rig_new();
    put(r, "{\"name\":\"R\",\"text\":\"as it was\"}");
    r->answer = not_now;
    rig_say(r, "d1", "U1@tnet", "> send R");
    UNTIL(r, rig_seen(r, "as it was") >= 1);
    int done = 0;
    response_remove(&r->hub, response_own(&r->hub, SL("R")), put_done, &done);
    UNTIL(r, done);
    rig_crash(r);
    r->answer = NULL;
    UNTIL(r, rig_count(r, J_DELIVERED) >= 1);
    CHECK_INT(rig_count(r, J_IGNORED), 0);
    rig_free(r);
}

TEST(command_asks_a_language_while_the_lane_goes_on)
{
    struct rig *r = rig_new();
    slice url = arena_printf(r->a, "http://127.0.0.1:%u", server_port(r->vendor));
    struct config c = { .commander = { .language = &tongue, .settings = &url } };
    r->hub.config = &c;
    rig_say(r, "d1", "U1@tnet", "> later, when the sun shines");
    rig_say(r, "d2", "U1@tnet", "meanwhile");
    UNTIL(r, rig_seen(r, "meanwhile") == 1 && counted(r, "[Commander] Gladly.\nWill continue at") == 1);
    CHECK(later_at(&r->hub, SL("t/tnet:U1")) > time_now_ms() + 3000000);
    CHECK_INT(rig_count(r, J_IGNORED), 1);
    rig_say(r, "d3", "U1@tnet", "> what is this");
    UNTIL(r, counted(r, "[Commander] Command not understood") == 1);
    rig_say(r, "d4", "U1@tnet", "> continue never");
    UNTIL(r, counted(r, "does not come back") == 1);
    CHECK_INT(later_at(&r->hub, SL("t/tnet:U1")), 0);
    r->hub.config = NULL;
    rig_free(r);
}

TEST(command_prefix_and_switch_are_the_tenants)
{
    struct rig *r = rig_new();
    struct config_tenant ct = { .commander = { .values = { [COMMANDER_PREFIX] = SL("!") } } };
    r->hub.tenants[0]->config = &ct;
    rig_say(r, "d1", "U1@tnet", "> to all");
    rig_say(r, "d2", "U1@tnet", "! help");
    UNTIL(r, counted(r, "[Commander] Commands:") == 1);
    UNTIL(r, rig_seen(r, "> to all") == 1);
    ct.commander.values[COMMANDER_USE] = SL("false");
    rig_say(r, "d3", "U1@tnet", "! help");
    UNTIL(r, rig_seen(r, "! help") == 1);
    r->hub.tenants[0]->config = NULL;
    rig_free(r);
}
