/* An equation that is wider than its column is set smaller, so that no symbol is cut. */
(() => {
  const SMALLEST = 0.55;
  const fit = (equation) => {
    if (equation.dataset.size === undefined) equation.dataset.size = equation.style.fontSize;
    equation.style.fontSize = equation.dataset.size; // as MathJax has set it
    const room = equation.clientWidth;
    if (room === 0 || equation.scrollWidth <= room) return;
    const size = parseFloat(getComputedStyle(equation).fontSize);
    const share = Math.max(SMALLEST, (room - 2) / equation.scrollWidth);
    equation.style.fontSize = `${size * share}px`;
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
