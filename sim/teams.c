/* teams.c - plays Microsoft Teams: the log-in with its keys, the Bot Connector, OneDrive, the people of one organisation and a channel.
 *
 *   dragoman sim teams --listen 127.0.0.1:9005 --hub http://127.0.0.1:8080
 *
 * Set in the hub: bot_id and bot_secret as given here (or left at their standards), base_url: http://127.0.0.1:9005. The page at / is a client.
 *
 * Control API. "guest" is a person's number as GET /sim/guests lists it ("1" is the first), or "room".
 *
 *   GET    /sim/guests                    {"bot":{…},"service","hub","guests":[{"number","id","name","conversation","removed","typing_ms"}]}
 *   POST   /sim/guests/{guest}/send       a guest does something; an activity follows. {"type":…}:
 *            text      "text"; in the room the bot is mentioned unless "mention" is false
 *            picture   "base64" (a sample picture when left out), "text"
 *            file      "base64", "name"
 *            edit, undelete, delete       the guest's newest message, or "message_id"; "text"
 *            react, unreact               "reaction" ("like"), to the bot's newest message or "message_id"
 *            typing, read, install, remove, start
 *            submit    "value", "reply_to": as if a card had been filled in
 *            activity  "activity":{…}: members put over those of a message
 *          Beside them "as": who, in the room ("1"); "thread": the id of a room's first message to answer to; "forge": what is wrong with the token:
 *          expired, early, issuer, audience, service, kid, endorsement, signature, none. Answer {"id"}
 *   POST   /sim/guests/{guest}/press      {"label","inputs":{…}}: a button of the newest message that has it; inputs of its card
 *   POST   /sim/guests/{guest}/consent    {"accept":true}: the newest question whether to take a file
 *   POST   /sim/guests/{guest}/dialog     {"data":{…}}: what was filled into the dialog that is open (task/submit)
 *   POST   /sim/guests/{guest}/again      sends the newest activity once more, with its id
 *   GET    /sim/guests/{guest}/messages   {"guest":{…},"messages":[{"from","who","at","id","thread","activity","media"}],"invoke":{"status","body"}}
 *   POST   /sim/keys                      {"rotate":true}: a new key signs from now on; the one before stays published
 *   GET    /sim/events                    server-sent events: changed, activity {"status","took_ms"}
 *   GET    /sim/counters                  {"calls","activities","taken","refused","keys","tokens","leaks","webhooks"}
 *   GET|POST|DELETE /sim/faults, GET /sim/webhooks   faults.h, webhook.h
 */
#include "sim/feed.h"
#include "sim/shelf.h"
#include "sim/sign.h"
#include "sim/teams.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "bot-id",      "GUID",   "11111111-2222-3333-4444-555555555555", "of the bot" },
    { "bot-secret",  "SECRET", "6ay8Q~Example-Example-Example-Example", "of the bot" },
    { "bot-name",    "NAME",   "ACME Care", "of the bot" },
    { "tenant",      "GUID",   "aaaaaaaa-0000-4000-8000-000000000001", "of the organisation whose people write" },
    { "home-tenant", "TENANT", "botframework.com", "where the bot is registered: the only place it gets a token from" },
    { "guests",      "N",      "4",    "people who know it" },
    { "fetch-media", NULL,     "yes",  "fetches the pictures that messages point to, as Teams does; --fetch-media=no takes every link" },
    { "rsc",         NULL,     "yes",  "the bot hears all that is said in the channel; --rsc=no: only what mentions it" },
    { "per-conversation", "N", "0",    "messages a second in one conversation before 429; 0: any" },
    { "token-s",     "S",      "3599", "life of the bot's token" },
    { "tries",       "N",      "3",    "how often an activity is sent that is answered 5xx or not at all" },
    { "retry-ms",    "MS",     "1000", "wait between them" },
};
/* clang-format on */

char *stm_copy(slice s)
{
    char *p = must_malloc(s.n + 1);
    memcpy(p, s.n ? s.p : "", s.n);
    p[s.n] = 0;
    return p;
}

struct stm_chat *stm_chat_of(struct stm *s, slice number)
{
    int64_t n = 0;
    if (slice_eq(number, SL("room")))
        return &s->chats[s->n_chats - 1];
    return slice_int(number, &n) && n >= 1 && n < (int64_t)s->n_chats ? &s->chats[n - 1] : NULL;
}

struct stm_chat *stm_chat_at(struct stm *s, slice conversation, slice *ret_thread)
{
    slice more = conversation, id = slice_cut(&more, ';');
    *ret_thread = slice_starts(more, SL("messageid=")) ? slice_from(more, 10) : SLICE_NONE;
    for (size_t i = 0; i < s->n_chats; i++)
        if (slice_eq(id, slice_of(s->chats[i].conversation)) && (!more.p || s->chats[i].number == 0))
            return &s->chats[i];
    return NULL;
}

slice stm_new_id(struct stm *s, struct arena *a)
{
    return arena_printf(a, "%lld", (long long)s->next_id++);
}

slice stm_service_url(const struct stm *s, struct arena *a)
{
    return arena_printf(a, SLF STM_SERVICE "/", SLA(s->env->base_url));
}

void stm_changed(struct stm *s)
{
    feed_send(s->env->feed, "changed", SL("{}"));
}

/* ---- messages ---------------------------------------------------------------------------------------------------------------- */

void stm_message_write(struct jw *w, const struct stm *s, const struct stm_message *m)
{
    jw_open(w, NULL, '{');
    jw_str(w, "from", m->who ? SL("guest") : SL("bot"));
    jw_str(w, "who", m->who ? slice_of(s->chats[m->who - 1].name) : s->bot_name);
    jw_time(w, "at", m->at_ms);
    jw_str(w, "id", slice_of(m->id));
    jw_opt(w, "thread", slice_of(m->thread));
    jw_bool(w, "edited", m->edited);
    jw_raw(w, "activity", slice_of(m->json));
    if (m->media)
        jw_raw(w, "media", slice_of(m->media));
    jw_close(w, '}');
}

static void message_free(struct stm_message *m)
{
    free(m->json);
    free(m->media);
    free(m);
}

void stm_message_drop(struct stm_chat *chat, struct stm_message *m)
{
    struct stm_message **at = &chat->first;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    if (!*at)
        chat->last = at;
    chat->n_messages--;
    message_free(m);
    stm_changed(chat->sim);
}

struct stm_message *stm_message_add(struct stm_chat *chat, int who, slice id, slice thread, slice json, slice media)
{
    struct stm_message *m = must_calloc(1, sizeof(*m));
    *m = (struct stm_message){ .at_ms = time_now_ms(), .who = who, .json = stm_copy(json), .media = media.n ? stm_copy(media) : NULL };
    snprintf(m->id, sizeof(m->id), SLF, SLA(id));
    snprintf(m->thread, sizeof(m->thread), SLF, SLA(thread));
    *(chat->first ? chat->last : &chat->first) = m;
    chat->last = &m->next;
    if (++chat->n_messages > STM_MESSAGES_KEPT)
        stm_message_drop(chat, chat->first);
    stm_changed(chat->sim);
    return m;
}

struct stm_message *stm_message_find(const struct stm_chat *chat, slice id)
{
    struct stm_message *m = chat->first;
    while (m && !slice_eq(slice_of(m->id), id))
        m = m->next;
    return m;
}

void stm_message_replace(struct stm_message *m, slice json)
{
    free(m->json);
    m->json = stm_copy(json);
    m->edited = true;
}

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

static void upload_free(void *thing)
{
    struct stm_upload *u = thing;
    free(u->bytes);
    free(u);
}

static void stm_stop(void *state)
{
    struct stm *s = state;
    stm_flights_done(s);
    for (size_t i = 0; i < s->n_chats; i++) {
        for (struct stm_message *m = s->chats[i].first, *next; m; m = next) {
            next = m->next;
            message_free(m);
        }
        free(s->chats[i].invoke);
    }
    for (size_t i = 0; i < STM_KEYS; i++)
        sign_key_free(s->keys[i]);
    shelf_free(s->tokens);
    shelf_free(s->files);
    shelf_free(s->uploads);
    free(s->last_activity);
    free(s->chats);
    free(s);
}

static void make_people(struct stm *s, size_t n)
{
    static const char *const names[] = { "Ana Guest", "Ben Okafor", "Chiyo Mori", "Dmitri Orlov", "Elif Kaya", "Farid Rahimi" };
    s->chats = must_calloc(n + 1, sizeof(*s->chats));
    s->n_chats = n + 1;
    for (size_t i = 0; i <= n; i++) {
        struct stm_chat *chat = &s->chats[i];
        chat->sim = s;
        chat->number = i == n ? 0 : (int)i + 1;
        snprintf(chat->user, sizeof(chat->user), "29:1SimulatedGuest%04zu", i + 1);
        snprintf(chat->aad, sizeof(chat->aad), "0d0c0000-0000-4000-8000-%012zu", i + 1);
        snprintf(chat->name, sizeof(chat->name), "%s", i == n ? "Support" : names[i % COUNT(names)]);
        if (i == n)
            snprintf(chat->conversation, sizeof(chat->conversation), "%s", STM_ROOM);
        else
            snprintf(chat->conversation, sizeof(chat->conversation), "a:1SimulatedChat%04zu", i + 1);
    }
}

static void *stm_start(struct sim_env *env, struct fault *f)
{
    struct stm *s = must_calloc(1, sizeof(*s));
    int64_t guests;
    *s = (struct stm){ .env = env, .bot_id = sim_option(env, "bot-id"), .bot_secret = sim_option(env, "bot-secret"),
                       .bot_name = sim_option(env, "bot-name"), .tenant = sim_option(env, "tenant"), .authority = sim_option(env, "home-tenant"),
                       .fetch_media = sim_option_on(env, "fetch-media"), .rsc = sim_option_on(env, "rsc"), .next_id = 1767225600001,
                       .tokens = shelf_new(STM_FILES_KEPT, 0, free), .files = shelf_new(STM_FILES_KEPT, 0, free),
                       .uploads = shelf_new(STM_FILES_KEPT, 0, upload_free) };
    env->state = s;
    if (!sim_option_int(env, "guests", 1, STM_GUESTS_MAX, &guests, f) || !sim_option_int(env, "per-conversation", 0, 1000000, &s->per_conversation, f) ||
        !sim_option_int(env, "token-s", 1, 86400, &s->token_s, f) || !sim_option_int(env, "tries", 1, 100, &s->tries, f) ||
        !sim_option_int(env, "retry-ms", 1, 60000, &s->retry_ms, f))
        return NULL;
    make_people(s, (size_t)guests);
    stm_key_new(s);
    stm_guest_routes(s);
    stm_auth_routes(s);
    stm_file_routes(s);
    stm_api_routes(s);
    return s;
}

const struct sim sim_teams = {
    .name = "teams",
    .title = "Microsoft Teams (Bot Connector)",
    .page = true,
    .options = options,
    .n_options = COUNT(options),
    .start = stm_start,
    .stop = stm_stop,
    .refuse = stm_refuse,
};
