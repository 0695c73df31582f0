/* sigv4.h - requests signed as Amazon's S3 and Google Cloud Storage want them: AWS Signature Version 4 and Google's V4.
 *
 *   struct sigv4_key key = { .kind = SIGV4_AWS, .id = id, .secret = secret, .region = SL("eu-central-1"), .service = SL("s3") };
 *   struct sigv4_request rq = { .method = "PUT", .path = path, .query = query, .headers = h, .n_headers = n, .payload = hex };
 *   slice authorization = sigv4_authorization(a, &key, &rq, now_ms);          the headers hold x-amz-date and x-amz-content-sha256 already
 *   slice query = sigv4_presign(a, &key, &rq, now_ms, 900);                   a link: everything is in the query
 *
 * Shape      path: as it is sent, percent-encoded once (url_encode_path of the key), no "." or ".." is touched, which is S3's rule; other services of
 *            Amazon want it normalised and encoded twice, which is the caller's to do. query: as it is sent, in any order. headers: those to be signed,
 *            "host" among them, as on the wire (port included for Amazon, without for Google). payload: SHA-256 of the body in hex,
 *            SIGV4_UNSIGNED, or a marker of chunked signing.
 * Facts      docs/wire/storage.md "Signatures"; checked by Amazon's and Google's own test suites (sigv4_test.c).
 */
#ifndef WIRE_SIGV4_H
#define WIRE_SIGV4_H
#include "wire/crypto.h"
#include "wire/jwt.h"

#define SIGV4_UNSIGNED SL("UNSIGNED-PAYLOAD")
#define SIGV4_EMPTY SL("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") /* SHA-256 of an empty body */
#define SIGV4_CHUNKED SL("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
enum { SIGV4_HEADERS_MAX = 48, SIGV4_PAIRS_MAX = 64, SIGV4_TEXT_MAX = 65536 };

enum sigv4_kind { SIGV4_AWS, SIGV4_GOOG_RSA, SIGV4_GOOG_HMAC };
struct sigv4_key {
    enum sigv4_kind kind;
    slice id;                  /* access key, or the service account's e-mail */
    slice secret;              /* SIGV4_AWS, SIGV4_GOOG_HMAC */
    const struct jwt_key *rsa; /* SIGV4_GOOG_RSA */
    slice token;               /* session token of temporary credentials; sigv4_presign adds it, in headers it is the caller's */
    slice region, service;     /* "auto" and "storage" for Google */
};
struct sigv4_header { /* same shape as net's struct header, which wire may not know */
    slice name, value;
};
struct sigv4_request {
    const char *method;
    slice path, query;
    const struct sigv4_header *headers;
    size_t n_headers;
    slice payload;
};

/* "20260315T094530Z" */
enum { SIGV4_TIME_BYTES = 17 };
void sigv4_time(int64_t ms, char ret[SIGV4_TIME_BYTES]);
/* What is hashed and signed. {NULL,0}: more headers or parameters than a request of ours has. */
slice sigv4_canonical(struct arena *a, const struct sigv4_request *rq, slice *ret_signed_headers) MUST_USE;
/* Lower-case hex. {NULL,0}: the key cannot sign. */
slice sigv4_signature(struct arena *a, const struct sigv4_key *key, slice canonical, int64_t now_ms) MUST_USE;
/* Value of the header Authorization. */
slice sigv4_authorization(struct arena *a, const struct sigv4_key *key, const struct sigv4_request *rq, int64_t now_ms) MUST_USE;
/* The whole query, signature last. rq->query: parameters of its own. payload absent: unsigned, as it is for links. */
slice sigv4_presign(struct arena *a, const struct sigv4_key *key, const struct sigv4_request *rq, int64_t now_ms, int64_t expires_s) MUST_USE;
/* Signature of one chunk of a body sent with SIGV4_CHUNKED; before: that of the chunk before it, of the request for the first. */
slice sigv4_chunk(struct arena *a, const struct sigv4_key *key, slice before, slice chunk, int64_t now_ms) MUST_USE;
#endif
