"""Writes the manual pages of the header: one in section 3 for each function, and wasmtrap.7, the overview.

    man-pages.py HEADER VERSION FOLDER

The pages say what the header says and nothing else, so that they cannot drift from it: a function's page has its
comment and the definitions of the types that its declaration names; the overview has the header's opening comment, the
functions with their first sentences, and the constants.
"""

import pathlib
import re
import sys
from typing import NamedTuple


# "Errors: ", "Errors (negative; the function has not run): ".
ERRORS = re.compile(r"^Errors( \([^)]*\))?: ")


class Item(NamedTuple):
    comment: list[str]
    code: str


def items_of(header):
    """The header's opening comment, and each piece of code with the comment above it.

    >>> items_of("/*\\n * Words.\\n */\\n\\n// One.\\n//\\n// Two.\\nint f(int a,\\n      int b);\\n")
    (['Words.'], [Item(comment=['One.', '', 'Two.'], code='int f(int a,\\n      int b);')])
    """
    opening = re.search(r"^/\*\n(.*?)^ \*/", header, re.MULTILINE | re.DOTALL)[1]
    opening = [line[3:] for line in opening.splitlines()]
    items, comment, code = [], [], []
    for line in header[header.index(" */") :].splitlines() + [""]:
        if line.startswith("// ====="):
            comment = []  # a heading of the header's
        elif line.startswith("//") and not code:
            comment += [line[2:].removeprefix(" ")] if comment or line != "//" else []
        elif line == "WASMTRAP_API":
            continue  # how a DLL is linked with says nothing of the function
        elif line.strip() and (code or comment):
            code.append(line)
        elif not line.strip():
            # A blank line ends a piece of code, but not in the middle of a structure.
            if code and "\n".join(code).count("{") > "\n".join(code).count("}"):
                code.append(line)
                continue
            if code:
                items.append(Item(comment, "\n".join(code)))
            comment, code = [], []
    return opening, items


def escape(text):
    """What roff would take for markup.

    >>> escape("a-b \\\\ c")
    'a\\\\-b \\\\e c'
    """
    return text.replace("\\", "\\e").replace("-", "\\-")


def marked_up(text):
    """A line of prose: names of the API and what stands in backticks are bold.

    >>> marked_up("`arg` of wasmtrap_call(3)")
    '\\\\fBarg\\\\fP of \\\\fBwasmtrap_call\\\\fP(3)'
    """
    text = escape(text)
    bold = r"`([^`]*)`|\b(wasmtrap_\w+|WASMTRAP_[A-Z_]+\b)"
    text = re.sub(bold, lambda match: f"\\fB{match[1] or match[2]}\\fP", text)
    # A dot or a quote in front would be a request.
    return f"\\&{text}" if text.startswith((".", "'")) else text


def paragraphs(lines):
    """Groups of lines: blank lines and points of lists begin new ones."""
    group = []
    for line in lines:
        if not line.strip() or re.match(r"(- |\d+\. )", line):
            if group:
                yield group
            group = []
        if line.strip():
            group.append(line)
    if group:
        yield group


def prose(lines):
    for number, group in enumerate(paragraphs(lines)):
        point = re.match(r"(- |\d+\. )", group[0])
        if point:
            mark = "\\(bu" if point[1] == "- " else point[1].strip()
            yield f".IP {mark} 4"
            group = [group[0][point.end() :], *group[1:]]
        elif number > 0:
            yield ".PP"
        yield from (marked_up(line.strip()) for line in group)


def verbatim(code):
    yield from (".PP", ".in +4n", ".nf")
    yield from (f"\\&{escape(line)}" for line in code.splitlines())
    yield from (".fi", ".in")


def first_sentence(comment):
    """
    >>> first_sentence(["Tells which", "it is: this. Or that.", "", "More."])
    'Tells which it is: this'
    """
    words = " ".join(comment[: comment.index("")] if "" in comment else comment)
    return re.split(r"\.(?:\s|$)", words)[0]


def function_name(item):
    match = re.search(r"\b(wasmtrap_\w+)\s*\(", item.code)
    return match[1] if match and not item.code.startswith(("typedef", "#")) else None


def types_of(code, types):
    """The structures and the types of functions that a declaration names, and those that they name in turn."""
    found = {}
    names = re.findall(r"\bwasmtrap_\w+_t\b", code)
    while names:
        name = names.pop(0)
        if name in types and name not in found:
            found[name] = types[name]
            names += re.findall(r"\bwasmtrap_\w+_t\b", types[name].code)
    return found.values()


def title(name, section, version):
    return f'.TH {name.upper()} {section} "" "libwasmtrap {version}" "libwasmtrap"'


def page_of_function(item, types, names, version):
    name = function_name(item)
    errors = next((index for index, line in enumerate(item.comment) if ERRORS.match(line)), None)
    description = item.comment if errors is None else item.comment[:errors]
    yield title(name, 3, version)
    yield from (".SH NAME", f"{name} \\- {escape(first_sentence(item.comment)).replace('`', '')}", ".SH LIBRARY")
    yield "libwasmtrap (\\fIlibwasmtrap\\fP, \\fI\\-lwasmtrap\\fP)"
    yield from (".SH SYNOPSIS", ".nf", "\\fB#include <wasmtrap.h>\\fP", ".PP")
    yield from (f"\\fB{escape(line)}\\fP" for line in item.code.splitlines())
    yield from (".fi", ".SH DESCRIPTION", *prose(description))
    if errors is not None:
        rest = [ERRORS.sub("", item.comment[errors]), *item.comment[errors + 1 :]]
        yield from (".SH ERRORS", *prose(rest))
    shown = [each for each in types_of(item.code, types) if "{" in each.code or "(*" in each.code]
    if shown:
        yield ".SH TYPES"
        for number, each in enumerate(shown):
            yield from [".PP"] if number > 0 else []
            yield from prose(each.comment)
            yield from verbatim(each.code)
    others = "".join(f",\n.BR {other} (3)" for other in neighbours(name, names))
    yield from (".SH SEE ALSO", ".BR wasmtrap (7)" + others)


def neighbours(name, names):
    """The functions whose names begin alike.

    >>> list(neighbours("w_code_register", ["w_code_register", "w_code_unregister", "w_call"]))
    ['w_code_unregister']
    """
    stem = "_".join(name.split("_")[:2])
    return (other for other in names if other != name and other.startswith(stem + "_"))


def overview(opening, items, version):
    yield title("wasmtrap", 7, version)
    yield from (".SH NAME", "wasmtrap \\- WebAssembly traps as values, in processes that somebody else wrote")
    yield from (".SH SYNOPSIS", ".nf", "\\fB#include <wasmtrap.h>\\fP", ".PP")
    yield "\\fBcc\\fP \\fIhost.c\\fP \\fB$(pkg\\-config \\-\\-cflags \\-\\-libs wasmtrap)\\fP"
    yield from (".fi", ".SH DESCRIPTION", *prose(opening), ".SH FUNCTIONS")
    for item in items:
        if name := function_name(item):
            yield from (".TP", f".BR {name} (3)", marked_up(first_sentence(item.comment)) + ".")
    yield ".SH CONSTANTS"
    for item in items:
        if match := re.match(r"#define (WASMTRAP_\w+) (\S+)$", item.code):
            yield from (".TP", f"\\fB{match[1]}\\fP ({escape(match[2].strip('()'))})")
            yield from (marked_up(line.strip()) for line in item.comment if line)


def main():
    header, version, folder = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    opening, items = items_of(header.read_text(encoding="utf-8"))
    types = {}
    for item in items:
        if match := re.match(r"typedef struct (\w+) |typedef .*?\(\*(\w+)\)|typedef \w+ (\w+);", item.code):
            types[match[1] or match[2] or match[3]] = item
    functions = [item for item in items if function_name(item)]
    names = sorted(map(function_name, functions))
    if not names:
        sys.exit(f"{header} declares no function: is it the right file?")
    pages = {f"man3/{function_name(item)}.3": page_of_function(item, types, names, version) for item in functions}
    pages["man7/wasmtrap.7"] = overview(opening, items, version)
    for name, lines in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
