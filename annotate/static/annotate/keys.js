// The key machine: which key does what, in one place. Loaded first; the page's other files talk to it through
// `jurybox`. Keys that come while nothing can take them wait, and are played in their order afterwards.

const workplace = document.getElementById("workplace");
const preferences = JSON.parse(workplace?.dataset.preferences || "{}");
const keys = preferences.keys ?? {};
const commands = new Map();
const firsts = [];
const waiting = [];
let answering = null;
let held = true;
let playing = false;

const TEXT_FIELD = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=button], [type=submit])";
const switchName = `single-keys:${workplace?.dataset.user ?? ""}`;

const jurybox = {
  preferences,
  // Command name to key, the person's own map.
  keys,
  // Registers the handler of a named command: {down(event), up(event)}.
  command(name, handler) {
    commands.set(name, handler);
  },
  // Does what the command's key does, for a control that stands for it.
  run(name) {
    commands.get(name)?.down?.(new Event("command"));
  },
  // Asks `handler(event) -> boolean` (true: consumed) before anything else; returns how to take it away again.
  first(handler) {
    firsts.unshift(handler);
    return () => firsts.includes(handler) && firsts.splice(firsts.indexOf(handler), 1);
  },
  // What digits, Enter and arrows do: {digit(number), enter(event), move(step), elements(): those asked first}.
  answer(handlers) {
    answering = handlers;
  },
  // From now on keys wait until `resume` plays them, or `drop` forgets them.
  hold() {
    held = true;
  },
  resume() {
    held = false;
    if (!playing) play();
  },
  drop() {
    waiting.length = 0;
    held = false;
  },
  get singleKeys() {
    const switched = localStorage.getItem(switchName);
    return switched === null ? preferences.single_keys !== false : switched === "on";
  },
  set singleKeys(on) {
    localStorage.setItem(switchName, on ? "on" : "off");
  },
  tell(name, detail = {}) {
    document.dispatchEvent(new CustomEvent(`jurybox:${name}`, { detail }));
  },
};
globalThis.jurybox = Object.defineProperties(globalThis.jurybox ?? {}, Object.getOwnPropertyDescriptors(jurybox));

function play() {
  playing = true;
  while (!held && waiting.length) take(waiting.shift());
  playing = false;
}

function take(event) {
  if (event.type === "keyup") return void nameOf(event).forEach((name) => commands.get(name)?.up?.(event));
  if (firsts.some((handler) => handler(event))) return void event.preventDefault();
  if (answering?.elements?.().some((element) => element.handleKey?.(event))) return void event.preventDefault();
  const [name] = nameOf(event);
  if (name) commands.get(name).down?.(event);
  else if (!fixed(event)) return;
  event.preventDefault();
}

// Digits, Enter and arrows; false if the key means nothing here.
function fixed(event) {
  if (!answering) return false;
  if (/^[0-9]$/.test(event.key)) answering.digit(Number(event.key));
  else if (event.key === "Enter") answering.enter(event);
  else if (/^Arrow(Up|Down)$/.test(event.key) && !scrolls(event.target)) answering.move(event.key === "ArrowDown" ? 1 : -1);
  else return false;
  return true;
}

// Radio buttons and scrolling boxes have a use of their own for arrows.
const scrolls = (target) => target.closest?.("input[type=radio], [tabindex='0']") ?? false;

function nameOf(event) {
  if (isUndo(event)) return ["undo"];
  const key = event.key.toLowerCase();
  return Object.keys(keys).filter((name) => keys[name] === key && commands.has(name)).slice(0, 1);
}

const isUndo = (event) =>
  (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z";

// Whether the key is none of ours: it belongs to a field, a button, a dialog, the browser or an input method.
function notOurs(event) {
  if (event.isComposing || event.repeat) return true;
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  if (modified && !isUndo(event)) return true;
  if (event.target.closest?.(TEXT_FIELD)) return true;
  if (document.querySelector("dialog[open]")) return true;
  if (event.key === "Enter" && event.target.closest?.("button, a, summary")) return true;
  return event.key.length === 1 && !modified && !jurybox.singleKeys;
}

function onKey(event) {
  if (notOurs(event)) return;
  if (!held && !waiting.length) return take(event);
  waiting.push(event);
  event.preventDefault();
}

document.addEventListener("keydown", onKey);
document.addEventListener("keyup", (event) => {
  if (event.target.closest?.(TEXT_FIELD)) return;
  if (held || waiting.length) waiting.push(event);
  else take(event);
});
