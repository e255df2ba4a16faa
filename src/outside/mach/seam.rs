//! What `outside::exceptions` wants of a backend, by Mach exception ports.

use core::fmt;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::{Refusal, describe as lines, host, policy, ports, records, server, system};
use crate::arch;
use crate::outside::error::{self, Failure, fail};
use crate::outside::obstacle::Obstacle;
use crate::outside::threads::{alternate_stack, list};
use crate::shared::abi::*;
use crate::shared::mach::{EPOCH, MachThread};
use crate::shared::thread::Thread;

/// This system has them.
pub(crate) const EXIST: bool = true;

/// Whether Mach ports can be had in this process: why they are safe, or what is in the way. Nothing that this asks can
/// harm the process.
pub(crate) fn possible() -> Result<&'static str, Obstacle> {
    let how = system::look().verdict()?;
    ports::adopt(&how);
    ports::try_out().map(|()| how.because).map_err(|refusal| {
        let why = match how.release.port_to_use() {
            policy::Port::Plain => "the kernel refuses exception ports to this process",
            policy::Port::OptedOut => {
                "the kernel refuses this process exception ports that are opted out of the identity protection \
                 (MPO_PROVISIONAL_ID_PROT_OPTOUT), and on macOS 14 no others are safe"
            }
        };
        Obstacle::because_of(why, refusal)
    })
}

/// Starts the server. `must_not_be_signals`: a thread that gets no port cannot go on with signals.
pub(crate) fn start(kinds: u32, must_not_be_signals: bool) -> Result<(), Obstacle> {
    ports::REQUIRED.store(must_not_be_signals, Ordering::Relaxed);
    server::start(kinds)
        .map_err(|refusal| Obstacle::because_of("the server of the exception ports cannot be started", refusal))
}

pub(crate) use server::{extend, stop};

/// Our signal handlers are about to be put on top.
pub(crate) fn signals_go_on_top() {
    EPOCH.fetch_add(1, Ordering::SeqCst);
}

/// Gives this thread its port, or puts it back on top.
pub(crate) fn attach(thread: &Thread) -> Result<(), Failure> {
    ports::take_exceptions(thread)
}

pub(crate) fn detach(thread: &Thread) {
    ports::take_back(thread);
}

/// This thread's record, if it is attached.
pub(super) fn current() -> Option<&'static Thread> {
    // SAFETY: null or this thread's record, which only this thread frees.
    unsafe { arch::current_thread().as_ref() }
}

pub(crate) fn check() -> Result<u32, Failure> {
    current().map_or(Ok(0), ports::displaced).map_err(failure)
}

pub(crate) fn rearm() -> Result<(), Failure> {
    list::locked(|_| current().map_or(Ok(()), ports::go_on_top)).map_err(failure)
}

fn failure(refusal: Refusal) -> Failure {
    fail(WASMTRAP_ERR_SYSTEM, format_args!("{refusal}"))
}

/// The child has neither the ports nor the server.
pub(crate) fn fork_in_child() -> Option<&'static str> {
    server::forget();
    Some(host::FORKED)
}

pub(crate) fn forget_thread(thread: &Thread) {
    ports::forget(thread);
}

pub(crate) fn describe_host(out: &mut impl fmt::Write) -> fmt::Result {
    lines::write_host(out)
}

pub(crate) fn describe(out: &mut impl fmt::Write) -> fmt::Result {
    lines::write_ports(out)
}

/// The Mach half of a record, with the stack on which the embedder's fault handler runs.
pub(crate) fn new_thread_half() -> Result<MachThread, Failure> {
    // The kernel may refuse the thread's port, which is asked for with the list's lock held.
    error::make_room();
    let mach = MachThread::new();
    let size = alternate_stack::size() + mach.vector_state_size;
    let stack = alternate_stack::map_stack(size, "the fault handler's stack")?;
    mach.callback_stack.set(stack.mapping);
    mach.callback_stack_size.set(stack.mapping_size);
    Ok(mach)
}

pub(crate) fn kept_record() -> Option<NonNull<Thread>> {
    records::take()
}

/// # Safety
/// The memory of a record that nobody has seen, or that `kept_record` gave.
pub(crate) unsafe fn give_back_memory(record: NonNull<Thread>) {
    records::keep(record);
}

/// # Safety
/// The record is on no list, and no handler can find it. Its Mach half was made by `new_thread_half`.
pub(crate) unsafe fn free_record(record: NonNull<Thread>) {
    // SAFETY: the caller's promise.
    let mach = unsafe { &record.as_ref().backend };
    // SAFETY: a mapping of `map_stack`, which nothing runs on.
    unsafe { libc::munmap(mach.callback_stack.get(), mach.callback_stack_size.get()) };
    records::keep(record);
}
