//! What an exception's record says: what kind of fault it reports, and where.
//!
//! The codes are those of <ntstatus.h>; what the kernel gives with them is in Microsoft's documentation of
//! EXCEPTION_RECORD. What is not here is nobody's trap: EXCEPTION_GUARD_PAGE, which is the host's own means of watching
//! memory, EXCEPTION_SINGLE_STEP, EXCEPTION_PRIV_INSTRUCTION, and all that programs raise.

use windows_sys::Win32::Foundation::*;
use windows_sys::Win32::System::Diagnostics::Debug::EXCEPTION_RECORD;

use crate::inside::decide::Kind;
use crate::shared::abi::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) kind: Kind,
    /// The address that was accessed, where the processor tells.
    pub(crate) address: Option<usize>,
    /// How.
    pub(crate) access: wasmtrap_access_t,
}

/// EXCEPTION_NONCONTINUABLE, EXCEPTION_UNWINDING, EXCEPTION_EXIT_UNWIND and EXCEPTION_SOFTWARE_ORIGINATE of <winnt.h>:
/// none of them is set where the processor complained. The last is set by RtlRaiseException (Windows 10 and later).
const NOT_A_FAULTS: u32 = 0x1 | 0x2 | 0x4 | 0x80;

/// What the kernel says in ExceptionInformation[0] of an access.
const READ: usize = 0;
const WRITE: usize = 1;
const EXECUTE: usize = 8;

/// `None` for what is no fault.
pub(crate) fn classify(record: &EXCEPTION_RECORD) -> Option<Reading> {
    if record.ExceptionFlags & NOT_A_FAULTS != 0 || !record.ExceptionRecord.is_null() {
        return None;
    }
    let plain = |kind| Some(Reading { kind, address: None, access: WASMTRAP_ACCESS_UNKNOWN });
    match record.ExceptionCode {
        STATUS_ACCESS_VIOLATION | STATUS_STACK_OVERFLOW => access(record, Kind::Memory),
        // The page could not be read in: the file's medium is gone, or the memory has failed. The third parameter says
        // why, and it is nobody's fault.
        STATUS_IN_PAGE_ERROR => access(record, Kind::LostMemory),
        // No address comes with it.
        STATUS_DATATYPE_MISALIGNMENT => plain(Kind::Misaligned),
        STATUS_ILLEGAL_INSTRUCTION => plain(Kind::Illegal),
        STATUS_INTEGER_DIVIDE_BY_ZERO => plain(Kind::IntegerDivision),
        STATUS_INTEGER_OVERFLOW => plain(Kind::IntegerOverflow),
        STATUS_FLOAT_DENORMAL_OPERAND
        | STATUS_FLOAT_DIVIDE_BY_ZERO
        | STATUS_FLOAT_INEXACT_RESULT
        | STATUS_FLOAT_INVALID_OPERATION
        | STATUS_FLOAT_OVERFLOW
        | STATUS_FLOAT_STACK_CHECK
        | STATUS_FLOAT_UNDERFLOW
        | STATUS_FLOAT_MULTIPLE_FAULTS
        | STATUS_FLOAT_MULTIPLE_TRAPS => plain(Kind::OtherArithmetic),
        STATUS_BREAKPOINT => plain(Kind::Breakpoint),
        _ => plain(Kind::Fatal),
    }
}

/// The kernel's parameters, as the trap record has them.
pub(crate) fn codes(record: &EXCEPTION_RECORD) -> [i64; 2] {
    let [first, second, ..] = record.ExceptionInformation;
    match record.NumberParameters {
        0 => [0, 0],
        1 => [first as i64, 0],
        _ => [first as i64, second as i64],
    }
}

fn access(record: &EXCEPTION_RECORD, kind: Kind) -> Option<Reading> {
    if record.NumberParameters < 2 {
        return Some(Reading { kind, address: None, access: WASMTRAP_ACCESS_UNKNOWN });
    }
    let [how, address, ..] = record.ExceptionInformation;
    let access = match how {
        READ => WASMTRAP_ACCESS_READ,
        WRITE => WASMTRAP_ACCESS_WRITE,
        EXECUTE => WASMTRAP_ACCESS_EXECUTE,
        _ => WASMTRAP_ACCESS_UNKNOWN,
    };
    // A general protection fault, of a non-canonical address say: the processor tells no address, and how is not known
    // either (Windows says "read" and all ones).
    if address == usize::MAX && how == READ {
        return Some(Reading { kind, address: None, access: WASMTRAP_ACCESS_UNKNOWN });
    }
    Some(Reading { kind, address: Some(address), access })
}
