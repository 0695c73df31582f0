/* value.h - what a template computes with.
 *
 * Shape      V_NONE is "no value" (an absent key), V_NIL a nil held by a map or list; they differ when a field of theirs
 *            is asked for. Every JSON number is V_FLOAT; constants and len give V_INT; add and its kin V_INT64.
 * Maps       are kept sorted by key (byte order), so that printing and range need no sorting; copies of a value share
 *            the map: set changes the original.
 * Ownership  everything lives in the arena of the rendering, or in the one the data were built in.
 */
#ifndef TEMPLATE_VALUE_H
#define TEMPLATE_VALUE_H
#include "base/base.h"

enum value_type { V_NONE, V_NIL, V_BOOL, V_INT, V_INT64, V_FLOAT, V_STRING, V_LIST, V_MAP, V_TIME, V_VERSION };
enum value_of { OF_ANY, OF_STRING, OF_INT, OF_LIST }; /* what a list or map holds, as typeOf and %T tell it */

struct list;
struct map;
struct version;
/* Which clocks show a time: UTC's, those of the rendering's own zone, those of an offset (INSTANT_FIXED + seconds), or those of a zone of which only the letters are known. */
enum { INSTANT_UTC = 0, INSTANT_FIXED = 1 << 29, INSTANT_LETTERS = 1 << 30, INSTANT_LOCAL = INT32_MAX };
struct instant {
    int64_t s; /* seconds since 1970 UTC; the zero time of the language is year 1 */
    int32_t ns;
    int32_t zone;
};
struct value {
    enum value_type t;
    union {
        bool b;
        int64_t i;
        double f;
        slice s;
        struct list *l;
        struct map *m;
        struct instant at;
        struct version *v;
    };
};
struct list {
    enum value_of of;
    size_t n;
    struct value *v;
};
struct entry {
    slice key;
    struct value v;
};
struct map {
    enum value_of of;
    size_t n, cap;
    struct entry *e;
};
struct version {
    uint64_t major, minor, patch;
    slice pre, meta, original;
};

#define VALUE_NONE ((struct value){ .t = V_NONE })
#define VALUE_NIL ((struct value){ .t = V_NIL })
#define VALUE_TRUTH(x) ((struct value){ .t = V_BOOL, .b = (x) })
#define VALUE_INT(x) ((struct value){ .t = V_INT, .i = (int64_t)(x) })
#define VALUE_INT64(x) ((struct value){ .t = V_INT64, .i = (x) })
#define VALUE_FLOAT(x) ((struct value){ .t = V_FLOAT, .f = (x) })
#define VALUE_STRING(x) ((struct value){ .t = V_STRING, .s = (x) })
#define VALUE_LIST(x) ((struct value){ .t = V_LIST, .l = (x) })
#define VALUE_MAP(x) ((struct value){ .t = V_MAP, .m = (x) })

static inline bool value_nothing(struct value v)
{
    return v.t == V_NONE || v.t == V_NIL;
}
static inline bool value_whole(struct value v)
{
    return v.t == V_INT || v.t == V_INT64;
}
bool value_true(struct value v);            /* false: nothing, false, 0, "", empty list or map */
const char *value_type_name(struct value v); /* "map[string]interface {}" */
const char *value_kind_name(struct value v); /* "map" */
const struct value *map_get(const struct map *m, slice key); /* NULL: absent */
/* Where key is or would be inserted. */
size_t map_seek(const struct map *m, slice key, bool *ret_found);
/* A map of n entries in any order becomes sorted; of equal keys the later one stays. */
void map_sort(struct arena *a, struct map *m);
int64_t float_to_int(double f); /* truncated, saturated; NaN is 0 */
/* The shortest decimal digits that read back as |f|: returns their number, *ret_exp is x in d.ddd * 10^x. f finite. */
enum { FLOAT_DIGITS = 20 };
int float_digits(double f, char digits[FLOAT_DIGITS], int *ret_exp);
#endif
