/* Sending: "Sending", "Attachments", "Pictures", "Errors".
 *
 * d->part is the part being sent. Most are one POST; a file is three calls: ask for room, put the encrypted bytes there, send the message that names them. A message has the
 * same id in every attempt, by which Apple knows a repeat, and room that was asked for in vain is harmless: every call may be made twice.
 */
#include "hub/adapt.h"
#include "networks/apple/wire.h"
#include "wire/hex.h"
#include "wire/url.h"

enum apple_step { STEP_START, STEP_PICTURE, STEP_ROOM, STEP_UPLOAD, STEP_SEND, STEP_TYPING, STEP_SESSION, STEP_STILL, STEP_REF };
enum { KEY_BYTES = 32, STILL_NUMBER = 1000 /* of the message that ends typing: no part has it */ };

static enum outcome no_token(struct call *c, struct delivery *d)
{
    return refuse(c, d, REASON_CREDENTIALS, "the MSP secret is no Base64");
}

/* ---- messages ------------------------------------------------------------------------------------------------------- */

static slice message_id(struct call *c, const struct delivery *d)
{
    return delivery_uuid(c->a, d, d->part);
}

/* members: behind the five that all have, each with a comma before it. */
static enum outcome post_to(struct call *c, struct delivery *d, const char *path, enum apple_step step, slice id, slice type, slice members)
{
    slice guest = delivery_guest(c, d), locale = memory_get(c->guest_memory, APPLE_LOCALE, c->now_ms);
    struct jw w = jw_new(c->a, APPLE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_int(&w, "v", 1);
    jw_str(&w, "id", id);
    jw_str(&w, "type", type);
    jw_str(&w, "sourceId", setting(c, APPLE_BUSINESS_ID));
    jw_str(&w, "destinationId", guest);
    if (members.n)
        jw_opt(&w, "locale", locale);
    slice head = jw_done(&w);
    if (!head.n || !apple_api(c, d, "POST", path))
        return no_token(c, d);
    call_header(&d->call, "Destination-Id", guest);
    call_header(&d->call, "id", id);
    d->call.type = SL("application/json");
    d->call.body = arena_join(c->a, head, members, SL("}"));
    d->step = (int)step;
    return OUT_CALL;
}

static enum outcome post(struct call *c, struct delivery *d, enum apple_step step, slice type, slice members)
{
    return post_to(c, d, "/message", step, message_id(c, d), type, members);
}

static enum outcome next_part(struct call *c, struct delivery *d);

static enum outcome part_done(struct call *c, struct delivery *d, bool sent)
{
    if (sent)
        d->vendor_id = message_id(c, d);
    d->part++;
    d->step = STEP_START;
    d->keep = SLICE_NONE;
    return next_part(c, d);
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

struct room { /* d->keep of a file */
    slice upload, url, owner, key, sum;
};
/* clang-format off */
static const struct js_field room_fields[] = {
    JS_FIELD(struct room, upload, "upload", JS_STR, 0),
    JS_FIELD(struct room, url,    "url",    JS_STR, 0),
    JS_FIELD(struct room, owner,  "owner",  JS_STR, 0),
    JS_FIELD(struct room, key,    "key",    JS_STR, 0),
    JS_FIELD(struct room, sum,    "sum",    JS_STR, 0),
};
/* clang-format on */
enum { ROOM_BYTES = 4096 };

static bool room_of(struct call *c, const struct delivery *d, struct room *ret)
{
    const struct js *doc = d->keep.n ? js_parse(c->a, d->keep, NULL) : NULL;
    *ret = (struct room){ 0 };
    return doc && js_read(c->a, doc, room_fields, COUNT(room_fields), ret, NULL);
}

static bool room_keep(struct call *c, struct delivery *d, const struct room *room)
{
    struct jw w = jw_new(c->a, ROOM_BYTES);
    jw_open(&w, NULL, '{');
    jw_fields(&w, room_fields, COUNT(room_fields), room);
    jw_close(&w, '}');
    d->keep = jw_done(&w);
    return d->keep.n > 0;
}

static const struct media *file_of(const struct delivery *d)
{
    static const struct media none;
    const struct media *md = message_media(&d->parts[d->part]);
    return md ? md : &none;
}

/* There is no room, or it could not be filled: our link instead. */
static enum outcome send_link(struct call *c, struct delivery *d)
{
    const struct media *md = file_of(d);
    struct apple_send s;
    if (!md->url.n)
        return refuse(c, d, REASON_MEDIA_TYPE, "the file has no link");
    slice said = d->parts[d->part].text;
    apple_text(c, arena_printf(c->a, SLF "%s" SLF "%s" SLF, SLA(said), said.n ? "\n" : "", SLA(md->name), md->name.n ? "\n" : "", SLA(md->url)), &s);
    return post(c, d, STEP_SEND, s.type, s.members);
}

static enum outcome ask_room(struct call *c, struct delivery *d)
{
    const struct media *md = file_of(d);
    if (!md->handle.n || md->size <= 0)
        return send_link(c, d);
    if (!apple_api(c, d, "GET", "/preUpload"))
        return no_token(c, d);
    slice size = arena_printf(c->a, "%lld", (long long)md->size);
    call_header(&d->call, "MMCS-Size", size);
    call_header(&d->call, "size", size); /* its older name */
    d->step = STEP_ROOM;
    d->keep = SLICE_NONE;
    return OUT_CALL;
}

static enum outcome upload(struct call *c, struct delivery *d)
{
    const struct js *doc = js_parse(c->a, d->last->body, NULL);
    struct room room = { .upload = apple_member(doc, "upload-url"), .url = apple_member(doc, "mmcs-url"), .owner = apple_member(doc, "mmcs-owner"),
                         .key = hex_encode(c->a, slice_mem(c->random, KEY_BYTES)) };
    struct url u;
    if (!room.url.n || !url_parse(c->a, room.upload, &u, NULL) || !room_keep(c, d, &room))
        return send_link(c, d);
    d->step = STEP_UPLOAD;
    d->call.method = "POST";
    d->call.url = room.upload;
    d->call.type = SL("application/octet-stream");
    d->call.media_body = file_of(d);
    d->call.media_key = arena_dup(c->a, slice_mem(c->random, KEY_BYTES));
    d->call.no_token = d->call.repeatable = true;
    return OUT_CALL;
}

static enum outcome send_file(struct call *c, struct delivery *d, const struct room *room)
{
    const struct media *md = file_of(d);
    slice said = d->parts[d->part].text;
    struct jw w = jw_new(c->a, APPLE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "body", arena_printf(c->a, SLF "%s\xef\xbf\xbc", SLA(said), said.n ? "\n" : ""));
    jw_open(&w, "attachments", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", slice_or(md->name, SL("file")));
    jw_str(&w, "mimeType", slice_or(md->type, SL("application/octet-stream")));
    jw_str(&w, "size", arena_printf(c->a, "%lld", (long long)md->size));
    jw_str(&w, "signature-base64", room->sum);
    jw_str(&w, "url", room->url);
    jw_str(&w, "owner", room->owner);
    jw_str(&w, "key", arena_printf(c->a, "00" SLF, SLA(room->key)));
    jw_close(&w, '}');
    jw_close(&w, ']');
    slice members = slice_from(jw_done(&w), 1); /* without its bracket: a comma stands there */
    return post(c, d, STEP_SEND, SL("text"), arena_join(c->a, SL(","), members, SL("")));
}

static enum outcome uploaded(struct call *c, struct delivery *d)
{
    struct room room;
    slice sum = apple_member(js_parse(c->a, d->last->body, NULL), "singleFile.fileChecksum");
    if (!sum.n || !room_of(c, d, &room))
        return send_link(c, d);
    room.sum = sum;
    room.upload = SLICE_NONE;
    return room_keep(c, d, &room) ? send_file(c, d, &room) : send_link(c, d);
}

/* A refusal that will not change leaves the link; anything else is tried again from the beginning. */
static enum outcome no_room(struct call *c, struct delivery *d, const char *what)
{
    int status = d->last->status;
    bool for_good = status >= 400 && status < 500 && status != 401 && status != 403 && status != 408 && status != 425 && status != 429;
    return for_good ? send_link(c, d) : apple_failed(c, d, what);
}

static enum outcome file(struct call *c, struct delivery *d)
{
    struct room room;
    return d->step == STEP_SEND && room_of(c, d, &room) && room.sum.n ? send_file(c, d, &room) : ask_room(c, d);
}

/* ---- parts ---------------------------------------------------------------------------------------------------------- */

static bool is_closed(const struct call *c)
{
    return memory_get(c->guest_memory, APPLE_CLOSED, c->now_ms).n > 0;
}

static enum outcome closed(struct call *c, struct delivery *d)
{
    return refuse(c, d, REASON_BLOCKED, "the guest ended the conversation and has not written since");
}

static enum outcome next_part(struct call *c, struct delivery *d)
{
    if (d->part < d->n_parts && is_closed(c))
        return closed(c, d);
    for (; d->part < d->n_parts; d->part++) {
        struct apple_send s;
        if (!apple_send_of(c, d, &d->parts[d->part], message_id(c, d), &s))
            return OUT_REFUSED;
        d->reason = REASON_NONE;
        if (s.way == APPLE_FILE)
            return file(c, d);
        if (s.picture.n) {
            d->keep = SLICE_NONE;
            d->step = STEP_PICTURE;
            return apple_picture_call(c, d, s.picture);
        }
        if (s.session) {
            d->step = STEP_SESSION;
            return apple_session_call(c, d);
        }
        if (s.way == APPLE_NOTHING)
            continue;
        if (s.list.n)
            memory_set(c->guest_memory, LIST_MEMORY, s.list, 0);
        slice ref = d->step == STEP_REF ? SLICE_NONE : apple_ref(c, &s, message_id(c, d));
        if (ref.n)
            return post(c, d, STEP_REF, s.type, ref);
        return post_to(c, d, s.authenticate ? "/authenticate" : "/message", STEP_SEND, message_id(c, d), s.type, s.members);
    }
    d->step = STEP_START;
    return OUT_DELIVERED;
}

/* A message went out: what Apple keeps of it is good for the next time. */
static void keep_ref(struct call *c, struct delivery *d)
{
    struct apple_send s;
    if (d->last->body.n && apple_send_of(c, d, &d->parts[d->part], message_id(c, d), &s) && !s.picture.n && !s.session)
        apple_ref_took(c, &s, message_id(c, d), d->last->body);
}

/* It went by reference. What Apple does not know any more goes whole. */
static enum outcome by_ref(struct call *c, struct delivery *d)
{
    int status = d->last->status;
    struct apple_send s;
    if (answer_good(d->last))
        return part_done(c, d, true);
    if ((status != 400 && status != 413) || !apple_send_of(c, d, &d->parts[d->part], message_id(c, d), &s))
        return apple_failed(c, d, "message");
    *c->f = (struct fault){ 0 };
    apple_ref_forget(c, &s, message_id(c, d));
    return next_part(c, d);
}

/* Which one was asked for follows from what is there already. */
static enum outcome pictured(struct call *c, struct delivery *d)
{
    struct apple_send s;
    if (!apple_send_of(c, d, &d->parts[d->part], message_id(c, d), &s))
        return OUT_REFUSED;
    if (s.picture.n)
        apple_picture_took(c, d, s.picture);
    return next_part(c, d);
}

static enum outcome session(struct call *c, struct delivery *d)
{
    if (apple_session_took(c, d))
        return next_part(c, d);
    return answer_good(d->last) ? refuse(c, d, REASON_SERVER, "payment session: the answer holds none") : answer_outcome(c, d, "payment session");
}

static enum outcome answered(struct call *c, struct delivery *d)
{
    switch ((enum apple_step)d->step) {
    case STEP_PICTURE: return pictured(c, d);
    case STEP_ROOM: return answer_good(d->last) ? upload(c, d) : no_room(c, d, "preUpload");
    case STEP_UPLOAD: return answer_good(d->last) ? uploaded(c, d) : no_room(c, d, "upload");
    case STEP_SESSION: return session(c, d);
    case STEP_STILL: d->step = STEP_START; return next_part(c, d); /* whatever came of it: the message matters */
    case STEP_REF: return by_ref(c, d);
    case STEP_SEND:
        if (answer_good(d->last))
            keep_ref(c, d);
        break;
    case STEP_START:
    case STEP_TYPING: break;
    }
    return answer_good(d->last) ? part_done(c, d, true) : apple_failed(c, d, "message");
}

static enum outcome typing(struct call *c, struct delivery *d)
{
    if (!d->last)
        return post(c, d, STEP_TYPING, SL("typing_start"), SLICE_NONE);
    if (!answer_good(d->last))
        return apple_failed(c, d, "typing");
    memory_set(c->guest_memory, APPLE_TYPES, SL("1"), c->now_ms + APPLE_TYPES_MS);
    return OUT_DELIVERED;
}

/* The answer goes out: nobody types any more. */
static enum outcome begin(struct call *c, struct delivery *d)
{
    bool types = d->m->kind != (int)KIND_EVENT && memory_get(c->guest_memory, APPLE_TYPES, c->now_ms).n;
    if (!types)
        return next_part(c, d);
    memory_set(c->guest_memory, APPLE_TYPES, SLICE_NONE, 0);
    return d->step == STEP_START && d->part == 0
               ? post_to(c, d, "/message", STEP_STILL, delivery_uuid(c->a, d, STILL_NUMBER), SL("typing_end"), SLICE_NONE)
               : next_part(c, d);
}

enum outcome apple_deliver(struct call *c, struct delivery *d)
{
    bool types = d->m->kind == (int)KIND_TYPING, passes = types || d->m->kind == (int)KIND_EVENT; /* who has gone misses nothing: it has not failed */
    bool sent = d->last && (d->step == STEP_SEND || d->step == STEP_REF || d->step == STEP_TYPING); /* what was said before they ended it counts */
    if (is_closed(c) && !sent)
        return passes ? OUT_DELIVERED : closed(c, d);
    if (types)
        return typing(c, d);
    return d->last ? answered(c, d) : begin(c, d);
}
