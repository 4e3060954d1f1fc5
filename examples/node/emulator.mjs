// An emulator for one test file: `node --test` runs each file in a process of its own, so each has a world of its own.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class Emulator {
  static async start(...options) {
    // A test runner that is killed can stop nothing: the emulator ends with the process that started it.
    const child = spawn("identity-emulator", ["serve", "--port", "0", "--exit-with-parent", ...options], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    process.once("exit", () => child.kill());
    const failed = new Promise((_, reject) => {
      child.once("error", () => reject(new Error(NOT_THERE)));
      child.once("exit", (status) => reject(new Error(`identity-emulator ended with status ${status}`)));
    });
    failed.catch(() => {});
    // The first line has the URL. The emulator prints it when it is ready for requests.
    const ready = createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    const line = (await Promise.race([ready, failed])).value ?? (await failed);
    return new Emulator(child, JSON.parse(line).url);
  }

  constructor(child, url) {
    this.child = child;
    this.url = url;
  }

  stop() {
    this.child.kill();
  }

  /** A control route, with a body in JSON or none; the answer as JSON. */
  async control(method, path, body) {
    const answer = await fetch(`${this.url}/_emulator${path}`, {
      method,
      ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  }

  /** What a failed test shows: its exchanges, with the reason for each refused request. */
  async report() {
    return (await fetch(`${this.url}/_emulator/report`)).text();
  }
}

const NOT_THERE =
  "identity-emulator is not on the PATH: install it with `pipx install PATH-OF-ITS-CLONE`, or see its docs/install.md";
