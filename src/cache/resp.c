#include "cache/resp.h"

enum { LEAST_ITEM = 3 }; /* bytes of the shortest value: "+", CR, LF … */

/* The line at *at without its end; moves *at behind it. */
static enum resp_end line(slice in, size_t *at, slice *ret)
{
    slice rest = slice_from(in, *at);
    size_t n = slice_find(slice_sub(rest, 0, RESP_LINE_MAX + 2), SL("\r\n"));
    if (n == SIZE_MAX)
        return rest.n > RESP_LINE_MAX ? RESP_BAD : RESP_MORE;
    *ret = slice_sub(rest, 0, n);
    *at += n + 2;
    return RESP_DONE;
}

static enum resp_end text(slice in, size_t *at, int64_t n, struct resp *ret)
{
    if (n == -1) {
        ret->kind = RESP_NIL;
        return RESP_DONE;
    }
    if (n < 0 || n > RESP_BULK_MAX)
        return RESP_BAD;
    slice rest = slice_from(in, *at);
    if (rest.n < (size_t)n + 2)
        return RESP_MORE;
    if (rest.p[n] != '\r' || rest.p[n + 1] != '\n')
        return RESP_BAD;
    ret->kind = RESP_TEXT;
    ret->text = slice_sub(rest, 0, (size_t)n);
    *at += (size_t)n + 2;
    return RESP_DONE;
}

static enum resp_end value(struct arena *a, slice in, size_t *at, unsigned depth, struct resp *ret);

static enum resp_end array(struct arena *a, slice in, size_t *at, unsigned depth, int64_t n, struct resp *ret)
{
    if (n == -1) {
        ret->kind = RESP_NIL;
        return RESP_DONE;
    }
    if (n < 0 || depth == RESP_DEPTH_MAX || n > INT32_MAX)
        return RESP_BAD;
    if ((in.n - *at) / LEAST_ITEM < (size_t)n)
        return RESP_MORE;
    ret->kind = RESP_ARRAY;
    ret->n = (size_t)n;
    ret->items = ARENA_ARRAY(a, struct resp, ret->n + 1);
    for (size_t i = 0; i < ret->n; i++) {
        enum resp_end end = value(a, in, at, depth + 1, &ret->items[i]);
        if (end != RESP_DONE)
            return end;
    }
    return RESP_DONE;
}

static enum resp_end value(struct arena *a, slice in, size_t *at, unsigned depth, struct resp *ret)
{
    slice head;
    int64_t n;
    enum resp_end end = line(in, at, &head);
    *ret = (struct resp){ .kind = RESP_NIL };
    if (end != RESP_DONE)
        return end;
    if (!head.n)
        return RESP_BAD;
    slice rest = slice_from(head, 1);
    switch (head.p[0]) {
    case '+':
    case '-':
        ret->kind = head.p[0] == '+' ? RESP_STATUS : RESP_ERROR;
        ret->text = rest;
        return RESP_DONE;
    case ':':
        ret->kind = RESP_INT;
        return slice_int(rest, &ret->number) ? RESP_DONE : RESP_BAD;
    case '$':
        return slice_int(rest, &n) ? text(in, at, n, ret) : RESP_BAD;
    case '*':
        return slice_int(rest, &n) ? array(a, in, at, depth, n, ret) : RESP_BAD;
    default:
        return RESP_BAD;
    }
}

enum resp_end resp_read(struct arena *a, slice in, struct resp *ret, size_t *used)
{
    *used = 0;
    return value(a, in, used, 0, ret);
}

void resp_command(struct text *to, const slice *args, size_t n)
{
    text_add(to, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++) {
        text_add(to, "$%zu\r\n", args[i].n);
        text_put(to, args[i]);
        text_put(to, SL("\r\n"));
    }
}
