/* conversations.c - conversations and messages as people look at them, out of the history. */
#include "api/audit.h"
#include "api/told.h"
#include "hub/message.h"
#include "hub/registry.h"

enum { SEARCH_MIN = 3 };

/* ---- pages ----------------------------------------------------------------------------------------------------------- */

bool told_account(struct api_call *c, slice tenant, slice channel, slice *ret)
{
    *ret = channel;
    if (channel.n || !tenant.n)
        return true;
    const struct registry_entry *e = registry_find(c->hub, tenant);
    if (e)
        *ret = arena_printf(c->a, SLF "/", SLA(e->slug));
    else
        api_not_found(c, "tenant", tenant);
    return e != NULL;
}

struct told *told_page(struct api_call *c, const char *cursor)
{
    int64_t limit, before;
    if (!api_query_number(c, "limit", 1, TOLD_PAGE_MAX, TOLD_PAGE, &limit) || !api_query_number(c, cursor, 1, INT64_MAX, 0, &before))
        return NULL;
    struct told *t = ARENA_NEW(c->a, struct told);
    *t = (struct told){ .c = c, .w = api_json(c), .limit = (size_t)limit, .before = before };
    jw_open(&t->w, "items", '[');
    return t;
}

void told_next(struct jw *w, slice next)
{
    if (next.n)
        jw_str(w, "next", next);
    else
        jw_null(w, "next");
}

void told_failed(struct api_call *c, const struct fault *f)
{
    if (strcmp(f->code, "off") == 0)
        api_fault(c, 409, f);
    else
        api_problem(c, 503, "unavailable", NULL, "the history cannot be read now; try again");
}

/* JSON as it was stored; a text where it was cut. */
static void write_json(struct jw *w, const char *key, slice json)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (!json.n)
        return;
    if (js_parse(a, json, NULL))
        jw_raw(w, key, json);
    else
        jw_str(w, key, json);
}

void told_write(struct jw *w, const struct history_message *m)
{
    bool known = m->state >= 0 && m->state < J_STATES;
    jw_int(w, "id", m->id);
    jw_str(w, "conversation", m->conversation);
    jw_str(w, "to", m->target);
    jw_str(w, "way", m->way == HISTORY_OUT ? SL("out") : SL("in"));
    jw_str(w, "kind", m->kind);
    jw_str(w, "state", slice_of(known ? jstate_names[m->state] : "unknown"));
    if (m->status > STATUS_NONE && m->status < STATUS_MAX)
        jw_str(w, "status", slice_of(status_names[m->status]));
    jw_time(w, "at", m->at_ms);
    if (m->ended_ms)
        jw_time(w, "ended", m->ended_ms);
    jw_int(w, "tries", m->tries);
    jw_str(w, "text", m->text);
    jw_opt(w, "vendor_id", m->vendor_id);
    write_json(w, "message", m->body);
    write_json(w, "media", m->media);
    write_json(w, "note", m->note);
}

void told_message(void *arg, const struct history_message *m)
{
    struct told *t = arg;
    if (t->n == t->limit) {
        t->more = true;
        return;
    }
    t->n++;
    t->last = m->id;
    jw_open(&t->w, NULL, '{');
    told_write(&t->w, m);
    jw_close(&t->w, '}');
}

void told_done(void *arg, const struct fault *f)
{
    struct told *t = arg;
    if (f) {
        told_failed(t->c, f);
        return;
    }
    jw_close(&t->w, ']');
    told_next(&t->w, t->more ? arena_printf(t->c->a, "%lld", (long long)t->last) : SLICE_NONE);
    api_answer(t->c, &t->w);
}

/* ---- conversations --------------------------------------------------------------------------------------------------- */

struct listing {
    struct api_call *c;
    struct jw w;
    size_t n, limit;
    slice next, cursor;
};

static void write_conversation(struct api_call *c, struct jw *w, const struct history_conversation *v)
{
    slice guest = v->id, channel_id = slice_cut(&guest, ':');
    const struct actor *channel = hub_actor(c->hub, channel_id);
    jw_str(w, "id", v->id);
    jw_str(w, "channel", channel_id);
    jw_str(w, "guest", guest);
    jw_str(w, "name", v->name);
    write_json(w, "person", v->person);
    jw_str(w, "tenant", channel ? channel->tenant->name : SL(""));
    jw_str(w, "tenant_id", channel ? channel->tenant->id : SL(""));
    jw_str(w, "network", channel ? slice_of(channel->account.type->title) : SL(""));
    jw_bool(w, "open", v->open);
    jw_int(w, "messages", v->messages);
    jw_int(w, "last_id", v->last_id);
    jw_time(w, "last", v->last_ms);
    jw_str(w, "last_text", v->last_text);
    jw_str(w, "last_kind", v->last_kind);
    jw_str(w, "last_way", v->last_way == HISTORY_OUT ? SL("out") : SL("in"));
}

static void list_one(void *arg, const struct history_conversation *v)
{
    struct listing *li = arg;
    if (li->n++ == li->limit) {
        li->next = li->cursor;
        return;
    }
    li->cursor = arena_printf(li->c->a, "%lld.%lld", (long long)v->last_ms, (long long)v->last_id);
    jw_open(&li->w, NULL, '{');
    write_conversation(li->c, &li->w, v);
    jw_close(&li->w, '}');
}

static void listed(void *arg, const struct fault *f)
{
    struct listing *li = arg;
    if (f) {
        told_failed(li->c, f);
        return;
    }
    jw_close(&li->w, ']');
    told_next(&li->w, li->next);
    api_answer(li->c, &li->w);
}

void api_conversations_list(struct api_call *c)
{
    int64_t limit;
    slice after = api_query(c, "after"), open = api_query(c, "open");
    bool yes = slice_eq(open, SL("true")), no = slice_eq(open, SL("false"));
    struct history_query q = { .text = api_query(c, "q"), .open = yes - no };
    if (open.n && !yes && !no) {
        api_problem(c, 400, "out_of_range", "open", "must be true or false");
        return;
    }
    if (!api_query_number(c, "limit", 1, TOLD_PAGE_MAX, TOLD_PAGE, &limit) || !told_account(c, api_query(c, "tenant"), api_query(c, "channel"), &q.account))
        return;
    if (after.n && (!slice_int(slice_cut(&after, '.'), &q.before_ms) || !slice_int(after, &q.before_id))) {
        api_problem(c, 400, "out_of_range", "after", "is no cursor of this list");
        return;
    }
    struct listing *li = ARENA_NEW(c->a, struct listing);
    *li = (struct listing){ .c = c, .w = api_json(c), .limit = (size_t)limit };
    q.limit = li->limit + 1;
    jw_open(&li->w, "items", '[');
    history_conversations(c->hub->history, &q, list_one, listed, li);
}

static void got_one(void *arg, const struct history_conversation *v)
{
    struct listing *li = arg;
    li->n++;
    write_conversation(li->c, &li->w, v);
}

static void got(void *arg, const struct fault *f)
{
    struct listing *li = arg;
    if (f)
        told_failed(li->c, f);
    else if (!li->n)
        api_not_found(li->c, "conversation", li->c->params[0]);
    else
        api_answer(li->c, &li->w);
}

void api_conversations_get(struct api_call *c)
{
    struct listing *li = ARENA_NEW(c->a, struct listing);
    *li = (struct listing){ .c = c, .w = api_json(c) };
    history_conversation(c->hub->history, c->params[0], got_one, got, li);
}

static void erased(void *arg, const struct fault *f)
{
    struct api_call *c = arg;
    if (f) {
        told_failed(c, f);
        return;
    }
    audit_note(c, "conversation.erase", c->params[0], SLICE_NONE);
    api_empty(c);
}

void api_conversations_erase(struct api_call *c)
{
    history_erase(c->hub->history, c->params[0], erased, c);
}

void api_conversations_messages(struct api_call *c)
{
    struct told *t = told_page(c, "before");
    if (!t)
        return;
    struct history_page page = { .before_id = t->before, .limit = t->limit + 1 };
    history_messages(c->hub->history, c->params[0], &page, told_message, told_done, t);
}

/* ---- messages -------------------------------------------------------------------------------------------------------- */

void api_messages_search(struct api_call *c)
{
    slice text = api_query(c, "q"), account;
    if (utf8_len(text) < SEARCH_MIN) {
        api_problem(c, 400, "out_of_range", "q", "must have at least %d characters", SEARCH_MIN);
        return;
    }
    if (!told_account(c, api_query(c, "tenant"), api_query(c, "channel"), &account))
        return;
    struct told *t = told_page(c, "before");
    if (!t)
        return;
    struct history_page page = { .before_id = t->before, .limit = t->limit + 1 };
    history_search(c->hub->history, text, account, &page, told_message, told_done, t);
}

static void trace_message(void *arg, const struct history_message *m)
{
    struct told *t = arg;
    t->n++;
    told_write(&t->w, m);
    jw_open(&t->w, "trace", '[');
}

static void trace_line(void *arg, int64_t at_ms, slice op, slice note)
{
    struct told *t = arg;
    if (!t->n)
        return;
    jw_open(&t->w, NULL, '{');
    jw_time(&t->w, "at", at_ms);
    jw_str(&t->w, "what", op);
    write_json(&t->w, "note", note);
    jw_close(&t->w, '}');
}

static void traced(void *arg, const struct fault *f)
{
    struct told *t = arg;
    if (f) {
        told_failed(t->c, f);
    } else if (!t->n) {
        api_not_found(t->c, "message", t->c->params[0]);
    } else {
        jw_close(&t->w, ']');
        api_answer(t->c, &t->w);
    }
}

/* Its number, or a delivery key, which ends in it: "dg-0011223344-17". */
void api_messages_get(struct api_call *c)
{
    int64_t id;
    slice text = c->params[0];
    size_t dash = slice_find_last(text, '-');
    if (slice_starts(text, SL("dg-")))
        text = slice_from(text, dash + 1);
    if (!slice_int(text, &id) || id <= 0) {
        api_not_found(c, "message", c->params[0]);
        return;
    }
    struct told *t = ARENA_NEW(c->a, struct told);
    *t = (struct told){ .c = c, .w = api_json(c) };
    history_message(c->hub->history, id, trace_message, trace_line, traced, t);
}
