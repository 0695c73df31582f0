#include "wire/mime.h"

enum { TYPE_MAX = 127 };

/* clang-format off */
/* The first row of a type names its extension, the first row of an extension its type. */
static const struct { slice extension, type; bool inline_safe; } types[] = {
    { SLI("jpg"),  SLI("image/jpeg"),       true },
    { SLI("jpeg"), SLI("image/jpeg"),       true },
    { SLI("jpe"),  SLI("image/jpeg"),       true },
    { SLI("jpg"),  SLI("image/jpg"),        true },
    { SLI("png"),  SLI("image/png"),        true },
    { SLI("gif"),  SLI("image/gif"),        true },
    { SLI("webp"), SLI("image/webp"),       true },
    { SLI("bmp"),  SLI("image/bmp"),        true },
    { SLI("heic"), SLI("image/heic"),       false },
    { SLI("heif"), SLI("image/heif"),       false },
    { SLI("avif"), SLI("image/avif"),       true },
    { SLI("tiff"), SLI("image/tiff"),       false },
    { SLI("tif"),  SLI("image/tiff"),       false },
    { SLI("svg"),  SLI("image/svg+xml"),    false },
    { SLI("ico"),  SLI("image/x-icon"),     true },
    { SLI("mp4"),  SLI("video/mp4"),        true },
    { SLI("m4v"),  SLI("video/mp4"),        true },
    { SLI("mov"),  SLI("video/quicktime"),  true },
    { SLI("webm"), SLI("video/webm"),       true },
    { SLI("3gp"),  SLI("video/3gpp"),       true },
    { SLI("avi"),  SLI("video/x-msvideo"),  false },
    { SLI("mpeg"), SLI("video/mpeg"),       false },
    { SLI("m4a"),  SLI("audio/mp4"),        true },
    { SLI("m4a"),  SLI("audio/x-m4a"),      true },
    { SLI("mp3"),  SLI("audio/mpeg"),       true },
    { SLI("aac"),  SLI("audio/aac"),        true },
    { SLI("ogg"),  SLI("audio/ogg"),        true },
    { SLI("oga"),  SLI("audio/ogg"),        true },
    { SLI("opus"), SLI("audio/ogg"),        true },
    { SLI("wav"),  SLI("audio/wav"),        true },
    { SLI("wav"),  SLI("audio/x-wav"),      true },
    { SLI("amr"),  SLI("audio/amr"),        false },
    { SLI("flac"), SLI("audio/flac"),       true },
    { SLI("pdf"),  SLI("application/pdf"),  true },
    { SLI("txt"),  SLI("text/plain"),       true },
    { SLI("log"),  SLI("text/plain"),       true },
    { SLI("csv"),  SLI("text/csv"),         false },
    { SLI("md"),   SLI("text/markdown"),    false },
    { SLI("html"), SLI("text/html"),        false },
    { SLI("htm"),  SLI("text/html"),        false },
    { SLI("xml"),  SLI("application/xml"),  false },
    { SLI("json"), SLI("application/json"), false },
    { SLI("js"),   SLI("text/javascript"),  false },
    { SLI("css"),  SLI("text/css"),         false },
    { SLI("vcf"),  SLI("text/vcard"),       false },
    { SLI("ics"),  SLI("text/calendar"),    false },
    { SLI("rtf"),  SLI("application/rtf"),  false },
    { SLI("zip"),  SLI("application/zip"),  false },
    { SLI("gz"),   SLI("application/gzip"), false },
    { SLI("7z"),   SLI("application/x-7z-compressed"), false },
    { SLI("doc"),  SLI("application/msword"), false },
    { SLI("xls"),  SLI("application/vnd.ms-excel"), false },
    { SLI("ppt"),  SLI("application/vnd.ms-powerpoint"), false },
    { SLI("docx"), SLI("application/vnd.openxmlformats-officedocument.wordprocessingml.document"), false },
    { SLI("xlsx"), SLI("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), false },
    { SLI("pptx"), SLI("application/vnd.openxmlformats-officedocument.presentationml.presentation"), false },
    { SLI("bin"),  SLI("application/octet-stream"), false },
};

/* The bytes at an offset that only this type has; a second pair where one is not enough. */
static const struct { size_t at; slice bytes; size_t at2; slice bytes2, type; } marks[] = {
    { 0, SLI("\xff\xd8\xff"),       0, { NULL, 0 },       SLI("image/jpeg") },
    { 0, SLI("\x89PNG\r\n\x1a\n"),  0, { NULL, 0 },       SLI("image/png") },
    { 0, SLI("GIF87a"),             0, { NULL, 0 },       SLI("image/gif") },
    { 0, SLI("GIF89a"),             0, { NULL, 0 },       SLI("image/gif") },
    { 0, SLI("RIFF"),               8, SLI("WEBP"),       SLI("image/webp") },
    { 0, SLI("RIFF"),               8, SLI("WAVE"),       SLI("audio/wav") },
    { 0, SLI("%PDF-"),              0, { NULL, 0 },       SLI("application/pdf") },
    { 4, SLI("ftyp"),               8, SLI("M4A "),       SLI("audio/mp4") },
    { 4, SLI("ftyp"),               8, SLI("M4B "),       SLI("audio/mp4") },
    { 4, SLI("ftyp"),               8, SLI("qt  "),       SLI("video/quicktime") },
    { 4, SLI("ftyp"),               8, SLI("heic"),       SLI("image/heic") },
    { 4, SLI("ftyp"),               8, SLI("heix"),       SLI("image/heic") },
    { 4, SLI("ftyp"),               8, SLI("mif1"),       SLI("image/heif") },
    { 4, SLI("ftyp"),               8, SLI("avif"),       SLI("image/avif") },
    { 4, SLI("ftyp"),               8, SLI("3gp"),        SLI("video/3gpp") },
    { 4, SLI("ftyp"),               0, { NULL, 0 },       SLI("video/mp4") },
    { 0, SLI("ID3"),                0, { NULL, 0 },       SLI("audio/mpeg") },
    { 0, SLI("OggS"),               0, { NULL, 0 },       SLI("audio/ogg") },
    { 0, SLI("#!AMR"),              0, { NULL, 0 },       SLI("audio/amr") },
    { 0, SLI("fLaC"),               0, { NULL, 0 },       SLI("audio/flac") },
    { 0, SLI("PK\x03\x04"),         0, { NULL, 0 },       SLI("application/zip") },
    { 0, SLI("PK\x05\x06"),         0, { NULL, 0 },       SLI("application/zip") },
    { 0, SLI("\x1f\x8b\x08"),       0, { NULL, 0 },       SLI("application/gzip") },
};
/* clang-format on */

slice mime_essence(slice type)
{
    return slice_trim(slice_cut(&type, ';'));
}

slice mime_of_name(slice file_name)
{
    size_t dot = slice_find_last(file_name, '.');
    if (dot == SIZE_MAX)
        return SLICE_NONE;
    slice extension = slice_from(file_name, dot + 1);
    for (size_t i = 0; i < COUNT(types); i++)
        if (slice_eq_nocase(types[i].extension, extension))
            return types[i].type;
    return SLICE_NONE;
}

slice mime_extension(slice type)
{
    type = mime_essence(type);
    for (size_t i = 0; i < COUNT(types); i++)
        if (slice_eq_nocase(types[i].type, type))
            return types[i].extension;
    return SL("bin");
}

/* An MPEG audio frame without an ID3 tag before it: sync bits, a layer, a bit rate and a sampling rate that exist. */
static bool is_mp3_frame(slice s)
{
    const unsigned char *b = (const unsigned char *)s.p;
    return s.n >= 4 && b[0] == 0xff && (b[1] & 0xe0) == 0xe0 && (b[1] & 0x18) != 0x08 && (b[1] & 0x06) == 0x02 &&
           (b[2] & 0xf0) != 0xf0 && (b[2] & 0xf0) != 0 && (b[2] & 0x0c) != 0x0c;
}

static bool has(slice s, size_t at, slice bytes)
{
    return slice_starts(slice_from(s, at), bytes);
}

slice mime_sniff(slice first_bytes)
{
    for (size_t i = 0; i < COUNT(marks); i++)
        if (has(first_bytes, marks[i].at, marks[i].bytes) && has(first_bytes, marks[i].at2, marks[i].bytes2))
            return marks[i].type;
    return is_mp3_frame(first_bytes) ? SL("audio/mpeg") : SLICE_NONE;
}

static bool begins(slice type, slice prefix)
{
    return slice_eq_nocase(slice_sub(type, 0, prefix.n), prefix);
}

enum mime_kind mime_kind(slice type)
{
    type = mime_essence(type);
    return begins(type, SL("image/"))   ? MIME_IMAGE
           : begins(type, SL("video/")) ? MIME_VIDEO
           : begins(type, SL("audio/")) ? MIME_AUDIO
                                        : MIME_FILE;
}

static bool is_vague(slice type)
{
    return !type.n || slice_eq_nocase(type, SL("application/octet-stream")) || slice_eq_nocase(type, SL("binary/octet-stream")) || slice_ends(type, SL("/*"));
}

slice mime_settle(slice declared, slice served, slice name, slice first_bytes)
{
    slice seen = mime_sniff(first_bytes), known = mime_essence(declared);
    if (is_vague(known))
        known = mime_essence(served);
    bool shown = seen.n && !slice_eq(seen, SL("video/mp4")); /* some pictures come in that box, too */
    if (shown && mime_kind(known) == MIME_IMAGE && mime_kind(seen) != MIME_IMAGE)
        return seen;
    if (!is_vague(known))
        return known;
    slice named = mime_of_name(name);
    bool box = slice_eq(seen, SL("application/zip")) || slice_eq(seen, SL("application/gzip")); /* documents are made of it */
    return slice_or(seen.n && !(box && named.n) ? seen : named, slice_or(known, declared));
}

bool mime_among(slice type, slice list)
{
    type = mime_essence(type);
    while (list.n) {
        slice one = slice_trim(slice_cut(&list, ','));
        bool family = slice_ends(one, SL("/*"));
        if (slice_eq(one, SL("*/*")) || slice_eq_nocase(one, type) || (family && begins(type, slice_sub(one, 0, one.n - 1))))
            return true;
    }
    return false;
}

bool mime_valid(slice type)
{
    type = mime_essence(type);
    size_t slashes = 0;
    for (size_t i = 0; i < type.n; i++) {
        char c = type.p[i];
        bool word = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("!#$&-^_.+", c));
        if (!word && c != '/')
            return false;
        slashes += c == '/';
    }
    return slashes == 1 && type.n <= TYPE_MAX && type.p[0] != '/' && type.p[type.n - 1] != '/';
}

bool mime_inline_safe(slice type)
{
    type = mime_essence(type);
    for (size_t i = 0; i < COUNT(types); i++)
        if (slice_eq_nocase(types[i].type, type))
            return types[i].inline_safe;
    return false;
}
