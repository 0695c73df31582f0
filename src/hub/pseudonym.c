#include "hub/pseudonym.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/js.h"

enum { PATH_MAX_BYTES = 512, KEY_DIGITS_MAX = 3, KEY_HEX_BYTES = 6, GROWTH = 8, GROWTH_MIN = 1024 };

/* ---- one text ---------------------------------------------------------------------------------------------------------- */

/* Bytes that depend on the key and the whole value. */
struct stream {
    const struct pseudonyms *p;
    struct sha256 block;
    size_t used;
};

static slice key_of(const struct pseudonyms *p)
{
    return slice_mem(p->key, sizeof(p->key));
}

static unsigned stream_next(struct stream *s)
{
    if (s->used == sizeof(s->block.b)) {
        s->block = hmac_sha256(key_of(s->p), slice_mem(s->block.b, sizeof(s->block.b)));
        s->used = 0;
    }
    return s->block.b[s->used++];
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "U4af4980629…", "4d8f3c2e-…": an id of hex digits, perhaps behind a letter that says whose id it is. */
static bool is_hex_id(slice s)
{
    if (s.n < PSEUDONYM_ID_CHARS_MIN)
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (hex_value(s.p[i]) < 0 && s.p[i] != '-')
            return false;
    return hex_value(s.p[0]) >= 0 || is_upper(s.p[0]) || is_lower(s.p[0]);
}

static char other_char(char c, unsigned r, unsigned letters)
{
    if (is_digit(c))
        return (char)('0' + r % 10);
    if (is_lower(c))
        return (char)('a' + r % letters);
    return is_upper(c) ? (char)('A' + r % letters) : c;
}

/* One character of n bytes that begins at from. */
static void put_char(struct text *t, struct stream *s, const char *from, size_t n, unsigned letters)
{
    unsigned r = stream_next(s);
    if (n == 1) {
        text_char(t, other_char(*from, r, letters));
    } else if (n == 2) {
        const char two[] = { (char)0xc3, (char)(0xa0 + r % 22) }; /* Latin letters with accents */
        text_put(t, slice_mem(two, sizeof(two)));
    } else if (n == 3) {
        const char three[] = { (char)0xe3, (char)0x81, (char)(0x82 + r % 60) }; /* Hiragana */
        text_put(t, slice_mem(three, sizeof(three)));
    } else {
        const char four[] = { (char)0xf0, (char)0x9f, (char)0x98, (char)(0x80 + r % 64) }; /* faces */
        text_put(t, slice_mem(four, sizeof(four)));
    }
}

static void put_chars(struct text *t, struct stream *s, slice value, unsigned letters)
{
    for (size_t i = 0; i < value.n;) {
        unsigned char c = (unsigned char)value.p[i];
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        n = MIN(n, value.n - i);
        put_char(t, s, value.p + i, n, letters);
        i += n;
    }
}

/* rest: behind "https://". Percent-encoding stays well-formed because letters become hex digits. */
static void put_url(struct text *t, struct stream *s, slice rest)
{
    slice last = SL(".invalid");
    size_t host = 0;
    while (host < rest.n && !strchr("/:?#", rest.p[host]))
        host++;
    bool marked = host > last.n;
    for (size_t i = 0; i < host - (marked ? last.n : 0); i++)
        text_char(t, (char)('a' + stream_next(s) % 26));
    if (marked)
        text_put(t, last);
    put_chars(t, s, slice_from(rest, host), 6);
}

static void put_value(struct text *t, const struct pseudonyms *p, slice value)
{
    static const slice schemes[] = { SLI("https://"), SLI("http://") };
    struct stream s = { p, hmac_sha256(key_of(p), value), 0 };
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (slice_starts(value, schemes[i])) {
            text_put(t, schemes[i]);
            put_url(t, &s, slice_from(value, schemes[i].n));
            return;
        }
    if (!is_hex_id(value)) {
        put_chars(t, &s, value, 26);
        return;
    }
    size_t skip = hex_value(value.p[0]) < 0;
    text_put(t, slice_sub(value, 0, skip));
    put_chars(t, &s, slice_from(value, skip), 6);
}

slice pseudonym_text(const struct pseudonyms *p, struct arena *a, slice value)
{
    if (!value.n)
        return value;
    struct text t = text_new(a, value.n);
    size_t at = slice_starts(value, SL("http")) ? SIZE_MAX : slice_find_last(value, '@');
    if (at == SIZE_MAX) {
        put_value(&t, p, value);
        return text_slice(&t);
    }
    slice left = slice_sub(value, 0, at), right = slice_from(value, at + 1);
    bool ours = false;
    for (size_t i = 0; i < p->n_names; i++)
        ours |= slice_eq(right, p->names[i]);
    put_value(&t, p, left);
    text_char(&t, '@');
    if (ours)
        text_put(&t, right);
    else
        put_value(&t, p, right);
    return text_slice(&t);
}

/* The same form, but other digits: 139.7454 -> 10x.xxxx, which is still a longitude. */
static slice number_text(const struct pseudonyms *p, struct arena *a, slice number)
{
    struct stream s = { p, hmac_sha256(key_of(p), number), 0 };
    char *to = arena_cstr(a, number);
    size_t digits = 0;
    for (size_t i = 0; i < number.n && to[i] != 'e' && to[i] != 'E'; i++) {
        if (!is_digit(to[i]))
            continue;
        to[i] = digits == 0 ? '1' : digits == 1 ? '0' : (char)('0' + stream_next(&s) % 10);
        digits++;
    }
    return slice_mem(to, number.n);
}

/* ---- a document ---------------------------------------------------------------------------------------------------------- */

struct walk {
    const struct pseudonyms *p;
    struct arena *a;
    struct jw w;
    const char *const *paths; /* NULL: everything but p->keep */
    char path[PATH_MAX_BYTES];
};

static bool listed(const char *const *list, slice what)
{
    for (; list && *list; list++)
        if (slice_eq(slice_of(*list), what))
            return true;
    return false;
}

static bool is_schema_key(slice key)
{
    size_t digits = 0;
    for (size_t i = 0; i < key.n; i++) {
        digits += is_digit(key.p[i]);
        if (!is_lower(key.p[i]) && !is_upper(key.p[i]) && !is_digit(key.p[i]) && (!key.p[i] || !strchr("_-.$", key.p[i])))
            return false;
    }
    return key.n && key.n <= PSEUDONYM_KEY_CHARS_MAX && digits <= KEY_DIGITS_MAX;
}

static slice key_text(struct walk *k, slice key)
{
    if (k->paths || is_schema_key(key))
        return key;
    struct sha256 mac = hmac_sha256(key_of(k->p), key);
    return arena_printf(k->a, "k" SLF, SLA(hex_encode(k->a, slice_mem(mac.b, KEY_HEX_BYTES))));
}

static void put(struct walk *k, const struct js *v, slice key, size_t path_n);

static void put_object(struct walk *k, const struct js *v, size_t path_n)
{
    jw_open(&k->w, NULL, '{');
    for (void *it = js_first(v); it; it = js_next(v, it)) {
        slice key = js_key(v, it);
        size_t n = path_n;
        if (n + key.n + 1 < sizeof(k->path)) { /* a longer path is none that is asked for */
            if (n)
                k->path[n++] = '.';
            memcpy(k->path + n, key.p, key.n);
            n += key.n;
        }
        jw_key(&k->w, key_text(k, key));
        put(k, js_value(it), key, n);
    }
    jw_close(&k->w, '}');
}

static void put(struct walk *k, const struct js *v, slice key, size_t path_n)
{
    bool stays = k->paths ? !listed(k->paths, slice_mem(k->path, path_n)) : listed(k->p->keep, key);
    if (js_is_object(v)) {
        put_object(k, v, path_n);
    } else if (js_is_array(v)) {
        jw_open(&k->w, NULL, '[');
        for (size_t i = 0; i < js_len(v); i++)
            put(k, js_item(v, i), key, path_n);
        jw_close(&k->w, ']');
    } else if (!stays && js_is_string(v)) {
        jw_str(&k->w, NULL, pseudonym_text(k->p, k->a, js_text(v)));
    } else if (!stays && js_is_number(v)) {
        jw_raw(&k->w, NULL, number_text(k->p, k->a, js_print(k->a, v)));
    } else {
        jw_value(&k->w, NULL, v);
    }
}

static slice walk(const struct pseudonyms *p, struct arena *a, slice json, const char *const *paths)
{
    struct fault f;
    const struct js *doc = js_parse(a, json, &f);
    if (!doc)
        return SLICE_NONE;
    struct walk *k = ARENA_NEW(a, struct walk);
    k->p = p;
    k->a = a;
    k->paths = paths;
    k->w = jw_new(a, json.n * GROWTH + GROWTH_MIN); /* control characters are written as \u00XX, short keys become longer */
    put(k, doc, SL(""), 0);
    return jw_done(&k->w);
}

slice pseudonym_body(const struct pseudonyms *p, struct arena *a, slice json)
{
    return walk(p, a, json, NULL);
}

slice pseudonym_paths(const struct pseudonyms *p, struct arena *a, slice json, const char *const *paths)
{
    return walk(p, a, json, paths);
}
