/* log.h - one JSON line per event, in the form that `bunyan` and `lv` read.
 *
 *   struct logger *out = logger_new("dragoman", getenv, &f);         once, in main
 *   struct log root = log_root(out);
 *   struct log here = log_child(&root, SL("message"), SL("inbound"), fields, COUNT(fields));
 *
 *   struct log_line *r = log_begin(&here, LEVEL_INFO, "Guest message accepted");
 *   log_str(r, "message", id);
 *   log_int(r, "size", size);
 *   log_end(r);
 *
 * A child has a topic, a scope and fixed fields; on a line the record's own fields come first, then the child's, then its parent's: the nearest
 * wins. A record that does not pass costs one compare: log_begin returns NULL, which every other function accepts. No
 * allocation is made for a record.
 *
 * Shape      keys are plain constants of ours; not name, hostname, pid, tid, topic, scope, v, time, level, msg, and not what `bunyan` shows in its own
 *            way (req, res, client_req, client_res, src). Empty and absent text is left out; invalid UTF-8 becomes U+FFFD. A line is at most
 *            LOG_LINE_MAX bytes: longer text is cut at a character and "…" put behind it; fields that no longer fit are left out.
 * Secrets    struct secret is not accepted. Message text goes through redact() of wire/redact.h; tokens and signatures never come here.
 * Errors     none are reported: a line that cannot be written is counted (logger_lost). A reader who stands still holds up nothing: what his pipe does not
 *            take is lost.
 * Threads    any; a line is written under a lock, to a file with one write(2). Between log_begin and log_end a thread may not begin another.
 * Settings   (environment; log_env_names in log.c) LOG_LEVEL, DEBUG, LOG_DESTINATION, LOG_CONVERTER, LOG_FLUSHFREQUENCY, LOG_SOURCEINFO.
 *            Lines are written at once unless LOG_FLUSHFREQUENCY names a time; then 4 KiB are gathered, ERROR and above go at once, DEBUG and
 *            TRACE as default level write at once in any case, and the loop calls logger_flush every logger_flush_ms.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "base/fault.h"
#include "base/levels.h"

enum { LOG_LINE_MAX = 16384, LOG_FIELDS_MAX = 48, LOG_BUFFER = 4096, LOG_DESTINATIONS_MAX = 4 };

struct logger;
struct log_line;

struct log_field {
    const char *key;
    slice text;      /* absent: number */
    int64_t number;
};
struct log {
    struct logger *to;
    const struct log *parent;
    slice topic, scope;
    const struct log_field *fields;
    size_t n_fields;
    unsigned threshold; /* records of this level and above pass */
};

/* env: getenv, or a test's. NULL: a destination cannot be opened, see *f. */
struct logger *logger_new(const char *name, char *(*env)(const char *), struct fault *f) MUST_USE;
/* Another LOG_LEVEL than the environment's (from the configuration file); DEBUG=1 still lowers it. Before the first child is made. */
void logger_set_levels(struct logger *lg, slice setting);
void logger_flush(struct logger *lg);
int64_t logger_flush_ms(const struct logger *lg); /* how often to call logger_flush; 0: nothing is gathered */
uint64_t logger_lost(const struct logger *lg);    /* lines that could not be written */
void logger_free(struct logger *lg);              /* flushes */

struct log log_root(struct logger *lg); /* topic and scope "main" */
/* topic, scope: absent ones are the parent's. Everything pointed to, the parent too, must outlive the child. */
struct log log_child(const struct log *parent, slice topic, slice scope, const struct log_field *fields, size_t n_fields);

static inline bool log_on(const struct log *l, enum level level)
{
    return (unsigned)level >= l->threshold;
}

/* msg is printf's; f may be NULL. With a fault the line gets "err" and, from ERROR on, ", Error: …" behind its text. */
#define log_begin(l, level, ...)          LOG_BEGIN((l), (level), NULL, __VA_ARGS__)
#define log_begin_fault(l, level, f, ...) LOG_BEGIN((l), (level), (f), __VA_ARGS__)
/* A line with nothing but a text. */
#define log_note(l, level, ...)           log_end(log_begin((l), (level), __VA_ARGS__))
#define LOG_BEGIN(l, level, f, ...)                                                                              \
    (log_on((l), (level)) ? log_line_new((l), (level), (f), __FILE__, __LINE__, __func__, __VA_ARGS__) : NULL)

struct log_line *log_line_new(const struct log *l, enum level level, const struct fault *f, const char *file, int line,
                              const char *func, const char *fmt, ...) PRINTF(7, 8);
void log_str(struct log_line *r, const char *key, slice s); /* left out when empty */
void log_int(struct log_line *r, const char *key, int64_t v);
void log_double(struct log_line *r, const char *key, double v);
void log_bool(struct log_line *r, const char *key, bool v);
void log_json(struct log_line *r, const char *key, slice json); /* one valid JSON value; left out when it does not fit */
void log_end(struct log_line *r);

/* "12.345ms", "350µs", "1.5s", "2m3s": a time the way Go writes it. */
enum { LOG_DURATION_BYTES = 40 };
void log_duration_text(int64_t us, char buf[LOG_DURATION_BYTES]);
/* "30s", "1m30s", "PT30S", "immediate", "0"; false: none of these. */
bool log_duration_parse(slice s, int64_t *ret_ms) MUST_USE;
#endif
