/* render_line.h - one line of `dragoman render`: what is asked for in, the answer out.
 *
 *   {"template":"Hello {{.name}}","data":{"name":"Ada"},"mode":"strings"}
 *   {"output":"Hello Ada"}
 *
 * mode  json (any data, numbers are floating point), strings (a map of strings), response (strings, "defaults" and bare
 *       placeholders). Other members are ignored. A line that cannot be used is answered with an error of stage "parse".
 *       Output that is no UTF-8 comes as "output_b64".
 */
#ifndef MAIN_RENDER_LINE_H
#define MAIN_RENDER_LINE_H
#include "template/template.h"

enum { RENDER_LINE_BYTES = 4 << 20 };
slice render_line(struct template_cache *cache, struct arena *a, slice line) MUST_USE;
#endif
