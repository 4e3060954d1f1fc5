"""Paths as matchit 0.7 matches them, methods as axum 0.7 does."""

import pytest

from emulator.http.operation import ANY_METHOD, Operation
from emulator.http.routing import Routes

HOOK = Operation("hook", ANY_METHOD, ("/v1/:name/route/*path",))
INFO = Operation("info", "GET", ("/v1/:name",))
NAMES = Operation("names", "PUT", ("/v1/:name/names",))
ROUTES = Routes.of((HOOK, INFO, NAMES), {"hook": "hook", "info": "info", "names": "names"})


@pytest.mark.parametrize("path", ["/v1/chat/route/a", "/v1/chat/route/a/b", "/v1/chat/route//", "/v1//route/%2F"])
def test_a_path_that_goes_on_takes_all_that_follows(path: str) -> None:
    found = ROUTES.find("POST", path)

    assert found is not None
    assert found.params == (path.split("/")[2], path.split("/", 4)[4])


@pytest.mark.parametrize("path", ["/v1/chat/route/", "/v1/chat/route", "/v1/", "/v1/chat/"])
def test_it_does_not_take_nothing(path: str) -> None:
    assert ROUTES.find("POST", path) is None


def test_a_parameter_in_the_middle_can_be_empty() -> None:
    found = ROUTES.find("PUT", "/v1//names")

    assert found is not None
    assert found.params == ("",)


@pytest.mark.parametrize("method", ["GET", "HEAD", "BREW"])
def test_a_route_of_any_method_takes_each_and_allows_nothing(method: str) -> None:
    found = ROUTES.find(method, "/v1/chat/route/a")

    assert found is not None
    assert found.route is not None
    assert found.resource.allow == b""
