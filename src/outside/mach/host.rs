//! What kind of process this is, as far as Mach exception ports are concerned, and what follows from it.
//!
//! The kernel kills a hardened task for setting exception ports in a way that it forbids; the refusal cannot be tried
//! out. So everything here is read beforehand, by calls that cannot be refused in such a way.

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

/// What is known of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// CS_* flags; `None` if csops did not tell.
    pub(crate) code_signing: Option<u32>,
    pub(crate) entitlements: Entitlements,
    /// Darwin's major version (23 is macOS 14's); `None` if it is not told.
    pub(crate) darwin: Option<u32>,
    /// Runs under Rosetta.
    pub(crate) translated: bool,
    /// Forked, and has not called exec.
    pub(crate) forked: bool,
}

pub(crate) const FORKED: &str =
    "the process was forked and has not called exec, and a forked child has neither the ports nor the server thread";

impl Host {
    /// Whether the kernel's rules for hardened tasks count here (task_is_hardened_binary, osfmk/kern/task.c). In doubt
    /// they do.
    pub(crate) fn is_hardened(&self) -> bool {
        self.code_signing.is_none_or(|flags| flags & (CS_PLATFORM_BINARY | CS_RUNTIME) != 0)
    }

    /// Whether setting an exception port whose messages would show control ports may be fatal. The kernel looks at that
    /// since Darwin 23 (xnu-10002.1, set_exception_behavior_allowed, osfmk/kern/ipc_tt.c), and kills for it since macOS
    /// 14.4.
    pub(crate) fn forbids_behaviors(&self) -> bool {
        const FIRST_THAT_LOOKS: u32 = 23;
        self.is_hardened() && self.darwin.is_none_or(|major| major >= FIRST_THAT_LOOKS)
    }

    /// Why Mach ports are safe here, or why they are not.
    pub(crate) fn verdict(&self) -> Result<&'static str, &'static str> {
        if self.forked {
            return Err(FORKED);
        }
        if self.translated {
            return Err("the process is translated by Rosetta, whose exception messages nobody has documented");
        }
        if !self.is_hardened() {
            return Ok("they are safe here: the process is not hardened");
        }
        match self.entitlements {
            Entitlements::OnlyOneExceptionPort => {
                Err("the process is hardened and has the entitlement com.apple.security.only-one-exception-port: the \
                 kernel would kill it for setting any exception port")
            }
            Entitlements::Unknown => Err(
                "the process is hardened and its entitlements cannot be read: the kernel might kill it for setting an \
                 exception port",
            ),
            Entitlements::Harmless => Ok(
                "they are safe here: the process is hardened, and the behavior that is used, EXCEPTION_STATE, is one \
                 that the kernel allows it",
            ),
        }
    }
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
