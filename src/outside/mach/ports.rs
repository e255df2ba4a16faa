//! The threads' exception ports: going on top of what a thread has, and putting it back.
//!
//! A thread has one receive right of ours, with one send right, a member of the server's port set; its context is the
//! thread's record. Every right that a call hands out is released exactly once: in a hardened task a right released
//! twice is fatal (mach_port_guard_exception).
//!
//! All of this runs under the lock of the threads' list, so that a thread never gets a port that nobody serves.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use mach2::exception_types::*;
use mach2::kern_return::KERN_SUCCESS;
use mach2::mach_port::{mach_port_construct, mach_port_deallocate, mach_port_destruct};
use mach2::port::{MACH_PORT_NULL, MPO_INSERT_SEND_RIGHT, mach_port_limits_t, mach_port_options_t};
use mach2::thread_act::thread_set_exception_ports;
use mach2::traps::mach_task_self;

use super::Refusal;
use super::host::Use;
use super::policy::{Call, Port};
use super::system::{
    mach_port_insert_member, pthread_mach_thread_np, thread_get_exception_ports, thread_swap_exception_ports,
};
use crate::inside::mach::ports::{EXCEPTION_DEFAULT, put_back};
use crate::inside::mach::state::FLAVOR;
use crate::outside::error::{Failure, fail};
use crate::outside::lock::Locked;
use crate::shared::abi::*;
use crate::shared::mach::{EXCEPTION_TYPES, EarlierPort, EarlierPorts, SETTABLE_BEHAVIORS};
use crate::shared::thread::Thread;

/// The port set that the server receives from; 0 if there is no server. Changed under the lock of the threads' list.
pub(crate) static SET: AtomicU32 = AtomicU32::new(0);
/// The exceptions that are taken, EXC_MASK_*. Set before the server is started.
pub(crate) static MASK: AtomicU32 = AtomicU32::new(0);

/// Whether the threads' ports are opted out of the identity protection, and are put on by thread_set_exception_ports.
/// Written before the first port is made.
static OPTED_OUT: AtomicBool = AtomicBool::new(false);
static PUT_ON_BY_SET: AtomicBool = AtomicBool::new(false);

/// Keeps to what is safe in this process from now on.
pub(crate) fn adopt(how: &Use) {
    OPTED_OUT.store(how.release.port_to_use() == Port::OptedOut, Ordering::Relaxed);
    PUT_ON_BY_SET.store(how.release.call_to_use() == Call::Set, Ordering::Relaxed);
    SETTABLE_BEHAVIORS.store(how.release.settable_behaviors(how.is_hardened), Ordering::Relaxed);
}

/// Whether the threads' ports are opted out: for the description.
pub(crate) fn are_opted_out() -> bool {
    OPTED_OUT.load(Ordering::Relaxed)
}

/// What the kernel is asked for. It shows us no right.
const BEHAVIOR: exception_behavior_t = (EXCEPTION_STATE | MACH_EXCEPTION_CODES) as exception_behavior_t;

/// The exceptions of these kinds of fault (WASMTRAP_FAULT_*). EXC_BAD_INSTRUCTION is always among them: it is how the
/// embedder's fault handler comes back.
pub(crate) fn mask_of(kinds: u32) -> u32 {
    EXC_MASK_BAD_INSTRUCTION
        | kinds_and_masks().filter(|(kind, _)| kinds & kind != 0).fold(0, |all, (_, mask)| all | mask)
}

fn kinds_and_masks() -> impl Iterator<Item = (u32, u32)> {
    [
        (WASMTRAP_FAULT_MEMORY, EXC_MASK_BAD_ACCESS),
        (WASMTRAP_FAULT_ILLEGAL, EXC_MASK_BAD_INSTRUCTION),
        (WASMTRAP_FAULT_ARITHMETIC, EXC_MASK_ARITHMETIC),
        (WASMTRAP_FAULT_BREAKPOINT, EXC_MASK_BREAKPOINT),
    ]
    .into_iter()
}

fn check(call: &'static str, code: i32) -> Result<(), Refusal> {
    if code == KERN_SUCCESS { Ok(()) } else { Err(Refusal { call, code }) }
}

fn this_task() -> u32 {
    // SAFETY: reads a variable that libSystem sets up.
    unsafe { mach_task_self() }
}

fn this_threads_port() -> u32 {
    // SAFETY: this thread exists.
    unsafe { pthread_mach_thread_np(libc::pthread_self()) }
}

/// A receive right with one send right, to be put on a thread.
fn new_exception_port(context: u64) -> Result<u32, Refusal> {
    /// osfmk/mach/port.h of xnu-10002 and xnu-10063.
    const MPO_PROVISIONAL_ID_PROT_OPTOUT: u32 = 0x8000;
    new_port_with(context, if are_opted_out() { MPO_PROVISIONAL_ID_PROT_OPTOUT } else { 0 })
}

/// A receive right with one send right, for messages.
pub(crate) fn new_port(context: u64) -> Result<u32, Refusal> {
    new_port_with(context, 0)
}

fn new_port_with(context: u64, flags: u32) -> Result<u32, Refusal> {
    let mut options = mach_port_options_t {
        flags: MPO_INSERT_SEND_RIGHT | flags,
        mpl: mach_port_limits_t { mpl_qlimit: 0 },
        reserved: [0; 2],
    };
    let mut port = MACH_PORT_NULL;
    // SAFETY: both places are valid.
    let code = unsafe { mach_port_construct(this_task(), &raw mut options, context as _, &raw mut port) };
    check("mach_port_construct", code).map(|()| port)
}

/// Gives up such a port, all of it.
pub(crate) fn destroy_port(port: u32) {
    // SAFETY: a receive right of ours with one send right, used for the last time.
    unsafe { mach_port_destruct(this_task(), port, -1, 0) };
}

pub(crate) fn add_to_set(port: u32, set: u32) -> Result<(), Refusal> {
    // SAFETY: names of ours.
    check("mach_port_insert_member", unsafe { mach_port_insert_member(this_task(), port, set) })
}

fn release(entry: &EarlierPort) {
    if entry.is_port() {
        // SAFETY: a send right that swap or get handed out, released once. One whose port has died since is a dead
        // name, which is released in the same way.
        unsafe { mach_port_deallocate(this_task(), entry.port) };
    }
}

/// Puts a port of ours on a thread, and returns what was there.
fn put_on(thread_port: u32, mask: u32, port: u32) -> Result<EarlierPorts, Refusal> {
    if !PUT_ON_BY_SET.load(Ordering::Relaxed) {
        return swap_in(thread_port, mask, port);
    }
    let mut found = look_at(thread_port, mask)?;
    // A thread that never had a port shows no entries at all.
    let shown = found.iter().fold(0, |all, entry| all | entry.mask);
    if mask & !shown != 0 {
        found.push(EarlierPort { mask: mask & !shown, port: MACH_PORT_NULL, behavior: EXCEPTION_DEFAULT, flavor: 0 });
    }
    match set(thread_port, mask, port, BEHAVIOR, FLAVOR as i32) {
        Ok(()) => Ok(found),
        Err(refusal) => {
            found.iter().for_each(|entry| release(&entry));
            Err(refusal)
        }
    }
}

fn set(thread_port: u32, mask: u32, port: u32, behavior: i32, flavor: i32) -> Result<(), Refusal> {
    // SAFETY: names of rights that this task has; the kernel makes a right of its own.
    let code = unsafe { thread_set_exception_ports(thread_port, mask, port, behavior, flavor) };
    check("thread_set_exception_ports", code)
}

fn swap_in(thread_port: u32, mask: u32, port: u32) -> Result<EarlierPorts, Refusal> {
    let mut found = EarlierPorts { count: EXCEPTION_TYPES as u32, ..EarlierPorts::NONE };
    // SAFETY: the arrays have room for every exception type.
    let code = unsafe {
        thread_swap_exception_ports(
            thread_port,
            mask,
            port,
            BEHAVIOR,
            FLAVOR as i32,
            found.masks.as_mut_ptr(),
            &raw mut found.count,
            found.ports.as_mut_ptr(),
            found.behaviors.as_mut_ptr(),
            found.flavors.as_mut_ptr(),
        )
    };
    check("thread_swap_exception_ports", code).map(|()| found)
}

/// Whether the kernel lets this process have exception ports: sets one on this thread and takes it back.
pub(crate) fn try_out() -> Result<(), Refusal> {
    let port = new_exception_port(0)?;
    let result = try_on_this_thread(port);
    destroy_port(port);
    result
}

fn try_on_this_thread(port: u32) -> Result<(), Refusal> {
    let thread_port = this_threads_port();
    let now = look_at(thread_port, EXC_MASK_BAD_INSTRUCTION)?;
    let may_be_put_back = now.iter().all(|entry| entry.may_be_set());
    now.iter().for_each(|entry| release(&entry));
    // For no exception at all the kernel checks as much, and sets nothing (set_exception_ports_validation): an earlier
    // owner is not to lose its place to a trial.
    let mask = if may_be_put_back { EXC_MASK_BAD_INSTRUCTION } else { 0 };
    let found = put_on(thread_port, mask, port)?;
    let mut result = Ok(());
    for entry in found.iter() {
        let (port, behavior, flavor) = settable(&entry);
        result = result.and(set(thread_port, entry.mask, port, behavior, flavor));
        release(&entry);
    }
    result
}

/// What of an entry the kernel lets this process set.
fn settable(entry: &EarlierPort) -> (u32, i32, i32) {
    if entry.is_port() && entry.may_be_set() {
        (entry.port, entry.behavior, entry.flavor)
    } else {
        (MACH_PORT_NULL, EXCEPTION_DEFAULT, 0)
    }
}

/// Whether a thread that gets no port is an error: where no signal handlers are there for it, or Mach ports were asked
/// for and nothing else.
pub(crate) static REQUIRED: AtomicBool = AtomicBool::new(false);

/// Threads that got no port and go on with signals, and what the last of them was told: for the description.
pub(crate) static REFUSED: Locked<(usize, Option<Refusal>)> = Locked::new((0, None));

/// Gives this thread its port, or puts it back on top.
pub(crate) fn take_exceptions(thread: &Thread) -> Result<(), Failure> {
    let result = match thread.backend.port.load(Ordering::Relaxed) {
        0 => attach(thread),
        _ if thread.backend.stepped_aside.get() => go_on_top(thread),
        _ => Ok(()),
    };
    let Err(refusal) = result else { return Ok(()) };
    if REQUIRED.load(Ordering::Relaxed) {
        return Err(fail(WASMTRAP_ERR_SYSTEM, format_args!("the thread cannot get an exception port: {refusal}")));
    }
    let mut refused = REFUSED.lock();
    *refused = (refused.0 + 1, Some(refusal));
    Ok(())
}

/// Gives this thread a port and puts it on top, if there is a server.
fn attach(thread: &Thread) -> Result<(), Refusal> {
    let set = SET.load(Ordering::Relaxed);
    if set == 0 || thread.backend.port.load(Ordering::Relaxed) != 0 {
        return Ok(());
    }
    let port = new_exception_port(core::ptr::from_ref(thread).addr() as u64)?;
    thread.backend.thread_port.set(this_threads_port());
    thread.backend.port.store(port, Ordering::Relaxed);
    let result = add_to_set(port, set).and_then(|()| go_on_top(thread));
    if result.is_err() {
        thread.backend.port.store(0, Ordering::Relaxed);
        destroy_port(port);
    }
    result
}

/// Puts our port on top of what the thread has now, and remembers that.
pub(crate) fn go_on_top(thread: &Thread) -> Result<(), Refusal> {
    let mach = &thread.backend;
    let ours = mach.port.load(Ordering::Relaxed);
    if ours == 0 {
        return Ok(());
    }
    let found = put_on(mach.thread_port.get(), MASK.load(Ordering::Relaxed), ours)?;
    mach.stepped_aside.set(false);
    // SAFETY: this thread's, which has no exception now.
    let earlier = unsafe { &mut *mach.earlier.get() };
    let mut now = EarlierPorts::NONE;
    let mut still_ours = 0;
    for entry in found.iter() {
        if entry.port == ours {
            still_ours |= entry.mask;
            release(&entry);
        } else {
            now.push(entry);
        }
    }
    // What lay below ours, where ours was in place, still does.
    for entry in earlier.iter() {
        match entry.mask & still_ours {
            0 => release(&entry),
            mask => now.push(EarlierPort { mask, ..entry }),
        }
    }
    *earlier = now;
    Ok(())
}

/// The exception ports that a thread has now, for the exceptions that are taken. The rights are the caller's.
fn look(thread: &Thread) -> Result<EarlierPorts, Refusal> {
    look_at(thread.backend.thread_port.get(), MASK.load(Ordering::Relaxed))
}

fn look_at(thread_port: u32, mask: u32) -> Result<EarlierPorts, Refusal> {
    let mut found = EarlierPorts { count: EXCEPTION_TYPES as u32, ..EarlierPorts::NONE };
    // SAFETY: the arrays have room for every exception type.
    let code = unsafe {
        thread_get_exception_ports(
            thread_port,
            mask,
            found.masks.as_mut_ptr(),
            &raw mut found.count,
            found.ports.as_mut_ptr(),
            found.behaviors.as_mut_ptr(),
            found.flavors.as_mut_ptr(),
        )
    };
    check("thread_get_exception_ports", code).map(|()| found)
}

/// The exceptions for which the thread has our port, `ours`, and those for which it has another or none.
fn ours_and_others(thread: &Thread, ours: u32) -> Result<(u32, u32), Refusal> {
    let found = look(thread)?;
    Ok(found.iter().fold((0, 0), |(mine, others), entry| {
        release(&entry);
        if entry.port == ours { (mine | entry.mask, others) } else { (mine, others | entry.mask) }
    }))
}

/// The kinds of fault that another port than ours sees first on this thread.
pub(crate) fn displaced(thread: &Thread) -> Result<u32, Refusal> {
    let mach = &thread.backend;
    let ours = mach.port.load(Ordering::Relaxed);
    if ours == 0 || mach.stepped_aside.get() {
        return Ok(0);
    }
    let (_, lost) = ours_and_others(thread, ours)?;
    Ok(kinds_and_masks().filter(|(_, mask)| lost & mask != 0).fold(0, |all, (kind, _)| all | kind))
}

/// Takes our port off the thread: what was there before comes back, but for what somebody has put on top of ours since.
///
/// The thread is this one; or the server has ended, and the thread is in no protected call.
pub(crate) fn take_back(thread: &Thread) {
    let mach = &thread.backend;
    let ours = mach.port.load(Ordering::Relaxed);
    if ours == 0 {
        return;
    }
    // SAFETY: see above; the server does not look at it any more.
    let earlier = unsafe { &mut *mach.earlier.get() };
    if !mach.stepped_aside.get() {
        // What somebody has put on top of ours is never touched: in a hardened process it could not be put back.
        // If the thread is gone, so are its exception ports, and there is nothing to put back.
        if let Ok((ours_in, _)) = ours_and_others(thread, ours) {
            let mut restored = EarlierPorts::NONE;
            for entry in earlier.iter() {
                match entry.mask & ours_in {
                    0 => release(&entry),
                    mask => restored.push(EarlierPort { mask, ..entry }),
                }
            }
            *earlier = restored;
            // SAFETY: as above.
            unsafe { put_back(thread) };
        }
    }
    for entry in earlier.iter() {
        release(&entry);
    }
    *earlier = EarlierPorts::NONE;
    mach.port.store(0, Ordering::Relaxed);
    mach.stepped_aside.set(false);
    destroy_port(ours);
}

/// For a forked child, which has none of the ports: the names mean nothing here.
pub(crate) fn forget(thread: &Thread) {
    thread.backend.port.store(0, Ordering::Relaxed);
    thread.backend.stepped_aside.set(false);
    // SAFETY: this thread's; the child has no server.
    unsafe { *thread.backend.earlier.get() = EarlierPorts::NONE };
}
