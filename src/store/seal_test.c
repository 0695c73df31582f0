#include "store/seal.h"
#include "store/store.h"
#include "tests/harness/test.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[128];
static void new_path(void)
{
    snprintf(path, sizeof(path), "%s/secret.key", test_dir());
}

TEST(seal_key_file_is_made_once_and_kept_private)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    new_path();
    struct fault f = { 0 };
    struct seal *one = seal_open(path, &f);
    CHECK(one);
    struct stat st;
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == 65);
    slice sealed = seal_close(one, a, SL("acme/line token"), SL("hunter2"));
    seal_free(one);

    struct seal *two = seal_open(path, &f);
    struct secret plain;
    CHECK(two && seal_reveal(two, SL("acme/line token"), sealed, &plain, &f));
    CHECK_SLICE(secret_reveal(&plain), SL("hunter2"));
    secret_wipe(&plain);
    seal_free(two);

    chmod(path, 0640);
    CHECK(!seal_open(path, &f));
    CHECK(slice_find(slice_of(f.text), SL("can be read by others (mode 640)")) != SIZE_MAX);
    chmod(path, 0600);
    CHECK(truncate(path, 30) == 0 && !seal_open(path, &f));
    CHECK(slice_find(slice_of(f.text), SL("damaged")) != SIZE_MAX);
    CHECK(!seal_open("/proc/no/secret.key", &f));
    CHECK(!seal_open("/tmp", &f));
}

TEST(seal_opens_only_whole_texts_in_their_own_place)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct seal *s = seal_of_hex(SL("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"), &f);
    struct seal *other = seal_of_hex(SL("100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), &f);
    CHECK(s && other && !seal_of_hex(SL("00"), &f) && !seal_of_hex(SLICE_NONE, &f));
    struct secret plain = { NULL, 0 };
    static const slice texts[] = { SLI(""), SLI("x"), SLI("a longer secret with \0 in it") };
    for (size_t i = 0; i < COUNT(texts); i++) {
        slice sealed = seal_close(s, a, SL("here"), texts[i]);
        CHECK_ROW(i, seal_is_sealed(sealed) && slice_starts(sealed, SL("sealed:v1:")));
        CHECK_ROW(i, seal_reveal(s, SL("here"), sealed, &plain, &f) && slice_eq(secret_reveal(&plain), texts[i]));
        secret_wipe(&plain);
        CHECK_ROW(i, !slice_eq(sealed, seal_close(s, a, SL("here"), texts[i]))); /* a fresh nonce each time */
        CHECK_ROW(i, !seal_reveal(s, SL("there"), sealed, &plain, &f));
        CHECK_ROW(i, !seal_reveal(other, SL("here"), sealed, &plain, &f));
        for (size_t at = 0; at < sealed.n; at++) {
            char *broken = arena_cstr(a, sealed);
            broken[at] = broken[at] == 'A' ? 'B' : 'A';
            CHECK_ROW(at, !seal_reveal(s, SL("here"), (slice){ broken, sealed.n }, &plain, &f));
            CHECK_ROW(at, !seal_reveal(s, SL("here"), slice_sub(sealed, 0, at), &plain, &f));
        }
    }
    uint8_t one[SEAL_DERIVED_BYTES], two[SEAL_DERIVED_BYTES], again[SEAL_DERIVED_BYTES];
    seal_derive(s, SL("links"), one), seal_derive(s, SL("cookies"), two), seal_derive(s, SL("links"), again);
    CHECK(memcmp(one, two, sizeof(one)) != 0 && memcmp(one, again, sizeof(one)) == 0);
    seal_free(s), seal_free(other);
}

static char got[64];
static void on_secret(void *arg, const struct secret *secret, const struct fault *f)
{
    (void)arg;
    snprintf(got, sizeof(got), "%s:" SLF, f ? f->code : secret_present(secret) ? "ok" : "none", SLA(secret_reveal(secret)));
}
static void on_raw(void *arg, slice value, const struct fault *f)
{
    CHECK(!f && seal_is_sealed(value) && slice_find(value, SL("hunter2")) == SIZE_MAX);
    ++*(int *)arg;
}

TEST(secrets_are_sealed_in_the_store)
{
    char db[160];
    snprintf(db, sizeof(db), "%s/store.db", test_dir());
    struct fault f;
    struct store *st = store_open(db, &f);
    struct seal *s = seal_of_hex(SL("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), &f);
    CHECK(st && s);
    secrets_put(st, s, SL("acme/line"), SL("token"), SL("hunter2"), NULL, NULL);
    secrets_get(st, s, SL("acme/line"), SL("token"), on_secret, NULL);
    CHECK_SLICE(slice_of(got), SL("ok:hunter2"));
    int raw = 0;
    store_get(st, SL("secret/acme/line/token"), on_raw, &raw);
    CHECK_INT(raw, 1);
    secrets_put(st, s, SL("acme/line"), SL("token"), SLICE_NONE, NULL, NULL);
    secrets_get(st, s, SL("acme/line"), SL("token"), on_secret, NULL);
    CHECK_SLICE(slice_of(got), SL("none:"));
    seal_free(s);
    store_close(st);
}
