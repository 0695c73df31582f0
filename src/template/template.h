/* template.h - the canned-response language: Go's text/template with the Sprig functions.
 *
 *   struct template *t = template_parse(text, NULL, 0, &e);
 *   if (!t || !template_render(t, a, data, &options, &out, &e))
 *       … e.stage, e.text
 *   template_free(t);
 *
 * Responses  template_respond does what the desk's responses need: arguments, defaults for what is absent or empty, and
 *            bare placeholders {{name}}, which the parser resolves; values are data and never become template text.
 * Limits     the constants below; exceeding one is the error "template limit exceeded: WHICH". No template can hang the
 *            process, read a file, the environment or the network, or keep memory after its rendering.
 * Ownership  a parsed template owns itself and is never changed; outputs live in the arena given.
 * Threads    any; a cache belongs to one thread.
 * Facts      docs/templates.md
 */
#ifndef TEMPLATE_TEMPLATE_H
#define TEMPLATE_TEMPLATE_H
#include "template/value.h"

enum {
    TEMPLATE_TEXT_BYTES = 64 << 10,
    TEMPLATE_CONSTANT_BYTES = 16 << 10,
    TEMPLATE_NODES = 10000,
    TEMPLATE_NESTING = 100,     /* of actions */
    TEMPLATE_PARENS = 64,
    TEMPLATE_ARGUMENTS = 64,    /* of one call */
    TEMPLATE_STAGES = 64,       /* of one pipeline */
    TEMPLATE_OUTPUT_BYTES = 256 << 10,
    TEMPLATE_STRING_BYTES = 256 << 10, /* any one value */
    TEMPLATE_ENTRIES = 10000,   /* of a list or map */
    TEMPLATE_MEMORY_BYTES = 8 << 20,
    TEMPLATE_STEPS = 1000000,   /* nodes evaluated + elements visited + bytes copied / 64 */
    TEMPLATE_CALL_DEPTH = 64,   /* of {{template}} */
    TEMPLATE_VALUE_DEPTH = 64,  /* of JSON, printing, comparison */
    TEMPLATE_PATTERN_BYTES = 1 << 10,
    TEMPLATE_PROGRAM_BYTES = 64 << 10, /* of a compiled regular expression */
    TEMPLATE_SUBJECT_BYTES = 64 << 10, /* what a regular expression is run over */
    TEMPLATE_WIDTH = 1000,      /* of printf, also its precision */
    TEMPLATE_RANDOM_CHARS = 1024,
    TEMPLATE_WALL_MS = 100,
    TEMPLATE_CACHED = 256,      /* parsed templates a cache keeps */
    TEMPLATE_CACHED_BYTES = 16 << 20,
};

struct template;
struct template_error {
    const char *stage; /* "parse" or "exec" */
    char text[400];
};
struct template_options {
    int64_t now_ms;     /* what now and ago see */
    uint64_t random;    /* seed of shuffle, randAlpha … */
    slice zone;         /* Local, of date and now: "Asia/Tokyo", "+09:00"; absent, or not known: UTC */
    bool novalue_empty; /* no value prints as nothing instead of "<no value>" */
    int wall_ms;        /* 0: TEMPLATE_WALL_MS */
};

/* ids: the names that {{name}} may mean; they are resolved at rendering from the data, a map. NULL: see *e. */
struct template *template_parse(slice text, const slice *ids, size_t n_ids, struct template_error *e) MUST_USE;
struct template *template_free(struct template *t); /* accepts NULL, returns NULL */
static inline void template_freep(struct template **t)
{
    *t = template_free(*t);
}
bool template_render(const struct template *t, struct arena *a, struct value data, const struct template_options *o, slice *ret_out,
                     struct template_error *e) MUST_USE;

/* Parsed templates by text and ids; the least recently used goes first. */
struct template_cache;
struct template_cache *template_cache_new(void) MUST_USE;
struct template_cache *template_cache_free(struct template_cache *c); /* accepts NULL, returns NULL */
/* The template belongs to the cache and is valid until the next call with this cache. */
const struct template *template_cached(struct template_cache *c, slice text, const slice *ids, size_t n_ids, struct template_error *e) MUST_USE;

struct template_pair {
    slice name, value;
};
/* A response of the desk: arguments first, defaults for those absent or empty. With neither, text that does not parse is
 * the output as it stands. c may be NULL. */
bool template_respond(struct template_cache *c, struct arena *a, slice text, const struct template_pair *arguments, size_t n_arguments,
                      const struct template_pair *defaults, size_t n_defaults, const struct template_options *o, slice *ret_out,
                      struct template_error *e) MUST_USE;
/* A word of the language's own: no name for a placeholder, which would be hidden by it or hide it. */
bool template_keyword(slice word);
/* A map of strings, as "strings" data. */
struct value template_strings(struct arena *a, const struct template_pair *pairs, size_t n) MUST_USE;
/* JSON text as data, read as Go does: every number a float, the later of equal keys, broken UTF-8 repaired. false: no JSON. */
bool template_json(struct arena *a, slice json, struct value *ret) MUST_USE;
#endif
