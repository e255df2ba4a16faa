//! Calling an earlier handler as the kernel would have: with its signal mask, and on its stack.
//!
//! A handler that was installed without SA_ONSTACK expects the stack of the code that it interrupts: it may need more
//! room than an alternate stack has. Our own entry point runs on the alternate stack, with every signal blocked. The
//! kernel's frame cannot be
//! moved away from there, because sigreturn takes it back only where the kernel has put it (the token of sendsig and
//! sigreturn, bsd/dev/*/unix_signal.c, is made of its address). So the handler is called on the interrupted stack and
//! returns here, to the alternate one.
//!
//! What remains different: to XNU the thread is on its alternate stack until the handler has returned or has left by a
//! siglongjmp that puts this back (_sigunaltstack of libplatform's setjmp, which sigsetjmp uses where it saves the
//! mask). Until then a signal that is meant for the alternate stack runs on the stack that the handler runs on.

use libc::{siginfo_t, ucontext_t};

use crate::arch;
use crate::inside::signals::context::Context;
use crate::inside::signals::forward::{Entrance, Handler, NoRoom};
use crate::inside::signals::kernel;

const RED_ZONE: usize = 128;

/// What the kernel's frame would take there at the most (sendsig), without which it would not call the handler.
const LEAST_ROOM: usize = 4 * 1024;

/// Whether the kernel called the entry point, and not another handler. Nothing in the frame tells.
pub(crate) fn kernel_called(_info: &siginfo_t, _context: &ucontext_t, _entrance: Entrance) -> bool {
    true
}

/// Whether the code that the signal interrupted ran on the alternate signal stack, by the kernel's own account: it says
/// so in the context, and gives no address of it.
pub(crate) fn was_on_alternate_stack(context: &ucontext_t) -> bool {
    context.uc_onstack & libc::SS_ONSTACK != 0
}

/// Whether the signal has brought the thread to its alternate stack: only then does sendsig tell its size.
fn has_switched_stacks(context: &ucontext_t) -> bool {
    !was_on_alternate_stack(context) && context.uc_stack.ss_size != 0
}

/// Calls the handler, on the interrupted stack if it was not installed for the alternate one. Its mask is set there and
/// nowhere else, so that another signal finds the thread on the stack that the handler runs on.
///
/// # Safety
/// The arguments are what the entry point was given.
pub(crate) unsafe fn call(
    handler: Handler,
    mask: u64,
    on_alternate_stack: bool,
    signal: libc::c_int,
    info: &mut siginfo_t,
    context: &mut ucontext_t,
    _entrance: Entrance,
) -> Result<(), NoRoom> {
    let mut top = None;
    if runs_elsewhere(on_alternate_stack, context) {
        let sp = Context::new(context, signal, 0).sp().wrapping_sub(RED_ZONE) & !15;
        if !has_room(sp) {
            return Err(NoRoom);
        }
        top = Some(sp);
    }
    let call = Call { handler, mask, signal, info, context };
    match top {
        // SAFETY: below `top` is the interrupted stack's free part, where the kernel would have called the handler.
        Some(top) => unsafe { call_on_stack(run, &call, top) },
        None => run(&call),
    }
    Ok(())
}

/// Whether a handler is to run on another stack than we do.
pub(crate) fn runs_elsewhere(on_alternate_stack: bool, context: &ucontext_t) -> bool {
    !on_alternate_stack && has_switched_stacks(context)
}

/// A handler with its mask and its arguments.
struct Call {
    handler: Handler,
    mask: u64,
    signal: libc::c_int,
    info: *mut siginfo_t,
    context: *mut ucontext_t,
}

extern "C" fn run(call: &Call) {
    kernel::with_mask(call.mask, || (call.handler)(call.signal, call.info, call.context));
}

/// Calls a function with its stack below `top`, and comes back.
///
/// # Safety
/// The memory below `top`, a multiple of 16, is a stack's free part.
#[unsafe(naked)]
unsafe extern "C" fn call_on_stack(function: extern "C" fn(&Call), call: &Call, top: usize) {
    arch::call_on_stack!()
}

/// The kernel's frames say nothing by which they could be found.
pub(crate) const FRAMES_ARE_UNKNOWN: bool = true;

/// Never found: see above.
///
/// # Safety
/// None is needed.
pub(crate) unsafe fn outermost_frame<'a>(_context: &ucontext_t) -> Option<(&'a siginfo_t, &'a mut ucontext_t)> {
    None
}

fn has_room(top: usize) -> bool {
    // SAFETY: reads the thread's own word; null or this thread's record, which only this thread frees.
    match unsafe { arch::current_thread().as_ref() } {
        Some(thread) if thread.stack.get().contains(top) => top - thread.stack.get().low >= LEAST_ROOM,
        // Unknown: as with the kernel, writing it tells.
        _ => true,
    }
}
