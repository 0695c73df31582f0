#include "cache/redis_url.h"
#include "wire/url.h"

static const struct {
    const char *text;
    bool tls, cluster;
} schemes[] = { { "redis://", false, false }, { "rediss://", true, false }, { "redis+cluster://", false, true }, { "rediss+cluster://", true, true } };

static bool bad(struct fault *f, const char *why)
{
    return fault(f, "bad_url", "cache", "must be such as redis://:password@host:6379/0, rediss://… for TLS, redis+cluster://host1,host2 for a cluster: %s", why);
}

static bool host_parse(struct arena *a, slice text, struct redis_host *ret, struct fault *f)
{
    int64_t port = REDIS_PORT;
    slice name = text, rest = SLICE_NONE;
    if (slice_starts(text, SL("["))) {
        size_t end = slice_find_char(text, ']');
        if (end == SIZE_MAX)
            return bad(f, "an address is not closed");
        name = slice_sub(text, 1, end - 1);
        rest = slice_from(text, end + 1);
    } else if (slice_find_char(text, ':') != SIZE_MAX) {
        size_t colon = slice_find_char(text, ':');
        name = slice_sub(text, 0, colon);
        rest = slice_from(text, colon);
    }
    if (rest.n && (rest.p[0] != ':' || !slice_int(slice_from(rest, 1), &port) || port < 1 || port > 65535))
        return bad(f, "a port is not one");
    if (!name.n || name.n > REDIS_HOST_MAX)
        return bad(f, "a host is missing");
    *ret = (struct redis_host){ arena_dup(a, name), (unsigned)port };
    return true;
}

static bool login_parse(struct arena *a, slice text, struct redis_url *ret, struct fault *f)
{
    slice password = text, user = slice_cut(&password, ':');
    if (!password.p)
        return bad(f, "before the @ stands user:password or :password");
    ret->user = user.n ? url_decode(a, user) : SLICE_NONE;
    ret->password = url_decode(a, password);
    return (ret->password.p && (!user.n || ret->user.p)) || bad(f, "a percent escape is broken");
}

bool redis_url_parse(struct arena *a, slice text, struct redis_url *ret, struct fault *f)
{
    *ret = (struct redis_url){ 0 };
    slice rest = SLICE_NONE;
    for (size_t i = 0; i < COUNT(schemes); i++) {
        if (!slice_starts(text, slice_of(schemes[i].text)))
            continue;
        rest = slice_from(text, strlen(schemes[i].text));
        ret->tls = schemes[i].tls;
        ret->cluster = schemes[i].cluster;
    }
    if (!rest.p)
        return bad(f, "the beginning is none of these");
    size_t at = slice_find_last(rest, '@');
    if (at != SIZE_MAX && !login_parse(a, slice_sub(rest, 0, at), ret, f))
        return false;
    if (at != SIZE_MAX)
        rest = slice_from(rest, at + 1);
    slice db = rest, hosts = slice_cut(&db, '/');
    int64_t number = 0;
    if (db.n && (ret->cluster || !slice_int(db, &number) || number < 0 || number > REDIS_DB_MAX))
        return bad(f, "the database is a number from 0 to 15, and a cluster has none");
    ret->db = (unsigned)number;
    while (hosts.p) {
        if (ret->n_hosts == REDIS_HOSTS_MAX)
            return bad(f, "too many hosts");
        if (!host_parse(a, slice_cut(&hosts, ','), &ret->hosts[ret->n_hosts++], f))
            return false;
    }
    return ret->n_hosts == 1 || ret->cluster || bad(f, "several hosts only of a cluster");
}
