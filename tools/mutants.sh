#!/usr/bin/env bash
# Makes .venv-mutants with mutmut in it, for `make proof-mutants`. Does nothing when it is there.
# HOTLINE_WHEELS=FOLDER installs from a local folder of packages, without any network.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f .venv-mutants/.ready ] && exit 0
echo "» mutmut into .venv-mutants (once)"
"${PYTHON:-python3}" -m venv .venv-mutants
from=()
if [ -n "${HOTLINE_WHEELS:-}" ]; then from=(--no-index --find-links "$HOTLINE_WHEELS"); fi
.venv-mutants/bin/pip install --quiet --disable-pip-version-check "${from[@]}" mutmut==3.8.1
touch .venv-mutants/.ready
