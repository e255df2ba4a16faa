//! From a right on its way to a name in a space (osfmk/ipc/ipc_object.c, ipc_object_copyout; ipc_right_copyout).
//!
//! Send and receive rights to a port share one name; each send-once right has its own.

use std::rc::Rc;

use super::message::Right;
use super::port::{Home, PortRef};
use super::space::{Entry, Object};
use crate::constants::*;
use crate::kernel::Kernel;
use crate::task::TaskId;

impl Kernel {
    /// The name of a right that the task already has for the port, other than a send-once right.
    fn existing_name(&mut self, task: TaskId, port: &PortRef) -> Option<Name> {
        port.name_in(task).or_else(|| self.tasks.get(&task).and_then(|task| task.space.send_name(port)))
    }

    /// The name under which the task has the right now. A dead right is MACH_PORT_DEAD.
    pub(crate) fn copy_out(&mut self, task: TaskId, right: Right) -> Result<Name, KernReturn> {
        let Some(port) = right.port().cloned() else {
            return Ok(if matches!(right, Right::Dead) { MACH_PORT_DEAD } else { MACH_PORT_NULL });
        };
        if !port.is_active() {
            self.forget_dead(&right);
            return Ok(MACH_PORT_DEAD);
        }
        if let Right::SendOnce(_) = right {
            let entry = Entry { object: Object::Port(port), types: TYPE_SEND_ONCE, user_references: 1 };
            return self.allocate_or_release(task, entry, right);
        }
        if let Some(name) = self.existing_name(task, &port) {
            self.add_to_entry(task, name, right);
            return Ok(name);
        }
        let entry = Entry { object: Object::Port(Rc::clone(&port)), types: 0, user_references: 0 };
        let name = self.allocate_or_release(task, entry, right.clone())?;
        self.add_to_entry(task, name, right);
        Ok(name)
    }

    fn allocate_or_release(&mut self, task: TaskId, entry: Entry, right: Right) -> Result<Name, KernReturn> {
        let allocated = self.space(task).and_then(|space| space.allocate(entry));
        if allocated.is_err() {
            self.release(right);
        }
        allocated
    }

    /// The right goes to an entry for its port that is there.
    fn add_to_entry(&mut self, task: TaskId, name: Name, right: Right) {
        let Some(space) = self.tasks.get_mut(&task).map(|task| &mut task.space) else { return };
        let Some(entry) = space.get_mut(name) else { return };
        match right {
            Right::Send(port) => {
                let had_send = entry.has(TYPE_SEND);
                let had_receive = entry.has(TYPE_RECEIVE);
                entry.types |= TYPE_SEND;
                entry.user_references = (entry.user_references + 1).min(UREFS_MAX);
                if had_send {
                    // However many references, the entry is one send right of the port.
                    port.send_rights.set(port.send_rights.get() - 1);
                } else if !had_receive {
                    space.remember_send_name(&port, name);
                }
            }
            Right::Receive(port) => {
                entry.types |= TYPE_RECEIVE;
                port.home.set(Home::Space(task, name));
                space.forget_send_name(&port);
            }
            Right::SendOnce(_) | Right::Null | Right::Dead => (),
        }
    }

    /// A right to a port that has died meanwhile is counted no more.
    fn forget_dead(&mut self, right: &Right) {
        match right {
            Right::Send(port) => port.send_rights.set(port.send_rights.get().saturating_sub(1)),
            Right::SendOnce(port) => port.send_once_rights.set(port.send_once_rights.get().saturating_sub(1)),
            Right::Receive(_) | Right::Null | Right::Dead => (),
        }
    }

    /// ipc_object_copyout_name: under a name that the caller chooses.
    pub(crate) fn copy_out_as(&mut self, task: TaskId, right: Right, name: Name) -> Result<(), KernReturn> {
        let Some(port) = right.port().cloned() else { return Err(KERN_INVALID_CAPABILITY) };
        let existing = if matches!(right, Right::SendOnce(_)) { None } else { self.existing_name(task, &port) };
        let refused = match existing {
            Some(other) if other != name => Some(KERN_RIGHT_EXISTS),
            None if self.space(task)?.get(name).is_some() => Some(KERN_NAME_EXISTS),
            _ => None,
        };
        if let Some(error) = refused {
            self.release(right);
            return Err(error);
        }
        if existing.is_none() {
            let send_once = matches!(right, Right::SendOnce(_));
            let entry = Entry {
                object: Object::Port(port),
                types: if send_once { TYPE_SEND_ONCE } else { 0 },
                user_references: u32::from(send_once),
            };
            if let Err(error) = self.space(task)?.allocate_name(name, entry) {
                self.release(right);
                return Err(error);
            }
        }
        self.add_to_entry(task, name, right);
        Ok(())
    }
}
