/* resp.h - the protocol of Redis (RESP2): a reader and a writer, bytes in memory only.
 *
 *   struct resp r;
 *   size_t used;
 *   switch (resp_read(a, buffered, &r, &used)) { case RESP_DONE: … the next value begins at `used` }
 *   resp_command(&t, (slice[]){ SL("GET"), key }, 2);
 *
 * Shape      texts point into the bytes given. RESP_NIL stands for a null bulk and a null array.
 * Limits     RESP_BULK_MAX bytes a text, RESP_LINE_MAX a line, RESP_DEPTH_MAX arrays within arrays; an array has never more items than bytes that are there.
 */
#ifndef CACHE_RESP_H
#define CACHE_RESP_H
#include "base/base.h"

enum { RESP_BULK_MAX = 1 << 20, RESP_LINE_MAX = 4096, RESP_DEPTH_MAX = 6 };
enum resp_kind { RESP_STATUS, RESP_ERROR, RESP_INT, RESP_TEXT, RESP_NIL, RESP_ARRAY };
struct resp {
    enum resp_kind kind;
    slice text;         /* STATUS, ERROR, TEXT */
    int64_t number;     /* INT */
    struct resp *items; /* ARRAY */
    size_t n;
};
enum resp_end { RESP_DONE, RESP_MORE, RESP_BAD };
enum resp_end resp_read(struct arena *a, slice in, struct resp *ret, size_t *used) MUST_USE;
void resp_command(struct text *to, const slice *args, size_t n);
#endif
