/* response_message.h - what a rendered response says, as messages.
 *
 *   a text that is no JSON    a text (without blanks around it)
 *   an object                 what it stands for (rich.h)
 *   a list                    each of its items, texts and objects, in order
 *
 * Ownership  in a.
 * Errors     text for the agent: what is wrong, in which line or member.
 */
#ifndef HUB_RESPONSE_MESSAGE_H
#define HUB_RESPONSE_MESSAGE_H
#include "hub/connector.h"

enum { RESPONSE_MESSAGES_MAX = 10 };
/* For a guest of this network. *ret: struct message, with kind and content only; at least one. */
bool response_messages(struct arena *a, slice text, const struct connector *network, struct js_list *ret, struct fault *f) MUST_USE;
#endif
