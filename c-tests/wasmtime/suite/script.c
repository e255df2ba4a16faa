#include "script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

enum { MAX_WORDS = 256, MAX_VALUES = 64 };

typedef struct named_t {
  struct named_t *next;
  char *name;
  void *object;
} named_t;

typedef struct script_t {
  wasmtime_host_engine_t *engine;
  wasmtime_host_store_t *store;
  wasmtime_host_linker_t *linker;
  const char *folder, *name;
  named_t *instances, *definitions; /* the newest first; all are freed at the end */
  wasmtime_host_instance_t *current;
  unsigned long line;
  char why[4096];
} script_t;

/* The words of a command that have not been read yet. */
typedef struct words_t {
  char **next, **end;
} words_t;

static const char *take(words_t *words) { return words->next < words->end ? *words->next++ : ""; }

/* Says why a command fails; always 0. */
static int because(script_t *script, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int because(script_t *script, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(script->why, sizeof script->why, format, arguments);
  va_end(arguments);
  return 0;
}

/* The same for an error, which it frees. */
static int because_of(script_t *script, const char *what, wasmtime_host_error_t *error) {
  because(script, "%s: %s", what, wasmtime_host_error_message(error));
  wasmtime_host_error_free(error);
  return 0;
}

/* Undoes the compiler's quoting, in place. */
static char *unquote(char *word) {
  char *to = word;
  for (const char *from = word; *from != 0; to++) {
    unsigned byte;
    if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
      *to = (char)byte;
      from += 3;
    } else if (*from == '%') {
      break;
    } else {
      *to = *from++;
    }
  }
  *to = 0;
  return word;
}

static char *take_name(words_t *words) {
  static char none[1];
  return words->next < words->end ? unquote(*words->next++) : none;
}

/* ---- Modules and instances ---- */

static int remember(named_t **list, const char *name, void *object) {
  named_t *entry = malloc(sizeof *entry);
  if (entry == NULL || (entry->name = strdup(name)) == NULL) abort();
  entry->object = object;
  entry->next = *list;
  *list = entry;
  return 1;
}

static void *find(const named_t *list, const char *name) {
  while (list != NULL && strcmp(list->name, name) != 0) list = list->next;
  return list != NULL ? list->object : NULL;
}

/* An instance by its quoted name, or the current one for "-". */
static wasmtime_host_instance_t *instance_of(script_t *script, words_t *words) {
  if (words->next < words->end && strcmp(*words->next, "-") == 0) {
    words->next++;
    return script->current;
  }
  return find(script->instances, take_name(words));
}

static wasmtime_host_error_t *load(script_t *script, const char *file, wasmtime_host_module_t **module) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", script->folder, file);
  return wasmtime_host_module_load_file(script->engine, path, module);
}

static int become_current(script_t *script, const wasmtime_host_module_t *module, char *quoted_name) {
  wasmtime_host_instance_t *instance = NULL;
  wasmtime_host_error_t *error = wasmtime_host_instance_new(script->linker, script->store, module, &instance);
  if (error != NULL) return because_of(script, "instantiation", error);
  script->current = instance;
  /* "-" is no quoted name, so that it is no instance's either. */
  return remember(&script->instances, strcmp(quoted_name, "-") == 0 ? "-" : unquote(quoted_name), instance);
}

static int do_module(script_t *script, words_t *words) {
  wasmtime_host_module_t *module = NULL;
  wasmtime_host_error_t *error = load(script, take(words), &module);
  if (error != NULL) return because_of(script, "module", error);
  int good = words->next < words->end && become_current(script, module, *words->next++);
  wasmtime_host_module_free(module);
  return good;
}

static int do_definition(script_t *script, words_t *words) {
  wasmtime_host_module_t *module = NULL;
  wasmtime_host_error_t *error = load(script, take(words), &module);
  if (error != NULL) return because_of(script, "module", error);
  return remember(&script->definitions, take_name(words), module);
}

static int do_instance(script_t *script, words_t *words) {
  const char *name = take_name(words);
  /* Without a name the newest is meant. */
  const wasmtime_host_module_t *module = strcmp(name, "-") == 0 && script->definitions != NULL
                                             ? script->definitions->object
                                             : find(script->definitions, name);
  if (module == NULL || words->next >= words->end) return because(script, "no module definition %s", name);
  return become_current(script, module, *words->next++);
}

static int do_register(script_t *script, words_t *words) {
  const char *import = take_name(words);
  const wasmtime_host_instance_t *instance = instance_of(script, words);
  wasmtime_host_error_t *error = wasmtime_host_linker_define_instance(script->linker, import, instance);
  return error == NULL || because_of(script, "register", error);
}

/* ---- What runs ---- */

static wasmtime_host_error_t *call(script_t *script, words_t *words, wasmtime_host_value_t *results, size_t *count) {
  const wasmtime_host_instance_t *instance = instance_of(script, words);
  const char *function = take_name(words);
  size_t given = strtoul(take(words), NULL, 10);
  wasmtime_host_value_t arguments[MAX_VALUES];
  if (given > MAX_VALUES) return wasmtime_host_error_new("too many arguments for this program");
  for (size_t i = 0; i < given; i++)
    if (!parse_argument(take(words), &arguments[i]))
      return wasmtime_host_error_new("an argument that this program cannot read");
  wasmtime_host_error_t *error = wasmtime_host_function_type(instance, function, NULL, 0, NULL, NULL, 0, count);
  if (error != NULL) return error;
  if (*count > MAX_VALUES) return wasmtime_host_error_new("too many results for this program");
  return wasmtime_host_call(instance, function, arguments, given, results, *count);
}

static wasmtime_host_error_t *instantiate(script_t *script, const char *file) {
  wasmtime_host_module_t *module = NULL;
  wasmtime_host_instance_t *instance = NULL;
  wasmtime_host_error_t *error = load(script, file, &module);
  if (error == NULL) error = wasmtime_host_instance_new(script->linker, script->store, module, &instance);
  wasmtime_host_instance_free(instance);
  wasmtime_host_module_free(module);
  return error;
}

/* invoke, get or instantiate. */
static wasmtime_host_error_t *execute(script_t *script, words_t *words, wasmtime_host_value_t *results, size_t *count) {
  const char *what = take(words);
  *count = 0;
  if (strcmp(what, "invoke") == 0) return call(script, words, results, count);
  if (strcmp(what, "instantiate") == 0) return instantiate(script, take(words));
  const wasmtime_host_instance_t *instance = instance_of(script, words);
  *count = 1;
  return wasmtime_host_global_get(instance, take_name(words), results);
}

static int do_run(script_t *script, words_t *words) {
  wasmtime_host_value_t results[MAX_VALUES];
  size_t count;
  wasmtime_host_error_t *error = call(script, words, results, &count);
  return error == NULL || because_of(script, "call", error);
}

/* ---- Assertions ---- */

static int do_return(script_t *script, words_t *words) {
  size_t expected_count = strtoul(take(words), NULL, 10), count;
  wasmtime_host_value_t results[MAX_VALUES];
  char **expected = words->next;
  words->next += expected_count;
  wasmtime_host_error_t *error = execute(script, words, results, &count);
  if (error != NULL) return because_of(script, "no return", error);
  if (count != expected_count) return because(script, "%zu results, not %zu", count, expected_count);
  for (size_t i = 0; i < count; i++)
    if (!is_expected(expected[i], &results[i]))
      return because(script, "result %zu is %s, not %s", i, value_in_words(&results[i]), expected[i]);
  return 1;
}

/* The specification's message must be in Wasmtime's, but for those that name what Wasmtime words otherwise. */
static int says(const wasmtime_host_error_t *error, const char *message) {
  static const struct {
    const char *specified, *wasmtime;
  } SYNONYMS[] = {
      {"undefined element", "undefined element: out of bounds table access"},
      {"uninitialized element", "uninitialized element"}, /* "uninitialized element 2": which one is not told */
      {"out of bounds table access", "undefined element: out of bounds table access"},
      {"unreachable", "wasm `unreachable` instruction executed"},
      {"null function reference", "null reference"},
      {"null structure reference", "null reference"},
      {"null array reference", "null reference"},
      {"null i31 reference", "null reference"},
      {"null exception reference", "null reference"},
      {"cast", "cast failure"},
      {"out of bounds memory access", "out of bounds memory access"},
  };
  const char *reason = wasmtime_host_error_reason(error);
  if (strstr(reason, message) != NULL) return 1;
  for (size_t i = 0; i < sizeof SYNONYMS / sizeof *SYNONYMS; i++)
    if (strncmp(message, SYNONYMS[i].specified, strlen(SYNONYMS[i].specified)) == 0 &&
        strstr(reason, SYNONYMS[i].wasmtime) != NULL)
      return 1;
  return 0;
}

/* Whether the error is of this kind, and says this if it is not NULL. Frees it. */
static int is_error(script_t *script, wasmtime_host_error_t *error, wasmtime_host_error_kind_t kind,
                    const char *message) {
  if (error == NULL) return because(script, "it succeeds, where it should fail: %s", message != NULL ? message : "");
  if (wasmtime_host_error_kind(error) != kind || (message != NULL && !says(error, message)))
    return because_of(script, message != NULL ? message : "another error", error);
  wasmtime_host_error_free(error);
  return 1;
}

static int do_trap(script_t *script, words_t *words) {
  const char *message = take_name(words);
  wasmtime_host_value_t results[MAX_VALUES];
  size_t count;
  return is_error(script, execute(script, words, results, &count), WASMTIME_HOST_TRAP, message);
}

static int do_exception(script_t *script, words_t *words) {
  wasmtime_host_value_t results[MAX_VALUES];
  size_t count;
  return is_error(script, execute(script, words, results, &count), WASMTIME_HOST_EXCEPTION, NULL);
}

/* The specification's words for what is wrong with a link are not Wasmtime's. */
static int do_unlinkable(script_t *script, words_t *words) {
  take_name(words);
  return is_error(script, instantiate(script, take(words)), WASMTIME_HOST_LINK, NULL);
}

static int do_rejected(script_t *script, words_t *words) {
  const char *outcome = take(words);
  return strcmp(outcome, "rejected") == 0 || because(script, "the compiler accepted it");
}

static int do_not_compiled(script_t *script, words_t *words) {
  return because(script, "the compiler refused a module: %s", take_name(words));
}

static const struct {
  const char *name;
  assertion_t assertion;
  int (*run)(script_t *, words_t *);
} COMMANDS[] = {
    {"module", STEP, do_module},
    {"definition", STEP, do_definition},
    {"instance", STEP, do_instance},
    {"register", STEP, do_register},
    {"run", STEP, do_run},
    {"not-compiled", STEP, do_not_compiled},
    {"return", RETURN, do_return},
    {"trap", TRAP, do_trap},
    {"exhaustion", EXHAUSTION, do_trap},
    {"exception", EXCEPTION, do_exception},
    {"unlinkable", UNLINKABLE, do_unlinkable},
    {"invalid", INVALID, do_rejected},
    {"malformed", MALFORMED, do_rejected},
};

/* ---- The whole script ---- */

static size_t split(char *line, char **words) {
  size_t count = 0;
  char *rest = NULL;
  for (char *word = strtok_r(line, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest)) {
    if (count == MAX_WORDS) return 0;
    words[count++] = word;
  }
  return count;
}

/* Returns 0 for a command that there is none. */
static int run_command(script_t *script, char *line, counts_t *counts,
                       int (*differs)(const char *name, unsigned long line)) {
  char *all[MAX_WORDS];
  size_t count = split(line, all);
  if (count < 2) return 0;
  script->line = strtoul(all[0], NULL, 10);
  for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++)
    if (strcmp(all[1], COMMANDS[i].name) == 0) {
      words_t words = {all + 2, all + count};
      if (COMMANDS[i].run(script, &words)) {
        counts->passed[COMMANDS[i].assertion]++;
      } else if (!differs(script->name, script->line)) {
        counts->failed[COMMANDS[i].assertion]++;
        printf("%s.wast:%lu: %s: %s\n", script->name, script->line, all[1], script->why);
      }
      return 1;
    }
  return 0;
}

static int set_up(script_t *script, const wasmtime_host_module_t *spectest) {
  wasmtime_host_error_t *error = wasmtime_host_store_new(script->engine, &script->store);
  if (error == NULL) error = wasmtime_host_linker_new(script->engine, &script->linker);
  wasmtime_host_instance_t *instance = NULL;
  if (error == NULL) error = wasmtime_host_instance_new(script->linker, script->store, spectest, &instance);
  if (error == NULL) error = wasmtime_host_linker_define_instance(script->linker, "spectest", instance);
  wasmtime_host_instance_free(instance);
  return error == NULL || because_of(script, "spectest", error);
}

static void tear_down(script_t *script) {
  for (named_t *entry = script->instances, *next; entry != NULL; entry = next) {
    next = entry->next;
    wasmtime_host_instance_free(entry->object);
    free(entry->name);
    free(entry);
  }
  for (named_t *entry = script->definitions, *next; entry != NULL; entry = next) {
    next = entry->next;
    wasmtime_host_module_free(entry->object);
    free(entry->name);
    free(entry);
  }
  wasmtime_host_linker_free(script->linker);
  wasmtime_host_store_free(script->store);
}

int run_script(wasmtime_host_engine_t *engine, const wasmtime_host_module_t *spectest, const char *folder,
               const char *name, counts_t *counts, int (*differs)(const char *name, unsigned long line)) {
  script_t script = {.engine = engine, .folder = folder, .name = name};
  char path[4096];
  snprintf(path, sizeof path, "%s/commands", folder);
  FILE *commands = fopen(path, "r");
  int good = commands != NULL && set_up(&script, spectest);
  char *line = NULL;
  size_t capacity = 0;
  while (good && getline(&line, &capacity, commands) >= 0) good = run_command(&script, line, counts, differs);
  if (!good) printf("%s: cannot be run: %s\n", path, script.why);
  free(line);
  if (commands != NULL) fclose(commands);
  tear_down(&script);
  return good;
}
