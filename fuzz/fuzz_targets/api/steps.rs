//! The steps: each reads its arguments from the input, says what it expects, calls, and compares.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering::SeqCst;

use wasmtrap::abi::*;
use wasmtrap::capi::*;

use crate::faults::{GO_ON_AT, GUARD_SIZE, HOST_OWNS_SIGNALS, Stub, guard, stub_area, stubs};
use crate::input::Input;
use crate::model::{Code, Detached, Errors, Findings, Handler, Model, Outcome, Region};

/// Enough for protected calls in protected calls; more would only be more of the same.
const DEEPEST: usize = 4;

const MOST_STEPS: usize = 400;

struct Session<'d> {
    input: Input<'d>,
    model: Model,
    stubs: Vec<Stub>,
    steps: usize,
    /// The trap that the innermost protected call is about to end with.
    trap: Option<ExpectedTrap>,
    /// The fault that the embedder's fault handler is about to be asked about.
    asked: Option<Asked>,
}

#[derive(Clone, Copy)]
struct ExpectedTrap {
    code: wasmtrap_code_t,
    source: u32,
    payload: u64,
    fault: Option<(Stub, usize, Findings)>,
}

/// What the embedder's fault handler knows of the fault to come.
#[derive(Clone, Copy)]
struct Asked {
    stub: Stub,
    address: usize,
    findings: Findings,
    handler: Handler,
}

thread_local! {
    /// For the embedder's fault handler, whose user pointer is an arbitrary one. Made before the first fault.
    static SESSION: std::cell::Cell<*mut c_void> = const { std::cell::Cell::new(std::ptr::null_mut()) };
}

pub fn run(data: &[u8]) {
    let mut session =
        Session { input: Input::new(data), model: Model::default(), stubs: stubs(), steps: 0, trap: None, asked: None };
    // SAFETY: an empty string or this thread's sentence.
    session.model.sentence = unsafe { CStr::from_ptr(wasmtrap_last_error()) }.to_bytes().to_vec();
    let session = &raw mut session;
    SESSION.set(session.cast());
    // SAFETY: the session lives until the end of this function; nobody has another reference to it.
    let session = unsafe { &mut *session };
    while session.step() {}
    session.end();
}

/// A place for an output, filled so that a write shows.
struct Output<T>(MaybeUninit<T>);

impl<T: Copy> Output<T> {
    const FILL: u8 = 0xA5;

    fn new() -> Self {
        let mut place = MaybeUninit::<T>::uninit();
        // SAFETY: within `place`.
        unsafe { place.as_mut_ptr().write_bytes(Self::FILL, 1) };
        Self(place)
    }

    /// The place, or NULL.
    fn pointer(&mut self, null: bool) -> *mut T {
        if null { std::ptr::null_mut() } else { self.0.as_mut_ptr() }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: all bytes were written by `new`, and structures of the API have no padding that a write could leave
        // undefined but where it is not looked at any more.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), size_of::<T>()) }
    }

    fn is_untouched(&self) -> bool {
        self.bytes().iter().all(|&byte| byte == Self::FILL)
    }

    fn get(&self) -> T {
        // SAFETY: any bytes are a T of the API: integers and pointers.
        unsafe { self.0.assume_init() }
    }
}

/// A size that is wrong once in a while.
fn struct_size<T>(input: &mut Input) -> usize {
    if input.one_in(32) {
        input.pick(&[0, 1, 8, size_of::<T>() - 1, size_of::<T>() + 8, usize::MAX])
    } else {
        size_of::<T>()
    }
}

fn own_code(input: &mut Input) -> wasmtrap_code_t {
    match input.byte() {
        byte @ 192.. => WASMTRAP_CODE_USER + u32::from(byte),
        byte @ 128.. => u32::from(byte) - 128,
        _ => WASMTRAP_CODE_NONE,
    }
}

/// Addresses in a few places: where nothing is, where the stubs are, where the guard is, and at the ends.
fn address(input: &mut Input) -> usize {
    let (stubs, length) = stub_area();
    match input.below(8) {
        0 => input.below(512),
        1 => usize::MAX - input.below(512),
        2 => 0x10_0000 + input.below(512),
        3 | 4 => guard() + 64 * input.below(GUARD_SIZE / 64),
        5 => stubs,
        _ => stubs + input.below(length),
    }
}

fn length(input: &mut Input) -> usize {
    match input.below(8) {
        0 => input.pick(&[0, 1, 2, 1 << 32, (1 << 32) + 1, usize::MAX - 1, usize::MAX]),
        1 | 2 => stub_area().1,
        3 => GUARD_SIZE,
        _ => input.below(300),
    }
}

/// Whether the range is one: what is wrong with it otherwise.
fn check_range(errors: &mut Errors, start: usize, length: usize, names: [&'static str; 2]) {
    errors
        .when(start == 0, WASMTRAP_ERR_INVALID_ARGUMENT, names[0])
        .when(length == 0, WASMTRAP_ERR_INVALID_ARGUMENT, names[1])
        .when(length != 0 && start.checked_add(length - 1).is_none(), WASMTRAP_ERR_INVALID_ARGUMENT, names[1]);
}

impl<'d> Session<'d> {
    /// Takes a step; false when there are no more.
    fn step(&mut self) -> bool {
        if self.input.is_empty() || self.steps == MOST_STEPS {
            return false;
        }
        self.steps += 1;
        match self.input.byte() % 32 {
            // First, so that short inputs get somewhere.
            0 | 1 => self.init(),
            2..=5 => self.register_code(),
            6..=8 => self.register_region(),
            9..=13 => self.call(),
            14..=18 => self.fault(),
            19 | 20 => self.raise(),
            21 | 22 => self.set_fault_handler(),
            23 | 24 => self.unregister(),
            25 => self.look_up_code(),
            26 => self.detach_chain(),
            27 => self.attach_chain(),
            28 => self.shut_down(),
            29 => self.attach_or_detach_thread(),
            30 => self.describe(),
            _ => self.ask(),
        }
        true
    }

    /// Compares a status and the sentence that goes with it. True if the call succeeded.
    fn judge(&mut self, call: &str, status: wasmtrap_status_t, errors: &Errors) -> bool {
        // SAFETY: never NULL, this thread's, and copied before the next call.
        let sentence = unsafe { CStr::from_ptr(wasmtrap_last_error()) }.to_bytes();
        if status == WASMTRAP_OK || status == WASMTRAP_TRAPPED {
            assert!(errors.is_empty(), "{call} succeeded, in spite of {errors:?}");
            assert_eq!(sentence, self.model.sentence, "{call} succeeded, but wasmtrap_last_error changed");
            return true;
        }
        let text = str::from_utf8(sentence).expect("wasmtrap_last_error is UTF-8");
        assert!(errors.explain(status, text), "{call} gave {status} and \"{text}\", expected one of {errors:?}");
        self.model.sentence = sentence.to_vec();
        false
    }

    /// The same for a look-up, which is signal-safe and leaves no sentence.
    fn judge_look_up(&self, call: &str, status: wasmtrap_status_t, errors: &Errors) -> bool {
        // SAFETY: as above.
        let sentence = unsafe { CStr::from_ptr(wasmtrap_last_error()) }.to_bytes();
        assert_eq!(sentence, self.model.sentence, "{call}: wasmtrap_last_error changed");
        if status == WASMTRAP_OK {
            assert!(errors.is_empty(), "{call} succeeded, in spite of {errors:?}");
            return true;
        }
        assert!(errors.have(status), "{call} gave {status}, expected one of {errors:?}");
        false
    }

    // --- Set-up ------------------------------------------------------------------------------------------------------

    fn init(&mut self) {
        let input = &mut self.input;
        let null = input.one_in(8);
        let options = wasmtrap_options_t {
            struct_size: struct_size::<wasmtrap_options_t>(input),
            backend: input.pick(&[0, 0, 0, 0, 0, 2, 1, 3, u32::MAX]),
            macos_use_mach_ports: input.pick(&[0, 0, 0, 0, 0, 1, 2, 3, u32::MAX]),
            fault_kinds: input.pick(&[0, 0, 15, 15, 15, 1, 2, 4, 8, 7, 16, u32::MAX]),
            flags: input.pick(&[0, 0, 0, 0, 1, 2, 2, 3, 4, 8, 9, 16, u32::MAX]),
            alternate_stack_size: input.pick(&[0, 0, 0, 0, 16 << 10, 100_000, 64 << 20, 1, (16 << 10) - 1, usize::MAX]),
            // A signal is the process's: c-tests/capi/interruption tries it.
            interrupt_signal: 0,
            reserved: input.pick(&[0, 0, 0, 0, 0, 0, 0, 1]),
        };
        self.init_with((!null).then_some(options));
    }

    fn init_with(&mut self, options: Option<wasmtrap_options_t>) {
        // All defaults, NULL means.
        let wanted = options.unwrap_or(wasmtrap_options_t {
            struct_size: size_of::<wasmtrap_options_t>(),
            backend: 0,
            macos_use_mach_ports: 0,
            fault_kinds: 0,
            flags: 0,
            alternate_stack_size: 0,
            interrupt_signal: 0,
            reserved: 0,
        });
        let wasmtrap_options_t { backend, macos_use_mach_ports: switch, fault_kinds, flags, .. } = wanted;
        let stack = wanted.alternate_stack_size;
        let mut errors = Errors::default();
        if wanted.struct_size != size_of::<wasmtrap_options_t>() {
            errors.when(true, WASMTRAP_ERR_STRUCT_SIZE, "options->struct_size");
        } else {
            let contradictory = [
                (WASMTRAP_BACKEND_SIGNALS, WASMTRAP_MACH_PORTS_YES),
                (WASMTRAP_BACKEND_MACH_PORTS, WASMTRAP_MACH_PORTS_NO),
            ];
            let fallback = flags & WASMTRAP_INIT_ALLOW_FALLBACK != 0;
            let earlier = self.model.options.filter(|_| !is_same(&self.model, &wanted));
            errors
                .when(backend > 2, WASMTRAP_ERR_INVALID_ARGUMENT, "options->backend")
                .when(switch > 2, WASMTRAP_ERR_INVALID_ARGUMENT, "options->macos_use_mach_ports")
                .when(
                    contradictory.contains(&(backend, switch)),
                    WASMTRAP_ERR_INVALID_ARGUMENT,
                    "options->macos_use_mach_ports",
                )
                .when(fault_kinds & !15 != 0, WASMTRAP_ERR_INVALID_ARGUMENT, "options->fault_kinds")
                .when(flags & !15 != 0, WASMTRAP_ERR_INVALID_ARGUMENT, "options->flags")
                .when(
                    stack != 0 && !(16 << 10..=64 << 20).contains(&stack),
                    WASMTRAP_ERR_INVALID_ARGUMENT,
                    "options->alternate_stack_size",
                )
                .when(wanted.reserved != 0, WASMTRAP_ERR_INVALID_ARGUMENT, "options->reserved")
                .when(backend == WASMTRAP_BACKEND_MACH_PORTS && !fallback, WASMTRAP_ERR_UNSUPPORTED, "options->backend")
                .when(earlier.is_some(), WASMTRAP_ERR_CONFLICT, "options");
        }
        let pointer = options.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: NULL or a whole structure, whose size is only said to be another.
        let status = unsafe { wasmtrap_init(pointer) };
        if self.judge("wasmtrap_init", status, &errors) {
            self.model.users += 1;
            if !self.model.is_initialized() {
                self.model.options = Some(wanted);
                HOST_OWNS_SIGNALS.store(flags & WASMTRAP_INIT_HOST_OWNS_SIGNALS != 0, SeqCst);
            }
        }
    }

    fn shut_down(&mut self) {
        let mut errors = Errors::default();
        let is_last = self.model.users == 1;
        errors
            .unless_initialized(&self.model)
            .when(is_last && self.model.calls > 0, WASMTRAP_ERR_BUSY, "protected call");
        let status = wasmtrap_shutdown();
        if self.judge("wasmtrap_shutdown", status, &errors) {
            let model = &mut self.model;
            model.users -= 1;
            if !is_last {
                return;
            }
            model.stale.extend(model.code.drain(..).map(|code| code.id));
            model.stale.extend(model.regions.drain(..).map(|region| region.id));
            model.options = None;
            model.handler = None;
            HOST_OWNS_SIGNALS.store(false, SeqCst);
        }
    }

    /// Leaves the library as it was found.
    fn end(&mut self) {
        assert!(self.model.calls == 0 && self.model.detached.is_empty());
        assert!(self.trap.is_none() && self.asked.is_none());
        for _ in 0..self.model.users {
            self.shut_down();
        }
        assert!(!self.model.is_initialized());
        let status = wasmtrap_thread_detach();
        self.judge("wasmtrap_thread_detach", status, &Errors::default());
    }

    /// Calls that tell something.
    fn ask(&mut self) {
        match self.input.below(6) {
            0 => {
                let null = self.input.one_in(4);
                let mut errors = Errors::default();
                errors.unless_initialized(&self.model).when(null, WASMTRAP_ERR_INVALID_ARGUMENT, "backend");
                let mut backend = Output::<wasmtrap_backend_t>::new();
                // SAFETY: NULL or valid for a write.
                let status = unsafe { wasmtrap_backend(backend.pointer(null)) };
                match self.judge("wasmtrap_backend", status, &errors) {
                    true => assert_eq!(backend.get(), WASMTRAP_BACKEND_SIGNALS),
                    false => assert!(backend.is_untouched()),
                }
            }
            1 => {
                let null = self.input.one_in(4);
                let mut errors = Errors::default();
                errors.unless_initialized(&self.model);
                let mut displaced = Output::<u32>::new();
                // SAFETY: NULL or valid for a write.
                let status = unsafe { wasmtrap_check(displaced.pointer(null)) };
                match self.judge("wasmtrap_check", status, &errors) && !null {
                    true => assert_eq!(displaced.get(), 0),
                    false => assert!(displaced.is_untouched()),
                }
            }
            2 => {
                let mut errors = Errors::default();
                errors.unless_initialized(&self.model);
                let status = wasmtrap_rearm();
                self.judge("wasmtrap_rearm", status, &errors);
            }
            3 => {
                let signal = c_int::from(self.input.byte());
                // SAFETY: NULL is allowed.
                let taken = unsafe { wasmtrap_try_handle_signal(signal, std::ptr::null_mut(), std::ptr::null_mut()) };
                assert_eq!(taken, 0);
            }
            _ => self.name(),
        }
    }

    fn name(&mut self) {
        // SAFETY: the names are static strings.
        let text = |name: *const c_char| unsafe { CStr::from_ptr(name) }.to_str().expect("names are ASCII");
        let n = match self.input.byte() {
            255 => self.input.bits() as u32,
            byte => u32::from(byte),
        };

        let code_name = text(wasmtrap_code_name(n));
        match n {
            WASMTRAP_CODE_USER.. => assert_eq!(code_name, "user trap"),
            WASMTRAP_CODE_NONE | 22.. => assert_eq!(code_name, "unknown trap"),
            WASMTRAP_CODE_UNREACHABLE => assert_eq!(code_name, "unreachable"),
            _ => assert!(!["", "user trap", "unknown trap"].contains(&code_name)),
        }
        let status = n.cast_signed().wrapping_neg().wrapping_add(1);
        let status_name = text(wasmtrap_status_name(status));
        match status {
            WASMTRAP_ERR_NOT_FOUND..=WASMTRAP_TRAPPED => assert!(status_name.starts_with("WASMTRAP_")),
            _ => assert_eq!(status_name, "unknown status"),
        }
        let names = ["unknown", "read", "write", "execute"];
        assert_eq!(text(wasmtrap_access_name(n)), names.get(n as usize).copied().unwrap_or("unknown"));
    }

    fn describe(&mut self) {
        let mut buffer = [0xA5_u8; 1024];
        let capacity = self.input.pick(&[0, 1, 2, 100, 1000, 1024]);
        let null = self.input.one_in(8);
        let mut errors = Errors::default();
        errors.when(null && capacity != 0, WASMTRAP_ERR_INVALID_ARGUMENT, "buffer");
        let mut length = Output::<usize>::new();
        let pointer = if null { std::ptr::null_mut() } else { buffer.as_mut_ptr().cast() };
        // SAFETY: NULL, or valid for `capacity` bytes, and valid for a write.
        let status = unsafe { wasmtrap_describe(pointer, capacity, length.pointer(false)) };
        if !self.judge("wasmtrap_describe", status, &errors) {
            assert!(length.is_untouched());
            return;
        }
        let written = (length.get() + 1).min(capacity);
        assert!(buffer[written..].iter().all(|&byte| byte == 0xA5), "nothing is written past the NUL");
        if written > 0 && !null {
            assert_eq!(buffer[..written].iter().position(|&byte| byte == 0), Some(written - 1));
            let whole = str::from_utf8(&buffer[..written - 1]);
            assert!(whole.is_ok_and(|text| written < 50 || text.contains("wasmtrap")));
        }
    }

    fn attach_or_detach_thread(&mut self) {
        let mut errors = Errors::default();
        if self.input.flag() {
            errors.unless_initialized(&self.model);
            let status = wasmtrap_thread_attach();
            self.judge("wasmtrap_thread_attach", status, &errors);
        } else {
            errors.when(self.model.calls > 0, WASMTRAP_ERR_BUSY, "protected call");
            let status = wasmtrap_thread_detach();
            self.judge("wasmtrap_thread_detach", status, &errors);
        }
    }

    // --- Code and regions --------------------------------------------------------------------------------------------

    fn register_code(&mut self) {
        let input = &mut self.input;
        let (start, length) = (address(input), length(input));
        let (sites, site_count) = sites(input, start, length);
        let desc = wasmtrap_code_desc_t {
            struct_size: struct_size::<wasmtrap_code_desc_t>(input),
            start: start as *const c_void,
            length,
            sites: sites.as_ref().map_or(std::ptr::null(), |sites| sites.as_ptr()),
            site_count,
            flags: input.pick(&[0, 0, 0, 0, 1, 1, 1, 2, u32::MAX]),
            user: input.bits() as *mut c_void,
            client: WASMTRAP_CLIENT_DEFAULT,
            fault_kinds: 0,
        };
        let (null_desc, null_id) = (input.one_in(64), input.one_in(64));

        let (mut errors, looked_at) = self.registration(null_desc, desc.struct_size == size_of_val(&desc), null_id);
        if looked_at {
            check_range(&mut errors, start, length, ["desc->start", "desc->length"]);
            let last = start.wrapping_add(length).wrapping_sub(1);
            let (ascending, inside) = sites.as_ref().map_or((true, true), |sites| {
                let ascending = sites.is_sorted_by(|before, after| before.offset < after.offset);
                (ascending, sites.iter().all(|site| (site.offset as usize) < length))
            });
            let overlaps = self.model.code.iter().any(|code| code.start <= last && start <= code.last);
            errors
                .when(sites.is_none() && site_count != 0, WASMTRAP_ERR_INVALID_ARGUMENT, "desc->site_count")
                .when(sites.is_some() && length > 1 << 32, WASMTRAP_ERR_INVALID_ARGUMENT, "desc->length")
                .when(!ascending, WASMTRAP_ERR_INVALID_ARGUMENT, "desc->sites[")
                .when(!inside, WASMTRAP_ERR_INVALID_ARGUMENT, "desc->sites[")
                .when(desc.flags & !WASMTRAP_CODE_STRICT != 0, WASMTRAP_ERR_INVALID_ARGUMENT, "desc->flags")
                .when(overlaps, WASMTRAP_ERR_OVERLAP, "overlaps");
        }

        let mut id = Output::<u64>::new();
        let pointer = if null_desc { std::ptr::null() } else { &raw const desc };
        // SAFETY: NULL, or a whole structure with as many sites as it says; NULL, or valid for a write.
        let status = unsafe { wasmtrap_code_register(pointer, id.pointer(null_id)) };
        if let Some(id) = self.registered("wasmtrap_code_register", status, &errors, &id) {
            let strict = desc.flags == WASMTRAP_CODE_STRICT;
            let (last, user) = (start + (length - 1), desc.user.addr());
            self.model.code.push(Code { id, start, last, sites, strict, user });
        }
    }

    fn register_region(&mut self) {
        let input = &mut self.input;
        let (start, length) = (address(input), length(input));
        let desc = wasmtrap_region_desc_t {
            struct_size: struct_size::<wasmtrap_region_desc_t>(input),
            base: start as *const c_void,
            length,
            code: own_code(input),
            flags: input.pick(&[0, 0, 0, 0, 0, 0, 1, u32::MAX]),
            user: input.bits() as *mut c_void,
            client: WASMTRAP_CLIENT_DEFAULT,
            accessible_code: own_code(input),
            accessible: if input.one_in(16) { length.saturating_add(1) } else { 0 },
        };
        let (null_desc, null_id) = (input.one_in(64), input.one_in(64));

        let (mut errors, looked_at) = self.registration(null_desc, desc.struct_size == size_of_val(&desc), null_id);
        if looked_at {
            check_range(&mut errors, start, length, ["desc->base", "desc->length"]);
            let last = start.wrapping_add(length).wrapping_sub(1);
            let overlaps = self.model.regions.iter().any(|region| region.start <= last && start <= region.last);
            errors
                .when(desc.flags != 0, WASMTRAP_ERR_INVALID_ARGUMENT, "desc->flags")
                .when(desc.accessible > length, WASMTRAP_ERR_INVALID_ARGUMENT, "desc->accessible")
                .when(overlaps, WASMTRAP_ERR_OVERLAP, "overlaps");
        }

        let mut id = Output::<u64>::new();
        let pointer = if null_desc { std::ptr::null() } else { &raw const desc };
        // SAFETY: NULL, or a whole structure; NULL, or valid for a write.
        let status = unsafe { wasmtrap_region_register(pointer, id.pointer(null_id)) };
        if let Some(id) = self.registered("wasmtrap_region_register", status, &errors, &id) {
            let (last, user) = (start + (length - 1), desc.user.addr());
            self.model.regions.push(Region { id, start, last, code: desc.code, user });
        }
    }

    /// What is wrong with the pointers and the size of a registration, and whether the rest is looked at.
    fn registration(&self, null_desc: bool, right_size: bool, null_id: bool) -> (Errors, bool) {
        let mut errors = Errors::default();
        errors
            .unless_initialized(&self.model)
            .when(null_id, WASMTRAP_ERR_INVALID_ARGUMENT, "id")
            .when(null_desc, WASMTRAP_ERR_INVALID_ARGUMENT, "desc")
            .when(!null_desc && !right_size, WASMTRAP_ERR_STRUCT_SIZE, "desc->struct_size");
        (errors, !null_desc && right_size)
    }

    /// The id that a registration gave out, if it did.
    fn registered(&mut self, call: &str, status: wasmtrap_status_t, errors: &Errors, id: &Output<u64>) -> Option<u64> {
        if !self.judge(call, status, errors) {
            assert!(id.is_untouched());
            return None;
        }
        let id = id.get();
        assert!(id != 0 && !self.model.is_known(id) && !self.model.stale.contains(&id), "{id} was given out before");
        Some(id)
    }

    /// An id of either table, one that was taken back, or one that nobody has heard of.
    fn some_id(&mut self) -> u64 {
        let model = &self.model;
        let known: Vec<u64> =
            model.code.iter().map(|code| code.id).chain(model.regions.iter().map(|region| region.id)).collect();
        match self.input.below(8) {
            0 => self.input.pick(&[0, u64::MAX, 1 << 32]),
            1 if !self.model.stale.is_empty() => self.input.pick(&self.model.stale),
            2 => known.iter().max().map_or(1, |id| id + 1),
            _ if !known.is_empty() => self.input.pick(&known),
            _ => self.input.bits(),
        }
    }

    fn unregister(&mut self) {
        let (id, code) = (self.some_id(), self.input.flag());
        let (call, is_known, function): (_, _, extern "C" fn(u64) -> wasmtrap_status_t) = match code {
            true => {
                ("wasmtrap_code_unregister", self.model.code.iter().any(|code| code.id == id), wasmtrap_code_unregister)
            }
            false => (
                "wasmtrap_region_unregister",
                self.model.regions.iter().any(|region| region.id == id),
                wasmtrap_region_unregister,
            ),
        };
        let mut errors = Errors::default();
        errors.unless_initialized(&self.model).when(!is_known, WASMTRAP_ERR_UNKNOWN_ID, "id");
        if self.judge(call, function(id), &errors) {
            self.model.code.retain(|code| code.id != id);
            self.model.regions.retain(|region| region.id != id);
            self.model.stale.push(id);
        }
    }

    fn look_up_code(&mut self) {
        let pc = address(&mut self.input);
        let (null, size) = (self.input.one_in(16), struct_size::<wasmtrap_code_info_t>(&mut self.input));
        let expected = self.model.code_at(pc).cloned();
        let mut errors = Errors::default();
        errors
            .unless_initialized(&self.model)
            .when(null, WASMTRAP_ERR_INVALID_ARGUMENT, "info")
            .when(!null && size != size_of::<wasmtrap_code_info_t>(), WASMTRAP_ERR_STRUCT_SIZE, "info->struct_size")
            .when(expected.is_none(), WASMTRAP_ERR_NOT_FOUND, "pc");

        let mut info = Output::<wasmtrap_code_info_t>::new();
        // SAFETY: the first field of the place.
        unsafe { (&raw mut (*info.pointer(false)).struct_size).write(size) };
        let before = info.bytes().to_vec();
        // SAFETY: NULL, or a whole structure, whose size is only said to be another.
        let status = unsafe { wasmtrap_code_lookup(pc as *const c_void, info.pointer(null)) };
        if !self.judge_look_up("wasmtrap_code_lookup", status, &errors) {
            assert_eq!(info.bytes(), before);
            return;
        }
        let (info, code) = (info.get(), expected.expect("there is no error without one"));
        let site = code.sites.iter().flatten().find(|site| site.offset as usize == pc - code.start);
        assert_eq!(info.struct_size, size_of::<wasmtrap_code_info_t>());
        assert_eq!((info.id, info.start.addr(), info.user.addr()), (code.id, code.start, code.user));
        assert_eq!((info.length, info.offset), (code.last - code.start + 1, pc - code.start));
        assert_eq!(info.has_site, u32::from(site.is_some()));
        assert_eq!(info.site_code, site.map_or(WASMTRAP_CODE_NONE, |site| site.code));
    }

    // --- Running -----------------------------------------------------------------------------------------------------

    /// A protected call, in which the steps that follow are taken, up to its end or to a trap.
    fn call(&mut self) {
        if self.model.calls + self.model.detached.len() >= DEEPEST {
            return;
        }
        let input = &mut self.input;
        let (null_function, null_trap) = (input.one_in(64), input.one_in(8));
        let size = struct_size::<wasmtrap_trap_t>(input);
        let mut frames = [usize::MAX; 8];
        let (null_frames, capacity) = (input.one_in(8), input.below(frames.len() + 1));

        let mut trap = Output::<wasmtrap_trap_t>::new();
        let place = trap.pointer(false);
        // SAFETY: fields of the place.
        unsafe {
            (&raw mut (*place).struct_size).write(size);
            (&raw mut (*place).frames).write(if null_frames { std::ptr::null_mut() } else { frames.as_mut_ptr() });
            (&raw mut (*place).frames_capacity).write(capacity);
        }
        let before = trap.bytes().to_vec();

        let mut errors = Errors::default();
        errors
            .unless_initialized(&self.model)
            .when(null_function, WASMTRAP_ERR_INVALID_ARGUMENT, "function")
            .when(!null_trap && size != size_of::<wasmtrap_trap_t>(), WASMTRAP_ERR_STRUCT_SIZE, "trap->struct_size")
            .when(!null_trap && null_frames && capacity != 0, WASMTRAP_ERR_INVALID_ARGUMENT, "trap->frames");

        let function: wasmtrap_function_t = if null_function { None } else { Some(protected) };
        let (calls, detached) = (self.model.calls, self.model.detached.len());
        // SAFETY: `protected` wants a session; the place is NULL, or a whole structure, whose size is only said to be
        // another, with a buffer as large as it says.
        let status = unsafe { wasmtrap_call(function, (&raw mut *self).cast(), trap.pointer(null_trap)) };
        if !self.judge("wasmtrap_call", status, &errors) {
            assert!(self.trap.is_none() && trap.bytes() == before);
            return;
        }
        self.model.calls = calls;
        assert_eq!(self.model.detached.len(), detached);
        match self.trap.take() {
            None => {
                assert_eq!(status, WASMTRAP_OK);
                assert_eq!(trap.bytes(), before);
            }
            Some(expected) => {
                assert_eq!(status, WASMTRAP_TRAPPED);
                if !null_trap {
                    check_trap(&trap.get(), &expected, &frames, (null_frames, capacity));
                }
            }
        }
    }

    fn raise(&mut self) {
        let (code, payload) = (own_code(&mut self.input), self.input.bits());
        // Outside of a protected call it ends the process, as it says.
        if self.model.calls > 0 {
            self.trap = Some(ExpectedTrap { code, source: WASMTRAP_SOURCE_RAISE, payload, fault: None });
            // SAFETY: the frames between here and the protected call own nothing.
            unsafe { wasmtrap_raise(code, payload) }
        }
    }

    fn fault(&mut self) {
        let stub = self.input.pick(&self.stubs);
        let address = guard() + self.input.below(GUARD_SIZE);
        let findings = self.model.find(&stub, address);
        let fault = Some((stub, address, findings));
        let mut comes_back = true;
        match self.model.outcome(&stub, &findings) {
            Outcome::Forwarded => GO_ON_AT.store(stub.after, SeqCst),
            Outcome::Resumed => {}
            Outcome::Trap(code) => {
                self.trap = Some(ExpectedTrap { code, source: WASMTRAP_SOURCE_FAULT, payload: 0, fault });
                comes_back = false;
            }
            Outcome::TrapByHandler(code, payload) => {
                self.trap = Some(ExpectedTrap { code, source: WASMTRAP_SOURCE_HANDLER, payload, fault });
                comes_back = false;
            }
        }
        self.asked = match self.model.handler {
            Some(handler) if self.model.takes(&stub) => Some(Asked { stub, address, findings, handler }),
            _ => None,
        };
        // SAFETY: a stub is a function of one argument that C could have; the frames between here and the protected
        // call own nothing.
        unsafe { std::mem::transmute::<usize, extern "C-unwind" fn(usize)>(stub.entry)(address) };
        assert!(comes_back, "a fault that should have been a trap was none");
        assert!(self.asked.is_none(), "the embedder's fault handler was not asked");
        assert_eq!(GO_ON_AT.load(SeqCst), 0, "a fault that should have been forwarded was not");
    }

    fn detach_chain(&mut self) {
        let null = self.input.one_in(16);
        let mut errors = Errors::default();
        errors.unless_initialized(&self.model).when(null, WASMTRAP_ERR_INVALID_ARGUMENT, "chain");
        let mut chain = Output::<*mut wasmtrap_chain_t>::new();
        // SAFETY: NULL or valid for a write.
        let status = unsafe { wasmtrap_chain_detach(chain.pointer(null)) };
        if !self.judge("wasmtrap_chain_detach", status, &errors) {
            assert!(chain.is_untouched());
            return;
        }
        let calls = std::mem::take(&mut self.model.calls);
        assert_eq!(chain.get().is_null(), calls == 0);
        if calls > 0 {
            self.model.detached.push(Detached { chain: chain.get(), calls });
        }
    }

    /// Attaches no chain, or the one that was detached last, which belongs to the code that is running.
    fn attach_chain(&mut self) {
        let input = &mut self.input;
        let (want_null, null_stack) = (input.one_in(4), input.flag());
        let stack = wasmtrap_stack_t {
            struct_size: struct_size::<wasmtrap_stack_t>(input),
            low: input.pick(&[0x1000, 0x1000, 0x1000, 0]) as *const c_void,
            high: input.pick(&[0x9000, 0x9000, 0x9000, 0x1000, 0xFFF, 0]) as *const c_void,
            guard_size: input.pick(&[0, 0x1000, 0x1001, usize::MAX]),
        };
        let chain = if want_null { None } else { self.model.detached.last().copied() };
        self.attach(chain, (!null_stack).then_some(stack));
    }

    fn attach(&mut self, chain: Option<Detached>, stack: Option<wasmtrap_stack_t>) {
        let mut errors = Errors::default();
        errors.unless_initialized(&self.model).when(self.model.calls > 0, WASMTRAP_ERR_BUSY, "protected call");
        if let Some(stack) = stack {
            if stack.struct_size != size_of::<wasmtrap_stack_t>() {
                errors.when(true, WASMTRAP_ERR_STRUCT_SIZE, "stack->struct_size");
            } else {
                let (low, high) = (stack.low.addr(), stack.high.addr());
                errors.when(low == 0 || high <= low, WASMTRAP_ERR_INVALID_ARGUMENT, "stack->low").when(
                    stack.guard_size > low,
                    WASMTRAP_ERR_INVALID_ARGUMENT,
                    "stack->guard_size",
                );
            }
        }
        let pointer = stack.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: NULL, or a chain whose calls have not ended; NULL, or a whole structure, whose size is only said to
        // be another.
        let status = unsafe { wasmtrap_chain_attach(chain.map_or(std::ptr::null_mut(), |chain| chain.chain), pointer) };
        if self.judge("wasmtrap_chain_attach", status, &errors)
            && let Some(chain) = chain
        {
            self.model.calls = chain.calls;
            self.model.detached.pop();
        }
    }

    fn set_fault_handler(&mut self) {
        let input = &mut self.input;
        let handler = Handler {
            user: input.bits() as usize,
            verdict: input.pick(&[
                WASMTRAP_VERDICT_FORWARD,
                WASMTRAP_VERDICT_RESUME,
                WASMTRAP_VERDICT_TRAP,
                3,
                u32::MAX,
            ]),
            code: own_code(input),
            payload: input.bits(),
        };
        let none = input.one_in(3);
        let mut errors = Errors::default();
        // They all have the same function.
        let another = self.model.handler.as_ref().is_some_and(|earlier| earlier.user != handler.user);
        errors.unless_initialized(&self.model).when(
            !none && another && self.model.users > 1,
            WASMTRAP_ERR_CONFLICT,
            "fault handler",
        );
        let function: wasmtrap_fault_handler_t = if none { None } else { Some(fault_handler) };
        let status = wasmtrap_set_fault_handler(function, handler.user as *mut c_void);
        if self.judge("wasmtrap_set_fault_handler", status, &errors) {
            self.model.handler = (!none).then_some(handler);
        }
    }
}

/// Whether wasmtrap_init would be given the same options again.
fn is_same(model: &Model, wanted: &wasmtrap_options_t) -> bool {
    let effective = |options: &wasmtrap_options_t| {
        let backend = match (options.backend, options.macos_use_mach_ports) {
            (WASMTRAP_BACKEND_AUTO, WASMTRAP_MACH_PORTS_NO) => WASMTRAP_BACKEND_SIGNALS,
            (backend, _) => backend,
        };
        let stack = match options.alternate_stack_size {
            0 => 32 << 10,
            size => size,
        };
        (backend, crate::model::fault_kinds(options), options.flags, stack)
    };
    model.options.as_ref().is_none_or(|options| effective(options) == effective(wanted))
}

/// A table of sites, or none, and the count that goes with it. Most are good, and many are where the stubs fault.
fn sites(input: &mut Input, start: usize, length: usize) -> (Option<Vec<wasmtrap_site_t>>, usize) {
    match input.below(8) {
        0..3 => (None, if input.one_in(32) { 1 } else { 0 }),
        3 => (Some(Vec::new()), 0),
        _ => {
            let stubs = stubs();
            let mut sites: Vec<_> = (0..input.below(8))
                .map(|_| {
                    let offset = match input.pick(&stubs).at.checked_sub(start) {
                        Some(offset) if !input.one_in(8) => offset as u32,
                        _ => input.below(length.clamp(1, 300)) as u32,
                    };
                    wasmtrap_site_t { offset, code: own_code(input) }
                })
                .collect();
            if !input.one_in(16) {
                sites.sort_by_key(|site| site.offset);
                sites.dedup_by_key(|site| site.offset);
                sites.retain(|site| (site.offset as usize) < length);
            }
            let count = sites.len();
            (Some(sites), count)
        }
    }
}

/// The function of a protected call.
unsafe extern "C-unwind" fn protected(session: *mut c_void) {
    // SAFETY: `call` gives its own session, and waits.
    let session = unsafe { &mut *session.cast::<Session>() };
    session.model.calls += 1;
    let detached = session.model.detached.len();
    // Till the end of the input, or for some steps.
    let mut left = session.input.below(16);
    while left > 0 && session.step() {
        left -= 1;
    }
    if session.model.detached.len() > detached {
        // The call must not end without its chain, and only an initialised library gives it back.
        if !session.model.is_initialized() {
            session.init_with(None);
        }
        let chain = session.model.detached.last().copied();
        session.attach(chain, None);
    }
}

fn check_trap(trap: &wasmtrap_trap_t, expected: &ExpectedTrap, frames: &[usize], (null, capacity): (bool, usize)) {
    assert_eq!(trap.struct_size, size_of::<wasmtrap_trap_t>());
    assert_eq!((trap.code, trap.source, trap.payload), (expected.code, expected.source, expected.payload));
    assert_eq!((trap.exception, trap.exception_code_count, trap.exception_codes), (0, 0, [0; 2]));

    assert_eq!((trap.frames.is_null(), trap.frames_capacity), (null, capacity));
    let capacity = if null { 0 } else { capacity };
    assert!(trap.frame_count <= capacity && (capacity == 0 || trap.frame_count > 0));
    assert!(capacity == 0 || frames[0] == trap.pc);
    assert!(frames[trap.frame_count..].iter().all(|&frame| frame == usize::MAX));
    let flags = trap.flags & !WASMTRAP_FRAMES_TRUNCATED;

    let Some((stub, address, findings)) = expected.fault else {
        assert_eq!((flags, trap.signal, trap.signal_code, trap.access), (0, 0, 0, WASMTRAP_ACCESS_UNKNOWN));
        assert_eq!((trap.code_id, trap.code_offset, trap.region_id, trap.fault_address), (0, 0, 0, 0));
        assert_eq!((trap.registers.general, trap.registers.pc), ([0; 32], 0));
        return;
    };
    assert_eq!((trap.pc, trap.signal, trap.access), (stub.at, stub.signal, stub.access));
    check_found(
        flags,
        &stub,
        address,
        &findings,
        findings.trap.is_some(),
        Found {
            fault_address: trap.fault_address,
            code: (trap.code_id, trap.code_user.addr(), trap.code_offset),
            region: (trap.region_id, trap.region_user.addr(), trap.region_offset),
        },
    );
    assert_eq!(flags & WASMTRAP_HAS_SITE != 0, findings.has_site);
    check_registers(&trap.registers, &stub, address, trap.sp, trap.fp);
}

/// What a trap record and a fault handler's fault both have.
struct Found {
    fault_address: usize,
    code: (u64, usize, usize),
    region: (u64, usize, usize),
}

/// The region is looked for in the course of the decision, so that it may be missing where that ended early.
fn check_found(flags: u32, stub: &Stub, address: usize, findings: &Findings, is_trap: bool, found: Found) {
    let known = WASMTRAP_HAS_CODE
        | WASMTRAP_HAS_SITE
        | WASMTRAP_HAS_FAULT_ADDRESS
        | WASMTRAP_HAS_REGION
        | WASMTRAP_HAS_REGISTERS;
    assert_eq!(flags & !known, 0);
    assert_ne!(flags & WASMTRAP_HAS_REGISTERS, 0);

    assert_eq!(flags & WASMTRAP_HAS_CODE != 0, findings.code.is_some());
    assert_eq!(found.code, findings.code.unwrap_or_default());

    let has_address = flags & WASMTRAP_HAS_FAULT_ADDRESS != 0;
    assert_eq!(has_address, stub.touches_memory());
    assert_eq!(found.fault_address, if has_address { address } else { 0 });

    let has_region = flags & WASMTRAP_HAS_REGION != 0;
    assert!(if is_trap { has_region == findings.region.is_some() } else { !has_region || findings.region.is_some() });
    assert_eq!(found.region, findings.region.filter(|_| has_region).unwrap_or_default());
}

fn check_registers(registers: &wasmtrap_registers_t, stub: &Stub, address: usize, sp: usize, fp: usize) {
    let [argument, frame, stack] = if cfg!(target_arch = "x86_64") { [5, 6, 7] } else { [0, 29, 31] };
    assert_eq!(registers.general[argument], address as u64);
    assert_eq!((registers.general[stack], registers.general[frame]), (sp as u64, fp as u64));
    assert_eq!(registers.pc, stub.at as u64);
}

/// The embedder's.
unsafe extern "C" fn fault_handler(fault: *mut wasmtrap_fault_t, user: *mut c_void) -> wasmtrap_verdict_t {
    // SAFETY: set by `run`, which waits; the code that faulted is a stub, which looks at nothing of it.
    let session = unsafe { &mut *SESSION.get().cast::<Session>() };
    let asked = session.asked.take().expect("the embedder's fault handler is asked once, about what it is there for");
    let Asked { stub, address, findings, handler } = asked;
    // SAFETY: the library's, until this returns.
    let fault = unsafe { &mut *fault };
    assert_eq!(user.addr(), handler.user);
    assert_eq!(fault.struct_size, size_of::<wasmtrap_fault_t>());
    assert_eq!((fault.kind, fault.pc, fault.signal, fault.access), (stub.kind, stub.at, stub.signal, stub.access));
    assert_eq!(fault.trap_code, findings.trap.unwrap_or(WASMTRAP_CODE_NONE));
    assert_eq!((fault.payload, fault.exception), (0, 0));
    check_found(
        fault.flags,
        &stub,
        address,
        &findings,
        findings.trap.is_some(),
        Found {
            fault_address: fault.fault_address,
            code: (fault.code_id, fault.code_user.addr(), fault.code_offset),
            region: (fault.region_id, fault.region_user.addr(), fault.region_offset),
        },
    );
    // SAFETY: the library's, until this returns.
    let registers = unsafe { &mut *fault.registers };
    check_registers(registers, &stub, address, fault.sp, fault.fp);

    // What is written here counts for the verdict that it is meant for, and for no other.
    registers.pc = stub.after as u64;
    fault.trap_code = handler.code;
    fault.payload = handler.payload;
    handler.verdict
}
