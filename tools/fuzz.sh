#!/usr/bin/env bash
# Makes .venv-fuzz with atheris in it, for `make proof-parsers`. Does nothing when it is there.
# HOTLINE_WHEELS=FOLDER installs from a local folder of packages, without any network.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f .venv-fuzz/.ready ] && exit 0
echo "» atheris into .venv-fuzz (once)"
"${PYTHON:-python3}" -m venv .venv-fuzz
from=()
if [ -n "${HOTLINE_WHEELS:-}" ]; then from=(--no-index --find-links "$HOTLINE_WHEELS"); fi
.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --only-binary :all: "${from[@]}" atheris==3.0.0
touch .venv-fuzz/.ready
