//! A port set: what comes to any member is received from the set (osfmk/ipc/ipc_pset.c).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::port::{Port, PortRef};
use crate::constants::{KernReturn, MACH_RCV_PORT_CHANGED};
use crate::kernel::Kernel;
use crate::thread::ThreadId;

pub(crate) struct PortSet {
    pub(crate) active: Cell<bool>,
    pub(crate) members: RefCell<Vec<PortRef>>,
    pub(crate) waiting_receivers: RefCell<VecDeque<ThreadId>>,
}

impl PortSet {
    pub(crate) fn new() -> Rc<PortSet> {
        Rc::new(PortSet { active: Cell::new(true), members: RefCell::default(), waiting_receivers: RefCell::default() })
    }

    pub(crate) fn contains(&self, port: &PortRef) -> bool {
        self.members.borrow().iter().any(|member| Rc::ptr_eq(member, port))
    }

    /// ipc_pset_add: false if it is a member already.
    pub(crate) fn insert(self: &Rc<Self>, port: &PortRef) -> bool {
        if self.contains(port) {
            return false;
        }
        self.members.borrow_mut().push(Rc::clone(port));
        port.sets.borrow_mut().push(Rc::clone(self));
        true
    }

    /// ipc_pset_remove: false if it is no member.
    pub(crate) fn remove(self: &Rc<Self>, port: &PortRef) -> bool {
        let was_member = self.contains(port);
        self.members.borrow_mut().retain(|member| !Rc::ptr_eq(member, port));
        port.sets.borrow_mut().retain(|set| !Rc::ptr_eq(set, self));
        was_member
    }

    /// The member whose first message has waited longest.
    pub(crate) fn member_with_message(&self) -> Option<PortRef> {
        let members = self.members.borrow();
        let first = |port: &PortRef| port.queue.borrow().front().map(|message| message.order);
        members.iter().filter(|port| first(port).is_some()).min_by_key(|port| first(port)).cloned()
    }
}

impl Port {
    /// ipc_pset_remove_from_all
    pub(crate) fn leave_all_sets(self: &Rc<Self>) {
        for set in self.sets.take() {
            set.members.borrow_mut().retain(|member| !Rc::ptr_eq(member, self));
        }
    }
}

impl Kernel {
    /// ipc_pset_destroy. Who waits hears of it (ipc_mqueue_changed, ipc_mqueue_receive_results).
    pub(crate) fn destroy_port_set(&mut self, set: &Rc<PortSet>) {
        set.active.set(false);
        for member in set.members.take() {
            member.sets.borrow_mut().retain(|other| !Rc::ptr_eq(other, set));
        }
        let waiting = set.waiting_receivers.take();
        self.fail_receivers(waiting, MACH_RCV_PORT_CHANGED);
    }

    /// Ends the waiting of each of these threads with `result`.
    pub(crate) fn fail_receivers(&mut self, waiting: VecDeque<ThreadId>, result: KernReturn) {
        for thread in waiting {
            self.finish_wait(thread, result);
        }
    }
}
