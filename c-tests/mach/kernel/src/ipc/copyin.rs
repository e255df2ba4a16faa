//! From a name in a space to a right on its way (osfmk/ipc/ipc_right.c, ipc_right_copyin).

use super::message::Right;
use super::port::Home;
use super::space::Object;
use crate::constants::*;
use crate::guard::Violation;
use crate::kernel::Kernel;
use crate::task::TaskId;

/// What may be copied in here and not elsewhere (IPC_OBJECT_COPYIN_FLAGS_*).
#[derive(Clone, Copy, Default)]
pub(crate) struct CopyinRules {
    /// A dead name becomes a dead right rather than an error.
    pub(crate) dead_ok: bool,
    /// Control ports may be named here, though not sent.
    pub(crate) immovable_send_ok: bool,
    /// The reply port of a message (IPC_OBJECT_COPYIN_FLAGS_ALLOW_REPLY_MAKE_SEND_ONCE).
    pub(crate) reply_port_ok: bool,
}

impl Kernel {
    /// Violations are reported here, as ipc_right_copyin does; what an ordinary mistake is called is the caller's.
    pub(crate) fn copy_in(
        &mut self,
        task: TaskId,
        name: Name,
        disposition: u32,
        rules: CopyinRules,
    ) -> Result<Right, KernReturn> {
        match disposition {
            MAKE_SEND | MAKE_SEND_ONCE | MOVE_RECEIVE => self.copy_in_receive(task, name, disposition, rules),
            COPY_SEND | MOVE_SEND | MOVE_SEND_ONCE => self.copy_in_send(task, name, disposition, rules),
            _ => Err(KERN_INVALID_RIGHT),
        }
    }

    fn copy_in_receive(
        &mut self,
        task: TaskId,
        name: Name,
        disposition: u32,
        rules: CopyinRules,
    ) -> Result<Right, KernReturn> {
        let port = self.port_named(task, name, TYPE_RECEIVE)?;
        let reply_only = port.kind.reply_port && !(disposition == MAKE_SEND_ONCE && rules.reply_port_ok);
        if disposition != MOVE_RECEIVE {
            if reply_only {
                self.violation(Violation::INVALID_RIGHT, name, 0);
                return Err(KERN_INVALID_CAPABILITY);
            }
            return Ok(if disposition == MAKE_SEND {
                Right::Send(port.make_send())
            } else {
                Right::SendOnce(port.make_send_once())
            });
        }
        if port.immovable_receive.get() || port.kind.reply_port {
            self.violation(Violation::IMMOVABLE, name, 0);
            return Err(KERN_INVALID_CAPABILITY);
        }
        let space = self.space(task)?;
        let entry = space.get_mut(name).ok_or(KERN_INVALID_NAME)?;
        if entry.has(TYPE_SEND) {
            entry.types = entry.types & !TYPE_RECEIVE | TYPE_EX_RECEIVE;
            entry.object = Object::Port(port.clone());
            space.remember_send_name(&port, name);
        } else {
            self.take_entry(task, name, &port)?;
        }
        // ipc_port_clear_receiver: guards and sets stay behind, who waits hears of it.
        port.home.set(Home::InMessage);
        port.make_send_count.set(0);
        port.guard.set(Default::default());
        port.immovable_receive.set(false);
        port.leave_all_sets();
        let waiting = port.waiting_receivers.take();
        self.fail_receivers(waiting, MACH_RCV_PORT_CHANGED);
        Ok(Right::Receive(port))
    }

    fn copy_in_send(
        &mut self,
        task: TaskId,
        name: Name,
        disposition: u32,
        rules: CopyinRules,
    ) -> Result<Right, KernReturn> {
        let types = self.types_of(task, name)?;
        if types & TYPE_DEAD_NAME != 0 {
            if !rules.dead_ok {
                return Err(KERN_INVALID_RIGHT);
            }
            if disposition != COPY_SEND {
                self.deallocate_right(task, name)?;
            }
            return Ok(Right::Dead);
        }
        let wanted = if disposition == MOVE_SEND_ONCE { TYPE_SEND_ONCE } else { TYPE_SEND };
        let port = self.port_named(task, name, wanted)?;
        let entry = self.space(task)?.get_mut(name).ok_or(KERN_INVALID_NAME)?;
        let last = entry.user_references == 1;
        if disposition == MOVE_SEND && port.kind.pinned && last {
            self.pinned_violation(name);
            return Err(KERN_INVALID_CAPABILITY);
        }
        if port.kind.reply_port && !(disposition == MOVE_SEND_ONCE && rules.reply_port_ok) {
            self.violation(Violation::INVALID_RIGHT, name, 0);
            return Err(KERN_INVALID_CAPABILITY);
        }
        if port.kind.immovable_send && !rules.immovable_send_ok {
            self.immovable_violation(name);
            return Err(KERN_INVALID_CAPABILITY);
        }
        match disposition {
            COPY_SEND => Ok(Right::Send(port.copy_send())),
            MOVE_SEND if last && !entry.has(TYPE_RECEIVE) => {
                self.take_entry(task, name, &port)?;
                Ok(Right::Send(port))
            }
            MOVE_SEND if last => {
                entry.user_references = 0;
                entry.types &= !TYPE_SEND;
                Ok(Right::Send(port))
            }
            MOVE_SEND => {
                if entry.user_references < UREFS_MAX {
                    entry.user_references -= 1;
                }
                Ok(Right::Send(port.copy_send()))
            }
            _ => {
                self.take_entry(task, name, &port)?;
                Ok(Right::SendOnce(port))
            }
        }
    }
}
