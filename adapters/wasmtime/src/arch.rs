//! What only assembly can do: the trampoline between a fault and Wasmtime's handler, a thread's own storage, and for
//! Wasmtime 36 the way back out of that handler.
//!
//! The trampoline keeps the vector and floating-point state, calls the handler, and if that returns, puts the state
//! back and runs into an instruction that traps; the general registers are then put back by whoever takes that trap. It
//! is entered with the stack pointer below everything that the interrupted code may have there, and with all it needs
//! in registers that the handler preserves.

use wasmtrap::abi::wasmtrap_registers_t;

#[cfg_attr(target_arch = "x86_64", path = "arch/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "arch/aarch64.rs")]
mod this;

pub(crate) use this::prepare;
#[cfg(target_os = "linux")]
pub(crate) use this::thread_storage;
#[cfg(feature = "wasmtime-36")]
pub(crate) use this::{call_with_a_way_back, go_back};

/// What code may use below its stack pointer: the red zone of the System V ABI on x86-64 and of Apple's on arm64.
const RED_ZONE: usize = 128;

/// The trampoline's size in bytes: the assembler fills it up, or refuses.
const TRAMPOLINE_SIZE: usize = 256;

/// Whether the program counter is in the trampoline.
pub(crate) fn trampoline_contains(pc: usize) -> bool {
    pc.wrapping_sub(this::trampoline as *const () as usize) < TRAMPOLINE_SIZE
}

/// Changes the registers so that the thread goes on in the trampoline. `sp` is the stack pointer of what faulted.
pub(crate) fn enter_trampoline(registers: &mut wasmtrap_registers_t, sp: usize, handler: usize, arguments: [usize; 4]) {
    let mut set = |register: usize, value: usize| {
        if let Some(place) = registers.general.get_mut(register) {
            *place = value as u64;
        }
    };
    for (register, argument) in this::ARGUMENTS.into_iter().zip(arguments) {
        set(register, argument);
    }
    if let Some((register, value)) = this::mode() {
        set(register, value);
    }
    set(this::HANDLER, handler);
    set(this::STACK_POINTER, sp.wrapping_sub(RED_ZONE + this::STATE_SIZE) & !(this::STATE_ALIGNMENT - 1));
    registers.pc = this::trampoline as *const () as u64;
    this::ready(registers);
}
