//! ntdll's list of vectored handlers: where in it ours is, and which others there are.
//!
//! No function tells. But what AddVectoredExceptionHandler returns is the entry in that list, a ring that begins with
//! two links (`struct vectored_handler`, Wine 8's dlls/ntdll/exception.c; RTL_VECTORED_EXCEPTION_HANDLER in ReactOS's
//! sdk/lib/rtl/vectoreh.c; nothing that Microsoft has written says it). Entries are in the heap, the ring's head is in
//! ntdll itself: ours is the first if the entry before it is the head. Nothing is believed that does not look like
//! such a ring, and all is read by the system, which copies what is there or says no.
//!
//! An entry has its handler behind the links, as EncodePointer makes it (the same sources; Windows has further words
//! in between, not the same ones in each version). Where it is shows an entry whose handler is known.

use core::ffi::c_void;

use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredExceptionHandler, DecodePointer, RemoveVectoredExceptionHandler,
};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;

use crate::inside::signals::entry;
use crate::outside::error::{self, Failure, fail};
use crate::outside::platform;
use crate::shared::abi::WASMTRAP_ERR_UNSUPPORTED;

/// Where a handler is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    First,
    /// Another one comes before it.
    Behind,
    /// The list is not what it is expected to be.
    Unknown,
}

/// As many entries as are looked at.
const MOST: usize = 1024;

pub(super) fn place(entry: *const c_void) -> Place {
    let ours = entry.addr();
    let Some([next, before]) = links(ours) else { return Place::Unknown };
    let is_ring =
        links(next).is_some_and(|[_, back]| back == ours) && links(before).is_some_and(|[forward, _]| forward == ours);
    if !is_ring {
        return Place::Unknown;
    }
    if is_in_ntdll(before) {
        return Place::First;
    }
    // The head must be somewhere.
    let mut at = before;
    for _ in 0..MOST {
        let Some([_, before]) = links(at) else { return Place::Unknown };
        if is_in_ntdll(before) {
            return Place::Behind;
        }
        at = before;
    }
    Place::Unknown
}

/// The links of an entry: to the next one, and to the one before.
fn links(entry: usize) -> Option<[usize; 2]> {
    let mut bytes = [0_u8; 2 * size_of::<usize>()];
    if !platform::read_memory(entry, &mut bytes) {
        return None;
    }
    let (next, before) = bytes.split_at(size_of::<usize>());
    Some([usize::from_ne_bytes(next.try_into().ok()?), usize::from_ne_bytes(before.try_into().ok()?)])
}

fn is_in_ntdll(address: usize) -> bool {
    const NAME: [u16; 10] = [0x6e, 0x74, 0x64, 0x6c, 0x6c, 0x2e, 0x64, 0x6c, 0x6c, 0]; // ntdll.dll
    // SAFETY: the name ends in NUL.
    let ntdll = unsafe { GetModuleHandleW(NAME.as_ptr()) };
    !ntdll.is_null() && platform::allocation_of(address) == Some(ntdll.addr())
}

/// An entry, and its handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) at: usize,
    pub(super) handler: usize,
}

/// Tells `each` of all entries, in the order in which their handlers are called, unless it says false. An entry of our
/// own shows how to read the others; it does nothing, and is taken away again. What has been told is void if this
/// fails.
pub(super) fn look_through(mut each: impl FnMut(Entry) -> bool) -> Result<(), Failure> {
    /// Other threads add and remove entries while this one looks.
    const LOOKS: u32 = 16;
    const LAST: u32 = 0;
    // SAFETY: the library is never unloaded, so that the function stays.
    let probe = unsafe { AddVectoredExceptionHandler(LAST, Some(entry::passes_on)) };
    if probe.is_null() {
        return Err(error::no_memory(format_args!("a vectored exception handler")));
    }
    let known: unsafe extern "system" fn(_) -> i32 = entry::passes_on;
    let seen = place_of_handlers(probe.addr(), known as usize).and_then(|place| {
        let ring = (0..LOOKS).find_map(|_| count(probe.addr()))?;
        let mut at = probe.addr();
        for _ in 0..ring {
            [at, _] = links(at)?;
            if at == probe.addr() {
                return Some(());
            }
            if !is_in_ntdll(at) && !each(Entry { at, handler: handler(at, place)? }) {
                return Some(());
            }
        }
        None
    });
    // SAFETY: came from AddVectoredExceptionHandler.
    unsafe { RemoveVectoredExceptionHandler(probe) };
    seen.ok_or_else(|| {
        fail(
            WASMTRAP_ERR_UNSUPPORTED,
            format_args!(
                "the system's list of vectored exception handlers is not what it is expected to be, in this version of \
                 Windows, or is changed by other threads all the time: what an engine has installed cannot be seen"
            ),
        )
    })
}

/// How many entries the ring has, the head and this one included, if it is one.
fn count(entry: usize) -> Option<usize> {
    let mut at = entry;
    for number in 1..=MOST {
        let [next, _] = links(at)?;
        let [_, back] = links(next)?;
        if back != at {
            return None;
        }
        if next == entry {
            return Some(number);
        }
        at = next;
    }
    None
}

/// How far behind its beginning an entry has its handler, by one whose handler is known.
fn place_of_handlers(entry: usize, known: usize) -> Option<usize> {
    /// More than any version has.
    const FARTHEST: usize = 8 * size_of::<usize>();
    let behind_the_links = 2 * size_of::<usize>();
    (behind_the_links..FARTHEST).step_by(size_of::<usize>()).find(|&place| handler(entry, place) == Some(known))
}

fn handler(entry: usize, place: usize) -> Option<usize> {
    let mut bytes = [0_u8; size_of::<usize>()];
    if !platform::read_memory(entry.checked_add(place)?, &mut bytes) {
        return None;
    }
    // SAFETY: arithmetic on a number.
    Some(unsafe { DecodePointer(usize::from_ne_bytes(bytes) as *const c_void) }.addr())
}
