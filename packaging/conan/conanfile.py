"""The Conan recipe: conan create packaging/conan. Builds the tree around it, with cargo and make."""

import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, rm, rmdir
from conan.tools.layout import basic_layout

WASM2C_CMAKE = "lib/cmake/wasmtrap"


class Wasmtrap(ConanFile):
    name = "wasmtrap"
    description = "WebAssembly traps as values, in processes that somebody else wrote"
    license = "Apache-2.0 OR MIT"
    url = homepage = "https://github.com/libwasmtrap/libwasmtrap"
    topics = ("webassembly", "trap", "signal", "mach")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": True}
    # A C library: neither the C++ standard library nor its version matters.
    languages = "C"

    def set_version(self):
        if not self.version:
            with open(os.path.join(self.recipe_folder, "../../Cargo.toml"), encoding="utf-8") as file:
                self.version = next(line.split('"')[1] for line in file if line.startswith("version = "))

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "../..")
        for pattern in ("src/*", "include/*", "packaging/*", "adapters/wasm2c/*", "c-tests/setup/*", "Cargo.*",
                        "build.rs", "cbindgen.toml", "Makefile", "LICENSE-*"):  # fmt: skip
            copy(self, pattern, root, self.export_sources_folder)

    def layout(self):
        basic_layout(self, src_folder=".")

    def validate(self):
        if self.settings.os not in ("Linux", "Macos") or self.settings.arch not in ("x86_64", "armv8"):
            raise ConanInvalidConfiguration("libwasmtrap runs on Linux and macOS, on x86-64 and arm64")

    def build_id(self):
        # Both libraries come of one build; what differs is what is packed.
        self.info_build.options.shared = "Any"

    def build(self):
        self.run("make SETUP=no V=1 all", cwd=self.source_folder)

    def package(self):
        self.run(f'make SETUP=no install DESTDIR= PREFIX="{self.package_folder}"', cwd=self.source_folder)
        copy(self, "LICENSE-*", self.source_folder, os.path.join(self.package_folder, "licenses"))
        # Conan's generators say all that these say, but how wasm2c's modules are built.
        for folder in ("lib/pkgconfig", "share/man"):
            rmdir(self, os.path.join(self.package_folder, folder))
        rm(self, "wasmtrap-config*.cmake", os.path.join(self.package_folder, WASM2C_CMAKE))
        unwanted = "libwasmtrap.a" if self.options.shared else "libwasmtrap*.so*"
        self.run(f"rm -f {unwanted}", cwd=os.path.join(self.package_folder, "lib"))

    def package_info(self):
        self.cpp_info.libs = ["wasmtrap"]
        self.cpp_info.set_property("cmake_file_name", "wasmtrap")
        static = not self.options.shared
        self.cpp_info.set_property("cmake_target_name", f"wasmtrap::wasmtrap{'_static' if static else ''}")
        self.cpp_info.set_property("pkg_config_name", "wasmtrap")
        # For include(wasmtrap-wasm2c) after find_package(wasmtrap).
        self.cpp_info.builddirs = [WASM2C_CMAKE]
        if static and self.settings.os == "Linux":
            self.cpp_info.system_libs = ["pthread", "dl"]
