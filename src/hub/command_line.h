/* command_line.h - what stands behind the prefix of a command, taken apart.
 *
 *   > send "My Response" with name="John" total="12"
 *     name   of the command, in small letters: "send"
 *     rest   what follows it, trimmed
 *
 * A command that names a thing and values (command_object) reads the rest as
 *
 *   rest   = thing [ "with" ] { name "=" value [ "," ] }
 *   thing  = quoted, or words up to "with" or the end
 *   name   = letters, digits, "_", "-" and "."      value = quoted, or signs up to a blank or comma
 *   quoted = "…" '…' “…” „…“ ”…” ‘…’ «…»; inside it \" \\ \n \t, and the closing quote written twice, stand for themselves
 *
 * Ownership  results point into the text, or live in a.
 * Errors     code "bad_command"; the text says what is wrong and where, in characters from 1.
 */
#ifndef HUB_COMMAND_LINE_H
#define HUB_COMMAND_LINE_H
#include "base/base.h"
#include "template/template.h" /* struct template_pair */

enum { COMMAND_VALUES_MAX = 64, COMMAND_NAME_BYTES = 64, COMMAND_THING_BYTES = 800, COMMAND_VALUE_BYTES = 8 << 10, COMMAND_PREFIX_BYTES = 16 };

struct command_line {
    slice name, rest;
};
struct command_object {
    slice thing;
    struct template_pair values[COMMAND_VALUES_MAX]; /* of one name, the last that was given */
    size_t n;
};
/* Is this a command? *ret_line: behind the prefix. Blanks before the prefix do not matter. */
bool command_prefixed(slice text, slice prefix, slice *ret_line);
bool command_read(struct arena *a, slice line, struct command_line *ret, struct fault *f) MUST_USE;
bool command_read_object(struct arena *a, slice rest, struct command_object *ret, struct fault *f) MUST_USE;
#endif
