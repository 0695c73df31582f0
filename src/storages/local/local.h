/* local.h - attachments on the local disk, handed out as signed links that the hub serves itself.
 *
 *   struct local_setup setup = { .root = "data/attachments", .secret = key, .public_url = …, .loop = loop };
 *   struct storage *st = local_open(&setup, &f);
 *   server_route(server, "GET", LOCAL_ROUTE "*", 0, local_serve, st);     and HEAD
 *
 * On disk    root (0700) / tenant / conversation / id, and beside it id.json {type,name,size,sha256,created}. Written as .tmp-…, hashed on the
 *            way, fsync, rename, fsync of the folder: a name that is there is a whole file. Names are words (storage_word), folders are opened one by
 *            one without following links.
 * Link       public_url/attachments/TENANT/CONVERSATION/ID/NAME?exp=SECONDS&sig=HEX
 *            sig = hex(HMAC-SHA256(secret, "GET\n" "TENANT/CONVERSATION/ID" "\n" exp)); exp 0: no end.
 * Answers    403 the signature is wrong, whatever is there; 410 past its time, or deleted: only we sign, so what is signed and not there was there;
 *            404 no link of ours at all.
 * Handle     {"relpath":"TENANT/CONVERSATION/ID"}
 * Threads    writing, hashing, fsync, reading for a get and deleting happen on helper threads, 64 KiB at a time and at most two such blocks a
 *            transfer. Serving opens the file on the loop and streams it (exchange_file).
 */
#ifndef STORAGES_LOCAL_LOCAL_H
#define STORAGES_LOCAL_LOCAL_H
#include "hub/storage.h"
#include "net/server.h"

#define LOCAL_ROUTE "/attachments/"
struct loop;
struct local_setup {
    const char *root; /* made when absent */
    slice secret;     /* signs the links; seal_derive(…, SL("attachment links"), …) makes one. Copied */
    slice public_url; /* copied */
    struct loop *loop;
};
struct storage *local_open(const struct local_setup *setup, struct fault *f) MUST_USE;
/* ctx: the storage. */
void local_serve(struct exchange *x, void *ctx);
/* path: "TENANT/CONVERSATION/ID"; ret: 64 hex digits. */
void local_sign(slice secret, slice path, slice exp, char ret[65]);
#endif
