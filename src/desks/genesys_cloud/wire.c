#include "desks/genesys_cloud/wire.h"
#include "wire/url.h"

/* ---- calls ---------------------------------------------------------------------------------------------------------- */

slice gc_part(const struct call *c, slice id)
{
    return url_encode(c->a, id);
}

void gc_get(struct delivery *d, slice url)
{
    d->call.method = "GET";
    d->call.url = url;
    d->call.repeatable = true;
    d->call.rate = GC_RATE_QUERIES;
    call_header(&d->call, "accept", SL("application/json"));
}

void gc_send(struct delivery *d, const char *method, slice url, slice json)
{
    d->call.method = method;
    d->call.url = url;
    d->call.type = SL("application/json");
    d->call.body = json;
    d->call.repeatable = true;
    d->call.rate = GC_RATE_MESSAGES;
    call_header(&d->call, "accept", SL("application/json"));
}

slice gc_integration(const struct call *c)
{
    return memory_get(c->memory, "integration_id", c->now_ms);
}

slice gc_platform_id(slice id)
{
    return slice_cut(&id, ':');
}

/* ---- answers, 3 ------------------------------------------------------------------------------------------------------ */

bool gc_ok(const struct delivery *d)
{
    return d->last && d->last->status >= 200 && d->last->status < 300;
}

const struct js *gc_answer(struct call *c, const struct delivery *d)
{
    return d->last->body.n ? js_parse(c->a, d->last->body, NULL) : NULL;
}

enum outcome gc_fail(struct call *c, struct delivery *d, const char *what)
{
    enum { SAID_CHARS = 120 };
    enum outcome end = answer_outcome(c, d, what);
    if (d->last->status == 0)
        return end;

    const struct js *doc = gc_answer(c, d);
    slice code = js_text(js_at(doc, "code")), said = utf8_cut(js_text(js_at(doc, "message")), SAID_CHARS);
    slice id = answer_header(d->last, "inin-correlation-id");
    if (!id.n)
        id = answer_header(d->last, "genesys-correlation-id");
    if (d->last->status == 400 || d->last->status == 422)
        d->reason = REASON_INVALID;
    (void)fault(c->f, c->f->code, "", "%s: status %d%s" SLF "%s" SLF "%s" SLF "%s", what, d->last->status, code.n ? ", " : "", SLA(code),
                said.n ? ": " : "", SLA(said), id.n ? " (genesys-correlation " : "", SLA(id), id.n ? ")" : "");
    return end;
}

/* ---- reasons, 7.4 ------------------------------------------------------------------------------------------------------ */

/* clang-format off */
static const struct { enum reason reason; slice code; } gc_reasons[] = { /* first match wins, both ways */
    { REASON_BLOCKED,       SLI("RecipientOptedOut") },
    { REASON_UNKNOWN_GUEST, SLI("InvalidDestination") },
    { REASON_RATE,          SLI("RateLimited") },
    { REASON_WINDOW,        SLI("MessageNotAllowed") },
    { REASON_EXPIRED,       SLI("MessageExpired") },
    { REASON_MEDIA_TYPE,    SLI("MediaTypeNotAllowed") },
    { REASON_MEDIA_SIZE,    SLI("InvalidMediaContentLength") },
    { REASON_UNSUPPORTED,   SLI("UnsupportedMessage") },
    { REASON_INVALID,       SLI("InvalidMessageStructure") },
    { REASON_INVALID,       SLI("UnknownMessage") },
    { REASON_INVALID,       SLI("DataFiltered") },
    { REASON_SERVER,        SLI("ServerError") },
    { REASON_GENERAL,       SLI("GeneralError") },
};
/* clang-format on */

enum reason gc_reason_of(slice code)
{
    for (size_t i = 0; i < COUNT(gc_reasons); i++)
        if (slice_eq(gc_reasons[i].code, code))
            return gc_reasons[i].reason;
    return REASON_GENERAL;
}

slice gc_reason_code(enum reason reason)
{
    for (size_t i = 0; i < COUNT(gc_reasons); i++)
        if (gc_reasons[i].reason == reason)
            return gc_reasons[i].code;
    return SL("GeneralError"); /* our own credentials and the like are nobody's business there */
}
