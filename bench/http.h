/* http.h - just enough HTTP/1.1 for programs that measure: whole messages with a Content-Length, over plain buffers.
 *
 *   struct http_message m;
 *   while (http_read(buffer_slice(&conn->in), &m)) {
 *       …
 *       buffer_drop(&conn->in, m.size);
 *   }
 *
 * Shape      start is the first line without its end, head the lines after it, body what Content-Length says (absent: empty).
 *            No chunked bodies, no continuation lines, no 1xx: what is measured here sends none of them to us.
 * Ownership  slices point into the buffer that was read; they are good until it changes.
 * Errors     http_read is false while something is missing. A peer that speaks no HTTP is a mistake in the set-up: the program ends.
 */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H
#include "base/base.h"

struct buffer {
    char *p;
    size_t n, cap;
};
static inline slice buffer_slice(const struct buffer *b)
{
    return (slice){ b->p, b->n };
}
char *buffer_room(struct buffer *b, size_t n); /* at least n bytes behind what is there; they count once b->n is raised */
void buffer_add(struct buffer *b, slice s);
void buffer_printf(struct buffer *b, const char *fmt, ...) PRINTF(2, 3);
void buffer_drop(struct buffer *b, size_t n); /* the first n bytes */
void buffer_done(struct buffer *b);

struct http_message {
    slice start, head, body;
    size_t size;
};
bool http_read(slice in, struct http_message *ret);
slice http_header(const struct http_message *m, const char *name); /* {NULL, 0}: absent */
int http_status(const struct http_message *m);                     /* of an answer */

int http_listen(unsigned port, unsigned *ret_port); /* 127.0.0.1, not blocking; port 0: any. Ends the process when it cannot */
int http_connect(unsigned port);                    /* likewise; connected, not blocking. -1: refused */

NORETURN void die(const char *fmt, ...) PRINTF(1, 2);
/* The value of "--name VALUE"; otherwise when it is absent. */
const char *option(int argc, char **argv, const char *name, const char *otherwise);
int64_t option_int(int argc, char **argv, const char *name, int64_t otherwise);
double option_double(int argc, char **argv, const char *name, double otherwise);
void files_max(void); /* as many descriptors as the system lets us have */
#endif
