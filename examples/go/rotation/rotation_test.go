// Package rotation has tests that run beside those of package game, in a world of their own: the key that is replaced here
// is not theirs.
package rotation

import (
	"errors"
	"net/http"
	"testing"

	"example.com/game"
	"example.com/game/internal/emulator"
)

var running *emulator.Emulator

func TestMain(m *testing.M) {
	running = emulator.Open(emulator.Object{"seed": 7, "scenario": "two_friends"})
	defer running.Close()
	m.Run()
}

func TestAServerWithANewKeyRefusesTheTokensOfBefore(t *testing.T) {
	running.Reset(t)
	token := running.Env["ALICE_TOKEN"]
	if _, err := game.WebsocketToken(running.URL, token); err != nil {
		t.Fatal(err)
	}

	running.Control(t, http.MethodPost, "/spacetime/rotate-key", nil, nil)

	if _, err := game.WebsocketToken(running.URL, token); !errors.Is(err, game.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
}
