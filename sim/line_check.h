/* line_check.h - is this message object one that LINE takes?
 *
 *   struct line_errors e = { .a = a };
 *   line_check_messages(&e, js_at(doc, "messages"), &rules);
 *   if (e.n) … 400 {"message":"The request body has N error(s)","details":[…]}
 *
 * The objects are tables (section "Message objects" of the LINE wire sheet: fields, which are required, limits and in which unit they are
 * counted); what a table cannot say (templates with a title hold less text, a carousel's columns have equally many actions, where `$` stands
 * for an emoji) is a function named in the table.
 */
#ifndef SIM_LINE_CHECK_H
#define SIM_LINE_CHECK_H
#include "wire/js.h"

enum { LINE_ERRORS_MAX = 20, LINE_MESSAGES_MAX = 5 };

struct sim_line_error {
    slice message, property;
};
struct line_rules {
    bool allow_http;   /* http:// is as good as https:// */
    bool notification; /* by phone number: no pictures, films or sounds */
};
struct line_errors {
    struct arena *a;
    struct line_rules rules;
    struct sim_line_error list[LINE_ERRORS_MAX];
    size_t n;
};
void sim_line_error(struct line_errors *e, slice property, const char *fmt, ...) PRINTF(3, 4);
void line_check_messages(struct line_errors *e, const struct js *messages);
/* Grapheme clusters, as LINE counts labels and the texts of templates: joined emoji, flags and accents count once. */
size_t grapheme_count(slice s);
#endif
