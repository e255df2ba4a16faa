//! Every `extern "C"` function, and nothing else: convert, check pointers, hand on.
//!
//! The comments are the header's. Outputs are written only on success.
#![allow(non_camel_case_types, reason = "the names are C's")]

use core::ffi::{CStr, c_char, c_int, c_void};

use crate::inside::lookup;
use crate::inside::signals::entry;
use crate::outside::cancellation::CancellationWaits;
use crate::outside::clients::Name;
use crate::outside::error::{self, Failure};
use crate::outside::threads::{self, marks, stack_limit};
use crate::outside::{adoption, code, describe, growing, guest_access, library, names, poll_pages, regions, runs};
use crate::shared::abi::*;
use crate::shared::state;
use libc::uintptr_t;

/// A call that takes locks, allocates or asks the system for something: no cancellation point.
fn whole(call: impl FnOnce() -> Result<(), Failure>) -> wasmtrap_status_t {
    let _whole = CancellationWaits::new();
    status(call())
}

fn status(result: Result<(), Failure>) -> wasmtrap_status_t {
    match result {
        Ok(()) => WASMTRAP_OK,
        Err(failure) => failure.status(),
    }
}

/// Writes `value` to `out` if there is an `out`; otherwise says that `name` is NULL.
///
/// # Safety
/// `out` is null or valid for a write.
unsafe fn store<T>(name: &str, out: *mut T, value: impl FnOnce() -> Result<T, Failure>) -> Result<(), Failure> {
    if out.is_null() {
        return Err(error::null(name));
    }
    let value = value()?;
    // SAFETY: not null, and the caller promises that it is valid.
    unsafe { out.write(value) };
    Ok(())
}

/// Fills in what a look-up finds, without a sentence where it finds nothing.
///
/// # Safety
/// As for `growing::fill_in`.
unsafe fn look_up<T: growing::Growing>(info: *mut T, find: impl FnOnce() -> Option<T>) -> wasmtrap_status_t {
    let value = || {
        if !state::is_ready() {
            return Err(WASMTRAP_ERR_NOT_INITIALIZED);
        }
        find().ok_or(WASMTRAP_ERR_NOT_FOUND)
    };
    // SAFETY: the caller's promise.
    match unsafe { growing::fill_in(info, value) } {
        Ok(()) => WASMTRAP_OK,
        Err(status) => status,
    }
}

// --- 1. Version and names --------------------------------------------------------------------------------------------

/// ===== 1. Version and names =====
///
/// The version of the library that is running, "major.minor.patch". WASMTRAP_VERSION_* are those of the header.
/// Static storage. Thread-safe, signal-safe. Needs no wasmtrap_init.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_version() -> *const c_char {
    names::VERSION.as_ptr()
}

/// The WebAssembly specification's message for a trap code, such as "integer divide by zero"; "user trap" for the
/// embedder's own codes, "unknown trap" for the rest. Never NULL; static storage. Thread-safe, signal-safe. Needs no
/// wasmtrap_init.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_code_name(code: wasmtrap_code_t) -> *const c_char {
    names::trap_code(code).as_ptr()
}

/// A status as text, "WASMTRAP_ERR_OVERLAP" say; "unknown status" for a value that is none. Never NULL; static storage.
/// Thread-safe, signal-safe. Needs no wasmtrap_init.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_status_name(status: wasmtrap_status_t) -> *const c_char {
    names::status(status).as_ptr()
}

/// An access as a word: "read", "write", "execute", or "unknown". Never NULL; static storage. Thread-safe, signal-safe.
/// Needs no wasmtrap_init.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_access_name(access: wasmtrap_access_t) -> *const c_char {
    names::access(access).as_ptr()
}

/// What the last call of this thread that failed has to say: a sentence that names the argument and its value. "" if no
/// call of this thread has failed. Calls that succeed leave it alone. Never NULL; the text belongs to the library and
/// stays until the thread's next failing call or its end. Thread-safe, not signal-safe. Needs no wasmtrap_init.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_last_error() -> *const c_char {
    error::last()
}

// --- 2. Set-up -------------------------------------------------------------------------------------------------------

/// ===== 2. Set-up =====
///
/// Installs the library's fault handling in this process. `options` is read during the call only; NULL means all
/// defaults. With Mach ports it starts a thread, which blocks all signals and lives until wasmtrap_shutdown.
///
/// Signal handlers that are there already stay in use for every fault that is not the library's. The shared object that
/// the library is in is never unloaded from then on.
///
/// Calling it again with the same options is WASMTRAP_OK and only counts: the set-up stays until wasmtrap_shutdown has
/// been called as often, so that two users in a process that do not know of each other can both call the two. With
/// other options it is WASMTRAP_ERR_CONFLICT, and does not count. After the last wasmtrap_shutdown it may be called
/// again with any. All who call it share the process's default client, with one fault handler
/// (wasmtrap_set_fault_handler); who wants one beside others' opens a client (wasmtrap_client_open).
///
/// Errors: WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (a field, or the environment variable
/// WASMTRAP_BACKEND), WASMTRAP_ERR_CONFLICT, WASMTRAP_ERR_UNSUPPORTED (no Mach ports here, for the reason that
/// wasmtrap_last_error gives, and no fallback allowed), WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Thread-safe, not
/// signal-safe.
///
/// # Safety
/// `options` is NULL or points to a structure as large as its struct_size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_init(options: *const wasmtrap_options_t) -> wasmtrap_status_t {
    let given = if options.is_null() {
        Ok(None)
    } else {
        // SAFETY: not null; the caller's promise.
        unsafe { growing::read("options", options) }.map(Some)
    };
    whole(|| library::init(given?.as_ref()))
}

/// The end of what wasmtrap_init began. Where that was called more often, with success, than this since, only the count
/// goes down, and all that is registered stays: unregister what is your own before.
///
/// The last one puts the earlier signal handlers and exception ports back and forgets all code ranges, regions and the
/// fault handler; their ids are unknown afterwards. Where other clients are open (wasmtrap_client_open), only what is
/// the default client's own goes, and nothing that follows here happens before the last one's end. Where another
/// handler has been installed on top of the library's, that one stays, and the library's, which it may call, forwards
/// every fault to the earlier ones. Threads keep what wasmtrap_thread_attach gave them until they end or call
/// wasmtrap_thread_detach.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_BUSY (it is the last one, and a thread is inside a protected
/// call; detached chains do not count). Thread-safe, not signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_shutdown() -> wasmtrap_status_t {
    whole(|| library::close(WASMTRAP_CLIENT_DEFAULT))
}

/// Opens a client: for a library that shares its process with other users of libwasmtrap that it does not know of (an
/// engine in a plug-in, a Python extension). What is registered for the client is found and judged as its own, goes
/// with it, and nobody else's shutdown takes it away. A program that is the only user needs no client but the default
/// one, which wasmtrap_init opens and wasmtrap_shutdown closes. `desc` is read during the call only; `client` receives
/// the client's number, never 0.
///
/// The first client to come, be it the default one, sets the library up as wasmtrap_init does. For those that come
/// later the kinds of fault that they ask for are added, and the alternate stacks of threads that attach from then on
/// are as large as the largest that was asked for. What is the whole process's and cannot be had twice, the backend
/// (unless it is WASMTRAP_BACKEND_AUTO, or a fallback is allowed) and who owns the signal handlers, must be what it is.
///
/// Errors: as for wasmtrap_init, and WASMTRAP_ERR_INVALID_ARGUMENT (`desc`, its name or `client` is NULL, the name is
/// empty), WASMTRAP_ERR_CONFLICT (wasmtrap_last_error says which option, and names the client that came first),
/// WASMTRAP_ERR_LIMIT (WASMTRAP_MAX_CLIENTS are open). Thread-safe, not signal-safe.
///
/// # Safety
/// `desc` is NULL or points to a structure as large as its struct_size says, whose `name` is NULL or ends in NUL and
/// whose `options` is NULL or as wasmtrap_init wants it; `client` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_client_open(
    desc: *const wasmtrap_client_desc_t,
    client: *mut wasmtrap_client_t,
) -> wasmtrap_status_t {
    // SAFETY: the caller's promise, for all of it.
    whole(|| unsafe {
        store("client", client, || {
            let desc = growing::read("desc", desc)?;
            if desc.name.is_null() {
                return Err(error::null("desc->name"));
            }
            let name = Name::new(CStr::from_ptr(desc.name).to_bytes())?;
            let options =
                if desc.options.is_null() { None } else { Some(growing::read("desc->options", desc.options)?) };
            library::open(name, options.as_ref())
        })
    })
}

/// Closes a client. Its code ranges, regions and fault handler are forgotten, as if each had been unregistered: when
/// this returns, no handler looks at them any more. The other clients' stay, and so does the set-up as long as there is
/// one; the last client's end is that of wasmtrap_shutdown. The default client is closed by wasmtrap_shutdown alone.
///
/// Protected calls belong to no client. The end of a client that is not the last does not wait for those that its code
/// runs in: faults in its code are not traps any more.
///
/// Errors: WASMTRAP_ERR_UNKNOWN_ID (never given out, or closed before), WASMTRAP_ERR_INVALID_ARGUMENT (`client` is 0),
/// WASMTRAP_ERR_BUSY (it is the last one, and a thread is inside a protected call). Thread-safe, not signal-safe, not
/// to be called from a fault handler.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_client_close(client: wasmtrap_client_t) -> wasmtrap_status_t {
    whole(|| match client {
        WASMTRAP_CLIENT_DEFAULT => {
            Err(error::invalid(format_args!("client is 0, the default client, which wasmtrap_shutdown closes")))
        }
        _ => library::close(client),
    })
}

/// Tells which backend is in use: WASMTRAP_BACKEND_MACH_PORTS or WASMTRAP_BACKEND_SIGNALS. After fork the child uses
/// signals: it has neither the ports nor the thread that serves them.
///
/// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`backend` is NULL), WASMTRAP_ERR_NOT_INITIALIZED. Thread-safe, not
/// signal-safe.
///
/// # Safety
/// `backend` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_backend(backend: *mut wasmtrap_backend_t) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    whole(|| unsafe { store("backend", backend, library::backend) })
}

/// Describes the set-up in English, a fact a line, for a log or a support ticket: version, host, the backend and why it
/// was chosen, the faults taken, what each signal's handler is now and which object it belongs to, what is registered.
/// Works before wasmtrap_init, and says so.
///
/// Writes at most `capacity` bytes to `buffer`, always ending in NUL if `capacity` is not 0. `length` (may be NULL)
/// receives the length of the whole text without the NUL: the text was cut if that is not less than `capacity`.
/// `buffer` may be NULL if `capacity` is 0.
///
/// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`buffer` is NULL and `capacity` is not 0). Thread-safe, not signal-safe.
///
/// # Safety
/// `buffer` is valid for `capacity` bytes; `length` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_describe(
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wasmtrap_status_t {
    if buffer.is_null() && capacity != 0 {
        return error::null("buffer").status();
    }
    let _whole = CancellationWaits::new();
    // SAFETY: the caller's promise; describe writes no more than `capacity` bytes.
    let needed = unsafe { describe::describe(buffer.cast(), capacity) };
    if !length.is_null() {
        // SAFETY: not null; the caller's promise.
        unsafe { length.write(needed) };
    }
    WASMTRAP_OK
}

/// Tells whether faults of the calling thread still get to the library. `displaced` (may be NULL) receives 0 if they
/// do.
///
/// Its lower eight bits are the kinds of fault (WASMTRAP_FAULT_*) whose handler another one was installed over. A
/// displaced kind still works as long as the newer handler passes on what it does not know. With
/// WASMTRAP_INIT_HOST_OWNS_SIGNALS no handlers are looked at. With Mach ports the kinds are added for which the calling
/// thread has another exception port than the library's; a displaced signal handler matters there only when the kernel
/// bypasses the ports. On Windows it is all kinds or none: whether another vectored exception handler was added in
/// front. No function tells that, so that it is read from ntdll's list where that looks as expected, and not told
/// elsewhere (wasmtrap_describe says so); wasmtrap_rearm works there all the same.
///
/// What counts is what the kernel has. sigaction may say something else where it is another's than libc's (libjsig, a
/// sanitizer, whatever is preloaded): wasmtrap_describe tells whose, and of each signal what it says.
///
/// Beside them WASMTRAP_CHECK_BLOCKED_SHIFT, WASMTRAP_CHECK_INTERRUPTS_BLOCKED and WASMTRAP_CHECK_ALTERNATE_STACK tell
/// what the host has made of the calling thread's signal mask and alternate signal stack; wasmtrap_thread_attach mends
/// both. WASMTRAP_CHECK_INTERRUPT_SIGNAL tells that another handler has taken the place of the interrupt signal's.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
///
/// # Safety
/// `displaced` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_check(displaced: *mut u32) -> wasmtrap_status_t {
    let _whole = CancellationWaits::new();
    let found = match library::check() {
        Ok(found) => found,
        Err(failure) => return failure.status(),
    };
    if !displaced.is_null() {
        // SAFETY: not null; the caller's promise.
        unsafe { displaced.write(found) };
    }
    WASMTRAP_OK
}

/// Puts the library's handlers back on top where they were displaced. The handlers found there get every fault that is
/// not the library's, and if they pass it on in turn, it goes to the handlers that were there before the library: no
/// loop arises. Nothing happens where nothing is displaced. With Mach ports the calling thread's exception port is put
/// back on top too, and the one found there gets what is not the library's. The handler of the interrupt signal is put
/// back as well; that signal is the library's alone, so that the one found there is not called, until wasmtrap_shutdown
/// puts it back.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_LIMIT (more than seven different handlers have been put
/// underneath), WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_rearm() -> wasmtrap_status_t {
    whole(library::rearm)
}

// --- 3. Threads ------------------------------------------------------------------------------------------------------

/// ===== 3. Threads =====
///
/// Prepares the calling thread now rather than at its first protected call: an alternate signal stack with a guard
/// page, the bounds of its stack, its signal mask, and with Mach ports its exception port.
///
/// An alternate stack that the thread has already is kept if it is as large as the one that the library would make
/// (alternate_stack_size in wasmtrap_options_t, or what wasmtrap_describe says). A handler of the host's may run there
/// on top of the library's, so that less is not enough: not the 8 KiB of SIGSTKSZ.
///
/// The signals of the faults taken are unblocked in this thread, because the kernel kills a process for a fault whose
/// signal is blocked; the mask's other signals stay as they are. WASMTRAP_INIT_KEEP_SIGNAL_MASK leaves the mask alone.
///
/// Alternate stack and mask are the host's to change at any time, and protected calls do not look: a host that disables
/// or shrinks the stack, or blocks the signals, while the thread is attached, has its faults kill the process.
/// wasmtrap_check tells; calling wasmtrap_thread_attach again is WASMTRAP_OK and mends it.
///
/// At the thread's end all is undone by itself, but for an alternate stack that the thread had before: its owner may
/// have freed it by then, so that there is none in the end. A thread for which the kernel has
/// no port goes on with signals, unless Mach ports were asked for without WASMTRAP_INIT_ALLOW_FALLBACK or the host
/// owns the signals: then it is WASMTRAP_ERR_SYSTEM.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Not signal-safe. Acts on the
/// calling thread.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_thread_attach() -> wasmtrap_status_t {
    whole(threads::attach_anew)
}

/// Undoes wasmtrap_thread_attach: the thread's earlier alternate signal stack and exception ports are put back, and the
/// signals that it has unblocked are blocked again. An alternate stack that the host has set, or disabled, since then
/// is left as it is. WASMTRAP_OK if the thread is not attached. Allowed after wasmtrap_shutdown.
///
/// Errors: WASMTRAP_ERR_BUSY (the thread is inside a protected call, or runs on the alternate stack). Not signal-safe.
/// Acts on the calling thread.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_thread_detach() -> wasmtrap_status_t {
    whole(threads::detach)
}

// --- 4. Code and regions ---------------------------------------------------------------------------------------------

/// ===== 4. Code and regions =====
///
/// Registers a range of compiled WebAssembly code. A fault whose program counter is in no registered range is never a
/// trap, unless a fault handler or a region (WASMTRAP_REGION_ANY_PC) says so. `desc` and its sites are copied; the code
/// itself stays the caller's and must stay where it is until it is unregistered. `id` receives the range's id, never 0.
///
/// Cost: O(log n) for n ranges, plus a copy of the sites.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (a null pointer, a
/// zero or wrapping length, sites that are unsorted or outside of the range, an unknown flag), WASMTRAP_ERR_OVERLAP,
/// WASMTRAP_ERR_NO_MEMORY. Thread-safe, not signal-safe.
///
/// # Safety
/// `desc` is NULL or points to a structure as large as its struct_size says, whose `sites` has `site_count` elements;
/// `id` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_code_register(desc: *const wasmtrap_code_desc_t, id: *mut u64) -> wasmtrap_status_t {
    // SAFETY: the caller's promise, for all three.
    whole(|| unsafe { store("id", id, || code::register(&growing::read("desc", desc)?)) })
}

/// Forgets a code range. When it returns, no handler looks at the range or its sites any more, and the code may be
/// freed or overwritten.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_UNKNOWN_ID (never given out, or unregistered before).
/// Thread-safe, not signal-safe, not to be called from a fault handler.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_code_unregister(id: u64) -> wasmtrap_status_t {
    whole(|| code::unregister(id))
}

/// The same by the address of its first byte.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NOT_FOUND (no registered range begins there). Thread-safe, not
/// signal-safe, not to be called from a fault handler.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_code_unregister_at(start: *const c_void) -> wasmtrap_status_t {
    whole(|| code::unregister_at(start.addr()))
}

/// Finds the code range that `pc` is in. `info->struct_size` must be set; the rest is filled in. The answer is as of
/// the time of the call: another thread may unregister the range at once.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (`info` is NULL),
/// WASMTRAP_ERR_NOT_FOUND; none of them leaves a sentence for wasmtrap_last_error. Thread-safe, signal-safe, wait-free,
/// whether or not it finds something. Every signal is blocked meanwhile, by two system
/// calls: a handler could leave by a jump otherwise, and unregistering would wait for ever.
///
/// # Safety
/// `info` is NULL or points to a structure as large as its struct_size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_code_lookup(pc: *const c_void, info: *mut wasmtrap_code_info_t) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    unsafe { look_up(info, || lookup::code(pc.addr())) }
}

/// Registers a region of data addresses. Regions must not overlap each other. `id` receives the region's id, never 0.
///
/// Cost: O(log n) for n regions.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (a null pointer, a
/// zero or wrapping length, an unknown flag), WASMTRAP_ERR_OVERLAP, WASMTRAP_ERR_NO_MEMORY. Thread-safe, not
/// signal-safe.
///
/// # Safety
/// `desc` is NULL or points to a structure as large as its struct_size says; `id` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_region_register(
    desc: *const wasmtrap_region_desc_t,
    id: *mut u64,
) -> wasmtrap_status_t {
    // SAFETY: the caller's promise, for both.
    whole(|| unsafe { store("id", id, || regions::register(&growing::read("desc", desc)?)) })
}

/// Forgets a region. When it returns, no handler looks at it any more.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_UNKNOWN_ID. Thread-safe, not signal-safe, not to be called from a
/// fault handler.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_region_unregister(id: u64) -> wasmtrap_status_t {
    whole(|| regions::unregister(id))
}

/// The same by the region's base.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NOT_FOUND (no registered region begins there). Thread-safe, not
/// signal-safe, not to be called from a fault handler.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_region_unregister_at(base: *const c_void) -> wasmtrap_status_t {
    whole(|| regions::unregister_at(base.addr()))
}

/// Finds the region that `address` is in. `info->struct_size` must be set; the rest is filled in. The answer is as of
/// the time of the call: another thread may unregister the region at once.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (`info` is NULL),
/// WASMTRAP_ERR_NOT_FOUND; none of them leaves a sentence for wasmtrap_last_error. Thread-safe, signal-safe, wait-free,
/// whether or not it finds something. Every signal is blocked meanwhile, by two system
/// calls: a handler could leave by a jump otherwise, and unregistering would wait for ever.
///
/// # Safety
/// `info` is NULL or points to a structure as large as its struct_size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_region_lookup(
    address: *const c_void,
    info: *mut wasmtrap_region_info_t,
) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    unsafe { look_up(info, || lookup::region(address.addr())) }
}

/// Tells how much of the region that begins at `base` is accessible from now on, in bytes from `base`: when a memory
/// grows, after its pages have been made accessible and before the guest may touch them. It is an atomic store to the
/// library's own copy of the region. (Not a pointer to a word of the host's: what a fault handler reads must be there
/// as long as the region is, and readable with whatever rights a signal handler has.)
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NOT_FOUND (no registered region begins there),
/// WASMTRAP_ERR_INVALID_ARGUMENT (`accessible` is more than the region's length); none of them leaves a sentence for
/// wasmtrap_last_error. Thread-safe, signal-safe, wait-free. Every signal is blocked meanwhile, by two
/// system calls.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_region_set_accessible(base: *const c_void, accessible: usize) -> wasmtrap_status_t {
    if state::is_ready() { lookup::set_accessible(base.addr(), accessible) } else { WASMTRAP_ERR_NOT_INITIALIZED }
}

// --- 5. Running ------------------------------------------------------------------------------------------------------

/// ===== 5. Running =====
///
/// Calls function(argument) under protection. WASMTRAP_OK when it returned, WASMTRAP_TRAPPED when it trapped; then
/// `*trap` is filled in. `trap` may be NULL, else its struct_size, frames and frames_capacity must be set, and it must
/// stay valid during the call. Attaches the thread if need be.
///
/// After a trap the callee-saved registers, the x87 control word and MXCSR (arm64: FPCR) are as they were at the call.
/// Frames between the trap and the call are dropped without running destructors. The signal mask is what it was where
/// the trap happened. Protected calls nest: a trap ends the innermost one of its thread.
///
/// A C++ exception, a Rust panic or a thread cancellation may pass through. longjmp from inside to outside leaves the
/// call as well, though the library does not hear of it: the call is passed over from then on, by faults and by
/// wasmtrap_raise, which land in the innermost call that is alive, by backtraces, and by the functions below. A call
/// counts as left when code runs further out on the same stack (the thread's own, or the one told to
/// wasmtrap_chain_attach), when its frame has been written to, or when the frame pointers of the code that traps lead
/// past it to a call further out. What is left of doubt, code that runs further in again, without frame pointers or
/// with no call further out, in a function that covers the whole dead frame and has written to none of it, is a host's
/// to settle that longjmps out of protected calls: by wasmtrap_mark and wasmtrap_unwind_to.
///
/// Errors (negative; the function has not run): WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_INVALID_ARGUMENT (`function`
/// is NULL, or `frames` is NULL while `frames_capacity` is not 0), WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_NO_MEMORY,
/// WASMTRAP_ERR_SYSTEM. WASMTRAP_ERR_WRONG_THREAD says that the function has run and returned, but on a thread, or with
/// a chain, that this call is not part of: a stack was switched without wasmtrap_chain_detach. Thread-safe, not
/// signal-safe.
///
/// # Safety
/// `function` may be called with `argument`; `trap` is as said above.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C-unwind" fn wasmtrap_call(
    function: wasmtrap_function_t,
    argument: *mut c_void,
    trap: *mut wasmtrap_trap_t,
) -> wasmtrap_status_t {
    crate::arch::protected_call!()
}

/// Ends the innermost protected call of this thread that is alive with a trap, as a fault would: for library calls and
/// for checks that compiled code makes itself. Does not return, and runs no destructors on its way. `code` is
/// WASMTRAP_CODE_* or the embedder's own; it and `payload` are handed on as they are.
///
/// Outside of a protected call it writes a sentence to standard error and aborts the process: there is nowhere to go.
/// Not signal-safe in general; allowed in a handler of a fault that happened in registered code. Out of a fault handler
/// (wasmtrap_set_fault_handler) the signal mask becomes what it was where the fault happened; a signal handler of the
/// host's own puts the mask back itself, before or after.
///
/// # Safety
/// The frames between here and the protected call may be dropped without cleaning up.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn wasmtrap_raise(code: wasmtrap_code_t, payload: u64) -> ! {
    crate::arch::raise!()
}

/// Says that the innermost protected call of this thread may be dropped for a memory fault in `client`'s regions with
/// WASMTRAP_REGION_ANY_PC, wherever the program counter is, from now on to wasmtrap_guest_access_end: for interpreters
/// and host functions that access guest memory from C. WASMTRAP_REGION_ANY_PC says what dropping host frames costs.
///
/// `access` receives what the call was before, for wasmtrap_guest_access_end: accesses nest, and may be for different
/// clients, of which the latest counts. NULL means that it is not going to be ended: it holds for the rest of the call.
/// It ends with the call at the latest, however that ends; protected calls that are made within it have no part in it.
/// A longjmp from the access to further out in the same call does not end it: end it where the jump arrives.
///
/// Errors: WASMTRAP_ERR_UNKNOWN_ID (`client` is not open), WASMTRAP_ERR_NOT_INITIALIZED (`client` is 0, and
/// wasmtrap_init has not been called), WASMTRAP_ERR_WRONG_THREAD (the thread is in no protected call). Acts on the
/// calling thread. Takes no lock and makes no system call. Not signal-safe.
///
/// # Safety
/// `access` is NULL or valid for a write. The frames between the accesses to come and the protected call may be dropped
/// without cleaning up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_guest_access_begin(
    client: wasmtrap_client_t,
    access: *mut wasmtrap_guest_access_t,
) -> wasmtrap_status_t {
    status(guest_access::begin(client).map(|before| {
        // SAFETY: null, or the caller's promise.
        if let Some(access) = unsafe { access.as_mut() } {
            *access = before;
        }
    }))
}

/// Makes the protected call what it was before wasmtrap_guest_access_begin gave `access`.
///
/// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`access` is NULL, or was begun in another protected call than the innermost
/// one of this thread), WASMTRAP_ERR_WRONG_THREAD (the thread is in no protected call). Acts on the calling thread.
/// Takes no lock and makes no system call. Not signal-safe.
///
/// # Safety
/// `access` is NULL or valid for a read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_guest_access_end(access: *const wasmtrap_guest_access_t) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    let access = unsafe { access.as_ref() };
    status(access.ok_or_else(|| error::null("access")).and_then(guest_access::end))
}

/// Notes which protected calls this thread is in, for a host whose errors are longjmps (Lua, Ruby, R, PostgreSQL): call
/// it where setjmp is called, before it, and wasmtrap_unwind_to where the jump arrives, in the branch in which setjmp
/// has not returned 0. Attaches the thread if need be.
///
/// A mark belongs to its thread as long as that is attached, and to the protected call in which it was made: it is good
/// until that call ends; one that was made outside of any call, until the thread is detached. Marks need not be used,
/// may be used more than once and in any order that the calls allow. Costs a few nanoseconds.
///
/// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`mark` is NULL), WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NO_MEMORY,
/// WASMTRAP_ERR_SYSTEM. Acts on the calling thread. Not signal-safe.
///
/// # Safety
/// `mark` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_mark(mark: *mut wasmtrap_mark_t) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    status(unsafe { store("mark", mark, marks::mark) })
}

/// Says that all protected calls of this thread that were entered since the mark was made have been left by a jump, and
/// that the thread runs on the stack again on which it made the mark. They count no longer, whatever their frames look
/// like: the next trap lands in the call in which the mark was made, and without one wasmtrap_thread_detach and
/// wasmtrap_shutdown are not refused on their account. Nothing is written to their frames. Nothing happens if no call
/// was entered since.
///
/// It is the host's word: a call that has not been left, and returns later all the same, returns
/// WASMTRAP_ERR_WRONG_THREAD.
///
/// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`mark` is NULL, was not written by wasmtrap_mark, or was made in a protected
/// call that has ended or is not on this thread), WASMTRAP_ERR_WRONG_THREAD (`mark` was made on another thread, or
/// before this one was detached), WASMTRAP_ERR_NOT_INITIALIZED. Acts on the calling thread. Not signal-safe.
///
/// # Safety
/// `mark` is NULL or valid for a read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_unwind_to(mark: *const wasmtrap_mark_t) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    let mark = unsafe { mark.as_ref() };
    status(mark.ok_or_else(|| error::null("mark")).and_then(marks::unwind_to))
}

/// Takes the thread's protected calls off it, for a host that is about to switch stacks (fibers, greenlets). `chain`
/// receives them, NULL if there are none; calls that were left by longjmp are not among them. Afterwards the thread is
/// outside of any protected call. To switch: detach the running stack's chain, switch, attach the other stack's.
///
/// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`chain` is NULL), WASMTRAP_ERR_NOT_INITIALIZED. Acts on the calling thread.
/// Not signal-safe.
///
/// # Safety
/// `chain` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_chain_detach(chain: *mut *mut wasmtrap_chain_t) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    status(unsafe { store("chain", chain, threads::chains::detach) })
}

/// Gives a detached chain to the calling thread, which need not be the one it came from. `chain` may be NULL: the
/// thread stays outside of any protected call. `stack`, read during the call only, tells the bounds of the stack that
/// the chain goes on with, for stack overflows and backtraces; NULL means the thread's own stack. It holds until the
/// next wasmtrap_chain_detach.
///
/// Errors: WASMTRAP_ERR_BUSY (the thread is inside a protected call: detach first), WASMTRAP_ERR_WRONG_THREAD (`chain`
/// is attached to a thread already), WASMTRAP_ERR_STRUCT_SIZE, WASMTRAP_ERR_INVALID_ARGUMENT (the bounds of `stack` are
/// empty or wrap, or `chain` is none, or its innermost protected call has ended), WASMTRAP_ERR_NOT_INITIALIZED,
/// WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Acts on the calling thread. Not signal-safe.
///
/// # Safety
/// `chain` is NULL or came from wasmtrap_chain_detach and its protected calls have not ended; `stack` is NULL or points
/// to a structure as large as its struct_size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_chain_attach(
    chain: *mut wasmtrap_chain_t,
    stack: *const wasmtrap_stack_t,
) -> wasmtrap_status_t {
    let bounds = if stack.is_null() {
        Ok(None)
    } else {
        // SAFETY: not null; the caller's promise.
        unsafe { growing::read("stack", stack) }.map(Some)
    };
    // SAFETY: the caller's promise about `chain`.
    status(bounds.and_then(|bounds| unsafe { threads::chains::attach(chain, bounds.as_ref()) }))
}

/// Interruption.
///
/// Another thread ends the guest's run with a trap: a deadline, a user who has lost patience, a host that shuts down. A
/// run is one protected call: open it, hand its number to whoever may interrupt it, make the call by wasmtrap_run_call,
/// close it. wasmtrap_interrupt ends it
///
/// - at once if the thread is in registered code, wherever that is in its loops, which poll nothing: by the signal that
///   the host has given to the library (interrupt_signal in wasmtrap_options_t); on Windows always, see below;
/// - before the guest's first instruction if the run has not been called yet;
/// - at the next protected call that the thread makes within the run, which does not begin then, or at the next
///   wasmtrap_interrupt_point, if the thread is in host code: that is never dropped at any other place, because it may
///   hold a lock. A host function calls wasmtrap_interrupt_point last of all, before it returns to the guest. To be
///   sure of those that do not, and of what comes between the point and the return, call wasmtrap_interrupt again from
///   time to time until the run has ended: the signal is sent once more, and the interrupt is the same.
///
/// An interrupt is set once and taken once, by the innermost protected call of the run, which returns WASMTRAP_TRAPPED
/// with WASMTRAP_SOURCE_INTERRUPT, the code and the payload; the host hands that on outwards as it does any trap. It is
/// the run's alone. When the run's call has ended, by itself, by another trap or by an exception, what pends is gone
/// with it, and no later call is interrupted.
///
/// Without an interrupt_signal, but on Windows, only the last two ways are there, and pages that the guest polls
/// (wasmtrap_poll_page_open): cheap where a compiler can put a load into each loop, and all that is wanted is to stop
/// whoever polls.
///
/// The signal may interrupt system calls of the host's, if it comes while the thread is in host code. Its handler is
/// installed with SA_RESTART: what can be restarted is, the others fail with EINTR (signal(7): sleep, poll, select,
/// epoll_wait, sockets with timeouts, and more), as with any signal of a process. It is a signal with Mach ports, too.
///
/// On Windows wasmtrap_interrupt suspends the thread, and sets its registers if it is in registered code; it waits for
/// nothing in the thread, disturbs no system call, and needs no room on its stack. A thread that is just being given an
/// exception is looked at again, a hundred times at the most; if the exception goes to others than the library and they
/// go on with the guest, call wasmtrap_interrupt again, as for host code.
///
/// Opens a run. `run` receives its number. It must be closed: a run that is not holds some fifty bytes.
///
/// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`run` is NULL), WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NO_MEMORY,
/// WASMTRAP_ERR_LIMIT (four million runs are open). Thread-safe, not signal-safe.
///
/// # Safety
/// `run` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_run_open(run: *mut wasmtrap_run_t) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    whole(|| unsafe { store("run", run, runs::open) })
}

/// Closes a run: nobody can interrupt it any more, and its number is unknown from now on. A call of it that has not
/// ended goes on as if it were none. Allowed after wasmtrap_shutdown.
///
/// Errors: WASMTRAP_ERR_UNKNOWN_ID (never given out, or closed before). Thread-safe, not signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_run_close(run: wasmtrap_run_t) -> wasmtrap_status_t {
    whole(|| runs::close(run))
}

/// As wasmtrap_call, and the call is the run. Once only. It may move to other threads by wasmtrap_chain_detach and
/// wasmtrap_chain_attach; what interrupts it meanwhile pends until then.
///
/// Errors: those of wasmtrap_call, WASMTRAP_ERR_UNKNOWN_ID (`run` is not open), WASMTRAP_ERR_BUSY (it has been called
/// before). Thread-safe, not signal-safe.
///
/// # Safety
/// As for wasmtrap_call.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C-unwind" fn wasmtrap_run_call(
    run: wasmtrap_run_t,
    function: wasmtrap_function_t,
    argument: *mut c_void,
    trap: *mut wasmtrap_trap_t,
) -> wasmtrap_status_t {
    crate::arch::run_call!()
}

/// Interrupts a run from any thread, its own included. `code` is WASMTRAP_CODE_INTERRUPT, say, or the embedder's own;
/// it and `payload` are handed on in the trap record. If an interrupt of the run pends already, that one stays, with
/// its code and its payload, and the thread is told once more.
///
/// WASMTRAP_OK says that it pends or has been taken; the run may end by itself before it gets to it. No signal is sent
/// where it has another handler than the library's (WASMTRAP_CHECK_INTERRUPT_SIGNAL): what pends then waits for the
/// next protected call or interrupt point, or for wasmtrap_rearm and one more wasmtrap_interrupt.
///
/// Errors: WASMTRAP_ERR_UNKNOWN_ID (`run` is not open), WASMTRAP_ERR_NOT_FOUND (its call has ended, or its thread has),
/// WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_SYSTEM (the signal cannot be sent: the user's queue of
/// real-time signals is full; on Windows, the thread cannot be suspended or its registers not be set; nothing pends
/// then that did not before). Thread-safe, not signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_interrupt(run: wasmtrap_run_t, code: wasmtrap_code_t, payload: u64) -> wasmtrap_status_t {
    whole(|| runs::interrupt(run, code, payload))
}

/// Takes an interrupt back. `pending` (may be NULL) receives 1 if one was pending, which is gone now, else 0: there was
/// none, or it has been taken.
///
/// Errors: WASMTRAP_ERR_UNKNOWN_ID (`run` is not open), WASMTRAP_ERR_NOT_INITIALIZED. Thread-safe, not signal-safe.
///
/// # Safety
/// `pending` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_interrupt_cancel(run: wasmtrap_run_t, pending: *mut u32) -> wasmtrap_status_t {
    whole(|| {
        let was_pending = runs::cancel(run)?;
        // SAFETY: null, or the caller's promise.
        if let Some(pending) = unsafe { pending.as_mut() } {
            *pending = was_pending.into();
        }
        Ok(())
    })
}

/// A place in a host function at which it may be dropped: ends the innermost protected call of this thread, as
/// wasmtrap_raise does, if a run that the thread is in was interrupted. Returns otherwise, after a few instructions if
/// there is nothing to do. Hold no lock and own nothing when you call it.
///
/// Acts on the calling thread. Not signal-safe.
///
/// # Safety
/// The frames between here and the protected call may be dropped without cleaning up.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn wasmtrap_interrupt_point() {
    crate::arch::interrupt_point!()
}

/// Makes a page for guests to poll: `page` receives the address of readable memory, a page of it, with a region over it
/// that is `client`'s and says `code`, WASMTRAP_CODE_INTERRUPT say. Compiled loops load a byte of it now and then. Once
/// wasmtrap_poll_page_set has taken the page away, that load is a fault, and a trap with this code: in all guests that
/// poll the page. With a table of trap sites the load has to be one, with WASMTRAP_CODE_NONE.
///
/// Errors: WASMTRAP_ERR_INVALID_ARGUMENT (`page` is NULL, `code` is WASMTRAP_CODE_NONE, `client` takes no memory
/// faults), WASMTRAP_ERR_UNKNOWN_ID (`client` is not open), WASMTRAP_ERR_NOT_INITIALIZED (`client` is 0, and
/// wasmtrap_init has not been called), WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
///
/// # Safety
/// `page` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_poll_page_open(
    client: wasmtrap_client_t,
    code: wasmtrap_code_t,
    page: *mut *const c_void,
) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    whole(|| unsafe { store("page", page, || poll_pages::open(client, code)) })
}

/// Takes the page away (`stop` is not 0), or gives it back (0). One system call; takes no lock.
///
/// Errors: WASMTRAP_ERR_NOT_FOUND (`page` did not come from wasmtrap_poll_page_open, was closed, or its client was),
/// WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_poll_page_set(page: *const c_void, stop: c_int) -> wasmtrap_status_t {
    whole(|| poll_pages::set(page, stop != 0))
}

/// Forgets the page's region and unmaps the page. A page that was not closed before its client, or before
/// wasmtrap_shutdown, stays mapped.
///
/// Errors: WASMTRAP_ERR_NOT_FOUND (as above), WASMTRAP_ERR_NOT_INITIALIZED. Thread-safe, not signal-safe, not to be
/// called from a fault handler.
///
/// # Safety
/// No guest polls the page any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_poll_page_close(page: *const c_void) -> wasmtrap_status_t {
    whole(|| poll_pages::close(page))
}

/// Imports and stack.
///
/// WebAssembly that recurses ends in the guard of the stack, and that is a trap: "call stack exhausted". But untrusted
/// code chooses how deep it is when it calls an import. If it is a few hundred bytes above the guard, the overflow
/// happens in the import: in printf, in memcpy, in the dynamic linker that looks the import's functions up. That is a
/// fault in host code, which the library forwards like any other, and which kills the process. It cannot be a trap: the
/// host's frames would be dropped with their locks held and their work half done.
///
/// So the engine keeps the guest away from there. wasmtrap_stack_limit tells the lowest address that compiled code may
/// use; each function of the guest compares its stack pointer, less its frame, with that, before it makes the frame,
/// and calls wasmtrap_raise(WASMTRAP_CODE_STACK_OVERFLOW, 0), or runs into an instruction with that trap site, where it
/// is below. An engine that cannot compare in compiled code can do so in its import thunks, which are the host's code,
/// with the same limit: an import that is called too deep raises the trap before it has begun.
///
/// An import needs what its deepest call chain needs, with a signal handler of the host's without SA_ONSTACK on top. 64
/// KiB, which is what wasmtrap_stack_limit keeps free by itself, are enough for printf or for the first call of a
/// function through the dynamic linker. Functions that use alloca or recurse, and interpreters, need more: measure, for
/// too little is not an error but a crash. wasmtrap_set_stack_reserve says how much it is; it must leave something of
/// the smallest stacks that guests run on.
///
/// Sets how many bytes of stack wasmtrap_stack_limit keeps free for imports from now on, WASMTRAP_DEFAULT_STACK_RESERVE
/// at first. For the whole process; limits that have been handed out stay as they are. Any value is allowed.
///
/// Thread-safe, signal-safe. Needs no wasmtrap_init.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_set_stack_reserve(bytes: usize) {
    stack_limit::set_reserve(bytes);
}

/// Tells how far down the stack that the calling thread runs on now may be used by compiled code: `limit` receives the
/// lowest usable address, plus `reserve`, plus what wasmtrap_set_stack_reserve keeps free for imports. `reserve` is the
/// engine's own part: what its thunks and library calls need between the comparison and the import; 0 if they need
/// nothing. Attaches the thread if need be.
///
/// The limit may be above the stack pointer, if little is left: then all that compares with it traps at once. It holds
/// for this stack: after a switch of stacks (wasmtrap_chain_attach) there is another. On the main thread, whose stack
/// grows, it follows RLIMIT_STACK as it is now; without a limit 128 MiB are counted on (Linux). A guard that the host
/// makes inside of the stack is known if it was there when the thread was attached, or when wasmtrap_thread_attach was
/// called again since.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_INVALID_ARGUMENT (`limit` is NULL, or the reserves leave nothing
/// of the stack), WASMTRAP_ERR_UNSUPPORTED (the bounds of the stack are not known: it was switched without
/// wasmtrap_chain_attach, or it is the main thread's, without a limit and without /proc), WASMTRAP_ERR_NO_MEMORY,
/// WASMTRAP_ERR_SYSTEM. Not signal-safe. Acts on the calling thread.
///
/// # Safety
/// `limit` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_stack_limit(reserve: usize, limit: *mut uintptr_t) -> wasmtrap_status_t {
    // SAFETY: the caller's promise.
    whole(|| unsafe { store("limit", limit, || stack_limit::limit(reserve)) })
}

// --- 6. Own handling -------------------------------------------------------------------------------------------------

/// ===== 6. Own handling =====
///
/// Sets the embedder's own fault handler, or takes it away (`handler` is NULL). It is asked about every fault of the
/// kinds taken that the kernel made, on any thread and at any program counter, before the registered tables have their
/// say. `user` is handed to it and never looked at. A thread that is in the old handler at the time may still be in it
/// when this returns, if it takes longer than a few milliseconds; no thread enters it afterwards.
///
/// On arm64 the look at the handler and the jump to it are two instructions. Linux has a thread that it has
/// interrupted between them look again, from 5.10 on with glibc 2.35 or later, in programs with a dynamic linker; not
/// if that happens eight times in a row, as by a debugger's steps. Elsewhere (musl, static programs, macOS, Windows,
/// glibc where GLIBC_TUNABLES=glibc.pthread.rseq=0) it is waited for, for a few milliseconds. If it gets no processor
/// for so long, it enters the handler later, with its `user`: the handler's code and `user` have to stay there until
/// every fault is over that had begun before, or for good, with a flag in `user` which says that the handler is no
/// more.
///
/// There is one, which a second call replaces. But where wasmtrap_init has been called more often than
/// wasmtrap_shutdown, by several users perhaps, another handler than the one that is set (another function, or another
/// `user`) is refused: whose it is would not hear that it is asked no more.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_CONFLICT (the above), WASMTRAP_ERR_NO_MEMORY. Thread-safe, not
/// signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_set_fault_handler(
    handler: wasmtrap_fault_handler_t,
    user: *mut c_void,
) -> wasmtrap_status_t {
    whole(|| library::set_fault_handler(WASMTRAP_CLIENT_DEFAULT, handler, user, true))
}

/// Sets a client's own fault handler, or takes it away (`handler` is NULL). It is asked as wasmtrap_set_fault_handler
/// says, which is the same for the default client with WASMTRAP_HANDLER_ANY_FAULT; but of the kinds of fault that the
/// client takes, and first of all about those in its own code ranges or, outside of registered code, in its own
/// regions. About faults that are nobody's by the tables it is asked with WASMTRAP_HANDLER_ANY_FAULT only: one client
/// after the other, in the order in which they have set their handlers, until one does not say
/// WASMTRAP_VERDICT_FORWARD. `flags` is that or 0.
///
/// Errors: WASMTRAP_ERR_UNKNOWN_ID (`client` is not open), WASMTRAP_ERR_NOT_INITIALIZED (`client` is 0, and
/// wasmtrap_init has not been called), WASMTRAP_ERR_CONFLICT (`client` is 0: see wasmtrap_set_fault_handler),
/// WASMTRAP_ERR_INVALID_ARGUMENT (an unknown flag), WASMTRAP_ERR_NO_MEMORY. Thread-safe, not signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_client_set_fault_handler(
    client: wasmtrap_client_t,
    handler: wasmtrap_fault_handler_t,
    user: *mut c_void,
    flags: u32,
) -> wasmtrap_status_t {
    if flags & !WASMTRAP_HANDLER_ANY_FAULT != 0 {
        let known = WASMTRAP_HANDLER_ANY_FAULT;
        return error::invalid(format_args!(
            "flags is {flags:#x}, but only {known:#x} (WASMTRAP_HANDLER_ANY_FAULT) is known"
        ))
        .status();
    }
    let any_fault = flags & WASMTRAP_HANDLER_ANY_FAULT != 0;
    whole(|| library::set_fault_handler(client, handler, user, any_fault))
}

/// For a host that owns its signal handlers (WASMTRAP_INIT_HOST_OWNS_SIGNALS): hands a signal to the library, from
/// inside an SA_SIGINFO handler, with that handler's three arguments. 1 if it was the library's: the context has been
/// changed, return from the handler at once. 0 if it was not; nothing has changed. The handler should be installed with
/// SA_ONSTACK, or a stack overflow cannot be caught.
/// A signal that no fault makes, NULL and zeroed structures are not the library's: 0.
///
/// On Windows: from inside an exception handler or filter, with the EXCEPTION_RECORD and the CONTEXT of what that was
/// given; `signal` is not looked at. After 1, have the thread go on (EXCEPTION_CONTINUE_EXECUTION).
///
/// Signal-safe, thread-safe. 0 before wasmtrap_init, and if `siginfo` or `ucontext` is NULL.
///
/// # Safety
/// `siginfo` and `ucontext` are NULL or what the kernel gave to the handler, a siginfo_t and a ucontext_t (Windows: an
/// EXCEPTION_RECORD and a CONTEXT).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_try_handle_signal(
    signal: c_int,
    siginfo: *mut c_void,
    ucontext: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    c_int::from(unsafe { entry::try_handle(signal, siginfo.cast(), ucontext.cast()) })
}

// --- 7. Adoption -----------------------------------------------------------------------------------------------------

/// ===== 7. Adoption =====
///
/// An engine that installs POSIX signal handlers of its own, or vectored exception handlers on Windows, is adopted,
/// unmodified: the library puts itself in front, calls the engine's handlers for the faults that are theirs to judge,
/// and applies what they do. Several engines can be adopted, and have the library's own traps beside them. Where Mach
/// exception ports are in use, their faults come by these, before a crash reporter or a debugger hears of them. In
/// short: wasmtrap_adopt_begin; whatever makes the engine call sigaction (AddVectoredExceptionHandler), most often the
/// making of its first engine or module; wasmtrap_adopt_end.
///
/// wasmtrap_adopt_begin has a handler of the library's stand in for what each of SIGSEGV, SIGBUS, SIGILL, SIGFPE and
/// SIGTRAP does: that is what the engine finds there, and takes for its earlier handler. Until the end the calling
/// thread should do nothing else, and no other thread should install handlers of these signals. `client` is whose the
/// engine is: it is released when that client is closed. In a forked child what another thread has begun is cancelled,
/// and what the engine has installed by then stays as it is.
///
/// On Windows an engine's vectored exception handlers are adopted, those that are new in the system's list at the end;
/// nothing stands in for anything, and no other thread should call AddVectoredExceptionHandler until then. That list is
/// read from an entry of the library's own on: nobody has documented it, and where a version of Windows has it in
/// another way than expected, WASMTRAP_ERR_UNSUPPORTED says so. (It has been tried under Wine only.) A host can do
/// without: it calls an engine's handler, which it knows, from a fault handler (wasmtrap_set_fault_handler), with an
/// EXCEPTION_POINTERS of the fault's siginfo and ucontext. If that answers EXCEPTION_CONTINUE_EXECUTION, the fault
/// handler copies what it has set of the context into the fault's registers and answers WASMTRAP_VERDICT_RESUME.
///
/// Errors: WASMTRAP_ERR_UNKNOWN_ID (`client` is not open), WASMTRAP_ERR_NOT_INITIALIZED (`client` is 0, and
/// wasmtrap_init has not been called), WASMTRAP_ERR_BUSY (an adoption has begun and not ended, on whichever thread),
/// WASMTRAP_ERR_UNSUPPORTED (WASMTRAP_INIT_HOST_OWNS_SIGNALS; on Windows, see above), WASMTRAP_ERR_LIMIT
/// (WASMTRAP_MAX_ADOPTED; on Windows, more than 128 handlers are there already), WASMTRAP_ERR_NO_MEMORY,
/// WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_adopt_begin(client: wasmtrap_client_t) -> wasmtrap_status_t {
    whole(|| adoption::begin(client))
}

/// Takes over the handlers that were installed since wasmtrap_adopt_begin: takes them out of the kernel, puts back what
/// was there, and has the library in front. `id` receives the engine's id, which is never 0 and never given out twice.
/// `flags` is WASMTRAP_ADOPT_OWN_FAULTS or 0. The object that each handler is in is never unloaded from then on.
///
/// An engine is offered faults that the kernel made, of the signals that it has installed handlers for: first of all
/// those that are its own, in code registered with WASMTRAP_CODE_ADOPTED for its client, or of a thread between
/// wasmtrap_adopted_enter and wasmtrap_adopted_leave that is in no registered code. Then the library looks whether it
/// is a trap, and asks the fault handlers. Then the other engines are asked, in the order in which they were adopted,
/// about what is not in another client's code; then who was there before the library.
///
/// A handler is called on the thread that faulted, with the mask and, if it was installed without SA_ONSTACK, on the
/// stack that the kernel would have given it, and with a complete siginfo_t and ucontext_t: the kernel's own for a
/// signal, but for the last eight bytes of the siginfo_t, which no signal uses. It decides by what it does:
/// - it returns: the thread goes on with the context as it is then, changed or not;
/// - it calls what it has found as its earlier handler, or puts that or SIG_DFL in place by sigaction and returns: it
///   has declined, and the next one is asked. (On Linux, where it was installed without SA_ONSTACK and runs on the
///   stack of the code that faulted, SIG_DFL in place is what the kernel then goes by: the process ends at the fault.)
/// - it jumps out, by siglongjmp say: nothing of the library's is left behind.
///
/// On Windows a vectored handler is called with the record and the context that the library's was given, and decides by
/// what it returns; leaving it by a jump is not for vectored handlers. It stays in the system's list, behind the
/// library's, so that the engine's handle for it is good. So it is asked once more, in its place there, about what
/// nobody has taken, whatever `flags` says; and all that is no fault of the library's kinds comes to it there alone.
///
/// With Mach ports this thread is attached (wasmtrap_thread_attach), and every other one that calls
/// wasmtrap_adopted_enter. A fault of a thread that is not attached comes as a signal, to the same handlers, after the
/// task's exception port has heard of it.
///
/// Errors: WASMTRAP_ERR_NOT_FOUND (no wasmtrap_adopt_begin; or no handler was installed since, which ends what has
/// begun), WASMTRAP_ERR_WRONG_THREAD (another thread has begun), WASMTRAP_ERR_UNSUPPORTED (a handler with
/// SA_RESETHAND), WASMTRAP_ERR_INVALID_ARGUMENT (`id` is NULL, an unknown flag; or a handler in memory that is not
/// there), WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_BUSY (handlers keep being installed meanwhile),
/// WASMTRAP_ERR_LIMIT (on Windows, more than 4 handlers of one engine), WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM.
/// Where a handler is refused all of the engine's stay as it has installed them, and call what was there before as they
/// would without the library. Thread-safe, not signal-safe.
///
/// # Safety
/// `id` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_adopt_end(flags: u32, id: *mut u64) -> wasmtrap_status_t {
    if flags & !WASMTRAP_ADOPT_OWN_FAULTS != 0 {
        let known = WASMTRAP_ADOPT_OWN_FAULTS;
        return error::invalid(format_args!(
            "flags is {flags:#x}, but only {known:#x} (WASMTRAP_ADOPT_OWN_FAULTS) is known"
        ))
        .status();
    }
    // SAFETY: the caller's promise.
    whole(|| unsafe { store("id", id, || adoption::end(flags)) })
}

/// Gives an adopted engine its signals back: its handlers are installed as it has installed them, on top of the
/// library's, which stay what they find as their earlier ones. The engine can then take them away as it always does
/// (Wasmtime's Engine::unload_process_handlers). Where several are released, each should take its handlers away before
/// the next one is released, as without the library. Faults that other engines or the library take reach them through
/// this one's handlers as long as those are there; wasmtrap_rearm puts the library in front.
///
/// On Windows they have never left the system's list: the library no longer calls them, and they have their faults by
/// their place there. An engine that takes a handler away (RemoveVectoredExceptionHandler) without a release is no
/// longer called from the next wasmtrap_adopt_begin, wasmtrap_adopt_release or wasmtrap_rearm on; until then its code,
/// which stays in memory, may be.
///
/// A thread that faults at the same time may still be in one of the engine's handlers when this returns.
///
/// Errors: WASMTRAP_ERR_UNKNOWN_ID (never given out, or released before), WASMTRAP_ERR_BUSY (an adoption has begun and
/// not ended), WASMTRAP_ERR_NOT_INITIALIZED, WASMTRAP_ERR_NO_MEMORY, WASMTRAP_ERR_SYSTEM. Thread-safe, not signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_adopt_release(id: u64) -> wasmtrap_status_t {
    whole(|| adoption::release(id))
}

/// Marks the calling thread's faults as those of an adopted engine, until wasmtrap_adopted_leave: all of them, but for
/// those in registered code. For a host that does not know where the engine has its code: around each call of it.
/// `before` (may be NULL) receives whose they were, for wasmtrap_adopted_leave, so that calls of engines nest. A call
/// that is left by a jump leaves the mark as it is; the next wasmtrap_adopted_leave further out puts it right.
///
/// Attaches the thread (wasmtrap_thread_attach), which with Mach ports is what brings its exceptions here: worth it at
/// the start of each thread that runs the engine.
///
/// Errors: WASMTRAP_ERR_UNKNOWN_ID (not the id of an adopted engine), WASMTRAP_ERR_NOT_INITIALIZED, and those of
/// wasmtrap_thread_attach. Thread-safe, not signal-safe.
///
/// # Safety
/// `before` is NULL or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtrap_adopted_enter(id: u64, before: *mut u64) -> wasmtrap_status_t {
    whole(|| {
        let earlier = adoption::enter(id)?;
        if !before.is_null() {
            // SAFETY: not null; the caller's promise.
            unsafe { before.write(earlier) };
        }
        Ok(())
    })
}

/// Ends what wasmtrap_adopted_enter has begun. `before` is what that has given, or 0: nobody's.
///
/// Errors: WASMTRAP_ERR_NOT_INITIALIZED, and those of wasmtrap_thread_attach. Thread-safe, not signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtrap_adopted_leave(before: u64) -> wasmtrap_status_t {
    whole(|| adoption::leave(before))
}
