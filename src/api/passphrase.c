#include "api/passphrase.h"
#include "net/loop.h"
#include "wire/base64.h"
#include <sodium.h>

#define PREFIX "passphrase:v1:"
enum { SALT = crypto_pwhash_SALTBYTES, NONCE = crypto_secretbox_NONCEBYTES, MAC = crypto_secretbox_MACBYTES, HEAD = SALT + NONCE };

struct job {
    struct arena *a;
    slice passphrase, in, out; /* in: plain, or what stood behind the prefix, decoded */
    bool close;
    passphrase_done done;
    void *arg;
};

static bool key_of(slice passphrase, const unsigned char *salt, unsigned char key[crypto_secretbox_KEYBYTES])
{
    return crypto_pwhash(key, crypto_secretbox_KEYBYTES, passphrase.p, passphrase.n, salt, PASSPHRASE_PASSES, PASSPHRASE_MEMORY,
                         crypto_pwhash_ALG_ARGON2ID13) == 0;
}

static void work_close(struct job *j)
{
    unsigned char key[crypto_secretbox_KEYBYTES];
    unsigned char *to = arena_alloc(j->a, HEAD + MAC + j->in.n);
    random_bytes(to, HEAD);
    if (!key_of(j->passphrase, to, key))
        return;
    crypto_secretbox_easy(to + HEAD, (const unsigned char *)j->in.p, j->in.n, to + SALT, key);
    bytes_wipe(key, sizeof(key));
    j->out = arena_printf(j->a, PREFIX SLF, SLA(base64_encode(j->a, slice_mem(to, HEAD + MAC + j->in.n))));
}

static void work_open(struct job *j)
{
    unsigned char key[crypto_secretbox_KEYBYTES];
    const unsigned char *from = (const unsigned char *)j->in.p;
    if (j->in.n < HEAD + MAC || !key_of(j->passphrase, from, key))
        return;
    size_t n = j->in.n - HEAD - MAC;
    unsigned char *to = arena_alloc(j->a, n + 1);
    if (crypto_secretbox_open_easy(to, from + HEAD, j->in.n - HEAD, from + SALT, key) == 0)
        j->out = slice_mem(to, n);
    bytes_wipe(key, sizeof(key));
}

static void work(void *arg)
{
    struct job *j = arg;
    if (j->close)
        work_close(j);
    else
        work_open(j);
}

static void wipe(slice s)
{
    if (s.n)
        bytes_wipe((void *)(uintptr_t)s.p, s.n); /* our own copy */
}

static void worked(void *arg)
{
    struct job *j = arg;
    j->done(j->arg, j->out);
    wipe(j->passphrase);
    wipe(j->in);
    wipe(j->out);
    arena_free(j->a);
}

static void job_start(struct loop *l, bool close, slice passphrase, slice in, passphrase_done done, void *arg)
{
    struct arena *a = arena_new();
    struct job *j = ARENA_NEW(a, struct job);
    *j = (struct job){ .a = a, .passphrase = arena_dup(a, passphrase), .in = arena_dup(a, in), .close = close, .done = done, .arg = arg };
    loop_work(l, work, worked, j);
}

void passphrase_close(struct loop *l, slice passphrase, slice plain, passphrase_done done, void *arg)
{
    job_start(l, true, passphrase, plain, done, arg);
}

bool passphrase_is_closed(slice text)
{
    return slice_starts(text, SL(PREFIX));
}

void passphrase_open(struct loop *l, slice passphrase, slice text, passphrase_done done, void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice raw = passphrase_is_closed(text) ? base64_decode(a, slice_from(text, sizeof(PREFIX) - 1)) : SLICE_NONE;
    job_start(l, false, passphrase, raw, done, arg);
}
