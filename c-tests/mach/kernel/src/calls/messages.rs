//! mach_msg2_trap and mach_msg_trap (osfmk/ipc/mach_msg.c), and how memory out of line reaches the library.

use std::time::Duration;

use super::{Call, Handler, Outcome};
use crate::constants::*;
use crate::ipc::receive::ReceiveRequest;
use crate::ipc::send::SendRequest;
use crate::kernel::Kernel;

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "mach_msg2_trap" => |kernel, call| mach_msg(kernel, call, false),
        "mach_msg_trap" => |kernel, call| mach_msg(kernel, call, true),
        "fetch_memory" => fetch_memory,
        _ => return None,
    })
}

/// Message, options, size to send, room to receive, name to receive from, milliseconds, and a buffer of its own for
/// what is received.
fn mach_msg(kernel: &mut Kernel, call: &Call, legacy: bool) -> Result<Outcome, KernReturn> {
    let (buffer, options) = (call.long(0), call.word(1));
    let timeout = Duration::from_millis(call.word(5).into());
    let receive_buffer = if call.long(6) != 0 { call.long(6) } else { buffer };
    let receive = (options & MACH_RCV_MSG != 0).then_some(ReceiveRequest {
        buffer: receive_buffer,
        limit: call.word(3),
        options,
        name: call.word(4),
        timeout: (options & MACH_RCV_TIMEOUT != 0).then_some(timeout),
    });
    if options & MACH_SEND_MSG != 0 {
        let timeout = (options & MACH_SEND_TIMEOUT != 0).then_some(timeout);
        let request = SendRequest { buffer, size: call.word(2), timeout, legacy };
        return Ok(kernel.send(call.thread, &request, receive));
    }
    Ok(match receive {
        Some(receive) => kernel.receive(call.thread, receive),
        None => Outcome::Done(KERN_SUCCESS),
    })
}

/// The kernel cannot map memory into a process of Linux. A descriptor out of line comes with a number instead of an
/// address; the library maps room for it and fetches the content here, once.
fn fetch_memory(kernel: &mut Kernel, call: &Call) -> Result<Outcome, KernReturn> {
    let (_, content) = kernel.kept_memory.remove(&call.long(0)).ok_or(KERN_INVALID_ARGUMENT)?;
    kernel.put_bytes(call, call.long(1), &content)?;
    Ok(Outcome::Done(KERN_SUCCESS))
}
