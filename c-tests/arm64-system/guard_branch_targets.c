/* Preloaded into every program of the harness: has the processor enforce branch targets (BTI) in the library's code,
 * as a dynamic linker does that knows of them. Debian 12's does not: its libc was built without. Nor does it look for
 * the note by which a library says that it has such targets: where it has none, every call of it ends the program.
 *
 * What it keeps: when the program's main starts, all code of libwasmtrap is guarded,
 * or the program has ended with a message. */
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef PROT_BTI
#define PROT_BTI 0x10
#endif

static void must(int good, const char *what) {
  if (!good) {
    fprintf(stderr, "guard_branch_targets: %s: %s\n", what, strerror(errno));
    _exit(1);
  }
}

static int guard(struct dl_phdr_info *object, size_t size, void *page_size) {
  (void)size;
  const uintptr_t page = *(const uintptr_t *)page_size;
  if (strstr(object->dlpi_name, "libwasmtrap.so") == NULL) return 0;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *const part = &object->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0) continue;
    const uintptr_t start = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
    const uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
    must(mprotect((void *)start, end - start, PROT_READ | PROT_EXEC | PROT_BTI) == 0, "mprotect");
  }
  return 0;
}

__attribute__((constructor)) static void guard_at_start(void) {
  must((getauxval(AT_HWCAP2) & (1 << 17)) != 0, "this processor has no branch targets");
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  dl_iterate_phdr(guard, &page);
}
