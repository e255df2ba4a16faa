use super::*;
use crate::inside::mach::state::{COUNT, FLAVOR as FLAVOR_OF_PORT};

const REQUEST_SIZE: u32 = 64 + 4 * COUNT as u32;
const REPLY_SIZE: u32 = 44 + 4 * COUNT as u32;
const CONTROL_PORT: u32 = 0x1103;
const STOP: u32 = 0x5754_5350;
const THREAD_PORT: u32 = 0x2203;
const REPLY_PORT: u32 = 0x3307;
const RECORD: u64 = 0x7f01_2345_6789;

/// As the kernel sends it, with a trailer of 60 bytes.
fn request() -> [u32; BUFFER_WORDS] {
    let mut words = [0; BUFFER_WORDS];
    words[..16].copy_from_slice(&[
        SEND_ONCE,
        232,
        REPLY_PORT,
        THREAD_PORT,
        0,
        REQUEST_ID,
        0,
        1,
        1,
        2,
        2,
        0,
        0xdead_b000,
        0x7f00,
        4,
        42,
    ]);
    for index in 0..COUNT {
        words[16 + index] = 1000 + index as u32;
    }
    let trailer = &mut words[16 + COUNT..];
    trailer[1] = 60;
    trailer[4] = 1;
    trailer[13] = RECORD as u32;
    trailer[14] = (RECORD >> 32) as u32;
    words
}

fn read_it(words: &[u32; BUFFER_WORDS]) -> Message {
    read(words, CONTROL_PORT, STOP, FLAVOR_OF_PORT, COUNT)
}

#[test]
fn the_kernels_request_is_read() {
    let words = request();
    let expected = Request { exception: 1, codes: [2, 0x7f00_dead_b000], port: THREAD_PORT, context: RECORD };
    assert_eq!(read_it(&words), Message::Exception(expected));
    let words: [u32; COUNT] = state(&words);
    assert_eq!((words[0], words[COUNT - 1]), (1000, 999 + COUNT as u32));
}

#[test]
fn the_sizes_are_the_kernels() {
    let on_x86_64 = (232, 212);
    let on_arm64 = (336, 316);
    assert_eq!((REQUEST_SIZE, REPLY_SIZE), if cfg!(target_arch = "x86_64") { on_x86_64 } else { on_arm64 });
}

#[test]
fn a_reply_carries_the_state() {
    let mut words = request();
    let mut new = [7_u32; COUNT];
    new[COUNT - 1] = 9;
    assert_eq!(reply(&mut words, 0, Some(&new)), REPLY_SIZE as usize);
    assert_eq!(words[..11], [SEND_ONCE, REPLY_SIZE, REPLY_PORT, 0, 0, 2506, 0, 1, 0, FLAVOR_OF_PORT, COUNT as u32]);
    assert_eq!((words[11], words[10 + COUNT]), (7, 9));
}

#[test]
fn a_reply_without_one_is_migs_error_reply() {
    let mut words = request();
    assert_eq!(reply::<COUNT>(&mut words, 5, None), 36);
    assert_eq!(words[..9], [SEND_ONCE, 36, REPLY_PORT, 0, 0, 2506, 0, 1, 5]);
}

#[test]
fn a_plain_message_to_the_control_port_stops() {
    let mut words = [0; BUFFER_WORDS];
    words[..6].copy_from_slice(&[0, 24, 0, CONTROL_PORT, 0, STOP]);
    assert_eq!(read_it(&words), Message::Stop);
    for (index, value) in [(BITS, COMPLEX), (BITS, SEND_ONCE), (VOUCHER, 1), (ID, STOP + 1), (ID, REQUEST_ID)] {
        let mut other = words;
        other[index] = value;
        assert!(matches!(read_it(&other), Message::Foreign(_)), "word {index} is {value:#x}");
    }
}

#[test]
fn whatever_differs_from_the_kernels_request_is_foreign() {
    let trailer = 16 + COUNT;
    let changes = [
        (BITS, COMPLEX | SEND_ONCE),
        (BITS, 17),
        (BITS, 0),
        (SIZE, REQUEST_SIZE - 4),
        (SIZE, REQUEST_SIZE + 4),
        (SIZE, 0),
        (SIZE, u32::MAX),
        (ID, 2405),
        (ID, 2407),
        (ID, 2401),
        (ID, 70),
        (CODE_COUNT, 1),
        (CODE_COUNT, 3),
        (FLAVOR, FLAVOR_OF_PORT + 1),
        (STATE_COUNT, COUNT as u32 - 1),
        (STATE_COUNT, u32::MAX),
        (trailer, 1),
        (trailer + 1, 8),
        (trailer + 1, 56),
        (trailer + TRAILER_SENDER, 501),
        (trailer + TRAILER_SENDER + 1, 0),
        (trailer + TRAILER_AUDIT + 5, 4711),
    ];
    for (index, value) in changes {
        let mut words = request();
        words[index] = value;
        assert!(matches!(read_it(&words), Message::Foreign(_)), "word {index} is {value:#x}");
    }
}
