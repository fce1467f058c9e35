#!/usr/bin/env bash
# Puts Debian's prometheus and promtool into a folder: unpack_prometheus.sh FOLDER. Needs no root where the
# package lists are there.
set -euo pipefail
folder=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! apt-get download -q prometheus >download.log 2>&1; then
  # The lists may be missing, or older than the archive.
  apt-get update -q >update.log 2>&1 || true
  apt-get download -q prometheus >download.log 2>&1 || { cat update.log download.log >&2; exit 1; }
fi
dpkg-deb -x prometheus_*.deb unpacked
install -m 755 unpacked/usr/bin/prometheus unpacked/usr/bin/promtool "$folder"
