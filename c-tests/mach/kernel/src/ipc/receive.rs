//! The receiving half of mach_msg (osfmk/ipc/mach_msg.c, mach_msg_receive_results; ipc_kmsg_copyout).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::message::{Cargo, HEADER_SIZE, Message, Right};
use super::port::PortRef;
use super::port_set::PortSet;
use crate::calls::Outcome;
use crate::constants::*;
use crate::guard::Violation;
use crate::kernel::Kernel;
use crate::task::TaskId;
use crate::thread::{ThreadId, Wait};

#[derive(Clone)]
pub(crate) struct ReceiveRequest {
    pub(crate) buffer: u64,
    pub(crate) limit: u32,
    pub(crate) options: u32,
    pub(crate) name: Name,
    /// With MACH_RCV_TIMEOUT.
    pub(crate) timeout: Option<Duration>,
}

pub(crate) enum Source {
    Port(PortRef),
    Set(Rc<PortSet>),
}

impl Source {
    pub(crate) fn waiting_receivers(&self) -> &RefCell<VecDeque<ThreadId>> {
        match self {
            Source::Port(port) => &port.waiting_receivers,
            Source::Set(set) => &set.waiting_receivers,
        }
    }

    fn port_with_message(&self) -> Option<PortRef> {
        match self {
            Source::Port(port) if port.queue.borrow().is_empty() => None,
            Source::Port(port) => Some(Rc::clone(port)),
            Source::Set(set) => set.member_with_message(),
        }
    }
}

/// REQUESTED_TRAILER_SIZE (osfmk/mach/message.h).
fn trailer_size(options: u32) -> usize {
    match options >> 24 & 0xf {
        0 => 8,
        1 => 12,
        2 => 20,
        3 => 52,
        4 => 60,
        _ => 68,
    }
}

fn put32(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

impl Kernel {
    /// mach_msg_rcv: a message that is there, or the thread waits.
    pub(crate) fn receive(&mut self, thread: ThreadId, request: ReceiveRequest) -> Outcome {
        let task = self.task_of(thread);
        let Ok(source) = self.source_named(task, request.name) else {
            // A name that is not there, or no more, is an error; a right of another kind is a violation.
            let types = self.types_of(task, request.name).unwrap_or(TYPE_EX_RECEIVE);
            if types & TYPE_EX_RECEIVE == 0 {
                self.violation(Violation::RCV_INVALID_NAME, request.name, 0);
            }
            return Outcome::Done(MACH_RCV_INVALID_NAME);
        };
        if request.options >> 28 & 0xf != 0 {
            return Outcome::Done(MACH_RCV_INVALID_TRAILER);
        }
        if let Some(port) = source.port_with_message() {
            return Outcome::Done(self.receive_from(thread, &request, &port));
        }
        if request.timeout == Some(Duration::ZERO) {
            return Outcome::Done(MACH_RCV_TIMED_OUT);
        }
        if self.interrupt_this_receive(thread) {
            return Outcome::Done(MACH_RCV_INTERRUPTED);
        }
        source.waiting_receivers().borrow_mut().push_back(thread);
        let deadline = request.timeout.map(|timeout| Instant::now() + timeout);
        self.wait(thread, Wait::Receive { source, request }, deadline);
        Outcome::Blocked
    }

    /// ipc_mqueue_copyin
    fn source_named(&mut self, task: TaskId, name: Name) -> Result<Source, KernReturn> {
        let types = self.types_of(task, name)?;
        if types & TYPE_PORT_SET != 0 {
            let set = self.space(task)?.get(name).and_then(|entry| entry.set());
            return set.map(Source::Set).ok_or(KERN_INVALID_NAME);
        }
        self.port_named(task, name, TYPE_RECEIVE).map(Source::Port)
    }

    /// The first message of the port goes to the thread, unless it is too large and may stay (MACH_RCV_LARGE).
    pub(crate) fn receive_from(&mut self, thread: ThreadId, request: &ReceiveRequest, port: &PortRef) -> KernReturn {
        let Some(size) = port.queue.borrow().front().map(Message::size) else { return MACH_RCV_PORT_CHANGED };
        let needed = size + trailer_size(request.options);
        let too_large = needed > request.limit as usize;
        if too_large && request.options & MACH_RCV_LARGE != 0 {
            let name = match port.home.get() {
                super::port::Home::Space(_, name) if request.options & MACH_RCV_LARGE_IDENTITY != 0 => name,
                _ => MACH_PORT_NULL,
            };
            return self.write_short_header(thread, request, size, name);
        }
        let Some(message) = port.queue.borrow_mut().pop_front() else { return MACH_RCV_PORT_CHANGED };
        let sequence = port.sequence.get();
        port.sequence.set(sequence.wrapping_add(1));
        self.queue_has_room(port);
        if too_large {
            self.destroy_message(message);
            return self.write_short_header(thread, request, size, MACH_PORT_NULL);
        }
        let task = self.task_of(thread);
        let sender = message.sender;
        let context = port.context.get();
        let (mut bytes, complaint) = self.copy_out_message(task, thread, message);
        if let Some(record) = self.threads.get_mut(&thread) {
            record.messages.received += 1;
            record.messages.received_bytes += bytes.len() as u64;
        }
        put32(&mut bytes, 0);
        put32(&mut bytes, trailer_size(request.options) as u32);
        let mut trailer = Vec::new();
        put32(&mut trailer, sequence);
        sender.security_token.iter().chain(&sender.audit_token).for_each(|word| put32(&mut trailer, *word));
        trailer.extend_from_slice(&context.to_le_bytes());
        trailer.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&trailer[..trailer_size(request.options) - 8]);
        if self.write_memory(thread, request.buffer, &bytes) { complaint } else { MACH_RCV_INVALID_DATA }
    }

    fn write_short_header(
        &mut self,
        thread: ThreadId,
        request: &ReceiveRequest,
        size: usize,
        name: Name,
    ) -> KernReturn {
        let mut header = Vec::new();
        for word in [0, size as u32, MACH_PORT_NULL, name, 0, 0] {
            put32(&mut header, word);
        }
        let writable = header.len().min(request.limit as usize);
        if self.write_memory(thread, request.buffer, &header[..writable]) {
            MACH_RCV_TOO_LARGE
        } else {
            MACH_RCV_INVALID_DATA
        }
    }

    /// Header, descriptors and data as the receiver sees them. The rights become the receiver's.
    fn copy_out_message(&mut self, task: TaskId, thread: ThreadId, message: Message) -> (Vec<u8>, KernReturn) {
        let size = message.size();
        let remote = message.reply.disposition();
        let local = message.destination.disposition();
        let complex = if message.cargo.is_some() { BITS_COMPLEX } else { 0 };
        let reply = self.copy_out(task, message.reply).unwrap_or(MACH_PORT_NULL);
        // ipc_object_copyout_dest: the right that was used is used up; the name is the receive right's.
        let destination = message.destination.port().and_then(|port| port.name_in(task)).unwrap_or(MACH_PORT_NULL);
        match message.destination {
            Right::Send(port) => self.release_send(&port),
            Right::SendOnce(port) => port.send_once_rights.set(port.send_once_rights.get().saturating_sub(1)),
            Right::Receive(_) | Right::Null | Right::Dead => (),
        }
        let mut bytes = Vec::with_capacity(size);
        for word in [complex | remote | local << 8, size as u32, reply, destination, 0, message.id as u32] {
            put32(&mut bytes, word);
        }
        if let Some(cargo) = message.cargo {
            put32(&mut bytes, cargo.len() as u32);
            for item in cargo {
                self.copy_out_cargo(task, thread, item, &mut bytes);
            }
        }
        bytes.extend_from_slice(&message.data);
        (bytes, KERN_SUCCESS)
    }

    /// One descriptor. Memory out of line is fetched by the library, which alone can map it: the address is the number
    /// under which it waits (calls/messages.rs).
    fn copy_out_cargo(&mut self, task: TaskId, thread: ThreadId, cargo: Cargo, bytes: &mut Vec<u8>) {
        let kind = cargo.kind();
        match cargo {
            Cargo::Port(right, disposition) => {
                let name = self.copy_out(task, right).unwrap_or(MACH_PORT_NULL);
                put32(bytes, name);
                put32(bytes, 0);
                bytes.extend_from_slice(&[0, 0, disposition as u8, kind]);
            }
            Cargo::GuardedPort(right, disposition, flags) => {
                let name = self.copy_out(task, right).unwrap_or(MACH_PORT_NULL);
                bytes.extend_from_slice(&0u64.to_le_bytes());
                bytes.extend_from_slice(&flags.to_le_bytes());
                bytes.extend_from_slice(&[disposition as u8, kind]);
                put32(bytes, name);
            }
            Cargo::Memory { bytes: content, copy, kind } => {
                let size = content.len() as u32;
                let token = self.keep_memory(thread, content);
                bytes.extend_from_slice(&token.to_le_bytes());
                bytes.extend_from_slice(&[0, copy, 0, kind]);
                put32(bytes, size);
            }
            Cargo::Ports { rights, disposition, copy } => {
                let count = rights.len() as u32;
                let mut names = Vec::new();
                for right in rights {
                    let name = self.copy_out(task, right).unwrap_or(MACH_PORT_NULL);
                    put32(&mut names, name);
                }
                let token = self.keep_memory(thread, names);
                bytes.extend_from_slice(&token.to_le_bytes());
                bytes.extend_from_slice(&[0, copy, disposition as u8, kind]);
                put32(bytes, count);
            }
        }
    }

    /// A message that could not be sent comes back to its sender (ipc_kmsg_copyout_pseudo): the rights are the
    /// sender's again, under the names that the message in its memory now shows.
    pub(crate) fn return_message(&mut self, thread: ThreadId, buffer: u64, message: Message) {
        let task = self.task_of(thread);
        let remote = message.destination.disposition();
        let local = message.reply.disposition();
        let complex = if message.cargo.is_some() { BITS_COMPLEX } else { 0 };
        let size = message.size();
        let destination = self.copy_out(task, message.destination).unwrap_or(MACH_PORT_NULL);
        let reply = self.copy_out(task, message.reply).unwrap_or(MACH_PORT_NULL);
        let mut bytes = Vec::with_capacity(HEADER_SIZE);
        for word in [complex | remote | local << 8, size as u32, destination, reply, 0, message.id as u32] {
            put32(&mut bytes, word);
        }
        if let Some(cargo) = message.cargo {
            put32(&mut bytes, cargo.len() as u32);
            for item in cargo {
                self.copy_out_cargo(task, thread, item, &mut bytes);
            }
        }
        // A sender that has unmapped its message meanwhile has nobody to tell.
        let _ = self.write_memory(thread, buffer, &bytes);
    }
}
