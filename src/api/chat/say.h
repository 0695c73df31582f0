/* say.h - messages as pages get them: docs/wire/webchat.md "Messages" and "Rich media".
 *
 *   struct jw w = say_begin(a, place, "Text", &who);
 *   jw_str(&w, "text", text);
 *   slice json = say_done(&w);
 */
#ifndef API_CHAT_SAY_H
#define API_CHAT_SAY_H
#include "api/chat/offers.h"
#include "api/chat/session.h"

enum { SAY_BYTES = 48 << 10, SAY_IMAGE_MAX = 20 << 20 /* larger ones are linked, not shown in place */ };

struct say_who {
    slice id, nickname; /* of a participant */
    const char *type;   /* "Customer", "Agent", "External" */
};
struct jw say_begin(struct arena *a, int64_t place, const char *type, const struct say_who *who);
slice say_done(struct jw *w); /* {NULL,0}: over SAY_BYTES */

struct say_who say_guest(struct arena *a, const struct chat_session *s);
/* Of an agent by name: the same id whenever the same name comes back in this session. */
struct say_who say_agent(struct arena *a, const struct chat_session *s, slice name, enum origin origin);

/* One part of a message to the guest. *ret_files: what line_files shall give back, absent: nothing. o collects what can be tapped. */
slice say_part(struct arena *a, const struct chat_session *s, int64_t place, const struct say_who *who, const struct message *part, struct offers *o,
               slice *ret_files) MUST_USE;
/* A picture or a file that the guest sent: only who is in the chat gets it back. */
slice say_upload(struct arena *a, const struct chat_session *s, int64_t place, const struct media *md, slice *ret_files) MUST_USE;

/* Files kept with a line: JSON [{handle,type,name,size}]. */
bool say_file(struct arena *a, slice files, size_t n, struct media *ret) MUST_USE;
/* May a page open this address? Everything but http, https, mailto and tel could run scripts. */
bool say_url_ok(slice url);
#endif
