/* routes.h - every route of a connector is listed with how it is verified, and lets nobody in who proves nothing. */
#ifndef TESTS_CASES_ROUTES_H
#define TESTS_CASES_ROUTES_H
#include "hub/connector.h"

/* tell: once for each route. defaults: JSON of the settings; {NULL,0}: none. */
bool routes_check(const struct connector *k, slice defaults, void (*tell)(const char *name, bool good, const char *how));
#endif
