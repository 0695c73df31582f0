/* schema.h - the shapes of the API's bodies as tables: from them come the checks of requests and the schemas of the OpenAPI document.
 *
 *   static const struct member login_request[] = {
 *       { "user", S_TEXT, S_REQUIRED, .max = 64, .help = "Name of the login" }, …
 *   };
 *
 * Request bodies are checked before a handler sees them: required members are there, types and lengths fit, and there is no member that the
 * table does not know. Every mistake is told, up to PROBLEMS_MAX. What a handler reads afterwards with js_at is of the type the table says.
 * Shapes that come out of settings tables (a tenant's document) are S_OWN: written by connectors_schema.c, checked by the hub.
 */
#ifndef API_SCHEMA_H
#define API_SCHEMA_H
#include "base/base.h"
#include "wire/js.h"

enum member_type {
    S_TEXT,
    S_WHOLE,   /* whole number */
    S_NUMBER,
    S_BOOL,
    S_TIME,    /* RFC 3339 */
    S_OBJECT,  /* of the schema `of` */
    S_LIST,    /* of objects of the schema `of` */
    S_TEXTS,   /* list of texts */
    S_WHOLES,  /* list of whole numbers */
    S_PAIRS,   /* object of texts */
    S_ANY,     /* any JSON value */
    S_OWN,     /* the schema `of`, which is not one of these tables; its contents are checked elsewhere */
    S_OWNS,    /* a list of them */
};
enum {
    S_REQUIRED = 1,
    S_NULLABLE = 2,
    S_WRITE = 4,     /* never comes back: a secret */
    S_BYTES = 8,     /* its length is counted in bytes, where what keeps it has so much room; the document says so */
};
struct member {
    const char *name;
    enum member_type type;
    unsigned flags;
    const char *of;
    int64_t min, max;           /* S_WHOLE: range; S_TEXT: characters (code points, as JSON Schema counts them); lists, S_PAIRS: items; both 0: the type's own */
    const char *const *choices; /* S_TEXT, and each of S_TEXTS: NULL-terminated */
    const char *help;
};
struct schema {
    const char *name;
    const struct member *members;
    size_t n;
    const char *help;
    bool open; /* members that are not in the table are let through */
};
extern const struct schema schemas[];
extern const size_t n_schemas;
const struct schema *schema_find(const char *name); /* NULL: it is not one of the tables */

enum { PROBLEMS_MAX = 20, SCHEMA_TEXT_MAX = 65536, SCHEMA_ITEMS_MAX = 1000 };
struct problems {
    struct arena *a;
    struct problem_item {
        slice field, message;
    } items[PROBLEMS_MAX];
    size_t n;
};
void problem_add(struct problems *p, slice field, const char *fmt, ...) PRINTF(3, 4);
/* False: *p says what is wrong. */
bool schema_check(const struct schema *s, const struct js *v, slice path, struct problems *p);
/* The same of the table of this name; *f: the first mistake. */
bool schema_fits(struct arena *a, const char *name, const struct js *v, struct fault *f);
bool schema_is_optional(const struct schema *s); /* no member is required: a request may leave its body out */
/* The JSON Schema (2020-12) of one table, references as "#/components/schemas/NAME". checked: requests have this shape, and schema_check's own limits are told, too. */
void schema_write(struct jw *w, const char *key, const struct schema *s, bool checked);
#endif
