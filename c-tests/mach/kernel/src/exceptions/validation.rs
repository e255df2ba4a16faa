//! Which exception ports may be set (osfmk/kern/ipc_tt.c, set_exception_ports_validation). Here an engine dies or
//! lives.

use crate::constants::*;
use crate::guard::Violation;
use crate::ipc::port::PortRef;
use crate::kernel::Kernel;
use crate::machine;

impl Kernel {
    /// set_exception_ports_validation, then mac_task_check_set_thread_exception_ports.
    pub(crate) fn validate_exception_ports(
        &mut self,
        mask: u32,
        port: Option<&PortRef>,
        behavior: u32,
        flavor: u32,
    ) -> Result<(), KernReturn> {
        let plain = behavior & !MACH_EXCEPTION_FLAGS;
        if mask & !EXC_MASK_VALID != 0 {
            return Err(KERN_INVALID_ARGUMENT);
        }
        if port.is_some() && !self.knows_behavior(plain) {
            return Err(KERN_INVALID_ARGUMENT);
        }
        if let Some(port) = port
            && (!port.kind.exception_port && port.guard.get().immovable_receive || port.kind.immovable_send)
        {
            return Err(KERN_INVALID_RIGHT);
        }
        if flavor != 0 && !machine::is_valid_flavor(flavor) {
            return Err(KERN_INVALID_ARGUMENT);
        }
        let needs_codes = plain == EXCEPTION_IDENTITY_PROTECTED || behavior & MACH_EXCEPTION_BACKTRACE_PREFERRED != 0;
        if needs_codes && behavior & MACH_EXCEPTION_CODES == 0 {
            return Err(KERN_INVALID_ARGUMENT);
        }
        if !self.behavior_is_allowed(port, plain) {
            return Err(KERN_DENIED);
        }
        if self.profile.sandboxed {
            return Err(KERN_NO_ACCESS);
        }
        Ok(())
    }

    fn knows_behavior(&self, behavior: u32) -> bool {
        match behavior {
            EXCEPTION_STATE_IDENTITY_PROTECTED => self.profile.release.knows_state_identity_protected(),
            _ => (EXCEPTION_DEFAULT..=EXCEPTION_IDENTITY_PROTECTED).contains(&behavior),
        }
    }

    /// set_exception_behavior_allowed and exception_is_identity_protected. No cannot be asked for: it is a violation.
    fn behavior_is_allowed(&mut self, port: Option<&PortRef>, behavior: u32) -> bool {
        let profile = self.profile;
        if profile.only_one_exception_port && profile.release.knows_only_one_exception_port() && profile.is_hardened() {
            return self.behavior_violation();
        }
        let identity_protected =
            matches!(behavior, EXCEPTION_STATE | EXCEPTION_IDENTITY_PROTECTED | EXCEPTION_STATE_IDENTITY_PROTECTED);
        if port.is_some() && profile.is_hardened() && !identity_protected && !profile.translated {
            return self.behavior_violation();
        }
        true
    }

    /// set_exception_behavior_violation: whether it is overlooked.
    fn behavior_violation(&mut self) -> bool {
        if !self.profile.release.enforces_behaviors() {
            return true;
        }
        self.violation(Violation::EXCEPTION_BEHAVIOR_ENFORCE, MACH_PORT_NULL, 0);
        false
    }
}
