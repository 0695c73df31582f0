/* contacts.c - the queue of works, and how contacts come out of the history. */
#include "api/call.h"
#include "api/contacts/contact_job.h"
#include "hub/history.h"

enum {
    SYNC_MS = 3000,          /* behind the history's last news … */
    SYNC_BUSY_BATCHES = 500, /* … unless so many groups were written meanwhile: then it waits … */
    SYNC_BUSY_MS = 60000,    /* … but not longer than this */
    SYNC_AT_ONCE = 200,      /* conversations in one transaction */
    SYNC_FOR_ASKER = 10,     /* times that, before somebody who asks is answered all the same */
    TRIES = 3,               /* of a job whose connection was lost before it was done */
    FAULT_EVERY_MS = 60000,  /* in the log */
};

struct contacts {
    struct api *api;
    struct hub *hub;
    char *where;
    int64_t fault_ms;      /* when one was logged; 0: never */
    struct contact_db *db; /* NULL: not opened yet. The helper thread's while a job is under way */
    struct contact_job *first, **last;
    bool busy, closed;
    /* what the history has heard of */
    struct loop_timer timer;
    struct syncing *syncing; /* NULL: nothing is under way */
    bool again;              /* somebody asked meanwhile */
    unsigned rounds;         /* of this sync */
    int64_t due_ms;          /* monotonic: since when a sync is wanted; 0: it is not */
    uint64_t batches;
    struct contact_job *askers, **askers_last; /* wait for the end of the sync */
    struct {
        void (*changed)(void *arg, slice id);
        void *arg;
    } listeners[CONTACT_LISTENERS];
    size_t n_listeners;
    struct contact_keeper keepers[CONTACT_KEEPERS];
    size_t n_keepers;
};

/* ---- jobs ------------------------------------------------------------------------------------------------------------- */

struct contact_job *contact_job_new(struct contacts *cs, bool (*work)(struct contact_job *, struct contact_db *), bool writes,
                                    void (*done)(struct contact_job *), void *arg)
{
    struct arena *a = arena_new();
    struct contact_job *job = ARENA_NEW(a, struct contact_job);
    *job = (struct contact_job){ .cs = cs, .a = a, .work = work, .writes = writes, .done = done, .arg = arg, .rev = -1 };
    return job;
}

static void next_job(struct contacts *cs);

static bool in_transaction(struct contact_job *job, struct contact_db *db)
{
    if (contact_db_begin(db, &job->fault) && job->work(job, db) && contact_db_commit(db, &job->fault))
        return true;
    contact_db_rollback(db);
    return false;
}

static void work(void *arg)
{
    struct contact_job *job = arg;
    struct contacts *cs = job->cs;
    if (!cs->db && !(cs->db = contact_db_open(cs->where, cs->hub->turn, &job->fault)))
        return;
    for (int tries = 1; !(job->writes ? in_transaction(job, cs->db) : job->work(job, cs->db)); tries++) {
        assert(job->fault.code);
        if (tries >= TRIES || strcmp(job->fault.code, "store_lost") != 0)
            break;
        job->fault = (struct fault){ 0 }; /* nothing of it has happened */
        job->contact = (struct contact){ 0 };
        job->list = job->changed = (struct js_list){ 0 };
    }
}

/* Of the database; others are what was asked for. */
static bool is_ours(const char *code)
{
    static const char *const codes[] = { "store_failed", "store_lost", "store_unknown", "newer", "in_use" };
    for (size_t i = 0; i < COUNT(codes); i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

static void worked(void *arg)
{
    struct contact_job *job = arg;
    struct contacts *cs = job->cs;
    cs->busy = false;
    if (cs->closed) {
        arena_free(job->a);
        return;
    }
    if (job->fault.code && is_ours(job->fault.code) && (!cs->fault_ms || time_mono_ms() - cs->fault_ms >= FAULT_EVERY_MS)) {
        log_end(log_begin_fault(cs->hub->log, LEVEL_ERROR, &job->fault, "The contacts cannot be read or written"));
        cs->fault_ms = time_mono_ms();
    }
    for (size_t i = 0; !job->fault.code && i < job->changed.n; i++)
        for (size_t k = 0; k < cs->n_listeners; k++)
            cs->listeners[k].changed(cs->listeners[k].arg, *LIST_AT(job->changed, slice, i));
    job->done(job);
    arena_free(job->a);
    next_job(cs);
}

static void next_job(struct contacts *cs)
{
    struct contact_job *job = cs->first;
    if (cs->busy || !job)
        return;
    cs->first = job->next;
    cs->busy = true;
    loop_work(cs->hub->loop, work, worked, job);
}

void contact_job_submit(struct contact_job *job)
{
    struct contacts *cs = job->cs;
    job->next = NULL;
    if (!cs->first)
        cs->last = &cs->first;
    *cs->last = job;
    cs->last = &job->next;
    next_job(cs);
}

/* ---- out of the history -------------------------------------------------------------------------------------------------- */

struct syncing {
    struct contacts *cs;
    struct arena *a;
    struct contact_job *job; /* NULL: handed over */
    struct js_list marks;    /* struct history_mark */
};

/* "Phone number" and "phoneNumber" are the same name. */
static bool is_called(slice key, const char *const *names)
{
    char plain[24];
    size_t n = 0;
    for (size_t i = 0; i < key.n && n < sizeof(plain) - 1; i++) {
        char c = key.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            plain[n++] = (char)(c | 32);
    }
    plain[n] = '\0';
    for (; *names; names++)
        if (strcmp(plain, *names) == 0)
            return true;
    return false;
}

/* What the guest's first message says beside its text: a form's fields, a network's data. */
static void learn_addresses(struct arena *a, slice first, struct contact_identity *v)
{
    static const char *const phones[] = { "phone", "phonenumber", "mobile", "mobilephone", "telephone", "tel", NULL };
    static const char *const emails[] = { "email", "emailaddress", "mail", NULL };
    const struct js *doc = first.n ? js_parse(a, first, NULL) : NULL, *data = js_get(doc, SL("data"));
    if (!v->email.n)
        v->email = js_text(js_at(doc, "from.email"));
    for (void *it = js_is_object(data) ? js_first(data) : NULL; it; it = js_next(data, it)) {
        slice value = js_text(js_value(it));
        if (!v->phone.n && is_called(js_key(data, it), phones))
            v->phone = value;
        else if (!v->email.n && is_called(js_key(data, it), emails))
            v->email = value;
    }
}

static bool hear(struct contact_job *job, struct contact_db *db, const struct contact_identity *v)
{
    int64_t n;
    bool changed;
    if (!contact_db_hear(db, v, &n, &changed, &job->fault) || !contact_db_read(db, job->a, n, &job->contact, &job->fault))
        return false;
    if (changed)
        *LIST_ADD(job->a, &job->changed, slice) = job->contact.id;
    return true;
}

static bool hear_all(struct contact_job *job, struct contact_db *db)
{
    bool ok = true;
    for (size_t i = 0; ok && i < job->heard.n; i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct contact_identity v = *LIST_AT(job->heard, struct contact_identity, i);
        learn_addresses(a, *LIST_AT(job->firsts, slice, i), &v);
        ok = hear(job, db, &v);
    }
    return ok;
}

static void sync_round(struct contacts *cs);

static void syncing_free(struct contacts *cs)
{
    struct syncing *sy = cs->syncing;
    cs->syncing = NULL;
    if (sy && sy->job)
        arena_free(sy->job->a);
    if (sy)
        arena_free(sy->a);
}

static void sync_ended(struct contacts *cs)
{
    cs->due_ms = 0;
    struct contact_job *job = cs->askers;
    cs->askers = NULL;
    for (struct contact_job *next; job; job = next) {
        next = job->next;
        contact_job_submit(job);
    }
}

static void sync_turn(void *arg);

static void sync_later(struct contacts *cs)
{
    if (cs->closed)
        return;
    if (!cs->due_ms)
        cs->due_ms = time_mono_ms();
    cs->batches = journal_numbers(cs->hub->journal).batches;
    loop_timer_start(cs->hub->loop, &cs->timer, SYNC_MS, sync_turn, cs);
}

static void round_ended(struct syncing *sy, const struct fault *f)
{
    struct contacts *cs = sy->cs;
    bool more = sy->marks.n == SYNC_AT_ONCE || cs->again;
    syncing_free(cs);
    if (cs->closed)
        return;
    cs->again = false;
    cs->rounds++;
    if (!f && more && (cs->rounds < SYNC_FOR_ASKER || (!cs->askers && !loop_is_pressed(cs->hub->loop)))) {
        sync_round(cs);
        return;
    }
    sync_ended(cs);
    if (f || more)
        sync_later(cs);
}

/* A round's news are in the database: the history may forget them. */
static void round_taken(void *arg, const struct fault *f)
{
    round_ended(arg, f);
}

static void heard_all(struct contact_job *job)
{
    struct syncing *sy = job->arg;
    if (job->fault.code)
        round_ended(sy, &job->fault);
    else
        history_news_taken(sy->cs->hub->history, sy->marks.items, sy->marks.n, round_taken, sy);
}

static void news(void *arg, const struct history_news *v)
{
    struct syncing *sy = arg;
    struct contact_job *job = sy->job;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct person p = { 0 };
    const struct js *doc = v->person.n ? js_parse(a, v->person, NULL) : NULL;
    slice account = v->id;
    account = slice_cut(&account, ':');
    const struct actor *channel = hub_actor(sy->cs->hub, account);
    if (doc && !js_read(a, doc, person_fields, PERSON_FIELDS, &p, NULL))
        p = (struct person){ 0 };
    slice name = slice_or(slice_or(v->name, p.name), arena_join(a, p.first_name, p.first_name.n && p.last_name.n ? SL(" ") : SL(""), p.last_name));
    *LIST_ADD(job->a, &job->heard, struct contact_identity) = (struct contact_identity){
        .conversation = arena_dup(job->a, v->id), .network = slice_of(channel ? channel->account.type->name : ""), .name = arena_dup(job->a, name),
        .picture = arena_dup(job->a, p.picture), .email = arena_dup(job->a, p.email), .heard_ms = v->heard_ms,
    };
    *LIST_ADD(job->a, &job->firsts, slice) = arena_dup(job->a, v->first);
    *LIST_ADD(sy->a, &sy->marks, struct history_mark) = (struct history_mark){ arena_dup(sy->a, v->id), v->mark };
}

static void news_told(void *arg, const struct fault *f)
{
    struct syncing *sy = arg;
    struct contacts *cs = sy->cs;
    struct contact_job *job = sy->job;
    if (f || !sy->marks.n || cs->closed) {
        round_ended(sy, f);
        return;
    }
    sy->job = NULL;
    contact_job_submit(job);
}

static void sync_round(struct contacts *cs)
{
    struct arena *a = arena_new();
    struct syncing *sy = ARENA_NEW(a, struct syncing);
    *sy = (struct syncing){ .cs = cs, .a = a, .job = contact_job_new(cs, hear_all, true, heard_all, sy) };
    cs->syncing = sy;
    history_news(cs->hub->history, SYNC_AT_ONCE, news, news_told, sy);
}

static void sync_start(struct contacts *cs)
{
    loop_timer_stop(&cs->timer);
    if (cs->syncing) {
        cs->again = true;
        return;
    }
    cs->rounds = 0;
    sync_round(cs);
}

static void sync_turn(void *arg)
{
    struct contacts *cs = arg;
    bool busy = journal_numbers(cs->hub->journal).batches - cs->batches > SYNC_BUSY_BATCHES || loop_is_pressed(cs->hub->loop);
    if (busy && time_mono_ms() - cs->due_ms < SYNC_BUSY_MS)
        sync_later(cs);
    else
        sync_start(cs);
}

static void conversation_changed(void *arg, slice conversation)
{
    struct contacts *cs = arg;
    (void)conversation;
    if (!cs->timer.active)
        sync_later(cs);
}

void contact_job_submit_fresh(struct contact_job *job)
{
    struct contacts *cs = job->cs;
    if (!cs->hub->history) {
        contact_job_submit(job);
        return;
    }
    job->next = NULL;
    if (!cs->askers)
        cs->askers_last = &cs->askers;
    *cs->askers_last = job;
    cs->askers_last = &job->next;
    sync_start(cs);
}

/* ---- whose conversation is it? --------------------------------------------------------------------------------------------- */

struct asking {
    contact_done done;
    void *arg;
};

static bool hear_one(struct contact_job *job, struct contact_db *db)
{
    return hear(job, db, LIST_AT(job->heard, struct contact_identity, 0));
}

static void asked(struct contact_job *job)
{
    struct asking *as = job->arg;
    as->done(as->arg, job->fault.code ? NULL : &job->contact, job->fault.code ? &job->fault : NULL);
}

void contact_of(struct contacts *cs, slice conversation, const struct person *person, contact_done done, void *arg)
{
    struct contact_job *job = contact_job_new(cs, hear_one, true, asked, NULL);
    struct asking *as = ARENA_NEW(job->a, struct asking);
    *as = (struct asking){ done, arg };
    job->arg = as;
    slice account = conversation;
    account = slice_cut(&account, ':');
    const struct actor *channel = hub_actor(cs->hub, account);
    struct contact_identity *v = LIST_ADD(job->a, &job->heard, struct contact_identity);
    *v = (struct contact_identity){ .conversation = arena_dup(job->a, conversation), .network = slice_of(channel ? channel->account.type->name : ""),
                                    .heard_ms = time_now_ms() };
    if (person) {
        slice both = arena_join(job->a, person->first_name, person->first_name.n && person->last_name.n ? SL(" ") : SL(""), person->last_name);
        v->name = person->name.n ? arena_dup(job->a, person->name) : both;
        v->picture = arena_dup(job->a, person->picture);
        v->email = arena_dup(job->a, person->email);
    }
    contact_job_submit(job);
}

bool contact_work_find(struct contact_job *job, struct contact_db *db)
{
    int64_t n;
    if (!contact_db_find(db, job->id, &n, &job->fault))
        return false;
    return n ? contact_db_read(db, job->a, n, &job->contact, &job->fault) : fault(&job->fault, "not_found", "", "there is no such contact");
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

struct contacts *contacts_new(struct api *api, slice data)
{
    struct contacts *cs = must_calloc(1, sizeof(*cs));
    CLEANUP(arena_freep) struct arena *a = arena_new();
    cs->api = api;
    cs->hub = api->hub;
    cs->where = strdup(cs->hub->database ? cs->hub->database : arena_printf(a, SLF "/contacts.db", SLA(data)).p);
    return cs;
}

void contacts_start(struct contacts *cs)
{
    if (!cs->hub->history)
        return;
    history_on_change(cs->hub->history, conversation_changed, cs);
    sync_later(cs);
}

void contacts_stop(struct contacts *cs)
{
    if (!cs)
        return;
    cs->closed = true;
    loop_timer_done(&cs->timer);
}

static void jobs_free(struct contact_job *job)
{
    for (struct contact_job *next; job; job = next) {
        next = job->next;
        arena_free(job->a);
    }
}

void contacts_free(struct contacts *cs)
{
    if (!cs)
        return;
    jobs_free(cs->first);
    jobs_free(cs->askers);
    syncing_free(cs);
    contact_db_close(cs->db);
    bytes_wipe(cs->where, strlen(cs->where)); /* it may hold a password */
    free(cs->where);
    free(cs);
}

struct api *contacts_api(const struct contacts *cs)
{
    return cs->api;
}

void contacts_on_change(struct contacts *cs, void (*changed)(void *, slice), void *arg)
{
    assert(cs->n_listeners < CONTACT_LISTENERS);
    cs->listeners[cs->n_listeners].changed = changed;
    cs->listeners[cs->n_listeners++].arg = arg;
}

void contacts_keep(struct contacts *cs, const struct contact_keeper *keeper)
{
    assert(cs->n_keepers < CONTACT_KEEPERS);
    cs->keepers[cs->n_keepers++] = *keeper;
}

void contacts_keepers_erase(struct contacts *cs, slice conversation, struct jbatch *b)
{
    for (size_t i = 0; i < cs->n_keepers; i++)
        if (cs->keepers[i].erase)
            cs->keepers[i].erase(cs->keepers[i].arg, conversation, b);
}

void contacts_keepers_tell(struct contacts *cs, slice conversation, struct jw *w)
{
    for (size_t i = 0; i < cs->n_keepers; i++)
        if (cs->keepers[i].tell)
            cs->keepers[i].tell(cs->keepers[i].arg, conversation, w);
}
