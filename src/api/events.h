/* events.h - what happens, told to open pages (GET /api/v1/events). */
#ifndef API_EVENTS_H
#define API_EVENTS_H
#include "base/base.h"

struct api;
struct streams;
struct streams *streams_new(struct api *api) MUST_USE;
void streams_start(struct streams *ss); /* the history is there */
void streams_stop(struct streams *ss);
void streams_free(struct streams *ss); /* after server_free */
/* Something was changed over the API: told to administrators' pages. */
void streams_config(struct api *api, const char *action, slice target);
#endif
