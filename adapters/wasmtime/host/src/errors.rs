//! Errors as C gets them: made once, with everything in them that C may ask for.

use std::ffi::CString;
use std::fmt::Display;

use wasmtime::{Trap, UnknownImportError, WasmBacktrace};

use crate::release;

/// WASMTIME_HOST_*: the kinds.
#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(u32)]
pub(crate) enum Kind {
    Trap = 1,
    Exception = 2,
    Function = 3,
    Engine = 4,
    Module = 5,
    Link = 6,
    Argument = 7,
    Resource = 8,
    Busy = 9,
}

/// A frame of the backtrace.
pub(crate) struct Frame {
    pub(crate) module_name: Option<CString>,
    pub(crate) function_name: Option<CString>,
    pub(crate) function_index: u32,
    pub(crate) function_offset: Option<usize>,
    pub(crate) module_offset: Option<usize>,
}

/// What wasmtime_host_error_t is.
#[derive(Default)]
pub(crate) struct Error {
    pub(crate) kind: u32,
    pub(crate) trap_code: u32,
    pub(crate) message: CString,
    pub(crate) reason: CString,
    pub(crate) frames: Vec<Frame>,
}

/// A host function's own error, on its way through Wasmtime.
#[derive(Debug)]
pub(crate) struct HostFunctionFailed(pub(crate) String);

impl Display for HostFunctionFailed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for HostFunctionFailed {}

/// C's strings end at the first NUL, so there is none in them.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

impl Error {
    /// An error of this kind in our own words.
    pub(crate) fn new(kind: Kind, message: impl Display) -> Self {
        let message = c_string(&message.to_string());
        Self { kind: kind as u32, reason: message.clone(), message, ..Self::default() }
    }

    /// What Wasmtime says; of kind `otherwise` if it is none of the kinds that show by themselves.
    pub(crate) fn from_wasmtime(error: &wasmtime::Error, otherwise: Kind) -> Self {
        let trap = error.downcast_ref::<Trap>();
        let own = error.downcast_ref::<HostFunctionFailed>();
        let (kind, reason) = match (trap, own) {
            (Some(trap), _) => (Kind::Trap, trap.to_string()),
            (_, Some(own)) => (Kind::Function, own.to_string()),
            _ if release::is_exception(error) => (Kind::Exception, "uncaught exception".to_string()),
            _ if error.is::<UnknownImportError>() || is_about_an_import(error) => {
                (Kind::Link, error.root_cause().to_string())
            }
            _ if is_about_memory(error) => (Kind::Resource, error.root_cause().to_string()),
            _ => (otherwise, error.root_cause().to_string()),
        };
        Self {
            kind: kind as u32,
            trap_code: trap.map_or(0, trap_code),
            // With all causes, as Wasmtime's own command shows it.
            message: c_string(&format!("{error:?}")),
            reason: c_string(&reason),
            frames: error.downcast_ref::<WasmBacktrace>().map_or_else(Vec::new, frames),
        }
    }

    /// For C, which frees it.
    pub(crate) fn hand_over(self) -> *mut Self {
        Box::into_raw(Box::new(self))
    }
}

/// Whether an import is of another type: Wasmtime has words for it, and no type (`typecheck` in runtime/instance.rs).
fn is_about_an_import(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.to_string().starts_with("incompatible import type for "))
}

/// Whether memory could not be had. The platform's functions answer with error numbers, which Wasmtime puts into words
/// (`cvt` in sys/custom/mod.rs), and it has an error of its own for allocations.
fn is_about_memory(error: &wasmtime::Error) -> bool {
    const ENOMEM: &str = "os error 12";
    release::is_out_of_memory(error) || error.chain().any(|cause| cause.to_string() == ENOMEM)
}

fn frames(backtrace: &WasmBacktrace) -> Vec<Frame> {
    let names = |name: Option<&str>| name.map(c_string);
    backtrace
        .frames()
        .iter()
        .map(|frame| Frame {
            module_name: names(frame.module().name()),
            function_name: names(frame.func_name()),
            function_index: frame.func_index(),
            function_offset: frame.func_offset(),
            module_offset: frame.module_offset(),
        })
        .collect()
}

/// libwasmtrap's code (WASMTRAP_CODE_* in wasmtrap.h) for Wasmtime's.
fn trap_code(trap: &Trap) -> u32 {
    match trap {
        Trap::StackOverflow => 1,
        Trap::MemoryOutOfBounds => 2,
        Trap::HeapMisaligned => 3,
        Trap::TableOutOfBounds => 4,
        Trap::IndirectCallToNull => 5,
        Trap::BadSignature => 6,
        Trap::IntegerOverflow => 7,
        Trap::IntegerDivisionByZero => 8,
        Trap::BadConversionToInteger => 9,
        Trap::UnreachableCodeReached => 10,
        Trap::Interrupt => 11,
        Trap::NullReference => 13,
        Trap::ArrayOutOfBounds => 14,
        Trap::AllocationTooLarge => 15,
        Trap::CastFailure => 16,
        Trap::AtomicWaitNonSharedMemory => 17,
        Trap::OutOfFuel => 19,
        Trap::UnhandledTag => 20,
        Trap::ContinuationAlreadyConsumed => 21,
        _ => 0,
    }
}
