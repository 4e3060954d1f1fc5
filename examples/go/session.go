// Package game has the session of a game: an identity, a short-lived token, and whose a token is.
package game

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Identity is what the server makes; its token never expires.
type Identity struct {
	Identity string `json:"identity"`
	Token    string `json:"token"`
}

// ErrUnauthorized says that the server refuses the token.
var ErrUnauthorized = errors.New("the server refuses the token")

// CreateIdentity asks for a new identity. A server that is starting (503) is asked a second time.
func CreateIdentity(server string) (made Identity, err error) {
	err = post(server+"/v1/identity", "", &made)
	if unavailable := new(statusError); errors.As(err, unavailable) && *unavailable == http.StatusServiceUnavailable {
		err = post(server+"/v1/identity", "", &made)
	}
	return made, err
}

// WebsocketToken trades a token for one that is good for a minute.
func WebsocketToken(server, token string) (string, error) {
	var short struct{ Token string }
	err := post(server+"/v1/identity/websocket-token", token, &short)
	if refused := new(statusError); errors.As(err, refused) && *refused == http.StatusUnauthorized {
		return "", ErrUnauthorized
	}
	return short.Token, err
}

// IdentityOf is the identity in a token that the server has signed. The server rounds iat up: a second of leeway.
func IdentityOf(server, token string) (string, error) {
	answer, err := http.Get(server + "/v1/identity/public-key")
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	pem, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	key, err := jwt.ParseECPublicKeyFromPEM(pem)
	if err != nil {
		return "", err
	}
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience("spacetimedb"), jwt.WithIssuer("localhost"),
		jwt.WithIssuedAt(), jwt.WithLeeway(time.Second))
	if err != nil {
		return "", err
	}
	identity, _ := claims["hex_identity"].(string)
	return identity, nil
}

type statusError int

func (status statusError) Error() string { return fmt.Sprintf("the server answers %d", int(status)) }

func post(url, token string, answered any) error {
	request, err := http.NewRequest(http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return statusError(answer.StatusCode)
	}
	return json.NewDecoder(answer.Body).Decode(answered)
}
