// Package emulator gives the tests of a package a world of their own, at a URL of its own. `go test ./...` runs packages
// side by side, each in a process of its own: with `identity-emulator exec -- go test ./...` one emulator has the worlds of
// all, else each package starts one.
package emulator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"testing"
)

const notThere = "identity-emulator is not on the PATH: install it with `pipx install PATH-OF-ITS-CLONE`, or see its docs/install.md"

// Object is JSON.
type Object = map[string]any

// Emulator is a world, open until Close.
type Emulator struct {
	ID, URL string
	// Env is what clients need: INTUITION_API_KEY, and of each actor of the scenario, like alice, ALICE_TOKEN and others.
	Env map[string]string
}

// Open opens a world; without one there is nothing to test, and the process ends. The settings are the keys of
// docs/worlds.md: {"seed": 7, "scenario": "two_friends"}.
func Open(settings Object) *Emulator {
	emulator, err := open(settings)
	if err != nil {
		log.Fatal(err)
	}
	return emulator
}

func open(settings Object) (*Emulator, error) {
	server := os.Getenv("IDENTITY_EMULATOR_URL")
	if server == "" {
		started, err := start()
		if err != nil {
			return nil, err
		}
		server = started
	}
	// A `go test` that is killed closes nothing: the world is closed when nobody has used it for ten minutes.
	wanted := Object{"idle_exit": 600}
	maps.Copy(wanted, settings)
	answer, err := ask(http.MethodPost, server+"/_emulator/worlds", wanted)
	if err != nil {
		return nil, err
	}
	opened := &Emulator{}
	return opened, json.Unmarshal(answer, opened)
}

// start starts a process. Its URL is in the first line that it prints: then it is ready for requests.
func start() (string, error) {
	// With Stderr nil the log is dropped; a pipe that nobody reads, or the test's own, would hold `go test` back.
	// Nothing stops it when `go test` is killed or its -timeout is over: it ends with the process that started it.
	process := exec.Command("identity-emulator", "serve", "--port", "0", "--exit-with-parent")
	output, err := process.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := process.Start(); errors.Is(err, exec.ErrNotFound) {
		return "", errors.New(notThere)
	} else if err != nil {
		return "", err
	}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err != nil {
		return "", fmt.Errorf("identity-emulator ended before it was ready: %w", process.Wait())
	}
	var ready struct{ URL string }
	err = json.Unmarshal(line, &ready)
	return ready.URL, err
}

// Close closes the world.
func (emulator *Emulator) Close() {
	_, _ = ask(http.MethodDelete, emulator.URL+"/_emulator/worlds/"+emulator.ID, nil)
}

// Reset begins the world anew for a test; if it fails, it prints its exchanges, with the reason for each refused request.
func (emulator *Emulator) Reset(t *testing.T) {
	t.Helper()
	emulator.Control(t, http.MethodPost, "/reset", nil, nil)
	t.Cleanup(func() {
		if t.Failed() {
			report, err := ask(http.MethodGet, emulator.URL+"/_emulator/report", nil)
			t.Log(string(report), err)
		}
	})
}

// Control uses a control route; body and answer are JSON, or nil.
func (emulator *Emulator) Control(t *testing.T, method, path string, body, answer any) {
	t.Helper()
	got, err := ask(method, emulator.URL+"/_emulator"+path, body)
	if err == nil && answer != nil {
		err = json.Unmarshal(got, answer)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func ask(method, url string, body any) ([]byte, error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, url, sent)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %d %s", method, url, answer.StatusCode, got)
	}
	return got, err
}
