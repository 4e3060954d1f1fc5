"""A session of a WebSocket in which something goes wrong on purpose."""

from collections.abc import Iterable, Iterator

import msgspec

from emulator.faults.kinds import WebSocketFault
from emulator.http.upgrade import Close, Cut, Later, Message, Output, Session, Upgrade

DEFAULT_ERROR = "an error in the middle of the session"


def with_fault(upgrade: Upgrade, fault: WebSocketFault, identity: str) -> Upgrade:
    """`identity` is the other one of the first message, empty when it is the client's."""
    session = FaultySession(upgrade.session, fault, identity)
    later = upgrade.later
    if fault.after_seconds is not None:
        later = Later(fault.after_seconds, session.end)
    return msgspec.structs.replace(upgrade, session=session, later=later)


class FaultySession:
    """A session, but for what the fault does: messages in, what to do out."""

    def __init__(self, session: Session, fault: WebSocketFault, identity: str) -> None:
        self._session = session
        self._fault = fault
        self._other_identity = identity
        self._answered = 0
        self.subprotocol, self.identity = session.subprotocol, session.identity
        self.database, self.connection_id = session.database, session.connection_id
        self.session_id = session.session_id

    def opened(self) -> Iterator[Output]:
        if self._fault.first_message:
            other = self._other_identity
            yield from self._session.opened_as(other) if other else self._session.opened()
        if self._fault.after_messages is None and self._fault.after_seconds is None:
            yield from self.end()

    def opened_as(self, identity: str) -> Iterable[Output]:
        return self._session.opened_as(identity)

    def received(self, message: Message) -> Iterator[Output]:
        yield from self._session.received(message)
        self._answered += 1
        if self._answered == self._fault.after_messages:
            yield from self.end()

    def failed(self, text: str) -> Iterable[Output]:
        return self._session.failed(text)

    def text_of(self, message: Message, *, by_client: bool) -> str:
        return self._session.text_of(message, by_client=by_client)

    def end(self) -> Iterator[Output]:
        """What the fault does at once, after some messages, or after some time."""
        fault = self._fault
        if fault.error is not False:
            yield from self._session.failed(DEFAULT_ERROR if fault.error is True else fault.error)
        if fault.close is not None:
            yield Close(fault.close, fault.reason)
        if fault.cut:
            yield Cut()
