#include "store/store.h"
#include "net/loop.h"
#include "store/engine.h"
#include "store/store_pg.h"
#include <pthread.h>

enum {
    GROUP_MAX = 1024,  /* writes in one commit: the first of them waits for the last */
    GROUP_TRIES = 3,   /* of one whose connection was lost before it was done */
};

enum op { OP_PUT, OP_DELETE_PREFIX, OP_GET, OP_SCAN, OP_ATT_PUT, OP_ATT_GET, OP_ATT_OF, OP_ATT_PURGE, OP_ATT_DUE, OP_ATT_IN, OP_ATT_DELETE };
static const char *const op_names[] = {
    [OP_PUT] = "put", [OP_DELETE_PREFIX] = "delete_prefix", [OP_GET] = "get", [OP_SCAN] = "scan", [OP_ATT_PUT] = "attachment_put",
    [OP_ATT_GET] = "attachment_get", [OP_ATT_OF] = "attachments_of", [OP_ATT_PURGE] = "attachments_purge", [OP_ATT_DUE] = "attachments_due",
    [OP_ATT_IN] = "attachment_in", [OP_ATT_DELETE] = "attachment_delete",
};

/* One call of the interface: what is asked, whom to tell, and what came out. Lives in its own arena. */
struct request {
    struct request *next;
    struct arena *a;
    enum op op;
    struct store_pair *pairs; /* OP_PUT: to write; OP_GET, OP_SCAN: found */
    size_t n_pairs, cap_pairs;
    struct attachment *found; /* OP_ATT_PUT: one to write */
    size_t n_found, cap_found;
    slice text; /* prefix, key, id or conversation */
    slice from; /* OP_SCAN */
    slice storage; /* OP_ATT_PURGE */
    int64_t now_ms, at_ms, asked_us;
    size_t limit;
    store_done done;
    void (*got)(void *arg, slice value, const struct fault *f);
    void (*each)(void *arg, slice key, slice value);
    void (*got_attachment)(void *arg, const struct attachment *a, const struct fault *f);
    void (*each_attachment)(void *arg, const struct attachment *a);
    void *arg;
    struct fault f;
};
struct queue {
    struct request *first, **end;
};

struct store {
    const struct store_engine *engine;
    void *e;
    struct loop *loop; /* NULL: everything is done at once */
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;
    struct queue asked, answered;
    size_t waiting; /* asked and not yet answered */
    bool stop, posted;
    bool delivering, closed; /* a callback may close the store: then deliver frees it */
    uint64_t commits;
    int64_t commit_us, failures;
    struct engine_links links;
    bool failed; /* the last request */
    void (*observe)(void *arg, const char *command, const struct fault *f, int64_t took_us);
    void *observe_arg;
};

static void queue_add(struct queue *q, struct request *r)
{
    r->next = NULL;
    if (!q->first)
        q->end = &q->first;
    *q->end = r;
    q->end = &r->next;
}

static struct queue queue_take(struct queue *q)
{
    struct queue all = *q;
    *q = (struct queue){ NULL, NULL };
    return all;
}

slice engine_prefix_end(slice prefix, char to[STORE_KEY_MAX])
{
    size_t n = prefix.n;
    while (n && (unsigned char)prefix.p[n - 1] == 0xff)
        n--;
    if (n == 0)
        return SLICE_NONE;
    memcpy(to, prefix.p, n);
    to[n - 1] = (char)(to[n - 1] + 1);
    return (slice){ to, n };
}

/* ---- doing a request (the store's thread, or the caller's before store_start) ------------------------------------------------ */

static bool is_write(enum op op)
{
    return op != OP_GET && op != OP_SCAN && op != OP_ATT_GET && op != OP_ATT_IN && op != OP_ATT_OF;
}

static bool is_search(enum op op) /* a write that finds something */
{
    return op == OP_ATT_DUE;
}

static void keep_pair(void *arg, slice key, slice value)
{
    struct request *r = arg;
    if (r->n_pairs == r->cap_pairs) {
        size_t cap = MAX(r->cap_pairs * 2, (size_t)4);
        r->pairs = arena_grow(r->a, r->pairs, r->cap_pairs * sizeof(r->pairs[0]), cap * sizeof(r->pairs[0]));
        r->cap_pairs = cap;
    }
    r->pairs[r->n_pairs++] = (struct store_pair){ arena_dup(r->a, key), arena_dup(r->a, value) };
}

static struct attachment attachment_dup(struct arena *a, const struct attachment *from)
{
    struct attachment to = *from;
    slice *const texts[] = { &to.id,  &to.account, &to.conversation, &to.storage, &to.handle,
                             &to.url, &to.sha256,  &to.type,         &to.name };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(a, *texts[i]);
    return to;
}

static void keep_attachment(void *arg, const struct attachment *found)
{
    struct request *r = arg;
    if (r->n_found == r->cap_found) {
        size_t cap = MAX(r->cap_found * 2, (size_t)4);
        r->found = arena_grow(r->a, r->found, r->cap_found * sizeof(r->found[0]), cap * sizeof(r->found[0]));
        r->cap_found = cap;
    }
    r->found[r->n_found++] = attachment_dup(r->a, found);
}

static bool put_all(struct store *s, struct request *r)
{
    for (size_t i = 0; i < r->n_pairs; i++) {
        const struct store_pair *p = &r->pairs[i];
        if (p->value.p ? !s->engine->put(s->e, p->key, p->value, &r->f) : !s->engine->remove(s->e, p->key, &r->f))
            return false;
    }
    return true;
}

static bool perform(struct store *s, struct request *r)
{
    const struct store_engine *e = s->engine;
    switch (r->op) {
    case OP_PUT:
        return put_all(s, r);
    case OP_DELETE_PREFIX:
        return e->remove_prefix(s->e, r->text, &r->f);
    case OP_GET:
        return e->get(s->e, r->text, keep_pair, r, &r->f);
    case OP_SCAN:
        return e->scan(s->e, r->text, r->from, r->limit, keep_pair, r, &r->f);
    case OP_ATT_PUT:
        return e->attachment_put(s->e, r->found, &r->f);
    case OP_ATT_GET:
        return e->attachment_get(s->e, r->text, keep_attachment, r, &r->f);
    case OP_ATT_IN:
        return e->attachment_in(s->e, r->text, keep_attachment, r, &r->f);
    case OP_ATT_OF:
        return e->attachments_of(s->e, r->text, keep_attachment, r, &r->f);
    case OP_ATT_PURGE:
        return e->attachments_purge(s->e, r->text, r->storage, r->at_ms, &r->f);
    case OP_ATT_DUE:
        return e->attachments_due(s->e, r->now_ms, r->at_ms, r->limit, keep_attachment, r, &r->f);
    case OP_ATT_DELETE:
        return e->attachment_delete(s->e, r->text, &r->f);
    }
    return false;
}

/* The writes from first to before end, in one transaction. */
static bool try_group(struct store *s, struct request *first, const struct request *end, struct fault *f)
{
    bool ok = s->engine->begin(s->e, f);
    for (struct request *r = first; ok && r != end; r = r->next) {
        r->n_found = is_search(r->op) ? 0 : r->n_found; /* of a try before this one */
        r->f = (struct fault){ 0 };
        ok = perform(s, r);
        if (!ok)
            *f = r->f;
    }
    ok = ok && s->engine->commit(s->e, f);
    if (!ok)
        s->engine->rollback(s->e);
    return ok;
}

/* The writes from first on, up to a read or GROUP_MAX, in one transaction. Returns the request behind them. */
static struct request *perform_group(struct store *s, struct request *first)
{
    struct fault f = { 0 };
    int64_t began = time_mono_us();
    struct request *end = first;
    for (size_t n = 0; end && is_write(end->op) && n < GROUP_MAX; n++)
        end = end->next;
    bool ok = false;
    for (int tries = 0; !ok && tries < GROUP_TRIES; tries++) {
        f = (struct fault){ 0 };
        ok = try_group(s, first, end, &f);
        if (!ok && strcmp(f.code, "store_lost") != 0)
            break;
    }
    for (struct request *w = first; !ok && w != end; w = w->next)
        w->f = f;
    pthread_mutex_lock(&s->lock);
    s->commits += ok;
    s->commit_us = time_mono_us() - began;
    pthread_mutex_unlock(&s->lock);
    return end;
}

static void note_end(struct store *s, bool ok)
{
    pthread_mutex_lock(&s->lock);
    s->failed = !ok;
    s->failures += !ok;
    s->links = s->engine->links ? s->engine->links(s->e) : s->links;
    pthread_mutex_unlock(&s->lock);
}

static void perform_all(struct store *s, struct request *r)
{
    while (r) {
        bool writes = is_write(r->op);
        struct request *first = r;
        if (writes)
            r = perform_group(s, r);
        else
            perform(s, first), r = first->next;
        note_end(s, !first->f.code);
    }
}

/* ---- asking and answering ----------------------------------------------------------------------------------------------------- */

static void answer(const struct store *s, struct request *r)
{
    const struct fault *f = r->f.code ? &r->f : NULL;
    if (s->observe)
        s->observe(s->observe_arg, op_names[r->op], f, time_mono_us() - r->asked_us);
    if (r->op == OP_GET) {
        r->got(r->arg, !f && r->n_pairs ? r->pairs[0].value : SLICE_NONE, f);
    } else if (r->got_attachment) {
        r->got_attachment(r->arg, !f && r->n_found ? &r->found[0] : NULL, f);
    } else {
        for (size_t i = 0; !f && r->each && i < r->n_pairs; i++)
            r->each(r->arg, r->pairs[i].key, r->pairs[i].value);
        for (size_t i = 0; !f && r->each_attachment && i < r->n_found; i++)
            r->each_attachment(r->arg, &r->found[i]);
        if (r->done)
            r->done(r->arg, f);
    }
}

static void request_free(struct request *r)
{
    arena_free(r->a); /* r lives in it */
}

/* On the loop. */
static void deliver(void *arg)
{
    struct store *s = arg;
    pthread_mutex_lock(&s->lock);
    struct request *r = queue_take(&s->answered).first;
    s->posted = false;
    pthread_mutex_unlock(&s->lock);
    s->delivering = true;
    for (struct request *next; r; r = next) {
        next = r->next;
        if (!s->closed)
            answer(s, r);
        request_free(r);
    }
    s->delivering = false;
    if (s->closed)
        free(s);
}

/* With the lock held. */
static void post_answers(struct store *s)
{
    if (s->posted || !s->answered.first)
        return;
    s->posted = true;
    loop_post(s->loop, deliver, s);
}

static void *thread_main(void *arg)
{
    struct store *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->asked.first && !s->stop)
            pthread_cond_wait(&s->work, &s->lock);
        struct queue q = queue_take(&s->asked);
        if (!q.first)
            break;
        pthread_mutex_unlock(&s->lock);
        perform_all(s, q.first);
        pthread_mutex_lock(&s->lock);
        for (struct request *r = q.first, *next; r; r = next) {
            next = r->next;
            queue_add(&s->answered, r);
            s->waiting--;
        }
        post_answers(s);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static struct request *request_new(enum op op, store_done done, void *arg)
{
    struct arena *a = arena_new();
    struct request *r = ARENA_NEW(a, struct request);
    r->a = a;
    r->op = op;
    r->asked_us = time_mono_us();
    r->done = done;
    r->arg = arg;
    return r;
}

static void submit(struct store *s, struct request *r)
{
    if (!s->loop) {
        if (!r->f.code)
            perform_all(s, r);
        answer(s, r);
        request_free(r);
        return;
    }
    pthread_mutex_lock(&s->lock);
    if (!r->f.code && s->waiting >= STORE_QUEUE_MAX)
        fault(&r->f, "store_busy", "", "%d requests wait for the store", STORE_QUEUE_MAX);
    if (r->f.code) {
        queue_add(&s->answered, r);
        post_answers(s);
    } else {
        queue_add(&s->asked, r);
        s->waiting++;
        pthread_cond_signal(&s->work);
    }
    pthread_mutex_unlock(&s->lock);
}

static bool check_length(struct request *r, slice s, size_t max, const char *what)
{
    return s.n <= max || fault(&r->f, "too_long", what, "%zu bytes, at most %zu are allowed", s.n, max);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

struct store *store_open(const char *where, struct fault *f)
{
    return store_open_turn(where, 0, f);
}

struct store *store_open_turn(const char *where, int64_t turn, struct fault *f)
{
    const struct store_engine *engine = store_is_pg(slice_of(where)) ? &store_pg : &store_sqlite;
    void *e = engine->open(where, turn, f);
    if (!e)
        return NULL;
    struct store *s = must_calloc(1, sizeof(*s));
    s->engine = engine;
    s->e = e;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    return s;
}

void store_start(struct store *s, struct loop *loop)
{
    assert(!s->loop);
    s->loop = loop;
    int rc = pthread_create(&s->thread, NULL, thread_main, s);
    assert(rc == 0);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->loop) {
        pthread_mutex_lock(&s->lock);
        s->stop = true;
        pthread_cond_signal(&s->work);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
        loop_post_cancel(s->loop, deliver, s);
    }
    for (struct request *r = s->answered.first, *next; r; r = next) {
        next = r->next;
        request_free(r);
    }
    s->engine->close(s->e);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    if (s->delivering)
        s->closed = true;
    else
        free(s);
}

void store_observe(struct store *s, void (*fn)(void *arg, const char *command, const struct fault *f, int64_t took_us), void *arg)
{
    s->observe = fn;
    s->observe_arg = arg;
}

struct store_numbers store_numbers(const struct store *s)
{
    struct store *w = (struct store *)(uintptr_t)s; /* the lock is not part of its value */
    pthread_mutex_lock(&w->lock);
    struct store_numbers n = { s->engine->name, !s->failed, s->waiting, s->commits, s->commit_us, s->failures, s->links.made, s->links.lost };
    pthread_mutex_unlock(&w->lock);
    return n;
}

/* ---- the interface ----------------------------------------------------------------------------------------------------------------- */

void store_put(struct store *s, const struct store_pair *pairs, size_t n, store_done done, void *arg)
{
    struct request *r = request_new(OP_PUT, done, arg);
    for (size_t i = 0; i < n; i++)
        if (!check_length(r, pairs[i].key, STORE_KEY_MAX, "key") || !check_length(r, pairs[i].value, STORE_VALUE_MAX, "value"))
            break;
    for (size_t i = 0; i < n && !r->f.code; i++)
        keep_pair(r, pairs[i].key, pairs[i].value);
    submit(s, r);
}

void store_delete_prefix(struct store *s, slice prefix, store_done done, void *arg)
{
    struct request *r = request_new(OP_DELETE_PREFIX, done, arg);
    if (check_length(r, prefix, STORE_KEY_MAX, "prefix"))
        r->text = arena_dup(r->a, prefix);
    submit(s, r);
}

void store_get(struct store *s, slice key, void (*got)(void *arg, slice value, const struct fault *f), void *arg)
{
    struct request *r = request_new(OP_GET, NULL, arg);
    r->got = got;
    if (check_length(r, key, STORE_KEY_MAX, "key"))
        r->text = arena_dup(r->a, key);
    submit(s, r);
}

void store_scan_from(struct store *s, slice prefix, slice from, size_t limit, void (*each)(void *arg, slice key, slice value),
                     store_done done, void *arg)
{
    struct request *r = request_new(OP_SCAN, done, arg);
    r->each = each;
    r->limit = limit;
    if (check_length(r, prefix, STORE_KEY_MAX, "prefix") && check_length(r, from, STORE_KEY_MAX, "from")) {
        r->text = arena_dup(r->a, prefix);
        r->from = arena_dup(r->a, from);
    }
    submit(s, r);
}

void store_scan(struct store *s, slice prefix, size_t limit, void (*each)(void *arg, slice key, slice value), store_done done,
                void *arg)
{
    store_scan_from(s, prefix, SLICE_NONE, limit, each, done, arg);
}

void store_walk(struct store *s, slice prefix, size_t limit, void (*each)(void *arg, slice key, slice value), store_done done,
                void *arg)
{
    struct fault f = { 0 };
    assert(!s->loop && prefix.n <= STORE_KEY_MAX);
    bool ok = s->engine->scan(s->e, prefix, SLICE_NONE, limit, each, arg, &f);
    if (done)
        done(arg, ok ? NULL : &f);
}

void store_attachment_put(struct store *s, const struct attachment *a, store_done done, void *arg)
{
    struct request *r = request_new(OP_ATT_PUT, done, arg);
    keep_attachment(r, a);
    submit(s, r);
}

typedef void (*one_attachment)(void *arg, const struct attachment *a, const struct fault *f);

static void ask_for_one(struct store *s, enum op op, slice by, one_attachment got, void *arg)
{
    struct request *r = request_new(op, NULL, arg);
    r->got_attachment = got;
    r->text = arena_dup(r->a, by);
    submit(s, r);
}

void store_attachment_get(struct store *s, slice id, one_attachment got, void *arg)
{
    ask_for_one(s, OP_ATT_GET, id, got, arg);
}

void store_attachment_in(struct store *s, slice storage, one_attachment got, void *arg)
{
    ask_for_one(s, OP_ATT_IN, storage, got, arg);
}

void store_attachments_purge(struct store *s, slice conversation, slice storage, int64_t at_ms, store_done done, void *arg)
{
    struct request *r = request_new(OP_ATT_PURGE, done, arg);
    r->text = arena_dup(r->a, conversation);
    r->storage = arena_dup(r->a, storage);
    r->at_ms = at_ms;
    submit(s, r);
}

void store_attachments_due(struct store *s, int64_t now_ms, int64_t retry_ms, size_t limit,
                           void (*each)(void *arg, const struct attachment *a), store_done done, void *arg)
{
    struct request *r = request_new(OP_ATT_DUE, done, arg);
    r->each_attachment = each;
    r->now_ms = now_ms;
    r->at_ms = retry_ms;
    r->limit = limit;
    submit(s, r);
}

void store_attachments_of(struct store *s, slice conversation, void (*each)(void *arg, const struct attachment *a), store_done done,
                          void *arg)
{
    struct request *r = request_new(OP_ATT_OF, done, arg);
    r->each_attachment = each;
    r->text = arena_dup(r->a, conversation);
    submit(s, r);
}

void store_attachment_delete(struct store *s, slice id, store_done done, void *arg)
{
    struct request *r = request_new(OP_ATT_DELETE, done, arg);
    r->text = arena_dup(r->a, id);
    submit(s, r);
}
