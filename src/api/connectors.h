/* connectors.h - the catalogue of connectors as JSON: settings tables as JSON Schema, capabilities, webhook addresses. */
#ifndef API_CONNECTORS_H
#define API_CONNECTORS_H
#include "api/call.h"
#include "hub/connector.h"

/* The JSON Schema (2020-12) of a settings table: "a.b" is member b of object a; x-order is the row, x-secret marks secrets.
 * For the form a secret is a text that is only written; in documents that come and go it is a text or {"set":true|false}.
 * type: the connector's name, required as member "type"; NULL: the table stands alone. */
enum settings_use { SETTINGS_FORM, SETTINGS_DOCUMENT };
void settings_schema(struct jw *w, const char *key, const struct setting *rows, size_t n, const struct connector *type, enum settings_use use);
/* Member "manifest": what the vendor makes the app from, of this account, or, type alone, of one with its defaults. Without one: nothing. */
void connector_manifest(struct api_call *c, struct jw *w, const struct connector *type, const struct account *of);
/* Which files may go there, and how large: none where it takes no media. */
void media_rules_write(struct jw *w, const char *key, const struct caps *caps);
/* "Settings_genesys_cloud": the schema's name in the API document. */
slice settings_schema_name(struct arena *a, const struct connector *type) MUST_USE;
#endif
