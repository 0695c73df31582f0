/* content.h - reading the content elements of one outbound message, 8.4: between content.c and choices.c. */
#ifndef DESKS_GENESYS_CLOUD_CONTENT_H
#define DESKS_GENESYS_CLOUD_CONTENT_H
#include "desks/genesys_cloud/wire.h"

struct gc_reading {
    struct arena *a;
    slice text;            /* of the message, and of elements that are nothing but text */
    struct js_list pieces; /* struct message: kind and content only */
};
/* Elements of one kind that belong together (files, quick replies, cards) share a piece: the one that is there, or a new one. */
struct message *gc_piece_of(struct gc_reading *r, enum kind kind);
void gc_line(struct gc_reading *r, slice line); /* one more line of the text; nothing when empty */
/* Latitude and longitude as numbers on this planet. */
bool gc_coordinates(const struct js *lat, const struct js *lon, struct location *ret) MUST_USE;

/* One element each; false: it cannot be read, nothing was added. v may be NULL. */
bool gc_read_attachment(struct gc_reading *r, const struct js *v);
bool gc_read_quick_reply(struct gc_reading *r, const struct js *v);
bool gc_read_quick_reply_v2(struct gc_reading *r, const struct js *v);
bool gc_read_card(struct gc_reading *r, const struct js *v);
bool gc_read_carousel(struct gc_reading *r, const struct js *v);
bool gc_read_date_picker(struct gc_reading *r, const struct js *v);
bool gc_read_list_picker(struct gc_reading *r, const struct js *v);
bool gc_read_notification(struct gc_reading *r, const struct js *v);
/* What may be answered by a structured response: fills type and choices. */
bool gc_offer_of(struct arena *a, const struct message *m, struct gc_offer *ret);
#endif
