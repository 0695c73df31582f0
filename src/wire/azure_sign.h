/* azure_sign.h - requests and links signed as Azure Blob Storage wants them: Shared Key, and service SAS for one blob.
 *
 *   struct azure_key key = { account, base64_decode(a, account_key) };
 *   slice authorization = azure_authorization(a, &key, &rq);        the headers hold x-ms-date and x-ms-version already
 *   slice query = azure_sas(a, &key, &sas);                         a link: https://account.blob.core.windows.net/container/blob?query
 *
 * Shape      path: as it is sent, percent-encoded, from the first slash (an emulator's begins with the account); query: as it is sent. SAS: container and
 *            blob as they are, not encoded.
 * Facts      docs/wire/storage.md "Signatures"; version 2021-12-02 of the service.
 */
#ifndef WIRE_AZURE_SIGN_H
#define WIRE_AZURE_SIGN_H
#include "base/base.h"

#define AZURE_VERSION "2021-12-02"
enum { AZURE_HEADERS_MAX = 24 };

struct azure_key {
    slice account;
    slice key; /* its bytes */
};
struct azure_header {
    slice name, value;
};
struct azure_request {
    const char *method;
    slice path, query;
    const struct azure_header *headers;
    size_t n_headers;
    int64_t length; /* of the body */
};
/* What is signed; {NULL,0}: more headers or parameters than a request of ours has. */
slice azure_string_to_sign(struct arena *a, const struct azure_key *key, const struct azure_request *rq) MUST_USE;
slice azure_authorization(struct arena *a, const struct azure_key *key, const struct azure_request *rq) MUST_USE;

struct azure_sas {
    slice container, blob;
    slice permissions;        /* "r" */
    int64_t from_ms, until_ms; /* 0: not said */
    bool https_only;
    slice disposition, type;  /* what the answer shall say instead */
};
slice azure_sas(struct arena *a, const struct azure_key *key, const struct azure_sas *sas) MUST_USE;
#endif
