// Runs beside session.test.mjs. The key that is replaced here is the key of this file's world only.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Emulator } from "./emulator.mjs";
import { websocketToken } from "./session.mjs";

const emulator = Emulator.forThisFile({ seed: 7, scenario: "two_friends" });

test("a server with a new key refuses the tokens of before", async () => {
  const { ALICE_TOKEN } = emulator.env;
  await websocketToken(emulator.url, ALICE_TOKEN);

  await emulator.control("POST", "/spacetime/rotate-key");

  await assert.rejects(websocketToken(emulator.url, ALICE_TOKEN), /Failed to verify token: Unauthorized/);
});
