// Reads tasks, one JSON object a line, and writes what came of each: tests/clients/probes.py.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

type task struct {
	By, Method, URL, Before, Token, Pem string
	Seconds                             float64
}

type outcome struct {
	Seen  string `json:"seen,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	tasks, outcomes := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var given task
		if err := tasks.Decode(&given); err == io.EOF {
			return
		} else if err != nil {
			panic(err)
		}
		seen, err := map[string]func(task) (string, error){"net/http": send, "golang-jwt": verify}[given.By](given)
		if err != nil {
			_ = outcomes.Encode(outcome{Error: deepest(err)})
		} else {
			_ = outcomes.Encode(outcome{Seen: seen})
		}
	}
}

// Addresses and ports are in the texts of the outer ones.
func deepest(err error) string {
	for {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner
		} else {
			return err.Error()
		}
	}
}

func send(given task) (string, error) {
	client := http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	if given.Before != "" {
		answer, err := client.Get(given.Before)
		if err != nil {
			return "", err
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	client.Timeout = time.Duration(given.Seconds * float64(time.Second))
	request, err := http.NewRequest(given.Method, given.URL, nil)
	if err != nil {
		return "", err
	}
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	var read any
	if answer.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, &read)
	}
	return strconv.Itoa(answer.StatusCode), err
}

func verify(given task) (string, error) {
	key, err := jwt.ParseECPublicKeyFromPEM([]byte(given.Pem))
	if err != nil {
		return "", err
	}
	_, err = jwt.Parse(given.Token, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience("spacetimedb"), jwt.WithIssuer("localhost"),
		jwt.WithIssuedAt())
	if err != nil {
		return "", errors.New(err.Error())
	}
	return "good", nil
}
