//! What XNU answers to an exception port on a thread, release by release: the one table that the backend decides by.
//!
//! Invariant: each row was read from the sources of its kernel, at the tags that stand beside it, and from nowhere
//! else. The simulated Mach kernel has a table of its own, which was read from the same sources by somebody who had not
//! seen this one; c-tests/mach/policy compares the two cell by cell, and tells how they are kept apart. Both once had
//! one mistake in common, a row for 14.4 taken from the sources of 15, and every test was green. So whoever changes a
//! row here reads the sources again, and does not look over there first.
//!
//! This file stands alone: the comparison compiles it by itself.

/// Releases that differ, by the first of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// 11 to 13.
    MacOs13,
    /// 14.0 and 14.1.
    MacOs14_0,
    /// 14.2 and 14.3.
    MacOs14_2,
    /// 14.4 and 14.5.
    MacOs14_4,
    /// 14.6 and 14.7.
    MacOs14_6,
    MacOs15,
    MacOs26,
}

/// The behaviors by their numbers (osfmk/mach/exception_types.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    Default = 1,
    State = 2,
    StateIdentity = 3,
    IdentityProtected = 4,
    StateIdentityProtected = 5,
}

/// How the port was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Plain,
    /// With the bit that is MPO_PROVISIONAL_ID_PROT_OPTOUT in some releases.
    OptedOut,
}

/// By which call it is put on the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// thread_set_exception_ports.
    Set,
    /// thread_swap_exception_ports.
    Swap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Allowed,
    /// Allowed, and told to Apple.
    Telemetry,
    /// The process is killed.
    Fatal,
    /// An error code, and nothing has happened.
    Refused,
}

/// What the bit 0x8000 of mach_port_options_t.flags does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bit {
    /// Nothing that matters for the answer.
    ExemptsNothing,
    /// It exempts the port from the rule.
    Exempts { swap_refuses_it: bool },
}

/// A row: what one kind of kernel does to a hardened task.
struct Row {
    release: Release,
    /// The behaviors that the kernel has. Others are KERN_INVALID_ARGUMENT.
    known: &'static [Behavior],
    /// The ones that a hardened task may ask for.
    protected: &'static [Behavior],
    /// What becomes of it for asking for another one.
    violation: Answer,
    bit: Bit,
}

use Behavior::{Default, IdentityProtected, State, StateIdentity, StateIdentityProtected};

const UP_TO_IDENTITY_PROTECTED: &[Behavior] = &[Default, State, StateIdentity, IdentityProtected];
const ALL: &[Behavior] = &[Default, State, StateIdentity, IdentityProtected, StateIdentityProtected];

/// In osfmk/kern/ipc_tt.c, but where another file is named. `known` is read in thread_set_exception_ports, from
/// xnu-11215 on in set_exception_ports_validation; `protected` in behavior_is_identity_protected; who is hardened in
/// exception_exposes_protected_ports; `violation` in set_exception_behavior_allowed, set_exception_behavior_violation
/// and the default of `thid_should_crash`; `bit` in osfmk/mach/port.h, mach_port_construct (osfmk/ipc/mach_port.c),
/// ipc_port_init (osfmk/ipc/ipc_port.c), identity_protection_opted_out, and the two calls themselves.
const TABLE: [Row; 7] = [
    // xnu-7195.141.2 (11, without IdentityProtected), xnu-8796.141.3 (13): there is no set_exception_behavior_allowed.
    // mach_port_construct looks at the bits that it knows, and 0x8000 is none of them.
    Row {
        release: Release::MacOs13,
        known: UP_TO_IDENTITY_PROTECTED,
        protected: UP_TO_IDENTITY_PROTECTED,
        violation: Answer::Allowed,
        bit: Bit::ExemptsNothing,
    },
    // xnu-10002.1.13, xnu-10002.41.9: the rule is for platform binaries (TFRO_PLATFORM). thid_should_crash is false,
    // and set_exception_behavior_violation returns TRUE after the telemetry. ipc_port_init leaves the receive right of
    // a port that is opted out movable, so that both calls take it.
    Row {
        release: Release::MacOs14_0,
        known: UP_TO_IDENTITY_PROTECTED,
        protected: &[IdentityProtected],
        violation: Answer::Telemetry,
        bit: Bit::Exempts { swap_refuses_it: false },
    },
    // xnu-10002.61.3, xnu-10002.81.5: set_exception_behavior_allowed returns TRUE at once `#if
    // defined(XNU_TARGET_OS_OSX)`. From here on ipc_port_init makes the receive right immovable.
    // thread_set_exception_ports makes an exception for ports that are opted out (ip_is_id_prot_opted_out);
    // thread_swap_exception_ports makes none, and says KERN_INVALID_RIGHT.
    Row {
        release: Release::MacOs14_2,
        known: UP_TO_IDENTITY_PROTECTED,
        protected: UP_TO_IDENTITY_PROTECTED,
        violation: Answer::Allowed,
        bit: Bit::Exempts { swap_refuses_it: true },
    },
    // xnu-10063.101.15, xnu-10063.121.3: the rule is for task_is_hardened_binary (osfmk/kern/task.c), thid_should_crash
    // is true. EXCEPTION_STATE is not among the protected behaviors. The first violation of a task is the end of it;
    // one that came after would be KERN_NO_ACCESS (task_has_exception_telemetry).
    Row {
        release: Release::MacOs14_4,
        known: UP_TO_IDENTITY_PROTECTED,
        protected: &[IdentityProtected],
        violation: Answer::Fatal,
        bit: Bit::Exempts { swap_refuses_it: true },
    },
    // xnu-10063.141.1: the same, and each violation kills. The kernel of 14.7 was not published.
    Row {
        release: Release::MacOs14_6,
        known: UP_TO_IDENTITY_PROTECTED,
        protected: &[IdentityProtected],
        violation: Answer::Fatal,
        bit: Bit::Exempts { swap_refuses_it: true },
    },
    // xnu-11215.1.10, .41.3, .61.5, .81.4, xnu-11417.101.15, .121.6: exception_is_identity_protected. The bit is
    // MPO_EXCEPTION_PORT, which makes the receive right immovable; set_exception_ports_validation, of both calls, takes
    // such ports and exempts them from nothing.
    Row {
        release: Release::MacOs15,
        known: ALL,
        protected: &[State, IdentityProtected, StateIdentityProtected],
        violation: Answer::Fatal,
        bit: Bit::ExemptsNothing,
    },
    // xnu-12377 was not published where this was read. It is taken as xnu-11417.
    Row {
        release: Release::MacOs26,
        known: ALL,
        protected: &[State, IdentityProtected, StateIdentityProtected],
        violation: Answer::Fatal,
        bit: Bit::ExemptsNothing,
    },
];

impl Release {
    /// By Darwin's version, major and minor (macOS 14.4 is Darwin 23.4). `None` for one that nobody knew when this was
    /// written, and for those that are too old for the library (11 is Darwin 20).
    pub(crate) fn of_darwin(major: u32, minor: u32) -> Option<Self> {
        match (major, minor) {
            (20..=22, _) => Some(Self::MacOs13),
            (23, 0..=1) => Some(Self::MacOs14_0),
            (23, 2..=3) => Some(Self::MacOs14_2),
            (23, 4..=5) => Some(Self::MacOs14_4),
            (23, _) => Some(Self::MacOs14_6),
            (24, _) => Some(Self::MacOs15),
            (25, _) => Some(Self::MacOs26),
            _ => None,
        }
    }

    fn row(self) -> &'static Row {
        // The table has the releases in their order; a test sees to it.
        let [.., last] = &TABLE;
        TABLE.iter().find(|row| row.release == self).unwrap_or(last)
    }

    /// The kernel's answer to a task, hardened or not.
    pub(crate) fn answer(self, behavior: Behavior, port: Port, call: Call, is_hardened: bool) -> Answer {
        let row = self.row();
        if !row.known.contains(&behavior) {
            return Answer::Refused;
        }
        match (port, row.bit) {
            (Port::OptedOut, Bit::Exempts { swap_refuses_it: true }) if call == Call::Swap => Answer::Refused,
            (Port::OptedOut, Bit::Exempts { .. }) => Answer::Allowed,
            _ if !is_hardened || row.protected.contains(&behavior) => Answer::Allowed,
            _ => row.violation,
        }
    }

    /// How the threads' ports are made: opted out where that exempts them.
    pub(crate) fn port_to_use(self) -> Port {
        match self.row().bit {
            Bit::Exempts { .. } => Port::OptedOut,
            Bit::ExemptsNothing => Port::Plain,
        }
    }

    /// By which call they are put on a thread. Swapping is one step; where the kernel refuses to swap such ports in, or
    /// a later kernel of the same major version does, it takes two, and between them somebody else may put a port on
    /// the thread, which is lost.
    pub(crate) fn call_to_use(self) -> Call {
        match self.port_to_use() {
            Port::OptedOut => Call::Set,
            Port::Plain => Call::Swap,
        }
    }

    /// The behaviors (1 << number) that an earlier owner's port may be put back with, by thread_set_exception_ports.
    /// How that port was made cannot be told: it counts as plain.
    pub(crate) fn settable_behaviors(self, is_hardened: bool) -> u32 {
        if !is_hardened {
            return u32::MAX; // what is there was allowed to be set
        }
        let may_be_set =
            |behavior: &Behavior| self.answer(*behavior, Port::Plain, Call::Set, is_hardened) == Answer::Allowed;
        ALL.iter().copied().filter(may_be_set).fold(0, |all, behavior| all | 1 << behavior as u32)
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
