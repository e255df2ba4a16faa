/* Once wasmtrap_set_fault_handler(NULL) has returned no thread enters the handler: not even one that was stopped when
 * all that was left to do was to jump to it. And who goes through the library instruction by instruction, as a
 * debugger does, gets into the handler.
 *
 * The thread is stopped in front of the jump by a parent that traces it. On x86-64 that is one instruction with the
 * look at the handler; on arm64 the thread has looked before, and Linux has it look again, if glibc has it do so. */
#include "host.h"

#if defined(__linux__) && !EMULATED
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

enum { MOST_STEPS = 1000000 };

/* In memory that the child shares. */
static struct {
  volatile pid_t thread;
  volatile int take_away, taken_away;
  volatile int entered, entered_late;
} *shared;

static wasmtrap_verdict_t handler(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  shared->entered++;
  if (shared->taken_away) shared->entered_late++;
  return WASMTRAP_VERDICT_FORWARD;
}

/* ---- The thread, from outside ---- */

typedef struct user_regs_struct registers_t;

static registers_t registers_of(pid_t thread) {
  registers_t registers;
  struct iovec place = {&registers, sizeof registers};
  must(ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRSTATUS, &place) == 0 && place.iov_len == sizeof registers);
  return registers;
}

#if defined(__x86_64__)
static uint64_t pc_of(pid_t thread) { return registers_of(thread).rip; }
#else
static uint64_t pc_of(pid_t thread) { return registers_of(thread).pc; }
#endif

static int is_inside(pid_t thread) { return pc_of(thread) == address_of(handler); }

static int wait_for(pid_t thread) {
  int status;
  while (waitpid(thread, &status, __WALL) != thread) must(errno == EINTR);
  return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

#if defined(__aarch64__)
#define BREAKPOINT 0xd4200000u
enum { MOST_EXCLUSIVE = 16 };

static uint32_t instruction_at(pid_t thread, uint64_t address) {
  const uint64_t word = (uint64_t)ptrace(PTRACE_PEEKTEXT, thread, (void *)(address & ~UINT64_C(7)), NULL);
  return (uint32_t)(word >> address % 8 * 8);
}

static void poke(pid_t thread, uint64_t address, uint32_t instruction) {
  const uint64_t word = address & ~UINT64_C(7);
  const unsigned shift = address % 8 * 8;
  uint64_t value = (uint64_t)ptrace(PTRACE_PEEKTEXT, thread, (void *)word, NULL);
  value = (value & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)instruction << shift;
  must(ptrace(PTRACE_POKETEXT, thread, (void *)word, (void *)value) == 0);
}

/* Load-exclusive and store-exclusive registers; a conditional branch. */
static int is_load_exclusive(uint32_t instruction) { return (instruction & 0x3fe00000u) == 0x08400000u; }
static int is_store_exclusive(uint32_t instruction) { return (instruction & 0x3fe00000u) == 0x08000000u; }
static int is_branch(uint32_t instruction) { return (instruction & 0xff000010u) == 0x54000000u; }
static uint64_t target_of(uint32_t branch, uint64_t at) {
  return at + (uint64_t)((int64_t)(int32_t)(branch << 8) >> 13) * 4;
}

/* The thread's next instruction. A step between the two halves of an exclusive access makes it fail, each time anew: it
 * is gone through as a whole, as debuggers do, to where it ends or is left. */
static int step(pid_t thread, int signal) {
  uint64_t ends[2];
  uint32_t there[2];
  int count = 0;
  uint64_t at = pc_of(thread);
  if (is_load_exclusive(instruction_at(thread, at))) {
    for (int i = 0; i < MOST_EXCLUSIVE && !is_store_exclusive(instruction_at(thread, at)); i++, at += 4) {
      const uint32_t instruction = instruction_at(thread, at);
      if (is_branch(instruction) && count == 0) ends[count++] = target_of(instruction, at);
    }
    ends[count++] = at + 4;
  }
  for (int i = 0; i < count; i++) there[i] = instruction_at(thread, ends[i]);
  for (int i = 0; i < count; i++) poke(thread, ends[i], BREAKPOINT);
  if (ptrace(count != 0 ? PTRACE_CONT : PTRACE_SINGLESTEP, thread, NULL, (void *)(intptr_t)signal) != 0) return 0;
  signal = wait_for(thread);
  for (int i = 0; signal != 0 && i < count; i++) poke(thread, ends[i], there[i]);
  return signal;
}
#else
static int step(pid_t thread, int signal) {
  return ptrace(PTRACE_SINGLESTEP, thread, NULL, (void *)(intptr_t)signal) == 0 ? wait_for(thread) : 0;
}
#endif

/* Steps until the thread has come there. Whether it has. */
static int step_until(int (*is_there)(pid_t thread), pid_t thread) {
  int signal = 0;
  for (int i = 0; i < MOST_STEPS; i++) {
    signal = step(thread, signal);
    if (signal == 0) return 0;
    if (signal == SIGTRAP) signal = 0;
    if (signal == 0 && is_there(thread)) return 1;
  }
  return 0;
}

static int comes_to_the_handler(pid_t thread) { return step_until(is_inside, thread); }

#if defined(__x86_64__)
static uint64_t word_at(pid_t thread, uint64_t address) {
  return (uint64_t)ptrace(PTRACE_PEEKDATA, thread, (void *)(uintptr_t)address, NULL);
}

/* jmp *(%rax), or with a displacement of one byte. */
static int is_at_the_jump(pid_t thread) {
  const registers_t registers = registers_of(thread);
  const uint64_t instruction = word_at(thread, registers.rip);
  uint64_t place = registers.rax;
  if ((instruction & 0xffff) == 0x60ff) {
    place += (uint64_t)(int64_t)(signed char)(instruction >> 16);
  } else if ((instruction & 0xffff) != 0x20ff) {
    return 0;
  }
  return word_at(thread, place) == address_of(handler);
}

static int comes_to_the_jump(pid_t thread) { return step_until(is_at_the_jump, thread); }
#else
#define LOOK 0xf9400130u /* ldr x16, [x9] */
#define JUMP 0xd61f0200u /* br x16 */
enum { MOST_JUMPS = 4 };
static uint32_t *jumps[MOST_JUMPS];
static int jump_count;

static void note_jumps(const ElfW(Phdr) * segment, ElfW(Addr) base) {
  uint32_t *const code = (uint32_t *)(base + segment->p_vaddr);
  for (size_t i = 1; i < segment->p_memsz / sizeof *code; i++) {
    if (code[i - 1] != LOOK || code[i] != JUMP) continue;
    must(jump_count < MOST_JUMPS);
    jumps[jump_count++] = &code[i];
  }
}

/* In the object that the library is in. */
static int note_object(struct dl_phdr_info *object, size_t size, void *unused) {
  const uint64_t library = address_of(wasmtrap_version);
  (void)size;
  (void)unused;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *const segment = &object->dlpi_phdr[i];
    const uint64_t start = object->dlpi_addr + segment->p_vaddr;
    if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) && library - start < segment->p_memsz) {
      note_jumps(segment, object->dlpi_addr);
    }
  }
  return 0;
}

/* By breakpoints: a thread that is stopped at the look already does not come to the jump behind it. */
static int comes_to_the_jump(pid_t thread) {
  jump_count = 0;
  dl_iterate_phdr(note_object, NULL);
  if (jump_count == 0) return 0;
  for (int i = 0; i < jump_count; i++) poke(thread, address_of(jumps[i]), BREAKPOINT);
  int signal = 0;
  do {
    must(ptrace(PTRACE_CONT, thread, NULL, (void *)(intptr_t)signal) == 0);
    signal = wait_for(thread);
  } while (signal != 0 && signal != SIGTRAP);
  for (int i = 0; i < jump_count; i++) poke(thread, address_of(jumps[i]), JUMP);
  return signal == SIGTRAP && registers_of(thread).regs[16] == address_of(handler);
}
#endif

/* ---- The process ---- */

static void *page;

static void *trap_traced(void *unused) {
  wasmtrap_trap_t trap;
  (void)unused;
  /* Once, so that the dynamic linker has nothing left to do. */
  must(host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED && shared->entered == 1);
  shared->entered = 0;
  const pid_t thread = (pid_t)syscall(SYS_gettid);
  must(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
  shared->thread = thread;
  must(syscall(SYS_tgkill, getpid(), thread, SIGSTOP) == 0);
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap by the tables");
  return NULL;
}

static void take_it_away(void *unused) {
  (void)unused;
  host_init_with_signals();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  must(wasmtrap_set_fault_handler(handler, NULL) == WASMTRAP_OK);
  pthread_t thread;
  must(pthread_create(&thread, NULL, trap_traced, NULL) == 0);
  while (!shared->take_away) usleep(1000);
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  shared->taken_away = 1;
  must(pthread_join(thread, NULL) == 0);
}

/* Goes with the child's thread to a place, and has the handler taken away then; the thread goes on from there. */
static void try(int (*comes_there)(pid_t thread), const char *name) {
  memset(shared, 0, sizeof *shared);
  const pid_t child = child_start(take_it_away, NULL);
  while (shared->thread == 0) usleep(1000);
  const pid_t thread = shared->thread;
  must(wait_for(thread) == SIGSTOP);
  ok(comes_there(thread), "%s", name);
  shared->take_away = 1;
  while (!shared->taken_away) usleep(1000);
  same(ptrace(PTRACE_DETACH, thread, NULL, NULL), 0, "goes on");
  same(child_wait(child), 0, "and traps");
}

static void try_tracing(void *unused) {
  (void)unused;
  if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(1);
}

int main(void) {
  if (child_wait(child_start(try_tracing, NULL)) != 0) return tap_skip_all("no process can be traced here");
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(shared != MAP_FAILED);
  try(comes_to_the_handler, "a thread that is stepped through comes to the handler");
  same(shared->entered, 1, "it was in the handler");
  try(comes_to_the_jump, "a thread is about to enter the handler");
  same(shared->entered_late, 0, "it does not enter what was taken away meanwhile");
  same(shared->entered, 0, "at any time");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("a thread is stopped by a parent that traces it, on Linux"); }
#endif
