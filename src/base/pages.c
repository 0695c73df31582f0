#include "base/pages.h"
#include "base/base.h"
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

/* Code and constants of one object: the segments that are not writable. What the linker writes before it protects it (RELRO) is part of a
 * writable one, so it stays. */
static int give_back(struct dl_phdr_info *object, size_t size, void *arg)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size, (void)arg;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &object->dlpi_phdr[i];
        if (h->p_type != PT_LOAD || h->p_flags & PF_W)
            continue;
        uintptr_t from = (object->dlpi_addr + h->p_vaddr) & ~(page - 1), to = object->dlpi_addr + h->p_vaddr + h->p_memsz;
        (void)madvise((void *)from, to - from, MADV_DONTNEED); /* refused: it stays as it is */
    }
    return 0;
}

void pages_give_back(void)
{
    malloc_trim(0);
    (void)dl_iterate_phdr(give_back, NULL);
}

int64_t pages_resident(void)
{
    long pages = 0, size = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    if (fscanf(f, "%ld %ld", &size, &pages) != 2)
        pages = 0;
    fclose(f);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}
