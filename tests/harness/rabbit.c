#include "tests/harness/rabbit.h"
#include "tests/harness/test.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 400000, LOOK_NS = 50 * 1000 * 1000 };

static struct {
    char dir[80], url[64], tls_url[64], ca[96];
    unsigned port;
    pid_t pid;
} rabbit;

static const char *script(void)
{
    const char *root = getenv("DRAGOMAN_SOURCE"); /* meson says where; else the programs are started from the top */
    static char path[512];
    snprintf(path, sizeof(path), "%s/tests/harness/rabbitmq", root ? root : ".");
    return path;
}

static void say(const char *what)
{
    char line[1024];
    snprintf(line, sizeof(line), "%s %s %u %s", script(), rabbit.dir, rabbit.port, what);
    if (system(line) != 0)
        test_fail(__FILE__, __LINE__, "rabbitmqctl %s failed", what);
}

void rabbit_ctl(const char *args)
{
    char line[512];
    snprintf(line, sizeof(line), "ctl %s", args);
    say(line);
}

void rabbit_kill(void)
{
    if (!rabbit.pid)
        return;
    (void)kill(-rabbit.pid, SIGKILL);
    (void)waitpid(rabbit.pid, NULL, 0);
    rabbit.pid = 0;
}

static void end(void)
{
    rabbit_kill();
    say("end");
    char line[128];
    snprintf(line, sizeof(line), "rm -rf '%s'", rabbit.dir);
    if (system(line) != 0)
        fprintf(stderr, "# %s is left behind\n", rabbit.dir);
}

static bool answers(unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    close(fd);
    return ok;
}

static void make(void)
{
    snprintf(rabbit.dir, sizeof(rabbit.dir), "%s/dragoman-rabbit-XXXXXX", test_tmp());
    if (!mkdtemp(rabbit.dir) || atexit(end) != 0)
        test_fail(__FILE__, __LINE__, "no folder");
    rabbit.port = test_ports(4);
    snprintf(rabbit.ca, sizeof(rabbit.ca), "%s/cert.pem", rabbit.dir);
    snprintf(rabbit.url, sizeof(rabbit.url), "amqp://guest:guest@127.0.0.1:%u/", rabbit.port);
    snprintf(rabbit.tls_url, sizeof(rabbit.tls_url), "amqps://guest:guest@localhost:%u/", rabbit.port + 3);
    char line[512];
    snprintf(line, sizeof(line), "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>openssl.log",
             rabbit.dir);
    if (system(line) != 0)
        test_fail(__FILE__, __LINE__, "openssl makes no certificate");
}

static void start(void)
{
    char port[12], log[96];
    snprintf(port, sizeof(port), "%u", rabbit.port);
    snprintf(log, sizeof(log), "%s/out", rabbit.dir);
    rabbit.pid = fork();
    if (rabbit.pid == 0) {
        (void)setpgid(0, 0);
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
            _exit(126);
        execl("/bin/bash", "bash", script(), rabbit.dir, port, (char *)NULL);
        _exit(127);
    }
    (void)setpgid(rabbit.pid, rabbit.pid);
    for (int64_t until_ms = time_mono_ms() + START_MS; !answers(rabbit.port) || !answers(rabbit.port + 3);) {
        if (waitpid(rabbit.pid, NULL, WNOHANG) == rabbit.pid || time_mono_ms() > until_ms)
            test_fail(__FILE__, __LINE__, "RabbitMQ does not start; see %s", log);
        struct timespec t = { 0, LOOK_NS };
        (void)nanosleep(&t, NULL);
    }
}

const char *rabbit_url(void)
{
    if (!rabbit.dir[0])
        make();
    if (!rabbit.pid)
        start();
    return rabbit.url;
}

const char *rabbit_tls_url(void)
{
    (void)rabbit_url();
    return rabbit.tls_url;
}

const char *rabbit_ca_file(void)
{
    return rabbit.ca;
}
