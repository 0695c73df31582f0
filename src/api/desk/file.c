/* file.c - files of agents: uploaded into the storage first, then named by a message.
 *
 * Until a message names it a file belongs to who uploaded it and goes away after UNUSED_MS; from then on it belongs to the conversation and is purged with it.
 */
#include "api/desk/inside.h"
#include "api/desk/sniff.h"
#include "hub/media_link.h"
#include "hub/message.h"
#include "hub/storage.h"
#include "hub/storage_set.h"
#include "store/store.h"

enum { UNUSED_MS = 3600000 };

struct uploading {
    struct api_call *c;
    struct media md;
    char id[STORAGE_ID_BYTES];
    struct storage *storage;
};

static slice whose(struct arena *a, slice user)
{
    return arena_printf(a, "desk:" SLF, SLA(user));
}

static void answer_file(struct api_call *c, slice id, const struct media *md)
{
    struct jw w = api_json(c);
    jw_str(&w, "file", id);
    jw_str(&w, "url", md->url);
    jw_str(&w, "type", md->type);
    jw_str(&w, "name", md->name);
    jw_int(&w, "size", md->size);
    api_answer(c, &w);
}

static void row_stored(void *arg, const struct fault *f)
{
    struct uploading *up = arg;
    if (f) /* a file that nobody would ever delete is not kept */
        api_not_stored(up->c, f);
    else
        answer_file(up->c, slice_of(up->id), &up->md);
}

static void put(struct uploading *up, struct storage *to);

static void put_done(void *arg, const struct storage_stored *st, const struct fault *f)
{
    struct uploading *up = arg;
    struct api_call *c = up->c;
    struct hub *h = c->hub;
    bool large = f && strcmp(f->code, "too_large") == 0;
    if (!st && !large && up->storage != h->storage && h->limits.storage_instead) {
        storage_trouble(h, up->storage, f);
        put(up, h->storage);
        return;
    }
    if (!st) {
        api_problem(c, large ? 413 : 503, large ? "too_large" : "not_stored", NULL, "%s", f->text);
        return;
    }
    int64_t now_ms = time_now_ms();
    up->md.handle = arena_dup(c->a, st->handle);
    up->md.sha256 = arena_dup(c->a, st->sha256);
    up->md.size = st->size;
    up->md.storage = up->storage->name;
    struct storage_link link = { .audience = STORAGE_FOR_GUEST, .name = up->md.name, .type = up->md.type,
                                 .expires_s = h->limits.link_ms ? (now_ms + h->limits.link_ms) / 1000 : 0 };
    up->md.url = arena_dup(c->a, media_link(h, c->a, up->storage, slice_of(up->id), up->md.handle, &link));
    slice own = whose(c->a, c->user);
    struct attachment row = { .id = slice_of(up->id), .account = own, .conversation = own, .storage = up->storage->name, .handle = up->md.handle, .url = up->md.url,
                              .sha256 = up->md.sha256, .type = up->md.type, .name = up->md.name, .size = up->md.size, .created_ms = now_ms,
                              .purge_at_ms = now_ms + UNUSED_MS, .state = ATTACHMENT_STORED };
    store_attachment_put(h->store, &row, row_stored, up);
}

static void more(void *arg)
{
    (void)arg; /* all bytes were taken with the first write */
}

static void put(struct uploading *up, struct storage *to)
{
    slice body = up->c->x->body;
    struct storage_file file = { .tenant = SL("desk"), .conversation = whose(up->c->a, up->c->user), .id = slice_of(up->id), .name = up->md.name, .type = up->md.type,
                                 .length = (int64_t)body.n, .max_bytes = (int64_t)body.n };
    struct storage_put_events events = { more, put_done, up };
    up->storage = to;
    struct storage_put *p = storage_put(to, &file, &events);
    (void)storage_put_write(to, p, body);
    storage_put_end(to, p);
}

/* Where the files of any desk of ours go: a file is uploaded before it is known to whom it goes. */
static struct storage *choose(const struct hub *h)
{
    for (size_t i = 0; i < h->n_actors; i++)
        if (h->actors[i]->account.type == &connector_builtin && !h->actors[i]->retired)
            return storages_choose(h->actors[i]);
    return h->storage;
}

void api_desk_files(struct api_call *c)
{
    slice type = exchange_header(c->x, "Content-Type");
    type = slice_trim(slice_cut(&type, ';'));
    if (!c->x->body.n) {
        api_problem(c, 400, "missing_field", NULL, "the body is the file");
        return;
    }
    struct uploading *up = ARENA_NEW(c->a, struct uploading);
    *up = (struct uploading){ .c = c };
    storage_id(up->id);
    up->md.type = sniff_type(c->x->body, type);
    up->md.name = storage_shown_name(c->a, api_query(c, "name"), up->md.type);
    put(up, choose(c->hub));
}

/* ---- named by a message ---------------------------------------------------------------------------------------------------------------------- */

struct naming {
    struct act *act;
    struct message *m;
    struct media md;
    void (*done)(struct act *act, struct message *m, const struct media *md, const struct fault *f);
};

static void named(void *arg, const struct fault *f)
{
    struct naming *nm = arg;
    struct fault failed;
    if (f)
        fault(&failed, "not_stored", "", "it could not be stored; try again");
    nm->done(nm->act, nm->m, &nm->md, f ? &failed : NULL);
}

static void found(void *arg, const struct attachment *row, const struct fault *f)
{
    struct naming *nm = arg;
    struct act *act = nm->act;
    struct arena *a = act->c->a;
    struct fault why;
    bool mine = row && (slice_eq(row->account, whose(a, act->c->user)) || slice_eq(row->conversation, act->it->conversation)) && row->state == ATTACHMENT_STORED;
    if (f || !mine) {
        fault(&why, f ? "not_stored" : "not_found", "media.file", f ? "the store does not answer; try again" : "there is no such file of yours");
        nm->done(act, nm->m, NULL, &why);
        return;
    }
    nm->md = (struct media){ .url = arena_dup(a, row->url), .type = arena_dup(a, row->type), .name = arena_dup(a, row->name), .sha256 = arena_dup(a, row->sha256),
                             .handle = arena_dup(a, row->handle), .storage = arena_dup(a, row->storage), .size = row->size };
    struct attachment moved = *row;
    moved.account = act->place.desk->account.id;
    moved.conversation = act->it->conversation;
    moved.purge_at_ms = 0;
    store_attachment_put(act->desk->hub->store, &moved, named, nm);
}

void desk_file(struct act *act, struct message *m, slice file, void (*done)(struct act *act, struct message *m, const struct media *md, const struct fault *f))
{
    struct naming *nm = ARENA_NEW(act->c->a, struct naming);
    *nm = (struct naming){ .act = act, .m = m, .done = done };
    store_attachment_get(act->desk->hub->store, arena_dup(act->c->a, file), found, nm);
}
