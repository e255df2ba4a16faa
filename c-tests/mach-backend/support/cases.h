/*
 * A program whose cases each run in a process of their own, a fresh image of the program: a forked child that has not
 * called exec is told apart by the library, and gets signals.
 *
 * main is one line: `return run_cases(argc, argv, CASES(cases));`. A case uses the checks of tap.h.
 */
#ifndef CASES_H
#define CASES_H

#include <stddef.h>

#include "tap.h"

typedef struct test_case_t {
  /* The check's name. */
  const char *name;
  void (*function)(void);
  /* The signal that must end the process, 0 if it must come to its end. */
  int dies_of;
} test_case_t;

#define CASES(array) array, sizeof array / sizeof *array

/* Called in a case: the host does not have what the case needs. Its check becomes a skip. */
void skip_case(const char *reason) __attribute__((noreturn));

/* One check for each case; returns main's exit status. */
int run_cases(int argc, char **argv, const test_case_t *cases, size_t count);

#endif
