/* service_account.h - Google service accounts: their key file, and what an access token is asked for with (RFC 7523).
 *
 *   struct service_account who;
 *   if (!service_account_read(a, key_file, &who, f)) …            or fill it from settings that hold its members one by one
 *   CLEANUP(jwt_key_freep) struct jwt_key *key = service_account_key(a, &who, f);
 *   slice form = service_account_form(a, &who, key, scope, now_ms, f);      POST who.token_url, application/x-www-form-urlencoded
 *
 * Errors     "bad_json", "missing_field" (the file), "bad_key"; never a part of the key.
 * Ownership  in a; the key is the caller's to free.
 */
#ifndef WIRE_SERVICE_ACCOUNT_H
#define WIRE_SERVICE_ACCOUNT_H
#include "wire/jwt.h"

enum { SERVICE_ACCOUNT_TOKEN_S = 3600 };
#define SERVICE_ACCOUNT_TOKEN_URL "https://oauth2.googleapis.com/token"
struct service_account {
    slice email, key_id, key, token_url, project;
};
/* Members that the file does not have stay as they are in *ret. */
bool service_account_read(struct arena *a, slice file, struct service_account *ret, struct fault *f) MUST_USE;
/* One that can sign. Line ends of the PEM may be written \n. */
struct jwt_key *service_account_key(struct arena *a, const struct service_account *who, struct fault *f) MUST_USE;
slice service_account_form(struct arena *a, const struct service_account *who, const struct jwt_key *key, slice scope, int64_t now_ms, struct fault *f) MUST_USE;
#endif
