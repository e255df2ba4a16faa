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
mod seam;
#[cfg(wasmtrap_mach)]
pub(crate) mod server;
#[cfg(wasmtrap_mach)]
pub(crate) mod system;

#[cfg(wasmtrap_mach)]
use core::fmt;
#[cfg(wasmtrap_mach)]
pub(crate) use seam::*;

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
