# sh test_session.sh
set -u
cd "$(dirname "$0")" || exit
settings='{"seed": 7}'
. ./emulator.sh
. ./session.sh

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
