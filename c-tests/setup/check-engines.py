"""Checks the table of engines in the top README against what `make check` runs.

A row says which versions of an engine, where they are pinned, and which check runs them; or that one has to run it by
hand. In the file, the versions of that engine must be these. The checks must be parts of `make check` (CHECKS in the
Makefiles), and what is run by hand must be a target that is none of them. Each version of these engines that is pinned
anywhere must be in a row.
"""

import pathlib
import re
import subprocess
import sys

# What an engine is called where versions are pinned: by the first word of its row.
PACKAGES = {"Wasmtime": "wasmtime", "Wasmer": "wasmer", "YARA-X": "yara-x"}
# Locks of what is no test of an engine.
OTHERS = ("c-tests/bench/",)


def pinned(text, package):
    """The versions of a package in a Cargo.lock or a requirements.txt.

    >>> sorted(pinned('[[package]]\\nname = "wasmtime"\\nversion = "48.0.8"\\n', "wasmtime"))
    ['48.0.8']
    >>> sorted(pinned("wasmtime==25.0.0; python_version < '3.9'\\nwasmtime==50.0.1\\nnumpy==1.0", "wasmtime"))
    ['25.0.0', '50.0.1']
    >>> pinned("wasmtime-wasi==1.0", "wasmtime")
    set()
    """
    name = re.escape(package)
    found = re.findall(rf'^name = "{name}"\nversion = "(.*)"$|^{name}==([\w.]+)', text, re.MULTILINE)
    return {version for pair in found for version in pair if version}


def rows(readme):
    """The cells of each row of the table: engine, versions, way in, what was run, by what.

    >>> list(rows("## Engines\\n| engine | version |\\n| --- | --- |\\n| `A` | 1.0 |\\n\\n## More\\n| B | 2 |"))
    [['`A`', '1.0']]
    """
    part = readme[readme.index("## Engines\n") :]
    part = part[: part.find("\n## ", 5)]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def checks(makefiles):
    """The parts of `make check`.

    >>> sorted(checks(["CHECKS := lint check-a \\\\\\n    check-b\\nX := y\\nCHECKS += check-c\\n"]))
    ['check-a', 'check-b', 'check-c', 'lint']
    """
    found = set()
    for text in makefiles:
        for value in re.findall(r"^CHECKS [:+]?= (.*)$", text.replace("\\\n", " "), re.MULTILINE):
            found.update(value.split())
    return found


def debians_version(release, package):
    """The version of a package where this is that Debian and the package is installed; else None."""
    try:
        system = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return None
    if not re.search(r"^ID=debian$", system, re.MULTILINE) or f'VERSION_ID="{release}"' not in system:
        return None
    run = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    return re.split(r"[-+~]", run.stdout)[0] or None


def problems_of(row, parts, targets, read):
    """What is wrong with a row. `read` gives a file's text.

    >>> lock = 'name = "wasmtime"\\nversion = "48.0.8"\\n'
    >>> def look(versions, by):
    ...     row = ["Wasmtime, as it is", versions, "adopted", "traps", by]
    ...     return problems_of(row, {"check-a"}, {"check-a", "check-b"}, {"f/Cargo.lock": lock}.__getitem__)
    >>> look("48.0.8, `f/Cargo.lock`", "`check-a`")
    []
    >>> look("48.0.7, `f/Cargo.lock`", "`check-a`")
    ['f/Cargo.lock has wasmtime 48.0.8, not 48.0.7']
    >>> look("48.0.8, `f/Cargo.lock`", "`check-a`, `check-b`")
    ['check-b is no part of make check']
    >>> look("48.0.8, `f/Cargo.lock`", "`check-c`")
    ['there is no target check-c', 'check-c is no part of make check']
    >>> look("48.0.8", "`check-a`")
    ['nothing pins the version']
    >>> look("48.0.8", "by hand: `make check-b`")
    []
    >>> look("48.0.8", "by hand: `make check-a`")
    ['check-a is a part of make check, not by hand']
    >>> look("48.0.8", "by hand: `make check-a ENGINE=...`")
    []
    >>> look("36", "not run")
    []
    >>> look("36", "")
    ['nothing says what runs it', 'nothing pins the version']
    """
    if len(row) != 5:
        return [f"{len(row)} cells, not 5"]
    engine, version_cell, _, _, by = row
    versions = set(re.findall(r"\b\d+(?:\.\d+)+\b", version_cell.partition("`")[0]))
    files = re.findall(r"`(.*?)`", version_cell)
    named = re.findall(r"`(?:make )?(check[\w-]*)", by)
    by_hand = by.startswith("by hand")
    problems = [f"there is no target {name}" for name in named if name not in targets]
    if by == "not run":
        return problems
    if not named:
        problems.append("nothing says what runs it")
    if by_hand:
        # With a variable it is another run.
        problems += [f"{name} is a part of make check, not by hand" for name in named
                     if name in parts and not re.search(rf"{name} \w+=", by)]  # fmt: skip
    else:
        problems += [f"{name} is no part of make check" for name in named if name not in parts]
    package = PACKAGES.get(re.split(r"[ ,]", engine)[0])
    debian = re.search(r"Debian (\d+)'s (\w+)", version_cell)
    for file in files:
        found = pinned(read(file), package) if package else set()
        if found != versions:
            problems.append(f"{file} has {package} {', '.join(sorted(found))}, not {', '.join(sorted(versions))}")
    if debian and (installed := debians_version(*debian.groups())) not in (None, *versions):
        problems.append(f"Debian {debian[1]} has {debian[2]} {installed}")
    if not files and not debian and not by_hand:
        problems.append("nothing pins the version")
    return problems


def main():
    def read(path):
        return pathlib.Path(path).read_text(encoding="utf-8")

    makefiles = [read(path) for path in ["Makefile", *pathlib.Path().glob("*/rules.mk"),
                                         *pathlib.Path().glob("c-tests/**/rules.mk")]]  # fmt: skip
    targets = {name for text in makefiles for name in re.findall(r"^([\w-]+):", text, re.MULTILINE)}
    table = list(rows(read("README.md")))
    problems = [f"{row[0]}: {problem}" for row in table
                for problem in problems_of(row, checks(makefiles), targets, read)]  # fmt: skip
    files = {str(path) for folder in ("adapters", "c-tests") for pattern in ("Cargo.lock", "requirements.txt")
             for path in pathlib.Path(folder).rglob(pattern)}  # fmt: skip
    count = len(table)
    for path in sorted(file for file in files if not file.startswith(OTHERS)):
        for engine, package in PACKAGES.items():
            for version in sorted(pinned(read(path), package)):
                count += 1
                if not any(row[0].startswith(engine) and version in row[1] for row in table):
                    problems.append(f"{engine} {version} is pinned in {path}, and no row has it")
    for problem in problems:
        print(f"not ok - README.md, the table of engines: {problem}")
    print(f"{max(count - len(problems), 0)} passed, {len(problems)} failed")
    return 1 if problems or not table else 0


if __name__ == "__main__":
    sys.exit(main())
