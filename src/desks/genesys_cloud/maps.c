/* The address of a picture of the map, 12: Google's Static Maps API, signed when there is a secret. */
#include "desks/genesys_cloud/maps.h"
#include "desks/genesys_cloud/wire.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/url.h"
#include <math.h>

#define MAPS_HOST "https://maps.googleapis.com"
#define MAPS_PATH "/maps/api/staticmap"

/* Six decimals are a tenth of a metre; needless zeros are left out. No printf of doubles: that depends on the locale. */
slice gc_degrees(struct arena *a, double deg)
{
    enum { PLACES = 6, PER_DEGREE = 1000000 };
    int64_t micro = llround(deg * PER_DEGREE), whole = llabs(micro) / PER_DEGREE, rest = llabs(micro) % PER_DEGREE;
    slice text = arena_printf(a, "%s%lld.%0*lld", micro < 0 ? "-" : "", (long long)whole, PLACES, (long long)rest);
    while (text.p[text.n - 1] == '0')
        text.n--;
    if (text.p[text.n - 1] == '.')
        text.n--;
    return text;
}

slice gc_maps_sign(struct arena *a, slice path_and_query, slice secret)
{
    slice key = base64url_decode(a, secret);
    if (!key.p)
        return SLICE_NONE;
    struct sha1 mac = hmac_sha1(key, path_and_query);
    return base64url_encode_padded(a, slice_mem(mac.b, sizeof(mac.b)));
}

slice gc_location_picture(struct call *c, const struct location *where)
{
    slice key = setting(c, GC_MAPS_KEY), secret = setting(c, GC_MAPS_SECRET), language = setting(c, GC_MAPS_LANGUAGE);
    if (!key.n || !where->present || !(fabs(where->lat_deg) <= 90) || !(fabs(where->lon_deg) <= 180))
        return SLICE_NONE;

    slice at = arena_printf(c->a, SLF "%%2C" SLF, SLA(gc_degrees(c->a, where->lat_deg)), SLA(gc_degrees(c->a, where->lon_deg)));
    struct text t = text_new(c->a, GC_MAPS_URL_MAX);
    text_add(&t, MAPS_PATH "?center=" SLF "&zoom=%lld&size=%lldx%lld&scale=1", SLA(at), (long long)setting_number(c, GC_MAPS_ZOOM),
             (long long)MIN(setting_number(c, GC_MAPS_WIDTH), GC_MAPS_PIXELS_MAX),
             (long long)MIN(setting_number(c, GC_MAPS_HEIGHT), GC_MAPS_PIXELS_MAX));
    if (language.n)
        text_add(&t, "&language=" SLF, SLA(url_encode(c->a, language)));
    text_add(&t, "&markers=" SLF "&key=" SLF, SLA(at), SLA(url_encode(c->a, key)));
    if (secret.n) { /* the last parameter, over everything before it as it stands */
        slice signature = gc_maps_sign(c->a, text_slice(&t), secret);
        if (!signature.p)
            return SLICE_NONE;
        text_add(&t, "&signature=" SLF, SLA(signature));
    }
    if (t.over)
        return SLICE_NONE;
    return arena_printf(c->a, MAPS_HOST SLF, SLA(text_slice(&t)));
}
