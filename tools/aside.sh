#!/usr/bin/env bash
# Makes an environment of its own, .venv-NAME, for a program that must not live among the service's packages:
#   tools/aside.sh fuzz      atheris, for `make proof-parsers`
#   tools/aside.sh mutants   mutmut, for `make proof-mutants`
#   tools/aside.sh sqlmap    sqlmap, for `make proof-sql`
#   tools/aside.sh peers     django-helpdesk, which `python -m tests.benchmarks.order_peer` measures beside our list
# Does nothing when it is there. HOTLINE_WHEELS=FOLDER installs from a local folder of packages, without any network.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
  fuzz) packages=(--only-binary ":all:" atheris==3.0.0) ;;
  mutants) packages=(mutmut==3.8.1) ;;
  sqlmap) packages=(sqlmap==1.10.10) ;;
  peers) packages=(django-helpdesk==2.6.1) ;;
  *)
    echo "usage: tools/aside.sh fuzz | mutants | sqlmap | peers" >&2
    exit 2
    ;;
esac
[ -f ".venv-$1/.ready" ] && exit 0
echo "» ${packages[-1]} into .venv-$1 (once)"
"${PYTHON:-python3}" -m venv ".venv-$1"
from=()
if [ -n "${HOTLINE_WHEELS:-}" ]; then from=(--no-index --find-links "$HOTLINE_WHEELS"); fi
".venv-$1/bin/pip" install --quiet --disable-pip-version-check "${from[@]}" "${packages[@]}"
touch ".venv-$1/.ready"
