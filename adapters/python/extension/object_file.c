#include "object_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#if defined(__APPLE__)
#include <mach-o/loader.h>
#elif defined(_WIN32)
#include <windows.h>
#else
#include <elf.h>
#include <link.h>
#endif

#include "shared_object.h"

#if defined(__APPLE__)
typedef struct mach_header_64 header_t;

static int is_object(const header_t *header, size_t got) {
  return got >= sizeof header->magic && header->magic == MH_MAGIC_64;
}

static int is_shared(FILE *file, const header_t *header) {
  (void)file;
  return header->filetype == MH_DYLIB || header->filetype == MH_BUNDLE;
}

/* 1 if all that the file says is to be mapped is there. The dynamic linker itself checks everything else. */
static int segments_are_there(FILE *file, const header_t *header, long size) {
  const long end = (long)(sizeof *header + header->sizeofcmds);
  long at = (long)sizeof *header;
  for (uint32_t i = 0; i < header->ncmds; i++) {
    struct segment_command_64 command;
    if (fseek(file, at, SEEK_SET) != 0 || fread(&command, sizeof(struct load_command), 1, file) != 1) return 0;
    if (command.cmdsize < sizeof(struct load_command) || at + (long)command.cmdsize > end) return 0;
    if (command.cmd == LC_SEGMENT_64) {
      if (fseek(file, at, SEEK_SET) != 0 || fread(&command, sizeof command, 1, file) != 1) return 0;
      if (command.fileoff > (uint64_t)size || command.filesize > (uint64_t)size - command.fileoff) return 0;
    }
    at += (long)command.cmdsize;
  }
  return 1;
}
#elif defined(_WIN32)
/* What an image begins with: the place of its headers. */
typedef IMAGE_DOS_HEADER header_t;

static int is_object(const header_t *header, size_t got) {
  return got >= sizeof header->e_magic && header->e_magic == IMAGE_DOS_SIGNATURE;
}

static int read_headers(FILE *file, const header_t *header, IMAGE_NT_HEADERS64 *headers) {
  return fseek(file, header->e_lfanew, SEEK_SET) == 0 && fread(headers, sizeof *headers, 1, file) == 1 &&
         headers->Signature == IMAGE_NT_SIGNATURE && headers->FileHeader.Machine == IMAGE_FILE_MACHINE_AMD64;
}

static int is_shared(FILE *file, const header_t *header) {
  IMAGE_NT_HEADERS64 headers;
  return read_headers(file, header, &headers) && (headers.FileHeader.Characteristics & IMAGE_FILE_DLL) != 0;
}

/* 1 if all that the file says is to be mapped is there. The loader itself checks everything else. */
static int segments_are_there(FILE *file, const header_t *header, long size) {
  IMAGE_NT_HEADERS64 headers;
  if (!read_headers(file, header, &headers)) return 0;
  const long start = header->e_lfanew + (long)offsetof(IMAGE_NT_HEADERS64, OptionalHeader) +
                     (long)headers.FileHeader.SizeOfOptionalHeader;
  if (fseek(file, start, SEEK_SET) != 0) return 0;
  for (size_t i = 0; i < headers.FileHeader.NumberOfSections; i++) {
    IMAGE_SECTION_HEADER section;
    if (fread(&section, sizeof section, 1, file) != 1) return 0;
    if (section.PointerToRawData > (size_t)size) return 0;
    if (section.SizeOfRawData > (size_t)size - section.PointerToRawData) return 0;
  }
  return 1;
}
#else
typedef ElfW(Ehdr) header_t;

static int is_object(const header_t *header, size_t got) {
  return got >= SELFMAG && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

static int is_shared(FILE *file, const header_t *header) {
  (void)file;
  return header->e_type == ET_DYN;
}

/* 1 if all that the file says is to be mapped is there. The dynamic linker itself checks everything else. */
static int segments_are_there(FILE *file, const header_t *header, long size) {
  if (header->e_phentsize != sizeof(ElfW(Phdr))) return 0;
  for (size_t i = 0; i < header->e_phnum; i++) {
    ElfW(Phdr) segment;
    if (fseek(file, (long)(header->e_phoff + i * sizeof segment), SEEK_SET) != 0) return 0;
    if (fread(&segment, sizeof segment, 1, file) != 1) return 0;
    if (segment.p_offset > (size_t)size || segment.p_filesz > (size_t)size - segment.p_offset) return 0;
  }
  return 1;
}
#endif

int object_file_is_whole(const char *path, char *why, size_t why_size) {
  FILE *file = shared_object_file(path);
  if (file == NULL) {
    snprintf(why, why_size, "cannot open '%s': %s", path, strerror(errno));
    return 0;
  }
  header_t header;
  const char *what = NULL;
  const size_t got = fread(&header, 1, sizeof header, file);
  if (!is_object(&header, got)) {
    what = "not a shared object";
  } else if (got < sizeof header || fseek(file, 0, SEEK_END) != 0 ||
             !segments_are_there(file, &header, ftell(file))) {
    what = "cut off, or of another machine";
  } else if (!is_shared(file, &header)) {
    what = "not a shared object";
  }
  fclose(file);
  if (what != NULL) snprintf(why, why_size, "'%s' is %s", path, what);
  return what == NULL;
}
