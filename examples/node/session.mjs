// The session of a browser game: an identity, a short-lived token that can be put into a URL, and whose a token is.

import { importSPKI, jwtVerify } from "jose";

/** A new identity and its token. A server that is starting (503) is asked a second time. */
export async function createIdentity(server) {
  let answer = await fetch(`${server}/v1/identity`, { method: "POST" });
  if (answer.status === 503) answer = await fetch(`${server}/v1/identity`, { method: "POST" });
  if (!answer.ok) throw new Error(`No identity: ${answer.status}`);
  return answer.json();
}

export async function websocketToken(server, token) {
  const answer = await fetch(`${server}/v1/identity/websocket-token`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`Failed to verify token: ${answer.statusText}`);
  return (await answer.json()).token;
}

/** The identity in a token that the server has signed. The server rounds `iat` up: a second of tolerance. */
export async function identityOf(server, token) {
  const pem = await (await fetch(`${server}/v1/identity/public-key`)).text();
  const { payload } = await jwtVerify(token, await importSPKI(pem, "ES256"), {
    algorithms: ["ES256"],
    audience: "spacetimedb",
    issuer: "localhost",
    clockTolerance: 1,
  });
  return payload.hex_identity;
}
