#include "hub/history-private.h"

enum {
    BUSY_BATCHES = 100,     /* of the journal in HISTORY_EVERY_MS: then it is left to what must not wait … */
    BUSY_MOST_MS = 15000,   /* … but not for longer than this, and not when somebody asks */
    PRESSED_MOST_MS = 60000, /* nor for longer than this when the processor is too slow for what comes; and never until the journal's room is written over */
    REST_MS = 10000,        /* between two looks when nothing was heard: who writes stirs it */
    CALM_MS = 3000,         /* without news: then texts are indexed and old messages leave */
    EXPIRE_EVERY_MS = 600000,
    FAULT_EVERY_MS = 60000, /* in the log */
};

/* ---- jobs, on the loop -------------------------------------------------------------------------------------------------------------- */

static void next_job(struct history *hi);

static void job_free(struct history_job *job)
{
    arena_free(job->a); /* it lives in it */
}

static void tell(struct history_job *job)
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
    for (struct history_job *job = hi->first, *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
    history_db_close(hi->db);
    free(hi->dir);
    free(hi);
}

static void worked(void *arg)
{
    struct history_job *job = arg;
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
    if (hi->placed)
        journal_followed(hi->hub->journal, hi->place.no);
    tell(job);
    job_free(job);
    next_job(hi);
}

static void next_job(struct history *hi)
{
    struct history_job *job = hi->first;
    if (hi->busy || !job)
        return;
    hi->first = job->next;
    hi->busy = true;
    loop_work(hi->loop, history_work, worked, job);
}

static struct history_job *job_new(struct history *hi, enum history_task task, history_done done, void *arg)
{
    struct arena *a = arena_new();
    struct history_job *job = ARENA_NEW(a, struct history_job);
    job->a = a;
    job->hi = hi;
    job->task = task;
    job->until = hi->told = journal_durable(hi->hub->journal);
    job->done = done;
    job->arg = arg;
    return job;
}

static void submit(struct history_job *job)
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
    struct journal_numbers wrote = journal_numbers(hi->hub->journal);
    int64_t most_ms = loop_is_pressed(hi->loop) ? PRESSED_MOST_MS : BUSY_MOST_MS;
    bool rush = wrote.batches - hi->batches > BUSY_BATCHES && now_ms - hi->followed_ms < most_ms && wrote.bytes - hi->followed_bytes < (uint64_t)journal_room(hi->hub->journal);
    hi->batches = wrote.batches;
    if (news && rush) {
        hi->news_ms = now_ms;
    } else if (news && !hi->busy && !hi->first) {
        hi->followed_ms = now_ms;
        hi->followed_bytes = wrote.bytes;
        submit(job_new(hi, TASK_FOLLOW, NULL, NULL));
        hi->untidy = true;
    } else if (!hi->busy && !hi->first && now_ms - hi->news_ms >= CALM_MS && (hi->untidy || now_ms - hi->expired_ms >= EXPIRE_EVERY_MS)) {
        struct history_job *job = job_new(hi, TASK_TIDY, NULL, NULL);
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
    journal_followed(h->journal, 0);
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
    struct history_job *job = job_new(hi, TASK_CONVERSATIONS, done, arg);
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
    struct history_job *job = job_new(hi, TASK_CONVERSATION, done, arg);
    job->text = arena_dup(job->a, id);
    job->each_conv = each;
    submit(job);
}

static void page_set(struct history_job *job, const struct history_page *page)
{
    job->page = *page;
    job->page.limit = limited(page->limit);
}

void history_messages(struct history *hi, slice conversation, const struct history_page *page, void (*each)(void *, const struct history_message *),
                      history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct history_job *job = job_new(hi, TASK_MESSAGES, done, arg);
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
    struct history_job *job = job_new(hi, TASK_MESSAGE, done, arg);
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
    struct history_job *job = job_new(hi, TASK_SEARCH, done, arg);
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
    struct history_job *job = job_new(hi, TASK_FAILED, done, arg);
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
    struct history_job *job = job_new(hi, TASK_WAITING, done, arg);
    job->each_queue = each;
    submit(job);
}

void history_erase(struct history *hi, slice conversation, history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct history_job *job = job_new(hi, TASK_ERASE, done, arg);
    job->text = arena_dup(job->a, conversation);
    submit(job);
}

void history_messages_of(struct history *hi, slice conversations, slice text, const struct history_page *page,
                         void (*each)(void *, const struct history_message *), history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct history_job *job = job_new(hi, TASK_OF, done, arg);
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
    struct history_job *job = job_new(hi, TASK_NEWS, done, arg);
    job->page.limit = limited(n);
    job->each_news = each;
    submit(job);
}

void history_news_taken(struct history *hi, const struct history_mark *marks, size_t n, history_done done, void *arg)
{
    if (!there_is(hi, done, arg))
        return;
    struct history_job *job = job_new(hi, TASK_NEWS_TAKEN, done, arg);
    for (size_t i = 0; i < n; i++)
        *LIST_ADD(job->a, &job->marks, struct history_mark) = (struct history_mark){ arena_dup(job->a, marks[i].conversation), marks[i].mark };
    submit(job);
}
