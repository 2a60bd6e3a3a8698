#!/usr/bin/env bash
# Installs or uninstalls both programs with their desktop files and icons: install | uninstall
#
#   PREFIX   the target directory (default: /usr/local)
#   DESTDIR  prepended to PREFIX, for building packages
#   BIN_DIR  a directory with loader-app and viewer-app; without it they are built in release mode
set -euo pipefail
# Resolved before common.sh changes the working directory.
bin_dir=${BIN_DIR:+$(realpath --canonicalize-missing "$BIN_DIR")}
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

readonly programs=(loader-app viewer-app)
readonly icon_sides=(32 48 64 128 256)
prefix=${PREFIX:-/usr/local}
case $prefix in
    /*) ;;
    *) die "PREFIX is \"$prefix\". It must be an absolute path, such as PREFIX=\$HOME/.local" ;;
esac
readonly root=${DESTDIR:-}$prefix

# Prints a line for each file: mode, source, and target below the root.
files() {
    local program side
    for program in "${programs[@]}"; do
        printf '%s\t%s\t%s\n' 755 "$1/$program" "bin/$program"
        printf '%s\t%s\t%s\n' 644 "packaging/$program.desktop" "share/applications/$program.desktop"
        printf '%s\t%s\t%s\n' 644 "packaging/icons/scalable/$program.svg" \
            "share/icons/hicolor/scalable/apps/$program.svg"
        for side in "${icon_sides[@]}"; do
            printf '%s\t%s\t%s\n' 644 "packaging/icons/$side/$program.png" \
                "share/icons/hicolor/${side}x$side/apps/$program.png"
        done
    done
}

# Prints the directory with the programs, after building them unless BIN_DIR is set.
binaries() {
    local messages program
    if [ -z "$bin_dir" ]; then
        require_cargo
        messages=$(cargo build --release --locked --message-format=json-render-diagnostics \
            -p loader-app -p viewer-app)
        dirname "$(executable_named loader-app <<<"$messages")"
        return
    fi
    for program in "${programs[@]}"; do
        [ -x "$bin_dir/$program" ] || die "BIN_DIR=$bin_dir does not contain $program."
    done
    printf '%s\n' "$bin_dir"
}

# Desktops cache the icons. A newer modification time makes them read the directory again.
refresh_icons() {
    [ ! -d "$root/share/icons/hicolor" ] || touch "$root/share/icons/hicolor"
}

install_all() {
    local folder mode from to
    folder=$(binaries)
    while IFS=$'\t' read -r mode from to; do
        install -D -m "$mode" "$from" "$root/$to" ||
            die "Cannot install into $root. Choose a writable PREFIX, such as PREFIX=\$HOME/.local"
    done < <(files "$folder")
    refresh_icons
    say "SharedMemoryLoad and ShowSharedMem are installed in $root/bin, as loader-app and viewer-app."
    case :$PATH: in
        *:"$prefix/bin":*) ;;
        *) say "$prefix/bin is not in your PATH." ;;
    esac
}

# Removes a directory and its parents if they are empty. Only below share: the installation probably
# created those, but not bin.
remove_empty() {
    case $1 in
        share/*) [ ! -d "$root/$1" ] || (cd "$root" && rmdir --parents --ignore-fail-on-non-empty "$1") ;;
    esac
}

uninstall_all() {
    local to
    while IFS=$'\t' read -r _ _ to; do
        rm -f "$root/$to" ||
            die "Cannot remove $root/$to. Run this as the user who installed it."
        remove_empty "$(dirname "$to")"
    done < <(files "")
    refresh_icons
    say "SharedMemoryLoad and ShowSharedMem were removed from $root."
}

case ${1:-} in
    install) install_all ;;
    uninstall) uninstall_all ;;
    *)
        say "usage: $0 install|uninstall" >&2
        exit 2
        ;;
esac
