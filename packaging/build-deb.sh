#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the Debian packages of this source tree for the Debian it runs on (12 or 13).
# usage: build-deb.sh OUTPUT_DIR; needs root or sudo if build dependencies are missing. Where Debian does not
# package ONNX Runtime, ./run setup prepares it first and the library package holds a copy.
# DEB_BUILD_OPTIONS=nocheck leaves the C++ units and block tests out.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${THZUM_BUILD:-$root/build}
[ $# -eq 1 ] || { echo "usage: $0 OUTPUT_DIR" >&2; exit 2; }
mkdir -p "$1" "$build/package"
output=$(cd "$1" && pwd)
tree=$build/package/gr-thzum

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# A copy, so that debhelper leaves nothing in the source tree.
rm -rf "$tree" && mkdir -p "$tree"
tar -C "$root" --exclude=./.git --exclude='./build*' --exclude=__pycache__ -c . | tar -C "$tree" -x

as_root apt-get update -q
export DEB_BUILD_PROFILES=${DEB_BUILD_PROFILES:-}
if [ -z "$(apt-cache madison libonnxruntime-dev)" ]; then
    "$root/cmake/setup.sh" base "$build"
    DEB_BUILD_PROFILES+=" pkg.gr-thzum.bundle"
fi
case " ${DEB_BUILD_OPTIONS:-} " in *" nocheck "*) DEB_BUILD_PROFILES+=" nocheck" ;; esac
export ONNXRUNTIME_SETUP=$build/onnxruntime
as_root env DEBIAN_FRONTEND=noninteractive DEB_BUILD_PROFILES="$DEB_BUILD_PROFILES" \
    apt-get build-dep -q -y --no-install-recommends "$tree"
(cd "$tree" && dpkg-buildpackage -b -us -uc)
find "$build/package" -maxdepth 1 -name '*.deb' ! -name '*-dbgsym_*' -exec mv -t "$output" {} +
ls -l "$output"
