/* file.c - files of agents: uploaded into the storage first, then named by a message.
 *
 * Until a message names it a file belongs to who uploaded it and goes away after UNUSED_MS; from then on it belongs to the conversation and is purged with it.
 */
#include "api/desk/inside.h"
#include "api/desk/sniff.h"
#include "hub/message.h"
#include "hub/storage_set.h"
#include "hub/upload.h"
#include "store/store.h"

enum { UNUSED_MS = 3600000 };

struct uploading {
    struct api_call *c;
    struct upload up;
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

static void uploaded(void *arg, const struct fault *f)
{
    struct uploading *u = arg;
    struct api_call *c = u->c;
    bool large = f && strcmp(f->code, "too_large") == 0;
    if (f)
        api_problem(c, large ? 413 : 503, large ? "too_large" : "not_stored", NULL, "%s", f->text);
    else
        answer_file(c, slice_of(u->up.id), &u->up.md);
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
    struct uploading *u = ARENA_NEW(c->a, struct uploading);
    slice own = whose(c->a, c->user);
    u->c = c;
    u->up = (struct upload){ .hub = c->hub, .a = c->a, .tenant = SL("desk"), .account = own, .conversation = own, .audience = STORAGE_FOR_GUEST, .unused_ms = UNUSED_MS,
                             .type = sniff_type(c->x->body, type), .body = c->x->body, .done = uploaded, .arg = u };
    u->up.name = storage_shown_name(c->a, api_query(c, "name"), u->up.type);
    storage_id(u->up.id);
    upload_start(&u->up, choose(c->hub));
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
