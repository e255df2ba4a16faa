/*
 * The extension module wasmtime_host: its functions, and what its objects share.
 */
#include <string.h>

#include "extension.h"

PyDoc_STRVAR(doc, "Wasmtime with its traps on libwasmtrap.\n"
                  "\n"
                  "    import wasmtime_host\n"
                  "    instance = wasmtime_host.load('adder.module').instantiate()\n"
                  "    instance.call('add', 1, 2)\n"
                  "\n"
                  "Modules are files that wasm-compile has made. A trap is an exception, Trap.");

state_t *state_of(PyObject *extension) { return PyModule_GetState(extension); }

PyTypeObject *add_type(PyObject *extension, PyType_Spec *spec) {
  PyObject *type = PyType_FromSpec(spec);
  const char *name = strrchr(spec->name, '.');
  if (type != NULL && PyObject_SetAttrString(extension, name + 1, type) < 0) Py_CLEAR(type);
  /* Objects come from functions of this module only. */
  return (PyTypeObject *)type;
}

/* ---- Set-up ---- */

PyDoc_STRVAR(init_doc,
             "init($module, /, backend='auto', macos_use_mach_ports=None)\n--\n\n"
             "Sets libwasmtrap up: not needed, but the way to choose, before the first module is loaded. `backend` is\n"
             "'auto', 'mach' or 'signals'; the other is Wasmtime's Config.macos_use_mach_ports.");

static PyObject *init(PyObject *extension, PyObject *args, PyObject *kwargs) {
  static char *keywords[] = {"backend", "macos_use_mach_ports", NULL};
  static const struct {
    const char *name;
    wasmtrap_backend_t backend;
  } BACKENDS[] = {{"auto", WASMTRAP_BACKEND_AUTO},
                  {"mach", WASMTRAP_BACKEND_MACH_PORTS},
                  {"signals", WASMTRAP_BACKEND_SIGNALS}};
  const char *backend = "auto";
  PyObject *mach_ports = Py_None;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|sO:init", keywords, &backend, &mach_ports)) return NULL;
  wasmtrap_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  size_t i = 0, count = sizeof BACKENDS / sizeof *BACKENDS;
  while (i < count && strcmp(backend, BACKENDS[i].name) != 0) i++;
  if (i == count) return PyErr_Format(PyExc_ValueError, "backend is '%s', not auto, mach or signals", backend);
  options.backend = BACKENDS[i].backend;
  if (mach_ports != Py_None) {
    int wanted = PyObject_IsTrue(mach_ports);
    if (wanted < 0) return NULL;
    options.macos_use_mach_ports = wanted ? WASMTRAP_MACH_PORTS_YES : WASMTRAP_MACH_PORTS_NO;
  }
  wasmtrap_status_t status = wasmtrap_init(&options);
  if (status != WASMTRAP_OK)
    return raise_kind(state_of(extension), WASMTIME_HOST_ENGINE, "%s: %s", wasmtrap_status_name(status),
                      wasmtrap_last_error());
  Py_RETURN_NONE;
}

PyDoc_STRVAR(describe_doc, "describe($module, /)\n--\n\nWhat libwasmtrap has to say of its set-up, a fact a line.");

static PyObject *describe(PyObject *extension, PyObject *unused) {
  (void)extension, (void)unused;
  size_t length = 0;
  wasmtrap_describe(NULL, 0, &length);
  char *text = PyMem_Malloc(length + 1);
  if (text == NULL) return PyErr_NoMemory();
  wasmtrap_describe(text, length + 1, NULL);
  PyObject *result = PyUnicode_FromString(text);
  PyMem_Free(text);
  return result;
}

PyDoc_STRVAR(check_doc, "check($module, /)\n--\n\n"
                        "Whether another signal handler has been installed over libwasmtrap's, or the calling\n"
                        "thread's alternate signal stack or signal mask is not what traps need any more.");

static PyObject *check(PyObject *extension, PyObject *unused) {
  (void)unused;
  uint32_t displaced = 0;
  if (wasmtrap_check(&displaced) != WASMTRAP_OK)
    return raise_kind(state_of(extension), WASMTIME_HOST_ENGINE, "%s", wasmtrap_last_error());
  return PyBool_FromLong(displaced != 0);
}

PyDoc_STRVAR(rearm_doc, "rearm($module, /)\n--\n\n"
                        "Puts libwasmtrap's signal handlers back on top, and gives the calling thread its alternate\n"
                        "signal stack and signal mask back.");

static PyObject *rearm(PyObject *extension, PyObject *unused) {
  (void)unused;
  /* faulthandler.enable() brings a small alternate stack of its own. */
  if (wasmtrap_rearm() != WASMTRAP_OK || wasmtrap_thread_attach() != WASMTRAP_OK)
    return raise_kind(state_of(extension), WASMTIME_HOST_ENGINE, "%s", wasmtrap_last_error());
  Py_RETURN_NONE;
}

/* ---- Modules ---- */

/* The engine, made at its first use; -1 with an exception set. */
static int need_engine(state_t *state) {
  if (state->engine != NULL) return 0;
  wasmtime_host_error_t *error = wasmtime_host_engine_new(NULL, &state->engine);
  if (error == NULL) return 0;
  raise_error(state, error);
  return -1;
}

static PyObject *new_module(PyObject *extension, wasmtime_host_module_t *loaded) {
  module_t *module = PyObject_New(module_t, state_of(extension)->module);
  if (module == NULL) {
    wasmtime_host_module_free(loaded);
    return NULL;
  }
  Py_INCREF(extension);
  module->extension = extension;
  module->loaded = loaded;
  return (PyObject *)module;
}

PyDoc_STRVAR(load_doc, "load($module, path, /)\n--\n\nLoads a compiled module from a file: a Module.");

static PyObject *load(PyObject *extension, PyObject *args) {
  state_t *state = state_of(extension);
  PyObject *path = NULL;
  if (!PyArg_ParseTuple(args, "O&:load", PyUnicode_FSConverter, &path)) return NULL;
  PyObject *result = NULL;
  if (need_engine(state) == 0) {
    wasmtime_host_module_t *loaded = NULL;
    wasmtime_host_error_t *error;
    const char *file = PyBytes_AsString(path);
    Py_BEGIN_ALLOW_THREADS
    error = wasmtime_host_module_load_file(state->engine, file, &loaded);
    Py_END_ALLOW_THREADS
    result = error != NULL ? raise_error(state, error) : new_module(extension, loaded);
  }
  Py_DECREF(path);
  return result;
}

PyDoc_STRVAR(loads_doc, "loads($module, data, /)\n--\n\nLoads a compiled module from bytes: a Module.");

static PyObject *loads(PyObject *extension, PyObject *args) {
  state_t *state = state_of(extension);
  const char *bytes;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "y#:loads", &bytes, &length) || need_engine(state) < 0) return NULL;
  wasmtime_host_module_t *loaded = NULL;
  wasmtime_host_error_t *error;
  Py_BEGIN_ALLOW_THREADS
  error = wasmtime_host_module_load(state->engine, bytes, (size_t)length, &loaded);
  Py_END_ALLOW_THREADS
  return error != NULL ? raise_error(state, error) : new_module(extension, loaded);
}

/* ---- The module ---- */

static PyMethodDef functions[] = {
    {"init", (PyCFunction)(void (*)(void))init, METH_VARARGS | METH_KEYWORDS, init_doc},
    {"describe", describe, METH_NOARGS, describe_doc},
    {"check", check, METH_NOARGS, check_doc},
    {"rearm", rearm, METH_NOARGS, rearm_doc},
    {"load", load, METH_VARARGS, load_doc},
    {"loads", loads, METH_VARARGS, loads_doc},
    {NULL, NULL, 0, NULL},
};

static int fill(PyObject *extension) {
  state_t *state = state_of(extension);
  return add_error_types(extension, state) < 0 || add_module_type(extension, state) < 0 ||
                 add_instance_type(extension, state) < 0
             ? -1
             : 0;
}

/* Objects have references to the module, so that none is left when it goes. */
static void release(void *extension) {
  state_t *state = state_of(extension);
  if (state == NULL) return;
  wasmtime_host_engine_free(state->engine);
  Py_XDECREF(state->error);
  for (size_t i = 0; i < ERROR_KINDS; i++) Py_XDECREF(state->errors[i]);
  Py_XDECREF((PyObject *)state->frame);
  Py_XDECREF((PyObject *)state->module);
  Py_XDECREF((PyObject *)state->instance);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, SLOT_FUNCTION(fill)},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "wasmtime_host",
    .m_doc = doc,
    .m_size = sizeof(state_t),
    .m_methods = functions,
    .m_slots = slots,
    .m_free = release,
};

PyMODINIT_FUNC PyInit_wasmtime_host(void);
PyMODINIT_FUNC PyInit_wasmtime_host(void) { return PyModuleDef_Init(&definition); }
