//! Running an earlier handler on the stack that the fault interrupted.
//!
//! A handler that was installed without SA_ONSTACK expects the stack of the code that it interrupts: it may need more
//! room than an alternate stack has. Our own entry point runs on the alternate stack. The kernel's frame cannot be
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

const RED_ZONE: usize = 128;

/// What the kernel's frame takes (sendsig), and what a handler needs at the very least.
const LEAST_ROOM: usize = 8 * 1024;

/// Whether the code that the signal interrupted ran on the alternate signal stack, by the kernel's own account: it says
/// so in the context, and gives no address of it.
pub(crate) fn was_on_alternate_stack(context: &ucontext_t) -> bool {
    context.uc_onstack & libc::SS_ONSTACK != 0
}

/// Whether the signal has brought the thread to its alternate stack: only then does sendsig tell its size.
fn has_switched_stacks(context: &ucontext_t) -> bool {
    !was_on_alternate_stack(context) && context.uc_stack.ss_size != 0
}

/// Calls the handler on the interrupted stack, unless this is that stack already.
///
/// # Safety
/// The arguments are what the entry point was given, and the signal mask is the handler's.
pub(crate) unsafe fn call(
    handler: Handler,
    signal: libc::c_int,
    info: &mut siginfo_t,
    context: &mut ucontext_t,
    _entrance: Entrance,
) -> Result<(), NoRoom> {
    if !has_switched_stacks(context) {
        handler(signal, info, context);
        return Ok(());
    }
    let top = Context::new(context).sp().wrapping_sub(RED_ZONE) & !15;
    if !has_room(top) {
        return Err(NoRoom);
    }
    // SAFETY: below `top` is the interrupted stack's free part, where the kernel would have called the handler.
    unsafe { call_on_stack(handler, signal, info, context, top) };
    Ok(())
}

/// Calls a signal handler with its stack below `top`, and comes back.
///
/// # Safety
/// The handler may be called with these arguments; the memory below `top`, a multiple of 16, is a stack's free part.
#[unsafe(naked)]
unsafe extern "C" fn call_on_stack(
    handler: Handler,
    signal: libc::c_int,
    info: *mut siginfo_t,
    context: *mut ucontext_t,
    top: usize,
) {
    arch::call_on_stack!()
}

fn has_room(top: usize) -> bool {
    // SAFETY: reads the thread's own word; null or this thread's record, which only this thread frees.
    match unsafe { arch::current_thread().as_ref() } {
        Some(thread) if thread.stack.get().contains(top) => top - thread.stack.get().low >= LEAST_ROOM,
        // Unknown: as with the kernel, writing it tells.
        _ => true,
    }
}
