#include "base/log.h"
#include "base/secret.h"
#include "tests/harness/test.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the level language ------------------------------------------------------------------------------------------------ */

TEST(levels_the_most_exact_entry_decides)
{
    static const struct {
        const char *setting, *topic, *scope;
        enum level want;
    } rows[] = {
        { "INFO", "a", "b", LEVEL_INFO },
        { "", "a", "b", LEVEL_INFO },
        { "DEBUG;TRACE:{:request}", "x", "request", LEVEL_TRACE },
        { "DEBUG;TRACE:{:request}", "x", "other", LEVEL_DEBUG },
        { "INFO;DEBUG:{chat};TRACE:{chat:poll}", "chat", "poll", LEVEL_TRACE },
        { "INFO;DEBUG:{chat};TRACE:{chat:poll}", "chat", "start", LEVEL_DEBUG },
        { "INFO;DEBUG:{chat};TRACE:{chat:poll}", "client", "poll", LEVEL_INFO },
        { "INFO;DEBUG:{chat};TRACE:{:poll}", "chat", "poll", LEVEL_DEBUG },
        { "info ; debug:{ a }", "a", "x", LEVEL_INFO },
        { "VERBOSE", "a", "b", LEVEL_NEVER },
        { "TRACE:{a}", "b", "c", LEVEL_INFO },
        { "WARN;DEBUG:{a:b,c,d}", "a", "d", LEVEL_DEBUG },
        { "WARN;DEBUG:{a:b , c}", "a", "c", LEVEL_DEBUG },
        { "WARN;DEBUG:{a:b,c}", "a", "e", LEVEL_WARN },
        { "WARN;ERROR", "a", "b", LEVEL_ERROR },
        { "WARN;DEBUG:{*:x}", "a", "x", LEVEL_DEBUG },
        { "DEBUG:{}", "a", "x", LEVEL_DEBUG },
        { "  Error  ", "a", "x", LEVEL_ERROR },
        { "WARN;DEBUG:{/line/t1}", "/line/t1", "x", LEVEL_WARN },
        { "WARN;DEBUG:{a", "a", "x", LEVEL_WARN },
        { ";;;", "a", "x", LEVEL_INFO },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct levels set;
        levels_parse(&set, slice_of(rows[i].setting));
        CHECK_ROW(i, levels_filter(&set, slice_of(rows[i].topic), slice_of(rows[i].scope)) == rows[i].want);
    }
}

TEST(levels_filter_passes_as_the_table_says)
{
    static const struct {
        enum level level, filter;
        bool pass;
    } rows[] = {
        { LEVEL_INFO, LEVEL_INFO, true },    { LEVEL_DEBUG, LEVEL_INFO, false },  { LEVEL_ERROR, LEVEL_INFO, true },
        { LEVEL_ALWAYS, LEVEL_FATAL, true }, { LEVEL_ALWAYS, LEVEL_NEVER, false }, { LEVEL_FATAL, LEVEL_NEVER, false },
        { LEVEL_TRACE, LEVEL_UNSET, true },  { LEVEL_TRACE, LEVEL_ALWAYS, true },  { LEVEL_NEVER, LEVEL_UNSET, false },
        { LEVEL_UNSET, LEVEL_UNSET, false }, { LEVEL_NEVER, LEVEL_TRACE, false },  { LEVEL_TRACE, LEVEL_TRACE, true },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct log l = { .threshold = level_threshold(rows[i].filter) };
        CHECK_ROW(i, log_on(&l, rows[i].level) == rows[i].pass);
    }
}

TEST(levels_table_full_still_has_a_default)
{
    char text[LEVELS_MAX * 16];
    size_t n = 0;
    for (int i = 0; i < LEVELS_MAX + 5; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "DEBUG:{t%d};", i);
    struct levels set;
    levels_parse(&set, slice_of(text));
    CHECK_INT(set.n, LEVELS_MAX);
    CHECK_INT(levels_default(&set), LEVEL_INFO);
    CHECK_INT(levels_filter(&set, SL("t3"), SL("x")), LEVEL_DEBUG);
}

/* ---- lines -------------------------------------------------------------------------------------------------------------------- */

static const char *env_level, *env_destination, *env_flush, *env_converter, *env_source, *env_debug;
static char *fake_env(const char *name)
{
    static const struct {
        const char *name;
        const char **value;
    } vars[] = { { "LOG_LEVEL", &env_level },         { "LOG_DESTINATION", &env_destination },
                 { "LOG_FLUSHFREQUENCY", &env_flush }, { "LOG_CONVERTER", &env_converter },
                 { "LOG_SOURCEINFO", &env_source },    { "DEBUG", &env_debug } };
    for (size_t i = 0; i < COUNT(vars); i++)
        if (strcmp(vars[i].name, name) == 0)
            return (char *)(uintptr_t)*vars[i].value; /* getenv's type */
    return NULL;
}

static char file[128], written[65536];
static struct logger *open_logger(const char *level, const char *flush)
{
    static char destination[160];
    snprintf(file, sizeof(file), "%s/deep/er/log", test_dir());
    snprintf(destination, sizeof(destination), "nil, file://%s", file);
    env_destination = destination;
    env_level = level;
    env_flush = flush;
    env_converter = env_source = env_debug = NULL;
    struct fault f = { 0 };
    struct logger *lg = logger_new("test \"hub\"", fake_env, &f);
    CHECK(lg);
    return lg;
}

static slice what_was_written(void)
{
    int fd = open(file, O_RDONLY);
    ssize_t n = read(fd, written, sizeof(written) - 1);
    close(fd);
    CHECK(n >= 0);
    written[n] = 0;
    return (slice){ written, (size_t)n };
}

TEST(log_line_has_what_the_readers_demand)
{
    struct logger *lg = open_logger("INFO", NULL);
    struct log root = log_root(lg);
    struct log_field outer[] = { { "tenant", SL("t1"), 0 }, { "reqid", SL("outer"), 0 } };
    struct log_field inner[] = { { "reqid", SL("inner"), 0 }, { "port", SLICE_NONE, 80 } };
    struct log a = log_child(&root, SL("route"), SL("/line/t1"), outer, COUNT(outer));
    struct log b = log_child(&a, SLICE_NONE, SLICE_NONE, inner, COUNT(inner));
    CHECK(!log_begin(&b, LEVEL_DEBUG, "never seen"));

    struct log_line *r = log_begin(&b, LEVEL_INFO, "Message %d", 7);
    log_str(r, "port", SL("nearest"));
    log_str(r, "empty", SL(""));
    log_str(r, "absent", SLICE_NONE);
    log_int(r, "size", -12);
    log_double(r, "took", 0.1);
    log_bool(r, "ok", true);
    log_json(r, "list", SL("[1,{\"a\":null}]"));
    log_str(r, "odd", SL("a\"b\\c\n\t\x01\xff\xe3\x81\x82"));
    log_end(r);

    slice s = what_was_written();
    CHECK_INT(s.p[s.n - 1], '\n');
    CHECK_INT(slice_find_char(s, '\n'), s.n - 1);
    CHECK(slice_starts(s, SL("{\"name\":\"test \\\"hub\\\"\",\"hostname\":\"")));
    size_t topic = slice_find(s, SL(",\"topic\":")), time = slice_find(s, SL(",\"time\":\"")), level = slice_find(s, SL(",\"level\""));
    CHECK(topic != SIZE_MAX && time != SIZE_MAX && level != SIZE_MAX);
    CHECK_SLICE(slice_sub(s, topic, time - topic), SL(",\"topic\":\"route\",\"scope\":\"/line/t1\",\"v\":0"));
    int64_t ms;
    CHECK(time_parse_rfc3339(slice_sub(s, time + 9, 24), &ms));
    CHECK_SLICE(slice_from(s, level),
                SL(",\"level\":30,\"msg\":\"Message 7\",\"port\":\"nearest\",\"size\":-12,\"took\":0.1,\"ok\":true,"
                   "\"list\":[1,{\"a\":null}],\"odd\":\"a\\\"b\\\\c\\n\\t\\u0001\xef\xbf\xbd\xe3\x81\x82\","
                   "\"reqid\":\"inner\",\"tenant\":\"t1\"}\n"));
    logger_free(lg);
}

TEST(log_fault_is_an_error_object)
{
    struct logger *lg = open_logger("INFO", NULL);
    struct log root = log_root(lg);
    struct fault f;
    fault(&f, "bad_json", "events[0]", "line 1 is \"odd\"");
    log_end(log_begin_fault(&root, LEVEL_ERROR, &f, "Cannot read"));
    log_end(log_begin_fault(&root, LEVEL_WARN, &f, "Trying again"));
    slice s = what_was_written();
    CHECK(slice_find(s, SL("\"msg\":\"Cannot read, Error: line 1 is \\\"odd\\\"\",\"err\":{\"type\":\"error\",\"id\":\"bad_json\","
                           "\"text\":\"line 1 is \\\"odd\\\"\",\"what\":\"events[0]\"}}\n")) != SIZE_MAX);
    CHECK(slice_find(s, SL("\"msg\":\"Trying again\",\"err\":{")) != SIZE_MAX);
    logger_free(lg);
}

TEST(log_long_values_are_cut_and_the_line_stays_whole)
{
    static char big[40000];
    memset(big, 'x', sizeof(big));
    for (size_t i = 0; i < sizeof(big); i += 100)
        memcpy(big + i, "\xe3\x81\x82\"", 4);
    for (size_t offset = 0; offset < 8; offset++) {
        struct logger *lg = open_logger("INFO", NULL);
        struct log root = log_root(lg);
        struct log_line *r = log_begin(&root, LEVEL_INFO, "big");
        log_str(r, "body", slice_from((slice){ big, sizeof(big) }, offset * 100));
        log_str(r, "late", SL("no room"));
        log_end(r);
        slice s = what_was_written();
        CHECK_ROW(offset, s.n <= LOG_LINE_MAX && slice_ends(s, SL("\xe2\x80\xa6\"}\n")) && utf8_valid(s));
        logger_free(lg);
    }
    struct logger *lg = open_logger("INFO", NULL);
    struct log root = log_root(lg);
    struct log child = log_child(&root, SL("route"), (slice){ big, sizeof(big) }, NULL, 0);
    log_note(&child, LEVEL_INFO, "%s", "a long path");
    CHECK(slice_ends(what_was_written(), SL("\"msg\":\"a long path\"}\n")));
    logger_free(lg);
}

TEST(log_gathers_when_told_and_errors_go_at_once)
{
    struct logger *lg = open_logger("INFO", "30s");
    CHECK_INT(logger_flush_ms(lg), 30000);
    struct log root = log_root(lg);
    log_note(&root, LEVEL_INFO, "first");
    CHECK_INT(what_was_written().n, 0);
    log_note(&root, LEVEL_ERROR, "second");
    CHECK(slice_find(what_was_written(), SL("first")) < slice_find(what_was_written(), SL("second")));
    log_note(&root, LEVEL_INFO, "third");
    CHECK(slice_find(what_was_written(), SL("third")) == SIZE_MAX);
    logger_flush(lg);
    CHECK(slice_find(what_was_written(), SL("third")) != SIZE_MAX);
    log_note(&root, LEVEL_INFO, "fourth");
    logger_free(lg);
    CHECK(slice_find(what_was_written(), SL("fourth")) != SIZE_MAX);

    static const struct {
        const char *level, *flush;
        int64_t want_ms;
    } rows[] = { { "INFO", NULL, 0 },   { "INFO", "immediate", 0 },  { "INFO", "nonsense", 300000 }, { "INFO", "PT5M", 300000 },
                 { "DEBUG", "30s", 0 }, { "TRACE", "30s", 0 },       { "INFO;TRACE:{a}", "1m30s", 90000 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        lg = open_logger(rows[i].level, rows[i].flush);
        CHECK_ROW(i, logger_flush_ms(lg) == rows[i].want_ms);
        logger_free(lg);
    }
}

TEST(log_forms_of_the_clouds)
{
    static const struct {
        const char *converter, *want, *not;
    } rows[] = {
        { "stackdriver", "\"level\":40,\"severity\":\"WARNING\",\"message\":\"hm\"", "\"msg\"" },
        { "cloudwatch", "\"level\":40,\"severity\":\"WARN\",\"msg\":\"hm\"", "\"message\"" },
        { "bunyan", "\"level\":40,\"msg\":\"hm\"", "severity" },
        { "unheard", "\"level\":40,\"msg\":\"hm\"", "severity" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        logger_free(open_logger("INFO", NULL));
        env_converter = rows[i].converter;
        env_source = "true";
        struct fault f;
        struct logger *lg = logger_new("x", fake_env, &f);
        struct log root = log_root(lg);
        log_note(&root, LEVEL_WARN, "hm");
        slice s = what_was_written();
        CHECK_ROW(i, slice_find(s, slice_of(rows[i].want)) != SIZE_MAX && slice_find(s, slice_of(rows[i].not)) == SIZE_MAX);
        CHECK_ROW(i, slice_find(s, SL("\"file\":\"log_test.c\",\"line\":")) != SIZE_MAX);
        CHECK_ROW(i, slice_find(s, SL("\"package\":\"base\"")) != SIZE_MAX);
        logger_free(lg);
    }
}

TEST(log_debug_variable_lowers_the_default)
{
    logger_free(open_logger("WARN;ERROR:{quiet}", NULL));
    env_debug = "1";
    struct fault f;
    struct logger *lg = logger_new("x", fake_env, &f);
    struct log root = log_root(lg), quiet = log_child(&root, SL("quiet"), SLICE_NONE, NULL, 0);
    CHECK(log_on(&root, LEVEL_DEBUG) && !log_on(&root, LEVEL_TRACE) && !log_on(&quiet, LEVEL_WARN));
    logger_free(lg);
}

TEST(log_destination_that_cannot_be_opened_is_a_fault)
{
    logger_free(open_logger("INFO", NULL));
    env_destination = "/proc/no/such/log";
    struct fault f = { 0 };
    CHECK(!logger_new("x", fake_env, &f));
    CHECK_SLICE(slice_of(f.field), SL("LOG_DESTINATION"));
    env_destination = "stdout,stdout,stdout,stderr,stdout";
    CHECK(!logger_new("x", fake_env, &f));
}

static void *chatter(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_note((const struct log *)arg, LEVEL_INFO, "one of many");
    return NULL;
}

TEST(log_lines_of_several_threads_do_not_mix)
{
    struct logger *lg = open_logger("INFO", "1s");
    struct log root = log_root(lg);
    pthread_t threads[3];
    for (size_t i = 0; i < COUNT(threads); i++)
        CHECK(pthread_create(&threads[i], NULL, chatter, &root) == 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    logger_free(lg);
    int fd = open(file, O_RDONLY), lines = 0, bad = 0;
    FILE *in = fdopen(fd, "r");
    char line[1024];
    while (fgets(line, sizeof(line), in)) {
        lines++;
        bad += !slice_starts(slice_of(line), SL("{\"name\"")) || !slice_ends(slice_of(line), SL("\"msg\":\"one of many\"}\n"));
    }
    fclose(in);
    CHECK_INT(lines, 600);
    CHECK_INT(bad, 0);
}

TEST(log_whose_reader_stands_still_holds_up_nothing)
{
    static char destination[160], line[LOG_LINE_MAX + 1], text[12000];
    snprintf(file, sizeof(file), "%s/pipe", test_dir());
    snprintf(destination, sizeof(destination), "file://%s", file);
    CHECK(mkfifo(file, 0600) == 0);
    FILE *reader = fdopen(open(file, O_RDONLY | O_NONBLOCK), "r");
    env_destination = destination;
    env_level = env_flush = env_converter = env_source = env_debug = NULL;
    struct fault f = { 0 };
    struct logger *lg = logger_new("test", fake_env, &f);
    CHECK(lg && reader);
    struct log root = log_root(lg);
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 1000; i++) { /* many times what a pipe holds; one of them is cut off somewhere */
        struct log_line *l = log_begin(&root, LEVEL_INFO, "nobody reads");
        log_str(l, "text", (slice){ text, sizeof(text) });
        log_end(l);
    }
    uint64_t lost = logger_lost(lg);
    CHECK(lost > 900 && lost < 1000);
    int whole = 0, cut = 0;
    for (; fgets(line, sizeof(line), reader); line[0] == '{' && slice_ends(slice_of(line), SL("}\n")) ? whole++ : cut++)
        continue;
    clearerr(reader);
    CHECK_INT(whole, 1000 - (int)lost);
    CHECK(cut <= 1);
    log_note(&root, LEVEL_INFO, "somebody reads again");
    CHECK(fgets(line, sizeof(line), reader));
    if (strcmp(line, "\n") == 0) /* the end of the one that was cut off */
        CHECK(fgets(line, sizeof(line), reader));
    CHECK(slice_starts(slice_of(line), SL("{\"name\"")) && slice_find(slice_of(line), SL("somebody reads again")) != SIZE_MAX);
    CHECK_INT(logger_lost(lg), lost);
    logger_free(lg);
    fclose(reader);
}

TEST(log_durations_as_go_writes_them)
{
    static const struct {
        int64_t us;
        const char *want;
    } rows[] = { { 0, "0s" },          { 350, "350µs" },    { 12345, "12.345ms" },  { 12300, "12.3ms" },
                 { 1500000, "1.5s" },  { 2000000, "2s" },   { 123000000, "2m3s" },  { 3600000000, "1h0m0s" } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char buf[LOG_DURATION_BYTES];
        log_duration_text(rows[i].us, buf);
        CHECK_ROW(i, strcmp(buf, rows[i].want) == 0);
    }
    static const struct {
        const char *text;
        int64_t ms; /* -1: not a duration */
    } reads[] = { { "30s", 30000 },  { "1m30s", 90000 }, { "1.5s", 1500 },  { "PT30S", 30000 },     { "PT1H1M", 3660000 }, { "P1D", 86400000 },
                  { "0", 0 },        { "immediate", 0 }, { "250ms", 250 },  { "5", -1 },            { "", -1 },            { "P", -1 },
                  { "s", -1 },       { "1x", -1 },       { "99999h", -1 },  { "1.2.3s", -1 } };
    for (size_t i = 0; i < COUNT(reads); i++) {
        int64_t ms = -1;
        bool ok = log_duration_parse(slice_of(reads[i].text), &ms);
        CHECK_ROW(i, ok == (reads[i].ms >= 0) && ms == reads[i].ms);
    }
}

TEST(secret_is_copied_and_wiped)
{
    char text[] = "hunter2";
    struct secret s = secret_copy(slice_of(text));
    text[0] = 'X';
    CHECK_SLICE(secret_reveal(&s), SL("hunter2"));
    secret_wipe(&s);
    CHECK(!secret_present(&s));
    secret_wipe(&s);
    struct secret none = secret_copy(SLICE_NONE);
    CHECK(!secret_present(&none));
}
