import pytest
from game import Login, LoginFailed, Player


@pytest.fixture
def login(identity_emulator):
    return Login(identity_emulator.url)


def test_a_new_player_is_valid(login):
    assert login.still_valid(login.sign_up())


def test_nobody_can_play_as_somebody_else(login):
    mine, other = login.sign_up(), login.sign_up()

    assert not login.still_valid(Player(other.identity, mine.token))


def test_signing_up_happens_once(login, identity_emulator):
    player = login.sign_up()
    login.websocket_token(player)
    login.websocket_token(player)

    identity_emulator.journal.assert_requested("POST", "/v1/identity", times=1)
    identity_emulator.journal.assert_order("POST /v1/identity", "POST /v1/identity/websocket-token")


def test_a_websocket_token_ends_after_two_minutes(login, identity_emulator):
    player = login.sign_up()
    short = Player(player.identity, login.websocket_token(player))

    identity_emulator.clock.advance(122)

    assert not login.still_valid(short)
    assert login.still_valid(player)


def test_a_lost_server_key_ends_the_session(login, identity_emulator):
    player = login.sign_up()
    identity_emulator.spacetime.rotate_key()

    with pytest.raises(LoginFailed, match="InvalidSignature"):
        login.websocket_token(player)
