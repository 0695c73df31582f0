/* child.h - the worker's process beside a door: `dragoman worker` with the door's own arguments, started again whenever it ends.
 *
 * The child ends with its parent, however that one ends. Threads: loop thread.
 */
#ifndef MAIN_CHILD_H
#define MAIN_CHILD_H
#include "base/base.h"

enum { CHILD_AGAIN_MS = 250, CHILD_AGAIN_MAX_MS = 8000, CHILD_STEADY_MS = 10000 /* who ran so long ended for a new reason: no long wait */ };
struct loop;
struct log;
struct child;
/* argv: of the whole process, its second word is replaced; more: arguments behind them, NULL-terminated. Copied. */
struct child *child_new(struct loop *loop, const struct log *log, char *const *argv, const char *const *more) MUST_USE;
/* SIGTERM; done(arg) once it has ended, and it is not started again. */
void child_stop(struct child *c, void (*done)(void *arg), void *arg);
void child_kill(struct child *c); /* does not wait for what it does */
void child_free(struct child *c); /* accepts NULL; one that runs still is killed */
/* In the child, first of all: it shall not outlive its parent. */
void child_bind(void);
#endif
