/* js_shape.h - has a JSON document the shape somebody wants? For objects that are passed on to a vendor, so that what it would refuse is told before.
 *
 *   static const struct shape_member button_members[] = {
 *       SHAPE_ROW("action", SHAPE_OBJECT, SHAPE_REQUIRED, .of = actions),
 *       SHAPE_ROW("style",  SHAPE_WORD,   0,              .words = "primary secondary link"),
 *       SHAPE_ROW("label",  SHAPE_TEXT,   SHAPE_REQUIRED, SHAPE_RANGE(1, 20)),
 *   };
 *   static const struct shape button = SHAPE("button", button_members);
 *   static const struct shape *const components[] = { &box, &button, …, NULL };
 *   if (!shape_check(a, doc, components, "", f)) …      "contents.footer.contents[2].action: is missing"
 *
 * Choosing   of several shapes the one whose .type is the value of the member "type" (.by: another); a shape without .type takes what is left.
 * Strict     members that no row knows are let through: vendors add to their objects. What a row knows must be right.
 * Texts      are measured in UTF-16 units, as vendors' own programs do; SHAPE_CHARS: in characters. Of numbers and lists the value and the length.
 * Errors     "missing_field", "wrong_type", "out_of_range"; f.field is the path, whose beginning is left out where it is long.
 */
#ifndef WIRE_JS_SHAPE_H
#define WIRE_JS_SHAPE_H
#include "wire/js.h"

enum shape_type { SHAPE_ANY, SHAPE_TEXT, SHAPE_WORD, SHAPE_HTTPS, SHAPE_NUMBER, SHAPE_BOOL, SHAPE_OBJECT, SHAPE_LIST };
enum { SHAPE_REQUIRED = 1, SHAPE_CHARS = 2 };
struct shape;
struct shape_member {
    const char *name;
    enum shape_type type;
    unsigned flags;
    int64_t min, max;              /* both 0: any */
    const char *words;             /* SHAPE_WORD: those that are good, without regard to case, blanks between them */
    const struct shape *const *of; /* SHAPE_OBJECT, and of each item of SHAPE_LIST that is an object; NULL-terminated; NULL: any */
};
struct shape_path;
struct shape {
    const char *type;
    const struct shape_member *members;
    size_t n;
    const char *by;     /* instead of "type" */
    size_t max_bytes;   /* of the object as JSON; 0: any */
    const char *one_of; /* at least one of these members must be there */
    /* More than rows can say. */
    bool (*more)(const struct js *v, const struct shape_path *at, struct fault *f);
};
#define SHAPE_ROW(name_, type_, flags_, ...) { .name = name_, .type = type_, .flags = flags_, ##__VA_ARGS__ }
#define SHAPE_RANGE(min_, max_) .min = min_, .max = max_
#define SHAPE(type_, rows, ...) { .type = type_, .members = rows, .n = COUNT(rows), ##__VA_ARGS__ }
bool shape_check(struct arena *a, const struct js *v, const struct shape *const *of, const char *path, struct fault *f) MUST_USE;
/* For .more: returns false with the path, and member behind it. */
bool shape_fault(struct fault *f, const char *code, const struct shape_path *at, const char *member, const char *fmt, ...) PRINTF(5, 6);
#endif
