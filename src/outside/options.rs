//! Options: checked, with the defaults and the environment worked in.

use core::ffi::CStr;

use super::error::{Failure, fail};
use super::{exceptions, interrupt_signal, platform, signals};
use crate::shared::abi::*;

const ALL_KINDS: u32 =
    WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL | WASMTRAP_FAULT_ARITHMETIC | WASMTRAP_FAULT_BREAKPOINT;
const DEFAULT_KINDS: u32 = WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL | WASMTRAP_FAULT_ARITHMETIC;
const ALL_FLAGS: u32 = WASMTRAP_INIT_ALLOW_FALLBACK
    | WASMTRAP_INIT_HOST_OWNS_SIGNALS
    | WASMTRAP_INIT_KEEP_SIGNAL_MASK
    | WASMTRAP_INIT_LEAVE_BY_JUMP;

const DEFAULT_ALTERNATE_STACK: usize = 32 * 1024;
const LEAST_ALTERNATE_STACK: usize = 16 * 1024;
const MOST_ALTERNATE_STACK: usize = 64 * 1024 * 1024;

/// Who asked for the backend: for the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskedBy {
    Default,
    Options,
    MachPortsSwitch,
    Environment,
}

/// What wasmtrap_init was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) backend: wasmtrap_backend_t,
    pub(crate) asked_by: AskedBy,
    pub(crate) fault_kinds: u32,
    pub(crate) allow_fallback: bool,
    pub(crate) host_owns_signals: bool,
    pub(crate) keep_signal_mask: bool,
    pub(crate) leave_by_jump: bool,
    pub(crate) alternate_stack_size: usize,
    /// 0 for none.
    pub(crate) interrupt_signal: core::ffi::c_int,
}

impl Options {
    /// Nobody's: all zeros.
    pub(crate) const NONE: Self = Self {
        backend: 0,
        asked_by: AskedBy::Default,
        fault_kinds: 0,
        allow_fallback: false,
        host_owns_signals: false,
        keep_signal_mask: false,
        leave_by_jump: false,
        alternate_stack_size: 0,
        interrupt_signal: 0,
    };

    /// What of it cannot be had in a process that was set up with `first` and has this backend: the option, what it is
    /// for the whole process, and what it would have to be.
    pub(crate) fn conflict_with(
        &self,
        first: &Self,
        backend: wasmtrap_backend_t,
    ) -> Option<(&'static str, &'static str, &'static str)> {
        let name = |backend| match backend {
            WASMTRAP_BACKEND_MACH_PORTS => "Mach ports",
            _ => signals::NAME,
        };
        if self.backend != WASMTRAP_BACKEND_AUTO && self.backend != backend && !self.allow_fallback {
            return Some(("the backend", name(backend), name(self.backend)));
        }
        // Who does not ask for it leaves it to the first.
        if self.keep_signal_mask && !first.keep_signal_mask {
            return Some(("the threads' signal mask", "changed (the fault signals are unblocked)", "left alone"));
        }
        let other_signal = self.interrupt_signal != 0
            && interrupt_signal::current() != 0
            && self.interrupt_signal != interrupt_signal::current();
        if other_signal {
            return Some(("the signal of interrupts", "another one", "the one in its options"));
        }
        let owner = |host_owns_signals| if host_owns_signals { "the host" } else { "the library" };
        (self.host_owns_signals != first.host_owns_signals).then(|| {
            ("the owner of the signal handlers", owner(first.host_owns_signals), owner(self.host_owns_signals))
        })
    }

    /// Whether a second wasmtrap_init asks for the same as the first.
    pub(crate) fn require_same(&self, other: &Self) -> Result<(), Failure> {
        let fields = [
            ("backend", self.backend as usize, other.backend as usize),
            ("fault_kinds", self.fault_kinds as usize, other.fault_kinds as usize),
            ("flags (allow fallback)", self.allow_fallback.into(), other.allow_fallback.into()),
            ("flags (host owns signals)", self.host_owns_signals.into(), other.host_owns_signals.into()),
            ("flags (keep signal mask)", self.keep_signal_mask.into(), other.keep_signal_mask.into()),
            ("flags (leave by jump)", self.leave_by_jump.into(), other.leave_by_jump.into()),
            ("alternate_stack_size", self.alternate_stack_size, other.alternate_stack_size),
            ("interrupt_signal", self.interrupt_signal as usize, other.interrupt_signal as usize),
        ];
        match fields.iter().find(|(_, first, second)| first != second) {
            None => Ok(()),
            Some((name, first, second)) => Err(fail(
                WASMTRAP_ERR_CONFLICT,
                format_args!(
                    "wasmtrap_init was called before with other options: {name} was {first} and is now {second}"
                ),
            )),
        }
    }
}

fn invalid(sentence: core::fmt::Arguments<'_>) -> Failure {
    fail(WASMTRAP_ERR_INVALID_ARGUMENT, sentence)
}

/// What the caller wants, and what the environment makes of it.
pub(crate) fn read(given: Option<&wasmtrap_options_t>) -> Result<Options, Failure> {
    let mut options = match given {
        None => Options {
            backend: WASMTRAP_BACKEND_AUTO,
            fault_kinds: DEFAULT_KINDS,
            alternate_stack_size: DEFAULT_ALTERNATE_STACK,
            ..Options::NONE
        },
        Some(given) => check(given)?,
    };
    if let Some(backend) = environment()? {
        options.backend = backend;
        options.asked_by = AskedBy::Environment;
    }
    Ok(options)
}

fn check(given: &wasmtrap_options_t) -> Result<Options, Failure> {
    let (backend, asked_by) = match (given.backend, given.macos_use_mach_ports) {
        (backend, _) if backend > WASMTRAP_BACKEND_SIGNALS => {
            return Err(invalid(format_args!("options->backend is {backend}, which is no WASMTRAP_BACKEND_*")));
        }
        (_, switch) if switch > WASMTRAP_MACH_PORTS_NO => {
            return Err(invalid(format_args!(
                "options->macos_use_mach_ports is {switch}, which is no WASMTRAP_MACH_PORTS_*"
            )));
        }
        (WASMTRAP_BACKEND_SIGNALS, WASMTRAP_MACH_PORTS_YES) => {
            return Err(invalid(format_args!(
                "options->macos_use_mach_ports is 1 (yes), but options->backend is 2 (signals): they contradict each \
                 other"
            )));
        }
        (WASMTRAP_BACKEND_MACH_PORTS, WASMTRAP_MACH_PORTS_NO) => {
            return Err(invalid(format_args!(
                "options->macos_use_mach_ports is 2 (no), but options->backend is 1 (Mach ports): they contradict each \
                 other"
            )));
        }
        (WASMTRAP_BACKEND_AUTO, WASMTRAP_MACH_PORTS_NO) => (WASMTRAP_BACKEND_SIGNALS, AskedBy::MachPortsSwitch),
        (WASMTRAP_BACKEND_AUTO, WASMTRAP_MACH_PORTS_YES) if exceptions::EXIST => {
            (WASMTRAP_BACKEND_MACH_PORTS, AskedBy::MachPortsSwitch)
        }
        (WASMTRAP_BACKEND_AUTO, _) => (WASMTRAP_BACKEND_AUTO, AskedBy::Default),
        (backend, _) => (backend, AskedBy::Options),
    };
    if given.fault_kinds & !ALL_KINDS != 0 {
        return Err(invalid(format_args!(
            "options->fault_kinds is {:#x}, but only {ALL_KINDS:#x} (WASMTRAP_FAULT_*) is known",
            given.fault_kinds
        )));
    }
    if given.flags & !ALL_FLAGS != 0 {
        return Err(invalid(format_args!(
            "options->flags is {:#x}, but only {ALL_FLAGS:#x} (WASMTRAP_INIT_*) is known",
            given.flags
        )));
    }
    if given.interrupt_signal != 0 && !interrupt_signal::may_be(given.interrupt_signal) {
        return Err(invalid(format_args!(
            "options->interrupt_signal is {}, which is no signal that can be had: it must be one that can be caught, \
             that no fault makes, and that libc does not keep to itself",
            given.interrupt_signal
        )));
    }
    if given.reserved != 0 {
        return Err(invalid(format_args!("options->reserved is {:#x}, but it must be 0", given.reserved)));
    }
    let alternate_stack_size = match given.alternate_stack_size {
        0 => DEFAULT_ALTERNATE_STACK,
        size if (LEAST_ALTERNATE_STACK..=MOST_ALTERNATE_STACK).contains(&size) => size,
        size => {
            return Err(invalid(format_args!(
                "options->alternate_stack_size is {size}, but it must be 0 or {LEAST_ALTERNATE_STACK} to \
                 {MOST_ALTERNATE_STACK} bytes"
            )));
        }
    };
    Ok(Options {
        backend,
        asked_by,
        fault_kinds: if given.fault_kinds == 0 { DEFAULT_KINDS } else { given.fault_kinds },
        allow_fallback: given.flags & WASMTRAP_INIT_ALLOW_FALLBACK != 0,
        host_owns_signals: given.flags & WASMTRAP_INIT_HOST_OWNS_SIGNALS != 0,
        keep_signal_mask: given.flags & WASMTRAP_INIT_KEEP_SIGNAL_MASK != 0,
        leave_by_jump: given.flags & WASMTRAP_INIT_LEAVE_BY_JUMP != 0,
        alternate_stack_size,
        interrupt_signal: given.interrupt_signal,
    })
}

/// WASMTRAP_BACKEND, unless the process has more rights than who started it. Empty counts as not set.
fn environment() -> Result<Option<wasmtrap_backend_t>, Failure> {
    let mut room = [0; 64];
    let value = platform::environment_variable(c"WASMTRAP_BACKEND", &mut room);
    if value.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, so a string of the environment.
    match unsafe { CStr::from_ptr(value) }.to_bytes() {
        b"" => Ok(None),
        b"auto" => Ok(Some(WASMTRAP_BACKEND_AUTO)),
        b"mach" => Ok(Some(WASMTRAP_BACKEND_MACH_PORTS)),
        b"signals" => Ok(Some(WASMTRAP_BACKEND_SIGNALS)),
        other => Err(invalid(format_args!(
            "the environment variable WASMTRAP_BACKEND is \"{}\", but it must be \"auto\", \"mach\" or \"signals\"",
            other.escape_ascii()
        ))),
    }
}
