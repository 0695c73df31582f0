/* rabbit.h - a real RabbitMQ for tests, on loopback, with temporary data; started by tests/harness/rabbitmq.
 *
 * One for the whole test program; it ends with it. */
#ifndef TESTS_HARNESS_RABBIT_H
#define TESTS_HARNESS_RABBIT_H
#include "base/base.h"

const char *rabbit_url(void);      /* starts it when it does not run */
const char *rabbit_tls_url(void);
const char *rabbit_ca_file(void);  /* of the certificate it shows */
void rabbit_kill(void);            /* SIGKILL */
void rabbit_ctl(const char *args); /* rabbitmqctl; fails the test when it does */
#endif
