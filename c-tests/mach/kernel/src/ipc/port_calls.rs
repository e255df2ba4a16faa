//! mach_port_construct and the other calls that make and change ports (osfmk/ipc/mach_port.c).

use std::rc::Rc;

use super::message::Right;
use super::port::{DeadNameRequest, Guard, Home, Port, PortKind, PortRef};
use super::port_set::PortSet;
use super::space::{Entry, Object};
use crate::constants::*;
use crate::exceptions::policy::{self, PortFacts};
use crate::guard::Violation;
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::task::TaskId;

impl Kernel {
    pub(crate) fn new_port(&mut self, home: Home, kind: PortKind) -> PortRef {
        self.port_count += 1;
        Port::new(self.port_count, home, kind)
    }

    /// ipc_port_alloc: a port with its receive right in the space.
    pub(crate) fn allocate_port(&mut self, task: TaskId, kind: PortKind) -> Result<(Name, PortRef), KernReturn> {
        self.ports_run_out(task)?;
        let port = self.new_port(Home::InMessage, kind);
        let entry = Entry { object: Object::Port(Rc::clone(&port)), types: TYPE_RECEIVE, user_references: 0 };
        let name = self.space(task)?.allocate(entry)?;
        port.home.set(Home::Space(task, name));
        Ok((name, port))
    }

    /// mach_port_allocate
    pub(crate) fn allocate_right(&mut self, task: TaskId, right: u32) -> Result<Name, KernReturn> {
        match right {
            RIGHT_RECEIVE => self.allocate_port(task, PortKind::default()).map(|(name, _)| name),
            RIGHT_PORT_SET => {
                self.ports_run_out(task)?;
                let entry = Entry { object: Object::Set(PortSet::new()), types: TYPE_PORT_SET, user_references: 0 };
                self.space(task)?.allocate(entry)
            }
            RIGHT_DEAD_NAME => {
                let entry = Entry { object: Object::Nothing, types: TYPE_DEAD_NAME, user_references: 1 };
                self.space(task)?.allocate(entry)
            }
            _ => Err(KERN_INVALID_VALUE),
        }
    }

    /// mach_port_construct
    pub(crate) fn construct_port(
        &mut self,
        task: TaskId,
        flags: u32,
        queue_limit: u32,
        context: u64,
    ) -> Result<Name, KernReturn> {
        const ONE_OF: u32 = MPO_SERVICE_PORT | MPO_CONNECTION_PORT | MPO_TG_BLOCK_TRACKING;
        /// Since xnu-10002.1.13, which is where the last bit begins to mean something.
        const ONE_OF_SINCE_14: u32 =
            MPO_REPLY_PORT | MPO_ENFORCE_REPLY_PORT_SEMANTICS | MPO_BIT_0X8000 | MPO_PROVISIONAL_REPLY_PORT;
        let release = self.profile.release;
        if (flags & ONE_OF).count_ones() > 1
            || release >= Release::MacOs14_0 && (flags & ONE_OF_SINCE_14).count_ones() > 1
        {
            return Err(KERN_INVALID_ARGUMENT);
        }
        if flags & (MPO_SERVICE_PORT | MPO_TG_BLOCK_TRACKING) != 0 {
            // Only launchd makes the former, only the window server the latter.
            return Err(KERN_DENIED);
        }
        if flags & MPO_CONNECTION_PORT != 0 {
            return Err(KERN_INVALID_ARGUMENT);
        }
        if flags & MPO_QLIMIT != 0 && queue_limit > QLIMIT_MAX {
            return Err(KERN_INVALID_VALUE);
        }
        // All other bits are nothing: mach_port_construct has no check for what it does not know.
        let bit = if flags & MPO_BIT_0X8000 != 0 { policy::port_with_bit(release) } else { PortFacts::default() };
        let kind = PortKind { marked: bit.marked, reply_port: flags & MPO_REPLY_PORT != 0, ..PortKind::default() };
        let (name, port) = self.allocate_port(task, kind)?;
        port.immovable_receive.set(bit.immovable_receive);
        if flags & MPO_INSERT_SEND_RIGHT != 0 {
            port.make_send();
            if let Some(entry) = self.space(task)?.get_mut(name) {
                entry.types |= TYPE_SEND;
                entry.user_references = 1;
            }
        }
        if flags & MPO_QLIMIT != 0 {
            port.queue_limit.set(queue_limit);
        }
        port.context.set(context);
        if flags & MPO_CONTEXT_AS_GUARD != 0 {
            port.guard.set(Guard { guarded: true, strict: flags & MPO_STRICT != 0 });
            if flags & MPO_IMMOVABLE_RECEIVE != 0 {
                port.immovable_receive.set(true);
            }
        }
        Ok(name)
    }

    /// ipc_port_translate_receive, whose failure is a violation in the calls on receive rights.
    pub(crate) fn receive_right(&mut self, task: TaskId, name: Name) -> Result<PortRef, KernReturn> {
        let found = self.receive_right_quietly(task, name);
        if let Err(error) = found {
            let kind = if error == KERN_INVALID_NAME { Violation::INVALID_NAME } else { Violation::INVALID_RIGHT };
            self.violation(kind, name, 0);
        }
        found
    }

    /// The same for the calls that only report it.
    pub(crate) fn receive_right_quietly(&mut self, task: TaskId, name: Name) -> Result<PortRef, KernReturn> {
        if !is_valid(name) { Err(KERN_INVALID_RIGHT) } else { self.port_named(task, name, TYPE_RECEIVE) }
    }

    /// ipc_object_translate_port_pset: a receive right and a port set, with the violations of that function.
    fn member_and_set(&mut self, task: TaskId, member: Name, set: Name) -> Result<(PortRef, Rc<PortSet>), KernReturn> {
        for name in [member, set] {
            // ipc_right_lookup_two_write
            if self.types_of(task, name).is_err() {
                self.violation(Violation::INVALID_NAME, name, 0);
                return Err(KERN_INVALID_NAME);
            }
        }
        let space = self.space(task)?;
        let port = space.get(member).filter(|entry| entry.has(TYPE_RECEIVE)).and_then(|entry| entry.port());
        let port_set = space.get(set).and_then(|entry| entry.set());
        let ex_receive = space.get(member).is_some_and(|entry| entry.has(TYPE_EX_RECEIVE));
        match (port, port_set) {
            (Some(port), Some(set)) => Ok((port, set)),
            (None, _) => {
                if !ex_receive {
                    self.violation(Violation::INVALID_RIGHT, member, 0);
                }
                Err(KERN_INVALID_RIGHT)
            }
            (_, None) => {
                self.violation(Violation::INVALID_RIGHT, set, 0);
                Err(KERN_INVALID_RIGHT)
            }
        }
    }

    /// mach_port_insert_member
    pub(crate) fn insert_member(&mut self, task: TaskId, member: Name, set: Name) -> Result<(), KernReturn> {
        if !is_valid(member) || !is_valid(set) {
            return Err(KERN_INVALID_RIGHT);
        }
        let (port, set) = self.member_and_set(task, member, set)?;
        if !set.insert(&port) {
            return Err(KERN_ALREADY_IN_SET);
        }
        self.hand_to_receiver(&port);
        Ok(())
    }

    /// mach_port_extract_member
    pub(crate) fn extract_member(&mut self, task: TaskId, member: Name, set: Name) -> Result<(), KernReturn> {
        if !is_valid(member) || !is_valid(set) {
            return Err(KERN_INVALID_RIGHT);
        }
        let (port, set) = self.member_and_set(task, member, set)?;
        if set.remove(&port) { Ok(()) } else { Err(KERN_NOT_IN_SET) }
    }

    /// mach_port_move_member: into this set and out of all others; MACH_PORT_NULL is no set.
    pub(crate) fn move_member(&mut self, task: TaskId, member: Name, after: Name) -> Result<(), KernReturn> {
        if !is_valid(member) || after == MACH_PORT_DEAD {
            return Err(KERN_INVALID_RIGHT);
        }
        if after == MACH_PORT_NULL {
            let port = self.receive_right_quietly(task, member)?;
            let was_member = !port.sets.borrow().is_empty();
            port.leave_all_sets();
            return if was_member { Ok(()) } else { Err(KERN_NOT_IN_SET) };
        }
        let (port, set) = self.member_and_set(task, member, after)?;
        port.leave_all_sets();
        set.insert(&port);
        self.hand_to_receiver(&port);
        Ok(())
    }

    /// mach_port_request_notification, dead names: the earlier request's right comes back.
    pub(crate) fn request_dead_name(
        &mut self,
        task: TaskId,
        name: Name,
        immediate: bool,
        notify: Option<PortRef>,
    ) -> Result<Option<PortRef>, KernReturn> {
        let types = self.types_of(task, name)?;
        if types & TYPE_DEAD_NAME != 0 {
            let Some(notify) = notify.filter(|_| immediate) else { return Err(KERN_INVALID_ARGUMENT) };
            if let Some(entry) = self.space(task)?.get_mut(name) {
                entry.user_references = (entry.user_references + 1).min(UREFS_MAX);
            }
            self.notify_dead_name(notify, name);
            return Ok(None);
        }
        let port = self.port_named(task, name, TYPE_SEND_RIGHTS | TYPE_RECEIVE)?;
        let mut requests = port.dead_name_requests.borrow_mut();
        let previous = requests.iter().position(|request| request.task == task && request.name == name);
        let previous = previous.map(|index| requests.remove(index).notify);
        if let Some(notify) = notify {
            requests.push(DeadNameRequest { task, name, notify });
        }
        Ok(previous)
    }

    /// mach_port_request_notification, no senders (ipc_port_nsrequest).
    pub(crate) fn request_no_senders(&mut self, port: &PortRef, sync: u32, notify: Option<PortRef>) -> Option<PortRef> {
        let previous = port.no_senders.take();
        match notify {
            Some(notify) if port.send_rights.get() == 0 && sync <= port.make_send_count.get() => {
                *port.no_senders.borrow_mut() = Some(notify);
                self.notify_no_senders(port);
            }
            other => *port.no_senders.borrow_mut() = other,
        }
        previous
    }

    /// mach_port_insert_right
    pub(crate) fn insert_right(&mut self, task: TaskId, name: Name, right: Right) -> Result<(), KernReturn> {
        self.copy_out_as(task, right, name)
    }
}
