/* store_pg.h - is this place of a store one of PostgreSQL's? And what its tables are. Private to store/ and its tests. */
#ifndef STORE_STORE_PG_H
#define STORE_STORE_PG_H
#include "store/engine.h"

extern const struct store_engine store_pg;
enum { STORE_PG_VERSION = 1, STORE_SQLITE_VERSION = 1 }; /* of the tables: how many migrations there are */
extern const char *const store_pg_migrations[STORE_PG_VERSION], *const store_sqlite_migrations[STORE_SQLITE_VERSION];
bool store_is_pg(slice where); /* postgresql://… or postgres://… */
#endif
