/*
 * The Python extension `wasmtime_host`: Wasmtime on libwasmtrap, through the host's C interface.
 *
 * What its files keep to: the limited API of CPython 3.8 only, so that one binary loads in every CPython from 3.8 up;
 * no static Python objects; WebAssembly runs without the GIL, everything else with it.
 */
#ifndef EXTENSION_H
#define EXTENSION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "wasmtime_host.h"
#include "wasmtrap.h"

#ifndef Py_LIMITED_API
#error "one binary for all versions: build with -DPy_LIMITED_API=0x03080000"
#endif

/* Slots of types hold functions in object pointers, which ISO C leaves to the implementation and POSIX guarantees. */
#define SLOT_FUNCTION(function) ((void *)(uintptr_t)(function))

/* Kinds of errors are numbers from 1 up: the exception of each is at its number. */
enum { ERROR_KINDS = WASMTIME_HOST_BUSY + 1 };

typedef struct state_t {
  wasmtime_host_engine_t *engine;
  PyObject *error;
  PyObject *errors[ERROR_KINDS];
  PyTypeObject *frame;
  PyTypeObject *module;
  PyTypeObject *instance;
} state_t;

/* Objects find the state through the extension module, to which each has a reference. */
state_t *state_of(PyObject *extension);

int add_error_types(PyObject *extension, state_t *state);
int add_module_type(PyObject *extension, state_t *state);
int add_instance_type(PyObject *extension, state_t *state);
/* Makes a heap type, and puts it under its name into the extension module. */
PyTypeObject *add_type(PyObject *extension, PyType_Spec *spec);

/* Raises an error of the host's as the exception of its kind, and frees it. Always NULL. */
void *raise_error(const state_t *state, wasmtime_host_error_t *error);
/* Raises an exception of this kind. Always NULL. */
void *raise_kind(const state_t *state, wasmtime_host_error_kind_t kind, const char *format, ...);

/* ---- Values ---- */

/* 0, or -1 with TypeError or OverflowError set, of which `what` and `index` (from 0) say what it is about. */
int value_from_python(PyObject *object, wasmtime_host_type_t type, const char *what, size_t index,
                      wasmtime_host_value_t *value);
PyObject *value_to_python(const wasmtime_host_value_t *value);
/* None for no value, the value for one, a tuple for more. */
PyObject *values_to_python(const wasmtime_host_value_t *values, size_t count);
/* Fills in values whose types are set. */
int values_from_python(PyObject *object, const char *what, wasmtime_host_value_t *values, size_t count);

/* ---- Objects ---- */

typedef struct module_t {
  PyObject_HEAD
  PyObject *extension;
  wasmtime_host_module_t *loaded;
} module_t;

typedef struct instance_t instance_t;

/* A way into WebAssembly, on one thread; lives on the stack of that thread. */
typedef struct call_t {
  /* What Python keeps of the thread while it is without the GIL. */
  PyThreadState *thread;
  struct call_t *outer;
  /* What a function of Python's has raised. */
  PyObject *type, *value, *traceback;
} call_t;

/* A store, with the functions of Python's that its instances call. Instances share it by counting references, with the
 * GIL held. */
typedef struct store_t {
  size_t references;
  wasmtime_host_store_t *host;
  /* The innermost call, and the thread it is on: a store is on one thread at a time. */
  call_t *innermost;
  unsigned long thread;
  /* Keeps the functions alive: a list. */
  PyObject *functions;
} store_t;

store_t *new_store(const state_t *state);
void release_store(store_t *store);
/* Enters WebAssembly: releases the GIL. -1 with an exception set if the store is in use on another thread. */
int begin_call(const state_t *state, store_t *store, call_t *call);
/* Takes the GIL again and raises what went wrong: `error`, or what a function of Python's has raised. 0 or -1. */
int end_call(const state_t *state, store_t *store, call_t *call, wasmtime_host_error_t *error);

/* A function of Python's that WebAssembly imports, in the hands of a linker. */
wasmtime_host_error_t *define_function(wasmtime_host_linker_t *linker, store_t *store,
                                       const wasmtime_host_import_t *import, PyObject *callable);

PyObject *new_instance(PyObject *extension, wasmtime_host_linker_t *linker, store_t *store,
                       const wasmtime_host_module_t *module);
/* What an import may be an instance for; NULL if it is none. */
const wasmtime_host_instance_t *instance_in(const state_t *state, PyObject *object, store_t **store);

#endif
