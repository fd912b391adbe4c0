#!/usr/bin/env bash
# Installs what the whole test run needs besides Python packages: SIPp, Chromium and its driver's library, Chinese fonts,
# PostgreSQL, mmdebstrap, and libfaketime, with which tests set Asterisk's clock.
set -euo pipefail
need=()
command -v sipp >/dev/null || need+=(sip-tester)
command -v chromium >/dev/null || need+=(chromium)
command -v mmdebstrap >/dev/null || need+=(mmdebstrap)
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || need+=(libfaketime)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need+=(postgresql)
[ -n "$(find /usr/share/fonts -iname '*wqy*' -o -iname '*noto*cjk*' 2>/dev/null | head -n 1)" ] || need+=(fonts-wqy-microhei)
ldconfig -p 2>/dev/null | grep -q libatomic.so.1 || need+=(libatomic1) # of the browser's driver
[ ${#need[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need these packages, please install them as root: apt-get install ${need[*]}" >&2
  exit 2
fi
echo "» Test packages: ${need[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
