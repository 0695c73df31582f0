/* contacts.h - who the guests are, over all networks (store/contact_db.h), without a message waiting for it.
 *
 *   contact_of(api->contacts, SL("acme/line:U1"), &conv->pub.person, found, arg);      found(arg, contact, fault), later
 *
 * Made      a conversation that the history has heard of gets its contact behind the messages, when it is calm; whoever asks by contact_of, or over the
 *           API, makes that happen first. Names and addresses that become known later are taken over in the same way.
 * Durable   contacts.db in the data directory, or the hub's database, opened when it is first needed. Every change is synced before done is called.
 * Whole     the export and the erasing of one contact go over everything that is kept of its conversations: the history, the attachments, what the
 *           hub remembers, and what keepers (contacts_keep) have.
 * Threads   loop thread; done comes later, never from within the call.
 */
#ifndef API_CONTACTS_CONTACTS_H
#define API_CONTACTS_CONTACTS_H
#include "hub/hub.h"
#include "hub/message.h"
#include "store/contact_db.h"

struct contacts;
struct api;
struct server;
struct contacts *contacts_new(struct api *api, slice data) MUST_USE;
void contacts_start(struct contacts *cs); /* the history is there */
void contacts_control(struct contacts *cs, struct server *control); /* POST /internal/contacts/export and /erase {"contact"}, for the command line */
void contacts_stop(struct contacts *cs);
void contacts_free(struct contacts *cs); /* after loop_free */

/* ct: valid during the call; NULL: f says why. */
typedef void (*contact_done)(void *arg, const struct contact *ct, const struct fault *f);
/* Whose conversation is this? Found, or made out of what is known: person may be NULL. */
void contact_of(struct contacts *cs, slice conversation, const struct person *person, contact_done done, void *arg);
void contact_write(struct jw *w, const struct contact *ct); /* its members, as the API shows them, into the object that is open */

enum { CONTACT_LISTENERS = 4, CONTACT_KEEPERS = 4 };
/* A contact was made or changed, or is gone. */
void contacts_on_change(struct contacts *cs, void (*changed)(void *arg, slice id), void *arg);
struct contact_keeper { /* who else keeps something about conversations */
    /* Nothing of it shall be left; what is state goes in the batch, or out by itself. NULL: nothing to do. */
    void (*erase)(void *arg, slice conversation, struct jbatch *b);
    /* Members for the export, into the conversation's object. NULL: none. */
    void (*tell)(void *arg, slice conversation, struct jw *w);
    void *arg;
};
void contacts_keep(struct contacts *cs, const struct contact_keeper *keeper);

/* ---- one contact, whole: id is a contact's or a conversation's ----------------------------------------------------------- */

enum { CONTACT_EXPORT_MAX = 60 << 20 };
/* done(arg, json): one document; it lives in a, which must live until then. json {NULL,0}: f says why. */
void contact_export(struct contacts *cs, struct arena *a, slice id, void (*done)(void *arg, slice json, const struct fault *f), void *arg);
struct contact_erased {
    slice id;           /* of the contact; valid during done */
    size_t conversations, attachments;
};
/* Contact, history, remembered persons, keepers' things; attachments are deleted as soon as their storages do it. What a fault leaves undone is done by
 * the next try. The journal keeps its records for its own time. */
void contact_erase(struct contacts *cs, slice id, void (*done)(void *arg, const struct contact_erased *e, const struct fault *f), void *arg);
#endif
