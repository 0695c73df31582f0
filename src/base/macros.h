/* macros.h - compiler attributes and the few macros used everywhere; poisons the unsafe parts of libc. */
#ifndef BASE_MACROS_H
#define BASE_MACROS_H
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))
/* The variable is cleaned by fn(&variable) when it goes out of scope: CLEANUP(arena_freep) struct arena *a = … */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
/* Hands a pointer over: the value moves out, the variable becomes NULL and its clean-up does nothing. */
#define TAKE(p)                       \
    __extension__({                   \
        __typeof__(p) *take_ = &(p);  \
        __typeof__(p) value_ = *take_; \
        *take_ = NULL;                \
        value_;                       \
    })
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* An argument may be evaluated twice. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* assert() stays on in production: it states our own promises, never what a peer sent. */
#ifdef NDEBUG
#error "do not build with NDEBUG: assertions are part of the program"
#endif

/* Unsafe, locale-dependent or not reentrant: arena_printf, slice_int and time_rfc3339 do these jobs. */
#ifndef BASE_ALLOW_LIBC
#undef sprintf /* a macro in some builds of glibc's headers, which clang would remark on */
#pragma GCC poison strcpy strcat sprintf strtok gmtime localtime atoi strtol
#endif
#endif
