/* zip.h - a small archive made in memory, files stored as they are (APPNOTE 4.5, no ZIP64).
 *
 *   struct zip z = zip_new(a, MANIFEST_ZIP_MAX);
 *   zip_add(&z, "manifest.json", json);
 *   slice archive = zip_done(&z);        {NULL,0}: larger than was allowed
 *
 * Names are plain ASCII; folders are part of them ("intents/a.json"). Every file carries the same time (1 January 1980), so that the same content is the same archive.
 */
#ifndef WIRE_ZIP_H
#define WIRE_ZIP_H
#include "base/base.h"

enum { ZIP_FILES_MAX = 32 };
struct zip {
    struct text t;
    struct { const char *name; uint32_t crc, size, at; } files[ZIP_FILES_MAX];
    size_t n;
};
struct zip zip_new(struct arena *a, size_t max_bytes);
void zip_add(struct zip *z, const char *name, slice bytes);
slice zip_done(struct zip *z) MUST_USE;
#endif
