//! Registers between a Mach thread state and a signal's context: arm64.

use libc::ucontext_t;

use crate::inside::mach::state::Words;
use crate::inside::signals::Made;

/// In 64-bit units: x0 to x28, fp, lr; sp; pc; then cpsr, in half of one.
const GENERAL: usize = 31;
const SP: usize = 31;
const PC: usize = 32;
const CPSR_WORD: usize = 66;

/// struct fpsimd_context (arch/arm64/include/uapi/asm/sigcontext.h): a head, FPSR, FPCR, 32 registers.
const FPSIMD_MAGIC: u32 = 0x4650_8001;
const FPSIMD_SIZE: u32 = 528;
const REGISTERS_SIZE: usize = 512;

fn get(words: &Words, register: usize) -> u64 {
    let word = |index: usize| words.get(index).copied().unwrap_or(0);
    u64::from(word(2 * register)) | u64::from(word(2 * register + 1)) << 32
}

fn set(words: &mut Words, register: usize, value: u64) {
    for (half, place) in words.iter_mut().skip(2 * register).take(2).enumerate() {
        *place = (value >> (32 * half)) as u32;
    }
}

pub(super) fn write(context: &mut ucontext_t, words: &Words, _exception: i32, made: &Made) {
    let machine = &mut context.uc_mcontext;
    for (index, place) in machine.regs.iter_mut().enumerate().take(GENERAL) {
        *place = get(words, index);
    }
    machine.sp = get(words, SP);
    machine.pc = get(words, PC);
    machine.pstate = u64::from(words.get(CPSR_WORD).copied().unwrap_or(0));
    machine.fault_address = made.address.unwrap_or(0) as u64;
}

pub(super) fn read(context: &ucontext_t, words: &mut Words) {
    let machine = &context.uc_mcontext;
    for (index, &value) in machine.regs.iter().enumerate().take(GENERAL) {
        set(words, index, value);
    }
    set(words, SP, machine.sp);
    set(words, PC, machine.pc);
    if let Some(place) = words.get_mut(CPSR_WORD) {
        *place = machine.pstate as u32;
    }
}

/// The records follow the processor state, aligned to 16 bytes.
fn record(context: *const ucontext_t) -> *mut u8 {
    const PLACE: usize = (core::mem::offset_of!(ucontext_t, uc_mcontext)
        + core::mem::offset_of!(libc::mcontext_t, pstate)
        + size_of::<u64>())
    .next_multiple_of(16);
    context.cast_mut().cast::<u8>().wrapping_add(PLACE)
}

/// # Safety
/// `vectors` is the trampoline's area: the registers, FPSR and FPCR.
pub(super) unsafe fn show_vectors(context: &mut ucontext_t, vectors: *mut u8) {
    let record = record(context);
    // SAFETY: the context has 4 KiB there; the zeros behind end the list.
    unsafe {
        record.cast::<[u32; 2]>().write([FPSIMD_MAGIC, FPSIMD_SIZE]);
        let status = [vectors.add(REGISTERS_SIZE).cast::<u32>().read(), vectors.add(520).cast::<u32>().read()];
        record.add(8).cast::<[u32; 2]>().write(status);
        core::ptr::copy_nonoverlapping(vectors, record.add(16), REGISTERS_SIZE);
    }
}

/// # Safety
/// As for `show_vectors`.
pub(super) unsafe fn take_vectors(context: &ucontext_t, vectors: *mut u8) {
    let record = record(context);
    // SAFETY: as above.
    unsafe {
        let [status, control] = record.add(8).cast::<[u32; 2]>().read();
        vectors.add(REGISTERS_SIZE).cast::<u64>().write(status.into());
        vectors.add(520).cast::<u64>().write(control.into());
        core::ptr::copy_nonoverlapping(record.add(16), vectors, REGISTERS_SIZE);
    }
}
