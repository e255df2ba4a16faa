/*
 * wasmtime_host.Instance: calling what a module exports, and reading and writing its memories.
 */
#include "extension.h"

enum { MAX_VALUES = 64 };

struct instance_t {
  PyObject_HEAD
  PyObject *extension;
  store_t *store;
  wasmtime_host_instance_t *host;
};

PyDoc_STRVAR(instance_doc, "An instance of a module. One thread at a time uses it, and those it shares a store with.");

static void instance_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  instance_t *instance = (instance_t *)self;
  wasmtime_host_instance_free(instance->host);
  release_store(instance->store);
  Py_XDECREF(instance->extension);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyObject *new_instance(PyObject *extension, wasmtime_host_linker_t *linker, store_t *store,
                       const wasmtime_host_module_t *module) {
  const state_t *state = state_of(extension);
  instance_t *instance = PyObject_New(instance_t, state->instance);
  if (instance == NULL) return NULL;
  Py_INCREF(extension);
  instance->extension = extension;
  instance->store = store;
  store->references++;
  instance->host = NULL;
  call_t call;
  if (begin_call(state, store, &call) == 0) {
    wasmtime_host_error_t *error = wasmtime_host_instance_new(linker, store->host, module, &instance->host);
    if (end_call(state, store, &call, error) == 0) return (PyObject *)instance;
  }
  Py_DECREF(instance);
  return NULL;
}

const wasmtime_host_instance_t *instance_in(const state_t *state, PyObject *object, store_t **store) {
  if (Py_TYPE(object) != state->instance) return NULL;
  *store = ((instance_t *)object)->store;
  return ((instance_t *)object)->host;
}

/* ---- Functions ---- */

PyDoc_STRVAR(call_doc,
             "call($self, name, /, *args)\n--\n\n"
             "Calls an exported function: None, its result, or a tuple of its results. Raises Trap if WebAssembly\n"
             "traps, and whatever a function of Python's that it calls raises.");

static PyObject *instance_call(PyObject *self, PyObject *args) {
  instance_t *instance = (instance_t *)self;
  const state_t *state = state_of(instance->extension);
  PyObject *first = PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0) : NULL;
  PyObject *name = first != NULL && PyUnicode_Check(first) ? PyUnicode_AsUTF8String(first) : NULL;
  if (name == NULL) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "call() takes the name of a function first");
    return NULL;
  }
  wasmtime_host_type_t parameters[MAX_VALUES], result_types[MAX_VALUES];
  wasmtime_host_value_t arguments[MAX_VALUES], results[MAX_VALUES];
  size_t parameter_count = 0, result_count = 0, given = (size_t)PyTuple_Size(args) - 1;
  PyObject *answer = NULL;
  call_t call;
  /* With the GIL, but as a call: another thread may have the store. */
  if (begin_call(state, instance->store, &call) < 0) goto done;
  wasmtime_host_error_t *error =
      wasmtime_host_function_type(instance->host, PyBytes_AsString(name), parameters, MAX_VALUES, &parameter_count,
                                  result_types, MAX_VALUES, &result_count);
  if (end_call(state, instance->store, &call, error) < 0) goto done;
  if (parameter_count > MAX_VALUES || result_count > MAX_VALUES) {
    raise_kind(state, WASMTIME_HOST_ARGUMENT, "%U has more than %d parameters or results", first, MAX_VALUES);
    goto done;
  }
  if (given != parameter_count) {
    PyErr_Format(PyExc_TypeError, "%U() takes %zu arguments, not %zu", first, parameter_count, given);
    goto done;
  }
  for (size_t i = 0; i < given; i++)
    if (value_from_python(PyTuple_GetItem(args, (Py_ssize_t)i + 1), parameters[i], "argument", i, &arguments[i]) < 0)
      goto done;
  if (begin_call(state, instance->store, &call) < 0) goto done;
  error = wasmtime_host_call(instance->host, PyBytes_AsString(name), arguments, given, results, result_count);
  if (end_call(state, instance->store, &call, error) == 0) answer = values_to_python(results, result_count);
done:
  Py_DECREF(name);
  return answer;
}

/* ---- Globals and memories ---- */

/* The rest is quick, but another thread may have the store: as a call, too. */
#define AS_A_CALL(result, expression)                                                  \
  do {                                                                                 \
    call_t call;                                                                       \
    if (begin_call(state, instance->store, &call) < 0) return NULL;                    \
    wasmtime_host_error_t *error = (expression);                                       \
    if (end_call(state, instance->store, &call, error) < 0) return NULL;               \
    return result;                                                                     \
  } while (0)

static PyObject *instance_global(PyObject *self, PyObject *args) {
  instance_t *instance = (instance_t *)self;
  const state_t *state = state_of(instance->extension);
  const char *name;
  wasmtime_host_value_t value;
  if (!PyArg_ParseTuple(args, "s:global_value", &name)) return NULL;
  AS_A_CALL(value_to_python(&value), wasmtime_host_global_get(instance->host, name, &value));
}

static PyObject *instance_memory_size(PyObject *self, PyObject *args) {
  instance_t *instance = (instance_t *)self;
  const state_t *state = state_of(instance->extension);
  const char *name;
  uint64_t size;
  if (!PyArg_ParseTuple(args, "s:memory_size", &name)) return NULL;
  AS_A_CALL(PyLong_FromUnsignedLongLong(size), wasmtime_host_memory_size(instance->host, name, &size));
}

static PyObject *instance_grow(PyObject *self, PyObject *args) {
  instance_t *instance = (instance_t *)self;
  const state_t *state = state_of(instance->extension);
  const char *name;
  unsigned long long pages;
  uint64_t earlier;
  if (!PyArg_ParseTuple(args, "sK:grow", &name, &pages)) return NULL;
  AS_A_CALL(PyLong_FromUnsignedLongLong(earlier), wasmtime_host_memory_grow(instance->host, name, pages, &earlier));
}

static PyObject *instance_read(PyObject *self, PyObject *args) {
  instance_t *instance = (instance_t *)self;
  const state_t *state = state_of(instance->extension);
  const char *name;
  unsigned long long address;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "sKn:read", &name, &address, &length)) return NULL;
  if (length < 0) {
    PyErr_SetString(PyExc_ValueError, "length is negative");
    return NULL;
  }
  PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
  if (bytes == NULL) return NULL;
  call_t call;
  wasmtime_host_error_t *error = NULL;
  int good = begin_call(state, instance->store, &call) == 0;
  if (good) {
    error = wasmtime_host_memory_read(instance->host, name, address, PyBytes_AsString(bytes), (size_t)length);
    good = end_call(state, instance->store, &call, error) == 0;
  }
  if (!good) Py_CLEAR(bytes);
  return bytes;
}

static PyObject *instance_write(PyObject *self, PyObject *args) {
  instance_t *instance = (instance_t *)self;
  const state_t *state = state_of(instance->extension);
  const char *name, *bytes;
  unsigned long long address;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "sKy#:write", &name, &address, &bytes, &length)) return NULL;
  AS_A_CALL((Py_INCREF(Py_None), Py_None),
            wasmtime_host_memory_write(instance->host, name, address, bytes, (size_t)length));
}

static PyMethodDef instance_methods[] = {
    {"call", instance_call, METH_VARARGS, call_doc},
    {"global_value", instance_global, METH_VARARGS, "global_value($self, name, /)\n--\n\nThe value of a global."},
    {"memory_size", instance_memory_size, METH_VARARGS, "memory_size($self, name, /)\n--\n\nA memory's bytes."},
    {"grow", instance_grow, METH_VARARGS, "grow($self, name, pages, /)\n--\n\nGrows a memory; its pages before."},
    {"read", instance_read, METH_VARARGS, "read($self, name, address, length, /)\n--\n\nBytes of a memory."},
    {"write", instance_write, METH_VARARGS, "write($self, name, address, bytes, /)\n--\n\nWrites into a memory."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot instance_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)instance_doc},
    {Py_tp_dealloc, SLOT_FUNCTION(instance_dealloc)},
    {Py_tp_methods, instance_methods},
    {0, NULL},
};
static PyType_Spec instance_spec = {.name = "wasmtime_host.Instance",
                                    .basicsize = sizeof(instance_t),
                                    .flags = Py_TPFLAGS_DEFAULT,
                                    .slots = instance_slots};

int add_instance_type(PyObject *extension, state_t *state) {
  state->instance = add_type(extension, &instance_spec);
  return state->instance == NULL ? -1 : 0;
}
