//! What a task leaves behind, as a line of JSON for `--report` and as numbers for simulated_mach.h.

use std::collections::BTreeMap;
use std::io::Write;

use crate::constants::*;
use crate::kernel::Kernel;
use crate::task::TaskId;

#[derive(Default)]
pub(crate) struct Counters {
    /// Exceptions that were sent to each level, and those that it took.
    pub(crate) thread_level: u64,
    pub(crate) thread_level_handled: u64,
    pub(crate) task_level: u64,
    pub(crate) task_level_handled: u64,
    pub(crate) became_signals: u64,
    /// Exception ports that were set although the behavior is one that Apple counts.
    pub(crate) behaviors_counted: u64,
    pub(crate) violations: Vec<(&'static str, &'static str, bool)>,
    /// Threads that the end of the process, or an exec, has come upon wherever they were.
    pub(crate) threads_cut_short: u64,
    /// Mach calls of threads that are gone, by thread name.
    pub(crate) calls: BTreeMap<String, u64>,
}

/// Rights by type: receive, send (with and without counting references), send-once, port sets, dead names.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rights {
    pub(crate) receive: u64,
    pub(crate) send_names: u64,
    pub(crate) send_references: u64,
    pub(crate) send_once: u64,
    pub(crate) port_sets: u64,
    pub(crate) dead_names: u64,
    pub(crate) dead_references: u64,
}

/// A string as JSON wants it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04x}", control as u32)),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

impl Kernel {
    pub(crate) fn rights_of(&self, task: TaskId) -> Rights {
        let mut rights = Rights::default();
        let Some(task) = self.tasks.get(&task) else { return rights };
        for (_, entry) in task.space.entries() {
            let references = u64::from(entry.user_references);
            // A name whose port has died counts as what it will be when it is looked at.
            let dead = entry.has(TYPE_SEND_RIGHTS) && entry.port().is_some_and(|port| !port.is_active());
            if dead || entry.has(TYPE_DEAD_NAME) {
                rights.dead_names += 1;
                rights.dead_references += references;
                continue;
            }
            rights.receive += u64::from(entry.has(TYPE_RECEIVE));
            rights.send_once += u64::from(entry.has(TYPE_SEND_ONCE));
            rights.port_sets += u64::from(entry.has(TYPE_PORT_SET));
            if entry.has(TYPE_SEND) {
                rights.send_names += 1;
                rights.send_references += references;
            }
        }
        rights
    }

    /// One line for a task that ends, or whose program does.
    pub(crate) fn report_task(&mut self, task: TaskId) {
        if self.report.is_none() || self.tasks.get(&task).is_none_or(|task| !task.has_program) {
            return;
        }
        self.late_names_of(task);
        let rights = self.rights_of(task);
        let Some(record) = self.tasks.get(&task) else { return };
        let counters = &record.counters;
        let mut calls = counters.calls.clone();
        for thread in record.threads.iter().filter_map(|thread| self.threads.get(thread)) {
            *calls.entry(thread.last_name()).or_default() += thread.mach_calls;
        }
        let calls: Vec<String> = calls.iter().map(|(name, count)| format!("{}: {count}", quoted(name))).collect();
        let violations: Vec<String> = counters
            .violations
            .iter()
            .map(|(name, call, fatal)| {
                format!("{{\"violation\": {}, \"call\": {}, \"fatal\": {fatal}}}", quoted(name), quoted(call))
            })
            .collect();
        let line = format!(
            "{{\"pid\": {}, \"program\": {}, \"rights\": {{\"receive\": {}, \"send_names\": {}, \
             \"send_references\": {}, \"send_once\": {}, \"port_sets\": {}, \"dead_names\": {}, \
             \"dead_references\": {}}}, \"mach_calls\": {{{}}}, \"exceptions\": {{\"thread\": {}, \
             \"thread_handled\": {}, \"task\": {}, \"task_handled\": {}, \"signals\": {}}}, \
             \"behaviors_counted\": {}, \"threads_cut_short\": {}, \"violations\": [{}]}}\n",
            record.pid,
            quoted(&record.counters_program()),
            rights.receive,
            rights.send_names,
            rights.send_references,
            rights.send_once,
            rights.port_sets,
            rights.dead_names,
            rights.dead_references,
            calls.join(", "),
            counters.thread_level,
            counters.thread_level_handled,
            counters.task_level,
            counters.task_level_handled,
            counters.became_signals,
            counters.behaviors_counted,
            counters.threads_cut_short,
            violations.join(", "),
        );
        if let Some(report) = &mut self.report
            && let Err(error) = report.write_all(line.as_bytes())
        {
            eprintln!("simulated-xnu: the report could not be written: {error}");
        }
    }
}

impl crate::task::Task {
    fn counters_program(&self) -> String {
        crate::trace::process::program(self.pid)
    }
}
