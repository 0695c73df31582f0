#include "template/function.h"

static const struct functions *const tables[] = {
    &functions_core, &functions_string, &functions_text, &functions_case, &functions_number, &functions_list, &functions_map, &functions_json,
    &functions_encode, &functions_regex, &functions_time, &functions_path, &functions_url, &functions_version,
};

const struct function *function_find(slice name)
{
    if (!name.n)
        return NULL;
    for (size_t t = 0; t < COUNT(tables); t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const char *at = tables[t]->v[i].name;
            if (at[0] == name.p[0] && strlen(at) == name.n && memcmp(at, name.p, name.n) == 0)
                return &tables[t]->v[i];
        }
    return NULL;
}

bool function_refused(slice name)
{
    static const char *const refused[] = {
        "env", "expandenv",                                        /* would show secrets of the process */
        "getHostByName",                                           /* network from the render path */
        "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert",
        "genSignedCertWithKey", "buildCustomCert",                 /* seconds of CPU a call */
        "derivePassword", "bcrypt", "htpasswd",                    /* expensive by design */
        "encryptAES", "decryptAES", "randBytes",                   /* key handling in messages */
        "call",                                                    /* nothing to call */
    };
    for (size_t i = 0; i < COUNT(refused); i++)
        if (slice_eq(name, slice_of(refused[i])))
            return true;
    return false;
}
