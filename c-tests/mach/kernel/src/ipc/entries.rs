//! What a task does with a right by its name: drop it, count it, destroy it (osfmk/ipc/ipc_right.c).
//!
//! A name whose port has died turns into a dead name when it is looked at next (ipc_right_check).

use std::rc::Rc;

use super::port::PortRef;
use super::space::{Object, Space};
use crate::constants::*;
use crate::guard::Violation;
use crate::kernel::Kernel;
use crate::task::TaskId;

/// The send or send-once right becomes a dead name, with as many references as it had and `more`.
pub(crate) fn turn_into_dead_name(space: &mut Space, name: Name, more: u32) {
    let Some(entry) = space.get_mut(name) else { return };
    let port = entry.port();
    let was_send = entry.types & TYPE_SEND != 0;
    if let Some(port) = &port {
        if was_send {
            port.send_rights.set(port.send_rights.get().saturating_sub(1));
        } else {
            port.send_once_rights.set(port.send_once_rights.get().saturating_sub(1));
        }
    }
    entry.types = TYPE_DEAD_NAME | entry.types & TYPE_EX_RECEIVE;
    entry.object = Object::Nothing;
    entry.user_references = (entry.user_references + more).min(UREFS_MAX);
    if let Some(port) = port {
        space.forget_send_name(&port);
    }
}

/// The references after `delta`, or nothing if there were not so many. A full count stays full unless all go at once;
/// one that would overflow stops at the full count (ipc_right_delta).
fn changed_references(references: u32, delta: i32) -> Option<u32> {
    if references == UREFS_MAX {
        return Some(if delta == -(UREFS_MAX as i32) { 0 } else { UREFS_MAX });
    }
    let changed = references as i32 + delta;
    if changed < 0 { None } else { Some((changed as u32).min(UREFS_MAX)) }
}

impl Kernel {
    pub(crate) fn space(&mut self, task: TaskId) -> Result<&mut Space, KernReturn> {
        self.tasks.get_mut(&task).map(|task| &mut task.space).ok_or(KERN_INVALID_TASK)
    }

    /// ipc_right_lookup and ipc_right_check: the types of what the name stands for now.
    pub(crate) fn types_of(&mut self, task: TaskId, name: Name) -> Result<u32, KernReturn> {
        let space = self.space(task)?;
        let entry = space.get(name).ok_or(KERN_INVALID_NAME)?;
        if entry.has(TYPE_SEND_RIGHTS) && entry.port().is_some_and(|port| !port.is_active()) {
            turn_into_dead_name(space, name, 0);
        }
        space.get(name).map(|entry| entry.types).ok_or(KERN_INVALID_NAME)
    }

    /// The port behind a name that has one of `types`.
    pub(crate) fn port_named(&mut self, task: TaskId, name: Name, types: u32) -> Result<PortRef, KernReturn> {
        if self.types_of(task, name)? & types == 0 {
            return Err(KERN_INVALID_RIGHT);
        }
        self.space(task)?.get(name).and_then(|entry| entry.port()).ok_or(KERN_INVALID_RIGHT)
    }

    /// ipc_right_request_cancel: who asked for news of this name hears that there will be none.
    fn cancel_request(&mut self, task: TaskId, name: Name, port: &PortRef) {
        let mut requests = port.dead_name_requests.borrow_mut();
        let Some(index) = requests.iter().position(|request| request.task == task && request.name == name) else {
            return;
        };
        let request = requests.remove(index);
        drop(requests);
        self.notify_port_deleted(request.notify, name);
    }

    /// Takes a naked send or send-once right out of the space; the right is the caller's now.
    pub(crate) fn take_entry(&mut self, task: TaskId, name: Name, port: &PortRef) -> Result<(), KernReturn> {
        let space = self.space(task)?;
        space.free(name);
        space.forget_send_name(port);
        self.cancel_request(task, name, port);
        Ok(())
    }

    /// ipc_right_dealloc: one reference of a send right or dead name, or the send-once right, or the port set.
    pub(crate) fn deallocate_right(&mut self, task: TaskId, name: Name) -> Result<(), KernReturn> {
        let types = self.types_of(task, name)?;
        let entry = self.space(task)?.get_mut(name).ok_or(KERN_INVALID_NAME)?;
        if types & TYPE_PORT_SET != 0 {
            return self.change_references(task, name, RIGHT_PORT_SET, -1);
        }
        if types & TYPE_DEAD_NAME != 0 {
            if entry.user_references == 1 {
                self.space(task)?.free(name);
            } else if entry.user_references < UREFS_MAX {
                entry.user_references -= 1;
            }
            return Ok(());
        }
        if types & TYPE_SEND_ONCE != 0 {
            let port = entry.port().ok_or(KERN_INVALID_RIGHT)?;
            self.take_entry(task, name, &port)?;
            self.notify_send_once(port);
            return Ok(());
        }
        if types & TYPE_SEND != 0 {
            return self.drop_send_references(task, name, -1);
        }
        self.violation(Violation::INVALID_RIGHT, name, 0);
        Err(KERN_INVALID_RIGHT)
    }

    fn drop_send_references(&mut self, task: TaskId, name: Name, delta: i32) -> Result<(), KernReturn> {
        let entry = self.space(task)?.get_mut(name).ok_or(KERN_INVALID_NAME)?;
        let port = entry.port().ok_or(KERN_INVALID_RIGHT)?;
        let Some(references) = changed_references(entry.user_references, delta) else {
            self.violation(Violation::INVALID_VALUE, name, 0);
            return Err(KERN_INVALID_VALUE);
        };
        if references != 0 {
            entry.user_references = references;
            return Ok(());
        }
        if port.kind.pinned {
            self.pinned_violation(name);
            return Err(KERN_INVALID_CAPABILITY);
        }
        if entry.has(TYPE_RECEIVE) {
            entry.user_references = 0;
            entry.types &= !TYPE_SEND;
        } else {
            self.take_entry(task, name, &port)?;
        }
        self.release_send(&port);
        Ok(())
    }

    /// ipc_right_delta
    pub(crate) fn change_references(
        &mut self,
        task: TaskId,
        name: Name,
        right: u32,
        delta: i32,
    ) -> Result<(), KernReturn> {
        let types_before = self.space(task)?.get(name).ok_or(KERN_INVALID_NAME)?.types;
        // A receive right is looked at as it is; the others may be dead by now.
        let types = if right == RIGHT_RECEIVE { types_before } else { self.types_of(task, name)? };
        match right {
            RIGHT_PORT_SET => {
                if types & TYPE_PORT_SET == 0 {
                    self.violation(Violation::INVALID_RIGHT, name, 0);
                    return Err(KERN_INVALID_RIGHT);
                }
                match delta {
                    0 => Ok(()),
                    -1 => {
                        let entry = self.space(task)?.free(name).ok_or(KERN_INVALID_NAME)?;
                        if let Some(set) = entry.set() {
                            self.destroy_port_set(&set);
                        }
                        Ok(())
                    }
                    _ => self.refuse_value(name),
                }
            }
            RIGHT_RECEIVE => {
                if types & TYPE_RECEIVE == 0 {
                    if types & TYPE_EX_RECEIVE == 0 {
                        self.violation(Violation::INVALID_RIGHT, name, 0);
                    }
                    return Err(KERN_INVALID_RIGHT);
                }
                match delta {
                    0 => Ok(()),
                    -1 => {
                        let port = self.port_named(task, name, TYPE_RECEIVE)?;
                        if port.guard.get().guarded {
                            self.violation(Violation::DESTROY, name, port.context.get());
                            return Err(KERN_INVALID_RIGHT);
                        }
                        self.destroy_receive_right(task, name)
                    }
                    _ => self.refuse_value(name),
                }
            }
            RIGHT_SEND_ONCE => {
                if types & TYPE_SEND_ONCE == 0 {
                    // Only a right that has just died is a violation (ipc_right_check failed there).
                    if types_before & TYPE_SEND_ONCE != 0 {
                        self.violation(Violation::INVALID_RIGHT, name, 0);
                    }
                    return Err(KERN_INVALID_RIGHT);
                }
                match delta {
                    0 => Ok(()),
                    -1 => self.deallocate_right(task, name),
                    _ => self.refuse_value(name),
                }
            }
            RIGHT_DEAD_NAME => {
                if types & TYPE_DEAD_NAME == 0 {
                    self.violation(Violation::INVALID_RIGHT, name, 0);
                    return Err(KERN_INVALID_RIGHT);
                }
                let space = self.space(task)?;
                let entry = space.get_mut(name).ok_or(KERN_INVALID_NAME)?;
                match changed_references(entry.user_references, delta) {
                    _ if delta.unsigned_abs() > UREFS_MAX => self.refuse_value(name),
                    None => self.refuse_value(name),
                    Some(0) => {
                        space.free(name);
                        Ok(())
                    }
                    Some(references) => {
                        entry.user_references = references;
                        Ok(())
                    }
                }
            }
            RIGHT_SEND => {
                if types & TYPE_SEND == 0 {
                    if types_before & (TYPE_DEAD_NAME | TYPE_SEND) == 0
                        && (types_before & TYPE_RECEIVE == 0 || delta != 1)
                    {
                        self.violation(Violation::INVALID_RIGHT, name, 0);
                    }
                    return Err(KERN_INVALID_RIGHT);
                }
                if delta.unsigned_abs() > UREFS_MAX {
                    return self.refuse_value(name);
                }
                self.drop_send_references(task, name, delta)
            }
            _ => Err(KERN_INVALID_RIGHT),
        }
    }

    fn refuse_value(&mut self, name: Name) -> Result<(), KernReturn> {
        self.violation(Violation::INVALID_VALUE, name, 0);
        Err(KERN_INVALID_VALUE)
    }

    /// The receive right goes; send rights that are left under the same name become a dead name.
    pub(crate) fn destroy_receive_right(&mut self, task: TaskId, name: Name) -> Result<(), KernReturn> {
        let port = self.port_named(task, name, TYPE_RECEIVE)?;
        let space = self.space(task)?;
        let entry = space.get_mut(name).ok_or(KERN_INVALID_NAME)?;
        if entry.has(TYPE_SEND) {
            port.send_rights.set(port.send_rights.get().saturating_sub(1));
            entry.types = TYPE_DEAD_NAME | TYPE_EX_RECEIVE;
            entry.object = Object::Nothing;
            let mut requests = port.dead_name_requests.borrow_mut();
            if let Some(index) = requests.iter().position(|request| request.task == task && request.name == name) {
                entry.user_references = (entry.user_references + 1).min(UREFS_MAX);
                let request = requests.remove(index);
                drop(requests);
                self.destroy_port(&port);
                self.notify_dead_name(request.notify, name);
                return Ok(());
            }
            drop(requests);
        } else {
            space.free(name);
            self.cancel_request(task, name, &port);
        }
        self.destroy_port(&port);
        Ok(())
    }

    /// ipc_right_destruct: `delta` send references and the receive right, with the guard's value.
    pub(crate) fn destruct_right(
        &mut self,
        task: TaskId,
        name: Name,
        delta: i32,
        guard: u64,
    ) -> Result<(), KernReturn> {
        let entry = self.space(task)?.get(name).ok_or(KERN_INVALID_NAME)?;
        let types = entry.types;
        let references = entry.user_references;
        if types & TYPE_RECEIVE == 0 {
            if types & TYPE_EX_RECEIVE == 0 {
                self.violation(Violation::INVALID_RIGHT, name, 0);
            }
            return Err(KERN_INVALID_RIGHT);
        }
        if delta != 0 && types & TYPE_SEND == 0 {
            self.violation(Violation::INVALID_RIGHT, name, 0);
            return Err(KERN_INVALID_RIGHT);
        }
        if delta > 0 {
            return self.refuse_value(name);
        }
        let port = self.port_named(task, name, TYPE_RECEIVE)?;
        if port.guard.get().guarded && guard != port.context.get() {
            self.violation(Violation::DESTROY, name, port.context.get());
            return Err(KERN_INVALID_ARGUMENT);
        }
        if delta != 0 {
            if changed_references(references, delta).is_none() {
                return self.refuse_value(name);
            }
            self.drop_send_references(task, name, delta)?;
        }
        self.destroy_receive_right(task, name)
    }

    /// ipc_right_destroy: all that the name stands for.
    pub(crate) fn destroy_right(&mut self, task: TaskId, name: Name) -> Result<(), KernReturn> {
        let entry = self.space(task)?.get(name).ok_or(KERN_INVALID_NAME)?;
        let types = entry.types;
        if types & TYPE_PORT_SET != 0 {
            return self.change_references(task, name, RIGHT_PORT_SET, -1);
        }
        if types & TYPE_RECEIVE != 0 {
            let port = self.port_named(task, name, TYPE_RECEIVE)?;
            if port.guard.get().guarded {
                self.violation(Violation::DESTROY, name, port.context.get());
                return Err(KERN_INVALID_RIGHT);
            }
            self.space(task)?.free(name);
            self.cancel_request(task, name, &port);
            if types & TYPE_SEND != 0 {
                self.release_send(&port);
            }
            self.destroy_port(&port);
            return Ok(());
        }
        let types = self.types_of(task, name)?;
        if types & TYPE_DEAD_NAME != 0 {
            self.space(task)?.free(name);
            return Ok(());
        }
        let port = self.port_named(task, name, TYPE_SEND_RIGHTS)?;
        if types & TYPE_SEND != 0 && port.kind.pinned {
            self.pinned_violation(name);
            return Err(KERN_INVALID_CAPABILITY);
        }
        self.take_entry(task, name, &port)?;
        if types & TYPE_SEND != 0 {
            self.release_send(&port);
        } else {
            self.notify_send_once(port);
        }
        Ok(())
    }

    /// ipc_right_terminate for each entry: the task is gone, or its program.
    pub(crate) fn terminate_space(&mut self, task: TaskId) {
        let Some(task) = self.tasks.get_mut(&task) else { return };
        let id = task.id;
        let space = std::mem::take(&mut task.space);
        for (name, entry) in space.entries() {
            if let Some(set) = entry.set() {
                self.destroy_port_set(&set);
            }
            let Some(port) = entry.port() else { continue };
            port.dead_name_requests.borrow_mut().retain(|request| request.task != id || request.name != name);
            if entry.has(TYPE_SEND) {
                self.release_send(&port);
            }
            if entry.has(TYPE_SEND_ONCE) {
                self.notify_send_once(Rc::clone(&port));
            }
            if entry.has(TYPE_RECEIVE) {
                self.destroy_port(&port);
            }
        }
    }
}
