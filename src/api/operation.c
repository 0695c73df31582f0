#include "api/operation.h"
#include "wire/url.h"

const char *const role_names[ROLES] = { "none", "agent", "supervisor", "administrator" };

const struct operation operations[] = {
#define X(id, method, path, may, query, request, status, answer, tag, summary) \
    { #id, method, path, may, query, request, status, answer, tag, summary, api_##id },
#include "api/operations.def"
#undef X
};
const size_t n_operations = COUNT(operations);

/* Does the path fit the template? Segments are compared before their escapes are decoded: an id may hold a slash. */
static bool fits(struct arena *a, slice template, slice path, slice params[OPERATION_PARAMS_MAX])
{
    size_t n = 0;
    while (template.p && path.p) {
        slice want = slice_cut(&template, '/'), have = slice_cut(&path, '/');
        if (!slice_starts(want, SL("{"))) {
            if (!slice_eq(want, have))
                return false;
            continue;
        }
        slice value = url_decode(a, have);
        if (!value.n)
            return false;
        assert(n < OPERATION_PARAMS_MAX);
        params[n++] = value;
    }
    return !template.p && !path.p;
}

/* Fewer "{…}" win: "/tenants/check" before "/tenants/{id}". */
static size_t placeholders(const char *path)
{
    size_t n = 0;
    for (; *path; path++)
        n += *path == '{';
    return n;
}

enum found_operation operation_find(struct arena *a, slice method, slice path, const struct operation **ret, slice ret_params[OPERATION_PARAMS_MAX],
                                    slice *ret_allow)
{
    const struct operation *best = NULL;
    struct text allow = text_new(a, 256);
    if (slice_eq(method, SL("HEAD")))
        method = SL("GET");
    for (size_t i = 0; i < n_operations; i++) {
        const struct operation *op = &operations[i];
        slice params[OPERATION_PARAMS_MAX] = { SLICE_NONE };
        if (!fits(a, slice_of(op->path), path, params))
            continue;
        if (allow.n)
            text_put(&allow, SL(", "));
        text_put(&allow, slice_of(op->method));
        if (!slice_eq(slice_of(op->method), method) || (best && placeholders(best->path) <= placeholders(op->path)))
            continue;
        best = op;
        memcpy(ret_params, params, sizeof(params));
    }
    *ret = best;
    *ret_allow = text_slice(&allow);
    return best ? OPERATION_FOUND : allow.n ? OPERATION_NO_METHOD : OPERATION_NO_PATH;
}
