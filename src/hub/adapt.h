/* adapt.h - the downgrade rules: a message made into parts that the other side can carry. Pure.
 *
 * What a side can carry is its caps (connector.h); what happens to the rest is one of the rules of rules.def, and the ones applied are named in
 * adapted.note, which is recorded on the message. Of a numbered list that took the place of choices the guest's "1" or label is read back
 * (answer_of_list).
 */
#ifndef HUB_ADAPT_H
#define HUB_ADAPT_H
#include "hub/connector.h"

enum { ADAPT_PARTS_MAX = 200, LIST_CHOICES_MAX = 50 };
struct adapted {
    const struct message *parts;
    size_t n;
    slice note;       /* names of the rules applied, separated by blanks; empty: none */
    slice list;       /* JSON of a numbered list that was sent: remember it as LIST_MEMORY */
};
/* [[label, payload]…], as numbered for the guest; [[label, payload, false]…]: the guest was shown labels alone, and a number is just a number. */
#define LIST_MEMORY "hub.list"
struct adapt_rule {
    const char *name;
    bool loses;       /* the guest gets less than was said, not only in another form */
    const char *text; /* one sentence, for people */
};
const struct adapt_rule *adapt_rule_find(slice name); /* NULL: there is none */
const struct adapt_rule *adapt_rule_at(size_t i);      /* in the order of rules.def; NULL: behind the last */
struct adapt_to {
    const struct account *account;
    const struct conversation *conversation;
};
/* False: nothing of it can be carried: *ret_reason and *f. */
bool adapt_message(struct arena *a, const struct adapt_to *to, const struct message *m, struct adapted *ret, enum reason *ret_reason,
                   struct fault *f) MUST_USE;
/* If the guest's text is a number (where there are some) or label of the list sent last, *m becomes that answer. */
bool answer_of_list(struct arena *a, slice list, struct message *m);
/* What can be tapped on these parts, in the same form: remember it as OFFER_MEMORY. {NULL,0}: nothing. */
#define OFFER_MEMORY "hub.offer"
slice offer_of_parts(struct arena *a, const struct message *parts, size_t n) MUST_USE;
/* A network that tells of a tapped answer only what stands behind it: *m gets the label that was shown. */
void answer_label(struct arena *a, slice offer, struct message *m);
/* The pieces of a text, each at most max units; at least one. */
size_t text_split(slice text, size_t max, enum text_unit unit, slice *ret, size_t ret_max);
#endif
