"""What can be seen, without a Mac, of what `make macos` has built: in TAP, with the sum at the end.

    check_artifacts.py [--llvm VERSION] --version VERSION FOLDER

FOLDER is the one that goes to the Mac. LLVM's tools read the files: llvm-objdump, llvm-nm, llvm-dwarfdump.
"""

import argparse
import pathlib
import re
import struct
import subprocess
import sys

import unwind_info

HERE = pathlib.Path(__file__).resolve().parent
CAPI = HERE.parent / "capi"
MACH_BACKEND = HERE.parent / "mach-backend"
MACH_CONTROLS = HERE.parent / "mach" / "controls"
CPU_TYPES = {"aarch64": "ARM64", "x86_64": "X86_64"}
# <mach/machine.h>
CPU_TYPE_NUMBERS = {0x0100000C: "aarch64", 0x01000007: "x86_64"}
OLDEST_MACOS = "11.0"
LIBSYSTEM = "/usr/lib/libSystem.B.dylib"
LIBCXX = "/usr/lib/libc++.1.dylib"

# What the Mach backend cannot do without.
NEEDED_IMPORTS = {"thread_swap_exception_ports", "mach_msg"}
# What must not be there, and why.
FORBIDDEN_IMPORTS = {
    "thread_set_state": "the new state goes into the reply; in hardened tasks the call can be fatal",
    "thread_get_state": "the old state comes in the message",
    "mach_msg_trap": "fatal in hardened tasks; mach_msg is not",
    "mach_msg_overwrite_trap": "fatal in hardened tasks; mach_msg is not",
    "task_set_exception_ports": "task-level ports are a crash reporter's",
    "task_swap_exception_ports": "task-level ports are a crash reporter's",
    "_tlv_bootstrap": "the first touch of a thread-local variable calls malloc, which a handler must not",
}


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, name, *notes):
        number = self.passed + self.failed + 1
        if good:
            self.passed += 1
        else:
            self.failed += 1
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        if not good:
            for note in notes:
                print(f"#   {note}")

    def same(self, got, expected, name):
        self.check(got == expected, name, f"is {got!r}", f"and should be {expected!r}")

    def report(self):
        print(f"1..{self.passed + self.failed}")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


class Tools:
    def __init__(self, version):
        self.suffix = f"-{version}" if version else ""

    def run(self, tool, *arguments):
        command = [f"{tool}{self.suffix}", *map(str, arguments)]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout

    def undefined(self, path):
        return {line.split()[-1].removeprefix("_") for line in self.run("llvm-nm", "-u", path).splitlines()}


def archived_cpu_types(archive):
    """The architecture of each object in a static library. LLVM's tools stumble over the bitcode that is in them, too,
    if the compiler's LLVM is newer than theirs."""
    with open(archive, "rb") as file:
        if file.read(8) != b"!<arch>\n":
            yield "not an archive"
        while header := file.read(60):
            name, size = header[:16].decode().strip(), int(header[48:58])
            content = file.read(size + size % 2)
            # BSD's way with long names: they stand before the content.
            if name.startswith("#1/"):
                length = int(name[3:])
                name, content = content[:length].rstrip(b"\0").decode(), content[length:]
            if not name.startswith("__.SYMDEF"):
                magic, cpu_type = struct.unpack_from("<II", content)
                yield CPU_TYPE_NUMBERS.get(cpu_type) if magic == 0xFEEDFACF else f"{name} is no Mach-O file"


class Image:
    """A Mach-O file's header and load commands, as llvm-objdump prints them."""

    def __init__(self, tools, path):
        text = tools.run("llvm-objdump", "--macho", "--private-headers", path)
        header = re.search(r"^ *MH_MAGIC_64 +(\w+) +\S+ +\S+ +(\w+)", text, re.MULTILINE)
        self.cpu_type, self.file_type = header.groups()
        self.commands = re.split(r"^Load command \d+\n", text, flags=re.MULTILINE)[1:]

    def all(self, command):
        return [text for text in self.commands if re.match(rf" *cmd {command}\n", text)]

    def one(self, command):
        found = self.all(command)
        return found[0] if len(found) == 1 else ""

    @staticmethod
    def field(text, name):
        match = re.search(rf"^ *{name} (.*?)(?: \(offset \d+\))?$", text, re.MULTILINE)
        return match[1] if match else None

    def dependencies(self):
        loads = re.compile(r" *cmd LC_(LOAD|LOAD_WEAK|REEXPORT)_DYLIB\n")
        return {self.field(text, "name") for text in self.commands if loads.match(text)}

    def sections(self):
        """{(segment, section): (address, size)}"""
        found = {}
        for text in self.all("LC_SEGMENT_64"):
            for section in text.split("\nSection\n")[1:]:
                place = self.field(section, "segname"), self.field(section, "sectname")
                found[place] = int(self.field(section, "addr"), 16), int(self.field(section, "size"), 16)
        return found

    def protections(self):
        """The initial and the highest access rights of each segment."""
        for text in self.all("LC_SEGMENT_64"):
            yield self.field(text, "initprot")
            yield self.field(text, "maxprot")


def check_image(checks, image, name, architecture, file_type, dependencies):
    """What holds for each file that the dynamic linker reads."""
    checks.same((image.cpu_type, image.file_type), (CPU_TYPES[architecture], file_type), f"{name}: its kind")
    version = image.one("LC_BUILD_VERSION")
    built_for = image.field(version, "platform"), image.field(version, "minos")
    checks.same(built_for, ("macos", OLDEST_MACOS), f"{name}: for macOS from 11 on")
    checks.same(image.dependencies(), dependencies, f"{name}: needs nothing else")
    checks.check(all("w" not in rights or "x" not in rights for rights in image.protections()),
                 f"{name}: nothing is writable and executable")
    # The kernel of an arm64 Mac runs nothing without a signature; the linker makes one without a signer.
    if architecture == "aarch64":
        checks.check(image.one("LC_CODE_SIGNATURE"), f"{name}: is signed")


def check_imports(checks, imports, name, allowed):
    for symbol in sorted(NEEDED_IMPORTS):
        checks.check(symbol in imports, f"{name}: uses {symbol}")
    for symbol, reason in sorted(FORBIDDEN_IMPORTS.items()):
        checks.check(symbol not in imports, f"{name}: does not use {symbol}", reason)
    unknown = sorted(imports - allowed)
    checks.check(not unknown, f"{name}: uses nothing but what imports.txt lists", f"not on the list: {unknown}")


# What a thread's state has at each 64-bit word (<mach/arm/_structs.h>, <mach/i386/_structs.h>), by the names that LLVM
# has for the registers; the one by which the trampolines are unwound, and its alias in code.
STATE_WORDS = {
    "aarch64": [f"W{n}" for n in range(31)] + ["WSP", "reg32"],
    "x86_64": "RAX RBX RCX RDX RDI RSI RBP RSP R8 R9 R10 R11 R12 R13 R14 R15 RIP".split(),
}
KEPT_IN = {"aarch64": ("W20", r"\b[xw]20\b"), "x86_64": ("R13", r"\br13")}


def registers_above(row, kept_in, record):
    r"""What a row of the unwind tables says of the registers further out, where `record` is the words that are kept.

    >>> registers_above("CFA=DW_OP_breg13 R13+8, DW_OP_deref: RAX=[DW_OP_breg13 R13+0]", "R13", [7, 8])
    {'CFA': 8, 'RAX': 7}
    """
    found = re.findall(rf"(\w+)=\[?DW_OP_breg\d+ {kept_in}\+(\d+)(?:\]|, DW_OP_deref)", row)
    return {register: record[int(offset) // 8] for register, offset in found}


def check_trampolines(checks, tools, library, architecture, name):
    """At each instruction of the Mach backend's trampolines an unwinder finds all registers of the code that faulted:
    one row holds from the first to the last, and nothing changes the register that it goes by."""
    words = STATE_WORDS[architecture]
    kept_in, in_code = KEPT_IN[architecture]
    record = [0x1000 + index for index in range(len(words))]
    expected = dict(zip(words, record))
    expected["CFA"] = expected["WSP" if architecture == "aarch64" else "RSP"]
    symbols = re.findall(r"^([0-9a-f]+) t _\S*trampoline\d+(entry|come_back)\S*$", tools.run("llvm-nm", library),
                         re.MULTILINE)
    checks.same(sorted(which for _, which in symbols), ["come_back", "entry"], f"{name}: has the trampolines")
    frames = tools.run("llvm-dwarfdump", "--eh-frame", library)
    for address, which in symbols:
        start = int(address, 16)
        entry = re.search(rf"FDE cie=\w+ pc={start:08x}\.\.\.(\w+)\n.*?\n\n(.*?)\n\n", frames, re.DOTALL)
        rows = entry[2].splitlines() if entry else []
        checks.same([row.split(":")[0].strip() for row in rows], [f"0x{start:x}"],
                    f"{name}: {which} has one row in the unwind tables, from its first instruction on")
        checks.same(registers_above("".join(rows), kept_in, record), expected,
                    f"{name}: by which {which} has all registers of the code that faulted")
        bounds = f"--start-address={start}", f"--stop-address={int(entry[1], 16) if entry else start}"
        disassembly = tools.run("llvm-objdump", "-d", "--no-show-raw-insn", *bounds, library)
        code = re.findall(r"^ *[0-9a-f]+: (.*)$", disassembly, re.MULTILINE)
        unharmed = code and not any(re.search(in_code, line) for line in code)
        checks.check(unharmed, f"{name}: {which}, {len(code)} instructions, leaves alone what it is unwound by", *code)


def check_unwind_tables(checks, path, name, counts=lambda function: True):
    """Every function, from its start to its end, has the unwind information that is its own."""
    proof = unwind_info.prove(unwind_info.Image(path.read_bytes()), counts)
    checks.check(not proof.wrong and proof.functions,
                 f"{name}: unwind information for each of {proof.functions} functions, {proof.by_frame} of them by "
                 f"__eh_frame, {proof.cleanups} with a table of cleanups", *proof.wrong)


def check_unwinding(checks, tools, image, library, name):
    """An exception that passes wasmtrap_call must find the table that says where its cleanup is."""
    check_unwind_tables(checks, library, name)
    start = None
    for line in tools.run("llvm-nm", library).splitlines():
        if line.endswith(" T _wasmtrap_call"):
            start = int(line.split()[0], 16)
    frames = tools.run("llvm-dwarfdump", "--eh-frame", library)
    personality = table = end = None
    for entry in re.split(r"\n(?=[0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{8} (?:CIE|FDE))", frames):
        found = re.search(r"FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.\.([0-9a-f]+)", entry)
        if found and int(found[2], 16) == start:
            end = int(found[3], 16)
            table = re.search(r"LSDA Address: ([0-9a-f]+)", entry)
            owner = re.search(rf"^{found[1]} .*?CIE$.*?(?=^[0-9a-f]{{8}} )", frames, re.MULTILINE | re.DOTALL)
            personality = owner and re.search(r"Personality Address: ([0-9a-f]+)", owner[0])
    checks.check(end, f"{name}: wasmtrap_call has an entry in the unwind tables")
    if not end:
        return

    def section_of(match):
        address = int(match[1], 16) if match else 0
        places = image.sections().items()
        return next((place for place, (begin, size) in places if begin <= address < begin + size), None)

    checks.same(section_of(table), ("__TEXT", "__gcc_except_tab"), f"{name}: with its table of cleanups")
    checks.check(section_of(personality), f"{name}: with a personality routine, by way of the dynamic linker")
    # Where a trap lands is a label inside; a linker could take it for a function and put it elsewhere.
    bounds = f"--start-address={start}", f"--stop-address={end}"
    code = tools.run("llvm-objdump", "-d", "--no-show-raw-insn", *bounds, library)
    checks.check(re.search(r"\b(fninit|msr\s+FPCR)\b", code), f"{name}: whole, with the place where traps land")


def check_architecture(checks, tools, folder, architecture, version, allowed_imports):
    major = version.split(".")[0]
    library_name = f"libwasmtrap.{major}.dylib"
    library = folder / architecture / "lib" / library_name
    name = f"{architecture} {library_name}"
    image = Image(tools, library)
    check_image(checks, image, name, architecture, "DYLIB", {LIBSYSTEM})
    identity = image.one("LC_ID_DYLIB")
    checks.same(image.field(identity, "name"), f"@rpath/{library_name}", f"{name}: install name")
    checks.same(image.field(identity, "current version"), version, f"{name}: current version")
    compatible = [*version.split(".")[: 2 if major == "0" else 1], "0", "0"][:3]
    checks.same(image.field(identity, "compatibility version"), ".".join(compatible), f"{name}: compatibility version")
    thread_local = [section for _, section in image.sections() if "thread" in section]
    checks.same(thread_local, [], f"{name}: has no thread-local variable")
    check_imports(checks, tools.undefined(library) - {"dyld_stub_binder"}, name, allowed_imports)
    check_unwinding(checks, tools, image, library, name)
    check_trampolines(checks, tools, library, architecture, name)

    archive = library.with_name("libwasmtrap.a")
    checks.same(set(archived_cpu_types(archive)), {architecture}, f"{architecture} libwasmtrap.a: its kind")
    check_programs(checks, tools, folder, architecture, library_name)
    check_mach_programs(checks, tools, folder, architecture)
    check_python(checks, tools, folder, architecture, library_name)


def promises():
    """The programs that there should be: all of the harness, but for the list."""
    lines = (HERE / "linux-only.txt").read_text(encoding="utf-8").splitlines()
    linux_only = {line for line in lines if line and not line.startswith("#")}
    sources = [path for kind in ("c", "cc") for path in CAPI.glob(f"*/*.{kind}")]
    found = {str(path.relative_to(CAPI).with_suffix("")): path.suffix for path in sources}
    found = {name: kind for name, kind in found.items() if name.split("/")[0] not in ("support", "standalone")}
    unknown = linux_only - set(found)
    if unknown:
        sys.exit(f"linux-only.txt names what is not there: {sorted(unknown)}")
    return {name: kind for name, kind in found.items() if name not in linux_only}


def check_programs(checks, tools, folder, architecture, library_name):
    capi = folder / architecture / "capi"
    wanted = promises()
    standalone = {"shared/standalone/loaded_by_dlopen", "static/standalone/linked_into_a_plugin"}
    # With the shared library alone.
    shared = {"shared/standalone/an_adopted_engine_is_closed"}
    expected = {f"{linked}/{name}" for linked in ("shared", "static") for name in wanted} | standalone | shared
    built = {str(path.relative_to(capi).with_suffix("")) for path in capi.rglob("*.t")}
    checks.same(sorted(built), sorted(expected), f"{architecture}: one program a promise, with each library")
    for program in sorted(built & expected):
        linked, name = program.split("/", 1)
        dependencies = {LIBSYSTEM}
        if wanted.get(name) == ".cc":
            dependencies.add(LIBCXX)
        image = Image(tools, capi / f"{program}.t")
        if program not in standalone and linked == "shared":
            dependencies.add(f"@rpath/{library_name}")
            places = [image.field(text, "path") for text in image.all("LC_RPATH")]
            checks.same(places, ["@loader_path/../../lib"], f"{architecture} {program}: finds the library beside it")
        check_image(checks, image, f"{architecture} {program}", architecture, "EXECUTE", dependencies)
    # What the static library's users get; the test's own assembly has nothing to unwind by.
    for path in (capi / "lib/plugin.so", *sorted((capi / "static").glob("[a-r]*/*.t"))[:1]):
        check_unwind_tables(checks, path, f"{architecture} {path.name}", lambda name: "wasmtrap" in name)
    for part in (library_name, "plugin.so"):
        checks.check((capi / "lib" / part).is_file(), f"{architecture}: {part} is where the programs look for it")


def check_mach_programs(checks, tools, folder, architecture):
    """The Mach backend's own tests, but for those of the simulated kernel, and the controls."""
    tests = {str(path.relative_to(MACH_BACKEND).with_suffix("")) for path in MACH_BACKEND.glob("*/*.c")}
    wanted = {name for name in tests if name.split("/")[0] not in ("support", "simulated")}
    wanted |= {f"controls/{path.stem}" for path in MACH_CONTROLS.glob("*_engine.c")}
    mach = folder / architecture / "mach"
    built = {str(path.relative_to(mach).with_suffix("")) for path in mach.rglob("*.t")}
    checks.same(sorted(built), sorted(wanted), f"{architecture}: the tests of the Mach backend, and the controls")
    for name in sorted(built & wanted):
        image = Image(tools, mach / f"{name}.t")
        check_image(checks, image, f"{architecture} mach/{name}", architecture, "EXECUTE", {LIBSYSTEM})


def check_python(checks, tools, folder, architecture, library_name):
    """The shared objects of the Python tests, and that all that is built there of them is there."""
    python = folder / architecture / "python"
    library, runtime = f"@rpath/{library_name}", "@rpath/libwasm_rt_wasmtrap.so"
    wanted = {"lib/libwasm_rt_wasmtrap.so": {library}, "helpers/float_modes.so": set()}
    wanted.update({f"modules/{name}.so": {library, runtime} for name in ("traps", "host_calls", "starts")})
    built = {str(path.relative_to(python)) for path in python.rglob("*.so")}
    checks.same(built, set(wanted), f"{architecture}: the shared objects of the Python tests")
    for name in sorted(built & set(wanted)):
        image = Image(tools, python / name)
        check_image(checks, image, f"{architecture} python/{name}", architecture, "DYLIB", {LIBSYSTEM, *wanted[name]})
        if name.startswith("modules/"):
            checks.check(("__TEXT", "__wasm") in image.sections(), f"{architecture} python/{name}: its code by itself")
            exported = tools.run("llvm-nm", "-g", "--defined-only", "--format=just-symbols", python / name).split()
            checks.same(exported, ["_wasm_module_interface"], f"{architecture} python/{name}: shows its interface only")
    for name in ("python/run.sh", "python/run_tests.py", "python/extension/wasmtrap.pyi", "python/tests/support.py",
                 "include/wasm-rt.h", "wasm/demo/expected_traps.txt", "run-on-mac.sh"):
        checks.check((folder / name).is_file(), f"{name} is there")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llvm", default="", help="the version that LLVM's tools have in their names")
    parser.add_argument("--version", required=True, help="the library's")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    lines = (HERE / "imports.txt").read_text(encoding="utf-8").splitlines()
    allowed = {line for line in lines if line and not line.startswith("#")}
    checks = Checks()
    for architecture in CPU_TYPES:
        check_architecture(checks, Tools(arguments.llvm), arguments.folder, architecture, arguments.version, allowed)
    return checks.report()


if __name__ == "__main__":
    sys.exit(main())
