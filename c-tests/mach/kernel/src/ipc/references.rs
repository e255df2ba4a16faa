//! Dropping rights, and what follows from the last one.

use std::rc::Rc;

use super::message::{Cargo, Message, Right};
use super::port::{Home, PortRef};
use crate::constants::{MACH_RCV_PORT_CHANGED, MACH_SEND_INVALID_DEST};
use crate::kernel::Kernel;

impl Kernel {
    /// ipc_port_release_send
    pub(crate) fn release_send(&mut self, port: &PortRef) {
        let rights = port.send_rights.get();
        debug_assert!(rights > 0, "a send right is released that was not counted");
        port.send_rights.set(rights.saturating_sub(1));
        if port.is_active() {
            self.notify_no_senders(port);
        }
    }

    /// What the destruction of a message, or of an entry, does with the right (ipc_object_destroy).
    pub(crate) fn release(&mut self, right: Right) {
        match right {
            Right::Null | Right::Dead => (),
            Right::Send(port) => self.release_send(&port),
            Right::SendOnce(port) => self.notify_send_once(port),
            Right::Receive(port) => self.destroy_port(&port),
        }
    }

    /// ipc_kmsg_destroy
    pub(crate) fn destroy_message(&mut self, message: Message) {
        self.release(message.destination);
        self.release(message.reply);
        for cargo in message.cargo.into_iter().flatten() {
            match cargo {
                Cargo::Port(right, _) | Cargo::GuardedPort(right, ..) => self.release(right),
                Cargo::Ports { rights, .. } => rights.into_iter().for_each(|right| self.release(right)),
                Cargo::Memory { .. } => (),
            }
        }
    }

    /// ipc_port_destroy: the receive right is gone. Its messages are destroyed, who waits hears of it, and names for
    /// it are dead from now on.
    pub(crate) fn destroy_port(&mut self, port: &PortRef) {
        if !port.is_active() {
            return;
        }
        port.home.set(Home::Dead);
        port.make_send_count.set(0);
        port.guard.set(Default::default());
        port.leave_all_sets();

        let waiting = port.waiting_receivers.take();
        self.fail_receivers(waiting, MACH_RCV_PORT_CHANGED);
        for sender in port.waiting_senders.take() {
            self.fail_sender(sender, MACH_SEND_INVALID_DEST);
        }
        for message in port.queue.take() {
            self.destroy_message(message);
        }
        if let Some(notify) = port.no_senders.take() {
            self.notify_send_once(notify);
        }
        for request in port.dead_name_requests.take() {
            self.port_died_for(port, request);
        }
    }

    /// ipc_port_dnnotify: the name turns into a dead name now, with a reference for the notification.
    fn port_died_for(&mut self, port: &PortRef, request: super::port::DeadNameRequest) {
        if let Some(task) = self.tasks.get_mut(&request.task)
            && let Some(entry) = task.space.get_mut(request.name)
            && entry.port().is_some_and(|held| Rc::ptr_eq(&held, port))
        {
            super::entries::turn_into_dead_name(&mut task.space, request.name, 1);
        }
        self.notify_dead_name(request.notify, request.name);
    }
}
