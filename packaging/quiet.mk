# Without V=1, make says a word and a name for each file that it builds, `CC trap_table.c`, and not the commands. Rules
# need nothing for it: make looks up SHELL for each line of a recipe, and knows there what the line is to build. It goes
# by the names of the files, and leaves targets that are no files alone, as it does `make install`, which shows what it
# puts where.

ifeq ($(filter 1,$(V))$(filter install uninstall,$(MAKECMDGOALS)),)
MAKEFLAGS += --silent

# $(1) is what is built, $(2) what it is made of. What cargo builds, cargo tells.
QUIET_EMPTY :=
QUIET_WORD = $(strip $(or $(QUIET_WORD_OF_$(suffix $(2))_TO_$(suffix $(1))),$(QUIET_WORD_OF_TO_$(suffix $(1))),\
    $(if $(findstring .so,$(1)),LINK),MAKE))
QUIET_WORD_OF_.c_TO_.o := CC
QUIET_WORD_OF_.cc_TO_.o := CXX
QUIET_WORD_OF_.S_TO_.o := AS
QUIET_WORD_OF_.wat_TO_.wasm := WAT2WASM
QUIET_WORD_OF_.wasm_TO_.c := WASM2C
QUIET_WORD_OF_TO_.t := LINK
# Where that is what its name is about.
QUIET_NAME = $(notdir $(if $(filter CC CXX AS,$(QUIET_WORD)),$(2),$(1)))

# Once for each file: a recipe has several lines. Not for what only asks cargo.
QUIET_SAY = $(if $(and $(findstring /,$(1)),$(if $(filter $(1),$(QUIET_SAID)),,yes)),$(eval QUIET_SAID += $(1))$(if \
    $(filter FORCE,$(3)),,$(info $(QUIET_EMPTY)  $(QUIET_WORD) $(QUIET_NAME))))
SHELL = $(call QUIET_SAY,$@,$<,$^)/bin/sh
endif
