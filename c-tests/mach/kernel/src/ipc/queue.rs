//! A message goes to its port: to a receiver that waits, else into the queue (osfmk/ipc/ipc_mqueue.c).

use std::rc::Rc;

use super::message::{Message, Right};
use super::port::{Home, KernelObject, PortRef};
use crate::constants::*;
use crate::kernel::Kernel;
use crate::thread::{ThreadId, Wait};

/// imq_full_kernel: a port takes this many messages whatever its limit.
const KERNEL_LIMIT: usize = 65534;

impl Kernel {
    /// Whether the queue takes another message: send-once rights and the kernel are always let in (ipc_mqueue_send).
    pub(crate) fn has_room(&self, message: &Message) -> bool {
        let Some(port) = message.destination.port() else { return true };
        let queued = port.queue.borrow().len();
        queued < port.queue_limit.get() as usize
            || matches!(message.destination, Right::SendOnce(_)) && queued < KERNEL_LIMIT
    }

    /// ipc_mqueue_post, whatever the limit. A message to a dead port is destroyed (ipc_kmsg_send).
    pub(crate) fn enqueue(&mut self, mut message: Message) {
        let Some(port) = message.destination_port() else { return self.destroy_message(message) };
        match port.home.get() {
            Home::Dead => self.destroy_message(message),
            Home::Kernel(object) => self.kernel_receives(object, message),
            Home::Space(..) | Home::InMessage => {
                self.message_order += 1;
                message.order = self.message_order;
                port.queue.borrow_mut().push_back(message);
                self.hand_to_receiver(&port);
            }
        }
    }

    /// A message to the kernel itself.
    fn kernel_receives(&mut self, object: KernelObject, message: Message) {
        match object {
            KernelObject::ExceptionReply(thread) => self.exception_answered(thread, message),
            KernelObject::CrashReporter => self.crash_reporter_receives(message),
            // Notifications to control ports, which ask for nothing.
            KernelObject::Task(..) | KernelObject::Thread(..) | KernelObject::TaskIdentity(_) => {
                self.destroy_message(message);
            }
        }
    }

    /// Whoever waits for the port, or for a set that it is in, gets its first message.
    pub(crate) fn hand_to_receiver(&mut self, port: &PortRef) {
        loop {
            if port.queue.borrow().is_empty() {
                return;
            }
            let direct = port.waiting_receivers.borrow_mut().pop_front();
            let from_set = || {
                let sets = port.sets.borrow();
                sets.iter().find_map(|set| set.waiting_receivers.borrow_mut().pop_front())
            };
            let Some(receiver) = direct.or_else(from_set) else { return };
            let Some(Wait::Receive { request, .. }) = self.take_wait(receiver) else { continue };
            let result = self.receive_from(receiver, &request, port);
            self.complete(receiver, result);
        }
    }

    /// There is room in the queue again: the sender that has waited longest goes on.
    pub(crate) fn queue_has_room(&mut self, port: &PortRef) {
        while (port.queue.borrow().len()) < port.queue_limit.get() as usize {
            let Some(sender) = port.waiting_senders.borrow_mut().pop_front() else { return };
            let Some(Wait::Send { message, receive, .. }) = self.take_wait(sender) else { continue };
            self.enqueue(*message);
            self.after_send(sender, receive);
        }
    }

    /// The thread's waiting for room ends with an error, and its message comes back to it.
    pub(crate) fn fail_sender(&mut self, sender: ThreadId, error: KernReturn) {
        let Some(Wait::Send { message, buffer, .. }) = self.take_wait(sender) else { return };
        if error == MACH_SEND_INVALID_DEST {
            self.destroy_message(*message);
        } else {
            self.return_message(sender, buffer, *message);
        }
        self.complete(sender, error);
    }

    /// Out of every queue in which the thread stands.
    pub(crate) fn leave_queues(&mut self, thread: ThreadId, wait: &Wait) {
        let leave = |queue: &std::cell::RefCell<std::collections::VecDeque<ThreadId>>| {
            queue.borrow_mut().retain(|waiting| *waiting != thread);
        };
        match wait {
            Wait::Receive { source, .. } => leave(source.waiting_receivers()),
            Wait::Send { message, .. } => {
                if let Some(port) = message.destination.port() {
                    leave(&Rc::clone(port).waiting_senders);
                }
            }
        }
    }

    /// The waiting is over for a reason that has nothing to do with the queue: time, a signal, a thread that is gone.
    pub(crate) fn finish_wait(&mut self, thread: ThreadId, result: KernReturn) {
        let Some(wait) = self.take_wait(thread) else { return };
        if let Wait::Send { message, buffer, .. } = wait {
            self.return_message(thread, buffer, *message);
        }
        self.complete(thread, result);
    }
}
