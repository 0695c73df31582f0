#include "hub/media_link.h"
#include "hub/storage_set.h"
#include "store/store.h"
#include "wire/crypto.h"
#include "wire/hex.h"

void media_link_sign(slice secret, slice id, slice exp, char ret[65])
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct sha256 mac = hmac_sha256(secret, arena_printf(a, "GET\nmedia/" SLF "\n" SLF, SLA(id), SLA(exp)));
    memcpy(ret, hex_encode(a, slice_mem(mac.b, sizeof(mac.b))).p, 64);
    ret[64] = 0;
}

static slice secret_of(const struct hub *h)
{
    return slice_mem(h->link_secret, sizeof(h->link_secret));
}

slice media_link(const struct hub *h, struct arena *a, struct storage *s, slice id, slice handle, const struct storage_link *link)
{
    int64_t life_s = link->expires_s ? link->expires_s - time_now_ms() / 1000 : INT64_MAX;
    slice own = !s->link_max_s || life_s <= s->link_max_s ? storage_url(s, a, handle, link) : SLICE_NONE;
    if (own.n)
        return own;
    slice exp = arena_printf(a, "%lld", (long long)link->expires_s);
    char sig[65];
    media_link_sign(secret_of(h), id, exp, sig);
    return arena_printf(a, SLF MEDIA_LINK_ROUTE SLF "/" SLF "?exp=" SLF "&sig=%s", SLA(h->public_url), SLA(id),
                        SLA(storage_safe_name(a, link->name, link->type)), SLA(exp), sig);
}

/* ---- serving -------------------------------------------------------------------------------------------------------------------- */

struct serving {
    struct exchange *x;
    struct hub *hub;
};

static void refuse_link(struct exchange *x, int status, const char *code, const char *text)
{
    struct fault f;
    fault(&f, code, "", "%s", text);
    exchange_fault(x, status, &f);
}

static void asked(void *arg, slice url, const struct fault *f)
{
    struct serving *s = arg;
    if (!url.n) {
        exchange_fault(s->x, 503, f);
        return;
    }
    struct header headers[] = { { SL("Location"), url }, { SL("Cache-Control"), SL("no-store") }, { SL("Referrer-Policy"), SL("no-referrer") } };
    exchange_answer(s->x, &(struct response){ .status = 302, .headers = headers, .n_headers = COUNT(headers) });
}

static void found(void *arg, const struct attachment *at, const struct fault *f)
{
    struct serving *s = arg;
    struct storage *st = at ? storages_find(s->hub, at->storage) : NULL;
    if (f) {
        exchange_fault(s->x, 503, f);
    } else if (!at || at->state != ATTACHMENT_STORED) {
        refuse_link(s->x, 410, "gone", "this attachment was deleted");
    } else if (!st) {
        refuse_link(s->x, 503, "storage_failed", "the storage of this attachment is not configured any more");
    } else {
        struct storage_link link = { .audience = STORAGE_FOR_GUEST, .name = at->name, .type = at->type,
                                     .expires_s = time_now_ms() / 1000 + MEDIA_LINK_S, .head = slice_eq(s->x->method, SL("HEAD")) };
        storage_ask(st, at->handle, &link, asked, s);
    }
}

void media_link_serve(struct exchange *x, void *hub)
{
    struct hub *h = hub;
    slice name = x->rest, id = slice_cut(&name, '/');
    slice exp = exchange_query(x, "exp"), sig = exchange_query(x, "sig");
    if (!storage_word_ok(id) || !name.n || slice_find_char(name, '/') != SIZE_MAX || !exp.n || !sig.n) {
        refuse_link(x, 404, "not_found", "there is no such attachment");
        return;
    }
    char want[65];
    int64_t exp_s;
    media_link_sign(secret_of(h), id, exp, want);
    if (!bytes_equal_secret(sig, slice_of(want)) || !slice_int(exp, &exp_s)) {
        refuse_link(x, 403, "bad_signature", "this link was not made by this hub");
        return;
    }
    if (exp_s != 0 && time_now_ms() / 1000 > exp_s) {
        refuse_link(x, 410, "gone", "this link has expired");
        return;
    }
    struct serving *s = ARENA_NEW(x->a, struct serving);
    *s = (struct serving){ x, h };
    store_attachment_get(h->store, id, found, s);
}
