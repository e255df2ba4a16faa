#include "refusal.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"

enum { PATTERN = 0xa5 };

static char *remembered;

void remember_state(void) {
  free(remembered);
  remembered = described();
}

int refused(wasmtrap_status_t got, wasmtrap_status_t expected, const char *argument, const char *value,
            const char *name) {
  const char *const sentence = wasmtrap_last_error();
  const int names_argument = argument == NULL || strstr(sentence, argument) != NULL;
  const int names_value = value == NULL || strstr(sentence, value) != NULL;
  char *const now = described();
  const int same_state = remembered == NULL || strcmp(now, remembered) == 0;
  const int good = ok(got == expected && names_argument && names_value && same_state && sentence[0] != 0, "%s", name);
  if (got != expected) {
    tap_note("status %s, expected %s", wasmtrap_status_name(got), wasmtrap_status_name(expected));
  }
  if (!names_argument) tap_note("\"%s\" does not name %s", sentence, argument);
  if (!names_value) tap_note("\"%s\" does not tell the value %s", sentence, value);
  if (!same_state) tap_note("the state was\n%sand is\n%s", remembered, now);
  free(now);
  return good;
}

void fill(void *output, size_t size) { memset(output, PATTERN, size); }

int untouched(const void *output, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (((const unsigned char *)output)[i] != PATTERN) return 0;
  }
  return 1;
}
