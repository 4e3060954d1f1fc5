//! The session of a game: an identity, a short-lived token, and whose a token is.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;

/// What the server makes; the token never expires.
#[derive(Debug, Deserialize)]
pub struct Identity {
    pub identity: String,
    pub token: String,
}

#[derive(Debug)]
pub enum Error {
    /// The server refuses the token.
    Unauthorized,
    Http(reqwest::Error),
    Token(jsonwebtoken::errors::Error),
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        if error.status() == Some(StatusCode::UNAUTHORIZED) { Error::Unauthorized } else { Error::Http(error) }
    }
}

pub struct Session {
    client: Client,
    server: String,
}

impl Session {
    pub fn new(server: &str) -> Self {
        Session { client: Client::new(), server: server.to_owned() }
    }

    /// A new identity. A server that is starting (503) is asked a second time.
    pub async fn create_identity(&self) -> Result<Identity, Error> {
        let mut answer = self.post("/v1/identity", None).await?;
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            answer = self.post("/v1/identity", None).await?;
        }
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Trades a token for one that is good for a minute.
    pub async fn websocket_token(&self, token: &str) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Short {
            token: String,
        }
        let answer = self.post("/v1/identity/websocket-token", Some(token)).await?;
        Ok(answer.error_for_status()?.json::<Short>().await?.token)
    }

    /// The identity in a token that the server has signed.
    pub async fn identity_of(&self, token: &str) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Claims {
            hex_identity: String,
        }
        let answer = self.client.get(format!("{}/v1/identity/public-key", self.server)).send().await?;
        let key = DecodingKey::from_ec_pem(answer.text().await?.as_bytes()).map_err(Error::Token)?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["spacetimedb"]);
        validation.set_issuer(&["localhost"]);
        // A token that never expires has no `exp`, or in servers up to 2.9 an `exp` of null; one that is there is judged.
        validation.set_required_spec_claims(&["iss", "aud"]);
        Ok(decode::<Claims>(token, &key, &validation).map_err(Error::Token)?.claims.hex_identity)
    }

    async fn post(&self, path: &str, token: Option<&str>) -> Result<Response, reqwest::Error> {
        let request = self.client.post(format!("{}{path}", self.server));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
        .send()
        .await
    }
}
