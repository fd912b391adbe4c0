#!/usr/bin/env bash
# Makes .venv with the locked packages and this project in it. Does nothing when it is up to date.
# HOTLINE_WHEELS=FOLDER installs from a local folder of packages, without any network.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  echo "hotline needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1). Install python3.11 or set PYTHON=…" >&2
  exit 2
}
stamp=.venv/.ready
if [ -f "$stamp" ] && [ "$stamp" -nt requirements.lock ] && [ "$stamp" -nt pyproject.toml ]; then
  exit 0
fi
echo "» Python packages into .venv (once, about a minute)"
if ! "$python" -m venv .venv >/dev/null 2>&1; then
  rm -rf .venv
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "» python3-venv is missing, installing it"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv
    "$python" -m venv .venv
  else
    echo "This Python cannot make virtual environments. As root: apt-get install python3-venv" >&2
    exit 2
  fi
fi
from=()
if [ -n "${HOTLINE_WHEELS:-}" ]; then from=(--no-index --find-links "$HOTLINE_WHEELS"); fi
.venv/bin/pip install --quiet --disable-pip-version-check "${from[@]}" -r requirements.lock
.venv/bin/pip install --quiet --disable-pip-version-check "${from[@]}" --no-deps --no-build-isolation -e .
touch "$stamp"
