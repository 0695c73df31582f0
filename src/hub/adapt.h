/* adapt.h - the downgrade rules: a message made into parts that the other side can carry. Pure.
 *
 * What a side can carry is its caps (connector.h); what happens to the rest is one of these rules, and the ones applied are named in
 * adapted.note, which is recorded on the message:
 *
 *   split             a text over text_max becomes several, cut at a line, a sentence or a blank where one is near
 *   cut               what goes on over ADAPT_PARTS_MAX pieces of one text, or over LIST_CHOICES_MAX choices of a list, is left out
 *   prefix-agent      the agent's name before the text, where asked for and the network has no place of its own for it
 *   link              a file of a type, size or kind not carried becomes a text with its name and our link
 *   media-lost        a file that could not be fetched becomes a text that says so; its caption is kept
 *   caption-apart     a caption that cannot stand at a file, or is over text_max, becomes a text of its own, before the file
 *   sticker-picture   a sticker of another network becomes its picture; sticker-text: or its title
 *   location-text     title, address and a map link; location-picture: a map picture with that text
 *   location-title    title or address filled with the coordinates
 *   numbered          choices that cannot be tapped become a numbered list; a guest's "1" or label is read back (answer_of_list)
 *   cards-text        cards become title, text, picture link and a numbered list
 *   picker-choices    times or items to pick become choices
 *   answer-text       a tapped answer becomes its label
 *   edited-text       a message the guest changed becomes "(edited)" and how it reads now, where the other side cannot change it
 *   text-only         only the text of something that cannot be shown is left
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
#define LIST_MEMORY "hub.list"
struct adapt_to {
    const struct account *account;
    const struct conversation *conversation;
};
/* False: nothing of it can be carried: *ret_reason and *f. */
bool adapt_message(struct arena *a, const struct adapt_to *to, const struct message *m, struct adapted *ret, enum reason *ret_reason,
                   struct fault *f) MUST_USE;
/* If the guest's text is a number or label of the list sent last, *m becomes that answer. */
bool answer_of_list(struct arena *a, slice list, struct message *m);
/* The pieces of a text, each at most max units; at least one. */
size_t text_split(slice text, size_t max, enum text_unit unit, slice *ret, size_t ret_max);
#endif
