# Mutation testing: see README.md here.

.PHONY: mutants
mutants: ## break the library on purpose, and list what no test notices (MUTANTS='--only PART --generated')
	$(PYTHON) c-tests/mutants/run.py $(MUTANTS)

# For continuous integration: what a change touches. All of them take too long there.
MUTANTS_SINCE ?= HEAD~20
MUTANTS_MOST ?= 8
.PHONY: check-mutants
check-mutants: ## the same for some of the mutants of what has changed since MUTANTS_SINCE
	$(PYTHON) c-tests/mutants/run.py --most $(MUTANTS_MOST) --changed-since \
	    $$(git rev-parse -q --verify $(MUTANTS_SINCE) || git rev-list --max-parents=0 HEAD | tail -n 1)
