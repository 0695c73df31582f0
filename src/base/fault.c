#include "base/fault.h"
#include <stdarg.h>

bool fault(struct fault *f, const char *code, const char *field, const char *fmt, ...)
{
    if (!f)
        return false;
    f->code = code;
    snprintf(f->field, sizeof(f->field), "%s", field ? field : "");
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof(f->text), fmt, ap);
    va_end(ap);
    return false;
}
