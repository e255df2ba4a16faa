//! Signals of the tracer itself: its alarm for waits that end by themselves, and signals that somebody sent to it and
//! meant for the program.

use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// Signals that are handed on. What a terminal sends reaches the program by itself.
const HANDED_ON: [i32; 7] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2, libc::SIGCONT];

static PROGRAM: AtomicI32 = AtomicI32::new(0);

extern "C" fn hand_on(signal: i32, information: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes a siginfo_t to a handler with SA_SIGINFO.
    let sent = unsafe { (*information).si_code } <= 0;
    let program = PROGRAM.load(Ordering::Relaxed);
    if sent && program > 0 {
        // SAFETY: kill is async-signal-safe.
        unsafe { libc::kill(program, signal) };
    }
}

extern "C" fn wake_up(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {}

fn handle(signal: i32, handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void), flags: i32) {
    // SAFETY: all-zero is a sigaction without a handler, which is filled in below.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO | flags;
    // SAFETY: the handlers above touch nothing that the interrupted code could be changing.
    unsafe { libc::sigaction(signal, &action, ptr::null_mut()) };
}

/// From now on, for the program that has this number. waitpid is not restarted after the alarm.
pub(crate) fn handle_signals(program: libc::pid_t) {
    PROGRAM.store(program, Ordering::Relaxed);
    HANDED_ON.iter().for_each(|signal| handle(*signal, hand_on, libc::SA_RESTART));
    handle(libc::SIGALRM, wake_up, 0);
}

/// A wait that ends by itself ends not much later than its time: the alarm repeats, in case it comes just before
/// waitpid.
pub(crate) fn set_alarm(deadline: Option<Instant>) {
    const SHORTEST: Duration = Duration::from_micros(50);
    const AGAIN: Duration = Duration::from_millis(2);
    let time = |duration: Duration| libc::timeval {
        tv_sec: duration.as_secs() as libc::time_t,
        tv_usec: duration.subsec_micros() as libc::suseconds_t,
    };
    let timer = match deadline {
        Some(deadline) => libc::itimerval {
            it_value: time(deadline.saturating_duration_since(Instant::now()).max(SHORTEST)),
            it_interval: time(AGAIN),
        },
        None => libc::itimerval { it_value: time(Duration::ZERO), it_interval: time(Duration::ZERO) },
    };
    // SAFETY: the kernel reads the timer and writes nothing.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, ptr::null_mut()) };
}
