//! Threads: what Mach knows of them, and how they stand with the tracer.
//!
//! Invariant: a thread is in `Stop::Running` or `Stop::Parked` exactly while the Linux kernel may run it.

use std::rc::Rc;
use std::time::Instant;

use crate::constants::{KernReturn, Name};
use crate::exceptions::action::Actions;
use crate::exceptions::triage::Exception;
use crate::ipc::message::{Message, Right};
use crate::ipc::port::{Flavor, Home, KernelObject, PortKind, PortRef};
use crate::ipc::receive::{ReceiveRequest, Source};
use crate::kernel::Kernel;
use crate::machine::Registers;
use crate::task::TaskId;

/// How many Mach calls, of all processes, the name of an ended thread outlives it (`--like-a-mac`).
const LATE_NAMES_STAY: u64 = 10;

/// XNU's thread_id: never used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct ThreadId(pub(crate) u64);

/// What a thread waits for in a Mach call.
pub(crate) enum Wait {
    Receive {
        source: Source,
        request: ReceiveRequest,
    },
    /// Room in a queue.
    Send {
        message: Box<Message>,
        buffer: u64,
        receive: Option<ReceiveRequest>,
    },
}

/// How the thread stands with ptrace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    Running,
    /// It waits in a Mach call, inside of an interruptible system call of Linux.
    Parked,
    /// At the entry of its Mach call.
    AtCall,
    /// A signal is about to be delivered.
    AtSignal(i32),
    /// Any other stop, from which it goes on by itself.
    AtEvent,
}

pub(crate) struct Thread {
    pub(crate) tid: libc::pid_t,
    pub(crate) task: TaskId,
    pub(crate) port: PortRef,
    pub(crate) read_port: Option<PortRef>,
    pub(crate) actions: Actions,
    pub(crate) stop: Stop,
    /// The registers of a parked thread's call, which Linux has changed meanwhile on some machines.
    pub(crate) call: Option<Registers>,
    pub(crate) wait: Option<Wait>,
    pub(crate) deadline: Option<Instant>,
    /// The result of a call of a parked thread, for its next stop.
    pub(crate) result: Option<KernReturn>,
    pub(crate) exception: Option<Exception>,
    pub(crate) suspend_count: u32,
    /// Where the library's system call instruction is, as of the latest call.
    pub(crate) call_instruction: u64,
    pub(crate) mach_calls: u64,
    pub(crate) messages: Messages,
    /// It ends because it has asked for it, or for the end of its process.
    pub(crate) asked_for_the_end: bool,
    /// Set by simulated_mach.h.
    pub(crate) injections: Injections,
}

/// What the thread has received and sent by mach_msg, without trailers: simulated_messages_t.
#[derive(Clone, Copy, Default)]
pub(crate) struct Messages {
    pub(crate) received: u64,
    pub(crate) received_bytes: u64,
    pub(crate) sent: u64,
    pub(crate) sent_bytes: u64,
}

/// What is to go wrong next, for a test that asked for it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Injections {
    pub(crate) interrupt_exception: bool,
    pub(crate) interrupt_receive: bool,
    pub(crate) bypass_exception: bool,
}

impl Thread {
    /// The name that pthread_setname_np gave it, from Linux's table of threads.
    pub(crate) fn last_name(&self) -> String {
        crate::trace::process::thread_name(self.tid)
    }
}

impl Kernel {
    /// thread_create_internal, ipc_thread_init
    pub(crate) fn create_thread(&mut self, tid: libc::pid_t, task: TaskId) -> ThreadId {
        self.thread_count += 1;
        let id = ThreadId(self.thread_count);
        let port = self.new_control_port(KernelObject::Thread(id, Flavor::Control));
        let thread = Thread {
            tid,
            task,
            port,
            read_port: None,
            actions: Actions::default(),
            stop: Stop::Running,
            call: None,
            wait: None,
            deadline: None,
            result: None,
            exception: None,
            suspend_count: 0,
            call_instruction: 0,
            mach_calls: 0,
            messages: Messages::default(),
            asked_for_the_end: false,
            injections: Injections::default(),
        };
        self.threads.insert(id, thread);
        self.thread_by_tid.insert(tid, id);
        if let Some(task) = self.tasks.get_mut(&task) {
            task.threads.push(id);
        }
        id
    }

    pub(crate) fn task_of(&self, thread: ThreadId) -> TaskId {
        // A task that never was stands for that of a thread that is gone: it has no rights.
        self.threads.get(&thread).map_or(TaskId(0), |thread| thread.task)
    }

    /// The name of the thread's own port, with the reference that libpthread holds while the thread lives.
    pub(crate) fn name_thread(&mut self, thread: ThreadId) -> Name {
        let task = self.task_of(thread);
        let Some(port) = self.threads.get(&thread).map(|thread| Rc::clone(&thread.port)) else { return 0 };
        let named = self.tasks.get(&task).and_then(|task| task.space.send_name(&port));
        named.unwrap_or_else(|| {
            let right = Right::Send(port.make_send());
            self.copy_out(task, right).unwrap_or(0)
        })
    }

    /// convert_thread_read_to_port
    pub(crate) fn thread_read_port(&mut self, thread: ThreadId) -> Option<PortRef> {
        let made = self.threads.get(&thread)?.read_port.clone();
        let port = made.unwrap_or_else(|| {
            let kind = PortKind { immovable_send: self.profile.control_ports_stay_at_home(), ..PortKind::default() };
            self.new_port(Home::Kernel(KernelObject::Thread(thread, Flavor::Read)), kind)
        });
        self.threads.get_mut(&thread)?.read_port = Some(Rc::clone(&port));
        Some(port)
    }

    /// ipc_thread_reset, at exec: new ports, no exception ports.
    pub(crate) fn reset_thread_ports(&mut self, thread: ThreadId) {
        let port = self.new_control_port(KernelObject::Thread(thread, Flavor::Control));
        let Some(record) = self.threads.get_mut(&thread) else { return };
        let old = [Some(std::mem::replace(&mut record.port, port)), record.read_port.take()];
        let actions = record.actions.take_ports();
        old.iter().flatten().for_each(|port| self.destroy_port(port));
        actions.iter().for_each(|port| self.release_send(port));
    }

    /// thread_terminate_self, ipc_thread_terminate: it waits for nothing any more, its ports die, and what it held in
    /// its exception ports is released. libpthread's reference to its name goes with it (bsdthread_terminate).
    pub(crate) fn thread_ends(&mut self, thread: ThreadId) {
        if let Some(Wait::Send { message, .. }) = self.take_wait(thread) {
            self.destroy_message(*message);
        }
        self.abandon_exception(thread);
        let Some(mut record) = self.threads.remove(&thread) else { return };
        if self.thread_by_tid.get(&record.tid) == Some(&thread) {
            self.thread_by_tid.remove(&record.tid);
        }
        let named = self.tasks.get(&record.task).and_then(|task| task.space.send_name(&record.port));
        for port in [Some(Rc::clone(&record.port)), record.read_port.take()].iter().flatten() {
            self.destroy_port(port);
        }
        match named {
            Some(name) if self.like_a_mac => {
                self.late_names.push_back((self.calls_made + LATE_NAMES_STAY, record.task, name));
            }
            Some(name) => {
                let _ = self.deallocate_right(record.task, name);
            }
            None => (),
        }
        for port in record.actions.take_ports() {
            self.release_send(&port);
        }
        let name = record.last_name();
        let last = self.tasks.get_mut(&record.task).is_some_and(|task| {
            if record.mach_calls != 0 {
                *task.counters.calls.entry(name).or_default() += record.mach_calls;
            }
            task.counters.threads_cut_short += u64::from(!record.asked_for_the_end);
            task.threads.retain(|other| *other != thread);
            task.threads.is_empty()
        });
        if last {
            self.task_ends(record.task);
        }
    }

    /// uthread_joiner_wake (bsd/kern/kern_fork.c): who joins a thread is woken first, and the name of its port, which
    /// is a dead one by then, goes afterwards. Here it does so some calls later, so that whoever counts on it is found
    /// out.
    pub(crate) fn late_names_go(&mut self) {
        self.calls_made += 1;
        while let Some((call, task, name)) = self.late_names.front().copied()
            && call <= self.calls_made
        {
            self.late_names.pop_front();
            let _ = self.deallocate_right(task, name);
        }
    }

    /// All that are left of a task go at once.
    pub(crate) fn late_names_of(&mut self, task: TaskId) {
        for (call, owner, name) in std::mem::take(&mut self.late_names) {
            if owner == task {
                let _ = self.deallocate_right(owner, name);
            } else {
                self.late_names.push_back((call, owner, name));
            }
        }
    }

    /// Registers that the thread waits in a Mach call.
    pub(crate) fn wait(&mut self, thread: ThreadId, wait: Wait, deadline: Option<Instant>) {
        let Some(record) = self.threads.get_mut(&thread) else { return };
        record.wait = Some(wait);
        record.deadline = deadline;
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, thread));
        }
    }

    /// The waiting is over: nothing else ends it any more. The caller completes the call.
    pub(crate) fn take_wait(&mut self, thread: ThreadId) -> Option<Wait> {
        let record = self.threads.get_mut(&thread)?;
        let wait = record.wait.take()?;
        if let Some(deadline) = record.deadline.take() {
            self.deadlines.remove(&(deadline, thread));
        }
        self.leave_queues(thread, &wait);
        Some(wait)
    }
}
