#include "main/commands.h"
#include "hub/message.h"
#include "hub/state.h"
#include "journal/journal.h"
#include "main/internal.h"
#include "net/loop.h"

/* One message as the records tell it. */
struct told {
    uint64_t id;
    enum jstate state;
    int64_t at_ms, changed_ms;
    unsigned tries;
    slice lane, kind, guest, note, own_id;
};
struct telling {
    struct arena *a;
    struct told *all; /* open addressing, by id */
    size_t cap, n;
    int64_t counts[J_STATES];
};

static struct told *told_of(struct telling *t, uint64_t id)
{
    if (t->n * 2 >= t->cap) {
        struct telling bigger = { .cap = t->cap ? t->cap * 2 : 4096 };
        bigger.all = must_calloc(bigger.cap, sizeof(*bigger.all));
        for (size_t i = 0; i < t->cap; i++)
            if (t->all[i].id)
                *told_of(&bigger, t->all[i].id) = t->all[i];
        free(t->all);
        t->all = bigger.all;
        t->cap = bigger.cap;
        t->n = bigger.n;
    }
    size_t i = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 20) % t->cap;
    while (t->all[i].id && t->all[i].id != id)
        i = (i + 1) % t->cap;
    if (!t->all[i].id) {
        t->all[i].id = id;
        t->n++;
    }
    return &t->all[i];
}

static bool each_record(void *arg, const struct jrecord *r)
{
    struct telling *t = arg;
    if (!r->id || r->op == JOP_PUT || r->copied) /* carried forward out of an old segment: told before */
        return true;
    struct told *m = told_of(t, r->id);
    if (r->op == JOP_ACCEPT) {
        m->at_ms = m->at_ms ? m->at_ms : r->at_ms;
        m->lane = arena_dup(t->a, r->lane);
        CLEANUP(arena_freep) struct arena *a = arena_new();
        const struct js *doc = js_parse(a, r->body, NULL);
        m->kind = arena_dup(t->a, js_text(js_get(doc, SL("kind"))));
        m->guest = arena_dup(t->a, js_text(js_get(doc, SL("guest"))));
        m->own_id = arena_dup(t->a, js_text(js_get(doc, SL("id"))));
    }
    m->changed_ms = r->at_ms;
    m->tries += r->op == JOP_RETRY;
    if (r->op != JOP_NOTE)
        m->state = r->state;
    if (r->note.n && (r->state == J_DEAD || r->state == J_UNKNOWN || r->op == JOP_RETRY || r->op == JOP_NOTE))
        m->note = arena_dup(t->a, r->note);
    return true;
}

static int told_order(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static bool tell(const char *data, struct telling *t)
{
    struct fault f = { 0 };
    if (!journal_scan(data, each_record, t, &f)) {
        fprintf(stderr, "dragoman journal: %s\n", f.text);
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < t->cap; i++)
        if (t->all[i].id)
            t->all[n++] = t->all[i];
    qsort(t->all, n, sizeof(*t->all), told_order);
    t->n = n;
    for (size_t i = 0; i < n; i++)
        t->counts[t->all[i].state]++;
    return true;
}

static slice lane_shown(struct arena *a, slice lane)
{
    slice to = slice_cut(&lane, 0x1f);
    return arena_printf(a, SLF " <- " SLF, SLA(to), SLA(lane));
}

static int list(struct telling *t, const char *state)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < t->n; i++) {
        const struct told *m = &t->all[i];
        bool wanted = state ? strcmp(state, jstate_names[m->state]) == 0
                            : m->state == J_WAITING || m->state == J_PARKED || m->state == J_DEAD || m->state == J_UNKNOWN;
        if (!wanted)
            continue;
        char at[TIME_RFC3339_BYTES];
        time_rfc3339_buf(m->at_ms, at);
        slice lane = lane_shown(a, m->lane);
        printf("%8llu  %-9s  %s  %-8.*s  tries %u  " SLF "\n", (unsigned long long)m->id, jstate_names[m->state], at, SLA(m->kind),
               m->tries, SLA(lane));
        if (m->note.n)
            printf("          " SLF "\n", SLA(m->note));
    }
    return 0;
}

static int count(const struct telling *t)
{
    int64_t all = 0;
    for (size_t i = 0; i < J_STATES; i++) {
        printf("%-10s %lld\n", jstate_names[i], (long long)t->counts[i]);
        all += t->counts[i];
    }
    printf("%-10s %lld (of the records still kept)\n", "accepted", (long long)all);
    return 0;
}

/* ---- replay and discard: a running hub is asked, a stopped one's journal is opened ------------------------------- */

struct deciding {
    struct loop *loop;
    bool ok;
};

static void stored(void *arg, bool ok)
{
    struct deciding *d = arg;
    d->ok = ok;
    loop_stop(d->loop);
}

static void no_offer(void *ctx, const struct joffer *o)
{
    (void)ctx, (void)o;
}
static void no_put(void *ctx, slice key, slice value)
{
    (void)ctx, (void)key, (void)value;
}

/* What the hub kept of it is removed in the same commit; the store learns of it at the next start. */
static bool discard(struct jbatch *b, uint64_t id, slice note)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (!jbatch_discard(b, id, note))
        return false;
    for (const char *letter = STATE_OF_MESSAGE; *letter; letter++)
        jbatch_put(b, state_message_key(a, *letter, id), SLICE_NONE);
    return true;
}

static int decide_stopped(const char *dir, bool replay, const uint64_t *ids, size_t n, struct fault *f)
{
    struct loop *loop = loop_new();
    struct journal_limits limits;
    journal_limits_default(&limits);
    limits.keep_ms = limits.keep_bytes = INT64_MAX; /* what goes when is the hub's to say, by its own settings */
    struct joffers to = { .offer = no_offer, .put = no_put };
    struct journal *j = journal_open(loop, dir, &limits, &to, f);
    if (!j) {
        loop_free(loop);
        return 2;
    }
    struct jbatch *b = jbatch_new(j);
    size_t done = 0;
    for (size_t i = 0; i < n; i++)
        done += (replay ? jbatch_replay : discard)(b, ids[i], SL("{\"by\":\"operator\"}"));
    struct deciding d = { loop, false };
    jbatch_commit(b, JOURNAL_DURABLE, stored, &d);
    loop_run(loop);
    journal_close(j);
    loop_free(loop);
    printf("%zu of %zu %s\n", done, n, replay ? "will be delivered at the next start" : "discarded");
    return d.ok && done == n ? 0 : 1;
}

static int decide(const struct options *o, bool replay, char **ids_text, int n_text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    uint64_t *ids = ARENA_ARRAY(a, uint64_t, (size_t)n_text + 1);
    size_t n = 0;
    struct jw w = jw_new(a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "ids", '[');
    for (int i = 0; i < n_text; i++) {
        int64_t id;
        if (!slice_int(slice_of(ids_text[i]), &id) || id <= 0) {
            fprintf(stderr, "dragoman journal: \"%s\" is no message number (dragoman journal list shows them)\n", ids_text[i]);
            return 2;
        }
        ids[n++] = (uint64_t)id;
        jw_int(&w, NULL, id);
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    if (!n) {
        fprintf(stderr, "dragoman journal: which messages? Give their numbers\n");
        return 2;
    }
    struct fault f = { 0 };
    int rc = decide_stopped(o->data, replay, ids, n, &f);
    if (rc != 2)
        return rc;
    bool in_use = f.code && strcmp(f.code, "in_use") == 0, copy = f.code && strcmp(f.code, "copy") == 0; /* a copy: of the worker that may run here */
    if (in_use || copy) {
        rc = internal_post(o, replay ? "/internal/journal/replay" : "/internal/journal/discard", jw_done(&w)); /* says itself what is wrong */
        if (rc == 0 || in_use)
            return rc;
    }
    fprintf(stderr, "dragoman journal: %s\n", f.text);
    return 2;
}

static bool is_state(const char *name)
{
    for (size_t i = 0; i < J_STATES; i++)
        if (strcmp(name, jstate_names[i]) == 0)
            return true;
    return false;
}

int command_journal(const struct options *o, int argc, char **argv)
{
    const char *verb = argc > 0 ? argv[0] : "list";
    if (strcmp(verb, "replay") == 0 || strcmp(verb, "discard") == 0)
        return decide(o, verb[0] == 'r', argv + 1, argc - 1);
    if (strcmp(verb, "show") == 0 && argc > 1)
        return command_trace(o, argc - 1, argv + 1);
    if (strcmp(verb, "list") != 0 && strcmp(verb, "count") != 0)
        return command_usage("usage: dragoman journal [list [STATE] | count | show ID | replay ID… | discard ID…] [--config FILE | --data DIR]\n", argc, argv);
    if (verb[0] == 'l' && argc > 1 && !is_state(argv[1])) {
        fprintf(stderr, "dragoman journal: there is no state \"%s\", but:", argv[1]);
        for (size_t i = 0; i < J_STATES; i++)
            fprintf(stderr, " %s", jstate_names[i]);
        fprintf(stderr, "\n");
        return 2;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct telling t = { .a = a };
    if (!tell(o->data, &t))
        return 1;
    int rc = verb[0] == 'l' ? list(&t, argc > 1 ? argv[1] : NULL) : count(&t);
    free(t.all);
    return rc;
}
