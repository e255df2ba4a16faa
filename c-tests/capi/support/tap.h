/*
 * Test output in the Test Anything Protocol, for `prove`.
 *
 * A program makes its checks and ends with `return tap_done();`. The plan comes last, so that a program that dies
 * half-way has failed. In a forked child (process.h) the same checks print nothing while they hold: what failed is
 * shown as a comment, and the child's exit status tells its parent. A program that hangs is ended by an alarm.
 */
#ifndef TAP_H
#define TAP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* mingw's own printf, which knows %zu, where it is asked for. */
#if defined(__MINGW32__)
#define TAP_PRINTF(format_at, first_at) __attribute__((format(gnu_printf, format_at, first_at)))
#else
#define TAP_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#endif

/* Each returns whether the check held. */
int tap_check(int good, const char *file, int line, const char *format, ...) TAP_PRINTF(4, 5);
int tap_number(uint64_t got, uint64_t expected, const char *file, int line, const char *format, ...) TAP_PRINTF(5, 6);
int tap_contains(const char *text, const char *part, const char *file, int line, const char *format, ...)
    TAP_PRINTF(5, 6);
int tap_same_text(const char *got, const char *expected, const char *file, int line, const char *format, ...)
    TAP_PRINTF(5, 6);

#define ok(condition, ...) tap_check((condition) ? 1 : 0, __FILE__, __LINE__, __VA_ARGS__)
/* Integers of any kind, and pointers through address_of. */
#define same(got, expected, ...) tap_number((uint64_t)(got), (uint64_t)(expected), __FILE__, __LINE__, __VA_ARGS__)
#define contains(text, part, ...) tap_contains(text, part, __FILE__, __LINE__, __VA_ARGS__)
#define same_text(got, expected, ...) tap_same_text(got, expected, __FILE__, __LINE__, __VA_ARGS__)
/* What a test stands on, rather than what it tests: the program ends at once if it fails. */
#define must(condition) ((condition) ? (void)0 : tap_give_up(#condition, __FILE__, __LINE__))

#define address_of(pointer) ((uint64_t)(uintptr_t)(pointer))

void tap_give_up(const char *condition, const char *file, int line) __attribute__((noreturn));
/* Stands in the place of a check that cannot be made here; `reason` says why. */
void tap_skip(const char *reason, const char *format, ...) TAP_PRINTF(2, 3);
void tap_note(const char *format, ...) TAP_PRINTF(1, 2);
/* Prints the plan; returns the exit status for main. */
int tap_done(void);
/* For a program whose promise is about something that this machine does not have. */
int tap_skip_all(const char *reason);
/* From now on this process is a child: see above. What fails is counted in `failures` as well, if that is not NULL:
 * memory shared with the parent, for a child that is going to die. */
void tap_become_child(int *failures);
/* Exit status of such a child. */
int tap_child_status(void);

#ifdef __cplusplus
}
#endif

#endif
