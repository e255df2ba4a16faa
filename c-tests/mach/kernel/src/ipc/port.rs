//! A port: a message queue with one receive right, which is in a space, in a message or the kernel's own
//! (osfmk/ipc/ipc_port.h, struct ipc_port).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::message::Message;
use super::port_set::PortSet;
use crate::constants::{Name, QLIMIT_DEFAULT};
use crate::task::TaskId;
use crate::thread::ThreadId;

pub(crate) type PortRef = Rc<Port>;

/// What kind of right to a task or thread its port stands for (osfmk/mach/mach_types.h, TASK_FLAVOR_*).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flavor {
    Control,
    /// Enough to look, not to change: thread_set_state refuses it.
    Read,
}

/// The object of the kernel that a message to the port means (osfmk/kern/ipc_kobject.h).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KernelObject {
    Task(TaskId, Flavor),
    Thread(ThreadId, Flavor),
    /// IKOT_TASK_ID_TOKEN
    TaskIdentity(TaskId),
    /// Where a thread waits for the answer to its exception (thread->ith_kernel_reply_port).
    ExceptionReply(ThreadId),
    /// A crash reporter in a process of its own, which only the profile knows.
    CrashReporter,
}

/// Where the receive right is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Home {
    Space(TaskId, Name),
    InMessage,
    Kernel(KernelObject),
    /// The port is inactive: it has been destroyed.
    Dead,
}

/// mach_port_guard: who changes the receive right must know the context.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Guard {
    pub(crate) guarded: bool,
    /// The context cannot be changed by mach_port_set_context.
    pub(crate) strict: bool,
}

/// Somebody wants to hear when the port dies (ipc_port_request).
pub(crate) struct DeadNameRequest {
    pub(crate) task: TaskId,
    pub(crate) name: Name,
    /// A send-once right.
    pub(crate) notify: PortRef,
}

/// Of what kind the port was made; it never changes.
#[derive(Clone, Copy, Default)]
pub(crate) struct PortKind {
    /// The bit 0x8000 of mach_port_construct in kernels that know it: ip_is_id_prot_opted_out, later
    /// ip_is_exception_port.
    pub(crate) marked: bool,
    /// MPO_REPLY_PORT
    pub(crate) reply_port: bool,
    /// ip_is_immovable_send: a control port of a task, or of a thread in it, that is never sent in a message.
    pub(crate) immovable_send: bool,
    /// ip_is_pinned: the last reference is libpthread's.
    pub(crate) pinned: bool,
}

pub(crate) struct Port {
    pub(crate) id: u64,
    pub(crate) kind: PortKind,
    pub(crate) home: Cell<Home>,
    pub(crate) send_rights: Cell<u32>,
    pub(crate) send_once_rights: Cell<u32>,
    pub(crate) make_send_count: Cell<u32>,
    pub(crate) sequence: Cell<u32>,
    pub(crate) queue_limit: Cell<u32>,
    pub(crate) queue: RefCell<VecDeque<Message>>,
    pub(crate) context: Cell<u64>,
    pub(crate) guard: Cell<Guard>,
    /// ip_immovable_receive: only the end of the receive right clears it, the end of the guard does not.
    pub(crate) immovable_receive: Cell<bool>,
    pub(crate) sets: RefCell<Vec<Rc<PortSet>>>,
    /// A send-once right for the no-senders notification.
    pub(crate) no_senders: RefCell<Option<PortRef>>,
    pub(crate) dead_name_requests: RefCell<Vec<DeadNameRequest>>,
    pub(crate) waiting_receivers: RefCell<VecDeque<ThreadId>>,
    pub(crate) waiting_senders: RefCell<VecDeque<ThreadId>>,
}

impl Port {
    pub(crate) fn new(id: u64, home: Home, kind: PortKind) -> PortRef {
        Rc::new(Port {
            id,
            kind,
            home: Cell::new(home),
            send_rights: Cell::new(0),
            send_once_rights: Cell::new(0),
            make_send_count: Cell::new(0),
            sequence: Cell::new(0),
            queue_limit: Cell::new(QLIMIT_DEFAULT),
            queue: RefCell::default(),
            context: Cell::new(0),
            guard: Cell::default(),
            immovable_receive: Cell::default(),
            sets: RefCell::default(),
            no_senders: RefCell::default(),
            dead_name_requests: RefCell::default(),
            waiting_receivers: RefCell::default(),
            waiting_senders: RefCell::default(),
        })
    }

    /// ip_active
    pub(crate) fn is_active(&self) -> bool {
        self.home.get() != Home::Dead
    }

    pub(crate) fn kernel_object(&self) -> Option<KernelObject> {
        match self.home.get() {
            Home::Kernel(object) => Some(object),
            _ => None,
        }
    }

    /// The name of the receive right, if `task` has it.
    pub(crate) fn name_in(&self, task: TaskId) -> Option<Name> {
        match self.home.get() {
            Home::Space(owner, name) if owner == task => Some(name),
            _ => None,
        }
    }

    /// ipc_port_make_send: of the holder of the receive right.
    pub(crate) fn make_send(self: &Rc<Self>) -> PortRef {
        self.make_send_count.set(self.make_send_count.get() + 1);
        self.copy_send()
    }

    /// ipc_port_copy_send: one more where there is one; a dead port's rights are counted no more.
    pub(crate) fn copy_send(self: &Rc<Self>) -> PortRef {
        self.send_rights.set(self.send_rights.get() + 1);
        Rc::clone(self)
    }

    /// ipc_port_make_sonce
    pub(crate) fn make_send_once(self: &Rc<Self>) -> PortRef {
        self.send_once_rights.set(self.send_once_rights.get() + 1);
        Rc::clone(self)
    }
}
