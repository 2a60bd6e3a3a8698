#!/usr/bin/env bash
# Installs both programs for a desktop, or takes them away again: install | uninstall
#
#   PREFIX   where to: /usr/local, unless it is set
#   DESTDIR  put before PREFIX, for those who build packages
#   BIN_DIR  a folder with loader-app and viewer-app; without it they are built for release
set -euo pipefail
# Before common.sh goes elsewhere: it may be meant from here.
bin_dir=${BIN_DIR:+$(realpath --canonicalize-missing "$BIN_DIR")}
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

readonly programs=(loader-app viewer-app)
readonly icon_sides=(32 48 64 128 256)
prefix=${PREFIX:-/usr/local}
case $prefix in
    /*) ;;
    *) die "PREFIX is \"$prefix\". Give a whole path, such as PREFIX=\$HOME/.local" ;;
esac
readonly root=${DESTDIR:-}$prefix

# Prints a line for each file: its mode, where it comes from, where it goes below the root.
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

# Prints the folder with the programs, built where nobody gave one.
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
        [ -x "$bin_dir/$program" ] || die "There is no $program in BIN_DIR=$bin_dir."
    done
    printf '%s\n' "$bin_dir"
}

# Desktops keep a list of the icons that is newer than the folder; made newer, the folder is read again.
refresh_icons() {
    [ ! -d "$root/share/icons/hicolor" ] || touch "$root/share/icons/hicolor"
}

install_all() {
    local folder mode from to
    folder=$(binaries)
    while IFS=$'\t' read -r mode from to; do
        install -D -m "$mode" "$from" "$root/$to" ||
            die "Nothing can be put into $root. Choose a PREFIX of your own, such as PREFIX=\$HOME/.local"
    done < <(files "$folder")
    refresh_icons
    say "SharedMemoryLoad and ShowSharedMem are installed in $root/bin, as loader-app and viewer-app."
    case :$PATH: in
        *:"$prefix/bin":*) ;;
        *) say "Your PATH does not have $prefix/bin yet." ;;
    esac
}

# Removes a folder, and those above it, where nothing is left in them. Folders below share were most
# likely made by the installation; bin was there before.
remove_empty() {
    case $1 in
        share/*) [ ! -d "$root/$1" ] || (cd "$root" && rmdir --parents --ignore-fail-on-non-empty "$1") ;;
    esac
}

uninstall_all() {
    local to
    while IFS=$'\t' read -r _ _ to; do
        rm -f "$root/$to" ||
            die "$root/$to cannot be removed. Who installed it can do that."
        remove_empty "$(dirname "$to")"
    done < <(files "")
    refresh_icons
    say "SharedMemoryLoad and ShowSharedMem are gone from $root."
}

case ${1:-} in
    install) install_all ;;
    uninstall) uninstall_all ;;
    *)
        say "usage: $0 install|uninstall" >&2
        exit 2
        ;;
esac
