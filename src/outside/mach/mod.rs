//! The Mach backend's part in ordinary context: whether it can be had, its server thread, and the threads' ports.

#[cfg(wasmtrap_mach)]
pub(crate) mod describe;
#[cfg(any(wasmtrap_mach, test))]
pub(crate) mod host;
#[cfg(any(wasmtrap_mach, test))]
mod policy;
#[cfg(wasmtrap_mach)]
pub(crate) mod ports;
#[cfg(wasmtrap_mach)]
pub(crate) mod records;
#[cfg(wasmtrap_mach)]
pub(crate) mod server;
#[cfg(wasmtrap_mach)]
pub(crate) mod system;

use core::fmt;

/// A kernel call that was refused.
#[cfg(wasmtrap_mach)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) call: &'static str,
    /// A kern_return_t or mach_msg_return_t.
    pub(crate) code: i32,
}

#[cfg(wasmtrap_mach)]
impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The codes that refusals are known to come with, by their names in osfmk/mach/kern_return.h and message.h.
        const NAMES: [(i32, &str); 11] = [
            (3, "KERN_NO_SPACE"),
            (4, "KERN_INVALID_ARGUMENT"),
            (5, "KERN_FAILURE"),
            (6, "KERN_RESOURCE_SHORTAGE"),
            (8, "KERN_NO_ACCESS"),
            (15, "KERN_INVALID_NAME"),
            (17, "KERN_INVALID_RIGHT"),
            (46, "KERN_NOT_SUPPORTED"),
            (53, "KERN_DENIED"),
            (0x1000_0003, "MACH_SEND_INVALID_DEST"),
            (0x1000_000a, "MACH_SEND_INVALID_RIGHT"),
        ];
        write!(out, "{} returned {:#x}", self.call, self.code)?;
        match NAMES.iter().find(|(code, _)| *code == self.code) {
            Some((_, name)) => write!(out, " ({name})"),
            None => Ok(()),
        }
    }
}

/// Why Mach ports cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    pub(crate) why: &'static str,
    pub(crate) detail: Detail,
}

/// What more there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    None,
    #[cfg(wasmtrap_mach)]
    Refusal(Refusal),
    /// The version that is in the way.
    #[cfg(any(wasmtrap_mach, test))]
    Darwin(host::Darwin),
}

impl Obstacle {
    pub(crate) const fn new(why: &'static str) -> Self {
        Self { why, detail: Detail::None }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.why)?;
        match self.detail {
            Detail::None => Ok(()),
            #[cfg(wasmtrap_mach)]
            Detail::Refusal(refusal) => write!(out, ": {refusal}"),
            #[cfg(any(wasmtrap_mach, test))]
            Detail::Darwin(version) => write!(out, ": {version}"),
        }
    }
}

/// Whether Mach ports can be had in this process: why they are safe, or what is in the way. Nothing that this asks can
/// harm the process.
#[cfg(wasmtrap_mach)]
pub(crate) fn possible() -> Result<&'static str, Obstacle> {
    let how = system::look().verdict()?;
    ports::adopt(&how);
    ports::try_out().map(|()| how.because).map_err(|refusal| Obstacle {
        why: match how.release.port_to_use() {
            policy::Port::Plain => "the kernel refuses exception ports to this process",
            policy::Port::OptedOut => {
                "the kernel refuses this process exception ports that are opted out of the identity protection \
                 (MPO_PROVISIONAL_ID_PROT_OPTOUT), and on macOS 14 no others are safe"
            }
        },
        detail: Detail::Refusal(refusal),
    })
}

/// Takes these kinds of fault (WASMTRAP_FAULT_*), too, on threads that have looked since.
#[cfg(wasmtrap_mach)]
pub(crate) fn extend(kinds: u32) {
    server::extend(kinds);
}

#[cfg(not(wasmtrap_mach))]
pub(crate) fn extend(_kinds: u32) {}

#[cfg(not(wasmtrap_mach))]
pub(crate) fn possible() -> Result<&'static str, Obstacle> {
    Err(Obstacle::new("there are no Mach exception ports on Linux"))
}
