/* wire.h - Dialogflow's names and our settings, shared by the files of this language. Facts: docs/wire/dialogflow.md.
 *
 *   dialogflow.c  settings, checks, the token, errors; the two tables
 *   es.c          ES (v2): request and answer
 *   cx.c          CX (v3): request and answer
 *   values.c      parameters, and the times in them
 *   archive.c     the agent to be imported into ES
 */
#ifndef LANGUAGES_DIALOGFLOW_WIRE_H
#define LANGUAGES_DIALOGFLOW_WIRE_H
#include "hub/language.h"

enum dialogflow_setting {
    DIALOGFLOW_LOCATION,
    DIALOGFLOW_LANGUAGE,
    DIALOGFLOW_ENVIRONMENT,
    DIALOGFLOW_TIME_ZONE,
    DIALOGFLOW_FILE,
    DIALOGFLOW_PROJECT,
    DIALOGFLOW_CLIENT,
    DIALOGFLOW_EMAIL,
    DIALOGFLOW_KEY_ID,
    DIALOGFLOW_KEY,
    DIALOGFLOW_CONFIDENCE,
    DIALOGFLOW_BASE_URL,
    DIALOGFLOW_TOKEN_URL,
    DIALOGFLOW_AGENT, /* CX only */
    DIALOGFLOW_SETTINGS,
    DIALOGFLOW_ES_SETTINGS = DIALOGFLOW_AGENT,
};
enum { DIALOGFLOW_BODY_BYTES = 16384, DIALOGFLOW_TEXT_BYTES = 4096, DIALOGFLOW_TOTAL_MS = 10000, DIALOGFLOW_DEPTH = 4 };
#define DIALOGFLOW_DRAFT "draft"

/* projects/P/…, percent-encoded for a path. */
slice dialogflow_project(struct call *c);
/* https://…, of the base_url or the location's own host. */
slice dialogflow_host(struct call *c, slice location_host);
enum outcome dialogflow_post(struct call *c, struct delivery *d, slice url, slice body);
/* The answer's document; NULL: *ret_end says how it ended. */
const struct js *dialogflow_answer(struct call *c, struct delivery *d, enum outcome *ret_end);

/* Of times that are said without one: the language's own, else the commander's; "" for none. */
slice dialogflow_zone(struct call *c, const struct language_ask *ask);
slice dialogflow_zone_name(struct call *c, slice zone); /* as Dialogflow names zones: "+09:00" is Etc/GMT-9; absent: it has no name for it */
/* Adds the parameters to ret->values, and finds ret->when_ms among them. */
void dialogflow_values(struct call *c, slice zone, const struct js *parameters, struct language_answer *ret);
/* One more line for the agent. */
void dialogflow_say(struct call *c, struct language_answer *ret, slice line);
slice dialogflow_small(struct arena *a, slice s); /* in small letters */
bool dialogflow_sure(struct call *c, const struct js *confidence);

enum outcome dialogflow_es_ask(struct call *c, struct delivery *d, const struct language_ask *ask, struct language_answer *ret);
enum outcome dialogflow_cx_ask(struct call *c, struct delivery *d, const struct language_ask *ask, struct language_answer *ret);
slice dialogflow_archive(struct arena *a, slice language);
#endif
