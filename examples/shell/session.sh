# The session of a game: `create_identity` prints an identity and its token as JSON, `websocket_token TOKEN` a short-lived
# token; a refused request fails. To be sourced; $SERVER is the server's address.

create_identity() {
    # A server that is starting (503) is asked again.
    curl -sS --fail --retry 1 --retry-delay 0 -X POST "$SERVER/v1/identity"
}

websocket_token() {
    short=$(curl -sS --fail -X POST -H "Authorization: Bearer $1" "$SERVER/v1/identity/websocket-token") || return
    printf '%s' "$short" | jq -r .token
}
