#include "cache/slots.h"

/* CRC16/XMODEM: polynomial 0x1021, from 0. */
static uint16_t crc16(slice s)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < s.n; i++) {
        crc ^= (uint16_t)((unsigned char)s.p[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

unsigned cache_slot(slice key)
{
    size_t open = slice_find_char(key, '{');
    if (open != SIZE_MAX) {
        size_t n = slice_find_char(slice_from(key, open + 1), '}');
        if (n != SIZE_MAX && n > 0)
            key = slice_sub(key, open + 1, n);
    }
    return crc16(key) % CACHE_SLOTS;
}
