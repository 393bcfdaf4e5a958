// The answer form: which questions apply, which one is active, what is chosen. The form stays while items come and
// go. On pages without a queue (the review) it is set up anew whenever a new one is swapped in.

const form = () => document.getElementById("answers");
const all = () => [...form().querySelectorAll(".question[data-question]")];
const open = () => all().filter((question) => !question.hidden);
const active = () => form()?.querySelector(".question[data-active]");
const custom = (question) => question.querySelector("category-picker, evidence-marks");
const WAITING = ["categories", "spans", "text", "turns"];

const fields = (question) => [...question.querySelectorAll("input[name^=answer_], textarea[name^=answer_]")];
const chosen = (field) => (/^(radio|checkbox)$/.test(field.type) ? field.checked : !/^(\[\]|\s*)$/.test(field.value));
const answered = (question) => fields(question).some(chosen);
const missing = () => open().find((question) => "required" in question.dataset && !answered(question));

// A question that is about another kind of item, or whose condition doesn't hold, is hidden and not sent.
function apply(kind) {
  const about = all().filter((one) => !kind || (one.dataset.kinds ?? kind).split(" ").includes(kind));
  let shown = about;
  for (let before = Infinity; shown.length < before;) {
    before = shown.length;
    const values = Object.fromEntries(shown.map((one) => [one.dataset.question, one.querySelector("input:checked")?.value]));
    shown = about.filter((one) => holds(one, values));
  }
  for (const question of all()) question.hidden = question.disabled = !shown.includes(question);
}

function holds(question, values) {
  const condition = JSON.parse(question.dataset.condition || "null");
  return !condition || condition.some((one) => values[one.question] === JSON.stringify(one.is));
}

const kind = () => document.getElementById("item")?.dataset.kind ?? "";

function activate(question) {
  for (const other of form().querySelectorAll("[data-active]")) if (other !== question) other.removeAttribute("data-active");
  if (!question || question.hasAttribute("data-active")) return;
  question.setAttribute("data-active", "");
  question.scrollIntoView({ block: "nearest" });
  const text = question.querySelector("textarea");
  if (text) text.focus();
  else if (document.activeElement?.matches("#answers textarea")) document.activeElement.blur();
}

function activateNext() {
  activate(missing() ?? (active()?.hidden ? null : active()) ?? open()[0]);
}

function move(step) {
  const questions = open();
  const at = questions.indexOf(active());
  activate(questions[Math.min(Math.max(at + step, 0), questions.length - 1)]);
}

// A digit in the active question; 0 is unsure.
function choose(digit) {
  const question = active();
  if (!question || custom(question)) return;
  const groups = [...question.querySelectorAll(".turn-choices")];
  const group = groups.find((one) => !one.querySelector("input:checked")) ?? groups.at(-1) ?? question;
  const inputs = [...group.querySelectorAll(".choice:not(.unsure) input")];
  const input = digit === 0 ? question.querySelector(".choice.unsure input") : inputs[digit - 1];
  input?.click();
}

// Nothing chosen, as before the first key.
function clear() {
  for (const note of form().querySelectorAll("[data-problem]")) note.remove();
  for (const question of all()) {
    custom(question)?.reset?.();
    if (custom(question)?.reset) continue;
    for (const field of fields(question)) {
      if (/^(radio|checkbox)$/.test(field.type)) field.checked = false;
      else field.value = "";
    }
  }
}

// A question about turns offers those of the item; {i} stands for the turn, {n} for its number.
function offerTurns(count) {
  for (const box of form().querySelectorAll("[data-turns]")) {
    const template = box.parentElement.querySelector("template");
    box.replaceChildren();
    for (let turn = 0; turn < count; turn += 1) {
      const copy = template.content.cloneNode(true);
      for (const element of copy.querySelectorAll("*")) fill(element, turn);
      box.append(copy);
    }
  }
}

function fill(element, turn) {
  const filled = (text) => text.replaceAll("{i}", turn).replaceAll("{n}", turn + 1);
  for (const name of ["name", "value", "aria-label"]) {
    if (element.hasAttribute(name)) element.setAttribute(name, filled(element.getAttribute(name)));
  }
  if (!element.children.length) element.textContent = filled(element.textContent);
}

// Puts answers in, {field name: raw values}, as `collect` gives them and the server sends them.
function restore(values) {
  for (const question of all()) {
    const name = `answer_${question.dataset.question}`;
    if (custom(question)?.restore) custom(question).restore(values[name] ?? []);
    else for (const field of fields(question)) put(field, values[field.name] ?? []);
  }
  apply(kind());
}

function put(field, values) {
  if (/^(radio|checkbox)$/.test(field.type)) field.checked = values.includes(field.value);
  else field.value = values[0] ?? "";
}

function collect() {
  const values = {};
  for (const [name, value] of new FormData(form())) {
    if (name.startsWith("answer_") && value !== "") (values[name] ??= []).push(value);
  }
  return values;
}

// The answers in the words of the choices: for a list of what was answered.
function words(values) {
  const found = [];
  for (const field of form().querySelectorAll("input[type=radio][name^=answer_]")) {
    const word = field.closest(".choice")?.querySelector("[data-word]")?.textContent;
    if (word && (values[field.name] ?? []).includes(field.value) && !found.includes(word)) found.push(word);
  }
  return found;
}

// A new item: everything as if the form were fresh, then the answers given so far.
function begin(item, values) {
  clear();
  offerTurns(item.turns);
  apply(item.kind);
  restore(values);
  activate(null);
}

function onChange(event) {
  const question = event.target.closest?.("#answers .question[data-question]");
  if (!question) return;
  // Unsure stands alone among checkboxes.
  if (event.target.checked && /^(checkbox|radio)$/.test(event.target.type)) {
    const unsure = event.target.closest(".unsure") !== null;
    for (const other of question.querySelectorAll("input:checked")) {
      if ((other.closest(".unsure") !== null) !== unsure) other.checked = false;
    }
  }
  apply(kind());
  if (event.target.type === "radio" || active()?.hidden) activateNext();
  jurybox.tell("answered");
}

jurybox.form = {
  element: form, open, active, activate, activateNext, move, choose, begin, restore, collect, missing, words,
  // Whether a question applies that only Enter ends.
  waits: () => open().some((question) => WAITING.includes(question.dataset.kind)),
  // Custom elements that are asked for a key first: the active question's, and evidence marks, which have a mode.
  asked() {
    const first = active() && custom(active());
    const marks = open().map((question) => question.querySelector("evidence-marks")).filter((one) => one && one !== first);
    return first ? [...marks, first] : marks;
  },
};
document.addEventListener("change", onChange);

// Elsewhere than on the annotate page: digits choose, Enter sends the form as it stands.
function setUp() {
  if (!form()) return;
  apply(kind());
  activateNext();
  document.getElementById("item-heading")?.focus();
}
if (!document.getElementById("workplace")?.dataset.queue && document.getElementById("workplace")) {
  const send = () => form()?.requestSubmit(form().querySelector(".btn-primary"));
  jurybox.answer({ digit: (n) => form() && choose(n), enter: send, move: (step) => form() && move(step), elements: () => (form() ? jurybox.form.asked() : []) });
  document.body.addEventListener("htmx:afterSwap", setUp);
  setUp();
  jurybox.resume();
}
