# Python: the extension `wasmtrap`, and what else lives in a Python process. Uses the modules and the runtime of
# c-tests/wasm/rules.mk, which may be included before or after this: hence its paths by name in the rules' first lines.
#
#     make check-python      every test in every CPython from 3.8 up that is found
#     make run-python        the demonstration of `make run`, in Python
#     make measure-python    what a trap costs, seen from Python
#
# PYTHON_TESTS='traps faulthandler' runs these test files only; PYTHON_VERSIONS='3.8 3.12' these versions only. For
# another library, give folders of its own: PYTHON_OUT, and PYTHON_WASM with what c-tests/wasm makes for it (WASM_OUT).

PYTHON_PART := c-tests/python
PYTHON_ADAPTER := adapters/python
PYTHON_OUT ?= target/python$(OF_WABT)
PYTHON_WASM ?= target/wasm$(OF_WABT)
PYTHON_VENVS ?= target/python/venv
PYTHON_TESTS ?=
PYTHON_VERSIONS ?=

PYTHON_MODULES := $(PYTHON_WASM)/modules
PYTHON_LIBRARY := $(PYTHON_WASM)/lib/libwasmtrap.so.0
PYTHON_MODULE_HEADERS := adapters/wasm2c/wasm_rt_wasmtrap.h include/wasmtrap.h \
    $(PYTHON_ADAPTER)/module/module_interface.h

# ---- The runtime, once in the process: the extension and all modules are linked with it ----

PYTHON_RUNTIME := $(PYTHON_OUT)/lib/libwasm_rt_wasmtrap.so
PYTHON_RPATH := -Wl,-rpath,$(abspath $(PYTHON_OUT)/lib) -Wl,-rpath,$(abspath $(dir $(PYTHON_LIBRARY)))

$(PYTHON_RUNTIME): $(PYTHON_WASM)/obj/wasm_rt_wasmtrap.o $(PYTHON_LIBRARY)
	@mkdir -p $(@D)
	$(CC) -shared -Wl,-soname,$(@F) -Wl,-z,defs $^ $(PYTHON_RPATH) -pthread -o $@

# ---- The extension: one binary for all versions, built with the oldest headers there are ----

PYTHON_EXTENSION := $(PYTHON_OUT)/wasmtrap.abi3.so
PYTHON_EXTENSION_SOURCES := $(sort $(wildcard $(PYTHON_ADAPTER)/extension/*.c))
PYTHON_EXTENSION_HEADERS := $(wildcard $(PYTHON_ADAPTER)/extension/*.h) $(PYTHON_MODULE_HEADERS)
PYTHON_EXTENSION_OBJECTS := $(PYTHON_EXTENSION_SOURCES:$(PYTHON_ADAPTER)/%.c=$(PYTHON_OUT)/obj/%.o)
PYTHON_INCLUDES = $(WASM_INCLUDES) -I$(PYTHON_ADAPTER)/module

# The folder of Python's headers. They are a system's, which warnings leave alone.
$(PYTHON_OUT)/headers: $(PYTHON_PART)/interpreters.py
	@mkdir -p $(@D)
	$(PYTHON) $< include > $@

$(PYTHON_OUT)/obj/extension/%.o: $(PYTHON_ADAPTER)/extension/%.c $(PYTHON_EXTENSION_HEADERS) $(PYTHON_PART)/rules.mk \
    $(PYTHON_OUT)/headers
	@mkdir -p $(@D)
	$(CC) $(WASM_OWN_FLAGS) $(CFLAGS) -DPy_LIMITED_API=0x03080000 $(PYTHON_INCLUDES) \
	    -isystem "$$(cat $(PYTHON_OUT)/headers)" -c $< -o $@

$(PYTHON_EXTENSION): $(PYTHON_EXTENSION_OBJECTS) $(PYTHON_RUNTIME) $(PYTHON_LIBRARY)
	$(CC) -shared $^ $(PYTHON_RPATH) -pthread -lm -ldl -o $@

# ---- Modules: what c-tests/wasm compiles, and its interface, in a shared object ----

throws_FEATURES := --enable-exceptions

$(PYTHON_MODULES)/%.wasm: $(PYTHON_PART)/modules/%.wat
	@mkdir -p $(@D)
	$(WAT2WASM) --debug-names $($*_FEATURES) $< -o $@

$(PYTHON_OUT)/modules/%.interface.c: $(PYTHON_MODULES)/%.wasm $(PYTHON_ADAPTER)/module/describe_interface.py \
    adapters/wasm2c/wasm_binary.py adapters/wasm2c/names.py
	@mkdir -p $(@D)
	PYTHONPATH=$(WASM_ADAPTER) $(PYTHON) $(PYTHON_ADAPTER)/module/describe_interface.py --name $* --header $*.h $< $@

$(PYTHON_OUT)/modules/%.so: $(PYTHON_OUT)/modules/%.interface.c $(PYTHON_MODULES)/%.module.o $(PYTHON_RUNTIME) \
    $(PYTHON_LIBRARY) $(PYTHON_MODULE_HEADERS) $(PYTHON_ADAPTER)/module/exports.map
	$(CC) $(WASM_OWN_FLAGS) -O2 $(PYTHON_INCLUDES) -shared $(filter %.c %.o %.so %.so.0,$^) $(PYTHON_RPATH) \
	    -Wl,--version-script=$(PYTHON_ADAPTER)/module/exports.map -lm -o $@

.PRECIOUS: $(PYTHON_OUT)/modules/%.interface.c

# ---- What the tests need besides ----

PYTHON_HELPERS := $(addprefix $(PYTHON_OUT)/helpers/,last_fault libsigsegv_owner.so float_modes.so)
PYTHON_OWN_FLAGS := -std=c99 -pedantic -Wall -Wextra -Werror -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer

$(PYTHON_OUT)/helpers/last_fault: $(PYTHON_PART)/tests/helpers/last_fault.c
	@mkdir -p $(@D)
	$(CC) $(PYTHON_OWN_FLAGS) $< -o $@

LIBS_OF_libsigsegv_owner := -lsigsegv
$(PYTHON_OUT)/helpers/%.so: $(PYTHON_PART)/tests/helpers/%.c
	@mkdir -p $(@D)
	$(CC) $(PYTHON_OWN_FLAGS) -fPIC -shared $< $(LIBS_OF_$*) -o $@

PYTHON_DEMO_MODULES := $(PYTHON_OUT)/modules/traps.so $(PYTHON_OUT)/modules/png.so
PYTHON_TEST_MODULES := $(patsubst %,$(PYTHON_OUT)/modules/%.so,traps host_calls starts throws)

.PHONY: check-python check-python-build
check-python-build: $(PYTHON_EXTENSION) $(PYTHON_TEST_MODULES) $(PYTHON_HELPERS)
check-python: check-python-build ## the Python extension
	$(PYTHON) $(PYTHON_PART)/run_tests.py --out $(PYTHON_OUT) --venvs $(PYTHON_VENVS) --runner '$(RUNNER)' \
	    --tests '$(PYTHON_TESTS)' --versions '$(PYTHON_VERSIONS)'

.PHONY: run-python run-python-build
run-python-build: $(PYTHON_EXTENSION) $(PYTHON_DEMO_MODULES) $(PYTHON_WASM)/sample.png
run-python: run-python-build ## what `make run` shows, in Python
	@PYTHONPATH=$(PYTHON_OUT) $(PYTHON) $(PYTHON_PART)/demo.py $(PYTHON_OUT)/modules $(WASM)/demo/expected_traps.txt \
	    $(PYTHON_WASM)/sample.png

.PHONY: measure-python
measure-python: $(PYTHON_EXTENSION) $(PYTHON_OUT)/modules/host_calls.so ## what a trap costs, seen from Python
	@PYTHONPATH=$(PYTHON_OUT) $(PYTHON) $(PYTHON_PART)/measure.py $(PYTHON_OUT)/modules/host_calls.so
