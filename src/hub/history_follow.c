#include "hub/history-private.h"
#include "hub/message.h"

enum { FOLLOW_BYTES = 512 << 10 /* of the journal in one piece of work */, TRACE_NOTE_MAX = 16384 };

static void touch(struct history_job *job, slice conversation)
{
    for (size_t i = 0; i < job->changed.n; i++)
        if (slice_eq(*LIST_AT(job->changed, slice, i), conversation))
            return;
    enum { TOLD_MAX = 256 }; /* whoever shows more than that reads anew anyway */
    if (job->changed.n < TOLD_MAX)
        *LIST_ADD(job->a, &job->changed, slice) = arena_dup(job->a, conversation);
}

struct heard {
    int kind, event, status;
    slice text, id, peer_id, of;
};
/* clang-format off */
static const struct js_field heard_fields[] = {
    JS_FIELD_ENUM(struct heard, kind,   "kind",   kind_names, 0),
    JS_FIELD_ENUM(struct heard, event,  "event",  event_names, 0),
    JS_FIELD_ENUM(struct heard, status, "status", status_names, 0),
    JS_FIELD(struct heard, text,    "text",    JS_STR, 0),
    JS_FIELD(struct heard, id,      "id",      JS_STR, 0),
    JS_FIELD(struct heard, peer_id, "peer_id", JS_STR, 0),
    JS_FIELD(struct heard, of,      "of",      JS_STR, 0),
};
/* clang-format on */

static bool write_person(struct history_job *job, const struct gathered *g)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = js_parse(a, g->value, NULL), *person = js_at(doc, "person");
    return history_db_person(job->hi->db, g->key, js_text(js_at(person, "name")), person ? js_print(a, person) : SLICE_NONE,
                             js_true(js_at(doc, "open")), &job->fault);
}

static void piece_begin(struct history_job *job)
{
    job->piece = arena_new();
    memset(job->slots, 0, sizeof(job->slots));
    job->first = NULL;
    job->last = &job->first;
}

/* What was gathered goes into the database: first the messages, which make the conversations' rows. */
static bool settle_piece(struct history_job *job)
{
    bool ok = true;
    if (!job->first)
        return true;
    for (struct gathered *g = job->first; ok && g; g = g->next)
        ok = !g->m.id || history_db_add(job->hi->db, &g->m, &job->fault);
    for (struct gathered *g = job->first; ok && g; g = g->next)
        ok = !g->key.n || write_person(job, g);
    arena_free(job->piece);
    piece_begin(job);
    return ok;
}

static struct gathered **slot_of(struct history_job *job, uint64_t hash)
{
    return &job->slots[(hash * 0x9e3779b97f4a7c15u) >> 52 & (HISTORY_SLOTS - 1)];
}

/* The message of the piece with this number; NULL: it began before, or its slot was taken. */
static struct gathered *gathered(struct history_job *job, uint64_t id)
{
    struct gathered *g = *slot_of(job, id);
    return g && g->m.id == (int64_t)id ? g : NULL;
}

static struct gathered *gather(struct history_job *job, struct gathered **slot)
{
    struct gathered *g = *slot = ARENA_NEW(job->piece, struct gathered);
    *job->last = g;
    job->last = &g->next;
    return g;
}

static bool take_accept(struct history_job *job, const struct jrecord *r, struct arena *a)
{
    struct history_db *db = job->hi->db;
    slice conversation = r->lane, target = slice_cut(&conversation, 0x1f);
    size_t colon = slice_find_char(conversation, ':');
    const struct js *doc = r->body.n ? js_parse(a, r->body, NULL) : NULL;
    struct heard m = { 0 };
    if (!doc || colon == SIZE_MAX || !js_read(a, doc, heard_fields, COUNT(heard_fields), &m, NULL))
        return true; /* nothing that was said */
    if (m.kind == KIND_TYPING)
        return true;
    if (m.kind == KIND_STATUS || (m.kind == KIND_EVENT && m.event == EVENT_READ)) {
        touch(job, conversation);
        return settle_piece(job) && history_db_status(db, conversation, m.of, m.kind == KIND_STATUS ? m.status : STATUS_READ, &job->fault);
    }
    struct arena *p = job->piece;
    gather(job, slot_of(job, r->id))->m = (struct history_message){
        .id = (int64_t)r->id, .conversation = arena_dup(p, conversation), .target = arena_dup(p, target), .at_ms = r->at_ms,
        .way = slice_eq(target, slice_sub(conversation, 0, colon)) ? HISTORY_OUT : HISTORY_IN, .state = (int)r->state,
        .kind = slice_of(m.kind == KIND_EVENT ? event_names[m.event] : kind_names[m.kind]), .text = arena_dup(p, m.text),
        .peer_id = arena_dup(p, slice_or(m.peer_id, m.id)), .body = arena_dup(p, r->body),
    };
    touch(job, conversation);
    return true;
}

static bool take_put(struct history_job *job, const struct jrecord *r)
{
    struct history_db *db = job->hi->db;
    slice rest = slice_from(r->key, MIN(r->key.n, (size_t)2));
    int64_t id;
    if (slice_starts(r->key, SL("m:")) && r->value.p)
        return !slice_int(rest, &id) || (settle_piece(job) && history_db_media(db, id, r->value, &job->fault));
    if (!slice_starts(r->key, SL("c:")) || !r->value.p)
        return true;
    struct gathered **slot = slot_of(job, slice_hash(rest)), *g = *slot;
    if (!g || !slice_eq(g->key, rest)) {
        g = gather(job, slot);
        g->key = arena_dup(job->piece, rest);
    }
    g->value = arena_dup(job->piece, r->value);
    return true;
}

static bool take_end(struct history_job *job, const struct jrecord *r, struct arena *a)
{
    struct history_db *db = job->hi->db;
    const struct js *doc = r->note.n ? js_parse(a, r->note, NULL) : NULL;
    slice vendor = js_text(js_at(doc, "vendor_id"));
    bool again = r->op == JOP_RETRY || r->op == JOP_PARK || r->op == JOP_REPLAY || r->op == JOP_RESUME, tried = r->op == JOP_SETTLE || r->op == JOP_RETRY;
    struct gathered *g = gathered(job, r->id);
    if (g && r->op == JOP_SETTLE) {
        g->m.state = (int)r->state;
        g->m.ended_ms = r->at_ms;
        g->m.tries++;
        g->m.vendor_id = arena_dup(job->piece, vendor);
        g->m.note = arena_dup(job->piece, r->note);
        return true;
    }
    if (!settle_piece(job) || !history_db_state(db, (int64_t)r->id, (int)r->state, r->at_ms, tried, vendor.n ? vendor : SLICE_NONE,
                                                r->note.n ? r->note : SLICE_NONE, &job->fault))
        return false;
    return !(again || r->op == JOP_DISCARD) || history_db_trace(db, (int64_t)r->id, r->at_ms, slice_of(jop_names[r->op]),
                                                                slice_sub(r->note, 0, MIN(r->note.n, (size_t)TRACE_NOTE_MAX)), &job->fault);
}

static bool take(void *arg, const struct jrecord *r)
{
    struct history_job *job = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bool ok = true;
    if (job->fault.code)
        return false;
    switch (r->op) {
    case JOP_ACCEPT:
        ok = r->copied || take_accept(job, r, a);
        break;
    case JOP_PUT:
        ok = take_put(job, r);
        break;
    case JOP_SETTLE: case JOP_RETRY: case JOP_PARK: case JOP_RESUME: case JOP_REPLAY: case JOP_DISCARD:
        ok = take_end(job, r, a);
        break;
    case JOP_NOTE:
        ok = settle_piece(job) && history_db_trace(job->hi->db, (int64_t)r->id, r->at_ms, slice_of(jop_names[r->op]), r->note, &job->fault);
        break;
    case JOP_ATTEMPT: case JOP_MAX:
        break;
    }
    return ok;
}

/* Where the database is: at the start, and when it is not known how a commit ended. A place behind the journal's end is one of another journal. */
static bool find_place(struct history_job *job)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct history *hi = job->hi;
    slice place;
    if (hi->placed)
        return true;
    if (!history_db_place(hi->db, a, &place, &job->fault))
        return false;
    hi->place = (struct jplace){ 0 };
    if (place.n == sizeof(hi->place))
        memcpy(&hi->place, place.p, place.n);
    job->elsewhere = hi->place.seq > job->until;
    if (job->elsewhere)
        hi->place = (struct jplace){ 0 };
    return hi->placed = true;
}

bool history_follow(struct history_job *job)
{
    struct history *hi = job->hi;
    if (!find_place(job))
        return false;
    while (hi->place.seq < job->until) {
        struct jplace at = hi->place;
        bool gap;
        if (!history_db_begin(hi->db, &job->fault))
            return false;
        piece_begin(job);
        bool ok = journal_follow(hi->dir, &at, job->until, FOLLOW_BYTES, take, job, &gap, &job->fault) && !job->fault.code && settle_piece(job) &&
                  history_db_place_set(hi->db, slice_mem(&at, sizeof(at)), &job->fault) && history_db_commit(hi->db, &job->fault);
        job->piece = arena_free(job->piece);
        if (!ok) {
            history_db_rollback(hi->db);
            hi->placed = false;
            return false;
        }
        job->gap |= gap && hi->place.no;
        bool moved = memcmp(&at, &hi->place, sizeof(at)) != 0;
        hi->place = at;
        if (!moved)
            break; /* what is missing is not on disk yet, or not readable: later */
    }
    return true;
}
