/* js.h - JSON in (by table) and out (as a stream).
 *
 *   struct event { slice id, text; int64_t at_ms; };
 *   static const struct js_field fields[] = {
 *       JS_FIELD(struct event, id,    "id",           JS_STR,  JS_REQ),
 *       JS_FIELD(struct event, at_ms, "sent_at",      JS_SECS, JS_REQ),
 *       JS_FIELD(struct event, text,  "message.text", JS_STR,  0),
 *   };
 *   const struct js *doc = js_parse(a, body, f);
 *   struct event e = { 0 };
 *   if (!doc || !js_read(a, doc, fields, COUNT(fields), &e, f))
 *       return false;
 *
 * Reading is strict RFC 8259: UTF-8 only, no duplicate keys, 64-bit integers exact, "\u0000" allowed in values. Depth is
 * limited to JS_DEPTH_MAX.
 * Ownership  values, slices and raw texts live in the arena given to js_parse (raw texts: in the text given to it).
 * Errors     code "bad_json" with line and column; "missing_field", "wrong_type", "out_of_range" with the path.
 * Threads    any; one document belongs to one thread.
 */
#ifndef WIRE_JS_H
#define WIRE_JS_H
#include "base/base.h"

enum { JS_DEPTH_MAX = 64 };

struct js; /* a parsed value */

const struct js *js_parse(struct arena *a, slice text, struct fault *f) MUST_USE; /* NULL: see *f */
/* "message.text", "items.0.id"; NULL if absent or if v is NULL. JSON null is a value of type null. */
const struct js *js_at(const struct js *v, const char *path);
const struct js *js_get(const struct js *v, slice key); /* one member, any characters in the key */
slice js_text(const struct js *v);                      /* {NULL,0} if v is NULL or no string */
bool js_int(const struct js *v, int64_t *ret) MUST_USE; /* integers only (also an integral real such as 1.0) */
bool js_double(const struct js *v, double *ret) MUST_USE;
bool js_true(const struct js *v); /* v is the literal true */
bool js_is_null(const struct js *v);
bool js_is_object(const struct js *v);
bool js_is_array(const struct js *v);
bool js_is_string(const struct js *v);
bool js_is_bool(const struct js *v);
bool js_is_integer(const struct js *v); /* written without fraction and exponent */
bool js_is_number(const struct js *v);
size_t js_len(const struct js *v); /* items of an array or members of an object, else 0 */
const struct js *js_item(const struct js *v, size_t i);
/* Walks an object's members in document order: for (void *it = js_first(v); it; it = js_next(v, it)) … */
void *js_first(const struct js *v);
void *js_next(const struct js *v, void *it);
slice js_key(const struct js *v, void *it);
const struct js *js_value(void *it);
/* The value as compact JSON text (members in document order, no needless \u escapes). */
slice js_print(struct arena *a, const struct js *v) MUST_USE;
/* The bytes of the member at `path` exactly as they stand in `text`, a text js_parse accepted; {NULL,0} if absent.
 * For payloads that are passed on untouched. */
slice js_raw(slice text, const char *path);
bool js_equal(const struct js *a, const struct js *b); /* as values; order of members does not matter */

/* JS_SECS: seconds on the wire, ms in the struct; JS_TIME: RFC 3339 on the wire, ms in the struct; both refused outside
 * 1970 to 9999. JS_TEXTNUM: a string or an integer on the wire, a slice in the struct. JS_ENUM: one of names[]; an
 * unknown name is a fault. JS_ANY: const struct js *. JS_RAW: a slice with the value as compact JSON text.
 * JS_OBJ: a struct in place, read by sub. JS_LIST: struct js_list { items, n } of structs read by sub.
 * JS_STRLIST: struct js_list of slices. JS_PAIRS: struct js_list of struct js_pair (an object of strings). */
enum js_type {
    JS_STR, JS_TEXTNUM, JS_I64, JS_F64, JS_BOOL, JS_SECS, JS_TIME, JS_ENUM, JS_ANY, JS_RAW, JS_OBJ, JS_LIST, JS_STRLIST,
    JS_PAIRS,
};
enum {
    JS_REQ = 1,    /* absent (or null) is a fault */
    JS_STRICT = 2, /* null is a fault, too; without it null is the same as absent */
    JS_ZERO = 4,   /* js_write: write the member even when it is 0, false or absent (as 0, false, "") */
};
struct js_list {
    void *items;
    size_t n;
};
void *list_add(struct arena *a, struct js_list *l, size_t item_size); /* a zeroed item at the end */
#define LIST_ADD(a, list, T) ((T *)list_add((a), (list), sizeof(T)))
#define LIST_AT(list, T, i) (&((T *)(list).items)[i])
struct js_pair {
    slice key, value;
};
struct js_field {
    const char *path; /* reading: may hold dots; writing: a plain name */
    enum js_type type;
    size_t off;
    unsigned flags;
    const struct js_field *sub; /* JS_OBJ, JS_LIST */
    size_t n_sub;
    size_t size;                /* JS_LIST: of one item */
    const char *const *names;   /* JS_ENUM: indexed by value, NULL entries are skipped, stored as int */
    size_t n_names;
};
#define JS_FIELD(T, m, path, type, flags) { path, type, offsetof(T, m), flags, NULL, 0, 0, NULL, 0 }
#define JS_FIELD_ENUM(T, m, path, names, flags) { path, JS_ENUM, offsetof(T, m), flags, NULL, 0, 0, names, COUNT(names) }
#define JS_FIELD_OBJ(T, m, path, table, flags) { path, JS_OBJ, offsetof(T, m), flags, table, COUNT(table), 0, NULL, 0 }
#define JS_FIELD_LIST(T, m, path, Item, table, flags) \
    { path, JS_LIST, offsetof(T, m), flags, table, COUNT(table), sizeof(Item), NULL, 0 }

/* Fills *into from v; members that are absent keep what *into held. */
bool js_read(struct arena *a, const struct js *v, const struct js_field *t, size_t n, void *into, struct fault *f) MUST_USE;

/* ---- writing --------------------------------------------------------------------------------------------------- */

struct jw {
    struct text t;
    bool comma;
};
struct jw jw_new(struct arena *a, size_t max_bytes);
void jw_open(struct jw *w, const char *key, char bracket); /* key NULL: array item or the document; '{' or '[' */
void jw_close(struct jw *w, char bracket);                 /* '}' or ']' */
void jw_str(struct jw *w, const char *key, slice s);       /* invalid UTF-8 becomes U+FFFD; absent is written as "" */
void jw_opt(struct jw *w, const char *key, slice s);       /* nothing when s is absent or empty */
void jw_int(struct jw *w, const char *key, int64_t v);
void jw_double(struct jw *w, const char *key, double v);   /* shortest text that reads back the same; NaN, infinity: null */
void jw_bool(struct jw *w, const char *key, bool v);
void jw_null(struct jw *w, const char *key);
void jw_raw(struct jw *w, const char *key, slice json); /* json: one valid value, copied as it is */
void jw_value(struct jw *w, const char *key, const struct js *v);
void jw_time(struct jw *w, const char *key, int64_t ms); /* RFC 3339 */
void jw_key(struct jw *w, slice key);                    /* then a call with key NULL gives the value */
/* Writes the members of *from by the table js_read uses; absent strings, 0, false, empty lists and objects without members
 * are left out (see JS_ZERO). An enum is written whenever its value has a name, also when it is 0. */
void jw_fields(struct jw *w, const struct js_field *t, size_t n, const void *from);
slice jw_done(struct jw *w); /* {NULL,0} when max_bytes was crossed */
#endif
