/*
 * wasmtrap.Memory: a linear memory, read and written by copies. (The buffer protocol joined the limited API in 3.11.)
 */
#include <string.h>

#include "extension.h"

PyDoc_STRVAR(memory_doc, "A linear memory, from Instance.memory(). It keeps its instance alive.");

typedef struct memory_t {
  PyObject_HEAD
  instance_t *instance;
  wasm_rt_memory_t *memory;
} memory_t;

PyObject *new_memory(instance_t *instance, const module_memory_t *about) {
  memory_t *memory = PyObject_GC_New(memory_t, state_of(instance->extension)->memory);
  if (memory == NULL) return NULL;
  Py_INCREF(instance);
  memory->instance = instance;
  memory->memory = about->of(instance->memory);
  PyObject_GC_Track((PyObject *)memory);
  return (PyObject *)memory;
}

static int memory_traverse(PyObject *self, visitproc visit, void *arg) {
  VISIT_TYPE(self);
  Py_VISIT((PyObject *)((memory_t *)self)->instance);
  return 0;
}

static void memory_dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  Py_DECREF(((memory_t *)self)->instance);
  PyObject_GC_Del(self);
  Py_DECREF(type);
}

/* 0 if the range is in the memory and may be touched now, -1 with an exception set. */
static int check_range(const memory_t *memory, Py_ssize_t address, Py_ssize_t length) {
  if (instance_may_use(memory->instance) < 0) return -1;
  const size_t size = memory->memory->size;
  if (address >= 0 && length >= 0 && (size_t)address <= size && (size_t)length <= size - (size_t)address) return 0;
  PyErr_Format(PyExc_ValueError, "%zd bytes at %zd are outside of the memory, which has %zu", length, address, size);
  return -1;
}

PyDoc_STRVAR(read_doc, "read($self, address, length, /)\n--\n\n"
                       "Copies bytes out of the memory. Raises ValueError if they are not all inside of it.");

static PyObject *memory_read(PyObject *self, PyObject *args) {
  const memory_t *memory = (memory_t *)self;
  Py_ssize_t address, length;
  if (!PyArg_ParseTuple(args, "nn:read", &address, &length)) return NULL;
  if (check_range(memory, address, length) < 0) return NULL;
  return PyBytes_FromStringAndSize((const char *)memory->memory->data + address, length);
}

PyDoc_STRVAR(write_doc, "write($self, address, data, /)\n--\n\n"
                        "Copies bytes into the memory. Raises ValueError if they do not all fit inside of it.");

static PyObject *memory_write(PyObject *self, PyObject *args) {
  const memory_t *memory = (memory_t *)self;
  Py_ssize_t address;
  PyObject *data;
  if (!PyArg_ParseTuple(args, "nO:write", &address, &data)) return NULL;
  PyObject *bytes = PyBytes_FromObject(data);
  if (bytes == NULL) return NULL;
  const Py_ssize_t length = PyBytes_Size(bytes);
  const int status = check_range(memory, address, length);
  if (status == 0 && length > 0) memcpy(memory->memory->data + address, PyBytes_AsString(bytes), (size_t)length);
  Py_DECREF(bytes);
  if (status < 0) return NULL;
  Py_INCREF(Py_None);
  return Py_None;
}

typedef struct growth_t {
  wasm_rt_memory_t *memory;
  uint32_t pages;
  uint32_t pages_before;
} growth_t;

static void run_grow(void *argument) {
  growth_t *growth = argument;
  growth->pages_before = (uint32_t)wasm_rt_grow_memory(growth->memory, growth->pages);
}

PyDoc_STRVAR(grow_doc, "grow($self, pages, /)\n--\n\n"
                       "Grows the memory by pages of 64 KiB, and returns how many it had. Raises ValueError if\n"
                       "that is more than the module or the system allows.");

static PyObject *memory_grow(PyObject *self, PyObject *args) {
  const memory_t *memory = (memory_t *)self;
  PyObject *pages;
  if (!PyArg_ParseTuple(args, "O:grow", &pages)) return NULL;
  wasm_value_t value;
  if (value_from_python(pages, 'j', "argument", 0, &value) < 0) return NULL;
  growth_t growth = {.memory = memory->memory, .pages = (uint32_t)value.i64, .pages_before = UINT32_MAX};
  if (value.i64 <= UINT16_MAX + 1 && instance_run(memory->instance, run_grow, &growth) < 0) return NULL;
  if (growth.pages_before != UINT32_MAX) return PyLong_FromUnsignedLong(growth.pages_before);
  const unsigned pages_now = (unsigned)memory->memory->pages;
  PyErr_Format(PyExc_ValueError, "the memory has %u pages and cannot grow by %R", pages_now, pages);
  return NULL;
}

static PyObject *memory_size(PyObject *self, void *closure) {
  (void)closure;
  return PyLong_FromUnsignedLong(((memory_t *)self)->memory->size);
}

static PyMethodDef memory_methods[] = {
    {"read", memory_read, METH_VARARGS, read_doc},
    {"write", memory_write, METH_VARARGS, write_doc},
    {"grow", memory_grow, METH_VARARGS, grow_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef memory_attributes[] = {
    {"size", memory_size, NULL, "its size in bytes", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot memory_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)memory_doc},
    {Py_tp_new, SLOT_FUNCTION(no_constructor)},
    {Py_tp_dealloc, SLOT_FUNCTION(memory_dealloc)},
    {Py_tp_traverse, SLOT_FUNCTION(memory_traverse)},
    {Py_tp_methods, memory_methods},
    {Py_tp_getset, memory_attributes},
    {0, NULL},
};

static PyType_Spec memory_spec = {.name = "wasmtrap.Memory",
                                  .basicsize = sizeof(memory_t),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                  .slots = memory_slots};

int add_memory_type(PyObject *extension, state_t *state) {
  state->memory = add_type(extension, &memory_spec);
  return state->memory == NULL ? -1 : 0;
}
