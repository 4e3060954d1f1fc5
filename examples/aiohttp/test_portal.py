import aiohttp
import pytest
from portal import Portal, Rejected


@pytest.fixture
async def portal(identity_emulator):
    async with aiohttp.ClientSession() as session:
        yield Portal(session, identity_emulator.url, identity_emulator.env()["INTUITION_API_KEY"])


async def test_what_was_registered_is_found(portal):
    identity_id = await portal.register("JP", "0x81")

    assert identity_id.startswith("did:intuition:ipfs:Qm")
    assert await portal.name_of(identity_id) == "JP"


async def test_a_revoked_key_is_rejected(portal, identity_emulator):
    identity_emulator.intuition.revoke_api_key(identity_emulator.env()["INTUITION_API_KEY"])

    with pytest.raises(Rejected, match="`x-api-key` is invalid"):
        await portal.register("JP", "0x81")


async def test_in_the_tests_own_loop(identity_emulator_client):
    answer = await identity_emulator_client.post("/v1/identity")

    assert answer.status == 200
    identity_emulator_client.emulator.journal.assert_requested("POST", "/v1/identity", times=1)
