//! Where in ntdll's list of vectored handlers ours is.
//!
//! No function tells. But what AddVectoredExceptionHandler returns is the entry in that list, a ring that begins with
//! two links (`struct vectored_handler`, Wine 8's dlls/ntdll/exception.c; RTL_VECTORED_EXCEPTION_HANDLER in ReactOS's
//! sdk/lib/rtl/vectoreh.c; nothing that Microsoft has written says it). Entries are in the heap, the ring's head is in
//! ntdll itself: ours is the first if the entry before it is the head. Nothing is believed that does not look like
//! such a ring, and all is read by the system, which copies what is there or says no.

use core::ffi::c_void;

use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;

use crate::outside::platform;

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
