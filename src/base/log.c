#define BASE_ALLOW_LIBC
#include "base/log.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TOPIC_MAX = 128,
    SCOPE_MAX = 1024, /* often the path of a URL, which a peer chooses */
    MSG_MAX = 2048,
    TAIL = 8,         /* always left for closing brackets and the line break */
    WRITE_WAIT_MS = 200, /* for a full pipe; then lines are lost rather than the loop stopped */
};

enum form { FORM_BUNYAN, FORM_STACKDRIVER, FORM_AWS };

struct destination {
    int fd;
    bool ours;
    bool stalled;   /* its reader stands still: it is not waited for again until it takes something */
    bool torn;      /* the end of a line is missing */
    size_t portion; /* bytes that it takes without making us wait, when it is ready */
};

struct logger {
    struct levels levels;
    bool debug;
    enum form form;
    bool source;
    struct destination to[LOG_DESTINATIONS_MAX];
    size_t n_to;
    bool at_once;
    int64_t flush_ms;
    uint64_t lost;
    pthread_mutex_t lock;
    char gathered[LOG_BUFFER];
    size_t n_gathered;
    char head[600]; /* {"name":…,"hostname":…,"pid":… */
    size_t n_head;
};

struct log_line {
    const struct log *log;
    enum level level;
    size_t n;
    const char *keys[LOG_FIELDS_MAX];
    size_t n_keys;
    char p[LOG_LINE_MAX];
};
static __thread struct log_line the_line;
static __thread pid_t the_tid;

/* ---- building a line ---------------------------------------------------------------------------------------------------- */

static size_t room(const struct log_line *r)
{
    return sizeof(r->p) - TAIL - r->n;
}

static void put(struct log_line *r, slice s)
{
    memcpy(r->p + r->n, s.p, s.n);
    r->n += s.n;
}

static size_t escape_one(slice one, char to[8])
{
    unsigned char c = (unsigned char)one.p[0];
    if (one.n == 1 && c >= 0x80) {
        memcpy(to, "\xef\xbf\xbd", 3);
        return 3;
    }
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof(shorts) - 1; i += 2) {
        if ((char)c == shorts[i]) {
            to[0] = '\\';
            to[1] = shorts[i + 1];
            return 2;
        }
    }
    if (c < 0x20)
        return (size_t)snprintf(to, 8, "\\u%04x", c);
    memcpy(to, one.p, one.n);
    return one.n;
}

/* s as the inside of a JSON string, at most max bytes; what is cut ends in "…". */
static void put_escaped(struct log_line *r, slice s, size_t max)
{
    static const slice dots = SLI("\xe2\x80\xa6");
    size_t end = r->n + MIN(max, room(r)) - dots.n;
    while (s.n) {
        size_t plain = 0;
        while (plain < s.n && (unsigned char)s.p[plain] >= 0x20 && (unsigned char)s.p[plain] < 0x80 && s.p[plain] != '"' &&
               s.p[plain] != '\\')
            plain++;
        bool cut = plain > end - r->n;
        plain = MIN(plain, end - r->n);
        put(r, slice_sub(s, 0, plain));
        s = slice_from(s, plain);
        if (s.n == 0)
            return;
        slice one = utf8_cut(s, 1);
        char escaped[8];
        size_t n = escape_one(one, escaped);
        if (cut || n > end - r->n) {
            put(r, dots);
            return;
        }
        put(r, (slice){ escaped, n });
        s = slice_from(s, one.n);
    }
}

/* ,"key": with room for at least `more` bytes of value; false: the field is left out. */
static bool put_key(struct log_line *r, const char *key, size_t more)
{
    size_t n = strlen(key);
    if (r->n_keys == LOG_FIELDS_MAX || room(r) < n + more + 4)
        return false;
    r->keys[r->n_keys++] = key;
    put(r, SL(",\""));
    put(r, (slice){ key, n });
    put(r, SL("\":"));
    return true;
}

static void put_number(struct log_line *r, const char *key, int64_t v)
{
    char buf[24];
    int n = snprintf(buf, sizeof(buf), "%lld", (long long)v);
    if (put_key(r, key, (size_t)n))
        put(r, (slice){ buf, (size_t)n });
}

static void put_string(struct log_line *r, const char *key, slice s, size_t max)
{
    enum { LEAST = 16 }; /* a few characters and the quotes: less is not worth a field */
    if (!put_key(r, key, LEAST))
        return;
    put(r, SL("\""));
    put_escaped(r, s, MIN(max, room(r) - 1));
    put(r, SL("\""));
}

static bool key_is_written(const struct log_line *r, const char *key)
{
    for (size_t i = 0; i < r->n_keys; i++)
        if (r->keys[i] == key || strcmp(r->keys[i], key) == 0)
            return true;
    return false;
}

static const char *severity(enum level level)
{
    if (level >= LEVEL_ALWAYS)
        return "EMERGENCY";
    if (level >= LEVEL_FATAL)
        return "CRITICAL";
    if (level >= LEVEL_ERROR)
        return "ERROR";
    if (level >= LEVEL_WARN)
        return "WARNING";
    return level >= LEVEL_INFO ? "INFO" : "DEBUG";
}

static void put_fault(struct log_line *r, const struct fault *f)
{
    enum { FAULT_JSON = 2600 }; /* a fault's texts, every byte escaped */
    if (!f || !f->code || !put_key(r, "err", FAULT_JSON))
        return;
    put(r, SL("{\"type\":\"error\",\"id\":\""));
    put_escaped(r, slice_of(f->code), 200);
    put(r, SL("\",\"text\":\""));
    put_escaped(r, slice_of(f->text), 1500);
    if (f->field[0]) {
        put(r, SL("\",\"what\":\""));
        put_escaped(r, slice_of(f->field), 600);
    }
    put(r, SL("\"}"));
}

struct log_line *log_line_new(const struct log *l, enum level level, const struct fault *f, const char *file, int line,
                              const char *func, const char *fmt, ...)
{
    struct logger *lg = l->to;
    struct log_line *r = &the_line;
    r->log = l;
    r->level = level;
    r->n = r->n_keys = 0;

    char msg[MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    size_t msg_n = MIN((size_t)MAX(n, 0), sizeof(msg) - 1);
    if (level >= LEVEL_ERROR && f && f->code) {
        n = snprintf(msg + msg_n, sizeof(msg) - msg_n, ", Error: %s", f->text);
        msg_n = MIN(msg_n + (size_t)MAX(n, 0), sizeof(msg) - 1);
    }

    if (the_tid == 0)
        the_tid = gettid();
    char now[TIME_RFC3339_BYTES];
    time_rfc3339_buf(time_now_ms(), now);
    put(r, (slice){ lg->head, lg->n_head });
    put_number(r, "tid", the_tid);
    put_string(r, "topic", l->topic, TOPIC_MAX);
    put_string(r, "scope", l->scope, SCOPE_MAX);
    put_number(r, "v", 0);
    put_string(r, "time", (slice){ now, sizeof(now) - 1 }, sizeof(now) + 8);
    put_number(r, "level", level);
    if (lg->form == FORM_STACKDRIVER)
        put_string(r, "severity", slice_of(severity(level)), 16);
    else if (lg->form == FORM_AWS)
        put_string(r, "severity", slice_of(level_name(level)), 16);
    put_string(r, lg->form == FORM_STACKDRIVER ? "message" : "msg", (slice){ msg, msg_n }, MSG_MAX * 2);
    if (lg->source) {
        const char *base = strrchr(file, '/');
        slice folder = slice_sub(slice_of(file), 0, base ? (size_t)(base - file) : 0);
        put_string(r, "file", slice_of(base ? base + 1 : file), 128);
        put_number(r, "line", line);
        put_string(r, "func", slice_of(func), 128);
        if (folder.n)
            put_string(r, "package", slice_from(folder, slice_find_last(folder, '/') + 1), 128);
    }
    put_fault(r, f);
    return r;
}

void log_str(struct log_line *r, const char *key, slice s)
{
    if (r && s.n && !key_is_written(r, key))
        put_string(r, key, s, LOG_LINE_MAX);
}

void log_int(struct log_line *r, const char *key, int64_t v)
{
    if (r && !key_is_written(r, key))
        put_number(r, key, v);
}

void log_double(struct log_line *r, const char *key, double v)
{
    if (!r || key_is_written(r, key) || !__builtin_isfinite(v))
        return;
    char buf[40];
    for (int digits = 15; digits <= 17; digits++) { /* the first that reads back the same is the shortest */
        snprintf(buf, sizeof(buf), "%.*g", digits, v);
        if (strtod(buf, NULL) == v)
            break;
    }
    slice s = slice_of(buf);
    if (put_key(r, key, s.n))
        put(r, s);
}

void log_bool(struct log_line *r, const char *key, bool v)
{
    if (r && !key_is_written(r, key) && put_key(r, key, 5))
        put(r, v ? SL("true") : SL("false"));
}

void log_json(struct log_line *r, const char *key, slice json)
{
    if (!r || !json.n || key_is_written(r, key) || slice_find_char(json, '\n') != SIZE_MAX)
        return;
    if (put_key(r, key, json.n))
        put(r, json);
}

/* ---- writing it ----------------------------------------------------------------------------------------------------------- */

/* One write for a line where that cannot make us wait. */
static bool write_all(struct destination *to, slice s)
{
    size_t n_all = s.n;
    while (s.n) {
        struct pollfd p = { .fd = to->fd, .events = POLLOUT };
        int ready = poll(&p, 1, to->stalled ? 0 : WRITE_WAIT_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        to->stalled = ready == 0;
        if (ready != 1)
            break;
        ssize_t n = write(to->fd, s.p, MIN(s.n, to->portion));
        if (n >= 0)
            s = slice_from(s, (size_t)n);
        else if (errno != EINTR && errno != EAGAIN)
            break;
    }
    to->torn |= s.n && s.n < n_all;
    return !s.n;
}

static void write_out(struct logger *lg, slice s)
{
    bool ok = true;
    for (size_t i = 0; i < lg->n_to; i++) {
        if (lg->to[i].torn)
            lg->to[i].torn = !write_all(&lg->to[i], SL("\n"));
        ok &= !lg->to[i].torn && write_all(&lg->to[i], s);
    }
    lg->lost += !ok;
}

static void flush_locked(struct logger *lg)
{
    if (lg->n_gathered)
        write_out(lg, (slice){ lg->gathered, lg->n_gathered });
    lg->n_gathered = 0;
}

static void submit(struct logger *lg, enum level level, slice line)
{
    pthread_mutex_lock(&lg->lock);
    if (line.n > sizeof(lg->gathered) - lg->n_gathered)
        flush_locked(lg);
    if (lg->at_once || line.n > sizeof(lg->gathered)) {
        write_out(lg, line);
    } else {
        memcpy(lg->gathered + lg->n_gathered, line.p, line.n);
        lg->n_gathered += line.n;
        if (level >= LEVEL_ERROR)
            flush_locked(lg);
    }
    pthread_mutex_unlock(&lg->lock);
}

void log_end(struct log_line *r)
{
    if (!r)
        return;
    for (const struct log *l = r->log; l; l = l->parent) {
        for (size_t i = 0; i < l->n_fields; i++) {
            if (l->fields[i].text.p)
                log_str(r, l->fields[i].key, l->fields[i].text);
            else
                log_int(r, l->fields[i].key, l->fields[i].number);
        }
    }
    memcpy(r->p + r->n, "}\n", 2);
    submit(r->log->to, r->level, (slice){ r->p, r->n + 2 });
}

void logger_flush(struct logger *lg)
{
    pthread_mutex_lock(&lg->lock);
    flush_locked(lg);
    pthread_mutex_unlock(&lg->lock);
}

int64_t logger_flush_ms(const struct logger *lg)
{
    return lg->at_once ? 0 : lg->flush_ms;
}

uint64_t logger_lost(const struct logger *lg)
{
    return lg->lost;
}

/* ---- loggers and children --------------------------------------------------------------------------------------------------- */

static bool one_of(slice s, const char *const *words)
{
    for (; *words; words++)
        if (slice_eq_nocase(s, slice_of(*words)))
            return true;
    return false;
}

static enum form form_of(slice s)
{
    static const char *const stackdriver[] = { "stackdriver", "google", "gcp", "googlecloud", NULL };
    static const char *const aws[] = { "aws", "cloudwatch", NULL };
    return one_of(s, stackdriver) ? FORM_STACKDRIVER : one_of(s, aws) ? FORM_AWS : FORM_BUNYAN;
}

static int open_file(slice path, struct fault *f)
{
    char name[4096];
    if (path.n == 0 || path.n >= sizeof(name)) {
        fault(f, "bad_setting", "LOG_DESTINATION", "the path of the log file is empty or too long");
        return -1;
    }
    snprintf(name, sizeof(name), SLF, SLA(path));
    for (char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(name, 0755); /* what is there already is fine; what cannot be made shows at open */
        *slash = '/';
    }
    int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        fault(f, "bad_setting", "LOG_DESTINATION", "cannot open the log file %s: %s", name, strerror(errno));
    return fd;
}

static bool add_destination(struct logger *lg, slice s, struct fault *f)
{
    static const char *const nowhere[] = { "nil", "null", "void", "blackhole", "nether", NULL };
    int fd = STDOUT_FILENO;
    bool ours = false;
    if (one_of(s, nowhere))
        return true;
    if (form_of(s) == FORM_STACKDRIVER) { /* the agent on the node collects what is written to stdout */
        lg->form = FORM_STACKDRIVER;
        lg->at_once = true;
    } else if (slice_eq_nocase(s, SL("stderr"))) {
        fd = STDERR_FILENO;
        lg->at_once = true;
    } else if (!slice_eq_nocase(s, SL("stdout"))) {
        fd = open_file(slice_starts(s, SL("file://")) ? slice_from(s, 7) : s, f);
        ours = true;
    }
    if (fd < 0)
        return false;
    struct stat st;
    bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    lg->to[lg->n_to++] = (struct destination){ .fd = fd, .ours = ours, .portion = is_file ? SIZE_MAX : PIPE_BUF };
    return true;
}

static void make_head(struct logger *lg, const char *name)
{
    char host[256] = "unknown";
    gethostname(host, sizeof(host) - 1);
    struct log_line *r = &the_line;
    r->n = r->n_keys = 0;
    put(r, SL("{\"name\":\""));
    put_escaped(r, slice_of(name), 200);
    put(r, SL("\",\"hostname\":\""));
    put_escaped(r, slice_of(host), 260);
    put(r, SL("\""));
    put_number(r, "pid", getpid());
    memcpy(lg->head, r->p, r->n);
    lg->n_head = r->n;
}

static slice setting_of(char *(*env)(const char *), const char *name)
{
    return slice_trim(slice_of(env(name)));
}

static bool is_true(slice s)
{
    static const char *const yes[] = { "1", "yes", "on", "true", NULL };
    return one_of(s, yes);
}

void logger_set_levels(struct logger *lg, slice setting)
{
    levels_parse(&lg->levels, setting);
    if (lg->debug)
        levels_debug(&lg->levels);
    if (levels_default(&lg->levels) == LEVEL_DEBUG || levels_default(&lg->levels) == LEVEL_TRACE)
        lg->at_once = true;
}

struct logger *logger_new(const char *name, char *(*env)(const char *), struct fault *f)
{
    struct logger *lg = must_calloc(1, sizeof(*lg));
    pthread_mutex_init(&lg->lock, NULL);
    make_head(lg, name);
    lg->source = is_true(setting_of(env, "LOG_SOURCEINFO"));
    lg->debug = is_true(setting_of(env, "DEBUG"));
    lg->form = form_of(setting_of(env, "LOG_CONVERTER"));

    enum { FLUSH_OTHERWISE_MS = 5 * 60 * 1000 }; /* what the variable means when it cannot be read */
    slice frequency = setting_of(env, "LOG_FLUSHFREQUENCY");
    if (frequency.n && !log_duration_parse(frequency, &lg->flush_ms))
        lg->flush_ms = FLUSH_OTHERWISE_MS;
    lg->at_once = lg->flush_ms == 0;
    logger_set_levels(lg, setting_of(env, "LOG_LEVEL"));

    slice rest = slice_or(setting_of(env, "LOG_DESTINATION"), SL("stdout"));
    while (rest.p) {
        slice s = slice_trim(slice_cut(&rest, ','));
        if (s.n == 0)
            continue;
        if (lg->n_to == LOG_DESTINATIONS_MAX) {
            fault(f, "bad_setting", "LOG_DESTINATION", "at most %d destinations", LOG_DESTINATIONS_MAX);
            logger_free(lg);
            return NULL;
        }
        if (!add_destination(lg, s, f)) {
            logger_free(lg);
            return NULL;
        }
    }
    return lg;
}

void logger_free(struct logger *lg)
{
    if (!lg)
        return;
    logger_flush(lg);
    for (size_t i = 0; i < lg->n_to; i++)
        if (lg->to[i].ours)
            close(lg->to[i].fd);
    pthread_mutex_destroy(&lg->lock);
    free(lg);
}

static unsigned threshold_of(const struct logger *lg, slice topic, slice scope)
{
    return level_threshold(levels_filter(&lg->levels, topic, scope));
}

struct log log_root(struct logger *lg)
{
    struct log l = { .to = lg, .topic = SL("main"), .scope = SL("main") };
    l.threshold = threshold_of(lg, l.topic, l.scope);
    return l;
}

struct log log_child(const struct log *parent, slice topic, slice scope, const struct log_field *fields, size_t n_fields)
{
    struct log l = {
        .to = parent->to,
        .parent = parent,
        .topic = topic.p ? topic : parent->topic,
        .scope = scope.p ? scope : parent->scope,
        .fields = fields,
        .n_fields = n_fields,
    };
    l.threshold = threshold_of(l.to, l.topic, l.scope);
    return l;
}

/* ---- durations ---------------------------------------------------------------------------------------------------------------- */

/* v/unit as a decimal without trailing zeros. */
static int put_fraction(char *to, size_t n, int64_t v, int64_t unit, const char *suffix)
{
    char frac[8];
    int digits = unit == 1000 ? 3 : 6;
    snprintf(frac, sizeof(frac), "%0*d", digits, (int)(v % unit));
    while (digits && frac[digits - 1] == '0')
        frac[--digits] = 0;
    return snprintf(to, n, "%lld%s%s%s", (long long)(v / unit), digits ? "." : "", frac, suffix);
}

void log_duration_text(int64_t us, char buf[LOG_DURATION_BYTES])
{
    us = MAX(us, 0);
    if (us == 0) {
        snprintf(buf, LOG_DURATION_BYTES, "0s");
    } else if (us < 1000) {
        snprintf(buf, LOG_DURATION_BYTES, "%dµs", (int)us);
    } else if (us < 1000000) {
        put_fraction(buf, LOG_DURATION_BYTES, us, 1000, "ms");
    } else {
        int64_t minutes = us / 60000000;
        size_t n = 0;
        if (minutes >= 60)
            n += (size_t)snprintf(buf + n, LOG_DURATION_BYTES - n, "%lldh", (long long)(minutes / 60));
        if (minutes)
            n += (size_t)snprintf(buf + n, LOG_DURATION_BYTES - n, "%dm", (int)(minutes % 60));
        put_fraction(buf + n, LOG_DURATION_BYTES - n, us % 60000000, 1000000, "s");
    }
}

/* One number with an optional fraction in front of s; moves s behind it. */
static bool take_number(slice *s, double *ret)
{
    size_t n = 0;
    while (n < s->n && ((s->p[n] >= '0' && s->p[n] <= '9') || s->p[n] == '.'))
        n++;
    bool ok = slice_double(slice_sub(*s, 0, n), ret);
    *s = slice_from(*s, n);
    return ok;
}

bool log_duration_parse(slice s, int64_t *ret_ms)
{
    static const struct {
        slice name;
        double ms;
    } go[] = { { SLI("ns"), 1e-6 },    { SLI("us"), 1e-3 },      { SLI("µs"), 1e-3 }, { SLI("ms"), 1 },
               { SLI("h"), 3600e3 },   { SLI("m"), 60e3 },       { SLI("s"), 1e3 } },
      iso[] = { { SLI("D"), 86400e3 }, { SLI("H"), 3600e3 },     { SLI("M"), 60e3 },  { SLI("S"), 1e3 } };
    if (slice_eq_nocase(s, SL("immediate")) || slice_eq(s, SL("0"))) {
        *ret_ms = 0;
        return true;
    }
    bool is_iso = s.n && s.p[0] == 'P';
    double sum = 0, v;
    s = slice_from(s, is_iso);
    if (s.n == 0)
        return false;
    while (s.n) {
        if (is_iso && s.p[0] == 'T')
            s = slice_from(s, 1);
        if (!take_number(&s, &v))
            return false;
        size_t i = 0, n = is_iso ? COUNT(iso) : COUNT(go);
        while (i < n && !slice_starts(s, is_iso ? iso[i].name : go[i].name))
            i++;
        if (i == n)
            return false;
        sum += v * (is_iso ? iso[i].ms : go[i].ms);
        s = slice_from(s, is_iso ? iso[i].name.n : go[i].name.n);
    }
    if (sum > 366 * 86400e3)
        return false;
    *ret_ms = (int64_t)sum;
    return true;
}
