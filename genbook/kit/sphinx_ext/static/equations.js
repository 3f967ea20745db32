/* An equation that is wider than its column is set smaller, down to half; a wider one scrolls.
   On paper nothing scrolls, and no script runs between the layout for a sheet and its print: the size
   for the narrower column there is found beforehand. */
(() => {
  const SMALLEST = 0.5;
  const PAPER = 640; // the article's width on A4 with margins of 16 mm
  const fitPaper = (equation, usual, room) => {
    const article = equation.closest(".bd-article");
    if (!article) return;
    const there = room - article.getBoundingClientRect().width + PAPER;
    const wide = equation.querySelector("mjx-math").getBoundingClientRect().width;
    const size = usual * Math.max(SMALLEST, Math.min(1, (there - 2) / wide));
    equation.style.setProperty("--gb-paper", `${size}px`);
  };
  const fit = (equation) => {
    if (equation.dataset.size === undefined) equation.dataset.size = equation.style.fontSize;
    equation.style.fontSize = equation.dataset.size; // as MathJax has set it
    const room = equation.clientWidth;
    if (room === 0) return;
    const usual = parseFloat(getComputedStyle(equation).fontSize);
    fitPaper(equation, usual, room);
    let share = 1;
    /* the number beside it does not shrink in proportion: a few rounds */
    for (let round = 0; round < 6 && equation.scrollWidth > room && share > SMALLEST; round += 1) {
      share = Math.max(SMALLEST, share * Math.min(0.97, (room - 2) / equation.scrollWidth));
      equation.style.fontSize = `${usual * share}px`;
    }
  };
  const fitAll = () => document.querySelectorAll('mjx-container[display="true"]').forEach(fit);
  let width = 0;
  const onResize = () => {
    if (innerWidth === width) return;
    width = innerWidth;
    fitAll();
  };
  addEventListener("load", () => {
    const typeset = window.MathJax && MathJax.startup && MathJax.startup.promise;
    if (!typeset) return;
    typeset.then(() => {
      onResize();
      addEventListener("resize", onResize);
      /* what was folded had no width yet */
      addEventListener("toggle", fitAll, true);
    });
  });
})();
