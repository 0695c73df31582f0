/* When a tenant is saved: the integration, and what it refers to, are found, made or brought up to date, 5 and 6.
 *
 *   GC_PROFILES    list supported content profiles   } only when the setting names one
 *   GC_PROFILE     make the profile                  }
 *   GC_TYPINGS     list messaging settings           } only when typing is on
 *   GC_TYPING_MAKE make ours                         }
 *   GC_LIST        list integrations: ours by the id we remember, else by its name
 *   GC_MAKE        POST it        GC_CHANGE  PATCH what differs
 *   GC_WAIT        made asynchronously: ask until it says Completed
 *   GC_FLOWS       list flows                        } only when the setting names one
 *   GC_RECIPIENT   what is the address tied to?      }
 *   GC_TIE         tie it                            }
 *
 * What was learned on the way is kept in d->keep, so that any step can go on in another process. Nothing here needs more than that:
 * a set-up that is run again finds what it made before. */
#include "desks/genesys_cloud/wire.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum gc_setup_step {
    GC_PROFILES, GC_PROFILE, GC_TYPINGS, GC_TYPING_MAKE, GC_LIST, GC_MAKE, GC_CHANGE, GC_WAIT, GC_FLOWS, GC_RECIPIENT, GC_TIE, GC_DONE
};
enum { GC_WAIT_MS = 2000, GC_WAITS_MAX = 60 };
#define GC_TYPING_NAME "Dragoman typing" /* of the messaging setting that we make */

struct gc_plan {
    slice profile_id, typing_id, integration_id, recipient_id, flow_id, flow_name;
    int64_t page;  /* of the list being read; 0: the first */
    int64_t waits;
    bool second_recipient; /* the address is not found under the integration's id: tried under its own */
};
/* clang-format off */
static const struct js_field gc_plan_fields[] = {
    JS_FIELD(struct gc_plan, profile_id,       "profile",     JS_STR,  0),
    JS_FIELD(struct gc_plan, typing_id,        "typing",      JS_STR,  0),
    JS_FIELD(struct gc_plan, integration_id,   "integration", JS_STR,  0),
    JS_FIELD(struct gc_plan, recipient_id,     "recipient",   JS_STR,  0),
    JS_FIELD(struct gc_plan, flow_id,          "flow",        JS_STR,  0),
    JS_FIELD(struct gc_plan, flow_name,        "flow_name",   JS_STR,  0),
    JS_FIELD(struct gc_plan, page,             "page",        JS_I64,  0),
    JS_FIELD(struct gc_plan, waits,            "waits",       JS_I64,  0),
    JS_FIELD(struct gc_plan, second_recipient, "second",      JS_BOOL, 0),
};
struct gc_integration {
    slice id, name, url, token, profile_id, typing_id, state, recipient_id, error;
};
static const struct js_field gc_integration_fields[] = {                                                               /* 5 */
    JS_FIELD(struct gc_integration, id,           "id",                                            JS_STR, JS_REQ),
    JS_FIELD(struct gc_integration, name,         "name",                                          JS_STR, 0),
    JS_FIELD(struct gc_integration, url,          "outboundNotificationWebhookUrl",                JS_STR, 0),
    JS_FIELD(struct gc_integration, token,        "outboundNotificationWebhookSignatureSecretToken", JS_STR, 0),
    JS_FIELD(struct gc_integration, profile_id,   "supportedContent.id",                           JS_STR, 0),
    JS_FIELD(struct gc_integration, typing_id,    "messagingSetting.id",                           JS_STR, 0),
    JS_FIELD(struct gc_integration, state,        "createStatus",                                  JS_STR, 0),
    JS_FIELD(struct gc_integration, recipient_id, "recipient.id",                                  JS_STR, 0),
    JS_FIELD(struct gc_integration, error,        "createError.message",                           JS_STR, 0),
};
/* clang-format on */

static enum outcome gc_go(struct call *c, struct delivery *d, struct gc_plan *p, enum gc_setup_step step);

/* ---- the plan -------------------------------------------------------------------------------------------------------------- */

static struct gc_plan gc_plan_read(const struct call *c, const struct delivery *d)
{
    struct gc_plan p = { 0 };
    const struct js *doc = d->keep.n ? js_parse(c->a, d->keep, NULL) : NULL;
    if (!doc || !js_read(c->a, doc, gc_plan_fields, COUNT(gc_plan_fields), &p, NULL))
        p = (struct gc_plan){ 0 };
    return p;
}

static void gc_plan_keep(const struct call *c, struct delivery *d, const struct gc_plan *p, enum gc_setup_step step)
{
    enum { KEEP_MAX = 4096 };
    struct jw w = jw_new(c->a, KEEP_MAX);
    jw_open(&w, NULL, '{');
    jw_fields(&w, gc_plan_fields, COUNT(gc_plan_fields), p);
    jw_close(&w, '}');
    d->keep = jw_done(&w);
    d->step = (int)step;
}

/* ---- lists, 3 "Paging" ------------------------------------------------------------------------------------------------------ */

/* The entity with this id, else with this name; NULL: not on this page. */
static const struct js *gc_named(const struct js *page, slice id, slice name)
{
    const struct js *entities = js_at(page, "entities"), *by_name = NULL;
    for (size_t i = 0; i < js_len(entities); i++) {
        const struct js *e = js_item(entities, i);
        if (id.n && slice_eq(js_text(js_at(e, "id")), id))
            return e;
        if (!by_name && name.n && slice_eq_nocase(js_text(js_at(e, "name")), name))
            by_name = e;
    }
    return by_name;
}

/* Some lists leave out how long they are: a short page is the last one. */
static bool gc_more(const struct js *page, const struct gc_plan *p)
{
    int64_t pages;
    if (p->page + 1 >= GC_PAGES_MAX)
        return false;
    if (js_int(js_at(page, "pageCount"), &pages))
        return p->page + 1 < pages;
    return js_len(js_at(page, "entities")) >= GC_PAGE;
}

static enum outcome gc_list(struct call *c, struct delivery *d, const struct gc_plan *p, const char *path, const char *query)
{
    gc_get(d, gc_url(c, "%s?pageSize=%d&pageNumber=%lld%s", path, GC_PAGE, (long long)p->page + 1, query));
    return OUT_CALL;
}

static enum outcome gc_next_page(struct call *c, struct delivery *d, struct gc_plan *p)
{
    p->page++;
    return gc_go(c, d, p, (enum gc_setup_step)d->step);
}

/* ---- bodies, 5 ------------------------------------------------------------------------------------------------------------------ */

static slice gc_profile_body(const struct call *c)
{
    struct jw w = jw_new(c->a, GC_BODY_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", setting(c, GC_SUPPORTED_CONTENT));
    jw_raw(&w, "mediaTypes", SL("{\"allow\":{\"inbound\":[{\"type\":\"*/*\"}],\"outbound\":[{\"type\":\"*/*\"}]}}"));
    jw_close(&w, '}');
    return jw_done(&w);
}

static slice gc_typing_body(void)
{
    return SL("{\"name\":\"" GC_TYPING_NAME "\",\"event\":{\"typing\":{\"on\":{\"inbound\":\"Enabled\",\"outbound\":\"Enabled\"}}},"
              "\"content\":{\"story\":{\"mention\":{\"inbound\":\"Disabled\"},\"reply\":{\"inbound\":\"Disabled\"}}}}");
}

static void gc_reference(struct jw *w, const char *key, slice id)
{
    if (!id.n)
        return;
    jw_open(w, key, '{');
    jw_str(w, "id", id);
    jw_close(w, '}');
}

static slice gc_integration_body(const struct call *c, const struct gc_plan *p)
{
    struct jw w = jw_new(c->a, GC_BODY_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", setting(c, GC_INTEGRATION_NAME));
    jw_str(&w, "outboundNotificationWebhookUrl", c->account->hook_url);
    jw_str(&w, "outboundNotificationWebhookSignatureSecretToken", setting(c, GC_INTEGRATION_TOKEN));
    if (setting(c, GC_INTEGRATION_HEADERS).n)
        jw_raw(&w, "webhookHeaders", setting(c, GC_INTEGRATION_HEADERS));
    gc_reference(&w, "supportedContent", p->profile_id);
    gc_reference(&w, "messagingSetting", p->typing_id);
    jw_close(&w, '}');
    return jw_done(&w);
}

/* Token and headers are not to be compared with what a list shows: a fingerprint of what was sent last is. */
static slice gc_fingerprint(const struct call *c)
{
    struct sha256 sum = sha256(arena_printf(c->a, "genesys-cloud\n" SLF "\n" SLF, SLA(setting(c, GC_INTEGRATION_TOKEN)),
                                            SLA(setting(c, GC_INTEGRATION_HEADERS))));
    return hex_encode(c->a, slice_mem(sum.b, sizeof(sum.b)));
}

static bool gc_differs(const struct call *c, const struct gc_plan *p, const struct gc_integration *in)
{
    return !slice_eq(in->name, setting(c, GC_INTEGRATION_NAME)) || !slice_eq(in->url, c->account->hook_url) ||
           (p->profile_id.n && !slice_eq(in->profile_id, p->profile_id)) || (p->typing_id.n && !slice_eq(in->typing_id, p->typing_id)) ||
           !slice_eq(memory_get(c->memory, "applied", c->now_ms), gc_fingerprint(c));
}

/* ---- answers ------------------------------------------------------------------------------------------------------------------------- */

static enum outcome gc_profiles(struct call *c, struct delivery *d, struct gc_plan *p)
{
    const struct js *page = gc_answer(c, d), *found = gc_named(page, setting(c, GC_SUPPORTED_CONTENT), setting(c, GC_SUPPORTED_CONTENT));
    if (!found)
        return gc_more(page, p) ? gc_next_page(c, d, p) : gc_go(c, d, p, GC_PROFILE);
    p->profile_id = js_text(js_at(found, "id"));
    p->page = 0;
    return gc_go(c, d, p, GC_TYPINGS);
}

static enum outcome gc_typings(struct call *c, struct delivery *d, struct gc_plan *p)
{
    const struct js *page = gc_answer(c, d), *found = gc_named(page, SLICE_NONE, SL(GC_TYPING_NAME));
    if (!found)
        return gc_more(page, p) ? gc_next_page(c, d, p) : gc_go(c, d, p, GC_TYPING_MAKE);
    p->typing_id = js_text(js_at(found, "id"));
    p->page = 0;
    return gc_go(c, d, p, GC_LIST);
}

static enum outcome gc_learned(struct call *c, struct delivery *d, struct gc_plan *p, const struct gc_integration *in)
{
    if (slice_eq(in->state, SL("Error")))
        return refuse(c, d, REASON_GENERAL, "Genesys Cloud could not make the integration: " SLF, SLA(utf8_cut(in->error, 120)));
    p->integration_id = in->id;
    p->recipient_id = in->recipient_id;
    if (slice_eq(in->state, SL("Initiated")))
        return gc_go(c, d, p, GC_WAIT);
    memory_set(c->memory, "integration_id", in->id, 0);
    return gc_go(c, d, p, GC_FLOWS);
}

static bool gc_read_integration(struct call *c, const struct js *v, struct gc_integration *ret)
{
    return js_read(c->a, v, gc_integration_fields, COUNT(gc_integration_fields), ret, c->f);
}

static enum outcome gc_unreadable_answer(struct call *c, struct delivery *d, const char *what)
{
    return refuse(c, d, REASON_SERVER, "%s: the answer is not what Genesys Cloud's would be (%s)", what, c->f->field[0] ? c->f->field : "no JSON");
}

static enum outcome gc_integrations(struct call *c, struct delivery *d, struct gc_plan *p)
{
    const struct js *page = gc_answer(c, d), *found = gc_named(page, gc_integration(c), setting(c, GC_INTEGRATION_NAME));
    bool by_id = found && slice_eq(js_text(js_at(found, "id")), gc_integration(c));
    if (found && (by_id || !p->integration_id.n))
        p->integration_id = js_text(js_at(found, "id"));
    if (!by_id && gc_more(page, p))
        return gc_next_page(c, d, p); /* the one we remember may have been renamed and stand further down */
    p->page = 0;
    if (!p->integration_id.n)
        return gc_go(c, d, p, GC_MAKE);
    if (!found || !slice_eq(js_text(js_at(found, "id")), p->integration_id))
        return gc_go(c, d, p, GC_CHANGE); /* found on an earlier page: no need to compare, PATCH says it all */

    struct gc_integration in = { 0 };
    if (!gc_read_integration(c, found, &in))
        return gc_unreadable_answer(c, d, "integrations");
    return gc_differs(c, p, &in) ? gc_go(c, d, p, GC_CHANGE) : gc_learned(c, d, p, &in);
}

static enum outcome gc_made(struct call *c, struct delivery *d, struct gc_plan *p)
{
    struct gc_integration in = { 0 };
    if (!gc_read_integration(c, gc_answer(c, d), &in))
        return gc_unreadable_answer(c, d, "integration");
    memory_set(c->memory, "applied", gc_fingerprint(c), 0);
    return gc_learned(c, d, p, &in);
}

static enum outcome gc_waited(struct call *c, struct delivery *d, struct gc_plan *p)
{
    struct gc_integration in = { 0 };
    if (!gc_read_integration(c, gc_answer(c, d), &in))
        return gc_unreadable_answer(c, d, "integration");
    if (!slice_eq(in.state, SL("Initiated")))
        return gc_learned(c, d, p, &in);
    if (++p->waits > GC_WAITS_MAX)
        return refuse(c, d, REASON_SERVER, "Genesys Cloud is still making the integration after %d questions", GC_WAITS_MAX);
    gc_plan_keep(c, d, p, GC_WAIT);
    d->retry_ms = GC_WAIT_MS;
    (void)fault(c->f, "not_ready", "", "Genesys Cloud is still making the integration");
    return OUT_RETRY;
}

/* 6: only a published flow can be tied. */
static enum outcome gc_flows(struct call *c, struct delivery *d, struct gc_plan *p)
{
    slice wanted = setting(c, GC_INBOUND_FLOW);
    const struct js *page = gc_answer(c, d), *found = gc_named(page, wanted, wanted);
    if (!found && gc_more(page, p))
        return gc_next_page(c, d, p);
    if (!found)
        return refuse(c, d, REASON_GENERAL, "there is no inbound message flow \"" SLF "\"", SLA(wanted));
    if (!js_is_object(js_at(found, "publishedVersion")))
        return refuse(c, d, REASON_GENERAL, "the flow \"" SLF "\" is not published yet", SLA(wanted));
    p->flow_id = js_text(js_at(found, "id"));
    p->flow_name = js_text(js_at(found, "name"));
    return gc_go(c, d, p, GC_RECIPIENT);
}

static enum outcome gc_recipient(struct call *c, struct delivery *d, struct gc_plan *p)
{
    bool tied = slice_eq(js_text(js_at(gc_answer(c, d), "flow.id")), p->flow_id);
    return gc_go(c, d, p, tied ? GC_DONE : GC_TIE);
}

/* ---- calls ------------------------------------------------------------------------------------------------------------------------------ */

static slice gc_recipient_id(const struct gc_plan *p)
{
    return p->second_recipient ? p->recipient_id : p->integration_id;
}

static slice gc_recipient_url(const struct call *c, const struct gc_plan *p)
{
    return gc_url(c, "/routing/message/recipients/" SLF, SLA(gc_part(c, gc_recipient_id(p))));
}

static enum outcome gc_tie_call(struct call *c, struct delivery *d, const struct gc_plan *p)
{
    struct jw w = jw_new(c->a, GC_BODY_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", gc_recipient_id(p));
    jw_str(&w, "name", setting(c, GC_INTEGRATION_NAME));
    jw_str(&w, "messengerType", SL("open"));
    jw_open(&w, "flow", '{');
    jw_str(&w, "id", p->flow_id);
    jw_opt(&w, "name", p->flow_name);
    jw_close(&w, '}');
    jw_close(&w, '}');
    gc_send(d, "PUT", gc_recipient_url(c, p), jw_done(&w));
    return OUT_CALL;
}

#define GC_MESSAGING "/conversations/messaging"

/* Making something twice would leave two: not repeatable; the next set-up finds by its name what was made. */
static enum outcome gc_make(struct call *c, struct delivery *d, const char *path, slice body)
{
    gc_send(d, "POST", gc_url(c, "%s", path), body);
    d->call.repeatable = false;
    return OUT_CALL;
}

static enum outcome gc_go(struct call *c, struct delivery *d, struct gc_plan *p, enum gc_setup_step step)
{
    if (step == GC_PROFILES && !setting(c, GC_SUPPORTED_CONTENT).n)
        step = GC_TYPINGS;
    if (step == GC_TYPINGS && !setting_true(c, GC_TYPING))
        step = GC_LIST;
    if (step == GC_FLOWS && !setting(c, GC_INBOUND_FLOW).n)
        step = GC_DONE;
    gc_plan_keep(c, d, p, step);

    slice integration = gc_part(c, p->integration_id);
    switch (step) {
    case GC_PROFILES: return gc_list(c, d, p, GC_MESSAGING "/supportedcontent", "");
    case GC_PROFILE: return gc_make(c, d, GC_MESSAGING "/supportedcontent", gc_profile_body(c));
    case GC_TYPINGS: return gc_list(c, d, p, GC_MESSAGING "/settings", "");
    case GC_TYPING_MAKE: return gc_make(c, d, GC_MESSAGING "/settings", gc_typing_body());
    case GC_LIST: return gc_list(c, d, p, GC_MESSAGING "/integrations/open", "");
    case GC_MAKE: return gc_make(c, d, GC_MESSAGING "/integrations/open", gc_integration_body(c, p));
    case GC_CHANGE:
        gc_send(d, "PATCH", gc_url(c, GC_MESSAGING "/integrations/open/" SLF, SLA(integration)), gc_integration_body(c, p));
        return OUT_CALL;
    case GC_WAIT: gc_get(d, gc_url(c, GC_MESSAGING "/integrations/open/" SLF, SLA(integration))); return OUT_CALL;
    case GC_FLOWS: return gc_list(c, d, p, "/flows", "&type=inboundshortmessage&deleted=false&sortBy=name&sortOrder=asc");
    case GC_RECIPIENT: gc_get(d, gc_recipient_url(c, p)); return OUT_CALL;
    case GC_TIE: return gc_tie_call(c, d, p);
    case GC_DONE: break;
    }
    d->vendor_id = p->integration_id;
    return OUT_DELIVERED;
}

/* ---- steps ---------------------------------------------------------------------------------------------------------------------------------- */

static const char *const gc_step_names[] = {
    [GC_PROFILES] = "supported content profiles", [GC_PROFILE] = "making the supported content profile",
    [GC_TYPINGS] = "messaging settings",          [GC_TYPING_MAKE] = "making the messaging setting",
    [GC_LIST] = "integrations",                   [GC_MAKE] = "making the integration",
    [GC_CHANGE] = "changing the integration",     [GC_WAIT] = "integration",
    [GC_FLOWS] = "flows",                         [GC_RECIPIENT] = "message route",
    [GC_TIE] = "tying the flow",                  [GC_DONE] = "set-up",
};

enum outcome gc_setup(struct call *c, struct delivery *d)
{
    struct gc_plan p = gc_plan_read(c, d);
    enum gc_setup_step step = (enum gc_setup_step)d->step;
    if (!d->last && step == GC_WAIT && p.integration_id.n)
        return gc_go(c, d, &p, GC_WAIT);
    if (!d->last) { /* "Traps" 2: nobody would tell us later that the webhook is never called */
        if (!setting(c, GC_BASE_URL).n && !slice_starts(c->account->hook_url, SL("https://")))
            return refuse(c, d, REASON_GENERAL, "Genesys Cloud calls only https on port 443: public_url must begin with https://");
        p = (struct gc_plan){ 0 };
        return gc_go(c, d, &p, GC_PROFILES);
    }
    if (step == GC_RECIPIENT && d->last->status == 404 && !p.second_recipient && p.recipient_id.n &&
        !slice_eq(p.recipient_id, p.integration_id)) {
        p.second_recipient = true;
        return gc_go(c, d, &p, GC_RECIPIENT);
    }
    if (!gc_ok(d))
        return gc_fail(c, d, gc_step_names[step]);
    bool list = step == GC_PROFILES || step == GC_TYPINGS || step == GC_LIST || step == GC_FLOWS;
    if (list && !js_is_array(js_at(gc_answer(c, d), "entities"))) { /* of an empty list one could be made: not of what is none */
        (void)fault(c->f, "missing_field", gc_answer(c, d) ? "entities" : "", "must be an array");
        return gc_unreadable_answer(c, d, gc_step_names[step]);
    }

    switch (step) {
    case GC_PROFILES: return gc_profiles(c, d, &p);
    case GC_PROFILE:
        p.profile_id = js_text(js_at(gc_answer(c, d), "id"));
        p.page = 0;
        return gc_go(c, d, &p, GC_TYPINGS);
    case GC_TYPINGS: return gc_typings(c, d, &p);
    case GC_TYPING_MAKE:
        p.typing_id = js_text(js_at(gc_answer(c, d), "id"));
        p.page = 0;
        return gc_go(c, d, &p, GC_LIST);
    case GC_LIST: return gc_integrations(c, d, &p);
    case GC_MAKE:
    case GC_CHANGE: return gc_made(c, d, &p);
    case GC_WAIT: return gc_waited(c, d, &p);
    case GC_FLOWS: return gc_flows(c, d, &p);
    case GC_RECIPIENT: return gc_recipient(c, d, &p);
    case GC_TIE:
    case GC_DONE: break;
    }
    return gc_go(c, d, &p, GC_DONE);
}
