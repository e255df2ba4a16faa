//! Threads: attaching them, putting everything back at their end, and their chains of protected calls.

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use super::allocation;
use super::error::{self, Failure, fail};
use super::library;
use super::lock::Locked;
use super::platform;
use super::thread_key::ThreadKey;
use crate::arch;
use crate::inside::land;
use crate::shared::abi::*;
use crate::shared::activation::Activation;
#[cfg(wasmtrap_mach)]
use crate::shared::mach::MachThread;
use crate::shared::state;
use crate::shared::thread::{ATTENTION_SET_UP, AlternateStack, PendingTrap, StackBounds, Thread};

/// What our own handler needs of an alternate stack beyond the kernel's frame; what forwarding needs is up to the
/// handlers below.
const HANDLER_NEEDS: usize = 4 * 1024;

/// All attached threads: for shutdown, which must not happen under a protected call, and for the description.
pub(crate) struct List {
    first: *const Thread,
    count: usize,
}

impl List {
    /// Shows all attached threads. Whoever has the list holds its lock.
    pub(crate) fn each(&self, mut look: impl FnMut(&Thread)) {
        let mut link = self.first;
        // SAFETY: under the lock, all records on the list are alive.
        while let Some(thread) = unsafe { link.as_ref() } {
            link = thread.next.get();
            look(thread);
        }
    }
}

// SAFETY: the records are reached under the lock only, and then only their links and their chain.
unsafe impl Send for List {}

static LIST: Locked<List> = Locked::new(List { first: core::ptr::null(), count: 0 });

/// Set by wasmtrap_init.
static ALTERNATE_STACK_SIZE: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn set_alternate_stack_size(size: usize) {
    ALTERNATE_STACK_SIZE.store(size, Ordering::Relaxed);
}

pub(crate) fn page_size() -> usize {
    state::page_mask() + 1
}

/// Notes the size of a page.
pub(crate) fn note_page_size() {
    // SAFETY: no memory is involved.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    if let Ok(size) = usize::try_from(size)
        && size.is_power_of_two()
    {
        state::set_page_size(size);
    }
}

/// This thread's record, attaching it if need be.
pub(crate) fn attach() -> Result<&'static Thread, Failure> {
    // SAFETY: null or this thread's record, which only this thread frees.
    if let Some(thread) = unsafe { arch::current_thread().as_ref() } {
        return look_again(thread).map(|()| thread);
    }
    library::require_ready()?;
    let key = exit_key()?;
    // A record that was detached while something else sat on our alternate stack.
    // SAFETY: the key exists; what it holds is this thread's record.
    let kept = unsafe { libc::pthread_getspecific(key) }.cast::<Thread>();
    let record = match NonNull::new(kept) {
        Some(record) => record,
        None => new_record(key)?,
    };
    // SAFETY: this thread's, which only this thread frees.
    let thread = unsafe { record.as_ref() };
    let discard = || {
        if kept.is_null() {
            // SAFETY: the key exists; the record was made above and is on no list.
            unsafe {
                libc::pthread_setspecific(key, core::ptr::null());
                free_record(record);
            }
        }
    };
    give_alternate_stack(thread).inspect_err(|_| discard())?;
    thread.attention.store(ATTENTION_SET_UP, Ordering::Relaxed);
    let mut list = LIST.lock();
    if let Err(failure) = take_exceptions(thread) {
        drop(list);
        if take_alternate_stack_back(thread) == TakenBack::Yes {
            discard();
        }
        return Err(failure);
    }
    thread.next.set(list.first);
    thread.prev.set(core::ptr::null());
    // SAFETY: under the lock, all records on the list are alive.
    if let Some(next) = unsafe { list.first.as_ref() } {
        next.prev.set(thread);
    }
    list.first = thread;
    list.count += 1;
    drop(list);
    arch::set_current_thread(thread);
    // Once more, now that a shutdown would find the thread.
    look_again(thread).map(|()| thread)
}

/// Clears a thread's call for attention, if there is no more reason for it.
fn look_again(thread: &Thread) -> Result<(), Failure> {
    // Before the look, so that a shutdown that comes after the look is not cleared with it.
    if thread.attention.swap(0, Ordering::SeqCst) == 0 {
        return library::require_ready();
    }
    let result = library::require_ready().and_then(|()| {
        let _list = LIST.lock();
        take_exceptions(thread)
    });
    result.inspect_err(|_| thread.attention.store(ATTENTION_SET_UP, Ordering::SeqCst))
}

/// With the Mach backend, gives this thread its port, or puts it back on top. The caller holds the list's lock.
#[cfg(wasmtrap_mach)]
fn take_exceptions(thread: &Thread) -> Result<(), Failure> {
    super::mach::ports::take_exceptions(thread)
}

/// Signals need nothing of the kind.
#[cfg(not(wasmtrap_mach))]
fn take_exceptions(_thread: &Thread) -> Result<(), Failure> {
    Ok(())
}

/// Has every thread look, before its next protected call, whether the library is still set up.
pub(crate) fn call_for_attention() {
    LIST.lock().each(|thread| _ = thread.attention.fetch_or(ATTENTION_SET_UP, Ordering::SeqCst));
}

/// This thread's record, if it is attached.
#[cfg(wasmtrap_mach)]
pub(crate) fn current() -> Option<&'static Thread> {
    // SAFETY: null or this thread's record, which only this thread frees.
    unsafe { arch::current_thread().as_ref() }
}

/// Lets `look` see the attached threads, none of which comes or goes meanwhile.
#[cfg(wasmtrap_mach)]
pub(crate) fn locked<R>(look: impl FnOnce(&List) -> R) -> R {
    look(&LIST.lock())
}

fn new_record(key: libc::pthread_key_t) -> Result<NonNull<Thread>, Failure> {
    let no_memory = |_| error::no_memory(format_args!("a thread's record"));
    #[cfg(wasmtrap_mach)]
    let kept = super::mach::records::take();
    #[cfg(not(wasmtrap_mach))]
    let kept = None;
    let thread = kept.map_or_else(allocation::allocate::<Thread>, Ok).map_err(no_memory)?;
    let own_stack = platform::stack_bounds();
    #[cfg(wasmtrap_mach)]
    let mach = match new_mach_half() {
        Ok(mach) => mach,
        Err(failure) => {
            match kept {
                Some(record) => super::mach::records::keep(record),
                // SAFETY: fresh memory, which nobody has seen.
                None => unsafe { allocation::release(thread) },
            }
            return Err(failure);
        }
    };
    // SAFETY: memory of our own, of the right size and alignment.
    unsafe {
        thread.write(Thread {
            chain: AtomicPtr::new(core::ptr::null_mut()),
            attention: AtomicU8::new(0),
            stack: Cell::new(own_stack),
            own_stack,
            pending: UnsafeCell::new(PendingTrap::EMPTY),
            alternate_stack: Cell::new(None),
            asking: Cell::new(0),
            #[cfg(wasmtrap_mach)]
            mach,
            next: Cell::new(core::ptr::null()),
            prev: Cell::new(core::ptr::null()),
        });
    }
    // SAFETY: the key exists.
    let error = unsafe { libc::pthread_setspecific(key, thread.as_ptr().cast()) };
    if error != 0 {
        // SAFETY: nobody has seen the record.
        unsafe { free_record(thread) };
        return Err(error::no_memory(format_args!("a thread-specific value (pthread_setspecific: errno {error})")));
    }
    Ok(thread)
}

/// The Mach half of a record, with the stack on which the embedder's fault handler runs.
#[cfg(wasmtrap_mach)]
fn new_mach_half() -> Result<MachThread, Failure> {
    let mach = MachThread::new();
    let size = ALTERNATE_STACK_SIZE.load(Ordering::Relaxed) + mach.vector_state_size;
    let stack = map_stack(size, "the fault handler's stack")?;
    mach.callback_stack.set(stack.mapping);
    mach.callback_stack_size.set(stack.mapping_size);
    Ok(mach)
}

/// # Safety
/// The record is on no list, and no handler can find it.
unsafe fn free_record(record: NonNull<Thread>) {
    #[cfg(wasmtrap_mach)]
    {
        // SAFETY: the caller's promise.
        let mach = unsafe { &record.as_ref().mach };
        // SAFETY: a mapping of `map_stack`, which nothing runs on.
        unsafe { libc::munmap(mach.callback_stack.get(), mach.callback_stack_size.get()) };
        super::mach::records::keep(record);
    }
    #[cfg(not(wasmtrap_mach))]
    // SAFETY: the caller's promise.
    unsafe {
        allocation::release(record)
    };
}

/// Gives the thread an alternate signal stack, unless it has one that is big enough.
fn give_alternate_stack(thread: &Thread) -> Result<(), Failure> {
    // SAFETY: all-zero is a valid stack_t to write into.
    let mut earlier: libc::stack_t = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `earlier`.
    if unsafe { libc::sigaltstack(core::ptr::null(), &raw mut earlier) } != 0 {
        return Err(error::system("sigaltstack", error::errno()));
    }
    let needed = platform::signal_frame_size() + HANDLER_NEEDS;
    if earlier.ss_flags & libc::SS_DISABLE == 0 && earlier.ss_size >= needed {
        return Ok(());
    }
    if let Some(kept) = thread.alternate_stack.get() {
        return use_stack(&kept);
    }
    let mapped = map_stack(ALTERNATE_STACK_SIZE.load(Ordering::Relaxed).max(needed), "an alternate signal stack")?;
    let stack =
        AlternateStack { mapping: mapped.mapping, mapping_size: mapped.mapping_size, base: mapped.base, earlier };
    match use_stack(&stack) {
        Ok(()) => {
            thread.alternate_stack.set(Some(stack));
            Ok(())
        }
        Err(failure) => {
            // SAFETY: the mapping was made above, and nothing uses it.
            unsafe { libc::munmap(stack.mapping, stack.mapping_size) };
            Err(failure)
        }
    }
}

/// A stack with an inaccessible page below it.
struct MappedStack {
    mapping: *mut c_void,
    mapping_size: usize,
    base: *mut c_void,
}

fn map_stack(size: usize, what: &str) -> Result<MappedStack, Failure> {
    let page = page_size();
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

fn use_stack(stack: &AlternateStack) -> Result<(), Failure> {
    let size = stack.mapping_size - (stack.base.addr() - stack.mapping.addr());
    let stack = libc::stack_t { ss_sp: stack.base, ss_flags: 0, ss_size: size };
    // SAFETY: the stack is mapped and stays so until it is taken back.
    match unsafe { libc::sigaltstack(&raw const stack, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(error::system("sigaltstack", error::errno())),
    }
}

/// Whether the thread's alternate stack could be taken back.
#[derive(PartialEq, Eq)]
enum TakenBack {
    Yes,
    /// The thread runs on it.
    InUse,
    /// Somebody else's is in its place; they may mean to put ours back.
    Covered,
}

fn take_alternate_stack_back(thread: &Thread) -> TakenBack {
    let Some(stack) = thread.alternate_stack.get() else { return TakenBack::Yes };
    // SAFETY: all-zero is a valid stack_t to write into.
    let mut now: libc::stack_t = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `now`.
    unsafe { libc::sigaltstack(core::ptr::null(), &raw mut now) };
    if now.ss_flags & libc::SS_ONSTACK != 0 && now.ss_sp == stack.base {
        return TakenBack::InUse;
    }
    if now.ss_flags & libc::SS_DISABLE == 0 && now.ss_sp != stack.base {
        return TakenBack::Covered;
    }
    // SAFETY: what the thread had before; whoever set it up answers for it.
    if unsafe { libc::sigaltstack(&raw const stack.earlier, core::ptr::null_mut()) } != 0 {
        // The earlier one may be too small for the kernel by now: none at all, then.
        let none = libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: disabling needs no memory.
        unsafe { libc::sigaltstack(&raw const none, core::ptr::null_mut()) };
    }
    // SAFETY: our mapping, which is no signal stack any more.
    unsafe { libc::munmap(stack.mapping, stack.mapping_size) };
    thread.alternate_stack.set(None);
    TakenBack::Yes
}

fn leave_list(thread: &Thread) {
    let mut list = LIST.lock();
    #[cfg(wasmtrap_mach)]
    super::mach::ports::take_back(thread);
    // SAFETY: under the lock, all records on the list are alive.
    match unsafe { thread.prev.get().as_ref() } {
        Some(prev) => prev.next.set(thread.next.get()),
        None => list.first = thread.next.get(),
    }
    // SAFETY: as above.
    if let Some(next) = unsafe { thread.next.get().as_ref() } {
        next.prev.set(thread.prev.get());
    }
    list.count -= 1;
}

pub(crate) fn detach() -> Result<(), Failure> {
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return Ok(()) };
    if !land::innermost(thread).is_null() {
        return Err(fail(
            WASMTRAP_ERR_BUSY,
            format_args!("the thread is inside the protected call at {:#x}", land::innermost(thread).addr()),
        ));
    }
    let taken = take_alternate_stack_back(thread);
    if taken == TakenBack::InUse {
        return Err(fail(WASMTRAP_ERR_BUSY, format_args!("the thread runs on its alternate signal stack")));
    }
    // First of all for handlers: from here on the thread is foreign.
    arch::set_current_thread(core::ptr::null_mut());
    leave_list(thread);
    if taken == TakenBack::Yes {
        // SAFETY: the key exists since the thread was attached; the record is on no list and in no handler's hands.
        unsafe {
            libc::pthread_setspecific(exit_key()?, core::ptr::null());
            free_record(NonNull::from(thread));
        }
    }
    Ok(())
}

/// The key whose destructor puts everything back at a thread's end.
fn exit_key() -> Result<libc::pthread_key_t, Failure> {
    static KEY: ThreadKey = ThreadKey::new(thread_ends);
    KEY.get().map_err(|error| error::system("pthread_key_create", error))
}

extern "C" fn thread_ends(record: *mut c_void) {
    let Some(record) = NonNull::new(record.cast::<Thread>()) else { return };
    // SAFETY: the record that `attach` stored for this thread.
    let thread = unsafe { record.as_ref() };
    if core::ptr::eq(arch::current_thread(), thread) {
        arch::set_current_thread(core::ptr::null_mut());
        leave_list(thread);
    }
    if take_alternate_stack_back(thread) == TakenBack::Covered
        && let Some(stack) = thread.alternate_stack.get()
    {
        // Nobody is left to put ours back.
        // SAFETY: our mapping; the thread's signal stack is another.
        unsafe { libc::munmap(stack.mapping, stack.mapping_size) };
    }
    // SAFETY: on no list, in no handler's hands, and pthread has forgotten it.
    unsafe { free_record(record) };
}

pub(crate) fn count() -> usize {
    LIST.lock().count
}

/// Whether a thread is inside a protected call.
pub(crate) fn any_inside() -> bool {
    let mut inside = false;
    LIST.lock().each(|thread| inside |= !land::innermost(thread).is_null());
    inside
}

pub(crate) fn detach_chain() -> Result<*mut wasmtrap_chain_t, Failure> {
    library::require_ready()?;
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return Ok(core::ptr::null_mut()) };
    let chain = thread.chain.swap(core::ptr::null_mut(), Ordering::Relaxed);
    thread.stack.set(thread.own_stack);
    // SAFETY: null or the frame of a protected call that has not returned.
    if let Some(activation) = unsafe { chain.as_mut() } {
        activation.detached = 1;
    }
    Ok(chain.cast())
}

/// # Safety
/// `chain` is null or came from `detach_chain`, and its protected calls have not ended.
pub(crate) unsafe fn attach_chain(
    chain: *mut wasmtrap_chain_t,
    stack: Option<&wasmtrap_stack_t>,
) -> Result<(), Failure> {
    library::require_ready()?;
    let bounds = stack.map(checked_bounds).transpose()?;
    let chain = chain.cast::<Activation>();
    // All that can be refused comes before the thread is attached.
    // SAFETY: null or this thread's record, which only this thread frees.
    let innermost = unsafe { arch::current_thread().as_ref() }.map_or(core::ptr::null_mut(), land::innermost);
    if !innermost.is_null() {
        return Err(fail(
            WASMTRAP_ERR_BUSY,
            format_args!("the thread is inside the protected call at {:#x}: detach its chain first", innermost.addr()),
        ));
    }
    // SAFETY: the caller's promise.
    if unsafe { chain.as_ref() }.is_some_and(|activation| activation.detached == 0) {
        return Err(fail(
            WASMTRAP_ERR_WRONG_THREAD,
            format_args!("chain {:#x} is attached to a thread already", chain.addr()),
        ));
    }
    let thread = attach()?;
    // SAFETY: the caller's promise.
    if let Some(activation) = unsafe { chain.as_mut() } {
        activation.detached = 0;
    }
    thread.stack.set(bounds.unwrap_or(thread.own_stack));
    // Last, because from here on a trap lands in the chain.
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
    thread.chain.store(chain, Ordering::Relaxed);
    Ok(())
}

fn checked_bounds(stack: &wasmtrap_stack_t) -> Result<StackBounds, Failure> {
    let (low, high, guard) = (stack.low.addr(), stack.high.addr(), stack.guard_size);
    if low == 0 || high <= low {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("stack->low is {low:#x} and stack->high is {high:#x}, which is no stack"),
        ));
    }
    if guard > low {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("stack->guard_size is {guard:#x}, which wraps around below stack->low {low:#x}"),
        ));
    }
    Ok(StackBounds { low, high, guard })
}

pub(crate) fn lock_for_fork() {
    LIST.acquire();
}

/// # Safety
/// `lock_for_fork` took the lock on this thread.
pub(crate) unsafe fn unlock_after_fork_in_parent() {
    // SAFETY: the caller's promise.
    unsafe { LIST.release() };
}

/// Frees what belonged to the threads that the child does not have.
///
/// # Safety
/// `lock_for_fork` took the lock on the thread that this one is the image of.
pub(crate) unsafe fn unlock_after_fork_in_child() {
    // SAFETY: the caller's promise: the lock is held, and no guard exists.
    let list = unsafe { LIST.value_while_acquired() };
    let this = arch::current_thread();
    let mut link = core::mem::take(&mut list.first);
    list.count = 0;
    // SAFETY: records on the list are alive: their threads were when the fork happened.
    while let Some(thread) = unsafe { link.as_ref() } {
        link = thread.next.get();
        if core::ptr::eq(thread, this) {
            thread.next.set(core::ptr::null());
            thread.prev.set(core::ptr::null());
            list.first = thread;
            list.count = 1;
            #[cfg(wasmtrap_mach)]
            super::mach::ports::forget(thread);
            continue;
        }
        if let Some(stack) = thread.alternate_stack.get() {
            // SAFETY: the signal stack of a thread that does not exist here.
            unsafe { libc::munmap(stack.mapping, stack.mapping_size) };
        }
        // SAFETY: its thread does not exist here.
        unsafe { free_record(NonNull::from(thread)) };
    }
    // SAFETY: the caller's promise.
    unsafe { LIST.release() };
}
