/* tenant_doc.h - a tenant as a JSON document: what the API shows and takes, and what is stored.
 *
 *   {"name":"ACME", "desk":{"type":"genesys-cloud","name":"genesys-cloud","integration":{"token":{"set":true}}}, "channels":[…], "custom_data":{…}}
 *
 * Shape    the members of the configuration file: a setting "a.b" is member b of object a; what is at its default is left out. Every account has its
 *          name, because its name is its identity: an account that keeps its name and type keeps its conversations and its secrets.
 * Secrets  hidden: {"set":true} or {"set":false}. On the way in, a secret that is left out or is {"set":true} stays as it was; null or {"set":false}
 *          removes it.
 */
#ifndef HUB_TENANT_DOC_H
#define HUB_TENANT_DOC_H
#include "hub/config.h"

enum doc_secrets { DOC_SECRETS_HIDDEN, DOC_SECRETS_SHOWN };
/* The members, into an object that is open. Without the id. */
void tenant_doc_write(struct jw *w, const struct config_tenant *t, enum doc_secrets secrets);
/* The settings of one table, likewise. */
void settings_doc_write(struct jw *w, const struct setting *rows, size_t n, const slice *values, enum doc_secrets secrets);
/* The members of a commander: n of commander_settings' rows, and its language. Nothing when all is as it is without. key NULL: an object is open. */
void commander_doc_write(struct jw *w, const char *key, const struct config_commander *c, size_t n, enum doc_secrets secrets);
/* Gives accounts without a name theirs, and keeps what is kept of old's secrets (old NULL: there are none). What is wrong with the document is left for
 * config_tenant_read to tell. */
void tenant_doc_complete(struct arena *a, struct yaml *doc, const struct config_tenant *old, config_find find);
void commander_doc_complete(struct arena *a, struct yaml *map, const struct config_commander *old); /* map NULL: there is none */
/* The same for the secrets of one table. */
void settings_doc_complete(struct arena *a, struct yaml *map, const struct setting *rows, size_t n, const slice *old);
#endif
