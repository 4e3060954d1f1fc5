package game

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"example.com/game/internal/emulator"
)

var running *emulator.Emulator

func TestMain(m *testing.M) {
	running = emulator.Open(object{"seed": 7})
	defer running.Close()
	m.Run()
}

type object = emulator.Object

func TestATokenBelongsToTheIdentityThatItWasIssuedFor(t *testing.T) {
	running.Reset(t)
	made := created(t)

	identity, err := IdentityOf(running.URL, made.Token)

	if err != nil || identity != made.Identity {
		t.Errorf("got %q, %v, want %q", identity, err, made.Identity)
	}
}

func TestAShortTokenIsGoodForAMinuteAndAMinuteOfLeeway(t *testing.T) {
	running.Reset(t)
	short, err := WebsocketToken(running.URL, created(t).Token)
	if err != nil {
		t.Fatal(err)
	}

	running.Control(t, http.MethodPost, "/clock", object{"advance": 122}, nil)

	if _, err := WebsocketToken(running.URL, short); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatIsStartingIsAskedTwice(t *testing.T) {
	running.Reset(t)
	fault := object{"request": "POST /v1/identity", "times": 1, "do": object{"status": 503}}
	running.Control(t, http.MethodPost, "/faults", fault, nil)

	if made := created(t); !strings.HasPrefix(made.Identity, "c200") {
		t.Errorf("got %q", made.Identity)
	}
}

func TestABadTokenIsRefusedAndTheJournalSaysWhy(t *testing.T) {
	running.Reset(t)
	if _, err := WebsocketToken(running.URL, "nonsense"); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("got %v", err)
	}

	var journal struct{ Exchanges []struct{ Why string } }
	running.Control(t, http.MethodGet, "/journal?status=401", nil, &journal)
	want := "segments: a token has three parts separated by dots, this has 1"
	if why := journal.Exchanges[0].Why; why != want {
		t.Errorf("got %q, want %q", why, want)
	}
}

func created(t *testing.T) Identity {
	t.Helper()
	made, err := CreateIdentity(running.URL)
	if err != nil {
		t.Fatal(err)
	}
	return made
}
