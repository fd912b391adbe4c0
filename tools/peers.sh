#!/usr/bin/env bash
# Makes .venv-peers with django-helpdesk in it, which `python -m tests.benchmarks.order_peer` measures beside our list.
# Does nothing when it is there. HOTLINE_WHEELS=FOLDER installs from a local folder of packages, without any network.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f .venv-peers/.ready ] && exit 0
echo "» django-helpdesk into .venv-peers (once)"
"${PYTHON:-python3}" -m venv .venv-peers
from=()
if [ -n "${HOTLINE_WHEELS:-}" ]; then from=(--no-index --find-links "$HOTLINE_WHEELS"); fi
.venv-peers/bin/pip install --quiet --disable-pip-version-check "${from[@]}" django-helpdesk==2.6.1
touch .venv-peers/.ready
