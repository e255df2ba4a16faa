#include "png_decoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "png.h"
#include "wasm_rt_wasmtrap.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_png;

enum { WIDTH = 256, HEIGHT = 192, CHANNELS = 3, PIXELS_SIZE = WIDTH * HEIGHT * CHANNELS };

static uint8_t sample[1 << 20];
static uint32_t sample_size;

void png_decoder_load_sample(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file != NULL) {
    sample_size = (uint32_t)fread(sample, 1, sizeof sample, file);
    fclose(file);
  }
  if (sample_size == 0) {
    perror(path);
    exit(2);
  }
}

const char *png_decoder_about_sample(void) {
  static char about[64];
  snprintf(about, sizeof about, "%d x %d pixels from %u bytes", WIDTH, HEIGHT, (unsigned)sample_size);
  return about;
}

wasmtrap_status_t png_decoder_set_up(void) {
  uint64_t id;
  const wasmtrap_status_t status = wasm_rt_wasmtrap_module_register(&wasm_module_png, &id);
  return status;
}

/* The module's one import: a JavaScript host would look at the memory anew. */
void w2c_env_emscripten_notify_memory_growth(struct w2c_env *host, u32 memory) {
  (void)host;
  (void)memory;
}

/* make_sample.py's rule. */
static int is_right(const uint8_t *pixels) {
  for (int y = 0; y < HEIGHT; y++) {
    for (int x = 0; x < WIDTH; x++, pixels += CHANNELS) {
      const uint8_t right[CHANNELS] = {(uint8_t)(x ^ y), (uint8_t)(x + y), (uint8_t)(x * y)};
      if (memcmp(pixels, right, sizeof right) != 0) return 0;
    }
  }
  return 1;
}

enum { DECODE_RIGHTLY = 0 };

typedef struct task_t {
  w2c_png instance;
  int how;
  int right;
} task_t;

static void decode(void *argument) {
  task_t *task = argument;
  w2c_png *png = &task->instance;
  wasm_rt_memory_t *memory = w2c_png_memory(png);
  wasm2c_png_instantiate(png, NULL);
  w2c_png_0x5Finitialize(png);

  uint32_t in = w2c_png_malloc(png, sample_size);
  uint32_t out = w2c_png_malloc(png, PIXELS_SIZE);
  uint32_t in_memory = sample_size;
  /* At the end of the memory, on pages that the module's malloc knows nothing of. */
  if (task->how != DECODE_RIGHTLY) wasm_rt_grow_memory(memory, 2);
  if (task->how == PNG_DECODER_INPUT_CUT_OFF) {
    in_memory = sample_size / 2;
    in = memory->size - in_memory;
  }
  if (task->how == PNG_DECODER_OUTPUT_TOO_SMALL) out = memory->size - 100 * WIDTH * CHANNELS;
  memcpy(memory->data + in, sample, in_memory);
  const uint32_t error = w2c_png_png_decompress(png, in, sample_size, out, PIXELS_SIZE, 0);
  task->right = error == 0 && is_right(memory->data + out);
}

static wasmtrap_status_t run(int how, int *right, wasmtrap_trap_t *trap) {
  static task_t task;
  memset(&task, 0, sizeof task);
  task.how = how;
  const wasmtrap_status_t status = wasm_rt_wasmtrap_call(decode, &task, trap);
  if (right != NULL) *right = task.right;
  wasm2c_png_free(&task.instance);
  return status;
}

wasmtrap_status_t png_decoder_decode(int *right, wasmtrap_trap_t *trap) { return run(DECODE_RIGHTLY, right, trap); }

wasmtrap_status_t png_decoder_decode_wrongly(int how, wasmtrap_trap_t *trap) { return run(how, NULL, trap); }
