//! The loop: each stop of each thread, and what goes on after it.
//!
//! Invariant: every stop that waitpid reports ends in a continued thread, or in a thread that something in the kernel's
//! state will continue: a wait in a call, an exception on its way, a suspension.

use std::io;
use std::time::{Duration, Instant};

use super::{process, ptrace, signals};
use crate::calls::Outcome;
use crate::constants::MACH_SEND_TIMED_OUT;
use crate::constants::{KernReturn, MACH_RCV_INTERRUPTED, MACH_RCV_TIMED_OUT, MACH_SEND_INTERRUPTED};
use crate::kernel::Kernel;
use crate::machine::{self, Registers};
use crate::thread::{Stop, ThreadId, Wait};

/// Of signal-delivery-stops, only these can be exceptions.
fn is_fault_signal(signal: i32) -> bool {
    matches!(signal, libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE | libc::SIGTRAP)
}

impl Kernel {
    /// Until the program with this number has ended; its status, as waitpid tells it.
    pub(crate) fn run(&mut self, program: libc::pid_t) -> io::Result<i32> {
        let mut alarm = None;
        loop {
            let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
            if alarm != deadline {
                signals::set_alarm(deadline);
                alarm = deadline;
            }
            let mut status = 0;
            // SAFETY: the kernel writes the status there.
            let tid = unsafe { libc::waitpid(-1, &mut status, libc::__WALL) };
            if tid == -1 {
                let error = io::Error::last_os_error();
                if error.raw_os_error() != Some(libc::EINTR) {
                    return Err(error);
                }
            } else if libc::WIFSTOPPED(status) {
                self.stopped(tid, libc::WSTOPSIG(status), status >> 16);
            } else {
                if let Some(thread) = self.thread_by_tid.get(&tid).copied() {
                    self.thread_ends(thread);
                }
                if tid == program {
                    // What is left dies with the tracer.
                    let left: Vec<_> = self.tasks.keys().copied().collect();
                    left.into_iter().for_each(|task| {
                        if let Some(task) = self.tasks.get_mut(&task) {
                            task.counters.threads_cut_short += task.threads.len() as u64;
                        }
                        self.report_task(task);
                    });
                    return Ok(status);
                }
            }
            self.current = None;
            self.waits_run_out();
        }
    }

    fn waits_run_out(&mut self) {
        let now = Instant::now();
        while let Some((deadline, thread)) = self.deadlines.first().copied() {
            if deadline > now {
                return;
            }
            self.deadlines.pop_first();
            let result = match self.threads.get(&thread).and_then(|thread| thread.wait.as_ref()) {
                Some(Wait::Send { .. }) => MACH_SEND_TIMED_OUT,
                _ => MACH_RCV_TIMED_OUT,
            };
            self.finish_wait(thread, result);
        }
    }

    fn stopped(&mut self, tid: libc::pid_t, signal: i32, event: i32) {
        let Some(thread) = self.thread_by_tid.get(&tid).copied().or_else(|| self.discover(tid)) else {
            ptrace::go_on(tid, 0);
            return;
        };
        self.current = Some(thread);
        match event {
            0 => self.signal_arrives(thread, signal),
            libc::PTRACE_EVENT_SECCOMP => self.mach_call(thread),
            libc::PTRACE_EVENT_EXEC => self.executed(thread),
            libc::PTRACE_EVENT_EXIT => {
                let asks = Registers::of(tid).is_some_and(|registers| registers.asks_for_the_end());
                if let Some(thread) = self.threads.get_mut(&thread) {
                    thread.asked_for_the_end = asks;
                }
                self.thread_ends(thread);
                ptrace::go_on(tid, 0);
            }
            // A group-stop, which lasts until SIGCONT; unless the thread has a result to come back with.
            libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => {
                ptrace::listen(tid);
            }
            _ => {
                self.set_stop(thread, Stop::AtEvent);
                self.stands_still(thread);
            }
        }
    }

    /// A thread that has not been seen yet stops for the first time. Its process and its parent are asked of /proc,
    /// since its creator's own stop may come later, or never.
    fn discover(&mut self, tid: libc::pid_t) -> Option<ThreadId> {
        let pid = process::process_of(tid)?;
        if let Some(task) = self.task_by_pid.get(&pid).copied() {
            return Some(self.create_thread(tid, task));
        }
        let parent = process::parent_of(pid).and_then(|parent| self.task_by_pid.get(&parent).copied());
        let task = self.create_task(pid, parent);
        let thread = self.create_thread(tid, task);
        self.name_own_ports(task, thread);
        Some(thread)
    }

    /// exec: the threads of the process are gone, but for one, which has the process's number now.
    fn executed(&mut self, thread: ThreadId) {
        let Some((tid, task)) = self.threads.get(&thread).map(|thread| (thread.tid, thread.task)) else { return };
        let others = self.tasks.get(&task).map(|task| task.threads.clone()).unwrap_or_default();
        let survivor = self.create_thread(tid, task);
        others.into_iter().for_each(|other| self.thread_ends(other));
        // Their names go with the rest of the space.
        self.late_names.retain(|(_, owner, _)| *owner != task);
        self.current = Some(survivor);
        self.task_executes(task, survivor);
        self.set_stop(survivor, Stop::AtEvent);
        self.stands_still(survivor);
    }

    fn set_stop(&mut self, thread: ThreadId, stop: Stop) {
        if let Some(record) = self.threads.get_mut(&thread) {
            record.stop = stop;
        }
    }

    fn mach_call(&mut self, thread: ThreadId) {
        self.set_stop(thread, Stop::AtCall);
        match self.dispatch(thread) {
            Outcome::Done(result) => self.complete(thread, result),
            Outcome::Blocked => self.park(thread),
            Outcome::Gone => (),
        }
    }

    fn signal_arrives(&mut self, thread: ThreadId, signal: i32) {
        self.set_stop(thread, Stop::AtSignal(signal));
        self.interrupt_wait(thread);
        let Some(tid) = self.threads.get(&thread).map(|thread| thread.tid) else { return };
        if is_fault_signal(signal)
            && let Some(information) = ptrace::signal_information(tid)
            && information.si_code > 0
            && let Some(registers) = Registers::of(tid)
        {
            // SAFETY: all signals of faults have an address there, or zero.
            let address = unsafe { information.si_addr() } as u64;
            if let Some(fault) = machine::fault(tid, signal, information.si_code, address, &registers) {
                self.raise(thread, signal, fault);
                return;
            }
        }
        self.stands_still(thread);
    }

    /// A signal ends a thread's waiting in a Mach call, as THREAD_INTERRUPTED does (osfmk/ipc/ipc_mqueue.c).
    fn interrupt_wait(&mut self, thread: ThreadId) {
        let result = match self.threads.get(&thread).and_then(|thread| thread.wait.as_ref()) {
            Some(Wait::Send { .. }) => MACH_SEND_INTERRUPTED,
            Some(Wait::Receive { .. }) => MACH_RCV_INTERRUPTED,
            None => return self.come_back(thread),
        };
        self.finish_wait(thread, result);
    }

    /// The thread waits: it goes into a system call of Linux that a signal interrupts.
    fn park(&mut self, thread: ThreadId) {
        let Some(record) = self.threads.get_mut(&thread) else { return };
        let Some(mut registers) = Registers::of(record.tid) else { return };
        record.call = Some(registers);
        registers.park(record.tid);
        if registers.apply(record.tid) {
            record.stop = Stop::Parked;
            ptrace::go_on(record.tid, 0);
        }
    }

    /// The call of a thread is over. If it is parked, it is fetched from there first.
    pub(crate) fn complete(&mut self, thread: ThreadId, result: KernReturn) {
        let Some(record) = self.threads.get_mut(&thread) else { return };
        match record.stop {
            Stop::AtCall => {
                if let Some(mut registers) = Registers::of(record.tid) {
                    registers.finish_call(record.tid, result.into());
                    registers.apply(record.tid);
                }
                self.stands_still(thread);
            }
            Stop::Parked => {
                record.result = Some(result);
                ptrace::interrupt(record.tid);
            }
            Stop::AtSignal(_) | Stop::AtEvent => {
                record.result = Some(result);
                self.come_back(thread);
            }
            Stop::Running => (),
        }
    }

    /// A thread that was parked, and stands still, has its result now.
    fn come_back(&mut self, thread: ThreadId) {
        let Some(record) = self.threads.get_mut(&thread) else { return };
        if let Some(result) = record.result.take()
            && let Some(mut registers) = record.call.take()
        {
            registers.finish_call(record.tid, result.into());
            registers.apply(record.tid);
        }
    }

    /// The thread is stopped, and goes on unless something holds it.
    fn stands_still(&mut self, thread: ThreadId) {
        self.come_back(thread);
        self.let_go(thread);
    }

    /// Stops a thread whose suspend count has just been raised, before anything else happens (thread_stop of XNU waits
    /// so). A parked thread runs nothing and needs no stop. Linux does not stop a thread that waits for a vfork child.
    pub(crate) fn stop_now(&mut self, thread: ThreadId) -> bool {
        const PATIENCE: Duration = Duration::from_secs(1);
        const BETWEEN: Duration = Duration::from_micros(20);
        let Some(tid) = self.threads.get(&thread).map(|thread| thread.tid) else { return false };
        let until = Instant::now() + PATIENCE;
        let current = self.current;
        if self.threads.get(&thread).is_some_and(|thread| thread.stop == Stop::Running) {
            ptrace::interrupt(tid);
        }
        while self.threads.get(&thread).is_some_and(|thread| thread.stop == Stop::Running) {
            let mut status = 0;
            // SAFETY: the kernel writes the status there.
            match unsafe { libc::waitpid(tid, &mut status, libc::__WALL | libc::WNOHANG) } {
                0 if Instant::now() > until => return false,
                0 => std::thread::sleep(BETWEEN),
                -1 => return false,
                _ if libc::WIFSTOPPED(status) => self.stopped(tid, libc::WSTOPSIG(status), status >> 16),
                _ => self.thread_ends(thread),
            }
        }
        self.current = current;
        self.threads.contains_key(&thread)
    }

    /// Goes on, unless it is suspended or its exception is on its way.
    pub(crate) fn let_go(&mut self, thread: ThreadId) {
        let Some(record) = self.threads.get_mut(&thread) else { return };
        if record.suspend_count != 0 || record.exception.is_some() {
            return;
        }
        let signal = match record.stop {
            Stop::Running | Stop::Parked => return,
            Stop::AtSignal(signal) => signal,
            Stop::AtCall | Stop::AtEvent => 0,
        };
        // A thread that still waits goes back to where it was parked.
        record.stop = if record.call.is_some() { Stop::Parked } else { Stop::Running };
        ptrace::go_on(record.tid, signal);
    }
}
