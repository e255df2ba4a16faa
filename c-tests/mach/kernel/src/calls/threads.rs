//! thread_get_state and the other calls on threads (osfmk/kern/thread_act.c).

use std::rc::Rc;

use super::{Call, Handler, Outcome};
use crate::constants::*;
use crate::exceptions::policy;
use crate::guard::Violation;
use crate::ipc::message::Right;
use crate::ipc::port::Flavor;
use crate::kernel::Kernel;
use crate::machine::{self, Registers};
use crate::thread::{Stop, ThreadId};
use crate::trace::ptrace;

type Answer = Result<Outcome, KernReturn>;

const DONE: Answer = Ok(Outcome::Done(KERN_SUCCESS));

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "thread_self" => thread_self,
        "mach_thread_self" => mach_thread_self,
        "thread_get_state" => get_state,
        "thread_set_state" => set_state,
        "thread_suspend" => suspend,
        "thread_resume" => resume,
        "thread_terminate" => terminate,
        "task_threads" => task_threads,
        _ => return None,
    })
}

/// pthread_mach_thread_np: libpthread knows the name, and gives no reference away.
fn thread_self(kernel: &mut Kernel, call: &Call) -> Answer {
    Ok(Outcome::Done(kernel.name_thread(call.thread) as KernReturn))
}

/// thread_self_trap: one more reference of the name, which the caller owns.
fn mach_thread_self(kernel: &mut Kernel, call: &Call) -> Answer {
    kernel.name_thread(call.thread);
    let port = kernel.threads.get(&call.thread).map(|thread| Rc::clone(&thread.port)).ok_or(KERN_FAILURE)?;
    let name = kernel.copy_out(call.task, Right::Send(port.make_send()));
    Ok(Outcome::Done(name.unwrap_or(MACH_PORT_NULL) as KernReturn))
}

impl Kernel {
    /// Reads or changes the registers of any thread, which is held meanwhile. `action` says what they are to be.
    fn with_registers<T>(
        &mut self,
        thread: ThreadId,
        action: impl FnOnce(Registers) -> Result<(T, Option<Registers>), KernReturn>,
    ) -> Result<T, KernReturn> {
        self.threads.get_mut(&thread).ok_or(KERN_TERMINATED)?.suspend_count += 1;
        let held = self.stop_now(thread);
        let record = self.threads.get_mut(&thread).ok_or(KERN_TERMINATED)?;
        record.suspend_count -= 1;
        if !held {
            return Err(KERN_FAILURE);
        }
        // A parked thread shows the registers of its call, which it gets back when it goes on.
        let parked = record.call.is_some();
        let registers = if parked { record.call } else { Registers::of(record.tid) };
        let answer = action(registers.ok_or(KERN_TERMINATED)?);
        match answer {
            Ok((_, Some(changed))) if parked => record.call = Some(changed),
            Ok((_, Some(changed))) => {
                changed.apply(record.tid);
            }
            Ok((_, None)) | Err(_) => (),
        }
        // Only what this call has stopped goes on with it: an exception is on its way, a Mach call waits for its
        // result.
        if record.stop == Stop::AtEvent {
            self.let_go(thread);
        }
        answer.map(|(answer, _)| answer)
    }
}

fn get_state(kernel: &mut Kernel, call: &Call) -> Answer {
    let thread = kernel.thread_argument(call, Flavor::Read)?;
    if thread == call.thread {
        return Err(KERN_INVALID_ARGUMENT);
    }
    let flavor = call.word(1);
    let room = kernel.get_words(call, 3, 1)?[0] as usize;
    let state = kernel.with_registers(thread, |registers| match registers.state(flavor) {
        Some(state) => Ok((state, None)),
        None => Err(KERN_INVALID_ARGUMENT),
    })?;
    if state.len() > room {
        return Err(KERN_INVALID_ARGUMENT);
    }
    kernel.put(call, 2, &state)?;
    kernel.put(call, 3, &[state.len() as u32])?;
    DONE
}

/// What changes registers of a hardened program's thread is for exceptions only.
fn set_state(kernel: &mut Kernel, call: &Call) -> Answer {
    let thread = kernel.thread_argument(call, Flavor::Control)?;
    let (flavor, count) = (call.word(1), call.word(3) as usize);
    if thread == call.thread || count > machine::STATE_WORDS_MAX {
        return Err(KERN_INVALID_ARGUMENT);
    }
    let in_exception = kernel.threads.get(&thread).is_some_and(|thread| thread.exception.is_some());
    let guarded = policy::guards_thread_state(kernel.profile.release, &kernel.profile.program);
    if guarded && !in_exception && machine::changes_core_registers(flavor) {
        kernel.violation(Violation::THREAD_SET_STATE, MACH_PORT_NULL, 0);
        return Err(KERN_NO_ACCESS);
    }
    let state = kernel.get_words(call, 2, count)?;
    kernel.with_registers(thread, |mut registers| {
        registers.set_state(flavor, &state)?;
        Ok(((), Some(registers)))
    })?;
    DONE
}

/// A thread that suspends itself stops in its call, and has its result when it is resumed.
fn suspend(kernel: &mut Kernel, call: &Call) -> Answer {
    let thread = kernel.thread_argument(call, Flavor::Control)?;
    kernel.threads.get_mut(&thread).ok_or(KERN_TERMINATED)?.suspend_count += 1;
    if thread != call.thread && !kernel.stop_now(thread) {
        if let Some(record) = kernel.threads.get_mut(&thread) {
            record.suspend_count -= 1;
        }
        return Err(KERN_TERMINATED);
    }
    DONE
}

fn resume(kernel: &mut Kernel, call: &Call) -> Answer {
    let thread = kernel.thread_argument(call, Flavor::Control)?;
    let record = kernel.threads.get_mut(&thread).ok_or(KERN_TERMINATED)?;
    if record.suspend_count == 0 {
        return Err(KERN_FAILURE);
    }
    record.suspend_count -= 1;
    kernel.let_go(thread);
    DONE
}

/// The thread ends itself, by the library's own system call instruction.
fn terminate(kernel: &mut Kernel, call: &Call) -> Answer {
    let thread = kernel.thread_argument(call, Flavor::Control)?;
    let instruction = kernel.threads.get(&call.thread).ok_or(KERN_TERMINATED)?.call_instruction;
    if thread == call.thread {
        let record = kernel.threads.get_mut(&thread).ok_or(KERN_TERMINATED)?;
        let mut registers = Registers::of(record.tid).ok_or(KERN_TERMINATED)?;
        registers.exit_at(instruction);
        registers.apply(record.tid);
        record.stop = Stop::Running;
        ptrace::go_on(record.tid, 0);
        return Ok(Outcome::Gone);
    }
    kernel.abandon_exception(thread);
    if kernel.take_wait(thread).is_some() {
        // It is fetched from where it is parked, and does not see this.
        kernel.complete(thread, KERN_FAILURE);
        if let Some(record) = kernel.threads.get_mut(&thread) {
            record.stop = Stop::Running;
        }
    }
    kernel.threads.get_mut(&thread).ok_or(KERN_TERMINATED)?.suspend_count += 1;
    if !kernel.stop_now(thread) {
        return Err(KERN_TERMINATED);
    }
    let record = kernel.threads.get_mut(&thread).ok_or(KERN_TERMINATED)?;
    record.suspend_count = 0;
    let mut registers = Registers::of(record.tid).ok_or(KERN_TERMINATED)?;
    registers.exit_at(instruction);
    registers.apply(record.tid);
    record.call = None;
    record.stop = Stop::AtSignal(0);
    kernel.let_go(thread);
    DONE
}

/// The names of all threads' ports, each with a reference. The library asks with room for some, and again if there are
/// more, before any reference is given.
fn task_threads(kernel: &mut Kernel, call: &Call) -> Answer {
    let task = kernel.task_argument(call)?;
    let threads = kernel.tasks.get(&task).map(|task| task.threads.clone()).unwrap_or_default();
    let room = kernel.get_words(call, 2, 1)?[0] as usize;
    kernel.put(call, 2, &[threads.len() as u32])?;
    if threads.len() > room {
        return DONE;
    }
    let mut names = Vec::new();
    for thread in threads {
        let Some(port) = kernel.threads.get(&thread).map(|thread| Rc::clone(&thread.port)) else { continue };
        kernel.name_thread(thread);
        names.push(kernel.copy_out(call.task, Right::Send(port.make_send()))?);
    }
    kernel.put(call, 1, &names)?;
    DONE
}
