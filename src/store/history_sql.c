#include "store/history_sql.h"
#include "store/pg.h"

enum { CHECKPOINT_PAGES = 1000, CACHE_KIB = 512 };

#define MESSAGE "m.id,c.id,m.target,m.at_ms,m.way,m.state,m.status,m.tries,m.ended_ms,m.kind,m.text,m.peer_id,m.vendor_id,m.body,m.media,m.note"
#define CONVERSATION "id,name,person,open,messages,last_id,last_ms,last_text,last_kind,last_way"

/* ---- SQLite ------------------------------------------------------------------------------------------------------------------ */

/* clang-format off */
static const char *const sqlite_migrations[] = {
    ("CREATE TABLE place(one INTEGER PRIMARY KEY CHECK(one=1), at BLOB NOT NULL);"
    "CREATE TABLE conversation(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL DEFAULT '', person TEXT NOT NULL DEFAULT '',"
    " open INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0, last_id INTEGER NOT NULL DEFAULT 0, last_ms INTEGER NOT NULL DEFAULT 0,"
    " last_text TEXT NOT NULL DEFAULT '', last_kind TEXT NOT NULL DEFAULT '', last_way INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX conversation_last ON conversation(last_ms, n);"
    "CREATE TABLE message(id INTEGER PRIMARY KEY, conv INTEGER NOT NULL, target TEXT NOT NULL, at_ms INTEGER NOT NULL, way INTEGER NOT NULL,"
    " state INTEGER NOT NULL, status INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER NOT NULL DEFAULT 0,"
    " kind TEXT NOT NULL, text TEXT NOT NULL, peer_id TEXT NOT NULL, vendor_id TEXT NOT NULL DEFAULT '', body TEXT NOT NULL,"
    " media TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX message_conv ON message(conv, id);"
    "CREATE TABLE trace(id INTEGER NOT NULL, at_ms INTEGER NOT NULL, op TEXT NOT NULL, note TEXT NOT NULL);"
    "CREATE INDEX trace_id ON trace(id);"
    "CREATE TABLE indexed(one INTEGER PRIMARY KEY CHECK(one=1), id INTEGER NOT NULL);"
    "INSERT INTO indexed VALUES(1,0);"
    "CREATE VIRTUAL TABLE message_text USING fts5(text, content='message', content_rowid='id', tokenize='trigram', detail='full');"),
    ("CREATE INDEX message_failed ON message(id) WHERE state IN (3,4);"
    "CREATE INDEX message_waits ON message(target,at_ms) WHERE state IN (0,1);"),
    ("ALTER TABLE conversation ADD COLUMN news INTEGER NOT NULL DEFAULT 1;"
    "CREATE INDEX conversation_news ON conversation(n) WHERE news<>0;"),
};

#define TO_INDEX "FROM message WHERE id>(SELECT id FROM indexed)"
#define CONV_OF(id) "(SELECT n FROM conversation WHERE id=" id ")"
static const char *const sqlite_statements[HS_MAX] = {
    [HS_PLACE]        = "SELECT at FROM place",
    [HS_PLACE_SET]    = "INSERT INTO place VALUES(1,?1) ON CONFLICT(one) DO UPDATE SET at=excluded.at",
    [HS_CONV_MOVE]    = "INSERT INTO conversation(id,messages,last_id,last_ms,last_text,last_kind,last_way) VALUES(?1,1,?2,?3,?4,?5,?6)"
                        " ON CONFLICT(id) DO UPDATE SET messages=messages+1,last_id=excluded.last_id,last_ms=excluded.last_ms,last_text=excluded.last_text,"
                        "last_kind=excluded.last_kind,last_way=excluded.last_way WHERE excluded.last_id>last_id OR excluded.last_ms>last_ms",
    [HS_ADD]          = "INSERT INTO message(id,conv,target,at_ms,way,state,kind,text,peer_id,body,tries,ended_ms,vendor_id,note)"
                        " VALUES(?1," CONV_OF("?2") ",?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14) ON CONFLICT(id) DO NOTHING",
    [HS_STATE]        = "UPDATE message SET state=?2,ended_ms=?3,tries=tries+?4,vendor_id=coalesce(?5,vendor_id),note=coalesce(?6,note) WHERE id=?1",
    [HS_TRACE]        = "INSERT INTO trace(id,at_ms,op,note) SELECT ?1,?2,?3,?4 WHERE EXISTS(SELECT 1 FROM message WHERE id=?1)",
    [HS_MEDIA]        = "UPDATE message SET media=?2 WHERE id=?1",
    [HS_STATUS]       = "UPDATE message SET status=?3 WHERE id=(SELECT id FROM (SELECT id,peer_id,vendor_id FROM message WHERE conv=" CONV_OF("?1")
                        " ORDER BY id DESC LIMIT ?4) WHERE peer_id=?2 OR vendor_id=?2 LIMIT 1) AND status<?3",
    [HS_PERSON]       = "UPDATE conversation SET news=news+(name<>?2 OR person<>?3),name=?2,person=?3,open=?4 WHERE id=?1",
    [HS_INDEX]        = "INSERT INTO message_text(rowid,text) SELECT id,text " TO_INDEX " ORDER BY id LIMIT ?1",
    [HS_INDEXED]      = "UPDATE indexed SET id=coalesce((SELECT max(id) FROM (SELECT id " TO_INDEX " ORDER BY id LIMIT ?1)),id)",
    [HS_TO_INDEX]     = "SELECT EXISTS(SELECT 1 " TO_INDEX ")",
    [HS_OLD]          = "SELECT id FROM message WHERE at_ms<?1 ORDER BY id LIMIT ?2",
    [HS_UNINDEX]      = "INSERT INTO message_text(message_text,rowid,text) SELECT 'delete',id,text FROM message WHERE id=?1 AND id<=(SELECT id FROM indexed)",
    [HS_DELETE_TRACE] = "DELETE FROM trace WHERE id=?1",
    [HS_DELETE]       = "DELETE FROM message WHERE id=?1",
    [HS_OLD_CONVS]    = "DELETE FROM conversation WHERE last_ms<?1 AND NOT EXISTS(SELECT 1 FROM message WHERE conv=conversation.n)",
    [HS_ERASE_INDEX]  = "INSERT INTO message_text(message_text,rowid,text) SELECT 'delete',id,text FROM message WHERE conv=" CONV_OF("?1")
                        " AND id<=(SELECT id FROM indexed)",
    [HS_ERASE_TRACES] = "DELETE FROM trace WHERE id IN (SELECT id FROM message WHERE conv=" CONV_OF("?1") ")",
    [HS_ERASE_MESSAGES] = "DELETE FROM message WHERE conv=" CONV_OF("?1"),
    [HS_ERASE_CONV]   = "DELETE FROM conversation WHERE id=?1",
    [HS_CONVS]        = "SELECT " CONVERSATION " FROM conversation WHERE (?1='' OR substr(id,1,length(?1))=?1)"
                        " AND (?2='' OR name LIKE " SQL_LIKE("?2") " ESCAPE '\\' OR id LIKE " SQL_LIKE("?2") " ESCAPE '\\') AND (?3=0 OR open=(?3>0))"
                        " AND (?4=0 OR last_ms<?4 OR (last_ms=?4 AND last_id<?5)) AND messages>0 ORDER BY last_ms DESC,last_id DESC LIMIT ?6",
    [HS_CONV]         = "SELECT " CONVERSATION " FROM conversation WHERE id=?1",
    [HS_BEFORE]       = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.conv=" CONV_OF("?1")
                        " AND (?2=0 OR m.id<?2) ORDER BY m.id DESC LIMIT ?3",
    [HS_AFTER]        = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.conv=" CONV_OF("?1")
                        " AND m.id>?2 ORDER BY m.id LIMIT ?3",
    [HS_MESSAGE]      = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.id=?1",
    [HS_TRACES]       = "SELECT at_ms,op,note FROM trace WHERE id=?1 ORDER BY at_ms,rowid",
    [HS_SEARCH]       = "SELECT " MESSAGE " FROM message_text t JOIN message m ON m.id=t.rowid JOIN conversation c ON c.n=m.conv"
                        " WHERE message_text MATCH '\"'||replace(?1,'\"','\"\"')||'\"' AND (?2='' OR substr(c.id,1,length(?2))=?2)"
                        " AND (?3=0 OR t.rowid<?3) ORDER BY t.rowid DESC LIMIT ?4", /* one phrase: nothing in it is an operator */
    [HS_FAILED]       = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.state IN (3,4) AND (?1=0 OR m.state=?1)"
                        " AND (?2='' OR m.target=?2) AND (?3='' OR substr(c.id,1,length(?3))=?3) AND (?4='' OR instr(m.note,?4))"
                        " AND (?5='' OR m.text LIKE " SQL_LIKE("?5") " ESCAPE '\\' OR m.note LIKE " SQL_LIKE("?5") " ESCAPE '\\'"
                        " OR c.id LIKE " SQL_LIKE("?5") " ESCAPE '\\') AND (?6=0 OR m.id<?6)"
                        " AND m.note NOT LIKE '{\"by\":%' ORDER BY m.id DESC LIMIT ?7", /* that is the note of who discarded it: decided */
    [HS_WAITING]      = "SELECT target,count(*),min(at_ms) FROM message WHERE state IN (0,1) GROUP BY target",
    [HS_NEWS]         = "SELECT c.id,c.name,c.person,c.news,(SELECT body FROM message m WHERE m.conv=c.n AND m.way=0 ORDER BY m.id LIMIT 1),"
                        "coalesce((SELECT at_ms FROM message m WHERE m.conv=c.n ORDER BY m.id LIMIT 1),c.last_ms)"
                        " FROM conversation c WHERE c.news<>0 ORDER BY c.n LIMIT ?1",
    [HS_NEWS_TAKEN]   = "UPDATE conversation SET news=0 WHERE id=?1 AND news=?2",
    [HS_OF]           = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.id IN (SELECT x.id FROM message x WHERE x.conv IN"
                        " (SELECT n FROM conversation WHERE id IN (SELECT value FROM json_each(?1))) AND (?2=0 OR x.id<?2)"
                        " AND (?3='' OR x.text LIKE " SQL_LIKE("?3") " ESCAPE '\\') ORDER BY x.id DESC LIMIT ?4) ORDER BY m.id DESC",
};
/* clang-format on */
#undef CONV_OF

/* ---- PostgreSQL -------------------------------------------------------------------------------------------------------------- */

/* Text is what is searched; all else is bytes. The index of words is made where the extension can be had. */
/* clang-format off */
static const char *const pg_migrations[] = {
    ("CREATE TABLE history_place(one int PRIMARY KEY CHECK(one=1), at bytea NOT NULL);"
    "CREATE TABLE history_conversation(n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, name text NOT NULL DEFAULT '',"
    " person bytea NOT NULL DEFAULT '', open bigint NOT NULL DEFAULT 0, messages bigint NOT NULL DEFAULT 0, last_id bigint NOT NULL DEFAULT 0,"
    " last_ms bigint NOT NULL DEFAULT 0, last_text text NOT NULL DEFAULT '', last_kind bytea NOT NULL DEFAULT '', last_way bigint NOT NULL DEFAULT 0,"
    " news bigint NOT NULL DEFAULT 1);"
    "CREATE INDEX history_conversation_last ON history_conversation(last_ms, last_id);"
    "CREATE INDEX history_conversation_news ON history_conversation(n) WHERE news<>0;"
    "CREATE TABLE history_message(id bigint PRIMARY KEY, conv bigint NOT NULL, target bytea NOT NULL, at_ms bigint NOT NULL, way bigint NOT NULL,"
    " state bigint NOT NULL, status bigint NOT NULL DEFAULT 0, tries bigint NOT NULL DEFAULT 0, ended_ms bigint NOT NULL DEFAULT 0,"
    " kind bytea NOT NULL, text text NOT NULL, peer_id bytea NOT NULL, vendor_id bytea NOT NULL DEFAULT '', body bytea NOT NULL,"
    " media bytea NOT NULL DEFAULT '', note text NOT NULL DEFAULT '');"
    "CREATE INDEX history_message_conv ON history_message(conv, id);"
    "CREATE INDEX history_message_at ON history_message(at_ms);"
    "CREATE INDEX history_message_failed ON history_message(id) WHERE state IN (3,4);"
    "CREATE INDEX history_message_waits ON history_message(target, at_ms) WHERE state IN (0,1);"
    "CREATE TABLE history_trace(n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id bigint NOT NULL, at_ms bigint NOT NULL, op bytea NOT NULL,"
    " note bytea NOT NULL);"
    "CREATE INDEX history_trace_id ON history_trace(id);"
    PG_WORDS_INDEX("history_message_words", "history_message", "text")),
};

#define CONV_OF(id) "(SELECT n FROM history_conversation WHERE id=" id "::text)"
#define FROM_MESSAGE " FROM history_message m JOIN history_conversation c ON c.n=m.conv "
#define FINDS(column, text) column " ILIKE " SQL_LIKE(text "::text")
static const char *const pg_statements[HS_MAX] = {
    [HS_PLACE]        = "SELECT at FROM history_place",
    [HS_PLACE_SET]    = "INSERT INTO history_place VALUES(1,$1::bytea) ON CONFLICT(one) DO UPDATE SET at=excluded.at",
    [HS_CONV_MOVE]    = "INSERT INTO history_conversation AS c(id,messages,last_id,last_ms,last_text,last_kind,last_way) VALUES($1::text,1,$2::bigint,$3::bigint,"
                        "$4::text,$5::bytea,$6::bigint) ON CONFLICT(id) DO UPDATE SET messages=c.messages+1,last_id=excluded.last_id,last_ms=excluded.last_ms,"
                        "last_text=excluded.last_text,last_kind=excluded.last_kind,last_way=excluded.last_way"
                        " WHERE excluded.last_id>c.last_id OR excluded.last_ms>c.last_ms",
    /* A message with this number and another time is of a journal that was lost: it gives way. */
    [HS_ADD]          = "WITH gone AS (DELETE FROM history_trace WHERE id=$1::bigint AND EXISTS(SELECT 1 FROM history_message WHERE id=$1::bigint"
                        " AND at_ms<>$4::bigint)) INSERT INTO history_message(id,conv,target,at_ms,way,state,kind,text,peer_id,body,tries,ended_ms,vendor_id,note)"
                        " VALUES($1::bigint," CONV_OF("$2") ",$3::bytea,$4::bigint,$5::bigint,$6::bigint,$7::bytea,$8::text,$9::bytea,$10::bytea,$11::bigint,"
                        "$12::bigint,$13::bytea,$14::text) ON CONFLICT(id) DO UPDATE SET conv=excluded.conv,target=excluded.target,at_ms=excluded.at_ms,"
                        "way=excluded.way,state=excluded.state,status=0,tries=excluded.tries,ended_ms=excluded.ended_ms,kind=excluded.kind,text=excluded.text,"
                        "peer_id=excluded.peer_id,vendor_id=excluded.vendor_id,body=excluded.body,media='',note=excluded.note"
                        " WHERE history_message.at_ms<>excluded.at_ms",
    [HS_STATE]        = "UPDATE history_message SET state=$2::bigint,ended_ms=$3::bigint,tries=tries+$4::bigint,vendor_id=coalesce($5::bytea,vendor_id),"
                        "note=coalesce($6::text,note) WHERE id=$1::bigint",
    [HS_TRACE]        = "INSERT INTO history_trace(id,at_ms,op,note) SELECT $1::bigint,$2::bigint,$3::bytea,$4::bytea"
                        " WHERE EXISTS(SELECT 1 FROM history_message WHERE id=$1::bigint)",
    [HS_MEDIA]        = "UPDATE history_message SET media=$2::bytea WHERE id=$1::bigint",
    [HS_STATUS]       = "UPDATE history_message SET status=$3::bigint WHERE id=(SELECT id FROM (SELECT id,peer_id,vendor_id FROM history_message WHERE conv="
                        CONV_OF("$1") " ORDER BY id DESC LIMIT $4::bigint) x WHERE peer_id=$2::bytea OR vendor_id=$2::bytea ORDER BY id DESC LIMIT 1)"
                        " AND status<$3::bigint",
    [HS_PERSON]       = "UPDATE history_conversation SET news=news+(name<>$2::text OR person<>$3::bytea)::int,name=$2::text,person=$3::bytea,open=$4::bigint"
                        " WHERE id=$1::text",
    [HS_OLD]          = "SELECT id FROM history_message WHERE at_ms<$1::bigint ORDER BY at_ms LIMIT $2::bigint",
    [HS_DELETE_TRACE] = "DELETE FROM history_trace WHERE id=$1::bigint",
    [HS_DELETE]       = "DELETE FROM history_message WHERE id=$1::bigint",
    [HS_OLD_CONVS]    = "DELETE FROM history_conversation c WHERE last_ms<$1::bigint AND NOT EXISTS(SELECT 1 FROM history_message WHERE conv=c.n)",
    [HS_ERASE_TRACES] = "DELETE FROM history_trace WHERE id IN (SELECT id FROM history_message WHERE conv=" CONV_OF("$1") ")",
    [HS_ERASE_MESSAGES] = "DELETE FROM history_message WHERE conv=" CONV_OF("$1"),
    [HS_ERASE_CONV]   = "DELETE FROM history_conversation WHERE id=$1::text",
    [HS_CONVS]        = "SELECT " CONVERSATION " FROM history_conversation WHERE ($1::text='' OR left(id,length($1::text))=$1::text)"
                        " AND ($2::text='' OR " FINDS("name", "$2") " OR " FINDS("id", "$2") ") AND ($3::bigint=0 OR open=($3::bigint>0)::int)"
                        " AND ($4::bigint=0 OR (last_ms,last_id)<($4::bigint,$5::bigint)) AND messages>0 ORDER BY last_ms DESC,last_id DESC LIMIT $6::bigint",
    [HS_CONV]         = "SELECT " CONVERSATION " FROM history_conversation WHERE id=$1::text",
    [HS_BEFORE]       = "SELECT " MESSAGE FROM_MESSAGE "WHERE m.conv=" CONV_OF("$1") " AND ($2::bigint=0 OR m.id<$2::bigint) ORDER BY m.id DESC LIMIT $3::bigint",
    [HS_AFTER]        = "SELECT " MESSAGE FROM_MESSAGE "WHERE m.conv=" CONV_OF("$1") " AND m.id>$2::bigint ORDER BY m.id LIMIT $3::bigint",
    [HS_MESSAGE]      = "SELECT " MESSAGE FROM_MESSAGE "WHERE m.id=$1::bigint",
    [HS_TRACES]       = "SELECT at_ms,op,note FROM history_trace WHERE id=$1::bigint ORDER BY at_ms,n",
    [HS_HAS_WORDS]    = "SELECT count(*) FROM pg_class WHERE oid=to_regclass('history_message_words')",
    [HS_SEARCH]       = "SELECT " MESSAGE FROM_MESSAGE "WHERE " FINDS("m.text", "$1") " AND ($2::text='' OR left(c.id,length($2::text))=$2::text)"
                        " AND ($3::bigint=0 OR m.id<$3::bigint) ORDER BY m.id DESC LIMIT $4::bigint",
    [HS_SEARCH_NEWEST] = "SELECT " MESSAGE " FROM (SELECT * FROM history_message WHERE $3::bigint=0 OR id<$3::bigint ORDER BY id DESC LIMIT $5::bigint) m"
                        " JOIN history_conversation c ON c.n=m.conv WHERE " FINDS("m.text", "$1") " AND ($2::text='' OR left(c.id,length($2::text))=$2::text)"
                        " ORDER BY m.id DESC LIMIT $4::bigint",
    [HS_FAILED]       = "SELECT " MESSAGE FROM_MESSAGE "WHERE m.state IN (3,4) AND ($1::bigint=0 OR m.state=$1::bigint)"
                        " AND ($2::bytea='' OR m.target=$2::bytea) AND ($3::text='' OR left(c.id,length($3::text))=$3::text)"
                        " AND ($4::text='' OR strpos(m.note,$4::text)>0)"
                        " AND ($5::text='' OR " FINDS("m.text", "$5") " OR " FINDS("m.note", "$5") " OR " FINDS("c.id", "$5") ")"
                        " AND ($6::bigint=0 OR m.id<$6::bigint) AND m.note NOT LIKE '{\"by\":%' ORDER BY m.id DESC LIMIT $7::bigint",
    [HS_WAITING]      = "SELECT target,count(*),min(at_ms) FROM history_message WHERE state IN (0,1) GROUP BY target",
    [HS_NEWS]         = "SELECT c.id,c.name,c.person,c.news,(SELECT body FROM history_message m WHERE m.conv=c.n AND m.way=0 ORDER BY m.id LIMIT 1),"
                        "coalesce((SELECT at_ms FROM history_message m WHERE m.conv=c.n ORDER BY m.id LIMIT 1),c.last_ms)"
                        " FROM history_conversation c WHERE c.news<>0 ORDER BY c.n LIMIT $1::bigint",
    [HS_NEWS_TAKEN]   = "UPDATE history_conversation SET news=0 WHERE id=$1::text AND news=$2::bigint",
    [HS_OF]           = "SELECT " MESSAGE FROM_MESSAGE "WHERE m.id IN (SELECT x.id FROM history_message x WHERE x.conv IN (SELECT n FROM history_conversation"
                        " WHERE id IN (SELECT json_array_elements_text($1::text::json))) AND ($2::bigint=0 OR x.id<$2::bigint)"
                        " AND ($3::text='' OR " FINDS("x.text", "$3") ") ORDER BY x.id DESC LIMIT $4::bigint) ORDER BY m.id DESC",
};
/* clang-format on */

const struct sql_plan history_plan = {
    .name = "history",
    .what = "the history",
    .n_statements = HS_MAX,
    .sqlite = { sqlite_migrations, COUNT(sqlite_migrations), sqlite_statements },
    .pg = { pg_migrations, COUNT(pg_migrations), pg_statements },
    .lazy = true,
    .checkpoint_pages = CHECKPOINT_PAGES,
    .cache_kib = CACHE_KIB,
};
