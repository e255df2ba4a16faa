/*
 * wasmtime_host.Module: a compiled module, and instantiating it.
 */
#include "extension.h"

PyDoc_STRVAR(module_doc, "A compiled module, from load() or loads().");

static void module_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  module_t *module = (module_t *)self;
  wasmtime_host_module_free(module->loaded);
  Py_XDECREF(module->extension);
  PyObject_Free(self);
  Py_DECREF(type);
}

/* What provides a module name's imports, as a new tuple: an instance, a mapping of functions, or several of these. */
static PyObject *providers(PyObject *value) {
  return PyTuple_Check(value) || PyList_Check(value) ? PySequence_Tuple(value) : PyTuple_Pack(1, value);
}

/* Puts the instances among the providers of a name into the linker. They bring the store. */
static int define_instances_of(const state_t *state, wasmtime_host_linker_t *linker, PyObject *name, PyObject *all,
                               store_t **store) {
  PyObject *text = PyUnicode_AsUTF8String(name);
  if (text == NULL) return -1;
  int result = 0;
  for (Py_ssize_t i = 0; result == 0 && i < PyTuple_Size(all); i++) {
    store_t *its_store;
    const wasmtime_host_instance_t *instance = instance_in(state, PyTuple_GetItem(all, i), &its_store);
    if (instance == NULL) continue;
    *store = its_store;
    wasmtime_host_error_t *error = wasmtime_host_linker_define_instance(linker, PyBytes_AsString(text), instance);
    if (error != NULL) {
      raise_error(state, error);
      result = -1;
    }
  }
  Py_DECREF(text);
  return result;
}

static int define_instances(const state_t *state, wasmtime_host_linker_t *linker, PyObject *imports, store_t **store) {
  if (imports == Py_None) return 0;
  PyObject *items = PyMapping_Items(imports);
  if (items == NULL) return -1;
  int result = 0;
  for (Py_ssize_t i = 0; result == 0 && i < PyList_Size(items); i++) {
    PyObject *name, *value;
    PyObject *all = PyArg_ParseTuple(PyList_GetItem(items, i), "OO", &name, &value) ? providers(value) : NULL;
    result = all == NULL ? -1 : define_instances_of(state, linker, name, all, store);
    Py_XDECREF(all);
  }
  Py_DECREF(items);
  return result;
}

/* Drops a KeyError: what is not there, the linker will miss, in Wasmtime's words. -1 for any other exception. */
static int forgive_key_error(void) {
  if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_KeyError)) return -1;
  PyErr_Clear();
  return 0;
}

static int define_callable(const state_t *state, wasmtime_host_linker_t *linker, store_t *store,
                           const wasmtime_host_import_t *import, PyObject *callable) {
  if (!PyCallable_Check(callable)) {
    PyErr_Format(PyExc_TypeError, "the import %s.%s is %R, which cannot be called", import->module_name, import->name,
                 callable);
    return -1;
  }
  wasmtime_host_error_t *error = define_function(linker, store, import, callable);
  if (error == NULL) return 0;
  raise_error(state, error);
  return -1;
}

/* Puts the function that the mappings among the providers have for this import into the linker. */
static int define_import(const state_t *state, wasmtime_host_linker_t *linker, store_t *store,
                         const wasmtime_host_import_t *import, PyObject *all) {
  int result = 0;
  for (Py_ssize_t i = 0; result == 0 && i < PyTuple_Size(all); i++) {
    store_t *its_store;
    PyObject *provider = PyTuple_GetItem(all, i);
    if (instance_in(state, provider, &its_store) != NULL) continue;
    PyObject *callable = PyMapping_GetItemString(provider, import->name);
    result = callable == NULL ? forgive_key_error() : define_callable(state, linker, store, import, callable);
    Py_XDECREF(callable); /* the store keeps it */
  }
  return result;
}

/* Puts a function of Python's into the linker for each import that has one. */
static int define_functions(const state_t *state, wasmtime_host_linker_t *linker, const module_t *module,
                            PyObject *imports, store_t *store) {
  wasmtime_host_import_t import;
  int result = 0;
  if (imports == Py_None) return 0;
  for (size_t i = 0; result == 0 && wasmtime_host_module_import(module->loaded, i, &import); i++) {
    if (!import.is_function) continue;
    PyObject *value = PyMapping_GetItemString(imports, import.module_name);
    PyObject *all = value == NULL ? NULL : providers(value);
    result = all == NULL ? forgive_key_error() : define_import(state, linker, store, &import, all);
    Py_XDECREF(all);
    Py_XDECREF(value);
  }
  return result;
}

PyDoc_STRVAR(instantiate_doc,
             "instantiate($self, imports=None, /)\n--\n\n"
             "Makes an Instance and runs the module's start function. `imports` has, for each module name, a dict of\n"
             "functions, an Instance, with which the new one then shares its store and its thread, or a list of such.");

static PyObject *module_instantiate(PyObject *self, PyObject *args) {
  module_t *module = (module_t *)self;
  const state_t *state = state_of(module->extension);
  PyObject *imports = Py_None, *instance = NULL;
  if (!PyArg_ParseTuple(args, "|O:instantiate", &imports)) return NULL;
  if (imports != Py_None && !PyMapping_Check(imports)) {
    PyErr_SetString(PyExc_TypeError, "imports must be a mapping");
    return NULL;
  }
  wasmtime_host_linker_t *linker = NULL;
  wasmtime_host_error_t *error = wasmtime_host_linker_new(state->engine, &linker);
  if (error != NULL) return raise_error(state, error);
  store_t *store = NULL;
  int good = define_instances(state, linker, imports, &store) == 0;
  if (good && store != NULL)
    store->references++;
  else if (good)
    store = new_store(state);
  if (good && store != NULL && define_functions(state, linker, module, imports, store) == 0)
    instance = new_instance(module->extension, linker, store, module->loaded);
  release_store(good ? store : NULL);
  wasmtime_host_linker_free(linker);
  return instance;
}

static PyMethodDef module_methods[] = {
    {"instantiate", module_instantiate, METH_VARARGS, instantiate_doc},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot module_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)module_doc},
    {Py_tp_dealloc, SLOT_FUNCTION(module_dealloc)},
    {Py_tp_methods, module_methods},
    {0, NULL},
};
static PyType_Spec module_spec = {.name = "wasmtime_host.Module",
                                  .basicsize = sizeof(module_t),
                                  .flags = Py_TPFLAGS_DEFAULT,
                                  .slots = module_slots};

int add_module_type(PyObject *extension, state_t *state) {
  state->module = add_type(extension, &module_spec);
  return state->module == NULL ? -1 : 0;
}
