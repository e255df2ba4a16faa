/*
 * wasmtrap.Instance: runs WebAssembly, and lets it call Python.
 *
 * The GIL is given up before the protected call and taken back after it. In between it is held only while a Python
 * function runs for an import, and given up again before the module goes on or is made to trap: a trap therefore never
 * drops a frame that holds the GIL, or one of Python's.
 *
 * A Python function may switch to another greenlet, which may call WebAssembly too, and go on in any order. What
 * belongs to the WebAssembly of a greenlet is therefore taken off the thread before Python runs, and put back after it:
 * the protected calls, and the handler of WebAssembly's exceptions. It lives on the greenlet's stack in between.
 */
#include <stdio.h>
#include <stdlib.h>

#include "extension.h"

enum { FEW_VALUES = 16 };

PyDoc_STRVAR(instance_doc,
             "An instance of a WebAssembly module, from Module.instantiate().\n"
             "\n"
             "It runs on one thread at a time; on that one, imports may call it again. It runs without the GIL.\n"
             "Ctrl-C takes effect when the module calls an import or returns.\n"
             "\n"
             "Python needs stack too: where WebAssembly has used up much of it, a call of an import is a Trap (call\n"
             "stack exhausted), or has a lower recursion limit, so that RecursionError comes before the stack's end.");

/* ---- Use by one thread at a time ---- */

int instance_may_use(const instance_t *instance) {
  if (instance->calls == 0 || instance->thread == PyThread_get_thread_ident()) return 0;
  set_error(state_of(instance->module->extension), "the instance is running on another thread");
  return -1;
}

/* ---- Into WebAssembly ---- */

/* Sets the exception for what the call has trapped with. */
static void set_outcome(const instance_t *instance, instance_call_t *call, const wasmtrap_trap_t *trap) {
  const state_t *state = state_of(instance->module->extension);
  if (call->type == NULL) {
    set_trap(state, trap, instance->module->loaded->interface->code->name);
    return;
  }
  /* A failure to add to it must not replace it. */
  if (call->value != NULL && complete_trap(state, call->value, trap) < 0) PyErr_Clear();
  PyErr_Restore(call->type, call->value, call->traceback);
}

int instance_run(instance_t *instance, wasmtrap_function_t function, void *argument) {
  if (instance_may_use(instance) < 0) return -1;
  instance_call_t call = {.stack.entry = (size_t)__builtin_frame_address(0)};
  size_t frames[WASMTRAP_MAX_FRAMES];
  wasmtrap_trap_t trap = {.struct_size = sizeof trap, .frames = frames, .frames_capacity = WASMTRAP_MAX_FRAMES};

  instance->thread = PyThread_get_thread_ident();
  instance->calls++;
  /* Nothing may let go of the instance while it runs. */
  Py_INCREF(instance);
  call.thread = PyEval_SaveThread();
  instance->running = &call;
  const wasmtrap_status_t status = wasm_rt_wasmtrap_call(function, argument, &trap);
  instance->running = NULL;
  PyEval_RestoreThread(call.thread);
  instance->calls--;

  if (status == WASMTRAP_TRAPPED) {
    set_outcome(instance, &call, &trap);
  } else if (status != WASMTRAP_OK) {
    set_library_error(state_of(instance->module->extension), status);
  }
  Py_DECREF(instance);
  return status == WASMTRAP_OK ? 0 : -1;
}

typedef struct export_call_t {
  const module_function_t *function;
  void *memory;
  wasm_value_t *params;
  wasm_value_t *results;
} export_call_t;

static void run_export(void *argument) {
  const export_call_t *call = argument;
  call->function->invoke(call->memory, call->params, call->results);
}

/* The exported function of that name, or NULL with an exception set. */
static const module_function_t *find_function(const instance_t *instance, PyObject *name) {
  const module_interface_t *interface = instance->module->loaded->interface;
  if (!PyUnicode_Check(name)) {
    PyErr_Format(PyExc_TypeError, "the name of a function is a str, not %R", name);
    return NULL;
  }
  PyObject *index = PyDict_GetItemWithError(instance->module->functions, name);
  if (index == NULL) {
    if (!PyErr_Occurred()) {
      PyErr_Format(PyExc_ValueError, "module '%s' exports no function %R", interface->code->name, name);
    }
    return NULL;
  }
  const module_function_t *function = &interface->functions[PyLong_AsSize_t(index)];
  if (function->invoke == NULL) {
    PyErr_Format(PyExc_TypeError, "%R takes or returns something that is not a number: Python cannot call it", name);
    return NULL;
  }
  return function;
}

static PyObject *call_export(instance_t *instance, const module_function_t *function, PyObject *args,
                             wasm_value_t *values) {
  const size_t count = strlen(function->params);
  if ((size_t)PyTuple_Size(args) - 1 != count) {
    PyErr_Format(PyExc_TypeError, "'%s' takes %zu arguments, and was given %zd", function->name, count,
                 PyTuple_Size(args) - 1);
    return NULL;
  }
  for (size_t i = 0; i < count; i++) {
    PyObject *arg = PyTuple_GetItem(args, (Py_ssize_t)i + 1);
    if (value_from_python(arg, function->params[i], "argument", i, &values[i]) < 0) return NULL;
  }
  export_call_t call = {function, instance->memory, values, values + count};
  return instance_run(instance, run_export, &call) < 0 ? NULL : results_to_python(function->results, call.results);
}

PyDoc_STRVAR(call_doc,
             "call($self, name, /, *args)\n--\n\n"
             "Calls an exported function. Returns None, a number, or a tuple of numbers.\n"
             "\n"
             "Integers come out signed, and may go in signed or unsigned. Raises ValueError if there is no such\n"
             "function, TypeError and OverflowError if the arguments do not fit, Trap if it traps, and whatever\n"
             "an import raises.");

static PyObject *instance_call(PyObject *self, PyObject *args) {
  if (PyTuple_Size(args) == 0) {
    PyErr_SetString(PyExc_TypeError, "call() wants the name of a function");
    return NULL;
  }
  instance_t *instance = (instance_t *)self;
  const module_function_t *function = find_function(instance, PyTuple_GetItem(args, 0));
  if (function == NULL) return NULL;
  wasm_value_t few[FEW_VALUES] = {{0}};
  const size_t count = strlen(function->params) + strlen(function->results);
  wasm_value_t *values = count <= FEW_VALUES ? few : calloc(count, sizeof *values);
  if (values == NULL) return PyErr_NoMemory();
  PyObject *result = call_export(instance, function, args, values);
  if (values != few) free(values);
  return result;
}

/* ---- Out of WebAssembly ---- */

static PyObject *params_to_python(const char *types, const wasm_value_t *values) {
  PyObject *args = PyTuple_New((Py_ssize_t)strlen(types));
  for (size_t i = 0; args != NULL && types[i] != '\0'; i++) {
    PyObject *value = value_to_python(types[i], &values[i]);
    if (value == NULL || PyTuple_SetItem(args, (Py_ssize_t)i, value) < 0) Py_CLEAR(args);
  }
  return args;
}

static int call_python(const instance_t *instance, size_t index, const wasm_value_t *params, wasm_value_t *results) {
  /* Functions that are written in C would not look for Ctrl-C by themselves. */
  if (PyErr_CheckSignals() < 0) return -1;
  if (instance->imports == NULL) {
    PyErr_SetString(PyExc_RuntimeError, "the instance's imports have been garbage-collected");
    return -1;
  }
  const module_import_t *import = &instance->module->loaded->interface->imports[index];
  PyObject *args = params_to_python(import->params, params);
  PyObject *result =
      args == NULL ? NULL : PyObject_CallObject(PyTuple_GetItem(instance->imports, (Py_ssize_t)index), args);
  Py_XDECREF(args);
  if (result == NULL) return -1;
  const int status = results_from_python(result, import->results, import->name, results);
  Py_DECREF(result);
  return status;
}

/* Takes the exception that is set, in the form in which an except clause would see it. */
static void take_exception(instance_call_t *call) {
  PyErr_Fetch(&call->type, &call->value, &call->traceback);
  PyErr_NormalizeException(&call->type, &call->value, &call->traceback);
  if (call->value != NULL && call->traceback != NULL) PyException_SetTraceback(call->value, call->traceback);
}

/* What the WebAssembly of this stack has on its thread. */
typedef struct left_t {
  instance_call_t *call;
  wasmtrap_chain_t *chain;
  WASM_RT_UNWIND_TARGET *handler;
} left_t;

/* There is no way on: WebAssembly would run unprotected, and trap into the calls of another stack. */
static void die(const char *what) {
  char sentence[256];
  snprintf(sentence, sizeof sentence, "wasmtrap: the protected calls of a stack cannot be %s: %s", what,
           wasmtrap_last_error());
  Py_FatalError(sentence);
}

static left_t leave_webassembly(instance_t *instance) {
  left_t left = {.call = instance->running, .handler = wasm_rt_get_unwind_target()};
  if (wasmtrap_chain_detach(&left.chain) != WASMTRAP_OK) die("taken off their thread");
  wasm_rt_set_unwind_target(NULL);
  instance->running = NULL;
  return left;
}

static void go_on_with_webassembly(instance_t *instance, const left_t *left) {
  instance->running = left->call;
  wasm_rt_set_unwind_target(left->handler);
  if (wasmtrap_chain_attach(left->chain, NULL) != WASMTRAP_OK) die("put back on their thread");
}

static wasmtrap_code_t call_import(wasm_host_t *host, size_t import, const wasm_value_t *params,
                                   wasm_value_t *results) {
  instance_t *instance = (instance_t *)(void *)((char *)host - offsetof(instance_t, host));
  stack_share_t outer;
  if (!stack_enter_python(&instance->running->stack, &outer)) return WASMTRAP_CODE_STACK_OVERFLOW;
  const left_t left = leave_webassembly(instance);
  instance_call_t *call = left.call;
  PyEval_RestoreThread(call->thread);
  const int status = stack_take_levels(&call->stack, &outer) < 0 ? -1 : call_python(instance, import, params, results);
  /* Before anything looks at the exception: that may be Python, too. */
  stack_leave_python(&outer);
  if (status < 0) take_exception(call);
  call->thread = PyEval_SaveThread();
  go_on_with_webassembly(instance, &left);
  /* Which code makes no difference: the exception says it all. */
  return status < 0 ? WASMTRAP_CODE_USER : WASMTRAP_CODE_NONE;
}

/* ---- Life ---- */

/* The callable for one import out of {'module': {'name': function}}: a new reference, or NULL with an exception set. */
static PyObject *find_import(PyObject *imports, const module_import_t *import) {
  PyObject *names = imports == Py_None ? NULL : PyMapping_GetItemString(imports, import->module);
  PyObject *function = names == NULL ? NULL : PyMapping_GetItemString(names, import->name);
  Py_XDECREF(names);
  if (function == NULL) {
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_KeyError)) return NULL;
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "the import '%s' of '%s' is missing", import->name, import->module);
  } else if (!PyCallable_Check(function)) {
    PyErr_Format(PyExc_TypeError, "the import '%s' of '%s' is %R, which cannot be called", import->name,
                 import->module, function);
    Py_CLEAR(function);
  }
  return function;
}

static PyObject *find_imports(const module_interface_t *interface, PyObject *imports) {
  if (imports != Py_None && !PyMapping_Check(imports)) {
    PyErr_Format(PyExc_TypeError, "imports are a mapping, {'module': {'name': function}}, not %R", imports);
    return NULL;
  }
  PyObject *found = PyTuple_New((Py_ssize_t)interface->import_count);
  for (size_t i = 0; found != NULL && i < interface->import_count; i++) {
    PyObject *function = find_import(imports, &interface->imports[i]);
    if (function == NULL || PyTuple_SetItem(found, (Py_ssize_t)i, function) < 0) Py_CLEAR(found);
  }
  return found;
}

static void run_instantiate(void *argument) {
  instance_t *instance = argument;
  instance->module->loaded->interface->instantiate(instance->memory, &instance->host);
}

PyObject *new_instance(module_t *module, PyObject *imports) {
  const module_interface_t *interface = module->loaded->interface;
  PyObject *found = find_imports(interface, imports);
  if (found == NULL) return NULL;
  instance_t *instance = PyObject_GC_New(instance_t, state_of(module->extension)->instance);
  if (instance == NULL) {
    Py_DECREF(found);
    return NULL;
  }
  Py_INCREF(module->extension);
  instance->extension = module->extension;
  Py_INCREF(module);
  instance->module = module;
  instance->imports = found;
  instance->host.call = call_import;
  instance->calls = 0;
  instance->thread = 0;
  instance->running = NULL;
  instance->memory = calloc(1, interface->instance_size);
  PyObject_GC_Track((PyObject *)instance);
  if (instance->memory == NULL) {
    PyErr_NoMemory();
    Py_CLEAR(instance);
  } else if (instance_run(instance, run_instantiate, instance) < 0) {
    Py_CLEAR(instance);
  }
  return (PyObject *)instance;
}

static int instance_traverse(PyObject *self, visitproc visit, void *arg) {
  instance_t *instance = (instance_t *)self;
  VISIT_TYPE(self);
  Py_VISIT(instance->extension);
  Py_VISIT(instance->module);
  Py_VISIT(instance->imports);
  return 0;
}

/* Imports are what can hold on to the instance. The module is needed to the end. */
static int instance_clear(PyObject *self) {
  Py_CLEAR(((instance_t *)self)->imports);
  return 0;
}

static void instance_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  instance_t *instance = (instance_t *)self;
  PyObject_GC_UnTrack(self);
  if (instance->memory != NULL) instance->module->loaded->interface->release(instance->memory);
  free(instance->memory);
  Py_XDECREF(instance->imports);
  Py_DECREF(instance->module);
  Py_DECREF(instance->extension);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

/* ---- The rest ---- */

PyDoc_STRVAR(memory_doc,
             "memory($self, name=None, /)\n--\n\n"
             "The exported Memory of that name; the first one if none is given. Raises ValueError if there is none.");

static PyObject *instance_memory(PyObject *self, PyObject *args) {
  const char *name = NULL;
  if (!PyArg_ParseTuple(args, "|z:memory", &name)) return NULL;
  instance_t *instance = (instance_t *)self;
  const module_interface_t *interface = instance->module->loaded->interface;
  for (size_t i = 0; i < interface->memory_count; i++) {
    if (name == NULL || strcmp(name, interface->memories[i].name) == 0) {
      return new_memory(instance, &interface->memories[i]);
    }
  }
  if (name == NULL) {
    PyErr_Format(PyExc_ValueError, "module '%s' exports no memory", interface->code->name);
  } else {
    PyErr_Format(PyExc_ValueError, "module '%s' exports no memory '%s'", interface->code->name, name);
  }
  return NULL;
}

static PyObject *instance_module(PyObject *self, void *closure) {
  (void)closure;
  PyObject *module = (PyObject *)((instance_t *)self)->module;
  Py_INCREF(module);
  return module;
}

static PyObject *instance_repr(PyObject *self) {
  const instance_t *instance = (instance_t *)self;
  return PyUnicode_FromFormat("<wasmtrap.Instance of '%s' at %p>", instance->module->loaded->interface->code->name,
                              instance->memory);
}

static PyMethodDef instance_methods[] = {
    {"call", instance_call, METH_VARARGS, call_doc},
    {"memory", instance_memory, METH_VARARGS, memory_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef instance_attributes[] = {
    {"module", instance_module, NULL, "the Module that it is an instance of", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot instance_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)instance_doc},
    {Py_tp_new, SLOT_FUNCTION(no_constructor)},
    {Py_tp_dealloc, SLOT_FUNCTION(instance_dealloc)},
    {Py_tp_traverse, SLOT_FUNCTION(instance_traverse)},
    {Py_tp_clear, SLOT_FUNCTION(instance_clear)},
    {Py_tp_repr, SLOT_FUNCTION(instance_repr)},
    {Py_tp_methods, instance_methods},
    {Py_tp_getset, instance_attributes},
    {0, NULL},
};

static PyType_Spec instance_spec = {.name = "wasmtrap.Instance",
                                    .basicsize = sizeof(instance_t),
                                    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                    .slots = instance_slots};

int add_instance_type(PyObject *extension, state_t *state) {
  state->instance = add_type(extension, &instance_spec);
  return state->instance == NULL ? -1 : 0;
}
