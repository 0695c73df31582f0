/* box_put.c - a file's way into Box: the tenant's folder, the bytes in one call or in parts, the link. Facts: docs/wire/storage.md "Box". */
#include "storages/box/box.h"
#include "wire/base64.h"
#include "wire/hex.h"

enum { COMMIT_MAX = 4 << 20, PARTS_PAGE = 1000 };

/* What a put goes through; a step of 0 is its beginning. */
enum { PUT_SEND, PUT_FOLDER, PUT_VERSION, PUT_LOOK, PUT_SHARE, PUT_UNDO, PUT_UNDO_TRASH };

static slice sha1_hex(struct cloud_op *op, const struct digest *d)
{
    return hex_encode(op->a, slice_mem(d->b, d->n));
}

static slice sha1_field(struct cloud_op *op, const struct digest *d)
{
    return arena_printf(op->a, "sha=" SLF, SLA(base64_encode(op->a, slice_mem(d->b, d->n))));
}

/* ---- where it goes --------------------------------------------------------------------------------------------------------------- */

/* Of TENANT/CONVERSATION/ID/NAME. */
static slice tenant_of(slice key)
{
    return slice_cut(&key, '/');
}

/* ID-NAME: alone of its name, whatever else is in the folder. */
static slice name_of(struct cloud_op *op)
{
    slice rest = op->key;
    slice_cut(&rest, '/');
    slice_cut(&rest, '/');
    slice id = slice_cut(&rest, '/');
    return arena_printf(op->a, SLF "-" SLF, SLA(id), SLA(rest));
}

static struct box_folder *folder_of(struct cloud_op *op)
{
    struct box *b = box_of(op->c);
    slice name = tenant_of(op->key);
    struct box_folder *f = b->folders;
    while (f && !slice_eq(f->name, name))
        f = f->next;
    if (f)
        return f;
    f = ARENA_NEW(b->cloud.a, struct box_folder);
    *f = (struct box_folder){ .next = b->folders, .name = arena_dup(b->cloud.a, name) };
    b->folders = f;
    return f;
}

static void parent_write(struct jw *w, slice id)
{
    jw_open(w, "parent", '{');
    jw_str(w, "id", id);
    jw_close(w, '}');
}

static enum cloud_end folder_make(struct cloud_op *op)
{
    struct jw w = jw_new(op->a, BOX_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", folder_of(op)->name);
    parent_write(&w, cloud_setting(op->c, BOX_SET_FOLDER));
    jw_close(&w, '}');
    op->step = PUT_FOLDER;
    return box_call(op, "POST", SL("/2.0/folders?fields=id"), &w);
}

/* What has the name already; "Box": one for files, a list for folders. */
static const struct js *conflict(struct cloud_op *op)
{
    const struct js *doc = box_body(op), *list = js_at(doc, "context_info.conflicts.0");
    return list ? list : js_at(doc, "context_info.conflicts");
}

/* CLOUD_DONE: the folder is known now. */
static enum cloud_end folder_made(struct cloud_op *op)
{
    slice id = SLICE_NONE;
    if (op->last->status == 201)
        id = js_text(js_at(box_body(op), "id"));
    else if (box_failed_with(op, 409, "item_name_in_use"))
        id = js_text(js_at(conflict(op), "id"));
    if (!storage_word_ok(id))
        return box_error(op);
    folder_of(op)->id = arena_dup(op->c->a, id);
    op->step = PUT_SEND;
    return CLOUD_DONE;
}

/* Somebody deleted the tenant's folder: it is made anew. */
static enum cloud_end folder_lost(struct cloud_op *op)
{
    (void)box_error(op);
    folder_of(op)->id = SLICE_NONE;
    return op->attempt ? CLOUD_FAILED : CLOUD_AGAIN;
}

/* ---- the end ---------------------------------------------------------------------------------------------------------------------- */

static enum cloud_end put_end(struct cloud_op *op, slice link)
{
    struct jw w = jw_new(op->a, BOX_HANDLE_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "file_id", op->mark);
    jw_opt(&w, "shared_link", link);
    jw_close(&w, '}');
    op->handle = jw_done(&w);
    return CLOUD_DONE;
}

static slice file_path(struct cloud_op *op, const char *behind)
{
    return arena_printf(op->a, "/2.0/files/" SLF "%s", SLA(op->mark), behind);
}

/* A file that cannot be shared is of no use: nobody would have its handle to delete it. */
static enum cloud_end undo(struct cloud_op *op)
{
    if (op->step != PUT_UNDO && op->step != PUT_UNDO_TRASH) {
        op->step = PUT_UNDO;
        return box_call(op, "DELETE", file_path(op, ""), NULL);
    }
    if (op->step == PUT_UNDO) {
        op->step = PUT_UNDO_TRASH;
        return box_call(op, "DELETE", file_path(op, "/trash"), NULL);
    }
    op->f.code = "storage_refused"; /* its text is still the one that was found first */
    return CLOUD_FAILED;
}

static enum cloud_end share(struct cloud_op *op)
{
    struct jw w = jw_new(op->a, BOX_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "shared_link", '{');
    jw_str(&w, "access", SL("open"));
    jw_open(&w, "permissions", '{');
    jw_bool(&w, "can_download", true);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    op->step = PUT_SHARE;
    return box_call(op, "PUT", file_path(op, "?fields=shared_link"), &w);
}

/* The file as Box says it has it; is it what was sent? */
static enum cloud_end stored(struct cloud_op *op, const struct js *file)
{
    int64_t size;
    slice id = js_text(js_at(file, "id"));
    bool same = !js_int(js_at(file, "size"), &size) || size == op->size; /* a conflict does not tell it */
    if (!same || !storage_word_ok(id) || !slice_eq(js_text(js_at(file, "sha1")), sha1_hex(op, &op->whole_sum)))
        return cloud_corrupt(op);
    op->mark = arena_dup(op->a, id);
    return box_links_are_shared(op->c) ? share(op) : put_end(op, SLICE_NONE);
}

static enum cloud_end shared(struct cloud_op *op)
{
    if (op->last->status != 200) {
        enum cloud_end end = box_error(op);
        return end == CLOUD_FAILED ? undo(op) : end;
    }
    const struct js *link = js_at(box_body(op), "shared_link");
    slice url = js_text(js_at(link, "download_url"));
    if (url.n && slice_eq(js_text(js_at(link, "effective_access")), SL("open")))
        return put_end(op, url);
    fault(&op->f, "storage_refused", "", "%s made no link that everyone may download by: %s", op->c->service, BOX_LINKS_FORBIDDEN);
    return undo(op);
}

/* ---- in one call ------------------------------------------------------------------------------------------------------------------- */

/* mark: the file that has the name already, with other bytes: this is its next version. */
static enum cloud_end whole_send(struct cloud_op *op)
{
    struct cloud_call *call = &op->call;
    slice boundary = slice_sub(op->sha256, 0, 32); /* what is in the file cannot hold its own hash */
    struct jw w = jw_new(op->a, BOX_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", name_of(op));
    if (op->step == PUT_SEND)
        parent_write(&w, folder_of(op)->id);
    jw_close(&w, '}');
    call->method = "POST";
    call->url = op->step == PUT_SEND ? arena_printf(op->a, SLF "/api/2.0/files/content", SLA(cloud_setting(op->c, BOX_SET_UPLOAD)))
                                     : arena_printf(op->a, SLF "/api/2.0/files/" SLF "/content", SLA(cloud_setting(op->c, BOX_SET_UPLOAD)), SLA(op->mark));
    cloud_header(call, "Content-Type", arena_printf(op->a, "multipart/form-data; boundary=" SLF, SLA(boundary)));
    cloud_header(call, "content-md5", sha1_hex(op, &op->whole_sum)); /* "Box": so it is called */
    call->part_body = true;
    call->before = arena_printf(op->a, "--" SLF "\r\nContent-Disposition: form-data; name=\"attributes\"\r\n\r\n" SLF "\r\n--" SLF
                                "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" SLF "\"\r\nContent-Type: " SLF "\r\n\r\n",
                                SLA(boundary), SLA(jw_done(&w)), SLA(boundary), SLA(name_of(op)), SLA(op->type));
    call->behind = arena_printf(op->a, "\r\n--" SLF "--\r\n", SLA(boundary));
    return CLOUD_CALL;
}

static enum cloud_end whole_sent(struct cloud_op *op)
{
    if (op->last->status == 201 || op->last->status == 200)
        return stored(op, js_at(box_body(op), "entries.0"));
    if (box_failed_with(op, 409, "item_name_in_use") && op->step == PUT_SEND) {
        const struct js *there = conflict(op);
        if (slice_eq(js_text(js_at(there, "sha1")), sha1_hex(op, &op->whole_sum)))
            return stored(op, there); /* a try before stored it, its answer was lost */
        op->mark = arena_dup(op->a, js_text(js_at(there, "id")));
        op->step = PUT_VERSION;
        return storage_word_ok(op->mark) ? whole_send(op) : box_error(op);
    }
    return op->last->status == 404 ? folder_lost(op) : box_error(op);
}

enum cloud_end box_whole(struct cloud_op *op)
{
    if (!op->last)
        return folder_of(op)->id.n ? whole_send(op) : folder_make(op);
    enum cloud_end end = CLOUD_DONE;
    switch (op->step) {
    case PUT_FOLDER: end = folder_made(op); return end == CLOUD_DONE ? whole_send(op) : end;
    case PUT_SHARE: return shared(op);
    case PUT_UNDO:
    case PUT_UNDO_TRASH: return undo(op);
    default: return whole_sent(op);
    }
}

/* ---- in parts ------------------------------------------------------------------------------------------------------------------------ */

/* "Box": the addresses are the ones it gives. */
struct session {
    slice part, commit, abort, list, folder;
};
static const struct js_field session_fields[] = {
    JS_FIELD(struct session, part, "session_endpoints.upload_part", JS_STR, JS_REQ),
    JS_FIELD(struct session, commit, "session_endpoints.commit", JS_STR, JS_REQ),
    JS_FIELD(struct session, abort, "session_endpoints.abort", JS_STR, JS_REQ),
    JS_FIELD(struct session, list, "session_endpoints.list_parts", JS_STR, JS_REQ),
    JS_FIELD(struct session, folder, "folder", JS_STR, 0),
};

static struct session session_of(struct cloud_op *op)
{
    struct session s = { 0 };
    const struct js *doc = js_parse(op->a, op->session, NULL);
    bool ours = doc && js_read(op->a, doc, session_fields, COUNT(session_fields), &s, NULL);
    assert(ours); /* box_begin wrote it */
    return s;
}

static enum cloud_end session_ask(struct cloud_op *op)
{
    struct jw w = jw_new(op->a, BOX_JSON_MAX);
    jw_open(&w, NULL, '{');
    if (op->step == PUT_SEND)
        jw_str(&w, "folder_id", folder_of(op)->id);
    jw_int(&w, "file_size", op->size);
    jw_str(&w, "file_name", name_of(op));
    jw_close(&w, '}');
    slice path = op->step == PUT_SEND ? SL("/api/2.0/files/upload_sessions") : arena_printf(op->a, "/api/2.0/files/" SLF "/upload_sessions", SLA(op->mark));
    (void)box_call(op, "POST", path, &w);
    op->call.url = arena_printf(op->a, SLF SLF, SLA(cloud_setting(op->c, BOX_SET_UPLOAD)), SLA(path));
    return CLOUD_CALL;
}

static enum cloud_end session_got(struct cloud_op *op)
{
    const struct js *doc = box_body(op);
    struct session s = { 0 };
    if (op->last->status != 201 || !doc || !js_read(op->a, doc, session_fields, COUNT(session_fields), &s, NULL) ||
        !js_int(js_at(doc, "part_size"), &op->part_bytes) || op->part_bytes <= 0)
        return op->last->status == 404 ? folder_lost(op) : box_error(op);
    struct jw w = jw_new(op->a, BOX_SESSION_MAX);
    jw_open(&w, NULL, '{');
    jw_value(&w, "session_endpoints", js_at(doc, "session_endpoints"));
    jw_str(&w, "folder", folder_of(op)->id);
    jw_close(&w, '}');
    op->session = jw_done(&w);
    return CLOUD_DONE;
}

enum cloud_end box_begin(struct cloud_op *op)
{
    if (!op->last)
        return folder_of(op)->id.n ? session_ask(op) : folder_make(op);
    if (op->step == PUT_FOLDER) {
        enum cloud_end end = folder_made(op);
        return end == CLOUD_DONE ? session_ask(op) : end;
    }
    if (box_failed_with(op, 409, "item_name_in_use") && op->step == PUT_SEND) {
        op->mark = arena_dup(op->a, js_text(js_at(conflict(op), "id")));
        op->step = PUT_VERSION;
        return storage_word_ok(op->mark) ? session_ask(op) : box_error(op);
    }
    return session_got(op);
}

/* The page of parts that are there, from the step's number on. */
static enum cloud_end parts_list(struct cloud_op *op)
{
    op->call.method = "GET";
    op->call.url = arena_printf(op->a, SLF "?offset=%d&limit=%d", SLA(session_of(op).list), op->step++ * PARTS_PAGE, PARTS_PAGE);
    return CLOUD_CALL;
}

/* "Box": a part that is there cannot be sent again. Is it there as it should be? */
static enum cloud_end part_listed(struct cloud_op *op)
{
    const struct js *entries = op->last->status == 200 ? js_at(box_body(op), "entries") : NULL;
    for (size_t i = 0; i < js_len(entries); i++) {
        const struct js *part = js_item(entries, i);
        int64_t at, size;
        if (!js_int(js_at(part, "offset"), &at) || !js_int(js_at(part, "size"), &size) || at != op->from)
            continue;
        if (size != op->bytes || !slice_eq(js_text(js_at(part, "sha1")), sha1_hex(op, &op->part_sum)))
            return (void)cloud_corrupt(op), CLOUD_FAILED;
        op->mark = js_print(op->a, part);
        return CLOUD_DONE;
    }
    if (js_len(entries) == PARTS_PAGE)
        return parts_list(op);
    if (op->last->status != 200)
        return box_error(op);
    fault(&op->f, "storage_failed", "", "%s has a part, and does not show it", op->c->service);
    return CLOUD_AGAIN;
}

enum cloud_end box_part(struct cloud_op *op)
{
    if (!op->last) {
        op->call.method = "PUT";
        op->call.url = session_of(op).part;
        op->call.part_body = true;
        cloud_header(&op->call, "Content-Type", SL("application/octet-stream"));
        cloud_header(&op->call, "digest", sha1_field(op, &op->part_sum));
        cloud_header(&op->call, "content-range", arena_printf(op->a, "bytes %lld-%lld/%lld", (long long)op->from, (long long)(op->from + op->bytes - 1), (long long)op->size));
        return CLOUD_CALL;
    }
    if (op->step)
        return part_listed(op);
    if (op->last->status == 409 && op->attempt > 0)
        return parts_list(op);
    const struct js *part = op->last->status == 200 || op->last->status == 201 ? js_at(box_body(op), "part") : NULL;
    if (!part)
        return box_error(op);
    if (!slice_eq(js_text(js_at(part, "sha1")), sha1_hex(op, &op->part_sum)))
        return (void)cloud_corrupt(op), CLOUD_FAILED;
    op->mark = js_print(op->a, part);
    return CLOUD_DONE;
}

static enum cloud_end commit(struct cloud_op *op)
{
    struct jw w = jw_new(op->a, COMMIT_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "parts", '[');
    for (size_t i = 0; i < op->n_marks; i++)
        jw_raw(&w, NULL, op->marks[i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    op->call.method = "POST";
    op->call.url = session_of(op).commit;
    op->call.body = jw_done(&w);
    cloud_header(&op->call, "Content-Type", SL("application/json"));
    cloud_header(&op->call, "digest", sha1_field(op, &op->whole_sum));
    return CLOUD_CALL;
}

/* The check before an upload, which says what has the name already. */
static enum cloud_end look(struct cloud_op *op)
{
    struct jw w = jw_new(op->a, BOX_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", name_of(op));
    parent_write(&w, session_of(op).folder);
    jw_int(&w, "size", op->size);
    jw_close(&w, '}');
    op->step = PUT_LOOK;
    return box_call(op, "OPTIONS", SL("/2.0/files/content"), &w);
}

static enum cloud_end committed(struct cloud_op *op)
{
    int status = op->last->status;
    if (status == 201 || status == 200)
        return stored(op, js_at(box_body(op), "entries.0"));
    if (status == 202) { /* still being put together: the same again, later */
        op->retry_ms = op->last->retry_after_ms;
        fault(&op->f, "storage_failed", "", "%s is still putting the file together", op->c->service);
        return CLOUD_NOT_YET;
    }
    bool lost = op->attempt > 0 && (status == 404 || status == 409 || status == 410); /* a try before was its end, perhaps */
    return lost ? look(op) : box_error(op);
}

static enum cloud_end looked(struct cloud_op *op)
{
    if (box_failed_with(op, 409, "item_name_in_use"))
        return stored(op, conflict(op));
    fault(&op->f, "storage_failed", "", "%s gave the upload up", op->c->service);
    return CLOUD_FAILED;
}

enum cloud_end box_finish(struct cloud_op *op)
{
    if (!op->last)
        return commit(op);
    switch (op->step) {
    case PUT_LOOK: return looked(op);
    case PUT_SHARE: return shared(op);
    case PUT_UNDO:
    case PUT_UNDO_TRASH: return undo(op);
    default: return committed(op);
    }
}

enum cloud_end box_abort(struct cloud_op *op)
{
    if (op->last)
        return CLOUD_DONE; /* it forgets by itself, after a week */
    op->call.method = "DELETE";
    op->call.url = session_of(op).abort;
    return CLOUD_CALL;
}
