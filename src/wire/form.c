/* Percent escapes and form texts; url.h is the manual. */
#include "wire/hex.h"
#include "wire/url.h"

static bool is_unreserved(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Writes s with everything escaped but unreserved characters and `keep`; a space as '+' where asked for. */
static void put_encoded(struct text *t, slice s, char keep, bool plus)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t from = 0;
    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && (is_unreserved(s.p[i]) || (keep && s.p[i] == keep)))
            continue;
        text_put(t, slice_sub(s, from, i - from));
        from = i + 1;
        if (i == s.n)
            return;
        unsigned char c = (unsigned char)s.p[i];
        char escape[3] = { '%', digits[c >> 4], digits[c & 15] };
        text_put(t, plus && c == ' ' ? SL("+") : slice_mem(escape, 3));
    }
}

slice url_encode(struct arena *a, slice s)
{
    struct text t = text_new(a, s.n * 3);
    put_encoded(&t, s, 0, false);
    return text_slice(&t);
}

slice url_encode_path(struct arena *a, slice s)
{
    struct text t = text_new(a, s.n * 3);
    put_encoded(&t, s, '/', false);
    return text_slice(&t);
}

static slice decode(struct arena *a, slice s, bool plus)
{
    char *out = arena_alloc(a, s.n + 1), *p = out;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            *p++ = plus && s.p[i] == '+' ? ' ' : s.p[i];
            continue;
        }
        int hi = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1, lo = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
        if (hi < 0 || lo < 0)
            return SLICE_NONE;
        *p++ = (char)(hi << 4 | lo);
        i += 2;
    }
    *p = 0;
    return (slice){ out, (size_t)(p - out) };
}

slice url_decode(struct arena *a, slice s)
{
    return s.p ? decode(a, s, false) : SLICE_NONE;
}

bool url_words(struct arena *a, slice path, slice *words, size_t max, size_t *ret_n)
{
    for (*ret_n = 0; path.n; (*ret_n)++) {
        if (*ret_n == max)
            return false;
        words[*ret_n] = url_decode(a, slice_cut(&path, '/'));
        if (!words[*ret_n].n)
            return false;
    }
    return true;
}

static void add(struct text *t, slice key, slice value, bool plus)
{
    if (t->n)
        text_char(t, '&');
    put_encoded(t, key, 0, plus);
    text_char(t, '=');
    put_encoded(t, value, 0, plus);
}

void form_add(struct text *t, slice key, slice value)
{
    add(t, key, value, true);
}

void query_add(struct text *t, slice key, slice value)
{
    add(t, key, value, false);
}

/* The next pair that is not empty, still encoded. */
static bool next(slice *rest, struct form_pair *ret)
{
    while (rest->p) {
        slice value = slice_cut(rest, '&');
        if (!value.n)
            continue;
        ret->key = slice_cut(&value, '=');
        ret->value = value.p ? value : SL("");
        return true;
    }
    return false;
}

bool form_parse(struct arena *a, slice text, struct form *ret, struct fault *f)
{
    struct form form = { NULL, 0 };
    struct form_pair pair;
    size_t room = 1;
    for (size_t i = 0; i < text.n && room <= FORM_PAIRS_MAX; i++)
        room += text.p[i] == '&';
    form.pairs = ARENA_ARRAY(a, struct form_pair, room);
    for (slice rest = text; next(&rest, &pair); form.n++) {
        if (form.n == MIN(room, (size_t)FORM_PAIRS_MAX))
            return fault(f, "bad_form", "", "more than %d pairs", FORM_PAIRS_MAX);
        form.pairs[form.n] = (struct form_pair){ decode(a, pair.key, true), decode(a, pair.value, true) };
        if (!form.pairs[form.n].key.p || !form.pairs[form.n].value.p)
            return fault(f, "bad_form", "", "a percent sign is followed by two hexadecimal digits");
    }
    *ret = form;
    return true;
}

slice form_value(const struct form *form, slice key)
{
    for (size_t i = 0; i < form->n; i++)
        if (slice_eq(form->pairs[i].key, key))
            return form->pairs[i].value;
    return SLICE_NONE;
}

slice form_get(struct arena *a, slice text, slice key)
{
    struct form_pair pair;
    for (slice rest = text; next(&rest, &pair);) {
        slice name = decode(a, pair.key, true);
        if (name.p && slice_eq(name, key))
            return decode(a, pair.value, true);
    }
    return SLICE_NONE;
}
