// Package emulator starts an emulator for the tests of one package: `go test ./...` runs each package in a process of its
// own, so each has a world of its own.
package emulator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"testing"
)

const notThere = "identity-emulator is not on the PATH: install it with `pipx install PATH-OF-ITS-CLONE`, or see its docs/install.md"

// Emulator is a process that runs.
type Emulator struct {
	URL     string
	process *exec.Cmd
}

// Start runs the command and waits for the line that it prints when it is ready for requests.
func Start(options ...string) (*Emulator, error) {
	// With Stderr nil the log is dropped; a pipe that nobody reads, or the test's own, would hold `go test` back.
	// Nothing stops it when `go test` is killed or its -timeout is over: it ends with the process that started it.
	arguments := append([]string{"serve", "--port", "0", "--exit-with-parent"}, options...)
	process := exec.Command("identity-emulator", arguments...)
	output, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New(notThere)
	} else if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("identity-emulator ended before it was ready: %w", process.Wait())
	}
	var ready struct{ URL string }
	if err := json.Unmarshal(line, &ready); err != nil {
		return nil, err
	}
	return &Emulator{URL: ready.URL, process: process}, nil
}

// Stop ends the process.
func (emulator *Emulator) Stop() {
	_ = emulator.process.Process.Kill()
	_ = emulator.process.Wait()
}

// Reset gives the test a new world; if it fails, it prints its exchanges, with the reason for each refused request.
func (emulator *Emulator) Reset(t *testing.T) {
	t.Helper()
	emulator.Control(t, http.MethodPost, "/reset", nil, nil)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(string(emulator.ask(t, http.MethodGet, "/report", nil)))
		}
	})
}

// Control uses a control route; body and answer are JSON, or nil.
func (emulator *Emulator) Control(t *testing.T, method, path string, body, answer any) {
	t.Helper()
	got := emulator.ask(t, method, path, body)
	if answer == nil {
		return
	}
	if err := json.Unmarshal(got, answer); err != nil {
		t.Fatal(err)
	}
}

func (emulator *Emulator) ask(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, emulator.URL+"/_emulator"+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, got, err)
	}
	return got
}
