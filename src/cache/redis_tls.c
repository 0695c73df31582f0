#include "cache/redis_tls.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct redis_tls {
    SSL *ssl;
    BIO *in, *out;
};

struct ssl_ctx_st *redis_tls_setup(const char *ca_file, struct fault *f)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool ok = ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) && SSL_CTX_set_default_verify_paths(ctx) &&
              (!ca_file || SSL_CTX_load_verify_locations(ctx, ca_file, NULL));
    if (ok) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        return ctx;
    }
    SSL_CTX_free(ctx);
    ERR_clear_error();
    fault(f, "bad_tls", "tls.ca", "the certificate authorities for the cache cannot be read");
    return NULL;
}

void redis_tls_setup_free(struct ssl_ctx_st *setup)
{
    SSL_CTX_free(setup);
}

static bool is_address(const char *host)
{
    unsigned char raw[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1;
}

struct redis_tls *redis_tls_new(struct ssl_ctx_st *setup, const char *host)
{
    struct redis_tls *t = must_calloc(1, sizeof(*t));
    t->ssl = SSL_new(setup);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    bool ok = t->ssl && t->in && t->out;
    if (ok && is_address(host))
        ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), host);
    else if (ok)
        ok = SSL_set1_host(t->ssl, host) && SSL_ctrl(t->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host); /* the macro casts const away */
    if (!ok) { /* no memory */
        SSL_free(t->ssl);
        BIO_free(t->in);
        BIO_free(t->out);
        free(t);
        return NULL;
    }
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_connect_state(t->ssl);
    ERR_clear_error();
    (void)SSL_do_handshake(t->ssl); /* writes its first message */
    return t;
}

void redis_tls_free(struct redis_tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl); /* and its buffers */
    free(t);
}

bool redis_tls_take(struct redis_tls *t, slice bytes, const char **why)
{
    *why = "TLS failed";
    while (bytes.n) {
        int n = BIO_write(t->in, bytes.p, (int)MIN(bytes.n, (size_t)INT32_MAX));
        if (n <= 0)
            return false;
        bytes = slice_from(bytes, (size_t)n);
    }
    if (SSL_is_init_finished(t->ssl))
        return true;
    ERR_clear_error();
    int rc = SSL_do_handshake(t->ssl);
    if (rc == 1 || SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ)
        return true;
    if (SSL_get_verify_result(t->ssl) != X509_V_OK)
        *why = X509_verify_cert_error_string(SSL_get_verify_result(t->ssl));
    ERR_clear_error();
    return false;
}

bool redis_tls_ready(const struct redis_tls *t)
{
    return SSL_is_init_finished(t->ssl);
}

ssize_t redis_tls_read(struct redis_tls *t, char *to, size_t n)
{
    ERR_clear_error();
    int rc = SSL_read(t->ssl, to, (int)MIN(n, (size_t)INT32_MAX));
    if (rc > 0)
        return rc;
    bool waits = SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return waits ? 0 : -1;
}

bool redis_tls_write(struct redis_tls *t, slice plain)
{
    ERR_clear_error();
    while (plain.n) {
        int n = SSL_write(t->ssl, plain.p, (int)MIN(plain.n, (size_t)INT32_MAX));
        if (n <= 0)
            return false;
        plain = slice_from(plain, (size_t)n);
    }
    return true;
}

size_t redis_tls_give(struct redis_tls *t, char *to, size_t n)
{
    int got = BIO_read(t->out, to, (int)MIN(n, (size_t)INT32_MAX));
    return got > 0 ? (size_t)got : 0;
}
