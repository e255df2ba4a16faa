/*
 * The list of what each way to trap must come to: expected_traps.txt, which says what is in its columns.
 */
#ifndef EXPECTATIONS_H
#define EXPECTATIONS_H

#include <stddef.h>

/* What there is to say of a trap, as text. */
typedef struct trap_in_words_t {
  char trap[48];
  char address[24];
  char access[12];
  char frames[160];
} trap_in_words_t;

typedef struct expectation_t {
  char module[16];
  char called[40];
  trap_in_words_t trap;
} expectation_t;

enum { MAX_EXPECTATIONS = 64 };

/* Reads the list; returns its length. Prints what is wrong with the file and exits if it cannot be read. */
size_t expectations_read(const char *path, expectation_t list[MAX_EXPECTATIONS]);

#endif
