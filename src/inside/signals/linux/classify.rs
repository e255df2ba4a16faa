//! What a signal's number and code say: who made it, and what kind of fault it reports.
//!
//! The codes are Linux's (include/uapi/asm-generic/siginfo.h), each read for what the kernel gives it for. They come
//! first: what the context has of the processor's last exception is stale for a signal that is none of its making.
//! Where a code is not known, the answer is `Fatal`, which nothing is allowed to survive.

use crate::inside::decide::Kind;
pub(crate) use crate::inside::signals::reading::Reading;

/// What the registers add, where the code alone does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "some come with one of the architectures only")]
pub(crate) enum Origin {
    Breakpoint,
    /// A general protection fault: the processor's last exception was one, and the instruction can have made it.
    GeneralProtection,
    /// The same of the stack segment.
    StackSegment,
    /// The instruction is one that is none by design.
    Undefined,
    /// An indirect branch went to where none may go, or a pointer or the stack pointer failed a check.
    ControlFlow,
    Other,
}

/// The kernel made the signal, for whatever reason: SI_KERNEL.
const SI_KERNEL: i32 = 0x80;

pub(super) const ILL_ILLOPC: i32 = 1;
const ILL_ILLOPN: i32 = 2;

const FPE_INTDIV: i32 = 1;
const FPE_INTOVF: i32 = 2;
const FPE_FLTDIV: i32 = 3;
const FPE_FLTINV: i32 = 7;
const FPE_FLTUNK: i32 = 14;

const SEGV_MAPERR: i32 = 1;
const SEGV_ACCERR: i32 = 2;
const SEGV_PKUERR: i32 = 4;
const SEGV_MTESERR: i32 = 9;

const BUS_ADRALN: i32 = 1;
const BUS_ADRERR: i32 = 2;
const BUS_MCEERR_AR: i32 = 4;

const TRAP_BRKPT: i32 = 1;

const X86_64: bool = cfg!(target_arch = "x86_64");
const AARCH64: bool = cfg!(target_arch = "aarch64");

/// Whether the kernel made the signal. Codes of signals that a process sent are 0 or less: SI_USER, SI_QUEUE, SI_TKILL
/// and so on. `origin` is not needed for it here.
#[inline(always)]
pub(crate) fn is_from_kernel(_signal: libc::c_int, code: i32, _origin: impl FnOnce() -> Origin) -> bool {
    code > 0
}

/// Reads `si_code`. What is not here is nobody's trap, among it SEGV_CPERR, a failed check of a return address or of an
/// indirect branch; SEGV_MTEAERR, which comes late; and on x86-64 each code of SIGTRAP: TRAP_TRACE, TRAP_HWBKPT,
/// TRAP_PERF and TRAP_BRKPT, which is a debug exception that explains itself in no other way (get_si_code,
/// arch/x86/include/asm/traps.h).
pub(crate) fn classify(signal: libc::c_int, code: i32, origin: Origin) -> Reading {
    let from_kernel = is_from_kernel(signal, code, || origin);
    let (kind, has_address) = match (signal, code) {
        (libc::SIGSEGV, SEGV_MAPERR | SEGV_ACCERR | SEGV_PKUERR | SEGV_MTESERR) => (Kind::Memory, true),
        // A general protection fault on x86-64: a non-canonical address, but also `hlt`; the processor tells no
        // address. Otherwise the kernel was out of ways: no room for another signal's frame, or a bad one (force_sig).
        (libc::SIGSEGV, SI_KERNEL) if origin == Origin::GeneralProtection => (Kind::Memory, false),
        // The stack segment's on x86-64: a non-canonical address by way of rsp or rbp.
        (libc::SIGBUS, SI_KERNEL) if origin == Origin::StackSegment => (Kind::Memory, false),
        // arm64 has it for a misaligned stack pointer or program counter too (do_sp_pc_abort, arch/arm64/mm/fault.c).
        (libc::SIGBUS, BUS_ADRALN) if origin == Origin::ControlFlow => (Kind::Fatal, false),
        // x86-64 reports an alignment check without the address (exc_alignment_check, arch/x86/kernel/traps.c).
        (libc::SIGBUS, BUS_ADRALN) => (Kind::Misaligned, AARCH64),
        (libc::SIGBUS, BUS_ADRERR) => (Kind::Memory, true),
        // The other one, BUS_MCEERR_AO, is early news of memory that nobody has touched.
        (libc::SIGBUS, BUS_MCEERR_AR) => (Kind::LostMemory, true),
        // x86-64: exc_invalid_op, arch/x86/kernel/traps.c. arm64 has ILL_ILLOPN for failed pointer authentication
        // (do_el0_fpac, arch/arm64/kernel/traps.c), and emulators have it for all of them.
        (libc::SIGILL, ILL_ILLOPN) if X86_64 || origin == Origin::Undefined => (Kind::Illegal, false),
        // What has Linux's system calls and is not Linux says so on x86-64: gVisor (pkg/sentry/platform/kvm/
        // machine_amd64.go, ring0.InvalidOpcode) and Valgrind 3.19, neither of which has the processor's trap number.
        // The instruction is looked at.
        (libc::SIGILL, ILL_ILLOPC) if X86_64 && origin == Origin::Undefined => (Kind::Illegal, false),
        // arm64: do_el0_undef, and do_el0_bti for a branch to where none may go, which only the registers tell apart.
        (libc::SIGILL, ILL_ILLOPC) if AARCH64 && origin != Origin::ControlFlow => (Kind::Illegal, false),
        (libc::SIGFPE, FPE_INTDIV | FPE_INTOVF) => (Kind::IntegerDivision, false),
        // FPE_FLTUNK: arm64's where the processor does not tell which.
        (libc::SIGFPE, FPE_FLTDIV..=FPE_FLTINV | FPE_FLTUNK) => (Kind::OtherArithmetic, false),
        // `int3`, exc_int3; arm64's `brk` has a code of its own.
        (libc::SIGTRAP, SI_KERNEL) if origin == Origin::Breakpoint => (Kind::Breakpoint, false),
        (libc::SIGTRAP, TRAP_BRKPT) if AARCH64 => (Kind::Breakpoint, false),
        _ => (Kind::Fatal, false),
    };
    Reading { from_kernel, kind, has_address }
}

/// Whether the signal comes again when its instruction is run again. Breakpoints on x86-64 are behind it; what the
/// kernel makes for reasons of its own, and what is reported late, belongs to no instruction. Where in doubt it does
/// not: a signal that is sent again arrives before the instruction runs.
pub(crate) fn comes_again(signal: libc::c_int, code: i32, reading: &Reading) -> bool {
    reading.from_kernel && reading.kind != Kind::Fatal && code != SI_KERNEL && signal != libc::SIGTRAP
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
