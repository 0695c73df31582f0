/* The API from any bytes: "METHOD PATH\nBODY". Never a crash; a body that passes its table holds what the table promises, one that does not has problems whose
 * texts are UTF-8 and bounded; a tenant's document differs from itself in nothing. */
#include "api/changes.h"
#include "api/operation.h"
#include "api/schema.h"
#include "hub/config.h"
#include "hub/tenant_doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_members(const struct schema *s, const struct js *v)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct member *m = &s->members[i];
        const struct js *at = js_get(v, slice_of(m->name));
        int64_t n;
        assert(at || !(m->flags & S_REQUIRED));
        if (!at || js_is_null(at))
            continue;
        assert(m->type != S_TEXT || js_is_string(at));
        size_t n_text = m->flags & S_BYTES ? js_text(at).n : utf8_len(js_text(at));
        assert(m->type != S_TEXT || ((!m->max || (int64_t)n_text <= m->max) && slice_find_char(js_text(at), 0) == SIZE_MAX));
        assert(m->type != S_BOOL || js_is_bool(at));
        assert(m->type != S_WHOLE || js_int(at, &n));
        assert((m->type != S_LIST && m->type != S_TEXTS && m->type != S_WHOLES) || js_is_array(at));
        if (m->type == S_OBJECT)
            check_members(schema_find(m->of), at);
    }
}

static void check_problems(const struct problems *p)
{
    enum { FIELD_MAX = 1000, MESSAGE_MAX = 4000 };
    assert(p->n > 0 && p->n <= PROBLEMS_MAX);
    for (size_t i = 0; i < p->n; i++) {
        assert(utf8_valid(p->items[i].field) && p->items[i].field.n < FIELD_MAX);
        assert(p->items[i].message.n > 0 && p->items[i].message.n < MESSAGE_MAX);
    }
}

static void try_tenant(struct arena *a, const struct js *doc)
{
    struct config_problems p = { .a = a };
    struct yaml *tree = yaml_of_js(a, doc);
    if (!tree)
        return;
    tenant_doc_complete(a, tree, NULL, connector_find);
    const struct config_tenant *t = config_tenant_read(a, tree, SLICE_NONE, SL("http://hub"), NULL, connector_find, &p);
    struct jw w = jw_new(a, 4 << 20);
    jw_open(&w, NULL, '[');
    assert(t || p.n);
    if (!t)
        return;
    assert(changes_write(&w, a, t, t) == 0);
    assert(changes_write(&w, a, NULL, t) > 0);
    jw_close(&w, ']');
    slice told = jw_done(&w);
    assert(told.p && js_parse(a, told, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    slice body = arena_dup(a, slice_mem(data, size)), line = slice_cut(&body, '\n'), path = line, method = slice_cut(&path, ' ');
    const struct operation *op;
    slice params[OPERATION_PARAMS_MAX] = { SLICE_NONE }, allow;
    enum found_operation found = operation_find(a, method, path, &op, params, &allow);
    assert((found == OPERATION_FOUND) == (op != NULL) && (found != OPERATION_NO_METHOD || allow.n));
    const struct js *doc = body.p ? js_parse(a, body, NULL) : NULL;
    const struct schema *s = op && op->request ? schema_find(op->request) : NULL;
    struct problems p = { .a = a };
    if (s && doc) {
        if (schema_check(s, doc, SLICE_NONE, &p))
            check_members(s, doc);
        else
            check_problems(&p);
    }
    if (doc)
        try_tenant(a, doc);
    arena_free(a);
    return 0;
}
