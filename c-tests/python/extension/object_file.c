#include "object_file.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

/* 1 if all that the file says is to be mapped is there. The dynamic linker itself checks everything else. */
static int segments_are_there(FILE *file, const ElfW(Ehdr) *header, long size) {
  if (header->e_phentsize != sizeof(ElfW(Phdr))) return 0;
  for (size_t i = 0; i < header->e_phnum; i++) {
    ElfW(Phdr) segment;
    if (fseek(file, (long)(header->e_phoff + i * sizeof segment), SEEK_SET) != 0) return 0;
    if (fread(&segment, sizeof segment, 1, file) != 1) return 0;
    if (segment.p_offset > (size_t)size || segment.p_filesz > (size_t)size - segment.p_offset) return 0;
  }
  return 1;
}

int object_file_is_whole(const char *path, char *why, size_t why_size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    snprintf(why, why_size, "cannot open '%s': %s", path, strerror(errno));
    return 0;
  }
  ElfW(Ehdr) header;
  const char *what = NULL;
  const size_t got = fread(&header, 1, sizeof header, file);
  if (got < SELFMAG || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    what = "not a shared object";
  } else if (got < sizeof header || fseek(file, 0, SEEK_END) != 0 ||
             !segments_are_there(file, &header, ftell(file))) {
    what = "cut off, or of another machine";
  } else if (header.e_type != ET_DYN) {
    what = "not a shared object";
  }
  fclose(file);
  if (what != NULL) snprintf(why, why_size, "'%s' is %s", path, what);
  return what == NULL;
}
