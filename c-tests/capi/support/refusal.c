#include "refusal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

enum { PATTERN = 0xa5 };

static char *remembered;
static pthread_t remembered_by;

/* Takes the lines that begin so out of a description. */
static void leave_out(char *text, const char *beginning) {
  for (char *line = text; *line != 0;) {
    char *const next = line + strcspn(line, "\n") + 1;
    if (strncmp(line, beginning, strlen(beginning)) == 0) {
      memmove(line, next, strlen(next) + 1);
    } else {
      line = next;
    }
  }
}

/* What of a description must stay: not what counts on by itself (exceptions), nor what is another thread's. */
static char *comparable(const char *description) {
  char *const text = strdup(description);
  must(text != NULL);
  leave_out(text, "Mach:");
  if (!pthread_equal(pthread_self(), remembered_by)) leave_out(text, "this thread:");
  return text;
}

static int is_as_remembered(const char *description) {
  if (remembered == NULL) return 1;
  char *const before = comparable(remembered), *const now = comparable(description);
  const int same_text = strcmp(before, now) == 0;
  free(before);
  free(now);
  return same_text;
}

void remember_state(void) {
  free(remembered);
  remembered_by = pthread_self();
  remembered = described();
}

int refused(wasmtrap_status_t got, wasmtrap_status_t expected, const char *argument, const char *value,
            const char *name) {
  const char *const sentence = wasmtrap_last_error();
  const int names_argument = argument == NULL || strstr(sentence, argument) != NULL;
  const int names_value = value == NULL || strstr(sentence, value) != NULL;
  char *const now = described();
  const int same_state = is_as_remembered(now);
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
