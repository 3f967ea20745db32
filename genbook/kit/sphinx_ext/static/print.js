/* Paper is white: a page that is printed from the dark theme takes the light one for as long. */
(() => {
  const root = document.documentElement;
  let before = null;
  const light = () => {
    if (before !== null) return;
    before = root.dataset.theme || "";
    root.dataset.theme = "light";
  };
  const back = () => {
    if (before === null) return;
    root.dataset.theme = before;
    before = null;
  };
  addEventListener("beforeprint", light);
  addEventListener("afterprint", back);
  matchMedia("print").addEventListener("change", (event) => (event.matches ? light() : back()));

  /* Solutions on demand: opened for the printer, closed again afterwards. */
  const withSolutions = () => {
    const closed = [...document.querySelectorAll("details:not([open])")];
    for (const each of closed) each.open = true;
    addEventListener("afterprint", () => closed.forEach((each) => (each.open = false)), { once: true });
    print();
  };
  addEventListener("DOMContentLoaded", () => {
    const heading = document.querySelector("section#exercises > h2");
    if (!heading) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "gb-print";
    button.textContent = "Print this page with its solutions";
    button.addEventListener("click", withSolutions);
    heading.after(button);
  });
})();
