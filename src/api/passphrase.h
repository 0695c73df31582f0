/* passphrase.h - secrets in a file that people keep: encrypted with a passphrase, as one line of text.
 *
 *   passphrase_close(loop, passphrase, plain, done, arg)     done(arg, "passphrase:v1:…")
 *   passphrase_open(loop, passphrase, text, done, arg)       done(arg, plain); {NULL,0}: another passphrase, or damaged
 *
 * Shape    "passphrase:v1:" + base64 of a salt (16 bytes), a nonce (24) and libsodium's secretbox; its key is argon2id of the passphrase
 *          (PASSPHRASE_PASSES, PASSPHRASE_MEMORY).
 * Threads  done comes on the loop; the work is done on a helper thread. What was copied is wiped afterwards.
 */
#ifndef API_PASSPHRASE_H
#define API_PASSPHRASE_H
#include "base/base.h"

enum { PASSPHRASE_MIN = 8, PASSPHRASE_MAX = 1024, PASSPHRASE_PASSES = 3, PASSPHRASE_MEMORY = 32 << 20 };
struct loop;
typedef void (*passphrase_done)(void *arg, slice text);
void passphrase_close(struct loop *l, slice passphrase, slice plain, passphrase_done done, void *arg);
void passphrase_open(struct loop *l, slice passphrase, slice text, passphrase_done done, void *arg);
bool passphrase_is_closed(slice text);
#endif
