# The ways in: each is built as its users' tools would, from a copy of the source outside of the tree, and tried by a
# program that traps (c-tests/packaging). What they share is what `make install` installs.

PACKAGING_ENVIRONMENT = MAKE="$(MAKE)" CC="$(CC)" CARGO="$(CARGO)" PYTHON="$(PYTHON)"

.PHONY: check-crates
check-crates: ## both crates, packed, unpacked elsewhere, used; cargo doc without a warning
	$(PACKAGING_ENVIRONMENT) $(PROVE) -v c-tests/packaging/crates.t

.PHONY: check-debian
check-debian: ## the Debian packages, lintian clean, installed in a root and used
	$(PACKAGING_ENVIRONMENT) $(PROVE) -v c-tests/packaging/debian.t

.PHONY: check-conan
check-conan: ## the Conan recipe, with its test package
	$(PACKAGING_ENVIRONMENT) $(PROVE) -v c-tests/packaging/conan.t

.PHONY: check-vcpkg
check-vcpkg: ## the vcpkg port, as far as it can be tried without vcpkg
	$(PACKAGING_ENVIRONMENT) $(PROVE) -v c-tests/packaging/vcpkg.t

.PHONY: check-wheels
check-wheels: ## the wheel for authors of extensions, and that of the Python extension
	$(PACKAGING_ENVIRONMENT) $(PROVE) -v c-tests/packaging/wheels.t

.PHONY: check-examples
check-examples: all ## examples/, built against an installed tree, and run
	$(PACKAGING_ENVIRONMENT) $(PROVE) -v c-tests/packaging/examples.t

.PHONY: check-abi
check-abi: all ## the library against the ABI of the last release, by abidiff and by programs of either
	$(PACKAGING_ENVIRONMENT) $(PROVE) -v c-tests/packaging/abi.t
