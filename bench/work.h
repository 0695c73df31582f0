/* work.h - what generator, sink and floor agree on: how a measured message names itself, and the accounts used.
 *
 * Every text begins "n=0000123 g=000042 k=0003 ": number of the message in this run, of its guest, and which of the guest's it is.
 * A guest's id on LINE is 'U' and 32 hex digits, the last eight of which are its number.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H
#include "base/base.h"

#define WORK_TEXT_FORMAT "n=%07u g=%06u k=%06u "
#define WORK_GUEST_FORMAT "U5be0c4a1d2f3e4b596877869%08x"
enum { WORK_GUEST_CHARS = 33 };

#define WORK_CHANNEL_SECRET "8c570fa6dd201bb328f1c1eac23a96d8"
#define WORK_DESK_SECRET "a-long-enough-token-for-benches"
#define WORK_BOT_USER "U00000000000000000000000000000b07"
#define WORK_INTEGRATION "00000000-0000-4000-8000-000000000001" /* the first that the sink makes */
#define WORK_LINE_TOKEN "line-token-of-the-bench"
#define WORK_DESK_TOKEN "desk-token-of-the-bench"

enum { WORK_IMAGE_BYTES = 1 << 20 };

struct work_text {
    unsigned n, guest, k;
};
/* Finds the three numbers in the first "n=" text of a body. */
static inline bool work_text_find(slice body, struct work_text *ret)
{
    const char *at = body.n ? memmem(body.p, body.n, "\"n=", 3) : NULL;
    char copy[32];
    if (!at || (size_t)(body.p + body.n - at) < sizeof(copy))
        return false;
    memcpy(copy, at + 1, sizeof(copy) - 1);
    copy[sizeof(copy) - 1] = 0;
    return sscanf(copy, "n=%u g=%u k=%u", &ret->n, &ret->guest, &ret->k) == 3;
}
#endif
