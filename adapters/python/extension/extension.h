/*
 * The Python extension `wasmtrap`: what its files share.
 *
 * What they keep to:
 * - The limited API of CPython 3.8 only, so that one binary loads in every CPython from 3.8 up. What later versions
 *   want in addition is asked for at run time (python_minor).
 * - No static Python objects: all is in the state of the module, of which each interpreter has its own. What is one for
 *   the process is in loaded_module.c, under a lock of its own.
 * - WebAssembly runs without the GIL; everything else runs with it.
 */
#ifndef EXTENSION_H
#define EXTENSION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "loaded_module.h"
#include "module_interface.h"
#include "stack.h"
#include "wasmtrap.h"

#ifndef Py_LIMITED_API
#error "one binary for all versions: build with -DPy_LIMITED_API=0x03080000"
#endif

/* Slots of types hold functions in object pointers, which ISO C leaves to the implementation and POSIX guarantees. By
 * way of an integer it is no matter for a warning. */
#define SLOT_FUNCTION(function) ((void *)(uintptr_t)(function))

/* The same for methods with keywords, whose type is not that of the table. */
#define KEYWORD_METHOD(function) ((PyCFunction)(void (*)(void))(function))

/* The minor version of the Python that runs. */
int python_minor(void);

/* Since 3.9 an object of a heap type has to visit its type (bpo-40217). */
#define VISIT_TYPE(self)                                          \
  do {                                                            \
    if (python_minor() >= 9) Py_VISIT((PyObject *)Py_TYPE(self)); \
  } while (0)

/* ---- The module's state ---- */

typedef struct state_t {
  PyObject *error;
  PyObject *trap;
  PyTypeObject *frame;
  PyTypeObject *signature;
  PyTypeObject *module;
  PyTypeObject *instance;
  PyTypeObject *memory;
} state_t;

/* Objects find the state through the extension module, to which each has a reference: types do not know their module
 * in 3.8. */
state_t *state_of(PyObject *extension);

/* Adds the types of a file to the extension module; 0, or -1 with an exception set. */
int add_error_types(PyObject *extension, state_t *state);
int add_module_types(PyObject *extension, state_t *state);
int add_instance_type(PyObject *extension, state_t *state);
int add_memory_type(PyObject *extension, state_t *state);

/* Makes a heap type, and puts it under its name into the extension module. */
PyTypeObject *add_type(PyObject *extension, PyType_Spec *spec);

/* What stands for a constructor of types that have none. */
PyObject *no_constructor(PyTypeObject *type, PyObject *args, PyObject *kwargs);

/* Puts `value`, which may be NULL with an exception set, into `target`, and drops the reference; 0 or -1. */
int set_item(PyObject *dict, PyObject *key, PyObject *value);
int set_attribute(PyObject *target, const char *name, PyObject *value);

/* ---- Errors and traps ---- */

/* Sets wasmtrap.Error from a status and wasmtrap_last_error. */
void *set_library_error(const state_t *state, wasmtrap_status_t status);

/* Sets wasmtrap.Error with a sentence of the extension's own, and no status. */
void *set_error(const state_t *state, const char *sentence);

/* Sets wasmtrap.Trap from a record that has its frames. `module` is the name of the WebAssembly module. */
void set_trap(const state_t *state, const wasmtrap_trap_t *trap, const char *module);

/* Tells a wasmtrap.Trap that an import has raised where it was. Anything else stays as it is. */
int complete_trap(const state_t *state, PyObject *exception, const wasmtrap_trap_t *trap);

/* ---- Values ---- */

/* "i32" for 'i', and so on. */
const char *type_name(char type);

/* wasmtrap.Signature. */
PyObject *new_signature(const state_t *state, const char *params, const char *results);

/* Converts; 0, or -1 with TypeError or OverflowError set, of which `what` and `index` (from 0) say what it is about. */
int value_from_python(PyObject *object, char type, const char *what, size_t index, wasm_value_t *value);
PyObject *value_to_python(char type, const wasm_value_t *value);

/* None for no result, the value for one, a tuple for more. */
PyObject *results_to_python(const char *types, const wasm_value_t *values);
int results_from_python(PyObject *object, const char *types, const char *what, wasm_value_t *values);

/* ---- Objects ---- */

/* wasmtrap.Module. */
typedef struct module_t {
  PyObject_HEAD
  PyObject *extension;
  PyObject *path;
  loaded_module_t *loaded;
  /* {name of an exported function: index}. */
  PyObject *functions;
} module_t;

PyObject *load_module(PyObject *extension, PyObject *path);

/* A way into WebAssembly, on one thread. Lives on the stack of instance_run. */
typedef struct instance_call_t {
  /* What Python keeps of the thread while it is without the GIL. */
  PyThreadState *thread;
  stack_of_call_t stack;
  /* What an import has raised. */
  PyObject *type, *value, *traceback;
} instance_call_t;

/* wasmtrap.Instance. */
typedef struct instance_t {
  PyObject_HEAD
  PyObject *extension;
  module_t *module;
  /* A callable for each import of the module, in a tuple; NULL once the garbage collector has taken it. */
  PyObject *imports;
  wasm_host_t host;
  void *memory;
  /* How many calls it is in, and their thread: an instance is on one thread at a time. */
  size_t calls;
  unsigned long thread;
  /* The call whose WebAssembly runs now; NULL while Python does, which may go on with any of the calls. */
  instance_call_t *running;
} instance_t;

PyObject *new_instance(module_t *module, PyObject *imports);

/* Runs function(argument) as a protected call of the instance, without the GIL. 0 if it returned; -1 with an exception
 * set: what it trapped with, what an import has raised, or that the instance is in use on another thread. */
int instance_run(instance_t *instance, wasmtrap_function_t function, void *argument);

/* 0 if this thread may use the instance now, -1 with an exception set. */
int instance_may_use(const instance_t *instance);

PyObject *new_memory(instance_t *instance, const module_memory_t *memory);

#endif
