/* What is signal-safe may be left by a jump: a handler of the host's that interrupts a look-up, or wasmtrap_raise, and
 * leaves by siglongjmp does not keep those waiting for ever who unregister. */
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

/* Most jumps come while tables are looked at: that takes most of each loop's time. */
enum { JUMPS = 50 };

static void *page;
static uint64_t code, region;

static void register_all(void) {
  code = host_register_strict_code(&wasm_load);
  region = host_register_region(page, page_size(), WASMTRAP_CODE_NONE);
}

static void unregister_all(void) {
  must(wasmtrap_code_unregister(code) == WASMTRAP_OK);
  must(wasmtrap_region_unregister(region) == WASMTRAP_OK);
}

static sigjmp_buf out;
/* Only what is signal-safe may be left: not the rest of a protected call. */
static volatile sig_atomic_t may_jump;

static void start_timer(int microseconds) {
  const struct itimerval timer = {{0, 0}, {0, microseconds}};
  must(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void jump_out(int signal) {
  (void)signal;
  if (may_jump) siglongjmp(out, 1);
  start_timer(50);
}

static void look_code_up(void) {
  wasmtrap_code_info_t info = {0};
  info.struct_size = sizeof info;
  must(wasmtrap_code_lookup((const void *)wasm_load.start, &info) == WASMTRAP_OK);
}

static void look_a_region_up(void) {
  wasmtrap_region_info_t info = {0};
  info.struct_size = sizeof info;
  must(wasmtrap_region_lookup(page, &info) == WASMTRAP_OK);
}

static void tell_what_is_accessible(void) { must(wasmtrap_region_set_accessible(page, 0) == WASMTRAP_OK); }

/* From two places in turn: wasmtrap_raise remembers what it has found of its last caller. */
static void run_raise(void *unused) {
  (void)unused;
  may_jump = 1;
  wasmtrap_raise(WASMTRAP_CODE_USER, 0);
}

static void run_another_raise(void *unused) {
  (void)unused;
  may_jump = 1;
  wasmtrap_raise(WASMTRAP_CODE_USER + 1, 1);
}

static void raise_a_trap(void) {
  static int turn;
  wasmtrap_trap_t trap = host_new_trap();
  may_jump = 0;
  must(wasmtrap_call(turn++ % 2 == 0 ? run_raise : run_another_raise, NULL, &trap) == WASMTRAP_TRAPPED);
  may_jump = 0;
}

static void jump_out_of(void (*look)(void), int round) {
  if (sigsetjmp(out, 1) == 0) {
    start_timer(60 + round * 37 % 200);
    may_jump = 1;
    for (;;) look();
  }
  may_jump = 0;
}

typedef struct way_t {
  const char *name;
  void (*look)(void);
} way_t;

static const way_t ways[] = {
    {"wasmtrap_code_lookup", look_code_up},
    {"wasmtrap_region_lookup", look_a_region_up},
    {"wasmtrap_region_set_accessible", tell_what_is_accessible},
    {"wasmtrap_raise", raise_a_trap},
};

static void leave_by_jumps(void *argument) {
  const way_t *const way = argument;
  host_init();
  page = inaccessible_page();
  register_all();
  must(signal(SIGALRM, jump_out) != SIG_ERR);
  for (int i = 0; i < JUMPS; i++) {
    jump_out_of(way->look, i);
    must(signal(SIGALRM, SIG_DFL) != SIG_ERR);
    alarm(60);
    unregister_all();
    alarm(0);
    must(signal(SIGALRM, jump_out) != SIG_ERR);
    register_all();
  }
  ok(library_traps(), "traps go on after all jumps");
}

int main(void) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    child_passes(leave_by_jumps, (void *)(uintptr_t)&ways[i], ways[i].name);
  }
  return tap_done();
}
