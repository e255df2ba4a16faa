//! The server thread: starting it, stopping it, and helping it when its port set is lost.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};

use mach2::mach_port::{mach_port_allocate, mach_port_mod_refs};
use mach2::message::*;
use mach2::port::{MACH_PORT_NULL, MACH_PORT_RIGHT_PORT_SET};
use mach2::traps::mach_task_self;

use super::Refusal;
use super::ports::{self, MASK, SET};
use crate::inside::mach::server::{End, serve};
use crate::outside::lock::Locked;
use crate::outside::threads::list::{self, List};
use crate::shared::mach::STOP_ID;

/// The control port: a message to it stops the server. 0 if there is none.
static CONTROL: AtomicU32 = AtomicU32::new(0);

struct Server {
    thread: Option<libc::pthread_t>,
}

// Taken while the library's state is locked, and by nobody else.
static SERVER: Locked<Server> = Locked::new(Server { thread: None });

/// What the server's stack holds: its message, a thread's state, a trap's record. Signals never run there.
const STACK_SIZE: usize = 128 * 1024;

fn new_set() -> Result<u32, Refusal> {
    let mut set = MACH_PORT_NULL;
    // SAFETY: `set` is valid for a write.
    match unsafe { mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &raw mut set) } {
        0 => Ok(set),
        code => Err(Refusal { call: "mach_port_allocate", code }),
    }
}

fn destroy_set(set: u32) {
    // SAFETY: a port set of ours, used for the last time. Its members stay.
    unsafe { mach_port_mod_refs(mach_task_self(), set, MACH_PORT_RIGHT_PORT_SET, -1) };
}

/// Takes these kinds of fault (WASMTRAP_FAULT_*), too. A thread asks the kernel for them when it next takes its port.
pub(crate) fn extend(kinds: u32) {
    MASK.fetch_or(ports::mask_of(kinds), Ordering::Relaxed);
}

/// Starts the server for these kinds of fault (WASMTRAP_FAULT_*).
pub(crate) fn start(kinds: u32) -> Result<(), Refusal> {
    MASK.store(ports::mask_of(kinds), Ordering::Relaxed);
    let set = new_set()?;
    let control = match ports::new_port(0) {
        Ok(control) => control,
        Err(refusal) => {
            destroy_set(set);
            return Err(refusal);
        }
    };
    CONTROL.store(control, Ordering::Relaxed);
    let started = ports::add_to_set(control, set).and_then(|()| start_thread(set));
    match started {
        Ok(thread) => {
            SERVER.lock().thread = Some(thread);
            list::locked(|_| SET.store(set, Ordering::Relaxed));
            Ok(())
        }
        Err(refusal) => {
            destroy_set(set);
            ports::destroy_port(control);
            Err(refusal)
        }
    }
}

fn start_thread(set: u32) -> Result<libc::pthread_t, Refusal> {
    // SAFETY: all-zero memory is good enough to initialise these in.
    let (mut all, mut before, mut attributes): (libc::sigset_t, libc::sigset_t, libc::pthread_attr_t) =
        unsafe { core::mem::zeroed() };
    // SAFETY: all-zero is valid, and pthread_create writes it.
    let mut thread: libc::pthread_t = unsafe { core::mem::zeroed() };
    // The thread inherits a mask in which everything is blocked: no handler of the process's ever runs on it.
    // SAFETY: the places are valid; the attributes are initialised before they are used and destroyed once.
    let error = unsafe {
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        libc::pthread_attr_init(&raw mut attributes);
        libc::pthread_attr_setstacksize(&raw mut attributes, STACK_SIZE);
        let error = libc::pthread_create(&raw mut thread, &raw const attributes, run, set as usize as *mut c_void);
        libc::pthread_attr_destroy(&raw mut attributes);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, core::ptr::null_mut());
        error
    };
    if error == 0 { Ok(thread) } else { Err(Refusal { call: "pthread_create", code: error }) }
}

extern "C" fn run(set: *mut c_void) -> *mut c_void {
    name_thread();
    let mut set = set.addr() as u32;
    loop {
        match serve(set, CONTROL.load(Ordering::Relaxed)) {
            End::Stopped => return core::ptr::null_mut(),
            End::SetLost(_) => match list::locked(recover) {
                Some(new) => set = new,
                None => return core::ptr::null_mut(),
            },
        }
    }
}

fn name_thread() {
    const NAME: &core::ffi::CStr = c"wasmtrap-mach";
    // SAFETY: the name ends in NUL and is short enough (16 bytes on Linux, 64 on macOS).
    #[cfg(target_os = "macos")]
    unsafe {
        libc::pthread_setname_np(NAME.as_ptr());
    }
    // SAFETY: as above.
    #[cfg(not(target_os = "macos"))]
    unsafe {
        libc::pthread_setname_np(libc::pthread_self(), NAME.as_ptr());
    }
}

/// Somebody has destroyed the port set. Its members are alive, and threads may be waiting for an answer: they go into a
/// new one. If there is none to be had, the ports are destroyed, which sends what waits to the next level.
fn recover(threads: &List) -> Option<u32> {
    if SET.load(Ordering::Relaxed) == 0 {
        return None; // a shutdown is under way, and no thread is in a protected call
    }
    let replacement = new_set().and_then(|set| {
        let mut result = ports::add_to_set(CONTROL.load(Ordering::Relaxed), set);
        threads.each(|thread| {
            if thread.backend.port.load(Ordering::Relaxed) != 0 {
                result = result.and(ports::add_to_set(thread.backend.port.load(Ordering::Relaxed), set));
            }
        });
        result.map(|()| set)
    });
    SET.store(replacement.unwrap_or(0), Ordering::Relaxed);
    if replacement.is_err() {
        threads.each(|thread| {
            if thread.backend.port.load(Ordering::Relaxed) != 0 {
                ports::destroy_port(thread.backend.port.swap(0, Ordering::Relaxed));
            }
        });
    }
    replacement.ok()
}

/// Stops the server and takes the ports off all threads, none of which is in a protected call.
pub(crate) fn stop() {
    let set = list::locked(|_| SET.swap(0, Ordering::Relaxed));
    let control = CONTROL.load(Ordering::Relaxed);
    if let Some(thread) = SERVER.lock().thread.take() {
        tell_to_stop(control);
        // SAFETY: our own thread, joined once.
        unsafe { libc::pthread_join(thread, core::ptr::null_mut()) };
    }
    list::locked(|threads| threads.each(ports::take_back));
    if set != 0 {
        destroy_set(set);
    }
    if control != 0 {
        ports::destroy_port(control);
        CONTROL.store(0, Ordering::Relaxed);
    }
}

fn tell_to_stop(control: u32) {
    let mut message = mach_msg_header_t {
        msgh_bits: MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        msgh_size: size_of::<mach_msg_header_t>() as u32,
        msgh_remote_port: control,
        msgh_local_port: MACH_PORT_NULL,
        msgh_voucher_port: MACH_PORT_NULL,
        msgh_id: STOP_ID as i32,
    };
    // SAFETY: a message of the size that it says, to a port that we have a send right to.
    unsafe { mach_msg_send(&raw mut message) };
}

/// For a forked child, which has neither the thread nor the ports.
pub(crate) fn forget() {
    SERVER.lock().thread = None;
    CONTROL.store(0, Ordering::Relaxed);
    SET.store(0, Ordering::Relaxed);
}
