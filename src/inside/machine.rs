//! The registers of a thread that faulted, as a backend has them: in a signal's context, or in a Mach message.

use core::ffi::c_void;

use super::decide::Fault;
use crate::shared::abi::*;

/// What making a trap needs of them.
pub(crate) trait Machine {
    fn sp(&self) -> usize;
    fn fp(&self) -> usize;
    /// What the instruction did to memory.
    fn access(&self, fault: &Fault) -> wasmtrap_access_t;
    /// `pc` is that of the instruction that faulted.
    fn write_registers(&self, registers: &mut wasmtrap_registers_t);

    fn registers(&self) -> wasmtrap_registers_t {
        let mut registers = wasmtrap_registers_t { general: [0; 32], pc: 0, flags: 0 };
        self.write_registers(&mut registers);
        registers
    }
    fn set_registers(&mut self, registers: &wasmtrap_registers_t);
    /// Whether what the embedder handed to wasmtrap_call can be read here. A signal handler may have fewer rights by
    /// protection keys than the code that it interrupted; `false` is always right.
    fn can_read_arguments(&self) -> bool {
        false
    }
    /// Whether other signals may be delivered to this thread now: where the fault handler is not asked in a signal
    /// handler of the library's.
    fn may_be_disturbed(&self) -> bool {
        false
    }
    /// Has the thread go on with all signals blocked, and returns the mask that it would have gone on with; `None`
    /// where that cannot be.
    fn block_signals(&mut self) -> Option<u64> {
        None
    }
    /// Lets the thread go on at `pc` with `sp`, in the state in which the ABI starts a function.
    fn resume_at(&mut self, pc: usize, sp: usize);
}

/// How the kernel reported the fault. What it did not use is 0.
#[derive(Clone, Copy)]
pub(crate) struct Report {
    pub(crate) signal: i32,
    pub(crate) signal_code: i32,
    pub(crate) exception: i32,
    pub(crate) exception_code_count: u32,
    pub(crate) exception_codes: [i64; 2],
    /// The signal handler's other two arguments, null for an exception. They last until the handler returns.
    pub(crate) siginfo: *mut c_void,
    pub(crate) ucontext: *mut c_void,
}

impl Report {
    /// Of nothing.
    pub(crate) const NONE: Self = Self {
        signal: 0,
        signal_code: 0,
        exception: 0,
        exception_code_count: 0,
        exception_codes: [0; 2],
        siginfo: core::ptr::null_mut(),
        ucontext: core::ptr::null_mut(),
    };

    #[cfg_attr(windows, allow(dead_code, reason = "there are no signals"))]
    pub(crate) fn of_signal(signal: i32, signal_code: i32, siginfo: *mut c_void, ucontext: *mut c_void) -> Self {
        Self { signal, signal_code, siginfo, ucontext, ..Self::NONE }
    }
}
