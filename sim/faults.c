#include "sim/faults.h"
#include "wire/js.h"

struct rule {
    struct js_list paths; /* of slices */
    slice method;
    int64_t skip, times, status, retry_after_s, slow_ms, timeout_ms;
    double share, timeout_share, reset_before_share, reset_after_share, duplicate_share, reorder_share, bad_signature_share;
    bool down;
};

struct faults {
    struct arena *a; /* the rules' */
    struct sim_random random;
    int64_t seed;
    struct rule *rules;
    size_t n;
    int64_t injected[FAULT_ACTS];
    int64_t slowed, duplicated, reordered, bad_signatures;
};

static const char *const act_names[FAULT_ACTS] = {
    [FAULT_NONE] = "none",
    [FAULT_STATUS] = "status",
    [FAULT_DOWN] = "down",
    [FAULT_RESET_BEFORE] = "reset_before",
    [FAULT_RESET_AFTER] = "reset_after",
    [FAULT_TIMEOUT] = "timeout",
};

/* clang-format off */
static const struct js_field rule_fields[] = {
    JS_FIELD(struct rule, paths,               "paths",               JS_STRLIST, 0),
    JS_FIELD(struct rule, method,              "method",              JS_STR,     0),
    JS_FIELD(struct rule, skip,                "skip",                JS_I64,     0),
    JS_FIELD(struct rule, times,               "times",               JS_I64,     0),
    JS_FIELD(struct rule, status,              "status",              JS_I64,     0),
    JS_FIELD(struct rule, retry_after_s,       "retry_after_s",       JS_I64,     0),
    JS_FIELD(struct rule, slow_ms,             "slow_ms",             JS_I64,     0),
    JS_FIELD(struct rule, timeout_ms,          "timeout_ms",          JS_I64,     0),
    JS_FIELD(struct rule, share,               "share",               JS_F64,     0),
    JS_FIELD(struct rule, timeout_share,       "timeout_share",       JS_F64,     0),
    JS_FIELD(struct rule, reset_before_share,  "reset_before_share",  JS_F64,     0),
    JS_FIELD(struct rule, reset_after_share,   "reset_after_share",   JS_F64,     0),
    JS_FIELD(struct rule, duplicate_share,     "duplicate_share",     JS_F64,     0),
    JS_FIELD(struct rule, reorder_share,       "reorder_share",       JS_F64,     0),
    JS_FIELD(struct rule, bad_signature_share, "bad_signature_share", JS_F64,     0),
    JS_FIELD(struct rule, down,                "down",                JS_BOOL,    0),
};
static const struct { const char *name; size_t off; int64_t min, max; } number_limits[] = {
    { "skip",          offsetof(struct rule, skip),          0,   INT32_MAX },
    { "times",         offsetof(struct rule, times),         -1,  INT32_MAX },
    { "status",        offsetof(struct rule, status),        0,   599 },
    { "retry_after_s", offsetof(struct rule, retry_after_s), 0,   86400 },
    { "slow_ms",       offsetof(struct rule, slow_ms),       0,   FAULT_SLOW_MAX_MS },
    { "timeout_ms",    offsetof(struct rule, timeout_ms),    1,   FAULT_SLOW_MAX_MS },
};
static const struct { const char *name; size_t off; } share_limits[] = {
    { "share",               offsetof(struct rule, share) },
    { "timeout_share",       offsetof(struct rule, timeout_share) },
    { "reset_before_share",  offsetof(struct rule, reset_before_share) },
    { "reset_after_share",   offsetof(struct rule, reset_after_share) },
    { "duplicate_share",     offsetof(struct rule, duplicate_share) },
    { "reorder_share",       offsetof(struct rule, reorder_share) },
    { "bad_signature_share", offsetof(struct rule, bad_signature_share) },
};
/* clang-format on */

enum { STANDARD_SEED = 1 };

struct faults *faults_new(void)
{
    struct faults *fs = must_calloc(1, sizeof(*fs));
    fs->seed = STANDARD_SEED;
    sim_random_seed(&fs->random, STANDARD_SEED);
    return fs;
}

void faults_free(struct faults *fs)
{
    if (!fs)
        return;
    arena_free(fs->a);
    free(fs);
}

static bool known_member(slice key)
{
    if (slice_eq(key, SL("seed")))
        return true;
    for (size_t i = 0; i < COUNT(rule_fields); i++)
        if (slice_eq(key, slice_of(rule_fields[i].path)))
            return true;
    return false;
}

static bool read_rule(struct arena *a, const struct js *v, struct rule *r, struct fault *f)
{
    *r = (struct rule){ .times = -1, .share = 1, .timeout_ms = FAULT_TIMEOUT_MS };
    if (!js_is_object(v))
        return fault(f, "wrong_type", "rules", "a rule is an object");
    for (void *it = js_first(v); it; it = js_next(v, it))
        if (!known_member(js_key(v, it)))
            return fault(f, "unknown_field", "", "a rule has no member \"" SLF "\"", SLA(js_key(v, it)));
    if (!js_read(a, v, rule_fields, COUNT(rule_fields), r, f))
        return false;
    for (size_t i = 0; i < COUNT(number_limits); i++) {
        int64_t n;
        memcpy(&n, (const char *)r + number_limits[i].off, sizeof(n));
        if (n < number_limits[i].min || n > number_limits[i].max)
            return fault(f, "out_of_range", number_limits[i].name, "from %lld to %lld", (long long)number_limits[i].min,
                         (long long)number_limits[i].max);
    }
    for (size_t i = 0; i < COUNT(share_limits); i++) {
        double d;
        memcpy(&d, (const char *)r + share_limits[i].off, sizeof(d));
        if (!(d >= 0 && d <= 1))
            return fault(f, "out_of_range", share_limits[i].name, "a share is from 0 to 1");
    }
    if (r->status != 0 && r->status < 200)
        return fault(f, "out_of_range", "status", "an HTTP status from 200 to 599");
    if (r->paths.n > FAULT_PATHS_MAX)
        return fault(f, "out_of_range", "paths", "at most %d", FAULT_PATHS_MAX);
    return true;
}

bool faults_set(struct faults *fs, slice json, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = js_parse(a, slice_empty(json) ? SL("{}") : json, f);
    if (!doc)
        return false;
    if (!js_is_object(doc))
        return fault(f, "wrong_type", "", "a rule, or {\"seed\":1,\"rules\":[…]}");

    int64_t seed = STANDARD_SEED;
    if (js_at(doc, "seed") && !js_int(js_at(doc, "seed"), &seed))
        return fault(f, "wrong_type", "seed", "an integer");

    const struct js *list = js_get(doc, SL("rules"));
    if (list && !js_is_array(list))
        return fault(f, "wrong_type", "rules", "an array of rules");
    size_t n = list ? js_len(list) : js_len(doc) > (js_at(doc, "seed") ? 1 : 0);
    if (n > FAULT_RULES_MAX)
        return fault(f, "out_of_range", "rules", "at most %d", FAULT_RULES_MAX);
    struct rule *rules = ARENA_ARRAY(a, struct rule, n + 1);
    for (size_t i = 0; i < n; i++)
        if (!read_rule(a, list ? js_item(list, i) : doc, &rules[i], f))
            return false;

    arena_free(fs->a);
    fs->a = TAKE(a);
    fs->rules = rules;
    fs->n = n;
    fs->seed = seed;
    sim_random_seed(&fs->random, (uint64_t)seed);
    return true;
}

static bool rule_matches(const struct rule *r, slice method, slice path)
{
    if (!slice_empty(r->method) && !slice_empty(method) && !slice_eq(r->method, method))
        return false;
    const slice *paths = r->paths.items;
    for (size_t i = 0; i < r->paths.n; i++) {
        slice p = paths[i];
        if (slice_ends(p, SL("*")) ? slice_starts(path, slice_sub(p, 0, p.n - 1)) : slice_eq(p, path))
            return true;
    }
    return r->paths.n == 0;
}

static bool hit(struct faults *fs, double share)
{
    return share > 0 && (share >= 1 || sim_random_unit(&fs->random) < share);
}

static bool acts_on_calls(const struct rule *r)
{
    return r->down || r->status || r->reset_before_share > 0 || r->reset_after_share > 0 || r->timeout_share > 0;
}

static bool acts_on_hooks(const struct rule *r)
{
    return r->duplicate_share > 0 || r->reorder_share > 0 || r->bad_signature_share > 0;
}

/* May this rule act now? Asked only for what the rule acts on, so that "skip" counts the right things. */
static bool rule_ready(struct rule *r)
{
    if (r->skip > 0) {
        r->skip--;
        return false;
    }
    return r->times != 0;
}

static enum fault_act choose(struct faults *fs, const struct rule *r)
{
    if (r->down)
        return FAULT_DOWN;
    if (hit(fs, r->reset_before_share))
        return FAULT_RESET_BEFORE;
    if (r->status && hit(fs, r->share))
        return FAULT_STATUS;
    if (hit(fs, r->reset_after_share))
        return FAULT_RESET_AFTER;
    return hit(fs, r->timeout_share) ? FAULT_TIMEOUT : FAULT_NONE;
}

struct fault_plan faults_plan(struct faults *fs, slice method, slice path)
{
    struct fault_plan plan = { .timeout_ms = FAULT_TIMEOUT_MS };
    for (size_t i = 0; i < fs->n; i++) {
        struct rule *r = &fs->rules[i];
        if (!rule_matches(r, method, path))
            continue;
        plan.slow_ms = MIN(plan.slow_ms + r->slow_ms, FAULT_SLOW_MAX_MS);
        if (plan.act != FAULT_NONE || !acts_on_calls(r) || !rule_ready(r))
            continue;
        plan.act = choose(fs, r);
        if (plan.act == FAULT_NONE)
            continue;
        if (r->times > 0)
            r->times--;
        plan.status = (int)r->status;
        plan.retry_after_s = r->retry_after_s;
        plan.timeout_ms = r->timeout_ms;
        fs->injected[plan.act]++;
    }
    fs->slowed += plan.slow_ms > 0;
    return plan;
}

struct fault_hook faults_plan_hook(struct faults *fs, slice path)
{
    struct fault_hook hook = { 0 };
    for (size_t i = 0; i < fs->n; i++) {
        struct rule *r = &fs->rules[i];
        if (!acts_on_hooks(r) || !rule_matches(r, SL("POST"), path) || !rule_ready(r))
            continue;
        bool duplicate = hit(fs, r->duplicate_share), reorder = hit(fs, r->reorder_share), bad = hit(fs, r->bad_signature_share);
        if (!duplicate && !reorder && !bad)
            continue;
        if (r->times > 0)
            r->times--;
        hook.duplicate |= duplicate;
        hook.reorder |= reorder;
        hook.bad_signature |= bad;
    }
    fs->duplicated += hook.duplicate;
    fs->reordered += hook.reorder;
    fs->bad_signatures += hook.bad_signature;
    return hook;
}

slice faults_show(const struct faults *fs, struct arena *a)
{
    struct jw w = jw_new(a, 64 << 10);
    jw_open(&w, NULL, '{');
    jw_int(&w, "seed", fs->seed);
    jw_open(&w, "rules", '[');
    for (size_t i = 0; i < fs->n; i++) {
        const struct rule *r = &fs->rules[i];
        jw_open(&w, NULL, '{');
        jw_fields(&w, rule_fields, COUNT(rule_fields), r);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_open(&w, "injected", '{');
    for (size_t i = FAULT_NONE + 1; i < FAULT_ACTS; i++)
        jw_int(&w, act_names[i], fs->injected[i]);
    jw_int(&w, "slow", fs->slowed);
    jw_int(&w, "duplicate", fs->duplicated);
    jw_int(&w, "reorder", fs->reordered);
    jw_int(&w, "bad_signature", fs->bad_signatures);
    jw_close(&w, '}');
    jw_close(&w, '}');
    return jw_done(&w);
}
