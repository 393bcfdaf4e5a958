// Time on the item: without hidden tabs, and without pauses of more than two minutes.

const PAUSE = 2 * 60_000;
let spent = 0;
let mark = performance.now();
let hidden = document.hidden;

function tick() {
  const gap = performance.now() - mark;
  if (!hidden && gap > 0 && gap <= PAUSE) spent += gap;
  mark = performance.now();
  return spent;
}

// Milliseconds so far; `start` begins anew, with what an item had before it was laid aside.
jurybox.clock = {
  tick,
  start(before = 0) {
    tick();
    spent = before;
  },
};
for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "scroll"]) {
  addEventListener(kind, tick, { capture: true, passive: true });
}
document.addEventListener("visibilitychange", () => {
  tick();
  hidden = document.hidden;
});
