#include "hub/memory.h"
#include "wire/js.h"

struct entry {
    char *key;
    char *value;
    size_t n;
    int64_t until_ms;
};
struct memory {
    struct entry *entries; /* few: searched in order, that of writing */
    size_t n, cap;
    bool dirty;
};

struct memory *memory_new(void)
{
    return must_calloc(1, sizeof(struct memory));
}

static void entry_done(struct entry *e)
{
    if (e->value)
        bytes_wipe(e->value, e->n);
    free(e->key);
    free(e->value);
}

void memory_free(struct memory *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++)
        entry_done(&m->entries[i]);
    free(m->entries);
    free(m);
}

void memory_clear(struct memory *m)
{
    for (size_t i = 0; i < m->n; i++)
        entry_done(&m->entries[i]);
    m->n = 0;
    m->dirty = false;
}

static size_t entry_find(const struct memory *m, slice key)
{
    for (size_t i = 0; i < m->n; i++)
        if (slice_eq(slice_of(m->entries[i].key), key))
            return i;
    return SIZE_MAX;
}

slice memory_get(const struct memory *m, const char *key, int64_t now_ms)
{
    size_t i = m ? entry_find(m, slice_of(key)) : SIZE_MAX;
    if (i == SIZE_MAX || (m->entries[i].until_ms && m->entries[i].until_ms <= now_ms))
        return SLICE_NONE;
    return slice_mem(m->entries[i].value, m->entries[i].n);
}

static void entry_remove(struct memory *m, size_t i)
{
    entry_done(&m->entries[i]);
    memmove(&m->entries[i], &m->entries[i + 1], (m->n - i - 1) * sizeof(m->entries[0]));
    m->n--;
    m->dirty = true;
}

/* What is kept for good is dropped last. */
static size_t entry_oldest(const struct memory *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].until_ms)
            return i;
    return 0;
}

static void entry_put(struct memory *m, slice key, slice value, int64_t until_ms)
{
    size_t i = entry_find(m, key);
    if (!value.p || value.n > MEMORY_VALUE_MAX) {
        if (i != SIZE_MAX)
            entry_remove(m, i);
        return;
    }
    if (i == SIZE_MAX) {
        if (m->n == MEMORY_KEYS_MAX)
            entry_remove(m, entry_oldest(m));
        if (m->n == m->cap) {
            m->cap = m->cap ? m->cap * 2 : 2;
            m->entries = must_realloc(m->entries, m->cap * sizeof(m->entries[0]));
        }
        i = m->n++;
        m->entries[i] = (struct entry){ .key = strndup(key.p, key.n) };
        assert(m->entries[i].key);
    }
    struct entry *e = &m->entries[i];
    if (e->value && e->until_ms == until_ms && slice_eq(slice_mem(e->value, e->n), value))
        return;
    struct entry moved = *e; /* to the end: written last */
    memmove(e, e + 1, (m->n - i - 1) * sizeof(*e));
    e = &m->entries[m->n - 1];
    *e = moved;
    char *copy = must_malloc(value.n);
    memcpy(copy, value.p, value.n);
    if (e->value)
        bytes_wipe(e->value, e->n);
    free(e->value);
    e->value = copy;
    e->n = value.n;
    e->until_ms = until_ms;
    m->dirty = true;
}

void memory_set(struct memory *m, const char *key, slice value, int64_t until_ms)
{
    entry_put(m, slice_of(key), value, until_ms);
}

const char *memory_oldest(const struct memory *m, const char *const *keys, size_t n, int64_t now_ms)
{
    assert(n);
    for (size_t k = 0; k < n; k++)
        if (!memory_get(m, keys[k], now_ms).p)
            return keys[k];
    for (size_t i = 0; i < m->n; i++)
        for (size_t k = 0; k < n; k++)
            if (strcmp(m->entries[i].key, keys[k]) == 0)
                return keys[k];
    return keys[0]; /* not reached: all of them are there */
}

bool memory_dirty(const struct memory *m)
{
    return m->dirty;
}

void memory_clean(struct memory *m)
{
    m->dirty = false;
}

void memory_soil(struct memory *m)
{
    m->dirty = true;
}

bool memory_is_empty(const struct memory *m)
{
    return m->n == 0;
}

slice memory_print(struct arena *a, const struct memory *m, int64_t now_ms)
{
    struct jw w = jw_new(a, (size_t)MEMORY_KEYS_MAX * (MEMORY_VALUE_MAX * 6 + 128));
    jw_open(&w, NULL, '{');
    for (size_t i = 0; i < m->n; i++) {
        const struct entry *e = &m->entries[i];
        if (e->until_ms && e->until_ms <= now_ms)
            continue;
        jw_key(&w, slice_of(e->key));
        jw_open(&w, NULL, '[');
        jw_str(&w, NULL, slice_mem(e->value, e->n));
        jw_int(&w, NULL, e->until_ms);
        jw_close(&w, ']');
    }
    jw_close(&w, '}');
    return jw_done(&w);
}

slice memory_fit(struct arena *a, struct memory *m, int64_t now_ms, size_t max)
{
    slice json = memory_print(a, m, now_ms);
    while (json.n > max && m->n) {
        entry_remove(m, entry_oldest(m));
        json = memory_print(a, m, now_ms);
    }
    return json;
}

bool memory_load(struct memory *m, slice json, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = js_parse(a, json, f);
    if (!doc)
        return false;
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        int64_t until_ms = 0;
        const struct js *pair = js_value(it);
        slice value = js_text(js_item(pair, 0));
        if (!value.p || !js_int(js_item(pair, 1), &until_ms))
            return fault(f, "wrong_type", "", "a remembered value is not [text, until]");
        entry_put(m, js_key(doc, it), value, until_ms);
    }
    m->dirty = false;
    return true;
}
