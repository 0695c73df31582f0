/* storages.c - where attachments live. */
#include "api/call.h"

void api_storages_list(struct api_call *c)
{
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", SL("local"));
    jw_str(&w, "type", SL("local"));
    jw_bool(&w, "default", true);
    jw_close(&w, '}');
    jw_close(&w, ']');
    api_answer(c, &w);
}
