//! Triage: thread port, task port, and then the UNIX signal (osfmk/kern/exception.c, exception_triage_thread;
//! bsd/uxkern/ux_exception.c). What declines, for whatever reason, leaves the thread as it was.
//!
//! The thread stands before the delivery of its signal meanwhile. An exception that is handled takes the signal away;
//! one that is not lets Linux deliver it as if nothing had been.

use super::action::Action;
use super::wire::{self, Request};
use crate::constants::*;
use crate::ipc::message::{Message, Right};
use crate::ipc::port::{Home, KernelObject, PortKind, PortRef};
use crate::kernel::Kernel;
use crate::machine::{Fault, Registers};
use crate::thread::{Stop, ThreadId};
use crate::trace::{process, ptrace};

/// Who is being asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    Thread,
    Task,
}

/// An exception on its way. While a thread has one, TH_IN_MACH_EXCEPTION is set.
pub(crate) struct Exception {
    fault: Fault,
    signal: i32,
    level: Level,
    action: Action,
    /// ith_kernel_reply_port: answers come here.
    reply: Option<PortRef>,
}

/// ux_exception and handle_ux_exception (bsd/uxkern/ux_exception.c): memory that is protected is SIGBUS, not SIGSEGV,
/// unless it is below the start of the main thread's stack, where its guard is. All else is as Linux has it.
fn signal_of(tid: libc::pid_t, exception: &Exception) -> i32 {
    const MAXSSIZ: u64 = 64 << 20;
    let Fault { exception: kind, code, subcode } = exception.fault;
    if kind != EXC_BAD_ACCESS || code != KERN_PROTECTION_FAILURE.into() || exception.signal != libc::SIGSEGV {
        return exception.signal;
    }
    let stack = process::stack_start(tid);
    if (stack.saturating_sub(MAXSSIZ)..stack).contains(&(subcode as u64)) {
        return libc::SIGSEGV;
    }
    if ptrace::turn_signal_into(tid, libc::SIGBUS, libc::BUS_ADRERR) { libc::SIGBUS } else { libc::SIGSEGV }
}

impl Kernel {
    /// i386_exception, exception_triage
    pub(crate) fn raise(&mut self, thread: ThreadId, signal: i32, fault: Fault) {
        self.exceptions_raised += 1;
        let every = self.profile.bypass_exception_every;
        let Some(record) = self.threads.get_mut(&thread) else { return };
        let asked_for = std::mem::take(&mut record.injections.bypass_exception);
        record.exception =
            Some(Exception { fault, signal, level: Level::Thread, action: Action::default(), reply: None });
        if asked_for || every != 0 && self.exceptions_raised.is_multiple_of(every) {
            self.become_signal(thread);
        } else {
            self.deliver(thread, Level::Thread);
        }
    }

    /// exception_deliver: a message to the level's port, whose answer comes to exception_answered.
    fn deliver(&mut self, thread: ThreadId, level: Level) {
        let Some(record) = self.threads.get(&thread) else { return };
        let Some(exception) = &record.exception else { return };
        let (fault, task, tid) = (exception.fault, record.task, record.tid);
        let actions = match level {
            Level::Thread => Some(&record.actions),
            Level::Task => self.tasks.get(&task).map(|task| &task.actions),
        };
        let Some(action) = actions.and_then(|actions| actions.of(fault.exception)).cloned() else {
            return self.declined(thread, level);
        };
        let Some(port) = action.port.clone().filter(|port| port.is_active()) else {
            return self.declined(thread, level);
        };
        let state = if wire::has_state(action.behavior) {
            match Registers::of(tid).and_then(|registers| registers.state(action.flavor)) {
                Some(state) => Some(state),
                None => return self.declined(thread, level),
            }
        } else {
            None
        };
        let identity = self.identity_for(thread, action.behavior);
        let request = Request {
            behavior: action.behavior,
            exception: fault.exception,
            codes: [fault.code, fault.subcode],
            identity,
            thread_number: thread.0,
            flavor: action.flavor,
            state: state.as_deref(),
        };
        let mut message = wire::request(request, Right::Send(port.copy_send()));
        let reply = self.new_port(Home::Kernel(KernelObject::ExceptionReply(thread)), PortKind::default());
        message.reply = Right::SendOnce(reply.make_send_once());
        if let Some(task) = self.tasks.get_mut(&task) {
            match level {
                Level::Thread => task.counters.thread_level += 1,
                Level::Task => task.counters.task_level += 1,
            }
        }
        if let Some(exception) = self.threads.get_mut(&thread).and_then(|thread| thread.exception.as_mut()) {
            exception.level = level;
            exception.action = action;
            exception.reply = Some(reply);
        }
        self.enqueue(message);
        if level == Level::Thread && self.interrupt_this_exception(thread) {
            // kernel_mach_msg_rpc_common comes back with MACH_RCV_INTERRUPTED, and the message stays with the server.
            self.declined(thread, level);
        }
    }

    /// Whether this exception's message is to be interrupted (profile `interrupted`, or a test that asked for it).
    fn interrupt_this_exception(&mut self, thread: ThreadId) -> bool {
        let every = self.profile.interrupt_exception_every;
        let count = self.exceptions_raised;
        let Some(record) = self.threads.get_mut(&thread) else { return false };
        if record.exception.is_none() {
            return false;
        }
        std::mem::take(&mut record.injections.interrupt_exception) || every != 0 && count.is_multiple_of(every)
    }

    /// What the behavior brings along: control ports, or read ports where developer mode is off; or a token.
    fn identity_for(&mut self, thread: ThreadId, behavior: u32) -> Vec<Right> {
        let task = self.task_of(thread);
        if wire::is_protected(behavior) {
            return self.task_identity_port(task).iter().map(|port| Right::Send(port.make_send())).collect();
        }
        if !wire::has_control_ports(behavior) {
            return Vec::new();
        }
        let ports = if self.profile.developer_mode {
            let thread_port = self.threads.get(&thread).map(|thread| thread.port.clone());
            [thread_port, self.tasks.get(&task).map(|task| task.port.clone())]
        } else {
            [self.thread_read_port(thread), self.task_read_port(task)]
        };
        ports.iter().flatten().map(|port| Right::Send(port.make_send())).collect()
    }

    /// A message has come to the thread's reply port.
    pub(crate) fn exception_answered(&mut self, thread: ThreadId, mut message: Message) {
        let destination = std::mem::replace(&mut message.destination, Right::Null);
        let Some(record) = self.threads.get(&thread) else { return self.destroy_message(message) };
        let (tid, exception) = (record.tid, record.exception.as_ref());
        let port = destination.port();
        let expected = exception.is_some_and(|exception| {
            exception.reply.as_ref().is_some_and(|reply| port.is_some_and(|port| port.id == reply.id))
        });
        let Some(exception) = exception.filter(|_| expected) else { return self.destroy_message(message) };
        let (level, behavior, flavor) = (exception.level, exception.action.behavior, exception.action.flavor);
        // The right is used up with the port, which serves one exception.
        if let Some(reply) = self.take_reply_port(thread) {
            self.destroy_port(&reply);
        }
        let verdict = wire::parse_reply(&message, behavior, Registers::state_words(flavor));
        self.destroy_message(message);
        let handled = verdict.and_then(|reply| {
            if !wire::has_state(behavior) || !self.may_set_state(behavior) {
                return Ok(());
            }
            let mut registers = Registers::of(tid).ok_or(KERN_FAILURE)?;
            registers.set_state(reply.flavor, &reply.state)?;
            if registers.apply(tid) { Ok(()) } else { Err(KERN_FAILURE) }
        });
        match handled {
            Ok(()) => self.handled(thread, level),
            Err(_) => self.declined(thread, level),
        }
    }

    /// A new state counts only where the message brought a control port, or none (exception_deliver).
    fn may_set_state(&self, behavior: u32) -> bool {
        !wire::has_control_ports(behavior) || self.profile.developer_mode
    }

    fn take_reply_port(&mut self, thread: ThreadId) -> Option<PortRef> {
        self.threads.get_mut(&thread)?.exception.as_mut()?.reply.take()
    }

    fn handled(&mut self, thread: ThreadId, level: Level) {
        let task = self.task_of(thread);
        if let Some(task) = self.tasks.get_mut(&task) {
            match level {
                Level::Thread => task.counters.thread_level_handled += 1,
                Level::Task => task.counters.task_level_handled += 1,
            }
        }
        if let Some(record) = self.threads.get_mut(&thread) {
            record.exception = None;
            record.stop = Stop::AtSignal(0);
        }
        self.let_go(thread);
    }

    /// The level did not take it: the next one is asked.
    fn declined(&mut self, thread: ThreadId, level: Level) {
        if let Some(reply) = self.take_reply_port(thread) {
            self.destroy_port(&reply);
        }
        match level {
            Level::Thread => self.deliver(thread, Level::Task),
            Level::Task => self.become_signal(thread),
        }
    }

    /// The host level: ux_handler makes a signal of it, which Linux has ready.
    fn become_signal(&mut self, thread: ThreadId) {
        let like_a_mac = self.like_a_mac;
        let Some(record) = self.threads.get_mut(&thread) else { return };
        let Some(exception) = record.exception.take() else { return };
        let signal = if like_a_mac { signal_of(record.tid, &exception) } else { exception.signal };
        record.stop = Stop::AtSignal(signal);
        let task = record.task;
        if let Some(task) = self.tasks.get_mut(&task) {
            task.counters.became_signals += 1;
        }
        self.let_go(thread);
    }

    /// The thread has gone while its exception was on its way: its server's right to answer is a dead name now.
    pub(crate) fn abandon_exception(&mut self, thread: ThreadId) {
        let exception = self.threads.get_mut(&thread).and_then(|thread| thread.exception.take());
        if let Some(reply) = exception.and_then(|exception| exception.reply) {
            self.destroy_port(&reply);
        }
    }
}
