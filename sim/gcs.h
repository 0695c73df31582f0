/* gcs.h - the inside of the simulator of Google Cloud Storage. */
#ifndef SIM_GCS_H
#define SIM_GCS_H
#include "sim/service_account.h"
#include "sim/sim.h"
#include "wire/js.h"
#include "wire/jwt.h"

enum {
    SGCS_CHUNK = 262144,         /* chunks but the last are multiples of it */
    SGCS_BUCKETS_MAX = 20,
    SGCS_LINK_MAX_S = 604800,
    SGCS_JSON_MAX = 65536,
};

struct sgcs_object {
    struct sgcs_object *next;
    char *bucket, *name, *type, *disposition, *cache_control;
    char *bytes;
    size_t n;
    int64_t generation, at_ms;
    bool is_public;
};
struct sgcs_session { /* a resumable upload */
    struct sgcs_session *next;
    char id[33];
    struct sgcs_object *object; /* its bytes grow */
    size_t cap;
    bool done;
};
struct sgcs {
    struct sim_env *env;
    struct sim_account account;
    slice buckets[SGCS_BUCKETS_MAX];
    size_t n_buckets;
    struct sgcs_object *objects;
    struct sgcs_session *sessions;
    int64_t next_generation, take; /* take: of the next chunk only so many bytes; -1: all */
    bool uniform, forbidden;
    uint64_t puts, chunks;
};

/* ---- answers ---- */
void sgcs_error(struct sim_call *c, int status, const char *reason, const char *message);
void sgcs_refuse(struct sim_call *c, int status); /* asked for by a fault rule */
void sgcs_object_json(struct jw *w, const struct sgcs *g, const struct sgcs_object *o);
void sgcs_send_object(struct sim_call *c, const struct sgcs_object *o); /* its bytes, or a range of them */

/* ---- objects ---- */
bool sgcs_bucket_there(struct sgcs *g, slice name);
struct sgcs_object *sgcs_find(struct sgcs *g, slice bucket, slice name);
/* Takes the object over; replaces one of its name. */
void sgcs_keep(struct sgcs *g, struct sgcs_object *o);
bool sgcs_drop(struct sgcs *g, slice bucket, slice name);
void sgcs_object_free(struct sgcs_object *o);
char *sgcs_copy(slice s);
/* False: answered (401, 403, 404). */
bool sgcs_may(struct sgcs *g, struct sim_call *c, slice bucket);

void sgcs_upload_routes(struct sgcs *g);
void sgcs_sessions_free(struct sgcs *g);
void sgcs_link_get(struct sim_call *c, void *ctx); /* GET /bucket/object, signed or public */
#endif
