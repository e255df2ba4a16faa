//! What a signal's number and code say: who made it, and what kind of fault it reports.
//!
//! The codes are Linux's (include/uapi/asm-generic/siginfo.h). Where a code is not known, the answer is `Fatal`, which
//! nothing is allowed to survive.

use crate::inside::decide::Kind;
pub(crate) use crate::inside::signals::reading::Reading;

/// What the registers add, where the code alone does not tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Breakpoint,
    Other,
}

/// The kernel made the signal, for whatever reason: SI_KERNEL.
const SI_KERNEL: i32 = 0x80;

const ILL_ILLOPC: i32 = 1;
const ILL_BADSTK: i32 = 8;

const FPE_INTDIV: i32 = 1;
const FPE_INTOVF: i32 = 2;

const SEGV_MAPERR: i32 = 1;
const SEGV_ACCERR: i32 = 2;
const SEGV_PKUERR: i32 = 4;
const SEGV_MTESERR: i32 = 9;

const BUS_ADRALN: i32 = 1;
const BUS_ADRERR: i32 = 2;
const BUS_MCEERR_AR: i32 = 4;

const TRAP_BRKPT: i32 = 1;

/// Reads `si_code`.
pub(crate) fn classify(signal: libc::c_int, code: i32, origin: Origin) -> Reading {
    // SI_USER is 0, SI_QUEUE, SI_TKILL and the like are below; the kernel lets a process send none above to another.
    let from_kernel = code > 0;
    let (kind, has_address) = match (signal, code) {
        (libc::SIGSEGV, SEGV_MAPERR | SEGV_ACCERR | SEGV_PKUERR | SEGV_MTESERR) => (Kind::Memory, true),
        // A general protection fault on x86-64: a non-canonical address, but also `hlt`; the processor tells no
        // address.
        (libc::SIGSEGV, SI_KERNEL) => (Kind::Memory, false),
        // x86-64 reports an alignment check without the address (exc_alignment_check, arch/x86/kernel/traps.c).
        (libc::SIGBUS, BUS_ADRALN) => (Kind::Misaligned, cfg!(target_arch = "aarch64")),
        (libc::SIGBUS, BUS_ADRERR) => (Kind::Memory, true),
        // The other one, BUS_MCEERR_AO, is early news of memory that nobody has touched.
        (libc::SIGBUS, BUS_MCEERR_AR) => (Kind::LostMemory, true),
        // The stack segment's general protection fault on x86-64: a non-canonical address by way of rsp or rbp.
        (libc::SIGBUS, SI_KERNEL) => (Kind::Memory, false),
        (libc::SIGILL, ILL_ILLOPC..=ILL_BADSTK) => (Kind::Illegal, false),
        (libc::SIGFPE, FPE_INTDIV | FPE_INTOVF) => (Kind::IntegerDivision, false),
        (libc::SIGFPE, _) => (Kind::OtherArithmetic, false),
        (libc::SIGTRAP, _) if origin == Origin::Breakpoint => (Kind::Breakpoint, false),
        (libc::SIGTRAP, TRAP_BRKPT) if cfg!(target_arch = "aarch64") => (Kind::Breakpoint, false),
        _ => (Kind::Fatal, false),
    };
    Reading { from_kernel, kind, has_address }
}

/// Whether the signal comes again when its instruction is run again. Breakpoints are behind it, and early reports of
/// broken memory belong to no instruction.
pub(crate) fn comes_again(signal: libc::c_int, code: i32, reading: &Reading) -> bool {
    const BUS_MCEERR_AO: i32 = 5;
    reading.from_kernel && signal != libc::SIGTRAP && !(signal == libc::SIGBUS && code == BUS_MCEERR_AO)
}
