# An emulator for one test file: a world of its own, as $settings say, whose address is in $SERVER. To be sourced. With
# `identity-emulator exec -- COMMAND` the files that COMMAND runs have their worlds in one emulator, else each file starts
# one.

for needed in curl jq; do
    command -v "$needed" >/dev/null || { echo "$needed is not on the PATH" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# start: starts a process. Its URL is in the first line that it prints: then it is ready for requests. The log is dropped.
start() {
    command -v identity-emulator >/dev/null || {
        echo 'identity-emulator is not on the PATH: install it with `pipx install PATH-OF-ITS-CLONE`, or see its docs/install.md' >&2
        exit 1
    }
    mkfifo "$work/output"
    # What is killed can stop nothing: the emulator ends with the process that started it.
    identity-emulator serve --port 0 --exit-with-parent >"$work/output" 2>/dev/null &
    IFS= read -r ready <"$work/output" || exit
    IDENTITY_EMULATOR_URL=$(printf '%s' "$ready" | jq -r .url)
}

# control METHOD PATH [JSON]: uses a control route.
control() {
    curl -sS --fail-with-body -X "$1" ${3:+-H 'Content-Type: application/json' -d "$3"} "$SERVER/_emulator$2"
}

# A shell that is killed closes nothing: the world is closed when nobody has used it for ten minutes.
[ -n "${IDENTITY_EMULATOR_URL:-}" ] || start
SERVER=$IDENTITY_EMULATOR_URL
opened=$(control POST /worlds "$(printf '%s' "$settings" | jq '{idle_exit: 600} + .')") || exit
# world QUERY: what is known of the world: its .url, and in .env what clients need, like .env.ALICE_TOKEN of an actor alice.
world() {
    printf '%s' "$opened" | jq -r "$1"
}
SERVER=$(world .url)
trap 'control DELETE "/worlds/$(world .id)" >/dev/null; rm -rf "$work"' EXIT

# is GOT WANTED
is() {
    [ "$1" = "$2" ] || { echo "got '$1', want '$2'"; return 1; }
}

failed=0
# try NAME: runs a function, with the world begun anew; if it fails, prints its exchanges, with the reason for each refusal.
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
