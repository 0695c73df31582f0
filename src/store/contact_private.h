/* contact_private.h - what the parts of contact_db share: statements (contact_sql.c) and their small steps. */
#ifndef STORE_CONTACT_PRIVATE_H
#define STORE_CONTACT_PRIVATE_H
#include "store/contact_db.h"
#include "store/sql.h"

/* clang-format off */
enum contact_statement {
    CS_MAKE, CS_READ, CS_CHANGE, CS_TOUCH, CS_REMOVE, CS_BY_ID, CS_SEARCH_SET, CS_UNINDEX, CS_INDEX,
    CS_IDENTITY, CS_IDENTITY_PUT, CS_IDENTITY_MOVE, CS_IDENTITIES, CS_IDENTITIES_MOVE, CS_IDENTITIES_REMOVE, CS_BY_GUEST,
    CS_ADDRESS_PUT, CS_ADDRESSES, CS_ADDRESSES_MOVE, CS_ADDRESSES_REMOVE, CS_ADDRESS_REMOVE, CS_ADDRESSES_KIND_REMOVE, CS_BY_ADDRESS,
    CS_MERGED_PUT, CS_MERGED, CS_MERGED_MOVE, CS_MERGED_REMOVE, CS_LIST, CS_FIND, CS_FIND_SHORT, CS_COUNT,
    CS_MAX,
};
/* clang-format on */
extern const struct sql_plan contact_plan;

struct contact_db {
    struct sql *sql;
};
enum address_kind { ADDRESS_PHONE = 'p', ADDRESS_EMAIL = 'e' };

/* A statement whose only parameter is the contact's number. */
bool contact_on(struct contact_db *db, enum contact_statement which, int64_t n, struct fault *f);
/* What can be searched for is brought up to date, and the contact counts as changed. */
bool contact_refresh(struct contact_db *db, int64_t n, struct fault *f);
/* "U1" of "acme/line:U1" */
static inline slice contact_guest(slice conversation)
{
    slice_cut(&conversation, ':');
    return conversation;
}
/* "acme" of "acme/line:U1" */
static inline slice contact_tenant(slice conversation)
{
    slice account = slice_cut(&conversation, ':');
    return slice_cut(&account, '/');
}
#endif
