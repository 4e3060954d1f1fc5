// Runs beside session.test.mjs. The key that is replaced here is the key of this file's world only.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Emulator } from "./emulator.mjs";
import { createIdentity, websocketToken } from "./session.mjs";

const emulator = Emulator.forThisFile({ seed: 7 });

test("a server with a new key refuses the tokens of before", async () => {
  const { token } = await createIdentity(emulator.url);

  await emulator.control("POST", "/spacetime/rotate-key");

  await assert.rejects(websocketToken(emulator.url, token), /Failed to verify token: Unauthorized/);
});
