/* slack.c - plays Slack: the Web API of one app, two workspaces (the second in an organisation), their members, and the log-in.
 *
 *   dragoman sim slack --listen 127.0.0.1:9004 --hub http://127.0.0.1:8080
 *
 * Set in the hub: app_id, client_id, client_secret, signing_secret as given here (or left at their standards), base_url: http://127.0.0.1:9004/api and
 * authorize_url: http://127.0.0.1:9004/oauth/v2/authorize. Then register a workspace at the hub's /slack/register; or start with --installed and set bot_token in the hub.
 * The page at / is a member's Slack.
 *
 * Control API. "guest" is a member's number as GET /sim/guests lists it ("1" is the first) or id.
 *
 *   GET    /sim/guests                    {"app":{…},"workspaces":[{"id","name","installed","whole"}],"guests":[{"number","id","name","workspace","channel","typing_ms","view"}]}
 *   POST   /sim/guests/{guest}/send       a member does something. {"type":…}:
 *            text      "text" (mrkdwn), "thread": ts or "last", "in":"channel" (say <@BOT> or @app to mention the app there)
 *            file      "base64" (a sample picture when left out), "contentType", "name", "text", "mode", "file_access"
 *            edit      "ts" (the newest of theirs when left out), "text"
 *            delete    "ts"
 *            unfurl    a link of the newest is unfurled: a message_changed that nobody edited
 *            react     "reaction", "ts"
 *            home, assistant, join
 *            command   "command","text";  shortcut "callback_id";  message_action "callback_id","ts"
 *            event     "event":{…}: any other, as it is
 *          Answer {"ts"}
 *   POST   /sim/guests/{guest}/tap        {"label"} a button, or an option of a list, of the newest message that has it; {"labels":[…]} several options; "in":"channel"
 *   POST   /sim/guests/{guest}/submit     {"values":{"block_id":"text"}} the dialog that is open; /close
 *   POST   /sim/guests/{guest}/again      the newest event once more, with its event_id, as a retry
 *   GET    /sim/guests/{guest}/messages   {"messages":[{"from":"guest"|"bot","ts","thread","message":{…}}]}; ?in=channel
 *   POST   /sim/verify                    url_verification, as when an administrator presses Retry: {"status","body"}
 *   POST   /sim/probe                     ssl_check, unsigned
 *   POST   /sim/rate-limited              app_rate_limited
 *   POST   /sim/workspaces/{id}/uninstall app_uninstalled and tokens_revoked follow; /expire: its token has ended
 *   GET    /sim/events                    server-sent events: message, reset, request {"status"}
 *   GET    /sim/counters                  {"calls","events","taken","refused","retried","rotations","misused" (refresh tokens that were used before),"webhooks"}
 *   GET    /sim/files/{id}                its bytes
 *   GET|POST|DELETE /sim/faults, GET /sim/webhooks   faults.h, webhook.h
 */
#include "sim/feed.h"
#include "sim/shelf.h"
#include "sim/slack.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "app-id",         "ID",     "A0HUB0001",                        "of the app" },
    { "client-id",      "ID",     "111.222",                          "of the app" },
    { "client-secret",  "SECRET", "c0ffee00c0ffee00c0ffee00c0ffee00", "of the app" },
    { "signing-secret", "SECRET", "a1b2c3d4e5f60718293a4b5c6d7e8f90", "with which requests are signed" },
    { "installed",      NULL,     NULL,                               "the first workspace has let the app in already, with the token xoxb-installed-by-hand" },
    { "guests",         "N",      "3",                                "members of each workspace" },
    { "rotation",       NULL,     NULL,                               "tokens end and are renewed" },
    { "token-life-s",   "S",      "43200",                            "with --rotation" },
    { "retry-ms",       "MS",     "60000",                            "wait before the third try of an event; the second is made at once, the fourth after five times as long" },
    { "per-channel",    "N",      "0",                                "messages a second in one channel before 429; 0: any" },
};
/* clang-format on */

char *ssk_copy(slice s)
{
    char *p = must_malloc(s.n + 1);
    memcpy(p, s.n ? s.p : "", s.n);
    p[s.n] = 0;
    return p;
}

void ssk_set(char **to, slice s)
{
    char *copy = s.p ? ssk_copy(s) : NULL;
    free(*to);
    *to = copy;
}

slice ssk_id(struct ssk *s, struct arena *a, const char *prefix)
{
    return arena_printf(a, "%s%05lldZ", prefix, (long long)++s->next_id);
}

slice ssk_ts(struct ssk *s, struct arena *a)
{
    int64_t us = time_now_ms() * 1000;
    s->last_us = us > s->last_us ? us : s->last_us + 100;
    return arena_printf(a, "%lld.%06lld", (long long)(s->last_us / 1000000), (long long)(s->last_us % 1000000));
}

struct ssk_guest *ssk_guest_of(struct ssk *s, slice id)
{
    int64_t n = 0;
    size_t all = s->n_guests * SSK_WORKSPACES;
    if (slice_int(id, &n) && n >= 1 && n <= (int64_t)all)
        return &s->spaces[(size_t)(n - 1) / s->n_guests].guests[(size_t)(n - 1) % s->n_guests];
    for (size_t i = 0; i < all; i++) {
        struct ssk_guest *g = &s->spaces[i / s->n_guests].guests[i % s->n_guests];
        if (slice_eq(id, slice_of(g->id)))
            return g;
    }
    return NULL;
}

struct ssk_chat *ssk_chat_of(struct ssk *s, slice id)
{
    for (size_t i = 0; i < SSK_WORKSPACES; i++) {
        struct ssk_space *space = &s->spaces[i];
        if (slice_eq(id, slice_of(space->channel.id)))
            return &space->channel;
        for (size_t k = 0; k < s->n_guests; k++)
            if (slice_eq(id, slice_of(space->guests[k].chat.id)) || slice_eq(id, slice_of(space->guests[k].id)))
                return &space->guests[k].chat;
    }
    return NULL;
}

/* ---- messages ---------------------------------------------------------------------------------------------------------------- */

void ssk_message_write(struct jw *w, const struct ssk_message *m)
{
    jw_open(w, NULL, '{');
    jw_str(w, "from", m->from_bot ? SL("bot") : SL("guest"));
    jw_str(w, "ts", slice_of(m->ts));
    jw_opt(w, "thread", slice_of(m->thread));
    jw_raw(w, "message", slice_of(m->json));
    jw_close(w, '}');
}

void ssk_changed(struct ssk *s)
{
    feed_send(s->env->feed, "message", SL("{}"));
}

struct ssk_message *ssk_message_add(struct ssk_chat *chat, slice ts, slice thread, bool from_bot, slice json)
{
    struct ssk_message *m = must_calloc(1, sizeof(*m));
    m->from_bot = from_bot;
    m->json = ssk_copy(json);
    snprintf(m->ts, sizeof(m->ts), SLF, SLA(ts));
    snprintf(m->thread, sizeof(m->thread), SLF, SLA(thread));
    *(chat->first ? chat->last : &chat->first) = m;
    chat->last = &m->next;
    if (++chat->n_messages > SSK_MESSAGES_KEPT) {
        struct ssk_message *old = chat->first;
        chat->first = old->next;
        chat->n_messages--;
        free(old->json);
        free(old);
    }
    ssk_changed(chat->space->sim);
    return m;
}

struct ssk_message *ssk_message_find(const struct ssk_chat *chat, slice ts)
{
    struct ssk_message *m = chat->first;
    while (m && !slice_eq(slice_of(m->ts), ts))
        m = m->next;
    return m;
}

void ssk_message_replace(struct ssk_message *m, slice json)
{
    ssk_set(&m->json, json);
}

void ssk_message_remove(struct ssk_chat *chat, slice ts)
{
    struct ssk_message **at = &chat->first;
    while (*at && !slice_eq(slice_of((*at)->ts), ts))
        at = &(*at)->next;
    struct ssk_message *gone = *at;
    if (!gone)
        return;
    *at = gone->next;
    if (!gone->next) /* it was the last: the new end */
        for (chat->last = &chat->first; *chat->last;)
            chat->last = &(*chat->last)->next;
    chat->n_messages--;
    free(gone->json);
    free(gone);
}

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

void ssk_file_drop(void *thing)
{
    struct ssk_file *f = thing;
    free(f->bytes);
    free(f);
}

static void chat_done(struct ssk_chat *chat)
{
    for (struct ssk_message *m = chat->first, *next; m; m = next) {
        next = m->next;
        free(m->json);
        free(m);
    }
}

static void ssk_stop(void *state)
{
    struct ssk *s = state;
    ssk_requests_done(s);
    for (size_t i = 0; i < SSK_WORKSPACES; i++) {
        struct ssk_space *space = &s->spaces[i];
        for (size_t k = 0; space->guests && k < s->n_guests; k++) {
            chat_done(&space->guests[k].chat);
            free(space->guests[k].view);
        }
        chat_done(&space->channel);
        free(space->guests);
        free(space->token);
        free(space->refresh);
        free(space->scopes);
    }
    struct shelf *const shelves[] = { s->files, s->triggers, s->responses, s->codes };
    for (size_t i = 0; i < COUNT(shelves); i++)
        shelf_free(shelves[i]);
    for (size_t i = 0; i < COUNT(s->spent); i++)
        free(s->spent[i]);
    free(s->last_body);
    free(s->last_type);
    free(s);
}

static void make_space(struct ssk *s, size_t i)
{
    static const char *const names[] = { "ACME", "Beta" };
    static const char *const people[] = { "Ana", "Ben", "Chiyo", "Dmitri", "Elif", "Farid" };
    struct ssk_space *space = &s->spaces[i];
    space->sim = s;
    space->in_organisation = i == 1;
    snprintf(space->id, sizeof(space->id), "T0%s001", i ? "BETA" : "ACME");
    snprintf(space->name, sizeof(space->name), "%s", names[i]);
    snprintf(space->domain, sizeof(space->domain), "%s", i ? "beta" : "acme");
    snprintf(space->bot_user, sizeof(space->bot_user), "U0BOT%04zu", i + 1);
    snprintf(space->bot, sizeof(space->bot), "B0BOT%04zu", i + 1);
    space->channel.space = space;
    snprintf(space->channel.id, sizeof(space->channel.id), "C0CARE%03zu", i + 1);
    space->guests = must_calloc(s->n_guests, sizeof(*space->guests));
    for (size_t k = 0; k < s->n_guests; k++) {
        struct ssk_guest *g = &space->guests[k];
        g->space = space;
        g->number = i * s->n_guests + k + 1;
        snprintf(g->id, sizeof(g->id), "U0GUEST%02zu", g->number);
        snprintf(g->name, sizeof(g->name), "%s", people[(g->number - 1) % COUNT(people)]);
        snprintf(g->username, sizeof(g->username), "guest.%zu", g->number);
        g->chat.space = space;
        g->chat.guest = g;
        snprintf(g->chat.id, sizeof(g->chat.id), "D0DIRECT%02zu", g->number);
    }
}

static void *ssk_start(struct sim_env *env, struct fault *f)
{
    struct ssk *s = must_calloc(1, sizeof(*s));
    int64_t guests;
    *s = (struct ssk){ .env = env, .app = sim_option(env, "app-id"), .client_id = sim_option(env, "client-id"),
                       .client_secret = sim_option(env, "client-secret"), .signing_secret = sim_option(env, "signing-secret"),
                       .rotation = sim_option_on(env, "rotation"), .files = shelf_new(SSK_FILES_KEPT, 0, ssk_file_drop),
                       .triggers = shelf_new(1000, 0, free), .responses = shelf_new(1000, SSK_RESPONSE_MS, free),
                       .codes = shelf_new(100, SSK_CODE_MS, free) };
    env->state = s;
    if (!sim_option_int(env, "guests", 1, SSK_GUESTS_MAX, &guests, f) || !sim_option_int(env, "retry-ms", 1, 600000, &s->retry_ms, f) ||
        !sim_option_int(env, "token-life-s", 1, 10000000, &s->token_life_s, f) ||
        !sim_option_int(env, "per-channel", 0, 1000000, &s->per_channel, f))
        return NULL;
    s->n_guests = (size_t)guests;
    for (size_t i = 0; i < SSK_WORKSPACES; i++)
        make_space(s, i);
    if (sim_option_on(env, "installed")) {
        ssk_set(&s->spaces[0].token, SL("xoxb-installed-by-hand"));
        ssk_set(&s->spaces[0].scopes, SL("chat:write,chat:write.customize,files:read,files:write,im:write,team:read,users:read,users:read.email"));
    }
    ssk_guest_routes(s);
    ssk_admin_routes(s);
    ssk_oauth_routes(s);
    ssk_file_routes(s);
    ssk_api_routes(s);
    return s;
}

const struct sim sim_slack = {
    .name = "slack",
    .title = "Slack",
    .page = true,
    .options = options,
    .n_options = COUNT(options),
    .start = ssk_start,
    .stop = ssk_stop,
    .refuse = ssk_refuse,
};
