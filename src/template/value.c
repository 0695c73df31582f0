#include "template/value.h"
#include <math.h>

bool value_true(struct value v)
{
    switch (v.t) {
    case V_NONE:
    case V_NIL:
        return false;
    case V_BOOL:
        return v.b;
    case V_INT:
    case V_INT64:
        return v.i != 0;
    case V_FLOAT:
        return v.f < 0 || v.f > 0 || isnan(v.f);
    case V_STRING:
        return v.s.n != 0;
    case V_LIST:
        return v.l->n != 0;
    case V_MAP:
        return v.m->n != 0;
    case V_TIME:
    case V_VERSION:
        break;
    }
    return true;
}

const char *value_type_name(struct value v)
{
    static const char *const lists[] = { "[]interface {}", "[]string", "[]int", "[][]interface {}" };
    static const char *const names[] = {
        [V_NONE] = "<nil>", [V_NIL] = "<nil>", [V_BOOL] = "bool", [V_INT] = "int", [V_INT64] = "int64",
        [V_FLOAT] = "float64", [V_STRING] = "string", [V_TIME] = "time.Time", [V_VERSION] = "*semver.Version",
    };
    if (v.t == V_LIST)
        return lists[v.l->of];
    if (v.t == V_MAP)
        return v.m->of == OF_STRING ? "map[string]string" : "map[string]interface {}";
    return names[v.t];
}

const char *value_kind_name(struct value v)
{
    static const char *const names[] = {
        [V_NONE] = "invalid", [V_NIL] = "invalid", [V_BOOL] = "bool", [V_INT] = "int", [V_INT64] = "int64",
        [V_FLOAT] = "float64", [V_STRING] = "string", [V_LIST] = "slice", [V_MAP] = "map", [V_TIME] = "struct",
        [V_VERSION] = "ptr",
    };
    return names[v.t];
}

size_t map_seek(const struct map *m, slice key, bool *ret_found)
{
    size_t lo = 0, hi = m->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = slice_cmp(m->e[mid].key, key);
        if (c == 0)
            return *ret_found = true, mid;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret_found = false;
    return lo;
}

const struct value *map_get(const struct map *m, slice key)
{
    bool found;
    size_t i = map_seek(m, key, &found);
    return found ? &m->e[i].v : NULL;
}

/* Merge sort: stable, so that "the later one stays" can be told. */
static void sort_entries(struct entry *e, struct entry *spare, size_t n)
{
    if (n < 2)
        return;
    size_t half = n / 2, i = 0, j = half, k = 0;
    sort_entries(e, spare, half);
    sort_entries(e + half, spare, n - half);
    if (slice_cmp(e[half - 1].key, e[half].key) < 0)
        return;
    memcpy(spare, e, n * sizeof(*e));
    while (i < half && j < n)
        e[k++] = slice_cmp(spare[i].key, spare[j].key) <= 0 ? spare[i++] : spare[j++];
    while (i < half)
        e[k++] = spare[i++];
    while (j < n)
        e[k++] = spare[j++];
}

void map_sort(struct arena *a, struct map *m)
{
    if (m->n < 2)
        return;
    sort_entries(m->e, arena_alloc(a, m->n * sizeof(*m->e)), m->n);
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (n && slice_eq(m->e[n - 1].key, m->e[i].key))
            n--;
        m->e[n++] = m->e[i];
    }
    m->n = n;
}

int64_t float_to_int(double f)
{
    if (isnan(f))
        return 0;
    if (f >= 9223372036854775808.0)
        return INT64_MAX;
    if (f <= -9223372036854775808.0)
        return INT64_MIN;
    return (int64_t)f;
}

int float_digits(double f, char digits[FLOAT_DIGITS], int *ret_exp)
{
    char buf[40];
    f = fabs(f);
    if (f < 1e15 && floor(f) >= f) { /* whole and exact: the usual case needs no search */
        int n = snprintf(buf, sizeof(buf), "%.0f", f);
        *ret_exp = n - 1;
        while (n > 1 && buf[n - 1] == '0')
            n--;
        memcpy(digits, buf, (size_t)n);
        return n;
    }
    int precision = 0;
    for (; precision < 17; precision++) {
        snprintf(buf, sizeof(buf), "%.*e", precision, f);
        double back = strtod(buf, NULL);
        if (back <= f && back >= f)
            break;
    }
    const char *e = strchr(buf, 'e');
    *ret_exp = (int)strtod(e + 1, NULL);
    int n = 0;
    for (const char *p = buf; p < e; p++)
        if (*p != '.')
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}
