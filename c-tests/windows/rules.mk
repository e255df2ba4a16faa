# Windows on x86-64, built and tried from Linux: mingw-w64 compiles and links, Wine runs.
#
#     make windows          the DLL, its import library and the static library: target/windows/lib
#     make windows-install  them below DESTDIR and PREFIX, with the header and what pkg-config and CMake find them by
#     make check-windows    these, the exports, and the C harness under Wine
#
# Nothing of this has run on a real Windows: see README.md.

WINDOWS := c-tests/windows
WINDOWS_OUT := target/windows
WINDOWS_TARGET := x86_64-pc-windows-gnu
WINDOWS_BUILT := $(WINDOWS_OUT)/$(WINDOWS_TARGET)/release
WINDOWS_TOOLS := x86_64-w64-mingw32-
WINDOWS_CARGO ?= $(CARGO)
WINDOWS_LIB := $(WINDOWS_OUT)/lib

$(WINDOWS_BUILT)/wasmtrap.dll $(WINDOWS_BUILT)/libwasmtrap.dll.a $(WINDOWS_BUILT)/libwasmtrap.a &: \
    $(WINDOWS_OUT)/resource.o FORCE
	@WASMTRAP_RESOURCE='$(abspath $(WINDOWS_OUT)/resource.o)' \
	    $(call BUILD,$(WINDOWS_CARGO),$(WINDOWS_OUT)) --target $(WINDOWS_TARGET)

$(WINDOWS_OUT)/resource.o: packaging/wasmtrap.rc Cargo.toml
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)windres $(join -DMAJOR= -DMINOR= -DPATCH=,$(subst ., ,$(VERSION))) $< $@

$(WINDOWS_LIB)/%: $(WINDOWS_BUILT)/%
	@mkdir -p $(@D)
	cp $< $@

# For MSVC's linker, and whoever makes an import library of his own: the functions of the header.
$(WINDOWS_LIB)/wasmtrap.def: include/wasmtrap.h
	@mkdir -p $(@D)
	{ echo LIBRARY wasmtrap; echo EXPORTS; \
	    grep -v '^//' $< | grep -oE '\bwasmtrap_[a-z_]+\(' | sort -u | sed 's/\(.*\)(/    \1/'; } >$@

$(WINDOWS_LIB)/wasmtrap.lib: $(WINDOWS_LIB)/wasmtrap.def
	$(WINDOWS_TOOLS)dlltool -m i386:x86-64 -D wasmtrap.dll -d $< -l $@

.PHONY: windows
windows: $(addprefix $(WINDOWS_LIB)/,wasmtrap.dll libwasmtrap.dll.a libwasmtrap.a wasmtrap.def wasmtrap.lib)
windows: ## build the library for Windows on x86-64: target/windows/lib

.PHONY: windows-install
windows-install: STATIC_LIBS = $(WINDOWS_STATIC_LIBS)
windows-install: windows ## install the library for Windows below DESTDIR and PREFIX, as mingw-w64 has its libraries
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(INCLUDEDIR)' '$(DESTDIR)$(PKGCONFIGDIR)' \
	    '$(DESTDIR)$(CMAKEDIR)'
	install -m 644 include/wasmtrap.h '$(DESTDIR)$(INCLUDEDIR)/wasmtrap.h'
	install -m 755 $(WINDOWS_LIB)/wasmtrap.dll '$(DESTDIR)$(BINDIR)/wasmtrap.dll'
	install -m 644 $(addprefix $(WINDOWS_LIB)/,libwasmtrap.dll.a libwasmtrap.a wasmtrap.lib) '$(DESTDIR)$(LIBDIR)'
	$(FILL_IN) $(PC_RELATIVE) packaging/wasmtrap.pc.in > '$(DESTDIR)$(PKGCONFIGDIR)/wasmtrap.pc'
	$(FILL_IN) packaging/wasmtrap-config.cmake.in > '$(DESTDIR)$(CMAKEDIR)/wasmtrap-config.cmake'
	$(FILL_IN) packaging/wasmtrap-config-version.cmake.in > '$(DESTDIR)$(CMAKEDIR)/wasmtrap-config-version.cmake'

# ---- The harness ----

WINDOWS_TESTS_OUT := $(WINDOWS_OUT)/c-tests
# The same objects are linked with the DLL, whose import library has a function for each, and with the static library.
WINDOWS_FLAGS := -DWASMTRAP_STATIC -pedantic -Wall -Wextra -Werror -D_GNU_SOURCE \
    -D__USE_MINGW_ANSI_STDIO=1 -DEMULATED=0 -g -O1 -fno-omit-frame-pointer -MMD -MP -isystem $(WINDOWS)/support/posix \
    -Iinclude -Ic-tests/capi/support \
    -I$(WINDOWS)/support -I$(WINDOWS_TESTS_OUT)/include
WINDOWS_CAPI := $(shell sed 's/[[:space:]]*\#.*//; /^$$/d' $(WINDOWS)/programs.txt)
WINDOWS_OWN := $(patsubst c-tests/%,%,$(basename $(wildcard $(WINDOWS)/tests/*.c $(WINDOWS)/tests/*.cc)))
WINDOWS_SUPPORT := $(patsubst c-tests/%,$(WINDOWS_TESTS_OUT)/obj/%.o,$(wildcard $(WINDOWS)/support/*.c) \
    $(addprefix c-tests/capi/support/,tap.c host.c refusal.c runs.c spinner.c jumps.c wasm_code.c wasm_code_x86_64.S))
WINDOWS_PROGRAMS := $(WINDOWS_CAPI:%=capi/%) $(WINDOWS_OWN)
WINDOWS_SHARED := $(WINDOWS_PROGRAMS:%=$(WINDOWS_TESTS_OUT)/shared/%.exe)
WINDOWS_STATIC := $(WINDOWS_PROGRAMS:%=$(WINDOWS_TESTS_OUT)/static/%.exe)
# What the static library needs beside what gcc links by itself.
WINDOWS_STATIC_LIBS := -lntdll -ladvapi32

$(WINDOWS_TESTS_OUT)/include/documented_functions.h: include/wasmtrap.h $(WINDOWS)/rules.mk
	@mkdir -p $(@D)
	grep -v '^//' $< | grep -oE '\bwasmtrap_[a-z_]+\(' | sort -u | sed 's/\(.*\)(/FUNCTION(\1)/' >$@

$(WINDOWS_TESTS_OUT)/obj/%.c.o: c-tests/%.c $(WINDOWS)/rules.mk | $(WINDOWS_TESTS_OUT)/include/documented_functions.h
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)gcc -std=c99 $(WINDOWS_FLAGS) -c $< -o $@

$(WINDOWS_TESTS_OUT)/obj/%.cc.o: c-tests/%.cc $(WINDOWS)/rules.mk | $(WINDOWS_TESTS_OUT)/include/documented_functions.h
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)g++ -std=c++17 $(WINDOWS_FLAGS) -c $< -o $@

$(WINDOWS_TESTS_OUT)/obj/%.S.o: c-tests/%.S $(WINDOWS)/rules.mk
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)gcc $(WINDOWS_FLAGS) -c $< -o $@

# The C++ compiler links them all. The DLL lies beside the programs, where the loader looks first.
define WINDOWS_PROGRAM
$(WINDOWS_TESTS_OUT)/shared/$(1).exe: $(WINDOWS_TESTS_OUT)/obj/$(1)$(2).o $(WINDOWS_SUPPORT) \
    $(WINDOWS_LIB)/libwasmtrap.dll.a $(WINDOWS_LIB)/wasmtrap.dll
	@mkdir -p $$(@D)
	$(WINDOWS_TOOLS)g++ -static $$(filter-out %.dll,$$^) -lwinpthread -o $$@
	@ln -f $(WINDOWS_LIB)/wasmtrap.dll $$(@D)/wasmtrap.dll
$(WINDOWS_TESTS_OUT)/static/$(1).exe: $(WINDOWS_TESTS_OUT)/obj/$(1)$(2).o $(WINDOWS_SUPPORT) \
    $(WINDOWS_LIB)/libwasmtrap.a
	@mkdir -p $$(@D)
	$(WINDOWS_TOOLS)g++ -static $$^ $(WINDOWS_STATIC_LIBS) -lwinpthread -o $$@
endef
$(foreach program,$(WINDOWS_PROGRAMS),$(eval $(call WINDOWS_PROGRAM,$(program),$(suffix $(wildcard \
    c-tests/$(program).c c-tests/$(program).cc)))))

# A prefix of its own, made once: Wine's first start in it takes seconds.
WINDOWS_WINE := WINEPREFIX='$(abspath $(WINDOWS_OUT))/wine' WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml=
$(WINDOWS_OUT)/wine/done:
	@mkdir -p $(@D)
	$(WINDOWS_WINE) $(LIMITED) wine wineboot --init >$(WINDOWS_OUT)/wineboot.log 2>&1
	@touch $@

.PHONY: windows-harness
windows-harness: $(WINDOWS_SHARED) $(WINDOWS_STATIC)

CHECKS += check-windows
.PHONY: check-windows
check-windows: windows windows-harness $(WINDOWS_OUT)/wine/done ## the C harness for Windows, under Wine
	$(PYTHON) $(WINDOWS)/check-exports.py --objdump $(WINDOWS_TOOLS)objdump include/wasmtrap.h \
	    $(WINDOWS_LIB)/wasmtrap.dll
	$(PYTHON) c-tests/handler-safety/self-test.py --cc $(WINDOWS_TOOLS)gcc --tools $(WINDOWS_TOOLS) \
	    --out $(WINDOWS_OUT)/handler-safety
	$(PYTHON) c-tests/handler-safety/check.py $(HANDLER_SAFETY) --root inside::signals::stopped \
	    --header include/wasmtrap.h --tools $(WINDOWS_TOOLS) $(WINDOWS_LIB)/wasmtrap.dll \
	    >$(WINDOWS_OUT)/handler-safety.txt || { cat $(WINDOWS_OUT)/handler-safety.txt; false; }
	@# Wine's server, and the services that it starts, for all programs: each start of them takes seconds, and is one
	@# more that may fail on a busy machine. It ends by itself, a minute after the last program.
	@$(WINDOWS_WINE) wineserver --persistent=60 || true
	$(WINDOWS_WINE) $(PROVE) $(PROVE_FLAGS) $(WINDOWS)/header.t $(WINDOWS)/installed-tree.t
	$(WINDOWS_WINE) $(PROVE) $(PROVE_FLAGS) --exec '$(strip $(LIMITED)) $(WINDOWS)/wine.sh' \
	    $(WINDOWS_SHARED) $(WINDOWS_STATIC)
	@$(WINDOWS_WINE) wineserver --kill || true

-include $(wildcard $(WINDOWS_TESTS_OUT)/obj/*/*.d $(WINDOWS_TESTS_OUT)/obj/*/*/*.d)
