use super::*;

const STATUS: &[u8] = b"Name:\tSigPnd:\t1\nState:\tR (running)\nGroups:\t0 1000 \nThreads:\t2\nSigQ:\t2/95\n\
    SigPnd:\t0000004000000400\nShdPnd:\t0000000000000001\nSigBlk:\tffffffffffffffff\n";

fn found_in(status: &[u8], piece: usize) -> Option<u64> {
    let mut reader = Reader::new();
    status.chunks(piece).for_each(|piece| reader.take(piece));
    reader.found()
}

#[test]
fn the_mask_is_found_in_pieces_of_any_size() {
    for piece in 1..=STATUS.len() {
        assert_eq!(found_in(STATUS, piece), Some(0x40_0000_0400), "pieces of {piece} bytes");
    }
}

#[test]
fn without_the_whole_line_nothing_is_found() {
    let end = STATUS.windows(7).position(|piece| piece == b"\nShdPnd").unwrap_or(0);
    for length in 0..=end {
        assert_eq!(found_in(STATUS.get(..length).unwrap_or_default(), 16), None, "{length} bytes");
    }
    assert_eq!(found_in(b"", 1), None);
}

#[test]
fn a_thread_that_is_not_there_is_not_told_of() {
    assert_eq!(waits_for(0, 1), None);
    assert_eq!(waits_for(u32::MAX, 1), None);
}

#[test]
fn a_signal_that_is_blocked_waits_for_its_thread() {
    let this = super::super::kernel_thread();
    if waits_for(this, 1).is_none() {
        return; // no /proc
    }
    const SIGNAL: libc::c_int = 40;
    // SAFETY: a set of this thread's own, and a signal that nobody else here uses.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, SIGNAL);
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, core::ptr::null_mut()), 0);
        assert_eq!(waits_for(this, SIGNAL), Some(false));
        assert_eq!(libc::pthread_kill(libc::pthread_self(), SIGNAL), 0);
        assert_eq!(waits_for(this, SIGNAL), Some(true));
        assert_eq!(waits_for(this, SIGNAL + 1), Some(false));
        let mut taken = 0;
        assert_eq!(libc::sigwait(&raw const set, &raw mut taken), 0);
        assert_eq!(waits_for(this, SIGNAL), Some(false));
    }
}
