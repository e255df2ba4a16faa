use core::mem::{align_of, offset_of, size_of};

use super::*;
use crate::inside::decide::Kind;

/// The context's place in memory, as the kernel writes it: words of 64 bits. The offsets are those that <winnt.h> has
/// beside the members of ARM64_NT_CONTEXT.
#[repr(C, align(16))]
struct Memory([u64; SIZE / 8]);

const SIZE: usize = 0x390;
const CPSR: usize = 0x4;
const X0: usize = 0x8;
const FP: usize = 0xf0;
const LR: usize = 0xf8;
const SP: usize = 0x100;
const PC: usize = 0x108;
const V0: usize = 0x110;
const FPCR: usize = 0x310;
const FPSR: usize = 0x314;

impl Memory {
    /// No two words are alike.
    fn filled() -> Self {
        let mut words = [0; SIZE / 8];
        for (index, word) in words.iter_mut().enumerate() {
            *word = 0x1000_0000_0000_0000 + 0x1_0000_0001 * index as u64;
        }
        Self(words)
    }

    fn context(&mut self, access: wasmtrap_access_t) -> Context<'_> {
        // SAFETY: as large and as aligned, and any bits are valid.
        Context::new(unsafe { &mut *(&raw mut self.0).cast::<CONTEXT>() }, access)
    }

    fn word(&self, offset: usize) -> u64 {
        self.0[offset / 8]
    }

    /// The upper half of the first word; ContextFlags is the lower one.
    fn cpsr(&self) -> u32 {
        (self.word(CPSR - 4) >> 32) as u32
    }

    fn set_cpsr(&mut self, value: u32) {
        self.0[0] = self.0[0] & 0xffff_ffff | u64::from(value) << 32;
    }

    /// The offsets at which two differ.
    fn changes(&self, before: &Self) -> Vec<usize> {
        (0..SIZE / 8).filter(|&index| self.0[index] != before.0[index]).map(|index| index * 8).collect()
    }
}

fn fault() -> Fault {
    Fault { from_kernel: true, kind: Kind::Memory, pc: 0, address: Some(0) }
}

#[test]
fn the_layout_is_that_of_winnt_h() {
    assert_eq!((size_of::<CONTEXT>(), size_of::<Memory>()), (SIZE, SIZE));
    assert!(align_of::<CONTEXT>() <= align_of::<Memory>());
    assert_eq!(offset_of!(CONTEXT, ContextFlags), 0);
    assert_eq!(offset_of!(CONTEXT, Cpsr), CPSR);
    assert_eq!(offset_of!(CONTEXT, Anonymous), X0);
    assert_eq!((X0 + 8 * FRAME_POINTER, X0 + 8 * 30), (FP, LR));
    assert_eq!((offset_of!(CONTEXT, Sp), offset_of!(CONTEXT, Pc)), (SP, PC));
    assert_eq!((offset_of!(CONTEXT, V), offset_of!(CONTEXT, Fpcr), offset_of!(CONTEXT, Fpsr)), (V0, FPCR, FPSR));
}

/// CONTEXT_ARM64 is 0x400000, and with it CONTROL 1, INTEGER 2, X18 0x10.
#[test]
fn the_flags_are_those_of_winnt_h_without_x18() {
    assert_eq!(REGISTERS, 0x40_0003);
    assert_eq!((ASKS_WHETHER_BUSY, TELLS_WHETHER_BUSY, BUSY), (0x4000_0000, 0x8000_0000, 0x1800_0000));
}

#[test]
fn the_registers_are_read_where_the_kernel_has_them() {
    let mut memory = Memory::filled();
    let words = memory.0;
    let context = memory.context(WASMTRAP_ACCESS_WRITE);
    assert_eq!(context.pc() as u64, words[PC / 8]);
    assert_eq!(context.sp() as u64, words[SP / 8]);
    assert_eq!(context.fp() as u64, words[FP / 8]);
    assert_eq!(context.access(&fault()), WASMTRAP_ACCESS_WRITE);
    assert!(context.can_read_arguments());
    let registers = context.registers();
    // x0 to x30, then sp.
    assert_eq!(registers.general[..31], words[X0 / 8..SP / 8]);
    assert_eq!(registers.general[31], words[SP / 8]);
    assert_eq!(registers.pc, words[PC / 8]);
    assert_eq!(registers.flags, words[0] >> 32);
}

/// A landing changes where the thread goes on, and nothing that belongs to the call that was dropped or to the thread:
/// not x18, not the vector registers, not which parts of the context are valid.
#[test]
fn a_landing_sets_the_program_counter_and_the_stack_pointer() {
    let mut memory = Memory::filled();
    let before = Memory(memory.0);
    memory.context(WASMTRAP_ACCESS_UNKNOWN).resume_at(0x7ff6_1234_5678, 0x12_3456_7890);
    assert_eq!((memory.word(PC), memory.word(SP)), (0x7ff6_1234_5678, 0x12_3456_7890));
    assert_eq!(memory.changes(&before), [SP, PC]);
}

/// It is not the target of an indirect branch, whatever the code that trapped came by.
#[test]
fn a_landing_clears_the_branch_type_alone() {
    let mut memory = Memory::filled();
    memory.set_cpsr(u32::MAX);
    let flags = memory.word(0) as u32;
    memory.context(WASMTRAP_ACCESS_UNKNOWN).resume_at(1, 2);
    assert_eq!((memory.cpsr(), memory.word(0) as u32), (!(3 << 10), flags));
}

#[test]
fn what_a_fault_handler_sets_is_set_but_for_the_platform_register() {
    let mut memory = Memory::filled();
    let before = Memory(memory.0);
    let mut registers = wasmtrap_registers_t { general: [0; 32], pc: 0xaaaa, flags: 0x6000_0000 };
    for (number, general) in registers.general.iter_mut().enumerate() {
        *general = 0xbbbb_0000 + number as u64;
    }
    memory.context(WASMTRAP_ACCESS_UNKNOWN).set_registers(&registers);
    for number in 0..31 {
        let expected = if number == 18 { before.word(X0 + 8 * number) } else { 0xbbbb_0000 + number as u64 };
        assert_eq!(memory.word(X0 + 8 * number), expected, "x{number}");
    }
    assert_eq!((memory.word(SP), memory.word(PC), memory.cpsr()), (0xbbbb_001f, 0xaaaa, 0x6000_0000));
    assert_eq!(memory.0[V0 / 8..], before.0[V0 / 8..]);
    assert_eq!(memory.word(0) as u32, before.word(0) as u32);
}

/// A fault handler that only looks changes nothing.
#[test]
fn registers_that_were_read_and_are_set_are_as_they_were() {
    let mut memory = Memory::filled();
    let before = Memory(memory.0);
    let mut context = memory.context(WASMTRAP_ACCESS_UNKNOWN);
    let registers = context.registers();
    context.set_registers(&registers);
    assert_eq!(memory.changes(&before), [0; 0]);
}
