#!/usr/bin/env bash
# Installs the missing Debian packages for: window | headless | test | bench
#
#   window    the two windows on a desktop
#   headless  the same two windows on a virtual display
#   test      the programs that the tests start
#   bench     the peers that `make bench` compares with, if they are available
#
# Prints and does nothing if all are installed. If one is missing and cannot be installed, prints which, and
# exits with 1.
set -euo pipefail

readonly linker=(gcc libc6-dev)
readonly window=(
    libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3
)
readonly headless=(
    xvfb openbox xdotool xclip x11-utils x11-xkb-utils
    fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji
)
readonly portal=(dbus xdg-desktop-portal xdg-desktop-portal-gtk)
readonly qt=(g++ pkg-config qt6-base-dev qtbase5-examples python3-venv)

wanted() {
    command -v cc >/dev/null || printf '%s\n' "${linker[@]}"
    if [ "$1" = bench ]; then
        printf '%s\n' g++ pkg-config qt6-base-dev python3
        return
    fi
    printf '%s\n' "${window[@]}"
    case $1 in
        window) ;;
        headless) printf '%s\n' "${headless[@]}" ;;
        test)
            printf '%s\n' "${headless[@]}" "${portal[@]}" "${qt[@]}"
            printf '%s\n' python3 desktop-file-utils ffmpeg valgrind
            # The oldest Rust that shm-core promises; only this release carries it.
            if grep -qx 'VERSION_ID="12"' /etc/os-release && grep -qx 'ID=debian' /etc/os-release; then
                printf '%s\n' rustc-web cargo-web
            fi
            ;;
        *)
            echo "usage: $0 window|headless|test|bench" >&2
            exit 2
            ;;
    esac
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing() {
    local package
    for package in "$@"; do
        is_installed "$package" || printf '%s\n' "$package"
    done
}

# Prints the prefix of a command that runs as root; fails if there is none.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        echo env
    elif command -v sudo >/dev/null && sudo --non-interactive true 2>/dev/null; then
        echo sudo --non-interactive
    else
        return 1
    fi
}

apt_install() {
    # `env` as an argument, because sudo resets the environment.
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet --quiet --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@"
}

list=$(wanted "${1:-}")
mapfile -t packages <<<"$list"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This system has no apt, so nothing was installed. The names of the required packages in Debian:"
    echo "  ${packages[*]}"
    exit 0
fi

list=$(missing "${packages[@]}")
[ -n "$list" ] || exit 0
mapfile -t packages <<<"$list"

if ! prefix=$(as_root); then
    echo "System packages are missing, and installing them needs root. Run:" >&2
    echo "  sudo apt-get install ${packages[*]}" >&2
    exit 1
fi
read -r -a root <<<"$prefix"

echo "Installing ${packages[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A new machine has no package lists, and old lists name files that no longer exist. In both cases the
# first attempt fails, and only then the lists are fetched.
if ! apt_install "${packages[@]}" >"$log" 2>&1; then
    if ! { "${root[@]}" apt-get update --quiet --quiet && apt_install "${packages[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "apt-get could not install: ${packages[*]}" >&2
        exit 1
    fi
fi
