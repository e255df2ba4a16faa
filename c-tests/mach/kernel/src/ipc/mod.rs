//! Ports, the rights to them, the spaces that name those rights, and the messages that carry them.
//!
//! Invariant: each send and send-once right is counted in its port, and is at each moment in exactly one place: an
//! entry of a space, a message, an exception action or a request for a notification.

pub(crate) mod copyin;
pub(crate) mod copyout;
pub(crate) mod entries;
pub(crate) mod message;
pub(crate) mod notification;
pub(crate) mod port;
pub(crate) mod port_calls;
pub(crate) mod port_set;
pub(crate) mod queue;
pub(crate) mod receive;
pub(crate) mod references;
pub(crate) mod send;
pub(crate) mod space;
