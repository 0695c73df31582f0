/* wire.h - names and limits of the built-in desk, shared by this connector and by who serves its agents (src/api/desk). docs/desks/builtin.md. */
#ifndef DESKS_BUILTIN_WIRE_H
#define DESKS_BUILTIN_WIRE_H
#include "hub/connector.h"

extern const struct connector connector_builtin;

enum builtin_setting {
    BUILTIN_TITLE,
    BUILTIN_QUEUE,
    BUILTIN_AUTO_ANSWER,
    BUILTIN_INVITE,
    BUILTIN_LAST_AGENT,
    BUILTIN_OVERFLOW,
    BUILTIN_OVERFLOW_QUEUE,
    BUILTIN_HOURS,
    BUILTIN_TIMEZONE,
    BUILTIN_WELCOME,
    BUILTIN_CLOSED,
    BUILTIN_IDLE_END,
    BUILTIN_SERVICE_LEVEL,
    BUILTIN_SETTINGS
};
#define BUILTIN_DEFAULT_QUEUE "default"
#define BUILTIN_UNDELIVERED "undelivered"
enum { BUILTIN_QUEUE_NAME_MAX = 64 /* characters */, BUILTIN_SECONDS_MAX = 604800 };
#endif
