"""Every kind of fault, for parametrised tests."""

import msgspec

from emulator.core.arguments import checked
from emulator.faults.delivery import Delivery
from emulator.faults.settings import DoSettings


class Kind(msgspec.Struct, frozen=True):
    """One kind of fault, for `emulator.faults.add(request, **kind.do)`."""

    name: str
    do: DoSettings
    stored: bool
    """Whether the request still takes effect."""
    what: str

    @property
    def __name__(self) -> str:
        """pytest uses it as the parameter's id."""
        return self.name


_KINDS = (
    Kind("status", {"status": 503}, stored=False, what="503 in the API's error format"),
    Kind("rate_limit", {"rate_limit": True}, stored=False, what="429 with Retry-After"),
    Kind("delay", {"delay": 0.2}, stored=True, what="the response comes 0.2 s later"),
    Kind("drop_before", {"drop": "before"}, stored=False, what=Delivery.CLOSE.value),
    Kind("drop_after", {"drop": "after"}, stored=True, what=f"stored, then {Delivery.CLOSE.value}"),
    Kind("tcp_reset", {"tcp_reset": True}, stored=False, what=Delivery.RESET.value),
    Kind("truncate", {"truncate": True}, stored=True, what=Delivery.TRUNCATE.value),
    Kind("malformed_chunk", {"malformed_chunk": True}, stored=True, what=Delivery.MALFORMED_CHUNK.value),
    Kind("invalid_json", {"invalid_json": True}, stored=True, what="half of the body, in a valid response"),
    Kind("garbage", {"garbage": True}, stored=False, what=Delivery.GARBAGE.value),
    Kind("hang", {"hang": True}, stored=False, what=Delivery.HANG.value),
    Kind("rotate_key", {"rotate_key": True}, stored=True, what="every existing token becomes invalid"),
    Kind("revoke", {"revoke": True}, stored=True, what="every existing API key becomes invalid"),
    Kind("complete", {"complete": True}, stored=True, what="every pending identity becomes complete"),
    Kind("fail", {"fail": True}, stored=True, what="every pending identity gets the status error"),
    Kind("remove", {"remove": True}, stored=True, what="every pending identity gets the status removed"),
    Kind("advance", {"advance": 3600}, stored=True, what="the emulator's clock moves an hour ahead"),
)


_SOCKET_KINDS = (
    Kind("no_first_message", {"websocket": {"first_message": False}}, stored=True, what="no first message"),
    Kind("other_identity", {"websocket": {"identity": True}}, stored=True, what="the first message is another's"),
    Kind("error_message", {"websocket": {"error": True}}, stored=True, what="an error in the middle of the session"),
    Kind("close", {"websocket": {"close": 1011}}, stored=True, what="a Close frame after the first message"),
    Kind("close_later", {"websocket": {"close": 4000, "after_messages": 1}}, stored=True, what="and after a message"),
    Kind("cut", {"websocket": {"cut": True}}, stored=True, what="the connection ends without a Close frame"),
)
"""For a route that upgrades to a WebSocket. `stored`: the handshake is as usual."""


@checked("faults.matrix", websocket=True)
def matrix(*, websocket: bool = False) -> tuple[Kind, ...]:
    """All kinds, for `@pytest.mark.parametrize("kind", faults.matrix())`.

    With `websocket` also those that need a route that upgrades to a WebSocket, such as
    `GET /v1/database/*/subscribe`.
    """
    return _KINDS + _SOCKET_KINDS if websocket else _KINDS
