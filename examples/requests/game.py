"""The login of a game: one identity per player."""

from dataclasses import dataclass

import requests


class LoginFailed(Exception):
    pass


@dataclass
class Player:
    identity: str
    token: str


class Login:
    def __init__(self, server: str) -> None:
        self._server = server

    def sign_up(self) -> Player:
        answer = requests.post(f"{self._server}/v1/identity", timeout=5)
        answer.raise_for_status()
        return Player(**answer.json())

    def still_valid(self, player: Player) -> bool:
        answer = requests.get(
            f"{self._server}/v1/identity/{player.identity}/verify",
            headers={"Authorization": f"Bearer {player.token}"},
            timeout=5,
        )
        return answer.status_code == 204

    def websocket_token(self, player: Player) -> str:
        answer = requests.post(
            f"{self._server}/v1/identity/websocket-token",
            headers={"Authorization": f"Bearer {player.token}"},
            timeout=5,
        )
        if not answer.ok:
            raise LoginFailed(answer.text)
        return answer.json()["token"]
