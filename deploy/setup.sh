#!/bin/sh
# Sets this machine up: what is missing of the Debian packages, our own Python environment, the translated words.
#
#     sh deploy/setup.sh runtime|test|words
#
# It may be run again at any time, twice at once, and after a power cut in the middle. Every package it needs is in
# deploy/apt-packages.txt and the requirements locks; nothing else is installed.
set -eu

here=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
group=${1:-runtime}
venv=$here/.venv
packages=$here/deploy/apt-packages.txt
case $group in
    test) wanted='runtime|test' lock=$here/requirements-dev.lock ;;
    runtime | words) wanted='runtime' lock=$here/requirements.lock ;;
    *) echo "bianmin: setup.sh knows runtime, test and words, not '$group'." >&2; exit 2 ;;
esac
log=$(mktemp "${TMPDIR:-/tmp}/bianmin-setup.XXXXXX")

say() { printf 'bianmin: %s\n' "$*" >&2; }

fail() { # one sentence, then the end of what the tool said
    say "$*"
    if [ -s "$log" ]; then
        tail -n 15 "$log" | sed 's/^/    /' >&2
        say "The whole record is in $log."
    else
        rm -f "$log"
    fi
    exit 1
}

# ---- what a tool says, into the log, and on a terminal how far it is --------------------------------------------

# Our own last line, because a pipe swallows the tool's exit code, and because a service that apt starts may keep the
# pipe open for ever.
complete='bianmin: complete' failed='bianmin: failed'
terminal=0
if [ -t 2 ]; then terminal=1; fi

progress() { # progress [HOW_MANY]; not awk, which waits for 4 kB before it looks at anything
    n=0
    while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in "$complete" | "$failed") break ;; esac
        [ "$terminal" = 1 ] || continue
        case $line in
            'Collecting '* | 'Processing '*) n=$((n + 1)) && at "$n of ${1-}  ${line##*[ /]}" ;;
            'Installing collected'*) at unpacking ;;
            dlstatus:* | pmstatus:*) part=${line%:*} && part=${part##*:} && at "${part%%.*} %  ${line##*:}" ;;
        esac
    done >>"$log"
    if [ "$terminal" = 1 ]; then printf '\r\033[K' >&2; fi
}

at() { printf '\r\033[Kbianmin:     %.70s' "$1" >&2; }

# ---- Debian packages ---------------------------------------------------------------------------------------------

listed() { awk -v want="^($wanted)\$" '$1 ~ want { print $2 }' "$packages"; }

missing() {
    listed | while read -r name; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) || state=absent
        [ "$state" = installed ] || printf '%s ' "$name"
    done
}

apt() { # as root, never asking, waiting for another apt to finish; fd 9 is our lock and stays ours
    # shellcheck disable=SC2086 # $as_root is empty or two words
    {
        $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y -o DPkg::Lock::Timeout=300 \
            -o Acquire::Retries=3 -o APT::Status-Fd=1 "$@" 2>&1 </dev/null 9<&- && echo "$complete" || echo "$failed"
    } | progress
    [ "$(tail -n 1 "$log")" = "$complete" ]
}

system_packages() {
    [ "${BIANMIN_PACKAGES-}" = present ] && return 0
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        fail "This is not a Debian machine, so please install what Debian calls $(listed | tr '\n' ' ')and start again with BIANMIN_PACKAGES=present."
    fi
    names=$(missing)
    [ -n "$names" ] || return 0
    if [ "$terminal" = 1 ]; then say "[1 of 4] Debian packages, $(echo "$names" | wc -w) missing: $names"; fi
    please="please have an administrator run: apt-get install ${names% }"
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null && { [ -t 0 ] && sudo -v || sudo -n true; } 2>/dev/null; then
        as_root='sudo -n'
    else
        fail "Debian packages are missing and this user may not install any; $please"
    fi
    if [ "$terminal" = 0 ]; then say "[1 of 4] Debian packages, $(echo "$names" | wc -w) missing: $names"; fi
    apt update || fail "The list of Debian packages could not be fetched (is there a network?); $please"
    # shellcheck disable=SC2086 # one word per package
    apt install --no-install-recommends $names || fail "Debian packages could not be installed; $please"
}

# ---- our own Python environment ----------------------------------------------------------------------------------

python_of_the_system() {
    for python in /usr/bin/python3 python3; do
        if "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$python"
            return 0
        fi
    done
    fail "Python 3.11 or later is needed, and $(python3 --version 2>/dev/null || echo 'no Python') is what this machine has."
}

environment() {
    # .building stands while anything is being changed: if it is there at the start, a set-up was cut short.
    if [ -e "$venv/.building" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        say "[2 of 4] Python environment in $venv"
        rm -rf "$venv" 2>>"$log" && mkdir "$venv" 2>>"$log" || fail "The folder $venv cannot be written by this user."
        : >"$venv/.building"
        python=$(python_of_the_system) || exit 1
        "$python" -m venv "$venv" >>"$log" 2>&1 || fail "The Python environment could not be made in $venv."
    fi
    : 2>>"$log" >"$venv/.building" || fail "The folder $venv cannot be written by this user."
    rm -f "$venv"/ready-*
}

python_packages() {
    all=$(grep -c '^[a-z0-9].*==' "$lock") || true
    say "[3 of 4] Python packages, $all of them"
    {
        # The lock is complete, so nothing is resolved; it leaves out a second copy of OpenCV that one package asks for.
        "$venv/bin/python" -m pip install --no-input --disable-pip-version-check --progress-bar off --no-deps \
            --only-binary :all: --require-hashes -r "$lock" 2>&1 </dev/null && echo "$complete" || echo "$failed"
    } | progress "$all"
    [ "$(tail -n 1 "$log")" = "$complete" ] ||
        fail "The Python packages could not be installed (is there a network?)."
}

words() {
    (cd "$here" && "$venv/bin/python" -m config.words) >>"$log" 2>&1 || fail "The translations could not be prepared."
    : >"$venv/words-ready"
}

ready() { # stamps: copies of the lists (bianmin compares them); on the disk before .building goes
    cat "$packages" "$here/requirements.lock" >"$venv/ready-runtime"
    [ "$group" = runtime ] || cat "$packages" "$lock" >"$venv/ready-$group"
    sync
    rm -f "$venv/.building"
}

# ---- one at a time -----------------------------------------------------------------------------------------------

exec 9<"$packages"
if ! flock -n 9; then
    say "Another start is setting this machine up; waiting for it."
    flock 9
fi
if [ "$group" = words ]; then
    words
elif ! cat "$packages" "$lock" | cmp -s - "$venv/ready-$group"; then # not done meanwhile by the other start
    system_packages
    environment
    python_packages
    say "[4 of 4] Translations"
    words
    ready
    say "Ready."
fi
rm -f "$log"
