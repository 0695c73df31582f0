/* function.h - the functions of the language, as tables. Private to template/.
 *
 * params     one letter a parameter: s string, i int, f float, b bool, t time, m map, x anything (no value becomes nil), v anything
 *            as it is (the built-in functions, which can tell no value from nil); '*' repeats the letter before it.
 * Errors     a function that fails calls run_fail; the caller has put its name where the error text takes it from.
 */
#ifndef TEMPLATE_FUNCTION_H
#define TEMPLATE_FUNCTION_H
#include "template/run.h"

typedef struct value function_call(struct run *r, const struct value *v, size_t n);
struct function {
    const char *name;
    const char *params;
    function_call *call; /* NULL: and, or, which decide what they evaluate */
};
struct functions {
    const struct function *v;
    size_t n;
};
extern const struct functions functions_core, functions_string, functions_number, functions_list, functions_map, functions_json,
    functions_encode, functions_regex, functions_time, functions_text,
    functions_case, functions_path, functions_url, functions_version;
const struct function *function_find(slice name); /* NULL: none of that name */
bool function_refused(slice name);                /* exists elsewhere, is refused here */
#endif
