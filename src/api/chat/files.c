/* files.c - pictures and files of guests into the storage and the chat; those and agents' pictures out of it, for who is in the chat. */
#include "api/chat/request.h"
#include "api/chat/say.h"
#include "api/desk/sniff.h"
#include "hub/storage.h"
#include "hub/storage_set.h"
#include "hub/upload.h"
#include "wire/mime.h"
#include "wire/multipart.h"

/* ---- up ---------------------------------------------------------------------------------------------------------------------------- */

struct uploading {
    struct chat_call *c;
    struct upload up;
};

/* What the bytes are, whatever the page says: only pictures that no browser runs. */
static slice picture_type(slice body)
{
    static const struct { slice begin, type; } kinds[] = {
        { SLI("\x89PNG\r\n\x1a\n"), SLI("image/png") },
        { SLI("\xff\xd8\xff"),      SLI("image/jpeg") },
        { SLI("GIF87a"),            SLI("image/gif") },
        { SLI("GIF89a"),            SLI("image/gif") },
        { SLI("BM"),                SLI("image/bmp") },
    };
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (slice_starts(body, kinds[i].begin))
            return kinds[i].type;
    if (slice_starts(body, SL("RIFF")) && slice_eq(slice_sub(body, 8, 4), SL("WEBP")))
        return SL("image/webp");
    return SLICE_NONE;
}

static slice file_line(struct chat_call *c, int64_t place, slice *ret_files)
{
    return say_upload(c->a, c->session, place, message_media(&c->in.first->m), ret_files);
}

/* So many bytes more of this chat's guest; n < 0: they did not come to be. False: the day's are used up. */
static bool take_room(struct chat_call *c, int64_t n)
{
    struct chat_session *s = c->session;
    int64_t most = chat_number(c, WEBCHAT_UPLOAD_DAY);
    if (c->now_ms - s->uploads_ms >= CHAT_DAY_MS) {
        s->uploads_ms = c->now_ms;
        s->uploaded = 0;
    }
    if (n > 0 && most && s->uploaded + n > most)
        return false;
    s->uploaded = MAX(s->uploaded + n, 0);
    return true;
}

static void uploaded(void *arg, const struct fault *f)
{
    struct uploading *u = arg;
    struct chat_call *c = u->c;
    bool large = f && strcmp(f->code, "too_large") == 0;
    if (f)
        (void)take_room(c, -(int64_t)u->up.body.n);
    if (f && strcmp(f->code, "not_stored") == 0) {
        chat_not_stored(c);
        return;
    }
    if (f) {
        chat_refuse(c, large ? 413 : 503, large ? "LIMIT_FILE_SIZE" : NULL, "%s", f->text);
        return;
    }
    if (c->session->end != CHAT_OPEN) { /* meanwhile: the conversation's files were looked through without this one */
        upload_drop(&u->up);
        chat_refuse(c, 404, "INVALID_SESSION", "the chat has ended");
        return;
    }
    struct message *m = chat_message(c, kind_of_file(u->up.md.type));
    m->id = chat_message_id(c, u->up.body);
    *LIST_ADD(c->a, &m->media, struct media) = u->up.md;
    chat_accept(c, file_line, chat_said);
}

/* any: also what is no picture. */
static void upload(struct chat_call *c, bool any)
{
    struct multipart mp;
    struct fault f = { 0 };
    int64_t most = chat_number(c, WEBCHAT_UPLOAD_BYTES);
    const struct multipart_part *file = NULL;
    size_t files = 0;
    if (c->session->end != CHAT_OPEN) {
        chat_refuse(c, 404, "INVALID_SESSION", "the chat has ended");
        return;
    }
    if (!multipart_parse(c->a, exchange_header(c->x, "Content-Type"), c->x->body, &mp, &f)) {
        chat_refuse(c, 400, NULL, "%s", f.text);
        return;
    }
    c->operation = slice_or(multipart_value(&mp, SL("operationId")), c->operation);
    for (size_t i = 0; i < mp.n; i++) {
        files += mp.parts[i].filename.p != NULL;
        if (slice_eq(mp.parts[i].name, SL("file")))
            file = &mp.parts[i];
    }
    if (files > 1 || most == 0) {
        chat_refuse(c, 400, "LIMIT_FILE_COUNT", most ? "one file a request" : "no files are taken");
        return;
    }
    if (!file || !file->body.n) {
        chat_refuse(c, 400, NULL, "the part file is missing");
        return;
    }
    if ((int64_t)file->body.n > most) {
        chat_refuse(c, 413, "LIMIT_FILE_SIZE", "a file has at most %lld bytes", (long long)most);
        return;
    }
    slice type = picture_type(file->body);
    if (!type.n && any)
        type = sniff_type(file->body, mime_essence(file->type));
    if (!type.n) {
        chat_refuse(c, 400, "INVALID_FILE_TYPE", "only pictures are taken: PNG, JPEG, GIF, WebP, BMP");
        return;
    }
    if (!take_room(c, (int64_t)file->body.n)) {
        chat_refuse(c, 413, "LIMIT_FILE_SIZE", "the files of a chat have at most %lld bytes in 24 hours", (long long)chat_number(c, WEBCHAT_UPLOAD_DAY));
        return;
    }
    const struct account *account = &c->actor->account;
    struct uploading *u = ARENA_NEW(c->a, struct uploading);
    u->c = c;
    u->up = (struct upload){ .hub = c->hub, .a = c->a, .tenant = c->actor->tenant->slug, .account = account->id, .audience = STORAGE_FOR_DESK, .type = type, .body = file->body,
                             .name = storage_shown_name(c->a, file->filename, type), .done = uploaded, .arg = u };
    u->up.conversation = arena_printf(c->a, SLF ":%s", SLA(account->id), c->session->id);
    storage_id(u->up.id);
    upload_start(&u->up, storages_choose(c->actor));
}

void chat_upload(struct chat_call *c)
{
    upload(c, false);
}

void chat_upload_file(struct chat_call *c)
{
    upload(c, chat_true(c, WEBCHAT_FILES));
}

/* ---- down --------------------------------------------------------------------------------------------------------------------------- */

enum { BLOCK_BYTES = 32 << 10, HELD_BYTES = 128 << 10 /* that wait for a page which reads slowly */ };
struct downloading {
    struct chat_call *c;
    struct hub *hub;
    size_t n;
    struct media md;
    struct storage *storage;
    struct storage_get *get;
    struct stream *stream; /* NULL: nothing was read yet, so that it may still be said that there is no such file */
    char *block;
};

static void down(void *arg);

static void down_gone(void *arg)
{
    struct downloading *dn = arg;
    dn->stream = NULL;
    loop_defer_cancel(dn->hub->loop, down, dn);
    storage_get_close(dn->storage, dn->get);
}

static void down_ready(void *arg)
{
    struct downloading *dn = arg;
    loop_defer(dn->hub->loop, down, dn);
}

/* False: the page is gone, and dn with it. */
static bool begin_answer(struct downloading *dn)
{
    struct chat_call *c = dn->c;
    struct storage *storage = dn->storage;
    struct storage_get *get = dn->get;
    struct header headers[] = { { SL("Content-Type"), storage_serve_type(dn->md.type) },
                                { SL("Content-Disposition"), storage_disposition(c->a, dn->md.name, dn->md.type) },
                                { SL("Cache-Control"), SL("private, max-age=3600") },
                                { SL("Content-Security-Policy"), SL("default-src 'none'; sandbox") } };
    struct stream *stream = chat_send_stream(c, &(struct stream_answer){ .status = 200, .headers = headers, .n_headers = COUNT(headers), .bytes = dn->md.size,
                                                                         .held_bytes = HELD_BYTES, .ready = down_ready, .gone = down_gone, .arg = dn });
    if (!stream) {
        storage_get_close(storage, get);
        return false;
    }
    dn->stream = stream;
    return true;
}

/* From the storage to the page, as fast as the slower of them. */
static void down(void *arg)
{
    struct downloading *dn = arg;
    for (;;) {
        ssize_t n = storage_get_read(dn->storage, dn->get, dn->block, BLOCK_BYTES);
        if (n == STORAGE_WAIT)
            return;
        if (n <= 0) {
            storage_get_close(dn->storage, dn->get);
            if (!dn->stream)
                chat_refuse(dn->c, 404, NULL, "there is no such file any more");
            else if (n < 0)
                stream_break(dn->stream);
            else
                stream_end(dn->stream);
            return;
        }
        if (!dn->stream && !begin_answer(dn))
            return;
        if (!stream_put(dn->stream, slice_mem(dn->block, (size_t)n)))
            return; /* until down_ready */
    }
}

static void found(void *arg, slice files)
{
    struct downloading *dn = arg;
    struct chat_call *c = dn->c;
    bool known = say_file(c->a, files, dn->n, &dn->md) && dn->md.size <= SAY_IMAGE_MAX;
    dn->storage = known ? storages_find(c->hub, slice_or(dn->md.storage, c->hub->storage->name)) : NULL;
    if (!dn->storage) {
        chat_refuse(c, 404, NULL, "there is no such file in this chat");
        return;
    }
    dn->block = arena_alloc(c->a, BLOCK_BYTES);
    dn->get = storage_get(dn->storage, dn->md.handle, 0, -1, down, dn);
    down(dn);
}

/* "<index>-<number>": of the line in this chat, so of no other. */
void chat_download(struct chat_call *c)
{
    struct downloading *dn = ARENA_NEW(c->a, struct downloading);
    *dn = (struct downloading){ .c = c, .hub = c->hub };
    size_t dash = slice_find_last(c->words[2], '-');
    int64_t place, n;
    if (dash == SIZE_MAX || !slice_int(slice_from(c->words[2], dash + 1), &n) || n < 0 || n > 1000 || !place_read(slice_sub(c->words[2], 0, dash), &place)) {
        chat_refuse(c, 404, NULL, "there is no such file in this chat");
        return;
    }
    dn->n = (size_t)n;
    line_files(c->chat->sessions, c->session, place, c->a, found, dn);
}
