"""The stub and the module say the same, and help() says it all."""

import ast
import inspect
import pydoc
import unittest

import wasmtrap
from support import SOURCES

# Among the adapters; in the folder that goes to a Mac, beside the tests.
EXTENSIONS = (SOURCES.parent / "adapters" / "python" / "extension", SOURCES / "python" / "extension")
STUB = next(folder for folder in EXTENSIONS if folder.exists()) / "wasmtrap.pyi"


def public(names):
    return {name for name in names if not name.startswith("_")}


def parameters_of(node):
    """[(name, kind, default)] of a function of the stub; without self."""
    given = node.args
    plain = [(arg, inspect.Parameter.POSITIONAL_ONLY) for arg in given.posonlyargs]
    plain += [(arg, inspect.Parameter.POSITIONAL_OR_KEYWORD) for arg in given.args]
    defaults = [inspect.Parameter.empty] * (len(plain) - len(given.defaults))
    defaults += map(ast.literal_eval, given.defaults)
    listed = [(arg.arg, kind, default) for (arg, kind), default in zip(plain, defaults)]
    if given.vararg:
        listed.append((given.vararg.arg, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.empty))
    listed += [
        (arg.arg, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.empty if value is None else ast.literal_eval(value))
        for arg, value in zip(given.kwonlyargs, given.kw_defaults)
    ]
    return [each for each in listed if each[0] != "self"]


def signature_of(function):
    parameters = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters if each.name != "self"]


class Stub(unittest.TestCase):
    def setUp(self):
        body = ast.parse(STUB.read_text()).body
        self.functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
        self.classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
        self.constants = {node.target.id for node in body if isinstance(node, ast.AnnAssign)}

    @staticmethod
    def members_of(node):
        fields = {each.target.id for each in node.body if isinstance(each, ast.AnnAssign)}
        functions = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
        properties = {name for name, each in functions.items() if each.decorator_list}
        return fields, properties, {name: each for name, each in functions.items() if name not in properties}

    def test_they_have_the_same_names(self):
        self.assertEqual(self.constants | set(self.functions) | set(self.classes), public(dir(wasmtrap)))
        for name in self.constants:
            self.assertIs(type(getattr(wasmtrap, name)), int, name)

    def test_functions_have_the_same_parameters(self):
        for name, node in self.functions.items():
            with self.subTest(name):
                self.assertEqual(signature_of(getattr(wasmtrap, name)), parameters_of(node))

    def test_classes_have_the_same_members(self):
        for name, node in self.classes.items():
            with self.subTest(name):
                kind = getattr(wasmtrap, name)
                fields, properties, methods = self.members_of(node)
                bases = [base for base in kind.__mro__[1:]]
                own = public(dir(kind)) - {each for base in bases for each in public(dir(base))}
                own -= {"n_fields", "n_sequence_fields", "n_unnamed_fields"}
                self.assertEqual(fields | properties | public(methods), own)
                for method in public(methods):
                    self.assertEqual(signature_of(getattr(kind, method)), parameters_of(methods[method]), method)

    def test_tuples_have_their_fields_in_the_same_order(self):
        for name in "Frame", "Signature":
            kind = getattr(wasmtrap, name)
            fields = [each.target.id for each in self.classes[name].body if isinstance(each, ast.AnnAssign)]
            self.assertEqual(kind.n_fields, len(fields))
            values = kind(range(len(fields)))
            self.assertEqual([getattr(values, field) for field in fields], list(range(len(fields))))

    def test_the_constructor_of_trap_is_as_said(self):
        _, _, methods = self.members_of(self.classes["Trap"])
        names = [name for name, _, _ in parameters_of(methods["__init__"])]
        self.assertEqual(names, ["args", "code", "payload"])
        trap = wasmtrap.Trap("a", "b", code=3, payload=4)
        self.assertEqual((trap.args, trap.code, trap.payload), (("a", "b"), 3, 4))

    def test_there_is_help_for_everything(self):
        text = pydoc.render_doc(wasmtrap, renderer=pydoc.plaintext)
        for name in (self.constants - {"CODE_NONE"}) | set(self.functions) | set(self.classes):
            self.assertIn(name, text)
        for kind in [wasmtrap, *(getattr(wasmtrap, name) for name in self.classes)]:
            self.assertGreater(len(kind.__doc__ or ""), 20, kind)
            for name in public(vars(kind)):
                member = getattr(kind, name)
                if callable(member) or inspect.isdatadescriptor(member):
                    self.assertTrue(member.__doc__, f"{kind}.{name}")
        for name in "Trap", "Error":
            fields, _, _ = self.members_of(self.classes[name])
            for field in fields:
                self.assertIn(f"{field}:", getattr(wasmtrap, name).__doc__)
