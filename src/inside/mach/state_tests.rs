use super::*;

/// Every 64-bit unit holds its own index, the words after the last whole one their own number.
fn numbered() -> Words {
    core::array::from_fn(|word| if word % 2 == 0 { word as u32 / 2 } else { 0 })
}

#[test]
fn registers_go_out_and_come_back() {
    let mut words = numbered();
    let before = words;
    let mut state = State::new(&mut words, false);
    let mut registers = state.registers();
    state.set_registers(&registers);
    for (index, general) in registers.general.iter_mut().enumerate() {
        *general = 0x1_0000_0000 * (index as u64 + 1) + 5;
    }
    registers.pc = 0x1234_5678_9abc;
    registers.flags = 0x246;
    state.set_registers(&registers);
    let again = state.registers();
    assert_eq!((again.pc, again.flags), (registers.pc, registers.flags));
    // x86-64 has 16 general registers, arm64 all 32.
    let known = if cfg!(target_arch = "x86_64") { 16 } else { 32 };
    assert_eq!(again.general[..known], registers.general[..known]);
    assert!(again.general[known..].iter().all(|&value| value == 0));
    // What a record does not name stays as it came: the segments, the flags of pointer authentication.
    let kept = if cfg!(target_arch = "x86_64") { 36..42 } else { 67..68 };
    assert_eq!(words[kept.clone()], before[kept]);
}

#[test]
fn a_trap_resumes_at_the_landing_with_clean_flags() {
    let mut words = numbered();
    let mut state = State::new(&mut words, true);
    let all_flags = wasmtrap_registers_t { flags: 0xffff_ffff, ..state.registers() };
    state.set_registers(&all_flags);
    state.resume_at(0x1000, 0x2000);
    let registers = state.registers();
    assert_eq!((registers.pc, state.sp()), (0x1000, 0x2000));
    let cleared = if cfg!(target_arch = "x86_64") { 1 << 10 | 1 << 18 } else { 3 << 10 };
    assert_eq!(registers.flags, 0xffff_ffff & !cleared);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_pc_of_a_breakpoint_is_the_breakpoints() {
    let mut words = numbered();
    let mut state = State::new(&mut words, true);
    let behind = state.get(RIP);
    assert_eq!(state.registers().pc, behind - 1);
    let registers = state.registers();
    state.set_registers(&registers);
    assert_eq!(state.get(RIP), behind, "an untouched pc goes on behind the breakpoint");
    state.run_again();
    assert_eq!((state.get(RIP), state.pc() as u64), (behind - 1, behind - 1));
}

#[test]
fn a_branch_is_told_where_the_processor_tells() {
    let mut words = numbered();
    let mut state = State::new(&mut words, false);
    for (branch_type, branched) in [(0, false), (1, true), (2, true), (3, true)] {
        // PSTATE.BTYPE of arm64; x86-64's flags have nothing of the kind.
        let registers = wasmtrap_registers_t { flags: branch_type << 10, ..state.registers() };
        state.set_registers(&registers);
        assert_eq!(state.came_by_branch(), branched && cfg!(target_arch = "aarch64"), "type {branch_type}");
    }
}

#[test]
fn the_trampoline_is_entered_with_all_that_it_is_unwound_by() {
    let mut words = numbered();
    let mut state = State::new(&mut words, false);
    state.enter(0x4000, 0x5000, 0x7000, 0x6000);
    let registers = state.registers();
    assert_eq!((registers.pc, state.sp(), state.fp()), (0x4000, 0x6000, 0));
    // By DWARF's numbers: the argument; the record and the words, in registers that no call changes.
    let (argument, record, kept) = if cfg!(target_arch = "x86_64") { (5, 3, 13) } else { (0, 19, 20) };
    assert_eq!([argument, record, kept].map(|register: usize| registers.general[register]), [0x5000, 0x5000, 0x7000]);
    if cfg!(target_arch = "aarch64") {
        assert_eq!(registers.general[30], 0, "nothing to return to");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_vectors_have_what_the_processor_says() {
    // OSXSAVE alone, all but that, and none.
    assert_eq!(size_of_vectors(1 << 27, || 832), 832);
    assert_eq!(size_of_vectors(u32::MAX, || 2440), 2496);
    for features in [!(1 << 27), 0, 1 << 26] {
        assert_eq!(size_of_vectors(features, || unreachable!("there is no such leaf")), FXSAVE_SIZE);
    }
}
