/* chat.h - the consumer API of web chat (chat v3): what pages of companies' sites call, and where what agents write goes to them.
 *
 *   /nexus/v3/chat/sessions …   and the same below /chat/v3/sessions        docs/wire/webchat.md
 *
 * A 200 to a message means that it is on disk. Every answer is JSON and carries CORS headers. A poll that finds nothing new asks no database.
 * Threads  loop thread.
 */
#ifndef API_CHAT_CHAT_H
#define API_CHAT_CHAT_H
#include "api/call.h"

struct chat;
struct chat *chat_new(struct api *api) MUST_USE; /* before store_start: reads the sessions; stands at the other end of the web chats from here on */
void chat_start(struct chat *chat);              /* serves */
void chat_stop(struct chat *chat);
void chat_free(struct chat *chat);
/* What the guest of this conversation is typing just now ({NULL,0}: nothing): for an agent's page. It is never stored. */
slice chat_preview(const struct chat *chat, slice conversation);
#endif
