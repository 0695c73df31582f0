/* ivr.c - messages that an IVR sends to guests in a tenant's name, and handing a guest over to another bot.
 *
 *   POST /messages {"tenantId" or "tenant", "userId", "message" or "messages", "channel"?}
 *   POST /users/{id}/switch {"tenantId" or "tenant", "channel"?}
 *
 * 202 means: on disk; it is delivered like what an agent writes, in the order of the conversation. With Idempotency-Key a repeat has no effect.
 */
#include "api/call.h"
#include "hub/accept.h"
#include "hub/conversation.h"
#include "hub/dry.h"
#include "hub/media.h"
#include "hub/message.h"
#include "hub/registry.h"
#include "hub/rich.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/uuid.h"

enum { MESSAGES_MAX = 20, KEY_MAX = 255, GUEST_MAX = 400 };

/* ---- in whose name --------------------------------------------------------------------------------------------------- */

/* Of hashes: so neither the length nor the place of the first difference can be told from the time. */
static bool same_secret(slice a, slice b)
{
    struct sha256 x = sha256(a), y = sha256(b);
    return bytes_equal_secret(slice_mem(x.b, sizeof(x.b)), slice_mem(y.b, sizeof(y.b)));
}

static bool basic_fits(struct api_call *c, const struct config_tenant *t)
{
    slice rest = exchange_header(c->x, "Authorization"), scheme = slice_cut(&rest, ' ');
    slice pair = slice_eq_nocase(scheme, SL("Basic")) ? base64_decode(c->a, slice_trim(rest)) : SLICE_NONE;
    slice password = pair, user = slice_cut(&password, ':');
    bool same_user = same_secret(user, t ? t->values[TENANT_API_USER] : SLICE_NONE);
    bool same_password = same_secret(password, t ? t->values[TENANT_API_PASSWORD] : SLICE_NONE);
    return t && password.p && t->values[TENANT_API_PASSWORD].n && same_user && same_password;
}

/* The tenant that the body names, when the caller may speak for it; NULL: answered. A tenant that does not exist, one that takes no such calls and a wrong
 * password look the same. */
static struct tenant *tenant_of(struct api_call *c)
{
    slice id = js_text(js_get(c->body, SL("tenantId"))), name = js_text(js_get(c->body, SL("tenant")));
    slice word = slice_or(id, name);
    if (!word.n) {
        api_problem(c, 400, "missing_field", "tenantId", "tenantId or tenant is needed: the tenant in whose name this is sent");
        return NULL;
    }
    struct api_guess guess = api_guess(c, SL("t"), word);
    const struct registry_entry *e = registry_find(c->hub, word);
    const struct config_tenant *t = e ? e->config : NULL;
    slice auth = t ? t->values[TENANT_API_AUTH] : SLICE_NONE;
    if (c->role == ROLE_ADMINISTRATOR && e && e->tenant)
        return e->tenant;
    if (slice_eq(auth, SL("none")) && e->tenant)
        return e->tenant;
    if (api_slow_down(c, &guess))
        return NULL;
    bool fits = basic_fits(c, slice_eq(auth, SL("basic")) ? t : NULL);
    if (fits && e->tenant) {
        api_guessed(c, &guess, true);
        return e->tenant;
    }
    if (exchange_header(c->x, "Authorization").n)
        api_guessed(c, &guess, false);
    api_header(c, "WWW-Authenticate", SL("Basic realm=\"Dragoman\", charset=\"UTF-8\""));
    api_problem(c, 401, "unauthorized", "Authorization",
                "there is no such tenant that takes messages with these credentials (its API authentication must be on, and user and password fit)");
    return NULL;
}

/* "U1@line" names the channel; "channel" does, by name or id; else it is the only one that can do it. NULL: answered. */
static struct actor *channel_of(struct api_call *c, struct tenant *t, slice user, bool (*can)(const struct actor *), const char *what, slice *ret_guest)
{
    slice word = js_text(js_get(c->body, SL("channel")));
    struct actor *found = word.n ? NULL : tenant_channel(t, user, ret_guest);
    size_t n = 0;
    struct text names = text_new(c->a, 1000);
    if (found)
        return found;
    *ret_guest = user;
    for (size_t i = 0; i < t->n_channels; i++) {
        struct actor *ch = t->channels[i];
        if (ch->retired || (word.n && !slice_eq(word, ch->account.name) && !slice_eq(word, ch->account.id)) || (can && !can(ch)))
            continue;
        text_add(&names, "%s" SLF, names.n ? ", " : "", SLA(ch->account.name));
        found = ch;
        n++;
    }
    if (n == 1)
        return found;
    if (n == 0 && word.n)
        api_problem(c, 422, "unsupported", "channel", "the tenant has no such channel%s%s", can ? " that can " : "", can ? what : "");
    else if (n == 0)
        api_problem(c, 422, "unsupported", "tenant", "the tenant has no channel%s%s", can ? " that can " : "", can ? what : "");
    else
        api_problem(c, 400, "missing_field", "channel", "the tenant has several channels: say which one: " SLF, SLA(text_slice(&names)));
    return NULL;
}

/* ---- what is said ---------------------------------------------------------------------------------------------------- */

/* An object, read like those of agents and canned responses (rich.h); one of the network's own must be good by its rules before it is taken. */
static bool take_object(struct api_call *c, const struct actor *to, const struct js *v, struct message *m, struct problems *p, slice path)
{
    const struct connector *type = to->account.type;
    struct fault f = { 0 };
    if (!rich_message(c->a, v, type, m, &f)) {
        problem_add(p, f.field[0] ? arena_printf(c->a, SLF ".%s", SLA(path), f.field) : path, "%s", f.text);
        return false;
    }
    if (m->kind != KIND_NATIVE)
        return true;
    struct dry dry = { .type = type, .account = &to->account, .now_ms = time_now_ms(), .public_url = c->hub->public_url };
    dry_run(c->a, &dry, m);
    if (dry.end == OUT_DELIVERED || dry.end == OUT_PARKED)
        return true;
    problem_add(p, path, "%s", dry.fault.text);
    return false;
}

/* Can the network carry it? */
static bool fits(struct api_call *c, const struct actor *to, const struct message *m, struct problems *p, slice path)
{
    const struct caps *caps = &to->account.type->caps;
    if (m->kind == KIND_TEXT && !slice_trim(m->text).n)
        problem_add(p, path, "must not be empty");
    else if (m->kind == KIND_STICKER && (!m->sticker.package.n || !m->sticker.id.n))
        problem_add(p, arena_printf(c->a, SLF ".%s", SLA(path), m->sticker.id.n ? "packageId" : "stickerId"), "is missing");
    else if (caps->kinds & CAN(m->kind))
        return true;
    else {
        struct text can = text_new(c->a, 500);
        for (unsigned k = 0; k < KIND_MAX; k++)
            if (caps->kinds & CAN(k) && kind_is_content((enum kind)k))
                text_add(&can, "%s%s", can.n ? ", " : "", kind_names[k]);
        problem_add(p, path, "%s cannot carry %s; it takes: " SLF, to->account.type->title, kind_names[m->kind], SLA(text_slice(&can)));
    }
    return false;
}

struct sending {
    struct api_call *c;
    struct actor *to;
    struct js_list messages; /* struct message */
    uint64_t ids[MESSAGES_MAX];
    bool seen[MESSAGES_MAX];
    slice key;
};

static void take_one(struct sending *se, const struct js *v, slice path, struct problems *p)
{
    struct message *m = LIST_ADD(se->c->a, &se->messages, struct message);
    bool ok = true;
    if (js_is_string(v)) {
        m->kind = KIND_TEXT;
        m->text = js_text(v);
    } else if (js_is_object(v)) {
        ok = take_object(se->c, se->to, v, m, p, path);
    } else {
        problem_add(p, path, "must be a text or an object with a type");
        return;
    }
    if (ok)
        (void)fits(se->c, se->to, m, p, path);
}

/* False: answered. */
static bool take_messages(struct sending *se)
{
    struct api_call *c = se->c;
    const struct js *one = js_get(c->body, SL("message")), *list = js_get(c->body, SL("messages"));
    struct problems p = { .a = c->a };
    if (one)
        take_one(se, one, SL("message"), &p);
    for (size_t i = 0; i < js_len(list) && js_is_array(list) && se->messages.n < MESSAGES_MAX; i++)
        take_one(se, js_item(list, i), arena_printf(c->a, "messages[%zu]", i), &p);
    if (list && (!js_is_array(list) || js_len(list) + (one != NULL) > MESSAGES_MAX))
        problem_add(&p, SL("messages"), "must be a list of at most %d", MESSAGES_MAX);
    else if (!one && !js_len(list))
        problem_add(&p, SL("message"), "is missing: a text or an object with a type; or messages, a list of them");
    if (!p.n)
        return true;
    api_problems(c, 422, "unsupported", &p);
    return false;
}

/* ---- into the journal ------------------------------------------------------------------------------------------------ */

static void stored(void *arg, bool ok)
{
    struct sending *se = arg;
    struct api_call *c = se->c;
    if (!ok) {
        api_not_stored(c, NULL);
        return;
    }
    size_t repeated = 0;
    struct jw w = api_json(c);
    jw_str(&w, "tenantId", se->to->tenant->id);
    jw_str(&w, "channel", se->to->account.id);
    jw_open(&w, "messages", '[');
    for (size_t i = 0; i < se->messages.n; i++) {
        repeated += se->seen[i];
        if (se->seen[i])
            continue;
        media_begin(se->to->tenant->desk, se->ids[i], LIST_AT(se->messages, struct message, i));
        jw_open(&w, NULL, '{');
        jw_int(&w, "id", (int64_t)se->ids[i]);
        jw_str(&w, "state", slice_of(jstate_names[J_WAITING]));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_int(&w, "repeated", (int64_t)repeated);
    api_answer(c, &w);
}

static void put(struct sending *se, struct conv *conv, struct jbatch *b, size_t i)
{
    struct api_call *c = se->c;
    struct message *m = LIST_AT(se->messages, struct message, i);
    enum jresult result;
    struct jw note = jw_new(c->a, 1024);
    jw_open(&note, NULL, '{');
    jw_str(&note, "from", SL("api"));
    jw_opt(&note, "trace", c->x->trace_id);
    jw_close(&note, '}');
    m->id = uuid_make(c->a);
    m->guest = conv->pub.address;
    m->at_ms = time_now_ms();
    m->origin = ORIGIN_HUB; /* the desk did not write it, and is not told how far it came */
    m->trace_id = c->x->trace_id;
    struct jaccept acc = { .lane = lane_name(c->a, se->to, conv), .state = J_WAITING, .body = message_print(c->a, m), .note = jw_done(&note),
                           .dedupe_keep_ms = c->hub->limits.dedupe_ms };
    if (se->key.n)
        acc.dedupe = arena_printf(c->a, "api\x1f" SLF "\x1f%zu\x1f" SLF, SLA(se->to->account.id), i, SLA(se->key));
    jbatch_accept(b, &acc, &result, &se->ids[i]);
    se->seen[i] = result == J_SEEN;
}

static void loaded(void *arg, struct conv *conv)
{
    struct sending *se = arg;
    struct api_call *c = se->c;
    struct problems p = { .a = c->a };
    for (size_t i = 0; i < se->messages.n; i++) {
        const struct message *m = LIST_AT(se->messages, struct message, i);
        if (!message_fits(c->a, m))
            problem_add(&p, arena_printf(c->a, "messages[%zu]", i), "is longer than %d bytes", JOURNAL_BODY_MAX - MESSAGE_ADDED_MAX);
    }
    if (p.n) {
        conv_release(conv);
        api_problems(c, 413, "too_large", &p);
        return;
    }
    struct jbatch *b = jbatch_new(c->hub->journal);
    for (size_t i = 0; i < se->messages.n; i++)
        put(se, conv, b, i);
    jbatch_commit(b, JOURNAL_DURABLE, stored, se);
    conv_release(conv);
}

/* NULL: answered. */
static struct sending *sending_new(struct api_call *c, slice user, bool (*can)(const struct actor *), const char *what, slice *ret_guest)
{
    struct tenant *t = tenant_of(c);
    if (!t)
        return NULL;
    slice key = exchange_header(c->x, "Idempotency-Key");
    if (key.n > KEY_MAX) {
        api_problem(c, 400, "out_of_range", "Idempotency-Key", "must have at most %d bytes", KEY_MAX);
        return NULL;
    }
    if (!user.n || user.n > GUEST_MAX) {
        api_problem(c, 400, user.n ? "out_of_range" : "missing_field", "userId", user.n ? "is too long" : "is missing: the guest's identifier with the network");
        return NULL;
    }
    struct sending *se = ARENA_NEW(c->a, struct sending);
    *se = (struct sending){ .c = c, .key = key, .to = channel_of(c, t, user, can, what, ret_guest) };
    return se->to ? se : NULL;
}

void api_messages_send(struct api_call *c)
{
    slice guest;
    struct sending *se = sending_new(c, js_text(js_get(c->body, SL("userId"))), NULL, "", &guest);
    if (se && take_messages(se))
        conv_get(c->hub, se->to, guest, loaded, se);
}

/* ---- switch ---------------------------------------------------------------------------------------------------------- */

static bool can_switch(const struct actor *ch)
{
    return (ch->account.type->caps.events & CAN(EVENT_OTHER)) && account_setting(&ch->account, "switcher.secret").n;
}

void api_users_switch(struct api_call *c)
{
    slice guest;
    struct sending *se = sending_new(c, c->params[0], can_switch, "switch guests to another bot (its Switcher settings are empty)", &guest);
    if (!se)
        return;
    struct message *m = LIST_ADD(c->a, &se->messages, struct message);
    m->kind = KIND_EVENT;
    m->event = EVENT_OTHER;
    m->name = SL("switch");
    conv_get(c->hub, se->to, guest, loaded, se);
}
