use super::*;
use crate::shared::abi::WASMTRAP_CODE_NONE;

/// The activation of the n-th call: an address, at which nothing is read.
fn call(n: usize) -> *const Activation {
    core::ptr::without_provenance(n * 0x1000)
}

fn settled() -> Box<PendingTraps> {
    let mut traps = Box::new(PendingTraps::new());
    // SAFETY: it stays in its box.
    unsafe { PendingTraps::settle(&raw mut *traps) };
    traps
}

/// Takes a record and writes a trap with the number of its call for a code. False if there is none.
fn trap(traps: &PendingTraps, n: usize, over: &[usize], mask: Option<u64>) -> bool {
    let is_over = |other: *const Activation| over.iter().any(|&n| call(n) == other);
    let Some(place) = traps.take(call(n), is_over, || mask) else { return false };
    // SAFETY: it was settled, and nobody else uses it.
    let pending = unsafe { &mut *place };
    pending.record.code = n as u32;
    pending.record.sp = 16 * n;
    pending.record.frame_count = 1;
    pending.frames[0] = n;
    true
}

/// The code and the frame that a call reads, and the mask.
fn read(traps: &PendingTraps, n: usize) -> (u32, usize, Option<u64>) {
    let mut read = Read::NOTHING;
    traps.read(call(n), &mut read);
    let frame = match read.record.frame_count {
        0 => 0,
        // SAFETY: the record says that there is one.
        _ => unsafe { read.frames.as_ptr().cast::<usize>().read() },
    };
    (read.record.code, frame, read.mask)
}

#[test]
fn each_call_reads_its_own() {
    let traps = settled();
    for n in 1..RECORDS {
        assert!(trap(&traps, n, &[], None));
    }
    for n in 1..RECORDS {
        assert_eq!(traps.stack_pointer(call(n)), 16 * n);
        assert_eq!(read(&traps, n), (n as u32, n, None));
        assert_eq!(traps.stack_pointer(call(n)), 0, "there is none any more");
    }
    assert_eq!(read(&traps, 1), (WASMTRAP_CODE_NONE, 0, None), "once");
}

#[test]
fn a_newer_trap_of_the_same_call_takes_its_record() {
    let traps = settled();
    for _ in 0..2 * RECORDS {
        assert!(trap(&traps, 1, &[], None));
    }
    assert_eq!(read(&traps, 1), (1, 1, None));
    assert_eq!(read(&traps, 1), (WASMTRAP_CODE_NONE, 0, None));
}

#[test]
fn the_last_one_is_for_threads_that_block_their_signals() {
    let traps = settled();
    for n in 1..RECORDS {
        assert!(trap(&traps, n, &[], Some(7)));
    }
    assert!(!trap(&traps, RECORDS, &[], None), "nobody's record is overwritten");
    for n in RECORDS..3 * RECORDS {
        assert!(trap(&traps, n, &[], Some(n as u64)));
        assert_eq!(read(&traps, n), (n as u32, n, Some(n as u64)));
    }
    for n in 1..RECORDS {
        assert_eq!(read(&traps, n), (n as u32, n, None));
    }
}

#[test]
fn what_a_call_that_is_over_has_left_is_taken() {
    let traps = settled();
    for n in 1..RECORDS {
        assert!(trap(&traps, n, &[], None));
    }
    assert!(trap(&traps, RECORDS, &[2], None));
    assert_eq!(read(&traps, 2), (WASMTRAP_CODE_NONE, 0, None));
    for n in [1, 3, RECORDS] {
        assert_eq!(read(&traps, n), (n as u32, n, None));
    }
}
