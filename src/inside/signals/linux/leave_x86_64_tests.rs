//! What a frame says about protection keys, on processors without them too; and what lets the kernel return by sysret.

use libc::ucontext_t;

use super::{saved_rights, suit_sysret};
use crate::inside::signals::context::extended_state_place;

const MAGIC: u32 = 0x4650_5853;
const PKRU_BIT: u64 = 1 << 9;
const PLACE: usize = 576;
const RIGHTS: u32 = 0x5555_5550;

#[repr(C, align(64))]
struct Area([u8; 1024]);

/// What `saved_rights` makes of a frame with these words: the magic and the size that the kernel leaves in the bytes
/// for software, XSTATE_BV, and the rights.
fn rights_of(magic: u32, size: u32, in_use: u64) -> Option<u32> {
    let mut area = Area([0xee; 1024]);
    let mut put = |place: usize, bytes: &[u8]| area.0[place..place + bytes.len()].copy_from_slice(bytes);
    put(464, &magic.to_ne_bytes());
    put(468, &size.to_ne_bytes());
    put(512, &in_use.to_ne_bytes());
    put(PLACE, &RIGHTS.to_ne_bytes());
    // SAFETY: all-zero is a valid context.
    let mut context: ucontext_t = unsafe { core::mem::zeroed() };
    // SAFETY: a place in the context.
    unsafe { extended_state_place(&raw mut context).write((&raw mut area).cast()) };
    saved_rights(&context, PLACE)
}

#[test]
fn rights_in_use_are_in_the_frame() {
    assert_eq!(rights_of(MAGIC, 1024, PKRU_BIT), Some(RIGHTS));
    assert_eq!(rights_of(MAGIC, PLACE as u32 + 4, u64::MAX), Some(RIGHTS));
}

#[test]
fn rights_not_in_use_are_all_rights() {
    assert_eq!(rights_of(MAGIC, 1024, 0), Some(0));
    assert_eq!(rights_of(MAGIC, 1024, !PKRU_BIT), Some(0));
}

#[test]
fn a_frame_that_does_not_reach_so_far_says_nothing() {
    assert_eq!(rights_of(MAGIC, PLACE as u32 + 3, PKRU_BIT), None);
    assert_eq!(rights_of(MAGIC, 0, PKRU_BIT), None);
}

#[test]
fn a_frame_without_extended_state_says_nothing() {
    assert_eq!(rights_of(0, 1024, PKRU_BIT), None);
}

#[test]
fn the_registers_are_those_that_sysret_leaves() {
    // What a page fault has in a signal's context: the interrupt and resume flags, and the bit that is always set.
    const OF_A_FAULT: i64 = 0x1_0202;
    const TRAP_FLAG: i64 = 1 << 8;
    // SAFETY: all-zero is a valid context.
    let mut machine: libc::mcontext_t = unsafe { core::mem::zeroed() };
    for flags in [OF_A_FAULT, OF_A_FAULT | TRAP_FLAG, 0x202] {
        machine.gregs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];
        let mut expected = machine.gregs;
        machine.gregs[libc::REG_EFL as usize] = flags;
        suit_sysret(&mut machine);
        let pc = expected[libc::REG_RIP as usize];
        for (register, value) in
            [(libc::REG_EFL, flags & !0x1_0000), (libc::REG_R11, flags & !0x1_0000), (libc::REG_RCX, pc)]
        {
            expected[register as usize] = value;
        }
        assert_eq!(machine.gregs, expected);
    }
}
