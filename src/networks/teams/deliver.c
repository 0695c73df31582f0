/* Sending: "Sending", "Files out", "Errors", "Nothing is repeatable".
 *
 * d->part is the part being sent. Most parts are one activity; a file in a personal chat is a small conversation of its own: ask for consent, wait for
 * it (parked: what follows goes on), upload to the guest's OneDrive in pieces, show the file, take the question away. Teams has no key by which a repeat
 * could be known: a call whose answer was lost ends as unknown, but for uploads, updates and deletes, which may be made twice.
 */
#include "networks/teams/wire.h"
#include "wire/url.h"

enum teams_step {
    STEP_START,
    STEP_OPEN,     /* opens a conversation with a guest who never wrote */
    STEP_SEND,
    STEP_CONSENT,  /* keep: id of the question, once it was sent */
    STEP_UPLOAD,   /* keep: "ID OFFSET" */
    STEP_WHERE,    /* asks the upload how far it came */
    STEP_INFO,
    STEP_UNASK,    /* takes the question away */
    STEP_LINK,     /* no consent, or no place: a link instead */
    STEP_TYPING,
};
#define NO_QUESTION "-" /* in place of an id that Teams did not tell */
enum { ID_MAX = 1000, RETRY_LEAST_MS = 2000, RETRY_MOST_MS = 20000 }; /* "Errors": of a 429 that does not say when */

/* ---- calls ----------------------------------------------------------------------------------------------------------- */

void teams_api(struct call *c, struct delivery *d, const struct teams_ref *ref, const char *method, slice path, slice body)
{
    slice base = slice_ends(ref->service, SL("/")) ? slice_sub(ref->service, 0, ref->service.n - 1) : ref->service;
    d->call.method = method;
    d->call.url = arena_printf(c->a, SLF "/v3/conversations" SLF, SLA(base), SLA(path));
    if (body.p) {
        d->call.type = SL("application/json");
        d->call.body = body;
    }
    d->call.rate = TEAMS_RATE_CONVERSATION;
}

static slice activities_path(struct call *c, const struct teams_ref *ref, slice id)
{
    return arena_printf(c->a, "/" SLF "/activities%s" SLF, SLA(url_encode(c->a, ref->conversation)), id.n ? "/" : "", SLA(url_encode(c->a, id)));
}

static enum outcome post(struct call *c, struct delivery *d, const struct teams_ref *ref, enum teams_step step, slice json)
{
    d->step = (int)step;
    teams_api(c, d, ref, "POST", activities_path(c, ref, SLICE_NONE), json);
    return OUT_CALL;
}

static enum outcome open_conversation(struct call *c, struct delivery *d, const struct teams_ref *ref)
{
    struct jw w = jw_new(c->a, 8192);
    jw_open(&w, NULL, '{');
    jw_raw(&w, "bot", arena_printf(c->a, "{\"id\":\"" SLF "\"}", SLA(teams_bot_account(c))));
    jw_bool(&w, "isGroup", false);
    jw_open(&w, "members", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", ref->user);
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_opt(&w, "tenantId", ref->tenant);
    jw_open(&w, "channelData", '{');
    jw_open(&w, "tenant", '{');
    jw_str(&w, "id", ref->tenant);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    d->step = STEP_OPEN;
    teams_api(c, d, ref, "POST", SL(""), jw_done(&w));
    d->call.repeatable = true; /* the same two have one conversation */
    return OUT_CALL;
}

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

struct said {
    slice code, text;
};

/* {"error":{"code","message"}}, or {"errorCode":209,"message":"{\"subCode\":…}"}: "Errors". */
static struct said said_of(struct arena *a, slice body)
{
    const struct js *doc = body.n ? js_parse(a, body, NULL) : NULL;
    slice text = slice_or(js_text(js_at(doc, "error.message")), js_text(js_at(doc, "message")));
    const struct js *inner = slice_starts(text, SL("{")) ? js_parse(a, text, NULL) : NULL;
    slice code = slice_or(js_text(js_at(doc, "error.code")), js_text(js_at(inner, "subCode")));
    return (struct said){ code, utf8_cut(code.n ? code : text, TEAMS_ERROR_CHARS) };
}

/* clang-format off */
static const struct { int status; slice code; enum reason reason; } refusals[] = { /* "Errors"; first match wins */
    { 400, { NULL, 0 },                       REASON_INVALID },
    { 401, { NULL, 0 },                       REASON_CREDENTIALS },
    { 403, SLI("NotEnoughPermissions"),       REASON_CREDENTIALS },
    { 403, { NULL, 0 },                       REASON_BLOCKED },
    { 404, { NULL, 0 },                       REASON_UNKNOWN_GUEST },
    { 413, { NULL, 0 },                       REASON_INVALID }, /* the activity, not a file */
    { 500, SLI("ServiceError"),               REASON_SERVER },
};
/* clang-format on */

static int64_t pause_ms(const struct call *c, const struct delivery *d)
{
    int64_t most = MIN((int64_t)RETRY_LEAST_MS << MIN(d->attempt, 4u), (int64_t)RETRY_MOST_MS);
    return most / 2 + (int64_t)(c->random[0] << 8 | c->random[1]) * most / 2 / 0x10000;
}

enum outcome teams_failed(struct call *c, struct delivery *d, const char *what)
{
    const struct answer *r = d->last;
    struct said said = said_of(c->a, r->body);
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (refusals[i].status == r->status && (!refusals[i].code.p || slice_eq(refusals[i].code, said.code)))
            return refuse(c, d, refusals[i].reason, "%s: status %d: " SLF, what, r->status, SLA(said.text));
    if (r->status == 500 && !d->last_repeatable) { /* not in the vendor's words: nobody knows what was done */
        fault(c->f, "unknown", "", "%s: status 500", what);
        return OUT_UNKNOWN;
    }
    if (r->status == 412 || (r->status == 429 && !r->retry_after_ms)) {
        fault(c->f, r->status == 429 ? "rate_limited" : "server_error", "", "%s: status %d", what, r->status);
        d->reason = r->status == 429 ? REASON_RATE : REASON_SERVER;
        d->retry_ms = pause_ms(c, d);
        return OUT_RETRY;
    }
    return answer_outcome(c, d, what);
}

/* "Errors": this organisation's messages go through another door. Once. */
static bool other_door(struct call *c, struct delivery *d, struct teams_ref *ref)
{
    slice door = SL("https://smba.infra.gcc.teams.microsoft.com/gcc/");
    if (d->last->status != 403 || !slice_eq(said_of(c->a, d->last->body).code, SL("InvalidBotApiHost")) || slice_eq(ref->service, door) ||
        !teams_service_ok(c, door))
        return false;
    ref->service = door;
    teams_ref_set(c, ref);
    return true;
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

struct consent { /* what the guest said, and where the file goes */
    slice key, action, upload, content_url, name, unique_id, file_type;
};
/* clang-format off */
static const struct js_field consent_fields[] = {
    JS_FIELD(struct consent, key,         "key",        JS_STR, 0),
    JS_FIELD(struct consent, action,      "action",     JS_STR, 0),
    JS_FIELD(struct consent, upload,      "uploadUrl",  JS_STR, 0),
    JS_FIELD(struct consent, content_url, "contentUrl", JS_STR, 0),
    JS_FIELD(struct consent, name,        "name",       JS_STR, 0),
    JS_FIELD(struct consent, unique_id,   "uniqueId",   JS_STR, 0),
    JS_FIELD(struct consent, file_type,   "fileType",   JS_STR, 0),
};
/* clang-format on */

static slice part_key(struct call *c, const struct delivery *d)
{
    return arena_printf(c->a, SLF "-%zu", SLA(d->key), d->part);
}

/* False: nothing was said about this part yet. */
static bool consent_of(struct call *c, const struct delivery *d, struct consent *ret)
{
    const struct js *doc = d->resumed.n ? js_parse(c->a, d->resumed, NULL) : NULL;
    *ret = (struct consent){ 0 };
    return doc && js_read(c->a, doc, consent_fields, COUNT(consent_fields), ret, NULL) && slice_eq(ret->key, part_key(c, d));
}

static const struct media *file_of(const struct delivery *d)
{
    static const struct media none;
    const struct media *md = d->part < d->n_parts ? message_media(&d->parts[d->part]) : NULL;
    return md ? md : &none;
}

static slice question_of(const struct delivery *d)
{
    slice keep = d->keep, id = slice_cut(&keep, ' ');
    return slice_eq(id, SL(NO_QUESTION)) ? SLICE_NONE : id;
}

static enum outcome send_link(struct call *c, struct delivery *d, const struct teams_ref *ref)
{
    if (!file_of(d)->url.n)
        return refuse(c, d, REASON_MEDIA_TYPE, "the file is no longer there");
    return post(c, d, ref, STEP_LINK, teams_link(c, ref, file_of(d)));
}

static enum outcome upload(struct call *c, struct delivery *d, const struct teams_ref *ref, const struct consent *said)
{
    slice rest = d->keep;
    int64_t from = 0, size = file_of(d)->size;
    slice question = slice_cut(&rest, ' ');
    struct url u;
    if (rest.n && !slice_int(rest, &from))
        from = 0;
    if (from < 0 || from >= size || !url_parse(c->a, said->upload, &u, NULL))
        return send_link(c, d, ref);
    int64_t n = MIN(size - from, (int64_t)TEAMS_UPLOAD_BYTES);
    d->keep = arena_printf(c->a, SLF " %lld", SLA(question), (long long)from);
    d->step = STEP_UPLOAD;
    d->call.method = "PUT";
    d->call.url = url_print(c->a, &u);
    d->call.type = SL("application/octet-stream");
    call_header(&d->call, "Content-Range", arena_printf(c->a, "bytes %lld-%lld/%lld", (long long)from, (long long)(from + n - 1), (long long)size));
    d->call.media_body = file_of(d);
    d->call.no_token = d->call.guarded = true;
    d->call.media_from = from;
    d->call.media_bytes = n;
    d->call.repeatable = true; /* the same bytes at the same place */
    return OUT_CALL;
}

static enum outcome ask_where(struct call *c, struct delivery *d, const struct consent *said)
{
    struct url u;
    if (!url_parse(c->a, said->upload, &u, NULL))
        return refuse(c, d, REASON_SERVER, "upload: its address is none");
    d->step = STEP_WHERE;
    d->call.method = "GET";
    d->call.url = url_print(c->a, &u);
    d->call.no_token = d->call.guarded = d->call.repeatable = true;
    return OUT_CALL;
}

/* {"nextExpectedRanges":["5242880-"]} */
static bool go_on_from(struct call *c, struct delivery *d)
{
    slice range = js_text(js_at(js_parse(c->a, d->last->body, NULL), "nextExpectedRanges.0"));
    int64_t from;
    if (!slice_int(slice_cut(&range, '-'), &from) || from < 0)
        return false;
    d->keep = arena_printf(c->a, SLF " %lld", SLA(slice_or(question_of(d), SL(NO_QUESTION))), (long long)from);
    return true;
}

static enum outcome show_file(struct call *c, struct delivery *d, const struct teams_ref *ref, const struct consent *said)
{
    return post(c, d, ref, STEP_INFO, teams_file_info(c, ref, said->content_url, slice_or(said->name, file_of(d)->name), said->unique_id, said->file_type));
}

static enum outcome uploaded(struct call *c, struct delivery *d, const struct teams_ref *ref)
{
    int status = d->last->status;
    struct consent said;
    if (!consent_of(c, d, &said))
        return send_link(c, d, ref);
    if (status == 200 || status == 201)
        return d->step == STEP_WHERE && go_on_from(c, d) ? upload(c, d, ref, &said) : show_file(c, d, ref, &said);
    if (status == 202 && go_on_from(c, d))
        return upload(c, d, ref, &said);
    if (status == 416 && d->step == STEP_UPLOAD) /* these bytes are there already */
        return ask_where(c, d, &said);
    if (status >= 400 && status < 500 && status != 408 && status != 429) /* the place is gone: it lives for minutes */
        return send_link(c, d, ref);
    return answer_outcome(c, d, "upload");
}

static enum outcome take_question_away(struct call *c, struct delivery *d, const struct teams_ref *ref)
{
    slice question = question_of(d);
    if (!question.n)
        return OUT_DELIVERED;
    d->step = STEP_UNASK;
    teams_api(c, d, ref, "DELETE", activities_path(c, ref, question), SLICE_NONE);
    d->call.repeatable = true;
    return OUT_CALL;
}

static enum outcome wait_for_consent(struct call *c, struct delivery *d)
{
    int64_t hours = MAX(setting_number(c, TEAMS_CONSENT_HOURS), INT64_C(1));
    d->wait_for = teams_consent_key(c->a, delivery_guest(c, d), part_key(c, d));
    d->wait_until_ms = c->now_ms + hours * 3600 * 1000;
    return OUT_PARKED;
}

/* A part that waited goes on: the guest has answered, or has not for too long. */
static enum outcome waited(struct call *c, struct delivery *d, const struct teams_ref *ref)
{
    struct consent said;
    if (consent_of(c, d, &said) && slice_eq(said.action, SL("accept")))
        return upload(c, d, ref, &said);
    return send_link(c, d, ref);
}

/* ---- parts ----------------------------------------------------------------------------------------------------------- */

static enum outcome next_part(struct call *c, struct delivery *d, const struct teams_ref *ref)
{
    for (; d->part < d->n_parts; d->part++) {
        struct teams_send s;
        const struct message *m = &d->parts[d->part];
        if (!teams_send_of(c, d, ref, m, &s))
            return OUT_REFUSED;
        d->reason = REASON_NONE;
        if (s.way == TEAMS_ACTIVITY)
            return post(c, d, ref, STEP_SEND, s.json);
        if (s.way == TEAMS_FILE)
            return post(c, d, ref, STEP_CONSENT, teams_consent(c, ref, message_media(m), part_key(c, d)));
        if (s.way == TEAMS_NOTHING)
            continue;
        d->step = STEP_SEND;
        teams_api(c, d, ref, s.way == TEAMS_REPLACE ? "PUT" : "DELETE", activities_path(c, ref, m->of), s.json);
        d->call.repeatable = true;
        return OUT_CALL;
    }
    d->step = STEP_START;
    return OUT_DELIVERED;
}

static enum outcome part_done(struct call *c, struct delivery *d, const struct teams_ref *ref)
{
    d->part++;
    d->step = STEP_START;
    d->keep = SLICE_NONE;
    return next_part(c, d, ref);
}

static slice activity_id(struct call *c, const struct delivery *d)
{
    slice id = js_text(js_at(d->last->body.n ? js_parse(c->a, d->last->body, NULL) : NULL, "id"));
    return id.n <= ID_MAX && slice_find_char(id, ' ') == SIZE_MAX ? id : SLICE_NONE;
}

static enum outcome answered(struct call *c, struct delivery *d, struct teams_ref *ref)
{
    enum teams_step step = (enum teams_step)d->step;
    if (step == STEP_UPLOAD || step == STEP_WHERE)
        return uploaded(c, d, ref);
    if (step == STEP_UNASK) /* whatever came of it: the file is there */
        return part_done(c, d, ref);
    if (!answer_good(d->last)) {
        if (!other_door(c, d, ref))
            return teams_failed(c, d, step == STEP_OPEN ? "conversation" : "activity");
        if (step == STEP_SEND || step == STEP_CONSENT || step == STEP_OPEN)
            return step == STEP_OPEN ? open_conversation(c, d, ref) : next_part(c, d, ref);
        d->retry_ms = 1;
        return OUT_RETRY;
    }
    slice id = activity_id(c, d);
    if (step == STEP_OPEN) {
        if (!id.n)
            return refuse(c, d, REASON_SERVER, "conversation: the answer does not name it");
        ref->conversation = id;
        teams_ref_set(c, ref);
        return next_part(c, d, ref);
    }
    if (step == STEP_CONSENT) {
        d->keep = slice_or(id, SL(NO_QUESTION));
        return wait_for_consent(c, d);
    }
    d->vendor_id = id;
    if (step == STEP_INFO || step == STEP_LINK)
        return take_question_away(c, d, ref);
    return part_done(c, d, ref);
}

static enum outcome typing(struct call *c, struct delivery *d, const struct teams_ref *ref)
{
    if (d->last)
        return answer_good(d->last) ? OUT_DELIVERED : teams_failed(c, d, "typing");
    if (!ref->conversation.n)
        return OUT_DELIVERED;
    struct jw w = teams_open(c, ref, "typing");
    jw_close(&w, '}');
    post(c, d, ref, STEP_TYPING, jw_done(&w));
    d->call.repeatable = true;
    return OUT_CALL;
}

/* An attempt that begins in the middle: what was done stays done. */
static enum outcome go_on(struct call *c, struct delivery *d, const struct teams_ref *ref)
{
    struct consent said;
    bool told = consent_of(c, d, &said);
    switch ((enum teams_step)d->step) {
    case STEP_CONSENT: return d->keep.n || told ? waited(c, d, ref) : next_part(c, d, ref);
    case STEP_UPLOAD:
    case STEP_WHERE: return told ? upload(c, d, ref, &said) : send_link(c, d, ref);
    case STEP_INFO: return told ? show_file(c, d, ref, &said) : send_link(c, d, ref);
    case STEP_LINK: return send_link(c, d, ref);
    case STEP_UNASK: return take_question_away(c, d, ref);
    case STEP_START:
    case STEP_OPEN:
    case STEP_SEND:
    case STEP_TYPING: break;
    }
    return next_part(c, d, ref);
}

enum outcome teams_deliver(struct call *c, struct delivery *d)
{
    struct teams_ref ref;
    if (d->m->kind != (int)KIND_TYPING && d->interrupted) {
        fault(c->f, "unknown", "", "the answer to an earlier call was lost");
        return OUT_UNKNOWN;
    }
    if (!teams_ref_get(c, delivery_guest(c, d), &ref))
        return refuse(c, d, REASON_UNKNOWN_GUEST, "nothing is known of where this guest can be written to");
    if (!teams_service_ok(c, ref.service)) /* the settings may have changed since */
        return refuse(c, d, REASON_CREDENTIALS, "the guest's service address is at no host of the account's list");
    if (d->m->kind == (int)KIND_TYPING)
        return typing(c, d, &ref);
    if (d->last)
        return answered(c, d, &ref);
    if (!ref.conversation.n)
        return open_conversation(c, d, &ref);
    return go_on(c, d, &ref);
}

/* ---- who is it ------------------------------------------------------------------------------------------------------- */

enum outcome teams_who(struct call *c, struct delivery *d)
{
    struct teams_ref ref;
    slice guest = c->conversation ? c->conversation->guest : SLICE_NONE;
    if (!setting_true(c, TEAMS_PROFILE) || !teams_ref_get(c, guest, &ref) || !ref.conversation.n || !teams_service_ok(c, ref.service))
        return refuse(c, d, REASON_UNKNOWN_GUEST, "member: is not asked for, or not known where");
    if (!d->last) {
        slice path = arena_printf(c->a, "/" SLF "/members/" SLF, SLA(url_encode(c->a, ref.conversation)), SLA(url_encode(c->a, ref.user)));
        teams_api(c, d, &ref, "GET", path, SLICE_NONE);
        d->call.rate = TEAMS_RATE_ALL;
        d->call.repeatable = true;
        return OUT_CALL;
    }
    if (!answer_good(d->last))
        return teams_failed(c, d, "member");
    const struct js *m = js_parse(c->a, d->last->body, NULL);
    d->person = (struct person){
        .id = slice_or(js_text(js_at(m, "aadObjectId")), js_text(js_at(m, "objectId"))),
        .name = js_text(js_at(m, "name")),
        .first_name = js_text(js_at(m, "givenName")),
        .last_name = js_text(js_at(m, "surname")),
        .email = slice_or(js_text(js_at(m, "email")), js_text(js_at(m, "userPrincipalName"))),
    };
    return d->person.name.n ? OUT_DELIVERED : refuse(c, d, REASON_UNKNOWN_GUEST, "member: no name");
}
