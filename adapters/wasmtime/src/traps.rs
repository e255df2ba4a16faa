//! From libwasmtrap's fault handler to Wasmtime's trap handler and, where it does not want the fault, back.
//!
//! `fault_handler` runs wherever a signal handler may, on any thread: it looks at its argument, at this thread's own
//! words and at two atomics, and calls nothing else. What it keeps: a fault that Wasmtime does not take is forwarded
//! with every register as it was.

use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use wasmtrap::abi::*;
use wasmtrap::capi;

use crate::arch;
use crate::code;
use crate::fork;
use crate::threads::{self, Thread};

/// What Wasmtime gives to `wasmtime_init_traps`. It does not return if it takes the trap.
pub(crate) type TrapHandler = extern "C" fn(pc: usize, fp: usize, has_faulting_address: bool, faulting_address: usize);

/// Wasmtime's handler, null before there is one.
static HANDLER: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// What Wasmtime is in libwasmtrap: a client of its own, so that the host need not share its fault handler with it, and
/// the host's shutdown does not take its code away. The default client, which is the host's, before there is one.
static CLIENT: AtomicU32 = AtomicU32::new(WASMTRAP_CLIENT_DEFAULT);

/// A fault closer than this to the stack pointer is an access to the stack: a push, a call, a probe of the next page.
/// The largest page of these systems.
const STACK_ACCESS: usize = 16 * 1024;

/// What a fault interrupted, kept while Wasmtime's handler looks at it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Interrupted {
    registers: wasmtrap_registers_t,
    sp: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
#[repr(usize)]
enum State {
    /// Nothing is. The zero that a thread begins with.
    Idle,
    /// Wasmtime's handler has the fault; it may have taken it.
    Asked,
    /// It did not want it, and the instruction is about to fault again.
    Refused,
}

/// Why there can be no traps.
pub(crate) enum Failure {
    /// libwasmtrap's word, which `wasmtrap_last_error` explains.
    Library(wasmtrap_status_t),
    /// There is another Wasmtime with a handler of its own. It would share the first one's thread-locals.
    AnotherHandler,
    /// There is no memory to watch for forks.
    NoMemory,
}

/// Takes Wasmtime's handler.
pub(crate) fn init(handler: TrapHandler) -> Result<(), Failure> {
    let handler = handler as *mut c_void;
    match HANDLER.compare_exchange(core::ptr::null_mut(), handler, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => {}
        Err(earlier) if earlier == handler => {}
        Err(_) => return Err(Failure::AnotherHandler),
    }
    let done = install();
    if done.is_err() {
        HANDLER.store(core::ptr::null_mut(), Ordering::SeqCst);
    }
    done
}

fn install() -> Result<(), Failure> {
    arch::prepare();
    if client() == WASMTRAP_CLIENT_DEFAULT {
        CLIENT.store(open_client()?, Ordering::SeqCst);
    }
    if fork::watch() != 0 {
        return Err(Failure::NoMemory);
    }
    // Of any fault: those in the trampoline are in nobody's code.
    let flags = WASMTRAP_HANDLER_ANY_FAULT;
    match capi::wasmtrap_client_set_fault_handler(client(), Some(fault_handler), core::ptr::null_mut(), flags) {
        WASMTRAP_OK => Ok(()),
        error => Err(Failure::Library(error)),
    }
}

/// Opens the client, as the host has set the library up, or else as libwasmtrap does by default.
fn open_client() -> Result<wasmtrap_client_t, Failure> {
    let mut options = wasmtrap_options_t {
        struct_size: size_of::<wasmtrap_options_t>(),
        backend: WASMTRAP_BACKEND_AUTO,
        macos_use_mach_ports: WASMTRAP_MACH_PORTS_DEFAULT,
        fault_kinds: 0,
        flags: 0,
        alternate_stack_size: 0,
        interrupt_signal: 0,
        reserved: 0,
    };
    let mut client = WASMTRAP_CLIENT_DEFAULT;
    let mut open = |flags| {
        options.flags = flags;
        let desc = wasmtrap_client_desc_t {
            struct_size: size_of::<wasmtrap_client_desc_t>(),
            name: c"Wasmtime".as_ptr(),
            options: &raw const options,
        };
        // SAFETY: both live during the call, and the sizes are right.
        unsafe { capi::wasmtrap_client_open(&raw const desc, &raw mut client) }
    };
    let status = match open(0) {
        // The one thing that cannot be had twice and that is not asked for here: who owns the signal handlers.
        WASMTRAP_ERR_CONFLICT => open(WASMTRAP_INIT_HOST_OWNS_SIGNALS),
        status => status,
    };
    if status == WASMTRAP_OK { Ok(client) } else { Err(Failure::Library(status)) }
}

/// What Wasmtime's code is registered for.
pub(crate) fn client() -> wasmtrap_client_t {
    CLIENT.load(Ordering::SeqCst)
}

/// Whether Wasmtime has asked for traps.
pub(crate) fn wanted() -> bool {
    !HANDLER.load(Ordering::Relaxed).is_null()
}

/// libwasmtrap's fault handler.
unsafe extern "C" fn fault_handler(fault: *mut wasmtrap_fault_t, _user: *mut c_void) -> wasmtrap_verdict_t {
    // SAFETY: libwasmtrap's promise: it lives until we return.
    let fault = unsafe { &mut *fault };
    // SAFETY: the registers live as long as the fault.
    let registers = unsafe { &mut *fault.registers };
    if arch::trampoline_contains(fault.pc) {
        return give_back(threads::current(), registers);
    }
    // First the program counter: only then is the thread one that knows Wasmtime.
    if fault.flags & WASMTRAP_HAS_CODE == 0 || fault.code_user != code::mark() {
        return WASMTRAP_VERDICT_FORWARD;
    }
    let Some(thread) = threads::current() else { return WASMTRAP_VERDICT_FORWARD };
    if !thread.is_in_wasm() {
        return WASMTRAP_VERDICT_FORWARD;
    }
    ask(thread, fault, registers)
}

/// Points the thread at the trampoline, which calls Wasmtime's handler.
fn ask(thread: &Thread, fault: &wasmtrap_fault_t, registers: &mut wasmtrap_registers_t) -> wasmtrap_verdict_t {
    // SAFETY: this thread's own, and nothing else of this thread runs.
    let interrupted = unsafe { &mut *thread.interrupted.get() };
    if interrupted.state == State::Refused && interrupted.registers.pc == registers.pc && interrupted.sp == fault.sp {
        interrupted.state = State::Idle;
        return WASMTRAP_VERDICT_FORWARD;
    }
    let is_memory = fault.kind == WASMTRAP_FAULT_MEMORY;
    let has_address = is_memory && fault.flags & WASMTRAP_HAS_FAULT_ADDRESS != 0;
    // The stack itself is used up: nothing can run on it, and Wasmtime, which checks its stack by instructions, has no
    // trap for it.
    if has_address && fault.fault_address.abs_diff(fault.sp) < STACK_ACCESS {
        return WASMTRAP_VERDICT_FORWARD;
    }
    let handler = HANDLER.load(Ordering::SeqCst);
    if handler.is_null() {
        return WASMTRAP_VERDICT_FORWARD;
    }
    *interrupted = Interrupted { registers: *registers, sp: fault.sp, state: State::Asked };
    let arguments = [fault.pc, fault.fp, usize::from(has_address), if has_address { fault.fault_address } else { 0 }];
    arch::enter_trampoline(registers, fault.sp, handler.addr(), arguments);
    WASMTRAP_VERDICT_RESUME
}

/// A fault in the trampoline: Wasmtime's handler has returned, or there was no stack to call it on.
fn give_back(thread: Option<&Thread>, registers: &mut wasmtrap_registers_t) -> wasmtrap_verdict_t {
    let Some(thread) = thread else { return WASMTRAP_VERDICT_FORWARD };
    // SAFETY: as above.
    let interrupted = unsafe { &mut *thread.interrupted.get() };
    if interrupted.state != State::Asked {
        return WASMTRAP_VERDICT_FORWARD;
    }
    interrupted.state = State::Refused;
    *registers = interrupted.registers;
    WASMTRAP_VERDICT_RESUME
}
