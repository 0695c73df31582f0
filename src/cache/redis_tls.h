/* redis_tls.h - TLS over any transport: bytes in, bytes out (OpenSSL with buffers in memory). */
#ifndef CACHE_REDIS_TLS_H
#define CACHE_REDIS_TLS_H
#include "base/base.h"

struct ssl_ctx_st;
struct redis_tls;
/* ca_file NULL: the system's authorities. NULL: see *f ("bad_tls"). Freed by redis_tls_setup_free. */
struct ssl_ctx_st *redis_tls_setup(const char *ca_file, struct fault *f) MUST_USE;
void redis_tls_setup_free(struct ssl_ctx_st *setup);

/* One connection, whose peer must show a certificate for this host (a name or an address). */
struct redis_tls *redis_tls_new(struct ssl_ctx_st *setup, const char *host) MUST_USE;
void redis_tls_free(struct redis_tls *t);
/* What the peer sent. False: it is refused, or no TLS; *why says it in a few words. */
bool redis_tls_take(struct redis_tls *t, slice bytes, const char **why) MUST_USE;
bool redis_tls_ready(const struct redis_tls *t); /* the handshake is done */
/* Plain bytes that came, up to n; 0: none (yet). -1: broken. */
ssize_t redis_tls_read(struct redis_tls *t, char *to, size_t n);
bool redis_tls_write(struct redis_tls *t, slice plain) MUST_USE; /* only when ready */
/* What must be sent to the peer, up to n; 0: nothing. */
size_t redis_tls_give(struct redis_tls *t, char *to, size_t n);
#endif
