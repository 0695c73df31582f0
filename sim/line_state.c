/* line_state.c - people, groups and what stands in their chats. */
#include "sim/line.h"
#include "sim/sign.h"

/* clang-format off */
static const struct { const char *name, *status, *language; } faces[] = {
    { "Mika Tanaka",   "Tea first.",               "ja" },
    { "Noah Lindqvist", "On the train, mostly",    "en" },
    { "Amara Okafor",  "Gardens and good shoes",   "en" },
    { "Somchai P.",    "สวัสดี",                     "th" },
    { "Lucía Romero",  "Cocinando algo rico",      "es" },
    { "陳小美",         "一步一步來",                 "zh-Hant" },
};
/* clang-format on */

/* The same people have the same ids in every run, whatever the seed. */
static void make_id(char *id, char prefix, size_t number)
{
    struct sim_random r;
    sim_random_seed(&r, (uint64_t)prefix << 32 | number);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice hex = sim_random_hex(&r, a, LINE_ID_CHARS - 1);
    snprintf(id, LINE_ID_CHARS + 1, "%c" SLF, prefix, SLA(hex));
}

static struct chat *chat_new(struct line *l, enum chat_kind kind)
{
    if (l->n_chats == l->cap_chats) {
        l->cap_chats = l->cap_chats ? l->cap_chats * 2 : 16;
        l->chats = must_realloc(l->chats, l->cap_chats * sizeof(struct chat *));
    }
    struct chat *c = must_calloc(1, sizeof(*c));
    c->line = l;
    c->kind = kind;
    c->number = ++l->n_chats;
    c->last = &c->first;
    l->chats[c->number - 1] = c;
    return c;
}

static void shelve(struct chat *c)
{
    shelf_put(c->line->by_id, slice_of(c->id), c, 0);
}

static void groups(struct line *l)
{
    struct chat *g = chat_new(l, CHAT_GROUP);
    make_id(g->id, 'C', 1);
    snprintf(g->name, sizeof(g->name), "Weekend trip");
    shelve(g);
    struct chat *r = chat_new(l, CHAT_ROOM);
    make_id(r->id, 'R', 1);
    snprintf(r->name, sizeof(r->name), "A room");
    shelve(r);
}

/* The first COUNT(faces) are people with names, then come one group and one room, then as many as asked for. */
void line_people(struct line *l, size_t n)
{
    for (size_t have = l->n_chats > COUNT(faces) ? l->n_chats - 2 : l->n_chats; have < MAX(n, COUNT(faces)); have++) {
        struct chat *c = chat_new(l, CHAT_USER);
        make_id(c->id, 'U', have + 1);
        if (have < COUNT(faces)) {
            snprintf(c->name, sizeof(c->name), "%s", faces[have].name);
            snprintf(c->status, sizeof(c->status), "%s", faces[have].status);
            snprintf(c->language, sizeof(c->language), "%s", faces[have].language);
        } else {
            snprintf(c->name, sizeof(c->name), "Guest %zu", have + 1);
            snprintf(c->language, sizeof(c->language), "en");
        }
        snprintf(c->phone, sizeof(c->phone), "+8190%08zu", 1000 + have);
        c->friend = true;
        shelve(c);
        if (have + 1 == COUNT(faces))
            groups(l);
    }
}

struct chat *line_stranger(struct line *l, slice id)
{
    struct chat *c = shelf_get(l->by_id, id);
    if (c || id.n != LINE_ID_CHARS || id.p[0] != 'U' || l->n_chats >= LINE_GUESTS_MAX)
        return c;
    c = chat_new(l, CHAT_USER);
    snprintf(c->id, sizeof(c->id), SLF, SLA(id));
    snprintf(c->name, sizeof(c->name), "Stranger %zu", c->number);
    snprintf(c->language, sizeof(c->language), "en");
    c->friend = true;
    shelve(c);
    return c;
}

/* People stand around the two groups. */
struct chat *line_person(const struct line *l, size_t i)
{
    size_t at = i < COUNT(faces) ? i : i + 2;
    return at < l->n_chats ? l->chats[at] : NULL;
}

struct chat *line_chat(const struct line *l, slice id)
{
    int64_t number;
    if (slice_int(id, &number))
        return number >= 1 && (uint64_t)number <= l->n_chats ? l->chats[number - 1] : NULL;
    return shelf_get(l->by_id, id);
}

/* Groups hold the first three people. */
bool line_chat_has(const struct line *l, const struct chat *group, const struct chat *user)
{
    (void)l;
    return group->kind != CHAT_USER && !group->left && user->kind == CHAT_USER && user->number <= 3;
}

void line_next_id(struct line *l, char *ret, size_t n)
{
    snprintf(ret, n, "%llu", (unsigned long long)(UINT64_C(500000000000000000) + ++l->next_id));
}

/* ---- bubbles ------------------------------------------------------------------------------------------------------------------------ */

static void bubble_free(struct bubble *b)
{
    free(b->media);
    free(b);
}

struct bubble *line_bubble_add(struct chat *c, bool from_guest, const char *how, slice id, slice user, slice json)
{
    struct bubble *b = must_calloc(1, sizeof(*b) + json.n + user.n + 2);
    char *text = (char *)(b + 1);
    b->from_guest = from_guest;
    b->at_ms = time_now_ms();
    b->how = how;
    snprintf(b->id, sizeof(b->id), SLF, SLA(id));
    memcpy(text, json.p, json.n);
    b->json = slice_mem(text, json.n);
    text += json.n + 1;
    memcpy(text, user.n ? user.p : "", user.n);
    b->user = slice_mem(text, user.n);
    *c->last = b;
    c->last = &b->next;
    *(from_guest ? &c->sent : &c->received) += 1;
    if (!from_guest) {
        c->loading_until_ms = 0;
        c->line->bubbles_taken++;
    }
    if (++c->n_bubbles > LINE_BUBBLES_KEPT) {
        struct bubble *old = c->first;
        c->first = old->next;
        c->n_bubbles--;
        bubble_free(old);
    }
    return b;
}

void line_bubble_media(struct bubble *b, slice json)
{
    free(b->media);
    b->media = must_malloc(json.n + 1);
    memcpy(b->media, json.p, json.n);
    b->media[json.n] = 0;
}

void line_bubble_write(struct jw *w, const struct bubble *b)
{
    jw_open(w, NULL, '{');
    jw_str(w, "id", slice_of(b->id));
    jw_str(w, "from", b->from_guest ? SL("guest") : SL("account"));
    jw_time(w, "at", b->at_ms);
    jw_str(w, "how", slice_of(b->how));
    jw_opt(w, "userId", b->user);
    jw_opt(w, "requestId", slice_of(b->request_id));
    if (b->read)
        jw_bool(w, "read", true);
    if (b->gone)
        jw_bool(w, "unsent", true);
    if (b->media)
        jw_raw(w, "media", slice_of(b->media));
    jw_raw(w, "message", b->json);
    jw_close(w, '}');
}

void line_bubble_told(struct chat *c, const struct bubble *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, LINE_BODY_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "chat", slice_of(c->id));
    jw_key(&w, SL("bubble"));
    line_bubble_write(&w, b);
    jw_close(&w, '}');
    feed_send(c->line->env->feed, "bubble", jw_done(&w));
}

void line_chat_write(struct jw *w, const struct chat *c)
{
    static const char *const kinds[] = { [CHAT_USER] = "user", [CHAT_GROUP] = "group", [CHAT_ROOM] = "room" };
    int64_t loading_ms = c->loading_until_ms - time_mono_ms();
    jw_open(w, NULL, '{');
    jw_int(w, "number", (int64_t)c->number);
    jw_str(w, "id", slice_of(c->id));
    jw_str(w, "kind", slice_of(kinds[c->kind]));
    jw_str(w, "name", slice_of(c->name));
    jw_opt(w, "status", slice_of(c->status));
    jw_opt(w, "language", slice_of(c->language));
    jw_opt(w, "phone", slice_of(c->phone));
    jw_bool(w, "friend", c->kind == CHAT_USER ? c->friend : !c->left);
    jw_opt(w, "destinationId", slice_of(c->destination));
    jw_int(w, "sent", c->sent);
    jw_int(w, "received", c->received);
    jw_int(w, "loading_ms", MAX(loading_ms, 0));
    jw_close(w, '}');
}

struct bubble *line_bubble_find(const struct chat *c, slice id)
{
    struct bubble *b = c->first;
    while (b && !slice_eq(slice_of(b->id), id))
        b = b->next;
    return b;
}

void line_chats_clear(struct line *l)
{
    for (size_t i = 0; i < l->n_chats; i++) {
        struct chat *c = l->chats[i];
        while (c->first) {
            struct bubble *b = c->first;
            c->first = b->next;
            bubble_free(b);
        }
        c->last = &c->first;
        c->n_bubbles = 0;
    }
}

void line_chats_free(struct line *l)
{
    line_chats_clear(l);
    for (size_t i = 0; i < l->n_chats; i++)
        free(l->chats[i]);
    free(l->chats);
}
