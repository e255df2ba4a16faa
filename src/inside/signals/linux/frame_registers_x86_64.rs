//! Registers between a Mach thread state and a signal's context: x86-64.

use libc::ucontext_t;

use crate::inside::mach::state::Words;
use crate::inside::signals::Made;

/// `gregs` in the order of x86_THREAD_STATE64, up to rip.
const ORDER: [i32; 17] = [
    libc::REG_RAX,
    libc::REG_RBX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RDI,
    libc::REG_RSI,
    libc::REG_RBP,
    libc::REG_RSP,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
    libc::REG_RIP,
];
const FLAGS: usize = 17;

/// The FXSAVE area, and behind it the header of XSAVE, which begins with the components in use: x87 and SSE are the
/// first two.
const LEGACY_SIZE: usize = 512;
const X87_AND_SSE: u64 = 0b11;
/// What the processor leaves of the area to software.
const SOFTWARE_BYTES: usize = 464;

fn get(words: &Words, register: usize) -> i64 {
    let word = |index: usize| words.get(index).copied().unwrap_or(0);
    (u64::from(word(2 * register)) | u64::from(word(2 * register + 1)) << 32) as i64
}

fn set(words: &mut Words, register: usize, value: i64) {
    for (half, place) in words.iter_mut().skip(2 * register).take(2).enumerate() {
        *place = (value as u64 >> (32 * half)) as u32;
    }
}

pub(super) fn write(context: &mut ucontext_t, words: &Words, exception: i32, made: &Made) {
    let mut put = |register: i32, value: i64| {
        if let Some(place) = context.uc_mcontext.gregs.get_mut(register as usize) {
            *place = value;
        }
    };
    for (index, register) in ORDER.into_iter().enumerate() {
        put(register, get(words, index));
    }
    put(libc::REG_EFL, get(words, FLAGS));
    put(libc::REG_CSGSFS, crate::arch::segments() as i64);
    // The processor's trap number, and of a page fault's error code that it came from a program. What the access was is
    // not known.
    let (trap, error) = match (exception, made.signal, made.code) {
        (1, libc::SIGSEGV, 0x80) => (13, 0),
        (1, ..) => (14, 1 << 2),
        (2, libc::SIGBUS, _) => (12, 0),
        (2, ..) => (6, 0),
        (3, _, 1) => (0, 0),
        (3, ..) => (19, 0),
        _ => (3, 0),
    };
    put(libc::REG_TRAPNO, trap);
    put(libc::REG_ERR, error);
    if trap == 14 {
        put(libc::REG_CR2, made.address.unwrap_or(0) as i64);
    }
}

pub(super) fn read(context: &ucontext_t, words: &mut Words) {
    let value = |register: i32| context.uc_mcontext.gregs.get(register as usize).copied().unwrap_or(0);
    for (index, register) in ORDER.into_iter().enumerate() {
        set(words, index, value(register));
    }
    set(words, FLAGS, value(libc::REG_EFL));
}

/// The area itself, which the trampoline restores. The upper halves of AVX are not shown, and stay as they are.
///
/// # Safety
/// `vectors` is the trampoline's area.
pub(super) unsafe fn show_vectors(context: &mut ucontext_t, vectors: *mut u8) {
    // SAFETY: within the area; a word of the context.
    unsafe {
        vectors.add(SOFTWARE_BYTES).write_bytes(0, LEGACY_SIZE - SOFTWARE_BYTES);
        super::context::extended_state_place(context).write(vectors);
    }
}

/// # Safety
/// As for `show_vectors`.
pub(super) unsafe fn take_vectors(_context: &ucontext_t, vectors: *mut u8) {
    if crate::inside::mach::trampoline::has_extended_state() {
        let in_use = vectors.wrapping_add(LEGACY_SIZE).cast::<u64>();
        // SAFETY: the header follows. XSAVE has written both, whether they were in use or not.
        unsafe { in_use.write(in_use.read() | X87_AND_SSE) };
    }
}
