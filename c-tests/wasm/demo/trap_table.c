#include "trap_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wasm_rt_wasmtrap.h"

/* The trap between two strings that begin and end its colour. */
#define ROW "  %-15s  %s%-29s%s  %7s  %-11s  %-6s  "
enum { FRAMES_COLUMN = 80, WIDTH = 120 };

static const char *const BOLD = "\033[1m", *const RED = "\033[31m", *const YELLOW = "\033[33m";

/* What switches to a colour, and back, on a terminal; nothing elsewhere, and where NO_COLOR is set (no-color.org). */
static const char *colour(const char *sequence) {
  const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
  const int refused = (no_color != NULL && *no_color != '\0') || terminal == NULL || strcmp(terminal, "dumb") == 0;
  return !refused && isatty(STDOUT_FILENO) ? sequence : "";
}

static const char *plain(void) { return colour("\033[0m"); }

void trap_table_heading(const char *module, const char *about) {
  static const char line[] = "----------------------------------------";
  printf("\n%s%s%s: %s\n\n", colour(BOLD), module, plain(), about);
  printf(ROW "%s\n", "function", "", "trap", "", "offset", "address", "access", "frames, innermost first");
  printf("  %.15s  %.29s  %.7s  %.11s  %.6s  %.40s\n", line, line, line, line, line, line);
}

/* The address to look a frame up by: frames but that of a fault are return addresses, which belong to the call before
 * them. */
static size_t address_in_frame(const wasmtrap_trap_t *trap, size_t frame) {
  const int is_fault = frame == 0 && trap->source != WASMTRAP_SOURCE_RAISE;
  return is_fault ? trap->frames[frame] : trap->frames[frame] - 1;
}

/* The code that a frame is in: 0 if it is in no module. `symbol` is NULL where wasm2c added the function. */
static int code_of_frame(const wasmtrap_trap_t *trap, size_t frame, size_t *offset,
                         const wasm_rt_wasmtrap_symbol_t **symbol) {
  wasmtrap_code_info_t code = {.struct_size = sizeof code};
  const size_t address = address_in_frame(trap, frame);
  if (wasmtrap_code_lookup((const void *)address, &code) != WASMTRAP_OK) return 0;
  /* All ranges of this host are modules. */
  *symbol = wasm_rt_wasmtrap_module_symbol(code.user, code.offset);
  if (*symbol != NULL && (*symbol)->name == NULL) *symbol = NULL;
  *offset = code.offset + (trap->frames[frame] - address);
  return 1;
}

/* The name of a frame, NULL if it is not to be shown. */
static const char *name_of_frame(const wasmtrap_trap_t *trap, size_t frame) {
  const wasm_rt_wasmtrap_symbol_t *symbol;
  size_t offset;
  if (!code_of_frame(trap, frame, &offset, &symbol)) return "(host)";
  return symbol == NULL ? NULL : symbol->name;
}

static int is_same_name(const char *name, const char *other) { return other != NULL && strcmp(name, other) == 0; }

/* Whether it is a function of a module. */
static int is_wasm(const wasmtrap_trap_t *trap, size_t frame) {
  const wasm_rt_wasmtrap_symbol_t *symbol;
  size_t offset;
  return code_of_frame(trap, frame, &offset, &symbol) && symbol != NULL;
}

static void append(char *text, size_t size, const char *more) { strncat(text, more, size - strlen(text) - 1); }

static void frames_in_words(const wasmtrap_trap_t *trap, char *text, size_t size) {
  text[0] = '\0';
  size_t count = trap->frame_count;
  while (count > 0 && !is_wasm(trap, count - 1)) count--;
  for (size_t i = 0, times; i < count; i += times) {
    const char *name = name_of_frame(trap, i);
    times = 1;
    if (name == NULL) continue;
    while (i + times < count && is_same_name(name, name_of_frame(trap, i + times))) times++;
    if (text[0] != '\0') append(text, size, " < ");
    append(text, size, name);
    if (times > 1) {
      char more[24];
      snprintf(more, sizeof more, " x%zu", times);
      append(text, size, more);
    }
  }
  if (trap->flags & WASMTRAP_FRAMES_TRUNCATED) append(text, size, " ...");
}

void trap_table_in_words(const wasmtrap_trap_t *trap, trap_in_words_t *words) {
  const char *name = wasmtrap_code_name(trap->code);
  if (trap->code >= WASMTRAP_CODE_USER) {
    snprintf(words->trap, sizeof words->trap, "%s 0x%x", name, (unsigned)trap->code);
  } else {
    snprintf(words->trap, sizeof words->trap, "%s", name);
  }
  if (trap->flags & WASMTRAP_HAS_REGION) {
    snprintf(words->address, sizeof words->address, "0x%zx", trap->region_offset);
    snprintf(words->access, sizeof words->access, "%s", wasmtrap_access_name(trap->access));
  } else {
    strcpy(words->address, "-");
    strcpy(words->access, "-");
  }
  frames_in_words(trap, words->frames, sizeof words->frames);
}

/* The innermost WebAssembly function of the trap, and the offset in its module's code. */
static const char *innermost_function(const wasmtrap_trap_t *trap, char *offset, size_t size) {
  for (size_t i = 0; i < trap->frame_count; i++) {
    const wasm_rt_wasmtrap_symbol_t *symbol;
    size_t at;
    if (!code_of_frame(trap, i, &at, &symbol) || symbol == NULL) continue;
    snprintf(offset, size, "0x%zx", at);
    return symbol->name;
  }
  snprintf(offset, size, "-");
  return "-";
}

/* Prints frames from FRAMES_COLUMN on, on more lines where one is too short. */
static void print_frames(const char *frames) {
  size_t column = FRAMES_COLUMN;
  for (const char *next; *frames != '\0'; frames = next) {
    const char *stop = strstr(frames, " < ");
    next = stop == NULL ? frames + strlen(frames) : stop + 3;
    const size_t length = (size_t)(next - frames);
    if (column + length > WIDTH + 1 && column > FRAMES_COLUMN) {
      printf("\n%*s", FRAMES_COLUMN, "");
      column = FRAMES_COLUMN;
    }
    printf("%.*s", (int)length, frames);
    column += length;
  }
  printf("\n");
}

int trap_table_row(const wasmtrap_trap_t *trap, const expectation_t *expected) {
  trap_in_words_t words;
  char offset[24];
  trap_table_in_words(trap, &words);
  const char *function = innermost_function(trap, offset, sizeof offset);
  printf(ROW, function, colour(RED), words.trap, plain(), offset, words.address, words.access);
  print_frames(words.frames);

  const trap_in_words_t *good = &expected->trap;
  if (strcmp(words.trap, good->trap) == 0 && strcmp(words.address, good->address) == 0 &&
      strcmp(words.access, good->access) == 0 && strcmp(words.frames, good->frames) == 0) {
    return 1;
  }
  printf(ROW, "  -- expected:", colour(YELLOW), good->trap, plain(), "", good->address, good->access);
  print_frames(good->frames);
  return 0;
}
