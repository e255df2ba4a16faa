//! The sending half of mach_msg (osfmk/ipc/mach_msg.c, mach_msg_send; osfmk/ipc/ipc_kmsg.c, ipc_kmsg_copyin_from_user).

use std::time::{Duration, Instant};

use super::copyin::CopyinRules;
use super::message::{BODY_SIZE, Cargo, HEADER_SIZE, Message, Right, descriptor_size};
use super::receive::ReceiveRequest;
use crate::calls::Outcome;
use crate::constants::*;
use crate::guard::Violation;
use crate::kernel::Kernel;
use crate::task::TaskId;
use crate::thread::{ThreadId, Wait};

/// ipc_kmsg_max_body_space is larger; no test sends more.
const SIZE_MAX: u32 = 64 << 20;
/// One allocation's worth of memory out of line.
const MEMORY_MAX: u32 = 256 << 20;

pub(crate) struct SendRequest {
    pub(crate) buffer: u64,
    pub(crate) size: u32,
    /// With MACH_SEND_TIMEOUT.
    pub(crate) timeout: Option<Duration>,
    /// By the raw trap rather than by mach_msg2.
    pub(crate) legacy: bool,
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

/// MACH_MSG_TYPE_PORT_ANY_SEND
fn is_any_send(disposition: u32) -> bool {
    (MOVE_SEND..=MAKE_SEND_ONCE).contains(&disposition)
}

/// MACH_MSG_TYPE_PORT_ANY_RIGHT
fn is_any_right(disposition: u32) -> bool {
    disposition == MOVE_RECEIVE || is_any_send(disposition)
}

impl Kernel {
    /// Sends, and then receives if the call asks for both.
    pub(crate) fn send(&mut self, thread: ThreadId, request: &SendRequest, receive: Option<ReceiveRequest>) -> Outcome {
        let message = match self.copy_in_message(thread, request) {
            Ok(message) => message,
            Err(error) => return Outcome::Done(error),
        };
        if let Some(record) = self.threads.get_mut(&thread) {
            record.messages.sent += 1;
            record.messages.sent_bytes += u64::from(request.size);
        }
        if !self.has_room(&message) {
            return self.wait_for_room(thread, request, message, receive);
        }
        self.enqueue(message);
        match receive {
            Some(receive) => self.receive(thread, receive),
            None => Outcome::Done(KERN_SUCCESS),
        }
    }

    fn wait_for_room(
        &mut self,
        thread: ThreadId,
        request: &SendRequest,
        message: Message,
        receive: Option<ReceiveRequest>,
    ) -> Outcome {
        let Some(port) = message.destination_port() else { return Outcome::Done(MACH_SEND_INVALID_DEST) };
        if request.timeout == Some(Duration::ZERO) {
            self.return_message(thread, request.buffer, message);
            return Outcome::Done(MACH_SEND_TIMED_OUT);
        }
        port.waiting_senders.borrow_mut().push_back(thread);
        let deadline = request.timeout.map(|timeout| Instant::now() + timeout);
        self.wait(thread, Wait::Send { message: Box::new(message), buffer: request.buffer, receive }, deadline);
        Outcome::Blocked
    }

    /// A sender that waited has sent; it goes on to receive, or is done.
    pub(crate) fn after_send(&mut self, thread: ThreadId, receive: Option<ReceiveRequest>) {
        let outcome = match receive {
            Some(receive) => self.receive(thread, receive),
            None => Outcome::Done(KERN_SUCCESS),
        };
        if let Outcome::Done(result) = outcome {
            self.complete(thread, result);
        }
    }

    fn copy_in_message(&mut self, thread: ThreadId, request: &SendRequest) -> Result<Message, KernReturn> {
        if (request.size as usize) < HEADER_SIZE || request.size & 3 != 0 {
            return Err(MACH_SEND_MSG_TOO_SMALL);
        }
        if request.size > SIZE_MAX {
            return Err(MACH_SEND_TOO_LARGE);
        }
        let bytes = self.read_memory(thread, request.buffer, request.size as usize).ok_or(MACH_SEND_INVALID_DATA)?;
        let bits = word(&bytes, 0) & BITS_USER;
        let complex = bits & BITS_COMPLEX != 0;
        if complex && bytes.len() < HEADER_SIZE + BODY_SIZE {
            return Err(MACH_SEND_MSG_TOO_SMALL);
        }
        if request.legacy && !self.legacy_send_allowed(thread) {
            self.violation(Violation::INVALID_OPTIONS, word(&bytes, 20), 0);
            return Err(KERN_NOT_SUPPORTED);
        }
        let task = self.task_of(thread);
        let (destination, reply) = self.copy_in_header(task, &bytes, bits, request.legacy)?;
        let mut message = Message {
            id: word(&bytes, 20) as i32,
            destination,
            reply,
            cargo: None,
            data: Vec::new(),
            sender: self.sender_of(task),
            order: 0,
        };
        let copied = if complex { self.copy_in_body(task, thread, &bytes) } else { Ok((None, HEADER_SIZE)) };
        match copied {
            Ok((cargo, data_at)) => {
                message.cargo = cargo;
                message.data = bytes[data_at..].to_vec();
                Ok(message)
            }
            Err(error) => {
                // ipc_kmsg_clean_partial
                self.destroy_message(message);
                Err(error)
            }
        }
    }

    /// ipc_kmsg_copyin_header: the destination and the reply port, both or neither.
    fn copy_in_header(
        &mut self,
        task: TaskId,
        bytes: &[u8],
        bits: u32,
        legacy: bool,
    ) -> Result<(Right, Right), KernReturn> {
        let (destination_type, reply_type) = (bits & BITS_REMOTE, (bits & BITS_LOCAL) >> 8);
        let (destination_name, reply_name) = (word(bytes, 8), word(bytes, 12));
        if !is_any_send(destination_type) {
            return Err(MACH_SEND_INVALID_HEADER);
        }
        if if reply_type == 0 { reply_name != MACH_PORT_NULL } else { !is_any_send(reply_type) } {
            return Err(MACH_SEND_INVALID_HEADER);
        }
        if bits & BITS_VOUCHER != 0 && word(bytes, 16) != MACH_PORT_NULL {
            self.violation(Violation::SEND_INVALID_VOUCHER, word(bytes, 16), 0);
            return Err(MACH_SEND_INVALID_VOUCHER);
        }
        if !is_valid(destination_name) {
            return Err(MACH_SEND_INVALID_DEST);
        }
        // A reply right that is not there must be found out before the destination is used up.
        let destination_types = self.types_of(task, destination_name).map_err(|_| MACH_SEND_INVALID_DEST)?;
        if destination_types & TYPE_DEAD_NAME != 0 {
            return Err(MACH_SEND_INVALID_DEST);
        }
        if is_valid(reply_name) && self.types_of(task, reply_name).is_err() {
            self.violation(Violation::SEND_INVALID_REPLY, reply_name, 0);
            return Err(MACH_SEND_INVALID_REPLY);
        }
        let rules = CopyinRules { immovable_send_ok: true, reply_port_ok: true, dead_ok: false };
        let destination =
            self.copy_in(task, destination_name, destination_type, rules).map_err(|_| MACH_SEND_INVALID_DEST)?;
        let reply = match reply_name {
            MACH_PORT_NULL => Right::Null,
            MACH_PORT_DEAD => Right::Dead,
            _ => {
                let rules = CopyinRules { dead_ok: true, immovable_send_ok: false, reply_port_ok: true };
                match self.copy_in(task, reply_name, reply_type, rules) {
                    Ok(reply) => reply,
                    Err(_) => {
                        self.undo_copy_in(task, destination, destination_type);
                        self.violation(Violation::SEND_INVALID_REPLY, reply_name, 0);
                        return Err(MACH_SEND_INVALID_REPLY);
                    }
                }
            }
        };
        if !legacy && self.is_kernel_object(&destination) {
            // ipc_validate_kmsg_dest_from_user: mach_msg says that it sends to a queue, and this is none.
            self.release(destination);
            self.release(reply);
            self.violation(Violation::INVALID_OPTIONS, MACH_PORT_NULL, 0);
            return Err(MACH_SEND_INVALID_OPTIONS);
        }
        Ok((destination, reply))
    }

    fn undo_copy_in(&mut self, task: TaskId, right: Right, disposition: u32) {
        if disposition == MOVE_SEND || disposition == MOVE_SEND_ONCE {
            let _ = self.copy_out(task, right);
        } else {
            self.release(right);
        }
    }

    fn is_kernel_object(&self, right: &Right) -> bool {
        use super::port::KernelObject::*;
        let object = right.port().and_then(|port| port.kernel_object());
        matches!(object, Some(Task(..) | Thread(..) | TaskIdentity(_)))
    }

    /// ipc_kmsg_copyin_body: the descriptors. On an error, what was taken in already is given up.
    #[allow(clippy::type_complexity, reason = "a list of descriptors, and where the data begin")]
    fn copy_in_body(
        &mut self,
        task: TaskId,
        thread: ThreadId,
        bytes: &[u8],
    ) -> Result<(Option<Vec<Cargo>>, usize), KernReturn> {
        let count = word(bytes, HEADER_SIZE);
        let mut at = HEADER_SIZE + BODY_SIZE;
        let mut cargo = Vec::new();
        for _ in 0..count {
            match self.copy_in_descriptor(task, thread, bytes, at) {
                Ok((item, size)) => {
                    cargo.push(item);
                    at += size;
                }
                Err(error) => {
                    let partial = Message::from_kernel(0, Right::Null, Vec::new());
                    self.destroy_message(Message { cargo: Some(cargo), ..partial });
                    return Err(error);
                }
            }
        }
        Ok((Some(cargo), at))
    }

    fn copy_in_descriptor(
        &mut self,
        task: TaskId,
        thread: ThreadId,
        bytes: &[u8],
        at: usize,
    ) -> Result<(Cargo, usize), KernReturn> {
        // The kind is the last byte of the first twelve, in every descriptor.
        let kind = *bytes.get(at + 11).ok_or(MACH_SEND_MSG_TOO_SMALL)?;
        let size = descriptor_size(kind).ok_or(MACH_SEND_INVALID_TYPE)?;
        if bytes.len() < at + size {
            return Err(MACH_SEND_MSG_TOO_SMALL);
        }
        let item = match kind {
            PORT_DESCRIPTOR => {
                let disposition = u32::from(bytes[at + 10]);
                let right = self.copy_in_carried(task, word(bytes, at), disposition)?;
                let disposition = carried_disposition(&right, disposition);
                Cargo::Port(right, disposition)
            }
            GUARDED_PORT_DESCRIPTOR => {
                let disposition = u32::from(bytes[at + 10]);
                if disposition != MOVE_RECEIVE {
                    return Err(MACH_SEND_INVALID_TYPE);
                }
                let flags = word(bytes, at + 8) as u16;
                let name = word(bytes, at + 12);
                if let Ok(port) = self.port_named(task, name, TYPE_RECEIVE)
                    && port.guard.get().guarded
                    && port.context.get() != long(bytes, at)
                {
                    self.violation(Violation::INCORRECT_GUARD, name, port.context.get());
                    return Err(MACH_SEND_INVALID_RIGHT);
                }
                Cargo::GuardedPort(self.copy_in_carried(task, name, disposition)?, disposition, flags)
            }
            OOL_PORTS_DESCRIPTOR => {
                let disposition = u32::from(bytes[at + 10]);
                let count = word(bytes, at + 12);
                let length = count.checked_mul(4).filter(|length| *length <= MEMORY_MAX);
                let length = length.ok_or(MACH_SEND_TOO_LARGE)? as usize;
                let names = self.read_memory(thread, long(bytes, at), length).ok_or(MACH_SEND_INVALID_MEMORY)?;
                let mut rights = Vec::new();
                for index in 0..count as usize {
                    match self.copy_in_carried(task, word(&names, index * 4), disposition) {
                        Ok(right) => rights.push(right),
                        Err(error) => {
                            rights.into_iter().for_each(|right| self.release(right));
                            return Err(error);
                        }
                    }
                }
                let disposition = received_disposition(disposition);
                Cargo::Ports { rights, disposition, copy: bytes[at + 9] }
            }
            _ => {
                let length = word(bytes, at + 12);
                if length > MEMORY_MAX {
                    return Err(MACH_SEND_TOO_LARGE);
                }
                let content = self.read_memory(thread, long(bytes, at), length as usize);
                Cargo::Memory { bytes: content.ok_or(MACH_SEND_INVALID_MEMORY)?, copy: bytes[at + 9], kind }
            }
        };
        Ok((item, size))
    }

    /// ipc_kmsg_copyin_port_descriptor
    fn copy_in_carried(&mut self, task: TaskId, name: Name, disposition: u32) -> Result<Right, KernReturn> {
        if !is_any_right(disposition) {
            return Err(MACH_SEND_INVALID_TYPE);
        }
        match name {
            MACH_PORT_NULL => Ok(Right::Null),
            MACH_PORT_DEAD => Ok(Right::Dead),
            _ => {
                let rules = CopyinRules { dead_ok: true, ..CopyinRules::default() };
                self.copy_in(task, name, disposition, rules).map_err(|error| {
                    if error == KERN_INVALID_RIGHT || error == KERN_INVALID_NAME {
                        self.violation(Violation::SEND_INVALID_RIGHT, name, 0);
                    }
                    MACH_SEND_INVALID_RIGHT
                })
            }
        }
    }
}

/// ipc_object_copyin_type
fn received_disposition(disposition: u32) -> u32 {
    match disposition {
        COPY_SEND | MAKE_SEND => MOVE_SEND,
        MAKE_SEND_ONCE => MOVE_SEND_ONCE,
        other => other,
    }
}

fn carried_disposition(right: &Right, disposition: u32) -> u32 {
    match right.disposition() {
        0 => received_disposition(disposition),
        known => known,
    }
}
