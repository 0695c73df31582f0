/* contact_sql.c - the contacts' tables and statements in both engines. */
#include "store/contact_private.h"
#include "store/pg.h"

enum { CHECKPOINT_PAGES = 400 };

/* ---- SQLite ------------------------------------------------------------------------------------------------------------------ */

/* clang-format off */
static const char *const sqlite_migrations[] = {
    ("CREATE TABLE contact(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, name TEXT NOT NULL, named INTEGER NOT NULL,"
    " touched INTEGER NOT NULL, attributes TEXT NOT NULL, rev INTEGER NOT NULL, created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
    " search TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX contact_changed ON contact(changed_ms, n);"
    "CREATE TABLE identity(conversation TEXT PRIMARY KEY, contact INTEGER NOT NULL, tenant TEXT NOT NULL, network TEXT NOT NULL, guest TEXT NOT NULL,"
    " name TEXT NOT NULL, picture TEXT NOT NULL, phone TEXT NOT NULL, email TEXT NOT NULL, how INTEGER NOT NULL, heard_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX identity_contact ON identity(contact);"
    "CREATE INDEX identity_guest ON identity(tenant, network, guest);"
    "CREATE TABLE address(contact INTEGER NOT NULL, kind INTEGER NOT NULL, value TEXT NOT NULL, tenant TEXT NOT NULL, PRIMARY KEY(contact, kind, value))"
    " WITHOUT ROWID;"
    "CREATE INDEX address_value ON address(tenant, kind, value);"
    "CREATE TABLE merged(id TEXT PRIMARY KEY, contact INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX merged_contact ON merged(contact);"
    "CREATE VIRTUAL TABLE contact_text USING fts5(search, content='contact', content_rowid='n', tokenize='trigram');"),
};

#define CONTACT "n,id,tenant,name,named,attributes,rev,created_ms,changed_ms"
static const char *const sqlite_statements[CS_MAX] = {
    [CS_MAKE]              = "INSERT INTO contact(id,tenant,name,named,touched,attributes,rev,created_ms,changed_ms) VALUES(?1,?2,?3,?4,?5,?6,1,?7,?7)"
                             " RETURNING n",
    [CS_READ]              = "SELECT " CONTACT ",touched FROM contact WHERE n=?1",
    [CS_CHANGE]            = "UPDATE contact SET name=?2,named=?3,attributes=?4 WHERE n=?1",
    [CS_TOUCH]             = "UPDATE contact SET touched=1 WHERE n=?1",
    [CS_REMOVE]            = "DELETE FROM contact WHERE n=?1",
    [CS_BY_ID]             = "SELECT n FROM contact WHERE id=?1 UNION ALL SELECT contact FROM merged WHERE id=?1",
    [CS_SEARCH_SET]        = "UPDATE contact SET search=?2,rev=rev+1,changed_ms=max(changed_ms,?3) WHERE n=?1",
    [CS_UNINDEX]           = "INSERT INTO contact_text(contact_text,rowid,search) SELECT 'delete',n,search FROM contact WHERE n=?1 AND search<>''",
    [CS_INDEX]             = "INSERT INTO contact_text(rowid,search) SELECT n,search FROM contact WHERE n=?1",
    [CS_IDENTITY]          = "SELECT contact,name,picture,phone,email,network FROM identity WHERE conversation=?1",
    [CS_IDENTITY_PUT]      = ("INSERT INTO identity VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11) ON CONFLICT(conversation) DO UPDATE SET"
                             " contact=excluded.contact,network=excluded.network,name=excluded.name,picture=excluded.picture,phone=excluded.phone,"
                             "email=excluded.email,how=CASE WHEN contact=excluded.contact THEN how ELSE excluded.how END"),
    [CS_IDENTITY_MOVE]     = "UPDATE identity SET contact=?3,how=?4 WHERE conversation=?1 AND contact=?2",
    [CS_IDENTITIES]        = "SELECT conversation,network,name,picture,phone,email,how,heard_ms FROM identity WHERE contact=?1 ORDER BY heard_ms,conversation",
    [CS_IDENTITIES_MOVE]   = "UPDATE identity SET contact=?2,how=?3 WHERE contact=?1",
    [CS_IDENTITIES_REMOVE] = "DELETE FROM identity WHERE contact=?1",
    [CS_BY_GUEST]          = "SELECT contact FROM identity WHERE tenant=?1 AND network=?2 AND guest=?3 AND network<>'' ORDER BY heard_ms LIMIT 1",
    [CS_ADDRESS_PUT]       = "INSERT INTO address(contact,kind,value,tenant) VALUES(?1,?2,?3,?4) ON CONFLICT DO NOTHING",
    [CS_ADDRESSES]         = "SELECT kind,value FROM address WHERE contact=?1 ORDER BY kind,value",
    [CS_ADDRESSES_MOVE]    = "INSERT OR IGNORE INTO address(contact,kind,value,tenant) SELECT ?2,kind,value,tenant FROM address WHERE contact=?1",
    [CS_ADDRESSES_REMOVE]  = "DELETE FROM address WHERE contact=?1",
    [CS_ADDRESS_REMOVE]    = "DELETE FROM address WHERE contact=?1 AND kind=?2 AND value=?3",
    [CS_ADDRESSES_KIND_REMOVE] = "DELETE FROM address WHERE contact=?1 AND kind=?2",
    [CS_BY_ADDRESS]        = "SELECT contact FROM address WHERE tenant=?1 AND kind=?2 AND value=?3 AND contact<>?4 ORDER BY contact LIMIT 1",
    [CS_MERGED_PUT]        = "INSERT OR REPLACE INTO merged VALUES(?1,?2)",
    [CS_MERGED]            = "SELECT id FROM merged WHERE contact=?1 ORDER BY id",
    [CS_MERGED_MOVE]       = "UPDATE merged SET contact=?2 WHERE contact=?1",
    [CS_MERGED_REMOVE]     = "DELETE FROM merged WHERE contact=?1",
    [CS_LIST]              = "SELECT n FROM contact WHERE (?1='' OR tenant=?1) AND (?2=0 OR (changed_ms,n)<(?2,?3)) ORDER BY changed_ms DESC,n DESC LIMIT ?4",
    [CS_FIND]              = ("SELECT c.n FROM contact_text t JOIN contact c ON c.n=t.rowid WHERE contact_text MATCH '\"'||replace(?1,'\"','\"\"')||'\"' AND (?2='' OR c.tenant=?2)"
                             " AND (?3=0 OR t.rowid<?3) ORDER BY t.rowid DESC LIMIT ?4"),
    [CS_FIND_SHORT]        = "SELECT n FROM contact WHERE search LIKE " SQL_LIKE("?1") " ESCAPE '\\' AND (?2='' OR tenant=?2) AND (?3=0 OR n<?3) ORDER BY n DESC LIMIT ?4",
    [CS_COUNT]             = "SELECT count(*) FROM contact",
};
/* clang-format on */

/* ---- PostgreSQL -------------------------------------------------------------------------------------------------------------- */

/* Text is what is searched; all else is bytes. */
/* clang-format off */
static const char *const pg_migrations[] = {
    ("CREATE TABLE contact(n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id bytea NOT NULL UNIQUE, tenant bytea NOT NULL, name bytea NOT NULL,"
    " named bigint NOT NULL, touched bigint NOT NULL, attributes bytea NOT NULL, rev bigint NOT NULL, created_ms bigint NOT NULL, changed_ms bigint NOT NULL,"
    " search text NOT NULL DEFAULT '');"
    "CREATE INDEX contact_changed ON contact(changed_ms, n);"
    "CREATE TABLE contact_identity(conversation bytea PRIMARY KEY, contact bigint NOT NULL, tenant bytea NOT NULL, network bytea NOT NULL, guest bytea NOT NULL,"
    " name bytea NOT NULL, picture bytea NOT NULL, phone bytea NOT NULL, email bytea NOT NULL, how bigint NOT NULL, heard_ms bigint NOT NULL);"
    "CREATE INDEX contact_identity_contact ON contact_identity(contact);"
    "CREATE INDEX contact_identity_guest ON contact_identity(tenant, network, guest);"
    "CREATE TABLE contact_address(contact bigint NOT NULL, kind bigint NOT NULL, value bytea NOT NULL, tenant bytea NOT NULL,"
    " PRIMARY KEY(contact, kind, value));"
    "CREATE INDEX contact_address_value ON contact_address(tenant, kind, value);"
    "CREATE TABLE contact_merged(id bytea PRIMARY KEY, contact bigint NOT NULL);"
    "CREATE INDEX contact_merged_contact ON contact_merged(contact);"
    PG_WORDS_INDEX("contact_words", "contact", "search")),
};

#define FIND "SELECT n FROM contact WHERE search ILIKE " SQL_LIKE("$1::text") " AND ($2::bytea='' OR tenant=$2::bytea)" \
    " AND ($3::bigint=0 OR n<$3::bigint) ORDER BY n DESC LIMIT $4::bigint"
static const char *const pg_statements[CS_MAX] = {
    [CS_MAKE]              = "INSERT INTO contact(id,tenant,name,named,touched,attributes,rev,created_ms,changed_ms)"
                             " VALUES($1::bytea,$2::bytea,$3::bytea,$4::bigint,$5::bigint,$6::bytea,1,$7::bigint,$7::bigint) RETURNING n",
    [CS_READ]              = "SELECT " CONTACT ",touched FROM contact WHERE n=$1::bigint",
    [CS_CHANGE]            = "UPDATE contact SET name=$2::bytea,named=$3::bigint,attributes=$4::bytea WHERE n=$1::bigint",
    [CS_TOUCH]             = "UPDATE contact SET touched=1 WHERE n=$1::bigint",
    [CS_REMOVE]            = "DELETE FROM contact WHERE n=$1::bigint",
    [CS_BY_ID]             = "SELECT n FROM contact WHERE id=$1::bytea UNION ALL SELECT contact FROM contact_merged WHERE id=$1::bytea",
    [CS_SEARCH_SET]        = "UPDATE contact SET search=$2::text,rev=rev+1,changed_ms=greatest(changed_ms,$3::bigint) WHERE n=$1::bigint",
    [CS_IDENTITY]          = "SELECT contact,name,picture,phone,email,network FROM contact_identity WHERE conversation=$1::bytea",
    [CS_IDENTITY_PUT]      = "INSERT INTO contact_identity VALUES($1::bytea,$2::bigint,$3::bytea,$4::bytea,$5::bytea,$6::bytea,$7::bytea,$8::bytea,$9::bytea,"
                             "$10::bigint,$11::bigint) ON CONFLICT(conversation) DO UPDATE SET contact=excluded.contact,network=excluded.network,"
                             "name=excluded.name,picture=excluded.picture,phone=excluded.phone,email=excluded.email,"
                             "how=CASE WHEN contact_identity.contact=excluded.contact THEN contact_identity.how ELSE excluded.how END",
    [CS_IDENTITY_MOVE]     = "UPDATE contact_identity SET contact=$3::bigint,how=$4::bigint WHERE conversation=$1::bytea AND contact=$2::bigint",
    [CS_IDENTITIES]        = "SELECT conversation,network,name,picture,phone,email,how,heard_ms FROM contact_identity WHERE contact=$1::bigint"
                             " ORDER BY heard_ms,conversation",
    [CS_IDENTITIES_MOVE]   = "UPDATE contact_identity SET contact=$2::bigint,how=$3::bigint WHERE contact=$1::bigint",
    [CS_IDENTITIES_REMOVE] = "DELETE FROM contact_identity WHERE contact=$1::bigint",
    [CS_BY_GUEST]          = "SELECT contact FROM contact_identity WHERE tenant=$1::bytea AND network=$2::bytea AND guest=$3::bytea AND network<>''"
                             " ORDER BY heard_ms LIMIT 1",
    [CS_ADDRESS_PUT]       = "INSERT INTO contact_address(contact,kind,value,tenant) VALUES($1::bigint,$2::bigint,$3::bytea,$4::bytea) ON CONFLICT DO NOTHING",
    [CS_ADDRESSES]         = "SELECT kind,value FROM contact_address WHERE contact=$1::bigint ORDER BY kind,value",
    [CS_ADDRESSES_MOVE]    = "INSERT INTO contact_address(contact,kind,value,tenant) SELECT $2::bigint,kind,value,tenant FROM contact_address"
                             " WHERE contact=$1::bigint ON CONFLICT DO NOTHING",
    [CS_ADDRESSES_REMOVE]  = "DELETE FROM contact_address WHERE contact=$1::bigint",
    [CS_ADDRESS_REMOVE]    = "DELETE FROM contact_address WHERE contact=$1::bigint AND kind=$2::bigint AND value=$3::bytea",
    [CS_ADDRESSES_KIND_REMOVE] = "DELETE FROM contact_address WHERE contact=$1::bigint AND kind=$2::bigint",
    [CS_BY_ADDRESS]        = "SELECT contact FROM contact_address WHERE tenant=$1::bytea AND kind=$2::bigint AND value=$3::bytea AND contact<>$4::bigint"
                             " ORDER BY contact LIMIT 1",
    [CS_MERGED_PUT]        = "INSERT INTO contact_merged VALUES($1::bytea,$2::bigint) ON CONFLICT(id) DO UPDATE SET contact=excluded.contact",
    [CS_MERGED]            = "SELECT id FROM contact_merged WHERE contact=$1::bigint ORDER BY id",
    [CS_MERGED_MOVE]       = "UPDATE contact_merged SET contact=$2::bigint WHERE contact=$1::bigint",
    [CS_MERGED_REMOVE]     = "DELETE FROM contact_merged WHERE contact=$1::bigint",
    [CS_LIST]              = "SELECT n FROM contact WHERE ($1::bytea='' OR tenant=$1::bytea) AND ($2::bigint=0 OR (changed_ms,n)<($2::bigint,$3::bigint))"
                             " ORDER BY changed_ms DESC,n DESC LIMIT $4::bigint",
    [CS_FIND]              = FIND,
    [CS_FIND_SHORT]        = FIND,
    [CS_COUNT]             = "SELECT count(*) FROM contact",
};
/* clang-format on */

const struct sql_plan contact_plan = {
    .name = "contacts",
    .what = "the contacts",
    .n_statements = CS_MAX,
    .sqlite = { sqlite_migrations, COUNT(sqlite_migrations), sqlite_statements },
    .pg = { pg_migrations, COUNT(pg_migrations), pg_statements },
    .wipe = true,
    .checkpoint_pages = CHECKPOINT_PAGES,
    .cache_kib = CONTACT_CACHE_KIB,
};
