//! What only assembly can do: entering and leaving a protected call, the thread's own pointer, the signal entry points.
//!
//! Instructions are in the file of the architecture; what assembler and linker want to be told (names of symbols,
//! sections, unwind tables) in that of the object format; where the thread's pointer is kept in that of the system.

#[cfg(target_arch = "aarch64")]
mod aarch64_call;
#[cfg_attr(target_os = "linux", path = "elf.rs")]
#[cfg_attr(target_os = "macos", path = "mach_o.rs")]
#[cfg_attr(windows, path = "coff.rs")]
mod object_format;
#[cfg_attr(all(target_arch = "x86_64", unix), path = "x86_64.rs")]
#[cfg_attr(all(target_arch = "x86_64", windows), path = "x86_64_windows.rs")]
#[cfg_attr(all(target_arch = "aarch64", unix), path = "aarch64.rs")]
#[cfg_attr(all(target_arch = "aarch64", windows), path = "aarch64_windows.rs")]
mod this;
#[cfg(windows)]
#[path = "thread_block_windows.rs"]
mod thread_block;
#[cfg_attr(target_os = "linux", path = "thread_pointer_linux.rs")]
#[cfg_attr(target_os = "macos", path = "thread_pointer_macos.rs")]
#[cfg_attr(windows, path = "thread_pointer_windows.rs")]
mod thread_pointer;

use crate::shared::abi::{wasmtrap_fault_t, wasmtrap_verdict_t};
use crate::shared::state::FaultHandler;

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64_call::*;
pub(crate) use object_format::*;
pub(crate) use this::*;
#[cfg(windows)]
pub(crate) use thread_block::*;
pub(crate) use thread_pointer::*;

#[cfg(all(unix, not(wasmtrap_mach)))]
macro_rules! define_server_landing {
    () => {
        ""
    };
}
#[cfg(all(unix, not(wasmtrap_mach)))]
pub(crate) use define_server_landing;

/// Has the processor fetch the cache line at `place`, which need not be there.
#[inline(always)]
pub(crate) fn prefetch<T>(place: *const T) {
    // SAFETY: a hint, which faults nowhere and changes nothing.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!("prefetcht0 byte ptr [{0}]", in(reg) place, options(nostack, readonly, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        core::arch::asm!("prfm pldl1keep, [{0}]", in(reg) place, options(nostack, readonly, preserves_flags));
    }
}

/// Calls the embedder's fault handler, unless it was taken away.
///
/// Assembly, because on x86-64 the jump is one instruction with the load of where to: a thread that is stopped before
/// it loads anew, one that is stopped after it is in the handler (`outside::fault_handlers`). On arm64 there are two;
/// Linux sees to it that a thread that was stopped between them loads anew, where it can.
///
/// # Safety
/// `handler` is pinned by this thread; `fault` is what it may be given.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_fault_handler(
    _handler: *const FaultHandler,
    _fault: *mut wasmtrap_fault_t,
) -> wasmtrap_verdict_t {
    call_fault_handler!()
}

/// What a run's protected call calls: notes the run in the frame of the call, and enters the guest.
#[unsafe(naked)]
pub(crate) unsafe extern "C-unwind" fn begin_run(_arguments: *mut core::ffi::c_void) {
    begin_run!()
}

/// Jumps to the guest, unless an interrupt of the run is pending.
///
/// A signal that comes before the look is seen by the look. One that comes after it finds the thread in here still, or
/// in the guest: [`is_entering_guest`] tells its handler. So there is no moment at which it is lost.
#[unsafe(naked)]
pub(crate) unsafe extern "C-unwind" fn enter_guest() {
    enter_guest!()
}

/// Where it goes if one is.
#[unsafe(naked)]
pub(crate) unsafe extern "C-unwind" fn interrupted_at_entry() {
    interrupted_at_entry!()
}

/// Whether code at `pc` has looked for an interrupt, or is about to, and is about to jump to the guest.
pub(crate) fn is_entering_guest(pc: usize) -> bool {
    pc.wrapping_sub(enter_guest as unsafe extern "C-unwind" fn() as usize) < ENTERING
}

/// The assembly of a run's call, with the operands that are the same everywhere.
macro_rules! run_call_asm {
    ($($assembly:tt)*) => {
        core::arch::naked_asm!(
            $($assembly)*
            function = const core::mem::offset_of!($crate::outside::runs::Arguments, function),
            argument = const core::mem::offset_of!($crate::outside::runs::Arguments, argument),
            trap = const core::mem::offset_of!($crate::outside::runs::Arguments, trap),
            prepare = sym $crate::outside::runs::prepare,
            begin = sym $crate::arch::begin_run,
            end = sym $crate::outside::runs::end,
        )
    };
}
pub(crate) use run_call_asm;

/// The same for what it calls.
macro_rules! begin_run_asm {
    ($($assembly:tt)*) => {
        core::arch::naked_asm!(
            $($assembly)*
            begin = sym $crate::outside::runs::begin,
            function = const core::mem::offset_of!($crate::outside::runs::Arguments, function),
            argument = const core::mem::offset_of!($crate::outside::runs::Arguments, argument),
            word = const core::mem::offset_of!($crate::outside::runs::Arguments, word),
            enter = sym $crate::arch::enter_guest,
        )
    };
}
pub(crate) use begin_run_asm;

/// The assembly of a point at which an interrupt may be taken.
macro_rules! interrupt_point_asm {
    ($($assembly:tt)*) => {
        core::arch::naked_asm!(
            $($assembly)*
            attention = const core::mem::offset_of!($crate::shared::thread::Thread, attention),
            interrupt = const $crate::shared::thread::ATTENTION_INTERRUPT,
            at_point = sym $crate::outside::runs::at_point,
        )
    };
}
pub(crate) use interrupt_point_asm;

/// The assembly of the call of the embedder's fault handler.
macro_rules! call_fault_handler_asm {
    ($($assembly:tt)*) => {
        core::arch::naked_asm!(
            $($assembly)*
            user = const core::mem::offset_of!($crate::shared::state::FaultHandler, user),
            function = const core::mem::offset_of!($crate::shared::state::FaultHandler, function),
        )
    };
}
pub(crate) use call_fault_handler_asm;

/// The assembly of a protected call, with the operands that are the same everywhere, and those in front of it.
macro_rules! call_asm {
    ({$($operands:tt)*} $($assembly:tt)*) => {
        core::arch::naked_asm!(
            $($assembly)*
            attention = const core::mem::offset_of!($crate::shared::thread::Thread, attention),
            trap_size = const core::mem::offset_of!($crate::abi::wasmtrap_trap_t, struct_size),
            trap_frames = const core::mem::offset_of!($crate::abi::wasmtrap_trap_t, frames),
            trap_capacity = const core::mem::offset_of!($crate::abi::wasmtrap_trap_t, frames_capacity),
            size_of_trap = const size_of::<$crate::abi::wasmtrap_trap_t>(),
            depth = const core::mem::offset_of!($crate::shared::thread::Thread, calls.depth),
            capacity = const core::mem::offset_of!($crate::shared::thread::Thread, calls.capacity),
            entries = const core::mem::offset_of!($crate::shared::thread::Thread, calls.entries),
            keys = sym $crate::shared::seal::KEYS,
            previous = const core::mem::offset_of!($crate::shared::activation::Activation, previous),
            trap = const core::mem::offset_of!($crate::shared::activation::Activation, trap),
            float_control = const core::mem::offset_of!($crate::shared::activation::Activation, float_control),
            shadow_stack = const core::mem::offset_of!($crate::shared::activation::Activation, shadow_stack),
            seal = const core::mem::offset_of!($crate::shared::activation::Activation, seal),
            droppable = const core::mem::offset_of!($crate::shared::activation::Activation, droppable),
            prepare = sym $crate::outside::call::prepare,
            returned_out_of_order = sym $crate::outside::call::returned_out_of_order,
            trapped = sym $crate::outside::call::trapped,
            trapped_status = const $crate::abi::WASMTRAP_TRAPPED,
            $($operands)*
        )
    };
}
pub(crate) use call_asm;

/// The same where an exception that passes comes to a landing pad.
#[cfg(unix)]
macro_rules! protected_call_asm {
    ($($assembly:tt)*) => {
        $crate::arch::call_asm!(
            {
                within_a_jump = const $crate::outside::call::WITHIN_A_JUMP,
                call_within_a_jump = sym $crate::outside::call::call_within_a_jump,
                unwound = sym $crate::outside::call::unwound,
                personality = sym $crate::outside::platform::__gcc_personality_v0,
                resume_unwinding = sym $crate::outside::platform::_Unwind_Resume,
            }
            $($assembly)*
        )
    };
}
#[cfg(unix)]
pub(crate) use protected_call_asm;

/// The same where the unwinder calls a function of ours, and the thread's block has the bounds of its stack.
#[cfg(windows)]
macro_rules! protected_call_asm {
    ($($assembly:tt)*) => {
        $crate::arch::call_asm!(
            {
                stack_base = const $crate::arch::STACK_BASE,
                stack_limit = const $crate::arch::STACK_LIMIT,
                deallocation_stack = const $crate::arch::DEALLOCATION_STACK,
                stack_is_back = sym $crate::outside::platform::stack_is_back,
                passed = sym $crate::outside::platform::passed,
            }
            $($assembly)*
        )
    };
}
#[cfg(windows)]
pub(crate) use protected_call_asm;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_is_entered_from_the_look_for_an_interrupt_to_the_jump() {
        let first = enter_guest as unsafe extern "C-unwind" fn() as usize;
        assert!(is_entering_guest(first));
        assert!(is_entering_guest(first + ENTERING - 1));
        assert!(!is_entering_guest(first - 1));
        assert!(!is_entering_guest(first + ENTERING));
    }
}
