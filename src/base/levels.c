#include "base/levels.h"

/* clang-format off */
static const struct { const char *name; enum level level; } names[] = {
    { "UNSET",  LEVEL_UNSET }, { "NEVER", LEVEL_NEVER }, { "TRACE", LEVEL_TRACE }, { "DEBUG",  LEVEL_DEBUG },
    { "INFO",   LEVEL_INFO },  { "WARN",  LEVEL_WARN },  { "ERROR", LEVEL_ERROR }, { "FATAL",  LEVEL_FATAL },
    { "ALWAYS", LEVEL_ALWAYS },
};
/* clang-format on */

const char *level_name(enum level l)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].level == l)
            return names[i].name;
    return names[0].name;
}

enum level level_parse(slice name)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (slice_eq_nocase(name, slice_of(names[i].name)))
            return names[i].level;
    return LEVEL_NEVER;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* "*" and "" are any, which is stored as "". */
static bool word_copy(slice word, char to[LEVELS_WORD_MAX])
{
    to[0] = 0;
    if (word.n == 0 || slice_eq(word, SL("*")))
        return true;
    for (size_t i = 0; i < word.n; i++)
        if (!is_word_char(word.p[i]))
            return false;
    if (word.n >= LEVELS_WORD_MAX)
        return false;
    memcpy(to, word.p, word.n);
    to[word.n] = 0;
    return true;
}

static struct level_entry *entry_find(const struct levels *set, const char *topic, const char *scope)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct level_entry *e = &set->entries[i];
        if (strcmp(e->topic, topic) == 0 && strcmp(e->scope, scope) == 0)
            return (struct level_entry *)(uintptr_t)e;
    }
    return NULL;
}

static void entry_put(struct levels *set, const char *topic, const char *scope, enum level level)
{
    struct level_entry *e = entry_find(set, topic, scope);
    if (!e) {
        if (set->n == LEVELS_MAX)
            return;
        e = &set->entries[set->n++];
        snprintf(e->topic, sizeof(e->topic), "%s", topic);
        snprintf(e->scope, sizeof(e->scope), "%s", scope);
    }
    e->level = level;
}

static void entry_parse(struct levels *set, slice entry)
{
    size_t n = 0;
    while (n < entry.n && ((entry.p[n] | 32) >= 'a' && (entry.p[n] | 32) <= 'z'))
        n++;
    if (n == 0)
        return;
    enum level level = level_parse(slice_sub(entry, 0, n));
    slice rest = slice_from(entry, n);
    if (rest.n == 0) {
        entry_put(set, "", "", level);
        return;
    }
    if (!slice_starts(rest, SL(":{")) || !slice_ends(rest, SL("}")) || rest.n < 3)
        return;
    slice scopes = slice_sub(rest, 2, rest.n - 3);
    bool has_scopes = slice_find_char(scopes, ':') != SIZE_MAX;
    char topic[LEVELS_WORD_MAX], scope[LEVELS_WORD_MAX];
    if (!word_copy(slice_cut(&scopes, ':'), topic))
        return;
    if (!has_scopes) {
        entry_put(set, topic, "", level);
        return;
    }
    for (bool first = true; scopes.p; first = false) {
        slice word = slice_cut(&scopes, ',');
        bool leading = word.n && word.p[0] == ' ';
        word = slice_trim(word);
        if (word.n == 0 || (first && leading) || !word_copy(word, scope))
            return;
        entry_put(set, topic, scope, level);
    }
}

void levels_parse(struct levels *set, slice setting)
{
    memset(set, 0, sizeof(*set));
    while (setting.p)
        entry_parse(set, slice_trim(slice_cut(&setting, ';')));
    if (!entry_find(set, "", ""))
        entry_put(set, "", "", LEVEL_INFO);
    /* The table may be full of exact entries: then the last one gives way, because a default there must be. */
    if (!entry_find(set, "", "")) {
        set->n--;
        entry_put(set, "", "", LEVEL_INFO);
    }
}

void levels_debug(struct levels *set)
{
    struct level_entry *e = entry_find(set, "", "");
    if (e && e->level > LEVEL_DEBUG)
        e->level = LEVEL_DEBUG;
}

enum level levels_default(const struct levels *set)
{
    const struct level_entry *e = entry_find(set, "", "");
    return e ? e->level : LEVEL_INFO;
}

enum level levels_filter(const struct levels *set, slice topic, slice scope)
{
    const struct level_entry *best = NULL;
    int best_rank = -1;
    for (size_t i = 0; i < set->n; i++) {
        const struct level_entry *e = &set->entries[i];
        if ((e->topic[0] && !slice_eq(slice_of(e->topic), topic)) || (e->scope[0] && !slice_eq(slice_of(e->scope), scope)))
            continue;
        int rank = (e->topic[0] ? 2 : 0) + (e->scope[0] ? 1 : 0); /* topic wins over scope */
        if (rank > best_rank) {
            best = e;
            best_rank = rank;
        }
    }
    return best ? best->level : LEVEL_INFO;
}

unsigned level_threshold(enum level filter)
{
    switch (filter) {
    case LEVEL_NEVER:
        return LEVEL_ALWAYS + 1u;
    case LEVEL_UNSET:
    case LEVEL_ALWAYS:
        return LEVEL_NEVER + 1u; /* everything but UNSET and NEVER */
    case LEVEL_TRACE:
    case LEVEL_DEBUG:
    case LEVEL_INFO:
    case LEVEL_WARN:
    case LEVEL_ERROR:
    case LEVEL_FATAL:
        break;
    }
    return (unsigned)filter;
}
