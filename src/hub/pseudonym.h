/* pseudonym.h - a vendor's JSON without what people wrote and who they are, but with its structure, order and sizes.
 *
 *   struct pseudonyms p = { .keep = type->record_keep, .names = channels, .n_names = n };
 *   seal_derive(seal, SL("recording"), p.key);
 *   slice body = pseudonym_body(&p, a, rq->body);      {"type":"text","text":"Qhd lk wp nxbzyo?","id":"830194…"}
 *
 * Shape      Every text is replaced unless the key of its member is in `keep`: what nobody thought of is hidden, not shown. A letter becomes a
 *            letter, a digit a digit, a character of n bytes another of n bytes; ASCII punctuation and white space stay. Ids made of hex digits stay
 *            such. Addresses keep their scheme, their host becomes one that can never exist (….invalid). Numbers not in `keep` become others
 *            beginning with 10; true, false and null stay. Keys stay when they look like names in a schema, else they become "k" and 12 hex digits.
 * Same in,   the same value gives the same pseudonym under the same key, so that ids still fit together. "U1@line" is two values, and the part
 * same out   behind the last '@' stays when it is one of `names`: the guest of a desk's address is the guest of the network.
 * Secrecy    Without the key nothing says which value a pseudonym stands for; lengths and punctuation remain visible.
 * Ownership  results live in the arena.
 */
#ifndef HUB_PSEUDONYM_H
#define HUB_PSEUDONYM_H
#include "base/base.h"

enum { PSEUDONYM_KEY_BYTES = 32, PSEUDONYM_KEY_CHARS_MAX = 32, PSEUDONYM_ID_CHARS_MIN = 16 };
struct pseudonyms {
    uint8_t key[PSEUDONYM_KEY_BYTES];
    const char *const *keep; /* keys of members whose values stay; NULL-terminated; NULL: none */
    const slice *names;      /* of channels */
    size_t n_names;
};

slice pseudonym_text(const struct pseudonyms *p, struct arena *a, slice value) MUST_USE;
/* {NULL,0}: the body is no JSON. */
slice pseudonym_body(const struct pseudonyms *p, struct arena *a, slice json) MUST_USE;
/* Only the texts at these paths (NULL-terminated; "events.message.id": of each item of the list events) are replaced. */
slice pseudonym_paths(const struct pseudonyms *p, struct arena *a, slice json, const char *const *paths) MUST_USE;
#endif
