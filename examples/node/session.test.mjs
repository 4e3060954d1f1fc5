import assert from "node:assert/strict";
import { test } from "node:test";

import { Emulator } from "./emulator.mjs";
import { createIdentity, identityOf, websocketToken } from "./session.mjs";

const emulator = Emulator.forThisFile({ seed: 7 });

test("a token belongs to the identity that it was issued for", async () => {
  const { identity, token } = await createIdentity(emulator.url);

  assert.equal(await identityOf(emulator.url, token), identity);
});

test("a short token is good for a minute, and a minute of leeway", async () => {
  const { token } = await createIdentity(emulator.url);
  const short = await websocketToken(emulator.url, token);

  await emulator.control("POST", "/clock", { advance: 122 });

  await assert.rejects(websocketToken(emulator.url, short), /Failed to verify token: Unauthorized/);
});

test("a server that is starting is asked twice", async () => {
  await emulator.control("POST", "/faults", { request: "POST /v1/identity", times: 1, do: { status: 503 } });

  const { identity } = await createIdentity(emulator.url);

  assert.match(identity, /^c200/);
});

test("a bad token is refused, and the journal says why", async () => {
  await assert.rejects(websocketToken(emulator.url, "nonsense"), /Failed to verify token: Unauthorized/);

  const { exchanges } = await emulator.control("GET", "/journal?status=401");
  assert.equal(exchanges[0].why, "segments: a token has three parts separated by dots, this has 1");
});
