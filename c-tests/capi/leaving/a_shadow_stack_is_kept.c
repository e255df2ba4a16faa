/* A thread with a user shadow stack (CET) has the right return addresses on it after each way out of a protected call,
 * and rt_sigreturn finds the kernel's token there, after earlier handlers as well.
 *
 * Few machines have one, so the processor's and the kernel's part is played by a parent that traces the thread by
 * single steps: calls push, returns compare and pop, rdssp and incssp (which processors without it take for a no-op and
 * for an illegal instruction) read and pop, and a signal frame has a token, as setup_signal_shadow_stack and
 * restore_signal_shadow_stack of arch/x86/kernel/shstk.c leave and look for it. */
#include "host.h"

#if defined(__linux__) && defined(__x86_64__) && !EMULATED
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlers.h"
#include "process.h"

enum { DEPTH = 4096, DEEP = 600, RETURN_FROM_SIGNAL = 15 };
#define TOP UINT64_C(0x700000000000)
#define TOKEN (UINT64_C(1) << 63)

/* The shadow stack: what is above `depth` was popped. Above the first are the frames of whoever called the scenario. */
static struct {
  uint64_t words[DEPTH];
  size_t depth;
  /* What has gone wrong, and how often the library looked at it and dropped frames of it. */
  int wrong, read, dropped;
} shadow;

static void wrong(const char *what, uint64_t pc) {
  if (shadow.wrong++ == 0) tap_note("%s at %#llx", what, (unsigned long long)pc);
}

static void push(uint64_t word) {
  must(shadow.depth < DEPTH);
  shadow.words[shadow.depth++] = word;
}

static uint64_t pop(uint64_t pc) {
  if (shadow.depth == 0) {
    wrong("a shadow stack that is empty", pc);
    return 0;
  }
  return shadow.words[--shadow.depth];
}

static uint64_t pointer(void) { return TOP - 8 * (uint64_t)shadow.depth; }

typedef enum { OTHER, CALL, RETURN, READ, DROP, SYSTEM_CALL } kind_t;

typedef struct {
  kind_t kind;
  unsigned reg, length;
} instruction_t;

static instruction_t decode(uint64_t word) {
  unsigned char bytes[sizeof word];
  memcpy(bytes, &word, sizeof word);
  instruction_t found = {OTHER, 0, 0};
  size_t at = 0;
  int repeated = 0, wide = 0, extended = 0;
  for (; at < 4; at++) {
    const unsigned char byte = bytes[at];
    if (byte == 0xf3) {
      repeated = 1;
    } else if ((byte & 0xf0) == 0x40) {
      wide = byte >> 3 & 1;
      extended = byte & 1;
    } else if (byte != 0x66 && byte != 0xf2 && byte != 0x3e && byte != 0x64) {
      break;
    }
  }
  const unsigned char opcode = bytes[at], second = bytes[at + 1], third = bytes[at + 2];
  const unsigned operation = third >> 3 & 7;
  if (opcode == 0xe8 || (opcode == 0xff && (second >> 3 & 7) == 2)) found.kind = CALL;
  if (opcode == 0xc3 || opcode == 0xc2) found.kind = RETURN;
  if (opcode == 0x0f && second == 0x05) found.kind = SYSTEM_CALL;
  if (opcode == 0x0f && repeated && wide && third >> 6 == 3) {
    if (second == 0x1e && operation == 1) found.kind = READ;
    if (second == 0xae && operation == 5) found.kind = DROP;
    found.reg = (third & 7) + (extended ? 8 : 0);
    found.length = (unsigned)at + 3;
  }
  return found;
}

/* glibc and musl give them different names of one type. */
typedef __typeof__(((struct user_regs_struct *)0)->rax) machine_word_t;

/* A register by its number in instructions. */
static machine_word_t *place_of(struct user_regs_struct *registers, unsigned number) {
  machine_word_t *const places[] = {&registers->rax, &registers->rcx, &registers->rdx, &registers->rbx,
                                    &registers->rsp, &registers->rbp, &registers->rsi, &registers->rdi,
                                    &registers->r8,  &registers->r9,  &registers->r10, &registers->r11,
                                    &registers->r12, &registers->r13, &registers->r14, &registers->r15};
  return places[number];
}

static struct user_regs_struct registers_of(pid_t child) {
  struct user_regs_struct registers;
  must(ptrace(PTRACE_GETREGS, child, NULL, &registers) == 0);
  return registers;
}

static uint64_t word_at(pid_t child, uint64_t address) {
  return (uint64_t)ptrace(PTRACE_PEEKDATA, child, (void *)(uintptr_t)address, NULL);
}

/* What only a processor that has it does. Whether that was the instruction. */
static int acts_for_the_processor(pid_t child, struct user_regs_struct *registers, instruction_t instruction) {
  machine_word_t *const place = place_of(registers, instruction.reg);
  if (instruction.kind == READ) {
    shadow.read++;
    *place = pointer();
  } else if (instruction.kind == DROP) {
    shadow.dropped += (int)(*place & 0xff);
    for (unsigned count = *place & 0xff; count > 0; count--) pop(registers->rip);
  } else {
    return 0;
  }
  registers->rip += instruction.length;
  must(ptrace(PTRACE_SETREGS, child, NULL, registers) == 0);
  return 1;
}

static void note_step(pid_t child, const struct user_regs_struct *before, instruction_t instruction) {
  const struct user_regs_struct now = registers_of(child);
  switch (instruction.kind) {
    case CALL: push(word_at(child, now.rsp)); break;
    case RETURN:
      /* The kernel's token is no address. */
      if (shadow.depth > 0 && pop(before->rip) != now.rip) wrong("a return to elsewhere", before->rip);
      break;
    case SYSTEM_CALL:
      if (before->rax == RETURN_FROM_SIGNAL) {
        const uint64_t token = pop(before->rip);
        if (token & TOKEN) {
          shadow.depth = (size_t)(token & ~TOKEN);
        } else {
          wrong("no token for rt_sigreturn", before->rip);
        }
      }
      break;
    default: break;
  }
}

/* Steps through a child from its first SIGSTOP to its second, and returns how it ends. */
static int step_through(pid_t child) {
  int status;
  must(waitpid(child, &status, 0) == child);
  if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP) return status;
  memset(&shadow, 0, sizeof shadow);
  for (int signal = 0;;) {
    struct user_regs_struct before = registers_of(child);
    const instruction_t instruction = decode(word_at(child, before.rip));
    if (signal == 0 && acts_for_the_processor(child, &before, instruction)) continue;
    must(ptrace(PTRACE_SINGLESTEP, child, NULL, (void *)(intptr_t)signal) == 0);
    must(waitpid(child, &status, 0) == child);
    if (!WIFSTOPPED(status)) return status;
    if (WSTOPSIG(status) == SIGSTOP) break;
    if (signal != 0) {
      /* At the handler's first instruction. */
      push(TOKEN | shadow.depth);
      push(word_at(child, registers_of(child).rsp));
      signal = 0;
      if (WSTOPSIG(status) == SIGTRAP) continue;
    }
    if (WSTOPSIG(status) == SIGTRAP) {
      note_step(child, &before, instruction);
    } else {
      signal = WSTOPSIG(status);
    }
  }
  must(ptrace(PTRACE_DETACH, child, NULL, NULL) == 0);
  must(waitpid(child, &status, 0) == child);
  return status;
}

static void *page;

static void load(void) {
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
}

/* Through a pointer that the compiler knows nothing of, so that each call has a frame. */
static void (*volatile further_in)(int frames, void (*then)(void));

static void far_in(int frames, void (*then)(void)) {
  if (frames > 0) {
    further_in(frames - 1, then);
  } else {
    then();
  }
  NOT_A_TAIL_CALL();
}

static void load_from_far(void *unused) {
  (void)unused;
  far_in(DEEP, load);
}

static void raise_code(void) { wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 0); }

static void raise_from_far(void *unused) {
  (void)unused;
  far_in(DEEP, raise_code);
}

static void a_return(void *unused) {
  (void)unused;
  must(wasmtrap_call(NULL, NULL, NULL) != WASMTRAP_OK);
  make_accessible(page);
  must(host_load(&wasm_load, page, &(wasmtrap_trap_t){0}) == WASMTRAP_OK);
  make_inaccessible(page);
}

static void a_trap(void *unused) {
  wasmtrap_trap_t trap;
  (void)unused;
  must(host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED);
}

static void a_trap_from_far(void *unused) {
  (void)unused;
  must(wasmtrap_call(load_from_far, NULL, NULL) == WASMTRAP_TRAPPED);
}

static void a_raise(void *unused) {
  (void)unused;
  must(wasmtrap_call(raise_from_far, NULL, NULL) == WASMTRAP_TRAPPED);
}

/* Not in registered code: the host's own, which an earlier handler mends. */
static void a_mended_fault(void *unused) {
  (void)unused;
  mending_calls = 0;
  make_inaccessible(page);
  must(*(volatile unsigned char *)page == 0 && mending_calls == 1);
  make_inaccessible(page);
}

static void a_mended_fault_in_a_call(void *unused) {
  (void)unused;
  must(wasmtrap_call(a_mended_fault, NULL, NULL) == WASMTRAP_OK);
}

typedef struct {
  child_function_t function;
  /* What the earlier handler has besides SA_SIGINFO. */
  int flags;
  /* How many frames the landing has to drop at least. */
  int dropped;
  const char *name;
} scenario_t;

static void scenario(void *argument) {
  const scenario_t *const how = argument;
  install_handler(SIGSEGV, mending_handler, how->flags);
  host_init_with_signals();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  further_in = far_in;
  /* Once, so that the dynamic linker has nothing left to do. */
  how->function(NULL);
  must(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0);
  how->function(NULL);
  must(raise(SIGSTOP) == 0);
}

static void try_tracing(void *unused) {
  (void)unused;
  if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(1);
}

int main(void) {
  static const scenario_t scenarios[] = {
      {a_return, 0, 0, "a return"},
      {a_trap, 0, 1, "a trap"},
      {a_trap_from_far, 0, DEEP, "a trap from far in"},
      {a_raise, 0, DEEP, "a raise from far in"},
      {a_mended_fault, 0, 0, "an earlier handler on the thread's stack"},
      {a_mended_fault, SA_ONSTACK, 0, "an earlier handler on the alternate stack"},
      {a_mended_fault_in_a_call, 0, 0, "the same in a protected call"},
  };
  if (child_wait(child_start(try_tracing, NULL)) != 0) return tap_skip_all("no process can be traced here");
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    const scenario_t *const how = &scenarios[i];
    const pid_t child = child_start(scenario, (void *)(uintptr_t)how);
    const int status = step_through(child);
    ok(status == 0, "%s", how->name);
    if (status != 0) tap_note("the child was %s", child_end_in_words(status));
    same(shadow.wrong, 0, "the shadow stack is as it should be");
    ok(shadow.read > 0, "the library looked at it");
    ok(shadow.dropped >= how->dropped, "%d frames were dropped of it", shadow.dropped);
  }
  return tap_done();
}
#else
int main(void) { return tap_skip_all("a shadow stack is simulated on Linux on x86-64, where processes can be traced"); }
#endif
