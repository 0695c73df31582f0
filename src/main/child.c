#include "main/child.h"
#include "base/log.h"
#include "net/loop.h"
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARENT_ENV "DRAGOMAN_DOOR_PID"
extern char **environ;

struct child {
    struct loop *loop;
    const struct log *log;
    char **argv;
    pid_t pid; /* 0: it does not run */
    int64_t started_ms, wait_ms;
    struct loop_timer again;
    bool stopping;
    void (*done)(void *arg);
    void *arg;
};

static void start(void *arg);

static void start_later(struct child *c)
{
    bool steady = time_mono_ms() - c->started_ms >= CHILD_STEADY_MS;
    c->wait_ms = steady || !c->wait_ms ? CHILD_AGAIN_MS : MIN(c->wait_ms * 2, (int64_t)CHILD_AGAIN_MAX_MS);
    loop_timer_start(c->loop, &c->again, c->wait_ms, start, c);
}

static void start(void *arg)
{
    struct child *c = arg;
    c->started_ms = time_mono_ms();
    posix_spawnattr_t attr;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    int e = posix_spawn(&c->pid, "/proc/self/exe", NULL, &attr, c->argv, environ);
    posix_spawnattr_destroy(&attr);
    if (!e)
        return;
    c->pid = 0;
    log_note(c->log, LEVEL_ERROR, "The worker's process cannot be started: %s", strerror(e));
    start_later(c);
}

static void ended(void *arg, int signum)
{
    struct child *c = arg;
    int status;
    (void)signum;
    if (!c->pid || waitpid(c->pid, &status, WNOHANG) != c->pid)
        return;
    c->pid = 0;
    struct log_line *l = log_begin(c->log, c->stopping ? LEVEL_INFO : LEVEL_WARN, "The worker's process ended");
    if (WIFSIGNALED(status))
        log_int(l, "signal", WTERMSIG(status));
    else
        log_int(l, "status", WEXITSTATUS(status));
    log_end(l);
    if (!c->stopping)
        start_later(c);
    else if (c->done)
        c->done(c->arg);
}

struct child *child_new(struct loop *loop, const struct log *log, char *const *argv, const char *const *more)
{
    struct child *c = must_calloc(1, sizeof(*c));
    size_t n = 0, extra = 0, at = 0;
    while (argv[n])
        n++;
    while (more[extra])
        extra++;
    c->loop = loop;
    c->log = log;
    c->argv = must_calloc(n + extra + 1, sizeof(*c->argv));
    for (size_t i = 0; i < n + extra; i++) {
        const char *word = i == 1 ? "worker" : i < n ? argv[i] : more[i - n];
        c->argv[at] = strdup(word);
        if (!c->argv[at++])
            abort();
    }
    char pid[24];
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    setenv(PARENT_ENV, pid, 1);
    loop_signal(loop, SIGCHLD, ended, c);
    start(c);
    return c;
}

void child_stop(struct child *c, void (*done)(void *), void *arg)
{
    c->stopping = true;
    c->done = done;
    c->arg = arg;
    loop_timer_stop(&c->again);
    if (c->pid)
        kill(c->pid, SIGTERM);
    else
        done(arg);
}

void child_kill(struct child *c)
{
    if (c->pid)
        kill(c->pid, SIGKILL);
}

void child_free(struct child *c)
{
    if (!c)
        return;
    if (c->pid) {
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    loop_timer_done(&c->again);
    for (char **p = c->argv; *p; p++)
        free(*p);
    free(c->argv);
    free(c);
}

void child_bind(void)
{
    const char *parent = getenv(PARENT_ENV);
    if (!parent)
        return;
    int64_t pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!slice_int(slice_of(parent), &pid) || pid != (int64_t)getppid()) /* it ended before we asked */
        _exit(1);
}
