//! Tasks: what Mach knows of a process (osfmk/kern/task.c, osfmk/kern/ipc_tt.c).

use std::rc::Rc;

use crate::exceptions::action::Actions;
use crate::ipc::message::{Right, Sender};
use crate::ipc::port::{Flavor, Home, KernelObject, PortKind, PortRef};
use crate::ipc::space::Space;
use crate::kernel::Kernel;
use crate::report::Counters;
use crate::thread::ThreadId;

/// Never used again, other than a process's number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct TaskId(pub(crate) u64);

pub(crate) struct Task {
    pub(crate) id: TaskId,
    pub(crate) pid: libc::pid_t,
    pub(crate) space: Space,
    /// The control port: mach_task_self().
    pub(crate) port: PortRef,
    /// Made when it is asked for: itk_task_ports[TASK_FLAVOR_READ], and the identity token's.
    pub(crate) read_port: Option<PortRef>,
    pub(crate) identity_port: Option<PortRef>,
    pub(crate) actions: Actions,
    pub(crate) threads: Vec<ThreadId>,
    /// False until the simulator's own child becomes the program.
    pub(crate) has_program: bool,
    /// It was made by fork, and has not called exec (no P_EXEC in its flags).
    pub(crate) forked: bool,
    pub(crate) ports_made: u64,
    pub(crate) counters: Counters,
}

impl Kernel {
    /// task_create_internal and ipc_task_init: a space with nothing but the ports of the task itself and of its first
    /// thread, which come with it; the exception ports of the parent's task level, not of any thread.
    pub(crate) fn create_task(&mut self, pid: libc::pid_t, parent: Option<TaskId>) -> TaskId {
        self.task_count += 1;
        let id = TaskId(self.task_count);
        let port = self.new_control_port(KernelObject::Task(id, Flavor::Control));
        let actions = match parent.and_then(|parent| self.tasks.get(&parent)) {
            Some(parent) => parent.actions.inherited(),
            None => self.first_task_actions(),
        };
        let task = Task {
            id,
            pid,
            space: Space::new(),
            port,
            read_port: None,
            identity_port: None,
            actions,
            threads: Vec::new(),
            has_program: parent.is_some(),
            forked: parent.is_some(),
            ports_made: 0,
            counters: Counters::default(),
        };
        self.tasks.insert(id, task);
        self.task_by_pid.insert(pid, id);
        id
    }

    /// A control port, immovable and pinned as the program's kind wants it (ipc_task_set_immovable_pinned).
    pub(crate) fn new_control_port(&mut self, object: KernelObject) -> PortRef {
        let kind = PortKind {
            immovable_send: self.profile.control_ports_stay_at_home(),
            pinned: self.profile.control_ports_stay_at_home(),
            ..PortKind::default()
        };
        self.new_port(Home::Kernel(object), kind)
    }

    /// mach_init: the process's first names are its main thread's and its own.
    pub(crate) fn name_own_ports(&mut self, task: TaskId, main_thread: ThreadId) {
        self.name_thread(main_thread);
        let Some(port) = self.tasks.get(&task).map(|task| Rc::clone(&task.port)) else { return };
        let right = Right::Send(port.make_send());
        let _ = self.copy_out(task, right);
    }

    /// convert_task_read_to_port
    pub(crate) fn task_read_port(&mut self, task: TaskId) -> Option<PortRef> {
        let made = self.tasks.get(&task)?.read_port.clone();
        let port = made.unwrap_or_else(|| {
            let kind = PortKind { immovable_send: self.profile.control_ports_stay_at_home(), ..PortKind::default() };
            self.new_port(Home::Kernel(KernelObject::Task(task, Flavor::Read)), kind)
        });
        self.tasks.get_mut(&task)?.read_port = Some(Rc::clone(&port));
        Some(port)
    }

    /// convert_task_id_token_to_port
    pub(crate) fn task_identity_port(&mut self, task: TaskId) -> Option<PortRef> {
        let made = self.tasks.get(&task)?.identity_port.clone();
        let object = KernelObject::TaskIdentity(task);
        let port = made.unwrap_or_else(|| self.new_port(Home::Kernel(object), PortKind::default()));
        self.tasks.get_mut(&task)?.identity_port = Some(Rc::clone(&port));
        Some(port)
    }

    /// The process number and user as an audit token has them (osfmk/mach/message.h, audit_token_t; set_audit_token).
    pub(crate) fn sender_of(&self, task: TaskId) -> Sender {
        let Some(task) = self.tasks.get(&task) else { return Sender::KERNEL };
        let (user, group) = crate::trace::process::user_and_group(task.pid);
        let pid = task.pid as u32;
        Sender { security_token: [user, group], audit_token: [user, user, group, user, group, pid, 0, 1] }
    }

    /// exec: a new program in the same process begins with a new space; the task level's exception ports stay
    /// (bsd/kern/kern_exec.c, exec_handle_exception_policy; ipc_task_init inherits them).
    pub(crate) fn task_executes(&mut self, task: TaskId, main_thread: ThreadId) {
        self.report_task(task);
        self.terminate_space(task);
        let port = self.new_control_port(KernelObject::Task(task, Flavor::Control));
        let old = {
            let Some(record) = self.tasks.get_mut(&task) else { return };
            record.space = Space::new();
            record.has_program = true;
            record.forked = false;
            record.ports_made = 0;
            record.counters = Counters::default();
            let ports = [record.read_port.take(), record.identity_port.take()];
            let control = std::mem::replace(&mut record.port, port);
            [Some(control), ports[0].clone(), ports[1].clone()]
        };
        old.iter().flatten().for_each(|port| self.destroy_port(port));
        self.reset_thread_ports(main_thread);
        self.name_own_ports(task, main_thread);
    }

    /// The last thread is gone (task_terminate_internal, ipc_task_terminate).
    pub(crate) fn task_ends(&mut self, task: TaskId) {
        self.report_task(task);
        self.terminate_space(task);
        let Some(mut record) = self.tasks.remove(&task) else { return };
        if self.task_by_pid.get(&record.pid) == Some(&task) {
            self.task_by_pid.remove(&record.pid);
        }
        for port in record.actions.take_ports() {
            self.release_send(&port);
        }
        for port in [Some(record.port), record.read_port, record.identity_port].iter().flatten() {
            self.destroy_port(port);
        }
    }
}
