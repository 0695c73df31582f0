/* xml_text.h - one text out of a small XML answer, as storages give them.
 *
 *   slice code = xml_text(a, body, "Code");            <Error><Code>NoSuchBucket</Code>… gives "NoSuchBucket"
 *
 * Shape   the content of the first element of this name that has only text, entities replaced; {NULL,0}: there is none. Names are compared without their
 *         prefix ("a:Code" is Code). Comments and CDATA sections are known; nothing is checked beyond what finding it takes.
 */
#ifndef WIRE_XML_TEXT_H
#define WIRE_XML_TEXT_H
#include "base/base.h"

slice xml_text(struct arena *a, slice doc, const char *name) MUST_USE;
/* A text made safe to stand between tags or in an attribute. */
slice xml_escape(struct arena *a, slice text) MUST_USE;
#endif
