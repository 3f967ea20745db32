/* An equation that is wider than its column is set smaller, down to half; a wider one scrolls. */
(() => {
  const SMALLEST = 0.5;
  const fit = (equation) => {
    if (equation.dataset.size === undefined) equation.dataset.size = equation.style.fontSize;
    equation.style.fontSize = equation.dataset.size; // as MathJax has set it
    const room = equation.clientWidth;
    if (room === 0) return;
    const usual = parseFloat(getComputedStyle(equation).fontSize);
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
