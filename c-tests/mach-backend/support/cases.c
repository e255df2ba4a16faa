#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a case has to say to its parent, in a file that both have: it may die before it could tell. */
typedef struct outcome_t {
  int failures;
  char skipped[256];
} outcome_t;

static outcome_t *outcome_here;

static int run_one(const test_case_t *one, int file) {
  outcome_here = mmap(NULL, sizeof *outcome_here, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  must(outcome_here != MAP_FAILED);
  const struct rlimit no_core = {0, 0};
  must(setrlimit(RLIMIT_CORE, &no_core) == 0);
  tap_become_child(&outcome_here->failures);
  one->function();
  return tap_child_status();
}

void skip_case(const char *reason) {
  snprintf(outcome_here->skipped, sizeof outcome_here->skipped, "%s", reason);
  _exit(tap_child_status());
}

/* What libraries have to say of a process that is meant to die goes nowhere. */
static void close_standard_error(void) {
  const int nowhere = open("/dev/null", O_WRONLY);
  must(nowhere >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
}

static void judge(const test_case_t *one, int status, const outcome_t *outcome) {
  if (outcome->skipped[0] != '\0' && outcome->failures == 0) {
    tap_skip(outcome->skipped, "%s", one->name);
    return;
  }
  const int ended = one->dies_of == 0 ? WIFEXITED(status) && WEXITSTATUS(status) == 0
                                      : WIFSIGNALED(status) && WTERMSIG(status) == one->dies_of;
  ok(ended && outcome->failures == 0, "%s", one->name);
  if (ended) return;
  if (WIFSIGNALED(status)) tap_note("ended by %s", strsignal(WTERMSIG(status)));
  if (WIFEXITED(status)) tap_note("exited with %d", WEXITSTATUS(status));
}

static void run_in_a_new_image(char *program, const test_case_t *one, size_t number) {
  FILE *const file = tmpfile();
  must(file != NULL && ftruncate(fileno(file), sizeof(outcome_t)) == 0);
  char number_text[32], file_text[32];
  snprintf(number_text, sizeof number_text, "%zu", number);
  snprintf(file_text, sizeof file_text, "%d", fileno(file));
  const pid_t child = fork();
  must(child >= 0);
  if (child == 0) {
    if (one->dies_of != 0) close_standard_error();
    fcntl(fileno(file), F_SETFD, 0);
    char *const arguments[] = {program, number_text, file_text, NULL};
    execv(program, arguments);
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) != child) must(errno == EINTR);
  outcome_t outcome;
  must(pread(fileno(file), &outcome, sizeof outcome, 0) == sizeof outcome);
  fclose(file);
  judge(one, status, &outcome);
}

int run_cases(int argc, char **argv, const test_case_t *cases, size_t count) {
  if (argc == 3) {
    const size_t number = (size_t)strtoul(argv[1], NULL, 10);
    must(number < count);
    return run_one(&cases[number], atoi(argv[2]));
  }
  for (size_t i = 0; i < count; i++) run_in_a_new_image(argv[0], &cases[i], i);
  return tap_done();
}
