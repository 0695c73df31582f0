/* media_link.h - the address at which the other side fetches a stored attachment.
 *
 * Mostly the storage's own link (public, of a content network, or signed until its time). Where a storage cannot sign for as long as the link should live
 * (Amazon and Google: seven days), or makes links only when asked, it is a link of the hub instead:
 *
 *   public_url/media/ID/NAME?exp=SECONDS&sig=HEX      sig = hex(HMAC-SHA256(secret, "GET\n" "media/ID" "\n" exp)); exp 0: until the file is deleted
 *
 * Each request for it is sent on (302) to a link made at that moment, which lives for an hour; ranges and HEAD are served by the provider. Such a link
 * therefore works as long as the conversation, whatever the provider's limit, and ends with the purge.
 *
 * Answers    302; 403 the signature is wrong; 410 past its time, or deleted; 404 no link of ours; 503 the store or the storage does not answer.
 * Threads    loop thread.
 */
#ifndef HUB_MEDIA_LINK_H
#define HUB_MEDIA_LINK_H
#include "hub/hub.h"
#include "hub/storage.h"
#include "net/server.h"

#define MEDIA_LINK_ROUTE "/media/"
enum { MEDIA_LINK_S = 3600 }; /* life of what a link of the hub leads to */

/* {NULL,0}: the handle is none of this storage. */
slice media_link(const struct hub *h, struct arena *a, struct storage *s, slice id, slice handle, const struct storage_link *link) MUST_USE;
void media_link_serve(struct exchange *x, void *hub);
/* ret: 64 hex digits. */
void media_link_sign(slice secret, slice id, slice exp, char ret[65]);
#endif
