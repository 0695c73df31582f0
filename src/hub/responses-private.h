/* responses-private.h - the two halves of responses.h: what desks said (responses.c), and the hub's own (response_own.c). */
#ifndef HUB_RESPONSES_PRIVATE_H
#define HUB_RESPONSES_PRIVATE_H
#include "hub/responses.h"

struct cached_responses;
struct own_item;
struct responses {
    struct cached_responses *cached;
    struct own_item **own; /* sorted by name */
    size_t n_own, cap_own;
};
struct cached_responses *responses_cached_new(struct hub *h) MUST_USE;
void responses_cached_free(struct cached_responses *rs);
#endif
