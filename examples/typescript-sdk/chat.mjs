// A chat that stays connected: it keeps its token, connects again when the server goes away, and asks for a new sign-in
// when the token is no longer good.

import { EventEmitter, once } from "node:events";

import { DbConnection } from "./module_bindings/index.mjs";

// Node has a WebSocket of its own since 22.
globalThis.WebSocket ??= (await import("undici")).WebSocket;

export class Chat extends EventEmitter {
  // `storage` keeps the token: a Map here, localStorage in a browser. `pause` is in milliseconds, `tries` in a row.
  constructor(uri, storage, { pause = 1000, tries = 5 } = {}) {
    super();
    Object.assign(this, { uri, storage, pause, tries });
  }

  // Resolves with the identity once the messages are there; rejects when it makes no sense to go on.
  open() {
    this.failures = 0;
    this.#connect();
    return once(this, "ready").then(([identity]) => identity);
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.connection?.disconnect();
  }

  #connect() {
    let isConnected = false;
    this.connection = DbConnection.builder()
      .withUri(this.uri)
      .withDatabaseName("chat")
      .withToken(this.storage.get("token"))
      .onConnect((connection, identity, token) => {
        isConnected = true;
        this.failures = 0;
        this.storage.set("token", token);
        connection
          .subscriptionBuilder()
          .onApplied(() => this.emit("ready", identity.toHexString()))
          .subscribe("SELECT * FROM message");
      })
      .onConnectError((_, error) => {
        if (isConnected) return; // `onDisconnect` follows
        if (error.message === "Failed to verify token: Unauthorized") {
          this.storage.delete("token");
          this.emit("error", new Error("Sign in again."));
        } else this.#again(error);
      })
      .onDisconnect(() => isConnected && this.#again())
      .build();
  }

  #again(error) {
    if (this.isClosed) return;
    if (++this.failures < this.tries) this.timer = setTimeout(() => this.#connect(), this.pause);
    else this.emit("error", error);
  }
}
