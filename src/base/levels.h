/* levels.h - which log records pass: LOG_LEVEL's language.
 *
 *   settings = entry *( ";" entry )
 *   entry    = LEVEL [ ":{" [topic] [ ":" scope *( "," scope ) ] "}" ]
 *
 *   INFO                                 everything from INFO
 *   DEBUG;TRACE:{:request}               … and TRACE where the scope is "request", whatever the topic
 *   INFO;DEBUG:{chat};TRACE:{chat:poll}  the most exact entry decides: (topic, scope), topic, scope, the default
 *
 * Shape   levels without regard to case, an unknown one is NEVER; topic and scope are words of [A-Za-z0-9_], "*" or nothing means any; blanks
 *         are allowed around entries and after scopes, not after "{". An entry of another shape is skipped. A later entry for the same
 *         pair replaces the earlier one. An empty setting, and what no entry is about, is INFO.
 */
#ifndef BASE_LEVELS_H
#define BASE_LEVELS_H
#include "base/slice.h"

enum level {
    LEVEL_UNSET = 0,
    LEVEL_NEVER = 1,
    LEVEL_TRACE = 10,
    LEVEL_DEBUG = 20,
    LEVEL_INFO = 30,
    LEVEL_WARN = 40,
    LEVEL_ERROR = 50,
    LEVEL_FATAL = 60, /* does not end the process by itself */
    LEVEL_ALWAYS = 255,
};
const char *level_name(enum level l); /* "INFO"; "UNSET" for what is none */
enum level level_parse(slice name);   /* an unknown name is NEVER */

enum { LEVELS_MAX = 64, LEVELS_WORD_MAX = 48 };
struct levels {
    struct level_entry {
        char topic[LEVELS_WORD_MAX], scope[LEVELS_WORD_MAX]; /* "": any */
        enum level level;
    } entries[LEVELS_MAX];
    size_t n;
};
void levels_parse(struct levels *set, slice setting);
/* DEBUG=1: the default becomes DEBUG where it is higher. */
void levels_debug(struct levels *set);
enum level levels_default(const struct levels *set);
/* The level in force for this pair. */
enum level levels_filter(const struct levels *set, slice topic, slice scope);
/* Records with `level >= threshold` pass the filter; so a disabled record costs one compare. */
unsigned level_threshold(enum level filter);
#endif
