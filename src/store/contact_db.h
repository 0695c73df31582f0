/* contact_db.h - who the guests are: contacts, the conversations they are known by, their addresses and attributes, in tables of their own.
 *
 * A contact is a person as a company sees it: one or more identities (a conversation each: one guest on one channel), telephone numbers, e-mail
 * addresses, attributes. It belongs to one tenant, and nothing is ever matched across tenants. What a person at a desk has decided (merge, split, names,
 * attributes) is in no other place, so commits are synced; and it stays when the history is thrown away.
 *
 * Match    of a conversation that is new: the same guest of the same network on another channel; else a contact with its telephone number; else with its
 *          e-mail address; else a new contact. When an address becomes known later, a contact that nobody has touched and that has no other identity
 *          gives its identity to the contact that has the address. What people have split stays split.
 * Ids      "ct-" and 20 hex digits. A contact that was merged into another one is found by its old id, too.
 * Where    a file of SQLite, or PostgreSQL (postgresql://…), beside the store's tables there.
 * Search   part of a name, guest id, number, address or attribute, by trigrams: FTS5 from three characters on, or pg_trgm where it can be had.
 * Memory   nothing is held but SQLite's page cache (CONTACT_CACHE_KIB).
 * Errors   bool functions fill *f when they return false: "store_failed", "newer", and those of store/pg.h ("store_lost": it can be done again);
 *          "not_found", "other_tenant", "invalid".
 * Threads  everything here blocks and belongs to one thread at a time.
 */
#ifndef STORE_CONTACT_DB_H
#define STORE_CONTACT_DB_H
#include "wire/js.h"

enum {
    CONTACT_CACHE_KIB = 256,
    CONTACT_IDENTITIES_MAX = 200, /* of one contact */
    CONTACT_ADDRESSES_MAX = 50,
    CONTACT_PAGE_MAX = 200,
};
enum contact_how { CONTACT_MADE, CONTACT_BY_GUEST, CONTACT_BY_PHONE, CONTACT_BY_EMAIL, CONTACT_BY_HAND, CONTACT_HOWS }; /* why it is this contact's */
extern const char *const contact_how_names[CONTACT_HOWS];

struct contact_identity {
    slice conversation; /* "acme/line:U1" */
    slice network;      /* the connector's name; empty: its account is not configured any more */
    slice name, picture, phone, email; /* as the network and the guest said */
    int how;
    int64_t heard_ms;
};
struct contact {
    int64_t n; /* within the database */
    slice id, tenant /* slug */, name;
    bool named;          /* by hand: it stays when the guest changes hers */
    slice attributes;    /* JSON: an object of texts */
    int64_t rev, created_ms, changed_ms;
    struct js_list identities; /* struct contact_identity, oldest first */
    struct js_list phones, emails, merged; /* slice; merged: ids of contacts that went into it */
};

struct contact_db;
/* where: a file of SQLite, or postgresql://…. turn: of those who follow one another there, see history_db.h. */
struct contact_db *contact_db_open(const char *where, int64_t turn, struct fault *f) MUST_USE;
void contact_db_close(struct contact_db *db);
bool contact_db_begin(struct contact_db *db, struct fault *f);
bool contact_db_commit(struct contact_db *db, struct fault *f);
void contact_db_rollback(struct contact_db *db);

/* ---- addresses ---------------------------------------------------------------------------------------------------------- */

/* "+49 (170) 123-45" as it is compared: "+4917012345"; {NULL,0}: it is none. */
slice contact_phone(struct arena *a, slice text) MUST_USE;
/* In lower case; {NULL,0}: it is none. */
slice contact_email(struct arena *a, slice text) MUST_USE;

/* ---- writing: within begin and commit; *ret_n: the contact's number ------------------------------------------------------- */

/* Finds or makes the contact of this conversation and notes what is known of it. phone, email: as said. *ret_changed: something is different now. */
bool contact_db_hear(struct contact_db *db, const struct contact_identity *v, int64_t *ret_n, bool *ret_changed, struct fault *f);
struct contact_change { /* absent: as it is */
    slice name;       /* empty: the guest's own again */
    const struct js *phones, *emails; /* lists of texts: all there shall be */
    const struct js *attributes;      /* object of texts: likewise */
};
bool contact_db_make(struct contact_db *db, slice tenant, const struct contact_change *c, int64_t *ret_n, struct fault *f);
/* rev: of the contact as it was read; -1: any. Fault "changed": it is another one now. */
bool contact_db_change(struct contact_db *db, slice id, int64_t rev, const struct contact_change *c, int64_t *ret_n, struct fault *f);
/* All of `with` goes to id; attributes and the name of id win. */
bool contact_db_merge(struct contact_db *db, slice id, slice with, int64_t *ret_n, struct fault *f);
/* These of its conversations (a list of texts) become a contact of their own, with the addresses that were learned from them. */
bool contact_db_split(struct contact_db *db, slice id, const struct js *conversations, int64_t *ret_n, struct fault *f);
/* Nothing of it is left, but for the conversations' own places (history, state, attachments). */
bool contact_db_erase(struct contact_db *db, slice id, struct fault *f);

/* ---- reading: into a ------------------------------------------------------------------------------------------------------ */

bool contact_db_read(struct contact_db *db, struct arena *a, int64_t n, struct contact *ret, struct fault *f);
/* id: a contact's, also a merged one's, or a conversation's. *ret_n 0: there is none. */
bool contact_db_find(struct contact_db *db, slice id, int64_t *ret_n, struct fault *f);
struct contact_query { /* absent and 0: any */
    slice tenant; /* slug */
    slice text;
    int64_t before_ms, before_n; /* the last one of the page before: changed_ms and n */
    size_t limit;
};
/* Those changed last first; with text: those made last. */
bool contact_db_list(struct contact_db *db, struct arena *a, const struct contact_query *q, struct js_list *ret /* struct contact */, struct fault *f);
bool contact_db_count(struct contact_db *db, int64_t *ret, struct fault *f);
#endif
