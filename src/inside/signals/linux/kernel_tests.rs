//! What the kernel says, and what is made of it where a filter of system calls refuses.

use core::ptr;

use super::*;
use crate::inside::signals::entry;

/// A signal that nothing else here uses.
fn unused() -> libc::c_int {
    libc::SIGRTMIN() + 7
}

#[test]
fn what_the_kernel_refuses_is_told_by_its_number() {
    assert_eq!(action(0).err(), Some(libc::EINVAL));
    let default = KernelAction { handler: libc::SIG_DFL, flags: 0, restorer: 0, mask: 0 };
    assert_eq!(set_action(libc::SIGKILL, &default), Err(libc::EINVAL));
}

#[test]
fn where_nobody_is_in_between_the_kernel_has_the_last_word() {
    let signal = unused();
    let set = |handler| {
        let action = KernelAction { handler, flags: 0, restorer: 0, mask: 0 };
        assert_eq!(set_action(signal, &action), Ok(()));
    };
    for (handler, expected) in [
        (libc::SIG_DFL, None),
        (libc::SIG_IGN, None),
        (entry::ALL[0] as usize, Some(false)),
        (what_the_kernel_refuses_is_told_by_its_number as *const () as usize, Some(false)),
    ] {
        set(handler);
        assert_eq!(is_kept_by_another(signal), expected, "{handler:#x}");
    }
    set(libc::SIG_DFL);
}

#[test]
fn another_is_in_between_if_sigaction_tells_of_ours_alone() {
    let ours = entry::ALL[0] as usize;
    let (other, another) = (0x1000, 0x2000);
    assert!(is_ours_but_another(ours, other));
    assert!(!is_ours_but_another(ours, ours));
    assert!(!is_ours_but_another(other, another));
    assert!(!is_ours_but_another(other, ours));
    assert!(!is_ours_but_another(other, other));
}

/// A page that can be read and written, with one on each side that cannot be.
fn page_between_two() -> (*mut libc::c_void, usize) {
    // SAFETY: asks for a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: new memory, of which a part gets other rights.
    let place = unsafe {
        let pages = libc::mmap(ptr::null_mut(), 3 * page, libc::PROT_NONE, flags, -1, 0);
        assert_ne!(pages, libc::MAP_FAILED);
        let place = pages.byte_add(page);
        assert_eq!(libc::mprotect(place, page, libc::PROT_READ | libc::PROT_WRITE), 0);
        place
    };
    (place, page)
}

fn unmap(place: *mut libc::c_void, page: usize) {
    // SAFETY: the three pages, which nobody uses any more.
    assert_eq!(unsafe { libc::munmap(place.byte_sub(page), 3 * page) }, 0);
}

#[test]
fn memory_can_be_read_if_its_first_and_last_words_can() {
    let (place, page) = page_between_two();
    let (begin, end) = (place.addr(), place.addr() + page);
    assert!(can_read(begin, 64));
    assert!(can_read(end - 64, 64));
    assert!(can_read(end - 8, 8));
    assert!(!can_read(end - 64, 72));
    assert!(!can_read(begin - 8, 16));
    assert!(!can_read(end, 8));
    unmap(place, page);
}

#[test]
fn memory_can_be_written_if_the_kernel_can() {
    let (place, page) = page_between_two();
    assert_eq!(is_writable(place.addr()), Ok(true));
    assert_eq!(is_writable(place.addr() + page), Ok(false));
    // SAFETY: nobody uses the page.
    assert_eq!(unsafe { libc::mprotect(place, page, libc::PROT_READ) }, 0);
    assert_eq!(is_writable(place.addr()), Ok(false));
    unmap(place, page);
}

/// Runs `f` in a thread for which a filter refuses one system call. A thread of its own: a filter stays.
fn with_refused(call: libc::c_long, f: impl FnOnce() + Send + 'static) {
    const NUMBER: u32 = 0; // in struct seccomp_data
    let filter_and_run = move || {
        let (load, jump, answer) = (
            libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            libc::BPF_RET | libc::BPF_K,
        );
        let instruction = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
        let mut filter = [
            instruction(load, 0, 0, NUMBER),
            instruction(jump, 0, 1, call as u32),
            instruction(answer, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
            instruction(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
        ];
        let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
        // SAFETY: the filter is this thread's alone.
        unsafe {
            assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
            assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
        }
        f();
    };
    std::thread::spawn(filter_and_run).join().expect("the thread passes");
}

#[test]
fn where_masks_are_refused_nothing_is_known_and_nothing_is_lost() {
    with_refused(libc::SYS_rt_sigprocmask, || {
        assert_eq!(set_mask(0), Err(Refused));
        assert_eq!(block(libc::SIGUSR1), Err(Refused));
        let mut word = 0_u64;
        assert_eq!(is_writable((&raw mut word).addr()), Err(Refused));
        // Nothing speaks against it.
        assert!(can_read(8, 8));
        let mut ran = false;
        with_mask(u64::MAX, || ran = true);
        assert!(ran);
    });
}

#[test]
fn a_mask_holds_as_long_as_what_runs_with_it() {
    let now = || {
        let blocked = set_mask(0).expect("nothing refuses");
        set_mask(blocked).expect("nothing refuses");
        blocked
    };
    let before = now();
    let (first, second) = (1_u64 << (libc::SIGUSR1 - 1), 1_u64 << (libc::SIGUSR2 - 1));
    with_mask(first, || {
        assert_eq!(now(), first);
        assert_eq!(block(libc::SIGUSR2), Ok(()));
        assert_eq!(now(), first | second);
    });
    assert_eq!(now(), before);
}

/// What the kernel says of a signal that is sent to a thread again, which takes it with sigtimedwait.
fn sent_again() -> (Result<(), Refused>, libc::c_int, i32) {
    let signal = unused() + 1;
    assert_eq!(block(signal), Ok(()));
    // SAFETY: all-zero is valid for all of them.
    let (mut info, mut set, mut arrived): (siginfo_t, libc::sigset_t, siginfo_t) = unsafe { core::mem::zeroed() };
    info.si_signo = signal;
    info.si_code = libc::SI_QUEUE;
    let result = send_again(signal, &info);
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: reads and writes what is here.
    let taken = unsafe {
        libc::sigaddset(&raw mut set, signal);
        libc::sigtimedwait(&raw const set, &raw mut arrived, &raw const at_once)
    };
    (result, if taken < 0 { 0 } else { taken - signal + 1 }, arrived.si_code)
}

#[test]
fn a_signal_is_sent_again_as_it_came_and_by_its_number_where_that_is_refused() {
    std::thread::spawn(|| assert_eq!(sent_again(), (Ok(()), 1, libc::SI_QUEUE))).join().expect("it comes");
    // What glibc makes of SI_TKILL for who waits for a signal.
    with_refused(libc::SYS_rt_tgsigqueueinfo, || assert_eq!(sent_again(), (Ok(()), 1, libc::SI_USER)));
}

#[test]
fn a_signal_is_sent_to_nobody_where_its_thread_is_not_told() {
    with_refused(libc::SYS_getpid, || assert_eq!(sent_again(), (Err(Refused), 0, 0)));
    with_refused(libc::SYS_gettid, || assert_eq!(sent_again(), (Err(Refused), 0, 0)));
}
