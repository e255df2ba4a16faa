/*
 * Sets the library up as a host without wishes does, and prints what it says of the set-up. With the environment
 * variable WASMTRAP_BACKEND that is what comes of a wish. A set-up that fails prints the library's sentence.
 */
#include <stdio.h>
#include <stdlib.h>

#include "wasmtrap.h"

int main(void) {
  if (wasmtrap_init(NULL) != WASMTRAP_OK) {
    printf("refused: %s\n", wasmtrap_last_error());
    return 1;
  }
  size_t length = 0;
  if (wasmtrap_describe(NULL, 0, &length) != WASMTRAP_OK) return 2;
  char *const text = malloc(length + 1);
  if (text == NULL || wasmtrap_describe(text, length + 1, NULL) != WASMTRAP_OK) return 2;
  fputs(text, stdout);
  free(text);
  return 0;
}
