#!/bin/sh
# sh test_session.sh
set -u
cd "$(dirname "$0")" || exit
. ./session.sh

for needed in curl jq; do
    command -v "$needed" >/dev/null || { echo "$needed is not on the PATH" >&2; exit 1; }
done
command -v identity-emulator >/dev/null || {
    echo 'identity-emulator is not on the PATH: install it with `pipx install PATH-OF-ITS-CLONE`, or see its docs/install.md' >&2
    exit 1
}

# The emulator of this file, which ends with it, also if this shell is killed. The first line of its output has the URL; it comes when it is ready for requests.
work=$(mktemp -d)
mkfifo "$work/output"
identity-emulator serve --port 0 --exit-with-parent --seed 7 >"$work/output" 2>/dev/null &
emulator=$!
trap 'kill "$emulator"; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
IFS= read -r ready <"$work/output" || exit
SERVER=$(printf '%s' "$ready" | jq -r .url)

# control METHOD PATH [JSON]
control() {
    curl -sS --fail-with-body -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$SERVER/_emulator$2"
}

# is GOT WANTED
is() {
    [ "$1" = "$2" ] || { echo "got '$1', want '$2'"; return 1; }
}

failed=0
# try NAME: runs a function in a new world; if it fails, prints its exchanges.
try() {
    control POST /reset >/dev/null
    if "$1"; then
        echo "ok $1"
    else
        echo "FAILED $1"
        control GET /report
        failed=$((failed + 1))
    fi
}

a_token_belongs_to_its_identity() {
    made=$(create_identity) || return
    identity=$(printf '%s' "$made" | jq -r .identity)
    token=$(printf '%s' "$made" | jq -r .token)
    status=$(curl -sS -o "$work/body" -w '%{http_code}' -H "Authorization: Bearer $token" "$SERVER/v1/identity/$identity/verify")
    is "$status" 204
}

a_short_token_is_good_for_a_minute_and_a_minute_of_leeway() {
    first=$(websocket_token "$(create_identity | jq -r .token)") || return
    control POST /clock '{"advance": 122}' >/dev/null
    ! websocket_token "$first" 2>/dev/null
}

a_server_that_is_starting_is_asked_twice() {
    control POST /faults '{"request": "POST /v1/identity", "times": 1, "do": {"status": 503}}' >/dev/null
    is "$(create_identity 2>/dev/null | jq -r '.identity[:4]')" c200
}

a_bad_token_is_refused_and_the_journal_says_why() {
    websocket_token nonsense 2>/dev/null && return 1
    is "$(control GET '/journal?status=401' | jq -r '.exchanges[0].why')" \
        'segments: a token has three parts separated by dots, this has 1'
}

try a_token_belongs_to_its_identity
try a_short_token_is_good_for_a_minute_and_a_minute_of_leeway
try a_server_that_is_starting_is_asked_twice
try a_bad_token_is_refused_and_the_journal_says_why
exit "$failed"
