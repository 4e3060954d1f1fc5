/* The emulator's page: the journal as it grows, a token and why it is refused, the world and what changes it.

   It is a client of the control routes like any other. Opened as a report (a file with an element `recorded`) it shows
   what that holds and asks nothing. What came with a request is only ever text: nodes are made by `element`, which
   knows no markup. Nothing is stored, and the control token stays in memory. */

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {{n: number, at: string, after: number, duration: number, method: string, path: string, query: string,
 *   status: number, operation: string, actor: string, fault: string, why: string, matched: boolean, outlived: boolean,
 *   refused: boolean, websocket: {frames: number} | null}} Row  An exchange in short: the data of `exchange` events.
 * @typedef {{row: Row, place: number}} Entry  A row, and how many came before it since the page was opened.
 * @typedef {{headers: [string, string][], body: string, size: number, base64?: string}} Message
 * @typedef {{by: string, at: string, kind: string, text: string, size: number}} Frame
 * @typedef {{by: string, cut: boolean, code: number | null, reason: string}} Ended
 * @typedef {{n: number, at: string, after: number, duration: number, operation: string, method: string, path: string,
 *   query: string, status: number, why: string, matched: boolean, outlived: boolean, actor: string, fault: string,
 *   request: Message, response: Message,
 *   websocket?: {frames: Frame[], dropped: number, ended: Ended | null}}} Exchange
 * @typedef {{name: string, result: "held" | "failed" | "not reached", reason: string}} Check
 * @typedef {{profile: string, accepted: boolean, status: number | null, text: string | null, reason: string,
 *   checks: Check[], refused_from: string | null}} Verdict
 * @typedef {Verdict & {now: string, algorithm: string | null, identity: string | null, hex_identity: string | null,
 *   issued_at: number | null, expires_at: number | null, key: string | null, signed_by: string | null,
 *   header: string | null, payload: string | null, profiles: Verdict[]}} Inspection
 * @typedef {{event: string, id: string, data: any}} ServerEvent
 * @typedef {Emulator | Recording} Source  Where answers come from.
 * @typedef {(token: string, at: string, from: string) => unknown} Inspect  A token, at a time or now (empty), and where
 *   it was seen, as the end of a sentence.
 */

// --- texts -----------------------------------------------------------------------------------------------------------

const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SHORT_ESCAPES = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

/** `\u202e` and the like, as the emulator's reports have it. @param {string} character */
function escaped(character) {
  const code = character.codePointAt(0) ?? 0;
  const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
  return SHORT_ESCAPES.get(character) ?? `\\${letter}${code.toString(16).padStart(Number(digits), "0")}`;
}

/** One line, with escapes for all that ends it, turns its direction or can't be seen. @param {string} text */
const oneLine = text => text.replace(UNSEEN, escaped);

/** The same, with line feeds and tabs as they are. @param {string} text */
const manyLines = text => text.replace(UNSEEN, found => (found === "\n" || found === "\t" ? found : escaped(found)));

/** JSON for an input, in which no character is unseen. @param {unknown} value */
const asJson = value => JSON.stringify(value, null, 1).replace(UNSEEN, found => found === "\n" ? found : units(found));

/** As JSON escapes it: UTF-16 units. @param {string} text */
const units = text => [...Array(text.length).keys()]
  .map(at => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");

const DEEPEST = 40;
/** Indents: a short text can be nested thousands of times. */

/** A JSON text with indents, its values as they were sent; null when it is not JSON. @param {string} text */
function indented(text) {
  if (parsed(text) === undefined) return null;
  let depth = 0;
  const line = () => "\n" + "  ".repeat(Math.min(depth, DEEPEST));
  return text.replace(/"(?:[^"\\]+|\\.)*"|\s+|[[{]\s*[\]}]|[[{]|[\]}]|,|:/g, found => {
    if (found[0] === '"') return found;
    if (found === ",") return "," + line();
    if (found === ":") return ": ";
    if (/^\s/.test(found)) return "";
    if (found.length > 1) return found[0] + found.at(-1);
    depth += "[{".includes(found) ? 1 : -1;
    return "[{".includes(found) ? found + line() : line() + found;
  });
}

/** A JSON text's value; undefined when it is not JSON. @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {string} base64 */
const bytesOf = base64 => Uint8Array.from(atob(base64), character => character.charCodeAt(0));

/** `00000000  7b 22 …  {"`. @param {Uint8Array} bytes */
function hexDump(bytes) {
  const rows = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const hex = part.map(byte => byte.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    const text = part.map(byte => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    rows.push(`${at.toString(16).padStart(8, "0")}  ${hex}  ${text}`);
  }
  return rows.join("\n");
}

const UNITS = /** @type {[string, number][]} */ ([["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]);

/** `2 h 3 min`: the two largest units. @param {number} seconds */
function lengthOf(seconds) {
  let left = Math.floor(Math.abs(seconds));
  const words = [];
  for (const [name, size] of UNITS) {
    if (left >= size) words.push(`${Math.floor(left / size)} ${name}`);
    left %= size;
  }
  return words.slice(0, 2).join(" ") || "0 s";
}

/** Milliseconds since 1970 as `2026-11-27 05:11:01Z`; empty for what no date has. @param {number} millis */
function dateOf(millis) {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace("T", " ").replace(/\.\d+/, "");
}

/** Microseconds since 1970 of an RFC 3339 text as the emulator writes it. @param {string} at */
const microseconds = at => Date.parse(`${at.slice(0, 19)}Z`) * 1000 + Number(at.slice(20, 26));

/** The time of day of an RFC 3339 text, to the millisecond. @param {string} at */
const timeOfDay = at => at.slice(11, 23);

/** @param {number} seconds */
const milliseconds = seconds => `${(seconds * 1000).toFixed(1)} ms`;

/** A path whose identities are cut in their middle, so that what follows them is seen. @param {string} path */
const shortened = path => path.replace(/[0-9a-f]{40,}/g, hex => `${hex.slice(0, 6)}…${hex.slice(-4)}`);

/** `1,234`. @param {number} count */
const thousands = count => count.toLocaleString("en");

/** @param {number} count @param {string} noun */
const counted = (count, noun) => `${thousands(count)} ${noun}${count === 1 ? "" : "s"}`;

// --- elements --------------------------------------------------------------------------------------------------------

/**
 * An element. A function is a listener (`onclick`), true an attribute without a value, false and null none.
 * Texts are shown as `manyLines` has them.
 * @param {string} name
 * @param {Record<string, any>} attributes
 * @param {...(Child | Child[])} content
 * @returns {HTMLElement}
 */
function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, oneLine(String(value)));
  }
  made.append(...children(content));
  return made;
}

/** What is there of the children, texts as `manyLines` has them. @param {Child | (Child | Child[])[]} given */
function children(given) {
  const there = [given].flat(Infinity).filter(child => child || child === 0);
  return there.map(child => (child instanceof Node ? child : manyLines(String(child))));
}

/** @param {Record<string, any>} attributes */
const input = attributes =>
  /** @type {HTMLInputElement} */ (element("input", {autocomplete: "off", spellcheck: "false", ...attributes}));

/** @param {string} value */
const numberInput = value => input({type: "number", step: "any", value, required: true});

/** @param {Child} text */
const note = text => element("p", {class: "quiet"}, text);

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${kind.name} ${id}`);
  return found;
}

/** @param {Node} node @param {string} text */
function setText(node, text) {
  const wanted = oneLine(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** What is shown over an element whose text is cut. @param {Element} made @param {string} text */
function setTitle(made, text) {
  const wanted = oneLine(text);
  if (made.getAttribute("title") !== wanted) made.setAttribute("title", wanted);
}

/** @param {string} text @param {(event: Event) => unknown} onclick @param {Record<string, any>} attributes */
const button = (text, onclick, attributes = {}) => element("button", {type: "button", onclick, ...attributes}, text);

/** A button that copies a text. @param {string} label @param {string} text */
function copyButton(label, text, attributes = {}) {
  const made = button(label, async () => {
    made.textContent = await copy(text).then(() => "Copied", () => "Not copied");
    setTimeout(() => { made.textContent = label; }, 1500);
  }, attributes);
  return made;
}

/** @param {string} text */
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // over plain HTTP from another machine there is no clipboard
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser does not allow it");
}

/** A definition list without what is empty. @param {[Child, Child | Child[]][]} pairs */
function pairList(pairs) {
  const given = pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const items = given.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element("dl", {class: "pairs"}, items);
}

/** @param {string[]} heads  empty over buttons @param {(Child | Child[])[][]} rows */
function table(heads, rows) {
  const ofButtons = () => element("span", {class: "unseen"}, "actions");
  const titles = heads.map(text => element("th", {scope: "col"}, text || ofButtons()));
  const head = element("thead", {}, element("tr", {}, titles));
  const body = element("tbody", {}, rows.map(cells => element("tr", {}, cells.map(cell => element("td", {}, cell)))));
  const scrolls = {class: "scroll", tabindex: 0, role: "group", "aria-label": "Table"};
  return element("div", scrolls, element("table", {}, head, body));
}

// --- asking ----------------------------------------------------------------------------------------------------------

/** What a control route refuses: its error, and its hint how to fix it. */
class Refusal extends Error {
  /** @param {number} status @param {string} text @param {string} hint */
  constructor(status, text, hint) {
    super(text);
    this.status = status;
    this.hint = hint;
  }
}

/** A hint that says what to send is for programs, not for whoever fills in a form. @param {unknown} error */
function inWords(error) {
  if (error instanceof Refusal) {
    return error.hint && !error.hint.startsWith("send ") ? `${error.message}\n${error.hint}` : error.message;
  }
  return error instanceof TypeError ? "the emulator does not answer" : String(error);
}

/** Run an action; what is refused is shown in an element. @template T @param {HTMLElement} place
 * @param {() => Promise<T>} action */
async function refusedIn(place, action) {
  place.textContent = "";
  try {
    return await action();
  } catch (error) {
    place.textContent = manyLines(inWords(error));
    return undefined;
  }
}

/** Never twice at once: called meanwhile, the action is run once more. @param {() => Promise<unknown>} action */
function oneAtATime(action) {
  let isRunning = false;
  let isWanted = false;
  return async () => {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    try {
      while (isWanted) {
        isWanted = false;
        await action();
      }
    } finally {
      isRunning = false;
    }
  };
}

const outcomePlace = () => element("div", {class: "outcome"});

/** What came of the last action. It is said beside what was pressed, until the next action or a new world; a world that
 * the action itself begins leaves it there. */
class Outcome {
  #place = outcomePlace();
  #beginsWorld = false;

  /**
   * Run an action, and say what came of it.
   * @template T
   * @param {HTMLElement} place
   * @param {() => Promise<T>} action
   * @param {(answer: T) => string} inWordsOf  when it was done
   * @param {boolean} beginsWorld
   */
  async of(place, action, inWordsOf = () => "", beginsWorld = false) {
    this.#place.replaceChildren();
    this.#place = place;
    this.#beginsWorld = beginsWorld;
    try {
      const answer = await action();
      this.#say({role: "status"}, inWordsOf(answer));
      return answer;
    } catch (error) {
      this.#beginsWorld = false;
      this.#say({role: "alert", class: "refusal"}, inWords(error));
      return undefined;
    }
  }

  /** @param {Record<string, string>} attributes @param {string} text */
  #say(attributes, text) {
    if (!text) return;
    this.#place.replaceChildren(element("p", attributes, text));
    this.#place.scrollIntoView({block: "nearest"});
  }

  worldBegan() {
    if (!this.#beginsWorld) this.#place.replaceChildren();
    this.#beginsWorld = false;
  }
}

const ASKED = 5000;
/** Milliseconds in which a question can be answered. */

/** A button for what can't be undone: it asks, and acts when it is pressed again. @param {string} text
 * @param {string} question @param {() => unknown} act */
function askingButton(text, question, act) {
  let isAsking = 0;
  const rest = () => {
    clearTimeout(isAsking);
    isAsking = 0;
    made.textContent = text;
    made.classList.remove("asks");
  };
  const made = button(text, event => {
    if (/** @type {MouseEvent} */ (event).detail > 1) return; // the second half of a double click is no answer
    if (isAsking) {
      rest();
      act();
      return;
    }
    isAsking = setTimeout(rest, ASKED);
    made.textContent = question;
    made.classList.add("asks");
  }, {"aria-live": "polite"});
  return made;
}

/** @type {RequestInit} */
const FETCH = {cache: "no-store", credentials: "omit", redirect: "error"};

/** The control routes of the emulator that served this page. */
class Emulator {
  canChange = true;
  #token = "";
  /** @type {Promise<void> | null} */
  #asking = null;
  /** Whether the person gave no token: then only what the person does asks for it again. */
  #declined = false;

  /** @param {string} path @param {RequestInit} options */
  async fetch(path, options = {}) {
    for (;;) {
      const token = this.#token;
      const headers = {...options.headers, ...(token ? {"X-Emulator-Token": token} : {})};
      const response = await fetch(path, {...FETCH, ...options, headers});
      if (response.status !== 401) return response;
      if (token === this.#token) await this.#askForToken(await refusalOf(response));
    }
  }

  /** The control token may be asked for, also if there was none before. */
  mayAsk() {
    this.#declined = false;
  }

  /** Asks the person, once for all requests that wait. @param {Refusal} refusal */
  async #askForToken(refusal) {
    if (this.#declined) throw refusal;
    this.#asking ??= askForToken(this.#token !== "").then(token => {
      this.#declined = !token;
      if (!token) throw refusal;
      this.#token = token;
    }).finally(() => { this.#asking = null; });
    return this.#asking;
  }

  /** @param {string} path */
  async ask(path) {
    return (await this.#answer(path, {})).json();
  }

  /** @param {string} path */
  async text(path) {
    return (await this.#answer(path, {})).text();
  }

  /** @param {string} method @param {string} path @param {unknown} body  JSON, or a value that becomes JSON */
  async change(method, path, body = {}) {
    this.mayAsk();
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return (await this.#answer(path, {method, body: text, headers: {"Content-Type": "application/json"}})).json();
  }

  /** @param {string} path @param {RequestInit} options */
  async #answer(path, options) {
    const response = await this.fetch(path, options);
    if (!response.ok) throw await refusalOf(response);
    return response;
  }

  /** @param {Entry} entry @returns {Promise<Exchange>} */
  async exchange({row}) {
    const found = await this.ask(`journal/${row.n}`);
    if (found.at === row.at && found.after === row.after) return found;
    throw new Refusal(404, "its world was replaced: the journal has another exchange of this number", "");
  }

  /** @param {Entry} entry */
  async curl(entry) {
    return (await this.text(`journal/${entry.row.n}/curl`)).trimEnd();
  }

  /** @param {string} token @param {string} at  empty for now @returns {Promise<Inspection>} */
  inspect(token, at) {
    return this.change("POST", "spacetime/tokens/inspect", at ? {token, at} : {token});
  }

  /** What was found out when the report was written; here nothing. @returns {Inspection | null} */
  inspection() {
    return null;
  }
}

/** @param {Response} response */
async function refusalOf(response) {
  const text = await response.text();
  const {error = text || `${response.status} ${response.statusText}`, hint = ""} = parsed(text) ?? {};
  return new Refusal(response.status, String(error), String(hint));
}

/** What a report holds, in the place of an emulator. */
class Recording {
  canChange = false;

  /** @param {any} recorded */
  constructor(recorded) {
    this.recorded = recorded;
  }

  /** @param {string} path */
  async ask(path) {
    const answer = this.recorded.answers[path];
    if (answer === undefined) throw new Refusal(404, "the report does not have this", "");
    return answer;
  }

  async change() {
    throw new Refusal(405, "a report can't be changed", "");
  }

  /** @param {Entry} entry @returns {Promise<Exchange>} */
  async exchange(entry) {
    return (await this.ask("journal")).exchanges[entry.place];
  }

  /** @param {Entry} entry */
  async curl(entry) {
    return this.recorded.curls[entry.place] ?? "";
  }

  /** @returns {Promise<Inspection>} */
  async inspect() {
    throw new Refusal(405, "a report judges no tokens", "");
  }

  /** @param {Entry} entry @returns {Inspection | null} */
  inspection(entry) {
    return this.recorded.inspections[entry.place] ?? null;
  }
}

/** The control token that the person gives; empty without one. @param {boolean} isAgain  whether one was refused
 * @returns {Promise<string>} */
function askForToken(isAgain) {
  const dialog = byId("sign-in", HTMLDialogElement);
  const input = byId("control-token", HTMLInputElement);
  byId("sign-in-refusal", HTMLElement).textContent = isAgain ? "That is not the control token of this emulator." : "";
  dialog.returnValue = input.value = "";
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener("close", () => {
    resolve(dialog.returnValue === "use" ? input.value.trim() : "");
    input.value = "";
  }, {once: true}));
}

// --- events ----------------------------------------------------------------------------------------------------------

const SILENCE = 30_000;
/** Milliseconds without a byte after which a connection is lost; the emulator writes something every ten seconds. */
const PAUSES = [1000, 1000, 2000, 5000];
/** Milliseconds before the next tries; the last one stays. */
const PASSING = new Set([400, 503]);
/** A position that is not known any more, which is then not sent again; too many watchers, or the emulator's end. */

/** Server-sent events of a response, as many at a time as came. @param {Response} response
 * @param {AbortController} abort  what ends it when nothing comes */
async function* eventsOf(response, abort) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const silent = setTimeout(() => abort.abort(), SILENCE);
    const {done, value} = await reader.read().finally(() => clearTimeout(silent));
    if (done) return;
    const blocks = (rest + decoder.decode(value, {stream: true})).split("\n\n");
    rest = blocks.pop() ?? "";
    yield blocks.map(eventOf).filter(event => event.data !== undefined);
  }
}

/** @param {string} block @returns {ServerEvent} */
function eventOf(block) {
  const fields = Object.fromEntries(block.split("\n").map(line => line.split(/: ?(.*)/s, 2)));
  return {event: fields.event ?? "", id: fields.id ?? "", data: parsed(fields.data ?? "")};
}

/** Reads the emulator's events, and connects again when they end, after the last one that came. */
class Watch {
  #last = "";
  #again = () => {};

  /** @param {Emulator} emulator @param {(events: ServerEvent[]) => void} take
   * @param {(state: string, text: string) => void} tell  how the connection is */
  constructor(emulator, take, tell) {
    this.emulator = emulator;
    this.take = take;
    this.tell = tell;
  }

  async run() {
    for (let failed = 0; ; failed++) {
      try {
        await this.#connection(() => { failed = 0; });
        this.tell("broken", "reconnecting");
      } catch (error) {
        if (error instanceof Refusal && !PASSING.has(error.status)) {
          await this.#stopped(error);
          continue;
        }
        this.tell("broken", error instanceof Refusal ? inWords(error) : "reconnecting");
      }
      await this.#pause(PAUSES[Math.min(failed, PAUSES.length - 1)]);
    }
  }

  /** One connection, until it ends. Raises what the emulator refuses. @param {() => void} opened */
  async #connection(opened) {
    const abort = new AbortController();
    const response = await this.emulator.fetch("events", {
      signal: abort.signal, headers: this.#last ? {"Last-Event-ID": this.#last} : {},
    });
    if (response.status === 400) this.#last = "";
    if (!response.ok) throw await refusalOf(response);
    opened();
    this.tell("live", "live");
    for await (const events of eventsOf(response, abort)) {
      this.#last = events.findLast(each => each.id)?.id ?? this.#last;
      this.take(events);
      const end = events.find(each => each.event === "dropped" || each.event === "closed");
      if (end) throw new Refusal(end.event === "closed" ? 503 : 429, end.data.error, end.data.hint);
    }
  }

  /** What time does not mend: until the person connects again. @param {Refusal} refusal */
  #stopped(refusal) {
    this.tell("stopped", inWords(refusal));
    return new Promise(resolve => { this.#again = () => resolve(null); });
  }

  /** @param {number} millis */
  #pause(millis) {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, millis);
      this.#again = () => { clearTimeout(timer); resolve(null); };
    });
  }

  /** Connect now. */
  again() {
    this.emulator.mayAsk();
    this.#again();
  }
}

// --- the clock -------------------------------------------------------------------------------------------------------

/** The emulator's clock, as the emulator last said. */
class Clock {
  #frozen = false;
  #runs = false;
  #millis = NaN;
  #since = 0;
  /** Seconds ahead of real time; null while it is frozen. @type {number | null} */
  ahead = null;

  /** @param {{now: string, frozen: boolean, ahead: number | null}} state
   * @param {boolean} runs  whether it goes on from there */
  set({now, frozen, ahead}, runs = !frozen) {
    this.ahead = ahead;
    this.#frozen = frozen;
    this.#runs = runs;
    this.#millis = Date.parse(now);
    this.#since = performance.now();
  }

  /** Milliseconds since 1970; NaN before that. */
  now() {
    return this.#millis + (this.#runs ? performance.now() - this.#since : 0);
  }

  toString() {
    return `${dateOf(this.now())}${this.#frozen ? " frozen" : ""}`;
  }
}

/** `130 s ahead of real time`; empty when it is less than a second. @param {number} seconds */
function besideRealTime(seconds) {
  const whole = Math.round(Math.abs(seconds));
  if (whole === 0) return "";
  return `${whole < 1000 ? `${whole} s` : lengthOf(whole)} ${seconds > 0 ? "ahead of" : "behind"} real time`;
}

// --- the journal: what is kept, and which of it is shown -------------------------------------------------------------

const MOST_KEPT = 10_000;
const DROPPED_AT_ONCE = 1000;
const MOST_ACTORS = 200;
/** In the filter; a scenario can have crowds. */

/** @type {[string, string, (row: Row) => boolean][]} */
const STATUSES = [
  ["", "any", () => true],
  ["refused", "refused", row => row.refused],
  ["2xx", "2xx", row => Math.floor(row.status / 100) === 2],
  ["4xx", "4xx", row => Math.floor(row.status / 100) === 4],
  ["5xx", "5xx", row => Math.floor(row.status / 100) === 5],
  ["0", "no answer", row => row.status === 0],
  ["fault", "with a fault", row => row.fault !== ""],
];

/** The rows, those that pass the filter, and those that wait while it is paused. */
class Journal {
  /** @type {Entry[]} */
  kept = [];
  /** @type {Entry[]} */
  matching = [];
  /** @type {Entry[]} */
  waiting = [];
  /** @type {Map<number, Entry>} */
  #sockets = new Map();
  /** @type {(row: Row) => boolean} */
  #passes = () => true;
  #places = 0;
  #waits = 0;
  #clears = false;
  earlier = 0;
  paused = false;
  actors = new Set();
  statuses = new Set();
  /** Whether one of the rows had a fault. */
  faults = false;

  /** How many wait, also of those that were dropped for lack of room. */
  get waits() {
    return this.#waits;
  }

  /** @param {Row} row */
  add(row) {
    const entry = {row, place: this.#places++};
    if (!this.paused) return this.#keep(entry);
    this.#waits++;
    if (this.waiting.push(entry) > MOST_KEPT) this.waiting.splice(0, DROPPED_AT_ONCE);
  }

  /** @param {Entry} entry */
  #keep(entry) {
    const {row} = entry;
    this.kept.push(entry);
    if (row.websocket) this.#sockets.set(row.n, entry);
    if (this.actors.size < MOST_ACTORS) this.actors.add(row.actor);
    this.statuses.add(row.status);
    this.faults ||= row.fault !== "";
    if (this.#passes(row)) this.matching.push(entry);
    if (this.kept.length > MOST_KEPT) this.#dropOldest();
  }

  #dropOldest() {
    this.kept.splice(0, DROPPED_AT_ONCE);
    this.earlier += DROPPED_AT_ONCE;
    const first = this.kept[0].place;
    const gone = this.matching.findIndex(entry => entry.place >= first);
    this.matching.splice(0, gone < 0 ? this.matching.length : gone);
    for (const [number, entry] of this.#sockets) if (entry.place < first) this.#sockets.delete(number);
  }

  /** Begin again; while it is paused, when it is resumed. @param {number} earlier  of which no rows come */
  clear(earlier = 0) {
    this.waiting = [];
    this.#waits = 0;
    this.#clears = this.paused;
    this.earlier = earlier;
    if (!this.paused) this.#empty();
  }

  #empty() {
    this.kept = [];
    this.matching = [];
    this.#sockets.clear();
    this.actors.clear();
    this.statuses.clear();
    this.faults = false;
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.paused = paused;
    if (paused) return;
    if (this.#clears) this.#empty();
    this.earlier += this.#waits - this.waiting.length;
    this.waiting.forEach(entry => this.#keep(entry));
    this.waiting = [];
    this.#waits = 0;
    this.#clears = false;
  }

  /** The exchange of a WebSocket in the current world, if it is kept. @param {number} n */
  ofSocket(n) {
    return this.#clears ? undefined : this.#sockets.get(n);
  }

  /** @param {string} text @param {string} status @param {string} actor  `any`, or `by ` and a name */
  filter(text, status, actor) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const ofStatus = STATUSES.find(([value]) => value === status)?.[2] ?? (row => row.status === Number(status));
    this.#passes = row => ofStatus(row) && (actor === "any" || `by ${row.actor}` === actor) && hasWords(row, words);
    this.matching = this.kept.filter(entry => this.#passes(entry.row));
  }
}

/** @param {Row} row @param {string[]} words */
function hasWords(row, words) {
  if (!words.length) return true;
  const {method, path, query, status, operation, actor, fault, why, n} = row;
  const text = `#${n} ${method} ${path}?${query} ${status} ${operation} ${actor} ${fault} ${why}`.toLowerCase();
  return words.every(word => text.includes(word));
}

// --- the journal: its rows on the screen -----------------------------------------------------------------------------

/** A fault without the request that it is for, which is in its row. @param {string} text */
const withoutRequest = text => text.replace(/^(fault: )?[A-Z*]+ \/\S*(?: \([^)]*\))?: /, "$1");

/** @param {Row} row */
const pathOf = ({path, query}) => query ? `${path}?${query}` : path;

/** @type {[string, string, (row: Row) => string, ((row: Row) => string)?][]} Name, title, text, and the whole text. */
const COLUMNS = [
  ["n", "#", row => String(row.n)],
  ["at", "time", row => timeOfDay(row.at)],
  ["method", "method", row => row.method],
  ["path", "path", row => shortened(pathOf(row)), row => pathOf(row)],
  ["status", "status", row => String(row.status || "none")],
  ["actor", "actor", row => row.actor],
  ["operation", "operation", row => row.operation, row => row.operation],
  ["fault", "fault", row => withoutRequest(row.fault), row => row.fault],
  ["why", "why", row => withoutRequest(row.why), row => row.why],
];
const BEYOND = 4;
/** Rows above and below the visible ones. */

/** Rows of which only the visible ones are elements, which are used again and again. */
class RowWindow {
  /** @type {Entry[]} */
  #entries = [];
  /** @type {HTMLElement[]} */
  #pool = [];
  #height = 26;
  #due = false;
  #follows = true;
  /** @type {{entry: Entry, at: number} | null} The first visible row, and its place in the list. */
  #top = null;
  /** @type {Entry | null} */
  chosen = null;

  /** @param {HTMLElement} grid @param {(entry: Entry, opens: boolean) => void} choose @param {() => void} drawn */
  constructor(grid, choose, drawn) {
    this.grid = grid;
    this.choose = choose;
    this.drawn = drawn;
    this.empty = element("p", {class: "empty"});
    const head = COLUMNS.map(([name, text]) => element("span", {role: "columnheader", class: name}, text));
    this.head = element("div", {class: "row columns", role: "row", "aria-rowindex": 1}, head);
    this.rows = element("div", {class: "rows", role: "rowgroup"});
    grid.append(element("div", {role: "rowgroup", class: "heads"}, this.head), this.rows);
    grid.after(this.empty);
    grid.addEventListener("scroll", () => this.#scrolled(), {passive: true});
    grid.addEventListener("click", event => this.#clicked(event));
    new ResizeObserver(() => this.#resized()).observe(grid);
  }

  /** @param {Entry[]} entries  the same list may have changed @param {string} ifEmpty */
  show(entries, ifEmpty) {
    this.#entries = entries;
    setText(this.empty, ifEmpty);
    this.draw();
  }

  draw() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#draw();
      this.drawn();
    });
  }

  /** How many rows are below the visible ones. */
  get below() {
    const seen = Math.ceil((this.grid.scrollTop + this.#room) / this.#height);
    return this.#follows ? 0 : Math.max(0, this.#entries.length - seen);
  }

  get #room() {
    return this.grid.clientHeight - this.head.offsetHeight;
  }

  #draw() {
    const count = this.#entries.length;
    this.empty.hidden = count > 0;
    this.grid.setAttribute("aria-rowcount", String(count + 1));
    const moved = this.#moved() * this.#height;
    const scrolled = this.grid.scrollTop + moved;
    this.rows.style.height = `${count * this.#height}px`;
    if (this.#follows) this.grid.scrollTop = this.grid.scrollHeight;
    else if (moved) this.grid.scrollTop = scrolled;
    const visible = Math.floor(this.grid.scrollTop / this.#height);
    this.#top = count ? {entry: this.#entries[Math.min(visible, count - 1)], at: visible} : null;
    const first = Math.max(0, visible - BEYOND);
    const wanted = Math.min(count - first, Math.ceil(this.#room / this.#height) + 2 * BEYOND);
    while (this.#pool.length < wanted) this.#pool.push(this.#newRow());
    this.#pool.forEach((row, at) => this.#fill(row, at < wanted ? first + at : -1));
    const active = this.rows.querySelector('[aria-selected="true"]:not([hidden])');
    if (active) this.grid.setAttribute("aria-activedescendant", active.id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  /** By how many places the first visible row has moved, since rows before it have gone or come. */
  #moved() {
    const top = this.#top;
    if (!top || this.#entries[top.at] === top.entry) return 0;
    const now = this.#entries.findIndex(each => each.place >= top.entry.place);
    return now < 0 ? 0 : now - top.at;
  }

  #newRow() {
    const cells = COLUMNS.map(([name]) => element("span", {role: "gridcell", class: name}));
    const row = element("div", {class: "row", role: "row"}, cells);
    this.rows.append(row);
    return row;
  }

  /** @param {HTMLElement} row @param {number} at  -1 for none */
  #fill(row, at) {
    row.hidden = at < 0;
    if (at < 0) {
      row.removeAttribute("id");
      return;
    }
    const entry = this.#entries[at];
    row.id = `row-${entry.place}`;
    row.style.transform = `translateY(${at * this.#height}px)`;
    row.setAttribute("aria-rowindex", String(at + 2));
    row.setAttribute("aria-selected", String(entry === this.chosen));
    row.classList.toggle("refused", entry.row.refused);
    row.classList.toggle("odd", at % 2 === 1);
    row.classList.toggle("plain", !entry.row.why);
    COLUMNS.forEach(([, , text, whole], column) => {
      setText(row.children[column], text(entry.row));
      if (whole) setTitle(row.children[column], whole(entry.row));
    });
  }

  #scrolled() {
    this.#follows = this.grid.scrollTop + this.grid.clientHeight >= this.grid.scrollHeight - this.#height;
    this.draw();
  }

  #resized() {
    this.#pool[0] ??= this.#newRow();
    this.#pool[0].hidden = false;
    this.#height = this.#pool[0].offsetHeight || this.#height;
    this.draw();
  }

  /** @param {Event} event */
  #clicked(event) {
    const row = event.target instanceof Element ? event.target.closest(".row") : null;
    const entry = this.#entries.find(each => row?.id === `row-${each.place}`);
    if (entry) this.#chooseEntry(entry, true);
  }

  /** Move the choice by so many rows; without one, to the first or the last. @param {number} by */
  move(by) {
    if (!this.#entries.length) return;
    const from = this.chosen ? this.#entries.indexOf(this.chosen) : -1;
    const at = from < 0 && by === -1 ? Infinity : from + by;
    const within = Math.max(0, Math.min(this.#entries.length - 1, at));
    this.#follows = false;
    this.#intoView(within);
    this.#chooseEntry(this.#entries[within], false);
  }

  /** @param {number} at */
  #intoView(at) {
    const top = at * this.#height;
    const lowest = top + this.#height - this.#room;
    this.grid.scrollTop = Math.max(lowest, Math.min(top, this.grid.scrollTop));
  }

  get page() {
    return Math.max(1, Math.floor(this.#room / this.#height) - 1);
  }

  /** @param {Entry | null} entry @param {boolean} opens */
  #chooseEntry(entry, opens) {
    this.chosen = entry;
    this.draw();
    if (entry) this.choose(entry, opens);
  }

  open() {
    if (this.chosen) this.choose(this.chosen, true);
  }

  /** Open an entry, and show its row where there is one. @param {Entry} entry */
  goTo(entry) {
    const at = this.#entries.indexOf(entry);
    this.#follows = false;
    if (at >= 0) this.#intoView(at);
    this.#chooseEntry(entry, true);
  }

  follow() {
    this.#follows = true;
    this.draw();
  }
}

// --- tokens in exchanges ---------------------------------------------------------------------------------------------

const MOST_TOKENS = 4;
/** Of an exchange that can be inspected. */

/** The tokens of an exchange, and where they stood, the one that it was judged by first. @param {Exchange} exchange */
function tokensOf(exchange) {
  const {request, response, query} = exchange;
  const found = new Map();
  for (const [name, value] of request.headers) {
    if (name.toLowerCase() === "authorization") found.set(credentials(value), "Authorization");
  }
  const sent = new URLSearchParams(query).get("token");
  if (sent) found.set(sent, "query");
  for (const [where, message] of /** @type {[string, Message][]} */ ([["request", request], ["response", response]])) {
    const texts = [...message.headers.map(([, value]) => value), message.body];
    for (const token of texts.flatMap(tokensIn)) if (!found.has(token)) found.set(token, where);
  }
  found.delete("");
  return [...found].map(([token, where]) => ({token, where}));
}

/** What looks like a token in a text: `eyJ`, which is `{"` in base64url, and three parts. @param {string} text */
function tokensIn(text) {
  const words = (text.match(/[\w.-]+/g) ?? []).map(word => word.slice(word.indexOf("eyJ")).split(".").slice(0, 3));
  return words.filter(parts => parts.length === 3 && parts[0].startsWith("eyJ")).map(parts => parts.join("."));
}

/** The token in an Authorization header: after `Bearer`, or the password of `Basic`. @param {string} value */
function credentials(value) {
  const [, scheme, rest] = value.match(/^(\S+)\s+(.*)$/s) ?? [];
  if (scheme?.toLowerCase() !== "basic") return rest?.trim() ?? "";
  try {
    return atob(rest.trim()).split(/:(.*)/s)[1] ?? "";
  } catch {
    return "";
  }
}

// --- one exchange ----------------------------------------------------------------------------------------------------

/** The details of an exchange. */
class DetailsView {
  /** @type {Entry | null} */
  entry = null;
  #asked = 0;

  /**
   * @param {HTMLElement} place
   * @param {Source} source
   * @param {Outcome} outcome
   * @param {{close: () => void, inspect: (token: string, exchange: Exchange, found: Inspection | null) => void,
   *   realTime: (exchange: Exchange) => string}} links  What its buttons do elsewhere in the page, and how far the
   *   clock was from real time.
   */
  constructor(place, source, outcome, links) {
    this.place = place;
    this.source = source;
    this.outcome = outcome;
    this.links = links;
    this.refreshFrames = oneAtATime(() => this.#showFrames());
  }

  /** @param {Entry} entry @param {boolean} focus  whether it gets the focus */
  async show(entry, focus) {
    this.entry = entry;
    const number = ++this.#asked;
    const content = await this.#content(entry);
    if (number !== this.#asked) return;
    this.place.hidden = false;
    this.place.parentElement?.classList.add("open");
    this.place.replaceChildren(...content);
    this.place.scrollTop = 0;
    if (focus) this.place.focus({preventScroll: true});
  }

  /** More frames, or the end of the WebSocket that is shown; a form beside them keeps what was typed. */
  async #showFrames() {
    const {entry} = this;
    const websocket = entry && (await this.source.exchange(entry).catch(() => null))?.websocket;
    if (!websocket || entry !== this.entry) return;
    const shown = this.place.querySelector("details.frames-part");
    shown?.replaceChildren(element("summary", {}, "WebSocket"), ...framesOf(websocket));
  }

  hide() {
    this.#asked++;
    this.entry = null;
    this.place.hidden = true;
    this.place.parentElement?.classList.remove("open");
    this.place.replaceChildren();
  }

  /** The world of the exchange is gone; what is shown of it stays. */
  outlive() {
    this.place.querySelector(".outlived")?.remove();
    const notice = element("p", {class: "outlived quiet"}, "The world was replaced after this exchange.");
    if (this.entry) this.place.prepend(notice);
  }

  inspectToken() {
    /** @type {HTMLElement | null} */ (this.place.querySelector("button.inspect"))?.click();
  }

  /** @param {Entry} entry @returns {Promise<HTMLElement[]>} */
  async #content(entry) {
    try {
      const [exchange, curl] = await Promise.all([this.source.exchange(entry), this.source.curl(entry)]);
      return this.#parts(entry, exchange, curl);
    } catch (error) {
      return [this.#head(entry.row), reasonBlock(entry.row), element("p", {class: "refusal"}, inWords(error))];
    }
  }

  /** @param {Entry} entry @param {Exchange} exchange @param {string} curl */
  #parts(entry, exchange, curl) {
    const {request, response, query, status, websocket} = exchange;
    return [
      this.#head(exchange),
      reasonBlock(exchange),
      this.#actions(entry, exchange, curl),
      factsOf(exchange, this.links.realTime(exchange)),
      part("Request", messageParts(request, query)),
      part("Response", status ? messageParts(response, "") : [note("No answer was sent.")]),
      ...(websocket ? [part("WebSocket", framesOf(websocket), "part frames-part")] : []),
      part("curl", [element("pre", {}, oneLine(curl))]),
    ];
  }

  /** @param {Row | Exchange} about */
  #head(about) {
    const title = `#${about.n} ${about.method} ${about.path} → ${about.status || "no answer"}`;
    const closes = button("Close", this.links.close, {"aria-keyshortcuts": "Escape"});
    return element("div", {class: "head"}, element("h3", {}, oneLine(title)), closes);
  }

  /** @param {Entry} entry @param {Exchange} exchange @param {string} curl */
  #actions(entry, exchange, curl) {
    const place = element("div", {class: "stack"});
    const opens = /** @param {() => HTMLElement} form */ form => () => {
      place.replaceChildren(form());
      place.querySelector("input")?.focus();
    };
    const makes = this.source instanceof Emulator ? makersOf(exchange, this.#act.bind(this), opens) : [];
    const buttons = [...this.#inspects(entry, exchange), ...makes, copyButton("Copy curl", curl)];
    return element("div", {class: "stack"}, element("div", {class: "bar"}, ...buttons), place);
  }

  /** @type {Act} */
  #act(method, path, body, {place = outcomePlace(), said} = {}) {
    return this.outcome.of(place, () => this.source.change(method, path, body), said);
  }

  /** Buttons that inspect its tokens. @param {Entry} entry @param {Exchange} exchange */
  #inspects(entry, exchange) {
    const marked = {class: "inspect"};
    const found = this.source.inspection(entry);
    if (found) return [button("Inspect token", () => this.links.inspect("", exchange, found), marked)];
    if (!this.source.canChange) return [];
    return tokensOf(exchange).slice(0, MOST_TOKENS).map(({token, where}) =>
      button(`Inspect token (${where})`, () => this.links.inspect(token, exchange, null), marked));
  }
}

/** The buttons that make a fault or a stub of an exchange, where the emulator can have one. @param {Exchange} exchange
 * @param {Act} act @param {(form: () => HTMLElement) => () => void} opens */
function makersOf(exchange, act, opens) {
  const request = `${exchange.method} ${exchange.path}`;
  const stubbable = !exchange.matched || exchange.status === 501 || exchange.operation.startsWith("stub ");
  const fault = button("Make it a fault", opens(() => faultForm(act, request, exchange.status === 101)));
  const stub = button("Make it a stub", opens(() => stubForm(act, request)));
  return [...(exchange.matched ? [fault] : []), ...(stubbable ? [stub] : [])];
}

/** The private reason: the check that failed, and why. @param {{why: string, outlived: boolean}} about */
function reasonBlock({why, outlived}) {
  const notes = outlived ? [element("p", {}, "The world was reset during this request.")] : [];
  if (!why && !notes.length) return note("It was not refused.");
  return element("div", {class: "why-block"}, ...(why ? [element("strong", {}, "Why"), why] : []), ...notes);
}

/** @param {Exchange} exchange @param {string} realTime */
function factsOf(exchange, realTime) {
  return pairList([
    ["operation", exchange.operation || "none: neither API has this path with this method"],
    ["actor", exchange.actor],
    ["fault", exchange.fault],
    ["at", `${exchange.at} by the emulator's clock${realTime && `, ${realTime}`}`],
    ["after", `${exchange.after.toFixed(3)} s of real time since the world began`],
    ["took", milliseconds(exchange.duration)],
  ]);
}

/** @param {string} title @param {(HTMLElement | null)[]} content @param {string} kind */
const part = (title, content, kind = "part") =>
  element("details", {class: kind, open: true}, element("summary", {}, title), content);

/** @param {Message} message @param {string} query @returns {(HTMLElement | null)[]} */
function messageParts(message, query) {
  const fields = [...new URLSearchParams(query)];
  return [
    fields.length ? element("h4", {}, "Query") : null,
    fields.length ? pairList(fields.map(pairOf)) : null,
    message.headers.length ? pairList(message.headers.map(pairOf)) : note("No headers."),
    ...bodyParts(message),
  ];
}

/** A name and a value, each in one line. @param {[string, string]} pair @returns {[Child, Child]} */
const pairOf = ([name, value]) => [wire(name), element("span", {}, oneLine(value))];

/** @param {string} text */
const wire = text => element("span", {class: "wire"}, oneLine(text));

/** @param {Message} message @returns {HTMLElement[]} */
function bodyParts(message) {
  if (!message.size) return [note("No body.")];
  const bytes = message.base64 === undefined ? null : bytesOf(message.base64);
  const kept = bytes ? bytes.length : new TextEncoder().encode(message.body).length;
  const cut = message.size > kept ? `, of which ${counted(kept, "byte")} were kept` : "";
  const text = bytes ? hexDump(bytes) : indented(message.body) ?? message.body;
  const copies = copyButton("Copy body", bytes ? text : message.body);
  return [
    element("div", {class: "bar quiet"}, `${counted(message.size, "byte")}${cut}`, copies),
    element("pre", {class: bytes ? "hex" : "body"}, text),
  ];
}

/** @param {NonNullable<Exchange["websocket"]>} socket @returns {HTMLElement[]} */
function framesOf({frames, dropped, ended}) {
  const earlier = dropped ? [note(`${counted(dropped, "earlier frame")} not kept.`)] : [];
  const end = element("p", {}, ended ? endOf(ended) : "The connection is open.");
  return [...earlier, element("ol", {class: "frames"}, frames.map(frameItem)), end];
}

/** @param {Frame} frame */
function frameItem({by, at, kind, text, size}) {
  const arrow = element("span", {"aria-label": `by the ${by}`, role: "img"}, by === "client" ? "↑" : "↓");
  const bytes = element("span", {class: "quiet"}, ` ${counted(size, "byte")}`);
  const content = element("span", {}, indented(text) ?? text, bytes);
  return element("li", {}, arrow, element("span", {class: "quiet"}, timeOfDay(at)), element("span", {}, kind), content);
}

/** @param {Ended} ended */
function endOf({by, cut, code, reason}) {
  const how = cut ? "Cut" : `Closed ${code ?? "without a code"}`;
  return `${how} by the ${by}${reason ? `: ${reason}` : ""}`;
}

// --- forms whose JSON can be changed before it is sent ---------------------------------------------------------------

/** @type {Record<string, object>} */
const FAULTS = {
  "respond with 503": {status: 503},
  "respond with 429 and Retry-After": {rate_limit: true},
  "wait 5 s, then respond": {delay: 5},
  "close the connection before it takes effect": {drop: "before"},
  "close the connection after it took effect": {drop: "after"},
  "reset the connection": {tcp_reset: true},
  "never respond": {hang: true},
  "cut the body short": {truncate: true},
  "send half of the JSON": {invalid_json: true},
  "send bytes that are not HTTP": {garbage: true},
  "rotate the signing key first": {rotate_key: true},
};
/** @type {Record<string, object>} Of the handshake of a WebSocket. */
const FAULTS_OF_WEBSOCKETS = {"close it with code 4000": {websocket: {close: 4000}}, ...FAULTS};

/** @param {Act} act @param {string} request @param {boolean} upgrades  whether it is for a WebSocket */
function faultForm(act, request, upgrades = false) {
  const kinds = upgrades ? FAULTS_OF_WEBSOCKETS : FAULTS;
  const kind = element("select", {}, Object.keys(kinds).map(text => element("option", {}, text)));
  const times = input({type: "number", min: 1, value: 1});
  return jsonForm(act, "faults", "Add the fault", request, {What: kind, Times: times}, wanted => ({
    request: wanted.Request, ...(wanted.Times ? {times: Number(wanted.Times)} : {}), do: kinds[wanted.What],
  }));
}

const WITHOUT_BODY = new Set([204, 304]);

/** @param {Act} act @param {string} request */
function stubForm(act, request) {
  const field = input({type: "number", min: 200, max: 599, value: 200});
  return jsonForm(act, "stubs", "Add the stub", request, {Status: field}, wanted => {
    const status = Number(wanted.Status);
    return {request: wanted.Request, status, ...(WITHOUT_BODY.has(status) ? {} : {json: {}})};
  });
}

/**
 * Fields that write JSON, which is what is sent.
 * @param {Act} act
 * @param {string} path  where it is posted
 * @param {string} verb
 * @param {string} request  the first field
 * @param {Record<string, HTMLElement>} others
 * @param {(wanted: Record<string, string>) => object} build  what the fields mean
 */
function jsonForm(act, path, verb, request, others, build) {
  /** @type {Record<string, any>} */
  const fields = {Request: input({class: "wire", size: 44, value: request, required: true}), ...others};
  const json = /** @type {HTMLTextAreaElement} */ (element("textarea", {class: "wire", rows: 8, spellcheck: "false"}));
  const place = outcomePlace();
  const write = () => {
    json.value = asJson(build(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]))));
  };
  const send = () => act("POST", path, json.value, {place, said: ({n}) => `Added as number ${Number(n)}.`});
  for (const field of Object.values(fields)) field.addEventListener("input", write);
  write();
  const labels = Object.entries(fields).map(([name, field]) => element("label", {}, name, " ", field));
  return element("form", {class: "stack", onsubmit: submitted(send)},
    element("div", {class: "bar"}, labels), element("label", {class: "stack"}, "As JSON", json),
    element("div", {class: "bar"}, element("button", {type: "submit"}, verb)), place);
}

/** A listener for a form that is sent by script. @param {() => unknown} send */
const submitted = send => /** @param {Event} event */ event => {
  event.preventDefault();
  send();
};

// --- tokens ----------------------------------------------------------------------------------------------------------

const TIMES = new Set(["exp", "iat", "nbf", "auth_time"]);

/** The inspector. */
class TokenView {
  #token = "";
  #at = "";
  /** When it was seen; empty for a token that was not seen in an exchange. */
  #seen = "";
  #from = "";
  #asked = 0;

  /** @param {Source} source @param {Clock} clock */
  constructor(source, clock) {
    this.source = source;
    this.clock = clock;
    this.input = byId("inspect-token", HTMLTextAreaElement);
    this.place = byId("inspected", HTMLElement);
    this.refusal = byId("inspect-refusal", HTMLElement);
    this.taken = byId("inspect-taken", HTMLElement);
    const form = byId("inspect", HTMLFormElement);
    form.hidden = !source.canChange;
    form.addEventListener("submit", submitted(() => this.inspect(this.input.value, "", "")));
  }

  /** @param {string} given  as people paste it @param {string} at  empty for now @param {string} from */
  async inspect(given, at, from) {
    const token = tokenIn(given);
    this.taken.textContent = given.trim() === token ? "" : "Taken without what stood around it.";
    this.#token = this.input.value = token;
    this.#at = this.#seen = at;
    this.#from = from;
    this.place.replaceChildren();
    await this.#again();
  }

  /** @param {string} at  empty for now */
  #judge(at) {
    this.#at = at;
    return this.#again();
  }

  /** What a report has. @param {Inspection} found @param {string} from */
  showRecorded(found, from) {
    this.#at = found.now;
    this.#from = from;
    this.#show(found);
  }

  /** What a verdict of now depends on may have changed. */
  changed() {
    if (!this.#at) this.#again();
  }

  /** Judge the same token again. */
  async #again() {
    if (!this.#token || !this.source.canChange) return;
    const number = ++this.#asked;
    const found = await refusedIn(this.refusal, () => this.source.inspect(this.#token, this.#at));
    if (found && number === this.#asked) this.#show(found);
  }

  /** Time has passed: a token can have expired meanwhile. */
  tick() {
    if (this.#at) return;
    const now = this.clock.now();
    for (const each of this.place.querySelectorAll("[data-time]")) {
      setText(each, relative(each.getAttribute("data-claim") ?? "", Number(each.getAttribute("data-time")), now));
    }
    const refusedFrom = this.place.querySelector("[data-refused-from]")?.getAttribute("data-refused-from");
    if (refusedFrom && now >= Number(refusedFrom)) this.#again();
  }

  /** @param {Inspection} found */
  #show(found) {
    const key = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.key : undefined;
    const chains = (found.profiles ?? [found]).map((each, place) => chainOf(each, place === 0));
    const cards = [this.#card("Header", found.header, found), this.#card("Claims", found.payload, found)];
    this.place.replaceChildren(
      this.#verdict(found), this.#changes(found),
      element("h3", {}, "Checks, by profile"), element("div", {class: "chains"}, chains),
      element("h3", {}, "What it says"), identityOf(found), element("div", {class: "chains"}, cards));
    if (key) byKey(this.place, key)?.focus();
  }

  /** @param {Inspection} found */
  #verdict({accepted, status, text, reason, profile, now, refused_from}) {
    const until = accepted && refused_from ? {"data-refused-from": Date.parse(refused_from)} : {};
    const kind = accepted ? "verdict" : "verdict refused";
    const when = this.#at ? "at" : "now,";
    const from = this.#at || !this.#seen ? this.#from : "";
    const by = `by profile ${profile}, ${when} ${now} by the emulator's clock${from}`;
    return element("div", {class: kind, role: "status", ...until},
      element("strong", {}, accepted ? "Accepted" : `Refused: ${status} ${text ?? ""}`),
      reason && element("p", {}, reason), note(by));
  }

  /** What makes the verdict another one. @param {Inspection} found */
  #changes({accepted, now, refused_from}) {
    const bar = element("div", {class: "bar"});
    if (!this.source.canChange) return bar;
    if (this.#seen) {
      const ways = /** @type {[string, string][]} */ ([[`Judge it${this.#from}`, this.#seen], ["Judge it now", ""]]);
      for (const [text, at] of ways) {
        const attributes = {"data-key": text, "aria-pressed": String(this.#at === at)};
        bar.append(button(text.replace(",", ""), () => this.#judge(at), attributes));
      }
    }
    if (!this.#at && accepted && refused_from) {
      const seconds = (microseconds(refused_from) - microseconds(now)) / 1e6;
      const text = `Advance the clock until it is refused (${lengthOf(seconds)})`;
      bar.append(button(text, () => this.#advance(seconds), {"data-key": "advance"}));
    }
    return bar;
  }

  /** @param {number} seconds */
  #advance(seconds) {
    return refusedIn(this.refusal, async () => {
      await this.source.change("POST", "clock", {advance: seconds});
      await this.#again();
    });
  }

  /** @param {string} title @param {string | null} text @param {Inspection} found */
  #card(title, text, found) {
    const value = parsed(text ?? "");
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const content = isObject
      ? pairList(Object.entries(value).map(([name, each]) => [wire(name), this.#claim(name, each, found)]))
      : element("pre", {}, text ?? "can't be read");
    return element("section", {class: "card"}, element("h4", {}, title), content);
  }

  /** @param {string} name @param {unknown} value @param {Inspection} found @returns {Child[]} */
  #claim(name, value, found) {
    const text = JSON.stringify(value);
    if (!TIMES.has(name) || typeof value !== "number") return [text];
    const time = value * 1000;
    const words = relative(name, time, Date.parse(found.now));
    const ago = element("span", {class: "quiet", "data-claim": name, "data-time": time}, words);
    return [text, element("br"), dateOf(time), element("br"), ago];
  }
}

/** The token in what was pasted: without a header's name, `Bearer`, quotes, spaces and line breaks.
 * @param {string} pasted */
function tokenIn(pasted) {
  const bare = pasted.replace(/[\s"'`]+/g, " ").trim().replace(/^(?:proxy-)?authorization ?: ?/i, "");
  return bare.replace(/^bearer /i, "").replaceAll(" ", "");
}

/** `expired 12 s ago by the emulator's clock`. @param {string} claim @param {number} time @param {number} now
 * Milliseconds. */
function relative(claim, time, now) {
  const seconds = (time - now) / 1000;
  const words = seconds > 0 ? `in ${lengthOf(seconds)}` : `${lengthOf(seconds)} ago`;
  const verb = claim !== "exp" ? "" : seconds > 0 ? "expires " : "expired ";
  return `${verb}${words} by the emulator's clock`;
}

/** @param {Inspection} found */
function identityOf({identity, hex_identity, signed_by, key, algorithm}) {
  const same = hex_identity === identity ? "the same" : "another one";
  return pairList([
    ["identity, of iss and sub", identity],
    ["hex_identity in the token", hex_identity === null ? "not there" : `${hex_identity} — ${same}`],
    ["signature", signed_by ? `good, by ${signed_by}` : SIGNATURES.get(key) ?? "there is none"],
    ["algorithm", algorithm],
  ]);
}

/** @type {Map<string | null, string>} When it is not said by which key. */
const SIGNATURES = new Map([
  ["current", "good, by the key of this emulator"],
  ["retired", "good, by a key of this emulator that was rotated"],
  ["unknown", "not good by any key that the emulator has"],
]);

/** @param {Verdict} verdict @param {boolean} own  whether it is the world's profile */
function chainOf({profile, accepted, status, text, checks}, own) {
  const answer = accepted ? note("accepted") : element("p", {class: "refusal"}, `${status} ${text ?? ""}`);
  const title = element("h4", {}, own ? `${profile} (this world)` : profile);
  const items = element("ol", {class: "checks"}, checks.map(checkItem));
  return element("section", {class: "chain", "data-profile": profile}, title, answer, items);
}

/** @param {Check} check */
function checkItem({name, result, reason}) {
  const spoken = element("span", {class: "unseen"}, `: ${result}`);
  const why = reason && element("span", {class: "reason"}, reason);
  return element("li", {"data-result": result}, element("span", {}, name, spoken, why));
}

/** An element that is made anew each time, by its key. @param {ParentNode} place @param {string} key */
function byKey(place, key) {
  const found = /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-key]"));
  return [...found].find(each => each.dataset.key === key);
}

// --- the world -------------------------------------------------------------------------------------------------------

/**
 * @typedef {{place?: HTMLElement, said?: (answer: any) => string, beginsWorld?: boolean}} Saying  Where to say what
 *   came of an action, what to say when it was done, and whether it begins a new world.
 * @typedef {(method: string, path: string, body?: unknown, saying?: Saying) => Promise<any>} Act  Changes the world,
 *   says what came of it, and shows the world as it is then.
 * @typedef {(path: string, name: string) => unknown} Download  What a path answers, as a file of this name.
 * @typedef {{act: Act, changes: boolean, inspect: Inspect, clock: Clock}} Tools
 * @typedef {(each: any, tools: Tools) => Child | Child[]} Cell
 * @typedef {{rows: (answer: any) => any[], none: string, columns: Record<string, Cell>,
 *   actions?: (each: any, act: Act) => Child[]}} List  The rows of an answer, and what can be done with each.
 * @typedef {{title: string, path: string, search?: boolean, wide?: boolean, list?: List,
 *   show?: (answer: any, tools: Tools) => Child[], forms?: (act: Act, download: Download) => HTMLElement[]}} PanelKind
 *   `path` is what is asked for; with `search` it is a list of which a part is asked for.
 */

const LISTED = 100;

/** One part of the world: what a control route says of it, and what changes it. */
class Panel {
  #shown = "";

  /** @param {PanelKind} kind @param {Source} source @param {Outcome} outcome @param {Inspect} inspect
   * @param {Clock} clock */
  constructor(kind, source, outcome, inspect, clock) {
    this.kind = kind;
    this.source = source;
    this.outcome = outcome;
    this.tools = {act: this.#act.bind(this), changes: source.canChange, inspect, clock};
    this.title = element("h3", {tabindex: -1}, kind.title);
    this.search = input({type: "search", "aria-label": `Filter: ${kind.title}`, placeholder: "part of any field"});
    this.search.hidden = !kind.search || !source.canChange;
    this.search.addEventListener("input", () => this.refresh());
    this.body = element("div", {class: "stack"});
    this.place = outcomePlace();
    this.unread = element("p", {class: "refusal"});
    const forms = source.canChange ? kind.forms?.(this.tools.act, this.#download.bind(this)) ?? [] : [];
    const attributes = {class: kind.wide ? "card wide" : "card", "data-panel": kind.path};
    const parts = [this.title, this.search, this.body, this.unread, ...forms, this.place];
    this.element = element("section", attributes, parts);
    this.refresh = oneAtATime(() => this.#ask());
  }

  /** @type {Act} */
  async #act(method, path, body, {place = this.place, said, beginsWorld} = {}) {
    const answer = await this.outcome.of(place, () => this.source.change(method, path, body), said, beginsWorld);
    if (answer !== undefined) await this.refresh();
    return answer;
  }

  /** @type {Download} */
  #download(path, name) {
    const {source} = this;
    return this.outcome.of(this.place, async () => {
      if (source instanceof Emulator) save(await source.text(path), name);
    });
  }

  async #ask() {
    const query = new URLSearchParams({text: this.search.value, limit: String(LISTED)});
    try {
      this.#show(await this.source.ask(this.search.hidden ? this.kind.path : `${this.kind.path}?${query}`));
      this.unread.textContent = "";
    } catch (error) {
      if (this.source.canChange) this.unread.textContent = manyLines(inWords(error));
      else this.element.hidden = true;
    }
  }

  /** Only what has changed is made anew; the focus stays where it was. @param {any} answer */
  #show(answer) {
    const text = JSON.stringify(answer);
    if (text === this.#shown) return;
    this.#shown = text;
    const active = document.activeElement;
    const key = active instanceof HTMLElement && this.body.contains(active) ? active.dataset.key ?? "" : null;
    const {list, show} = this.kind;
    const listed = list && listOf(list, answer, this.tools);
    this.body.replaceChildren(...children(show?.(answer, this.tools)), ...children(listed));
    if (key !== null) (byKey(this.body, key) ?? this.title).focus();
  }
}

/** @param {List} list @param {any} answer @param {Tools} tools @returns {Child[]} */
function listOf({rows, none, columns, actions}, answer, tools) {
  const found = rows(answer);
  if (!found.length) return [note(none)];
  const acts = tools.changes && actions ? [/** @param {any} each */ each => actions(each, tools.act)] : [];
  const heads = [...Object.keys(columns), ...acts.map(() => "")];
  const cells = [...Object.values(columns), ...acts];
  const shown = table(heads, found.map(each => cells.map(cell => cell(each, tools))));
  const more = `${found.length} of ${thousands(answer.total ?? 0)}; a filter finds the others.`;
  return [shown, answer.total > found.length && note(more)];
}

/** A button that changes something; its key lets it keep the focus. @param {string} text @param {string} about
 * @param {() => unknown} act */
function actButton(text, about, act) {
  const name = `${text} ${about}`;
  return button(text, act, {"data-key": name, "aria-label": name});
}

/** Buttons for each of these states but the present one. @param {string[]} states @param {string} present
 * @param {string} about @param {(state: string) => unknown} set */
const stateButtons = (states, present, about, set) =>
  states.filter(state => state !== present).map(state => actButton(state, about, () => set(state)));

/** A form of one line. @param {string} verb @param {[string, HTMLElement][]} fields
 * @param {(...values: string[]) => unknown} send @param {string} question  that is asked first */
function lineForm(verb, fields, send, question = "") {
  const values = () => fields.map(([, field]) => /** @type {HTMLInputElement} */ (field).value.trim());
  const labels = fields.map(([text, field]) => element("label", {}, text, " ", field));
  const sends = () => send(...values());
  const asks = question ? askingButton(verb, question, sends) : null;
  const form = element("form", {class: "bar", onsubmit: submitted(() => asks ? asks.click() : sends())}, ...labels);
  form.append(asks ?? element("button", {type: "submit"}, verb));
  return form;
}

/** The short form of a long text, and buttons that copy it, and inspect it when it is a token.
 * @param {string | undefined} text @param {string} about @param {Tools | null} tools  for a token */
function long(text, about, tools = null) {
  if (!text) return null;
  const short = text.length > 24 ? `${text.slice(0, 12)}…${text.slice(-6)}` : text;
  const attributes = {"aria-label": `Copy ${about} ${short}`, "data-key": `Copy ${about} ${text}`};
  const inspects = tools?.changes ? actButton("Inspect", about, () => tools.inspect(text, "", `, of ${about}`)) : null;
  return [oneLine(short), " ", copyButton("Copy", text, attributes), " ", inspects];
}

/** `status 503, delay 2`. @param {Record<string, any>} fields */
const inFields = fields => Object.entries(fields).map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(", ");

/** `POST /identity (nth 2): status 503`. @param {any} step */
function stepInWords(step) {
  const {n, request, do: actions, seen, fired, status, done, ...conditions} = step;
  const when = inFields(conditions);
  return oneLine(`${request ?? "no request"}${when && ` (${when})`}: ${inFields(actions)}`);
}

/** `POST /claims: status 201`. @param {any} stub */
function stubInWords(stub) {
  const {n, request, answered, done, ...answer} = stub;
  return oneLine(`${request}: ${inFields(answer)}`);
}

/** How far the scenario has come. @param {any} answer @returns {Child[]} */
function showProgress({scenario, steps}) {
  const done = steps.filter(/** @param {any} step */ step => step.done).length;
  const names = scenario.length ? `Scenario: ${scenario.map(oneLine).join(", ")}` : "No scenario.";
  if (!steps.length) return [element("p", {}, names)];
  const bar = element("progress", {max: steps.length, value: done, "aria-label": "Steps done"});
  return [element("p", {}, names), bar, element("p", {}, `${done} of ${counted(steps.length, "step")} done`)];
}

/** @param {any} state @returns {Child[]} */
function showState({seed, spacetime, intuition, journal}) {
  return [pairList([
    ["seed", seed],
    ["SpacetimeDB", spacetime.profile],
    ["Intuition", intuition.profile],
    ["requests", thousands(journal.total)],
    ["of which dropped", journal.dropped ? thousands(journal.dropped) : ""],
  ])];
}

/** @param {any} answer @param {Tools} tools @returns {Child[]} */
function showClock({frozen}, {clock}) {
  const runs = element("p", {class: "quiet"}, frozen ? "Frozen" : "Running", element("span", {"data-real-time": true}));
  return [element("p", {class: "wire", "data-clock": true}, String(clock)), runs];
}

/** @param {Act} act */
function clockForms(act) {
  /** @param {object} body */
  const move = body => act("POST", "clock", body);
  const freezeAt = input({class: "wire", size: 22, placeholder: "2024-02-15T05:47:17Z", required: true});
  const ahead = numberInput("0");
  ahead.dataset.ahead = "";
  const buttons = [button("Freeze", () => move({freeze: true})), button("Resume", () => move({resume: true}))];
  return [
    lineForm("Advance", [["Seconds", numberInput("60")]], seconds => move({advance: Number(seconds)})),
    element("div", {class: "bar"}, ...buttons),
    lineForm("Freeze at", [["Time", freezeAt]], time => move({freeze: time})),
    lineForm("Skew", [["Seconds ahead", ahead]], seconds => {
      ahead.defaultValue = ahead.value;
      return move({skew: Number(seconds)});
    }),
  ];
}

/** @param {Act} act */
function stepForms(act) {
  const given = input({class: "wire", size: 30, placeholder: "two_friends"});
  /** @param {string} text */
  const load = text => act("POST", "scenario", {scenario: "[{".includes(text[0]) ? parsed(text) ?? text : text},
    {said: () => "Loaded, in a new world.", beginsWorld: true});
  return [
    lineForm("Load", [["Scenario, by name or as JSON", given]], load, "Really replace the world?"),
    element("details", {}, element("summary", {}, "Add a fault"), faultForm(act, "POST /v1/identity")),
  ];
}

/** What replaces the world, or a part of it. @param {Act} act @param {Download} download */
function worldForms(act, download) {
  const file = input({type: "file", accept: ".json,application/json"});
  file.addEventListener("change", async () => {
    const text = await file.files?.[0]?.text();
    file.value = "";
    if (text !== undefined) act("PUT", "snapshot", text, {said: () => "Restored.", beginsWorld: true});
  });
  const seed = input({type: "number", placeholder: "as now"});
  /** @param {string} text */
  const reset = text => act("POST", "reset", text ? {seed: Number(text)} : {},
    {said: () => "This is a new world.", beginsWorld: true});
  const rotate = () => act("POST", "spacetime/rotate-key", {},
    {said: () => "The signing key was rotated: tokens that were signed before are refused from now on."});
  return [
    element("div", {class: "bar"}, button("Download a snapshot", () => download("snapshot", "world.json"))),
    element("label", {class: "stack"}, "Restore a snapshot", file),
    element("div", {class: "bar"}, askingButton("Rotate the signing key", "Really end all tokens?", rotate)),
    lineForm("Reset", [["Seed", seed]], reset, "Really reset?"),
  ];
}

/** @param {string} text @param {string} name */
function save(text, name) {
  const href = URL.createObjectURL(new Blob([text], {type: "application/json"}));
  element("a", {href, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
}

/** The page of a world on another port. @param {any} world */
function worldLink({url}) {
  const isUrl = /^https?:\/\//.test(url);
  return isUrl ? element("a", {href: `${url}/_emulator/`, rel: "noreferrer"}, oneLine(url)) : oneLine(url);
}

/** @type {PanelKind[]} */
const PANELS = [
  {title: "Clock", path: "clock", show: showClock, forms: clockForms},
  {title: "This world", path: "state", show: showState, forms: worldForms},
  {
    title: "Scenario, faults and steps", path: "scenario", wide: true, show: showProgress, forms: stepForms,
    list: {
      rows: ({steps}) => steps, none: "No faults.",
      columns: {
        "#": each => each.n, step: stepInWords, state: each => each.status,
        happened: each => `${each.fired} of ${each.seen}`,
      },
      actions: ({n}, act) => [actButton("Remove", `step ${n}`, () => act("DELETE", "faults", {n}))],
    },
  },
  {
    title: "Stubs", path: "stubs", wide: true,
    forms: act => [element("details", {}, element("summary", {}, "Add a stub"), stubForm(act, "GET /"))],
    list: {
      rows: ({stubs}) => stubs, none: "No stubs.",
      columns: {
        "#": each => each.n, stub: stubInWords, answered: each => `${each.answered}${each.done ? ", done" : ""}`,
      },
      actions: ({n}, act) => [actButton("Remove", `stub ${n}`, () => act("DELETE", "stubs", {n}))],
    },
  },
  {
    title: "Actors", path: "actors", wide: true,
    list: {
      rows: ({actors}) => Object.entries(actors).map(([name, actor]) => ({name, ...actor})),
      none: "The scenario has no actors.",
      columns: {
        actor: each => oneLine(each.name), token: (each, tools) => long(each.token, `${each.name}'s token`, tools),
        "API key": each => long(each.api_key, `${each.name}'s API key`),
        identity: each => long(each.identity, `${each.name}'s identity`),
        wallet: each => long(each.wallet, `${each.name}'s wallet`),
      },
    },
  },
  {
    title: "Identities of SpacetimeDB", path: "spacetime/identities", search: true,
    show: () => [note("Only those of actors, of owners of databases and with an e-mail address are stored. Any other "
      + "identity is in its token.")],
    list: {
      rows: ({identities}) => identities, none: "None.",
      columns: {
        identity: each => long(each.identity, "identity"), actor: each => oneLine(each.actor),
        "e-mail": each => oneLine(each.email ?? ""), databases: each => each.databases,
      },
    },
  },
  {
    title: "Databases", path: "spacetime/databases", search: true,
    list: {
      rows: ({databases}) => databases, none: "None.",
      columns: {
        name: each => oneLine(each.name ?? ""), identity: each => long(each.identity, "database"),
        owner: each => oneLine(each.actor) || long(each.owner, "owner"),
      },
    },
  },
  {
    title: "Identities of Intuition", path: "intuition/identities", search: true, wide: true,
    list: {
      rows: ({identities}) => identities, none: "None.",
      columns: {
        name: each => oneLine(each.name ?? ""), "display name": each => oneLine(each.display_name),
        status: each => each.status, id: each => long(each.id, "id"),
        wallet: each => long(each.creator?.wallet, "wallet"),
      },
      actions: ({id, status}, act) => stateButtons(["complete", "error", "removed"], status, `row ${id}`,
        wanted => act("POST", "intuition/status", {identity: id, status: wanted})),
    },
  },
  {
    title: "API keys of Intuition", path: "intuition/api-keys", search: true,
    forms: act => [lineForm("Issue a key", [["Wallet", input({class: "wire", required: true})]],
      wallet => act("POST", "intuition/api-keys", {wallet}))],
    list: {
      rows: ({api_keys}) => api_keys, none: "None.",
      columns: {
        key: each => long(each.key, "key"), actor: each => oneLine(each.actor),
        wallet: each => long(each.wallet, "wallet"),
      },
      actions: ({key}, act) => [actButton("Revoke", key, () => act("DELETE", "intuition/api-keys", {key}))],
    },
  },
  {
    title: "Open WebSockets", path: "connections",
    list: {
      rows: ({connections}) => connections, none: "None.",
      columns: {
        client: each => oneLine(each.actor) || long(each.identity, "client"), protocol: each => oneLine(each.protocol),
        since: each => timeOfDay(each.since), database: each => long(each.database, "database"),
      },
      actions: ({id}, act) => [actButton("Close", `connection ${id}`, () => act("DELETE", "connections", {id}))],
    },
  },
  {
    title: "Issuers", path: "issuers",
    list: {
      rows: ({issuers}) => issuers, none: "No foreign issuers.",
      columns: {
        "#": each => each.n, issuer: each => oneLine(each.url), kind: each => each.kind,
        condition: each => each.condition,
      },
      actions: ({n, condition, kind}, act) => [
        ...stateButtons(["up", "down", "hanging"], condition, `issuer ${n}`,
          wanted => act("POST", `issuers/${n}/condition`, {condition: wanted})),
        kind === "played" && actButton("Rotate key", `of issuer ${n}`, () => act("POST", `issuers/${n}/rotate-key`)),
      ],
    },
  },
  {
    title: "Worlds on other ports", path: "worlds",
    forms: act => [button("Open another world", () => act("POST", "worlds"))],
    list: {
      rows: ({worlds}) => worlds, none: "This is the only one.",
      columns: {world: each => oneLine(each.id), page: worldLink},
      actions: ({id}, act) => [
        actButton("Close", `world ${id}`, () => act("DELETE", `worlds/${encodeURIComponent(id)}`)),
      ],
    },
  },
];

const REFRESH = 500;
/** Milliseconds between two looks at the world. */

class WorldView {
  #due = false;

  /** @param {Source} source @param {Outcome} outcome @param {Inspect} inspect @param {Clock} clock */
  constructor(source, outcome, inspect, clock) {
    this.clock = clock;
    this.place = byId("world", HTMLElement);
    this.panels = PANELS.map(kind => new Panel(kind, source, outcome, inspect, clock));
    byId("sections", HTMLElement).append(...this.panels.map(panel => panel.element));
  }

  /** Soon, if it is visible: something has changed. */
  changed() {
    if (this.#due || this.place.hidden) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      this.refresh();
    }, REFRESH);
  }

  async refresh() {
    await Promise.all(this.panels.map(panel => panel.refresh()));
    this.tick();
  }

  tick() {
    if (this.place.hidden) return;
    const {clock} = this;
    const time = this.place.querySelector("[data-clock]");
    const realTime = this.place.querySelector("[data-real-time]");
    if (time) setText(time, String(clock));
    if (realTime) setText(realTime, clock.ahead === null ? "." : `, ${besideRealTime(clock.ahead) || "at real time"}.`);
    const ahead = /** @type {HTMLInputElement | null} */ (this.place.querySelector("[data-ahead]"));
    if (ahead && ahead.value === ahead.defaultValue) ahead.value = ahead.defaultValue = String(clock.ahead ?? 0);
  }
}

// --- the whole page --------------------------------------------------------------------------------------------------

/** @type {[string, string][]} */
const VIEWS = [["journal", "Journal"], ["token", "Token"], ["world", "World"]];

class Page {
  #link = ["", ""];
  #links = VIEWS.map(([id, title]) => element("a", {href: `#${id}`}, title));

  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    this.clock = new Clock();
    this.journal = new Journal();
    this.outcome = new Outcome();
    /** By real time, in microseconds since 1970; NaN where it is not known. */
    this.began = NaN;
    this.state = /** @type {any} */ (null);
    this.scenario = /** @type {string[]} */ ([]);
    this.watch = source instanceof Emulator ? new Watch(source, this.take.bind(this), this.tell.bind(this)) : null;
    this.details = new DetailsView(byId("details", HTMLElement), source, this.outcome, {
      close: this.close.bind(this), inspect: this.inspect.bind(this), realTime: this.realTime.bind(this),
    });
    this.rows = new RowWindow(byId("grid", HTMLElement), this.choose.bind(this), this.countRows.bind(this));
    this.tokens = new TokenView(source, this.clock);
    this.worldView = new WorldView(source, this.outcome, this.inspectToken.bind(this), this.clock);
    this.text = byId("filter-text", HTMLInputElement);
    this.status = byId("filter-status", HTMLSelectElement);
    this.actor = byId("filter-actor", HTMLSelectElement);
    this.pauses = button("Pause", () => this.pause());
    this.newest = byId("newest", HTMLButtonElement);
    byId("views", HTMLElement).append(...this.#links);
    this.#listen();
    this.showView();
    this.#fillFilters();
    this.filter();
    setInterval(() => this.tick(), 1000);
  }

  #listen() {
    addEventListener("hashchange", () => this.follow());
    addEventListener("keydown", event => pressed(event, this));
    byId("filters", HTMLFormElement).addEventListener("input", () => this.filter());
    byId("filters", HTMLFormElement).addEventListener("submit", submitted(() => this.rows.grid.focus()));
    this.newest.addEventListener("click", () => this.rows.follow());
    const place = byId("journal-outcome", HTMLElement);
    const clear = () => this.outcome.of(place, () => this.source.change("DELETE", "journal"));
    if (this.source.canChange) place.before(this.pauses, askingButton("Clear", "Really clear?", clear));
    byId("help-button", HTMLButtonElement).addEventListener("click", () => this.help());
  }

  // --- views

  get view() {
    return VIEWS.find(([id]) => location.hash === `#${id}`)?.[0] ?? VIEWS[0][0];
  }

  /** The address of the journal, with the exchange whose details are open. */
  get journalAddress() {
    return this.details.entry ? `#exchange-${this.details.entry.row.n}` : "#journal";
  }

  /** What the address names is shown. */
  follow() {
    if (this.details.entry && ["", "#journal"].includes(location.hash)) this.details.hide();
    this.showView();
    this.#findExchange();
  }

  /** Open the exchange of the address, once it is there. */
  #findExchange() {
    const n = Number(location.hash.match(/^#exchange-(\d+)$/)?.[1] ?? NaN);
    if (Number.isNaN(n) || this.details.entry?.row.n === n) return;
    const entry = this.journal.kept.findLast(each => each.row.n === n);
    if (entry) this.rows.goTo(entry);
  }

  showView() {
    VIEWS.forEach(([id], at) => {
      byId(id, HTMLElement).hidden = id !== this.view;
      if (id === this.view) this.#links[at].setAttribute("aria-current", "page");
      else this.#links[at].removeAttribute("aria-current");
    });
    this.#links[0].setAttribute("href", this.journalAddress);
    if (this.view === "world") this.worldView.refresh();
    if (this.view === "token") this.tokens.changed();
    if (this.view === "journal") this.rows.draw();
  }

  help() {
    byId("help", HTMLDialogElement).showModal();
  }

  toFilter() {
    location.hash = this.journalAddress;
    this.showView();
    this.text.focus();
    this.text.select();
  }

  escape() {
    if (this.view !== "journal") return;
    if (this.details.entry) this.close();
    else this.rows.grid.focus();
  }

  // --- events

  /** @param {ServerEvent[]} events */
  take(events) {
    for (const {event, data} of events) this.#take(event, data);
    this.showRows();
    this.#findExchange();
  }

  /** @param {string} event @param {any} data */
  #take(event, data) {
    if (event === "exchange") this.journal.add(data);
    else if (event === "websocket") this.#socket(data);
    else if (event === "cleared") this.journal.clear();
    else if (event === "state") this.#state(data);
    else if (event === "world") this.#world(data);
  }

  /** More frames of a WebSocket, or its end. @param {{n: number}} data */
  #socket(data) {
    const entry = this.journal.ofSocket(data.n);
    if (entry && entry === this.details.entry) this.details.refreshFrames();
  }

  /** @param {any} world */
  #world(world) {
    this.began = microseconds(world.began);
    if (!world.resumed) {
      this.outcome.worldBegan();
      this.journal.clear(world.earlier);
      this.details.outlive();
    }
    this.scenario = world.scenario;
    this.#changed();
  }

  /** @param {any} state */
  #state(state) {
    this.state = state;
    this.clock.set(state.clock);
    this.#changed();
  }

  #changed() {
    this.tick();
    this.worldView.changed();
    if (this.view === "token") this.tokens.changed();
  }

  tick() {
    this.worldView.tick();
    if (this.view === "token") this.tokens.tick();
    if (!this.state) return;
    const {seed, spacetime, intuition} = this.state;
    const profiles = [`SpacetimeDB ${spacetime.profile}`, `Intuition ${intuition.profile}`];
    const facts = [`seed ${seed}`, ...profiles, ...this.scenario, String(this.clock)];
    setText(byId("facts", HTMLElement), facts.join(" · "));
  }

  /** How the connection is. @param {string} state @param {string} text */
  tell(state, text) {
    this.#link = [state, text];
    this.#showLink();
  }

  /** A page that is paused says so in the place of `live`. */
  #showLink() {
    const {paused, waits} = this.journal;
    const waiting = `paused, ${thousands(waits)} ${waits === 1 ? "waits" : "wait"}`;
    const [state, text] = paused && this.#link[0] === "live" ? ["paused", waiting] : this.#link;
    const link = byId("link", HTMLElement);
    if (link.dataset.state === state && link.dataset.text === text) return;
    Object.assign(link.dataset, {state, text});
    link.replaceChildren(manyLines(text), " ");
    if (state === "stopped") link.append(button("Connect again", () => this.watch?.again()));
  }

  // --- the journal

  filter() {
    this.journal.filter(this.text.value, this.status.value, this.actor.value);
    this.showRows();
  }

  showRows() {
    const {kept, matching} = this.journal;
    this.rows.show(matching, kept.length ? "No exchange passes the filter." : this.#nothing);
  }

  get #nothing() {
    if (!this.source.canChange) return "No requests.";
    return `No requests yet. Those to ${location.origin} are shown as they come.`;
  }

  /** Called when rows were drawn. */
  countRows() {
    const {kept, matching, earlier, actors, faults} = this.journal;
    const all = counted(kept.length, "exchange");
    const texts = [
      matching.length === kept.length ? all : `${thousands(matching.length)} of ${all}`,
      earlier && `${thousands(earlier)} earlier ones are not here`,
    ];
    setText(byId("count", HTMLElement), texts.filter(Boolean).join(", "));
    this.rows.grid.classList.toggle("without-actors", !actors.size || (actors.size === 1 && actors.has("")));
    this.rows.grid.classList.toggle("without-faults", !faults);
    this.newest.hidden = this.rows.below === 0;
    setText(this.newest, `↓ ${thousands(this.rows.below)} newer`);
    this.#showLink();
    this.#fillFilters();
  }

  #fillFilters() {
    const statuses = [...this.journal.statuses].filter(Boolean).sort().map(String);
    const actors = [...this.journal.actors].sort();
    options(this.status, [...STATUSES.map(([value, text]) => [value, text]), ...statuses.map(each => [each, each])]);
    options(this.actor, [["any", "any"], ...actors.map(name => [`by ${name}`, name || "none"])]);
  }

  pause() {
    if (!this.source.canChange) return;
    this.journal.pause(!this.journal.paused);
    this.pauses.textContent = this.journal.paused ? "Resume" : "Pause";
    this.showRows();
  }

  /** @param {Entry} entry @param {boolean} opens */
  choose(entry, opens) {
    if (!opens && !this.details.entry) return;
    this.details.show(entry, this.rows.grid.offsetHeight === 0); // in a small window the details are in its place
    if (opens) location.hash = this.journalAddress;
    else history.replaceState(null, "", this.journalAddress);
    this.#links[0].setAttribute("href", this.journalAddress);
  }

  close() {
    this.details.hide();
    location.hash = this.journalAddress;
    this.rows.grid.focus();
  }

  /** How far the clock was from real time at an exchange; empty where it is not known. @param {Exchange} exchange */
  realTime(exchange) {
    const seconds = (microseconds(exchange.at) - this.began) / 1e6 - exchange.after;
    return Number.isNaN(seconds) ? "" : besideRealTime(seconds);
  }

  // --- tokens

  /** @param {string} token @param {Exchange} exchange @param {Inspection | null} found  what a report has of it */
  inspect(token, exchange, found) {
    const from = `, as in exchange #${exchange.n}`;
    if (!found) return this.inspectToken(token, exchange.at, from);
    this.tokens.showRecorded(found, from);
    location.hash = "#token";
  }

  /** @param {string} token @param {string} at @param {string} from */
  inspectToken(token, at, from) {
    location.hash = "#token";
    return this.tokens.inspect(token, at, from);
  }
}

/** The options of a selection, whose choice stays. @param {HTMLSelectElement} select @param {string[][]} wanted */
function options(select, wanted) {
  const there = [...select.options].map(each => [each.value, each.text]);
  const chosen = there[select.selectedIndex] ?? wanted[0];
  const all = wanted.some(([value]) => value === chosen[0]) ? wanted : [...wanted, chosen];
  if (JSON.stringify(all) === JSON.stringify(there)) return;
  select.replaceChildren(...all.map(([value, text]) => element("option", {value}, oneLine(text))));
  select.value = chosen[0];
}

// --- keys ------------------------------------------------------------------------------------------------------------

/**
 * @typedef {[string[], string, (page: Page) => unknown]} Key  Its names in `KeyboardEvent.key`, what it does in words.
 */

/** @type {Key[]} */
const KEYS = [
  [["/"], "filter the journal", page => page.toFilter()],
  [["j"], "the next exchange", page => page.rows.move(1)],
  [["k"], "the exchange before", page => page.rows.move(-1)],
  [["t"], "inspect the token of the exchange", page => page.details.inspectToken()],
  [["p"], "pause, and go on", page => page.pause()],
  [["1"], "the journal", page => { location.hash = page.journalAddress; }],
  [["2"], "the token inspector", () => { location.hash = "#token"; }],
  [["3"], "the world", () => { location.hash = "#world"; }],
  [["?"], "this help", page => page.help()],
];

/** @type {Key[]} Those that work while the list of exchanges has the focus. */
const KEYS_OF_THE_LIST = [
  [["ArrowDown"], "the next exchange", page => page.rows.move(1)],
  [["ArrowUp"], "the exchange before", page => page.rows.move(-1)],
  [["PageDown"], "a page down", page => page.rows.move(page.rows.page)],
  [["PageUp"], "a page up", page => page.rows.move(-page.rows.page)],
  [["Home"], "the first exchange", page => page.rows.move(-Infinity)],
  [["End"], "the last exchange, and follow", page => { page.rows.move(Infinity); page.rows.follow(); }],
  [["Enter", " "], "details of the exchange", page => page.rows.open()],
];

/** @param {KeyboardEvent} event @param {Page} page */
function pressed(event, page) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") return page.escape();
  const target = /** @type {Element} */ (event.target);
  const inList = target === page.rows.grid ? KEYS_OF_THE_LIST : [];
  const isTyping = target.matches("input, textarea, select");
  const anywhere = isTyping || !byId("keys-on", HTMLInputElement).checked ? [] : KEYS;
  const key = [...inList, ...anywhere].find(([names]) => names.includes(event.key));
  if (!key) return;
  event.preventDefault();
  key[2](page);
}

function describeKeys() {
  const list = KEYS_OF_THE_LIST.map(([names, text]) => /** @type {Key} */ ([names, `${text} (in the list)`, () => {}]));
  const rows = [...KEYS, ...list, /** @type {Key} */ ([["Escape"], "close the details", () => {}])];
  byId("keys", HTMLElement).append(...rows.flatMap(([names, text]) => [
    element("dt", {}, ...names.map(name => element("kbd", {}, name === " " ? "Space" : name))), element("dd", {}, text),
  ]));
}

// --- start -----------------------------------------------------------------------------------------------------------

/** A report: what was recorded, and what was said of it. @param {any} recorded */
function showReport(recorded) {
  const page = new Page(new Recording(recorded));
  recorded.rows.forEach(/** @param {Row} row */ row => page.journal.add(row));
  const {state, scenario} = recorded.answers;
  page.state = state;
  page.clock.set(state.clock, false);
  page.scenario = scenario?.scenario ?? [];
  const report = byId("report", HTMLElement);
  report.hidden = false;
  report.append(element("h2", {}, oneLine(recorded.title || "Report")), element("p", {class: "wire"}, recorded.heading),
    ...recorded.notes.map(/** @param {string} note */ note => element("p", {class: "refusal"}, note)));
  document.title = recorded.title ? `${oneLine(recorded.title)} – identity-emulator` : document.title;
  page.tell("file", `a report of ${recorded.written}${recorded.masked ? ", secrets masked" : ""}`);
  page.tick();
  page.showRows();
  page.follow();
}

describeKeys();
const recorded = parsed(document.getElementById("recorded")?.textContent ?? "");
if (recorded) showReport(recorded);
else new Page(new Emulator()).watch?.run();
