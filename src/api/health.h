/* health.h - how the hub fares, for people: what waits, since when, how long webhooks take, and small series for charts.
 *
 * Sampled every HEALTH_EVERY_MS into a ring of HEALTH_SAMPLES; webhook times are the last WEBHOOK_TIMES of each connector.
 */
#ifndef API_HEALTH_H
#define API_HEALTH_H
#include "net/server.h"

enum { HEALTH_EVERY_MS = 15000, HEALTH_SAMPLES = 240, WEBHOOK_TIMES = 512 };
struct api;
struct health;
struct health *health_new(struct api *api) MUST_USE;
void health_stop(struct health *he);
void health_free(struct health *he);
#endif
