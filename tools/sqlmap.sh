#!/usr/bin/env bash
# Makes .venv-sqlmap with sqlmap in it, for `make proof-sql`. Does nothing when it is there.
# HOTLINE_WHEELS=FOLDER installs from a local folder of packages, without any network.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f .venv-sqlmap/.ready ] && exit 0
echo "» sqlmap into .venv-sqlmap (once)"
"${PYTHON:-python3}" -m venv .venv-sqlmap
from=()
if [ -n "${HOTLINE_WHEELS:-}" ]; then from=(--no-index --find-links "$HOTLINE_WHEELS"); fi
.venv-sqlmap/bin/pip install --quiet --disable-pip-version-check "${from[@]}" sqlmap==1.10.10
touch .venv-sqlmap/.ready
