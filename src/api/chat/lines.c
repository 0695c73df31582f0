/* lines.c - what was said in a chat, line by line: places, storing, reading. */
#include "api/chat/session.h"
#include "hub/message.h"
#include "hub/state.h"
#include "store/store.h"

enum { COUNT_MAX = 9 /* pages compare indexes without their dash: a second digit would sort wrongly */, STORED_MAX = JOURNAL_VALUE_MAX };

/* ---- places ----------------------------------------------------------------------------------------------------------------- */

slice place_index(struct arena *a, int64_t place)
{
    return arena_printf(a, "%lld-%d", (long long)(place / 16), (int)(place % 16));
}

bool place_read(slice index, int64_t *ret)
{
    int64_t ms, count = 0;
    slice first = slice_cut(&index, '-');
    if (!slice_int(first, &ms) || ms < 0 || ms > TIME_MAX_MS || (index.p && (!slice_int(index, &count) || count < 0 || count > COUNT_MAX)))
        return false;
    *ret = ms * 16 + count;
    return true;
}

int64_t line_place(const struct chat_session *s, int64_t now_ms)
{
    int64_t place = MAX(now_ms * 16, s->last + 1);
    return place % 16 <= COUNT_MAX ? place : (place / 16 + 1) * 16;
}

/* Newest first in the store's order of bytes. */
static slice line_key(struct arena *a, const struct chat_session *s, int64_t place)
{
    return arena_printf(a, "v:%s:%016llx", s->id, (unsigned long long)(INT64_MAX - place));
}

static bool place_of_key(slice key, int64_t *ret)
{
    enum { DIGITS = 16 };
    uint64_t v = 0;
    if (key.n < DIGITS)
        return false;
    for (size_t i = key.n - DIGITS; i < key.n; i++) {
        char c = key.p[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret = INT64_MAX - (int64_t)v;
    return true;
}

/* ---- putting them in --------------------------------------------------------------------------------------------------------- */

static struct chat_line *line_new(int64_t place, uint64_t number, slice json)
{
    struct chat_line *l = must_malloc(sizeof(*l) + json.n);
    *l = (struct chat_line){ .place = place, .number = number, .n = json.n };
    memcpy(l->json, json.p, json.n);
    return l;
}

static void room(struct chat_session *s, size_t more)
{
    enum { FIRST = 8 };
    if (s->n_lines + more <= s->cap_lines)
        return;
    s->cap_lines = MAX(MAX(s->cap_lines * 2, (size_t)FIRST), s->n_lines + more);
    s->lines = must_realloc(s->lines, s->cap_lines * sizeof(struct chat_line *));
}

/* Stored as: the length of the message in digits, ' ', the message, the files. */
struct chat_line *line_add(struct chats *cs, struct chat_session *s, int64_t place, uint64_t number, slice json, slice files, struct jbatch *b)
{
    assert(place > s->last);
    struct chat_line *l = line_new(place, number, json);
    room(s, 1);
    s->lines[s->n_lines++] = l;
    s->last = place;
    l->passing = l->shown = !b;
    if (!b)
        return l;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice value = arena_printf(a, "%zu " SLF SLF, json.n, SLA(json), SLA(files));
    state_put(chats_hub(cs)->state, b, line_key(a, s, place), value);
    return l;
}

void lines_show(struct chat_session *s, uint64_t number)
{
    for (size_t i = s->n_lines; i-- > 0;)
        if (s->lines[i]->number == number)
            s->lines[i]->shown = true;
}

bool lines_all_shown(const struct chat_session *s)
{
    for (size_t i = 0; i < s->n_lines; i++)
        if (!s->lines[i]->shown)
            return false;
    return true;
}

static void take_out(struct chat_session *s, size_t i)
{
    free(s->lines[i]);
    memmove(&s->lines[i], &s->lines[i + 1], (s->n_lines - i - 1) * sizeof(s->lines[0]));
    s->n_lines--;
}

void lines_withdraw(struct chats *cs, struct chat_session *s, uint64_t number, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct hub *h = chats_hub(cs);
    struct jbatch *own = b ? NULL : jbatch_new(h->journal);
    for (size_t i = s->n_lines; i-- > 0;) {
        if (s->lines[i]->number != number || s->lines[i]->shown)
            continue;
        state_put(h->state, b ? b : own, line_key(a, s, s->lines[i]->place), SLICE_NONE);
        take_out(s, i);
    }
    if (own)
        jbatch_commit(own, JOURNAL_LAZY, NULL, NULL);
}

void lines_trim(struct chat_session *s, int64_t now_ms)
{
    for (size_t i = s->n_lines; i-- > 0;)
        if (s->lines[i]->passing && now_ms - place_ms(s->lines[i]->place) > CHAT_TYPING_MS)
            take_out(s, i);
    while (s->n_lines > CHAT_TAIL && s->lines[0]->shown) {
        take_out(s, 0);
        s->whole = false;
    }
}

void lines_cool(struct chat_session *s)
{
    if (!lines_all_shown(s) || s->loads)
        return;
    for (size_t i = 0; i < s->n_lines; i++)
        free(s->lines[i]);
    free(s->lines);
    s->lines = NULL;
    s->n_lines = s->cap_lines = 0;
    s->loaded = s->whole = false;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

struct read_line {
    int64_t place;
    slice json;
};
struct chat_load { /* of the newest lines into memory; those who wait for it */
    struct chat_load *next;
    void (*done)(void *arg);
    void *arg;
};
struct chat_reading {
    struct chat_reading *next, *prev; /* of the session: those open when the hub stops are never answered */
    struct chat_session *held;
    struct arena *a;
    struct js_list found; /* struct read_line, newest first */
    int64_t from;
    void (*each)(void *arg, int64_t place, slice json);
    void (*done)(void *arg, bool ok);
    void *arg;
};

/* The message in a stored line; *ret_files: the rest. */
static slice stored_message(slice value, slice *ret_files)
{
    int64_t n;
    slice rest = value, digits = slice_cut(&rest, ' ');
    if (!slice_int(digits, &n) || n < 0 || (size_t)n > rest.n)
        return SLICE_NONE;
    *ret_files = slice_from(rest, (size_t)n);
    return slice_sub(rest, 0, (size_t)n);
}

static void read_each(void *arg, slice key, slice value)
{
    struct chat_reading *r = arg;
    int64_t place;
    slice files, json = stored_message(value, &files);
    if (json.p && place_of_key(key, &place))
        *LIST_ADD(r->a, &r->found, struct read_line) = (struct read_line){ place, arena_dup(r->a, json) };
}

/* Newest first, at most n, from this place backwards. What is put but not in the store yet goes there first. */
static struct chat_reading *read_begin(struct chats *cs, struct chat_session *s, int64_t to, size_t n, store_done done)
{
    struct hub *h = chats_hub(cs);
    struct arena *a = arena_new();
    struct chat_reading *r = ARENA_NEW(a, struct chat_reading);
    *r = (struct chat_reading){ .next = s->readings, .held = s, .a = a };
    if (r->next)
        r->next->prev = r;
    s->readings = r;
    s->holds++;
    state_flush_all(h->state);
    slice prefix = arena_printf(a, "v:%s:", s->id);
    if (to)
        store_scan_from(h->store, prefix, line_key(a, s, to), n, read_each, done, r);
    else
        store_scan(h->store, prefix, n, read_each, done, r);
    return r;
}

static void read_end(struct chat_reading *r)
{
    struct chat_session *s = r->held;
    *(r->prev ? &r->prev->next : &s->readings) = r->next;
    if (r->next)
        r->next->prev = r->prev;
    s->holds--;
    arena_free(r->a);
}

static void load_done(struct chat_session *s)
{
    struct chat_load *waiting = s->loads;
    s->loads = NULL;
    for (struct chat_load *next; waiting; waiting = next) {
        next = waiting->next;
        waiting->done(waiting->arg);
        free(waiting);
    }
}

/* What came meanwhile is in memory; what was read and is older goes before it. */
static void loaded(void *arg, const struct fault *f)
{
    struct chat_reading *r = arg;
    struct chat_session *s = r->held;
    int64_t first = s->n_lines ? s->lines[0]->place : INT64_MAX;
    size_t n = 0;
    if (!f) {
        size_t skip = 0;
        while (skip < r->found.n && LIST_AT(r->found, struct read_line, skip)->place >= first)
            skip++;
        n = r->found.n - skip;
        room(s, n);
        if (s->n_lines)
            memmove(s->lines + n, s->lines, s->n_lines * sizeof(s->lines[0]));
        s->n_lines += n;
        for (size_t i = 0; i < n; i++) {
            const struct read_line *l = LIST_AT(r->found, struct read_line, skip + i);
            struct chat_line *line = line_new(l->place, 0, l->json);
            line->shown = true;
            s->lines[n - 1 - i] = line;
        }
        s->loaded = true;
        s->whole = r->found.n < CHAT_TAIL;
        if (n && s->lines[s->n_lines - 1]->place > s->last)
            s->last = s->lines[s->n_lines - 1]->place;
    }
    read_end(r);
    load_done(s);
}

void lines_forget_loads(struct chat_session *s)
{
    for (struct chat_load *l = s->loads, *next; l; l = next) {
        next = l->next;
        free(l);
    }
    s->loads = NULL;
    while (s->readings)
        read_end(s->readings);
}

void lines_load(struct chats *cs, struct chat_session *s, void (*done)(void *arg), void *arg)
{
    if (s->loaded) {
        done(arg);
        return;
    }
    struct chat_load *l = must_calloc(1, sizeof(*l)), **last = &s->loads;
    bool first = !s->loads;
    *l = (struct chat_load){ NULL, done, arg };
    while (*last)
        last = &(*last)->next;
    *last = l;
    if (first)
        (void)read_begin(cs, s, 0, CHAT_TAIL, loaded);
}

/* Up to where lines may be shown: before the first that is not stored yet. */
static int64_t shown_to(const struct chat_session *s)
{
    for (size_t i = 0; i < s->n_lines; i++)
        if (!s->lines[i]->shown)
            return s->lines[i]->place - 1;
    return INT64_MAX;
}

static void read_done(void *arg, const struct fault *f)
{
    struct chat_reading *r = arg;
    int64_t top = shown_to(r->held);
    for (size_t i = r->found.n; !f && i-- > 0;) {
        const struct read_line *l = LIST_AT(r->found, struct read_line, i);
        if (l->place >= r->from && l->place <= top)
            r->each(r->arg, l->place, l->json);
    }
    r->done(r->arg, !f);
    read_end(r);
}

void lines_read(struct chats *cs, struct chat_session *s, int64_t from, int64_t to, size_t n, void (*each)(void *arg, int64_t place, slice json),
                void (*done)(void *arg, bool ok), void *arg)
{
    int64_t top = MIN(to ? to : INT64_MAX, shown_to(s));
    size_t end = s->n_lines, begin, have = 0;
    while (end > 0 && s->lines[end - 1]->place > top)
        end--;
    for (begin = end; begin > 0 && have < n && s->lines[begin - 1]->place >= from; begin--)
        have += !s->lines[begin - 1]->passing;
    bool enough = s->loaded && (have == n || s->whole || begin > 0);
    if (enough) {
        for (size_t i = begin; i < end; i++)
            if (!s->lines[i]->passing)
                each(arg, s->lines[i]->place, slice_mem(s->lines[i]->json, s->lines[i]->n));
        done(arg, true);
        return;
    }
    struct chat_reading *r = read_begin(cs, s, top == INT64_MAX ? 0 : top, n, read_done);
    r->from = from;
    r->each = each;
    r->done = done;
    r->arg = arg;
}

struct filing {
    void (*done)(void *arg, slice json);
    void *arg;
};

static void got_line(void *arg, slice value)
{
    struct filing *fi = arg;
    slice files = SLICE_NONE, json = value.p ? stored_message(value, &files) : SLICE_NONE;
    fi->done(fi->arg, json.p ? files : SLICE_NONE);
}

void line_files(struct chats *cs, const struct chat_session *s, int64_t place, struct arena *a, void (*done)(void *arg, slice json), void *arg)
{
    struct filing *fi = ARENA_NEW(a, struct filing);
    *fi = (struct filing){ done, arg };
    state_get(chats_hub(cs)->state, line_key(a, s, place), got_line, fi);
}
