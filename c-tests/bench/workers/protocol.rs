//! The protocol of `worker.h`, for contestants in Rust that are engines: functions of a module are called, and trap or
//! return.

use std::io::{BufRead, Write};
use std::time::Instant;

/// What is measured with an export of `../modules/bench.wat`.
pub struct Row {
    pub name: &'static str,
    pub export: &'static str,
    times: u32,
    traps: bool,
}

const TRAPS: u32 = 400;
const FEWER_TRAPS: u32 = 150;
const CALLS: u32 = 20_000;

pub const ROWS: [Row; 5] = [
    Row { name: "trap.roundtrip", export: "load_past_the_end", times: TRAPS, traps: true },
    Row { name: "trap.kinds.unreachable", export: "reach_the_unreachable", times: FEWER_TRAPS, traps: true },
    Row { name: "trap.kinds.division", export: "divide_by_zero", times: FEWER_TRAPS, traps: true },
    Row { name: "trap.kinds.raise", export: "init_past_the_end", times: TRAPS, traps: true },
    Row { name: "call.entry", export: "nothing", times: CALLS, traps: false },
];

/// An instance of that module.
pub trait Contestant {
    fn name(&self) -> &str;

    /// Calls the export of this row, and drops the result; whether it has trapped.
    fn traps(&mut self, row: usize) -> bool;
}

fn run(contestant: &mut impl Contestant, number: usize, times: u32) {
    for _ in 0..times {
        assert_eq!(contestant.traps(number), ROWS[number].traps, "{}", ROWS[number].name);
    }
}

/// Nanoseconds a call.
fn measure(contestant: &mut impl Contestant, number: usize) -> f64 {
    let times = ROWS[number].times;
    run(contestant, number, times / 10);
    let start = Instant::now();
    run(contestant, number, times);
    start.elapsed().as_nanos() as f64 / f64::from(times)
}

/// Measures what it is asked for, until there is no more input. `absent` are rows that are not measured, and why.
pub fn serve(mut contestants: Vec<impl Contestant>, absent: &[(&str, &str)]) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    let mut say =
        |line: String| writeln!(output, "{line}").and_then(|()| output.flush()).map_err(|error| error.to_string());
    for contestant in &contestants {
        for row in ROWS.iter().filter(|row| absent.iter().all(|(name, _)| *name != row.name)) {
            say(format!("measure {} {}", row.name, contestant.name()))?;
        }
        for (row, reason) in absent {
            say(format!("absent {row} {} {reason}", contestant.name()))?;
        }
    }
    say("ready".to_string())?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let found = line.split_once(' ').and_then(|(row, name)| {
            let number = ROWS.iter().position(|known| known.name == row)?;
            let contestant = contestants.iter_mut().find(|known| known.name() == name)?;
            Some(measure(contestant, number))
        });
        say(format!("{:.4}", found.ok_or_else(|| format!("there is no measure {line}"))?))?;
    }
    Ok(())
}
