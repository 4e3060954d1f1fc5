// An emulator for one test file: a world of its own, at a URL of its own. `node --test` runs files side by side, each in a
// process of its own: with `identity-emulator exec -- npm test` one emulator has the worlds of all, else each file starts one.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, afterEach, before, beforeEach } from "node:test";

export class Emulator {
  /** For the top of a test file. Each test begins as the settings say; one that fails prints its exchanges. */
  static forThisFile(settings = {}) {
    const emulator = new Emulator();
    before(() => emulator.open(settings));
    beforeEach(() => emulator.control("POST", "/reset"));
    afterEach(async (test) => {
      if (!test.passed) console.error(await emulator.report());
    });
    after(() => emulator.url && emulator.control("DELETE", `/worlds/${emulator.id}`));
    return emulator;
  }

  /** The settings are the keys of docs/worlds.md: `{ seed: 7, scenario: "two_friends" }`. */
  async open(settings) {
    const server = process.env.IDENTITY_EMULATOR_URL ?? (await started());
    // A runner that is killed closes nothing: the world is closed when nobody has used it for ten minutes.
    const world = await answered("POST", `${server}/_emulator/worlds`, { idle_exit: 600, ...settings });
    this.id = world.id;
    this.url = world.url;
    /** What clients need: INTUITION_API_KEY, and of each actor of the scenario, like `alice`, ALICE_TOKEN and others. */
    this.env = world.env;
  }

  /** A control route, with a body in JSON or none; the answer as JSON. */
  control(method, path, body) {
    return answered(method, `${this.url}/_emulator${path}`, body);
  }

  /** What a failed test shows: its exchanges, with the reason for each refused request. */
  async report() {
    return (await fetch(`${this.url}/_emulator/report`)).text();
  }
}

async function answered(method, url, body) {
  const answer = await fetch(url, {
    method,
    ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${url}: ${await answer.text()}`);
  return answer.json();
}

/** Starts a process; its URL, from the first line that it prints: then it is ready for requests. The log is dropped. */
async function started() {
  // What is killed can stop nothing: the emulator ends with the process that started it.
  const child = spawn("identity-emulator", ["serve", "--port", "0", "--exit-with-parent"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const failed = new Promise((_, reject) => {
    child.once("error", () => reject(new Error(NOT_THERE)));
    child.once("exit", (status) => reject(new Error(`identity-emulator ended with status ${status}`)));
  });
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), failed]);
  // Neither keeps this process from its end.
  child.unref();
  child.stdout.unref();
  return JSON.parse(line).url;
}

const NOT_THERE =
  "identity-emulator is not on the PATH: install it with `pipx install PATH-OF-ITS-CLONE`, or see its docs/install.md";
