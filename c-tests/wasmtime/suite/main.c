/*
 * Runs the specification's test suite, as wasm-compile-script has prepared it, through the host.
 *
 *     wasmtime-suite DIFFERENCES FOLDER SCRIPT...
 *
 * FOLDER has spectest.module and a folder for each script. DIFFERENCES lists what is known to differ, a script, a line
 * and the reason each; a listed line that does not fail is a failure too, so that the list stays true.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"
#include "wasmtrap.h"

enum { MAX_DIFFERENCES = 1024 };

typedef struct difference_t {
  char script[64];
  unsigned long line;
  char reason[160];
  int seen, wanted;
} difference_t;

static difference_t differences[MAX_DIFFERENCES];
static size_t difference_count;

static int read_differences(const char *path) {
  FILE *file = fopen(path, "r");
  char line[512];
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (line[0] == '#' || line[0] == '\n') continue;
    difference_t *entry = &differences[difference_count];
    if (difference_count == MAX_DIFFERENCES ||
        sscanf(line, "%63s %lu %159[^\n]", entry->script, &entry->line, entry->reason) != 3) {
      fprintf(stderr, "%s: not a script, a line and a reason: %s", path, line);
      fclose(file);
      return 0;
    }
    difference_count++;
  }
  fclose(file);
  return 1;
}

static int differs(const char *script, unsigned long line) {
  for (size_t i = 0; i < difference_count; i++)
    if (differences[i].line == line && strcmp(differences[i].script, script) == 0) {
      differences[i].seen = 1;
      return 1;
    }
  return 0;
}

/* Prints those of the scripts that ran; returns how many did not fail. */
static size_t report_differences(void) {
  size_t stale = 0, count = 0;
  for (size_t i = 0; i < difference_count; i++) {
    if (!differences[i].wanted) continue;
    count++;
    if (!differences[i].seen) {
      stale++;
      printf("%s.wast:%lu does not differ any more\n", differences[i].script, differences[i].line);
    } else {
      printf("differs: %s.wast:%lu: %s\n", differences[i].script, differences[i].line, differences[i].reason);
    }
  }
  printf("%zu known differences\n", count);
  return stale;
}

static int stop_because_of(const char *what, wasmtime_host_error_t *error) {
  fprintf(stderr, "%s: %s\n", what, wasmtime_host_error_message(error));
  wasmtime_host_error_free(error);
  return 2;
}

/* The line of libwasmtrap's description that names the backend. */
static void print_backend(void) {
  char text[4096] = "";
  wasmtrap_describe(text, sizeof text, NULL);
  char *line = strstr(text, "backend: ");
  if (line != NULL) printf("%.*s\n", (int)strcspn(line, "\n"), line);
}

int main(int argc, char **argv) {
  static const char *const NAMES[ASSERTIONS] = {"assert_return",    "assert_trap",       "assert_exhaustion",
                                                "assert_exception", "assert_unlinkable", "assert_invalid",
                                                "assert_malformed", "modules and steps"};
  if (argc < 4 || !read_differences(argv[1])) {
    fprintf(stderr, "usage: %s DIFFERENCES FOLDER SCRIPT...\n", argv[0]);
    return 2;
  }
  wasmtime_host_engine_t *engine = NULL;
  wasmtime_host_module_t *spectest = NULL;
  wasmtime_host_error_t *error = wasmtime_host_engine_new(NULL, &engine);
  if (error != NULL) return stop_because_of("engine", error);
  char path[4096];
  snprintf(path, sizeof path, "%s/spectest.module", argv[2]);
  error = wasmtime_host_module_load_file(engine, path, &spectest);
  if (error != NULL) return stop_because_of("spectest", error);

  print_backend();
  counts_t counts = {{0}, {0}};
  size_t passed = 0, failed = 0;
  for (int i = 3; i < argc; i++) {
    for (size_t j = 0; j < difference_count; j++) differences[j].wanted |= strcmp(differences[j].script, argv[i]) == 0;
    snprintf(path, sizeof path, "%s/%s", argv[2], argv[i]);
    failed += !run_script(engine, spectest, path, argv[i], &counts, differs);
  }
  wasmtime_host_module_free(spectest);
  wasmtime_host_engine_free(engine);

  printf("%d scripts\n%-18s %8s %8s\n", argc - 3, "", "passed", "failed");
  for (int kind = 0; kind < ASSERTIONS; kind++) {
    printf("%-18s %8zu %8zu\n", NAMES[kind], counts.passed[kind], counts.failed[kind]);
    passed += counts.passed[kind];
    failed += counts.failed[kind];
  }
  failed += report_differences();
  printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
