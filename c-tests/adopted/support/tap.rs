//! Cases, each in a process of its own, as lines of the Test Anything Protocol. A case is a function that panics where
//! a promise is not kept.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Output};

/// What one process does.
pub type Case = (&'static str, fn());

/// Runs this program with other arguments.
pub fn run_self(arguments: &[&str]) -> Output {
    let program = env::current_exe().expect("the path of this program");
    Command::new(program).args(arguments).output().expect("a process")
}

/// How a process has ended, in words.
pub fn end_of(output: &Output) -> String {
    match (output.status.code(), output.status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (_, Some(signal)) => format!("signal {signal}"),
        _ => "nobody knows".to_string(),
    }
}

/// Forks, and looks whether `what` comes to true in the child. This process must have one thread.
#[track_caller]
pub fn in_a_child(what: impl FnOnce() -> bool) {
    // SAFETY: the caller's promise; the child ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let good = std::panic::catch_unwind(std::panic::AssertUnwindSafe(what)).unwrap_or(false);
        // SAFETY: as above.
        unsafe { libc::_exit(if good { 0 } else { 2 }) };
    }
    let mut status = 0;
    // SAFETY: a place for a number.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "how the child has ended");
}

/// Runs all cases, or the one whose name is given. `also` are programs that a case runs: what `run_self` is given.
pub fn run(cases: &[Case], also: &[(&str, fn(&[String]))]) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(first) = arguments.first() {
        if let Some((_, program)) = also.iter().find(|(name, _)| name == first) {
            program(&arguments[1..]);
        } else {
            let (_, case) = cases.iter().find(|(name, _)| name == first).expect("the name of a case");
            case();
        }
        return ExitCode::SUCCESS;
    }
    println!("1..{}", cases.len());
    let mut failed = false;
    for (number, (name, _)) in (1..).zip(cases) {
        let output = run_self(&[name]);
        let good = output.status.success();
        failed |= !good;
        println!("{}ok {number} - {name}", if good { "" } else { "not " });
        if !good {
            println!("# {}", end_of(&output));
            for text in [&output.stdout, &output.stderr] {
                String::from_utf8_lossy(text).lines().for_each(|line| println!("# {line}"));
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
