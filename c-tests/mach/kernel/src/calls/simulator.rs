//! simulated_mach.h: what only a simulator can tell or do.

use super::{Call, Handler, Outcome, exception_ports};
use crate::constants::*;
use crate::exceptions::action::{Action, Owner};
use crate::ipc::port::{Flavor, KernelObject};
use crate::kernel::Kernel;
use crate::thread::ThreadId;

type Answer = Result<Outcome, KernReturn>;

const DONE: Answer = Ok(Outcome::Done(KERN_SUCCESS));

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "simulated_rights" => rights,
        "simulated_thread_calls" => thread_calls,
        "simulated_thread_messages" => thread_messages,
        "simulated_exceptions" => exceptions,
        "simulated_inject" => inject,
        "simulated_profile" => profile,
        "simulated_set_exception_ports" => set_exception_ports,
        _ => return None,
    })
}

fn longs(kernel: &Kernel, call: &Call, argument: usize, numbers: &[u64]) -> Answer {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    kernel.put_bytes(call, call.long(argument), &bytes)?;
    DONE
}

/// simulated_rights_t
fn rights(kernel: &mut Kernel, call: &Call) -> Answer {
    let r = kernel.rights_of(call.task);
    let numbers =
        [r.receive, r.send_names, r.send_references, r.send_once, r.port_sets, r.dead_names, r.dead_references];
    longs(kernel, call, 0, &numbers)
}

/// A thread's port, or none for the caller; a thread of the caller's task need not be named by a right.
fn thread_meant(kernel: &mut Kernel, call: &Call) -> Result<ThreadId, KernReturn> {
    if call.word(0) == MACH_PORT_NULL {
        return Ok(call.thread);
    }
    match kernel.object_named(call, 0)? {
        Some(KernelObject::Thread(thread, Flavor::Control)) => Ok(thread),
        _ => Err(KERN_INVALID_ARGUMENT),
    }
}

fn thread_calls(kernel: &mut Kernel, call: &Call) -> Answer {
    let thread = thread_meant(kernel, call)?;
    let calls = kernel.threads.get(&thread).map_or(0, |thread| thread.mach_calls);
    longs(kernel, call, 1, &[calls])
}

/// simulated_messages_t
fn thread_messages(kernel: &mut Kernel, call: &Call) -> Answer {
    let thread = thread_meant(kernel, call)?;
    let m = kernel.threads.get(&thread).map(|thread| thread.messages).unwrap_or_default();
    longs(kernel, call, 1, &[m.received, m.received_bytes, m.sent, m.sent_bytes])
}

/// simulated_exceptions_t
fn exceptions(kernel: &mut Kernel, call: &Call) -> Answer {
    let Some(task) = kernel.tasks.get(&call.task) else { return Err(KERN_INVALID_TASK) };
    let c = &task.counters;
    let numbers = [
        c.thread_level,
        c.thread_level_handled,
        c.task_level,
        c.task_level_handled,
        c.became_signals,
        c.violations.len() as u64,
        c.behaviors_counted,
    ];
    longs(kernel, call, 0, &numbers)
}

/// A thread, and what is to happen to it next (simulated_mach.h, SIMULATED_*).
fn inject(kernel: &mut Kernel, call: &Call) -> Answer {
    const INTERRUPT_EXCEPTION: u32 = 1;
    const INTERRUPT_RECEIVE: u32 = 2;
    const BYPASS_EXCEPTION: u32 = 3;
    let thread = thread_meant(kernel, call)?;
    let record = kernel.threads.get_mut(&thread).ok_or(KERN_TERMINATED)?;
    match call.word(1) {
        INTERRUPT_EXCEPTION => record.injections.interrupt_exception = true,
        INTERRUPT_RECEIVE => record.injections.interrupt_receive = true,
        BYPASS_EXCEPTION => record.injections.bypass_exception = true,
        _ => return Err(KERN_INVALID_ARGUMENT),
    }
    DONE
}

/// thread_set_exception_ports without its validation, as SET_EXCEPTION_ENTITLEMENT has it.
fn set_exception_ports(kernel: &mut Kernel, call: &Call) -> Answer {
    let thread = thread_meant(kernel, call)?;
    let port = exception_ports::port_argument(kernel, call)?;
    let action = Action { port, behavior: call.word(3), flavor: call.word(4) };
    Ok(kernel.set_actions(Owner::Thread(thread), call.word(1), action).into())
}

/// The name of the profile, with its zero, if there is room for it.
fn profile(kernel: &mut Kernel, call: &Call) -> Answer {
    let name = [kernel.profile.name.as_bytes(), b"\0"].concat();
    if name.len() as u64 > call.long(1) {
        return Err(KERN_NO_SPACE);
    }
    kernel.put_bytes(call, call.long(0), &name)?;
    DONE
}
