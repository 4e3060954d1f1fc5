"""A call of a control route as bytes, for what an HTTP library would not send."""

from tests.raw import RawAnswer, connect, read_answer

JSON = "Content-Type: application/json"


def call(url: str, method: str, path: str, *headers: str, host: str = "127.0.0.1", body: str = "") -> RawAnswer:
    lines = [f"{method} /_emulator{path} HTTP/1.1", f"Host: {host}", *headers, f"Content-Length: {len(body)}", "", body]
    with connect(url) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return read_answer(connection, method.encode())
