//! What a Mach exception and its codes say: what kind of fault it is, and whether there is an address.
//!
//! The codes are XNU's: `user_trap` (osfmk/i386/trap.c) with osfmk/mach/i386/exception.h, and osfmk/arm64/sleh.c with
//! osfmk/mach/arm/exception.h. Where a code is not known, the answer is `Fatal`, which nothing is allowed to survive.

use crate::inside::decide::Kind;

pub(crate) const EXC_BAD_ACCESS: i32 = 1;
pub(crate) const EXC_BAD_INSTRUCTION: i32 = 2;
pub(crate) const EXC_ARITHMETIC: i32 = 3;
pub(crate) const EXC_BREAKPOINT: i32 = 6;

/// What an exception says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    pub(crate) kind: Kind,
    /// The address that could not be accessed.
    pub(crate) address: Option<usize>,
    /// The program counter in the state is behind the instruction (`int3`).
    pub(crate) pc_is_behind: bool,
}

/// Reads an exception's codes.
pub(crate) fn classify(exception: i32, codes: [i64; 2]) -> Exception {
    let [code, subcode] = codes;
    let at = |kind| Exception { kind, address: Some(subcode as usize), pc_is_behind: false };
    let without_address = |kind| Exception { kind, address: None, pc_is_behind: false };
    match exception {
        EXC_BAD_ACCESS => match bad_access(code) {
            (kind, true) => at(kind),
            (kind, false) => without_address(kind),
        },
        EXC_BAD_INSTRUCTION => without_address(bad_instruction(code)),
        EXC_ARITHMETIC => without_address(arithmetic(code)),
        EXC_BREAKPOINT if code == BREAKPOINT => {
            Exception { kind: Kind::Breakpoint, address: None, pc_is_behind: cfg!(target_arch = "x86_64") }
        }
        _ => without_address(Kind::Fatal),
    }
}

/// The kind, where an indirect branch may have come to the instruction. XNU has no code of its own for a branch to
/// where none may go (ESR_EC_BTI_FAIL, osfmk/arm64/sleh.c): it may come as an instruction that is none, whose word is
/// the second code. `udf` is none by design.
pub(crate) fn kind_after_branch(kind: Kind, codes: [i64; 2], came_by_branch: bool) -> Kind {
    let undefined_by_design = codes[1] as u32 >> 16 == 0;
    if kind == Kind::Illegal && came_by_branch && !undefined_by_design { Kind::Fatal } else { kind }
}

/// A code of EXC_BAD_ACCESS, as `vm_fault` returns them (osfmk/mach/kern_return.h).
pub(super) const KERN_INVALID_ADDRESS: i64 = 1;
const KERN_PROTECTION_FAILURE: i64 = 2;
/// Past the end of a mapped file, among others.
const KERN_MEMORY_ERROR: i64 = 10;

#[cfg(target_arch = "x86_64")]
use x86_64::*;
#[cfg(target_arch = "x86_64")]
pub(super) mod x86_64 {
    use super::*;

    pub(in super::super) const EXC_I386_DIV: i64 = 1;
    pub(in super::super) const EXC_I386_INTO: i64 = 2;
    const EXC_I386_EXTERR: i64 = 5;
    const EXC_I386_SSEEXTERR: i64 = 8;
    pub(in super::super) const EXC_I386_INVOP: i64 = 1;
    pub(super) const BREAKPOINT: i64 = 2; // EXC_I386_BPT; EXC_I386_SGL, a single step, is another
    const EXC_I386_STKFLT: i64 = 12;
    pub(in super::super) const EXC_I386_GPFLT: i64 = 13;
    const EXC_I386_ALIGNFLT: i64 = 17;

    /// The kind, and whether the second code is an address.
    pub(super) fn bad_access(code: i64) -> (Kind, bool) {
        match code {
            KERN_INVALID_ADDRESS | KERN_PROTECTION_FAILURE | KERN_MEMORY_ERROR => (Kind::Memory, true),
            // A non-canonical address, but also `hlt`; the processor tells no address.
            EXC_I386_GPFLT => (Kind::Memory, false),
            EXC_I386_ALIGNFLT => (Kind::Misaligned, false),
            _ => (Kind::Fatal, false),
        }
    }

    pub(super) fn bad_instruction(code: i64) -> Kind {
        match code {
            // A non-canonical address by way of rsp or rbp.
            EXC_I386_STKFLT => Kind::Memory,
            EXC_I386_INVOP => Kind::Illegal,
            // A broken task state segment, a segment that is not there.
            _ => Kind::Fatal,
        }
    }

    pub(super) fn arithmetic(code: i64) -> Kind {
        match code {
            EXC_I386_DIV | EXC_I386_INTO => Kind::IntegerDivision,
            EXC_I386_EXTERR | EXC_I386_SSEEXTERR => Kind::OtherArithmetic,
            _ => Kind::Fatal,
        }
    }
}

#[cfg(target_arch = "aarch64")]
use aarch64::*;
#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use super::*;

    pub(super) const BREAKPOINT: i64 = 1; // EXC_ARM_BREAKPOINT
    const EXC_ARM_UNDEFINED: i64 = 1;
    const EXC_ARM_DA_ALIGN: i64 = 0x101;

    /// The kind, and whether the second code is an address. Failed pointer authentication, a misaligned stack pointer
    /// and watchpoints are nobody's trap.
    pub(super) fn bad_access(code: i64) -> (Kind, bool) {
        match code {
            KERN_INVALID_ADDRESS | KERN_PROTECTION_FAILURE | KERN_MEMORY_ERROR => (Kind::Memory, true),
            EXC_ARM_DA_ALIGN => (Kind::Misaligned, true),
            _ => (Kind::Fatal, false),
        }
    }

    pub(super) fn bad_instruction(code: i64) -> Kind {
        if code == EXC_ARM_UNDEFINED { Kind::Illegal } else { Kind::Fatal }
    }

    /// Integer division does not fault.
    pub(super) fn arithmetic(code: i64) -> Kind {
        /// EXC_ARM_FP_UNDEFINED to EXC_ARM_FP_ID.
        const FLOATING_POINT: core::ops::RangeInclusive<i64> = 0..=6;
        if FLOATING_POINT.contains(&code) { Kind::OtherArithmetic } else { Kind::Fatal }
    }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
