// Reads tasks, one JSON object a line, and writes what came of each: tests/clients/probes.py.

import { createInterface } from "node:readline";
import { importSPKI, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";

const EXPECTED = { algorithms: ["ES256"], audience: "spacetimedb", issuer: "localhost" };

const TASKS = {
  async fetch({ method, url, before, seconds }) {
    if (before) await (await fetch(before)).text();
    const answer = await fetch(url, { method, signal: AbortSignal.timeout(seconds * 1000) });
    if (answer.ok) await answer.json();
    return String(answer.status);
  },
  async jose({ token, pem }) {
    await jwtVerify(token, await importSPKI(pem, "ES256"), EXPECTED);
    return "good";
  },
  async jsonwebtoken({ token, pem }) {
    jsonwebtoken.verify(token, pem, EXPECTED);
    return "good";
  },
};

function shown(error) {
  // fetch has the reason in `cause`; there jose has the claims.
  return error.cause?.code ? `${error.message}: ${error.cause.code}` : `${error.name}: ${error.message}`;
}

for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line);
  const seen = await TASKS[task.by](task).then((text) => ({ seen: text }), (error) => ({ error: shown(error) }));
  console.log(JSON.stringify(seen));
}
