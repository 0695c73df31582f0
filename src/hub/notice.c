#include "hub/notice.h"
#include "hub/notice_send.h"
#include "hub/state.h"
#include "hub/storage.h"
#include "hub/storage_set.h"
#include "wire/js.h"
#include <unistd.h>

enum { JOURNAL_LOOK_MS = 2000, STATE_BYTES = 2048, HOST_MAX = 256 };
#define SERVICE SL("dragoman")
#define STARTS  SL("s:starts")

/* clang-format off */
static const struct notice_row {
    slice kind, family, head, verb;
    enum notice_topic topic;
    enum notice_colour colour;
    enum notice_act act;
    int64_t patience_ms, again_ms;
} rows[NOTICE_KINDS] = {
#define X(e, kind, family, topic, colour, act, head, verb, patience_ms, again_ms) \
    [e] = { SLI(kind), SLI(family), SLI(head), SLI(verb), NOTICE_##topic, NOTICE_##colour, NOTICE_##act, patience_ms, again_ms },
#include "hub/notices.def"
#undef X
};
/* clang-format on */

/* Something that is wrong, until it is over. */
struct problem {
    struct problem *next;
    uint64_t hash;
    enum notice_kind kind;
    int64_t first_ms, told_ms; /* monotonic; told_ms 0: not yet */
    int64_t since_ms;          /* wall clock */
    unsigned count;            /* reported since it was told */
    bool known;                /* it was told once, of whatever kind it was then */
    bool old;                  /* by an earlier process; not reported to this one */
    struct told *told;         /* what to tell */
    char key[];
};
struct starts { /* of late, of this data directory */
    struct arena *a;
    struct js_list at; /* slices, RFC 3339 */
    int64_t told_ms;
};
struct notices {
    struct hub *h;
    struct arena *a;
    struct sender *sender;
    slice environment, instance;
    struct problem *problems;
    size_t n_problems;
    bool full_logged, restless;
    struct starts starts; /* earlier ones */
    struct loop_timer tick;
    int64_t started_ms, stop_by_ms; /* monotonic */
};

static void tick(void *arg);

/* ---- keys ---------------------------------------------------------------------------------------------------------------- */

struct key {
    char text[NOTICE_KEY_MAX + 1];
    uint64_t hash;
};

/* "dragoman/prod/subscription/acme/line"; of a part "dragoman/prod/storage/dg-0a1b2c3d4e/local": not the instance, whose name changes with each pod. */
static struct key key_of(const struct notices *ns, enum notice_kind kind, const struct actor *actor, slice part)
{
    struct key k;
    slice id = actor ? actor->account.id : slice_of(ns->h->key_prefix);
    snprintf(k.text, sizeof(k.text), SLF "/" SLF "%s" SLF "/" SLF "%s" SLF, SLA(SERVICE), SLA(ns->environment), ns->environment.n ? "/" : "", SLA(rows[kind].family),
             SLA(id), part.n ? "/" : "", SLA(part));
    k.hash = slice_hash(slice_of(k.text));
    return k;
}

static struct problem **problem_at(struct notices *ns, const struct key *k)
{
    struct problem **at = &ns->problems;
    while (*at && ((*at)->hash != k->hash || strcmp((*at)->key, k->text) != 0))
        at = &(*at)->next;
    return at;
}

static struct problem *problem_new(struct notices *ns, const struct key *k, enum notice_kind kind)
{
    size_t n = strlen(k->text) + 1;
    struct problem *p = must_calloc(1, sizeof(*p) + n);
    memcpy(p->key, k->text, n);
    p->hash = k->hash;
    p->kind = kind;
    p->next = ns->problems;
    ns->problems = p;
    ns->n_problems++;
    return p;
}

static void problem_free(struct notices *ns, struct problem **at)
{
    struct problem *p = *at;
    *at = p->next;
    ns->n_problems--;
    told_release(p->told);
    free(p);
}

/* ---- across restarts -------------------------------------------------------------------------------------------------------- */

static slice state_name(struct arena *a, const struct problem *p)
{
    return arena_printf(a, "n:%s", p->key);
}

/* value absent: forget */
static void keep(struct notices *ns, slice key, slice value)
{
    struct hub *h = ns->h;
    if (!h->journal || !h->state)
        return;
    struct jbatch *b = jbatch_new(h->journal);
    state_put(h->state, b, key, value);
    jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
}

struct kept {
    slice kind, account;
    int64_t since_ms;
};
static const struct js_field kept_fields[] = {
    JS_FIELD(struct kept, kind, "kind", JS_STR, JS_REQ),
    JS_FIELD(struct kept, account, "account", JS_STR, 0),
    JS_FIELD(struct kept, since_ms, "since", JS_TIME, 0),
};

static void problem_keep(struct notices *ns, const struct problem *p)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct kept k = { rows[p->kind].kind, p->told ? p->told->n.account : SLICE_NONE, p->since_ms };
    struct jw w = jw_new(a, STATE_BYTES);
    jw_open(&w, NULL, '{');
    jw_fields(&w, kept_fields, COUNT(kept_fields), &k);
    jw_close(&w, '}');
    keep(ns, state_name(a, p), jw_done(&w));
}

static void problem_forget(struct notices *ns, const struct problem *p)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    keep(ns, state_name(a, p), SLICE_NONE);
}

/* ---- what is told ------------------------------------------------------------------------------------------------------------ */

static slice one_line(struct arena *a, slice s)
{
    char *p = arena_cstr(a, utf8_cut(utf8_repair(a, s), NOTICE_REASON_CHARS));
    size_t n = strlen(p);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
            p[i] = ' ';
    return slice_trim(slice_mem(p, n));
}

static struct notice notice_of(const struct notices *ns, enum notice_kind kind, const char *key)
{
    const struct notice_row *row = &rows[kind];
    return (struct notice){ .kind = row->kind, .topic = row->topic, .colour = row->colour, .act = row->act, .head = slice_or(row->head, SERVICE), .verb = row->verb,
                            .service = SERVICE, .instance = ns->instance, .environment = ns->environment, .at_ms = time_now_ms(), .key = slice_of(key) };
}

static void about_account(struct notice *n, const struct actor *actor)
{
    const struct account *acc = &actor->account;
    n->tenant = actor->tenant->name;
    n->tenant_id = slice_or(actor->tenant->id, actor->tenant->slug);
    n->account = acc->id;
    n->party = slice_of(acc->type->title);
    n->network = acc->type->desk ? SLICE_NONE : n->party;
}

static struct told *told_of(const struct notices *ns, enum notice_kind kind, const char *key, const struct actor *actor, slice part, slice reason)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct notice n = notice_of(ns, kind, key);
    if (actor)
        about_account(&n, actor);
    n.reason = one_line(a, reason);
    if (part.n && n.reason.n)
        n.reason = arena_printf(a, SLF ": " SLF, SLA(part), SLA(n.reason));
    else if (part.n)
        n.reason = part;
    return told_new(&n);
}

static void tell(struct notices *ns, struct told *t, bool quietly)
{
    struct log_line *l = log_begin(ns->h->log, LEVEL_DEBUG, "Operators are told");
    log_str(l, "notice", t->n.kind);
    log_str(l, "account", t->n.account);
    log_end(l);
    sender_tell(ns->sender, t, quietly);
    told_release(t);
}

static void tell_problem(struct notices *ns, struct problem *p)
{
    bool first = !p->told_ms;
    struct notice n = p->told->n;
    n.at_ms = time_now_ms();
    n.count = rows[p->kind].patience_ms ? 0 : p->count; /* how often one looks at what lasts says nothing */
    n.since_ms = p->since_ms;
    p->told_ms = time_mono_ms();
    p->known = true;
    p->count = 0;
    tell(ns, told_new(&n), false);
    if (first && p->kind != NOTICE_JOURNAL_FAILS) /* there is nowhere to keep that */
        problem_keep(ns, p);
}

/* ---- problems ------------------------------------------------------------------------------------------------------------------ */

/* When p has something to tell; INT64_MAX: not before it is reported again. */
static int64_t due_ms(const struct notices *ns, const struct problem *p)
{
    unsigned haste = ns->h->limits.notice_haste;
    if (!p->told_ms)
        return p->first_ms + rows[p->kind].patience_ms / haste;
    return p->count ? p->told_ms + rows[p->kind].again_ms / haste : INT64_MAX;
}

static void set_tick(struct notices *ns, int64_t at_ms)
{
    int64_t in_ms = at_ms - time_mono_ms();
    loop_timer_start(ns->h->loop, &ns->tick, MAX(in_ms, (int64_t)1), tick, ns);
}

static void look(struct notices *ns)
{
    int64_t now_ms = time_mono_ms(), next_ms = INT64_MAX;
    for (struct problem *p = ns->problems; p; p = p->next) {
        if (due_ms(ns, p) <= now_ms)
            tell_problem(ns, p);
        next_ms = MIN(next_ms, due_ms(ns, p));
        if (p->kind == NOTICE_JOURNAL_FAILS)
            next_ms = MIN(next_ms, now_ms + JOURNAL_LOOK_MS);
    }
    if (next_ms != INT64_MAX)
        set_tick(ns, next_ms);
}

static void tick(void *arg)
{
    struct notices *ns = arg;
    if (ns->h->stopped)
        return;
    if (journal_healthy(ns->h->journal))
        hub_notice_part(ns->h, NOTICE_JOURNAL_WORKS, SLICE_NONE, SLICE_NONE);
    look(ns);
}

static void over(struct notices *ns, struct problem **at, enum notice_kind kind, const struct actor *actor, slice part)
{
    struct problem *p = *at;
    if (p->known) {
        struct told *t = told_of(ns, kind, p->key, actor, part, SLICE_NONE);
        t->n.since_ms = p->since_ms;
        tell(ns, t, false);
        problem_forget(ns, p);
    }
    problem_free(ns, at);
}

static void begin(struct notices *ns, const struct key *k, enum notice_kind kind, const struct actor *actor, slice part, slice reason)
{
    struct problem *p = *problem_at(ns, k);
    if (!p && ns->n_problems == NOTICE_PROBLEMS_MAX) {
        if (!ns->full_logged)
            log_note(ns->h->log, LEVEL_ERROR, "More problems than operators are told of: %d", NOTICE_PROBLEMS_MAX);
        ns->full_logged = true;
        return;
    }
    if (!p) {
        p = problem_new(ns, k, kind);
        p->first_ms = time_mono_ms();
        p->since_ms = time_now_ms();
    }
    if (kind > p->kind) { /* within a family the later row is the worse one: that is news */
        p->told_ms = 0;
        p->count = 0;
        p->kind = kind;
    }
    if (kind == p->kind && (p->old || !p->told_ms)) {
        told_release(p->told);
        p->told = NULL;
        p->old = false;
    }
    if (!p->told)
        p->told = told_of(ns, p->kind, p->key, actor, part, reason);
    p->count++;
    look(ns);
}

static void notice(struct hub *h, enum notice_kind kind, const struct actor *actor, slice part, slice reason)
{
    struct notices *ns = h->notices;
    if (!ns || h->stopped)
        return;
    if (rows[kind].act == NOTICE_RESOLVE && !ns->problems)
        return;
    if (rows[kind].act != NOTICE_RESOLVE && !sender_any(ns->sender))
        return;
    struct key k = key_of(ns, kind, actor, part);
    if (rows[kind].act == NOTICE_CHANGE) {
        tell(ns, told_of(ns, kind, k.text, actor, part, reason), false);
    } else if (rows[kind].act == NOTICE_TRIGGER) {
        begin(ns, &k, kind, actor, part, reason);
    } else {
        struct problem **at = problem_at(ns, &k);
        if (*at)
            over(ns, at, kind, actor, part);
    }
}

void hub_notice(struct hub *h, enum notice_kind kind, const struct actor *actor, slice reason)
{
    struct notices *ns = h->notices;
    if (actor || !ns || rows[kind].act != NOTICE_RESOLVE) {
        notice(h, kind, actor, SLICE_NONE, reason);
        return;
    }
    for (struct problem **at = &ns->problems; *at;) {
        if (slice_eq(rows[(*at)->kind].family, rows[kind].family))
            over(ns, at, kind, NULL, SLICE_NONE);
        else
            at = &(*at)->next;
    }
}

void hub_notice_part(struct hub *h, enum notice_kind kind, slice part, slice reason)
{
    notice(h, kind, NULL, part, reason);
}

void hub_notice_token(const struct actor *actor, slice name, int64_t left_ms, enum outcome end, const struct fault *f)
{
    struct hub *h = actor->hub;
    char reason[sizeof(f->text) + 64];
    if (end == OUT_DELIVERED) {
        notice(h, NOTICE_TOKEN_WORKS, actor, name, SLICE_NONE);
        return;
    }
    snprintf(reason, sizeof(reason), "%s", f->text);
    if (left_ms > 0)
        snprintf(reason, sizeof(reason), "it lives %lld min more and cannot be renewed: %s", (long long)(left_ms / 60000), f->text);
    notice(h, left_ms > 0 ? NOTICE_TOKEN_EXPIRES : end == OUT_REFUSED ? NOTICE_TOKEN_REFUSED : NOTICE_TOKEN_FAILS, actor, name, slice_of(reason));
}

void hub_notice_dead(const struct actor *target, enum jstate state, enum reason reason, slice why)
{
    if (state == J_DEAD && reason == REASON_CREDENTIALS)
        hub_notice(target->hub, NOTICE_CHANNEL_REFUSED, target, why);
    hub_notice(target->hub, state == J_DEAD ? NOTICE_DEAD_LETTER : NOTICE_UNKNOWN_END, target, why);
}

/* What tells that a problem of this kind is over. */
static enum notice_kind end_of(enum notice_kind kind)
{
    enum notice_kind end = 0;
    while (rows[end].act != NOTICE_RESOLVE || !slice_eq(rows[end].family, rows[kind].family))
        end++;
    return end;
}

void hub_notice_gone(const struct actor *actor)
{
    struct notices *ns = actor->hub->notices;
    for (struct problem **at = ns && !ns->h->stopped ? &ns->problems : NULL; at && *at;) {
        if (slice_eq((*at)->told->n.account, actor->account.id))
            over(ns, at, end_of((*at)->kind), actor, SLICE_NONE);
        else
            at = &(*at)->next;
    }
}

/* ---- start and stop ---------------------------------------------------------------------------------------------------------- */

static enum notice_kind kind_of(slice word)
{
    enum notice_kind kind = 0;
    while (kind < NOTICE_KINDS && !(slice_eq(rows[kind].kind, word) && rows[kind].act == NOTICE_TRIGGER))
        kind++;
    return kind;
}

/* A problem of an earlier process: it may be over by now, or go on. */
static void remembered(void *arg, slice name, slice value)
{
    struct notices *ns = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct kept kept = { 0 };
    const struct js *doc = js_parse(a, arena_dup(a, value), NULL);
    struct key k;
    if (!doc || !js_read(a, doc, kept_fields, COUNT(kept_fields), &kept, NULL) || kind_of(kept.kind) == NOTICE_KINDS || ns->n_problems == NOTICE_PROBLEMS_MAX)
        return;
    snprintf(k.text, sizeof(k.text), SLF, SLA(slice_from(name, 2)));
    k.hash = slice_hash(slice_of(k.text));
    struct problem *p = problem_new(ns, &k, kind_of(kept.kind));
    p->since_ms = kept.since_ms;
    p->first_ms = p->told_ms = time_mono_ms();
    p->known = p->old = true;
    struct notice n = notice_of(ns, p->kind, p->key);
    n.account = kept.account;
    p->told = told_new(&n);
}

static void read_starts(void *arg, slice name, slice value)
{
    struct starts *st = arg;
    (void)name;
    static const struct js_field fields[] = {
        JS_FIELD(struct starts, at, "at", JS_STRLIST, 0),
        JS_FIELD(struct starts, told_ms, "told", JS_TIME, 0),
    };
    const struct js *doc = js_parse(st->a, arena_dup(st->a, value), NULL);
    if (!doc || !js_read(st->a, doc, fields, COUNT(fields), st, NULL))
        *st = (struct starts){ .a = st->a };
}

struct notices *notices_new(struct hub *h, slice environment)
{
    struct notices *ns = must_calloc(1, sizeof(*ns));
    char host[HOST_MAX];
    ns->h = h;
    ns->a = arena_new();
    ns->sender = sender_new(h);
    ns->environment = arena_dup(ns->a, environment);
    if (gethostname(host, sizeof(host)) != 0)
        snprintf(host, sizeof(host), "unknown");
    host[sizeof(host) - 1] = 0;
    ns->instance = arena_dup(ns->a, slice_of(host));
    ns->started_ms = time_mono_ms();
    ns->starts.a = ns->a;
    state_each(h->state, SL("n:"), remembered, ns);
    state_each(h->state, STARTS, read_starts, &ns->starts);
    return ns;
}

void notices_configure(struct notices *ns, const struct notice_target *targets, size_t n)
{
    sender_configure(ns->sender, targets, n);
}

void notices_free(struct notices *ns)
{
    if (!ns)
        return;
    while (ns->problems)
        problem_free(ns, &ns->problems);
    loop_timer_done(&ns->tick);
    sender_free(ns->sender);
    arena_free(ns->a);
    free(ns);
}

/* Remembers this start; how many there were of late, at most one more than are told. *ret_summary: and that is to be told now. */
static size_t count_starts(struct notices *ns, bool *ret_summary)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct starts st = ns->starts;
    int64_t now_ms = time_now_ms(), at_ms;
    struct jw w = jw_new(a, STATE_BYTES);
    size_t n = 0, first = st.at.n > NOTICE_STARTS_MAX ? st.at.n - NOTICE_STARTS_MAX : 0;
    jw_open(&w, NULL, '{');
    jw_open(&w, "at", '[');
    for (size_t i = first; i < st.at.n; i++) {
        slice at = ((const slice *)st.at.items)[i];
        if (!time_parse_rfc3339(at, &at_ms) || at_ms > now_ms || now_ms - at_ms > NOTICE_STARTS_MS)
            continue;
        jw_str(&w, NULL, at);
        n++;
    }
    jw_time(&w, NULL, now_ms);
    n++;
    jw_close(&w, ']');
    *ret_summary = n > NOTICE_STARTS_MAX && (now_ms - st.told_ms > NOTICE_STARTS_MS || st.told_ms > now_ms);
    if (*ret_summary || st.told_ms)
        jw_time(&w, "told", *ret_summary ? now_ms : st.told_ms);
    jw_close(&w, '}');
    keep(ns, STARTS, jw_done(&w));
    return n;
}

static bool of_storage_gone(struct notices *ns, const struct problem *p)
{
    if (end_of(p->kind) != NOTICE_STORAGE_WORKS)
        return false;
    const struct hub *h = ns->h;
    size_t n = h->storages ? storages_count(h) : h->storage != NULL;
    for (size_t i = 0; i < n; i++) {
        const struct storage *s = h->storages ? storages_at(h, i) : h->storage;
        if (strcmp(key_of(ns, p->kind, NULL, s->name).text, p->key) == 0)
            return false;
    }
    return true;
}

/* What nobody else would ever say to be over: problems of accounts and storages that left the configuration, and dead letters that were looked at without us. */
static void forget_gone(struct notices *ns)
{
    int64_t counts[J_STATES];
    journal_counts(ns->h->journal, counts);
    bool none_dead = counts[J_DEAD] + counts[J_UNKNOWN] == 0;
    for (struct problem **at = &ns->problems; *at;) {
        slice account = (*at)->told->n.account;
        enum notice_kind end = end_of((*at)->kind);
        if ((account.n && !hub_actor(ns->h, account)) || of_storage_gone(ns, *at) || (end == NOTICE_DEAD_LOOKED_AT && none_dead))
            over(ns, at, end, NULL, SLICE_NONE);
        else
            at = &(*at)->next;
    }
}

void notices_started(struct notices *ns)
{
    if (!sender_any(ns->sender))
        return;
    bool summary;
    size_t n = count_starts(ns, &summary);
    struct key service = key_of(ns, NOTICE_STARTED, NULL, SLICE_NONE);
    ns->restless = n > NOTICE_STARTS_MAX;
    if (summary) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice why = arena_printf(a, "%zu times or more in %d minutes", n, NOTICE_STARTS_MS / 60000);
        tell(ns, told_of(ns, NOTICE_STARTED_OFTEN, service.text, NULL, SLICE_NONE, why), false);
    } else if (!ns->restless) {
        struct notice started = notice_of(ns, NOTICE_STARTED, service.text);
        started.version = SL(DRAGOMAN_VERSION);
        tell(ns, told_new(&started), false);
    }
    struct key journal = key_of(ns, NOTICE_JOURNAL_WORKS, NULL, SLICE_NONE);
    tell(ns, told_of(ns, NOTICE_JOURNAL_WORKS, journal.text, NULL, SLICE_NONE, SLICE_NONE), true);
    forget_gone(ns);
}

void notices_stopping(struct notices *ns, slice reason)
{
    ns->stop_by_ms = time_mono_ms() + NOTICE_STOP_MS;
    if (ns->restless || !sender_any(ns->sender))
        return;
    struct key service = key_of(ns, NOTICE_STOPPING, NULL, SLICE_NONE);
    struct notice n = notice_of(ns, NOTICE_STOPPING, service.text);
    n.reason = reason;
    n.uptime_ms = time_mono_ms() - ns->started_ms;
    struct told *t = told_new(&n);
    sender_farewell(ns->sender, t);
    told_release(t);
}

bool notices_idle(const struct notices *ns)
{
    return sender_idle(ns->sender) || time_mono_ms() >= ns->stop_by_ms;
}

/* ---- for operators -------------------------------------------------------------------------------------------------------------- */

void notices_each(const struct notices *ns, void (*each)(void *arg, const struct notice_standing *s), void *arg)
{
    sender_each(ns->sender, each, arg);
}

bool notices_test(struct notices *ns, slice name, void (*done)(void *arg, const struct notice_tested *t), void *arg)
{
    struct key k = key_of(ns, NOTICE_TEST, NULL, name);
    struct notice n = notice_of(ns, NOTICE_TEST, k.text);
    n.version = SL(DRAGOMAN_VERSION);
    struct told *t = told_new(&n);
    bool ok = sender_test(ns->sender, name, t, done, arg);
    told_release(t);
    return ok;
}

void notice_standing_write(struct jw *w, const struct notice_standing *s)
{
    jw_str(w, "name", s->name);
    jw_str(w, "type", slice_of(s->type->name));
    jw_open(w, "topics", '[');
    for (size_t i = 0; i < NOTICE_TOPICS; i++)
        if (s->topics[i])
            jw_str(w, NULL, slice_of(notice_topics[i]));
    jw_close(w, ']');
    jw_str(w, "state", slice_of(s->state));
    jw_opt(w, "why", slice_of(s->why));
    jw_int(w, "queued", (int64_t)s->queued);
    jw_int(w, "sent", (int64_t)s->sent);
    jw_int(w, "refused", (int64_t)s->refused);
    jw_int(w, "dropped", (int64_t)s->dropped);
    if (s->last_ms)
        jw_time(w, "last", s->last_ms);
}
