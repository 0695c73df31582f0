#include "store/seal.h"
#include "base/durable.h"
#include "store/store.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KEY = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    HEX = KEY * 2,
};
static const slice prefix = SLI("sealed:v1:");

struct seal {
    uint8_t key[KEY];
};

void seal_free(struct seal *s)
{
    if (s)
        sodium_memzero(s, sizeof(*s));
    free(s);
}

struct seal *seal_of_hex(slice hex, struct fault *f)
{
    if (sodium_init() < 0) {
        fault(f, "bad_key", "", "the cryptographic library cannot start");
        return NULL;
    }
    hex = slice_trim(hex);
    struct seal *s = must_calloc(1, sizeof(*s));
    size_t n = 0;
    const char *end = NULL;
    if (hex.n == HEX && sodium_hex2bin(s->key, KEY, hex.p, hex.n, NULL, &n, &end) == 0 && n == KEY && end == hex.p + hex.n)
        return s;
    seal_free(s);
    fault(f, "bad_key", "", "a key is %d hex digits", HEX);
    return NULL;
}

/* ---- the key file ----------------------------------------------------------------------------------------------------------- */

static bool key_make(const char *path, struct fault *f)
{
    uint8_t key[KEY];
    char text[HEX + 2];
    randombytes_buf(key, sizeof(key));
    sodium_bin2hex(text, HEX + 1, key, sizeof(key));
    text[HEX] = '\n';
    int e = durable_new_file(path, slice_mem(text, HEX + 1));
    sodium_memzero(key, sizeof(key));
    sodium_memzero(text, sizeof(text));
    return e == 0 || e == EEXIST || fault(f, "bad_key", "", "cannot make the key file %s: %s", path, strerror(e));
}

static struct seal *key_read(int fd, const char *path, struct fault *f)
{
    struct stat st;
    char text[HEX + 8];
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        fault(f, "bad_key", "", "the key file %s is not a file", path);
        return NULL;
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        fault(f, "bad_key", "", "the key file %s can be read by others (mode %03o): chmod 600 it, and change the secrets if others had access",
              path, (unsigned)st.st_mode & 0777);
        return NULL;
    }
    ssize_t n = read(fd, text, sizeof(text));
    struct seal *s = n < 0 ? NULL : seal_of_hex(slice_mem(text, (size_t)n), NULL);
    sodium_memzero(text, sizeof(text));
    if (!s)
        fault(f, "bad_key", "", "the key file %s is damaged: it must hold %d hex digits; put back the one from the backup", path, HEX);
    return s;
}

struct seal *seal_open(const char *path, struct fault *f)
{
    if (sodium_init() < 0) {
        fault(f, "bad_key", "", "the cryptographic library cannot start");
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        if (!key_make(path, f))
            return NULL;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0) {
        fault(f, "bad_key", "", "cannot open the key file %s: %s", path, strerror(errno));
        return NULL;
    }
    struct seal *s = key_read(fd, path, f);
    close(fd);
    return s;
}

/* ---- sealing ---------------------------------------------------------------------------------------------------------------------- */

bool seal_is_sealed(slice text)
{
    return slice_starts(text, prefix);
}

slice seal_close(const struct seal *s, struct arena *a, slice context, slice plain)
{
    size_t n = NONCE + plain.n + TAG;
    uint8_t *box = arena_alloc(a, n);
    randombytes_buf(box, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE, NULL, (const uint8_t *)plain.p, plain.n, (const uint8_t *)context.p,
                                               context.n, NULL, box, s->key);
    size_t text_n = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL); /* with the closing 0 */
    char *text = arena_alloc(a, prefix.n + text_n);
    memcpy(text, prefix.p, prefix.n);
    sodium_bin2base64(text + prefix.n, text_n, box, n, sodium_base64_VARIANT_ORIGINAL);
    return slice_of(text);
}

bool seal_reveal(const struct seal *s, slice context, slice sealed, struct secret *ret, struct fault *f)
{
    if (!seal_is_sealed(sealed))
        return fault(f, "bad_seal", "", "this is not a sealed secret");
    slice text = slice_from(sealed, prefix.n);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    uint8_t *box = arena_alloc(a, text.n + 1);
    size_t n = 0;
    const char *end = NULL;
    if (sodium_base642bin(box, text.n, text.p, text.n, NULL, &n, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text.p + text.n || n < NONCE + TAG)
        return fault(f, "bad_seal", "", "the sealed secret is damaged");
    struct secret plain = { must_malloc(n - NONCE - TAG + 1), n - NONCE - TAG };
    plain.bytes[plain.size] = 0;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)plain.bytes, NULL, NULL, box + NONCE, n - NONCE,
                                                   (const uint8_t *)context.p, context.n, box, s->key) != 0) {
        secret_wipe(&plain);
        return fault(f, "bad_seal", "", "the sealed secret does not open: sealed with another key, moved, or damaged");
    }
    *ret = plain;
    return true;
}

void seal_derive(const struct seal *s, slice purpose, uint8_t ret[SEAL_DERIVED_BYTES])
{
    crypto_generichash(ret, SEAL_DERIVED_BYTES, (const uint8_t *)purpose.p, purpose.n, s->key, sizeof(s->key));
}

/* ---- secrets of accounts -------------------------------------------------------------------------------------------------------------- */

static slice secret_key(struct arena *a, slice account, slice name)
{
    return arena_printf(a, "secret/" SLF "/" SLF, SLA(account), SLA(name));
}

void secrets_put(struct store *st, const struct seal *s, slice account, slice name, slice plain,
                 void (*done)(void *arg, const struct fault *f), void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = secret_key(a, account, name);
    struct store_pair pair = { key, plain.p ? seal_close(s, a, key, plain) : SLICE_NONE };
    store_put(st, &pair, 1, done, arg);
}

struct secret_ask {
    struct arena *a;
    const struct seal *s;
    slice key;
    void (*got)(void *arg, const struct secret *secret, const struct fault *f);
    void *arg;
};

static void secret_got(void *arg, slice value, const struct fault *f)
{
    struct secret_ask *ask = arg;
    struct secret plain = { NULL, 0 };
    struct fault opened = { 0 };
    if (!f && value.p && !seal_reveal(ask->s, ask->key, value, &plain, &opened))
        f = &opened;
    ask->got(ask->arg, &plain, f);
    secret_wipe(&plain);
    arena_free(ask->a); /* ask lives in it */
}

void secrets_get(struct store *st, const struct seal *s, slice account, slice name,
                 void (*got)(void *arg, const struct secret *secret, const struct fault *f), void *arg)
{
    struct arena *a = arena_new();
    struct secret_ask *ask = ARENA_NEW(a, struct secret_ask);
    *ask = (struct secret_ask){ a, s, secret_key(a, account, name), got, arg };
    store_get(st, ask->key, secret_got, ask);
}
