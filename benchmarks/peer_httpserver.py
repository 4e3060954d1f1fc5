"""pytest-httpserver outside pytest, run by its own environment: `python peer_httpserver.py PORT MAPPING`."""

import json
import signal
import sys
from pathlib import Path

from pytest_httpserver import HTTPServer

if __name__ == "__main__":
    mapping = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    answer = mapping["response"]
    with HTTPServer(host="127.0.0.1", port=int(sys.argv[1])) as server:
        expected = server.expect_request(mapping["request"]["urlPath"], method="GET")
        expected.respond_with_data(answer["body"], status=answer["status"], headers=answer["headers"])
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.pause()
