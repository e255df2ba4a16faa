# The static library beside everything else that comes into a program: `make check-static-archive`.

CHECKS += check-static-archive
.PHONY: check-static-archive
check-static-archive: $(LIB_STATIC)
	CC="$(CC)" CARGO="$(CARGO)" TOOLS="$(TOOLS)" $(PROVE) -v c-tests/static-archive/links.t :: $(LIB_STATIC)
