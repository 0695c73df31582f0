/* dropbox.h - the inside of the simulator of Dropbox. */
#ifndef SIM_DROPBOX_H
#define SIM_DROPBOX_H
#include "sim/shelf.h"
#include "sim/sim.h"
#include "wire/js.h"

enum {
    SDROP_TOKENS_KEPT = 1000,
    SDROP_TEMPORARY_MS = 4 * 3600000,
    SDROP_JSON_MAX = 65536,
};

struct sdrop_file {
    struct sdrop_file *next;
    char *path; /* "/a/b.jpg"; compared without case */
    char *bytes;
    size_t n;
    char id[26], rev[18];
    int64_t at_ms;
    char key[25], rlkey[25]; /* of its shared link; "": none */
};
struct sdrop_session {
    struct sdrop_session *next;
    char id[33];
    char *bytes;
    size_t n, cap;
    bool closed;
};
struct sdrop {
    struct sim_env *env;
    struct sdrop_file *files;
    struct sdrop_session *sessions;
    struct shelf *tokens, *temporary; /* temporary: paths */
    int64_t token_life_s;
    bool revoked, no_sharing, no_public, full, late, bare;
    uint64_t puts, appends, tokens_given, links_made;
};

/* ---- answers ---- */
void sdrop_error(struct sim_call *c, int status, const char *summary, slice error);
void sdrop_tags(struct sim_call *c, int status, const char *summary); /* the error made of its summary */
void sdrop_malformed(struct sim_call *c, const char *why);
void sdrop_file_json(struct jw *w, const char *key, const struct sdrop_file *f, const char *tag);
void sdrop_send_file(struct sim_call *c, const struct sdrop_file *f, int whole, slice type);

/* False: answered. */
bool sdrop_may(struct sdrop *d, struct sim_call *c, bool sharing);
struct sdrop_file *sdrop_find(struct sdrop *d, slice path); /* or "id:…" */

void sdrop_files_routes(struct sdrop *d);
void sdrop_files_free(struct sdrop *d);
void sdrop_link_routes(struct sdrop *d);
#endif
