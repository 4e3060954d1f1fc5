// The session of a browser game: an identity, and a short-lived token that can be put into a URL.

export async function createIdentity(server) {
  const answer = await fetch(`${server}/v1/identity`, { method: "POST" });
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
