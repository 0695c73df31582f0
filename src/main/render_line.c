#include "main/render_line.h"
#include "wire/base64.h"
#include "wire/js.h"

static struct value member(struct value request, slice name)
{
    const struct value *v = request.t == V_MAP ? map_get(request.m, name) : NULL;
    return v ? *v : VALUE_NONE;
}

/* The pairs of a map; what is no string is left out, with a false. */
static bool pairs_of(struct arena *a, struct value v, struct template_pair **ret, size_t *ret_n)
{
    size_t n = v.t == V_MAP ? v.m->n : 0;
    *ret = ARENA_ARRAY(a, struct template_pair, n + 1);
    *ret_n = 0;
    for (size_t i = 0; i < n; i++) {
        if (v.m->e[i].v.t != V_STRING)
            return false;
        (*ret)[(*ret_n)++] = (struct template_pair){ v.m->e[i].key, v.m->e[i].v.s };
    }
    return v.t == V_MAP || v.t == V_NONE || v.t == V_NIL;
}

static bool unusable(struct template_error *e, const char *text)
{
    e->stage = "parse";
    snprintf(e->text, sizeof(e->text), "%s", text);
    return false;
}

static bool answer(struct arena *a, struct template_cache *cache, slice line, slice *ret_out, struct template_error *e)
{
    struct value request;
    if (!template_json(a, line, &request) || request.t != V_MAP)
        return unusable(e, "the line is no JSON object");
    struct value text = member(request, SL("template")), data = member(request, SL("data")), mode = member(request, SL("mode"));
    if (text.t != V_STRING)
        return unusable(e, "\"template\" must be a string");
    struct template_options o = { .now_ms = time_now_ms() };
    random_bytes(&o.random, sizeof(o.random));
    slice how = mode.t == V_STRING ? mode.s : SL("json");
    struct template_pair *pairs, *defaults;
    size_t n, n_defaults;
    if (slice_eq(how, SL("json"))) {
        const struct template *t = template_cached(cache, text.s, NULL, 0, e);
        return t && template_render(t, a, data, &o, ret_out, e);
    }
    if (!pairs_of(a, data, &pairs, &n))
        return unusable(e, "\"data\" must be an object of strings in this mode");
    if (slice_eq(how, SL("strings"))) {
        const struct template *t = template_cached(cache, text.s, NULL, 0, e);
        return t && template_render(t, a, template_strings(a, pairs, n), &o, ret_out, e);
    }
    if (!slice_eq(how, SL("response")))
        return unusable(e, "\"mode\" must be json, strings or response");
    if (!pairs_of(a, member(request, SL("defaults")), &defaults, &n_defaults))
        return unusable(e, "\"defaults\" must be an object of strings");
    return template_respond(cache, a, text.s, pairs, n, defaults, n_defaults, &o, ret_out, e);
}

slice render_line(struct template_cache *cache, struct arena *a, slice line)
{
    slice out = SL("");
    struct template_error e = { 0 };
    struct jw w = jw_new(a, (size_t)RENDER_LINE_BYTES);
    jw_open(&w, NULL, '{');
    bool good = line.n <= RENDER_LINE_BYTES ? answer(a, cache, line, &out, &e) : unusable(&e, "the line is too long");
    if (good && utf8_valid(out)) {
        jw_str(&w, "output", out);
    } else if (good) {
        jw_str(&w, "output_b64", base64_encode(a, out));
    } else {
        jw_str(&w, "error", slice_of(e.text));
        jw_str(&w, "stage", slice_of(e.stage));
    }
    jw_close(&w, '}');
    return jw_done(&w);
}
