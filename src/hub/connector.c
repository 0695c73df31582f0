#include "hub/connector.h"
#include "wire/url.h"
#include "wire/uuid.h"

bool setting_true(const struct call *c, unsigned i)
{
    return slice_eq(setting(c, i), SL("true"));
}

int64_t setting_number(const struct call *c, unsigned i)
{
    int64_t v = 0;
    return slice_int(setting(c, i), &v) ? v : 0;
}

int64_t account_reply_window_ms(const struct account *a)
{
    const struct caps *caps = &a->type->caps;
    int64_t seconds = 0;
    return caps->reply_window_setting && slice_int(a->settings[caps->reply_window_setting], &seconds) ? seconds * 1000 : caps->reply_window_ms;
}

slice request_header(const struct request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_headers; i++)
        if (slice_eq_nocase(rq->headers[i].name, slice_of(name)))
            return rq->headers[i].value;
    return SLICE_NONE;
}

slice request_query(struct arena *a, const struct request *rq, const char *name)
{
    return form_get(a, rq->query, slice_of(name));
}

slice call_response(const struct call *c, slice name)
{
    return c->response && name.n ? c->response(c, name) : SLICE_NONE;
}

void call_header(struct http_call *call, const char *name, slice value)
{
    assert(call->n_headers < CALL_HEADERS_MAX);
    call->headers[call->n_headers++] = (struct header){ slice_of(name), value };
}

slice delivery_guest(const struct call *c, const struct delivery *d)
{
    return c->conversation && c->conversation->guest.n ? c->conversation->guest : d->m->guest;
}

slice author_name(const struct conversation *who, const struct message *m)
{
    bool person = m->origin != (int)ORIGIN_BOT && m->origin != (int)ORIGIN_HUB;
    return slice_or(m->from.name, person && who ? who->agent_name : SLICE_NONE);
}

slice system_text(struct call *c, const struct message *m)
{
    slice name = slice_or(m->from.name, c->conversation ? c->conversation->agent_name : SLICE_NONE);
    slice who = slice_or(name, SL("An agent")), text = SLICE_NONE;
    if (m->event == (int)EVENT_JOINED)
        text = arena_printf(c->a, SLF " has joined the conversation.", SLA(who));
    else if (m->event == (int)EVENT_LEFT)
        text = arena_printf(c->a, SLF " has left the conversation.", SLA(who));
    else if (m->event == (int)EVENT_CLOSED)
        text = SL("The conversation has ended.");
    return text.p && slice_eq(account_setting(c->account, "show_system_messages"), SL("true")) ? slice_or(m->text, text) : SLICE_NONE;
}

void delivery_begin_step(struct delivery *d, const struct answer *last)
{
    d->last = last;
    d->last_repeatable = last && d->call.repeatable;
    d->last_new_token = last && d->call.new_token;
    d->last_old_token = false;
    d->call = (struct http_call){ 0 };
}

slice delivery_uuid(struct arena *a, const struct delivery *d, size_t n)
{
    return uuid_named(a, arena_printf(a, SLF "/%zu", SLA(d->key), n));
}

enum outcome refuse(struct call *c, struct delivery *d, enum reason reason, const char *fmt, ...)
{
    char text[sizeof(c->f->text)];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    d->reason = reason;
    fault(c->f, "refused", "", "%s", text);
    return OUT_REFUSED;
}

bool refuse_shape(struct call *c, const struct fault *why)
{
    return fault(c->f, "refused", why->field, "%s%s%s", why->field, why->field[0] ? ": " : "", why->text);
}

enum outcome answer_outcome(struct call *c, struct delivery *d, const char *what)
{
    const struct answer *r = d->last;
    d->retry_ms = r->retry_after_ms;
    if (r->status == 0) {
        fault(c->f, "no_answer", "", "%s: no answer: " SLF, what, SLA(r->error));
        return d->last_repeatable || !r->written ? OUT_RETRY : OUT_UNKNOWN;
    }
    if (r->status == 408 || r->status == 425 || r->status == 429 || r->status >= 500) {
        fault(c->f, r->status == 429 ? "rate_limited" : "server_error", "", "%s: status %d", what, r->status);
        d->reason = r->status == 429 ? REASON_RATE : REASON_SERVER;
        return OUT_RETRY;
    }
    enum reason reason = r->status == 401 || r->status == 403 ? REASON_CREDENTIALS
                         : r->status == 413                   ? REASON_MEDIA_SIZE
                         : r->status == 415                   ? REASON_MEDIA_TYPE
                                                              : REASON_GENERAL;
    return refuse(c, d, reason, "%s: status %d", what, r->status);
}
