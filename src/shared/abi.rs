//! What C sees: the constants and structures of `wasmtrap.h`.
//!
//! These comments are the header's, so they speak to a C programmer. Values that C passes in stay plain integers: a
//! Rust `enum` with a value that is not one of its own would be undefined behaviour.
#![allow(non_camel_case_types, reason = "the names are C's")]

use core::ffi::{c_char, c_void};

use libc::uintptr_t;

/// Major version of this header. The soname carries it: libwasmtrap.so.0.
pub const WASMTRAP_VERSION_MAJOR: u32 = 0;
/// Minor version of this header. It grows when something is added.
pub const WASMTRAP_VERSION_MINOR: u32 = 1;
/// Patch version of this header.
pub const WASMTRAP_VERSION_PATCH: u32 = 0;

// --- Status ----------------------------------------------------------------------------------------------------------

/// Success.
pub const WASMTRAP_OK: wasmtrap_status_t = 0;
/// From wasmtrap_call only: the function did not return, it trapped. Not an error, hence positive.
pub const WASMTRAP_TRAPPED: wasmtrap_status_t = 1;
/// An argument is out of its range; wasmtrap_last_error names it and its value.
pub const WASMTRAP_ERR_INVALID_ARGUMENT: wasmtrap_status_t = -1;
/// struct_size is not the size of the structure in this version of the library.
pub const WASMTRAP_ERR_STRUCT_SIZE: wasmtrap_status_t = -2;
/// wasmtrap_init has not been called, or wasmtrap_shutdown has.
pub const WASMTRAP_ERR_NOT_INITIALIZED: wasmtrap_status_t = -3;
/// wasmtrap_init was called before, with other options.
pub const WASMTRAP_ERR_CONFLICT: wasmtrap_status_t = -4;
/// This platform, or this process, cannot do what was asked for.
pub const WASMTRAP_ERR_UNSUPPORTED: wasmtrap_status_t = -5;
/// Out of memory. Nothing has changed.
pub const WASMTRAP_ERR_NO_MEMORY: wasmtrap_status_t = -6;
/// The range overlaps one that is registered already.
pub const WASMTRAP_ERR_OVERLAP: wasmtrap_status_t = -7;
/// Nothing has this id, or no longer has.
pub const WASMTRAP_ERR_UNKNOWN_ID: wasmtrap_status_t = -8;
/// Not now: a thread is inside a protected call, or an adoption is under way.
pub const WASMTRAP_ERR_BUSY: wasmtrap_status_t = -9;
/// The call belongs to another thread.
pub const WASMTRAP_ERR_WRONG_THREAD: wasmtrap_status_t = -10;
/// A fixed limit of the library is reached.
pub const WASMTRAP_ERR_LIMIT: wasmtrap_status_t = -11;
/// The operating system refused; wasmtrap_last_error names the call and its error.
pub const WASMTRAP_ERR_SYSTEM: wasmtrap_status_t = -12;
/// Nothing was found: at that address, or to be adopted.
pub const WASMTRAP_ERR_NOT_FOUND: wasmtrap_status_t = -13;

/// What a call came to: WASMTRAP_OK is 0, errors are negative. An error leaves all outputs and all state as they were.
pub type wasmtrap_status_t = i32;

// --- Trap codes ------------------------------------------------------------------------------------------------------

/// No trap code. In a trap site it means: take the region's code, else the code for the kind of fault.
pub const WASMTRAP_CODE_NONE: wasmtrap_code_t = 0;
/// "call stack exhausted"
pub const WASMTRAP_CODE_STACK_OVERFLOW: wasmtrap_code_t = 1;
/// "out of bounds memory access"
pub const WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS: wasmtrap_code_t = 2;
/// "unaligned atomic"
pub const WASMTRAP_CODE_HEAP_MISALIGNED: wasmtrap_code_t = 3;
/// "out of bounds table access"
pub const WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS: wasmtrap_code_t = 4;
/// "uninitialized element": a call through a null table element.
pub const WASMTRAP_CODE_INDIRECT_CALL_TO_NULL: wasmtrap_code_t = 5;
/// "indirect call type mismatch"
pub const WASMTRAP_CODE_BAD_SIGNATURE: wasmtrap_code_t = 6;
/// "integer overflow"
pub const WASMTRAP_CODE_INTEGER_OVERFLOW: wasmtrap_code_t = 7;
/// "integer divide by zero"
pub const WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO: wasmtrap_code_t = 8;
/// "invalid conversion to integer"
pub const WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER: wasmtrap_code_t = 9;
/// "unreachable"
pub const WASMTRAP_CODE_UNREACHABLE: wasmtrap_code_t = 10;
/// "interrupt": the host asked the code to stop.
pub const WASMTRAP_CODE_INTERRUPT: wasmtrap_code_t = 11;
/// "undefined element": call_indirect with an index past the end of the table.
pub const WASMTRAP_CODE_UNDEFINED_ELEMENT: wasmtrap_code_t = 12;
/// "null reference"
pub const WASMTRAP_CODE_NULL_REFERENCE: wasmtrap_code_t = 13;
/// "out of bounds array access"
pub const WASMTRAP_CODE_ARRAY_OUT_OF_BOUNDS: wasmtrap_code_t = 14;
/// "allocation size too large"
pub const WASMTRAP_CODE_ALLOCATION_TOO_LARGE: wasmtrap_code_t = 15;
/// "cast failure"
pub const WASMTRAP_CODE_CAST_FAILURE: wasmtrap_code_t = 16;
/// "expected shared memory": memory.atomic.wait on a memory that is not shared.
pub const WASMTRAP_CODE_EXPECTED_SHARED_MEMORY: wasmtrap_code_t = 17;
/// "unhandled exception"
pub const WASMTRAP_CODE_UNCAUGHT_EXCEPTION: wasmtrap_code_t = 18;
/// "all fuel consumed"
pub const WASMTRAP_CODE_OUT_OF_FUEL: wasmtrap_code_t = 19;
/// "unhandled tag": a suspension that no handler takes.
pub const WASMTRAP_CODE_UNHANDLED_TAG: wasmtrap_code_t = 20;
/// "continuation already consumed"
pub const WASMTRAP_CODE_CONTINUATION_ALREADY_CONSUMED: wasmtrap_code_t = 21;
/// The first code that is the embedder's own; all from here up are.
pub const WASMTRAP_CODE_USER: wasmtrap_code_t = 0x1000;

/// Why WebAssembly trapped: one of WASMTRAP_CODE_*, or the embedder's own from WASMTRAP_CODE_USER (0x1000) up. Codes
/// between the named ones and 0x1000 are kept for later versions; they are carried as they are and have no name.
pub type wasmtrap_code_t = u32;

// --- Backends, kinds of fault, flags ---------------------------------------------------------------------------------

/// The library chooses: Mach exception ports on macOS wherever they are safe, signals elsewhere. It looks at the
/// process first and asks the kernel for nothing that could kill it; wasmtrap_describe tells what it found.
pub const WASMTRAP_BACKEND_AUTO: wasmtrap_backend_t = 0;
/// Mach exception ports (macOS): an exception comes to a thread of the library's before it becomes a signal, and before
/// a debugger or crash reporter sees it. Signal handlers are installed underneath all the same, because the kernel may
/// bypass the ports.
pub const WASMTRAP_BACKEND_MACH_PORTS: wasmtrap_backend_t = 1;
/// POSIX signals; on Windows a vectored exception handler, which is there what signal handlers are.
pub const WASMTRAP_BACKEND_SIGNALS: wasmtrap_backend_t = 2;

/// How faults reach the library: one of WASMTRAP_BACKEND_*.
pub type wasmtrap_backend_t = u32;

/// Leave the choice between Mach ports and signals to `backend`.
pub const WASMTRAP_MACH_PORTS_DEFAULT: u32 = 0;
/// As Config::macos_use_mach_ports(true) in Wasmtime: Mach ports on macOS, as with WASMTRAP_BACKEND_MACH_PORTS. No
/// effect elsewhere.
pub const WASMTRAP_MACH_PORTS_YES: u32 = 1;
/// As Config::macos_use_mach_ports(false) in Wasmtime: signals on macOS too. No effect elsewhere.
pub const WASMTRAP_MACH_PORTS_NO: u32 = 2;

/// Memory faults: SIGSEGV and SIGBUS; EXC_BAD_ACCESS.
pub const WASMTRAP_FAULT_MEMORY: u32 = 1;
/// Illegal instructions: SIGILL; EXC_BAD_INSTRUCTION. `ud2` and `udf` are among them.
pub const WASMTRAP_FAULT_ILLEGAL: u32 = 2;
/// Arithmetic: SIGFPE; EXC_ARITHMETIC. Integer division on x86-64; arm64 has no such fault.
pub const WASMTRAP_FAULT_ARITHMETIC: u32 = 4;
/// Breakpoint instructions: SIGTRAP; EXC_BREAKPOINT. `int3` and `brk`. Debuggers use them too: only on request.
pub const WASMTRAP_FAULT_BREAKPOINT: u32 = 8;

/// wasmtrap_init: if the backend asked for cannot be had, take another instead of failing.
pub const WASMTRAP_INIT_ALLOW_FALLBACK: u32 = 1;
/// wasmtrap_init: install no signal handlers. The host owns sigaction and calls wasmtrap_try_handle_signal.
pub const WASMTRAP_INIT_HOST_OWNS_SIGNALS: u32 = 2;
/// wasmtrap_init: leave the threads' signal masks alone. Without it, attaching a thread unblocks the signals of the
/// faults taken in that thread, until it is detached: the kernel kills a process for a fault whose signal is blocked.
pub const WASMTRAP_INIT_KEEP_SIGNAL_MASK: u32 = 4;
/// wasmtrap_init: traps leave their signal handler by a jump to the protected call and rt_sigprocmask there, and not by
/// rt_sigreturn: on Linux on x86-64, wherever both come to the same. A trap takes a tenth less time so. Not for
/// processes that a seccomp filter kills for rt_sigprocmask, its strict mode for one: they would die at the first trap.
/// Where the system call is refused with an error, rt_sigreturn it is. In effect while all clients that are open ask
/// for it (wasmtrap_describe tells). No effect on other systems, on other processors, with Mach ports, with
/// WASMTRAP_INIT_HOST_OWNS_SIGNALS, and where another handler passes the signal on to the library's.
pub const WASMTRAP_INIT_LEAVE_BY_JUMP: u32 = 8;

/// wasmtrap_check: the kinds of fault whose signals are blocked in the calling thread now, as WASMTRAP_FAULT_* bits
/// shifted to the left by this. Their faults kill the process, unless Mach ports take them.
pub const WASMTRAP_CHECK_BLOCKED_SHIFT: u32 = 8;
/// wasmtrap_check: the calling thread is attached, but its alternate signal stack has been disabled since or replaced
/// by one that is too small.
pub const WASMTRAP_CHECK_ALTERNATE_STACK: u32 = 0x1_0000;
/// wasmtrap_check: the interrupt signal (interrupt_signal in wasmtrap_options_t) has another handler than the library's
/// now, or none. wasmtrap_interrupt does not send it then; wasmtrap_rearm puts the library's back.
pub const WASMTRAP_CHECK_INTERRUPT_SIGNAL: u32 = 0x2_0000;
/// wasmtrap_check: the interrupt signal is blocked in the calling thread now. It is interrupted no sooner than that is
/// lifted, or at an interrupt point.
pub const WASMTRAP_CHECK_INTERRUPTS_BLOCKED: u32 = 0x4_0000;

/// How the library is set up. Set struct_size, leave the rest zero for the defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_options_t {
    /// sizeof(wasmtrap_options_t).
    pub struct_size: usize,
    /// One of WASMTRAP_BACKEND_*. WASMTRAP_BACKEND_MACH_PORTS is an error (WASMTRAP_ERR_UNSUPPORTED) where there are
    /// none, unless WASMTRAP_INIT_ALLOW_FALLBACK is set. The environment variable WASMTRAP_BACKEND ("auto", "mach" or
    /// "signals") overrides this field and the next one, except in a process that runs with raised privileges.
    pub backend: wasmtrap_backend_t,
    /// One of WASMTRAP_MACH_PORTS_*: Wasmtime's switch, under Wasmtime's name. YES with WASMTRAP_BACKEND_SIGNALS, or NO
    /// with WASMTRAP_BACKEND_MACH_PORTS, contradict each other: WASMTRAP_ERR_INVALID_ARGUMENT.
    pub macos_use_mach_ports: u32,
    /// Which faults to take: WASMTRAP_FAULT_* or-ed together. 0 means MEMORY, ILLEGAL and ARITHMETIC.
    pub fault_kinds: u32,
    /// WASMTRAP_INIT_* or-ed together.
    pub flags: u32,
    /// Size in bytes of the alternate signal stack that a thread gets if it has none that is big enough: 0 for the
    /// default (32 KiB, or more where the kernel's own frame is large), else 16 KiB to 64 MiB. Rounded up to pages, and
    /// up to what the kernel needs for two signals (AT_MINSIGSTKSZ). On Windows, where there are no such stacks, it is
    /// what a thread keeps free of its stack for handling an overflow (SetThreadStackGuarantee), until it ends.
    pub alternate_stack_size: usize,
    /// The signal by which wasmtrap_interrupt reaches threads that are in registered code; 0 for none. The host gives
    /// it to the library, which installs a handler of its own, with SA_RESTART, and unblocks it in the threads that are
    /// attached (but for WASMTRAP_INIT_KEEP_SIGNAL_MASK and WASMTRAP_INIT_HOST_OWNS_SIGNALS). A real-time signal is
    /// best: SIGRTMIN + 5, say. A host that owns its signal handlers hands each of them to wasmtrap_try_handle_signal,
    /// which answers 1. A signal of faults, one that libc keeps to itself and one that cannot be caught are
    /// WASMTRAP_ERR_INVALID_ARGUMENT; one that has a handler already is WASMTRAP_ERR_CONFLICT.
    /// On Windows it must be 0, and none is needed: threads are suspended.
    pub interrupt_signal: i32,
    /// Must be 0.
    pub reserved: u32,
}

// --- Clients ---------------------------------------------------------------------------------------------------------

/// The process's default client: whoever calls wasmtrap_init.
pub const WASMTRAP_CLIENT_DEFAULT: wasmtrap_client_t = 0;

/// The most clients that are open at a time, the default one among them.
pub const WASMTRAP_MAX_CLIENTS: usize = 64;

/// A user of the library in this process: WASMTRAP_CLIENT_DEFAULT, or what wasmtrap_client_open gave. A number is never
/// given out twice.
pub type wasmtrap_client_t = u32;

/// wasmtrap_client_set_fault_handler: the handler is asked about faults that are no client's, too.
pub const WASMTRAP_HANDLER_ANY_FAULT: u32 = 1;

/// A user of the library, as wasmtrap_client_open wants it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_client_desc_t {
    /// sizeof(wasmtrap_client_desc_t).
    pub struct_size: usize,
    /// What the client is called in wasmtrap_describe and in the sentences of wasmtrap_last_error: a UTF-8 string that
    /// ends in NUL. Copied, and cut after 47 bytes. Must not be NULL or empty.
    pub name: *const c_char,
    /// What the client wants, or NULL for the defaults. Read during the call only.
    pub options: *const wasmtrap_options_t,
}

// --- Code ranges and regions -----------------------------------------------------------------------------------------

/// Memory faults in this range are traps only if the fault address lies in a registered region, or in the guard area
/// of the thread's own stack. Everything else is a crash and forwarded. Recommended.
pub const WASMTRAP_CODE_STRICT: u32 = 1;
/// The range is code of an engine that the range's client has adopted (wasmtrap_adopt_begin): its faults are offered to
/// that engine's handlers before anybody else is asked, and are never traps by these tables. Takes no trap sites.
pub const WASMTRAP_CODE_ADOPTED: u32 = 4;

/// A memory fault in this region is a trap wherever the program counter is: in an interpreter, in a host function, in
/// libc's memmove. But only while the thread is inside a protected call of which the host has said that it may be
/// dropped: between wasmtrap_guest_access_begin and wasmtrap_guest_access_end, for the client whose region it is.
/// Everywhere else the fault is forwarded, as if there were no flag.
///
/// What it costs: the frames between the fault and the protected call are dropped, host frames like guest frames. No
/// destructor and no cleanup of theirs runs. Locks that they hold stay held, memory that they have allocated stays
/// allocated, and what they were writing stays half written: a buffer, a list that is being linked, errno. So nothing
/// of that kind may happen between begin and end: read and write guest memory there, and nothing else. A signal handler
/// of the host's that interrupts such code and faults in the region itself is dropped with it.
///
/// A system call that is given an address in the region does not fault: it fails with EFAULT, or does a part of its
/// work. Fetching instructions from the region is no access to it, and forwarded.
pub const WASMTRAP_REGION_ANY_PC: u32 = 2;

/// In wasmtrap_region_info_t: the region is a page of wasmtrap_poll_page_open. Nobody can ask for it.
pub const WASMTRAP_REGION_POLL_PAGE: u32 = 0x8000_0000;

/// Code in this range is not interrupted by wasmtrap_interrupt's signal, as if it were the host's: for an interpreter's
/// own functions, which may be half-way through something that has to be whole. WASMTRAP_CODE_ADOPTED implies it.
pub const WASMTRAP_CODE_NOT_INTERRUPTIBLE: u32 = 8;

/// One instruction that may trap.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wasmtrap_site_t {
    /// Offset in bytes of the instruction from the start of the code range.
    pub offset: u32,
    /// What the trap means, or WASMTRAP_CODE_NONE to let the region, else the kind of fault, say it.
    pub code: wasmtrap_code_t,
}

/// A range of compiled WebAssembly code to register.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_code_desc_t {
    /// sizeof(wasmtrap_code_desc_t).
    pub struct_size: usize,
    /// First byte of the code.
    pub start: *const c_void,
    /// Length in bytes, at least 1. start + length must not wrap; with trap sites it is at most 4 GiB.
    pub length: usize,
    /// The instructions that may trap, by strictly ascending offset, or NULL if any instruction in the range may.
    /// Copied. A table that is not NULL but has no sites makes no fault a trap.
    pub sites: *const wasmtrap_site_t,
    /// Number of elements in `sites`; 0 if it is NULL.
    pub site_count: usize,
    /// WASMTRAP_CODE_* flags or-ed together: STRICT, ADOPTED, NOT_INTERRUPTIBLE.
    pub flags: u32,
    /// The embedder's own, handed back in trap records. Never looked at.
    pub user: *mut c_void,
    /// Whose range it is; 0 for the default client's. It goes with its client.
    pub client: wasmtrap_client_t,
    /// Which faults in the range may be traps: WASMTRAP_FAULT_* or-ed together; 0 for those that the client takes,
    /// which is the most that can be asked for. An interpreter's own text wants WASMTRAP_FAULT_MEMORY alone, or the
    /// host's assertions (`ud2`) would be "unreachable".
    pub fault_kinds: u32,
}

/// What wasmtrap_code_lookup found.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_code_info_t {
    /// sizeof(wasmtrap_code_info_t), set by the caller.
    pub struct_size: usize,
    /// The range's id.
    pub id: u64,
    /// First byte of the code.
    pub start: *const c_void,
    /// Length in bytes.
    pub length: usize,
    /// The range's user pointer.
    pub user: *mut c_void,
    /// Offset of the address in the range, in bytes.
    pub offset: usize,
    /// 1 if the address is a trap site of the range's table, else 0.
    pub has_site: u32,
    /// The site's code; WASMTRAP_CODE_NONE if there is none.
    pub site_code: wasmtrap_code_t,
}

/// A range of data addresses in which a fault means something: a linear memory with its guards, a guard page of a
/// stack, an interrupt page.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_region_desc_t {
    /// sizeof(wasmtrap_region_desc_t).
    pub struct_size: usize,
    /// First byte of the region.
    pub base: *const c_void,
    /// Length in bytes, at least 1. base + length must not wrap.
    pub length: usize,
    /// What a fault in here means, where the trap site does not say it; WASMTRAP_CODE_NONE for what the kind of fault
    /// says (out of bounds, or misaligned).
    pub code: wasmtrap_code_t,
    /// WASMTRAP_REGION_ANY_PC or 0.
    pub flags: u32,
    /// The embedder's own, handed back in trap records. Never looked at.
    pub user: *mut c_void,
    /// Whose region it is; 0 for the default client's. It goes with its client.
    pub client: wasmtrap_client_t,
    /// What a memory fault in the accessible part means; WASMTRAP_CODE_NONE: no trap. Code of its own, even at a trap
    /// site: such a fault is not the guest's doing. Misaligned accesses are what they are everywhere.
    pub accessible_code: wasmtrap_code_t,
    /// Length in bytes of the part, from `base` on, that can be accessed without a fault: of a linear memory, its size.
    /// At most `length`. 0 if there is none, or if that is not told: then every fault in the region is a trap. It
    /// changes by wasmtrap_region_set_accessible.
    ///
    /// A fault in that part is a full or failing file system, a file that was truncated under its mapping (SIGBUS,
    /// BUS_ADRERR), hardware that has lost the page (BUS_MCEERR_AR), or a page that the host has protected for a
    /// purpose of its own: nothing that is out of bounds.
    pub accessible: usize,
}

/// What wasmtrap_region_lookup found.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_region_info_t {
    /// sizeof(wasmtrap_region_info_t), set by the caller.
    pub struct_size: usize,
    /// The region's id.
    pub id: u64,
    /// First byte of the region.
    pub base: *const c_void,
    /// Length in bytes.
    pub length: usize,
    /// The region's user pointer.
    pub user: *mut c_void,
    /// Offset of the address in the region, in bytes.
    pub offset: usize,
    /// Length in bytes of its accessible part, as it was told last.
    pub accessible: usize,
    /// What a fault in it means.
    pub code: wasmtrap_code_t,
    /// What a fault in its accessible part means.
    pub accessible_code: wasmtrap_code_t,
    /// Whose region it is.
    pub client: wasmtrap_client_t,
    /// The flags that it was registered with.
    pub flags: u32,
}

// --- Traps -----------------------------------------------------------------------------------------------------------

/// It is not known what the instruction did.
pub const WASMTRAP_ACCESS_UNKNOWN: wasmtrap_access_t = 0;
/// The instruction read.
pub const WASMTRAP_ACCESS_READ: wasmtrap_access_t = 1;
/// The instruction wrote.
pub const WASMTRAP_ACCESS_WRITE: wasmtrap_access_t = 2;
/// The processor fetched the instruction itself.
pub const WASMTRAP_ACCESS_EXECUTE: wasmtrap_access_t = 3;

/// How memory was touched: one of WASMTRAP_ACCESS_*.
pub type wasmtrap_access_t = u32;

/// The trap came from a fault, by the registered tables.
pub const WASMTRAP_SOURCE_FAULT: u32 = 0;
/// The trap came from wasmtrap_raise.
pub const WASMTRAP_SOURCE_RAISE: u32 = 1;
/// The trap came from a fault, by the word of the fault handler (wasmtrap_set_fault_handler).
pub const WASMTRAP_SOURCE_HANDLER: u32 = 2;
/// The trap came from wasmtrap_interrupt. pc is where the thread was; or the function that was about to be called, of
/// which no instruction has run; or, from wasmtrap_interrupt_point, that call's return address.
pub const WASMTRAP_SOURCE_INTERRUPT: u32 = 3;

/// code_id, code_user and code_offset are set: the program counter is in a registered range.
pub const WASMTRAP_HAS_CODE: u32 = 1;
/// The range has a site table and the program counter is one of its sites.
pub const WASMTRAP_HAS_SITE: u32 = 2;
/// fault_address is set. A non-canonical address on x86-64, for one, is not told by the processor.
pub const WASMTRAP_HAS_FAULT_ADDRESS: u32 = 4;
/// region_id, region_user and region_offset are set: the fault address is in a registered region.
pub const WASMTRAP_HAS_REGION: u32 = 8;
/// registers is set: all of it for a fault, none of it for wasmtrap_raise.
pub const WASMTRAP_HAS_REGISTERS: u32 = 16;
/// There were more frames than fitted the buffer, or than the library walks (WASMTRAP_MAX_FRAMES).
pub const WASMTRAP_FRAMES_TRUNCATED: u32 = 32;
/// The fault address is in the guard area of the thread's own stack.
pub const WASMTRAP_HAS_STACK_GUARD: u32 = 64;
/// The fault address is in the accessible part of the region: what failed is the memory itself.
pub const WASMTRAP_IN_ACCESSIBLE: u32 = 128;

/// The region alone made it a trap (WASMTRAP_REGION_ANY_PC): the frames that were dropped may be the host's.
pub const WASMTRAP_BY_REGION_ALONE: u32 = 256;

/// The most frames that a backtrace has.
pub const WASMTRAP_MAX_FRAMES: usize = 128;

/// The general-purpose registers, in the numbering of the platform's DWARF tables.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct wasmtrap_registers_t {
    /// x86-64: rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 to r15, then zeros. arm64: x0 to x30, sp.
    pub general: [u64; 32],
    /// Program counter: the instruction that faulted.
    pub pc: u64,
    /// x86-64: rflags. arm64: pstate.
    pub flags: u64,
}

/// A trap. The caller sets struct_size, frames and frames_capacity; wasmtrap_call sets the rest, and only when it
/// returns WASMTRAP_TRAPPED.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_trap_t {
    /// sizeof(wasmtrap_trap_t), set by the caller.
    pub struct_size: usize,
    /// Where the backtrace goes: the caller's buffer, or NULL for none. `frames[0]` is pc, each further one the return
    /// address of the next frame out, up to the function that wasmtrap_call called. The walk follows frame pointers and
    /// stops at the first that makes no sense, so code built without them ends it early.
    pub frames: *mut uintptr_t,
    /// Number of elements that `frames` has room for.
    pub frames_capacity: usize,
    /// Number of elements of `frames` that were written.
    pub frame_count: usize,
    /// Why.
    pub code: wasmtrap_code_t,
    /// One of WASMTRAP_SOURCE_*.
    pub source: u32,
    /// WASMTRAP_HAS_* and WASMTRAP_FRAMES_TRUNCATED, or-ed together: which of the fields below are set. The others are
    /// 0.
    pub flags: u32,
    /// What the faulting instruction did to memory. With Mach ports it is WASMTRAP_ACCESS_EXECUTE or
    /// WASMTRAP_ACCESS_UNKNOWN: the exception message does not tell reads from writes.
    pub access: wasmtrap_access_t,
    /// Program counter: the instruction that faulted; for wasmtrap_raise, its return address.
    pub pc: uintptr_t,
    /// Stack pointer at the fault.
    pub sp: uintptr_t,
    /// Frame pointer register at the fault (rbp, x29).
    pub fp: uintptr_t,
    /// Id of the code range.
    pub code_id: u64,
    /// User pointer of the code range.
    pub code_user: *mut c_void,
    /// pc minus the start of the range, in bytes.
    pub code_offset: usize,
    /// The address that the instruction failed to access.
    pub fault_address: uintptr_t,
    /// Id of the region.
    pub region_id: u64,
    /// User pointer of the region.
    pub region_user: *mut c_void,
    /// fault_address minus the base of the region, in bytes: with a linear memory, the WebAssembly address.
    pub region_offset: usize,
    /// What was given to wasmtrap_raise, or set by the fault handler.
    pub payload: u64,
    /// The signal (SIGSEGV, ...), 0 for wasmtrap_raise, for Mach exceptions and on Windows.
    pub signal: i32,
    /// siginfo_t's si_code.
    pub signal_code: i32,
    /// The Mach exception (EXC_BAD_ACCESS, ...), on Windows the exception's code (EXCEPTION_ACCESS_VIOLATION, ..., a
    /// DWORD), 0 for all else. One of signal and exception is set for a fault, whichever way it came.
    pub exception: i32,
    /// Number of elements of exception_codes that are set.
    pub exception_code_count: u32,
    /// The Mach exception's codes; on Windows the first parameters of the exception (ExceptionInformation).
    pub exception_codes: [i64; 2],
    /// The registers at the fault.
    pub registers: wasmtrap_registers_t,
}

/// A run: one protected call that other threads can interrupt. A number, never 0, and of no other run until four
/// billion others have come and gone.
pub type wasmtrap_run_t = u64;

/// A function that runs under protection.
pub type wasmtrap_function_t = Option<unsafe extern "C-unwind" fn(argument: *mut c_void)>;

/// A thread's protected calls, taken off it by wasmtrap_chain_detach. Opaque; lives on the stacks of those calls.
pub struct wasmtrap_chain_t {
    _opaque: [u8; 0],
}

/// A note of the protected calls that a thread is in, made by wasmtrap_mark. A plain value: copy it, keep it as long as
/// you like, forget it; nothing needs to be freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_mark_t {
    /// The library's own.
    pub words: [u64; 8],
}

/// What a protected call was before wasmtrap_guest_access_begin. A plain value; nothing needs to be freed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_guest_access_t {
    /// The library's own.
    pub words: [u64; 2],
}

/// The stack that a detached chain goes on with.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasmtrap_stack_t {
    /// sizeof(wasmtrap_stack_t).
    pub struct_size: usize,
    /// Lowest usable byte.
    pub low: *const c_void,
    /// One past the highest usable byte.
    pub high: *const c_void,
    /// Size in bytes of the inaccessible area that ends at `low`, 0 if there is none. A fault in it is a stack
    /// overflow.
    pub guard_size: usize,
}

/// What wasmtrap_stack_limit keeps free for the host's imports unless wasmtrap_set_stack_reserve says otherwise, in
/// bytes.
pub const WASMTRAP_DEFAULT_STACK_RESERVE: usize = 65536;

// --- Own handling ----------------------------------------------------------------------------------------------------

/// The fault is not the handler's: the library goes on as if there were no handler.
pub const WASMTRAP_VERDICT_FORWARD: wasmtrap_verdict_t = 0;
/// The handler has mended the cause, or changed the registers: go on with the registers as they are now.
pub const WASMTRAP_VERDICT_RESUME: wasmtrap_verdict_t = 1;
/// The fault is a trap with fault->trap_code and fault->payload: end the innermost protected call that is alive.
/// Outside of one the verdict counts as WASMTRAP_VERDICT_FORWARD.
pub const WASMTRAP_VERDICT_TRAP: wasmtrap_verdict_t = 2;

/// What a fault handler says of a fault: one of WASMTRAP_VERDICT_*. Any other value counts as FORWARD.
pub type wasmtrap_verdict_t = u32;

/// A fault, as a fault handler sees it. It lives until the handler returns.
#[repr(C)]
pub struct wasmtrap_fault_t {
    /// sizeof(wasmtrap_fault_t) in the library, which may be larger than in the header that the handler was built with.
    pub struct_size: usize,
    /// One of WASMTRAP_FAULT_*.
    pub kind: u32,
    /// WASMTRAP_HAS_*: which of the fields below are set. The others are 0. The region is told wherever the program
    /// counter is, and so is WASMTRAP_HAS_STACK_GUARD inside a protected call.
    pub flags: u32,
    /// What the instruction did to memory.
    pub access: wasmtrap_access_t,
    /// In: what the trap code would be by the registered tables, WASMTRAP_CODE_NONE if they make no trap of it. Out,
    /// for WASMTRAP_VERDICT_TRAP: the code to trap with.
    pub trap_code: wasmtrap_code_t,
    /// Out, for WASMTRAP_VERDICT_TRAP: goes into the trap record. 0 at first.
    pub payload: u64,
    /// Program counter: the instruction that faulted.
    pub pc: uintptr_t,
    /// Stack pointer at the fault.
    pub sp: uintptr_t,
    /// Frame pointer register at the fault (rbp, x29).
    pub fp: uintptr_t,
    /// The address that the instruction failed to access.
    pub fault_address: uintptr_t,
    /// Id of the code range.
    pub code_id: u64,
    /// User pointer of the code range.
    pub code_user: *mut c_void,
    /// pc minus the start of the range, in bytes.
    pub code_offset: usize,
    /// Id of the region.
    pub region_id: u64,
    /// User pointer of the region.
    pub region_user: *mut c_void,
    /// fault_address minus the base of the region, in bytes.
    pub region_offset: usize,
    /// The signal, 0 for Mach exceptions and on Windows.
    pub signal: i32,
    /// siginfo_t's si_code.
    pub signal_code: i32,
    /// The Mach exception, on Windows the exception's code, 0 for signals.
    pub exception: i32,
    /// Must be ignored.
    pub reserved: u32,
    /// The thread's registers. Changes take effect with WASMTRAP_VERDICT_RESUME only; on Windows on arm64 none of x18,
    /// which has the thread's block.
    pub registers: *mut wasmtrap_registers_t,
    /// The signal handler's siginfo_t, as the kernel gave it; on Windows the EXCEPTION_RECORD; NULL for a Mach
    /// exception. It lives until the handler returns.
    pub siginfo: *mut c_void,
    /// The signal handler's ucontext_t, as the kernel gave it; on Windows the CONTEXT; NULL for a Mach exception. It
    /// lives until the handler returns. To change registers, change `registers`: what that says is written over the
    /// context with WASMTRAP_VERDICT_RESUME. What else the context has (vector registers, the signal mask) may be
    /// changed here.
    pub ucontext: *mut c_void,
}

/// The embedder's own fault handler. It runs on the faulting thread: with signals inside the signal handler, with Mach
/// ports on a stack of the library's, as large as the alternate signal stack, with no signal blocked. It may do only
/// what a signal handler may (POSIX: signal-safety(7)), take no lock, and call only those functions of this library
/// that say they are signal-safe. It may leave by not returning (a jump into its own landing pad), if the jump puts the
/// signal mask back, as siglongjmp can: inside the library's signal handler every signal is blocked, because it runs on
/// the alternate stack, where no other signal may find the thread; the next fault would kill the process. A fault of
/// the fault handler itself is the end of the process for the same reason. On Windows it may leave by a longjmp that
/// unwinds, or by an exception of its own: after a jump that does not, the next fault further in on the stack may be
/// taken for the handler's own.
pub type wasmtrap_fault_handler_t =
    Option<unsafe extern "C" fn(fault: *mut wasmtrap_fault_t, user: *mut c_void) -> wasmtrap_verdict_t>;

// --- Adoption --------------------------------------------------------------------------------------------------------

/// The most engines that are adopted at a time, with those that were released and have not taken their handlers away.
pub const WASMTRAP_MAX_ADOPTED: usize = 8;

/// wasmtrap_adopt_end: the engine's handlers are offered faults of its own only, those in ranges with
/// WASMTRAP_CODE_ADOPTED and those of threads between wasmtrap_adopted_enter and wasmtrap_adopted_leave.
pub const WASMTRAP_ADOPT_OWN_FAULTS: u32 = 1;
