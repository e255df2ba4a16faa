//! What /proc tells of a process.

use std::fs;

fn status_field(tid: libc::pid_t, field: &str) -> Option<Vec<i64>> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.split_whitespace().filter_map(|number| number.parse().ok()).collect())
}

/// The process that a thread is in.
pub(crate) fn process_of(tid: libc::pid_t) -> Option<libc::pid_t> {
    status_field(tid, "Tgid")?.first().map(|pid| *pid as libc::pid_t)
}

pub(crate) fn parent_of(pid: libc::pid_t) -> Option<libc::pid_t> {
    status_field(pid, "PPid")?.first().map(|pid| *pid as libc::pid_t)
}

/// Effective user and group.
pub(crate) fn user_and_group(pid: libc::pid_t) -> (u32, u32) {
    let effective = |field| status_field(pid, field).and_then(|ids| ids.get(1).copied()).unwrap_or(0) as u32;
    (effective("Uid"), effective("Gid"))
}

pub(crate) fn thread_name(tid: libc::pid_t) -> String {
    let name = fs::read_to_string(format!("/proc/{tid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// The last part of the program's path.
pub(crate) fn program(pid: libc::pid_t) -> String {
    match fs::read_link(format!("/proc/{pid}/exe")) {
        Ok(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        Err(_) => thread_name(pid),
    }
}
