//! Set-up and its end.

use core::cell::Cell;
use core::ffi::c_void;
use core::fmt;
use core::sync::atomic::{Ordering, fence};

use super::adoption::Adoptions;
use super::clients::{self, Client, Clients, Name};
use super::error::{self, Failure, fail};
use super::grace_period::Patience;
use super::lock::{Guard, Locked};
use super::obstacle::Obstacle;
use super::options::{self, AskedBy, Options};
use super::{exceptions, fault_handlers, fork, interrupt_signal, pin, platform, registry, secret, signals, threads};
use crate::shared::abi::*;
use crate::shared::state;

/// What wasmtrap_init came to.
#[derive(Clone, Copy)]
pub(crate) struct SetUp {
    /// What the first client asked for, but for the kinds of fault: those that any client takes.
    pub(crate) options: Options,
    pub(crate) backend: wasmtrap_backend_t,
    pub(crate) because: Because,
}

/// Why the backend was taken.
#[derive(Clone, Copy)]
pub(crate) struct Because {
    what: &'static str,
    obstacle: Option<Obstacle>,
}

impl fmt::Display for Because {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.what)?;
        match &self.obstacle {
            Some(obstacle) => obstacle.fmt(out),
            None => Ok(()),
        }
    }
}

/// What belongs together, under the library's lock.
pub(super) struct State {
    /// None if no client is open. In a cell, which makes it all zeros then, so that the library's file has nothing of
    /// the state: without one, `None` would be a number that no `bool` has.
    set_up: Option<Cell<SetUp>>,
    pub(super) clients: Clients,
    pub(super) adoptions: Adoptions,
}

impl State {
    /// None if no client is open.
    pub(super) fn set_up(&self) -> Option<SetUp> {
        self.set_up.as_ref().map(Cell::get)
    }

    /// Once clients or engines have come or gone: what they take is what the library takes, and what all clients allow
    /// is what it does. Returns what it no longer takes.
    pub(super) fn note_kinds(&mut self) -> u32 {
        state::LEAVES_BY_JUMP.store(self.clients.leave_by_jump(), Ordering::Relaxed);
        let kinds = self.clients.kinds() | self.adoptions.kinds();
        if let Some(set_up) = &mut self.set_up {
            set_up.get_mut().options.fault_kinds = kinds;
        }
        no_longer(state::ARMED_KINDS.swap(kinds, Ordering::SeqCst), kinds)
    }
}

/// The kinds of fault that were taken before and are not now.
fn no_longer(before: u32, now: u32) -> u32 {
    before & !now
}

// Taken before all other locks of the library. With any of them held, neither the loader nor malloc is called: both
// have locks that may be held when we are called, and malloc may be the host's
// (c-tests/capi/threads/locks_are_taken_in_one_order.c). sigaction is, which may be somebody's who sits between us and
// the kernel: what it is given follows from what it has said, and nobody may go on top in between.
static STATE: Locked<State> = Locked::new(State { set_up: None, clients: Clients::new(), adoptions: Adoptions::new() });

/// Takes that lock.
pub(super) fn lock() -> Guard<'static, State> {
    STATE.lock()
}

pub(crate) fn require_ready() -> Result<(), Failure> {
    loop {
        match state::READY.load(Ordering::Acquire) {
            0 => return Err(error::not_initialized()),
            state::DECIDING => drop(STATE.lock()),
            _ => return Ok(()),
        }
    }
}

pub(crate) fn init(given: Option<&wasmtrap_options_t>) -> Result<(), Failure> {
    let options = options::read(given)?;
    error::make_room();
    if let Some(outcome) = STATE.lock().clients.use_default_again(&options) {
        return outcome;
    }
    let mut room = prepare()?;
    let mut state = STATE.lock();
    if let Some(outcome) = state.clients.use_default_again(&options) {
        return outcome;
    }
    state.clients.require_room()?;
    let name = Name::of(b"the default client");
    join(&mut state, Client { number: WASMTRAP_CLIENT_DEFAULT, name, options, users: 1 }, &mut room)
}

/// Opens a client.
pub(crate) fn open(name: Name, given: Option<&wasmtrap_options_t>) -> Result<wasmtrap_client_t, Failure> {
    let options = options::read(given)?;
    let mut room = prepare()?;
    let mut state = STATE.lock();
    let number = state.clients.next_number()?;
    join(&mut state, Client { number, name, options, users: 1 }, &mut room)?;
    Ok(number)
}

/// Adds a client, and sets the library up for it if it is the first.
fn join(state: &mut State, client: Client, room: &mut signals::Room) -> Result<(), Failure> {
    match state.set_up() {
        None => set_up(state, client.options, room)?,
        Some(set_up) => extend(state, &set_up, &client, room)?,
    }
    state.clients.add(client);
    state.note_kinds();
    // Threads have their ports, and their signals unblocked, for the kinds taken so far.
    threads::list::call_for_attention();
    state::READY.store(1, Ordering::Release);
    Ok(())
}

/// Lets the library that is set up do what one more client wants, as far as that can be had beside the others.
fn extend(state: &State, set_up: &SetUp, client: &Client, room: &mut signals::Room) -> Result<(), Failure> {
    let options = &client.options;
    if let (Some(first), Some((what, has, wants))) =
        (state.clients.iter().next(), options.conflict_with(&set_up.options, set_up.backend))
    {
        return Err(fail(
            WASMTRAP_ERR_CONFLICT,
            format_args!(
                "{} cannot have what it asks for beside {}, which came first: {what} is {has} for the whole process, \
                 and not {wants}",
                client.name, first.name
            ),
        ));
    }
    let more_kinds = options.fault_kinds & !set_up.options.fault_kinds;
    let more_signals = !options.host_owns_signals && more_kinds != 0;
    if more_signals {
        state.adoptions.require_none_begun()?;
    }
    let had_interrupts = interrupt_signal::current() != 0;
    interrupt_signal::install(options.interrupt_signal, options.host_owns_signals)?;
    if more_signals && let Err(failure) = signals::install(more_kinds, room) {
        if !had_interrupts {
            interrupt_signal::remove();
        }
        return Err(failure);
    }
    if set_up.backend == WASMTRAP_BACKEND_MACH_PORTS {
        exceptions::extend(options.fault_kinds);
    }
    threads::alternate_stack::raise_size(options.alternate_stack_size);
    Ok(())
}

/// Sets the library up.
fn set_up(state: &mut State, options: Options, room: &mut signals::Room) -> Result<(), Failure> {
    let (backend, because) = choose(&options)?;
    secret::choose();
    threads::alternate_stack::set_size(options.alternate_stack_size);
    threads::signal_mask::set_keep(options.keep_signal_mask);
    let (backend, because) = start(&options, backend, because)?;
    // Underneath Mach ports too: the kernel may bypass them (kernel_mach_msg_rpc_common, osfmk/ipc/mach_msg.c).
    if !options.host_owns_signals
        && let Err(failure) = signals::install(options.fault_kinds, room)
    {
        stop(backend);
        return Err(failure);
    }
    if let Err(failure) = interrupt_signal::install(options.interrupt_signal, options.host_owns_signals) {
        if !options.host_owns_signals {
            signals::remove(options.fault_kinds);
        }
        stop(backend);
        return Err(failure);
    }
    state.set_up = Some(Cell::new(SetUp { options, backend, because }));
    Ok(())
}

/// What the set-up needs of the loader and of malloc, before a lock is taken: a plug-in's constructor may call
/// wasmtrap_init, and the loader's lock is held while it runs. A thread that wanted that lock, and had ours, would wait
/// for the one in the constructor, which waits for ours. malloc may be the host's, with a lock of its own. All of it
/// can be done twice, and by several threads at once.
fn prepare() -> Result<signals::Room, Failure> {
    error::make_room();
    fork::watch().map_err(|error| error::system("pthread_atfork", error))?;
    fork::note_process();
    platform::note_page_size();
    platform::set_up()?;
    pin::pin();
    signals::Room::new()
}

/// The backend for this host, and why.
fn choose(options: &Options) -> Result<(wasmtrap_backend_t, Because), Failure> {
    if options.backend == WASMTRAP_BACKEND_SIGNALS {
        let what = match options.asked_by {
            AskedBy::Environment => "the environment variable WASMTRAP_BACKEND asks for them",
            AskedBy::MachPortsSwitch => "macos_use_mach_ports is off",
            _ => "the options ask for them",
        };
        return Ok((WASMTRAP_BACKEND_SIGNALS, Because { what, obstacle: None }));
    }
    match exceptions::possible() {
        Ok(what) => Ok((WASMTRAP_BACKEND_MACH_PORTS, Because { what, obstacle: None })),
        Err(obstacle) => without_mach_ports(options, obstacle),
    }
}

/// Mach ports cannot be had: signals, or an error if they were asked for.
fn without_mach_ports(options: &Options, obstacle: Obstacle) -> Result<(wasmtrap_backend_t, Because), Failure> {
    let what = match options.backend {
        WASMTRAP_BACKEND_MACH_PORTS if options.allow_fallback => {
            "Mach exception ports were asked for, WASMTRAP_INIT_ALLOW_FALLBACK is set, and "
        }
        WASMTRAP_BACKEND_MACH_PORTS => {
            let asked_by = match options.asked_by {
                AskedBy::Environment => "the environment variable WASMTRAP_BACKEND is \"mach\"",
                AskedBy::MachPortsSwitch => "options->macos_use_mach_ports is 1 (yes)",
                _ => "options->backend is 1 (Mach ports)",
            };
            return Err(fail(
                WASMTRAP_ERR_UNSUPPORTED,
                format_args!(
                    "{asked_by}, but {obstacle}; set WASMTRAP_INIT_ALLOW_FALLBACK to take {} instead",
                    signals::NAME
                ),
            ));
        }
        _ => "",
    };
    Ok((WASMTRAP_BACKEND_SIGNALS, Because { what, obstacle: Some(obstacle) }))
}

/// Starts what the backend needs beside signal handlers. What fails here is an obstacle like any other.
///
/// With Mach ports this makes a thread, with the lock held, and pthread_create allocates: macOS's by mmap, but for what
/// interposes it. The thread must be there before the lock is released, and two must not be started.
fn start(
    options: &Options,
    backend: wasmtrap_backend_t,
    because: Because,
) -> Result<(wasmtrap_backend_t, Because), Failure> {
    if backend != WASMTRAP_BACKEND_MACH_PORTS {
        return Ok((backend, because));
    }
    let no_fallback = options.backend == WASMTRAP_BACKEND_MACH_PORTS && !options.allow_fallback;
    match exceptions::start(options.fault_kinds, no_fallback || options.host_owns_signals) {
        Ok(()) => Ok((backend, because)),
        Err(obstacle) => without_mach_ports(options, obstacle),
    }
}

/// Stops what `start` started.
fn stop(backend: wasmtrap_backend_t) {
    if backend == WASMTRAP_BACKEND_MACH_PORTS {
        exceptions::stop();
    }
}

/// What a client leaves behind. Freed when this is dropped, after the lock was released: free may be the host's.
struct Leavings {
    ranges: registry::Garbage,
    handlers: fault_handlers::Unused,
}

/// Closes a client: all that is its own goes with it, and the set-up with the last one.
pub(crate) fn close(client: wasmtrap_client_t) -> Result<(), Failure> {
    error::make_room();
    let mut leavings = Leavings { ranges: registry::Garbage::new(), handlers: fault_handlers::Unused::new() };
    let mut room = signals::Room::new()?;
    let mut state = STATE.lock();
    if state.clients.get(client).is_none() {
        return Err(clients::not_open(client));
    }
    if state.clients.is_used_by_others(client) {
        state.clients.leave(client);
        return Ok(());
    }
    if state.clients.count() == 1 {
        return shut_down(&mut state, &mut leavings, &mut room);
    }
    state.adoptions.end_of(client, &mut room);
    // First, so that nothing more is registered for it.
    state.clients.remove(client);
    registry::CODE.clear_client(client, &mut leavings.ranges);
    registry::REGIONS.clear_client(client, &mut leavings.ranges);
    fault_handlers::remove(client, &mut leavings.handlers);
    let no_longer = state.note_kinds();
    if let Some(set_up) = state.set_up()
        && !set_up.options.host_owns_signals
    {
        signals::remove(no_longer);
    }
    Ok(())
}

/// Waits a moment for the protected calls that have begun. Afterwards no thread is inside of one, or enters one before
/// it has looked whether the library is still set up.
///
/// A call makes its thread's depth one higher and then looks at `attention`; here `attention` is set before the depths
/// are looked at. Either may pass the other on its way to memory, on x86-64 as well, so that neither would see the
/// other; a barrier on each side prevents that. To keep it out of the call's way, every thread is made to pass one
/// between the two steps here: then its own steps came both before, and the depth is seen, or its look came after, and
/// sees the attention. Where that cannot be had, the call has a barrier (`platform::orders_threads`).
fn wait_until_nobody_is_inside() -> Result<(), Failure> {
    const LOOKS: u32 = 40;
    threads::list::call_for_attention();
    fence(Ordering::SeqCst);
    platform::order_threads()?;
    let mut patience = Patience::default();
    for _ in 0..LOOKS {
        if !threads::list::any_inside() {
            return Ok(());
        }
        patience.yield_to_others();
    }
    Err(fail(WASMTRAP_ERR_BUSY, format_args!("a thread is inside a protected call")))
}

/// The end of the last client.
fn shut_down(state: &mut State, leavings: &mut Leavings, room: &mut signals::Room) -> Result<(), Failure> {
    let Some(set_up) = state.set_up() else { return Err(error::not_initialized()) };
    // From here on who wants to enter a protected call waits for what comes of this, by the lock.
    state::READY.store(state::DECIDING, Ordering::SeqCst);
    if let Err(failure) = wait_until_nobody_is_inside() {
        state::READY.store(1, Ordering::SeqCst);
        return Err(failure);
    }
    state::READY.store(0, Ordering::SeqCst);
    // First, so that nothing more is registered for it.
    let last = state.clients.iter().next().map(|client| client.number);
    if let Some(last) = last {
        state.adoptions.end_of(last, room);
        state.clients.remove(last);
        fault_handlers::remove(last, &mut leavings.handlers);
    }
    state.adoptions.forget_kinds();
    state.note_kinds();
    if !set_up.options.host_owns_signals {
        signals::collect();
        signals::remove(set_up.options.fault_kinds);
    }
    interrupt_signal::remove();
    stop(set_up.backend);
    registry::CODE.clear(&mut leavings.ranges);
    registry::REGIONS.clear(&mut leavings.ranges);
    state.set_up = None;
    Ok(())
}

/// Lets `look` see the open clients.
pub(crate) fn with_clients<R>(look: impl FnOnce(&Clients) -> R) -> R {
    look(&STATE.lock().clients)
}

pub(crate) fn current() -> Option<SetUp> {
    STATE.lock().set_up()
}

fn require_current() -> Result<SetUp, Failure> {
    current().ok_or_else(error::not_initialized)
}

pub(crate) fn backend() -> Result<wasmtrap_backend_t, Failure> {
    require_current().map(|set_up| set_up.backend)
}

/// The kinds of fault whose handlers are ours to look after.
fn installed_kinds(set_up: &SetUp) -> u32 {
    if set_up.options.host_owns_signals { 0 } else { set_up.options.fault_kinds }
}

pub(crate) fn check() -> Result<u32, Failure> {
    let kinds = signals::displaced(installed_kinds(&require_current()?))?;
    Ok(kinds | exceptions::check()? | threads::check()? | interrupt_signal::check()?)
}

pub(crate) fn rearm() -> Result<(), Failure> {
    error::make_room();
    let mut room = signals::Room::new()?;
    let state = STATE.lock();
    let set_up = state.set_up().ok_or_else(error::not_initialized)?;
    state.adoptions.require_none_begun()?;
    signals::collect();
    signals::rearm(installed_kinds(&set_up), &mut room)?;
    interrupt_signal::rearm()?;
    exceptions::rearm()
}

/// Sets a client's fault handler, or takes it away (`function` is None).
pub(crate) fn set_fault_handler(
    client: wasmtrap_client_t,
    function: wasmtrap_fault_handler_t,
    user: *mut c_void,
    any_fault: bool,
) -> Result<(), Failure> {
    error::make_room();
    let mut unused = if function.is_some() { fault_handlers::Unused::one()? } else { fault_handlers::Unused::new() };
    let state = STATE.lock();
    let Some(open) = state.clients.get(client) else { return Err(clients::not_open(client)) };
    if function.is_none() {
        fault_handlers::remove(client, &mut unused);
        return Ok(());
    }
    // Who set the other one may be any of them, and would never hear that it is asked no more.
    if open.users > 1 && fault_handlers::has_another(client, function, user) {
        return Err(fail(
            WASMTRAP_ERR_CONFLICT,
            format_args!(
                "{} has another fault handler, and {} users by wasmtrap_init: take that one away first (NULL), or open \
                 a client for this one (wasmtrap_client_open)",
                open.name, open.users
            ),
        ));
    }
    fault_handlers::set(client, function, user, open.options.fault_kinds, any_fault, &mut unused)
}

pub(crate) fn lock_for_fork() {
    STATE.acquire();
    signals::lock_for_fork();
    interrupt_signal::lock_for_fork();
}

/// # Safety
/// `lock_for_fork` took the locks on this thread.
pub(crate) unsafe fn unlock_after_fork_in_parent() {
    // SAFETY: the caller's promise.
    unsafe {
        interrupt_signal::unlock_after_fork();
        signals::unlock_after_fork();
        STATE.release();
    }
}

/// The child goes on with signals: it has neither the ports nor the server.
///
/// # Safety
/// `lock_for_fork` took the locks on the thread that this one is the image of.
pub(crate) unsafe fn unlock_after_fork_in_child() {
    // SAFETY: the caller's promise.
    let state = unsafe { STATE.value_while_acquired() };
    if let Some(why) = exceptions::fork_in_child()
        && let Some(set_up) = state.set_up.as_mut().map(Cell::get_mut)
        && set_up.backend == WASMTRAP_BACKEND_MACH_PORTS
    {
        set_up.backend = WASMTRAP_BACKEND_SIGNALS;
        set_up.because = Because { what: why, obstacle: None };
    }
    // SAFETY: the caller's promise.
    unsafe {
        interrupt_signal::unlock_after_fork();
        signals::unlock_after_fork();
    }
    state.adoptions.end_of_other_threads();
    // SAFETY: the caller's promise.
    unsafe { STATE.release() };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_longer_taken_is_what_was_and_is_not() {
        for (before, now, expected) in
            [(0b0011, 0b0101, 0b0010), (0b0011, 0b0011, 0), (0, 0b1000, 0), (0b1010, 0, 0b1010)]
        {
            assert_eq!(no_longer(before, now), expected, "{before:#b}, {now:#b}");
        }
    }
}
