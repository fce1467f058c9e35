#!/usr/bin/env bash
# Makes sure there is a Chromium for the tests of pages, in which they work the keys. It has too many parts to be
# unpacked beside us as Prometheus is; so where there is none, the distribution installs it, if we may ask it to.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests of pages need Chromium. Install it once: sudo apt-get install chromium" >&2
  exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium >>"$log" 2>&1; }
# The lists may be missing, or older than the archive.
install || { apt-get update -q >>"$log" 2>&1 && install; } || { cat "$log" >&2; exit 1; }
