#include "tests/harness/test.h"
#include <arpa/inet.h>
#include <cmocka.h>
#include <ftw.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TESTS_MAX = 2048 };
static struct CMUnitTest tests[TESTS_MAX];
static void (*bodies[TESTS_MAX])(void);
static size_t n_tests;
static char dirs[TESTS_MAX][64];
static size_t n_dirs;

static void run(void **state)
{
    void (*fn)(void);
    long before = arena_alive(); /* a test that failed left its own behind */
    memcpy(&fn, state, sizeof(fn)); /* cmocka hands the test's own pointer in *state */
    fn();
    if (arena_alive() != before)
        test_fail("", 0, "%ld arenas are still alive after the test", arena_alive() - before);
}

void test_register(const char *name, void (*fn)(void))
{
    assert(n_tests < TESTS_MAX);
    bodies[n_tests] = fn;
    void *state;
    memcpy(&state, &fn, sizeof(state));
    tests[n_tests++] = (struct CMUnitTest){ .name = name, .test_func = run, .initial_state = state };
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    print_error("%s\n", text);
    _fail(file, line);
    abort(); /* _fail does not return */
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void remove_dirs(void)
{
    for (size_t i = 0; i < n_dirs; i++)
        nftw(dirs[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_tmp(void)
{
    const char *tmp = getenv("TMPDIR");
    return tmp && strlen(tmp) < 32 ? tmp : "/tmp";
}

const char *test_dir(void)
{
    assert(n_dirs < TESTS_MAX);
    char *dir = dirs[n_dirs];
    snprintf(dir, sizeof(dirs[0]), "%s/dragoman-test-XXXXXX", test_tmp());
    if (!mkdtemp(dir))
        test_fail(__FILE__, __LINE__, "cannot make a temporary folder %s", dir);
    if (n_dirs++ == 0)
        atexit(remove_dirs);
    return dir;
}

static bool port_free(unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1; /* what a connection left behind, waiting for its end, is in nobody's way */
    bool is = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    close(fd);
    return is;
}

unsigned test_ports(unsigned n)
{
    enum { FIRST = 10240, END = 32000 };
    static unsigned next;
    if (!next) /* programs that run side by side begin at different places */
        next = FIRST + (unsigned)getpid() * 131U % (END - FIRST);
    for (unsigned tries = 0, run = 0; tries < END - FIRST; tries++) {
        if (next == END) {
            next = FIRST;
            run = 0;
        }
        run = port_free(next++) ? run + 1 : 0;
        if (run == n)
            return next - n;
    }
    test_fail(__FILE__, __LINE__, "no %u free ports", n);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        static char pattern[256];
        snprintf(pattern, sizeof(pattern), "*%s*", argv[1]);
        cmocka_set_test_filter(pattern);
    }
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return _cmocka_run_group_tests("dragoman", tests, n_tests, NULL, NULL);
}
