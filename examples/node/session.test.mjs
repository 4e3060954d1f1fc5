import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, beforeEach, test } from "node:test";

import { createIdentity, websocketToken } from "./session.mjs";

let emulator, url;

before(async () => {
  emulator = spawn("identity-emulator", ["serve", "--port", "0", "--seed", "7"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  // The first line has the URL. The emulator prints it when it is ready for requests.
  for await (const line of createInterface({ input: emulator.stdout })) {
    url = JSON.parse(line).url;
    break;
  }
});

after(() => emulator.kill());

beforeEach(() => fetch(`${url}/_emulator/reset`, { method: "POST" }));

test("an identity's token is traded for a short one", async () => {
  const { token } = await createIdentity(url);

  const claims = JSON.parse(atob((await websocketToken(url, token)).split(".")[1]));

  assert.equal(claims.exp - claims.iat, 60);
});

test("a bad token is refused, and the journal says why", async () => {
  await assert.rejects(websocketToken(url, "nonsense"), /Failed to verify token: Unauthorized/);

  const journal = await (await fetch(`${url}/_emulator/journal?status=401`)).json();
  assert.equal(journal.exchanges[0].why, "segments: a token has three parts separated by dots, this has 1");
});
