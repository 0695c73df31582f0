/* regex.h - RE2's regular expressions in linear time. Private to template/.
 *
 * A pattern becomes a program of at most TEMPLATE_PROGRAM_BYTES; all its threads walk the subject side by side, in order of
 * preference, so the leftmost-first match is found in time program * subject, whatever the pattern.
 */
#ifndef TEMPLATE_REGEX_H
#define TEMPLATE_REGEX_H
#include "template/run.h"

struct regex;
struct regex *regex_compile(struct run *r, slice pattern, const char **ret_error) MUST_USE; /* NULL: see *ret_error */
size_t regex_groups(const struct regex *re); /* the whole match included */
slice regex_group_name(const struct regex *re, size_t group);
/* From subject[from..]; caps: begin and end of each group, SIZE_MAX: not part of the match. */
bool regex_find(struct run *r, struct regex *re, slice subject, size_t from, size_t *caps);
#endif
