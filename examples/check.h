/* For the examples: a call of the library that fails ends the program with the library's own sentence. */
#ifndef EXAMPLES_CHECK_H
#define EXAMPLES_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <wasmtrap.h>

static inline wasmtrap_status_t check(wasmtrap_status_t status, const char *what) {
  if (status < 0) {
    fprintf(stderr, "%s: %s: %s\n", what, wasmtrap_status_name(status), wasmtrap_last_error());
    exit(2);
  }
  return status;
}
#define CHECK(call) check(call, #call)

#endif
