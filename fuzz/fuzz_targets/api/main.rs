//! Sequences of calls of the C API, good and bad, against a model that predicts every answer.
//!
//! Real faults and software traps are among the steps, inside and outside of protected calls, which nest. The model
//! says of each whether it is a trap, what is in the record, what the embedder's fault handler is told, and whether the
//! host's own signal handler sees it. Of every call that fails it is checked that the sentence names what was wrong,
//! and that outputs are untouched; that state is untouched shows in the steps that follow.
//!
//! A trap drops the frames between itself and its protected call, so that none of them may own anything: steps that can
//! trap keep all they have in the session.
#![no_main]

mod faults;
#[path = "../input.rs"]
mod input;
mod model;
mod steps;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    faults::install_host_handlers();
    steps::run(data);
});
