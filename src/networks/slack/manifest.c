/* The app as Slack makes it from a manifest: "Manifest". */
#include "networks/slack/wire.h"

enum { MANIFEST_BYTES = 16384, DESCRIPTION_CHARS = 140 };

/* clang-format off */
static const char *const scopes[] = {
    "app_mentions:read", "channels:history", "channels:read", "chat:write", "chat:write.customize", "files:read", "files:write",
    "groups:history", "groups:read", "im:history", "im:read", "im:write", "mpim:history", "mpim:read", "reactions:read",
    "team:read", "users:read", "users:read.email",
};
static const char *const bot_events[] = {
    "app_home_opened", "app_mention", "app_uninstalled", "member_joined_channel", "member_left_channel", "message.channels", "message.groups",
    "message.im", "message.mpim", "reaction_added", "reaction_removed", "team_rename", "tokens_revoked", "user_change",
};
/* clang-format on */

static void put_scopes(const struct call *c, struct jw *w)
{
    for (size_t i = 0; i < COUNT(scopes); i++)
        jw_str(w, NULL, slice_of(scopes[i]));
    if (setting_true(c, SLACK_ASSISTANT))
        jw_str(w, NULL, SL("assistant:write"));
    if (setting(c, SLACK_COMMAND).n)
        jw_str(w, NULL, SL("commands"));
}

slice slack_scope_list(const struct call *c)
{
    struct text t = text_new(c->a, MANIFEST_BYTES);
    for (size_t i = 0; i < COUNT(scopes); i++)
        text_add(&t, "%s%s", i ? "," : "", scopes[i]);
    if (setting_true(c, SLACK_ASSISTANT))
        text_put(&t, SL(",assistant:write"));
    if (setting(c, SLACK_COMMAND).n)
        text_put(&t, SL(",commands"));
    return text_slice(&t);
}

static void put_features(const struct call *c, struct jw *w, slice name, slice hook)
{
    jw_open(w, "features", '{');
    jw_open(w, "app_home", '{');
    jw_bool(w, "home_tab_enabled", false);
    jw_bool(w, "messages_tab_enabled", true);
    jw_bool(w, "messages_tab_read_only_enabled", false);
    jw_close(w, '}');
    jw_open(w, "bot_user", '{');
    jw_str(w, "display_name", name);
    jw_bool(w, "always_online", true);
    jw_close(w, '}');
    if (setting_true(c, SLACK_ASSISTANT)) {
        jw_open(w, "assistant_view", '{');
        jw_str(w, "assistant_description", utf8_cut(arena_printf(c->a, "Talk with " SLF, SLA(name)), DESCRIPTION_CHARS));
        jw_close(w, '}');
    }
    if (setting(c, SLACK_COMMAND).n) {
        jw_open(w, "slash_commands", '[');
        jw_open(w, NULL, '{');
        jw_str(w, "command", setting(c, SLACK_COMMAND));
        jw_str(w, "url", hook);
        jw_str(w, "description", utf8_cut(arena_printf(c->a, "Write to " SLF, SLA(name)), DESCRIPTION_CHARS));
        jw_str(w, "usage_hint", SL("[what it is about]"));
        jw_bool(w, "should_escape", false);
        jw_close(w, '}');
        jw_close(w, ']');
    }
    jw_close(w, '}');
}

static void put_settings(const struct call *c, struct jw *w, slice hook)
{
    jw_open(w, "settings", '{');
    jw_open(w, "event_subscriptions", '{');
    jw_str(w, "request_url", hook);
    jw_open(w, "bot_events", '[');
    for (size_t i = 0; i < COUNT(bot_events); i++)
        jw_str(w, NULL, slice_of(bot_events[i]));
    if (setting_true(c, SLACK_ASSISTANT))
        jw_str(w, NULL, SL("assistant_thread_started"));
    jw_close(w, ']');
    jw_close(w, '}');
    jw_open(w, "interactivity", '{');
    jw_bool(w, "is_enabled", true);
    jw_str(w, "request_url", hook);
    jw_str(w, "message_menu_options_url", hook);
    jw_close(w, '}');
    jw_bool(w, "org_deploy_enabled", true);
    jw_bool(w, "socket_mode_enabled", false);
    jw_bool(w, "token_rotation_enabled", setting_true(c, SLACK_TOKEN_ROTATION));
    jw_close(w, '}');
}

slice slack_manifest(struct call *c)
{
    slice name = slack_app_name(c), hook = arena_printf(c->a, SLF "/slack", SLA(c->account->public_url));
    struct jw w = jw_new(c->a, MANIFEST_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "_metadata", '{');
    jw_int(&w, "major_version", 1);
    jw_int(&w, "minor_version", 1);
    jw_close(&w, '}');
    jw_open(&w, "display_information", '{');
    jw_str(&w, "name", name);
    jw_str(&w, "description", utf8_cut(arena_printf(c->a, "Talk with " SLF, SLA(name)), DESCRIPTION_CHARS));
    jw_str(&w, "background_color", SL("#22313f"));
    jw_close(&w, '}');
    put_features(c, &w, name, hook);
    jw_open(&w, "oauth_config", '{');
    jw_open(&w, "redirect_urls", '[');
    jw_str(&w, NULL, slack_redirect_uri(c));
    jw_close(&w, ']');
    jw_open(&w, "scopes", '{');
    jw_open(&w, "bot", '[');
    put_scopes(c, &w);
    jw_close(&w, ']');
    jw_close(&w, '}');
    jw_close(&w, '}');
    put_settings(c, &w, hook);
    jw_close(&w, '}');
    return jw_done(&w);
}

bool slack_manifest_page(struct call *c, const struct request *rq, struct inbox *in)
{
    (void)rq;
    inbox_answer(in, 200, SL("application/json"), slack_manifest(c));
    return true;
}
