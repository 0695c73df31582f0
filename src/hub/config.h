/* config.h - the configuration file, the environment and the flags, checked, as one value.
 *
 *   struct config_problems p = { .a = a };
 *   const struct config *c = config_load(a, "hub.yaml", getenv, flags, n_flags, connector_find, &p);
 *   if (!c)
 *       config_problems_print(stderr, &p);        "hub.yaml:12:7: tenants[0].channels[0].channel_secret: is missing: …"
 *   slice listen = config_text(c, CFG_LISTEN);
 *
 * The file is YAML (yaml_tree.h): the settings of config.def at its top, and
 *   tenants: list of {name, id?, desk: {type, its settings}, channels: [{type, name?, its settings}], custom_data: {name: value}, the settings of a tenant}
 *   notifiers: list of {type, name?, topics?: [Default, Subscriptions], its settings}; without topics it has Default
 *   storages: list of {name, type, purge_delay_seconds?, its settings}
 *   commander: {prefix?, time_zone?, language?: {type, its settings}}, the default; a tenant has the same, and use? (true) and default? (true)
 * Settings of connectors, storages and notifiers are checked against their tables. "storage" is a name of storages or "local": of a tenant, or of its desk or a
 * channel alone; otherwise default_storage. "a.b" of a table is member b of object a. ${NAME} in any value stands for the environment's
 * NAME; a "${" itself is written "$${".
 *
 * Ids        tenant: the slug of its name; and for other programs an id, a UUID, made of the slug unless the file gives one. Account: slug + "/" + its name; a name not given is the connector's, "-2", "-3" … behind it where it
 *            repeats. The desk's name is its connector's.
 * Errors     every problem is reported, up to CONFIG_PROBLEMS_MAX. Values are never repeated in them.
 * Ownership  all lives in the arena.
 */
#ifndef HUB_CONFIG_H
#define HUB_CONFIG_H
#include "hub/language.h"
#include "hub/notifier.h"
#include "hub/setting.h"
#include "hub/storage.h"
#include "hub/yaml_tree.h"
#include <stdio.h>

enum config_id {
#define X(e, name, type, otherwise, min, max, secret, help) e,
#include "hub/config.def"
#undef X
    CFG_MAX
};
extern const struct setting config_settings[CFG_MAX];

enum { CONFIG_PROBLEMS_MAX = 20, CONFIG_TENANTS_MAX = 1000, CONFIG_STORAGES_MAX = 100, CONFIG_NAME_MAX = 64 };
struct config_problems {
    struct arena *a;
    slice file;
    struct config_problem {
        int line, column; /* 0: not in the file */
        slice path;       /* "tenants[0].desk.region", "DRAGOMAN_LISTEN", "--listen" */
        slice text;
    } items[CONFIG_PROBLEMS_MAX];
    size_t n, more;
};

enum tenant_setting { TENANT_SUBSCRIPTION, TENANT_STORAGE, TENANT_API_AUTH, TENANT_API_USER, TENANT_API_PASSWORD, TENANT_SETTINGS };
extern const struct setting tenant_settings[TENANT_SETTINGS];
/* The lines of agents that are commands: a tenant's own, and the default of all. */
enum commander_setting { COMMANDER_PREFIX, COMMANDER_ZONE, COMMANDER_USE, COMMANDER_DEFAULT, COMMANDER_SETTINGS };
enum { COMMANDER_OF_ALL = COMMANDER_ZONE + 1 }; /* so many of them the default has */
#define COMMANDER_PREFIX_OTHERWISE ">"
extern const struct setting commander_settings[COMMANDER_SETTINGS];
struct config_commander {
    slice values[COMMANDER_SETTINGS];
    const struct language *language; /* NULL: none */
    const slice *settings;           /* indexed like language->type.settings */
};
struct config_tenant {
    slice id, name, slug;
    slice values[TENANT_SETTINGS];
    struct config_commander commander;
    struct account *desk;
    struct account *channels;
    size_t n_channels;
    struct js_list custom_data; /* struct js_pair */
};
struct config_storage {
    const struct storage_type *type;
    slice name;
    const slice *settings; /* indexed like type->settings */
    int64_t purge_ms;
};
struct config {
    slice values[CFG_MAX];
    struct config_storage *storages;
    size_t n_storages;
    struct config_tenant *tenants;
    size_t n_tenants;
    struct notice_target *notifiers;
    size_t n_notifiers;
    struct config_commander commander;
};
static inline slice config_text(const struct config *c, enum config_id id)
{
    return c->values[id];
}
int64_t config_number(const struct config *c, enum config_id id); /* 0 when absent */
bool config_true(const struct config *c, enum config_id id);

struct config_flag {
    enum config_id id;
    slice value;
};
/* Is argv[i] a setting's flag ("--listen=X", "--listen X"; a boolean also "--guard")? Returns how many arguments it took, 0: it is none,
 * -1: its value is missing. */
int config_flag_parse(int argc, char *const *argv, int i, struct config_flag *ret);

typedef const struct connector *(*config_find)(slice name);
typedef char *(*config_env)(const char *name);
/* path NULL: no file. NULL: see *p. */
const struct config *config_load(struct arena *a, const char *path, config_env env, const struct config_flag *flags, size_t n_flags,
                                 config_find find, struct config_problems *p) MUST_USE;
/* The same from text that is at hand. */
const struct config *config_read(struct arena *a, slice file, slice text, config_env env, const struct config_flag *flags, size_t n_flags,
                                 config_find find, struct config_problems *p) MUST_USE;
/* One tenant from a document of its own, whose problems have paths such as "channels[0].channel_secret". ${NAME} is not expanded: what a caller of the API
 * writes must not read our environment. slug: the one it has; absent: made of its name. of: the hub's configuration, for the storages it may name; NULL: only
 * the local disk. */
const struct config_tenant *config_tenant_read(struct arena *a, const struct yaml *doc, slice slug, slice public_url, const struct config *of,
                                               config_find find, struct config_problems *p) MUST_USE;
/* Whether an account of t has the setting connector.once in common with one of `with` (t itself: with one before it). i counts from 0, the desk behind the channels.
 * The setting's path ("channels[0].token"), in a; absent: it has not, or i is behind the last. */
enum { CONFIG_DESKS = 1 };
slice config_clash(struct arena *a, const struct config_tenant *t, size_t i, const struct config_tenant *with);
#define CONFIG_CLASH "another account has the same, and only one of them would get what comes in"
/* Storages from a document of its own, likewise, beside those of the hub's configuration. NULL: see *p; *ret_n of them. */
const struct config_storage *config_storages_read(struct arena *a, const struct yaml *list, const struct config *of, size_t *ret_n,
                                                  struct config_problems *p) MUST_USE;
/* Notifiers from a document of its own, likewise; taken: those whose names are taken. NULL: see *p; *ret_n of them. */
const struct notice_target *config_notifiers_read(struct arena *a, const struct yaml *list, const struct notice_target *taken, size_t n_taken,
                                                  size_t *ret_n, struct config_problems *p) MUST_USE;
/* The default commander from a document of its own (NULL or null: as if nothing was said), likewise. False: see *p. */
bool config_commander_read(struct arena *a, const struct yaml *map, struct config_commander *ret, struct config_problems *p) MUST_USE;
void config_problems_print(FILE *out, const struct config_problems *p);
/* For `dragoman check`: tenants, accounts, webhook addresses and what differs from the defaults; secrets blanked. */
void config_print(FILE *out, const struct config *c);
void config_help(FILE *out); /* the table, for --help */
/* "ACME and LINE" -> "acme-and-line"; what has no ASCII letter or digit becomes "t-" and a number made of it. */
slice config_slug(struct arena *a, slice name) MUST_USE;
#endif
