/*
 * wasmtrap.Module and wasmtrap.Signature: a shared object with a compiled WebAssembly module in it.
 */
#include <string.h>

#include "extension.h"

enum { WHY_SIZE = 1024 };

PyDoc_STRVAR(module_doc,
             "A compiled WebAssembly module, from load(). It stays loaded as long as it or an instance of it is\n"
             "there.");

PyDoc_STRVAR(signature_doc, "The type of a function. The names are 'i32', 'i64', 'f32', 'f64', and others that Python\n"
                            "cannot pass.");

static PyStructSequence_Field signature_fields[] = {
    {"params", "a tuple of the names of the parameters' types"},
    {"results", "a tuple of the names of the results' types"},
    {NULL, NULL},
};

static PyStructSequence_Desc signature_desc = {
    .name = "wasmtrap.Signature", .doc = signature_doc, .fields = signature_fields, .n_in_sequence = 2};

/* ---- Life ---- */

static int module_traverse(PyObject *self, visitproc visit, void *arg) {
  module_t *module = (module_t *)self;
  VISIT_TYPE(self);
  Py_VISIT(module->extension);
  Py_VISIT(module->path);
  Py_VISIT(module->functions);
  return 0;
}

static void module_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  module_t *module = (module_t *)self;
  PyObject_GC_UnTrack(self);
  if (module->loaded != NULL) loaded_module_release(module->loaded);
  Py_XDECREF(module->functions);
  Py_XDECREF(module->path);
  Py_XDECREF(module->extension);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

static PyObject *index_functions(const module_interface_t *interface) {
  PyObject *functions = PyDict_New();
  for (size_t i = 0; functions != NULL && i < interface->function_count; i++) {
    PyObject *name = PyUnicode_FromString(interface->functions[i].name);
    if (set_item(functions, name, PyLong_FromSize_t(i)) < 0) Py_CLEAR(functions);
    Py_XDECREF(name);
  }
  return functions;
}

#if defined(_WIN32)
#define SEPARATORS "/\\:"
#else
#define SEPARATORS "/"
#endif

/* The path as dlopen takes it: without a slash it would look for a library of that name elsewhere. */
static PyObject *path_for_linker(PyObject *path) {
  PyObject *bytes = NULL;
  if (!PyUnicode_FSConverter(path, &bytes)) return NULL;
  if (strpbrk(PyBytes_AsString(bytes), SEPARATORS) != NULL) return bytes;
  PyObject *here = PyBytes_FromString("./");
  if (here != NULL) PyBytes_Concat(&here, bytes);
  Py_DECREF(bytes);
  return here;
}

PyObject *load_module(PyObject *extension, PyObject *path) {
  const state_t *state = state_of(extension);
  PyObject *bytes = path_for_linker(path);
  if (bytes == NULL) return NULL;
  module_t *module = PyObject_GC_New(module_t, state->module);
  if (module == NULL) {
    Py_DECREF(bytes);
    return NULL;
  }
  module->loaded = NULL;
  module->functions = NULL;
  Py_INCREF(extension);
  module->extension = extension;
  Py_INCREF(path);
  module->path = path;

  wasmtrap_status_t status = loaded_module_set_up();
  char why[WHY_SIZE] = "";
  if (status == WASMTRAP_OK) {
    module->loaded = loaded_module_open(PyBytes_AsString(bytes), &status, why, sizeof why);
  }
  Py_DECREF(bytes);
  if (module->loaded != NULL) module->functions = index_functions(module->loaded->interface);
  if (module->functions == NULL) {
    if (status != WASMTRAP_OK) set_library_error(state, status);
    if (!PyErr_Occurred()) set_error(state, why);
    Py_DECREF(module);
    return NULL;
  }
  PyObject_GC_Track((PyObject *)module);
  return (PyObject *)module;
}

/* ---- What it tells ---- */

static const module_interface_t *interface_of(PyObject *self) { return ((module_t *)self)->loaded->interface; }

static PyObject *module_name(PyObject *self, void *closure) {
  (void)closure;
  return PyUnicode_FromString(interface_of(self)->code->name);
}

static PyObject *module_path(PyObject *self, void *closure) {
  (void)closure;
  PyObject *path = ((module_t *)self)->path;
  Py_INCREF(path);
  return path;
}

static PyObject *module_exports(PyObject *self, void *closure) {
  (void)closure;
  const state_t *state = state_of(((module_t *)self)->extension);
  const module_interface_t *interface = interface_of(self);
  PyObject *exports = PyDict_New();
  for (size_t i = 0; exports != NULL && i < interface->function_count; i++) {
    const module_function_t *function = &interface->functions[i];
    PyObject *name = PyUnicode_FromString(function->name);
    if (set_item(exports, name, new_signature(state, function->params, function->results)) < 0) Py_CLEAR(exports);
    Py_XDECREF(name);
  }
  return exports;
}

static PyObject *module_imports(PyObject *self, void *closure) {
  (void)closure;
  const state_t *state = state_of(((module_t *)self)->extension);
  const module_interface_t *interface = interface_of(self);
  PyObject *imports = PyDict_New();
  for (size_t i = 0; imports != NULL && i < interface->import_count; i++) {
    const module_import_t *import = &interface->imports[i];
    PyObject *key = Py_BuildValue("(ss)", import->module, import->name);
    if (set_item(imports, key, new_signature(state, import->params, import->results)) < 0) Py_CLEAR(imports);
    Py_XDECREF(key);
  }
  return imports;
}

static PyObject *module_memories(PyObject *self, void *closure) {
  (void)closure;
  const module_interface_t *interface = interface_of(self);
  PyObject *memories = PyTuple_New((Py_ssize_t)interface->memory_count);
  for (size_t i = 0; memories != NULL && i < interface->memory_count; i++) {
    PyObject *name = PyUnicode_FromString(interface->memories[i].name);
    if (name == NULL || PyTuple_SetItem(memories, (Py_ssize_t)i, name) < 0) Py_CLEAR(memories);
  }
  return memories;
}

static PyObject *module_repr(PyObject *self) {
  return PyUnicode_FromFormat("<wasmtrap.Module '%s' from %R>", interface_of(self)->code->name,
                              ((module_t *)self)->path);
}

PyDoc_STRVAR(instantiate_doc,
             "instantiate($self, imports=None, /)\n--\n\n"
             "Makes an Instance. `imports` has a function for each import: {'module': {'name': function}}, as in\n"
             "JavaScript; what the module does not import is not looked at. Runs the module's start function.\n"
             "\n"
             "Raises ValueError if an import is missing, TypeError if it cannot be called, Trap if the start function\n"
             "traps or the module's data does not fit its memory, and whatever an import raises.");

static PyObject *module_instantiate(PyObject *self, PyObject *args) {
  PyObject *imports = Py_None;
  return PyArg_ParseTuple(args, "|O:instantiate", &imports) ? new_instance((module_t *)self, imports) : NULL;
}

/* ---- The types ---- */

static PyMethodDef module_methods[] = {
    {"instantiate", module_instantiate, METH_VARARGS, instantiate_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef module_attributes[] = {
    {"name", module_name, NULL, "the module's name", NULL},
    {"path", module_path, NULL, "the shared object, as it was given to load()", NULL},
    {"exports", module_exports, NULL, "the exported functions: a dict of names to their Signature", NULL},
    {"imports", module_imports, NULL, "the imported functions: a dict of (module, name) to their Signature", NULL},
    {"memories", module_memories, NULL, "the names of the exported memories, in a tuple", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot module_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)module_doc},
    {Py_tp_new, SLOT_FUNCTION(no_constructor)},
    {Py_tp_dealloc, SLOT_FUNCTION(module_dealloc)},
    {Py_tp_traverse, SLOT_FUNCTION(module_traverse)},
    {Py_tp_repr, SLOT_FUNCTION(module_repr)},
    {Py_tp_methods, module_methods},
    {Py_tp_getset, module_attributes},
    {0, NULL},
};

static PyType_Spec module_spec = {.name = "wasmtrap.Module",
                                  .basicsize = sizeof(module_t),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                  .slots = module_slots};

int add_module_types(PyObject *extension, state_t *state) {
  state->module = add_type(extension, &module_spec);
  if (state->module == NULL) return -1;
  state->signature = PyStructSequence_NewType(&signature_desc);
  return state->signature == NULL ? -1 : PyObject_SetAttrString(extension, "Signature", (PyObject *)state->signature);
}
