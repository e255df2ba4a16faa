//! A message as the kernel keeps it: what it carries is rights and bytes, not names and addresses (struct ipc_kmsg).

use std::rc::Rc;

use super::port::{Port, PortRef};
use crate::constants::{MOVE_RECEIVE, MOVE_SEND, MOVE_SEND_ONCE};

pub(crate) const HEADER_SIZE: usize = 24;
/// mach_msg_body_t: the number of descriptors.
pub(crate) const BODY_SIZE: usize = 4;

/// A right on its way.
#[derive(Clone)]
pub(crate) enum Right {
    Null,
    /// IP_DEAD
    Dead,
    Send(PortRef),
    SendOnce(PortRef),
    Receive(PortRef),
}

impl Right {
    /// The disposition that the receiver sees: MACH_MSG_TYPE_PORT_SEND and so on.
    pub(crate) fn disposition(&self) -> u32 {
        match self {
            Right::Null | Right::Dead => 0,
            Right::Send(_) => MOVE_SEND,
            Right::SendOnce(_) => MOVE_SEND_ONCE,
            Right::Receive(_) => MOVE_RECEIVE,
        }
    }

    pub(crate) fn port(&self) -> Option<&PortRef> {
        match self {
            Right::Send(port) | Right::SendOnce(port) | Right::Receive(port) => Some(port),
            Right::Null | Right::Dead => None,
        }
    }
}

/// The fourth byte of a descriptor's flags and what the descriptor carries.
pub(crate) enum Cargo {
    /// With the disposition that it had or would have had.
    Port(Right, u32),
    /// With the guard flags that go along.
    GuardedPort(Right, u32, u16),
    Memory {
        bytes: Vec<u8>,
        copy: u8,
        kind: u8,
    },
    Ports {
        rights: Vec<Right>,
        disposition: u32,
        copy: u8,
    },
}

/// Who sent it, as the trailer tells (mach_msg_audit_trailer_t).
#[derive(Clone, Copy, Default)]
pub(crate) struct Sender {
    pub(crate) security_token: [u32; 2],
    pub(crate) audit_token: [u32; 8],
}

impl Sender {
    /// KERNEL_SECURITY_TOKEN_VALUE and KERNEL_AUDIT_TOKEN_VALUE (osfmk/mach/message.h).
    pub(crate) const KERNEL: Sender = Sender { security_token: [0, 1], audit_token: [0; 8] };
}

pub(crate) struct Message {
    pub(crate) id: i32,
    /// A send or send-once right.
    pub(crate) destination: Right,
    pub(crate) reply: Right,
    /// In the order of the descriptors; `None` for a simple message.
    pub(crate) cargo: Option<Vec<Cargo>>,
    /// What follows the header and the descriptors.
    pub(crate) data: Vec<u8>,
    pub(crate) sender: Sender,
    /// When it was put into its queue, among all messages.
    pub(crate) order: u64,
}

/// Size of each kind of descriptor in a task of 64 bits (mach_msg_port_descriptor_t is 12 bytes, the others are 16).
pub(crate) fn descriptor_size(kind: u8) -> Option<usize> {
    match kind {
        crate::constants::PORT_DESCRIPTOR => Some(12),
        crate::constants::OOL_DESCRIPTOR
        | crate::constants::OOL_PORTS_DESCRIPTOR
        | crate::constants::OOL_VOLATILE_DESCRIPTOR
        | crate::constants::GUARDED_PORT_DESCRIPTOR => Some(16),
        _ => None,
    }
}

impl Cargo {
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Cargo::Port(..) => crate::constants::PORT_DESCRIPTOR,
            Cargo::GuardedPort(..) => crate::constants::GUARDED_PORT_DESCRIPTOR,
            Cargo::Memory { kind, .. } => *kind,
            Cargo::Ports { .. } => crate::constants::OOL_PORTS_DESCRIPTOR,
        }
    }
}

impl Message {
    /// A message of the kernel's own, which carries no reply right yet.
    pub(crate) fn from_kernel(id: i32, destination: Right, data: Vec<u8>) -> Message {
        Message { id, destination, reply: Right::Null, cargo: None, data, sender: Sender::KERNEL, order: 0 }
    }

    /// The size that the receiver's header shows, without the trailer.
    pub(crate) fn size(&self) -> usize {
        let descriptors = self.cargo.as_ref().map_or(0, |cargo| {
            BODY_SIZE + cargo.iter().map(|item| descriptor_size(item.kind()).unwrap_or(0)).sum::<usize>()
        });
        HEADER_SIZE + descriptors + self.data.len()
    }

    pub(crate) fn destination_port(&self) -> Option<Rc<Port>> {
        self.destination.port().cloned()
    }
}
