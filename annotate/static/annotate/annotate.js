// Keys, conditional questions and the hazard search of the annotate and review pages.
// Everything works without this file too: it only saves the mouse.

const place = document.getElementById("workplace");
const help = document.getElementById("keys");
const keysOff = document.getElementById("keys-off");
let openedAt = performance.now();

const form = () => document.getElementById("answers");
const questions = () => [...form().querySelectorAll(".question:not([hidden])")];
const active = () => form()?.querySelector(".question[data-active]");
const answered = (question) =>
  question.querySelector("input:checked") !== null || (question.querySelector("textarea")?.value ?? "") !== "";

function activate(question) {
  for (const other of form().querySelectorAll("[data-active]")) other.removeAttribute("data-active");
  if (!question) return;
  question.setAttribute("data-active", "");
  question.scrollIntoView({ block: "nearest" });
  const search = question.querySelector("[data-picker]");
  if (search) search.focus();
  else if (document.activeElement?.matches("[data-picker]")) document.activeElement.blur();
}

function activateNextOpen() {
  const open = questions().find((question) => "required" in question.dataset && !answered(question));
  activate(open ?? active() ?? questions()[0]);
}

// A question whose condition doesn't hold is hidden and not sent.
function applyConditions() {
  const chosen = {};
  for (const input of form().querySelectorAll("input:checked")) {
    const code = input.name.replace("answer_", "");
    chosen[code] = input.value;
  }
  for (const question of form().querySelectorAll("[data-condition]")) {
    const holds = JSON.parse(question.dataset.condition).some(
      (one) => chosen[one.question] === JSON.stringify(one.is) && !isHidden(one.question),
    );
    question.hidden = question.disabled = !holds;
  }
}
const isHidden = (code) => form().querySelector(`[data-question="${CSS.escape(code)}"]`)?.hidden ?? false;

function showChosen(question) {
  const names = [...question.querySelectorAll(".pick:has(input:checked) .name")].map((name) => name.firstChild.textContent.trim());
  const chosen = question.querySelector("[data-chosen]");
  chosen.textContent = names.length ? `Chosen: ${names.join(", ")}` : "";
  chosen.hidden = names.length === 0;
}

function filterPicks(search) {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const question = search.closest(".question");
  let place = 0;
  for (const pick of question.querySelectorAll(".pick")) {
    pick.hidden = !words.every((word) => pick.dataset.search.includes(word));
    const key = pick.querySelector("kbd");
    place += pick.hidden ? 0 : 1;
    key.hidden = pick.hidden || place > 9;
    key.textContent = key.hidden ? "" : place;
  }
  for (const group of question.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector(".pick:not([hidden])");
  }
}

function setUp() {
  openedAt = performance.now();
  if (!form()) return;
  applyConditions();
  for (const search of form().querySelectorAll("[data-picker]")) {
    filterPicks(search);
    showChosen(search.closest(".question"));
  }
  activateNextOpen();
  if (!active()?.querySelector("[data-picker]")) document.getElementById("item-heading")?.focus();
  for (const button of place.querySelectorAll("[data-keys-help]")) button.hidden = !help;
}

function choose(question, digit) {
  if (question.querySelector("[data-picker]")) {
    const pick = question.querySelectorAll(".pick:not([hidden])")[digit - 1];
    pick?.querySelector("input").click();
    const search = question.querySelector("[data-picker]");
    search.value = "";
    filterPicks(search);
    return;
  }
  const inputs = question.querySelectorAll(".choice input");
  const input = digit === 0 ? question.querySelector(".choice.unsure input") : inputs[digit - 1];
  if (!input || (digit !== 0 && input.closest(".unsure"))) return;
  input.click();
}

function move(step) {
  const all = questions();
  const at = all.indexOf(active());
  activate(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
}

function send() {
  form().requestSubmit(form().querySelector(".btn-primary"));
}

function onKey(event) {
  // A held key must not skip item after item, nor the Enter that ends a composed word submit.
  if (event.isComposing || (event.repeat && !event.key.startsWith("Arrow"))) return;
  if (!form() || event.ctrlKey || event.metaKey || event.altKey || help?.open) return;
  const field = event.target.closest("textarea, select, input:not([type=radio], [type=checkbox])");
  const inSearch = field?.matches("[data-picker]");
  if (inSearch && event.key === "Escape") return void field.blur();
  if (inSearch && event.key === "Enter") return void (event.preventDefault(), send());
  if (inSearch && /^[1-9]$/.test(event.key)) return void (event.preventDefault(), choose(field.closest(".question"), +event.key));
  if (field && !(inSearch && field.value === "" && /^(ArrowUp|ArrowDown)$/.test(event.key))) return;
  if (localStorage.getItem("single-keys") === "off" && event.key.length === 1) return;
  if (/^[0-9]$/.test(event.key) && active()) choose(active(), +event.key);
  else if (event.key === "Enter" && !event.target.closest("button, a, summary")) send();
  else if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp") move(-1);
  else if (event.key === "?") help?.showModal();
  else if (event.key === "f") toggle("flag");
  else if (event.key === "g") toggle("guidelines");
  else if (/^[zk]$/.test(event.key)) place.querySelector(`[data-key="${event.key}"]`)?.click();
  else return;
  event.preventDefault();
}

function toggle(id) {
  const details = document.getElementById(id);
  if (!details) return;
  details.open = !details.open;
  if (details.open) details.querySelector("summary").focus();
}

document.addEventListener("keydown", onKey);
place.addEventListener("change", (event) => {
  const question = event.target.closest(".question");
  if (!question) return;
  // Unsure stands alone among checkboxes.
  if (event.target.checked && event.target.type === "checkbox") {
    const unsure = event.target.closest(".unsure") !== null;
    for (const other of question.querySelectorAll("input[type=checkbox]:checked")) {
      if ((other.closest(".unsure") !== null) !== unsure) other.checked = false;
    }
  }
  if (question.querySelector("[data-chosen]")) showChosen(question);
  applyConditions();
  if (event.target.type === "radio") activateNextOpen();
});
place.addEventListener("input", (event) => {
  if (event.target.matches("[data-picker]")) filterPicks(event.target);
});
place.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-help]")) help?.showModal();
});
place.addEventListener("submit", (event) => {
  const seconds = event.target.querySelector("[name=seconds]");
  if (seconds) seconds.value = ((performance.now() - openedAt) / 1000).toFixed(1);
}, true);
document.body.addEventListener("htmx:afterSwap", setUp);
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.responseURL.includes("/sign-in/")) return;
  event.detail.shouldSwap = false;
  location.assign(`/sign-in/?next=${encodeURIComponent(location.pathname)}`);
});
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.body.addEventListener(failure, () => {
    place.querySelector("[data-failure]")?.remove();
    const note = document.createElement("p");
    note.className = "note bad";
    note.dataset.failure = "";
    note.setAttribute("role", "alert");
    note.textContent = "The server did not take that. Your answers are still here: try again, or reload the page.";
    form()?.prepend(note);
  });
}
if (keysOff) {
  keysOff.checked = localStorage.getItem("single-keys") === "off";
  keysOff.addEventListener("change", () => localStorage.setItem("single-keys", keysOff.checked ? "off" : "on"));
}
setUp();
