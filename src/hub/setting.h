/* setting.h - one value against its row of a settings table: the hub's own table and every connector's.
 *
 *   if (!setting_value(a, &rows[i], SL("50 MiB"), &value, &f)) … f.code "wrong_type" or "out_of_range", f.text what to write instead
 *
 * Shape   text in, text out, in one form: numbers as decimal digits ("50 MiB" is "52428800"; KiB, MiB, GiB are known), booleans as
 *         "true" or "false" (yes, no, on, off are read), URLs without a slash at the end.
 * Errors  f.text never repeats the value: it may be a secret.
 */
#ifndef HUB_SETTING_H
#define HUB_SETTING_H
#include "hub/connector.h"

/* dedupe_hours: a member of every account, beside its connector's settings. */
extern const struct setting setting_dedupe;
bool setting_value(struct arena *a, const struct setting *s, slice text, slice *ret, struct fault *f) MUST_USE;
/* For people: 300 "5 minutes", 5400 "about 2 hours", 0 "at once". */
slice seconds_in_words(struct arena *a, int64_t seconds) MUST_USE;
/* The row with this name, or -1. */
int setting_find(const struct setting *rows, size_t n, slice name);
/* A name of the table that may have been meant; NULL: none is near. */
const char *setting_nearest(const struct setting *rows, size_t n, slice name);
#endif
