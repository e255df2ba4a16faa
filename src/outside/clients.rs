//! The users of the library in this process, which do not know of each other: who they are, and which faults each
//! takes.
//!
//! The list changes with the library's lock held only. Whoever registers something looks at the open clients without
//! it: a client is taken off before what is registered for it is looked through, so that whoever finds it still open
//! after a registration knows that this will be found.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use super::error::{self, Failure, fail};
use super::options::Options;
use super::text::Text;
use crate::shared::abi::*;

/// A client's number and the kinds of fault that it takes, for those who do not hold the lock.
struct Slot {
    /// One more than the number, so that 0 is free.
    client: AtomicU32,
    kinds: AtomicU32,
}

static SLOTS: [Slot; WASMTRAP_MAX_CLIENTS] =
    [const { Slot { client: AtomicU32::new(0), kinds: AtomicU32::new(0) } }; WASMTRAP_MAX_CLIENTS];

/// The kinds of fault that an open client takes. An error that names it if it is not open.
pub(crate) fn kinds_of(client: wasmtrap_client_t) -> Result<u32, Failure> {
    // The last number is nobody's: one more would be that of the slots that are free.
    let taken_by = client.checked_add(1).ok_or_else(|| not_open(client))?;
    SLOTS
        .iter()
        .find(|slot| slot.client.load(Ordering::SeqCst) == taken_by)
        .map(|slot| slot.kinds.load(Ordering::SeqCst))
        .ok_or_else(|| not_open(client))
}

pub(crate) fn not_open(client: wasmtrap_client_t) -> Failure {
    match client {
        WASMTRAP_CLIENT_DEFAULT => error::not_initialized(),
        _ => fail(WASMTRAP_ERR_UNKNOWN_ID, format_args!("client {client} is not, or no longer, open")),
    }
}

/// What a client is called.
#[derive(Clone, Copy)]
pub(crate) struct Name(Text<48>);

impl Name {
    pub(crate) fn new(text: &[u8]) -> Result<Self, Failure> {
        if text.is_empty() { Err(error::invalid(format_args!("desc->name is empty"))) } else { Ok(Self::of(text)) }
    }

    pub(crate) fn of(text: &[u8]) -> Self {
        let mut name = Text::new();
        // What does not fit is cut.
        let _ = fmt::Write::write_fmt(&mut name, format_args!("{}", text.escape_ascii()));
        Self(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0.as_str())
    }
}

/// An open client.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    pub(crate) number: wasmtrap_client_t,
    pub(crate) name: Name,
    pub(crate) options: Options,
    /// How many there are: of the default client, the calls of wasmtrap_init without one of wasmtrap_shutdown yet.
    pub(crate) users: u32,
}

/// The open clients, in the order in which they came.
pub(crate) struct Clients {
    open: [Client; WASMTRAP_MAX_CLIENTS],
    count: usize,
    /// The greatest number that was given out.
    newest: wasmtrap_client_t,
}

/// Where there is none. All zeros, so that the library's file has nothing of the list.
const NOBODY: Client = Client { number: 0, name: Name(Text::new()), options: Options::NONE, users: 0 };

impl Clients {
    pub(crate) const fn new() -> Self {
        Self { open: [NOBODY; WASMTRAP_MAX_CLIENTS], count: 0, newest: WASMTRAP_CLIENT_DEFAULT }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Client> {
        self.open.iter().take(self.count)
    }

    pub(crate) fn get(&self, number: wasmtrap_client_t) -> Option<&Client> {
        self.iter().find(|client| client.number == number)
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The kinds of fault that any of them takes.
    pub(crate) fn kinds(&self) -> u32 {
        self.iter().fold(0, |kinds, client| kinds | client.options.fault_kinds)
    }

    /// Whether each of them lets traps leave a signal handler by a jump.
    pub(crate) fn leave_by_jump(&self) -> bool {
        self.count != 0 && self.iter().all(|client| client.options.leave_by_jump)
    }

    /// A number for one more client.
    pub(crate) fn next_number(&self) -> Result<wasmtrap_client_t, Failure> {
        self.require_room()?;
        // The last number is kept free: one more than a number must not be 0.
        match self.newest + 1 {
            u32::MAX => Err(fail(WASMTRAP_ERR_LIMIT, format_args!("4294967294 clients have come and gone"))),
            next => Ok(next),
        }
    }

    pub(crate) fn require_room(&self) -> Result<(), Failure> {
        match self.count {
            WASMTRAP_MAX_CLIENTS => {
                Err(fail(WASMTRAP_ERR_LIMIT, format_args!("{WASMTRAP_MAX_CLIENTS} clients are open already")))
            }
            _ => Ok(()),
        }
    }

    /// Adds a client, for which there is room.
    pub(crate) fn add(&mut self, client: Client) {
        let Some(place) = self.open.get_mut(self.count) else { return };
        *place = client;
        self.count += 1;
        self.newest = self.newest.max(client.number);
        if let Some(slot) = SLOTS.iter().find(|slot| slot.client.load(Ordering::Relaxed) == 0) {
            slot.kinds.store(client.options.fault_kinds, Ordering::SeqCst);
            slot.client.store(client.number + 1, Ordering::SeqCst);
        }
    }

    /// One more user of the default client: None if it is not open.
    pub(crate) fn use_default_again(&mut self, options: &Options) -> Option<Result<(), Failure>> {
        let open = self.get_mut(WASMTRAP_CLIENT_DEFAULT)?;
        let same = open.options.require_same(options);
        if same.is_ok() {
            // Who calls it four thousand million times without an end stays set up.
            open.users = open.users.saturating_add(1);
        }
        Some(same)
    }

    pub(crate) fn is_used_by_others(&self, number: wasmtrap_client_t) -> bool {
        self.get(number).is_some_and(|client| client.users > 1)
    }

    /// One user less, who is not the last.
    pub(crate) fn leave(&mut self, number: wasmtrap_client_t) {
        if let Some(client) = self.get_mut(number) {
            client.users -= 1;
        }
    }

    fn get_mut(&mut self, number: wasmtrap_client_t) -> Option<&mut Client> {
        self.open.iter_mut().take(self.count).find(|client| client.number == number)
    }

    /// Takes a client off.
    pub(crate) fn remove(&mut self, number: wasmtrap_client_t) {
        let Some(index) = self.iter().position(|client| client.number == number) else { return };
        self.count -= 1;
        // Those behind it stay in their order.
        for place in index..self.count {
            let next = self.open.get(place + 1).copied();
            if let Some((here, next)) = self.open.get_mut(place).zip(next) {
                *here = next;
            }
        }
        if let Some(slot) = SLOTS.iter().find(|slot| slot.client.load(Ordering::Relaxed) == number + 1) {
            slot.client.store(0, Ordering::SeqCst);
        }
    }
}
