//! Notifications: messages of the kernel about rights (osfmk/ipc/ipc_notify.c). Each uses up a send-once right.

use std::rc::Rc;

use super::message::{Message, Right};
use super::port::{Home, PortRef};
use crate::constants::{
    MACH_NOTIFY_DEAD_NAME, MACH_NOTIFY_NO_SENDERS, MACH_NOTIFY_PORT_DELETED, MACH_NOTIFY_SEND_ONCE, Name,
};
use crate::kernel::Kernel;

/// NDR_record: little-endian, ASCII, IEEE.
pub(crate) const NDR: [u8; 8] = [0, 0, 0, 0, 1, 0, 0, 0];

impl Kernel {
    fn notify(&mut self, id: i32, notify: PortRef, number: Option<u32>) {
        let mut data = Vec::new();
        if let Some(number) = number {
            data.extend_from_slice(&NDR);
            data.extend_from_slice(&number.to_le_bytes());
        }
        self.enqueue(Message::from_kernel(id, Right::SendOnce(notify), data));
    }

    /// ipc_notify_dead_name: the name has become a dead name, with one more reference.
    pub(crate) fn notify_dead_name(&mut self, notify: PortRef, name: Name) {
        self.notify(MACH_NOTIFY_DEAD_NAME, notify, Some(name));
    }

    /// ipc_notify_port_deleted: the right is gone for which a dead-name notification was asked.
    pub(crate) fn notify_port_deleted(&mut self, notify: PortRef, name: Name) {
        self.notify(MACH_NOTIFY_PORT_DELETED, notify, Some(name));
    }

    /// ipc_notify_no_senders_prepare and _emit, where the last send right has gone.
    pub(crate) fn notify_no_senders(&mut self, port: &PortRef) {
        if port.send_rights.get() == 0
            && let Some(notify) = port.no_senders.take()
        {
            self.notify(MACH_NOTIFY_NO_SENDERS, notify, Some(port.make_send_count.get()));
        }
    }

    /// ipc_notify_send_once_and_unlock: a send-once right is dropped unused, and is used for saying so.
    pub(crate) fn notify_send_once(&mut self, port: PortRef) {
        if port.home.get() == Home::Dead {
            port.send_once_rights.set(port.send_once_rights.get().saturating_sub(1));
            return;
        }
        self.notify(MACH_NOTIFY_SEND_ONCE, Rc::clone(&port), None);
    }
}
