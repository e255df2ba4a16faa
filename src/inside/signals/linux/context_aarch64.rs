//! The registers in a signal's context: Linux on arm64 (`struct sigcontext`, arch/arm64/include/uapi/asm/sigcontext.h).

use core::sync::atomic::Ordering;

use libc::ucontext_t;

use super::classify::Origin;
use crate::shared::abi::*;
use crate::shared::state::STREAMING_MODE;

/// Records after the registers: a magic, a size, then their own content; a zero magic ends them.
const ESR_MAGIC: u32 = 0x4553_5201;
const EXTRA_MAGIC: u32 = 0x4558_5401;
const SVE_MAGIC: u32 = 0x5356_4501;
const SVE_SIG_FLAG_SM: u16 = 1;
const ZA_MAGIC: u32 = 0x5436_6345;
const ZA_HEADER: u32 = 16;

/// Exception classes of the syndrome register (Arm ARM, ESR_EL1.EC), from EL0.
const CLASS_BRANCH_TARGET: u64 = 0x0d;
const CLASS_POINTER_AUTHENTICATION: u64 = 0x1c;
const CLASS_INSTRUCTION_ABORT: u64 = 0x20;
const CLASS_MISALIGNED_PC: u64 = 0x22;
const CLASS_DATA_ABORT: u64 = 0x24;
const CLASS_MISALIGNED_SP: u64 = 0x26;
const CLASS_CONTROL_STACK: u64 = 0x2d;
const DATA_ABORT_WRITE: u64 = 1 << 6;

/// PSTATE.BTYPE, which an indirect branch leaves behind.
const BRANCH_TYPE: u64 = 0b11 << 10;

pub(crate) struct Context<'a>(&'a mut ucontext_t, libc::c_int);

impl<'a> Context<'a> {
    /// Of this signal with this code.
    pub(crate) fn new(context: &'a mut ucontext_t, signal: libc::c_int, _code: i32) -> Self {
        Self(context, signal)
    }

    /// Whether the structure is a signal's context at all: a zeroed one, which a test or a careless caller may bring,
    /// has neither a program counter nor a stack.
    pub(crate) fn is_one(context: &mut ucontext_t) -> bool {
        let context = Context::new(context, 0, 0);
        context.pc() != 0 || context.sp() != 0
    }

    pub(crate) fn pc(&self) -> usize {
        self.0.uc_mcontext.pc as usize
    }

    /// The signal mask that the thread goes on with.
    pub(crate) fn mask(&mut self) -> &mut libc::sigset_t {
        &mut self.0.uc_sigmask
    }

    pub(crate) fn sp(&self) -> usize {
        self.0.uc_mcontext.sp as usize
    }

    pub(crate) fn fp(&self) -> usize {
        self.0.uc_mcontext.regs[29] as usize
    }

    /// From the syndrome, if the kernel left one (it does for faults that it reports as signals).
    pub(crate) fn access(&self) -> wasmtrap_access_t {
        let Some(syndrome) = self.syndrome() else { return WASMTRAP_ACCESS_UNKNOWN };
        match syndrome >> 26 {
            CLASS_INSTRUCTION_ABORT => WASMTRAP_ACCESS_EXECUTE,
            CLASS_DATA_ABORT if syndrome & DATA_ABORT_WRITE != 0 => WASMTRAP_ACCESS_WRITE,
            CLASS_DATA_ABORT => WASMTRAP_ACCESS_READ,
            _ => WASMTRAP_ACCESS_UNKNOWN,
        }
    }

    fn syndrome(&self) -> Option<u64> {
        find_record(self.0, ESR_MAGIC).map(|record| {
            // SAFETY: the record is as large as its header says, which `find_record` has checked: 16 bytes.
            unsafe { record.add(8).cast::<u64>().read_unaligned() }
        })
    }

    /// What si_code does not tell. Linux has the same code, and no syndrome, for an instruction that is none and for a
    /// branch to where none may go (do_el0_undef and do_el0_bti, arch/arm64/kernel/traps.c). The latter happens where
    /// PSTATE.BTYPE says that an indirect branch came here; but that it says of every first instruction of a function.
    pub(crate) fn origin(&self) -> Origin {
        match self.syndrome().map(|syndrome| syndrome >> 26) {
            Some(
                CLASS_BRANCH_TARGET
                | CLASS_POINTER_AUTHENTICATION
                | CLASS_CONTROL_STACK
                | CLASS_MISALIGNED_PC
                | CLASS_MISALIGNED_SP,
            ) => Origin::ControlFlow,
            Some(_) => Origin::Other,
            None if self.1 != libc::SIGILL => Origin::Other,
            None if self.is_at_undefined() => Origin::Undefined,
            None if self.0.uc_mcontext.pstate & BRANCH_TYPE != 0 => Origin::ControlFlow,
            None => Origin::Other,
        }
    }

    /// Whether the instruction is `udf`.
    fn is_at_undefined(&self) -> bool {
        let pc = self.pc() as *const u32;
        // SAFETY: the thread has fetched the instruction that is illegal. Code that can be executed and not read is not
        // meant for this library.
        pc.is_aligned() && unsafe { pc.read_volatile() } >> 16 == 0
    }

    pub(crate) fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        let context = &self.0.uc_mcontext;
        (registers.pc, registers.flags) = (context.pc, context.pstate);
        for (general, register) in registers.general.iter_mut().zip(context.regs) {
            *general = register;
        }
        registers.general[31] = context.sp;
    }

    pub(crate) fn set_registers(&mut self, registers: &wasmtrap_registers_t) {
        let context = &mut self.0.uc_mcontext;
        for (register, general) in context.regs.iter_mut().zip(registers.general) {
            *register = general;
        }
        context.sp = registers.general[31];
        context.pc = registers.pc;
        context.pstate = registers.flags;
    }

    /// Lets the thread go on at `pc` with `sp`, in the state in which the ABI starts a function.
    pub(crate) fn resume_at(&mut self, pc: usize, sp: usize) {
        let context = &mut self.0.uc_mcontext;
        context.pc = pc as u64;
        context.sp = sp as u64;
        context.pstate &= !BRANCH_TYPE;
        // What a landing of `wasmtrap_call` looks at; nothing to anybody else.
        let streaming = self.streaming_state();
        self.0.uc_mcontext.regs[12] = streaming;
    }

    /// PSTATE.SM and PSTATE.ZA of the code that was interrupted, in bits 0 and 1. The kernel switches both off for a
    /// handler, and on again by rt_sigreturn (setup_return and restore_sigframe, arch/arm64/kernel/signal.c).
    fn streaming_state(&self) -> u64 {
        if STREAMING_MODE.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let streaming = find_anywhere(self.0, SVE_MAGIC).is_some_and(|record| {
            // SAFETY: the record is as large as its header says, at least 16 bytes; the flags follow the vector length.
            let flags = unsafe { record.add(10).cast::<u16>().read_unaligned() };
            flags & SVE_SIG_FLAG_SM != 0
        });
        let za = find_anywhere(self.0, ZA_MAGIC).is_some_and(|record| {
            // SAFETY: the second word of a record is its size; with ZA off it has nothing but its header.
            unsafe { record.add(4).cast::<u32>().read_unaligned() > ZA_HEADER }
        });
        u64::from(streaming) | u64::from(za) << 1
    }
}

/// The same in the space that the kernel adds where the reserved one is too small for the vector state.
fn find_anywhere(context: &ucontext_t, magic: u32) -> Option<*const u8> {
    find_record(context, magic).or_else(|| {
        let extra = find_record(context, EXTRA_MAGIC)?;
        // SAFETY: struct extra_context: header, address, size.
        let (start, size) =
            unsafe { (extra.add(8).cast::<u64>().read_unaligned(), extra.add(16).cast::<u32>().read_unaligned()) };
        find_in(start as usize, size as usize, magic)
    })
}

/// The record with this magic in the context's reserved space.
pub(super) fn find_record(context: &ucontext_t, magic: u32) -> Option<*const u8> {
    /// `__reserved` of the kernel's structure; libc's own has no field for it.
    const RESERVED_SIZE: usize = 4096;
    // The space is aligned to 16 after the program counter and pstate.
    let start = (core::ptr::from_ref(&context.uc_mcontext.pstate).addr() + 8).next_multiple_of(16);
    find_in(start, RESERVED_SIZE, magic)
}

/// The record with this magic in a space for records that is as large.
fn find_in(start: usize, space: usize, magic: u32) -> Option<*const u8> {
    let mut offset = 0;
    while offset + 16 <= space {
        let record = (start + offset) as *const u8;
        // SAFETY: the space is part of every context that the kernel makes, or told in one, and 16 bytes fit it.
        let (found, size) =
            unsafe { (record.cast::<u32>().read_unaligned(), record.add(4).cast::<u32>().read_unaligned() as usize) };
        if found == magic && size >= 16 && offset + size <= space {
            return Some(record);
        }
        if found == 0 || size < 8 {
            return None;
        }
        offset += size;
    }
    None
}
