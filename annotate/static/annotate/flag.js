// The panel that says what is wrong with an item: reasons by digit, Enter sends, Escape leaves. Keys typed in the
// note are its own.

const panel = document.getElementById("flag");
const form = panel.querySelector("form");
let withdraw = () => {};

function send() {
  const reason = form.querySelector("input[name=reason]:checked");
  if (!reason) return form.querySelector("input[name=reason]").focus();
  const body = [["reason", reason.value], ["note", form.elements.namedItem("note").value]];
  close();
  jurybox.page.flag(body);
}

function open() {
  if (panel.hidden) return;
  panel.open = true;
  listen();
}

function close() {
  panel.open = false;
  form.reset();
  listen();
}

function onKey(event) {
  if (event.key === "Escape" || event.key.toLowerCase() === jurybox.keys.flag) close();
  else if (event.key === "Enter") send();
  else if (/^[1-9]$/.test(event.key)) form.querySelectorAll("input[name=reason]")[event.key - 1]?.click();
  else return false;
  return true;
}

// Its keys come first as long as it is open.
function listen() {
  withdraw();
  withdraw = panel.open ? jurybox.first(onKey) : () => {};
}
panel.addEventListener("toggle", listen);
jurybox.command("flag", { down: () => (panel.open ? close() : open()) });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
form.addEventListener("keydown", (event) => {
  if (!event.target.matches("textarea") || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  if (event.key === "Escape") (close(), jurybox.page.focusHeading());
});
