/* The library touches no byte behind the memory that it was given, nor any that it has given back. Each block of its
 * memory ends at a page that may not be touched, and is gone once it is free. The C library's allocator is this
 * program's own. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"

/* glibc's own names of its allocator. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

enum { MOST_BLOCKS = 16384, LARGEST_ALIGNMENT = 16 };

typedef struct block_t {
  unsigned char *memory, *mapping;
  size_t size, mapping_size;
} block_t;

static block_t blocks[MOST_BLOCKS];
static size_t block_count, made;
static char turn;
/* Whether this thread's blocks are to be such. */
static __thread int guarded;

static void enter(void) {
  while (__atomic_test_and_set(&turn, __ATOMIC_ACQUIRE)) {
  }
}

static void leave(void) { __atomic_clear(&turn, __ATOMIC_RELEASE); }

/* A block that ends where its page does, as far as that is aligned: what has an alignment has a multiple of it for its
 * size. */
static void *guarded_block(size_t size, size_t alignment) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t pages = (size + page - 1) / page * page;
  if (alignment > LARGEST_ALIGNMENT && size % alignment != 0) return NULL;
  unsigned char *const mapping = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED || mprotect(mapping + pages, page, PROT_NONE) != 0) return NULL;
  const block_t block = {mapping + pages - size, mapping, size, pages + page};
  memset(block.memory, 0xa5, size);
  enter();
  if (block_count == MOST_BLOCKS) abort();
  blocks[block_count++] = block;
  made++;
  leave();
  return block.memory;
}

/* Takes it off the list; all zeros if it is none. */
static block_t take(const void *memory) {
  block_t found = {0};
  enter();
  for (size_t i = block_count; i-- > 0;) {
    if (blocks[i].memory != memory) continue;
    found = blocks[i];
    blocks[i] = blocks[--block_count];
    break;
  }
  leave();
  return found;
}

void *malloc(size_t size) { return guarded && size != 0 ? guarded_block(size, 1) : __libc_malloc(size); }

void *calloc(size_t count, size_t size) {
  if (!guarded || count == 0 || size == 0) return __libc_calloc(count, size);
  void *const memory = guarded_block(count * size, 1);
  return memory == NULL ? NULL : memset(memory, 0, count * size);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size) {
  return guarded && size != 0 ? guarded_block(size, alignment) : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == NULL ? ENOMEM : 0;
}

void free(void *memory) {
  const block_t block = memory == NULL ? (block_t){0} : take(memory);
  if (block.memory == NULL) {
    __libc_free(memory);
  } else if (munmap(block.mapping, block.mapping_size) != 0) {
    abort();
  }
}

void *realloc(void *memory, size_t size) {
  const block_t block = memory == NULL ? (block_t){0} : take(memory);
  if (block.memory == NULL && (!guarded || memory != NULL)) return __libc_realloc(memory, size);
  void *const larger = malloc(size);
  if (block.memory != NULL) {
    if (larger != NULL) memcpy(larger, block.memory, size < block.size ? size : block.size);
    if (munmap(block.mapping, block.mapping_size) != 0) abort();
  }
  return larger;
}

static void nest(void *depth) {
  if (*(int *)depth == 0) {
    ok(library_traps(), "a trap, deep inside");
    return;
  }
  --*(int *)depth;
  must(wasmtrap_call(nest, depth, NULL) == WASMTRAP_OK);
}

enum { RANGES = 300 };

/* Trees grow and shrink. Nobody looks at the memory there. */
static void register_many(wasmtrap_client_t client, char *memory) {
  static const wasmtrap_site_t sites[] = {{1, 7}, {3, 8}, {9, 9}};
  uint64_t ids[2 * RANGES];
  for (size_t i = 0; i < RANGES; i++) {
    /* 7 and 300 have no factor in common. */
    char *const start = memory + i * 7 % RANGES * 64;
    wasmtrap_code_desc_t code = {.struct_size = sizeof code, .client = client, .start = start, .length = 64};
    code.site_count = i % 4;
    code.sites = code.site_count == 0 ? NULL : sites;
    must(wasmtrap_code_register(&code, &ids[2 * i]) == WASMTRAP_OK);
    const wasmtrap_region_desc_t region = {.struct_size = sizeof region, .client = client, .base = start,
                                           .length = 64};
    must(wasmtrap_region_register(&region, &ids[2 * i + 1]) == WASMTRAP_OK);
  }
  wasmtrap_code_info_t info = {.struct_size = sizeof info};
  must(wasmtrap_code_lookup(memory + 64 * 200, &info) == WASMTRAP_OK);
  for (size_t i = 0; i < RANGES; i += 1 + i % 2) {
    must(wasmtrap_code_unregister(ids[2 * i]) == WASMTRAP_OK);
    must(wasmtrap_region_unregister(ids[2 * i + 1]) == WASMTRAP_OK);
  }
}

static wasmtrap_verdict_t forward(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  return WASMTRAP_VERDICT_FORWARD;
}

static void work(char *memory) {
  wasmtrap_client_t client = 0;
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "another"};
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  register_many(client, memory);
  for (int i = 0; i < 3; i++) {
    must(wasmtrap_client_set_fault_handler(client, forward, NULL, WASMTRAP_HANDLER_ANY_FAULT) == WASMTRAP_OK);
  }
  ok(library_traps(), "a trap");
  int depth = 200;
  must(wasmtrap_call(nest, &depth, NULL) == WASMTRAP_OK);
  free(described());
  must(wasmtrap_rearm() == WASMTRAP_OK);
  must(wasmtrap_client_close(client) == WASMTRAP_OK);
  register_many(WASMTRAP_CLIENT_DEFAULT, memory);
  ok(library_traps(), "a trap");
}

static void *work_elsewhere(void *unused) {
  guarded = 1;
  work((char *)0x20000);
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  ok(library_traps(), "attached again at the thread's end");
  return unused;
}

int main(void) {
  guarded = 1;
  host_init();
  work((char *)0x10000);
  guarded = 0;
  pthread_t thread;
  must(pthread_create(&thread, NULL, work_elsewhere, NULL) == 0 && pthread_join(thread, NULL) == 0);
  guarded = 1;
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shut down");
  guarded = 0;
  ok(made > 4 * RANGES, "%zu blocks of memory ended at a page that may not be touched", made);
  return tap_done();
}
