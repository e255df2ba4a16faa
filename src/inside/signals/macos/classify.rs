//! What a signal and the exception state beside it say: who made it, and what kind of fault it reports.
//!
//! XNU's si_code cannot be believed: sendsig (bsd/dev/arm/unix_signal.c) gives SEGV_ACCERR to every SIGSEGV, one that a
//! process sent as well, and on x86-64 it comes from the thread's last fault (uu_code), whenever that was. si_pid is
//! not set for the signals of faults. So the word is the processor's, as the context has it: why the thread came into
//! the kernel. Where that and the signal do not belong together, somebody sent the signal.

use crate::inside::decide::Kind;
pub(crate) use crate::inside::signals::reading::Reading;

/// Why the thread came into the kernel.
#[allow(dead_code, reason = "some come with one of the architectures only")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An access that the memory system refused, at the address that the exception state has.
    Memory,
    /// An access to an address that the processor does not tell.
    MemorySomewhere,
    /// An access that must be aligned and was not.
    Misaligned,
    /// An instruction that is none, or not for programs.
    Illegal,
    /// An integer division.
    IntegerDivision,
    /// Floating point.
    OtherArithmetic,
    /// `int3` or `brk`.
    Breakpoint,
    /// Something that no code is meant to survive.
    Fatal,
    /// A system call.
    SystemCall,
    /// An interrupt, or what cannot be told from one.
    Interrupt,
}

/// What the signal is. The pairs are those of ux_exception (bsd/uxkern/ux_exception.c) and machine_exception
/// (bsd/dev/*/unix_signal.c): memory faults are SIGBUS or SIGSEGV, depending on the kind of mapping and, for the guard
/// of the main thread's stack, on the version.
pub(crate) fn classify(signal: libc::c_int, _code: i32, origin: Origin) -> Reading {
    let (kind, has_address) = match (signal, origin) {
        (libc::SIGSEGV | libc::SIGBUS, Origin::Memory) => (Kind::Memory, true),
        // A fault of the stack segment is an illegal instruction to XNU (user_trap, osfmk/i386/trap.c).
        (libc::SIGSEGV | libc::SIGBUS | libc::SIGILL, Origin::MemorySomewhere) => (Kind::Memory, false),
        (libc::SIGSEGV | libc::SIGBUS, Origin::Misaligned) => (Kind::Misaligned, true),
        (libc::SIGILL, Origin::Illegal) => (Kind::Illegal, false),
        (libc::SIGFPE, Origin::IntegerDivision) => (Kind::IntegerDivision, false),
        (libc::SIGFPE, Origin::OtherArithmetic) => (Kind::OtherArithmetic, false),
        (libc::SIGTRAP, Origin::Breakpoint) => (Kind::Breakpoint, false),
        (_, Origin::Fatal) => (Kind::Fatal, false),
        _ => return Reading { from_kernel: false, kind: Kind::Fatal, has_address: false },
    };
    Reading { from_kernel: true, kind, has_address }
}

/// Whether the kernel made the signal.
pub(crate) fn is_from_kernel(signal: libc::c_int, code: i32, origin: impl FnOnce() -> Origin) -> bool {
    classify(signal, code, origin()).from_kernel
}

/// Whether the signal comes again when its instruction is run again. `int3` is behind the program counter; `brk` is at
/// it.
pub(crate) fn comes_again(signal: libc::c_int, _code: i32, reading: &Reading) -> bool {
    reading.from_kernel && !(cfg!(target_arch = "x86_64") && signal == libc::SIGTRAP)
}
