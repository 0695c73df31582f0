/* Who we are and who the guest is: "Profiles, bot, groups, webhook set-up", "Access tokens", "Add-friend links". */
#include "networks/line/wire.h"
#include "wire/jwt.h"
#include "wire/qr.h"
#include "wire/url.h"

static enum outcome get(struct call *c, struct delivery *d, int step, const char *path)
{
    line_api(c, d, "GET", path, SLICE_NONE);
    d->call.repeatable = true;
    d->step = step;
    return OUT_CALL;
}

/* ---- set-up -------------------------------------------------------------------------------------------------------- */

enum setup_step { SETUP_START, SETUP_INFO, SETUP_ENDPOINT, SETUP_PUT };
#define WEBHOOK_ENDPOINT "/v2/bot/channel/webhook/endpoint"

static enum outcome setup_failed(struct call *c, struct delivery *d, const char *what)
{
    slice said = d->last->status ? line_error(c->a, d->last->body) : SLICE_NONE;
    enum outcome end = answer_outcome(c, d, what);
    if (said.n)
        fault(c->f, c->f->code, "", "%s: status %d: " SLF, what, d->last->status, SLA(said));
    return end;
}

static enum outcome learn(struct call *c, struct delivery *d)
{
    if (!answer_good(d->last))
        return setup_failed(c, d, "bot info");
    struct {
        slice user, basic, premium;
    } info = { 0 };
    const struct js_field fields[] = {
        JS_FIELD(__typeof__(info), user, "userId", JS_STR, JS_REQ),
        JS_FIELD(__typeof__(info), basic, "basicId", JS_STR, JS_REQ),
        JS_FIELD(__typeof__(info), premium, "premiumId", JS_STR, 0),
    };
    const struct js *doc = js_parse(c->a, d->last->body, c->f);
    if (!doc || !js_read(c->a, doc, fields, COUNT(fields), &info, c->f)) {
        d->reason = REASON_SERVER;
        return OUT_REFUSED;
    }
    slice ours = setting(c, LINE_BOT_ID);
    if (!slice_eq_nocase(ours, info.basic) && !(info.premium.n && slice_eq_nocase(ours, info.premium)))
        return refuse(c, d, REASON_CREDENTIALS, "these credentials are of the bot " SLF ", not of " SLF,
                      SLA(info.basic), SLA(ours));
    memory_set(c->memory, LINE_BOT_USER_ID, info.user, 0);
    return setting_true(c, LINE_SET_WEBHOOK) ? get(c, d, SETUP_ENDPOINT, WEBHOOK_ENDPOINT) : OUT_DELIVERED;
}

static enum outcome put_webhook(struct call *c, struct delivery *d)
{
    struct fault none = { 0 };
    if (!answer_good(d->last) && d->last->status != 404) /* 404: none is set yet */
        return setup_failed(c, d, "webhook endpoint");
    const struct js *doc = answer_good(d->last) ? js_parse(c->a, d->last->body, &none) : NULL;
    if (slice_eq(js_text(js_at(doc, "endpoint")), c->account->hook_url))
        return OUT_DELIVERED;
    struct jw w = jw_new(c->a, LINE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "endpoint", c->account->hook_url);
    jw_close(&w, '}');
    line_api(c, d, "PUT", WEBHOOK_ENDPOINT, jw_done(&w));
    d->call.repeatable = true;
    d->call.rate = LINE_RATE_WEBHOOK;
    d->step = SETUP_PUT;
    return OUT_CALL;
}

enum outcome line_setup(struct call *c, struct delivery *d)
{
    if (!d->last)
        return get(c, d, SETUP_INFO, "/v2/bot/info");
    if (d->step == SETUP_INFO)
        return learn(c, d);
    if (d->step == SETUP_ENDPOINT)
        return put_webhook(c, d);
    return answer_good(d->last) ? OUT_DELIVERED : setup_failed(c, d, "set webhook endpoint");
}

/* ---- profiles ------------------------------------------------------------------------------------------------------ */

enum who_step { WHO_START, WHO_GROUP, WHO_PERSON };

static const char *member_path(struct call *c, const struct delivery *d, const char *of)
{
    slice member = d->m ? d->m->from.id : SLICE_NONE;
    if (!member.n)
        return NULL;
    return arena_printf(c->a, "/v2/bot/%s/" SLF "/member/" SLF, of,
                        SLA(url_encode(c->a, c->conversation->guest)), SLA(url_encode(c->a, member)))
        .p;
}

/* A group is known by its own name; a room has none, there the member who wrote is asked for. */
static const char *who_path(struct call *c, const struct delivery *d, enum line_guest guest)
{
    slice id = url_encode(c->a, c->conversation->guest);
    switch (guest) {
    case LINE_USER:
        return arena_printf(c->a, "/v2/bot/profile/" SLF, SLA(id)).p;
    case LINE_GROUP:
        return arena_printf(c->a, "/v2/bot/group/" SLF "/summary", SLA(id)).p;
    case LINE_ROOM:
        return member_path(c, d, "room");
    case LINE_PHONE:
        break;
    }
    return NULL;
}

enum outcome line_who(struct call *c, struct delivery *d)
{
    enum line_guest guest = line_guest_of(c->conversation->guest);
    if (!d->last) {
        const char *path = setting_true(c, LINE_PROFILE) ? who_path(c, d, guest) : NULL;
        return path ? get(c, d, guest == LINE_GROUP ? WHO_GROUP : WHO_PERSON, path) : OUT_DELIVERED;
    }
    if (d->last->status == 404) {
        const char *path = d->step == WHO_GROUP ? member_path(c, d, "group") : NULL;
        return path ? get(c, d, WHO_PERSON, path)
                    : refuse(c, d, REASON_UNKNOWN_GUEST, "profile: not a friend, or no consent");
    }
    if (!answer_good(d->last))
        return setup_failed(c, d, "profile");
    struct {
        slice user, name, group, picture, language;
    } who = { 0 };
    const struct js_field fields[] = {
        JS_FIELD(__typeof__(who), user, "userId", JS_STR, 0),
        JS_FIELD(__typeof__(who), name, "displayName", JS_STR, 0),
        JS_FIELD(__typeof__(who), group, "groupName", JS_STR, 0),
        JS_FIELD(__typeof__(who), picture, "pictureUrl", JS_STR, 0),
        JS_FIELD(__typeof__(who), language, "language", JS_STR, 0),
    };
    const struct js *doc = js_parse(c->a, d->last->body, c->f);
    if (!doc || !js_read(c->a, doc, fields, COUNT(fields), &who, c->f)) {
        d->reason = REASON_SERVER;
        return OUT_REFUSED;
    }
    d->person.id = slice_or(who.user, c->conversation->guest);
    d->person.name = slice_or(who.name, who.group);
    d->person.picture = who.picture;
    d->person.locale = who.language;
    return OUT_DELIVERED;
}

/* ---- tokens -------------------------------------------------------------------------------------------------------- */

enum { ASSERTION_MS = 30 * 60 * 1000, TOKEN_S = 24 * 3600 };

/* The key is a JWK with a kid, or {"kid","pem"}. */
static slice assertion(struct call *c)
{
    slice text = setting(c, LINE_ASSERTION_KEY);
    const struct js *doc = js_parse(c->a, text, c->f);
    slice kid = js_text(js_at(doc, "kid")), pem = js_text(js_at(doc, "pem")),
          id = setting(c, LINE_CHANNEL_ID);
    if (!kid.n) {
        fault(c->f, "missing_field", "assertion_key",
              "the assertion signing key needs the kid the console gave");
        return SLICE_NONE;
    }
    CLEANUP(jwt_key_freep) struct jwt_key *key = pem.n ? jwt_key_pem(pem, c->f) : jwt_key_jwk(text, c->f);
    if (!key)
        return SLICE_NONE;
    struct jw w = jw_new(c->a, JWT_BYTES_MAX);
    jw_open(&w, NULL, '{');
    jwt_claims_write(&w, &(struct jwt_claims){ .iss = id,
                                               .sub = id,
                                               .aud = SL("https://api.line.me/"),
                                               .exp_ms = c->now_ms + ASSERTION_MS });
    jw_int(&w, "token_exp", TOKEN_S);
    jw_close(&w, '}');
    return jwt_sign(c->a, key, kid, jw_done(&w), c->f);
}

bool line_token_call(struct call *c, struct http_call *ret)
{
    bool signed_one = slice_eq(setting(c, LINE_TOKEN), SL("v2.1"));
    struct text form = text_new(c->a, LINE_BODY_BYTES);
    form_add(&form, SL("grant_type"), SL("client_credentials"));
    if (signed_one) {
        slice jwt = assertion(c);
        if (!jwt.p)
            return false;
        form_add(&form, SL("client_assertion_type"),
                 SL("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
        form_add(&form, SL("client_assertion"), jwt);
    } else {
        form_add(&form, SL("client_id"), setting(c, LINE_CHANNEL_ID));
        form_add(&form, SL("client_secret"), setting(c, LINE_CHANNEL_SECRET));
    }
    ret->method = "POST";
    ret->url = arena_printf(c->a, SLF "%s", SLA(line_base_url(c)),
                            signed_one ? "/oauth2/v2.1/token" : "/oauth2/v3/token");
    ret->type = SL("application/x-www-form-urlencoded");
    ret->body = text_slice(&form);
    ret->repeatable = true;
    ret->no_token = true;
    return true;
}

/* ---- add-friend link ----------------------------------------------------------------------------------------------- */

static slice friend_url(struct call *c, slice text)
{
    slice id = setting(c, LINE_BOT_ID);
    id = url_encode(c->a, slice_starts(id, SL("@")) ? id : arena_printf(c->a, "@" SLF, SLA(id)));
    if (text.n)
        return arena_printf(c->a, "https://line.me/R/oaMessage/" SLF "/?" SLF, SLA(id),
                            SLA(url_encode(c->a, text)));
    return arena_printf(c->a, "https://line.me/R/ti/p/" SLF, SLA(id));
}

bool line_qr(struct call *c, const struct request *rq, struct inbox *in)
{
    slice svg = qr_svg(c->a, friend_url(c, request_query(c->a, rq, "text")));
    if (!svg.p)
        return fault(c->f, "out_of_range", "text", "the text does not fit into a QR code");
    inbox_answer(in, 200, SL("image/svg+xml"), svg);
    return true;
}

bool line_link(struct call *c, const struct request *rq, struct inbox *in)
{
    inbox_answer(in, 200, SL("text/plain; charset=utf-8"), friend_url(c, request_query(c->a, rq, "text")));
    return true;
}
