/* Every mapping of a memory image begins with its contents, keeps its own changes, and outlives the image. Where no
 * image can be had there is none, which is no error. */
#include <dirent.h>
#include <string.h>
#include <sys/resource.h>

#include "platform.h"
#include "tap.h"

enum { MAPPINGS = 3 };

static int open_files(void) {
  DIR *folder = opendir("/dev/fd");
  int count = 0;
  must(folder != NULL);
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

static struct wasmtime_memory_image *image_of(const uint8_t *contents, size_t size) {
  struct wasmtime_memory_image *image = NULL;
  must(wasmtime_memory_image_new(contents, size, &image) == 0);
  return image;
}

int main(void) {
  size_t page = wasmtime_page_size(), size = 4 * page;
  uint8_t *contents, *mapping[MAPPINGS];
  must(wasmtime_mmap_new(size, WASMTIME_PROT_READ | WASMTIME_PROT_WRITE, &contents) == 0);
  for (size_t i = 0; i < size; i++) contents[i] = (uint8_t)(i * 7 + i / page);
  int files = open_files();
  struct wasmtime_memory_image *image = image_of(contents, size);
  ok(image != NULL, "an image");
  contents[0] ^= 0xff;
  for (int i = 0; i < MAPPINGS; i++) {
    must(wasmtime_mmap_new(size + page, 0, &mapping[i]) == 0);
    same(wasmtime_memory_image_map_at(image, mapping[i], size), 0, "mapping %d", i);
  }
  contents[0] ^= 0xff;
  ok(memcmp(mapping[0], contents, size) == 0, "has what was there when the image was made");
  memset(mapping[1], 0xaa, size);
  ok(memcmp(mapping[0], contents, size) == 0 && memcmp(mapping[2], contents, size) == 0, "others do not see changes");
  ok(mapping[1][size - 1] == 0xaa, "the one that made them does");
  ok(!readable(mapping[0] + size), "the page behind is left alone");
  wasmtime_memory_image_free(image);
  ok(memcmp(mapping[2], contents, size) == 0, "a mapping outlives the image");
  same(wasmtime_memory_image_map_at(image_of(contents, size), mapping[1], size), 0, "an image over changes");
  ok(memcmp(mapping[1], contents, size) == 0, "brings the contents back");
  for (int i = 0; i < MAPPINGS; i++) must(wasmtime_munmap(mapping[i], size + page) == 0);

  for (int i = 0; i < 2000; i++) wasmtime_memory_image_free(image_of(contents, size));
  /* The one above was left alone on purpose: it is still there. */
  same(open_files(), files + 1, "two thousand images leave no file behind");

  struct rlimit limit;
  must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = 0;
  must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  image = (struct wasmtime_memory_image *)&limit;
  same(wasmtime_memory_image_new(contents, size, &image), 0, "with no file to be had, an image is no error");
  ok(image == NULL, "and none");
  return tap_done();
}
