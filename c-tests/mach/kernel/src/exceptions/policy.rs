//! Who may set which exception port with which behavior, release by release. Here an engine dies or lives.
//!
//! There are two tables of these rules: this one, and the library's. They were written one without the other, each from
//! Apple's published sources (github.com/apple-oss-distributions/xnu) and from nothing else: no page about them, no
//! other program, and above all not the other table. Once both had been taken from one description, that description
//! was wrong, both were wrong alike, and every test was green. So whoever changes a rule here reads it in the sources
//! first, at the tag that stands beside it, and does not look at the library's table while doing so, nor the other way
//! round. `simulated-xnu --policy` prints the cells of this table, and a test compares them with the library's
//! (c-tests/mach/policy); `--policy=all` prints those as well that only a kernel has.
//! Where they differ, one of them has misread the sources: read again, do not copy.
//!
//! What a row says of a release was read in these functions of osfmk/kern/ipc_tt.c, at each of the row's tags:
//! - thread_set_exception_ports, thread_swap_exception_ports, task_set_exception_ports, task_swap_exception_ports:
//!   until 10063 each has checks of its own, since 11215 all four call set_exception_ports_validation;
//! - set_exception_behavior_allowed, exception_exposes_protected_ports, behavior_is_identity_protected,
//!   identity_protection_opted_out (10002 and 10063), exception_is_identity_protected (11215 and later);
//! - set_exception_behavior_violation and the tunable thid_should_crash, for what a violation does.
//!
//! The bit 0x8000 was read in mach_port_construct (osfmk/ipc/mach_port.c) and ipc_port_init (osfmk/ipc/ipc_port.c).

use std::io::Write;

use crate::constants::*;
use crate::profile::Release;
use crate::program::{self, APPLE, OTHER, Program};

/// What a kernel does with a behavior that is not identity-protected, in a program that it protects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OnViolation {
    /// There is no check.
    Nothing,
    /// It is reported, and the port is set.
    Count,
    /// EXC_GUARD, kGUARD_EXC_EXCEPTION_BEHAVIOR_ENFORCE (6, below MAX_FATAL_kGUARD_EXC_CODE: fatal in every program,
    /// osfmk/ipc/mach_port.c, mach_port_guard_exception), and this is the result of the call that nobody sees.
    Kill(KernReturn),
}

/// What mach_port_construct makes of the bit 0x8000.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bit {
    /// Nobody asks for it, and it is no error.
    Ignored,
    /// MPO_PROVISIONAL_ID_PROT_OPTOUT: exempt from the check. The port is like any other in all else.
    OptsOut,
    /// The same, and the receive right is immovable. thread_set_exception_ports takes such a port, the other three
    /// calls refuse it as they refuse every port with an immovable receive right.
    OptsOutImmovable,
    /// MPO_EXCEPTION_PORT: no exemption. The receive right is immovable, and yet all four calls take the port.
    ExceptionPort,
}

struct Rules {
    release: Release,
    /// The behaviors that there are, by the switch at the top of each call.
    known: &'static [u32],
    /// behavior_is_identity_protected
    identity_protected: &'static [u32],
    on_violation: OnViolation,
    bit: Bit,
    /// task_opted_out_mach_hardening and SIP_is_enabled are asked.
    spares_plugin_hosts_and_open_systems: bool,
    /// The entitlement com.apple.private.thread-set-state frees from this check too.
    spares_state_setters: bool,
    /// IPC_ONLY_ONE_EXCEPTION_PORT is looked for, before all that frees from the rest, and whatever the port is:
    /// none will do for a violation.
    knows_only_one_exception_port: bool,
    /// mac_task_check_set_thread_exception_ports and its sister for tasks are asked (security/mac_mach.c), after
    /// everything else; their no is KERN_NO_ACCESS.
    asks_the_sandbox: bool,
}

const FOUR: &[u32] = &[EXCEPTION_DEFAULT, EXCEPTION_STATE, EXCEPTION_STATE_IDENTITY, EXCEPTION_IDENTITY_PROTECTED];
const FIVE: &[u32] = &[
    EXCEPTION_DEFAULT,
    EXCEPTION_STATE,
    EXCEPTION_STATE_IDENTITY,
    EXCEPTION_IDENTITY_PROTECTED,
    EXCEPTION_STATE_IDENTITY_PROTECTED,
];

/// Read at 7195.141.2.
const MACOS_11: Rules = Rules {
    release: Release::MacOs11,
    known: &[EXCEPTION_DEFAULT, EXCEPTION_STATE, EXCEPTION_STATE_IDENTITY],
    // No set_exception_behavior_allowed. MPO_* ends at 0x200 (osfmk/mach/port.h).
    identity_protected: &[],
    on_violation: OnViolation::Nothing,
    bit: Bit::Ignored,
    spares_plugin_hosts_and_open_systems: false,
    spares_state_setters: false,
    knows_only_one_exception_port: false,
    asks_the_sandbox: false,
};

const MACOS_13: Rules = Rules {
    release: Release::MacOs13,
    // Read at 8796.141.3. MPO_* ends at 0x4000.
    known: FOUR,
    ..MACOS_11
};

const MACOS_14_0: Rules = Rules {
    release: Release::MacOs14_0,
    // Read at 10002.1.13, 10002.41.9.
    identity_protected: &[EXCEPTION_IDENTITY_PROTECTED],
    // thid_should_crash is false, and the violation's function answers true in any case.
    on_violation: OnViolation::Count,
    // ipc_port_init marks the port and leaves ip_immovable_receive alone.
    bit: Bit::OptsOut,
    spares_state_setters: true,
    ..MACOS_13
};

const MACOS_14_2: Rules = Rules {
    release: Release::MacOs14_2,
    // Read at 10002.61.3, 10002.81.5.
    // set_exception_behavior_allowed is `return TRUE` under XNU_TARGET_OS_OSX.
    identity_protected: &[],
    on_violation: OnViolation::Nothing,
    bit: Bit::OptsOutImmovable,
    spares_state_setters: false,
    ..MACOS_14_0
};

const MACOS_14_4: Rules = Rules {
    release: Release::MacOs14_4,
    // A violation is punished once per process (task_has_exception_telemetry), after which there is no process.
    // Read at 10063.101.15, 10063.121.3.
    identity_protected: &[EXCEPTION_IDENTITY_PROTECTED],
    on_violation: OnViolation::Kill(KERN_NO_ACCESS),
    spares_plugin_hosts_and_open_systems: true,
    spares_state_setters: true,
    ..MACOS_14_2
};

/// Read at 10063.141.1.
const MACOS_14_6: Rules = Rules { release: Release::MacOs14_6, ..MACOS_14_4 };

const MACOS_15: Rules = Rules {
    release: Release::MacOs15,
    // Read at 11215.1.10, 11215.41.3, 11215.61.5, 11215.81.4, 11417.101.15, 11417.121.6.
    known: FIVE,
    identity_protected: &[EXCEPTION_IDENTITY_PROTECTED, EXCEPTION_STATE, EXCEPTION_STATE_IDENTITY_PROTECTED],
    on_violation: OnViolation::Kill(KERN_DENIED),
    bit: Bit::ExceptionPort,
    // set_exception_behavior_allowed asks for SET_EXCEPTION_ENTITLEMENT only.
    spares_state_setters: false,
    knows_only_one_exception_port: true,
    asks_the_sandbox: true,
    ..MACOS_14_6
};

/// Not published where the others were read: a guess, by the rules of 15.
const MACOS_26: Rules = Rules { release: Release::MacOs26, ..MACOS_15 };

const TABLE: [&Rules; 8] =
    [&MACOS_11, &MACOS_13, &MACOS_14_0, &MACOS_14_2, &MACOS_14_4, &MACOS_14_6, &MACOS_15, &MACOS_26];

/// The calls that set exception ports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Setter {
    ThreadSet,
    ThreadSwap,
    TaskSet,
    TaskSwap,
}

/// What the rules look at in a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PortFacts {
    /// Made by mach_port_construct with the bit 0x8000, in a kernel that knows it.
    pub(crate) marked: bool,
    pub(crate) immovable_receive: bool,
    pub(crate) immovable_send: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Allowed,
    /// The port is set, and Apple hears of it.
    Counted,
    Refused(KernReturn),
    /// The process dies; what the call would have answered.
    Fatal(KernReturn),
}

/// What mach_port_construct makes with the bit 0x8000 on this release.
pub(crate) fn port_with_bit(release: Release) -> PortFacts {
    let (marked, immovable_receive) = match rules(release).bit {
        Bit::Ignored => (false, false),
        Bit::OptsOut => (true, false),
        Bit::OptsOutImmovable | Bit::ExceptionPort => (true, true),
    };
    PortFacts { marked, immovable_receive, immovable_send: false }
}

pub(crate) fn sandbox_is_asked(release: Release) -> bool {
    rules(release).asks_the_sandbox
}

fn rules(release: Release) -> &'static Rules {
    TABLE.iter().find(|rules| rules.release == release).expect("every release has its rules")
}

/// The first checks: whether there is such a behavior, and whether the port may be an exception port at all.
pub(crate) fn check_port(
    release: Release,
    setter: Setter,
    port: Option<PortFacts>,
    behavior: u32,
) -> Result<(), KernReturn> {
    let rules = rules(release);
    let Some(port) = port else { return Ok(()) };
    if !rules.known.contains(&behavior) {
        return Err(KERN_INVALID_ARGUMENT);
    }
    let may_be_immovable = port.marked
        && match rules.bit {
            Bit::Ignored | Bit::OptsOut => false,
            Bit::OptsOutImmovable => setter == Setter::ThreadSet,
            Bit::ExceptionPort => true,
        };
    if port.immovable_receive && !may_be_immovable || port.immovable_send {
        return Err(KERN_INVALID_RIGHT);
    }
    Ok(())
}

/// set_exception_behavior_allowed
pub(crate) fn check_behavior(release: Release, program: &Program, port: Option<PortFacts>, behavior: u32) -> Verdict {
    let rules = rules(release);
    let violation = match rules.on_violation {
        OnViolation::Nothing => return Verdict::Allowed,
        OnViolation::Count => Verdict::Counted,
        OnViolation::Kill(error) => Verdict::Fatal(error),
    };
    let freed = program.has_entitlement(program::SET_EXCEPTION_PORT)
        || rules.spares_state_setters && program.has_entitlement(program::THREAD_SET_STATE);
    if freed {
        return Verdict::Allowed;
    }
    let hardened = program.is_hardened(release);
    if rules.knows_only_one_exception_port && hardened && program.has_entitlement(program::ONLY_ONE_EXCEPTION_PORT) {
        return violation;
    }
    let Some(port) = port.filter(|_| hardened) else { return Verdict::Allowed };
    let opted_out = port.marked && matches!(rules.bit, Bit::OptsOut | Bit::OptsOutImmovable);
    let spared = rules.spares_plugin_hosts_and_open_systems && (program.is_plugin_host() || !program.protected_system);
    if rules.identity_protected.contains(&behavior) || opted_out || spared || program.translated {
        return Verdict::Allowed;
    }
    violation
}

/// thread_set_state_allowed (osfmk/kern/thread_act.c), of a flavor that changes core registers of a thread that is in
/// no Mach exception. 8796.141.3 to 10063.101.15 do not spare hosts of plug-ins, 10063.121.3 and later do; so 14.5,
/// which is 14.4 everywhere else in this file, is 14.6 here.
pub(crate) fn guards_thread_state(release: Release, program: &Program) -> bool {
    let spared = release >= Release::MacOs14_6 && program.is_plugin_host();
    program.is_hardened(release)
        && !spared
        && !program.translated
        && !program.has_entitlement(program::THREAD_SET_STATE)
}

fn cell(release: Release, program: &Program, setter: Setter, port: Option<PortFacts>, behavior: u32) -> Verdict {
    match check_port(release, setter, port, behavior) {
        Err(error) => Verdict::Refused(error),
        Ok(()) => check_behavior(release, program, port, behavior),
    }
}

// ---- The cells, for whoever compares them (c-tests/mach/policy/README.md) ----

const BEHAVIORS: [(&str, u32); 5] = [
    ("EXCEPTION_DEFAULT", EXCEPTION_DEFAULT),
    ("EXCEPTION_STATE", EXCEPTION_STATE),
    ("EXCEPTION_STATE_IDENTITY", EXCEPTION_STATE_IDENTITY),
    ("EXCEPTION_IDENTITY_PROTECTED", EXCEPTION_IDENTITY_PROTECTED),
    ("EXCEPTION_STATE_IDENTITY_PROTECTED", EXCEPTION_STATE_IDENTITY_PROTECTED),
];

/// The call, and what is said of a port that comes by it.
const SETTERS: [(&str, Setter); 4] = [
    ("", Setter::ThreadSet),
    (", swapped", Setter::ThreadSwap),
    (", set on the task", Setter::TaskSet),
    (", swapped on the task", Setter::TaskSwap),
];

/// The first two are those that the two tables have in common.
const PROGRAMS: [(&str, Program); 14] = [
    ("hardened", APPLE),
    ("ordinary", OTHER),
    ("plug-in host by identity", Program { identity: "org.python.python", ..APPLE }),
    (
        "plug-in host by identity, arm64 and not arm64e",
        Program { identity: "org.python.python", without_pointer_authentication: true, ..APPLE },
    ),
    ("library validation off", Program { entitlements: &[program::DISABLE_LIBRARY_VALIDATION], ..APPLE }),
    ("hardened, SIP off", Program { protected_system: false, ..APPLE }),
    ("hardened, translated", Program { translated: true, ..APPLE }),
    ("hardened, only one exception port", Program { entitlements: &[program::ONLY_ONE_EXCEPTION_PORT], ..APPLE }),
    (
        "hardened, only one exception port, SIP off",
        Program { entitlements: &[program::ONLY_ONE_EXCEPTION_PORT], protected_system: false, ..APPLE },
    ),
    ("hardened, may set exception ports", Program { entitlements: &[program::SET_EXCEPTION_PORT], ..APPLE }),
    ("hardened, may set thread states", Program { entitlements: &[program::THREAD_SET_STATE], ..APPLE }),
    ("ordinary, hardened runtime", Program { hardened_runtime: true, ..OTHER }),
    ("ordinary, browser engine", Program { entitlements: &[program::BROWSER_ENGINE], ..OTHER }),
    ("ordinary, only one exception port", Program { entitlements: &[program::ONLY_ONE_EXCEPTION_PORT], ..OTHER }),
];

/// One from mach_port_allocate, one made with the bit 0x8000, none, one guarded with MPO_IMMOVABLE_RECEIVE.
fn ports(release: Release) -> [(&'static str, Option<PortFacts>); 4] {
    [
        ("plain", Some(PortFacts::default())),
        ("opted-out", Some(port_with_bit(release))),
        ("none", None),
        ("immovable", Some(PortFacts { immovable_receive: true, ..PortFacts::default() })),
    ]
}

/// Which cells are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cells {
    /// Those that the library's table has too, and their answers without the error codes.
    InCommon,
    All,
}

fn answer(verdict: Verdict, cells: Cells) -> String {
    let name = |error: KernReturn| match error {
        KERN_INVALID_ARGUMENT => "KERN_INVALID_ARGUMENT".to_owned(),
        KERN_INVALID_RIGHT => "KERN_INVALID_RIGHT".to_owned(),
        KERN_NO_ACCESS => "KERN_NO_ACCESS".to_owned(),
        KERN_DENIED => "KERN_DENIED".to_owned(),
        other => other.to_string(),
    };
    let (word, error) = match verdict {
        Verdict::Allowed => return "allowed".to_owned(),
        Verdict::Counted => return "telemetry".to_owned(),
        Verdict::Refused(error) => ("refused", error),
        Verdict::Fatal(error) => ("fatal", error),
    };
    if cells == Cells::All { format!("{word} ({})", name(error)) } else { word.to_owned() }
}

/// A line a cell: release | behavior | port | host | answer.
pub(crate) fn print(cells: Cells, out: &mut impl Write) -> std::io::Result<()> {
    // In common: plain and opted-out ports, on threads, of the first two kinds of host, since 13.
    let (ports_shown, setters, programs) = if cells == Cells::All { (4, 4, PROGRAMS.len()) } else { (2, 2, 2) };
    let first = if cells == Cells::All { Release::MacOs11 } else { Release::MacOs13 };
    for Rules { release, .. } in TABLE.iter().filter(|rules| rules.release >= first) {
        for (behavior_name, behavior) in BEHAVIORS {
            for (port_name, port) in ports(*release).into_iter().take(ports_shown) {
                for (by, setter) in SETTERS.into_iter().take(setters) {
                    for (program_name, program) in PROGRAMS.iter().take(programs) {
                        let answer = answer(cell(*release, program, setter, port, behavior), cells);
                        writeln!(out, "{release} | {behavior_name} | {port_name}{by} | {program_name} | {answer}")?;
                    }
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Release::*;

    const PLAIN: Option<PortFacts> = Some(PortFacts { marked: false, immovable_receive: false, immovable_send: false });

    fn with_bit(release: Release) -> Option<PortFacts> {
        Some(port_with_bit(release))
    }

    fn thread_set(release: Release, program: &Program, port: Option<PortFacts>, behavior: u32) -> Verdict {
        cell(release, program, Setter::ThreadSet, port, behavior)
    }

    /// Written out by hand from the sources, not from the table above: behavior by behavior, of a plain port in one of
    /// Apple's own programs.
    #[test]
    fn a_plain_port_in_apple_s_own_program() {
        use Verdict::*;
        let invalid = Refused(KERN_INVALID_ARGUMENT);
        let (no_access, denied) = (Fatal(KERN_NO_ACCESS), Fatal(KERN_DENIED));
        // DEFAULT, STATE, STATE_IDENTITY, IDENTITY_PROTECTED, STATE_IDENTITY_PROTECTED
        let expected = [
            (MacOs11, [Allowed, Allowed, Allowed, invalid, invalid]),
            (MacOs13, [Allowed, Allowed, Allowed, Allowed, invalid]),
            (MacOs14_0, [Counted, Counted, Counted, Allowed, invalid]),
            (MacOs14_2, [Allowed, Allowed, Allowed, Allowed, invalid]),
            (MacOs14_4, [no_access, no_access, no_access, Allowed, invalid]),
            (MacOs14_6, [no_access, no_access, no_access, Allowed, invalid]),
            (MacOs15, [denied, Allowed, denied, Allowed, Allowed]),
            (MacOs26, [denied, Allowed, denied, Allowed, Allowed]),
        ];
        for (release, verdicts) in expected {
            for ((name, behavior), verdict) in BEHAVIORS.into_iter().zip(verdicts) {
                assert_eq!(thread_set(release, &APPLE, PLAIN, behavior), verdict, "{release} {name}");
            }
        }
    }

    #[test]
    fn the_bit_exempts_in_14_and_nowhere_else() {
        for release in [MacOs14_0, MacOs14_2, MacOs14_4, MacOs14_6] {
            assert_eq!(thread_set(release, &APPLE, with_bit(release), EXCEPTION_DEFAULT), Verdict::Allowed);
            assert_eq!(thread_set(release, &APPLE, with_bit(release), EXCEPTION_STATE), Verdict::Allowed);
        }
        assert_eq!(with_bit(MacOs13), PLAIN);
        assert_eq!(thread_set(MacOs15, &APPLE, with_bit(MacOs15), EXCEPTION_STATE), Verdict::Allowed);
        assert_eq!(thread_set(MacOs15, &APPLE, with_bit(MacOs15), EXCEPTION_DEFAULT), Verdict::Fatal(KERN_DENIED));
    }

    #[test]
    fn swapping_in_an_opted_out_port_is_refused_since_14_2_and_until_15() {
        let refused = Verdict::Refused(KERN_INVALID_RIGHT);
        for (release, verdict) in [
            (MacOs13, Verdict::Allowed),
            (MacOs14_0, Verdict::Allowed),
            (MacOs14_2, refused),
            (MacOs14_4, refused),
            (MacOs14_6, refused),
            (MacOs15, Verdict::Allowed),
        ] {
            for setter in [Setter::ThreadSwap, Setter::TaskSet, Setter::TaskSwap] {
                let got = cell(release, &OTHER, setter, with_bit(release), EXCEPTION_STATE);
                assert_eq!(got, verdict, "{release} {setter:?}");
            }
            assert_eq!(thread_set(release, &OTHER, with_bit(release), EXCEPTION_STATE), Verdict::Allowed);
        }
    }

    #[test]
    fn an_immovable_port_is_refused_before_a_violation_is_looked_for() {
        let immovable = Some(PortFacts { immovable_receive: true, ..PortFacts::default() });
        for rules in TABLE {
            let got = thread_set(rules.release, &APPLE, immovable, EXCEPTION_DEFAULT);
            assert_eq!(got, Verdict::Refused(KERN_INVALID_RIGHT));
        }
    }

    #[test]
    fn only_one_exception_port_forbids_none_as_well() {
        let program = Program { entitlements: &[program::ONLY_ONE_EXCEPTION_PORT], ..APPLE };
        let open = Program { protected_system: false, translated: true, ..program };
        for program in [program, open] {
            assert_eq!(thread_set(MacOs15, &program, None, EXCEPTION_STATE), Verdict::Fatal(KERN_DENIED));
            assert_eq!(thread_set(MacOs14_6, &program, None, EXCEPTION_STATE), Verdict::Allowed);
        }
        let other = Program { platform_binary: false, ..program };
        assert_eq!(thread_set(MacOs15, &other, PLAIN, EXCEPTION_DEFAULT), Verdict::Allowed);
    }

    #[test]
    fn who_is_spared() {
        let spared = |name: &str, release| {
            let (_, program) = PROGRAMS.iter().find(|(other, _)| *other == name).unwrap();
            thread_set(release, program, PLAIN, EXCEPTION_DEFAULT) == Verdict::Allowed
        };
        for name in ["plug-in host by identity", "library validation off", "hardened, SIP off"] {
            // 14.0 does not ask for it.
            assert!(!spared(name, MacOs14_0) && spared(name, MacOs14_4) && spared(name, MacOs15), "{name}");
        }
        assert!(!spared("plug-in host by identity, arm64 and not arm64e", MacOs14_4));
        assert!(spared("hardened, translated", MacOs14_4) && spared("hardened, translated", MacOs15));
        assert!(spared("hardened, may set exception ports", MacOs15));
        assert!(
            spared("hardened, may set thread states", MacOs14_6) && !spared("hardened, may set thread states", MacOs15)
        );
        assert!(spared("ordinary, hardened runtime", MacOs15));
        assert!(spared("ordinary, browser engine", MacOs14_0) && !spared("ordinary, browser engine", MacOs14_4));
    }

    #[test]
    fn identities_are_compared_as_beginnings() {
        let named = |identity| Program { identity, ..APPLE };
        assert!(named("com.apple.perl5.34").is_plugin_host());
        assert!(named("org.python.python").is_plugin_host());
        assert!(!named("com.apple.python3").is_plugin_host());
        assert!(!named("org.python").is_plugin_host());
        assert!(!named("").is_plugin_host());
        assert!(!Program { platform_binary: false, ..named("org.python.python") }.is_plugin_host());
    }

    fn printed(cells: Cells) -> Vec<String> {
        let mut text = Vec::new();
        print(cells, &mut text).unwrap();
        String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_cell_is_printed_once() {
        for (cells, count) in [(Cells::InCommon, 7 * 5 * 4 * 2), (Cells::All, 8 * 5 * 16 * PROGRAMS.len())] {
            let lines = printed(cells);
            let names: std::collections::BTreeSet<&str> =
                lines.iter().map(|line| line.rsplit_once(" | ").unwrap().0).collect();
            assert_eq!((lines.len(), names.len()), (count, count));
        }
    }

    #[test]
    fn lines_have_the_form_that_is_compared() {
        let lines = printed(Cells::InCommon);
        for line in [
            "13 | EXCEPTION_DEFAULT | plain | hardened | allowed",
            "14.0 | EXCEPTION_DEFAULT | plain | hardened | telemetry",
            "14.6 | EXCEPTION_STATE | plain | hardened | fatal",
            "14.6 | EXCEPTION_STATE | opted-out, swapped | ordinary | refused",
        ] {
            assert!(lines.iter().any(|other| other == line), "{line}");
        }
        let all = printed(Cells::All);
        let line = "14.6 | EXCEPTION_STATE | opted-out, swapped | ordinary | refused (KERN_INVALID_RIGHT)";
        assert!(all.iter().any(|other| other == line));
    }
}
