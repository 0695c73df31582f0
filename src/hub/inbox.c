#include "hub/inbox.h"

void inbox_init(struct inbox *in, struct arena *a)
{
    *in = (struct inbox){ .a = a };
    in->last = &in->first;
}

struct message *inbox_add(struct inbox *in, enum kind kind)
{
    struct inbox_item *item = ARENA_NEW(in->a, struct inbox_item);
    item->m.kind = (int)kind;
    *in->last = item;
    in->last = &item->next;
    in->n++;
    return &item->m;
}

void inbox_remember(struct inbox *in, struct message *m, const char *key, slice value, int64_t until_ms)
{
    struct inbox_item *item = CONTAINER_OF(m, struct inbox_item, m);
    *LIST_ADD(in->a, &item->remember, struct remembered) = (struct remembered){ .key = key, .value = value, .until_ms = until_ms };
}

void inbox_remember_newest(struct inbox *in, struct message *m, const char *const *keys, size_t n, slice value, int64_t until_ms)
{
    struct inbox_item *item = CONTAINER_OF(m, struct inbox_item, m);
    *LIST_ADD(in->a, &item->remember, struct remembered) =
        (struct remembered){ .keys = keys, .n_keys = n, .value = value, .until_ms = until_ms };
}

const char *remembered_key(const struct remembered *rm, const struct memory *m, int64_t now_ms)
{
    for (size_t i = 0; i < rm->n_keys; i++) /* there already: its commit failed, and it came again */
        if (slice_eq(memory_get(m, rm->keys[i], now_ms), rm->value))
            return rm->keys[i];
    return rm->key ? rm->key : memory_oldest(m, rm->keys, rm->n_keys, now_ms);
}

void inbox_only(struct message *m, enum inbox_only where)
{
    CONTAINER_OF(m, struct inbox_item, m)->only = where;
}

struct response inbox_response(const struct inbox *in)
{
    return (struct response){ .status = in->status ? in->status : 200, .type = in->type, .body = in->body, .headers = in->headers.items, .n_headers = in->headers.n };
}

void inbox_ignore(struct inbox *in, const char *rule, slice id)
{
    *LIST_ADD(in->a, &in->ignored, struct inbox_ignored) = (struct inbox_ignored){ rule, id };
}

void inbox_answer(struct inbox *in, int status, slice type, slice body)
{
    in->status = status;
    in->type = type;
    in->body = body;
}

void inbox_resume(struct inbox *in, slice wait_for, slice data)
{
    *LIST_ADD(in->a, &in->resumed, struct inbox_resumed) = (struct inbox_resumed){ wait_for, data };
}

void inbox_header(struct inbox *in, const char *name, slice value)
{
    *LIST_ADD(in->a, &in->headers, struct header) = (struct header){ slice_of(name), value };
}

void inbox_ask(struct inbox *in, ask_step step, slice data, ask_answer answer)
{
    in->ask = step;
    in->ask_data = data;
    in->ask_answer = answer;
}
