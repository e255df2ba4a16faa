//! What kind of process this is, as far as Mach exception ports are concerned, and what follows from it.
//!
//! The kernel kills a hardened task for setting exception ports in a way that it forbids; the refusal cannot be tried
//! out. So everything here is read beforehand, by calls that cannot be refused in such a way, and what is not known for
//! certain counts as forbidden.

use core::ffi::CStr;
use core::fmt;

use super::policy::{Answer, Behavior, Port, Release};
use crate::outside::obstacle::Obstacle;

/// Code-signing flags, bsd/sys/codesign.h and osfmk/kern/cs_blobs.h.
pub(crate) const CS_PLATFORM_BINARY: u32 = 0x0400_0000;
pub(crate) const CS_RUNTIME: u32 = 0x0001_0000;

/// What is known of the entitlements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entitlements {
    /// The one that matters is among them.
    OnlyOneExceptionPort,
    /// It is not.
    Harmless,
    /// They could not be read.
    Unknown,
}

/// Darwin's version as the kernel tells it ("24.1.0"), ending in NUL; empty if it is not told, or too long to be one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Darwin(pub(crate) [u8; 32]);

impl Darwin {
    fn text(&self) -> &[u8] {
        CStr::from_bytes_until_nul(&self.0).map_or(&[], CStr::to_bytes)
    }

    /// macOS's own version is no good to decide by: programs that were built long ago are told another one
    /// (sysctl_osproductversion, bsd/kern/kern_sysctl.c).
    pub(crate) fn release(&self) -> Option<Release> {
        let mut parts = self.text().split(|&byte| byte == b'.').map(number);
        let (major, minor) = (parts.next()??, parts.next()??);
        // Anything else behind them is no version that Apple has ever given.
        if parts.all(|part| part.is_some()) { Release::of_darwin(major, minor) } else { None }
    }
}

/// Digits only: no sign, no blank.
fn number(text: &[u8]) -> Option<u32> {
    let digit = |&byte: &u8| if byte.is_ascii_digit() { Some(u32::from(byte - b'0')) } else { None };
    let add = |value: u32, byte| value.checked_mul(10)?.checked_add(digit(byte)?);
    if text.is_empty() { None } else { text.iter().try_fold(0, add) }
}

impl fmt::Display for Darwin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            [] => out.write_str("Darwin of a version that is not told"),
            text => write!(out, "Darwin {}", text.escape_ascii()),
        }
    }
}

impl fmt::Debug for Darwin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// What is known of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// CS_* flags; `None` if csops did not tell.
    pub(crate) code_signing: Option<u32>,
    pub(crate) entitlements: Entitlements,
    pub(crate) darwin: Darwin,
    /// Runs under Rosetta.
    pub(crate) translated: bool,
    /// Forked, and has not called exec.
    pub(crate) forked: bool,
}

pub(crate) const FORKED: &str =
    "the process was forked and has not called exec, and a forked child has neither the ports nor the server thread";

/// How exception ports are used in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) release: Release,
    pub(crate) is_hardened: bool,
    /// Why that is safe.
    pub(crate) because: &'static str,
}

impl Host {
    /// Whether the kernel's rules for hardened tasks count here (task_is_hardened_binary, osfmk/kern/task.c): for
    /// Apple's own programs, and for web browsers with an entitlement, which have the hardened runtime. In doubt they
    /// do.
    ///
    /// From 14.4 on the kernel frees some of Apple's own: hosts of other people's plug-ins, by their entitlements or
    /// their identity (process_is_plugin_host, bsd/kern/mach_loader.c of xnu-10063.101.15), where the program was not
    /// started with its pointer authentication keys off (IMGPF_NOJOP). The last cannot be seen from inside, so they
    /// count as hardened here, and are none the worse for it.
    pub(crate) fn is_hardened(&self) -> bool {
        self.code_signing.is_none_or(|flags| flags & (CS_PLATFORM_BINARY | CS_RUNTIME) != 0)
    }

    /// How Mach ports are used here, or why they are not safe.
    pub(crate) fn verdict(&self) -> Result<Use, Obstacle> {
        if self.forked {
            return Err(Obstacle::new(FORKED));
        }
        if self.translated {
            return Err(Obstacle::new(
                "the process is translated by Rosetta, whose exception messages nobody has documented",
            ));
        }
        if self.code_signing.is_none() {
            return Err(Obstacle::new(
                "the process's code-signing flags cannot be read, and the kernel kills some processes for setting an \
                 exception port",
            ));
        }
        let Some(release) = self.darwin.release() else {
            return Err(Obstacle::because_of(
                "what the kernel kills for is known for the releases of macOS from 11 to 26 only, and this is none",
                self.darwin,
            ));
        };
        let is_hardened = self.is_hardened();
        if !is_hardened {
            let because = match release.port_to_use() {
                Port::Plain => "they are safe here: the process is not hardened",
                Port::OptedOut => {
                    "they are safe here: the process is not hardened (and its ports are opted out of the identity \
                     protection all the same)"
                }
            };
            return Ok(Use { release, is_hardened, because });
        }
        match self.entitlements {
            Entitlements::OnlyOneExceptionPort => Err(Obstacle::new(
                "the process is hardened and has the entitlement com.apple.security.only-one-exception-port: the \
                 kernel would kill it for setting any exception port",
            )),
            Entitlements::Unknown => Err(Obstacle::new(
                "the process is hardened and its entitlements cannot be read: the kernel might kill it for setting an \
                 exception port",
            )),
            Entitlements::Harmless => {
                // The table has the last word.
                match release.answer(Behavior::State, release.port_to_use(), release.call_to_use(), is_hardened) {
                    Answer::Allowed => Ok(Use { release, is_hardened, because: why_it_is_allowed(release) }),
                    Answer::Telemetry | Answer::Fatal | Answer::Refused => Err(Obstacle::because_of(
                        "the process is hardened, and the kernel forbids it exception ports of every kind",
                        self.darwin,
                    )),
                }
            }
        }
    }
}

fn why_it_is_allowed(release: Release) -> &'static str {
    match release {
        Release::MacOs13 => {
            "they are safe here: the process is hardened, but macOS 13 and before have no rule about behaviors"
        }
        Release::MacOs14_0 | Release::MacOs14_2 | Release::MacOs14_4 | Release::MacOs14_6 => {
            "they are safe here: the process is hardened, and the ports that are used with EXCEPTION_STATE are opted \
             out of the identity protection of macOS 14 (MPO_PROVISIONAL_ID_PROT_OPTOUT)"
        }
        Release::MacOs15 => {
            "they are safe here: the process is hardened, and the behavior that is used, EXCEPTION_STATE, is one that \
             the kernel allows it"
        }
        Release::MacOs26 => {
            "they are safe here: the process is hardened, and the behavior that is used, EXCEPTION_STATE, is one that \
             the kernel allows it (by the sources of macOS 15; those of 26 were not to be had)"
        }
    }
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
