use super::*;

const ADDRESS: i64 = 0x7f00_dead_b000;

#[test]
fn memory_faults_have_their_address() {
    for code in [KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE, KERN_MEMORY_ERROR] {
        let seen = classify(EXC_BAD_ACCESS, [code, ADDRESS]);
        assert_eq!((seen.kind, seen.address), (Kind::Memory, Some(ADDRESS as usize)), "code {code}");
    }
}

#[test]
fn what_is_not_known_is_fatal() {
    const EXC_SOFTWARE: i32 = 5;
    const EXC_GUARD: i32 = 12;
    for (exception, code) in [(EXC_BAD_ACCESS, 0x7777), (EXC_SOFTWARE, 1), (EXC_GUARD, 1), (EXC_BREAKPOINT, 77), (0, 0)]
    {
        assert_eq!(classify(exception, [code, 0]).kind, Kind::Fatal, "exception {exception}, code {code}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_codes_of_x86_64() {
    let without_address = |kind| Exception { kind, address: None, pc_is_behind: false };
    assert_eq!(classify(EXC_BAD_ACCESS, [13, 0]), without_address(Kind::Memory));
    assert_eq!(classify(EXC_BAD_ACCESS, [17, 0]), without_address(Kind::Misaligned));
    assert_eq!(classify(EXC_BAD_INSTRUCTION, [1, 0]), without_address(Kind::Illegal));
    assert_eq!(classify(EXC_BAD_INSTRUCTION, [12, 0]), without_address(Kind::Memory));
    assert_eq!(classify(EXC_ARITHMETIC, [1, 0]), without_address(Kind::IntegerDivision));
    assert_eq!(classify(EXC_ARITHMETIC, [8, 0]), without_address(Kind::OtherArithmetic));
    assert_eq!(classify(EXC_ARITHMETIC, [2, 0]), without_address(Kind::IntegerDivision));
    for code in [0, 3, 4, 6, 7, 9, 99] {
        assert_eq!(classify(EXC_ARITHMETIC, [code, 0]), without_address(Kind::Fatal), "code {code}");
    }
    for code in [0, 2, 3, 10, 11, 13, 21, 99] {
        assert_eq!(classify(EXC_BAD_INSTRUCTION, [code, 0]), without_address(Kind::Fatal), "code {code}");
    }
    let breakpoint = Exception { kind: Kind::Breakpoint, address: None, pc_is_behind: true };
    assert_eq!(classify(EXC_BREAKPOINT, [2, 0]), breakpoint);
    assert_eq!(classify(EXC_BREAKPOINT, [1, 0]), without_address(Kind::Fatal));
}

#[test]
#[cfg(target_arch = "aarch64")]
fn the_codes_of_arm64() {
    assert_eq!(classify(EXC_BAD_ACCESS, [0x101, ADDRESS]).kind, Kind::Misaligned);
    assert_eq!(classify(EXC_BAD_ACCESS, [0x105, ADDRESS]).kind, Kind::Fatal);
    assert_eq!(classify(EXC_BAD_INSTRUCTION, [1, 0]).kind, Kind::Illegal);
    assert_eq!(classify(EXC_ARITHMETIC, [2, 0]).kind, Kind::OtherArithmetic);
    assert_eq!(classify(EXC_ARITHMETIC, [9, 0]).kind, Kind::Fatal);
    assert_eq!(classify(EXC_BAD_INSTRUCTION, [2, 0]).kind, Kind::Fatal);
    assert_eq!(classify(EXC_BREAKPOINT, [1, 0]).kind, Kind::Breakpoint);
}

#[test]
fn a_branch_to_where_none_may_go_is_fatal() {
    let nop = 0xd503_201f;
    assert_eq!(kind_after_branch(Kind::Illegal, [1, nop], true), Kind::Fatal);
    assert_eq!(kind_after_branch(Kind::Illegal, [1, nop], false), Kind::Illegal);
    assert_eq!(kind_after_branch(Kind::Illegal, [1, 0xc11f], true), Kind::Illegal);
    assert_eq!(kind_after_branch(Kind::Memory, [1, nop], true), Kind::Memory);
}
