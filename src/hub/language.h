/* language.h - a service that understands what agents write in their own words: "continue tomorrow at 10" becomes a command and its values.
 *
 * It stands behind the commands (command.h): what those that are built in do not know is asked here. A language is one const table, like a connector and
 * by the same rules (connector.h): pure steps, the framework makes the calls.
 *
 *   .type      a struct connector of which only this is used: name, title, settings, auth (token_call …), rates, check
 *   .ask       steps like connector.deliver: the first has d->last NULL. OUT_DELIVERED: *ret is filled. OUT_REFUSED: c->f says why, in a line for the
 *              agent without secrets. OUT_RETRY: could not be asked now; it is asked again once or twice, then the agent is told
 *   .archive   the agent to be imported over there, as a file the console offers. NULL: there is none
 *
 * To add one: its files in src/languages/, its line in src/languages.def, docs/wire/.
 */
#ifndef HUB_LANGUAGE_H
#define HUB_LANGUAGE_H
#include "hub/connector.h"

enum { LANGUAGE_TEXT_CHARS = 256, LANGUAGE_SESSION_CHARS = 36 };

struct language_ask {
    slice text;    /* without the prefix, at most LANGUAGE_TEXT_CHARS characters */
    slice session; /* the same for all commands of a conversation, at most LANGUAGE_SESSION_CHARS signs (hexadecimal) */
    slice tenant;  /* its slug */
    slice zone;    /* the commander's, as base/zone.h names zones; absent: none is set */
};
struct language_answer {
    bool understood;       /* false: no command was meant that it knows */
    bool complete;         /* false: something is missing, .say asks for it */
    slice command;         /* its name in small letters: "continue" */
    slice say;             /* for the agent; absent: nothing */
    struct js_list values; /* struct js_pair: what it found, as text */
    int64_t when_ms;       /* the first time among them; 0: none */
};
struct language {
    struct connector type;
    enum outcome (*ask)(struct call *c, struct delivery *d, const struct language_ask *ask, struct language_answer *ret);
    struct language_archive {
        const char *name; /* "dialogflow-command-continue-1.0.0.zip" */
        slice (*make)(struct arena *a, slice language);
    } archive;
};

/* The list, from languages.def. NULL: there is no such language. */
extern const struct language *const languages[];
extern const size_t n_languages;
const struct language *language_find(slice name);
#endif
