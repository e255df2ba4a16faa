//! What is read from a context, and what is written to it, where a signal would be hard to have.

use super::*;

const SI_KERNEL: i32 = 0x80;

fn context(trap: i64, pc: i64, sp: i64) -> ucontext_t {
    // SAFETY: all-zero is a valid context.
    let mut raw: ucontext_t = unsafe { core::mem::zeroed() };
    for (register, value) in [(libc::REG_TRAPNO, trap), (libc::REG_RIP, pc), (libc::REG_RSP, sp)] {
        raw.uc_mcontext.gregs[register as usize] = value;
    }
    raw
}

#[test]
fn a_context_has_a_program_counter_or_a_stack() {
    for (pc, sp, expected) in [(0, 0, false), (1, 0, true), (0, 1, true), (1, 1, true)] {
        assert_eq!(Context::is_one(&mut context(0, pc, sp)), expected, "{pc}, {sp}");
    }
}

#[test]
fn a_trap_resumes_with_the_flags_of_a_functions_start() {
    const ALL: i64 = 0x3f_ffff;
    let mut raw = context(0, 5, 6);
    raw.uc_mcontext.gregs[libc::REG_EFL as usize] = ALL;
    let mut context = Context::new(&mut raw, libc::SIGSEGV, 1);
    context.resume_at(0x1000, 0x2000);
    assert_eq!([libc::REG_RIP, libc::REG_RSP, libc::REG_RAX].map(|place| context.get(place)), [0x1000, 0x2000, 0x2000]);
    assert_eq!(context.get(libc::REG_EFL), ALL & !(1 << 10 | 1 << 18), "direction, alignment check");
}

#[test]
fn what_the_kernel_forces_is_of_the_processors_making_only_where_the_instruction_can_be() {
    // nop; mov al, [rax]; mov al, [rbp]: the registers have no canonical addresses.
    let (nop, load, by_stack) = ([0x90_u8; 16], [0x8a_u8, 0, 0, 0], [0x8a_u8, 0x45, 0, 0]);
    let origin = |signal, trap, code: &[u8]| {
        let mut raw = context(trap, code.as_ptr() as i64, 0);
        raw.uc_mcontext.gregs[libc::REG_RAX as usize] = 1 << 60;
        raw.uc_mcontext.gregs[libc::REG_RBP as usize] = 1 << 60;
        Context::new(&mut raw, signal, SI_KERNEL).origin()
    };
    assert_eq!(origin(libc::SIGSEGV, TRAP_GENERAL_PROTECTION, &load), Origin::GeneralProtection);
    assert_eq!(origin(libc::SIGSEGV, TRAP_GENERAL_PROTECTION, &nop), Origin::Other);
    assert_eq!(origin(libc::SIGBUS, TRAP_STACK_SEGMENT, &by_stack), Origin::StackSegment);
    assert_eq!(origin(libc::SIGBUS, TRAP_STACK_SEGMENT, &nop), Origin::Other);
    assert_eq!(origin(libc::SIGTRAP, TRAP_BREAKPOINT, &nop), Origin::Breakpoint);
    // The thread's last exception was a breakpoint; this is none.
    assert_eq!(origin(libc::SIGSEGV, TRAP_BREAKPOINT, &nop), Origin::Other);
    let mut nowhere = context(TRAP_GENERAL_PROTECTION, 1 << 60, 0);
    assert_eq!(Context::new(&mut nowhere, libc::SIGSEGV, SI_KERNEL).origin(), Origin::GeneralProtection);
}

#[test]
fn the_processors_last_exception_is_stale_for_a_signal_that_is_not_forced() {
    let load = [0x8a_u8, 0, 0, 0];
    for (trap, pc) in
        [(TRAP_GENERAL_PROTECTION, load.as_ptr() as i64), (TRAP_STACK_SEGMENT, 1 << 60), (TRAP_BREAKPOINT, 0)]
    {
        let mut raw = context(trap, pc, 0);
        raw.uc_mcontext.gregs[libc::REG_RAX as usize] = 1 << 60;
        for code in [libc::SI_USER, libc::SI_QUEUE, libc::SI_TKILL, 1, 2] {
            assert_eq!(Context::new(&mut raw, libc::SIGSEGV, code).origin(), Origin::Other, "{trap}, {code}");
        }
    }
}

#[test]
fn an_instruction_that_is_none_is_told_by_its_bytes() {
    let cases = [
        ([0x0f_u8, 0x0b], Origin::Undefined),
        ([0x0f, 0xb9], Origin::Undefined),
        ([0x0f, 0xff], Origin::Undefined),
        ([0x0f, 0x05], Origin::Other),
        ([0x90, 0x0b], Origin::Other),
    ];
    for (code, expected) in cases {
        let mut raw = context(0, code.as_ptr() as i64, 0);
        assert_eq!(Context::new(&mut raw, libc::SIGILL, ILL_ILLOPC).origin(), expected, "{code:x?}");
    }
}

#[test]
fn a_program_counter_that_nobody_changed_stays_behind_the_breakpoint() {
    let mut raw = context(TRAP_BREAKPOINT, 100, 0);
    let mut context = Context::new(&mut raw, libc::SIGTRAP, SI_KERNEL);
    let mut registers = wasmtrap_registers_t { general: [0; 32], pc: 0, flags: 0 };
    context.write_registers(&mut registers);
    assert_eq!(registers.pc, 99);
    context.set_registers(&registers);
    assert_eq!(context.get(libc::REG_RIP), 100);
    registers.pc = 50;
    context.set_registers(&registers);
    assert_eq!(context.get(libc::REG_RIP), 50);
}
