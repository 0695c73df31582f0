/* yaml_tree.h - a YAML document as a small tree that knows its line numbers.
 *
 * libyaml reads it; what a configuration file does not need and what surprises people is refused: anchors and aliases, explicit tags, several
 * documents in one file, the same key twice, keys that are no scalars. Limits: the constants below.
 *
 * Shape      a scalar's text is as written, without type guessing: "no" is "no", 007 is "007". A plain empty value, "~" and "null" are
 *            YAML_NULL; quoted they are text. Members of a map keep their order.
 * Ownership  the tree lives in the arena and does not point into text.
 * Errors     code "bad_yaml"; field is empty, *ret_line and *ret_column say where (from 1).
 */
#ifndef HUB_YAML_TREE_H
#define HUB_YAML_TREE_H
#include "base/base.h"

enum { YAML_BYTES_MAX = 1 << 20, YAML_DEPTH_MAX = 16, YAML_NODES_MAX = 20000, YAML_MEMBERS_MAX = 2000 };
enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_LIST, YAML_MAP };
struct yaml {
    enum yaml_kind kind;
    int line, column;
    slice text;         /* scalar */
    slice key;          /* when it is the member of a map */
    struct yaml *first; /* of a list or map; the others follow by next */
    struct yaml *next;
    size_t n;
};

/* An empty document is an empty map. NULL: see *f. */
const struct yaml *yaml_parse(struct arena *a, slice text, struct fault *f, int *ret_line, int *ret_column) MUST_USE;
/* A parsed JSON value as such a tree: numbers and booleans as their text, without line numbers. NULL: too many nodes. */
struct js;
struct yaml *yaml_of_js(struct arena *a, const struct js *v) MUST_USE;
const struct yaml *yaml_get(const struct yaml *map, slice key); /* NULL if absent, or if map is NULL or no map */
#endif
