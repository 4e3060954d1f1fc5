"""A portal that registers identities with Intuition."""

import aiohttp


class Rejected(Exception):
    pass


class Portal:
    def __init__(self, session: aiohttp.ClientSession, api: str, key: str) -> None:
        self._session = session
        self._api = api
        self._headers = {"x-api-key": key}

    async def register(self, name: str, creator: str) -> str:
        body = {"display_name": name, "creator": creator}
        async with self._session.post(f"{self._api}/identity", json=body, headers=self._headers) as answer:
            found = await answer.json()
            if answer.status != 200:
                raise Rejected(found["error"])
            return found["identity_id"]

    async def name_of(self, identity_id: str) -> str:
        async with self._session.get(f"{self._api}/identity/{identity_id}", headers=self._headers) as answer:
            return (await answer.json())["display_name"]
