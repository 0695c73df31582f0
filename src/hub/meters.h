/* meters.h - the hub's counts, by connector; the rows stand in base/counters.def. */
#ifndef HUB_METERS_H
#define HUB_METERS_H
#include "hub/hub.h"

void meter_call(struct actor *actor, int status, int64_t took_us);
void meter_webhook(struct hub *h, const struct connector *type, const char *result);
void meter_ignored(struct hub *h, const struct connector *type, const char *rule);
void meter_accepted(struct actor *from);
void meter_outcome(struct actor *target, const char *outcome, int64_t took_ms); /* took_ms -1: not counted */
#endif
