// Veils over texts and images, the reminder of a break, the check-in. All of it is the person's own choice:
// nothing here is sent anywhere but whether the veil was lifted at submit, and nothing ever blocks a key.

const { preferences } = jurybox;
const workplace = document.getElementById("workplace");
const form = document.getElementById("answers");

// ---- veils ---------------------------------------------------------------------------------------------------

const blocks = () => [...document.querySelectorAll("#item .text-block[data-veil]")];
const bodyOf = (block) => block.querySelector(":scope > [role=group]");
const isCovered = (block) => block.dataset.veil === "covered";
let liftedByKey = [];

function set(block, covered) {
  block.dataset.veil = covered ? "covered" : "lifted";
  const body = bodyOf(block);
  body.inert = covered;
  if (covered) body.setAttribute("aria-hidden", "true");
  else body.removeAttribute("aria-hidden");
  const button = block.querySelector("[data-lift]");
  button.setAttribute("aria-pressed", String(!covered));
  for (const text of button.querySelectorAll("[data-when]")) text.hidden = text.dataset.when !== block.dataset.veil;
}

// What is stored with the answers: whether anything was in sight when they were sent.
function note() {
  const field = form?.elements.namedItem("veil");
  if (!field) return;
  const veiled = blocks();
  field.value = !veiled.length ? "" : veiled.every(isCovered) ? "covered" : "lifted";
}

function cover(element) {
  liftedByKey = [];
  const wanted = preferences.veil && preferences.veil !== "off";
  if (wanted && (preferences.veiled === "all" || element.querySelector("[data-notice]"))) {
    for (const block of element.querySelectorAll(".text-block")) {
      if (!bodyOf(block)) continue;
      const kind = block.hasAttribute("data-image") ? "veil-button-image" : "veil-button";
      if (!block.querySelector("[data-lift]")) {
        bodyOf(block).before(document.getElementById(kind).content.cloneNode(true));
      }
      set(block, true);
    }
  }
  // From here on this file decides what is covered, and no longer the style sheet.
  workplace.dataset.veilReady = "";
  note();
}

function lift() {
  const covered = blocks().filter(isCovered);
  if (preferences.veil === "hold") liftedByKey = covered;
  const show = covered.length > 0;
  for (const block of preferences.veil === "hold" ? covered : blocks()) set(block, !show);
  note();
}

function fall() {
  for (const block of liftedByKey) set(block, true);
  liftedByKey = [];
  note();
}

document.addEventListener("jurybox:item", (event) => cover(event.detail.element));
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-lift]");
  if (!button) return;
  const block = button.closest(".text-block");
  set(block, !isCovered(block));
  liftedByKey = liftedByKey.filter((one) => one !== block);
  note();
});
jurybox.command("veil", { down: lift, up: fall });
// The key may be let go over another window, where nobody tells us.
addEventListener("blur", fall);

// ---- breaks: minutes of work, counted in this page and nowhere else -------------------------------------------

const MINUTE = 60_000;
const SNOOZE = 10 * MINUTE;
// Away for so long is a break.
const AWAY = 5 * MINUTE;
const strip = document.querySelector("#break [data-strip]");
let worked = 0;
let due = (preferences.break_after || 50) * MINUTE;
let mark = performance.now();

function tick() {
  const now = performance.now();
  const gap = now - mark;
  mark = now;
  if (gap >= AWAY) {
    worked = 0;
    due = (preferences.break_after || 50) * MINUTE;
    strip.hidden = true;
    return;
  }
  worked += gap;
  if (worked >= due) strip.hidden = false;
}

function snooze() {
  strip.hidden = true;
  due = worked + SNOOZE;
}

for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"]) {
  addEventListener(kind, tick, { capture: true, passive: true });
}
document.querySelector("[data-snooze]").addEventListener("click", snooze);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || strip.hidden) return;
  if (document.querySelector("dialog[open]")) return;
  event.preventDefault();
  snooze();
});

// ---- check-in ------------------------------------------------------------------------------------------------

const checkIn = document.getElementById("check-in");
const fine = checkIn.querySelector("[data-fine]");
const heavyGoing = checkIn.querySelector("[data-heavy-going]");
const heavy = document.getElementById("heavy");

function showHeavy(on) {
  heavy.hidden = !on;
  heavyGoing.setAttribute("aria-expanded", String(on));
}

fine.hidden = heavyGoing.hidden = false;
showHeavy(false);
fine.addEventListener("click", () => {
  showHeavy(false);
  checkIn.open = false;
  if (!strip.hidden) snooze();
});
heavyGoing.addEventListener("click", () => showHeavy(true));
document.querySelector("#break a").addEventListener("click", () => {
  checkIn.open = true;
});
