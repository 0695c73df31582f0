#include "main/access_log.h"
#include "hub/connector.h"

/* Where a secret stands in the address, the rest of it is left out. */
static slice shown_path(slice path)
{
    for (size_t i = 0; i < n_connectors; i++) {
        for (size_t k = 0; k < connectors[i]->n_routes; k++) {
            const struct route_extra *route = &connectors[i]->routes[k];
            if (route->secret && slice_starts(path, slice_of(route->path)))
                return slice_of(route->path);
        }
    }
    return path;
}

void access_log(const struct log *log, const struct exchange *x, int status, size_t written, int64_t took_us)
{
    enum level level = status >= 500 ? LEVEL_ERROR : status >= 400 ? LEVEL_WARN : LEVEL_DEBUG;
    if (!log_on(log, level))
        return;
    slice path = shown_path(x->path);
    struct log route = log_child(log, SL("route"), path, NULL, 0);
    struct log_line *l = log_begin(&route, level, "request finish: " SLF " " SLF, SLA(x->method), SLA(path));
    log_str(l, "reqid", x->request_id);
    log_str(l, "remote", x->remote);
    log_int(l, "http_status", status);
    log_int(l, "written", (int64_t)written);
    log_double(l, "duration", (double)took_us / 1e6);
    const struct fault *why = exchange_refusal(x);
    if (why) {
        log_str(l, "code", slice_of(why->code));
        log_str(l, "field", slice_of(why->field));
        log_str(l, "why", slice_of(why->text));
    }
    log_end(l);
}
