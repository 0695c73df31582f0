/* letters.c - the journal: counts, dead letters, and what an operator does with them. */
#include "api/audit.h"
#include "api/call.h"
#include "api/told.h"
#include "hub/deliver.h"
#include "hub/notice.h"

enum { DETAIL_MAX = 4000, DETAIL_IDS = 100 };

void api_journal_counts(struct api_call *c)
{
    int64_t n[J_STATES], accepted = 0;
    journal_counts(c->hub->journal, n);
    struct jw w = api_json(c);
    for (size_t i = 0; i < J_STATES; i++) {
        jw_int(&w, jstate_names[i], n[i]);
        accepted += n[i];
    }
    jw_int(&w, "accepted", accepted);
    jw_int(&w, "lanes", journal_lanes(c->hub->journal));
    api_answer(c, &w);
}

/* "reason":"blocked" as it stands in the note of what ended it. */
static slice reason_note(struct arena *a, slice reason)
{
    if (!reason.n)
        return SLICE_NONE;
    struct jw w = jw_new(a, 256);
    jw_str(&w, NULL, utf8_cut_bytes(reason, 64));
    return arena_printf(a, "\"reason\":" SLF, SLA(jw_done(&w)));
}

static int state_of(slice name)
{
    return slice_eq(name, SL("dead")) ? J_DEAD : slice_eq(name, SL("unknown")) ? J_UNKNOWN : 0;
}

void api_journal_dead(struct api_call *c)
{
    struct history_failed q = { .target = api_query(c, "account"), .note = reason_note(c->a, api_query(c, "reason")), .text = api_query(c, "q") };
    q.state = state_of(api_query(c, "state"));
    if (api_query(c, "state").n && !q.state) {
        api_problem(c, 400, "out_of_range", "state", "must be dead or unknown");
        return;
    }
    if (!told_account(c, api_query(c, "tenant"), api_query(c, "channel"), &q.account))
        return;
    struct told *t = told_page(c, "after");
    if (!t)
        return;
    q.before_id = t->before;
    q.limit = t->limit + 1;
    history_failed(c->hub->history, &q, told_message, told_done, t);
}

/* ---- replay, discard ------------------------------------------------------------------------------------------------- */

struct deciding {
    struct api_call *c;
    bool replay;
    struct js_list ids;       /* int64_t */
    struct js_list discarded; /* int64_t: those of them that were open or dead */
    size_t done;
};

static void decided(void *arg, bool ok)
{
    struct deciding *de = arg;
    struct api_call *c = de->c;
    if (!ok) {
        api_not_stored(c, NULL);
        return;
    }
    for (size_t i = 0; i < de->discarded.n; i++) /* what is under way for them ends */
        deliver_discarded(c->hub, (uint64_t)*LIST_AT(de->discarded, int64_t, i));
    if (de->done)
        hub_notice(c->hub, NOTICE_DEAD_LOOKED_AT, NULL, SLICE_NONE);
    struct jw d = jw_new(c->a, DETAIL_MAX);
    jw_open(&d, NULL, '{');
    jw_int(&d, "asked", (int64_t)de->ids.n);
    jw_int(&d, "done", (int64_t)de->done);
    jw_open(&d, "ids", '[');
    for (size_t i = 0; i < de->ids.n && i < DETAIL_IDS; i++)
        jw_int(&d, NULL, *LIST_AT(de->ids, int64_t, i));
    jw_close(&d, ']');
    jw_close(&d, '}');
    audit_note(c, de->replay ? "journal.replay" : "journal.discard", SL(""), jw_done(&d));
    struct jw w = api_json(c);
    jw_int(&w, "asked", (int64_t)de->ids.n);
    jw_int(&w, "done", (int64_t)de->done);
    api_answer(c, &w);
}

static void decide(struct deciding *de)
{
    struct api_call *c = de->c;
    struct jw note = jw_new(c->a, 1024);
    jw_open(&note, NULL, '{');
    jw_str(&note, "by", c->user);
    jw_close(&note, '}');
    struct jbatch *b = jbatch_new(c->hub->journal);
    for (size_t i = 0; i < de->ids.n; i++) {
        int64_t id = *LIST_AT(de->ids, int64_t, i);
        bool done = de->replay ? jbatch_replay(b, (uint64_t)id, jw_done(&note)) : jbatch_discard(b, (uint64_t)id, jw_done(&note));
        if (done && !de->replay)
            *LIST_ADD(c->a, &de->discarded, int64_t) = id;
        de->done += done;
    }
    jbatch_commit(b, JOURNAL_DURABLE, decided, de);
}

static void found(void *arg, const struct history_message *m)
{
    struct deciding *de = arg;
    *LIST_ADD(de->c->a, &de->ids, int64_t) = m->id;
}

static void searched(void *arg, const struct fault *f)
{
    struct deciding *de = arg;
    if (f) {
        told_failed(de->c, f);
        return;
    }
    for (size_t i = 0, n = de->ids.n; i < n / 2; i++) { /* oldest first: they go to the ends of their lanes in this order */
        int64_t *one = LIST_AT(de->ids, int64_t, i), *other = LIST_AT(de->ids, int64_t, n - 1 - i), was = *one;
        *one = *other;
        *other = was;
    }
    decide(de);
}

static void decide_asked(struct api_call *c, bool replay)
{
    const struct js *ids = js_get(c->body, SL("ids")), *query = js_get(c->body, SL("query"));
    struct deciding *de = ARENA_NEW(c->a, struct deciding);
    *de = (struct deciding){ .c = c, .replay = replay };
    if (!ids == !query) {
        api_problem(c, 400, "invalid", "ids", "either ids or a query");
        return;
    }
    for (size_t i = 0; i < js_len(ids); i++) {
        int64_t id;
        if (js_int(js_item(ids, i), &id) && id > 0)
            *LIST_ADD(c->a, &de->ids, int64_t) = id;
    }
    if (ids) {
        decide(de);
        return;
    }
    struct history_failed q = { .note = reason_note(c->a, js_text(js_get(query, SL("reason")))), .target = js_text(js_get(query, SL("account"))),
                                .text = js_text(js_get(query, SL("q"))), .state = state_of(js_text(js_get(query, SL("state")))), .limit = HISTORY_PAGE_MAX };
    if (!told_account(c, js_text(js_get(query, SL("tenant"))), js_text(js_get(query, SL("channel"))), &q.account))
        return;
    history_failed(c->hub->history, &q, found, searched, de);
}

void api_journal_replay(struct api_call *c)
{
    decide_asked(c, true);
}

void api_journal_discard(struct api_call *c)
{
    decide_asked(c, false);
}
