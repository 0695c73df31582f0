/* jwt_key.h - the inside of a key; only for jwt.c and jwt_key.c. */
#ifndef WIRE_JWT_KEY_H
#define WIRE_JWT_KEY_H
#include "wire/jwt.h"
#include <openssl/types.h>

struct jwt_key {
    EVP_PKEY *rsa; /* NULL: HS256 with secret */
    bool can_sign;
    slice secret; /* its bytes follow the struct */
    char bytes[];
};
slice jwt_key_alg(const struct jwt_key *key);
#endif
