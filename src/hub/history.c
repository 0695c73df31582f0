#include "hub/history.h"
#include "hub/message.h"

enum {
    FOLLOW_BYTES = 512 << 10, /* of the journal in one piece of work */
    GATHER_SLOTS = 4096,    /* messages and conversations of a piece; a power of two */
    BUSY_BATCHES = 100,     /* of the journal in HISTORY_EVERY_MS: then it is left to what must not wait … */
    BUSY_MOST_MS = 15000,   /* … but not for longer than this, and not when somebody asks */
    PRESSED_MOST_MS = 60000, /* nor for longer than this when the processor is too slow for what comes */
    INDEX_AT_ONCE = 500, EXPIRE_AT_ONCE = 500,
    INDEX_FOR_SEARCH = 20,  /* times INDEX_AT_ONCE: what a search brings into the index first */
    REST_MS = 10000,        /* between two looks when nothing was heard: who writes stirs it */
    CALM_MS = 3000,         /* without news: then texts are indexed and old messages leave */
    EXPIRE_EVERY_MS = 600000,
    TRACE_NOTE_MAX = 16384,
    TRIES = 3,              /* of a piece of work whose connection was lost before it was done */
    FAULT_EVERY_MS = 60000, /* in the log */
};

enum task { TASK_FOLLOW, TASK_TIDY, TASK_CONVERSATIONS, TASK_CONVERSATION, TASK_MESSAGES, TASK_MESSAGE, TASK_SEARCH, TASK_FAILED, TASK_WAITING, TASK_ERASE,
            TASK_OF, TASK_NEWS, TASK_NEWS_TAKEN };
/* What a piece of the journal comes to: most messages begin and end within it, and most conversations change several times. */
struct gathered {
    struct history_message m;
    slice key, value; /* of a conversation */
    struct gathered *next;
};
struct trace_line {
    int64_t at_ms;
    slice op, note;
};
struct queue_line {
    slice target;
    int64_t n, oldest_ms;
};
struct job {
    struct job *next;
    struct history *hi;
    struct arena *a;
    enum task task;
    uint64_t until; /* of the journal */
    struct history_query query;
    struct history_failed failed;
    struct history_page page;
    slice text, account;
    int64_t id;
    struct js_list convs, msgs, traces, queues, changed, news, marks; /* history_conversation, history_message, trace_line, queue_line, slice, … */
    void (*each_conv)(void *, const struct history_conversation *);
    void (*each_msg)(void *, const struct history_message *);
    void (*each_trace)(void *, int64_t, slice, slice);
    void (*each_queue)(void *, slice, int64_t, int64_t);
    void (*each_news)(void *, const struct history_news *);
    history_done done;
    void *arg;
    struct fault fault;
    bool gap, elsewhere, more;
    struct arena *piece;
    struct gathered *slots[GATHER_SLOTS], *first, **last; /* of the piece */
};

struct history {
    struct hub *hub;
    struct loop *loop;
    struct history_db *db;
    char *dir;
    int64_t keep_ms;
    struct jplace place; /* the helper thread's while busy */
    bool placed;         /* it is the one in the database */
    uint64_t told;       /* durable sequence that the last follow was asked for */
    int64_t news_ms, expired_ms, followed_ms, fault_ms; /* fault_ms: when one was logged; 0: never */
    uint64_t batches;    /* of the journal at the last turn */
    struct job *first, **last;
    bool busy, closed, untidy, resting;
    struct loop_timer timer;
    struct {
        void (*changed)(void *arg, slice conversation);
        void *arg;
    } listeners[HISTORY_LISTENERS];
    size_t n_listeners;
};

/* ---- following, on the helper thread --------------------------------------------------------------------------------------------- */

static void touch(struct job *job, slice conversation)
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

static bool write_person(struct job *job, const struct gathered *g)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = js_parse(a, g->value, NULL), *person = js_at(doc, "person");
    return history_db_person(job->hi->db, g->key, js_text(js_at(person, "name")), person ? js_print(a, person) : SLICE_NONE,
                             js_true(js_at(doc, "open")), &job->fault);
}

static void piece_begin(struct job *job)
{
    job->piece = arena_new();
    memset(job->slots, 0, sizeof(job->slots));
    job->first = NULL;
    job->last = &job->first;
}

/* What was gathered goes into the database: first the messages, which make the conversations' rows. */
static bool settle_piece(struct job *job)
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

static struct gathered **slot_of(struct job *job, uint64_t hash)
{
    return &job->slots[(hash * 0x9e3779b97f4a7c15u) >> 52 & (GATHER_SLOTS - 1)];
}

/* The message of the piece with this number; NULL: it began before, or its slot was taken. */
static struct gathered *gathered(struct job *job, uint64_t id)
{
    struct gathered *g = *slot_of(job, id);
    return g && g->m.id == (int64_t)id ? g : NULL;
}

static struct gathered *gather(struct job *job, struct gathered **slot)
{
    struct gathered *g = *slot = ARENA_NEW(job->piece, struct gathered);
    *job->last = g;
    job->last = &g->next;
    return g;
}

static bool take_accept(struct job *job, const struct jrecord *r, struct arena *a)
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

static bool take_put(struct job *job, const struct jrecord *r)
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

static bool take_end(struct job *job, const struct jrecord *r, struct arena *a)
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
    struct job *job = arg;
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
static bool find_place(struct job *job)
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

/* The journal up to job->until into the database, in pieces. False: see job->fault. */
static bool follow(struct job *job)
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

static bool tidy(struct job *job)
{
    struct history *hi = job->hi;
    bool more_texts = false, more_old = false;
    if (!history_db_begin(hi->db, &job->fault))
        return false;
    bool ok = history_db_index(hi->db, INDEX_AT_ONCE, &more_texts, &job->fault);
    if (ok && !more_texts && job->id) /* the time before which messages leave */
        ok = history_db_expire(hi->db, job->id, EXPIRE_AT_ONCE, &more_old, &job->fault);
    if (!ok || !history_db_commit(hi->db, &job->fault)) {
        history_db_rollback(hi->db);
        return false;
    }
    job->more = more_texts || more_old;
    return true;
}

static void found_conv(void *arg, const struct history_conversation *c)
{
    struct job *job = arg;
    struct history_conversation *to = LIST_ADD(job->a, &job->convs, struct history_conversation);
    *to = *c;
    slice *const texts[] = { &to->id, &to->name, &to->person, &to->last_text, &to->last_kind };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(job->a, *texts[i]);
}

static void found_msg(void *arg, const struct history_message *m)
{
    struct job *job = arg;
    struct history_message *to = LIST_ADD(job->a, &job->msgs, struct history_message);
    *to = *m;
    slice *const texts[] = { &to->conversation, &to->target, &to->kind, &to->text, &to->peer_id, &to->vendor_id, &to->body, &to->media, &to->note };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(job->a, *texts[i]);
}

static void found_trace(void *arg, int64_t at_ms, slice op, slice note)
{
    struct job *job = arg;
    *LIST_ADD(job->a, &job->traces, struct trace_line) = (struct trace_line){ at_ms, arena_dup(job->a, op), arena_dup(job->a, note) };
}

static void found_queue(void *arg, slice target, int64_t n, int64_t oldest_ms)
{
    struct job *job = arg;
    *LIST_ADD(job->a, &job->queues, struct queue_line) = (struct queue_line){ arena_dup(job->a, target), n, oldest_ms };
}

static void found_news(void *arg, const struct history_news *v)
{
    struct job *job = arg;
    struct history_news *to = LIST_ADD(job->a, &job->news, struct history_news);
    *to = *v;
    slice *const texts[] = { &to->id, &to->name, &to->person, &to->first };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(job->a, *texts[i]);
}

static bool commit(struct job *job, bool ok)
{
    if (ok && history_db_commit(job->hi->db, &job->fault))
        return true;
    history_db_rollback(job->hi->db);
    return false;
}

static bool erase(struct job *job)
{
    struct history_db *db = job->hi->db;
    struct fault ignored;
    bool ok = history_db_sync(db, true, &job->fault) && history_db_begin(db, &job->fault) && commit(job, history_db_erase(db, job->text, &job->fault));
    history_db_sync(db, false, &ignored); /* where it stays on, commits only take longer */
    return ok;
}

static bool news_taken(struct job *job)
{
    struct history_db *db = job->hi->db;
    bool ok = history_db_begin(db, &job->fault);
    for (size_t i = 0; ok && i < job->marks.n; i++) {
        const struct history_mark *m = LIST_AT(job->marks, struct history_mark, i);
        ok = history_db_news_taken(db, m->conversation, m->mark, &job->fault);
    }
    return commit(job, ok);
}

/* In busy times the index is behind. */
static bool index_first(struct job *job)
{
    if (!history_db_indexes(job->hi->db))
        return true;
    bool more = true, ok = history_db_begin(job->hi->db, &job->fault);
    for (int i = 0; ok && more && i < INDEX_FOR_SEARCH; i++)
        ok = history_db_index(job->hi->db, INDEX_AT_ONCE, &more, &job->fault);
    return commit(job, ok);
}

static bool ask(struct job *job)
{
    struct history_db *db = job->hi->db;
    struct fault *f = &job->fault;
    switch (job->task) {
    case TASK_FOLLOW:
        return true;
    case TASK_TIDY:
        return tidy(job);
    case TASK_CONVERSATIONS:
        return history_db_conversations(db, &job->query, found_conv, job, f);
    case TASK_CONVERSATION:
        return history_db_conversation(db, job->text, found_conv, job, f);
    case TASK_MESSAGES:
        return history_db_messages(db, job->text, job->page.before_id, job->page.after_id, job->page.limit, found_msg, job, f);
    case TASK_MESSAGE:
        return history_db_message(db, job->id, found_msg, job, f) && history_db_traces(db, job->id, found_trace, job, f);
    case TASK_SEARCH:
        return index_first(job) && history_db_search(db, job->text, job->account, job->page.before_id, job->page.limit, found_msg, job, f);
    case TASK_FAILED:
        return history_db_failed(db, &job->failed, found_msg, job, f);
    case TASK_WAITING:
        return history_db_waiting(db, found_queue, job, f);
    case TASK_ERASE:
        return erase(job);
    case TASK_OF:
        return history_db_messages_of(db, job->account, job->text, job->page.before_id, job->page.limit, found_msg, job, f);
    case TASK_NEWS:
        return history_db_news(db, job->page.limit, found_news, job, f);
    case TASK_NEWS_TAKEN:
        return news_taken(job);
    }
    return true;
}

/* Nothing of it has happened: once more, on another connection. */
static bool again(struct job *job, int tries)
{
    if (tries >= TRIES || !job->fault.code || strcmp(job->fault.code, "store_lost") != 0)
        return false;
    job->fault = (struct fault){ 0 };
    job->convs = job->msgs = job->traces = job->queues = job->news = (struct js_list){ 0 };
    return true;
}

static void work(void *arg)
{
    struct job *job = arg;
    for (int tries = 1; !(follow(job) && ask(job)) && again(job, tries); tries++)
        ;
}

/* ---- jobs, on the loop -------------------------------------------------------------------------------------------------------------- */

static void next_job(struct history *hi);

static void job_free(struct job *job)
{
    arena_free(job->a); /* it lives in it */
}

static void tell(struct job *job)
{
    struct history *hi = job->hi;
    for (size_t i = 0; i < job->changed.n; i++)
        for (size_t k = 0; k < hi->n_listeners; k++)
            hi->listeners[k].changed(hi->listeners[k].arg, *LIST_AT(job->changed, slice, i));
    bool good = !job->fault.code;
    for (size_t i = 0; good && job->each_conv && i < job->convs.n; i++)
        job->each_conv(job->arg, LIST_AT(job->convs, struct history_conversation, i));
    for (size_t i = 0; good && job->each_msg && i < job->msgs.n; i++)
        job->each_msg(job->arg, LIST_AT(job->msgs, struct history_message, i));
    for (size_t i = 0; good && job->each_trace && i < job->traces.n; i++) {
        const struct trace_line *t = LIST_AT(job->traces, struct trace_line, i);
        job->each_trace(job->arg, t->at_ms, t->op, t->note);
    }
    for (size_t i = 0; good && job->each_queue && i < job->queues.n; i++) {
        const struct queue_line *q = LIST_AT(job->queues, struct queue_line, i);
        job->each_queue(job->arg, q->target, q->n, q->oldest_ms);
    }
    for (size_t i = 0; good && job->each_news && i < job->news.n; i++)
        job->each_news(job->arg, LIST_AT(job->news, struct history_news, i));
    if (job->done)
        job->done(job->arg, good ? NULL : &job->fault);
}

static void destroy(struct history *hi)
{
    for (struct job *job = hi->first, *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
    history_db_close(hi->db);
    free(hi->dir);
    free(hi);
}

static void worked(void *arg)
{
    struct job *job = arg;
    struct history *hi = job->hi;
    hi->busy = false;
    if (hi->closed) {
        job_free(job);
        destroy(hi);
        return;
    }
    if (job->changed.n)
        hi->news_ms = time_mono_ms();
    if (job->gap)
        log_note(hi->hub->log, LEVEL_WARN, "The history has a gap: the journal no longer holds what it had not read yet");
    if (job->elsewhere)
        log_note(hi->hub->log, LEVEL_WARN, "The history was made from another journal: it goes on with all of this one");
    if (job->fault.code && (!hi->fault_ms || time_mono_ms() - hi->fault_ms >= FAULT_EVERY_MS)) {
        log_end(log_begin_fault(hi->hub->log, LEVEL_ERROR, &job->fault, "The history cannot be read or written"));
        hi->fault_ms = time_mono_ms();
    }
    if (job->task == TASK_TIDY)
        hi->untidy = job->more;
    tell(job);
    job_free(job);
    next_job(hi);
}

static void next_job(struct history *hi)
{
    struct job *job = hi->first;
    if (hi->busy || !job)
        return;
    hi->first = job->next;
    hi->busy = true;
    loop_work(hi->loop, work, worked, job);
}

static struct job *job_new(struct history *hi, enum task task, history_done done, void *arg)
{
    struct arena *a = arena_new();
    struct job *job = ARENA_NEW(a, struct job);
    job->a = a;
    job->hi = hi;
    job->task = task;
    job->until = hi->told = journal_durable(hi->hub->journal);
    job->done = done;
    job->arg = arg;
    return job;
}

static void submit(struct job *job)
{
    struct history *hi = job->hi;
    job->next = NULL;
    if (!hi->first)
        hi->last = &hi->first;
    *hi->last = job;
    hi->last = &job->next;
    next_job(hi);
}

/* Is there a history? Else done is told so. */
static bool there_is(struct history *hi, history_done done, void *arg)
{
    struct fault f;
    if (hi)
        return true;
    fault(&f, "off", "history_days", "no history is kept: history_days is 0");
    if (done)
        done(arg, &f);
    return false;
}

static void turn(void *arg)
{
    struct history *hi = arg;
    int64_t now_ms = time_mono_ms();
    bool news = journal_durable(hi->hub->journal) != hi->told;
    uint64_t batches = journal_numbers(hi->hub->journal).batches;
    int64_t most_ms = loop_is_pressed(hi->loop) ? PRESSED_MOST_MS : BUSY_MOST_MS;
    bool rush = batches - hi->batches > BUSY_BATCHES && now_ms - hi->followed_ms < most_ms;
    hi->batches = batches;
    if (news && rush) {
        hi->news_ms = now_ms;
    } else if (news && !hi->busy && !hi->first) {
        hi->followed_ms = now_ms;
        submit(job_new(hi, TASK_FOLLOW, NULL, NULL));
        hi->untidy = true;
    } else if (!hi->busy && !hi->first && now_ms - hi->news_ms >= CALM_MS && (hi->untidy || now_ms - hi->expired_ms >= EXPIRE_EVERY_MS)) {
        struct job *job = job_new(hi, TASK_TIDY, NULL, NULL);
        job->id = time_now_ms() - hi->keep_ms;
        hi->expired_ms = now_ms;
        submit(job);
    }
    hi->resting = !news && !hi->untidy && !hi->busy && !hi->first;
    loop_timer_start(hi->loop, &hi->timer, hi->resting ? REST_MS : HISTORY_EVERY_MS, turn, hi);
}

void history_stir(struct history *hi)
{
    if (!hi || !hi->resting)
        return;
    hi->resting = false;
    loop_timer_start(hi->loop, &hi->timer, HISTORY_EVERY_MS, turn, hi);
}

struct history *history_new(struct hub *h, const char *dir, int64_t keep_ms, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct history_db *db = history_db_open(h->database ? h->database : arena_printf(a, "%s/history.db", dir).p, h->turn, f);
    if (!db)
        return NULL;
    struct history *hi = must_calloc(1, sizeof(*hi));
    hi->hub = h;
    hi->loop = h->loop;
    hi->db = db;
    hi->dir = strdup(dir);
    hi->keep_ms = keep_ms;
    hi->news_ms = hi->expired_ms = time_mono_ms();
    hi->untidy = true;
    turn(hi);
    return hi;
}

void history_free(struct history *hi)
{
    if (!hi)
        return;
    loop_timer_done(&hi->timer);
    hi->closed = true;
    if (!hi->busy)
        destroy(hi); /* else when the work under way is done */
}

void history_on_change(struct history *hi, void (*changed)(void *, slice), void *arg)
{
    assert(hi->n_listeners < HISTORY_LISTENERS);
    hi->listeners[hi->n_listeners].changed = changed;
    hi->listeners[hi->n_listeners++].arg = arg;
}

/* ---- questions ---------------------------------------------------------------------------------------------------------------------- */

static size_t limited(size_t limit)
{
    return MIN(MAX(limit, (size_t)1), (size_t)HISTORY_PAGE_MAX);
}

void history_conversations(struct history *hi, const struct history_query *q, void (*each)(void *, const struct history_conversation *),
                           history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_CONVERSATIONS, done, arg);
    job->query = *q;
    job->query.account = arena_dup(job->a, q->account);
    job->query.text = arena_dup(job->a, q->text);
    job->query.limit = limited(q->limit);
    job->each_conv = each;
    submit(job);
}

void history_conversation(struct history *hi, slice id, void (*each)(void *, const struct history_conversation *), history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_CONVERSATION, done, arg);
    job->text = arena_dup(job->a, id);
    job->each_conv = each;
    submit(job);
}

static void page_set(struct job *job, const struct history_page *page)
{
    job->page = *page;
    job->page.limit = limited(page->limit);
}

void history_messages(struct history *hi, slice conversation, const struct history_page *page, void (*each)(void *, const struct history_message *),
                      history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_MESSAGES, done, arg);
    job->text = arena_dup(job->a, conversation);
    page_set(job, page);
    job->each_msg = each;
    submit(job);
}

void history_message(struct history *hi, int64_t id, void (*each)(void *, const struct history_message *), void (*trace)(void *, int64_t, slice, slice),
                     history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_MESSAGE, done, arg);
    job->id = id;
    job->each_msg = each;
    job->each_trace = trace;
    submit(job);
}

void history_search(struct history *hi, slice text, slice account, const struct history_page *page,
                    void (*each)(void *, const struct history_message *), history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_SEARCH, done, arg);
    job->text = arena_dup(job->a, text);
    job->account = arena_dup(job->a, account);
    page_set(job, page);
    job->each_msg = each;
    submit(job);
}

void history_failed(struct history *hi, const struct history_failed *q, void (*each)(void *, const struct history_message *), history_done done,
                    void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_FAILED, done, arg);
    job->failed = *q;
    slice *const texts[] = { &job->failed.target, &job->failed.account, &job->failed.note, &job->failed.text };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(job->a, *texts[i]);
    job->failed.limit = limited(q->limit);
    job->each_msg = each;
    submit(job);
}

void history_waiting(struct history *hi, void (*each)(void *, slice, int64_t, int64_t), history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_WAITING, done, arg);
    job->each_queue = each;
    submit(job);
}

void history_erase(struct history *hi, slice conversation, history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_ERASE, done, arg);
    job->text = arena_dup(job->a, conversation);
    submit(job);
}

void history_messages_of(struct history *hi, slice conversations, slice text, const struct history_page *page,
                         void (*each)(void *, const struct history_message *), history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_OF, done, arg);
    job->account = arena_dup(job->a, conversations);
    job->text = arena_dup(job->a, text);
    page_set(job, page);
    job->each_msg = each;
    submit(job);
}

void history_news(struct history *hi, size_t n, void (*each)(void *, const struct history_news *), history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_NEWS, done, arg);
    job->page.limit = limited(n);
    job->each_news = each;
    submit(job);
}

void history_news_taken(struct history *hi, const struct history_mark *marks, size_t n, history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct job *job = job_new(hi, TASK_NEWS_TAKEN, done, arg);
    for (size_t i = 0; i < n; i++)
        *LIST_ADD(job->a, &job->marks, struct history_mark) = (struct history_mark){ arena_dup(job->a, marks[i].conversation), marks[i].mark };
    submit(job);
}
