# libwasmtrap: builds, checks and installs the library. `make help` lists the targets.
#
# `make` and `make install` need a Rust toolchain and a C compiler to link with, nothing else. Targets that need more
# (run, lint, check and its parts) have c-tests/setup/setup.sh install it first; SETUP=no leaves the machine alone.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

# ---- What can be set, on the command line or in the environment ----

CARGO ?= cargo
PYTHON ?= python3
CFLAGS ?= -O2 -g
CXXFLAGS ?= -O2 -g
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
CMAKEDIR ?= $(LIBDIR)/cmake/wasmtrap
DATADIR ?= $(PREFIX)/share
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(DATADIR)/man
DESTDIR ?=
SETUP ?= yes
# The folder of another wabt's programs than those on the path; what is made with them is kept apart.
WABT ?=
OF_WABT := $(if $(WABT),/of/$(subst /,-,$(WABT:/%=%)))

# A word for each file that is built; V=1 shows the commands.
V ?= 0
export V
include packaging/quiet.mk

# ---- What is built ----

VERSION := $(shell sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)
MAJOR := $(firstword $(subst ., ,$(VERSION)))
SONAME := libwasmtrap.so.$(MAJOR)
RELEASE := target/release
LIB_SHARED ?= $(RELEASE)/libwasmtrap.so
LIB_STATIC ?= $(RELEASE)/archive/libwasmtrap.a
# What the static library needs besides libc and what a C compiler links by itself (libgcc). Both are empty since
# glibc 2.34. rustc's list (cargo rustc -- --print native-static-libs) names libgcc_s too, which has no static form.
STATIC_LIBS := -lpthread -ldl

C_WARNINGS := -std=c99 -pedantic -Wall -Wextra -Werror
CXX_WARNINGS := -std=c++17 -pedantic -Wall -Wextra -Werror
# What the names of nm, objdump and c++filt begin with.
TOOLS ?=
# --forbid-panics: not only the handler, all of the library must be free of panics.
HANDLER_SAFETY ?= --forbid-panics
PROVE ?= prove
RUNNER ?=
# What every test program runs under: a hang ends with all that the program has started. Programs end themselves sooner
# (c-tests/capi/support/tap.c), but an emulator that hangs does not hear of it.
LIMITED := $(if $(shell command -v timeout),timeout --kill-after=10 400)
C_TESTS_OUT ?= target/c-tests

RUST_SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock build.rs cbindgen.toml packaging/linker \
    packaging/version-script.sh

# The same source gives the same library wherever it is built: no path of the machine gets into it.
CARGO_HOME ?= $(HOME)/.cargo
REPRODUCIBLE := --remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$(CARGO_HOME)=cargo
# On macOS rustc leaves .eh_frame out where nothing unwinds, and with it the tables by which C++ exceptions pass.
UNWIND_TABLES := -C force-unwind-tables=yes
# arm64: without a frame pointer the link register is stored alone, and LLVM makes a pair of that store and one further
# down (AArch64LoadStoreOptimizer): between the two the tables are wrong.
AARCH64_FRAMES := -C force-frame-pointers=yes
RUSTFLAGS += $(if $(filter aarch64,$(shell uname -m)),$(AARCH64_FRAMES))
BUILD = RUSTFLAGS="$(strip $(RUSTFLAGS) $(UNWIND_TABLES) $(REPRODUCIBLE))" \
    $(1) $(or $(BUILD_COMMAND),build) --release --locked --lib --target-dir $(2)
# The two libraries without the rlib: with that among the types cargo drops the profile's link-time optimisation, and
# rustc keeps each public function for whoever may use the rlib. It is a tenth of the library's size.
LIBRARIES_ALONE := rustc --crate-type cdylib --crate-type staticlib
# What is on a trap's way says so itself (inline(always)). All else is called now and then: inlining it wherever it is
# called, and unrolling its loops, is another fifth of the size, and no time.
SMALL := -C llvm-args=-inline-threshold=5 -C llvm-args=-unroll-threshold=40

# Linux: the exported functions have versions. $(1) is the target as cargo's variables have it, $(2) what links for it.
WITH_VERSIONS = CARGO_TARGET_$(1)_LINKER='$(CURDIR)/packaging/linker' WASMTRAP_LINKER='$(2)'
HOST_TARGET := $(if $(filter Linux,$(shell uname -s)),$(shell uname -m | tr a-z A-Z)_UNKNOWN_LINUX_GNU)
HOST_LINKER := $(if $(HOST_TARGET),$(call WITH_VERSIONS,$(HOST_TARGET),$(or $(CARGO_TARGET_$(HOST_TARGET)_LINKER),cc)))

.PHONY: all
all: $(RELEASE)/$(SONAME) $(LIB_STATIC) ## build the shared and the static library (the default)

# Whether there is anything to build is cargo's to say, so that it is always asked. Only `sudo make install`, where root
# may have no cargo, goes by time stamps.
ASK_CARGO := $(if $(filter install,$(MAKECMDGOALS)),,FORCE)
$(RELEASE)/libwasmtrap.so $(RELEASE)/libwasmtrap.a: BUILD_COMMAND := $(LIBRARIES_ALONE)
$(RELEASE)/libwasmtrap.so $(RELEASE)/libwasmtrap.a: RUSTFLAGS += $(SMALL)
$(RELEASE)/libwasmtrap.so $(RELEASE)/libwasmtrap.a &: $(RUST_SOURCES) $(ASK_CARGO)
	@$(HOST_LINKER) $(call BUILD,$(CARGO),target)

# rustc's archive made fit for C, for any target.
%/archive/libwasmtrap.a: %/libwasmtrap.a include/wasmtrap.h packaging/static-archive.sh
	@TOOLS='$(TOOLS)' packaging/static-archive.sh include/wasmtrap.h $< $@

$(RELEASE)/$(SONAME): $(RELEASE)/libwasmtrap.so
	ln -sf libwasmtrap.so $@

.PHONY: header
header: ## write include/wasmtrap.h anew from the Rust source
	$(PYTHON) packaging/generated-header.py "$(CARGO)" > target/wasmtrap.h
	cp target/wasmtrap.h include/wasmtrap.h

.PHONY: clean
clean: ## remove all that was built
	rm -rf --one-file-system target fuzz/target

.PHONY: help
help:
	@echo 'Targets:'
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | sed ':pad;s/^\(.\{,22\}\)|/\1 |/;tpad;s/|//'
	@echo 'Variables (now):'
	@echo '  PREFIX=$(PREFIX) LIBDIR=$(LIBDIR) INCLUDEDIR=$(INCLUDEDIR) DESTDIR=$(DESTDIR)'
	@echo '  CARGO=$(CARGO) CC=$(CC) CXX=$(CXX) CFLAGS=$(CFLAGS) CXXFLAGS=$(CXXFLAGS) SETUP=$(SETUP)'

# ---- Set-up ----

# What it picked is in target/setup/tools.mk.
include c-tests/setup/needs.mk
ifeq ($(SETUP),no)
-include $(wildcard target/setup/*.mk)
else ifneq ($(SETUP_TARGETS),)
# make builds what it includes before all else, and starts over if that changed it.
include target/setup/tools.mk
target/setup/tools.mk: FORCE
	@c-tests/setup/setup.sh $@ $(SETUP_PARTS)
endif
.PHONY: FORCE
FORCE:

# ---- Install ----

PACKAGING_VARIABLES = VERSION SONAME PREFIX LIBDIR INCLUDEDIR CMAKEDIR DATADIR BINDIR STATIC_LIBS
FILL_IN = sed $(foreach variable,$(PACKAGING_VARIABLES),-e 's|@$(variable)@|$($(variable))|g')
# Paths below the prefix are written relative to it, so that pkg-config can move them.
PC_RELATIVE = -e 's,^\(libdir\|includedir\|wasm2cdir\)=$(PREFIX)/,\1=$${prefix}/,'

# wasm2c's runtime is built where it is used, of what the wabt there ships: its sources, and the program that does it.
WASM2CDIR = $(DATADIR)/wasmtrap/wasm2c
WASM2C_FILES := $(sort $(wildcard $(addprefix adapters/wasm2c/*.,c h inc py)))
# A package whose source leaves the adapters out has none.
INSTALL_WASM2C = $(if $(WASM2C_FILES),install -d '$(DESTDIR)$(WASM2CDIR)' '$(DESTDIR)$(BINDIR)' && \
    install -m 644 $(WASM2C_FILES) '$(DESTDIR)$(WASM2CDIR)' && \
    chmod 755 '$(DESTDIR)$(WASM2CDIR)/build.py' && install -d '$(DESTDIR)$(MANDIR)/man1' && \
    install -m 644 adapters/wasm2c/wasmtrap-wasm2c.1 '$(DESTDIR)$(MANDIR)/man1' && \
    ln -sfr '$(DESTDIR)$(WASM2CDIR)/build.py' '$(DESTDIR)$(BINDIR)/wasmtrap-wasm2c' && \
    $(FILL_IN) $(PC_RELATIVE) packaging/wasmtrap-wasm2c.pc.in > '$(DESTDIR)$(PKGCONFIGDIR)/wasmtrap-wasm2c.pc' && \
    $(FILL_IN) packaging/wasmtrap-wasm2c.cmake.in > '$(DESTDIR)$(CMAKEDIR)/wasmtrap-wasm2c.cmake')

.PHONY: install
install: all ## install below DESTDIR and PREFIX (LIBDIR, INCLUDEDIR, PKGCONFIGDIR, CMAKEDIR, DATADIR, BINDIR, MANDIR)
	install -d '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(INCLUDEDIR)' '$(DESTDIR)$(PKGCONFIGDIR)' '$(DESTDIR)$(CMAKEDIR)'
	install -m 644 include/wasmtrap.h '$(DESTDIR)$(INCLUDEDIR)/wasmtrap.h'
	install -m 644 $(RELEASE)/archive/libwasmtrap.a '$(DESTDIR)$(LIBDIR)/libwasmtrap.a'
	install -m 755 $(RELEASE)/libwasmtrap.so '$(DESTDIR)$(LIBDIR)/libwasmtrap.so.$(VERSION)'
	ln -sf libwasmtrap.so.$(VERSION) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libwasmtrap.so'
	$(FILL_IN) $(PC_RELATIVE) packaging/wasmtrap.pc.in > '$(DESTDIR)$(PKGCONFIGDIR)/wasmtrap.pc'
	$(FILL_IN) packaging/wasmtrap-config.cmake.in > '$(DESTDIR)$(CMAKEDIR)/wasmtrap-config.cmake'
	$(FILL_IN) packaging/wasmtrap-config-version.cmake.in > '$(DESTDIR)$(CMAKEDIR)/wasmtrap-config-version.cmake'
	$(INSTALL_WASM2C)
	chmod 644 '$(DESTDIR)$(PKGCONFIGDIR)'/wasmtrap*.pc '$(DESTDIR)$(CMAKEDIR)'/*.cmake
	$(if $(shell command -v $(PYTHON)),$(PYTHON) packaging/man-pages.py include/wasmtrap.h $(VERSION) \
	    '$(DESTDIR)$(MANDIR)',@echo 'no manual pages: they are made by Python, and there is no $(PYTHON)')

.PHONY: uninstall
uninstall: ## remove what install has put there
	rm -f '$(DESTDIR)$(INCLUDEDIR)/wasmtrap.h' '$(DESTDIR)$(PKGCONFIGDIR)/wasmtrap.pc'
	rm -f '$(DESTDIR)$(PKGCONFIGDIR)/wasmtrap-wasm2c.pc' '$(DESTDIR)$(CMAKEDIR)/wasmtrap-wasm2c.cmake'
	rm -f '$(DESTDIR)$(BINDIR)/wasmtrap-wasm2c' $(WASM2C_FILES:adapters/wasm2c/%='$(DESTDIR)$(WASM2CDIR)/%')
	rm -rf '$(DESTDIR)$(WASM2CDIR)/__pycache__'
	for folder in '$(DESTDIR)$(WASM2CDIR)' '$(DESTDIR)$(DATADIR)/wasmtrap'; do \
	    [ ! -d "$$folder" ] || rmdir --ignore-fail-on-non-empty "$$folder"; done
	rm -f '$(DESTDIR)$(CMAKEDIR)/wasmtrap-config.cmake' '$(DESTDIR)$(CMAKEDIR)/wasmtrap-config-version.cmake'
	rm -f $(foreach file,libwasmtrap.a libwasmtrap.so $(SONAME) libwasmtrap.so.$(VERSION),'$(DESTDIR)$(LIBDIR)/$(file)')
	rm -f '$(DESTDIR)$(MANDIR)/man1/wasmtrap-wasm2c.1'
	rm -f '$(DESTDIR)$(MANDIR)'/man3/wasmtrap_*.3 '$(DESTDIR)$(MANDIR)/man7/wasmtrap.7'
	[ ! -d '$(DESTDIR)$(CMAKEDIR)' ] || rmdir --ignore-fail-on-non-empty '$(DESTDIR)$(CMAKEDIR)'

# ---- Run and check ----

# All is built first, so that the tables are what stays on the screen: one after the other, to be compared.
.PHONY: run
run: ## run WebAssembly that traps, in a C host and in Python, and print a table of the traps
	+@$(MAKE) --no-print-directory SETUP=no run-c-build run-python-build
	+@CARGO_TERM_QUIET=true $(MAKE) --no-print-directory SETUP=no run-c && echo && echo 'The same in Python:'
	+@CARGO_TERM_QUIET=true $(MAKE) --no-print-directory SETUP=no run-python

# The parts of `make check`, in the order in which they begin. Each is a target of its own, here or in a rules.mk, which
# may add to them.
CHECKS := lint check-header check-rust check-mach-kernel check-mach-policy check-mach-handler-safety \
    check-mach-backend check-exports check-handler-safety check-install check-c check-mach check-wasm check-spec \
    check-adopted-wasmer-build check-adopted-wasmtime-build check-python check-macos check-arm64-system check-wasmtime \
    check-wasmtime-spec check-fuzz check-wasmtime-mach check-adopted-wasmtime check-adopted-wasi \
    check-adopted-wasmer check-wasmtime-founding-case check-wasmtime-aarch64 check-aarch64 check-x86-64-system \
    check-bench
# The ways in: packaging/rules.mk.
CHECKS += check-crates check-debian check-conan check-vcpkg check-wheels check-examples check-abi

include c-tests/setup/builds-in.mk
# run, check-wasm, check-spec; check-c; check-python, run-python, measure-python; check-fuzz, fuzz; bench
include $(sort $(wildcard c-tests/*/rules.mk fuzz/rules.mk packaging/rules.mk))

.PHONY: check
check: all ## run every check and print a table of the results
	+@$(call RUN_CHECKS,$(CHECKS))

SHELL_SCRIPTS := .ci/run fuzz/run.sh $(wildcard c-tests/setup/*.sh c-tests/packaging/*.t c-tests/packaging/*.sh \
    c-tests/setup/debian-cargo c-tests/windows/*.t c-tests/windows/*.sh c-tests/windows/*/*.sh \
    c-tests/windows/arm64/cc \
    c-tests/macos/cc c-tests/macos/*.sh \
    c-tests/arm64-system/*.sh packaging/*.sh)

include c-tests/setup/quick.mk

# Once as the library for C, and once as Rust's tests see it: they bring a panic handler and an allocator of their own.
.PHONY: lint
lint: lint-text ## clippy, rustfmt, shellcheck, and lines of at most 120 characters
	$(LINT_CARGO) clippy --locked --lib --features generate-header --target-dir target -- -D warnings
	$(LINT_CARGO) clippy --locked --all-targets --no-default-features --target-dir target -- -D warnings
	$(LINT_CARGO) fmt --check

.PHONY: lint-text
lint-text:
	shellcheck $(SHELL_SCRIPTS)
	$(PYTHON) -m doctest c-tests/setup/run-checks.py c-tests/setup/check-engines.py packaging/man-pages.py
	$(PYTHON) c-tests/setup/check-map.py
	$(PYTHON) c-tests/setup/check-engines.py
	@echo 'Lines of more than 120 characters, or with blanks at their end:'
	@! LC_ALL=C.UTF-8 grep -rnE '.{121}|[[:blank:]]$$' Makefile build.rs .ci src include adapters packaging examples fuzz \
	    c-tests \
	    --include=Makefile --include=run --include='*.[chtS]' --include='*.cc' --include='*.rs' --include='*.py' \
	    --include='*.sh' --include='*.mk' --include='*.toml' --include='*.txt' --include='*.in'

.PHONY: check-header
check-header: ## the checked-in header is the generated one, and compiles as C99 and C++17 without a warning
	$(PYTHON) packaging/generated-header.py "$(CARGO)" | diff -u include/wasmtrap.h -
	$(CC) $(C_WARNINGS) -Wshadow -Wconversion -Wundef -Wstrict-prototypes -fsyntax-only -x c include/wasmtrap.h
	$(CXX) $(CXX_WARNINGS) -Wshadow -Wconversion -Wundef -Wold-style-cast -fsyntax-only -x c++ include/wasmtrap.h

.PHONY: check-rust
check-rust: ## unit and property tests of the Rust code
	$(CARGO) test --locked --target-dir target

.PHONY: check-exports
check-exports: $(LIB_SHARED) ## the library exports the functions of the header and nothing else
	$(PYTHON) packaging/check-exports.py --cc "$(CC)" --nm $(TOOLS)nm include/wasmtrap.h $(LIB_SHARED)

.PHONY: check-handler-safety
check-handler-safety: $(LIB_SHARED) ## all code that a signal handler can reach is on a list, with a reason
	$(PYTHON) c-tests/handler-safety/self-test.py --cc "$(CC)" --tools "$(TOOLS)" --out $(C_TESTS_OUT)/handler-safety
	$(PYTHON) c-tests/handler-safety/check.py $(HANDLER_SAFETY) --header include/wasmtrap.h --tools "$(TOOLS)" \
	    $(LIB_SHARED)

MACH_ROOTS := inside::mach::server::serve inside::mach::callback::asked
.PHONY: check-mach-handler-safety
check-mach-handler-safety: mach-library ## the same for the Mach backend: its server, and its trampoline
	$(PYTHON) c-tests/handler-safety/check.py $(HANDLER_SAFETY) $(MACH_ROOTS:%=--root %) --header include/wasmtrap.h \
	    --tools "$(TOOLS)" target/mach/wasmtrap/release/libwasmtrap.so

.PHONY: check-install
check-install: all ## pkg-config, CMake and plain cc find and use an installed tree; uninstall empties it
	MAKE="$(MAKE)" CC="$(CC)" $(PROVE) -v c-tests/packaging/installed-tree.t

# ---- aarch64, emulated ----

AARCH64 := target/aarch64/aarch64-unknown-linux-gnu/release
$(AARCH64)/libwasmtrap.so $(AARCH64)/libwasmtrap.a: RUSTFLAGS += $(AARCH64_FRAMES) $(SMALL)
$(AARCH64)/libwasmtrap.so $(AARCH64)/libwasmtrap.a: BUILD_COMMAND := $(LIBRARIES_ALONE)
$(AARCH64)/libwasmtrap.so $(AARCH64)/libwasmtrap.a &: FORCE
	@$(call WITH_VERSIONS,AARCH64_UNKNOWN_LINUX_GNU,aarch64-linux-gnu-gcc) \
	$(call BUILD,$(AARCH64_CARGO),target/aarch64) --target aarch64-unknown-linux-gnu

AARCH64_TOOLS = CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ TOOLS=aarch64-linux-gnu- \
    C_TESTS_OUT=target/aarch64/c-tests LIB_SHARED=$(AARCH64)/libwasmtrap.so LIB_STATIC=$(AARCH64)/archive/libwasmtrap.a

# What runs on aarch64, runs on its kernel: see check-arm64-system.
.PHONY: check-aarch64
check-aarch64: $(AARCH64)/libwasmtrap.so check-aarch64-streaming ## exports, handler safety and SME on aarch64
	+$(MAKE) --no-print-directory --keep-going check-exports check-handler-safety $(AARCH64_TOOLS)

# Debian's kernel leaves the streaming mode (SME) alone, so that this one program runs under qemu-user, whose processor
# and whose signal frames have it.
AARCH64_STREAMING := target/aarch64/streaming/a_trap_ends_the_streaming_mode.t
$(AARCH64_STREAMING): c-tests/arm64-system/tests/a_trap_ends_the_streaming_mode.c \
    $(wildcard c-tests/capi/support/*.c) c-tests/capi/support/wasm_code_aarch64.S $(AARCH64)/libwasmtrap.a
	@mkdir -p $(@D)
	aarch64-linux-gnu-gcc -std=c99 -D_GNU_SOURCE -DEMULATED=1 -O2 -g -fno-omit-frame-pointer -pthread -static \
	    -Iinclude -Ic-tests/capi/support $^ -ldl -o $@

.PHONY: check-aarch64-streaming
check-aarch64-streaming: $(AARCH64_STREAMING) ## a trap in arm64's streaming mode, under qemu-user
	$(PROVE) --exec '$(LIMITED) qemu-aarch64 -cpu max' $<
	@! qemu-aarch64 -cpu max $< | grep '# SKIP'

# For a quick look. No part of `make check`: qemu-user has its own idea of threads, forks and signals, and hangs in one
# of some thousand programs that use them all.
.PHONY: check-aarch64-user
check-aarch64-user: $(AARCH64)/libwasmtrap.so ## the C harness for aarch64 under qemu-user, quicker than a whole machine
	+$(MAKE) --no-print-directory check-c $(AARCH64_TOOLS) RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu'

.PHONY: check-clean-root
check-clean-root: ## run and check in a fresh Debian 12 with nothing but git, make, gcc, python3 and Rust (needs root)
	c-tests/setup/try-in-clean-root.sh

# Only the set-up that CHECKS need: for trying it.
.PHONY: check-setup
check-setup: ## set this machine up for all of CHECKS, and do nothing
