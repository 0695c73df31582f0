/* access_log.h - one line for each finished request: errors as errors, what was refused as warnings with the reason, the rest only in DEBUG.
 * No query, and no secret that stands in an address (struct route_extra). */
#ifndef MAIN_ACCESS_LOG_H
#define MAIN_ACCESS_LOG_H
#include "base/log.h"
#include "net/server.h"

void access_log(const struct log *log, const struct exchange *x, int status, size_t written, int64_t took_us);
#endif
