/* offers.h - what the guest was shown to tap: the page sends the text on a button, the desk wants what the button stands for.
 *
 *   slice text = offer_text(&o, choice, card);           unique among what this message offers: goes on the wire as the button's textback
 *   json = offers_add(a, json, &o);                      the newest few messages with buttons, of a session
 *   if (offers_find(a, json, said, &payload, &of)) …     an answer, and to which message
 *
 * JSON  [{"of":"message id","items":[["text","payload"], …]}, …], newest first, at most CHAT_OFFERS_BYTES: the oldest make way.
 */
#ifndef API_CHAT_OFFERS_H
#define API_CHAT_OFFERS_H
#include "hub/message.h"

struct offers {
    struct arena *a;
    slice of;
    struct js_list items; /* struct js_pair: text, payload */
};
/* The text that stands for this choice: its label, with the card's title or a number behind it where another choice has the same. */
slice offer_text(struct offers *o, const struct choice *ch, slice card_title);
slice offers_add(struct arena *a, slice json, const struct offers *o) MUST_USE;
bool offers_find(struct arena *a, slice json, slice text, slice *ret_payload, slice *ret_of) MUST_USE;
#endif
