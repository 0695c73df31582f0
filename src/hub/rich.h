/* rich.h - the JSON that stands for a message: what agents, bots, IVRs and canned responses write in place of a text.
 *
 *   {"genesys_prompt":"Sure?","genesys_quick_replies":[{"text":"Yes","payload":"y","image":"https://…"}]}      choices
 *   {"type":"location","title":"HQ","address":"…","latitude":37.7,"longitude":-122.4}
 *   {"type":"sticker","stickerId":40130,"packageId":"446","title":"Hug"}
 *   {"kind":"cards","cards":[{"title":"Tea","text":"Green","image":"https://…","choices":[{"label":"Buy","payload":"b"}]}]}
 *       message.h's own form, the same for every network: only what people see of it counts
 *   {anything else}   an object of the guest's network's own, passed on as it is (KIND_NATIVE)
 *
 * Errors     false with *f: it is meant to be one of these, and is not good; f.field says where.
 * Ownership  in a, and in the text the document was read from.
 */
#ifndef HUB_RICH_H
#define HUB_RICH_H
#include "hub/message.h"

enum { RICH_CHOICES_MAX = 100, RICH_CARDS_MAX = 50 };
/* Does a text mean to be such a JSON? Only a whole object does; NULL: it is a text. */
const struct js *rich_doc(struct arena *a, slice text) MUST_USE;
/* json: the text of doc, for objects that are passed on. *ret has kind and content, nothing else. */
bool rich_message(struct arena *a, const struct js *doc, slice json, struct message *ret, struct fault *f) MUST_USE;
/* What people see of a message in our own form that came from outside: ids, origins, files of ours and tokens are not for others to say. */
bool rich_own(struct arena *a, const struct js *doc, struct message *ret, struct fault *f) MUST_USE;
#endif
