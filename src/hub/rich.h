/* rich.h - the JSON that stands for a message: what agents, bots, IVRs and canned responses write in place of a text.
 *
 *   {"genesys_prompt", "genesys_quick_replies":[{"text","payload"?,"image"?,"url"?}, or a text …]}          choices
 *   {"type":"text","text"}, {"text"} and nothing else           a text
 *   {"type":"location","title","address","latitude","longitude"}                            a location
 *   {"type":"sticker","stickerId","packageId"?,"title"?}        a sticker
 *   {"type":"image|video|audio|file","url","text"?}             a file at that address
 *   {"type":"button","text","name"?|"label"?,"payload"?,"url"?} a prompt with one choice
 *   {"type":"card","title","text"?|"description"?,"image"?,"url"?,"actions"?|"buttons"?|"choices"?:[{"text"|"label"|"title","payload"?,"url"?}]}    a card
 *   {"type":"carousel","text"?,"cards":[card …]}                cards
 *   {"kind":"cards","cards":[{"title":"Tea","text":"Green","image":"https://…","choices":[{"label":"Buy","payload":"b"}]}]}
 *       message.h's own form, the same for every network: only what people see of it counts
 *   {anything else}   an object of the guest's network's own, for its connector to check and complete (KIND_NATIVE); also one of a type above that has
 *                     members only a network's own (LINE's) has, or none of those the type needs
 *
 * JSON is read as people write it (js_loose.h). The names of types are known without regard to case.
 * Errors     false with *f: it is meant to be one of these, and is not good; f.field says where, f.text is for the one who wrote it.
 * Ownership  in a, and in the document.
 */
#ifndef HUB_RICH_H
#define HUB_RICH_H
#include "hub/connector.h"

enum { RICH_CHOICES_MAX = 100, RICH_CARDS_MAX = 50 };
/* What a text means to be: an object or a list. NULL: it is a text, or, with f->code, JSON that is wrong. */
const struct js *rich_json(struct arena *a, slice text, struct fault *f) MUST_USE;
/* The same for those who send what cannot be read as it is: only a whole object; NULL: it is a text. */
const struct js *rich_doc(struct arena *a, slice text) MUST_USE;
/* doc: an object. network: the guest's; NULL: not known, or several. *ret has kind and content, nothing else. */
bool rich_message(struct arena *a, const struct js *doc, const struct connector *network, struct message *ret, struct fault *f) MUST_USE;
/* What people see of a message in our own form that came from outside: ids, origins, files of ours and tokens are not for others to say. */
bool rich_own(struct arena *a, const struct js *doc, struct message *ret, struct fault *f) MUST_USE;
#endif
