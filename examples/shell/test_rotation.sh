# sh test_rotation.sh: the key that is replaced here is the key of this file's world only.
set -u
cd "$(dirname "$0")" || exit
settings='{"seed": 7, "scenario": "two_friends"}'
. ./emulator.sh
. ./session.sh

a_server_with_a_new_key_refuses_the_tokens_of_before() {
    token=$(world .env.ALICE_TOKEN)
    websocket_token "$token" >/dev/null || return
    control POST /spacetime/rotate-key >/dev/null
    ! websocket_token "$token" 2>/dev/null
}

try a_server_with_a_new_key_refuses_the_tokens_of_before
exit "$failed"
