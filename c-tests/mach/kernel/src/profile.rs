//! Host profiles: on what machine, and as what kind of program, the traced processes believe to run.
//!
//! A profile says facts (which release, which signature, which settings); what follows from them is decided where XNU
//! decides it, by the methods below, which name the function.

use std::fmt;

use crate::program::{self, APPLE, OTHER, Program};

/// A release of macOS with the kernel that it brought. Where two of them do the same they are one here: 14.1 is 14.0,
/// 14.3 is 14.2, 14.5 is 14.4 but for what `guards_thread_state` says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Release {
    MacOs11,
    MacOs13,
    MacOs14_0,
    MacOs14_2,
    MacOs14_4,
    MacOs14_6,
    MacOs15,
    MacOs26,
}

impl Release {
    pub(crate) fn product_version(self) -> &'static str {
        match self {
            Release::MacOs11 => "11.7.10",
            Release::MacOs13 => "13.6.4",
            Release::MacOs14_0 => "14.0",
            Release::MacOs14_2 => "14.2.1",
            Release::MacOs14_4 => "14.4.1",
            Release::MacOs14_6 => "14.6.1",
            Release::MacOs15 => "15.5",
            Release::MacOs26 => "26.0",
        }
    }

    pub(crate) fn darwin_version(self) -> &'static str {
        match self {
            Release::MacOs11 => "20.6.0",
            Release::MacOs13 => "22.6.0",
            Release::MacOs14_0 => "23.0.0",
            Release::MacOs14_2 => "23.2.0",
            Release::MacOs14_4 => "23.4.0",
            Release::MacOs14_6 => "23.6.0",
            Release::MacOs15 => "24.5.0",
            Release::MacOs26 => "25.0.0",
        }
    }
}

/// As the policy's table names it.
impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Release::MacOs11 => "11",
            Release::MacOs13 => "13",
            Release::MacOs14_0 => "14.0",
            Release::MacOs14_2 => "14.2",
            Release::MacOs14_4 => "14.4",
            Release::MacOs14_6 => "14.6",
            Release::MacOs15 => "15",
            Release::MacOs26 => "26",
        })
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
    pub(crate) program: Program,
    /// The sandbox answers KERN_NO_ACCESS where exception ports are set.
    pub(crate) sandboxed: bool,
    pub(crate) developer_mode: bool,
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
    program: OTHER,
    sandboxed: false,
    developer_mode: true,
    crash_reporter: CrashReporter::None,
    interrupt_exception_every: 0,
    interrupt_receive_every: 0,
    bypass_exception_every: 0,
    port_limit: None,
};

const APPLE_PYTHON: Profile = Profile { program: APPLE, ..ORDINARY };

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
        name: "apple-python-14.2",
        sentence: "Apple's own Python on macOS 14.2: the rule is switched off, an opted-out port is half refused",
        release: Release::MacOs14_2,
        ..APPLE_PYTHON
    },
    Profile {
        name: "apple-python-14.4",
        sentence: "Apple's own Python on macOS 14.4: a forbidden behavior kills, and there are fewer others",
        release: Release::MacOs14_4,
        ..APPLE_PYTHON
    },
    Profile {
        name: "apple-python-14.6",
        sentence: "Apple's own Python on macOS 14.6: the same, by another edition of the kernel",
        release: Release::MacOs14_6,
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
        program: Program { hardened_runtime: true, entitlements: &[program::ONLY_ONE_EXCEPTION_PORT], ..APPLE },
        ..APPLE_PYTHON
    },
    Profile {
        name: "ordinary-11",
        sentence: "a program that is not Apple's, on macOS 11: three behaviors",
        release: Release::MacOs11,
        ..ORDINARY
    },
    Profile {
        name: "ordinary-14.4",
        sentence: "a program that is not Apple's, on macOS 14.4",
        release: Release::MacOs14_4,
        ..ORDINARY
    },
    Profile {
        name: "plugin-host-14.4",
        sentence: "Apple's own program on macOS 14.4 that its identity frees: a host of plug-ins",
        release: Release::MacOs14_4,
        program: Program { identity: "org.python.python", ..APPLE },
        ..ORDINARY
    },
    Profile {
        name: "library-validation-off-15",
        sentence: "Apple's own program on macOS 15 that an entitlement frees: a host of plug-ins",
        program: Program { entitlements: &[program::DISABLE_LIBRARY_VALIDATION], ..APPLE },
        ..ORDINARY
    },
    Profile {
        name: "sip-off-14.6",
        sentence: "Apple's own Python on macOS 14.6 without system integrity protection: the rule is off",
        release: Release::MacOs14_6,
        program: Program { protected_system: false, ..APPLE },
        ..ORDINARY
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
        program: Program { translated: true, ..APPLE },
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

    pub(crate) fn is_hardened(&self) -> bool {
        self.program.is_hardened(self.release)
    }

    /// TASK_EXC_GUARD_MP_FATAL: bookkeeping slips kill (osfmk/kern/task.c, task_set_exc_guard_ctrl_port_default).
    pub(crate) fn slips_are_fatal(&self) -> bool {
        self.is_hardened()
    }

    /// TASK_CONTROL_PORT_IMMOVABLE and TASK_CONTROL_PORT_PINNED: of Apple's own programs on macOS, and of no others
    /// (osfmk/ipc/ipc_init.c, IPC_CONTROL_PORT_OPTIONS_DEFAULT of XNU_TARGET_OS_OSX, from 8796.141.3 to 11417.121.6).
    pub(crate) fn control_ports_stay_at_home(&self) -> bool {
        self.is_hardened()
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:<33} {}", self.name, self.sentence)
    }
}
