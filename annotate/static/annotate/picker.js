// <category-picker>: any of a taxonomy's categories by at most three letters, by search, or by pointing.
// The letters come with the taxonomy version and never move, and the list's order is fixed: that is what hands
// learn. Texts are in the server's markup (templates/annotate/_picker.html).

const MOST_RECENT = 5;
const UNSURE = "unsure";

const user = document.getElementById("workplace")?.dataset.user ?? "";

// A name may break after a slash.
const breakable = (name) => name.split(/(?<=\/)/).flatMap((piece, at) => (at ? [document.createElement("wbr"), piece] : [piece]));

class CategoryPicker extends HTMLElement {
  chosen = [];
  recent = [];
  prefix = "";
  data = null;
  waiting = [];

  connectedCallback() {
    if (this.parts) return;
    // After a swap this element may come to life before the card inside it.
    for (const card of this.querySelectorAll("category-card")) customElements.upgrade(card);
    this.parts = Object.fromEntries([...this.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.parts.panel.hidden = false;
    for (const key of this.querySelectorAll("[data-key-of]")) {
      key.textContent = jurybox.keys[key.dataset.keyOf] ?? key.textContent;
    }
    this.listen();
    const given = JSON.parse(this.dataset.answer || "[]");
    this.restore([given].flat().map((code) => JSON.stringify(code)));
    // A question that goes out of sight begins anew when it comes back.
    const question = this.closest("fieldset");
    if (question) {
      new MutationObserver(() => question.hidden && this.begin()).observe(question, { attributeFilter: ["hidden"] });
    }
    this.fill();
  }

  async fill() {
    this.parts.failure.hidden = true;
    try {
      this.data = await jurybox.categories.load(this.dataset.source);
    } catch {
      this.waiting.length = 0;
      this.parts.failure.hidden = false;
      return;
    }
    this.show();
    // What was typed meanwhile, in its order, as if it were typed now.
    for (const { key, code } of this.waiting.splice(0)) {
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }));
    }
  }

  // ---- the page's side

  reset() {
    this.waiting.length = 0;
    this.restore([]);
  }

  restore(values) {
    this.chosen = values.map((value) => JSON.parse(value)).filter((code) => typeof code === "string");
    this.recent = this.recents();
    this.parts.said.textContent = "";
    this.parts.card.hidden = true;
    this.parts.card.show(null, this.data);
    this.begin();
  }

  handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const consumed = this.data ? this.take(event) : this.wait(event);
    if (consumed) event.preventDefault();
    return consumed;
  }

  // ---- keys

  // The categories aren't here yet: letters and digits wait, and whatever comes after them. If they don't come at
  // all, the letters of a chord must not be taken for commands.
  wait(event) {
    const ours = this.letter(event) !== "" || /^[1-9]$/.test(event.key);
    if (!this.parts.failure.hidden) return ours;
    if (ours || this.waiting.length) this.waiting.push({ key: event.key, code: event.code });
    return this.waiting.length > 0;
  }

  take(event) {
    const letter = this.letter(event);
    if (letter) return this.step(letter);
    if (event.key === "0") return this.toggle(UNSURE);
    if (/^[1-9]$/.test(event.key)) return this.pick(Number(event.key));
    if (event.key === "Backspace" && this.prefix) return this.walk(this.prefix.slice(0, -1));
    if (event.key === "Escape") return this.close();
    return false;
  }

  // On a keyboard without Latin letters, the key at the letter's place.
  letter(event) {
    if (event.shiftKey || event.key.length !== 1) return "";
    if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
    return /\p{L}/u.test(event.key) && /^Key[A-Z]$/.test(event.code) ? event.code[3].toLowerCase() : "";
  }

  step(letter) {
    const stop = this.data.stops.get(this.prefix + letter);
    if (stop) return this.enter(stop);
    // At the start the letter may be a command's; on the way it must not skip the item.
    if (this.prefix) this.say("nowhere");
    return this.prefix !== "";
  }

  enter(stop) {
    if (stop.category) this.parts.card.show(stop.category, this.data);
    if (this.data.below.has(stop.chord)) return this.walk(stop.chord);
    return this.toggle(stop.category.code);
  }

  walk(chord) {
    this.prefix = chord;
    this.closeSearch();
    this.show();
    return true;
  }

  pick(number) {
    const offered = this.parts.query.value ? this.found() : this.recent.map((code) => this.data.byCode.get(code));
    const category = offered[number - 1];
    if (category) this.toggle(category.code);
    return true;
  }

  // One thing at a time: the search, the card, the way walked so far.
  close() {
    if (!this.parts.search.hidden) this.closeSearch();
    else if (!this.parts.card.hidden) this.parts.card.hidden = true;
    else if (this.prefix) this.walk("");
    else return false;
    return true;
  }

  // ---- choosing

  toggle(code) {
    const adding = !this.chosen.includes(code);
    // Unsure stands alone.
    if (!adding) this.chosen = this.chosen.filter((one) => one !== code);
    else this.chosen = code === UNSURE ? [code] : [...this.chosen.filter((one) => one !== UNSURE), code];
    if (adding && code !== UNSURE) this.remember(code);
    const category = this.data?.byCode.get(code);
    if (category) this.parts.card.show(category, this.data);
    this.begin();
    this.say(adding ? "chosen" : "removed", category?.name ?? this.parts.unsure.dataset.name);
    this.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }

  begin() {
    this.prefix = "";
    this.closeSearch();
    this.show();
  }

  say(text, name = "") {
    this.parts.said.textContent = this.parts.said.getAttribute(`data-text-${text}`).replace("{name}", name);
  }

  // Codes only; what is shown changes with the next item, so that a digit means one thing for as long as it is seen.
  recents() {
    const kept = JSON.parse(localStorage.getItem(this.recentName) ?? "[]");
    return Array.isArray(kept) ? kept.filter((code) => !this.data || this.data.byCode.has(code)) : [];
  }

  remember(code) {
    const newest = [code, ...this.recents().filter((one) => one !== code)].slice(0, MOST_RECENT);
    localStorage.setItem(this.recentName, JSON.stringify(newest));
  }

  get recentName() {
    return `jurybox:${user}:recent:${this.dataset.version}`;
  }

  // ---- search

  openSearch() {
    this.parts.search.hidden = false;
    this.parts.opener.setAttribute("aria-expanded", "true");
    this.parts.query.focus();
    this.show();
  }

  closeSearch() {
    const focused = this.parts.search.contains(document.activeElement);
    this.parts.query.value = "";
    this.parts.search.hidden = true;
    this.parts.opener.setAttribute("aria-expanded", "false");
    if (focused) document.activeElement.blur();
    this.showFound();
  }

  found() {
    return this.data?.find(this.parts.query.value) ?? [];
  }

  // ---- the card

  define() {
    this.parts.card.hidden = !this.parts.card.hidden;
    if (!this.parts.card.hidden) this.parts.card.scrollIntoView({ block: "nearest" });
  }

  // ---- showing

  show() {
    this.showChosen();
    if (!this.data) return;
    const { below, stops, byCode } = this.data;
    this.recent = this.recent.filter((code) => byCode.has(code));
    this.parts.back.hidden = this.prefix === "";
    const way = [...this.prefix].map((_, at) => stops.get(this.prefix.slice(0, at + 1))?.name ?? "");
    this.parts.path.textContent = way.join(" / ");
    this.parts.steps.replaceChildren(...(below.get(this.prefix) ?? []).map((stop) => this.stop(stop.chord.at(-1), stop)));
    const used = this.recent.map((code, at) => this.stop(at + 1, { category: byCode.get(code), name: byCode.get(code).name }));
    this.parts.recent.querySelector("ol").replaceChildren(...used);
    this.showFound();
  }

  showFound() {
    const found = this.found();
    const searched = this.parts.query.value !== "" && this.data !== null;
    this.parts.none.hidden = !searched || found.length > 0;
    // One list at a time: digits mean what is seen.
    this.parts.steps.hidden = searched;
    this.parts.recent.hidden = searched || this.recent.length === 0;
    const rows = found.map((category, at) =>
      this.stop(at + 1, { category, name: category.name, where: this.data.path(category) }),
    );
    this.parts.found.replaceChildren(...rows);
  }

  showChosen() {
    const { inputs, chips, unsure } = this.parts;
    inputs.replaceChildren(
      ...this.chosen.map((code) =>
        Object.assign(document.createElement("input"), { type: "hidden", name: this.dataset.name, value: JSON.stringify(code) }),
      ),
    );
    const named = this.chosen.filter((code) => code !== UNSURE);
    chips.hidden = named.length === 0;
    chips.replaceChildren(
      ...named.map((code) => {
        const chip = copy(this.parts.chip);
        const name = this.data?.byCode.get(code)?.name ?? code;
        chip.querySelector("[data-name]").replaceChildren(...breakable(name));
        const button = chip.querySelector("button");
        button.setAttribute("aria-label", chips.dataset.remove.replace("{name}", name));
        button.dataset.code = code;
        return chip;
      }),
    );
    unsure.setAttribute("aria-pressed", String(this.chosen.includes(UNSURE)));
  }

  // A button for a step, a recent category or a match; `key` is what picks it here.
  stop(key, { chord = "", name, where = "", category = null }) {
    const row = copy(this.parts.stop);
    const button = row.querySelector("button");
    const leadsOn = chord !== "" && this.data.below.has(chord);
    row.querySelector("kbd").textContent = key;
    row.querySelector("[data-name]").replaceChildren(...breakable(name));
    row.querySelector("[data-where]").textContent = where;
    row.querySelector("[data-more]").hidden = !leadsOn;
    button.setAttribute("aria-keyshortcuts", key);
    if (chord) button.dataset.chord = chord;
    if (category) button.dataset.code = category.code;
    if (!leadsOn) button.setAttribute("aria-pressed", String(this.chosen.includes(category.code)));
    return row;
  }

  // ---- events

  listen() {
    this.addEventListener("click", (event) => this.onClick(event));
    for (const kind of ["focusin", "pointerover"]) {
      this.addEventListener(kind, (event) => {
        const category = this.data?.byCode.get(event.target.closest("button[data-code]")?.dataset.code);
        if (category) this.parts.card.show(category, this.data);
      });
    }
    const { query } = this.parts;
    query.addEventListener("keydown", (event) => {
      const ours = event.key === "Escape" || /^[1-9]$/.test(event.key);
      if (!ours || event.isComposing || !this.handleKey(event)) return;
      event.stopPropagation();
    });
    // What is typed to find something is no answer.
    query.addEventListener("change", (event) => event.stopPropagation());
    query.addEventListener("input", (event) => {
      event.stopPropagation();
      this.showFound();
    });
  }

  onClick(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { back, opener, definer, unsure, retry } = this.parts;
    const { code, chord } = button.dataset;
    if (button === back) this.walk(this.prefix.slice(0, -1));
    else if (button === opener) return this.parts.search.hidden ? this.openSearch() : this.closeSearch();
    else if (button === definer) this.define();
    else if (button === unsure) this.toggle(UNSURE);
    else if (button === retry) this.fill();
    else if (chord) this.enter(this.data.stops.get(chord));
    else if (code) this.toggle(code);
    // Who points goes on with keys from the page; who tabs goes on from the list that came instead.
    if (event.detail > 0) button.blur();
    else if (!button.isConnected || button.closest("[hidden]")) this.parts.steps.querySelector("button")?.focus();
  }
}

function copy(template) {
  return template.content.firstElementChild.cloneNode(true);
}

const current = () =>
  document.querySelector(".question[data-active]:not([hidden]) category-picker") ??
  document.querySelector(".question:not([hidden]) category-picker");

customElements.define("category-picker", CategoryPicker);
jurybox.command("define", { down: () => current()?.define() });
jurybox.command("search", { down: () => current()?.openSearch() });
