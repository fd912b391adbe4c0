#!/usr/bin/env bash
# Installs slowhttptest, for `make proof-slow`. Does nothing when it is there.
set -euo pipefail
command -v slowhttptest >/dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "This run needs slowhttptest, please install it as root: apt-get install slowhttptest" >&2
  exit 2
fi
echo "» slowhttptest"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slowhttptest >/dev/null
