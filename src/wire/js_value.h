/* js_value.h - what a parsed value looks like; only for js.c and js_parse.c.
 *
 * Memory     everything lies in the arena of js_parse; texts have a NUL behind them.
 */
#ifndef WIRE_JS_VALUE_H
#define WIRE_JS_VALUE_H
#include "wire/js.h"

enum js_kind { JS_NULL, JS_FALSE, JS_TRUE, JS_INTEGER, JS_REAL, JS_STRING, JS_ARRAY, JS_OBJECT };

struct js {
    enum js_kind kind;
    uint32_t n; /* bytes of the text, items, members */
    union {
        int64_t integer;
        double real;
        const char *text;
        const struct js *items;
        const struct js_members *members;
    } v;
};
struct js_member {
    slice key;
    struct js value;
};
struct js_members {
    const struct js_member *const *sorted; /* by js_key_order; NULL: they are few */
    struct js_member at[];                 /* in document order */
};

/* An order that is quick to tell, not one for people. */
static inline int js_key_order(slice a, slice b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}
#endif
