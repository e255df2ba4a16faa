//! mach_port_*: what osfmk/ipc/mach_port.c checks before it does something, and how it answers.

use super::{Call, Handler, Outcome};
use crate::constants::*;
use crate::guard::Violation;
use crate::ipc::copyin::CopyinRules;
use crate::ipc::message::Right;
use crate::ipc::port::{Guard, PortKind, PortRef};
use crate::kernel::Kernel;

const MACH_PORT_LIMITS_INFO: u32 = 1;
const MACH_PORT_RECEIVE_STATUS: u32 = 2;
const MACH_PORT_DNREQUESTS_SIZE: u32 = 3;
/// mach_port_status_t in words.
const STATUS_WORDS: usize = 10;
const STATUS_FLAG_GUARDED: u32 = 0x02;
const STATUS_FLAG_STRICT_GUARD: u32 = 0x04;
const STATUS_FLAG_GUARD_IMMOVABLE_RECEIVE: u32 = 0x40;

type Answer = Result<Outcome, KernReturn>;

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "task_self" => task_self,
        "mach_reply_port" => mach_reply_port,
        "mach_port_allocate" => allocate,
        "mach_port_construct" => construct,
        "mach_port_destruct" => destruct,
        "mach_port_insert_right" => insert_right,
        "mach_port_extract_right" => extract_right,
        "mach_port_insert_member" => insert_member,
        "mach_port_extract_member" => extract_member,
        "mach_port_move_member" => move_member,
        "mach_port_mod_refs" => mod_refs,
        "mach_port_get_refs" => get_refs,
        "mach_port_deallocate" => deallocate,
        "mach_port_destroy" => destroy,
        "mach_port_type" => port_type,
        "mach_port_names" => names,
        "mach_port_get_context" => get_context,
        "mach_port_set_context" => set_context,
        "mach_port_get_attributes" => get_attributes,
        "mach_port_set_attributes" => set_attributes,
        "mach_port_guard" => guard,
        "mach_port_unguard" => unguard,
        "mach_port_request_notification" => request_notification,
        _ => return None,
    })
}

const DONE: Answer = Ok(Outcome::Done(KERN_SUCCESS));

/// The name is the result.
fn task_self(kernel: &mut Kernel, call: &Call) -> Answer {
    let named = kernel.tasks.get(&call.task).and_then(|task| task.space.send_name(&task.port));
    Ok(Outcome::Done(named.unwrap_or(MACH_PORT_NULL) as KernReturn))
}

fn mach_reply_port(kernel: &mut Kernel, call: &Call) -> Answer {
    let name = kernel.allocate_port(call.task, PortKind::default()).map_or(MACH_PORT_NULL, |(name, _)| name);
    Ok(Outcome::Done(name as KernReturn))
}

fn allocate(kernel: &mut Kernel, call: &Call) -> Answer {
    let task = kernel.space_argument(call)?;
    let name = kernel.allocate_right(task, call.word(1))?;
    if let Err(error) = kernel.put(call, 2, &[name]) {
        kernel.destroy_right(task, name)?;
        return Err(error);
    }
    DONE
}

/// mach_port_options_t: flags, queue limit, and what this kernel has no use for.
fn construct(kernel: &mut Kernel, call: &Call) -> Answer {
    let task = kernel.space_argument(call)?;
    let options = kernel.get_words(call, 1, 6)?;
    let name = kernel.construct_port(task, options[0], options[1], call.long(2))?;
    if let Err(error) = kernel.put(call, 3, &[name]) {
        kernel.destruct_right(task, name, 0, call.long(2))?;
        return Err(error);
    }
    DONE
}

/// A name that is not there is a violation (mach_port_mod_refs and others).
fn must_be_named(kernel: &mut Kernel, task: crate::task::TaskId, name: Name) -> Result<(), KernReturn> {
    if kernel.types_of(task, name).is_err() {
        kernel.violation(Violation::INVALID_NAME, name, 0);
        return Err(KERN_INVALID_NAME);
    }
    Ok(())
}

fn destruct(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name) = (kernel.space_argument(call)?, call.word(1));
    if !is_valid(name) {
        return Err(KERN_INVALID_NAME);
    }
    must_be_named(kernel, task, name)?;
    kernel.destruct_right(task, name, call.number(2), call.long(3)).map(|()| Outcome::Done(KERN_SUCCESS))
}

fn insert_right(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name, poly, disposition) = (kernel.space_argument(call)?, call.word(1), call.word(2), call.word(3));
    let rules = CopyinRules { immovable_send_ok: true, ..CopyinRules::default() };
    if !is_valid(poly) {
        return Err(KERN_INVALID_CAPABILITY);
    }
    let right = kernel.copy_in(task, poly, disposition, rules)?;
    if !is_valid(name) {
        kernel.release(right);
        return Err(KERN_INVALID_VALUE);
    }
    kernel.insert_right(task, name, right)?;
    DONE
}

fn extract_right(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name, disposition) = (kernel.space_argument(call)?, call.word(1), call.word(2));
    if !(MOVE_RECEIVE..=MAKE_SEND_ONCE).contains(&disposition) {
        return Err(KERN_INVALID_VALUE);
    }
    if !is_valid(name) {
        return Err(KERN_INVALID_RIGHT);
    }
    let own = task == call.task && disposition == COPY_SEND;
    let right =
        kernel.copy_in(task, name, disposition, CopyinRules { immovable_send_ok: own, ..Default::default() })?;
    let received = right.disposition();
    let extracted = kernel.copy_out(call.task, right)?;
    kernel.put(call, 3, &[extracted])?;
    kernel.put(call, 4, &[received])?;
    DONE
}

fn insert_member(kernel: &mut Kernel, call: &Call) -> Answer {
    let task = kernel.space_argument(call)?;
    Ok(kernel.insert_member(task, call.word(1), call.word(2)).into())
}

fn extract_member(kernel: &mut Kernel, call: &Call) -> Answer {
    let task = kernel.space_argument(call)?;
    Ok(kernel.extract_member(task, call.word(1), call.word(2)).into())
}

fn move_member(kernel: &mut Kernel, call: &Call) -> Answer {
    let task = kernel.space_argument(call)?;
    Ok(kernel.move_member(task, call.word(1), call.word(2)).into())
}

fn mod_refs(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name, right) = (kernel.space_argument(call)?, call.word(1), call.word(2));
    if right >= RIGHT_NUMBER {
        return Err(KERN_INVALID_VALUE);
    }
    if !is_valid(name) {
        let harmless = right == RIGHT_SEND || right == RIGHT_SEND_ONCE;
        return if harmless { DONE } else { Err(KERN_INVALID_NAME) };
    }
    if kernel.space(task)?.get(name).is_none() {
        kernel.violation(Violation::INVALID_NAME, name, 0);
        return Err(KERN_INVALID_NAME);
    }
    Ok(kernel.change_references(task, name, right, call.number(3)).into())
}

fn get_refs(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name, right) = (kernel.space_argument(call)?, call.word(1), call.word(2));
    if right >= RIGHT_NUMBER {
        return Err(KERN_INVALID_VALUE);
    }
    let references = if is_valid(name) {
        let types = kernel.types_of(task, name)?;
        let counted = kernel.space(task)?.get(name).map_or(0, |entry| entry.user_references);
        match right {
            _ if types & type_of_right(right) == 0 => 0,
            RIGHT_SEND | RIGHT_DEAD_NAME => counted,
            _ => 1,
        }
    } else if right == RIGHT_SEND || right == RIGHT_SEND_ONCE {
        1
    } else {
        return Err(KERN_INVALID_NAME);
    };
    kernel.put(call, 3, &[references])?;
    DONE
}

fn deallocate(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name) = (kernel.space_argument(call)?, call.word(1));
    if !is_valid(name) {
        return DONE;
    }
    must_be_named(kernel, task, name)?;
    Ok(kernel.deallocate_right(task, name).into())
}

fn destroy(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name) = (kernel.space_argument(call)?, call.word(1));
    if !is_valid(name) {
        return DONE;
    }
    must_be_named(kernel, task, name)?;
    Ok(kernel.destroy_right(task, name).into())
}

fn port_type(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name) = (kernel.space_argument(call)?, call.word(1));
    let types = match name {
        MACH_PORT_NULL => return Err(KERN_INVALID_NAME),
        MACH_PORT_DEAD => TYPE_DEAD_NAME,
        _ => shown_types(kernel, task, name)?,
    };
    kernel.put(call, 2, &[types])?;
    DONE
}

/// What a task sees of the types: no bookkeeping of the kernel's own, but whether a notification is asked for.
fn shown_types(kernel: &mut Kernel, task: crate::task::TaskId, name: Name) -> Result<u32, KernReturn> {
    let types = kernel.types_of(task, name)? & !TYPE_EX_RECEIVE;
    let port = kernel.space(task)?.get(name).and_then(|entry| entry.port());
    let requested = port.is_some_and(|port| {
        port.dead_name_requests.borrow().iter().any(|request| request.task == task && request.name == name)
    });
    Ok(if requested { types | TYPE_DEAD_NAME_REQUEST } else { types })
}

/// The library asks twice: with no room, for the number of names, and then for as many as it has room for.
fn names(kernel: &mut Kernel, call: &Call) -> Answer {
    let task = kernel.space_argument(call)?;
    let names: Vec<Name> = kernel.space(task)?.entries().map(|(name, _)| name).collect();
    let room = kernel.get_words(call, 3, 1)?[0] as usize;
    let mut types = Vec::new();
    for name in names.iter().take(room) {
        types.push(shown_types(kernel, task, *name)?);
    }
    kernel.put(call, 1, &names[..types.len()])?;
    kernel.put(call, 2, &types)?;
    kernel.put(call, 3, &[names.len() as u32])?;
    DONE
}

fn get_context(kernel: &mut Kernel, call: &Call) -> Answer {
    let task = kernel.space_argument(call)?;
    let port = kernel.receive_right_quietly(task, call.word(1))?;
    let context = if port.guard.get().strict { 0 } else { port.context.get() };
    kernel.put(call, 2, &[context as u32, (context >> 32) as u32])?;
    DONE
}

fn set_context(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name) = (kernel.space_argument(call)?, call.word(1));
    let port = kernel.receive_right_quietly(task, name)?;
    if port.guard.get().strict {
        kernel.violation(Violation::SET_CONTEXT, name, port.context.get());
        return Err(KERN_INVALID_ARGUMENT);
    }
    port.context.set(call.long(2));
    DONE
}

/// mach_port_get_status_helper
fn status(port: &PortRef) -> [u32; STATUS_WORDS] {
    let guard = port.guard.get();
    let mut flags = 0;
    if guard.guarded {
        flags |= STATUS_FLAG_GUARDED;
        flags |= if guard.strict { STATUS_FLAG_STRICT_GUARD } else { 0 };
        flags |= if port.immovable_receive.get() { STATUS_FLAG_GUARD_IMMOVABLE_RECEIVE } else { 0 };
    }
    [
        u32::from(!port.sets.borrow().is_empty()),
        port.sequence.get(),
        port.make_send_count.get(),
        port.queue_limit.get(),
        port.queue.borrow().len() as u32,
        port.send_once_rights.get(),
        u32::from(port.send_rights.get() != 0),
        0,
        u32::from(port.no_senders.borrow().is_some()),
        flags,
    ]
}

fn get_attributes(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name) = (kernel.space_argument(call)?, call.word(1));
    let room = kernel.get_words(call, 4, 1)?[0] as usize;
    let needed = match call.word(2) {
        MACH_PORT_LIMITS_INFO | MACH_PORT_DNREQUESTS_SIZE => 1,
        MACH_PORT_RECEIVE_STATUS => STATUS_WORDS,
        _ => return Err(KERN_INVALID_ARGUMENT),
    };
    if room < needed {
        return Err(KERN_FAILURE);
    }
    let port = kernel.receive_right_quietly(task, name)?;
    let words = match call.word(2) {
        MACH_PORT_LIMITS_INFO => vec![port.queue_limit.get()],
        MACH_PORT_DNREQUESTS_SIZE => vec![port.dead_name_requests.borrow().len() as u32],
        _ => status(&port).to_vec(),
    };
    kernel.put(call, 3, &words)?;
    kernel.put(call, 4, &[words.len() as u32])?;
    DONE
}

fn set_attributes(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name) = (kernel.space_argument(call)?, call.word(1));
    if call.word(2) != MACH_PORT_LIMITS_INFO {
        return Err(KERN_INVALID_ARGUMENT);
    }
    if call.word(4) < 1 {
        return Err(KERN_FAILURE);
    }
    let limit = kernel.get_words(call, 3, 1)?[0];
    if limit > QLIMIT_MAX {
        return Err(KERN_INVALID_VALUE);
    }
    let port = kernel.receive_right(task, name)?;
    port.queue_limit.set(limit);
    kernel.queue_has_room(&port);
    DONE
}

fn guard(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name) = (kernel.space_argument(call)?, call.word(1));
    let port = kernel.receive_right(task, name)?;
    if port.guard.get().guarded || port.context.get() != 0 {
        kernel.violation(Violation::INVALID_ARGUMENT, name, port.context.get());
        return Err(KERN_INVALID_ARGUMENT);
    }
    port.context.set(call.long(2));
    port.guard.set(Guard { guarded: true, strict: call.word(3) != 0 });
    DONE
}

fn unguard(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name) = (kernel.space_argument(call)?, call.word(1));
    let port = kernel.receive_right(task, name)?;
    if !port.guard.get().guarded {
        kernel.violation(Violation::UNGUARDED, name, 0);
        return Err(KERN_INVALID_ARGUMENT);
    }
    if port.context.get() != call.long(2) {
        kernel.violation(Violation::INCORRECT_GUARD, name, port.context.get());
        return Err(KERN_INVALID_ARGUMENT);
    }
    port.context.set(0);
    port.guard.set(Guard::default());
    DONE
}

/// The notify right is of the caller's space, and so is what comes back of an earlier request.
fn request_notification(kernel: &mut Kernel, call: &Call) -> Answer {
    let (task, name, id) = (kernel.space_argument(call)?, call.word(1), call.number(2));
    let (sync, notify, disposition) = (call.word(3), call.word(4), call.word(5));
    let notify = match notify {
        MACH_PORT_NULL => None,
        MACH_PORT_DEAD => return Err(KERN_INVALID_CAPABILITY),
        _ => match kernel.copy_in(call.task, notify, disposition, CopyinRules::default())? {
            Right::SendOnce(port) => Some(port),
            other => {
                kernel.release(other);
                return Err(KERN_INVALID_CAPABILITY);
            }
        },
    };
    let answer = match id {
        MACH_NOTIFY_NO_SENDERS => {
            kernel.receive_right_quietly(task, name).map(|port| kernel.request_no_senders(&port, sync, notify.clone()))
        }
        MACH_NOTIFY_DEAD_NAME if is_valid(name) => kernel.request_dead_name(task, name, sync != 0, notify.clone()),
        MACH_NOTIFY_DEAD_NAME => Err(KERN_INVALID_ARGUMENT),
        _ => Err(KERN_INVALID_VALUE),
    };
    match answer {
        Ok(previous) => {
            let previous = previous.map_or(Right::Null, Right::SendOnce);
            let name = kernel.copy_out(call.task, previous)?;
            kernel.put(call, 6, &[name])?;
            DONE
        }
        Err(error) => {
            if let Some(notify) = notify {
                kernel.notify_send_once(notify);
            }
            Err(error)
        }
    }
}
