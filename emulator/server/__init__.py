"""The server: sockets, journal, fault injection, dispatch to the APIs. All effects on the wire happen here."""
