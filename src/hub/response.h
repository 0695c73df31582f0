/* response.h - a canned response: a template under a name, which agents and bots send with a command (command.h).
 *
 * Shape      text is what template_respond takes; what it becomes is response_message.h's. why: it cannot be sent, for this reason (in a line for the agent).
 * Ownership  whoever made it says.
 */
#ifndef HUB_RESPONSE_H
#define HUB_RESPONSE_H
#include "base/base.h"
#include "wire/js.h"

enum { RESPONSE_NAME_BYTES = 400, RESPONSE_TEXT_BYTES = 64 << 10, RESPONSE_SUBSTITUTIONS = 100 };
struct substitution {
    slice id, description, otherwise; /* otherwise: what an absent or empty value becomes */
};
struct canned_response {
    slice name, text, library;
    slice id;                     /* of the desk; the hub's own have none */
    struct js_list substitutions; /* struct substitution */
    slice why;                    /* it cannot be sent; absent: it can */
};

struct canned_response *response_copy(struct arena *a, const struct canned_response *r) MUST_USE; /* with its texts */
/* As a JSON object's members (open in w), and back. False: *f. */
void response_write(struct jw *w, const struct canned_response *r);
bool response_read(struct arena *a, const struct js *v, struct canned_response *ret, struct fault *f) MUST_USE;
#endif
