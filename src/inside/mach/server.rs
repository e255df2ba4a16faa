//! The server's loop: receives exceptions, answers them, and never dies of a message.
//!
//! One combined send and receive per exception. libSystem's mach_msg, not the trap beneath it: hardened tasks die of
//! the raw trap (ipc_policy_allow_legacy_send_trap, osfmk/ipc/ipc_policy.c).

use core::sync::atomic::{AtomicU32, Ordering};

use mach2::kern_return::{KERN_FAILURE, KERN_SUCCESS};
use mach2::mach_port::mach_port_deallocate;
use mach2::message::*;
use mach2::traps::mach_task_self;

use super::answer::{Answer, answer};
use super::message::{self, BUFFER_WORDS, Message};
use super::ports::put_back;
use super::state::{COUNT, FLAVOR, Words};
use crate::shared::mach::STOP_ID;
use crate::shared::thread::Thread;

/// Messages that were dropped, for the description.
pub(crate) static DROPPED: AtomicU32 = AtomicU32::new(0);
/// Exceptions that were answered, likewise.
pub(crate) static ANSWERED: AtomicU32 = AtomicU32::new(0);

/// Why the loop ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was asked to.
    Stopped,
    /// The port set is gone, with this code of mach_msg. Somebody has destroyed it.
    SetLost(i32),
}

#[repr(C, align(8))]
struct Buffer([u32; BUFFER_WORDS]);

/// The trailer with the sender and the port's context. message.h: MACH_RCV_TRAILER_TYPE, MACH_RCV_TRAILER_ELEMENTS.
const TRAILER: i32 = (MACH_RCV_TRAILER_CTX << 24) as i32 | FORMAT;
const FORMAT: i32 = (MACH_MSG_TRAILER_FORMAT_0 << 28) as i32;

/// MACH_MSG_MASK: in which space there was no room for rights or memory that a message carries.
const SHORT_OF_ROOM: i32 = 0x3e00;

/// The part of a mach_msg code that tells receiving from sending: 0x1000_4000 and 0x1000_0000.
const RECEIVE_ERRORS: u32 = 0x1000_4000;

/// Serves `set` until it is told to stop, or cannot go on.
#[inline(never)] // a function of its own, at which the check of the built library begins
pub(crate) fn serve(set: u32, control_port: u32) -> End {
    let mut buffer = Buffer([0; BUFFER_WORDS]);
    let mut send_size = 0;
    loop {
        let option = MACH_RCV_MSG | TRAILER | if send_size == 0 { 0 } else { MACH_SEND_MSG };
        let header = buffer.0.as_mut_ptr().cast::<mach_msg_header_t>();
        // SAFETY: the buffer has the size that is given, is aligned, and begins with a reply of `send_size` bytes.
        let code =
            unsafe { mach_msg(header, option, send_size, size_of::<Buffer>() as u32, set, MACH_MSG_TIMEOUT_NONE, 0) };
        send_size = 0;
        match code & !SHORT_OF_ROOM {
            MACH_MSG_SUCCESS => (),
            // The message was lost, and what it carried is destroyed (osfmk/ipc/mach_msg.c, mach_msg_receive_results).
            MACH_RCV_INTERRUPTED | MACH_RCV_TOO_LARGE | MACH_RCV_HEADER_ERROR | MACH_RCV_BODY_ERROR => continue,
            receive_error if receive_error as u32 & RECEIVE_ERRORS == RECEIVE_ERRORS => {
                return End::SetLost(receive_error);
            }
            // The reply found nobody: the thread is gone. Its reply port is a dead name by now, and ours to release
            // (libsyscall/mach/mach_msg.c, mach_msg_server). It cannot have been interrupted: what goes to a send-once
            // right waits for no room (osfmk/ipc/ipc_mqueue.c, ipc_mqueue_send), and libSystem would try again.
            _ => {
                // SAFETY: the right came with the request and was not consumed.
                unsafe { mach_port_deallocate(mach_task_self(), message::reply_port(&buffer.0)) };
                continue;
            }
        }
        match message::read(&buffer.0, control_port, STOP_ID, FLAVOR, COUNT) {
            Message::Stop => return End::Stopped,
            Message::Foreign(_) => {
                DROPPED.fetch_add(1, Ordering::Relaxed);
                // SAFETY: a message that was received, with the rights and memory that came with it.
                unsafe { mach_msg_destroy(header) };
            }
            Message::Exception(request) => {
                ANSWERED.fetch_add(1, Ordering::Relaxed);
                let mut words: Words = message::state(&buffer.0);
                // SAFETY: the context of our own port, which the kernel tells: the record of the thread that is in this
                // exception, or was, if its waiting was interrupted. Records are never given back.
                let thread = unsafe { (request.context as *const Thread).as_ref() };
                // The port's name is another one at each use.
                let is_its_own = |thread: &&Thread| thread.backend.port.load(Ordering::Relaxed) == request.port;
                let Some(thread) = thread.filter(is_its_own) else {
                    send_size = message::reply::<COUNT>(&mut buffer.0, KERN_FAILURE, None) as u32;
                    continue;
                };
                let go_on = match answer(thread, &request, &mut words) {
                    Answer::GoOn => true,
                    // SAFETY: the thread waits in the kernel.
                    Answer::StepAside => unsafe { put_back(thread) },
                    Answer::NextLevel => false,
                };
                send_size = if go_on {
                    message::reply::<COUNT>(&mut buffer.0, KERN_SUCCESS, Some(&words))
                } else {
                    message::reply::<COUNT>(&mut buffer.0, KERN_FAILURE, None)
                } as u32;
            }
        }
    }
}
