"""The client of the control routes, and what it says of an emulator that does not answer, or refuses."""

import json
import os
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

from emulator.control.control_token import control_token
from emulator.control.judged import judged
from emulator.core.clock import Seconds, to_seconds
from emulator.core.errors import Misconfigured

_PATIENCE = 10.0
"""Seconds until a control call times out."""


class RefusedCall(Misconfigured):
    """A control call that was answered with an error; `error` is its text, empty if it is no emulator's."""

    def __init__(self, message: str, error: str, status: int) -> None:
        super().__init__(message)
        self.error = error
        self.status = status


class Unreachable(Misconfigured):
    """Nobody listens there, or the connection ended without an answer."""


class Control:
    """A client of the control routes. Raises Misconfigured for a token that can't be sent."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self._headers = {"X-Emulator-Token": control_token(token)} if token else {}
        self._host = ascii(socket.gethostname())[1:-1]
        # The emulator is reached directly, never through a proxy that the environment names.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON of the response; a report is text. Raises Misconfigured with the error and hint of the response."""
        if not _is_url(self.url):
            shown = re.sub(r"//.*@", "//…@", self.url[:200])
            raise Misconfigured(f"{shown!r} is not the URL of an emulator; write it like http://127.0.0.1:3000")
        data = None if body is None else json.dumps(body).encode()
        client = {"X-Emulator-Client": f"{self._host}/{os.getpid()}"}  # a forked process has another number
        headers = {**self._headers, **client, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_emulator{path}", data, headers, method=method)  # noqa: S310 - http or https, see above
        try:
            with self._open(request, timeout=_PATIENCE) as answer:
                data = answer.read()
                return data.decode() if path.startswith("/report") else json.loads(data or "null")
        except urllib.error.HTTPError as refused:
            with refused:
                error, text = _refusal(refused)
                raise RefusedCall(f"{self.url} answered {refused.code}: {text}", error, refused.code) from None
        except urllib.error.URLError as error:
            raise Unreachable(_why_no_answer(self.url, error.reason)) from None
        except TimeoutError:
            raise Misconfigured(f"{self.url} was connected to, but did not answer within {_PATIENCE:g} s") from None
        except (ConnectionError, IncompleteRead):
            raise Unreachable(f"{self.url} closed the connection before it had answered") from None
        except (OSError, ValueError, HTTPException, RecursionError):
            raise Misconfigured(f"the server at {self.url} is not an identity-emulator") from None


def _why_no_answer(url: str, reason: object) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(reason):
        return f"the certificate at {url} is not trusted ({reason}); set SSL_CERT_FILE to the file of its CA"
    return f"no emulator answers at {url} ({reason}); start one with `identity-emulator serve`"


_URL = re.compile(r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?(?:/[!-~]*)?", re.IGNORECASE)


def _is_url(url: str) -> bool:
    """Whether it is an http or https URL of a host, with a port that exists, and no more than a path."""
    if not _URL.fullmatch(url) or "?" in url or "#" in url:
        return False
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        return parts.port != 0
    except ValueError:
        return False


def _refusal(refused: urllib.error.HTTPError) -> tuple[str, str]:
    """The error, and the same with a hint."""
    try:
        found = json.loads(refused.read())
        hint, error = found["hint"], found["error"]
    except (OSError, ValueError, KeyError, TypeError, HTTPException, RecursionError):
        return "", "this is not an identity-emulator"
    if "control token" in str(error):
        hint = "set IDENTITY_EMULATOR_CONTROL_TOKEN to it"
    return str(error), f"{error} ({hint})"


@contextmanager
def judged_there(method: str) -> Iterator[None]:
    """What the other process says of an argument is a WrongArgument, as in this one."""
    try:
        yield
    except RefusedCall as refused:
        if refused.status != 400 or not refused.error:
            raise
        with judged(method):
            raise ValueError(refused.error) from None


def seconds(given: Seconds | None) -> float | None:
    return None if given is None else to_seconds(given)
