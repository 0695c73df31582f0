/* Who the bot is, and where its updates go: "Webhook". Set only when it is not as it should be: setting it too often is refused. */
#include "networks/telegram/wire.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum setup_step { SETUP_START, SETUP_ME, SETUP_LOOK, SETUP_SET, SETUP_CHECK };

static const slice wanted[] = { /* "Updates" */
    SLI("message"), SLI("edited_message"), SLI("callback_query"), SLI("my_chat_member"), SLI("business_connection"),
    SLI("business_message"), SLI("edited_business_message"), SLI("deleted_business_messages"), SLI("guest_message"),
};

static enum outcome step(struct call *c, struct delivery *d, enum setup_step to, const char *method, slice body)
{
    telegram_api(c, d, method, body);
    d->call.repeatable = true; /* reads; and setting the same once more changes nothing */
    d->step = (int)to;
    return OUT_CALL;
}

static slice own_url(const struct call *c)
{
    return arena_printf(c->a, SLF "/" SLF, SLA(c->account->hook_url), SLA(c->account->id));
}

static slice how_set(struct call *c)
{
    struct text t = text_new(c->a, TELEGRAM_BODY_BYTES);
    text_add(&t, SLF "\n" SLF, SLA(telegram_secret(c)), SLA(setting(c, TELEGRAM_CONNECTIONS)));
    for (size_t i = 0; i < COUNT(wanted); i++)
        text_add(&t, "\n" SLF, SLA(wanted[i]));
    struct sha256 sum = sha256(text_slice(&t));
    return hex_encode(c->a, slice_mem(sum.b, sizeof(sum.b)));
}

static enum outcome set_webhook(struct call *c, struct delivery *d)
{
    struct jw w = jw_new(c->a, TELEGRAM_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "url", own_url(c));
    jw_str(&w, "secret_token", telegram_secret(c));
    jw_int(&w, "max_connections", setting_number(c, TELEGRAM_CONNECTIONS));
    jw_open(&w, "allowed_updates", '[');
    for (size_t i = 0; i < COUNT(wanted); i++)
        jw_str(&w, NULL, wanted[i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    return step(c, d, SETUP_SET, "setWebhook", jw_done(&w));
}

static enum outcome learn(struct call *c, struct delivery *d, const struct js *me)
{
    int64_t id = 0;
    slice name = js_text(js_at(me, "username"));
    if (!js_int(js_at(me, "id"), &id) || !js_true(js_at(me, "is_bot")) || !name.n)
        return refuse(c, d, REASON_SERVER, "getMe: this is no bot");
    memory_set(c->memory, TELEGRAM_BOT, arena_printf(c->a, "%lld " SLF, (long long)id, SLA(name)), 0);
    return setting_true(c, TELEGRAM_SET_WEBHOOK) ? step(c, d, SETUP_LOOK, "getWebhookInfo", SL("{}")) : OUT_DELIVERED;
}

enum outcome telegram_setup(struct call *c, struct delivery *d)
{
    static const char *const names[] = { [SETUP_ME] = "getMe", [SETUP_LOOK] = "getWebhookInfo", [SETUP_SET] = "setWebhook",
                                         [SETUP_CHECK] = "getWebhookInfo" };
    if (!d->last)
        return step(c, d, SETUP_ME, "getMe", SL("{}"));
    struct telegram_answer t = telegram_answer_of(c->a, d->last);
    if (!t.result)
        return telegram_failed(c, d, names[d->step]);
    bool ours = slice_eq(js_text(js_at(t.result, "url")), own_url(c));
    switch ((enum setup_step)d->step) {
    case SETUP_ME:
        return learn(c, d, t.result);
    case SETUP_LOOK:
        if (ours && slice_eq(memory_get(c->memory, TELEGRAM_WEBHOOK, c->now_ms), how_set(c)))
            return OUT_DELIVERED;
        return set_webhook(c, d);
    case SETUP_SET:
        memory_set(c->memory, TELEGRAM_WEBHOOK, how_set(c), 0);
        return step(c, d, SETUP_CHECK, "getWebhookInfo", SL("{}"));
    case SETUP_CHECK:
    case SETUP_START:
        break;
    }
    return ours ? OUT_DELIVERED : refuse(c, d, REASON_GENERAL, "the webhook was set, but Telegram names another");
}
