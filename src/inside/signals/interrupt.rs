//! The signal by which threads are interrupted has come.

use core::sync::atomic::Ordering;

use libc::{siginfo_t, ucontext_t};

use super::context::Context;
use crate::arch;
use crate::inside::interrupt;
use crate::inside::machine::Report;
use crate::shared::thread::ATTENTION_INTERRUPT;

/// Makes a trap of it, if there is reason and the thread is in registered code.
pub(crate) fn signalled(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t) -> bool {
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
    // First, so that an interrupt for which no signal was sent because of this one is seen below.
    thread.signals_sent.store(0, Ordering::SeqCst);
    if thread.attention.load(Ordering::SeqCst) & ATTENTION_INTERRUPT == 0 {
        return false;
    }
    let (siginfo, ucontext) = (core::ptr::from_mut(info).cast(), core::ptr::from_mut(context).cast());
    let mut context = Context::new(context, signal, info.si_code);
    let pc = context.pc();
    let report = Report::of_signal(signal, info.si_code, siginfo, ucontext);
    interrupt::take(thread, &mut context, pc, &report).is_some()
}
