/* test.h - the shape of our unit tests, over cmocka.
 *
 *   TEST(retry_stays_in_bounds)
 *   {
 *       for (size_t i = 0; i < COUNT(rows); i++)
 *           CHECK_ROW(i, rows[i].want == retry_next_ms(rows[i].attempt));
 *   }
 *
 * Tests register themselves; the program runs all of them, or those whose name contains its argument, prints TAP
 * and returns non-zero when one failed. After each test every arena of the thread must be freed.
 */
#ifndef TESTS_HARNESS_TEST_H
#define TESTS_HARNESS_TEST_H
#include "base/base.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void test_register(const char *name, void (*fn)(void));
void test_fail(const char *file, int line, const char *fmt, ...) PRINTF(3, 4) NORETURN;

#define TEST(name)                                                             \
    static void test_##name(void);                                             \
    __attribute__((constructor)) static void test_register_##name(void)        \
    {                                                                          \
        test_register(#name, test_##name);                                     \
    }                                                                          \
    static void test_##name(void)

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond))                                                           \
            test_fail(__FILE__, __LINE__, "%s", #cond);                        \
    } while (0)
#define CHECK_ROW(i, cond)                                                     \
    do {                                                                       \
        if (!(cond))                                                           \
            test_fail(__FILE__, __LINE__, "row %zu: %s", (size_t)(i), #cond);  \
    } while (0)
/* Both are slices; prints them when they differ. */
#define CHECK_SLICE(got, want)                                                 \
    do {                                                                       \
        slice got_ = (got), want_ = (want);                                    \
        if (!slice_eq(got_, want_))                                            \
            test_fail(__FILE__, __LINE__, "%s is \"" SLF "\", want \"" SLF "\"", #got, SLA(got_), SLA(want_)); \
    } while (0)
#define CHECK_INT(got, want)                                                   \
    do {                                                                       \
        long long got_ = (long long)(got), want_ = (long long)(want);          \
        if (got_ != want_)                                                     \
            test_fail(__FILE__, __LINE__, "%s is %lld, want %lld", #got, got_, want_); \
    } while (0)
/* $TMPDIR, or /tmp where there is none or its name is long: sockets' names are short. */
const char *test_tmp(void);
/* An empty folder of this test's own in it, removed when the program ends. */
const char *test_dir(void);

/* The first of n ports of 127.0.0.1 that follow each other and are free, all below those that the system gives to outgoing connections. No two
 * calls of a program name the same port. */
unsigned test_ports(unsigned n);
#endif
