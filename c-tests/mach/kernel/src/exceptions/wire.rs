//! The messages that MIG makes of osfmk/mach/exc.defs (subsystem 2400, codes of 32 bits) and osfmk/mach/mach_exc.defs
//! (2405, codes of 64 bits). Everything is packed to four bytes.

use crate::constants::*;
use crate::ipc::message::{Cargo, Message, Right};
use crate::ipc::notification::NDR;
use crate::machine::STATE_WORDS_MAX;

/// A reply has the number of its request and this.
pub(crate) const REPLY_OFFSET: i32 = 100;

/// What a message about an exception says.
pub(crate) struct Request<'a> {
    /// With MACH_EXCEPTION_CODES.
    pub(crate) behavior: u32,
    pub(crate) exception: u32,
    pub(crate) codes: [i64; 2],
    /// Thread and task, or the task's identity token, where the behavior names them.
    pub(crate) identity: Vec<Right>,
    /// Where the behavior brings the thread's number: the protected ones.
    pub(crate) thread_number: u64,
    pub(crate) flavor: u32,
    pub(crate) state: Option<&'a [u32]>,
}

pub(crate) fn has_state(behavior: u32) -> bool {
    let behavior = behavior & !MACH_EXCEPTION_FLAGS;
    matches!(behavior, EXCEPTION_STATE | EXCEPTION_STATE_IDENTITY | EXCEPTION_STATE_IDENTITY_PROTECTED)
}

pub(crate) fn is_protected(behavior: u32) -> bool {
    let behavior = behavior & !MACH_EXCEPTION_FLAGS;
    matches!(behavior, EXCEPTION_IDENTITY_PROTECTED | EXCEPTION_STATE_IDENTITY_PROTECTED)
}

pub(crate) fn has_control_ports(behavior: u32) -> bool {
    matches!(behavior & !MACH_EXCEPTION_FLAGS, EXCEPTION_DEFAULT | EXCEPTION_STATE_IDENTITY)
}

fn request_number(behavior: u32) -> i32 {
    let first = if behavior & MACH_EXCEPTION_CODES != 0 { 2405 } else { 2401 };
    match behavior & !MACH_EXCEPTION_FLAGS {
        EXCEPTION_STATE => first + 1,
        EXCEPTION_STATE_IDENTITY => first + 2,
        EXCEPTION_IDENTITY_PROTECTED => 2408,
        EXCEPTION_STATE_IDENTITY_PROTECTED => 2410,
        _ => first,
    }
}

/// The request, without a reply right yet.
pub(crate) fn request(request: Request<'_>, destination: Right) -> Message {
    let mut data = NDR.to_vec();
    let put = |data: &mut Vec<u8>, word: u32| data.extend_from_slice(&word.to_le_bytes());
    if is_protected(request.behavior) {
        data.extend_from_slice(&request.thread_number.to_le_bytes());
    }
    put(&mut data, request.exception);
    put(&mut data, request.codes.len() as u32);
    for code in request.codes {
        if request.behavior & MACH_EXCEPTION_CODES != 0 {
            data.extend_from_slice(&code.to_le_bytes());
        } else {
            put(&mut data, code as u32);
        }
    }
    if let Some(state) = request.state {
        put(&mut data, request.flavor);
        put(&mut data, state.len() as u32);
        state.iter().for_each(|word| put(&mut data, *word));
    }
    let mut message = Message::from_kernel(request_number(request.behavior), destination, data);
    if !request.identity.is_empty() {
        message.cargo = Some(request.identity.into_iter().map(|right| Cargo::Port(right, MOVE_SEND)).collect());
    }
    message
}

/// What a server answered: its verdict, and the new state if it has one.
pub(crate) struct Reply {
    pub(crate) flavor: u32,
    pub(crate) state: Vec<u32>,
}

/// The checks that MIG's stubs make on a reply (what `mig` generates for the user side), in their order. `room` is how
/// many words of state the kernel has room for.
pub(crate) fn parse_reply(message: &Message, behavior: u32, room: usize) -> Result<Reply, KernReturn> {
    if message.id != request_number(behavior) + REPLY_OFFSET {
        return Err(if message.id == MACH_NOTIFY_SEND_ONCE { MIG_SERVER_DIED } else { MIG_REPLY_MISMATCH });
    }
    let word = |at: usize| {
        message.data.get(at..at + 4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    const RETURN_AT: usize = NDR.len();
    const FLAVOR_AT: usize = RETURN_AT + 4;
    const COUNT_AT: usize = FLAVOR_AT + 4;
    const STATE_AT: usize = COUNT_AT + 4;
    let result = word(RETURN_AT).map(|result| result as KernReturn);
    let length = message.data.len();
    let is_error = length == FLAVOR_AT && result.is_some_and(|result| result != KERN_SUCCESS);
    if message.cargo.is_some() {
        return Err(MIG_TYPE_ERROR);
    }
    if !has_state(behavior) {
        return match result {
            Some(KERN_SUCCESS) if length == FLAVOR_AT => Ok(Reply { flavor: 0, state: Vec::new() }),
            Some(result) if is_error => Err(result),
            _ => Err(MIG_TYPE_ERROR),
        };
    }
    if !(STATE_AT..=STATE_AT + 4 * STATE_WORDS_MAX).contains(&length) && !is_error {
        return Err(MIG_TYPE_ERROR);
    }
    match result {
        Some(KERN_SUCCESS) => (),
        Some(result) => return Err(result),
        None => return Err(MIG_TYPE_ERROR),
    }
    let count = word(COUNT_AT).unwrap_or(0) as usize;
    if count > STATE_WORDS_MAX || length != STATE_AT + 4 * count {
        return Err(MIG_TYPE_ERROR);
    }
    if count > room {
        return Err(MIG_ARRAY_TOO_LARGE);
    }
    let state = (0..count).filter_map(|index| word(STATE_AT + 4 * index)).collect();
    Ok(Reply { flavor: word(FLAVOR_AT).unwrap_or(0), state })
}
