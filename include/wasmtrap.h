#ifndef WASMTRAP_H
#define WASMTRAP_H

/* Generated from src/capi.rs by cbindgen (`make header`). Do not edit. */

#include <stddef.h>
#include <stdint.h>

/*
 * libwasmtrap: WebAssembly traps as values, in processes that somebody else wrote.
 *
 * In short: wasmtrap_init once; register the machine code of each module (wasmtrap_code_register) and its linear
 * memories with their guards (wasmtrap_region_register); run each entry into WebAssembly by wasmtrap_call, which
 * returns WASMTRAP_TRAPPED and a trap record when the code faults or calls wasmtrap_raise. A fault that is not a trap
 * goes to whoever handled it before.
 *
 * Rules for all functions:
 * - WASMTRAP_OK is 0 and errors are negative. On error nothing has changed, outputs are untouched, and
 *   wasmtrap_last_error has a sentence that names the argument and its value.
 * - Structures that begin with struct_size must have it set to their sizeof before they are passed in. Set all other
 *   fields too, most simply by zeroing: wasmtrap_trap_t trap = {0}; (in C++ {}) and trap.struct_size = sizeof trap;
 * - Pointers passed in are used during the call only, unless said otherwise; nothing needs to be freed.
 * - Signal-safe means: may be called in a signal handler. All else may not.
 * - No function is a cancellation point (pthread_cancel), but wasmtrap_call as far as what it calls is one: a thread
 *   with a cancellation pending does the whole work of each, and is cancelled afterwards.
 * - The library holds none of its locks while it calls malloc, free or the dynamic linker: a malloc of the host's may
 *   have a lock of its own, and may call the library. The exceptions: the thread that wasmtrap_init starts for Mach
 *   ports, and one more malloc for an error's sentence where one before the lock has returned NULL.
 * - After fork the child goes on as it is: same registrations, same handlers; a protected call in the forking thread
 *   goes on too.
 *
 * A fault is a trap when all of these hold, in this order; otherwise it is forwarded untouched:
 * 1. the kernel made it, not kill, raise or sigqueue;
 * 2. the program counter is in a registered code range;
 * 3. the thread is inside a protected call;
 * 4. the offset is one of the range's trap sites, where the range came with a table of them;
 * 5. for a memory fault in a strict range: the address is in a registered region, or in the guard area of the stack
 *    that the thread runs on.
 * Its code is the site's, else the region's, else it follows from the kind of fault: the guard area of the stack means
 * stack overflow, other memory faults out of bounds (a misaligned access: misaligned), integer division by zero for a
 * SIGFPE of an integer division (other arithmetic is no trap without a site), unreachable for SIGILL and SIGTRAP.
 * Nobody's trap is what the kernel forces upon a thread for reasons of its own, a watchpoint or a single step, a branch
 * to where none may go, and a failed check of a pointer.
 *
 * Other signals. The library's signal handlers run on the alternate stack with every signal blocked. A signal that
 * waits arrives when the thread is on its own stack again, or in an earlier handler, which runs with the mask and on
 * the stack that the kernel would have given it.
 *
 * Windows. A vectored exception handler, in front of all others, takes the place of the signal handlers; what
 * is not a trap goes on to the next one, to __try frames and to the filter for unhandled exceptions, in its true place.
 * "Signal-safe" means there: may be called in a vectored handler or an exception filter. EXCEPTION_INT_OVERFLOW is an
 * integer overflow without a site, too. EXCEPTION_IN_PAGE_ERROR is a trap only where the accessible part of a region
 * has a code. An exception that is raised by software is never a trap. Handlers run on the stack of the code that
 * faulted: guests that overflow it need a stack with a guard and room below, as threads and fibers of the system have
 * it. longjmp out of protected calls unwinds, and the library hears of it; code that is registered needs unwind
 * information (RtlAddFunctionTable) only if exceptions or such jumps are to pass through it.
 *
 * System calls, for who runs under a seccomp filter on Linux (those of malloc and the dynamic linker aside):
 * - wasmtrap_init and wasmtrap_shutdown: getpid, membarrier, rt_sigaction, mmap, mprotect, munmap.
 * - Attaching a thread, which its first protected call does, and its end: sigaltstack, rt_sigprocmask, mmap, mprotect,
 *   munmap, getpid, gettid, sched_getaffinity, and tgkill without a signal where there are many threads; for the
 *   stack of the main thread openat, newfstatat, read, close, prlimit64.
 * - Registering and unregistering, and setting a fault handler: mmap, munmap, membarrier.
 * - wasmtrap_call: none. wasmtrap_raise: rt_sigprocmask, if it is not called from where the thread called it last, or
 *   if code has been registered or unregistered since. Looking up: rt_sigprocmask.
 * - wasmtrap_interrupt, where there is an interrupt_signal: rt_sigaction, rt_sigprocmask, getpid, tgkill, and in the
 *   thread rt_sigreturn; openat, read and close if a signal that was sent to the thread before has not come.
 * - A trap: rt_sigreturn, which seccomp's strict mode allows, too. With WASMTRAP_INIT_LEAVE_BY_JUMP rt_sigprocmask, as
 *   a rule, and rt_sigreturn if that is refused with an error.
 * - A fault that goes to an earlier handler: rt_sigreturn, and rt_sigprocmask if it was installed without SA_ONSTACK.
 * - A fault under the default action: rt_sigaction, rt_sigreturn; for a signal that was sent also rt_sigprocmask,
 *   getpid, gettid, rt_tgsigqueueinfo or tgkill.
 * What is refused with an error in a trap or in forwarding neither loses the trap nor the crash; a crash ends the
 * process in any case.
 */

/*
 * On Windows functions come from the DLL, unless WASMTRAP_STATIC is defined, as programs do that link with the static
 * library (pkg-config --static and CMake's wasmtrap::wasmtrap_static see to that). There is no data to be imported.
 */
#if defined(_WIN32) && !defined(WASMTRAP_STATIC)
#define WASMTRAP_API __declspec(dllimport)
#else
#define WASMTRAP_API
#endif

#if defined(__GNUC__)
#define WASMTRAP_NORETURN __attribute__((noreturn))
#else
#define WASMTRAP_NORETURN
#endif


// Major version of this header. The soname carries it: libwasmtrap.so.0.
#define WASMTRAP_VERSION_MAJOR 0

// Minor version of this header. It grows when something is added.
#define WASMTRAP_VERSION_MINOR 1

// Patch version of this header.
#define WASMTRAP_VERSION_PATCH 0

// Leave the choice between Mach ports and signals to `backend`.
#define WASMTRAP_MACH_PORTS_DEFAULT 0

// As Config::macos_use_mach_ports(true) in Wasmtime: Mach ports on macOS, as with WASMTRAP_BACKEND_MACH_PORTS. No
// effect elsewhere.
#define WASMTRAP_MACH_PORTS_YES 1

// As Config::macos_use_mach_ports(false) in Wasmtime: signals on macOS too. No effect elsewhere.
#define WASMTRAP_MACH_PORTS_NO 2

// Memory faults: SIGSEGV and SIGBUS; EXC_BAD_ACCESS.
#define WASMTRAP_FAULT_MEMORY 1

// Illegal instructions: SIGILL; EXC_BAD_INSTRUCTION. `ud2` and `udf` are among them.
#define WASMTRAP_FAULT_ILLEGAL 2

// Arithmetic: SIGFPE; EXC_ARITHMETIC. Integer division on x86-64; arm64 has no such fault.
#define WASMTRAP_FAULT_ARITHMETIC 4

// Breakpoint instructions: SIGTRAP; EXC_BREAKPOINT. `int3` and `brk`. Debuggers use them too: only on request.
#define WASMTRAP_FAULT_BREAKPOINT 8

// wasmtrap_init: if the backend asked for cannot be had, take another instead of failing.
#define WASMTRAP_INIT_ALLOW_FALLBACK 1

// wasmtrap_init: install no signal handlers. The host owns sigaction and calls wasmtrap_try_handle_signal.
#define WASMTRAP_INIT_HOST_OWNS_SIGNALS 2

// wasmtrap_init: leave the threads' signal masks alone. Without it, attaching a thread unblocks the signals of the
// faults taken in that thread, until it is detached: the kernel kills a process for a fault whose signal is blocked.
#define WASMTRAP_INIT_KEEP_SIGNAL_MASK 4

// wasmtrap_init: traps leave their signal handler by a jump to the protected call and rt_sigprocmask there, and not by
// rt_sigreturn: on Linux on x86-64, wherever both come to the same. A trap takes a tenth less time so. Not for
// processes that a seccomp filter kills for rt_sigprocmask, its strict mode for one: they would die at the first trap.
// Where the system call is refused with an error, rt_sigreturn it is. In effect while all clients that are open ask
// for it (wasmtrap_describe tells). No effect on other systems, on other processors, with Mach ports, with
// WASMTRAP_INIT_HOST_OWNS_SIGNALS, and where another handler passes the signal on to the library's.
#define WASMTRAP_INIT_LEAVE_BY_JUMP 8

// wasmtrap_check: the kinds of fault whose signals are blocked in the calling thread now, as WASMTRAP_FAULT_* bits
// shifted to the left by this. Their faults kill the process, unless Mach ports take them.
#define WASMTRAP_CHECK_BLOCKED_SHIFT 8

// wasmtrap_check: the calling thread is attached, but its alternate signal stack has been disabled since or replaced
// by one that is too small.
#define WASMTRAP_CHECK_ALTERNATE_STACK 65536

// wasmtrap_check: the interrupt signal (interrupt_signal in wasmtrap_options_t) has another handler than the library's
// now, or none. wasmtrap_interrupt does not send it then; wasmtrap_rearm puts the library's back.
#define WASMTRAP_CHECK_INTERRUPT_SIGNAL 131072

// wasmtrap_check: the interrupt signal is blocked in the calling thread now. It is interrupted no sooner than that is
// lifted, or at an interrupt point.
#define WASMTRAP_CHECK_INTERRUPTS_BLOCKED 262144

// The most clients that are open at a time, the default one among them.
#define WASMTRAP_MAX_CLIENTS 64

// wasmtrap_client_set_fault_handler: the handler is asked about faults that are no client's, too.
#define WASMTRAP_HANDLER_ANY_FAULT 1

// Memory faults in this range are traps only if the fault address lies in a registered region, or in the guard area
// of the thread's own stack. Everything else is a crash and forwarded. Recommended.
#define WASMTRAP_CODE_STRICT 1

// The range is code of an engine that the range's client has adopted (wasmtrap_adopt_begin): its faults are offered to
// that engine's handlers before anybody else is asked, and are never traps by these tables. Takes no trap sites.
#define WASMTRAP_CODE_ADOPTED 4

// A memory fault in this region is a trap wherever the program counter is: in an interpreter, in a host function, in
// libc's memmove. But only while the thread is inside a protected call of which the host has said that it may be
// dropped: between wasmtrap_guest_access_begin and wasmtrap_guest_access_end, for the client whose region it is.
// Everywhere else the fault is forwarded, as if there were no flag.
//
// What it costs: the frames between the fault and the protected call are dropped, host frames like guest frames. No
// destructor and no cleanup of theirs runs. Locks that they hold stay held, memory that they have allocated stays
// allocated, and what they were writing stays half written: a buffer, a list that is being linked, errno. So nothing
// of that kind may happen between begin and end: read and write guest memory there, and nothing else. A signal handler
// of the host's that interrupts such code and faults in the region itself is dropped with it.
//
// A system call that is given an address in the region does not fault: it fails with EFAULT, or does a part of its
// work. Fetching instructions from the region is no access to it, and forwarded.
#define WASMTRAP_REGION_ANY_PC 2

// In wasmtrap_region_info_t: the region is a page of wasmtrap_poll_page_open. Nobody can ask for it.
#define WASMTRAP_REGION_POLL_PAGE 2147483648

// Code in this range is not interrupted by wasmtrap_interrupt's signal, as if it were the host's: for an interpreter's
// own functions, which may be half-way through something that has to be whole. WASMTRAP_CODE_ADOPTED implies it.
#define WASMTRAP_CODE_NOT_INTERRUPTIBLE 8

// The trap came from a fault, by the registered tables.
#define WASMTRAP_SOURCE_FAULT 0

// The trap came from wasmtrap_raise.
#define WASMTRAP_SOURCE_RAISE 1

// The trap came from a fault, by the word of the fault handler (wasmtrap_set_fault_handler).
#define WASMTRAP_SOURCE_HANDLER 2

// The trap came from wasmtrap_interrupt. pc is where the thread was; or the function that was about to be called, of
// which no instruction has run; or, from wasmtrap_interrupt_point, that call's return address.
#define WASMTRAP_SOURCE_INTERRUPT 3

// code_id, code_user and code_offset are set: the program counter is in a registered range.
#define WASMTRAP_HAS_CODE 1

// The range has a site table and the program counter is one of its sites.
#define WASMTRAP_HAS_SITE 2

// fault_address is set. A non-canonical address on x86-64, for one, is not told by the processor.
#define WASMTRAP_HAS_FAULT_ADDRESS 4

// region_id, region_user and region_offset are set: the fault address is in a registered region.
#define WASMTRAP_HAS_REGION 8

// registers is set: all of it for a fault, none of it for wasmtrap_raise.
#define WASMTRAP_HAS_REGISTERS 16

// There were more frames than fitted the buffer, or than the library walks (WASMTRAP_MAX_FRAMES).
#define WASMTRAP_FRAMES_TRUNCATED 32

// The fault address is in the guard area of the thread's own stack.
#define WASMTRAP_HAS_STACK_GUARD 64

// The fault address is in the accessible part of the region: what failed is the memory itself.
#define WASMTRAP_IN_ACCESSIBLE 128

// The region alone made it a trap (WASMTRAP_REGION_ANY_PC): the frames that were dropped may be the host's.
#define WASMTRAP_BY_REGION_ALONE 256

// The most frames that a backtrace has.
#define WASMTRAP_MAX_FRAMES 128

// What wasmtrap_stack_limit keeps free for the host's imports unless wasmtrap_set_stack_reserve says otherwise, in
// bytes.
#define WASMTRAP_DEFAULT_STACK_RESERVE 65536

// The most engines that are adopted at a time, with those that were released and have not taken their handlers away.
#define WASMTRAP_MAX_ADOPTED 8

// wasmtrap_adopt_end: the engine's handlers are offered faults of its own only, those in ranges with
// WASMTRAP_CODE_ADOPTED and those of threads between wasmtrap_adopted_enter and wasmtrap_adopted_leave.
#define WASMTRAP_ADOPT_OWN_FAULTS 1

// A thread's protected calls, taken off it by wasmtrap_chain_detach. Opaque; lives on the stacks of those calls.
typedef struct wasmtrap_chain_t wasmtrap_chain_t;

// Why WebAssembly trapped: one of WASMTRAP_CODE_*, or the embedder's own from WASMTRAP_CODE_USER (0x1000) up. Codes
// between the named ones and 0x1000 are kept for later versions; they are carried as they are and have no name.
typedef uint32_t wasmtrap_code_t;

// What a call came to: WASMTRAP_OK is 0, errors are negative. An error leaves all outputs and all state as they were.
typedef int32_t wasmtrap_status_t;

// How memory was touched: one of WASMTRAP_ACCESS_*.
typedef uint32_t wasmtrap_access_t;

// How faults reach the library: one of WASMTRAP_BACKEND_*.
typedef uint32_t wasmtrap_backend_t;

// How the library is set up. Set struct_size, leave the rest zero for the defaults.
typedef struct wasmtrap_options_t {
  // sizeof(wasmtrap_options_t).
  size_t struct_size;
  // One of WASMTRAP_BACKEND_*. WASMTRAP_BACKEND_MACH_PORTS is an error (WASMTRAP_ERR_UNSUPPORTED) where there are
  // none, unless WASMTRAP_INIT_ALLOW_FALLBACK is set. The environment variable WASMTRAP_BACKEND ("auto", "mach" or
  // "signals") overrides this field and the next one, except in a process that runs with raised privileges.
  wasmtrap_backend_t backend;
  // One of WASMTRAP_MACH_PORTS_*: Wasmtime's switch, under Wasmtime's name. YES with WASMTRAP_BACKEND_SIGNALS, or NO
  // with WASMTRAP_BACKEND_MACH_PORTS, contradict each other: WASMTRAP_ERR_INVALID_ARGUMENT.
  uint32_t macos_use_mach_ports;
  // Which faults to take: WASMTRAP_FAULT_* or-ed together. 0 means MEMORY, ILLEGAL and ARITHMETIC.
  uint32_t fault_kinds;
  // WASMTRAP_INIT_* or-ed together.
  uint32_t flags;
  // Size in bytes of the alternate signal stack that a thread gets if it has none that is big enough: 0 for the
  // default (32 KiB, or more where the kernel's own frame is large), else 16 KiB to 64 MiB. Rounded up to pages, and
  // up to what the kernel needs for two signals (AT_MINSIGSTKSZ). On Windows, where there are no such stacks, it is
  // what a thread keeps free of its stack for handling an overflow (SetThreadStackGuarantee), until it ends.
  size_t alternate_stack_size;
  // The signal by which wasmtrap_interrupt reaches threads that are in registered code; 0 for none. The host gives
  // it to the library, which installs a handler of its own, with SA_RESTART, and unblocks it in the threads that are
  // attached (but for WASMTRAP_INIT_KEEP_SIGNAL_MASK and WASMTRAP_INIT_HOST_OWNS_SIGNALS). A real-time signal is
  // best: SIGRTMIN + 5, say. A host that owns its signal handlers hands each of them to wasmtrap_try_handle_signal,
  // which answers 1. A signal of faults, one that libc keeps to itself and one that cannot be caught are
  // WASMTRAP_ERR_INVALID_ARGUMENT; one that has a handler already is WASMTRAP_ERR_CONFLICT.
  // On Windows it must be 0, and none is needed: threads are suspended.
  int32_t interrupt_signal;
  // Must be 0.
  uint32_t reserved;
} wasmtrap_options_t;

// A user of the library, as wasmtrap_client_open wants it.
typedef struct wasmtrap_client_desc_t {
  // sizeof(wasmtrap_client_desc_t).
  size_t struct_size;
  // What the client is called in wasmtrap_describe and in the sentences of wasmtrap_last_error: a UTF-8 string that
  // ends in NUL. Copied, and cut after 47 bytes. Must not be NULL or empty.
  const char *name;
  // What the client wants, or NULL for the defaults. Read during the call only.
  const struct wasmtrap_options_t *options;
} wasmtrap_client_desc_t;

// A user of the library in this process: WASMTRAP_CLIENT_DEFAULT, or what wasmtrap_client_open gave. A number is never
// given out twice.
typedef uint32_t wasmtrap_client_t;

// One instruction that may trap.
typedef struct wasmtrap_site_t {
  // Offset in bytes of the instruction from the start of the code range.
  uint32_t offset;
  // What the trap means, or WASMTRAP_CODE_NONE to let the region, else the kind of fault, say it.
  wasmtrap_code_t code;
} wasmtrap_site_t;

// A range of compiled WebAssembly code to register.
typedef struct wasmtrap_code_desc_t {
  // sizeof(wasmtrap_code_desc_t).
  size_t struct_size;
  // First byte of the code.
  const void *start;
  // Length in bytes, at least 1. start + length must not wrap; with trap sites it is at most 4 GiB.
  size_t length;
  // The instructions that may trap, by strictly ascending offset, or NULL if any instruction in the range may.
  // Copied. A table that is not NULL but has no sites makes no fault a trap.
  const struct wasmtrap_site_t *sites;
  // Number of elements in `sites`; 0 if it is NULL.
  size_t site_count;
  // WASMTRAP_CODE_* flags or-ed together: STRICT, ADOPTED, NOT_INTERRUPTIBLE.
  uint32_t flags;
  // The embedder's own, handed back in trap records. Never looked at.
  void *user;
  // Whose range it is; 0 for the default client's. It goes with its client.
  wasmtrap_client_t client;
  // Which faults in the range may be traps: WASMTRAP_FAULT_* or-ed together; 0 for those that the client takes,
  // which is the most that can be asked for. An interpreter's own text wants WASMTRAP_FAULT_MEMORY alone, or the
  // host's assertions (`ud2`) would be "unreachable".
  uint32_t fault_kinds;
} wasmtrap_code_desc_t;

// What wasmtrap_code_lookup found.
typedef struct wasmtrap_code_info_t {
  // sizeof(wasmtrap_code_info_t), set by the caller.
  size_t struct_size;
  // The range's id.
  uint64_t id;
  // First byte of the code.
  const void *start;
  // Length in bytes.
  size_t length;
  // The range's user pointer.
  void *user;
  // Offset of the address in the range, in bytes.
  size_t offset;
  // 1 if the address is a trap site of the range's table, else 0.
  uint32_t has_site;
  // The site's code; WASMTRAP_CODE_NONE if there is none.
  wasmtrap_code_t site_code;
} wasmtrap_code_info_t;

// A range of data addresses in which a fault means something: a linear memory with its guards, a guard page of a
// stack, an interrupt page.
typedef struct wasmtrap_region_desc_t {
  // sizeof(wasmtrap_region_desc_t).
  size_t struct_size;
  // First byte of the region.
  const void *base;
  // Length in bytes, at least 1. base + length must not wrap.
  size_t length;
  // What a fault in here means, where the trap site does not say it; WASMTRAP_CODE_NONE for what the kind of fault
  // says (out of bounds, or misaligned).
  wasmtrap_code_t code;
  // WASMTRAP_REGION_ANY_PC or 0.
  uint32_t flags;
  // The embedder's own, handed back in trap records. Never looked at.
  void *user;
  // Whose region it is; 0 for the default client's. It goes with its client.
  wasmtrap_client_t client;
  // What a memory fault in the accessible part means; WASMTRAP_CODE_NONE: no trap. Code of its own, even at a trap
  // site: such a fault is not the guest's doing. Misaligned accesses are what they are everywhere.
  wasmtrap_code_t accessible_code;
  // Length in bytes of the part, from `base` on, that can be accessed without a fault: of a linear memory, its size.
  // At most `length`. 0 if there is none, or if that is not told: then every fault in the region is a trap. It
  // changes by wasmtrap_region_set_accessible.
  //
  // A fault in that part is a full or failing file system, a file that was truncated under its mapping (SIGBUS,
  // BUS_ADRERR), hardware that has lost the page (BUS_MCEERR_AR), or a page that the host has protected for a
  // purpose of its own: nothing that is out of bounds.
  size_t accessible;
} wasmtrap_region_desc_t;

// What wasmtrap_region_lookup found.
typedef struct wasmtrap_region_info_t {
  // sizeof(wasmtrap_region_info_t), set by the caller.
  size_t struct_size;
  // The region's id.
  uint64_t id;
  // First byte of the region.
  const void *base;
  // Length in bytes.
  size_t length;
  // The region's user pointer.
  void *user;
  // Offset of the address in the region, in bytes.
  size_t offset;
  // Length in bytes of its accessible part, as it was told last.
  size_t accessible;
  // What a fault in it means.
  wasmtrap_code_t code;
  // What a fault in its accessible part means.
  wasmtrap_code_t accessible_code;
  // Whose region it is.
  wasmtrap_client_t client;
  // The flags that it was registered with.
  uint32_t flags;
} wasmtrap_region_info_t;

// A function that runs under protection.
typedef void (*wasmtrap_function_t)(void *argument);

// The general-purpose registers, in the numbering of the platform's DWARF tables.
typedef struct wasmtrap_registers_t {
  // x86-64: rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 to r15, then zeros. arm64: x0 to x30, sp.
  uint64_t general[32];
  // Program counter: the instruction that faulted.
  uint64_t pc;
  // x86-64: rflags. arm64: pstate.
  uint64_t flags;
} wasmtrap_registers_t;

// A trap. The caller sets struct_size, frames and frames_capacity; wasmtrap_call sets the rest, and only when it
// returns WASMTRAP_TRAPPED.
typedef struct wasmtrap_trap_t {
  // sizeof(wasmtrap_trap_t), set by the caller.
  size_t struct_size;
  // Where the backtrace goes: the caller's buffer, or NULL for none. `frames[0]` is pc, each further one the return
  // address of the next frame out, up to the function that wasmtrap_call called. The walk follows frame pointers and
  // stops at the first that makes no sense, so code built without them ends it early.
  size_t *frames;
  // Number of elements that `frames` has room for.
  size_t frames_capacity;
  // Number of elements of `frames` that were written.
  size_t frame_count;
  // Why.
  wasmtrap_code_t code;
  // One of WASMTRAP_SOURCE_*.
  uint32_t source;
  // WASMTRAP_HAS_* and WASMTRAP_FRAMES_TRUNCATED, or-ed together: which of the fields below are set. The others are
  // 0.
  uint32_t flags;
  // What the faulting instruction did to memory. With Mach ports it is WASMTRAP_ACCESS_EXECUTE or
  // WASMTRAP_ACCESS_UNKNOWN: the exception message does not tell reads from writes.
  wasmtrap_access_t access;
  // Program counter: the instruction that faulted; for wasmtrap_raise, its return address.
  size_t pc;
  // Stack pointer at the fault.
  size_t sp;
  // Frame pointer register at the fault (rbp, x29).
  size_t fp;
  // Id of the code range.
  uint64_t code_id;
  // User pointer of the code range.
  void *code_user;
  // pc minus the start of the range, in bytes.
  size_t code_offset;
  // The address that the instruction failed to access.
  size_t fault_address;
  // Id of the region.
  uint64_t region_id;
  // User pointer of the region.
  void *region_user;
  // fault_address minus the base of the region, in bytes: with a linear memory, the WebAssembly address.
  size_t region_offset;
  // What was given to wasmtrap_raise, or set by the fault handler.
  uint64_t payload;
  // The signal (SIGSEGV, ...), 0 for wasmtrap_raise, for Mach exceptions and on Windows.
  int32_t signal;
  // siginfo_t's si_code.
  int32_t signal_code;
  // The Mach exception (EXC_BAD_ACCESS, ...), on Windows the exception's code (EXCEPTION_ACCESS_VIOLATION, ..., a
  // DWORD), 0 for all else. One of signal and exception is set for a fault, whichever way it came.
  int32_t exception;
  // Number of elements of exception_codes that are set.
  uint32_t exception_code_count;
  // The Mach exception's codes; on Windows the first parameters of the exception (ExceptionInformation).
  int64_t exception_codes[2];
  // The registers at the fault.
  struct wasmtrap_registers_t registers;
} wasmtrap_trap_t;

// What a protected call was before wasmtrap_guest_access_begin. A plain value; nothing needs to be freed.
typedef struct wasmtrap_guest_access_t {
  // The library's own.
  uint64_t words[2];
} wasmtrap_guest_access_t;

// A note of the protected calls that a thread is in, made by wasmtrap_mark. A plain value: copy it, keep it as long as
// you like, forget it; nothing needs to be freed.
typedef struct wasmtrap_mark_t {
  // The library's own.
  uint64_t words[8];
} wasmtrap_mark_t;

// The stack that a detached chain goes on with.
typedef struct wasmtrap_stack_t {
  // sizeof(wasmtrap_stack_t).
  size_t struct_size;
  // Lowest usable byte.
  const void *low;
  // One past the highest usable byte.
  const void *high;
  // Size in bytes of the inaccessible area that ends at `low`, 0 if there is none. A fault in it is a stack
  // overflow.
  size_t guard_size;
} wasmtrap_stack_t;

// A run: one protected call that other threads can interrupt. A number, never 0, and of no other run until four
// billion others have come and gone.
typedef uint64_t wasmtrap_run_t;

// What a fault handler says of a fault: one of WASMTRAP_VERDICT_*. Any other value counts as FORWARD.
typedef uint32_t wasmtrap_verdict_t;

// A fault, as a fault handler sees it. It lives until the handler returns.
typedef struct wasmtrap_fault_t {
  // sizeof(wasmtrap_fault_t) in the library, which may be larger than in the header that the handler was built with.
  size_t struct_size;
  // One of WASMTRAP_FAULT_*.
  uint32_t kind;
  // WASMTRAP_HAS_*: which of the fields below are set. The others are 0. The region is told wherever the program
  // counter is, and so is WASMTRAP_HAS_STACK_GUARD inside a protected call.
  uint32_t flags;
  // What the instruction did to memory.
  wasmtrap_access_t access;
  // In: what the trap code would be by the registered tables, WASMTRAP_CODE_NONE if they make no trap of it. Out,
  // for WASMTRAP_VERDICT_TRAP: the code to trap with.
  wasmtrap_code_t trap_code;
  // Out, for WASMTRAP_VERDICT_TRAP: goes into the trap record. 0 at first.
  uint64_t payload;
  // Program counter: the instruction that faulted.
  size_t pc;
  // Stack pointer at the fault.
  size_t sp;
  // Frame pointer register at the fault (rbp, x29).
  size_t fp;
  // The address that the instruction failed to access.
  size_t fault_address;
  // Id of the code range.
  uint64_t code_id;
  // User pointer of the code range.
  void *code_user;
  // pc minus the start of the range, in bytes.
  size_t code_offset;
  // Id of the region.
  uint64_t region_id;
  // User pointer of the region.
  void *region_user;
  // fault_address minus the base of the region, in bytes.
  size_t region_offset;
  // The signal, 0 for Mach exceptions and on Windows.
  int32_t signal;
  // siginfo_t's si_code.
  int32_t signal_code;
  // The Mach exception, on Windows the exception's code, 0 for signals.
  int32_t exception;
  // Must be ignored.
  uint32_t reserved;
  // The thread's registers. Changes take effect with WASMTRAP_VERDICT_RESUME only; on Windows on arm64 none of x18,
  // which has the thread's block.
  struct wasmtrap_registers_t *registers;
  // The signal handler's siginfo_t, as the kernel gave it; on Windows the EXCEPTION_RECORD; NULL for a Mach
  // exception. It lives until the handler returns.
  void *siginfo;
  // The signal handler's ucontext_t, as the kernel gave it; on Windows the CONTEXT; NULL for a Mach exception. It
  // lives until the handler returns. To change registers, change `registers`: what that says is written over the
  // context with WASMTRAP_VERDICT_RESUME. What else the context has (vector registers, the signal mask) may be
  // changed here.
  void *ucontext;
} wasmtrap_fault_t;

// The embedder's own fault handler. It runs on the faulting thread: with signals inside the signal handler, with Mach
// ports on a stack of the library's, as large as the alternate signal stack, with no signal blocked. It may do only
// what a signal handler may (POSIX: signal-safety(7)), take no lock, and call only those functions of this library
// that say they are signal-safe. It may leave by not returning (a jump into its own landing pad), if the jump puts the
// signal mask back, as siglongjmp can: inside the library's signal handler every signal is blocked, because it runs on
// the alternate stack, where no other signal may find the thread; the next fault would kill the process. A fault of
// the fault handler itself is the end of the process for the same reason. On Windows it may leave by a longjmp that
// unwinds, or by an exception of its own: after a jump that does not, the next fault further in on the stack may be
// taken for the handler's own.
typedef wasmtrap_verdict_t (*wasmtrap_fault_handler_t)(struct wasmtrap_fault_t *fault, void *user);

// Success.
#define WASMTRAP_OK 0

// From wasmtrap_call only: the function did not return, it trapped. Not an error, hence positive.
#define WASMTRAP_TRAPPED 1

// An argument is out of its range; wasmtrap_last_error names it and its value.
#define WASMTRAP_ERR_INVALID_ARGUMENT (-1)

// struct_size is not the size of the structure in this version of the library.
#define WASMTRAP_ERR_STRUCT_SIZE (-2)

// wasmtrap_init has not been called, or wasmtrap_shutdown has.
#define WASMTRAP_ERR_NOT_INITIALIZED (-3)

// wasmtrap_init was called before, with other options.
#define WASMTRAP_ERR_CONFLICT (-4)

// This platform, or this process, cannot do what was asked for.
#define WASMTRAP_ERR_UNSUPPORTED (-5)

// Out of memory. Nothing has changed.
#define WASMTRAP_ERR_NO_MEMORY (-6)

// The range overlaps one that is registered already.
#define WASMTRAP_ERR_OVERLAP (-7)

// Nothing has this id, or no longer has.
#define WASMTRAP_ERR_UNKNOWN_ID (-8)

// Not now: a thread is inside a protected call, or an adoption is under way.
#define WASMTRAP_ERR_BUSY (-9)

// The call belongs to another thread.
#define WASMTRAP_ERR_WRONG_THREAD (-10)

// A fixed limit of the library is reached.
#define WASMTRAP_ERR_LIMIT (-11)

// The operating system refused; wasmtrap_last_error names the call and its error.
#define WASMTRAP_ERR_SYSTEM (-12)

// Nothing was found: at that address, or to be adopted.
#define WASMTRAP_ERR_NOT_FOUND (-13)

// No trap code. In a trap site it means: take the region's code, else the code for the kind of fault.
#define WASMTRAP_CODE_NONE 0

// "call stack exhausted"
#define WASMTRAP_CODE_STACK_OVERFLOW 1

// "out of bounds memory access"
#define WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS 2

// "unaligned atomic"
#define WASMTRAP_CODE_HEAP_MISALIGNED 3

// "out of bounds table access"
#define WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS 4

// "uninitialized element": a call through a null table element.
#define WASMTRAP_CODE_INDIRECT_CALL_TO_NULL 5

// "indirect call type mismatch"
#define WASMTRAP_CODE_BAD_SIGNATURE 6

// "integer overflow"
#define WASMTRAP_CODE_INTEGER_OVERFLOW 7

// "integer divide by zero"
#define WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO 8

// "invalid conversion to integer"
#define WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER 9

// "unreachable"
#define WASMTRAP_CODE_UNREACHABLE 10

// "interrupt": the host asked the code to stop.
#define WASMTRAP_CODE_INTERRUPT 11

// "undefined element": call_indirect with an index past the end of the table.
#define WASMTRAP_CODE_UNDEFINED_ELEMENT 12

// "null reference"
#define WASMTRAP_CODE_NULL_REFERENCE 13

// "out of bounds array access"
#define WASMTRAP_CODE_ARRAY_OUT_OF_BOUNDS 14

// "allocation size too large"
#define WASMTRAP_CODE_ALLOCATION_TOO_LARGE 15

// "cast failure"
#define WASMTRAP_CODE_CAST_FAILURE 16

// "expected shared memory": memory.atomic.wait on a memory that is not shared.
#define WASMTRAP_CODE_EXPECTED_SHARED_MEMORY 17

// "unhandled exception"
#define WASMTRAP_CODE_UNCAUGHT_EXCEPTION 18

// "all fuel consumed"
#define WASMTRAP_CODE_OUT_OF_FUEL 19

// "unhandled tag": a suspension that no handler takes.
#define WASMTRAP_CODE_UNHANDLED_TAG 20

// "continuation already consumed"
#define WASMTRAP_CODE_CONTINUATION_ALREADY_CONSUMED 21

// The first code that is the embedder's own; all from here up are.
#define WASMTRAP_CODE_USER 4096

// The library chooses: Mach exception ports on macOS wherever they are safe, signals elsewhere. It looks at the
// process first and asks the kernel for nothing that could kill it; wasmtrap_describe tells what it found.
#define WASMTRAP_BACKEND_AUTO 0

// Mach exception ports (macOS): an exception comes to a thread of the library's before it becomes a signal, and before
// a debugger or crash reporter sees it. Signal handlers are installed underneath all the same, because the kernel may
// bypass the ports.
#define WASMTRAP_BACKEND_MACH_PORTS 1

// POSIX signals; on Windows a vectored exception handler, which is there what signal handlers are.
#define WASMTRAP_BACKEND_SIGNALS 2

// The process's default client: whoever calls wasmtrap_init.
#define WASMTRAP_CLIENT_DEFAULT 0

// It is not known what the instruction did.
#define WASMTRAP_ACCESS_UNKNOWN 0

// The instruction read.
#define WASMTRAP_ACCESS_READ 1

// The instruction wrote.
#define WASMTRAP_ACCESS_WRITE 2

// The processor fetched the instruction itself.
#define WASMTRAP_ACCESS_EXECUTE 3

// The fault is not the handler's: the library goes on as if there were no handler.
#define WASMTRAP_VERDICT_FORWARD 0

// The handler has mended the cause, or changed the registers: go on with the registers as they are now.
#define WASMTRAP_VERDICT_RESUME 1

// The fault is a trap with fault->trap_code and fault->payload: end the innermost protected call that is alive.
// Outside of one the verdict counts as WASMTRAP_VERDICT_FORWARD.
#define WASMTRAP_VERDICT_TRAP 2

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// ===== 1. Version and names =====
//
// The version of the library that is running, "major.minor.patch". WASMTRAP_VERSION_* are those of the header.
// Static storage. Thread-safe, signal-safe. Needs no wasmtrap_init.
WASMTRAP_API
const char *wasmtrap_version(void);

// The WebAssembly specification's message for a trap code, such as "integer divide by zero"; "user trap" for the
// embedder's own codes, "unknown trap" for the rest. Never NULL; static storage. Thread-safe, signal-safe. Needs no
// wasmtrap_init.
WASMTRAP_API
const char *wasmtrap_code_name(wasmtrap_code_t code);

// A status as text, "WASMTRAP_ERR_OVERLAP" say; "unknown status" for a value that is none. Never NULL; static storage.
// Thread-safe, signal-safe. Needs no wasmtrap_init.
WASMTRAP_API
const char *wasmtrap_status_name(wasmtrap_status_t status);

// An access as a word: "read", "write", "execute", or "unknown". Never NULL; static storage. Thread-safe, signal-safe.
// Needs no wasmtrap_init.
WASMTRAP_API
const char *wasmtrap_access_name(wasmtrap_access_t access);

// What the last call of this thread that failed has to say: a sentence that names the argument and its value. "" if no
// call of this thread has failed. Calls that succeed leave it alone. Never NULL; the text belongs to the library and
// stays until the thread's next failing call or its end. Thread-safe, not signal-safe. Needs no wasmtrap_init.
WASMTRAP_API
const char *wasmtrap_last_error(void);

// ===== 2. Set-up =====
//
// Installs the library's fault handling in this process. `options` is read during the call only; NULL means all
// defaults. With Mach ports it starts a thread, which blocks all signals and lives until wasmtrap_shutdown.
//
// Signal handlers that are there already stay in use for every fault that is not the library's. The shared object that
// the library is in is never unloaded from then on.
//
// Calling it again with the same options is WASMTRAP_OK and only counts: the set-up stays until wasmtrap_shutdown has
// been called as often, so that two users in a process that do not know of each other can both call the two. With
// other options it is WASMTRAP_ERR_CONFLICT, and does not count. After the last wasmtrap_shutdown it may be called
// again with any. All who call it share the process's default client, with one fault handler
// (wasmtrap_set_fault_handler); who wants one beside others' opens a client (wasmtrap_client_open).
//
// Errors: WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (a field, or the environment variable
// WASMTRAP_BACKEND), WASMTRAP_ERR_CONFLICT, WASMTRAP_ERR_UNSUPPORTED (no Mach ports here, for the reason that
// wasmtrap_last_error gives, and no fallback allowed), WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Thread-safe, not
// signal-safe.
//
// The caller vouches for this:
// `options` is NULL or points to a structure as large as its struct_size says.
WASMTRAP_API
wasmtrap_status_t wasmtrap_init(const struct wasmtrap_options_t *options);

// The end of what wasmtrap_init began. Where that was called more often, with success, than this since, only the count
// goes down, and all that is registered stays: unregister what is your own before.
//
// The last one puts the earlier signal handlers and exception ports back and forgets all code ranges, regions and the
// fault handler; their ids are unknown afterwards. Where other clients are open (wasmtrap_client_open), only what is
// the default client's own goes, and nothing that follows here happens before the last one's end. Where another
// handler has been installed on top of the library's, that one stays, and the library's, which it may call, forwards
// every fault to the earlier ones. Threads keep what wasmtrap_thread_attach gave them until they end or call
// wasmtrap_thread_detach.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_BUSY (it is the last one, and a thread is inside a protected
// call; detached chains do not count). Thread-safe, not signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_shutdown(void);

// Opens a client: for a library that shares its process with other users of libwasmtrap that it does not know of (an
// engine in a plug-in, a Python extension). What is registered for the client is found and judged as its own, goes
// with it, and nobody else's shutdown takes it away. A program that is the only user needs no client but the default
// one, which wasmtrap_init opens and wasmtrap_shutdown closes. `desc` is read during the call only; `client` receives
// the client's number, never 0.
//
// The first client to come, be it the default one, sets the library up as wasmtrap_init does. For those that come
// later the kinds of fault that they ask for are added, and the alternate stacks of threads that attach from then on
// are as large as the largest that was asked for. What is the whole process's and cannot be had twice, the backend
// (unless it is WASMTRAP_BACKEND_AUTO, or a fallback is allowed) and who owns the signal handlers, must be what it is.
//
// Errors: as for wasmtrap_init, and WASMTRAP_ERR_INVALID_ARGUMENT (`desc`, its name or `client` is NULL, the name is
// empty), WASMTRAP_ERR_CONFLICT (wasmtrap_last_error says which option, and names the client that came first),
// WASMTRAP_ERR_LIMIT (WASMTRAP_MAX_CLIENTS are open). Thread-safe, not signal-safe.
//
// The caller vouches for this:
// `desc` is NULL or points to a structure as large as its struct_size says, whose `name` is NULL or ends in NUL and
// whose `options` is NULL or as wasmtrap_init wants it; `client` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_client_open(const struct wasmtrap_client_desc_t *desc,
                                       wasmtrap_client_t *client);

// Closes a client. Its code ranges, regions and fault handler are forgotten, as if each had been unregistered: when
// this returns, no handler looks at them any more. The other clients' stay, and so does the set-up as long as there is
// one; the last client's end is that of wasmtrap_shutdown. The default client is closed by wasmtrap_shutdown alone.
//
// Protected calls belong to no client. The end of a client that is not the last does not wait for those that its code
// runs in: faults in its code are not traps any more.
//
// Errors: WASMTRAP_ERR_UNKNOWN_ID (never given out, or closed before), WASMTRAP_ERR_INVALID_ARGUMENT (`client` is 0),
// WASMTRAP_ERR_BUSY (it is the last one, and a thread is inside a protected call). Thread-safe, not signal-safe, not
// to be called from a fault handler.
WASMTRAP_API
wasmtrap_status_t wasmtrap_client_close(wasmtrap_client_t client);

// Tells which backend is in use: WASMTRAP_BACKEND_MACH_PORTS or WASMTRAP_BACKEND_SIGNALS. After fork the child uses
// signals: it has neither the ports nor the thread that serves them.
//
// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`backend` is NULL), WASMTRAP_ERR_NOT_INITIALIZED. Thread-safe, not
// signal-safe.
//
// The caller vouches for this:
// `backend` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_backend(wasmtrap_backend_t *backend);

// Describes the set-up in English, a fact a line, for a log or a support ticket: version, host, the backend and why it
// was chosen, the faults taken, what each signal's handler is now and which object it belongs to, what is registered.
// Works before wasmtrap_init, and says so.
//
// Writes at most `capacity` bytes to `buffer`, always ending in NUL if `capacity` is not 0. `length` (may be NULL)
// receives the length of the whole text without the NUL: the text was cut if that is not less than `capacity`.
// `buffer` may be NULL if `capacity` is 0.
//
// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`buffer` is NULL and `capacity` is not 0). Thread-safe, not signal-safe.
//
// The caller vouches for this:
// `buffer` is valid for `capacity` bytes; `length` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_describe(char *buffer,
                                    size_t capacity,
                                    size_t *length);

// Tells whether faults of the calling thread still get to the library. `displaced` (may be NULL) receives 0 if they
// do.
//
// Its lower eight bits are the kinds of fault (WASMTRAP_FAULT_*) whose handler another one was installed over. A
// displaced kind still works as long as the newer handler passes on what it does not know. With
// WASMTRAP_INIT_HOST_OWNS_SIGNALS no handlers are looked at. With Mach ports the kinds are added for which the calling
// thread has another exception port than the library's; a displaced signal handler matters there only when the kernel
// bypasses the ports. On Windows it is all kinds or none: whether another vectored exception handler was added in
// front. No function tells that, so that it is read from ntdll's list where that looks as expected, and not told
// elsewhere (wasmtrap_describe says so); wasmtrap_rearm works there all the same.
//
// What counts is what the kernel has. sigaction may say something else where it is another's than libc's (libjsig, a
// sanitizer, whatever is preloaded): wasmtrap_describe tells whose, and of each signal what it says.
//
// Beside them WASMTRAP_CHECK_BLOCKED_SHIFT, WASMTRAP_CHECK_INTERRUPTS_BLOCKED and WASMTRAP_CHECK_ALTERNATE_STACK tell
// what the host has made of the calling thread's signal mask and alternate signal stack; wasmtrap_thread_attach mends
// both. WASMTRAP_CHECK_INTERRUPT_SIGNAL tells that another handler has taken the place of the interrupt signal's.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
//
// The caller vouches for this:
// `displaced` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_check(uint32_t *displaced);

// Puts the library's handlers back on top where they were displaced. The handlers found there get every fault that is
// not the library's, and if they pass it on in turn, it goes to the handlers that were there before the library: no
// loop arises. Nothing happens where nothing is displaced. With Mach ports the calling thread's exception port is put
// back on top too, and the one found there gets what is not the library's. The handler of the interrupt signal is put
// back as well; that signal is the library's alone, so that the one found there is not called, until wasmtrap_shutdown
// puts it back.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_LIMIT (more than seven different handlers have been put
// underneath), WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_rearm(void);

// ===== 3. Threads =====
//
// Prepares the calling thread now rather than at its first protected call: an alternate signal stack with a guard
// page, the bounds of its stack, its signal mask, and with Mach ports its exception port.
//
// An alternate stack that the thread has already is kept if it is as large as the one that the library would make
// (alternate_stack_size in wasmtrap_options_t, or what wasmtrap_describe says). A handler of the host's may run there
// on top of the library's, so that less is not enough: not the 8 KiB of SIGSTKSZ.
//
// The signals of the faults taken are unblocked in this thread, because the kernel kills a process for a fault whose
// signal is blocked; the mask's other signals stay as they are. WASMTRAP_INIT_KEEP_SIGNAL_MASK leaves the mask alone.
//
// Alternate stack and mask are the host's to change at any time, and protected calls do not look: a host that disables
// or shrinks the stack, or blocks the signals, while the thread is attached, has its faults kill the process.
// wasmtrap_check tells; calling wasmtrap_thread_attach again is WASMTRAP_OK and mends it.
//
// At the thread's end all is undone by itself, but for an alternate stack that the thread had before: its owner may
// have freed it by then, so that there is none in the end. A thread for which the kernel has
// no port goes on with signals, unless Mach ports were asked for without WASMTRAP_INIT_ALLOW_FALLBACK or the host
// owns the signals: then it is WASMTRAP_ERR_SYSTEM.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Not signal-safe. Acts on the
// calling thread.
WASMTRAP_API
wasmtrap_status_t wasmtrap_thread_attach(void);

// Undoes wasmtrap_thread_attach: the thread's earlier alternate signal stack and exception ports are put back, and the
// signals that it has unblocked are blocked again. An alternate stack that the host has set, or disabled, since then
// is left as it is. WASMTRAP_OK if the thread is not attached. Allowed after wasmtrap_shutdown.
//
// Errors: WASMTRAP_ERR_BUSY (the thread is inside a protected call, or runs on the alternate stack). Not signal-safe.
// Acts on the calling thread.
WASMTRAP_API
wasmtrap_status_t wasmtrap_thread_detach(void);

// ===== 4. Code and regions =====
//
// Registers a range of compiled WebAssembly code. A fault whose program counter is in no registered range is never a
// trap, unless a fault handler or a region (WASMTRAP_REGION_ANY_PC) says so. `desc` and its sites are copied; the code
// itself stays the caller's and must stay where it is until it is unregistered. `id` receives the range's id, never 0.
//
// Cost: O(log n) for n ranges, plus a copy of the sites.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (a null pointer, a
// zero or wrapping length, sites that are unsorted or outside of the range, an unknown flag), WASMTRAP_ERR_OVERLAP,
// WASMTRAP_ERR_NO_MEMORY. Thread-safe, not signal-safe.
//
// The caller vouches for this:
// `desc` is NULL or points to a structure as large as its struct_size says, whose `sites` has `site_count` elements;
// `id` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_code_register(const struct wasmtrap_code_desc_t *desc,
                                         uint64_t *id);

// Forgets a code range. When it returns, no handler looks at the range or its sites any more, and the code may be
// freed or overwritten.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_UNKNOWN_ID (never given out, or unregistered before).
// Thread-safe, not signal-safe, not to be called from a fault handler.
WASMTRAP_API
wasmtrap_status_t wasmtrap_code_unregister(uint64_t id);

// The same by the address of its first byte.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NOT_FOUND (no registered range begins there). Thread-safe, not
// signal-safe, not to be called from a fault handler.
WASMTRAP_API
wasmtrap_status_t wasmtrap_code_unregister_at(const void *start);

// Finds the code range that `pc` is in. `info->struct_size` must be set; the rest is filled in. The answer is as of
// the time of the call: another thread may unregister the range at once.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (`info` is NULL),
// WASMTRAP_ERR_NOT_FOUND; none of them leaves a sentence for wasmtrap_last_error. Thread-safe, signal-safe, wait-free,
// whether or not it finds something. Every signal is blocked meanwhile, by two system
// calls: a handler could leave by a jump otherwise, and unregistering would wait for ever.
//
// The caller vouches for this:
// `info` is NULL or points to a structure as large as its struct_size says.
WASMTRAP_API
wasmtrap_status_t wasmtrap_code_lookup(const void *pc,
                                       struct wasmtrap_code_info_t *info);

// Registers a region of data addresses. Regions must not overlap each other. `id` receives the region's id, never 0.
//
// Cost: O(log n) for n regions.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (a null pointer, a
// zero or wrapping length, an unknown flag), WASMTRAP_ERR_OVERLAP, WASMTRAP_ERR_NO_MEMORY. Thread-safe, not
// signal-safe.
//
// The caller vouches for this:
// `desc` is NULL or points to a structure as large as its struct_size says; `id` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_region_register(const struct wasmtrap_region_desc_t *desc,
                                           uint64_t *id);

// Forgets a region. When it returns, no handler looks at it any more.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_UNKNOWN_ID. Thread-safe, not signal-safe, not to be called from a
// fault handler.
WASMTRAP_API
wasmtrap_status_t wasmtrap_region_unregister(uint64_t id);

// The same by the region's base.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NOT_FOUND (no registered region begins there). Thread-safe, not
// signal-safe, not to be called from a fault handler.
WASMTRAP_API
wasmtrap_status_t wasmtrap_region_unregister_at(const void *base);

// Finds the region that `address` is in. `info->struct_size` must be set; the rest is filled in. The answer is as of
// the time of the call: another thread may unregister the region at once.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (`info` is NULL),
// WASMTRAP_ERR_NOT_FOUND; none of them leaves a sentence for wasmtrap_last_error. Thread-safe, signal-safe, wait-free,
// whether or not it finds something. Every signal is blocked meanwhile, by two system
// calls: a handler could leave by a jump otherwise, and unregistering would wait for ever.
//
// The caller vouches for this:
// `info` is NULL or points to a structure as large as its struct_size says.
WASMTRAP_API
wasmtrap_status_t wasmtrap_region_lookup(const void *address,
                                         struct wasmtrap_region_info_t *info);

// Tells how much of the region that begins at `base` is accessible from now on, in bytes from `base`: when a memory
// grows, after its pages have been made accessible and before the guest may touch them. It is an atomic store to the
// library's own copy of the region. (Not a pointer to a word of the host's: what a fault handler reads must be there
// as long as the region is, and readable with whatever rights a signal handler has.)
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NOT_FOUND (no registered region begins there),
// WASMTRAP_ERR_INVALID_ARGUMENT (`accessible` is more than the region's length); none of them leaves a sentence for
// wasmtrap_last_error. Thread-safe, signal-safe, wait-free. Every signal is blocked meanwhile, by two
// system calls.
WASMTRAP_API
wasmtrap_status_t wasmtrap_region_set_accessible(const void *base,
                                                 size_t accessible);

// ===== 5. Running =====
//
// Calls function(argument) under protection. WASMTRAP_OK when it returned, WASMTRAP_TRAPPED when it trapped; then
// `*trap` is filled in. `trap` may be NULL, else its struct_size, frames and frames_capacity must be set, and it must
// stay valid during the call. Attaches the thread if need be.
//
// After a trap the callee-saved registers, the x87 control word and MXCSR (arm64: FPCR) are as they were at the call.
// Frames between the trap and the call are dropped without running destructors. The signal mask is what it was where
// the trap happened. Protected calls nest: a trap ends the innermost one of its thread.
//
// A C++ exception, a Rust panic or a thread cancellation may pass through. longjmp from inside to outside leaves the
// call as well, though the library does not hear of it: the call is passed over from then on, by faults and by
// wasmtrap_raise, which land in the innermost call that is alive, by backtraces, and by the functions below. A call
// counts as left when code runs further out on the same stack (the thread's own, or the one told to
// wasmtrap_chain_attach), when its frame has been written to, or when the frame pointers of the code that traps lead
// past it to a call further out. What is left of doubt, code that runs further in again, without frame pointers or
// with no call further out, in a function that covers the whole dead frame and has written to none of it, is a host's
// to settle that longjmps out of protected calls: by wasmtrap_mark and wasmtrap_unwind_to.
//
// Errors (negative; the function has not run): WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_INVALID_ARGUMENT (`function`
// is NULL, or `frames` is NULL while `frames_capacity` is not 0), WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_NO_MEMORY,
// WASMTRAP_ERR_SYSTEM. WASMTRAP_ERR_WRONG_THREAD says that the function has run and returned, but on a thread, or with
// a chain, that this call is not part of: a stack was switched without wasmtrap_chain_detach. Thread-safe, not
// signal-safe.
//
// The caller vouches for this:
// `function` may be called with `argument`; `trap` is as said above.
WASMTRAP_API
wasmtrap_status_t wasmtrap_call(wasmtrap_function_t function,
                                void *argument,
                                struct wasmtrap_trap_t *trap);

// Ends the innermost protected call of this thread that is alive with a trap, as a fault would: for library calls and
// for checks that compiled code makes itself. Does not return, and runs no destructors on its way. `code` is
// WASMTRAP_CODE_* or the embedder's own; it and `payload` are handed on as they are.
//
// Outside of a protected call it writes a sentence to standard error and aborts the process: there is nowhere to go.
// Not signal-safe in general; allowed in a handler of a fault that happened in registered code. Out of a fault handler
// (wasmtrap_set_fault_handler) the signal mask becomes what it was where the fault happened; a signal handler of the
// host's own puts the mask back itself, before or after.
//
// The caller vouches for this:
// The frames between here and the protected call may be dropped without cleaning up.
WASMTRAP_API
void wasmtrap_raise(wasmtrap_code_t code,
                    uint64_t payload) WASMTRAP_NORETURN;

// Says that the innermost protected call of this thread may be dropped for a memory fault in `client`'s regions with
// WASMTRAP_REGION_ANY_PC, wherever the program counter is, from now on to wasmtrap_guest_access_end: for interpreters
// and host functions that access guest memory from C. WASMTRAP_REGION_ANY_PC says what dropping host frames costs.
//
// `access` receives what the call was before, for wasmtrap_guest_access_end: accesses nest, and may be for different
// clients, of which the latest counts. NULL means that it is not going to be ended: it holds for the rest of the call.
// It ends with the call at the latest, however that ends; protected calls that are made within it have no part in it.
// A longjmp from the access to further out in the same call does not end it: end it where the jump arrives.
//
// Errors: WASMTRAP_ERR_UNKNOWN_ID (`client` is not open), WASMTRAP_ERR_NOT_INITIALIZED (`client` is 0, and
// wasmtrap_init has not been called), WASMTRAP_ERR_WRONG_THREAD (the thread is in no protected call). Acts on the
// calling thread. Takes no lock and makes no system call. Not signal-safe.
//
// The caller vouches for this:
// `access` is NULL or valid for a write. The frames between the accesses to come and the protected call may be dropped
// without cleaning up.
WASMTRAP_API
wasmtrap_status_t wasmtrap_guest_access_begin(wasmtrap_client_t client,
                                              struct wasmtrap_guest_access_t *access);

// Makes the protected call what it was before wasmtrap_guest_access_begin gave `access`.
//
// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`access` is NULL, or was begun in another protected call than the innermost
// one of this thread), WASMTRAP_ERR_WRONG_THREAD (the thread is in no protected call). Acts on the calling thread.
// Takes no lock and makes no system call. Not signal-safe.
//
// The caller vouches for this:
// `access` is NULL or valid for a read.
WASMTRAP_API
wasmtrap_status_t wasmtrap_guest_access_end(const struct wasmtrap_guest_access_t *access);

// Notes which protected calls this thread is in, for a host whose errors are longjmps (Lua, Ruby, R, PostgreSQL): call
// it where setjmp is called, before it, and wasmtrap_unwind_to where the jump arrives, in the branch in which setjmp
// has not returned 0. Attaches the thread if need be.
//
// A mark belongs to its thread as long as that is attached, and to the protected call in which it was made: it is good
// until that call ends; one that was made outside of any call, until the thread is detached. Marks need not be used,
// may be used more than once and in any order that the calls allow. Costs a few nanoseconds.
//
// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`mark` is NULL), WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NO_MEMORY,
// WASMTRAP_ERR_SYSTEM. Acts on the calling thread. Not signal-safe.
//
// The caller vouches for this:
// `mark` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_mark(struct wasmtrap_mark_t *mark);

// Says that all protected calls of this thread that were entered since the mark was made have been left by a jump, and
// that the thread runs on the stack again on which it made the mark. They count no longer, whatever their frames look
// like: the next trap lands in the call in which the mark was made, and without one wasmtrap_thread_detach and
// wasmtrap_shutdown are not refused on their account. Nothing is written to their frames. Nothing happens if no call
// was entered since.
//
// It is the host's word: a call that has not been left, and returns later all the same, returns
// WASMTRAP_ERR_WRONG_THREAD.
//
// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`mark` is NULL, was not written by wasmtrap_mark, or was made in a protected
// call that has ended or is not on this thread), WASMTRAP_ERR_WRONG_THREAD (`mark` was made on another thread, or
// before this one was detached), WASMTRAP_ERR_NOT_INITIALIZED. Acts on the calling thread. Not signal-safe.
//
// The caller vouches for this:
// `mark` is NULL or valid for a read.
WASMTRAP_API
wasmtrap_status_t wasmtrap_unwind_to(const struct wasmtrap_mark_t *mark);

// Takes the thread's protected calls off it, for a host that is about to switch stacks (fibers, greenlets). `chain`
// receives them, NULL if there are none; calls that were left by longjmp are not among them. Afterwards the thread is
// outside of any protected call. To switch: detach the running stack's chain, switch, attach the other stack's.
//
// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`chain` is NULL), WASMTRAP_ERR_NOT_INITIALIZED. Acts on the calling thread.
// Not signal-safe.
//
// The caller vouches for this:
// `chain` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_chain_detach(struct wasmtrap_chain_t **chain);

// Gives a detached chain to the calling thread, which need not be the one it came from. `chain` may be NULL: the
// thread stays outside of any protected call. `stack`, read during the call only, tells the bounds of the stack that
// the chain goes on with, for stack overflows and backtraces; NULL means the thread's own stack. It holds until the
// next wasmtrap_chain_detach.
//
// Errors: WASMTRAP_ERR_BUSY (the thread is inside a protected call: detach first), WASMTRAP_ERR_WRONG_THREAD (`chain`
// is attached to a thread already), WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (the bounds of `stack` are
// empty or wrap, or `chain` is none, or its innermost protected call has ended), WASMTRAP_ERR_NOT_INITIALIZED,
// WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Acts on the calling thread. Not signal-safe.
//
// The caller vouches for this:
// `chain` is NULL or came from wasmtrap_chain_detach and its protected calls have not ended; `stack` is NULL or points
// to a structure as large as its struct_size says.
WASMTRAP_API
wasmtrap_status_t wasmtrap_chain_attach(struct wasmtrap_chain_t *chain,
                                        const struct wasmtrap_stack_t *stack);

// Interruption.
//
// Another thread ends the guest's run with a trap: a deadline, a user who has lost patience, a host that shuts down. A
// run is one protected call: open it, hand its number to whoever may interrupt it, make the call by wasmtrap_run_call,
// close it. wasmtrap_interrupt ends it
//
// - at once if the thread is in registered code, wherever that is in its loops, which poll nothing: by the signal that
//   the host has given to the library (interrupt_signal in wasmtrap_options_t); on Windows always, see below;
// - before the guest's first instruction if the run has not been called yet;
// - at the next protected call that the thread makes within the run, which does not begin then, or at the next
//   wasmtrap_interrupt_point, if the thread is in host code: that is never dropped at any other place, because it may
//   hold a lock. A host function calls wasmtrap_interrupt_point last of all, before it returns to the guest. To be
//   sure of those that do not, and of what comes between the point and the return, call wasmtrap_interrupt again from
//   time to time until the run has ended: the signal is sent once more, and the interrupt is the same.
//
// An interrupt is set once and taken once, by the innermost protected call of the run, which returns WASMTRAP_TRAPPED
// with WASMTRAP_SOURCE_INTERRUPT, the code and the payload; the host hands that on outwards as it does any trap. It is
// the run's alone. When the run's call has ended, by itself, by another trap or by an exception, what pends is gone
// with it, and no later call is interrupted.
//
// Without an interrupt_signal, but on Windows, only the last two ways are there, and pages that the guest polls
// (wasmtrap_poll_page_open): cheap where a compiler can put a load into each loop, and all that is wanted is to stop
// whoever polls.
//
// The signal may interrupt system calls of the host's, if it comes while the thread is in host code. Its handler is
// installed with SA_RESTART: what can be restarted is, the others fail with EINTR (signal(7): sleep, poll, select,
// epoll_wait, sockets with timeouts, and more), as with any signal of a process. It is a signal with Mach ports, too.
//
// On Windows wasmtrap_interrupt suspends the thread, and sets its registers if it is in registered code; it waits for
// nothing in the thread, disturbs no system call, and needs no room on its stack. A thread that is just being given an
// exception is looked at again, a hundred times at the most; if the exception goes to others than the library and they
// go on with the guest, call wasmtrap_interrupt again, as for host code.
//
// Opens a run. `run` receives its number. It must be closed: a run that is not holds some fifty bytes.
//
// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`run` is NULL), WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NO_MEMORY,
// WASMTRAP_ERR_LIMIT (four million runs are open). Thread-safe, not signal-safe.
//
// The caller vouches for this:
// `run` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_run_open(wasmtrap_run_t *run);

// Closes a run: nobody can interrupt it any more, and its number is unknown from now on. A call of it that has not
// ended goes on as if it were none. Allowed after wasmtrap_shutdown.
//
// Errors: WASMTRAP_ERR_UNKNOWN_ID (never given out, or closed before). Thread-safe, not signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_run_close(wasmtrap_run_t run);

// As wasmtrap_call, and the call is the run. Once only. It may move to other threads by wasmtrap_chain_detach and
// wasmtrap_chain_attach; what interrupts it meanwhile pends until then.
//
// Errors: those of wasmtrap_call, WASMTRAP_ERR_UNKNOWN_ID (`run` is not open), WASMTRAP_ERR_BUSY (it has been called
// before). Thread-safe, not signal-safe.
//
// The caller vouches for this:
// As for wasmtrap_call.
WASMTRAP_API
wasmtrap_status_t wasmtrap_run_call(wasmtrap_run_t run,
                                    wasmtrap_function_t function,
                                    void *argument,
                                    struct wasmtrap_trap_t *trap);

// Interrupts a run from any thread, its own included. `code` is WASMTRAP_CODE_INTERRUPT, say, or the embedder's own;
// it and `payload` are handed on in the trap record. If an interrupt of the run pends already, that one stays, with
// its code and its payload, and the thread is told once more.
//
// WASMTRAP_OK says that it pends or has been taken; the run may end by itself before it gets to it. No signal is sent
// where it has another handler than the library's (WASMTRAP_CHECK_INTERRUPT_SIGNAL): what pends then waits for the
// next protected call or interrupt point, or for wasmtrap_rearm and one more wasmtrap_interrupt.
//
// Errors: WASMTRAP_ERR_UNKNOWN_ID (`run` is not open), WASMTRAP_ERR_NOT_FOUND (its call has ended, or its thread has),
// WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_SYSTEM (the signal cannot be sent: the user's queue of
// real-time signals is full; on Windows, the thread cannot be suspended or its registers not be set; nothing pends
// then that did not before). Thread-safe, not signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_interrupt(wasmtrap_run_t run,
                                     wasmtrap_code_t code,
                                     uint64_t payload);

// Takes an interrupt back. `pending` (may be NULL) receives 1 if one was pending, which is gone now, else 0: there was
// none, or it has been taken.
//
// Errors: WASMTRAP_ERR_UNKNOWN_ID (`run` is not open), WASMTRAP_ERR_NOT_INITIALIZED. Thread-safe, not signal-safe.
//
// The caller vouches for this:
// `pending` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_interrupt_cancel(wasmtrap_run_t run,
                                            uint32_t *pending);

// A place in a host function at which it may be dropped: ends the innermost protected call of this thread, as
// wasmtrap_raise does, if a run that the thread is in was interrupted. Returns otherwise, after a few instructions if
// there is nothing to do. Hold no lock and own nothing when you call it.
//
// Acts on the calling thread. Not signal-safe.
//
// The caller vouches for this:
// The frames between here and the protected call may be dropped without cleaning up.
WASMTRAP_API
void wasmtrap_interrupt_point(void);

// Makes a page for guests to poll: `page` receives the address of readable memory, a page of it, with a region over it
// that is `client`'s and says `code`, WASMTRAP_CODE_INTERRUPT say. Compiled loops load a byte of it now and then. Once
// wasmtrap_poll_page_set has taken the page away, that load is a fault, and a trap with this code: in all guests that
// poll the page. With a table of trap sites the load has to be one, with WASMTRAP_CODE_NONE.
//
// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`page` is NULL, `code` is WASMTRAP_CODE_NONE, `client` takes no memory
// faults), WASMTRAP_ERR_UNKNOWN_ID (`client` is not open), WASMTRAP_ERR_NOT_INITIALIZED (`client` is 0, and
// wasmtrap_init has not been called), WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
//
// The caller vouches for this:
// `page` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_poll_page_open(wasmtrap_client_t client,
                                          wasmtrap_code_t code,
                                          const void **page);

// Takes the page away (`stop` is not 0), or gives it back (0). One system call; takes no lock.
//
// Errors: WASMTRAP_ERR_NOT_FOUND (`page` did not come from wasmtrap_poll_page_open, was closed, or its client was),
// WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_poll_page_set(const void *page,
                                         int stop);

// Forgets the page's region and unmaps the page. A page that was not closed before its client, or before
// wasmtrap_shutdown, stays mapped.
//
// Errors: WASMTRAP_ERR_NOT_FOUND (as above), WASMTRAP_ERR_NOT_INITIALIZED. Thread-safe, not signal-safe, not to be
// called from a fault handler.
//
// The caller vouches for this:
// No guest polls the page any more.
WASMTRAP_API
wasmtrap_status_t wasmtrap_poll_page_close(const void *page);

// Imports and stack.
//
// WebAssembly that recurses ends in the guard of the stack, and that is a trap: "call stack exhausted". But untrusted
// code chooses how deep it is when it calls an import. If it is a few hundred bytes above the guard, the overflow
// happens in the import: in printf, in memcpy, in the dynamic linker that looks the import's functions up. That is a
// fault in host code, which the library forwards like any other, and which kills the process. It cannot be a trap: the
// host's frames would be dropped with their locks held and their work half done.
//
// So the engine keeps the guest away from there. wasmtrap_stack_limit tells the lowest address that compiled code may
// use; each function of the guest compares its stack pointer, less its frame, with that, before it makes the frame,
// and calls wasmtrap_raise(WASMTRAP_CODE_STACK_OVERFLOW, 0), or runs into an instruction with that trap site, where it
// is below. An engine that cannot compare in compiled code can do so in its import thunks, which are the host's code,
// with the same limit: an import that is called too deep raises the trap before it has begun.
//
// An import needs what its deepest call chain needs, with a signal handler of the host's without SA_ONSTACK on top. 64
// KiB, which is what wasmtrap_stack_limit keeps free by itself, are enough for printf or for the first call of a
// function through the dynamic linker. Functions that use alloca or recurse, and interpreters, need more: measure, for
// too little is not an error but a crash. wasmtrap_set_stack_reserve says how much it is; it must leave something of
// the smallest stacks that guests run on.
//
// Sets how many bytes of stack wasmtrap_stack_limit keeps free for imports from now on, WASMTRAP_DEFAULT_STACK_RESERVE
// at first. For the whole process; limits that have been handed out stay as they are. Any value is allowed.
//
// Thread-safe, signal-safe. Needs no wasmtrap_init.
WASMTRAP_API
void wasmtrap_set_stack_reserve(size_t bytes);

// Tells how far down the stack that the calling thread runs on now may be used by compiled code: `limit` receives the
// lowest usable address, plus `reserve`, plus what wasmtrap_set_stack_reserve keeps free for imports. `reserve` is the
// engine's own part: what its thunks and library calls need between the comparison and the import; 0 if they need
// nothing. Attaches the thread if need be.
//
// The limit may be above the stack pointer, if little is left: then all that compares with it traps at once. It holds
// for this stack: after a switch of stacks (wasmtrap_chain_attach) there is another. On the main thread, whose stack
// grows, it follows RLIMIT_STACK as it is now; without a limit 128 MiB are counted on (Linux). A guard that the host
// makes inside of the stack is known if it was there when the thread was attached, or when wasmtrap_thread_attach was
// called again since.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_INVALID_ARGUMENT (`limit` is NULL, or the reserves leave nothing
// of the stack), WASMTRAP_ERR_UNSUPPORTED (the bounds of the stack are not known: it was switched without
// wasmtrap_chain_attach, or it is the main thread's, without a limit and without /proc), WASMTRAP_ERR_NO_MEMORY,
// WASMTRAP_ERR_SYSTEM. Not signal-safe. Acts on the calling thread.
//
// The caller vouches for this:
// `limit` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_stack_limit(size_t reserve,
                                       size_t *limit);

// ===== 6. Own handling =====
//
// Sets the embedder's own fault handler, or takes it away (`handler` is NULL). It is asked about every fault of the
// kinds taken that the kernel made, on any thread and at any program counter, before the registered tables have their
// say. `user` is handed to it and never looked at. A thread that is in the old handler at the time may still be in it
// when this returns, if it takes longer than a few milliseconds; no thread enters it afterwards.
//
// On arm64 the look at the handler and the jump to it are two instructions. Linux has a thread that it has
// interrupted between them look again, from 5.10 on with glibc 2.35 or later, in programs with a dynamic linker; not
// if that happens eight times in a row, as by a debugger's steps. Elsewhere (musl, static programs, macOS, Windows,
// glibc where GLIBC_TUNABLES=glibc.pthread.rseq=0) it is waited for, for a few milliseconds. If it gets no processor
// for so long, it enters the handler later, with its `user`: the handler's code and `user` have to stay there until
// every fault is over that had begun before, or for good, with a flag in `user` which says that the handler is no
// more.
//
// There is one, which a second call replaces. But where wasmtrap_init has been called more often than
// wasmtrap_shutdown, by several users perhaps, another handler than the one that is set (another function, or another
// `user`) is refused: whose it is would not hear that it is asked no more.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_CONFLICT (the above), WASMTRAP_ERR_NO_MEMORY. Thread-safe, not
// signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_set_fault_handler(wasmtrap_fault_handler_t handler,
                                             void *user);

// Sets a client's own fault handler, or takes it away (`handler` is NULL). It is asked as wasmtrap_set_fault_handler
// says, which is the same for the default client with WASMTRAP_HANDLER_ANY_FAULT; but of the kinds of fault that the
// client takes, and first of all about those in its own code ranges or, outside of registered code, in its own
// regions. About faults that are nobody's by the tables it is asked with WASMTRAP_HANDLER_ANY_FAULT only: one client
// after the other, in the order in which they have set their handlers, until one does not say
// WASMTRAP_VERDICT_FORWARD. `flags` is that or 0.
//
// Errors: WASMTRAP_ERR_UNKNOWN_ID (`client` is not open), WASMTRAP_ERR_NOT_INITIALIZED (`client` is 0, and
// wasmtrap_init has not been called), WASMTRAP_ERR_CONFLICT (`client` is 0: see wasmtrap_set_fault_handler),
// WASMTRAP_ERR_INVALID_ARGUMENT (an unknown flag), WASMTRAP_ERR_NO_MEMORY. Thread-safe, not signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_client_set_fault_handler(wasmtrap_client_t client,
                                                    wasmtrap_fault_handler_t handler,
                                                    void *user,
                                                    uint32_t flags);

// For a host that owns its signal handlers (WASMTRAP_INIT_HOST_OWNS_SIGNALS): hands a signal to the library, from
// inside an SA_SIGINFO handler, with that handler's three arguments. 1 if it was the library's: the context has been
// changed, return from the handler at once. 0 if it was not; nothing has changed. The handler should be installed with
// SA_ONSTACK, or a stack overflow cannot be caught.
// A signal that no fault makes, NULL and zeroed structures are not the library's: 0.
//
// On Windows: from inside an exception handler or filter, with the EXCEPTION_RECORD and the CONTEXT of what that was
// given; `signal` is not looked at. After 1, have the thread go on (EXCEPTION_CONTINUE_EXECUTION).
//
// Signal-safe, thread-safe. 0 before wasmtrap_init, and if `siginfo` or `ucontext` is NULL.
//
// The caller vouches for this:
// `siginfo` and `ucontext` are NULL or what the kernel gave to the handler, a siginfo_t and a ucontext_t (Windows: an
// EXCEPTION_RECORD and a CONTEXT).
WASMTRAP_API
int wasmtrap_try_handle_signal(int signal,
                               void *siginfo,
                               void *ucontext);

// ===== 7. Adoption =====
//
// An engine that installs POSIX signal handlers of its own, or vectored exception handlers on Windows, is adopted,
// unmodified: the library puts itself in front, calls the engine's handlers for the faults that are theirs to judge,
// and applies what they do. Several engines can be adopted, and have the library's own traps beside them. Where Mach
// exception ports are in use, their faults come by these, before a crash reporter or a debugger hears of them. In
// short: wasmtrap_adopt_begin; whatever makes the engine call sigaction (AddVectoredExceptionHandler), most often the
// making of its first engine or module; wasmtrap_adopt_end.
//
// wasmtrap_adopt_begin has a handler of the library's stand in for what each of SIGSEGV, SIGBUS, SIGILL, SIGFPE and
// SIGTRAP does: that is what the engine finds there, and takes for its earlier handler. Until the end the calling
// thread should do nothing else, and no other thread should install handlers of these signals. `client` is whose the
// engine is: it is released when that client is closed. In a forked child what another thread has begun is cancelled,
// and what the engine has installed by then stays as it is.
//
// On Windows an engine's vectored exception handlers are adopted, those that are new in the system's list at the end;
// nothing stands in for anything, and no other thread should call AddVectoredExceptionHandler until then. That list is
// read from an entry of the library's own on: nobody has documented it, and where a version of Windows has it in
// another way than expected, WASMTRAP_ERR_UNSUPPORTED says so. (It has been tried under Wine only.) A host can do
// without: it calls an engine's handler, which it knows, from a fault handler (wasmtrap_set_fault_handler), with an
// EXCEPTION_POINTERS of the fault's siginfo and ucontext. If that answers EXCEPTION_CONTINUE_EXECUTION, the fault
// handler copies what it has set of the context into the fault's registers and answers WASMTRAP_VERDICT_RESUME.
//
// Errors: WASMTRAP_ERR_UNKNOWN_ID (`client` is not open), WASMTRAP_ERR_NOT_INITIALIZED (`client` is 0, and
// wasmtrap_init has not been called), WASMTRAP_ERR_BUSY (an adoption has begun and not ended, on whichever thread),
// WASMTRAP_ERR_UNSUPPORTED (WASMTRAP_INIT_HOST_OWNS_SIGNALS; on Windows, see above), WASMTRAP_ERR_LIMIT
// (WASMTRAP_MAX_ADOPTED; on Windows, more than 128 handlers are there already), WASMTRAP_ERR_NO_MEMORY,
// WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_adopt_begin(wasmtrap_client_t client);

// Takes over the handlers that were installed since wasmtrap_adopt_begin: takes them out of the kernel, puts back what
// was there, and has the library in front. `id` receives the engine's id, which is never 0 and never given out twice.
// `flags` is WASMTRAP_ADOPT_OWN_FAULTS or 0. The object that each handler is in is never unloaded from then on.
//
// An engine is offered faults that the kernel made, of the signals that it has installed handlers for: first of all
// those that are its own, in code registered with WASMTRAP_CODE_ADOPTED for its client, or of a thread between
// wasmtrap_adopted_enter and wasmtrap_adopted_leave that is in no registered code. Then the library looks whether it
// is a trap, and asks the fault handlers. Then the other engines are asked, in the order in which they were adopted,
// about what is not in another client's code; then who was there before the library.
//
// A handler is called on the thread that faulted, with the mask and, if it was installed without SA_ONSTACK, on the
// stack that the kernel would have given it, and with a complete siginfo_t and ucontext_t: the kernel's own for a
// signal, but for the last eight bytes of the siginfo_t, which no signal uses. It decides by what it does:
// - it returns: the thread goes on with the context as it is then, changed or not;
// - it calls what it has found as its earlier handler, or puts that or SIG_DFL in place by sigaction and returns: it
//   has declined, and the next one is asked. (On Linux, where it was installed without SA_ONSTACK and runs on the
//   stack of the code that faulted, SIG_DFL in place is what the kernel then goes by: the process ends at the fault.)
// - it jumps out, by siglongjmp say: nothing of the library's is left behind.
//
// On Windows a vectored handler is called with the record and the context that the library's was given, and decides by
// what it returns; leaving it by a jump is not for vectored handlers. It stays in the system's list, behind the
// library's, so that the engine's handle for it is good. So it is asked once more, in its place there, about what
// nobody has taken, whatever `flags` says; and all that is no fault of the library's kinds comes to it there alone.
//
// With Mach ports this thread is attached (wasmtrap_thread_attach), and every other one that calls
// wasmtrap_adopted_enter. A fault of a thread that is not attached comes as a signal, to the same handlers, after the
// task's exception port has heard of it.
//
// Errors: WASMTRAP_ERR_NOT_FOUND (no wasmtrap_adopt_begin; or no handler was installed since, which ends what has
// begun), WASMTRAP_ERR_WRONG_THREAD (another thread has begun), WASMTRAP_ERR_UNSUPPORTED (a handler with
// SA_RESETHAND), WASMTRAP_ERR_INVALID_ARGUMENT (`id` is NULL, an unknown flag; or a handler in memory that is not
// there), WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_BUSY (handlers keep being installed meanwhile),
// WASMTRAP_ERR_LIMIT (on Windows, more than 4 handlers of one engine), WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM.
// Where a handler is refused all of the engine's stay as it has installed them, and call what was there before as they
// would without the library. Thread-safe, not signal-safe.
//
// The caller vouches for this:
// `id` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_adopt_end(uint32_t flags,
                                     uint64_t *id);

// Gives an adopted engine its signals back: its handlers are installed as it has installed them, on top of the
// library's, which stay what they find as their earlier ones. The engine can then take them away as it always does
// (Wasmtime's Engine::unload_process_handlers). Where several are released, each should take its handlers away before
// the next one is released, as without the library. Faults that other engines or the library take reach them through
// this one's handlers as long as those are there; wasmtrap_rearm puts the library in front.
//
// On Windows they have never left the system's list: the library no longer calls them, and they have their faults by
// their place there. An engine that takes a handler away (RemoveVectoredExceptionHandler) without a release is no
// longer called from the next wasmtrap_adopt_begin, wasmtrap_adopt_release or wasmtrap_rearm on; until then its code,
// which stays in memory, may be.
//
// A thread that faults at the same time may still be in one of the engine's handlers when this returns.
//
// Errors: WASMTRAP_ERR_UNKNOWN_ID (never given out, or released before), WASMTRAP_ERR_BUSY (an adoption has begun and
// not ended), WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_adopt_release(uint64_t id);

// Marks the calling thread's faults as those of an adopted engine, until wasmtrap_adopted_leave: all of them, but for
// those in registered code. For a host that does not know where the engine has its code: around each call of it.
// `before` (may be NULL) receives whose they were, for wasmtrap_adopted_leave, so that calls of engines nest. A call
// that is left by a jump leaves the mark as it is; the next wasmtrap_adopted_leave further out puts it right.
//
// Attaches the thread (wasmtrap_thread_attach), which with Mach ports is what brings its exceptions here: worth it at
// the start of each thread that runs the engine.
//
// Errors: WASMTRAP_ERR_UNKNOWN_ID (not the id of an adopted engine), WASMTRAP_ERR_NOT_INITIALIZED, and those of
// wasmtrap_thread_attach. Thread-safe, not signal-safe.
//
// The caller vouches for this:
// `before` is NULL or valid for a write.
WASMTRAP_API
wasmtrap_status_t wasmtrap_adopted_enter(uint64_t id,
                                         uint64_t *before);

// Ends what wasmtrap_adopted_enter has begun. `before` is what that has given, or 0: nobody's.
//
// Errors: WASMTRAP_ERR_NOT_INITIALIZED, and those of wasmtrap_thread_attach. Thread-safe, not signal-safe.
WASMTRAP_API
wasmtrap_status_t wasmtrap_adopted_leave(uint64_t before);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WASMTRAP_H */
