//! Adoption: engines with handlers of their own, which the library calls from then on (`shared::adopted`).
//!
//! Between begin and end the engine finds stand-ins and installs its handlers over them; end takes those out, puts back
//! what was there, and has the library in front. On Windows, where all handlers stay in a list, there is nothing to
//! stand in for: end finds those that are new in it. Of the loader's and malloc's locks none is taken with ours held.

use core::sync::atomic::Ordering;

use super::clients::{self, Client};
use super::error::{self, Failure, fail};
use super::library::{self, State};
use super::signals::stand_ins::{self, Handlers};
use super::{exceptions, platform, registry, signals, threads};
use crate::shared::abi::*;
use crate::shared::adopted::{ADOPTED, Adopted, BEGUN, COUNT, FREE, PLACES, RELEASED, use_place};

/// An adoption between its begin and its end.
#[derive(Clone, Copy)]
struct Begun {
    /// Its place, and its stand-in.
    number: usize,
    client: wasmtrap_client_t,
    /// The thread that has begun it.
    thread: usize,
}

/// What is known of adoptions with the library's lock held.
pub(crate) struct Adoptions {
    begun: Option<Begun>,
    /// The newest id.
    newest: u64,
    /// The kinds of fault that any engine has handlers for, as long as the library is set up.
    kinds: u32,
}

impl Adoptions {
    pub(crate) const fn new() -> Self {
        Self { begun: None, newest: 0, kinds: 0 }
    }

    pub(crate) fn kinds(&self) -> u32 {
        self.kinds
    }

    /// While the stand-ins are in place nobody may go on top of them but the engine.
    pub(crate) fn require_none_begun(&self) -> Result<(), Failure> {
        match self.begun {
            None => Ok(()),
            Some(begun) => Err(fail(
                WASMTRAP_ERR_BUSY,
                format_args!(
                    "an adoption for client {} has begun, on thread {:#x}, and wasmtrap_adopt_end has not been called",
                    begun.client, begun.thread
                ),
            )),
        }
    }

    /// Gives the engines of a client their signals back. The client is about to be closed.
    pub(crate) fn end_of(&mut self, client: wasmtrap_client_t, room: &mut signals::Room) {
        if let Some(begun) = self.begun.filter(|begun| begun.client == client) {
            self.cancel(begun);
        }
        for (number, place) in PLACES.iter().enumerate() {
            if place.state.load(Ordering::Relaxed) == ADOPTED && place.client.load(Ordering::Relaxed) == client {
                // Refused by the kernel, the handlers are nobody's: as if the engine had taken them away.
                let _: Result<(), Failure> = release_place(number, room);
            }
        }
    }

    /// In a forked child: the thread that has begun an adoption does not exist here, unless it is this one.
    pub(crate) fn end_of_other_threads(&mut self) {
        if let Some(begun) = self.begun.filter(|begun| begun.thread != platform::this_thread()) {
            self.cancel(begun);
        }
    }

    /// The end of the set-up.
    pub(crate) fn forget_kinds(&mut self) {
        self.kinds = 0;
    }

    /// Ends what has begun without adopting anything: what the engine has installed stays in place, over the stand-in.
    fn cancel(&mut self, begun: Begun) {
        self.begun = None;
        let Some(place) = PLACES.get(begun.number) else { return };
        if stand_ins::take_away(begun.number) {
            stand_ins::free(place);
        } else {
            place.state.store(RELEASED, Ordering::Release);
        }
    }
}

/// Puts the stand-ins in place.
pub(crate) fn begin(client: wasmtrap_client_t) -> Result<(), Failure> {
    error::make_room();
    let mut room = signals::Room::new()?;
    let mut state = library::lock();
    require_open(&state, client)?;
    state.adoptions.require_none_begun()?;
    stand_ins::collect();
    let free = |number: &usize| PLACES.get(*number).is_some_and(|place| place.state.load(Ordering::Relaxed) == FREE);
    let Some(number) = (0..PLACES.len()).find(free) else {
        return Err(fail(
            WASMTRAP_ERR_LIMIT,
            format_args!(
                "{WASMTRAP_MAX_ADOPTED} engines are adopted, or were released and have their handlers still installed"
            ),
        ));
    };
    let Some(place) = PLACES.get(number) else { return Ok(()) };
    use_place(number);
    place.client.store(client, Ordering::Relaxed);
    place.state.store(BEGUN, Ordering::Release);
    if let Err(failure) = stand_ins::put(number, &mut room) {
        stand_ins::free(place);
        return Err(failure);
    }
    state.adoptions.begun = Some(Begun { number, client, thread: platform::this_thread() });
    Ok(())
}

fn require_open(state: &State, client: wasmtrap_client_t) -> Result<(), Failure> {
    let Some(Client { name, .. }) = state.clients.get(client) else { return Err(clients::not_open(client)) };
    if state.set_up().is_some_and(|set_up| set_up.options.host_owns_signals) {
        return Err(fail(
            WASMTRAP_ERR_UNSUPPORTED,
            format_args!(
                "{name} (client {client}) cannot adopt an engine: the host owns the signal handlers \
                 (WASMTRAP_INIT_HOST_OWNS_SIGNALS), so that none of the library's could call the engine's"
            ),
        ));
    }
    Ok(())
}

/// What this thread has begun.
fn begun_here(state: &State) -> Result<Begun, Failure> {
    if state.set_up().is_none() {
        return Err(error::not_initialized());
    }
    let Some(begun) = state.adoptions.begun else {
        return Err(fail(
            WASMTRAP_ERR_NOT_FOUND,
            format_args!("no adoption has begun: wasmtrap_adopt_begin has not been called, or it has ended since"),
        ));
    };
    if begun.thread != platform::this_thread() {
        return Err(fail(
            WASMTRAP_ERR_WRONG_THREAD,
            format_args!(
                "this is thread {:#x}, but the adoption for client {} has begun on thread {:#x}, and ends there",
                platform::this_thread(),
                begun.client,
                begun.thread
            ),
        ));
    }
    Ok(begun)
}

/// Takes over what the engine has installed.
pub(crate) fn end(flags: u32) -> Result<u64, Failure> {
    /// An engine whose threads go on installing handlers meanwhile is looked at again so often.
    const LOOKS: u32 = 8;
    error::make_room();
    for _ in 0..LOOKS {
        let mut room = signals::Room::new()?;
        let mut more_room = signals::Room::new()?;
        let (begun, handlers) = {
            let state = library::lock();
            let begun = begun_here(&state)?;
            (begun, stand_ins::installed(begun.number)?)
        };
        if let Err(failure) = stand_ins::check(&handlers) {
            let mut state = library::lock();
            if let Ok(begun) = begun_here(&state) {
                state.adoptions.cancel(begun);
            }
            return Err(failure);
        }
        for handler in stand_ins::addresses(&handlers) {
            platform::pin_object_of(handler);
        }
        let mut state = library::lock();
        if begun_here(&state)?.number != begun.number {
            continue;
        }
        if let Some(id) = take_over(&mut state, begun, flags, &handlers, &mut room, &mut more_room)? {
            drop(state);
            // With Mach ports this thread's exceptions come to the library from now on. Refused, they are signals.
            if exceptions::EXIST {
                let _: Result<_, Failure> = threads::attach();
            }
            return Ok(id);
        }
    }
    Err(fail(
        WASMTRAP_ERR_BUSY,
        format_args!("handlers were installed while wasmtrap_adopt_end looked at them, {LOOKS} times: call it again"),
    ))
}

fn take_over(
    state: &mut State,
    begun: Begun,
    flags: u32,
    handlers: &Handlers,
    room: &mut signals::Room,
    more_room: &mut signals::Room,
) -> Result<Option<u64>, Failure> {
    let Some(place) = PLACES.get(begun.number) else { return Ok(None) };
    let id = state.adoptions.newest + 1;
    let taken = stand_ins::take_over(begun.number, handlers, room, || {
        place.flags.store(flags, Ordering::Relaxed);
        place.id.store(id, Ordering::Relaxed);
        place.state.store(ADOPTED, Ordering::Release);
        COUNT.fetch_add(1, Ordering::SeqCst);
    })?;
    if !taken {
        return Ok(None);
    }
    state.adoptions.newest = id;
    state.adoptions.begun = None;
    if let Err(failure) = go_in_front(state, stand_ins::kinds(handlers), room, more_room) {
        // Without us in front nobody would call them.
        let _: Result<(), Failure> = release_place(begun.number, more_room);
        return Err(failure);
    }
    Ok(Some(id))
}

/// Has the library in front for all kinds of fault that an engine handles.
fn go_in_front(
    state: &mut State,
    kinds: u32,
    room: &mut signals::Room,
    more_room: &mut signals::Room,
) -> Result<(), Failure> {
    signals::rearm(kinds, room)?;
    stand_ins::note_ours(more_room);
    state.adoptions.kinds |= kinds;
    state.note_kinds();
    if state.set_up().is_some_and(|set_up| set_up.backend == WASMTRAP_BACKEND_MACH_PORTS) {
        exceptions::extend(kinds);
    }
    // Threads have their ports, and their signals unblocked, for the kinds taken so far.
    threads::list::call_for_attention();
    Ok(())
}

/// Gives an engine its signals back.
pub(crate) fn release(id: u64) -> Result<(), Failure> {
    error::make_room();
    let mut room = signals::Room::new()?;
    let state = library::lock();
    if state.set_up().is_none() {
        return Err(error::not_initialized());
    }
    state.adoptions.require_none_begun()?;
    stand_ins::collect();
    match number_of(id) {
        Some(number) => release_place(number, &mut room),
        None => Err(unknown(id)),
    }
}

fn unknown(id: u64) -> Failure {
    fail(WASMTRAP_ERR_UNKNOWN_ID, format_args!("id {id} is not, or no longer, that of an adopted engine"))
}

/// The place of an adopted engine.
fn number_of(id: u64) -> Option<usize> {
    PLACES.iter().position(|place| place.is_adopted() && place.id.load(Ordering::Relaxed) == id)
}

fn release_place(number: usize, room: &mut signals::Room) -> Result<(), Failure> {
    let Some(place) = PLACES.get(number) else { return Ok(()) };
    stand_ins::give_back(number, room)?;
    // In the kernel first: in between its handlers are called by both, one of which declines.
    place.state.store(RELEASED, Ordering::SeqCst);
    COUNT.fetch_sub(1, Ordering::SeqCst);
    // Whoever has looked at it is through with that.
    registry::wait_for_readers();
    Ok(())
}

/// Marks this thread's faults as those of an adopted engine; returns whose they were before.
pub(crate) fn enter(id: u64) -> Result<u64, Failure> {
    library::require_ready()?;
    if number_of(id).is_none() {
        return Err(unknown(id));
    }
    Ok(threads::attach()?.adopted.replace(id))
}

/// Ends what [`enter`] has begun: they are again whose they were.
pub(crate) fn leave(before: u64) -> Result<(), Failure> {
    library::require_ready()?;
    threads::attach()?.adopted.set(before);
    Ok(())
}

/// Each adopted engine: its id, and its client.
pub(crate) fn each(mut each: impl FnMut(u64, wasmtrap_client_t, &Adopted)) {
    for place in PLACES.iter().filter(|place| place.is_adopted()) {
        each(place.id.load(Ordering::Relaxed), place.client.load(Ordering::Relaxed), place);
    }
}
