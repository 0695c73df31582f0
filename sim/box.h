/* box.h - the inside of the simulator of Box. */
#ifndef SIM_BOX_H
#define SIM_BOX_H
#include "sim/shelf.h"
#include "sim/sim.h"
#include "wire/js.h"
#include "wire/jwt.h"

enum {
    SBOX_TOKENS_KEPT = 1000,
    SBOX_ASSERTION_S = 60,     /* longest life of an assertion */
    SBOX_CHUNKED_LEAST = 20000000,
    SBOX_SINGLE_MOST = 50 << 20,
    SBOX_JSON_MAX = 65536,
};

struct sbox_item { /* a file, or a folder */
    struct sbox_item *next;
    char *name;
    char id[16], parent[16], sha1[41], key[33]; /* key: of its shared link; "": none */
    char *bytes;
    size_t n;
    int64_t at_ms;
    unsigned version;
    bool folder, trashed;
};
struct sbox_part {
    struct sbox_part *next;
    char id[17], sha1[41];
    int64_t offset, size;
};
struct sbox_session {
    struct sbox_session *next;
    char id[33], parent[16], file[16]; /* file: of which it will be a version; "": a new one */
    char *name, *bytes;
    int64_t size;
    struct sbox_part *parts;
    bool asked_once; /* a commit that was answered 202 */
};
struct sbox {
    struct sim_env *env;
    struct jwt_key *key;
    char *pem; /* encrypted */
    struct sbox_item *items;
    struct sbox_session *sessions;
    struct shelf *tokens, *jtis, *downloads; /* downloads: ids of files */
    int64_t token_life_s, part_bytes, next_id, clock_ms;
    bool revoked, forbidden, no_open, full, retained, slow;
    uint64_t puts, parts, tokens_given, links_made;
};

/* ---- answers ---- */
void sbox_error(struct sim_call *c, int status, const char *code, const char *message);
void sbox_conflict(struct sim_call *c, const struct sbox_item *there);
void sbox_item_json(struct jw *w, const char *key, const struct sbox *b, const struct sbox_item *f);
void sbox_collection(struct sim_call *c, const struct sbox *b, const struct sbox_item *f); /* 201, of one file */
void sbox_sha1(slice bytes, char ret[41]);
char *sbox_copy(slice s);

/* False: answered. */
bool sbox_may(struct sbox *b, struct sim_call *c);
struct sbox_item *sbox_find(struct sbox *b, slice id, bool folder); /* not what is in the trash */
struct sbox_item *sbox_named(struct sbox *b, slice parent, slice name);
/* Is name a name for something new in parent? False: answered. */
bool sbox_name_good(struct sbox *b, struct sim_call *c, slice parent, slice name);
struct sbox_item *sbox_new(struct sbox *b, slice parent, slice name, bool folder);
void sbox_fill(struct sbox_item *f, char *bytes, size_t n); /* takes the bytes over */

void sbox_files_routes(struct sbox *b);
void sbox_upload_routes(struct sbox *b);
void sbox_items_free(struct sbox *b);
void sbox_sessions_free(struct sbox *b);
#endif
