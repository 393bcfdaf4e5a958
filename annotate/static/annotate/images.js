// Images: between the width of the page and their natural size, by button or by the zoom command. A large image
// scrolls inside its own frame, which the keyboard reaches.

const images = () => [...document.querySelectorAll("[data-image]")];

function setUp() {
  for (const image of images()) image.querySelector("[data-zoom]").hidden = false;
}

function toggle(image) {
  const isNatural = image.classList.toggle("natural");
  image.querySelector("[data-zoom]").setAttribute("aria-pressed", String(isNatural));
  const picture = image.querySelector(".picture");
  if (isNatural) picture.focus({ preventScroll: true });
  else picture.scrollTo(0, 0);
}

// The image that has the focus, else the first that is in sight.
function meant() {
  const isInSight = (image) => {
    const { top, bottom } = image.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  return document.activeElement?.closest("[data-image]") ?? images().find(isInSight) ?? images()[0];
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-zoom]");
  if (button) toggle(button.closest("[data-image]"));
});
document.addEventListener("jurybox:item", setUp);
document.body.addEventListener("htmx:afterSwap", setUp);
globalThis.jurybox?.command?.("zoom", {
  down() {
    const image = meant();
    if (image) toggle(image);
  },
});
setUp();
