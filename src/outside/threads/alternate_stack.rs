//! The alternate signal stack: giving a thread one that is big enough, and putting back what it had.
//!
//! The thread's alternate stack is the host's to change at any time, so nothing that was found once is believed later:
//! each step asks the kernel what there is now. What the thread had before is put back only where ours is still in
//! place, and only while the thread goes on: at its end the host may have freed it already.
//!
//! Several copies of the library in one process rely on the stack that the first of them has made. Each of them leaves
//! word on it, in a [`Note`], so that the last one frees it and not the first.

use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::outside::error::{self, Failure};
use crate::outside::platform;
use crate::shared::thread::{ATTENTION_STACK, AlternateStack, Thread};

/// What a handler of ours needs beyond the kernel's frame, where nothing is forwarded.
const HANDLER_NEEDS: usize = 4 * 1024;

/// Set by wasmtrap_init.
static SIZE: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn set_size(size: usize) {
    SIZE.store(size, Ordering::Relaxed);
}

/// For one more client: what is asked for most is what threads get from now on.
pub(crate) fn raise_size(size: usize) {
    SIZE.fetch_max(size, Ordering::Relaxed);
}

/// The size that wasmtrap_init was asked for.
pub(crate) fn size() -> usize {
    SIZE.load(Ordering::Relaxed)
}

/// The size of the stacks that are made here, and so the size from which on another's is big enough.
///
/// There is room for the frame of a second signal, which may be as large as the first one's: 10 KiB with arm64's
/// longest vectors.
pub(super) fn wanted() -> usize {
    size().max(platform::signal_frame_size() + least())
}

/// Less is of no use, not even for want of anything better.
fn least() -> usize {
    platform::signal_frame_size() + HANDLER_NEEDS
}

/// What copies of the library tell each other about a stack that one of them has made. It lies right above the stack,
/// which never grows into it. Only its thread writes it, so that nothing here is atomic.
#[repr(C)]
#[derive(Clone, Copy)]
struct Note {
    /// [`MAGIC`], which stands for this form of the note.
    magic: [u64; 2],
    /// Where the note itself is: a copy of it elsewhere is none.
    place: usize,
    mapping: *mut c_void,
    mapping_size: usize,
    /// How many copies of the library rely on the stack.
    users: usize,
    /// What the thread had before.
    earlier: libc::stack_t,
    /// The fault signals whose block has been lifted by copies that do not use the stack any more: for the last one to
    /// block again. By their index in `disposition::SIGNALS`.
    lifted: u32,
}

const MAGIC: [u64; 2] = [0x7761_736d_7472_6170, 0x5f5e_51a7_9c0b_2d31];

/// The note with room to grow, and such that the stack's top is as aligned as the mapping's.
const NOTE_SIZE: usize = 256;
const _: () = assert!(size_of::<Note>() <= NOTE_SIZE);

/// What the thread's alternate stack is now.
pub(super) fn current() -> Result<libc::stack_t, Failure> {
    // SAFETY: all-zero is a valid stack_t to write into.
    let mut now: libc::stack_t = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `now`.
    match unsafe { libc::sigaltstack(core::ptr::null(), &raw mut now) } {
        0 => Ok(now),
        _ => Err(error::system("sigaltstack", platform::errno())),
    }
}

pub(super) fn is_enabled(stack: &libc::stack_t) -> bool {
    stack.ss_flags & libc::SS_DISABLE == 0
}

/// Whether traps can be handled on it, and what comes on top of them. What the thread was given is enough, though
/// another client may want more by now.
pub(super) fn is_enough(thread: Option<&Thread>, stack: &libc::stack_t) -> bool {
    let is_given =
        || thread.and_then(|thread| thread.alternate_stack.get()).is_some_and(|ours| ours.base == stack.ss_sp);
    is_enabled(stack) && (stack.ss_size >= wanted() || is_given())
}

/// Whether the thread, once it is attached, has what it needs.
pub(super) fn is_enough_now(thread: Option<&Thread>) -> Result<bool, Failure> {
    Ok(thread.is_none() || is_enough(thread, &current()?))
}

/// Gives the thread an alternate signal stack, unless it has one that is big enough.
pub(super) fn give(thread: &Thread) -> Result<(), Failure> {
    let now = current()?;
    if is_enough(Some(thread), &now) {
        if thread.alternate_stack.get().is_none()
            && let Some(note) = note_of_another_copy(&now)
        {
            join(thread, &now, note);
        }
        return Ok(());
    }
    if now.ss_flags & libc::SS_ONSTACK != 0 && now.ss_size >= least() {
        // The kernel lets nobody change the stack that is in use. It will do until the thread has left it.
        thread.attention.fetch_or(ATTENTION_STACK, Ordering::SeqCst);
        return Ok(());
    }
    let stack = match thread.alternate_stack.get() {
        Some(kept) => kept,
        None => make()?,
    };
    if let Err(failure) = set(&libc::stack_t { ss_sp: stack.base, ss_flags: 0, ss_size: stack.size }) {
        if thread.alternate_stack.get().is_none() {
            // SAFETY: the mapping was made above, and nothing uses it.
            unsafe { libc::munmap(stack.mapping, stack.mapping_size) };
        }
        return Err(failure);
    }
    thread.alternate_stack.set(Some(stack));
    // SAFETY: our stack, on this thread.
    unsafe { (*note_at(&stack)).earlier = now };
    Ok(())
}

/// Relies on the stack of another copy.
fn join(thread: &Thread, now: &libc::stack_t, note: Note) {
    let stack =
        AlternateStack { mapping: note.mapping, mapping_size: note.mapping_size, base: now.ss_sp, size: now.ss_size };
    thread.alternate_stack.set(Some(stack));
    // SAFETY: the note of a stack that is in place, on this thread.
    unsafe { (*note_at(&stack)).users += 1 };
}

fn note_at(stack: &AlternateStack) -> *mut Note {
    stack.base.wrapping_byte_add(stack.size).cast()
}

/// The note above a stack that this copy of the library has not made. What lies there may be anything, or nothing, so
/// it is the kernel that reads it.
fn note_of_another_copy(stack: &libc::stack_t) -> Option<Note> {
    let place = stack.ss_sp.addr().checked_add(stack.ss_size)?;
    let mut bytes = [0_u8; size_of::<Note>()];
    if !place.is_multiple_of(NOTE_SIZE) || !platform::read_memory(place, &mut bytes) {
        return None;
    }
    // SAFETY: integers and pointers, of which all bit patterns are valid.
    let note = unsafe { bytes.as_ptr().cast::<Note>().read_unaligned() };
    (note.magic == MAGIC && note.place == place).then_some(note)
}

fn make() -> Result<AlternateStack, Failure> {
    let mapped = map_stack(wanted() + NOTE_SIZE, "an alternate signal stack")?;
    let stack = AlternateStack {
        mapping: mapped.mapping,
        mapping_size: mapped.mapping_size,
        base: mapped.base,
        size: mapped.mapping_size - (mapped.base.addr() - mapped.mapping.addr()) - NOTE_SIZE,
    };
    let place = note_at(&stack);
    // SAFETY: all-zero is a valid stack_t; `give` replaces it.
    let earlier = unsafe { core::mem::zeroed() };
    let note = Note {
        magic: MAGIC,
        place: place.addr(),
        mapping: stack.mapping,
        mapping_size: stack.mapping_size,
        users: 1,
        earlier,
        lifted: 0,
    };
    // SAFETY: the top of the mapping, which is page-aligned, as is NOTE_SIZE to the note.
    unsafe { place.write(note) };
    Ok(stack)
}

/// A stack with an inaccessible page below it.
pub(crate) struct MappedStack {
    pub(crate) mapping: *mut c_void,
    pub(crate) mapping_size: usize,
    pub(super) base: *mut c_void,
}

pub(crate) fn map_stack(size: usize, what: &str) -> Result<MappedStack, Failure> {
    let page = platform::page_size();
    let size = (size + page - 1) & !(page - 1);
    let mapping_size = page + size;
    let no_memory = || error::no_memory(format_args!("{what} of {size} bytes"));
    // SAFETY: a fresh mapping; nothing is overwritten.
    let mapping = unsafe {
        libc::mmap(
            core::ptr::null_mut(),
            mapping_size,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | platform::STACK_MAPPING_FLAGS,
            -1,
            0,
        )
    };
    if mapping == libc::MAP_FAILED {
        return Err(no_memory());
    }
    // The lowest page stays inaccessible: an overflow must not run into other memory.
    let base = mapping.wrapping_byte_add(page);
    // SAFETY: within the mapping.
    if unsafe { libc::mprotect(base, size, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
        let failure = no_memory();
        // SAFETY: the mapping was made above, and nothing uses it.
        unsafe { libc::munmap(mapping, mapping_size) };
        return Err(failure);
    }
    Ok(MappedStack { mapping, mapping_size, base })
}

fn set(stack: &libc::stack_t) -> Result<(), Failure> {
    // SAFETY: a stack of ours that is mapped and stays so until it is taken back, or one that its owner answers for.
    match unsafe { libc::sigaltstack(core::ptr::from_ref(stack), core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(error::system("sigaltstack", platform::errno())),
    }
}

fn disable() {
    // Refused only where the stack is in use, which the callers have ruled out.
    let _ = set(&libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 });
}

fn is_in_use(now: &libc::stack_t, stack: &AlternateStack) -> bool {
    now.ss_flags & libc::SS_ONSTACK != 0 && now.ss_sp == stack.base
}

/// Whether the thread runs on the stack that it was given.
pub(super) fn runs_on_ours(thread: &Thread) -> Result<bool, Failure> {
    let Some(stack) = thread.alternate_stack.get() else { return Ok(false) };
    current().map(|now| is_in_use(&now, &stack))
}

/// Why a stack is taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The thread goes on, with what it had before.
    Detach,
    /// Its owner may have freed by now what the thread had before, and has no more use for it.
    EndOfThread,
}

/// Whether the thread's alternate stack could be taken back.
#[derive(PartialEq, Eq)]
pub(super) enum TakenBack {
    Yes,
    /// The thread runs on it.
    InUse,
    /// Somebody else's is in its place; they may mean to put ours back.
    Covered,
}

pub(super) fn take_back(thread: &Thread, occasion: Occasion) -> TakenBack {
    let Some(stack) = thread.alternate_stack.get() else { return TakenBack::Yes };
    // As it is for a thread without any, if the kernel does not say.
    let now = current().ok().filter(is_enabled);
    let in_place = now.is_some_and(|now| now.ss_sp == stack.base);
    if now.is_some_and(|now| is_in_use(&now, &stack)) {
        return TakenBack::InUse;
    }
    if now.is_some() && !in_place {
        return TakenBack::Covered;
    }
    let note = note_at(&stack);
    // SAFETY: the note of a stack that this copy relies on, on this thread.
    let (others, earlier) = unsafe { ((*note).users > 1, (*note).earlier) };
    if in_place && !others {
        let back = occasion == Occasion::Detach && is_enabled(&earlier);
        // It may be too small for the kernel by now: none at all, then.
        if !back || set(&earlier).is_err() {
            disable();
        }
    }
    // SAFETY: where this copy is the last to rely on it, it is no signal stack any more.
    unsafe { free(thread) };
    TakenBack::Yes
}

/// Ceases to rely on the stack, and frees it if no other copy does.
///
/// # Safety
/// Without another copy that relies on it, the stack is not the signal stack of a thread.
pub(super) unsafe fn free(thread: &Thread) {
    let Some(stack) = thread.alternate_stack.take() else { return };
    let note = note_at(&stack);
    // SAFETY: the note of a stack that this copy has relied on; its thread is this, or not in this process.
    unsafe {
        (*note).users -= 1;
        if (*note).users == 0 {
            libc::munmap(stack.mapping, stack.mapping_size);
        }
    }
}

/// Leaves the signals of `lifted` to the copies of the library that go on relying on this thread's stack, if there are
/// any. Returns what is this copy's to block again.
pub(super) fn hand_over(thread: &Thread, lifted: u32) -> u32 {
    let Some(stack) = thread.alternate_stack.get() else { return lifted };
    let note = note_at(&stack);
    // SAFETY: the note of a stack that this copy relies on, on this thread.
    unsafe {
        if (*note).users > 1 {
            (*note).lifted |= lifted;
            return 0;
        }
        lifted | core::mem::take(&mut (*note).lifted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 4096;

    #[repr(C, align(4096))]
    struct Memory([u8; 3 * SIZE]);

    /// Whether a note is found that lies above a stack of `size` bytes, made by `change` of one that is right there.
    fn is_found(size: usize, change: impl FnOnce(&mut Note)) -> bool {
        let mut memory = Box::new(Memory([0; 3 * SIZE]));
        let base = (&raw mut memory.0).cast::<c_void>();
        let place = base.wrapping_byte_add(size).cast::<Note>();
        let mut note = Note {
            magic: MAGIC,
            place: place.addr(),
            mapping: base,
            mapping_size: 3 * SIZE,
            users: 1,
            earlier: libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 },
            lifted: 0,
        };
        change(&mut note);
        // SAFETY: within the memory, which has three times as much room as any note is put into.
        unsafe { place.write_unaligned(note) };
        let found = note_of_another_copy(&libc::stack_t { ss_sp: base, ss_flags: 0, ss_size: size });
        assert!(found.is_none_or(|found| found.mapping == base && found.mapping_size == 3 * SIZE && found.users == 1));
        found.is_some()
    }

    #[test]
    fn a_note_that_says_where_it_is_is_one() {
        assert!(is_found(SIZE, |_| ()));
        assert!(is_found(SIZE + NOTE_SIZE, |_| ()));
    }

    #[test]
    fn what_lies_elsewhere_than_it_says_is_none() {
        assert!(!is_found(SIZE, |note| note.place += NOTE_SIZE));
        assert!(!is_found(SIZE, |note| note.place = 0));
    }

    #[test]
    fn what_has_not_all_of_the_magic_is_none() {
        assert!(!is_found(SIZE, |note| note.magic[0] ^= 1));
        assert!(!is_found(SIZE, |note| note.magic[1] ^= 1));
    }

    #[test]
    fn no_copy_puts_a_note_where_a_stack_ends_like_this() {
        assert!(!is_found(SIZE + 8, |_| ()));
        assert!(!is_found(SIZE + NOTE_SIZE / 2, |_| ()));
    }

    #[test]
    fn where_nothing_can_be_read_there_is_none() {
        let mapped = map_stack(SIZE, "a stack").unwrap_or_else(|_| panic!("no memory"));
        // The lowest page is not to be touched.
        let below = libc::stack_t { ss_sp: mapped.mapping, ss_flags: 0, ss_size: 0 };
        assert!(note_of_another_copy(&below).is_none());
        // SAFETY: made above, and nothing uses it.
        unsafe { libc::munmap(mapped.mapping, mapped.mapping_size) };
        let endless = libc::stack_t { ss_sp: mapped.mapping, ss_flags: 0, ss_size: usize::MAX };
        assert!(note_of_another_copy(&endless).is_none());
    }
}
