/* The app package a customer's administrator uploads: "App package". */
#include "networks/teams/wire.h"
#include "wire/url.h"

enum { SHORT_NAME = 30, FULL_NAME = 100, DEVELOPER = 32, SHORT_TEXT = 80 };

static slice https_or(struct arena *a, slice url, slice otherwise)
{
    slice found = slice_or(url, otherwise);
    /* the package is refused with http addresses; a hub on this machine is only tried out */
    return slice_starts(found, SL("http://")) ? arena_printf(a, "https://" SLF, SLA(slice_from(found, 7))) : found;
}

static void put_permission(struct jw *w, const char *name)
{
    jw_open(w, NULL, '{');
    jw_str(w, "name", slice_of(name));
    jw_str(w, "type", SL("Application"));
    jw_close(w, '}');
}

static void put_words(struct jw *w, const char *key, const char *const *words)
{
    jw_open(w, key, '[');
    for (; *words; words++)
        jw_str(w, NULL, slice_of(*words));
    jw_close(w, ']');
}

static void put_bot(struct jw *w, slice bot_id)
{
    static const char *const scopes[] = { "personal", "team", "groupChat", NULL };
    jw_open(w, "bots", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "botId", bot_id);
    put_words(w, "scopes", scopes);
    jw_bool(w, "supportsFiles", true);
    jw_bool(w, "isNotificationOnly", false);
    jw_close(w, '}');
    jw_close(w, ']');
}

static void put_texts(struct arena *a, struct jw *w, slice bot_name, slice business)
{
    jw_open(w, "name", '{');
    jw_str(w, "short", utf8_cut(bot_name, SHORT_NAME));
    jw_str(w, "full", utf8_cut(bot_name, FULL_NAME));
    jw_close(w, '}');
    jw_open(w, "description", '{');
    jw_str(w, "short", utf8_cut(arena_printf(a, "Talk to " SLF, SLA(business)), SHORT_TEXT));
    jw_str(w, "full", arena_printf(a, "Write to the people of " SLF " in a personal chat, a group chat or a channel. An agent answers.", SLA(business)));
    jw_close(w, '}');
}

slice teams_manifest(struct arena *a, const struct call *account, const struct teams_app *app, slice public_url)
{
    static const char *const permissions[] = { "identity", "messageTeamMembers", NULL };
    slice bot_id = teams_lower(a, setting(account, TEAMS_BOT_ID)), website = https_or(a, setting(account, TEAMS_WEBSITE), public_url);
    struct url hub;
    struct jw w = jw_new(a, 32 << 10);
    jw_open(&w, NULL, '{');
    jw_str(&w, "$schema", SL("https://developer.microsoft.com/en-us/json-schemas/teams/v1.29/MicrosoftTeams.schema.json"));
    jw_str(&w, "manifestVersion", SL("1.29"));
    jw_str(&w, "version", arena_printf(a, "1.0.%lld", (long long)app->patch));
    jw_str(&w, "id", app->app_id);
    jw_open(&w, "developer", '{');
    jw_str(&w, "name", utf8_cut(slice_or(setting(account, TEAMS_DEVELOPER), account->account->tenant), DEVELOPER));
    jw_str(&w, "websiteUrl", website);
    jw_str(&w, "privacyUrl", https_or(a, setting(account, TEAMS_PRIVACY), website));
    jw_str(&w, "termsOfUseUrl", https_or(a, setting(account, TEAMS_TERMS), website));
    jw_close(&w, '}');
    put_texts(a, &w, app->bot_name, app->business);
    jw_open(&w, "icons", '{');
    jw_str(&w, "color", SL("color.png"));
    jw_str(&w, "outline", SL("outline.png"));
    jw_close(&w, '}');
    jw_str(&w, "accentColor", app->accent);
    put_bot(&w, bot_id);
    put_words(&w, "permissions", permissions);
    jw_open(&w, "validDomains", '[');
    if (url_parse(a, public_url, &hub, NULL))
        jw_str(&w, NULL, hub.host);
    jw_close(&w, ']');
    jw_open(&w, "webApplicationInfo", '{');
    jw_str(&w, "id", bot_id);
    jw_str(&w, "resource", website);
    jw_close(&w, '}');
    jw_open(&w, "authorization", '{');
    jw_open(&w, "permissions", '{');
    jw_open(&w, "resourceSpecific", '[');
    put_permission(&w, "ChannelMessage.Read.Group");
    put_permission(&w, "ChatMessage.Read.Chat");
    jw_close(&w, ']');
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    return jw_done(&w);
}
