/* wire.h - names and limits of web chat, shared by this connector and by who serves its pages (src/api/chat). Facts: docs/wire/webchat.md. */
#ifndef NETWORKS_WEBCHAT_WIRE_H
#define NETWORKS_WEBCHAT_WIRE_H
#include "hub/connector.h"

extern const struct connector connector_webchat;

enum webchat_setting {
    WEBCHAT_ENDPOINTS,
    WEBCHAT_STREAMS,
    WEBCHAT_API_KEY,
    WEBCHAT_ORIGINS,
    WEBCHAT_NICKNAME,
    WEBCHAT_ASYNC,
    WEBCHAT_IDLE,
    WEBCHAT_ABANDONED,
    WEBCHAT_ASYNC_DAYS,
    WEBCHAT_SESSIONS,
    WEBCHAT_TEXT_CHARS,
    WEBCHAT_UPLOAD_BYTES,
    WEBCHAT_UPLOAD_DAY,
    WEBCHAT_FILES,
    WEBCHAT_TYPES,
    WEBCHAT_AGENT_NAME,
    WEBCHAT_SHOW_AGENT,
    WEBCHAT_PREFIX_AGENT,
    WEBCHAT_SHOW_SYSTEM,
    WEBCHAT_SATISFACTION,
    WEBCHAT_SETTINGS
};

enum { /* "Rich media" */
    WEBCHAT_TEXT_CHARS_MAX = 20000,
    WEBCHAT_LINE_CHARS = 10000, /* what the desk writes becomes lines of so many: one is kept in 48 KiB */
    WEBCHAT_UPLOAD_MAX = 10 << 20,
    WEBCHAT_UPLOAD_DAY_MAX = 1 << 30,
    WEBCHAT_CHOICES = 20,
    WEBCHAT_LABEL_CHARS = 80,
    WEBCHAT_CARDS = 12,
    WEBCHAT_CARD_CHOICES = 8,
    WEBCHAT_ORIGINS_MAX = 1000,
};

/* Memory of the conversation: the session has ended, nothing reaches the guest any more. */
#define WEBCHAT_OVER "over"

/* Is word one of the list's words, which have commas between them? An empty list has none. */
bool webchat_listed(slice list, slice word);
/* The same of origins, whose letters browsers write small. */
bool webchat_origin_listed(slice list, slice origin);
#endif
