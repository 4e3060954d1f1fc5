import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { Chat } from "./chat.mjs";

let emulator, url, alice, storage, chat;

before(async () => {
  emulator = spawn("identity-emulator", ["serve", "--port", "0", "--scenario", "chat.yaml"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  // The first line has the URL. The emulator prints it when it is ready for requests.
  for await (const line of createInterface({ input: emulator.stdout })) {
    url = JSON.parse(line).url;
    break;
  }
});

after(() => emulator.kill());

// Every test has a new world, in which Alice has a token and is not yet known to the app.
beforeEach(async () => {
  await control("POST", "/reset");
  ({ alice } = (await control("GET", "/actors")).actors);
  storage = new Map();
  chat = new Chat(url, storage, { pause: 10 });
});

afterEach(() => chat.close());

async function control(method, path, body) {
  const answer = await fetch(`${url}/_emulator${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.status === 204 ? undefined : answer.json();
}

test("a new user gets an identity, and its token is kept", async () => {
  const identity = await chat.open();

  const verified = await fetch(`${url}/v1/identity/${identity}/verify`, {
    headers: { Authorization: `Bearer ${storage.get("token")}` },
  });
  assert.equal(verified.status, 204);
});

test("a user who comes back has the same identity", async () => {
  storage.set("token", alice.token);

  assert.equal(await chat.open(), alice.identity);
});

test("the app connects again when the server goes away", async () => {
  const identity = await chat.open();
  const again = once(chat, "ready");

  await control("DELETE", "/connections", { code: 1001, reason: "module exited" });

  assert.deepEqual(await again, [identity]);
});

test("the app tries again while the server restarts", async () => {
  await control("POST", "/faults", { request: "GET /v1/database/*/subscribe", times: 2, do: { status: 503 } });

  await chat.open();

  const { exchanges } = await control("GET", "/journal?path=/v1/database/*/subscribe");
  assert.deepEqual(exchanges.map(({ status }) => status), [503, 503, 101]);
});

test("the app gives up when the server stays away", async () => {
  await control("POST", "/faults", { request: "GET /v1/database/*/subscribe", do: { drop: "before" } });

  await assert.rejects(chat.open(), /non-101/);
});

test("an expired token means to sign in again", async () => {
  const { token } = await control("POST", "/spacetime/tokens", { subject: "alice", expires_in: 60 });
  storage.set("token", token);
  await control("POST", "/clock", { advance: 122 }); // past its end and the server's leeway of 60 s

  await assert.rejects(chat.open(), /Sign in again/);

  assert.equal(storage.has("token"), false);
  const { exchanges } = await control("GET", "/journal?status=401");
  assert.match(exchanges[0].why, /^expiry: expired/);
});

test("a server with new keys means to sign in again", async () => {
  storage.set("token", alice.token);
  await control("POST", "/spacetime/rotate-key");

  await assert.rejects(chat.open(), /Sign in again/);
});
