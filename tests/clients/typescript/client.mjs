// Clients of one version of the SDK: `node client.mjs 2.10.1 undici-7`. It reads commands, one JSON object a line, and writes
// what happened, one JSON object a line. Each has the `client` that it is about; a client is one connection.

import { createInterface } from "node:readline";

import { connectionBuilder } from "./bindings.mjs";

// The SDK logs to the console; stdout is for what happens.
for (const level of ["debug", "info", "log", "warn"]) console[level] = console.error;

const [version, websockets] = process.argv.slice(2);

// Node 20 has no WebSocket of its own. Node 22 has that of undici 6, Node 24 that of undici 7.
globalThis.WebSocket = (await import(websockets)).WebSocket;

// The SDK 2.0.0 needs it to call reducers, and Node has it since 22.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
};

const sdk = await import(`sdk-${version}`);

const connections = new Map();

function happened(client, event, facts = {}) {
  process.stdout.write(JSON.stringify({ client, event, ...facts }) + "\n");
}

// Of an Error, or of the event that browsers and undici give.
function text(error) {
  return error?.message || error?.error?.message || error?.type || "";
}

const commands = {
  connect({ client, uri, database, token, compression }) {
    const builder = connectionBuilder(sdk, version, database)
      .withUri(uri)
      .withToken(token)
      .onConnect((_, identity, given) => {
        happened(client, "connected", { identity: identity.toHexString(), token: given });
      })
      .onConnectError((_, error) => happened(client, "connect error", { text: text(error) }))
      .onDisconnect((_, error) => happened(client, "disconnected", { text: text(error) }));
    if (compression) builder.withCompression(compression);
    connections.set(client, { connection: builder.build() });
  },

  // `times` subscriptions, in one tick: the SDK may send them in one frame.
  subscribe({ client, query, times = 1 }) {
    const state = connections.get(client);
    for (let made = 0; made < times; made++) {
      state.subscription = state.connection
        .subscriptionBuilder()
        .onApplied(() => happened(client, "applied"))
        .onError((context) => happened(client, "subscription error", { text: text(context.event) }))
        .subscribe(query);
    }
  },

  unsubscribe({ client }) {
    connections.get(client).subscription.unsubscribeThen(() => happened(client, "unsubscribed"));
  },

  // In 2.x a call is a promise; in 1.x its result is an event of the reducer.
  call({ client, argument }) {
    const { reducers } = connections.get(client).connection;
    if (reducers.onSend) {
      reducers.onSend((context) => {
        const { tag, value } = context.event.status;
        if (tag === "Committed") happened(client, "called");
        else happened(client, "call failed", { text: value });
      });
    }
    reducers.send({ text: argument })?.then(
      () => happened(client, "called"),
      (error) => happened(client, "call failed", { text: text(error) }),
    );
  },

  disconnect({ client }) {
    connections.get(client).connection.disconnect();
  },
};

process.on("uncaughtException", (error) => happened(null, "uncaught", { text: error?.stack ?? String(error) }));

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { command, ...rest } = JSON.parse(line);
    commands[command](rest);
  })
  .on("close", () => process.exit());
