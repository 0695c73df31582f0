/* state.h - durable keys and values of the hub: conversations, memories, progress of deliveries.
 *
 * A value is put in the journal batch it belongs to, so that it is there exactly when the message is; it is kept here until the
 * store has it, too, and then forgotten by the journal. Reading looks here first, then in the store.
 *
 * Keys begin with a letter that says of what: "a:" account memory, "c:" conversation, "d:" progress of a delivery, "g:" an agent's state at the built-in
 * desk, "i:" an interaction there, "l:" a conversation that comes back later, "m:" stored media, "n:" a problem operators were told of, "o:" open conversation,
 * "p:" what a customer said on a page, "r:" what a parked delivery was resumed with, "s:" starts of late, "u:" a conversation whose attachments
 * go, "v:" a line of a web chat, "w:" a web chat's session, "x:" what a command sends. The values of "a:" and "p:" are sealed: they may hold tokens and names.
 *
 * When the commit of a batch fails, its values stay here and go to the store all the same: they are true, and whoever made the batch tells or repeats
 * what must not be lost.
 */
#ifndef HUB_STATE_H
#define HUB_STATE_H
#include "journal/journal.h"

struct hub;
struct state;
enum { STATE_FLUSH_MS = 2000, STATE_FLUSH_KEYS = 4000 };

/* What is kept of one message while it is open: "d:", "m:", "r:" and "x:" with its number. */
#define STATE_OF_MESSAGE "dmrx"
slice state_message_key(struct arena *a, char letter, uint64_t id) MUST_USE;

struct state *state_new(struct hub *h) MUST_USE;
void state_free(struct state *s);
/* Replayed by journal_open. */
void state_replay(struct state *s, slice key, slice value);
/* value {NULL,0}: remove. Copied. */
void state_put(struct state *s, struct jbatch *b, slice key, slice value);
/* Everything that is kept of this message. */
void state_forget_message(struct state *s, struct jbatch *b, uint64_t id);
/* done(arg, value): {NULL,0} when there is none; now, or later. The value is valid during the call. A store that cannot be read is asked until it
 * answers. */
void state_get(struct state *s, slice key, void (*done)(void *arg, slice value), void *arg);
/* Hands the store everything that it has not got yet (stop; store_close then waits for it). */
void state_flush_all(struct state *s);
/* Before the loop runs, once: learns which conversations the store has, so that it need not be asked for those of new guests (known.h). */
void state_learn(struct state *s);
/* Before the loop runs: everything whose key begins with prefix. */
void state_each(struct state *s, slice prefix, void (*each)(void *arg, slice key, slice value), void *arg);
#endif
