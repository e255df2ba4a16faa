//! thread_ and task_{get,set,swap}_exception_ports (osfmk/kern/ipc_tt.c; osfmk/mach/thread_act.defs).

use super::{Call, Handler, Outcome};
use crate::constants::*;
use crate::exceptions::action::{Action, Group, Owner};
use crate::exceptions::policy::Setter;
use crate::guard::Violation;
use crate::ipc::copyin::CopyinRules;
use crate::ipc::message::Right;
use crate::ipc::port::{Flavor, PortRef};
use crate::kernel::Kernel;

/// MIG's arrays are as long as this, whatever count the caller has put there (exception_mask_array_t).
const ARRAY_MAX: usize = 32;

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "thread_get_exception_ports" => |kernel, call| get(kernel, call, thread),
        "thread_set_exception_ports" => |kernel, call| set(kernel, call, thread, Setter::ThreadSet),
        "thread_swap_exception_ports" => |kernel, call| swap(kernel, call, thread, Setter::ThreadSwap),
        "task_get_exception_ports" => |kernel, call| get(kernel, call, task),
        "task_set_exception_ports" => |kernel, call| set(kernel, call, task, Setter::TaskSet),
        "task_swap_exception_ports" => |kernel, call| swap(kernel, call, task, Setter::TaskSwap),
        _ => return None,
    })
}

type FindOwner = fn(&mut Kernel, &Call) -> Result<Owner, KernReturn>;

fn thread(kernel: &mut Kernel, call: &Call) -> Result<Owner, KernReturn> {
    kernel.thread_argument(call, Flavor::Control).map(Owner::Thread)
}

fn task(kernel: &mut Kernel, call: &Call) -> Result<Owner, KernReturn> {
    kernel.task_argument(call).map(Owner::Task)
}

/// The port comes as a descriptor of the request, copied, before the kernel looks at anything else.
pub(super) fn port_argument(kernel: &mut Kernel, call: &Call) -> Result<Option<PortRef>, KernReturn> {
    let name = call.word(2);
    if !is_valid(name) {
        return Ok(None);
    }
    let rules = CopyinRules { dead_ok: true, ..CopyinRules::default() };
    match kernel.copy_in(call.task, name, COPY_SEND, rules) {
        Ok(Right::Send(port)) => Ok(Some(port)),
        Ok(_) => Ok(None),
        Err(error) => {
            if error == KERN_INVALID_RIGHT || error == KERN_INVALID_NAME {
                kernel.violation(Violation::SEND_INVALID_RIGHT, name, 0);
            }
            Err(MACH_SEND_INVALID_RIGHT)
        }
    }
}

/// The new action, checked; its right is the caller's to use up.
fn new_action(kernel: &mut Kernel, call: &Call, setter: Setter) -> Result<Action, KernReturn> {
    let port = port_argument(kernel, call)?;
    let (mask, behavior, flavor) = (call.word(1), call.word(3), call.word(4));
    if let Err(error) = kernel.validate_exception_ports(setter, mask, port.as_ref(), behavior, flavor) {
        if let Some(port) = &port {
            kernel.release_send(port);
        }
        return Err(error);
    }
    Ok(Action { port, behavior, flavor })
}

fn set(kernel: &mut Kernel, call: &Call, owner: FindOwner, setter: Setter) -> Result<Outcome, KernReturn> {
    let owner = owner(kernel, call)?;
    let action = new_action(kernel, call, setter)?;
    Ok(kernel.set_actions(owner, call.word(1), action).into())
}

fn swap(kernel: &mut Kernel, call: &Call, owner: FindOwner, setter: Setter) -> Result<Outcome, KernReturn> {
    let owner = owner(kernel, call)?;
    let action = new_action(kernel, call, setter)?;
    let groups = kernel.swap_actions(owner, call.word(1), action, ARRAY_MAX)?;
    copy_out(kernel, call, groups, 5)
}

fn get(kernel: &mut Kernel, call: &Call, owner: FindOwner) -> Result<Outcome, KernReturn> {
    let owner = owner(kernel, call)?;
    let mask = call.word(1);
    if mask & !EXC_MASK_VALID != 0 {
        return Err(KERN_INVALID_ARGUMENT);
    }
    let groups = kernel.actions(owner).ok_or(KERN_FAILURE)?.get(mask, ARRAY_MAX);
    copy_out(kernel, call, groups, 2)
}

/// Masks, count, ports, behaviors and flavors, from this argument on.
fn copy_out(kernel: &mut Kernel, call: &Call, groups: Vec<Group>, at: usize) -> Result<Outcome, KernReturn> {
    let masks: Vec<u32> = groups.iter().map(|group| group.mask).collect();
    let behaviors: Vec<u32> = groups.iter().map(|group| group.action.behavior).collect();
    let flavors: Vec<u32> = groups.iter().map(|group| group.action.flavor).collect();
    let mut ports = Vec::new();
    for group in groups {
        let right = group.action.port.map_or(Right::Null, Right::Send);
        ports.push(kernel.copy_out(call.task, right)?);
    }
    kernel.put(call, at, &masks)?;
    kernel.put(call, at + 1, &[masks.len() as u32])?;
    kernel.put(call, at + 2, &ports)?;
    kernel.put(call, at + 3, &behaviors)?;
    kernel.put(call, at + 4, &flavors)?;
    Ok(Outcome::Done(KERN_SUCCESS))
}
