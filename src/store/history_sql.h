/* history_sql.h - the history's tables and statements in both engines. Private to history_db.c. */
#ifndef STORE_HISTORY_SQL_H
#define STORE_HISTORY_SQL_H
#include "store/sql.h"

/* clang-format off */
enum history_statement {
    HS_PLACE, HS_PLACE_SET, HS_CONV_MOVE, HS_ADD, HS_STATE, HS_TRACE, HS_MEDIA, HS_STATUS, HS_PERSON,
    HS_INDEX, HS_INDEXED, HS_TO_INDEX, HS_OLD, HS_UNINDEX, HS_DELETE_TRACE, HS_DELETE, HS_OLD_CONVS,
    HS_ERASE_INDEX, HS_ERASE_TRACES, HS_ERASE_MESSAGES, HS_ERASE_CONV,
    HS_CONVS, HS_CONV, HS_BEFORE, HS_AFTER, HS_MESSAGE, HS_TRACES, HS_HAS_WORDS, HS_SEARCH, HS_SEARCH_NEWEST, HS_FAILED, HS_WAITING, HS_NEWS,
    HS_NEWS_TAKEN, HS_OF,
    HS_MAX,
};
/* clang-format on */
extern const struct sql_plan history_plan;
#endif
