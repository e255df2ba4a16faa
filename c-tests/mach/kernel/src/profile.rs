//! Host profiles: on what machine, and as what kind of program, the traced processes believe to run.
//!
//! A profile says facts (which release, which signature, which settings); what follows from them is decided where XNU
//! decides it, by the methods below, which name the function.

use std::fmt;

/// A release of macOS with the kernel that it brought.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Release {
    MacOs13,
    MacOs14_0,
    MacOs14_4,
    MacOs15,
    MacOs26,
}

impl Release {
    pub(crate) fn product_version(self) -> &'static str {
        match self {
            Release::MacOs13 => "13.6.4",
            Release::MacOs14_0 => "14.0",
            Release::MacOs14_4 => "14.4.1",
            Release::MacOs15 => "15.5",
            Release::MacOs26 => "26.0",
        }
    }

    pub(crate) fn darwin_version(self) -> &'static str {
        match self {
            Release::MacOs13 => "22.6.0",
            Release::MacOs14_0 => "23.0.0",
            Release::MacOs14_4 => "23.4.0",
            Release::MacOs15 => "24.5.0",
            Release::MacOs26 => "25.0.0",
        }
    }

    /// Since 14.4 a forbidden behavior is fatal: `thid_should_crash` is true (osfmk/kern/ipc_tt.c of xnu-10063.101).
    pub(crate) fn enforces_behaviors(self) -> bool {
        self >= Release::MacOs14_4
    }

    /// IPC_ONLY_ONE_EXCEPTION_PORT is in xnu-11215 and later.
    pub(crate) fn knows_only_one_exception_port(self) -> bool {
        self >= Release::MacOs15
    }

    /// MPO_EXCEPTION_PORT is in the kernels of 15 and later (osfmk/mach/port.h).
    pub(crate) fn has_exception_port_flag(self) -> bool {
        self >= Release::MacOs15
    }

    /// EXCEPTION_STATE_IDENTITY_PROTECTED is in the kernels of 15 and later, EXCEPTION_IDENTITY_PROTECTED in all of
    /// these (osfmk/mach/exception_types.h).
    pub(crate) fn knows_state_identity_protected(self) -> bool {
        self >= Release::MacOs15
    }

    /// Control ports of programs that are not Apple's are pinned too, without a death (ICP_OPTIONS_PINNED_3P_SOFT,
    /// osfmk/ipc/ipc_policy.c of xnu-11417; xnu-8796 and xnu-10002 pin Apple's own only).
    pub(crate) fn pins_ports_of_other_programs(self) -> bool {
        self >= Release::MacOs15
    }
}

/// The crash reporter at task level, in another process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum CrashReporter {
    #[default]
    None,
    /// It looks at every exception and answers KERN_FAILURE.
    Observes,
    /// It takes breakpoints, as a debugger does, and lets the program go on behind them.
    HandlesBreakpoints,
}

#[derive(Clone, Copy)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) sentence: &'static str,
    pub(crate) release: Release,
    /// Signed by Apple as a part of the system.
    pub(crate) platform_binary: bool,
    /// The hardened runtime (CS_RUNTIME).
    pub(crate) hardened_runtime: bool,
    /// The entitlement com.apple.security.only-one-exception-port.
    pub(crate) only_one_exception_port: bool,
    /// The sandbox answers KERN_NO_ACCESS where exception ports are set.
    pub(crate) sandboxed: bool,
    pub(crate) developer_mode: bool,
    /// x86-64 code on an Apple processor, by Rosetta.
    pub(crate) translated: bool,
    pub(crate) crash_reporter: CrashReporter,
    /// Each of these many exceptions goes to the signal, its message having been interrupted after it was sent.
    pub(crate) interrupt_exception_every: u64,
    /// Each of these many waits for a message is interrupted.
    pub(crate) interrupt_receive_every: u64,
    /// Each of these many exceptions goes to the signal without a message.
    pub(crate) bypass_exception_every: u64,
    /// A task gets so many ports and port sets, then KERN_NO_SPACE and KERN_RESOURCE_SHORTAGE in turn.
    pub(crate) port_limit: Option<u64>,
}

const ORDINARY: Profile = Profile {
    name: "ordinary",
    sentence: "a program that is not Apple's, on macOS 15",
    release: Release::MacOs15,
    platform_binary: false,
    hardened_runtime: false,
    only_one_exception_port: false,
    sandboxed: false,
    developer_mode: true,
    translated: false,
    crash_reporter: CrashReporter::None,
    interrupt_exception_every: 0,
    interrupt_receive_every: 0,
    bypass_exception_every: 0,
    port_limit: None,
};

const APPLE_PYTHON: Profile = Profile { platform_binary: true, ..ORDINARY };

pub(crate) const PROFILES: &[Profile] = &[
    ORDINARY,
    Profile {
        name: "apple-python-13",
        sentence: "Apple's own Python on macOS 13: no rule about behaviors yet",
        release: Release::MacOs13,
        ..APPLE_PYTHON
    },
    Profile {
        name: "apple-python-14.0",
        sentence: "Apple's own Python on macOS 14.0: forbidden behaviors are counted, not punished",
        release: Release::MacOs14_0,
        ..APPLE_PYTHON
    },
    Profile {
        name: "apple-python-14.4",
        sentence: "Apple's own Python on macOS 14.4: a forbidden behavior kills",
        release: Release::MacOs14_4,
        ..APPLE_PYTHON
    },
    Profile {
        name: "apple-python-15",
        sentence: "Apple's own Python on macOS 15: a forbidden behavior kills",
        release: Release::MacOs15,
        ..APPLE_PYTHON
    },
    Profile {
        name: "apple-python-26",
        sentence: "Apple's own Python on macOS 26: a forbidden behavior kills",
        release: Release::MacOs26,
        ..APPLE_PYTHON
    },
    Profile {
        name: "hardened-only-one-exception-port",
        sentence: "a system process with the entitlement only-one-exception-port: setting any port kills",
        only_one_exception_port: true,
        hardened_runtime: true,
        ..APPLE_PYTHON
    },
    Profile {
        name: "sandboxed",
        sentence: "setting exception ports is answered with KERN_NO_ACCESS",
        sandboxed: true,
        ..ORDINARY
    },
    Profile {
        name: "developer-mode-off",
        sentence: "exceptions bring read ports only, with which no state can be set",
        developer_mode: false,
        ..ORDINARY
    },
    Profile {
        name: "translated",
        sentence: "Apple's own x86-64 program under Rosetta: the rules about behaviors do not apply",
        translated: true,
        ..APPLE_PYTHON
    },
    Profile {
        name: "crash-reporter",
        sentence: "a crash reporter at task level sees what the thread level lets pass, and handles nothing",
        crash_reporter: CrashReporter::Observes,
        ..ORDINARY
    },
    Profile {
        name: "debugger",
        sentence: "a debugger at task level takes breakpoints and goes on behind them",
        crash_reporter: CrashReporter::HandlesBreakpoints,
        ..ORDINARY
    },
    Profile {
        name: "interrupted",
        sentence: "every 7th exception message and every 5th wait for one are interrupted",
        interrupt_exception_every: 7,
        interrupt_receive_every: 5,
        ..ORDINARY
    },
    Profile {
        name: "bypassed",
        sentence: "every 3rd exception goes to the signal at once",
        bypass_exception_every: 3,
        ..ORDINARY
    },
    Profile {
        name: "ports-run-out",
        sentence: "a task gets 64 ports in its life, and then errors",
        port_limit: Some(64),
        ..ORDINARY
    },
];

impl Profile {
    pub(crate) fn named(name: &str) -> Option<Profile> {
        PROFILES.iter().find(|profile| profile.name == name).copied()
    }

    /// task_is_hardened_binary
    pub(crate) fn is_hardened(&self) -> bool {
        self.platform_binary
    }

    /// TASK_EXC_GUARD_MP_FATAL: bookkeeping slips kill (osfmk/kern/task.c, task_set_exc_guard_ctrl_port_default).
    pub(crate) fn slips_are_fatal(&self) -> bool {
        self.is_hardened()
    }

    /// TASK_CONTROL_PORT_IMMOVABLE: of Apple's own programs on macOS (ICP_OPTIONS_IMMOVABLE_1P_HARD).
    pub(crate) fn control_ports_are_immovable(&self) -> bool {
        self.is_hardened()
    }

    /// TASK_CONTROL_PORT_PINNED
    pub(crate) fn control_ports_are_pinned(&self) -> bool {
        self.is_hardened() || self.release.pins_ports_of_other_programs()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:<33} {}", self.name, self.sentence)
    }
}
