//! Which signal XNU makes of an exception that no port has taken, with which code: ux_exception (bsd/uxkern/
//! ux_exception.c), machine_exception and sendsig (bsd/dev/i386/unix_signal.c, bsd/dev/arm/unix_signal.c), read in
//! xnu-11417.101.15. For handlers that are called in the place of that signal.
//!
//! One thing is not known here: a protected page in the main thread's stack is SIGSEGV, where the kernel knows the
//! stack's place. It is SIGBUS, as for any other thread's guard; engines have a handler for both.

use super::classify::{EXC_ARITHMETIC, EXC_BAD_ACCESS, EXC_BAD_INSTRUCTION, EXC_BREAKPOINT, KERN_INVALID_ADDRESS};
use crate::inside::signals::Made;

/// Codes of si_code, by XNU's numbers (bsd/sys/signal.h).
const TRAP_BRKPT: i32 = 1;

/// The signal; `None` for what becomes none, or is none of ours.
pub(crate) fn signal_of(exception: i32, codes: [i64; 2]) -> Option<Made> {
    let [code, subcode] = codes;
    let made = |signal, code, address| Some(Made { signal, code, address });
    match exception {
        EXC_BAD_ACCESS => {
            let (is_segv, code, address) = bad_access(code, subcode as usize);
            made(if is_segv { libc::SIGSEGV } else { libc::SIGBUS }, code, Some(address))
        }
        EXC_BAD_INSTRUCTION => made(libc::SIGILL, illegal(code), None),
        EXC_ARITHMETIC => made(libc::SIGFPE, arithmetic(code, subcode), None),
        EXC_BREAKPOINT => made(libc::SIGTRAP, TRAP_BRKPT, None),
        _ => None,
    }
}

#[cfg(target_arch = "x86_64")]
use x86_64::*;
#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::super::classify::x86_64::{EXC_I386_DIV, EXC_I386_GPFLT, EXC_I386_INTO, EXC_I386_INVOP};
    use super::*;

    const SEGV_MAPERR: i32 = 1;
    const BUS_ADRERR: i32 = 2;
    const ILL_ILLOPC: i32 = 1;

    /// Whether it is SIGSEGV, its code and its address.
    pub(super) fn bad_access(code: i64, address: usize) -> (bool, i32, usize) {
        match code {
            KERN_INVALID_ADDRESS => (true, SEGV_MAPERR, address),
            // No address and no code.
            EXC_I386_GPFLT => (true, 0, 0),
            _ => (false, BUS_ADRERR, address),
        }
    }

    pub(super) fn illegal(code: i64) -> i32 {
        if code == EXC_I386_INVOP { ILL_ILLOPC } else { 0 }
    }

    /// Of floating point by the bits of its status: division by zero, overflow, underflow, precision, invalid.
    pub(super) fn arithmetic(code: i64, status: i64) -> i32 {
        const FPE_INTDIV: i32 = 7;
        const FPE_INTOVF: i32 = 8;
        const BY_BIT: [(u32, i32); 5] = [(2, 1), (3, 2), (4, 3), (5, 4), (0, 5)];
        match code {
            EXC_I386_DIV => FPE_INTDIV,
            EXC_I386_INTO => FPE_INTOVF,
            _ => BY_BIT.iter().find(|&&(bit, _)| status & 1 << bit != 0).map_or(0, |&(_, code)| code),
        }
    }
}

#[cfg(target_arch = "aarch64")]
use aarch64::*;
#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use super::*;

    const SEGV_ACCERR: i32 = 2;
    const BUS_ADRALN: i32 = 1;
    const ILL_ILLTRP: i32 = 2;

    /// Whether it is SIGSEGV, its code and its address. The codes are the same whatever has happened.
    pub(super) fn bad_access(code: i64, address: usize) -> (bool, i32, usize) {
        match code {
            KERN_INVALID_ADDRESS => (true, SEGV_ACCERR, address),
            _ => (false, BUS_ADRALN, address),
        }
    }

    pub(super) fn illegal(_code: i64) -> i32 {
        ILL_ILLTRP
    }

    /// EXC_ARM_FP_* (osfmk/mach/arm/exception.h): invalid, division by zero, overflow, underflow, inexact, denormal.
    pub(super) fn arithmetic(code: i64, _status: i64) -> i32 {
        match code {
            1 | 6 => 5,
            2 => 1,
            3 => 2,
            4 => 3,
            5 => 4,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(exception: i32, code: i64, subcode: i64) -> Option<(i32, i32, Option<usize>)> {
        signal_of(exception, [code, subcode]).map(|made| (made.signal, made.code, made.address))
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn exceptions_become_xnus_signals() {
        assert_eq!(of(1, 1, 0x1000), Some((libc::SIGSEGV, 1, Some(0x1000))));
        assert_eq!(of(1, 2, 0x1000), Some((libc::SIGBUS, 2, Some(0x1000))));
        assert_eq!(of(1, 10, 0x1000), Some((libc::SIGBUS, 2, Some(0x1000))));
        assert_eq!(of(1, 13, 5), Some((libc::SIGSEGV, 0, Some(0))));
        assert_eq!(of(2, 1, 0), Some((libc::SIGILL, 1, None)));
        assert_eq!(of(2, 12, 0), Some((libc::SIGILL, 0, None)));
        assert_eq!(of(3, 1, 0), Some((libc::SIGFPE, 7, None)));
        assert_eq!(of(3, 2, 0), Some((libc::SIGFPE, 8, None)));
        assert_eq!(of(3, 8, 1 << 2), Some((libc::SIGFPE, 1, None)));
        assert_eq!(of(3, 8, 1), Some((libc::SIGFPE, 5, None)));
        assert_eq!(of(6, 2, 0), Some((libc::SIGTRAP, 1, None)));
        assert_eq!(of(5, 1, 0), None);
        assert_eq!(of(12, 6, 0), None);
    }

    #[test]
    #[cfg(target_arch = "aarch64")]
    fn exceptions_become_xnus_signals() {
        assert_eq!(of(1, 1, 0x1000), Some((libc::SIGSEGV, 2, Some(0x1000))));
        assert_eq!(of(1, 2, 0x1000), Some((libc::SIGBUS, 1, Some(0x1000))));
        assert_eq!(of(2, 1, 0), Some((libc::SIGILL, 2, None)));
        assert_eq!(of(3, 2, 0), Some((libc::SIGFPE, 1, None)));
        assert_eq!(of(6, 1, 0), Some((libc::SIGTRAP, 1, None)));
        assert_eq!(of(12, 6, 0), None);
    }
}
