#include "wire/qr.h"
#include <qrencode.h>

enum { QUIET = 4, SVG_MAX = 1 << 20 };

static void qr_freep(QRcode **qr)
{
    QRcode_free(*qr);
}

/* Each run of dark modules in a row is one bar of the path. */
static void row(struct text *t, const unsigned char *modules, int width, int y)
{
    for (int x = 0; x < width; x++) {
        int from = x;
        while (x < width && modules[x] & 1)
            x++;
        if (x > from)
            text_add(t, "M%d %dh%dv1h-%dz", from + QUIET, y + QUIET, x - from, x - from);
    }
}

slice qr_svg(struct arena *a, slice text)
{
    if (text.n == 0 || text.n > QR_TEXT_MAX)
        return SLICE_NONE;
    CLEANUP(qr_freep) QRcode *qr = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
    if (!qr)
        return SLICE_NONE;
    int side = qr->width + QUIET * 2;
    struct text t = text_new(a, SVG_MAX);
    text_add(&t, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
                 "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"", side, side, side, side);
    for (int y = 0; y < qr->width; y++)
        row(&t, qr->data + (ptrdiff_t)y * qr->width, qr->width, y);
    text_put(&t, SL("\"/></svg>"));
    return t.over ? SLICE_NONE : text_slice(&t);
}
