/* Groups and reads on the connection that pg_connect.c makes. */
#include "store/pg-private.h"
#include <endian.h>
#include <poll.h>

/* ---- what goes and comes ------------------------------------------------------------------------------------------------------- */

static void add(struct pg_args *args, const char *p, size_t n)
{
    assert(args->n < PG_ARGS_MAX && n <= INT_MAX);
    args->at[args->n] = p;
    args->length[args->n++] = (int)n;
}

void pg_bytes(struct pg_args *args, slice s)
{
    add(args, s.p ? s.p : "", s.n);
}

void pg_int(struct pg_args *args, int64_t v)
{
    uint64_t wire = htobe64((uint64_t)v);
    char *at = args->numbers[args->n];
    memcpy(at, &wire, sizeof(wire));
    add(args, at, sizeof(wire));
}

void pg_null(struct pg_args *args)
{
    add(args, NULL, 0);
}

struct pg_row {
    const PGresult *result;
    int at;
};

slice pg_text(const struct pg_row *row, int column)
{
    return slice_mem(PQgetvalue(row->result, row->at, column), (size_t)PQgetlength(row->result, row->at, column));
}

int64_t pg_number(const struct pg_row *row, int column)
{
    uint64_t wire = 0;
    slice s = pg_text(row, column);
    assert(s.n == sizeof(wire)); /* we asked for a bigint, in binary */
    memcpy(&wire, s.p, sizeof(wire));
    return (int64_t)be64toh(wire);
}

/* ---- waiting ------------------------------------------------------------------------------------------------------------------- */

bool pg_lost(struct pg *pg, const char *why, struct fault *f)
{
    char text[160];
    snprintf(text, sizeof(text), "%s", why); /* it may belong to the connection */
    for (char *p = text; *p; p++)
        *p = *p == '\n' ? ' ' : *p;
    if (pg->c) {
        PQfinish(pg->c);
        pg->lost_ms = time_mono_ms();
        pg->losses++;
    }
    pg->c = NULL;
    pg->sent = pg->received = 0;
    return fault(f, "store_lost", "", "the connection to PostgreSQL was lost: %s", text);
}

const char *pg_await(struct pg *pg, short events, int64_t until_ms)
{
    struct pollfd p = { .fd = PQsocket(pg->c), .events = events };
    int64_t left_ms = until_ms - time_mono_ms();
    int n = left_ms > 0 ? poll(&p, 1, (int)MIN(left_ms, (int64_t)INT_MAX)) : 0;
    if (n == 0)
        return "no answer came in time";
    return n > 0 && p.revents & (POLLIN | POLLHUP | POLLERR) && !PQconsumeInput(pg->c) ? PQerrorMessage(pg->c) : NULL;
}

static bool wait_for(struct pg *pg, short events, int64_t until_ms, struct fault *f)
{
    const char *why = pg_await(pg, events, until_ms);
    return !why || pg_lost(pg, why, f);
}

/* Sends what is queued; reads meanwhile, so that the server is never stuck with answers. */
static bool flush(struct pg *pg, struct fault *f)
{
    int64_t until_ms = time_mono_ms() + PG_ANSWER_MS;
    int rc;
    while ((rc = PQflush(pg->c)) == 1)
        if (!wait_for(pg, POLLIN | POLLOUT, until_ms, f))
            return false;
    return rc == 0 || pg_lost(pg, PQerrorMessage(pg->c), f);
}

/* *ret NULL: the results of this command are at their end. */
static bool next_result(struct pg *pg, PGresult **ret, struct fault *f)
{
    int64_t until_ms = time_mono_ms() + PG_ANSWER_MS;
    while (PQisBusy(pg->c))
        if (!wait_for(pg, POLLIN, until_ms, f))
            return false;
    *ret = PQgetResult(pg->c);
    return PQstatus(pg->c) == CONNECTION_OK || *ret || pg_lost(pg, PQerrorMessage(pg->c), f);
}

#define DIVISION_BY_ZERO "22012"

/* Does this error mean that another connection is needed: the server stops or starts, or is one that takes no writes (any more)? */
static bool means_lost(const char *state)
{
    static const char *const states[] = { "57P01", "57P02", "57P03", "25006", "08" };
    for (size_t i = 0; state && i < COUNT(states); i++)
        if (strncmp(state, states[i], strlen(states[i])) == 0)
            return true;
    return false;
}

static bool failed(struct pg *pg, const PGresult *result, struct fault *f)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE), *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!state || means_lost(state))
        return pg_lost(pg, text ? text : PQresultErrorMessage(result), f);
    if (strcmp(state, DIVISION_BY_ZERO) == 0) /* PG_CLAIM_SQL */
        return pg_taken(pg, f);
    return fault(f, "store_failed", "", "PostgreSQL says: %s (%s)", text ? text : "", state);
}

/* The results of the oldest command whose results were not read. False: see *f; of an error that is not a lost connection the results are read on. */
static bool collect(struct pg *pg, void (*each)(void *arg, const struct pg_row *row), void *arg, struct fault *f)
{
    bool ok = true;
    if (each)
        (void)PQsetSingleRowMode(pg->c); /* where it is too late for that, all rows come at once */
    for (;;) {
        PGresult *r;
        if (!next_result(pg, &r, f))
            return false;
        if (!r)
            break;
        ExecStatusType status = PQresultStatus(r);
        if (status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE) {
            for (int i = 0; each && i < PQntuples(r); i++)
                each(arg, &(struct pg_row){ r, i });
        } else if (status == PGRES_PIPELINE_ABORTED) { /* the command that failed has said why */
            ok = false;
        } else if (status != PGRES_COMMAND_OK) {
            ok = failed(pg, r, f);
        }
        PQclear(r);
        if (!pg->c)
            return false;
    }
    pg->received++;
    return ok;
}

/* The results of everything sent. The first fault counts. */
static bool collect_all(struct pg *pg, struct fault *f)
{
    bool ok = true;
    while (pg->c && pg->received < pg->sent) {
        struct fault other = { 0 };
        if (!collect(pg, NULL, NULL, ok ? f : &other)) /* what follows the first is refused because of it */
            ok = false;
    }
    return ok;
}

/* Behind the last command. */
static bool collect_sync(struct pg *pg, struct fault *f)
{
    PGresult *r;
    do {
        if (!next_result(pg, &r, f))
            return false;
    } while (!r);
    bool ok = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
    PQclear(r);
    return ok || pg_lost(pg, "an answer that nobody asked for", f);
}

static bool send(struct pg *pg, const char *sql, struct fault *f)
{
    if (!PQsendQueryParams(pg->c, sql, 0, NULL, NULL, NULL, NULL, 1))
        return pg_lost(pg, PQerrorMessage(pg->c), f);
    pg->sent++;
    return true;
}

static bool send_statement(struct pg *pg, const char *name, const struct pg_args *args, struct fault *f)
{
    static const int binary[PG_ARGS_MAX] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    if (!PQsendQueryPrepared(pg->c, name, args->n, args->at, args->length, binary, 1))
        return pg_lost(pg, PQerrorMessage(pg->c), f);
    pg->sent++;
    return flush(pg, f);
}

static void statement_name(size_t statement, char to[PG_NAME_MAX])
{
    snprintf(to, PG_NAME_MAX, "s%zu", statement);
}

/* ---- groups -------------------------------------------------------------------------------------------------------------------- */

bool pg_begin(struct pg *pg, struct fault *f)
{
    assert(!pg->group);
    if (pg->taken)
        return pg_taken(pg, f);
    pg->group = pg_connected(pg, f) && send(pg, "BEGIN", f);
    return pg->group;
}

bool pg_write(struct pg *pg, size_t statement, const struct pg_args *args, struct fault *f)
{
    char name[PG_NAME_MAX];
    statement_name(statement, name);
    assert(pg->group);
    return pg->c ? send_statement(pg, name, args, f) : pg_lost(pg, "earlier in this group", f);
}

/* The connection went while a commit was under way: another one knows whether it came through. */
static bool resolve(struct pg *pg, struct fault *f)
{
    int64_t until_ms = time_mono_ms() + PG_RESOLVE_MS;
    struct fault why = { 0 };
    if (pg->tables->shared)
        return fault(f, "store_unknown", "", "the connection to PostgreSQL was lost in a commit");
    while (!pg_connect(pg, &why)) {
        if (time_mono_ms() >= until_ms || pg->taken)
            return fault(f, "store_unknown", "", "a commit may or may not have come through: %.180s", why.text);
        pg_pause(PG_AGAIN_MS);
    }
    return pg->stored_n == pg->n || fault(f, "store_lost", "", "the connection to PostgreSQL was lost before a commit");
}

bool pg_commit(struct pg *pg, struct fault *f)
{
    struct pg_args args = { 0 };
    assert(pg->group);
    if (!pg->c)
        return pg_lost(pg, "earlier in this group", f);
    pg_int(&args, (int64_t)++pg->n);
    bool ok = pg->tables->shared || send_statement(pg, PG_CLAIM_STATEMENT, &args, f);
    if (!ok)
        return false; /* COMMIT was not sent: it did not happen */
    ok = send(pg, "COMMIT", f) && PQpipelineSync(pg->c) && flush(pg, f) && collect_all(pg, f) && collect_sync(pg, f);
    if (!pg->c) {
        ok = resolve(pg, f);
        pg->group = !ok;
        return ok;
    }
    if (!ok && !f->code)
        fault(f, "store_failed", "", "PostgreSQL refused a part of the group");
    if (!ok && !collect_sync(pg, f))
        return false;
    pg->group = !ok;
    return ok;
}

void pg_rollback(struct pg *pg)
{
    struct fault f = { 0 };
    if (!pg->group)
        return;
    pg->group = false;
    if (!pg->c)
        return;
    bool idle = pg->received == pg->sent && PQtransactionStatus(pg->c) == PQTRANS_IDLE;
    if (idle)
        return;
    if (pg->received < pg->sent) { /* given up before its commit: what was sent is answered first */
        if (!PQpipelineSync(pg->c) || !flush(pg, &f)) {
            pg_lost(pg, "in a rollback", &f);
            return;
        }
        (void)collect_all(pg, &f);
        if (!pg->c || !collect_sync(pg, &f))
            return;
    }
    if (!(send(pg, "ROLLBACK", &f) && PQpipelineSync(pg->c) && flush(pg, &f) && collect_all(pg, &f) && collect_sync(pg, &f)) && pg->c)
        pg_lost(pg, f.text, &f); /* another connection begins clean */
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------- */

static bool read_in_group(struct pg *pg, void (*each)(void *arg, const struct pg_row *row), void *arg, struct fault *f)
{
    if (!PQsendFlushRequest(pg->c))
        return pg_lost(pg, PQerrorMessage(pg->c), f);
    if (!flush(pg, f))
        return false;
    while (pg->received + 1 < pg->sent)
        if (!collect(pg, NULL, NULL, f))
            return false;
    return collect(pg, each, arg, f);
}

struct counted {
    void (*each)(void *arg, const struct pg_row *row);
    void *arg;
    size_t n;
};

static void count_row(void *arg, const struct pg_row *row)
{
    struct counted *co = arg;
    co->n++;
    co->each(co->arg, row);
}

static bool read_alone(struct pg *pg, const char *name, const struct pg_args *args, struct counted *co, struct fault *f)
{
    bool ok = send_statement(pg, name, args, f);
    if (ok && (!PQpipelineSync(pg->c) || !flush(pg, f)))
        return pg->c ? pg_lost(pg, PQerrorMessage(pg->c), f) : false;
    ok = ok && collect(pg, count_row, co, f);
    if (!pg->c)
        return false;
    struct fault other = { 0 };
    return collect_sync(pg, ok ? f : &other) && ok;
}

bool pg_read(struct pg *pg, size_t statement, const struct pg_args *args, void (*each)(void *arg, const struct pg_row *row), void *arg, struct fault *f)
{
    char name[PG_NAME_MAX];
    statement_name(statement, name);
    if (pg->group) {
        if (!pg->c)
            return pg_lost(pg, "earlier in this group", f);
        return send_statement(pg, name, args, f) && read_in_group(pg, each, arg, f);
    }
    struct counted co = { each, arg, 0 };
    for (int tries = 0;; tries++) {
        if (!pg_connected(pg, f))
            return false;
        struct fault why = { 0 };
        if (read_alone(pg, name, args, &co, &why))
            return true;
        if (pg->c || co.n || tries) { /* what was told once is not told again */
            *f = why;
            return false;
        }
    }
}
