//! Exception messages on the wire: what the kernel sends for EXCEPTION_STATE | MACH_EXCEPTION_CODES, and the reply.
//!
//! MIG's subsystem mach_exc (osfmk/mach/mach_exc.defs), routine mach_exception_raise_state; its structures are packed
//! to four bytes, so that a message is a row of 32-bit words. Everything is checked: who has a send right to one of
//! our ports can send anything. Whoever is not the kernel is known by the trailer (KERNEL_AUDIT_TOKEN_VALUE is all
//! zeros, osfmk/mach/message.h), which the kernel writes.

/// mach_exception_raise_state.
pub const REQUEST_ID: u32 = 2406;
const REPLY_ID: u32 = REQUEST_ID + 100;

/// The most words that a message is received with. The kernel's is 73 on x86-64 and 99 on arm64, with its trailer.
pub const BUFFER_WORDS: usize = 256;

/// Where things are, in words. The header (mach_msg_header_t) is the same in both directions.
const BITS: usize = 0;
const SIZE: usize = 1;
const REMOTE: usize = 2;
const LOCAL: usize = 3;
const VOUCHER: usize = 4;
const ID: usize = 5;
const EXCEPTION: usize = 8;
const CODE_COUNT: usize = 9;
const CODES: usize = 10;
const FLAVOR: usize = 14;
const STATE_COUNT: usize = 15;
const STATE: usize = 16;
const REPLY_RESULT: usize = 8;
const REPLY_FLAVOR: usize = 9;
const REPLY_STATE_COUNT: usize = 10;
const REPLY_STATE: usize = 11;

const COMPLEX: u32 = 0x8000_0000;
const REMOTE_MASK: u32 = 0x1f;
/// MACH_MSG_TYPE_PORT_SEND_ONCE: how the reply port of a kernel's request arrives, and how the reply gives it back.
const SEND_ONCE: u32 = 18;

/// mach_msg_context_trailer_t, which MACH_RCV_TRAILER_CTX asks for: 60 bytes.
const TRAILER_WORDS: usize = 15;
const TRAILER_SENDER: usize = 3;
const TRAILER_AUDIT: usize = 5;
const TRAILER_CONTEXT: usize = 13;
/// KERNEL_SECURITY_TOKEN_VALUE, osfmk/mach/message.h.
const KERNEL_SENDER: [u32; 2] = [0, 1];

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The kernel asks what to do about an exception.
    Exception(Request),
    /// A plain message of ours to the control port: the server is to stop.
    Stop,
    /// Not for us: wrong in the way that the text says. What it carries has to be released.
    Foreign(&'static str),
}

/// An exception, but for the thread's state, which stays in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// EXC_*.
    pub exception: i32,
    /// Two, always.
    pub codes: [i64; 2],
    /// The receive right that it came to.
    pub port: u32,
    /// That right's context: the thread's record.
    pub context: u64,
}

fn word(words: &[u32; BUFFER_WORDS], index: usize) -> u32 {
    words.get(index).copied().unwrap_or(0)
}

fn long(words: &[u32; BUFFER_WORDS], index: usize) -> u64 {
    u64::from(word(words, index)) | u64::from(word(words, index + 1)) << 32
}

/// Reads what was received. `flavor` and `count` are those that our ports were set with.
pub fn read(words: &[u32; BUFFER_WORDS], control_port: u32, stop_id: u32, flavor: u32, count: usize) -> Message {
    let size = word(words, SIZE) as usize;
    let (bits, id, port) = (word(words, BITS), word(words, ID), word(words, LOCAL));
    if port == control_port {
        // It carries no rights: there is nothing to release.
        let plain = bits & (COMPLEX | REMOTE_MASK) == 0 && word(words, VOUCHER) == 0;
        return if id == stop_id && plain { Message::Stop } else { Message::Foreign("a message to the control port") };
    }
    if id != REQUEST_ID {
        return Message::Foreign("an unknown message id");
    }
    if bits & COMPLEX != 0 {
        return Message::Foreign("it carries rights or memory");
    }
    if bits & REMOTE_MASK != SEND_ONCE {
        return Message::Foreign("no reply port");
    }
    // On the wire a shorter array of codes would move all that follows it.
    if size != (STATE + count) * 4 || word(words, CODE_COUNT) != 2 {
        return Message::Foreign("a wrong size");
    }
    if word(words, FLAVOR) != flavor || word(words, STATE_COUNT) as usize != count {
        return Message::Foreign("a wrong thread-state flavor or count");
    }
    let trailer = STATE + count;
    if word(words, trailer) != 0 || (word(words, trailer + 1) as usize) < TRAILER_WORDS * 4 {
        return Message::Foreign("a trailer that was not asked for");
    }
    let sender = [word(words, trailer + TRAILER_SENDER), word(words, trailer + TRAILER_SENDER + 1)];
    let kernels = |index| word(words, trailer + TRAILER_AUDIT + index) == 0;
    if sender != KERNEL_SENDER || !(0..8).all(kernels) {
        return Message::Foreign("a sender other than the kernel");
    }
    Message::Exception(Request {
        exception: word(words, EXCEPTION) as i32,
        codes: [long(words, CODES) as i64, long(words, CODES + 2) as i64],
        port,
        context: long(words, trailer + TRAILER_CONTEXT),
    })
}

/// The thread's state in a request that has been read.
pub fn state<const COUNT: usize>(words: &[u32; BUFFER_WORDS]) -> [u32; COUNT] {
    const { assert!(STATE + COUNT + TRAILER_WORDS <= BUFFER_WORDS) };
    let mut state = [0; COUNT];
    for (to, from) in state.iter_mut().zip(words.iter().skip(STATE)) {
        *to = *from;
    }
    state
}

/// Makes the request in `words` its own reply and returns the reply's size in bytes. With a state the thread goes on
/// with it; without one the kernel asks the next level, with the thread's state unchanged.
pub fn reply<const COUNT: usize>(words: &mut [u32; BUFFER_WORDS], result: i32, state: Option<&[u32; COUNT]>) -> usize {
    const { assert!(REPLY_STATE + COUNT <= BUFFER_WORDS) };
    let flavor = word(words, FLAVOR);
    let remote_port = word(words, REMOTE);
    let mut put = |index: usize, value: u32| {
        if let Some(place) = words.get_mut(index) {
            *place = value;
        }
    };
    put(BITS, SEND_ONCE);
    put(REMOTE, remote_port);
    put(LOCAL, 0);
    put(VOUCHER, 0);
    put(ID, REPLY_ID);
    // NDR_record: all formats as they are on both processors, little-endian (osfmk/mach/ndr.h).
    put(6, 0);
    put(7, 1);
    put(REPLY_RESULT, result as u32);
    let mut end = REPLY_RESULT + 1;
    if let Some(state) = state {
        put(REPLY_FLAVOR, flavor);
        put(REPLY_STATE_COUNT, COUNT as u32);
        end = REPLY_STATE;
        for value in state {
            put(end, *value);
            end += 1;
        }
    }
    put(SIZE, (end * 4) as u32);
    end * 4
}

/// The reply port of a message that has become its own reply.
#[cfg(wasmtrap_mach)]
pub(crate) fn reply_port(words: &[u32; BUFFER_WORDS]) -> u32 {
    word(words, REMOTE)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
