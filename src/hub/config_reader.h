/* config_reader.h - what the parts of the configuration are read with: values, tables of settings, and problems with their places. Private to config*.c.
 *
 * Every function goes on behind a problem, so that all of them are reported; what is asked for is then absent.
 */
#ifndef HUB_CONFIG_READER_H
#define HUB_CONFIG_READER_H
#include "hub/config.h"

struct config_reader {
    struct arena *a;
    config_env env; /* NULL: nothing is expanded */
    config_find find;
    slice slug; /* of the one tenant that is read; absent: made of its name */
    struct config *c;
    struct config_problems *p;
};

/* at NULL: not in the file. The text never holds a value. */
void reader_problem(struct config_reader *r, const struct yaml *at, slice path, const char *fmt, ...) PRINTF(4, 5);
slice reader_path(struct config_reader *r, slice parent, slice key); /* parent.key, or key at the top */

struct reader_table {
    const struct setting *rows;
    size_t n;
    const char *const *known; /* members read elsewhere; NULL-terminated */
    slice *values;
};

/* Reads the members of map; prefix is "integration." within a group, path is where map stands in the file. */
void reader_members(struct config_reader *r, const struct reader_table *t, const struct yaml *map, slice prefix, slice path);
/* Defaults, and what is missing. */
void reader_complete(struct config_reader *r, const struct reader_table *t, const struct yaml *at, slice path);
/* Where a setting stands, also one of a group (integration.token); NULL: nowhere. */
const struct yaml *reader_find(const struct yaml *map, slice name);
/* The member of the file that gives setting s. *ret stays absent for null, and is empty when a problem was reported. */
void reader_setting(struct config_reader *r, const struct setting *s, const struct yaml *v, slice path, slice *ret);
/* {name: value} as pairs. False: a problem was reported. */
bool reader_pairs(struct config_reader *r, const struct yaml *map, slice path, struct js_list *ret);
/* The plain text of a member that is not in a table ("type", "name"); {NULL,0}: absent, or a problem was reported. */
slice reader_word(struct config_reader *r, const struct yaml *map, slice key, slice path, bool required);

#define READER_NAME_RULE "must be small letters, digits, '-', '_' and '.', at most %d, and begin with a letter or digit"
bool reader_name_ok(slice s);

/* The parts of the file. */
void reader_storages(struct config_reader *r, const struct yaml *root);
bool reader_storage_is_there(const struct config *c, slice name);
/* Of map's member "storage"; {NULL,0}: it has none. */
slice reader_storage_named(struct config_reader *r, const struct yaml *map, slice path);
void reader_tenants(struct config_reader *r, const struct yaml *root);
/* n of commander_settings' rows. map NULL: there is none. */
void reader_commander(struct config_reader *r, const struct yaml *map, slice path, size_t n, struct config_commander *ret);
void reader_notifiers(struct config_reader *r, const struct yaml *root);
#endif
