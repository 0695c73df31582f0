/* redact.h - a value that a log line must not hold, in a form by which equal values can still be matched.
 *
 *   log_str(r, "text", redact(a, m->text));        "REDACTED-a591a6d40b"
 *
 * Shape  "REDACTED-" and the first 10 hex digits of the value's SHA-256; absent and empty stay what they are.
 *        For tokens, signatures and passwords even that is too much: write SL("REDACTED").
 */
#ifndef WIRE_REDACT_H
#define WIRE_REDACT_H
#include "base/base.h"

slice redact(struct arena *a, slice value) MUST_USE;
#endif
