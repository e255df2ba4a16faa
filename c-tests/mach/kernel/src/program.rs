//! What the kernel knows of a program from its signature, and what it makes of that.
//!
//! Facts only, and the functions of XNU that look at them; what is forbidden to whom is in `exceptions/policy.rs`.

use crate::profile::Release;

pub(crate) const ONLY_ONE_EXCEPTION_PORT: &str = "com.apple.security.only-one-exception-port";
pub(crate) const SET_EXCEPTION_PORT: &str = "com.apple.private.set-exception-port";
pub(crate) const THREAD_SET_STATE: &str = "com.apple.private.thread-set-state";
pub(crate) const DISABLE_LIBRARY_VALIDATION: &str = "com.apple.security.cs.disable-library-validation";
/// kCSWebBrowserWebContentEntitlement, one of four (libkern's code signing; bsd/kern/kern_exec.c of 10063 and later).
pub(crate) const BROWSER_ENGINE: &str = "com.apple.developer.web-browser-engine.webcontent";

/// The entitlements after which a program is taken for a host of plug-ins (bsd/kern/mach_loader.c,
/// process_is_plugin_host; the third is CLEAR_LV_ENTITLEMENT of bsd/sys/codesign.h).
const DISABLE_LIBRARY_VALIDATION_ENTITLEMENTS: [&str; 3] = [
    DISABLE_LIBRARY_VALIDATION,
    "com.apple.private.cs.automator-plugins",
    "com.apple.private.security.clear-library-validation",
];
/// OVERRIDE_PLUGIN_HOST_ENTITLEMENT: neither those nor the identity count.
const OVERRIDE_PLUGIN_HOST: &str = "com.apple.private.security.override-plugin-host-detection";
/// The identities of the same function. They are compared as beginnings: "com.apple.perl5.34" is one of them.
const HARDENING_EXCEPTIONS: [&str; 10] = [
    "com.apple.perl5",
    "com.apple.perl",
    "org.python.python",
    "com.apple.expect",
    "com.tcltk.wish",
    "com.tcltk.tclsh",
    "com.apple.ruby",
    "com.apple.bash",
    "com.apple.zsh",
    "com.apple.ksh",
];

#[derive(Clone, Copy)]
pub(crate) struct Program {
    /// The identifier of the code signature.
    pub(crate) identity: &'static str,
    pub(crate) entitlements: &'static [&'static str],
    /// TFRO_PLATFORM: signed by Apple as a part of the system.
    pub(crate) platform_binary: bool,
    /// The hardened runtime (CS_RUNTIME). No rule about exception ports follows from it on macOS.
    pub(crate) hardened_runtime: bool,
    /// x86-64 code on an Apple processor, by Rosetta.
    pub(crate) translated: bool,
    /// IMGPF_NOJOP: code without pointer authentication (arm64, not arm64e) on a processor that has it
    /// (bsd/kern/kern_exec.c, exec_mach_imgact). Intel's kernels never set it.
    pub(crate) without_pointer_authentication: bool,
    /// Of the machine, not of the program: system integrity protection (csr_check(CSR_ALLOW_UNRESTRICTED_FS) != 0).
    pub(crate) protected_system: bool,
}

/// A program that is not Apple's.
pub(crate) const OTHER: Program = Program {
    identity: "org.example.host",
    entitlements: &[],
    platform_binary: false,
    hardened_runtime: false,
    translated: false,
    without_pointer_authentication: false,
    protected_system: true,
};

/// The Python of the command line tools: Apple's own, and by its identity no host of plug-ins.
pub(crate) const APPLE: Program = Program { identity: "com.apple.python3", platform_binary: true, ..OTHER };

impl Program {
    pub(crate) fn has_entitlement(&self, name: &str) -> bool {
        self.entitlements.contains(&name)
    }

    /// task_is_hardened_binary (osfmk/kern/task.c of 10063.101.15 and later): TFRO_PLATFORM or TFRO_HARDENED, and the
    /// latter is set for the entitlements of a browser's engine only (bsd/kern/kern_exec.c, encode_HR_entitlement).
    /// Until 10002.81.5 the same places look at TFRO_PLATFORM alone.
    pub(crate) fn is_hardened(&self, release: Release) -> bool {
        self.platform_binary || release >= Release::MacOs14_4 && self.has_entitlement(BROWSER_ENGINE)
    }

    /// task_opted_out_mach_hardening: process_is_plugin_host (bsd/kern/mach_loader.c, the same in 10063.101.15,
    /// .121.3, .141.1, 11215.1.10, .81.4, 11417.101.15 and .121.6; not there before).
    pub(crate) fn is_plugin_host(&self) -> bool {
        if self.without_pointer_authentication || !self.platform_binary || self.has_entitlement(OVERRIDE_PLUGIN_HOST) {
            return false;
        }
        DISABLE_LIBRARY_VALIDATION_ENTITLEMENTS.iter().any(|entitlement| self.has_entitlement(entitlement))
            || HARDENING_EXCEPTIONS.iter().any(|exception| self.identity.starts_with(exception))
    }
}
