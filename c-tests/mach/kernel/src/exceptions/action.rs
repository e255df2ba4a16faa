//! Exception actions: for each type of exception a port, a behavior and a flavor, of a thread or of a task
//! (struct exception_action). Each port is a send right.

use std::rc::Rc;

use crate::constants::*;
use crate::ipc::port::PortRef;
use crate::kernel::Kernel;

#[derive(Clone, Default)]
pub(crate) struct Action {
    pub(crate) port: Option<PortRef>,
    pub(crate) behavior: u32,
    pub(crate) flavor: u32,
}

impl Action {
    fn is_same(&self, other: &Action) -> bool {
        let same_port = match (&self.port, &other.port) {
            (Some(one), Some(other)) => Rc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        same_port && self.behavior == other.behavior && self.flavor == other.flavor
    }
}

/// Some exception types that have the same action.
pub(crate) struct Group {
    pub(crate) mask: u32,
    /// With a send right of its own.
    pub(crate) action: Action,
}

#[derive(Default)]
pub(crate) struct Actions([Action; EXC_TYPES_COUNT]);

impl Actions {
    pub(crate) fn of(&self, exception: u32) -> Option<&Action> {
        self.0.get(exception as usize)
    }

    /// The child's, at fork: send rights of its own (ipc_task_init).
    pub(crate) fn inherited(&self) -> Actions {
        self.0.iter().flat_map(|action| &action.port).for_each(|port| {
            port.copy_send();
        });
        Actions(self.0.clone())
    }

    /// All of the ports, whose rights are the caller's now.
    pub(crate) fn take_ports(&mut self) -> Vec<PortRef> {
        std::mem::take(self).0.into_iter().filter_map(|action| action.port).collect()
    }

    pub(crate) fn set_crash_reporter(&mut self, port: &PortRef) {
        for action in &mut self.0[FIRST_EXCEPTION..] {
            *action =
                Action { port: Some(port.copy_send()), behavior: EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES, flavor: 0 };
        }
    }

    /// Equal actions together, at most `limit` groups; the types that were looked at for it.
    fn groups(&self, mask: u32, limit: usize) -> (Vec<Group>, u32) {
        let mut groups: Vec<Group> = Vec::new();
        let mut looked_at = 0;
        for exception in FIRST_EXCEPTION..EXC_TYPES_COUNT {
            let bit = 1 << exception;
            // XNU stops where the arrays are full, even if the type would join a group that is there.
            if groups.len() >= limit {
                break;
            }
            if mask & bit == 0 {
                continue;
            }
            looked_at |= bit;
            let action = &self.0[exception];
            match groups.iter_mut().find(|group| group.action.is_same(action)) {
                Some(group) => group.mask |= bit,
                None => {
                    let action = Action { port: action.port.as_ref().map(|port| port.copy_send()), ..action.clone() };
                    groups.push(Group { mask: bit, action });
                }
            }
        }
        (groups, looked_at)
    }

    /// thread_get_exception_ports
    pub(crate) fn get(&self, mask: u32, limit: usize) -> Vec<Group> {
        self.groups(mask, limit).0
    }

    /// thread_set_exception_ports: the ports that were there before.
    fn set(&mut self, mask: u32, new: &Action) -> Vec<PortRef> {
        let mut old = Vec::new();
        for (exception, action) in self.0.iter_mut().enumerate().skip(FIRST_EXCEPTION) {
            if mask & 1 << exception != 0 {
                old.extend(action.port.take());
                *action = Action { port: new.port.as_ref().map(|port| port.copy_send()), ..new.clone() };
            }
        }
        old
    }
}

/// Whose actions.
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    Thread(crate::thread::ThreadId),
    Task(crate::task::TaskId),
}

impl Kernel {
    pub(crate) fn actions(&mut self, owner: Owner) -> Option<&mut Actions> {
        match owner {
            Owner::Thread(thread) => self.threads.get_mut(&thread).map(|thread| &mut thread.actions),
            Owner::Task(task) => self.tasks.get_mut(&task).map(|task| &mut task.actions),
        }
    }

    /// thread/task_set_exception_ports. The right in `new` is used up.
    pub(crate) fn set_actions(&mut self, owner: Owner, mask: u32, new: Action) -> Result<(), KernReturn> {
        let old = self.actions(owner).ok_or(KERN_FAILURE)?.set(mask, &new);
        old.iter().chain(&new.port).for_each(|port| self.release_send(port));
        Ok(())
    }

    /// thread/task_swap_exception_ports
    pub(crate) fn swap_actions(
        &mut self,
        owner: Owner,
        mask: u32,
        new: Action,
        limit: usize,
    ) -> Result<Vec<Group>, KernReturn> {
        let actions = self.actions(owner).ok_or(KERN_FAILURE)?;
        let (groups, looked_at) = actions.groups(mask, limit);
        let old = actions.set(looked_at, &new);
        old.iter().chain(&new.port).for_each(|port| self.release_send(port));
        Ok(groups)
    }
}
