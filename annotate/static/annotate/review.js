// The review desk: a letter takes a vote over, r and w lead to the reason and the words, Enter decides.
// Digits, arrows and conditions are questions.js's; without scripts the form works as it stands.

const place = document.getElementById("workplace");
const form = () => document.getElementById("answers");

// A question's own element hears letters first, so a letter takes a vote only while no such question is active.
function custom() {
  return jurybox.form.active()?.querySelector("category-picker, evidence-marks");
}

function take(button) {
  jurybox.form.restore(JSON.parse(button.dataset.take));
  jurybox.form.activate(null);
  for (const other of place.querySelectorAll("[data-take]")) other.setAttribute("aria-pressed", other === button);
  jurybox.tell("answered");
}

function onKey(event) {
  if (event.type !== "keydown" || !form()) return false;
  if (event.key === "Escape" && jurybox.form.active()) return jurybox.form.activate(null), true;
  // The first digit goes to the first open question; nothing is active before.
  if (/^[0-9]$/.test(event.key) && !jurybox.form.active()) return jurybox.form.activateNext(), false;
  if (custom() || !/^[a-z]$/.test(event.key)) return false;
  const button = place.querySelector(`[data-take][data-key="${event.key}"]`);
  if (button) return take(button), true;
  const field = { r: "review-reason", w: "review-rationale" }[event.key];
  if (field) return document.getElementById(field).focus(), true;
  return false;
}

function setUp() {
  if (!form()) return;
  for (const button of place.querySelectorAll("[data-take]")) button.hidden = false;
  for (const box of place.querySelectorAll("[data-opens]")) open(box);
  jurybox.form.activate(null);
  const item = document.getElementById("item");
  const facts = { id: Number(item.dataset.item), repeat: 0, kind: item.dataset.kind, turns: Number(item.dataset.turns) };
  jurybox.tell("item", { item: facts, element: item });
}

function open(box) {
  document.getElementById(box.dataset.opens).hidden = !box.checked;
}

function fail() {
  const note = place.querySelector("[data-failure]");
  if (note) note.hidden = false;
}

jurybox.first(onKey);
jurybox.command("guidelines", {
  down() {
    const guidelines = document.getElementById("guidelines");
    if (!guidelines) return;
    guidelines.open = !guidelines.open;
    if (guidelines.open) guidelines.querySelector("summary").focus();
  },
});
place.addEventListener("click", (event) => {
  const button = event.target.closest("[data-take]");
  if (button) take(button);
});
place.addEventListener("change", (event) => {
  if (event.target.matches("[data-opens]")) open(event.target);
});
// In a field, keys belong to it; Escape gives them back, and Enter in the list of reasons decides.
place.addEventListener("keydown", (event) => {
  if (!event.target.closest("select, textarea") || event.isComposing) return;
  if (event.key === "Escape") event.target.blur();
  else if (event.key === "Enter" && event.target.id === "review-reason") form().requestSubmit(form().querySelector(".btn-primary"));
  else return;
  event.preventDefault();
});
document.body.addEventListener("htmx:afterSwap", setUp);
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.responseURL.includes("/sign-in/")) return;
  event.detail.shouldSwap = false;
  location.assign(`/sign-in/?next=${encodeURIComponent(location.pathname)}`);
});
document.body.addEventListener("htmx:responseError", fail);
document.body.addEventListener("htmx:sendError", fail);
setUp();
