//! Violations of port guards: what EXC_GUARD is raised for, and when it kills (osfmk/ipc/ipc_policy.c,
//! mach_port_guard_exception).

use std::io::Write;

use crate::constants::Name;
use crate::kernel::Kernel;

/// The names and numbers of enum mach_port_guard_exception_codes (osfmk/mach/port.h).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) name: &'static str,
    pub(crate) number: u32,
}

macro_rules! violations {
    ($($name:ident = $number:expr;)*) => {
        impl Violation {
            $(pub(crate) const $name: Violation =
                Violation { name: concat!("kGUARD_EXC_", stringify!($name)), number: $number };)*
        }
    };
}

violations! {
    DESTROY = 1;
    MOD_REFS = 2;
    INVALID_OPTIONS = 3;
    SET_CONTEXT = 4;
    THREAD_SET_STATE = 5;
    EXCEPTION_BEHAVIOR_ENFORCE = 6;
    UNGUARDED = 8;
    INCORRECT_GUARD = 16;
    IMMOVABLE = 32;
    INVALID_RIGHT = 256;
    INVALID_NAME = 512;
    INVALID_VALUE = 1 << 10;
    INVALID_ARGUMENT = 1 << 11;
    SEND_INVALID_REPLY = 1 << 16;
    SEND_INVALID_VOUCHER = 1 << 17;
    SEND_INVALID_RIGHT = 1 << 18;
    RCV_INVALID_NAME = 1 << 19;
}

/// MAX_FATAL_kGUARD_EXC_CODE: fatal in every program.
const MAX_FATAL: u32 = 128;
/// MAX_OPTIONAL_kGUARD_EXC_CODE: fatal where the task's settings say so.
const MAX_OPTIONAL: u32 = Violation::RCV_INVALID_NAME.number;

impl Kernel {
    /// The current thread has done what it must not. Where that is fatal, its process dies by SIGKILL.
    pub(crate) fn violation(&mut self, violation: Violation, target: Name, payload: u64) {
        let Some(task) = self.current.and_then(|thread| self.threads.get(&thread)).map(|thread| thread.task) else {
            return;
        };
        let fatal = violation.number <= MAX_FATAL || violation.number <= MAX_OPTIONAL && self.profile.slips_are_fatal();
        let call = self.current_call;
        let Some(record) = self.tasks.get_mut(&task) else { return };
        record.counters.violations.push((violation.name, call, fatal));
        if !fatal {
            return;
        }
        let (pid, program) = (record.pid, crate::trace::process::program(record.pid));
        // In one piece, since others write there too.
        let line = format!(
            "simulated-xnu: {program} [{pid}]: EXC_GUARD, GUARD_TYPE_MACH_PORT, {} ({}), target {target:#x}, \
             guard {payload:#x}, in {call}: killed\n",
            violation.name, violation.number,
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
        crate::trace::ptrace::kill_process(pid);
    }

    /// mach_port_guard_exception_pinned
    pub(crate) fn pinned_violation(&mut self, name: Name) {
        self.violation(Violation::MOD_REFS, name, 1 << 56);
    }

    /// mach_port_guard_exception_immovable
    pub(crate) fn immovable_violation(&mut self, name: Name) {
        self.violation(Violation::IMMOVABLE, name, 0);
    }
}
