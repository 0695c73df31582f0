/* webchat.c - web chat (chat v3): guests write from a web page, the other end is our own API.
 *
 * Wire facts: docs/wire/webchat.md. What an operator does: docs/networks/webchat.md. The pages are served by src/api/chat, which puts what guests send
 * into an inbox like a webhook and is told what arrives for them (own_end).
 */
#include "networks/webchat/wire.h"
#include "wire/url.h"

/* clang-format off */
static const struct setting webchat_settings[WEBCHAT_SETTINGS] = {
    [WEBCHAT_ENDPOINTS]    = { "endpoints", "Endpoints", .max = 1000,
        .help = "Names that pages give as data.endpoint, with commas between them; the channel's name when left out" },
    [WEBCHAT_STREAMS]      = { "streams", "Streams", .max = 1000,
        .help = "Names that pages may give as data.stream, with commas between them; any when left out" },
    [WEBCHAT_API_KEY]      = { "api_key", "API key", .min = 16, .max = 128,
        .help = "x-api-key of this channel's pages, beside the keys made over the API. Everybody who opens the page can read it" },
    [WEBCHAT_ORIGINS]      = { "allowed_origins", "Allowed origins", .max = WEBCHAT_ORIGINS_MAX,
        .help = "Sites that may hold the chat, https://shop.example with commas between them; any when left out" },
    [WEBCHAT_NICKNAME]     = { "nickname_required", "Name required", SETTING_BOOL, .otherwise = "true",
        .help = "A chat without a name is refused; else the guest is called Guest" },
    [WEBCHAT_ASYNC]        = { "async", "Asynchronous", SETTING_BOOL, .otherwise = "false",
        .help = "The chat stays open when the guest or the agent leaves; the guest comes back to it days later" },
    [WEBCHAT_IDLE]         = { "idle_seconds", "Idle seconds", SETTING_NUMBER, .otherwise = "1800", .max = 604800,
        .help = "A chat that is not asynchronous ends when nobody wrote for so long; 0: never" },
    [WEBCHAT_ABANDONED]    = { "abandoned_seconds", "Abandoned seconds", SETTING_NUMBER, .otherwise = "300", .max = 604800,
        .help = "A chat that is not asynchronous ends when its page was not seen for so long; 0: never" },
    [WEBCHAT_ASYNC_DAYS]   = { "async_days", "Days of asynchronous chats", SETTING_NUMBER, .otherwise = "30", .min = 1, .max = 3650,
        .help = "An asynchronous chat ends when nobody wrote for so many days" },
    [WEBCHAT_SESSIONS]     = { "sessions_max", "Open chats", SETTING_NUMBER, .otherwise = "20000", .min = 1, .max = 1000000,
        .help = "More at a time are refused" },
    [WEBCHAT_TEXT_CHARS]   = { "text_chars", "Characters of a message", SETTING_NUMBER, .otherwise = "5000", .min = 1, .max = WEBCHAT_TEXT_CHARS_MAX,
        .help = "Longer messages of guests are refused" },
    [WEBCHAT_UPLOAD_BYTES] = { "upload_bytes", "Bytes of a file", SETTING_NUMBER, .otherwise = "5242880", .max = WEBCHAT_UPLOAD_MAX,
        .help = "Larger pictures and files of guests are refused; 0: none are taken" },
    [WEBCHAT_UPLOAD_DAY]   = { "upload_day_bytes", "Bytes of a chat's files a day", SETTING_NUMBER, .otherwise = "104857600", .max = WEBCHAT_UPLOAD_DAY_MAX,
        .help = "More pictures and files of one chat's guest in 24 hours are refused; 0: no such limit" },
    [WEBCHAT_FILES]        = { "files", "Files", SETTING_BOOL, .otherwise = "true",
        .help = "Take files of guests that are no pictures, too; off: pictures only" },
    [WEBCHAT_TYPES]        = { "custom_types", "Own message types", .max = 500,
        .help = "Types besides Text that pages may send, with commas between them; passed on as text" },
    [WEBCHAT_AGENT_NAME]   = { "agent_name", "Name of agents", .max = 100,
        .help = "Shown in place of every agent's own name, and where it is not known" },
    [WEBCHAT_SHOW_AGENT]   = { "show_agent_name", "Show agents' names", SETTING_BOOL, .otherwise = "true",
        .help = "Off: agents are called by agent_name" },
    [WEBCHAT_PREFIX_AGENT] = { "prefix_agent_name", "Prefix Agent Name", SETTING_BOOL, .otherwise = "false",
        .help = "Write the agent's name before what the agent writes, for pages that show no names" },
    [WEBCHAT_SHOW_SYSTEM]  = { "show_system_messages", "Show System Messages", SETTING_BOOL, .otherwise = "false",
        .help = "Tell the guest of events at the desk that have a text" },
    [WEBCHAT_SATISFACTION] = { "satisfaction", "Ask at the end", SETTING_BOOL, .otherwise = "false",
        .help = "Ask the guest how it was when the chat has ended: 1 to 5, and a few words; the answer goes to the desk and into the history" },
};

static const struct media_rule webchat_media[] = { { "*", INT64_C(1) << 40 } }; /* shown or linked, never sent: no limit of the page's */
/* clang-format on */

bool webchat_listed(slice list, slice word)
{
    while (list.p) {
        slice one = slice_trim(slice_cut(&list, ','));
        if (one.n && slice_eq(one, word))
            return true;
    }
    return false;
}

bool webchat_origin_listed(slice list, slice origin)
{
    while (list.p) {
        slice one = slice_trim(slice_cut(&list, ','));
        if (one.n && slice_eq_nocase(one, origin))
            return true;
    }
    return false;
}

/* An origin is scheme, host and port and nothing behind them. */
static bool is_origin(struct arena *a, slice text)
{
    struct url u;
    return url_parse(a, text, &u, NULL) && slice_eq_nocase(url_origin(a, &u), text);
}

static bool webchat_check(struct call *c)
{
    for (slice rest = setting(c, WEBCHAT_ORIGINS); rest.p;) {
        slice one = slice_trim(slice_cut(&rest, ','));
        if (one.n && !is_origin(c->a, one))
            return fault(c->f, "refused", "allowed_origins", "\"" SLF "\" is no origin such as https://shop.example", SLA(utf8_cut_bytes(one, 100)));
    }
    for (slice rest = setting(c, WEBCHAT_TYPES); rest.p;) {
        slice one = slice_trim(slice_cut(&rest, ','));
        for (size_t i = 0; i < one.n; i++)
            if (one.p[i] <= ' ' || one.p[i] > '~')
                return fault(c->f, "refused", "custom_types", "types are of printable ASCII without spaces");
    }
    if (!setting_true(c, WEBCHAT_SHOW_AGENT) && !setting(c, WEBCHAT_AGENT_NAME).n)
        return fault(c->f, "missing_field", "agent_name", "is required when show_agent_name is off");
    return true;
}

/* There is no webhook: src/api/chat reads what pages send, because it answers them with more than a connector knows. */
static bool webchat_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    (void)rq, (void)in;
    return fault(c->f, "not_found", "path", "web chat has no webhook: pages use /nexus/v3/chat/sessions");
}

/* The guest's page fetches it: arriving is being taken. The desk's end of the chat ends the session, unless it is asynchronous. */
static enum outcome webchat_deliver(struct call *c, struct delivery *d)
{
    if (d->m->kind == KIND_EVENT) {
        if (d->m->event == EVENT_CLOSED && !setting_true(c, WEBCHAT_ASYNC))
            memory_set(c->guest_memory, WEBCHAT_OVER, SL("1"), 0);
        return OUT_DELIVERED;
    }
    if (memory_get(c->guest_memory, WEBCHAT_OVER, c->now_ms).n)
        return refuse(c, d, REASON_UNKNOWN_GUEST, "the chat has ended");
    return OUT_DELIVERED;
}

/* clang-format off */
const struct connector connector_webchat = {
    .name     = "webchat",
    .title    = "Web chat",
    .own_end  = true,
    .caps     = {
        .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_VIDEO) | CAN(KIND_AUDIO) | CAN(KIND_FILE) |
                 CAN(KIND_CHOICES) | CAN(KIND_CARDS) | CAN(KIND_PICKER) | CAN(KIND_NATIVE) | CAN(KIND_TYPING) | CAN(KIND_EVENT),
        .events = CAN(EVENT_JOINED) | CAN(EVENT_LEFT) | CAN(EVENT_CLOSED) | CAN(EVENT_READ),
        .text_max = WEBCHAT_LINE_CHARS, .text_unit = UNIT_CHARS,
        .caption = true, .media_per_message = 10,
        .media = MEDIA_LINK, .media_rules = webchat_media, .n_media_rules = COUNT(webchat_media),
        .choices_max = WEBCHAT_CHOICES, .choice_label_max = WEBCHAT_LABEL_CHARS,
        .cards_max = WEBCHAT_CARDS, .card_choices_max = WEBCHAT_CARD_CHOICES, .choice_urls = true, .choice_pictures = true,
    },
    .settings = webchat_settings, .n_settings = COUNT(webchat_settings),
    .check    = webchat_check,
    .receive  = webchat_receive,
    .deliver  = webchat_deliver,
    .dry      = { .guest = "000102030405060708090a0b0c0d0e0f" },
};
/* clang-format on */
