/* metrics.h - the numbers of the hub, and their Prometheus text.
 *
 *   struct metrics *m = metrics_new();
 *   METRIC_ADD(m, METRIC_WEBHOOKS, 1, SL("line"), SL("accepted"));
 *   METRIC_SET(m, METRIC_JOURNAL_MESSAGES, n, SL("waiting"));
 *   METRIC_OBSERVE(m, METRIC_CALL_SECONDS, us / 1e6, SL("line"), SL("2xx"));
 *   slice page = metrics_print(m, a);
 *
 * What exists stands in counters.def: name, type, labels, help. As many label values are given as the row has labels, in its order.
 * A metric has at most METRIC_SERIES_MAX label combinations; what comes after is counted with every label "other", so that
 * no peer can make the page grow.
 * On a hot path look the series up once (metrics_series) and keep the pointer: it stays valid as long as the registry.
 *
 * Units      seconds and bytes, as the names say. Values are doubles: exact for whole numbers up to 2^53.
 * Threads    one (the loop's).
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H
#include "base/arena.h"

enum metric {
#define X(e, type, name, labels, help) e,
#include "base/counters.def"
#undef X
    METRIC_MAX
};
enum { METRIC_SERIES_MAX = 512, METRIC_LABELS_MAX = 3, METRICS_COLLECTORS_MAX = 16 };

struct metrics;
struct series;

struct metrics *metrics_new(void) MUST_USE;
void metrics_free(struct metrics *m);

struct series *metrics_series(struct metrics *m, enum metric id, const slice *labels, size_t n);
void series_add(struct series *s, double v);
void series_set(struct series *s, double v);
void series_observe(struct series *s, double v);

#define METRIC_LABELS(...) ((const slice[]){ { NULL, 0 }, ##__VA_ARGS__ })
#define METRIC_SERIES(m, id, ...) \
    metrics_series((m), (id), METRIC_LABELS(__VA_ARGS__) + 1, COUNT(METRIC_LABELS(__VA_ARGS__)) - 1)
#define METRIC_ADD(m, id, v, ...)     series_add(METRIC_SERIES(m, id, ##__VA_ARGS__), (double)(v))
#define METRIC_SET(m, id, v, ...)     series_set(METRIC_SERIES(m, id, ##__VA_ARGS__), (double)(v))
#define METRIC_OBSERVE(m, id, v, ...) series_observe(METRIC_SERIES(m, id, ##__VA_ARGS__), (double)(v))

/* What stands before a row's name on the page: "dragoman_", or nothing where others know it by that name. */
const char *metric_prefix(const char *name);
/* "2xx" … "5xx"; "none" for 0. */
slice metric_status(int http_status);
/* fn(arg, m) is called before each print, to set gauges that are known elsewhere. */
void metrics_collect(struct metrics *m, void (*fn)(void *arg, struct metrics *m), void *arg);
/* The page: text/plain; version=0.0.4. Metrics without a series are left out, those without labels are always there. */
slice metrics_print(struct metrics *m, struct arena *a) MUST_USE;
extern const slice metrics_content_type;
/* The value of a series as a reader would see it (a histogram's count); 0 when there is none yet. */
double metrics_value(struct metrics *m, enum metric id, const slice *labels, size_t n);
#endif
