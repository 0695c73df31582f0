/* Pictures that a message names by their address: Apple wants the bytes. "Pictures". Each is fetched once in an attempt; one that cannot be had is left out. */
#include "networks/apple/wire.h"
#include "wire/base64.h"

struct apple_own *apple_own_of(struct call *c, struct delivery *d)
{
    if (!d->own)
        d->own = ARENA_NEW(c->a, struct apple_own);
    return d->own;
}

const struct apple_picture *apple_picture_of(const struct delivery *d, slice url)
{
    const struct apple_own *all = d->own;
    for (size_t i = 0; all && i < all->pictures.n; i++)
        if (slice_eq(LIST_AT(all->pictures, struct apple_picture, i)->url, url))
            return LIST_AT(all->pictures, struct apple_picture, i);
    return NULL;
}

bool apple_picture_room(const struct delivery *d)
{
    const struct apple_own *all = d->own;
    return !all || all->pictures.n < APPLE_PICTURES;
}

void apple_picture_took(struct call *c, struct delivery *d, slice url)
{
    struct apple_own *all = apple_own_of(c, d);
    slice type = d->last->type, bare = slice_trim(slice_cut(&type, ';'));
    struct apple_picture *p = LIST_ADD(c->a, &all->pictures, struct apple_picture);
    p->url = url;
    if (d->last->status != 200 || !d->last->body.n || d->last->body.n > APPLE_PICTURE_BYTES || !slice_starts(bare, SL("image/")))
        return;
    p->data = base64_encode(c->a, d->last->body);
    p->type = bare;
}

enum outcome apple_picture_call(struct call *c, struct delivery *d, slice url)
{
    (void)c;
    d->call.method = "GET";
    d->call.url = url;
    d->call.no_token = d->call.guarded = d->call.repeatable = true;
    d->call.total_ms = APPLE_PICTURE_MS;
    return OUT_CALL;
}
