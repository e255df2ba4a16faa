//! Reading exception messages, against the rules said once more: the kernel's own request is read as it is, and
//! whatever differs from it in one word is dropped, whoever sends it.
#![no_main]

mod input;

use input::Input;
use libfuzzer_sys::fuzz_target;
use wasmtrap::fuzzing::mach_message::*;

const CONTROL_PORT: u32 = 0x1103;
const STOP: u32 = 0x5354_4f50;
const FLAVOR: u32 = 4;
const COUNT: usize = 42;
const TRAILER: usize = 16 + COUNT;

/// The words that decide what a message is, each with what the kernel has there (`None`: anything).
const KERNEL: [(usize, Option<u32>); 21] = [
    (0, Some(18)),
    (1, Some(64 + 4 * COUNT as u32)),
    (2, None),
    (3, None),
    (5, Some(2406)),
    (9, Some(2)),
    (14, Some(FLAVOR)),
    (15, Some(COUNT as u32)),
    (TRAILER, Some(0)),
    (TRAILER + 1, Some(60)),
    (TRAILER + 3, Some(0)),
    (TRAILER + 4, Some(1)),
    (TRAILER + 5, Some(0)),
    (TRAILER + 6, Some(0)),
    (TRAILER + 7, Some(0)),
    (TRAILER + 8, Some(0)),
    (TRAILER + 9, Some(0)),
    (TRAILER + 10, Some(0)),
    (TRAILER + 11, Some(0)),
    (TRAILER + 12, Some(0)),
    (TRAILER + 13, None),
];

fn any_word(input: &mut Input) -> u32 {
    let byte = u32::from(input.byte());
    match input.byte() % 4 {
        0 => byte,
        1 => byte << 24,
        2 => 0_u32.wrapping_sub(byte),
        _ => input.pick(&[18, 17, 232, 2406, 2405, 60, CONTROL_PORT, STOP, 0x8000_0012, FLAVOR, COUNT as u32]),
    }
}

/// What counts of a header word: of the bits, how the reply port comes, and whether there is more than plain data.
fn counts(index: usize, word: u32) -> u32 {
    if index == 0 { word & 0x8000_001f } else { word }
}

fn is_as_expected(words: &[u32; BUFFER_WORDS], index: usize, expected: u32) -> bool {
    match index {
        // A later kernel's trailer may have more at its end.
        index if index == TRAILER + 1 => words[index] >= expected,
        index => counts(index, words[index]) == expected,
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    // Mostly the kernel's message, with few words changed. What decides comes first: inputs are shorter than messages.
    let from_template = input.byte() % 8 != 0;
    let mut changes = [None; 3];
    for change in changes.iter_mut().take(input.below(4)) {
        *change = Some((input.pick(&KERNEL).0, any_word(&mut input)));
    }
    let with_state = input.flag();
    let mut words = [0_u32; BUFFER_WORDS];
    for word in &mut words {
        *word = any_word(&mut input);
    }
    if from_template {
        for (index, word) in KERNEL {
            words[index] = word.unwrap_or(words[index]);
        }
        for (index, word) in changes.into_iter().flatten() {
            words[index] = word;
        }
    }
    let before = words;
    let to_control = words[3] == CONTROL_PORT;
    let from_kernel =
        KERNEL.iter().all(|&(index, expected)| expected.is_none_or(|expected| is_as_expected(&words, index, expected)));
    let is_stop = to_control && words[5] == STOP && words[0] & 0x8000_001f == 0 && words[4] == 0;
    match read(&words, CONTROL_PORT, STOP, FLAVOR, COUNT) {
        Message::Stop => assert!(is_stop),
        Message::Foreign(why) => assert!(!is_stop && (to_control || !from_kernel), "{why}"),
        Message::Exception(request) => {
            assert!(from_kernel && !to_control);
            assert_eq!((request.exception as u32, request.port), (words[8], words[3]));
            assert_eq!(request.codes[1] as u64, u64::from(words[12]) | u64::from(words[13]) << 32);
            assert_eq!(request.context, u64::from(words[TRAILER + 13]) | u64::from(words[TRAILER + 14]) << 32);
            let now: [u32; COUNT] = state(&words);
            assert_eq!(now[..], words[16..16 + COUNT]);
            let size = reply(&mut words, 5, with_state.then_some(&now));
            assert_eq!((words[1] as usize, size), (size, if with_state { 44 + 4 * COUNT } else { 36 }));
            assert_eq!((words[0], words[2], words[5]), (18, before[2], 2506));
            assert_eq!(words[size / 4..], before[size / 4..], "nothing is written past the reply");
        }
    }
});
