//! Where signals arrive: reads the fault, has it decided, applies the verdict.

use core::sync::atomic::Ordering;

use libc::{siginfo_t, ucontext_t};

use super::classify;
use super::context::Context;
use super::forward::{self, Entrance};
use super::{earlier_handler, engines, interrupt, kernel};
use crate::arch;
use crate::inside::ask::{self, SignalStack};
use crate::inside::decide::{Fault, Verdict, decide};
use crate::inside::machine::{Machine, Report};
use crate::inside::tables::Live;
use crate::inside::{backend, land};
use crate::shared::abi::*;
use crate::shared::disposition::{self, ENTRY_POINTS};
use crate::shared::{adopted, state};

/// What sigaction is given with SA_SIGINFO.
pub(crate) type EntryPoint = unsafe extern "C" fn(libc::c_int, *mut siginfo_t, *mut ucontext_t);

macro_rules! entry_points {
    ($(#[$about:meta])* $table:ident: $($name:ident = $number:literal),*) => {
        $(
            #[unsafe(naked)]
            unsafe extern "C" fn $name(_signal: libc::c_int, _info: *mut siginfo_t, _context: *mut ucontext_t) {
                arch::signal_entry!($number, entered)
            }
        )*
        $(#[$about])*
        pub(crate) static $table: [EntryPoint; [$($number),*].len()] = [$($name),*];
    };
}

entry_points!(
    /// All alike; `shared::disposition` says why there are several.
    ALL: entry_0 = 0, entry_1 = 1, entry_2 = 2, entry_3 = 3, entry_4 = 4, entry_5 = 5, entry_6 = 6, entry_7 = 7
);

entry_points!(
    /// Those of adopted engines (`shared::adopted`), by their numbers less that of the others.
    STAND_INS: stand_in_0 = 8, stand_in_1 = 9, stand_in_2 = 10, stand_in_3 = 11, stand_in_4 = 12, stand_in_5 = 13,
    stand_in_6 = 14, stand_in_7 = 15
);

const _: () = assert!(ALL.len() == ENTRY_POINTS && STAND_INS.len() == disposition::STAND_INS);

/// The handler that an entry point forwards to; SIG_DFL for what is none. Other copies of this library ask: their code
/// finds it by what follows an entry point (`arch::signal_entry`), so that its form must stay.
pub(crate) unsafe extern "C" fn forwards_to(entry_point: usize, signal: libc::c_int) -> usize {
    let entry = ALL.iter().chain(&STAND_INS).position(|&ours| ours as usize == entry_point);
    entry.map_or(libc::SIG_DFL, |entry| disposition::below(entry, signal).handler)
}

/// A function that entry points jump to (`arch::signal_entry`), and what it does with what they were given.
macro_rules! entered {
    (
        $(#[$about:meta])*
        fn $name:ident($signal:ident, $info:ident, $context:ident, $entrance:ident) $body:block
    ) => {
        $(#[$about])*
        pub(crate) unsafe extern "C" fn $name(
            $signal: libc::c_int,
            info: *mut siginfo_t,
            context: *mut ucontext_t,
            sp: usize,
            entry: u32,
            #[cfg(target_arch = "aarch64")] link: usize,
            #[cfg(target_arch = "aarch64")] fp: usize,
        ) {
            // SAFETY: the kernel, or a handler that passes on what it was given, vouches for both.
            let (Some($info), Some($context)) = (unsafe { info.as_mut() }, unsafe { context.as_mut() }) else { return };
            let $entrance = Entrance {
                sp,
                entry: entry as usize,
                #[cfg(target_arch = "aarch64")]
                link,
                #[cfg(target_arch = "aarch64")]
                fp,
            };
            $body
        }
    };
}

entered!(
/// What every entry point jumps to.
fn entered(signal, info, context, entrance) {
    // SAFETY: the arguments are what the entry point was given.
    unsafe {
        if let Some(number) = engines::stand_in_of(entrance.entry) {
            engines::stand_in(number, signal, info, context, entrance);
        } else if adopted::COUNT.load(Ordering::Relaxed) != 0 {
            engines::come_in(signal, info, context, entrance);
        } else if !judged(signal, info, context, entrance) {
            forward::forward(signal, info, context, entrance);
        }
    }
});

/// Whether the signal was the library's: it has been seen to then, or this does not return.
#[inline(always)]
pub(super) fn judged(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t, entrance: Entrance) -> bool {
    let handled = if earlier_handler::kernel_called(info, context, entrance) {
        handle(signal, info, context)
    } else {
        handle_undisturbed(signal, info, context)
    };
    if handled && Context::new(context, 0, 0).pc() == arch::landing() {
        super::leave::leave(info, context, entrance);
    }
    handled
}

/// The same for the signal of interrupts, which lies on top of nothing and is passed on to nobody.
pub(crate) static INTERRUPT: EntryPoint = interrupt_entry;

#[unsafe(naked)]
unsafe extern "C" fn interrupt_entry(_signal: libc::c_int, _info: *mut siginfo_t, _context: *mut ucontext_t) {
    arch::signal_entry!(0, entered_by_interrupt)
}

entered!(
/// What it jumps to.
fn entered_by_interrupt(signal, info, context, entrance) {
    if interrupt::signalled(signal, info, context) {
        super::leave::leave(info, context, entrance);
    }
});

/// For hosts with signal handlers of their own: false if the signal is not ours.
///
/// # Safety
/// The pointers are null, or what the kernel gave to a handler, or to zeroed structures.
pub(crate) unsafe fn try_handle(signal: libc::c_int, info: *mut siginfo_t, context: *mut ucontext_t) -> bool {
    if signal != 0 && signal == state::INTERRUPT_SIGNAL.load(Ordering::Relaxed) {
        // SAFETY: the caller's promise.
        if let (Some(info), Some(context)) = unsafe { (info.as_mut(), context.as_mut()) }
            && Context::is_one(context)
        {
            interrupt_undisturbed(signal, info, context);
        }
        return true;
    }
    // The signal first: a context that came with any other one is not looked at.
    if !matches!(signal, libc::SIGSEGV | libc::SIGBUS | libc::SIGILL | libc::SIGFPE | libc::SIGTRAP) {
        return false;
    }
    // SAFETY: the caller's promise.
    match unsafe { (info.as_mut(), context.as_mut()) } {
        (Some(info), Some(context)) => Context::is_one(context) && handle_undisturbed(signal, info, context),
        _ => false,
    }
}

/// The same in a handler of somebody else's, whose mask may let other signals in: none is delivered meanwhile. The
/// host's handler for it could leave by a jump, end the thread, or fork, and the tables' readers' section with it would
/// never end, nor would the next unregistering. Our own dispositions block all signals from the first instruction on.
#[inline(never)]
fn handle_undisturbed(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t) -> bool {
    let mut handled = false;
    kernel::with_mask(u64::MAX, || handled = handle(signal, info, context));
    handled
}

/// As [`handle_undisturbed`], of the signal of interrupts.
#[inline(never)]
fn interrupt_undisturbed(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t) {
    kernel::with_mask(u64::MAX, || _ = interrupt::signalled(signal, info, context));
}

fn handle(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t) -> bool {
    if state::ARMED_KINDS.load(Ordering::Relaxed) == 0 {
        return false;
    }
    // Apart, so that what asking takes is not in a trap's way where nobody is asked.
    if state::FAULT_HANDLER_COUNT.load(Ordering::SeqCst) == 0 {
        judge::<false>(signal, info, context)
    } else {
        handle_asking(signal, info, context)
    }
}

#[inline(never)]
fn handle_asking(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t) -> bool {
    judge::<true>(signal, info, context)
}

/// `ASK`: whether the embedder's fault handler is asked, if there is one.
#[inline(always)]
fn judge<const ASK: bool>(signal: libc::c_int, info: &mut siginfo_t, context: &mut ucontext_t) -> bool {
    let signal_stack = SignalStack { base: context.uc_stack.ss_sp.addr(), size: context.uc_stack.ss_size };
    let mask = kernel::mask_of(&context.uc_sigmask);
    let (siginfo, ucontext) = (core::ptr::from_mut(info).cast(), core::ptr::from_mut(context).cast());
    let link = (&raw mut context.uc_link).cast();
    let mut context = Context::new(context, signal, info.si_code);
    let seen = classify::classify(signal, info.si_code, context.origin());
    let fault = Fault {
        from_kernel: seen.from_kernel,
        kind: seen.kind,
        pc: context.pc(),
        // SAFETY: si_addr is set for these signals when the kernel made them, which `has_address` implies.
        address: (seen.from_kernel && seen.has_address).then(|| unsafe { info.si_addr() }.addr()),
    };
    if backend::ends_by_signal(&fault, &mut context) {
        return true;
    }
    if backend::has_been_declined(&fault) {
        return false;
    }
    let report = Report::of_signal(signal, info.si_code, siginfo, ucontext);
    let live = if ASK { Live::now(context.sp()) } else { Live::without_fault_handlers(context.sp()) };
    let verdict = decide(&fault, &live);
    drop(live);
    // No match, of which the compiler makes a table of jumps.
    if let Verdict::CallHost(findings) = verdict {
        return ask::ask_once(&mut context, &fault, &report, findings, signal_stack, mask, link);
    }
    let Verdict::Trap(code, findings) = verdict else { return false };
    let cause = land::Cause { code, source: WASMTRAP_SOURCE_FAULT, payload: 0 };
    // SAFETY: null or this thread's record, which only this thread frees.
    let Some(thread) = (unsafe { arch::current_thread().as_ref() }) else { return false };
    land::trap(thread, land::Maker::its_thread(thread), cause, &mut context, &fault, &report, &findings)
}

impl Machine for Context<'_> {
    fn sp(&self) -> usize {
        Context::sp(self)
    }

    fn fp(&self) -> usize {
        Context::fp(self)
    }

    fn access(&self, _fault: &Fault) -> wasmtrap_access_t {
        Context::access(self)
    }

    fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        Context::write_registers(self, registers);
    }

    fn set_registers(&mut self, registers: &wasmtrap_registers_t) {
        Context::set_registers(self, registers);
    }

    fn can_read_arguments(&self) -> bool {
        super::leave::can_read_arguments(self)
    }

    fn block_signals(&mut self) -> Option<u64> {
        Some(kernel::block_all(self.mask()))
    }

    fn resume_at(&mut self, pc: usize, sp: usize) {
        Context::resume_at(self, pc, sp);
    }
}
