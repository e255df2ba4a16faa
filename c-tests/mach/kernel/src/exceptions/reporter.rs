//! A crash reporter, or a debugger, in a process of its own, at task level (the profiles of that name).

use crate::constants::*;
use crate::ipc::message::{Message, Right};
use crate::ipc::notification::NDR;
use crate::kernel::Kernel;
use crate::profile::CrashReporter;

use super::wire::REPLY_OFFSET;

impl Kernel {
    /// It answers at once; what the message carried is released.
    pub(crate) fn crash_reporter_receives(&mut self, mut message: Message) {
        let reply = std::mem::replace(&mut message.reply, Right::Null);
        let exception = message.data.get(NDR.len()..NDR.len() + 4);
        let is_breakpoint = exception == Some(EXC_BREAKPOINT.to_le_bytes().as_slice());
        let handles = self.profile.crash_reporter == CrashReporter::HandlesBreakpoints && is_breakpoint;
        let id = message.id + REPLY_OFFSET;
        self.destroy_message(message);
        let verdict = if handles { KERN_SUCCESS } else { KERN_FAILURE };
        let mut data = NDR.to_vec();
        data.extend_from_slice(&verdict.to_le_bytes());
        if let Right::SendOnce(_) = reply {
            self.enqueue(Message::from_kernel(id, reply, data));
        } else {
            self.release(reply);
        }
    }
}
