// What a person has answered and the server has not yet: kept in this browser, sent in order, one at a time, until
// the server says that it is stored. Ids and answers only, never an item's text; wiped at sign-out.

const workplace = document.getElementById("workplace");
const signOut = document.querySelector("form[data-sign-out]");
const user = workplace?.dataset.user ?? signOut?.dataset.signOut ?? "";
const mine = `jurybox:${user}:`;
const here = `${mine}${workplace?.dataset.slug ?? ""}:`;
const LONGEST_WAIT = 30_000;
const PATIENCE = 20_000;

let last = 0;
let wait = 0;
let timer = 0;
let flushing = null;
let closed = false;

const names = (part, start = mine) =>
  Object.keys(localStorage).filter((name) => name.startsWith(start) && name.includes(`:${part}:`)).sort(inOrder);
// By time, whichever project they belong to.
const inOrder = (one, other) => (one.split(":").at(-1) < other.split(":").at(-1) ? -1 : 1);
const read = (name) => JSON.parse(localStorage.getItem(name) ?? "null");
const tell = (name, detail = {}) => document.dispatchEvent(new CustomEvent(`jurybox:${name}`, { detail }));

function write(name, value) {
  if (!closed) localStorage.setItem(name, JSON.stringify(value));
}

// A name that sorts behind all earlier ones, also those of other tabs.
function place() {
  last = Math.max(Date.now() * 1000, last + 1);
  return String(last).padStart(17, "0");
}

function token() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

// Posts fields ([name, value] pairs) and gives {state, status, said}; state is ok, refused, signed-out or later.
async function post(url, fields) {
  let answer;
  try {
    answer = await fetch(url, {
      method: "POST",
      body: new URLSearchParams([...fields, ["person", user]]),
      headers: { Accept: "application/json", "X-CSRFToken": token() },
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    return { state: "later" };
  }
  // The only redirect that these addresses know leads to the sign-in page.
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return { state: "signed-out" };
  const said = await answer.json().catch(() => null);
  if (answer.ok && said) return { state: "ok", said };
  if (answer.ok || answer.status >= 500 || [408, 425, 429].includes(answer.status)) return { state: "later" };
  return { state: "refused", status: answer.status, said: said ?? {} };
}

// True if nothing is left to send.
async function sendAll() {
  for (;;) {
    const [name] = names("out");
    const entry = name && read(name);
    if (!name) return true;
    if (!entry) localStorage.removeItem(name);
    else if (!(await send(name, entry))) return false;
  }
}

async function send(name, entry) {
  const changedSince = names("out").some((other) => other !== name && read(other)?.item === entry.item);
  const { state, said } = await post(entry.url, changedSince ? [...entry.body, ["quiet", "1"]] : entry.body);
  tell("way", { state });
  if (state === "later" || state === "signed-out") {
    again();
    return false;
  }
  wait = 0;
  localStorage.removeItem(name);
  if (state === "refused") refuse(entry, said);
  else tell("stored", { kind: entry.kind, item: entry.item, slug: entry.slug, mine: said.mine, feedback: said.feedback ?? "" });
  tell("outbox");
  return true;
}

function refuse(entry, said) {
  const problem = [said.problem, ...Object.values(said.problems ?? {})].filter(Boolean).join(" ");
  const answers = answersIn(entry.body);
  const name = `${mine}${entry.slug}:refused:${place()}`;
  write(name, { item: entry.item, kind: entry.kind, answers, problem });
  tell("refused", { item: entry.item, kind: entry.kind, slug: entry.slug, answers });
}

function answersIn(body) {
  const answers = {};
  for (const [name, value] of body) if (name.startsWith("answer_")) (answers[name] ??= []).push(value);
  return answers;
}

function again() {
  clearTimeout(timer);
  wait = Math.min(LONGEST_WAIT, Math.max(1000, wait * 2));
  timer = setTimeout(flush, wait * (0.75 + Math.random() / 2));
}

// One tab sends at a time where the browser can arrange that; else the server's ids keep doubles out.
function flush() {
  if (closed || !names("out").length) return Promise.resolve(true);
  flushing ??= run();
  return flushing;
}

async function run() {
  const done = await (navigator.locks ? navigator.locks.request(mine, sendAll) : sendAll());
  flushing = null;
  // What came after the last look, and before this one.
  return done && names("out").length ? flush() : done;
}

const outbox = {
  post,
  token,
  flush,
  user,
  // Keeps {kind, url, item: "id.repeat", body: [[name, value], ...]} and sends it as soon as may be.
  add(entry) {
    write(`${here}out:${place()}`, { ...entry, slug: workplace.dataset.slug });
    tell("outbox");
    flush();
  },
  get count() {
    return names("out", here).length;
  },
  holds: (item) => names("out", here).some((name) => read(name)?.item === item),
  refused: () => names("refused", here).map((name) => ({ name, ...read(name) })),
  forget(name) {
    localStorage.removeItem(name);
    tell("outbox");
  },
  // Answers begun and not submitted, by item.
  draft: (item) => read(`${here}draft:${item}`),
  keepDraft: (item, answers) => write(`${here}draft:${item}`, answers),
  dropDraft: (item) => localStorage.removeItem(`${here}draft:${item}`),
};
globalThis.jurybox = Object.assign(globalThis.jurybox ?? {}, { outbox });

// Signing out sends what is left, then wipes all that this person kept here, in every project.
function leave() {
  tell("leaving");
  closed = true;
  for (const name of Object.keys(localStorage)) if (name.startsWith(mine)) localStorage.removeItem(name);
  signOut.submit();
}

async function onSignOut(event) {
  event.preventDefault();
  const limit = new Promise((resolve) => setTimeout(resolve, 5000));
  await Promise.race([flush(), limit]);
  const left = names("out").length + names("refused").length;
  if (!left) return leave();
  const question = document.getElementById("unsent");
  question.querySelector("[data-count]").textContent = left;
  question.hidden = false;
  question.querySelector("[data-stay]").focus();
}

signOut?.addEventListener("submit", onSignOut);
document.querySelector("#unsent [data-stay]")?.addEventListener("click", () => (document.getElementById("unsent").hidden = true));
document.querySelector("#unsent [data-leave-anyway]")?.addEventListener("click", leave);
for (const moment of ["online", "focus", "pageshow"]) addEventListener(moment, flush);
flush();
