"""A cc_library of what pkg-config says of an installed library."""

def _words_of(ctx, *arguments):
    result = ctx.execute(["pkg-config", "--print-errors"] + list(arguments) + [ctx.name.split("~")[-1].split("+")[-1]])
    if result.return_code != 0:
        fail("pkg-config: " + result.stderr)
    return result.stdout.strip()

def _implementation(ctx):
    # Inside the repository, so that Bazel's sandbox lets the compiler see it.
    ctx.symlink(_words_of(ctx, "--variable=includedir") + "/wasmtrap.h", "include/wasmtrap.h")
    libdir = _words_of(ctx, "--variable=libdir")
    ctx.file("BUILD.bazel", """
cc_library(
    name = "wasmtrap",
    hdrs = ["include/wasmtrap.h"],
    includes = ["include"],
    linkopts = {linkopts},
    visibility = ["//visibility:public"],
)
""".format(linkopts = repr(_words_of(ctx, "--libs").split(" ") + ["-Wl,-rpath," + libdir])))

pkg_config_library = repository_rule(implementation = _implementation, environ = ["PKG_CONFIG_PATH"], local = True)
