"""The table of the control routes: what can be asked of the emulator itself, under `/_emulator`.

Its handler is the method of the operation's name in a file of handlers/, its documentation in operation_docs.py.
"""

from emulator.http.operation import Operation

PREFIX = "/_emulator"
PAGE = f"{PREFIX}/"
"""The page for people."""
PAGE_FILES = (PREFIX, PAGE, f"{PAGE}page.css", f"{PAGE}page.js")
"""What a browser gets of it before it asks anything."""


def _operation(name: str, method: str, path: str) -> Operation:
    return Operation(f"control.{name}", method, (f"{PREFIX}{path}",))


OPERATIONS = (
    _operation("health", "GET", "/health"),
    _operation("state", "GET", "/state"),
    _operation("reset", "POST", "/reset"),
    _operation("scenario", "GET", "/scenario"),
    _operation("load_scenario", "POST", "/scenario"),
    _operation("actors", "GET", "/actors"),
    _operation("journal", "GET", "/journal"),
    _operation("clear_journal", "DELETE", "/journal"),
    _operation("journal_exchange", "GET", "/journal/:n"),
    _operation("journal_curl", "GET", "/journal/:n/curl"),
    _operation("report", "GET", "/report"),
    _operation("clock", "GET", "/clock"),
    _operation("move_clock", "POST", "/clock"),
    _operation("faults", "GET", "/faults"),
    _operation("add_fault", "POST", "/faults"),
    _operation("clear_faults", "DELETE", "/faults"),
    _operation("stubs", "GET", "/stubs"),
    _operation("add_stub", "POST", "/stubs"),
    _operation("clear_stubs", "DELETE", "/stubs"),
    _operation("snapshot", "GET", "/snapshot"),
    _operation("restore", "PUT", "/snapshot"),
    _operation("connections", "GET", "/connections"),
    _operation("close_connections", "DELETE", "/connections"),
    _operation("issuers", "GET", "/issuers"),
    _operation("add_issuer", "POST", "/issuers"),
    _operation("clear_issuers", "DELETE", "/issuers"),
    _operation("issuer", "GET", "/issuers/:n"),
    _operation("issuer_token", "POST", "/issuers/:n/tokens"),
    _operation("rotate_issuer_key", "POST", "/issuers/:n/rotate-key"),
    _operation("publish_keys", "POST", "/issuers/:n/publish"),
    _operation("set_condition", "POST", "/issuers/:n/condition"),
    _operation("issuer_discovery", "GET", "/issuers/:n/.well-known/openid-configuration"),
    _operation("issuer_jwks", "GET", "/issuers/:n/.well-known/jwks.json"),
    _operation("worlds", "GET", "/worlds"),
    _operation("open_world", "POST", "/worlds"),
    _operation("close_world", "DELETE", "/worlds/:id"),
    _operation("sign_token", "POST", "/spacetime/tokens"),
    _operation("inspect_token", "POST", "/spacetime/tokens/inspect"),
    _operation("databases", "GET", "/spacetime/databases"),
    _operation("known_identities", "GET", "/spacetime/identities"),
    _operation("add_database", "POST", "/spacetime/databases"),
    _operation("stub_reducer", "POST", "/spacetime/reducers"),
    _operation("rotate_key", "POST", "/spacetime/rotate-key"),
    _operation("rows", "GET", "/intuition/identities"),
    _operation("api_keys", "GET", "/intuition/api-keys"),
    _operation("issue_api_key", "POST", "/intuition/api-keys"),
    _operation("revoke_api_key", "DELETE", "/intuition/api-keys"),
    _operation("move_identity", "POST", "/intuition/status"),
    _operation("set_lifecycle", "POST", "/intuition/lifecycle"),
    _operation("openapi", "GET", "/openapi.json"),
    _operation("page", "GET", "/"),
    _operation("page_style", "GET", "/page.css"),
    _operation("page_script", "GET", "/page.js"),
    _operation("to_page", "GET", ""),
    _operation("events", "GET", "/events"),
)
