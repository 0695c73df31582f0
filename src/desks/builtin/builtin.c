/* builtin.c - the desk of our own: agents answer in this hub's pages, the other end is our own API.
 *
 * What an operator does: docs/desks/builtin.md. Agents, queues and routing are in src/api/desk, which puts what agents write into an inbox like a webhook and
 * is told what arrives for them (own_end).
 */
#include "desks/builtin/wire.h"
#include "desks/builtin/hours.h"

/* clang-format off */
static const struct setting builtin_settings[BUILTIN_SETTINGS] = {
    [BUILTIN_TITLE]          = { "title", "Title", .max = 100,
        .help = "Who writes the texts of the desk itself (welcome, closed); the tenant's name when left out" },
    [BUILTIN_QUEUE]          = { "queue", "Queue", .otherwise = BUILTIN_DEFAULT_QUEUE, .min = 1, .max = BUILTIN_QUEUE_NAME_MAX,
        .help = "Where guests wait, unless their data has a queue of its own" },
    [BUILTIN_AUTO_ANSWER]    = { "auto_answer", "Auto-answer", SETTING_BOOL, .otherwise = "false",
        .help = "A conversation that is offered to an agent is open at once" },
    [BUILTIN_INVITE]         = { "invite_s", "Seconds to answer", SETTING_NUMBER, .otherwise = "45", .min = 1, .max = 3600,
        .help = "An agent who does not answer an offer for so long is set to not ready, and the next one is asked" },
    [BUILTIN_LAST_AGENT]     = { "last_agent_s", "Seconds for the last agent", SETTING_NUMBER, .otherwise = "60", .max = BUILTIN_SECONDS_MAX,
        .help = "A guest who comes back waits so long for the agent of the last time before anybody is asked; 0: does not" },
    [BUILTIN_OVERFLOW]       = { "overflow_s", "Overflow after seconds", SETTING_NUMBER, .otherwise = "0", .max = BUILTIN_SECONDS_MAX,
        .help = "Who waited so long moves to overflow_queue; 0: never. A queue may say otherwise" },
    [BUILTIN_OVERFLOW_QUEUE] = { "overflow_queue", "Overflow queue", .max = BUILTIN_QUEUE_NAME_MAX,
        .help = "Where those move" },
    [BUILTIN_HOURS]          = { "business_hours", "Business hours", .max = 300,
        .help = "Mo-Fr 09:00-18:00;Sa 10:00-14:00. Outside of them nobody is offered; always when left out. A queue may say otherwise" },
    [BUILTIN_TIMEZONE]       = { "timezone", "Time zone", .otherwise = "UTC", .max = 64,
        .help = "Of the business hours, and of the day that figures are of: Asia/Tokyo, +09:00 or UTC" },
    [BUILTIN_WELCOME]        = { "welcome_text", "Welcome", .max = 2000,
        .help = "Said to a guest whose conversation begins" },
    [BUILTIN_CLOSED]         = { "closed_text", "Closed", .max = 2000,
        .help = "Said to a guest whose conversation begins outside of the business hours" },
    [BUILTIN_IDLE_END]       = { "idle_end_s", "End when idle for seconds", SETTING_NUMBER, .otherwise = "0", .max = 30 * 86400,
        .help = "A conversation in which nobody wrote for so long ends; 0: never" },
    [BUILTIN_SERVICE_LEVEL]  = { "service_level_s", "Service level", SETTING_NUMBER, .otherwise = "30", .min = 1, .max = 86400,
        .help = "Seconds within which a guest shall be answered: for the supervisor's figures. A queue may say otherwise" },
};

static const struct media_rule builtin_media[] = { { "*", INT64_C(1) << 40 } }; /* shown by our link */
/* clang-format on */

static bool builtin_check(struct call *c)
{
    struct hours hours;
    if (!hours_read(setting(c, BUILTIN_HOURS), &hours, c->f))
        return false;
    if (!zone_known(setting(c, BUILTIN_TIMEZONE)))
        return fault(c->f, "refused", "timezone", "is no time zone known here: Asia/Tokyo, +09:00 or UTC");
    if (setting_number(c, BUILTIN_OVERFLOW) && !setting(c, BUILTIN_OVERFLOW_QUEUE).n)
        return fault(c->f, "missing_field", "overflow_queue", "is required when overflow_s is set");
    return true;
}

/* There is no webhook: src/api/desk reads what agents send. */
static bool builtin_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    (void)rq, (void)in;
    return fault(c->f, "not_found", "path", "the built-in desk has no webhook: its pages use /api/v1/desk");
}

/* Agents' pages are told: arriving is being taken. */
static enum outcome builtin_deliver(struct call *c, struct delivery *d)
{
    if (kind_is_content((enum kind)d->m->kind))
        d->desk_conversation = c->conversation->id;
    return OUT_DELIVERED;
}

/* clang-format off */
const struct connector connector_builtin = {
    .name     = "builtin",
    .title    = "Built-in desk",
    .desk     = true,
    .own_end  = true,
    .caps     = {
        .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_VIDEO) | CAN(KIND_AUDIO) | CAN(KIND_FILE) | CAN(KIND_LOCATION) | CAN(KIND_STICKER) |
                 CAN(KIND_CHOICES) | CAN(KIND_ANSWER) | CAN(KIND_CARDS) | CAN(KIND_PICKER) | CAN(KIND_FORM) | CAN(KIND_PAYMENT) | CAN(KIND_NATIVE) |
                 CAN(KIND_TYPING) | CAN(KIND_EVENT) | CAN(KIND_STATUS),
        .events = CAN(EVENT_START) | CAN(EVENT_BLOCKED) | CAN(EVENT_DELETED) | CAN(EVENT_EDITED) | CAN(EVENT_JOINED) | CAN(EVENT_LEFT) | CAN(EVENT_READ) |
                  CAN(EVENT_OTHER),
        .statuses = CAN(STATUS_SENT) | CAN(STATUS_DELIVERED) | CAN(STATUS_READ) | CAN(STATUS_FAILED),
        .text_unit = UNIT_CHARS,
        .caption = true, .media_per_message = 100,
        .media = MEDIA_LINK, .media_rules = builtin_media, .n_media_rules = COUNT(builtin_media),
        .choices_max = 100, .choice_label_max = 1000, .cards_max = 100, .card_choices_max = 100, .choice_urls = true,
        .agent_name = true,
    },
    .settings = builtin_settings, .n_settings = COUNT(builtin_settings),
    .check    = builtin_check,
    .receive  = builtin_receive,
    .deliver  = builtin_deliver,
};
/* clang-format on */
