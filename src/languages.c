/* The one place above the floors that names every language. */
#include "hub/language.h"

#define LANGUAGE(name) extern const struct language language_##name;
#include "languages.def"
#undef LANGUAGE

const struct language *const languages[] = {
#define LANGUAGE(name) &language_##name,
#include "languages.def"
#undef LANGUAGE
    NULL, /* so that an empty list is an array, too */
};
const size_t n_languages = COUNT(languages) - 1;

const struct language *language_find(slice name)
{
    for (size_t i = 0; i < n_languages; i++)
        if (slice_eq(slice_of(languages[i]->type.name), name))
            return languages[i];
    return NULL;
}
