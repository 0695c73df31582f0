#include "api/desk/sniff.h"

slice sniff_type(slice body, slice said)
{
    /* clang-format off */
    static const struct { slice begin; size_t at; slice type; } kinds[] = {
        { SLI("\x89PNG\r\n\x1a\n"), 0, SLI("image/png") },
        { SLI("\xff\xd8\xff"),      0, SLI("image/jpeg") },
        { SLI("GIF87a"),            0, SLI("image/gif") },
        { SLI("GIF89a"),            0, SLI("image/gif") },
        { SLI("WEBP"),              8, SLI("image/webp") },
        { SLI("WAVE"),              8, SLI("audio/wav") },
        { SLI("ID3"),               0, SLI("audio/mpeg") },
        { SLI("OggS"),              0, SLI("audio/ogg") },
        { SLI("ftypM4A"),           4, SLI("audio/mp4") },
        { SLI("ftyp"),              4, SLI("video/mp4") },
        { SLI("\x1a\x45\xdf\xa3"),  0, SLI("video/webm") },
        { SLI("%PDF-"),             0, SLI("application/pdf") },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (slice_starts(slice_from(body, MIN(kinds[i].at, body.n)), kinds[i].begin))
            return kinds[i].type;
    bool media = slice_starts(said, SL("image/")) || slice_starts(said, SL("audio/")) || slice_starts(said, SL("video/")) || slice_eq(said, SL("application/pdf"));
    bool form = !said.n || said.n > 100 || slice_find_char(said, '/') == SIZE_MAX;
    for (size_t i = 0; i < said.n && !form; i++)
        form = said.p[i] <= ' ' || said.p[i] > '~';
    return media || form ? SL("application/octet-stream") : said;
}
