/* recorder.h - webhooks kept in a file, redacted, to be played again by `dragoman replay`.
 *
 * Each webhook that was verified, understood and stored becomes one line, in the order of the commits:
 *   {"at":"2026-03-04T05:06:07.123Z","connector":"line","account":"acme/line","method":"POST","path":"/line","bytes":412,
 *    "headers":{"content-type":"application/json","x-line-signature":""},"body":{…}}
 *
 * Secrecy    the body goes through pseudonym.h with the connector's record_keep; of the headers only harmless values stay. The key is derived from the key that seals
 *            secrets and is not in the file. The file is made with mode 0600.
 * Limits     the file ends at max_bytes: then recording stops, with a warning. Bodies that are no JSON leave a line without "body".
 * Errors     a file that cannot be written stops the recording, with a warning; webhooks are taken all the same.
 * Threads    loop thread.
 */
#ifndef HUB_RECORDER_H
#define HUB_RECORDER_H
#include "hub/hub.h"
#include "hub/pseudonym.h"

struct recorder;
/* path: absolute or of the process's folder; kept. Nothing is opened yet. */
struct recorder *recorder_new(const struct log *log, slice path, int64_t max_bytes, const uint8_t key[PSEUDONYM_KEY_BYTES]) MUST_USE;
void recorder_free(struct recorder *r); /* accepts NULL */
bool recorder_start(struct recorder *r, struct fault *f) MUST_USE; /* appends; true when it is on already */
void recorder_stop(struct recorder *r);
void recorder_take(struct recorder *r, const struct actor *actor, const struct request *rq);

struct recorder_state {
    bool on;
    slice path;
    int64_t webhooks; /* since the start of the process */
    int64_t bytes, max_bytes;
};
struct recorder_state recorder_state(const struct recorder *r);
#endif
