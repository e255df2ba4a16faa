//! The state of the simulated kernel. It is one thread's, so that each call and each exception is atomic, as XNU's
//! locks make them.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs::File;
use std::time::Instant;

use crate::calls::CallTable;
use crate::constants::{KERN_NO_SPACE, KERN_RESOURCE_SHORTAGE, KernReturn, Name};
use crate::ipc::port::{Home, KernelObject, PortKind};
use crate::profile::{CrashReporter, Profile};
use crate::task::{Task, TaskId};
use crate::thread::{Thread, ThreadId};

pub(crate) struct Kernel {
    pub(crate) profile: Profile,
    /// Names of ended threads stay a while, and protected pages are SIGBUS (`--like-a-mac`).
    pub(crate) like_a_mac: bool,
    pub(crate) tasks: HashMap<TaskId, Task>,
    pub(crate) threads: HashMap<ThreadId, Thread>,
    pub(crate) task_by_pid: HashMap<libc::pid_t, TaskId>,
    pub(crate) thread_by_tid: HashMap<libc::pid_t, ThreadId>,
    /// current_thread(): on whose behalf the kernel acts.
    pub(crate) current: Option<ThreadId>,
    /// The Mach call that it is in, for messages to people.
    pub(crate) current_call: &'static str,
    pub(crate) call_table: CallTable,
    /// When waiting ends by itself, soonest first.
    pub(crate) deadlines: BTreeSet<(Instant, ThreadId)>,
    pub(crate) report: Option<File>,
    pub(crate) task_count: u64,
    pub(crate) thread_count: u64,
    pub(crate) port_count: u64,
    pub(crate) message_order: u64,
    pub(crate) exceptions_raised: u64,
    pub(crate) receives_blocked: u64,
    /// Names of the ports of ended threads, and after which call of all they go.
    pub(crate) late_names: VecDeque<(u64, TaskId, Name)>,
    pub(crate) calls_made: u64,
    /// Memory out of line that waits for the library to fetch it.
    pub(crate) kept_memory: HashMap<u64, (ThreadId, Vec<u8>)>,
    pub(crate) memory_count: u64,
}

impl Kernel {
    pub(crate) fn new(profile: Profile, like_a_mac: bool, report: Option<File>) -> Kernel {
        Kernel {
            profile,
            like_a_mac,
            tasks: HashMap::new(),
            threads: HashMap::new(),
            task_by_pid: HashMap::new(),
            thread_by_tid: HashMap::new(),
            current: None,
            current_call: "",
            call_table: CallTable::new(),
            deadlines: BTreeSet::new(),
            report,
            task_count: 0,
            thread_count: 0,
            port_count: 0,
            message_order: 0,
            exceptions_raised: 0,
            receives_blocked: 0,
            late_names: VecDeque::new(),
            calls_made: 0,
            kept_memory: HashMap::new(),
            memory_count: 0,
        }
    }

    /// The program itself, which has just been started: its own exec makes it what it is.
    pub(crate) fn adopt(&mut self, pid: libc::pid_t) {
        let task = self.create_task(pid, None);
        self.create_thread(pid, task);
    }

    /// Counts a port or port set that the task is about to get, and refuses it where the profile says so.
    pub(crate) fn ports_run_out(&mut self, task: TaskId) -> Result<(), KernReturn> {
        let limit = self.profile.port_limit;
        let Some(task) = self.tasks.get_mut(&task) else { return Ok(()) };
        task.ports_made += 1;
        match limit {
            Some(limit) if task.ports_made > limit => {
                Err(if task.ports_made % 2 == 0 { KERN_NO_SPACE } else { KERN_RESOURCE_SHORTAGE })
            }
            _ => Ok(()),
        }
    }

    /// What the first task is born with: the crash reporter's port, where the profile has one.
    pub(crate) fn first_task_actions(&mut self) -> crate::exceptions::action::Actions {
        let mut actions = crate::exceptions::action::Actions::default();
        if self.profile.crash_reporter != CrashReporter::None {
            let port = self.new_port(Home::Kernel(KernelObject::CrashReporter), PortKind::default());
            actions.set_crash_reporter(&port);
        }
        actions
    }

    /// Whether this wait for a message is to be interrupted (profile `interrupted`, or a test that asked for it).
    pub(crate) fn interrupt_this_receive(&mut self, thread: ThreadId) -> bool {
        let Some(record) = self.threads.get_mut(&thread) else { return false };
        if std::mem::take(&mut record.injections.interrupt_receive) {
            return true;
        }
        self.receives_blocked += 1;
        let every = self.profile.interrupt_receive_every;
        every != 0 && self.receives_blocked.is_multiple_of(every)
    }

    /// ipc_policy_allow_legacy_send_trap: mach_msg_trap is for translated programs only, these days.
    pub(crate) fn legacy_send_allowed(&self, _thread: ThreadId) -> bool {
        self.profile.program.translated
    }

    pub(crate) fn read_memory(&self, thread: ThreadId, address: u64, length: usize) -> Option<Vec<u8>> {
        crate::trace::memory::read(self.threads.get(&thread)?.tid, address, length)
    }

    #[must_use]
    pub(crate) fn write_memory(&self, thread: ThreadId, address: u64, bytes: &[u8]) -> bool {
        self.threads.get(&thread).is_some_and(|thread| crate::trace::memory::write(thread.tid, address, bytes))
    }

    /// Keeps memory out of line until the library has mapped room for it (calls/messages.rs).
    pub(crate) fn keep_memory(&mut self, thread: ThreadId, bytes: Vec<u8>) -> u64 {
        if bytes.is_empty() {
            return 0;
        }
        self.memory_count += 1;
        self.kept_memory.insert(self.memory_count, (thread, bytes));
        self.memory_count
    }
}
