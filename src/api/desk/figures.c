/* figures.c - how queues and agents are doing, for supervisors: counted from the interactions of the day, and a look every minute. */
#include "api/desk/inside.h"
#include "hub/message.h"

enum { MINUTES = 60, MINUTE_MS = 60000, NAMES_MAX = QUEUES_MAX + 100, SLOTS = 2048, FIGURES_BYTES = 4 << 20 };

struct sample {
    int64_t at_ms, waiting, answered, abandoned;
};
struct line { /* of one queue */
    struct line *next;
    slice name;
    struct sample samples[MINUTES];
    size_t n, at; /* ring */
    bool seen;
};
struct figures {
    struct line *lines;
    int64_t sampled_ms;
    slice told_queues, told_agents; /* last, so that nothing is told twice */
};

struct figures *figures_new(void)
{
    return must_calloc(1, sizeof(struct figures));
}

void figures_free(struct figures *fg)
{
    if (!fg)
        return;
    for (struct line *l = fg->lines, *next; l; l = next) {
        next = l->next;
        interaction_set(&l->name, SLICE_NONE);
        free(l);
    }
    interaction_set(&fg->told_queues, SLICE_NONE);
    interaction_set(&fg->told_agents, SLICE_NONE);
    free(fg);
}

/* ---- which queues there are --------------------------------------------------------------------------------------------------------------- */

struct tally { /* of one queue */
    slice name;
    struct queue_rules rules;
    int64_t from_ms; /* what is counted of a time, is counted from here on */
    int64_t waiting, longest_ms, open, held, answered, abandoned, in_time, waited_ms;
};
struct tallies {
    struct tally items[NAMES_MAX];
    size_t n;
    uint16_t slots[SLOTS]; /* by name: 1 + index, 0: none */
};

/* make false: NULL when there is none. */
static struct tally *tally_of(struct tallies *ts, slice name, bool make)
{
    size_t at = slice_hash(name) % SLOTS;
    for (; ts->slots[at]; at = (at + 1) % SLOTS)
        if (slice_eq(ts->items[ts->slots[at] - 1].name, name))
            return &ts->items[ts->slots[at] - 1];
    if (!make || !name.n || ts->n == NAMES_MAX)
        return NULL;
    ts->items[ts->n].name = name;
    ts->slots[at] = (uint16_t)++ts->n;
    return &ts->items[ts->n - 1];
}

static struct tallies *tallies_new(const struct desk *desk, struct arena *a)
{
    struct tallies *ts = ARENA_NEW(a, struct tallies);
    for (const struct queue *q = queues_first(desk->queues); q; q = q->next)
        (void)tally_of(ts, q->name, true);
    for (size_t i = 0; i < desk->hub->n_actors; i++) {
        const struct actor *actor = desk->hub->actors[i];
        if (actor->retired || actor->account.type != &connector_builtin)
            continue;
        (void)tally_of(ts, actor->account.settings[BUILTIN_QUEUE], true);
        (void)tally_of(ts, actor->account.settings[BUILTIN_OVERFLOW_QUEUE], true);
    }
    (void)tally_of(ts, SL(BUILTIN_UNDELIVERED), true);
    for (const struct interaction *it = interactions_first(desk->all); it; it = it->next)
        (void)tally_of(ts, it->queue, true);
    return ts;
}

struct js_list figures_queues(const struct desk *desk, struct arena *a)
{
    struct js_list names = { NULL, 0 };
    const struct tallies *ts = tallies_new(desk, a);
    for (size_t i = 0; i < ts->n; i++)
        *LIST_ADD(a, &names, slice) = ts->items[i].name;
    return names;
}

bool desk_has_queue(const struct desk *desk, slice name)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    return tally_of(tallies_new(desk, a), name, false) != NULL;
}

/* ---- counting ------------------------------------------------------------------------------------------------------------------------------- */

static void count_one(const struct interaction *it, int64_t now_ms, struct tally *to)
{
    if (it->state == DESK_QUEUED || it->state == DESK_INVITED) {
        to->waiting++;
        to->longest_ms = MAX(to->longest_ms, now_ms - it->queued_ms);
    }
    to->open += it->state == DESK_OPEN;
    to->held += it->state == DESK_HELD;
    if (it->first_accepted_ms >= to->from_ms && it->first_number) { /* what agents began themselves had nobody waiting */
        int64_t waited_ms = it->first_accepted_ms - it->created_ms;
        to->answered++;
        to->waited_ms += waited_ms;
        to->in_time += waited_ms <= to->rules.service_ms;
    }
    to->abandoned += it->abandoned && it->done_ms >= to->from_ms;
}

static const struct actor *desk_of_queue(const struct desk *desk, slice queue)
{
    const struct actor *any = NULL;
    for (size_t i = 0; i < desk->hub->n_actors; i++) {
        const struct actor *actor = desk->hub->actors[i];
        if (actor->retired || actor->account.type != &connector_builtin)
            continue;
        if (slice_eq(actor->account.settings[BUILTIN_QUEUE], queue))
            return actor;
        any = any ? any : actor;
    }
    return any;
}

/* from_ms 0: since midnight, where the queue is. */
static struct tallies *tally_all(struct desk *desk, struct arena *a, int64_t now_ms, int64_t from_ms)
{
    struct tallies *ts = tallies_new(desk, a);
    for (size_t i = 0; i < ts->n; i++) {
        struct tally *t = &ts->items[i];
        t->rules = queue_rules(desk->queues, t->name, desk_of_queue(desk, t->name));
        t->from_ms = from_ms ? from_ms : desk_day_ms(desk, t->rules.zone, now_ms);
    }
    const struct interaction *const lists[] = { interactions_first(desk->all), interactions_first_done(desk->all) };
    for (size_t i = 0; i < COUNT(lists); i++) {
        for (const struct interaction *it = lists[i]; it; it = it->next) {
            struct tally *t = tally_of(ts, it->queue, false);
            if (t)
                count_one(it, now_ms, t);
        }
    }
    return ts;
}

static struct line *line_of(struct figures *fg, slice name)
{
    for (struct line *l = fg->lines; l; l = l->next)
        if (slice_eq(l->name, name))
            return l;
    struct line *l = must_calloc(1, sizeof(*l));
    interaction_set(&l->name, name);
    l->next = fg->lines;
    fg->lines = l;
    return l;
}

static void sample(struct desk *desk, int64_t now_ms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct figures *fg = desk->figures;
    int64_t minute_ms = now_ms - now_ms % MINUTE_MS;
    if (fg->sampled_ms == minute_ms)
        return;
    const struct tallies *ts = tally_all(desk, a, now_ms, minute_ms - MINUTE_MS);
    for (struct line *l = fg->lines; l; l = l->next)
        l->seen = false;
    for (size_t i = 0; i < ts->n; i++) {
        const struct tally *t = &ts->items[i];
        struct line *l = line_of(fg, t->name);
        l->samples[l->at] = (struct sample){ minute_ms, t->waiting, t->answered, t->abandoned };
        l->at = (l->at + 1) % MINUTES;
        l->n = MIN(l->n + 1, (size_t)MINUTES);
        l->seen = true;
    }
    for (struct line **at = &fg->lines, *l; (l = *at);) { /* queues that are no more */
        if (l->seen) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        interaction_set(&l->name, SLICE_NONE);
        free(l);
    }
    fg->sampled_ms = minute_ms;
}

/* ---- as JSON ----------------------------------------------------------------------------------------------------------------------------- */

static void show_series(struct jw *w, const struct figures *fg, slice name)
{
    const struct line *l = fg->lines;
    while (l && !slice_eq(l->name, name))
        l = l->next;
    jw_open(w, "series", '[');
    for (size_t i = 0; l && i < l->n; i++) {
        const struct sample *s = &l->samples[(l->at + MINUTES - l->n + i) % MINUTES];
        jw_open(w, NULL, '{');
        jw_int(w, "at_ms", s->at_ms);
        jw_int(w, "waiting", s->waiting);
        jw_int(w, "answered", s->answered);
        jw_int(w, "abandoned", s->abandoned);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void show_queue(struct desk *desk, struct jw *w, const struct tally *t)
{
    const struct queue *q = queue_find(desk->queues, t->name);
    int64_t on = 0, ready = 0;
    for (const struct agent *m = desk->members; m; m = m->next) {
        const struct login *l = m->ready || m->pages ? login_find(desk->api->logins, slice_of(m->user)) : NULL;
        if (!l || !route_serves(&l->is, t->name))
            continue;
        ready += m->ready;
        on++;
    }
    jw_open(w, NULL, '{');
    jw_str(w, "name", t->name);
    jw_str(w, "title", q ? slice_or(q->title, t->name) : t->name);
    jw_int(w, "waiting", t->waiting);
    jw_int(w, "longest_ms", t->longest_ms);
    jw_int(w, "open", t->open);
    jw_int(w, "held", t->held);
    jw_int(w, "agents_ready", ready);
    jw_int(w, "agents_on", on);
    jw_int(w, "answered_today", t->answered);
    jw_int(w, "abandoned_today", t->abandoned);
    jw_double(w, "service_level", t->answered ? (double)t->in_time / (double)t->answered : 1);
    jw_int(w, "avg_wait_ms", t->answered ? t->waited_ms / t->answered : 0);
    show_series(w, desk->figures, t->name);
    jw_close(w, '}');
}

static void show_queues(struct desk *desk, struct jw *w, const char *key, int64_t now_ms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct tallies *ts = tally_all(desk, a, now_ms, 0);
    for (struct agent *m = desk->members; m; m = m->next)
        m->pages = pages_of(desk, slice_of(m->user));
    jw_open(w, key, '[');
    for (size_t i = 0; i < ts->n; i++)
        show_queue(desk, w, &ts->items[i]);
    jw_close(w, ']');
}

static void show_agents(struct desk *desk, struct jw *w, const char *key, int64_t now_ms)
{
    desk_count(desk);
    jw_open(w, key, '[');
    for (const struct login *l = login_first(desk->api->logins); l; l = l->next) {
        slice user = slice_of(l->user);
        const struct agent *m = desk_member(desk, user);
        bool on = pages_of(desk, user) > 0;
        jw_open(w, NULL, '{');
        jw_str(w, "user", user);
        jw_str(w, "display_name", login_name(l));
        jw_str(w, "role", slice_of(role_names[l->role]));
        jw_bool(w, "on", on);
        jw_open(w, "media", '{');
        jw_open(w, "chat", '{');
        jw_str(w, "state", m->ready ? SL("ready") : SL("not-ready"));
        jw_opt(w, "reason", m->reason);
        jw_int(w, "capacity", l->is.capacity);
        jw_int(w, "open", m->open);
        jw_close(w, '}');
        jw_close(w, '}');
        jw_int(w, "since_ms", m->since_ms);
        jw_open(w, "open", '[');
        for (const struct interaction *it = m->holds_some ? interactions_first(desk->all) : NULL; it; it = it->next)
            if (slice_eq(interaction_owner(it), user))
                jw_str(w, NULL, it->id);
        jw_close(w, ']');
        jw_int(w, "answered_today", desk_answered_today(desk, m, now_ms));
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

void api_desk_queues(struct api_call *c)
{
    struct jw w = api_json(c);
    show_queues(call_desk(c), &w, "items", time_now_ms());
    api_answer(c, &w);
}

void api_desk_agents(struct api_call *c)
{
    struct jw w = api_json(c);
    show_agents(call_desk(c), &w, "items", time_now_ms());
    api_answer(c, &w);
}

/* ---- told ------------------------------------------------------------------------------------------------------------------------------------ */

static void tell(struct desk *desk, const char *event, slice *told, slice json)
{
    if (!json.p || slice_eq(*told, json))
        return;
    interaction_set(told, json);
    desk_tell_watchers(desk, event, json);
}

void figures_tick(struct desk *desk, int64_t now_ms)
{
    sample(desk, now_ms);
    if (!watchers(desk))
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, FIGURES_BYTES), v = jw_new(a, FIGURES_BYTES);
    show_queues(desk, &w, NULL, now_ms);
    tell(desk, "queues", &desk->figures->told_queues, jw_done(&w));
    show_agents(desk, &v, NULL, now_ms);
    tell(desk, "agents", &desk->figures->told_agents, jw_done(&v));
}
