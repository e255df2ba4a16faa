//! Each code that Linux has for our signals, and what is made of it.

use super::*;

fn kind(signal: libc::c_int, code: i32, origin: Origin) -> Kind {
    classify(signal, code, origin).kind
}

#[test]
fn memory_faults() {
    for code in 1..=10 {
        let expected = if matches!(code, 1 | 2 | 4 | 9) { Kind::Memory } else { Kind::Fatal };
        for origin in [Origin::Other, Origin::Breakpoint, Origin::GeneralProtection, Origin::StackSegment] {
            assert_eq!(kind(libc::SIGSEGV, code, origin), expected, "SEGV code {code}, {origin:?}");
        }
    }
    assert_eq!(kind(libc::SIGBUS, BUS_ADRERR, Origin::Other), Kind::Memory);
    assert_eq!(kind(libc::SIGBUS, BUS_MCEERR_AR, Origin::Other), Kind::LostMemory);
    for code in [3, 5, 6] {
        assert_eq!(kind(libc::SIGBUS, code, Origin::Other), Kind::Fatal, "BUS code {code}");
    }
    assert_eq!(kind(libc::SIGBUS, BUS_ADRALN, Origin::Other), Kind::Misaligned);
    assert_eq!(kind(libc::SIGBUS, BUS_ADRALN, Origin::ControlFlow), Kind::Fatal);
}

#[test]
fn what_the_kernel_forces_is_a_fault_only_where_the_processor_says_so() {
    let all = [
        Origin::Breakpoint,
        Origin::GeneralProtection,
        Origin::StackSegment,
        Origin::Undefined,
        Origin::ControlFlow,
        Origin::Other,
    ];
    for origin in all {
        let memory = |is| if is { Kind::Memory } else { Kind::Fatal };
        assert_eq!(kind(libc::SIGSEGV, SI_KERNEL, origin), memory(origin == Origin::GeneralProtection), "{origin:?}");
        assert_eq!(kind(libc::SIGBUS, SI_KERNEL, origin), memory(origin == Origin::StackSegment), "{origin:?}");
        for signal in [libc::SIGILL, libc::SIGFPE] {
            assert_eq!(kind(signal, SI_KERNEL, origin), Kind::Fatal, "signal {signal}, {origin:?}");
        }
        // None of them comes again by itself.
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP] {
            assert!(!comes_again(signal, SI_KERNEL, &classify(signal, SI_KERNEL, origin)), "{signal}, {origin:?}");
        }
    }
}

#[test]
fn breakpoints() {
    // TRAP_BRKPT, TRACE, BRANCH, HWBKPT, UNK, PERF, and one that is not known yet.
    for code in 1..=7 {
        let expected = if AARCH64 && code == TRAP_BRKPT { Kind::Breakpoint } else { Kind::Fatal };
        // The processor's last exception may have been a breakpoint, which has nothing to do with these.
        assert_eq!(kind(libc::SIGTRAP, code, Origin::Breakpoint), expected, "TRAP code {code}");
    }
    assert_eq!(kind(libc::SIGTRAP, SI_KERNEL, Origin::Breakpoint), Kind::Breakpoint);
    assert_eq!(kind(libc::SIGTRAP, SI_KERNEL, Origin::Other), Kind::Fatal);
}

#[test]
fn illegal_instructions() {
    let by_code = |origin| [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(|code| kind(libc::SIGILL, code, origin));
    let only = |index: usize| core::array::from_fn(|at| if at == index { Kind::Illegal } else { Kind::Fatal });
    if X86_64 {
        assert_eq!(by_code(Origin::Other), only(1));
        assert_eq!(kind(libc::SIGILL, ILL_ILLOPC, Origin::Undefined), Kind::Illegal);
    } else {
        assert_eq!(by_code(Origin::Other), only(0));
        assert_eq!(by_code(Origin::ControlFlow), [Kind::Fatal; 11]);
        assert_eq!(kind(libc::SIGILL, ILL_ILLOPN, Origin::Undefined), Kind::Illegal);
    }
}

#[test]
fn arithmetic() {
    for code in 1..=16 {
        let expected = match code {
            1 | 2 => Kind::IntegerDivision,
            3..=7 | 14 => Kind::OtherArithmetic,
            _ => Kind::Fatal,
        };
        assert_eq!(kind(libc::SIGFPE, code, Origin::Other), expected, "FPE code {code}");
    }
}

#[test]
fn what_a_process_sent_is_nobodys_trap() {
    for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP] {
        for code in [0, -1, -2, -3, -4, -5, -6, -60] {
            for origin in [Origin::Other, Origin::Breakpoint, Origin::GeneralProtection] {
                let reading = classify(signal, code, origin);
                assert!(!reading.from_kernel && reading.kind == Kind::Fatal, "signal {signal}, code {code}");
                assert!(!comes_again(signal, code, &reading));
            }
        }
    }
}

#[test]
fn faults_come_again() {
    for (signal, code) in
        [(libc::SIGSEGV, 1), (libc::SIGSEGV, 2), (libc::SIGBUS, 2), (libc::SIGBUS, 4), (libc::SIGFPE, 1)]
    {
        assert!(comes_again(signal, code, &classify(signal, code, Origin::Other)), "signal {signal}, code {code}");
    }
    // BUS_MCEERR_AO, SEGV_MTEAERR.
    for (signal, code) in [(libc::SIGBUS, 5), (libc::SIGSEGV, 8)] {
        assert!(!comes_again(signal, code, &classify(signal, code, Origin::Other)), "signal {signal}, code {code}");
    }
}
