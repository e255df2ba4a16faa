//! Crashes of the host: with the engine adopted the process ends as it does with the engine alone.

use crate::tap;

fn write_to_null() {
    // SAFETY: none. It is a crash.
    unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
}

fn illegal_instruction() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a crash.
    unsafe {
        std::arch::asm!("ud2");
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a crash.
    unsafe {
        std::arch::asm!("udf #0");
    }
}

/// Only x86's processors make it a fault.
#[cfg(target_arch = "x86_64")]
fn division() {
    // SAFETY: a crash.
    unsafe { std::arch::asm!("div {0:e}", in(reg) 0, inout("eax") 1 => _, inout("edx") 0 => _) };
}

fn overflow_the_stack() {
    fn deeper(depth: usize) -> usize {
        let frame = std::hint::black_box([depth; 64]);
        if depth == usize::MAX { 0 } else { deeper(depth + 1) + frame[depth % 64] }
    }
    deeper(0);
}

/// Somebody sends the signal: no fault at all.
fn sent_signal() {
    // SAFETY: this thread.
    unsafe { libc::raise(libc::SIGSEGV) };
}

/// What the host does, and what the process says at its end: nothing, or what Rust's or the engine's handler says.
const CRASHES: &[(&str, fn(), &str)] = &[
    ("write to null", write_to_null, ""),
    ("illegal instruction", illegal_instruction, ""),
    #[cfg(target_arch = "x86_64")]
    ("division", division, ""),
    ("stack overflow", overflow_the_stack, "overflowed its stack"),
    (SENT_SIGNAL, sent_signal, ""),
];
const SENT_SIGNAL: &str = "sent signal";

/// Does what the crash of that number is.
pub fn act(number: u32) {
    CRASHES[number as usize].1();
}

/// A crash's number. The process leaves no core.
pub fn prepare(crash: &str) -> u32 {
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a limit.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &no_core) };
    CRASHES.iter().position(|(name, ..)| *name == crash).expect("a crash") as u32
}

/// Crashes in each place, by this program with the arguments `--crash PLACE CRASH alone` and `... adopted`.
pub fn compare(places: &[&str]) {
    let mut wrong = Vec::new();
    for place in places {
        for (crash, _, words) in CRASHES {
            let [alone, adopted] = ["alone", "adopted"].map(|how| {
                let output = tap::run_self(&["--crash", place, crash, how]);
                (tap::end_of(&output), String::from_utf8_lossy(&output.stderr).into_owned())
            });
            let lines = |said: &str| said.lines().count();
            if alone.0 != adopted.0 || lines(&alone.1) != lines(&adopted.1) || !adopted.1.contains(words) {
                wrong.push(format!("{crash} {place}: alone {alone:?}, adopted {adopted:?}"));
            }
            if *crash != SENT_SIGNAL && !adopted.0.starts_with("signal") {
                wrong.push(format!("{crash} {place} is no crash: {adopted:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
