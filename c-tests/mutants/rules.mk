# Mutation testing: see README.md here.

.PHONY: mutants
mutants: ## break the library on purpose, and list what no test notices (MUTANTS='--only PART --generated')
	$(PYTHON) c-tests/mutants/run.py $(MUTANTS)

# For continuous integration, which has three minutes for it: those of what a change touches first, and then some of the
# others. One whose place in the source is gone is a failure, whichever is looked at.
MUTANTS_SINCE ?= HEAD~20
MUTANTS_MOST ?= 12
CHECKS += check-mutants
.PHONY: check-mutants
check-mutants: ## the same for a few, those of what has changed since MUTANTS_SINCE first
	$(PYTHON) c-tests/mutants/run.py --quick --fill --most $(MUTANTS_MOST) --changed-since \
	    "$$(git rev-parse -q --verify $(MUTANTS_SINCE) || git rev-list --max-parents=0 HEAD 2>/dev/null | tail -n 1)"
