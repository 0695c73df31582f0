#include "hub/dry.h"

/* What an address out of a message is answered with: a picture of one white pixel. */
/* clang-format off */
static const uint8_t one_pixel[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x01,
    0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41,
    0x54, 0x78, 0x9c, 0x63, 0xf8, 0x0f, 0x00, 0x01, 0x01, 0x01, 0x00, 0xb1, 0x38, 0xf6, 0x14, 0x00, 0x00, 0x00, 0x00, 0x49,
    0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};
/* clang-format on */

slice *dry_settings(struct arena *a, const struct connector *type, const struct js *own, const struct js *base)
{
    slice *values = ARENA_ARRAY(a, slice, type->n_settings);
    for (size_t i = 0; i < type->n_settings; i++) {
        slice name = slice_of(type->settings[i].name);
        const struct js *v = js_get(own, name) ? js_get(own, name) : js_get(base, name);
        if (v && !js_is_null(v))
            values[i] = js_is_string(v) ? js_text(v) : js_print(a, v);
        else if (!v)
            values[i] = slice_of(type->settings[i].otherwise);
    }
    return values;
}

static struct account account_of(struct arena *a, const struct dry *dry)
{
    const struct connector *type = dry->type;
    const struct js *stand_in = type->dry.settings ? js_parse(a, slice_of(type->dry.settings), NULL) : NULL;
    struct account acc = { .id = arena_printf(a, "preview/%s", type->name), .name = slice_of(type->name), .tenant = SL("preview"), .type = type,
                           .public_url = dry->public_url, .hook_url = arena_printf(a, SLF "%s", SLA(dry->public_url), type->hook.path ? type->hook.path : "") };
    slice *values = dry_settings(a, type, stand_in, NULL);
    for (size_t i = 0; i < type->n_settings; i++) {
        slice given = dry->account ? dry->account->settings[i] : SLICE_NONE;
        if (!type->settings[i].secret && given.p)
            values[i] = given;
        else if (type->settings[i].secret && !values[i].p && (given.p || type->settings[i].required))
            values[i] = SL(DRY_SECRET);
    }
    if (dry->account) {
        acc = *dry->account;
        acc.storage = SLICE_NONE;
    }
    acc.settings = values;
    return acc;
}

static struct memory *memory_of(const char *json)
{
    struct memory *m = memory_new();
    struct fault f = { 0 };
    bool good = !json || memory_load(m, slice_of(json), &f);
    assert(good); /* a connector's own table */
    return m;
}

static const char *type_of(enum kind k)
{
    return k == KIND_IMAGE ? "image/jpeg" : k == KIND_VIDEO ? "video/mp4" : k == KIND_AUDIO ? "audio/mp4" : "application/octet-stream";
}

/* As if its files had been fetched into a storage. */
static struct message stored(struct arena *a, const struct message *m, slice guest)
{
    struct message s = *m;
    s.id = slice_or(m->id, SL("preview"));
    s.guest = guest;
    s.origin = m->origin ? m->origin : ORIGIN_AGENT;
    s.media = (struct js_list){ 0 };
    for (size_t i = 0; i < m->media.n; i++) {
        struct media *md = LIST_ADD(a, &s.media, struct media);
        *md = *LIST_AT(m->media, struct media, i);
        md->type = slice_or(md->type, slice_of(type_of((enum kind)m->kind)));
        md->size = MAX(md->size, 1);
        md->handle = SL("{}");
    }
    return s;
}

static struct answer answer_to(const struct http_call *call, const struct connector *type)
{
    bool picture = call->guarded;
    return (struct answer){ .status = 200, .written = true, .type = picture ? SL("image/png") : SL("application/json"),
                            .body = picture ? slice_mem(one_pixel, sizeof(one_pixel)) : slice_of(type->dry.answer ? type->dry.answer : "{}") };
}

static void step_on(struct arena *a, struct dry *dry, struct call *c, struct delivery *d)
{
    struct answer answer, *last = NULL;
    for (;;) {
        delivery_begin_step(d, last);
        dry->fault = (struct fault){ 0 };
        dry->end = dry->type->deliver(c, d);
        if (dry->end != OUT_CALL)
            return;
        if (dry->calls.n == DRY_CALLS_MAX) {
            dry->end = OUT_REFUSED;
            fault(&dry->fault, "too_many_calls", "", "more than %d calls for one message", DRY_CALLS_MAX);
            return;
        }
        struct http_call *call = LIST_ADD(a, &dry->calls, struct http_call);
        *call = d->call;
        answer = answer_to(call, dry->type);
        last = &answer;
    }
}

void dry_run(struct arena *a, struct dry *dry, const struct message *m)
{
    const struct connector *type = dry->type;
    struct account account = account_of(a, dry);
    slice guest = slice_of(type->dry.guest ? type->dry.guest : "guest");
    struct conversation conv = { .id = arena_printf(a, SLF ":" SLF, SLA(account.id), SLA(guest)), .guest = guest,
                                 .address = arena_printf(a, SLF "@" SLF, SLA(guest), SLA(account.name)), .open = true,
                                 .network = slice_of(type->title), .tenant = account.tenant };
    struct message said = stored(a, m, conv.address);
    const struct adapt_to to = { &account, &conv };
    dry->calls = (struct js_list){ 0 };
    dry->fault = (struct fault){ 0 };
    dry->reason = REASON_NONE;
    if (!adapt_message(a, &to, &said, &dry->adapted, &dry->reason, &dry->fault)) {
        dry->adapted = (struct adapted){ 0 };
        dry->end = OUT_REFUSED;
        return;
    }
    struct memory *memory = memory_of(type->dry.memory), *guest_memory = memory_of(type->dry.guest_memory);
    struct call c = { .a = a, .account = &account, .memory = memory, .guest_memory = guest_memory, .conversation = &conv, .now_ms = dry->now_ms,
                      .f = &dry->fault };
    struct delivery d = { .m = &said, .parts = dry->adapted.parts, .n_parts = dry->adapted.n, .key = SL("dg-preview-1"), .accepted_ms = dry->now_ms };
    step_on(a, dry, &c, &d);
    dry->reason = dry->end == OUT_REFUSED ? d.reason : REASON_NONE;
    memory_free(memory);
    memory_free(guest_memory);
}
