/* Each function that the header declares is in the library. */
#include "host.h"

typedef void (*function_t)(void);

static const struct {
  const char *name;
  function_t function;
} functions[] = {
#define FUNCTION(name) {#name, (function_t)name},
#include "documented_functions.h"
};

int main(void) {
  const size_t count = sizeof functions / sizeof *functions;
  for (size_t i = 0; i < count; i++) ok(functions[i].function != NULL, "%s", functions[i].name);
  ok(count >= 24, "they are all here");
  return tap_done();
}
