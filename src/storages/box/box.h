/* box.h - what box.c and box_put.c share. */
#ifndef STORAGES_BOX_H
#define STORAGES_BOX_H
#include "storages/cloud.h"
#include "wire/js.h"
#include "wire/jwt.h"

enum {
    BOX_SINGLE_BYTES = 20 << 20, /* one call takes 50 MB; less than 20 MB is refused in parts */
    BOX_HANDLE_MAX = 4096,
    BOX_JSON_MAX = 16384,
    BOX_SESSION_MAX = 8192,
};
enum {
    BOX_SET_CONFIG, BOX_SET_CLIENT, BOX_SET_SECRET, BOX_SET_ENTERPRISE, BOX_SET_USER, BOX_SET_KEY_ID, BOX_SET_KEY, BOX_SET_PASSPHRASE,
    BOX_SET_FOLDER, BOX_SET_LINKS, BOX_SET_ENDPOINT, BOX_SET_UPLOAD,
};

struct box_folder { /* of a tenant */
    struct box_folder *next;
    slice name, id; /* id {NULL,0}: to be looked for again */
};
struct box {
    struct cloud cloud;
    slice client_id, secret, enterprise, user, key_id;
    struct jwt_key *key; /* NULL: client credentials */
    struct box_folder *folders;
};
static inline struct box *box_of(struct cloud *c)
{
    return CONTAINER_OF(c, struct box, cloud);
}

const struct js *box_body(struct cloud_op *op); /* of the answer; NULL: no JSON */
enum cloud_end box_error(struct cloud_op *op);
bool box_failed_with(struct cloud_op *op, int status, const char *code);
/* JSON to a path behind the API's base, "/2.0/folders". */
enum cloud_end box_call(struct cloud_op *op, const char *method, slice path, struct jw *body);
bool box_links_are_shared(const struct cloud *c);
#define BOX_LINKS_FORBIDDEN "open links with downloads are not allowed there; allow them, or set links to temporary"

enum cloud_end box_whole(struct cloud_op *op);
enum cloud_end box_begin(struct cloud_op *op);
enum cloud_end box_part(struct cloud_op *op);
enum cloud_end box_finish(struct cloud_op *op);
enum cloud_end box_abort(struct cloud_op *op);
#endif
