/* A child goes each way through the library, instruction by instruction. At every one inside of the library two
 * unwinders must come to main, and find there the stack pointer and the callee-saved registers that main has:
 *
 * - libunwind from this process, by ptrace, on x86-64;
 * - libgcc in the child itself, in the handler of a signal that arrives at that instruction. The library blocks signals
 *   in its handlers; the tracer takes the mask away for that long.
 *
 * Given the name of a way, the program goes it and does nothing else: for a debugger (debugger.py). */
#include <elf.h>
#include <errno.h>
#if defined(__x86_64__)
#include <libunwind-ptrace.h>
#endif
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#include "handlers.h"
#include "tap.h"
#include "ways.h"
#include "wasmtrap.h"

int main(int count, char **arguments);

/* <linux/ptrace.h>, which does not go with <sys/ptrace.h>. */
#define GET_SIGNAL_MASK 0x420a
#define SET_SIGNAL_MASK 0x420b

enum { LONGEST_STACK = 100, MOST_STEPS = 1000000, MOST_NAMED = 12, LOOKS_BACK = SIGUSR2 };

/* ---- The processor ---- */

typedef struct user_regs_struct registers_t;

/* The callee-saved registers by their numbers in DWARF, which both unwinders take. */
#if defined(__x86_64__)
/* rbx, rbp, r12 to r15. */
static const int callee_saved[] = {3, 6, 12, 13, 14, 15};
static uint64_t pc_of(const registers_t *registers) { return registers->rip; }
static uint64_t sp_of(const registers_t *registers) { return registers->rsp; }
#define STOP_HERE "int3"
enum { MOST_VISITS = 3 };
/* Nothing of the library's is without tables. */
static int is_the_linkers(uint64_t pc) {
  (void)pc;
  return 0;
}
#else
/* x19 to x29. */
static const int callee_saved[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29};
static uint64_t pc_of(const registers_t *registers) { return registers->pc; }
static uint64_t sp_of(const registers_t *registers) { return registers->sp; }
#define STOP_HERE "brk #0"
/* The processor is emulated: no instruction twice, in no way. */
enum { MOST_VISITS = 1 };
static uint32_t instruction_at(uint64_t pc) { return *(const uint32_t *)(uintptr_t)pc; }
/* No linker makes tables for the entries of arm64's PLT: adrp x16; ldr x17, [x16, ...]; add x16, x16, ...; br x17. */
static int is_the_linkers(uint64_t pc) {
  for (uint64_t start = pc - 12; start <= pc; start += 4) {
    if ((instruction_at(start) & 0x9f00001f) == 0x90000010 && (instruction_at(start + 4) & 0xffc003ff) == 0xf9400211 &&
        (instruction_at(start + 8) & 0xff8003ff) == 0x91000210 && instruction_at(start + 12) == 0xd61f0220) {
      return 1;
    }
  }
  return 0;
}
#endif
enum { CALLEE_SAVED = sizeof callee_saved / sizeof *callee_saved };

static registers_t registers_of(pid_t child) {
  registers_t registers;
  struct iovec place = {&registers, sizeof registers};
  must(ptrace(PTRACE_GETREGSET, child, (void *)NT_PRSTATUS, &place) == 0 && place.iov_len == sizeof registers);
  return registers;
}

/* Lets it go on by `request` with a signal, and returns the signal by which it has stopped again; 0 at its end. */
static int resume(pid_t child, int request, int signal) {
  must(ptrace((enum __ptrace_request)request, child, NULL, (void *)(long)signal) == 0);
  int status;
  must(waitpid(child, &status, 0) == child);
  return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

#if defined(__x86_64__)
static void pass_breakpoint(pid_t child) { (void)child; }
static int step(pid_t child, int signal) { return resume(child, PTRACE_SINGLESTEP, signal); }
#else
/* A stop is at the instruction, not behind it. */
static void pass_breakpoint(pid_t child) {
  registers_t registers = registers_of(child);
  registers.pc += 4;
  struct iovec place = {&registers, sizeof registers};
  must(ptrace(PTRACE_SETREGSET, child, (void *)NT_PRSTATUS, &place) == 0);
}

static int is_load_exclusive(uint32_t instruction) { return (instruction & 0x3fc00000) == 0x08400000; }
static int is_store_exclusive(uint32_t instruction) { return (instruction & 0x3fe00000) == 0x08000000; }

/* Between a load exclusive and its store nobody can stop: a return from the kernel loses the reservation, and the loop
 * that they are would go round for ever. A breakpoint behind the branch that follows the store ends it. What comes out
 * in between in another way is not stepped through to the next stop. */
static int step(pid_t child, int signal) {
  enum { LONGEST_LOOP = 16 };
  const registers_t now = registers_of(child);
  const uint64_t pc = now.pc;
  uint64_t end = 0;
  if (signal != 0 || !is_load_exclusive(instruction_at(pc))) return resume(child, PTRACE_SINGLESTEP, signal);
  for (int i = 0; i < LONGEST_LOOP && end == 0; i++) {
    if (is_store_exclusive(instruction_at(pc + 4 * (uint64_t)i))) end = pc + 4 * (uint64_t)i + 8;
  }
  must(end != 0);
  void *const place = (void *)(uintptr_t)(end & ~(uint64_t)7);
  const unsigned shift = end % 8 * 8;
  const uint64_t before = (uint64_t)ptrace(PTRACE_PEEKTEXT, child, place, NULL);
  const uint64_t with_break = (before & ~(UINT64_C(0xffffffff) << shift)) | UINT64_C(0xd4200000) << shift;
  must(ptrace(PTRACE_POKETEXT, child, place, (void *)with_break) == 0);
  const int stopped_by = resume(child, PTRACE_CONT, 0);
  must(ptrace(PTRACE_POKETEXT, child, place, (void *)before) == 0);
  return stopped_by;
}
#endif

/* The state of main in its call. */
typedef struct frame_t {
  uint64_t pc, sp, registers[CALLEE_SAVED];
} frame_t;

/* In memory that the child shares. */
typedef struct shared_t {
  uint64_t wanted_pc;
  int found;
  frame_t frame;
} shared_t;
static shared_t *shared;

/* ---- Where the library is ---- */

static uintptr_t library_base, library_start, library_end;

static int find_library(struct dl_phdr_info *module, size_t size, void *unused) {
  (void)size;
  (void)unused;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const ElfW(Phdr) *const part = &module->dlpi_phdr[i];
    const uintptr_t start = module->dlpi_addr + part->p_vaddr, code = (uintptr_t)&wasmtrap_version;
    if (part->p_type != PT_LOAD || code < start || code >= start + part->p_memsz) continue;
    library_base = module->dlpi_addr;
    library_start = start;
    library_end = start + part->p_memsz;
    return 1;
  }
  return 0;
}

#if defined(__x86_64__)
/* ---- The unwinder in this process ---- */

/* libunwind-ptrace 1.6.2 does not find the tables of this library as lld lays it out, with segments that begin within a
 * page of the file. The child is a fork, so its modules are those of this process. */
typedef struct search_t {
  uintptr_t pc;
  unw_dyn_info_t tables;
} search_t;

/* What an .eh_frame_hdr has before its table, as all linkers write it. */
typedef struct table_header_t {
  uint8_t version, tables_encoding, count_encoding, entries_encoding;
  int32_t tables;
  uint32_t entries;
} table_header_t;
enum { VERSION = 1, UNSIGNED_WORD = 0x03, SIGNED_WORD_FROM_HERE = 0x1b, SIGNED_WORD_FROM_HEADER = 0x3b };

static int find_tables(struct dl_phdr_info *module, size_t size, void *argument) {
  (void)size;
  search_t *const search = argument;
  const table_header_t *header = NULL;
  int has_code = 0;
  for (int i = 0; i < module->dlpi_phnum; i++) {
    const ElfW(Phdr) *const part = &module->dlpi_phdr[i];
    const uintptr_t start = module->dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_GNU_EH_FRAME) header = (const table_header_t *)start;
    if (part->p_type != PT_LOAD || search->pc < start || search->pc >= start + part->p_memsz) continue;
    search->tables.start_ip = start;
    search->tables.end_ip = start + part->p_memsz;
    has_code = 1;
  }
  if (!has_code || header == NULL) return 0;
  must(header->version == VERSION && header->tables_encoding == SIGNED_WORD_FROM_HERE);
  must(header->count_encoding == UNSIGNED_WORD && header->entries_encoding == SIGNED_WORD_FROM_HEADER);
  search->tables.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  search->tables.u.rti.segbase = (unw_word_t)header;
  search->tables.u.rti.table_data = (unw_word_t)(header + 1);
  search->tables.u.rti.table_len = header->entries * 2 * sizeof(int32_t) / sizeof(unw_word_t);
  return 1;
}

/* Exported for those who find tables themselves, and in no header. */
#define search_table UNW_OBJ(dwarf_search_unwind_table)
int search_table(unw_addr_space_t space, unw_word_t pc, unw_dyn_info_t *tables, unw_proc_info_t *function, int whole,
                 void *by_ptrace);

static int find_function(unw_addr_space_t space, unw_word_t pc, unw_proc_info_t *function, int whole,
                         void *by_ptrace) {
  search_t search = {pc, {0}};
  if (dl_iterate_phdr(find_tables, &search) == 0) return -UNW_ENOINFO;
  return search_table(space, pc, &search.tables, function, whole, by_ptrace);
}

static unw_accessors_t accessors(void) {
  unw_accessors_t all = _UPT_accessors;
  all.find_proc_info = find_function;
  return all;
}
#endif

/* ---- The unwinder in the child ---- */

static _Unwind_Reason_Code look_at_frame(struct _Unwind_Context *context, void *frames) {
  const uint64_t pc = _Unwind_GetIP(context);
  if (shared->wanted_pc != 0 ? pc == shared->wanted_pc : _Unwind_GetRegionStart(context) == (uintptr_t)&main) {
    shared->found = 1;
    shared->frame.pc = pc;
    shared->frame.sp = _Unwind_GetCFA(context);
    for (int i = 0; i < CALLEE_SAVED; i++) shared->frame.registers[i] = _Unwind_GetGR(context, callee_saved[i]);
    return _URC_END_OF_STACK;
  }
  return ++*(int *)frames == LONGEST_STACK ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void look_back(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  int frames = 0;
  _Unwind_Backtrace(look_at_frame, &frames);
  __asm__ volatile(STOP_HERE);
}

/* ---- The tracer ---- */

typedef struct tracer_t {
  pid_t child;
#if defined(__x86_64__)
  unw_addr_space_t space;
  void *by_ptrace;
#endif
  frame_t main_frame;
  int instructions;
  /* How often it has looked back from each of the library's addresses: loops go round often. */
  unsigned char *visits;
  int lost_by_libunwind, lost_by_libgcc;
} tracer_t;

#if defined(__x86_64__)
/* The frame with that program counter, or the one of main for 0. */
static int walk_from_here(const tracer_t *tracer, uint64_t wanted_pc, frame_t *frame) {
  unw_cursor_t cursor;
  if (unw_init_remote(&cursor, tracer->space, tracer->by_ptrace) != 0) return 0;
  for (int i = 0; i < LONGEST_STACK; i++) {
    unw_word_t value;
    unw_proc_info_t function;
    if (unw_get_reg(&cursor, UNW_REG_IP, &value) != 0) return 0;
    if (wanted_pc != 0 ? value == wanted_pc
                       : unw_get_proc_info(&cursor, &function) == 0 && function.start_ip == (unw_word_t)main) {
      frame->pc = value;
      if (unw_get_reg(&cursor, UNW_REG_SP, &value) != 0) return 0;
      frame->sp = value;
      for (int r = 0; r < CALLEE_SAVED; r++) {
        if (unw_get_reg(&cursor, callee_saved[r], &value) != 0) return 0;
        frame->registers[r] = value;
      }
      return 1;
    }
    if (unw_step(&cursor) <= 0) return 0;
  }
  return 0;
}
#endif

/* 0 if the child has not come back from the handler. */
static int look_back_from_here(pid_t child) {
  const registers_t before = registers_of(child);
  uint64_t mask, none = 0;
  memset(&shared->frame, 0, sizeof shared->frame);
  shared->found = 0;
  must(ptrace((enum __ptrace_request)GET_SIGNAL_MASK, child, (void *)sizeof mask, &mask) == 0);
  must(ptrace((enum __ptrace_request)SET_SIGNAL_MASK, child, (void *)sizeof none, &none) == 0);
  must(syscall(SYS_tgkill, child, child, LOOKS_BACK) == 0);
  if (resume(child, PTRACE_CONT, 0) != LOOKS_BACK) return 0;
  registers_t now = registers_of(child);
  must(pc_of(&now) == pc_of(&before));
  if (resume(child, PTRACE_CONT, LOOKS_BACK) != SIGTRAP) return 0;
  pass_breakpoint(child);
  do {
    if (step(child, 0) != SIGTRAP) return 0;
    now = registers_of(child);
  } while (pc_of(&now) != pc_of(&before) || sp_of(&now) != sp_of(&before));
  must(ptrace((enum __ptrace_request)SET_SIGNAL_MASK, child, (void *)sizeof mask, &mask) == 0);
  return 1;
}

static int is_right(const tracer_t *tracer, int found, const frame_t *frame, const char *unwinder, uint64_t pc,
                    int before) {
  if (found && memcmp(frame, &tracer->main_frame, sizeof *frame) == 0) return 1;
  if (before < MOST_NAMED) {
    tap_note("%s, at 0x%llx in the library: %s", unwinder, (unsigned long long)(pc - library_base),
             found ? "main's registers are wrong" : "does not come to main");
  }
  return 0;
}

/* Whether the child is still there. */
static int look_from_here(tracer_t *tracer, uint64_t pc) {
#if defined(__x86_64__)
  frame_t frame;
  const int found = walk_from_here(tracer, tracer->main_frame.pc, &frame);
  tracer->lost_by_libunwind += !is_right(tracer, found, &frame, "libunwind", pc, tracer->lost_by_libunwind);
#endif
  const int alive = look_back_from_here(tracer->child);
  const int seen = alive && shared->found;
  tracer->lost_by_libgcc += !is_right(tracer, seen, &shared->frame, "libgcc", pc, tracer->lost_by_libgcc);
  return alive;
}

/* Whether it came to the end. */
static int step_through(tracer_t *tracer) {
  int signal = 0;
  for (int steps = 0; steps < MOST_STEPS; steps++) {
    const registers_t registers = registers_of(tracer->child);
    const uint64_t pc = pc_of(&registers);
    const int in_library = pc >= library_start && pc < library_end;
    tracer->instructions += in_library;
    if (signal == 0 && in_library && tracer->visits[pc - library_start] < MOST_VISITS &&
        !is_the_linkers(pc)) {
      tracer->visits[pc - library_start]++;
      if (!look_from_here(tracer, pc)) return 0;
    }
    const int stopped_by = step(tracer->child, signal);
    if (stopped_by == 0 || stopped_by == SIGSTOP) return stopped_by == SIGSTOP;
    signal = stopped_by == SIGTRAP ? 0 : stopped_by;
  }
  return 0;
}

static void trace(const way_t *way) {
  tracer_t tracer = {0};
  tracer.child = fork();
  must(tracer.child >= 0);
  if (tracer.child == 0) {
    must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    install_handler(LOOKS_BACK, look_back, 0);
    take_way(way);
    _exit(0);
  }
  int status;
  must(waitpid(tracer.child, &status, 0) == tracer.child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  static unsigned char *visits;
  if (visits == NULL) visits = calloc(library_end - library_start, 1);
  must(visits != NULL);
  if (MOST_VISITS > 1) memset(visits, 0, library_end - library_start);
  tracer.visits = visits;
  /* It allocates in its first use, and what is seen here, outside of the library, is right. */
  shared->wanted_pc = 0;
  must(look_back_from_here(tracer.child) && shared->found);
  tracer.main_frame = shared->frame;
  shared->wanted_pc = tracer.main_frame.pc;
#if defined(__x86_64__)
  unw_accessors_t way_in = accessors();
  tracer.space = unw_create_addr_space(&way_in, 0);
  tracer.by_ptrace = _UPT_create(tracer.child);
  must(tracer.space != NULL && tracer.by_ptrace != NULL);
  frame_t frame;
  must(walk_from_here(&tracer, 0, &frame) && memcmp(&frame, &tracer.main_frame, sizeof frame) == 0);
#endif

  ok(step_through(&tracer), "%s: comes to its end", way->name);
#if defined(__x86_64__)
  same(tracer.lost_by_libunwind, 0, "%s: libunwind finds main from each instruction", way->name);
#endif
  same(tracer.lost_by_libgcc, 0, "%s: libgcc finds main from each instruction", way->name);
  ok(tracer.instructions > way->longer_than, "%s: %d instructions", way->name, tracer.instructions);

#if defined(__x86_64__)
  _UPT_destroy(tracer.by_ptrace);
  unw_destroy_addr_space(tracer.space);
#endif
  kill(tracer.child, SIGKILL);
  must(waitpid(tracer.child, &status, 0) == tracer.child || errno == ECHILD);
}

int main(int count, char **arguments) {
  if (count > 1) {
    for (size_t i = 0; i < way_count; i++) {
      if (strcmp(ways[i].name, arguments[1]) == 0) {
        take_way(&ways[i]);
        return 0;
      }
    }
    fprintf(stderr, "there is no way called '%s'\n", arguments[1]);
    return 2;
  }
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(shared != MAP_FAILED && dl_iterate_phdr(find_library, NULL) == 1);
  for (size_t i = 0; i < way_count; i++) trace(&ways[i]);
  return tap_done();
}
