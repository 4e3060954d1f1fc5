"""What others get to see of exchanges: everything as it was sent, or without secrets."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from emulator.journal.exchange import Exchange, Message
from emulator.journal.masking import (
    MASK,
    is_secret,
    left_out,
    mask,
    mask_body,
    mask_header,
    mask_target,
    sent_secrets,
    without,
)


class Shown(NamedTuple):
    """How texts are shown: as they are, or with secrets masked."""

    mask: bool
    known: tuple[str, ...]
    """Keys and tokens that were sent in headers; they may be anywhere."""

    @classmethod
    def of(cls, exchanges: Sequence[Exchange], *, secrets: bool) -> "Shown":
        known = sent_secrets(header for exchange in exchanges for header in exchange.request.headers)
        return cls(mask=not secrets, known=() if secrets else tuple(known))

    def knowing(self, exchange: Exchange) -> "Shown":
        """Of all that were sent only the longest are known, but all of those in the headers of this exchange."""
        return self._replace(known=(*sent_secrets(exchange.request.headers), *self.known)) if self.mask else self

    def text(self, text: str) -> str:
        return without(self.known, mask(text)) if self.mask else text

    def body(self, text: str) -> str:
        return without(self.known, mask_body(text)) if self.mask else text

    def content(self, message: Message) -> str:
        """The body of a message; where secrets are masked, what can't be read as text is left out."""
        if self.mask and not message.is_legible:
            return left_out(message.size)
        return self.body(message.body)

    def target(self, target: str) -> str:
        return without(self.known, mask_target(target)) if self.mask else target

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        if not self.mask:
            return list(headers)
        return [(name, without(self.known, mask_header(name, value))) for name, value in headers]

    def json(self, value: Any, name: str = "") -> Any:
        """A value of JSON; texts are masked by the names of their members too."""
        match value:
            case dict():
                return {each: self.json(member, str(each)) for each, member in value.items()}
            case list() | tuple():
                return [self.json(each, name) for each in value]
            case str() if value:
                return MASK if self.mask and is_secret(name) else self.text(value)
        return value

    def message(self, message: Message) -> dict[str, Any]:
        """As `Message.to_json`. Bytes that are no text are left out where secrets are masked."""
        found = message.to_json()
        if self.mask:
            found.pop("base64", None)
        return {**found, "headers": self.headers(message.headers), "body": self.content(message)}

    def exchange(self, exchange: Exchange) -> dict[str, Any]:
        """As `Exchange.to_json`."""
        shown = self.knowing(exchange)
        path, _, query = shown.target(exchange.target).partition("?")
        found = {
            **exchange.to_json(),
            "path": path,
            "query": query,
            "why": shown.text(exchange.why),
            "actor": shown.text(exchange.actor),
            "fault": shown.text(exchange.fault),
            "request": shown.message(exchange.request),
            "response": shown.message(exchange.response),
        }
        for frame in found.get("websocket", {}).get("frames", ()):
            frame["text"] = shown.body(frame["text"])
        return found
