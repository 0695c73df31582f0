/* Names and types of attachments, which guests choose. The first line is the name, the second the type, the rest a handle. Properties: what goes into
 * a header, a key or a path is plain and within its bounds; no handle leads out of the folder. */
#include "fuzz/fuzz.h"
#include "hub/storage.h"
#include "storages/local/disk.h"
#include "wire/mime.h"

static void is_safe_name(slice s)
{
    assert(s.n > 0 && s.n <= STORAGE_NAME_MAX && s.p[0] != '.');
    for (size_t i = 0; i < s.n; i++)
        assert((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
               slice_find_char(SL("._-"), s.p[i]) != SIZE_MAX);
}

static void is_header_value(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        assert(s.p[i] >= ' ' && s.p[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice rest = slice_mem(data, size), name = slice_cut(&rest, '\n'), type = slice_cut(&rest, '\n');
    slice safe = storage_safe_name(a, name, type), word = storage_word(a, name);
    is_safe_name(safe);
    assert(storage_word_ok(word) && (!storage_word_ok(name) || slice_eq(word, name)));

    slice value = storage_disposition(a, name, type);
    is_header_value(value);
    assert(slice_starts(value, storage_is_inline(type) ? SL("inline; filename=\"") : SL("attachment; filename=\"")));
    slice quoted = slice_from(value, slice_find_char(value, '"') + 1);
    is_safe_name(slice_sub(quoted, 0, slice_find_char(quoted, '"')));

    slice served = storage_serve_type(type);
    is_header_value(served);
    assert(slice_find(served, SL("html")) == SIZE_MAX && slice_find(served, SL("svg")) == SIZE_MAX);

    struct disk_path path;
    if (disk_path_parse(slice_or(rest, SL("")), &path))
        assert(storage_word_ok(slice_of(path.tenant)) && storage_word_ok(slice_of(path.conversation)) && storage_word_ok(slice_of(path.id)));
    return 0;
}
