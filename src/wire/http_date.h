/* http_date.h - times as HTTP writes them (RFC 9110, IMF-fixdate): "Sun, 15 Mar 2026 09:45:30 GMT". */
#ifndef WIRE_HTTP_DATE_H
#define WIRE_HTTP_DATE_H
#include "base/base.h"

enum { HTTP_DATE_BYTES = 30 };
void http_date(int64_t ms, char ret[HTTP_DATE_BYTES]);
bool http_date_parse(slice s, int64_t *ret_ms) MUST_USE; /* this one form only */
#endif
