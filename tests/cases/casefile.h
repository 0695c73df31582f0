/* casefile.h - a test case as a file: sections of text that begin with "--- name".
 *
 *   # what it shows; section of docs/wire/…
 *   --- request
 *   POST /line
 *   …
 *
 * Shape      section texts keep every byte but the last newline; what stands before the first section is the description.
 * Writing    casefile_put replaces or appends; casefile_save writes the file back when something changed (UPDATE=1).
 * Ownership  everything lives in the arena given to casefile_load.
 */
#ifndef TESTS_CASES_CASEFILE_H
#define TESTS_CASES_CASEFILE_H
#include "base/base.h"

enum { CASE_BYTES_MAX = 4 << 20, CASE_SECTIONS_MAX = 64 };
struct section {
    slice name, text;
    size_t line; /* of its "---", for messages */
};
struct casefile {
    struct arena *a;
    const char *path;
    slice head;
    struct section sections[CASE_SECTIONS_MAX];
    size_t n;
    bool changed;
};

slice file_read(struct arena *a, const char *path) MUST_USE; /* {NULL,0}: cannot be read, or too long */
struct casefile *casefile_load(struct arena *a, const char *path, struct fault *f) MUST_USE;
/* The first section of this name at or behind *at (moved behind it), NULL: none. at NULL: from the start. */
struct section *casefile_next(struct casefile *cf, const char *name, size_t *at);
slice casefile_text(struct casefile *cf, const char *name); /* {NULL,0}: no such section */
void casefile_put(struct casefile *cf, struct section *s, const char *name,
                  slice text); /* s NULL: appended */
bool casefile_save(const struct casefile *cf) MUST_USE;
#endif
