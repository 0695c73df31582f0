#define BASE_ALLOW_LIBC
#include "tests/harness/servers.h"
#include "tests/harness/test.h"
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 400000, CONNECT_MS = 60000, LOOK_MS = 20 };

static void rest(void)
{
    struct timespec t = { 0, LOOK_MS * 1000000L };
    (void)nanosleep(&t, NULL);
}

/* ---- processes ----------------------------------------------------------------------------------------------------------------- */

static char made[64][128]; /* folders to remove at the end */
static size_t n_made;
static pid_t running[16];

static void forget(pid_t pid)
{
    for (size_t i = 0; i < COUNT(running); i++)
        if (running[i] == pid)
            running[i] = 0;
}

static void end_all(void)
{
    for (size_t i = 0; i < COUNT(running); i++) {
        if (!running[i])
            continue;
        (void)kill(running[i], SIGKILL);
        (void)waitpid(running[i], NULL, 0);
    }
    for (size_t i = 0; i < n_made; i++) {
        char command[160];
        snprintf(command, sizeof(command), "rm -rf '%.128s'", made[i]);
        if (system(command) != 0)
            fprintf(stderr, "# %s is left behind\n", made[i]);
    }
}

/* PostgreSQL refuses to run as root. */
static void step_down(void)
{
    const struct passwd *nobody = getuid() == 0 ? getpwnam("nobody") : NULL;
    if (nobody && (setgid(nobody->pw_gid) != 0 || setuid(nobody->pw_uid) != 0))
        _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void folder_new(char to[128], const char *what)
{
    static bool registered;
    if (!registered && atexit(end_all) == 0)
        registered = true;
    if (n_made == COUNT(made))
        test_fail(__FILE__, __LINE__, "too many folders");
    snprintf(to, 128, "%s/dragoman-%s-XXXXXX", test_tmp(), what);
    if (!mkdtemp(to))
        test_fail(__FILE__, __LINE__, "no folder %s", to);
    snprintf(made[n_made++], sizeof(made[0]), "%s", to);
    const struct passwd *nobody = getuid() == 0 ? getpwnam("nobody") : NULL;
    if (nobody && chown(to, nobody->pw_uid, nobody->pw_gid) != 0)
        test_fail(__FILE__, __LINE__, "cannot give away %s", to);
}

static pid_t spawn(const char *const *argv, const char *log, const char *cwd)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    step_down();
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || chdir(cwd) != 0)
        _exit(126);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void started(pid_t pid)
{
    for (size_t i = 0; i < COUNT(running); i++) {
        if (running[i])
            continue;
        running[i] = pid;
        return;
    }
    test_fail(__FILE__, __LINE__, "too many servers");
}

static void stopped(pid_t pid, int signum)
{
    if (pid <= 0)
        return;
    (void)kill(pid, signum);
    (void)waitpid(pid, NULL, 0);
    forget(pid);
}

static void show(const char *log)
{
    char line[300];
    FILE *f = fopen(log, "re");
    while (f && fgets(line, sizeof(line), f))
        fprintf(stderr, "# %s", line);
    if (f)
        fclose(f);
}

/* Where a program of this kind is installed, the newest; else what tools/setup unpacked, copied to where "nobody" may read it. */
static void find_program(char to[160], const char *what, const char *pattern)
{
    glob_t found;
    char folder[128], wider[512];
    snprintf(wider, sizeof(wider), "/%s", pattern);
    if (glob(wider, 0, NULL, &found) != 0) {
        folder_new(folder, what);
        snprintf(wider, sizeof(wider), "cp -r build-test/%s/usr '%s' && chmod -R a+rX '%s'", what, folder, folder);
        if (system(wider) != 0)
            test_fail(__FILE__, __LINE__, "%s is not here: DRAGOMAN_SETUP_TESTS=1 tools/setup unpacks it", what);
        snprintf(wider, sizeof(wider), "%s/%s", folder, pattern);
        if (glob(wider, 0, NULL, &found) != 0)
            test_fail(__FILE__, __LINE__, "%s has no %s", what, pattern);
    }
    snprintf(to, 160, "%s", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
}

/* ---- PostgreSQL ---------------------------------------------------------------------------------------------------------------- */

bool on_pg;

static struct {
    char dir[128], bin[128], data[160], log[160];
    pid_t pid;
    unsigned schemas;
} pg;

static void pg_make(void)
{
    folder_new(pg.dir, "pg");
    snprintf(pg.data, sizeof(pg.data), "%s/data", pg.dir);
    snprintf(pg.log, sizeof(pg.log), "%s/log", pg.dir);
    char initdb[160];
    find_program(initdb, "postgresql", "usr/lib/postgresql/*/bin/initdb");
    snprintf(pg.bin, sizeof(pg.bin), "%.*s", (int)(strlen(initdb) - strlen("initdb")), initdb);
    const char *const argv[] = { initdb, "-D", pg.data, "-U", "dragoman", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", NULL };
    int status = 0;
    pid_t pid = spawn(argv, pg.log, pg.dir);
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        show(pg.log);
        test_fail(__FILE__, __LINE__, "initdb failed");
    }
}

static void pg_root(char to[200])
{
    snprintf(to, 200, "postgresql://dragoman@/postgres?host=%s", pg.dir);
}

void pg_server_start(void)
{
    if (!*pg.dir)
        pg_make();
    char postgres[160], root[200];
    snprintf(postgres, sizeof(postgres), "%spostgres", pg.bin);
    const char *const argv[] = { postgres, "-D", pg.data, "-k", pg.dir, "-c", "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "fsync=off", NULL };
    pg.pid = spawn(argv, pg.log, pg.dir);
    started(pg.pid);
    pg_root(root);
    for (int64_t until_ms = time_mono_ms() + START_MS; PQping(root) != PQPING_OK; rest()) {
        if (time_mono_ms() < until_ms)
            continue;
        show(pg.log);
        test_fail(__FILE__, __LINE__, "PostgreSQL does not start");
    }
}

void pg_server_stop(int signum)
{
    stopped(pg.pid, signum);
    pg.pid = 0;
}

int64_t pg_server_number(const char *uri, const char *sql)
{
    PGconn *c = PQconnectdb(uri);
    for (int64_t end_ms = time_mono_ms() + CONNECT_MS; PQstatus(c) != CONNECTION_OK && time_mono_ms() < end_ms; c = PQconnectdb(uri)) { /* it may be starting */
        PQfinish(c);
        (void)poll(NULL, 0, LOOK_MS);
    }
    PGresult *r = PQexec(c, sql);
    ExecStatusType status = PQresultStatus(r);
    int64_t v = 0;
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (status == PGRES_TUPLES_OK && PQntuples(r) && !slice_int(slice_of(PQgetvalue(r, 0, 0)), &v))
        v = 0;
    char why[200];
    snprintf(why, sizeof(why), "%s", PQerrorMessage(c));
    PQclear(r);
    PQfinish(c);
    if (!ok)
        test_fail(__FILE__, __LINE__, "%s: %s", sql, why);
    return v;
}

void pg_server_run(const char *uri, const char *sql)
{
    (void)pg_server_number(uri, sql);
}

void pg_server_cut(void)
{
    char root[200];
    pg_root(root);
    pg_server_run(root, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type='client backend' AND pid<>pg_backend_pid()");
}

const char *pg_place_new(void)
{
    static char places[4][240];
    char root[200], sql[60];
    if (!pg.pid)
        pg_server_start();
    pg_root(root);
    char *place = places[++pg.schemas % COUNT(places)];
    snprintf(sql, sizeof(sql), "CREATE SCHEMA t%u", pg.schemas);
    pg_server_run(root, sql);
    snprintf(place, sizeof(places[0]), "%s&options=-csearch_path%%3Dt%u", root, pg.schemas);
    return place;
}

/* ---- Redis --------------------------------------------------------------------------------------------------------------------- */

static char certs[128];

const char *redis_ca_file(void)
{
    static char ca[160];
    if (*certs)
        return ca;
    folder_new(certs, "certs");
    char command[600];
    snprintf(command, sizeof(command),
             "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
             " -keyout key.pem -out cert.pem 2>/dev/null && chmod 644 key.pem cert.pem",
             certs);
    if (system(command) != 0)
        test_fail(__FILE__, __LINE__, "no certificate could be made");
    snprintf(ca, sizeof(ca), "%s/cert.pem", certs);
    return ca;
}

static char redis_bin[160]; /* with a slash at the end */

static void redis_find(void)
{
    if (*redis_bin)
        return;
    char path[160];
    find_program(path, "redis", "usr/bin/redis-server");
    snprintf(redis_bin, sizeof(redis_bin), "%.*s", (int)(strlen(path) - strlen("redis-server")), path);
}

slice redis_server_say(struct arena *a, const struct redis_server *s, const char *command)
{
    redis_find();
    slice line = arena_printf(a, "%sredis-cli -h 127.0.0.1 -p %u %s%s%s%s%s %s 2>&1", redis_bin, s->port, s->password ? "--no-auth-warning -a '" : "",
                              s->password ? s->password : "", s->password ? "'" : "", s->tls ? " --tls --cacert " : "", s->tls ? redis_ca_file() : "", command);
    FILE *f = popen(line.p, "re");
    if (!f)
        test_fail(__FILE__, __LINE__, "redis-cli cannot be started");
    struct text t = text_new(a, 1 << 20);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof(block), f)) > 0;)
        text_put(&t, slice_mem(block, n));
    (void)pclose(f);
    return slice_trim(text_slice(&t));
}

void redis_server_start(struct redis_server *s)
{
    if (!s->port) {
        folder_new(s->dir, "redis");
        s->port = test_ports(1);
    }
    char server[176];
    redis_find();
    snprintf(server, sizeof(server), "%sredis-server", redis_bin);
    const char *argv[64] = { server, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s->dir };
    char port[16], bus[16], log[160], cert[160], key[160];
    size_t n = 9;
    snprintf(port, sizeof(port), "%u", s->port);
    snprintf(log, sizeof(log), "%s/log", s->dir);
    argv[n++] = s->tls ? "--tls-port" : "--port";
    argv[n++] = port;
    if (s->tls) {
        snprintf(cert, sizeof(cert), "%s", redis_ca_file());
        snprintf(key, sizeof(key), "%s/key.pem", certs);
        const char *const more[] = { "--port", "0", "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no" };
        for (size_t i = 0; i < COUNT(more); i++)
            argv[n++] = more[i];
    }
    if (s->password) {
        argv[n++] = "--requirepass";
        argv[n++] = s->password;
    }
    if (s->cluster) {
        snprintf(bus, sizeof(bus), "%u", test_ports(1));
        const char *const more[] = { "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no" };
        for (size_t i = 0; i < COUNT(more); i++)
            argv[n++] = more[i];
    }
    s->pid = spawn(argv, log, s->dir);
    started(s->pid);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (int64_t until_ms = time_mono_ms() + START_MS; !slice_eq(redis_server_say(a, s, "ping"), SL("PONG")); rest()) {
        if (time_mono_ms() < until_ms && waitpid(s->pid, NULL, WNOHANG) == 0)
            continue;
        show(log);
        test_fail(__FILE__, __LINE__, "Redis does not start");
    }
}

void redis_server_stop(struct redis_server *s, int signum)
{
    stopped(s->pid, signum);
    s->pid = 0;
}

void redis_cluster_start(struct redis_server servers[3])
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < 3; i++) {
        servers[i].cluster = true;
        redis_server_start(&servers[i]);
    }
    slice create = arena_printf(a, "--cluster create 127.0.0.1:%u 127.0.0.1:%u 127.0.0.1:%u --cluster-yes", servers[0].port, servers[1].port, servers[2].port);
    (void)redis_server_say(a, &servers[0], create.p);
    for (size_t i = 0; i < 3; i++) {
        for (int64_t until_ms = time_mono_ms() + START_MS; slice_find(redis_server_say(a, &servers[i], "cluster info"), SL("cluster_state:ok")) == SIZE_MAX; rest())
            if (time_mono_ms() >= until_ms)
                test_fail(__FILE__, __LINE__, "the cluster does not come up");
    }
}
