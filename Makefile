# make run     set up and start Jurybox
# make test    set up and run every check; BROWSER=skip leaves the browser tests out
# make pins    resolve requirements.in and requirements-dev.in anew
# make messages   gather what is said in templates and code into locale/*/LC_MESSAGES/django.po

.DELETE_ON_ERROR:
.PHONY: setup setup-test run test lint check browser messages pins clean

VENV := .venv
PYTHON := $(VENV)/bin/python
UV := uv==0.13.9
PYTHONS := python3.11 python3 python3.12 python3.13 python3.14

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# uv reads none of pip's variables.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_EXTRA_INDEX_URL
export UV_INDEX ?= $(PIP_EXTRA_INDEX_URL)
endif
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
endif

CATALOGS := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))

setup: $(VENV)/.installed $(CATALOGS)
setup-test: $(VENV)/.installed-dev $(CATALOGS)

run: setup
	@exec $(PYTHON) manage.py up

test: export JURYBOX_HOME ?= .jurybox/test
test: export XDG_CACHE_HOME := $(CURDIR)/.jurybox/cache
test: export HF_HOME := $(CURDIR)/.jurybox/cache/huggingface
test: setup-test browser lint check
	$(PYTHON) -m pytest tests --ignore=tests/browser
ifneq ($(BROWSER),skip)
	$(PYTHON) -m pytest tests/browser
endif

lint: setup-test
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy .
	$(PYTHON) $(VENV)/bin/lint-imports
	$(PYTHON) manage.py messages --check

check: setup-test
	JURYBOX_MODE=production ALLOWED_HOSTS=jurybox.example CELERY_BROKER_URL=amqp://broker.example \
	DATABASE_URL=postgresql://jurybox@database.example/jurybox \
	SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(60))') \
	$(PYTHON) manage.py check --deploy --fail-level WARNING
	$(PYTHON) manage.py makemigrations --check --dry-run

browser:
ifneq ($(BROWSER),skip)
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium; \
	else \
	  echo 'The browser tests need Chromium: install the package "chromium", or run make test BROWSER=skip.' >&2; \
	  exit 1; \
	fi
endif

messages: setup
	$(PYTHON) manage.py messages

COMPILE := $(VENV)/bin/uv pip compile --upgrade --system-certs --universal --python-version 3.11

pins: setup-test
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf $(VENV) $(CATALOGS) staticfiles .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.made:
	@for python in $(PYTHONS); do \
	  $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  echo "Making $(VENV) with $$($$python --version)"; $$python -m venv $(VENV) && touch $@; exit; \
	done; echo 'Jurybox needs Python 3.11 or newer with venv (on Debian or Ubuntu: python3-venv).' >&2; exit 1
	@$(PYTHON) -m pip install --quiet --no-cache-dir $(UV) || echo 'No uv here; pip will do.' >&2

# uv is quicker, pip knows the machine's own package index.
define install
	@echo 'Installing $(1)'
	@$(VENV)/bin/uv pip install --quiet --no-cache --system-certs --python $(PYTHON) -r $(1) \
	  || { echo 'uv could not; pip tries.' >&2; $(PYTHON) -m pip install --quiet --no-cache-dir -r $(1); }
	@touch $@
endef

$(VENV)/.installed: requirements.txt | $(VENV)/.made
	$(call install,requirements.txt)

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(call install,requirements-dev.txt)

# Compiled catalogs are never committed. Babel brings its own compiler, so no machine needs msgfmt.
%.mo: %.po | $(VENV)/.installed
	@$(PYTHON) -m babel.messages.frontend --quiet compile --input-file $< --output-file $@
