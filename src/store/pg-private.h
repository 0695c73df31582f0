/* pg-private.h - what pg.c and pg_connect.c share. */
#ifndef STORE_PG_PRIVATE_H
#define STORE_PG_PRIVATE_H
#include "store/pg.h"
#include <limits.h>
#include <libpq-fe.h>

enum { PG_NAME_MAX = 24 };
#define PG_CLAIM_STATEMENT "claim"
struct pg {
    PGconn *c; /* NULL: lost. In pipeline mode and not blocking */
    char *where;
    const struct pg_tables *tables;
    enum pg_hold hold;
    char writer[33];     /* names this opening in the claim */
    bool opened, taken;  /* taken: another writer has the claim, for good */
    uint64_t n;          /* of the last group whose commit was tried */
    uint64_t stored_n;   /* as of the last connect */
    bool group;          /* begun, and neither committed nor rolled back */
    unsigned sent, received; /* commands, and those whose results were read */
    int64_t lost_ms, tried_ms, connects, losses;
};
/* Drops the connection; false with "store_lost". */
bool pg_lost(struct pg *pg, const char *why, struct fault *f);
bool pg_connect(struct pg *pg, struct fault *f) MUST_USE;   /* one try */
bool pg_connected(struct pg *pg, struct fault *f) MUST_USE; /* is, or can be made within what pg.h says of waiting */
void pg_pause(int64_t ms);
#endif
