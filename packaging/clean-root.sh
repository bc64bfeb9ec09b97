#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tries the ways in on fresh minimal Debian roots: packages built in one and tested in another, the README's commands in a third.
# usage (as root): clean-root.sh bookworm|trixie FOLDER [base|build|test|user|native|clean]...   needs debootstrap and 12 GB
#   base    debootstrap, kept in FOLDER/SUITE-base
#   build   packages from this source tree, in a copy of the base, into FOLDER/SUITE-packages
#   test    those packages installed in another copy, then packaging/test-installed.sh
#   user    in a third copy: git, a clone, ./run demo, and the seconds until its picture is there; thzum-rx, the virtual radio
#   native  ./run test in that clone
#   clean   unmount and remove the copies
# Without a step: base, build, test. The mirror is this machine's; THZUM_ROOT_FILES names files that the roots
# need as well, such as a proxy's certificate or /etc/pip.conf.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ $# -ge 2 ] || { sed -n '3,13s/^# \?//p' "$0" >&2; exit 2; }
suite=$1
mkdir -p "$2"
work=$(cd "$2" && pwd)
shift 2

mirror() {
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' | awk -v s="$1" '$1 == "Debian" && /security/ == s {print $2; exit}'
}

make_base() {
    local base=$work/$suite-base file
    [ -f "$base.done" ] && return
    rm -rf "$base"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$base" "$(mirror 0)"
    {
        echo "deb $(mirror 0) $suite main"
        echo "deb $(mirror 0) $suite-updates main"
        echo "deb $(mirror 1) $suite-security main"
    } >"$base/etc/apt/sources.list"
    for file in ${THZUM_ROOT_FILES:-}; do install -D -m 644 "$file" "$base$file"; done
    echo force-unsafe-io >"$base/etc/dpkg/dpkg.cfg.d/unsafe-io" # a thrown-away root need not survive a crash
    touch "$base.done"
}

# A copy of the base with this source tree in /src. usage: fresh_root NAME
fresh_root() {
    remove_root "$1"
    cp -a "$work/$suite-base" "$work/$suite-$1"
    mkdir -p "$work/$suite-$1/src"
    tar -C "$root" --exclude=./.git --exclude='./build*' -c . | tar -C "$work/$suite-$1/src" -x
}

# usage: inside NAME COMMAND...
inside() {
    local name=$1 folder=$work/$suite-$1
    shift
    mountpoint -q "$folder/proc" || mount -t proc proc "$folder/proc"
    for point in dev dev/pts dev/shm; do
        mountpoint -q "$folder/$point" || mount --bind "/$point" "$folder/$point"
    done
    cp /etc/resolv.conf "$folder/etc/resolv.conf"
    env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb DEBIAN_FRONTEND=noninteractive \
        DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-}" OMP_NUM_THREADS="${OMP_NUM_THREADS:-}" chroot "$folder" "$@"
}

remove_root() {
    local folder=$work/$suite-$1 point
    for point in dev/shm dev/pts dev proc; do
        if mountpoint -q "$folder/$point"; then umount "$folder/$point"; fi
    done
    rm -rf --one-file-system "$folder"
}

build_packages() {
    fresh_root build
    inside build /src/packaging/build-deb.sh /packages
    rm -rf "$work/$suite-packages"
    cp -a "$work/$suite-build/packages" "$work/$suite-packages"
}

# What debian/tests/control depends on beside the packages themselves.
test_dependencies() { awk '/^Depends:/ {on = 1; next} /^[^ ]/ {on = 0} on && !/@/ {gsub(/[ ,]/, ""); print}' "$root/debian/tests/control"; }

test_packages() {
    fresh_root test
    cp -a "$work/$suite-packages" "$work/$suite-test/packages"
    inside test apt-get update -q
    # shellcheck disable=SC2046
    inside test sh -c 'apt-get install -q -y --no-install-recommends /packages/*.deb "$@"' sh $(test_dependencies)
    inside test /src/packaging/test-installed.sh -q
}

# The commands of the README, with nothing installed before but git, and those of its part "Live" without a screen.
new_user() {
    fresh_root user
    rm -rf "$work/$suite-user/src"
    inside user apt-get update -q
    inside user apt-get install -q -y --no-install-recommends git
    git clone -q --no-hardlinks "$root" "$work/$suite-user/root/gr-thzum"
    local begin=$SECONDS
    inside user sh -c 'cd /root/gr-thzum && ./run demo && test -s build/demo.png'
    echo "$suite: first picture after $((SECONDS - begin)) s"
    inside user sh -ec 'cd /root/gr-thzum; export QT_QPA_PLATFORM=offscreen
        ./run exec thzum-rx --no-gui --frames 16
        ./run exec thzum-rx --frames 16 --picture /tmp/thzum_rx.png; test -s /tmp/thzum_rx.png
        ./run exec grcc -o /tmp examples/virtual_radio_tx.grc examples/virtual_radio_rx.grc
        ./run exec timeout --preserve-status 30 python3 /tmp/virtual_radio_rx.py & ./run exec timeout --preserve-status 20 python3 /tmp/virtual_radio_tx.py; wait'
}

native_tests() { inside user sh -c 'cd /root/gr-thzum && ./run test'; }

for step in "${@:-base build test}"; do
    for step in $step; do
        case $step in
            base) make_base ;;
            build) build_packages ;;
            test) test_packages ;;
            user) new_user ;;
            native) native_tests ;;
            clean) remove_root build; remove_root test; remove_root user ;;
            *) echo "clean-root.sh: unknown step '$step'" >&2; exit 2 ;;
        esac
    done
done
