/* response_message.h - what a rendered response says, as messages.
 *
 *   a text that is no JSON                                      a text (without blanks around it)
 *   {"genesys_prompt", "genesys_quick_replies":[{"text","payload"?,"image"?,"url"?}]}         choices
 *   {"type":"text","text"}, {"text"} and nothing else           a text
 *   {"type":"location","title","address","latitude","longitude"}                            a location
 *   {"type":"sticker","stickerId","packageId"?,"title"?}        a sticker; an object with more members of a network's own (LINE's) is that network's
 *   {"type":"image|video|audio|file","url","text"?}             a file at that address
 *   {"type":"button","text","name"?|"label"?,"payload"?,"url"?} a prompt with one choice
 *   {"type":"card","title","text"?|"description"?,"image"?,"url"?,"actions"?|"buttons"?|"choices"?:[{"text"|"label"|"title","payload"?,"url"?}]}    a card
 *   {"type":"carousel","text"?,"cards":[card …]}                cards
 *   {"kind":…}                                                  our own form of any of these (rich.h)
 *   any other object                                            an object of the network's own, passed on for its connector to check and complete
 *   a list                                                      each of its items, in order
 *
 * JSON is read as people write it (js_loose.h). The names of types are known without regard to case.
 * Ownership  in a.
 * Errors     code "bad_response"; text for the agent: what is wrong, in which line or member.
 */
#ifndef HUB_RESPONSE_MESSAGE_H
#define HUB_RESPONSE_MESSAGE_H
#include "hub/connector.h"

enum { RESPONSE_MESSAGES_MAX = 10, RESPONSE_CHOICES_MAX = 100, RESPONSE_CARDS_MAX = 100 };
/* For a guest of this network. *ret: struct message, with kind and content only; at least one. */
bool response_messages(struct arena *a, slice text, const struct connector *network, struct js_list *ret, struct fault *f) MUST_USE;
#endif
