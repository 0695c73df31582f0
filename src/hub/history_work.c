#include "hub/history-private.h"

enum {
    INDEX_AT_ONCE = 500, EXPIRE_AT_ONCE = 500,
    INDEX_FOR_SEARCH = 20, /* times INDEX_AT_ONCE: what a search brings into the index first */
    TRIES = 3,             /* of a piece of work whose connection was lost before it was done */
};

static bool tidy(struct history_job *job)
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
    struct history_job *job = arg;
    struct history_conversation *to = LIST_ADD(job->a, &job->convs, struct history_conversation);
    *to = *c;
    slice *const texts[] = { &to->id, &to->name, &to->person, &to->last_text, &to->last_kind };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(job->a, *texts[i]);
}

static void found_msg(void *arg, const struct history_message *m)
{
    struct history_job *job = arg;
    struct history_message *to = LIST_ADD(job->a, &job->msgs, struct history_message);
    *to = *m;
    slice *const texts[] = { &to->conversation, &to->target, &to->kind, &to->text, &to->peer_id, &to->vendor_id, &to->body, &to->media, &to->note };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(job->a, *texts[i]);
}

static void found_trace(void *arg, int64_t at_ms, slice op, slice note)
{
    struct history_job *job = arg;
    *LIST_ADD(job->a, &job->traces, struct trace_line) = (struct trace_line){ at_ms, arena_dup(job->a, op), arena_dup(job->a, note) };
}

static void found_queue(void *arg, slice target, int64_t n, int64_t oldest_ms)
{
    struct history_job *job = arg;
    *LIST_ADD(job->a, &job->queues, struct queue_line) = (struct queue_line){ arena_dup(job->a, target), n, oldest_ms };
}

static void found_news(void *arg, const struct history_news *v)
{
    struct history_job *job = arg;
    struct history_news *to = LIST_ADD(job->a, &job->news, struct history_news);
    *to = *v;
    slice *const texts[] = { &to->id, &to->name, &to->person, &to->first };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(job->a, *texts[i]);
}

static bool commit(struct history_job *job, bool ok)
{
    if (ok && history_db_commit(job->hi->db, &job->fault))
        return true;
    history_db_rollback(job->hi->db);
    return false;
}

static bool erase(struct history_job *job)
{
    struct history_db *db = job->hi->db;
    struct fault ignored;
    bool ok = history_db_sync(db, true, &job->fault) && history_db_begin(db, &job->fault) && commit(job, history_db_erase(db, job->text, &job->fault));
    history_db_sync(db, false, &ignored); /* where it stays on, commits only take longer */
    return ok;
}

static bool news_taken(struct history_job *job)
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
static bool index_first(struct history_job *job)
{
    if (!history_db_indexes(job->hi->db))
        return true;
    bool more = true, ok = history_db_begin(job->hi->db, &job->fault);
    for (int i = 0; ok && more && i < INDEX_FOR_SEARCH; i++)
        ok = history_db_index(job->hi->db, INDEX_AT_ONCE, &more, &job->fault);
    return commit(job, ok);
}

static bool ask(struct history_job *job)
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
static bool again(struct history_job *job, int tries)
{
    if (tries >= TRIES || !job->fault.code || strcmp(job->fault.code, "store_lost") != 0)
        return false;
    job->fault = (struct fault){ 0 };
    job->convs = job->msgs = job->traces = job->queues = job->news = (struct js_list){ 0 };
    return true;
}

void history_work(void *arg)
{
    struct history_job *job = arg;
    for (int tries = 1; !(history_follow(job) && ask(job)) && again(job, tries); tries++)
        ;
}
