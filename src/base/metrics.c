#define BASE_ALLOW_LIBC
#include "base/metrics.h"
#include "base/clock.h"
#include "base/text.h"
#include <dirent.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

enum type { COUNTER, GAUGE, HISTOGRAM };
static const char *const type_names[] = {
    [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram",
};

static const struct row {
    enum type type;
    const char *name, *labels, *help;
} rows[METRIC_MAX] = {
#define X(e, type, name, labels, help) [e] = { type, name, labels, help },
#include "base/counters.def"
#undef X
};

enum { BUCKETS = 14, LABEL_VALUE_MAX = 64, FIRST_SLOTS = 8 };
static const double bounds_seconds[BUCKETS] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                0.1,    0.25,  0.5,    1,     2.5,  5,     10 };
static const double bounds_ms[BUCKETS] = { 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000 };

struct series {
    const double *bounds; /* NULL: not a histogram */
    double value;         /* counter, gauge; a histogram's sum */
    uint64_t count, *buckets;
    size_t key_n;
    char key[]; /* the label values, each followed by a 0 byte */
};
struct table {
    struct series **slots; /* open addressing; n_slots is a power of two */
    size_t n_slots, n;
    struct series *last; /* most calls ask for the same one again */
};
struct metrics {
    struct table tables[METRIC_MAX];
    struct {
        void (*fn)(void *, struct metrics *);
        void *arg;
    } collectors[METRICS_COLLECTORS_MAX];
    size_t n_collectors;
    double start_s;
};

const slice metrics_content_type = SLI("text/plain; version=0.0.4; charset=utf-8");

static size_t label_count(const struct row *row)
{
    size_t n = row->labels[0] != 0;
    for (const char *p = row->labels; *p; p++)
        n += *p == ',';
    return n;
}

struct metrics *metrics_new(void)
{
    struct metrics *m = must_calloc(1, sizeof(*m));
    m->start_s = (double)time_now_ms() / 1000;
    for (int id = 0; id < METRIC_MAX; id++)
        if (label_count(&rows[id]) == 0)
            (void)metrics_series(m, (enum metric)id, NULL, 0);
    METRIC_SET(m, METRIC_BUILD, 1, SL(DRAGOMAN_VERSION));
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (size_t t = 0; t < METRIC_MAX; t++) {
        for (size_t i = 0; i < m->tables[t].n_slots; i++)
            free(m->tables[t].slots[i]);
        free(m->tables[t].slots);
    }
    free(m);
}

static struct series **slot_of(struct table *t, slice key)
{
    size_t i = (size_t)slice_hash(key) & (t->n_slots - 1);
    while (t->slots[i] && !slice_eq((slice){ t->slots[i]->key, t->slots[i]->key_n }, key))
        i = (i + 1) & (t->n_slots - 1);
    return &t->slots[i];
}

static void table_grow(struct table *t)
{
    struct table bigger = { .n_slots = MAX(t->n_slots * 2, (size_t)FIRST_SLOTS), .n = t->n, .last = t->last };
    bigger.slots = must_calloc(bigger.n_slots, sizeof(struct series *));
    for (size_t i = 0; i < t->n_slots; i++)
        if (t->slots[i])
            *slot_of(&bigger, (slice){ t->slots[i]->key, t->slots[i]->key_n }) = t->slots[i];
    free(t->slots);
    *t = bigger;
}

static slice key_make(char *to, const slice *labels, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        slice v = utf8_cut_bytes(labels[i], LABEL_VALUE_MAX);
        for (size_t c = 0; c < v.n; c++)
            to[len++] = v.p[c] ? v.p[c] : ' '; /* the 0 byte ends a value */
        to[len++] = 0;
    }
    return (slice){ to, len };
}

static struct series *series_new(const struct row *row, slice key)
{
    bool histogram = row->type == HISTOGRAM;
    size_t at = (sizeof(struct series) + key.n + 7) & ~(size_t)7;
    struct series *s = must_calloc(1, at + (histogram ? BUCKETS * sizeof(uint64_t) : 0));
    s->key_n = key.n;
    if (key.n)
        memcpy(s->key, key.p, key.n);
    if (histogram) {
        s->bounds = slice_ends(slice_of(row->name), SL("_milliseconds")) ? bounds_ms : bounds_seconds;
        s->buckets = (uint64_t *)(void *)((char *)s + at);
    }
    return s;
}

struct series *metrics_series(struct metrics *m, enum metric id, const slice *labels, size_t n)
{
    assert(n == label_count(&rows[id]) && n <= METRIC_LABELS_MAX);
    struct table *t = &m->tables[id];
    char buf[METRIC_LABELS_MAX * (LABEL_VALUE_MAX + 1)];
    slice key = key_make(buf, labels, n);
    if (t->last && slice_eq((slice){ t->last->key, t->last->key_n }, key))
        return t->last;
    if ((t->n + 1) * 2 > t->n_slots)
        table_grow(t);
    struct series **slot = slot_of(t, key);
    if (!*slot && t->n >= METRIC_SERIES_MAX) {
        static const slice others[METRIC_LABELS_MAX] = { SLI("other"), SLI("other"), SLI("other") };
        METRIC_ADD(m, METRIC_SERIES_LOST, 1);
        key = key_make(buf, others, n);
        slot = slot_of(t, key); /* may be one more than METRIC_SERIES_MAX */
    }
    if (!*slot) {
        *slot = series_new(&rows[id], key);
        t->n++;
    }
    return t->last = *slot;
}

void series_add(struct series *s, double v)
{
    assert(!s->bounds);
    s->value += v;
}

void series_set(struct series *s, double v)
{
    assert(!s->bounds);
    s->value = v;
}

void series_observe(struct series *s, double v)
{
    assert(s->bounds);
    size_t i = 0;
    while (i < BUCKETS && v > s->bounds[i])
        i++;
    if (i < BUCKETS)
        s->buckets[i]++;
    s->count++;
    s->value += v;
}

slice metric_status(int http_status)
{
    static const slice names[] = { SLI("none"), SLI("1xx"), SLI("2xx"), SLI("3xx"), SLI("4xx"), SLI("5xx") };
    return names[http_status >= 100 && http_status < 600 ? http_status / 100 : 0];
}

double metrics_value(struct metrics *m, enum metric id, const slice *labels, size_t n)
{
    struct table *t = &m->tables[id];
    char buf[METRIC_LABELS_MAX * (LABEL_VALUE_MAX + 1)];
    assert(n == label_count(&rows[id]) && n <= METRIC_LABELS_MAX);
    const struct series *s = t->n_slots ? *slot_of(t, key_make(buf, labels, n)) : NULL;
    return !s ? 0 : s->bounds ? (double)s->count : s->value;
}

void metrics_collect(struct metrics *m, void (*fn)(void *arg, struct metrics *m), void *arg)
{
    assert(m->n_collectors < METRICS_COLLECTORS_MAX);
    m->collectors[m->n_collectors].fn = fn;
    m->collectors[m->n_collectors++].arg = arg;
}

/* ---- what the kernel knows of this process --------------------------------------------------------------------------------- */

static size_t count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n > 3 ? n - 3 : 0; /* without "." and ".." and the folder itself */
}

static double seconds_of(const struct timeval *tv)
{
    return (double)tv->tv_sec + (double)tv->tv_usec / 1e6;
}

static void collect_process(struct metrics *m)
{
    struct rusage ru;
    struct rlimit lim;
    if (getrusage(RUSAGE_SELF, &ru) == 0) {
        double user = seconds_of(&ru.ru_utime), system = seconds_of(&ru.ru_stime);
        METRIC_SET(m, METRIC_CPU, user + system);
        METRIC_SET(m, METRIC_NEXUS_CPU, user + system);
        METRIC_SET(m, METRIC_NEXUS_CPU_SYSTEM, system);
        METRIC_SET(m, METRIC_NEXUS_CPU_USER, user);
        METRIC_SET(m, METRIC_IWD_CPU_USER, user);
    }
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        METRIC_SET(m, METRIC_FDS_MAX, lim.rlim_cur);
        METRIC_SET(m, METRIC_NEXUS_FDS_MAX, lim.rlim_cur);
    }
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long virt, rss;
    if (f && fscanf(f, "%lu %lu", &virt, &rss) == 2) {
        double page = (double)sysconf(_SC_PAGESIZE);
        METRIC_SET(m, METRIC_VIRTUAL, (double)virt * page);
        METRIC_SET(m, METRIC_RSS, (double)rss * page);
        METRIC_SET(m, METRIC_NEXUS_VIRTUAL, (double)virt * page);
        METRIC_SET(m, METRIC_NEXUS_RSS, (double)rss * page);
    }
    if (f)
        fclose(f);
    size_t fds = count_fds();
    struct mallinfo2 mi = mallinfo2();
    METRIC_SET(m, METRIC_FDS, fds);
    METRIC_SET(m, METRIC_NEXUS_FDS, fds);
    METRIC_SET(m, METRIC_NEXUS_HEAP, mi.arena + mi.hblkhd);
    METRIC_SET(m, METRIC_START, m->start_s);
    METRIC_SET(m, METRIC_NEXUS_START, m->start_s);
}

/* ---- the page ------------------------------------------------------------------------------------------------------------------ */

static void print_escaped(struct text *t, slice s, bool quote)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n')
            text_put(t, SL("\\n"));
        else if (s.p[i] == '\\' || (quote && s.p[i] == '"'))
            text_add(t, "\\%c", s.p[i]);
        else
            text_char(t, s.p[i]);
    }
}

static void print_value(struct text *t, double v)
{
    char buf[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buf, sizeof(buf), "%.*g", digits, v);
        if (strtod(buf, NULL) == v)
            break;
    }
    text_add(t, " %s\n", buf);
}

const char *metric_prefix(const char *name)
{
    static const char *const as_they_are[] = { "process_", "nexus_", "iwd_" };
    for (size_t i = 0; i < COUNT(as_they_are); i++)
        if (strncmp(name, as_they_are[i], strlen(as_they_are[i])) == 0)
            return "";
    return "dragoman_";
}

static void print_name(struct text *t, const struct row *row, const char *suffix)
{
    text_add(t, "%s%s%s", metric_prefix(row->name), row->name, suffix);
}

/* name_suffix{labels,le="bound"}; bound NULL: none */
static void print_series_name(struct text *t, const struct row *row, const struct series *s, const char *suffix, const char *bound)
{
    print_name(t, row, suffix);
    slice names = slice_of(row->labels), values = { s->key, s->key_n };
    if (!names.n && !bound)
        return;
    text_char(t, '{');
    while (names.n) {
        slice name = slice_cut(&names, ',');
        text_add(t, SLF "=\"", SLA(name));
        print_escaped(t, slice_cut(&values, 0), true);
        text_put(t, names.n || bound ? SL("\",") : SL("\""));
    }
    if (bound)
        text_add(t, "le=\"%s\"", bound);
    text_char(t, '}');
}

static void print_series(struct text *t, const struct row *row, const struct series *s)
{
    if (!s->bounds) {
        print_series_name(t, row, s, "", NULL);
        print_value(t, s->value);
        return;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i <= BUCKETS; i++) {
        char bound[24] = "+Inf";
        if (i < BUCKETS)
            snprintf(bound, sizeof(bound), "%g", s->bounds[i]);
        sum = i < BUCKETS ? sum + s->buckets[i] : s->count;
        print_series_name(t, row, s, "_bucket", bound);
        text_add(t, " %llu\n", (unsigned long long)sum);
    }
    print_series_name(t, row, s, "_sum", NULL);
    print_value(t, s->value);
    print_series_name(t, row, s, "_count", NULL);
    text_add(t, " %llu\n", (unsigned long long)s->count);
}

static int by_key(const void *a, const void *b)
{
    const struct series *x = *(struct series *const *)a, *y = *(struct series *const *)b;
    return slice_cmp((slice){ x->key, x->key_n }, (slice){ y->key, y->key_n });
}

static void print_table(struct text *t, const struct row *row, const struct table *table)
{
    struct series **sorted = arena_alloc(t->a, MAX(table->n, (size_t)1) * sizeof(*sorted));
    size_t n = 0;
    for (size_t i = 0; i < table->n_slots; i++)
        if (table->slots[i])
            sorted[n++] = table->slots[i];
    if (n == 0)
        return;
    qsort(sorted, n, sizeof(*sorted), by_key);
    text_put(t, SL("# HELP "));
    print_name(t, row, " ");
    print_escaped(t, slice_of(row->help), false);
    text_put(t, SL("\n# TYPE "));
    print_name(t, row, " ");
    text_add(t, "%s\n", type_names[row->type]);
    for (size_t i = 0; i < n; i++)
        print_series(t, row, sorted[i]);
}

slice metrics_print(struct metrics *m, struct arena *a)
{
    enum { PAGE_MAX = 64 << 20 }; /* every series of every metric fits */
    collect_process(m);
    for (size_t i = 0; i < m->n_collectors; i++)
        m->collectors[i].fn(m->collectors[i].arg, m);
    struct text t = text_new(a, PAGE_MAX);
    for (size_t id = 0; id < METRIC_MAX; id++)
        print_table(&t, &rows[id], &m->tables[id]);
    assert(!t.over);
    return text_slice(&t);
}
