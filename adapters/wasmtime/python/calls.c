/*
 * Stores, and the two ways between Python and WebAssembly: calls into it without the GIL, and functions of Python's
 * that it calls with the GIL.
 *
 * A function of Python's may raise anything: the exception waits in the innermost call while the host ends the
 * WebAssembly in between, and is raised there as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "extension.h"

/* ---- Stores ---- */

store_t *new_store(const state_t *state) {
  store_t *store = PyMem_Malloc(sizeof *store);
  if (store == NULL) return (store_t *)PyErr_NoMemory();
  memset(store, 0, sizeof *store);
  store->references = 1;
  store->functions = PyList_New(0);
  wasmtime_host_error_t *error =
      store->functions == NULL ? NULL : wasmtime_host_store_new(state->engine, &store->host);
  if (error != NULL) raise_error(state, error);
  if (store->host == NULL) {
    release_store(store);
    return NULL;
  }
  return store;
}

void release_store(store_t *store) {
  if (store == NULL || --store->references != 0) return;
  wasmtime_host_store_free(store->host);
  Py_XDECREF(store->functions);
  PyMem_Free(store);
}

/* ---- Into WebAssembly ---- */

int begin_call(const state_t *state, store_t *store, call_t *call) {
  unsigned long thread = PyThread_get_thread_ident();
  if (store->innermost != NULL && store->thread != thread) {
    raise_kind(state, WASMTIME_HOST_BUSY, "the instance is in use on another thread");
    return -1;
  }
  memset(call, 0, sizeof *call);
  call->outer = store->innermost;
  store->innermost = call;
  store->thread = thread;
  store->references++;
  call->thread = PyEval_SaveThread();
  return 0;
}

int end_call(const state_t *state, store_t *store, call_t *call, wasmtime_host_error_t *error) {
  PyEval_RestoreThread(call->thread);
  store->innermost = call->outer;
  release_store(store);
  if (call->type != NULL) {
    wasmtime_host_error_free(error);
    PyErr_Restore(call->type, call->value, call->traceback);
    return -1;
  }
  if (error == NULL) return 0;
  raise_error(state, error);
  return -1;
}

/* ---- Out of it ---- */

/* What a linker has of a function: borrowed, the store's list keeps it. */
typedef struct function_t {
  store_t *store;
  PyObject *callable;
} function_t;

static PyObject *call_python(PyObject *callable, const wasmtime_host_value_t *arguments, size_t count) {
  PyObject *tuple = PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; tuple != NULL && i < count; i++) {
    PyObject *item = value_to_python(&arguments[i]);
    if (item == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, item) < 0) Py_CLEAR(tuple);
  }
  PyObject *result = tuple == NULL ? NULL : PyObject_CallObject(callable, tuple);
  Py_XDECREF(tuple);
  return result;
}

static wasmtime_host_error_t *run_function(void *data, const wasmtime_host_value_t *arguments, size_t argument_count,
                                           wasmtime_host_value_t *results, size_t result_count) {
  function_t *function = data;
  call_t *call = function->store->innermost;
  PyEval_RestoreThread(call->thread);
  PyObject *result = call_python(function->callable, arguments, argument_count);
  int good = result != NULL && values_from_python(result, "result", results, result_count) == 0;
  Py_XDECREF(result);
  if (!good) PyErr_Fetch(&call->type, &call->value, &call->traceback);
  call->thread = PyEval_SaveThread();
  return good ? NULL : wasmtime_host_error_new("a function of Python's has raised an exception");
}

wasmtime_host_error_t *define_function(wasmtime_host_linker_t *linker, store_t *store,
                                       const wasmtime_host_import_t *import, PyObject *callable) {
  function_t *function = malloc(sizeof *function);
  if (function == NULL || PyList_Append(store->functions, callable) < 0) {
    free(function);
    PyErr_Clear();
    return wasmtime_host_error_new("no memory for a function");
  }
  function->store = store;
  function->callable = callable;
  return wasmtime_host_linker_define_function(linker, import->module_name, import->name, import->parameters,
                                              import->parameter_count, import->results, import->result_count,
                                              run_function, function, free);
}
