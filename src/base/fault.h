/* fault.h - why something was refused, in the form our API answers with.
 *
 *   if (!name.n)
 *       return fault(f, "missing_field", "tenants[0].name", "a tenant needs a name");
 *
 * code is one of a few constants ("bad_json", "missing_field", "wrong_type", "out_of_range", "refused" …);
 * field is the path in the offending document; text is for people. Neither ever holds a secret or message text.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H
#include "base/macros.h"

struct fault {
    const char *code; /* a string constant, NULL: no fault */
    char field[96];
    char text[240];
};

/* Fills *f (which may be NULL) and returns false. */
bool fault(struct fault *f, const char *code, const char *field, const char *fmt, ...) PRINTF(4, 5);
#endif
