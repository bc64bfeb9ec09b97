#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what the build needs: Debian packages, a virtual environment on the system Python, and ONNX
# Runtime. usage: setup.sh base|full|docs BUILD_DIR. A stamp per profile makes a second run a matter of seconds.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
profile=$1
build=$2
mkdir -p "$build"

packages=(gnuradio gnuradio-dev libvolk2-dev libfftw3-dev libeigen3-dev pybind11-dev libboost-dev
    libboost-test-dev libspdlog-dev libgmp-dev libsndfile1-dev python3-dev python3-venv python3-numpy
    pkg-config git python3-scipy python3-matplotlib gir1.2-gtk-3.0 python3-gi-cairo python3-pyqt5 libsoapysdr-dev python3-soapysdr cmake ninja-build g++ ccache xz-utils ca-certificates)

wanted() { cat "$root/cmake/setup.sh" "$root"/requirements*.txt | cksum; }
is_done() { [ -f "$build/setup-$1.stamp" ] && [ "$(cat "$build/setup-$1.stamp")" = "$(wanted)" ]; }
step() { echo "set-up: $*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        echo "set-up: needs root or sudo for: $*" >&2
        exit 1
    fi
}

quietly() {
    "$@" >>"$build/setup.log" 2>&1 || {
        tail -n 30 "$build/setup.log" >&2
        echo "set-up: '$*' failed; the whole log is $build/setup.log" >&2
        exit 1
    }
}

# Debian 13 calls the VOLK headers libvolk-dev.
if grep -qs '^VERSION_ID="13"' /etc/os-release; then
    packages=("${packages[@]/libvolk2-dev/libvolk-dev}" libonnxruntime-dev)
fi

install_packages() {
    local name missing=()
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return
    step "installing ${#missing[@]} Debian packages (a few minutes)"
    quietly as_root apt-get update
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

make_environment() {
    [ -x "$build/venv/bin/pip" ] || quietly /usr/bin/python3 -m venv --system-site-packages "$build/venv"
    step "installing Python packages ($1)"
    quietly "$build/venv/bin/pip" install --disable-pip-version-check -r "$root/$1"
}

# The C++ headers are packaged from Debian 13 on. On Debian 12 that package is unpacked, not installed,
# and the shared library is taken from the Python wheel; its C API is backward compatible.
unpack_onnxruntime_headers() {
    local apt=$build/onnxruntime/apt mirror options
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' | awk '$1 == "Debian" && !/security/ {print $2; exit}')
    if [ -z "$mirror" ]; then
        echo "set-up: found no Debian mirror in the apt configuration; set ONNXRUNTIME_ROOT to an unpacked release" >&2
        exit 1
    fi
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
    options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Acquire::Languages=none)
    [ "$(id -u)" = 0 ] && options+=(-o APT::Sandbox::User=root)
    (cd "$apt" && quietly apt-get "${options[@]}" update && quietly apt-get "${options[@]}" download libonnxruntime-dev)
    dpkg-deb -x "$apt"/libonnxruntime-dev_*.deb "$apt/root"
    rm -rf "$build/onnxruntime/include"
    cp -r "$apt/root/usr/include/onnxruntime" "$build/onnxruntime/include"
    rm -rf "$apt"
}

link_onnxruntime_library() {
    local library
    library=$(find "$build/venv/lib" -path '*/onnxruntime/capi/libonnxruntime.so.*' -print -quit)
    mkdir -p "$build/onnxruntime/lib"
    cp -f "$library" "$build/onnxruntime/lib/libonnxruntime.so.1"
    ln -sf libonnxruntime.so.1 "$build/onnxruntime/lib/libonnxruntime.so"
    cp -f "$(dirname "$library")"/../{LICENSE,ThirdPartyNotices.txt} "$build/onnxruntime/"
}

prepare_onnxruntime() {
    [ -n "${ONNXRUNTIME_ROOT:-}" ] && return
    dpkg-query -W -f '${Status}' libonnxruntime-dev 2>/dev/null | grep -q 'ok installed' && return
    step "preparing ONNX Runtime"
    mkdir -p "$build/onnxruntime"
    [ -f "$build/onnxruntime/include/onnxruntime_cxx_api.h" ] || unpack_onnxruntime_headers
    link_onnxruntime_library
}

case $profile in base | full | docs) ;; *) echo "set-up: expected 'base', 'full' or 'docs', got '$profile'" >&2; exit 2 ;; esac
site_packages=(doxygen furo python3-myst-parser python3-sphinx)
if [ "$profile" = docs ]; then
    install_packages "${site_packages[@]}"
    exit
fi
if ! is_done base; then
    : >"$build/setup.log"
    install_packages "${packages[@]}"
    make_environment requirements.txt
    prepare_onnxruntime
    wanted >"$build/setup-base.stamp"
fi
if [ "$profile" = full ] && ! is_done full; then
    install_packages "${site_packages[@]}"
    make_environment requirements-train.txt
    wanted >"$build/setup-full.stamp"
fi
