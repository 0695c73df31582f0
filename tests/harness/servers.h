/* servers.h - real servers for tests: PostgreSQL and Redis as Debian packages them, with temporary data, on a unix socket or loopback.
 *
 *   const char *uri = pg_place_new();              an empty schema of its own; the first call starts the server
 *   pg_server_stop(SIGKILL); pg_server_start();    the same data again
 *
 * As root the servers run as "nobody". They end with the thread that started them, so with the test program however it ends. What is not installed fails the test: tools/setup brings it.
 */
#ifndef TESTS_HARNESS_SERVERS_H
#define TESTS_HARNESS_SERVERS_H
#include "base/base.h"
#include <sys/types.h>

const char *pg_place_new(void); /* valid until the next call but three */
void pg_server_stop(int signum); /* SIGTERM: smart, SIGINT: fast, SIGQUIT: at once, SIGKILL */
void pg_server_start(void);      /* until it answers */
void pg_server_run(const char *uri, const char *sql); /* fails the test when it does */
int64_t pg_server_number(const char *uri, const char *sql);
void pg_server_cut(void); /* ends all connections, from within */

/* Each behaviour of what has two engines is tested in both: TEST_BOTH(name) { … on_pg … } */
extern bool on_pg;
#define TEST_BOTH(name)                                                        \
    static void each_##name(void);                                             \
    TEST(name##_in_sqlite)                                                     \
    {                                                                          \
        on_pg = false;                                                         \
        each_##name();                                                         \
    }                                                                          \
    TEST(name##_in_postgresql)                                                 \
    {                                                                          \
        on_pg = true;                                                          \
        each_##name();                                                         \
    }                                                                          \
    static void each_##name(void)

enum { REDIS_SERVERS_MAX = 8 };
struct redis_server {
    pid_t pid;
    unsigned port;
    char dir[128];
    const char *password; /* NULL: none */
    bool cluster, tls;
};
/* Starts it (again, on the same port and data, when s->port is set). */
void redis_server_start(struct redis_server *s);
void redis_server_stop(struct redis_server *s, int signum);
/* One command by redis-cli; what it prints, in a. */
slice redis_server_say(struct arena *a, const struct redis_server *s, const char *command);
/* Three masters that know each other and share all slots. */
void redis_cluster_start(struct redis_server servers[3]);
const char *redis_ca_file(void); /* of the certificate that servers with tls show; made by the first call */
#endif
