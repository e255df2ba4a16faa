//! Which exception ports may be set (osfmk/kern/ipc_tt.c): the order of the checks, which is the same in every release.
//! What they say is in `policy`.

use super::policy::{self, PortFacts, Setter, Verdict};
use crate::constants::*;
use crate::guard::Violation;
use crate::ipc::port::PortRef;
use crate::kernel::Kernel;
use crate::machine;

impl Kernel {
    /// thread_set_exception_ports and the other three, before they change anything; since 11215
    /// set_exception_ports_validation, and then mac_task_check_set_thread_exception_ports.
    pub(crate) fn validate_exception_ports(
        &mut self,
        setter: Setter,
        mask: u32,
        port: Option<&PortRef>,
        behavior: u32,
        flavor: u32,
    ) -> Result<(), KernReturn> {
        let plain = behavior & !MACH_EXCEPTION_FLAGS;
        let (release, program) = (self.profile.release, self.profile.program);
        let facts = port.map(|port| PortFacts {
            marked: port.kind.marked,
            immovable_receive: port.immovable_receive.get(),
            immovable_send: port.kind.immovable_send,
        });
        if mask & !EXC_MASK_VALID != 0 {
            return Err(KERN_INVALID_ARGUMENT);
        }
        policy::check_port(release, setter, facts, plain)?;
        if flavor != 0 && !machine::is_valid_flavor(flavor) {
            return Err(KERN_INVALID_ARGUMENT);
        }
        let needs_codes = plain == EXCEPTION_IDENTITY_PROTECTED || behavior & MACH_EXCEPTION_BACKTRACE_PREFERRED != 0;
        if needs_codes && behavior & MACH_EXCEPTION_CODES == 0 {
            return Err(KERN_INVALID_ARGUMENT);
        }
        match policy::check_behavior(release, &program, facts, plain) {
            Verdict::Allowed => (),
            Verdict::Counted => self.count_set_exception(),
            Verdict::Refused(error) => return Err(error),
            Verdict::Fatal(error) => {
                self.violation(Violation::EXCEPTION_BEHAVIOR_ENFORCE, MACH_PORT_NULL, 0);
                return Err(error);
            }
        }
        if self.profile.sandboxed && policy::sandbox_is_asked(release) {
            return Err(KERN_NO_ACCESS);
        }
        Ok(())
    }

    /// send_set_exception_telemetry
    fn count_set_exception(&mut self) {
        let task = self.current.and_then(|thread| self.threads.get(&thread)).map(|thread| thread.task);
        if let Some(task) = task.and_then(|task| self.tasks.get_mut(&task)) {
            task.counters.behaviors_counted += 1;
        }
    }
}
