/* Two ways to read a chapter: the ideas alone, or every line of code. The choice is remembered. */
(() => {
  const KEY = "genbook-view";
  const FOLDS = "details.gb-fold, details.gb-proof, details.gb-aside";
  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // a browser that keeps nothing for pages from disk
    }
  };
  const remember = (view) => {
    try {
      localStorage.setItem(KEY, view);
    } catch {
      /* the switch works without it, for this page */
    }
  };
  const set = (button, view) => {
    const code = view === "code";
    for (const fold of document.querySelectorAll(FOLDS)) fold.open = code;
    button.setAttribute("aria-pressed", String(code));
  };
  addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector(".article-header-buttons");
    if (!place || !document.querySelector(FOLDS)) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm gb-view";
    button.textContent = "Show all code";
    button.title = "Open the code of every figure and every receipt of the book";
    button.addEventListener("click", () => {
      const view = button.getAttribute("aria-pressed") === "true" ? "reading" : "code";
      remember(view);
      set(button, view);
    });
    place.prepend(button);
    set(button, remembered() === "code" ? "code" : "reading");
  });
})();
