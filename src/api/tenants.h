/* tenants.h - tenants in documents of the API, shared by the calls on tenants, backup and restore. */
#ifndef API_TENANTS_H
#define API_TENANTS_H
#include "api/call.h"
#include "hub/registry.h"

enum { TENANT_DOC_MAX = 2 << 20 };
/* The members of one tenant as shown: its document with secrets hidden, and what the hub knows of it. */
void tenant_write(struct jw *w, const struct registry_entry *e);
/* The document alone, with its id. */
slice tenant_document(struct arena *a, const struct registry_entry *e, enum doc_secrets secrets) MUST_USE;
/* A document as callers send it, without the members that only come out. */
slice tenant_strip(struct arena *a, const struct js *doc) MUST_USE;
void config_problems_answer(struct api_call *c, const struct config_problems *p);
/* Answers what registry_put or registry_remove had against it. */
void tenant_fault(struct api_call *c, const struct config_problems *p, const struct fault *f);
#endif
