# Everything a developer or a newcomer does. `make help` lists it.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
T ?= tests
DATA ?= .data
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

help:  ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

setup: .venv/ready .cache/images/tiny.qcow2 webui/vendor/.complete  ## make a fresh Debian 12 ready: packages, .venv, images

build/packages-installed: installer/packages.txt installer/packages.sh
	$(AS_ROOT) installer/packages.sh installer/packages.txt
	mkdir -p build && touch $@

.venv/ready: build/packages-installed requirements.txt pyproject.toml
	test -x $(PYTHON) || /usr/bin/python3 -m venv .venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Scripts and styles of others that pages need; the lock file says which.
webui/vendor/.complete: webui/package-lock.json webui/collect.mjs webui/install.sh build/packages-installed
	webui/install.sh

# The builder looks by itself whether the image is up to date.
.cache/images/tiny.qcow2: .venv/ready FORCE
	$(PYTHON) -m images.build --out $@
FORCE:

run:  ## set up, then bring the cloud up in the foreground with a first VM; Ctrl-C stops it, never the VM
	@start=$$(date +%s); $(MAKE) --no-print-directory setup && echo "set-up took $$(($$(date +%s) - start)) s"
	@$(AS_ROOT) .venv/bin/zstack-appliance up --data $(DATA) --first-vm

check: .venv/ready  ## linters, types, derived files, architecture
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m tests.derived
	$(PYTHON) -m pytest -q tests/test_architecture.py

# A file that has gone changes the list, and any other change its file.
SOURCES := build.spec requirements.txt Makefile $(shell find zstack_appliance agents installer webui docs -type f \
	-not -path '*/__pycache__/*' -not -path '*/node_modules/*' 2>/dev/null | sort)
build/sources: FORCE
	@mkdir -p build && echo '$(SOURCES)' | cmp -s - $@ || echo '$(SOURCES)' > $@

binary: dist/zstack-appliance  ## one file with everything in it: dist/zstack-appliance

dist/zstack-appliance: .venv/ready webui/vendor/.complete .cache/images/tiny.qcow2 build/sources $(SOURCES)
	PYTHONHASHSEED=0 SOURCE_DATE_EPOCH=1672531200 PYINSTALLER_CONFIG_DIR=build/pyinstaller \
	$(PYTHON) -m PyInstaller --noconfirm --log-level ERROR --distpath build/pyinstaller/dist --workpath build/pyinstaller build.spec

build/test-packages-installed: installer/packages-test.txt installer/packages.sh
	$(AS_ROOT) installer/packages.sh installer/packages-test.txt
	mkdir -p build && touch $@

test: setup binary build/test-packages-installed  ## every test a machine can run, on every core; T=path for a part
	$(AS_ROOT) $(PYTHON) -m pytest -m "not long and not marathon" --numprocesses auto --dist loadgroup $(T)

test-long: setup  ## kill sweeps, a soak, thousands of model steps, planted faults, steps of others at every place
	$(AS_ROOT) $(PYTHON) -m pytest -m long $(T)

marathon: setup  ## model steps and calls by the thousand from seeds that nobody knows
	$(AS_ROOT) $(PYTHON) -m pytest -m marathon $(T)

test-deep: setup binary build/test-packages-installed  ## install on a fresh Debian under QEMU, reboot it, remove all again
	$(AS_ROOT) $(PYTHON) -m tests.deep

prove-red: setup  ## drop each undo in turn; every one must turn a proof red
	$(PYTHON) -m tests.proofs.red

bench: setup  ## measure; ratios within one run, nothing asserted
	$(AS_ROOT) $(PYTHON) -m tests.bench

soak: setup  ## ten thousand VMs come and go; what must stay flat is measured and drawn to docs/soak.svg
	$(AS_ROOT) $(PYTHON) -m tests.bench.soak --plot docs/soak.svg

clean:  ## remove what was built; data folders and VMs stay
	rm -rf build dist .cache .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help setup run check binary test test-long marathon test-deep prove-red bench soak clean FORCE
