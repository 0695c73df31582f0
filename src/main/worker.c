/* The one of several replicas that works. */
#include "broker/broker.h"
#include "hub/intake.h"
#include "hub/journal_pg.h"
#include "journal/journal.h"
#include "main/replica.h"
#include "main/serve-private.h"
#include "store/seal.h"
#include "store/store.h"
#include <signal.h>
#include <unistd.h>

enum { EXIT_TAKEN_OVER = 3, JOURNAL_LOOK_MS = 1000, FOLDER_PATIENCE_MS = 5000 };

/* Whatever we would still do is no longer ours to do. */
void worker_fence_lost(void *arg)
{
    struct serving *s = arg;
    log_note(&s->log, LEVEL_WARN, "Another worker has taken over: this one ends at once");
    logger_flush(s->logger);
    _exit(EXIT_TAKEN_OVER);
}

static void worker_known(void *arg, const struct fault *f)
{
    struct serving *s = arg;
    if (f)
        log_end(log_begin_fault(&s->log, LEVEL_ERROR, f, "The other replicas cannot be told where the worker is"));
}

/* The journal fails, and the database is not why: the folder is full, or its disk is broken. Another replica's need not be. */
static void look_at_folder(struct serving *s, bool well)
{
    int64_t now_ms = time_mono_ms();
    if (well || s->hub.draining) {
        s->folder_ms = 0;
        return;
    }
    s->folder_ms = s->folder_ms ? s->folder_ms : now_ms;
    if (now_ms - s->folder_ms < FOLDER_PATIENCE_MS)
        return;
    log_end(log_begin_fault(&s->log, LEVEL_ERROR, journal_last_fault(s->hub.journal), "The data folder does not take the copy of the journal: this worker gives its shard back"));
    serving_signal(s, SIGTERM);
}

/* The journal knows of a write that failed ("Input/output error"), and not that it is a database, or what that said. */
static void look_at_journal(void *arg)
{
    struct serving *s = arg;
    struct fault f = { 0 }, *before = &s->journal_fault;
    journal_pg_fault(s->journal_pg, &f);
    if (f.code && (!before->code || strcmp(f.text, before->text) != 0))
        log_end(log_begin_fault(&s->log, LEVEL_ERROR, &f, "The database does not take the journal; what comes stays with the broker"));
    else if (!f.code && before->code)
        log_note(&s->log, LEVEL_INFO, "The database takes the journal again");
    *before = f;
    const struct fault *why = journal_last_fault(s->hub.journal);
    look_at_folder(s, f.code || !why->code || strcmp(why->code, "slow") == 0); /* slow: it may be the database, which does not say so yet */
    loop_timer_start(s->hub.loop, &s->journal_timer, JOURNAL_LOOK_MS, look_at_journal, s);
}

static void shard_gained(void *ctx, unsigned shard)
{
    struct serving *s = ctx;
    struct fault f = { 0 };
    if (shard) /* the others come with the first */
        return;
    if (s->working) {
        log_note(&s->log, LEVEL_INFO, "The broker gives this worker its shard again");
        return;
    }
    if (!serving_start(s, &f)) {
        log_end(log_begin_fault(&s->log, LEVEL_ERROR, &f, "This worker cannot begin"));
        s->failed = 1;
        loop_stop(s->hub.loop);
        return;
    }
    s->working = true;
    s->hub.intake = intake_new(&s->hub, s->broker);
    look_at_journal(s);
    struct store_pair pair = { SL(KEY_WORKER), config_text(s->config, CFG_REPLICA_URL) };
    store_put(s->hub.store, &pair, 1, worker_known, s);
    struct log_line *l = log_begin(&s->log, LEVEL_ALWAYS, "Dragoman " DRAGOMAN_VERSION " works for all replicas");
    log_int(l, "tenants", (int64_t)s->hub.n_tenants);
    log_int(l, "accounts", (int64_t)s->hub.n_actors);
    log_end(l);
    logger_flush(s->logger);
}

/* The connection is gone. What is in the lanes goes on: until another worker takes the fence it is ours. */
static void shard_lost(void *ctx, unsigned shard)
{
    struct serving *s = ctx;
    if (shard)
        return;
    if (s->hub.intake)
        intake_lost(s->hub.intake);
    if (!s->hub.draining)
        log_note(&s->log, LEVEL_WARN, "The broker took the shard back, or is lost: %s", broker_state(s->broker).why);
}

static void parcel_arrived(void *ctx, unsigned shard, uint64_t tag, slice body, bool again)
{
    struct serving *s = ctx;
    (void)shard, (void)again; /* whether it was seen is said by its keys */
    if (s->hub.intake && !s->hub.draining)
        intake_arrived(s->hub.intake, tag, body);
}

static void on_signal_standby(void *arg, int signum)
{
    struct serving *s = arg;
    if (s->working)
        serving_signal(s, signum);
    else
        loop_stop(s->hub.loop);
}

bool worker_stand_by(struct serving *s, struct fault *f)
{
    if (!config_text(s->config, CFG_BROKER).n)
        return fault(f, "missing", "broker", "a worker works for several replicas: give broker");
    if (!replica_settings(s->config, f))
        return false;
    struct seal *seal = replica_seal(s->config, f);
    if (!seal)
        return false;
    struct broker_setup bs = replica_broker(s->a, s->config, replica_mark(s->a, seal));
    seal_free(seal);
    s->hub.loop = loop_new();
    s->broker = broker_open(s->hub.loop, &bs, f);
    if (!s->broker)
        return false;
    loop_signal(s->hub.loop, SIGTERM, on_signal_standby, s);
    loop_signal(s->hub.loop, SIGINT, on_signal_standby, s);
    broker_consume(s->broker, &(struct broker_consumer){ shard_gained, shard_lost, parcel_arrived, s });
    return true;
}
